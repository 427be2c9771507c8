//! Counts and times what the running system does, in atomics that cost a batch next to nothing.

use crate::api::{Appended, OutcomeResult};
use crate::figures::{Distribution, Lag};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use werkbuch_model::event::RefusalReason;
use werkbuch_model::id::{Position, SourceNumber};
use werkbuch_model::time::Timestamp;

/// The upper bounds of short times, in microseconds: 100 us to 10 s.
pub(crate) const SHORT: &[u64] = &[
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000,
    1_000_000, 2_500_000, 5_000_000, 10_000_000,
];
/// The upper bounds of long times, in microseconds: 1 ms to 1,000 s.
pub(crate) const LONG: &[u64] = &[
    1_000,
    2_500,
    5_000,
    10_000,
    25_000,
    50_000,
    100_000,
    250_000,
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    30_000_000,
    100_000_000,
    300_000_000,
    1_000_000_000,
];

/// A number that only grows, or is set.
#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    pub(crate) fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    pub(crate) fn set(&self, value: u64) {
        self.0.store(value, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// How often something took how long.
#[derive(Debug)]
pub(crate) struct Times {
    bounds: &'static [u64],
    /// One for each bound, and one for what is beyond the last.
    counts: Vec<Count>,
    sum_ns: Count,
}

impl Times {
    pub(crate) fn new(bounds: &'static [u64]) -> Self {
        Self {
            bounds,
            counts: (0..=bounds.len()).map(|_| Count::default()).collect(),
            sum_ns: Count::default(),
        }
    }

    pub(crate) fn observe(&self, took: Duration) {
        let micros = u64::try_from(took.as_nanos().div_ceil(1_000)).unwrap_or(u64::MAX);
        let at = self.bounds.partition_point(|bound| *bound < micros);
        if let Some(count) = self.counts.get(at) {
            count.add(1);
        }
        self.sum_ns.add(nanos(took));
    }

    pub(crate) fn read(&self) -> Distribution {
        let bounds = self.bounds.iter().map(|micros| *micros as f64 / 1e6);
        let bounds = bounds.chain([f64::INFINITY]);
        Distribution {
            buckets: bounds.zip(self.counts.iter().map(Count::get)).collect(),
            sum_seconds: self.sum_ns.get() as f64 / 1e9,
        }
    }
}

/// What is counted over all plants.
#[derive(Debug)]
pub(crate) struct Meter {
    pub(crate) ack: Times,
    pub(crate) commit: Times,
    pub(crate) sync: Times,
    pub(crate) replay: Times,
    pub(crate) past: Times,
    pub(crate) snapshot: Times,
    pub(crate) written_bytes: Count,
    pub(crate) commit_blocks: Count,
    pub(crate) commit_failures: Count,
    pub(crate) snapshot_failures: Count,
    pub(crate) expired_files: Count,
    pub(crate) expired_bytes: Count,
    pub(crate) expire_failures: Count,
    pub(crate) start_ns: Count,
    /// Blocks handed to the committer, and blocks that it has answered.
    pub(crate) blocks_in: Count,
    pub(crate) blocks_out: Count,
}

impl Default for Meter {
    fn default() -> Self {
        Self {
            ack: Times::new(SHORT),
            commit: Times::new(SHORT),
            sync: Times::new(SHORT),
            replay: Times::new(LONG),
            past: Times::new(LONG),
            snapshot: Times::new(LONG),
            written_bytes: Count::default(),
            commit_blocks: Count::default(),
            commit_failures: Count::default(),
            snapshot_failures: Count::default(),
            expired_files: Count::default(),
            expired_bytes: Count::default(),
            expire_failures: Count::default(),
            start_ns: Count::default(),
            blocks_in: Count::default(),
            blocks_out: Count::default(),
        }
    }
}

/// What is counted for one plant.
#[derive(Debug)]
pub(crate) struct PlantMeter {
    pub(crate) batches: Count,
    pub(crate) recorded: Count,
    pub(crate) repeated: Count,
    /// In the order of `RefusalReason::ALL`.
    refused: Vec<Count>,
    pub(crate) overloaded: Count,
    pub(crate) snapshot_position: Count,
    pub(crate) snapshot_bytes: Count,
    lags: Mutex<BTreeMap<SourceNumber, Lag>>,
}

impl Default for PlantMeter {
    fn default() -> Self {
        Self {
            batches: Count::default(),
            recorded: Count::default(),
            repeated: Count::default(),
            refused: RefusalReason::ALL
                .iter()
                .map(|_| Count::default())
                .collect(),
            overloaded: Count::default(),
            snapshot_position: Count::default(),
            snapshot_bytes: Count::default(),
            lags: Mutex::default(),
        }
    }
}

/// How many events of a batch came to which end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) recorded: u64,
    pub(crate) repeated: u64,
    pub(crate) refused: u64,
}

impl PlantMeter {
    /// Counts an answered batch, run by run.
    pub(crate) fn answered(&self, appended: &Appended) -> Tally {
        let mut tally = Tally::default();
        for run in &appended.outcomes {
            let events = u64::from(run.count);
            match &run.result {
                OutcomeResult::Recorded(_) => tally.recorded += events,
                OutcomeResult::Repeated(_) => tally.repeated += events,
                OutcomeResult::Refused(refusal) => {
                    tally.refused += events;
                    let reasons = RefusalReason::ALL.iter().zip(&self.refused);
                    let mut found = reasons.filter(|(reason, _)| **reason == refusal.reason);
                    if let Some((_, count)) = found.next() {
                        count.add(events);
                    }
                }
            }
        }
        self.batches.add(1);
        self.recorded.add(tally.recorded);
        self.repeated.add(tally.repeated);
        tally
    }

    /// The reasons for which events were refused, with how many.
    pub(crate) fn refused(&self) -> Vec<(RefusalReason, u64)> {
        let reasons = RefusalReason::ALL.iter().zip(&self.refused);
        let counted = reasons.map(|(reason, count)| (*reason, count.get()));
        counted.filter(|(_, count)| *count > 0).collect()
    }

    /// Notes that a live source was heard.
    pub(crate) fn heard(&self, source: SourceNumber, lag: Lag) {
        let mut lags = self.lags.lock().unwrap_or_else(PoisonError::into_inner);
        lags.insert(source, lag);
    }

    /// When each live source was last heard since the start.
    pub(crate) fn lags(&self) -> BTreeMap<SourceNumber, Lag> {
        let lags = self.lags.lock().unwrap_or_else(PoisonError::into_inner);
        lags.clone()
    }

    /// Notes a snapshot that was written.
    pub(crate) fn kept(&self, position: Position, bytes: usize) {
        self.snapshot_position.set(position.get());
        self.snapshot_bytes.set(bytes as u64);
    }
}

/// A time in whole nanoseconds.
pub(crate) fn nanos(took: Duration) -> u64 {
    u64::try_from(took.as_nanos()).unwrap_or(u64::MAX)
}

/// The lag of what was recorded at a time and had taken effect at another.
pub(crate) fn lag(recorded_at: Timestamp, effective_at: Timestamp) -> Lag {
    Lag {
        heard_at: recorded_at,
        behind_ns: recorded_at.since(effective_at).max(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Outcome;
    use werkbuch_model::event::Refusal;
    use werkbuch_model::id::Sequence;

    #[test]
    fn times_fall_into_the_bucket_whose_bound_holds_them() {
        let times = Times::new(SHORT);
        for micros in [0, 100, 101, 10_000_000, 10_000_001] {
            times.observe(Duration::from_micros(micros));
        }
        times.observe(Duration::from_nanos(100_001));
        let read = times.read();
        assert_eq!(read.count(), 6);
        assert_eq!(read.buckets[0], (0.0001, 2));
        assert_eq!(read.buckets[1], (0.00025, 2));
        assert_eq!(read.buckets[15], (10.0, 1));
        assert_eq!(read.buckets[16], (f64::INFINITY, 1));
        assert!((read.sum_seconds - 20.000_302).abs() < 1e-6, "{read:?}");
    }

    #[test]
    fn every_event_of_a_batch_is_counted_once() {
        let run = |count, result| Outcome {
            first_sequence: Sequence(1),
            count,
            result,
        };
        let refused = |reason| OutcomeResult::Refused(Refusal::new(reason, "", "no"));
        let appended = Appended {
            outcomes: vec![
                run(5, OutcomeResult::Recorded(Position(1))),
                run(2, OutcomeResult::Repeated(Position(1))),
                run(3, refused(RefusalReason::UnknownMachine)),
                run(1, refused(RefusalReason::SequenceZero)),
                run(4, refused(RefusalReason::UnknownMachine)),
            ],
            position: Position(9),
        };
        let meter = PlantMeter::default();
        let tally = meter.answered(&appended);
        assert_eq!((tally.recorded, tally.repeated, tally.refused), (5, 2, 8));
        assert_eq!(
            meter.refused(),
            [
                (RefusalReason::UnknownMachine, 7),
                (RefusalReason::SequenceZero, 1)
            ]
        );
        assert_eq!((meter.recorded.get(), meter.batches.get()), (5, 1));
    }
}
