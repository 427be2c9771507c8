//! `bench sim`: how fast the simulator is, on the line that peers are measured on, and on a demo's plant.

use super::Figures;
use super::measure::{percentile, rounded, thread_cpu_ns};
use crate::Context;
use crate::failure::{Failure, Outcome};
use serde_json::Value;
use std::num::NonZero;
use std::sync::Arc;
use std::time::Instant;
use werkbuch_model::plant::{Description, diff, parse};
use werkbuch_model::time::Timestamp;
use werkbuch_sim::kernel::{Distribution, Streams};
use werkbuch_sim::network::{Clock, Counts, Failure as WayToFail, Network, Run, Start, Station};
use werkbuch_sim::truth::Truth;
use werkbuch_sim::whatif::{Effort, Model, Scenario, run as study};
use werkbuch_sim::works::CarPlant;
use werkbuch_sim::{SECOND_NS, replicate};

/// The stations of the line, and the places between each two.
const STATIONS: usize = 10;
const ROOM: u32 = 5;
/// A shift of eight hours, where the mean cycle is a minute.
const SHIFT_CYCLES: u64 = 480;
/// The stations of the line that is forked, and how often it is.
const FORKED: usize = 500;
const FORKS: usize = 2_000;
/// How often the line is run.
const ROUNDS: u32 = 5;
const MINUTE_NS: u64 = 60 * SECOND_NS;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The events of each of five runs of the line.
    #[arg(long, default_value_t = 20_000_000, value_name = "N", value_parser = clap::value_parser!(u64).range(10_000..=10_000_000_000))]
    events: u64,
    /// The machines of the demo's plant.
    #[arg(long, default_value_t = 200, value_name = "N", value_parser = clap::value_parser!(u64).range(60..=10_000))]
    machines: u64,
    /// The pairs of runs of the demo's plant.
    #[arg(long, default_value_t = 100, value_name = "N", value_parser = clap::value_parser!(u32).range(2..=10_000))]
    pairs: u32,
}

pub(crate) async fn run(args: Args, context: &Context) -> Outcome<Figures> {
    context
        .output
        .note("running the line, forks of it, and a plant of the demo");
    let measured = tokio::task::spawn_blocking(move || measure(&args)).await;
    measured.map_err(std::io::Error::other)?
}

fn measure(args: &Args) -> Outcome<Figures> {
    let mut figures = Figures::default();
    let network = Arc::new(line(STATIONS));
    speed(&network, args.events, &mut figures)?;
    shifts(&network, &mut figures)?;
    forks(&mut figures)?;
    plant(args, &mut figures)?;
    Ok(figures)
}

/// The line that peers are measured on: exponential work of mean 1, a failure in fifty times of work, repaired in
/// five; the first station is never starved. Its exact throughput is 0.600 parts in a unit of time.
fn line(stations: usize) -> Network {
    let station = Station {
        failures: vec![WayToFail {
            clock: Clock::Work,
            up: Distribution::Exponential(50.0),
            repair: Distribution::Exponential(5.0),
            crew: None,
        }],
        ..Station::new(Distribution::Exponential(1.0))
    };
    Network::line(vec![station; stations], &vec![ROOM; stations - 1])
}

fn begin(network: &Arc<Network>, replication: u32) -> Outcome<Run> {
    let run = Run::new(network, &Streams::new(1, replication), &Start::default());
    run.map_err(|error| Failure::usage(error.to_string()))
}

/// Events of one core, everything counted.
fn speed(network: &Arc<Network>, events: u64, figures: &mut Figures) -> Outcome<()> {
    let (mut speeds, mut parts_speeds) = (Vec::new(), Vec::new());
    let (mut parts, mut time_ns, mut done) = (0, 0, 0);
    for round in 0..ROUNDS {
        let mut run = begin(network, round)?;
        let (wall, core) = (Instant::now(), thread_cpu_ns());
        while run.events() < events {
            let until = run.now_ns().saturating_add(1_000 * SECOND_NS);
            run.run_until(until);
        }
        let counts = run.counts();
        let wall_ns = u64::try_from(wall.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let core_ns = core.and_then(|before| Some(thread_cpu_ns()? - before));
        let seconds = core_ns.unwrap_or(wall_ns).max(1) as f64 / 1e9;
        let left = counts.exits.first().map_or(0, |exit| exit.parts);
        speeds.push((counts.events as f64 / seconds) as u64);
        parts_speeds.push((left as f64 / seconds) as u64);
        (parts, time_ns, done) = (parts + left, time_ns + counts.time_ns, done + counts.events);
    }
    let middle = |sample: &mut [u64]| percentile(sample, 50).map_or(Value::Null, Value::from);
    figures.add("events", done);
    figures.add("events_per_second_per_core", middle(&mut speeds));
    figures.add("parts_per_second", middle(&mut parts_speeds));
    figures.add("throughput", rounded(parts as f64 / (time_ns as f64 / 1e9)));
    Ok(())
}

/// A thousand shifts on all cores, and whether the count of threads changes anything.
fn shifts(network: &Arc<Network>, figures: &mut Figures) -> Outcome<()> {
    let one = |number: u32| -> Option<Counts> {
        let mut run = begin(network, number).ok()?;
        run.run_until(SHIFT_CYCLES * SECOND_NS);
        Some(run.counts())
    };
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    let wall = Instant::now();
    let found = replicate(1_000, cores, one);
    let seconds = wall.elapsed().as_secs_f64();
    let same = [1, 2, 16]
        .iter()
        .all(|threads| replicate(1_000, *threads, one) == found);
    figures.add("thousand_shift_replications_seconds", rounded(seconds));
    figures.add("cores", cores as u64);
    figures.add("bit_identical", same);
    Ok(())
}

/// A copy of a long line as it stands in the middle of its work.
fn forks(figures: &mut Figures) -> Outcome<()> {
    let mut run = begin(&Arc::new(line(FORKED)), 0)?;
    run.run_until(SHIFT_CYCLES * SECOND_NS);
    let mut times = Vec::with_capacity(FORKS);
    let mut goes_on = 0;
    for _ in 0..FORKS {
        let wall = Instant::now();
        let fork = run.clone();
        times.push(u64::try_from(wall.elapsed().as_nanos()).unwrap_or(u64::MAX));
        goes_on += fork.events();
    }
    let middle = percentile(&mut times, 50).map_or(Value::Null, |ns| rounded(ns as f64 / 1e3));
    figures.add("fork_microseconds", middle);
    figures.add("forks_events", goes_on);
    Ok(())
}

/// A plant of the demo with its hidden truth, a shift with and without a station that stands for two hours.
fn plant(args: &Args, figures: &mut Figures) -> Outcome<()> {
    let wrong = |what: String| Failure::usage(what);
    let plant = CarPlant {
        number: 0,
        machines: usize::try_from(args.machines).unwrap_or(200),
        seed: 1,
    };
    let file = parse(&plant.file(), "plant.toml").map_err(|found| wrong(format!("{found:?}")))?;
    let mut description = Description::default();
    let changes = diff(&description, &file).map_err(|found| wrong(format!("{found:?}")))?;
    for change in changes {
        let applied = description.apply(&change);
        applied.map_err(|error| wrong(error.to_string()))?;
    }
    let begins = Timestamp::parse("2026-03-02T05:00:00Z").unwrap_or(Timestamp(0));
    let model = Model::planned(&plant.id(), &description, begins, 3_600);
    let mut model = model.map_err(|error| wrong(error.to_string()))?;
    model.truth = Arc::new(Truth::of(&model.layout, &Streams::new(1, 0)));
    model.start.buffers = None;
    let station = model
        .layout
        .stations
        .iter()
        .find(|one| one.slots == 1 && one.section.is_none());
    let machine = station.and_then(|one| model.layout.machines.get(one.machine));
    let name = machine.map_or("*", |one| one.id.as_str());
    let text =
        format!("[[change]]\ndo = \"down\"\nmachines = \"{name}\"\nfrom = \"1h\"\nfor = \"2h\"\n");
    let scenarios = Scenario::parse(&text, "down.toml", &model);
    let scenarios = scenarios.map_err(|found| wrong(format!("{found:?}")))?;
    let effort = Effort {
        horizon_ns: SHIFT_CYCLES * MINUTE_NS,
        replications: args.pairs,
        precision: None,
        seed: 1,
        threads: std::thread::available_parallelism().map_or(1, NonZero::get),
        confidence: 0.95,
        target: None,
    };
    let wall = Instant::now();
    let found = study(&model, &scenarios, &effort, &|_| true);
    let found = found.map_err(|error| wrong(error.to_string()))?;
    let seconds = wall.elapsed().as_secs_f64();
    figures.add("plant_machines", args.machines);
    figures.add("plant_pairs", args.pairs);
    figures.add("plant_seconds", rounded(seconds));
    figures.add(
        "plant_events_per_second",
        (found.events as f64 / seconds) as u64,
    );
    Ok(())
}
