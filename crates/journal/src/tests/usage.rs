//! What a store says that it takes on the disk is what its files have.

use super::*;
use crate::disk::RealDisk;
use crate::{FileKind, LogFile, Usage};

/// The bytes of the files below a folder, and how many there are.
fn below(folder: &Path) -> (u64, u64) {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let sizes = entries.map(|entry| {
        let metadata = entry.metadata().unwrap();
        if metadata.is_dir() {
            below(&entry.path())
        } else {
            (metadata.len(), 1)
        }
    });
    sizes.fold((0, 0), |sum, next| (sum.0 + next.0, sum.1 + next.1))
}

/// Commits blocks of one plant, the first with a sample body.
fn fill(store: &dyn Store, blocks: u64) {
    let mut plant = Plant::new("a");
    for number in 0..blocks {
        let mut proposal = plant.proposal(20);
        if number == 0 {
            proposal.bodies = vec![plant.body(1)];
        }
        assert!(committed(&store.commit(vec![proposal]).unwrap()));
    }
}

fn check_room(usage: Usage) {
    let room = usage.room.expect("this system tells it");
    assert!(0 < room.free && room.free <= room.total, "{room:?}");
}

#[test]
fn segments_tell_what_is_sealed_and_what_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let opened = Segments::open(Arc::new(RealDisk), folder.path(), &small_files());
    let (store, _) = opened.unwrap();
    fill(&store, 60);
    let before = store.usage().unwrap();
    assert_eq!((before.sealed_bytes, before.segments), (0, 0));
    store.seal().unwrap();
    let after = store.usage().unwrap();
    let (sealed, hot): (Vec<_>, Vec<_>) = store
        .files()
        .unwrap()
        .into_iter()
        .partition(|file| file.kind == FileKind::Segment);
    let bytes = |files: &[LogFile]| -> u64 {
        let lengths = files.iter().map(|file| {
            std::fs::metadata(folder.path().join(&file.path))
                .unwrap()
                .len()
        });
        lengths.sum()
    };
    assert_eq!(after.segments, sealed.len() as u64);
    assert_eq!(after.sealed_bytes, bytes(&sealed));
    assert_eq!(after.hot_bytes, bytes(&hot));
    assert!(after.segments > 0 && after.hot_bytes < before.hot_bytes);
    assert_eq!(after.body_bytes, below(&folder.path().join("bodies")).0);
    assert!(after.body_bytes > 0);
    let reserve = std::fs::metadata(folder.path().join("reserve")).unwrap();
    assert_eq!(after.reserve_bytes, reserve.len());
    assert!(after.reserve_bytes > 0);
    check_room(after);
    let all = after.hot_bytes + after.sealed_bytes + after.body_bytes;
    assert_eq!(store.bytes().unwrap(), all);
}

#[test]
fn sled_tells_its_file_and_the_bodies_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let opened = Sled::open(Arc::new(RealDisk), folder.path(), &small_files(), false);
    let (store, _) = opened.unwrap();
    fill(&store, 20);
    let usage = store.usage().unwrap();
    let file = std::fs::metadata(folder.path().join("sled/db")).unwrap();
    assert_eq!(usage.hot_bytes, file.len());
    assert_eq!(usage.body_bytes, below(&folder.path().join("bodies")).0);
    assert!(usage.hot_bytes > 0 && usage.body_bytes > 0);
    // It seals nothing, and keeps no reserve.
    let rest = (usage.sealed_bytes, usage.segments, usage.reserve_bytes);
    assert_eq!(rest, (0, 0, 0));
    check_room(usage);
}
