//! Keeps marks while a plant's loop applies events.

use super::interval::{Interval, Lates};
use super::mark::{self, Head, Written};
use super::row::{Link, Row};
use super::{Past, State};
use crate::aside;
use crate::error::EngineError;
use crate::plant::Shared;
use std::sync::{Arc, MutexGuard, PoisonError};
use werkbuch_model::event::Recorded;
use werkbuch_twin::Twin;

/// Takes what the plant's loop applies.
#[derive(Debug)]
pub(crate) struct Taking<'p> {
    state: MutexGuard<'p, State>,
    every: u64,
}

impl Past {
    /// Begins to take a batch that the loop applies; nothing where no marks are kept.
    pub(crate) fn taking(&self) -> Option<Taking<'_>> {
        Some(Taking {
            every: self.every?,
            state: self.state(),
        })
    }

    /// The plant closes: nothing is gone through any more.
    pub(crate) fn close(&self) {
        self.state().closed = true;
        // Whoever is at it soon sees that.
        drop(self.dividing.lock());
    }

    /// Lets no mark come due, as if one were being written all the time.
    #[cfg(test)]
    pub(crate) fn hold(&self, held: bool) {
        self.state().writing = held;
    }

    /// Whether all of the log was gone through.
    #[cfg(test)]
    pub(crate) fn is_complete(&self) -> bool {
        self.state().complete
    }

    /// Whether no mark is missing: behind one that is, all are made anew after a start.
    #[cfg(test)]
    pub(crate) fn is_whole(&self) -> bool {
        self.state().ended.iter().all(|ended| ended.kept)
    }

    /// Writes the mark of an interval that has ended, with the state at its end.
    pub(super) fn write(&self, shared: &Shared, interval: &Interval, twin: &Twin) {
        let mut row = std::mem::take(&mut self.state().row);
        let since = self.since(&row, interval, twin);
        let written = self.put(shared, interval, (twin, since));
        let written = written.and_then(Written::place);
        if let Err(error) = &written {
            // Marks are disposable: a question takes longer without one, nothing is lost.
            let plant = shared.id.as_str();
            tracing::warn!(plant, error = %error, "no mark of the past was written");
        }
        let mut state = self.state();
        if let Ok(head) = &written {
            row.take(head);
            state.row = row;
        }
        state.settle(interval.last, written.ok());
    }

    /// The mark that the one at the end of an interval can be written as the change since, and its number
    /// in the row that goes on; nothing where it is to be whole.
    pub(super) fn since(&self, row: &Row, interval: &Interval, twin: &Twin) -> Option<(Link, u32)> {
        let last = row.last()?.position == interval.after && !interval.corrected;
        let next = row.next(self.row_max).filter(|_| last);
        next.filter(|(link, _)| twin.follows(&link.base))
    }

    /// Writes the mark at the end of an interval beside its place.
    pub(super) fn put(
        &self,
        shared: &Shared,
        interval: &Interval,
        (twin, since): (&Twin, Option<(Link, u32)>),
    ) -> Result<Written, EngineError> {
        let mut head = Head::of(interval, shared.log_id);
        head.follow(since, twin.mark_base());
        let none = Lates::default();
        let late = interval.late.as_ref().unwrap_or(&none);
        let mark = twin
            .to_mark(since.as_ref().map(|(link, _)| &link.base))
            .map_err(|error| EngineError::internal(format!("a mark: {error}")))?;
        let _pen = self.pen.lock().unwrap_or_else(PoisonError::into_inner);
        mark::write(&self.folder, head, late, &mark)
    }
}

impl Taking<'_> {
    /// Takes the next event that was applied.
    pub(crate) fn take(&mut self, event: &Recorded<'_>, bytes: &[u8]) {
        self.state.applied = event.position;
        if self.state.complete {
            self.state.open.take(event, bytes);
        }
    }

    /// Whether a mark is due. While one is being written the next has to wait: readers of the past
    /// never hold up the plant.
    pub(crate) fn is_due(&self) -> bool {
        let state = &*self.state;
        state.complete && !state.writing && state.open.len() >= self.every
    }
}

/// Ends the interval with what the plant's loop has applied, and writes its mark aside.
pub(crate) fn keep(shared: &Arc<Shared>) {
    let twin = {
        let twin = shared.twin.read().unwrap_or_else(PoisonError::into_inner);
        twin.clone()
    };
    let interval = {
        let mut state = shared.past.state();
        state.writing = true;
        state.end(shared.log_id)
    };
    let own = Arc::clone(shared);
    let written = aside::run(move || {
        own.past.write(&own, &interval, &twin);
        own.past.state().writing = false;
    });
    if written.is_err() {
        // Then there is a mark less: the next one is whole.
        let mut state = shared.past.state();
        (state.row, state.writing) = (Row::default(), false);
    }
}
