//! Reads the objects of a plant file, one table at a time.

mod calendar;
mod places;
mod products;
mod supplies;
mod values;

use super::csv::CsvTable;
use super::reader::{At, Reader, Spot, Table};
use super::{DeclaredMachine, PlantFile};
use crate::id::PlantId;
use crate::plant::spec::{keyed_objects, *};
use crate::time::Timestamp;
use jiff::tz::TimeZoneDatabase;
use std::collections::BTreeSet;
use toml::Spanned;
use toml::de::{DeTable, DeValue};
use values::{Values, clipped};

/// An object with the table that it was read from, for the places of later mistakes.
pub(super) struct Found<'a, T> {
    pub(super) value: T,
    pub(super) table: Table<'a>,
}

impl<T> Found<'_, T> {
    /// Where the value of a key stands, else where the object does.
    pub(super) fn spot(&self, key: &str) -> Spot {
        self.table.spot(key)
    }

    /// Where an entry of the list under a key stands.
    pub(super) fn nested(&self, key: &str, index: usize) -> Spot {
        self.table.nested(key, index)
    }
}

/// An object that can be read from a table.
trait Readable: Sized {
    /// The object. `None` when it cannot be known by anything, which is a mistake already; where
    /// another value was a mistake there stands a default, so that one mistake hides no others.
    fn read(values: &mut Values<'_, '_, '_>) -> Option<Self>;
}

macro_rules! raw {
    ($($kind:ident $list:ident $table:literal,)+) => {
        /// What the tables say, with the places that later checks need.
        #[derive(Default)]
        pub(super) struct Raw<'a> {
            plant_id: Option<PlantId>,
            valid_from: Option<Timestamp>,
            pub(super) plant: Plant,
            pub(super) plant_table: Option<Table<'a>>,
            pub(super) units: Vec<Found<'a, Unit>>,
            pub(super) machines: Vec<Found<'a, DeclaredMachine>>,
            pub(super) buffers: Vec<Found<'a, Buffer>>,
            $(pub(super) $list: Vec<Found<'a, $kind>>,)+
            pub(super) authorities: Vec<Found<'a, Authority>>,
            /// Names that are none: already a mistake, so that what refers to them is none.
            pub(super) misspelled: BTreeSet<String>,
        }

        /// The names of the tables of a plant file.
        const TABLES: &[&str] = &[
            "valid_from", "tables", "plant", "unit", "machine", "buffer", $($table,)+ "authority",
        ];

        impl<'a> Raw<'a> {
            fn read_keyed(&mut self, from: &mut Sources<'a, '_, '_>) {
                $(self.$list = from.all($table, &mut self.misspelled);)+
            }

            /// The file, when it names its plant.
            pub(super) fn into_file(self, reader: &Reader<'_>) -> Option<PlantFile> {
                let machine = |found: Found<'_, DeclaredMachine>| DeclaredMachine {
                    place: reader.place(found.spot("id")),
                    ..found.value
                };
                Some(PlantFile {
                    file_name: reader.file().to_owned(),
                    plant_id: self.plant_id?,
                    valid_from: self.valid_from,
                    plant: self.plant,
                    units: bare(self.units),
                    machines: self.machines.into_iter().map(machine).collect(),
                    buffers: bare(self.buffers),
                    $($list: bare(self.$list),)+
                    authorities: bare(self.authorities),
                })
            }
        }
    };
}

keyed_objects!(raw);

fn bare<T>(found: Vec<Found<'_, T>>) -> Vec<T> {
    found.into_iter().map(|found| found.value).collect()
}

/// Where objects come from: the document and the tables beside it.
struct Sources<'a, 'r, 't> {
    reader: &'r mut Reader<'t>,
    document: &'a DeTable<'a>,
    beside: &'a [CsvTable],
}

impl<'a> Sources<'a, '_, '_> {
    /// All objects of one kind: those of the document, then those of the table in CSV.
    fn all<T: Readable>(
        &mut self,
        kind: &'static str,
        misspelled: &mut BTreeSet<String>,
    ) -> Vec<Found<'a, T>> {
        let mut tables = self.reader.tables(self.document, kind, kind);
        let beside = self.beside.iter().filter(|table| table.kind == kind);
        tables.extend(beside.flat_map(CsvTable::tables));
        let mut all = Vec::with_capacity(tables.len());
        for table in tables {
            let mut values = Values {
                reader: self.reader,
                table,
                misspelled,
            };
            if let Some(value) = T::read(&mut values) {
                all.push(Found { value, table });
            }
        }
        all
    }
}

/// Reads all tables of the document and those beside it.
pub(super) fn read<'a>(
    reader: &mut Reader<'_>,
    document: &'a Spanned<DeTable<'a>>,
    beside: &'a [CsvTable],
) -> Raw<'a> {
    let keys = document.get_ref();
    let top = Table::of_toml("the file", 0, keys);
    reader.only(&top, TABLES);
    let mut raw = Raw {
        valid_from: valid_from(reader, keys),
        ..Raw::default()
    };
    plant(reader, keys, &mut raw);
    let mut sources = Sources {
        reader,
        document: keys,
        beside,
    };
    raw.units = sources.all("unit", &mut raw.misspelled);
    raw.machines = sources.all("machine", &mut raw.misspelled);
    raw.buffers = sources.all("buffer", &mut raw.misspelled);
    raw.read_keyed(&mut sources);
    raw.authorities = sources.all("authority", &mut raw.misspelled);
    calendar::add_rows(&mut sources, &mut raw);
    raw
}

fn valid_from(reader: &mut Reader<'_>, top: &DeTable<'_>) -> Option<Timestamp> {
    let value = top.get("valid_from")?;
    let at = value.span().start;
    let text = match value.get_ref() {
        DeValue::Datetime(time) => time.to_string(),
        DeValue::String(text) => text.to_string(),
        other => {
            let what = format!(
                "valid_from of the file is {}",
                super::reader::kind_of(other)
            );
            reader.mistake(at, what, "it must be a time");
            return None;
        }
    };
    let time = Timestamp::parse(&text);
    if let Err(error) = &time {
        reader.mistake(at, format!("valid_from: {error}"), "");
    }
    time.ok()
}

fn plant<'a>(reader: &mut Reader<'_>, document: &'a DeTable<'a>, raw: &mut Raw<'a>) {
    let Some(value) = document.get("plant") else {
        let hint = "add [plant] with id = \"PLT-07\"";
        reader.mistake(0, "the file has no [plant]", hint);
        return;
    };
    let Some(keys) = value.get_ref().as_table() else {
        let hint = "write [plant], with single brackets, once";
        reader.mistake(value.span().start, "plant is not a table", hint);
        return;
    };
    let table = Table::of_toml("plant", value.span().start, keys);
    let known: Vec<&str> = ["id"].iter().chain(Plant::KEYS).copied().collect();
    reader.only(&table, &known);
    let mut values = Values {
        reader,
        table,
        misspelled: &mut raw.misspelled,
    };
    raw.plant_id = values.plant_id();
    raw.plant = Plant {
        name: values.short("name"),
        time_zone: time_zone(&mut values),
        calendar: values.reference("calendar"),
        sample_days: values.count("sample_days", SAMPLE_DAYS_DEFAULT, SAMPLE_DAYS_MAX),
        day_start: values.time_of_day("day_start").unwrap_or(DAY_START_DEFAULT),
    };
    raw.plant_table = Some(table);
}

/// For how many days sample bodies may be kept at most: a hundred years.
const SAMPLE_DAYS_MAX: u32 = 36_525;

/// The zone by the name that the bundled database writes, whatever the case of letters.
fn time_zone(values: &mut Values<'_, '_, '_>) -> String {
    let Some(At { value: zone, at }) = values.reader.text(&values.table, "time_zone") else {
        return "UTC".to_owned();
    };
    let database = TimeZoneDatabase::bundled();
    let found = database.get(zone).ok();
    if let Some(name) = found.as_ref().and_then(|zone| zone.iana_name()) {
        return name.to_owned();
    }
    let names: Vec<String> = database.available().map(|name| name.to_string()).collect();
    let what = format!("there is no time zone \"{}\"", clipped(zone, 64));
    let hint = "write an IANA name such as \"Europe/Berlin\"";
    let known = names.iter().map(String::as_str);
    values.reader.unknown(at, what, zone, known, hint);
    String::new()
}
