//! What many replications say: means with their intervals, differences, and where to spend more of them.

use statrs::distribution::{ContinuousCDF, StudentsT};

/// A mean and half the width of the interval that holds the true one as often as it was asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// The mean.
    pub mean: f64,
    /// Half the width; infinite where there are fewer than two values.
    pub half_width: f64,
}

/// The interval of the mean of values that do not depend on each other, by Student's t; `confidence` lies
/// between 0 and 1.
#[must_use]
pub fn mean_interval(values: &[f64], confidence: f64) -> Interval {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let half_width = match quantile(count - 1.0, confidence) {
        Some(t) => t * deviation(values, mean) / count.sqrt(),
        None => f64::INFINITY,
    };
    Interval { mean, half_width }
}

/// The interval of the mean difference of pairs, of which each was made with the same random numbers.
#[must_use]
pub fn paired_interval(a: &[f64], b: &[f64], confidence: f64) -> Interval {
    let differences: Vec<f64> = a.iter().zip(b).map(|(a, b)| a - b).collect();
    mean_interval(&differences, confidence)
}

/// How to share replications among scenarios so that the one with the least mean is found soonest: optimal
/// computing budget allocation (Chen, Lin, Yücesan and Chick 2000, Discrete Event Dynamic Systems 10).
/// Shares sum to 1; nothing for fewer than two scenarios, or where two share the least mean.
#[must_use]
pub fn budget_shares(means: &[f64], deviations: &[f64]) -> Option<Vec<f64>> {
    let pairs: Vec<(f64, f64)> = means
        .iter()
        .copied()
        .zip(deviations.iter().copied())
        .collect();
    let best = (0..pairs.len()).min_by(|a, b| pairs[*a].0.total_cmp(&pairs[*b].0))?;
    let mut shares = vec![0.0; pairs.len()];
    let mut squares = 0.0;
    for (at, (mean, deviation)) in pairs.iter().enumerate().filter(|(at, _)| *at != best) {
        let apart = (mean - pairs[best].0) / deviation;
        shares[at] = 1.0 / (apart * apart);
        squares += (shares[at] / deviation).powi(2);
    }
    shares[best] = pairs[best].1 * squares.sqrt();
    let sum: f64 = shares.iter().sum();
    let is_sound = pairs.len() > 1 && sum.is_finite() && sum > 0.0;
    is_sound.then(|| shares.iter().map(|share| share / sum).collect())
}

/// The deviation of a sample around its mean.
fn deviation(values: &[f64], mean: f64) -> f64 {
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (squares / (values.len() as f64 - 1.0)).sqrt()
}

/// So many deviations of the mean lie on each side; nothing without a degree of freedom.
pub(crate) fn quantile(freedom: f64, confidence: f64) -> Option<f64> {
    let of = StudentsT::new(0.0, 1.0, freedom).ok()?;
    Some(of.inverse_cdf(0.5 + confidence / 2.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_those_of_the_tables() {
        // t of 3 degrees of freedom at 95 %: 3.18245; the deviation is that of 1, 2, 3, 4.
        let interval = mean_interval(&[1.0, 2.0, 3.0, 4.0], 0.95);
        assert!((interval.mean - 2.5).abs() < 1e-12);
        let expected = 3.182_446_305 * (5.0_f64 / 3.0).sqrt() / 2.0;
        assert!(
            (interval.half_width - expected).abs() < 1e-6,
            "{interval:?}"
        );
        let paired = paired_interval(&[2.0, 3.5, 4.0], &[1.0, 2.5, 3.0], 0.99);
        assert_eq!(
            paired,
            Interval {
                mean: 1.0,
                half_width: 0.0
            }
        );
        assert_eq!(mean_interval(&[7.0], 0.95).half_width, f64::INFINITY);
    }

    #[test]
    fn more_is_spent_where_it_is_hard_to_tell() {
        let shares = budget_shares(&[1.0, 1.1, 3.0], &[1.0, 1.0, 1.0]);
        let shares = shares.unwrap_or_default();
        assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert!(
            shares[0] > 0.45 && shares[1] > 0.45 && shares[2] < 0.01,
            "{shares:?}"
        );
        assert_eq!(budget_shares(&[1.0], &[1.0]), None);
        assert_eq!(budget_shares(&[1.0, 1.0], &[1.0, 1.0]), None);
    }
}
