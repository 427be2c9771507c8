//! Stops of several machines at once, counted once: what a stop group's machines recorded together.

use super::fork::{Fitted, Part, last};
use super::model::Model;
use super::recorded::{PlantRecord, Spent};
use crate::fit::{Observation, fit_repairs, select};
use crate::layout::Layout;
use std::sync::Arc;
use werkbuch_model::event::State;

/// Machines that stand together begin to do so within this time, in nanoseconds.
const TOGETHER_NS: i64 = 2_000_000_000;

/// A stop of a group: when it began, and how long it was or has been.
struct Stop {
    from_ns: i64,
    to_ns: i64,
    is_open: bool,
}

impl Model {
    /// Fits when stop groups stand, and for how long. One whose machines never stood together never stops.
    pub(super) fn fit_zones(&mut self, recorded: &PlantRecord, sheet: &mut Vec<Fitted>) {
        let layout = Arc::clone(&self.layout);
        for (at, zone) in layout.zones.iter().enumerate() {
            let names = zone
                .machines
                .iter()
                .filter_map(|one| layout.machines.get(*one));
            let records = names.filter_map(|one| recorded.machine(&one.id));
            let held: Vec<&[Spent]> = records.map(|one| one.intervals.as_slice()).collect();
            let faults = faults(&layout, &zone.machines, recorded);
            let mut stops = stops(&held, recorded.at_ns);
            // Who stands with a machine that has failed is counted with its failure.
            stops.retain(|stop| !faults.iter().any(|fault| is_with(stop, fault)));
            if stops.is_empty() {
                continue;
            }
            let (ups, lengths) = times(&stops, recorded);
            if let (Ok(up), Ok(stop)) = (select(last(&ups)), fit_repairs(last(&lengths))) {
                self.use_fit((at, &zone.id), Part::ZoneUp, &ups, up, sheet);
                self.use_fit((at, &zone.id), Part::ZoneStop, &lengths, stop, sheet);
            }
        }
    }
}

/// When any machine failed whose failure stops some of these: they themselves, what works in them, and the stations
/// that stop theirs.
fn faults(layout: &Layout, machines: &[usize], recorded: &PlantRecord) -> Vec<Spent> {
    let stations = layout
        .stations
        .iter()
        .filter(|one| machines.contains(&one.machine));
    let mut all: Vec<usize> = machines.to_vec();
    for station in stations {
        let fellows = station
            .stops_with
            .iter()
            .filter_map(|at| layout.stations.get(*at));
        for one in std::iter::once(station).chain(fellows) {
            all.push(one.machine);
            all.extend(&one.resources);
        }
    }
    all.sort_unstable();
    all.dedup();
    let names = all.iter().filter_map(|at| layout.machines.get(*at));
    let records = names.filter_map(|one| recorded.machine(&one.id));
    let spent = records.flat_map(|one| one.intervals.iter().copied());
    spent.filter(|one| one.state == State::Faulted).collect()
}

/// Whether a stop began while a failure lasted.
fn is_with(stop: &Stop, fault: &Spent) -> bool {
    fault.from_ns <= stop.from_ns + TOGETHER_NS && stop.from_ns <= fault.to_ns + TOGETHER_NS
}

/// The times at which at least half of the machines, and two of them, began to be held together.
fn stops(machines: &[&[Spent]], at_ns: i64) -> Vec<Stop> {
    let is_held = |one: &&Spent| one.state == State::Held && one.is_covered;
    let all = machines.iter().flat_map(|of| of.iter().filter(is_held));
    let mut all: Vec<&Spent> = all.collect();
    all.sort_by_key(|one| one.from_ns);
    let wanted = (machines.len().div_ceil(2)).max(2);
    let mut found = Vec::new();
    let mut rest = all.as_slice();
    while let Some(first) = rest.first() {
        let end = rest.partition_point(|one| one.from_ns <= first.from_ns + TOGETHER_NS);
        let (together, after) = rest.split_at(end);
        rest = after;
        if together.len() >= wanted {
            let mut ends: Vec<i64> = together.iter().map(|one| one.to_ns).collect();
            ends.sort_unstable();
            let to_ns = ends.get(ends.len() / 2).copied().unwrap_or(first.to_ns);
            found.push(Stop {
                from_ns: first.from_ns,
                to_ns,
                is_open: to_ns >= at_ns,
            });
        }
    }
    found
}

/// The times between stops, by the clock on the wall, and how long they were.
fn times(stops: &[Stop], recorded: &PlantRecord) -> (Vec<Observation>, Vec<Observation>) {
    let seconds = |from_ns: i64, to_ns: i64| (to_ns - from_ns).max(1) as f64 / 1e9;
    let mut ups = Vec::new();
    let mut lengths = Vec::new();
    let mut since_ns = recorded.from_ns;
    for stop in stops {
        ups.push(Observation::exact(seconds(since_ns, stop.from_ns)));
        lengths.push(Observation {
            seconds: seconds(stop.from_ns, stop.to_ns),
            is_censored: stop.is_open,
        });
        since_ns = stop.to_ns;
    }
    if since_ns < recorded.at_ns {
        ups.push(Observation::censored(seconds(since_ns, recorded.at_ns)));
    }
    (ups, lengths)
}
