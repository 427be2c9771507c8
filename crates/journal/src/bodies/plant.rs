//! The files of one plant's sample bodies, and the one among them that takes more.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use werkbuch_model::time::Timestamp;
use werkbuch_proof::Hash;

use super::BodyLimits;
use super::file::{self, FILE_HEADER_BYTES, Place, Start};
use super::marks::Marks;
use crate::StoreError;
use crate::disk::{Disk, DiskFile, OpenMode};

/// The bodies of one plant.
#[derive(Debug)]
pub(super) struct PlantBodies {
    pub(super) folder: PathBuf,
    /// All files by their generation, with the one that takes more.
    pub(super) files: BTreeMap<u64, BodyFile>,
    pub(super) current: Option<Current>,
    /// What was deleted.
    pub(super) marks: Marks,
    /// Whether the marks could not be written yet.
    pub(super) unsaved: bool,
    /// A next file was wanted and may have been begun: nothing is put until it is there, because a
    /// reader of a later process might look for it there.
    pub(super) next_due: bool,
    /// No event that was recorded later has its body in a file. Before the first body of this process:
    /// where the log ended when it was opened.
    pub(super) last_put: Timestamp,
}

/// What is known of a file without opening it.
#[derive(Clone, Debug)]
pub(super) struct BodyFile {
    pub(super) path: PathBuf,
    /// From when on what is recorded has its body here or later; absent when the header is damaged.
    pub(super) start: Option<Timestamp>,
    /// Its length when it took the last body.
    pub(super) bytes: u64,
}

/// The file that takes more bodies.
#[derive(Debug)]
pub(super) struct Current {
    pub(super) generation: u64,
    pub(super) path: PathBuf,
    pub(super) file: Arc<dyn DiskFile>,
    /// Where each body lies.
    pub(super) places: BTreeMap<Hash, Place>,
    /// What was put since the last sync: it is not given out yet.
    pub(super) fresh: BTreeMap<Hash, Place>,
    /// Where the next body goes: behind the last one that is synced or waits for a sync.
    pub(super) end: u64,
    pub(super) synced_end: u64,
    /// Whether a write failed behind `end`.
    pub(super) spoilt: bool,
    /// By when its first body was recorded; absent while it has none.
    pub(super) since: Option<Timestamp>,
}

impl PlantBodies {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            files: BTreeMap::new(),
            current: None,
            marks: Marks::default(),
            unsaved: false,
            next_due: false,
            last_put: Timestamp::MIN,
        }
    }

    /// Opens the files in a folder, while the log of the plant ends at `last`. Nothing in the folder is
    /// changed but for a file that was just being created, which is removed.
    pub(super) fn open(
        disk: &dyn Disk,
        folder: PathBuf,
        last: Timestamp,
        read_only: bool,
    ) -> Result<Self, StoreError> {
        let mut plant = Self::new(folder);
        plant.last_put = last;
        plant.marks = Marks::read(disk, &plant.folder)?;
        let names = disk.list(&plant.folder);
        let names = names.map_err(|e| StoreError::io("list", &plant.folder, e))?;
        let generations = names.iter().filter_map(|name| file::generation_of(name));
        let mut generations: Vec<_> = generations.collect();
        generations.sort_unstable();
        for generation in &generations {
            let path = file::path(&plant.folder, *generation);
            plant.open_file(disk, *generation, path, read_only)?;
        }
        plant.warn_of_holes();
        if !read_only {
            plant.open_current(disk)?;
        }
        Ok(plant)
    }

    fn open_file(
        &mut self,
        disk: &dyn Disk,
        generation: u64,
        path: PathBuf,
        read_only: bool,
    ) -> Result<(), StoreError> {
        let opened = disk.open(&path, OpenMode::Read);
        let opened = opened.map_err(|e| StoreError::io("open", &path, e))?;
        let start = match file::read_start(&*opened, &path, generation)? {
            Start::At(start) => Some(start),
            Start::Unfinished if read_only => return Ok(()),
            Start::Unfinished => {
                let removed = disk
                    .remove(&path)
                    .and_then(|()| disk.sync_dir(&self.folder));
                return removed.map_err(|e| StoreError::io("remove", &path, e));
            }
            Start::Unknown => {
                tracing::warn!(path = %path.display(), "the header of a file of sample bodies is damaged; the bodies behind it are still served, and are deleted with the file after it");
                None
            }
        };
        let bytes = opened.len();
        let bytes = bytes.map_err(|e| StoreError::io("measure", &path, e))?;
        let file = BodyFile { path, start, bytes };
        self.files.insert(generation, file);
        Ok(())
    }

    /// Deletions leave no hole: whoever made one did it by hand.
    fn warn_of_holes(&self) {
        let later = self.files.iter().skip(1);
        for ((before, _), (generation, file)) in self.files.iter().zip(later) {
            if *generation != before.saturating_add(1) {
                tracing::warn!(path = %file.path.display(), missing = generation - before - 1, "files of sample bodies are missing before this one; what they held is said to be lost");
            }
        }
    }

    /// Goes on with the last file if it is empty. Others are followed by a new one: nobody knows whether
    /// what they end with is a tear, or was left in memory by a sync that failed in a process before.
    fn open_current(&mut self, disk: &dyn Disk) -> Result<(), StoreError> {
        let Some((generation, last)) = self.files.last_key_value() else {
            return Ok(());
        };
        let Some(start) = last
            .start
            .filter(|_| last.bytes == FILE_HEADER_BYTES as u64)
        else {
            return Ok(());
        };
        let opened = disk.open(&last.path, OpenMode::Write);
        let opened = opened.map_err(|e| StoreError::io("open", &last.path, e))?;
        let generation = *generation;
        self.go_on_in(generation, start, opened);
        Ok(())
    }

    /// Whether the next body needs a next file.
    pub(super) fn wants_next(&self, limits: BodyLimits, at: Timestamp) -> bool {
        self.next_due
            || self.current.as_ref().is_none_or(|current| {
                current.synced_end >= limits.bytes_max || current.has_aged(limits, at)
            })
    }

    /// Whether the last file should end so that it can be deleted one day: it is old enough, or
    /// damage keeps it from being continued.
    pub(super) fn wants_seal(&self, limits: BodyLimits, now: Timestamp) -> bool {
        match &self.current {
            None => !self.files.is_empty(),
            Some(current) => self.next_due || current.has_aged(limits, now),
        }
    }

    pub(super) fn next_generation(&self) -> u64 {
        let last = self.files.last_key_value();
        last.map_or(1, |(generation, _)| generation.saturating_add(1))
    }

    /// From when on what is recorded has its body in a next file, while the log ends at `last`. A group
    /// that was not committed may have put bodies of a later time, which nothing names.
    pub(super) fn next_start(&self, last: Timestamp) -> Timestamp {
        let starts = self.files.values().rev();
        let before = starts.filter_map(|file| file.start).next();
        let start = self.last_put.min(last).plus(1);
        // Starts never go back, also after an older log was restored.
        start.max(before.unwrap_or(start))
    }

    /// A next file was created, or an empty one is gone on with.
    pub(super) fn go_on_in(&mut self, generation: u64, start: Timestamp, file: Arc<dyn DiskFile>) {
        self.note_length();
        let path = file::path(&self.folder, generation);
        let bytes = FILE_HEADER_BYTES as u64;
        let known = BodyFile {
            path: path.clone(),
            start: Some(start),
            bytes,
        };
        self.files.insert(generation, known);
        self.current = Some(Current {
            generation,
            path,
            file,
            places: BTreeMap::new(),
            fresh: BTreeMap::new(),
            end: bytes,
            synced_end: bytes,
            spoilt: false,
            since: None,
        });
        self.next_due = false;
    }

    /// Notes how long the current file has become.
    pub(super) fn note_length(&mut self) {
        if let Some(current) = &self.current
            && let Some(file) = self.files.get_mut(&current.generation)
        {
            file.bytes = current.synced_end;
        }
    }

    /// The files that may hold the body of an event recorded then: the one of its time, and those of
    /// nobody knows when.
    pub(super) fn candidates(&self, recorded_at: Timestamp) -> Vec<u64> {
        let started = |file: &BodyFile| file.start.is_some_and(|start| start <= recorded_at);
        let of_its_time = self.files.iter().rfind(|(_, file)| started(file));
        let unknown = self.files.iter().filter(|(_, file)| file.start.is_none());
        let unknown = unknown.map(|(generation, _)| *generation);
        of_its_time
            .map(|(generation, _)| *generation)
            .into_iter()
            .chain(unknown)
            .collect()
    }

    /// The files that are followed by another, each with the time before which all that it holds was
    /// recorded, the oldest first.
    pub(super) fn sealed(&self) -> impl Iterator<Item = (u64, &BodyFile, Timestamp)> {
        self.files.iter().filter_map(|(generation, file)| {
            let mut later = self.files.range(generation.saturating_add(1)..);
            let end = later.find_map(|(_, later)| later.start)?;
            Some((*generation, file, end))
        })
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Current {
    fn has_aged(&self, limits: BodyLimits, at: Timestamp) -> bool {
        self.since
            .is_some_and(|since| at.since(since) >= limits.span_ns)
    }

    /// Writes a body behind the others, unless it is there.
    pub(super) fn put(
        &mut self,
        hash: Hash,
        body: &[u8],
        recorded_at: Timestamp,
    ) -> Result<(), StoreError> {
        self.since.get_or_insert(recorded_at);
        if self.places.contains_key(&hash) || self.fresh.contains_key(&hash) {
            return Ok(());
        }
        let record = file::encode(hash, body);
        if let Err(error) = self.file.write_at(&record, self.end) {
            self.spoilt = true;
            return Err(StoreError::io("write", &self.path, error));
        }
        let place = Place {
            offset: self.end,
            length: body.len(),
        };
        self.fresh.insert(hash, place);
        self.end = self.end.saturating_add(record.len() as u64);
        Ok(())
    }

    /// What was put is synced.
    pub(super) fn keep(&mut self) {
        self.synced_end = self.end;
        self.places.append(&mut self.fresh);
    }

    /// Takes back what was put and not synced.
    pub(super) fn undo(&mut self) -> Result<(), StoreError> {
        if self.end > self.synced_end || self.spoilt {
            let undone = cut(&*self.file, self.synced_end);
            undone.map_err(|e| StoreError::io("cut", &self.path, e))?;
        }
        self.spoilt = false;
        self.fresh.clear();
        self.end = self.synced_end;
        Ok(())
    }
}

fn cut(file: &dyn DiskFile, end: u64) -> std::io::Result<()> {
    if file.len()? > end {
        file.set_len(end)?;
        file.sync_data()?;
    }
    Ok(())
}
