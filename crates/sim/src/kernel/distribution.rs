//! Distributions of times, in nanoseconds; the same draw gives the same time on every machine.

use super::stream::Stream;

/// A distribution of times. All parameters are seconds, but for shapes, which have no unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Distribution {
    /// Always the same.
    Constant(f64),
    /// Evenly spread from the first to the second.
    Uniform(f64, f64),
    /// From the first to the third, most often near the second.
    Triangular(f64, f64, f64),
    /// Without memory, with this mean.
    Exponential(f64),
    /// The sum of so many exponential times, with this mean in all.
    Erlang(u32, f64),
    /// The exponential of a normal one, with this mean and this coefficient of variation.
    Lognormal(f64, f64),
    /// Of this shape and scale: below 1 failures come early, above 1 by wear.
    Weibull(f64, f64),
    /// Normal of this mean and standard deviation, cut off below a tenth of the mean.
    Normal(f64, f64),
}

impl Distribution {
    /// The mean in seconds; for the normal one before it is cut off.
    #[must_use]
    pub fn mean_s(&self) -> f64 {
        match *self {
            Self::Constant(mean)
            | Self::Exponential(mean)
            | Self::Erlang(_, mean)
            | Self::Lognormal(mean, _)
            | Self::Normal(mean, _) => mean,
            Self::Uniform(least, most) => (least + most) / 2.0,
            Self::Triangular(least, mode, most) => (least + mode + most) / 3.0,
            Self::Weibull(shape, scale) => scale * libm::tgamma(1.0 + 1.0 / shape),
        }
    }

    /// A time by chance, in nanoseconds. Never negative; held at the end of the range.
    pub fn draw_ns(&self, stream: &mut Stream) -> u64 {
        let seconds = match *self {
            Self::Constant(value) => value,
            Self::Uniform(least, most) => stream.between(least, most),
            Self::Triangular(least, mode, most) => triangular(least, mode, most, stream.unit()),
            Self::Exponential(mean) => -mean * libm::log(stream.unit()),
            Self::Erlang(stages, mean) => {
                let stages = stages.max(1);
                let each = mean / f64::from(stages);
                (0..stages).map(|_| -each * libm::log(stream.unit())).sum()
            }
            Self::Lognormal(mean, variation) => {
                let variance = libm::log(1.0 + variation * variation);
                let centre = libm::log(mean) - variance / 2.0;
                libm::exp(centre + libm::sqrt(variance) * normal(stream))
            }
            Self::Weibull(shape, scale) => {
                scale * libm::pow(-libm::log(stream.unit()), 1.0 / shape)
            }
            Self::Normal(mean, deviation) => (mean + deviation * normal(stream)).max(mean / 10.0),
        };
        to_ns(seconds)
    }
}

/// Seconds as nanoseconds; what is negative or no number is 0.
#[must_use]
pub(crate) fn to_ns(seconds: f64) -> u64 {
    // A conversion of a float to an integer holds at the ends of the range and makes 0 of NaN.
    (seconds * 1e9) as u64
}

/// A draw of the normal distribution of mean 0 and deviation 1 (Box and Muller).
pub(crate) fn normal(stream: &mut Stream) -> f64 {
    let radius = libm::sqrt(-2.0 * libm::log(stream.unit()));
    radius * libm::cos(std::f64::consts::TAU * stream.unit())
}

fn triangular(least: f64, mode: f64, most: f64, unit: f64) -> f64 {
    let width = most - least;
    if width <= 0.0 {
        return least;
    }
    let rising = (mode - least) / width;
    if unit < rising {
        least + libm::sqrt(unit * width * (mode - least))
    } else {
        most - libm::sqrt((1.0 - unit) * width * (most - mode))
    }
}

#[cfg(test)]
mod tests {
    use super::super::stream::{Purpose, Streams};
    use super::*;

    #[test]
    fn means_are_met_and_no_time_is_negative() {
        for (number, distribution) in [
            Distribution::Constant(60.0),
            Distribution::Uniform(50.0, 70.0),
            Distribution::Triangular(30.0, 50.0, 100.0),
            Distribution::Exponential(60.0),
            Distribution::Erlang(4, 60.0),
            Distribution::Lognormal(60.0, 1.2),
            Distribution::Weibull(1.8, 60.0),
            Distribution::Normal(60.0, 6.0),
        ]
        .into_iter()
        .enumerate()
        {
            let station = u32::try_from(number).unwrap();
            let mut stream = Streams::new(3, 0).stream(station, Purpose::Cycle);
            let draws = 40_000_u32;
            let sum: f64 = (0..draws)
                .map(|_| distribution.draw_ns(&mut stream) as f64 / 1e9)
                .sum();
            let (mean, wanted) = (sum / f64::from(draws), distribution.mean_s());
            // Four standard errors of the widest of them, the lognormal one.
            assert!(
                (mean - wanted).abs() < 60.0 * 1.2 * 4.0 / 200.0,
                "{distribution:?}: {mean}"
            );
        }
        let mut stream = Streams::new(1, 0).stream(0, Purpose::Cycle);
        assert_eq!(Distribution::Constant(-5.0).draw_ns(&mut stream), 0);
        assert_eq!(Distribution::Constant(f64::NAN).draw_ns(&mut stream), 0);
        assert_eq!(Distribution::Constant(1e300).draw_ns(&mut stream), u64::MAX);
        let least = (0..1_000)
            .map(|_| Distribution::Normal(1.0, 5.0).draw_ns(&mut stream))
            .min();
        assert_eq!(least, Some(100_000_000));
    }

    #[test]
    fn the_draws_of_a_seed_stay_as_they_are() {
        // A change here changes every seeded run: results that were kept could not be made again.
        let mut stream = Streams::new(42, 0).stream(7, Purpose::Repair);
        let drawn: Vec<u64> = [
            Distribution::Exponential(100.0),
            Distribution::Lognormal(100.0, 0.8),
            Distribution::Weibull(0.9, 100.0),
        ]
        .iter()
        .map(|one| one.draw_ns(&mut stream))
        .collect();
        assert_eq!(drawn, [177_420_727_229, 70_786_164_029, 33_435_960_444]);
    }
}
