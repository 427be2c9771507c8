//! A run of a plant: the factory, what is said about it, and the way from there to the log.

use crate::degrade::{Degrade, Delivered, Faults, Line};
use crate::factory::{Factory, Tally};
use crate::kernel::Streams;
use crate::layout::{Layout, LayoutError};
use crate::report::{CounterTruth, Reporter, TICK_NS, shown};
use crate::truth::Truth;
use werkbuch_model::event::State;
use werkbuch_model::plant::Description;
use werkbuch_model::time::Timestamp;

/// How a plant runs: the same values and the same description give the same events.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    /// The plant's name.
    pub plant: String,
    /// The plant's time at which the run begins.
    pub start: Timestamp,
    /// How many seconds the plant's clocks are ahead of UTC then; this holds for the whole run.
    pub utc_offset_s: i32,
    /// The seed of everything that happens by chance.
    pub seed: u64,
    /// The number of the plant among those of the seed.
    pub replication: u32,
    /// What is wrong with its reporting.
    pub degrade: Degrade,
}

/// A running plant: an endless sequence of events, in the order in which gateways hand them on.
#[derive(Clone, Debug)]
pub struct PlantRun {
    factory: Factory,
    reporter: Reporter,
    line: Line,
    ticks: u64,
    /// Up to when the factory has run.
    done_ns: u64,
}

/// What is true of a part that is in the plant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PartTruth {
    /// Its name; empty when it has none.
    pub part: String,
    /// The machine or buffer where it is.
    pub place: String,
    /// What it is.
    pub product: String,
}

impl PlantRun {
    /// A plant at the start of its run.
    /// Errors: [`LayoutError`] when the description cannot be simulated.
    pub fn new(description: &Description, setting: &Setting) -> Result<Self, LayoutError> {
        let streams = Streams::new(setting.seed, setting.replication);
        let layout = Layout::of(description, setting.start, setting.utc_offset_s)?;
        let truth = Truth::of(&layout, &streams);
        let mut reporter = Reporter::new(
            &layout,
            &setting.plant,
            (setting.start, setting.utc_offset_s),
            &streams,
        );
        let sources = reporter.sources.names.len();
        let line = Line::new(
            setting.degrade,
            setting.start,
            layout.machines.len(),
            sources,
            &streams,
        );
        let factory = Factory::new(layout, truth, streams);
        reporter.births(&factory);
        Ok(Self {
            factory,
            reporter,
            line,
            ticks: 0,
            done_ns: 0,
        })
    }

    /// The next event that is handed on before `end_ns` of the run; absent when there is none.
    pub fn next_before(&mut self, end_ns: u64) -> Option<Delivered> {
        loop {
            while let Some(said) = self.reporter.next() {
                self.line.take(said);
            }
            // What happens later is said later, so all that is due until now is known.
            if let Some(event) = self
                .line
                .next_until(self.done_ns.min(end_ns.saturating_sub(1)))
            {
                return Some(event);
            }
            if self.done_ns >= end_ns {
                return None;
            }
            self.go_on(end_ns);
        }
    }

    /// The next of the events that gateways still hold when the run ends: they catch up.
    pub fn next_held(&mut self) -> Option<Delivered> {
        while let Some(said) = self.reporter.next() {
            self.line.take(said);
        }
        self.line.next_until(u64::MAX)
    }

    /// Lets the factory do what is next, or the clock say what it has to say.
    fn go_on(&mut self, end_ns: u64) {
        let tick_ns = (self.ticks + 1).saturating_mul(TICK_NS);
        match self.factory.next_before(tick_ns.min(end_ns)) {
            Some(happening) => {
                self.done_ns = happening.at_ns;
                self.reporter.report(&self.factory, happening);
            }
            None => {
                self.done_ns = tick_ns.min(end_ns);
                if tick_ns <= end_ns {
                    self.ticks += 1;
                    self.reporter.tick(&self.factory, self.ticks);
                }
            }
        }
    }

    /// The names of the sources, by the index that events carry.
    #[must_use]
    pub fn sources(&self) -> &[String] {
        &self.reporter.sources.names
    }

    /// What the plant is made of.
    #[must_use]
    pub fn layout(&self) -> &Layout {
        self.factory.layout()
    }

    /// What is true of it and stands nowhere.
    #[must_use]
    pub fn truth(&self) -> &Truth {
        self.factory.truth()
    }

    /// What truly was, up to now.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.factory.tally()
    }

    /// How far the run has come, in nanoseconds of plant time.
    #[must_use]
    pub fn now_ns(&self) -> u64 {
        self.factory.now_ns()
    }

    /// The state that a machine truly is in.
    #[must_use]
    pub fn state(&self, machine: usize) -> State {
        let of_vehicle = self.reporter.vehicle(machine);
        of_vehicle
            .or_else(|| self.factory.state(machine))
            .unwrap_or_default()
    }

    /// The state that should be shown of it when all that it said has been heard.
    #[must_use]
    pub fn shown(&self, machine: usize) -> State {
        let vocabulary = self
            .layout()
            .machines
            .get(machine)
            .map(|one| one.vocabulary);
        shown(vocabulary.unwrap_or_default(), self.state(machine))
    }

    /// The counters of all stations, with the machine.
    pub fn counters(&self) -> impl Iterator<Item = (usize, &CounterTruth)> {
        let machine = |station: usize| self.layout().stations.get(station).map(|one| one.machine);
        self.reporter
            .counters()
            .filter_map(move |(station, counter)| Some((machine(station)?, counter)))
    }

    /// The parts that are in the plant now.
    #[must_use]
    pub fn parts(&self) -> Vec<PartTruth> {
        let layout = self.layout();
        let part = |about: &crate::factory::Part| PartTruth {
            part: self.reporter.name(layout, about),
            place: crate::report::place_name(layout, about.place).to_owned(),
            product: layout
                .products
                .get(about.product)
                .map(|one| one.id.clone())
                .unwrap_or_default(),
        };
        let mut parts: Vec<PartTruth> =
            self.factory.parts().map(|(_, about)| part(about)).collect();
        parts.sort();
        parts
    }

    /// How many parts are in the plant now.
    #[must_use]
    pub fn parts_count(&self) -> u64 {
        self.factory.parts().count() as u64
    }

    /// How many calls of people are not answered now.
    #[must_use]
    pub fn open_calls(&self) -> u64 {
        self.factory.open_calls() + self.reporter.open_shorts()
    }

    /// What went wrong on the way to the log.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.line.faults
    }
}
