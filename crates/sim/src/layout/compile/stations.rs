//! The stations: what is around each, what it works on and how long, and when it works.

use super::{LayoutError, MS_NS, Making, pieces};
use crate::layout::{Hours, Place, Product, Setup, Source, Station, Variant, is_of_class};
use werkbuch_model::id::ElementId;
use werkbuch_model::plant::{self, BoundaryKind, FlowRole};
use werkbuch_model::time::Timestamp;

/// The cycle of a station for which none is declared, in milliseconds.
const CYCLE_MS: u64 = 60_000;

impl<'d> Making<'d> {
    pub(super) fn stations(&mut self) -> Result<(), LayoutError> {
        let nodes = self.from.machines().enumerate();
        let nodes: Vec<_> = nodes
            .filter(|(_, machine)| self.stations.contains_key(machine.id.as_str()))
            .collect();
        for (station, (at, machine)) in nodes.into_iter().enumerate() {
            let here = Place::Station(station);
            let sorted = |mut ways: Vec<usize>| {
                ways.sort_by_key(|way| self.layout.ways.get(*way).map_or(0, |way| way.priority));
                ways
            };
            let ways = || self.layout.ways.iter().enumerate();
            let ins = sorted(
                ways()
                    .filter(|(_, way)| way.to == here)
                    .map(|(at, _)| at)
                    .collect(),
            );
            let outs = sorted(
                ways()
                    .filter(|(_, way)| way.from == here)
                    .map(|(at, _)| at)
                    .collect(),
            );
            let cycle_ns = machine.cycle_ms.unwrap_or(CYCLE_MS).saturating_mul(MS_NS);
            if cycle_ns < MS_NS {
                return Err(LayoutError::NoCycle(machine.id.to_string()));
            }
            let source = self.source(&machine.id);
            let made = Station {
                machine: at,
                resources: self.resources(&machine.id),
                slots: machine.slots.max(1),
                transfer: machine.transfer,
                cycle_ns,
                ins,
                outs,
                joins: self.joins(&machine.id),
                setups: self.setups(machine.id.as_str()),
                operators: machine.operators,
                source,
                begins: self.begins(&machine.id),
                is_sink: self.boundary(&machine.id, BoundaryKind::Sink).is_some(),
                ..self.routed(&machine.id)
            };
            let resources = made.resources.clone();
            self.layout.stations.push(made);
            for resource in resources {
                if let Some(resource) = self.layout.machines.get_mut(resource) {
                    resource.station = Some(station);
                }
            }
        }
        Ok(())
    }

    /// What routings and rework loops say of a station; the rest of it is empty.
    fn routed(&self, machine: &ElementId) -> Station {
        let steps = || self.from.steps().filter(|step| step.at.contains(machine));
        let content = |step: &plant::Step| {
            let each_ms = step
                .work_ms
                .checked_div(u64::from(step.units_per_cycle.max(1)));
            each_ms.unwrap_or(0).saturating_mul(MS_NS)
        };
        let own = steps().filter_map(|step| {
            let variant = self.variants.get(step.variant.as_ref()?.as_str())?;
            Some((*variant, content(step)))
        });
        let carrier = steps().find_map(|step| step.carrier.as_ref());
        let carriers: Vec<_> = self.from.carriers().map(|carrier| &carrier.id).collect();
        // Of several loops that begin here each takes its share.
        let reworks = || self.from.reworks().filter(|one| one.from == *machine);
        let limits = reworks().map(|one| one.limit.unwrap_or(u32::MAX));
        let shares = reworks().filter_map(|one| one.share);
        Station {
            machine: 0,
            resources: Vec::new(),
            slots: 1,
            transfer: plant::Transfer::Unspecified,
            section: None,
            stops_with: Vec::new(),
            cycle_ns: 0,
            work_ns: own.collect(),
            content_ns: steps().find(|step| step.variant.is_none()).map(content),
            operation: steps()
                .next()
                .map_or_else(|| machine.to_string(), |step| step.operation.clone()),
            ins: Vec::new(),
            outs: Vec::new(),
            joins: Vec::new(),
            feeds: Vec::new(),
            setups: Vec::new(),
            carrier: carrier.and_then(|id| carriers.iter().position(|one| *one == id)),
            operators: 0,
            hours: None,
            begins: Vec::new(),
            source: None,
            is_sink: false,
            rework_limit: limits.max().unwrap_or(0),
            rework_share: shares.map(plant::Decimal::as_f64).sum::<f64>().min(1.0),
        }
    }

    fn resources(&self, node: &ElementId) -> Vec<usize> {
        let all = self.from.machines().enumerate();
        all.filter(|(_, one)| one.role == FlowRole::Resource && one.node.as_ref() == Some(node))
            .map(|(at, _)| at)
            .collect()
    }

    fn joins(&self, machine: &ElementId) -> Vec<(usize, u32)> {
        let feeds = self.from.feeds().filter(|feed| feed.at == *machine);
        let feeds = feeds.filter(|feed| self.is_joined(feed));
        let joined = feeds.filter_map(|feed| {
            let buffer = self.buffers.get(feed.from.as_ref()?.as_str())?;
            Some((*buffer, pieces(feed.quantity)))
        });
        joined.collect()
    }

    fn setups(&self, machine: &str) -> Vec<Setup> {
        let all = self
            .from
            .setups()
            .filter(|setup| is_of_class(&setup.machines, machine));
        let setup = |setup: &plant::Setup| Setup {
            attribute: setup.attribute.clone(),
            from: setup.from.clone(),
            to: setup.to.clone(),
            ns: setup.ms.saturating_mul(MS_NS),
        };
        all.map(setup).collect()
    }

    pub(super) fn boundary(
        &self,
        machine: &ElementId,
        kind: BoundaryKind,
    ) -> Option<&'d plant::Boundary> {
        self.from
            .boundaries()
            .find(|one| one.at == *machine && one.boundary_kind == kind)
    }

    /// What comes in at a machine or a buffer.
    pub(super) fn source(&mut self, at: &ElementId) -> Option<Source> {
        let boundary = self.boundary(at, BoundaryKind::Source)?;
        let named = boundary
            .products
            .iter()
            .filter_map(|id| self.products.get(id.as_str()));
        let mut products: Vec<usize> = named.copied().collect();
        if products.is_empty() && self.from.products().count() == 1 {
            products.push(0);
        }
        if products.is_empty() {
            products.push(self.unnamed(at));
        }
        let rate = boundary.rate_per_hour.map_or(0.0, plant::Decimal::as_f64);
        let every_ns = if rate > 0.0 {
            crate::kernel::to_ns(3_600.0 / rate)
        } else {
            0
        };
        Some(Source {
            products,
            every_ns,
            limit: None,
        })
    }

    /// A product of its own for what comes in where none is named.
    fn unnamed(&mut self, at: &ElementId) -> usize {
        let product = self.layout.products.len();
        let variant = self.layout.variants.len();
        let id = format!("part of {at}");
        self.layout.products.push(Product {
            id: id.clone(),
            variants: vec![variant],
            is_tracked: false,
            is_unnamed: true,
        });
        self.layout.variants.push(Variant {
            id,
            product,
            share: 1.0,
            attributes: Vec::new(),
        });
        product
    }

    /// The products whose routing begins at a machine.
    fn begins(&self, machine: &ElementId) -> Vec<usize> {
        let is_first = |step: &&plant::Step| {
            let mut same = self.from.steps().filter(|one| one.product == step.product);
            same.all(|one| one.number >= step.number)
        };
        let here = self.from.steps().filter(|step| step.at.contains(machine));
        let first = here.filter(is_first);
        let mut products: Vec<usize> = first
            .filter_map(|step| self.products.get(step.product.as_str()).copied())
            .collect();
        products.sort_unstable();
        products.dedup();
        products
    }

    pub(super) fn hours(&mut self, start: Timestamp, utc_offset_s: i32) {
        let from = self.from;
        for station in &mut self.layout.stations {
            let Some(machine) = self.layout.machines.get(station.machine) else {
                continue;
            };
            let own = from
                .machine(machine.number)
                .and_then(|one| one.calendar.as_ref());
            let of_unit = machine
                .units
                .iter()
                .filter_map(|unit| from.unit(unit)?.calendar.as_ref());
            let id = own
                .into_iter()
                .chain(of_unit)
                .chain(&from.plant().calendar)
                .next();
            let Some(calendar) = id.and_then(|id| from.calendar(id.as_str())) else {
                continue;
            };
            let hours = Hours::of(from, calendar, &machine.id, start, utc_offset_s);
            let known = self.layout.hours.iter().position(|one| *one == hours);
            station.hours = Some(known.unwrap_or_else(|| {
                self.layout.hours.push(hours);
                self.layout.hours.len() - 1
            }));
        }
    }
}
