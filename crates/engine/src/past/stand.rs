//! Reads the plant as it stood at a mark: its pages, and the events behind it, on several cores at once.

use super::Past;
use super::fold::{Plan, Stop};
use super::mark::{self, Head, State};
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

/// A piece of the reading.
enum Piece {
    Log(Result<Vec<StoredBlock>, EngineError>),
    /// Or the number of the mark in its row that is not what was written, and why.
    Page(Result<MachinePage, (usize, String)>),
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
        let states = self.states(row, only.map(page_of)).map_err(damaged)?;
        let rests: Vec<&[u8]> = states.iter().map(|state| &*state.rest).collect();
        let marked = described
            .marked(&rests)
            .map_err(|(at, error)| damaged((at, error.to_string())))?;
        if let Some(number) = only {
            let page = page(&marked, &states, page_of(number), (only, Spare::default()));
            let page = page.map_err(damaged)?;
            return Ok((marked.alone(number, page), None));
        }
        self.whole(shared, plan, marked, states)
            .map_err(|stop| match stop {
                Ok(error) => Stop::Error(error),
                Err(what) => damaged(what),
            })
    }

    /// The states of a row of marks. Errors: the number of the mark that is not what was written.
    fn states(&self, row: &[Arc<Head>], page: Option<u32>) -> Result<Vec<State>, (usize, String)> {
        let states = row.iter().enumerate().map(|(at, head)| {
            let state = mark::state(&self.folder, head, page);
            state.map_err(|what| (at, what))
        });
        states.collect()
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
        let pieces = aside::shared(numbers.len() + usize::from(ahead), move |piece| match piece
            .checked_sub(usize::from(ahead))
        {
            None => Piece::Log(blocks(&*store, &id, (from, through))),
            Some(at) => {
                let number = numbers.get(at).copied().unwrap_or_default();
                Piece::Page(page(&own, &states, number, (None, recent.spare())))
            }
        });
        let (mut log, mut pages) = (None, Vec::new());
        for piece in pieces.map_err(Ok)? {
            match piece {
                Piece::Log(blocks) => log = Some(blocks.map_err(Ok)?),
                Piece::Page(page) => pages.push(page.map_err(Err)?),
            }
        }
        Ok((marked.with_machines(pages), log))
    }
}

/// A page out of the states of a row of marks.
fn page(
    marked: &Marked,
    states: &[State],
    number: u32,
    (only, spare): (Option<MachineNumber>, Spare),
) -> Result<MachinePage, (usize, String)> {
    let pages = states.iter().enumerate();
    let pages = pages.map(|(at, state)| state.page(number).map_err(|what| (at, what)));
    let pages: Vec<_> = pages.collect::<Result<_, _>>()?;
    let page = marked.page(&pages, only, spare);
    page.map_err(|(at, error)| (at, error.to_string()))
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
