//! The sample bodies that lie beside the log, one append-only file per plant.
//!
//! ```text
//! offset width  field (little-endian)
//!      0     4  magic, "WBBD"
//!      4     4  length of the body
//!      8    32  SHA-256 of the body
//!     40     4  CRC-32C of the body
//!     44     4  CRC-32C of the header before this field
//!     48     n  the body, then zeros up to a multiple of 8
//! ```
//!
//! A body proves nothing; the event that names it by its hash does. So a damaged body is absent, and
//! a torn end is cut when the file is opened.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use werkbuch_model::id::PlantId;
use werkbuch_proof::{Hash, sha256};

use crate::StoreError;
use crate::disk::{Disk, DiskFile, OpenMode};
use crate::window::Window;

/// The greatest length of a sample body in bytes.
pub const SAMPLE_BODY_BYTES_MAX: usize = 16 * 1024 * 1024;

const MAGIC: [u8; 4] = *b"WBBD";
const HEADER_BYTES: usize = 48;
const ALIGNMENT: usize = 8;
const FILE_NAME: &str = "bodies.log";

/// The bodies of all plants of a data folder.
#[derive(Debug)]
pub struct BodyStore {
    disk: Arc<dyn Disk>,
    folder: PathBuf,
    plants: Mutex<BTreeMap<PlantId, PlantBodies>>,
}

#[derive(Debug)]
struct PlantBodies {
    path: PathBuf,
    file: Arc<dyn DiskFile>,
    /// Where each body lies.
    places: BTreeMap<Hash, Place>,
    /// Where the next body goes: behind the last one that is synced or waits for a sync.
    end: u64,
    /// What was put since the last sync: it is not given out yet.
    fresh: BTreeMap<Hash, Place>,
    synced_end: u64,
    /// Whether a write failed behind `end`.
    spoilt: bool,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    offset: u64,
    length: usize,
    /// Whether this process has synced it. What was found when the file was opened can be left in
    /// memory by a sync that failed in the process before, so it is written anew when it is put
    /// again.
    sure: bool,
}

impl BodyStore {
    /// Opens the bodies in `folder` and indexes them. Unless `read_only`, torn ends are cut.
    ///
    /// # Errors
    ///
    /// Those of the disk.
    pub fn open(disk: Arc<dyn Disk>, folder: &Path, read_only: bool) -> Result<Self, StoreError> {
        let mut plants = BTreeMap::new();
        let exists = disk
            .exists(folder)
            .map_err(|e| StoreError::io("look for", folder, e))?;
        let names = if exists {
            disk.list(folder)
                .map_err(|e| StoreError::io("list", folder, e))?
        } else {
            Vec::new()
        };
        for name in names {
            let path = folder.join(&name).join(FILE_NAME);
            let Ok(plant) = PlantId::new(&name) else {
                continue;
            };
            if !read_only {
                // In a process before, this may have failed.
                let folder = folder.join(&name);
                let synced = disk.sync_dir(&folder);
                synced.map_err(|e| StoreError::io("sync", &folder, e))?;
            }
            if disk
                .exists(&path)
                .map_err(|e| StoreError::io("look for", &path, e))?
            {
                plants.insert(plant, PlantBodies::open(&*disk, path, read_only)?);
            }
        }
        Ok(Self {
            disk,
            folder: folder.to_owned(),
            plants: Mutex::new(plants),
        })
    }

    /// Appends a body unless it is there already. It is given out only after [`sync`](Self::sync).
    ///
    /// # Errors
    ///
    /// Those of the disk; [`undo`](Self::undo) then takes back all that is not synced.
    pub fn put(&self, plant: &PlantId, hash: Hash, body: &Bytes) -> Result<(), StoreError> {
        let mut plants = self.plants();
        let bodies = match plants.entry(plant.clone()) {
            std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::btree_map::Entry::Vacant(entry) => {
                let folder = self.folder.join(plant.as_str());
                entry.insert(PlantBodies::create(&*self.disk, &folder)?)
            }
        };
        bodies.put(hash, body)
    }

    /// Makes all bodies that were put lasting.
    ///
    /// # Errors
    ///
    /// Those of the disk; what was put is then not to be trusted until the store is reopened.
    pub fn sync(&self) -> Result<(), StoreError> {
        let waiting: Vec<_> = self
            .plants()
            .iter()
            .filter(|(_, bodies)| bodies.end > bodies.synced_end)
            .map(|(plant, bodies)| (plant.clone(), bodies.path.clone(), Arc::clone(&bodies.file)))
            .collect();
        // The lock is not held during a sync, so that readers do not wait.
        for (plant, path, file) in waiting {
            let synced = file.sync_data();
            synced.map_err(|e| StoreError::io("sync", &path, e))?;
            if let Some(bodies) = self.plants().get_mut(&plant) {
                bodies.synced_end = bodies.end;
                bodies.places.append(&mut bodies.fresh);
            }
        }
        Ok(())
    }

    /// Takes back what was put and not synced.
    ///
    /// # Errors
    ///
    /// Those of the disk.
    pub fn undo(&self) -> Result<(), StoreError> {
        for bodies in self.plants().values_mut() {
            if bodies.end > bodies.synced_end || bodies.spoilt {
                let undone = cut(&*bodies.file, bodies.synced_end);
                undone.map_err(|e| StoreError::io("cut", &bodies.path, e))?;
            }
            bodies.spoilt = false;
            bodies.fresh.clear();
            bodies.end = bodies.synced_end;
        }
        Ok(())
    }

    /// The body with this hash, or `None` if it is absent or damaged.
    ///
    /// # Errors
    ///
    /// Those of the disk.
    pub fn get(&self, plant: &PlantId, hash: Hash) -> Result<Option<Vec<u8>>, StoreError> {
        let (path, file, place) = {
            let plants = self.plants();
            let Some(bodies) = plants.get(plant) else {
                return Ok(None);
            };
            let Some(place) = bodies.places.get(&hash) else {
                return Ok(None);
            };
            (bodies.path.clone(), Arc::clone(&bodies.file), *place)
        };
        let mut body = vec![0; place.length];
        let offset = place.offset.saturating_add(HEADER_BYTES as u64);
        let read = file.read_at(&mut body, offset);
        let read = read.map_err(|e| StoreError::io("read", &path, e))?;
        let whole = read == place.length && sha256(&body) == hash;
        if !whole {
            tracing::warn!(%plant, %hash, path = %path.display(), offset = place.offset, "a sample body is damaged and counts as absent");
        }
        Ok(whole.then_some(body))
    }

    /// How many bytes the files of bodies take.
    pub fn bytes(&self) -> u64 {
        self.plants().values().map(|bodies| bodies.end).sum()
    }

    fn plants(&self) -> MutexGuard<'_, BTreeMap<PlantId, PlantBodies>> {
        self.plants.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PlantBodies {
    fn create(disk: &dyn Disk, folder: &Path) -> Result<Self, StoreError> {
        let path = folder.join(FILE_NAME);
        disk.create_dir_all(folder)
            .map_err(|e| StoreError::io("create", folder, e))?;
        let file = disk
            .open(&path, OpenMode::Create)
            .map_err(|e| StoreError::io("create", &path, e))?;
        for named in [Some(folder), folder.parent()].into_iter().flatten() {
            disk.sync_dir(named)
                .map_err(|e| StoreError::io("sync", named, e))?;
        }
        Ok(Self {
            path,
            file,
            places: BTreeMap::new(),
            end: 0,
            fresh: BTreeMap::new(),
            synced_end: 0,
            spoilt: false,
        })
    }

    fn open(disk: &dyn Disk, path: PathBuf, read_only: bool) -> Result<Self, StoreError> {
        let mode = if read_only {
            OpenMode::Read
        } else {
            OpenMode::Write
        };
        let failed = |action| {
            let path = path.clone();
            move |error| StoreError::io(action, &path, error)
        };
        let file = disk.open(&path, mode).map_err(failed("open"))?;
        let mut places = BTreeMap::new();
        let mut window = Window::new(&*file).map_err(failed("read"))?;
        let (mut at, mut end) = (0, 0);
        while at < window.len() {
            // A header says where the next one is; without one, it is searched for.
            let header = window.get(at, HEADER_BYTES).map_err(failed("read"))?;
            let Some((hash, length, crc)) = read_header(header) else {
                at += ALIGNMENT as u64;
                continue;
            };
            let padded = (HEADER_BYTES + length).next_multiple_of(ALIGNMENT) as u64;
            let body = window.get(at + HEADER_BYTES as u64, length);
            let body = body.map_err(failed("read"))?;
            if body.len() < length || crc32c::crc32c(body) != crc {
                at += ALIGNMENT as u64;
                continue;
            }
            let place = Place {
                offset: at,
                length,
                sure: false,
            };
            places.insert(hash, place);
            at += padded;
            end = at;
        }
        if end < window.len() {
            tracing::warn!(path = %path.display(), from = end, bytes = window.len() - end, "the torn end of a file of sample bodies is cut");
            if !read_only {
                cut(&*file, end).map_err(failed("cut"))?;
            }
        }
        Ok(Self {
            path,
            file,
            places,
            end,
            fresh: BTreeMap::new(),
            synced_end: end,
            spoilt: false,
        })
    }

    fn put(&mut self, hash: Hash, body: &[u8]) -> Result<(), StoreError> {
        let known = self.places.get(&hash).is_some_and(|place| place.sure);
        if known || self.fresh.contains_key(&hash) {
            return Ok(());
        }
        let mut record = Vec::with_capacity(HEADER_BYTES + body.len() + ALIGNMENT);
        let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
        record.extend_from_slice(&MAGIC);
        record.extend_from_slice(&length.to_le_bytes());
        record.extend_from_slice(hash.as_bytes());
        record.extend_from_slice(&crc32c::crc32c(body).to_le_bytes());
        record.extend_from_slice(&crc32c::crc32c(&record).to_le_bytes());
        record.extend_from_slice(body);
        record.resize(record.len().next_multiple_of(ALIGNMENT), 0);
        if let Err(error) = self.file.write_at(&record, self.end) {
            self.spoilt = true;
            return Err(StoreError::io("write", &self.path, error));
        }
        let place = Place {
            offset: self.end,
            length: body.len(),
            sure: true,
        };
        self.fresh.insert(hash, place);
        self.end += record.len() as u64;
        Ok(())
    }
}

fn read_header(header: &[u8]) -> Option<(Hash, usize, u32)> {
    let (fields, crc) = header.split_at_checked(HEADER_BYTES - 4)?;
    if !fields.starts_with(&MAGIC) || crc != crc32c::crc32c(fields).to_le_bytes() {
        return None;
    }
    let length = u32::from_le_bytes(fields.get(4..8)?.try_into().ok()?) as usize;
    let hash = Hash::from_bytes(fields.get(8..40)?.try_into().ok()?);
    let crc = u32::from_le_bytes(fields.get(40..44)?.try_into().ok()?);
    (length <= SAMPLE_BODY_BYTES_MAX).then_some((hash, length, crc))
}

fn cut(file: &dyn DiskFile, end: u64) -> std::io::Result<()> {
    if file.len()? > end {
        file.set_len(end)?;
        file.sync_data()?;
    }
    Ok(())
}
