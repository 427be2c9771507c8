//! Parts with an identity, where they are and what becomes of them, and the orders for which they
//! are built.

use super::{Reporter, names, text};
use crate::factory::{Gone, Part};
use crate::layout::{Layout, Place};
use werkbuch_model::event::{
    Body, BufferLevelChanged, Disposition, OrderAborted, OrderCompleted, OrderReleased,
    OrderStarted, PartDispositioned, PartEntered, PartLeft, PartSplit, PartsJoined, WorkOutcome,
};

impl Reporter {
    pub(crate) fn name(&self, layout: &Layout, about: &Part) -> String {
        names::part(layout, &self.plant, about)
    }

    pub(super) fn entered(&mut self, layout: &Layout, about: Part, from: Option<Place>) {
        if from.is_none() {
            self.order_begins(layout, about);
        }
        let part = self.name(layout, &about);
        if part.is_empty() {
            return;
        }
        let mut body = PartEntered {
            part: text(part),
            part_type: text(product(layout, &about)),
            variant: text(variant(layout, &about)),
            carrier: text(carrier(layout, &about)),
            ..PartEntered::default()
        };
        if names::is_vehicle(layout, about.product) {
            body.order = text(names::order(&about));
        }
        match about.place {
            Place::Station(station) => {
                let Some(station) = layout.stations.get(station) else {
                    return;
                };
                body.operation = text(station.operation.as_str());
                self.says(station.machine, Body::PartEntered(body));
            }
            Place::Buffer(buffer) => {
                body.location = text(place_name(layout, about.place));
                self.says_of_buffer(buffer, Body::PartEntered(body));
            }
        }
    }

    pub(super) fn left(&mut self, layout: &Layout, about: Part, station: usize, to: Option<Place>) {
        let part = self.name(layout, &about);
        let Some(station) = layout.stations.get(station).filter(|_| !part.is_empty()) else {
            return;
        };
        let body = PartLeft {
            part: text(part),
            to: to.map_or_else(|| text(""), |to| text(place_name(layout, to))),
            part_type: text(product(layout, &about)),
            variant: text(variant(layout, &about)),
            carrier: text(carrier(layout, &about)),
            operation: text(station.operation.as_str()),
            outcome: outcome(&about),
            ..PartLeft::default()
        };
        self.says(station.machine, Body::PartLeft(body));
    }

    pub(super) fn gone(&mut self, layout: &Layout, about: Part, at: Place, how: Gone) {
        // What is scrap was said when it was found.
        if how != Gone::Finished {
            return;
        }
        self.dispose(layout, about, at, Disposition::Shipped);
        if names::is_vehicle(layout, about.product) {
            self.shift.finished += 1;
            self.books(Body::OrderCompleted(OrderCompleted {
                order: text(names::order(&about)),
                done: Some(1),
                scrap: None,
            }));
        }
    }

    /// A part is found to be scrap: that is decided, and nothing is built for its order any more.
    pub(super) fn condemned(&mut self, layout: &Layout, about: Part, at: Place) {
        self.dispose(layout, about, at, Disposition::Scrap);
        if names::is_vehicle(layout, about.product) {
            self.books(Body::OrderAborted(OrderAborted {
                order: text(names::order(&about)),
                done: Some(0),
                scrap: Some(1),
                reason: text("body scrapped"),
            }));
        }
    }

    /// A part is taken out of the plant at a buffer.
    pub(super) fn taken_out(&mut self, layout: &Layout, about: Part, buffer: usize) {
        let part = self.name(layout, &about);
        if part.is_empty() {
            return;
        }
        let body = PartLeft {
            part: text(part),
            location: text(place_name(layout, Place::Buffer(buffer))),
            part_type: text(product(layout, &about)),
            variant: text(variant(layout, &about)),
            carrier: text(carrier(layout, &about)),
            outcome: outcome(&about),
            ..PartLeft::default()
        };
        self.says_of_buffer(buffer, Body::PartLeft(body));
    }

    /// What was decided about a part.
    pub(super) fn dispose(
        &mut self,
        layout: &Layout,
        about: Part,
        at: Place,
        disposition: Disposition,
    ) {
        let part = self.name(layout, &about);
        if part.is_empty() {
            return;
        }
        let body = PartDispositioned {
            part: text(part),
            disposition,
            location: text(place_name(layout, at)),
            produced_at: Some(self.present()),
            ..PartDispositioned::default()
        };
        self.books(Body::PartDispositioned(body));
    }

    pub(super) fn joined(&mut self, layout: &Layout, into: Part, parts: &[Part], station: usize) {
        let Some(station) = layout.stations.get(station) else {
            return;
        };
        let part = self.name(layout, &into);
        if part.is_empty() {
            return;
        }
        let mut named = Vec::new();
        for joined in parts {
            let name = self.name(layout, joined);
            if name.is_empty() {
                continue;
            }
            let halves = names::halves(layout, joined.product).map(|half| format!("{name}-{half}"));
            if halves.len() == 0 {
                named.push(text(name));
                continue;
            }
            // A pair is taken off its rack as two.
            let halves: Vec<_> = halves.map(text).collect();
            named.extend(halves.iter().cloned());
            let body = PartSplit {
                part: text(name),
                into: halves,
                operation: text(station.operation.as_str()),
                ..PartSplit::default()
            };
            self.says(station.machine, Body::PartSplit(body));
        }
        if named.is_empty() {
            return;
        }
        let body = PartsJoined {
            part: text(part),
            parts: named,
            operation: text(station.operation.as_str()),
            ..PartsJoined::default()
        };
        self.says(station.machine, Body::PartsJoined(body));
    }

    pub(super) fn level(&mut self, layout: &Layout, buffer: usize, level: u32) {
        let Some(spec) = layout.buffers.get(buffer) else {
            return;
        };
        if let Some(known) = self.levels.get_mut(buffer) {
            *known = level;
        }
        let body = BufferLevelChanged {
            buffer: text(spec.id.as_str()),
            level: Some(u64::from(level)),
            capacity: Some(u64::from(spec.capacity)),
            ..BufferLevelChanged::default()
        };
        self.says_of_buffer(buffer, Body::BufferLevelChanged(body));
    }

    /// A vehicle is in the plant from now on, so its order is released and begun.
    fn order_begins(&mut self, layout: &Layout, about: Part) {
        if !names::is_vehicle(layout, about.product) {
            return;
        }
        // What stands in the plant at the start was begun in an earlier shift.
        self.shift.begun += u64::from(self.now_ns > 0);
        let order = text(names::order(&about));
        let (product, variant) = (text(product(layout, &about)), text(variant(layout, &about)));
        let due = self.time(self.now_ns.saturating_add(16 * 3_600_000_000_000));
        let released = OrderReleased {
            order: order.clone(),
            product: product.clone(),
            variant: variant.clone(),
            planned: Some(1),
            due: Some(due),
            priority: None,
        };
        self.books(Body::OrderReleased(released));
        self.books(Body::OrderStarted(OrderStarted {
            order,
            product,
            variant,
        }));
    }
}

const fn outcome(about: &Part) -> WorkOutcome {
    if about.is_scrap {
        WorkOutcome::Nok
    } else {
        WorkOutcome::Ok
    }
}

pub(super) fn product<'l>(layout: &'l Layout, about: &Part) -> &'l str {
    layout.products.get(about.product).map_or("", |one| &one.id)
}

pub(super) fn variant<'l>(layout: &'l Layout, about: &Part) -> &'l str {
    layout.variants.get(about.variant).map_or("", |one| &one.id)
}

pub(super) fn carrier(layout: &Layout, about: &Part) -> String {
    let on = about
        .carrier
        .and_then(|(at, number)| Some((layout.carriers.get(at)?, number)));
    on.map_or_else(String::new, |(carrier, number)| {
        format!("{}-{number:03}", carrier.id)
    })
}

pub(crate) fn place_name(layout: &Layout, place: Place) -> &str {
    match place {
        Place::Buffer(buffer) => layout.buffers.get(buffer).map_or("", |one| &one.id),
        Place::Station(station) => {
            let machine = layout
                .stations
                .get(station)
                .and_then(|one| layout.machines.get(one.machine));
            machine.map_or("", |one| &one.id)
        }
    }
}
