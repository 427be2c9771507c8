//! Sealing: what it keeps, what it leaves, and what damage to it is found.

use werkbuch_model::event::{Body, Flags, ItemChanged, Recorded, Reported};
use werkbuch_model::id::MachineNumber;
use werkbuch_record::encode_recorded;

use super::*;

pub(super) const MACHINES: u64 = 7;

/// An event as the engine writes it: of one of seven machines, of one of two sources.
pub(super) fn event(position: u64) -> Vec<u8> {
    let at = Timestamp(position as i64 * 10);
    encode_recorded(&Recorded {
        position: Position(position),
        recorded_at: at,
        effective_at: at,
        source: SourceNumber(source(position)),
        previous: Position(0),
        flags: Flags::default(),
        authority: 0,
        reported: Reported {
            sequence: Sequence(sequence(position)),
            machine: MachineNumber(u32::try_from(machine(position)).unwrap()),
            occurred_at: at,
            observed_at: None,
            historical: false,
            body: Body::ItemChanged(ItemChanged {
                item: "x".into(),
                text: Some(position.to_string().into()),
            }),
        },
        corrected: Vec::new(),
    })
}

pub(super) fn source(position: u64) -> u32 {
    1 + u32::from(position.is_multiple_of(3))
}

/// Each source's numbers come in pairs the wrong way round, so that there are many runs.
pub(super) fn sequence(position: u64) -> u64 {
    (position ^ 1) + 10
}

/// Machine 7 says something in the first quarter only.
pub(super) fn machine(position: u64) -> u64 {
    if position < 250 {
        position % MACHINES + 1
    } else {
        position % (MACHINES - 1) + 1
    }
}

/// A log of a thousand events in many files.
fn log(disk: &SimulatedDisk) -> Segments {
    filled(disk, usize::MAX)
}

/// The same, of which every ten blocks were sealed.
fn sealed_log(disk: &SimulatedDisk) -> Segments {
    filled(disk, 10)
}

fn filled(disk: &SimulatedDisk, seal_every: usize) -> Segments {
    filled_with(disk, seal_every, &small_files())
}

pub(super) fn filled_with(disk: &SimulatedDisk, seal_every: usize, options: &Options) -> Segments {
    let (store, _) = Segments::open(Arc::new(disk.clone()), Path::new(DIR), options).unwrap();
    let id = PlantId::new("a").unwrap();
    let mut tree = CompactRange::new();
    for (round, first) in (1..=1000).step_by(20).enumerate() {
        let root = *tree.root().as_bytes();
        let mut block = BlockBuilder::new(
            LogId([1; 16]),
            id.clone(),
            WriterEpoch(1),
            Position(first),
            root,
        );
        for position in first..first + 20 {
            let (event, at) = (event(position), Timestamp(position as i64 * 10));
            let (source, sequence) = (SourceNumber(source(position)), Sequence(sequence(position)));
            block.push(&event, at, at, source, sequence).unwrap();
            tree.append(leaf_hash(&event));
        }
        let outcomes = store.commit(vec![Proposal::new(block.finish(), tree.clone())]);
        assert!(committed(&outcomes.unwrap()));
        if (round + 1).is_multiple_of(seal_every) {
            store.seal().unwrap();
        }
    }
    store
}

pub(super) fn names(disk: &SimulatedDisk, folder: &str) -> Vec<String> {
    use crate::disk::Disk;
    let names = disk.list(&Path::new(DIR).join(folder)).unwrap();
    names
        .into_iter()
        .filter(|name| name.contains('.'))
        .collect()
}

pub(super) fn segment_paths(disk: &SimulatedDisk) -> Vec<std::path::PathBuf> {
    let names = names(disk, "log/sealed/a").into_iter();
    names
        .map(|name| Path::new(DIR).join("log/sealed/a").join(name))
        .collect()
}

pub(super) fn check(store: &Segments) {
    let id = PlantId::new("a").unwrap();
    let mut next = 1;
    for block in store.read(&id, Position(1)).unwrap() {
        for (position, bytes) in block.unwrap().events() {
            assert_eq!((position.0, bytes), (next, event(next).as_slice()));
            next += 1;
        }
    }
    assert_eq!(next, 1001);
    for position in 1..=1000 {
        let (source, sequence) = (SourceNumber(source(position)), Sequence(sequence(position)));
        let found = store.find(&id, source, sequence).unwrap();
        assert_eq!(found, Some(Position(position)));
        let other = SourceNumber(3 - source.0);
        assert_eq!(store.find(&id, other, sequence).unwrap(), None);
    }
}

#[test]
fn full_files_become_segments_that_hold_the_same() {
    let disk = SimulatedDisk::new();
    let store = log(&disk);
    let files = names(&disk, "log").len();
    assert!(files > 5, "{files} files");
    let hot = store.bytes().unwrap();
    assert_eq!(store.seal().unwrap(), files as u64 - 1);
    assert_eq!(store.seal().unwrap(), 0);
    check(&store);
    assert_eq!(names(&disk, "log").len(), 1);
    assert_eq!(segment_paths(&disk).len(), 1);
    assert!(store.bytes().unwrap() < hot);
    let verified = store.verify(&mut |_, _| {}).unwrap();
    assert_eq!((verified.events, verified.files), (1000, 2));
    assert_eq!(verified.bytes, store.bytes().unwrap());

    let ends = store.ends();
    drop(store);
    let (store, report) = open(&disk).unwrap();
    assert_eq!(store.ends(), ends);
    assert_eq!(report.segments, 1);
    assert_eq!(report.sealed_events + report.events, 1000);
    check(&store);
}

#[test]
fn the_history_of_one_machine_leaves_out_blocks_without_it() {
    let disk = SimulatedDisk::new();
    let store = sealed_log(&disk);
    let id = PlantId::new("a").unwrap();
    let all = store.read(&id, Position(1)).unwrap().count();
    for wanted in 1..=MACHINES {
        let wanted_machine = MachineNumber(u32::try_from(wanted).unwrap());
        let blocks: Vec<_> = store
            .read_machine(&id, Position(1), wanted_machine)
            .unwrap()
            .map(Result::unwrap)
            .collect();
        let found = blocks.iter().flat_map(|block| block.events());
        let found = found
            .filter(|(position, _)| machine(position.0) == wanted)
            .count();
        let expected = (1..=1000).filter(|p| machine(*p) == wanted).count();
        assert_eq!(found, expected, "machine {wanted}");
        assert_eq!(
            blocks.len() < all,
            wanted == MACHINES,
            "{} of {all}",
            blocks.len()
        );
    }
}

#[test]
fn every_flipped_byte_of_a_segment_or_catalogue_is_found() {
    let disk = SimulatedDisk::new();
    drop(sealed_log(&disk));
    let catalogue = Path::new(DIR).join("log/catalogue");
    let segment = segment_paths(&disk).remove(1);
    for path in [catalogue, segment] {
        let bytes = disk.bytes(&path).unwrap();
        for at in 0..bytes.len() {
            let disk = disk.copy();
            let mut bad = bytes.clone();
            bad[at] ^= 1 << (at % 8);
            disk.overwrite(&path, &bad);
            let found = open(&disk).and_then(|(store, _)| store.verify(&mut |_, _| {}));
            let Err(StoreError::Damaged(damage)) = found else {
                panic!("byte {at} of {}: {found:?}", path.display());
            };
            assert_eq!(damage.file, path, "byte {at}: {damage}");
        }
    }
}

#[test]
fn a_segment_that_is_missing_or_of_another_length_is_told_at_the_start() {
    let disk = SimulatedDisk::new();
    drop(sealed_log(&disk));
    let path = segment_paths(&disk).remove(2);
    let bytes = disk.bytes(&path).unwrap();
    let longer = [bytes.as_slice(), &[0]].concat();
    for other in [&bytes[..bytes.len() - 1], &longer] {
        let disk = disk.copy();
        disk.overwrite(&path, other);
        let told = open(&disk).unwrap_err().to_string();
        assert!(
            told.contains("has") && told.contains("bytes, not"),
            "{told}"
        );
    }
    {
        use crate::disk::Disk;
        disk.remove(&path).unwrap();
    }
    let told = open(&disk).unwrap_err().to_string();
    assert!(told.contains("the segment is missing"), "{told}");
}

#[test]
fn a_disk_that_fails_while_sealing_loses_nothing() {
    use crate::disk::FaultKind;
    for kind in [
        FaultKind::Read,
        FaultKind::Write,
        FaultKind::ShortWrite,
        FaultKind::NoSpace,
        FaultKind::Sync,
        FaultKind::SyncFolder,
    ] {
        let (mut nth, mut failed) = (0, 0);
        loop {
            nth += 1;
            let disk = SimulatedDisk::new();
            let store = log(&disk);
            disk.fail(kind, nth);
            let sealed = store.seal();
            disk.fail(kind, u64::MAX);
            check(&store);
            failed += u32::from(sealed.is_err());
            // Tried again in the same life, and in the next one.
            let again = store.seal();
            check(&store);
            drop(store);
            let disk = disk.crash(nth);
            let (store, _) =
                Segments::open(Arc::new(disk.clone()), Path::new(DIR), &small_files()).unwrap();
            check(&store);
            store.seal().unwrap();
            check(&store);
            store.verify(&mut |_, _| {}).unwrap();
            assert_eq!(names(&disk, "log").len(), 1, "{kind:?} {nth}: {again:?}");
            if sealed.is_ok() || nth > 40 {
                break;
            }
        }
        assert!(failed > 1, "{kind:?} failed {failed} times");
    }
}

#[test]
fn a_reader_gets_each_event_once_while_files_are_sealed_under_it() {
    let disk = SimulatedDisk::new();
    let store = log(&disk);
    let id = PlantId::new("a").unwrap();
    let mut next = 1;
    for (at, block) in store.read(&id, Position(1)).unwrap().enumerate() {
        for (position, bytes) in block.unwrap().events() {
            assert_eq!((position.0, bytes), (next, event(next).as_slice()));
            next += 1;
        }
        // In the middle of what becomes one sealed block.
        if at == 4 {
            assert!(store.seal().unwrap() > 3);
        }
    }
    assert_eq!(next, 1001);
}

#[test]
fn a_segment_that_the_disk_spoils_does_not_take_the_place_of_what_it_was_made_of() {
    use crate::disk::FaultKind;
    let disk = SimulatedDisk::new();
    let store = log(&disk);
    // The first write of a seal is that of the segment.
    disk.fail(FaultKind::Flip, 1);
    let spoilt = store.seal();
    assert!(matches!(spoilt, Err(StoreError::Damaged(_))), "{spoilt:?}");
    check(&store);
    assert!(names(&disk, "log").len() > 5, "the write-ahead files stay");
    store.seal().unwrap();
    check(&store);
    store.verify(&mut |_, _| {}).unwrap();
}

#[test]
fn a_disk_that_was_full_while_sealing_seals_once_there_is_room() {
    use crate::disk::FaultKind;
    for nth in 1..=2 {
        let disk = SimulatedDisk::new();
        let store = log(&disk);
        disk.fail(FaultKind::NoSpace, nth);
        let full = store.seal();
        assert!(
            matches!(full, Err(StoreError::DiskFull { .. })),
            "{nth}: {full:?}"
        );
        assert!(store.seal().unwrap() > 5, "{nth}");
        check(&store);
    }
}

#[test]
fn a_catalogue_that_may_or_may_not_be_on_the_disk_is_built_on_by_nobody() {
    use crate::disk::FaultKind;
    let mut in_doubt = 0;
    // Each sync of a folder fails once; then sealing is tried again, and the power goes at any moment.
    for folder in 1..6 {
        for moment in 1..20 {
            for seed in 0..4 {
                let disk = SimulatedDisk::new();
                let store = log(&disk);
                disk.fail(FaultKind::SyncFolder, folder);
                let first = store.seal();
                disk.fail(FaultKind::Power, moment);
                let again = store.seal();
                in_doubt += u32::from(first.is_err() && matches!(again, Ok(0)));
                drop(store);
                let (store, _) = open(&disk.crash(seed)).unwrap();
                check(&store);
            }
        }
    }
    assert!(in_doubt > 0);
}
