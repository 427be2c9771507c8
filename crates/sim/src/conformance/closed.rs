//! Families that follow without chance.

use super::params::Params;
use crate::statistics::{Interval, budget_shares, mean_interval, paired_interval};

/// The confidence of the intervals of this family, as its convention says.
const CONFIDENCE: f64 = 0.95;

/// What many replications say.
pub(super) fn statistics(params: &Params<'_>, model: &str) -> Result<Vec<f64>, String> {
    let both = |interval: Interval| vec![interval.mean, interval.half_width];
    match model {
        "mean +- t*s/sqrt(n)" => Ok(both(mean_interval(&params.numbers("data")?, CONFIDENCE))),
        "paired t" => {
            let (a, b) = (params.numbers("a")?, params.numbers("b")?);
            if a.len() != b.len() {
                return Err("the lists are no pairs".to_owned());
            }
            Ok(both(paired_interval(&a, &b, CONFIDENCE)))
        }
        "optimal computing budget allocation" => {
            let shares = budget_shares(&params.numbers("mean")?, &params.numbers("sd")?);
            shares.ok_or_else(|| "there is no best scenario".to_owned())
        }
        _ => Err(format!("the model \"{model}\" is not known")),
    }
}
