//! What is wrong with a distribution that cannot be drawn from.

use super::Distribution;

/// Why a distribution cannot be drawn from.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum DistributionError {
    /// A parameter is out of range.
    #[error("{family}: its {parameter} is {value} and has to be {wanted}")]
    Parameter {
        /// The family of the distribution.
        family: &'static str,
        /// The name of the parameter.
        parameter: &'static str,
        /// What it is, in seconds where it is a time.
        value: f64,
        /// What it has to be.
        wanted: &'static str,
    },
    /// Its parameters do not fit together, or there are none.
    #[error("{family}: {wrong}")]
    Whole {
        /// The family of the distribution.
        family: &'static str,
        /// What is wrong.
        wrong: &'static str,
    },
}

type Checked = Result<(), DistributionError>;

impl Distribution {
    /// Checks that it can be drawn from.
    ///
    /// # Errors
    ///
    /// The first [`DistributionError`]: a parameter that is out of range, infinite or no number, parameters
    /// that do not fit together, an empty list.
    pub fn check(&self) -> Checked {
        let of = Of(self.family());
        match self {
            Self::Constant(value) => of.not_negative("value", *value),
            Self::Uniform(least, most) => of.ascending(&[("least", *least), ("most", *most)]),
            Self::Triangular(least, mode, most) | Self::Pert(least, mode, most) => {
                of.ascending(&[("least", *least), ("mode", *mode), ("most", *most)])
            }
            Self::Beta {
                alpha,
                beta,
                least,
                most,
            } => {
                of.all_positive(&[("alpha", *alpha), ("beta", *beta)])?;
                of.ascending(&[("least", *least), ("most", *most)])
            }
            Self::Exponential(mean) | Self::Poisson(mean) => of.positive("mean", *mean),
            Self::Erlang(stages, mean) => {
                of.all_positive(&[("stages", f64::from(*stages)), ("mean", *mean)])
            }
            Self::Lognormal(mean, variation) => {
                of.positive("mean", *mean)?;
                of.not_negative("cv", *variation)
            }
            Self::Normal(mean, deviation) => {
                of.positive("mean", *mean)?;
                of.not_negative("sd", *deviation)
            }
            Self::Weibull(shape, scale)
            | Self::Gamma(shape, scale)
            | Self::LogLogistic(shape, scale) => {
                of.all_positive(&[("shape", *shape), ("scale", *scale)])
            }
            Self::ShiftedWeibull(shape, scale, location) => {
                of.all_positive(&[("shape", *shape), ("scale", *scale)])?;
                of.not_negative("location", *location)
            }
            Self::Geometric(p) => of.probability("p", *p),
            Self::Bernoulli(p) => of.share("p", *p),
            Self::Binomial(_, p) => of.share("p", *p),
            Self::NegativeBinomial(successes, p) => {
                of.positive("r", *successes)?;
                of.probability("p", *p)
            }
            Self::Scaled { factor, of: other } => {
                of.positive("factor", *factor)?;
                other.check()
            }
            Self::Shifted { by, of: other } => {
                of.not_negative("by", *by)?;
                other.check()
            }
            _ => self.check_list(&of),
        }
    }

    fn check_list(&self, of: &Of) -> Checked {
        match self {
            Self::HyperExponential(means) => means
                .weights()
                .try_for_each(|(_, mean)| of.positive("mean", *mean)),
            Self::Discrete(values) => values
                .weights()
                .try_for_each(|(_, value)| of.not_negative("value", *value)),
            Self::Empirical(sample) | Self::ContinuousEmpirical(sample) => {
                list(self.family(), sample.values())
            }
            Self::Trace(values) => list(self.family(), values),
            Self::Mixture(parts) => parts.weights().try_for_each(|(_, part)| {
                of.holds(
                    !part.has_trace(),
                    "a trace loses its order in it: use empirical(...) there",
                )?;
                part.check()
            }),
            _ => Ok(()),
        }
    }

    /// Itself, if it can be drawn from.
    pub(super) fn checked(self) -> Result<Self, DistributionError> {
        self.check().map(|()| self)
    }

    fn has_trace(&self) -> bool {
        match self {
            Self::Trace(_) => true,
            Self::Scaled { of, .. } | Self::Shifted { of, .. } => of.has_trace(),
            _ => false,
        }
    }
}

/// Values of a list are times, and there is at least one.
pub(super) fn list(family: &'static str, values: &[f64]) -> Checked {
    let of = Of(family);
    of.holds(!values.is_empty(), "it has no value")?;
    values
        .iter()
        .try_for_each(|value| of.not_negative("value", *value))
}

/// The family whose parameters are looked at.
struct Of(&'static str);

impl Of {
    fn positive(&self, parameter: &'static str, value: f64) -> Checked {
        let fits = value > 0.0 && value.is_finite();
        self.fits(fits, parameter, value, "above 0 and finite")
    }

    fn all_positive(&self, parameters: &[(&'static str, f64)]) -> Checked {
        let mut parameters = parameters.iter();
        parameters.try_for_each(|(parameter, value)| self.positive(parameter, *value))
    }

    fn not_negative(&self, parameter: &'static str, value: f64) -> Checked {
        let fits = value >= 0.0 && value.is_finite();
        self.fits(fits, parameter, value, "at least 0 and finite")
    }

    fn share(&self, parameter: &'static str, value: f64) -> Checked {
        let fits = (0.0..=1.0).contains(&value);
        self.fits(fits, parameter, value, "between 0 and 1")
    }

    fn probability(&self, parameter: &'static str, value: f64) -> Checked {
        let fits = value > 0.0 && value <= 1.0;
        self.fits(fits, parameter, value, "above 0 and at most 1")
    }

    /// Times that do not descend; the first and the last may be the same.
    fn ascending(&self, parameters: &[(&'static str, f64)]) -> Checked {
        for (parameter, value) in parameters {
            self.not_negative(parameter, *value)?;
        }
        let ascends = parameters.is_sorted_by(|(_, a), (_, b)| a <= b);
        self.holds(ascends, "its times are to be given in ascending order")
    }

    fn fits(
        &self,
        fits: bool,
        parameter: &'static str,
        value: f64,
        wanted: &'static str,
    ) -> Checked {
        let family = self.0;
        match fits {
            true => Ok(()),
            false => Err(DistributionError::Parameter {
                family,
                parameter,
                value,
                wanted,
            }),
        }
    }

    fn holds(&self, holds: bool, wrong: &'static str) -> Checked {
        let family = self.0;
        match holds {
            true => Ok(()),
            false => Err(DistributionError::Whole { family, wrong }),
        }
    }
}
