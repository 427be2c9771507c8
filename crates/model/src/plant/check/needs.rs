//! What questions need, looked up once for all of them.

use super::Missing;
use crate::event::PartMeaning;
use crate::id::ElementId;
use crate::plant::description::Description;
use crate::plant::spec::*;
use std::collections::{BTreeMap, BTreeSet};

/// The plant as questions look at it.
pub(super) struct Needs<'d> {
    pub(super) description: &'d Description,
    /// The machines that parts pass; without any flow, all that could be.
    pub(super) nodes: Vec<&'d Machine>,
    /// The lines: units of that level, and others that are counted or constrained like one.
    pub(super) lines: Vec<&'d Unit>,
    /// Machines that a step is done at.
    worked_at: BTreeSet<&'d ElementId>,
    has_flows: bool,
    sources: BTreeSet<&'d ElementId>,
    sinks: BTreeSet<&'d ElementId>,
    /// What each line counts.
    counted: BTreeMap<&'d ElementId, BTreeSet<PartMeaning>>,
    /// Machines and units with the calendar that they have, found once for each unit.
    planned_units: BTreeMap<Option<&'d ElementId>, bool>,
}

impl<'d> Needs<'d> {
    pub(super) fn new(description: &'d Description) -> Self {
        let has_flows = description.flows().next().is_some();
        // A step, a boundary or a count point at a machine says as much as a flow.
        let mut named: BTreeSet<&ElementId> =
            description.steps().flat_map(|step| &step.at).collect();
        named.extend(description.boundaries().map(|boundary| &boundary.at));
        named.extend(description.count_points().map(|point| &point.at));
        let is_node = |machine: &&Machine| match machine.role {
            FlowRole::Node => true,
            FlowRole::Resource | FlowRole::None => false,
            FlowRole::Unspecified => {
                !has_flows || touched(description, &machine.id) || named.contains(&machine.id)
            }
        };
        let mut counted: BTreeMap<&ElementId, BTreeSet<PartMeaning>> = BTreeMap::new();
        for point in description.count_points() {
            counted
                .entry(&point.unit)
                .or_default()
                .insert(point.meaning);
        }
        let is_line = |unit: &&Unit| {
            unit.level == Level::ProductionLine
                || unit.constraint.is_some()
                || counted.contains_key(&unit.id)
        };
        let boundary = |kind: BoundaryKind| {
            let all = description.boundaries();
            all.filter(move |one| one.boundary_kind == kind)
                .map(|one| &one.at)
                .collect()
        };
        let mut planned_units = BTreeMap::from([(None, has_shifts(description, None))]);
        for unit in description.units() {
            let planned = has_shifts(description, Some(unit.id.as_str()));
            planned_units.insert(Some(&unit.id), planned);
        }
        Self {
            description,
            nodes: description.machines().filter(is_node).collect(),
            lines: description.units().filter(is_line).collect(),
            worked_at: description.steps().flat_map(|step| &step.at).collect(),
            sources: boundary(BoundaryKind::Source),
            sinks: boundary(BoundaryKind::Sink),
            has_flows,
            counted,
            planned_units,
        }
    }

    /// What is missing of some things: `None` when nothing is, and when there are none of them.
    pub(super) fn lacking<'x, T>(
        what: &'static str,
        of: &'static str,
        all: impl IntoIterator<Item = &'x T>,
        name: fn(&T) -> &str,
        has: impl Fn(&T) -> bool,
    ) -> Option<Missing>
    where
        T: 'x,
    {
        let mut total = 0;
        let mut names = Vec::new();
        for one in all {
            total += 1;
            if !has(one) {
                names.push(name(one).to_owned());
            }
        }
        (!names.is_empty()).then_some(Missing {
            what,
            of,
            names,
            total,
            is_needed: true,
        })
    }

    /// The nodes that lack something.
    pub(super) fn of_nodes(
        &self,
        what: &'static str,
        has: impl Fn(&Machine) -> bool,
    ) -> Option<Missing> {
        let nodes = self.nodes.iter().copied();
        Self::lacking(
            what,
            "machines that parts pass",
            nodes,
            |one| one.id.as_str(),
            has,
        )
    }

    /// The lines that lack something.
    pub(super) fn of_lines(
        &self,
        what: &'static str,
        has: impl Fn(&Unit) -> bool,
    ) -> Option<Missing> {
        Self::lacking(
            what,
            "lines",
            self.lines.iter().copied(),
            |one| one.id.as_str(),
            has,
        )
    }

    /// What the plant as a whole lacks.
    pub(super) fn none(what: &'static str, there: bool) -> Option<Missing> {
        (!there).then_some(Missing {
            what,
            of: "",
            names: Vec::new(),
            total: 0,
            is_needed: true,
        })
    }

    pub(super) fn has_cycle(&self, machine: &Machine) -> bool {
        machine.cycle_ms.is_some()
            || machine.cycle_min_ms.is_some()
            || self.worked_at.contains(&machine.id)
    }

    pub(super) fn has_planned_cycle(&self, machine: &Machine) -> bool {
        machine.cycle_ms.is_some() || self.worked_at.contains(&machine.id)
    }

    pub(super) fn is_planned_machine(&self, machine: &Machine) -> bool {
        match &machine.calendar {
            Some(_) => has_shifts(self.description, Some(machine.id.as_str())),
            None => self.is_planned(machine.parent.as_ref()),
        }
    }

    /// Whether a unit, or with none the plant, has shifts.
    pub(super) fn is_planned(&self, unit: Option<&ElementId>) -> bool {
        let found = self
            .planned_units
            .get(&unit)
            .or_else(|| self.planned_units.get(&None));
        found.copied().unwrap_or(false)
    }

    /// Whether parts come to it by a flow or a source; without any flow, by a routing.
    pub(super) fn is_fed(&self, machine: &Machine) -> bool {
        if !self.has_flows && self.worked_at.contains(&machine.id) {
            return true;
        }
        self.sources.contains(&machine.id) || self.description.flows_to(&machine.id).any(is_parts)
    }

    /// Whether parts leave it by a flow or a sink; without any flow, by a routing.
    pub(super) fn is_emptied(&self, machine: &Machine) -> bool {
        if !self.has_flows && self.worked_at.contains(&machine.id) {
            return true;
        }
        self.sinks.contains(&machine.id) || self.description.flows_from(&machine.id).any(is_parts)
    }

    /// Whether parts come to a buffer and go from it.
    pub(super) fn is_passed(&self, buffer: &Buffer) -> bool {
        let into = self.description.flows_to(&buffer.id).next().is_some();
        let out = self.description.flows_from(&buffer.id).next().is_some();
        (into || self.sources.contains(&buffer.id)) && (out || self.sinks.contains(&buffer.id))
    }

    pub(super) fn counts(&self, line: &Unit, meanings: &[PartMeaning]) -> bool {
        let counted = self.counted.get(&line.id);
        counted.is_some_and(|counted| meanings.iter().any(|meaning| counted.contains(meaning)))
    }

    pub(super) fn has_source(&self) -> bool {
        !self.sources.is_empty()
    }

    pub(super) fn has_sink(&self) -> bool {
        !self.sinks.is_empty()
    }
}

fn is_parts(flow: &Flow) -> bool {
    flow.flow_kind != FlowKind::Empties
}

fn touched(description: &Description, id: &ElementId) -> bool {
    description.flows_from(id).next().is_some() || description.flows_to(id).next().is_some()
}

/// Whether a calendar with shifts holds for it.
fn has_shifts(description: &Description, name: Option<&str>) -> bool {
    description
        .timetable(name)
        .is_ok_and(|table| table.has_shifts())
}
