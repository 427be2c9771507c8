//! The real disk, watched at the syncs of a store that writes its files by itself: what a power cut would
//! leave of them.
//!
//! Our own syncs go through [`Disk`]. There the bytes of the database and of the witness are kept as they
//! were when a sync returned, and as they are when the database's next one begins. A power cut between the
//! two leaves each sector as it was or as it is. A sync of the witness counts only once its group is
//! over, so that a seed leads to the same again though two threads sync.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::*;
use crate::disk::{Chance, Disk, DiskFile, LockGuard, LockMode, OpenMode, RealDisk};

const SECTOR: usize = 512;
/// The files that are watched, in the folder of the database.
pub(super) const WATCHED: [&str; 3] = ["db", "witness.0", "witness.1"];

/// The bytes of the watched files.
pub(super) type Bytes3 = BTreeMap<&'static str, Vec<u8>>;

/// Each watched file as it was synced, and as it is.
#[derive(Clone, Debug, Default)]
pub(super) struct Window {
    pub(super) old: Bytes3,
    pub(super) new: Bytes3,
}

#[derive(Clone, Debug, Default)]
pub(super) struct WatchedDisk(Arc<Mutex<Seen>>);

#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Whether the bytes of the database are kept.
    pub(super) watching: bool,
    /// The files as they were when their last sync returned.
    pub(super) synced: Bytes3,
    /// What was synced in the group that is under way.
    pending: Bytes3,
    /// What was to be synced, each time that the database was.
    pub(super) windows: Vec<Window>,
    /// The sync of this file fails after so many.
    pub(super) fails: Option<(&'static str, u64)>,
}

#[derive(Debug)]
struct WatchedFile {
    file: Arc<dyn DiskFile>,
    path: PathBuf,
    name: &'static str,
    disk: WatchedDisk,
}

impl WatchedDisk {
    pub(super) fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The group is over, and what was synced in it is.
    pub(super) fn group_is_over(&self) {
        let mut seen = self.seen();
        let pending = std::mem::take(&mut seen.pending);
        seen.synced.extend(pending);
    }

    /// Everything that is in the folder is on the disk.
    pub(super) fn all_is_synced(&self, data: &Path) {
        let mut seen = self.seen();
        seen.synced = current(&data.join("sled"));
        seen.pending.clear();
        seen.windows.clear();
    }

    /// Nothing is under way in the database.
    pub(super) fn all_of_the_database_is_synced(&self, data: &Path) {
        let bytes = fs::read(data.join("sled/db")).unwrap();
        self.seen().synced.insert("db", bytes);
    }

    /// What is there now, and what of it is synced.
    pub(super) fn window(&self, data: &Path) -> Window {
        Window {
            old: self.seen().synced.clone(),
            new: current(&data.join("sled")),
        }
    }
}

fn current(folder: &Path) -> Bytes3 {
    let read = |name: &&'static str| Some((*name, fs::read(folder.join(name)).ok()?));
    WATCHED.iter().filter_map(read).collect()
}

impl Disk for WatchedDisk {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn DiskFile>> {
        let file = RealDisk.open(path, mode)?;
        let name = WATCHED
            .into_iter()
            .find(|name| path.ends_with(Path::new("sled").join(name)));
        let Some(name) = name else {
            return Ok(file);
        };
        Ok(Arc::new(WatchedFile {
            file,
            path: path.to_owned(),
            name,
            disk: self.clone(),
        }))
    }
    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        RealDisk.create_dir_all(path)
    }
    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        RealDisk.list(path)
    }
    fn exists(&self, path: &Path) -> io::Result<bool> {
        RealDisk.exists(path)
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        RealDisk.rename(from, to)
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        RealDisk.remove(path)
    }
    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        RealDisk.sync_dir(path)
    }
    fn lock(&self, path: &Path, mode: LockMode) -> io::Result<Option<Box<dyn LockGuard>>> {
        RealDisk.lock(path, mode)
    }
}

impl DiskFile for WatchedFile {
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        self.file.read_at(bytes, offset)
    }
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.file.write_at(bytes, offset)
    }
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }
    fn set_len(&self, bytes: u64) -> io::Result<()> {
        self.file.set_len(bytes)
    }
    fn sync_data(&self) -> io::Result<()> {
        let mut seen = self.disk.seen();
        let database = self.name == "db";
        if database && seen.watching {
            let new = current(self.path.parent().unwrap());
            let old = seen.synced.clone();
            seen.windows.push(Window { old, new });
        }
        if let Some((name, left)) = &mut seen.fails
            && *name == self.name
        {
            *left -= 1;
            if *left == 0 {
                seen.fails = None;
                return Err(io::Error::other("a sync that fails"));
            }
        }
        self.file.sync_data()?;
        if !database {
            let bytes = fs::read(&self.path)?;
            seen.pending.insert(self.name, bytes);
        } else if seen.watching {
            let bytes = fs::read(&self.path)?;
            seen.synced.insert("db", bytes);
        }
        Ok(())
    }
}

/// A folder in memory where there is one: what is modelled here needs no real sync.
pub(super) fn folder() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm")
        .or_else(|_| tempfile::tempdir())
        .unwrap()
}

/// Of what was written, nothing, a beginning, or sectors here and there have arrived.
pub(super) const KINDS: u64 = 5;

/// What the disk may hold after a cut in this window; the files beside the database tear in ways of
/// their own.
pub(super) fn torn(window: &Window, kind: u64, chance: &mut Chance) -> Bytes3 {
    let mut files = Bytes3::new();
    for (name, new) in &window.new {
        let kind = match *name {
            "db" => kind,
            _ => chance.below(KINDS),
        };
        let old = window.old.get(name).map_or(&[][..], Vec::as_slice);
        files.insert(name, torn_file((old, new), kind, chance));
    }
    files
}

fn torn_file((old, new): (&[u8], &[u8]), kind: u64, chance: &mut Chance) -> Vec<u8> {
    let mut bytes = old.to_vec();
    bytes.resize(old.len().max(new.len()), 0);
    let sectors = new
        .chunks(SECTOR)
        .zip(old.chunks(SECTOR).map(Some).chain(std::iter::repeat(None)));
    let changed = sectors
        .enumerate()
        .filter(|(_, (new, old))| Some(*new) != *old);
    let places: Vec<usize> = changed.map(|(at, _)| at * SECTOR).collect();
    let first = chance.below(places.len() as u64 + 1) as usize;
    for (nth, at) in places.into_iter().enumerate() {
        let arrived = match kind {
            0 => false,
            1 => nth < first,
            2 => chance.below(2) == 0,
            3 => chance.below(16) == 0,
            _ => chance.below(16) > 0,
        };
        let end = (at + SECTOR).min(new.len());
        if arrived {
            bytes[at..end].copy_from_slice(&new[at..end]);
        }
    }
    bytes
}

/// Whether a window writes over bytes of the database that were there, as where a segment is used again.
pub(super) fn overwrites(window: &Window) -> bool {
    let (old, new) = (&window.old["db"], &window.new["db"]);
    let mut sectors = old.chunks(SECTOR).zip(new.chunks(SECTOR));
    sectors.any(|(old, new)| old != new && old.iter().all(|byte| *byte != 0))
}
