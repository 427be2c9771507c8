//! Work: a cycle in a slot, what it needs to begin, what becomes of its part.

use super::fact::{Fact, Gone, Part, PartIndex, Verdict};
use super::{Due, Factory, WORK};
use crate::kernel::{Distribution, Purpose, Stream, Streams};

/// What a slot does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// It holds no part.
    Empty,
    /// It holds a part whose work has not begun.
    Loaded,
    /// It works.
    Working,
    /// Its work is interrupted.
    Paused,
    /// Its part has had its time at this place, and waits for the step to the next of its station.
    Ready,
    /// It is done and its part has not left yet.
    Done,
}

/// A place in a station that works on one part.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    pub(super) station: usize,
    pub(super) part: Option<PartIndex>,
    pub(super) phase: Phase,
    /// Counts the times that work was begun or gone on with, so that an end that was planned before
    /// an interruption is known to be void.
    pub(super) generation: u32,
    /// When the work that runs ends.
    pub(super) ends_ns: u64,
    /// How much work is left, while it is interrupted.
    pub(super) left_ns: u64,
    /// How long the work takes in all.
    pub(super) work_ns: u64,
    /// How long of this the part spends at each place of a section.
    pub(super) stay_ns: u64,
    pub(super) cycle: u64,
    pub(super) verdict: Verdict,
    /// Drawn where ways on have shares, from 0 to 1: which of them it is.
    pub(super) split: Option<f64>,
}

/// A station as it runs.
#[derive(Clone, Debug)]
pub(super) struct StationState {
    pub(super) first_slot: usize,
    pub(super) end_slot: usize,
    /// Slots from here on take no part now.
    pub(super) open_end: usize,
    /// Off shift, or on a break.
    pub(super) is_closed: bool,
    /// Planned to begin nothing new.
    pub(super) is_resting: bool,
    /// Being changed to another variant.
    pub(super) setting: Option<usize>,
    /// The variant it is set to.
    pub(super) variant: Option<usize>,
    /// Since when it has been working without interruption, for the clock on which machines fail.
    pub(super) busy_ns: Option<u64>,
    /// Whether a failure is planned within the work that runs.
    pub(super) is_armed: bool,
    pub(super) cycles: u64,
    pub(super) team_factor: f64,
    pub(super) release_ns: u64,
    /// How many parts came in at it.
    pub(super) released: usize,
    pub(super) lot_left: u32,
    pub(super) lot_variant: Option<usize>,
    /// The feed that it stands for want of.
    pub(super) short: Option<usize>,
    /// The call of its people that is not answered yet.
    pub(super) andon: Option<u32>,
    pub(super) andons: u32,
    pub(super) times: Stream,
    pub(super) quality: Stream,
    pub(super) arrivals: Stream,
    pub(super) people: Stream,
    pub(super) routes: Stream,
}

impl Slot {
    pub(super) const fn empty(station: usize) -> Self {
        Self {
            station,
            part: None,
            phase: Phase::Empty,
            generation: 0,
            ends_ns: 0,
            left_ns: 0,
            work_ns: 0,
            stay_ns: 0,
            cycle: 0,
            verdict: Verdict::Good,
            split: None,
        }
    }
}

impl StationState {
    pub(super) fn new(
        (first_slot, end_slot, open_end): (usize, usize, usize),
        number: u32,
        streams: &Streams,
    ) -> Self {
        Self {
            first_slot,
            end_slot,
            open_end,
            is_closed: false,
            is_resting: false,
            setting: None,
            variant: None,
            busy_ns: None,
            is_armed: false,
            cycles: 0,
            team_factor: 1.0,
            release_ns: 0,
            released: 0,
            lot_left: 0,
            lot_variant: None,
            short: None,
            andon: None,
            andons: 0,
            times: streams.stream(number, Purpose::Cycle),
            quality: streams.stream(number, Purpose::Quality),
            arrivals: streams.stream(number + (1 << 22), Purpose::Arrivals),
            people: streams.stream(number, Purpose::People),
            routes: streams.stream(number, Purpose::Routing),
        }
    }
}

impl Factory {
    /// Whether a station takes parts and begins work.
    pub(super) fn is_running(&self, station: usize) -> bool {
        let of = self.stations.get(station);
        of.is_some_and(|one| !one.is_closed && !one.is_resting && one.setting.is_none())
            && !self.is_halted(station)
    }

    /// Begins the work on the part in a slot, if everything is there.
    pub(super) fn begin(&mut self, slot: usize) {
        let Some(this) = self.slots.get(slot).copied() else {
            return;
        };
        let station = this.station;
        let about = this.part.and_then(|part| Some((part, self.part(part)?)));
        let Some((part, about)) = about.filter(|_| self.is_running(station)) else {
            return;
        };
        if let Some(this) = self.slots.get_mut(slot) {
            this.verdict = Verdict::Good;
        }
        if self.waits_for_room(slot) {
            return self.update_states(station);
        }
        self.become_product(part, station);
        let about = self.part(part).unwrap_or(about);
        if self.change_over(station, about) {
            return;
        }
        let (Some(joined), Some(spec)) = (self.joined(station), self.layout.stations.get(station))
        else {
            return;
        };
        let carrier = spec.carrier;
        if !self.has_material(station, about) || !self.board(part, carrier) {
            return;
        }
        let about = self.part(part).unwrap_or(about);
        self.join(station, about, joined);
        self.use_up(station, about);
        self.start(slot, about);
    }

    /// Whether the station must be changed for this part first; the change is begun.
    fn change_over(&mut self, station: usize, about: Part) -> bool {
        let busy = self.is_busy(station);
        let Some(running) = self.stations.get_mut(station) else {
            return true;
        };
        let Some(set) = running.variant else {
            running.variant = Some(about.variant);
            return false;
        };
        let takes_ns = self.layout.setup_ns(station, set, about.variant);
        let machine = self.layout.stations.get(station).map(|one| one.machine);
        let truth = machine.and_then(|machine| self.truth.machines.get(machine));
        let known = truth.and_then(|one| one.setup(set, about.variant, takes_ns > 0));
        if takes_ns == 0 && known.is_none() {
            running.variant = Some(about.variant);
            return false;
        }
        if busy {
            return true;
        }
        running.setting = Some(about.variant);
        let factor = truth.map_or(1.0, |truth| truth.setup_factor);
        let mean_s = takes_ns as f64 * factor / 1e9;
        let time = match known {
            Some(times) => (times.draw_ns(&mut running.times) as f64 * factor) as u64,
            None => Distribution::Lognormal(mean_s, 0.15).draw_ns(&mut running.times),
        };
        self.calendar.plan(time, WORK, Due::SetUp { station });
        self.say(Fact::SetupBegan {
            station,
            from: set,
            to: about.variant,
        });
        true
    }

    pub(super) fn set_up(&mut self, station: usize) {
        let Some(running) = self.stations.get_mut(station) else {
            return;
        };
        if let Some(to) = running.setting.take() {
            running.variant = Some(to);
            self.say(Fact::SetupEnded { station, to });
            self.touch(station);
        }
    }

    /// The parts that a cycle joins, as buffers and places in them; absent when some are missing.
    fn joined(&self, station: usize) -> Option<Vec<(usize, Vec<usize>)>> {
        let joins = self.layout.stations.get(station)?.joins.iter();
        joins
            .map(|(buffer, wanted)| Some((*buffer, self.ready_parts(*buffer, *wanted)?)))
            .collect()
    }

    fn join(&mut self, station: usize, into: Part, joined: Vec<(usize, Vec<usize>)>) {
        let mut parts = Vec::new();
        for (buffer, places) in joined {
            // From the back, so that the places in front stay as they are.
            for at in places.into_iter().rev() {
                let part = self.take_at(buffer, at);
                parts.extend(part.and_then(|part| self.end(part, Gone::Joined)));
            }
        }
        if !parts.is_empty() {
            self.say(Fact::Joined {
                into,
                parts,
                station,
            });
        }
    }

    fn start(&mut self, slot: usize, about: Part) {
        let Some(station) = self.slots.get(slot).map(|slot| slot.station) else {
            return;
        };
        let work_ns = self.cycle_ns(station, about.variant);
        let work_ns = work_ns.max(self.call(station));
        let (work_ns, stay_ns) = self.stay(station, work_ns);
        let ends_ns = self.now_ns().saturating_add(stay_ns);
        let Some(running) = self.stations.get_mut(station) else {
            return;
        };
        running.cycles += 1;
        let cycle = running.cycles;
        if let Some(this) = self.slots.get_mut(slot) {
            this.phase = Phase::Working;
            this.generation = this.generation.wrapping_add(1);
            (this.ends_ns, this.work_ns, this.cycle) = (ends_ns, work_ns, cycle);
            this.stay_ns = stay_ns;
            let generation = this.generation;
            self.calendar
                .plan(stay_ns, WORK, Due::Finish { slot, generation });
        }
        self.update_states(station);
        self.say(Fact::Started {
            station,
            about,
            cycle,
        });
        self.arm(station, ends_ns);
    }

    /// How long a cycle takes by chance, with everything that makes it differ from the plan.
    pub(super) fn cycle_ns(&mut self, station: usize, variant: usize) -> u64 {
        let slow = self.slowed(station);
        let hours = self.now_ns() as f64 / 3.6e12;
        let (Some(spec), Some(running)) = (
            self.layout.stations.get(station),
            self.stations.get_mut(station),
        ) else {
            return 1;
        };
        let Some(truth) = self.truth.machines.get(spec.machine) else {
            return 1;
        };
        let own = truth.cycle_of.iter().find(|(of, _)| *of == variant);
        if let Some(cycle) = own.map(|(_, times)| times).or(truth.cycle.as_ref()) {
            let time = cycle.draw_ns(&mut running.times) as f64;
            return ((time * truth.cycle_factor * slow) as u64).max(1_000_000);
        }
        let own = spec.work_ns.iter().find(|(of, _)| *of == variant);
        let own = own.map(|(_, ns)| *ns);
        let others = spec.content_ns.filter(|_| spec.is_on_a_belt());
        let planned = own.or(others).unwrap_or(spec.cycle_ns) as f64 / 1e9;
        let drift = (1.0 + truth.drift_per_hour * hours).min(1.3);
        let mean = planned * truth.cycle_factor * drift * running.team_factor * slow;
        let time = Distribution::Normal(mean, mean * truth.variation).draw_ns(&mut running.times);
        time.max(1_000_000)
    }

    pub(super) fn finish(&mut self, slot: usize, generation: u32) {
        let Some(this) = self.slots.get(slot).copied() else {
            return;
        };
        if this.generation != generation || this.phase != Phase::Working {
            return;
        }
        let station = this.station;
        if self.is_on_the_way(slot) {
            if let Some(this) = self.slots.get_mut(slot) {
                this.phase = Phase::Ready;
            }
            self.attend(station);
            return;
        }
        let Some(part) = this.part else { return };
        let verdict = self.judge(station, part);
        let Some(about) = self.part(part) else { return };
        if let Some(this) = self.slots.get_mut(slot) {
            (this.phase, this.verdict) = (Phase::Done, verdict);
        }
        self.split(slot);
        self.tally.count(station, verdict);
        self.say(Fact::Ended {
            station,
            about,
            cycle: this.cycle,
            took_ns: this.work_ns,
            verdict,
        });
        if verdict == Verdict::Rework
            && let Some(about) = self.part_mut(part)
        {
            about.reworks += 1;
        }
        // The next part may be there: only what is then still idle has stopped working.
        self.attend(station);
        self.touch(station);
    }

    pub(super) fn is_busy(&self, station: usize) -> bool {
        let Some(of) = self.stations.get(station) else {
            return false;
        };
        (of.first_slot..of.end_slot).any(|slot| self.phase(slot) == Phase::Working)
    }

    /// Interrupts all work of a station.
    pub(super) fn pause(&mut self, station: usize) {
        let now_ns = self.now_ns();
        let Some(of) = self.stations.get(station) else {
            return;
        };
        for slot in of.first_slot..of.end_slot {
            if let Some(this) = self
                .slots
                .get_mut(slot)
                .filter(|one| one.phase == Phase::Working)
            {
                this.phase = Phase::Paused;
                this.generation = this.generation.wrapping_add(1);
                this.left_ns = this.ends_ns.saturating_sub(now_ns);
            }
        }
    }

    /// Goes on with all interrupted work of a station.
    pub(super) fn resume(&mut self, station: usize) {
        let now_ns = self.now_ns();
        let Some((first, end)) = self
            .stations
            .get(station)
            .map(|of| (of.first_slot, of.end_slot))
        else {
            return;
        };
        let mut until_ns = 0;
        for slot in first..end {
            if let Some(this) = self
                .slots
                .get_mut(slot)
                .filter(|one| one.phase == Phase::Paused)
            {
                this.phase = Phase::Working;
                this.generation = this.generation.wrapping_add(1);
                this.ends_ns = now_ns.saturating_add(this.left_ns);
                until_ns = until_ns.max(this.ends_ns);
                let (left_ns, generation) = (this.left_ns, this.generation);
                self.calendar
                    .plan(left_ns, WORK, Due::Finish { slot, generation });
            }
        }
        self.update_states(station);
        if until_ns > 0 {
            self.arm(station, until_ns);
        }
        self.touch(station);
    }
}
