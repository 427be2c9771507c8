//! What a drawing's legend tells: states and inferred waits with duration, share and count, and their causes.

use super::fetch::Lines;
use crate::plain;
use crate::view::inferred::{INFERRED, word};
use crate::view::timeline::{STATES, percent, spelt};
use std::collections::BTreeMap;
use werkbuch_wire::pb;

/// The most causes that a legend names.
const CAUSES_SHOWN: usize = 8;

/// How long in all, and how many times.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sum {
    pub(super) state: i32,
    pub(super) duration_ns: u64,
    pub(super) stays: u64,
}

/// What all the machines of a drawing add up to.
#[derive(Debug, Default)]
pub(super) struct Legend {
    /// The states as shown.
    pub(super) states: Vec<Sum>,
    /// Starved and blocked as inferred: parts of waiting and idle.
    pub(super) inferred: Vec<Sum>,
    /// The causes of these that held the longest, in words, with the state that each is one of.
    pub(super) causes: Vec<(i32, String)>,
    /// How many causes there are.
    pub(super) causes_total: u64,
    pub(super) uncovered_ns: u64,
}

impl Legend {
    pub(super) fn of(lines: &Lines) -> Self {
        let machines = &lines.machines;
        let shown = machines.iter().flat_map(|one| &one.sums);
        let inferred = machines.iter().flat_map(|one| &one.inferred);
        let uncovered = machines.iter().map(|one| one.uncovered_ns);
        let states = STATES.iter().map(|(state, ..)| *state as i32);
        let total = inferred.clone().map(|one| u64::from(one.causes_size));
        Self {
            states: summed(
                states,
                shown.map(|one| (one.state, one.duration_ns, one.stays)),
            ),
            inferred: summed(
                INFERRED.iter().map(|(state, _)| *state as i32),
                inferred.map(|one| (one.state, one.duration_ns, one.stays)),
            ),
            causes: causes(lines),
            causes_total: total.sum(),
            uncovered_ns: uncovered.fold(0, u64::saturating_add),
        }
    }

    /// How long was watched in all.
    pub(super) fn watched_ns(&self) -> u64 {
        let states = self.states.iter();
        states.fold(0, |sum, one| sum.saturating_add(one.duration_ns))
    }

    /// The share of a sum in what was watched.
    pub(super) fn share(&self, of: &Sum) -> String {
        percent(of.duration_ns, self.watched_ns())
    }

    /// How many causes there are when not all are named.
    pub(super) fn left_out(&self) -> Option<String> {
        let shown = self.causes.len() as u64;
        let total = self.causes_total;
        (shown < total).then(|| format!("{shown} of {total} causes, those that held the longest"))
    }
}

/// By state, in the order of `states`.
fn summed(
    states: impl Iterator<Item = i32>,
    sums: impl Iterator<Item = (i32, u64, u64)>,
) -> Vec<Sum> {
    let mut by_state: BTreeMap<i32, Sum> = BTreeMap::new();
    for (state, duration_ns, stays) in sums {
        let sum = by_state.entry(state).or_default();
        sum.state = state;
        sum.duration_ns = sum.duration_ns.saturating_add(duration_ns);
        sum.stays = sum.stays.saturating_add(stays);
    }
    states.filter_map(|state| by_state.remove(&state)).collect()
}

/// `op-2 starved 3m 20s, 1 time: buffer b-12 is empty`, the longest first.
fn causes(lines: &Lines) -> Vec<(i32, String)> {
    let mut all: Vec<(&pb::Timeline, i32, &pb::TimelineCause)> = Vec::new();
    for machine in &lines.machines {
        for sum in &machine.inferred {
            all.extend(sum.causes.iter().map(|cause| (machine, sum.state, cause)));
        }
    }
    // Equal ones stay in the order of machines.
    all.sort_by_key(|(_, _, cause)| std::cmp::Reverse(cause.duration_ns));
    let shown = all.into_iter().take(CAUSES_SHOWN);
    let spelt = shown.map(|(machine, state, cause)| {
        let line = format!(
            "{} {} {}, {}: {}",
            lines.label(machine),
            word(state),
            spelt(cause.duration_ns),
            crate::command::counted(cause.stays, "time"),
            cause.because
        );
        (state, plain::line(&line).into_owned())
    });
    spelt.collect()
}
