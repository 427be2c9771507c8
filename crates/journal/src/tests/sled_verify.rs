//! Whatever is changed in the database by another hand is found, and told with its place.

use super::*;
use crate::disk::RealDisk;
use crate::{FileKind, Opened, StoreKind};

/// Two plants in a closed log, the first with some blocks.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let opened = open_read(folder.path(), false);
    let mut plants = ["a", "bb"].map(Plant::new);
    for count in [3, 20, 1, 7] {
        let group = plants.iter_mut().map(|plant| plant.proposal(count));
        assert!(committed(&opened.store.commit(group.collect()).unwrap()));
    }
    opened.store.close().unwrap();
    folder
}

fn open_read(path: &Path, read_only: bool) -> Opened {
    try_open(path, read_only).unwrap()
}

fn try_open(path: &Path, read_only: bool) -> Result<Opened, StoreError> {
    let (disk, options) = (Arc::new(RealDisk), Options::default());
    crate::open(disk, path, &options, Some(StoreKind::Sled), read_only)
}

/// Opens the database beside the closed store, as another program would.
pub(super) fn beside(folder: &Path) -> ::sled::Db {
    let config = ::sled::Config::new().path(folder.join("sled"));
    let config = config.segment_size(16 * 1024 * 1024);
    // A thread of the database that was closed may have it for a little longer.
    for _ in 0..1_000 {
        match config.open() {
            Err(::sled::Error::Io(error)) if error.to_string().contains("acquire lock") => {
                std::thread::sleep(std::time::Duration::from_millis(10));
            }
            opened => return opened.unwrap(),
        }
    }
    panic!("the database stays locked");
}

fn change(path: &Path, tree: &str, change: impl FnOnce(&::sled::Tree)) {
    let db = beside(path);
    change(&db.open_tree(tree).unwrap());
    db.flush().unwrap();
}

fn nth(tree: &::sled::Tree, at: usize) -> (Vec<u8>, Vec<u8>) {
    let (key, value) = tree.iter().nth(at).unwrap().unwrap();
    (key.to_vec(), value.to_vec())
}

#[test]
fn a_whole_log_is_listed_and_verified() {
    let folder = folder();
    let Opened { store, .. } = open_read(folder.path(), true);
    let files = store.files().unwrap();
    let [file] = files.as_slice() else {
        panic!("{files:?}");
    };
    assert_eq!((file.kind, &file.plant), (FileKind::Database, &None));
    assert_eq!(file.path, Path::new("sled/db"));
    let parts: Vec<_> = file.parts.values().collect();
    assert_eq!(parts.len(), 2);
    assert!(
        parts
            .iter()
            .all(|part| (part.first.0, part.last.0, part.blocks) == (1, 31, 4))
    );
    let mut told = 0;
    let verified = store.verify(&mut |_, _| told += 1).unwrap();
    assert_eq!((verified.events, verified.blocks), (62, 8));
    assert_eq!((verified.files, verified.bytes), (1, file.bytes));
    assert!(told >= 2);
}

#[test]
fn whatever_another_hand_changed_is_found() {
    let cases: [Case; 9] = [
        (
            "blocks",
            |tree| {
                let (key, mut value) = nth(tree, 1);
                let middle = value.len() / 2;
                value[middle] ^= 1;
                tree.insert(key, value).unwrap();
            },
            "the block at position 4",
        ),
        (
            "blocks",
            |tree| {
                tree.remove(nth(tree, 2).0).unwrap();
            },
            "position 24",
        ),
        (
            "blocks",
            |tree| {
                let ((key, _), (_, other)) = (nth(tree, 1), nth(tree, 5));
                tree.insert(key, other).unwrap();
            },
            "position 4",
        ),
        (
            "blocks",
            |tree| {
                tree.insert([0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 1], nth(tree, 0).1)
                    .unwrap();
            },
            "among the blocks stands one of plant number 9",
        ),
        (
            "times",
            |tree| {
                tree.remove(nth(tree, 1).0).unwrap();
            },
            "the block at position 4 is missing in its index",
        ),
        (
            "times",
            |tree| {
                let (key, mut value) = nth(tree, 1);
                value[47] ^= 1;
                tree.insert(key, value).unwrap();
            },
            "the block at position 4: its times",
        ),
        (
            "times",
            |tree| {
                let (key, value) = nth(tree, 3);
                let early = [&key[..4], &[0; 8]].concat();
                tree.insert(early, value).unwrap();
            },
            "the block at position 1 is missing in its index",
        ),
        (
            "runs",
            |tree| {
                tree.remove(nth(tree, 2).0).unwrap();
            },
            "position 24 on are not in the index of numbers",
        ),
        (
            "runs",
            |tree| {
                let mut key = nth(tree, 2).0;
                key[7] = 9;
                tree.insert(key, &[1, 0, 0, 0]).unwrap();
            },
            "5 numbers of sources",
        ),
    ];
    // Without the notes, as in the folder of an earlier build, the verification itself finds it.
    for (noted, (tree, by, place)) in [true, false].into_iter().zip([&cases; 2]).flat_map(all) {
        let folder = folder();
        change(folder.path(), tree, by);
        if !noted {
            for name in ["witness.0", "witness.1"] {
                std::fs::remove_file(folder.path().join("sled").join(name)).unwrap();
            }
        }
        let found =
            try_open(folder.path(), true).and_then(|opened| opened.store.verify(&mut |_, _| {}));
        let Err(StoreError::Damaged(damage)) = &found else {
            panic!("{tree}, {place}: {found:?}");
        };
        assert!(damage.file.ends_with("sled/db"), "{damage}");
        let said = damage.to_string();
        // An index that is not whole is refused at the start: nobody would notice what it misses.
        if noted && tree != "blocks" && !place.contains("its times") {
            assert!(try_open(folder.path(), false).is_err(), "{said}");
        }
        assert!(said.contains(place) || (noted && tree == "runs"), "{said}");
    }
}

type Change = fn(&::sled::Tree);
type Case = (&'static str, Change, &'static str);

fn all((noted, cases): (bool, &[Case; 9])) -> impl Iterator<Item = (bool, Case)> {
    cases.iter().map(move |case| (noted, *case))
}
