//! Drifts of cycles that are of several variants and depend on each other.

use super::{draw, exact, stream};
use crate::fit::{Family, differ, fit, select, steady_from};
use crate::kernel::Distribution;

/// Cycles of three variants in batches, each of which depends on the one before it by a share.
fn cycles(number: u32, count: usize, depends: f64) -> (Vec<f64>, Vec<usize>) {
    let mut stream = stream(5_000 + number);
    let noise = draw("normal(mean=100s, sd=8s)", count, &mut stream);
    let (mut before, mut sort, mut left) = (0.0, 0, 0_u64);
    let mut values = Vec::new();
    let mut sorts = Vec::new();
    for value in noise {
        if left == 0 {
            (sort, left) = (
                usize::try_from(stream.below(3)).unwrap(),
                5 + stream.below(60),
            );
        }
        left -= 1;
        before = depends * before + libm::sqrt(1.0 - depends * depends) * (value - 100.0);
        values.push((60.0 + 10.0 * sort as f64) * (1.0 + before / 100.0));
        sorts.push(sort);
    }
    (values, sorts)
}

#[test]
fn what_does_not_drift_is_seldom_said_to() {
    for (count, depends) in [(100, 0.0), (300, 0.3), (1_300, 0.0), (1_300, 0.6)] {
        let wrong = (0..400)
            .filter(|number| {
                let (values, sorts) = cycles(*number, count, depends);
                steady_from(&values, &sorts) > 0
            })
            .count();
        assert!(wrong <= 20, "{wrong} of 400 at {count} and {depends}");
    }
    // Heavy tails are no drift either.
    let heavy = (0..400).filter(|number| {
        let values = draw(
            "lognormal(mean=60s, cv=0.8)",
            800,
            &mut stream(6_000 + number),
        );
        steady_from(&values, &[0; 800]) > 0
    });
    let heavy = heavy.count();
    assert!(heavy <= 20, "{heavy}");
    assert_eq!(steady_from(&[60.0; 500], &[0; 500]), 0);
    assert_eq!(steady_from(&[], &[]), 0);
}

#[test]
fn a_drift_of_a_twentieth_is_found() {
    let mut found = 0;
    for number in 0..100 {
        let (mut values, sorts) = cycles(1_000 + number, 1_300, 0.3);
        for value in values.iter_mut().skip(700) {
            *value *= 1.05;
        }
        let from = steady_from(&values, &sorts);
        found += usize::from(from.abs_diff(700) <= 120);
    }
    assert!(found >= 95, "{found} of 100");
}

#[test]
fn teams_that_take_turns_are_no_drift() {
    let level = |at: usize| [0.96, 1.0, 1.04][at / 460 % 3];
    let mut stream = stream(9_000);
    let noise = draw("normal(mean=60s, sd=2s)", 2_000, &mut stream);
    let turns: Vec<f64> = noise
        .iter()
        .enumerate()
        .map(|(at, x)| x * level(at))
        .collect();
    assert_eq!(steady_from(&turns, &[0; 2_000]), 0);
    // What goes on and on in one direction is one: only the last of it is left.
    let grows = |at: usize| 1.0 + 0.05 * (at / 500) as f64;
    let grown: Vec<f64> = noise
        .iter()
        .enumerate()
        .map(|(at, x)| x * grows(at))
        .collect();
    let from = steady_from(&grown, &[0; 2_000]);
    assert!((1_450..1_550).contains(&from), "{from}");
}

#[test]
fn samples_that_differ_are_told_apart() {
    let of = |text: &str, number: u32| draw(text, 60, &mut stream(7_000 + number));
    let wrong = (0..500).filter(|number| {
        let a = of("gamma(shape=9, scale=6s)", *number);
        differ(&a, &of("gamma(shape=9, scale=6s)", number + 500), 0.05)
    });
    let wrong = wrong.count();
    assert!((5..=45).contains(&wrong), "{wrong}");
    let right = (0..50).filter(|number| {
        let a = of("normal(mean=60s, sd=3s)", *number);
        differ(&a, &of("normal(mean=64s, sd=3s)", number + 500), 0.01)
    });
    assert_eq!(right.count(), 50);
    assert!(!differ(&[], &[1.0], 0.05) && !differ(&[1.0; 9], &[1.0; 9], 0.05));
}

#[test]
fn a_tail_that_no_value_speaks_for_is_none() {
    // Log-logistic repairs of shape 1.7: the family fits best, and has no variance.
    let values = draw("log-logistic(1.7, 30s)", 400, &mut stream(8_000));
    let best = fit(&exact(&values)).unwrap().remove(0);
    assert_eq!(best.family, Family::LogLogistic);
    assert!(!best.distribution.variance().is_finite());
    let chosen = select(&exact(&values)).unwrap().chosen;
    assert_ne!(chosen.family, Family::LogLogistic);
    let mean = values.iter().sum::<f64>() / 400.0;
    let deviation = libm::sqrt(values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 400.0);
    let near = |of: &Distribution| {
        of.variance().is_finite() && (of.mean_s() - mean).abs() <= 3.001 * deviation / 20.0
    };
    assert!(near(&chosen.distribution), "{}", chosen.distribution);
    let mut stream = stream(8_001);
    assert!((0..2_000).all(|_| near(&chosen.resample(&mut stream))));
    // What has ended early and what goes on for long have the mean of their estimate up to there.
    let fits = crate::fit::fit_families(
        &super::censored(
            "exponential(mean=1h)",
            "exponential(mean=2h)",
            80,
            &mut stream,
        ),
        &[Family::Weibull, Family::Exponential],
    )
    .unwrap();
    for fit in fits {
        assert!(fit.is_supported(), "{fit:?}");
        for _ in 0..500 {
            let ratio = fit.resample(&mut stream).mean_s() / fit.distribution.mean_s();
            assert!(ratio < 1.6 && ratio > 0.6, "{ratio}");
        }
    }
}
