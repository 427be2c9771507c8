//! `bench watch`: changes a second to 1, 10 and 100 subscribers, from the past, and what one that stalls costs.

mod subscriber;

use super::Figures;
use super::measure::{percentile, rounded};
use super::served::Served;
use super::source::{Source, Stage};
use crate::Context;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use serde_json::Value;
use std::time::Instant;
use subscriber::{Subscribers, start};
use werkbuch_wire::name;

/// The plant that is watched.
const PLANT: &str = "plant-001";
/// The subscribers at once, and the share of the events that they are told: one in so many.
const CROWDS: [(usize, u64); 3] = [(1, 1), (10, 4), (100, 20)];
/// How often ingest is measured without a subscriber that stalls and with one, in turn.
const TURNS: usize = 7;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The events that one subscriber is told; ten are told a quarter of them each, a hundred a
    /// twentieth.
    #[arg(long, default_value_t = 200_000, value_name = "N", value_parser = clap::value_parser!(u64).range(1_000..=100_000_000))]
    events: u64,
    #[command(flatten)]
    stage: Stage,
}

/// What one crowd of subscribers was told.
struct Told {
    subscribers: usize,
    per_second: f64,
    /// Core time of the server for each change, in nanoseconds, where the system tells.
    server_ns: Option<f64>,
    /// What the server's memory grew by, in bytes, where the system tells.
    memory: Option<u64>,
}

pub(crate) async fn run(args: Args, context: &Context) -> Outcome<Figures> {
    let (_folder, served, mut source) = args.stage.begin(PLANT).await?;
    let mut told = Vec::new();
    for (subscribers, share) in CROWDS {
        context
            .output
            .note(&format!("telling {subscribers} as it is recorded"));
        let events = (args.events / share).max(args.stage.batch);
        told.push(crowd(&served, &mut source, subscribers, events).await?);
    }
    context.output.note("telling one from the past");
    let history = history(&served, &source).await?;
    context
        .output
        .note("reporting without a subscriber that stalls and with one");
    let slowdown = slowdown(&served, &mut source, args.events).await?;
    Ok(figures(&args, &told, history, &slowdown, source.recorded()))
}

fn figures(
    args: &Args,
    told: &[Told],
    history: f64,
    (without, with): &(f64, f64),
    events: u64,
) -> Figures {
    let mut figures = Figures::default();
    figures.add("events", events);
    figures.add("machines", args.stage.machines);
    let rates = [
        "changes_per_second_1",
        "changes_per_second_10",
        "changes_per_second_100",
    ];
    for (name, told) in rates.into_iter().zip(told) {
        figures.add(name, told.per_second.round());
    }
    let cores = [
        "server_ns_per_change_1",
        "server_ns_per_change_10",
        "server_ns_per_change_100",
    ];
    for (name, told) in cores.into_iter().zip(told) {
        figures.add(name, told.server_ns.map_or(Value::Null, rounded));
    }
    figures.add("history_changes_per_second", history.round());
    figures.add("ingest_per_second", without.round());
    figures.add("ingest_per_second_stalled", with.round());
    figures.add("ingest_slowdown", rounded(without / with));
    let most = told.last();
    let memory = most.and_then(|told| Some(told.memory? / told.subscribers as u64));
    figures.add("memory_bytes_per_subscriber", memory);
    figures
}

/// So many subscribers are told so many events as these are recorded, each of them every one.
async fn crowd(
    served: &Served,
    source: &mut Source,
    subscribers: usize,
    events: u64,
) -> Outcome<Told> {
    let before = served.resident_bytes();
    let crowd = Subscribers::open(served, PLANT, subscribers, None).await?;
    let requests = source.requests(events);
    let core = served.cpu_seconds();
    let begin = Instant::now();
    let (_, end) = source.report(requests).await?;
    let last = crowd.reach(end, events).await?;
    let seconds = last.saturating_duration_since(begin).as_secs_f64();
    let spent = core.and_then(|core| Some(served.cpu_seconds()? - core));
    let after = served.resident_bytes();
    let changes = events as f64 * subscribers as f64;
    Ok(Told {
        subscribers,
        per_second: changes / seconds,
        server_ns: spent.map(|seconds| seconds * 1e9 / changes),
        memory: before
            .zip(after)
            .map(|(before, after)| after.saturating_sub(before)),
    })
}

/// How many changes a second one subscriber is told that begins with the first event of the log.
async fn history(served: &Served, source: &Source) -> Outcome<f64> {
    let begin = Instant::now();
    let one = Subscribers::open(served, PLANT, 1, Some(start(source.before()))).await?;
    let last = one.reach(source.end(), source.recorded()).await?;
    let seconds = last.saturating_duration_since(begin).as_secs_f64();
    Ok(source.recorded() as f64 / seconds)
}

/// The rates of ingest without a subscriber and with one that has stalled: the middle ones of several
/// turns.
async fn slowdown(served: &Served, source: &mut Source, events: u64) -> Outcome<(f64, f64)> {
    let (mut without, mut with) = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        let requests = source.requests(events);
        without.push(source.report(requests).await?.0);
        let parent = name::of_plant(PLANT);
        let stalled = subscriber::begin(served, &parent, None).await?;
        let requests = source.requests(events);
        with.push(source.report(requests).await?.0);
        drop(stalled);
    }
    let rate = |mut nanos: Vec<u64>| match percentile(&mut nanos, 50) {
        Some(nanos) => Ok(events as f64 * 1e9 / nanos as f64),
        None => Err(internal("nothing was measured")),
    };
    Ok((rate(without)?, rate(with)?))
}

fn internal(what: &str) -> Failure {
    Failure::new(Exit::Failed, "INTERNAL", what.to_owned())
}
