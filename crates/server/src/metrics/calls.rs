//! Counts calls, and those that ended with a reason, whoever found it.

use std::sync::atomic::{AtomicU64, Ordering};
use tonic::Status;
use werkbuch_wire::reason::Reason;

/// What is counted of calls.
#[derive(Debug)]
pub(crate) struct Calls {
    taken: AtomicU64,
    /// In the order of `Reason::ALL`.
    refused: Vec<AtomicU64>,
}

impl Default for Calls {
    fn default() -> Self {
        Self {
            taken: AtomicU64::new(0),
            refused: Reason::ALL.iter().map(|_| AtomicU64::new(0)).collect(),
        }
    }
}

impl Calls {
    /// Counts a call that came.
    pub(crate) fn took(&self) {
        self.taken.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts how a call or a stream ended, if it was with one of our reasons.
    pub(crate) fn ended(&self, status: &Status) {
        let Some(reason) = Reason::of(status) else {
            return;
        };
        let mut counts = Reason::ALL.iter().zip(&self.refused);
        if let Some((_, count)) = counts.find(|(known, _)| **known == reason) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How many calls came.
    pub(crate) fn taken(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }

    /// The reasons that occurred, with how often.
    pub(crate) fn refused(&self) -> Vec<(Reason, u64)> {
        let counts = self
            .refused
            .iter()
            .map(|count| count.load(Ordering::Relaxed));
        let counts = Reason::ALL.iter().copied().zip(counts);
        counts.filter(|(_, count)| *count > 0).collect()
    }
}
