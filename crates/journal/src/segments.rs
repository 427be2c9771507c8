//! The default store: our own append-only files in a data folder.
//!
//! ```text
//! DIR/book.toml                    the marker: format version, store, folder id, created
//! DIR/LOCK                         held while a process has the folder open
//! DIR/log/wal-0000000001.log       the write-ahead files, drawn in `wal.rs`
//! DIR/log/catalogue, DIR/log/sealed/  what is sealed, drawn in `sealed.rs`
//! DIR/bodies/<plant>/              the sample bodies, drawn in `bodies.rs`
//! ```
//!
//! One write-ahead file at a time takes the blocks of all plants, one write and one sync per group.
//! A file that has grown past its limit is followed by the next, and sealed: its blocks are joined
//! into segments, one for each plant, in the background; small segments are merged there. A file in which the log was closed in good order is never continued, so that whatever comes behind
//! a clean-close mark in it is damage.

mod commit;
#[cfg(test)]
mod flips;
mod group;
mod inspect;
mod plants;
mod read;
mod recover;
mod reserve;
mod scan;
mod sealed;
mod wal;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::thread::JoinHandle;

use werkbuch_model::id::{LogId, MachineNumber, PlantId, Position, Sequence, SourceNumber};
use werkbuch_model::time::Timestamp;
use werkbuch_proof::{CompactRange, Hash};

use crate::bodies::{BODY_FILE_BYTES_MAX, BODY_FILE_SPAN_NS, BodyLimits, BodyStore};
use crate::disk::{Disk, DiskFile};
use crate::index::PlantIndex;
use crate::{
    BlockBounds, Blocks, DeletedBodies, FoundBody, LogFile, Outcome, PlantEnd, Proposal, Store,
    StoreError, Usage, Verified,
};
use commit::Writer;
use recover::LOG;
pub(crate) use sealed::Segment;
use sealed::{Kept, RunCache};
#[cfg(test)]
pub(crate) use sealed::{PAGE_RUNS, PAGES_KEPT};

/// A write-ahead file that is longer is followed by a new one.
pub const WAL_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// How a data folder is opened.
#[derive(Clone, Debug)]
pub struct Options {
    /// Positions that snapshots or checkpoints vouch for: a log that ends before is not opened.
    pub floors: Vec<(PlantId, Position)>,
    /// Trees that snapshots give, so that the events before them need not be hashed. Each is a floor
    /// as well.
    pub trusted: Vec<Trusted>,
    /// The length in bytes from which on a write-ahead file is followed by the next.
    pub wal_bytes_max: u64,
    /// Small segments are merged into ones of at most this length in bytes.
    pub merge_bytes_max: u64,
    /// The length in bytes from which on a file of sample bodies is followed by the next.
    pub body_file_bytes_max: u64,
    /// The age of its first body, in nanoseconds, from which on a file of sample bodies is followed by
    /// the next.
    pub body_file_span_ns: i64,
    /// Whether full write-ahead files are sealed and small segments merged in the background. Without it
    /// they are kept until [`Segments::seal`] and [`Segments::merge`] are called.
    pub seal: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            floors: Vec::new(),
            trusted: Vec::new(),
            wal_bytes_max: WAL_BYTES_MAX,
            merge_bytes_max: WAL_BYTES_MAX,
            body_file_bytes_max: BODY_FILE_BYTES_MAX,
            body_file_span_ns: BODY_FILE_SPAN_NS,
            seal: true,
        }
    }
}

/// What a snapshot knows of a plant's tree.
#[derive(Clone, Debug)]
pub struct Trusted {
    /// The plant.
    pub plant: PlantId,
    /// The last position that the tree covers.
    pub position: Position,
    /// The tree over the events up to and with that position.
    pub tree: CompactRange,
}

/// What opening a log found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecoveryReport {
    /// What was cut (or, for reading only, is to be cut) because a power cut tore it.
    pub cuts: Vec<Cut>,
    /// Whether the log was closed in good order.
    pub closed: bool,
    /// How many write-ahead files there are.
    pub files: u64,
    /// How many blocks in them were verified.
    pub blocks: u64,
    /// How many events they hold.
    pub events: u64,
    /// How many segments there are. They are verified when they are read.
    pub segments: u64,
    /// How many events they hold.
    pub sealed_events: u64,
}

/// A torn end of a log; none of it was acknowledged, unless the disk lost what it had synced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// The file.
    pub file: PathBuf,
    /// The first torn byte.
    pub offset: u64,
    /// How many bytes are cut; 0 if the file just ends early.
    pub bytes: u64,
    /// The torn group.
    pub group: u64,
    /// The plants whose blocks are known to be cut, with the last position that is kept. A block
    /// whose header is torn does not tell its plant.
    pub plants: Vec<(PlantId, Position)>,
    /// What is wrong at the first torn byte.
    pub what: String,
}

/// A log in a data folder.
#[derive(Debug)]
pub struct Segments {
    shared: Arc<Shared>,
    writer: Mutex<Writer>,
    sealer: Mutex<Option<Sealer>>,
    /// No segment is merged into a longer one than this.
    merge_bytes_max: u64,
}

/// The thread that seals in the background.
#[derive(Debug)]
struct Sealer {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

/// What readers and the writer share.
#[derive(Debug)]
struct Shared {
    disk: Arc<dyn Disk>,
    folder: PathBuf,
    folder_id: LogId,
    index: RwLock<Index>,
    bodies: BodyStore,
    /// What is sealed; held while something is being sealed.
    catalogue: Mutex<Kept>,
    runs: RunCache,
}

/// What is committed. The lock is held for look-ups only, never during a read, write or sync.
#[derive(Debug)]
struct Index {
    plants: BTreeMap<PlantId, PlantIndex>,
    files: BTreeMap<u64, Arc<dyn DiskFile>>,
    /// In which write-ahead file the log is closed in good order, if it is. That file is not sealed
    /// before something comes behind the mark, which would else be forgotten.
    closed: Option<u64>,
}

impl Segments {
    /// Opens the log in a data folder for writing; an empty or missing folder becomes a new one.
    ///
    /// All checksums, positions and (behind what is trusted) roots are verified. A torn end is cut
    /// and reported.
    ///
    /// # Errors
    ///
    /// [`StoreError::Held`], [`StoreError::Marker`], [`StoreError::Damaged`],
    /// [`StoreError::BelowFloor`], [`StoreError::Snapshot`], and those of the disk. The log is then
    /// as it was.
    pub fn open(
        disk: Arc<dyn Disk>,
        folder: &Path,
        options: &Options,
    ) -> Result<(Self, RecoveryReport), StoreError> {
        Self::open_as(disk, folder, options, false)
    }

    /// Opens a log for reading only, beside other readers but not beside a writer. Nothing in the
    /// folder is changed; a torn end is reported and not served.
    ///
    /// # Errors
    ///
    /// As for [`open`](Self::open).
    pub fn open_read_only(
        disk: Arc<dyn Disk>,
        folder: &Path,
        options: &Options,
    ) -> Result<(Self, RecoveryReport), StoreError> {
        Self::open_as(disk, folder, options, true)
    }

    fn open_as(
        disk: Arc<dyn Disk>,
        folder: &Path,
        options: &Options,
        read_only: bool,
    ) -> Result<(Self, RecoveryReport), StoreError> {
        let mut recovered = recover::open(&disk, folder, options, read_only)?;
        let limits = BodyLimits {
            bytes_max: options.body_file_bytes_max,
            span_ns: options.body_file_span_ns,
        };
        let inner = folder.join(recover::BODIES);
        let known = &recovered.scan.plants.known;
        let last = |plant: &PlantId| {
            let found = known.get(plant);
            found.map_or(Timestamp::MIN, PlantIndex::last_recorded_at)
        };
        let bodies = BodyStore::open(Arc::clone(&disk), &inner, limits, &last, read_only)?;
        let report = recovered.report.clone();
        let files = recovered.files.iter();
        let files = files.map(|file| (file.generation, Arc::clone(&file.file)));
        let files: BTreeMap<_, _> = files.collect();
        let index = Index {
            closed: recovered.scan.group.closed_in(),
            files,
            plants: std::mem::take(&mut recovered.scan.plants.known),
        };
        let catalogue = Kept {
            content: recovered.catalogue.clone(),
            ..Kept::default()
        };
        let shared = Arc::new(Shared {
            disk: Arc::clone(&disk),
            folder: folder.to_owned(),
            folder_id: recovered.folder_id,
            index: RwLock::new(index),
            bodies,
            catalogue: Mutex::new(catalogue),
            runs: RunCache::default(),
        });
        let mut writer = Writer::new(disk, folder, recovered, options.wal_bytes_max, read_only);
        let mut sealer = None;
        if options.seal && !read_only {
            // One note is enough: who is told seals everything that is full.
            let (full, files) = sync_channel(1);
            writer.tell_full(full);
            let limits = (options.wal_bytes_max / 2, options.merge_bytes_max);
            sealer = Some(Sealer::start(&shared, files, limits)?);
        }
        let store = Self {
            shared,
            writer: Mutex::new(writer),
            sealer: Mutex::new(sealer),
            merge_bytes_max: options.merge_bytes_max,
        };
        Ok((store, report))
    }

    /// Seals every write-ahead file but the last, now and in this thread. Answers how many.
    ///
    /// # Errors
    ///
    /// [`StoreError::ReadOnly`] and those of the disk; what is not sealed stays as it is.
    pub fn seal(&self) -> Result<u64, StoreError> {
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        writer.check_writable()?;
        drop(writer);
        let mut files = 0;
        loop {
            match sealed::seal_next(&self.shared, 0, &AtomicBool::new(false))? {
                0 => return Ok(files),
                sealed => files += sealed as u64,
            }
        }
    }

    /// Merges small segments that are neighbours, now and in this thread. Answers how many became part
    /// of a longer one.
    ///
    /// # Errors
    ///
    /// [`StoreError::ReadOnly`] and those of the disk; what is not merged stays as it is.
    pub fn merge(&self) -> Result<u64, StoreError> {
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        writer.check_writable()?;
        drop(writer);
        let mut segments = 0;
        loop {
            let stop = AtomicBool::new(false);
            match sealed::merge_next(&self.shared, self.merge_bytes_max, &stop)? {
                0 => return Ok(segments),
                merged => segments += merged as u64,
            }
        }
    }

    /// Ends what is done in the background, so that nothing changes in the folder any more.
    fn end_sealer(&self) {
        let sealer = self.sealer.lock();
        let Some(sealer) = sealer.unwrap_or_else(PoisonError::into_inner).take() else {
            return;
        };
        sealer.stop.store(true, Ordering::Relaxed);
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        writer.forget_sealer();
        drop(writer);
        // It ends at the next plant that it would seal, or block that it would merge; a panic there has
        // been told already.
        let _ = sealer.thread.join();
    }
}

#[cfg(test)]
impl Segments {
    /// How many runs of numbers are in memory for what is not sealed.
    pub(crate) fn runs_in_memory(&self) -> usize {
        self.shared
            .index()
            .plants
            .values()
            .map(PlantIndex::runs)
            .sum()
    }

    /// How many runs of numbers are in memory because they were asked for.
    pub(crate) fn runs_in_cache(&self) -> usize {
        self.shared.runs.runs()
    }
}

impl Sealer {
    /// Files that are closed early, at the end of a process, wait until `least` bytes are together:
    /// many small segments would be slow to look through. None is merged into one of more than `most`.
    fn start(
        shared: &Arc<Shared>,
        full: Receiver<()>,
        (least, most): (u64, u64),
    ) -> Result<Self, StoreError> {
        let stop = Arc::new(AtomicBool::new(false));
        let (shared, stopped) = (Arc::clone(shared), Arc::clone(&stop));
        let folder = shared.folder.clone();
        let work = move || {
            // What was full when the log was opened comes first.
            loop {
                match sealed::seal_next(&shared, least, &stopped) {
                    Ok(1..) => continue,
                    Ok(0) => {}
                    // The write-ahead file stays, and with the next one that is full it is tried again.
                    Err(error) => {
                        tracing::warn!(folder = %shared.folder.display(), %error, "a write-ahead file could not be sealed");
                    }
                }
                match sealed::merge_next(&shared, most, &stopped) {
                    Ok(1..) => continue,
                    Ok(0) => {}
                    Err(error) => {
                        tracing::warn!(folder = %shared.folder.display(), %error, "small segments could not be merged");
                    }
                }
                if full.recv().is_err() || stopped.load(Ordering::Relaxed) {
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new()
            .name("sealer".into())
            .spawn(work);
        let thread = thread.map_err(|error| StoreError::io("start sealing in", &folder, error))?;
        Ok(Self { stop, thread })
    }
}

impl Drop for Segments {
    fn drop(&mut self) {
        self.end_sealer();
    }
}

impl Shared {
    fn index(&self) -> RwLockReadGuard<'_, Index> {
        self.index.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn catalogue(&self) -> MutexGuard<'_, Kept> {
        self.catalogue
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn index_mut(&self) -> RwLockWriteGuard<'_, Index> {
        self.index.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// When the last committed event of a plant was recorded; the earliest time if there is none.
    fn last_recorded_at(&self, plant: &PlantId) -> Timestamp {
        let index = self.index();
        let found = index.plants.get(plant);
        found.map_or(Timestamp::MIN, PlantIndex::last_recorded_at)
    }
}

impl Store for Segments {
    fn commit(&self, group: Vec<Proposal>) -> Result<Vec<Outcome>, StoreError> {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        writer.commit(&self.shared, group)
    }

    fn ends(&self) -> Vec<PlantEnd> {
        let index = self.shared.index();
        let plants = index.plants.iter();
        plants
            .map(|(plant, found)| PlantEnd {
                plant: plant.clone(),
                log_id: found.log_id,
                last: found.last(),
                tree: found.tree.clone(),
                last_recorded_at: found.last_recorded_at(),
                epoch: found.epoch,
                closed: index.closed.is_some(),
            })
            .collect()
    }

    fn read(&self, plant: &PlantId, from: Position) -> Result<Blocks, StoreError> {
        read::blocks(&self.shared, plant, from, None)
    }

    fn read_machine(
        &self,
        plant: &PlantId,
        from: Position,
        machine: MachineNumber,
    ) -> Result<Blocks, StoreError> {
        read::blocks(&self.shared, plant, from, Some(machine))
    }

    fn find(
        &self,
        plant: &PlantId,
        source: SourceNumber,
        sequence: Sequence,
    ) -> Result<Option<Position>, StoreError> {
        let sealed = {
            let index = self.shared.index();
            let Some(plant) = index.plants.get(plant) else {
                return Ok(None);
            };
            if let Some(position) = plant.find(source, sequence) {
                return Ok(Some(position));
            }
            plant.sealed.clone()
        };
        for segment in sealed.iter().rev() {
            let found = segment.find(&self.shared.runs, source, sequence)?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    fn block_at(
        &self,
        plant: &PlantId,
        recorded_at: Timestamp,
    ) -> Result<Option<BlockBounds>, StoreError> {
        let segment = {
            let index = self.shared.index();
            let Some(plant) = index.plants.get(plant) else {
                return Ok(None);
            };
            if let Some(bounds) = plant.block_at(recorded_at) {
                return Ok(Some(bounds));
            }
            plant.segment_at(recorded_at).cloned()
        };
        segment.map_or(Ok(None), |segment| segment.block_at(recorded_at))
    }

    fn body(
        &self,
        plant: &PlantId,
        hash: Hash,
        recorded_at: Timestamp,
    ) -> Result<FoundBody, StoreError> {
        let found = self.shared.bodies.get(plant, hash, recorded_at)?;
        Ok(found.seen_from(&self.shared.folder))
    }

    fn seal_bodies(
        &self,
        plant: &PlantId,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        // Between two groups, so that the end of the log is that of what is in the file.
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        writer.check_open()?;
        let last = self.shared.last_recorded_at(plant);
        self.shared.bodies.seal(plant, last, now)
    }

    fn expire_bodies(
        &self,
        plant: &PlantId,
        lifetime_ns: i64,
        now: Timestamp,
    ) -> Result<DeletedBodies, StoreError> {
        self.writer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .check_open()?;
        // Without the lock: files that have ended take nothing more.
        self.shared.bodies.expire(plant, lifetime_ns, now)
    }

    fn usage(&self) -> Result<Usage, StoreError> {
        let Shared { disk, folder, .. } = &*self.shared;
        let failed = |error| StoreError::io("measure", folder, error);
        let mut usage = Usage {
            body_bytes: self.shared.bodies.bytes(),
            reserve_bytes: reserve::kept_bytes(&**disk, folder),
            room: disk.room(folder).map_err(failed)?,
            ..Usage::default()
        };
        let files: Vec<_> = {
            let index = self.shared.index();
            for segment in index.plants.values().flat_map(|plant| &plant.sealed) {
                usage.segments += 1;
                usage.sealed_bytes = usage.sealed_bytes.saturating_add(segment.bytes());
            }
            index.files.values().cloned().collect()
        };
        for file in files {
            let length = file.len().map_err(failed)?;
            usage.hot_bytes = usage.hot_bytes.saturating_add(length);
        }
        Ok(usage)
    }

    fn files(&self) -> Result<Vec<LogFile>, StoreError> {
        self.list_files()
    }

    fn verify(
        &self,
        progress: &mut dyn FnMut(&PlantId, &Verified),
    ) -> Result<Verified, StoreError> {
        self.verify_all(progress)
    }

    fn close(&self) -> Result<(), StoreError> {
        // The folder is free for others afterwards.
        self.end_sealer();
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        writer.close(&self.shared)
    }
}
