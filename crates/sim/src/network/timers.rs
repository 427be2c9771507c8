//! When each of a fixed set of things is due, in a total order: time, then priority, then the order of planning.

/// One time for each of so many things, the earliest always at hand.
///
/// It is a tree of winners (Knuth, The Art of Computer Programming 3, 5.4.1): each inner node names the earlier
/// of the two below it. A change walks one path from its leaf to the root; nothing is ever void, nothing is
/// allocated, and a copy is a copy of two arrays.
#[derive(Clone, Debug)]
pub(super) struct Timers {
    /// Of each thing; those behind the last are never due.
    keys: Vec<Key>,
    /// The winner below each inner node; the root is at 1.
    winners: Vec<u32>,
    planned: u64,
}

/// Nanoseconds; priority in the highest eight bits, the number of the plan below.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    at_ns: u64,
    order: u64,
}

/// The number of a plan in an order.
const NUMBER: u64 = u64::MAX >> 8;

const NEVER: Key = Key {
    at_ns: u64::MAX,
    order: u64::MAX,
};

impl Timers {
    /// Timers of so many things, of which none is due.
    pub(super) fn new(things: usize) -> Self {
        let leaves = things.next_power_of_two().max(2);
        let mut winners = vec![0; leaves];
        for node in (1..leaves).rev() {
            winners[node] = match (2 * node).checked_sub(leaves) {
                Some(leaf) => u32::try_from(leaf).unwrap_or(u32::MAX),
                None => winners[2 * node],
            };
        }
        Self {
            keys: vec![NEVER; leaves],
            winners,
            planned: 0,
        }
    }

    /// The thing that is due first, and when; at the end of time where none is due.
    #[inline]
    pub(super) fn first(&self) -> (u32, u64) {
        let thing = self.winners[1];
        (thing, self.keys[thing as usize].at_ns)
    }

    /// The number of the plan that is to come next.
    #[inline]
    pub(super) fn planned(&self) -> u64 {
        self.planned
    }

    /// What was due has happened: the thing is not due any more, unless it was planned anew since that many
    /// plans were made.
    #[inline]
    pub(super) fn done(&mut self, thing: u32, planned: u64) {
        let number = self.keys[thing as usize].order & NUMBER;
        if number < planned {
            self.cancel(thing);
        }
    }

    /// Plans a thing anew. Low priority numbers go first.
    #[inline]
    pub(super) fn plan(&mut self, thing: u32, at_ns: u64, priority: u8) {
        let order = u64::from(priority) << 56 | self.planned;
        self.planned += 1;
        self.keys[thing as usize] = Key { at_ns, order };
        self.play(thing);
    }

    /// A thing is not due any more.
    #[inline]
    pub(super) fn cancel(&mut self, thing: u32) {
        self.keys[thing as usize] = NEVER;
        self.play(thing);
    }

    /// Finds the winners anew from a leaf to the root.
    #[inline]
    fn play(&mut self, thing: u32) {
        let leaves = self.keys.len();
        let mut winner = thing;
        let mut key = self.keys[thing as usize];
        let mut node = leaves + thing as usize;
        // At a leaf the one beside it is its neighbour; above, what won there.
        let mut other = thing ^ 1;
        loop {
            let beside = self.keys[other as usize];
            if beside < key {
                (winner, key) = (other, beside);
            }
            node /= 2;
            self.winners[node] = winner;
            if node == 1 {
                return;
            }
            other = self.winners[node ^ 1];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        /// Whatever is planned, planned anew and cancelled: the first one is the least of all.
        #[test]
        fn the_first_is_the_least(
            things in 1_u32..20,
            steps in prop::collection::vec((0_u32..20, 0_u64..50, 0_u8..3), 0..200),
        ) {
            let mut timers = Timers::new(things as usize);
            let mut all: BTreeMap<u32, (u64, u8, usize)> = BTreeMap::new();
            for (number, (thing, at_ns, priority)) in steps.into_iter().enumerate() {
                let thing = thing % things;
                if at_ns < 10 {
                    timers.cancel(thing);
                    all.remove(&thing);
                } else {
                    timers.plan(thing, at_ns, priority);
                    all.insert(thing, (at_ns, priority, number));
                }
                let least = all.iter().min_by_key(|(_, key)| **key);
                match least {
                    Some((thing, (at_ns, ..))) => prop_assert_eq!(timers.first(), (*thing, *at_ns)),
                    None => prop_assert_eq!(timers.first().1, u64::MAX),
                }
            }
        }
    }
}
