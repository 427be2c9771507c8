//! The fork: a model whose times are fitted to what was recorded, and that begins as the plant stood.

use super::machines::Known;
use super::model::{Model, never};
use super::recorded::{MachineRecord, PlaceRecord, PlantRecord};
use crate::factory::{AtStation, Level};
use crate::fit::{Basis, Fit, Observation, Reason, Selection};
use crate::kernel::{Distribution, Purpose, Streams};
use crate::truth::{FailureTruth, SetupTruth, Truth};
use std::sync::Arc;
use werkbuch_model::event::State;

/// No fit uses more values than this, the last ones.
pub(super) const VALUES_MAX: usize = 2_000;

/// A row of the review sheet: what was fitted, to what, and how well.
#[derive(Clone, Debug, PartialEq)]
pub struct Fitted {
    /// The machine; of a delivery the part number and where it is brought.
    pub machine: String,
    /// What: `cycle`, `up`, `repair`, `up attended` and `repair attended` (failures that somebody came to),
    /// `set-up`, `up together`, `stop together`, `delivery`.
    pub what: &'static str,
    /// What is used.
    pub distribution: Distribution,
    /// How many values of its own there are; where they are few it is fitted to those of others with them.
    pub values: usize,
    /// Of these, those that had not ended.
    pub censored: usize,
    /// The Kolmogorov-Smirnov distance of the fit; absent where nothing was fitted.
    pub ks_distance: Option<f64>,
    /// Where it comes from, in words.
    pub basis: String,
}

/// What is drawn anew in every replication, since the data do not tell it exactly.
#[derive(Clone, Debug)]
pub(super) struct Uncertain {
    /// The machine, the stop group, or the line-side stock.
    at: usize,
    what: Part,
    fit: Fit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Cycle,
    /// Of a variant.
    CycleOf(usize),
    Up,
    Repair,
    /// Of failures that somebody comes to.
    UpAttended,
    RepairAttended,
    /// From one variant to another, or from any to any.
    Setup(Option<(usize, usize)>),
    ZoneUp,
    ZoneStop,
    Delivery,
}

impl Model {
    /// Fits this model, which is the plant as planned, to what was recorded, and lets it begin as the plant
    /// stood. Answers the review sheet. What there is no evidence for stays as planned, and is listed among the
    /// assumptions.
    #[must_use]
    pub fn fork(&mut self, recorded: &PlantRecord) -> Vec<Fitted> {
        let layout = Arc::clone(&self.layout);
        let known = Known::of(&layout, recorded);
        let mut sheet = Vec::new();
        let mut silent = Vec::new();
        for (at, machine) in layout.machines.iter().enumerate() {
            let Some(record) = recorded.machine(&machine.id) else {
                silent.push(machine.id.clone());
                continue;
            };
            self.fit_machine(at, record, &known, &mut sheet);
        }
        if !silent.is_empty() {
            self.assumptions.push(format!(
                "{} of {} machines said nothing in the window and do as planned: {}",
                silent.len(),
                layout.machines.len(),
                some(&silent)
            ));
        }
        self.assumptions.push(match known.says_who_came {
            true => "a repair is counted from when somebody came, who comes when the crew has somebody free; stops \
                     that nobody came to are a way to fail of their own"
                .to_owned(),
            false => "a repair includes the time until somebody came; people do other work at once"
                .to_owned(),
        });
        self.assumptions
            .push("demand and mix are as planned".to_owned());
        self.fit_zones(recorded, &mut sheet);
        self.fit_material(recorded, &mut sheet);
        self.begin_as(recorded, &known);
        sheet
    }

    /// Uses a fit, and writes it into the review sheet.
    pub(super) fn use_fit(
        &mut self,
        (at, name): (usize, &str),
        what: Part,
        values: &[Observation],
        selection: Selection,
        sheet: &mut Vec<Fitted>,
    ) {
        let basis = match (&selection.basis, selection.reason) {
            (Basis::Pool { own }, _) => {
                format!("pooled with machines of its type: {own} values of its own are too few")
            }
            (Basis::Own, Reason::LowestAic) => "its own values, least AIC".to_owned(),
            (Basis::Own, Reason::FewValues) => {
                "its own values as they are: too few for a family".to_owned()
            }
            (Basis::Own, Reason::NoFamily) => {
                "its own values as they are: no family has their mean".to_owned()
            }
            (Basis::Own, Reason::NoSpread) => "its own values, which are all alike".to_owned(),
        };
        let fit = selection.chosen;
        self.set((at, what), fit.distribution.clone());
        sheet.push(Fitted {
            machine: name.to_owned(),
            what: match what {
                Part::Cycle | Part::CycleOf(_) => "cycle",
                Part::Up => "up",
                Part::Repair => "repair",
                Part::UpAttended => "up attended",
                Part::RepairAttended => "repair attended",
                Part::Setup(_) => "set-up",
                Part::ZoneUp => "up together",
                Part::ZoneStop => "stop together",
                Part::Delivery => "delivery",
            },
            distribution: fit.distribution.clone(),
            values: values.len(),
            censored: values.iter().filter(|one| one.is_censored).count(),
            ks_distance: fit.ks_distance.is_finite().then_some(fit.ks_distance),
            basis,
        });
        self.uncertain.push(Uncertain { at, what, fit });
    }

    pub(super) fn set(&mut self, (at, what): (usize, Part), times: Distribution) {
        put(Arc::make_mut(&mut self.truth), (at, what), times);
    }

    /// How the plant behaves in a replication: fitted parameters are drawn anew, since the data leave them open.
    pub(super) fn truth_of(&self, streams: &Streams) -> Arc<Truth> {
        if self.uncertain.is_empty() {
            return Arc::clone(&self.truth);
        }
        let mut truth = (*self.truth).clone();
        for (number, one) in (0_u32..).zip(&self.uncertain) {
            let mut stream = streams.stream(number, Purpose::Parameters);
            let drawn = one.fit.resample(&mut stream);
            put(&mut truth, (one.at, one.what), drawn);
        }
        for (number, one) in (0_u32..).zip(&self.late) {
            let mut stream = streams.stream(number + (4 << 20), Purpose::Parameters);
            one.draw(&mut truth, &mut stream);
        }
        Arc::new(truth)
    }

    /// Lets the model begin as the plant stood at the instant.
    fn begin_as(&mut self, recorded: &PlantRecord, known: &Known) {
        let layout = Arc::clone(&self.layout);
        let mut unknown = Vec::new();
        let levels = layout.buffers.iter().map(|buffer| {
            let place = recorded.places.iter().find(|one| one.place == buffer.id);
            let level = level(place, buffer.capacity);
            if level.is_none() {
                unknown.push(buffer.id.clone());
            }
            level.unwrap_or(Level {
                lower: 0,
                upper: buffer.capacity,
            })
        });
        self.start.levels = Some(levels.collect());
        self.start.buffers = None;
        if !unknown.is_empty() {
            self.assumptions.push(format!(
                "start state unknown: nobody knows how many parts lie in {} of {} buffers, any number is as \
                 likely: {}",
                unknown.len(),
                layout.buffers.len(),
                some(&unknown)
            ));
        }
        self.stand_as(recorded, known);
        self.start.at_stations = Vec::new();
        for (at, machine) in layout.machines.iter().enumerate() {
            let record = recorded.machine(&machine.id);
            let now = record.filter(|one| one.intervals.last().is_some_and(|now| now.is_covered));
            let Some(record) = now else { continue };
            let station = layout.stations.iter().position(|one| one.machine == at);
            if let Some(station) = station {
                let place = recorded.places.iter().find(|one| one.place == machine.id);
                let slots = layout.stations.get(station).map_or(1, |one| one.slots);
                let parts = parts_at(place, slots, record);
                let first = at_station(station, record, recorded.at_ns);
                let of = |number: u32| AtStation {
                    station,
                    variant: None,
                    // Of one behind the other only the first one's end is told.
                    spent_ns: first.filter(|_| slots == 1).and_then(|one| one.spent_ns),
                    is_done: number == 0 && first.is_some_and(|one| one.is_done),
                };
                self.start.at_stations.extend((0..parts).map(of));
            }
        }
    }
}

/// How many parts are at a station: as many as are known, else one where its state says that there is one.
fn parts_at(place: Option<&PlaceRecord>, slots: u32, record: &MachineRecord) -> u32 {
    let known = level(place, slots).filter(|level| level.lower == level.upper);
    let works = record.intervals.last().is_some_and(|one| {
        matches!(
            one.state,
            State::Executing | State::Blocked | State::Faulted | State::Held
        )
    });
    known.map_or(u32::from(works), |level| level.lower)
}

/// The part at a station, if its state says that there is one.
fn at_station(station: usize, record: &MachineRecord, at_ns: i64) -> Option<AtStation> {
    let now = record.intervals.last()?;
    let is_done = now.state == State::Blocked;
    let works = matches!(now.state, State::Executing | State::Faulted | State::Held);
    if !is_done && !works {
        return None;
    }
    let before = record.cycles.last().map_or(i64::MIN, |cycle| cycle.at_ns);
    // The part at hand was begun when the one before it was done, or when the station began to work.
    let begin = record
        .intervals
        .iter()
        .rev()
        .take_while(|one| one.from_ns >= before);
    let worked = begin.filter(|one| one.state == State::Executing);
    let worked_ns: i64 = worked.map(|one| one.to_ns.min(at_ns) - one.from_ns).sum();
    let since = record.intervals.last().filter(|one| one.from_ns < before);
    let worked_ns = worked_ns + since.map_or(0, |_| at_ns - before);
    Some(AtStation {
        station,
        variant: None,
        spent_ns: u64::try_from(worked_ns).ok(),
        is_done,
    })
}

/// The bounds of how many parts lie in a buffer; nothing where nobody knows.
fn level(place: Option<&PlaceRecord>, capacity: u32) -> Option<Level> {
    let place = place.filter(|one| one.method != "UNKNOWN")?;
    let most = u64::from(capacity);
    let upper = place.upper.unwrap_or(most).min(most);
    let lower = place.lower.min(upper);
    Some(Level {
        lower: u32::try_from(lower).unwrap_or(u32::MAX),
        upper: u32::try_from(upper).unwrap_or(u32::MAX),
    })
}

fn put(truth: &mut Truth, (at, what): (usize, Part), times: Distribution) {
    if let (Part::ZoneUp | Part::ZoneStop, Some(zone)) = (what, truth.zones.get_mut(at)) {
        match what {
            Part::ZoneUp => zone.up = times,
            _ => zone.stop = times,
        }
        return;
    }
    if let (Part::Delivery, Some(feed)) = (what, truth.feeds.get_mut(at)) {
        feed.delivery = times;
        return;
    }
    let Some(machine) = truth.machines.get_mut(at) else {
        return;
    };
    let [first, second, _] = &mut machine.failures;
    match what {
        Part::Cycle => (machine.cycle, machine.variation) = (Some(times), 0.0),
        Part::CycleOf(variant) => {
            machine.cycle_of.retain(|(of, _)| *of != variant);
            machine.cycle_of.push((variant, times));
        }
        Part::Up => {
            *first = FailureTruth {
                up: times,
                needs_crew: false,
                ..std::mem::replace(first, never())
            };
        }
        Part::Repair => first.repair = times,
        Part::UpAttended => {
            *second = FailureTruth {
                up: times,
                needs_crew: true,
                ..std::mem::replace(second, never())
            };
        }
        Part::RepairAttended => second.repair = times,
        Part::Setup(pair) => {
            machine.setups.retain(|one| one.pair != pair);
            machine.setups.push(SetupTruth { pair, times });
        }
        Part::ZoneUp | Part::ZoneStop | Part::Delivery => {}
    }
}

pub(super) fn last<T>(values: &[T]) -> &[T] {
    values
        .get(values.len().saturating_sub(VALUES_MAX)..)
        .unwrap_or_default()
}

pub(super) fn some(names: &[String]) -> String {
    match names.get(..6) {
        Some(first) if names.len() > 6 => {
            format!("{} and {} more", first.join(", "), names.len() - 6)
        }
        _ => names.join(", "),
    }
}
