//! How machines and their slots are written in a mark: times and positions as distances from its own.

use crate::Twin;
use crate::machine::MachineState;
use crate::packed::{Packer, Unpacker};
use crate::slot::{Rank, Slot, SlotKey, Span};
use crate::symbol::Symbol;
use crate::window::Window;
use werkbuch_model::id::{Position, Sequence, SourceNumber};
use werkbuch_model::time::Timestamp;

// What is said of a machine.
const HAS_TIME: u8 = 1;
const IS_NEW: u8 = 2;

// What is said of a slot; what is not said is zero, empty or as in the slot before.
const SAME_EVENT: u8 = 1;
const HAS_RANK: u8 = 2;
const HAS_ITEM: u8 = 4;
const HAS_SUB: u8 = 8;
const IS_CORRECTED: u8 = 16;

/// What times and positions are written as distances from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Near {
    /// In nanoseconds.
    pub(super) at: i64,
    pub(super) position: u64,
}

impl Near {
    pub(super) fn of(twin: &Twin) -> Self {
        Self {
            at: twin.last_recorded_at().unwrap_or_default().nanos(),
            position: twin.position.get(),
        }
    }

    /// Its number, the length of what follows, and of its contents and slots those that events behind
    /// `known` gave. `said` is room to write in.
    pub(super) fn put_machine(
        &self,
        machine: &MachineState,
        (window, known): (Window, Position),
        (said, bytes): (&mut Vec<u8>, &mut Vec<u8>),
    ) {
        let is_new = machine.first_position > known;
        let has_time = machine.last_event_at.is_some();
        said.clear();
        let mut to = Packer(said);
        to.byte((u8::from(has_time) * HAS_TIME) | (u8::from(is_new) * IS_NEW));
        if let Some(at) = machine.last_event_at {
            self.put_time(at, &mut to);
        }
        if is_new {
            self.put_position(machine.first_position, &mut to);
        }
        self.put_position(machine.last_position, &mut to);
        let held = || machine.held(window).filter(|slot| slot.position > known);
        to.number(held().map(|slot| slot.span.range().len() as u64).sum());
        for slot in held() {
            to.raw(machine.content(slot));
        }
        to.number(held().count() as u64);
        let mut before = None;
        for slot in held() {
            self.put_slot(slot, before, &mut to);
            before = Some(slot);
        }
        let mut to = Packer(bytes);
        to.number(u64::from(machine.number.get()));
        to.bytes(said);
    }

    /// A machine as an older mark has it, or one of which nothing is known yet: what is written of it is
    /// new or was changed since.
    pub(super) fn take_machine(
        &self,
        machine: &mut MachineState,
        (is_known, window): (bool, Window),
        from: &mut Unpacker<'_>,
    ) -> Option<()> {
        let flags = from.byte()?;
        machine.last_event_at = match flags & HAS_TIME {
            0 => None,
            _ => Some(self.take_time(from)?),
        };
        if flags & IS_NEW != 0 {
            machine.first_position = self.take_position(from)?;
        }
        machine.last_position = self.take_position(from)?;
        let contents = from.bytes()?;
        let count = from.number()?;
        let mut used = 0_u32;
        if is_known {
            let (mut before, mut behind) = (None, 0);
            for _ in 0..count {
                let slot = self.take_slot(&mut used, before.as_ref(), from)?;
                let said = contents.get(slot.span.range())?;
                behind = machine.put(slot.clone(), said, (behind, window));
                before = Some(slot);
            }
            return Some(());
        }
        machine.begin(room(count, from), contents);
        for _ in 0..count {
            let slot = self.take_slot(&mut used, machine.slots.last(), from)?;
            machine.slots.push(slot);
        }
        (contents.len() as u64 == u64::from(used)).then_some(())
    }

    /// A slot; events set several at once, so that much is as in the one before.
    fn put_slot(&self, slot: &Slot, before: Option<&Slot>, to: &mut Packer<'_>) {
        let same = before.is_some_and(|before| before.is_of_event_of(slot));
        let flag = |holds: bool, flag: u8| u8::from(holds) * flag;
        let key = slot.key;
        to.byte(
            flag(same, SAME_EVENT)
                | flag(key.rank != Rank(0), HAS_RANK)
                | flag(key.item != Symbol::EMPTY, HAS_ITEM)
                | flag(key.sub != Symbol::EMPTY, HAS_SUB)
                | flag(slot.place != slot.position, IS_CORRECTED),
        );
        to.code(key.kind);
        if key.rank != Rank(0) {
            to.byte(key.rank.0);
        }
        for symbol in [key.item, key.sub] {
            if symbol != Symbol::EMPTY {
                to.symbol(symbol);
            }
        }
        to.number(u64::from(slot.span.room));
        if same {
            return;
        }
        to.number(u64::from(slot.source.get()));
        self.put_time(slot.effective_at, to);
        to.number(slot.sequence.get());
        self.put_position(slot.place, to);
        if slot.place != slot.position {
            self.put_position(slot.position, to);
        }
    }

    /// A slot whose content begins behind what is used. A call of its own would have it written down and
    /// read again at once, which the processor has to wait for: that was an eighth of a question.
    #[inline]
    fn take_slot(
        &self,
        used: &mut u32,
        before: Option<&Slot>,
        from: &mut Unpacker<'_>,
    ) -> Option<Slot> {
        let flags = from.byte()?;
        let kind = from.code()?;
        let rank = Rank(if flags & HAS_RANK == 0 {
            0
        } else {
            from.byte()?
        });
        let mut symbol = |flag: u8| match flags & flag {
            0 => Some(Symbol::EMPTY),
            _ => from.symbol(),
        };
        let (item, sub) = (symbol(HAS_ITEM)?, symbol(HAS_SUB)?);
        let key = SlotKey {
            kind,
            item,
            sub,
            rank,
        };
        let span = Span {
            from: *used,
            room: from.small()?,
        };
        *used = used.checked_add(span.room)?;
        if flags & SAME_EVENT != 0 {
            return before.map(|before| Slot {
                key,
                span,
                ..before.clone()
            });
        }
        let source = SourceNumber(from.small()?);
        let effective_at = self.take_time(from)?;
        let sequence = Sequence(from.number()?);
        let place = self.take_position(from)?;
        let position = match flags & IS_CORRECTED {
            0 => place,
            _ => self.take_position(from)?,
        };
        Some(Slot {
            key,
            source,
            span,
            effective_at,
            sequence,
            place,
            position,
        })
    }

    /// Times lie before the mark, seldom after it: the sign goes last.
    fn put_time(&self, time: Timestamp, to: &mut Packer<'_>) {
        let back = self.at.wrapping_sub(time.nanos());
        to.number(((back << 1) ^ (back >> 63)).cast_unsigned());
    }

    fn take_time(&self, from: &mut Unpacker<'_>) -> Option<Timestamp> {
        let coded = from.number()?;
        let back = (coded >> 1).cast_signed() ^ -((coded & 1).cast_signed());
        Some(Timestamp(self.at.wrapping_sub(back)))
    }

    fn put_position(&self, position: Position, to: &mut Packer<'_>) {
        to.number(self.position.wrapping_sub(position.get()));
    }

    fn take_position(&self, from: &mut Unpacker<'_>) -> Option<Position> {
        let back = from.number()?;
        Some(Position(self.position.wrapping_sub(back)))
    }
}

/// How many slots to make room for: no more than the bytes that are left can hold.
fn room(count: u64, from: &Unpacker<'_>) -> usize {
    usize::try_from(count)
        .unwrap_or(usize::MAX)
        .min(from.0.len() / 3)
}
