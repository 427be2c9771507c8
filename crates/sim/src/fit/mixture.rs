//! Short and long stops: two lognormal distributions in one sample.

use super::model::{Data, log_normal_density, lognormal};
use super::resample::Uncertainty;
use super::survival::distance;
use super::tail::Tail;
use super::{Family, Fit, Parameter};
use crate::kernel::Distribution;

/// Below so many values two sorts cannot be told apart.
const VALUES_MIN: usize = 20;

/// A sort that has fewer values than this is none.
const SORT_MIN: f64 = 5.0;

/// No sort is narrower than this share of the whole: else one would close around values that are the same.
const NARROWEST: f64 = 0.05;

/// So many rounds are enough where there are two sorts; where there is one they go on for long.
const ROUNDS_MAX: usize = 500;

/// A lognormal distribution and its weight.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Sort {
    pub(super) weight: f64,
    pub(super) mu: f64,
    pub(super) sigma: f64,
}

impl Sort {
    /// The logarithm of its weight times its density, on the scale of logarithms.
    fn log_density(&self, log: f64) -> f64 {
        let z = (log - self.mu) / self.sigma;
        libm::log(self.weight / self.sigma) + log_normal_density(z)
    }
}

/// The most likely two lognormal distributions by expectation and maximisation (Dempster, Laird and Rubin
/// 1977, Journal of the Royal Statistical Society B 39), begun where the sorted values part best. Absent where
/// there are too few values, some are censored, or one sort vanishes.
pub(super) fn fit(data: &Data) -> Option<Fit> {
    if data.exact.len() < VALUES_MIN || !data.censored.is_empty() || !data.is_spread() {
        return None;
    }
    let mut logs: Vec<f64> = data.exact.iter().map(|value| value.log).collect();
    logs.sort_unstable_by(f64::total_cmp);
    let (_, whole) = moments(&logs);
    let floor = whole * NARROWEST;
    let mut sorts = begin(&logs, floor)?;
    let mut before = f64::NEG_INFINITY;
    for _ in 0..ROUNDS_MAX {
        let (next, likelihood) = turn(&logs, sorts, floor);
        if likelihood - before < 1e-9 * likelihood.abs().max(1.0) {
            break;
        }
        (sorts, before) = (next, likelihood);
    }
    let count = logs.len() as f64;
    if !sorts.iter().all(|sort| sort.weight * count >= SORT_MIN) {
        return None;
    }
    sorts.sort_by(|a, b| a.mu.total_cmp(&b.mu));
    let log_likelihood = turn(&logs, sorts, floor).1 - logs.iter().sum::<f64>();
    let distribution = distribution(sorts)?;
    Some(Fit {
        family: Family::LognormalMixture,
        ks_distance: distance(data, &distribution),
        distribution,
        parameters: parameters(sorts, count),
        log_likelihood,
        aic: 10.0 - 2.0 * log_likelihood,
        count: logs.len(),
        censored: 0,
        uncertainty: Uncertainty::Mixture { sorts, count },
        tail: Tail::of(data),
    })
}

/// The mixture of two sorts.
pub(super) fn distribution(sorts: [Sort; 2]) -> Option<Distribution> {
    let parts = sorts.map(|sort| (sort.weight, lognormal(sort.mu, sort.sigma)));
    Distribution::mixture(parts).ok()
}

/// Mean and deviation.
fn moments(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|x| (x - mean) * (x - mean)).sum();
    (mean, libm::sqrt(squares / count))
}

/// Parts sorted values so that the means of the parts lie as far apart as possible, by their weights.
fn begin(logs: &[f64], floor: f64) -> Option<[Sort; 2]> {
    let (count, total) = (logs.len() as f64, logs.iter().sum::<f64>());
    let mut sum = 0.0;
    let splits = logs.iter().enumerate().map(|(at, log)| {
        let of_first = at as f64;
        let apart = sum / of_first - (total - sum) / (count - of_first);
        sum += log;
        (at, apart * apart * of_first * (count - of_first))
    });
    let inner = splits.filter(|(at, _)| *at >= 2 && *at + 2 <= logs.len());
    let (at, _) = inner.max_by(|a, b| a.1.total_cmp(&b.1))?;
    let (first, second) = logs.split_at_checked(at)?;
    Some([first, second].map(|part| {
        let (mu, sigma) = moments(part);
        Sort {
            weight: part.len() as f64 / count,
            mu,
            sigma: sigma.max(floor),
        }
    }))
}

/// One round: the next sorts, and the logarithm of the likelihood of the present ones.
fn turn(logs: &[f64], sorts: [Sort; 2], floor: f64) -> ([Sort; 2], f64) {
    let [a, b] = sorts;
    let mut likelihood = 0.0;
    // Around the middle of the sorts squares do not cancel.
    let middle = f64::midpoint(a.mu, b.mu);
    let mut sums = [[0.0; 3]; 2];
    for log in logs {
        let (of_a, of_b) = (a.log_density(*log), b.log_density(*log));
        let most = of_a.max(of_b);
        let both = most + libm::log(libm::exp(of_a - most) + libm::exp(of_b - most));
        likelihood += both;
        let x = log - middle;
        for (sum, of) in sums.iter_mut().zip([of_a, of_b]) {
            let share = libm::exp(of - both);
            *sum = [sum[0] + share, sum[1] + share * x, sum[2] + share * x * x];
        }
    }
    let next = sums.map(|[share, first, second]| {
        let mean = first / share;
        let variance = (second / share - mean * mean).max(0.0);
        Sort {
            weight: share / logs.len() as f64,
            mu: middle + mean,
            sigma: libm::sqrt(variance).max(floor),
        }
    });
    (next, likelihood)
}

/// Standard errors as if it were known which value is of which sort: a lower bound.
fn parameters([short, long]: [Sort; 2], count: f64) -> Vec<Parameter> {
    let one = |name, value, standard_error| Parameter {
        name,
        value,
        standard_error,
    };
    let mean = |sort: Sort| sort.sigma / libm::sqrt(sort.weight * count);
    let deviation = |sort: Sort| sort.sigma / libm::sqrt(2.0 * sort.weight * count);
    let weight = libm::sqrt(short.weight * long.weight / count);
    vec![
        one("weight", short.weight, weight),
        one("mu", short.mu, mean(short)),
        one("sigma", short.sigma, deviation(short)),
        one("long_mu", long.mu, mean(long)),
        one("long_sigma", long.sigma, deviation(long)),
    ]
}
