//! The disk under the log, with a watch on every sync and a count of every byte written.

use crate::meter::Meter;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;
use werkbuch_journal::disk::{Disk, DiskFile, LockGuard, LockMode, OpenMode, Room};

/// A disk that is measured; it does what the one beneath does.
#[derive(Debug)]
pub(crate) struct MeteredDisk {
    disk: Arc<dyn Disk>,
    meter: Arc<Meter>,
}

/// A file of a measured disk.
#[derive(Debug)]
struct MeteredFile {
    file: Arc<dyn DiskFile>,
    meter: Arc<Meter>,
}

impl MeteredDisk {
    pub(crate) fn new(disk: Arc<dyn Disk>, meter: Arc<Meter>) -> Self {
        Self { disk, meter }
    }
}

impl Disk for MeteredDisk {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn DiskFile>> {
        let file = self.disk.open(path, mode)?;
        let meter = Arc::clone(&self.meter);
        Ok(Arc::new(MeteredFile { file, meter }))
    }

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        self.disk.create_dir_all(path)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        self.disk.list(path)
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        self.disk.exists(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.disk.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.disk.remove(path)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.disk.sync_dir(path)
    }

    fn room(&self, path: &Path) -> io::Result<Option<Room>> {
        self.disk.room(path)
    }

    fn lock(&self, path: &Path, mode: LockMode) -> io::Result<Option<Box<dyn LockGuard>>> {
        self.disk.lock(path, mode)
    }
}

impl DiskFile for MeteredFile {
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        self.file.read_at(bytes, offset)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.file.write_at(bytes, offset)?;
        self.meter.written_bytes.add(bytes.len() as u64);
        Ok(())
    }

    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn set_len(&self, bytes: u64) -> io::Result<()> {
        self.file.set_len(bytes)
    }

    fn reserve(&self, bytes: u64) -> io::Result<()> {
        self.file.reserve(bytes)
    }

    fn sync_data(&self) -> io::Result<()> {
        let begin = Instant::now();
        let synced = self.file.sync_data();
        self.meter.sync.observe(begin.elapsed());
        synced
    }
}
