//! How far a sweep is, for who waits for it; and whether anybody does.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use werkbuch_model::time::Timestamp;

/// How far a sweep is.
#[derive(Debug, Default)]
pub(crate) struct Gauge {
    events: AtomicU64,
    reached: AtomicI64,
    stopped: AtomicBool,
}

impl Gauge {
    /// Notes that so many more events were read. Breaks when nobody waits any more.
    pub(crate) fn read(&self, events: u64) -> ControlFlow<()> {
        self.events.fetch_add(events, Ordering::Relaxed);
        match self.is_stopped() {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }

    /// How many events were read.
    pub(crate) fn events(&self) -> u64 {
        self.events.load(Ordering::Relaxed)
    }

    /// Notes the plant time that has been reached.
    pub(crate) fn reach(&self, at: Timestamp) {
        self.reached.store(at.nanos(), Ordering::Relaxed);
    }

    /// The plant time that has been reached.
    pub(crate) fn reached(&self) -> Timestamp {
        Timestamp(self.reached.load(Ordering::Relaxed))
    }

    /// Nobody waits any more.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    /// Whether nobody waits any more.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }
}
