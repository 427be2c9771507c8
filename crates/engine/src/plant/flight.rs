//! What is on its way to the disk, and what happens when it has arrived.

use super::answer::Answer;
use super::feed::publish;
use super::handle::Standing;
use super::input::{Input, Reply};
use super::rules::ChangedRules;
use super::state::Loop;
use crate::api::{Appended, Applied, OpenedSource, SourceStatus};
use crate::batch::Draft;
use crate::committer::{CommitRequest, is_passing};
use crate::error::EngineError;
use crate::figures::Lag;
use crate::meter::lag;
use crate::past::{self, Taking};
use crate::recorder::{Encoded, Staged};
use crate::recover::fold_error;
use crate::rules::RuleBook;
use crate::writer::Held;
use std::sync::{Arc, PoisonError};
use std::time::Instant;
use tokio::sync::OwnedSemaphorePermit;
use werkbuch_model::event::SourceKind;
use werkbuch_model::id::{Position, Sequence, SourceNumber};
use werkbuch_proof::Hash;
use werkbuch_record::decode_recorded;

/// Staged events that wait for the disk, or an answer that waits for those before it.
#[derive(Debug)]
pub(super) struct Flight {
    events: Encoded,
    commits: bool,
    position: Position,
    root: Hash,
    revision: u32,
    rules: Arc<RuleBook>,
    /// Whether the record of a jump of the clock is among the events.
    clock: bool,
    /// Where the source stands that reported or opened.
    source: Option<SourceStatus>,
    /// How far a live source is behind that has reported.
    heard: Option<(SourceNumber, Lag)>,
    landing: Landing,
}

/// What happens when a flight has arrived.
#[derive(Debug)]
pub(super) enum Landing {
    /// A batch is answered.
    Append {
        source: SourceNumber,
        drafts: Vec<(Sequence, Draft)>,
        received: Instant,
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
    /// Other rules apply.
    Rules {
        changed: ChangedRules,
        reply: Reply<ChangedRules>,
        permit: OwnedSemaphorePermit,
    },
    /// What rules found is recorded.
    Turns {
        recorded: Vec<bool>,
        reply: Reply<Vec<bool>>,
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
            Self::Apply { .. }
            | Self::Rules { .. }
            | Self::Turns { .. }
            | Self::Position { .. }
            | Self::Settled { .. }
            | Self::Own => None,
        }
    }

    /// Tells whoever waits that it failed.
    pub(super) fn fail(self, error: &EngineError) {
        match self {
            Self::Append { reply, .. } => drop(reply.send(Err(error.clone()))),
            Self::Open { reply, .. } => drop(reply.send(Err(error.clone()))),
            Self::Apply { reply, .. } => drop(reply.send(Err(error.clone()))),
            Self::Rules { reply, .. } => drop(reply.send(Err(error.clone()))),
            Self::Turns { reply, .. } => drop(reply.send(Err(error.clone()))),
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
        let Staged { blocks, events } = staged;
        let commits = !blocks.is_empty();
        let source = landing.source().and_then(|number| {
            let entry = self.writer.source(number)?;
            Some(Standing::status(number, entry))
        });
        let (position, root) = (self.writer.position, self.writer.tree.root());
        let heard = match &landing {
            Landing::Append { source, .. } if commits => self.lag_of(*source),
            _ => None,
        };
        self.flights.push_back(Flight {
            events,
            commits,
            position,
            root,
            revision: self.writer.revision,
            rules: Arc::clone(&self.writer.rules),
            clock: self.clock.has_jumped(),
            source,
            heard,
            landing,
        });
        if commits {
            self.shared.totals.blocks_in.add(blocks.len() as u64);
            let request = CommitRequest {
                blocks,
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

    fn lag_of(&self, source: SourceNumber) -> Option<(SourceNumber, Lag)> {
        let entry = self.writer.source(source)?;
        if entry.kind() != SourceKind::Live {
            return None;
        }
        let lag = lag(self.writer.recorded_at, entry.latest()?);
        Some((source, lag))
    }

    /// Takes back what a landing had changed beforehand, and tells whoever waits that it failed.
    pub(super) fn refuse(&mut self, landing: Landing, error: &EngineError) {
        if let Landing::Open { opened, fenced, .. } = &landing {
            self.sessions.take_back(opened.session, fenced);
        }
        landing.fail(error);
    }

    /// The oldest commit has been answered.
    pub(super) fn land(&mut self, result: Result<(), EngineError>) {
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
        if let Some((source, lag)) = flight.heard {
            self.shared.meter.heard(source, lag);
        }
        if matches!(&flight.landing, Landing::Apply { .. }) {
            self.share_description();
        }
        self.shared.say_rules(&flight.rules);
        if flight.commits {
            publish(&self.shared.feed, flight.events, position);
            self.shared.applied.send_replace(position);
        }
        self.tell(flight.landing, position);
    }

    /// Tells who waits for a flight that it has arrived, with the position of its last event.
    fn tell(&self, landing: Landing, position: Position) {
        match landing {
            Landing::Append {
                source,
                drafts,
                received,
                reply,
                permit,
            } => {
                let answer = Answer {
                    shared: Arc::clone(&self.shared),
                    source,
                    drafts,
                    position,
                    received,
                    reply,
                    permit,
                };
                answer.give(&self.runtime);
            }
            Landing::Open {
                opened,
                fenced: _,
                reply,
                permit,
            } => {
                drop(permit);
                let _ = reply.send(Ok(opened));
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
                drop(permit);
                let _ = reply.send(Ok(applied));
            }
            Landing::Rules {
                mut changed,
                reply,
                permit,
            } => {
                if changed.recorded {
                    changed.position = position;
                }
                drop(permit);
                let _ = reply.send(Ok(changed));
            }
            Landing::Turns {
                recorded,
                reply,
                permit,
            } => {
                drop(permit);
                let _ = reply.send(Ok(recorded));
            }
            Landing::Position { reply, permit } | Landing::Settled { reply, permit } => {
                drop(permit);
                let _ = reply.send(Ok(position));
            }
            Landing::Own => {}
        }
    }

    /// Lets the writer hold the description that the twin holds, once both are at the same revision:
    /// it is a large part of a plant's memory.
    fn share_description(&mut self) {
        let twin = &self.shared.twin;
        let twin = twin.read().unwrap_or_else(PoisonError::into_inner);
        if twin.revision() == self.writer.revision {
            self.writer.description = twin.staged_description();
        }
    }

    /// Lets the writer know what of the description holds now, where part of it lies ahead.
    pub(super) fn hold_description(&mut self) {
        let now = self.shared.clock.wall();
        let revision = self.writer.revision;
        let holds = |held: &Held| held.revision == revision && now < held.until;
        if self.writer.held.as_ref().is_some_and(holds) {
            return;
        }
        let twin = &self.shared.twin;
        let twin = twin.read().unwrap_or_else(PoisonError::into_inner);
        if twin.revision() != revision {
            // What is on its way the writer has laid over it by itself.
            return;
        }
        let held = twin.held_description(now);
        let held = held.map(|(description, until)| Held {
            description,
            revision: twin.revision(),
            until,
        });
        self.writer.hold(held);
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
        let mut taking = self.shared.past.taking();
        for bytes in events.iter() {
            let event = decode_recorded(bytes)
                .map_err(|error| EngineError::internal(format!("a stored event: {error}")))?;
            tracing::trace!(
                plant = self.shared.id.as_str(),
                position = event.position.get(),
                machine = event.reported.machine.get(),
                kind = event.reported.body.kind().name(),
                "an event is applied"
            );
            twin.apply(&event)
                .map_err(|error| fold_error(&self.shared.id, event.position, &error))?;
            if let Some(taking) = &mut taking {
                taking.take(&event, bytes);
            }
        }
        drop(twin);
        let due = taking.as_ref().is_some_and(Taking::is_due);
        drop(taking);
        if due {
            past::keep(&self.shared);
        }
        Ok(())
    }
}
