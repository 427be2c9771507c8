//! How durations are spread, in buckets of at most a sixteenth of their value, without floats.

use serde::{Serialize, Serializer};
use std::collections::BTreeMap;

/// The sub-buckets of each power of two, as a power of two itself.
const FINE_BITS: u32 = 4;

/// A distribution of durations in nanoseconds; negative ones count as none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spread {
    counts: BTreeMap<u32, u64>,
    count: u64,
    max: u64,
}

impl Spread {
    /// Takes a duration.
    pub fn take(&mut self, nanos: i64) {
        let value = u64::try_from(nanos).unwrap_or(0);
        let count = self.counts.entry(bucket(value)).or_default();
        *count = count.saturating_add(1);
        self.count = self.count.saturating_add(1);
        self.max = self.max.max(value);
    }

    /// Takes all of another distribution.
    pub fn add(&mut self, other: &Self) {
        for (bucket, more) in &other.counts {
            let count = self.counts.entry(*bucket).or_default();
            *count = count.saturating_add(*more);
        }
        self.count = self.count.saturating_add(other.count);
        self.max = self.max.max(other.max);
    }

    /// How many durations it is of.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The greatest duration in nanoseconds; absent when there is none.
    #[must_use]
    pub fn max(&self) -> Option<u64> {
        (self.count > 0).then_some(self.max)
    }

    /// The duration that so many of a thousand do not exceed, in nanoseconds, too great by a
    /// sixteenth at the most; absent when there is none.
    #[must_use]
    pub fn per_mille(&self, part: u64) -> Option<u64> {
        let rank = u128::from(self.count) * u128::from(part.min(1_000));
        let rank = rank.div_ceil(1_000).max(1);
        let mut seen = 0_u128;
        for (bucket, count) in &self.counts {
            seen += u128::from(*count);
            if seen >= rank {
                return Some(greatest_of(*bucket).min(self.max));
            }
        }
        None
    }
}

impl Serialize for Spread {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        [self.per_mille(500), self.per_mille(990), self.max()].serialize(serializer)
    }
}

fn bucket(value: u64) -> u32 {
    let power = 63_u32.saturating_sub(value.leading_zeros());
    if power < FINE_BITS {
        return u32::try_from(value).unwrap_or(0);
    }
    let shift = power - FINE_BITS;
    let fine = u32::try_from((value >> shift) & 0xf).unwrap_or(0);
    ((shift + 1) << FINE_BITS) | fine
}

/// The greatest value that falls into the bucket.
fn greatest_of(bucket: u32) -> u64 {
    if bucket < 1 << FINE_BITS {
        return u64::from(bucket);
    }
    let shift = (bucket >> FINE_BITS) - 1;
    let least = (1_u64 << FINE_BITS | u64::from(bucket & 0xf)) << shift;
    least | ((1_u64 << shift) - 1)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nothing_has_no_spread() {
        let spread = Spread::default();
        assert_eq!(
            (spread.per_mille(500), spread.max(), spread.count()),
            (None, None, 0)
        );
    }

    proptest! {
        #[test]
        fn a_part_is_met_and_exceeded_by_a_sixteenth_at_most(
            values in proptest::collection::vec(0_i64..=i64::MAX, 1..60),
            part in 1_u64..=1_000,
        ) {
            let mut spread = Spread::default();
            values.iter().for_each(|value| spread.take(*value));
            let mut sorted: Vec<u64> = values.iter().map(|value| *value as u64).collect();
            sorted.sort_unstable();
            let rank = (sorted.len() as u64 * part).div_ceil(1_000).max(1) as usize;
            let exact = sorted[rank - 1];
            let found = spread.per_mille(part).unwrap();
            prop_assert!(exact <= found && found - exact <= exact / 16, "{exact} {found}");
            prop_assert_eq!(spread.max(), sorted.last().copied());
        }

        #[test]
        fn spreads_add_up(a in proptest::collection::vec(any::<i64>(), 0..20), b in proptest::collection::vec(any::<i64>(), 0..20)) {
            let of = |values: &[i64]| {
                let mut spread = Spread::default();
                values.iter().for_each(|value| spread.take(*value));
                spread
            };
            let mut sum = of(&a);
            sum.add(&of(&b));
            prop_assert_eq!(sum, of(&[a, b].concat()));
        }
    }
}
