//! `bench ingest`: how fast events become safe, through the server's path or over the network.

pub(super) mod grpc;
mod load;
mod path;
mod raw;
mod server;
mod sizes;

use super::Figures;
use super::fill;
use super::folder::Folder;
use super::measure::{percentile, rounded};
use super::mix;
use crate::Context;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use load::Load;
use path::{Core, IngestPath, Round};
use raw::RawDisk;
use serde_json::Value;
use sizes::Sizes;
use std::path::PathBuf;
use std::time::Instant;
use werkbuch_journal::StoreKind;

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Path {
    /// Within this process: decode, check, order, hash, commit, apply; no network.
    Server,
    /// From this process to a server in another, over loopback.
    Grpc,
}

#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// The way that the events take.
    #[arg(long, value_enum, default_value_t = Path::Server)]
    path: Path,
    /// The store that keeps the log.
    #[arg(long, value_name = "STORE", default_value = StoreKind::Segments.name(), value_parser = store())]
    store: StoreKind,
    /// How many events are reported in all; unless said otherwise 2,000,000, over the network half.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=50_000_000))]
    events: Option<u64>,
    /// How many plants they are about; each has one source.
    #[arg(long, default_value_t = 4, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=256))]
    plants: u64,
    /// How many machines each plant has.
    #[arg(long, default_value_t = 1_000, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=100_000))]
    machines: u64,
    /// How many events a batch has.
    #[arg(long, default_value_t = 1_024, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=16_384))]
    batch: u64,
    /// How many batches of one source are under way at once.
    #[arg(long, default_value_t = 16, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=16))]
    window: u64,
    /// In how many rounds; after each one a plain writer writes as many bytes with as many syncs.
    #[arg(long, default_value_t = 5, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000))]
    rounds: u64,
    /// How many events are sent by themselves afterwards, each when the one before is acknowledged.
    #[arg(long, default_value_t = 200, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=100_000))]
    singles: u64,
    /// Which of the possible loads: the same seed makes the same events.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Keep the data in this folder, which must not hold a log yet.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

pub(crate) async fn run(args: Args, context: &Context) -> Outcome<Figures> {
    let folder = Folder::new(args.data.as_deref())?;
    if folder.has_log() {
        let what = format!("{} holds a log already", folder.path().display());
        return Err(Failure::new(Exit::Conflict, "ALREADY_EXISTS", what)
            .hint("name a new folder with --data, or leave it out for one that vanishes"));
    }
    let engine = fill::open_unsealed(folder.path(), args.store).await?;
    for plant in 1..=args.plants {
        let mut file = fill::plant_file("bench", args.machines)?;
        file.plant_id = load::plant(plant)?;
        fill::describe(&engine, file).await?;
    }
    let mut measured = match args.path {
        Path::Server => {
            let mut way = server::InProcess::open(engine, &args).await?;
            let measured = Measured::of(&args, &mut way, &folder, context).await?;
            way.close().await?;
            measured
        }
        Path::Grpc => {
            fill::close(engine).await?;
            let mut way = grpc::OverNetwork::open(folder.path(), &args).await?;
            let measured = Measured::of(&args, &mut way, &folder, context).await?;
            way.close().await?;
            measured
        }
    };
    // What is on the disk is measured on the disk, once nothing is written any more.
    measured.disk = sizes::measure(&folder, args.store, context).await?;
    Ok(measured.figures(&args))
}

/// What came out.
#[derive(Debug, Default)]
struct Measured {
    rounds: Vec<Round>,
    /// What was reported in the rounds, in bytes.
    reported: u64,
    raw_seconds: Vec<f64>,
    singles: Vec<u64>,
    raw_syncs: Vec<u64>,
    core: Core,
    disk: Sizes,
}

impl Args {
    fn events(&self) -> u64 {
        self.events.unwrap_or(match self.path {
            Path::Server => 2_000_000,
            Path::Grpc => 1_000_000,
        })
    }
}

impl Measured {
    async fn of(
        args: &Args,
        way: &mut impl IngestPath,
        folder: &Folder,
        context: &Context,
    ) -> Outcome<Self> {
        let mut measured = Self::default();
        let mut load = Load::new(args, way.sources());
        let mut raw = RawDisk::new(folder.path())?;
        let bar = fill::bar(&context.output, args.events(), "reporting events");
        for round in 0..args.rounds {
            let share =
                args.events() / args.rounds + u64::from(round < args.events() % args.rounds);
            let requests = load.requests(share);
            let before = way.core();
            let done = way.report(requests, args.window).await?;
            measured.core.add(&before, &way.core());
            if let (Some(bytes), syncs) = (done.bytes, done.syncs) {
                let written = tokio::task::spawn_blocking(move || {
                    raw.write(bytes, syncs).map(|seconds| (raw, seconds))
                });
                let written = written.await.map_err(|error| internal(&error))?;
                let seconds;
                (raw, seconds) = written?;
                measured.raw_seconds.push(seconds);
            }
            measured.rounds.push(done);
            bar.inc(share);
        }
        measured.reported = load.bytes();
        bar.finish_and_clear();
        context.output.note("reporting single events");
        for _ in 0..args.singles {
            let request = load.single();
            let begin = Instant::now();
            way.single(request).await?;
            measured.singles.push(path::nanos(begin));
            measured.raw_syncs.push(raw.one()?);
        }
        Ok(measured)
    }

    fn figures(mut self, args: &Args) -> Figures {
        let events: u64 = self.rounds.iter().map(|round| round.events).sum();
        let seconds: f64 = self.rounds.iter().map(|round| round.seconds).sum();
        // Without a count of what was written there is nothing that a plain writer could do the same of.
        let written: Option<u64> = self.rounds.iter().map(|round| round.bytes).sum();
        let raw: Option<f64> = written.map(|_| self.raw_seconds.iter().sum());
        let syncs: u64 = self.rounds.iter().map(|round| round.syncs).sum();
        let each = |nanos: u64| rounded(nanos as f64 / events.max(1) as f64);
        let rate = |events: u64, seconds: f64| (events as f64 / seconds.max(1e-9)).round() as u64;
        let best = self
            .rounds
            .iter()
            .map(|round| rate(round.events, round.seconds));
        let best = best.max();
        let mut acks: Vec<u64> = self
            .rounds
            .iter_mut()
            .flat_map(|r| std::mem::take(&mut r.acks))
            .collect();
        let micros = |sample: &mut [u64], percent| match percentile(sample, percent) {
            Some(nanos) => rounded(nanos as f64 / 1e3),
            None => Value::Null,
        };
        let mut figures = Figures::default();
        figures.add(
            "path",
            match args.path {
                Path::Server => "server",
                Path::Grpc => "grpc",
            },
        );
        figures.add("store", args.store.name());
        figures.add("events", events);
        figures.add("events_per_second", rate(events, seconds));
        figures.add("best_events_per_second", best);
        figures.add("cpu_ns_per_event", self.core.all.map(each));
        figures.add("cpu_ns_plants", self.core.plants.map(each));
        figures.add("cpu_ns_committer", self.core.committer.map(each));
        figures.add("cpu_ns_client", self.core.client.map(each));
        figures.add("merkle_ns_per_event", self.disk.merkle_ns.map(each));
        figures.add(
            "raw_disk_ratio",
            raw.map_or(Value::Null, |raw| rounded(raw / seconds.max(1e-9))),
        );
        figures.add("raw_events_per_second", raw.map(|raw| rate(events, raw)));
        figures.add("reported_bytes_per_event", each(self.reported));
        figures.add("written_bytes_per_event", written.map_or(Value::Null, each));
        figures.add("written_bytes_counted", path::counted_by(args.store));
        figures.add("syncs", syncs);
        figures.add("events_per_sync", events / syncs.max(1));
        figures.add("hot_bytes_per_event", self.disk.hot);
        figures.add("sealed_bytes_per_event", self.disk.sealed);
        figures.add("ack_p50_us", micros(&mut acks, 50));
        figures.add("ack_p99_us", micros(&mut acks, 99));
        figures.add("single_ack_p50_us", micros(&mut self.singles, 50));
        figures.add("single_ack_p99_us", micros(&mut self.singles, 99));
        figures.add("raw_sync_p50_us", micros(&mut self.raw_syncs, 50));
        figures.add("raw_sync_p99_us", micros(&mut self.raw_syncs, 99));
        figures.add("plants", args.plants);
        figures.add("batch", args.batch);
        figures.add("window", args.window);
        figures.add("mix", mix::SAID);
        figures
    }
}

/// The stores by their names.
fn store() -> impl TypedValueParser<Value = StoreKind> {
    let names = PossibleValuesParser::new(StoreKind::ALL.map(StoreKind::name));
    // Only names of stores get here.
    names.map(|name| StoreKind::named(&name).unwrap_or_default())
}

fn internal(error: &dyn std::fmt::Display) -> Failure {
    Failure::new(Exit::Failed, "INTERNAL", error.to_string())
}
