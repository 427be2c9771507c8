//! Answers with the plant as it was: a mark, one interval, and what came late.

use super::fill::drop_file;
use super::interval::{Described, Lates, lates, span};
use super::mark::{self, Head};
use super::stand::Ahead;
use super::{DESCRIPTIONS_KEPT, Past, State, Validity};
use crate::error::EngineError;
use crate::plant::Shared;
use crate::recover::fold_error;
use std::path::Path;
use std::sync::{Arc, PoisonError};
use werkbuch_journal::{StoreError, StoredBlock};
use werkbuch_model::event::Recorded;
use werkbuch_model::id::{MachineNumber, Position, SourceNumber};
use werkbuch_model::time::Timestamp;
use werkbuch_record::{decode_recorded, outline};
use werkbuch_twin::Twin;

/// A plant as it was, and what it took to fold it.
#[derive(Debug)]
pub(crate) struct PastTwin {
    pub(crate) twin: Twin,
    /// The mark that the fold began with; 0 for the beginning of the log.
    pub(crate) mark: Position,
    /// How many events came late: they are of the time asked about or of before, and were recorded after
    /// the first event beyond it. It follows from the log alone.
    pub(crate) late: u64,
}

/// Counts what came late.
#[derive(Debug)]
pub(crate) struct LateCount {
    limit: Timestamp,
    beyond: bool,
    count: u64,
}

impl LateCount {
    pub(crate) fn new(at: Option<Timestamp>) -> Self {
        Self {
            limit: at.unwrap_or(Timestamp::MAX),
            beyond: false,
            count: 0,
        }
    }

    /// Takes the next event in the order of the log; events of before the first one beyond the limit and
    /// such as lie beyond it may be left out.
    pub(crate) fn take(&mut self, event: &Recorded<'_>) {
        if !event.is_reported() {
            return;
        }
        self.take_span(span(event));
    }

    /// The same of an event that was reported, by the least and the greatest plant time that it changes.
    fn take_span(&mut self, (reach, top): (Timestamp, Timestamp)) {
        self.count += u64::from(self.beyond && reach <= self.limit);
        self.beyond |= top > self.limit;
    }

    pub(crate) fn count(&self) -> u64 {
        self.count
    }
}

/// What a question needs.
pub(super) struct Plan {
    /// The marks to begin with, a whole one first; none for the beginning of the log.
    pub(super) marks: Vec<Arc<Head>>,
    /// All events behind the mark are folded up to here.
    pub(super) through: Position,
    /// What is added from what follows.
    pub(super) later: Vec<Later>,
    described: Vec<Described>,
    sources: SourceNumber,
}

/// What came late in intervals that follow, and where it is to be had.
#[derive(Clone)]
pub(super) enum Later {
    /// These events.
    Events(Arc<Lates>),
    /// Those in the file of this mark that reach no further than the interval before.
    Near(Arc<Head>),
    /// Those of these marks that reach further.
    Far(Vec<Arc<Head>>),
    /// Whatever matters of these positions in the log.
    Log(Position, Position),
}

/// What came late, once it is read.
#[derive(Debug)]
pub(super) enum Late {
    Events(Arc<Lates>),
    Near(Vec<u8>),
    Far(mark::Far),
    /// Whatever matters of these positions in the log.
    Log(Position, Position),
}

impl Later {
    /// Reads it, but for what is in the log. Errors: a mark is not what was written.
    pub(super) fn read(&self, folder: &Path) -> Result<Late, Stop> {
        Ok(match self {
            Self::Events(late) => Late::Events(Arc::clone(late)),
            Self::Near(head) => {
                let near = mark::near(folder, head);
                Late::Near(near.map_err(|what| Stop::Mark(Arc::clone(head), what))?)
            }
            Self::Far(heads) => {
                let far = mark::far(folder, heads);
                Late::Far(far.map_err(|(head, what)| Stop::Mark(head, what))?)
            }
            Self::Log(from, to) => Late::Log(*from, *to),
        })
    }
}

/// Why a fold ends.
pub(super) enum Stop {
    /// A mark is not what was written, so that it is done without; or its interval was divided meanwhile.
    Mark(Arc<Head>, String),
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
        self.of(shared, (bound, at), &|_| None)
    }

    /// The same with one machine alone, which `pick` chooses by the description that held: a twin that is
    /// read and folded in a fraction of the time, see [`Marked::alone`]. Of a plant without marks up to
    /// there, or where `pick` chooses none, it is the whole twin. Blocking.
    /// Errors: those of the log and of the fold.
    ///
    /// [`Marked::alone`]: werkbuch_twin::Marked::alone
    pub(crate) fn of(
        &self,
        shared: &Shared,
        (bound, at): (Position, Option<Timestamp>),
        pick: &dyn Fn(&Twin) -> Option<MachineNumber>,
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
                return shared.fold(bound, at);
            };
            let described = self.described(shared, &plan.described, at)?;
            let only = pick(&described).filter(|_| !plan.marks.is_empty());
            let folded = match self.stand(shared, &described, &plan, only) {
                Ok((twin, ahead)) => {
                    let folding = Folding::new(shared, twin, plan.begin(), (bound, at));
                    folding.run(&plan, ahead).map_err(Stop::Error)
                }
                Err(stop) => Err(stop),
            };
            match folded {
                Ok(found) => return Ok(found),
                Err(Stop::Error(error)) => return Err(error),
                Err(Stop::Mark(head, what)) => {
                    let mut state = self.state();
                    if state.has(&head) {
                        drop_file(&mark::path(&self.folder, head.position()), shared, &what);
                        state.settle(head.position(), None);
                    }
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

impl Plan {
    /// The position of the mark to begin with; 0 for the beginning of the log.
    pub(super) fn begin(&self) -> Position {
        let last = self.marks.last();
        last.map_or(Position(0), |head| head.position())
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
        let behind = self.ended.iter().skip(begun + 1);
        for ended in behind.filter(|ended| ended.reach <= limit) {
            let head = &ended.head;
            if head.after() >= bound {
                break;
            }
            let near = limit > head.before();
            if !near && head.far_reach() > limit {
                continue;
            }
            match &ended.late {
                _ if !head.has_late => {
                    later.push(Later::Log(head.after().next(), head.position().min(bound)));
                }
                Some(late) => later.push(Later::Events(Arc::clone(late))),
                None => {
                    if near {
                        later.push(Later::Near(Arc::clone(head)));
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
    late: LateCount,
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
                late: 0,
            },
            late: LateCount::new(at),
            bound,
            at,
        }
    }

    fn run(mut self, plan: &Plan, ahead: Ahead) -> Result<PastTwin, EngineError> {
        let live_end = {
            let live = self.shared.twin.read();
            let live = live.unwrap_or_else(PoisonError::into_inner);
            let sources = plan.sources;
            self.found
                .twin
                .know_sources(&live, |number| number <= sources);
            (live.position(), live.last_recorded_at())
        };
        let from = self.found.mark.next();
        match ahead.log {
            Some(blocks) => self.fold_blocks(blocks.into_iter().map(Ok), (from, plan.through))?,
            None => self.read(from, plan.through)?,
        }
        for late in ahead.late {
            self.add(late)?;
        }
        self.found.late = self.late.count();
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

    fn add(&mut self, late: Late) -> Result<(), EngineError> {
        match late {
            Late::Log(from, to) => self.read(from, to)?,
            Late::Events(late) => {
                self.fold_late(&late.near.bytes)?;
                self.fold_late(&late.far.bytes)?;
            }
            Late::Near(near) => self.fold_late(&near)?,
            Late::Far(far) => far.each().try_for_each(|far| self.fold_late(far))?,
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
            self.fold(position, bytes)?;
        }
        Ok(())
    }

    /// Folds the events from one position to another; those beyond the bound in plant time are left
    /// out by the twin itself.
    fn read(&mut self, from: Position, to: Position) -> Result<(), EngineError> {
        if from > to {
            return Ok(());
        }
        let blocks = self.shared.store.read(&self.shared.id, from)?;
        self.fold_blocks(blocks, (from, to))
    }

    fn fold_blocks(
        &mut self,
        blocks: impl Iterator<Item = Result<StoredBlock, StoreError>>,
        (from, to): (Position, Position),
    ) -> Result<(), EngineError> {
        if from > to {
            return Ok(());
        }
        for block in blocks {
            for (position, bytes) in block?.events() {
                self.fold(position, bytes)?;
                if position >= to {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn fold(&mut self, position: Position, bytes: &[u8]) -> Result<(), EngineError> {
        let shared = self.shared;
        let failed = |error: &_| fold_error(&shared.id, position, error);
        // Of what other machines did the outline is enough for one alone.
        if self.found.twin.is_alone()
            && let Some(event) = outline(bytes)
            && self
                .found
                .twin
                .pass(&event)
                .map_err(|error| failed(&error))?
        {
            self.last = (position, Some(event.recorded_at));
            self.late
                .take_span((event.effective_at, event.effective_at));
            return Ok(());
        }
        let event = decode_recorded(bytes).map_err(|error| EngineError::FormatNewer {
            plant: shared.id.clone(),
            cause: format!("event {position}: {error}"),
        })?;
        self.last = (position, Some(event.recorded_at));
        self.late.take(&event);
        let folded = self.found.twin.apply_apart(&event);
        folded.map_err(|error| failed(&error))
    }
}
