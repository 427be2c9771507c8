//! How the output of a line moves: by itself, and when a machine is made a little faster.

use super::params::Params;
use super::queues::unknown;
use super::study::{PILOT_EVENTS, long_runs};
use super::{Answer, Effort, lines};
use crate::kernel::{Distribution, Streams};
use crate::network::{Network, Run, Start};
use crate::statistics::Interval;
use std::sync::Arc;

/// By this much a machine is made faster and slower, as a logarithm. What is asked for is the limit at 0, from
/// which a step of this size is some thousandths away.
const STEP: f64 = 0.04;

/// So many windows a run has at least, of which variances are taken.
const WINDOWS: u64 = 400;

fn begin(network: &Arc<Network>, seed: u64, number: u32) -> Result<Run, String> {
    let run = Run::new(network, &Streams::new(seed, number), &Start::default());
    run.map_err(|error| error.to_string())
}

/// Nanoseconds in which a network has so many events.
fn time_of(network: &Arc<Network>, events: u64, effort: &Effort) -> Result<u64, String> {
    let mut probe = begin(network, effort.seed, u32::MAX)?;
    let mut time_ns = 1_000_000_000;
    while probe.events() < events && time_ns < u64::MAX / 8 {
        time_ns *= 2;
        probe.run_until(time_ns);
    }
    Ok(time_ns)
}

/// What the variance of the output comes to per time: that of twice as long a window less that of one, so that
/// what lasts from one window into the next falls out.
pub(super) fn variance(
    params: &Params<'_>,
    quantity: &str,
    effort: &Effort,
) -> Result<Vec<Interval>, String> {
    if !quantity.starts_with("asymptotic variance of the output count") {
        return Err(unknown(quantity));
    }
    let network = Arc::new(lines::network_of(params)?);
    let window_ns = time_of(&network, 1_000, effort)?;
    let one = |number: u32, (from_ns, to_ns): (u64, u64)| {
        let Ok(mut run) = begin(&network, effort.seed, number) else {
            return (Vec::new(), 0);
        };
        run.run_until(from_ns);
        let mut counts = Vec::new();
        let mut at_ns = from_ns;
        let mut before = run.exit_parts(0);
        while at_ns + window_ns <= to_ns {
            at_ns += window_ns;
            run.run_until(at_ns);
            let parts = run.exit_parts(0);
            counts.push((parts - before) as f64);
            before = parts;
        }
        let pairs: Vec<f64> = counts
            .chunks_exact(2)
            .map(|pair| pair.iter().sum())
            .collect();
        let seconds = window_ns as f64 / 1e9;
        let slope = (spread(&pairs) - spread(&counts)) / seconds;
        (vec![slope], run.events())
    };
    Ok(long_runs(effort, window_ns * WINDOWS, one))
}

/// The variance of a sample.
fn spread(values: &[f64]) -> f64 {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    values
        .iter()
        .map(|value| (value - mean).powi(2))
        .sum::<f64>()
        / (count - 1.0)
}

/// How much more comes out for each machine that is made faster; with the same random numbers for faster and
/// slower, of which the difference is then told narrowly.
pub(super) fn bottleneck(
    params: &Params<'_>,
    quantity: &str,
    effort: &Effort,
) -> Result<Answer, String> {
    let network = lines::network_of(params)?;
    let faster = |station: usize, by: f64| {
        let mut network = network.clone();
        let work = &mut network.stations[station].work;
        if let Distribution::Exponential(mean) = *work {
            *work = Distribution::Exponential(mean * libm::exp(-by));
        }
        Arc::new(network)
    };
    let stations = 0..network.stations.len();
    let both = stations.map(|station| [faster(station, STEP), faster(station, -STEP)]);
    let both: Vec<[Arc<Network>; 2]> = both.collect();
    let pilot_ns = time_of(&Arc::new(network.clone()), PILOT_EVENTS, effort)?;
    let one = |number: u32, (from_ns, to_ns): (u64, u64)| {
        let mut events = 0;
        let mut made = |network: &Arc<Network>| {
            let Ok(mut run) = begin(network, effort.seed, number) else {
                return f64::NAN;
            };
            run.run_until(from_ns);
            let before = run.exit_parts(0);
            run.run_until(to_ns);
            events += run.events();
            (run.exit_parts(0) - before) as f64 / ((to_ns - from_ns) as f64 / 1e9)
        };
        let slopes = both
            .iter()
            .map(|[fast, slow]| (made(fast) - made(slow)) / (2.0 * STEP));
        let slopes: Vec<f64> = slopes.collect();
        (slopes, events)
    };
    let slopes = long_runs(effort, pilot_ns, one);
    if quantity.contains("dTH/dln(mu_i)") {
        return Ok(Answer::Estimates(slopes));
    }
    let greatest = (1..)
        .zip(&slopes)
        .max_by(|(_, a), (_, b)| a.mean.total_cmp(&b.mean));
    match greatest {
        Some((number, _)) if quantity.starts_with("bottleneck station") => {
            Ok(Answer::Exact(vec![f64::from(number)]))
        }
        _ => Err(unknown(quantity)),
    }
}
