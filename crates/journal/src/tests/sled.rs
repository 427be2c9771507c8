//! The second store: what a power cut leaves of its files, and which folders it opens.
//!
//! The database writes its file by itself, so the simulated disk cannot stand under it; `watched.rs`
//! stands in for it. The test makes what a power cut may leave, opens it and looks for what was
//! acknowledged.
//!
//! What this covers: lost, torn and reordered writes of the file in one window between two syncs, also
//! its length, in groups that need several windows, and over segments of the database that are written
//! anew; and of the witness beside it. What it does not: a sector that was written twice in a window
//! keeps the first or the last of its three states and never the second; and the other files are as they
//! were at the opening, after which nothing writes to them.

use std::collections::BTreeMap;
use std::fs;

use super::watched::{Bytes3, KINDS, WatchedDisk, folder, overwrites, torn};
use super::*;
use crate::disk::{Chance, Disk, RealDisk};
use crate::{Opened, StoreKind, Trusted};

fn open_sled(disk: Arc<dyn Disk>, path: &Path) -> Result<(Sled, RecoveryReport), StoreError> {
    Sled::open(disk, path, &small_files(), false)
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
    fn check(&self, from: &Path, files: &Bytes3, plants: &[Plant], kind: u64, case: &str) -> usize {
        let crashed = folder();
        let path = crashed.path();
        fs::create_dir_all(path.join("sled/blobs")).unwrap();
        fs::copy(from.join("book.toml"), path.join("book.toml")).unwrap();
        for entry in fs::read_dir(from.join("sled")).unwrap() {
            let entry = entry.unwrap();
            // The name of the note on how far the file was read may be lost, too.
            let lost = kind == 3 && entry.file_name().to_string_lossy().starts_with("snap.");
            if entry.file_type().unwrap().is_file() && !lost {
                fs::copy(entry.path(), path.join("sled").join(entry.file_name())).unwrap();
            }
        }
        for (name, bytes) in files {
            fs::write(path.join("sled").join(name), bytes).unwrap();
        }
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
    let mut chance = Chance::new(7);
    let mut plants = ["a", "bb", "ccc"].map(Plant::new).to_vec();
    let mut history = History::default();
    let (mut cuts, mut checked, mut long_groups, mut overwritten) = (0, 0, 0, 0);
    for round in 0..140_u64 {
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
        disk.group_is_over();
        if cut_here {
            let windows = std::mem::take(&mut disk.seen().windows);
            assert!(!windows.is_empty(), "acknowledged without a sync");
            // Nothing that was acknowledged was written behind the last sync.
            assert!(fs::read(path.join("sled/db")).unwrap() == disk.seen().synced["db"]);
            long_groups += usize::from(windows.len() > 1);
            overwritten += windows.iter().filter(|window| overwrites(window)).count();
            // The first window of a group, and the last.
            let last = windows.len() - 1;
            let windows = windows.iter().enumerate();
            for (nth, window) in windows.filter(|(nth, _)| [0, last].contains(nth)) {
                for kind in 0..KINDS {
                    let case = format!("round {round} window {nth} kind {kind}");
                    let files = torn(window, kind, &mut chance);
                    cuts += history.check(path, &files, &plants, kind, &case);
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
    let before = disk.seen().windows.remove(0).old;
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
