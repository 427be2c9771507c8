//! The second store: what a power cut leaves of its file, and which folders it opens.
//!
//! The database writes its file by itself, so the simulated disk cannot stand under it. What stands in
//! for it: our own sync of the file goes through [`Disk`], and there the bytes of the file are kept as
//! they were when the sync returned, and as they are when the next one begins. A power cut between the
//! two leaves each sector as it was or as it is; the test makes such files, of seeded sectors, opens
//! them and looks for what was acknowledged.
//!
//! What this covers: lost, torn and reordered writes of the file in one window between two syncs, also
//! its length, in groups that need several windows, and over segments of the database that are written
//! anew. What it does not: a sector that was written twice in a window keeps the first or the last of
//! its three states and never the second; and the files beside it are as they were at the opening,
//! after which nothing writes to them.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::*;
use crate::disk::{Disk, DiskFile, LockGuard, LockMode, OpenMode, RealDisk};
use crate::{Opened, StoreKind, Trusted};

const SECTOR: usize = 512;

/// The real disk, on which the syncs of the database's file are watched.
#[derive(Clone, Debug, Default)]
struct WatchedDisk(Arc<Mutex<Seen>>);

#[derive(Debug, Default)]
struct Seen {
    /// Whether the bytes are kept.
    watching: bool,
    /// The file as it was when the last sync returned.
    synced: Vec<u8>,
    /// The same, and the file as it was when the next sync began.
    windows: Vec<(Vec<u8>, Vec<u8>)>,
}

#[derive(Debug)]
struct WatchedFile {
    file: Arc<dyn DiskFile>,
    path: PathBuf,
    disk: WatchedDisk,
}

impl WatchedDisk {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Disk for WatchedDisk {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn DiskFile>> {
        let file = RealDisk.open(path, mode)?;
        if !path.ends_with("sled/db") {
            return Ok(file);
        }
        Ok(Arc::new(WatchedFile {
            file,
            path: path.to_owned(),
            disk: self.clone(),
        }))
    }
    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        RealDisk.create_dir_all(path)
    }
    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        RealDisk.list(path)
    }
    fn exists(&self, path: &Path) -> io::Result<bool> {
        RealDisk.exists(path)
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        RealDisk.rename(from, to)
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        RealDisk.remove(path)
    }
    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        RealDisk.sync_dir(path)
    }
    fn lock(&self, path: &Path, mode: LockMode) -> io::Result<Option<Box<dyn LockGuard>>> {
        RealDisk.lock(path, mode)
    }
}

impl DiskFile for WatchedFile {
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        self.file.read_at(bytes, offset)
    }
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.file.write_at(bytes, offset)
    }
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }
    fn set_len(&self, bytes: u64) -> io::Result<()> {
        self.file.set_len(bytes)
    }
    fn sync_data(&self) -> io::Result<()> {
        let mut seen = self.disk.seen();
        if seen.watching {
            let window = (seen.synced.clone(), fs::read(&self.path)?);
            seen.windows.push(window);
        }
        self.file.sync_data()?;
        if seen.watching {
            seen.synced = fs::read(&self.path)?;
        }
        Ok(())
    }
}

/// Numbers that are the same for the same seed.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// A folder in memory where there is one: what is modelled here needs no real sync.
fn folder() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm")
        .or_else(|_| tempfile::tempdir())
        .unwrap()
}

fn open_sled(disk: Arc<dyn Disk>, path: &Path) -> Result<(Sled, RecoveryReport), StoreError> {
    Sled::open(disk, path, &small_files(), false)
}

/// What the disk may hold after a cut in this window. Of what was written, nothing, a beginning, or
/// sectors here and there have arrived.
fn torn(window: &(Vec<u8>, Vec<u8>), kind: u64, chance: &mut Chance) -> Vec<u8> {
    let (old, new) = window;
    let mut bytes = old.clone();
    bytes.resize(old.len().max(new.len()), 0);
    let changed = |at: usize| {
        let range = at..(at + SECTOR).min(new.len());
        new.get(range.clone()) != old.get(range)
    };
    let places: Vec<usize> = (0..new.len())
        .step_by(SECTOR)
        .filter(|at| changed(*at))
        .collect();
    let first = chance.below(places.len() as u64 + 1) as usize;
    for (nth, at) in places.into_iter().enumerate() {
        let arrived = match kind {
            0 => false,
            1 => nth < first,
            2 => chance.below(2) == 0,
            3 => chance.below(16) == 0,
            _ => chance.below(16) > 0,
        };
        let end = (at + SECTOR).min(new.len());
        if arrived {
            bytes[at..end].copy_from_slice(&new[at..end]);
        }
    }
    bytes
}

/// Whether a window writes over bytes that were there, as where a segment is used again.
fn overwrites((old, new): &(Vec<u8>, Vec<u8>)) -> bool {
    let mut sectors = old.chunks(SECTOR).zip(new.chunks(SECTOR));
    sectors.any(|(old, new)| old != new && old.iter().all(|byte| *byte != 0))
}

/// What was written, to compare with what comes back.
#[derive(Default)]
struct History {
    acknowledged: BTreeMap<PlantId, u64>,
    /// The tree of each plant at the end of each of its blocks, also of those that were under way.
    trees: BTreeMap<(PlantId, u64), CompactRange>,
}

impl History {
    fn note(&mut self, proposal: &Proposal) {
        let key = (proposal.plant().clone(), proposal.tree.size());
        self.trees.insert(key, proposal.tree.clone());
    }

    fn acknowledge(&mut self, plants: &[Plant]) {
        let ends = plants.iter().map(|plant| (plant.id.clone(), plant.last()));
        self.acknowledged = ends.collect();
    }

    /// Every second kind of cut verifies all events, the others those behind what was acknowledged.
    fn options(&self, kind: u64) -> Options {
        let ends = self.acknowledged.iter();
        let ends = ends.filter(|(_, last)| kind % 2 == 1 && **last > 0);
        let trusted = ends.map(|(plant, last)| Trusted {
            plant: plant.clone(),
            position: Position(*last),
            tree: self.trees[&(plant.clone(), *last)].clone(),
        });
        Options {
            trusted: trusted.collect(),
            ..small_files()
        }
    }

    /// Opens what a power cut left, and goes on from there. Opening verifies the events against the
    /// tree; here the tree is held against the one that was written. Answers how much was cut.
    fn check(&self, from: &Path, db: &[u8], plants: &[Plant], kind: u64, case: &str) -> usize {
        let crashed = folder();
        let path = crashed.path();
        fs::create_dir_all(path.join("sled/blobs")).unwrap();
        fs::copy(from.join("book.toml"), path.join("book.toml")).unwrap();
        for entry in fs::read_dir(from.join("sled")).unwrap() {
            let entry = entry.unwrap();
            // The name of the note on how far the file was read may be lost, too.
            let lost = kind == 3 && entry.file_name().to_string_lossy().starts_with("snap.");
            if entry.file_type().unwrap().is_file() && entry.file_name() != "db" && !lost {
                fs::copy(entry.path(), path.join("sled").join(entry.file_name())).unwrap();
            }
        }
        fs::write(path.join("sled/db"), db).unwrap();
        let opened = Sled::open(Arc::new(RealDisk), path, &self.options(kind), false);
        let (store, report) = opened.unwrap_or_else(|error| panic!("{case}: {error}"));
        for (plant, acknowledged) in &self.acknowledged {
            let end = store.ends().into_iter().find(|end| end.plant == *plant);
            let Some(end) = end else {
                assert_eq!(*acknowledged, 0, "{case}: {plant} is gone");
                continue;
            };
            assert!(
                end.last.0 >= *acknowledged,
                "{case}: {end:?} of {acknowledged}"
            );
            assert_eq!(
                self.trees.get(&(plant.clone(), end.last.0)),
                Some(&end.tree)
            );
        }
        let mut plant = plants[0].clone();
        plant.resume(&store);
        assert!(committed(&store.commit(vec![plant.proposal(2)]).unwrap()));
        drop(store);
        let opened = Sled::open(Arc::new(RealDisk), path, &self.options(kind), false);
        let (store, again) = opened.unwrap();
        assert!(again.cuts.is_empty(), "{case}: {:?}", again.cuts);
        let last = store
            .read(&plant.id, Position(plant.last()))
            .unwrap()
            .last();
        assert_eq!(last.unwrap().unwrap().header.last().0, plant.last());
        report.cuts.len()
    }
}

#[test]
fn what_sled_acknowledged_survives_every_power_cut() {
    let live = folder();
    let path = live.path();
    let disk = WatchedDisk::default();
    let (store, _) = open_sled(Arc::new(disk.clone()), path).unwrap();
    let mut chance = Chance(7);
    let mut plants = ["a", "bb", "ccc"].map(Plant::new).to_vec();
    let mut history = History::default();
    let (mut cuts, mut checked, mut long_groups, mut overwritten) = (0, 0, 0, 0);
    for round in 0..100_u64 {
        // The group before is watched too, for the bytes at its last sync.
        let cut_here = round % 20 == 19;
        disk.seen().watching = cut_here || round % 20 == 18;
        let mut group = Vec::new();
        let blocks = if cut_here { 30 } else { 1 };
        for _ in 0..blocks + chance.below(4) {
            let at = chance.below(3) as usize;
            let count = [1, 20, 350, 500][chance.below(4) as usize];
            let proposal = plants[at].proposal(count);
            history.note(&proposal);
            group.push(proposal);
        }
        disk.seen().windows.clear();
        assert!(committed(&store.commit(group).unwrap()));
        if cut_here {
            let windows = std::mem::take(&mut disk.seen().windows);
            assert!(!windows.is_empty(), "acknowledged without a sync");
            // Nothing that was acknowledged was written behind the last sync.
            assert!(fs::read(path.join("sled/db")).unwrap() == disk.seen().synced);
            long_groups += usize::from(windows.len() > 1);
            overwritten += windows.iter().filter(|window| overwrites(window)).count();
            // The first window of a group, and the last.
            let last = windows.len() - 1;
            let windows = windows.iter().enumerate();
            for (nth, window) in windows.filter(|(nth, _)| [0, last].contains(nth)) {
                for kind in 0..5 {
                    let case = format!("round {round} window {nth} kind {kind}");
                    let db = torn(window, kind, &mut chance);
                    cuts += history.check(path, &db, &plants, kind, &case);
                    checked += 1;
                }
            }
        }
        history.acknowledge(&plants);
    }
    let length = fs::metadata(path.join("sled/db")).unwrap().len();
    eprintln!(
        "{checked} power cuts, {cuts} torn ends, {long_groups} long groups, {overwritten} windows that \
         overwrite, {length} bytes"
    );
    // The test must reach what it is about.
    assert!(checked >= 40 && cuts > 0 && long_groups > 0);
    assert!(overwritten > 0 && length > 2 << 24);
}

#[test]
fn what_was_not_synced_is_missed() {
    // The model can fail: without our own sync, the last group is not on the disk.
    let live = folder();
    let disk = WatchedDisk::default();
    disk.seen().watching = true;
    let (store, _) = open_sled(Arc::new(disk.clone()), live.path()).unwrap();
    let mut plants = vec![Plant::new("a")];
    let mut history = History::default();
    let first = plants[0].proposal(3);
    history.note(&first);
    store.commit(vec![first]).unwrap();
    disk.seen().windows.clear();
    let second = plants[0].proposal(3);
    history.note(&second);
    store.commit(vec![second]).unwrap();
    let before = disk.seen().windows.remove(0).0;
    history.acknowledge(&plants);
    let checked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        history.check(live.path(), &before, &plants, 2, "not synced")
    }));
    assert!(checked.is_err());
}

fn open_any(path: &Path, wanted: Option<StoreKind>) -> Result<Opened, StoreError> {
    crate::open(Arc::new(RealDisk), path, &Options::default(), wanted, false)
}

#[test]
fn a_folder_is_opened_with_its_own_store() {
    for (own, other) in [
        (StoreKind::Segments, StoreKind::Sled),
        (StoreKind::Sled, StoreKind::Segments),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let mut plant = Plant::new("a");
        let opened = open_any(folder.path(), Some(own)).unwrap();
        opened.store.commit(vec![plant.proposal(2)]).unwrap();
        drop(opened);
        let opened = open_any(folder.path(), None).unwrap();
        assert_eq!(opened.kind, own);
        check_served(&*opened.store, &plant, 2);
        let second = open_any(folder.path(), None).unwrap_err();
        assert!(matches!(second, StoreError::Held { .. }), "{second}");
        drop(opened);
        let error = open_any(folder.path(), Some(other))
            .unwrap_err()
            .to_string();
        assert!(error.contains(&format!("--store {own}")), "{error}");
        // Without its marker the folder is not taken for a new one of the other store.
        fs::remove_file(folder.path().join("book.toml")).unwrap();
        for wanted in [None, Some(own), Some(other)] {
            open_any(folder.path(), wanted).unwrap_err();
        }
    }
}

#[test]
fn what_lies_in_blobs_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    drop(open_any(folder.path(), Some(StoreKind::Sled)).unwrap());
    fs::write(folder.path().join("sled/blobs/7"), b"x").unwrap();
    let error = open_any(folder.path(), None).unwrap_err();
    assert!(matches!(error, StoreError::Damaged(_)), "{error}");
    assert!(error.to_string().contains("blobs/7"), "{error}");
}

#[test]
fn a_database_whose_making_was_cut_short_is_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("sled");
    fs::create_dir_all(&inner).unwrap();
    fs::write(inner.join("UNFINISHED"), b"").unwrap();
    fs::write(inner.join("conf"), b"half").unwrap();
    let opened = open_any(folder.path(), None).unwrap();
    assert_eq!(opened.kind, StoreKind::Sled);
    assert!(!inner.join("UNFINISHED").exists());
}

#[test]
fn a_log_whose_events_cannot_be_read_is_not_copied() {
    let folders = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let [from, to] = [(0, StoreKind::Segments), (1, StoreKind::Sled)]
        .map(|(at, kind): (usize, _)| open_any(folders[at].path(), Some(kind)).unwrap().store);
    from.commit(vec![Plant::new("a").proposal(2)]).unwrap();
    let error = crate::copy(&*from, &*to, &mut |_, _, _| {}).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("plant \"a\" could not be copied: event 1"),
        "{error}"
    );
    assert!(to.ends().is_empty());
}
