//! What changes on the way: from a time on a factory is made of something else, or behaves differently.

use super::{Due, FIRST, Factory, trouble::MachineState};
use crate::kernel::Distribution;
use crate::layout::Layout;
use crate::truth::{AtHand, FailureTruth, Truth};
use std::sync::Arc;

/// What a factory is made of and what is true of it, from its start on and later.
///
/// All have the same machines, stations, buffers, ways, feeds, carriers, crews and hours; what these are like
/// may differ.
#[derive(Clone, Debug)]
pub(crate) struct Course {
    pub(crate) layout: Arc<Layout>,
    pub(crate) truth: Arc<Truth>,
    pub(crate) later: Arc<[Stage]>,
}

/// From a time on.
#[derive(Clone, Debug)]
pub(crate) struct Stage {
    /// In nanoseconds from the start.
    pub(crate) at_ns: u64,
    pub(crate) layout: Arc<Layout>,
    pub(crate) truth: Arc<Truth>,
}

impl Course {
    /// The most slots that a station ever has.
    pub(super) fn slots(&self, station: usize) -> u32 {
        let later = self.later.iter().map(|stage| &stage.layout);
        let layouts = std::iter::once(&self.layout).chain(later);
        let slots = layouts.filter_map(|layout| Some(layout.stations.get(station)?.slots));
        slots.max().unwrap_or(0)
    }
}

impl Factory {
    pub(super) fn plan_stages(&mut self) {
        for (number, stage) in Arc::clone(&self.later).iter().enumerate() {
            self.calendar
                .plan(stage.at_ns, FIRST, Due::Stage { number });
        }
    }

    /// From now on the next stage holds. Work that has begun takes as long as it was to take, repairs as
    /// well; time until a failure is as much longer or shorter as its mean is.
    pub(super) fn change(&mut self, number: usize) {
        let Some(stage) = self.later.get(number).cloned() else {
            return;
        };
        for station in 0..self.stations.len() {
            // What was worked until now counts on the clocks as they were.
            self.set_busy(station, false);
        }
        let before = std::mem::replace(&mut self.truth, stage.truth);
        let layout = std::mem::replace(&mut self.layout, stage.layout);
        for station in 0..self.stations.len() {
            if let (Some(running), Some(of)) = (
                self.stations.get_mut(station),
                self.layout.stations.get(station),
            ) {
                let open = usize::try_from(of.slots).unwrap_or(0);
                running.open_end = (running.first_slot + open).min(running.end_slot);
            }
        }
        self.change_machines(&before);
        self.change_pools(&layout);
        for station in 0..self.stations.len() {
            self.goes_on(station);
        }
        for feed in 0..self.feeds.len() {
            self.call_for(feed);
        }
    }

    fn change_machines(&mut self, before: &Truth) {
        let truth = Arc::clone(&self.truth);
        for (machine, (was, is)) in before.machines.iter().zip(&truth.machines).enumerate() {
            let Some(state) = self.machines.get_mut(machine) else {
                continue;
            };
            state.rescale(&was.failures, &is.failures);
            if was.hold != is.hold {
                self.hold(machine, was.hold, false);
                self.hold(machine, is.hold, true);
            }
        }
    }

    /// A machine stands as planned from now on, or may work again.
    pub(super) fn hold(&mut self, machine: usize, how: Option<AtHand>, stands: bool) {
        let of = self.layout.machines.get(machine);
        let station = of.and_then(|one| one.station);
        let Some(how) = how else { return };
        if how == AtHand::Finish {
            return self.rest(station, stands);
        }
        if let Some(state) = self.machines.get_mut(machine) {
            state.zones = match stands {
                true => state.zones + 1,
                false => state.zones.saturating_sub(1),
            };
        }
        if !stands {
            return self.runs_again(machine);
        }
        self.stands_now(machine);
        if let Some(station) = station.filter(|_| how == AtHand::Scrap) {
            self.throw_away(station);
        }
    }

    /// A station begins nothing new, or does so again.
    fn rest(&mut self, station: Option<usize>, rests: bool) {
        let Some(station) = station else { return };
        if let Some(running) = self.stations.get_mut(station) {
            running.is_resting = rests;
        }
        self.update_states(station);
        self.touch(station);
    }

    /// There are more or fewer carriers and people; those that are under way are taken out when they are free.
    fn change_pools(&mut self, before: &Layout) {
        let layout = Arc::clone(&self.layout);
        for (at, (was, is)) in before.carriers.iter().zip(&layout.carriers).enumerate() {
            let (Some(free), Some(owed)) =
                (self.carriers.get_mut(at), self.carriers_owed.get_mut(at))
            else {
                continue;
            };
            resize(free, owed, (was.count, is.count));
        }
        for (at, (was, is)) in before.crews.iter().zip(&layout.crews).enumerate() {
            if let Some(crew) = self.crews.get_mut(at) {
                resize(&mut crew.free, &mut crew.owed, (was.size, is.size));
            }
            self.dispatch(at);
        }
    }

    /// The clock of a station's work runs again, if it works.
    fn goes_on(&mut self, station: usize) {
        let busy = self.is_busy(station);
        self.set_busy(station, busy);
        if busy {
            let slots = self.stations.get(station);
            let slots = slots.map_or(0..0, |one| one.first_slot..one.end_slot);
            let ends = slots.filter_map(|slot| self.slots.get(slot));
            let until_ns = ends.map(|slot| slot.ends_ns).max().unwrap_or(0);
            self.arm(station, until_ns);
        }
        self.touch(station);
    }
}

impl MachineState {
    fn rescale(&mut self, was: &[FailureTruth], is: &[FailureTruth]) {
        for ((life, was), is) in self.lives_ns.iter_mut().zip(was).zip(is) {
            if was.up == is.up {
                continue;
            }
            let share = |up: &Distribution| up.mean_s();
            *life = match share(&was.up) {
                mean if mean > 0.0 => (*life as f64 * share(&is.up) / mean) as u64,
                _ => is.up.draw_ns(&mut self.failures),
            };
        }
    }
}

/// So many more or fewer of what is numbered from 1.
fn resize(free: &mut Vec<u32>, owed: &mut u32, (was, is): (u32, u32)) {
    for number in was..is {
        match *owed {
            0 => free.push(number + 1),
            _ => *owed -= 1,
        }
    }
    for _ in is..was {
        if free.pop().is_none() {
            *owed += 1;
        }
    }
}
