//! Distributions fitted to what was recorded: times between failures, repair times, cycle times.
//!
//! Every family is fitted by maximum likelihood, and values of which only a lower bound is known (the machine
//! has not failed yet) count as such. Fits are ranked by AIC. Beside them: whether values drift
//! ([`changes`]), whether neighbours depend on each other ([`autocorrelation`]), and the fitted parameters by
//! chance ([`Fit::resample`]), so that a study knows what the data do not tell.
//!
//! ```
//! use werkbuch_sim::fit::{Family, Observation, fit};
//!
//! let hours = [12.0, 30.0, 45.0, 80.0].map(|h| Observation::exact(h * 3_600.0));
//! let running = [100.0, 100.0, 60.0].map(|h| Observation::censored(h * 3_600.0));
//! let fits = fit(&[&hours[..], &running[..]].concat())?;
//! let exponential = fits.iter().find(|fit| fit.family == Family::Exponential);
//! let mtbf_s = exponential.and_then(|fit| fit.parameter("mean"));
//! assert!(mtbf_s.is_some_and(|s| (s - 106.75 * 3_600.0).abs() < 1e-6));
//! # Ok::<(), werkbuch_sim::fit::FitError>(())
//! ```

mod drift;
mod estimate;
mod mixture;
mod model;
mod optimize;
mod resample;
mod select;
mod steady;
mod survival;
mod tail;
#[cfg(test)]
mod tests;

pub use drift::{Change, autocorrelation, changes, last_window, low_quantile};
pub use select::{
    Basis, OWN_VALUES_MIN, PARAMETRIC_VALUES_MIN, Reason, Selection, fit_pooled, fit_repairs,
    select,
};
pub use steady::{differ, steady_from};

use crate::kernel::Distribution;
use model::Data;
use resample::Uncertainty;
use tail::Tail;

/// One recorded interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Observation {
    /// How long it was, in seconds.
    pub seconds: f64,
    /// Whether it was still going on when it was last seen, so that it is longer than that.
    pub is_censored: bool,
}

impl Observation {
    /// An interval that has ended, in seconds.
    #[must_use]
    pub const fn exact(seconds: f64) -> Self {
        Self {
            seconds,
            is_censored: false,
        }
    }

    /// An interval that has not ended yet, in seconds so far.
    #[must_use]
    pub const fn censored(seconds: f64) -> Self {
        Self {
            seconds,
            is_censored: true,
        }
    }
}

/// A family of distributions that is fitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// Exponential: its parameter is `mean`.
    Exponential,
    /// Weibull: `shape`, `scale`.
    Weibull,
    /// Lognormal: `mu` and `sigma`, mean and standard deviation of the logarithm of the seconds.
    Lognormal,
    /// Gamma: `shape`, `scale`.
    Gamma,
    /// Log-logistic: `shape`, `scale`.
    LogLogistic,
    /// Normal: `mu`, `sigma`, as if nothing were cut off below.
    Normal,
    /// Erlang: `stages`, `mean`. Never better than gamma by AIC; fitted where it is asked for.
    Erlang,
    /// Two lognormal ones, as of short and long stops: `weight`, `mu`, `sigma` of the short one, `long_mu`,
    /// `long_sigma` of the long one.
    LognormalMixture,
    /// The values themselves, without parameters.
    Empirical,
}

impl Family {
    /// Those that [`fit`] ranks.
    pub const RANKED: [Self; 6] = [
        Self::Exponential,
        Self::Weibull,
        Self::Lognormal,
        Self::Gamma,
        Self::LogLogistic,
        Self::Normal,
    ];
}

/// A parameter of a fit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Parameter {
    /// Its name, see [`Family`].
    pub name: &'static str,
    /// Its most likely value.
    pub value: f64,
    /// The standard error of this value, from the observed information; infinite where the data do not tell.
    pub standard_error: f64,
}

/// A distribution fitted to observations.
#[derive(Clone, Debug, PartialEq)]
pub struct Fit {
    /// The family.
    pub family: Family,
    /// The most likely distribution of the family.
    pub distribution: Distribution,
    /// Its parameters, in the order of [`Family`].
    pub parameters: Vec<Parameter>,
    /// The logarithm of its likelihood; minus infinity for the empirical one, which has no density.
    pub log_likelihood: f64,
    /// Akaike's information criterion, 2k - 2 ln L with k parameters (Akaike 1974, IEEE Transactions on
    /// Automatic Control 19): lower is better.
    pub aic: f64,
    /// The largest distance between its probabilities and those observed, after Kaplan and Meier where
    /// observations are censored.
    pub ks_distance: f64,
    /// How many exact values it was fitted to.
    pub count: usize,
    /// How many censored ones.
    pub censored: usize,
    uncertainty: Uncertainty,
    tail: Tail,
}

impl Fit {
    /// The value of a parameter; absent where the family has none of this name.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<f64> {
        let mut parameters = self.parameters.iter();
        parameters.find(|one| one.name == name).map(|one| one.value)
    }

    /// Whether the observations support its mean: its variance is finite, and its mean lies within three standard
    /// errors of that of the observations (by the estimate of Kaplan and Meier, up to the longest one where that
    /// has not ended). A family whose tail no value speaks for is none to simulate with, however well it fits.
    #[must_use]
    pub fn is_supported(&self) -> bool {
        self.tail.allows(&self.distribution)
    }
}

/// Why nothing can be fitted.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum FitError {
    /// A value is no time. Drop it, or give half of what the clock can tell apart.
    #[error("observation {index} is {seconds} s: a time has to be above 0 and finite")]
    Value {
        /// Its index.
        index: usize,
        /// What it is.
        seconds: f64,
    },
    /// Nothing has ended yet.
    #[error("no interval has ended yet: at least one has to, {censored} go on")]
    NothingEnded {
        /// How many have begun.
        censored: usize,
    },
}

/// Fits the families of [`Family::RANKED`] and ranks them by AIC, the best first. Families that the
/// observations cannot tell (all values the same, too few of them) are left out; exponential never is.
///
/// # Errors
///
/// [`FitError`]: a value that is no time, or nothing has ended yet.
pub fn fit(observations: &[Observation]) -> Result<Vec<Fit>, FitError> {
    fit_families(observations, &Family::RANKED)
}

/// Fits families and ranks them by AIC, the best first.
///
/// # Errors
///
/// As for [`fit`].
pub fn fit_families(
    observations: &[Observation],
    families: &[Family],
) -> Result<Vec<Fit>, FitError> {
    let data = Data::new(observations)?;
    let fits = families.iter();
    let mut fits: Vec<Fit> = fits
        .filter_map(|family| estimate::fit_one(&data, *family))
        .collect();
    fits.sort_by(|a, b| a.aic.total_cmp(&b.aic));
    Ok(fits)
}
