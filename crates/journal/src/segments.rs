//! The default store: our own append-only files in a data folder.
//!
//! ```text
//! DIR/book.toml                    the marker: format version, store, folder id, created
//! DIR/LOCK                         held while a process has the folder open
//! DIR/log/wal-0000000001.log       the write-ahead files, drawn in `wal.rs`
//! DIR/bodies/<plant>/              the sample bodies, drawn in `bodies.rs`
//! ```
//!
//! One write-ahead file at a time takes the blocks of all plants, one write and one sync per group.
//! A file that has grown past its limit is followed by the next; older ones are kept and read. A
//! file in which the log was closed in good order is never continued, so that whatever comes behind
//! a clean-close mark in it is damage.

mod commit;
mod group;
mod judge;
mod marker;
mod plants;
mod read;
mod recover;
mod scan;
mod wal;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use werkbuch_model::id::{PlantId, Position, Sequence, SourceNumber};
use werkbuch_model::time::Timestamp;
use werkbuch_proof::{CompactRange, Hash};

use crate::bodies::{BODY_FILE_BYTES_MAX, BODY_FILE_SPAN_NS, BodyLimits, BodyStore};
use crate::disk::{Disk, DiskFile};
use crate::index::PlantIndex;
use crate::{
    BlockBounds, Blocks, BodyPlace, DeletedBodies, FoundBody, Outcome, PlantEnd, Proposal, Store,
    StoreError,
};
use commit::Writer;

/// A write-ahead file that is longer is followed by a new one.
pub const WAL_BYTES_MAX: u64 = 256 * 1024 * 1024;

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
    /// The length in bytes from which on a file of sample bodies is followed by the next.
    pub body_file_bytes_max: u64,
    /// The age of its first body, in nanoseconds, from which on a file of sample bodies is followed by
    /// the next.
    pub body_file_span_ns: i64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            floors: Vec::new(),
            trusted: Vec::new(),
            wal_bytes_max: WAL_BYTES_MAX,
            body_file_bytes_max: BODY_FILE_BYTES_MAX,
            body_file_span_ns: BODY_FILE_SPAN_NS,
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
    /// How many blocks were verified.
    pub blocks: u64,
    /// How many events they hold.
    pub events: u64,
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
}

/// What readers and the writer share.
#[derive(Debug)]
struct Shared {
    folder: PathBuf,
    index: RwLock<Index>,
    bodies: BodyStore,
}

/// What is committed. The lock is held for look-ups only, never during a read, write or sync.
#[derive(Debug)]
struct Index {
    plants: BTreeMap<PlantId, PlantIndex>,
    files: BTreeMap<u64, Arc<dyn DiskFile>>,
    /// Whether the log is closed in good order.
    closed: bool,
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
            closed: recovered.scan.group.closes(),
            files,
            plants: std::mem::take(&mut recovered.scan.plants.known),
        };
        let writer = Writer::new(disk, folder, recovered, options.wal_bytes_max, read_only);
        let shared = Shared {
            folder: folder.to_owned(),
            index: RwLock::new(index),
            bodies,
        };
        let store = Self {
            shared: Arc::new(shared),
            writer: Mutex::new(writer),
        };
        Ok((store, report))
    }
}

impl Shared {
    fn index(&self) -> RwLockReadGuard<'_, Index> {
        self.index.read().unwrap_or_else(PoisonError::into_inner)
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
                closed: index.closed,
            })
            .collect()
    }

    fn read(&self, plant: &PlantId, from: Position) -> Result<Blocks, StoreError> {
        read::blocks(&self.shared, plant, from)
    }

    fn find(&self, plant: &PlantId, source: SourceNumber, sequence: Sequence) -> Option<Position> {
        let index = self.shared.index();
        index.plants.get(plant)?.find(source, sequence)
    }

    fn block_at(&self, plant: &PlantId, recorded_at: Timestamp) -> Option<BlockBounds> {
        self.shared.index().plants.get(plant)?.block_at(recorded_at)
    }

    fn body(
        &self,
        plant: &PlantId,
        hash: Hash,
        recorded_at: Timestamp,
    ) -> Result<FoundBody, StoreError> {
        let inside = |place: BodyPlace| BodyPlace {
            file: match place.file.strip_prefix(&self.shared.folder) {
                Ok(inside) => inside.to_owned(),
                Err(_) => place.file,
            },
            offset: place.offset,
        };
        let found = self.shared.bodies.get(plant, hash, recorded_at)?;
        Ok(match found {
            FoundBody::Lost(place) => FoundBody::Lost(inside(place)),
            FoundBody::Damaged(place) => FoundBody::Damaged(inside(place)),
            other => other,
        })
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

    fn bytes(&self) -> Result<u64, StoreError> {
        let files: Vec<_> = self.shared.index().files.values().cloned().collect();
        let mut bytes = self.shared.bodies.bytes();
        for file in files {
            let length = file.len();
            let length = length.map_err(|e| StoreError::io("measure", &self.shared.folder, e))?;
            bytes = bytes.saturating_add(length);
        }
        Ok(bytes)
    }

    fn close(&self) -> Result<(), StoreError> {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        writer.close(&self.shared)
    }
}
