//! Counts what each source sent again: it is answered and leaves no trace in the log.

use super::handle::Plant;
use crate::api::{Outcome, OutcomeResult};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use werkbuch_model::id::SourceNumber;

/// The repeats of each source since the plant was opened.
#[derive(Debug, Default)]
pub(crate) struct Repeats(Mutex<BTreeMap<SourceNumber, u64>>);

impl Repeats {
    /// Counts those of an answered batch.
    pub(crate) fn note(&self, source: SourceNumber, outcomes: &[Outcome]) {
        let repeated = outcomes
            .iter()
            .filter(|run| matches!(run.result, OutcomeResult::Repeated(_)));
        let more: u64 = repeated.map(|run| u64::from(run.count)).sum();
        if more > 0 {
            let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let count = counts.entry(source).or_default();
            *count = count.saturating_add(more);
        }
    }
}

impl Plant {
    /// How many events each source has sent again since the start, those that did at all.
    #[must_use]
    pub fn repeats(&self) -> BTreeMap<SourceNumber, u64> {
        let counts = &self.shared.repeats.0;
        let counts = counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.clone()
    }
}
