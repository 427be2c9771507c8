//! Distributions of times and counts; the same draw gives the same value on every machine.

mod check;
mod choice;
mod construct;
mod cumulative;
mod draw;
mod moments;
mod parse;
mod text;

#[cfg(test)]
mod tests;

pub use check::DistributionError;
pub use choice::{Sample, Weighted};
pub(crate) use draw::{normal, to_ns};
pub use parse::ParseDistributionError;

use std::sync::Arc;

/// A distribution of times. All parameters are seconds, but for shapes, counts, weights, probabilities and
/// coefficients of variation, which have no unit. Distributions of counts give their count as seconds.
///
/// A clone is cheap: lists are shared. As text it reads like `lognormal(mean 62 s, cv 0.05)`, and such
/// text, or the shorter `lognormal(mean=62s, cv=0.05)`, is read by [`std::str::FromStr`].
///
/// ```
/// use werkbuch_sim::kernel::Distribution;
///
/// let repair: Distribution =
///     "mixture(0.9 exponential(mean=40s), 0.1 lognormal(mean=20m, cv=0.8))".parse()?;
/// assert!((repair.mean_s() - (0.9 * 40.0 + 0.1 * 1_200.0)).abs() < 1e-9);
/// assert_eq!("60s".parse(), Ok(Distribution::Constant(60.0)));
/// let wrong = "lognorml(mean=62s, cv=0.05)".parse::<Distribution>().map_err(|e| e.to_string());
/// assert_eq!(
///     wrong,
///     Err("there is no distribution \"lognorml\": did you mean \"lognormal\"? (at character 1)".into())
/// );
/// # Ok::<(), werkbuch_sim::kernel::ParseDistributionError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
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
    /// Normal of this mean and standard deviation; what is below a tenth of the mean is drawn as that tenth.
    Normal(f64, f64),
    /// Gamma of this shape and scale; its mean is their product.
    Gamma(f64, f64),
    /// Log-logistic of this shape and scale, which is its median; without a mean where the shape is at most 1.
    LogLogistic(f64, f64),
    /// Weibull with three parameters: shape, scale, and the location before which nothing happens.
    ShiftedWeibull(f64, f64, f64),
    /// PERT: beta from the first to the third, most often near the second, which weighs four times as much as
    /// the ends (Malcolm, Roseboom, Clark and Fazar 1959, Operations Research 7).
    Pert(f64, f64, f64),
    /// Beta of two shapes on an interval.
    Beta {
        /// The shape at the lower end.
        alpha: f64,
        /// The shape at the upper end.
        beta: f64,
        /// The lower end.
        least: f64,
        /// The upper end.
        most: f64,
    },
    /// One of several exponential times, by their weights; the values are their means.
    HyperExponential(Weighted<f64>),
    /// One of several values, by their weights.
    Discrete(Weighted<f64>),
    /// One of the values that were observed.
    Empirical(Sample),
    /// Between the values that were observed: each gap between neighbours is as likely as another, and all
    /// within it are alike (Law, Simulation Modeling and Analysis, 6.2.4).
    ContinuousEmpirical(Sample),
    /// One of several distributions, by their weights, as for short and long stops.
    Mixture(Weighted<Distribution>),
    /// The values one after the other, then from the beginning again. Its position is that of the stream, see
    /// [`Stream::position`](super::Stream::position): a trace wants a stream of its own, and a copy of the
    /// stream goes on where the stream is.
    Trace(Arc<[f64]>),
    /// How many tries of this probability fail before the first one that does not.
    Geometric(f64),
    /// 1 with this probability, else 0.
    Bernoulli(f64),
    /// A count of events that do not depend on each other, with this mean.
    Poisson(f64),
    /// How many of so many tries, each of this probability, succeed.
    Binomial(u32, f64),
    /// How many tries fail before so many have succeeded, with this probability each. The first number need
    /// not be whole.
    NegativeBinomial(f64, f64),
    /// So many times another one: half the repair time is a factor of 0.5.
    Scaled {
        /// The factor.
        factor: f64,
        /// The other one.
        of: Arc<Distribution>,
    },
    /// Another one and so much more.
    Shifted {
        /// How much more, in seconds.
        by: f64,
        /// The other one.
        of: Arc<Distribution>,
    },
}

impl Distribution {
    /// One of several values in seconds, by their weights, which need not sum to 1.
    ///
    /// # Errors
    ///
    /// No value, a weight or value that is negative or no number, weights that come to nothing.
    pub fn discrete(
        choices: impl IntoIterator<Item = (f64, f64)>,
    ) -> Result<Self, DistributionError> {
        Self::Discrete(Weighted::new("discrete", choices)?).checked()
    }

    /// One of several exponential times: their probabilities and their means in seconds.
    ///
    /// # Errors
    ///
    /// As for [`discrete`](Self::discrete); a mean has to be above 0.
    pub fn hyper_exponential(
        choices: impl IntoIterator<Item = (f64, f64)>,
    ) -> Result<Self, DistributionError> {
        Self::HyperExponential(Weighted::new("hyper-exponential", choices)?).checked()
    }

    /// One of several distributions, by their weights.
    ///
    /// # Errors
    ///
    /// As for [`discrete`](Self::discrete), what is wrong with a part, and a trace among the parts, which
    /// would lose its order.
    pub fn mixture(
        choices: impl IntoIterator<Item = (f64, Self)>,
    ) -> Result<Self, DistributionError> {
        Self::Mixture(Weighted::new("mixture", choices)?).checked()
    }

    /// One of the values that were observed, in seconds.
    ///
    /// # Errors
    ///
    /// No value, or one that is negative, infinite or no number.
    pub fn empirical(values: impl IntoIterator<Item = f64>) -> Result<Self, DistributionError> {
        Self::Empirical(Sample::new("empirical", values)?).checked()
    }

    /// A value between those that were observed, in seconds.
    ///
    /// # Errors
    ///
    /// As for [`empirical`](Self::empirical).
    pub fn continuous_empirical(
        values: impl IntoIterator<Item = f64>,
    ) -> Result<Self, DistributionError> {
        Self::ContinuousEmpirical(Sample::new("continuous-empirical", values)?).checked()
    }

    /// The values one after the other, in seconds.
    ///
    /// # Errors
    ///
    /// As for [`empirical`](Self::empirical).
    pub fn trace(values: impl IntoIterator<Item = f64>) -> Result<Self, DistributionError> {
        Self::Trace(values.into_iter().collect()).checked()
    }

    /// So many times this one: `scaled(0.5)` takes half the time.
    #[must_use]
    pub fn scaled(self, factor: f64) -> Self {
        Self::Scaled {
            factor,
            of: Arc::new(self),
        }
    }

    /// This one and so many seconds more.
    #[must_use]
    pub fn shifted(self, by: f64) -> Self {
        Self::Shifted {
            by,
            of: Arc::new(self),
        }
    }

    /// The name of its family, as it stands in text.
    #[must_use]
    pub fn family(&self) -> &'static str {
        match self {
            Self::Constant(_) => "constant",
            Self::Uniform(..) => "uniform",
            Self::Triangular(..) => "triangular",
            Self::Exponential(_) => "exponential",
            Self::Erlang(..) => "erlang",
            Self::Lognormal(..) => "lognormal",
            Self::Weibull(..) | Self::ShiftedWeibull(..) => "weibull",
            Self::Normal(..) => "normal",
            Self::Gamma(..) => "gamma",
            Self::LogLogistic(..) => "log-logistic",
            Self::Pert(..) => "pert",
            Self::Beta { .. } => "beta",
            Self::HyperExponential(_) => "hyper-exponential",
            Self::Discrete(_) => "discrete",
            Self::Empirical(_) => "empirical",
            Self::ContinuousEmpirical(_) => "continuous-empirical",
            Self::Mixture(_) => "mixture",
            Self::Trace(_) => "trace",
            Self::Geometric(_) => "geometric",
            Self::Bernoulli(_) => "bernoulli",
            Self::Poisson(_) => "poisson",
            Self::Binomial(..) => "binomial",
            Self::NegativeBinomial(..) => "negative-binomial",
            Self::Scaled { .. } => "scaled",
            Self::Shifted { .. } => "shifted",
        }
    }

    /// The two shapes of a PERT distribution.
    fn pert_shapes(least: f64, mode: f64, most: f64) -> (f64, f64) {
        let width = most - least;
        (
            1.0 + 4.0 * (mode - least) / width,
            1.0 + 4.0 * (most - mode) / width,
        )
    }
}
