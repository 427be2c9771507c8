//! The run: what happens next, and what the machines say about it.

use crate::layout::{Layout, LayoutError};
use crate::station::{self, Phase, Running};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use werkbuch_model::event::{Body, Mode, State};
use werkbuch_model::id::MachineNumber;

/// What a machine says at a simulated time.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Simulated time since the start, in nanoseconds; never before the event before it.
    pub at_ns: u64,
    /// The machine.
    pub machine: MachineNumber,
    /// What it says.
    pub body: Body<'static>,
}

/// How many parts have gone through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flow {
    /// Parts taken in from outside, with those that were in the buffers at the start.
    pub entered: u64,
    /// Good parts that left.
    pub left: u64,
    /// Parts that were scrapped on the way.
    pub scrapped: u64,
}

/// What is due at a station; each has at most one thing due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    /// The cycle ends.
    Finish,
    /// It fails, with so much working time left.
    Break { left_ns: u64 },
    /// The repair ends.
    Repair,
    /// The change-over ends.
    SetupDone,
}

/// A factory that runs: an iterator of what its machines say.
///
/// It ends only if no station can ever work again, as in a layout without a station that takes
/// parts from outside.
#[derive(Clone, Debug)]
pub struct Factory {
    layout: Layout,
    stations: Vec<Running>,
    levels: Vec<u32>,
    /// (time, order of planning, station, what): the order breaks ties.
    agenda: BinaryHeap<Reverse<(u64, u64, usize, Due)>>,
    planned: u64,
    now_ns: u64,
    said: VecDeque<Event>,
    /// Stations that may be able to go on since a buffer changed.
    awake: VecDeque<usize>,
    flow: Flow,
}

impl Factory {
    /// A factory at its start. Errors: [`LayoutError`] when the layout cannot run.
    pub fn new(layout: Layout, seed: u64) -> Result<Self, LayoutError> {
        layout.check()?;
        let count = layout.stations.len();
        let mut factory = Self {
            stations: (0..count as u64).map(|at| Running::new(seed, at)).collect(),
            levels: layout
                .buffers
                .iter()
                .map(|one| one.initial.min(one.capacity))
                .collect(),
            layout,
            agenda: BinaryHeap::new(),
            planned: 0,
            now_ns: 0,
            said: VecDeque::new(),
            awake: VecDeque::new(),
            flow: Flow::default(),
        };
        factory.flow.entered = factory.levels.iter().map(|level| u64::from(*level)).sum();
        for at in 0..count {
            if let Some(greeting) = factory.stations.get(at).map(Running::greet) {
                greeting.into_iter().for_each(|body| factory.say(at, body));
            }
            factory.awake.push_back(at);
        }
        factory.settle();
        Ok(factory)
    }

    /// How many parts have gone through so far.
    #[must_use]
    pub fn flow(&self) -> Flow {
        self.flow
    }

    /// How many parts each buffer holds, in the order of the layout.
    #[must_use]
    pub fn levels(&self) -> &[u32] {
        &self.levels
    }

    /// How many parts are inside stations.
    #[must_use]
    pub fn in_stations(&self) -> u64 {
        self.stations.iter().filter(|one| one.holds()).count() as u64
    }

    fn say(&mut self, at: usize, body: Body<'static>) {
        let Some(station) = self.layout.stations.get(at) else {
            return;
        };
        self.said.push_back(Event {
            at_ns: self.now_ns,
            machine: station.machine,
            body,
        });
    }

    fn say_state(&mut self, at: usize, to: State, reason: &'static str) {
        let body = self
            .stations
            .get_mut(at)
            .and_then(|one| one.state(to, reason));
        if let Some(body) = body {
            self.say(at, body);
        }
    }

    fn plan(&mut self, after_ns: u64, at: usize, due: Due) {
        let time = self.now_ns.saturating_add(after_ns.max(1));
        self.planned += 1;
        self.agenda.push(Reverse((time, self.planned, at, due)));
    }

    fn enter(&mut self, at: usize, phase: Phase) {
        if let Some(station) = self.stations.get_mut(at) {
            station.phase = phase;
        }
    }

    /// Lets every station go on that can, until none can.
    fn settle(&mut self) {
        while let Some(at) = self.awake.pop_front() {
            match self.stations.get(at).map(|station| station.phase) {
                Some(Phase::Starved) => self.begin(at),
                Some(Phase::Blocked) => self.put_down(at),
                _ => {}
            }
        }
    }

    /// Begins the next cycle, or a change-over, or waits for parts.
    fn begin(&mut self, at: usize) {
        let Some(spec) = self.layout.stations.get(at) else {
            return;
        };
        let (lot, setup_ns) = (spec.lot, spec.setup_ns);
        let Some(running) = self.stations.get_mut(at) else {
            return;
        };
        if lot > 0 && running.since_setup >= lot {
            running.phase = Phase::Setup;
            let time = running.draw.around(setup_ns, 300);
            self.say(at, station::mode(Mode::Setup));
            self.say_state(at, State::Setup, "");
            self.plan(time, at, Due::SetupDone);
        } else if self.take_parts(at) {
            self.enter(at, Phase::Working);
            self.say_state(at, State::Executing, "");
            self.work(at);
        } else {
            self.enter(at, Phase::Starved);
            self.say_state(at, State::Starved, "");
        }
    }

    /// Takes one part of each input, if all have one.
    fn take_parts(&mut self, at: usize) -> bool {
        let Some(spec) = self.layout.stations.get(at) else {
            return false;
        };
        let level = |buffer: &usize| self.levels.get(*buffer).copied().unwrap_or(0);
        if !spec.inputs.iter().all(|buffer| level(buffer) > 0) {
            return false;
        }
        if spec.inputs.is_empty() {
            self.flow.entered += 1;
        }
        for buffer in &spec.inputs {
            if let Some(level) = self.levels.get_mut(*buffer) {
                *level = level.saturating_sub(1);
            }
            let feeds = |one: &crate::Station| one.output == Some(*buffer);
            let feeders = self.layout.stations.iter().enumerate();
            self.awake
                .extend(feeders.filter(|(_, one)| feeds(one)).map(|(at, _)| at));
        }
        true
    }

    /// Draws a whole cycle: how long it takes, and whether it ends in a failure.
    fn work(&mut self, at: usize) {
        let (Some(spec), Some(running)) = (self.layout.stations.get(at), self.stations.get_mut(at))
        else {
            return;
        };
        let cycle = running.draw.around(spec.cycle_ns, spec.spread_permille);
        if running.draw.chance(cycle, spec.mtbf_ns) {
            let done = running.draw.below(cycle);
            let left_ns = cycle.saturating_sub(done);
            self.plan(done, at, Due::Break { left_ns });
        } else {
            self.plan(cycle, at, Due::Finish);
        }
    }

    fn happen(&mut self, at: usize, due: Due) {
        match due {
            Due::Finish => self.finish(at),
            Due::Break { left_ns } => self.fail(at, left_ns),
            Due::Repair => self.repaired(at),
            Due::SetupDone => {
                let done = self.stations.get_mut(at).map(Running::changed_over);
                done.into_iter()
                    .flatten()
                    .for_each(|body| self.say(at, body));
                self.begin(at);
            }
        }
    }

    fn finish(&mut self, at: usize) {
        let (Some(spec), Some(running)) = (self.layout.stations.get(at), self.stations.get_mut(at))
        else {
            return;
        };
        let scrap = running.draw.chance(u64::from(spec.scrap_permille), 1000);
        let body = running.count(!scrap);
        self.say(at, body);
        if scrap {
            self.flow.scrapped += 1;
            self.begin(at);
        } else {
            self.put_down(at);
        }
    }

    /// Puts the finished part into the output and goes on, or waits for room.
    fn put_down(&mut self, at: usize) {
        let Some(output) = self.layout.stations.get(at).map(|spec| spec.output) else {
            return;
        };
        let Some(buffer) = output else {
            self.flow.left += 1;
            self.begin(at);
            return;
        };
        let capacity = self
            .layout
            .buffers
            .get(buffer)
            .map_or(0, |one| one.capacity);
        match self.levels.get_mut(buffer) {
            Some(level) if *level < capacity => {
                *level += 1;
                let users = self.layout.stations.iter().enumerate();
                let users = users.filter(|(_, one)| one.inputs.contains(&buffer));
                self.awake.extend(users.map(|(at, _)| at));
                self.begin(at);
            }
            _ => {
                self.enter(at, Phase::Blocked);
                self.say_state(at, State::Blocked, "");
            }
        }
    }

    fn fail(&mut self, at: usize, left_ns: u64) {
        let since_ns = self.now_ns;
        let (Some(spec), Some(running)) = (self.layout.stations.get(at), self.stations.get_mut(at))
        else {
            return;
        };
        let fault = station::draw_fault(&mut running.draw);
        let time = running.draw.around(spec.mttr_ns, 700);
        running.phase = Phase::Failed {
            left_ns,
            fault,
            since_ns,
        };
        self.say(at, station::raised(fault));
        self.say_state(at, State::Faulted, station::fault_code(fault));
        self.plan(time, at, Due::Repair);
    }

    fn repaired(&mut self, at: usize) {
        let Some(Phase::Failed {
            left_ns,
            fault,
            since_ns,
        }) = self.stations.get(at).map(|station| station.phase)
        else {
            return;
        };
        let stood = self.now_ns.saturating_sub(since_ns);
        self.enter(at, Phase::Working);
        self.say(at, station::cleared(fault, stood));
        self.say_state(at, State::Executing, "");
        self.plan(left_ns, at, Due::Finish);
    }
}

impl Iterator for Factory {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        while self.said.is_empty() {
            let Reverse((time, _, at, due)) = self.agenda.pop()?;
            self.now_ns = time;
            self.happen(at, due);
            self.settle();
        }
        self.said.pop_front()
    }
}

#[cfg(test)]
mod tests;
