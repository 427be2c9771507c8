//! The catalogue: which write-ahead files are sealed, and the segments of each plant.
//!
//! All numbers are little-endian.
//!
//! ```text
//!   offset width  field
//!        0     4  magic, "WBCA"
//!        4     2  version, 1
//!        6     2  0
//!        8    16  id of the data folder
//!       24     8  the last write-ahead file that is sealed
//!       32     8  the last group in it
//!       40     4  number of plants
//!        .     .  for each: 1+n name, 16 log id, 8 writer epoch, 8 last position, 8 last recorded_at,
//!                 4+32*n peaks of the tree, 4 number of segments, and for each segment: 8 first, 8 last
//!                 position, 8 length of the file, 32 earliest and latest recorded_at, then effective_at
//!        .     4  CRC-32C of all before
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use werkbuch_model::id::{LogId, PlantId, Position, WriterEpoch};
use werkbuch_model::time::Timestamp;
use werkbuch_proof::CompactRange;

use super::format::{crc_holds, length, put_peaks, put_text, take_peaks, with_crc};
use crate::cursor::Cursor;
use crate::disk::{Disk, OpenMode};
use crate::error::Damage;
use crate::{BlockBounds, StoreError};

/// The name of the catalogue.
pub(crate) const CATALOGUE: &str = "catalogue";
const DRAFT: &str = "catalogue.new";
const MAGIC: [u8; 4] = *b"WBCA";
const VERSION: u16 = 1;

/// What of a log is sealed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Catalogue {
    /// The last write-ahead file that is sealed; 0 if none is.
    pub(crate) generation: u64,
    /// The last group in it.
    pub(crate) group: u64,
    pub(crate) plants: BTreeMap<PlantId, SealedPlant>,
}

/// The catalogue of a log that is open.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    pub(crate) content: Catalogue,
    /// Whether it could not be replaced, so that it is not known which one the disk has. Nothing is
    /// sealed then until the log is opened again.
    pub(crate) in_doubt: bool,
    /// Plants whose segments are not merged any more, because one of them is damaged.
    pub(crate) spared: BTreeSet<PlantId>,
}

/// The sealed part of a plant's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SealedPlant {
    pub(crate) log_id: LogId,
    pub(crate) epoch: WriterEpoch,
    pub(crate) last: Position,
    pub(crate) last_recorded_at: Timestamp,
    pub(crate) tree: CompactRange,
    /// In the order of their positions, without gaps.
    pub(crate) segments: Vec<Entry>,
}

/// A segment as the catalogue knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) bounds: BlockBounds,
    pub(crate) bytes: u64,
}

impl Catalogue {
    /// Reads the catalogue of a log; an empty one where there is none.
    /// Errors: it is damaged, of another folder or version, or the disk fails.
    pub(crate) fn read(disk: &dyn Disk, log: &Path, folder: LogId) -> Result<Self, StoreError> {
        let path = log.join(CATALOGUE);
        let failed = |error| StoreError::io("read", &path, error);
        if !disk.exists(log).map_err(failed)? || !disk.exists(&path).map_err(failed)? {
            return Ok(Self::default());
        }
        Self::load(disk, &path, folder)
    }

    fn load(disk: &dyn Disk, path: &Path, folder: LogId) -> Result<Self, StoreError> {
        let failed = |error| StoreError::io("read", path, error);
        let file = disk.open(path, OpenMode::Read).map_err(failed)?;
        let mut bytes = vec![0; usize::try_from(file.len().map_err(failed)?).unwrap_or(usize::MAX)];
        let read = file.read_at(&mut bytes, 0).map_err(failed)?;
        bytes.truncate(read);
        Self::decode(&bytes, folder).map_err(|what| damaged(path, what))
    }

    /// Writes the catalogue beside the one that holds, and reads it back: what the disk got wrong must
    /// not take the place of what is right. Until it replaces that one, nothing has happened.
    pub(super) fn draft(
        &self,
        disk: &dyn Disk,
        log: &Path,
        folder: LogId,
    ) -> Result<(), StoreError> {
        let path = log.join(DRAFT);
        let failed = |error| StoreError::io("write", &path, error);
        let file = disk.open(&path, OpenMode::Create).map_err(failed)?;
        file.write_at(&self.encode(folder), 0).map_err(failed)?;
        file.sync_data().map_err(failed)?;
        if Self::load(disk, &path, folder)? == *self {
            return Ok(());
        }
        Err(damaged(&path, "it did not come out as it was written"))
    }

    /// Lets the draft replace the catalogue, in one step.
    pub(super) fn replace(disk: &dyn Disk, log: &Path) -> Result<(), StoreError> {
        let path = log.join(CATALOGUE);
        let failed = |error| StoreError::io("replace", &path, error);
        disk.rename(&log.join(DRAFT), &path).map_err(failed)?;
        disk.sync_dir(log).map_err(failed)
    }

    fn encode(&self, folder: LogId) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        out.extend_from_slice(&VERSION.to_le_bytes());
        out.extend_from_slice(&[0; 2]);
        out.extend_from_slice(&folder.0);
        out.extend_from_slice(&self.generation.to_le_bytes());
        out.extend_from_slice(&self.group.to_le_bytes());
        out.extend_from_slice(&length(self.plants.len()).to_le_bytes());
        for (plant, sealed) in &self.plants {
            put_text(plant.as_str(), &mut out);
            out.extend_from_slice(&sealed.log_id.0);
            out.extend_from_slice(&sealed.epoch.get().to_le_bytes());
            out.extend_from_slice(&sealed.last.get().to_le_bytes());
            out.extend_from_slice(&sealed.last_recorded_at.nanos().to_le_bytes());
            put_peaks(&sealed.tree, &mut out);
            out.extend_from_slice(&length(sealed.segments.len()).to_le_bytes());
            for segment in &sealed.segments {
                segment.put(&mut out);
            }
        }
        with_crc(out)
    }

    fn decode(bytes: &[u8], folder: LogId) -> Result<Self, &'static str> {
        let damaged = "the catalogue of the sealed segments is damaged";
        if !bytes.starts_with(&MAGIC) || !crc_holds(bytes) {
            return Err(damaged);
        }
        let end = bytes.len().saturating_sub(4);
        let mut cursor = Cursor::new(bytes.get(4..end).unwrap_or_default());
        if cursor.array::<2>() != Some(VERSION.to_le_bytes()) {
            return Err(
                "the catalogue has another version than this build reads: use the build that wrote it",
            );
        }
        let mut read = || {
            cursor.take(2)?;
            let found = LogId(cursor.array()?);
            let mut catalogue = Self {
                generation: cursor.u64()?,
                group: cursor.u64()?,
                plants: BTreeMap::new(),
            };
            for _ in 0..cursor.u32()? {
                let plant = PlantId::new(cursor.text()?).ok()?;
                catalogue
                    .plants
                    .insert(plant, SealedPlant::take(&mut cursor)?);
            }
            cursor.is_empty().then_some((found, catalogue))
        };
        let (found, catalogue) = read().ok_or(damaged)?;
        if found == folder {
            Ok(catalogue)
        } else {
            Err("the catalogue belongs to another data folder")
        }
    }
}

fn damaged(path: &Path, what: &str) -> StoreError {
    StoreError::Damaged(Box::new(Damage {
        file: path.to_owned(),
        offset: 0,
        group: 0,
        plant: None,
        what: what.into(),
    }))
}

impl SealedPlant {
    fn take(cursor: &mut Cursor<'_>) -> Option<Self> {
        let log_id = LogId(cursor.array()?);
        let epoch = WriterEpoch(cursor.u64()?);
        let last = Position(cursor.u64()?);
        let last_recorded_at = Timestamp(cursor.i64()?);
        let tree = take_peaks(last, cursor)?;
        let mut segments = Vec::new();
        let mut next = Position(1);
        for _ in 0..cursor.u32()? {
            let entry = Entry::take(cursor)?;
            let bounds = entry.bounds;
            if bounds.first != next || bounds.last < bounds.first {
                return None;
            }
            next = bounds.last.next();
            segments.push(entry);
        }
        (next == last.next()).then_some(Self {
            log_id,
            epoch,
            last,
            last_recorded_at,
            tree,
            segments,
        })
    }
}

impl Entry {
    fn put(&self, out: &mut Vec<u8>) {
        let bounds = &self.bounds;
        for number in [bounds.first.get(), bounds.last.get(), self.bytes] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        for time in [
            bounds.recorded_min,
            bounds.recorded_max,
            bounds.effective_min,
            bounds.effective_max,
        ] {
            out.extend_from_slice(&time.nanos().to_le_bytes());
        }
    }

    fn take(cursor: &mut Cursor<'_>) -> Option<Self> {
        let (first, last) = (Position(cursor.u64()?), Position(cursor.u64()?));
        let bytes = cursor.u64()?;
        let bounds = BlockBounds {
            first,
            last,
            recorded_min: Timestamp(cursor.i64()?),
            recorded_max: Timestamp(cursor.i64()?),
            effective_min: Timestamp(cursor.i64()?),
            effective_max: Timestamp(cursor.i64()?),
        };
        Some(Self { bounds, bytes })
    }
}
