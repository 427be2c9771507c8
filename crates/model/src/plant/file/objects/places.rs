//! Reads units, machines, buffers, flows, stop groups and authorities.

use super::values::{LIST_MAX, Values};
use super::{DeclaredMachine, Readable};
use crate::event::{AspectKind, Vocabulary};
use crate::id::{ElementId, MachineNumber};
use crate::plant::description::MACHINE_NUMBER_MAX;
use crate::plant::spec::*;
use crate::plant::words;

/// How many parts, people or things an object may speak of.
pub(super) const COUNT_MAX: u32 = 1_000_000;

impl Readable for Unit {
    fn read(values: &mut Values<'_, '_, '_>) -> Option<Self> {
        values.only(Self::KEYS);
        let id = values.id("\"body\"");
        let mut level = Level::Unspecified;
        if let Some(word) = values.reader.required(&values.table, "level", "\"area\"") {
            match words::level(word.value) {
                Some(found) => level = found,
                None => values.unknown_word(word, "level", &words::level_words()),
            }
        }
        let rest = Self {
            name: values.short("name"),
            parent: values.reference("parent"),
            calendar: values.reference("calendar"),
            constraint: values.reference("constraint"),
            takt_ms: values.pace("takt"),
            ..Self::new(ElementId::least(), level)
        };
        Some(Self { id: id?, ..rest })
    }
}

impl Readable for DeclaredMachine {
    fn read(values: &mut Values<'_, '_, '_>) -> Option<Self> {
        values.only(Machine::KEYS);
        let id = values.id("\"press-3\"");
        let spec = machine(values);
        let fixed = number(values);
        let mut formerly = values.references("formerly");
        formerly.sort_unstable();
        formerly.dedup();
        Some(Self {
            spec: Machine { id: id?, ..spec },
            fixed,
            formerly,
            place: crate::plant::Place::default(),
        })
    }
}

fn machine(values: &mut Values<'_, '_, '_>) -> Machine {
    let (role, node) = (values.word("role"), values.reference("node"));
    let role = match role {
        // What works in a node is a resource, whether it says so or not.
        FlowRole::Unspecified if node.is_some() => FlowRole::Resource,
        role => role,
    };
    Machine {
        parent: values.reference("in"),
        machine_type: values.short("type"),
        name: values.short("name"),
        vocabulary: vocabulary(values),
        role,
        node,
        stop_effect: values.word("stop_effect"),
        slots: values.count("slots", 1, COUNT_MAX),
        parts_per_cycle: values.count("parts_per_cycle", 1, COUNT_MAX),
        transfer: values.word("transfer"),
        cycle_ms: values.duration("cycle"),
        cycle_min_ms: values.duration("cycle_min"),
        stop_groups: values.references("stop_groups"),
        operators: values
            .reader
            .number(&values.table, "operators", COUNT_MAX)
            .map_or(0, |found| found.value),
        skill: values.short("skill"),
        calendar: values.reference("calendar"),
        micro_stop_ms: values.duration("micro_stop"),
        flicker_ms: values.duration("flicker"),
        ..Machine::new(ElementId::least(), MachineNumber(0))
    }
}

fn vocabulary(values: &mut Values<'_, '_, '_>) -> Vocabulary {
    let Some(word) = values.reader.text(&values.table, "vocabulary") else {
        return Vocabulary::Unspecified;
    };
    words::vocabulary(word.value).unwrap_or_else(|| {
        values.unknown_word(word, "vocabulary", &words::vocabulary_words());
        Vocabulary::Unspecified
    })
}

fn number(values: &mut Values<'_, '_, '_>) -> Option<MachineNumber> {
    let found = values
        .reader
        .number(&values.table, "number", MACHINE_NUMBER_MAX)?;
    if found.value == 0 {
        let hint = "numbers begin with 1; leave it out and the plant gives the next one";
        values
            .reader
            .mistake(found.at, "number 0 is no machine", hint);
        return None;
    }
    Some(MachineNumber(found.value))
}

impl Readable for Buffer {
    fn read(values: &mut Values<'_, '_, '_>) -> Option<Self> {
        values.only(Self::KEYS);
        let id = values.id("\"buffer-1\"");
        values.reader.must_have(&values.table, "capacity", "10");
        let capacity = values.reader.number(&values.table, "capacity", u32::MAX);
        if let Some(zero) = capacity.filter(|capacity| capacity.value == 0) {
            let hint = "a buffer holds 1 part or more; without one, let the flow go past it";
            values.reader.mistake(zero.at, "capacity is 0", hint);
        }
        let rest = Self {
            name: values.short("name"),
            parent: values.reference("in"),
            buffer_kind: values.word("kind"),
            lanes: values.count("lanes", 1, 10_000),
            transit_ms: values.duration("transit"),
            ..Self::new(ElementId::least(), capacity.map_or(1, |found| found.value))
        };
        Some(Self { id: id?, ..rest })
    }
}

impl Readable for Flow {
    fn read(values: &mut Values<'_, '_, '_>) -> Option<Self> {
        values.only(Self::KEYS);
        let from = values.must_refer("from", "\"press-3\"");
        let to = values.must_refer("to", "\"buffer-1\"");
        let rest = Self {
            flow_kind: values.word("kind"),
            transit_ms: values.duration("transit"),
            share: values.share("share"),
            priority: values
                .reader
                .number(&values.table, "priority", COUNT_MAX)
                .map(|found| found.value),
            variants: values.references("variants"),
            ..Self::new(ElementId::least(), ElementId::least())
        };
        Some(Self {
            from: from?,
            to: to?,
            ..rest
        })
    }
}

impl Readable for StopGroup {
    fn read(values: &mut Values<'_, '_, '_>) -> Option<Self> {
        values.only(Self::KEYS);
        let id = values.id("\"zone-3\"");
        let (name, stop_kind) = (values.short("name"), values.word("kind"));
        Some(Self {
            id: id?,
            name,
            stop_kind,
        })
    }
}

impl Readable for Authority {
    fn read(values: &mut Values<'_, '_, '_>) -> Option<Self> {
        values.only(Self::KEYS);
        let machines = values.class("machines", "\"press-*\"");
        let mut aspect = AspectKind::Unspecified;
        let example = "\"state\", or \"*\" for all";
        if let Some(word) = values.reader.required(&values.table, "aspect", example) {
            match words::aspect(word.value) {
                Some(found) => aspect = found,
                None => values.unknown_word(word, "aspect", &words::aspect_words()),
            }
        }
        values
            .reader
            .must_have(&values.table, "sources", "[\"gateway-7\"]");
        let listed = values.reader.texts(&values.table, "sources", false);
        let is_wrong = |count: usize| count == 0 || count > LIST_MAX;
        if let Some(sources) = listed.as_ref().filter(|sources| is_wrong(sources.len())) {
            let what = format!("sources has {} entries", sources.len());
            let hint =
                format!("name 1 to {LIST_MAX} sources: the first has the say, the others follow");
            values.reader.mistake(values.spot("sources"), what, hint);
        }
        let mut sources = listed.unwrap_or_default();
        sources.retain(|class| values.is_source_class(*class));
        Some(Self {
            machines: machines?,
            aspect,
            sources: sources
                .iter()
                .map(|source| source.value.to_owned())
                .collect(),
        })
    }
}
