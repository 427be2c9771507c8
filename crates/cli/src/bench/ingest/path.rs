//! A way that events take, and what is read off while they take it.

use super::load::Session;
use crate::bench::measure::disk_bytes;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use bytes::Bytes;
use std::time::Instant;
use werkbuch_journal::StoreKind;

/// The way of the events.
pub(super) trait IngestPath {
    /// The open sources, one for each plant.
    fn sources(&self) -> Vec<Session>;

    /// Core time so far.
    fn core(&self) -> Core;

    /// Reports all requests, those of each source in order with at most `window` under way, and
    /// returns when all are acknowledged. Errors: an event was not recorded.
    async fn report(&mut self, requests: Vec<Vec<Bytes>>, window: u64) -> Outcome<Round>;

    /// Reports one request and waits for it. Errors: its event was not recorded.
    async fn single(&mut self, request: Bytes) -> Outcome<()>;
}

/// What one round took.
#[derive(Debug, Default)]
pub(super) struct Round {
    pub(super) events: u64,
    pub(super) seconds: f64,
    /// From handing in a batch to its answer, in nanoseconds.
    pub(super) acks: Vec<u64>,
    /// What was written to the log, in bytes, where that is counted; and how often it was synced.
    pub(super) bytes: Option<u64>,
    pub(super) syncs: u64,
}

/// Bytes written and syncs of the log, at one moment or between two.
#[derive(Clone, Copy, Debug)]
pub(super) struct Marks {
    /// Nothing where nobody counts them.
    pub(super) bytes: Option<u64>,
    pub(super) syncs: u64,
}

impl Marks {
    /// What has passed since an earlier moment.
    pub(super) fn since(self, before: Self) -> Self {
        let bytes = self.bytes.zip(before.bytes);
        Self {
            bytes: bytes.map(|(after, before)| after.saturating_sub(before)),
            syncs: self.syncs.saturating_sub(before.syncs),
        }
    }
}

/// Who counts the bytes that a store writes: our own files count them, a database writes by itself.
pub(super) fn counted_by(store: StoreKind) -> &'static str {
    match store {
        StoreKind::Segments => "by the log",
        StoreKind::Sled => "by the system, in whole pages",
    }
}

/// What a process (absent: this one) has written to the log so far: as the log says, or where a
/// database writes by itself as the system says of all that the process writes to disks.
pub(super) fn written(store: StoreKind, of_log: u64, process: Option<u32>) -> Option<u64> {
    match store {
        StoreKind::Segments => Some(of_log),
        StoreKind::Sled => disk_bytes(process),
    }
}

/// Core time in nanoseconds, where the system tells: of all threads that serve, of the plants' loops
/// and of the committer among them, and of a client.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Core {
    pub(super) all: Option<u64>,
    pub(super) plants: Option<u64>,
    pub(super) committer: Option<u64>,
    pub(super) client: Option<u64>,
}

impl Core {
    /// Adds what has passed between two moments.
    pub(super) fn add(&mut self, before: &Self, after: &Self) {
        let add = |sum: &mut Option<u64>, before: Option<u64>, after: Option<u64>| {
            if let (Some(before), Some(after)) = (before, after) {
                *sum = Some(sum.unwrap_or(0) + after.saturating_sub(before));
            }
        };
        add(&mut self.all, before.all, after.all);
        add(&mut self.plants, before.plants, after.plants);
        add(&mut self.committer, before.committer, after.committer);
        add(&mut self.client, before.client, after.client);
    }
}

/// An event was not recorded, which makes the figures worthless.
pub(super) fn not_recorded(what: &dyn std::fmt::Debug) -> Failure {
    let what = format!("an event of the benchmark was not recorded: {what:?}");
    Failure::new(Exit::Failed, "INTERNAL", what)
}

pub(super) fn nanos(begin: Instant) -> u64 {
    u64::try_from(begin.elapsed().as_nanos()).unwrap_or(u64::MAX)
}
