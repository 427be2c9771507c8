//! Whether a distribution has the mean that observations have: a family may fit where the values are and have a
//! tail that no value speaks for, whose mean is then nobody's.

use super::model::Data;
use crate::kernel::Distribution;

/// So many standard errors a mean may lie beside that of the observations.
const ERRORS: f64 = 3.0;

/// Below so many exact values the standard error of their mean says little.
const VALUES_MIN: usize = 10;

/// Parts in which a tail is summed up; an even number.
const PANELS: u32 = 128;

/// What observations say of a mean, by the estimate of Kaplan and Meier: up to the last one, if it has not ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Tail {
    /// Up to here they tell it; infinite where the longest one has ended.
    until_s: f64,
    mean_s: f64,
    /// The standard error of this mean, after Greenwood (1926).
    error_s: f64,
    exact: usize,
}

impl Tail {
    pub(super) fn of(data: &Data) -> Self {
        let exact = data.exact.iter().map(|value| (value.seconds, true));
        let censored = data.censored.iter().map(|value| (value.seconds, false));
        let mut values: Vec<(f64, bool)> = exact.chain(censored).collect();
        values.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        let (mut at_risk, mut survives) = (values.len() as f64, 1.0);
        let (mut area, mut last_s) = (0.0, 0.0);
        let mut steps = Vec::new();
        for ties in values.chunk_by(|a, b| a.0 == b.0) {
            let at_s = ties.first().map_or(0.0, |(seconds, _)| *seconds);
            area += survives * (at_s - last_s);
            last_s = at_s;
            let ended = ties.iter().filter(|(_, ended)| *ended).count() as f64;
            if ended > 0.0 && at_risk > ended {
                steps.push((area, ended / (at_risk * (at_risk - ended))));
            }
            survives *= 1.0 - ended / at_risk;
            at_risk -= ties.len() as f64;
        }
        let squares = steps
            .iter()
            .map(|(before, share)| (area - before) * (area - before) * share);
        Self {
            until_s: if survives > 0.0 {
                last_s
            } else {
                f64::INFINITY
            },
            mean_s: area,
            error_s: libm::sqrt(squares.sum()),
            exact: data.exact.len(),
        }
    }

    /// Whether a distribution is one that these observations may come from: its variance is finite, and its mean
    /// (as far as they tell it) lies within three standard errors of theirs.
    pub(super) fn allows(&self, of: &Distribution) -> bool {
        if !(of.mean_s().is_finite() && of.variance().is_finite()) {
            return false;
        }
        if self.exact < VALUES_MIN {
            return true;
        }
        let (mean_s, grain_s) = match self.until_s.is_finite() {
            true => (
                mean_until(of, self.until_s),
                self.until_s / f64::from(PANELS),
            ),
            false => (of.mean_s(), 0.0),
        };
        let apart = (mean_s - self.mean_s).abs();
        apart <= ERRORS * self.error_s + grain_s + 1e-9 * self.mean_s
    }

    /// Whether a distribution may stand for a fitted one. Where the longest observations have not ended, the data
    /// bound its mean by how many have: the error of the logarithm of a mean is one divided by their root.
    pub(super) fn allows_instead(&self, of: &Distribution, fitted: &Distribution) -> bool {
        if !self.until_s.is_finite() {
            return self.allows(of);
        }
        let most = ERRORS / libm::sqrt(self.exact.max(1) as f64);
        let apart = libm::log(of.mean_s() / fitted.mean_s()).abs();
        of.variance().is_finite() && apart <= most
    }
}

/// The mean of what is cut off at a time: the sum of what lasts longer, by Simpson's rule.
fn mean_until(of: &Distribution, until_s: f64) -> f64 {
    let step = until_s / f64::from(PANELS);
    let lasts = |at: u32| 1.0 - of.cdf(step * f64::from(at));
    let inner = (1..PANELS).map(|at| lasts(at) * if at % 2 == 0 { 2.0 } else { 4.0 });
    (lasts(0) + inner.sum::<f64>() + lasts(PANELS)) * step / 3.0
}
