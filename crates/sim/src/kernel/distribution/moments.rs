//! Means and variances.

use super::Distribution;
use crate::kernel::special::{normal_cdf, normal_density};

impl Distribution {
    /// The mean in seconds; infinite where there is none.
    #[must_use]
    pub fn mean_s(&self) -> f64 {
        match self {
            Self::Constant(mean)
            | Self::Exponential(mean)
            | Self::Erlang(_, mean)
            | Self::Lognormal(mean, _)
            | Self::Poisson(mean)
            | Self::Bernoulli(mean) => *mean,
            Self::Uniform(least, most) => (least + most) / 2.0,
            Self::Triangular(least, mode, most) => (least + mode + most) / 3.0,
            Self::Normal(mean, deviation) => cut_normal(*mean, *deviation).0,
            Self::Weibull(shape, scale) => scale * libm::tgamma(1.0 + 1.0 / shape),
            Self::ShiftedWeibull(shape, scale, location) => {
                location + scale * libm::tgamma(1.0 + 1.0 / shape)
            }
            Self::Gamma(shape, scale) => shape * scale,
            Self::LogLogistic(shape, scale) => scale * log_logistic_moment(*shape, 1.0),
            Self::Pert(least, mode, most) => (least + 4.0 * mode + most) / 6.0,
            Self::Beta {
                alpha,
                beta,
                least,
                most,
            } => least + (most - least) * alpha / (alpha + beta),
            Self::HyperExponential(values) | Self::Discrete(values) => {
                values.shares().map(|(share, value)| share * value).sum()
            }
            Self::Empirical(sample) => mean(sample.values()),
            Self::Trace(values) => mean(values),
            Self::ContinuousEmpirical(sample) => gaps(sample.values(), |a, b| (a + b) / 2.0),
            Self::Mixture(parts) => parts.shares().map(|(share, of)| share * of.mean_s()).sum(),
            Self::Geometric(p) => (1.0 - p) / p,
            Self::Binomial(tries, p) => f64::from(*tries) * p,
            Self::NegativeBinomial(successes, p) => successes * (1.0 - p) / p,
            Self::Scaled { factor, of } => factor * of.mean_s(),
            Self::Shifted { by, of } => by + of.mean_s(),
        }
    }

    /// The variance in square seconds; infinite where there is none.
    #[must_use]
    pub fn variance(&self) -> f64 {
        match self {
            Self::Constant(_) => 0.0,
            Self::Uniform(least, most) => (most - least) * (most - least) / 12.0,
            Self::Triangular(a, b, c) => (a * a + b * b + c * c - a * b - a * c - b * c) / 18.0,
            Self::Exponential(mean) => mean * mean,
            Self::Erlang(stages, mean) => mean * mean / f64::from((*stages).max(1)),
            Self::Lognormal(mean, variation) => mean * mean * variation * variation,
            Self::Weibull(shape, scale) | Self::ShiftedWeibull(shape, scale, _) => {
                let first = libm::tgamma(1.0 + 1.0 / shape);
                scale * scale * (libm::tgamma(1.0 + 2.0 / shape) - first * first)
            }
            Self::Normal(mean, deviation) => cut_normal(*mean, *deviation).1,
            Self::Gamma(shape, scale) => shape * scale * scale,
            Self::LogLogistic(shape, scale) => {
                let first = log_logistic_moment(*shape, 1.0);
                match log_logistic_moment(*shape, 2.0) {
                    f64::INFINITY => f64::INFINITY,
                    second => scale * scale * (second - first * first),
                }
            }
            Self::Pert(least, mode, most) => {
                let (alpha, beta) = Self::pert_shapes(*least, *mode, *most);
                match most - least {
                    width if width > 0.0 => width * width * beta_variance(alpha, beta),
                    _ => 0.0,
                }
            }
            Self::Beta {
                alpha,
                beta,
                least,
                most,
            } => (most - least) * (most - least) * beta_variance(*alpha, *beta),
            Self::Geometric(p) => (1.0 - p) / (p * p),
            Self::Bernoulli(p) => p * (1.0 - p),
            Self::Poisson(mean) => *mean,
            Self::Binomial(tries, p) => f64::from(*tries) * p * (1.0 - p),
            Self::NegativeBinomial(successes, p) => successes * (1.0 - p) / (p * p),
            Self::Scaled { factor, of } => factor * factor * of.variance(),
            Self::Shifted { of, .. } => of.variance(),
            _ => self.variance_of_list(),
        }
    }

    fn variance_of_list(&self) -> f64 {
        match self {
            Self::HyperExponential(means) => {
                let squares = means
                    .shares()
                    .map(|(share, mean)| 2.0 * share * mean * mean);
                squares.sum::<f64>() - self.mean_s() * self.mean_s()
            }
            Self::Discrete(values) => {
                let mean = self.mean_s();
                let parts = values.shares();
                parts
                    .map(|(share, x)| share * (x - mean) * (x - mean))
                    .sum()
            }
            Self::Empirical(sample) => variance(sample.values()),
            Self::Trace(values) => variance(values),
            Self::ContinuousEmpirical(sample) => {
                let mean = self.mean_s();
                gaps(sample.values(), |a, b| {
                    let (a, b) = (a - mean, b - mean);
                    (a * a + a * b + b * b) / 3.0
                })
            }
            Self::Mixture(parts) => {
                let mean = self.mean_s();
                let apart = |of: &Self| (of.mean_s() - mean) * (of.mean_s() - mean);
                let parts = parts.shares();
                parts
                    .map(|(share, of)| share * (of.variance() + apart(of)))
                    .sum()
            }
            _ => f64::NAN,
        }
    }

    /// The squared coefficient of variation: the variance divided by the square of the mean; 0 for what is
    /// always the same, 1 for an exponential time.
    #[must_use]
    pub fn scv(&self) -> f64 {
        match self.variance() {
            0.0 => 0.0,
            variance => variance / (self.mean_s() * self.mean_s()),
        }
    }
}

/// Mean and variance of a normal value that is drawn as a tenth of its mean where it is below that.
fn cut_normal(mean: f64, deviation: f64) -> (f64, f64) {
    if deviation <= 0.0 {
        return (mean, 0.0);
    }
    let cut = mean / 10.0;
    let z = (cut - mean) / deviation;
    let (below, above, density) = (normal_cdf(z), normal_cdf(-z), normal_density(z));
    let first = cut * below + mean * above + deviation * density;
    let second = cut * cut * below
        + (mean * mean + deviation * deviation) * above
        + deviation * density * (mean + cut);
    (first, second - first * first)
}

/// The mean of a power of a log-logistic value of scale 1.
fn log_logistic_moment(shape: f64, power: f64) -> f64 {
    if shape <= power {
        return f64::INFINITY;
    }
    let angle = std::f64::consts::PI * power / shape;
    angle / libm::sin(angle)
}

fn beta_variance(alpha: f64, beta: f64) -> f64 {
    let sum = alpha + beta;
    alpha * beta / (sum * sum * (sum + 1.0))
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn variance(values: &[f64]) -> f64 {
    let mean = mean(values);
    let squares = values.iter().map(|value| (value - mean) * (value - mean));
    squares.sum::<f64>() / values.len() as f64
}

/// The mean over the gaps between neighbours of what holds in each of them; of the one value where there is
/// no gap.
fn gaps(values: &[f64], of: impl Fn(f64, f64) -> f64) -> f64 {
    match values {
        [only] => of(*only, *only),
        _ => {
            let pairs = values.windows(2);
            let sum: f64 = pairs
                .filter_map(|two| Some(of(*two.first()?, *two.last()?)))
                .sum();
            sum / (values.len() as f64 - 1.0)
        }
    }
}
