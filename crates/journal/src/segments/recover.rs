//! Opens a data folder: lock, marker, files, scan, and the repair of a torn end.
//!
//! The repair is safe against a power cut at any moment, because each of its steps leaves a file of
//! which the next recovery makes the same:
//!
//! 1. The header of the last file is written once more, as it is, and synced.
//! 2. The file is cut behind the last block that is kept, and synced. The torn bytes behind it were
//!    never acknowledged.
//! 3. The last group is written once more, in place and byte for byte the same, but for voids (drawn
//!    in `wal`) at the beginnings of the bad ranges in it and a mark behind it; then the file is
//!    synced.
//!
//! All of this is done even where nothing is torn, because what is read may be in the system's memory
//! only: a process before may have written, or cut, and have failed to sync that.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use werkbuch_model::id::{LogId, PlantId};

use super::group::Group;
use super::plants::Plants;
use super::scan::{Repair, Scan, WalFile};
use super::sealed::{self, Catalogue, Segment};
use super::wal::{self, ALIGNMENT, FILE_HEADER_BYTES, FileHeader};
use super::{Options, RecoveryReport};
use crate::disk::{Disk, DiskFile, LockGuard, LockMode, OpenMode};
use crate::index::PlantIndex;
use crate::{StoreError, StoreKind, marker};

/// The name of the lock file.
pub(super) const LOCK: &str = "LOCK";
/// The name of the folder of the log's files.
pub(super) const LOG: &str = "log";
/// The name of the folder of the sample bodies.
pub(super) const BODIES: &str = "bodies";

/// A data folder, opened and repaired.
#[derive(Debug)]
pub(super) struct Recovered {
    pub(super) lock: Box<dyn LockGuard>,
    pub(super) folder_id: LogId,
    /// What of the log is sealed; the files are behind it.
    pub(super) catalogue: Catalogue,
    pub(super) files: Vec<WalFile>,
    pub(super) scan: Scan,
    /// Where the last file goes on; 0 if the next block needs a new file.
    pub(super) end: u64,
    pub(super) report: RecoveryReport,
}

impl Recovered {
    /// The number of the latest file.
    pub(super) fn generation(&self) -> u64 {
        let last = self.files.last();
        last.map_or(self.catalogue.generation, |file| file.generation)
    }
}

/// Opens a folder for writing or for reading only.
pub(super) fn open(
    disk: &Arc<dyn Disk>,
    folder: &Path,
    options: &Options,
    read_only: bool,
) -> Result<Recovered, StoreError> {
    let lock = lock(&**disk, folder, read_only)?;
    let log = folder.join(LOG);
    if !read_only {
        sync_names(&**disk, folder)?;
    }
    let folder_id = folder_id(&**disk, folder, &log, read_only)?;
    let catalogue = Catalogue::read(&**disk, &log, folder_id)?;
    let sealed = sealed_plants(disk, &log, folder_id, &catalogue)?;
    let (files, unfinished) = open_files(&**disk, &log, catalogue.generation, read_only)?;
    let plants = Plants::new(sealed, &options.trusted)?;
    let mut scan = Scan::new(folder_id, plants, Group::behind(catalogue.group));
    let mut repair = None;
    for (at, file) in files.iter().enumerate() {
        let is_last = at + 1 == files.len();
        repair = Some((file, scan.file(file, is_last)?));
    }
    scan.plants.check_floors(folder, &options.floors)?;
    for cut in &scan.cuts {
        tracing::warn!(file = %cut.file.display(), offset = cut.offset, bytes = cut.bytes, group = cut.group, plants = ?cut.plants, why = cut.what, read_only, "the torn end of the log is cut; nothing of it was acknowledged");
    }
    let closed = scan.group.closes();
    let mut end = 0;
    let leftovers = sealed::leftovers(&**disk, &log, &catalogue, &|plant| scan.plants.last(plant))?;
    if !read_only {
        sealed::remove(&**disk, &leftovers)?;
        if let Some(path) = &unfinished {
            let removed = disk.remove(path).and_then(|()| disk.sync_dir(&log));
            removed.map_err(|e| StoreError::io("remove", path, e))?;
        }
        if let Some((file, repair)) = &repair {
            let repaired = apply(file, repair, &mut scan);
            let repaired = repaired.map_err(|e| StoreError::io("repair", &file.path, e))?;
            end = if closed { 0 } else { repaired };
        }
    }
    let report = RecoveryReport {
        cuts: scan.cuts.clone(),
        closed,
        files: files.len() as u64,
        blocks: scan.blocks,
        events: scan.events,
        segments: catalogue
            .plants
            .values()
            .map(|plant| plant.segments.len() as u64)
            .sum(),
        sealed_events: catalogue
            .plants
            .values()
            .map(|plant| plant.last.get())
            .sum(),
    };
    Ok(Recovered {
        lock,
        folder_id,
        catalogue,
        files,
        scan,
        end,
        report,
    })
}

fn lock(disk: &dyn Disk, folder: &Path, read_only: bool) -> Result<Box<dyn LockGuard>, StoreError> {
    let mode = if read_only {
        LockMode::Shared
    } else {
        for inner in [LOG, BODIES] {
            let inner = folder.join(inner);
            let created = disk.create_dir_all(&inner);
            created.map_err(|e| StoreError::io("create", &inner, e))?;
        }
        LockMode::Exclusive
    };
    let path = folder.join(LOCK);
    disk.lock(&path, mode)
        .map_err(|e| StoreError::io("lock", &path, e))?
        .ok_or_else(|| StoreError::Held {
            folder: folder.to_owned(),
        })
}

/// Makes sure of all names that are seen: in a process before, the sync of a folder may have failed.
fn sync_names(disk: &dyn Disk, folder: &Path) -> Result<(), StoreError> {
    let (log, bodies) = (folder.join(LOG), folder.join(BODIES));
    for inner in [&*log, &*bodies, folder] {
        disk.sync_dir(inner)
            .map_err(|e| StoreError::io("sync", inner, e))?;
    }
    match folder
        .parent()
        .map(|parent| (parent, disk.sync_dir(parent)))
    {
        // The folder was made by somebody who may do more than this process.
        Some((_, Err(error))) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        Some((parent, Err(error))) => Err(StoreError::io("sync", parent, error)),
        _ => Ok(()),
    }
}

/// Reads the marker; a folder that has neither marker nor log becomes a new one.
fn folder_id(
    disk: &dyn Disk,
    folder: &Path,
    log: &Path,
    read_only: bool,
) -> Result<LogId, StoreError> {
    if let Some(id) = marker::id(disk, folder, StoreKind::Segments)? {
        return Ok(id);
    }
    let failed = |error| StoreError::io("list", log, error);
    let has_log = disk.exists(log).map_err(failed)?
        && disk
            .list(log)
            .map_err(failed)?
            .iter()
            .any(|name| wal::generation_of(name).is_some());
    if has_log || read_only {
        let what = if has_log {
            "is missing, though there is a log: restore it from a backup"
        } else {
            "is missing: this folder holds no log, name the right one"
        };
        return Err(StoreError::Marker {
            path: folder.join(marker::MARKER),
            what: what.into(),
        });
    }
    marker::create(disk, folder, StoreKind::Segments)
}

/// The sealed part of each plant's log. Each segment is looked for, and read when it is needed.
fn sealed_plants(
    disk: &Arc<dyn Disk>,
    log: &Path,
    folder_id: LogId,
    catalogue: &Catalogue,
) -> Result<BTreeMap<PlantId, PlantIndex>, StoreError> {
    let mut plants = BTreeMap::new();
    for (plant, sealed) in &catalogue.plants {
        let mut index = PlantIndex::new(sealed.log_id);
        index.epoch = sealed.epoch;
        index.tree = sealed.tree.clone();
        for entry in &sealed.segments {
            let segment = Segment::new(disk, log, folder_id, plant, *entry);
            segment.open()?;
            index.sealed.push(Arc::new(segment));
        }
        plants.insert(plant.clone(), index);
    }
    Ok(plants)
}

/// Opens all files behind those that are sealed, in order. A last file that has no whole header and
/// nothing behind it was being created when the power went: it is answered apart. The first one behind
/// those that are sealed is there, whole header and all: nothing is sealed before it is on the disk.
fn open_files(
    disk: &dyn Disk,
    log: &Path,
    sealed: u64,
    read_only: bool,
) -> Result<(Vec<WalFile>, Option<PathBuf>), StoreError> {
    let names = disk.list(log).map_err(|e| StoreError::io("list", log, e))?;
    let mut generations: Vec<_> = names.iter().filter_map(|n| wal::generation_of(n)).collect();
    generations.retain(|generation| *generation > sealed);
    generations.sort_unstable();
    let mode = if read_only {
        OpenMode::Read
    } else {
        OpenMode::Write
    };
    let mut files: Vec<WalFile> = Vec::new();
    for (at, generation) in generations.iter().enumerate() {
        let path = wal::path(log, *generation);
        let expected = sealed.saturating_add(at as u64 + 1);
        if *generation != expected {
            let nothing_sealed = sealed == 0 && at == 0;
            let catalogue = if nothing_sealed {
                ", and no catalogue says that it was sealed"
            } else {
                ""
            };
            let what = format!("file number {expected} is missing before it{catalogue}");
            return Err(missing_file(path, what));
        }
        let file = disk
            .open(&path, mode)
            .map_err(|e| StoreError::io("open", &path, e))?;
        let first_behind_sealed = at == 0 && sealed > 0;
        if at + 1 == generations.len()
            && !first_behind_sealed
            && is_unfinished(&*file).map_err(|e| StoreError::io("read", &path, e))?
        {
            return Ok((files, Some(path)));
        }
        files.push(WalFile {
            generation: *generation,
            path,
            file,
        });
    }
    if files.is_empty() && sealed > 0 {
        let next = sealed.saturating_add(1);
        let what = format!("file number {next}, which follows what is sealed, is missing");
        return Err(missing_file(wal::path(log, next), what));
    }
    Ok((files, None))
}

fn missing_file(path: PathBuf, what: String) -> StoreError {
    StoreError::Damaged(Box::new(crate::error::Damage {
        file: path,
        offset: 0,
        group: 0,
        plant: None,
        what,
    }))
}

fn is_unfinished(file: &dyn DiskFile) -> io::Result<bool> {
    let mut header = [0; FILE_HEADER_BYTES];
    let read = file.read_at(&mut header, 0)?;
    let header = header.get(..read).unwrap_or_default();
    let whole = FileHeader::decode(header).is_some() || FileHeader::is_of_another_version(header);
    Ok(!whole && file.len()? <= FILE_HEADER_BYTES as u64)
}

/// Repairs the last file as the module doc tells, and answers where it goes on.
fn apply(file: &WalFile, repair: &Repair, scan: &mut Scan) -> io::Result<u64> {
    let disk_file = &*file.file;
    let mut header = [0; FILE_HEADER_BYTES];
    if disk_file.read_at(&mut header, 0)? != FILE_HEADER_BYTES {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    disk_file.write_at(&header, 0)?;
    disk_file.sync_data()?;
    // Nothing was ever written behind a mark that the log is closed, and nothing may be, not even zeros
    // for a moment.
    if !scan.closed_in(file.generation) {
        // A file that seems to end here may be longer on the disk. So it is made longer first, and then
        // there is something to cut.
        disk_file.set_len(repair.length.saturating_add(ALIGNMENT))?;
        disk_file.set_len(repair.end)?;
        disk_file.sync_data()?;
    }
    let group = scan.group;
    if group.number == 0 || group.generation != file.generation {
        return Ok(repair.end);
    }
    let length = usize::try_from(repair.end.saturating_sub(group.start)).unwrap_or(usize::MAX);
    let mut bytes = vec![0; length];
    if disk_file.read_at(&mut bytes, group.start)? != length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    for (offset, length) in &repair.voids {
        let void = wal::encode_void(file.generation, group.number, *length);
        let at = usize::try_from(offset.saturating_sub(group.start)).unwrap_or(usize::MAX);
        if let Some(place) = bytes.get_mut(at..at.saturating_add(void.len())) {
            place.copy_from_slice(&void);
        }
    }
    if !group.finished() {
        let length = wal::VOID_BYTES as u64;
        bytes.extend(wal::encode_void(file.generation, group.number, length));
        let taken = scan
            .group
            .take_void(group.number, true, file.generation, repair.end);
        taken.map_err(io::Error::other)?;
    }
    disk_file.write_at(&bytes, group.start)?;
    disk_file.sync_data()?;
    Ok(group.start.saturating_add(bytes.len() as u64))
}
