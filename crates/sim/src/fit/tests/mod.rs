//! Fits held against published estimates, and against what was drawn.

mod drift;
mod steady;

use super::*;
use crate::kernel::{Purpose, Stream, Streams};

/// Millions of revolutions until ball bearings failed (Lieblein and Zelen 1956, Journal of Research of the
/// National Bureau of Standards 57).
const BEARINGS: [f64; 23] = [
    17.88, 28.92, 33.0, 41.52, 42.12, 45.6, 48.48, 51.84, 51.96, 54.12, 55.56, 67.8, 68.64, 68.64,
    68.88, 84.12, 93.12, 98.64, 105.12, 105.84, 127.92, 128.04, 173.4,
];

fn stream(number: u32) -> Stream {
    Streams::new(11, 0).stream(number, Purpose::Parameters)
}

fn exact(values: &[f64]) -> Vec<Observation> {
    values
        .iter()
        .map(|value| Observation::exact(*value))
        .collect()
}

fn draw(text: &str, count: usize, stream: &mut Stream) -> Vec<f64> {
    let of: Distribution = text.parse().unwrap();
    (0..count).map(|_| of.draw_s(stream)).collect()
}

/// Values of which those above a limit by chance are only known to be longer.
fn censored(text: &str, limits: &str, count: usize, stream: &mut Stream) -> Vec<Observation> {
    let values = draw(text, count, stream);
    let limits = draw(limits, count, stream);
    let pairs = values.into_iter().zip(limits);
    pairs
        .map(|(value, limit)| match value <= limit {
            true => Observation::exact(value),
            false => Observation::censored(limit),
        })
        .collect()
}

fn one(observations: &[Observation], family: Family) -> Fit {
    fit_families(observations, &[family]).unwrap().remove(0)
}

fn near(value: f64, wanted: f64, by: f64) -> bool {
    (value - wanted).abs() <= by * wanted.abs()
}

#[test]
fn ball_bearings_are_fitted_as_published() {
    let bearings = exact(&BEARINGS);
    for (family, aic, parameters) in [
        (
            Family::Exponential,
            244.869_752,
            vec![("mean", 72.224_347_826)],
        ),
        (
            Family::Weibull,
            231.382_582,
            vec![("shape", 2.102_058_875_2), ("scale", 81.878_334_051_6)],
        ),
        (
            Family::Lognormal,
            230.257_133,
            vec![("mu", 4.150_454_493_9), ("sigma", 0.521_649_334_0)],
        ),
        (
            Family::Gamma,
            230.058_563,
            vec![("shape", 4.025_414_62), ("scale", 17.942_089_12)],
        ),
    ] {
        let fit = one(&bearings, family);
        assert!((fit.aic - aic).abs() < 1e-6, "{family:?}: {}", fit.aic);
        for (name, wanted) in parameters {
            let value = fit.parameter(name).unwrap();
            assert!(near(value, wanted, 1e-8), "{family:?} {name}: {value}");
        }
        assert_eq!((fit.count, fit.censored), (23, 0));
        assert_eq!(fit.parameter("other"), None);
    }
    let ranked = fit(&bearings).unwrap();
    assert_eq!(ranked[0].family, Family::Gamma);
    assert!(ranked.is_sorted_by(|a, b| a.aic <= b.aic) && ranked.len() == 6);
    // Of the Erlang ones that of four stages, whose likelihood lies just below that of gamma.
    let erlang = one(&bearings, Family::Erlang);
    assert_eq!(erlang.parameter("stages"), Some(4.0));
    assert!(near(
        erlang.parameter("mean").unwrap(),
        72.224_347_826,
        1e-7
    ));
    assert!(erlang.aic > ranked[0].aic && erlang.aic < ranked[0].aic + 0.01);
}

#[test]
fn searched_and_solved_estimates_agree() {
    // A value that is censored as soon as it begins says next to nothing, and forces the search.
    let mut bearings = exact(&BEARINGS);
    let solved: Vec<Fit> = fit(&bearings).unwrap();
    bearings.push(Observation::censored(1e-9));
    // The normal one is left out: it takes being above 0 for something.
    for fit in solved
        .into_iter()
        .filter(|fit| fit.family != Family::Normal)
    {
        let searched = one(&bearings, fit.family);
        let pairs = fit.parameters.iter().zip(&searched.parameters);
        for (a, b) in pairs {
            assert!(
                near(b.value, a.value, 1e-5),
                "{:?}: {a:?} {b:?}",
                fit.family
            );
            assert!(
                near(b.standard_error, a.standard_error, 1e-3),
                "{a:?} {b:?}"
            );
        }
    }
}

#[test]
fn standard_errors_are_those_of_theory() {
    let bearings = exact(&BEARINGS);
    let count = libm::sqrt(23.0);
    let errors = |family| {
        let fit = one(&bearings, family);
        fit.parameters
            .iter()
            .map(|one| one.standard_error)
            .collect::<Vec<_>>()
    };
    let exponential = errors(Family::Exponential);
    assert!(
        near(exponential[0], 72.224_347_826 / count, 1e-5),
        "{exponential:?}"
    );
    let lognormal = errors(Family::Lognormal);
    assert!(
        near(lognormal[0], 0.521_649_334_0 / count, 1e-5),
        "{lognormal:?}"
    );
    assert!(near(
        lognormal[1],
        0.521_649_334_0 / count / libm::sqrt(2.0),
        1e-5
    ));
}

#[test]
fn censored_times_are_counted_as_such() {
    let mut observations = exact(&[12.0, 30.0, 45.0, 80.0]);
    observations.extend([100.0, 100.0, 60.0, 0.0].map(Observation::censored));
    let exponential = one(&observations, Family::Exponential);
    assert!(near(exponential.parameter("mean").unwrap(), 106.75, 1e-12));
    assert_eq!((exponential.count, exponential.censored), (4, 3));
    let selection = select(&observations).unwrap();
    assert_eq!(selection.reason, Reason::LowestAic);
    assert!(!matches!(selection.chosen.family, Family::Empirical));
}

#[test]
fn the_distance_is_that_of_kaplan_and_meier() {
    // Survival steps to 3/4 at 1 and to 3/8 at 3; the value between is only known to be above 2.
    let data = [
        Observation::exact(1.0),
        Observation::censored(2.0),
        Observation::exact(3.0),
        Observation::censored(4.0),
    ];
    let data = Data::new(&data).unwrap();
    let far = Distribution::Constant(3.5);
    assert!((survival::distance(&data, &far) - 0.625).abs() < 1e-12);
    let data = Data::new(&exact(&[1.0, 2.0, 3.0, 4.0])).unwrap();
    let even = Distribution::Uniform(0.0, 4.0);
    assert!((survival::distance(&data, &even) - 0.25).abs() < 1e-12);
}

type Truth = (Family, &'static str, [(&'static str, f64); 2]);

/// Families, what is drawn, and its parameters.
const TRUTHS: [Truth; 6] = [
    (
        Family::Weibull,
        "weibull(shape=1.8, scale=8h)",
        [("shape", 1.8), ("scale", 28_800.0)],
    ),
    (
        Family::Weibull,
        "weibull(shape=0.7, scale=60s)",
        [("shape", 0.7), ("scale", 60.0)],
    ),
    (
        Family::Gamma,
        "gamma(shape=2.5, scale=40s)",
        [("shape", 2.5), ("scale", 40.0)],
    ),
    (
        Family::LogLogistic,
        "log-logistic(shape=3, scale=50s)",
        [("shape", 3.0), ("scale", 50.0)],
    ),
    // The logarithm has the variance ln 2 where the coefficient of variation is 1.
    (
        Family::Lognormal,
        "lognormal(mean=100s, cv=1)",
        [("mu", 4.258_596_596), ("sigma", 0.832_554_611)],
    ),
    (
        Family::Normal,
        "normal(mean=62s, sd=4s)",
        [("mu", 62.0), ("sigma", 4.0)],
    ),
];

#[test]
fn what_was_drawn_is_found_again() {
    for ((family, text, truth), number) in TRUTHS.into_iter().zip(0..) {
        let mut stream = stream(number);
        let mean = text.parse::<Distribution>().unwrap().mean_s();
        let limits = match family {
            Family::Normal => format!("normal(mean={mean}s, sd=5s)"),
            _ => format!("exponential(mean={}s)", 2.5 * mean),
        };
        let with_limits = censored(text, &limits, 2_000, &mut stream);
        for observations in [exact(&draw(text, 1_000, &mut stream)), with_limits] {
            let fits = fit(&observations).unwrap();
            assert_eq!(fits[0].family, family, "{text}");
            for (parameter, (name, value)) in fits[0].parameters.iter().zip(truth) {
                assert_eq!(parameter.name, name);
                let most = 4.0 * parameter.standard_error;
                assert!(
                    (parameter.value - value).abs() < most,
                    "{text}: {parameter:?}"
                );
                assert!(most < 0.2 * value, "{text}: {parameter:?}");
            }
            // Fitted to these values the distance is below that of a distribution known before.
            let most = 1.949 / libm::sqrt(fits[0].count as f64);
            assert!(
                fits[0].ks_distance < most,
                "{text}: {}",
                fits[0].ks_distance
            );
        }
    }
}

#[test]
fn few_values_are_taken_as_they_are_or_from_the_pool() {
    let mut stream = stream(20);
    let own = exact(&draw("exponential(mean=1h)", 29, &mut stream));
    let few = select(&own).unwrap();
    assert_eq!((few.reason, few.basis), (Reason::FewValues, Basis::Own));
    assert_eq!(few.chosen.family, Family::Empirical);
    assert!(!few.ranked.is_empty());
    let pool = exact(&draw("exponential(mean=1h)", 400, &mut stream));
    let pooled = fit_pooled(&own[..9], &pool).unwrap();
    assert_eq!(
        (pooled.basis, pooled.chosen.count),
        (Basis::Pool { own: 9 }, 400)
    );
    assert_eq!(pooled.reason, Reason::LowestAic);
    assert_eq!(fit_pooled(&own[..10], &pool).unwrap().basis, Basis::Own);
    assert_eq!(fit_pooled(&own[..9], &own[..5]).unwrap().basis, Basis::Own);
    assert_eq!(
        fit_pooled(&[], &pool).unwrap().basis,
        Basis::Pool { own: 0 }
    );
    let same = select(&exact(&[60.0; 50])).unwrap();
    assert_eq!(same.reason, Reason::NoSpread);
    assert_eq!(same.chosen.distribution, Distribution::Constant(60.0));
}

#[test]
fn what_is_no_time_is_refused() {
    for (observation, index) in [
        (Observation::exact(0.0), 1),
        (Observation::exact(-3.0), 1),
        (Observation::censored(-3.0), 1),
        (Observation::exact(f64::INFINITY), 1),
    ] {
        let seconds = observation.seconds;
        let both = [Observation::exact(5.0), observation];
        assert_eq!(fit(&both), Err(FitError::Value { index, seconds }));
    }
    assert!(fit(&[Observation::exact(f64::NAN)]).is_err());
    assert_eq!(fit(&[]), Err(FitError::NothingEnded { censored: 0 }));
    let running = [Observation::censored(5.0); 3];
    assert_eq!(
        select(&running).unwrap_err(),
        FitError::NothingEnded { censored: 3 }
    );
    // One value is enough for a mean, and for no more.
    let single = fit(&[Observation::exact(5.0)]).unwrap();
    assert_eq!(single.len(), 1);
    assert_eq!(single[0].parameter("mean"), Some(5.0));
    // Times from nanoseconds to years neither overflow nor hang.
    let wild = fit(&exact(&[1e-9, 1.0, 3e7, 5e9])).unwrap();
    assert!(wild.iter().all(|fit| fit.aic.is_finite()));
    assert!(!fit(&exact(&[60.0, 60.000_000_001])).unwrap().is_empty());
}

#[test]
fn short_and_long_stops_are_told_apart_where_there_are_both() {
    let planted = "mixture(0.8 lognormal(mean=30s, cv=0.6), 0.2 lognormal(mean=20min, cv=0.5))";
    let sigma = |cv: f64| libm::sqrt(libm::log1p(cv * cv));
    let mu = |mean: f64, cv: f64| libm::log(mean) - sigma(cv) * sigma(cv) / 2.0;
    let truth = [0.8, mu(30.0, 0.6), sigma(0.6), mu(1_200.0, 0.5), sigma(0.5)];
    for number in 0..20 {
        let repairs = exact(&draw(planted, 400, &mut stream(100 + number)));
        let found = fit_repairs(&repairs).unwrap();
        assert_eq!(found.chosen.family, Family::LognormalMixture);
        for (parameter, value) in found.chosen.parameters.iter().zip(truth) {
            let most = 4.0 * parameter.standard_error;
            assert!((parameter.value - value).abs() < most, "{parameter:?}");
        }
        assert!(found.chosen.ks_distance < 1.949 / 20.0);
    }
    let alone = [
        "lognormal(mean=10min, cv=0.9)",
        "exponential(mean=10min)",
        "weibull(1.5, 600s)",
    ];
    let mut wrong = 0;
    for (number, text) in (0..150).zip(alone.iter().cycle()) {
        let repairs = exact(&draw(text, 200, &mut stream(200 + number)));
        let found = fit_repairs(&repairs).unwrap();
        wrong += u32::from(found.chosen.family == Family::LognormalMixture);
    }
    assert!(wrong <= 7, "{wrong} of 150");
}

#[test]
fn resampled_parameters_vary_as_their_errors_say() {
    let mut stream = stream(950);
    let repairs = draw("lognormal(mean=10min, cv=0.9)", 100, &mut stream);
    let running = censored("gamma(2, 1h)", "exponential(mean=4h)", 100, &mut stream);
    for (observations, family, names) in [
        (exact(&repairs), Family::Exponential, ["mean", "mean"]),
        (exact(&repairs), Family::Weibull, ["shape", "scale"]),
        (running, Family::Gamma, ["shape", "scale"]),
    ] {
        let fit = one(&observations, family);
        let drawn: Vec<[f64; 2]> = (0..4_000)
            .map(|_| match fit.resample(&mut stream) {
                Distribution::Exponential(mean) => [mean, mean],
                Distribution::Weibull(a, b) | Distribution::Gamma(a, b) => [a, b],
                other => panic!("{other}"),
            })
            .collect();
        for (at, name) in names.into_iter().enumerate() {
            let logs = drawn.iter().map(|pair| libm::log(pair[at]));
            let mean = logs.clone().sum::<f64>() / 4_000.0;
            let square = logs.map(|log| (log - mean).powi(2)).sum::<f64>() / 4_000.0;
            let parameter = fit.parameters.iter().find(|one| one.name == name).unwrap();
            let wanted = parameter.standard_error / parameter.value;
            assert!(near(libm::sqrt(square), wanted, 0.06), "{family:?} {name}");
            assert!((mean - libm::log(parameter.value)).abs() < 4.0 * wanted / 63.0);
        }
    }
    let values = one(&exact(&repairs), Family::Empirical);
    let means: Vec<f64> = (0..2_000)
        .map(|_| values.resample(&mut stream).mean_s())
        .collect();
    let mean = means.iter().sum::<f64>() / 2_000.0;
    let square = means
        .iter()
        .map(|value| (value - mean).powi(2))
        .sum::<f64>()
        / 2_000.0;
    let wanted = values.distribution.variance() / 100.0;
    assert!(near(square, wanted, 0.15), "{square} {wanted}");
    let same = one(&exact(&[60.0; 5]), Family::Empirical);
    assert_eq!(same.resample(&mut stream).mean_s(), 60.0);
}

#[test]
fn a_resampled_mixture_stays_one() {
    let planted = "mixture(0.8 lognormal(mean=30s, cv=0.6), 0.2 lognormal(mean=20min, cv=0.5))";
    let mut stream = stream(960);
    let repairs = exact(&draw(planted, 400, &mut stream));
    let fit = one(&repairs, Family::LognormalMixture);
    let means: Vec<f64> = (0..1_000)
        .map(|_| fit.resample(&mut stream).mean_s())
        .collect();
    let mean = means.iter().sum::<f64>() / 1_000.0;
    assert!(near(mean, fit.distribution.mean_s(), 0.03));
    assert!(means.iter().any(|value| !near(*value, mean, 0.05)));
}
