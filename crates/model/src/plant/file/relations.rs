//! Checks of what lies in what and what flows where.

use super::objects::{Found, Raw};
use super::reader::{Reader, Spot};
use crate::id::ElementId;
use crate::plant::spec::{Level, Unit};
use crate::plant::words::level_word;
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn check(reader: &mut Reader<'_>, raw: &Raw<'_>) {
    let elements = Elements::new(raw);
    elements.check_parents(reader, raw);
    elements.check_circles(reader);
    elements.check_flows(reader, raw);
}

/// All elements by name.
struct Elements<'a> {
    units: BTreeMap<&'a str, &'a Found<'a, Unit>>,
    machines: BTreeSet<&'a str>,
    buffers: BTreeSet<&'a str>,
    misspelled: &'a BTreeSet<String>,
}

impl<'a> Elements<'a> {
    fn new(raw: &'a Raw<'a>) -> Self {
        let machines = raw.machines.iter();
        let buffers = raw.buffers.iter();
        let units = raw.units.iter();
        Self {
            units: units.map(|raw| (raw.value.id.as_str(), raw)).collect(),
            machines: machines.map(|raw| raw.value.spec.id.as_str()).collect(),
            buffers: buffers.map(|raw| raw.value.id.as_str()).collect(),
            misspelled: &raw.misspelled,
        }
    }

    fn check_parents(&self, reader: &mut Reader<'_>, raw: &Raw<'_>) {
        for raw in &raw.units {
            self.check_parent(reader, raw.value.parent.as_ref(), raw.spot("parent"));
            self.check_level(reader, raw);
        }
        for raw in &raw.machines {
            self.check_parent(reader, raw.value.spec.parent.as_ref(), raw.spot("in"));
        }
        for raw in &raw.buffers {
            self.check_parent(reader, raw.value.parent.as_ref(), raw.spot("in"));
        }
    }

    fn check_parent(&self, reader: &mut Reader<'_>, parent: Option<&ElementId>, at: Spot) {
        let Some(parent) = parent.map(ElementId::as_str) else {
            return;
        };
        if self.units.contains_key(parent) || self.misspelled.contains(parent) {
            return;
        }
        for (kind, names) in [("machine", &self.machines), ("buffer", &self.buffers)] {
            if names.contains(parent) {
                let what = format!("\"{parent}\" is a {kind}, nothing lies in a {kind}");
                reader.mistake(at, what, "name a unit");
                return;
            }
        }
        let what = format!("there is no unit \"{parent}\"");
        let known = self.units.keys().copied();
        reader.unknown(at, what, parent, known, "declare it with [[unit]]");
    }

    fn check_level(&self, reader: &mut Reader<'_>, raw: &Found<'_, Unit>) {
        let parent = raw.value.parent.as_ref();
        let Some(parent) = parent.and_then(|parent| self.units.get(parent.as_str())) else {
            return;
        };
        let (level, above) = (raw.value.level, parent.value.level);
        let (Some(own), Some(other)) = (rank(level), rank(above)) else {
            return;
        };
        if own < other {
            let what = format!(
                "the {} \"{}\" cannot lie in the {} \"{}\"",
                level_word(level),
                raw.value.id,
                level_word(above),
                parent.value.id
            );
            let hint = "from the top: enterprise, site, area, line, cell, equipment_module, \
                        control_module; other fits everywhere";
            reader.mistake(raw.spot("level"), what, hint);
        }
    }

    /// Walks up from every unit once; a walk that meets itself has found a circle.
    fn check_circles(&self, reader: &mut Reader<'_>) {
        let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
        for (walk, start) in self.units.keys().enumerate() {
            let mut path: Vec<&str> = Vec::new();
            let mut next = self.units.get(*start);
            while let Some(raw) = next {
                let id = raw.value.id.as_str();
                match seen.get(id) {
                    Some(other) if *other == walk => {
                        self.report_circle(reader, &path, id);
                        break;
                    }
                    Some(_) => break,
                    None => {}
                }
                seen.insert(id, walk);
                path.push(id);
                let parent = raw.value.parent.as_ref();
                next = parent.and_then(|parent| self.units.get(parent.as_str()));
            }
        }
    }

    fn report_circle(&self, reader: &mut Reader<'_>, path: &[&str], first: &str) {
        let begin = path.iter().position(|id| *id == first).unwrap_or(0);
        let circle = path.get(begin..).unwrap_or_default();
        // A long circle is known by its first members.
        let mut shown: Vec<&str> = circle.iter().copied().take(8).collect();
        if circle.len() > shown.len() {
            shown.push("...");
        }
        shown.push(first);
        let at = circle.iter().filter_map(|id| self.units.get(id));
        let at = at.map(|raw| raw.spot("parent")).min().unwrap_or_default();
        let what = format!("units lie in a circle: {}", shown.join(" in "));
        reader.mistake(at, what, "take one of the parents away");
    }

    fn check_flows(&self, reader: &mut Reader<'_>, raw: &Raw<'_>) {
        for raw in &raw.flows {
            let flow = &raw.value;
            self.check_end(reader, flow.from.as_str(), raw.spot("from"));
            self.check_end(reader, flow.to.as_str(), raw.spot("to"));
            if flow.from == flow.to {
                let what = format!("the flow goes from \"{}\" to itself", flow.from);
                reader.mistake(raw.spot("to"), what, "a flow has two ends");
            }
        }
    }

    fn check_end(&self, reader: &mut Reader<'_>, end: &str, at: Spot) {
        let known = self.machines.contains(end) || self.buffers.contains(end);
        if known || self.misspelled.contains(end) {
            return;
        }
        if self.units.contains_key(end) {
            let what = format!("\"{end}\" is a unit, parts flow between machines and buffers");
            reader.mistake(at, what, "name a machine or a buffer in it");
            return;
        }
        let what = format!("there is no machine or buffer \"{end}\"");
        let known = self.machines.iter().chain(&self.buffers).copied();
        let otherwise = "declare it with [[machine]] or [[buffer]]";
        reader.unknown(at, what, end, known, otherwise);
    }
}

/// The height of a level in ISA-95, from the top; levels of the different kinds of production
/// stand side by side. None where the standard gives no height.
fn rank(level: Level) -> Option<u8> {
    Some(match level {
        Level::Unspecified | Level::Other => return None,
        Level::Enterprise => 1,
        Level::Site => 2,
        Level::Area => 3,
        Level::ProcessCell
        | Level::ProductionUnit
        | Level::ProductionLine
        | Level::StorageZone
        | Level::WorkCenter => 4,
        Level::Unit | Level::WorkCell | Level::StorageUnit | Level::WorkUnit => 5,
        Level::EquipmentModule => 6,
        Level::ControlModule => 7,
    })
}
