//! Brings the past of a plant up to its log after a start: finds the marks, folds those that miss.

use super::interval::Interval;
use super::mark::{self, Head};
use super::{Ended, Past};
use crate::error::EngineError;
use crate::plant::Shared;
use crate::recover::{each_event, fold_error};
use std::path::{Path, PathBuf};
use werkbuch_model::id::Position;
use werkbuch_twin::Twin;

/// After so many events it is asked whether the plant closes.
pub(super) const STEP_EVENTS: u64 = 1_024;

impl Past {
    /// Goes through what the marks do not cover yet. Blocking; until it is done, questions about that
    /// part fold the log.
    /// Errors: those of the log and of a fold; then there are no marks beyond that point.
    pub(crate) fn fill(&self, shared: &Shared) -> Result<(), EngineError> {
        let Some(every) = self.every.filter(|_| !self.state().complete) else {
            return Ok(());
        };
        self.find(shared);
        let (mut interval, applied) = {
            let state = self.state();
            (state.open.clone(), state.applied)
        };
        // Up to two intervals are left to the plant's loop, which ends them sooner than they are folded.
        let missing = applied.get().saturating_sub(interval.after.get());
        let mut twin = if missing >= 2 * every {
            Some(self.twin_at(shared, interval.after)?)
        } else {
            None
        };
        loop {
            let target = self.state().applied;
            self.walk(shared, (&mut interval, target), twin.as_mut(), every)?;
            let mut state = self.state();
            if state.closed {
                return Ok(());
            }
            if state.applied == target {
                state.open = interval;
                state.complete = true;
                return Ok(());
            }
        }
    }

    /// Takes the marks that are there, in order and without a hole; those behind a hole are removed.
    fn find(&self, shared: &Shared) {
        let applied = self.state().applied;
        let mut heads: Vec<Head> = Vec::new();
        let mut good = true;
        for path in files(&self.folder) {
            let own = |head: &Head| {
                head.is_of(shared.log_id)
                    && head.position() <= applied
                    && mark::path(&self.folder, head.position()) == path
            };
            let found = mark::head(&path);
            if let Ok(head) = &found
                && good
                && own(head)
            {
                // The first marks of a division that did not come to its end: the mark that it was to
                // replace still follows the one before them.
                while let Some(last) = heads.pop_if(|last| last.position() > head.after()) {
                    let path = mark::path(&self.folder, last.position());
                    drop_file(&path, shared, "its interval was not divided to the end");
                }
            }
            let end = heads.last().map_or(Position(0), Head::position);
            match found {
                Ok(head) if good && own(&head) && head.after() == end => heads.push(head),
                found => {
                    good = false;
                    let what = found
                        .err()
                        .unwrap_or_else(|| "it does not follow".to_owned());
                    drop_file(&path, shared, &what);
                }
            }
        }
        let far_end = heads.iter().map(Head::far_end).max();
        mark::cut_far(&self.folder, far_end.unwrap_or(0));
        let mut state = self.state();
        for head in heads {
            state.open = Interval::after(head.position(), head.top(), head.front());
            if head.len() >= state.long_from {
                state.long.insert(head.position());
            }
            state.push(Ended::kept(head));
        }
    }

    /// Takes the events up to a position into the interval, and folds them where there is a twin; then
    /// marks are written on the way.
    fn walk(
        &self,
        shared: &Shared,
        (interval, target): (&mut Interval, Position),
        mut twin: Option<&mut Twin>,
        every: u64,
    ) -> Result<(), EngineError> {
        let mut over = Ok(());
        let walked = each_event(
            &*shared.store,
            &shared.id,
            interval.last.next(),
            &mut |event, bytes| {
                let step = event.position.get().is_multiple_of(STEP_EVENTS);
                if event.position > target || step && self.state().closed {
                    return Err(EngineError::internal("enough"));
                }
                interval.take(event, bytes);
                if let Some(twin) = twin.as_deref_mut() {
                    if let Err(error) = twin.apply(event) {
                        over = Err(fold_error(&shared.id, event.position, &error));
                        return Err(EngineError::internal("failed"));
                    }
                    if interval.len() >= every {
                        self.end(shared, interval, twin);
                    }
                }
                Ok(())
            },
        );
        over?;
        match walked {
            Err(error) if interval.last < target && !self.state().closed => Err(error),
            _ => Ok(()),
        }
    }

    fn end(&self, shared: &Shared, interval: &mut Interval, twin: &Twin) {
        let ended = {
            let mut state = self.state();
            let next = interval.next();
            state.open = std::mem::replace(interval, next);
            state.end(shared.log_id)
        };
        self.write(shared, &ended, twin);
    }

    /// The live twin as it stood at a position that has a mark, or at the beginning.
    pub(super) fn twin_at(&self, shared: &Shared, position: Position) -> Result<Twin, EngineError> {
        if position.get() == 0 {
            return Ok(Twin::new(shared.id.clone()));
        }
        Ok(self.twin(shared, position, None)?.twin)
    }
}

/// The marks of a folder in the order of their positions.
pub(super) fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let paths = entries.map(|entry| entry.path());
    let mut marks: Vec<PathBuf> = paths
        .filter(|path| path.extension().is_some_and(|end| end == "mark"))
        .collect();
    marks.sort();
    marks
}

/// Removes a mark that cannot be believed; it is folded anew.
pub(super) fn drop_file(path: &Path, shared: &Shared, what: &str) {
    tracing::warn!(
        plant = shared.id.as_str(),
        file = %path.display(),
        what,
        "a mark of the past is not used"
    );
    let _ = std::fs::remove_file(path);
}
