//! The data folder: its lock, its marker, its rights, and opening it for reading only.

use std::fs;

use super::*;
use crate::disk::{Disk, LockMode, OpenMode, RealDisk};

#[test]
fn a_folder_has_one_writer_or_many_readers() {
    let folder = tempfile::tempdir().unwrap();
    let simulated = SimulatedDisk::new();
    let disks: [(Arc<dyn Disk>, &Path); 2] = [
        (Arc::new(RealDisk), folder.path()),
        (Arc::new(simulated), Path::new(DIR)),
    ];
    for (disk, path) in disks {
        let options = Options::default();
        let open = || Segments::open(Arc::clone(&disk), path, &options);
        let open_read_only = || Segments::open_read_only(Arc::clone(&disk), path, &options);
        let (store, _) = open().unwrap();
        for second in [open(), open_read_only()] {
            let error = second.unwrap_err();
            assert!(matches!(error, StoreError::Held { .. }));
            assert!(error.to_string().contains("stop that one first"), "{error}");
        }
        drop(store);
        let readers = (open_read_only().unwrap(), open_read_only().unwrap());
        assert!(matches!(open(), Err(StoreError::Held { .. })));
        drop(readers);
        open().unwrap();
    }
}

#[test]
fn reading_only_changes_nothing_and_tells_of_a_tear() {
    let disk = SimulatedDisk::new();
    let (store, _) = open(&disk).unwrap();
    let mut plant = Plant::new("a");
    store.commit(vec![plant.proposal(3)]).unwrap();
    let sure = plant.clone();
    store.commit(vec![plant.proposal(2)]).unwrap();
    drop(store);
    let path = Path::new(DIR).join("log/wal-0000000001.log");
    let bytes = disk.bytes(&path).unwrap();
    disk.overwrite(&path, &bytes[..bytes.len() - 9]);
    let options = Options::default();
    let opened = Segments::open_read_only(Arc::new(disk.clone()), Path::new(DIR), &options);
    let (store, report) = opened.unwrap();
    assert_eq!(report.cuts.len(), 1);
    assert_eq!(report.cuts[0].plants, [(plant.id.clone(), Position(3))]);
    assert_eq!(check_served(&store, &sure, 3), 3);
    let refused = store.commit(vec![plant.proposal(1)]);
    assert!(matches!(refused, Err(StoreError::ReadOnly { .. })));
    store.close().unwrap();
    assert_eq!(disk.bytes(&path).unwrap(), bytes[..bytes.len() - 9]);
}

#[test]
fn a_folder_that_holds_no_log_is_not_opened_for_reading() {
    let disk = SimulatedDisk::new();
    let options = Options::default();
    let missing = Segments::open_read_only(Arc::new(disk.clone()), Path::new(DIR), &options);
    let error = missing.unwrap_err();
    assert!(matches!(error, StoreError::Marker { .. }), "{error}");
    assert!(!disk.exists(Path::new(DIR)).unwrap());
}

#[test]
fn a_marker_of_another_version_or_store_is_refused() {
    for (from, to, expected) in [
        ("format = 1", "format = 2", "has version 2"),
        ("format = 1", "", "has no version"),
        ("\"segments\"", "\"sled\"", "names the store \"sled\""),
        ("folder = \"", "folder = \"x", "no folder id"),
        ("created", "creation", "cannot be read"),
        ("store =", "store = = ", "cannot be read"),
    ] {
        let disk = SimulatedDisk::new();
        open(&disk).unwrap();
        let path = Path::new(DIR).join("book.toml");
        let text = String::from_utf8(disk.bytes(&path).unwrap()).unwrap();
        assert!(text.contains(from), "{text}");
        let (text, whole) = crate::text::without_sum(&text);
        assert!(whole);
        let other = crate::text::with_sum(&text.replace(from, to));
        disk.overwrite(&path, other.as_bytes());
        let error = open(&disk).unwrap_err();
        assert!(matches!(error, StoreError::Marker { .. }), "{error}");
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[test]
fn every_flipped_bit_of_the_marker_is_told() {
    let disk = SimulatedDisk::new();
    open(&disk).unwrap();
    let path = Path::new(DIR).join("book.toml");
    for bit in 0..disk.bytes(&path).unwrap().len() as u64 * 8 {
        disk.flip(&path, bit);
        let error = open(&disk).unwrap_err();
        assert!(
            matches!(&error, StoreError::Marker { path: told, .. } if *told == path),
            "bit {bit}: {error}"
        );
        disk.flip(&path, bit);
    }
    // As an earlier build wrote it, without a checksum.
    let text = String::from_utf8(disk.bytes(&path).unwrap()).unwrap();
    let (before, _) = text.split_once("sum = ").unwrap();
    disk.overwrite(&path, before.as_bytes());
    open(&disk).unwrap();
}

#[test]
fn a_log_without_its_marker_is_refused() {
    let disk = SimulatedDisk::new();
    let (store, _) = open(&disk).unwrap();
    store.commit(vec![Plant::new("a").proposal(1)]).unwrap();
    drop(store);
    disk.remove(&Path::new(DIR).join("book.toml")).unwrap();
    let error = open(&disk).unwrap_err();
    assert!(error.to_string().contains("restore it"), "{error}");
}

#[test]
fn a_missing_right_is_said() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let rights = |mode| fs::set_permissions(folder.path(), fs::Permissions::from_mode(mode));
    rights(0o555).unwrap();
    // The superuser may write anywhere, and then there is nothing to see here.
    if fs::write(folder.path().join("probe"), b"").is_ok() {
        eprintln!("skipped: this user may write to a folder without the right to");
    } else {
        let opened = Segments::open(Arc::new(RealDisk), folder.path(), &Options::default());
        let error = opened.unwrap_err();
        assert!(matches!(error, StoreError::Denied { .. }), "{error}");
    }
    rights(0o755).unwrap();
}

#[test]
fn errors_of_the_disk_become_sentences() {
    for (kind, expected) in [
        (
            std::io::ErrorKind::PermissionDenied,
            "give the user of this program that right",
        ),
        (std::io::ErrorKind::StorageFull, "make room there"),
        (std::io::ErrorKind::Other, "could not write \"/x\""),
    ] {
        let error = StoreError::io("write", Path::new("/x"), kind.into());
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[test]
fn the_real_disk_does_what_the_trait_says() {
    let folder = tempfile::tempdir().unwrap();
    let disk = RealDisk;
    let inner = folder.path().join("x/y");
    disk.create_dir_all(&inner).unwrap();
    disk.create_dir_all(&inner).unwrap();
    let path = inner.join("b");
    assert!(disk.open(&path, OpenMode::Write).is_err());
    let file = disk.open(&path, OpenMode::Create).unwrap();
    file.write_at(b"hello", 3).unwrap();
    file.sync_data().unwrap();
    let mut bytes = [9; 16];
    assert_eq!(file.read_at(&mut bytes, 0).unwrap(), 8);
    assert_eq!(&bytes[..8], b"\0\0\0hello");
    file.set_len(4).unwrap();
    assert_eq!((file.len().unwrap(), file.is_empty().unwrap()), (4, false));
    disk.rename(&path, &inner.join("a")).unwrap();
    disk.open(&inner.join("c"), OpenMode::Create).unwrap();
    assert_eq!(disk.list(&inner).unwrap(), ["a", "c"]);
    disk.remove(&inner.join("c")).unwrap();
    disk.sync_dir(&inner).unwrap();
    assert!(!disk.exists(&inner.join("c")).unwrap());
    assert!(
        disk.open(&inner.join("a"), OpenMode::Create)
            .unwrap()
            .is_empty()
            .unwrap()
    );
    let lock = inner.join("LOCK");
    assert!(disk.lock(&lock, LockMode::Shared).unwrap().is_some());
    let held = disk.lock(&lock, LockMode::Exclusive).unwrap();
    assert!(held.is_some() && disk.lock(&lock, LockMode::Exclusive).unwrap().is_none());
    drop(held);
    assert!(disk.lock(&lock, LockMode::Exclusive).unwrap().is_some());
}
