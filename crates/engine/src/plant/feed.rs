//! What has just been applied, in memory for those who follow; behind it stands the log.

use super::handle::Plant;
use crate::error::EngineError;
use crate::recorder::Encoded;
use crate::recover::fold_error;
use crate::snapshots;
use std::sync::{Arc, PoisonError};
use tokio::sync::broadcast::error::TryRecvError;
use tokio::sync::{broadcast, watch};
use werkbuch_model::event::Recorded;
use werkbuch_model::id::Position;
use werkbuch_model::instant::{Instant, Known};
use werkbuch_model::time::Timestamp;
use werkbuch_record::decode_recorded;
use werkbuch_twin::Twin;

/// Events that were applied together.
#[derive(Debug)]
pub(crate) struct Fed {
    first: Position,
    events: Encoded,
}

/// The way of applied events to those who follow. The writer never waits for them: who does not take
/// his batches in time finds them in the log.
pub(crate) type Feed = broadcast::Sender<Arc<Fed>>;

/// A feed that holds the last batches for each who follows.
pub(crate) fn feed() -> Feed {
    broadcast::Sender::new(crate::limits::FEED_BATCHES)
}

/// Hands a batch that ends at `last` to those who follow, if there are any.
pub(crate) fn publish(feed: &Feed, events: Encoded, last: Position) {
    if events.len() == 0 || feed.receiver_count() == 0 {
        return;
    }
    let before = (events.len() as u64).saturating_sub(1);
    let first = Position(last.get().saturating_sub(before));
    // When the last reader has just gone, nobody misses the batch.
    let _ = feed.send(Arc::new(Fed { first, events }));
}

/// Follows a plant's events from a position on, each once and in order: from memory when the reader
/// keeps up, from the log when he does not, or began in the past.
#[derive(Debug)]
pub struct Follow {
    plant: Plant,
    feed: broadcast::Receiver<Arc<Fed>>,
    applied: watch::Receiver<Position>,
    ahead: Option<Arc<Fed>>,
    next: Position,
}

/// What one step of following did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The last event that has been handed over.
    pub last: Position,
    /// The end of what was applied when the step began.
    pub end: Position,
    /// Whether events went by unread in memory since the step before, so that they come from the log.
    pub missed: bool,
    /// Whether this step read the log.
    pub from_log: bool,
}

impl Plant {
    /// Follows the plant's events from a position on, which may lie beyond the end.
    #[must_use]
    pub fn follow(&self, from: Position) -> Follow {
        Follow {
            plant: self.clone(),
            feed: self.shared.feed.subscribe(),
            applied: self.watch(),
            ahead: None,
            next: Position(from.get().max(1)),
        }
    }

    /// The live twin as it stood after a position, for a reader to fold further. Blocking: unless it is
    /// the present one, it is folded from the mark of the past or the snapshot that lies nearest before.
    /// Errors: `InvalidInstant` beyond the end, those of the log and of the fold.
    pub fn twin_at(&self, position: Position) -> Result<Twin, EngineError> {
        let shared = &*self.shared;
        {
            let live = shared.twin.read().unwrap_or_else(PoisonError::into_inner);
            if live.position() == position {
                return Ok(live.clone());
            }
        }
        let instant = Instant {
            known: Known::Position(position),
            at: None,
        };
        self.bounds(&instant)?;
        let mark = shared.past.mark_before(position);
        match self.kept_between(mark, position) {
            Some(kept) => self.fold_to(kept, position),
            None if mark.get() > 0 => Ok(shared.past.twin(shared, position, None)?.twin),
            None => self.fold_to(Twin::new(shared.id.clone()), position),
        }
    }

    /// The last position before the first event that was reported of a time of the plant or of what
    /// came after it; the last one applied when there is none. Blocking.
    /// Errors: those of the log.
    pub fn before_effect(&self, time: Timestamp) -> Result<Position, EngineError> {
        let end = self.position();
        self.shared.past.before(&self.shared, time, end)
    }

    /// The twin of the last snapshot behind one position and up to another.
    fn kept_between(&self, after: Position, position: Position) -> Option<Twin> {
        let shared = &*self.shared;
        let folder = snapshots::folder(&shared.data, &shared.id);
        let before = snapshots::list(&folder).into_iter();
        let kept = before
            .filter(|(at, _)| *at > after && *at <= position)
            .find_map(|(_, path)| snapshots::decode(&shared.id, &std::fs::read(path).ok()?).ok());
        kept.map(|kept| kept.twin)
    }

    fn fold_to(&self, mut twin: Twin, position: Position) -> Result<Twin, EngineError> {
        let mut follow = self.follow(twin.position().next());
        while twin.position() < position {
            let left = position.get().saturating_sub(twin.position().get());
            let most = usize::try_from(left).unwrap_or(usize::MAX);
            follow.step(most, |event| {
                let folded = twin.apply(event);
                folded.map_err(|error| fold_error(self.id(), event.position, &error))
            })?;
        }
        Ok(twin)
    }
}

impl Follow {
    /// The position of the next event that will be handed over.
    #[must_use]
    pub fn next(&self) -> Position {
        self.next
    }

    /// The end of what has been applied.
    #[must_use]
    pub fn end(&self) -> Position {
        *self.applied.borrow()
    }

    /// Returns when there is an event to hand over. Errors: `ShuttingDown` when none will come.
    pub async fn ready(&mut self) -> Result<(), EngineError> {
        let next = self.next;
        let more = self.applied.wait_for(|end| *end >= next).await;
        more.map(drop).map_err(|_| EngineError::ShuttingDown)
    }

    /// Hands over the next events there are, at most `most`; none is no error. Blocking, and best
    /// called again until `last` is `end`.
    /// Errors: those of the log and of `each`; then following is over.
    pub fn step(
        &mut self,
        most: usize,
        mut each: impl FnMut(&Recorded<'_>) -> Result<(), EngineError>,
    ) -> Result<Step, EngineError> {
        // The feed is filled before the end moves, so that what it lacks up to here is in the log.
        let end = *self.applied.borrow_and_update();
        let missed = self.look_ahead();
        let last = |next: Position| Position(next.get().saturating_sub(1));
        let mut from_log = false;
        match self.ahead.take() {
            Some(fed) if fed.first <= self.next => {
                self.take(&fed, most, &mut each)?;
                if last_of(&fed) >= self.next {
                    self.ahead = Some(fed);
                }
            }
            ahead => {
                // What lies before a batch in memory was applied before it.
                let until = ahead.as_ref().map_or(end, |fed| last(fed.first));
                self.ahead = ahead;
                if until >= self.next {
                    from_log = true;
                    self.read(until, most, &mut each)?;
                }
            }
        }
        let last = last(self.next);
        Ok(Step {
            last,
            end: end.max(last),
            missed,
            from_log,
        })
    }

    /// Looks for the next batch in memory that is not handed over yet. Answers whether some were lost.
    fn look_ahead(&mut self) -> bool {
        let mut missed = false;
        while self.ahead.is_none() {
            match self.feed.try_recv() {
                Ok(fed) if last_of(&fed) < self.next => {}
                Ok(fed) => self.ahead = Some(fed),
                Err(TryRecvError::Lagged(_)) => missed = true,
                Err(TryRecvError::Empty | TryRecvError::Closed) => break,
            }
        }
        missed
    }

    fn take(
        &mut self,
        fed: &Fed,
        most: usize,
        each: &mut impl FnMut(&Recorded<'_>) -> Result<(), EngineError>,
    ) -> Result<(), EngineError> {
        let known = self.next.get().saturating_sub(fed.first.get());
        let known = usize::try_from(known).unwrap_or(usize::MAX);
        for bytes in fed.events.iter().skip(known).take(most) {
            self.hand_over(bytes, each)?;
        }
        Ok(())
    }

    fn read(
        &mut self,
        until: Position,
        most: usize,
        each: &mut impl FnMut(&Recorded<'_>) -> Result<(), EngineError>,
    ) -> Result<(), EngineError> {
        let shared = Arc::clone(&self.plant.shared);
        let mut left = most;
        for block in shared.store.read(&shared.id, self.next)? {
            let block = block?;
            for (position, bytes) in block.events() {
                if position < self.next {
                    continue;
                }
                if position > until || left == 0 {
                    return Ok(());
                }
                self.hand_over(bytes, each)?;
                left -= 1;
            }
        }
        if self.next <= until && left > 0 {
            let what = format!(
                "the log of plant \"{}\" ends before position {until}, which was applied",
                shared.id
            );
            return Err(EngineError::internal(what));
        }
        Ok(())
    }

    fn hand_over(
        &mut self,
        bytes: &[u8],
        each: &mut impl FnMut(&Recorded<'_>) -> Result<(), EngineError>,
    ) -> Result<(), EngineError> {
        let event = decode_recorded(bytes).map_err(|error| EngineError::FormatNewer {
            plant: self.plant.id().clone(),
            cause: error.to_string(),
        })?;
        if event.position != self.next {
            let (plant, next, found) = (self.plant.id(), self.next, event.position);
            let what = format!("plant \"{plant}\" has event {found} where {next} should be");
            return Err(EngineError::internal(what));
        }
        each(&event)?;
        self.next = self.next.next();
        Ok(())
    }
}

fn last_of(fed: &Fed) -> Position {
    let more = (fed.events.len() as u64).saturating_sub(1);
    Position(fed.first.get().saturating_add(more))
}
