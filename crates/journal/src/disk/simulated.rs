//! A disk in memory that loses power, fills up and fails on demand, all from a seed.
//!
//! Each file remembers the writes since its last sync. [`SimulatedDisk::crash`] builds the disk that
//! a machine finds after a power cut: of every write that no sync covered it keeps all, some sectors
//! of 512 bytes, or nothing, in an order of its own; of the names that no folder sync covered it
//! keeps the first few changes. A sync that failed leaves its writes in doubt for ever, as a kernel
//! does that marks the pages clean: later syncs succeed and do not cover them.

mod faults;
mod file;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use faults::FaultKind;
use faults::Faults;
use file::FileState;

use super::{Disk, DiskFile, LockGuard, LockMode, OpenMode, Room};

/// A disk in memory; clones are the same disk.
#[derive(Clone, Default)]
pub struct SimulatedDisk {
    state: Arc<Mutex<State>>,
}

impl fmt::Debug for SimulatedDisk {
    /// Without the bytes, which would drown the message of a failing test.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimulatedDisk").finish_non_exhaustive()
    }
}

impl SimulatedDisk {
    /// An empty disk.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets the `nth` operation of this kind from now on fail, counted from 1; for
    /// [`FaultKind::Power`] every operation that changes something counts.
    pub fn fail(&self, kind: FaultKind, nth: u64) {
        self.state().faults.plan(kind, nth);
    }

    /// Forgets the faults that are planned, but for a power cut.
    pub fn calm(&self) {
        let planned = &mut self.state().faults.planned;
        planned.retain(|(kind, _)| *kind == FaultKind::Power);
    }

    /// How often each fault has come, on this disk and on those that it was before a power cut.
    #[must_use]
    pub fn faults(&self) -> BTreeMap<FaultKind, u64> {
        self.state().faults.come.clone()
    }

    /// The faults that are planned, each with the number of its operations until it comes.
    #[must_use]
    pub fn planned(&self) -> Vec<(FaultKind, u64)> {
        self.state().faults.planned.clone()
    }

    /// Whether the power is off.
    #[must_use]
    pub fn is_dead(&self) -> bool {
        self.state().faults.dead
    }

    /// How long all operations took together, in nanoseconds of simulated time.
    #[must_use]
    pub fn elapsed_ns(&self) -> i64 {
        self.state().faults.elapsed_ns
    }

    /// How many writes and changes of names power cuts have lost or torn.
    #[must_use]
    pub fn losses(&self) -> u64 {
        self.state().losses
    }

    /// Chooses the bit that [`FaultKind::Flip`] gets wrong, counted from the middle of the write on.
    pub fn set_flipped_bit(&self, bit: u64) {
        self.state().flipped_bit = bit;
    }

    /// Where [`FaultKind::Flip`] came, file by file as they are named now, with the byte.
    #[must_use]
    pub fn flips(&self) -> Vec<(PathBuf, u64)> {
        let state = self.state();
        let named = |id: u64| state.names.iter().find(|(_, named)| **named == id);
        let flips = state.flips.iter();
        flips
            .filter_map(|(id, at)| Some((named(*id)?.0.clone(), *at)))
            .collect()
    }

    /// All files, in the order of their names.
    #[must_use]
    pub fn paths(&self) -> Vec<PathBuf> {
        self.state().names.keys().cloned().collect()
    }

    /// Limits the bytes of all files together; `None` lifts the limit.
    pub fn set_capacity(&self, bytes: Option<u64>) {
        self.state().capacity = bytes;
    }

    /// How many reading and writing operations there have been.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.state().faults.operations
    }

    /// The disk as it is found after a power cut now. This one is dead from here on.
    #[must_use]
    pub fn crash(&self, seed: u64) -> SimulatedDisk {
        let mut state = self.state();
        state.faults.dead = true;
        let mut chance = Chance(seed ^ 0x9e37_79b9_7f4a_7c15);
        let mut names = state.lasting_names.clone();
        let kept = chance.below(state.name_changes.len() as u64 + 1) as usize;
        for change in state.name_changes.iter().take(kept) {
            change.apply(&mut names);
        }
        let mut losses = state.losses + (state.name_changes.len() - kept) as u64;
        let mut files = BTreeMap::new();
        for id in names.values() {
            if let Some(file) = state.files.get(id) {
                let (file, lost) = file.crash(&mut chance);
                files.insert(*id, file);
                losses += lost;
            }
        }
        let after = State {
            names: names.clone(),
            lasting_names: names,
            files,
            folders: state.folders.clone(),
            next_id: state.next_id,
            losses,
            faults: Faults {
                come: state.faults.come.clone(),
                elapsed_ns: state.faults.elapsed_ns,
                ..Faults::default()
            },
            ..State::default()
        };
        SimulatedDisk {
            state: Arc::new(Mutex::new(after)),
        }
    }

    /// The same disk after a restart of the program alone: open faults and locks are gone, the bytes
    /// are those that the old process saw.
    #[must_use]
    pub fn restart(&self) -> SimulatedDisk {
        let mut state = self.state();
        state.faults.planned.clear();
        state.locks.clear();
        drop(state);
        self.clone()
    }

    /// A disk of its own in the same state, without locks and planned faults: several futures can
    /// be tried from one moment.
    #[must_use]
    pub fn copy(&self) -> SimulatedDisk {
        let state = self.state();
        let copy = State {
            names: state.names.clone(),
            lasting_names: state.lasting_names.clone(),
            name_changes: state.name_changes.clone(),
            files: state.files.clone(),
            folders: state.folders.clone(),
            next_id: state.next_id,
            capacity: state.capacity,
            faults: Faults {
                elapsed_ns: state.faults.elapsed_ns,
                ..Faults::default()
            },
            ..State::default()
        };
        SimulatedDisk {
            state: Arc::new(Mutex::new(copy)),
        }
    }

    /// How many bytes were read since this was asked last.
    #[must_use]
    pub fn take_read(&self) -> u64 {
        std::mem::take(&mut self.state().read)
    }

    /// The bytes of a file as a program sees them now.
    #[must_use]
    pub fn bytes(&self, path: &Path) -> Option<Vec<u8>> {
        let state = self.state();
        let id = state.names.get(path)?;
        Some(state.files.get(id)?.bytes().to_vec())
    }

    /// Replaces the bytes of a file behind the back of whoever uses it, lasting at once.
    pub fn overwrite(&self, path: &Path, bytes: &[u8]) {
        let mut state = self.state();
        if let Some(id) = state.names.get(path).copied() {
            state.files.insert(id, FileState::lasting(bytes.to_vec()));
        }
    }

    /// Flips a bit of a file, counted from its first, in whatever the disk may hold of it; a second time
    /// takes that back.
    pub fn flip(&self, path: &Path, bit: u64) {
        let mut state = self.state();
        let Some(id) = state.names.get(path).copied() else {
            return;
        };
        if let Some(file) = state.files.get_mut(&id) {
            file.flip(bit);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug, Default)]
struct State {
    names: BTreeMap<PathBuf, u64>,
    lasting_names: BTreeMap<PathBuf, u64>,
    name_changes: Vec<NameChange>,
    files: BTreeMap<u64, FileState>,
    folders: BTreeSet<PathBuf>,
    /// The locks held: exclusive, or by how many.
    locks: BTreeMap<PathBuf, (LockMode, u32)>,
    faults: Faults,
    capacity: Option<u64>,
    next_id: u64,
    /// Which bit of a write is wrong when one is, and where some are: in which file, at which byte.
    flipped_bit: u64,
    flips: Vec<(u64, u64)>,
    losses: u64,
    /// How many bytes were read.
    read: u64,
}

#[derive(Clone, Debug)]
enum NameChange {
    Create(PathBuf, u64),
    Rename(PathBuf, PathBuf),
    Remove(PathBuf),
}

impl NameChange {
    fn apply(&self, names: &mut BTreeMap<PathBuf, u64>) {
        match self {
            Self::Create(path, id) => {
                names.insert(path.clone(), *id);
            }
            Self::Rename(from, to) => {
                if let Some(id) = names.remove(from) {
                    names.insert(to.clone(), id);
                }
            }
            Self::Remove(path) => {
                names.remove(path);
            }
        }
    }

    fn folder(&self) -> Option<&Path> {
        match self {
            Self::Create(path, _) | Self::Rename(path, _) | Self::Remove(path) => path.parent(),
        }
    }
}

impl State {
    fn due(&mut self, kinds: &[FaultKind]) -> io::Result<Option<FaultKind>> {
        self.faults.due(kinds)
    }

    /// The same for an operation that answers EIO whatever fails.
    fn fails(&mut self, kind: FaultKind) -> io::Result<()> {
        self.due(&[kind])?.map_or(Ok(()), |_| Err(eio()))
    }

    fn change(&mut self, change: NameChange) {
        change.apply(&mut self.names);
        self.name_changes.push(change);
    }

    fn room(&self) -> u64 {
        let Some(all) = self.capacity else {
            return u64::MAX;
        };
        let named = self.names.values().filter_map(|id| self.files.get(id));
        let used: u64 = named.map(|file| file.bytes().len() as u64).sum();
        all.saturating_sub(used)
    }
}

/// The bytes with one bit wrong, and which byte that is.
fn flipped(bytes: &[u8], bit: u64) -> (Vec<u8>, u64) {
    let mut bytes = bytes.to_vec();
    let bits = (bytes.len() as u64 * 8).max(1);
    let bit = (bytes.len() as u64 / 2 * 8 + bit) % bits;
    if let Some(byte) = bytes.get_mut((bit / 8) as usize) {
        *byte ^= 1 << (bit % 8);
    }
    (bytes, bit / 8)
}

fn eio() -> io::Error {
    io::Error::from_raw_os_error(5)
}

fn not_found() -> io::Error {
    io::Error::from(io::ErrorKind::NotFound)
}

impl Disk for SimulatedDisk {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn DiskFile>> {
        let mut state = self.state();
        match mode {
            OpenMode::Create => state.fails(FaultKind::Create)?,
            OpenMode::Read | OpenMode::Write => drop(state.due(&[])?),
        }
        let found = state.names.get(path).copied();
        let id = match (mode, found) {
            (OpenMode::Create, _) => {
                if !path
                    .parent()
                    .is_some_and(|folder| state.folders.contains(folder))
                {
                    return Err(not_found());
                }
                state.next_id += 1;
                let id = state.next_id;
                state.files.insert(id, FileState::default());
                state.change(NameChange::Create(path.to_owned(), id));
                id
            }
            (_, Some(id)) => id,
            (_, None) => return Err(not_found()),
        };
        Ok(Arc::new(SimulatedFile {
            disk: self.clone(),
            id,
            writable: mode != OpenMode::Read,
        }))
    }

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.due(&[])?;
        state.folders.extend(path.ancestors().map(Path::to_owned));
        Ok(())
    }

    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        let mut state = self.state();
        state.fails(FaultKind::Read)?;
        if !state.folders.contains(path) {
            return Err(not_found());
        }
        let inside = state.names.keys().chain(&state.folders);
        let mut names: Vec<_> = inside
            .filter(|name| name.parent() == Some(path))
            .filter_map(|name| Some(name.file_name()?.to_string_lossy().into_owned()))
            .collect();
        names.sort();
        Ok(names)
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        let mut state = self.state();
        state.due(&[])?;
        Ok(state.names.contains_key(path) || state.folders.contains(path))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.fails(FaultKind::Rename)?;
        if !state.names.contains_key(from) {
            return Err(not_found());
        }
        state.change(NameChange::Rename(from.to_owned(), to.to_owned()));
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.fails(FaultKind::Remove)?;
        if !state.names.contains_key(path) {
            return Err(not_found());
        }
        state.change(NameChange::Remove(path.to_owned()));
        Ok(())
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.fails(FaultKind::SyncFolder)?;
        let State {
            name_changes,
            lasting_names,
            ..
        } = &mut *state;
        name_changes.retain(|change| {
            let covered = change.folder() == Some(path);
            if covered {
                change.apply(lasting_names);
            }
            !covered
        });
        Ok(())
    }

    fn room(&self, _path: &Path) -> io::Result<Option<Room>> {
        let state = self.state();
        Ok(state.capacity.map(|total| Room {
            free: state.room(),
            total,
        }))
    }

    fn lock(&self, path: &Path, mode: LockMode) -> io::Result<Option<Box<dyn LockGuard>>> {
        let mut state = self.state();
        state.due(&[])?;
        let held = state.locks.get(path).copied();
        let holders = match (held, mode) {
            (None, _) => 1,
            (Some((LockMode::Shared, holders)), LockMode::Shared) => holders + 1,
            _ => return Ok(None),
        };
        state.locks.insert(path.to_owned(), (mode, holders));
        Ok(Some(Box::new(SimulatedLock {
            disk: self.clone(),
            path: path.to_owned(),
        })))
    }
}

#[derive(Debug)]
struct SimulatedLock {
    disk: SimulatedDisk,
    path: PathBuf,
}

impl LockGuard for SimulatedLock {}

impl Drop for SimulatedLock {
    fn drop(&mut self) {
        let mut state = self.disk.state();
        if let Some((mode, holders)) = state.locks.remove(&self.path)
            && holders > 1
        {
            state.locks.insert(self.path.clone(), (mode, holders - 1));
        }
    }
}

#[derive(Debug)]
struct SimulatedFile {
    disk: SimulatedDisk,
    id: u64,
    writable: bool,
}

impl SimulatedFile {
    fn with<T>(
        &self,
        kinds: &[FaultKind],
        act: impl FnOnce(&mut FileState, Option<FaultKind>, u64) -> io::Result<T>,
    ) -> io::Result<T> {
        let mut state = self.disk.state();
        let due = state.due(kinds)?;
        let room = state.room();
        let changes = kinds != [FaultKind::Read] && !kinds.is_empty();
        if changes && !self.writable {
            return Err(io::Error::from(io::ErrorKind::PermissionDenied));
        }
        let file = state.files.get_mut(&self.id).ok_or_else(not_found)?;
        act(file, due, room)
    }
}

impl DiskFile for SimulatedFile {
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        let read = self.with(&[FaultKind::Read], |file, due, _| {
            due.map_or(Ok(()), |_| Err(eio()))?;
            let start = usize::try_from(offset).unwrap_or(usize::MAX);
            let rest = file.bytes().get(start..).unwrap_or_default();
            let count = rest.len().min(bytes.len());
            for (to, from) in bytes.iter_mut().zip(rest) {
                *to = *from;
            }
            Ok(count)
        })?;
        self.disk.state().read += read as u64;
        Ok(read)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let kinds = [
            FaultKind::Write,
            FaultKind::ShortWrite,
            FaultKind::NoSpace,
            FaultKind::Flip,
        ];
        let mut wrong = None;
        let bit = self.disk.state().flipped_bit;
        let written = self.with(&kinds, |file, due, room| {
            let flipped = (due == Some(FaultKind::Flip)).then(|| flipped(bytes, bit));
            wrong = flipped.as_ref().map(|(_, at)| offset + at);
            let bytes = flipped.as_ref().map_or(bytes, |(bytes, _)| bytes);
            let end = offset + bytes.len() as u64;
            let growth = end.saturating_sub(file.bytes().len() as u64);
            let (kept, error) = match due.filter(|kind| *kind != FaultKind::Flip) {
                Some(FaultKind::Write) => (0, Some(eio())),
                Some(FaultKind::ShortWrite) => (bytes.len() / 2, Some(eio())),
                Some(_) => (bytes.len() / 2, Some(io::ErrorKind::StorageFull.into())),
                None if growth > room => {
                    let fits = (bytes.len() as u64).saturating_sub(growth - room) as usize;
                    (fits, Some(io::ErrorKind::StorageFull.into()))
                }
                None => (bytes.len(), None),
            };
            file.write(offset, bytes.get(..kept).unwrap_or_default());
            error.map_or(Ok(()), Err)
        });
        let flips = wrong.map(|at| (self.id, at));
        self.disk.state().flips.extend(flips);
        written
    }

    fn len(&self) -> io::Result<u64> {
        self.with(&[], |file, _, _| Ok(file.bytes().len() as u64))
    }

    fn set_len(&self, bytes: u64) -> io::Result<()> {
        self.with(&[FaultKind::SetLength], |file, due, _| {
            due.map_or(Ok(()), |_| Err(eio()))?;
            file.set_len(bytes);
            Ok(())
        })
    }

    fn reserve(&self, _bytes: u64) -> io::Result<()> {
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        self.with(&[FaultKind::Sync], |file, due, _| {
            file.sync(due.is_none());
            due.map_or(Ok(()), |_| Err(eio()))
        })
    }
}

/// A small generator of chance (SplitMix64), so that a seed gives the same disk for ever.
#[derive(Clone, Debug)]
pub(crate) struct Chance(u64);

impl Chance {
    /// The numbers of a seed.
    #[cfg(test)]
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `limit`, which is at least 1.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit.max(1)
    }
}
