//! The witness beside the database: what it vouches for, and what becomes of a folder without it.

use std::fs;
use std::path::PathBuf;

use super::*;
use crate::disk::{Disk, OpenMode, RealDisk};

const WITNESS: [&str; 2] = ["witness.0", "witness.1"];

fn open(path: &Path) -> Result<Sled, StoreError> {
    Ok(Sled::open(Arc::new(RealDisk), path, &small_files(), false)?.0)
}

/// A closed log with some groups of two plants.
fn folder(groups: u64) -> (tempfile::TempDir, [Plant; 2]) {
    let folder = watched::folder();
    let mut plants = ["a", "bb"].map(Plant::new);
    let store = open(folder.path()).unwrap();
    for _ in 0..groups {
        let group = plants.iter_mut().map(|plant| plant.proposal(2)).collect();
        assert!(committed(&store.commit(group).unwrap()));
    }
    store.close().unwrap();
    (folder, plants)
}

fn files(folder: &tempfile::TempDir) -> [PathBuf; 2] {
    WITNESS.map(|name| folder.path().join("sled").join(name))
}

#[test]
fn an_older_file_of_the_database_is_refused_with_what_to_do() {
    let (folder, plants) = folder(3);
    let copies = ["db", "conf"].map(|name| folder.path().join("sled").join(name));
    let copies = copies.map(|path| (path.clone(), fs::read(path).unwrap()));
    let store = open(folder.path()).unwrap();
    let [mut a, b] = plants;
    assert!(committed(&store.commit(vec![a.proposal(4)]).unwrap()));
    store.close().unwrap();
    drop(store);
    let noted = files(&folder).map(|path| fs::read(path).unwrap());
    for (path, bytes) in copies {
        fs::write(path, bytes).unwrap();
    }
    for entry in fs::read_dir(folder.path().join("sled")).unwrap() {
        let path = entry.unwrap().path();
        if path
            .file_name()
            .unwrap()
            .to_str()
            .unwrap()
            .starts_with("snap.")
        {
            fs::remove_file(path).unwrap();
        }
    }
    // Again and again, and without a change to the notes.
    for _ in 0..2 {
        let error = open(folder.path()).unwrap_err();
        let StoreError::Forgotten(forgotten) = &error else {
            panic!("{error}");
        };
        assert_eq!((forgotten.kept.0, forgotten.noted.0), (6, 10));
        let said = error.to_string();
        for part in ["plant \"a\"", "sled/db", "witness.0", "werkbuch log verify"] {
            assert!(said.contains(part), "{said}");
        }
        assert!(noted == files(&folder).map(|path| fs::read(path).unwrap()));
    }
    // Who means it puts the notes away, too.
    for path in files(&folder) {
        fs::remove_file(path).unwrap();
    }
    check_served(&open(folder.path()).unwrap(), &b, 6);
}

#[test]
fn a_folder_of_an_earlier_build_gets_its_witness() {
    let (folder, mut plants) = folder(3);
    for path in files(&folder) {
        fs::remove_file(path).unwrap();
    }
    let store = open(folder.path()).unwrap();
    assert!(files(&folder).iter().all(|path| path.exists()));
    let group = plants.iter_mut().map(|plant| plant.proposal(1)).collect();
    assert!(committed(&store.commit(group).unwrap()));
    store.close().unwrap();
    drop(store);
    let store = open(folder.path()).unwrap();
    for plant in &plants {
        check_served(&store, plant, 7);
    }
    // Looking at such a folder writes nothing.
    drop(store);
    for path in files(&folder) {
        fs::remove_file(path).unwrap();
    }
    let looked = Sled::open(Arc::new(RealDisk), folder.path(), &small_files(), true);
    looked.unwrap();
    assert!(!files(&folder).iter().any(|path| path.exists()));
}

#[test]
fn notes_go_on_through_many_files() {
    // Each file takes some sixty notes.
    let (folder, mut plants) = folder(200);
    let store = open(folder.path()).unwrap();
    for plant in &mut plants {
        check_served(&store, plant, 400);
        assert!(committed(&store.commit(vec![plant.proposal(1)]).unwrap()));
    }
    drop(store);
    let length = fs::metadata(&files(&folder)[0]).unwrap().len();
    assert_eq!(length, 32 * 1024);
    let kept = plants.each_ref().map(|plant| plant.last());
    let store = open(folder.path()).unwrap();
    assert_eq!(
        plants
            .each_ref()
            .map(|plant| check_served(&store, plant, 0)),
        kept
    );
}

#[test]
fn more_plants_than_a_file_was_made_for_have_room() {
    let folder = watched::folder();
    let names: Vec<String> = (0..600).map(|at| format!("{at:0>20}")).collect();
    let mut plants: Vec<_> = names.iter().map(|name| Plant::new(name)).collect();
    let store = open(folder.path()).unwrap();
    for part in plants.chunks_mut(50) {
        let group = part.iter_mut().map(|plant| plant.proposal(1)).collect();
        assert!(committed(&store.commit(group).unwrap()));
    }
    let longest = files(&folder).map(|path| fs::metadata(path).unwrap().len());
    assert!(
        longest.into_iter().max().unwrap() > 32 * 1024,
        "{longest:?}"
    );
    drop(store);
    let store = open(folder.path()).unwrap();
    assert_eq!(store.ends().len(), 600);
}

#[test]
fn notes_that_cannot_be_read_are_written_anew_and_those_of_others_are_refused() {
    let (folder, plants) = folder(2);
    for path in files(&folder) {
        fs::write(path, vec![7; 5000]).unwrap();
    }
    let store = open(folder.path()).unwrap();
    check_served(&store, &plants[0], 4);
    drop(store);
    assert!(fs::read(&files(&folder)[0]).unwrap().starts_with(b"WWIT"));
    let (other, _) = self::folder(1);
    fs::copy(&files(&other)[1], &files(&folder)[1]).unwrap();
    let error = open(folder.path()).unwrap_err();
    assert!(matches!(&error, StoreError::Marker { .. }), "{error}");
    assert!(error.to_string().contains("another data folder"), "{error}");
}

/// Over several segments of its file the database goes on behind what it cannot read, and misses only
/// what lies between: entries of an index, say, while every position is there.
#[test]
fn a_flipped_bit_in_an_earlier_segment_of_the_live_end_is_told() {
    let live = watched::folder();
    let store = open(live.path()).unwrap();
    let mut plants = ["a", "bb"].map(Plant::new);
    for round in 0..340 {
        let count = [1, 300, 20, 450][round % 4];
        let group = plants
            .iter_mut()
            .map(|plant| plant.proposal(count))
            .collect();
        assert!(committed(&store.commit(group).unwrap()));
    }
    let image = |to: &Path| {
        fs::create_dir_all(to.join("sled/blobs")).unwrap();
        fs::copy(live.path().join("book.toml"), to.join("book.toml")).unwrap();
        for entry in fs::read_dir(live.path().join("sled")).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                fs::copy(&path, to.join("sled").join(path.file_name().unwrap())).unwrap();
            }
        }
    };
    let length = fs::metadata(live.path().join("sled/db")).unwrap().len();
    assert!(length > 2 << 24, "{length} bytes are too few segments");
    let places = 24;
    let (mut refused, mut not_served, mut harmless) = (0, 0, 0);
    for nth in 0..places {
        let folder = watched::folder();
        image(folder.path());
        let at = (length - (1 << 24)) * nth / places + 99;
        let file = RealDisk.open(&folder.path().join("sled/db"), OpenMode::Write);
        let file = file.unwrap();
        let mut byte = [0];
        file.read_at(&mut byte, at).unwrap();
        file.write_at(&[byte[0] ^ 4], at).unwrap();
        let Ok(store) = open(folder.path()) else {
            refused += 1;
            continue;
        };
        let mut told = false;
        for plant in &plants {
            told |= try_served(&store, plant, plant.last()).is_err();
            for position in (1..=plant.last()).step_by(11) {
                let number = Sequence(position + 1000);
                match store.find(&plant.id, SourceNumber(1), number) {
                    Ok(found) => assert_eq!(found, Some(Position(position)), "byte {at}"),
                    Err(_) => told = true,
                }
                match store.block_at(&plant.id, recorded_at(position)) {
                    Ok(block) => assert!(block.unwrap().last.0 >= position, "byte {at}"),
                    Err(_) => told = true,
                }
            }
        }
        not_served += u64::from(told);
        harmless += u64::from(!told);
    }
    eprintln!("{refused} refused, {not_served} not served, {harmless} harmless");
    assert!(refused > 0 && harmless > 0);
}
