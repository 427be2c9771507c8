//! The second store: the log in the embedded database sled, on the real disk only.
//!
//! ```text
//! DIR/book.toml            the marker: format version, store, folder id, created
//! DIR/LOCK                 held while a process has the folder open
//! DIR/sled/db              the database's file, with the keys that `sled/keys.rs` draws
//! DIR/sled/conf, snap.*    its settings, and how far it has read its file before
//! DIR/sled/witness.0, .1   what was acknowledged, drawn in `sled/witness.rs`
//! DIR/bodies/<plant>/      the sample bodies, drawn in `bodies.rs`
//! ```
//!
//! The database keeps its file as a log too, and what it finds after a crash is a beginning of what was
//! written. So a group is written in the order of the log, each plant's end behind its blocks, then
//! flushed and synced; what stands behind an end after a crash was never acknowledged and is removed.
//!
//! What it does less well than [`Segments`](crate::Segments): each group costs the writing of leaves of
//! its tree besides the blocks, nothing is sealed, a full disk stops writing until a restart, and after
//! a sync that failed only a restart of the machine, not of the server, shows what the disk holds.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use werkbuch_model::id::{MachineNumber, PlantId, Position, Sequence, SourceNumber};
use werkbuch_model::time::Timestamp;
use werkbuch_proof::Hash;

use crate::bodies::{BodyLimits, BodyStore};
use crate::disk::Disk;
use crate::marker;
use crate::{
    BlockBounds, Blocks, DeletedBodies, FoundBody, LogFile, Options, Outcome, PlantEnd, Proposal,
    RecoveryReport, Store, StoreError, StoreKind, Usage, Verified,
};
use commit::{Mode, Writer};
pub(crate) use database::DATABASE;
use database::Database;
use keys::End;
use witness::{Testimony, Witness};

mod commit;
mod database;
mod inspect;
mod keys;
mod read;
mod recover;
mod witness;

/// The name of the folder of the sample bodies.
const BODIES: &str = "bodies";

/// A log in the database of a data folder.
#[derive(Debug)]
pub struct Sled {
    shared: Arc<Shared>,
    writer: Mutex<Writer>,
}

/// What readers and the writer share.
#[derive(Debug)]
struct Shared {
    disk: Arc<dyn Disk>,
    folder: PathBuf,
    /// Nothing once the log is closed.
    database: RwLock<Option<Arc<Database>>>,
    /// What is committed. In the database there may be more: what is being written.
    ends: RwLock<Ends>,
    bodies: BodyStore,
}

/// Where the logs end.
#[derive(Debug, Default)]
struct Ends {
    plants: BTreeMap<PlantId, End>,
    /// Whether the log is closed in good order.
    closed: bool,
}

impl Sled {
    /// Opens the log in a data folder; an empty or missing folder becomes a new one unless it is opened
    /// for reading only. `disk` must be the real one: the database writes to it by itself, and our
    /// syncs of its file go through it.
    ///
    /// What the database holds is held against what was noted beside it. The events behind the trees of
    /// `options.trusted`, or behind those that were noted, are hashed and held against the root at the end
    /// of each log; blocks before are verified when they are read. What was not finished is removed and
    /// reported. The database writes while it is opened, so even for reading only there is one at a
    /// time.
    ///
    /// # Errors
    ///
    /// [`StoreError::Held`], [`StoreError::Marker`], [`StoreError::Damaged`],
    /// [`StoreError::Forgotten`], [`StoreError::BelowFloor`], [`StoreError::Snapshot`], and those of the
    /// disk.
    pub fn open(
        disk: Arc<dyn Disk>,
        folder: &Path,
        options: &Options,
        read_only: bool,
    ) -> Result<(Self, RecoveryReport), StoreError> {
        let known = marker::id(&*disk, folder, StoreKind::Sled)?;
        let finished = known.is_some();
        if read_only && !finished {
            return Err(StoreError::Marker {
                path: folder.join(marker::MARKER),
                what: "is missing: this folder holds no log, name the right one".into(),
            });
        }
        let inner = folder.join(BODIES);
        let created = disk.create_dir_all(&inner);
        created.map_err(|error| StoreError::io("create", &inner, error))?;
        let database = Database::open(&disk, folder, finished)?;
        database.settle()?;
        let id = match known {
            Some(id) => id,
            None => marker::create(&*disk, folder, StoreKind::Sled)?,
        };
        database.finish()?;
        let testimony = Testimony::read(&*disk, folder, id)?;
        let recovered = recover::recover(&database, folder, options, &testimony.plants)?;
        database.sync()?;
        let witness = match read_only {
            true => None,
            false => {
                let now = (recovered.group, recovered.noted);
                Some(Witness::begin(&disk, folder, id, &testimony, now)?)
            }
        };
        let limits = BodyLimits {
            bytes_max: options.body_file_bytes_max,
            span_ns: options.body_file_span_ns,
        };
        let plants = &recovered.ends.plants;
        let last = |plant: &PlantId| {
            let end = plants.get(plant);
            end.map_or(Timestamp::MIN, |end| end.recorded_at)
        };
        let bodies = BodyStore::open(Arc::clone(&disk), &inner, limits, &last, read_only)?;
        let writer = Writer {
            mode: if read_only {
                Mode::ReadOnly
            } else {
                Mode::Open
            },
            group: recovered.group,
            numbers: recovered.numbers,
            witness,
        };
        let shared = Shared {
            disk,
            folder: folder.to_owned(),
            database: RwLock::new(Some(Arc::new(database))),
            ends: RwLock::new(recovered.ends),
            bodies,
        };
        let store = Self {
            shared: Arc::new(shared),
            writer: Mutex::new(writer),
        };
        Ok((store, recovered.report))
    }

    fn writer(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    fn ends(&self) -> RwLockReadGuard<'_, Ends> {
        self.ends.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn ends_mut(&self) -> RwLockWriteGuard<'_, Ends> {
        self.ends.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The database. Once the log is closed, it is opened for each answer anew, so that the folder is
    /// free for others in between.
    fn database(&self) -> Result<Arc<Database>, StoreError> {
        let open = {
            let database = self.database.read();
            database.unwrap_or_else(PoisonError::into_inner).clone()
        };
        match open {
            Some(database) => Ok(database),
            None => Ok(Arc::new(Database::open(&self.disk, &self.folder, true)?)),
        }
    }

    /// Closes the database as soon as nobody reads any more.
    fn give_back(&self) {
        let database = self.database.write();
        *database.unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// The number of a plant and where its log ends.
    fn end(&self, plant: &PlantId) -> Option<(keys::Number, Position)> {
        let ends = self.ends();
        let end = ends.plants.get(plant)?;
        Some((end.number, end.last))
    }

    /// When the last committed event of a plant was recorded; the earliest time if there is none.
    fn last_recorded_at(&self, plant: &PlantId) -> Timestamp {
        let ends = self.ends();
        let end = ends.plants.get(plant);
        end.map_or(Timestamp::MIN, |end| end.recorded_at)
    }
}

impl Store for Sled {
    fn commit(&self, group: Vec<Proposal>) -> Result<Vec<Outcome>, StoreError> {
        self.writer().commit(&self.shared, group)
    }

    fn ends(&self) -> Vec<PlantEnd> {
        let ends = self.shared.ends();
        let plants = ends.plants.iter();
        plants
            .map(|(plant, end)| PlantEnd {
                plant: plant.clone(),
                log_id: end.log_id,
                last: end.last,
                tree: end.tree.clone(),
                last_recorded_at: end.recorded_at,
                epoch: end.epoch,
                closed: ends.closed,
            })
            .collect()
    }

    fn read(&self, plant: &PlantId, from: Position) -> Result<Blocks, StoreError> {
        Ok(Box::new(read::Reader::new(&self.shared, plant, from)?))
    }

    fn read_machine(
        &self,
        plant: &PlantId,
        from: Position,
        _machine: MachineNumber,
    ) -> Result<Blocks, StoreError> {
        // Nothing here knows which machines a block is about.
        self.read(plant, from)
    }

    fn find(
        &self,
        plant: &PlantId,
        source: SourceNumber,
        sequence: Sequence,
    ) -> Result<Option<Position>, StoreError> {
        let Some((number, last)) = self.shared.end(plant) else {
            return Ok(None);
        };
        let from = keys::run(number, source.get(), 0, 0);
        let to = keys::run(number, source.get(), sequence.get(), u64::MAX);
        let database = self.shared.database()?;
        // The last run that begins at or before the sequence, of those that are committed.
        let run = database.last(&database.runs, (&from, &to), |key, count| {
            let (first, position) = keys::parse_run(key)?;
            let count = u32::from_le_bytes(count.try_into().ok()?);
            (position <= last.get()).then_some((first, position, count))
        })?;
        Ok(run.and_then(|(first, position, count)| {
            let offset = sequence.get().checked_sub(first)?;
            let found = Position(position.saturating_add(offset));
            (offset < u64::from(count)).then_some(found)
        }))
    }

    fn block_at(
        &self,
        plant: &PlantId,
        recorded_at: Timestamp,
    ) -> Result<Option<BlockBounds>, StoreError> {
        let Some((number, last)) = self.shared.end(plant) else {
            return Ok(None);
        };
        let from = keys::time(number, Timestamp(i64::MIN));
        let to = keys::time(number, recorded_at);
        let database = self.shared.database()?;
        database.last(&database.times, (&from, &to), |_, value| {
            keys::parse_bounds(value).filter(|bounds| bounds.last <= last)
        })
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
        let writer = self.writer();
        writer.check_open(&self.shared)?;
        let last = self.shared.last_recorded_at(plant);
        self.shared.bodies.seal(plant, last, now)
    }

    fn expire_bodies(
        &self,
        plant: &PlantId,
        lifetime_ns: i64,
        now: Timestamp,
    ) -> Result<DeletedBodies, StoreError> {
        self.writer().check_open(&self.shared)?;
        // Without the lock: files that have ended take nothing more.
        self.shared.bodies.expire(plant, lifetime_ns, now)
    }

    fn usage(&self) -> Result<Usage, StoreError> {
        let Shared { disk, folder, .. } = &*self.shared;
        let room = disk.room(folder);
        Ok(Usage {
            hot_bytes: self.shared.database()?.bytes()?,
            body_bytes: self.shared.bodies.bytes(),
            room: room.map_err(|error| StoreError::io("measure", folder, error))?,
            ..Usage::default()
        })
    }

    fn files(&self) -> Result<Vec<LogFile>, StoreError> {
        inspect::files(self)
    }

    fn verify(
        &self,
        progress: &mut dyn FnMut(&PlantId, &Verified),
    ) -> Result<Verified, StoreError> {
        inspect::verify(self, progress)
    }

    fn close(&self) -> Result<(), StoreError> {
        self.writer().close(&self.shared)
    }
}
