//! Which fit a plan is to use.

use super::{Family, Fit, FitError, Observation, fit_families};

/// From so many exact values on a parametric distribution is chosen; below, the values themselves.
pub const PARAMETRIC_VALUES_MIN: usize = 30;

/// From so many exact values on a machine speaks for itself; below, all of its type speak for it.
pub const OWN_VALUES_MIN: usize = 10;

/// By so much AIC has to be lower for two sorts of stops than for one: a second sort always fits a little
/// better, and AIC alone forgives it too often (McLachlan and Peel, Finite Mixture Models, 6).
const MIXTURE_MARGIN: f64 = 6.0;

/// The fit that a plan is to use, and those that it was chosen from.
#[derive(Clone, Debug, PartialEq)]
pub struct Selection {
    /// The chosen one.
    pub chosen: Fit,
    /// Why it was chosen.
    pub reason: Reason,
    /// Whose values it was fitted to.
    pub basis: Basis,
    /// All fits with parameters, the best by AIC first.
    pub ranked: Vec<Fit>,
}

/// Why a fit was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Its AIC is the lowest.
    LowestAic,
    /// There are too few values to tell families apart: they are drawn as they are.
    FewValues,
    /// All values are the same.
    NoSpread,
    /// No family has the mean that the values have.
    NoFamily,
}

/// Whose values a fit was made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// Those of the machine itself.
    Own,
    /// Those of all machines of its type, because it has so few of its own.
    Pool {
        /// How many exact values the machine has.
        own: usize,
    },
}

/// Chooses a distribution for observations: the one with the lowest AIC, or the values themselves where there
/// are fewer than [`PARAMETRIC_VALUES_MIN`] or all are the same. Where observations are censored the values
/// themselves would be too short, so it is always one with parameters.
///
/// # Errors
///
/// [`FitError`]: a value that is no time, or nothing has ended yet.
pub fn select(observations: &[Observation]) -> Result<Selection, FitError> {
    choose(observations, &Family::RANKED)
}

/// As [`select`], for repairs, which may be of two sorts: short stops and long ones. Two are chosen only where
/// the AIC of two is clearly lower than that of each family alone.
///
/// # Errors
///
/// As for [`select`].
pub fn fit_repairs(observations: &[Observation]) -> Result<Selection, FitError> {
    let mut families = Family::RANKED.to_vec();
    families.push(Family::LognormalMixture);
    choose(observations, &families)
}

/// As [`select`], from the observations of all machines of the same type (the machine's own included) where
/// the machine has fewer than [`OWN_VALUES_MIN`] exact values of its own and the others have more.
///
/// # Errors
///
/// As for [`select`], of the observations that are used.
pub fn fit_pooled(own: &[Observation], pool: &[Observation]) -> Result<Selection, FitError> {
    let exact = |of: &[Observation]| of.iter().filter(|one| !one.is_censored).count();
    let count = exact(own);
    if count >= OWN_VALUES_MIN || exact(pool) <= count {
        return select(own);
    }
    let mut selection = select(pool)?;
    selection.basis = Basis::Pool { own: count };
    Ok(selection)
}

fn choose(observations: &[Observation], families: &[Family]) -> Result<Selection, FitError> {
    let ranked = fit_families(observations, families)?;
    let values = fit_families(observations, &[Family::Empirical])?;
    // Without a spread the values themselves are a constant.
    let is_spread = ranked.len() > 1;
    let is_few = |fit: &Fit| fit.count < PARAMETRIC_VALUES_MIN;
    let is_any = ranked.iter().any(Fit::is_supported);
    let plain = values
        .into_iter()
        .next()
        .filter(|fit| !is_spread || !is_any || is_few(fit));
    let (chosen, reason) = match (plain, best(&ranked)) {
        (Some(plain), _) if is_spread && is_few(&plain) => (plain, Reason::FewValues),
        (Some(plain), _) if is_spread => (plain, Reason::NoFamily),
        (Some(plain), _) => (plain, Reason::NoSpread),
        (None, Some(best)) => (best.clone(), Reason::LowestAic),
        (None, None) => {
            let censored = observations.len();
            return Err(FitError::NothingEnded { censored });
        }
    };
    Ok(Selection {
        chosen,
        reason,
        basis: Basis::Own,
        ranked,
    })
}

/// The one with the lowest AIC; a mixture has to be better by a margin. Those whose mean the observations do not
/// support are left out, unless that is all of them.
fn best(ranked: &[Fit]) -> Option<&Fit> {
    let cost = |fit: &Fit| match fit.family {
        Family::LognormalMixture => fit.aic + MIXTURE_MARGIN,
        _ => fit.aic,
    };
    let least = |usable: &dyn Fn(&&Fit) -> bool| {
        let usable = ranked.iter().filter(usable);
        usable.min_by(|a, b| cost(a).total_cmp(&cost(b)))
    };
    let is_finite = |fit: &&Fit| fit.distribution.variance().is_finite();
    least(&|fit| fit.is_supported()).or_else(|| least(&is_finite))
}
