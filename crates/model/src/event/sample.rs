//! Batches of samples: their figures in the log, their single values beside it.

use super::{Aspect, AspectKind, Blob, Refusal, RefusalReason, Text, check};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// The figures of one item over the period of a batch.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SampleItem<'a> {
    /// The item's name at the source.
    pub item: Text<'a>,
    /// The unit's code, empty when it is not said.
    #[serde(default)]
    pub unit: Text<'a>,
    /// How many values the figures are of.
    #[serde(default)]
    pub n: u64,
    /// How often the source said that it cannot say.
    #[serde(default)]
    pub unavailable: u64,
    /// The least value; absent when `n` is 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// The greatest value; absent when `n` is 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
    /// The arithmetic mean of the values; absent when `n` is 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mean: Option<f64>,
    /// The last value by time; absent when the last thing said was "unavailable".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<f64>,
}

/// A batch of samples of one machine.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SampleReported<'a> {
    /// When the period begins.
    pub period_start: Timestamp,
    /// How long the period is, in milliseconds.
    pub period_ms: u64,
    /// The figures, one for each item that said something.
    pub items: Vec<SampleItem<'a>>,
    /// SHA-256 of the body with the single values, empty when there is none.
    #[serde(default, skip_serializing_if = "<[u8]>::is_empty")]
    pub body_hash: Blob<'a>,
    /// The length of the body in bytes.
    #[serde(default)]
    pub body_bytes: u64,
}

impl SampleReported<'_> {
    pub(super) fn validate(&self) -> Result<(), Refusal> {
        if self.items.is_empty() {
            return Err(check::missing("items"));
        }
        if !matches!(self.body_hash.len(), 0 | 32) {
            return Err(Refusal::new(
                RefusalReason::BodyMismatch,
                "body_hash",
                format!(
                    "body_hash has {} bytes, SHA-256 has 32",
                    self.body_hash.len()
                ),
            ));
        }
        self.items.iter().try_for_each(SampleItem::validate)
    }

    pub(super) fn for_each_aspect<'s>(&'s self, f: &mut dyn FnMut(Aspect<'s>)) {
        for item in &self.items {
            f(Aspect::keyed(AspectKind::Sample, &item.item));
        }
    }
}

impl SampleItem<'_> {
    fn validate(&self) -> Result<(), Refusal> {
        check::required("items.item", &self.item)?;
        check::name("items.unit", &self.unit)?;
        check::finite("items.min", self.min)?;
        check::finite("items.max", self.max)?;
        check::finite("items.mean", self.mean)?;
        check::finite("items.last", self.last)?;
        let figures = [self.min, self.max, self.mean];
        if self.n > 0 && figures.iter().any(Option::is_none) {
            return Err(check::missing("items.min, items.max, items.mean"));
        }
        Ok(())
    }
}
