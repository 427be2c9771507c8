//! What is in the plant when the simulation starts: buffers partly filled, nothing in the stations.

use super::Factory;
use super::fact::Fact;
use super::{Level, Start};
use crate::kernel::Purpose;
use crate::layout::Place;
use werkbuch_model::plant::{BufferKind, FlowKind};

/// A product, and the carrier that it rides on.
type Comes = (usize, Option<usize>);
/// A buffer, and the same.
type Lies = (usize, usize, Option<usize>);

impl Factory {
    pub(super) fn fill(&mut self, start: &Start) {
        if let Some(buffers) = &start.buffers {
            return self.fill_as(buffers);
        }
        let levels = self.levels(start);
        for (buffer, product, carrier) in self.what_is_where().0 {
            let Some(spec) = self.layout.buffers.get(buffer) else {
                continue;
            };
            if spec.is_sink {
                continue;
            }
            let keeps_kinds = spec.kind == BufferKind::Store;
            let wanted = match &levels {
                Some(levels) => levels.get(buffer).copied().unwrap_or(0),
                None => (f64::from(spec.capacity) * start.fill - 1e-9).ceil() as usize,
            };
            let variants = self.fitting(buffer, product);
            for _ in 0..wanted {
                let variant = if keeps_kinds {
                    variants.first().copied()
                } else {
                    self.by_shares(&variants)
                };
                let Some(variant) = variant else { break };
                let free = carrier.and_then(|one| Some((one, self.carriers.get_mut(one)?.pop())));
                let rides = match free {
                    Some((one, Some(number))) => Some((one, number)),
                    // No more carriers: no more parts that ride on them.
                    Some((_, None)) => break,
                    None => None,
                };
                let part = self.make(product, variant, Place::Buffer(buffer));
                if let Some(about) = self.part_mut(part) {
                    (about.carrier, about.born_ns) = (rides, None);
                }
                self.put(buffer, part, 0, None);
            }
        }
    }

    /// How many parts lie in each buffer in this run, where bounds are known.
    fn levels(&self, start: &Start) -> Option<Vec<usize>> {
        let bounds = start.levels.as_ref()?.iter().zip(0_u32..);
        let level = |(of, number): (&Level, u32)| {
            let mut stream = self.streams.stream(number + (3 << 20), Purpose::Parameters);
            let more = stream.below(u64::from(of.upper.saturating_sub(of.lower)) + 1);
            usize::try_from(u64::from(of.lower) + more).unwrap_or(0)
        };
        Some(bounds.map(level).collect())
    }

    /// Of all that was put into the buffers, only how full they are then is told.
    pub(super) fn tell_last_levels(&mut self) {
        let mut told = vec![false; self.layout.buffers.len()];
        let mut keep: Vec<bool> = Vec::with_capacity(self.out.len());
        for happening in self.out.iter().rev() {
            let known = match happening.fact {
                Fact::Level { buffer, .. } => told.get_mut(buffer),
                _ => None,
            };
            keep.push(!known.is_some_and(|known| std::mem::replace(known, true)));
        }
        self.out.retain(|_| keep.pop().unwrap_or(true));
    }

    /// The variants of a product that reach a buffer.
    fn fitting(&self, buffer: usize, product: usize) -> Vec<usize> {
        let into = self
            .layout
            .ways
            .iter()
            .filter(|way| way.to == Place::Buffer(buffer));
        let into: Vec<_> = into.collect();
        let all = self
            .layout
            .products
            .get(product)
            .map(|one| one.variants.clone())
            .unwrap_or_default();
        let fits = |variant: &usize| into.iter().any(|way| super::flow::takes(way, *variant));
        all.into_iter().filter(fits).collect()
    }

    /// The buffers and the stations that parts reach by the main flow, with the product and its carrier.
    pub(super) fn what_is_where(&self) -> (Vec<Lies>, Vec<Option<Comes>>) {
        let mut known: Vec<Option<Comes>> = vec![None; self.layout.stations.len()];
        let mut found: Vec<Lies> = Vec::new();
        for (at, station) in self.layout.stations.iter().enumerate() {
            let product = station
                .source
                .as_ref()
                .and_then(|source| source.products.first());
            if let (Some(product), Some(known)) = (product, known.get_mut(at)) {
                *known = Some((*product, station.carrier));
            }
        }
        let mut goes_on = true;
        while goes_on {
            goes_on = false;
            for way in self
                .layout
                .ways
                .iter()
                .filter(|way| way.kind == FlowKind::Main)
            {
                let here = match way.from {
                    Place::Station(station) => known.get(station).copied().flatten(),
                    Place::Buffer(buffer) => {
                        let at = found.iter().find(|(known, ..)| *known == buffer);
                        at.map(|(_, product, carrier)| (*product, *carrier))
                    }
                };
                let Some((product, carrier)) = here else {
                    continue;
                };
                match way.to {
                    Place::Buffer(buffer) if !found.iter().any(|(known, ..)| *known == buffer) => {
                        found.push((buffer, product, carrier));
                        goes_on = true;
                    }
                    Place::Station(station) => {
                        let own = self
                            .layout
                            .stations
                            .get(station)
                            .and_then(|one| one.carrier);
                        if let Some(known @ None) = known.get_mut(station) {
                            // What has no name yet becomes what the routing that begins here makes of it.
                            let product = self.made_of(product, station).first().copied();
                            *known = product.map(|product| (product, own.or(carrier)));
                            goes_on = true;
                        }
                    }
                    Place::Buffer(_) => {}
                }
            }
        }
        found.sort_unstable();
        (found, known)
    }
}
