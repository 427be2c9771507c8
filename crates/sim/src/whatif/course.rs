//! What a scenario makes of a model: one plant after the other, from each time on at which something changes.

use super::change::{Change, What};
use super::model::Model;
use super::scenario::Scenario;
use crate::factory::{Course, Stage, Start};
use crate::layout::{Hours, Layout, Toggle, Turn};
use crate::truth::Truth;
use std::sync::Arc;

/// How often a plant may change in one run.
pub const STAGES_MAX: usize = 2_000;

/// A model with a scenario, ready to run.
#[derive(Clone, Debug)]
pub(super) struct Ready {
    pub(super) course: Course,
    pub(super) start: Start,
}

/// A change over a window.
struct Window<'c> {
    from_ns: u64,
    to_ns: u64,
    change: &'c Change,
}

/// Makes a model with a scenario ready to run up to a horizon.
/// Errors: it changes more often than [`STAGES_MAX`], in words.
pub(super) fn ready(
    model: &Model,
    truth: &Arc<Truth>,
    scenario: &Scenario,
    horizon_ns: u64,
) -> Result<Ready, String> {
    let mut base = Arc::clone(&model.layout);
    let mut start = model.start.clone();
    let mut windows = Vec::new();
    for change in &scenario.changes {
        change.what.begin(&mut start);
        match &change.what {
            What::Hours { machines, opens } => {
                let window = (change.from_ns, change.to_ns);
                turn_hours(Arc::make_mut(&mut base), machines, *opens, window);
            }
            What::Maintenance {
                every_ns, takes_ns, ..
            } => {
                let first = change.from_ns.saturating_add(*every_ns - *takes_ns);
                let end_ns = change.to_ns.min(horizon_ns);
                let mut from_ns = first;
                while from_ns < end_ns && windows.len() <= STAGES_MAX {
                    windows.push(Window {
                        from_ns,
                        to_ns: from_ns.saturating_add(*takes_ns),
                        change,
                    });
                    from_ns = from_ns.saturating_add(*every_ns);
                }
            }
            _ => windows.push(Window {
                from_ns: change.from_ns,
                to_ns: change.to_ns,
                change,
            }),
        }
    }
    let mut times: Vec<u64> = windows
        .iter()
        .flat_map(|one| [one.from_ns, one.to_ns])
        .collect();
    times.retain(|at_ns| *at_ns > 0 && *at_ns < horizon_ns);
    times.sort_unstable();
    times.dedup();
    if times.len() > STAGES_MAX {
        return Err(format!(
            "\"{}\" changes the plant {} times, and the limit is {STAGES_MAX}: shorten the horizon, or \
             let maintenance come less often",
            scenario.name,
            times.len()
        ));
    }
    let first = stage(truth, &base, &windows, 0);
    let later = times
        .into_iter()
        .map(|at_ns| stage(truth, &base, &windows, at_ns));
    Ok(Ready {
        course: Course {
            layout: first.layout,
            truth: first.truth,
            later: later.collect(),
        },
        start,
    })
}

/// The plant as it is from a time on, with all changes that hold then in the order of their file.
fn stage(truth: &Arc<Truth>, base: &Arc<Layout>, windows: &[Window<'_>], at_ns: u64) -> Stage {
    let (mut layout, mut truth) = (Arc::clone(base), Arc::clone(truth));
    for window in windows {
        if window.from_ns > at_ns || at_ns >= window.to_ns {
            continue;
        }
        match &window.change.what {
            What::Maintenance {
                machines, at_hand, ..
            } => {
                let down = What::Down {
                    machines: machines.clone(),
                    at_hand: *at_hand,
                };
                down.apply(Arc::make_mut(&mut layout), Arc::make_mut(&mut truth));
            }
            what => what.apply(Arc::make_mut(&mut layout), Arc::make_mut(&mut truth)),
        }
    }
    Stage {
        at_ns,
        layout,
        truth,
    }
}

/// Stations of these machines work, or do not, from one time to another, whatever their calendar says.
fn turn_hours(layout: &mut Layout, machines: &[usize], opens: bool, window: (u64, u64)) {
    let mut made: Vec<(Option<usize>, usize)> = Vec::new();
    for at in 0..layout.stations.len() {
        let of = layout.stations.get(at);
        let Some((machine, hours)) = of.map(|one| (one.machine, one.hours)) else {
            continue;
        };
        // What always works needs not be opened.
        if !machines.contains(&machine) || (opens && hours.is_none()) {
            continue;
        }
        let new = made
            .iter()
            .find(|(from, _)| *from == hours)
            .map(|(_, to)| *to);
        let new = new.unwrap_or_else(|| {
            let before = hours.and_then(|hours| layout.hours.get(hours));
            layout.hours.push(turned(before, opens, window));
            made.push((hours, layout.hours.len() - 1));
            layout.hours.len() - 1
        });
        if let Some(station) = layout.stations.get_mut(at) {
            station.hours = Some(new);
        }
    }
}

fn turned(hours: Option<&Hours>, opens: bool, (from_ns, to_ns): (u64, u64)) -> Hours {
    let always = Toggle {
        at_ns: 0,
        turn: Turn::Open,
        shift: String::new(),
        team: String::new(),
    };
    let (calendar, toggles) = match hours {
        Some(hours) => (hours.calendar.clone(), hours.toggles.clone()),
        None => (String::new(), vec![always]),
    };
    let before = toggles.iter().filter(|one| one.at_ns < from_ns).cloned();
    let during = Toggle {
        at_ns: from_ns,
        turn: if opens { Turn::Open } else { Turn::Closed },
        shift: if opens { "extra" } else { "" }.to_owned(),
        team: String::new(),
    };
    let then = toggles.iter().rev().find(|one| one.at_ns <= to_ns);
    let then = then.filter(|_| to_ns < u64::MAX).map(|one| Toggle {
        at_ns: to_ns,
        ..one.clone()
    });
    let after = toggles.iter().filter(|one| one.at_ns > to_ns).cloned();
    let toggles = before.chain([during]).chain(then).chain(after).collect();
    Hours { calendar, toggles }
}
