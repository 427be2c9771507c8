//! Reads segments: their summaries once, their blocks and tables when they are asked for.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use werkbuch_model::id::{LogId, MachineNumber, PlantId, Position, Sequence, SourceNumber};
use werkbuch_model::time::Timestamp;
use werkbuch_record::block::{BlockHeader, decode_body};

use super::catalogue::Entry;
use super::format::{self, FOOTER_BYTES, HEADER_BYTES, Page, SealedBlockRef, Summary, Table};
use super::segment_path;
use crate::cursor::Cursor;
use crate::disk::{Disk, DiskFile, OpenMode};
use crate::error::Damage;
use crate::index::{PlacedRun, find_run};
use crate::{BlockBounds, StoreError, StoredBlock};

/// How many pages of runs are kept: who sends old events again sends them in order.
pub(crate) const PAGES_KEPT: usize = 16;

/// A sealed segment of a plant. Its file is open only while it is read, since there may be many.
#[derive(Debug)]
pub(crate) struct Segment {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    folder: LogId,
    plant: PlantId,
    entry: Entry,
    summary: OnceLock<Arc<Summary>>,
    /// Whether another segment has taken its place; its file goes once nobody reads it any more.
    retired: AtomicBool,
}

impl Drop for Segment {
    fn drop(&mut self) {
        if !self.retired.load(Ordering::Acquire) {
            return;
        }
        // What stays is removed at the next start.
        if let Err(error) = self.disk.remove(&self.path) {
            tracing::debug!(file = %self.path.display(), %error, "a segment that was merged stays");
        }
    }
}

/// The pages of runs that were asked for last.
#[derive(Debug, Default)]
pub(crate) struct RunCache(Mutex<VecDeque<KeptRuns>>);

/// A page of runs in memory, and where it lies.
#[derive(Debug)]
struct KeptRuns {
    path: PathBuf,
    offset: u64,
    runs: Arc<Vec<PlacedRun>>,
}

impl Segment {
    pub(crate) fn new(
        disk: &Arc<dyn Disk>,
        log: &Path,
        folder: LogId,
        plant: &PlantId,
        entry: Entry,
    ) -> Self {
        Self {
            disk: Arc::clone(disk),
            path: segment_path(log, plant, entry.bounds.first, entry.bounds.last),
            folder,
            plant: plant.clone(),
            entry,
            summary: OnceLock::new(),
            retired: AtomicBool::new(false),
        }
    }

    /// The same segment, of which nothing is in memory.
    #[cfg(test)]
    pub(crate) fn unread(&self) -> Self {
        Self {
            disk: Arc::clone(&self.disk),
            path: self.path.clone(),
            plant: self.plant.clone(),
            summary: OnceLock::new(),
            retired: AtomicBool::new(false),
            ..*self
        }
    }

    /// Lets the file go as soon as nobody reads it any more.
    pub(super) fn retire(&self) {
        self.retired.store(true, Ordering::Release);
    }

    pub(crate) fn bounds(&self) -> BlockBounds {
        self.entry.bounds
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.entry.bytes
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Opens the file, after a look whether it is there and as long as it was.
    /// Errors: it is missing, has another length, or the disk fails.
    pub(crate) fn open(&self) -> Result<Arc<dyn DiskFile>, StoreError> {
        let failed = |error| StoreError::io("read", &self.path, error);
        if !self.disk.exists(&self.path).map_err(failed)? {
            return Err(self.damaged(0, "the segment is missing".into()));
        }
        let file = self.disk.open(&self.path, OpenMode::Read).map_err(failed)?;
        let found = file.len().map_err(failed)?;
        if found == self.entry.bytes {
            return Ok(file);
        }
        let what = format!("the segment has {found} bytes, not {}", self.entry.bytes);
        Err(self.damaged(0, what))
    }

    /// The tables of contents, read at the first call.
    /// Errors: the file is missing, damaged, or the disk fails.
    pub(crate) fn summary(&self) -> Result<Arc<Summary>, StoreError> {
        if let Some(summary) = self.summary.get() {
            return Ok(Arc::clone(summary));
        }
        let file = self.open()?;
        let header = self.bytes_of(&*file, 0, HEADER_BYTES)?;
        let first = self.entry.bounds.first;
        format::check_header(&header, self.folder, first).map_err(|what| self.damaged(0, what))?;
        let at = self.entry.bytes.saturating_sub(FOOTER_BYTES as u64);
        let footer = self.bytes_of(&*file, at, FOOTER_BYTES)?;
        let table = format::read_footer(&footer)
            .ok_or_else(|| self.damaged(at, "the segment's footer is damaged".into()))?;
        let bytes = self.table(&*file, table, "the segment's summary is damaged")?;
        let summary = Summary::decode(&bytes);
        if let Some(other) = summary.as_ref().filter(|found| found.plant != self.plant) {
            let what = format!(
                "another segment stands there: it is of plant \"{}\", not \"{}\"",
                other.plant, self.plant
            );
            return Err(self.damaged(0, what));
        }
        let summary = summary.filter(|summary| self.is_mine(summary));
        let summary = summary.ok_or_else(|| {
            self.damaged(
                table.offset,
                "the segment's summary contradicts the catalogue".into(),
            )
        })?;
        Ok(Arc::clone(self.summary.get_or_init(|| Arc::new(summary))))
    }

    fn is_mine(&self, summary: &Summary) -> bool {
        let bounds = self.entry.bounds;
        let mut next = bounds.first;
        let gapless = summary.blocks.iter().all(|block| {
            let fits = block.bounds.first == next;
            next = block.bounds.last.next();
            fits
        });
        let ends = (summary.first, summary.last) == (bounds.first, bounds.last);
        summary.plant == self.plant && ends && gapless && next == bounds.last.next()
    }

    /// The block that holds `position`; the first at or behind it of those that are marked in `wanted`,
    /// if that is given. Nothing where there is none.
    /// Errors: the segment is missing or damaged, or the disk fails.
    pub(crate) fn block_from(
        &self,
        file: &dyn DiskFile,
        position: Position,
        wanted: Option<&[u8]>,
    ) -> Result<Option<StoredBlock>, StoreError> {
        let summary = self.summary()?;
        let at = summary
            .blocks
            .partition_point(|block| block.bounds.last < position);
        let mut behind = summary.blocks.iter().enumerate().skip(at);
        let holds = |at: usize| {
            let byte = wanted.map_or(Some(&u8::MAX), |bits| bits.get(at / 8));
            byte.is_some_and(|byte| byte >> (at % 8) & 1 == 1)
        };
        let found = behind.find(|(at, _)| holds(*at));
        found.map(|(_, block)| self.block(file, block)).transpose()
    }

    /// Reads and verifies a block.
    pub(super) fn block(
        &self,
        file: &dyn DiskFile,
        place: &SealedBlockRef,
    ) -> Result<StoredBlock, StoreError> {
        Ok(self.encoded_block(file, place)?.0)
    }

    /// The same, and its bytes as they are stored.
    pub(super) fn encoded_block(
        &self,
        file: &dyn DiskFile,
        place: &SealedBlockRef,
    ) -> Result<(StoredBlock, Vec<u8>), StoreError> {
        let bytes = self.bytes_of(file, place.offset, place.bytes as usize)?;
        let read = || {
            let (header, body_at) = BlockHeader::decode(&bytes)?;
            let body = decode_body(&header, bytes.get(body_at..).unwrap_or_default())?;
            Ok(StoredBlock::new(header, body))
        };
        let block = read().map_err(|error: werkbuch_record::block::BlockError| {
            self.damaged(place.offset, error.to_string())
        })?;
        if block.header.plant != self.plant || BlockBounds::of(&block.header) != place.bounds {
            let what = "another block stands there than the segment's summary names";
            return Err(self.damaged(place.offset, what.into()));
        }
        Ok((block, bytes))
    }

    /// Which blocks have events of a machine, a bit for each.
    /// Errors: the segment is missing or damaged, or the disk fails.
    pub(crate) fn bits(
        &self,
        file: &dyn DiskFile,
        machine: MachineNumber,
    ) -> Result<Vec<u8>, StoreError> {
        let summary = self.summary()?;
        let mut machines = self.machines(file, &summary)?;
        let found = machines.remove(&machine.get());
        Ok(found.map(|(_, bits)| bits).unwrap_or_default())
    }

    /// Of each machine the position of its last event, and which blocks have events of it.
    pub(super) fn machines(
        &self,
        file: &dyn DiskFile,
        summary: &Summary,
    ) -> Result<BTreeMap<u32, (Position, Vec<u8>)>, StoreError> {
        let damaged = "the segment's table of machines is damaged";
        let table = self.table(file, summary.machines, damaged)?;
        let width = summary.blocks.len().div_ceil(8);
        let mut cursor = Cursor::new(&table);
        let mut read = || {
            let mut machines = BTreeMap::new();
            for _ in 0..cursor.u32()? {
                let (machine, last) = (cursor.u32()?, Position(cursor.u64()?));
                machines.insert(machine, (last, cursor.take(width)?.to_vec()));
            }
            cursor.is_empty().then_some(machines)
        };
        read().ok_or_else(|| self.damaged(summary.machines.offset, damaged.into()))
    }

    /// The position of the event that `source` numbered `sequence`, if it is in this segment.
    /// Errors: the segment is missing or damaged, or the disk fails.
    pub(crate) fn find(
        &self,
        cache: &RunCache,
        source: SourceNumber,
        sequence: Sequence,
    ) -> Result<Option<Position>, StoreError> {
        let summary = self.summary()?;
        let from = summary.pages.partition_point(|page| page.source < source);
        let pages = summary.pages.get(from..).unwrap_or_default();
        let pages = pages.iter().take_while(|page| page.source == source);
        let wanted = sequence.get();
        for page in pages.filter(|page| page.lowest <= wanted && wanted <= page.highest) {
            let runs = cache.get(self, page)?;
            if let Some(position) = find_run(&runs, wanted) {
                return Ok(Some(position));
            }
        }
        Ok(None)
    }

    /// The last block that begins at or before a recorded_at time.
    /// Errors: as for [`summary`](Self::summary).
    pub(crate) fn block_at(
        &self,
        recorded_at: Timestamp,
    ) -> Result<Option<BlockBounds>, StoreError> {
        let summary = self.summary()?;
        let after = summary
            .blocks
            .partition_point(|block| block.bounds.recorded_min <= recorded_at);
        let block = after.checked_sub(1).and_then(|at| summary.blocks.get(at));
        Ok(block.map(|block| block.bounds))
    }

    pub(super) fn runs(&self, page: &Page) -> Result<Vec<PlacedRun>, StoreError> {
        let damaged = "the segment's table of numbers is damaged";
        let file = self.open()?;
        let bytes = self.table(&*file, page.runs, damaged)?;
        let runs = format::decode_runs(&bytes);
        runs.ok_or_else(|| self.damaged(page.runs.offset, damaged.into()))
    }

    fn table(
        &self,
        file: &dyn DiskFile,
        table: Table,
        damaged: &str,
    ) -> Result<Vec<u8>, StoreError> {
        let inside = table.offset.saturating_add(u64::from(table.bytes)) <= self.entry.bytes;
        let bytes = if inside {
            self.bytes_of(file, table.offset, table.bytes as usize)?
        } else {
            Vec::new()
        };
        if inside && crc32c::crc32c(&bytes) == table.crc {
            Ok(bytes)
        } else {
            Err(self.damaged(table.offset, damaged.into()))
        }
    }

    /// The bytes at a place, fewer where the file ends before: a table that claims more than there is
    /// claims no memory.
    fn bytes_of(&self, file: &dyn DiskFile, at: u64, bytes: usize) -> Result<Vec<u8>, StoreError> {
        let there = usize::try_from(self.entry.bytes.saturating_sub(at)).unwrap_or(usize::MAX);
        let bytes = bytes.min(there);
        let mut buffer = vec![0; bytes];
        let read = file
            .read_at(&mut buffer, at)
            .map_err(|error| StoreError::io("read", &self.path, error))?;
        buffer.truncate(read);
        Ok(buffer)
    }

    pub(super) fn damaged(&self, offset: u64, what: String) -> StoreError {
        StoreError::Damaged(Box::new(Damage {
            file: self.path.clone(),
            offset,
            group: 0,
            plant: Some(self.plant.clone()),
            what,
        }))
    }
}

impl RunCache {
    /// How many runs are kept.
    #[cfg(test)]
    pub(crate) fn runs(&self) -> usize {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().map(|page| page.runs.len()).sum()
    }

    fn get(&self, segment: &Segment, page: &Page) -> Result<Arc<Vec<PlacedRun>>, StoreError> {
        let at = page.runs.offset;
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut known = kept.iter();
        if let Some(known) = known.find(|one| one.offset == at && one.path == segment.path) {
            return Ok(Arc::clone(&known.runs));
        }
        let runs = Arc::new(segment.runs(page)?);
        kept.truncate(PAGES_KEPT - 1);
        kept.push_front(KeptRuns {
            path: segment.path.clone(),
            offset: at,
            runs: Arc::clone(&runs),
        });
        Ok(runs)
    }
}
