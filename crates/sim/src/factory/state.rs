//! The true state of each machine, as it follows from what its station does.

use super::Factory;
use super::fact::Fact;
use super::work::Phase;
use werkbuch_model::event::State;

impl Factory {
    /// Starts or stops the clock of a station's work; its states are told when all is settled, so
    /// that what lasts no time at all is not told.
    pub(super) fn update_states(&mut self, station: usize) {
        let busy = self.is_busy(station);
        self.set_busy(station, busy);
        if !self.changed.contains(&station) {
            self.changed.push(station);
        }
    }

    /// Tells the states of the stations that have changed, and of the machines inside them.
    pub(super) fn tell_states(&mut self) {
        for station in std::mem::take(&mut self.changed) {
            self.tell_state(station);
        }
    }

    fn tell_state(&mut self, station: usize) {
        let Some(spec) = self.layout.stations.get(station) else {
            return;
        };
        let (machine, resources) = (spec.machine, spec.resources.clone());
        let busy = self.is_busy(station);
        let state = self.state_of_station(station, machine, busy);
        self.set_state(machine, state);
        for resource in resources {
            let state = match self.machines.get(resource) {
                Some(one) if one.failed.is_some() => State::Faulted,
                Some(one) if one.zones > 0 => State::Held,
                _ if busy => State::Executing,
                _ => State::Idle,
            };
            self.set_state(resource, state);
        }
    }

    /// A machine that belongs to no station works unless it stands.
    pub(super) fn set_state_alone(&mut self, machine: usize) {
        let state = match self.machines.get(machine) {
            Some(one) if one.failed.is_some() => State::Faulted,
            Some(one) if one.zones > 0 => State::Held,
            _ => State::Idle,
        };
        self.set_state(machine, state);
    }

    fn state_of_station(&self, station: usize, machine: usize, busy: bool) -> State {
        let Some(running) = self.stations.get(station) else {
            return State::Unspecified;
        };
        let any = |phase: Phase| {
            (running.first_slot..running.end_slot).any(|slot| self.phase(slot) == phase)
        };
        if self
            .machines
            .get(machine)
            .is_some_and(|one| one.failed.is_some())
        {
            State::Faulted
        } else if busy {
            State::Executing
        } else if running.setting.is_some() {
            State::Setup
        } else if running.is_resting
            || (self.is_halted(station) && (!running.is_closed || any(Phase::Paused)))
        {
            State::Held
        } else if running.is_closed {
            State::Stopped
        } else if any(Phase::Done)
            || any(Phase::Ready)
            || (running.first_slot..running.end_slot).any(|slot| self.waits_for_room(slot))
        {
            State::Blocked
        } else {
            State::Starved
        }
    }

    fn set_state(&mut self, machine: usize, to: State) {
        let now_ns = self.now_ns();
        let Some(one) = self.machines.get_mut(machine) else {
            return;
        };
        let from = std::mem::replace(&mut one.state, to);
        if from == to {
            return;
        }
        let since_ns = std::mem::replace(&mut one.since_ns, now_ns);
        if from != State::Unspecified {
            self.tally.spend(machine, from, since_ns, now_ns);
        }
        self.say(Fact::State { machine, from, to });
    }
}
