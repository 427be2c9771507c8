//! Whether a machine is planned to work at a time: calendars, with the changes laid over them.

use crate::Twin;
use crate::view::ValueView;
use std::collections::{BTreeMap, BTreeSet};
use werkbuch_model::event::{AspectKind, Body};
use werkbuch_model::id::{ElementId, MachineNumber};
use werkbuch_model::plant::{Machine, Planned as Stretch};
use werkbuch_model::time::Timestamp;

const DAY_NS: i64 = 86_400_000_000_000;

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
    alone: Alone,
}

/// Which machines may have another plan than others with their calendar and place.
#[derive(Clone, Debug, Default)]
pub(super) struct Alone {
    /// Some machines have breaks of their own.
    staggered: bool,
    /// Changes of the plan are about these machines themselves.
    named: BTreeSet<MachineNumber>,
}

impl Alone {
    pub(super) fn is(&self, machine: &Machine) -> bool {
        self.staggered || self.named.contains(&machine.number)
    }
}

/// What the plan says of a machine at a time.
#[derive(Clone, Debug)]
pub(super) struct Planned {
    /// Why it is not planned to work; absent when it is, and when no calendar says.
    pub(super) off: Option<String>,
    /// Until when that holds at least, if no calendar is changed.
    pub(super) until: Timestamp,
}

impl<'t> Shifts<'t> {
    /// What is planned at the time of the twin: the one it is bounded by, else that of its last
    /// record.
    pub(super) fn of(twin: &'t Twin) -> Self {
        let mut changes = twin.plant_values(AspectKind::Calendar);
        changes.sort_by_key(|one| (one.since, one.source, one.epoch, one.position));
        let calendars = twin.description().calendars();
        let mut breaks = calendars.flat_map(|calendar| &calendar.breaks);
        let named = |change: &ValueView<'_>| {
            let machine = twin.description().machine_named(change.item)?;
            Some(machine.number)
        };
        let alone = Alone {
            staggered: breaks.any(|one| !one.machines.is_empty()),
            named: changes.iter().filter_map(named).collect(),
        };
        Self {
            twin,
            at: twin
                .scope()
                .at
                .or(twin.last_recorded_at())
                .unwrap_or_default(),
            changes,
            found: BTreeMap::new(),
            alone,
        }
    }

    /// Why a machine is not planned to work; absent when it is, and when no calendar says.
    pub(super) fn off(&mut self, machine: &'t Machine) -> Option<String> {
        if self.alone.is(machine) {
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

    /// The machines that may have another plan than others in the same place.
    pub(super) fn alone(&self) -> &Alone {
        &self.alone
    }

    /// What is planned for a machine, and until when that holds.
    pub(super) fn planned(&self, machine: &Machine) -> Planned {
        let next = self.at.plus(DAY_NS);
        let until = self.stretches(machine, next).map(|stretches| {
            let bounds = stretches.iter().flat_map(|one| [one.from, one.to]);
            let bound = bounds.filter(|bound| *bound > self.at).min();
            bound.map_or(next, |bound| bound.min(next))
        });
        Planned {
            off: self.find(machine),
            until: until.unwrap_or(Timestamp::MAX),
        }
    }

    /// The oldest of the changes that are laid over the calendars.
    pub(super) fn oldest_change(&self) -> Option<Timestamp> {
        self.changes.iter().map(|change| change.since).min()
    }

    /// The stretches of a machine from now on; nothing when no calendar says anything.
    fn stretches(&self, machine: &Machine, to: Timestamp) -> Option<Vec<Stretch>> {
        let description = self.twin.description();
        let timetable = description.timetable(Some(machine.id.as_str())).ok()?;
        if !timetable.has_shifts() && self.changes.is_empty() {
            return None;
        }
        let mut planned = timetable.planned(self.at, to).ok()?;
        for change in &self.changes {
            let Body::CalendarChanged(said) = &change.body else {
                continue;
            };
            if description.is_changed(Some(machine.id.as_str()), said) {
                planned = timetable.changed(planned, said);
            }
        }
        Some(planned)
    }

    fn find(&self, machine: &Machine) -> Option<String> {
        let planned = self.stretches(machine, self.at.plus(1))?;
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
