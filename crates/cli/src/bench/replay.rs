//! `bench replay`: a log of a made-up plant, folded from disk into a twin on one core.

use super::Figures;
use super::fill::{self, Reporter};
use super::folder::Folder;
use super::measure::{rounded, thread_cpu_ns};
use super::mix::{self, Numbers, Talker};
use crate::Context;
use crate::command::serve::engine_failure;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use futures::future::try_join_all;
use std::hint::black_box;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;
use werkbuch_engine::{Engine, EngineError, fold_log};
use werkbuch_journal::disk::RealDisk;
use werkbuch_journal::{Options, Segments, Store};
use werkbuch_model::id::{PlantId, Position};
use werkbuch_record::decode_recorded;

const PLANT: &str = "bench";
/// Sources that report side by side.
const SOURCES: u64 = 4;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How many events the log is to have.
    #[arg(long, default_value_t = 1_000_000, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    events: u64,
    /// How many machines report them.
    #[arg(long, default_value_t = 1_000, value_name = "N", value_parser = clap::value_parser!(u64).range(4..=100_000))]
    machines: u64,
    /// How often the log is folded; the best and the middle are told.
    #[arg(long, default_value_t = 7, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000))]
    repeats: u64,
    /// Which of the possible logs: the same seed makes the same events.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Keep the data in this folder; a log that is there is used as it is.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

pub(crate) async fn run(args: Args, context: &Context) -> Outcome<Figures> {
    let folder = Folder::new(args.data.as_deref())?;
    if !folder.has_log() {
        fill(&args, &folder, context).await?;
    }
    let data = folder.path().to_owned();
    let repeats = args.repeats;
    let note = context.output;
    let measured = tokio::task::spawn_blocking(move || {
        let opened = Segments::open_read_only(Arc::new(RealDisk), &data, &Options::default());
        let (store, _) = opened.map_err(|error| engine_failure(&EngineError::Store(error)))?;
        note.note(&format!("folding {repeats} times"));
        measure(&store, repeats)
    });
    let log_bytes = folder.bytes_below("log");
    let measured = measured.await.map_err(|error| {
        Failure::new(Exit::Failed, "INTERNAL", format!("folding ended: {error}"))
    })??;
    let mut figures = measured.figures();
    figures.add("log_bytes", log_bytes);
    figures.add(
        "bytes_per_event",
        rounded(log_bytes as f64 / measured.events.max(1) as f64),
    );
    figures.add("repeats", repeats);
    figures.add("mix", mix::SAID);
    Ok(figures)
}

async fn fill(args: &Args, folder: &Folder, context: &Context) -> Outcome<()> {
    let engine = fill::open(folder.path()).await?;
    fill::describe(&engine, fill::plant_file(PLANT, args.machines)?).await?;
    let bar = fill::bar(&context.output, args.events, "writing the log");
    let sources = (0..SOURCES).map(|source| report(engine.clone(), args, source, &bar));
    try_join_all(sources).await?;
    bar.finish_and_clear();
    fill::close(engine).await
}

/// Reports what every fourth machine says.
async fn report(
    engine: Engine,
    args: &Args,
    source: u64,
    bar: &indicatif::ProgressBar,
) -> Outcome<()> {
    let plant = PlantId::new(PLANT).map_err(|error| Failure::usage(error.to_string()))?;
    let name = format!("gateway-{source}");
    let events = args.events / SOURCES + u64::from(source < args.events % SOURCES);
    let mut reporter = Reporter::open(&engine, &plant, &name, events).await?;
    let mut numbers = Numbers::new(args.seed.wrapping_mul(31).wrapping_add(source));
    let own = args.machines / SOURCES;
    let mut talkers: Vec<Talker> = (0..own).map(|_| Talker::default()).collect();
    for said in 0..events {
        let at = numbers.below(own);
        let Some(talker) = usize::try_from(at).ok().and_then(|at| talkers.get_mut(at)) else {
            continue;
        };
        let body = talker.next(&mut numbers);
        reporter.say(at * SOURCES + source + 1, body).await?;
        if said % 16_384 == 0 {
            bar.inc(16_384.min(events - said));
        }
    }
    reporter.flush().await
}

/// How long each way through the log took, in nanoseconds; one for each repeat.
#[derive(Debug, Default)]
struct Measured {
    events: u64,
    read: Vec<u64>,
    decode: Vec<u64>,
    fold: Vec<u64>,
    cpu: Vec<u64>,
}

/// Goes through the log: reading alone, reading and decoding, and all the way into a twin.
fn measure(store: &dyn Store, repeats: u64) -> Outcome<Measured> {
    let plant = PlantId::new(PLANT).map_err(|error| Failure::usage(error.to_string()))?;
    let failed = |error: EngineError| engine_failure(&error);
    let mut measured = Measured::default();
    for _ in 0..repeats {
        let begin = Instant::now();
        let mut bytes = 0;
        walk(store, &plant, &mut |event| bytes += event.len())?;
        measured.read.push(nanos(begin));
        black_box(bytes);

        let begin = Instant::now();
        let mut decoded = 0_u64;
        walk(store, &plant, &mut |event| {
            decoded += u64::from(black_box(decode_recorded(event)).is_ok());
        })?;
        measured.decode.push(nanos(begin));

        let (begin, cpu) = (Instant::now(), thread_cpu_ns());
        let twin = fold_log(store, &plant).map_err(failed)?;
        measured.fold.push(nanos(begin));
        if let (Some(before), Some(after)) = (cpu, thread_cpu_ns()) {
            measured.cpu.push(after.saturating_sub(before));
        }
        measured.events = twin.position().get();
        if decoded != measured.events {
            let what = format!("{decoded} events were decoded, {} folded", measured.events);
            return Err(Failure::new(Exit::Verification, "LOG_DOES_NOT_FOLD", what));
        }
    }
    Ok(measured)
}

fn walk(store: &dyn Store, plant: &PlantId, f: &mut dyn FnMut(&[u8])) -> Outcome<()> {
    let failed = |error| engine_failure(&EngineError::Store(error));
    for block in store.read(plant, Position(1)).map_err(failed)? {
        block
            .map_err(failed)?
            .events()
            .for_each(|(_, event)| f(event));
    }
    Ok(())
}

fn nanos(begin: Instant) -> u64 {
    u64::try_from(begin.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

impl Measured {
    fn figures(&self) -> Figures {
        let events = self.events.max(1) as f64;
        let best = |times: &[u64]| times.iter().copied().min().unwrap_or(0);
        let middle = |times: &[u64]| {
            let mut sorted = times.to_vec();
            sorted.sort_unstable();
            sorted.get(sorted.len() / 2).copied().unwrap_or(0)
        };
        let rate = |nanos: u64| (events * 1e9 / nanos.max(1) as f64).round() as u64;
        let each = |nanos: u64| rounded(nanos as f64 / events);
        let (read, decode, fold) = (best(&self.read), best(&self.decode), best(&self.fold));
        let mut figures = Figures::default();
        figures.add("events", self.events);
        figures.add("events_per_second_per_core", rate(fold));
        figures.add(
            "median_events_per_second_per_core",
            rate(middle(&self.fold)),
        );
        let cpu = self.cpu.iter().copied().min();
        figures.add("cpu_ns_per_event", cpu.map(each));
        figures.add("read_ns_per_event", each(read));
        figures.add("decode_ns_per_event", each(decode.saturating_sub(read)));
        figures.add("fold_ns_per_event", each(fold.saturating_sub(decode)));
        figures
    }
}
