//! How far a distribution lies from what was observed.

use super::model::Data;
use crate::kernel::Distribution;

/// The largest distance between probabilities of a distribution and those observed: the distance of
/// Kolmogorov and Smirnov, from the estimate of Kaplan and Meier (1958, Journal of the American Statistical
/// Association 53) where observations are censored. Behind the last observation nothing is compared.
pub(super) fn distance(data: &Data, of: &Distribution) -> f64 {
    let exact = data.exact.iter().map(|value| (value.seconds, true));
    let censored = data.censored.iter().map(|value| (value.seconds, false));
    let mut values: Vec<(f64, bool)> = exact.chain(censored).collect();
    values.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let mut at_risk = values.len() as f64;
    let (mut survives, mut most) = (1.0, 0.0_f64);
    for ties in values.chunk_by(|a, b| a.0 == b.0) {
        let at = ties.first().map_or(0.0, |(seconds, _)| *seconds);
        let ended = ties.iter().filter(|(_, ended)| *ended).count();
        let before = (1.0 - survives - of.cdf(at.next_down())).abs();
        // Who was last seen at a time at which another one ended was at risk then.
        survives *= 1.0 - ended as f64 / at_risk;
        at_risk -= ties.len() as f64;
        let after = (1.0 - survives - of.cdf(at)).abs();
        most = most.max(before).max(after);
    }
    most
}
