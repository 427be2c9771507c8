//! Numbers are looked up for ever, and what is held in memory for it does not grow with the log.

use super::*;
use crate::disk::RealDisk;
use crate::segments::{PAGE_RUNS, PAGES_KEPT};

const SOURCES: u64 = 4;
const BLOCK: u64 = 1_000;
const GROUP: u64 = 20;

fn events() -> u64 {
    if std::env::var_os("WERKBUCH_LONG").is_some() {
        10_000_000
    } else {
        300_000
    }
}

/// The sources take turns, and each numbers its events in pairs the wrong way round: every event is a
/// run of its own, which is the worst that there is.
fn numbered(position: u64) -> (SourceNumber, Sequence) {
    let (source, turn) = (position % SOURCES, position / SOURCES);
    let source = SourceNumber(u32::try_from(source).unwrap() + 1);
    (source, Sequence((turn ^ 1) + 10))
}

fn filled(folder: &Path, last: u64) -> Segments {
    let options = Options {
        wal_bytes_max: 1 << 20,
        seal: false,
        ..Options::default()
    };
    let (store, _) = Segments::open(Arc::new(RealDisk), folder, &options).unwrap();
    let plant = PlantId::new("a").unwrap();
    let mut tree = CompactRange::new();
    let leaf = leaf_hash(b"e");
    let mut next = 1;
    while next <= last {
        let mut group = Vec::new();
        while next <= last && group.len() < GROUP as usize {
            let root = *tree.root().as_bytes();
            let (id, log_id) = (plant.clone(), LogId([1; 16]));
            let mut block = BlockBuilder::new(log_id, id, WriterEpoch(1), Position(next), root);
            for position in next..=last.min(next + BLOCK - 1) {
                let (source, sequence) = numbered(position);
                let at = recorded_at(position);
                block.push(b"e", at, at, source, sequence).unwrap();
                tree.append(leaf);
            }
            next += BLOCK;
            group.push(Proposal::new(block.finish(), tree.clone()));
        }
        assert!(committed(&store.commit(group).unwrap()));
        store.seal().unwrap();
    }
    store
}

#[test]
fn every_old_number_is_found_and_memory_holds_a_bounded_part() {
    let folder = tempfile::tempdir().unwrap();
    let (plant, last) = (PlantId::new("a").unwrap(), events());
    let store = filled(folder.path(), last);
    let unsealed = store.runs_in_memory();
    // What is not sealed lies in one file; its runs are all that stays in memory by itself.
    assert!(unsealed < 80_000, "{unsealed} runs");
    let mut most = 0;
    // In the order in which they were sent, as a source does that has lost its place.
    for position in 1..=last {
        let (source, sequence) = numbered(position);
        let found = store.find(&plant, source, sequence).unwrap();
        assert_eq!(found, Some(Position(position)), "{source:?} {sequence:?}");
        most = most.max(store.runs_in_cache());
    }
    assert!(most <= PAGES_KEPT * PAGE_RUNS, "{most} runs in pages");
    assert!(most > 0, "nothing was looked up in a segment");
    assert_eq!(store.runs_in_memory(), unsealed);
    // In no order, and what was never sent.
    let mut number = 1;
    for _ in 0..3_000 {
        number = number * 48_271 % 2_147_483_647;
        let position = number % last + 1;
        let (source, sequence) = numbered(position);
        let found = store.find(&plant, source, sequence).unwrap();
        assert_eq!(found, Some(Position(position)));
        let beyond = Sequence(last / SOURCES + 100 + number);
        assert_eq!(store.find(&plant, source, beyond).unwrap(), None);
        assert_eq!(store.find(&plant, SourceNumber(9), sequence).unwrap(), None);
    }
    assert!(store.runs_in_cache() <= PAGES_KEPT * PAGE_RUNS);
}
