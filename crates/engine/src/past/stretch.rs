//! Which stretches of a log can hold something of a time in the plant.

use super::Past;
use std::collections::BTreeSet;
use werkbuch_model::id::Position;
use werkbuch_model::time::Timestamp;

/// A stretch of the log, with how far back in plant time it reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stretch {
    pub(crate) first: Position,
    pub(crate) last: Position,
    /// The least plant time that any event in it decides about.
    pub(crate) reach: Timestamp,
}

impl Stretch {
    /// How many events it has.
    pub(crate) fn len(&self) -> u64 {
        (self.last.get() + 1).saturating_sub(self.first.get())
    }
}

impl Past {
    /// The stretches of the log up to a position in which something of a time or later can lie, in order.
    /// The last one may reach back for ever, where nothing is known of it yet.
    pub(crate) fn stretches(&self, from: Timestamp, bound: Position) -> Vec<Stretch> {
        let state = self.state();
        let before = state.ended.partition_point(|ended| ended.head.top() < from);
        let mut stretches = Vec::new();
        for ended in state.ended.iter().skip(before) {
            let head = &ended.head;
            if head.after() >= bound {
                break;
            }
            stretches.push(Stretch {
                first: head.after().next(),
                last: head.position().min(bound),
                reach: head.reach(),
            });
        }
        let open = &state.open;
        if open.after < bound {
            let known = state.complete && open.last >= bound;
            if !known || open.top >= from {
                stretches.push(Stretch {
                    first: open.after.next(),
                    last: bound,
                    reach: if known { open.reach } else { Timestamp::MIN },
                });
            }
        }
        stretches
    }

    /// From when on the changes of the description up to a position hold; nothing while not all of them
    /// are known.
    pub(crate) fn described_from(&self, bound: Position) -> Option<BTreeSet<Timestamp>> {
        let state = self.state();
        let known = state.complete && state.applied >= bound;
        let changes = known.then(|| state.described_by(bound))?;
        Some(
            changes
                .iter()
                .map(|change| Timestamp(change.from))
                .collect(),
        )
    }
}
