//! Reads a row of marks: the first is whole, each of the others holds what changed since the one before.

use super::near::Near;
use super::{Alone, Heard, LAYOUT, Rest, Spare};
use crate::machine::MachineState;
use crate::packed::Unpacker;
use crate::shards::Shards;
use crate::snapshot::config;
use crate::window::Window;
use crate::{FOLD_VERSION, SnapshotError, Twin};
use std::sync::Arc;
use werkbuch_model::id::{MachineNumber, Position};

/// A twin at the last of a row of marks whose machines are still to be read.
#[derive(Debug)]
pub struct Marked {
    twin: Twin,
    heard: Heard,
    rows: Vec<(Near, Window)>,
}

/// The machines of one page.
#[derive(Debug, Default)]
pub struct MachinePage(Vec<Arc<MachineState>>);

fn cut() -> SnapshotError {
    SnapshotError::Inconsistent("the mark is cut short")
}

impl Twin {
    /// This twin's plant and scope with what a row of marks holds beside the machines; the description
    /// stays. Its own state is forgotten. The caller vouches that what the marks hold lies within the
    /// scope.
    ///
    /// # Errors
    ///
    /// [`SnapshotError::OtherVersion`] for a mark of another fold or layout, else
    /// [`SnapshotError::Coding`] and [`SnapshotError::Inconsistent`] for bytes that
    /// [`Twin::to_mark`] did not write; with the number of the mark in the row.
    pub fn marked(&self, rests: &[&[u8]]) -> Result<Marked, (usize, SnapshotError)> {
        let mut twin = self.clone();
        twin.sources = Arc::default();
        twin.symbols = Arc::default();
        twin.machines = Vec::new();
        twin.shards = Shards::default();
        let mut marked = Marked {
            twin,
            heard: Heard::default(),
            rows: Vec::new(),
        };
        for (at, rest) in rests.iter().enumerate() {
            marked.take(rest).map_err(|error| (at, error))?;
        }
        Ok(marked)
    }

    /// Whether it holds one machine alone, see [`Marked::alone`].
    #[must_use]
    pub fn is_alone(&self) -> bool {
        self.alone.is_some()
    }

    /// Whether anything was reported of a machine.
    #[must_use]
    pub fn is_heard(&self, number: MachineNumber) -> bool {
        if let Some(alone) = self.alone.as_ref().filter(|alone| alone.number != number) {
            return alone.heard.has(number);
        }
        let machine = self.machine(number);
        machine.is_some_and(|machine| machine.last_event_at().is_some())
    }
}

impl Marked {
    fn take(&mut self, bytes: &[u8]) -> Result<(), SnapshotError> {
        let mut from = Unpacker(bytes);
        let mut header = || from.number().ok_or_else(cut);
        let (layout, fold, position) = (header()?, header()?, header()?);
        if (layout, fold) != (LAYOUT, u64::from(FOLD_VERSION)) {
            return Err(SnapshotError::OtherVersion {
                layout: u32::try_from(layout).unwrap_or(u32::MAX),
                fold: u32::try_from(fold).unwrap_or(u32::MAX),
                own_layout: u32::try_from(LAYOUT).unwrap_or(u32::MAX),
                own_fold: FOLD_VERSION,
            });
        }
        let at = from.fixed().ok_or_else(cut)?.cast_signed();
        let (rest, _): (Rest, usize) = bincode::serde::decode_from_slice(from.0, config())
            .map_err(|error| SnapshotError::Coding(error.to_string()))?;
        self.rows.push((Near { at, position }, rest.window));
        self.heard = Heard::of_runs(&rest.heard)
            .ok_or(SnapshotError::Inconsistent("it has machines without end"))?;
        let twin = &mut self.twin;
        twin.position = Position(position);
        let sources = Arc::make_mut(&mut twin.sources);
        for source in rest.sources {
            sources.put(source);
        }
        let symbols = Arc::make_mut(&mut twin.symbols);
        for text in &rest.texts {
            symbols.add(text);
        }
        twin.symbols_used = rest.symbols_used;
        twin.cleared = rest.cleared;
        twin.window = rest.window;
        twin.notes = rest.notes;
        for slot in rest.slots {
            twin.shards.put(slot, rest.window);
        }
        Ok(())
    }

    /// The machines of a page, as the marks of the row have it, in their order; a mark may be without it.
    /// With `only` all others of them are left out. They are read into the room of `spare`.
    ///
    /// # Errors
    ///
    /// [`SnapshotError::Inconsistent`] for bytes that [`Twin::to_mark`] did not write, with the number of
    /// the mark in the row.
    pub fn page(
        &self,
        pages: &[Option<&[u8]>],
        only: Option<MachineNumber>,
        mut spare: Spare,
    ) -> Result<MachinePage, (usize, SnapshotError)> {
        let mut machines = Vec::new();
        for (at, (row, page)) in self.rows.iter().zip(pages).enumerate() {
            let Some(page) = page else { continue };
            let mut from = Unpacker(page);
            while !from.0.is_empty() {
                let to = (&mut machines, &mut spare);
                take(row, to, &mut from, only).ok_or_else(|| (at, cut()))?;
            }
        }
        Ok(MachinePage(machines))
    }

    /// The twin with the machines of all pages, handed over in their order.
    #[must_use]
    pub fn with_machines(&self, pages: Vec<MachinePage>) -> Twin {
        let mut twin = self.twin.clone();
        let count = pages.iter().map(|page| page.0.len()).sum();
        twin.machines = Vec::with_capacity(count);
        for page in pages {
            twin.machines.extend(page.0);
        }
        twin.admit_machines();
        twin
    }

    /// The twin with one machine alone, out of its page. Of the others it is only known which were heard:
    /// what is folded behind it moves this machine and what the plant keeps beside its machines. It has
    /// no digest that could be compared.
    #[must_use]
    pub fn alone(&self, number: MachineNumber, page: MachinePage) -> Twin {
        let mut twin = self.twin.clone();
        twin.machines = page.0;
        twin.alone = Some(Box::new(Alone::new(number, self.heard.clone())));
        twin
    }
}

/// Takes the next machine of a page.
fn take(
    (near, window): &(Near, Window),
    (machines, spare): (&mut Vec<Arc<MachineState>>, &mut Spare),
    from: &mut Unpacker<'_>,
    only: Option<MachineNumber>,
) -> Option<()> {
    let number = MachineNumber(from.small()?);
    let mut said = Unpacker(from.bytes()?);
    if only.is_some_and(|only| only != number) {
        return Some(());
    }
    let place = match machines.last() {
        // In a whole mark each machine is the next.
        Some(last) if last.number < number => Err(machines.len()),
        None => Err(0),
        Some(_) => machines.binary_search_by_key(&number, |machine| machine.number),
    };
    let at = place.unwrap_or_else(|at| {
        machines.insert(at, spare.machine(number));
        at
    });
    let machine = Arc::get_mut(machines.get_mut(at)?)?;
    near.take_machine(machine, (place.is_ok(), *window), &mut said)
}
