//! Tells what the database holds of each plant, and verifies every record of the log in it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use ::sled::Tree;
use werkbuch_model::id::{PlantId, Position};
use werkbuch_proof::{CompactRange, leaf_hash};
use werkbuch_record::decode_recorded;

use super::database::{DATABASE, DB, Database};
use super::keys::{self, End, Number};
use super::{Sled, read};
use crate::{BlockBounds, FileKind, LogFile, LogPart, StoreError, StoredBlock, Verified};

/// The one file, and how many blocks of each plant are in it.
pub(super) fn files(store: &Sled) -> Result<Vec<LogFile>, StoreError> {
    let plants = store.shared.ends().plants.clone();
    let database = store.shared.database()?;
    let mut parts = BTreeMap::new();
    for (plant, end) in plants {
        let part = LogPart {
            first: Position(1),
            last: end.last,
            blocks: database.count(&database.times, end.number)?,
        };
        parts.insert(plant, part);
    }
    Ok(vec![LogFile {
        path: Path::new(DATABASE).join(DB),
        kind: FileKind::Database,
        plant: None,
        parts,
        bytes: database.bytes()?,
    }])
}

/// Reads every record of the log and holds them against each other.
pub(super) fn verify(
    store: &Sled,
    progress: &mut dyn FnMut(&PlantId, &Verified),
) -> Result<Verified, StoreError> {
    // Nothing is committed meanwhile.
    let writer = store.writer();
    let plants = store.shared.ends().plants.clone();
    let database = store.shared.database()?;
    let mut verified = Verified::default();
    for (plant, end) in &plants {
        let check = Check {
            store,
            database: &database,
            plant,
            end,
            tree: CompactRange::new(),
            blocks: 0,
            runs: 0,
        };
        check.run(&mut verified, progress)?;
    }
    let known = plants.values().map(|end| end.number).collect();
    no_record_is_left_out(&database, &known)?;
    drop(writer);
    verified.files = 1;
    verified.bytes = database.bytes()?;
    Ok(verified)
}

/// Whatever stands in the database must belong to a plant that has a log.
fn no_record_is_left_out(database: &Database, known: &BTreeSet<Number>) -> Result<(), StoreError> {
    for (what, tree) in [
        ("ends of logs", &database.ends),
        ("blocks", &database.blocks),
        ("times", &database.times),
        ("numbers of sources", &database.runs),
    ] {
        if let Some(number) = database.stranger(tree, known)? {
            let what =
                format!("among the {what} stands one of plant number {number}, which has no log");
            return Err(database.damaged(None, what));
        }
    }
    Ok(())
}

/// The log of a plant that is being verified.
struct Check<'c> {
    store: &'c Sled,
    database: &'c Database,
    plant: &'c PlantId,
    end: &'c End,
    /// Over the events read so far.
    tree: CompactRange,
    blocks: u64,
    runs: u64,
}

/// After so many blocks it is told how far the verification is.
const TOLD_BLOCKS: u64 = 1024;

impl Check<'_> {
    fn run(
        mut self,
        verified: &mut Verified,
        progress: &mut dyn FnMut(&PlantId, &Verified),
    ) -> Result<(), StoreError> {
        let (database, number) = (self.database, self.end.number);
        let blocks = (database, &database.blocks);
        database.each(blocks.1, number, &mut |key, bytes| {
            self.block(key, bytes, verified)?;
            if self.blocks.is_multiple_of(TOLD_BLOCKS) {
                progress(self.plant, verified);
            }
            Ok(())
        })?;
        if self.tree != self.end.tree {
            return self.wrong(format!(
                "the root at the end of the log, behind position {}, is not that of its events",
                self.tree.size()
            ));
        }
        for (what, tree, expected) in [
            ("times of blocks", &database.times, self.blocks),
            ("numbers of sources", &database.runs, self.runs),
        ] {
            let found = database.count(tree, number)?;
            if found != expected {
                let what = format!("there are {found} {what}, and the blocks have {expected}");
                return self.wrong(what);
            }
        }
        progress(self.plant, verified);
        Ok(())
    }

    fn block(
        &mut self,
        key: &[u8],
        bytes: &[u8],
        verified: &mut Verified,
    ) -> Result<(), StoreError> {
        let next = Position(self.tree.size()).next();
        let at = |what: &dyn std::fmt::Display| format!("the block at position {next}: {what}");
        if keys::parse_block(key) != Some((self.end.number, next)) {
            return self.wrong(at(&"another one stands in its place, or it is missing"));
        }
        let block = match read::decode(bytes) {
            Ok(block) => block,
            Err(error) => return self.wrong(at(&error)),
        };
        let header = &block.header;
        if header.plant != *self.plant || header.first != next {
            return self.wrong(at(&"it says that it is another one"));
        }
        if header.log_id != self.end.log_id {
            return self.wrong(at(&"it belongs to another log of the plant"));
        }
        if header.root_before != *self.tree.root().as_bytes() {
            return self.wrong(at(&"its root is not that of the events before it"));
        }
        let time = keys::time(self.end.number, header.recorded_min);
        let bounds = self.database.get(&self.database.times, &time)?;
        let bounds = bounds.and_then(|value| keys::parse_bounds(&value));
        if bounds != Some(BlockBounds::of(header)) {
            return self.wrong(at(&"its times do not stand in the index"));
        }
        self.indexed_runs(&block)?;
        for (position, event) in block.events() {
            if !is_in_runs(&block, position, event) {
                return self.wrong(format!("event {position} is not in the index of numbers"));
            }
            self.tree.append(leaf_hash(event));
            verified.body(self.store, self.plant, event)?;
        }
        self.blocks += 1;
        verified.blocks += 1;
        verified.events += block.body.len() as u64;
        Ok(())
    }

    /// The runs of a block's header must stand in the index of numbers.
    fn indexed_runs(&mut self, block: &StoredBlock) -> Result<(), StoreError> {
        let header = &block.header;
        for run in &header.runs {
            let position = header.first.get().saturating_add(u64::from(run.offset));
            let (source, first) = (run.source.get(), run.first.get());
            let key = keys::run(self.end.number, source, first, position);
            let count = self.database.get(&self.database.runs, &key)?;
            if count.as_deref() != Some(run.count.to_le_bytes().as_slice()) {
                let what = format!(
                    "the events from position {position} on are not in the index of numbers"
                );
                return self.wrong(what);
            }
            self.runs += 1;
        }
        Ok(())
    }

    fn wrong(&self, what: String) -> Result<(), StoreError> {
        Err(self.database.damaged(Some(self.plant), what))
    }
}

/// Whether the number of an event is among the runs of its block. What this build cannot read is hashed
/// all the same; its number is not looked up.
fn is_in_runs(block: &StoredBlock, position: Position, event: &[u8]) -> bool {
    let Ok(event) = decode_recorded(event) else {
        return true;
    };
    let sequence = event.reported.sequence.get();
    let offset = position.get().saturating_sub(block.header.first.get());
    event.source.get() == 0
        || sequence == 0
        || block.header.runs.iter().any(|run| {
            let behind = sequence.checked_sub(run.first.get());
            run.source == event.source
                && behind.is_some_and(|behind| {
                    behind < u64::from(run.count)
                        && offset == u64::from(run.offset).saturating_add(behind)
                })
        })
}

/// What is done with each key and value.
pub(super) type EachRecord<'f> = dyn FnMut(&[u8], &[u8]) -> Result<(), StoreError> + 'f;

impl Database {
    /// Calls `f` with each key and value of a plant, in the order of the keys. The keys of all trees
    /// but one begin with the number of the plant.
    pub(super) fn each(
        &self,
        tree: &Tree,
        number: Number,
        f: &mut EachRecord<'_>,
    ) -> Result<(), StoreError> {
        let mut entries = tree.scan_prefix(number.to_be_bytes());
        while let Some((key, value)) = self.guarded(|| entries.next().transpose())? {
            f(&key, &value)?;
        }
        Ok(())
    }

    /// How many keys of a plant there are.
    fn count(&self, tree: &Tree, number: Number) -> Result<u64, StoreError> {
        let mut count = 0;
        self.each(tree, number, &mut |_, _| {
            count += 1;
            Ok(())
        })?;
        Ok(count)
    }

    /// The number of a plant that is not known and has a key all the same.
    fn stranger(
        &self,
        tree: &Tree,
        known: &BTreeSet<Number>,
    ) -> Result<Option<Number>, StoreError> {
        let mut from = vec![0; 4];
        loop {
            let found = self.guarded(|| tree.range(from.as_slice()..).next().transpose())?;
            let Some((key, _)) = found else {
                return Ok(None);
            };
            let number = key.get(..4).and_then(|key| key.try_into().ok());
            // A key that is shorter belongs to nobody either.
            let number = number.map_or(Number::MAX, Number::from_be_bytes);
            let Some(next) = number.checked_add(1).filter(|_| known.contains(&number)) else {
                return Ok(Some(number));
            };
            from = next.to_be_bytes().to_vec();
        }
    }
}
