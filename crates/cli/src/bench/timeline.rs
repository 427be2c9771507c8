//! `bench timeline`: the intervals of many machines into the buckets of a drawing, on one core.

use super::Figures;
use super::measure::{percentile, rounded, thread_cpu_ns};
use super::mix::Numbers;
use crate::Context;
use crate::failure::Outcome;
use serde_json::Value;
use std::time::Instant;
use werkbuch_model::event::State;
use werkbuch_model::time::Timestamp;
use werkbuch_twin::quality::Window;
use werkbuch_twin::timeline::{Bucket, Interval, Levels, Parts, severity};
use werkbuch_twin::view::ShownBy;

/// The window: a week.
const WINDOW_NS: i64 = 7 * 86_400 * 1_000_000_000;
/// How often all of it is done.
const ROUNDS: usize = 5;
/// The shortest interval that is made: a millisecond.
const SHORT_NS: i64 = 1_000_000;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How many intervals in all.
    #[arg(long, default_value_t = 1_000_000, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    intervals: u64,
    /// The machines that they are of.
    #[arg(long, default_value_t = 2_000, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    machines: u64,
    /// The buckets of each machine.
    #[arg(long, default_value_t = 1_600, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=10_000))]
    buckets: u64,
}

/// What a round took, and what it has shown.
#[derive(Default)]
struct Round {
    wall_ns: u64,
    core_ns: Option<u64>,
    filled: u64,
    faults: u64,
}

pub(crate) async fn run(args: Args, context: &Context) -> Outcome<Figures> {
    context.output.note("filling buckets");
    let measured = tokio::task::spawn_blocking(move || measure(&args)).await;
    measured.map_err(|failed| std::io::Error::other(failed).into())
}

fn measure(args: &Args) -> Figures {
    let window = Window {
        from: Timestamp(0),
        to: Timestamp(WINDOW_NS),
    };
    let levels = Levels::new(window, usize::try_from(args.buckets).unwrap_or(1));
    let rounds: Vec<Round> = (0..ROUNDS).map(|_| round(args, &levels)).collect();
    let mut walls: Vec<u64> = rounds.iter().map(|one| one.wall_ns).collect();
    let mut cores: Vec<u64> = rounds.iter().filter_map(|one| one.core_ns).collect();
    let last = rounds.into_iter().last().unwrap_or_default();
    let middle = |sample: &mut [u64]| match percentile(sample, 50) {
        Some(nanos) => rounded(nanos as f64 / 1e6),
        None => Value::Null,
    };
    let each = percentile(&mut walls, 50).map(|nanos| nanos as f64 / args.intervals as f64);
    let mut figures = Figures::default();
    figures.add("intervals", args.intervals);
    figures.add("machines", args.machines);
    figures.add("buckets", args.buckets);
    figures.add("ms", middle(&mut walls));
    figures.add("core_ms", middle(&mut cores));
    figures.add("ns_per_interval", each.map_or(Value::Null, rounded));
    figures.add("buckets_filled", last.filled);
    figures.add("buckets_with_fault", last.faults);
    figures
}

/// Fills the buckets of each machine and looks at the dominant and the worst state of each, as who
/// draws does. What makes the intervals is not measured.
fn round(args: &Args, levels: &Levels) -> Round {
    let mut numbers = Numbers::new(7);
    let mut round = Round::default();
    let mut buckets: Vec<Bucket> = Vec::new();
    for machine in 0..args.machines {
        let before = args.intervals * machine / args.machines;
        let after = args.intervals * (machine + 1) / args.machines;
        let intervals = intervals(after - before, &mut numbers);
        let (begin, core) = (Instant::now(), thread_cpu_ns());
        levels.fill(&intervals, &mut buckets);
        for bucket in &buckets {
            round.filled += u64::from(bucket.dominant().is_some());
            let worst = bucket.worst().map_or(0, severity);
            round.faults += u64::from(worst == severity(State::Faulted));
        }
        let took = u64::try_from(begin.elapsed().as_nanos()).unwrap_or(u64::MAX);
        round.wall_ns = round.wall_ns.saturating_add(took);
        if let (Some(core), Some(now)) = (core, thread_cpu_ns()) {
            round.core_ns = Some(round.core_ns.unwrap_or(0) + now.saturating_sub(core));
        }
    }
    round
}

/// Intervals without a gap over the window; every third one lasts a millisecond.
fn intervals(count: u64, numbers: &mut Numbers) -> Vec<Interval> {
    let count_ns = i64::try_from(count).unwrap_or(i64::MAX).max(1);
    let step = WINDOW_NS / count_ns;
    let mut begin = 0_i64;
    let one = |at: u64| {
        let place = i64::try_from(at + 1).unwrap_or(i64::MAX);
        let last = at + 1 == count;
        let end = match (last, at % 3) {
            (true, _) => WINDOW_NS,
            (_, 2) => (begin + SHORT_NS).min(WINDOW_NS),
            _ => step.saturating_mul(place).max(begin + 1).min(WINDOW_NS),
        };
        let code = 1 + numbers.below(State::ALL.len() as u64 - 1);
        let shown = State::from_code(u32::try_from(code).unwrap_or(1)).unwrap_or_default();
        let interval = interval(begin, end, shown);
        begin = end;
        interval
    };
    (0..count).map(one).collect()
}

fn interval(begin: i64, end: i64, shown: State) -> Interval {
    Interval {
        begin: Timestamp(begin),
        end: Timestamp(end),
        open: false,
        covered: true,
        shown,
        shown_by: ShownBy::Signal,
        signal: shown,
        native: "".into(),
        reason: "".into(),
        since: None,
        position: None,
        mode: None,
        program: None,
        order: "".into(),
        alarms: Vec::new(),
        alarms_total: 0,
        cycles: 0,
        parts: Parts::default(),
    }
}
