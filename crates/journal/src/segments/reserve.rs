//! Room that is kept for the last records of a full disk, and warnings before it is full.
//!
//! `DIR/reserve` takes room and holds nothing. When the disk is full and a group holds only records
//! that must fit (something was lost or refused, the log is closed), the file is emptied and the
//! group written into the room that it had. Once there is plenty of room again, it is filled anew.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::disk::{Disk, DiskFile, OpenMode, Room};

/// The name of the file.
const RESERVE: &str = "reserve";
/// The most that is kept, enough for some hundred thousand records; on a small disk a 64th of it.
const BYTES_MAX: u64 = 16 * 1024 * 1024;
/// How much must have been written before the room is looked at again.
const LOOK_EVERY: u64 = 8 * 1024 * 1024;

/// A tenth of a large disk is years of room for a log.
const LOW_BYTES: u64 = 8 * 1024 * 1024 * 1024;
const URGENT_BYTES: u64 = 1024 * 1024 * 1024;

/// Whether so many bytes can be written that need not be, without writing being about to stop.
pub(super) fn has_room(disk: &dyn Disk, folder: &Path, bytes: u64) -> bool {
    let room = disk.room(folder).ok().flatten();
    room.is_none_or(|room| room.free.saturating_sub(bytes) >= urgent(room))
}

/// How much room is kept now; 0 where that cannot be told.
pub(super) fn kept_bytes(disk: &dyn Disk, folder: &Path) -> u64 {
    let path = folder.join(RESERVE);
    let file = disk.open(&path, OpenMode::Read).and_then(|file| file.len());
    file.unwrap_or(0)
}

/// With less free room than this, writing is about to stop.
fn urgent(room: Room) -> u64 {
    (room.total / 50).min(URGENT_BYTES)
}

/// How full the disk is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    #[default]
    Plenty,
    /// Less than a tenth is free, and less than 8 GiB: somebody should look.
    Low,
    /// Less than a fiftieth is free, and less than 1 GiB: writing is about to stop.
    Urgent,
}

/// The reserve of a data folder.
#[derive(Debug)]
pub(super) struct Reserve {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    /// How long the file is to be; 0 where the system does not say how much room there is.
    wanted: u64,
    file: Option<Arc<dyn DiskFile>>,
    level: Level,
    written: u64,
}

impl Reserve {
    /// Takes the room. Where there is none, that is said, and writing goes on without a reserve.
    pub(super) fn open(disk: Arc<dyn Disk>, folder: &Path) -> Self {
        let room = disk.room(folder).ok().flatten();
        let mut reserve = Self {
            path: folder.join(RESERVE),
            wanted: room.map_or(0, |room| (room.total / 64).min(BYTES_MAX)),
            disk,
            file: None,
            level: Level::Plenty,
            written: 0,
        };
        reserve.file = reserve.kept();
        reserve.look(room);
        reserve
    }

    /// The room that an earlier process took, if it did not have to use it.
    fn kept(&self) -> Option<Arc<dyn DiskFile>> {
        let there = self.disk.exists(&self.path).ok()?;
        let file = there.then(|| self.disk.open(&self.path, OpenMode::Write).ok());
        file.flatten()
            .filter(|file| !file.is_empty().unwrap_or(true))
    }

    /// Notes what has been written, and looks at the room from time to time.
    pub(super) fn note(&mut self, bytes: u64) {
        self.written = self.written.saturating_add(bytes);
        if self.written >= LOOK_EVERY || (self.file.is_none() && self.wanted > 0) {
            self.written = 0;
            self.look(self.disk.room(&self.path).ok().flatten());
        }
    }

    /// Gives the room away; answers whether there was any.
    pub(super) fn give(&mut self) -> bool {
        let Some(file) = self.file.take() else {
            return false;
        };
        tracing::warn!(file = %self.path.display(), bytes = self.wanted, "the disk is full; the last records use the reserve");
        file.set_len(0).and_then(|()| file.sync_data()).is_ok()
    }

    fn look(&mut self, room: Option<Room>) {
        let Some(room) = room else { return };
        let level = match room.free {
            free if free < urgent(room) => Level::Urgent,
            free if free < (room.total / 10).min(LOW_BYTES) => Level::Low,
            _ => Level::Plenty,
        };
        if level > self.level {
            tracing::warn!(folder = %self.path.display(), free = room.free, total = room.total, "the disk is getting full: make room, or writing will stop");
        }
        self.level = level;
        if self.file.is_none() && self.wanted > 0 && room.free > self.wanted.saturating_mul(4) {
            match self.take() {
                Ok(file) => self.file = Some(file),
                Err(error) => {
                    tracing::warn!(file = %self.path.display(), %error, "no room could be kept for the last records of a full disk");
                    self.wanted = 0;
                }
            }
        }
    }

    fn take(&self) -> std::io::Result<Arc<dyn DiskFile>> {
        let mode = if self.disk.exists(&self.path)? {
            OpenMode::Write
        } else {
            OpenMode::Create
        };
        let file = self.disk.open(&self.path, mode)?;
        if file.len()? != self.wanted {
            file.reserve(self.wanted)?;
            file.set_len(self.wanted)?;
            file.sync_data()?;
        }
        Ok(file)
    }
}
