//! Which part comes next: out of a buffer by its kind, or from outside by the programme.

use super::fact::{Fact, PartIndex};
use super::flow::takes;
use super::{Due, FREES, Factory};
use crate::layout::{Place, Source};
use crate::truth::Programme;
use std::sync::Arc;
use werkbuch_model::plant::BufferKind;

/// A part that has waited this long is taken before others of a better fit.
const PATIENCE_NS: u64 = 25 * 60 * 1_000_000_000;
/// How likely the next car has the attribute of the one before it, where a change costs something.
const STAYS: f64 = 0.6;
/// How many parts are made between two changes of a source that changes over.
const LOT: (u64, u64) = (40, 40);

impl Factory {
    /// Takes a part into an empty slot, if there is one for it.
    pub(super) fn load(&mut self, slot: usize) {
        let Some(station) = self.slots.get(slot).map(|slot| slot.station) else {
            return;
        };
        if !self.is_running(station) {
            return;
        }
        let ins = self
            .layout
            .stations
            .get(station)
            .map(|one| one.ins.clone())
            .unwrap_or_default();
        for way in ins {
            let Some(way) = self.layout.ways.get(way) else {
                continue;
            };
            let Place::Buffer(buffer) = way.from else {
                continue;
            };
            let Some(at) = self.choose(station, buffer, |variant| takes(way, variant)) else {
                continue;
            };
            if let Some(part) = self.take_at(buffer, at) {
                self.place_in(slot, part, Some(Place::Buffer(buffer)));
            }
            return;
        }
        self.release(slot, station);
    }

    /// The place in a buffer of the part that a station takes next.
    fn choose(&self, station: usize, buffer: usize, fits: impl Fn(usize) -> bool) -> Option<usize> {
        let now_ns = self.now_ns();
        let kind = self.layout.buffers.get(buffer)?.kind;
        let held = self.buffers.get(buffer)?.held.iter().enumerate();
        let mut ready = held.filter(|(_, held)| {
            let variant = self.part(held.part).map(|part| part.variant);
            held.ready_ns <= now_ns && variant.is_some_and(&fits)
        });
        let all = ready.clone().map(|(at, held)| (at, held.part));
        let all = all.filter_map(|(at, part)| Some((at, self.part(part)?)));
        if let Some(chosen) = self.by_rule(station, all) {
            return chosen;
        }
        match kind {
            BufferKind::Lifo => ready.last().map(|(at, _)| at),
            BufferKind::Resequencing | BufferKind::Lanes => {
                let (first, oldest) = ready.next()?;
                if oldest.ready_ns.saturating_add(PATIENCE_NS) < now_ns {
                    return Some(first);
                }
                let free = |part: PartIndex| {
                    let set = self.stations.get(station).and_then(|one| one.variant);
                    let variant = self.part(part).map(|part| part.variant);
                    match (set, variant) {
                        (Some(from), Some(to)) => self.layout.setup_ns(station, from, to) == 0,
                        _ => true,
                    }
                };
                if free(oldest.part) {
                    return Some(first);
                }
                let better = ready.find(|(_, held)| free(held.part));
                Some(better.map_or(first, |(at, _)| at))
            }
            _ => ready.next().map(|(at, _)| at),
        }
    }

    /// The places in a buffer of so many parts to be joined; absent when there are not enough.
    pub(super) fn ready_parts(&self, buffer: usize, wanted: u32) -> Option<Vec<usize>> {
        let now_ns = self.now_ns();
        let wanted = usize::try_from(wanted).ok()?;
        let held = self.buffers.get(buffer)?.held.iter().enumerate();
        let ready: Vec<usize> = held
            .filter(|(_, held)| held.ready_ns <= now_ns)
            .map(|(at, _)| at)
            .take(wanted)
            .collect();
        (ready.len() == wanted).then_some(ready)
    }

    /// A part from outside, if the station is a source and it is time for one.
    fn release(&mut self, slot: usize, station: usize) {
        let Some(source) = self
            .layout
            .stations
            .get(station)
            .and_then(|one| one.source.clone())
        else {
            return;
        };
        let now_ns = self.now_ns();
        let next_ns = self.stations.get(station).map_or(0, |one| one.release_ns);
        if next_ns > now_ns || self.is_full(&source) {
            return;
        }
        let next = self.next_variant(station, &source.products);
        self.plan_release(station, source.every_ns);
        let Some((product, variant)) = next else {
            return;
        };
        let part = self.make(product, variant, Place::Station(station));
        if let Some(about) = self.part(part) {
            self.say(Fact::Made {
                part,
                about,
                station,
            });
        }
        self.place_in(slot, part, None);
    }

    /// When parts first come in at buffers.
    pub(super) fn plan_arrivals(&mut self) {
        for station in 0..self.stations.len() {
            if let Some(programme) = self.programme(station) {
                self.plan_comes(station, &programme);
            }
        }
        for buffer in 0..self.buffers.len() {
            let source = self
                .layout
                .buffers
                .get(buffer)
                .and_then(|one| one.source.as_ref());
            if let Some(every_ns) = source.map(|source| source.every_ns) {
                self.calendar.plan(every_ns, FREES, Due::Arrive { buffer });
            }
        }
    }

    /// A part comes in at a buffer, or waits until there is room.
    pub(super) fn arrive(&mut self, buffer: usize) {
        let spec = self.layout.buffers.get(buffer);
        let Some((source, capacity)) =
            spec.and_then(|one| Some((one.source.clone()?, one.capacity)))
        else {
            return;
        };
        let Some(state) = self.buffers.get_mut(buffer) else {
            return;
        };
        if state.held.len() >= usize::try_from(capacity).unwrap_or(0) {
            state.is_waited_for = true;
            return;
        }
        let variants = source
            .products
            .iter()
            .filter_map(|product| self.layout.products.get(*product))
            .flat_map(|product| product.variants.clone());
        let variants: Vec<usize> = variants.collect();
        let variant = self.by_shares(&variants);
        let product = variant.and_then(|at| Some(self.layout.variants.get(at)?.product));
        if let (Some(variant), Some(product)) = (variant, product) {
            let part = self.make(product, variant, Place::Buffer(buffer));
            self.put(buffer, part, 0, None);
        }
        self.calendar
            .plan(source.every_ns, FREES, Due::Arrive { buffer });
    }

    /// What a part of a product becomes at a station: one of the products whose routings begin there where it has
    /// no name, else it stays what it is.
    pub(super) fn made_of(&self, product: usize, station: usize) -> Vec<usize> {
        let is_unnamed = self.layout.products.get(product);
        let is_unnamed = is_unnamed.is_some_and(|one| one.is_unnamed);
        let begins = self.layout.stations.get(station).map(|one| &one.begins);
        match begins.filter(|begins| is_unnamed && !begins.is_empty()) {
            Some(begins) => begins.clone(),
            None => vec![product],
        }
    }

    /// A part without a name becomes what the routing that begins at its station makes of it.
    pub(super) fn become_product(&mut self, part: PartIndex, station: usize) {
        let Some(about) = self.part(part) else { return };
        let becomes = self.made_of(about.product, station);
        if becomes == [about.product] {
            return;
        }
        let products = becomes
            .iter()
            .filter_map(|at| self.layout.products.get(*at));
        let variants: Vec<usize> = products.flat_map(|one| one.variants.clone()).collect();
        let Some(variant) = self.by_shares(&variants) else {
            return;
        };
        let Some(product) = self.layout.variants.get(variant).map(|one| one.product) else {
            return;
        };
        for (of, more) in [(about.variant, -1), (variant, 1)] {
            if let Some(alive) = self.alive.get_mut(of) {
                *alive = alive.saturating_add_signed(more);
            }
        }
        if let Some(about) = self.part_mut(part) {
            (about.product, about.variant) = (product, variant);
        }
    }

    /// Whether as many parts as there may be are in the plant.
    fn is_full(&self, source: &Source) -> bool {
        let Some(limit) = source.limit else {
            return false;
        };
        let products = source.products.iter();
        let variants = products.filter_map(|product| self.layout.products.get(*product));
        let variants = variants.flat_map(|product| &product.variants);
        let alive = variants.filter_map(|variant| self.alive.get(*variant));
        alive.sum::<u32>() >= limit
    }

    /// When the next part may come in.
    fn plan_release(&mut self, station: usize, every_ns: u64) {
        if let Some(running) = self.stations.get_mut(station) {
            running.released += 1;
        }
        let programme = self.programme(station);
        if programme.is_some_and(|programme| self.plan_comes(station, &programme)) {
            return;
        }
        let machine = self.layout.stations.get(station).map(|one| one.machine);
        let truth = machine.and_then(|machine| self.truth.machines.get(machine));
        let Some(running) = self.stations.get_mut(station) else {
            return;
        };
        let after_ns = match truth.and_then(|truth| truth.arrivals.as_ref()) {
            Some(arrivals) => arrivals.draw_ns(&mut running.arrivals),
            None => every_ns,
        };
        if after_ns > 0 {
            running.release_ns = self.calendar.now_ns().saturating_add(after_ns);
            self.calendar.plan(after_ns, FREES, Due::Look { station });
        }
    }

    fn programme(&self, station: usize) -> Option<Arc<Programme>> {
        let machine = self.layout.stations.get(station)?.machine;
        self.truth.machines.get(machine)?.programme.clone()
    }

    /// When the next part comes in by a programme; false where it does not say so.
    fn plan_comes(&mut self, station: usize, programme: &Programme) -> bool {
        let Some(running) = self.stations.get_mut(station) else {
            return false;
        };
        let (last_ns, count) = (running.release_ns, running.released);
        let next_ns = programme
            .comes
            .next_ns(last_ns, count, &mut running.arrivals);
        let Some(next_ns) = next_ns else { return false };
        running.release_ns = next_ns;
        let after_ns = next_ns.saturating_sub(self.calendar.now_ns());
        if next_ns < u64::MAX {
            self.calendar.plan(after_ns, FREES, Due::Look { station });
        }
        true
    }

    /// What comes next by a programme; nothing more comes where it is through.
    fn by_programme(&self, station: usize) -> Option<Option<usize>> {
        let programme = self.programme(station)?;
        let (count, all) = (self.stations.get(station)?.released, &programme.variants);
        let at = match programme.repeats {
            true => count % all.len().max(1),
            false => count,
        };
        (!all.is_empty()).then(|| all.get(at).copied())
    }

    /// What a source makes next: by its programme, or by lots where a change costs something there, else by shares.
    fn next_variant(&mut self, station: usize, products: &[usize]) -> Option<(usize, usize)> {
        let variants = products
            .iter()
            .filter_map(|product| self.layout.products.get(*product));
        let variants: Vec<usize> = variants
            .flat_map(|product| product.variants.iter().copied())
            .collect();
        if let Some(variant) = self.by_programme(station) {
            let variant = variant?;
            return Some((self.layout.variants.get(variant)?.product, variant));
        }
        let changes = self
            .layout
            .stations
            .get(station)
            .is_some_and(|one| !one.setups.is_empty());
        let variant = if changes && variants.len() > 1 {
            self.by_lots(station, &variants)?
        } else {
            self.by_shares(&variants)?
        };
        Some((self.layout.variants.get(variant)?.product, variant))
    }

    fn by_lots(&mut self, station: usize, variants: &[usize]) -> Option<usize> {
        let alive = |variant: &usize| self.alive.get(*variant).copied().unwrap_or(0);
        let scarce = variants.iter().copied().min_by_key(alive)?;
        let lot = u32::try_from(LOT.0 + self.arrivals.below(LOT.1)).unwrap_or(1);
        let running = self.stations.get_mut(station)?;
        if running.lot_left == 0 {
            running.lot_left = lot;
            running.lot_variant = Some(scarce);
        }
        running.lot_left -= 1;
        running.lot_variant
    }

    /// By shares, but often with the attributes of the one before, as a programme sorts them.
    pub(super) fn by_shares(&mut self, variants: &[usize]) -> Option<usize> {
        let product = self.layout.variants.get(*variants.first()?)?.product;
        let before = self.colour.get(product).copied().unwrap_or(usize::MAX);
        if variants.contains(&before) && variants.len() > 1 && self.arrivals.chance(STAYS) {
            let colour = |variant: usize| {
                let of = self.layout.variants.get(variant);
                of.map_or("", |one| one.attribute("colour")).to_owned()
            };
            let wanted = colour(before);
            let alike: Vec<usize> = variants
                .iter()
                .copied()
                .filter(|one| colour(*one) == wanted)
                .collect();
            return self.draw_share(&alike);
        }
        let drawn = self.draw_share(variants);
        if let (Some(drawn), Some(before)) = (drawn, self.colour.get_mut(product)) {
            *before = drawn;
        }
        drawn
    }

    fn draw_share(&mut self, variants: &[usize]) -> Option<usize> {
        let share = |variant: &usize| {
            self.layout
                .variants
                .get(*variant)
                .map_or(0.0, |one| one.share)
        };
        let whole: f64 = variants.iter().map(share).sum();
        let mut left = self.arrivals.unit() * whole;
        for variant in variants {
            left -= share(variant);
            if left <= 0.0 {
                return Some(*variant);
            }
        }
        variants.last().copied()
    }
}
