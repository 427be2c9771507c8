//! The witness beside the database: what was acknowledged, so that the database cannot forget unnoticed.
//!
//! The database leaves out what it cannot read at the live end of its file, and all behind it, without
//! a word: a power cut looks so, and a flipped bit does too. So two files beside it note where each
//! plant's log ended after each group (drawn in `witness/format.rs`), and a start that finds less in the
//! database than they say is refused.
//!
//! A note is written when the database's sync has returned, so it never says too much. It is synced
//! together with the next group, in a thread beside the database's own sync, so that it costs no time;
//! closing syncs the last one. So a killed process leaves all notes, and a power cut may take the notes
//! of the last group alone.
//!
//! Notes are appended to one file until it is full. Then the other one is written anew with all plants;
//! the full one stays as it is, and its notes are on the disk by then.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use werkbuch_model::id::LogId;

use super::database::DATABASE;
use crate::StoreError;
use crate::disk::{Disk, DiskFile, OpenMode};
use crate::window::Window;
use format::{FORMAT, Found, Header, SECTOR};
pub(super) use format::{Noted, Plants};

mod format;

/// The names of the two files.
const FILES: [&str; 2] = ["witness.0", "witness.1"];
/// A file is at least so long: some dozens of notes.
const FILE_BYTES_MIN: usize = 32 * 1024;
/// ... and so many times as long as the note of all plants.
const FULL_NOTES: usize = 8;
/// None is longer.
const FILE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// What the files say at the opening.
#[derive(Debug, Default)]
pub(super) struct Testimony {
    pub(super) plants: Plants,
    /// The latest group of each file.
    groups: [Option<u64>; 2],
    /// What of them cannot be read, for the log of the server.
    unreadable: Vec<(PathBuf, u64)>,
    exists: [bool; 2],
}

/// The files while the log is open for writing.
#[derive(Debug)]
pub(super) struct Witness {
    disk: Arc<dyn Disk>,
    paths: [PathBuf; 2],
    folder_id: LogId,
    /// Everything that was noted.
    plants: Plants,
    /// Which file takes the next note.
    active: usize,
    file: Arc<dyn DiskFile>,
    /// Where the next note begins, and the length of the file.
    next: usize,
    length: usize,
    /// Whether something is not synced.
    dirty: bool,
}

impl Testimony {
    /// Reads both files; folders of earlier builds have none.
    pub(super) fn read(disk: &dyn Disk, data: &Path, folder_id: LogId) -> Result<Self, StoreError> {
        let mut testimony = Self::default();
        let mut found = Found::default();
        for (at, path) in paths(data).into_iter().enumerate() {
            let failed = |error| StoreError::io("read", &path, error);
            if !disk.exists(&path).map_err(failed)? {
                continue;
            }
            testimony.exists[at] = true;
            let file = disk.open(&path, OpenMode::Read).map_err(failed)?;
            let mut window = Window::new(&*file).map_err(failed)?;
            let bytes = window.get(0, FILE_BYTES_MAX).map_err(failed)?;
            let mut torn = None;
            match format::parse_header(bytes) {
                Header::Of(id) if id == folder_id => {}
                Header::Of(_) => {
                    let what = "belongs to another data folder: put back the file that was here, or \
                                restore the whole folder from a backup";
                    let what = what.into();
                    return Err(StoreError::Marker { path, what });
                }
                Header::Format(format) => {
                    let what = format!(
                        "has version {format}, and this build reads version {FORMAT}: use the build \
                         that wrote it"
                    );
                    return Err(StoreError::Marker { path, what });
                }
                // The notes carry sums of their own.
                Header::Bad => torn = Some(0),
            }
            let read = Found::read(bytes);
            testimony.groups[at] = read.group;
            let torn = torn.or(read.unreadable);
            testimony
                .unreadable
                .extend(torn.map(|offset| (path, offset)));
            found.add(read.plants);
        }
        testimony.plants = found.plants;
        testimony.tell();
        Ok(testimony)
    }

    fn tell(&self) {
        for (file, offset) in &self.unreadable {
            tracing::warn!(file = %file.display(), offset, "a note of what was acknowledged cannot be read: a power cut tore it, or the file is damaged; the notes are written anew");
        }
    }
}

impl Witness {
    /// Writes the notes anew, with what the log holds now. What was said before stays until that is
    /// on the disk.
    pub(super) fn begin(
        disk: &Arc<dyn Disk>,
        data: &Path,
        folder_id: LogId,
        before: &Testimony,
        (group, plants): (u64, Plants),
    ) -> Result<Self, StoreError> {
        let paths = paths(data);
        let older = usize::from(before.groups[1] < before.groups[0]);
        let (length, bytes) = content(folder_id, group, &plants);
        let file = rewritten(&**disk, &paths[older], &bytes)?;
        let sync = |file: &dyn DiskFile, path: &Path| {
            let synced = file.sync_data();
            synced.map_err(|error| StoreError::io("sync", path, error))
        };
        sync(&*file, &paths[older])?;
        let other = 1 - older;
        if !before.exists[other] {
            sync(&*rewritten(&**disk, &paths[other], &bytes)?, &paths[other])?;
        }
        if before.exists != [true; 2] {
            let folder = data.join(DATABASE);
            let synced = disk.sync_dir(&folder);
            synced.map_err(|error| StoreError::io("sync", &folder, error))?;
        }
        Ok(Self {
            disk: Arc::clone(disk),
            paths,
            folder_id,
            plants,
            active: older,
            file,
            next: length,
            length: bytes.len(),
            dirty: false,
        })
    }

    /// What is noted of a plant.
    pub(super) fn plant(&self, plant: &werkbuch_model::id::PlantId) -> Option<&Noted> {
        self.plants.get(plant)
    }

    /// Notes what the database has synced.
    pub(super) fn note(&mut self, group: u64, changed: Plants) -> Result<(), StoreError> {
        let note = format::note(group, &changed);
        self.plants.extend(changed);
        if self.next + note.len() > self.length {
            return self.turn(group);
        }
        self.write(&note)?;
        self.next += note.len();
        Ok(())
    }

    /// Returns once all notes last.
    pub(super) fn sync(&mut self) -> Result<(), StoreError> {
        if self.dirty {
            let synced = self.file.sync_data();
            synced.map_err(|error| StoreError::io("sync", &self.paths[self.active], error))?;
            self.dirty = false;
        }
        Ok(())
    }

    pub(super) fn is_synced(&self) -> bool {
        !self.dirty
    }

    /// Goes on in the other file, with all plants.
    fn turn(&mut self, group: u64) -> Result<(), StoreError> {
        // The notes of the full file must be on the disk before those of the other one go.
        self.sync()?;
        let other = 1 - self.active;
        let (length, bytes) = content(self.folder_id, group, &self.plants);
        self.file = rewritten(&*self.disk, &self.paths[other], &bytes)?;
        (self.active, self.next, self.length) = (other, length, bytes.len());
        self.dirty = true;
        Ok(())
    }

    fn write(&mut self, note: &[u8]) -> Result<(), StoreError> {
        let written = self.file.write_at(note, self.next as u64);
        written.map_err(|error| StoreError::io("write", &self.paths[self.active], error))?;
        self.dirty = true;
        Ok(())
    }
}

/// The files of the witness of a data folder.
pub(super) fn paths(data: &Path) -> [PathBuf; 2] {
    FILES.map(|name| data.join(DATABASE).join(name))
}

/// A file with the note of all plants, and where the next note begins in it.
fn content(folder_id: LogId, group: u64, plants: &Plants) -> (usize, Vec<u8>) {
    let note = format::note(group, plants);
    let length = FILE_BYTES_MIN.max(note.len().saturating_mul(FULL_NOTES));
    let mut bytes = format::header(folder_id);
    bytes.extend_from_slice(&note);
    let next = bytes.len();
    // The room is taken at once: a sync of what lies in it then writes nothing else.
    bytes.resize(length.max(next).next_multiple_of(SECTOR), 0);
    (next, bytes)
}

/// Writes a file from its beginning.
fn rewritten(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> Result<Arc<dyn DiskFile>, StoreError> {
    let failed = |error| StoreError::io("write", path, error);
    let length = bytes.len() as u64;
    let fits = |file: &Arc<dyn DiskFile>| file.len().is_ok_and(|found| found == length);
    let old = disk.open(path, OpenMode::Write).ok().filter(fits);
    let file = match old {
        Some(file) => file,
        None => disk.open(path, OpenMode::Create).map_err(failed)?,
    };
    file.write_at(bytes, 0).map_err(failed)?;
    Ok(file)
}
