//! Chance from counters: the n-th draw of a stream is a function of its key and n alone.

/// What a stream of chance is for: what one purpose draws never moves what another gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// Hidden parameters that are drawn once.
    Parameters,
    /// Cycle times.
    Cycle,
    /// Times to the next failure, and which one it is.
    Failure,
    /// Times of repair.
    Repair,
    /// Verdicts about parts.
    Quality,
    /// Figures that are measured on the way.
    Figures,
    /// What comes into the plant: the order of variants, deliveries.
    Arrivals,
    /// What people do.
    People,
    /// What goes wrong on the way from the machine to the log.
    Reporting,
    /// Where parts go.
    Routing,
}

/// The streams of one replication of one seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Streams {
    seed: u64,
    replication: u32,
}

/// A sequence of draws. A copy goes on with the same draws.
///
/// The generator is Philox 4x32 with ten rounds (Salmon, Moraes, Dror, Shaw: Parallel random
/// numbers: as easy as 1, 2, 3, SC11): a block of four words is a keyed bijection of a counter, here
/// (block, purpose, station, replication) under the seed. So no draw depends on a thread or on how
/// many draws others took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stream {
    key: [u32; 2],
    counter: [u32; 4],
    spare: Option<u64>,
}

impl Streams {
    /// The streams of a replication.
    #[must_use]
    pub const fn new(seed: u64, replication: u32) -> Self {
        Self { seed, replication }
    }

    /// The stream of a station (or whatever else has a number) for a purpose, at its first draw.
    #[must_use]
    pub const fn stream(&self, station: u32, purpose: Purpose) -> Stream {
        let key = [low(self.seed), low(self.seed >> 32)];
        let counter = [0, purpose as u32, station, self.replication];
        Stream {
            key,
            counter,
            spare: None,
        }
    }
}

impl Stream {
    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        let [a, b, c, d] = philox(self.counter, self.key);
        self.counter[0] = self.counter[0].wrapping_add(1);
        self.spare = Some(u64::from(c) << 32 | u64::from(d));
        u64::from(a) << 32 | u64::from(b)
    }

    /// How many draws of 64 bits were taken from it; begins anew after 2^33.
    #[must_use]
    pub fn position(&self) -> u64 {
        // A block holds two draws; the second one waits in `spare`.
        let blocks = 2 * u64::from(self.counter[0]);
        blocks.wrapping_sub(u64::from(self.spare.is_some())) % (1 << 33)
    }

    /// A number from 0 to `bound - 1`; 0 when the bound is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        let wide = u128::from(self.bits()) * u128::from(bound);
        u64::try_from(wide >> 64).unwrap_or(0)
    }

    /// A number between 0 and 1, neither of which it ever is.
    pub fn unit(&mut self) -> f64 {
        // 52 bits and a half: exact in binary64, and at least 2^-53.
        let bits = self.bits() >> 12;
        (bits as f64 + 0.5) / 4_503_599_627_370_496.0
    }

    /// Whether something that happens with this probability happens.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// A number between `from` and `to`, evenly spread.
    pub fn between(&mut self, from: f64, to: f64) -> f64 {
        from + (to - from) * self.unit()
    }
}

const fn low(bits: u64) -> u32 {
    (bits & 0xFFFF_FFFF) as u32
}

fn philox(counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    let [mut a, mut b, mut c, mut d] = counter;
    let [mut k0, mut k1] = key;
    for _ in 0..10 {
        let p0 = u64::from(a) * 0xD251_1F53;
        let p1 = u64::from(c) * 0xCD9E_8D57;
        (a, b, c, d) = (
            low(p1 >> 32) ^ b ^ k0,
            low(p1),
            low(p0 >> 32) ^ d ^ k1,
            low(p0),
        );
        k0 = k0.wrapping_add(0x9E37_79B9);
        k1 = k1.wrapping_add(0xBB67_AE85);
    }
    [a, b, c, d]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generator_gives_the_published_answers() {
        // The known answers that come with the authors' Random123.
        assert_eq!(
            philox([0; 4], [0; 2]),
            [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]
        );
        assert_eq!(
            philox([u32::MAX; 4], [u32::MAX; 2]),
            [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]
        );
        assert_eq!(
            philox(
                [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
                [0xa409_3822, 0x299f_31d0]
            ),
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
        );
    }

    #[test]
    fn streams_differ_in_every_part_of_their_key() {
        let first = |seed, replication, station, purpose| {
            Streams::new(seed, replication)
                .stream(station, purpose)
                .bits()
        };
        let one = first(1, 0, 5, Purpose::Cycle);
        assert_eq!(one, first(1, 0, 5, Purpose::Cycle));
        for other in [
            first(2, 0, 5, Purpose::Cycle),
            first(1 << 40 | 1, 0, 5, Purpose::Cycle),
            first(1, 1, 5, Purpose::Cycle),
            first(1, 0, 6, Purpose::Cycle),
            first(1, 0, 5, Purpose::Repair),
        ] {
            assert_ne!(one, other);
        }
    }

    #[test]
    fn draws_keep_to_their_bounds_and_meet_their_means() {
        let mut stream = Streams::new(1, 0).stream(0, Purpose::Cycle);
        assert_eq!(stream.below(0), 0);
        let positions = [0; 4].map(|_| {
            stream.bits();
            stream.position()
        });
        assert_eq!(positions, [2, 3, 4, 5], "one draw was taken before");
        let mut sums = (0, 0.0, 0);
        for _ in 0..20_000 {
            let (below, unit) = (stream.below(10), stream.unit());
            assert!(below < 10 && unit > 0.0 && unit < 1.0);
            sums = (
                sums.0 + below,
                sums.1 + unit,
                sums.2 + u32::from(stream.chance(0.1)),
            );
        }
        assert!((88_500..91_500).contains(&sums.0), "{sums:?}");
        assert!((9_850.0..10_150.0).contains(&sums.1), "{sums:?}");
        assert!((1_850..2_150).contains(&sums.2), "{sums:?}");
        assert!(!stream.chance(0.0) && stream.chance(1.0));
    }
}
