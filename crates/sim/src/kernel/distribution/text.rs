//! Distributions as text, which can be read back.

use super::{Distribution, Sample, Weighted};
use std::fmt::{Display, Formatter, Result};

impl Display for Distribution {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        write!(out, "{}(", self.family())?;
        self.parameters(out)?;
        out.write_str(")")
    }
}

/// Seconds, in hours or minutes where these are whole.
struct Time(f64);

impl Display for Time {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        let whole = |unit: f64| self.0 >= 2.0 * unit && self.0 % unit == 0.0 && self.0 < 1e9;
        if whole(3_600.0) {
            write!(out, "{} h", self.0 / 3_600.0)
        } else if whole(60.0) {
            write!(out, "{} min", self.0 / 60.0)
        } else {
            write!(out, "{} s", self.0)
        }
    }
}

impl Distribution {
    fn parameters(&self, out: &mut Formatter<'_>) -> Result {
        match self {
            Self::Constant(value) => write!(out, "{}", Time(*value)),
            Self::Uniform(least, most) => write!(out, "{}, {}", Time(*least), Time(*most)),
            Self::Triangular(least, mode, most) | Self::Pert(least, mode, most) => {
                write!(out, "{}, {}, {}", Time(*least), Time(*mode), Time(*most))
            }
            Self::Beta {
                alpha,
                beta,
                least,
                most,
            } => {
                let (least, most) = (Time(*least), Time(*most));
                write!(
                    out,
                    "alpha {alpha}, beta {beta}, least {least}, most {most}"
                )
            }
            Self::Exponential(mean) => write!(out, "mean {}", Time(*mean)),
            Self::Erlang(stages, mean) => write!(out, "stages {stages}, mean {}", Time(*mean)),
            Self::Lognormal(mean, cv) => write!(out, "mean {}, cv {cv}", Time(*mean)),
            Self::Normal(mean, sd) => write!(out, "mean {}, sd {}", Time(*mean), Time(*sd)),
            Self::Weibull(shape, scale)
            | Self::Gamma(shape, scale)
            | Self::LogLogistic(shape, scale) => {
                write!(out, "shape {shape}, scale {}", Time(*scale))
            }
            Self::ShiftedWeibull(shape, scale, location) => {
                let (scale, location) = (Time(*scale), Time(*location));
                write!(out, "shape {shape}, scale {scale}, location {location}")
            }
            Self::HyperExponential(values) | Self::Discrete(values) => {
                weighted(values, out, |value, out| write!(out, "{}", Time(*value)))
            }
            Self::Mixture(parts) => weighted(parts, out, |part, out| write!(out, "{part}")),
            Self::Empirical(sample) | Self::ContinuousEmpirical(sample) => {
                list(Sample::values(sample), out)
            }
            Self::Trace(values) => list(values, out),
            Self::Geometric(p) | Self::Bernoulli(p) => write!(out, "p {p}"),
            Self::Poisson(mean) => write!(out, "mean {mean}"),
            Self::Binomial(tries, p) => write!(out, "n {tries}, p {p}"),
            Self::NegativeBinomial(successes, p) => write!(out, "r {successes}, p {p}"),
            Self::Scaled { factor, of } => write!(out, "factor {factor}, {of}"),
            Self::Shifted { by, of } => write!(out, "by {}, {of}", Time(*by)),
        }
    }
}

fn weighted<T>(
    things: &Weighted<T>,
    out: &mut Formatter<'_>,
    show: impl Fn(&T, &mut Formatter<'_>) -> Result,
) -> Result {
    for (at, (weight, thing)) in things.weights().enumerate() {
        let comma = if at > 0 { ", " } else { "" };
        write!(out, "{comma}{weight} ")?;
        show(thing, out)?;
    }
    Ok(())
}

fn list(values: &[f64], out: &mut Formatter<'_>) -> Result {
    for (at, value) in values.iter().enumerate() {
        let comma = if at > 0 { ", " } else { "" };
        write!(out, "{comma}{}", Time(*value))?;
    }
    Ok(())
}
