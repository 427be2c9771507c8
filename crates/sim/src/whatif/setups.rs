//! Set-ups out of what was recorded: how long they took, from which variant to which.

use super::evidence::{Evidence, LEAST_S};
use super::fork::{Fitted, Part, last};
use super::machines::{Known, say_others};
use super::model::Model;
use super::recorded::MachineRecord;
use crate::fit::{OWN_VALUES_MIN, Observation, fit_pooled, select};
use crate::layout::Layout;
use std::sync::Arc;
use werkbuch_model::event::State;

type Setup = (Option<(usize, usize)>, Observation);

/// The set-ups of a machine: its times in that state, those between the same two cycles together. The variants are
/// those of the cycles before and after.
pub(super) fn recorded(record: &MachineRecord, layout: &Layout) -> Vec<Setup> {
    let mut found: Vec<(usize, Setup)> = Vec::new();
    let variant = |at: Option<usize>| {
        let cycle = record.cycles.get(at?)?;
        layout
            .variants
            .iter()
            .position(|one| one.id == cycle.variant)
    };
    let count = record.intervals.len();
    for (at, spent) in record.intervals.iter().enumerate() {
        let seconds = (spent.to_ns - spent.from_ns) as f64 / 1e9;
        let is_seen = at > 0
            && record
                .intervals
                .get(at - 1)
                .is_some_and(|one| one.is_covered);
        if spent.state != State::Setup || !spent.is_covered || !is_seen || seconds < LEAST_S {
            continue;
        }
        let next = record
            .cycles
            .partition_point(|one| one.at_ns <= spent.from_ns);
        let is_censored = at + 1 == count;
        match found.last_mut() {
            Some((of, (_, before))) if *of == next => {
                before.seconds += seconds;
                before.is_censored = is_censored;
            }
            _ => {
                let pair = variant(next.checked_sub(1)).zip(variant(Some(next)));
                let pair = pair.filter(|(from, to)| from != to);
                found.push((
                    next,
                    (
                        pair,
                        Observation {
                            seconds,
                            is_censored,
                        },
                    ),
                ));
            }
        }
    }
    found.into_iter().map(|(_, setup)| setup).collect()
}

fn times(of: &Evidence) -> Vec<Observation> {
    of.setups.iter().map(|(_, time)| *time).collect()
}

impl Model {
    /// Fits set-ups: all of a machine together, and those from one variant to another by themselves where there are
    /// ten of them. A machine of which none was recorded takes what is planned, which is said.
    pub(super) fn fit_setups(
        &mut self,
        (at, name): (usize, &str),
        own: &Evidence,
        known: &Known,
        sheet: &mut Vec<Fitted>,
    ) {
        let layout = Arc::clone(&self.layout);
        let mut stations = layout.stations.iter();
        let is_planned = stations.any(|one| one.machine == at && !one.setups.is_empty());
        let all = times(own);
        let (pool, of_others) = known.pool(&layout, at, &times);
        let selection = match all.is_empty() {
            true => None,
            false => fit_pooled(last(&all), &pool).ok(),
        };
        let Some(selection) = selection else {
            if is_planned {
                self.assumptions.push(format!(
                    "{name} was not set up in the window: set-ups take what is planned"
                ));
            }
            return;
        };
        self.use_fit((at, name), Part::Setup(None), &all, selection, sheet);
        say_others(sheet, of_others);
        let mut pairs: Vec<(usize, usize)> =
            own.setups.iter().filter_map(|(pair, _)| *pair).collect();
        pairs.sort_unstable();
        pairs.dedup();
        for pair in pairs {
            let of = own.setups.iter().filter(|(one, _)| *one == Some(pair));
            let of: Vec<Observation> = of.map(|(_, time)| *time).collect();
            let ended = of.iter().filter(|one| !one.is_censored).count();
            let Ok(selection) = select(last(&of)) else {
                continue;
            };
            if ended < OWN_VALUES_MIN {
                continue;
            }
            self.use_fit((at, name), Part::Setup(Some(pair)), &of, selection, sheet);
            let name = |at: usize| layout.variants.get(at).map_or("", |one| one.id.as_str());
            if let Some(row) = sheet.last_mut() {
                row.basis = format!("from {} to {}: {}", name(pair.0), name(pair.1), row.basis);
            }
        }
        if !is_planned {
            self.assumptions.push(format!(
                "{name} was set up {} times though its description knows no set-up: only changes that were made \
                 ten times are",
                all.len()
            ));
        }
    }
}
