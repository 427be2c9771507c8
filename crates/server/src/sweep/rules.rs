//! Follows rules over a sweep: what they raise and clear, of which machines, in the order of time.

use super::watch::{Why, why};
use super::{Moved, Needs};
use crate::rules::{Key, Latches, Turned, judge, terms};
use crate::view::twin as view;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use werkbuch_model::id::{MachineNumber, Position};
use werkbuch_model::rule::Rule;
use werkbuch_model::time::Timestamp;
use werkbuch_twin::course::Course;

/// Rules, and of which machines they are raised or on their way to be.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    rules: Arc<Vec<Rule>>,
    latches: Latches<Why>,
    /// What was seen at this moment, which is not over: whether what raises and what clears holds, and the
    /// event since which it does.
    seen: BTreeMap<Key, ((bool, bool), Position)>,
}

/// A rule that is raised or cleared of a machine.
pub(crate) type RuleTurn = Turned<Why>;

impl Rules {
    pub(crate) fn new(rules: Arc<Vec<Rule>>) -> Self {
        Self {
            latches: Latches::new(rules.iter().map(terms).collect()),
            rules,
            seen: BTreeMap::new(),
        }
    }

    /// What conditions of rules depend on.
    pub(crate) fn needs<'r>(rules: impl IntoIterator<Item = &'r Rule>) -> Needs {
        let filters = rules
            .into_iter()
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
                let mut machines: BTreeSet<_> = self.latches.machines();
                machines.extend(self.seen.keys().map(|(machine, _)| *machine));
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
            let (raises, clears) = judge(rule, row.as_ref());
            let key = (machine, number);
            let held = self.latches.has(key);
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
            let why = || why(course, key.0, position);
            turns.extend(self.latches.look(key, (at, 0), holds, why));
        }
        turns
    }

    /// Takes up that time has passed. Answers what is raised and cleared by then.
    pub(crate) fn pass(&mut self, now: Timestamp) -> Vec<RuleTurn> {
        self.latches.pass(now, &|_| 0)
    }
}
