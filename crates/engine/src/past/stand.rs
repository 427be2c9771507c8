//! Reads the plant as it stood at a mark: its pages, and the events behind it, on several cores at once.

use super::Past;
use super::fold::{Late, Later, Plan, Stop};
use super::mark::{self, Pages, State};
use crate::aside;
use crate::error::EngineError;
use crate::plant::Shared;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use werkbuch_journal::{Store, StoredBlock};
use werkbuch_model::id::{MachineNumber, PlantId, Position};
use werkbuch_twin::{MachinePage, Marked, Spare, Twin, page_of};

/// Up to so many events are read beside the pages; where marks are missing they are too many to be held.
const AHEAD_MAX: u64 = 16_384;

/// So many pages are read at once: some 200 KB of a whole mark.
const PIECE_PAGES: usize = 4;

/// What is read beside the plant as it stood at the mark.
#[derive(Debug, Default)]
pub(super) struct Ahead {
    /// The blocks of the log behind the mark, unless they are too many to be held.
    pub(super) log: Option<Vec<StoredBlock>>,
    /// What came late in intervals that follow, in their order.
    pub(super) late: Vec<Late>,
}

/// A piece of the first reading: what lies at places that are known.
enum First {
    Log(Result<Option<Vec<StoredBlock>>, EngineError>),
    Late(Result<Vec<Late>, Stop>),
    /// Or the number of the mark in its row that is not what was written, and why.
    Marks(Result<Vec<State>, (usize, String)>),
}

impl Past {
    /// The state of the last of a plan's marks under a description, and what follows it. With `only` it is
    /// the state of one machine alone.
    pub(super) fn stand(
        &self,
        shared: &Shared,
        described: &Twin,
        plan: &Plan,
        only: Option<MachineNumber>,
    ) -> Result<(Twin, Ahead), Stop> {
        let row = &plan.marks;
        if row.is_empty() {
            let late = late(&self.folder, &plan.later)?;
            return Ok((described.clone(), Ahead { log: None, late }));
        }
        let damaged = |(at, what): (usize, String)| match row.get(at) {
            Some(head) => Stop::Mark(Arc::clone(head), what),
            None => Stop::Error(EngineError::internal("a mark of no row")),
        };
        let (states, ahead) = self.first(shared, plan, only)?;
        let states = states.map_err(damaged)?;
        let rests: Vec<&[u8]> = states.iter().map(|state| &*state.rest).collect();
        let marked = described
            .marked(&rests)
            .map_err(|(at, error)| damaged((at, error.to_string())))?;
        if let Some(number) = only {
            let pages = pages(
                &marked,
                &states,
                &[page_of(number)],
                (only, &Spare::default),
            );
            let page = pages.map_err(damaged)?.pop().unwrap_or_default();
            return Ok((marked.alone(number, page), ahead));
        }
        let pages = self.pages(shared, Arc::new(marked), states);
        let twin = pages.map_err(|stop| match stop {
            Ok(error) => Stop::Error(error),
            Err(what) => damaged(what),
        })?;
        Ok((twin, ahead))
    }

    /// The log comes first: the disk brings what it was asked for first, and the marks are the most.
    #[allow(clippy::type_complexity)]
    fn first(
        &self,
        shared: &Shared,
        plan: &Plan,
        only: Option<MachineNumber>,
    ) -> Result<(Result<Vec<State>, (usize, String)>, Ahead), Stop> {
        let (from, through) = (plan.begin().next(), plan.through);
        let (store, id) = (Arc::clone(&shared.store), shared.id.clone());
        let (folder, row, later) = (self.folder.clone(), plan.marks.clone(), plan.later.clone());
        let count = if later.is_empty() { 2 } else { 3 };
        let pieces = aside::shared(count, move |piece| match piece {
            0 => First::Log(blocks(&*store, &id, (from, through))),
            1 => First::Marks(mark::states(&folder, &row, only.map(page_of))),
            _ => First::Late(late(&folder, &later)),
        });
        let (mut states, mut ahead) = (Ok(Vec::new()), Ahead::default());
        for piece in pieces? {
            match piece {
                First::Log(log) => ahead.log = log?,
                First::Late(late) => ahead.late = late?,
                First::Marks(read) => states = read,
            }
        }
        Ok((states, ahead))
    }

    /// The machines of all pages, on several cores at once.
    fn pages(
        &self,
        shared: &Shared,
        marked: Arc<Marked>,
        states: Vec<State>,
    ) -> Result<Twin, Result<EngineError, (usize, String)>> {
        let numbers: BTreeSet<u32> = states.iter().flat_map(State::numbers).collect();
        let numbers: Vec<u32> = numbers.into_iter().collect();
        let (own, recent) = (Arc::clone(&marked), Arc::clone(&shared.recent));
        let count = numbers.len().div_ceil(PIECE_PAGES);
        let read = aside::shared(count, move |piece| {
            let numbers = numbers.chunks(PIECE_PAGES).nth(piece).unwrap_or_default();
            pages(&own, &states, numbers, (None, &|| recent.spare()))
        });
        let mut machines = Vec::new();
        for pages in read.map_err(Ok)? {
            machines.extend(pages.map_err(Err)?);
        }
        Ok(marked.with_machines(machines))
    }
}

/// Reads what came late.
fn late(folder: &Path, later: &[Later]) -> Result<Vec<Late>, Stop> {
    later.iter().map(|later| later.read(folder)).collect()
}

/// Pages out of the states of a row of marks; their numbers grow.
fn pages(
    marked: &Marked,
    states: &[State],
    numbers: &[u32],
    (only, spare): (Option<MachineNumber>, &dyn Fn() -> Spare),
) -> Result<Vec<MachinePage>, (usize, String)> {
    let (Some(first), Some(last)) = (numbers.first(), numbers.last()) else {
        return Ok(Vec::new());
    };
    let read = states.iter().enumerate();
    let read = read.map(|(at, state)| state.pages(*first..=*last).map_err(|what| (at, what)));
    let read: Vec<Pages<'_>> = read.collect::<Result<_, _>>()?;
    let page = |number: &u32| {
        let pages = read.iter().enumerate();
        let pages = pages.map(|(at, pages)| pages.page(*number).map_err(|what| (at, what)));
        let pages: Vec<_> = pages.collect::<Result<_, _>>()?;
        let page = marked.page(&pages, only, spare());
        page.map_err(|(at, error)| (at, error.to_string()))
    };
    numbers.iter().map(page).collect()
}

/// The blocks that hold the events from one position to another, where they are not too many.
fn blocks(
    store: &dyn Store,
    plant: &PlantId,
    (from, through): (Position, Position),
) -> Result<Option<Vec<StoredBlock>>, EngineError> {
    if from > through || through.get() - from.get() > AHEAD_MAX {
        return Ok(None);
    }
    let mut all = Vec::new();
    for block in store.read(plant, from)? {
        let block = block?;
        let last = block.header.last();
        all.push(block);
        if last >= through {
            break;
        }
    }
    Ok(Some(all))
}
