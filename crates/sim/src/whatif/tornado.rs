//! What output depends on most: each parameter once at a low and once at a high value, with the same chance.
//!
//! A group is one parameter of all machines of a type, or of a machine without a type; a buffer; the demand at a
//! source; the deliveries of a part. Where it was fitted, low and high are what 10 % and 90 % of what the data leave
//! open lie below; else they are a share below and above what is given.

use super::groups::{Group, groups};
use super::model::Model;
use super::outcome::Outcome;
use super::scenario::Scenario;
use super::study::{Effort, Progress, StudyError, outputs};
use crate::statistics::{Interval, paired_interval};
use serde_json::{Value, json};

/// The parameters, the one with the greatest swing first.
#[derive(Clone, Debug, PartialEq)]
pub struct Tornado {
    /// How far below and above what is given a parameter was tried, as a share.
    pub swing: f64,
    /// How many groups there are; those of the busiest stations were tried.
    pub of: usize,
    /// Those that were tried.
    pub bars: Vec<Bar>,
}

/// What a parameter does.
#[derive(Clone, Debug, PartialEq)]
pub struct Bar {
    /// What is changed: `cycle of press`, `capacity of b-12`.
    pub name: String,
    /// The parameter: `cycle`, `up`, `repair`, `scrap`, `rework`, `set-up`, `demand`, `delivery`, `capacity`.
    pub what: &'static str,
    /// The machines, buffers or parts.
    pub of: Vec<String>,
    /// The low value, as a multiple of what is given.
    pub low: f64,
    /// The high one.
    pub high: f64,
    /// Whether they follow from how sure a fit is.
    pub is_fitted: bool,
    /// How much more comes out with the low value.
    pub at_low: Interval,
    /// And with the high one.
    pub at_high: Interval,
}

/// Tries low and high values around the baseline of a study: `swing` is how far where nothing was fitted, `most` how
/// many groups are tried.
///
/// # Errors
///
/// [`StudyError`].
pub fn tornado(
    model: &Model,
    (found, effort): (&Outcome, &Effort),
    (swing, most): (f64, usize),
    on: &(dyn Fn(Progress) -> bool + Sync),
) -> Result<Tornado, StudyError> {
    if !(1e-4..=0.99).contains(&swing) {
        let what = "parameters are tried between 0.01% and 99% below and above what is given";
        return Err(StudyError::Asked(what.to_owned()));
    }
    let mut tried = groups(model, found, (swing, effort.seed));
    let of = tried.len();
    tried.truncate(most);
    let mut made = vec![Scenario::baseline()];
    for group in &tried {
        made.extend(group.changes.iter().map(|changes| Scenario {
            name: group.name.clone(),
            changes: changes.clone(),
        }));
    }
    let made: Vec<&Scenario> = made.iter().collect();
    let as_much = Effort {
        replications: u32::try_from(found.replications).unwrap_or(u32::MAX),
        ..effort.clone()
    };
    let outputs = outputs(model, &made, &as_much, on)?;
    let Some((base, others)) = outputs.split_first() else {
        return Err(StudyError::Asked("there is nothing to try".to_owned()));
    };
    let bars = tried.into_iter().zip(others.chunks(2));
    let mut bars: Vec<Bar> = bars
        .filter_map(|(group, pair)| {
            let [low, high] = pair else { return None };
            Some(bar(group, (low, high), base, effort.confidence))
        })
        .collect();
    bars.sort_by(|a, b| b.swing().total_cmp(&a.swing()));
    Ok(Tornado { swing, of, bars })
}

fn bar(group: Group, (low, high): (&[f64], &[f64]), base: &[f64], confidence: f64) -> Bar {
    Bar {
        name: group.name,
        what: group.what,
        of: group.of,
        low: group.range.0,
        high: group.range.1,
        is_fitted: group.is_fitted,
        at_low: paired_interval(low, base, confidence),
        at_high: paired_interval(high, base, confidence),
    }
}

impl Bar {
    /// How far apart outputs are over its values.
    #[must_use]
    pub fn swing(&self) -> f64 {
        let ends = [self.at_low.mean, self.at_high.mean];
        ends.iter().fold(0.0_f64, |most, one| most.max(*one))
            - ends.iter().fold(0.0_f64, |least, one| least.min(*one))
    }
}

impl Tornado {
    /// For programs.
    pub(super) fn to_json(&self) -> Value {
        let of = |one: &Interval| json!({ "mean": one.mean, "half_width": one.half_width });
        let bars = self.bars.iter().map(|bar| {
            json!({
                "name": bar.name,
                "what": bar.what,
                "of": bar.of,
                "low": bar.low,
                "high": bar.high,
                "basis": if bar.is_fitted { "fit" } else { "given" },
                "at_low": of(&bar.at_low),
                "at_high": of(&bar.at_high),
                "swing": bar.swing(),
            })
        });
        json!({
            "swing": self.swing,
            "shown": self.bars.len(),
            "total": self.of,
            "bars": bars.collect::<Vec<_>>(),
        })
    }
}
