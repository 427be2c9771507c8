//! Checks of a plant file that need all objects: names, numbers, old names, authorities, limits.

use super::objects::Raw;
use super::reader::Reader;
use super::{AUTHORITIES_MAX, BUFFERS_MAX, FLOWS_MAX, MACHINES_MAX, UNITS_MAX};
use crate::plant::authority::means;
use std::collections::BTreeMap;

pub(super) fn check(reader: &mut Reader<'_>, raw: &Raw) {
    check_limits(reader, raw);
    check_names(reader, raw);
    check_numbers(reader, raw);
    check_old_names(reader, raw);
    check_authorities(reader, raw);
}

fn check_limits(reader: &mut Reader<'_>, raw: &Raw) {
    let beyond = |at: Option<usize>, what: &'static str, count: usize, max: usize| {
        at.map(|at| (at, what, count, max))
    };
    let all = [
        beyond(
            raw.units.get(UNITS_MAX).map(|raw| raw.at),
            "units",
            raw.units.len(),
            UNITS_MAX,
        ),
        beyond(
            raw.machines.get(MACHINES_MAX).map(|raw| raw.at),
            "machines",
            raw.machines.len(),
            MACHINES_MAX,
        ),
        beyond(
            raw.buffers.get(BUFFERS_MAX).map(|raw| raw.at),
            "buffers",
            raw.buffers.len(),
            BUFFERS_MAX,
        ),
        beyond(
            raw.flows.get(FLOWS_MAX).map(|raw| raw.from_at),
            "flows",
            raw.flows.len(),
            FLOWS_MAX,
        ),
        beyond(
            raw.authorities.get(AUTHORITIES_MAX).map(|raw| raw.at),
            "authorities",
            raw.authorities.len(),
            AUTHORITIES_MAX,
        ),
    ];
    for (at, what, count, max) in all.into_iter().flatten() {
        let hint = format!("the limit of one plant is {max}");
        reader.mistake(at, format!("the file declares {count} {what}"), hint);
    }
}

/// All names of units, machines and buffers with what they name and where.
fn all_names(raw: &Raw) -> impl Iterator<Item = (&str, &'static str, usize)> {
    let units = raw.units.iter().map(|u| (u.unit.id.as_str(), "unit", u.at));
    let machines = raw.machines.iter();
    let machines = machines.map(|m| (m.machine.id.as_str(), "machine", m.at));
    let buffers = raw.buffers.iter();
    let buffers = buffers.map(|b| (b.buffer.id.as_str(), "buffer", b.at));
    units.chain(machines).chain(buffers)
}

fn check_names(reader: &mut Reader<'_>, raw: &Raw) {
    // In the order of the file, so that the first bearer keeps the name.
    let mut names: Vec<_> = all_names(raw).collect();
    names.sort_by_key(|(_, _, at)| *at);
    let mut first: BTreeMap<&str, (&str, usize)> = BTreeMap::new();
    for (name, kind, at) in names {
        if let Some((other, earlier)) = first.get(name) {
            let hint = format!(
                "the {other} in line {} has it; names are unique among units, machines and buffers",
                reader.line(*earlier)
            );
            reader.mistake(at, format!("the name \"{name}\" is given twice"), hint);
        } else {
            first.insert(name, (kind, at));
        }
    }
}

fn check_numbers(reader: &mut Reader<'_>, raw: &Raw) {
    let mut first = BTreeMap::new();
    for raw in &raw.machines {
        let Some(number) = raw.machine.number else {
            continue;
        };
        if let Some(other) = first.get(&number) {
            let what = format!("the number {number} is given twice");
            let hint = format!("the machine \"{other}\" has it");
            reader.mistake(raw.number_at, what, hint);
        } else {
            first.insert(number, &raw.machine.id);
        }
    }
}

fn check_old_names(reader: &mut Reader<'_>, raw: &Raw) {
    let present: BTreeMap<&str, &str> =
        all_names(raw).map(|(name, kind, _)| (name, kind)).collect();
    let mut first = BTreeMap::new();
    for raw in &raw.machines {
        for old in &raw.machine.formerly {
            let at = raw.formerly_at;
            if let Some(kind) = present.get(old.as_str()) {
                let what = format!("\"{old}\" cannot be an old name, a {kind} has it");
                reader.mistake(at, what, "an old name is free again once it is not used");
            } else if let Some(other) = first.get(old) {
                let what = format!("\"{old}\" is the old name of two machines");
                reader.mistake(at, what, format!("the other one is \"{other}\""));
            } else {
                first.insert(old, &raw.machine.id);
            }
        }
    }
}

fn check_authorities(reader: &mut Reader<'_>, raw: &Raw) {
    let mut first = BTreeMap::new();
    for authority in &raw.authorities {
        let class = authority.value.machines.as_str();
        let matched = raw.machines.iter().any(|raw| {
            let names = std::iter::once(&raw.machine.id).chain(&raw.machine.formerly);
            means(class, names.map(|id| id.as_str()))
        });
        // A machine whose own name is a mistake may be the one that is meant.
        if !matched && raw.misspelled.is_empty() {
            let what = format!("\"{class}\" is the name or class of no machine");
            let known = raw.machines.iter().map(|raw| raw.machine.id.as_str());
            let otherwise = "declare the machine, or leave the authority out";
            reader.unknown(authority.at, what, class, known, otherwise);
        }
        if let Some(earlier) = first.insert(authority.value.key(), authority.at) {
            let what = format!("the authority for \"{class}\" and this aspect is declared twice");
            let hint = format!("see line {}; join their sources", reader.line(earlier));
            reader.mistake(authority.at, what, hint);
        }
    }
}
