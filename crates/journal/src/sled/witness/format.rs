//! The bytes of the witness: a header, and notes that each begin in a sector of their own.
//!
//! ```text
//! file     header · notes · zeros; header and notes are padded with zeros to whole sectors
//! header   "WWIT" · format u32 · folder id 16 · zeros · crc32c u32 of all before, at byte 508
//! note     "WNOT" · length u32 of the note without padding · group u64 · entries u32 · entries
//!          · crc32c u32 of all before
//! entry    plant: length u8, text · log id 16 · last position u64 · blocks u64 · runs u64
//!          · peaks u8 · peaks, 32 each
//! ```
//!
//! Numbers are little-endian. A note stays true for ever, because a log only grows; so those that are
//! found are simply put together, whatever their order, and one that is torn makes no other one wrong.

use std::collections::BTreeMap;

use werkbuch_model::id::{LogId, PlantId, Position};
use werkbuch_proof::{CompactRange, Hash};

use crate::cursor::Cursor;

/// The version of the format that this code writes, and the only one that it reads.
pub(super) const FORMAT: u32 = 1;
/// A disk writes so many bytes as one. No two notes share a sector, so that none can tear another.
pub(super) const SECTOR: usize = 512;
const HEADER: &[u8; 4] = b"WWIT";
const NOTE: &[u8; 4] = b"WNOT";
const SUM_BYTES: usize = 4;

/// What was acknowledged of a plant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Noted {
    pub(in super::super) log_id: LogId,
    /// How many blocks, and so how many times of blocks there are.
    pub(in super::super) blocks: u64,
    /// How many runs of numbers of sources.
    pub(in super::super) runs: u64,
    /// The tree over all events; its size is the last position.
    pub(in super::super) tree: CompactRange,
}

impl Noted {
    pub(in super::super) fn last(&self) -> Position {
        Position(self.tree.size())
    }
}

/// The plants of a note.
pub(in super::super) type Plants = BTreeMap<PlantId, Noted>;

/// What the header of a file says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Header {
    /// The id of the folder.
    Of(LogId),
    /// Another format.
    Format(u32),
    /// It is torn or damaged.
    Bad,
}

pub(super) fn header(folder: LogId) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(SECTOR);
    bytes.extend_from_slice(HEADER);
    bytes.extend_from_slice(&FORMAT.to_le_bytes());
    bytes.extend_from_slice(&folder.0);
    bytes.resize(SECTOR - SUM_BYTES, 0);
    with_sum(bytes)
}

pub(super) fn parse_header(bytes: &[u8]) -> Header {
    let Some(whole) = bytes.get(..SECTOR).and_then(without_sum) else {
        return Header::Bad;
    };
    let mut cursor = Cursor::new(whole);
    match (cursor.array(), cursor.u32(), cursor.array()) {
        (Some(magic), Some(FORMAT), Some(id)) if magic == *HEADER => Header::Of(LogId(id)),
        (Some(magic), Some(format), _) if magic == *HEADER => Header::Format(format),
        _ => Header::Bad,
    }
}

/// A note, padded to whole sectors.
pub(super) fn note(group: u64, plants: &Plants) -> Vec<u8> {
    let mut bytes = NOTE.to_vec();
    bytes.extend_from_slice(&[0; 4]);
    bytes.extend_from_slice(&group.to_le_bytes());
    bytes.extend_from_slice(
        &u32::try_from(plants.len())
            .unwrap_or(u32::MAX)
            .to_le_bytes(),
    );
    for (plant, noted) in plants {
        let name = plant.as_str().as_bytes();
        bytes.push(u8::try_from(name.len()).unwrap_or(u8::MAX));
        bytes.extend_from_slice(name);
        bytes.extend_from_slice(&noted.log_id.0);
        for number in [noted.tree.size(), noted.blocks, noted.runs] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        let peaks = noted.tree.peaks();
        bytes.push(u8::try_from(peaks.len()).unwrap_or(u8::MAX));
        for peak in peaks {
            bytes.extend_from_slice(peak.as_bytes());
        }
    }
    let length = u32::try_from(bytes.len() + SUM_BYTES).unwrap_or(u32::MAX);
    if let Some(place) = bytes.get_mut(4..8) {
        place.copy_from_slice(&length.to_le_bytes());
    }
    let mut bytes = with_sum(bytes);
    bytes.resize(bytes.len().next_multiple_of(SECTOR), 0);
    bytes
}

/// What is found in a file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) plants: Plants,
    /// The latest group of a note; nothing if there is no note.
    pub(super) group: Option<u64>,
    /// The first sector that holds something that cannot be read.
    pub(super) unreadable: Option<u64>,
}

impl Found {
    /// Reads all notes of a file.
    pub(super) fn read(bytes: &[u8]) -> Self {
        let mut found = Self::default();
        let mut at = SECTOR;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            if let Some((length, group, plants)) = parse_note(rest) {
                found.group = found.group.max(Some(group));
                found.add(plants);
                at += length.next_multiple_of(SECTOR);
                continue;
            }
            if rest.iter().take(SECTOR).any(|byte| *byte != 0) {
                found.unreadable.get_or_insert(at as u64);
            }
            at += SECTOR;
        }
        found
    }

    /// Keeps the later one of what is known of a plant.
    pub(super) fn add(&mut self, plants: Plants) {
        for (plant, noted) in plants {
            let known = self.plants.get(&plant);
            if known.is_none_or(|known| known.last() < noted.last()) {
                self.plants.insert(plant, noted);
            }
        }
    }
}

/// A note at the beginning of some bytes: its length without padding, its group and its plants.
fn parse_note(bytes: &[u8]) -> Option<(usize, u64, Plants)> {
    let mut cursor = Cursor::new(bytes);
    if cursor.array()? != *NOTE {
        return None;
    }
    let length = usize::try_from(cursor.u32()?).ok()?;
    let mut cursor = Cursor::new(without_sum(bytes.get(..length)?)?);
    cursor.take(8)?;
    let (group, count) = (cursor.u64()?, cursor.u32()?);
    let mut plants = Plants::new();
    for _ in 0..count {
        let plant = PlantId::new(cursor.text()?).ok()?;
        let log_id = LogId(cursor.array()?);
        let (last, blocks, runs) = (cursor.u64()?, cursor.u64()?, cursor.u64()?);
        let [peaks] = cursor.array()?;
        let peaks = (0..peaks).map(|_| cursor.array().map(Hash::from_bytes));
        let peaks = peaks.collect::<Option<Vec<_>>>()?;
        let tree = CompactRange::from_parts(last, peaks).ok()?;
        let noted = Noted {
            log_id,
            blocks,
            runs,
            tree,
        };
        plants.insert(plant, noted);
    }
    cursor.is_empty().then_some((length, group, plants))
}

fn with_sum(mut bytes: Vec<u8>) -> Vec<u8> {
    let sum = crc32c::crc32c(&bytes);
    bytes.extend_from_slice(&sum.to_le_bytes());
    bytes
}

/// The bytes before their checksum, if it is the right one.
fn without_sum(bytes: &[u8]) -> Option<&[u8]> {
    let (before, sum) = bytes.split_last_chunk()?;
    (crc32c::crc32c(before) == u32::from_le_bytes(*sum)).then_some(before)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use super::*;

    fn plants(names: &[&str], last: u8) -> Plants {
        let noted = |name: &str| {
            let mut tree = CompactRange::new();
            (0..last).for_each(|leaf| tree.append(werkbuch_proof::leaf_hash(&[leaf])));
            Noted {
                log_id: LogId([name.len() as u8; 16]),
                blocks: 2,
                runs: 3,
                tree,
            }
        };
        let named = names
            .iter()
            .map(|name| (PlantId::new(name).unwrap(), noted(name)));
        named.collect()
    }

    fn file() -> Vec<u8> {
        let notes = [
            note(7, &plants(&["PLT-07", "PLT-08"], 5)),
            note(8, &plants(&["PLT-07"], 7)),
            note(9, &plants(&["PLT-09"], 1)),
        ];
        [header(LogId([9; 16])), notes.concat(), vec![0; SECTOR]].concat()
    }

    /// The bytes of the first format, as it was released.
    #[test]
    fn the_released_bytes_stay() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../snapshots/format/sled-witness-v1.bin"
        );
        if std::env::var_os("UPDATE_SNAPSHOTS").is_some() && std::fs::metadata(path).is_err() {
            std::fs::write(path, file()).unwrap();
        }
        let golden = std::fs::read(path).unwrap();
        assert!(
            golden == file(),
            "the bytes of format {FORMAT} have changed"
        );
        assert_eq!(parse_header(&golden), Header::Of(LogId([9; 16])));
        let found = Found::read(&golden);
        let lasts: Vec<_> = found.plants.values().map(|noted| noted.last().0).collect();
        assert_eq!((lasts.as_slice(), found.group), (&[7, 5, 1][..], Some(9)));
    }

    #[test]
    fn a_flipped_bit_takes_away_one_note_and_changes_none() {
        let whole = file();
        let good = Found::read(&whole);
        assert_eq!(good.unreadable, None);
        for bit in 0..whole.len() * 8 {
            let mut bad = whole.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            let found = Found::read(&bad);
            for (plant, noted) in &found.plants {
                assert!(noted.last() <= good.plants[plant].last(), "bit {bit}");
                let same = *noted == good.plants[plant] || noted.last().0 == 5;
                assert!(same, "bit {bit}: {noted:?}");
            }
            let lost = good.plants.len() - found.plants.len();
            assert!(lost <= 1, "bit {bit}");
            if found.plants != good.plants {
                assert!(found.unreadable.is_some(), "bit {bit}");
            }
            if bit / 8 < SECTOR {
                assert_eq!(found, good);
                assert_eq!(parse_header(&bad), Header::Bad, "bit {bit}");
            }
        }
    }

    #[test]
    fn a_later_format_is_told() {
        let mut bytes = header(LogId([9; 16]));
        bytes.truncate(SECTOR - SUM_BYTES);
        bytes[4] = 2;
        assert_eq!(parse_header(&with_sum(bytes)), Header::Format(2));
    }
}
