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
    pub(super) ups: Vec<Observation>,
    pub(super) repairs: Vec<Observation>,
    /// Working time since the last repair.
    pub(super) age_ns: u64,
}

/// What a machine's record says about its times.
pub(super) fn evidence(record: &MachineRecord) -> Evidence {
    let mut found = Evidence::default();
    let mut worked_s = 0.0;
    let seconds = |from_ns: i64, to_ns: i64| (to_ns - from_ns) as f64 / 1e9;
    let count = record.intervals.len();
    for (at, spent) in record.intervals.iter().enumerate() {
        let length = seconds(spent.from_ns, spent.to_ns);
        if !spent.is_covered {
            // Nobody watched: what began before it ended nobody knows when.
            if worked_s > LEAST_S {
                found.ups.push(Observation::censored(worked_s));
            }
            worked_s = 0.0;
            continue;
        }
        match spent.state {
            State::Executing => worked_s += length,
            State::Faulted => {
                if worked_s > LEAST_S {
                    found.ups.push(Observation::exact(worked_s));
                }
                worked_s = 0.0;
                let watched = at > 0
                    && record
                        .intervals
                        .get(at - 1)
                        .is_some_and(|one| one.is_covered);
                let is_open = at + 1 == count;
                if length > LEAST_S && watched {
                    found.repairs.push(Observation {
                        seconds: length,
                        is_censored: is_open,
                    });
                }
            }
            _ => {}
        }
    }
    if worked_s > LEAST_S {
        found.ups.push(Observation::censored(worked_s));
    }
    found.age_ns = (worked_s * 1e9) as u64;
    cycles(record, &mut found);
    found
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
