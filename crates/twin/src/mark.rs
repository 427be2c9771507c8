//! Marks: the state at a position in the least bytes that are read fast, to begin a fold of the past.
//!
//! A mark holds everything but the plant's description, which changes seldom and is folded apart.
//! Times and positions are kept as distances from those of the mark, since most are near. A mark is
//! whole, or it holds what changed since the one before: each slot knows which event gave it.

use crate::fold::machine_index;
use crate::machine::MachineState;
use crate::notes::Notes;
use crate::order::Source;
use crate::packed::{Packer, Unpacker};
use crate::shards::{PlantSlot, Shards};
use crate::slot::{Rank, Slot, SlotKey, Span};
use crate::snapshot::config;
use crate::symbol::Symbol;
use crate::window::Window;
use crate::{FOLD_VERSION, SnapshotError, Twin};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use werkbuch_model::id::{MachineNumber, Position, Sequence, SourceNumber};
use werkbuch_model::time::Timestamp;

/// The layout of a mark. It changes with every change of what is written.
const LAYOUT: u64 = 2;

/// What a mark is, so that the next one need not be whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

    /// Writes the state down, without the plant's description: all of it, or what changed since a mark
    /// that it follows. Whoever keeps it guards it with a checksum.
    ///
    /// # Errors
    ///
    /// [`SnapshotError::Coding`] when it cannot be encoded.
    pub fn to_mark(&self, since: Option<&MarkBase>) -> Result<Vec<u8>, SnapshotError> {
        let known = since.map_or(Position(0), |base| base.position);
        let (texts, known_sources) = since.map_or((1, 0), |base| (base.texts, base.sources));
        let sources = self.sources.all().iter().enumerate();
        let sources = sources.filter(|(at, source)| {
            since.is_none() || *at >= known_sources || source.last_position > known
        });
        let rest = Rest {
            sources: sources.map(|(_, source)| source.clone()).collect(),
            texts: self.symbols.from(texts).to_vec(),
            symbols_used: self.symbols_used,
            cleared: self.cleared,
            slots: self.shards.since(known),
            window: self.window,
            notes: self.notes.clone(),
        };
        let rest = bincode::serde::encode_to_vec(rest, config())
            .map_err(|error| SnapshotError::Coding(error.to_string()))?;
        let mut bytes = Vec::with_capacity(rest.len() + 64 * self.machines.len());
        let mut to = Packer(&mut bytes);
        for number in [LAYOUT, u64::from(FOLD_VERSION), self.position.get()] {
            to.number(number);
        }
        to.bytes(&rest);
        let near = Near::of(self);
        to.fixed(near.at.cast_unsigned());
        let changed =
            |machine: &&Arc<MachineState>| since.is_none() || machine.last_position > known;
        to.number(self.machines.iter().filter(changed).count() as u64);
        let mut before = MachineNumber(0);
        for machine in self.machines.iter().filter(changed) {
            // They stand in the order of their numbers.
            to.number(u64::from(machine.number.get() - before.get()));
            near.put_machine(machine, self.window, known, &mut to);
            before = machine.number;
        }
        Ok(bytes)
    }

    /// This twin's plant and scope with the state of a whole mark; its description stays. Its own state
    /// is forgotten. The caller vouches that what the mark holds lies within the scope.
    ///
    /// # Errors
    ///
    /// [`SnapshotError::OtherVersion`] for a mark of another fold or layout, else
    /// [`SnapshotError::Coding`] and [`SnapshotError::Inconsistent`] for bytes that
    /// [`Twin::to_mark`] did not write.
    pub fn with_mark(&self, bytes: &[u8]) -> Result<Self, SnapshotError> {
        let mut twin = self.clone();
        twin.sources = Arc::default();
        twin.symbols = Arc::default();
        twin.machines = Vec::new();
        twin.shards = Shards::default();
        twin.advance(bytes)?;
        twin.admit_machines();
        Ok(twin)
    }

    /// Goes on to the mark that was written as what changed since the one that this twin stands at.
    ///
    /// # Errors
    ///
    /// As for [`Twin::with_mark`]; then the twin is not to be used.
    pub fn advance(&mut self, bytes: &[u8]) -> Result<(), SnapshotError> {
        let mut from = Unpacker(bytes);
        let cut = || SnapshotError::Inconsistent("the mark is cut short");
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
        let rest = from.bytes().ok_or_else(cut)?;
        let (rest, _): (Rest, usize) = bincode::serde::decode_from_slice(rest, config())
            .map_err(|error| SnapshotError::Coding(error.to_string()))?;
        self.take_rest(rest);
        self.position = Position(position);
        let near = Near {
            at: from.fixed().ok_or_else(cut)?.cast_signed(),
            position,
        };
        let count = from.number().ok_or_else(cut)?;
        self.machines
            .reserve_exact(room(count, &from).saturating_sub(self.machines.len()));
        let mut before = 0_u32;
        for _ in 0..count {
            let number = from.small().and_then(|step| before.checked_add(step));
            before = number.ok_or_else(cut)?;
            near.take_machine(MachineNumber(before), self, &mut from)
                .ok_or_else(cut)?;
        }
        Ok(())
    }

    fn take_rest(&mut self, rest: Rest) {
        let sources = Arc::make_mut(&mut self.sources);
        for source in rest.sources {
            sources.put(source);
        }
        let symbols = Arc::make_mut(&mut self.symbols);
        for text in &rest.texts {
            symbols.add(text);
        }
        self.symbols_used = rest.symbols_used;
        self.cleared = rest.cleared;
        self.window = rest.window;
        self.notes = rest.notes;
        for slot in rest.slots {
            self.shards.put(slot, rest.window);
        }
    }
}

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
struct Near {
    /// In nanoseconds.
    at: i64,
    position: u64,
}

impl Near {
    fn of(twin: &Twin) -> Self {
        Self {
            at: twin.last_recorded_at().unwrap_or_default().nanos(),
            position: twin.position.get(),
        }
    }

    /// Its contents and slots that events behind `known` gave.
    fn put_machine(
        &self,
        machine: &MachineState,
        window: Window,
        known: Position,
        to: &mut Packer<'_>,
    ) {
        let is_new = machine.first_position > known;
        let has_time = machine.last_event_at.is_some();
        to.byte((u8::from(has_time) * HAS_TIME) | (u8::from(is_new) * IS_NEW));
        if let Some(at) = machine.last_event_at {
            self.put_time(at, to);
        }
        if is_new {
            self.put_position(machine.first_position, to);
        }
        self.put_position(machine.last_position, to);
        let held = || machine.held(window).filter(|slot| slot.position > known);
        to.number(held().map(|slot| slot.span.range().len() as u64).sum());
        for slot in held() {
            to.raw(machine.content(slot));
        }
        to.number(held().count() as u64);
        let mut before = None;
        for slot in held() {
            self.put_slot(slot, before, to);
            before = Some(slot);
        }
    }

    /// Takes a machine: a new one whole, of one that is there what changed.
    fn take_machine(
        &self,
        number: MachineNumber,
        twin: &mut Twin,
        from: &mut Unpacker<'_>,
    ) -> Option<()> {
        let flags = from.byte()?;
        let last_event_at = match flags & HAS_TIME {
            0 => None,
            _ => Some(self.take_time(from)?),
        };
        let first_position = match flags & IS_NEW {
            0 => None,
            _ => Some(self.take_position(from)?),
        };
        let last_position = self.take_position(from)?;
        let contents = from.bytes()?;
        let count = from.number()?;
        let machines = &mut twin.machines;
        let place = match machines.last() {
            // In a whole mark each machine is the next.
            Some(last) if last.number < number => Err(machines.len()),
            None => Err(0),
            Some(_) => machine_index(machines, number),
        };
        let (mut used, mut before) = (0_u32, None);
        if let Some(held) = place.ok().and_then(|at| machines.get_mut(at)) {
            let machine = Arc::make_mut(held);
            machine.last_event_at = last_event_at;
            machine.first_position = first_position.unwrap_or(machine.first_position);
            machine.last_position = last_position;
            let mut behind = 0;
            for _ in 0..count {
                let slot = self.take_slot(&mut used, before.as_ref(), from)?;
                let said = contents.get(slot.span.range())?;
                behind = machine.put(slot.clone(), said, (behind, twin.window));
                before = Some(slot);
            }
            return Some(());
        }
        let mut slots: Vec<Slot> = Vec::with_capacity(room(count, from));
        for _ in 0..count {
            let slot = self.take_slot(&mut used, slots.last(), from)?;
            slots.push(slot);
        }
        let machine = MachineState::of_parts(
            number,
            last_event_at,
            (first_position.unwrap_or(Position(0)), last_position),
            (slots, contents.to_vec()),
        );
        let is_whole = contents.len() as u64 == u64::from(used);
        machines.insert(place.unwrap_or_else(|at| at), Arc::new(machine));
        is_whole.then_some(())
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

    /// A slot whose content begins behind what is used.
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
