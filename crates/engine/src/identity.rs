//! Which numbers of a source are taken: a high mark and the open intervals below it.

use crate::limits::OPEN_INTERVALS_MAX;
use serde::{Deserialize, Serialize};

/// Why the numbers of an interval are open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum OpenKind {
    /// They never came.
    Missing,
    /// They came, were refused, and may come again with a valid content.
    Refused,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Interval {
    first: u64,
    last: u64,
    kind: OpenKind,
}

/// What a number is to a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// The next one, or one further on that leaves a gap of these numbers.
    New {
        /// First and last number that is skipped.
        gap: Option<(u64, u64)>,
    },
    /// It is open, for this reason.
    Open(OpenKind),
    /// It is recorded.
    Known,
    /// It would leave more open intervals than are kept.
    TooManyGaps,
}

/// The numbers of one source that are taken, for ever, in bounded memory.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Identity {
    high: u64,
    /// Disjoint, ascending; two that touch are of different kinds.
    open: Vec<Interval>,
}

impl Identity {
    /// The greatest number seen.
    pub(crate) fn high(&self) -> u64 {
        self.high
    }

    /// The number that the next new event should have.
    pub(crate) fn next(&self) -> u64 {
        self.high.saturating_add(1)
    }

    /// How many numbers never came, and in how many gaps.
    pub(crate) fn missing(&self) -> (u64, u32) {
        let gaps = self
            .open
            .iter()
            .filter(|interval| interval.kind == OpenKind::Missing);
        gaps.fold((0, 0), |(sum, count), gap| {
            (sum.saturating_add(gap.last - gap.first + 1), count + 1)
        })
    }

    /// What a number (from 1) is.
    pub(crate) fn place(&self, number: u64) -> Place {
        if number > self.high {
            let gap = (number > self.next()).then(|| (self.next(), number - 1));
            // One interval for the gap and one more in case the event itself is refused.
            let full = self.open.len() + 2 > OPEN_INTERVALS_MAX;
            return if gap.is_some() && full {
                Place::TooManyGaps
            } else {
                Place::New { gap }
            };
        }
        match self.find(number) {
            Ok(at) => self
                .open
                .get(at)
                .map_or(Place::Known, |interval| Place::Open(interval.kind)),
            Err(_) => Place::Known,
        }
    }

    /// Whether one more refused number can be kept.
    pub(crate) fn can_refuse(&self, number: u64) -> bool {
        // Taking a number out of the middle of a gap leaves three intervals of one.
        self.open.len() + 2 <= OPEN_INTERVALS_MAX || matches!(self.place(number), Place::Known)
    }

    /// Notes that the numbers from the high mark to `last` never came.
    pub(crate) fn skip_to(&mut self, last: u64) {
        if last > self.high {
            let first = self.next();
            self.high = last;
            self.insert(Interval {
                first,
                last,
                kind: OpenKind::Missing,
            });
        }
    }

    /// Notes that a number is recorded.
    pub(crate) fn take(&mut self, number: u64) {
        if number > self.high {
            self.skip_to(number - 1);
            self.high = number;
        } else {
            self.cut(number);
        }
    }

    /// Notes that a number came and was refused.
    pub(crate) fn refuse(&mut self, number: u64) {
        self.take(number);
        self.insert(Interval {
            first: number,
            last: number,
            kind: OpenKind::Refused,
        });
    }

    fn find(&self, number: u64) -> Result<usize, usize> {
        self.open.binary_search_by(|interval| {
            if interval.last < number {
                std::cmp::Ordering::Less
            } else if interval.first > number {
                std::cmp::Ordering::Greater
            } else {
                std::cmp::Ordering::Equal
            }
        })
    }

    fn cut(&mut self, number: u64) {
        let Ok(at) = self.find(number) else { return };
        let Interval { first, last, kind } = self.open.remove(at);
        if number < last {
            self.open.insert(
                at,
                Interval {
                    first: number + 1,
                    last,
                    kind,
                },
            );
        }
        if first < number {
            self.open.insert(
                at,
                Interval {
                    first,
                    last: number - 1,
                    kind,
                },
            );
        }
    }

    fn insert(&mut self, mut new: Interval) {
        let mut at = self
            .open
            .partition_point(|interval| interval.last < new.first);
        let touches = |a: &Interval, b: &Interval| a.kind == b.kind && a.last + 1 == b.first;
        if let Some(before) = at.checked_sub(1).and_then(|i| self.open.get(i))
            && touches(before, &new)
        {
            new.first = before.first;
            at -= 1;
            self.open.remove(at);
        }
        if let Some(after) = self.open.get(at)
            && touches(&new, after)
        {
            new.last = after.last;
            self.open.remove(at);
        }
        self.open.insert(at, new);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    #[test]
    fn numbers_are_new_open_or_known() {
        let mut identity = Identity::default();
        assert_eq!(identity.place(1), Place::New { gap: None });
        identity.take(1);
        assert_eq!(identity.place(5), Place::New { gap: Some((2, 4)) });
        identity.take(5);
        assert_eq!(identity.place(1), Place::Known);
        assert_eq!(identity.place(3), Place::Open(OpenKind::Missing));
        identity.take(3);
        assert_eq!(identity.place(3), Place::Known);
        assert_eq!(identity.missing(), (2, 2));
        identity.refuse(6);
        assert_eq!(identity.place(6), Place::Open(OpenKind::Refused));
        assert_eq!(identity.missing(), (2, 2));
        identity.take(6);
        assert_eq!(identity.place(6), Place::Known);
    }

    #[test]
    fn a_jump_that_needs_one_interval_too_many_is_turned_away() {
        let mut identity = Identity::default();
        let mut number = 1;
        while identity.place(number) != Place::TooManyGaps {
            identity.take(number);
            number += 2;
        }
        assert!(identity.open.len() <= OPEN_INTERVALS_MAX);
        assert!(identity.open.len() >= OPEN_INTERVALS_MAX - 2);
        // The next number without a gap, and one that fills a gap, are still taken.
        assert_eq!(identity.place(identity.next()), Place::New { gap: None });
        assert_eq!(identity.place(2), Place::Open(OpenKind::Missing));
    }

    proptest! {
        #[test]
        fn agrees_with_a_plain_table(steps in proptest::collection::vec((1..60_u64, any::<bool>()), 0..200)) {
            let mut identity = Identity::default();
            let mut table: BTreeMap<u64, Option<OpenKind>> = BTreeMap::new();
            for (number, refuse) in steps {
                let high = table.keys().last().copied().unwrap_or(0);
                for skipped in high + 1..number {
                    table.insert(skipped, Some(OpenKind::Missing));
                }
                let known = table.get(&number) == Some(&None);
                prop_assert_eq!(identity.place(number) == Place::Known, known);
                if known { continue; }
                if refuse {
                    identity.refuse(number);
                    table.insert(number, Some(OpenKind::Refused));
                } else {
                    identity.take(number);
                    table.insert(number, None);
                }
                for (number, open) in &table {
                    let expected = open.map_or(Place::Known, Place::Open);
                    prop_assert_eq!(identity.place(*number), expected);
                }
                prop_assert_eq!(identity.high(), *table.keys().last().unwrap_or(&0));
                let missing = table.values().filter(|o| **o == Some(OpenKind::Missing)).count() as u64;
                prop_assert_eq!(identity.missing().0, missing);
            }
        }
    }
}
