//! Which of several sources has the say about an aspect: the first by authority that is there.

use super::MachineTwin;
use crate::machine::MachineState;
use crate::slot::{Rank, Slot};
use crate::symbol::Symbol;
use crate::value::SlotValue;
use std::cmp::Ordering;
use werkbuch_model::event::{AspectKind, Connection};
use werkbuch_model::time::Timestamp;

/// The slot that moves the state for one aspect.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pick<'t> {
    pub(super) item: &'t str,
    pub(super) sub: &'t str,
    pub(super) slot: &'t Slot,
    machine: &'t MachineState,
}

impl<'t> Pick<'t> {
    /// What the slot says.
    pub(super) fn value(&self) -> Option<SlotValue<'t>> {
        self.machine.value(self.slot)
    }

    pub(super) fn at(&self) -> Timestamp {
        self.slot.effective_at
    }
}

impl<'t> MachineTwin<'t> {
    /// The picks of a kind in the order of their texts.
    pub(super) fn picks(&self, kind: AspectKind) -> Vec<Pick<'t>> {
        let slots = self.slots();
        let from = slots.partition_point(|slot| slot.key.kind < kind);
        let to = slots.partition_point(|slot| slot.key.kind <= kind);
        let mut picks: Vec<Pick<'t>> = slots
            .get(from..to)
            .unwrap_or_default()
            .chunk_by(|a, b| aspect(a) == aspect(b))
            .filter_map(|ranks| self.pick(ranks))
            .collect();
        picks.sort_by_key(|pick| (pick.item, pick.sub));
        picks
    }

    /// The slots of the kinds from `first` to `last` as one source tells of each item: where several
    /// events are about one thing (an alarm's raise and clear, the codes of a condition), its life is
    /// not put together from two sources. In the order of their texts.
    pub(super) fn voices(&self, first: AspectKind, last: AspectKind) -> Vec<Pick<'t>> {
        let slots = self.slots();
        let from = slots.partition_point(|slot| slot.key.kind < first);
        let to = slots.partition_point(|slot| slot.key.kind <= last);
        let mut things: Vec<&'t Slot> = slots.get(from..to).unwrap_or_default().iter().collect();
        // The order of kinds within one thing stays.
        things.sort_by_key(|slot| slot.key.item);
        let mut picks = Vec::with_capacity(things.len());
        for thing in things.chunk_by(|a, b| a.key.item == b.key.item) {
            let rank = self.voice(thing);
            let told = thing.iter().filter(|slot| Some(slot.key.rank) == rank);
            picks.extend(told.filter_map(|slot| self.pick_of(slot)));
        }
        picks.sort_by_key(|pick| (pick.item, pick.sub));
        picks
    }

    /// The first listed rank of which a source is not known to be away, else the first.
    fn voice(&self, thing: &[&'t Slot]) -> Option<Rank> {
        let listed = thing.iter().filter(|slot| slot.key.rank < Rank::UNLISTED);
        let mut ranks = listed.clone().map(|slot| slot.key.rank);
        let one = ranks.next()?;
        if ranks.all(|rank| rank == one) {
            return Some(one);
        }
        let here = listed.clone().filter(|slot| !self.is_away(slot));
        let least = here.map(|slot| slot.key.rank).min();
        least.or_else(|| listed.map(|slot| slot.key.rank).min())
    }

    /// The pick of a kind of which there is one.
    pub(super) fn single(&self, kind: AspectKind) -> Option<Pick<'t>> {
        let slots = self.slots();
        let from = slots.partition_point(|slot| slot.key.kind < kind);
        let to = slots.partition_point(|slot| slot.key.kind <= kind);
        self.pick(slots.get(from..to)?)
    }

    /// Whether one event comes after another in plant time.
    pub(super) fn is_after(&self, a: &Slot, b: &Slot) -> bool {
        self.twin.sources.compare(&a.order(), &b.order()) == Ordering::Greater
    }

    /// The first rank whose source is not known to be away, else the first; never one not listed.
    fn pick(&self, ranks: &'t [Slot]) -> Option<Pick<'t>> {
        let mut listed = ranks.iter().filter(|slot| slot.key.rank < Rank::UNLISTED);
        let first = listed.next()?;
        let slot = if self.is_away(first) {
            listed.find(|slot| !self.is_away(slot)).unwrap_or(first)
        } else {
            first
        };
        self.pick_of(slot)
    }

    fn pick_of(&self, slot: &'t Slot) -> Option<Pick<'t>> {
        Some(Pick {
            item: self.twin.symbols.text(slot.key.item),
            sub: self.twin.symbols.text(slot.key.sub),
            slot,
            machine: self.state?,
        })
    }

    /// Whether the slot's own source said last, as far as it is kept, that the machine is offline.
    fn is_away(&self, slot: &Slot) -> bool {
        let name = |slot: &Slot| {
            self.twin
                .sources
                .get(slot.source)
                .map(|source| &source.name)
        };
        let own = name(slot);
        let connections = self.slots().iter().filter(|other| {
            other.key.kind == AspectKind::Connection
                && (other.source == slot.source || name(other) == own)
        });
        let last = connections.reduce(|a, b| if self.is_after(b, a) { b } else { a });
        matches!(
            last.and_then(|slot| self.state?.value(slot)),
            Some(SlotValue::Connection {
                to: Connection::Offline,
                ..
            })
        )
    }
}

fn aspect(slot: &Slot) -> (AspectKind, Symbol, Symbol) {
    (slot.key.kind, slot.key.item, slot.key.sub)
}
