//! Where in the log a time of the plant begins, and from how far before a position its fold can begin.

use super::Past;
use super::interval::span;
use crate::error::EngineError;
use crate::plant::Shared;
use crate::recover::each_event;
use werkbuch_model::id::Position;
use werkbuch_model::time::Timestamp;

impl Past {
    /// The last position before the first event up to `end` that says something of a time or of what
    /// came after it: everything up to there is of before. `end` when there is none. Blocking.
    /// Errors: those of the log.
    pub(crate) fn before(
        &self,
        shared: &Shared,
        time: Timestamp,
        end: Position,
    ) -> Result<Position, EngineError> {
        let after = {
            let state = self.state();
            let at = state.ended.partition_point(|ended| ended.head.top() < time);
            let ended = state.ended.get(at);
            ended.map_or(state.open.after, |ended| ended.head.after())
        };
        let mut last = after.min(end);
        let mut found = false;
        let (store, id) = (&*shared.store, &shared.id);
        let walked = each_event(store, id, last.next(), &mut |event, _| {
            found = event.position > end || (event.is_reported() && span(event).1 >= time);
            if found {
                return Err(EngineError::internal("enough"));
            }
            last = event.position;
            Ok(())
        });
        match walked {
            Err(error) if !found => Err(error),
            _ => Ok(last),
        }
    }

    /// The last mark up to a position from which the plant can be folded to it; 0 for none.
    pub(crate) fn mark_before(&self, position: Position) -> Position {
        let state = self.state();
        let end = if state.complete {
            state.applied
        } else {
            state.open.after
        };
        if position > end {
            return Position(0);
        }
        let known = state
            .ended
            .partition_point(|ended| ended.head.position() <= position);
        let marks = (0..known).rev().find_map(|number| state.marks_to(number));
        let last = marks.and_then(|marks| marks.last().map(|head| head.position()));
        last.unwrap_or_default()
    }
}
