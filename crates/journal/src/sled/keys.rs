//! The keys and values of the database: what stands where, in which order of bytes.
//!
//! ```text
//! plants   name                                     -> number (u32)
//! ends     number                                   -> the end of the plant's log, see `End`
//! blocks   number, first position                   -> the encoded block
//! times    number, earliest recorded_at             -> what the block covers
//! runs     number, source, sequence, position       -> how many events of the source follow in a row
//! state    "closed"                                 -> there is such a key while the log is closed
//! ```
//!
//! Numbers in keys are big-endian, so that the order of the keys is that of the log.

use werkbuch_model::id::{LogId, PlantId, Position, WriterEpoch};
use werkbuch_model::time::Timestamp;
use werkbuch_proof::{CompactRange, Hash};

use crate::BlockBounds;
use crate::cursor::Cursor;

/// The version of the values that this code writes, and the only one that it reads.
const FORMAT: u8 = 1;

/// The number by which the keys name a plant.
pub(super) type Number = u32;

/// The block of a plant that begins at a position.
pub(super) fn block(number: Number, first: Position) -> [u8; 12] {
    let mut key = [0; 12];
    key[..4].copy_from_slice(&number.to_be_bytes());
    key[4..].copy_from_slice(&first.get().to_be_bytes());
    key
}

/// The plant and the first position that the key of a block names.
pub(super) fn parse_block(key: &[u8]) -> Option<(Number, Position)> {
    let number = u32::from_be_bytes(key.get(..4)?.try_into().ok()?);
    let first = u64::from_be_bytes(key.get(4..12)?.try_into().ok()?);
    Some((number, Position(first)))
}

/// A time of a plant; times before 1970 come first.
pub(super) fn time(number: Number, recorded_at: Timestamp) -> [u8; 12] {
    let mut key = [0; 12];
    key[..4].copy_from_slice(&number.to_be_bytes());
    let ordered = recorded_at.nanos().cast_unsigned() ^ (1 << 63);
    key[4..].copy_from_slice(&ordered.to_be_bytes());
    key
}

/// A run of a source.
pub(super) fn run(number: Number, source: u32, sequence: u64, position: u64) -> [u8; 24] {
    let mut key = [0; 24];
    key[..4].copy_from_slice(&number.to_be_bytes());
    key[4..8].copy_from_slice(&source.to_be_bytes());
    key[8..16].copy_from_slice(&sequence.to_be_bytes());
    key[16..].copy_from_slice(&position.to_be_bytes());
    key
}

/// The sequence and the position that the key of a run names.
pub(super) fn parse_run(key: &[u8]) -> Option<(u64, u64)> {
    let sequence = u64::from_be_bytes(key.get(8..16)?.try_into().ok()?);
    let position = u64::from_be_bytes(key.get(16..24)?.try_into().ok()?);
    Some((sequence, position))
}

/// What a block covers, as a value.
pub(super) fn bounds(bounds: &BlockBounds) -> [u8; 48] {
    let mut value = [0; 48];
    let numbers = [
        bounds.first.get().to_le_bytes(),
        bounds.last.get().to_le_bytes(),
        bounds.recorded_min.nanos().to_le_bytes(),
        bounds.recorded_max.nanos().to_le_bytes(),
        bounds.effective_min.nanos().to_le_bytes(),
        bounds.effective_max.nanos().to_le_bytes(),
    ];
    for (place, number) in value.chunks_exact_mut(8).zip(numbers) {
        place.copy_from_slice(&number);
    }
    value
}

/// Reads what a block covers.
pub(super) fn parse_bounds(value: &[u8]) -> Option<BlockBounds> {
    let mut cursor = Cursor::new(value);
    let bounds = BlockBounds {
        first: Position(cursor.u64()?),
        last: Position(cursor.u64()?),
        recorded_min: Timestamp(cursor.i64()?),
        recorded_max: Timestamp(cursor.i64()?),
        effective_min: Timestamp(cursor.i64()?),
        effective_max: Timestamp(cursor.i64()?),
    };
    cursor.is_empty().then_some(bounds)
}

/// The end of a plant's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct End {
    pub(super) number: Number,
    pub(super) log_id: LogId,
    pub(super) epoch: WriterEpoch,
    pub(super) last: Position,
    pub(super) recorded_at: Timestamp,
    pub(super) group: u64,
    pub(super) tree: CompactRange,
}

impl End {
    /// The value that says so. The name of the plant stands in it too, so that names and numbers that
    /// do not belong together are noticed.
    pub(super) fn encode(&self, plant: &PlantId) -> Vec<u8> {
        let name = plant.as_str().as_bytes();
        let mut value = vec![FORMAT, u8::try_from(name.len()).unwrap_or(u8::MAX)];
        value.extend_from_slice(name);
        value.extend_from_slice(&self.log_id.0);
        value.extend_from_slice(&self.epoch.0.to_le_bytes());
        value.extend_from_slice(&self.last.get().to_le_bytes());
        value.extend_from_slice(&self.recorded_at.nanos().to_le_bytes());
        value.extend_from_slice(&self.group.to_le_bytes());
        for peak in self.tree.peaks() {
            value.extend_from_slice(peak.as_bytes());
        }
        value
    }

    /// Reads the end of the log of a plant.
    pub(super) fn decode(plant: &PlantId, number: Number, value: &[u8]) -> Option<Self> {
        let mut cursor = Cursor::new(value);
        if cursor.array::<1>()? != [FORMAT] || cursor.text()? != plant.as_str() {
            return None;
        }
        let log_id = LogId(cursor.array()?);
        let epoch = WriterEpoch(cursor.u64()?);
        let last = cursor.u64()?;
        let (recorded_at, group) = (Timestamp(cursor.i64()?), cursor.u64()?);
        let mut peaks = Vec::new();
        while !cursor.is_empty() {
            peaks.push(Hash::from_bytes(cursor.array()?));
        }
        Some(Self {
            number,
            log_id,
            epoch,
            last: Position(last),
            recorded_at,
            group,
            tree: CompactRange::from_parts(last, peaks).ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn keys_sort_as_the_log_does() {
        let mut keys = vec![
            block(1, Position(255)),
            block(1, Position(256)),
            block(2, Position(1)),
            block(256, Position(1)),
        ];
        let sorted = keys.clone();
        keys.sort_unstable();
        assert_eq!(keys, sorted);
        assert_eq!(parse_block(&keys[1]), Some((1, Position(256))));
        let mut times = [i64::MIN, -1, 0, 1, i64::MAX].map(|t| time(7, Timestamp(t)));
        let sorted = times;
        times.sort_unstable();
        assert_eq!(times, sorted);
        assert_eq!(parse_run(&run(1, 2, 3, 4)), Some((3, 4)));
    }

    #[test]
    fn an_end_comes_back_and_half_of_it_does_not() {
        let plant = PlantId::new("PLT-07").unwrap();
        let mut tree = CompactRange::new();
        for leaf in 0..7_u8 {
            tree.append(werkbuch_proof::leaf_hash(&[leaf]));
        }
        let end = End {
            number: 3,
            log_id: LogId([9; 16]),
            epoch: WriterEpoch(4),
            last: Position(7),
            recorded_at: Timestamp(-5),
            group: 11,
            tree,
        };
        let value = end.encode(&plant);
        assert_eq!(End::decode(&plant, 3, &value), Some(end));
        for length in 0..value.len() {
            assert_eq!(End::decode(&plant, 3, &value[..length]), None, "{length}");
        }
        let other = PlantId::new("PLT-08").unwrap();
        assert_eq!(End::decode(&other, 3, &value), None);
    }
}
