//! Reads what happened in a plant over a window of plant time, a bounded piece at a time.

use super::handle::Plant;
use crate::error::EngineError;
use crate::past::Stretch;
use crate::recover::each_event;
use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Arc;
use werkbuch_model::event::Body;
use werkbuch_model::id::Position;
use werkbuch_model::time::Timestamp;
use werkbuch_record::decode_recorded;
use werkbuch_twin::Twin;
use werkbuch_twin::course::{Entry, Happened, Happening};
use werkbuch_twin::quality::Window;

/// So many neighbouring stretches of the log are read at once.
const STRETCHES_AT_ONCE: usize = 8;
/// After so many events a reader is told, and may give up.
const TELL_EVENTS: u64 = 1_024;

/// What happened over a window, or over its beginning.
#[derive(Debug)]
pub struct Piece {
    happened: Happened<Arc<[u8]>>,
}

/// One thing that happened, as it is stored.
#[derive(Debug)]
pub struct Stored(Entry<Arc<[u8]>>);

impl Plant {
    /// The plant as it was known up to a position, of what had happened by a time. Blocking.
    /// Errors: `InvalidInstant` for a position that is not recorded, those of the log and of the fold.
    pub fn past_twin(&self, known: Position, at: Timestamp) -> Result<Twin, EngineError> {
        let known = self.bounds(&werkbuch_model::instant::Instant {
            known: werkbuch_model::instant::Known::Position(known),
            at: Some(at),
        })?;
        let past = self.shared.past.twin(&self.shared, known, Some(at))?;
        Ok(past.twin)
    }

    /// About how many events have to be read for a window, known up to a position. Blocking.
    /// Errors: the log cannot be read.
    pub fn reading_of(&self, window: Window, known: Position) -> Result<u64, EngineError> {
        let stretches = self.stretches(window.from, known)?.into_iter();
        let reached = stretches.filter(|one| one.reach < window.to);
        Ok(reached.map(|one| one.len()).sum())
    }

    /// When in a window the description changes, as known up to a position. Blocking.
    /// Errors: the log cannot be read.
    pub fn described_in(
        &self,
        window: Window,
        known: Position,
    ) -> Result<BTreeSet<Timestamp>, EngineError> {
        let shared = &*self.shared;
        let mut times = BTreeSet::new();
        if let Some(kept) = shared.past.described_from(known) {
            times.extend(kept);
        } else {
            let walked = each_event(&*shared.store, &shared.id, Position(1), &mut |event, _| {
                if event.position > known {
                    return Err(EngineError::internal("enough"));
                }
                if let Body::DescriptionChanged(said) = &event.reported.body {
                    times.insert(said.valid_from.unwrap_or(event.recorded_at));
                }
                Ok(())
            });
            match walked {
                Err(error) if known >= self.position() => return Err(error),
                _ => {}
            }
        }
        times.retain(|time| window.holds(*time));
        Ok(times)
    }

    /// What happened in a window, as known up to a position: all of it, or its beginning when that is
    /// about as many bytes. `wanted` says of what kinds; `tell` hears now and then how many more events
    /// were read, and may give up: then there is nothing. Blocking.
    /// Errors: those of the log.
    pub fn happened(
        &self,
        window: Window,
        known: Position,
        (wanted, bytes_max): (&dyn Fn(&Body<'_>) -> bool, usize),
        tell: &mut dyn FnMut(u64) -> ControlFlow<()>,
    ) -> Result<Option<Piece>, EngineError> {
        let mut happened = Happened::new(window, bytes_max);
        let stretches = self.stretches(window.from, known)?;
        let mut rest = stretches.as_slice();
        while let Some((first, others)) = rest.split_first() {
            if first.reach >= happened.end() {
                rest = others;
                continue;
            }
            let end = happened.end();
            let reached = |one: &&Stretch| one.reach < end;
            let near = rest.iter().take(STRETCHES_AT_ONCE).take_while(reached);
            let count = near.count();
            let (near, others) = rest.split_at(count);
            rest = others;
            let last = near.last().map_or(first.last, |one| one.last);
            let mut take = |event: &werkbuch_model::event::Recorded<'_>, bytes: &[u8]| {
                happened.take(event, bytes.len(), wanted, || Arc::from(bytes));
            };
            if self
                .read_between(first.first, last, &mut take, tell)?
                .is_break()
            {
                return Ok(None);
            }
        }
        Ok(Some(Piece { happened }))
    }

    /// Calls `take` with the recorded events, in the order of their positions, of all stretches of the log
    /// in which something of a window can lie, as known up to a position: those of the window, and others
    /// near them. `tell` as in [`Plant::happened`]; broken off when it gave up. Blocking.
    /// Errors: those of the log.
    pub fn around(
        &self,
        window: Window,
        known: Position,
        take: &mut dyn FnMut(&werkbuch_model::event::Recorded<'_>),
        tell: &mut dyn FnMut(u64) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, EngineError> {
        let stretches = self.stretches(window.from, known)?.into_iter();
        let mut reached = stretches.filter(|one| one.reach < window.to).peekable();
        while let Some(first) = reached.next() {
            let mut last = first.last;
            // Neighbours are read in one go.
            while let Some(next) = reached.next_if(|one| one.first == last.next()) {
                last = next.last;
            }
            let mut take = |event: &werkbuch_model::event::Recorded<'_>, _: &[u8]| take(event);
            if self
                .read_between(first.first, last, &mut take, tell)?
                .is_break()
            {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// The stretches of the log in which something of a time or later can lie.
    fn stretches(&self, from: Timestamp, known: Position) -> Result<Vec<Stretch>, EngineError> {
        if known.get() == 0 {
            return Ok(Vec::new());
        }
        let mut stretches = self.shared.past.stretches(from, known);
        if let Some(unknown) = stretches
            .last_mut()
            .filter(|one| one.reach == Timestamp::MIN)
        {
            // Where nothing is known of a stretch, the writer's clock tells where it can begin.
            unknown.first = unknown.first.max(self.recorded_around(from)?);
        }
        stretches.retain(|one| one.first <= one.last);
        Ok(stretches)
    }

    fn read_between(
        &self,
        first: Position,
        last: Position,
        take: &mut dyn FnMut(&werkbuch_model::event::Recorded<'_>, &[u8]),
        tell: &mut dyn FnMut(u64) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, EngineError> {
        let shared = &*self.shared;
        let mut untold = 0_u64;
        for block in shared.store.read(&shared.id, first)? {
            for (position, bytes) in block?.events() {
                if position < first {
                    continue;
                }
                if position > last {
                    return Ok(tell(untold));
                }
                let event = decode_recorded(bytes).map_err(|error| EngineError::FormatNewer {
                    plant: shared.id.clone(),
                    cause: format!("event {position}: {error}"),
                })?;
                take(&event, bytes);
                untold += 1;
                if untold == TELL_EVENTS {
                    untold = 0;
                    if tell(TELL_EVENTS).is_break() {
                        return Ok(ControlFlow::Break(()));
                    }
                }
            }
        }
        Ok(tell(untold))
    }
}

impl Piece {
    /// The first time that it does not hold: the end of the window, or an earlier one.
    #[must_use]
    pub fn end(&self) -> Timestamp {
        self.happened.end()
    }

    /// When the next thing happened.
    #[must_use]
    pub fn next_at(&self) -> Option<Timestamp> {
        self.happened.next_at()
    }

    /// Takes out all that happened at that time.
    pub fn next_moment(&mut self) -> Vec<Stored> {
        self.happened
            .next_moment()
            .into_iter()
            .map(Stored)
            .collect()
    }
}

impl Stored {
    /// What happened. Errors: it was kept and cannot be read.
    pub fn happening(&self) -> Result<Happening<'_>, EngineError> {
        let event = decode_recorded(&self.0.event)
            .map_err(|error| EngineError::internal(format!("an event that was read: {error}")))?;
        let happening = self.0.happening(event);
        happening.ok_or_else(|| EngineError::internal("an event that was read says nothing"))
    }
}
