//! The plant file: TOML, read with all mistakes at once.

mod checks;
mod nesting;
mod objects;
mod reader;
mod relations;
#[cfg(test)]
mod tests;

use super::mistake::{Mistake, Place};
use super::spec::{Authority, Buffer, Flow, Plant, Unit};
use crate::event::Vocabulary;
use crate::id::{ElementId, MachineNumber, PlantId};
use crate::time::Timestamp;
use reader::Reader;
use toml::de::DeTable;

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

/// How many mistakes of syntax are told: after the first ones the reader is only guessing.
const SYNTAX_MISTAKES_MAX: usize = 10;

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
    /// Its flows, in the order of the file.
    pub flows: Vec<Flow>,
    /// Its authorities, in the order of the file.
    pub authorities: Vec<Authority>,
}

/// A machine as the file declares it: its number may be left to the plant.
#[derive(Clone, Debug, PartialEq)]
pub struct DeclaredMachine {
    /// Its name.
    pub id: ElementId,
    /// Its full name, or empty.
    pub name: String,
    /// The unit it stands in; absent directly below the plant.
    pub parent: Option<ElementId>,
    /// What sort of machine it is, or empty.
    pub machine_type: String,
    /// The vocabulary that its state signal speaks.
    pub vocabulary: Vocabulary,
    /// Its number, where the file fixes it.
    pub number: Option<MachineNumber>,
    /// The names it had before.
    pub formerly: Vec<ElementId>,
    /// Where it is declared.
    pub place: Place,
}

/// Reads a plant file. `file_name` is used in mistakes alone.
///
/// Errors: every mistake that was found, by line. A text that is no TOML gives its mistakes of
/// syntax, and the others once these are mended.
pub fn parse(text: &str, file_name: &str) -> Result<PlantFile, Vec<Mistake>> {
    if text.len() > FILE_BYTES_MAX {
        return Err(vec![Mistake {
            file: file_name.to_owned(),
            line: 1,
            column: 1,
            what: format!("the file has {} bytes", text.len()),
            hint: format!("the limit is {FILE_BYTES_MAX}"),
        }]);
    }
    let mut reader = Reader::new(text, file_name);
    nesting::check(&mut reader, text);
    reader.finish()?;
    let (document, errors) = DeTable::parse_recoverable(text);
    for error in errors.iter().take(SYNTAX_MISTAKES_MAX) {
        let at = error.span().map_or(0, |span| span.start);
        reader.mistake(at, one_line(error.message()), "");
    }
    reader.finish()?;
    let raw = objects::read(&mut reader, &document);
    checks::check(&mut reader, &raw);
    relations::check(&mut reader, &raw);
    reader.finish()?;
    raw.into_file(&reader).ok_or_else(|| {
        reader.mistake(0, "the plant has no name", "add [plant] with an id");
        reader.finish().err().unwrap_or_default()
    })
}

fn one_line(text: &str) -> String {
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect::<Vec<_>>()
        .join(", ")
}
