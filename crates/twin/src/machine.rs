//! What the twin keeps of one machine: its slots, in which the event latest in order holds.

use crate::coded;
use crate::content::Made;
use crate::order::Sources;
use crate::slot::{Slot, SlotKey};
use crate::value::SlotValue;
use crate::window::Window;
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use werkbuch_model::event::OrderKey;
use werkbuch_model::id::{MachineNumber, Position};
use werkbuch_model::time::Timestamp;

/// One machine: its slots in the order of their keys.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct MachineState {
    pub(crate) number: MachineNumber,
    /// The greatest effective time of what was reported of it, whatever was corrected since.
    #[serde(with = "coded::nanos_option")]
    pub(crate) last_event_at: Option<Timestamp>,
    pub(crate) first_position: Position,
    pub(crate) last_position: Position,
    pub(crate) slots: Vec<Slot>,
}

/// With more slots than this they are searched by halving.
const HALVED_FROM: usize = 32;

/// The place in order that a content asks for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Claim {
    pub(crate) order: OrderKey,
    pub(crate) place: Position,
    pub(crate) position: Position,
}

impl MachineState {
    pub(crate) const fn new(number: MachineNumber) -> Self {
        Self {
            number,
            last_event_at: None,
            first_position: Position(0),
            last_position: Position(0),
            slots: Vec::new(),
        }
    }

    /// Lets a content hold when it is later in order than what holds. The same place in order is
    /// the same event: then what the later position says holds.
    pub(crate) fn join(
        &mut self,
        key: SlotKey,
        claim: &Claim,
        (sources, window): (&Sources, Window),
        make: impl FnOnce(Option<&mut SlotValue>) -> Made,
    ) {
        let found = self.find(&key);
        if let Ok(at) = found
            && let Some(held) = self.slots.get_mut(at)
        {
            match sources.compare(&claim.order, &held.order()) {
                Ordering::Less => return,
                Ordering::Equal if claim.position < held.position => return,
                Ordering::Equal | Ordering::Greater => {}
            }
            match make(Some(&mut held.value)) {
                Made::New(value) => held.value = value,
                Made::InPlace => {}
                Made::Nothing => return,
            }
            held.source = claim.order.source;
            held.effective_at = claim.order.effective_at;
            held.sequence = claim.order.sequence;
            held.place = claim.place;
            held.position = claim.position;
            return;
        }
        let (Err(at), Made::New(value)) = (found, make(None)) else {
            return;
        };
        let slot = Slot {
            key,
            source: claim.order.source,
            effective_at: claim.order.effective_at,
            sequence: claim.order.sequence,
            place: claim.place,
            position: claim.position,
            value,
        };
        self.insert(at, slot, window);
    }

    fn insert(&mut self, mut at: usize, slot: Slot, window: Window) {
        // Machines have few slots and gain them seldom: doubling would waste their memory.
        if self.slots.len() == self.slots.capacity() {
            self.sweep(window);
            at = self.slots.partition_point(|held| held.key < slot.key);
        }
        if self.slots.len() == self.slots.capacity() {
            self.slots.reserve_exact(1 + self.slots.len() / 8);
        }
        self.slots.insert(at, slot);
    }

    /// The place of a key. Few slots are gone through from the front: a processor reads ahead of
    /// such a loop, while halving waits for memory at each step.
    fn find(&self, key: &SlotKey) -> Result<usize, usize> {
        if self.slots.len() > HALVED_FROM {
            return self.slots.binary_search_by(|slot| slot.key.cmp(key));
        }
        for (at, slot) in self.slots.iter().enumerate() {
            match slot.key.cmp(key) {
                Ordering::Less => {}
                Ordering::Equal => return Ok(at),
                Ordering::Greater => return Err(at),
            }
        }
        Err(self.slots.len())
    }

    /// Notes the position of an event about the machine.
    pub(crate) fn touched(&mut self, position: Position) {
        if self.first_position.get() == 0 {
            self.first_position = position;
        }
        self.last_position = position;
    }

    /// Notes when something was reported of it.
    pub(crate) fn heard(&mut self, effective_at: Timestamp) {
        self.last_event_at = self.last_event_at.max(Some(effective_at));
    }

    /// Takes an event from every slot that it holds.
    pub(crate) fn vacate(&mut self, place: Position) {
        self.slots.retain(|slot| slot.place != place);
    }

    /// Drops what is no longer in the window.
    pub(crate) fn sweep(&mut self, window: Window) {
        self.slots.retain(|slot| slot.is_in(window));
    }

    /// What holds, in the order of the keys.
    pub(crate) fn held(&self, window: Window) -> impl Iterator<Item = &Slot> {
        self.slots.iter().filter(move |slot| slot.is_in(window))
    }
}
