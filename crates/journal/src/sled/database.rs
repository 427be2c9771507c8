//! The database with its settings, each for a reason, and the sync that it does not do itself.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ::sled::{Config, Db, Mode, Tree};

use super::keys::{self, End, Number};
use crate::disk::{Disk, DiskFile, LockGuard, LockMode, OpenMode};
use crate::error::Damage;
use crate::{BlockBounds, StoreError};
use werkbuch_model::id::{PlantId, Position};
use werkbuch_record::block::BLOCK_BYTES_MAX;

/// The database writes its file in segments of this length. It may not be changed in a database that
/// exists, so it is fixed here and not left to a default that may move; and it is the greatest that
/// there is. A segment that holds nothing live is written over only after the whole of a later one has
/// been written, that is, after this many bytes; as we sync much more often
/// ([`SYNC_BYTES`](super::commit::SYNC_BYTES)), what takes its place is on the disk by then. With
/// small segments it need not be.
const SEGMENT_BYTES: usize = 16 * 1024 * 1024;
/// No value may be longer, and no block is. A leaf of the tree holds up to 17 values and is written as a whole; were it
/// longer than a quarter of a segment (4 MiB), it would go to a file of its own in `blobs/`, and those
/// files are never synced.
const VALUE_BYTES_MAX: usize = 128 * 1024;
const _: () = assert!(BLOCK_BYTES_MAX <= VALUE_BYTES_MAX, "a block is one value");
/// What the database keeps in memory; its default is a gigabyte. The log is read from front to back,
/// which a cache does not help.
const CACHE_BYTES: u64 = 64 * 1024 * 1024;
/// For so long a database that is being closed in this process may still hold its lock: parts of it
/// end in threads of its own.
const LOCK_WAITS: u32 = 500;
const LOCK_WAIT: Duration = Duration::from_millis(10);

/// The folder of the database in the data folder.
pub(crate) const DATABASE: &str = "sled";
/// The database's own file, in which all is that counts.
pub(super) const DB: &str = "db";
/// The database's own file of settings.
const CONF: &str = "conf";
/// The folder for values that are too long.
const BLOBS: &str = "blobs";
/// Stands in the folder until the database is made: what a power cut leaves of it then is no log.
const UNFINISHED: &str = "UNFINISHED";

/// An open database and the lock of its data folder.
#[derive(Debug)]
pub(super) struct Database {
    pub(super) plants: Tree,
    pub(super) ends: Tree,
    pub(super) blocks: Tree,
    pub(super) times: Tree,
    pub(super) runs: Tree,
    pub(super) state: Tree,
    db: Db,
    disk: Arc<dyn Disk>,
    folder: PathBuf,
    /// A second handle of the database's file, for our syncs.
    file: Arc<dyn DiskFile>,
    /// Given back last, when the database is closed.
    _lock: Box<dyn LockGuard>,
}

impl Database {
    /// Takes the lock of a data folder and opens the database in it. `finished` says whether one must
    /// be there; else a new one is made, and [`finish`](Self::finish) is to follow.
    ///
    /// The database writes while it is opened, even where nobody wants to write; so there is but one
    /// who has it open.
    pub(super) fn open(
        disk: &Arc<dyn Disk>,
        data: &Path,
        finished: bool,
    ) -> Result<Self, StoreError> {
        let lock = lock(&**disk, data)?;
        let folder = data.join(DATABASE);
        if finished {
            check_old(&**disk, &folder)?;
        } else {
            begin_new(&**disk, &folder)?;
        }
        let path = folder.join(DB);
        let db = open_db(&folder)?;
        let tree = |name: &str| {
            db.open_tree(name)
                .map_err(|error| failed("open", &folder, error))
        };
        let (plants, ends, blocks) = (tree("plants")?, tree("ends")?, tree("blocks")?);
        let (times, runs, state) = (tree("times")?, tree("runs")?, tree("state")?);
        let file = disk
            .open(&path, OpenMode::Write)
            .map_err(|error| StoreError::io("open", &path, error))?;
        Ok(Self {
            plants,
            ends,
            blocks,
            times,
            runs,
            state,
            db,
            disk: Arc::clone(disk),
            folder,
            file,
            _lock: lock,
        })
    }

    /// Makes all that the opening has made lasting, also the names of files.
    pub(super) fn settle(&self) -> Result<(), StoreError> {
        self.sync()?;
        // The database writes this file without a sync; half of it is not opened again.
        let conf = self.folder.join(CONF);
        let synced = self
            .disk
            .open(&conf, OpenMode::Write)
            .and_then(|file| file.sync_data());
        synced.map_err(|error| StoreError::io("sync", &conf, error))?;
        let parent = self.folder.parent().unwrap_or(&self.folder);
        for folder in [&*self.folder, parent] {
            self.disk
                .sync_dir(folder)
                .map_err(|error| StoreError::io("sync", folder, error))?;
        }
        Ok(())
    }

    /// Says that the database is made; the marker of the data folder is written by then.
    pub(super) fn finish(&self) -> Result<(), StoreError> {
        let path = self.folder.join(UNFINISHED);
        if self.disk.exists(&path).unwrap_or(true) {
            let removed = self
                .disk
                .remove(&path)
                .and_then(|()| self.disk.sync_dir(&self.folder));
            removed.map_err(|error| StoreError::io("remove", &path, error))?;
        }
        Ok(())
    }

    /// Returns once all that was written lasts.
    ///
    /// `flush` alone does not do that: on Linux it ends in `sync_file_range`, which neither writes the
    /// length of the file nor empties the cache of the disk. So our own fdatasync follows.
    pub(super) fn sync(&self) -> Result<(), StoreError> {
        let path = self.path();
        let flushed = guard("write", &self.folder, || self.db.flush());
        flushed?;
        self.file
            .sync_data()
            .map_err(|error| StoreError::io("sync", &path, error))?;
        // Nothing should be there, and if something is, it does not last.
        check_blobs(&*self.disk, &self.folder)
    }

    /// The database's file.
    pub(super) fn path(&self) -> PathBuf {
        self.folder.join(DB)
    }

    pub(super) fn bytes(&self) -> Result<u64, StoreError> {
        let length = self.file.len();
        length.map_err(|error| StoreError::io("measure", &self.path(), error))
    }

    pub(super) fn put(&self, tree: &Tree, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        let put = guard("write", &self.folder, || tree.insert(key, value));
        put.map(|_before| ())
    }

    pub(super) fn remove(&self, tree: &Tree, key: &[u8]) -> Result<(), StoreError> {
        let removed = guard("write", &self.folder, || tree.remove(key));
        removed.map(|_before| ())
    }

    /// Reads, and turns an error or a panic of the database into an error of ours.
    pub(super) fn guarded<T>(
        &self,
        read: impl FnOnce() -> ::sled::Result<T>,
    ) -> Result<T, StoreError> {
        guard("read", &self.folder, read)
    }

    pub(super) fn get(&self, tree: &Tree, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let found = guard("read", &self.folder, || tree.get(key))?;
        Ok(found.map(|value| value.to_vec()))
    }

    /// The block that holds a position, or the last one before it: where it begins, and its bytes.
    pub(super) fn block_before(
        &self,
        number: Number,
        position: Position,
    ) -> Result<Option<(Position, ::sled::IVec)>, StoreError> {
        let key = keys::block(number, position.next());
        let found = guard("read", &self.folder, || self.blocks.get_lt(key))?;
        Ok(found.and_then(|(key, bytes)| {
            let (of, first) = keys::parse_block(&key)?;
            (of == number).then_some((first, bytes))
        }))
    }

    /// The last value of a stretch of keys that `wanted` accepts.
    pub(super) fn last<T>(
        &self,
        tree: &Tree,
        keys: (&[u8], &[u8]),
        mut wanted: impl FnMut(&[u8], &[u8]) -> Option<T>,
    ) -> Result<Option<T>, StoreError> {
        guard("read", &self.folder, || {
            for entry in tree.range(keys.0..=keys.1).rev() {
                let (key, value) = entry?;
                if let Some(found) = wanted(&key, &value) {
                    return Ok(Some(found));
                }
            }
            Ok(None)
        })
    }

    /// What the blocks behind a position cover, as far as they are written down.
    pub(super) fn times_behind(
        &self,
        end: &End,
        behind: Position,
    ) -> Result<Vec<BlockBounds>, StoreError> {
        let from = keys::time(end.number, end.recorded_at);
        let to = keys::time(end.number, werkbuch_model::time::Timestamp(i64::MAX));
        let mut found = Vec::new();
        self.last::<()>(&self.times, (&from, &to), |_, value| {
            found.extend(keys::parse_bounds(value).filter(|bounds| bounds.first > behind));
            None
        })?;
        Ok(found)
    }

    /// All plants with their numbers.
    pub(super) fn numbers(&self) -> Result<Vec<(PlantId, Number)>, StoreError> {
        let entries = guard("read", &self.folder, || {
            let mut entries = Vec::new();
            for entry in &self.plants {
                entries.push(entry?);
            }
            Ok(entries)
        })?;
        let parse = |(name, number): (::sled::IVec, ::sled::IVec)| {
            let name = std::str::from_utf8(&name).ok()?;
            let number = number.as_ref().try_into().ok()?;
            Some((PlantId::new(name).ok()?, u32::from_be_bytes(number)))
        };
        let parsed: Option<Vec<_>> = entries.into_iter().map(parse).collect();
        parsed
            .ok_or_else(|| self.damaged(None, "a name or number of a plant cannot be read".into()))
    }

    /// The error for something that stands in the database and cannot be.
    pub(super) fn damaged(&self, plant: Option<&PlantId>, what: String) -> StoreError {
        damaged(&self.path(), plant, what)
    }
}

fn damaged(path: &Path, plant: Option<&PlantId>, what: String) -> StoreError {
    StoreError::Damaged(Box::new(Damage {
        file: path.to_owned(),
        offset: 0,
        group: 0,
        plant: plant.cloned(),
        what,
    }))
}

fn lock(disk: &dyn Disk, data: &Path) -> Result<Box<dyn LockGuard>, StoreError> {
    let path = data.join("LOCK");
    let lock = disk.lock(&path, LockMode::Exclusive);
    let lock = lock.map_err(|error| StoreError::io("lock", &path, error))?;
    lock.ok_or_else(|| StoreError::Held {
        folder: data.to_owned(),
    })
}

/// Prepares for a database that was made before.
fn check_old(disk: &dyn Disk, folder: &Path) -> Result<(), StoreError> {
    let path = folder.join(DB);
    let exists = |path: &Path| {
        disk.exists(path)
            .map_err(|error| StoreError::io("look for", path, error))
    };
    if !exists(&path)? {
        let what = "the file is missing, though the folder's marker says that it was made";
        return Err(damaged(&path, None, what.into()));
    }
    check_blobs(disk, folder)?;
    // The process before may have been killed between a write and its sync. The database takes what it
    // finds for lasting and notes in a file of its own, synced, how far the log goes; after a power cut
    // that note would be about more than there is.
    let synced = disk
        .open(&path, OpenMode::Write)
        .and_then(|file| file.sync_data());
    synced.map_err(|error| StoreError::io("sync", &path, error))
}

/// Clears what is left of a database whose making was cut short, and says that one is being made.
fn begin_new(disk: &dyn Disk, folder: &Path) -> Result<(), StoreError> {
    let note = folder.join(UNFINISHED);
    let failed = |error| StoreError::io("create", folder, error);
    if disk.exists(folder).map_err(failed)? {
        let begun = disk.exists(&note).map_err(failed)?;
        if !begun && !disk.list(folder).map_err(failed)?.is_empty() {
            return Err(StoreError::Marker {
                path: folder.with_file_name(crate::marker::MARKER),
                what: "is missing, though there is a log: restore it from a backup".into(),
            });
        }
        // It never took an event, because its data folder has no marker.
        std::fs::remove_dir_all(folder).map_err(failed)?;
    }
    disk.create_dir_all(folder).map_err(failed)?;
    disk.open(&note, OpenMode::Create)
        .and_then(|_note| disk.sync_dir(folder))
        .map_err(failed)
}

/// Refuses what lies in `blobs/`: the database never syncs it, so that it may be lost with the power.
fn check_blobs(disk: &dyn Disk, folder: &Path) -> Result<(), StoreError> {
    let blobs = folder.join(BLOBS);
    let names = match disk.list(&blobs) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        names => names.map_err(|error| StoreError::io("list", &blobs, error))?,
    };
    let Some(name) = names.first() else {
        return Ok(());
    };
    let what = "a value lies outside the database's file, where a power cut may destroy it; this \
                store never writes such values, so another program has written to the database";
    Err(damaged(&blobs.join(name), None, what.into()))
}

fn open_db(folder: &Path) -> Result<Db, StoreError> {
    let config = Config::new()
        .path(folder)
        .segment_size(SEGMENT_BYTES)
        // The other mode is made to save space, and rewrites data more often to do so.
        .mode(Mode::HighThroughput)
        // Blocks are compressed already; a second time costs and gains nothing.
        .use_compression(false)
        // Each commit flushes. A thread that flushes in between would write pages earlier than
        // needed, and move live data at times of its own choice, between our syncs.
        .flush_every_ms(None)
        .cache_capacity(CACHE_BYTES);
    let mut waits = 0;
    loop {
        match catch(|| config.open()) {
            Ok(Ok(db)) => return Ok(db),
            // We have the lock of the data folder, so it can only be one of this process that is
            // being closed.
            Ok(Err(::sled::Error::Io(error)))
                if waits < LOCK_WAITS && error.to_string().contains("acquire lock") =>
            {
                waits += 1;
                std::thread::sleep(LOCK_WAIT);
            }
            Ok(Err(error)) => return Err(failed("open", folder, error)),
            Err(what) => return Err(damaged(&folder.join(DB), None, what)),
        }
    }
}

/// Calls the database and turns its errors into ours.
fn guard<T>(
    action: &'static str,
    folder: &Path,
    call: impl FnOnce() -> ::sled::Result<T>,
) -> Result<T, StoreError> {
    match catch(call) {
        Ok(result) => result.map_err(|error| failed(action, folder, error)),
        Err(what) => Err(damaged(&folder.join(DB), None, what)),
    }
}

/// The database panics over some states that it does not expect on the disk; a damaged file must not
/// end the server.
fn catch<T>(call: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(call)).map_err(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        format!(
            "the database gave up over what it found ({})",
            text.unwrap_or("it did not say what")
        )
    })
}

fn failed(action: &'static str, folder: &Path, error: ::sled::Error) -> StoreError {
    let path = folder.join(DB);
    match error {
        ::sled::Error::Io(error) => StoreError::io(action, &path, error),
        ::sled::Error::Corruption { .. } => damaged(&path, None, error.to_string()),
        other => StoreError::io(action, &path, std::io::Error::other(other.to_string())),
    }
}
