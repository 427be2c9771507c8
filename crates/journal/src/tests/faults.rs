//! Every kind of fault at every operation, and a disk that fills up.

use super::*;
use crate::disk::FaultKind;

const KINDS: [FaultKind; 7] = [
    FaultKind::Read,
    FaultKind::Write,
    FaultKind::ShortWrite,
    FaultKind::NoSpace,
    FaultKind::SetLength,
    FaultKind::Sync,
    FaultKind::SyncFolder,
];

/// Commits groups until something fails; answers the last acknowledged positions.
fn work(disk: &SimulatedDisk, plants: &mut [Plant; 2]) -> Result<(), StoreError> {
    let open = || Segments::open(Arc::new(disk.clone()), Path::new(DIR), &small_files());
    let mut store = open()?.0;
    for round in 0..12 {
        let mut next = plants.clone();
        let [a, b] = &mut next;
        let mut group = vec![a.proposal(2), b.proposal(round % 3 + 1), a.proposal(1)];
        if round % 4 == 1 {
            group[0].bodies = vec![plants[0].body(round)];
        }
        let outcomes = store.commit(group)?;
        if !committed(&outcomes) {
            assert_eq!(outcomes, [Outcome::Unknown; 3]);
            let again = store.commit(vec![next[0].proposal(1)]);
            assert!(
                matches!(again, Err(StoreError::Stopped { .. })),
                "{again:?}"
            );
            assert!(matches!(store.close(), Err(StoreError::Stopped { .. })));
            return Ok(());
        }
        *plants = next;
        if round == 6 {
            store.close()?;
            drop(store);
            store = open()?.0;
        }
        // What is acknowledged is served whatever happens later.
        for plant in plants.iter() {
            check_reads(&store, plant)?;
        }
    }
    Ok(())
}

fn check_reads(store: &dyn Store, plant: &Plant) -> Result<(), StoreError> {
    let mut last = 0;
    for block in store.read(&plant.id, Position(1))? {
        last = block?.header.last().0;
    }
    assert_eq!(last, plant.last());
    Ok(())
}

#[test]
fn no_fault_breaks_the_law_of_acknowledgement() {
    for kind in KINDS {
        let mut faults = 0;
        for nth in 1..60 {
            let disk = SimulatedDisk::new();
            disk.fail(kind, nth);
            let mut plants = ["a", "bb"].map(Plant::new);
            faults += u64::from(work(&disk, &mut plants).is_err());
            // A restart sees the bytes in the system's memory, a power cut those on the disk. After
            // a restart and a recovery, the power may go as well.
            let check = |disk: &SimulatedDisk, then: &str| {
                let opened = open(disk);
                let (store, _) = opened.unwrap_or_else(|e| panic!("{kind:?} {nth} {then}: {e}"));
                for plant in &plants {
                    check_served(&store, plant, plant.last());
                }
                let mut plant = plants[1].clone();
                plant.resume(&store);
                assert!(committed(&store.commit(vec![plant.proposal(1)]).unwrap()));
                plant
            };
            let restarted = disk.restart();
            let one_more = check(&restarted, "restart");
            let (store, _) = open(&restarted.crash(nth)).unwrap();
            check_served(&store, &one_more, one_more.last());
            check_served(&store, &plants[0], plants[0].last());
        }
        let expected = if kind == FaultKind::SetLength { 0 } else { 1 };
        assert!(faults >= expected, "{kind:?}: {faults}");
    }
}

#[test]
fn a_power_cut_after_a_fault_keeps_what_was_acknowledged() {
    for kind in KINDS {
        for nth in 1..60 {
            let disk = SimulatedDisk::new();
            disk.fail(kind, nth);
            let mut plants = ["a", "bb"].map(Plant::new);
            let _ = work(&disk, &mut plants);
            let (store, _) = open(&disk.crash(nth)).unwrap();
            for plant in &plants {
                check_served(&store, plant, plant.last());
            }
        }
    }
}

#[test]
fn a_failed_write_is_taken_back_and_service_goes_on() {
    for kind in [FaultKind::Write, FaultKind::ShortWrite, FaultKind::NoSpace] {
        let disk = SimulatedDisk::new();
        let (store, _) = open(&disk).unwrap();
        let mut plant = Plant::new("a");
        assert!(committed(&store.commit(vec![plant.proposal(3)]).unwrap()));
        disk.fail(kind, 1);
        let error = store.commit(vec![plant.clone().proposal(4)]).unwrap_err();
        let full = matches!(error, StoreError::DiskFull { .. });
        assert_eq!(full, kind == FaultKind::NoSpace, "{error}");
        check_served(&store, &plant, 3);
        assert!(committed(&store.commit(vec![plant.proposal(2)]).unwrap()));
        let (store, report) = open(&disk.crash(1)).unwrap();
        assert_eq!(check_served(&store, &plant, 5), 5);
        assert!(report.cuts.is_empty());
    }
}

#[test]
fn a_write_that_cannot_be_taken_back_stops_the_store() {
    let disk = SimulatedDisk::new();
    let (store, _) = open(&disk).unwrap();
    let mut plant = Plant::new("a");
    assert!(committed(&store.commit(vec![plant.proposal(3)]).unwrap()));
    disk.fail(FaultKind::ShortWrite, 1);
    disk.fail(FaultKind::SetLength, 1);
    let outcomes = store.commit(vec![plant.clone().proposal(4)]).unwrap();
    assert_eq!(outcomes, [Outcome::Unknown]);
    let stopped = store.commit(vec![plant.proposal(2)]);
    assert!(matches!(stopped, Err(StoreError::Stopped { .. })));
}

#[test]
fn a_failed_sync_stops_the_store_and_its_group_is_not_served() {
    let disk = SimulatedDisk::new();
    let (store, _) = open(&disk).unwrap();
    let mut plant = Plant::new("a");
    assert!(committed(&store.commit(vec![plant.proposal(3)]).unwrap()));
    disk.fail(FaultKind::Sync, 1);
    let outcomes = store.commit(vec![plant.clone().proposal(4)]).unwrap();
    assert_eq!(outcomes, [Outcome::Unknown]);
    assert_eq!(check_served(&store, &plant, 3), 3);
    drop(store);
    // The restarted process sees the group, and makes it sure before it builds on it.
    let (store, _) = open(&disk.restart()).unwrap();
    assert_eq!(check_served(&store, &plant, 3), 7);
    for seed in 0..50 {
        let (store, _) = open(&disk.copy().crash(seed)).unwrap();
        assert_eq!(check_served(&store, &plant, 7), 7, "seed {seed}");
    }
}

#[test]
fn a_full_disk_is_said_and_service_goes_on_once_there_is_room() {
    let disk = SimulatedDisk::new();
    let open = || Segments::open(Arc::new(disk.clone()), Path::new(DIR), &small_files());
    let (store, _) = open().unwrap();
    let mut plants = ["a", "bb"].map(Plant::new);
    disk.set_capacity(Some(9000));
    let mut full = 0;
    for round in 0..40 {
        let mut next = plants.clone();
        let mut group: Vec<_> = next.iter_mut().map(|plant| plant.proposal(3)).collect();
        group[0].bodies = vec![plants[0].body(round)];
        match store.commit(group) {
            Ok(outcomes) => {
                assert!(committed(&outcomes));
                plants = next;
            }
            Err(StoreError::DiskFull { .. }) => full += 1,
            Err(error) => panic!("{error}"),
        }
        if round == 30 {
            assert!(full > 5, "{full}");
            disk.set_capacity(None);
        }
    }
    assert!(full < 30);
    store.close().unwrap();
    drop(store);
    let (store, report) = open().unwrap();
    assert!(report.closed && report.cuts.is_empty());
    for plant in &plants {
        assert_eq!(check_served(&store, plant, plant.last()), plant.last());
    }
}

#[test]
fn what_was_taken_back_does_not_come_back_after_a_power_cut() {
    let disk = SimulatedDisk::new();
    let (store, _) = open(&disk).unwrap();
    let mut plant = Plant::new("a");
    assert!(committed(&store.commit(vec![plant.proposal(3)]).unwrap()));
    let mut next = plant.clone();
    // Half of the group is more than its first block.
    let group = (0..5).map(|_| next.proposal(1)).collect();
    disk.fail(FaultKind::ShortWrite, 1);
    assert!(matches!(store.commit(group), Err(StoreError::Io { .. })));
    for seed in 0..50 {
        let (store, report) = open(&disk.copy().crash(seed)).unwrap();
        assert_eq!(check_served(&store, &plant, 3), 3, "seed {seed}");
        assert!(report.cuts.is_empty());
    }
}

#[test]
fn a_file_whose_header_a_failed_sync_left_in_memory_is_made_sure_before_it_is_used() {
    let disk = SimulatedDisk::new();
    let open = |disk: &SimulatedDisk| {
        Segments::open(Arc::new(disk.clone()), Path::new(DIR), &small_files()).unwrap()
    };
    let (store, _) = open(&disk);
    let mut plant = Plant::new("a");
    let second = Path::new(DIR).join("log/wal-0000000002.log");
    let first = Path::new(DIR).join("log/wal-0000000001.log");
    while disk.bytes(&first).is_none_or(|bytes| bytes.len() < 4096) {
        assert!(committed(&store.commit(vec![plant.proposal(3)]).unwrap()));
    }
    // The next group needs a second file. It cannot be made sure, nor be removed again.
    disk.fail(FaultKind::Sync, 1);
    disk.fail(FaultKind::Remove, 1);
    assert!(store.commit(vec![plant.clone().proposal(1)]).is_err());
    assert_eq!(disk.bytes(&second).unwrap().len(), 64);
    drop(store);
    let (store, report) = open(&disk.restart());
    assert_eq!(report.files, 2);
    assert!(committed(&store.commit(vec![plant.proposal(1)]).unwrap()));
    for seed in 0..50 {
        let (store, _) = open(&disk.copy().crash(seed));
        assert_eq!(
            check_served(&store, &plant, plant.last()),
            plant.last(),
            "seed {seed}"
        );
    }
}

#[test]
fn what_was_cut_before_a_sync_that_failed_does_not_come_back() {
    for close in [false, true] {
        let disk = SimulatedDisk::new();
        let (mut store, _) = open(&disk).unwrap();
        let mut plant = Plant::new("a");
        assert!(committed(&store.commit(vec![plant.proposal(3)]).unwrap()));
        if close {
            store.close().unwrap();
            drop(store);
            store = open(&disk).unwrap().0;
        }
        // Half of the group is written and cut again, but the cut is not synced. Behind a closed log the
        // header of a new file comes first.
        let nth = if close { 2 } else { 1 };
        disk.fail(FaultKind::ShortWrite, nth);
        disk.fail(FaultKind::Sync, nth);
        let mut lost = plant.clone();
        let group = (0..5).map(|_| lost.proposal(2)).collect();
        let outcomes = store.commit(group).unwrap();
        assert_eq!(outcomes, [Outcome::Unknown; 5]);
        drop(store);
        let (store, _) = open(&disk.restart()).unwrap();
        assert_eq!(check_served(&store, &plant, 3), 3);
        for seed in 0..50 {
            let (store, _) = open(&disk.copy().crash(seed)).unwrap();
            assert_eq!(check_served(&store, &plant, 3), 3, "seed {seed}");
        }
        assert!(committed(&store.commit(vec![plant.proposal(1)]).unwrap()));
        for seed in 0..50 {
            let (store, report) = open(&disk.copy().crash(seed)).unwrap();
            assert_eq!(check_served(&store, &plant, 4), 4, "seed {seed}");
            assert!(report.cuts.is_empty(), "seed {seed}: {report:?}");
        }
    }
}

#[test]
fn a_log_that_was_closed_stays_so_however_it_is_sealed() {
    let disk = SimulatedDisk::new();
    let open = || Segments::open(Arc::new(disk.clone()), Path::new(DIR), &small_files()).unwrap();
    let (store, _) = open();
    let mut plant = Plant::new("a");
    for _ in 0..40 {
        assert!(committed(&store.commit(vec![plant.proposal(3)]).unwrap()));
    }
    store.close().unwrap();
    drop(store);
    // A group that finds no room leaves an empty file behind the mark.
    let (store, _) = open();
    disk.fail(FaultKind::NoSpace, 2);
    assert!(store.commit(vec![plant.clone().proposal(1)]).is_err());
    store.seal().unwrap();
    drop(store);
    let (store, report) = open();
    assert!(report.closed && report.segments > 0, "{report:?}");
    check_served(&store, &plant, plant.last());
    store.close().unwrap();
    drop(store);
    let (store, report) = open();
    assert!(report.closed, "{report:?}");
    assert!(committed(&store.commit(vec![plant.proposal(1)]).unwrap()));
    store.seal().unwrap();
    drop(store);
    let (store, report) = open();
    assert!(!report.closed && report.files == 1, "{report:?}");
    check_served(&store, &plant, plant.last());
}

#[test]
fn a_sample_body_that_a_failed_sync_left_in_memory_is_written_again() {
    let disk = SimulatedDisk::new();
    let (store, _) = open(&disk).unwrap();
    let mut plant = Plant::new("a");
    let mut proposal = plant.proposal(3);
    proposal.bodies = vec![plant.body(1)];
    disk.fail(FaultKind::Sync, 1);
    assert!(store.commit(vec![proposal.clone()]).is_err());
    drop(store);
    let (store, _) = open(&disk.restart()).unwrap();
    assert!(committed(&store.commit(vec![proposal]).unwrap()));
    for seed in 0..50 {
        let (store, _) = open(&disk.copy().crash(seed)).unwrap();
        assert!(plant.has_body(&store, 1).unwrap(), "seed {seed}");
    }
}

#[test]
fn the_last_records_fit_on_a_full_disk() {
    let disk = SimulatedDisk::new();
    disk.set_capacity(Some(400_000));
    let open = || Segments::open(Arc::new(disk.clone()), Path::new(DIR), &small_files());
    let reserve = Path::new(DIR).join("reserve");
    let length = || disk.bytes(&reserve).map_or(0, |bytes| bytes.len());
    let (store, _) = open().unwrap();
    assert_eq!(length(), 400_000 / 64);
    let mut plant = Plant::new("a");
    let fill = |store: &Segments, plant: &mut Plant| loop {
        let mut next = plant.clone();
        match store.commit(vec![next.proposal(1)]) {
            Ok(outcomes) => assert!(committed(&outcomes)),
            Err(StoreError::DiskFull { .. }) => break,
            Err(error) => panic!("{error}"),
        }
        *plant = next;
    };
    fill(&store, &mut plant);
    // A group with anything else in it has no claim on the reserve.
    let mut next = plant.clone();
    let urgent = Proposal {
        urgent: true,
        ..next.proposal(2)
    };
    let mixed = vec![urgent.clone(), next.proposal(1)];
    assert!(matches!(
        store.commit(mixed),
        Err(StoreError::DiskFull { .. })
    ));
    assert_eq!(length(), 400_000 / 64);
    assert!(committed(&store.commit(vec![urgent]).unwrap()));
    assert_eq!(length(), 0);
    plant.proposal(2);
    check_served(&store, &plant, plant.last());

    // Once there is room, it is kept anew, and a later process has it.
    disk.set_capacity(Some(800_000));
    assert!(committed(&store.commit(vec![plant.proposal(1)]).unwrap()));
    assert_eq!(length(), 400_000 / 64);
    fill(&store, &mut plant);
    drop(store);
    let (store, _) = open().unwrap();
    store.close().unwrap();
    drop(store);
    assert!(open().unwrap().1.closed);
}
