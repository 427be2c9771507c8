//! Likelihoods of families with one or two parameters.

use super::{Family, FitError, Observation, Parameter};
use crate::kernel::Distribution;
use crate::kernel::special::log_gamma_survival;

/// What is fitted to: times in seconds and their logarithms.
#[derive(Clone, Debug)]
pub(super) struct Data {
    pub(super) exact: Vec<Value>,
    pub(super) censored: Vec<Value>,
}

/// A time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Value {
    pub(super) seconds: f64,
    pub(super) log: f64,
}

impl Data {
    pub(super) fn new(observations: &[Observation]) -> Result<Self, FitError> {
        let (mut exact, mut censored) = (Vec::new(), Vec::new());
        for (index, one) in observations.iter().enumerate() {
            let seconds = one.seconds;
            // What has just begun says nothing.
            if one.is_censored && seconds == 0.0 {
                continue;
            }
            if !(seconds.is_finite() && seconds > 0.0) {
                return Err(FitError::Value { index, seconds });
            }
            let log = libm::log(seconds);
            let to = if one.is_censored {
                &mut censored
            } else {
                &mut exact
            };
            to.push(Value { seconds, log });
        }
        if exact.is_empty() {
            let censored = observations.len();
            return Err(FitError::NothingEnded { censored });
        }
        Ok(Self { exact, censored })
    }

    /// Whether there are two exact values that differ.
    pub(super) fn is_spread(&self) -> bool {
        let first = self.exact.first().map(|value| value.seconds);
        self.exact.iter().any(|value| Some(value.seconds) != first)
    }

    /// All times, censored ones included.
    pub(super) fn all(&self) -> impl Iterator<Item = &Value> {
        self.exact.iter().chain(&self.censored)
    }

    /// The exact times.
    pub(super) fn seconds(&self) -> impl Iterator<Item = f64> + Clone {
        self.exact.iter().map(|value| value.seconds)
    }
}

/// A family, with what is fixed in it. Its parameters are worked on where they have no bounds: as logarithms,
/// but for the means of the normal ones.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Model {
    Exponential,
    Weibull,
    Lognormal,
    Gamma,
    LogLogistic,
    Normal,
    Erlang(u32),
}

/// Of a family with one parameter the second one is not used.
pub(super) type Point = [f64; 2];

impl Model {
    pub(super) fn of(family: Family) -> Option<Self> {
        Some(match family {
            Family::Exponential => Self::Exponential,
            Family::Weibull => Self::Weibull,
            Family::Lognormal => Self::Lognormal,
            Family::Gamma => Self::Gamma,
            Family::LogLogistic => Self::LogLogistic,
            Family::Normal => Self::Normal,
            Family::Erlang | Family::LognormalMixture | Family::Empirical => return None,
        })
    }

    /// How many parameters are fitted at a point.
    pub(super) fn dimensions(self) -> usize {
        match self {
            Self::Exponential | Self::Erlang(_) => 1,
            _ => 2,
        }
    }

    /// The distribution at a point.
    pub(super) fn distribution(self, at: Point) -> Distribution {
        let [a, b] = at;
        match self {
            Self::Exponential => Distribution::Exponential(libm::exp(a)),
            Self::Weibull => Distribution::Weibull(libm::exp(a), libm::exp(b)),
            Self::Lognormal => lognormal(a, libm::exp(b)),
            Self::Gamma => Distribution::Gamma(libm::exp(a), libm::exp(b)),
            Self::LogLogistic => Distribution::LogLogistic(libm::exp(a), libm::exp(b)),
            Self::Normal => Distribution::Normal(a, libm::exp(b)),
            Self::Erlang(stages) => Distribution::Erlang(stages, libm::exp(a)),
        }
    }

    /// The parameters at a point, from the standard errors of its coordinates.
    pub(super) fn parameters(self, at: Point, errors: Point) -> Vec<Parameter> {
        let plain = |name, index: usize| Parameter {
            name,
            value: at[index],
            standard_error: errors[index],
        };
        // The error of an exponential is that of its exponent times itself.
        let raised = |name, index: usize| Parameter {
            name,
            value: libm::exp(at[index]),
            standard_error: errors[index] * libm::exp(at[index]),
        };
        match self {
            Self::Exponential => vec![raised("mean", 0)],
            Self::Weibull | Self::Gamma | Self::LogLogistic => {
                vec![raised("shape", 0), raised("scale", 1)]
            }
            Self::Lognormal | Self::Normal => vec![plain("mu", 0), raised("sigma", 1)],
            Self::Erlang(stages) => {
                let value = f64::from(stages);
                let stages = Parameter {
                    name: "stages",
                    value,
                    standard_error: 0.0,
                };
                vec![stages, raised("mean", 0)]
            }
        }
    }

    /// The steps that tell how the likelihood bends at a point.
    pub(super) fn steps(self, at: Point) -> Point {
        match self {
            // Their mean moves on the scale of their deviation.
            Self::Lognormal | Self::Normal => [1e-4 * libm::exp(at[1]), 1e-4],
            // Their logarithm of the scale moves on the scale of the deviation of the values.
            Self::Gamma => {
                let step = 1e-4 / libm::sqrt(1.0 + libm::exp(at[0]));
                [step, step]
            }
            Self::Weibull | Self::LogLogistic => [1e-4, 1e-4 / (1.0 + libm::exp(at[0]))],
            Self::Exponential | Self::Erlang(_) => [1e-4, 1e-4],
        }
    }

    /// The logarithm of the likelihood of data at a point.
    pub(super) fn log_likelihood(self, data: &Data, at: Point) -> f64 {
        let [a, b] = at;
        match self {
            Self::Exponential => sum(
                data,
                |t| -a - t.seconds / libm::exp(a),
                |t| -t.seconds / libm::exp(a),
            ),
            Self::Weibull => {
                let shape = libm::exp(a);
                let power = |t: Value| libm::exp(shape * (t.log - b));
                sum(
                    data,
                    |t| a - b + (shape - 1.0) * (t.log - b) - power(t),
                    |t| -power(t),
                )
            }
            Self::Lognormal => {
                let sigma = libm::exp(b);
                let z = |t: Value| (t.log - a) / sigma;
                sum(
                    data,
                    |t| log_normal_density(z(t)) - b - t.log,
                    |t| log_normal_survival(z(t)),
                )
            }
            Self::Gamma => gamma(data, libm::exp(a), b),
            Self::Erlang(stages) => {
                let shape = f64::from(stages);
                gamma(data, shape, a - libm::log(shape))
            }
            Self::LogLogistic => {
                let shape = libm::exp(a);
                let power = |t: Value| shape * (t.log - b);
                sum(
                    data,
                    |t| a - t.log + power(t) - 2.0 * log_1_exp(power(t)),
                    |t| -log_1_exp(power(t)),
                )
            }
            Self::Normal => {
                let sigma = libm::exp(b);
                let z = |t: Value| (t.seconds - a) / sigma;
                sum(
                    data,
                    |t| log_normal_density(z(t)) - b,
                    |t| log_normal_survival(z(t)),
                )
            }
        }
    }
}

/// The lognormal distribution of these parameters of the logarithm.
pub(super) fn lognormal(mu: f64, sigma: f64) -> Distribution {
    let variance = sigma * sigma;
    Distribution::Lognormal(
        libm::exp(mu + variance / 2.0),
        libm::sqrt(libm::expm1(variance)),
    )
}

fn sum(data: &Data, density: impl Fn(Value) -> f64, survival: impl Fn(Value) -> f64) -> f64 {
    let exact: f64 = data.exact.iter().map(|t| density(*t)).sum();
    let censored: f64 = data.censored.iter().map(|t| survival(*t)).sum();
    exact + censored
}

fn gamma(data: &Data, shape: f64, log_scale: f64) -> f64 {
    let scale = libm::exp(log_scale);
    let constant = libm::lgamma(shape) + shape * log_scale;
    sum(
        data,
        |t| (shape - 1.0) * t.log - t.seconds / scale - constant,
        |t| log_gamma_survival(shape, t.seconds / scale),
    )
}

/// The logarithm of the density of a standard normal value.
pub(super) fn log_normal_density(z: f64) -> f64 {
    -z * z / 2.0 - libm::log(std::f64::consts::TAU) / 2.0
}

/// The logarithm of the probability that a standard normal value is above `z`.
fn log_normal_survival(z: f64) -> f64 {
    if z < 35.0 {
        return libm::log(libm::erfc(z / std::f64::consts::SQRT_2) / 2.0);
    }
    // Far out the probability is too small for a number; its logarithm is not (Mills' ratio).
    log_normal_density(z) - libm::log(z) + libm::log1p(-1.0 / (z * z))
}

/// ln(1 + exp(x)), where exp(x) may be too large for a number.
fn log_1_exp(x: f64) -> f64 {
    x.max(0.0) + libm::log1p(libm::exp(-x.abs()))
}
