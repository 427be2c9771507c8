//! Scenarios: named lists of changes to a model, as a file tells them.
//!
//! ```toml
//! name = "press-3-down"
//!
//! [[change]]
//! do = "down"              # what changes: `OPERATIONS` names them all
//! machines = "press-3"     # which; a `*` stands for any text
//! from = "2h"              # from the start on, or a time such as 2026-03-02T08:00:00Z; left out: at once
//! for = "8h"               # or to = ...; left out: to the end
//! at_hand = "pause"        # what becomes of the part at hand: pause, finish or scrap
//! ```
//!
//! A list of values where one value is meant makes a sweep: one scenario for each, and for each pair where
//! there are two lists.

use super::change::{Change, OPERATIONS, What, read_what};
use super::model::Model;
use super::reader::{Reader, Table, document};
use toml::de::DeValue;
use werkbuch_model::nearest::did_you_mean;
use werkbuch_model::plant::Mistake;
use werkbuch_model::time::Timestamp;

/// A scenario.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// Its name; that of a sweep's says its values.
    pub name: String,
    /// What changes, in the order of the file.
    pub changes: Vec<Change>,
}

/// How many scenarios one file may make, its sweeps expanded.
pub const SCENARIOS_MAX: usize = 500;
/// How many changes a scenario may have.
pub const CHANGES_MAX: usize = 1_000;
/// Keys whose value may be a list, to make a sweep.
const SWEPT: &[&str] = &[
    "add",
    "at_hand",
    "between",
    "capacity",
    "count",
    "delay",
    "every",
    "factor",
    "for",
    "from",
    "kind",
    "mtbf_factor",
    "pieces",
    "repair",
    "repair_factor",
    "rework",
    "rule",
    "scrap",
    "size",
    "takes",
    "time",
    "to",
    "up",
];

/// A list of values: where it stands, its key and how many values there are.
struct Axis<'a> {
    at: usize,
    key: &'a str,
    values: Vec<String>,
}

impl Scenario {
    /// The one that changes nothing.
    pub(super) fn baseline() -> Self {
        Self {
            name: "baseline".to_owned(),
            changes: Vec::new(),
        }
    }

    /// Reads a file of changes to a model. `file` names it in mistakes, and the scenario where it has no name.
    ///
    /// # Errors
    ///
    /// Every mistake, by line: a text that is no TOML, an unknown operation, key or name, a value out of range,
    /// too many scenarios.
    pub fn parse(text: &str, file: &str, model: &Model) -> Result<Vec<Self>, Vec<Mistake>> {
        let mut reader = Reader::new(text, file);
        let Some(document) = document(&mut reader, text) else {
            return reader.finish(Vec::new());
        };
        let whole = Table::whole(&document);
        reader.only(whole, &["name", "why", "change"]);
        let stem = file
            .rsplit('/')
            .next()
            .unwrap_or(file)
            .trim_end_matches(".toml");
        let name = reader.text(whole, "name").unwrap_or(stem).to_owned();
        reader.text(whole, "why");
        let tables = reader.tables(whole, "change");
        if tables.is_empty() && reader.mistakes.is_empty() {
            reader.mistake(
                0,
                "the file has no change",
                "add a [[change]] with do = \"...\"",
            );
        }
        if tables.len() > CHANGES_MAX {
            let what = format!("the scenario has {} changes", tables.len());
            reader.mistake(0, what, format!("the limit is {CHANGES_MAX}"));
            return reader.finish(Vec::new());
        }
        let axes: Vec<Axis<'_>> = tables.iter().flat_map(axes_of).collect();
        let sizes = axes.iter().map(|axis| axis.values.len());
        let count = sizes.fold(1_usize, usize::saturating_mul);
        if count == 0 || count > SCENARIOS_MAX {
            let at = axes.first().map_or(0, |axis| axis.at);
            let what = format!("the lists of values make {count} scenarios");
            reader.mistake(at, what, format!("at least one, at most {SCENARIOS_MAX}"));
            return reader.finish(Vec::new());
        }
        let mut scenarios = Vec::new();
        for number in 0..count {
            let (chosen, label) = choose(&axes, number);
            let mut of_this = Reader::new(text, file);
            let mut changes = Vec::new();
            for table in &tables {
                let table = table.choosing(&chosen);
                changes.extend(change(&mut of_this, table, model));
            }
            reader.mistakes.append(&mut of_this.mistakes);
            scenarios.push(Self {
                name: format!("{name}{label}"),
                changes,
            });
        }
        reader.mistakes.dedup();
        reader.finish(scenarios)
    }
}

fn axes_of<'a>(table: &Table<'a>) -> Vec<Axis<'a>> {
    let swept = table.entries().filter(|(key, ..)| SWEPT.contains(key));
    let lists = swept.filter_map(|(key, at, value)| match value {
        DeValue::Array(list) => Some(Axis {
            at,
            key,
            values: list.iter().map(|one| shown(one.get_ref())).collect(),
        }),
        _ => None,
    });
    lists.collect()
}

fn shown(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => text.to_string(),
        DeValue::Integer(number) => number.as_str().to_owned(),
        DeValue::Float(number) => number.as_str().to_owned(),
        _ => "?".to_owned(),
    }
}

/// The values of the combination with a number, and how its scenario's name goes on.
fn choose(axes: &[Axis<'_>], number: usize) -> (Vec<(usize, usize)>, String) {
    let mut left = number;
    let (mut chosen, mut label) = (Vec::new(), String::new());
    for axis in axes.iter().rev() {
        let index = left % axis.values.len();
        left /= axis.values.len();
        chosen.push((axis.at, index));
        let value = axis.values.get(index).map_or("", String::as_str);
        label = format!(" {}={value}{label}", axis.key);
    }
    (chosen, label)
}

fn change(reader: &mut Reader<'_>, table: Table<'_>, model: &Model) -> Option<Change> {
    let name = reader.needs_text(table, "do")?;
    let Some((name, keys)) = OPERATIONS.iter().find(|(known, _)| *known == name) else {
        let names = OPERATIONS.iter().map(|(known, _)| *known);
        let hint = did_you_mean(name, names.clone())
            .unwrap_or_else(|| format!("one of {}", names.collect::<Vec<_>>().join(", ")));
        let what = match name {
            "energy" => "what energy costs and allows cannot be simulated".to_owned(),
            _ => format!("there is no operation \"{name}\""),
        };
        reader.mistake(table.spot("do"), what, hint);
        return None;
    };
    let known: Vec<&str> = keys
        .iter()
        .copied()
        .chain(["do", "from", "to", "for"])
        .collect();
    reader.only(table, &known);
    let begins_ns = moment(reader, table, "from", model).unwrap_or(0);
    // What began before the start holds from the start on.
    let from_ns = u64::try_from(begins_ns).unwrap_or(0);
    let length = reader.duration(table, "for");
    let ends_ns = match (moment(reader, table, "to", model), length) {
        (Some(_), Some(_)) => {
            reader.mistake(
                table.spot("to"),
                "the change has both to and for",
                "leave one out",
            );
            return None;
        }
        (Some(ends_ns), None) => Some(ends_ns),
        (None, Some(length)) => {
            Some(begins_ns.saturating_add(i64::try_from(length).unwrap_or(i64::MAX)))
        }
        (None, None) => None,
    };
    if begins_ns < 0 && ends_ns.is_some_and(|ends_ns| ends_ns <= 0) {
        let what = "the change is over before the run begins";
        let hint = format!("the run begins at {}", model.begins);
        reader.mistake(table.spot("from"), what, hint);
        return None;
    }
    let to_ns = ends_ns.map_or(u64::MAX, |ends_ns| u64::try_from(ends_ns).unwrap_or(0));
    if to_ns <= from_ns {
        let at = table.spot(if table.has("to") { "to" } else { "for" });
        reader.mistake(at, "the change ends before it begins", "to is after from");
        return None;
    }
    let what = read_what(reader, table, name, model)?;
    if matches!(what, What::Stock { .. }) && from_ns > 0 {
        let hint = "leave from out: it says what there is at the start";
        reader.mistake(table.spot("from"), "a stock has no from", hint);
    }
    Some(Change {
        line: reader.line(table.at),
        operation: name,
        from_ns,
        to_ns,
        what,
    })
}

/// A time as a duration from the start, or as an instant; in nanoseconds from the start, below 0 before it.
fn moment(reader: &mut Reader<'_>, table: Table<'_>, key: &str, model: &Model) -> Option<i64> {
    let text = reader.text(table, key)?;
    let is_duration = !text.contains('T') && !text.contains(' ');
    if is_duration {
        let after = reader.duration(table, key)?;
        return Some(i64::try_from(after).unwrap_or(i64::MAX));
    }
    let Ok(instant) = Timestamp::parse(text) else {
        let hint = "write a duration from the start such as 2h, or 2026-03-02T08:00:00Z";
        reader.mistake(
            table.spot(key),
            format!("{key} = \"{text}\" is no time"),
            hint,
        );
        return None;
    };
    Some(instant.nanos().saturating_sub(model.begins.nanos()))
}
