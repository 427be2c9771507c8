//! The little that the journal wants from a disk, so that tests can give it a worse one.

use std::fmt::Debug;
use std::io;
use std::path::Path;
use std::sync::Arc;

mod real;
#[cfg(any(test, feature = "simulated"))]
mod simulated;

pub use real::RealDisk;
#[cfg(test)]
pub(crate) use simulated::Chance;
#[cfg(any(test, feature = "simulated"))]
pub use simulated::{FaultKind, SimulatedDisk};

/// How a file is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenMode {
    /// An existing file, for reading.
    Read,
    /// An existing file, for reading and writing.
    Write,
    /// A new file, for reading and writing; one that exists is emptied.
    Create,
}

/// How a lock is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockMode {
    /// Nobody else may hold the lock. The lock file is created if it is missing.
    Exclusive,
    /// Others may hold the lock in the same way. A missing lock file needs no lock.
    Shared,
}

/// A lock that is held until this is dropped.
pub trait LockGuard: Send + Sync + Debug {}

/// A folder tree with files.
///
/// What is written lasts through a power cut only once it is synced: bytes and length of a file by
/// [`DiskFile::sync_data`], the coming and going of names by [`Disk::sync_dir`].
pub trait Disk: Send + Sync + Debug {
    /// Opens a file.
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn DiskFile>>;
    /// Creates a folder and those above it; it is no error if it exists. Lasting at once, unless it
    /// fails: a real disk syncs every folder in which it created one.
    fn create_dir_all(&self, path: &Path) -> io::Result<()>;
    /// The names in a folder, sorted.
    fn list(&self, path: &Path) -> io::Result<Vec<String>>;
    /// Whether a file or folder of this name exists.
    fn exists(&self, path: &Path) -> io::Result<bool>;
    /// Renames a file; one that has the new name already is replaced in one step.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Makes the names in a folder lasting.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;
    /// How much room there is where a file or folder lies; nothing where the system does not say.
    fn room(&self, path: &Path) -> io::Result<Option<Room>> {
        let _ = path;
        Ok(None)
    }
    /// Takes a lock on a file, or answers `None` if somebody holds it. Never waits.
    fn lock(&self, path: &Path, mode: LockMode) -> io::Result<Option<Box<dyn LockGuard>>>;
}

/// The room on a disk, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// What can still be written.
    pub free: u64,
    /// What there is in all.
    pub total: u64,
}

/// An open file, which several threads may read and write at places of their own.
pub trait DiskFile: Send + Sync + Debug {
    /// Reads up to `bytes.len()` bytes from `offset`; fewer only at the end of the file.
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize>;
    /// Writes all bytes at `offset`. After an error any part of them may have been written.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;
    /// The length of the file in bytes.
    fn len(&self) -> io::Result<u64>;
    /// Whether the file holds no bytes.
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }
    /// Cuts the file, or lengthens it with zeros.
    fn set_len(&self, bytes: u64) -> io::Result<()>;
    /// Takes room for the file up to this length without changing its length, so that writing up to
    /// there neither fails for want of room nor has to look for it. Where the file system cannot,
    /// nothing happens and that is no error.
    fn reserve(&self, bytes: u64) -> io::Result<()> {
        let _ = bytes;
        Ok(())
    }
    /// Returns once all that was written to the file lasts. After an error nobody knows what lasts,
    /// and a later success does not tell either.
    fn sync_data(&self) -> io::Result<()>;
}
