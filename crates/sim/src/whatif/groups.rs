//! The parameters of a model, put together by type of machine, with a low and a high value of each.

use super::change::{Change, Size, Times, What};
use super::model::{Model, never};
use super::outcome::Outcome;
use crate::kernel::Streams;
use crate::layout::Place;
use crate::truth::{FailureTruth, MachineTruth, Truth};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How often fitted parameters are drawn to find out how sure they are.
const DRAWS: u32 = 101;

/// A parameter of machines of a type, or of a buffer, a source or a part.
pub(super) struct Group {
    pub(super) name: String,
    pub(super) what: &'static str,
    pub(super) of: Vec<String>,
    /// Low and high as multiples of what is given.
    pub(super) range: (f64, f64),
    pub(super) is_fitted: bool,
    /// What makes it low, and what makes it high.
    pub(super) changes: [Vec<Change>; 2],
    busy: f64,
}

/// What groups are made from.
struct Maker<'m> {
    model: &'m Model,
    /// How busy each station is.
    busy: Vec<f64>,
    swing: f64,
    draws: Vec<Arc<Truth>>,
    made: Vec<Group>,
}

type Makes<'m> = &'m dyn Fn(&[usize], f64) -> Vec<Change>;
type Reads<'m> = &'m dyn Fn(&MachineTruth) -> f64;

/// All groups, those of the busiest stations first.
pub(super) fn groups(model: &Model, found: &Outcome, (swing, seed): (f64, u64)) -> Vec<Group> {
    let stations = found.cases.first().map(|case| case.stations.as_slice());
    let draws = match model.uncertain.is_empty() {
        true => 0,
        false => DRAWS,
    };
    let mut maker = Maker {
        model,
        busy: stations
            .unwrap_or_default()
            .iter()
            .map(|one| one.busy())
            .collect(),
        swing,
        // Numbers that no replication has.
        draws: (0..draws)
            .map(|number| model.truth_of(&Streams::new(seed, u32::MAX - number)))
            .collect(),
        made: Vec::new(),
    };
    let mut by_type: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, machine) in model.layout.machines.iter().enumerate() {
        let key = match machine.sort.as_str() {
            "" => &machine.id,
            sort => sort,
        };
        by_type.entry(key).or_default().push(at);
    }
    for (name, machines) in by_type {
        maker.times(name, &machines);
        maker.shares(name, &machines);
    }
    maker.sources();
    maker.deliveries();
    maker.buffers();
    let mut made = maker.made;
    made.sort_by(|a, b| b.busy.total_cmp(&a.busy));
    made
}

/// How often fails what fails at all.
fn fails(way: &FailureTruth) -> bool {
    way.up != never().up
}

impl Maker<'_> {
    fn truth(&self, machine: usize) -> Option<&MachineTruth> {
        self.model.truth.machines.get(machine)
    }

    /// How long cycles, up times, repairs and set-ups are.
    fn times(&mut self, name: &str, machines: &[usize]) {
        let layout = Arc::clone(&self.model.layout);
        let station = |machine: usize| layout.stations.iter().find(|one| one.machine == machine);
        let works = self.chosen(machines, &|at| station(at).is_some());
        let cycle = |one: &MachineTruth| {
            one.cycle_factor * one.cycle.as_ref().map_or(1.0, |times| times.mean_s())
        };
        let times = |machines: &[usize], factor: f64| What::Cycle {
            machines: machines.to_vec(),
            times: Times::Factor(factor),
        };
        self.add(
            ("cycle", name),
            &works,
            Some(&cycle),
            &|machines, factor| vec![Change::made("cycle", times(machines, factor))],
        );
        let failing = self.chosen(machines, &|at| {
            self.truth(at)
                .is_some_and(|one| one.failures.iter().any(fails))
        });
        let failures = |machines: &[usize], up: Times, repair: Times| {
            let machines = machines.to_vec();
            let what = What::Failures {
                machines,
                ways: 0..3,
                up,
                repair,
            };
            vec![Change::made("failures", what)]
        };
        let up = |one: &MachineTruth| one.failures[0].up.mean_s();
        self.add(("up", name), &failing, Some(&up), &|machines, factor| {
            failures(machines, Times::Factor(factor), Times::Same)
        });
        let repair = |one: &MachineTruth| one.failures[0].repair.mean_s();
        self.add(
            ("repair", name),
            &failing,
            Some(&repair),
            &|machines, factor| failures(machines, Times::Same, Times::Factor(factor)),
        );
        let changes = self.chosen(machines, &|at| {
            station(at).is_some_and(|one| !one.setups.is_empty())
        });
        self.add(("set-up", name), &changes, None, &|machines, factor| {
            let machines = machines.to_vec();
            vec![Change::made("setup", What::Setup { machines, factor })]
        });
    }

    /// How many parts are scrap, and how many are reworked.
    fn shares(&mut self, name: &str, machines: &[usize]) {
        let model = self.model;
        let of = |at: usize| {
            model
                .truth
                .machines
                .get(at)
                .map_or((0.0, 0.0), |one| (one.scrap, one.rework))
        };
        let scraps = self.chosen(machines, &|at| of(at).0 > 0.0);
        let change = |machine: &usize, scrap: Option<f64>, rework: Option<f64>| {
            let what = What::Quality {
                machines: vec![*machine],
                scrap: scrap.map(|share| share.min(1.0)),
                rework: rework.map(|share| share.min(1.0)),
            };
            Change::made("quality", what)
        };
        self.add(("scrap", name), &scraps, None, &|machines, factor| {
            machines
                .iter()
                .map(|at| change(at, Some(of(*at).0 * factor), None))
                .collect()
        });
        let reworks = self.chosen(machines, &|at| of(at).1 > 0.0);
        self.add(("rework", name), &reworks, None, &|machines, factor| {
            machines
                .iter()
                .map(|at| change(at, None, Some(of(*at).1 * factor)))
                .collect()
        });
    }

    fn chosen(&self, machines: &[usize], wanted: &dyn Fn(usize) -> bool) -> Vec<usize> {
        machines.iter().copied().filter(|at| wanted(*at)).collect()
    }

    /// A parameter of machines: nothing where no machine has it.
    fn add(
        &mut self,
        (what, name): (&'static str, &str),
        machines: &[usize],
        of: Option<Reads<'_>>,
        makes: Makes<'_>,
    ) {
        let layout = &self.model.layout;
        if machines.is_empty() {
            return;
        }
        let known = machines.iter().filter_map(|at| layout.machines.get(*at));
        let stations: Vec<usize> = known.clone().filter_map(|one| one.station).collect();
        let names = known.map(|one| one.id.clone()).collect();
        let fitted = of.and_then(|of| self.fitted(machines, of));
        let range = fitted.unwrap_or((1.0 - self.swing, 1.0 + self.swing));
        self.push(
            (what, name),
            names,
            (range, fitted.is_some()),
            &stations,
            &|factor| makes(machines, factor),
        );
    }

    fn push(
        &mut self,
        (what, name): (&'static str, &str),
        of: Vec<String>,
        (range, is_fitted): ((f64, f64), bool),
        stations: &[usize],
        makes: &dyn Fn(f64) -> Vec<Change>,
    ) {
        let busy = stations.iter().filter_map(|at| self.busy.get(*at).copied());
        self.made.push(Group {
            name: format!("{what} of {name}"),
            what,
            of,
            range,
            is_fitted,
            changes: [makes(range.0), makes(range.1)],
            busy: busy.fold(0.0, f64::max),
        });
    }

    /// What 10 % and 90 % of what the data leave open lie below, as a multiple of what was fitted: the mean over the
    /// machines, each drawn by itself. Nothing where nothing is open.
    fn fitted(&self, machines: &[usize], of: Reads<'_>) -> Option<(f64, f64)> {
        let ratio = |draw: &Arc<Truth>| {
            let ratios = machines
                .iter()
                .filter_map(|at| Some(of(draw.machines.get(*at)?) / of(self.truth(*at)?)));
            ratios.sum::<f64>() / machines.len() as f64
        };
        let mut ratios: Vec<f64> = self.draws.iter().map(ratio).collect();
        ratios.retain(|ratio| ratio.is_finite() && *ratio > 0.0);
        ratios.sort_by(f64::total_cmp);
        let last = ratios.len().checked_sub(1)?;
        let at = |tenths: usize| ratios.get(last * tenths / 10).copied();
        let (low, high) = (at(1)?, at(9)?);
        (low < high).then_some((low, high))
    }

    fn sources(&mut self) {
        let layout = Arc::clone(&self.model.layout);
        for (at, station) in layout.stations.iter().enumerate() {
            let paced = station.source.as_ref().is_some_and(|one| one.every_ns > 0);
            let told = self
                .truth(station.machine)
                .is_some_and(|one| one.arrivals.is_some());
            let Some(machine) = layout.machines.get(station.machine) else {
                continue;
            };
            if station.source.is_none() || !(paced || told) {
                continue;
            }
            let range = (1.0 - self.swing, 1.0 + self.swing);
            let names = vec![machine.id.clone()];
            self.push(
                ("demand", &machine.id),
                names,
                (range, false),
                &[at],
                &|factor| {
                    let (machines, times) = (vec![at], Times::Factor(factor));
                    vec![Change::made("demand", What::Demand { machines, times })]
                },
            );
        }
    }

    fn deliveries(&mut self) {
        let layout = Arc::clone(&self.model.layout);
        let mut by_part: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (at, feed) in layout.feeds.iter().enumerate() {
            let truth = self.model.truth.feeds.get(at);
            if truth.is_some_and(|one| one.delivery.mean_s() > 0.0) {
                by_part.entry(&feed.part_number).or_default().push(at);
            }
        }
        for (part, feeds) in by_part {
            let used = feeds.iter().filter_map(|at| layout.feeds.get(*at));
            let stations: Vec<usize> = used.map(|one| one.station).collect();
            let range = (1.0 - self.swing, 1.0 + self.swing);
            self.push(
                ("delivery", part),
                vec![part.to_owned()],
                (range, false),
                &stations,
                &|factor| {
                    let what = What::Supply {
                        feeds: feeds.clone(),
                        delay_s: 0.0,
                        times: Times::Factor(factor),
                    };
                    vec![Change::made("supply", what)]
                },
            );
        }
    }

    /// A buffer of few places is tried with one less and one more.
    fn buffers(&mut self) {
        let layout = Arc::clone(&self.model.layout);
        for (at, buffer) in layout.buffers.iter().enumerate() {
            let is_here = Place::Buffer(at);
            let ends = layout
                .ways
                .iter()
                .filter(|way| way.from == is_here || way.to == is_here);
            let stations =
                ends.flat_map(|way| [way.from, way.to])
                    .filter_map(|place| match place {
                        Place::Station(station) => Some(station),
                        Place::Buffer(_) => None,
                    });
            let stations: Vec<usize> = stations.collect();
            let given = f64::from(buffer.capacity.max(1));
            let more = (given * self.swing).round().max(1.0);
            let range = ((given - more).max(1.0) / given, (given + more) / given);
            let names = vec![buffer.id.clone()];
            self.push(
                ("capacity", &buffer.id),
                names,
                (range, false),
                &stations,
                &|factor| {
                    let size = Size::Is((given * factor).round() as u32);
                    let what = What::Buffer {
                        buffers: vec![at],
                        size,
                    };
                    vec![Change::made("buffer", what)]
                },
            );
        }
    }
}
