//! What is no torn end is refused with its place, and what is one is cut.

use super::*;
use crate::Trusted;

fn wal(generation: u64) -> std::path::PathBuf {
    Path::new(DIR).join(format!("log/wal-{generation:010}.log"))
}

/// A log of three groups of two plants in one file, with the length of the file after each.
fn three_groups(close: bool) -> (SimulatedDisk, [Plant; 2], Vec<usize>) {
    let disk = SimulatedDisk::new();
    let mut plants = ["a", "bb"].map(Plant::new);
    let (store, _) = open(&disk).unwrap();
    let mut ends = Vec::new();
    for _ in 0..3 {
        let [a, b] = &mut plants;
        let group = vec![a.proposal(2), b.proposal(1), a.proposal(1)];
        assert!(committed(&store.commit(group).unwrap()));
        ends.push(disk.bytes(&wal(1)).unwrap().len());
    }
    if close {
        store.close().unwrap();
    }
    (disk, plants, ends)
}

fn with_bytes(disk: &SimulatedDisk, bytes: &[u8]) -> SimulatedDisk {
    let disk = disk.copy();
    disk.overwrite(&wal(1), bytes);
    disk
}

/// Where the blocks of the file begin.
fn block_starts(bytes: &[u8]) -> Vec<usize> {
    (0..bytes.len())
        .step_by(8)
        .filter(|at| bytes[*at..].starts_with(b"WBLK"))
        .collect()
}

#[test]
fn every_flipped_byte_of_a_closed_log_is_refused_with_its_place() {
    let (disk, plants, ends) = three_groups(true);
    let bytes = disk.bytes(&wal(1)).unwrap();
    let starts = block_starts(&bytes);
    assert_eq!(starts.len(), 11);
    for at in 0..bytes.len() {
        let mut bad = bytes.clone();
        bad[at] ^= 1 << (at % 8);
        let opened = open(&with_bytes(&disk, &bad));
        if at >= ends[2] {
            // A bad mark is as good as none: the log was not closed, and holds every event.
            let (store, report) = opened.unwrap();
            assert!(
                !report.closed && report.cuts.len() == 1,
                "byte {at}: {report:?}"
            );
            for plant in &plants {
                assert_eq!(check_served(&store, plant, plant.last()), plant.last());
            }
            continue;
        }
        let error = opened.unwrap_err();
        let StoreError::Damaged(damage) = &error else {
            panic!("byte {at}: {error}");
        };
        let piece = starts
            .iter()
            .rev()
            .find(|start| **start <= at)
            .copied()
            .unwrap_or(0);
        assert_eq!(damage.offset, piece as u64, "byte {at}: {error}");
        assert_eq!(damage.file, wal(1));
        let text = error.to_string();
        assert!(
            text.contains("wal-0000000001.log") && text.contains("backup"),
            "{text}"
        );
    }
}

#[test]
fn bytes_behind_a_clean_close_mark_are_refused() {
    let (disk, _, _) = three_groups(true);
    let bytes = disk.bytes(&wal(1)).unwrap();
    for tail in [
        vec![0],
        vec![0; 4096],
        b"WBLK".to_vec(),
        bytes[64..].to_vec(),
    ] {
        let error = open(&with_bytes(&disk, &[bytes.clone(), tail].concat())).unwrap_err();
        let StoreError::Damaged(damage) = error else {
            panic!("{error}");
        };
        assert_eq!(damage.offset, bytes.len() as u64);
    }
}

#[test]
fn a_truncated_last_group_is_cut_and_the_log_goes_on() {
    let (disk, plants, ends) = three_groups(false);
    let bytes = disk.bytes(&wal(1)).unwrap();
    let starts = block_starts(&bytes);
    for length in ends[1]..bytes.len() {
        let cut = with_bytes(&disk, &bytes[..length]);
        let (store, report) = open(&cut).unwrap();
        let whole = |block: usize| starts.get(block + 1).is_none_or(|next| *next <= length);
        let last = 6 + if !whole(6) { 0 } else { 2 };
        assert_eq!(check_served(&store, &plants[0], 6), last, "length {length}");
        assert_eq!(
            check_served(&store, &plants[1], 2),
            if whole(7) { 3 } else { 2 }
        );
        assert_eq!(
            report.cuts.len(),
            usize::from(length > ends[1]),
            "length {length}"
        );
        // Groups behind the cut, an unclean stop and a second recovery.
        let [mut a, mut b] = plants.clone();
        a.resume(&store);
        b.resume(&store);
        assert!(committed(
            &store.commit(vec![b.proposal(2), a.proposal(2)]).unwrap()
        ));
        drop(store);
        let (store, report) = open(&cut).unwrap();
        assert!(report.cuts.is_empty(), "length {length}: {report:?}");
        check_served(&store, &a, a.last());
        check_served(&store, &b, b.last());
    }
}

#[test]
fn a_truncation_into_earlier_groups_keeps_a_beginning_or_falls_below_the_floor() {
    let (disk, plants, ends) = three_groups(false);
    let bytes = disk.bytes(&wal(1)).unwrap();
    for length in 0..ends[1] {
        let cut = with_bytes(&disk, &bytes[..length]);
        let options = Options {
            floors: vec![(plants[0].id.clone(), Position(6))],
            ..Options::default()
        };
        let refused = Segments::open(Arc::new(cut.clone()), Path::new(DIR), &options);
        let last = match refused {
            Err(StoreError::BelowFloor { floor, kept, .. }) => {
                assert_eq!(floor, Position(6));
                assert_eq!(
                    cut.bytes(&wal(1)).unwrap(),
                    bytes[..length],
                    "must stay as it was"
                );
                kept.0
            }
            other => panic!("length {length}: {other:?}"),
        };
        let (store, _) = open(&cut).unwrap();
        assert_eq!(check_served(&store, &plants[0], 0), last);
    }
}

#[test]
fn a_bad_block_in_the_last_group_cuts_its_plant_alone() {
    let (disk, plants, _) = three_groups(false);
    let bytes = disk.bytes(&wal(1)).unwrap();
    let starts = block_starts(&bytes);
    // Group 3 is blocks 6 (plant a), 7 (plant bb) and 8 (plant a); `at` is inside the block.
    for (block, at, expected) in [
        (6, 0, (6, 3)),
        (6, 60, (6, 3)),
        (6, 190, (6, 3)),
        (7, 0, (9, 2)),
        (7, 190, (9, 2)),
        (8, 0, (8, 3)),
    ] {
        let mut bad = bytes.clone();
        bad[starts[block] + at] ^= 1;
        let disk = with_bytes(&disk, &bad);
        let case = format!("block {block} byte {at}");
        let (store, report) = open(&disk).unwrap_or_else(|error| panic!("{case}: {error}"));
        let last = plants
            .each_ref()
            .map(|plant| check_served(&store, plant, 0));
        assert_eq!((last[0], last[1]), expected, "{case}");
        assert_eq!(report.cuts.len(), 1);
        assert_eq!(report.cuts[0].group, 3);
        assert_eq!(report.cuts[0].offset, starts[block] as u64);
        let mut next = plants.clone();
        next.iter_mut().for_each(|plant| plant.resume(&store));
        for _ in 0..2 {
            let group = next.iter_mut().map(|plant| plant.proposal(1)).collect();
            assert!(committed(&store.commit(group).unwrap()), "{case}");
        }
        drop(store);
        let (store, report) = open(&disk).unwrap_or_else(|error| panic!("{case}: {error}"));
        assert!(report.cuts.is_empty(), "{case}");
        for plant in &next {
            assert_eq!(
                check_served(&store, plant, plant.last()),
                plant.last(),
                "{case}"
            );
        }
        // What recovery left is guarded as well: a flip in any void is damage by now.
        drop(store);
        let repaired = disk.bytes(&wal(1)).unwrap();
        for at in (0..repaired.len()).filter(|at| repaired[*at..].starts_with(b"WVOI")) {
            for byte in at..at + 40 {
                let mut bad = repaired.clone();
                bad[byte] ^= 0x10;
                let error = open(&with_bytes(&disk, &bad)).unwrap_err();
                assert!(
                    matches!(error, StoreError::Damaged(_)),
                    "{case} {byte}: {error}"
                );
            }
        }
    }
}

#[test]
fn a_bad_block_before_the_last_group_is_refused() {
    let (disk, _, ends) = three_groups(false);
    let bytes = disk.bytes(&wal(1)).unwrap();
    for at in 64..ends[1] {
        let mut bad = bytes.clone();
        bad[at] ^= 0x40;
        let disk = with_bytes(&disk, &bad);
        let error = open(&disk).unwrap_err();
        let StoreError::Damaged(damage) = &error else {
            panic!("byte {at}: {error}");
        };
        assert!(damage.what.contains("later group"), "byte {at}: {error}");
        assert_eq!(disk.bytes(&wal(1)).unwrap(), bad, "must stay as it was");
    }
}

#[test]
fn a_file_that_is_missing_or_foreign_is_refused() {
    let disk = SimulatedDisk::new();
    let mut plant = Plant::new("a");
    let options = small_files();
    let (store, _) = Segments::open(Arc::new(disk.clone()), Path::new(DIR), &options).unwrap();
    for _ in 0..40 {
        store.commit(vec![plant.proposal(3)]).unwrap();
    }
    drop(store);
    assert!(disk.bytes(&wal(3)).is_some());
    use crate::disk::Disk;
    let missing = disk.copy();
    missing.remove(&wal(2)).unwrap();
    assert!(matches!(open(&missing), Err(StoreError::Damaged(_))));
    // The end of an earlier file is no torn end.
    let short = disk.copy();
    let bytes = disk.bytes(&wal(1)).unwrap();
    for length in [63, 64, bytes.len() / 2, bytes.len() - 1] {
        short.overwrite(&wal(1), &bytes[..length]);
        assert!(
            matches!(open(&short), Err(StoreError::Damaged(_))),
            "{length}"
        );
    }
    let starts = block_starts(&bytes);
    short.overwrite(&wal(1), &bytes[..*starts.last().unwrap()]);
    assert!(matches!(open(&short), Err(StoreError::Damaged(_))));
    let swapped = disk.copy();
    swapped.overwrite(&wal(2), &bytes);
    assert!(matches!(open(&swapped), Err(StoreError::Damaged(_))));
}

#[test]
fn a_snapshot_saves_hashing_and_is_held_against_the_log() {
    let (disk, plants, _) = three_groups(false);
    let tree_at = |size: u64| {
        let mut tree = CompactRange::new();
        (1..=size).for_each(|at| tree.append(leaf_hash(&plants[0].event(at))));
        tree
    };
    let open = |position, tree| {
        let plant = plants[0].id.clone();
        let trusted = vec![Trusted {
            plant,
            position: Position(position),
            tree,
        }];
        let options = Options {
            trusted,
            ..Options::default()
        };
        Segments::open(Arc::new(disk.copy()), Path::new(DIR), &options)
    };
    for position in 0..=9 {
        let (store, _) = open(position, tree_at(position)).unwrap();
        check_served(&store, &plants[0], 9);
    }
    let other = |size| {
        let mut tree = CompactRange::new();
        (0..size).for_each(|_| tree.append(leaf_hash(b"other")));
        tree
    };
    for position in 1..=8 {
        let error = open(position, other(position)).unwrap_err();
        assert!(
            matches!(error, StoreError::Snapshot { .. }),
            "{position}: {error}"
        );
    }
    let error = open(5, tree_at(4)).unwrap_err();
    assert!(matches!(error, StoreError::Snapshot { .. }), "{error}");
    let error = open(10, other(10)).unwrap_err();
    assert!(matches!(error, StoreError::BelowFloor { .. }), "{error}");
}

#[test]
fn a_damaged_block_is_never_served() {
    let (disk, plants, _) = three_groups(false);
    let (store, _) = open(&disk).unwrap();
    let bytes = disk.bytes(&wal(1)).unwrap();
    for start in block_starts(&bytes) {
        let mut bad = bytes.clone();
        bad[start + 170] ^= 1;
        disk.overwrite(&wal(1), &bad);
        let mut errors = 0;
        for plant in &plants {
            for block in store.read(&plant.id, Position(1)).unwrap() {
                match block {
                    Ok(block) => {
                        for (position, event) in block.events() {
                            assert_eq!(event, plant.event(position.0));
                        }
                    }
                    Err(StoreError::Damaged(damage)) => {
                        assert_eq!(damage.offset, start as u64);
                        errors += 1;
                    }
                    Err(error) => panic!("{error}"),
                }
            }
        }
        assert_eq!(errors, 1);
    }
}
