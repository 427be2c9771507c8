//! The lists that distributions draw from.

use super::DistributionError;
use std::sync::Arc;

/// Things with weights, of which one is chosen by chance. A clone shares the list.
#[derive(Clone, Debug, PartialEq)]
pub struct Weighted<T>(Arc<[Choice<T>]>);

#[derive(Clone, Debug, PartialEq)]
struct Choice<T> {
    weight: f64,
    /// The share of this one and of all before it.
    up_to: f64,
    of: T,
}

impl<T> Weighted<T> {
    /// Things with their weights, which need not sum to 1; `family` is who has them, for the error.
    pub(super) fn new(
        family: &'static str,
        choices: impl IntoIterator<Item = (f64, T)>,
    ) -> Result<Self, DistributionError> {
        let wrong = |wrong| Err(DistributionError::Whole { family, wrong });
        let choices: Vec<(f64, T)> = choices.into_iter().collect();
        if choices.is_empty() {
            return wrong("there is nothing to choose from");
        }
        for (weight, _) in &choices {
            if !(weight.is_finite() && *weight >= 0.0) {
                return wrong("a weight is negative, infinite or no number");
            }
        }
        let sum: f64 = choices.iter().map(|(weight, _)| weight).sum();
        if !(sum > 0.0 && sum.is_finite()) {
            return wrong("the weights come to nothing, or to more than can be added");
        }
        let mut before = 0.0;
        let choices = choices.into_iter().map(|(weight, of)| {
            before += weight;
            let up_to = before / sum;
            Choice { weight, up_to, of }
        });
        Ok(Self(choices.collect()))
    }

    /// The share of each in all, and the thing.
    pub fn shares(&self) -> impl Iterator<Item = (f64, &T)> {
        let sum: f64 = self.0.iter().map(|one| one.weight).sum();
        self.0.iter().map(move |one| (one.weight / sum, &one.of))
    }

    /// The weights as they were given, and the things.
    pub fn weights(&self) -> impl Iterator<Item = (f64, &T)> {
        self.0.iter().map(|one| (one.weight, &one.of))
    }

    /// The one at a number between 0 and 1.
    pub(super) fn at(&self, unit: f64) -> Option<&T> {
        let fits = |one: &&Choice<T>| unit < one.up_to;
        // A sum that is rounded down may leave a last bit over: it is the last one's that weighs anything.
        let last = || self.0.iter().rfind(|one| one.weight > 0.0);
        self.0.iter().find(fits).or_else(last).map(|one| &one.of)
    }
}

/// Values in seconds, in ascending order; never empty. A clone shares them.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample(Arc<[f64]>);

impl Sample {
    /// Sorts values; `family` is who has them, for the error.
    pub(super) fn new(
        family: &'static str,
        values: impl IntoIterator<Item = f64>,
    ) -> Result<Self, DistributionError> {
        let mut values: Vec<f64> = values.into_iter().collect();
        super::check::list(family, &values)?;
        values.sort_unstable_by(f64::total_cmp);
        Ok(Self(values.into()))
    }

    /// The values in ascending order.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.0
    }

    /// The value at a number between 0 and 1.
    pub(super) fn at(&self, unit: f64) -> f64 {
        let at = (unit * self.0.len() as f64) as usize;
        self.0.get(at.min(self.0.len() - 1)).copied().unwrap_or(0.0)
    }

    /// The value between two at a number between 0 and 1.
    pub(super) fn between(&self, unit: f64) -> f64 {
        let gaps = self.0.len() - 1;
        let place = unit * gaps as f64;
        let below = (place as usize).min(gaps.saturating_sub(1));
        let value = |at: usize| self.0.get(at.min(gaps)).copied().unwrap_or(0.0);
        let (least, most) = (value(below), value(below + 1));
        least + (most - least) * (place - below as f64)
    }

    /// The share of values that are at most `x`.
    pub(super) fn share_to(&self, x: f64) -> f64 {
        let count = self.0.partition_point(|value| *value <= x);
        count as f64 / self.0.len() as f64
    }

    /// What [`between`](Self::between) turns into `x`.
    pub(super) fn place_of(&self, x: f64) -> f64 {
        let count = self.0.partition_point(|value| *value <= x);
        let gaps = self.0.len() - 1;
        if count == 0 {
            return 0.0;
        }
        let (Some(least), Some(most)) = (self.0.get(count - 1), self.0.get(count)) else {
            return 1.0;
        };
        ((count - 1) as f64 + (x - least) / (most - least)) / gaps as f64
    }
}
