//! How machines and descriptions of the same plants differ between two instants.

use super::fields::MACHINE_FIELDS;
use super::machine;
use super::row::{MachineRow, SharedCauses};
use super::twin::find;
use crate::limits::PAGE_BYTES_MAX;
use prost::Message;
use std::collections::{BTreeMap, BTreeSet};
use werkbuch_model::event::{AspectKind, ConditionLevel};
use werkbuch_model::filter::{Filter, Row, Value};
use werkbuch_model::id::{MachineNumber, PlantId};
use werkbuch_model::plant::{describe, diff, parse, to_toml};
use werkbuch_model::time::Timestamp;
use werkbuch_twin::Twin;
use werkbuch_wire::{name, pb};

/// The fields that say which machine it is, and not how it is.
const NAMING: [&str; 3] = ["plant", "number", "name"];

/// What is compared, and which page of it is shown.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    /// Machines for which it holds on one of the sides.
    pub(crate) filter: Filter,
    /// Only this machine; empty for all.
    pub(crate) machine: String,
    /// Everything of a machine, and not what a list shows alone.
    pub(crate) full: bool,
    /// The first of those that differ.
    pub(crate) from: usize,
    pub(crate) size: usize,
}

impl Wanted {
    /// Whether it is the first page about all there is.
    pub(crate) fn is_of_all(&self) -> bool {
        self.from == 0 && self.machine.is_empty() && self.filter.is_blank()
    }
}

/// Machines compared at two instants.
#[derive(Debug, Default)]
pub(crate) struct Compared {
    /// A page of those that differ.
    pub(crate) machines: Vec<pb::MachineDiff>,
    /// Where to go on; absent on the last page.
    pub(crate) next: Option<usize>,
    pub(crate) differing: usize,
    pub(crate) compared: usize,
}

/// What a machine shows: a text for each field that has a value.
type Shown = BTreeMap<String, String>;

/// A plant on one of the sides.
struct Side<'t> {
    twin: &'t Twin,
    causes: SharedCauses,
}

impl Compared {
    /// Compares the machines of the plants that both sides have. A page ends early when its message
    /// would become too large.
    pub(crate) fn of(before: &[&Twin], after: &[&Twin], wanted: &Wanted) -> Self {
        let mut compared = Self::default();
        let mut bytes = 0_usize;
        for (before, after) in pairs(before, after) {
            let (before, after) = (Side::of(before), Side::of(after));
            for number in numbers(&before, &after, &wanted.machine) {
                let sides = [before.row(number), after.row(number)];
                if !sides.iter().flatten().any(|row| wanted.filter.matches(row)) {
                    continue;
                }
                compared.compared += 1;
                if let Some(found) = differs(number, &sides, wanted.full) {
                    bytes = bytes.saturating_add(found.encoded_len());
                    compared.take(found, wanted, &mut bytes);
                }
            }
        }
        compared
    }

    fn take(&mut self, found: pb::MachineDiff, wanted: &Wanted, bytes: &mut usize) {
        let place = self.differing;
        self.differing += 1;
        if place < wanted.from {
            *bytes = 0;
            return;
        }
        if self.next.is_some() {
            return;
        }
        let is_full = self.machines.len() >= wanted.size || *bytes > PAGE_BYTES_MAX;
        if is_full && !self.machines.is_empty() {
            self.next = Some(place);
        } else {
            self.machines.push(found);
        }
    }
}

/// How the descriptions of the plants differ that both sides have.
pub(crate) fn descriptions(before: &[&Twin], after: &[&Twin]) -> Vec<pb::DescriptionDiff> {
    let differing = pairs(before, after)
        .into_iter()
        .filter(|(before, after)| before.description() != after.description());
    let told = differing.map(|(before, after)| pb::DescriptionDiff {
        plant: name::of_plant(after.plant().as_str()),
        changes: lines(before, after),
    });
    told.filter(|told| !told.changes.is_empty()).collect()
}

/// The changes that turn one description into the other.
fn lines(before: &Twin, after: &Twin) -> Vec<String> {
    let plant = after.plant();
    let file = parse(&to_toml(after.description(), plant), plant.as_str());
    let changes = file.and_then(|file| diff(before.description(), &file));
    match changes {
        Ok(changes) => changes
            .iter()
            .map(|change| describe(change, before.description()))
            .collect(),
        // From the later to the earlier, a number that is retired would have to come back.
        Err(mistakes) => {
            let what = mistakes.first().map(|mistake| mistake.what.as_str());
            vec![format!(
                "? the descriptions differ by more than could be applied: {}",
                what.unwrap_or_default()
            )]
        }
    }
}

/// The plants that both sides have, by name.
fn pairs<'t>(before: &[&'t Twin], after: &[&'t Twin]) -> Vec<(&'t Twin, &'t Twin)> {
    let named = before.iter().map(|twin| (twin.plant(), *twin));
    let before: BTreeMap<&PlantId, &Twin> = named.collect();
    let pair = |after: &&'t Twin| Some((*before.get(after.plant())?, *after));
    after.iter().filter_map(pair).collect()
}

/// The machines that one of the sides describes, or the one that is asked about.
fn numbers(before: &Side<'_>, after: &Side<'_>, machine: &str) -> BTreeSet<MachineNumber> {
    if !machine.is_empty() {
        let found = find(after.twin, machine).or_else(|| find(before.twin, machine));
        return found.into_iter().collect();
    }
    let described = [before, after].into_iter();
    described
        .flat_map(|side| side.twin.description().machines())
        .map(|machine| machine.number)
        .collect()
}

impl<'t> Side<'t> {
    fn of(twin: &'t Twin) -> Self {
        Self {
            twin,
            causes: SharedCauses::default(),
        }
    }

    /// A machine, where it is described.
    fn row(&self, number: MachineNumber) -> Option<MachineRow<'t>> {
        let row = super::twin::row(self.twin, number)?;
        Some(row.sharing(&self.causes))
    }
}

fn differs(
    number: MachineNumber,
    sides: &[Option<MachineRow<'_>>; 2],
    full: bool,
) -> Option<pb::MachineDiff> {
    let [before, after] = sides;
    let row = after.as_ref().or(before.as_ref())?;
    let kind = match (before, after) {
        (Some(_), Some(_)) => pb::MachineDiffKind::Changed,
        (None, _) => pb::MachineDiffKind::Added,
        (_, None) => pb::MachineDiffKind::Removed,
    };
    let shown = |row: &Option<MachineRow<'_>>| {
        let shown = row.as_ref().map(|row| shown(row, full));
        shown.unwrap_or_default()
    };
    let fields = fields(&shown(before), &shown(after));
    if fields.is_empty() && kind == pb::MachineDiffKind::Changed {
        return None;
    }
    let id = match row.id() {
        "" => number.to_string(),
        id => id.to_owned(),
    };
    Some(pb::MachineDiff {
        name: name::of_machine(row.plant(), &id),
        number: number.get(),
        kind: kind.into(),
        fields,
    })
}

fn fields(before: &Shown, after: &Shown) -> Vec<pb::FieldDiff> {
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let compare = |name: &String| {
        let (was, is) = (before.get(name), after.get(name));
        (was != is).then(|| pb::FieldDiff {
            field: name.clone(),
            before: was.cloned(),
            after: is.cloned(),
        })
    };
    names.into_iter().filter_map(compare).collect()
}

/// What a machine shows in a list; in full, everything that GetMachine tells.
fn shown(row: &MachineRow<'_>, full: bool) -> Shown {
    let mut shown = Shown::new();
    for (index, field) in MACHINE_FIELDS.fields().iter().enumerate() {
        if !NAMING.contains(&field.name)
            && let Some(text) = text_of(&row.value(index))
        {
            shown.insert(field.name.to_owned(), text);
        }
    }
    for counter in row.counters() {
        let value = counter.value.map(|value| value.to_string());
        let value = value.unwrap_or_else(|| "?".to_owned());
        let text = format!("{value} (epoch {})", counter.reset_epoch);
        shown.insert(format!("counter {}", counter.counter), text);
    }
    if full {
        shown.extend(rest(row));
    }
    shown
}

/// Alarms, conditions and other values.
fn rest(row: &MachineRow<'_>) -> Vec<(String, String)> {
    let message = machine::in_full(row.plant(), row);
    let mut rest = Vec::new();
    for alarm in &message.alarms {
        let (state, since) = match alarm.active {
            true => ("active", alarm.raised_at),
            false => ("cleared", alarm.cleared_at),
        };
        let since = since.map(|nanos| format!(" since {}", Timestamp(nanos)));
        let since = since.unwrap_or_default();
        let text = format!("{state}{since} {} {}", alarm.code, alarm.text);
        rest.push((format!("alarm {}", alarm.key), text));
    }
    for condition in &message.conditions {
        let level = u32::try_from(condition.level).ok();
        let level = level
            .and_then(ConditionLevel::from_code)
            .unwrap_or_default();
        let active: Vec<&str> = condition
            .active
            .iter()
            .map(|one| one.code.as_str())
            .collect();
        let text = format!("{level} {}", active.join(" "));
        rest.push((format!("condition {}", condition.item), text));
    }
    for value in &message.values {
        let number = value.number.map(|number| number.to_string());
        let text = value.text.clone().or(number);
        let key = format!("value {} {}", kind(value.aspect), value.item);
        rest.push((key, text.unwrap_or_else(|| "?".to_owned())));
    }
    for one in &message.aspects {
        let key = format!("aspect {} {} {}", kind(one.aspect), one.item, one.sub);
        let text = format!("position {} of {}", one.position, Timestamp(one.since));
        rest.push((key, text));
    }
    let trimmed = |(key, text): (String, String)| (trim(&key), trim(&text));
    rest.into_iter().map(trimmed).collect()
}

fn trim(text: &str) -> String {
    text.trim_end().to_owned()
}

fn kind(code: i32) -> &'static str {
    let kind = u32::try_from(code).ok().and_then(AspectKind::from_code);
    kind.unwrap_or_default().name()
}

fn text_of(value: &Value<'_>) -> Option<String> {
    match value {
        Value::Null => None,
        Value::Bool(value) => Some(value.to_string()),
        Value::Int(value) => Some(value.to_string()),
        Value::Float(value) => Some(value.to_string()),
        Value::Text(text) => Some(text.to_string()),
        Value::Time(time) => Some(time.to_string()),
    }
}
