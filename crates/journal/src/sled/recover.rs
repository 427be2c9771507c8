//! Opens the log in the database: cuts what was not finished, and verifies the rest.

use std::collections::BTreeMap;
use std::path::Path;

use werkbuch_model::id::{LogId, PlantId, Position, WriterEpoch};
use werkbuch_model::time::Timestamp;
use werkbuch_proof::{CompactRange, leaf_hash};

use super::commit::CLOSED;
use super::database::Database;
use super::keys::{self, End, Number};
use super::witness::{self, Noted, Plants};
use super::{Ends, read};
use crate::error::Forgotten;
use crate::{Cut, Options, RecoveryReport, StoreError, Trusted};

/// What the database holds.
#[derive(Debug)]
pub(super) struct Recovered {
    pub(super) ends: Ends,
    pub(super) numbers: BTreeMap<PlantId, Number>,
    pub(super) group: u64,
    /// What the witness is to say from now on.
    pub(super) noted: Plants,
    pub(super) report: RecoveryReport,
}

/// Reads where the logs end, holds that against what was noted, and brings each of them into order.
pub(super) fn recover(
    database: &Database,
    folder: &Path,
    options: &Options,
    noted: &Plants,
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
            nothing_is_forgotten(folder, database, (&plant, noted), Some(end))?;
            let known = (trusted, noted.get(&plant));
            verify(database, &plant, end, known, &mut report)?;
        }
        // Of a plant whose first block was not finished there is only its number.
        let kept = end.clone().unwrap_or_else(|| nothing(number));
        report.cuts.extend(cut(database, &plant, &kept)?);
        numbers.insert(plant.clone(), number);
        plants.extend(end.map(|end| (plant, end)));
    }
    for plant in noted.keys() {
        nothing_is_forgotten(folder, database, (plant, noted), plants.get(plant))?;
    }
    check_floors(folder, options, &plants)?;
    let mut now = Plants::new();
    for (plant, end) in &plants {
        let indexed = indexes(database, plant, end, noted.get(plant))?;
        now.insert(plant.clone(), indexed);
    }
    let group = plants.values().map(|end| end.group).max().unwrap_or(0);
    Ok(Recovered {
        ends: Ends { plants, closed },
        numbers,
        group,
        noted: now,
        report,
    })
}

/// Refuses a database that holds less of a plant than was acknowledged. It leaves out what it cannot
/// read at the live end of its file, and says nothing.
fn nothing_is_forgotten(
    folder: &Path,
    database: &Database,
    (plant, noted): (&PlantId, &Plants),
    end: Option<&End>,
) -> Result<(), StoreError> {
    let Some(noted) = noted.get(plant) else {
        return Ok(());
    };
    let kept = end.map_or(Position(0), |end| end.last);
    if kept < noted.last() {
        let [first, second] = witness::paths(folder);
        return Err(StoreError::Forgotten(Box::new(Forgotten {
            file: database.path(),
            plant: plant.clone(),
            kept,
            noted: noted.last(),
            witness: [first, second],
        })));
    }
    let same_log = end.is_some_and(|end| end.log_id == noted.log_id);
    let same_tree = end.is_none_or(|end| end.last > noted.last() || end.tree == noted.tree);
    if !(same_log && same_tree) {
        let what = format!(
            "up to position {} stands another log than the one that was acknowledged",
            noted.last()
        );
        return Err(database.damaged(Some(plant), what));
    }
    Ok(())
}

/// Counts the indexes of a plant. A number that is missing there would be taken for one that was never
/// recorded, and a missing time would lead to the wrong block; so they must be as many as was noted,
/// and the times must name every position.
fn indexes(
    database: &Database,
    plant: &PlantId,
    end: &End,
    noted: Option<&Noted>,
) -> Result<Noted, StoreError> {
    let until = noted.map_or(Position(0), Noted::last);
    let (mut next, mut blocks, mut blocks_noted) = (Position(1), 0, 0);
    database.each(&database.times, end.number, &mut |_, value| {
        let bounds = keys::parse_bounds(value).filter(|bounds| bounds.first == next);
        let Some(bounds) = bounds else {
            let what = format!("the time of the block at position {next} is missing in its index");
            return Err(database.damaged(Some(plant), what));
        };
        next = bounds.last.next();
        blocks += 1;
        blocks_noted += u64::from(bounds.last <= until);
        Ok(())
    })?;
    if next != end.last.next() {
        let what = format!("the times of the blocks from position {next} on are missing");
        return Err(database.damaged(Some(plant), what));
    }
    let (mut runs, mut runs_noted) = (0, 0);
    database.each(&database.runs, end.number, &mut |key, _| {
        runs += 1;
        let position = keys::parse_run(key).map_or(0, |(_, position)| position);
        runs_noted += u64::from(position <= until.get());
        Ok(())
    })?;
    for (what, found, expected) in [
        (
            "times of blocks",
            blocks_noted,
            noted.map(|noted| noted.blocks),
        ),
        (
            "numbers of sources",
            runs_noted,
            noted.map(|noted| noted.runs),
        ),
    ] {
        if let Some(expected) = expected.filter(|expected| *expected != found) {
            let what = format!(
                "there are {found} {what} up to position {until}, and {expected} were noted"
            );
            return Err(database.damaged(Some(plant), what));
        }
    }
    Ok(Noted {
        log_id: end.log_id,
        blocks,
        runs,
        tree: end.tree.clone(),
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

/// Reads the log behind what a snapshot vouches for, or else behind what was noted, and holds it against
/// the root at its end. What lies before is verified when it is read.
fn verify(
    database: &Database,
    plant: &PlantId,
    end: &End,
    (trusted, noted): (Option<&Trusted>, Option<&Noted>),
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
    let known = trusted.map(|snapshot| &snapshot.tree);
    let known = known.or(noted.map(|noted| &noted.tree));
    let mut tree = known.cloned().unwrap_or_default();
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
        if noted.is_some_and(|noted| tree.size() == noted.tree.size() && tree != noted.tree) {
            let what = format!(
                "the root behind position {} is not the noted one",
                tree.size()
            );
            return Err(wrong(what));
        }
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
