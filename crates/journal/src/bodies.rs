//! The sample bodies that lie beside the log, in files that are deleted as a whole once their lifetime
//! is over.
//!
//! ```text
//! DIR/bodies/<plant>/bodies-0000000001.log   the bodies, drawn in `bodies/file.rs`
//! DIR/bodies/<plant>/expired.toml            what was deleted, see `bodies/marks.rs`
//! ```
//!
//! Each file says from when on what is recorded has its body in it or in a later one. So the file of an
//! event's body follows from when the event was recorded, and a file that has a successor holds
//! nothing that was recorded from the successor's start on: once the lifetime has passed since then,
//! the whole file can go. An event whose body is there already for an older event gets one of its own,
//! unless both are in the same file.
//!
//! A body proves nothing; the event that names it by its hash does. So damage does not keep the log
//! from being opened: what is damaged or gone is said to be so when it is asked for.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use werkbuch_model::id::PlantId;
use werkbuch_model::time::Timestamp;
use werkbuch_proof::{Hash, sha256};

use crate::disk::{Disk, DiskFile, OpenMode};
use crate::{BodyPlace, DeletedBodies, FoundBody, Proposal, StoreError};
use file::{FileIndex, HEADER_BYTES, Place};
use plant::PlantBodies;

mod file;
mod marks;
mod plant;

/// The greatest length of a sample body in bytes.
pub const SAMPLE_BODY_BYTES_MAX: usize = 16 * 1024 * 1024;
/// A file of sample bodies that is longer is followed by a new one.
pub const BODY_FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// A file of sample bodies is followed by a new one when its first body is this old: a day. So much
/// longer than its lifetime may a body lie on the disk.
pub const BODY_FILE_SPAN_NS: i64 = 86_400_000_000_000;

/// The indexes of older files that stay in memory: readers mostly ask along one stretch of time.
const INDEXES_KEPT: usize = 4;

/// When a file of sample bodies is followed by a new one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BodyLimits {
    /// From this length in bytes on.
    pub(crate) bytes_max: u64,
    /// From this age of its first body on, in nanoseconds.
    pub(crate) span_ns: i64,
}

/// The bodies of all plants of a data folder.
#[derive(Debug)]
pub(crate) struct BodyStore {
    disk: Arc<dyn Disk>,
    folder: PathBuf,
    limits: BodyLimits,
    /// Never locked during a sync, so that readers do not wait for one.
    plants: Mutex<BTreeMap<PlantId, PlantBodies>>,
    indexes: Mutex<VecDeque<(PathBuf, Arc<FileIndex>)>>,
    /// Held while files are deleted.
    deleting: Mutex<()>,
}

impl BodyStore {
    /// Opens the bodies in `folder`; `last` tells where the log of each plant ends.
    ///
    /// # Errors
    ///
    /// [`StoreError::BodyFile`] for files of a later build, and those of the disk.
    pub(crate) fn open(
        disk: Arc<dyn Disk>,
        folder: &Path,
        limits: BodyLimits,
        last: &dyn Fn(&PlantId) -> Timestamp,
        read_only: bool,
    ) -> Result<Self, StoreError> {
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
            let Ok(plant) = PlantId::new(&name) else {
                continue;
            };
            let inner = folder.join(&name);
            if !read_only {
                // In a process before, this may have failed.
                let synced = disk.sync_dir(&inner);
                synced.map_err(|e| StoreError::io("sync", &inner, e))?;
            }
            let opened = PlantBodies::open(&*disk, inner, last(&plant), read_only)?;
            plants.insert(plant, opened);
        }
        Ok(Self {
            disk,
            folder: folder.to_owned(),
            limits,
            plants: Mutex::new(plants),
            indexes: Mutex::default(),
            deleting: Mutex::default(),
        })
    }

    /// Puts the bodies of a group into the files of their plants. A file is begun only before the first
    /// body of a plant, where `last_recorded_at` says its log ends: all that has been committed was
    /// recorded before it.
    ///
    /// # Errors
    ///
    /// Those of the disk; what was put is then to be undone.
    pub(crate) fn put_all(
        &self,
        group: &[Proposal],
        last_recorded_at: impl Fn(&PlantId) -> Timestamp,
    ) -> Result<(), StoreError> {
        let mut begun = BTreeSet::new();
        for proposal in group.iter().filter(|proposal| !proposal.bodies.is_empty()) {
            let header = proposal.block.header();
            let (plant, recorded) = (proposal.plant(), (header.recorded_min, header.recorded_max));
            if begun.insert(plant) {
                self.begin(plant, last_recorded_at(plant), recorded.0)?;
            }
            for (hash, body) in &proposal.bodies {
                self.put(plant, *hash, body, recorded)?;
            }
        }
        Ok(())
    }

    /// Makes ready for bodies of events recorded at `at` and later, while the log of the plant ends at
    /// `last`: begins a file if there is none, or if the present one is full or old.
    ///
    /// # Errors
    ///
    /// Those of the disk; then nothing may be put.
    pub(crate) fn begin(
        &self,
        plant: &PlantId,
        last: Timestamp,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let wants = self.with(plant, |bodies| bodies.wants_next(self.limits, at));
        if wants {
            self.next(plant, last)
        } else {
            Ok(())
        }
    }

    /// Ends the present file if it is old enough, by beginning the next; answers before when all that
    /// the oldest ended file holds was recorded.
    ///
    /// # Errors
    ///
    /// Those of the disk.
    pub(crate) fn seal(
        &self,
        plant: &PlantId,
        last: Timestamp,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        if !self.plants().contains_key(plant) {
            return Ok(None);
        }
        let begun = match self.with(plant, |bodies| bodies.wants_seal(self.limits, now)) {
            true => self.next(plant, last),
            false => Ok(()),
        };
        let oldest = |bodies: &mut PlantBodies| bodies.sealed().next().map(|(_, _, end)| end);
        match (self.with(plant, oldest), begun) {
            // A full disk must not keep from deleting what has expired.
            (Some(end), Err(error)) => {
                tracing::warn!(%plant, %error, "no next file of sample bodies could be begun; it is tried again");
                Ok(Some(end))
            }
            (oldest, begun) => begun.map(|()| oldest),
        }
    }

    /// Begins the next file, for what is recorded after `last`.
    fn next(&self, plant: &PlantId, last: Timestamp) -> Result<(), StoreError> {
        let (folder, generation, start) = self.with(plant, |bodies| {
            bodies.next_due = true;
            let start = bodies.next_start(last);
            (bodies.folder().to_owned(), bodies.next_generation(), start)
        });
        let created = file::create(&*self.disk, &folder, generation, start);
        let created =
            created.map_err(|e| StoreError::io("create", &file::path(&folder, generation), e))?;
        self.with(plant, |bodies| bodies.go_on_in(generation, start, created));
        Ok(())
    }

    /// Appends a body unless it is in the present file already; its event is recorded between the two
    /// times. It is given out only after [`sync`](Self::sync). [`begin`](Self::begin) comes first.
    ///
    /// # Errors
    ///
    /// Those of the disk; [`undo`](Self::undo) then takes back all that is not synced.
    pub(crate) fn put(
        &self,
        plant: &PlantId,
        hash: Hash,
        body: &Bytes,
        recorded: (Timestamp, Timestamp),
    ) -> Result<(), StoreError> {
        self.with(plant, |bodies| match &mut bodies.current {
            Some(current) => {
                bodies.last_put = bodies.last_put.max(recorded.1);
                current.put(hash, body, recorded.0)
            }
            None => {
                let missing = std::io::Error::from(std::io::ErrorKind::NotFound);
                Err(StoreError::io("write to", bodies.folder(), missing))
            }
        })
    }

    /// Makes all bodies that were put lasting.
    ///
    /// # Errors
    ///
    /// Those of the disk; what was put is then not to be trusted until the store is reopened.
    pub(crate) fn sync(&self) -> Result<(), StoreError> {
        let waiting: Vec<_> = self
            .plants()
            .iter()
            .filter_map(|(plant, bodies)| Some((plant, bodies.current.as_ref()?)))
            .filter(|(_, current)| current.end > current.synced_end)
            .map(|(plant, current)| {
                (
                    plant.clone(),
                    current.path.clone(),
                    Arc::clone(&current.file),
                )
            })
            .collect();
        for (plant, path, file) in waiting {
            let synced = file.sync_data();
            synced.map_err(|e| StoreError::io("sync", &path, e))?;
            self.with(&plant, |bodies| {
                if let Some(current) = &mut bodies.current {
                    current.keep();
                }
                bodies.note_length();
            });
        }
        Ok(())
    }

    /// Takes back what was put and not synced.
    ///
    /// # Errors
    ///
    /// Those of the disk.
    pub(crate) fn undo(&self) -> Result<(), StoreError> {
        let mut plants = self.plants();
        let mut currents = plants
            .values_mut()
            .filter_map(|plant| plant.current.as_mut());
        currents.try_for_each(plant::Current::undo)
    }

    /// The body with this hash that an event recorded then names, or why it is not there.
    ///
    /// # Errors
    ///
    /// Those of the disk that say nothing of the body, such as a missing right.
    pub(crate) fn get(
        &self,
        plant: &PlantId,
        hash: Hash,
        recorded_at: Timestamp,
    ) -> Result<FoundBody, StoreError> {
        let mut place = BodyPlace {
            file: self.folder.join(plant.as_str()),
            offset: None,
        };
        let mut damaged = false;
        for source in self.sources(plant, hash, recorded_at) {
            let found = match &source {
                Source::Current { path, file, place } => read(path, &**file, *place, hash, false),
                Source::Older { path, generation } => self.look(path, *generation, hash),
            }?;
            match found {
                FoundBody::Present(body) => return Ok(FoundBody::Present(body)),
                // The file of its time comes first, so that is the place which is told.
                FoundBody::Damaged(at) if !damaged => (place, damaged) = (at, true),
                FoundBody::Lost(at) if !damaged => place = at,
                _ => {}
            }
        }
        // The marks come last: a file may have been deleted since it was chosen.
        let marked = |bodies: &PlantBodies| bodies.marks.lifetime(recorded_at);
        let lifetime_ns = self.plants().get(plant).and_then(marked);
        if let Some(lifetime_ns) = lifetime_ns {
            return Ok(FoundBody::Expired { lifetime_ns });
        }
        if damaged {
            tracing::warn!(%plant, %hash, path = %place.file.display(), offset = ?place.offset, "a sample body is damaged");
            return Ok(FoundBody::Damaged(place));
        }
        Ok(FoundBody::Lost(place))
    }

    fn sources(&self, plant: &PlantId, hash: Hash, recorded_at: Timestamp) -> Vec<Source> {
        let plants = self.plants();
        let Some(bodies) = plants.get(plant) else {
            return Vec::new();
        };
        let mut sources = Vec::new();
        for generation in bodies.candidates(recorded_at) {
            let current = bodies.current.as_ref();
            let current = current.filter(|current| current.generation == generation);
            let source = match (current, bodies.files.get(&generation)) {
                (Some(current), _) => Source::Current {
                    path: current.path.clone(),
                    file: Arc::clone(&current.file),
                    place: current.places.get(&hash).copied(),
                },
                (None, Some(file)) => Source::Older {
                    path: file.path.clone(),
                    generation,
                },
                (None, None) => continue,
            };
            sources.push(source);
        }
        sources
    }

    /// Looks for a body in a file that is not open.
    fn look(&self, path: &Path, generation: u64, hash: Hash) -> Result<FoundBody, StoreError> {
        let nowhere = || BodyPlace {
            file: path.to_owned(),
            offset: None,
        };
        let file = match self.disk.open(path, OpenMode::Read) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                self.forget_index(path);
                return Ok(FoundBody::Lost(nowhere()));
            }
            Err(error) if file::is_media(&error) => return Ok(FoundBody::Damaged(nowhere())),
            file => file.map_err(|e| StoreError::io("open", path, e))?,
        };
        let kept = {
            let indexes = self.indexes.lock().unwrap_or_else(PoisonError::into_inner);
            let found = indexes.iter().find(|(kept, _)| kept == path);
            found.map(|(_, index)| Arc::clone(index))
        };
        let index = match kept {
            Some(index) => index,
            None => match file::scan(&*file, generation) {
                Err(error) if file::is_media(&error) => return Ok(FoundBody::Damaged(nowhere())),
                index => {
                    let index = Arc::new(index.map_err(|e| StoreError::io("read", path, e))?);
                    self.keep_index(path, &index);
                    index
                }
            },
        };
        let place = index.places.get(&hash).copied();
        let found = read(path, &*file, place, hash, index.damaged)?;
        if !matches!(found, FoundBody::Present(_)) {
            // Whoever repairs the file should not need a restart.
            self.forget_index(path);
        }
        Ok(found)
    }

    /// Deletes the files in which everything was recorded at least a lifetime before `now`. What is
    /// deleted is noted first, so that it can be said however the lifetime changes later.
    ///
    /// # Errors
    ///
    /// Those of the disk; what was deleted before stays so, and the rest is for the next time.
    pub(crate) fn expire(
        &self,
        plant: &PlantId,
        lifetime_ns: i64,
        now: Timestamp,
    ) -> Result<DeletedBodies, StoreError> {
        let _one = self.deleting.lock().unwrap_or_else(PoisonError::into_inner);
        let mut deleted = DeletedBodies::default();
        let Some((folder, due, marks)) = self.due(plant, lifetime_ns, now) else {
            return Ok(deleted);
        };
        let unsaved = match marks.write(&*self.disk, &folder) {
            // A full disk must not keep from making room: then it is noted behind.
            Err(StoreError::DiskFull { .. }) => true,
            written => {
                written?;
                false
            }
        };
        self.with(plant, |bodies| {
            bodies.marks = marks.clone();
            bodies.unsaved = unsaved;
        });
        for (generation, path, bytes) in due {
            match self.disk.remove(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(StoreError::io("delete", &path, error));
                }
                _ => {}
            }
            self.forget_index(&path);
            self.with(plant, |bodies| bodies.files.remove(&generation));
            deleted.files += 1;
            deleted.bytes = deleted.bytes.saturating_add(bytes);
        }
        let synced = self.disk.sync_dir(&folder);
        synced.map_err(|e| StoreError::io("sync", &folder, e))?;
        if unsaved && !deleted.is_nothing() {
            match marks.write(&*self.disk, &folder) {
                Ok(()) => self.with(plant, |bodies| bodies.unsaved = false),
                Err(error) => {
                    tracing::warn!(%plant, %error, "which sample bodies have expired could not be noted; it is tried again");
                }
            }
        }
        Ok(deleted)
    }

    /// What is to be deleted of a plant, and the marks that say it.
    fn due(&self, plant: &PlantId, lifetime_ns: i64, now: Timestamp) -> Option<Due> {
        let plants = self.plants();
        let bodies = plants.get(plant)?;
        let expired = |end: Timestamp| end.plus(lifetime_ns) <= now;
        let due = bodies.sealed().take_while(|(_, _, end)| expired(*end));
        let due: Vec<_> = due.collect();
        let marks = match due.last() {
            Some((_, _, before)) => bodies.marks.with(*before, lifetime_ns),
            None if bodies.unsaved => bodies.marks.clone(),
            None => return None,
        };
        let files = due.iter();
        let files = files.map(|(generation, file, _)| (*generation, file.path.clone(), file.bytes));
        Some((bodies.folder().to_owned(), files.collect(), marks))
    }

    /// How many bytes the files of bodies take.
    pub(crate) fn bytes(&self) -> u64 {
        let plants = self.plants();
        let files = plants.values().flat_map(|bodies| bodies.files.values());
        files.map(|file| file.bytes).sum()
    }

    fn keep_index(&self, path: &Path, index: &Arc<FileIndex>) {
        let mut indexes = self.indexes.lock().unwrap_or_else(PoisonError::into_inner);
        indexes.truncate(INDEXES_KEPT - 1);
        indexes.push_front((path.to_owned(), Arc::clone(index)));
    }

    fn forget_index(&self, path: &Path) {
        let mut indexes = self.indexes.lock().unwrap_or_else(PoisonError::into_inner);
        indexes.retain(|(kept, _)| kept != path);
    }

    /// Does something with the bodies of a plant, which has none before its first.
    fn with<T>(&self, plant: &PlantId, act: impl FnOnce(&mut PlantBodies) -> T) -> T {
        let mut plants = self.plants();
        let fresh = || PlantBodies::new(self.folder.join(plant.as_str()));
        act(plants.entry(plant.clone()).or_insert_with(fresh))
    }

    fn plants(&self) -> MutexGuard<'_, BTreeMap<PlantId, PlantBodies>> {
        self.plants.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A folder, its files with generation, path and length, and the marks once they are deleted.
type Due = (PathBuf, Vec<(u64, PathBuf, u64)>, marks::Marks);

/// Where a body is looked for.
enum Source {
    /// In the file that takes more.
    Current {
        path: PathBuf,
        file: Arc<dyn DiskFile>,
        place: Option<Place>,
    },
    /// In an older one.
    Older { path: PathBuf, generation: u64 },
}

/// Reads a body and holds it against its hash.
fn read(
    path: &Path,
    file: &dyn DiskFile,
    place: Option<Place>,
    hash: Hash,
    damaged: bool,
) -> Result<FoundBody, StoreError> {
    let at = |offset| BodyPlace {
        file: path.to_owned(),
        offset,
    };
    let Some(place) = place else {
        return Ok(match damaged {
            true => FoundBody::Damaged(at(None)),
            false => FoundBody::Lost(at(None)),
        });
    };
    let mut body = vec![0; place.length];
    let offset = place.offset.saturating_add(HEADER_BYTES as u64);
    let read = match file.read_at(&mut body, offset) {
        Err(error) if file::is_media(&error) => {
            return Ok(FoundBody::Damaged(at(Some(place.offset))));
        }
        read => read.map_err(|e| StoreError::io("read", path, e))?,
    };
    Ok(if read < place.length {
        FoundBody::Lost(at(Some(place.offset)))
    } else if sha256(&body) == hash {
        FoundBody::Present(body)
    } else {
        FoundBody::Damaged(at(Some(place.offset)))
    })
}
