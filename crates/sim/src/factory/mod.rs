//! The factory: the state of a layout in flat arrays, moved on by what is due in its calendar.

mod dispatch;
mod fact;
mod fill;
mod flow;
mod pick;
mod scrap;
mod section;
mod stage;
mod start;
mod state;
mod supply;
mod tally;
#[cfg(test)]
mod tests;
mod trouble;
mod work;

pub use fact::Cause;
pub(crate) use fact::{Fact, Gone, Happening, Part, PartIndex, Verdict};
pub(crate) use stage::{Course, Stage};
pub use start::{AtStation, Failed, Level, Start};
pub use tally::{Stop, Tally};

use crate::kernel::{Calendar, Purpose, Stream, Streams};
use crate::layout::{Layout, Place, Turn};
use crate::truth::Truth;
use std::collections::VecDeque;
use std::sync::Arc;
use work::{Slot, StationState};

/// A running factory. It is an endless sequence of [`Happening`]s in the order of time.
#[derive(Clone, Debug)]
pub(crate) struct Factory {
    layout: Arc<Layout>,
    truth: Arc<Truth>,
    /// What it is made of later, and from when on.
    later: Arc<[Stage]>,
    streams: Streams,
    calendar: Calendar<Due>,
    stations: Vec<StationState>,
    slots: Vec<Slot>,
    machines: Vec<trouble::MachineState>,
    buffers: Vec<flow::BufferState>,
    sections: Vec<section::SectionState>,
    parts: Vec<Option<Part>>,
    free_parts: Vec<PartIndex>,
    serials: Vec<u32>,
    alive: Vec<u32>,
    carriers: Vec<Vec<u32>>,
    /// Of each carrier how many are taken out when they come back.
    carriers_owed: Vec<u32>,
    crews: Vec<trouble::CrewState>,
    zones: Vec<trouble::ZoneState>,
    feeds: Vec<supply::FeedState>,
    turns: Vec<usize>,
    arrivals: Stream,
    colour: Vec<usize>,
    links: flow::Links,
    awake: VecDeque<usize>,
    is_awake: Vec<bool>,
    /// Stations whose states are to be looked at when all have looked around.
    changed: Vec<usize>,
    tally: Tally,
    out: VecDeque<Happening>,
}

/// What is due.
#[derive(Clone, Copy, Debug)]
enum Due {
    /// Work in a slot ends, unless its generation is another by then.
    Finish { slot: usize, generation: u32 },
    /// A change of variant ends.
    SetUp { station: usize },
    /// A machine fails in a way, unless its generation is another by then.
    Fail {
        machine: usize,
        way: usize,
        generation: u32,
    },
    /// A repair ends.
    Repaired { machine: usize },
    /// A zone stops.
    ZoneStop { zone: usize },
    /// A zone goes on.
    ZoneFree { zone: usize },
    /// Hours turn.
    Turn { hours: usize },
    /// A station has a reason to look around.
    Look { station: usize },
    /// A part has passed a buffer.
    Passed { buffer: usize },
    /// Parts are taken out of a buffer that is a sink.
    Fetch { buffer: usize },
    /// An empty carrier is back.
    Back { carrier: usize, number: u32 },
    /// A delivery arrives.
    Deliver { feed: usize },
    /// A call of people is answered.
    Answer { station: usize },
    /// A part comes in at a buffer.
    Arrive { buffer: usize },
    /// From now on it is made of something else.
    Stage { number: usize },
}

/// What goes first at one time: hours, then what frees, then work, then what stops.
const FIRST: u8 = 0;
const FREES: u8 = 1;
const WORK: u8 = 2;
const STOPS: u8 = 3;

impl Factory {
    /// A factory at time 0, its buffers partly filled, with chance from the streams.
    pub(crate) fn new(layout: Layout, truth: Truth, streams: Streams) -> Self {
        let course = Course {
            layout: Arc::new(layout),
            truth: Arc::new(truth),
            later: Arc::new([]),
        };
        Self::at(&course, &Start::default(), streams)
    }

    /// A factory as it stands at time 0, which changes as its course says.
    pub(crate) fn at(course: &Course, start: &Start, streams: Streams) -> Self {
        let (layout, truth) = (Arc::clone(&course.layout), Arc::clone(&course.truth));
        let number = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        let mut slots = Vec::new();
        let stations = layout.stations.iter().enumerate().map(|(at, station)| {
            let first = slots.len();
            slots.extend((0..course.slots(at)).map(|_| Slot::empty(at)));
            let open = usize::try_from(station.slots).unwrap_or(0);
            let range = (first, slots.len(), first + open);
            StationState::new(range, number(station.machine), &streams)
        });
        let stations: Vec<_> = stations.collect();
        let machines = layout.machines.iter().zip(&truth.machines).enumerate();
        let machines = machines
            .map(|(at, (_, truth))| trouble::MachineState::new(number(at), truth, &streams));
        let mut factory = Self {
            machines: machines.collect(),
            buffers: vec![flow::BufferState::default(); layout.buffers.len()],
            sections: vec![section::SectionState::default(); layout.sections.len()],
            parts: Vec::new(),
            free_parts: Vec::new(),
            serials: vec![0; layout.products.len()],
            alive: vec![0; layout.variants.len()],
            carriers: layout
                .carriers
                .iter()
                .map(|one| (1..=one.count).rev().collect())
                .collect(),
            carriers_owed: vec![0; layout.carriers.len()],
            crews: layout
                .crews
                .iter()
                .map(|crew| trouble::CrewState::new(crew.size))
                .collect(),
            zones: (0..layout.zones.len())
                .map(|at| trouble::ZoneState::new(number(at), &streams))
                .collect(),
            feeds: truth
                .feeds
                .iter()
                .enumerate()
                .map(|(at, feed)| supply::FeedState::new(number(at), feed, &streams))
                .collect(),
            turns: vec![0; layout.hours.len()],
            arrivals: streams.stream(0, Purpose::Arrivals),
            colour: vec![usize::MAX; layout.products.len()],
            links: flow::Links::of(&layout),
            awake: (0..stations.len()).collect(),
            is_awake: vec![true; stations.len()],
            changed: Vec::new(),
            tally: Tally::new(
                layout.machines.len(),
                layout.stations.len(),
                layout.products.len(),
            ),
            out: VecDeque::new(),
            calendar: Calendar::new(),
            stations,
            slots,
            layout,
            truth,
            later: Arc::clone(&course.later),
            streams,
        };
        factory.open(start);
        factory
    }

    /// What happens before `end_ns`, one after the other; absent when nothing more does. Time then
    /// stands at `end_ns`, and a later end goes on from there.
    pub(crate) fn next_before(&mut self, end_ns: u64) -> Option<Happening> {
        while self.out.is_empty() {
            let due = self.calendar.take_before(end_ns)?;
            self.happen(due);
            self.settle();
            // Whatever else is due in the same moment happens before anything is told.
            while self.calendar.next_ns() == Some(self.now_ns())
                && let Some(due) = self.calendar.take_before(end_ns)
            {
                self.happen(due);
                self.settle();
            }
            self.tell_states();
        }
        self.out.pop_front()
    }

    /// The time, in nanoseconds from the start.
    pub(crate) fn now_ns(&self) -> u64 {
        self.calendar.now_ns()
    }

    /// What it is made of.
    pub(crate) fn layout(&self) -> &Layout {
        &self.layout
    }

    /// What is true of it.
    pub(crate) fn truth(&self) -> &Truth {
        &self.truth
    }

    /// What truly was, up to now.
    pub(crate) fn tally(&self) -> Tally {
        let mut tally = self.tally.clone();
        for (at, machine) in self.machines.iter().enumerate() {
            tally.spend(at, machine.state, machine.since_ns, self.now_ns());
        }
        tally
    }

    /// The parts that are in the plant, with their numbers.
    pub(crate) fn parts(&self) -> impl Iterator<Item = (PartIndex, &Part)> {
        (0..)
            .zip(&self.parts)
            .filter_map(|(at, part)| Some((at, part.as_ref()?)))
    }

    /// The true state of a machine.
    pub(crate) fn state(&self, machine: usize) -> Option<werkbuch_model::event::State> {
        self.machines.get(machine).map(|one| one.state)
    }

    fn open(&mut self, start: &Start) {
        self.plan_stages();
        for hours in 0..self.turns.len() {
            self.turn(hours);
        }
        self.fill(start);
        self.tell_last_levels();
        for zone in 0..self.zones.len() {
            self.plan_zone_stop(zone);
        }
        for machine in 0..self.machines.len() {
            if self
                .layout
                .machines
                .get(machine)
                .is_some_and(|one| one.station.is_none())
            {
                self.set_state_alone(machine);
            }
        }
        self.stand(start);
        self.plan_arrivals();
        self.settle();
        self.tell_states();
    }

    fn happen(&mut self, due: Due) {
        match due {
            Due::Finish { slot, generation } => self.finish(slot, generation),
            Due::SetUp { station } => self.set_up(station),
            Due::Fail {
                machine,
                way,
                generation,
            } => self.fail(machine, way, generation),
            Due::Repaired { machine } => self.repaired(machine),
            Due::ZoneStop { zone } => self.zone_stop(zone),
            Due::ZoneFree { zone } => self.zone_free(zone),
            Due::Turn { hours } => self.turn(hours),
            Due::Look { station } => self.touch(station),
            Due::Passed { buffer } => self.touch_takers(buffer),
            Due::Fetch { buffer } => self.fetch(buffer),
            Due::Back { carrier, number } => self.carrier_back(carrier, number),
            Due::Deliver { feed } => self.deliver(feed),
            Due::Answer { station } => self.answer(station),
            Due::Arrive { buffer } => self.arrive(buffer),
            Due::Stage { number } => self.change(number),
        }
    }

    /// Lets every station that has a reason to look around do so, until none has.
    fn settle(&mut self) {
        while let Some(station) = self.awake.pop_front() {
            if let Some(awake) = self.is_awake.get_mut(station) {
                *awake = false;
            }
            self.attend(station);
        }
    }

    fn touch(&mut self, station: usize) {
        if let Some(awake) = self.is_awake.get_mut(station)
            && !*awake
        {
            *awake = true;
            self.awake.push_back(station);
        }
    }

    /// The hours of some stations turn: what begins now is said, and the next turn is planned.
    fn turn(&mut self, hours: usize) {
        let (Some(next), Some(of)) = (self.turns.get_mut(hours), self.layout.hours.get(hours))
        else {
            return;
        };
        let at = *next;
        *next += 1;
        let Some(toggle) = of.toggles.get(at) else {
            return;
        };
        let (is_open, team) = (toggle.turn == Turn::Open, toggle.team.clone());
        let after = of.toggles.get(at + 1).map(|after| after.at_ns);
        if let Some(after) = after {
            self.calendar.plan(
                after.saturating_sub(self.now_ns()),
                FIRST,
                Due::Turn { hours },
            );
        }
        self.say(Fact::Hours { hours, toggle: at });
        for station in 0..self.stations.len() {
            let follows = self.layout.stations.get(station);
            let Some(follows) = follows.filter(|one| one.hours == Some(hours)) else {
                continue;
            };
            let by_hand = follows.operators > 0;
            if let Some(running) = self.stations.get_mut(station) {
                running.is_closed = !is_open;
                if is_open && by_hand && !team.is_empty() {
                    running.team_factor = Truth::team_factor(&self.streams, station, &team);
                }
            }
            self.touch(station);
        }
    }

    fn say(&mut self, fact: Fact) {
        let at_ns = self.now_ns();
        self.out.push_back(Happening { at_ns, fact });
    }

    fn part(&self, part: PartIndex) -> Option<Part> {
        *self.parts.get(usize::try_from(part).ok()?)?
    }

    fn part_mut(&mut self, part: PartIndex) -> Option<&mut Part> {
        self.parts.get_mut(usize::try_from(part).ok()?)?.as_mut()
    }

    /// A new part at a place.
    fn make(&mut self, product: usize, variant: usize, place: Place) -> PartIndex {
        let serial = self.serials.get_mut(product).map_or(0, |serial| {
            *serial = serial.saturating_add(1);
            *serial
        });
        let about = Part {
            product,
            variant,
            born_ns: Some(self.now_ns()),
            serial,
            carrier: None,
            reworks: 0,
            place,
            is_spoilt: false,
            is_scrap: false,
        };
        if let Some(alive) = self.alive.get_mut(variant) {
            *alive += 1;
        }
        self.tally.made(product);
        let part = self.free_parts.pop().unwrap_or_else(|| {
            self.parts.push(None);
            u32::try_from(self.parts.len() - 1).unwrap_or(u32::MAX)
        });
        if let Some(room) = usize::try_from(part)
            .ok()
            .and_then(|at| self.parts.get_mut(at))
        {
            *room = Some(about);
        }
        part
    }

    /// Where no more parts may come in than there are now, one more may.
    fn make_room(&mut self, product: usize) {
        for station in 0..self.links.sources.len() {
            let Some(at) = self.links.sources.get(station).copied() else {
                continue;
            };
            let source = self
                .layout
                .stations
                .get(at)
                .and_then(|one| one.source.as_ref());
            if source.is_some_and(|one| one.limit.is_some() && one.products.contains(&product)) {
                self.touch(at);
            }
        }
    }

    /// A part is no more; its carrier goes back.
    fn end(&mut self, part: PartIndex, how: Gone) -> Option<Part> {
        let room = self.parts.get_mut(usize::try_from(part).ok()?)?;
        let about = room.take()?;
        self.free_parts.push(part);
        if let Some(alive) = self.alive.get_mut(about.variant) {
            *alive = alive.saturating_sub(1);
        }
        self.tally.gone(about.product, how);
        self.make_room(about.product);
        self.send_back(about.carrier);
        self.say(Fact::Gone {
            part,
            about,
            at: about.place,
            how,
        });
        Some(about)
    }
}
