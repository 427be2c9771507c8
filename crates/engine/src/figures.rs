//! What the running system says about itself: counts, times and lengths at one moment.

use crate::engine::Engine;
use crate::limits::{COMMIT_QUEUE, PLANT_QUEUE};
use crate::past::Marks;
use crate::plant::Plant;
use std::collections::BTreeMap;
use werkbuch_model::event::{RefusalReason, SourceKind};
use werkbuch_model::id::{PlantId, Position};
use werkbuch_model::time::Timestamp;

/// How often something took how long.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Distribution {
    /// Upper bound in seconds, the last one infinite, and how many lie at or below it and above the
    /// one before.
    pub buckets: Vec<(f64, u64)>,
    /// The sum of all times, in seconds.
    pub sum_seconds: f64,
}

impl Distribution {
    /// How many times were taken.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.buckets.iter().map(|(_, count)| count).sum()
    }
}

/// When a source was last heard, and how far what it said was behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lag {
    /// When its last event was recorded.
    pub heard_at: Timestamp,
    /// The time from when the latest of its events took effect to when its last one was recorded, in
    /// nanoseconds.
    pub behind_ns: i64,
}

/// What the engine says about itself. Counts are since the start of the process.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// From a batch's arrival in the engine to its acknowledgement.
    pub ack: Distribution,
    /// Writing and syncing a group of blocks.
    pub commit: Distribution,
    /// Each sync of a file.
    pub sync: Distribution,
    /// Replays of a whole log or a beginning of it.
    pub replay: Distribution,
    /// Folds of a log for a question about the past.
    pub past: Distribution,
    /// Writing a snapshot, from the encoding to the last sync.
    pub snapshot: Distribution,
    /// How long the opening of the data folder took, in seconds.
    pub start_seconds: f64,
    /// Bytes written to the files of the log.
    pub written_bytes: u64,
    /// Blocks committed.
    pub commit_blocks: u64,
    /// Groups whose commit failed as a whole.
    pub commit_failures: u64,
    /// Snapshots that could not be written.
    pub snapshot_failures: u64,
    /// Files of sample bodies deleted because their lifetime was over.
    pub expired_files: u64,
    /// The bytes that they had.
    pub expired_bytes: u64,
    /// How often such a deletion failed, counted once for each plant and try.
    pub expire_failures: u64,
    /// Blocks that wait for the disk, and how many may.
    pub commit_queue: (u64, u64),
    /// The bytes that the log takes on the disk, if that can be said.
    pub log_bytes: Option<u64>,
    /// The same by its parts, with the room that is left, if that can be said.
    pub usage: Option<werkbuch_journal::Usage>,
    /// Whether the log can be written.
    pub is_writing: bool,
    /// The plants that answer, by name.
    pub plants: Vec<PlantFigures>,
    /// The plants that are being folded from their logs after the start, by name.
    pub recovering: Vec<crate::Recovering>,
}

/// What a plant says about itself. Counts are since the start of the process.
#[derive(Clone, Debug)]
pub struct PlantFigures {
    /// The plant.
    pub plant: PlantId,
    /// The last applied position.
    pub position: Position,
    /// The machines of its description.
    pub machines: u64,
    /// Batches answered.
    pub batches: u64,
    /// Events recorded for sources; the writer's own records are not counted.
    pub recorded: u64,
    /// Events that had been recorded before.
    pub repeated: u64,
    /// Events refused, by reason; reasons that did not occur are left out.
    pub refused: Vec<(RefusalReason, u64)>,
    /// Inputs turned away because the queue was full.
    pub overloaded: u64,
    /// Inputs that wait or are under way, and how many may.
    pub queue: (u64, u64),
    /// Who follows the log.
    pub subscribers: u64,
    /// The position of the last snapshot written since the start; 0 before the first.
    pub snapshot_position: Position,
    /// The size of that snapshot in bytes.
    pub snapshot_bytes: u64,
    /// The rules that apply.
    pub rules: u64,
    /// Of how many machines something is raised, counted for each rule.
    pub raised: u64,
    /// The marks of its past.
    pub marks: Marks,
    /// The live sources heard since the start, in the latest epoch of each, by name.
    pub sources: BTreeMap<String, Lag>,
}

impl Engine {
    /// What the engine says about itself now. It reads counters and holds no lock for longer than it
    /// takes to copy a table.
    #[must_use]
    pub fn figures(&self) -> Figures {
        let meter = self.meter();
        let waiting = meter.blocks_in.get().saturating_sub(meter.blocks_out.get());
        Figures {
            ack: meter.ack.read(),
            commit: meter.commit.read(),
            sync: meter.sync.read(),
            replay: meter.replay.read(),
            past: meter.past.read(),
            snapshot: meter.snapshot.read(),
            start_seconds: meter.start_ns.get() as f64 / 1e9,
            written_bytes: meter.written_bytes.get(),
            commit_blocks: meter.commit_blocks.get(),
            commit_failures: meter.commit_failures.get(),
            snapshot_failures: meter.snapshot_failures.get(),
            expired_files: meter.expired_files.get(),
            expired_bytes: meter.expired_bytes.get(),
            expire_failures: meter.expire_failures.get(),
            commit_queue: (waiting, COMMIT_QUEUE as u64),
            log_bytes: self.store().bytes().ok(),
            usage: self.store().usage().ok(),
            is_writing: self.stopped().is_none(),
            plants: self.plants().iter().map(Plant::figures).collect(),
            recovering: self.recovering(),
        }
    }
}

impl Plant {
    /// What the plant says about itself now.
    #[must_use]
    pub fn figures(&self) -> PlantFigures {
        let meter = &self.shared.meter;
        let free = self.shared.queue.available_permits();
        PlantFigures {
            plant: self.id().clone(),
            position: self.position(),
            machines: self
                .shared
                .ask_live(|twin| twin.description().machines().count() as u64)
                .0,
            batches: meter.batches.get(),
            recorded: meter.recorded.get(),
            repeated: meter.repeated.get(),
            refused: meter.refused(),
            overloaded: meter.overloaded.get(),
            queue: (PLANT_QUEUE.saturating_sub(free) as u64, PLANT_QUEUE as u64),
            subscribers: self.shared.applied.receiver_count() as u64,
            snapshot_position: Position(meter.snapshot_position.get()),
            snapshot_bytes: meter.snapshot_bytes.get(),
            rules: self.shared.rules.borrow().rules().len() as u64,
            raised: self.shared.rules.borrow().raised().len() as u64,
            marks: self.marks(),
            sources: self.lags(),
        }
    }

    /// The lag of each live source by its name; a later epoch of a source stands for those before.
    fn lags(&self) -> BTreeMap<String, Lag> {
        let lags = self.shared.meter.lags();
        let mut sources = self.sources();
        sources.sort_by_key(|source| source.epoch);
        let live = sources
            .iter()
            .filter(|source| source.kind == SourceKind::Live);
        let heard = live.filter_map(|source| {
            let lag = lags.get(&source.number)?;
            Some((source.name.to_string(), *lag))
        });
        heard.collect()
    }
}
