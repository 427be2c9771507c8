//! Reads the objects of a plant file, one table at a time.

use super::reader::{At, Reader, Table};
use super::{DeclaredMachine, PlantFile};
use crate::event::{AspectKind, NAME_TEXT_BYTES_MAX, Vocabulary};
use crate::id::{ElementId, MachineNumber, NameError, PlantId, SourceName};
use crate::plant::description::MACHINE_NUMBER_MAX;
use crate::plant::spec::{Authority, Buffer, Flow, Level, Plant, Unit};
use crate::plant::words;
use crate::time::Timestamp;
use jiff::tz::TimeZoneDatabase;
use std::collections::BTreeSet;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// How many sources one authority may name, and how many old names a machine may have.
const LIST_MAX: usize = 64;

/// What the tables say, with the places that later checks need. Where a value was a mistake there
/// stands a default, so that one mistake does not hide others.
#[derive(Default)]
pub(super) struct Raw {
    plant_id: Option<PlantId>,
    valid_from: Option<Timestamp>,
    plant: Plant,
    pub(super) units: Vec<RawUnit>,
    pub(super) machines: Vec<RawMachine>,
    pub(super) buffers: Vec<RawBuffer>,
    pub(super) flows: Vec<RawFlow>,
    pub(super) authorities: Vec<At<Authority>>,
    /// Ids that are no names: already a mistake, so that what refers to them is none.
    pub(super) misspelled: BTreeSet<String>,
}

pub(super) struct RawUnit {
    pub(super) unit: Unit,
    pub(super) at: usize,
    pub(super) parent_at: usize,
    pub(super) level_at: usize,
}

pub(super) struct RawMachine {
    pub(super) machine: DeclaredMachine,
    pub(super) at: usize,
    pub(super) parent_at: usize,
    pub(super) number_at: usize,
    pub(super) formerly_at: usize,
}

pub(super) struct RawBuffer {
    pub(super) buffer: Buffer,
    pub(super) at: usize,
    pub(super) parent_at: usize,
}

pub(super) struct RawFlow {
    pub(super) flow: Flow,
    pub(super) from_at: usize,
    pub(super) to_at: usize,
}

impl Raw {
    /// The file, when it names its plant.
    pub(super) fn into_file(self, reader: &Reader<'_>) -> Option<PlantFile> {
        let machine = |raw: RawMachine| DeclaredMachine {
            place: reader.place(raw.at),
            ..raw.machine
        };
        Some(PlantFile {
            file_name: reader.file.to_owned(),
            plant_id: self.plant_id?,
            valid_from: self.valid_from,
            plant: self.plant,
            units: self.units.into_iter().map(|raw| raw.unit).collect(),
            machines: self.machines.into_iter().map(machine).collect(),
            buffers: self.buffers.into_iter().map(|raw| raw.buffer).collect(),
            flows: self.flows.into_iter().map(|raw| raw.flow).collect(),
            authorities: self.authorities.into_iter().map(|raw| raw.value).collect(),
        })
    }
}

/// Reads all tables of the document.
pub(super) fn read(reader: &mut Reader<'_>, document: &Spanned<DeTable<'_>>) -> Raw {
    let keys = document.get_ref();
    let top = Table {
        kind: "the file",
        at: 0,
        keys,
    };
    let known = [
        "valid_from",
        "plant",
        "unit",
        "machine",
        "buffer",
        "flow",
        "authority",
    ];
    reader.only(&top, &known);
    let mut raw = Raw {
        valid_from: valid_from(reader, &top),
        ..Raw::default()
    };
    plant(reader, keys, &mut raw);
    for table in reader.tables(keys, "unit") {
        unit(reader, &table, &mut raw);
    }
    for table in reader.tables(keys, "machine") {
        machine(reader, &table, &mut raw);
    }
    for table in reader.tables(keys, "buffer") {
        buffer(reader, &table, &mut raw);
    }
    for table in reader.tables(keys, "flow") {
        flow(reader, &table, &mut raw);
    }
    for table in reader.tables(keys, "authority") {
        authority(reader, &table, &mut raw);
    }
    raw
}

fn valid_from(reader: &mut Reader<'_>, top: &Table<'_>) -> Option<Timestamp> {
    let value = top.keys.get("valid_from")?;
    let text = match value.get_ref() {
        DeValue::Datetime(time) => time.to_string(),
        DeValue::String(text) => text.to_string(),
        _ => {
            reader.wrong_kind(top, "valid_from", value, "a time");
            return None;
        }
    };
    let time = Timestamp::parse(&text);
    if let Err(error) = &time {
        let what = format!("valid_from: {error}");
        reader.mistake(value.span().start, what, "");
    }
    time.ok()
}

fn plant(reader: &mut Reader<'_>, document: &DeTable<'_>, raw: &mut Raw) {
    let Some(value) = document.get("plant") else {
        reader.mistake(
            0,
            "the file has no [plant]",
            "add [plant] with id = \"PLT-07\"",
        );
        return;
    };
    let Some(keys) = value.get_ref().as_table() else {
        let hint = "write [plant], with single brackets, once";
        reader.mistake(value.span().start, "plant is not a table", hint);
        return;
    };
    let table = Table {
        kind: "plant",
        at: value.span().start,
        keys,
    };
    reader.only(&table, &["id", "name", "time_zone"]);
    if let Some(id) = reader.required(&table, "id", "\"PLT-07\"") {
        raw.plant_id = named(reader, id, PlantId::new);
    }
    raw.plant.name = short(reader, &table, "name");
    raw.plant.time_zone = time_zone(reader, &table);
}

/// The zone by the name that the bundled database writes, whatever the case of letters.
fn time_zone(reader: &mut Reader<'_>, table: &Table<'_>) -> String {
    let Some(zone) = reader.text(table, "time_zone") else {
        return "UTC".to_owned();
    };
    let database = TimeZoneDatabase::bundled();
    let found = database.get(zone.value).ok();
    if let Some(name) = found.as_ref().and_then(|zone| zone.iana_name()) {
        return name.to_owned();
    }
    let names: Vec<String> = database.available().map(|name| name.to_string()).collect();
    let what = format!("there is no time zone \"{}\"", clipped(zone.value));
    let hint = "write an IANA name such as \"Europe/Berlin\"";
    let known = names.iter().map(String::as_str);
    reader.unknown(zone.at, what, zone.value, known, hint);
    String::new()
}

fn unit(reader: &mut Reader<'_>, table: &Table<'_>, raw: &mut Raw) {
    reader.only(table, &["id", "level", "parent", "name"]);
    let id = element(reader, table, raw, "\"body\"");
    let (mut level, mut level_at) = (Level::Unspecified, table.at);
    if let Some(word) = reader.required(table, "level", "\"area\"") {
        level_at = word.at;
        let all = words::level_words();
        level = one_of(reader, word, "level", words::level(word.value), &all);
    }
    let parent = reference(reader, table, "parent");
    let name = short(reader, table, "name");
    if let Some(id) = id {
        raw.units.push(RawUnit {
            unit: Unit {
                id: id.value,
                name,
                level,
                parent: parent.value,
            },
            at: id.at,
            parent_at: parent.at,
            level_at,
        });
    }
}

fn machine(reader: &mut Reader<'_>, table: &Table<'_>, raw: &mut Raw) {
    let known = [
        "id",
        "in",
        "type",
        "vocabulary",
        "number",
        "formerly",
        "name",
    ];
    reader.only(table, &known);
    let id = element(reader, table, raw, "\"press-3\"");
    let parent = reference(reader, table, "in");
    let machine_type = short(reader, table, "type");
    let name = short(reader, table, "name");
    let mut vocabulary = Vocabulary::Unspecified;
    if let Some(word) = reader.text(table, "vocabulary") {
        let all = words::vocabulary_words();
        let found = words::vocabulary(word.value);
        vocabulary = one_of(reader, word, "vocabulary", found, &all);
    }
    let number = reader.number(table, "number", MACHINE_NUMBER_MAX);
    let number = number.filter(|number| {
        if number.value == 0 {
            let hint = "numbers begin with 1; leave it out and the plant gives the next one";
            reader.mistake(number.at, "number 0 is no machine", hint);
        }
        number.value > 0
    });
    let formerly = old_names(reader, table);
    if let Some(id) = id {
        raw.machines.push(RawMachine {
            machine: DeclaredMachine {
                id: id.value,
                name,
                parent: parent.value,
                machine_type,
                vocabulary,
                number: number.map(|number| MachineNumber(number.value)),
                formerly: formerly.value,
                place: crate::plant::Place::default(),
            },
            at: id.at,
            parent_at: parent.at,
            number_at: number.map_or(table.at, |number| number.at),
            formerly_at: formerly.at,
        });
    }
}

fn old_names(reader: &mut Reader<'_>, table: &Table<'_>) -> At<Vec<ElementId>> {
    let texts = reader.texts(table, "formerly", true).unwrap_or_default();
    let at = texts.first().map_or(table.at, |text| text.at);
    if texts.len() > LIST_MAX {
        let what = format!("formerly has {} names", texts.len());
        reader.mistake(at, what, format!("the limit is {LIST_MAX}"));
    }
    let mut value: Vec<ElementId> = texts
        .into_iter()
        .filter_map(|text| named(reader, text, ElementId::new))
        .collect();
    value.sort_unstable();
    value.dedup();
    At { value, at }
}

fn buffer(reader: &mut Reader<'_>, table: &Table<'_>, raw: &mut Raw) {
    reader.only(table, &["id", "in", "capacity", "name"]);
    let id = element(reader, table, raw, "\"buffer-1\"");
    let parent = reference(reader, table, "in");
    let name = short(reader, table, "name");
    reader.must_have(table, "capacity", "10");
    let capacity = reader.number(table, "capacity", u32::MAX);
    if let Some(zero) = capacity.filter(|capacity| capacity.value == 0) {
        let hint = "a buffer holds 1 part or more; without one, let the flow go past it";
        reader.mistake(zero.at, "capacity is 0", hint);
    }
    if let Some(id) = id {
        raw.buffers.push(RawBuffer {
            buffer: Buffer {
                id: id.value,
                name,
                parent: parent.value,
                capacity: capacity.map_or(1, |capacity| capacity.value),
            },
            at: id.at,
            parent_at: parent.at,
        });
    }
}

fn flow(reader: &mut Reader<'_>, table: &Table<'_>, raw: &mut Raw) {
    reader.only(table, &["from", "to"]);
    let from = reader.required(table, "from", "\"press-3\"");
    let to = reader.required(table, "to", "\"buffer-1\"");
    let from = from.and_then(|from| Some((named(reader, from, ElementId::new)?, from.at)));
    let to = to.and_then(|to| Some((named(reader, to, ElementId::new)?, to.at)));
    if let (Some((from, from_at)), Some((to, to_at))) = (from, to) {
        raw.flows.push(RawFlow {
            flow: Flow { from, to },
            from_at,
            to_at,
        });
    }
}

fn authority(reader: &mut Reader<'_>, table: &Table<'_>, raw: &mut Raw) {
    reader.only(table, &["machines", "aspect", "sources"]);
    let machines = reader.required(table, "machines", "\"press-*\"");
    let machines = machines.filter(|class| is_class(reader, *class, ElementId::new));
    let mut aspect = AspectKind::Unspecified;
    if let Some(word) = reader.required(table, "aspect", "\"state\", or \"*\" for all") {
        let all = words::aspect_words();
        aspect = one_of(reader, word, "aspect", words::aspect(word.value), &all);
    }
    reader.must_have(table, "sources", "[\"gateway-7\"]");
    let sources = reader.texts(table, "sources", false);
    if let Some(sources) = &sources
        && (sources.is_empty() || sources.len() > LIST_MAX)
    {
        let what = format!("sources has {} entries", sources.len());
        let hint =
            format!("name 1 to {LIST_MAX} sources: the first has the say, the others follow");
        let place = table.keys.get("sources");
        reader.mistake(place.map_or(table.at, |s| s.span().start), what, hint);
    }
    let mut sources = sources.unwrap_or_default();
    sources.retain(|class| is_class(reader, *class, SourceName::new));
    if let Some(machines) = machines {
        raw.authorities.push(At {
            value: Authority {
                machines: machines.value.to_owned(),
                aspect,
                sources: sources.iter().map(|s| s.value.to_owned()).collect(),
            },
            at: machines.at,
        });
    }
}

/// A name or a class of names with `*` in it.
fn is_class<N>(
    reader: &mut Reader<'_>,
    class: At<&str>,
    new: impl Fn(String) -> Result<N, NameError>,
) -> bool {
    // A star stands for letters of a name, so a class is well-formed when some name of it is.
    let checked = new(class.value.replace('*', "x"));
    if let Err(error) = &checked {
        let hint = match class.value.contains('#') {
            true => "sources are named without their epoch",
            false => "* stands for any text",
        };
        reader.mistake(class.at, error.to_string(), hint);
    }
    checked.is_ok()
}

/// The id of a table; one that is no name is a mistake and remembered as misspelled.
fn element(
    reader: &mut Reader<'_>,
    table: &Table<'_>,
    raw: &mut Raw,
    example: &str,
) -> Option<At<ElementId>> {
    let text = reader.required(table, "id", example)?;
    let value = named(reader, text, ElementId::new);
    if value.is_none() {
        raw.misspelled.insert(text.value.to_owned());
    }
    Some(At {
        value: value?,
        at: text.at,
    })
}

/// The name of another object, if it is there.
fn reference(reader: &mut Reader<'_>, table: &Table<'_>, key: &str) -> At<Option<ElementId>> {
    match reader.text(table, key) {
        None => At {
            value: None,
            at: table.at,
        },
        Some(text) => At {
            value: named(reader, text, ElementId::new),
            at: text.at,
        },
    }
}

fn named<'a, N>(
    reader: &mut Reader<'_>,
    text: At<&'a str>,
    new: impl Fn(&'a str) -> Result<N, NameError>,
) -> Option<N> {
    let name = new(text.value);
    if let Err(error) = &name {
        reader.mistake(text.at, error.to_string(), "");
    }
    name.ok()
}

/// A full name or a type: free text of a bounded length.
fn short(reader: &mut Reader<'_>, table: &Table<'_>, key: &str) -> String {
    let Some(text) = reader.text(table, key) else {
        return String::new();
    };
    if text.value.len() > NAME_TEXT_BYTES_MAX {
        let what = format!("{key} has {} bytes", text.value.len());
        reader.mistake(text.at, what, format!("the limit is {NAME_TEXT_BYTES_MAX}"));
    }
    text.value.to_owned()
}

fn one_of<T: Default>(
    reader: &mut Reader<'_>,
    word: At<&str>,
    kind: &str,
    found: Option<T>,
    words: &[String],
) -> T {
    found.unwrap_or_else(|| {
        let what = format!("unknown {kind} \"{}\"", clipped(word.value));
        let known = words.iter().map(String::as_str);
        let otherwise = format!("known are {}", words.join(", "));
        reader.unknown(word.at, what, word.value, known, otherwise);
        T::default()
    })
}

pub(super) fn clipped(text: &str) -> String {
    text.chars().take(64).collect()
}
