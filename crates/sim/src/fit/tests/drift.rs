//! Drifts that are planted, and values that have none.

use super::{draw, stream};
use crate::fit::{autocorrelation, changes, last_window, low_quantile};

#[test]
fn a_drift_is_found_where_it_is_planted() {
    for number in 0..50 {
        let mut stream = stream(400 + number);
        let mut values = draw("lognormal(mean=60s, cv=0.1)", 150, &mut stream);
        values.extend(draw("lognormal(mean=66s, cv=0.1)", 100, &mut stream));
        values.extend(draw("lognormal(mean=58s, cv=0.1)", 80, &mut stream));
        let found = changes(&values);
        assert!((2..=3).contains(&found.len()), "{found:?}");
        let last = found.last().unwrap();
        assert!(last.at.abs_diff(250) <= 12, "{found:?}");
        assert!(
            (last.mean_after - 58.0).abs() < 3.0 && last.mean_before > 62.0,
            "{found:?}"
        );
        assert_eq!(last_window(&values).len(), 330 - last.at);
    }
}

#[test]
fn no_drift_is_found_where_there_is_none() {
    for text in ["lognormal(mean=60s, cv=0.2)", "exponential(mean=1h)"] {
        let without = (0..200)
            .filter(|number| changes(&draw(text, 300, &mut stream(500 + number))).is_empty())
            .count();
        assert!(without >= 190, "{text}: {without}");
    }
    assert!(changes(&[]).is_empty() && changes(&[0.1; 100]).is_empty());
    assert_eq!(last_window(&[5.0; 100]).len(), 100);
}

#[test]
fn neighbours_that_depend_on_each_other_are_told() {
    let noise = draw("normal(mean=100s, sd=10s)", 4_000, &mut stream(900));
    assert!(autocorrelation(&noise).abs() < 4.0 / libm::sqrt(4_000.0));
    let follows: Vec<f64> = noise
        .iter()
        .scan(100.0, |before, value| {
            *before = 0.6 * *before + 0.4 * value;
            Some(*before)
        })
        .collect();
    assert!((autocorrelation(&follows) - 0.6).abs() < 0.06);
    assert!((autocorrelation(&[1.0, 2.0, 3.0, 4.0]) - 0.25).abs() < 1e-12);
    assert_eq!(
        (autocorrelation(&[]), autocorrelation(&[5.0; 9])),
        (0.0, 0.0)
    );
}

#[test]
fn low_quantiles_leave_waiting_out() {
    assert_eq!(low_quantile(&[4.0, 1.0, 3.0, 2.0], 0.5), Some(2.5));
    assert_eq!(low_quantile(&[4.0, 1.0, 3.0, 2.0], 1.0), Some(4.0));
    assert_eq!(low_quantile(&[7.0], 0.2), Some(7.0));
    assert_eq!(
        (low_quantile(&[], 0.2), low_quantile(&[1.0], 1.1)),
        (None, None)
    );
    let mut cycles = draw("normal(mean=60s, sd=1s)", 700, &mut stream(901));
    cycles.extend(draw(
        "shifted(60s, exponential(mean=5min))",
        300,
        &mut stream(902),
    ));
    let low = low_quantile(&cycles, 0.2).unwrap();
    assert!((low - 59.4).abs() < 0.3, "{low}");
}
