//! Folds a log from its first event and compares what comes out with what is kept.

use crate::api::{Comparison, Replay, ReplayTo, Verdict};
use crate::error::EngineError;
use crate::plant::{Plant, Shared};
use crate::recover::{self, fold_error};
use crate::snapshots;
use std::path::Path;
use std::sync::{Arc, PoisonError};
use std::time::Instant;
use werkbuch_journal::disk::{Disk, RealDisk};
use werkbuch_journal::{Store, WAL_BYTES_MAX};
use werkbuch_model::event::{Body, DigestRecorded};
use werkbuch_model::id::{PlantId, Position};
use werkbuch_proof::{CompactRange, leaf_hash};
use werkbuch_twin::{FOLD_VERSION, Twin};

/// Between two reports of progress.
const PROGRESS_EVERY: u64 = 16_384;

impl Plant {
    /// Replays the plant; with `check` compares with the live twin, the recorded digests and every
    /// snapshot. Blocking; `progress` hears how many events are done and how many there are.
    /// Errors: `InvalidInstant`, those of the log and of the fold.
    pub fn replay(
        &self,
        to: ReplayTo,
        check: bool,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Replay, EngineError> {
        let shared: &Shared = &self.shared;
        let live = {
            let twin = shared.twin.read().unwrap_or_else(PoisonError::into_inner);
            (twin.position(), check.then(|| twin.digest()))
        };
        let end = match to {
            ReplayTo::End => live.0,
            ReplayTo::Position(position) => self.bounds(&known(position))?,
            ReplayTo::Recorded(time) => self.recorded_by(time)?.min(live.0),
        };
        let mut replaying = Replaying::new(&*shared.store, &shared.id, &shared.data, end, check);
        let begin = Instant::now();
        let mut replay = replaying.run(progress)?;
        shared.totals.replay.observe(begin.elapsed());
        if let (Some(digest), true) = (live.1, replay.position == live.0) {
            replay
                .comparisons
                .push(compare("live twin", live.0, digest == replay.digest));
            let (at, root) = self.root();
            if at == replay.position {
                replay
                    .comparisons
                    .push(compare("root", at, root == replay.root));
            }
        }
        Ok(replay)
    }
}

fn known(position: Position) -> werkbuch_model::instant::Instant {
    werkbuch_model::instant::Instant {
        known: werkbuch_model::instant::Known::Position(position),
        at: None,
    }
}

/// Replays a plant of a data folder that no server holds, as [`Plant::replay`] does.
/// Errors: `Held` when a server holds the folder, `UnknownPlant`, those of the log and of the fold.
pub fn replay_folder(
    data: &Path,
    plant: &PlantId,
    to: ReplayTo,
    check: bool,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Replay, EngineError> {
    let disk: Arc<dyn Disk> = Arc::new(RealDisk);
    let opened = recover::open(&disk, data, (None, WAL_BYTES_MAX), true)?;
    let end = opened
        .store
        .ends()
        .into_iter()
        .find(|end| end.plant == *plant);
    let Some(end) = end else {
        return Err(EngineError::UnknownPlant {
            plant: plant.clone(),
        });
    };
    let last = match to {
        ReplayTo::End => end.last,
        ReplayTo::Position(position) if position <= end.last => position,
        ReplayTo::Position(position) => {
            return Err(EngineError::InvalidInstant {
                what: format!(
                    "position {position} is not recorded; the log of plant \"{plant}\" ends at {}",
                    end.last
                ),
            });
        }
        ReplayTo::Recorded(time) => recorded_by(&*opened.store, plant, end.last, time)?,
    };
    let mut replaying = Replaying::new(&*opened.store, plant, data, last, check);
    let mut replay = replaying.run(progress)?;
    if check && replay.position == end.last {
        replay
            .comparisons
            .push(compare("root", end.last, end.tree.root() == replay.root));
    }
    Ok(replay)
}

/// Folds the log of a plant from its first event into a twin: reads, checks each block against its
/// checksum, decodes and folds, and hashes nothing. It is how questions about the past are answered.
/// Errors: `UnknownPlant`, those of the log and of the fold.
pub fn fold_log(store: &dyn Store, plant: &PlantId) -> Result<Twin, EngineError> {
    let mut twin = Twin::new(plant.clone());
    recover::each_event(store, plant, Position(1), &mut |event, _| {
        twin.apply(event)
            .map_err(|error| fold_error(plant, event.position, &error))
    })?;
    Ok(twin)
}

fn recorded_by(
    store: &dyn Store,
    plant: &PlantId,
    end: Position,
    time: werkbuch_model::time::Timestamp,
) -> Result<Position, EngineError> {
    let Some(block) = store.block_at(plant, time)? else {
        return Ok(Position(0));
    };
    let mut last = Position(block.first.get().saturating_sub(1));
    let stop = block.last.min(end);
    let _ = recover::each_event(store, plant, block.first, &mut |event, _| {
        if event.position > stop || event.recorded_at > time {
            return Err(EngineError::internal("enough"));
        }
        last = event.position;
        Ok(())
    });
    Ok(last)
}

/// A replay on its way.
struct Replaying<'r> {
    store: &'r dyn Store,
    plant: &'r PlantId,
    data: &'r Path,
    end: Position,
    check: bool,
    twin: Twin,
    tree: CompactRange,
    /// The last event that may have changed the state; the writer's other records do not.
    changed: Position,
    comparisons: Vec<Comparison>,
}

impl<'r> Replaying<'r> {
    fn new(
        store: &'r dyn Store,
        plant: &'r PlantId,
        data: &'r Path,
        end: Position,
        check: bool,
    ) -> Self {
        let twin = Twin::new(plant.clone());
        Self {
            store,
            plant,
            data,
            end,
            check,
            twin,
            tree: CompactRange::new(),
            changed: Position(0),
            comparisons: Vec::new(),
        }
    }

    fn run(&mut self, progress: &mut dyn FnMut(u64, u64)) -> Result<Replay, EngineError> {
        let total = self.end.get();
        let mut snapshots = Vec::new();
        if self.check {
            snapshots = snapshots::list(&snapshots::folder(self.data, self.plant));
            snapshots.reverse();
        }
        let mut snapshots = snapshots.into_iter().peekable();
        let started = Instant::now();
        for block in self.store.read(self.plant, Position(1))? {
            let block = block?;
            for (position, bytes) in block.events() {
                if position > self.end {
                    break;
                }
                self.event(position, bytes)?;
                if let Some((_, path)) = snapshots.next_if(|(at, _)| *at == position) {
                    self.compare_snapshot(position, &path);
                }
                if position.get().is_multiple_of(PROGRESS_EVERY) {
                    progress(position.get(), total);
                }
            }
            if block.header.last() >= self.end {
                break;
            }
        }
        let fold_ns = u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX);
        progress(total, total);
        Ok(Replay {
            position: self.twin.position(),
            events: self.twin.position().get(),
            digest: self.twin.digest(),
            fold_version: FOLD_VERSION,
            root: self.tree.root(),
            fold_ns,
            comparisons: std::mem::take(&mut self.comparisons),
        })
    }

    fn event(&mut self, position: Position, bytes: &[u8]) -> Result<(), EngineError> {
        let event =
            werkbuch_record::decode_recorded(bytes).map_err(|error| EngineError::FormatNewer {
                plant: self.plant.clone(),
                cause: error.to_string(),
            })?;
        if self.check
            && let Body::DigestRecorded(recorded) = &event.reported.body
        {
            self.compare_digest(recorded);
        }
        self.tree.append(leaf_hash(bytes));
        self.twin
            .apply(&event)
            .map_err(|error| fold_error(self.plant, position, &error))
    }

    fn compare_digest(&mut self, recorded: &DigestRecorded<'_>) {
        let at = recorded.at_position;
        let comparison = if recorded.fold_version != FOLD_VERSION {
            not_comparable(
                "recorded digest",
                at,
                format!(
                    "it is of fold version {}, this build folds version {FOLD_VERSION}",
                    recorded.fold_version
                ),
            )
        } else if at < self.changed || at > self.twin.position() {
            not_comparable(
                "recorded digest",
                at,
                "the state has changed between".into(),
            )
        } else {
            compare(
                "recorded digest",
                at,
                recorded.digest.as_ref() == self.twin.digest(),
            )
        };
        self.comparisons.push(comparison);
    }

    fn compare_snapshot(&mut self, position: Position, path: &Path) {
        let read = std::fs::read(path).map_err(|error| error.to_string());
        let comparison = match read.and_then(|bytes| snapshots::decode(self.plant, &bytes)) {
            Ok(snapshot) => {
                let same = snapshot.twin.digest() == self.twin.digest();
                compare(
                    "snapshot",
                    position,
                    same && snapshot.writer.tree == self.tree,
                )
            }
            Err(what) => not_comparable("snapshot", position, what),
        };
        self.comparisons.push(comparison);
    }
}

fn compare(with: &str, position: Position, equal: bool) -> Comparison {
    let verdict = if equal {
        Verdict::Equal
    } else {
        Verdict::Different
    };
    Comparison {
        with: with.into(),
        position,
        verdict,
        detail: String::new(),
    }
}

fn not_comparable(with: &str, position: Position, detail: String) -> Comparison {
    Comparison {
        with: with.into(),
        position,
        verdict: Verdict::NotComparable,
        detail,
    }
}
