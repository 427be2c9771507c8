//! The families of metrics: name, what it says, and where it is read.

use super::scrape::{Scrape, behind, silence};
use werkbuch_engine::{Distribution, PlantFigures};
use werkbuch_journal::Usage;
use werkbuch_journal::disk::Room;

/// The labels of a row.
pub(super) type Labels = Vec<(&'static str, String)>;
type Rows<T> = Vec<(Labels, T)>;

/// A family of metrics.
pub(super) struct Family {
    /// The name, for a counter without its `_total`, for an info without its `_info`.
    pub(super) name: &'static str,
    pub(super) help: &'static str,
    pub(super) read: Read,
}

/// Where a family is read.
pub(super) enum Read {
    Counter(fn(&Scrape) -> Rows<u64>),
    Gauge(fn(&Scrape) -> Rows<f64>),
    Times(for<'s> fn(&'s Scrape) -> &'s Distribution),
    Info(fn(&Scrape) -> Labels),
}

macro_rules! families {
    ($($name:literal $kind:ident $help:literal $read:expr;)+) => {
        pub(super) const FAMILIES: &[Family] = &[$(Family { name: $name, help: $help, read: Read::$kind($read) },)+];
        /// Every family of metrics: its name as in queries (without the endings of histograms), its
        /// type, and what it says.
        pub const METRICS: &[(&str, &str, &str)] = &[$((suffixed!($name $kind), kind!($kind), $help),)+];
    };
}

macro_rules! suffixed {
    ($name:literal Counter) => {
        concat!($name, "_total")
    };
    ($name:literal Info) => {
        concat!($name, "_info")
    };
    ($name:literal $kind:ident) => {
        $name
    };
}

macro_rules! kind {
    (Counter) => {
        "counter"
    };
    (Gauge) => {
        "gauge"
    };
    (Times) => {
        "histogram"
    };
    (Info) => {
        "info"
    };
}

families! {
    "werkbuch_build" Info
        "The version of the server and the store that keeps its log."
        |scrape| vec![
            ("version", env!("CARGO_PKG_VERSION").to_owned()),
            ("store", scrape.store.to_owned()),
        ];
    "werkbuch_start_seconds" Gauge
        "How long it took from the start until every plant answered; 0 before."
        |scrape| one(scrape.figures.start_seconds);
    "werkbuch_writing" Gauge
        "1 while the log can be written, 0 once the server must be started anew."
        |scrape| one(f64::from(u8::from(scrape.figures.is_writing)));
    "werkbuch_plants" Gauge
        "Plants that answer."
        |scrape| one(scrape.figures.plants.len() as f64);
    "werkbuch_plants_recovering" Gauge
        "Plants that do not answer yet, because they are being folded from their logs since the start."
        |scrape| one(scrape.figures.recovering.len() as f64);
    "werkbuch_plants_omitted" Gauge
        "Plants without rows of their own on this page, to keep it bounded."
        |scrape| one((scrape.figures.plants.len() - scrape.shown().len()) as f64);
    "werkbuch_machines" Gauge
        "Machines of the plant's description."
        |scrape| gauges(scrape, |plant| plant.machines as f64);
    "werkbuch_position" Gauge
        "The last position of the plant's log that the twin has applied."
        |scrape| gauges(scrape, |plant| plant.position.get() as f64);
    "werkbuch_ingest_batches" Counter
        "Batches acknowledged."
        |scrape| counts(scrape, |plant| plant.batches);
    "werkbuch_ingest_events" Counter
        "Events of acknowledged batches, by outcome: recorded, repeated (recorded before) or refused."
        outcomes;
    "werkbuch_refusals" Counter
        "Refused events, by reason; reasons that did not occur are left out."
        refusals;
    "werkbuch_overloads" Counter
        "Inputs turned away because the plant's queue was full; their senders try again."
        |scrape| counts(scrape, |plant| plant.overloaded);
    "werkbuch_ack_seconds" Times
        "From a batch's arrival in the engine to its acknowledgement, which follows the sync."
        |scrape| &scrape.figures.ack;
    "werkbuch_commit_seconds" Times
        "Writing and syncing a group of blocks of all plants that wait."
        |scrape| &scrape.figures.commit;
    "werkbuch_commit_sync_seconds" Times
        "Each sync of a file of the log."
        |scrape| &scrape.figures.sync;
    "werkbuch_commit_blocks" Counter
        "Blocks committed."
        |scrape| vec![(vec![], scrape.figures.commit_blocks)];
    "werkbuch_commit_failures" Counter
        "Groups of blocks that could not be committed; nothing of them was acknowledged."
        |scrape| vec![(vec![], scrape.figures.commit_failures)];
    "werkbuch_written_bytes" Counter
        "Bytes written to the files of the log."
        |scrape| vec![(vec![], scrape.figures.written_bytes)];
    "werkbuch_log_bytes" Gauge
        "The size of the log on the disk, sample bodies included."
        |scrape| scrape.figures.log_bytes.map_or_else(Vec::new, |bytes| one(bytes as f64));
    "werkbuch_hot_bytes" Gauge
        "The size of what of the log is not sealed, with the room taken ahead."
        |scrape| usage(scrape, |usage| usage.hot_bytes);
    "werkbuch_sealed_bytes" Gauge
        "The size of the sealed segments."
        |scrape| usage(scrape, |usage| usage.sealed_bytes);
    "werkbuch_segments" Gauge
        "Sealed segments of all plants."
        |scrape| usage(scrape, |usage| usage.segments);
    "werkbuch_body_bytes" Gauge
        "The size of the sample bodies."
        |scrape| usage(scrape, |usage| usage.body_bytes);
    "werkbuch_disk_free_bytes" Gauge
        "What can still be written on the disk of the data folder, where the system tells it."
        |scrape| room(scrape, |room| room.free);
    "werkbuch_disk_total_bytes" Gauge
        "The size of that disk."
        |scrape| room(scrape, |room| room.total);
    "werkbuch_disk_reserve_bytes" Gauge
        "Room on it that is kept for the last records once it is full; 0 while none is kept."
        |scrape| usage(scrape, |usage| usage.reserve_bytes);
    "werkbuch_queue_length" Gauge
        "What waits or is under way: inputs of each plant, blocks for the disk (commit), calls, streams and questions."
        queues;
    "werkbuch_queue_capacity" Gauge
        "How long each queue may become before the server says that it is overloaded; inputs are for each plant."
        capacities;
    "werkbuch_subscribers" Gauge
        "Streams that follow the plant's log."
        |scrape| gauges(scrape, |plant| plant.subscribers as f64);
    "werkbuch_source_lag_seconds" Gauge
        "How long ago the latest thing that a live source reported had taken effect when its last report was recorded."
        |scrape| scrape.per_source(behind);
    "werkbuch_source_silence_seconds" Gauge
        "How long ago a live source's last event was recorded; sources not heard since the start are left out."
        |scrape| scrape.per_source(silence);
    "werkbuch_sources_omitted" Gauge
        "Live sources of the plant without rows of their own; the worst of them is shown as (others)."
        |scrape| gauges_of(scrape, |scrape, plant| plant.sources.len().saturating_sub(scrape.sources_shown()) as f64);
    "werkbuch_rules" Gauge
        "Rules that apply to the plant."
        |scrape| gauges(scrape, |plant| plant.rules as f64);
    "werkbuch_rules_raised" Gauge
        "Of how many machines of the plant something is raised, counted for each rule."
        |scrape| gauges(scrape, |plant| plant.raised as f64);
    "werkbuch_rule_looks" Counter
        "How often a rule was looked at for a machine."
        looks;
    "werkbuch_rules_behind_events" Gauge
        "Events of the plant's log that its rules have not been looked at for yet."
        rules_behind;
    "werkbuch_replay_seconds" Times
        "Replays of a log that were asked for, to their end."
        |scrape| &scrape.figures.replay;
    "werkbuch_past_marks" Gauge
        "Marks of the plant's past, from which questions about it are folded."
        |scrape| gauges(scrape, |plant| plant.marks.count as f64);
    "werkbuch_past_mark_bytes" Gauge
        "The size of these marks."
        |scrape| gauges(scrape, |plant| plant.marks.bytes as f64);
    "werkbuch_past_marks_far" Gauge
        "Of these marks those so far behind the one before that more are put between when there is time."
        |scrape| gauges(scrape, |plant| plant.marks.long as f64);
    "werkbuch_past_seconds" Times
        "Folds of a log for a question about the past."
        |scrape| &scrape.figures.past;
    "werkbuch_snapshot_seconds" Times
        "Writing a snapshot of a plant, from its encoding to the last sync."
        |scrape| &scrape.figures.snapshot;
    "werkbuch_snapshot_failures" Counter
        "Snapshots that could not be written; a start takes longer without one, nothing is lost."
        |scrape| vec![(vec![], scrape.figures.snapshot_failures)];
    "werkbuch_snapshot_position" Gauge
        "The position of the plant's last snapshot written since the start; left out before the first."
        |scrape| since_first_snapshot(scrape, |plant| plant.snapshot_position.get() as f64);
    "werkbuch_snapshot_bytes" Gauge
        "The size of that snapshot."
        |scrape| since_first_snapshot(scrape, |plant| plant.snapshot_bytes as f64);
    "werkbuch_expired_files" Counter
        "Files of sample bodies deleted because the lifetime of all that they held was over."
        |scrape| vec![(vec![], scrape.figures.expired_files)];
    "werkbuch_expired_bytes" Counter
        "The bytes of those files."
        |scrape| vec![(vec![], scrape.figures.expired_bytes)];
    "werkbuch_expire_failures" Counter
        "Tries of such a deletion that failed; it is tried again within the hour."
        |scrape| vec![(vec![], scrape.figures.expire_failures)];
    "werkbuch_calls" Counter
        "Calls and streams that clients began, without those for health and metrics."
        |scrape| vec![(vec![], scrape.calls)];
    "werkbuch_call_refusals" Counter
        "Calls and streams that ended with an error, by its reason; reasons that did not occur are left out."
        |scrape| scrape.refused.iter().map(|(reason, count)| (vec![("reason", reason.name().to_owned())], *count)).collect();
    "process_start_time_seconds" Gauge
        "When the server started, in seconds since 1970."
        |scrape| one(scrape.started_at.nanos() as f64 / 1e9);
    "process_resident_memory_bytes" Gauge
        "Resident memory of the process, where the system tells it."
        |scrape| scrape.resident_bytes.map_or_else(Vec::new, |bytes| one(bytes as f64));
}

fn usage(scrape: &Scrape, read: fn(&Usage) -> u64) -> Rows<f64> {
    let usage = scrape.figures.usage.as_ref();
    usage.map_or_else(Vec::new, |usage| one(read(usage) as f64))
}

fn room(scrape: &Scrape, read: fn(&Room) -> u64) -> Rows<f64> {
    let room = scrape.figures.usage.and_then(|usage| usage.room);
    room.map_or_else(Vec::new, |room| one(read(&room) as f64))
}

fn one(value: f64) -> Rows<f64> {
    vec![(Vec::new(), value)]
}

fn named(plant: &PlantFigures) -> Labels {
    vec![("plant", plant.plant.to_string())]
}

fn gauges(scrape: &Scrape, read: fn(&PlantFigures) -> f64) -> Rows<f64> {
    let plants = scrape.shown().iter();
    plants.map(|plant| (named(plant), read(plant))).collect()
}

fn gauges_of(scrape: &Scrape, read: fn(&Scrape, &PlantFigures) -> f64) -> Rows<f64> {
    let plants = scrape.shown().iter();
    plants
        .map(|plant| (named(plant), read(scrape, plant)))
        .collect()
}

fn counts(scrape: &Scrape, read: fn(&PlantFigures) -> u64) -> Rows<u64> {
    let plants = scrape.shown().iter();
    plants.map(|plant| (named(plant), read(plant))).collect()
}

fn looks(scrape: &Scrape) -> Rows<u64> {
    let plants = scrape.shown().iter();
    let looks = |plant: &PlantFigures| {
        scrape
            .rules
            .get(&plant.plant)
            .map_or(0, |(looks, _)| *looks)
    };
    plants.map(|plant| (named(plant), looks(plant))).collect()
}

fn rules_behind(scrape: &Scrape) -> Rows<f64> {
    gauges_of(scrape, |scrape, plant| {
        match scrape.rules.get(&plant.plant) {
            Some((_, position)) if plant.rules > 0 => {
                plant.position.get().saturating_sub(position.get()) as f64
            }
            // Without rules nothing waits to be looked at.
            _ => 0.0,
        }
    })
}

fn since_first_snapshot(scrape: &Scrape, read: fn(&PlantFigures) -> f64) -> Rows<f64> {
    let plants = scrape.shown().iter();
    let kept = plants.filter(|plant| plant.snapshot_position.get() > 0);
    kept.map(|plant| (named(plant), read(plant))).collect()
}

fn outcomes(scrape: &Scrape) -> Rows<u64> {
    let mut rows = Vec::new();
    for plant in scrape.shown() {
        let refused = plant.refused.iter().map(|(_, count)| count).sum();
        for (outcome, events) in [
            ("recorded", plant.recorded),
            ("repeated", plant.repeated),
            ("refused", refused),
        ] {
            let mut labels = named(plant);
            labels.push(("outcome", outcome.to_owned()));
            rows.push((labels, events));
        }
    }
    rows
}

fn refusals(scrape: &Scrape) -> Rows<u64> {
    let mut rows = Vec::new();
    for plant in scrape.shown() {
        for (reason, events) in &plant.refused {
            let mut labels = named(plant);
            labels.push(("reason", reason.name().to_owned()));
            rows.push((labels, *events));
        }
    }
    rows
}

fn queues(scrape: &Scrape) -> Rows<f64> {
    let queue = |name: &str| ("queue", name.to_owned());
    let mut rows: Rows<f64> = Vec::new();
    for plant in scrape.shown() {
        let mut labels = named(plant);
        labels.push(queue("inputs"));
        rows.push((labels, plant.queue.0 as f64));
    }
    rows.push((vec![queue("commit")], scrape.figures.commit_queue.0 as f64));
    let places = scrape.places.iter();
    rows.extend(places.map(|(name, used, _)| (vec![queue(name)], *used as f64)));
    rows
}

fn capacities(scrape: &Scrape) -> Rows<f64> {
    let queue = |name: &str| vec![("queue", name.to_owned())];
    let inputs = scrape.shown().first();
    let mut rows: Rows<f64> = inputs
        .map(|plant| (queue("inputs"), plant.queue.1 as f64))
        .into_iter()
        .collect();
    rows.push((queue("commit"), scrape.figures.commit_queue.1 as f64));
    let places = scrape.places.iter();
    rows.extend(places.map(|(name, _, capacity)| (queue(name), *capacity as f64)));
    rows
}
