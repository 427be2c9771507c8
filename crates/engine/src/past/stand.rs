//! Reads the plant as it stood at a mark: its pages, and the events behind it, on several cores at once.

use super::Past;
use super::fold::{Plan, Stop};
use super::mark::{self, Pages, State};
use crate::aside;
use crate::error::EngineError;
use crate::plant::Shared;
use std::collections::BTreeSet;
use std::sync::Arc;
use werkbuch_journal::{Store, StoredBlock};
use werkbuch_model::id::{MachineNumber, PlantId, Position};
use werkbuch_twin::{MachinePage, Marked, Spare, Twin, page_of};

/// Up to so many events are read beside the pages; where marks are missing they are too many to be held.
const AHEAD_MAX: u64 = 16_384;

/// So many pages are read at once: some 200 KB of a whole mark.
const PIECE_PAGES: usize = 4;

/// A piece of the reading.
enum Piece {
    Log(Result<Vec<StoredBlock>, EngineError>),
    /// Or the number of the mark in its row that is not what was written, and why.
    Pages(Result<Vec<MachinePage>, (usize, String)>),
}

impl Past {
    /// The state of the last of a plan's marks under a description, and the events behind it where
    /// they were read beside it. With `only` it is the state of one machine alone.
    pub(super) fn stand(
        &self,
        shared: &Shared,
        described: &Twin,
        plan: &Plan,
        only: Option<MachineNumber>,
    ) -> Result<(Twin, Option<Vec<StoredBlock>>), Stop> {
        let row = &plan.marks;
        if row.is_empty() {
            return Ok((described.clone(), None));
        }
        let damaged = |(at, what): (usize, String)| match row.get(at) {
            Some(head) => Stop::Mark(Arc::clone(head), what),
            None => Stop::Error(EngineError::internal("a mark of no row")),
        };
        let states = mark::states(&self.folder, row, only.map(page_of)).map_err(damaged)?;
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
            return Ok((marked.alone(number, page), None));
        }
        self.whole(shared, plan, marked, states)
            .map_err(|stop| match stop {
                Ok(error) => Stop::Error(error),
                Err(what) => damaged(what),
            })
    }

    #[allow(clippy::type_complexity)]
    fn whole(
        &self,
        shared: &Shared,
        plan: &Plan,
        marked: Marked,
        states: Vec<State>,
    ) -> Result<(Twin, Option<Vec<StoredBlock>>), Result<EngineError, (usize, String)>> {
        let numbers: BTreeSet<u32> = states.iter().flat_map(State::numbers).collect();
        let numbers: Vec<u32> = numbers.into_iter().collect();
        let from = plan.begin().next();
        let through = plan.through;
        let ahead = from <= through && through.get() - from.get() <= AHEAD_MAX;
        let (store, id) = (Arc::clone(&shared.store), shared.id.clone());
        let marked = Arc::new(marked);
        let own = Arc::clone(&marked);
        let recent = Arc::clone(&shared.recent);
        // The log comes first: it is the largest piece.
        let count = numbers.len().div_ceil(PIECE_PAGES) + usize::from(ahead);
        let pieces = aside::shared(count, move |piece| {
            match piece.checked_sub(usize::from(ahead)) {
                None => Piece::Log(blocks(&*store, &id, (from, through))),
                Some(at) => {
                    let numbers = numbers.chunks(PIECE_PAGES).nth(at).unwrap_or_default();
                    Piece::Pages(pages(&own, &states, numbers, (None, &|| recent.spare())))
                }
            }
        });
        let (mut log, mut machines) = (None, Vec::new());
        for piece in pieces.map_err(Ok)? {
            match piece {
                Piece::Log(blocks) => log = Some(blocks.map_err(Ok)?),
                Piece::Pages(pages) => machines.extend(pages.map_err(Err)?),
            }
        }
        Ok((marked.with_machines(machines), log))
    }
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

/// The blocks that hold the events from one position to another.
fn blocks(
    store: &dyn Store,
    plant: &PlantId,
    (from, through): (Position, Position),
) -> Result<Vec<StoredBlock>, EngineError> {
    let mut all = Vec::new();
    for block in store.read(plant, from)? {
        let block = block?;
        let last = block.header.last();
        all.push(block);
        if last >= through {
            break;
        }
    }
    Ok(all)
}
