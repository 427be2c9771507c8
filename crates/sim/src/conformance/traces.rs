//! Families whose times are all known: nothing is left to chance.

use super::params::Params;
use super::queues::unknown;
use crate::kernel::{Distribution, Streams};
use crate::network::{Network, Place, Run, Start, Station};
use std::sync::Arc;

/// A flow shop: jobs in a given order through all stations of a line.
pub(super) fn shop(params: &Params<'_>, quantity: &str) -> Result<Vec<f64>, String> {
    let jobs = params.lists("proc")?;
    let count = jobs.first().map_or(0, Vec::len);
    if count == 0 || jobs.iter().any(|job| job.len() != count) {
        return Err("the jobs have no times, or not as many as each other".to_owned());
    }
    let all = jobs.iter().flatten();
    if all.clone().any(|time| !(0.0..=1e9).contains(time)) {
        return Err("a time is negative, too long or no number".to_owned());
    }
    let station = |at: usize| Station {
        trace: jobs.iter().map(|job| to_ns(job[at])).collect(),
        ..Station::new(Distribution::Constant(0.0))
    };
    let mut network = Network::line((0..count).map(station).collect(), &[]);
    for (place, room) in network.places.iter_mut().zip(rooms(params, count - 1)?) {
        place.capacity = room;
    }
    // All jobs lie before the first station.
    let first = network.places.len();
    network.places.push(Place::default());
    network.stations[0].inputs = vec![(first, 1)];
    let mut places = vec![0; first];
    places.push(u32::try_from(jobs.len()).map_err(|_| "there are too many jobs")?);
    let start = Start {
        places,
        ..Start::default()
    };
    let left = leave_times(network, &start)?;
    let lower = quantity.to_lowercase();
    match left.last() {
        Some(last) if lower.contains("makespan") => Ok(vec![*last]),
        _ if lower.contains("leave times") || lower.contains("completion") => Ok(left),
        _ => Err(unknown(quantity)),
    }
}

/// The room between stations, each the same or a list; null is any number.
fn rooms(params: &Params<'_>, gaps: usize) -> Result<Vec<Option<u32>>, String> {
    let name = match params.has("buffers") {
        true => "buffers",
        false => "buffer",
    };
    let rooms = params.limits(name)?;
    match rooms.as_slice() {
        [room] => Ok(vec![*room; gaps]),
        _ if rooms.len() == gaps => Ok(rooms),
        _ => Err(format!("{} rooms do not fit {gaps} gaps", rooms.len())),
    }
}

/// When parts leave, in seconds, until nothing happens any more.
fn leave_times(network: Network, start: &Start) -> Result<Vec<f64>, String> {
    let run = Run::new(&Arc::new(network), &Streams::new(0, 0), start);
    let mut run = run.map_err(|error| error.to_string())?;
    let mut left = Vec::new();
    while let Some(at_ns) = run.next_ns() {
        let before = run.exit_parts(0);
        run.run_until(at_ns + 1);
        let parts = (run.exit_parts(0) - before) as usize;
        left.extend(std::iter::repeat_n(at_ns as f64 / 1e9, parts));
    }
    Ok(left)
}

fn to_ns(seconds: f64) -> u64 {
    (seconds * 1e9).round() as u64
}
