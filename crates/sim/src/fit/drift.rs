//! Whether values stay what they were, and whether neighbours depend on each other.

/// The value that the largest distance of a Brownian bridge exceeds with probability 0.01 (Kolmogorov).
const CRITICAL: f64 = 1.628;

/// The value that its range exceeds with probability 0.01 (Kuiper 1960, Indagationes Mathematicae 22).
const CRITICAL_RANGE: f64 = 2.001;

/// In fewer values nothing is looked for.
const VALUES_MIN: usize = 20;

/// A change of the mean.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Change {
    /// The index of the first value after it.
    pub at: usize,
    /// The mean from the change before, or the beginning, to this one.
    pub mean_before: f64,
    /// The mean from this one to the next, or the end.
    pub mean_after: f64,
}

/// The changes of the mean of values in the order in which they came, by their cumulative sums (Page 1954,
/// Biometrika 41) and binary segmentation (Vostrikova 1981, Soviet Mathematics Doklady 24). The sums of the
/// deviations from the mean are divided by the deviation and the root of the number of values; where the
/// largest of them, or their range, exceeds what it exceeds once in a hundred times without a change, there is
/// one, and both sides are looked at in the same way. The range sees a mean that goes up and comes back. Each
/// change is then placed anew between its neighbours, because one change moves where another is seen, and
/// dropped where it is none any more.
///
/// Values are taken to be independent; see [`autocorrelation`]. No change is looked for in fewer than 20.
#[must_use]
pub fn changes(values: &[f64]) -> Vec<Change> {
    let mut found = Vec::new();
    let mut parts = vec![(0, values.len())];
    while let Some((from, to)) = parts.pop() {
        let part = values.get(from..to).unwrap_or_default();
        if let Some(at) = change(part) {
            found.push(from + at);
            parts.extend([(from, from + at), (from + at, to)]);
        }
    }
    found.sort_unstable();
    let found = placed_anew(values, found);
    let mean = |from: usize, to: usize| {
        let part = values.get(from..to).unwrap_or_default();
        part.iter().sum::<f64>() / part.len() as f64
    };
    let ends = found.iter().skip(1).copied().chain([values.len()]);
    let begins = [0].into_iter().chain(found.iter().copied());
    begins
        .zip(&found)
        .zip(ends)
        .map(|((from, at), to)| Change {
            at: *at,
            mean_before: mean(from, *at),
            mean_after: mean(*at, to),
        })
        .collect()
}

/// The values after the last change: those that hold today. All of them where nothing has changed.
#[must_use]
pub fn last_window(values: &[f64]) -> &[f64] {
    let from = changes(values).last().map_or(0, |change| change.at);
    values.get(from..).unwrap_or_default()
}

/// Looks for each change between those beside it.
fn placed_anew(values: &[f64], found: Vec<usize>) -> Vec<usize> {
    let ends = found.iter().skip(1).copied().chain([values.len()]);
    let mut kept: Vec<usize> = Vec::new();
    for end in ends {
        let from = kept.last().copied().unwrap_or(0);
        let part = values.get(from..end).unwrap_or_default();
        kept.extend(change(part).map(|at| from + at));
    }
    kept
}

/// The index at which the mean changes most, if it does.
fn change(values: &[f64]) -> Option<usize> {
    if values.len() < VALUES_MIN {
        return None;
    }
    let (mean, squares) = around_mean(values);
    let (mut sum, mut low, mut high) = (0.0_f64, 0.0_f64, 0.0_f64);
    let (mut at, mut most) = (0, 0.0);
    for (value, after) in values.iter().zip(1..) {
        sum += value - mean;
        (low, high) = (low.min(sum), high.max(sum));
        if sum.abs() > most {
            (at, most) = (after, sum.abs());
        }
    }
    // What differs by its last digits only does not change: the sums would tell of nothing but rounding.
    if squares <= values.len() as f64 * mean * mean * 1e-24 {
        return None;
    }
    // The root of the squares is the deviation times the root of the number of values.
    let unit = libm::sqrt(squares);
    let is_change = most > CRITICAL * unit || high - low > CRITICAL_RANGE * unit;
    (is_change && at > 0 && at < values.len()).then_some(at)
}

/// The correlation of neighbours: near 0 for independent values, whose lie within two divided by the root of
/// their number nineteen times out of twenty. 0 where there are fewer than two values or all are the same.
#[must_use]
pub fn autocorrelation(values: &[f64]) -> f64 {
    let (mean, squares) = around_mean(values);
    if squares.is_nan() || squares <= 0.0 {
        return 0.0;
    }
    let pairs = values.iter().zip(values.iter().skip(1));
    pairs.map(|(a, b)| (a - mean) * (b - mean)).sum::<f64>() / squares
}

/// A low quantile of a sample, for cycle times in which some values contain waiting: these make values longer,
/// never shorter, so that the quantile at 0.1 or 0.2 tells the work alone. Between two values it lies on the
/// line between them (definition 7 of Hyndman and Fan 1996, The American Statistician 50). Absent where there
/// is no value, or `p` does not lie between 0 and 1.
#[must_use]
pub fn low_quantile(values: &[f64], p: f64) -> Option<f64> {
    if !(0.0..=1.0).contains(&p) {
        return None;
    }
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let place = p * sorted.len().checked_sub(1)? as f64;
    let below = place as usize;
    let low = *sorted.get(below)?;
    let high = sorted.get(below + 1).copied().unwrap_or(low);
    Some(low + (high - low) * (place - below as f64))
}

/// The mean, and the sum of the squares around it.
fn around_mean(values: &[f64]) -> (f64, f64) {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let squares = values.iter().map(|value| (value - mean) * (value - mean));
    (mean, squares.sum())
}
