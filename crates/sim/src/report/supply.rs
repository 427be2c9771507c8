//! Material at the line: used, called for, brought by vehicles, missing.

use super::{Reporter, names, person, text};
use crate::factory::Part;
use crate::layout::{Feed, Layout};
use std::borrow::Cow;
use werkbuch_model::event::{
    AndonCleared, AndonKind, AndonRaised, Body, MaterialArrived, MaterialConsumed, MaterialMoved,
    State, TransportEnded, TransportStarted, Vocabulary, WorkOutcome,
};

/// Pieces, as UN/ECE Recommendation 20 codes them.
const PIECES: &str = "C62";
/// Where material waits before it is brought to the line.
const STORE: &str = "logistics";
/// Each how many deliveries to the line a truck comes.
const TRUCK_EVERY: u32 = 4;

impl Reporter {
    pub(super) fn used(
        &mut self,
        layout: &Layout,
        feed: usize,
        pieces: u32,
        _left: u32,
        about: Part,
    ) {
        let Some(spec) = layout.feeds.get(feed) else {
            return;
        };
        let order = if names::is_vehicle(layout, about.product) {
            names::order(&about)
        } else {
            String::new()
        };
        let body = MaterialConsumed {
            part_number: text(spec.part_number.as_str()),
            batch: text(""),
            quantity: f64::from(pieces),
            unit: Cow::Borrowed(PIECES),
            at: text(at(layout, spec)),
            order: text(order),
            part: text(self.name(layout, &about)),
        };
        self.books(Body::MaterialConsumed(body));
    }

    pub(super) fn called(&mut self, layout: &Layout, feed: usize, delivery: u32) {
        let Some(spec) = layout.feeds.get(feed) else {
            return;
        };
        let vehicle = self.tuggers.iter().position(|(_, load)| load.is_none());
        let name = vehicle
            .and_then(|at| self.tuggers.get_mut(at))
            .map(|(machine, load)| {
                *load = Some((feed, delivery));
                *machine
            });
        if let Some(machine) = name {
            self.drive(machine, true);
        }
        let vehicle = name.and_then(|machine| layout.machines.get(machine));
        let body = TransportStarted {
            transport: text(format!("T-{}-{delivery}", spec.part_number)),
            vehicle: text(vehicle.map_or("", |one| one.id.as_str())),
            carrier: text(""),
            from: Cow::Borrowed(STORE),
            to: text(at(layout, spec)),
            parts: Vec::new(),
            part_number: text(spec.part_number.as_str()),
            quantity: None,
        };
        self.books(Body::TransportStarted(body));
    }

    pub(super) fn delivered(
        &mut self,
        layout: &Layout,
        feed: usize,
        delivery: u32,
        pieces: u32,
        _stock: u32,
    ) {
        let Some(spec) = layout.feeds.get(feed) else {
            return;
        };
        let mine = self
            .tuggers
            .iter_mut()
            .find(|(_, load)| *load == Some((feed, delivery)));
        if let Some((machine, load)) = mine {
            *load = None;
            let machine = *machine;
            self.drive(machine, false);
        }
        let here = text(at(layout, spec));
        let ended = TransportEnded {
            transport: text(format!("T-{}-{delivery}", spec.part_number)),
            at: here.clone(),
            outcome: WorkOutcome::Ok,
        };
        self.books(Body::TransportEnded(ended));
        let moved = MaterialMoved {
            part_number: text(spec.part_number.as_str()),
            batch: text(format!("B{delivery:04}")),
            quantity: f64::from(pieces.max(1)),
            unit: Cow::Borrowed(PIECES),
            from: Cow::Borrowed(STORE),
            to: here,
        };
        self.books(Body::MaterialMoved(moved));
        if delivery % TRUCK_EVERY == 1 {
            let arrived = MaterialArrived {
                part_number: text(spec.part_number.as_str()),
                batch: text(format!("B{:04}", delivery + TRUCK_EVERY)),
                quantity: f64::from(pieces.max(1) * TRUCK_EVERY),
                unit: Cow::Borrowed(PIECES),
                from: text(spec.site.as_str()),
                to: Cow::Borrowed(STORE),
                delivery: text(format!(
                    "D-{}-{}",
                    spec.part_number,
                    delivery / TRUCK_EVERY + 1
                )),
            };
            self.books(Body::MaterialArrived(arrived));
        }
        if let Some(machine) = self.take_short(layout, feed) {
            let body = AndonCleared {
                key: short_key(spec),
                who: person(""),
                comment: person(""),
            };
            self.says(machine, Body::AndonCleared(body));
        }
    }

    pub(super) fn short(&mut self, layout: &Layout, feed: usize) {
        let Some(spec) = layout.feeds.get(feed) else {
            return;
        };
        let Some(machine) = layout.stations.get(spec.station).map(|one| one.machine) else {
            return;
        };
        if self.shorts.contains(&feed) {
            return;
        }
        self.shorts.push(feed);
        let body = AndonRaised {
            key: short_key(spec),
            andon: AndonKind::Material,
            location: text(""),
            text: text(format!("{} is missing", spec.part_number)),
            who: person(""),
        };
        self.says(machine, Body::AndonRaised(body));
    }

    /// How many stocks are called out as missing.
    pub(crate) fn open_shorts(&self) -> u64 {
        self.shorts.len() as u64
    }

    fn take_short(&mut self, layout: &Layout, feed: usize) -> Option<usize> {
        let at = self.shorts.iter().position(|short| *short == feed)?;
        self.shorts.remove(at);
        let station = layout.feeds.get(feed)?.station;
        Some(layout.stations.get(station)?.machine)
    }

    /// A vehicle drives, or waits.
    pub(super) fn drive(&mut self, machine: usize, drives: bool) {
        let state = if drives {
            State::Executing
        } else {
            State::Idle
        };
        self.say_state(machine, state, state.name(), Vocabulary::Canonical);
    }
}

fn at<'l>(layout: &'l Layout, feed: &Feed) -> &'l str {
    super::parts::place_name(layout, crate::layout::Place::Station(feed.station))
}

fn short_key(feed: &Feed) -> werkbuch_model::event::Text<'static> {
    text(format!("short-{}", feed.part_number))
}
