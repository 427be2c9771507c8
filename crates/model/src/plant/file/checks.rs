//! Checks of a plant file that need all objects: names, numbers, old names, authorities, limits.

use super::objects::Raw;
use super::reader::{Reader, Spot};
use super::{
    AUTHORITIES_MAX, BUFFERS_MAX, FLOWS_MAX, MACHINES_MAX, OBJECTS_MAX, STEPS_MAX, UNITS_MAX,
};
use crate::plant::authority::means;
use std::collections::BTreeMap;

pub(super) fn check(reader: &mut Reader<'_>, raw: &Raw<'_>) {
    check_limits(reader, raw);
    check_names(reader, raw);
    check_numbers(reader, raw);
    check_old_names(reader, raw);
    check_authorities(reader, raw);
}

fn check_limits(reader: &mut Reader<'_>, raw: &Raw<'_>) {
    let beyond = |at: Option<Spot>, what: &'static str, count: usize, max: usize| {
        at.map(|at| (at, what, count, max))
    };
    macro_rules! limit {
        ($list:ident, $max:expr, $what:literal) => {
            beyond(
                raw.$list.get($max).map(|found| found.table.at),
                $what,
                raw.$list.len(),
                $max,
            )
        };
    }
    let all = [
        limit!(units, UNITS_MAX, "units"),
        limit!(machines, MACHINES_MAX, "machines"),
        limit!(buffers, BUFFERS_MAX, "buffers"),
        limit!(flows, FLOWS_MAX, "flows"),
        limit!(stop_groups, OBJECTS_MAX, "stop groups"),
        limit!(products, OBJECTS_MAX, "products"),
        limit!(variants, OBJECTS_MAX, "variants"),
        limit!(steps, STEPS_MAX, "steps"),
        limit!(setups, STEPS_MAX, "set-ups"),
        limit!(carriers, AUTHORITIES_MAX, "carriers"),
        limit!(crews, AUTHORITIES_MAX, "crews"),
        limit!(reworks, OBJECTS_MAX, "rework loops"),
        limit!(feeds, STEPS_MAX, "feeds"),
        limit!(boundaries, OBJECTS_MAX, "boundaries"),
        limit!(count_points, OBJECTS_MAX, "count points"),
        limit!(calendars, AUTHORITIES_MAX, "calendars"),
        limit!(authorities, AUTHORITIES_MAX, "authorities"),
    ];
    for (at, what, count, max) in all.into_iter().flatten() {
        let hint = format!("the limit of one plant is {max}");
        reader.mistake(at, format!("the file declares {count} {what}"), hint);
    }
}

/// All names of units, machines and buffers with what they name and where.
fn all_names<'a>(raw: &'a Raw<'_>) -> impl Iterator<Item = (&'a str, &'static str, Spot)> {
    let units = raw
        .units
        .iter()
        .map(|u| (u.value.id.as_str(), "unit", u.spot("id")));
    let machines = raw.machines.iter();
    let machines = machines.map(|m| (m.value.spec.id.as_str(), "machine", m.spot("id")));
    let buffers = raw.buffers.iter();
    let buffers = buffers.map(|b| (b.value.id.as_str(), "buffer", b.spot("id")));
    units.chain(machines).chain(buffers)
}

fn check_names(reader: &mut Reader<'_>, raw: &Raw<'_>) {
    // In the order of the file, so that the first bearer keeps the name.
    let mut names: Vec<_> = all_names(raw).collect();
    names.sort_by_key(|(_, _, at)| *at);
    let mut first: BTreeMap<&str, (&str, Spot)> = BTreeMap::new();
    for (name, kind, at) in names {
        if let Some((other, earlier)) = first.get(name) {
            let hint = format!(
                "the {other} in {} has it; names are unique among units, machines and buffers",
                reader.line(*earlier)
            );
            reader.mistake(at, format!("the name \"{name}\" is given twice"), hint);
        } else {
            first.insert(name, (kind, at));
        }
    }
}

fn check_numbers(reader: &mut Reader<'_>, raw: &Raw<'_>) {
    let mut first = BTreeMap::new();
    for raw in &raw.machines {
        let Some(number) = raw.value.fixed else {
            continue;
        };
        if let Some(other) = first.get(&number) {
            let what = format!("the number {number} is given twice");
            let hint = format!("the machine \"{other}\" has it");
            reader.mistake(raw.spot("number"), what, hint);
        } else {
            first.insert(number, &raw.value.spec.id);
        }
    }
}

fn check_old_names(reader: &mut Reader<'_>, raw: &Raw<'_>) {
    let present: BTreeMap<&str, &str> =
        all_names(raw).map(|(name, kind, _)| (name, kind)).collect();
    let mut first = BTreeMap::new();
    for raw in &raw.machines {
        for old in &raw.value.formerly {
            let at = raw.spot("formerly");
            if let Some(kind) = present.get(old.as_str()) {
                let what = format!("\"{old}\" cannot be an old name, a {kind} has it");
                reader.mistake(at, what, "an old name is free again once it is not used");
            } else if let Some(other) = first.get(old) {
                let what = format!("\"{old}\" is the old name of two machines");
                reader.mistake(at, what, format!("the other one is \"{other}\""));
            } else {
                first.insert(old, &raw.value.spec.id);
            }
        }
    }
}

fn check_authorities(reader: &mut Reader<'_>, raw: &Raw<'_>) {
    let mut first = BTreeMap::new();
    for authority in &raw.authorities {
        let class = authority.value.machines.as_str();
        let matched = raw.machines.iter().any(|raw| {
            let names = std::iter::once(&raw.value.spec.id).chain(&raw.value.formerly);
            means(class, names.map(|id| id.as_str()))
        });
        // A machine whose own name is a mistake may be the one that is meant.
        if !matched && raw.misspelled.is_empty() {
            let what = format!("\"{class}\" is the name or class of no machine");
            let known = raw.machines.iter().map(|raw| raw.value.spec.id.as_str());
            let otherwise = "declare the machine, or leave the authority out";
            reader.unknown(authority.spot("machines"), what, class, known, otherwise);
        }
        if let Some(earlier) = first.insert(authority.value.key(), authority.spot("machines")) {
            let what = format!("the authority for \"{class}\" and this aspect is declared twice");
            let hint = format!("see {}; join their sources", reader.line(earlier));
            reader.mistake(authority.spot("machines"), what, hint);
        }
    }
}
