//! What machines and systems say about what happens, in the words of events; only changes are said.

mod births;
mod counters;
mod curves;
mod cycles;
mod figures;
mod hourly;
mod names;
pub(crate) mod packml;
mod parts;
mod people;
mod period;
mod second;
mod signal;
mod supply;
mod trouble;

pub use counters::CounterTruth;
pub(crate) use hourly::TICK_NS;
pub(crate) use parts::place_name;
pub(crate) use signal::shown;

use crate::factory::{Fact, Factory, Happening};
use crate::kernel::{Purpose, Stream, Streams};
use crate::layout::Layout;
use std::borrow::Cow;
use std::collections::VecDeque;
use werkbuch_model::event::{Body, Protected, State, Text};
use werkbuch_model::time::Timestamp;

/// What goes with an event beside what it says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Beside {
    /// A mark by which a later correction knows the event.
    pub mark: Option<u64>,
    /// For a correction: the mark of the event that it is about. Its targets are left empty, because
    /// only the gateway learns at which position that event was recorded.
    pub corrects: Option<u64>,
    /// The single values of a batch of samples: nanoseconds since the start of its period, and the
    /// value. The hash and the length of their body are left to whoever encodes it.
    pub values: Vec<(u64, f64)>,
}

/// Something said at the plant.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Said {
    /// When it happened, in nanoseconds from the start of the run.
    pub(crate) at_ns: u64,
    /// Which source says it: an index of [`Sources::names`].
    pub(crate) source: usize,
    /// The machine that it is about, an index of the layout's; absent when it is about the plant.
    pub(crate) machine: Option<usize>,
    /// What is said.
    pub(crate) body: Body<'static>,
    /// What goes with it.
    pub(crate) beside: Beside,
}

/// Who reports: a gateway for each area, and the system that plans and books.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sources {
    /// Their names.
    pub(crate) names: Vec<String>,
    /// By machine.
    machines: Vec<usize>,
    /// By buffer.
    buffers: Vec<usize>,
    /// The one that plans and books.
    mes: usize,
}

/// Turns what happens into what is said.
#[derive(Clone, Debug)]
pub(crate) struct Reporter {
    start: Timestamp,
    plant: String,
    pub(crate) sources: Sources,
    signals: Vec<signal::Signal>,
    counters: Vec<counters::Counters>,
    programs: Vec<Option<usize>>,
    tools: Vec<u32>,
    lots: Vec<u32>,
    tuggers: Vec<(usize, Option<(usize, u32)>)>,
    energy: Vec<(usize, f64)>,
    work_orders: Vec<u32>,
    /// Machines that have failed, with the way, and when.
    broken: Vec<(usize, usize, u64)>,
    /// By machine: which of the possible faults its present one is.
    faults: Vec<u64>,
    /// Feeds whose lack was called out.
    shorts: Vec<usize>,
    /// By buffer: how many parts it holds.
    levels: Vec<u32>,
    plan_version: u32,
    /// What was done in this shift, in the plant and by source in each area.
    shift: period::Done,
    areas: Vec<period::Done>,
    utc_offset_s: i32,
    /// What was booked wrongly and will be put right, and how many marks were given.
    wrong: Vec<second::Second>,
    marks: u64,
    figures: Stream,
    people: Stream,
    seconds: Stream,
    out: VecDeque<Said>,
    now_ns: u64,
}

impl Sources {
    /// The sources of a layout: machines belong to the gateway of their outermost unit.
    pub(crate) fn of(layout: &Layout) -> Self {
        let mut sources = Self::default();
        let name =
            |units: &[String]| format!("gw-{}", units.last().map_or("plant", String::as_str));
        sources.machines = layout
            .machines
            .iter()
            .map(|one| place(&mut sources.names, name(&one.units)))
            .collect();
        sources.buffers = layout
            .buffers
            .iter()
            .map(|one| place(&mut sources.names, name(&one.units)))
            .collect();
        sources.mes = place(&mut sources.names, "mes".to_owned());
        sources
    }
}

fn place(names: &mut Vec<String>, name: String) -> usize {
    names
        .iter()
        .position(|known| *known == name)
        .unwrap_or_else(|| {
            names.push(name);
            names.len() - 1
        })
}

impl Reporter {
    /// A reporter at the start of a run, for a plant whose clocks are so far ahead of UTC.
    pub(crate) fn new(
        layout: &Layout,
        plant: &str,
        (start, utc_offset_s): (Timestamp, i32),
        streams: &Streams,
    ) -> Self {
        let machines = layout.machines.len();
        let sources = Sources::of(layout);
        let vehicles = layout.machines.iter().enumerate();
        let vehicles = vehicles.filter(|(_, one)| one.station.is_none() && one.sort == "agv");
        Self {
            start,
            plant: plant.to_owned(),
            shift: period::Done::default(),
            areas: vec![period::Done::default(); sources.names.len()],
            sources,
            utc_offset_s,
            wrong: Vec::new(),
            marks: 0,
            seconds: streams.stream(6 << 20, Purpose::People),
            signals: vec![signal::Signal::default(); machines],
            counters: counters::all(layout),
            programs: vec![None; machines],
            tools: vec![0; machines],
            lots: vec![0; layout.stations.len()],
            tuggers: vehicles.map(|(at, _)| (at, None)).collect(),
            energy: hourly::meters(layout),
            work_orders: vec![0; machines],
            broken: Vec::new(),
            faults: vec![0; machines],
            shorts: Vec::new(),
            levels: vec![0; layout.buffers.len()],
            plan_version: 0,
            figures: streams.stream(0, Purpose::Figures),
            people: streams.stream(4 << 20, Purpose::People),
            out: VecDeque::new(),
            now_ns: 0,
        }
    }

    /// What was said and is still to be handed on, one after the other.
    pub(crate) fn next(&mut self) -> Option<Said> {
        self.out.pop_front()
    }

    /// Says what is to be said about a happening.
    pub(crate) fn report(&mut self, factory: &Factory, happening: Happening) {
        self.now_ns = happening.at_ns;
        let layout = factory.layout();
        match happening.fact {
            Fact::State { machine, from, to } => self.state(layout, machine, from, to),
            Fact::Made { .. } => {}
            Fact::Entered { about, from, .. } => self.entered(layout, about, from),
            Fact::Left {
                about, station, to, ..
            } => self.left(layout, about, station, to),
            Fact::TakenOut { about, buffer } => self.taken_out(layout, about, buffer),
            Fact::Gone { about, at, how, .. } => self.gone(layout, about, at, how),
            Fact::Joined {
                into,
                parts,
                station,
            } => self.joined(layout, into, &parts, station),
            Fact::Level { buffer, level } => self.level(layout, buffer, level),
            Fact::Started {
                station,
                about,
                cycle,
            } => self.started(layout, station, about, cycle),
            Fact::Ended {
                station,
                about,
                cycle,
                took_ns,
                verdict,
            } => {
                self.ended(layout, station, about, cycle, took_ns, verdict);
            }
            Fact::SetupBegan { station, from, to } => self.setup_began(layout, station, from, to),
            Fact::SetupEnded { station, to } => self.setup_ended(layout, station, to),
            other => self.report_trouble(layout, other),
        }
    }

    /// What disturbs the flow, and what keeps it going.
    fn report_trouble(&mut self, layout: &Layout, fact: Fact) {
        match fact {
            Fact::Failed { machine, way } => self.failed(layout, machine, way),
            Fact::CrewCame {
                machine,
                crew,
                number,
            } => self.crew_came(layout, machine, crew, number),
            Fact::Repaired {
                machine,
                way,
                stood_ns,
                crew,
            } => {
                self.repaired(layout, machine, way, stood_ns, crew);
            }
            Fact::ZoneStopped { zone } => self.zone_stopped(layout, zone),
            Fact::ZoneFreed { zone, stood_ns } => self.zone_freed(layout, zone, stood_ns),
            Fact::Hours { hours, toggle } => self.hours(layout, hours, toggle),
            Fact::Used {
                feed,
                pieces,
                left,
                about,
            } => self.used(layout, feed, pieces, left, about),
            Fact::Called { feed, delivery } => self.called(layout, feed, delivery),
            Fact::Delivered {
                feed,
                delivery,
                pieces,
                stock,
            } => {
                self.delivered(layout, feed, delivery, pieces, stock);
            }
            Fact::Short { feed } => self.short(layout, feed),
            Fact::Andon {
                station,
                number,
                about_quality,
            } => self.andon(layout, station, number, about_quality),
            Fact::AndonEnded { station, number } => self.andon_ended(layout, station, number),
            _ => {}
        }
    }

    /// The counters of the stations as they should stand.
    pub(crate) fn counters(&self) -> impl Iterator<Item = (usize, &CounterTruth)> {
        let stations = self.counters.iter().enumerate();
        stations
            .flat_map(|(station, counters)| counters.said().map(move |counter| (station, counter)))
    }

    /// The state that a vehicle says it is in; absent for other machines.
    pub(crate) fn vehicle(&self, machine: usize) -> Option<State> {
        let (_, load) = self.tuggers.iter().find(|(at, _)| *at == machine)?;
        Some(if load.is_some() {
            State::Executing
        } else {
            State::Idle
        })
    }

    fn time(&self, at_ns: u64) -> Timestamp {
        self.start.plus(i64::try_from(at_ns).unwrap_or(i64::MAX))
    }

    fn present(&self) -> Timestamp {
        self.time(self.now_ns)
    }

    /// A machine says something.
    fn says(&mut self, machine: usize, body: Body<'static>) {
        let source = self.sources.machines.get(machine).copied().unwrap_or(0);
        self.out.push_back(Said {
            at_ns: self.now_ns,
            source,
            machine: Some(machine),
            body,
            beside: Beside::default(),
        });
    }

    /// A buffer's gateway says something about the plant.
    fn says_of_buffer(&mut self, buffer: usize, body: Body<'static>) {
        let source = self.sources.buffers.get(buffer).copied().unwrap_or(0);
        self.out.push_back(Said {
            at_ns: self.now_ns,
            source,
            machine: None,
            body,
            beside: Beside::default(),
        });
    }

    /// The system that plans and books says something about the plant.
    fn books(&mut self, body: Body<'static>) {
        let source = self.sources.mes;
        self.out.push_back(Said {
            at_ns: self.now_ns,
            source,
            machine: None,
            body,
            beside: Beside::default(),
        });
    }
}

/// A field about a person, in plain.
fn person(name: &str) -> Protected<'static> {
    Protected {
        plain: Cow::Owned(name.to_owned()),
        ..Protected::default()
    }
}

fn text(text: impl Into<String>) -> Text<'static> {
    Cow::Owned(text.into())
}
