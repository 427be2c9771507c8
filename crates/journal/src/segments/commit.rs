//! Commits groups: writes what is not refused in one piece and syncs once.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::SyncSender;

use werkbuch_model::id::{LogId, PlantId};
use werkbuch_record::block::{BlockBuilder, SealedBlock};

use super::recover::{LOG, Recovered};
use super::reserve::Reserve;
use super::wal::{self, ALIGNMENT, FileHeader};
use super::{Index, Shared};
use crate::disk::{Disk, DiskFile, LockGuard, OpenMode};
use crate::index::PlantIndex;
use crate::judge::{End, judge};
use crate::{Outcome, Proposal, StoreError};

/// The one who writes to the log; callers take turns.
#[derive(Debug)]
pub(super) struct Writer {
    disk: Arc<dyn Disk>,
    folder: PathBuf,
    folder_id: LogId,
    wal_bytes_max: u64,
    lock: Option<Box<dyn LockGuard>>,
    mode: Mode,
    /// The file that takes the next group, if it need not be a new one.
    current: Option<Arc<dyn DiskFile>>,
    /// The number of the latest file.
    generation: u64,
    /// Where the committed part of the current file ends.
    end: u64,
    /// The number of the last group.
    group: u64,
    /// Who is told when a file is full.
    sealer: Option<SyncSender<()>>,
    /// Room for the last records; nobody who only reads has one.
    reserve: Option<Reserve>,
}

#[derive(Debug)]
enum Mode {
    Open,
    ReadOnly,
    Closed,
    /// A write could not be made sure, for this reason.
    Stopped(String),
}

/// Why a group did not get into the log.
#[derive(Debug)]
enum Failure {
    /// Nothing of it is there.
    Undone(StoreError),
    /// Nobody knows what of it is there.
    Unknown(StoreError),
}

impl Writer {
    pub(super) fn new(
        disk: Arc<dyn Disk>,
        folder: &Path,
        recovered: Recovered,
        wal_bytes_max: u64,
        read_only: bool,
    ) -> Self {
        let generation = recovered.generation();
        let reserve = (!read_only).then(|| Reserve::open(Arc::clone(&disk), folder));
        let last_file = recovered.files.last();
        let current = last_file.filter(|_| recovered.end > 0);
        if let (Some(file), false) = (current, read_only) {
            // Its cut has given back what was reserved behind its end.
            let _ = file.file.reserve(wal_bytes_max);
        }
        Self {
            disk,
            folder: folder.to_owned(),
            folder_id: recovered.folder_id,
            wal_bytes_max,
            lock: Some(recovered.lock),
            mode: if read_only {
                Mode::ReadOnly
            } else {
                Mode::Open
            },
            current: current.map(|file| Arc::clone(&file.file)),
            generation,
            end: recovered.end,
            group: recovered.scan.group.number,
            sealer: None,
            reserve,
        }
    }

    /// Names who is told when a file is full.
    pub(super) fn tell_full(&mut self, sealer: SyncSender<()>) {
        self.sealer = Some(sealer);
    }

    /// Tells nobody any more.
    pub(super) fn forget_sealer(&mut self) {
        self.sealer = None;
    }

    /// Errors: the log is open for reading only, closed or stopped.
    pub(super) fn check_writable(&self) -> Result<(), StoreError> {
        self.check_open()
    }

    /// See [`Store::commit`](crate::Store::commit).
    pub(super) fn commit(
        &mut self,
        shared: &Shared,
        group: Vec<Proposal>,
    ) -> Result<Vec<Outcome>, StoreError> {
        self.check_open()?;
        let number = self.group.saturating_add(1);
        let outcomes = {
            let index = shared.index();
            judge(&|plant| index.end(plant), &group, number)
        };
        let mut taken: Vec<Proposal> = group
            .into_iter()
            .zip(&outcomes)
            .filter(|(_, outcome)| matches!(outcome, Outcome::Committed { .. }))
            .map(|(proposal, _)| proposal)
            .collect();
        if taken.is_empty() {
            return Ok(outcomes);
        }
        match self.write(shared, &mut taken) {
            Ok(()) => Ok(outcomes),
            Err(Failure::Undone(error)) => Err(error),
            Err(Failure::Unknown(error)) => {
                self.stop(&error);
                let unknown = |outcome| match outcome {
                    Outcome::Committed { .. } => Outcome::Unknown,
                    other => other,
                };
                Ok(outcomes.into_iter().map(unknown).collect())
            }
        }
    }

    /// See [`Store::close`](crate::Store::close).
    pub(super) fn close(&mut self, shared: &Shared) -> Result<(), StoreError> {
        match self.mode {
            Mode::Closed => return Ok(()),
            Mode::ReadOnly => {}
            Mode::Open | Mode::Stopped(_) => {
                self.check_open()?;
                let mut marks = close_marks(&shared.index());
                if !marks.is_empty() {
                    self.write(shared, &mut marks)
                        .map_err(|failure| match failure {
                            Failure::Undone(error) => error,
                            Failure::Unknown(error) => {
                                self.stop(&error);
                                error
                            }
                        })?;
                    shared.index_mut().closed = Some(self.generation);
                }
            }
        }
        if let (Some(file), Mode::Open) = (&self.current, &self.mode) {
            // Gives back what was reserved behind the end; if that fails, a later file does it.
            let _ = file.set_len(self.end);
        }
        self.mode = Mode::Closed;
        self.lock = None;
        Ok(())
    }

    pub(super) fn check_open(&self) -> Result<(), StoreError> {
        let folder = self.folder.clone();
        match &self.mode {
            Mode::Open => Ok(()),
            Mode::ReadOnly => Err(StoreError::ReadOnly { folder }),
            Mode::Closed => Err(StoreError::Closed { folder }),
            Mode::Stopped(cause) => Err(StoreError::Stopped {
                folder,
                cause: cause.clone(),
            }),
        }
    }

    fn stop(&mut self, error: &StoreError) {
        tracing::error!(folder = %self.folder.display(), %error, "the log takes no more events until it is opened again");
        self.mode = Mode::Stopped(error.to_string());
    }

    /// Writes and syncs a group, bodies first, and lets readers see it.
    fn write(&mut self, shared: &Shared, group: &mut [Proposal]) -> Result<(), Failure> {
        self.write_bodies(shared, group).map_err(Failure::Undone)?;
        // The bodies of a group that is not written after all are harmless: nothing names them.
        let file = self.file(shared).map_err(Failure::Undone)?;
        let path = self.path();
        let number = self.group.saturating_add(1);
        let blocks = u32::try_from(group.len()).unwrap_or(u32::MAX);
        let mut bytes = Vec::new();
        let mut places = Vec::with_capacity(group.len());
        for (index, proposal) in (0..blocks).zip(group.iter_mut()) {
            proposal.block.place(self.generation, number, index, blocks);
            places.push(self.end.saturating_add(bytes.len() as u64));
            proposal.block.encode(&mut bytes);
            bytes.resize(bytes.len().next_multiple_of(ALIGNMENT as usize), 0);
        }
        let mut written = file.write_at(&bytes, self.end);
        if written.as_ref().is_err_and(is_full) && self.give_reserve(group) {
            written = file.write_at(&bytes, self.end);
        }
        if let Err(error) = written {
            let error = StoreError::io("write", &path, error);
            let undone = file.set_len(self.end).and_then(|()| file.sync_data());
            return Err(match undone {
                Ok(()) => Failure::Undone(error),
                Err(second) => {
                    tracing::error!(path = %path.display(), %second, "a failed write could not be taken back");
                    Failure::Unknown(error)
                }
            });
        }
        if let Err(error) = file.sync_data() {
            return Err(Failure::Unknown(StoreError::io("sync", &path, error)));
        }
        self.end = self.end.saturating_add(bytes.len() as u64);
        self.group = number;
        if let Some(reserve) = &mut self.reserve {
            reserve.note(bytes.len() as u64);
        }
        let mut index = shared.index_mut();
        for (proposal, place) in group.iter().zip(places) {
            index.add(proposal, place);
        }
        Ok(())
    }

    /// Gives the reserve to a group of records that must fit.
    fn give_reserve(&mut self, group: &[Proposal]) -> bool {
        let urgent = group.iter().all(|proposal| proposal.urgent);
        urgent && self.reserve.as_mut().is_some_and(Reserve::give)
    }

    /// Writes and syncs the sample bodies of a group. If that fails, nothing of the group is in the
    /// log.
    fn write_bodies(&mut self, shared: &Shared, group: &[Proposal]) -> Result<(), StoreError> {
        if let Err(error) = shared
            .bodies
            .put_all(group, |plant| shared.last_recorded_at(plant))
        {
            if let Err(second) = shared.bodies.undo() {
                self.stop(&second);
            }
            return Err(error);
        }
        if let Err(error) = shared.bodies.sync() {
            self.stop(&error);
            return Err(error);
        }
        Ok(())
    }

    /// The file that takes the next group, a new one if the current one is full or closed.
    fn file(&mut self, shared: &Shared) -> Result<Arc<dyn DiskFile>, StoreError> {
        if let Some(file) = &self.current
            && self.end < self.wal_bytes_max
        {
            return Ok(Arc::clone(file));
        }
        let generation = self.generation.saturating_add(1);
        let log = self.folder.join(LOG);
        let path = wal::path(&log, generation);
        match self.create(&log, &path, generation) {
            Ok(file) => {
                self.generation = generation;
                self.end = wal::FILE_HEADER_BYTES as u64;
                self.current = Some(Arc::clone(&file));
                let mut index = shared.index_mut();
                index.files.insert(generation, Arc::clone(&file));
                drop(index);
                if let Some(sealer) = &self.sealer {
                    // One note is enough, and where nobody listens any more, the next start seals.
                    let _ = sealer.try_send(());
                }
                Ok(file)
            }
            Err(error) => {
                let error = StoreError::io("create", &path, error);
                // A file that was begun must go, so that it cannot stand for a later one.
                let gone = match self.disk.exists(&path) {
                    Ok(false) => Ok(()),
                    Ok(true) => self
                        .disk
                        .remove(&path)
                        .and_then(|()| self.disk.sync_dir(&log)),
                    Err(error) => Err(error),
                };
                if gone.is_err() {
                    self.stop(&error);
                }
                Err(error)
            }
        }
    }

    fn create(
        &self,
        log: &Path,
        path: &Path,
        generation: u64,
    ) -> std::io::Result<Arc<dyn DiskFile>> {
        let header = FileHeader {
            generation,
            folder: self.folder_id,
            first_group: self.group.saturating_add(1),
        };
        let file = self.disk.open(path, OpenMode::Create)?;
        // Where there is no room for all of it, the file grows piece by piece.
        let _ = file.reserve(self.wal_bytes_max);
        file.write_at(&header.encode(), 0)?;
        file.sync_data()?;
        self.disk.sync_dir(log)?;
        Ok(file)
    }

    fn path(&self) -> PathBuf {
        wal::path(&self.folder.join(LOG), self.generation)
    }
}

impl Index {
    /// Where the log of a plant ends.
    fn end(&self, plant: &PlantId) -> Option<End> {
        let plant = self.plants.get(plant)?;
        Some(End {
            log_id: plant.log_id,
            epoch: plant.epoch,
            last: plant.last(),
            recorded_at: plant.last_recorded_at(),
            tree: plant.tree.clone(),
        })
    }

    /// Takes in a block that has been synced.
    fn add(&mut self, proposal: &Proposal, offset: u64) {
        let header = proposal.block.header();
        let plant = self
            .plants
            .entry(header.plant.clone())
            .or_insert_with(|| PlantIndex::new(header.log_id));
        plant.add(header, offset);
        plant.tree = proposal.tree.clone();
        self.closed = None;
    }
}

fn is_full(error: &std::io::Error) -> bool {
    error.kind() == std::io::ErrorKind::StorageFull
}

/// The clean-close marks of all plants, unless the log is closed already.
fn close_marks(index: &Index) -> Vec<Proposal> {
    if index.closed.is_some() {
        return Vec::new();
    }
    let mark = |(plant, found): (&PlantId, &PlantIndex)| {
        let (next, root) = (found.last().next(), *found.tree.root().as_bytes());
        let block: SealedBlock =
            BlockBuilder::new(found.log_id, plant.clone(), found.epoch, next, root).finish();
        Proposal {
            urgent: true,
            ..Proposal::new(block, found.tree.clone())
        }
    };
    index.plants.iter().map(mark).collect()
}
