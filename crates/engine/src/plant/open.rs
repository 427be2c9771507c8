//! Opens sources, applies descriptions and confirms the clock.

use super::flight::Landing;
use super::input::Reply;
use super::state::Loop;
use crate::api::{Applied, Apply, OpenSource, OpenedSource};
use crate::clock::Tick;
use crate::error::EngineError;
use crate::keyring::Keys;
use crate::limits::DESCRIPTION_PART_BYTES;
use crate::protect::{Owner, protect};
use crate::recorder::{Recorder, Staged};
use crate::writer::default_tolerance;
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;
use werkbuch_model::event::{
    Body, ClockJumped, DescriptionChanged, Protected, Reported, SourceKind, SourceOpened,
};
use werkbuch_model::id::{Epoch, MachineNumber, Position, Sequence};
use werkbuch_model::plant::{Change, describe, diff};
use werkbuch_model::time::Timestamp;
use werkbuch_record::encode_reported;

impl Loop {
    /// Opens a source for a session; older sessions of its name are fenced from here on.
    pub(super) fn open(
        &mut self,
        session: u64,
        request: OpenSource,
        reply: Reply<OpenedSource>,
        permit: OwnedSemaphorePermit,
    ) {
        if let Some(error) = &self.stopped {
            // What the writer holds may not be in the log, and what it would answer neither.
            return drop(reply.send(Err(error.clone())));
        }
        let (machine_numbers, epoch) = match self
            .machines(&request.machines)
            .and_then(|m| Ok((m, self.epoch_of(&request)?)))
        {
            Ok(found) => found,
            Err(error) => return drop(reply.send(Err(error))),
        };
        let known = self.writer.source_named(&request.source, epoch);
        let number = known.unwrap_or_else(|| self.writer.next_source());
        let (next, tolerance_ns) = match known.and_then(|number| self.writer.source(number)) {
            Some(source) => (source.identity.next(), source.tolerance_ns),
            None => (
                1,
                request
                    .tolerance_ns
                    .unwrap_or_else(|| default_tolerance(request.kind)),
            ),
        };
        let next_sequence = Sequence(next);
        let opened = OpenedSource {
            session,
            number,
            epoch,
            next_sequence,
            tolerance_ns,
            machine_numbers,
        };
        let writer = &self.writer;
        let fenced = self
            .sessions
            .open(&self.shared.id, session, number, |open| {
                writer
                    .source(open)
                    .is_some_and(|source| source.name == request.source)
            });
        let landing = Landing::Open {
            opened,
            fenced,
            reply,
            permit,
        };
        if known.is_some() {
            return self.launch(Staged::default(), landing);
        }
        let body = Body::SourceOpened(SourceOpened {
            number,
            name: request.source.as_str().to_owned().into(),
            epoch,
            source_kind: if request.kind == SourceKind::Import {
                SourceKind::Import
            } else {
                SourceKind::Live
            },
            tolerance_ns,
        });
        self.record_own(|recorder| recorder.record_own(body).map(drop), landing);
    }

    fn machines(&mut self, names: &[String]) -> Result<Vec<MachineNumber>, EngineError> {
        self.hold_description();
        let number = |name: &String| {
            let held = self.writer.held.as_ref();
            let found = self.writer.description.machine_named(name);
            found
                .or_else(|| held?.description.machine_named(name))
                .map(|machine| machine.number)
                .ok_or_else(|| EngineError::UnknownMachine {
                    plant: self.shared.id.clone(),
                    machine: name.chars().take(80).collect(),
                })
        };
        names.iter().map(number).collect()
    }

    /// The epoch that a source opens in. An import has one life only.
    fn epoch_of(&self, request: &OpenSource) -> Result<Epoch, EngineError> {
        let latest = self.writer.latest_epoch(&request.source);
        let import = request.kind == SourceKind::Import;
        let source_name = request.source.to_string();
        match request.epoch.or(import.then_some(Epoch(1))) {
            None => Ok(Epoch(latest.get() + 1)),
            Some(asked) if asked == latest && asked.get() > 0 => Ok(asked),
            Some(Epoch(1)) if latest.get() == 0 => Ok(Epoch(1)),
            Some(asked) if asked < latest && asked.get() > 0 => Err(EngineError::EpochFenced {
                source_name,
                asked,
                latest,
            }),
            Some(asked) => Err(EngineError::UnknownEpoch {
                source_name,
                asked,
                latest,
            }),
        }
    }

    /// Applies a description: what differs becomes events, all in one commit.
    pub(super) fn apply(
        &mut self,
        request: Apply,
        reply: Reply<Applied>,
        permit: OwnedSemaphorePermit,
    ) {
        let changes = match diff(&self.writer.description, &request.file) {
            Ok(changes) => changes,
            Err(mistakes) => return drop(reply.send(Err(EngineError::PlantFile { mistakes }))),
        };
        let created = self.writer.position.get() == 0;
        let lines = changes
            .iter()
            .map(|change| describe(change, &self.writer.description))
            .collect();
        let recorded = !request.dry_run && (!changes.is_empty() || created);
        let revision = self.writer.revision + u32::from(recorded);
        let applied = Applied {
            plant: self.shared.id.clone(),
            created,
            recorded,
            revision,
            changes: lines,
            position: Position(0),
        };
        if !recorded {
            return self.launch(
                Staged::default(),
                Landing::Apply {
                    applied,
                    reply,
                    permit,
                },
            );
        }
        let ring = Arc::clone(&self.shared.ring);
        let parts = parts(changes);
        self.record_own(
            |recorder| record_parts(recorder, &request, revision, parts, &ring),
            Landing::Apply {
                applied,
                reply,
                permit,
            },
        );
    }

    /// Believes the wall clock after a jump that stopped the writer, and records that.
    pub(super) fn confirm_clock(&mut self, reply: Reply<Position>, permit: OwnedSemaphorePermit) {
        let Tick::Stopped(jump) = self.clock.tick() else {
            return drop(reply.send(Ok(Position(0))));
        };
        self.clock.confirm();
        let body = Body::ClockJumped(ClockJumped {
            confirmed: true,
            ..jump
        });
        self.record_own(
            |recorder| recorder.record_own(body).map(drop),
            Landing::Position { reply, permit },
        );
    }
}

impl Loop {
    /// Makes sure that nothing more will be recorded at or before a time, and answers when all that
    /// is in flight has landed.
    pub(super) fn settle(
        &mut self,
        time: Timestamp,
        reply: Reply<Position>,
        permit: OwnedSemaphorePermit,
    ) {
        if self.stopped.is_some() {
            // Nothing more will be recorded, and nothing is in flight.
            drop(permit);
            return drop(reply.send(Ok(*self.shared.applied.borrow())));
        }
        self.clock.pass(time);
        self.launch(Staged::default(), Landing::Settled { reply, permit });
    }
}

/// Cuts changes into parts that fit an event each; there is at least one part.
fn parts(changes: Vec<Change>) -> Vec<Vec<Change>> {
    let mut parts = vec![Vec::new()];
    let mut bytes = 0;
    for change in changes {
        let size = encoded_bytes(&change);
        if bytes + size > DESCRIPTION_PART_BYTES && bytes > 0 {
            parts.push(Vec::new());
            bytes = 0;
        }
        bytes += size;
        if let Some(part) = parts.last_mut() {
            part.push(change);
        }
    }
    parts
}

fn encoded_bytes(change: &Change) -> usize {
    let body = Body::DescriptionChanged(DescriptionChanged {
        changes: vec![change.clone()],
        ..DescriptionChanged::default()
    });
    encode_reported(&Reported {
        sequence: Sequence(0),
        machine: MachineNumber(0),
        occurred_at: Timestamp(0),
        observed_at: None,
        historical: false,
        body,
    })
    .len()
}

fn record_parts(
    recorder: &mut Recorder<'_>,
    request: &Apply,
    revision: u32,
    parts: Vec<Vec<Change>>,
    ring: &crate::keyring::KeyRing,
) -> Result<(), EngineError> {
    let count = parts.len();
    for (index, changes) in parts.into_iter().enumerate() {
        let mut body = Body::DescriptionChanged(DescriptionChanged {
            revision,
            part: u32::try_from(index + 1).unwrap_or(u32::MAX),
            commit: index + 1 == count,
            valid_from: request.file.valid_from,
            file_hash: request.file_hash.to_vec().into(),
            who: Protected {
                plain: request.who.clone().into(),
                ..Protected::default()
            },
            why: request.why.clone().into(),
            changes,
        });
        let plant = recorder.writer.plant.to_string();
        let number = recorder.writer.position.next().get();
        protect(
            &mut body,
            Owner {
                plant: &plant,
                source: WRITER,
                number,
            },
            ring,
            Keys::Make,
        )?;
        recorder.record_own(body)?;
    }
    Ok(())
}

/// The source to which protected fields of the writer's own records are bound.
pub(crate) const WRITER: &str = "writer";
