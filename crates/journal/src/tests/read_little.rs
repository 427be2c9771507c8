//! What the history of one machine reads of a long log, in blocks and in bytes of the disk.

use werkbuch_model::event::{Body, Flags, ItemChanged, Recorded, Reported};
use werkbuch_model::id::MachineNumber;
use werkbuch_record::encode_recorded;

use super::*;

const EVENTS: u64 = 40_000;
const BATCH: u64 = 40;
/// It speaks in one stretch of the log only.
const ONCE: u32 = 1;
/// It speaks five times.
const SELDOM: u32 = 2;
/// It speaks all the time, as fifty others do.
const OFTEN: u32 = 3;

fn machine(position: u64) -> u32 {
    match position {
        5_000..5_100 => ONCE,
        _ if position % 8_000 == 7 => SELDOM,
        _ => OFTEN + u32::try_from(position % 50).unwrap(),
    }
}

fn event(position: u64) -> Vec<u8> {
    let at = Timestamp(position as i64 * 10);
    encode_recorded(&Recorded {
        position: Position(position),
        recorded_at: at,
        effective_at: at,
        source: SourceNumber(1),
        previous: Position(0),
        flags: Flags::default(),
        authority: 0,
        reported: Reported {
            sequence: Sequence(position),
            machine: MachineNumber(machine(position)),
            occurred_at: at,
            observed_at: None,
            historical: false,
            body: Body::ItemChanged(ItemChanged {
                item: "x".into(),
                // Words that do not pack, so that there are many blocks.
                text: Some(format!("{:?}", sha256(&position.to_le_bytes())).into()),
            }),
        },
        corrected: Vec::new(),
    })
}

/// A long log, all of it sealed but for its last file.
fn filled(disk: &SimulatedDisk) -> Segments {
    let options = Options {
        wal_bytes_max: 200_000,
        ..small_files()
    };
    let (store, _) = Segments::open(Arc::new(disk.clone()), Path::new(DIR), &options).unwrap();
    let mut tree = CompactRange::new();
    for first in (1..=EVENTS).step_by(BATCH as usize) {
        let root = *tree.root().as_bytes();
        let mut block = BlockBuilder::new(
            LogId([1; 16]),
            PlantId::new("a").unwrap(),
            WriterEpoch(1),
            Position(first),
            root,
        );
        for position in first..first + BATCH {
            let (event, at) = (event(position), Timestamp(position as i64 * 10));
            block
                .push(&event, at, at, SourceNumber(1), Sequence(position))
                .unwrap();
            tree.append(leaf_hash(&event));
        }
        let outcomes = store.commit(vec![Proposal::new(block.finish(), tree.clone())]);
        assert!(committed(&outcomes.unwrap()));
    }
    store.seal().unwrap();
    store
}

/// How many events of it are found, how many blocks are given out for it, and how many bytes are read.
fn history(store: &Segments, disk: &SimulatedDisk, wanted: u32) -> (u64, u64, u64) {
    let _ = disk.take_read();
    let blocks = store
        .read_machine(
            &PlantId::new("a").unwrap(),
            Position(1),
            MachineNumber(wanted),
        )
        .unwrap();
    let (mut found, mut given) = (0, 0);
    for block in blocks {
        let block = block.unwrap();
        given += 1;
        let events = block.events();
        found += events.filter(|(at, _)| machine(at.0) == wanted).count() as u64;
    }
    (found, given, disk.take_read())
}

#[test]
fn one_machine_reads_a_small_part_of_a_long_log() {
    let disk = SimulatedDisk::new();
    let store = filled(&disk);
    let _ = disk.take_read();
    let all = store
        .read(&PlantId::new("a").unwrap(), Position(1))
        .unwrap();
    let blocks = all.map(Result::unwrap).count() as u64;
    let bytes = disk.take_read();
    assert!(
        blocks > 60 && bytes > 500_000,
        "{blocks} blocks, {bytes} bytes"
    );
    // What is not sealed yet is read in any case: nobody speaks there alone.
    let (found, open, open_bytes) = history(&store, &disk, 0);
    assert_eq!(found, 0);
    let (sealed, sealed_bytes) = (blocks - open, bytes - open_bytes);
    assert!(sealed > 50, "{sealed} of {blocks} blocks are sealed");
    // The machine, its events, and so many sealed blocks and percent of their bytes at the most.
    for (wanted, events, of_blocks, of_bytes) in [(ONCE, 100, 2, 6), (SELDOM, 5, 5, 12)] {
        let (found, given, read) = history(&store, &disk, wanted);
        let (given, read) = (given - open, read - open_bytes);
        let told =
            format!("machine {wanted}: {given} of {sealed} blocks, {read} of {sealed_bytes} bytes");
        println!("{told}");
        assert_eq!(found, events, "{told}");
        assert!((1..=of_blocks).contains(&given), "{told}");
        assert!(read * 100 <= sealed_bytes * of_bytes, "{told}");
    }
    // Where a machine is everywhere nothing can be left out, and the index costs little.
    let (found, given, read) = history(&store, &disk, OFTEN);
    let events = (1..=EVENTS).filter(|at| machine(*at) == OFTEN).count();
    assert_eq!((found, given), (events as u64, blocks));
    assert!(read * 10 <= bytes * 11, "{read} of {bytes} bytes");
}
