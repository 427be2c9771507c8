//! Snapshot bytes: a twin written down, disposable, so that a start need not fold the whole log.
//!
//! Layout: magic, layout version, fold version, length of the content, SHA-256 over all of these and
//! the content, then the content. Nothing is decoded before all of the header holds.

use crate::window::Window;
use crate::{FOLD_VERSION, SnapshotError, Twin};
use sha2::{Digest, Sha256};
use std::sync::Arc;

const MAGIC: [u8; 8] = *b"WBTWIN\r\n";
/// The layout of the content. It changes with every change of what is written.
const LAYOUT: u32 = 5;
const HASH_AT: usize = 24;
const CONTENT_AT: usize = HASH_AT + 32;
/// The most bytes that a snapshot's content may have; half a gigabyte is many times the largest plant.
const CONTENT_MAX: usize = 512 * 1024 * 1024;

impl Twin {
    /// Writes the twin down. Errors: [`SnapshotError::TooLarge`] and [`SnapshotError::Coding`].
    pub fn to_bytes(&self) -> Result<Vec<u8>, SnapshotError> {
        let content = bincode::serde::encode_to_vec(self.swept(), config())
            .map_err(|error| SnapshotError::Coding(error.to_string()))?;
        check_size(content.len())?;
        let mut bytes = Vec::with_capacity(CONTENT_AT + content.len());
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&LAYOUT.to_be_bytes());
        bytes.extend_from_slice(&FOLD_VERSION.to_be_bytes());
        bytes.extend_from_slice(&(content.len() as u64).to_be_bytes());
        let hash = hash(&bytes, &content);
        bytes.extend_from_slice(&hash);
        bytes.extend_from_slice(&content);
        Ok(bytes)
    }

    /// Reads what [`Twin::to_bytes`] wrote. Errors: [`SnapshotError`] for anything else; then fold
    /// the log instead.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SnapshotError> {
        let content = content(bytes)?;
        let (twin, read): (Self, usize) = bincode::serde::decode_from_slice(content, config())
            .map_err(|error| SnapshotError::Coding(error.to_string()))?;
        if read != content.len() {
            return Err(SnapshotError::Inconsistent("it has bytes left over"));
        }
        twin.check_sound()?;
        Ok(twin)
    }

    /// The twin without what is no longer state.
    fn swept(&self) -> Self {
        let mut twin = self.clone();
        let window = twin.window;
        twin.shards.sweep(window);
        for machine in &mut twin.machines {
            if machine.slots.iter().any(|slot| !slot.is_in(window)) {
                Arc::make_mut(machine).sweep(window);
            }
        }
        twin
    }

    /// Checks what the other code builds on.
    pub(crate) fn check_sound(&self) -> Result<(), SnapshotError> {
        if !self.sources.is_sound() {
            return Err(SnapshotError::Inconsistent("its sources are out of order"));
        }
        if !self.machines.is_sorted_by(|a, b| a.number < b.number) {
            return Err(SnapshotError::Inconsistent("its machines are out of order"));
        }
        for machine in &self.machines {
            if !machine.slots.is_sorted_by(|a, b| a.key < b.key) {
                return Err(SnapshotError::Inconsistent(
                    "the slots of a machine are out of order",
                ));
            }
            let mut known = true;
            let read = machine.for_each_symbol(&mut |symbol| known &= self.symbols.has(symbol));
            if read.is_none() {
                return Err(SnapshotError::Inconsistent(
                    "a slot says what cannot be read",
                ));
            }
            if !known {
                return Err(SnapshotError::Inconsistent(
                    "a slot names a text that is missing",
                ));
            }
            let opened = |slot: &crate::slot::Slot| self.sources.get(slot.source).is_some();
            if !machine.slots.iter().all(opened) {
                return Err(SnapshotError::Inconsistent(
                    "a slot names a source that is missing",
                ));
            }
        }
        for slot in self.shards.all(Window::default()) {
            if self.sources.get(slot.source).is_none() {
                return Err(SnapshotError::Inconsistent(
                    "a slot of the plant names a source that is missing",
                ));
            }
        }
        Ok(())
    }
}

/// Numbers take as many bytes as they need; the limit holds for what a decoder may claim at once.
pub(crate) fn config() -> impl bincode::config::Config {
    bincode::config::standard().with_limit::<CONTENT_MAX>()
}

fn check_size(length: usize) -> Result<(), SnapshotError> {
    if length > CONTENT_MAX {
        return Err(SnapshotError::TooLarge {
            found: length as u64,
            most: CONTENT_MAX as u64,
        });
    }
    Ok(())
}

fn hash(header: &[u8], content: &[u8]) -> [u8; 32] {
    let hash = Sha256::new().chain_update(header).chain_update(content);
    hash.finalize().into()
}

/// The content of the bytes, once the header holds.
fn content(bytes: &[u8]) -> Result<&[u8], SnapshotError> {
    let (Some(magic), Some(header), Some(content)) = (
        bytes.get(..MAGIC.len()),
        bytes.get(..CONTENT_AT),
        bytes.get(CONTENT_AT..),
    ) else {
        return Err(SnapshotError::NotASnapshot);
    };
    if magic != MAGIC {
        return Err(SnapshotError::NotASnapshot);
    }
    let (layout, fold) = (number(header, 8, 4), number(header, 12, 4));
    if (layout, fold) != (u64::from(LAYOUT), u64::from(FOLD_VERSION)) {
        return Err(SnapshotError::OtherVersion {
            layout: u32::try_from(layout).unwrap_or(u32::MAX),
            fold: u32::try_from(fold).unwrap_or(u32::MAX),
            own_layout: LAYOUT,
            own_fold: FOLD_VERSION,
        });
    }
    let expected = number(header, 16, 8);
    if expected != content.len() as u64 {
        return Err(SnapshotError::Length {
            expected,
            found: content.len() as u64,
        });
    }
    check_size(content.len())?;
    let (described, stored) = header.split_at(HASH_AT);
    if hash(described, content) != stored {
        return Err(SnapshotError::Checksum);
    }
    Ok(content)
}

/// The big-endian number in `length` bytes from `at`.
fn number(bytes: &[u8], at: usize, length: usize) -> u64 {
    let digits = bytes.iter().skip(at).take(length);
    digits.fold(0, |number, digit| number << 8 | u64::from(*digit))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::machine::{Claim, MachineState};
    use crate::packed::Packer;
    use crate::slot::{Rank, Slot, SlotKey, Span};
    use crate::symbol::Symbol;
    use crate::value::SlotValue;
    use crate::window::Window;
    use werkbuch_model::event::{AspectKind, OrderKey, SourceOpened};
    use werkbuch_model::id::{MachineNumber, PlantId, Position, Sequence, SourceNumber};
    use werkbuch_model::time::Timestamp;

    fn claim(source: u32) -> Claim {
        Claim {
            order: OrderKey {
                effective_at: Timestamp(0),
                source: SourceNumber(source),
                sequence: Sequence(1),
            },
            place: Position(1),
            position: Position(1),
        }
    }

    fn key(item: Symbol) -> SlotKey {
        SlotKey {
            kind: AspectKind::Item,
            item,
            sub: Symbol::EMPTY,
            rank: Rank(0),
        }
    }

    /// A machine with one item that is not available.
    fn machine(number: u32, sources: &crate::order::Sources) -> MachineState {
        let mut machine = MachineState::new(MachineNumber(number));
        let say = |out: &mut Vec<u8>| {
            SlotValue::Item { text: None }.pack(&mut Packer(out));
            true
        };
        let context = (sources, Window::default());
        machine.join(
            key(Symbol::EMPTY),
            &claim(1),
            context,
            (say, &mut Vec::new()),
        );
        machine
    }

    fn slot(item: Symbol, source: u32) -> Slot {
        let mut slot = Slot::new(key(item), &claim(source));
        slot.span = Span { from: 0, room: 2 };
        slot
    }

    /// The twin with these slots of each machine, written down and read again.
    fn again(slots: Vec<Slot>, machines: &[u32]) -> Result<Twin, SnapshotError> {
        let mut twin = Twin::new(PlantId::new("p").unwrap());
        let number = SourceNumber(1);
        Arc::make_mut(&mut twin.sources).open(&SourceOpened {
            number,
            ..Default::default()
        });
        for number in machines {
            let mut machine = machine(*number, &twin.sources);
            machine.slots.clone_from(&slots);
            twin.machines.push(Arc::new(machine));
        }
        Twin::from_bytes(&twin.to_bytes()?)
    }

    #[test]
    fn what_contradicts_itself_is_not_taken() {
        let stranger = crate::symbol::Symbols::default().add("x");
        let good = || slot(Symbol::EMPTY, 1);
        let elsewhere = |from, room| {
            let mut slot = good();
            slot.span = Span { from, room };
            slot
        };
        assert!(again(vec![good()], &[1, 2]).is_ok());
        for (slots, machines) in [
            (vec![good(), good()], &[1, 2]),
            (vec![good()], &[2, 1]),
            (vec![good()], &[1, 1]),
            (vec![slot(stranger, 1)], &[1, 2]),
            (vec![slot(Symbol::EMPTY, 2)], &[1, 2]),
            (vec![elsewhere(0, 9)], &[1, 2]),
            (vec![elsewhere(1, 1)], &[1, 2]),
            (vec![elsewhere(u32::MAX, u32::MAX)], &[1, 2]),
        ] {
            let found = again(slots.clone(), machines);
            assert!(
                matches!(found, Err(SnapshotError::Inconsistent(_))),
                "{slots:?}"
            );
        }
    }
}
