//! Trouble: machines fail on the clock of their work, wait for a crew and are repaired; zones stop.

use super::fact::{Cause, Fact};
use super::start::left_ns;
use super::{Due, FREES, Factory, STOPS};
use crate::kernel::{Purpose, Stream, Streams};
use crate::layout::Station;
use crate::truth::MachineTruth;
use std::collections::VecDeque;
use werkbuch_model::event::State;

/// A machine as it runs.
#[derive(Clone, Debug)]
pub(super) struct MachineState {
    pub(super) state: State,
    pub(super) since_ns: u64,
    /// The way in which it has failed, and when.
    pub(super) failed: Option<(usize, u64)>,
    crew: Option<(usize, u32)>,
    /// How many of its zones stand.
    pub(super) zones: u32,
    /// Working time left until it fails, by way.
    pub(super) lives_ns: [u64; 3],
    generation: u32,
    /// For how long it had stood at the start.
    spent_ns: u64,
    pub(super) failures: Stream,
    pub(super) repairs: Stream,
}

/// A crew as it works.
#[derive(Clone, Debug)]
pub(super) struct CrewState {
    pub(super) free: Vec<u32>,
    waiting: VecDeque<usize>,
    /// How many go when their repair is done.
    pub(super) owed: u32,
}

/// A zone as it runs.
#[derive(Clone, Debug)]
pub(super) struct ZoneState {
    since_ns: u64,
    stops: Stream,
}

impl MachineState {
    pub(super) fn new(number: u32, truth: &MachineTruth, streams: &Streams) -> Self {
        let mut failures = streams.stream(number, Purpose::Failure);
        let lives_ns = truth
            .failures
            .each_ref()
            .map(|way| way.up.draw_ns(&mut failures));
        Self {
            state: State::Unspecified,
            since_ns: 0,
            failed: None,
            crew: None,
            zones: 0,
            lives_ns,
            generation: 0,
            spent_ns: 0,
            failures,
            repairs: streams.stream(number, Purpose::Repair),
        }
    }

    pub(super) const fn stands(&self) -> bool {
        self.failed.is_some() || self.zones > 0
    }
}

impl CrewState {
    pub(super) fn new(size: u32) -> Self {
        Self {
            free: (1..=size).rev().collect(),
            waiting: VecDeque::new(),
            owed: 0,
        }
    }
}

impl ZoneState {
    pub(super) const fn new(number: u32, streams: &Streams) -> Self {
        Self {
            since_ns: 0,
            stops: streams.stream(number + (1 << 20), Purpose::Failure),
        }
    }
}

impl Factory {
    /// Whether the station stands: by itself, or because its belt does.
    pub(super) fn is_halted(&self, station: usize) -> bool {
        let Some(spec) = self.layout.stations.get(station) else {
            return true;
        };
        let mut fellows = spec.stops_with.iter();
        self.stands_itself(spec) || fellows.any(|other| self.is_down(*other))
    }

    fn is_down(&self, station: usize) -> bool {
        let station = self.layout.stations.get(station);
        station.is_none_or(|spec| self.stands_itself(spec))
    }

    /// Whether the station, or a machine without which it cannot work, stands.
    fn stands_itself(&self, spec: &Station) -> bool {
        let stands = |machine: usize| self.machines.get(machine).is_some_and(MachineState::stands);
        let stops = |machine: &&usize| {
            self.layout
                .machines
                .get(**machine)
                .is_some_and(|one| one.stops_station)
        };
        stands(spec.machine)
            || spec
                .resources
                .iter()
                .filter(stops)
                .any(|machine| stands(*machine))
    }

    /// By how much a station is slower because machines in it stand that do not stop it.
    pub(super) fn slowed(&self, station: usize) -> f64 {
        let Some(spec) = self.layout.stations.get(station) else {
            return 1.0;
        };
        let stands = |machine: &&usize| {
            self.machines
                .get(**machine)
                .is_some_and(MachineState::stands)
        };
        let down = spec.resources.iter().filter(stands).count();
        1.0 + 0.4 * f64::from(u8::try_from(down).unwrap_or(u8::MAX))
    }

    /// The machines of a station whose work wears them: itself and what is inside it.
    fn team(&self, station: usize) -> Vec<usize> {
        let Some(spec) = self.layout.stations.get(station) else {
            return Vec::new();
        };
        std::iter::once(spec.machine)
            .chain(spec.resources.iter().copied())
            .collect()
    }

    /// Plans the first failure of a station's machines, if it comes before the work ends.
    pub(super) fn arm(&mut self, station: usize, until_ns: u64) {
        let now_ns = self.now_ns();
        let Some(running) = self.stations.get(station) else {
            return;
        };
        let Some(busy_ns) = running.busy_ns.filter(|_| !running.is_armed) else {
            return;
        };
        let worked = now_ns.saturating_sub(busy_ns);
        let lives = self.team(station).into_iter().filter_map(|machine| {
            let state = self.machines.get(machine)?;
            let (way, life) = state
                .lives_ns
                .iter()
                .enumerate()
                .min_by_key(|(_, life)| **life)?;
            (!state.stands()).then_some((
                life.saturating_sub(worked),
                machine,
                way,
                state.generation,
            ))
        });
        let Some((left_ns, machine, way, generation)) = lives.min() else {
            return;
        };
        if now_ns.saturating_add(left_ns) < until_ns {
            self.calendar.plan(
                left_ns,
                STOPS,
                Due::Fail {
                    machine,
                    way,
                    generation,
                },
            );
            if let Some(running) = self.stations.get_mut(station) {
                running.is_armed = true;
            }
        }
    }

    /// Starts or stops the clock of a station's work; what has run is taken off its machines' lives.
    pub(super) fn set_busy(&mut self, station: usize, busy: bool) {
        let now_ns = self.now_ns();
        let Some(running) = self.stations.get_mut(station) else {
            return;
        };
        match (running.busy_ns, busy) {
            (None, true) => running.busy_ns = Some(now_ns),
            (Some(since_ns), false) => {
                (running.busy_ns, running.is_armed) = (None, false);
                for machine in self.team(station) {
                    if let Some(state) = self.machines.get_mut(machine) {
                        state.generation = state.generation.wrapping_add(1);
                        for life in &mut state.lives_ns {
                            *life = life.saturating_sub(now_ns - since_ns);
                        }
                    }
                }
            }
            _ => {}
        }
    }

    pub(super) fn fail(&mut self, machine: usize, way: usize, generation: u32) {
        let Some(state) = self.machines.get_mut(machine) else {
            return;
        };
        if state.generation != generation {
            return;
        }
        self.fail_now(machine, way, 0);
    }

    /// A machine stands from now on, or has stood for so long.
    pub(super) fn fail_now(&mut self, machine: usize, way: usize, spent_ns: u64) {
        let now_ns = self.now_ns();
        let Some(state) = self.machines.get_mut(machine) else {
            return;
        };
        state.failed = Some((way, now_ns));
        state.spent_ns = spent_ns;
        self.tally.stopped(machine, Cause::Own(way), now_ns);
        self.stands_now(machine);
        self.say(Fact::Failed { machine, way });
        let needs_crew = self
            .truth
            .machines
            .get(machine)
            .and_then(|one| one.failures.get(way));
        let crew = self.layout.machines.get(machine).and_then(|one| one.crew);
        match crew.filter(|_| needs_crew.is_some_and(|way| way.needs_crew)) {
            Some(crew) => {
                if let Some(state) = self.crews.get_mut(crew) {
                    state.waiting.push_back(machine);
                }
                self.dispatch(crew);
            }
            None => self.repair(machine),
        }
    }

    /// Sends people who are free to machines that wait, in the order in which these failed.
    pub(super) fn dispatch(&mut self, crew: usize) {
        while let Some(state) = self.crews.get_mut(crew)
            && !state.free.is_empty()
            && let Some(machine) = state.waiting.pop_front()
            && let Some(number) = state.free.pop()
        {
            if let Some(state) = self.machines.get_mut(machine) {
                state.crew = Some((crew, number));
            }
            self.tally.crew_came(machine, self.now_ns());
            self.say(Fact::CrewCame {
                machine,
                crew,
                number,
            });
            self.repair(machine);
        }
    }

    fn repair(&mut self, machine: usize) {
        let Some(state) = self.machines.get_mut(machine) else {
            return;
        };
        let way = state.failed.map_or(0, |(way, _)| way);
        let truth = self
            .truth
            .machines
            .get(machine)
            .and_then(|one| one.failures.get(way));
        let spent_ns = std::mem::take(&mut state.spent_ns);
        let time = truth.map_or(0, |way| left_ns(&way.repair, spent_ns, &mut state.repairs));
        self.calendar
            .plan(time.max(1_000_000_000), FREES, Due::Repaired { machine });
    }

    pub(super) fn repaired(&mut self, machine: usize) {
        let now_ns = self.now_ns();
        let Some(state) = self.machines.get_mut(machine) else {
            return;
        };
        let Some((way, since_ns)) = state.failed.take() else {
            return;
        };
        let truth = self
            .truth
            .machines
            .get(machine)
            .and_then(|one| one.failures.get(way));
        if let (Some(truth), Some(life)) = (truth, state.lives_ns.get_mut(way)) {
            *life = truth.up.draw_ns(&mut state.failures);
        }
        let crew = state.crew.take();
        self.tally.went_on(machine, Cause::Own(way), now_ns);
        self.say(Fact::Repaired {
            machine,
            way,
            stood_ns: now_ns - since_ns,
            crew,
        });
        if let Some((crew, number)) = crew {
            if let Some(state) = self.crews.get_mut(crew) {
                match state.owed {
                    0 => state.free.push(number),
                    _ => state.owed -= 1,
                }
            }
            self.dispatch(crew);
        }
        self.runs_again(machine);
    }

    pub(super) fn plan_zone_stop(&mut self, zone: usize) {
        let (Some(state), Some(truth)) = (self.zones.get_mut(zone), self.truth.zones.get(zone))
        else {
            return;
        };
        let after_ns = truth.up.draw_ns(&mut state.stops);
        self.calendar.plan(after_ns, STOPS, Due::ZoneStop { zone });
    }

    pub(super) fn zone_stop(&mut self, zone: usize) {
        let now_ns = self.now_ns();
        let (Some(state), Some(truth)) = (self.zones.get_mut(zone), self.truth.zones.get(zone))
        else {
            return;
        };
        state.since_ns = now_ns;
        let stop_ns = truth.stop.draw_ns(&mut state.stops).max(1_000_000_000);
        self.calendar.plan(stop_ns, FREES, Due::ZoneFree { zone });
        self.say(Fact::ZoneStopped { zone });
        for machine in self
            .layout
            .zones
            .get(zone)
            .map(|one| one.machines.clone())
            .unwrap_or_default()
        {
            if let Some(state) = self.machines.get_mut(machine) {
                state.zones += 1;
            }
            self.tally.stopped(machine, Cause::Zone(zone), now_ns);
            self.stands_now(machine);
        }
    }

    pub(super) fn zone_free(&mut self, zone: usize) {
        let now_ns = self.now_ns();
        let since_ns = self.zones.get(zone).map_or(now_ns, |state| state.since_ns);
        self.say(Fact::ZoneFreed {
            zone,
            stood_ns: now_ns - since_ns,
        });
        for machine in self
            .layout
            .zones
            .get(zone)
            .map(|one| one.machines.clone())
            .unwrap_or_default()
        {
            if let Some(state) = self.machines.get_mut(machine) {
                state.zones = state.zones.saturating_sub(1);
            }
            self.tally.went_on(machine, Cause::Zone(zone), now_ns);
            self.runs_again(machine);
        }
        self.plan_zone_stop(zone);
    }

    pub(super) fn stands_now(&mut self, machine: usize) {
        let Some(station) = self
            .layout
            .machines
            .get(machine)
            .and_then(|one| one.station)
        else {
            self.set_state_alone(machine);
            return;
        };
        for station in self.tied(station) {
            if self.is_halted(station) {
                self.pause(station);
            }
            self.update_states(station);
        }
    }

    /// A station, and those that stand when it does.
    fn tied(&self, station: usize) -> Vec<usize> {
        let spec = self.layout.stations.get(station);
        let fellows = spec.into_iter().flat_map(|one| &one.stops_with).copied();
        std::iter::once(station).chain(fellows).collect()
    }

    pub(super) fn runs_again(&mut self, machine: usize) {
        let Some(station) = self
            .layout
            .machines
            .get(machine)
            .and_then(|one| one.station)
        else {
            self.set_state_alone(machine);
            return;
        };
        for station in self.tied(station) {
            if self.is_halted(station) {
                self.update_states(station);
            } else {
                self.resume(station);
            }
        }
    }
}
