//! Fills a data folder through the engine, as sources would: checked, ordered, synced.

use crate::command::serve::engine_failure;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::output::Output;
use crate::when;
use bytes::Bytes;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::fmt::Write;
use std::path::Path;
use werkbuch_engine::{Apply, Batch, Engine, OpenSource, Options};
use werkbuch_journal::StoreKind;
use werkbuch_model::event::{Body, Reported, SourceKind};
use werkbuch_model::id::{MachineNumber, PlantId, Sequence, SourceName};
use werkbuch_model::plant::{PlantFile, parse};
use werkbuch_model::time::Timestamp;
use werkbuch_record::encode_reported;

/// The events of one batch.
const BATCH: usize = 4_096;
/// The machines of one station of a made-up plant, and the stations of one line.
const PER_STATION: u64 = 5;

/// Opens an engine on a folder. No snapshot is written before the end.
pub(super) async fn open(data: &Path) -> Outcome<Engine> {
    open_as(Options::new(data)).await
}

/// As [`open`], with marks of the past so many events apart.
pub(super) async fn open_marked(data: &Path, past_every: Option<u64>) -> Outcome<Engine> {
    let mut options = Options::new(data);
    options.past_every = past_every.unwrap_or(options.past_every);
    open_as(options).await
}

/// As [`open`] with this store, and what is written stays in one write-ahead file.
pub(super) async fn open_unsealed(data: &Path, store: StoreKind) -> Outcome<Engine> {
    let mut options = Options::new(data);
    options.store = Some(store);
    options.wal_bytes_max = u64::MAX;
    open_as(options).await
}

async fn open_as(mut options: Options) -> Outcome<Engine> {
    options.snapshot_every = u64::MAX;
    Engine::open(options)
        .await
        .map_err(|error| engine_failure(&error))
}

/// Ends it in good order, with a snapshot of each plant.
pub(super) async fn close(engine: Engine) -> Outcome<()> {
    let closed = engine.close().await;
    closed.map_err(|error| engine_failure(&error))
}

/// A made-up plant with this many machines, as they are described: id, name, type, line.
pub(super) fn plant_file(id: &str, machines: u64) -> Outcome<PlantFile> {
    let mut text =
        format!("[plant]\nid = \"{id}\"\nname = \"{id}\"\ntime_zone = \"Europe/Berlin\"\n");
    let stations = machines.div_ceil(PER_STATION);
    for station in 1..=stations {
        // Nobody can be told that memory cannot be written to.
        let _ = write!(
            text,
            "[[unit]]\nid = \"st-{station:04}\"\nlevel = \"work-center\"\n"
        );
    }
    for machine in 1..=machines {
        let station = machine.div_ceil(PER_STATION);
        let sort = ["press", "robot", "mill", "conveyor", "tester"];
        let sort = sort
            .get(usize::try_from(machine % 5).unwrap_or(0))
            .unwrap_or(&"robot");
        let _ = write!(
            text,
            "[[machine]]\nid = \"m-{machine:05}\"\nname = \"{sort} {machine}\"\ntype = \"{sort}\"\nin = \"st-{station:04}\"\n"
        );
    }
    parse(&text, "bench.toml").map_err(|mistakes| {
        let first = mistakes
            .first()
            .map(ToString::to_string)
            .unwrap_or_default();
        Failure::new(
            Exit::Failed,
            "INTERNAL",
            format!("the made-up plant: {first}"),
        )
    })
}

/// Describes a plant; machines have the numbers 1, 2, 3 ...
pub(super) async fn describe(engine: &Engine, file: PlantFile) -> Outcome<()> {
    let apply = Apply {
        file_name: file.file_name.clone(),
        file,
        file_hash: [0; 32],
        dry_run: false,
        who: String::new(),
        why: "benchmark".to_owned(),
    };
    let applied = engine.apply(apply).await;
    applied.map(drop).map_err(|error| engine_failure(&error))
}

/// A source that reports batch by batch.
pub(super) struct Reporter {
    engine: Engine,
    session: u64,
    sequence: u64,
    /// The plant's clock: when what is reported next happens.
    at: Timestamp,
    step_ns: i64,
    waiting: Vec<Bytes>,
    /// The events of one batch.
    batch: usize,
    sent: u64,
}

impl Reporter {
    /// Opens a source. What it says begins so long ago that `events` of it end now.
    pub(super) async fn open(
        engine: &Engine,
        plant: &PlantId,
        name: &str,
        events: u64,
    ) -> Outcome<Self> {
        let source = OpenSource {
            source: SourceName::new(name).map_err(|error| Failure::usage(error.to_string()))?,
            kind: SourceKind::Live,
            epoch: None,
            tolerance_ns: None,
            machines: Vec::new(),
        };
        let opened = engine.open_source(plant, source).await;
        let opened = opened.map_err(|error| engine_failure(&error))?;
        let step_ns = 1_000_000;
        let past = i64::try_from(events)
            .unwrap_or(i64::MAX)
            .saturating_mul(step_ns);
        Ok(Self {
            engine: engine.clone(),
            session: opened.session,
            sequence: opened.next_sequence.get(),
            at: when::now().plus(past.saturating_neg()),
            step_ns,
            waiting: Vec::with_capacity(BATCH),
            batch: BATCH,
            sent: 0,
        })
    }

    /// The same with another number of events in a batch.
    pub(super) fn in_batches_of(mut self, events: usize) -> Self {
        self.batch = events;
        self
    }

    /// What is said next happens after that.
    pub(super) fn go_on(&mut self, at: Timestamp) {
        self.at = at.plus(self.step_ns);
    }

    /// Says something; every full batch is sent and waited for.
    pub(super) async fn say(&mut self, machine: u64, body: Body<'_>) -> Outcome<()> {
        self.say_late(machine, body, 0).await
    }

    /// Says something that happened so many nanoseconds before.
    pub(super) async fn say_late(
        &mut self,
        machine: u64,
        body: Body<'_>,
        before_ns: i64,
    ) -> Outcome<()> {
        let at = self.at.plus(before_ns.saturating_neg());
        let event = Reported {
            sequence: Sequence(self.sequence),
            machine: MachineNumber(u32::try_from(machine).unwrap_or(u32::MAX)),
            occurred_at: at,
            observed_at: Some(at),
            historical: false,
            body,
        };
        self.waiting.push(encode_reported(&event).into());
        self.sequence = self.sequence.saturating_add(1);
        self.at = self.at.plus(self.step_ns);
        if self.waiting.len() >= self.batch {
            self.flush().await?;
        }
        Ok(())
    }

    /// Sends what waits. Errors: those of the engine, and an event that was not recorded.
    pub(super) async fn flush(&mut self) -> Outcome<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let events = std::mem::replace(&mut self.waiting, Vec::with_capacity(self.batch));
        let count = events.len() as u64;
        let batch = Batch {
            events,
            bodies: Vec::new(),
        };
        let appended = self.engine.append(self.session, batch).await;
        let appended = appended.map_err(|error| engine_failure(&error))?;
        for outcome in appended.outcomes {
            if !matches!(outcome.result, werkbuch_engine::OutcomeResult::Recorded(_)) {
                let what = format!("an event of the benchmark was not recorded: {outcome:?}");
                return Err(Failure::new(Exit::Failed, "INTERNAL", what));
            }
        }
        self.sent = self.sent.saturating_add(count);
        Ok(())
    }

    /// How many events have been acknowledged.
    pub(super) fn sent(&self) -> u64 {
        self.sent
    }
}

/// A bar on standard error, unless told to be quiet.
pub(super) fn bar(output: &Output, total: u64, what: &'static str) -> ProgressBar {
    let bar = ProgressBar::new(total);
    if output.quiet {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    let template = "{msg:24} {bar:30} {human_pos} of {human_len}, {elapsed}";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.set_message(what);
    bar
}
