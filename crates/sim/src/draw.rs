//! Random draws in whole numbers.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// A station's own stream of random numbers.
#[derive(Clone, Debug)]
pub(crate) struct Draw(ChaCha8Rng);

impl Draw {
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(stream);
        Self(rng)
    }

    /// A number from 0 to `bound - 1`; 0 when the bound is 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        let wide = u128::from(self.0.next_u64()) * u128::from(bound);
        u64::try_from(wide >> 64).unwrap_or(0)
    }

    /// Whether something with a chance of `part` in `whole` happens.
    pub(crate) fn chance(&mut self, part: u64, whole: u64) -> bool {
        whole > 0 && self.below(whole) < part
    }

    /// A duration around `mean`, at most `permille` thousandths of it away.
    pub(crate) fn around(&mut self, mean: u64, permille: u32) -> u64 {
        let reach = scaled(mean, permille.min(1000));
        let least = mean.saturating_sub(reach);
        least.saturating_add(self.below(reach.saturating_mul(2).saturating_add(1)))
    }
}

fn scaled(value: u64, permille: u32) -> u64 {
    let scaled = u128::from(value) * u128::from(permille) / 1000;
    u64::try_from(scaled).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_keep_to_their_bounds_and_meet_their_means() {
        let mut draw = Draw::new(1, 0);
        assert_eq!(draw.below(0), 0);
        let mut sum = 0;
        for _ in 0..10_000 {
            let drawn = draw.around(1_000, 200);
            assert!((800..=1_200).contains(&drawn), "{drawn}");
            sum += drawn;
        }
        assert!((9_900_000..=10_100_000).contains(&sum), "{sum}");
        let hits = (0..10_000).filter(|_| draw.chance(1, 10)).count();
        assert!((900..=1_100).contains(&hits), "{hits}");
        assert!(!draw.chance(1, 0) && draw.chance(1, 1));
    }

    #[test]
    fn streams_differ() {
        let first = |seed, stream| Draw::new(seed, stream).below(u64::MAX);
        assert_ne!(first(1, 0), first(1, 1));
        assert_ne!(first(1, 0), first(2, 0));
        assert_eq!(first(3, 4), first(3, 4));
    }
}
