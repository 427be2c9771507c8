//! The loop of a plant: takes inputs one after another and alone decides what the log says.

use super::flight::{Flight, Landing};
use super::handle::Shared;
use super::input::{Input, Reply};
use super::sessions::{Session, Sessions};
use crate::api::{Appended, Batch};
use crate::batch::Staging;
use crate::clock::{Tick, WriterClock};
use crate::committer::Committer;
use crate::correct::{Corrector, LastHistory};
use crate::error::EngineError;
use crate::limits::BATCHES_IN_FLIGHT_MAX;
use crate::recorder::{Recorder, Staged};
use crate::writer::Writer;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender};
use std::time::Instant;
use tokio::sync::OwnedSemaphorePermit;
use werkbuch_model::event::{Body, FormatRaised, WriterOpened};
use werkbuch_model::id::{Position, SourceNumber, WriterEpoch};
use werkbuch_twin::{FOLD_VERSION, FORMAT_VERSION};

/// What a loop is made from.
#[derive(Debug)]
pub(crate) struct LoopParts {
    pub(crate) shared: Arc<Shared>,
    pub(crate) writer: Writer,
    pub(crate) committer: Committer,
    pub(crate) inputs: (SyncSender<Input>, Receiver<Input>),
    pub(crate) runtime: tokio::runtime::Handle,
    pub(crate) build: String,
    pub(crate) snapshot_every: u64,
    /// Whether the log had been closed in good order.
    pub(crate) after_clean_close: bool,
    /// Told when the opening is recorded, with a place in the queue.
    pub(crate) opening: Option<(Reply<Position>, OwnedSemaphorePermit)>,
}

/// The loop of a plant.
#[derive(Debug)]
pub(crate) struct Loop {
    pub(super) shared: Arc<Shared>,
    pub(super) writer: Writer,
    pub(super) clock: WriterClock,
    pub(super) committer: Committer,
    pub(super) inputs: SyncSender<Input>,
    receiver: Receiver<Input>,
    pub(super) runtime: tokio::runtime::Handle,
    build: String,
    pub(super) snapshot_every: u64,
    after_clean_close: bool,
    /// The epoch of this opening, and whether the log says so yet.
    pub(super) epoch: WriterEpoch,
    pub(super) opened: bool,
    pub(super) sessions: Sessions,
    pub(super) flights: VecDeque<Flight>,
    pub(super) waiting: VecDeque<Input>,
    pub(super) paused: Option<Underway>,
    /// Why the commits in flight fail; what was staged is forgotten when the last has landed.
    pub(super) failure: Option<EngineError>,
    /// Something was staged that will never be sent, while what is in flight is good; it is forgotten
    /// when the last has landed.
    spoiled: bool,
    /// Why nothing is written any more.
    pub(super) stopped: Option<EngineError>,
    pub(super) last_snapshot: Position,
    /// Where a digest was last tried, so that a full disk is not tried again and again.
    pub(super) digest_tried: Option<Position>,
    /// Whether it has been said that the clock waits for a person.
    clock_said: bool,
    pub(super) closing: Option<Reply<()>>,
    opening: Option<(Reply<Position>, OwnedSemaphorePermit)>,
}

/// A batch on its way through the loop: new, or waiting because its next event is a correction and
/// all before it must be synced first.
#[derive(Debug)]
pub(super) struct Underway {
    staging: Staging,
    source: SourceNumber,
    history: LastHistory,
    received: Instant,
    pub(super) reply: Reply<Appended>,
    permit: OwnedSemaphorePermit,
}

impl Loop {
    pub(crate) fn new(parts: LoopParts, last_snapshot: Position) -> Self {
        let LoopParts {
            shared,
            writer,
            committer,
            inputs,
            runtime,
            build,
            ..
        } = parts;
        Self {
            clock: WriterClock::new(Arc::clone(&shared.clock), writer.recorded_at),
            epoch: WriterEpoch(writer.epoch.get() + 1),
            opened: false,
            sessions: Sessions::new(Arc::clone(&shared.sessions)),
            shared,
            writer,
            committer,
            inputs: inputs.0,
            receiver: inputs.1,
            runtime,
            build,
            snapshot_every: parts.snapshot_every.max(1),
            after_clean_close: parts.after_clean_close,
            flights: VecDeque::new(),
            waiting: VecDeque::new(),
            paused: None,
            failure: None,
            spoiled: false,
            stopped: None,
            last_snapshot,
            digest_tried: None,
            clock_said: false,
            closing: None,
            opening: parts.opening,
        }
    }

    /// Runs until the plant is closed.
    pub(crate) fn run(mut self) {
        // A new plant is opened with its first description, in one commit.
        if let Some((reply, permit)) = self.opening.take() {
            self.record_own(|_| Ok(()), Landing::Position { reply, permit });
        }
        while let Ok(input) = self.receiver.recv() {
            match input {
                Input::Committed(result) => self.land(result),
                Input::Close { reply } => self.closing = Some(reply),
                asked => self.waiting.push_back(asked),
            }
            if self.go_on() {
                return;
            }
        }
    }

    /// Does what can be done now. Returns whether the plant is closed.
    fn go_on(&mut self) -> bool {
        loop {
            if self.flights.is_empty() {
                if let Some(error) = self.failure.take() {
                    if let Some(paused) = self.paused.take() {
                        // Its first part was in the commit that failed: nothing of it may be answered.
                        let _ = paused.reply.send(Err(error));
                    }
                    self.spoiled = true;
                }
                if std::mem::take(&mut self.spoiled) {
                    self.forget_staged();
                }
                if self.closing.is_some() {
                    self.turn_away();
                }
                if let Some(paused) = self.paused.take() {
                    self.stage(paused);
                    continue;
                }
                let idle = self.closing.is_some() && self.waiting.is_empty();
                if (idle || self.snapshot_due()) && self.record_digest() {
                    continue;
                }
                if idle {
                    return self.close();
                }
                if self.snapshot_due() {
                    self.write_snapshot(true);
                }
            }
            let held = self.paused.is_some()
                || self.failure.is_some()
                || self.spoiled
                || self.snapshot_due();
            if held || self.flights.len() >= BATCHES_IN_FLIGHT_MAX {
                return false;
            }
            let Some(input) = self.waiting.pop_front() else {
                return false;
            };
            self.handle(input);
        }
    }

    fn handle(&mut self, input: Input) {
        match input {
            Input::Append {
                session,
                batch,
                received,
                reply,
                permit,
            } => {
                self.append(session, batch, received, reply, permit);
            }
            Input::Open {
                session,
                request,
                reply,
                permit,
            } => {
                self.open(session, request, reply, permit);
            }
            Input::Apply {
                request,
                reply,
                permit,
            } => self.apply(*request, reply, permit),
            Input::Rules {
                request,
                reply,
                permit,
            } => self.change_rules(*request, reply, permit),
            Input::Turns {
                revision,
                turns,
                reply,
                permit,
            } => self.turns((revision, turns), reply, permit),
            Input::ConfirmClock { reply, permit } => self.confirm_clock(reply, permit),
            Input::Settle {
                time,
                reply,
                permit,
            } => self.settle(time, reply, permit),
            Input::Committed(_) | Input::Close { .. } => {}
        }
    }

    fn append(
        &mut self,
        session: u64,
        batch: Batch,
        received: Instant,
        reply: Reply<Appended>,
        permit: OwnedSemaphorePermit,
    ) {
        let source = match self.sessions.get(session) {
            Session::Open(source) => source,
            fenced => {
                let label = match fenced {
                    Session::Fenced(source) => self.writer.source(source),
                    _ => None,
                };
                let source_name = label.map_or_else(
                    || "of this session".to_owned(),
                    |source| source.label.clone(),
                );
                let _ = reply.send(Err(EngineError::SessionFenced { source_name }));
                return;
            }
        };
        let staging = Staging::new(source, batch);
        let history = LastHistory::default();
        self.stage(Underway {
            staging,
            source,
            history,
            received,
            reply,
            permit,
        });
    }

    /// Stages a batch, or what is left of it.
    fn stage(&mut self, paused: Underway) {
        let Underway {
            mut staging,
            source,
            history,
            received,
            reply,
            permit,
        } = paused;
        let jump = match self.may_write() {
            Ok(jump) => jump,
            Err(error) => {
                let _ = reply.send(Err(error));
                return;
            }
        };
        self.hold_description();
        let shared = Arc::clone(&self.shared);
        let history = RefCell::new(history);
        let corrector = Corrector {
            store: &shared.store,
            plant: &shared.id,
            last: &history,
        };
        let corrector = self.flights.is_empty().then_some(&corrector);
        let (result, staged) = self.record(jump, |recorder| {
            staging.stage(recorder, &shared.ring, corrector)
        });
        match result {
            Ok(true) => {
                let drafts = staging.drafts;
                let landing = Landing::Append {
                    source,
                    drafts,
                    received,
                    reply,
                    permit,
                };
                self.launch(staged, landing);
            }
            Ok(false) => {
                let history = history.into_inner();
                self.paused = Some(Underway {
                    staging,
                    source,
                    history,
                    received,
                    reply,
                    permit,
                });
                self.launch(staged, Landing::Own);
            }
            Err(error) => {
                let _ = reply.send(Err(error));
                self.spoiled = true;
            }
        }
    }

    /// Records what `fill` wants of the writer's own, and lands as `landing`.
    pub(super) fn record_own(
        &mut self,
        fill: impl FnOnce(&mut Recorder<'_>) -> Result<(), EngineError>,
        landing: Landing,
    ) {
        let jump = match self.may_write() {
            Ok(jump) => jump,
            Err(error) => return self.refuse(landing, &error),
        };
        let (result, staged) = self.record(jump, fill);
        match result {
            Ok(()) => self.launch(staged, landing),
            Err(error) => {
                self.refuse(landing, &error);
                self.spoiled = true;
            }
        }
    }

    /// Records what `fill` wants, behind the opening of the log and a jump of the clock that are not
    /// recorded yet.
    fn record<T>(
        &mut self,
        jump: Option<Body<'static>>,
        fill: impl FnOnce(&mut Recorder<'_>) -> Result<T, EngineError>,
    ) -> (Result<T, EngineError>, Staged) {
        let mut recorder = Recorder::new(&mut self.writer, &mut self.clock);
        let opening = if self.opened {
            Ok(())
        } else {
            open_log(
                &mut recorder,
                self.epoch,
                &self.build,
                self.after_clean_close,
            )
        };
        self.opened = true;
        let result = opening
            .and_then(|()| jump.map_or(Ok(()), |jump| recorder.record_own(jump).map(drop)))
            .and_then(|()| fill(&mut recorder));
        (result, recorder.finish())
    }

    /// Whether anything may be written now; a jump of the clock is to be recorded first.
    fn may_write(&mut self) -> Result<Option<Body<'static>>, EngineError> {
        if let Some(error) = self.stopped.as_ref().or(self.failure.as_ref()) {
            return Err(error.clone());
        }
        match self.clock.tick() {
            Tick::Steady => {
                self.clock_said = false;
                Ok(None)
            }
            Tick::Jumped(jump) => {
                self.clock_said = false;
                tracing::warn!(plant = self.shared.id.as_str(), expected = %jump.expected,
                    found = %jump.found, "the wall clock jumped");
                Ok(Some(Body::ClockJumped(jump)))
            }
            Tick::Stopped(jump) => {
                let plant = self.shared.id.clone();
                if !std::mem::replace(&mut self.clock_said, true) {
                    tracing::error!(plant = plant.as_str(), expected = %jump.expected,
                        found = %jump.found, "the plant stops writing until its clock is confirmed");
                }
                Err(EngineError::ClockUnconfirmed { plant, jump })
            }
        }
    }
}

/// Records that the log is open for writing, before anything else is.
fn open_log(
    recorder: &mut Recorder<'_>,
    epoch: WriterEpoch,
    build: &str,
    after_clean_close: bool,
) -> Result<(), EngineError> {
    let fresh = recorder.writer.position.get() == 0;
    let last_recorded_at = (!fresh).then_some(recorder.writer.recorded_at);
    recorder.writer.epoch = epoch;
    if fresh {
        recorder.record_own(Body::FormatRaised(FormatRaised {
            minimum_reader: FORMAT_VERSION,
        }))?;
    }
    recorder
        .record_own(Body::WriterOpened(WriterOpened {
            epoch,
            build: build.to_owned().into(),
            fold_version: FOLD_VERSION,
            after_clean_close,
            last_recorded_at,
        }))
        .map(drop)
}
