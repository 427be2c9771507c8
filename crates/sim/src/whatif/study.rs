//! Runs a model and its scenarios side by side, with the same chance for all of them.

use super::collect::{Collected, run as collect};
use super::course::{Ready, ready};
use super::model::Model;
use super::outcome::{Outcome, summarize};
use super::scenario::Scenario;
use crate::factory::Factory;
use crate::fan_out::replicate;
use crate::kernel::Streams;
use crate::statistics::mean_interval;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// How much a study simulates.
#[derive(Clone, Debug, PartialEq)]
pub struct Effort {
    /// How long each run is, in nanoseconds of the plant's time.
    pub horizon_ns: u64,
    /// How many times the baseline and every scenario are run.
    pub replications: u32,
    /// Instead: run until the half width of the interval of every output is at most this share of it.
    pub precision: Option<f64>,
    /// The seed of all chance.
    pub seed: u64,
    /// How many threads work; what comes out does not depend on it.
    pub threads: usize,
    /// How often intervals are to hold the true value, between 0 and 1.
    pub confidence: f64,
    /// An output whose probability is asked for.
    pub target: Option<u64>,
}

/// How far a study has come.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress {
    /// Replications done.
    pub done: u32,
    /// How many there will be, as far as is known.
    pub of: u32,
    /// The widest half width of the interval of an output beside the output; absent before it is known.
    pub half_width: Option<f64>,
}

/// Why a study cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StudyError {
    /// Something asked for is out of range; the sentence says what and what to do.
    #[error("{0}")]
    Asked(String),
    /// It was cancelled.
    #[error("the study was cancelled after {done} replications")]
    Cancelled {
        /// How many replications were done.
        done: u32,
    },
    /// Parts block each other for ever; the sentence names the stations.
    #[error("{0}")]
    Deadlock(String),
}

/// The most replications.
pub const REPLICATIONS_MAX: u32 = 100_000;
/// The longest run: a year, as far as calendars are laid out.
pub const HORIZON_NS_MAX: u64 = 366 * 86_400 * 1_000_000_000;
/// With a precision so many replications are made first; then as many again.
const FIRST: u32 = 10;
/// With a precision no more are made than this.
const PRECISE_MAX: u32 = 10_000;

/// Runs the model as it is and with each scenario. `on` is told how far it has come, from any thread; when it
/// says false, the study ends.
///
/// The same model, scenarios, seed and count of replications give the same outcome whatever the threads.
///
/// # Errors
///
/// [`StudyError`].
pub fn run(
    model: &Model,
    scenarios: &[Scenario],
    effort: &Effort,
    on: &(dyn Fn(Progress) -> bool + Sync),
) -> Result<Outcome, StudyError> {
    check(effort)?;
    let baseline = Scenario::baseline();
    let all = std::iter::once(&baseline).chain(scenarios);
    let all: Vec<&Scenario> = all.collect();
    let cases = cases(model, &all, effort)?;
    let work = Work {
        model,
        scenarios: &all,
        cases: &cases,
        effort,
    };
    let mut runs: Vec<Vec<Collected>> = Vec::new();
    loop {
        let done = u32::try_from(runs.len()).unwrap_or(u32::MAX);
        let width = widest(&runs, effort.confidence);
        let of = match effort.precision {
            None => effort.replications,
            Some(_) if done == 0 => FIRST,
            Some(precision) if width.is_some_and(|width| width <= precision) => done,
            Some(_) => (done * 2).min(PRECISE_MAX),
        };
        if done >= of {
            break;
        }
        runs.extend(batch(&work, (done, of), (width, on), |run| run)?);
    }
    if let Some(stuck) = runs.first().and_then(|run| stuck(model, run)) {
        return Err(StudyError::Deadlock(stuck));
    }
    let mut found = summarize(model, &all, &runs, effort);
    found.assumptions.extend(idle(scenarios, effort.horizon_ns));
    Ok(found)
}

/// What changes nothing, since it begins too late.
fn idle(scenarios: &[Scenario], horizon_ns: u64) -> impl Iterator<Item = String> {
    let changes = scenarios
        .iter()
        .flat_map(|one| one.changes.iter().map(move |change| (&one.name, change)));
    let late = changes.filter(move |(_, change)| change.from_ns >= horizon_ns);
    late.map(|(name, change)| {
        let line = change.line;
        format!(
            "the change in line {line} of {name} begins when the run has ended: it changes nothing"
        )
    })
}

/// Runs scenarios and keeps only their outputs: those of each scenario, by replication. A precision is not looked at.
pub(super) fn outputs(
    model: &Model,
    scenarios: &[&Scenario],
    effort: &Effort,
    on: &(dyn Fn(Progress) -> bool + Sync),
) -> Result<Vec<Vec<f64>>, StudyError> {
    let cases = cases(model, scenarios, effort)?;
    let work = Work {
        model,
        scenarios,
        cases: &cases,
        effort,
    };
    let output = |run: Collected| run.finished() as f64;
    let runs = batch(&work, (0, effort.replications), (None, on), output)?;
    let of_case = |case: usize| {
        runs.iter()
            .filter_map(|run| run.get(case).copied())
            .collect()
    };
    Ok((0..scenarios.len()).map(of_case).collect())
}

/// Scenarios, ready to run.
fn cases(
    model: &Model,
    scenarios: &[&Scenario],
    effort: &Effort,
) -> Result<Vec<Ready>, StudyError> {
    let ready = |one: &&Scenario| ready(model, &model.truth, one, effort.horizon_ns);
    let cases: Result<_, _> = scenarios.iter().map(ready).collect();
    cases.map_err(StudyError::Asked)
}

fn check(effort: &Effort) -> Result<(), StudyError> {
    let asked = |what: &str| Err(StudyError::Asked(what.to_owned()));
    if effort.horizon_ns == 0 || effort.horizon_ns > HORIZON_NS_MAX {
        return asked("the horizon is no time, or longer than a year: give for example 3d");
    }
    if effort.precision.is_none() && !(2..=REPLICATIONS_MAX).contains(&effort.replications) {
        return asked(
            "a study has from 2 to 100,000 replications: of one alone no interval is known",
        );
    }
    if effort
        .precision
        .is_some_and(|one| !(1e-5..1.0).contains(&one))
    {
        return asked("the precision is a share between 0.001% and 100%");
    }
    match effort.confidence > 0.5 && effort.confidence < 1.0 {
        true => Ok(()),
        false => asked("the confidence lies between 0.5 and 1"),
    }
}

type Watched<'w> = (Option<f64>, &'w (dyn Fn(Progress) -> bool + Sync));

/// What is run.
struct Work<'w> {
    model: &'w Model,
    scenarios: &'w [&'w Scenario],
    cases: &'w [Ready],
    effort: &'w Effort,
}

impl Work<'_> {
    /// A case as it is in a replication.
    fn ready(&self, at: usize, streams: &Streams) -> Option<Ready> {
        if self.model.uncertain.is_empty() {
            return self.cases.get(at).cloned();
        }
        let truth = self.model.truth_of(streams);
        let scenario = self.scenarios.get(at)?;
        ready(self.model, &truth, scenario, self.effort.horizon_ns).ok()
    }
}

/// Replications from one number to another, each of all cases, and what is kept of each run.
fn batch<R: Send>(
    work: &Work<'_>,
    (from, to): (u32, u32),
    (half_width, on): Watched<'_>,
    keep: impl Fn(Collected) -> R + Sync,
) -> Result<Vec<Vec<R>>, StudyError> {
    let ended = AtomicBool::new(false);
    let done = AtomicU32::new(from);
    let one = |number: u32| {
        let effort = work.effort;
        let streams = Streams::new(effort.seed, from + number);
        let mut of_all = Vec::with_capacity(work.cases.len());
        for case in 0..work.cases.len() {
            if ended.load(Ordering::Relaxed) {
                return None;
            }
            let case = work.ready(case, &streams)?;
            let mut factory = Factory::at(&case.course, &case.start, streams);
            of_all.push(keep(collect(&mut factory, effort.horizon_ns, &ended)));
        }
        let progress = Progress {
            done: done.fetch_add(1, Ordering::Relaxed) + 1,
            of: to,
            half_width,
        };
        if !on(progress) {
            ended.store(true, Ordering::Relaxed);
        }
        Some(of_all)
    };
    let runs = replicate(to - from, work.effort.threads.max(1), one);
    if ended.load(Ordering::Relaxed) {
        let done = done.load(Ordering::Relaxed);
        return Err(StudyError::Cancelled { done });
    }
    Ok(runs.into_iter().flatten().collect())
}

/// The widest half width of an output beside its mean; absent before there are two replications.
fn widest(runs: &[Vec<Collected>], confidence: f64) -> Option<f64> {
    let cases = runs.first().map_or(0, Vec::len);
    let outputs = |case: usize| -> Vec<f64> {
        let of_case = runs.iter().filter_map(|run| run.get(case));
        of_case.map(|run| run.finished() as f64).collect()
    };
    let widths = (0..cases).map(|case| mean_interval(&outputs(case), confidence));
    let shares = widths.map(|one| match one.mean > 0.0 {
        true => one.half_width / one.mean,
        // Where nothing comes out there is nothing to be precise about.
        false => 0.0,
    });
    shares.reduce(f64::max).filter(|width| width.is_finite())
}

/// Parts that hold each other up for ever: nothing came out, and stations are blocked at the end though none
/// waits for anything else.
fn stuck(model: &Model, run: &[Collected]) -> Option<String> {
    let baseline = run.first()?;
    if baseline.finished() > 0 || baseline.stuck.is_empty() {
        return None;
    }
    let name = |station: &usize| {
        let machine = model.layout.stations.get(*station)?.machine;
        Some(model.layout.machines.get(machine)?.id.clone())
    };
    let names: Vec<String> = baseline.stuck.iter().filter_map(name).take(8).collect();
    Some(format!(
        "parts block each other for ever: {} of the stations are blocked and none can begin ({}): give the \
         loop a buffer with room, or let fewer parts in (a limit)",
        baseline.stuck.len(),
        names.join(", ")
    ))
}

impl Collected {
    /// Parts that were finished.
    pub(super) fn finished(&self) -> u64 {
        self.products.iter().map(|counts| counts[0]).sum()
    }
}
