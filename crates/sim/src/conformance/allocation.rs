//! Where to put the places between the stations of a line: the best of all ways, found as a planner finds it.

use super::params::Params;
use super::queues::{rate, steady, unknown};
use super::{Answer, CONFIDENCE, Effort};
use crate::fan_out::replicate;
use crate::kernel::{Distribution, Streams};
use crate::network::{Network, Run, Start, Station};
use crate::statistics::paired_interval;
use std::sync::Arc;

/// So many ways are compared at most.
const WAYS_MAX: usize = 3_000;
/// So many events are run at least before ways are left that cannot be told apart: a way is no number, which might
/// be a little wrong.
const EVENTS_MIN: u64 = 30_000_000;
/// So many replications are made of each way, with the same random numbers for all of them.
const RUNS: u32 = 20;
/// Parts that the first round is long enough for, half of them to warm up.
const FIRST_PARTS: f64 = 1_000.0;
/// Rounds that are thought of when the confidence is shared among them.
const ROUNDS: f64 = 16.0;

/// A way to share the places, and its runs as far as they have come.
struct Entrant {
    rooms: Vec<u32>,
    runs: Vec<Run>,
}

/// The best throughput of an exponential line with so many places between its stations, or all ways to share
/// them that have it.
pub(super) fn best(params: &Params<'_>, quantity: &str, effort: &Effort) -> Result<Answer, String> {
    let (means, total) = (params.means_of_rates("mu")?, params.count("total")?);
    let gaps = means.len().checked_sub(1).filter(|gaps| *gaps > 0);
    let gaps = gaps.ok_or("there is no room between fewer than two stations")?;
    let mut ways = ways(total, gaps)?;
    // A line of exponential stations delivers as much from its end to its start (Yamazaki and Sakasegawa 1975):
    // where it is the same line, a way and its mirror image are equally good.
    let is_even = means.iter().eq(means.iter().rev());
    let mirror = |rooms: &[u32]| -> Vec<u32> { rooms.iter().rev().copied().collect() };
    if is_even {
        ways.retain(|rooms| *rooms <= mirror(rooms));
    }
    let network = |rooms: &[u32]| {
        let station = |mean: &f64| Station::new(Distribution::Exponential(*mean));
        Network::line(means.iter().map(station).collect(), rooms)
    };
    let slowest = means.iter().copied().fold(0.0, f64::max);
    let left = race(ways, &network, slowest * FIRST_PARTS, effort)?;
    if quantity.contains("throughput") {
        let best = left.first().ok_or("there is no way to share the places")?;
        let study = steady(network(best), Box::new(|_, counts| vec![rate(counts, 0)]));
        return study.run(effort).map(Answer::Estimates);
    }
    if !quantity.contains("allocation") {
        return Err(unknown(quantity));
    }
    let mut all = Vec::new();
    for rooms in left {
        let image = mirror(&rooms);
        if is_even && image != rooms {
            all.push(image);
        }
        all.push(rooms);
    }
    all.sort();
    Ok(Answer::Lists(all))
}

/// All ways to share so many places among gaps. Errors: there are too many.
fn ways(total: u32, gaps: usize) -> Result<Vec<Vec<u32>>, String> {
    let mut ways = vec![(Vec::new(), total)];
    for gap in 1..=gaps {
        let more = |(rooms, left): &(Vec<u32>, u32)| -> Vec<(Vec<u32>, u32)> {
            // The last gap gets what is left.
            let least = if gap == gaps { *left } else { 0 };
            let with = |room: u32| ([rooms.as_slice(), &[room]].concat(), left - room);
            (least..=*left).take(WAYS_MAX + 1).map(with).collect()
        };
        ways = ways.iter().flat_map(more).take(WAYS_MAX + 1).collect();
    }
    match ways.len() > WAYS_MAX {
        true => Err(format!(
            "there are more than {WAYS_MAX} ways to share the places"
        )),
        false => Ok(ways.into_iter().map(|(rooms, _)| rooms).collect()),
    }
}

/// Runs all ways on and on, and drops those that are worse than the best one for certain, until one is left or
/// enough was run. What is left cannot be told apart; the best comes first.
fn race(
    ways: Vec<Vec<u32>>,
    network: &dyn Fn(&[u32]) -> Network,
    first_s: f64,
    effort: &Effort,
) -> Result<Vec<Vec<u32>>, String> {
    // One wrong drop among all comparisons is to be as rare as an interval that misses.
    let confidence = 1.0 - (1.0 - CONFIDENCE) / (ways.len() as f64 * ROUNDS);
    let begin = |rooms: Vec<u32>| -> Result<Entrant, String> {
        let network = Arc::new(network(&rooms));
        let run = |number| {
            let streams = Streams::new(effort.seed, number);
            Run::new(&network, &streams, &Start::default()).map_err(|error| error.to_string())
        };
        let runs: Result<_, _> = (0..RUNS).map(run).collect();
        Ok(Entrant { rooms, runs: runs? })
    };
    let entrants: Result<Vec<_>, _> = ways.into_iter().map(begin).collect();
    let mut entrants = entrants?;
    let enough = effort.events_max.max(EVENTS_MIN);
    let (mut until_ns, mut events) = ((first_s * 1e9) as u64, 0);
    go_on(&mut entrants, until_ns / 2, effort.threads);
    for run in entrants.iter_mut().flat_map(|entrant| &mut entrant.runs) {
        events += run.events();
        run.count_anew();
    }
    loop {
        let counted = |entrants: &[Entrant]| -> u64 {
            let runs = entrants.iter().flat_map(|entrant| &entrant.runs);
            runs.map(Run::events).sum()
        };
        let before = counted(&entrants);
        go_on(&mut entrants, until_ns, effort.threads);
        events += counted(&entrants) - before;
        entrants.sort_by(|a, b| total(&made(b)).total_cmp(&total(&made(a))));
        let best = entrants.first().map(made).unwrap_or_default();
        entrants.retain(|entrant| {
            let less = paired_interval(&best, &made(entrant), confidence);
            less.mean <= less.half_width
        });
        if entrants.len() < 2 || events >= enough || until_ns > u64::MAX / 4 {
            return Ok(entrants.into_iter().map(|entrant| entrant.rooms).collect());
        }
        until_ns *= 2;
    }
}

fn go_on(entrants: &mut [Entrant], until_ns: u64, threads: usize) {
    for entrant in entrants {
        entrant.runs = replicate(RUNS, threads, |at| {
            let mut run = entrant.runs[at as usize].clone();
            run.run_until(until_ns);
            run
        });
    }
}

/// What each run of a way has delivered.
fn made(entrant: &Entrant) -> Vec<f64> {
    let runs = entrant.runs.iter();
    runs.map(|run| run.exit_parts(0) as f64).collect()
}

fn total(made: &[f64]) -> f64 {
    made.iter().sum()
}
