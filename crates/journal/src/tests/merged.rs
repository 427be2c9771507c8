//! Merging small segments: what it keeps, what it leaves behind, and that a reader does not notice.

use werkbuch_model::id::MachineNumber;

use super::sealed::{MACHINES, check, event, filled_with, machine, names, segment_paths};
use super::*;
use crate::disk::{Disk, FaultKind};

/// Each block begins a file, and so becomes a segment of its own.
fn tiny_files() -> Options {
    Options {
        wal_bytes_max: 256,
        ..small_files()
    }
}

/// A thousand events in about fifty segments.
fn split_log(disk: &SimulatedDisk) -> Segments {
    let store = filled_with(disk, 1, &tiny_files());
    assert!(segment_paths(disk).len() > 40);
    store
}

fn reopen(disk: &SimulatedDisk) -> Segments {
    let disk = Arc::new(disk.clone());
    let (store, _) = Segments::open(disk, Path::new(DIR), &tiny_files()).unwrap();
    store
}

fn plant() -> PlantId {
    PlantId::new("a").unwrap()
}

/// What the store answers about blocks and machines.
fn answers(store: &Segments) -> (Vec<Position>, Vec<Vec<Position>>) {
    let known = (0..=1001).map(|at| {
        let found = store.block_at(&plant(), Timestamp(at * 10 + 5)).unwrap();
        found.map_or(Position(0), |bounds| bounds.last)
    });
    let machines = (1..=MACHINES).map(|wanted| {
        let number = MachineNumber(u32::try_from(wanted).unwrap());
        let blocks = store.read_machine(&plant(), Position(1), number).unwrap();
        let blocks: Vec<_> = blocks.map(Result::unwrap).collect();
        let events = blocks.iter().flat_map(|block| block.events());
        let mine = events.filter(|(position, _)| machine(position.0) == wanted);
        mine.map(|(position, _)| position).collect()
    });
    (known.collect(), machines.collect())
}

#[test]
fn merged_segments_hold_the_same() {
    let disk = SimulatedDisk::new();
    let store = split_log(&disk);
    let (before, old) = (answers(&store), segment_paths(&disk).len());
    let (ends, bytes) = (store.ends(), store.bytes().unwrap());
    assert!(store.merge().unwrap() >= 40);
    assert_eq!(store.merge().unwrap(), 0);
    let left = segment_paths(&disk).len();
    assert!(left <= 16, "{left} of {old} segments");
    check(&store);
    let after = answers(&store);
    // Blocks became longer, machines say the same.
    assert!(before.0.iter().zip(&after.0).all(|(old, new)| old <= new));
    assert_eq!(before.1, after.1);
    assert_eq!(store.ends(), ends);
    assert!(store.bytes().unwrap() < bytes);
    let verified = store.verify(&mut |_, _| {}).unwrap();
    assert_eq!(verified.events, 1000);
    assert_eq!(store.files().unwrap().len() as u64, verified.files);

    drop(store);
    let store = reopen(&disk);
    assert_eq!(store.ends(), ends);
    check(&store);
    assert_eq!(answers(&store), after);
    assert_eq!(segment_paths(&disk).len(), left);
}

#[test]
fn a_power_cut_at_any_moment_of_a_merge_loses_nothing() {
    let whole = SimulatedDisk::new();
    drop(split_log(&whole));
    let (mut nth, mut unnamed, mut power) = (0, 0, false);
    while !power {
        nth += 1;
        for seed in 0..4 {
            let disk = whole.copy();
            let store = reopen(&disk);
            disk.fail(FaultKind::Power, nth);
            let _ = store.merge();
            drop(store);
            power = disk.exists(Path::new(DIR)).is_ok();
            let disk = disk.crash(seed);
            let before = segment_paths(&disk).len();
            let store = reopen(&disk);
            unnamed += usize::from(segment_paths(&disk).len() < before);
            check(&store);
            store.verify(&mut |_, _| {}).unwrap();
            store.merge().unwrap();
            check(&store);
            store.verify(&mut |_, _| {}).unwrap();
            assert!(segment_paths(&disk).len() <= 16, "{nth} {seed}");
        }
    }
    assert!(nth > 50, "the power went at {nth} moments");
    assert!(unnamed > 20, "{unnamed} leftovers");
}

#[test]
fn a_disk_that_fails_while_merging_loses_nothing() {
    for kind in [
        FaultKind::Read,
        FaultKind::Write,
        FaultKind::ShortWrite,
        FaultKind::NoSpace,
        FaultKind::Flip,
        FaultKind::Sync,
        FaultKind::SyncFolder,
    ] {
        let whole = SimulatedDisk::new();
        drop(split_log(&whole));
        let (mut nth, mut failed) = (0, 0);
        loop {
            nth += 1;
            let disk = whole.copy();
            let store = reopen(&disk);
            disk.fail(kind, nth);
            let merged = store.merge();
            disk.fail(kind, u64::MAX);
            check(&store);
            failed += u32::from(merged.is_err());
            // Tried again in the same life, and in the next one.
            let again = store.merge();
            check(&store);
            drop(store);
            let disk = disk.crash(nth);
            let store = reopen(&disk);
            check(&store);
            store.merge().unwrap();
            check(&store);
            store.verify(&mut |_, _| {}).unwrap();
            let left = segment_paths(&disk).len();
            assert!(left <= 16, "{kind:?} {nth}: {left} left, {again:?}");
            if merged.is_ok() || nth > 60 {
                break;
            }
        }
        assert!(failed > 1, "{kind:?} failed {failed} times");
    }
}

#[test]
fn a_reader_gets_each_event_once_while_segments_are_merged_under_it() {
    for stop in [0, 3, 11, 30] {
        let disk = SimulatedDisk::new();
        let store = split_log(&disk);
        let mut next = 1;
        let mut blocks = store.read(&plant(), Position(1)).unwrap();
        for (at, block) in blocks.by_ref().enumerate() {
            for (position, bytes) in block.unwrap().events() {
                assert_eq!((position.0, bytes), (next, event(next).as_slice()));
                next += 1;
            }
            if at == stop {
                let merged = store.merge().unwrap();
                assert!(merged > 30, "{merged}");
            }
        }
        assert_eq!(next, 1001);
        drop(blocks);
        assert!(segment_paths(&disk).len() <= 16);
    }
}

#[test]
fn a_merged_segment_stays_until_its_last_reader_is_gone() {
    let disk = SimulatedDisk::new();
    let store = split_log(&disk);
    let old = segment_paths(&disk).remove(0);
    let mut blocks = store.read(&plant(), Position(1)).unwrap();
    let first = blocks.next().unwrap().unwrap();
    // Whoever looked the segment up before the merge and opens its file only now still finds it.
    assert!(store.merge().unwrap() > 30);
    assert!(disk.exists(&old).unwrap());
    let second = blocks.next().unwrap().unwrap();
    assert_eq!(second.from, first.header.last().next());
    assert!(!disk.exists(&old).unwrap());
    drop(blocks);
    check(&store);
    // What a reader kept from going before the power went, the next start removes.
    let blocks = store.read(&plant(), Position(1)).unwrap();
    let left = names(&disk, "log/sealed/a").len();
    drop(store);
    let disk = disk.crash(1);
    drop(blocks);
    let store = reopen(&disk);
    check(&store);
    assert!(segment_paths(&disk).len() <= left);
}

#[test]
fn a_full_disk_and_a_damaged_segment_are_not_merged() {
    let disk = SimulatedDisk::new();
    let store = split_log(&disk);
    let used: u64 = segment_paths(&disk)
        .iter()
        .map(|path| disk.bytes(path).unwrap().len() as u64)
        .sum();
    disk.set_capacity(Some(used));
    assert_eq!(store.merge().unwrap(), 0);
    disk.set_capacity(None);
    let path = segment_paths(&disk).remove(5);
    let whole = disk.bytes(&path).unwrap();
    let mut bad = whole.clone();
    bad[100] ^= 1;
    disk.overwrite(&path, &bad);
    let told = store.merge().unwrap_err();
    let StoreError::Damaged(damage) = &told else {
        panic!("{told}");
    };
    assert_eq!(damage.file, path);
    // It is not tried with every file that is full, and nothing that it left stays.
    assert_eq!(store.merge().unwrap(), 0);
    let old = segment_paths(&disk).len();
    assert!(old > 8);
    disk.overwrite(&path, &whole);
    drop(store);
    let store = reopen(&disk);
    assert_eq!(segment_paths(&disk).len(), old);
    assert!(store.merge().unwrap() >= 8);
    check(&store);
}
