//! What rules have found that the log does not say yet.

use super::latches::{Key, Turned};
use std::collections::{BTreeMap, VecDeque};
use werkbuch_model::time::Timestamp;

/// A rule is raised or cleared, and it is not in the log yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) raised: bool,
    pub(super) since: Timestamp,
    pub(super) due: Timestamp,
    /// Whether the writer has been told.
    told: bool,
}

/// What was found, in order for each machine and rule.
#[derive(Clone, Debug, Default)]
pub(super) struct Found {
    queues: BTreeMap<Key, VecDeque<Finding>>,
}

/// How what the log says goes with what was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    /// It is what was found next.
    Next,
    /// Nothing was found that is not in the log already.
    Nothing,
    /// Something else was found.
    Other,
}

impl Found {
    pub(super) fn add(&mut self, turned: impl IntoIterator<Item = Turned<()>>) {
        for one in turned {
            let queue = self.queues.entry((one.machine, one.rule)).or_default();
            // What comes late is over no sooner than it was said.
            let last = queue.back().map(|last| last.due);
            queue.push_back(Finding {
                raised: one.turn.raised.is_some(),
                since: one.turn.since,
                due: last.map_or(one.turn.at, |last| last.max(one.turn.at)),
                told: false,
            });
        }
    }

    /// The log says that a rule is raised or cleared of a machine.
    pub(super) fn said(&mut self, key: Key, raised: bool) -> Fit {
        let Some(queue) = self.queues.get_mut(&key) else {
            return Fit::Nothing;
        };
        let is_next = queue.front().is_some_and(|next| next.raised == raised);
        if is_next {
            queue.pop_front();
        }
        if !is_next || queue.is_empty() {
            self.queues.remove(&key);
        }
        if is_next { Fit::Next } else { Fit::Other }
    }

    /// What the writer has not been told, at most so many and in the order of time; it counts as told.
    pub(super) fn tell(&mut self, most: usize) -> Vec<(Key, Finding)> {
        let mut untold: Vec<(Key, Finding)> = Vec::new();
        for (key, queue) in &self.queues {
            untold.extend(queue.iter().filter(|one| !one.told).map(|one| (*key, *one)));
        }
        // It keeps the order of what is of one machine and rule.
        untold.sort_by_key(|(_, finding)| finding.due);
        untold.truncate(most);
        for (key, _) in &untold {
            let queue = self.queues.get_mut(key);
            let first = queue.and_then(|queue| queue.iter_mut().find(|one| !one.told));
            if let Some(first) = first {
                first.told = true;
            }
        }
        untold
    }

    /// Whether there is anything that the writer has not been told.
    pub(super) fn has_news(&self) -> bool {
        let mut all = self.queues.values().flatten();
        all.any(|one| !one.told)
    }

    /// The writer could not take it: it is to be told again.
    pub(super) fn tell_again(&mut self) {
        for one in self.queues.values_mut().flatten() {
            one.told = false;
        }
    }

    /// What was found of a machine by a rule is not so, as the writer knows better.
    pub(super) fn drop_of(&mut self, key: Key) {
        self.queues.remove(&key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use werkbuch_model::id::MachineNumber;
    use werkbuch_twin::course::Turn;

    fn turned(machine: u32, raised: bool, at: i64) -> Turned<()> {
        Turned {
            rule: 0,
            machine: MachineNumber(machine),
            turn: Turn {
                at: Timestamp(at),
                since: Timestamp(at - 1),
                raised: raised.then_some(()),
            },
        }
    }

    #[test]
    fn each_is_told_once_in_the_order_of_time_unless_the_writer_could_not_take_it() {
        let mut found = Found::default();
        let (one, two) = ((MachineNumber(1), 0), (MachineNumber(2), 0));
        found.add([turned(1, true, 5), turned(1, false, 9), turned(2, true, 7)]);
        let due = |told: &[(Key, Finding)]| -> Vec<(u32, i64)> {
            told.iter()
                .map(|(key, one)| (key.0.get(), one.due.nanos()))
                .collect()
        };
        assert_eq!(due(&found.tell(2)), [(1, 5), (2, 7)]);
        assert!(found.has_news());
        assert_eq!(due(&found.tell(2)), [(1, 9)]);
        assert!(!found.has_news());
        found.tell_again();
        assert_eq!(due(&found.tell(9)), [(1, 5), (2, 7), (1, 9)]);
        assert_eq!(found.said(one, true), Fit::Next);
        assert_eq!(found.said(one, true), Fit::Other, "it was cleared next");
        assert_eq!(found.said(one, true), Fit::Nothing);
        assert_eq!(found.said(two, true), Fit::Next);
        assert!(found.queues.is_empty());
        found.add([turned(1, true, 5), turned(1, false, 3)]);
        let told = found.tell(9);
        assert_eq!(due(&told), [(1, 5), (1, 5)]);
        assert!(
            told[0].1.raised && !told[1].1.raised,
            "in the order in which they were found"
        );
    }
}
