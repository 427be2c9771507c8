//! Follows rules over a sweep: what they raise and clear, of which machines, in the order of time.

use super::watch::{Why, why};
use super::{Moved, Needs};
use crate::view::twin as view;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use werkbuch_model::id::{MachineNumber, Position};
use werkbuch_model::rule::Rule;
use werkbuch_model::time::Timestamp;
use werkbuch_twin::course::{Course, Latch, Terms, Turn};

/// Rules, and of which machines they are raised or on their way to be.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    rules: Arc<Vec<Rule>>,
    /// By the number of the rule in the list.
    latches: BTreeMap<(usize, MachineNumber), Latch<Why>>,
    /// When each of them turns, if all stays as it is.
    due: BTreeSet<(Timestamp, usize, MachineNumber)>,
    /// What was seen at this moment, which is not over: whether what raises and what clears holds, and the
    /// event since which it does.
    seen: BTreeMap<(usize, MachineNumber), ((bool, bool), Position)>,
}

/// A rule that is raised or cleared of a machine.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RuleTurn {
    pub(crate) rule: usize,
    pub(crate) machine: MachineNumber,
    pub(crate) turn: Turn<Why>,
}

impl Rules {
    pub(crate) fn new(rules: Arc<Vec<Rule>>) -> Self {
        Self {
            rules,
            latches: BTreeMap::new(),
            due: BTreeSet::new(),
            seen: BTreeMap::new(),
        }
    }

    /// What conditions of rules depend on.
    pub(crate) fn needs(rules: &[Rule]) -> Needs {
        let filters = rules
            .iter()
            .flat_map(|rule| [Some(&rule.raise), rule.clear.as_ref()]);
        Needs::of(filters.flatten())
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
                let known = self.latches.keys().chain(self.seen.keys());
                let mut machines: BTreeSet<_> = known.map(|(_, machine)| *machine).collect();
                machines.extend(course.twin().description().machines().map(|one| one.number));
                for machine in machines {
                    self.look_at(course, machine, position);
                }
            }
        }
    }

    fn look_at(&mut self, course: &Course, machine: MachineNumber, position: Position) {
        let row = view::row(course.twin(), machine).map(|row| match course.waits() {
            Some(waits) => row.knowing(waits),
            None => row,
        });
        for (number, rule) in self.rules.iter().enumerate() {
            let raises = row.as_ref().is_some_and(|row| rule.raise.matches(row));
            let clears = match (&rule.clear, &row) {
                (Some(clear), Some(row)) => clear.matches(row),
                // Nothing of a machine that is gone keeps a rule raised.
                _ => !raises,
            };
            let key = (number, machine);
            let held = self.latches.contains_key(&key);
            match self.seen.get_mut(&key) {
                Some(seen) if seen.0 == (raises, clears) => {}
                Some(seen) => *seen = ((raises, clears), position),
                None if !held && !raises => {}
                None => {
                    self.seen.insert(key, ((raises, clears), position));
                }
            }
        }
    }

    /// The moment is over. Answers what is raised and cleared up to it, in the order of time.
    pub(crate) fn settle(&mut self, course: &Course, at: Timestamp) -> Vec<RuleTurn> {
        let mut turns = self.pass(at);
        while let Some((key, (holds, position))) = self.seen.pop_first() {
            let (rule, machine) = key;
            let terms = self.terms(rule);
            let latch = self.latches.entry(key).or_default();
            if let Some(due) = latch.due(terms) {
                self.due.remove(&(due, rule, machine));
            }
            let found = latch.look(terms, at, holds, || why(course, machine, position));
            turns.extend(found.into_iter().map(|turn| RuleTurn {
                rule,
                machine,
                turn,
            }));
            self.note(key);
        }
        turns
    }

    /// Takes up that time has passed. Answers what is raised and cleared by then.
    pub(crate) fn pass(&mut self, now: Timestamp) -> Vec<RuleTurn> {
        let mut turns = Vec::new();
        while let Some((due, rule, machine)) = self.due.first().copied()
            && due <= now
        {
            self.due.remove(&(due, rule, machine));
            let terms = self.terms(rule);
            let latch = self.latches.get_mut(&(rule, machine));
            let turn = latch.and_then(|latch| latch.pass(terms, due));
            turns.extend(turn.map(|turn| RuleTurn {
                rule,
                machine,
                turn,
            }));
            self.note((rule, machine));
        }
        turns
    }

    fn terms(&self, rule: usize) -> Terms {
        self.rules
            .get(rule)
            .map_or_else(Terms::default, |rule| Terms {
                hold_ns: rule.hold_ns,
                clear_hold_ns: rule.clear_hold_ns,
            })
    }

    /// Notes when a latch turns; one of which nothing is left is forgotten.
    fn note(&mut self, key: (usize, MachineNumber)) {
        let (rule, machine) = key;
        let terms = self.terms(rule);
        let Some(latch) = self.latches.get(&key) else {
            return;
        };
        if latch.is_idle() {
            self.latches.remove(&key);
        } else if let Some(due) = latch.due(terms) {
            self.due.insert((due, rule, machine));
        }
    }
}
