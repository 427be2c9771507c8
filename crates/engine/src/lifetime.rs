//! The lifetime of sample bodies: which time counts for it, and the deletion of what has expired.

use crate::clock::Clock;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::limits::EXPIRE_EVERY;
use crate::plant::Plant;
use std::sync::Arc;
use werkbuch_journal::DeletedBodies;
use werkbuch_model::instant::Instant;
use werkbuch_model::time::Timestamp;

const DAY_NS: i64 = 86_400_000_000_000;

/// A lifetime in nanoseconds; nothing when the description declares none: then bodies stay for ever.
pub(crate) fn lifetime_ns(days: u32) -> Option<i64> {
    (days > 0).then(|| i64::from(days).saturating_mul(DAY_NS))
}

/// A lifetime as it was declared.
pub(crate) fn days(lifetime_ns: i64) -> u32 {
    u32::try_from(lifetime_ns / DAY_NS).unwrap_or(u32::MAX)
}

/// The time by which lifetimes are measured. What is deleted does not come back, so the wall clock is
/// believed only as far as something else vouches for it.
#[derive(Debug)]
pub(crate) struct Elapsed {
    clock: Arc<dyn Clock>,
    /// The wall and the monotonic clock at the start.
    started: (Timestamp, i64),
}

impl Elapsed {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        let started = (clock.wall(), clock.monotonic_ns());
        Self { clock, started }
    }

    /// The wall clock, but no later than what has passed on the monotonic clock since the start or, if
    /// that is later, than the last event of the plant: a jump of the wall clock counts once the
    /// plant's writer has taken it into the log.
    pub(crate) fn now(&self, last_recorded_at: Timestamp) -> Timestamp {
        let passed = self.clock.monotonic_ns().saturating_sub(self.started.1);
        let vouched = self.started.0.plus(passed).max(last_recorded_at);
        self.clock.wall().min(vouched)
    }
}

impl Plant {
    /// The time by which the lifetimes of this plant's sample bodies are measured.
    pub(crate) fn body_time(&self) -> Timestamp {
        let shared = &*self.shared;
        let last = shared.store.block_at(&shared.id, Timestamp(i64::MAX));
        // A log that cannot be read vouches for nothing; then less is deleted.
        let last = last.ok().flatten();
        let last = last.map_or(Timestamp::MIN, |block| block.recorded_max);
        shared.elapsed.now(last)
    }

    /// Deletes the sample bodies whose lifetime is over. Blocking.
    fn expire_bodies(&self) -> Result<DeletedBodies, EngineError> {
        let shared = &*self.shared;
        let (nothing, now) = (DeletedBodies::default(), self.body_time());
        let Some(end) = shared.store.seal_bodies(&shared.id, now)? else {
            return Ok(nothing);
        };
        let over = |days| lifetime_ns(days).filter(|lifetime| end.plus(*lifetime) <= now);
        let (days, _) = shared.ask_live(|twin| twin.description().plant().sample_days);
        let Some(declared) = over(days) else {
            return Ok(nothing);
        };
        // A shorter lifetime whose validity lies ahead holds in the live twin already, but not yet in
        // the plant: what is in force now keeps what it keeps.
        let Some(in_force) = over(self.days_in_force(now)?) else {
            return Ok(nothing);
        };
        let lifetime = declared.max(in_force);
        Ok(shared.store.expire_bodies(&shared.id, lifetime, now)?)
    }

    /// The lifetime in days that is in force at a time in the plant, by a fold of the log: it is asked
    /// for only when there is something to delete.
    fn days_in_force(&self, at: Timestamp) -> Result<u32, EngineError> {
        let shared = &*self.shared;
        let _place = Arc::clone(&shared.folds)
            .try_acquire_owned()
            .map_err(|_| EngineError::overloaded("the number of questions about the past"))?;
        let bound = self.bounds(&Instant::NOW)?;
        let twin = shared.fold(bound, Some(at))?.twin;
        Ok(twin.description().plant().sample_days)
    }
}

impl Engine {
    /// Deletes expired sample bodies of all plants from now on: at once, and then again and again.
    pub(crate) fn keep_expiring(&self) {
        let inner = Arc::downgrade(&self.inner);
        self.inner.runtime.spawn(async move {
            let mut every = tokio::time::interval(EXPIRE_EVERY);
            loop {
                every.tick().await;
                let Some(inner) = inner.upgrade() else { return };
                let engine = Engine { inner };
                if engine.check_open().is_err() {
                    return;
                }
                // A deletion that panics is no reason not to try again.
                let _ = tokio::task::spawn_blocking(move || engine.expire_bodies()).await;
            }
        });
    }

    /// Deletes the sample bodies of all plants whose lifetime is over. Blocking.
    pub(crate) fn expire_bodies(&self) {
        let _one = self.expiring();
        let meter = self.meter();
        for plant in self.plants() {
            // A log that has stopped is opened anew before anything of it is deleted.
            if self.check_open().is_err() || self.stopped().is_some() {
                return;
            }
            let id = plant.id().as_str();
            match plant.expire_bodies() {
                Ok(deleted) if deleted.is_nothing() => {}
                Ok(DeletedBodies { files, bytes }) => {
                    meter.expired_files.add(files);
                    meter.expired_bytes.add(bytes);
                    tracing::info!(
                        plant = id,
                        files,
                        bytes,
                        "expired sample bodies are deleted"
                    );
                }
                Err(error) => {
                    meter.expire_failures.add(1);
                    tracing::warn!(plant = id, error = %error, "expired sample bodies could not be deleted; it is tried again within the hour");
                }
            }
        }
    }
}
