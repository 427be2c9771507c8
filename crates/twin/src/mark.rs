//! Marks: the state at a position in the least bytes that are read fast, to begin a fold of the past.
//!
//! A mark holds everything but the plant's description, which changes seldom and is folded apart.
//! Times and positions are kept as distances from those of the mark, since most are near.

use crate::machine::MachineState;
use crate::notes::Notes;
use crate::order::Sources;
use crate::packed::{Packer, Unpacker};
use crate::shards::Shards;
use crate::slot::{Rank, Slot, SlotKey, Span};
use crate::snapshot::config;
use crate::symbol::Symbols;
use crate::window::Window;
use crate::{FOLD_VERSION, SnapshotError, Twin};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use werkbuch_model::id::{MachineNumber, Position, Sequence, SourceNumber};
use werkbuch_model::time::Timestamp;

/// The layout of a mark. It changes with every change of what is written.
const LAYOUT: u64 = 1;

/// What a mark holds beside the machines.
#[derive(Serialize, Deserialize)]
struct Rest {
    sources: Arc<Sources>,
    symbols: Arc<Symbols>,
    symbols_used: usize,
    shards: Shards,
    window: Window,
    notes: Notes,
}

impl Twin {
    /// Writes the state down, without the plant's description. Whoever keeps it guards it with a
    /// checksum.
    ///
    /// # Errors
    ///
    /// [`SnapshotError::Coding`] when it cannot be encoded.
    pub fn to_mark(&self) -> Result<Vec<u8>, SnapshotError> {
        let rest = Rest {
            sources: Arc::clone(&self.sources),
            symbols: Arc::clone(&self.symbols),
            symbols_used: self.symbols_used,
            shards: self.shards.clone(),
            window: self.window,
            notes: self.notes.clone(),
        };
        let rest = bincode::serde::encode_to_vec(rest, config())
            .map_err(|error| SnapshotError::Coding(error.to_string()))?;
        let mut bytes = Vec::with_capacity(rest.len() + 192 * self.machines.len());
        let mut to = Packer(&mut bytes);
        for number in [LAYOUT, u64::from(FOLD_VERSION), self.position.get()] {
            to.number(number);
        }
        to.bytes(&rest);
        let near = Near::of(self);
        to.fixed(near.at.cast_unsigned());
        to.number(self.machines.len() as u64);
        for machine in &self.machines {
            near.put_machine(machine, self.window, &mut to);
        }
        Ok(bytes)
    }

    /// This twin's plant and scope with the state of a mark; its description stays. Its own state is
    /// forgotten. The caller vouches that what the mark holds lies within the scope.
    ///
    /// # Errors
    ///
    /// [`SnapshotError::OtherVersion`] for a mark of another fold or layout, else
    /// [`SnapshotError::Coding`] and [`SnapshotError::Inconsistent`] for bytes that
    /// [`Twin::to_mark`] did not write.
    pub fn with_mark(&self, bytes: &[u8]) -> Result<Self, SnapshotError> {
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
        let near = Near {
            at: from.fixed().ok_or_else(cut)?.cast_signed(),
            position,
        };
        let count = from.number().ok_or_else(cut)?;
        let mut machines: Vec<Arc<MachineState>> = Vec::new();
        for _ in 0..count {
            let last = machines.last().map_or(0, |machine| machine.number.get());
            let machine = near.take_machine(last, &mut from).ok_or_else(cut)?;
            machines.push(Arc::new(machine));
        }
        let mut twin = self.clone();
        twin.position = Position(position);
        twin.sources = rest.sources;
        twin.symbols = rest.symbols;
        twin.symbols_used = rest.symbols_used;
        twin.machines = machines;
        twin.shards = rest.shards;
        twin.window = rest.window;
        twin.notes = rest.notes;
        twin.admit_machines();
        Ok(twin)
    }
}

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

    fn put_machine(&self, machine: &MachineState, window: Window, to: &mut Packer<'_>) {
        to.number(u64::from(machine.number.get()));
        to.byte(u8::from(machine.last_event_at.is_some()));
        if let Some(at) = machine.last_event_at {
            self.put_time(at, to);
        }
        self.put_position(machine.first_position, to);
        self.put_position(machine.last_position, to);
        let held = || machine.held(window);
        to.number(held().count() as u64);
        to.number(held().map(|slot| slot.span.range().len() as u64).sum());
        for slot in held() {
            to.code(slot.key.kind);
            to.byte(slot.key.rank.0);
            to.symbol(slot.key.item);
            to.symbol(slot.key.sub);
            to.number(u64::from(slot.source.get()));
            self.put_time(slot.effective_at, to);
            to.number(slot.sequence.get());
            self.put_position(slot.place, to);
            to.number(slot.position.get().wrapping_sub(slot.place.get()));
            to.number(u64::from(slot.span.room));
        }
        for slot in held() {
            to.raw(machine.content(slot));
        }
    }

    /// `last` is the number of the machine before.
    fn take_machine(&self, last: u32, from: &mut Unpacker<'_>) -> Option<MachineState> {
        let number = from.small().filter(|number| *number > last)?;
        let last_event_at = match from.byte()? {
            0 => None,
            _ => Some(self.take_time(from)?),
        };
        let first_position = self.take_position(from)?;
        let last_position = self.take_position(from)?;
        let (count, length) = (from.number()?, from.number()?);
        let mut slots = Vec::with_capacity(room(count, from));
        let mut used = 0_u32;
        for _ in 0..count {
            let key = SlotKey {
                kind: from.code()?,
                rank: Rank(from.byte()?),
                item: from.symbol()?,
                sub: from.symbol()?,
            };
            let source = SourceNumber(from.small()?);
            let effective_at = self.take_time(from)?;
            let sequence = Sequence(from.number()?);
            let place = self.take_position(from)?;
            let position = Position(place.get().wrapping_add(from.number()?));
            let span = Span {
                from: used,
                room: from.small()?,
            };
            used = used.checked_add(span.room)?;
            slots.push(Slot {
                key,
                source,
                span,
                effective_at,
                sequence,
                place,
                position,
            });
        }
        if u64::from(used) != length {
            return None;
        }
        let contents = from.raw(length)?.to_vec();
        Some(MachineState::of_parts(
            MachineNumber(number),
            last_event_at,
            (first_position, last_position),
            (slots, contents),
        ))
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
        .min(from.0.len() / 10)
}
