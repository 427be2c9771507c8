//! Answers with the plant as it was: a mark, one interval, and what came late.

use super::fill::{END_OF_TIME, drop_file};
use super::interval::{Described, Late};
use super::{DESCRIPTIONS_KEPT, Ended, Past, State, Validity, mark};
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
    /// The mark to begin with.
    base: Option<Position>,
    /// All events behind the mark are folded up to here.
    through: Position,
    /// What is added from what follows.
    later: Vec<Later>,
    described: Vec<Described>,
    sources: SourceNumber,
}

/// What came late in an interval.
enum Later {
    /// These events.
    Events(Arc<Vec<Late>>),
    /// Those in the file of this mark.
    File(Position),
    /// Whatever matters of these positions in the log.
    Log(Position, Position),
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
            let Some(position) = plan.base else {
                let begun = Twin::clone(&described);
                return Folding::new(shared, begun, Position(0), (bound, at)).run(plan);
            };
            let path = mark::path(&self.folder, position);
            let based = mark::state(&path).and_then(|state| {
                let twin = described.with_mark(&state);
                twin.map_err(|error| error.to_string())
            });
            match based {
                Ok(twin) => return Folding::new(shared, twin, position, (bound, at)).run(plan),
                Err(what) => {
                    drop_file(&path, shared, &what);
                    self.state().settle(position, None);
                }
            }
        }
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
        let limit = at.unwrap_or(END_OF_TIME);
        let known = self
            .ended
            .partition_point(|ended| ended.head.position() <= bound);
        let before = self
            .ended
            .partition_point(|ended| ended.head.top() <= limit);
        let begun = known.min(before);
        let base = self
            .ended
            .iter()
            .take(begun)
            .rfind(|ended| ended.kept)
            .map(|ended| ended.head.position());
        let through = match (at, self.ended.get(begun)) {
            (Some(_), Some(ended)) => ended.head.position().min(bound),
            _ => bound,
        };
        let mut later = Vec::new();
        if through < bound {
            let rest = self.ended.iter().skip(begun + 1);
            later.extend(rest.filter_map(|ended| ended.later(bound, limit)));
            if self.open.reach <= limit && self.open.after < bound {
                later.push(match &self.open.late {
                    Some(late) => Later::Events(Arc::new(relevant(late, bound, limit))),
                    None => Later::Log(self.open.after.next(), bound),
                });
            }
        }
        Plan {
            base,
            through,
            later,
            described: self.described_by(bound),
            sources: self.sources_by(bound),
        }
    }
}

impl Ended {
    /// What of it came late for a question, if anything did.
    fn later(&self, bound: Position, limit: Timestamp) -> Option<Later> {
        let head = &self.head;
        if head.reach() > limit || head.after() >= bound {
            return None;
        }
        Some(match &self.late {
            _ if !head.has_late => Later::Log(head.after().next(), head.position().min(bound)),
            Some(late) => Later::Events(Arc::clone(late)),
            None => Later::File(head.position()),
        })
    }
}

fn relevant(late: &[Late], bound: Position, limit: Timestamp) -> Vec<Late> {
    let matters = |late: &&Late| late.position <= bound.get() && late.reach <= limit.nanos();
    late.iter().filter(matters).cloned().collect()
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

    fn run(mut self, plan: Plan) -> Result<PastTwin, EngineError> {
        {
            let live = self.shared.twin.read();
            let live = live.unwrap_or_else(PoisonError::into_inner);
            let sources = plan.sources;
            self.found
                .twin
                .know_sources(&live, |number| number <= sources);
        }
        self.read(self.found.mark.next(), plan.through)?;
        for later in plan.later {
            let before = self.found.folded;
            self.add(later)?;
            self.found.late += self.found.folded - before;
        }
        if self.last.0 != self.bound {
            let last = self.shared.store.read(&self.shared.id, self.bound)?.next();
            if let Some((_, bytes)) = last.transpose()?.as_ref().and_then(|b| b.events().next()) {
                let event = decode_recorded(bytes)
                    .map_err(|error| EngineError::internal(format!("a stored event: {error}")))?;
                self.last = (event.position, Some(event.recorded_at));
            }
        }
        self.found.twin.reflect(self.bound, self.last.1);
        Ok(self.found)
    }

    fn add(&mut self, later: Later) -> Result<(), EngineError> {
        let late = match later {
            Later::Log(from, to) => return self.read(from, to),
            Later::Events(late) => late,
            Later::File(position) => {
                match mark::late(&mark::path(&self.shared.past.folder, position)) {
                    Ok(late) => Arc::new(late),
                    Err(what) => {
                        // The mark behind it ends where the interval does; both are read from the log.
                        let path = mark::path(&self.shared.past.folder, position);
                        drop_file(&path, self.shared, &what);
                        let after = {
                            let mut state = self.shared.past.state();
                            state.settle(position, None);
                            state.begin_of(position)
                        };
                        return self.read(after.next(), position.min(self.bound));
                    }
                }
            }
        };
        let limit = self.at.unwrap_or(END_OF_TIME).nanos();
        for late in late.iter() {
            if late.position > self.bound.get() || late.reach > limit {
                continue;
            }
            let event = decode_recorded(&late.bytes)
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
