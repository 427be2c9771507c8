//! What the twin keeps of one machine: its slots, in which the event latest in order holds.

use crate::coded;
use crate::order::Sources;
use crate::packed::Packer;
use crate::slot::{Slot, SlotKey, Span};
use crate::symbol::Symbol;
use crate::value::SlotValue;
use crate::window::Window;
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use werkbuch_model::event::OrderKey;
use werkbuch_model::id::{MachineNumber, Position};
use werkbuch_model::time::Timestamp;

/// One machine: its slots in the order of their keys, and what they say in one piece of memory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct MachineState {
    pub(crate) number: MachineNumber,
    /// The greatest effective time of what was reported of it, whatever was corrected since.
    #[serde(with = "coded::nanos_option")]
    pub(crate) last_event_at: Option<Timestamp>,
    pub(crate) first_position: Position,
    pub(crate) last_position: Position,
    pub(crate) slots: Vec<Slot>,
    /// Written by [`SlotValue::pack`]; between what slots use lies what they no longer do.
    #[serde(with = "coded::bytes")]
    contents: Vec<u8>,
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
            contents: Vec::new(),
        }
    }

    /// Forgets all of it, and keeps the memory for another one.
    pub(crate) fn renew(&mut self, number: MachineNumber) {
        let (mut slots, mut contents) = (
            std::mem::take(&mut self.slots),
            std::mem::take(&mut self.contents),
        );
        slots.clear();
        contents.clear();
        *self = Self {
            slots,
            contents,
            ..Self::new(number)
        };
    }

    /// Room for so many slots, and what they say, which spans them without a gap.
    pub(crate) fn begin(&mut self, slots: usize, contents: &[u8]) {
        self.slots.reserve_exact(slots);
        self.contents.extend_from_slice(contents);
    }

    /// Puts a slot and what it says in the place of what has its key, which lies nowhere before `from`.
    /// Answers where the next one lies at the earliest.
    pub(crate) fn put(
        &mut self,
        mut slot: Slot,
        said: &[u8],
        (from, window): (usize, Window),
    ) -> usize {
        let at = match self.find_from(from, &slot.key) {
            Ok(at) => {
                if let Some(held) = self.slots.get_mut(at) {
                    slot.span = held.span;
                    *held = slot;
                }
                at
            }
            Err(at) => {
                slot.span = Span::default();
                self.insert(at, slot, window)
            }
        };
        self.say(at, said);
        at + 1
    }

    /// The bytes of what a slot says.
    pub(crate) fn content(&self, slot: &Slot) -> &[u8] {
        self.contents.get(slot.span.range()).unwrap_or_default()
    }

    /// What a slot says.
    pub(crate) fn value(&self, slot: &Slot) -> Option<SlotValue<'_>> {
        SlotValue::unpack(self.content(slot))
    }

    /// Lets a content hold when it is later in order than what holds. The same place in order is
    /// the same event: then what the later position says holds. `make` writes the content to `said`,
    /// when it is needed, or answers that there is none.
    pub(crate) fn join(
        &mut self,
        key: SlotKey,
        claim: &Claim,
        (sources, window): (&Sources, Window),
        (make, said): (impl FnOnce(&mut Vec<u8>) -> bool, &mut Vec<u8>),
    ) {
        let found = self.find(&key);
        if let Ok(at) = found
            && let Some(held) = self.slots.get(at)
        {
            match sources.compare(&claim.order, &held.order()) {
                Ordering::Less => return,
                Ordering::Equal if claim.position < held.position => return,
                Ordering::Equal | Ordering::Greater => {}
            }
        }
        said.clear();
        if !make(said) {
            return;
        }
        let at = match found {
            Ok(at) => at,
            Err(at) => {
                let slot = Slot::new(key, claim);
                self.insert(at, slot, window)
            }
        };
        if let Some(held) = self.slots.get_mut(at) {
            held.source = claim.order.source;
            held.effective_at = claim.order.effective_at;
            held.sequence = claim.order.sequence;
            held.place = claim.place;
            held.position = claim.position;
        }
        self.say(at, said);
    }

    /// Calls `f` with each symbol that the machine uses. Absent where a content is not one.
    pub(crate) fn for_each_symbol(&self, f: &mut dyn FnMut(Symbol)) -> Option<()> {
        for slot in &self.slots {
            f(slot.key.item);
            f(slot.key.sub);
            self.value(slot)?.for_each_symbol(&mut |symbol| f(*symbol));
        }
        Some(())
    }

    /// Gives each symbol its new number.
    pub(crate) fn renumber(&mut self, f: &mut dyn FnMut(&mut Symbol)) {
        let mut old = Self::new(self.number);
        std::mem::swap(&mut old.slots, &mut self.slots);
        std::mem::swap(&mut old.contents, &mut self.contents);
        let mut said = Vec::new();
        for (at, slot) in old.slots.iter().enumerate() {
            let Some(mut value) = old.value(slot) else {
                continue;
            };
            value.for_each_symbol(f);
            said.clear();
            value.pack(&mut Packer(&mut said));
            let mut slot = slot.clone();
            slot.span = Span::default();
            f(&mut slot.key.item);
            f(&mut slot.key.sub);
            self.slots.push(slot);
            self.say(at, &said);
        }
        // The order of the slots follows the numbers.
        self.slots.sort_by_key(|slot| slot.key);
    }

    /// Answers where the slot is now.
    fn insert(&mut self, mut at: usize, slot: Slot, window: Window) -> usize {
        // Machines have few slots and gain them seldom: doubling would waste their memory.
        if self.slots.len() == self.slots.capacity() {
            self.sweep(window);
            at = self.slots.partition_point(|held| held.key < slot.key);
        }
        if self.slots.len() == self.slots.capacity() {
            self.slots.reserve_exact(1 + self.slots.len() / 8);
        }
        self.slots.insert(at, slot);
        at
    }

    /// Keeps what a slot says, in the room that it has if that is enough.
    fn say(&mut self, at: usize, said: &[u8]) {
        let Some(slot) = self.slots.get_mut(at) else {
            return;
        };
        if let Some(room) = self.contents.get_mut(slot.span.range())
            && let Some((own, rest)) = room.split_at_mut_checked(said.len())
        {
            own.copy_from_slice(said);
            rest.fill(0);
            return;
        }
        slot.span = Span::default();
        if self.contents.len() + said.len() > self.contents.capacity() {
            self.tidy(said.len());
        }
        let (from, room) = (self.contents.len(), said.len());
        // Memory ends long before one machine says four gigabytes.
        if let (Ok(from), Ok(room), Some(slot)) = (
            u32::try_from(from),
            u32::try_from(room),
            self.slots.get_mut(at),
        ) {
            slot.span = Span { from, room };
            self.contents.extend_from_slice(said);
        }
    }

    /// Puts the contents together anew, without what no slot uses, and with some room for more.
    fn tidy(&mut self, more: usize) {
        let used: usize = self.slots.iter().map(|slot| slot.span.range().len()).sum();
        let mut contents = Vec::with_capacity(used + more + used / 8);
        for slot in &mut self.slots {
            let from = u32::try_from(contents.len()).unwrap_or(u32::MAX);
            contents.extend_from_slice(self.contents.get(slot.span.range()).unwrap_or_default());
            slot.span.from = from;
        }
        self.contents = contents;
    }

    /// The place of a key. Few slots are gone through from the front: a processor reads ahead of
    /// such a loop, while halving waits for memory at each step.
    fn find(&self, key: &SlotKey) -> Result<usize, usize> {
        self.find_from(0, key)
    }

    fn find_from(&self, from: usize, key: &SlotKey) -> Result<usize, usize> {
        if self.slots.len() > HALVED_FROM {
            return self.slots.binary_search_by(|slot| slot.key.cmp(key));
        }
        for (at, slot) in self.slots.iter().enumerate().skip(from) {
            match slot.key.cmp(key) {
                Ordering::Less => {}
                Ordering::Equal => return Ok(at),
                Ordering::Greater => return Err(at),
            }
        }
        Err(self.slots.len())
    }

    /// Notes the position of an event about the machine. In a fold of the past late ones come last.
    pub(crate) fn touched(&mut self, position: Position) {
        if self.first_position.get() == 0 || position < self.first_position {
            self.first_position = position;
        }
        self.last_position = self.last_position.max(position);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slot::Rank;
    use proptest::prelude::*;
    use std::collections::BTreeMap;
    use werkbuch_model::event::AspectKind;
    use werkbuch_model::id::{Sequence, SourceNumber};

    fn key(item: u32) -> SlotKey {
        SlotKey {
            kind: AspectKind::Item,
            item: Symbol::numbered(item),
            sub: Symbol::EMPTY,
            rank: Rank(0),
        }
    }

    proptest! {
        /// Whatever grows, shrinks and goes: each slot says what was said of it last.
        #[test]
        fn each_slot_keeps_what_it_says(
            said in prop::collection::vec((0_u32..12, "[a-z]{0,40}", 0_u8..8), 0..200)
        ) {
            let mut machine = MachineState::new(MachineNumber(1));
            let mut expected: BTreeMap<u32, String> = BTreeMap::new();
            for (at, (item, text, what)) in said.iter().enumerate() {
                let position = Position(at as u64 + 1);
                let claim = Claim {
                    order: OrderKey {
                        effective_at: Timestamp(at as i64),
                        source: SourceNumber(1),
                        sequence: Sequence(position.get()),
                    },
                    place: position,
                    position,
                };
                let say = |out: &mut Vec<u8>| {
                    SlotValue::Item { text: Some(text) }.pack(&mut Packer(out));
                    true
                };
                let context = (&Sources::default(), Window::default());
                machine.join(key(*item), &claim, context, (say, &mut Vec::new()));
                expected.insert(*item, text.clone());
                match what {
                    0 => {
                        machine.vacate(position);
                        expected.remove(item);
                    }
                    1 => machine.renumber(&mut |_| ()),
                    _ => {}
                }
                let found: BTreeMap<u32, String> = machine
                    .slots
                    .iter()
                    .filter_map(|slot| match machine.value(slot)? {
                        SlotValue::Item { text } => Some((slot.key.item.number(), text?.to_owned())),
                        _ => None,
                    })
                    .collect();
                prop_assert_eq!(&found, &expected);
            }
            let used: usize = machine.slots.iter().map(|slot| slot.span.range().len()).sum();
            prop_assert!(used <= machine.contents.len());
        }
    }
}
