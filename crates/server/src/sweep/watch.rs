//! Watches of which machines a condition holds, and since when.

use super::Moved;
use crate::view::twin as view;
use std::collections::BTreeMap;
use werkbuch_model::event::State;
use werkbuch_model::filter::Filter;
use werkbuch_model::id::{MachineNumber, Position};
use werkbuch_model::time::Timestamp;
use werkbuch_twin::course::{Course, Held, Spell};

/// A condition and the machines of which it holds.
#[derive(Clone, Debug)]
pub(crate) struct Watch {
    filter: Filter,
    held: BTreeMap<MachineNumber, Held<Why>>,
    /// What was seen at this moment, which is not over: whether the condition holds now, and the event
    /// since which it does.
    seen: BTreeMap<MachineNumber, (bool, Position)>,
}

/// How a machine was when a condition began to hold of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Why {
    /// The state as shown.
    pub(crate) state: State,
    /// The source's reason code.
    pub(crate) reason: Box<str>,
    /// The event that made it hold; 0 for none, or when that is not known.
    pub(crate) position: Position,
    /// Whether it held before as well.
    pub(crate) open: bool,
}

/// A machine and a time at which the condition held of it.
pub(crate) type Found = (MachineNumber, Spell<Why>);

impl Watch {
    pub(crate) fn new(filter: Filter) -> Self {
        Self {
            filter,
            held: BTreeMap::new(),
            seen: BTreeMap::new(),
        }
    }

    /// Looks at all machines right before a window: where the condition holds, it did before.
    pub(crate) fn begin(&mut self, course: &Course, before: Timestamp) {
        self.look(course, Moved::All, Position(0));
        self.settle(course, before);
        let all = std::mem::take(&mut self.held);
        self.held = all
            .into_iter()
            .map(|(machine, mut held)| {
                let why = held.since().map(|(_, why)| Why {
                    open: true,
                    ..why.clone()
                });
                if let Some(why) = why {
                    held.began(before, why);
                }
                (machine, held)
            })
            .collect();
    }

    /// Looks at machines that may be others now.
    pub(crate) fn look(&mut self, course: &Course, moved: Moved<'_>, position: Position) {
        match moved {
            Moved::These(machines) => {
                for machine in machines {
                    self.look_at(course, *machine, position);
                }
            }
            Moved::All => {
                // Also those that the description no longer has.
                let held: Vec<_> = self.held.keys().chain(self.seen.keys()).copied().collect();
                for machine in held {
                    self.look_at(course, machine, position);
                }
                for machine in course.twin().description().machines() {
                    self.look_at(course, machine.number, position);
                }
            }
        }
    }

    fn look_at(&mut self, course: &Course, machine: MachineNumber, position: Position) {
        let row = view::row(course.twin(), machine).map(|row| match course.waits() {
            Some(waits) => row.knowing(waits),
            None => row,
        });
        let holds = row.is_some_and(|row| self.filter.matches(&row));
        let held = self.held.contains_key(&machine);
        match self.seen.get_mut(&machine) {
            Some(seen) if seen.0 == holds => {}
            Some(seen) => *seen = (holds, position),
            None if held == holds => {}
            None => {
                self.seen.insert(machine, (holds, position));
            }
        }
    }

    /// The moment is over. Answers the times that ended with it.
    pub(crate) fn settle(&mut self, course: &Course, at: Timestamp) -> Vec<Found> {
        let mut ended = Vec::new();
        while let Some((machine, (holds, position))) = self.seen.pop_first() {
            let held = self.held.entry(machine).or_default();
            let spell = held.look(at, holds, || why(course, machine, position));
            ended.extend(spell.map(|spell| (machine, spell)));
            if held.since().is_none() {
                self.held.remove(&machine);
            }
        }
        ended
    }

    /// The machines of which it holds, since when and why.
    pub(crate) fn held(&self) -> impl Iterator<Item = (MachineNumber, Timestamp, &Why)> {
        let held = self.held.iter();
        held.filter_map(|(machine, held)| {
            let (since, why) = held.since()?;
            Some((*machine, since, why))
        })
    }

    /// Since when it holds of a machine, and why.
    pub(crate) fn since(&self, machine: MachineNumber) -> Option<(Timestamp, &Why)> {
        self.held.get(&machine)?.since()
    }

    /// Notes when it truly began to hold of a machine.
    pub(crate) fn began(&mut self, machine: MachineNumber, at: Timestamp, why: Why) {
        if let Some(held) = self.held.get_mut(&machine) {
            held.began(at, why);
        }
    }
}

pub(super) fn why(course: &Course, machine: MachineNumber, position: Position) -> Why {
    let found = course.twin().machine(machine);
    let state = found.map(|machine| machine.state());
    Why {
        state: state
            .as_ref()
            .map_or(State::Unspecified, |state| state.shown),
        reason: state.as_ref().map_or("", |state| state.reason).into(),
        position,
        open: false,
    }
}
