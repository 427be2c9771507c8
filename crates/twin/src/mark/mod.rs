//! Marks: the state at a position in the least bytes that are read fast, to begin a fold of the past.
//!
//! A mark holds everything but the plant's description, which changes seldom and is folded apart.
//! Times and positions are kept as distances from those of the mark, since most are near. A mark is
//! whole, or it holds what changed since the one before: each slot knows which event gave it.
//!
//! Machines lie in pages by their numbers. A page is read from all marks of a row at once and apart
//! from all others: by several threads where the plant is wanted, or alone where one machine is.

mod alone;
mod marked;
mod near;
mod spare;

pub(crate) use alone::{Alone, Heard};
pub use marked::{MachinePage, Marked};
pub use spare::Spare;

use crate::machine::MachineState;
use crate::notes::Notes;
use crate::order::Source;
use crate::packed::Packer;
use crate::shards::PlantSlot;
use crate::snapshot::config;
use crate::window::Window;
use crate::{FOLD_VERSION, SnapshotError, Twin};
use near::Near;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use werkbuch_model::id::{MachineNumber, Position};

/// The layout of a mark. It changes with every change of what is written.
const LAYOUT: u64 = 3;

/// Machines whose numbers are alike but for the rest of a division by this lie in one page.
const PAGE_MACHINES: u32 = 64;

/// A mark as it is written down.
#[derive(Clone, Debug, Default)]
pub struct Mark {
    /// Everything but the machines.
    pub rest: Vec<u8>,
    /// The machines, page after page.
    pub machines: Vec<u8>,
    /// The pages that are there, in the order of their numbers.
    pub pages: Vec<Page>,
}

/// A page of a mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// Its number, see [`page_of`].
    pub number: u32,
    /// How many bytes it has.
    pub length: usize,
}

/// What a mark is, so that the next one need not be whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarkBase {
    position: Position,
    texts: usize,
    cleared: u32,
    sources: usize,
}

/// What a mark holds beside the machines. Of lists it holds what is new or was changed since the mark
/// before, if it is not whole.
#[derive(Serialize, Deserialize)]
struct Rest {
    sources: Vec<Source>,
    texts: Vec<Box<str>>,
    symbols_used: usize,
    cleared: u32,
    slots: Vec<PlantSlot>,
    window: Window,
    notes: Notes,
    /// Of which machines something was reported; all of them in each mark, see [`Heard::runs`].
    heard: Vec<u32>,
}

impl Twin {
    /// What the next mark may be written as the change of, if this twin is written down now.
    #[must_use]
    pub fn mark_base(&self) -> MarkBase {
        MarkBase {
            position: self.position,
            texts: self.symbols.len(),
            cleared: self.cleared,
            sources: self.sources.all().len(),
        }
    }

    /// Whether a mark can hold no more than what changed since that one: no correction may lie between,
    /// which the caller knows.
    #[must_use]
    pub fn follows(&self, base: &MarkBase) -> bool {
        self.cleared == base.cleared && self.position >= base.position
    }

    /// Whether another twin holds the same and writes it down with the same numbers of texts and sources, so
    /// that a mark which follows one of them follows the other.
    #[must_use]
    pub fn is_alike(&self, other: &Self) -> bool {
        self.mark_base() == other.mark_base()
            && self.symbols_used == other.symbols_used
            && self.symbols.from(0) == other.symbols.from(0)
            && self.digest() == other.digest()
    }

    /// Writes the state down, without the plant's description: all of it, or what changed since a mark
    /// that it follows. Whoever keeps it guards it with checksums.
    ///
    /// # Errors
    ///
    /// [`SnapshotError::Coding`] when it cannot be encoded.
    pub fn to_mark(&self, since: Option<&MarkBase>) -> Result<Mark, SnapshotError> {
        let known = since.map_or(Position(0), |base| base.position);
        let (texts, known_sources) = since.map_or((1, 0), |base| (base.texts, base.sources));
        let sources = self.sources.all().iter().enumerate();
        let sources = sources.filter(|(at, source)| {
            since.is_none() || *at >= known_sources || source.last_position > known
        });
        let heard = self.machines.iter();
        let heard = heard.filter(|machine| machine.last_event_at.is_some());
        let rest = Rest {
            sources: sources.map(|(_, source)| source.clone()).collect(),
            texts: self.symbols.from(texts).to_vec(),
            symbols_used: self.symbols_used,
            cleared: self.cleared,
            slots: self.shards.since(known),
            window: self.window,
            notes: self.notes.clone(),
            heard: Heard::of(heard.map(|machine| machine.number)).runs(),
        };
        let near = Near::of(self);
        let mut mark = Mark::default();
        let mut to = Packer(&mut mark.rest);
        for number in [LAYOUT, u64::from(FOLD_VERSION), self.position.get()] {
            to.number(number);
        }
        to.fixed(near.at.cast_unsigned());
        let rest = bincode::serde::encode_to_vec(rest, config())
            .map_err(|error| SnapshotError::Coding(error.to_string()))?;
        to.raw(&rest);
        let changed =
            |machine: &&Arc<MachineState>| since.is_none() || machine.last_position > known;
        let mut said = Vec::new();
        for machine in self.machines.iter().filter(changed) {
            let begin = mark.machines.len();
            let to = (&mut said, &mut mark.machines);
            near.put_machine(machine, (self.window, known), to);
            mark.count(page_of(machine.number), mark.machines.len() - begin);
        }
        Ok(mark)
    }
}

impl Mark {
    /// So many bytes more lie in the page that was begun last, or in a new one.
    fn count(&mut self, page: u32, length: usize) {
        match self.pages.last_mut() {
            Some(last) if last.number == page => last.length += length,
            _ => self.pages.push(Page {
                number: page,
                length,
            }),
        }
    }
}

/// The page that holds a machine.
#[must_use]
pub fn page_of(number: MachineNumber) -> u32 {
    number.get() / PAGE_MACHINES
}
