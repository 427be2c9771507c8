//! Answers questions about a plant: now from the live twin, then from a fold of the past.

use super::handle::{Plant, Shared, Shown};
use super::input::Input;
use crate::access::Access;
use crate::api::{Reflected, StoredEvent};
use crate::aside;
use crate::error::EngineError;
use crate::past::{LateCount, Marks, PastTwin};
use crate::protect::{Owner, reveal};
use crate::recover::{each_event, fold_error};
use bytes::Bytes;
use std::sync::{Arc, PoisonError};
use tokio::sync::oneshot;
use werkbuch_journal::{Blocks, StoredBlock};
use werkbuch_model::event::Recorded;
use werkbuch_model::id::{MachineNumber, Position, SourceNumber};
use werkbuch_model::instant::{Instant, Known};
use werkbuch_model::plant::Description;
use werkbuch_model::time::Timestamp;
use werkbuch_record::{decode_recorded, encode_recorded};
use werkbuch_twin::Twin;

/// Stored events, one after another.
pub type StoredEvents = Box<dyn Iterator<Item = Result<StoredEvent, EngineError>> + Send>;

impl Plant {
    /// Asks the plant's twin at an instant. The question is put to the live twin under a short lock,
    /// or to a twin folded for it; it should copy what it needs and return.
    /// Errors: `InvalidInstant`, `Overloaded` when too many past folds run, those of the log.
    pub async fn ask<R: Send + 'static>(
        &self,
        instant: Instant,
        question: impl FnOnce(&Twin) -> R + Send + 'static,
    ) -> Result<(R, Reflected), EngineError> {
        if instant.is_now() {
            return Ok(self.shared.ask_live(question));
        }
        let permit = Arc::clone(&self.shared.folds)
            .try_acquire_owned()
            .map_err(|_| EngineError::overloaded("the number of questions about the past"))?;
        let plant = self.clone();
        let work = move |reply: oneshot::Sender<_>| {
            let found = plant.past(&instant, &|_| None);
            let answer = found
                .as_ref()
                .map(|(_, past)| (question(&past.twin), reflected(past, instant.at)));
            // Who has the answer may ask again.
            drop(permit);
            let _ = reply.send(answer.map_err(EngineError::clone));
            // What has to go for it is freed while nobody waits.
            if let Ok((bound, past)) = found {
                plant.shared.recent.keep((bound, instant.at), past);
            }
        };
        aside::answer(work).await?
    }

    /// The same about one machine, which `pick` chooses by the description that held: of the past no more
    /// than this machine is read. `question` is put to a twin that may hold this machine alone (see
    /// [`Twin::is_alone`]); where it takes more than that, it answers nothing, and is put to the whole one.
    ///
    /// # Errors
    ///
    /// As for [`ask`](Self::ask).
    pub async fn ask_machine<R: Send + 'static>(
        &self,
        instant: Instant,
        pick: impl Fn(&Twin) -> Option<MachineNumber> + Send + 'static,
        question: impl Fn(&Twin) -> Option<R> + Send + 'static,
    ) -> Result<(R, Reflected), EngineError> {
        let unanswered = || EngineError::internal("a question that a whole twin does not answer");
        let all = move |twin: &Twin| question(twin);
        if instant.is_now() {
            let (answer, reflected) = self.shared.ask_live(all);
            return Ok((answer.ok_or_else(unanswered)?, reflected));
        }
        let permit = Arc::clone(&self.shared.folds)
            .try_acquire_owned()
            .map_err(|_| EngineError::overloaded("the number of questions about the past"))?;
        let plant = self.clone();
        let work = move |reply: oneshot::Sender<_>| {
            let answer = plant.past(&instant, &pick).and_then(|(bound, past)| {
                if let Some(answer) = all(&past.twin) {
                    return Ok((answer, reflected(&past, instant.at)));
                }
                drop(past);
                let known = Instant {
                    known: Known::Position(bound),
                    ..instant
                };
                let (bound, past) = plant.past(&known, &|_| None)?;
                let answer = all(&past.twin).ok_or_else(unanswered)?;
                let reflected = reflected(&past, instant.at);
                plant.shared.recent.keep((bound, instant.at), past);
                Ok((answer, reflected))
            });
            drop(permit);
            let _ = reply.send(answer);
        };
        aside::answer(work).await?
    }

    /// The plant at an instant, or one machine of it alone, and the position up to which it was known.
    /// Blocking.
    fn past(
        &self,
        instant: &Instant,
        pick: &dyn Fn(&Twin) -> Option<MachineNumber>,
    ) -> Result<(Position, Arc<PastTwin>), EngineError> {
        let shared = &*self.shared;
        let bound = self.bounds(instant)?;
        if let Some(past) = shared.recent.find(&shared.id, (bound, instant.at)) {
            return Ok((bound, past));
        }
        let begin = std::time::Instant::now();
        let mut past = shared.past.of(shared, (bound, instant.at), pick)?;
        if let (None, Some(last)) = (instant.at, past.twin.last_recorded_at())
            && let Some(held) = past.twin.as_of(last)
        {
            past.twin = held;
        }
        shared.totals.past.observe(begin.elapsed());
        Ok((bound, Arc::new(past)))
    }

    /// The marks of its past that there are on the disk.
    #[must_use]
    pub fn marks(&self) -> Marks {
        self.shared.past.marks()
    }

    /// The last position that an instant may know; the same for ever. Blocking.
    /// Errors: `InvalidInstant` when it lies beyond what is recorded, `Overloaded`.
    pub fn bounds(&self, instant: &Instant) -> Result<Position, EngineError> {
        let shared = &*self.shared;
        let end = *shared.applied.borrow();
        match instant.known {
            Known::Now => Ok(end),
            Known::Position(position) if position <= end => Ok(position),
            Known::Position(position) => Err(EngineError::InvalidInstant {
                what: format!(
                    "position {position} is not recorded yet; the log of plant \"{}\" ends at {end}",
                    shared.id
                ),
            }),
            Known::Recorded(time) => self.recorded_by(time),
        }
    }

    /// The last position recorded at or before a time. A time after the last record may still be that
    /// of something on its way to the disk: then the writer lets it pass first.
    pub(crate) fn recorded_by(&self, time: Timestamp) -> Result<Position, EngineError> {
        let shared = &*self.shared;
        let last = {
            let twin = shared.twin.read().unwrap_or_else(PoisonError::into_inner);
            twin.last_recorded_at().unwrap_or_default()
        };
        let now = shared.clock.wall().max(last);
        if time > now {
            return Err(EngineError::InvalidInstant {
                what: format!("what will be known at {time} is not known now, at {now}"),
            });
        }
        if time > last {
            self.settle(time)?;
        }
        shared.last_recorded_by(time)
    }

    fn settle(&self, time: Timestamp) -> Result<(), EngineError> {
        let permit = Arc::clone(&self.shared.queue)
            .try_acquire_owned()
            .map_err(|_| EngineError::overloaded("the queue of the plant"))?;
        let (reply, answer) = oneshot::channel();
        let input = Input::Settle {
            time,
            reply,
            permit,
        };
        self.inputs
            .send(input)
            .map_err(|_| EngineError::ShuttingDown)?;
        answer
            .blocking_recv()
            .map_err(|_| EngineError::ShuttingDown)?
            .map(drop)
    }

    /// The recorded events from a position on, to the end of the log. Blocking.
    /// Errors: those of the log.
    pub fn events(&self, from: Position) -> Result<StoredEvents, EngineError> {
        let Shared { store, id, .. } = &*self.shared;
        Ok(Self::stored(store.read(id, from.max(Position(1)))?, from))
    }

    /// The same, but events of other machines may be left out, so that the history of one machine over
    /// years reads little. Blocking.
    ///
    /// # Errors
    ///
    /// As for [`events`](Self::events).
    pub fn events_near(
        &self,
        machine: MachineNumber,
        from: Position,
    ) -> Result<StoredEvents, EngineError> {
        let Shared { store, id, .. } = &*self.shared;
        let blocks = store.read_machine(id, from.max(Position(1)), machine)?;
        Ok(Self::stored(blocks, from))
    }

    fn stored(blocks: Blocks, from: Position) -> StoredEvents {
        let events = blocks.flat_map(move |block| -> Vec<Result<StoredEvent, EngineError>> {
            match block {
                Err(error) => vec![Err(error.into())],
                Ok(block) => stored(&block, from).map(Ok).collect(),
            }
        });
        Box::new(events)
    }

    /// One recorded event; nothing beyond the end of the log. Blocking.
    /// Errors: those of the log.
    pub fn event(&self, at: Position) -> Result<Option<StoredEvent>, EngineError> {
        if at.get() == 0 || at > self.position() {
            return Ok(None);
        }
        self.events(at)?.next().transpose()
    }

    /// A recorded event with the fields about people in plain, as far as their keys are there. The
    /// reading is written to the access log first. Blocking.
    /// Errors: `AccessLog`; then nothing is shown.
    pub fn reveal(
        &self,
        event: &[u8],
        reader: &str,
        purpose: &str,
    ) -> Result<Vec<u8>, EngineError> {
        let unreadable = |error| EngineError::internal(format!("a stored event: {error}"));
        let mut event = decode_recorded(event).map_err(unreadable)?;
        if !is_protected(&event) {
            return Ok(encode_recorded(&event));
        }
        let shared = &*self.shared;
        shared.access.note(&Access {
            at: shared.clock.wall(),
            reader,
            purpose,
            plant: shared.id.as_str(),
            position: event.position.get(),
        })?;
        let source = shared.source_label(event.source);
        let number = if event.is_reported() {
            event.reported.sequence.get()
        } else {
            event.position.get()
        };
        let owner = Owner {
            plant: shared.id.as_str(),
            source: &source,
            number,
        };
        reveal(&mut event.reported.body, owner, &shared.ring)?;
        Ok(encode_recorded(&event))
    }
}

impl Shared {
    /// Completes what is kept of the past after a start.
    pub(crate) fn fill_past(&self) {
        if let Err(error) = self.past.fill(self) {
            self.folds_more(&error);
        }
    }

    /// Puts marks of the past where they are far apart, while nothing else is to be done. Blocking.
    pub(crate) fn divide_past(&self, mut seen: Position) {
        while self.past.may_divide(&mut seen) == Some(true) {
            if let Err(error) = self.past.divide(self) {
                self.folds_more(&error);
            }
        }
    }

    fn folds_more(&self, error: &EngineError) {
        let plant = self.id.as_str();
        tracing::warn!(plant, error = %error, "questions about the past fold more of the log");
    }

    pub(crate) fn ask_live<R>(&self, question: impl FnOnce(&Twin) -> R) -> (R, Reflected) {
        let twin = self.twin.read().unwrap_or_else(PoisonError::into_inner);
        // Nothing of the description lies ahead but for a while after it was changed so.
        let reflected = Reflected {
            position: twin.position(),
            recorded_at: twin.last_recorded_at().unwrap_or_default(),
            at: None,
            late: None,
        };
        match self.held(&twin, self.clock.wall()) {
            None => (question(&twin), reflected),
            Some(held) => {
                let held = twin.showing(held);
                drop(twin);
                (question(&held), reflected)
            }
        }
    }

    /// What of the twin's description holds now, where that is not all: found out once for all who ask
    /// until more of it does.
    fn held(&self, twin: &Twin, now: Timestamp) -> Option<Arc<Description>> {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = |shown: &&Shown| {
            shown.revision == twin.revision() && (shown.since..shown.until).contains(&now)
        };
        if let Some(shown) = shown.as_ref().filter(fits) {
            return Some(Arc::clone(&shown.description));
        }
        *shown = twin
            .held_description(now)
            .map(|(description, until)| Shown {
                revision: twin.revision(),
                since: now,
                until,
                description,
            });
        shown.as_ref().map(|shown| Arc::clone(&shown.description))
    }

    /// The last committed position recorded at or before a time.
    fn last_recorded_by(&self, time: Timestamp) -> Result<Position, EngineError> {
        let Some(block) = self.store.block_at(&self.id, time)? else {
            return Ok(Position(0));
        };
        if block.recorded_max <= time {
            return Ok(block.last);
        }
        let mut last = Position(block.first.get().saturating_sub(1));
        let Some(block) = self.store.read(&self.id, block.first)?.next() else {
            return Ok(last);
        };
        for (position, bytes) in block?.events() {
            if decode_recorded(bytes).is_ok_and(|event| event.recorded_at <= time) {
                last = position;
            }
        }
        Ok(last)
    }

    /// A twin of what was known at `bound` of what had happened by `at`, folded from the first event.
    pub(crate) fn fold(
        &self,
        bound: Position,
        at: Option<Timestamp>,
    ) -> Result<PastTwin, EngineError> {
        let mut twin = Twin::scoped(self.id.clone(), at);
        let mut late = LateCount::new(at);
        let mut result = Ok(());
        let walk = each_event(&*self.store, &self.id, Position(1), &mut |event, _| {
            if event.position > bound {
                return Err(EngineError::internal("enough"));
            }
            late.take(event);
            twin.apply(event).map_err(|error| {
                result = Err(fold_error(&self.id, event.position, &error));
                EngineError::internal("failed")
            })
        });
        result?;
        match walk {
            Err(error) if twin.position() < bound => Err(error),
            _ => Ok(PastTwin {
                twin,
                mark: Position(0),
                late: late.count(),
            }),
        }
    }

    fn source_label(&self, number: SourceNumber) -> String {
        if number.get() == 0 {
            return super::open::WRITER.to_owned();
        }
        let twin = self.twin.read().unwrap_or_else(PoisonError::into_inner);
        twin.source(number)
            .map(|source| format!("{}#{}", source.name, source.epoch))
            .unwrap_or_default()
    }
}

fn reflected(past: &PastTwin, at: Option<Timestamp>) -> Reflected {
    Reflected {
        position: past.twin.position(),
        recorded_at: past.twin.last_recorded_at().unwrap_or_default(),
        at,
        late: at.is_some().then_some(past.late),
    }
}

/// The events of a block from a position on, copied out.
fn stored(block: &StoredBlock, from: Position) -> impl Iterator<Item = StoredEvent> + '_ {
    let later = block
        .events()
        .filter(move |(position, _)| *position >= from);
    later.map(|(position, bytes)| StoredEvent {
        position,
        bytes: Bytes::copy_from_slice(bytes),
    })
}

/// Whether an event is one that a reveal would change.
#[must_use]
pub fn is_protected(event: &Recorded<'_>) -> bool {
    let body = &event.reported.body;
    body.any_protected(&|field| field.key != 0)
}
