//! A network of queues and machines in flat arrays: parts wait in places, stations work on them, machines fail
//! and are repaired, crews are shared, what is finished waits where there is no room.
//!
//! Everything that may happen is one timer of a fixed set, so that nothing is allocated while a
//! network runs and a fork is a copy of arrays. Chance comes from streams of their own for each station, source
//! and way to fail: what one draws never moves what another gets.

mod counts;
mod flow;
mod spec;
#[cfg(test)]
mod tests;
mod timers;
mod trouble;

pub use counts::{Counts, Left, PHASES, Phase, Waits};
pub use spec::{
    Change, Clock, Crew, Exit, Failure, Network, NetworkError, Place, Source, Station, Target,
    Window,
};

use crate::kernel::{Purpose, Stream, Streams};
use std::sync::Arc;
use timers::Timers;

/// Where nothing is: the end of a list, no part, no way to fail.
const NONE: u32 = u32::MAX;

/// What goes first at one time: what ends a stop, then what frees room, then what arrives, then what stops.
const OPENS: u8 = 0;
const WORK: u8 = 1;
const ARRIVES: u8 = 2;
const STOPS: u8 = 3;

/// A network as it stands at a time. A copy is a fork: it goes on as the network would have.
#[derive(Clone, Debug)]
pub struct Run {
    network: Arc<Network>,
    now_ns: u64,
    timers: Timers,
    /// What the timers are about, by their numbers.
    servers: Vec<Server>,
    modes: Vec<Mode>,
    sources: Vec<Stream>,
    /// Whether each window is to begin, and not to end.
    windows: Vec<bool>,
    stations: Vec<StationState>,
    /// The lists of all places, one for each class, and what is in them.
    queues: Vec<Queue>,
    places: Vec<PlaceState>,
    crews: Vec<CrewState>,
    parts: Vec<Part>,
    /// The first part that is no more.
    free: u32,
    /// Servers that have no part any more and have not looked for the next one.
    freed: Vec<u32>,
    counts: Counts,
}

/// A part.
#[derive(Clone, Copy, Debug)]
struct Part {
    /// The next one in its list.
    next: u32,
    class: u8,
    /// When it came into the network.
    born_ns: u64,
    /// When it came to where it waits.
    since_ns: u64,
}

/// A list of parts: those that came first go first.
#[derive(Clone, Copy, Debug)]
struct Queue {
    head: u32,
    tail: u32,
}

const EMPTY: Queue = Queue {
    head: NONE,
    tail: NONE,
};

#[derive(Clone, Debug)]
struct PlaceState {
    capacity: u32,
    length: u32,
    /// Servers whose finished part has no room here, those that wait longest first.
    waiting: Queue,
    /// The stations that take parts from here.
    takers: Vec<u32>,
}

#[derive(Clone, Debug)]
struct StationState {
    first: u32,
    end: u32,
    /// How many windows hold it.
    held: u32,
    /// How many times as fast it works as its times say; at 0 it stands.
    speed: f64,
    /// How many cycles of its trace have begun.
    traced: usize,
    work: Stream,
    routing: Stream,
    /// Where all parts go, if it is one place.
    only: Option<Target>,
    /// Where all parts come from, if they come one at a time from one place.
    input: Option<u32>,
    /// Whether it makes its parts.
    makes: bool,
}

/// What a server holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hold {
    Nothing,
    /// A part whose work is not done.
    Begun,
    /// A part that is done.
    Done,
}

#[derive(Clone, Copy, Debug)]
struct Server {
    station: u32,
    hold: Hold,
    phase: Phase,
    /// Whether the timer runs.
    is_working: bool,
    part: u32,
    /// The next server that waits for the same room.
    next: u32,
    /// In how many ways it has failed, and for how many of these nobody has come yet.
    down: u32,
    called: u32,
    /// The way in which it fails before the part is done.
    fails: u32,
    first_mode: u32,
    end_mode: u32,
    phase_since_ns: u64,
    work_since_ns: u64,
    /// How much of the part's work is left, as of then, at a speed of 1.
    left_ns: u64,
}

/// A way to fail of one server. The times are those of the network.
#[derive(Clone, Copy, Debug)]
struct Mode {
    server: u32,
    station: u32,
    /// Which of the station's ways to fail it is.
    way: u32,
    clock: Clock,
    crew: Option<usize>,
    up: Stream,
    repair: Stream,
    /// Work until the next failure, on the clock of work.
    up_left_ns: u64,
    is_down: bool,
    /// The next one that waits for the same crew.
    next: u32,
}

#[derive(Clone, Copy, Debug)]
struct CrewState {
    free: u32,
    waiting: Queue,
}

/// What a network begins with; without it nothing is anywhere, and all machines are up.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Start {
    /// How many parts of the first class lie in each place.
    pub places: Vec<u32>,
    /// Of each server in the order of the stations what it does; those that are not named do nothing.
    pub servers: Vec<ServerStart>,
}

/// What a server does at the start.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ServerStart {
    /// Whether it holds a part, and how much of its work is left in nanoseconds; drawn anew where it is not
    /// said, which is right for work without memory.
    pub part: Option<Option<u64>>,
    /// How long it stands before it is up, in its first way to fail; drawn anew where it is not said.
    pub down: Option<Option<u64>>,
}

/// The servers of all stations, the ways in which they fail, and the stations.
fn machines(network: &Network, streams: &Streams) -> (Vec<Server>, Vec<Mode>, Vec<StationState>) {
    let number = |at: usize| u32::try_from(at).unwrap_or(NONE);
    let (mut servers, mut modes, mut stations) = (Vec::new(), Vec::new(), Vec::new());
    for (at, station) in network.stations.iter().enumerate() {
        let first = number(servers.len());
        for _ in 0..station.servers {
            let first_mode = number(modes.len());
            for (failure, of_station) in station.failures.iter().zip(0..) {
                let way = number(modes.len());
                modes.push(Mode {
                    server: number(servers.len()),
                    station: number(at),
                    way: of_station,
                    clock: failure.clock,
                    crew: failure.crew,
                    up: streams.stream(way, Purpose::Failure),
                    repair: streams.stream(way, Purpose::Repair),
                    up_left_ns: 0,
                    is_down: false,
                    next: NONE,
                });
            }
            servers.push(Server {
                station: number(at),
                hold: Hold::Nothing,
                phase: Phase::Starved,
                is_working: false,
                part: NONE,
                next: NONE,
                down: 0,
                called: 0,
                fails: NONE,
                first_mode,
                end_mode: number(modes.len()),
                phase_since_ns: 0,
                work_since_ns: 0,
                left_ns: 0,
            });
        }
        stations.push(StationState {
            first,
            end: number(servers.len()),
            held: 0,
            speed: 1.0,
            traced: 0,
            work: streams.stream(number(at), Purpose::Cycle),
            routing: streams.stream(number(at), Purpose::Routing),
            only: match station.route.as_slice() {
                [(_, only)] => Some(*only),
                _ => None,
            },
            input: match station.inputs.as_slice() {
                [(place, 1)] => Some(number(*place)),
                _ => None,
            },
            makes: station.inputs.is_empty(),
        });
    }
    (servers, modes, stations)
}

impl Run {
    /// A network at time 0.
    ///
    /// # Errors
    ///
    /// Those of [`Network::check`], and a start that the network has no room for.
    pub fn new(
        network: &Arc<Network>,
        streams: &Streams,
        start: &Start,
    ) -> Result<Self, NetworkError> {
        network.check()?;
        let (servers, modes, stations) = machines(network, streams);
        let places = network.places.iter().enumerate().map(|(at, place)| {
            let takes = |station: &&Station| station.inputs.iter().any(|(from, _)| *from == at);
            let takers = network.stations.iter().zip(0..);
            PlaceState {
                capacity: place.capacity.unwrap_or(NONE),
                length: 0,
                waiting: EMPTY,
                takers: takers
                    .filter(|(one, _)| takes(one))
                    .map(|(_, at)| at)
                    .collect(),
            }
        });
        let sources = network
            .sources
            .iter()
            .zip(0..)
            .map(|(_, at)| streams.stream(at, Purpose::Arrivals));
        let crews = network.crews.iter().map(|crew| CrewState {
            free: crew.size,
            waiting: EMPTY,
        });
        let classes = usize::from(network.classes);
        let planned = network.windows.len() + network.changes.len();
        let things = servers.len() + modes.len() + network.sources.len() + planned;
        let mut run = Self {
            now_ns: 0,
            timers: Timers::new(things),
            counts: Counts::new(network, servers.len()),
            servers,
            modes,
            sources: sources.collect(),
            windows: vec![true; network.windows.len()],
            stations,
            queues: vec![EMPTY; network.places.len() * classes],
            places: places.collect(),
            crews: crews.collect(),
            parts: Vec::new(),
            free: NONE,
            freed: Vec::new(),
            network: Arc::clone(network),
        };
        run.begin(start)?;
        Ok(run)
    }

    /// The time, in nanoseconds from the start.
    #[must_use]
    pub fn now_ns(&self) -> u64 {
        self.now_ns
    }

    /// Runs on to a time; what happens at exactly this time does not happen yet.
    pub fn run_until(&mut self, end_ns: u64) {
        loop {
            let (thing, at_ns) = self.timers.first();
            if at_ns >= end_ns {
                break;
            }
            self.now_ns = at_ns;
            self.counts.events += 1;
            let planned = self.timers.planned();
            self.happen(thing);
            self.settle();
            self.timers.done(thing, planned);
        }
        self.now_ns = self.now_ns.max(end_ns);
    }

    /// What was counted since the start, or since counting began anew, up to now.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let mut counts = self.counts.clone();
        for (at, server) in self.servers.iter().enumerate() {
            counts.spend(at, server.phase, (server.phase_since_ns, self.now_ns));
        }
        for (at, crew) in self.crews.iter().enumerate() {
            let size = self.network.crews[at].size;
            counts.engage(at, (size - crew.free, size), self.now_ns);
        }
        for (at, place) in self.places.iter().enumerate() {
            counts.hold(at, place.length, self.now_ns);
        }
        counts.hold_parts(0, self.now_ns);
        counts.time_ns = self.now_ns - counts.since_ns;
        counts
    }

    /// Counts anew from now on; what was before is a warm-up.
    pub fn count_anew(&mut self) {
        self.counts.clear(self.now_ns);
        for server in &mut self.servers {
            server.phase_since_ns = self.now_ns;
        }
    }

    /// What a server does; the servers of all stations are numbered in their order. Absent where there is no
    /// such server.
    #[must_use]
    pub fn phase(&self, server: usize) -> Option<Phase> {
        self.servers.get(server).map(|server| server.phase)
    }

    /// When something happens next, in nanoseconds from the start; absent where nothing ever does.
    #[must_use]
    pub fn next_ns(&self) -> Option<u64> {
        let (_, at_ns) = self.timers.first();
        (at_ns < u64::MAX).then_some(at_ns)
    }

    /// How many parts have left through an exit since counting began; 0 where there is no such exit.
    #[must_use]
    pub fn exit_parts(&self, exit: usize) -> u64 {
        self.counts.exits.get(exit).map_or(0, |left| left.parts)
    }

    /// How many timers were due since counting began.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.counts.events
    }

    /// How many parts there are in the network.
    #[must_use]
    pub fn parts(&self) -> u64 {
        self.counts.parts
    }

    fn begin(&mut self, start: &Start) -> Result<(), NetworkError> {
        let fail = |what: String, wrong| Err(NetworkError::Value { what, wrong });
        if start.places.len() > self.places.len() {
            return fail("the start".to_owned(), "it fills a place that there is not");
        }
        if start.servers.len() > self.servers.len() {
            return fail("the start".to_owned(), "it uses a server that there is not");
        }
        for (place, count) in start.places.iter().enumerate() {
            let capacity = self.places[place].capacity;
            if *count > capacity {
                return fail(
                    format!("the start of place {place}"),
                    "it holds fewer parts",
                );
            }
            for _ in 0..*count {
                let part = self.make(0);
                self.enqueue(place, part);
            }
        }
        for mode in 0..self.modes.len() {
            self.plan_failure(mode);
        }
        for (server, begun) in start.servers.iter().enumerate() {
            if let Some(left) = begun.part {
                let part = self.make(0);
                self.load(server, part);
                if let Some(left_ns) = left {
                    self.rest(server);
                    self.servers[server].left_ns = left_ns;
                    self.go_on(server);
                }
            }
            if let Some(left) = begun.down {
                let of = self.servers[server];
                if of.first_mode == of.end_mode {
                    let what = format!("the start of server {server}");
                    return fail(what, "it stands, and has no way to fail");
                }
                self.fail(of.first_mode as usize, left);
            }
        }
        for (window, of) in self.network.clone().windows.iter().enumerate() {
            let thing = self.window_timer(window);
            self.timers.plan(thing, of.from_ns, STOPS);
        }
        for (change, of) in self.network.clone().changes.iter().enumerate() {
            let thing = self.window_timer(self.windows.len() + change);
            self.timers.plan(thing, of.from_ns, STOPS);
        }
        for source in 0..self.sources.len() {
            self.plan_source(source);
        }
        for server in 0..self.servers.len() {
            self.look(server);
        }
        self.settle();
        Ok(())
    }

    #[allow(
        clippy::cast_possible_truncation,
        reason = "there are fewer things than that"
    )]
    fn mode_timer(&self, mode: usize) -> u32 {
        (self.servers.len() + mode) as u32
    }

    #[allow(
        clippy::cast_possible_truncation,
        reason = "there are fewer things than that"
    )]
    fn source_timer(&self, source: usize) -> u32 {
        (self.servers.len() + self.modes.len() + source) as u32
    }

    /// Of a window, or of a change behind them.
    #[allow(
        clippy::cast_possible_truncation,
        reason = "there are fewer things than that"
    )]
    fn window_timer(&self, window: usize) -> u32 {
        (self.servers.len() + self.modes.len() + self.sources.len() + window) as u32
    }

    #[inline]
    fn happen(&mut self, thing: u32) {
        let thing = thing as usize;
        if thing < self.servers.len() {
            return self.work_ends(thing);
        }
        let thing = thing - self.servers.len();
        if thing < self.modes.len() {
            return self.mode_turns(thing);
        }
        let thing = thing - self.modes.len();
        if thing < self.sources.len() {
            return self.arrive(thing);
        }
        let thing = thing - self.sources.len();
        match thing.checked_sub(self.windows.len()) {
            None => self.window_turns(thing),
            Some(change) => self.speed_changes(change),
        }
    }

    /// Lets every server that lost its part look for the next one, until none has.
    #[inline]
    fn settle(&mut self) {
        while let Some(server) = self.freed.pop() {
            self.look(server as usize);
        }
    }
}
