//! Values by chance.

use super::Distribution;
use crate::kernel::Stream;

/// From this mean on counts are found by rejection: counting up to them would take too long.
const COUNT_MEAN_MIN: f64 = 10.0;

/// No count is searched further than this; at a mean below ten nobody gets there.
const COUNT_MAX: u32 = 1_000;

impl Distribution {
    /// A time by chance, in nanoseconds. Never negative; held at the end of the range.
    pub fn draw_ns(&self, stream: &mut Stream) -> u64 {
        to_ns(self.draw_s(stream))
    }

    /// A value by chance, in seconds; a count of a distribution of counts. Parameters that
    /// [`check`](Self::check) refuses may give anything, but end.
    pub fn draw_s(&self, stream: &mut Stream) -> f64 {
        match *self {
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
            _ => self.draw_rare(stream),
        }
    }

    /// The rest: apart, so that what is drawn most often stays small.
    fn draw_rare(&self, stream: &mut Stream) -> f64 {
        match self {
            Self::Gamma(shape, scale) => scale * libm::exp(log_gamma(*shape, stream)),
            Self::LogLogistic(shape, scale) => {
                let unit = stream.unit();
                scale * libm::pow(unit / (1.0 - unit), 1.0 / shape)
            }
            Self::ShiftedWeibull(shape, scale, location) => {
                location + scale * libm::pow(-libm::log(stream.unit()), 1.0 / shape)
            }
            Self::Pert(least, mode, most) => {
                if least >= most {
                    return *least;
                }
                let (alpha, beta) = Self::pert_shapes(*least, *mode, *most);
                least + (most - least) * beta_draw(alpha, beta, stream)
            }
            Self::Beta {
                alpha,
                beta,
                least,
                most,
            } => least + (most - least) * beta_draw(*alpha, *beta, stream),
            Self::HyperExponential(means) => {
                let mean = means.at(stream.unit()).copied().unwrap_or(0.0);
                -mean * libm::log(stream.unit())
            }
            Self::Discrete(values) => values.at(stream.unit()).copied().unwrap_or(0.0),
            Self::Empirical(sample) => sample.at(stream.unit()),
            Self::ContinuousEmpirical(sample) => sample.between(stream.unit()),
            Self::Mixture(parts) => match parts.at(stream.unit()) {
                Some(part) => part.draw_s(stream),
                None => 0.0,
            },
            Self::Trace(values) => next_of(values, stream),
            Self::Geometric(p) => libm::floor(libm::log(stream.unit()) / libm::log1p(-p)),
            Self::Bernoulli(p) => f64::from(u8::from(stream.chance(*p))),
            Self::Poisson(mean) => poisson(*mean, stream),
            Self::Binomial(tries, p) => binomial(*tries, *p, stream),
            Self::NegativeBinomial(successes, p) => {
                // A Poisson count whose mean is a gamma value.
                let mean = libm::exp(log_gamma(*successes, stream)) * (1.0 - p) / p;
                poisson(mean, stream)
            }
            Self::Scaled { factor, of } => factor * of.draw_s(stream),
            Self::Shifted { by, of } => by + of.draw_s(stream),
            _ => 0.0,
        }
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

/// The value whose turn it is; takes one draw of the stream, which moves its position on.
fn next_of(values: &[f64], stream: &mut Stream) -> f64 {
    let turn = stream.position();
    stream.bits();
    let count = u64::try_from(values.len()).unwrap_or(u64::MAX).max(1);
    let at = usize::try_from(turn % count).unwrap_or(0);
    values.get(at).copied().unwrap_or(0.0)
}

/// The logarithm of a gamma value of scale 1 (Marsaglia and Tsang 2000, ACM Transactions on Mathematical
/// Software 26; for shapes below 1 a value of the next shape and a power of an even one). As a logarithm,
/// because values of small shapes are too small for a number.
fn log_gamma(shape: f64, stream: &mut Stream) -> f64 {
    if !(shape > 0.0 && shape.is_finite()) {
        return f64::NAN;
    }
    if shape < 1.0 {
        return log_gamma(shape + 1.0, stream) + libm::log(stream.unit()) / shape;
    }
    let d = shape - 1.0 / 3.0;
    let c = 1.0 / libm::sqrt(9.0 * d);
    loop {
        let x = normal(stream);
        let root = 1.0 + c * x;
        if root <= 0.0 {
            continue;
        }
        let log_v = 3.0 * libm::log(root);
        let v = root * root * root;
        if libm::log(stream.unit()) < x * x / 2.0 + d - d * v + d * log_v {
            return libm::log(d) + log_v;
        }
    }
}

/// A beta value between 0 and 1: the share of one gamma value in two.
fn beta_draw(alpha: f64, beta: f64, stream: &mut Stream) -> f64 {
    let first = log_gamma(alpha, stream);
    let second = log_gamma(beta, stream);
    1.0 / (1.0 + libm::exp(second - first))
}

/// A Poisson count: by inversion where the mean is small, else by transformed rejection (PTRS of Hörmann
/// 1993, Insurance: Mathematics and Economics 12).
fn poisson(mean: f64, stream: &mut Stream) -> f64 {
    if !(mean > 0.0 && mean.is_finite()) {
        return 0.0;
    }
    if mean < COUNT_MEAN_MIN {
        let next = |count: u32| mean / f64::from(count);
        return count_up(libm::exp(-mean), next, COUNT_MAX, stream);
    }
    let (root, log_mean) = (libm::sqrt(mean), libm::log(mean));
    let b = 0.931 + 2.53 * root;
    let a = -0.059 + 0.024_83 * b;
    let inverse_alpha = 1.1239 + 1.1328 / (b - 3.4);
    let inner = 0.9277 - 3.6224 / (b - 2.0);
    loop {
        let u = stream.unit() - 0.5;
        let v = stream.unit();
        let edge = 0.5 - u.abs();
        let count = libm::floor((2.0 * a / edge + b) * u + mean + 0.43);
        if edge >= 0.07 && v <= inner {
            return count;
        }
        if count < 0.0 || (edge < 0.013 && v > edge) {
            continue;
        }
        let drawn = libm::log(v * inverse_alpha / (a / (edge * edge) + b));
        if drawn <= count * log_mean - mean - libm::lgamma(count + 1.0) {
            return count;
        }
    }
}

/// A binomial count: by inversion where the mean is small, else by transformed rejection (BTRS of Hörmann
/// 1993, Journal of Statistical Computation and Simulation 46).
fn binomial(tries: u32, p: f64, stream: &mut Stream) -> f64 {
    let n = f64::from(tries);
    if p > 0.5 {
        return n - binomial(tries, 1.0 - p, stream);
    }
    if p.is_nan() || n * p <= 0.0 {
        return 0.0;
    }
    let odds = p / (1.0 - p);
    if n * p < COUNT_MEAN_MIN {
        let next = |count: u32| (n - f64::from(count) + 1.0) / f64::from(count) * odds;
        let none = libm::exp(n * libm::log1p(-p));
        return count_up(none, next, tries.min(COUNT_MAX), stream);
    }
    let spread = libm::sqrt(n * p * (1.0 - p));
    let b = 1.15 + 2.53 * spread;
    let a = -0.0873 + 0.0248 * b + 0.01 * p;
    let alpha = (2.83 + 5.1 / b) * spread;
    let inner = 0.92 - 4.2 / b;
    let mode = libm::floor((n + 1.0) * p);
    let ways = |count: f64| libm::lgamma(count + 1.0) + libm::lgamma(n - count + 1.0);
    loop {
        let u = stream.unit() - 0.5;
        let v = stream.unit();
        let edge = 0.5 - u.abs();
        let count = libm::floor((2.0 * a / edge + b) * u + n * p + 0.5);
        if edge >= 0.07 && v <= inner {
            return count;
        }
        if count < 0.0 || count > n {
            continue;
        }
        let drawn = libm::log(v * alpha / (a / (edge * edge) + b));
        if drawn <= ways(mode) - ways(count) + (count - mode) * libm::log(odds) {
            return count;
        }
    }
}

/// The count at which the sum of the probabilities passes a draw; `next` is the ratio of the probability of a
/// count to that of the one before.
fn count_up(none: f64, next: impl Fn(u32) -> f64, most: u32, stream: &mut Stream) -> f64 {
    let (mut left, mut share, mut count) = (stream.unit(), none, 0_u32);
    while left > share && count < most {
        left -= share;
        count += 1;
        share *= next(count);
    }
    f64::from(count)
}
