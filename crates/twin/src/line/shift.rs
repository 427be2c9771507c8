//! Whether a machine is planned to work at a time: calendars, with the changes laid over them.

use crate::Twin;
use crate::view::ValueView;
use std::collections::BTreeMap;
use werkbuch_model::event::{AspectKind, Body};
use werkbuch_model::id::ElementId;
use werkbuch_model::plant::Machine;
use werkbuch_model::time::Timestamp;

/// Machines with the same calendar and place have the same plan, unless a break or a change is of some
/// of them alone.
type Place<'t> = (Option<&'t ElementId>, Option<&'t ElementId>);

/// What is planned at one time.
pub(super) struct Shifts<'t> {
    twin: &'t Twin,
    at: Timestamp,
    /// In their order in plant time.
    changes: Vec<ValueView<'t>>,
    found: BTreeMap<Place<'t>, Option<String>>,
    /// Whether some machines have breaks of their own.
    staggered: bool,
}

impl<'t> Shifts<'t> {
    /// What is planned at the time of the twin: the one it is bounded by, else that of its last
    /// record.
    pub(super) fn of(twin: &'t Twin) -> Self {
        let mut changes = twin.plant_values(AspectKind::Calendar);
        changes.sort_by_key(|one| (one.since, one.source, one.epoch, one.position));
        let calendars = twin.description().calendars();
        let mut breaks = calendars.flat_map(|calendar| &calendar.breaks);
        Self {
            twin,
            at: twin
                .scope()
                .at
                .or(twin.last_recorded_at())
                .unwrap_or_default(),
            changes,
            found: BTreeMap::new(),
            staggered: breaks.any(|one| !one.machines.is_empty()),
        }
    }

    /// Why a machine is not planned to work; absent when it is, and when no calendar says.
    pub(super) fn off(&mut self, machine: &'t Machine) -> Option<String> {
        let description = self.twin.description();
        let named = |change: &ValueView<'_>| {
            let meant = description.machine_named(change.item);
            meant.is_some_and(|meant| meant.number == machine.number)
        };
        if self.staggered || self.changes.iter().any(named) {
            return self.find(machine);
        }
        let place = (machine.calendar.as_ref(), machine.parent.as_ref());
        if let Some(found) = self.found.get(&place) {
            return found.clone();
        }
        let found = self.find(machine);
        self.found.insert(place, found.clone());
        found
    }

    fn find(&self, machine: &Machine) -> Option<String> {
        let description = self.twin.description();
        let timetable = description.timetable(Some(machine.id.as_str())).ok()?;
        if !timetable.has_shifts() && self.changes.is_empty() {
            return None;
        }
        let mut planned = timetable.planned(self.at, self.at.plus(1)).ok()?;
        for change in &self.changes {
            let Body::CalendarChanged(said) = &change.body else {
                continue;
            };
            if description.is_changed(Some(machine.id.as_str()), said) {
                planned = timetable.changed(planned, said);
            }
        }
        let mut now = planned
            .iter()
            .filter(|one| one.from <= self.at && self.at < one.to);
        match now.next() {
            Some(one) if one.is_worked() => None,
            Some(one) => {
                let kind = one.kind.name().to_ascii_lowercase();
                Some(
                    format!("it is not planned to work: {kind} {}", one.name)
                        .trim_end()
                        .to_owned(),
                )
            }
            None => Some("it is not planned to work: no shift".to_owned()),
        }
    }
}
