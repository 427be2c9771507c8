//! The past of a plant, kept so that any instant of it is a short fold away.
//!
//! Every so many events a *mark* keeps the state of the plant in a file. Between two marks lies an
//! *interval*; for each it is known how far back in plant time its events reach, and those that reach
//! behind the interval are kept with the mark that ends it. A question begins with the newest mark of
//! which everything lies before the instant, folds one interval, and adds what came late in those
//! that follow. Where more was reported than marks could be written for, intervals are long; they are
//! divided when there is time. All of it can be deleted: it is folded from the log again.

mod begin;
mod divide;
mod fill;
mod fold;
mod interval;
mod keep;
mod mark;
mod recent;
mod row;
mod stand;
mod stretch;

use crate::snapshots;
use interval::{Described, Interval, Lates};
use mark::Head;
use row::Row;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use werkbuch_model::id::{LogId, PlantId, Position, SourceNumber};
use werkbuch_model::time::Timestamp;
use werkbuch_twin::Twin;

pub(crate) use fold::{LateCount, PastTwin};
pub(crate) use keep::{Taking, keep};
pub(crate) use recent::Recent;
pub(crate) use stretch::Stretch;

/// The descriptions of the past that are kept in memory, for each plant.
const DESCRIPTIONS_KEPT: usize = 16;

/// A mark holds what changed since an earlier one; after so many events one is whole again.
const WHOLE_EVERY: u64 = 32_768;
/// A row has at most so many marks, the whole one with them.
const ROW_MAX: u64 = 16;

/// The marks of a plant's past.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// How many there are.
    pub count: u64,
    /// How many bytes their files have.
    pub bytes: u64,
    /// How many of them lie so far behind the one before that more are put between when there is time.
    pub long: u64,
}

/// What a plant keeps of its past.
#[derive(Debug)]
pub(crate) struct Past {
    folder: PathBuf,
    /// Events between two marks; absent where none are kept.
    every: Option<u64>,
    /// So many marks of a row, the first of which is whole.
    row_max: u32,
    state: Mutex<State>,
    /// Descriptions as they held, by what of the log and of plant time decides about them.
    descriptions: Mutex<Vec<(Validity, Arc<Twin>)>>,
    /// Who writes a mark holds it: what came late far behind stands in one file for all of them.
    pen: Mutex<()>,
    /// Who divides an interval holds it.
    dividing: Mutex<()>,
}

/// Which changes of the description hold: of the first `changes` of the log those whose time has
/// come, when there is a bound in plant time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Validity {
    changes: usize,
    due: Option<usize>,
}

/// The intervals of the log, from its first event on.
#[derive(Debug)]
struct State {
    /// Those that have ended, in order and without a hole.
    ended: Vec<Ended>,
    open: Interval,
    /// Whether the open interval has everything up to `applied`; before that the log is gone through.
    complete: bool,
    /// The last position that the plant's loop has applied.
    applied: Position,
    /// Where those end that are to be divided, because they have so many events or more.
    long: BTreeSet<Position>,
    long_from: u64,
    /// The changes of the description in the intervals that have ended.
    described: Vec<Described>,
    /// Where sources were opened in them; their numbers grow with the position.
    opened: Vec<(Position, SourceNumber)>,
    /// Whether a mark is being written.
    writing: bool,
    /// The row of the last mark that was written.
    row: Row,
    /// Whether the plant closes, so that nothing is gone through any more.
    closed: bool,
}

/// An interval that has ended.
#[derive(Clone, Debug)]
struct Ended {
    head: Arc<Head>,
    /// How far back its events reach, as its head says: of a long log all are gone through for this.
    reach: Timestamp,
    /// Whether its file is there, with the state at its end and what came late.
    kept: bool,
    /// What came late, until the file is there.
    late: Option<Arc<Lates>>,
}

impl Past {
    /// The past of a plant whose loop has applied everything up to a position. With 0 for `every` no
    /// marks are kept, and each question folds the log from its first event.
    pub(crate) fn new(data: &Path, plant: &PlantId, every: u64, applied: Position) -> Self {
        let open = Interval::first();
        Self {
            folder: snapshots::folder(data, plant).join("past"),
            every: (every > 0).then_some(every),
            row_max: u32::try_from((WHOLE_EVERY / every.max(1)).clamp(2, ROW_MAX)).unwrap_or(2),
            state: Mutex::new(State {
                complete: applied.get() == 0,
                ended: Vec::new(),
                open,
                applied,
                long: BTreeSet::new(),
                long_from: every.saturating_add(every.div_ceil(2)).max(2),
                described: Vec::new(),
                opened: Vec::new(),
                writing: false,
                row: Row::default(),
                closed: false,
            }),
            descriptions: Mutex::default(),
            pen: Mutex::default(),
            dividing: Mutex::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The marks that there are. For people.
    pub(crate) fn marks(&self) -> Marks {
        let state = self.state();
        let mut marks = Marks::default();
        for ended in state.ended.iter().filter(|ended| ended.kept) {
            marks.count += 1;
            marks.bytes += ended.head.bytes();
        }
        marks.long = state.long.len() as u64;
        marks
    }
}

impl Ended {
    /// An interval whose file is there.
    fn kept(head: Head) -> Self {
        Self {
            reach: head.reach(),
            head: Arc::new(head),
            kept: true,
            late: None,
        }
    }
}

impl State {
    /// The changes of the description up to a position.
    fn described_by(&self, bound: Position) -> Vec<Described> {
        let all = self.described.iter().chain(&self.open.described);
        let known = all.take_while(|change| change.position <= bound.get());
        known.copied().collect()
    }

    /// The last source opened up to a position; they are numbered in that order.
    fn sources_by(&self, bound: Position) -> SourceNumber {
        let known = |opened: &&(Position, SourceNumber)| opened.0 <= bound;
        let open = self.open.opened.iter().rfind(known);
        let ended = self.opened.partition_point(|(at, _)| *at <= bound);
        let ended = ended.checked_sub(1).and_then(|last| self.opened.get(last));
        open.or(ended)
            .map_or(SourceNumber(0), |(_, number)| *number)
    }

    /// The marks that the one of an interval is read with, a whole one first and it last, where all of them
    /// are there.
    fn marks_to(&self, number: usize) -> Option<Vec<Arc<Head>>> {
        let mut marks = Vec::new();
        let mut next = self.ended.get(number);
        while let Some(ended) = next.filter(|ended| ended.kept) {
            marks.push(Arc::clone(&ended.head));
            let Some(since) = ended.head.since() else {
                marks.reverse();
                return Some(marks);
            };
            next = self.number_of(since).and_then(|at| self.ended.get(at));
        }
        None
    }

    /// Ends the open interval and answers it; the next one begins behind it. Its file is not there yet.
    fn end(&mut self, log_id: LogId) -> Interval {
        let next = self.open.next();
        let ended = std::mem::replace(&mut self.open, next);
        let late = ended.late.clone().map(Arc::new);
        self.push(Ended {
            kept: false,
            late,
            ..Ended::kept(Head::of(&ended, log_id))
        });
        ended
    }

    fn push(&mut self, ended: Ended) {
        let sources = ended.head.opened.iter();
        let sources = sources.map(|(at, number)| (Position(*at), SourceNumber(*number)));
        self.opened.extend(sources);
        self.described.extend_from_slice(&ended.head.described);
        self.ended.push(ended);
    }

    /// The number of the interval that a mark at a position ends.
    fn number_of(&self, position: Position) -> Option<usize> {
        let ended = &self.ended;
        let place = ended.binary_search_by_key(&position, |ended| ended.head.position());
        place.ok()
    }

    /// Whether an interval is still the one that a mark was read for.
    fn has(&self, head: &Arc<Head>) -> bool {
        let ended = self.number_of(head.position());
        let ended = ended.and_then(|number| self.ended.get(number));
        ended.is_some_and(|ended| ended.kept && ended.head == *head)
    }

    /// What became of the file of a mark: its head as it stands there, or nothing where it is not to
    /// be had. Then its interval is read from the log.
    fn settle(&mut self, position: Position, written: Option<Head>) {
        let number = self.number_of(position);
        let Some(ended) = number.and_then(|number| self.ended.get_mut(number)) else {
            return;
        };
        ended.late = None;
        ended.kept = written.is_some();
        match ended.kept && ended.head.len() >= self.long_from {
            true => self.long.insert(position),
            false => self.long.remove(&position),
        };
        ended.head = Arc::new(written.unwrap_or_else(|| {
            let mut head = Head::clone(&ended.head);
            head.has_late = false;
            head
        }));
    }
}
