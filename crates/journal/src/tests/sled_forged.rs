//! A database in which somebody who knows its format has made every checksum fit again.

use werkbuch_model::event::{Body, Flags, ItemChanged, Recorded, Reported, SampleReported};
use werkbuch_model::id::MachineNumber;
use werkbuch_record::block::{BlockHeader, decode_body};
use werkbuch_record::encode_recorded;

use super::*;
use crate::disk::RealDisk;
use crate::{Opened, StoreKind, Verified};

/// Where the blocks of the log begin; it ends at position 9.
const FIRSTS: [u64; 3] = [1, 4, 8];
const END: u64 = 9;
/// The event that names a sample body.
const SAMPLED: u64 = 6;

fn sample() -> Bytes {
    Bytes::from_static(b"single values of a second")
}

fn event(position: u64, text: &str) -> Vec<u8> {
    let at = recorded_at(position);
    let body = if position == SAMPLED {
        Body::SampleReported(SampleReported {
            period_start: at,
            period_ms: 1_000,
            items: Vec::new(),
            body_hash: sha256(&sample()).as_bytes().to_vec().into(),
            body_bytes: sample().len() as u64,
        })
    } else {
        Body::ItemChanged(ItemChanged {
            item: "x".into(),
            text: Some(text.into()),
        })
    };
    encode_recorded(&Recorded {
        position: Position(position),
        recorded_at: at,
        effective_at: at,
        source: SourceNumber(1),
        previous: Position(position - 1),
        flags: Flags::default(),
        authority: 0,
        reported: Reported {
            sequence: Sequence(position + 10),
            machine: MachineNumber(1),
            occurred_at: at,
            observed_at: None,
            historical: false,
            body,
        },
        corrected: Vec::new(),
    })
}

/// A block of these events, numbered by the source as they should be.
fn block(first: u64, root_before: [u8; 32], events: &[Vec<u8>]) -> SealedBlock {
    let plant = PlantId::new("a").unwrap();
    let (log_id, epoch) = (LogId([1; 16]), WriterEpoch(1));
    let mut block = BlockBuilder::new(log_id, plant, epoch, Position(first), root_before);
    for (position, event) in (first..).zip(events) {
        let at = recorded_at(position);
        let sequence = Sequence(position + 10);
        block
            .push(event, at, at, SourceNumber(1), sequence)
            .unwrap();
    }
    block.finish()
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let opened = open(folder.path()).unwrap();
    let mut tree = CompactRange::new();
    for (number, first) in FIRSTS.iter().enumerate() {
        let end = FIRSTS.get(number + 1).map_or(END + 1, |next| *next);
        let events: Vec<_> = (*first..end).map(|at| event(at, "told")).collect();
        let block = block(*first, *tree.root().as_bytes(), &events);
        events
            .iter()
            .for_each(|event| tree.append(leaf_hash(event)));
        let mut proposal = Proposal::new(block, tree.clone());
        if (*first..end).contains(&SAMPLED) {
            proposal.bodies = vec![(sha256(&sample()), sample())];
        }
        assert!(committed(&opened.store.commit(vec![proposal]).unwrap()));
    }
    opened.store.close().unwrap();
    folder
}

fn open(path: &Path) -> Result<Opened, StoreError> {
    let (disk, options) = (Arc::new(RealDisk), Options::default());
    crate::open(disk, path, &options, Some(StoreKind::Sled), false)
}

fn verify(path: &Path) -> Result<Verified, StoreError> {
    open(path)?.store.verify(&mut |_, _| {})
}

/// The tables of the database, opened beside the store.
struct Tables(::sled::Db);

impl Tables {
    fn of(folder: &Path) -> Self {
        Self(sled_verify::beside(folder))
    }

    fn table(&self, name: &str) -> ::sled::Tree {
        self.0.open_tree(name).unwrap()
    }

    /// The key of the block that begins at a position; there is one plant.
    fn key(&self, first: u64) -> Vec<u8> {
        let keys = self.table("blocks").iter().keys();
        let mut keys = keys.map(|key| key.unwrap().to_vec());
        keys.find(|key| key.ends_with(&first.to_be_bytes()))
            .unwrap()
    }

    /// Writes the block that begins at a position anew, with other events or another header.
    fn forge(&self, first: u64, text: &str, change: impl FnOnce(&mut BlockHeader)) {
        let (key, blocks) = (self.key(first), self.table("blocks"));
        let old = blocks.get(&key).unwrap().unwrap();
        let (old, at) = BlockHeader::decode(&old)
            .map(|(header, at)| (header, (at, old.to_vec())))
            .unwrap();
        let events = decode_body(&old, &at.1[at.0..]).unwrap();
        let events: Vec<_> = (first..)
            .take(events.len())
            .map(|position| event(position, text))
            .collect();
        let mut bytes = Vec::new();
        let mut block = block(first, old.root_before, &events);
        block.place(old.generation, old.group, old.group_index, old.group_blocks);
        block.encode(&mut bytes);
        let (mut header, body) = BlockHeader::decode(&bytes).unwrap();
        change(&mut header);
        let mut forged = Vec::new();
        header.encode(&mut forged);
        forged.extend_from_slice(&bytes[body..]);
        blocks.insert(key, forged).unwrap();
    }
}

#[test]
fn what_was_written_anew_as_it_was_is_whole() {
    let folder = folder();
    let tables = Tables::of(folder.path());
    let before = tables.0.checksum().unwrap();
    tables.forge(4, "told", |_| {});
    assert_eq!(tables.0.checksum().unwrap(), before);
    drop(tables);
    let verified = verify(folder.path()).unwrap();
    assert_eq!((verified.events, verified.blocks), (END, 3));
    assert_eq!((verified.bodies, verified.bodies_missing), (1, 0));
}

#[test]
fn a_forged_block_is_found_though_its_checksums_fit() {
    type Forge = fn(&Tables);
    let cases: [(Forge, &str); 10] = [
        (
            |tables| tables.forge(8, "never told", |_| {}),
            "the root at the end of the log, behind position 9",
        ),
        (
            |tables| tables.forge(4, "never told", |_| {}),
            "position 8: its root is not that of the events before it",
        ),
        (
            |tables| tables.forge(4, "told", |header| header.root_before[7] ^= 1),
            "position 4: its root is not that of the events before it",
        ),
        (
            |tables| {
                tables.forge(4, "told", |header| {
                    header.plant = PlantId::new("b").unwrap()
                })
            },
            "position 4: it says that it is another one",
        ),
        (
            |tables| tables.forge(4, "told", |header| header.first = Position(5)),
            "position 4: it says that it is another one",
        ),
        (
            |tables| tables.forge(4, "told", |header| header.log_id = LogId([2; 16])),
            "position 4: it belongs to another log of the plant",
        ),
        (
            |tables| {
                let (key, blocks) = (tables.key(4), tables.table("blocks"));
                let block = blocks.remove(&key).unwrap().unwrap();
                let key = [&key[..4], &5_u64.to_be_bytes()].concat();
                blocks.insert(key, block).unwrap();
            },
            "position 4: another one stands in its place",
        ),
        (
            |tables| {
                let times = tables.table("times");
                let (key, value) = times.iter().nth(1).unwrap().unwrap();
                let mut later = key.to_vec();
                later[11] += 1;
                times.insert(later, value).unwrap();
            },
            "the time of the block at position 8 is missing in its index",
        ),
        (
            |tables| {
                let runs = tables.table("runs");
                let (key, value) = runs.iter().nth(1).unwrap().unwrap();
                let moved = [&key[..8], &44_u64.to_be_bytes(), &key[16..]].concat();
                runs.remove(&key).unwrap();
                runs.insert(moved, value).unwrap();
                tables.forge(4, "told", |header| header.runs[0].first = Sequence(44));
            },
            "event 4 is not in the index of numbers",
        ),
        (
            |tables| {
                let runs = tables.table("runs");
                let (key, _) = runs.iter().nth(1).unwrap().unwrap();
                runs.insert(key, &3_u32.to_le_bytes()).unwrap();
                tables.forge(4, "told", |header| header.runs[0].count = 3);
            },
            "event 7 is not in the index of numbers",
        ),
    ];
    for (forge, expected) in cases {
        let folder = folder();
        let tables = Tables::of(folder.path());
        forge(&tables);
        tables.0.flush().unwrap();
        drop(tables);
        match verify(folder.path()) {
            Err(StoreError::Damaged(damage)) => {
                assert!(
                    damage.to_string().contains(expected),
                    "{expected}: {damage}"
                );
            }
            other => panic!("{expected}: {other:?}"),
        }
    }
}

#[test]
fn a_sample_body_that_is_gone_or_damaged_is_counted() {
    for cut in [false, true] {
        let folder = folder();
        let bodies = folder.path().join("bodies/a");
        let file = std::fs::read_dir(bodies).unwrap().next().unwrap().unwrap();
        let mut bytes = std::fs::read(file.path()).unwrap();
        let place = bytes.windows(sample().len());
        let place = place.into_iter().position(|found| found == sample());
        let place = place.unwrap();
        if cut {
            bytes.truncate(place);
        } else {
            bytes[place] ^= 1;
        }
        std::fs::write(file.path(), bytes).unwrap();
        let verified = verify(folder.path()).unwrap();
        assert_eq!((verified.bodies, verified.bodies_missing), (0, 1));
        assert_eq!(verified.events, END);
    }
}
