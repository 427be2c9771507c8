//! How far the counters of a machine move on, in parts.

use crate::view::CounterView;
use std::collections::BTreeMap;
use std::ops::AddAssign;
use werkbuch_model::event::PartMeaning;

/// Parts counted, by what their counters count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    /// By counters of all parts.
    pub all: u64,
    /// By counters of good parts.
    pub good: u64,
    /// By counters of scrap.
    pub scrap: u64,
    /// By counters of parts to be reworked.
    pub rework: u64,
}

impl AddAssign for Parts {
    fn add_assign(&mut self, other: Self) {
        self.all = self.all.saturating_add(other.all);
        self.good = self.good.saturating_add(other.good);
        self.scrap = self.scrap.saturating_add(other.scrap);
        self.rework = self.rework.saturating_add(other.rework);
    }
}

impl Parts {
    fn of(meaning: PartMeaning, count: u64) -> Self {
        let mut parts = Self::default();
        match meaning {
            PartMeaning::Good => parts.good = count,
            PartMeaning::Scrap => parts.scrap = count,
            PartMeaning::Rework => parts.rework = count,
            PartMeaning::All | PartMeaning::Unspecified => parts.all = count,
        }
        parts
    }
}

/// Where a counter stands.
#[derive(Clone, Copy, Debug)]
struct Stand {
    reset_epoch: u32,
    last: u64,
    highest: u64,
}

/// Where the counters of a machine stand, so that what they count next is known.
#[derive(Clone, Debug, Default)]
pub(super) struct Counters(BTreeMap<Box<str>, Stand>);

impl Counters {
    /// Notes where a counter stands now, and tells what it has counted since. Within a reset epoch that is
    /// its greatest value less the value it came from; the first value of a new epoch counts nothing,
    /// because nobody knows where it began. A value that wraps at the modulus goes on from zero.
    pub(super) fn step(&mut self, view: &CounterView<'_>) -> Parts {
        let Some(value) = view.value else {
            return Parts::default();
        };
        let fresh = Stand {
            reset_epoch: view.reset_epoch,
            last: value,
            highest: value,
        };
        let before = self.0.get(view.counter).copied();
        let Some(mut stand) = before.filter(|one| one.reset_epoch == view.reset_epoch) else {
            self.0.insert(view.counter.into(), fresh);
            return Parts::default();
        };
        let half = view.modulus / 2;
        let wrapped = view.modulus > 0 && stand.last >= half && value < half;
        let count = if wrapped {
            let to_end = view.modulus.saturating_sub(stand.highest);
            stand.highest = value;
            to_end.saturating_add(value)
        } else {
            let count = value.saturating_sub(stand.highest);
            stand.highest = stand.highest.max(value);
            count
        };
        stand.last = value;
        self.0.insert(view.counter.into(), stand);
        Parts::of(view.meaning, count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use werkbuch_model::time::Timestamp;

    #[test]
    fn counters_count_on_within_an_epoch_and_over_their_end() {
        // Values with their reset epochs, the modulus, and what is counted.
        type Case = (&'static [(Option<u64>, u32)], u64, u64);
        let cases: [Case; 8] = [
            (&[(Some(5), 0)], 0, 0),
            (&[(Some(5), 0), (Some(7), 0), (Some(7), 0)], 0, 2),
            (&[(Some(5), 0), (None, 0), (Some(9), 0)], 0, 4),
            (&[(Some(5), 0), (Some(3), 1), (Some(4), 1)], 0, 1),
            // A step back is none, until it is past where it was.
            (&[(Some(5), 0), (Some(3), 0), (Some(6), 0)], 0, 1),
            (&[(Some(98), 0), (Some(2), 0)], 100, 4),
            (&[(Some(98), 0), (Some(2), 0), (Some(9), 0)], 100, 11),
            (&[(Some(30), 0), (Some(3), 0)], 100, 0),
        ];
        for (steps, modulus, expected) in cases {
            let mut counters = Counters::default();
            let mut parts = Parts::default();
            for (value, reset_epoch) in steps {
                parts += counters.step(&CounterView {
                    counter: "c",
                    meaning: PartMeaning::Good,
                    value: *value,
                    modulus,
                    reset_epoch: *reset_epoch,
                    part_type: "",
                    part: "",
                    at: Timestamp(0),
                });
            }
            assert_eq!(parts, Parts::of(PartMeaning::Good, expected), "{steps:?}");
        }
    }

    #[test]
    fn counters_are_told_apart_by_what_they_count() {
        let mut parts = Parts::default();
        for (meaning, count) in [
            (PartMeaning::All, 1),
            (PartMeaning::Unspecified, 10),
            (PartMeaning::Good, 2),
            (PartMeaning::Scrap, 3),
            (PartMeaning::Rework, 4),
        ] {
            parts += Parts::of(meaning, count);
        }
        let expected = Parts {
            all: 11,
            good: 2,
            scrap: 3,
            rework: 4,
        };
        assert_eq!(parts, expected);
    }
}
