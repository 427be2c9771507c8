//! Tests of the journal over real and simulated disks.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bodies;
mod damage;
mod faults;
mod folder;
mod for_ever;
mod merged;
mod misplaced;
mod power;
mod read_little;
mod readers;
mod sealed;
mod simulation;
mod sled;
mod sled_forged;
mod sled_verify;
mod sled_witness;
mod suite;
mod usage;
mod watched;

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use werkbuch_model::id::{LogId, PlantId, Position, Sequence, SourceNumber, WriterEpoch};
use werkbuch_model::time::Timestamp;
use werkbuch_proof::{CompactRange, Hash, leaf_hash, sha256};
use werkbuch_record::block::{BlockBuilder, SealedBlock};

use crate::disk::SimulatedDisk;
use crate::{
    FoundBody, Options, Outcome, Proposal, RecoveryReport, Segments, Sled, Store, StoreError,
};

const DIR: &str = "/book";

/// A plant whose event at a position is always the same, so that what is served can be checked.
#[derive(Clone, Debug)]
struct Plant {
    id: PlantId,
    log_id: LogId,
    epoch: WriterEpoch,
    tree: CompactRange,
}

impl Plant {
    fn new(name: &str) -> Self {
        Self {
            id: PlantId::new(name).unwrap(),
            log_id: LogId([name.len() as u8; 16]),
            epoch: WriterEpoch(1),
            tree: CompactRange::new(),
        }
    }

    fn event(&self, position: u64) -> Vec<u8> {
        let text = format!("{} {position} ", self.id);
        // Some events are long and hard to compress, so that blocks cross sectors.
        let hard = position
            .is_multiple_of(5)
            .then(|| sha256(text.as_bytes()).as_bytes().to_vec());
        let length = (position * 37 % 300) as usize;
        let mut event = text.clone().into_bytes();
        for round in 0..length / 32 {
            event.extend_from_slice(sha256(format!("{text}{round}").as_bytes()).as_bytes());
        }
        event.extend(hard.unwrap_or_default());
        event
    }

    fn last(&self) -> u64 {
        self.tree.size()
    }

    /// The next block, of `count` events; the plant goes on as if it were committed.
    fn block(&mut self, count: u64) -> SealedBlock {
        let first = self.last() + 1;
        let root = *self.tree.root().as_bytes();
        let id = self.id.clone();
        let mut block = BlockBuilder::new(self.log_id, id, self.epoch, Position(first), root);
        for position in first..first + count {
            let event = self.event(position);
            let (at, source) = (recorded_at(position), SourceNumber(1));
            block
                .push(&event, at, at.plus(-3), source, Sequence(position + 1000))
                .unwrap();
            self.tree.append(leaf_hash(&event));
        }
        block.finish()
    }

    fn proposal(&mut self, count: u64) -> Proposal {
        let block = self.block(count);
        Proposal::new(block, self.tree.clone())
    }

    fn body(&self, position: u64) -> (Hash, Bytes) {
        let body = Bytes::from(self.event(position).repeat(3));
        (sha256(&body), body)
    }

    /// The sample body of the event at a position, as the store has it.
    fn find_body(&self, store: &dyn Store, position: u64) -> Result<FoundBody, StoreError> {
        store.body(&self.id, self.body(position).0, recorded_at(position))
    }

    /// Whether the store has the sample body of the event at a position.
    fn has_body(&self, store: &dyn Store, position: u64) -> Result<bool, StoreError> {
        let found = self.find_body(store, position)?.present();
        assert!(
            found
                .as_deref()
                .is_none_or(|found| found == self.body(position).1)
        );
        Ok(found.is_some())
    }

    /// Takes the end that a store tells, as a writer does after a restart.
    fn resume(&mut self, store: &dyn Store) {
        let end = store.ends().into_iter().find(|end| end.plant == self.id);
        self.tree = end.map_or(CompactRange::new(), |end| end.tree);
    }
}

fn recorded_at(position: u64) -> Timestamp {
    Timestamp(position as i64 * 10)
}

fn committed(outcomes: &[Outcome]) -> bool {
    outcomes
        .iter()
        .all(|outcome| matches!(outcome, Outcome::Committed { .. }))
}

/// Reads a plant's whole log and holds it against what a plant of that name must have written.
fn check_served(store: &dyn Store, plant: &Plant, acknowledged: u64) -> u64 {
    try_served(store, plant, acknowledged).unwrap()
}

/// The same while the disk may fail.
fn try_served(store: &dyn Store, plant: &Plant, acknowledged: u64) -> Result<u64, StoreError> {
    let Some(end) = store.ends().into_iter().find(|end| end.plant == plant.id) else {
        assert_eq!(acknowledged, 0, "{} is gone", plant.id);
        return Ok(0);
    };
    let mut tree = CompactRange::new();
    for block in store.read(&plant.id, Position(1))? {
        let block = block?;
        if block.from == block.header.first {
            assert_eq!(block.header.root_before, *tree.root().as_bytes());
        }
        for (position, event) in block.events() {
            assert_eq!(position.0, tree.size() + 1);
            assert_eq!(event, plant.event(position.0), "{} {position}", plant.id);
            tree.append(leaf_hash(event));
        }
    }
    assert_eq!(tree, end.tree);
    assert_eq!(tree.size(), end.last.0);
    assert!(
        tree.size() >= acknowledged,
        "{} of {acknowledged}",
        tree.size()
    );
    let last = tree.size();
    for position in [1, last / 2, last].into_iter().filter(|p| *p > 0) {
        let found = store.find(&plant.id, SourceNumber(1), Sequence(position + 1000))?;
        assert_eq!(found, Some(Position(position)));
    }
    let beyond = store.find(&plant.id, SourceNumber(1), Sequence(last + 1001))?;
    assert_eq!(beyond, None);
    Ok(last)
}

fn small_files() -> Options {
    Options {
        wal_bytes_max: 4096,
        body_file_span_ns: 200,
        // The tests say when something is sealed, so that a seed leads to the same again.
        seal: false,
        ..Options::default()
    }
}

fn open(disk: &SimulatedDisk) -> Result<(Segments, RecoveryReport), StoreError> {
    Segments::open(Arc::new(disk.clone()), Path::new(DIR), &Options::default())
}
