//! Which of the times that are found are wanted: all, the first, the last, of all machines or of each.

use super::ask::Asked;
use crate::sweep::{Found, Why};
use std::collections::BTreeMap;
use werkbuch_model::id::MachineNumber;
use werkbuch_model::time::Timestamp;
use werkbuch_wire::pb::FindWhich;

/// A time that was found. Its end may be that of the window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hit {
    pub(super) machine: MachineNumber,
    pub(super) begin: Timestamp,
    pub(super) end: Timestamp,
    /// Whether it holds to the end of the window.
    pub(super) holds: bool,
    pub(super) why: Why,
}

impl Hit {
    /// A time that has ended.
    pub(super) fn of((machine, spell): Found) -> Self {
        Self {
            machine,
            begin: spell.begin,
            end: spell.end,
            holds: false,
            why: spell.why,
        }
    }

    /// How long it is, in nanoseconds.
    pub(super) fn length_ns(&self) -> u64 {
        u64::try_from(self.end.since(self.begin)).unwrap_or(0)
    }
}

/// What is wanted of what is found in one plant.
#[derive(Clone, Debug)]
pub(super) struct Choice {
    which: FindWhich,
    per_machine: bool,
    hold_ns: u64,
    /// All that are wanted and not told yet.
    ready: Vec<Hit>,
    /// The best so far: of each machine, or one.
    best: BTreeMap<MachineNumber, Hit>,
}

impl Choice {
    pub(super) fn new(asked: &Asked) -> Self {
        Self {
            which: asked.which,
            per_machine: asked.per_machine,
            hold_ns: asked.hold_ns,
            ready: Vec::new(),
            best: BTreeMap::new(),
        }
    }

    /// Takes what was found.
    pub(super) fn take(&mut self, hit: Hit) {
        if hit.length_ns() < self.hold_ns {
            return;
        }
        if self.which == FindWhich::All {
            self.ready.push(hit);
            return;
        }
        let key = match self.per_machine {
            true => hit.machine,
            false => MachineNumber(0),
        };
        let which = self.which;
        let better = |other: &Hit| match which {
            FindWhich::Last => {
                (hit.begin, std::cmp::Reverse(hit.machine))
                    > (other.begin, std::cmp::Reverse(other.machine))
            }
            _ => (hit.begin, hit.machine) < (other.begin, other.machine),
        };
        if self.best.get(&key).is_none_or(better) {
            self.best.insert(key, hit);
        }
    }

    /// Whether nothing that is still to come can be better: what holds now began at these times, what
    /// follows begins later.
    pub(super) fn is_decided(
        &self,
        holding: impl Iterator<Item = (MachineNumber, Timestamp)>,
    ) -> bool {
        if self.which != FindWhich::First || self.per_machine {
            return false;
        }
        let Some(best) = self.best.values().next() else {
            return false;
        };
        let mut holding = holding;
        !holding.any(|(machine, since)| (since, machine) < (best.begin, best.machine))
    }

    /// Takes out what can be told already.
    pub(super) fn take_ready(&mut self) -> Vec<Hit> {
        std::mem::take(&mut self.ready)
    }

    /// Whether the best has been found.
    pub(super) fn has_best(&self) -> bool {
        !self.best.is_empty()
    }

    /// The best, by their begin.
    pub(super) fn into_best(self) -> Vec<Hit> {
        let mut best: Vec<Hit> = self.best.into_values().collect();
        best.sort_by_key(|hit| (hit.begin, hit.machine));
        best
    }
}
