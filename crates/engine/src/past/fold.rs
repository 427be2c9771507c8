//! Answers with the plant as it was: a mark, one interval, and what came late.

use super::fill::drop_file;
use super::interval::{Described, Lates, lates};
use super::mark::{self, Head};
use super::{DESCRIPTIONS_KEPT, Past, State, Validity};
use crate::error::EngineError;
use crate::plant::Shared;
use crate::recover::{each_event, fold_error};
use std::sync::{Arc, PoisonError};
use werkbuch_model::event::Recorded;
use werkbuch_model::id::{Position, SourceNumber};
use werkbuch_model::time::Timestamp;
use werkbuch_record::decode_recorded;
use werkbuch_twin::Twin;

/// A plant as it was, and what it took to fold it.
#[derive(Debug)]
pub(crate) struct PastTwin {
    pub(crate) twin: Twin,
    /// The mark that the fold began with; 0 for the beginning of the log.
    pub(crate) mark: Position,
    /// The events that were read behind it.
    pub(crate) folded: u64,
    /// Those of them that came late.
    pub(crate) late: u64,
}

/// What a question needs.
struct Plan {
    /// The marks to begin with, a whole one first; none for the beginning of the log.
    marks: Vec<Position>,
    /// All events behind the mark are folded up to here.
    through: Position,
    /// What is added from what follows.
    later: Vec<Later>,
    described: Vec<Described>,
    sources: SourceNumber,
}

/// What came late in intervals that follow.
enum Later {
    /// These events.
    Events(Arc<Lates>),
    /// Those in the file of this mark that reach no further than the interval before.
    Near(Position),
    /// Those of these marks that reach further.
    Far(Vec<Arc<Head>>),
    /// Whatever matters of these positions in the log.
    Log(Position, Position),
}

/// Why a fold ends.
enum Stop {
    /// A mark is not what was written, so that it is done without.
    Mark(Position, String),
    Error(EngineError),
}

impl From<EngineError> for Stop {
    fn from(error: EngineError) -> Self {
        Self::Error(error)
    }
}

impl Past {
    /// The plant as it was known up to `bound`, of what had happened by `at`. Blocking.
    /// Errors: those of the log and of the fold.
    pub(crate) fn twin(
        &self,
        shared: &Shared,
        bound: Position,
        at: Option<Timestamp>,
    ) -> Result<PastTwin, EngineError> {
        loop {
            let plan = {
                let state = self.state();
                // What the open interval does not have yet is not known to be late.
                let end = if state.complete {
                    state.applied
                } else {
                    state.open.after
                };
                (bound <= end).then(|| state.plan(bound, at))
            };
            let Some(plan) = plan else {
                let twin = shared.fold(bound, at)?;
                return Ok(PastTwin {
                    twin,
                    mark: Position(0),
                    folded: bound.get(),
                    late: 0,
                });
            };
            let described = self.described(shared, &plan.described, at)?;
            let folded = match self.begin(&described, &plan.marks) {
                Ok(twin) => {
                    let mark = plan.marks.last().copied().unwrap_or(Position(0));
                    Folding::new(shared, twin, mark, (bound, at)).run(plan)
                }
                Err(stop) => Err(stop),
            };
            match folded {
                Ok(found) => return Ok(found),
                Err(Stop::Error(error)) => return Err(error),
                Err(Stop::Mark(position, what)) => {
                    drop_file(&mark::path(&self.folder, position), shared, &what);
                    self.state().settle(position, None);
                }
            }
        }
    }

    /// The state of the last of some marks under a description.
    fn begin(&self, described: &Twin, marks: &[Position]) -> Result<Twin, Stop> {
        let mut twin: Option<Twin> = None;
        for position in marks {
            let damaged = |what| Stop::Mark(*position, what);
            let state = mark::state(&mark::path(&self.folder, *position)).map_err(damaged)?;
            let read = match &mut twin {
                Some(twin) => twin.advance(&state),
                None => described.with_mark(&state).map(|whole| twin = Some(whole)),
            };
            read.map_err(|error| damaged(error.to_string()))?;
        }
        Ok(twin.unwrap_or_else(|| described.clone()))
    }

    /// A twin with nothing but the description that held.
    fn described(
        &self,
        shared: &Shared,
        changes: &[Described],
        at: Option<Timestamp>,
    ) -> Result<Arc<Twin>, EngineError> {
        let due = |at: Timestamp| {
            changes
                .iter()
                .filter(move |change| change.from <= at.nanos())
        };
        let validity = Validity {
            changes: changes.len(),
            due: at.map(|at| due(at).count()),
        };
        let kept = || {
            self.descriptions
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        };
        let found = kept().iter().find(|(of, _)| *of == validity).cloned();
        let twin = match (found, at) {
            (Some((_, twin)), _) => twin,
            (None, at) => {
                let twin = Arc::new(describe(shared, changes, at)?);
                let mut kept = kept();
                if kept.len() >= DESCRIPTIONS_KEPT {
                    kept.remove(0);
                }
                kept.push((validity, Arc::clone(&twin)));
                twin
            }
        };
        match at {
            // The same changes hold, but the bound of the twin is that of the question.
            Some(at) if twin.scope().at != Some(at) => Ok(Arc::new(twin.bounded(at))),
            _ => Ok(twin),
        }
    }
}

impl State {
    fn plan(&self, bound: Position, at: Option<Timestamp>) -> Plan {
        let limit = at.unwrap_or(Timestamp::MAX);
        let known = self
            .ended
            .partition_point(|ended| ended.head.position() <= bound);
        let before = self
            .ended
            .partition_point(|ended| ended.head.top() <= limit);
        let begun = known.min(before);
        let marks = (0..begun).rev().find_map(|number| self.marks_to(number));
        let through = match (at, self.ended.get(begun)) {
            (Some(_), Some(ended)) => ended.head.position().min(bound),
            _ => bound,
        };
        let later = if through < bound {
            self.later(begun, bound, limit)
        } else {
            Vec::new()
        };
        Plan {
            marks: marks.unwrap_or_default(),
            through,
            later,
            described: self.described_by(bound),
            sources: self.sources_by(bound),
        }
    }

    /// What came late after the interval with this number, in the order of the log.
    fn later(&self, begun: usize, bound: Position, limit: Timestamp) -> Vec<Later> {
        let mut later = Vec::new();
        let rest = self.ended.iter().enumerate().skip(begun + 1);
        for (number, ended) in rest {
            let head = &ended.head;
            if head.after() >= bound {
                break;
            }
            let next = number == begun + 1;
            let reach = if next { head.reach() } else { head.far_reach() };
            if reach > limit {
                continue;
            }
            match &ended.late {
                _ if !head.has_late => {
                    later.push(Later::Log(head.after().next(), head.position().min(bound)));
                }
                Some(late) => later.push(Later::Events(Arc::clone(late))),
                None => {
                    if next {
                        later.push(Later::Near(head.position()));
                    }
                    match later.last_mut() {
                        Some(Later::Far(heads)) => heads.push(Arc::clone(head)),
                        _ => later.push(Later::Far(vec![Arc::clone(head)])),
                    }
                }
            }
        }
        let open = &self.open;
        if begun < self.ended.len() && open.reach <= limit && open.after < bound {
            later.push(match &open.late {
                Some(late) => Later::Events(Arc::new(late.clone())),
                None => Later::Log(open.after.next(), bound),
            });
        }
        later
    }
}

/// Folds nothing but the changes of the description.
fn describe(
    shared: &Shared,
    changes: &[Described],
    at: Option<Timestamp>,
) -> Result<Twin, EngineError> {
    let mut twin = Twin::scoped(shared.id.clone(), at);
    let mut changes = changes
        .iter()
        .map(|change| Position(change.position))
        .peekable();
    while let Some(from) = changes.peek().copied() {
        // One block is read for all that lie in it.
        let Some(block) = shared.store.read(&shared.id, from)?.next() else {
            return Err(EngineError::internal("a change of the description is gone"));
        };
        for (position, bytes) in block?.events() {
            if changes.next_if_eq(&position).is_none() {
                continue;
            }
            let event = decode_recorded(bytes)
                .map_err(|error| EngineError::internal(format!("a stored event: {error}")))?;
            twin.describe(&event)
                .map_err(|error| fold_error(&shared.id, position, &error))?;
        }
    }
    Ok(twin)
}

/// A fold on its way.
struct Folding<'s> {
    shared: &'s Shared,
    found: PastTwin,
    bound: Position,
    at: Option<Timestamp>,
    /// When the last event that was read was recorded, and its position.
    last: (Position, Option<Timestamp>),
}

impl<'s> Folding<'s> {
    fn new(
        shared: &'s Shared,
        twin: Twin,
        mark: Position,
        (bound, at): (Position, Option<Timestamp>),
    ) -> Self {
        Self {
            shared,
            last: (mark, twin.last_recorded_at()),
            found: PastTwin {
                twin,
                mark,
                folded: 0,
                late: 0,
            },
            bound,
            at,
        }
    }

    fn run(mut self, plan: Plan) -> Result<PastTwin, Stop> {
        let live_end = {
            let live = self.shared.twin.read();
            let live = live.unwrap_or_else(PoisonError::into_inner);
            let sources = plan.sources;
            self.found
                .twin
                .know_sources(&live, |number| number <= sources);
            (live.position(), live.last_recorded_at())
        };
        self.read(self.found.mark.next(), plan.through)?;
        for later in plan.later {
            let before = self.found.folded;
            self.add(later)?;
            self.found.late += self.found.folded - before;
        }
        if live_end.0 == self.bound {
            self.last = live_end;
        } else if self.last.0 != self.bound {
            let last = self.shared.store.read(&self.shared.id, self.bound);
            let last = last.map_err(EngineError::from)?.next();
            let last = last.transpose().map_err(EngineError::from)?;
            if let Some((_, bytes)) = last.as_ref().and_then(|b| b.events().next()) {
                let event = decode_recorded(bytes)
                    .map_err(|error| EngineError::internal(format!("a stored event: {error}")))?;
                self.last = (event.position, Some(event.recorded_at));
            }
        }
        self.found.twin.reflect(self.bound, self.last.1);
        Ok(self.found)
    }

    fn add(&mut self, later: Later) -> Result<(), Stop> {
        let folder = &self.shared.past.folder;
        match later {
            Later::Log(from, to) => self.read(from, to)?,
            Later::Events(late) => {
                self.fold_late(&late.near.bytes)?;
                self.fold_late(&late.far.bytes)?;
            }
            Later::Near(position) => {
                let near = mark::near(&mark::path(folder, position));
                self.fold_late(&near.map_err(|what| Stop::Mark(position, what))?)?;
            }
            Later::Far(heads) => {
                let far = mark::far(folder, &heads);
                for far in far.map_err(|(position, what)| Stop::Mark(position, what))? {
                    self.fold_late(&far)?;
                }
            }
        }
        Ok(())
    }

    /// Folds those of late events that matter.
    fn fold_late(&mut self, late: &[u8]) -> Result<(), EngineError> {
        let limit = self.at.unwrap_or(Timestamp::MAX);
        for (position, reach, bytes) in lates(late) {
            if position > self.bound || reach > limit {
                continue;
            }
            let event = decode_recorded(bytes)
                .map_err(|error| EngineError::internal(format!("a late event: {error}")))?;
            self.fold(&event)?;
        }
        Ok(())
    }

    /// Folds the events from one position to another; those beyond the bound in plant time are left
    /// out by the twin itself.
    fn read(&mut self, from: Position, to: Position) -> Result<(), EngineError> {
        if from > to {
            return Ok(());
        }
        let mut over = Ok(());
        let (store, id) = (&*self.shared.store, &self.shared.id);
        let walked = each_event(store, id, from, &mut |event, _| {
            if event.position > to {
                return Err(EngineError::internal("enough"));
            }
            self.last = (event.position, Some(event.recorded_at));
            over = self.fold(event);
            if over.is_err() || event.position == to {
                return Err(EngineError::internal("enough"));
            }
            Ok(())
        });
        over?;
        match walked {
            Err(error) if self.last.0 < to => Err(error),
            _ => Ok(()),
        }
    }

    fn fold(&mut self, event: &Recorded<'_>) -> Result<(), EngineError> {
        self.found.folded += 1;
        let folded = self.found.twin.apply_apart(event);
        folded.map_err(|error| fold_error(&self.shared.id, event.position, &error))
    }
}
