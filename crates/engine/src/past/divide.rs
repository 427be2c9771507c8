//! Divides intervals that became long because more was reported than marks could be written for.
//!
//! The row goes on from the mark before with those that are put between, and the one that the interval ends
//! with; the marks that follow stay as they are. So one of them can be read with those of two rows; to make
//! the mark at the end whole instead would take a third more room.

use super::fill::STEP_EVENTS;
use super::interval::Interval;
use super::mark::{self, Head, Written};
use super::row::Row;
use super::{Ended, Past};
use crate::error::EngineError;
use crate::plant::Shared;
use crate::recover::{each_event, fold_error};
use std::sync::{Arc, PoisonError};
use werkbuch_model::id::Position;

/// An interval that is to be divided.
struct Long {
    head: Arc<Head>,
    /// The row up to the one before it, where its marks are all there.
    row: Row,
}

impl Past {
    /// Whether there is something to divide and time for it: marks are written as they come due, or nothing
    /// was reported since `seen`, which becomes the last position. Absent when the plant is closed.
    pub(crate) fn may_divide(&self, seen: &mut Position) -> Option<bool> {
        let state = self.state();
        if state.closed {
            return None;
        }
        let before = std::mem::replace(seen, state.applied);
        let due = state.open.len() >= self.every.unwrap_or(u64::MAX);
        let is_quiet = !state.writing && (!due || before == state.applied);
        Some(state.complete && is_quiet && !state.long.is_empty())
    }

    /// Divides the first of the intervals that are long, if there is one: its events are folded again, and
    /// marks are put between. Answers whether there was one. Blocking.
    /// Errors: those of the log, of a fold and of writing; then the interval stays as it is.
    pub(crate) fn divide(&self, shared: &Shared) -> Result<bool, EngineError> {
        let _dividing = self.dividing.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((every, mut long)) = self.every.zip(self.long()) else {
            return Ok(false);
        };
        let mut pieces = Vec::new();
        let divided = self.pieces(shared, (&mut long, every), &mut pieces);
        let divided = divided.and_then(|last| match last {
            Some(last) => self.put_between(&long, &mut pieces, last),
            None => Ok(()),
        });
        for piece in pieces {
            let _ = std::fs::remove_file(mark::path(&self.folder, piece.position()));
        }
        // Whatever came of it, it is not tried again.
        self.state().long.remove(&long.head.position());
        divided.map(|()| true)
    }

    fn long(&self) -> Option<Long> {
        let state = self.state();
        if state.closed || !state.complete {
            return None;
        }
        let end = *state.long.first()?;
        let number = state.number_of(end)?;
        let head = Arc::clone(&state.ended.get(number)?.head);
        let row = number.checked_sub(1).and_then(|last| state.marks_to(last));
        Some(Long {
            head,
            row: Row::of(&row.unwrap_or_default()),
        })
    }

    /// Writes the marks that come between, and beside its place the one that the interval ends with anew;
    /// nothing where the plant closes.
    fn pieces(
        &self,
        shared: &Shared,
        (long, every): (&mut Long, u64),
        pieces: &mut Vec<Head>,
    ) -> Result<Option<Written>, EngineError> {
        let (after, end) = (long.head.after(), long.head.position());
        // As many as come nearest to what they were to be, all of one length.
        let length = long.head.len();
        let count = (length + every / 2).checked_div(every).unwrap_or(1);
        let piece = length.div_ceil(count.max(2));
        let mut twin = self.twin_at(shared, after)?;
        let mut interval = Interval::after(after, long.head.front(), long.head.before());
        let mut over = Ok(());
        let mut closed = false;
        let walked = each_event(
            &*shared.store,
            &shared.id,
            after.next(),
            &mut |event, bytes| {
                let step = event.position.get().is_multiple_of(STEP_EVENTS);
                closed = step && self.state().closed;
                if event.position > end || closed {
                    return Err(EngineError::internal("enough"));
                }
                interval.take(event, bytes);
                over = twin
                    .apply(event)
                    .map_err(|error| fold_error(&shared.id, event.position, &error));
                if over.is_ok() && interval.len() >= piece && event.position < end {
                    let since = self.since(&long.row, &interval, &twin);
                    let put = self.put(shared, &interval, (&twin, since));
                    over = put.and_then(Written::place).map(|head| {
                        long.row.take(&head);
                        pieces.push(head);
                    });
                    interval = interval.next();
                }
                match over {
                    Ok(()) => Ok(()),
                    Err(_) => Err(EngineError::internal("failed")),
                }
            },
        );
        over?;
        if closed {
            return Ok(None);
        }
        if interval.last != end {
            walked?;
            return Err(EngineError::internal("a log that ends before its marks"));
        }
        // What follows is written as the change since the mark at the end: it must come to the same.
        if !twin.is_alike(&self.twin_at(shared, end)?) {
            return Err(EngineError::internal(
                "a mark does not hold what its events come to",
            ));
        }
        let since = self.since(&long.row, &interval, &twin);
        self.put(shared, &interval, (&twin, since)).map(Some)
    }

    /// Puts the pieces in the place of the interval, all at once for whoever asks. They are taken, unless the
    /// interval is not there any more.
    fn put_between(
        &self,
        long: &Long,
        pieces: &mut Vec<Head>,
        last: Written,
    ) -> Result<(), EngineError> {
        let mut state = self.state();
        let number = state.number_of(long.head.position());
        let number = number.filter(|_| !state.closed && state.has(&long.head));
        let Some(number) = number else {
            last.give_up();
            return Ok(());
        };
        let last = last.place()?;
        let ended = pieces.drain(..).chain([last]).map(Ended::kept);
        let ended: Vec<Ended> = ended.collect();
        state.ended.splice(number..=number, ended);
        Ok(())
    }
}
