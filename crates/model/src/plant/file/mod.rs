//! The plant file: TOML, read with all mistakes at once.

mod calendars;
mod checks;
mod csv;
mod flows;
mod nesting;
#[cfg(test)]
mod object_tests;
mod objects;
mod reader;
mod references;
mod relations;
#[cfg(test)]
mod tests;

use super::mistake::{Mistake, Place};
use super::spec::{keyed_objects, *};
use crate::id::{ElementId, MachineNumber, PlantId};
use crate::time::Timestamp;
use reader::Reader;
use toml::Spanned;
use toml::de::DeTable;

pub use csv::{TableRef, TableText};

/// The greatest size of a plant file in bytes.
pub const FILE_BYTES_MAX: usize = 16 * 1024 * 1024;
/// How many machines a plant may have.
pub const MACHINES_MAX: usize = 10_000;
/// How many units a plant may have.
pub const UNITS_MAX: usize = 10_000;
/// How many buffers a plant may have.
pub const BUFFERS_MAX: usize = 10_000;
/// How many flows a plant may have.
pub const FLOWS_MAX: usize = 40_000;
/// How many authorities a plant may have.
pub const AUTHORITIES_MAX: usize = 1_000;

/// How many steps of routings, set-ups and feeds a plant may have, of each kind.
pub const STEPS_MAX: usize = 200_000;
/// How many objects of any other kind a plant may have, of each kind.
pub const OBJECTS_MAX: usize = 20_000;

/// How many mistakes of syntax are told: after the first ones the reader is only guessing.
const SYNTAX_MISTAKES_MAX: usize = 10;

macro_rules! plant_file {
    ($($kind:ident $list:ident $table:literal,)+) => {
        /// A plant as its file declares it.
        #[derive(Clone, Debug, PartialEq)]
        pub struct PlantFile {
            /// The file's name as the caller gave it, for mistakes that are found later.
            pub file_name: String,
            /// The plant's name.
            pub plant_id: PlantId,
            /// From when on what the file says holds.
            pub valid_from: Option<Timestamp>,
            /// The plant itself.
            pub plant: Plant,
            /// Its units, in the order of the file.
            pub units: Vec<Unit>,
            /// Its machines, in the order of the file.
            pub machines: Vec<DeclaredMachine>,
            /// Its buffers, in the order of the file.
            pub buffers: Vec<Buffer>,
            $(#[doc = concat!("Every `[[", $table, "]]`, in the order of the file.")]
            pub $list: Vec<$kind>,)+
            /// Its authorities, in the order of the file.
            pub authorities: Vec<Authority>,
        }

        impl PlantFile {
            /// A file that declares nothing but the plant.
            #[must_use]
            pub fn new(plant_id: PlantId, plant: Plant) -> Self {
                Self {
                    file_name: String::new(),
                    plant_id,
                    valid_from: None,
                    plant,
                    units: Vec::new(),
                    machines: Vec::new(),
                    buffers: Vec::new(),
                    $($list: Vec::new(),)+
                    authorities: Vec::new(),
                }
            }
        }
    };
}

keyed_objects!(plant_file);

/// A machine as the file declares it: its number may be left to the plant.
#[derive(Clone, Debug, PartialEq)]
pub struct DeclaredMachine {
    /// The machine, without its number (0) and the names it had before.
    pub spec: Machine,
    /// Its number, where the file fixes it.
    pub fixed: Option<MachineNumber>,
    /// The names it had before.
    pub formerly: Vec<ElementId>,
    /// Where it is declared.
    pub place: Place,
}

/// Reads a plant file that stands alone. `file_name` is used in mistakes alone.
///
/// Errors: as [`parse_with`].
pub fn parse(text: &str, file_name: &str) -> Result<PlantFile, Vec<Mistake>> {
    parse_with(text, file_name, &[])
}

/// Reads a plant file together with the tables in CSV that it names under `[tables]`.
///
/// Errors: every mistake that was found, by file and line. A text that is no TOML gives its mistakes
/// of syntax, and the others once these are mended.
pub fn parse_with(
    text: &str,
    file_name: &str,
    tables: &[TableText],
) -> Result<PlantFile, Vec<Mistake>> {
    let mut reader = Reader::new(text, file_name);
    check_size(&mut reader, text, tables);
    let document = document(&mut reader, text)?;
    let beside = csv::read(&mut reader, document.get_ref(), tables);
    let raw = objects::read(&mut reader, &document, &beside);
    checks::check(&mut reader, &raw);
    relations::check(&mut reader, &raw);
    references::check(&mut reader, &raw);
    flows::check(&mut reader, &raw);
    calendars::check(&mut reader, &raw);
    reader.finish()?;
    raw.into_file(&reader).ok_or_else(|| {
        reader.mistake(0, "the plant has no name", "add [plant] with an id");
        reader.finish().err().unwrap_or_default()
    })
}

/// The tables that a plant file names under `[tables]`, which [`parse_with`] wants along.
///
/// Errors: the mistakes of syntax, and of `[tables]` itself.
pub fn tables_of(text: &str, file_name: &str) -> Result<Vec<TableRef>, Vec<Mistake>> {
    let mut reader = Reader::new(text, file_name);
    check_size(&mut reader, text, &[]);
    let document = document(&mut reader, text)?;
    let named = csv::named(&mut reader, document.get_ref());
    reader.finish()?;
    Ok(named.into_iter().map(|(table, _)| table).collect())
}

fn check_size(reader: &mut Reader<'_>, text: &str, tables: &[TableText]) {
    let beside = tables.iter().map(|table| table.content.len());
    let bytes = beside.fold(text.len(), usize::saturating_add);
    if bytes > FILE_BYTES_MAX {
        let what = match tables.is_empty() {
            true => format!("the file has {bytes} bytes"),
            false => format!("the file and its tables have {bytes} bytes"),
        };
        reader.mistake(0, what, format!("the limit is {FILE_BYTES_MAX}"));
    }
}

fn document<'t>(
    reader: &mut Reader<'_>,
    text: &'t str,
) -> Result<Spanned<DeTable<'t>>, Vec<Mistake>> {
    reader.finish()?;
    nesting::check(reader, text);
    reader.finish()?;
    let (document, errors) = DeTable::parse_recoverable(text);
    for error in errors.iter().take(SYNTAX_MISTAKES_MAX) {
        let at = error.span().map_or(0, |span| span.start);
        reader.mistake(at, one_line(error.message()), "");
    }
    reader.finish()?;
    Ok(document)
}

fn one_line(text: &str) -> String {
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect::<Vec<_>>()
        .join(", ")
}
