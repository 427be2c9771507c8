//! Probabilities of values, and values of probabilities.

use super::Distribution;
use crate::kernel::special::{beta_cdf, gamma_cdf, normal_cdf, normal_quantile};

/// So many halvings leave nothing between the two ends.
const HALVINGS_MAX: usize = 200;

impl Distribution {
    /// The probability that a value is at most `x` seconds.
    #[must_use]
    pub fn cdf(&self, x: f64) -> f64 {
        if x.is_nan() {
            return f64::NAN;
        }
        match self {
            Self::Constant(value) => step(*value, x),
            Self::Uniform(least, most) if least < most => {
                ((x - least) / (most - least)).clamp(0.0, 1.0)
            }
            Self::Triangular(least, mode, most) if least < most => {
                triangular((*least, *mode, *most), x)
            }
            Self::Pert(least, mode, most) if least < most => {
                let (alpha, beta) = Self::pert_shapes(*least, *mode, *most);
                beta_cdf(alpha, beta, (x - least) / (most - least))
            }
            Self::Uniform(least, _) | Self::Triangular(least, ..) | Self::Pert(least, ..) => {
                step(*least, x)
            }
            Self::Beta {
                alpha,
                beta,
                least,
                most,
            } => beta_cdf(*alpha, *beta, (x - least) / (most - least)),
            Self::Normal(mean, deviation) => match x < mean / 10.0 {
                true => 0.0,
                false if *deviation == 0.0 => step(*mean, x),
                false => normal_cdf((x - mean) / deviation),
            },
            Self::Empirical(sample) => sample.share_to(x),
            Self::ContinuousEmpirical(sample) => sample.place_of(x),
            Self::Trace(values) => {
                let count = values.iter().filter(|value| **value <= x).count();
                count as f64 / values.len() as f64
            }
            Self::Discrete(values) => {
                let below = values.shares().filter(|(_, value)| **value <= x);
                below.map(|(share, _)| share).sum::<f64>().min(1.0)
            }
            Self::Mixture(parts) => {
                let parts = parts.shares().map(|(share, of)| share * of.cdf(x));
                parts.sum::<f64>().min(1.0)
            }
            Self::Scaled { factor, of } => of.cdf(x / factor),
            Self::Shifted { by, of } => of.cdf(x - by),
            Self::ShiftedWeibull(shape, scale, location) => {
                Self::Weibull(*shape, *scale).cdf(x - location)
            }
            _ if x < 0.0 => 0.0,
            _ if x == f64::INFINITY => 1.0,
            _ => self.cdf_from_0(x),
        }
    }

    /// For those that begin at 0, at an `x` that is neither negative nor infinite.
    fn cdf_from_0(&self, x: f64) -> f64 {
        let count = libm::floor(x);
        match self {
            Self::Exponential(mean) => -libm::expm1(-x / mean),
            Self::Erlang(stages, mean) => {
                let stages = f64::from((*stages).max(1));
                gamma_cdf(stages, x * stages / mean)
            }
            Self::Gamma(shape, scale) => gamma_cdf(*shape, x / scale),
            Self::Lognormal(mean, variation) => {
                let variance = libm::log(1.0 + variation * variation);
                match variance > 0.0 {
                    true => {
                        let centre = libm::log(*mean) - variance / 2.0;
                        normal_cdf((libm::log(x) - centre) / libm::sqrt(variance))
                    }
                    false => step(*mean, x),
                }
            }
            Self::Weibull(shape, scale) => -libm::expm1(-libm::pow(x / scale, *shape)),
            Self::LogLogistic(shape, scale) => 1.0 / (1.0 + libm::pow(x / scale, -shape)),
            Self::HyperExponential(means) => {
                let parts = means.shares();
                let parts = parts.map(|(share, mean)| -share * libm::expm1(-x / mean));
                parts.sum::<f64>().min(1.0)
            }
            Self::Geometric(p) => -libm::expm1((count + 1.0) * libm::log1p(-p)),
            Self::Bernoulli(p) => match x < 1.0 {
                true => 1.0 - p,
                false => 1.0,
            },
            Self::Poisson(mean) => 1.0 - gamma_cdf(count + 1.0, *mean),
            Self::Binomial(tries, p) => match f64::from(*tries) {
                tries if count >= tries => 1.0,
                tries => beta_cdf(tries - count, count + 1.0, 1.0 - p),
            },
            Self::NegativeBinomial(successes, p) => beta_cdf(*successes, count + 1.0, *p),
            _ => f64::NAN,
        }
    }

    /// The least value in seconds that is not exceeded with probability `p`, which is held between 0 and 1.
    /// In closed form where there is one, else by halving an interval.
    #[must_use]
    pub fn quantile(&self, p: f64) -> f64 {
        if p.is_nan() {
            return f64::NAN;
        }
        let p = p.clamp(0.0, 1.0);
        match self {
            Self::Constant(value) => *value,
            Self::Uniform(least, most) => least + (most - least) * p,
            Self::Exponential(mean) => -mean * libm::log1p(-p),
            Self::Lognormal(mean, variation) if *variation > 0.0 => {
                let variance = libm::log(1.0 + variation * variation);
                let centre = libm::log(*mean) - variance / 2.0;
                libm::exp(centre + libm::sqrt(variance) * normal_quantile(p))
            }
            Self::Lognormal(mean, _) => *mean,
            Self::Weibull(shape, scale) => scale * libm::pow(-libm::log1p(-p), 1.0 / shape),
            Self::ShiftedWeibull(shape, scale, location) => {
                location + scale * libm::pow(-libm::log1p(-p), 1.0 / shape)
            }
            Self::LogLogistic(shape, scale) => scale * libm::pow(p / (1.0 - p), 1.0 / shape),
            Self::Normal(mean, deviation) if *deviation > 0.0 => {
                (mean + deviation * normal_quantile(p)).max(mean / 10.0)
            }
            Self::Normal(mean, _) => *mean,
            Self::ContinuousEmpirical(sample) => sample.between(p),
            Self::Scaled { factor, of } => factor * of.quantile(p),
            Self::Shifted { by, of } => by + of.quantile(p),
            _ => self.search(p),
        }
    }

    fn search(&self, p: f64) -> f64 {
        let mut high = self.mean_s().clamp(1e-9, 1e18);
        while self.cdf(high) < p {
            high *= 2.0;
            if high == f64::INFINITY {
                return high;
            }
        }
        let mut low = 0.0;
        if self.cdf(low) >= p {
            return low;
        }
        for _ in 0..HALVINGS_MAX {
            let middle = low + (high - low) / 2.0;
            if middle <= low || middle >= high {
                break;
            }
            match self.cdf(middle) >= p {
                true => high = middle,
                false => low = middle,
            }
        }
        high
    }
}

/// The probability of at most `x` where the value is always the same.
fn step(value: f64, x: f64) -> f64 {
    f64::from(u8::from(x >= value))
}

fn triangular((least, mode, most): (f64, f64, f64), x: f64) -> f64 {
    let width = most - least;
    if x <= least {
        0.0
    } else if x >= most {
        1.0
    } else if x < mode {
        (x - least) * (x - least) / (width * (mode - least))
    } else {
        1.0 - (most - x) * (most - x) / (width * (most - mode))
    }
}
