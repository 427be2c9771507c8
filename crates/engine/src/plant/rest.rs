//! What a loop does between batches: digests, snapshots, starting over after a failure, closing.

use super::flight::Landing;
use super::handle::{Shared, Standing};
use super::input::Input;
use super::state::Loop;
use crate::error::EngineError;
use crate::{recover, snapshots};
use std::sync::{Arc, PoisonError};
use std::time::Instant;
use werkbuch_journal::StoreError;
use werkbuch_model::event::{Body, DigestRecorded};
use werkbuch_twin::FOLD_VERSION;

impl Loop {
    /// Goes back to what the log says, after a commit failed or a staging was given up.
    pub(super) fn forget_staged(&mut self) {
        self.clock.undo();
        if self.stopped.is_some() {
            return;
        }
        if let Err(error) = self.read_log_again() {
            let plant = self.shared.id.as_str();
            tracing::error!(plant, error = %error, "the plant stops writing");
            // It does not go on by itself, so what is answered must not read as if it did.
            let error = match error {
                EngineError::Store(cause @ StoreError::Io { .. }) => {
                    EngineError::Store(StoreError::Stopped {
                        folder: self.shared.data.clone(),
                        cause: format!("after a failed write its log had to be read, and {cause}"),
                    })
                }
                other => other,
            };
            self.shared.say_stopped(&error);
            self.stopped = Some(error);
        }
    }

    fn read_log_again(&mut self) -> Result<(), EngineError> {
        let shared = Arc::clone(&self.shared);
        let Shared {
            data,
            id,
            log_id,
            store,
            ..
        } = &*shared;
        let snapshot = snapshots::newest(data, id, true).filter(|s| s.writer.log_id == *log_id);
        let writer = recover::writer_only(&**store, id, *log_id, snapshot)?;
        self.opened = writer.epoch == self.epoch;
        self.writer = writer;
        // The twin has applied all that was committed, unless an error kept it from that.
        let mut twin = shared.twin.write().unwrap_or_else(PoisonError::into_inner);
        if twin.position() >= self.writer.position {
            return Ok(());
        }
        recover::each_event(&**store, id, twin.position().next(), &mut |event, _| {
            twin.apply(event)
                .map_err(|error| recover::fold_error(id, event.position, &error))
        })?;
        drop(twin);
        *shared
            .standing
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Standing::of(&self.writer);
        shared.say_rules(&self.writer.rules);
        shared.applied.send_replace(self.writer.position);
        Ok(())
    }

    /// Answers what has not been begun when the server closes; its callers send it again.
    pub(super) fn turn_away(&mut self) {
        if let Some(paused) = self.paused.take() {
            let _ = paused.reply.send(Err(EngineError::ShuttingDown));
        }
        for input in self.waiting.drain(..) {
            match input {
                Input::Append { reply, .. } => drop(reply.send(Err(EngineError::ShuttingDown))),
                Input::Open { reply, .. } => drop(reply.send(Err(EngineError::ShuttingDown))),
                Input::Apply { reply, .. } => drop(reply.send(Err(EngineError::ShuttingDown))),
                Input::Rules { reply, .. } => drop(reply.send(Err(EngineError::ShuttingDown))),
                Input::Turns { reply, .. } => drop(reply.send(Err(EngineError::ShuttingDown))),
                Input::ConfirmClock { reply, .. } => {
                    drop(reply.send(Err(EngineError::ShuttingDown)));
                }
                Input::Settle { reply, .. } => drop(reply.send(Err(EngineError::ShuttingDown))),
                Input::Committed(_) | Input::Close { .. } => {}
            }
        }
    }

    pub(super) fn snapshot_due(&self) -> bool {
        let since = self
            .writer
            .position
            .get()
            .saturating_sub(self.last_snapshot.get());
        self.stopped.is_none() && since >= self.snapshot_every
    }

    /// Records the digest of the state, when it has changed since the last one.
    pub(super) fn record_digest(&mut self) -> bool {
        let tried = self.digest_tried == Some(self.writer.position);
        if self.writer.since_digest == 0 || self.stopped.is_some() || tried {
            return false;
        }
        self.digest_tried = Some(self.writer.position);
        let digest = {
            let twin = self
                .shared
                .twin
                .read()
                .unwrap_or_else(PoisonError::into_inner);
            twin.digest().to_vec()
        };
        let at_position = self.writer.position;
        let body = DigestRecorded {
            at_position,
            fold_version: FOLD_VERSION,
            digest: digest.into(),
        };
        let before = self.flights.len();
        self.record_own(
            |recorder| recorder.record_own(Body::DigestRecorded(body)).map(drop),
            Landing::Own,
        );
        self.flights.len() > before
    }

    /// Writes a snapshot of the state, which is that of the log's end.
    pub(super) fn write_snapshot(&mut self, aside: bool) {
        self.last_snapshot = self.writer.position;
        let begin = Instant::now();
        let encoded = {
            let twin = self
                .shared
                .twin
                .read()
                .unwrap_or_else(PoisonError::into_inner);
            snapshots::encode(&self.writer, &twin)
        };
        let position = self.writer.position;
        let shared = Arc::clone(&self.shared);
        let write = move || {
            let folder = snapshots::folder(&shared.data, &shared.id);
            let written = encoded.and_then(|bytes| {
                snapshots::write(&folder, position, &bytes).map(|()| bytes.len())
            });
            let (plant, took) = (shared.id.as_str(), begin.elapsed());
            match written {
                Ok(bytes) => {
                    shared.totals.snapshot.observe(took);
                    shared.meter.kept(position, bytes);
                    let (position, took_ms) = (position.get(), took.as_millis());
                    tracing::info!(plant, position, bytes, took_ms, "a snapshot is written");
                }
                Err(error) => {
                    // Snapshots are disposable: a start takes longer without one, nothing is lost.
                    shared.totals.snapshot_failures.add(1);
                    tracing::warn!(plant, error = %error, "no snapshot was written");
                }
            }
        };
        if aside {
            self.runtime.spawn_blocking(write);
        } else {
            write();
        }
    }

    pub(super) fn close(&mut self) -> bool {
        self.shared.past.close();
        if self.stopped.is_none() && self.writer.position > self.last_snapshot {
            self.write_snapshot(false);
        }
        if let Some(reply) = self.closing.take() {
            let _ = reply.send(Ok(()));
        }
        true
    }
}
