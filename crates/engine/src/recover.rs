//! Brings a data folder back to life: the newest good snapshots and the rest of the log.

use crate::error::EngineError;
use crate::snapshots::{self, Snapshot};
use crate::writer::Writer;
use std::collections::BTreeMap;
use std::num::NonZero;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use werkbuch_journal::disk::Disk;
use werkbuch_journal::{Blocks, Options, RecoveryReport, Store, StoreError, StoreKind, Trusted};
use werkbuch_model::event::Recorded;
use werkbuch_model::id::{LogId, MachineNumber, PlantId, Position};
use werkbuch_record::decode_recorded;
use werkbuch_twin::Twin;

/// An opened folder.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) kind: StoreKind,
    pub(crate) report: RecoveryReport,
    pub(crate) snapshots: BTreeMap<PlantId, Snapshot>,
}

/// Opens the log of a data folder, trusting the trees of good snapshots. A snapshot that the log
/// contradicts is dropped and the log opened again without it.
/// Errors: those of the journal.
pub(crate) fn open(
    disk: &Arc<dyn Disk>,
    data: &Path,
    (wanted, wal_bytes_max): (Option<StoreKind>, u64),
    read_only: bool,
) -> Result<Opened, EngineError> {
    let mut snapshots = newest(data, read_only);
    loop {
        let options = Options {
            trusted: trusted(&snapshots),
            wal_bytes_max,
            ..Options::default()
        };
        let disk = Arc::clone(disk);
        let opened = werkbuch_journal::open(disk, data, &options, wanted, read_only);
        match opened {
            Ok(werkbuch_journal::Opened {
                store,
                kind,
                report,
            }) => {
                keep_fitting(data, &*store, &mut snapshots, read_only);
                return Ok(Opened {
                    store,
                    kind,
                    report,
                    snapshots,
                });
            }
            Err(StoreError::Snapshot { plant, position }) if snapshots.remove(&plant).is_some() => {
                let folder = snapshots::folder(data, &plant);
                let named = snapshots::list(&folder)
                    .into_iter()
                    .find(|(at, _)| *at == position);
                if let Some((_, path)) = named {
                    snapshots::drop_file(&path, &plant, "the log contradicts it", read_only);
                }
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// The newest good snapshot of each plant, read on all cores: they make up most of a start.
fn newest(data: &Path, read_only: bool) -> BTreeMap<PlantId, Snapshot> {
    let plants = snapshots::plants(data);
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    let next = AtomicUsize::new(0);
    let read = || {
        let mut found = Vec::new();
        while let Some(plant) = plants.get(next.fetch_add(1, Ordering::Relaxed)) {
            let snapshot = snapshots::newest(data, plant, read_only);
            found.extend(snapshot.map(|snapshot| (plant.clone(), snapshot)));
        }
        found
    };
    std::thread::scope(|scope| {
        let helpers = 1..cores.min(plants.len());
        let helpers: Vec<_> = helpers.map(|_| scope.spawn(read)).collect();
        let mut all: BTreeMap<_, _> = read().into_iter().collect();
        for helper in helpers {
            // A plant without a snapshot is folded from its log.
            all.extend(helper.join().unwrap_or_default());
        }
        all
    })
}

fn trusted(snapshots: &BTreeMap<PlantId, Snapshot>) -> Vec<Trusted> {
    let trust = |(plant, snapshot): (&PlantId, &Snapshot)| Trusted {
        plant: plant.clone(),
        position: snapshot.writer.position,
        tree: snapshot.writer.tree.clone(),
    };
    snapshots.iter().map(trust).collect()
}

/// Drops snapshots of another log than the one that is there.
fn keep_fitting(
    data: &Path,
    store: &dyn Store,
    snapshots: &mut BTreeMap<PlantId, Snapshot>,
    read_only: bool,
) {
    let ends: BTreeMap<_, _> = store
        .ends()
        .into_iter()
        .map(|end| (end.plant, end.log_id))
        .collect();
    snapshots.retain(|plant, snapshot| {
        let fits = ends.get(plant) == Some(&snapshot.writer.log_id);
        if !fits {
            for (_, path) in snapshots::list(&snapshots::folder(data, plant)) {
                snapshots::drop_file(&path, plant, "it is of another log", read_only);
            }
        }
        fits
    });
}

/// After so many events it is asked whether to go on.
const STEP_EVENTS: u64 = 1_024;

/// A plant as it stands after its last event: writer and twin. `step` hears now and then how far it is.
/// Errors: the log cannot be read, or needs a newer build; those of `step`.
pub(crate) fn plant(
    store: &dyn Store,
    (plant, log_id): (&PlantId, LogId),
    snapshot: Option<Snapshot>,
    step: &mut dyn FnMut(Position) -> Result<(), EngineError>,
) -> Result<(Writer, Twin), EngineError> {
    let (mut writer, mut twin) = match snapshot {
        Some(snapshot) => (snapshot.writer, snapshot.twin),
        None => (Writer::new(plant.clone(), log_id), Twin::new(plant.clone())),
    };
    let from = writer.position.next();
    each_event(store, plant, from, &mut |event, bytes| {
        writer.absorb(event, bytes);
        if event.position.get().is_multiple_of(STEP_EVENTS) {
            step(event.position)?;
        }
        twin.apply(event)
            .map_err(|error| fold_error(plant, event.position, &error))
    })?;
    // Both have folded the same revisions; in a plant that was folded from its log one copy is enough.
    let description = twin.staged_description();
    if writer.description == description {
        writer.description = description;
    }
    Ok((writer, twin))
}

/// The writer alone, after a commit failed and what was staged must be forgotten. A snapshot that does
/// not lead to the tree of the log is not believed.
pub(crate) fn writer_only(
    store: &dyn Store,
    plant: &PlantId,
    log_id: LogId,
    snapshot: Option<Snapshot>,
) -> Result<Writer, EngineError> {
    let fresh = || Writer::new(plant.clone(), log_id);
    let had_snapshot = snapshot.is_some();
    let writer = fold_writer(
        store,
        plant,
        snapshot.map_or_else(fresh, |snapshot| snapshot.writer),
    )?;
    let end = store.ends().into_iter().find(|end| end.plant == *plant);
    let fits = end.is_none_or(|end| end.tree == writer.tree);
    if fits || !had_snapshot {
        Ok(writer)
    } else {
        fold_writer(store, plant, fresh())
    }
}

fn fold_writer(
    store: &dyn Store,
    plant: &PlantId,
    mut writer: Writer,
) -> Result<Writer, EngineError> {
    let from = writer.position.next();
    each_event(store, plant, from, &mut |event, bytes| {
        writer.absorb(event, bytes);
        Ok(())
    })?;
    Ok(writer)
}

/// What is done with each event and its stored bytes.
pub(crate) type EachEvent<'f> = dyn FnMut(&Recorded<'_>, &[u8]) -> Result<(), EngineError> + 'f;

/// Calls `f` with each event of a plant from a position on, and its stored bytes.
/// Errors: those of the log and of `f`; it stops at the first.
pub(crate) fn each_event(
    store: &dyn Store,
    plant: &PlantId,
    from: Position,
    f: &mut EachEvent<'_>,
) -> Result<(), EngineError> {
    each_of(store.read(plant, from), plant, f)
}

/// The same, where only what is said of one machine is wanted: some or all of the other events are left
/// out.
/// Errors: as for [`each_event`].
pub(crate) fn each_event_near(
    store: &dyn Store,
    plant: &PlantId,
    machine: MachineNumber,
    from: Position,
    f: &mut EachEvent<'_>,
) -> Result<(), EngineError> {
    each_of(store.read_machine(plant, from, machine), plant, f)
}

fn each_of(
    blocks: Result<Blocks, StoreError>,
    plant: &PlantId,
    f: &mut EachEvent<'_>,
) -> Result<(), EngineError> {
    let blocks = match blocks {
        // A plant whose first commit failed has no log yet.
        Err(StoreError::UnknownPlant { .. }) => return Ok(()),
        blocks => blocks?,
    };
    for block in blocks {
        let block = block?;
        for (position, bytes) in block.events() {
            let event = decode_recorded(bytes).map_err(|error| EngineError::FormatNewer {
                plant: plant.clone(),
                cause: format!("event {position}: {error}"),
            })?;
            f(&event, bytes)?;
        }
    }
    Ok(())
}

/// What a failed fold means to the caller.
pub(crate) fn fold_error(
    plant: &PlantId,
    position: Position,
    error: &werkbuch_twin::FoldError,
) -> EngineError {
    match error {
        werkbuch_twin::FoldError::FormatTooNew { .. } => EngineError::FormatNewer {
            plant: plant.clone(),
            cause: error.to_string(),
        },
        other => EngineError::fold(plant, position, other),
    }
}
