//! Runs a network often enough to say what is asked for as narrowly as it is asked for.

use super::{CONFIDENCE, Effort};
use crate::fan_out::replicate;
use crate::kernel::Streams;
use crate::network::{Counts, Network, Run, Start};
use crate::statistics::{Interval, mean_interval};
use std::sync::Arc;

/// A study of a network: what it begins with, how long it runs, what is measured.
pub(super) struct Study {
    pub(super) network: Network,
    pub(super) start: Start,
    /// In seconds of simulated time; absent where it is asked how the network is in the long run.
    pub(super) until_s: Option<f64>,
    pub(super) measure: Measure,
}

/// Measures a run by it and what was counted: as many numbers as the case asks for.
pub(super) type Measure = Box<dyn Fn(&Run, &Counts) -> Vec<f64> + Sync>;

/// So many replications are made of what lasts for ever; each is as long as it takes.
const LONG_RUNS: u32 = 20;
/// The events of one of them in the pilot.
pub(super) const PILOT_EVENTS: u64 = 50_000;
/// The warm-up of a long run beside what is measured after it.
const WARM_UP: f64 = 0.1;
/// So many short runs are made in the pilot, and so many at least at last.
const PILOT_RUNS: u32 = 2_000;
/// So many short runs are summed up at once.
const BATCH_RUNS: u32 = 250;
/// The pilot only guesses how wide the intervals will be.
const MARGIN: f64 = 1.3;
/// The replications of pilots are others than those that count.
const PILOT: u32 = 1 << 31;
/// No run is longer, in nanoseconds.
const LENGTH_MAX: u64 = u64::MAX / 4;
/// Numbers below this part of the greatest of a list need not be told as narrowly.
const SMALL: f64 = 0.05;

impl Study {
    /// Estimates what is asked for. The same effort gives the same numbers, whatever the threads.
    /// Errors: the network cannot run.
    pub(super) fn run(self, effort: &Effort) -> Result<Vec<Interval>, String> {
        let network = Arc::new(self.network.clone());
        let probe = Run::new(&network, &Streams::new(effort.seed, PILOT), &self.start);
        let probe = probe.map_err(|error| error.to_string())?;
        Ok(match self.until_s {
            None => self.in_the_long_run(&network, probe, effort),
            Some(until_s) => self.until(&network, to_ns(until_s), effort),
        })
    }

    /// The values of one run; none where it could not begin, which was seen before.
    fn one(
        &self,
        network: &Arc<Network>,
        replication: u32,
        seed: u64,
        (from, to): (u64, u64),
    ) -> (Vec<f64>, u64) {
        let Ok(mut run) = Run::new(network, &Streams::new(seed, replication), &self.start) else {
            return (Vec::new(), 0);
        };
        let mut events = 0;
        if from > 0 {
            run.run_until(from);
            events += run.events();
            run.count_anew();
        }
        run.run_until(to);
        events += run.events();
        ((self.measure)(&run, &run.counts()), events)
    }

    fn in_the_long_run(
        &self,
        network: &Arc<Network>,
        mut probe: Run,
        effort: &Effort,
    ) -> Vec<Interval> {
        let mut pilot_ns = 1_000_000_000;
        while probe.events() < PILOT_EVENTS && pilot_ns < LENGTH_MAX {
            pilot_ns *= 2;
            probe.run_until(pilot_ns);
        }
        long_runs(effort, pilot_ns, |number, (from_ns, to_ns)| {
            self.one(network, number, effort.seed, (from_ns, to_ns))
        })
    }

    /// Many short runs from the same start.
    fn until(&self, network: &Arc<Network>, end_ns: u64, effort: &Effort) -> Vec<Interval> {
        let batch = |first: u32| {
            let mut sums = Sums::default();
            for number in first..first + BATCH_RUNS {
                let (values, events) = self.one(network, number, effort.seed, (0, end_ns));
                sums.add(&values, events);
            }
            sums
        };
        let runs = |first: u32, count: u32| {
            let batches = count.div_ceil(BATCH_RUNS);
            let batches = replicate(batches, effort.threads, |at| batch(first + at * BATCH_RUNS));
            batches.into_iter().fold(Sums::default(), Sums::with)
        };
        let pilot = runs(PILOT + 1, PILOT_RUNS);
        let more = (MARGIN * widest(&pilot.intervals()) / effort.relative).powi(2);
        let most = effort.events_max as f64 / pilot.events.max(1) as f64;
        let count = f64::from(PILOT_RUNS) * more.clamp(1.0, most.max(1.0));
        runs(0, count.min(1e9) as u32).intervals()
    }
}

/// Few long runs: how long is guessed from a pilot of a length, so that their intervals are not chosen by how
/// they come out. `one` makes the replication with a number, measures it from the end of its warm-up to its
/// end, and says how many events it had.
pub(super) fn long_runs(
    effort: &Effort,
    pilot: u64,
    one: impl Fn(u32, (u64, u64)) -> (Vec<f64>, u64) + Sync,
) -> Vec<Interval> {
    let runs = |first: u32, (from, to): (u64, u64)| {
        let runs = replicate(LONG_RUNS, effort.threads, |number| {
            one(first + number, (from, to))
        });
        let events: u64 = runs.iter().map(|(_, events)| events).sum();
        (intervals(&runs), events)
    };
    let warm_up = |length: f64| length * WARM_UP;
    let (guess, events) = runs(PILOT + 1, ((2.0 * warm_up(pilot as f64)) as u64, pilot));
    let longer = (MARGIN * widest(&guess) / effort.relative).powi(2);
    let most = effort.events_max as f64 / events.max(1) as f64;
    // What has no chance in it is told as narrowly by a pilot.
    let length = pilot as f64 * longer.clamp(1.0, most.max(1.0));
    // A run that is hardly longer than a pilot warms up for as long as that: a part of it were too little.
    let from = warm_up(length).max(pilot as f64);
    let to = length.max(from + pilot as f64).min(LENGTH_MAX as f64);
    runs(0, (from as u64, to as u64)).0
}

/// The intervals of what runs measured, which hold all true values together.
fn intervals(runs: &[(Vec<f64>, u64)]) -> Vec<Interval> {
    let count = runs.first().map_or(0, |(values, _)| values.len());
    let each = |at: usize| {
        let values: Vec<f64> = runs
            .iter()
            .filter_map(|(values, _)| values.get(at).copied())
            .collect();
        mean_interval(&values, together(count))
    };
    (0..count).map(each).collect()
}

/// The confidence of each of several intervals that hold together as often as one would (Bonferroni).
fn together(count: usize) -> f64 {
    1.0 - (1.0 - CONFIDENCE) / count.max(1) as f64
}

/// The widest of the intervals, beside its value.
fn widest(intervals: &[Interval]) -> f64 {
    let means = intervals.iter().map(|interval| interval.mean.abs());
    let greatest = means.fold(0.0, f64::max);
    let large = intervals
        .iter()
        .filter(|interval| interval.mean.abs() > SMALL * greatest);
    large
        .map(|interval| interval.half_width / interval.mean.abs())
        .fold(0.0, f64::max)
}

fn to_ns(seconds: f64) -> u64 {
    (seconds * 1e9).round() as u64
}

/// Sums over short runs.
#[derive(Default)]
struct Sums {
    runs: u64,
    events: u64,
    /// Of each number its sum and that of its squares.
    values: Vec<(f64, f64)>,
}

impl Sums {
    fn add(&mut self, values: &[f64], events: u64) {
        self.values.resize(values.len(), (0.0, 0.0));
        for (sums, value) in self.values.iter_mut().zip(values) {
            *sums = (sums.0 + value, sums.1 + value * value);
        }
        self.runs += 1;
        self.events += events;
    }

    fn with(mut self, other: Self) -> Self {
        self.values.resize(other.values.len(), (0.0, 0.0));
        for (sums, more) in self.values.iter_mut().zip(other.values) {
            *sums = (sums.0 + more.0, sums.1 + more.1);
        }
        self.runs += other.runs;
        self.events += other.events;
        self
    }

    fn intervals(&self) -> Vec<Interval> {
        let count = self.runs as f64;
        let confidence = together(self.values.len());
        let t = crate::statistics::quantile(count - 1.0, confidence).unwrap_or(f64::INFINITY);
        let each = |(sum, squares): &(f64, f64)| {
            let mean = sum / count;
            let variance = ((squares - sum * mean) / (count - 1.0)).max(0.0);
            Interval {
                mean,
                half_width: t * (variance / count).sqrt(),
            }
        };
        self.values.iter().map(each).collect()
    }
}
