//! What the twin keeps of one machine: its slots, in which the event latest in order holds.

use crate::coded;
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
        make: impl FnOnce() -> Option<SlotValue>,
    ) {
        let found = self.slots.binary_search_by(|slot| slot.key.cmp(&key));
        if let Ok(at) = found
            && let Some(held) = self.slots.get(at)
        {
            match sources.compare(&claim.order, &held.order()) {
                Ordering::Less => return,
                Ordering::Equal if claim.position < held.position => return,
                Ordering::Equal | Ordering::Greater => {}
            }
        }
        let Some(value) = make() else { return };
        let slot = Slot {
            key,
            source: claim.order.source,
            effective_at: claim.order.effective_at,
            sequence: claim.order.sequence,
            place: claim.place,
            position: claim.position,
            value,
        };
        match found {
            Ok(at) => {
                if let Some(held) = self.slots.get_mut(at) {
                    *held = slot;
                }
            }
            Err(at) => {
                // Machines have few slots and gain them seldom: doubling would waste their memory.
                let mut at = at;
                if self.slots.len() == self.slots.capacity() {
                    self.sweep(window);
                    at = self.slots.partition_point(|held| held.key < slot.key);
                }
                if self.slots.len() == self.slots.capacity() {
                    self.slots.reserve_exact(1 + self.slots.len() / 8);
                }
                self.slots.insert(at, slot);
            }
        }
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
