//! Opens the log in the database: cuts what was not finished, and verifies the rest.

use std::collections::BTreeMap;
use std::path::Path;

use werkbuch_model::id::{LogId, PlantId, Position, WriterEpoch};
use werkbuch_model::time::Timestamp;
use werkbuch_proof::{CompactRange, leaf_hash};

use super::commit::CLOSED;
use super::database::Database;
use super::keys::{self, End, Number};
use super::{Ends, read};
use crate::{Cut, Options, RecoveryReport, StoreError, Trusted};

/// What the database holds.
#[derive(Debug)]
pub(super) struct Recovered {
    pub(super) ends: Ends,
    pub(super) numbers: BTreeMap<PlantId, Number>,
    pub(super) group: u64,
    pub(super) report: RecoveryReport,
}

/// Reads where the logs end, and brings each of them into order.
pub(super) fn recover(
    database: &Database,
    folder: &Path,
    options: &Options,
) -> Result<Recovered, StoreError> {
    let closed = database.get(&database.state, CLOSED)?.is_some();
    let mut report = RecoveryReport {
        closed,
        files: 1,
        ..RecoveryReport::default()
    };
    let (mut plants, mut numbers) = (BTreeMap::new(), BTreeMap::new());
    for (plant, number) in database.numbers()? {
        let value = database.get(&database.ends, &number.to_be_bytes())?;
        let end = value.map(|value| {
            End::decode(&plant, number, &value).ok_or_else(|| {
                database.damaged(Some(&plant), "the end of the log cannot be read".into())
            })
        });
        let end = end.transpose()?;
        if let Some(end) = &end {
            let trusted = options
                .trusted
                .iter()
                .find(|snapshot| snapshot.plant == plant);
            verify(database, &plant, end, trusted, &mut report)?;
        }
        // Of a plant whose first block was not finished there is only its number.
        let kept = end.clone().unwrap_or_else(|| nothing(number));
        report.cuts.extend(cut(database, &plant, &kept)?);
        numbers.insert(plant.clone(), number);
        plants.extend(end.map(|end| (plant, end)));
    }
    check_floors(folder, options, &plants)?;
    let group = plants.values().map(|end| end.group).max().unwrap_or(0);
    Ok(Recovered {
        ends: Ends { plants, closed },
        numbers,
        group,
        report,
    })
}

fn nothing(number: Number) -> End {
    End {
        number,
        log_id: LogId::default(),
        epoch: WriterEpoch(0),
        last: Position(0),
        recorded_at: Timestamp::MIN,
        group: 0,
        tree: CompactRange::new(),
    }
}

/// Reads the log behind what a snapshot vouches for and holds it against the root at its end. What
/// lies before is verified when it is read.
fn verify(
    database: &Database,
    plant: &PlantId,
    end: &End,
    trusted: Option<&Trusted>,
    report: &mut RecoveryReport,
) -> Result<(), StoreError> {
    let trusted = trusted.filter(|snapshot| snapshot.position.get() > 0);
    let wrong = |what: String| match trusted {
        Some(snapshot) => StoreError::Snapshot {
            plant: plant.clone(),
            position: snapshot.position,
        },
        None => database.damaged(Some(plant), what),
    };
    let mut tree = trusted.map_or_else(CompactRange::new, |snapshot| snapshot.tree.clone());
    if trusted.is_some_and(|snapshot| snapshot.tree.size() != snapshot.position.get()) {
        return Err(wrong(String::new()));
    }
    let mut next = Position(tree.size()).next();
    while next <= end.last {
        let block = read::block_with(database, plant, end.number, next)?;
        if block.header.first == next && block.header.root_before != *tree.root().as_bytes() {
            let what =
                format!("the root before position {next} is not that of the events before it");
            return Err(wrong(what));
        }
        for (_, event) in block.events() {
            tree.append(leaf_hash(event));
        }
        report.blocks += 1;
        report.events += u64::from(block.header.count);
        next = block.header.last().next();
    }
    if tree.size() == end.last.get() && tree != end.tree {
        return Err(wrong(
            "the root at the end of the log is not that of its events".into(),
        ));
    }
    Ok(())
}

/// Removes what was written behind the end of a plant's log and never acknowledged. There is no index
/// without its block, because it is written behind it.
fn cut(database: &Database, plant: &PlantId, end: &End) -> Result<Option<Cut>, StoreError> {
    let mut bytes = 0;
    let mut group = 0;
    while let Some((first, stored)) = database.block_before(end.number, Position(u64::MAX - 1))? {
        if first <= end.last {
            break;
        }
        if let Ok(block) = read::decode(&stored) {
            for run in &block.header.runs {
                let position = first.get().saturating_add(u64::from(run.offset));
                let (source, sequence) = (run.source.get(), run.first.get());
                let key = keys::run(end.number, source, sequence, position);
                database.remove(&database.runs, &key)?;
            }
            group = block.header.group;
        }
        database.remove(&database.blocks, &keys::block(end.number, first))?;
        bytes += stored.len() as u64;
    }
    for bounds in database.times_behind(end, end.last)? {
        let key = keys::time(end.number, bounds.recorded_min);
        database.remove(&database.times, &key)?;
    }
    if bytes == 0 {
        return Ok(None);
    }
    let cut = Cut {
        file: database.path(),
        offset: 0,
        bytes,
        group,
        plants: vec![(plant.clone(), end.last)],
        what: "the group was not finished".into(),
    };
    tracing::warn!(file = %cut.file.display(), bytes = cut.bytes, group = cut.group, plants = ?cut.plants, why = cut.what, "the unfinished end of the log is cut; nothing of it was acknowledged");
    Ok(Some(cut))
}

/// Refuses a log that ends before what snapshots and checkpoints vouch for.
fn check_floors(
    folder: &Path,
    options: &Options,
    plants: &BTreeMap<PlantId, End>,
) -> Result<(), StoreError> {
    let floors = options.floors.iter().map(|(plant, floor)| (plant, *floor));
    let snapshots = options.trusted.iter().map(|s| (&s.plant, s.position));
    for (plant, floor) in floors.chain(snapshots) {
        let kept = plants.get(plant).map_or(Position(0), |end| end.last);
        if kept < floor {
            return Err(StoreError::BelowFloor {
                folder: folder.to_owned(),
                plant: plant.clone(),
                floor,
                kept,
            });
        }
    }
    Ok(())
}
