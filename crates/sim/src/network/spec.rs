//! What a network is made of, and what is wrong with one that cannot run.

use crate::kernel::{Distribution, DistributionError};

/// A network of places, stations, sources and exits. Everything is named by its index.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Network {
    /// Where parts wait.
    pub places: Vec<Place>,
    /// Where parts are worked on.
    pub stations: Vec<Station>,
    /// Where parts come from, beside stations without an input.
    pub sources: Vec<Source>,
    /// Where parts leave.
    pub exits: Vec<Exit>,
    /// Who repairs.
    pub crews: Vec<Crew>,
    /// When stations stand as planned.
    pub windows: Vec<Window>,
    /// When stations become faster or slower as planned.
    pub changes: Vec<Change>,
    /// How many classes of parts there are; a lower one goes first. At least 1.
    pub classes: u8,
}

/// A place where parts wait, those of a lower class first, then those that came first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// How many parts it holds, those in machines not counted; absent for any number.
    pub capacity: Option<u32>,
}

/// A station of so many equal servers.
#[derive(Clone, Debug, PartialEq)]
pub struct Station {
    /// How many parts are worked on side by side.
    pub servers: u32,
    /// What one cycle takes: places, and how many parts of each. The first part goes on, the others become
    /// part of it. Without any the station makes parts and is never starved.
    pub inputs: Vec<(usize, u32)>,
    /// How long a cycle takes.
    pub work: Distribution,
    /// How long the first cycles take in nanoseconds, in the order in which they begin, where that is known
    /// and not left to chance.
    pub trace: Vec<u64>,
    /// The ways in which each server fails, apart from each other.
    pub failures: Vec<Failure>,
    /// Where a finished part goes, each with its weight; it is chosen by chance where there are several. A part
    /// for which there is no room holds its server (blocking after service).
    pub route: Vec<(f64, Target)>,
}

/// Where a part goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// Into a place.
    Place(usize),
    /// Out.
    Exit(usize),
    /// Out, and a new part comes into a place at once, as the cards of CONWIP have it.
    Replaced {
        /// Where the part leaves.
        exit: usize,
        /// Where the new one comes in.
        place: usize,
    },
}

/// A way to fail.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// What time counts.
    pub clock: Clock,
    /// How long until it fails, from the end of the last repair.
    pub up: Distribution,
    /// How long a repair takes. The part at hand stays and its work goes on afterwards.
    pub repair: Distribution,
    /// Who has to come for it, if anybody.
    pub crew: Option<usize>,
}

/// The clock on which a machine fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// It stands while the machine does not work: operation-dependent failures.
    Work,
    /// It runs on whatever the machine does, but for its repair: time-dependent failures.
    Calendar,
}

/// A source: parts come in batches; those for which there is no room are lost.
#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    /// The time between batches. The first one comes after such a time.
    pub between: Distribution,
    /// How many parts come at once.
    pub batch: u32,
    /// Their class.
    pub class: u8,
    /// Where they come in.
    pub to: usize,
}

/// Where parts leave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exit {
    /// Parts that were in the network for longer than this are counted apart, in nanoseconds.
    pub late_ns: Option<u64>,
}

/// People who repair, one failure each at a time, in the order in which they are called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crew {
    /// How many there are.
    pub size: u32,
}

/// A planned stop of a station: nothing is begun, and what is at hand rests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The station.
    pub station: usize,
    /// When it stops, in nanoseconds from the start.
    pub from_ns: u64,
    /// When it goes on.
    pub to_ns: u64,
}

/// A planned change of how fast a station works. What is left of the part at hand takes as much longer or
/// shorter; the clocks on which the station fails go as before.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Change {
    /// The station.
    pub station: usize,
    /// From when on, in nanoseconds from the start.
    pub from_ns: u64,
    /// How many times as fast it works as its times say, whatever it was before: 1 makes it as it was. At 0 it
    /// stands but still takes parts, which it does not in a [`Window`].
    pub speed: f64,
}

/// Why a network cannot run.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum NetworkError {
    /// An index names nothing. Add what it names, or name something else.
    #[error("{what} names {kind} {index}, and there are {count}")]
    Unknown {
        /// Who names it.
        what: String,
        /// What kind of thing is named.
        kind: &'static str,
        /// The index.
        index: usize,
        /// How many of them there are.
        count: usize,
    },
    /// A value is out of range.
    #[error("{what}: {wrong}")]
    Value {
        /// Whose value.
        what: String,
        /// What is wrong, and what to give.
        wrong: &'static str,
    },
    /// Times that cannot be drawn.
    #[error("{what}: {wrong}")]
    Times {
        /// Whose times.
        what: String,
        /// What is wrong with them.
        wrong: DistributionError,
    },
}

/// The most things of one kind.
const THINGS_MAX: usize = 1_000_000;

impl Station {
    /// One server that never fails and makes its parts, which go nowhere yet.
    #[must_use]
    pub fn new(work: Distribution) -> Self {
        Self {
            servers: 1,
            inputs: Vec::new(),
            work,
            trace: Vec::new(),
            failures: Vec::new(),
            route: Vec::new(),
        }
    }
}

impl Network {
    /// A place before a station, fed by a source; without a room it holds any number of parts.
    #[must_use]
    pub fn queue(
        between: Distribution,
        work: Distribution,
        servers: u32,
        room: Option<u32>,
    ) -> Self {
        let station = Station {
            servers,
            inputs: vec![(0, 1)],
            route: vec![(1.0, Target::Exit(0))],
            ..Station::new(work)
        };
        Self {
            places: vec![Place { capacity: room }],
            stations: vec![station],
            sources: vec![Source {
                between,
                batch: 1,
                class: 0,
                to: 0,
            }],
            exits: vec![Exit::default()],
            classes: 1,
            ..Self::default()
        }
    }

    /// Stations one after the other, the first of which is never starved and the last never blocked. What they
    /// take and where their parts go is set; the place between two of them has the room that is given for it,
    /// or any where none is.
    #[must_use]
    pub fn line(stations: Vec<Station>, rooms: &[u32]) -> Self {
        let gaps = stations.len().saturating_sub(1);
        let stations = stations.into_iter().enumerate().map(|(at, station)| {
            let before = at.checked_sub(1).map(|place| (place, 1));
            let target = match at < gaps {
                true => Target::Place(at),
                false => Target::Exit(0),
            };
            Station {
                inputs: before.into_iter().collect(),
                route: vec![(1.0, target)],
                ..station
            }
        });
        let capacity = |at: usize| rooms.get(at).copied();
        Self {
            stations: stations.collect(),
            places: (0..gaps)
                .map(|at| Place {
                    capacity: capacity(at),
                })
                .collect(),
            exits: vec![Exit::default()],
            classes: 1,
            ..Self::default()
        }
    }

    /// Checks that it can run.
    ///
    /// # Errors
    ///
    /// The first [`NetworkError`]: an index that names nothing, a value out of range.
    pub fn check(&self) -> Result<(), NetworkError> {
        value(
            "classes".to_owned(),
            "there is at least one",
            self.classes > 0,
        )?;
        for (at, station) in self.stations.iter().enumerate() {
            self.check_station(at, station)?;
        }
        for (at, source) in self.sources.iter().enumerate() {
            let what = || format!("source {at}");
            self.has_place(source.to, &what)?;
            check_times(&source.between, &what)?;
            value(what(), "its batches are empty", source.batch > 0)?;
            let has_class = source.class < self.classes;
            value(what(), "it has a class that there is not", has_class)?;
            let some = source.between.mean_s() > 0.0;
            value(
                what(),
                "its parts come all at once: give a time between them",
                some,
            )?;
        }
        for (at, crew) in self.crews.iter().enumerate() {
            value(format!("crew {at}"), "nobody is in it", crew.size > 0)?;
        }
        for (at, window) in self.windows.iter().enumerate() {
            let what = || format!("window {at}");
            let (station, count) = (window.station, self.stations.len());
            known(station < count, &what, ("station", station, count))?;
            value(
                what(),
                "it ends before it begins",
                window.from_ns < window.to_ns,
            )?;
        }
        for (at, change) in self.changes.iter().enumerate() {
            let what = || format!("change {at}");
            let (station, count) = (change.station, self.stations.len());
            known(station < count, &what, ("station", station, count))?;
            let fits = change.speed.is_finite() && change.speed >= 0.0;
            value(what(), "its speed is negative or no number", fits)?;
        }
        Ok(())
    }

    fn check_station(&self, at: usize, station: &Station) -> Result<(), NetworkError> {
        let what = || format!("station {at}");
        value(what(), "it has no server", station.servers > 0)?;
        let few = (station.servers as usize) < THINGS_MAX;
        value(what(), "it has too many servers", few)?;
        check_times(&station.work, &|| format!("the work of station {at}"))?;
        for (place, count) in &station.inputs {
            self.has_place(*place, &what)?;
            value(what(), "it takes no part of a place", *count > 0)?;
            let room = self.places.get(*place).and_then(|place| place.capacity);
            let alone = station.inputs.len() == 1 && *count == 1;
            let enough = alone || room.is_none_or(|room| room >= *count);
            value(
                what(),
                "a place has no room for all that it takes at once",
                enough,
            )?;
        }
        value(what(), "its parts go nowhere", !station.route.is_empty())?;
        for (weight, target) in &station.route {
            let fits = weight.is_finite() && *weight >= 0.0;
            value(
                what(),
                "a weight of its route is negative or no number",
                fits,
            )?;
            self.check_target(*target, &what)?;
        }
        let sum: f64 = station.route.iter().map(|(weight, _)| weight).sum();
        value(
            what(),
            "the weights of its route come to nothing",
            sum > 0.0,
        )?;
        for failure in &station.failures {
            check_times(&failure.up, &|| format!("a failure of station {at}"))?;
            check_times(&failure.repair, &|| format!("a repair of station {at}"))?;
            let (crew, count) = (failure.crew.unwrap_or(0), self.crews.len());
            let is_known = failure.crew.is_none() || crew < count;
            known(is_known, &what, ("crew", crew, count))?;
        }
        Ok(())
    }

    fn check_target(&self, target: Target, what: &dyn Fn() -> String) -> Result<(), NetworkError> {
        let exits = self.exits.len();
        match target {
            Target::Place(place) => self.has_place(place, what),
            Target::Exit(exit) => known(exit < exits, what, ("exit", exit, exits)),
            Target::Replaced { exit, place } => {
                known(exit < exits, what, ("exit", exit, exits))?;
                self.has_place(place, what)
            }
        }
    }

    fn has_place(&self, place: usize, what: &dyn Fn() -> String) -> Result<(), NetworkError> {
        let count = self.places.len();
        known(place < count, what, ("place", place, count))
    }
}

fn known(
    holds: bool,
    what: &dyn Fn() -> String,
    (kind, index, count): (&'static str, usize, usize),
) -> Result<(), NetworkError> {
    match holds {
        true => Ok(()),
        false => Err(NetworkError::Unknown {
            what: what(),
            kind,
            index,
            count,
        }),
    }
}

fn value(what: String, wrong: &'static str, holds: bool) -> Result<(), NetworkError> {
    match holds {
        true => Ok(()),
        false => Err(NetworkError::Value { what, wrong }),
    }
}

fn check_times(times: &Distribution, what: &dyn Fn() -> String) -> Result<(), NetworkError> {
    let wrong = match times.check() {
        Ok(()) if times.mean_s().is_finite() => return Ok(()),
        Ok(()) => DistributionError::Whole {
            family: times.family(),
            wrong: "its mean is infinite, so that no run would be long enough",
        },
        Err(wrong) => wrong,
    };
    let what = what();
    Err(NetworkError::Times { what, wrong })
}
