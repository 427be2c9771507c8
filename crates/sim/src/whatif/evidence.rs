//! What a machine's record says about its times: cycles, times until it failed, repairs.

use super::recorded::{CycleRecord, MachineRecord};
use crate::fit::Observation;
use werkbuch_model::event::State;

/// What is shorter than this was no interval but how the source rounds, in seconds.
pub(super) const LEAST_S: f64 = 0.001;

/// The observations of a machine.
#[derive(Clone, Debug, Default)]
pub(super) struct Evidence {
    pub(super) cycles: Vec<Observation>,
    /// Of each cycle which of these variants it made.
    pub(super) sorts: Vec<usize>,
    pub(super) variants: Vec<String>,
    /// Times between the ends of cycles of which it is not known whether they waited.
    pub(super) paces: Vec<f64>,
    /// Failures that nobody came to, or all of them; and those that somebody came to.
    pub(super) ways: [Way; 2],
    /// Set-ups, with the variants before and after where they are known.
    pub(super) setups: Vec<(Option<(usize, usize)>, Observation)>,
}

/// A way to fail.
#[derive(Clone, Debug, Default)]
pub(super) struct Way {
    pub(super) ups: Vec<Observation>,
    pub(super) repairs: Vec<Observation>,
    /// Working time since the last repair.
    pub(super) age_ns: u64,
}

/// What a machine's record says about its times. Where `reaction_s` is given, stops that somebody came to are told
/// from others, and their repair is counted from then on, with so much time before it until somebody who was free
/// was there.
pub(super) fn evidence(record: &MachineRecord, reaction_s: Option<f64>) -> Evidence {
    let mut found = Evidence::default();
    let mut worked_s = [0.0; 2];
    let seconds = |from_ns: i64, to_ns: i64| (to_ns - from_ns) as f64 / 1e9;
    let count = record.intervals.len();
    for (at, spent) in record.intervals.iter().enumerate() {
        let length = seconds(spent.from_ns, spent.to_ns);
        if !spent.is_covered {
            // Nobody watched: what began before it ended nobody knows when.
            found.end_of_watch(&mut worked_s);
            continue;
        }
        match spent.state {
            State::Executing => worked_s = worked_s.map(|worked| worked + length),
            State::Faulted => {
                let came = reaction_s.and_then(|_| record.came_within(spent));
                let way = usize::from(came.is_some());
                let (Some(of), Some(worked)) = (found.ways.get_mut(way), worked_s.get_mut(way))
                else {
                    continue;
                };
                if *worked > LEAST_S {
                    of.ups.push(Observation::exact(*worked));
                }
                *worked = 0.0;
                let before = at.checked_sub(1).and_then(|at| record.intervals.get(at));
                let length = match came {
                    Some(came_ns) => seconds(came_ns, spent.to_ns) + reaction_s.unwrap_or(0.0),
                    None => length,
                };
                if length > LEAST_S && before.is_some_and(|one| one.is_covered) {
                    of.repairs.push(Observation {
                        seconds: length,
                        is_censored: at + 1 == count,
                    });
                }
            }
            _ => {}
        }
    }
    for (of, worked) in found.ways.iter_mut().zip(worked_s) {
        of.age_ns = (worked * 1e9) as u64;
    }
    found.end_of_watch(&mut worked_s);
    cycles(record, &mut found);
    found
}

impl Evidence {
    fn end_of_watch(&mut self, worked_s: &mut [f64; 2]) {
        for (of, worked) in self.ways.iter_mut().zip(worked_s) {
            if *worked > LEAST_S {
                of.ups.push(Observation::censored(*worked));
            }
            *worked = 0.0;
        }
    }
}

/// Cycles without a stop or a wait inside: those that lie in one time of work.
fn cycles(record: &MachineRecord, found: &mut Evidence) {
    let mut before: Option<&CycleRecord> = None;
    for cycle in &record.cycles {
        let took_ns = cycle.took_ns.and_then(|ns| i64::try_from(ns).ok());
        if let Some(took_ns) = took_ns.filter(|ns| *ns > 0) {
            let begin_ns = cycle.at_ns - took_ns;
            let at = record
                .intervals
                .partition_point(|one| one.from_ns <= begin_ns);
            let within = at.checked_sub(1).and_then(|at| record.intervals.get(at));
            let is_clean = within.is_some_and(|one| {
                one.is_covered && one.state == State::Executing && cycle.at_ns <= one.to_ns
            });
            if is_clean {
                found.cycles.push(Observation::exact(took_ns as f64 / 1e9));
                let known = found.variants.iter().position(|one| *one == cycle.variant);
                let sort = known.unwrap_or_else(|| {
                    found.variants.push(cycle.variant.clone());
                    found.variants.len() - 1
                });
                found.sorts.push(sort);
            }
        }
        if let Some(before) = before {
            found.paces.push((cycle.at_ns - before.at_ns) as f64 / 1e9);
        }
        before = Some(cycle);
    }
}
