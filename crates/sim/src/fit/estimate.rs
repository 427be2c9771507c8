//! Fits of one family.

use super::model::{Data, Model, Point};
use super::resample::Uncertainty;
use super::survival::distance;
use super::tail::Tail;
use super::{Family, Fit, Parameter, mixture, optimize};
use crate::kernel::Distribution;
use crate::kernel::special::{digamma, trigamma};

/// The fit of a family; absent where the data cannot tell its parameters.
pub(super) fn fit_one(data: &Data, family: Family) -> Option<Fit> {
    match family {
        Family::Empirical => empirical(data),
        Family::LognormalMixture => mixture::fit(data),
        Family::Erlang => erlang(data),
        _ => {
            let model = Model::of(family)?;
            finish(data, family, model, most_likely(data, model)?)
        }
    }
}

/// The point at which the likelihood is largest: in closed form or by Newton's method where there is one,
/// else by search.
fn most_likely(data: &Data, model: Model) -> Option<Point> {
    if model == Model::Exponential {
        // Failures over the total time on test (Epstein and Sobel 1953, Journal of the American Statistical
        // Association 48).
        let total: f64 = data.all().map(|value| value.seconds).sum();
        return Some([libm::log(total / data.exact.len() as f64), 0.0]);
    }
    if !data.is_spread() {
        return None;
    }
    let weibull = weibull(data)?;
    let start = match (model, data.censored.is_empty()) {
        (Model::Weibull, _) => return Some(weibull),
        (Model::Lognormal, true) => return normal(data.exact.iter().map(|value| value.log)),
        (Model::Normal, true) => return normal(data.seconds()),
        (Model::Gamma, true) => return gamma(data),
        (model, _) => start(model, weibull),
    };
    // What is searched on the scale of its deviation begins with steps of that size.
    let steps = model.steps(start).map(|step| 2e3 * step);
    optimize::least(start, steps, |at| -model.log_likelihood(data, at))
}

/// Weibull's shape from the profile of the likelihood, which ascends (Cohen 1965, Technometrics 7); the scale
/// follows from it.
fn weibull(data: &Data) -> Option<Point> {
    let count = data.exact.len() as f64;
    let most = data
        .all()
        .map(|value| value.log)
        .fold(f64::NEG_INFINITY, f64::max);
    // Relative to the longest time no power is too large for a number.
    let logs: Vec<f64> = data.all().map(|value| value.log - most).collect();
    let mean = data.exact.iter().map(|value| value.log - most).sum::<f64>() / count;
    let sums = |shape: f64| {
        logs.iter().fold([0.0; 3], |[a, b, c], log| {
            let power = libm::exp(shape * log);
            [a + power, b + power * log, c + power * log * log]
        })
    };
    let shape = optimize::root(1.0, |shape| {
        let [a, b, c] = sums(shape);
        let value = b / a - 1.0 / shape - mean;
        (value, c / a - (b / a) * (b / a) + 1.0 / (shape * shape))
    })?;
    let scale = libm::log(sums(shape)[0] / count) / shape + most;
    Some([libm::log(shape), scale])
}

/// Mean and logarithm of the deviation, with the number of values below the squares.
fn normal(values: impl Iterator<Item = f64> + Clone) -> Option<Point> {
    let count = values.clone().count() as f64;
    let mean = values.clone().sum::<f64>() / count;
    let squares: f64 = values.map(|value| (value - mean) * (value - mean)).sum();
    let deviation = libm::sqrt(squares / count);
    (deviation > 0.0).then(|| [mean, libm::log(deviation)])
}

/// Gamma's shape from the means of the values and of their logarithms (Choi and Wette 1969, Technometrics
/// 11); the scale follows from it.
fn gamma(data: &Data) -> Option<Point> {
    let count = data.exact.len() as f64;
    let mean = data.seconds().sum::<f64>() / count;
    let logs = data.exact.iter().map(|value| value.log).sum::<f64>() / count;
    let apart = libm::log(mean) - logs;
    if apart <= 0.0 {
        return None;
    }
    let start =
        (3.0 - apart + libm::sqrt((apart - 3.0) * (apart - 3.0) + 24.0 * apart)) / (12.0 * apart);
    let shape = optimize::root(start, |shape| {
        let value = apart - libm::log(shape) + digamma(shape);
        (value, trigamma(shape) - 1.0 / shape)
    })?;
    Some([libm::log(shape), libm::log(mean / shape)])
}

/// Where the search begins: at what resembles the fitted Weibull distribution.
fn start(model: Model, weibull: Point) -> Point {
    let [log_shape, log_scale] = weibull;
    let (shape, times) = (libm::exp(log_shape), Model::Weibull.distribution(weibull));
    let (mean, scv) = (times.mean_s(), times.scv().max(1e-12));
    let median = log_scale + libm::log(std::f64::consts::LN_2) / shape;
    // The deviation of the logarithm of a Weibull value.
    let sigma = std::f64::consts::PI / (shape * libm::sqrt(6.0));
    match model {
        Model::Lognormal => [median, libm::log(sigma)],
        Model::Gamma => [-libm::log(scv), libm::log(mean * scv)],
        // The deviation of the logarithm of a log-logistic value is pi / (shape sqrt(3)).
        Model::LogLogistic => {
            let shape = std::f64::consts::PI / (sigma * libm::sqrt(3.0));
            [libm::log(shape), median]
        }
        Model::Normal => [mean, libm::log(mean * libm::sqrt(scv))],
        Model::Exponential | Model::Erlang(_) => [libm::log(mean), 0.0],
        Model::Weibull => weibull,
    }
}

/// The better of the whole numbers beside the shape of the gamma distribution.
fn erlang(data: &Data) -> Option<Fit> {
    let [log_shape, log_scale] = most_likely(data, Model::Gamma)?;
    let below = libm::floor(libm::exp(log_shape)).clamp(1.0, 1e6) as u32;
    let fits = [below, below + 1].into_iter().filter_map(|stages| {
        let model = Model::Erlang(stages);
        let [at] = optimize::least([log_shape + log_scale], [0.1], |[at]: [f64; 1]| {
            -model.log_likelihood(data, [at, 0.0])
        })?;
        let mut fit = finish(data, Family::Erlang, model, [at, 0.0])?;
        fit.aic = 4.0 - 2.0 * fit.log_likelihood;
        Some(fit)
    });
    fits.min_by(|a, b| a.aic.total_cmp(&b.aic))
}

/// The values as they are; absent where some are censored, whose length they do not tell.
fn empirical(data: &Data) -> Option<Fit> {
    let values: Vec<f64> = data.seconds().collect();
    let distribution = match data.is_spread() {
        true => Distribution::empirical(values.iter().copied()).ok()?,
        false => Distribution::Constant(*values.first()?),
    };
    data.censored.is_empty().then(|| Fit {
        family: Family::Empirical,
        ks_distance: distance(data, &distribution),
        distribution,
        parameters: Vec::new(),
        log_likelihood: f64::NEG_INFINITY,
        aic: f64::INFINITY,
        count: values.len(),
        censored: 0,
        uncertainty: Uncertainty::Values(values),
        tail: Tail::of(data),
    })
}

/// A fit at the point at which the likelihood is largest; absent where it cannot be drawn from.
fn finish(data: &Data, family: Family, model: Model, at: Point) -> Option<Fit> {
    let distribution = model.distribution(at);
    let log_likelihood = model.log_likelihood(data, at);
    if distribution.check().is_err() || !log_likelihood.is_finite() {
        return None;
    }
    let covariance = covariance(data, model, at);
    let errors = match covariance {
        Some([[a, _], [_, b]]) => [libm::sqrt(a), libm::sqrt(b)],
        None => [f64::INFINITY; 2],
    };
    let parameters: Vec<Parameter> = model.parameters(at, errors);
    Some(Fit {
        family,
        ks_distance: distance(data, &distribution),
        distribution,
        log_likelihood,
        aic: 2.0 * model.dimensions() as f64 - 2.0 * log_likelihood,
        parameters,
        count: data.exact.len(),
        censored: data.censored.len(),
        uncertainty: Uncertainty::Normal {
            model,
            at,
            covariance,
        },
        tail: Tail::of(data),
    })
}

/// The inverse of the observed information: of how the likelihood bends. Absent where it does not bend down.
fn covariance(data: &Data, model: Model, at: Point) -> Option<[Point; 2]> {
    let [h, k] = model.steps(at);
    let f = |a: f64, b: f64| -model.log_likelihood(data, [at[0] + a * h, at[1] + b * k]);
    let here = f(0.0, 0.0);
    let first = (f(1.0, 0.0) - 2.0 * here + f(-1.0, 0.0)) / (h * h);
    if model.dimensions() == 1 {
        return (first > 0.0).then(|| [[1.0 / first, 0.0], [0.0, 0.0]]);
    }
    let second = (f(0.0, 1.0) - 2.0 * here + f(0.0, -1.0)) / (k * k);
    let both = (f(1.0, 1.0) - f(1.0, -1.0) - f(-1.0, 1.0) + f(-1.0, -1.0)) / (4.0 * h * k);
    let determinant = first * second - both * both;
    let bends = first > 0.0 && second > 0.0 && determinant > 0.0;
    let over = |value: f64| value / determinant;
    bends.then(|| [[over(second), over(-both)], [over(-both), over(first)]])
}
