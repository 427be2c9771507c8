//! What many replications say: means with their intervals, differences, and where to spend more of them.

use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

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

/// How likely so great a mean difference of pairs is where there is none (two-sided paired t test); 1 where there
/// are fewer than two pairs, or none differ.
#[must_use]
pub fn p_value(a: &[f64], b: &[f64]) -> f64 {
    let differences: Vec<f64> = a.iter().zip(b).map(|(a, b)| a - b).collect();
    let count = differences.len() as f64;
    let mean = differences.iter().sum::<f64>() / count;
    let Ok(of) = StudentsT::new(0.0, 1.0, count - 1.0) else {
        return 1.0;
    };
    let error = deviation(&differences, mean) / count.sqrt();
    match (mean == 0.0, error > 0.0) {
        (true, _) => 1.0,
        // All pairs differ by the same.
        (false, false) => 0.0,
        (false, true) => 2.0 * of.cdf(-(mean / error).abs()),
    }
}

/// The probabilities of several tests, so that together they err as seldom as one would (Holm 1979, Scandinavian
/// Journal of Statistics 6).
#[must_use]
pub fn holm(ps: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..ps.len()).collect();
    order.sort_by(|a, b| ps[*a].total_cmp(&ps[*b]));
    let mut adjusted = vec![0.0; ps.len()];
    let mut least = 0.0_f64;
    for (rank, at) in order.into_iter().enumerate() {
        least = least.max(ps[at] * (ps.len() - rank) as f64).min(1.0);
        adjusted[at] = least;
    }
    adjusted
}

/// A probability of which so many of so many trials tell, in the middle of its interval, with the interval
/// (Wilson 1927, Journal of the American Statistical Association 22): 9 of 10 are not 90 %.
#[must_use]
pub fn wilson(hits: u64, trials: u64, confidence: f64) -> (f64, f64, f64) {
    let z = Normal::standard().inverse_cdf(0.5 + confidence / 2.0);
    let count = trials as f64;
    if trials == 0 {
        return (0.5, 0.0, 1.0);
    }
    let share = hits as f64 / count;
    let whole = 1.0 + z * z / count;
    let middle = (share + z * z / (2.0 * count)) / whole;
    let half = z / whole * (share * (1.0 - share) / count + z * z / (4.0 * count * count)).sqrt();
    (middle, (middle - half).max(0.0), (middle + half).min(1.0))
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
    fn tests_and_probabilities_are_those_of_the_tables() {
        // t = 2.598 with 2 degrees of freedom.
        let p = p_value(&[2.0, 3.0, 4.0], &[1.5, 1.5, 1.5]);
        assert!((p - 0.121_6).abs() < 0.000_2, "{p}");
        assert_eq!(p_value(&[1.0, 2.0], &[1.0, 2.0]), 1.0);
        assert_eq!(p_value(&[2.0, 3.0], &[1.0, 2.0]), 0.0);
        assert_eq!(p_value(&[2.0], &[1.0]), 1.0);
        // The example of Holm's paper's form: 0.01, 0.04, 0.03 become 0.03, 0.06, 0.06.
        let adjusted = holm(&[0.01, 0.04, 0.03]);
        for (found, wanted) in adjusted.iter().zip([0.03, 0.06, 0.06]) {
            assert!((found - wanted).abs() < 1e-12, "{adjusted:?}");
        }
        // 9 of 10 at 95 %: 0.5958 to 0.9821.
        let (middle, low, high) = wilson(9, 10, 0.95);
        assert!(
            (low - 0.5958).abs() < 1e-4 && (high - 0.9821).abs() < 1e-4,
            "{low} {high}"
        );
        assert!((middle - 0.788_96).abs() < 1e-3, "{middle}");
        assert_eq!(wilson(0, 0, 0.95), (0.5, 0.0, 1.0));
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
