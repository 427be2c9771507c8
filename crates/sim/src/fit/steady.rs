//! Since when values of several sorts are what they are today.

/// In fewer values no drift is looked for.
const VALUES_MIN: usize = 60;

/// A sort with fewer values than this has no mean of its own.
const SORT_MIN: usize = 10;

/// What is left after a drift is no less than this.
const LEFT_MIN: usize = 30;

/// Into about so many blocks values are put together, and no fewer than this.
const BLOCKS: usize = 40;
const BLOCKS_MIN: usize = 12;

/// No block is shorter than this, and one of values that depend on each other holds so many times their reach.
const BLOCK_MIN: usize = 5;
const REACHES: f64 = 3.0;

/// The value that the largest distance of a Brownian bridge exceeds with probability 0.001 (Kolmogorov), and that
/// of its range (Kuiper).
const CRITICAL: f64 = 1.949;
const CRITICAL_RANGE: f64 = 2.303;

/// The index from which on values are what they are today; 0 where they have not changed. `sorts` says of which
/// sort each value is (a variant, a program): the values are looked at as multiples of the mean of their sort, so
/// that another mix is no drift.
///
/// The means of blocks of neighbours are compared, because the cycles of a machine depend on each other. How much
/// they differ by chance is told by neighbouring blocks (von Neumann 1941, Annals of Mathematical Statistics 12),
/// so that a drift does not hide itself, and by the blocks' length, which grows with how far values depend on each
/// other. It is a drift where the sums of the deviations exceed what they exceed once in a thousand times without
/// one, and then both sides are looked at in the same way. Where the last level lies between earlier ones values go to
/// and fro, as when teams take turns: that is no drift, and all of them count. Nothing is looked for in fewer than 60
/// values.
#[must_use]
pub fn steady_from(values: &[f64], sorts: &[usize]) -> usize {
    let all = ratios(values, sorts);
    let (mut found, mut parts) = (vec![0], vec![(0, all.len())]);
    while let Some((from, to)) = parts.pop() {
        let part = all.get(from..to).unwrap_or_default();
        if let Some(at) = change(part).filter(|at| to - from - at >= LEFT_MIN) {
            found.push(from + at);
            parts.extend([(from, from + at), (from + at, to)]);
        }
    }
    found.sort_unstable();
    let ends = found.iter().skip(1).copied().chain([all.len()]);
    let levels = found.iter().zip(ends).map(|(from, to)| {
        let part = all.get(*from..to).unwrap_or_default();
        part.iter().map(|(_, value)| value).sum::<f64>() / part.len().max(1) as f64
    });
    let levels: Vec<f64> = levels.collect();
    let Some((last, before)) = levels.split_last() else {
        return 0;
    };
    let came_back =
        before.iter().any(|level| level <= last) && before.iter().any(|level| level >= last);
    match found.last() {
        Some(at) if !came_back && *at > 0 => all.get(*at).map_or(0, |(index, _)| *index),
        _ => 0,
    }
}

/// Values as multiples of the means of their sorts, with their indexes; sorts with few values are left out.
fn ratios(values: &[f64], sorts: &[usize]) -> Vec<(usize, f64)> {
    let count = sorts.iter().max().map_or(0, |most| most + 1);
    let mut sums = vec![(0.0, 0_usize); count];
    for (value, sort) in values.iter().zip(sorts) {
        if let Some((sum, count)) = sums.get_mut(*sort) {
            (*sum, *count) = (*sum + value, *count + 1);
        }
    }
    let ratio = |(index, (value, sort)): (usize, (&f64, &usize))| {
        let (sum, count) = sums.get(*sort).copied()?;
        (count >= SORT_MIN && sum > 0.0).then(|| (index, value * count as f64 / sum))
    };
    let pairs = values.iter().zip(sorts).enumerate();
    pairs.filter_map(ratio).collect()
}

/// The index at which the mean of blocks changes most, if it does.
fn change(values: &[(usize, f64)]) -> Option<usize> {
    if values.len() < VALUES_MIN {
        return None;
    }
    let length = block(values);
    let blocks: Vec<f64> = values
        .chunks_exact(length)
        .map(|block| block.iter().map(|(_, value)| value).sum::<f64>() / length as f64)
        .collect();
    let count = blocks.len();
    if count < BLOCKS_MIN {
        return None;
    }
    let mean = blocks.iter().sum::<f64>() / count as f64;
    let apart = |by: usize| {
        let pairs = blocks.iter().zip(blocks.iter().skip(by));
        let squares: f64 = pairs.map(|(a, b)| (a - b) * (a - b)).sum();
        squares / (2 * (count - by)) as f64
    };
    // What depends on each other beyond a block differs more from the second next than from the next.
    let unit = libm::sqrt(apart(1).max(apart(2)) * count as f64);
    if unit <= mean.abs() * 1e-12 {
        return None;
    }
    let (mut sum, mut low, mut high) = (0.0_f64, 0.0_f64, 0.0_f64);
    let (mut at, mut most) = (0, 0.0);
    for (value, after) in blocks.iter().zip(1..) {
        sum += value - mean;
        (low, high) = (low.min(sum), high.max(sum));
        if sum.abs() > most {
            (at, most) = (after, sum.abs());
        }
    }
    let is_change = most > CRITICAL * unit || high - low > CRITICAL_RANGE * unit;
    (is_change && at > 0 && at < count).then_some(at * length)
}

/// How many values a block holds: the reach of a value that depends on the one before it is (1 + r) / (1 - r).
fn block(values: &[(usize, f64)]) -> usize {
    let plain: Vec<f64> = values.iter().map(|(_, value)| *value).collect();
    let r = super::autocorrelation(&plain).clamp(0.0, 0.9);
    let reach = libm::ceil(REACHES * (1.0 + r) / (1.0 - r)) as usize;
    (values.len() / BLOCKS).max(BLOCK_MIN).max(reach)
}

/// Whether two samples come from different distributions, by the test of Kolmogorov and Smirnov at a level such as
/// 0.01: the largest distance between their shares is one that they exceed so seldom by chance (Stephens 1970,
/// Journal of the Royal Statistical Society B 32).
#[must_use]
pub fn differ(a: &[f64], b: &[f64], level: f64) -> bool {
    if a.is_empty() || b.is_empty() {
        return false;
    }
    let of_a = a.iter().map(|value| (*value, true));
    let mut both: Vec<(f64, bool)> = of_a.chain(b.iter().map(|value| (*value, false))).collect();
    both.sort_unstable_by(|x, y| x.0.total_cmp(&y.0));
    let (first, second) = (a.len() as f64, b.len() as f64);
    let (mut share_a, mut share_b, mut most) = (0.0, 0.0, 0.0_f64);
    for ties in both.chunk_by(|x, y| x.0 == y.0) {
        let of_a = ties.iter().filter(|(_, is_a)| *is_a).count();
        share_a += of_a as f64 / first;
        share_b += (ties.len() - of_a) as f64 / second;
        most = most.max((share_a - share_b).abs());
    }
    let root = libm::sqrt(first * second / (first + second));
    let x = most * (root + 0.12 + 0.11 / root);
    let term = |k: f64| libm::exp(-2.0 * k * k * x * x);
    let chance = 2.0 * (term(1.0) - term(2.0) + term(3.0) - term(4.0));
    // Near 0 the series does not converge, and nothing differs.
    x > 0.5 && chance < level
}
