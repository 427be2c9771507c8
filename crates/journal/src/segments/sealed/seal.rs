//! Seals write-ahead files, each step such that it can simply be repeated after a power cut.
//!
//! 1. The blocks of each plant are read, hashed into its tree, joined and written to a segment, which
//!    is synced, read back from the disk and verified: its tables are those of its events, and its
//!    events have the tree of what went in.
//! 2. The folders of the segments are synced, then the catalogue is replaced: from here on the
//!    segments count.
//! 3. Readers are led to the segments, and the write-ahead file goes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use werkbuch_model::id::{LogId, PlantId, Position, WriterEpoch};
use werkbuch_proof::{CompactRange, leaf_hash};

use super::builder::Builder;
use super::catalogue::{Catalogue, SealedPlant};
use super::reader::Segment;
use super::verify::verify;
use super::{plant_folder, segment_path};
use crate::disk::{DiskFile, OpenMode};
use crate::error::Damage;
use crate::index::BlockRef;
use crate::segments::wal::{self, FILE_HEADER_BYTES, FileHeader};
use crate::segments::{LOG, Shared, read};
use crate::{StoreError, StoredBlock, Verified};

/// Seals the oldest write-ahead files that a later one follows, if they have `least` bytes together.
/// Answers how many were sealed.
/// Errors: the disk fails, or what is to be sealed is damaged; the write-ahead files then stay.
pub(crate) fn seal_next(
    shared: &Shared,
    least: u64,
    stop: &AtomicBool,
) -> Result<usize, StoreError> {
    let mut catalogue = shared.catalogue();
    if catalogue.in_doubt {
        return Ok(0);
    }
    let Some(work) = Work::next(shared, least)? else {
        return Ok(0);
    };
    let mut sealed = catalogue.content.clone();
    let mut segments = Vec::new();
    for (whose, blocks) in &work.plants {
        if stop.load(Ordering::Relaxed) {
            return Ok(0);
        }
        let segment = work.seal(shared, whose, blocks, &mut sealed)?;
        segments.push((&whose.0, segment));
    }
    let log = shared.folder.join(LOG);
    sealed.generation = work.generation;
    sealed.group = work.group;
    sealed.draft(&*shared.disk, &log, shared.folder_id)?;
    // If this fails, nobody knows which catalogue is on the disk; segments that the new one names must
    // not be written again.
    catalogue.in_doubt = true;
    Catalogue::replace(&*shared.disk, &log)?;
    catalogue.in_doubt = false;
    catalogue.content = sealed;
    {
        let mut index = shared.index_mut();
        for (plant, segment) in segments {
            if let Some(known) = index.plants.get_mut(plant) {
                known.seal(Arc::new(segment));
            }
        }
        index
            .files
            .retain(|generation, _| !work.files.contains_key(generation));
    }
    for generation in work.files.keys() {
        let path = wal::path(&log, *generation);
        let removed = shared.disk.remove(&path);
        removed.map_err(|error| StoreError::io("remove", &path, error))?;
    }
    let synced = shared.disk.sync_dir(&log);
    synced.map_err(|error| StoreError::io("sync", &log, error))?;
    let (files, plants) = (work.files.len(), work.plants.len());
    tracing::info!(files, plants, "write-ahead files are sealed");
    Ok(files)
}

type Whose = (PlantId, LogId, WriterEpoch);

/// How many write-ahead files are sealed together at most.
const FILES_MAX: usize = 64;

/// Write-ahead files that can be sealed together.
struct Work {
    /// The last of them, and the last group in it.
    generation: u64,
    group: u64,
    files: BTreeMap<u64, Arc<dyn DiskFile>>,
    /// The plants in them with log and writer epoch, and where their blocks lie.
    plants: Vec<(Whose, Vec<BlockRef>)>,
}

impl Work {
    fn next(shared: &Shared, least: u64) -> Result<Option<Self>, StoreError> {
        let index = shared.index();
        let mut full: Vec<_> = index.files.iter().collect();
        // The last one still takes groups.
        full.pop();
        full.retain(|(generation, _)| index.closed.is_none_or(|closed| **generation < closed));
        full.truncate(FILES_MAX);
        let mut bytes = 0_u64;
        for (_, file) in &full {
            let length = file.len();
            let length = length.map_err(|e| StoreError::io("measure", &shared.folder, e))?;
            bytes = bytes.saturating_add(length);
        }
        let Some((generation, _)) = full
            .last()
            .filter(|_| bytes >= least || full.len() == FILES_MAX)
        else {
            return Ok(None);
        };
        let generation = **generation;
        let next = index.files.range(generation.saturating_add(1)..).next();
        let Some(next) = next.map(|(_, file)| Arc::clone(file)) else {
            return Ok(None);
        };
        let files = full
            .into_iter()
            .map(|(number, file)| (*number, Arc::clone(file)));
        let files = files.collect();
        let plants = index.plants.iter().filter_map(|(plant, index)| {
            let blocks = index.blocks_up_to(generation);
            let whose = (plant.clone(), index.log_id, index.epoch);
            (!blocks.is_empty()).then_some((whose, blocks))
        });
        let plants = plants.collect();
        drop(index);
        let path = wal::path(&shared.folder.join(LOG), generation.saturating_add(1));
        let mut header = [0; FILE_HEADER_BYTES];
        let read = next.read_at(&mut header, 0);
        read.map_err(|error| StoreError::io("read", &path, error))?;
        let header = FileHeader::decode(&header).ok_or_else(|| {
            StoreError::Damaged(Box::new(Damage {
                file: path.clone(),
                offset: 0,
                group: 0,
                plant: None,
                what: "the file's header is damaged".into(),
            }))
        })?;
        Ok(Some(Self {
            generation,
            group: header.first_group.saturating_sub(1),
            files,
            plants,
        }))
    }

    /// Writes, verifies and enters the segment of a plant.
    fn seal(
        &self,
        shared: &Shared,
        (plant, log_id, epoch): &Whose,
        blocks: &[BlockRef],
        catalogue: &mut Catalogue,
    ) -> Result<Segment, StoreError> {
        let log = shared.folder.join(LOG);
        let folder = plant_folder(&log, plant);
        let (first, last) = match blocks {
            [first, .., last] => (first.bounds.first, last.bounds.last),
            [only] => (only.bounds.first, only.bounds.last),
            [] => (Position(0), Position(0)),
        };
        let path = segment_path(&log, plant, first, last);
        let failed = |error| StoreError::io("write", &path, error);
        let disk = &shared.disk;
        disk.create_dir_all(&folder).map_err(failed)?;
        let file = disk.open(&path, OpenMode::Create).map_err(failed)?;
        let mut builder = Builder::new(file, shared.folder_id, first);
        let before = catalogue.plants.get(plant);
        let mut tree = before.map_or_else(CompactRange::new, |sealed| sealed.tree.clone());
        let mut on_disk = tree.clone();
        for place in blocks {
            let block = self.read(shared, plant, *place, &tree)?;
            for (_, event) in block.events() {
                tree.append(leaf_hash(event));
            }
            builder.push(block).map_err(failed)?;
        }
        let (summary, entry) = builder.finish(tree).map_err(failed)?;
        disk.sync_dir(&folder).map_err(failed)?;
        let segment = Segment::new(disk, &log, shared.folder_id, plant, entry);
        verify(
            &segment,
            &mut on_disk,
            &mut Verified::default(),
            &mut |_, _| Ok(()),
        )?;
        if on_disk != summary.tree {
            let what = "the events did not come out of the segment as they went in";
            return Err(segment.damaged(0, what.into()));
        }
        let sealed = catalogue
            .plants
            .entry(plant.clone())
            .or_insert_with(|| SealedPlant {
                log_id: *log_id,
                epoch: summary.epoch,
                last: Position(0),
                last_recorded_at: summary.last_recorded_at,
                tree: CompactRange::new(),
                segments: Vec::new(),
            });
        sealed.epoch = sealed.epoch.max(*epoch);
        sealed.last = summary.last;
        sealed.last_recorded_at = summary.last_recorded_at;
        sealed.tree = summary.tree;
        sealed.segments.push(entry);
        Ok(segment)
    }

    /// Reads a block of the write-ahead file; `tree` covers the events before it.
    fn read(
        &self,
        shared: &Shared,
        plant: &PlantId,
        place: BlockRef,
        tree: &CompactRange,
    ) -> Result<StoredBlock, StoreError> {
        let block = self.hot(shared, plant, place)?;
        if block.header.root_before == *tree.root().as_bytes() {
            return Ok(block);
        }
        let what = "the block's root is not that of the events before it";
        Err(read::damaged(shared, plant, place, what.into()))
    }

    fn hot(
        &self,
        shared: &Shared,
        plant: &PlantId,
        place: BlockRef,
    ) -> Result<StoredBlock, StoreError> {
        let missing = || read::damaged(shared, plant, place, "its file is not open".into());
        let file = self.files.get(&place.generation).ok_or_else(missing)?;
        read::hot_block(shared, plant, &**file, place)
    }
}
