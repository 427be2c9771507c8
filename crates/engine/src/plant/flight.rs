//! What is on its way to the disk, and what happens when it has arrived.

use super::handle::{Shared, Standing};
use super::input::{Input, Reply};
use super::state::Loop;
use crate::api::{Appended, Applied, OpenedSource, OutcomeResult, SourceStatus};
use crate::batch::{Draft, runs};
use crate::committer::{CommitRequest, is_passing};
use crate::error::EngineError;
use crate::recorder::{Encoded, Staged};
use crate::recover::fold_error;
use std::sync::{Arc, PoisonError};
use tokio::sync::OwnedSemaphorePermit;
use werkbuch_journal::StoredBlock;
use werkbuch_model::event::{Refusal, RefusalReason};
use werkbuch_model::id::{Position, Sequence, SourceNumber};
use werkbuch_proof::Hash;
use werkbuch_record::{decode_recorded, reported_part};

/// Staged events that wait for the disk, or an answer that waits for those before it.
#[derive(Debug)]
pub(super) struct Flight {
    events: Encoded,
    commits: bool,
    position: Position,
    root: Hash,
    revision: u32,
    /// Whether the record of a jump of the clock is among the events.
    clock: bool,
    /// Where the source stands that reported or opened.
    source: Option<SourceStatus>,
    landing: Landing,
}

/// What happens when a flight has arrived.
#[derive(Debug)]
pub(super) enum Landing {
    /// A batch is answered.
    Append {
        source: SourceNumber,
        drafts: Vec<(Sequence, Draft)>,
        reply: Reply<Appended>,
        permit: OwnedSemaphorePermit,
    },
    /// A source is open.
    Open {
        opened: OpenedSource,
        /// The sessions that it fenced, in case that it fails.
        fenced: Vec<(u64, SourceNumber)>,
        reply: Reply<OpenedSource>,
        permit: OwnedSemaphorePermit,
    },
    /// A description is applied.
    Apply {
        applied: Applied,
        reply: Reply<Applied>,
        permit: OwnedSemaphorePermit,
    },
    /// Somebody waits for the position: of a confirmed clock, of the opening.
    Position {
        reply: Reply<Position>,
        permit: OwnedSemaphorePermit,
    },
    /// Somebody waits for what is in flight to be settled, whichever way.
    Settled {
        reply: Reply<Position>,
        permit: OwnedSemaphorePermit,
    },
    /// Nobody waits.
    Own,
}

impl Landing {
    fn source(&self) -> Option<SourceNumber> {
        match self {
            Self::Append { source, .. } => Some(*source),
            Self::Open { opened, .. } => Some(opened.number),
            Self::Apply { .. } | Self::Position { .. } | Self::Settled { .. } | Self::Own => None,
        }
    }

    /// Tells whoever waits that it failed.
    pub(super) fn fail(self, error: &EngineError) {
        match self {
            Self::Append { reply, .. } => drop(reply.send(Err(error.clone()))),
            Self::Open { reply, .. } => drop(reply.send(Err(error.clone()))),
            Self::Apply { reply, .. } => drop(reply.send(Err(error.clone()))),
            Self::Position { reply, .. } => drop(reply.send(Err(error.clone()))),
            // Whatever was in flight is settled now: it did not come to be.
            Self::Settled { reply, .. } => drop(reply.send(Ok(Position(0)))),
            Self::Own => {
                tracing::warn!(error = %error, "an own record of the writer was not written");
            }
        }
    }
}

impl Loop {
    /// Sends staged events on their way. An answer without events waits for those before it.
    pub(super) fn launch(&mut self, staged: Staged, landing: Landing) {
        let Staged { proposals, events } = staged;
        let commits = !proposals.is_empty();
        let source = landing.source().and_then(|number| {
            let entry = self.writer.source(number)?;
            Some(Standing::status(number, entry))
        });
        let (position, root) = (self.writer.position, self.writer.tree.root());
        self.flights.push_back(Flight {
            events,
            commits,
            position,
            root,
            revision: self.writer.revision,
            clock: self.clock.has_jumped(),
            source,
            landing,
        });
        if commits {
            let request = CommitRequest {
                proposals,
                plant: self.inputs.clone(),
            };
            if self.committer.send(request).is_err() {
                let _ = self
                    .inputs
                    .send(Input::Committed(Err(EngineError::ShuttingDown)));
            }
        } else if self.flights.len() == 1 {
            self.land_answers();
        }
    }

    /// Takes back what a landing had changed beforehand, and tells whoever waits that it failed.
    pub(super) fn refuse(&mut self, landing: Landing, error: &EngineError) {
        if let Landing::Open { opened, fenced, .. } = &landing {
            self.sessions.take_back(opened.session, fenced);
        }
        landing.fail(error);
    }

    /// The oldest commit has been answered.
    pub(super) fn land(&mut self, result: Result<Position, EngineError>) {
        let Some(flight) = self.flights.pop_front() else {
            return;
        };
        if let Err(error) = result {
            if !is_passing(&error) && self.stopped.is_none() {
                tracing::error!(plant = self.shared.id.as_str(), error = %error, "the plant stops writing");
                self.shared.say_stopped(&error);
                self.stopped = Some(error.clone());
            }
            // What follows a failed commit fails because of it.
            self.failure.get_or_insert(error);
        }
        self.shared.say_trouble(self.failure.as_ref());
        self.arrive(flight);
        self.land_answers();
    }

    fn land_answers(&mut self) {
        while self.flights.front().is_some_and(|flight| !flight.commits) {
            if let Some(flight) = self.flights.pop_front() {
                self.arrive(flight);
            }
        }
    }

    fn arrive(&mut self, flight: Flight) {
        if let Some(error) = self.failure.clone() {
            return self.refuse(flight.landing, &error);
        }
        if let Err(error) = self.apply_events(&flight.events) {
            tracing::error!(plant = self.shared.id.as_str(), error = %error, "the twin stops folding");
            self.shared.say_stopped(&error);
            self.stopped = Some(error.clone());
            self.failure = Some(error.clone());
            return self.refuse(flight.landing, &error);
        }
        if flight.clock {
            self.clock.keep();
        }
        let position = flight.position;
        {
            let standing = &self.shared.standing;
            let mut standing = standing.lock().unwrap_or_else(PoisonError::into_inner);
            standing.arrive(position, flight.root, flight.source, flight.revision);
        }
        self.shared.applied.send_replace(position);
        match flight.landing {
            Landing::Append {
                source,
                drafts,
                reply,
                permit,
            } => {
                self.answer(source, drafts, position, reply, permit);
            }
            Landing::Open {
                opened,
                fenced: _,
                reply,
                permit,
            } => {
                let _ = reply.send(Ok(opened));
                drop(permit);
            }
            Landing::Apply {
                mut applied,
                reply,
                permit,
            } => {
                if applied.recorded {
                    // The part that commits is the last event of the flight.
                    applied.position = position;
                }
                let _ = reply.send(Ok(applied));
                drop(permit);
            }
            Landing::Position { reply, permit } | Landing::Settled { reply, permit } => {
                let _ = reply.send(Ok(position));
                drop(permit);
            }
            Landing::Own => {}
        }
    }

    fn apply_events(&self, events: &Encoded) -> Result<(), EngineError> {
        if events.len() == 0 {
            return Ok(());
        }
        let mut twin = self
            .shared
            .twin
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        for bytes in events.iter() {
            let event = decode_recorded(bytes)
                .map_err(|error| EngineError::internal(format!("a stored event: {error}")))?;
            twin.apply(&event)
                .map_err(|error| fold_error(&self.shared.id, event.position, &error))?;
        }
        Ok(())
    }

    fn answer(
        &self,
        source: SourceNumber,
        drafts: Vec<(Sequence, Draft)>,
        position: Position,
        reply: Reply<Appended>,
        permit: OwnedSemaphorePermit,
    ) {
        let shared = Arc::clone(&self.shared);
        let repeats = drafts
            .iter()
            .any(|(_, draft)| matches!(draft, Draft::Known(_)));
        let answer = move || {
            let mut originals = Originals {
                shared: &shared,
                source,
                block: None,
            };
            let results: Result<Vec<_>, EngineError> = drafts
                .into_iter()
                .map(|(sequence, draft)| Ok((sequence, originals.settle(sequence, draft)?)))
                .collect();
            let appended = results.map(|results| Appended {
                outcomes: runs(results),
                position,
            });
            let _ = reply.send(appended);
            drop(permit);
        };
        if repeats {
            // Reading the log is not for the writer's loop.
            self.runtime.spawn_blocking(answer);
        } else {
            answer();
        }
    }
}

/// Looks up what is recorded under known numbers.
struct Originals<'s> {
    shared: &'s Shared,
    source: SourceNumber,
    block: Option<StoredBlock>,
}

impl Originals<'_> {
    fn settle(&mut self, sequence: Sequence, draft: Draft) -> Result<OutcomeResult, EngineError> {
        match draft {
            Draft::Recorded(position) => Ok(OutcomeResult::Recorded(position)),
            Draft::Refused(refusal) => Ok(OutcomeResult::Refused(refusal)),
            Draft::Known(bytes) => self.compare(sequence, &bytes),
        }
    }

    fn compare(&mut self, sequence: Sequence, bytes: &[u8]) -> Result<OutcomeResult, EngineError> {
        let Shared { store, id, .. } = self.shared;
        let lost = || EngineError::internal(format!("sequence {sequence} is known but not found"));
        let position = store.find(id, self.source, sequence).ok_or_else(lost)?;
        let held = self
            .block
            .as_ref()
            .is_some_and(|block| block.header.first <= position && position <= block.header.last());
        if !held {
            self.block = Some(store.read(id, position)?.next().ok_or_else(lost)??);
        }
        let original = self.block.as_ref().and_then(|block| {
            let index = position.get().checked_sub(block.header.first.get())?;
            block.body.event(usize::try_from(index).ok()?)
        });
        let original = original.ok_or_else(lost)?;
        if reported_part(original).is_ok_and(|original| original == bytes) {
            return Ok(OutcomeResult::Repeated(position));
        }
        Ok(OutcomeResult::Refused(Refusal::new(
            RefusalReason::ContentChanged,
            "sequence",
            format!(
                "sequence {sequence} is recorded at position {position} with another content; number new events onward"
            ),
        )))
    }
}
