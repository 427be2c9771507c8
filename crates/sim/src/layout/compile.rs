//! Makes a layout of a plant's description.

use super::{
    Buffer, Carrier, Crew, Feed, Hours, Layout, Machine, Place, Product, Setup, Source, Station,
    Variant, Way, Zone, is_of_class,
};
use std::collections::BTreeMap;
use werkbuch_model::id::ElementId;
use werkbuch_model::plant::{
    self, BoundaryKind, BufferKind, CrewKind, Description, FlowKind, FlowRole, StopEffect,
};
use werkbuch_model::time::Timestamp;

/// The cycle of a station for which none is declared, in milliseconds.
const CYCLE_MS: u64 = 60_000;
const MS_NS: u64 = 1_000_000;

/// Why a description cannot be simulated. Mend the object named in the plant file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LayoutError {
    /// No parts move. Declare flows between machines and buffers.
    #[error("the plant has no flow: no parts would move")]
    NoFlow,
    /// A buffer holds nothing. Give it a capacity of at least 1.
    #[error("the buffer \"{0}\" has no capacity")]
    NoCapacity(String),
    /// A cycle takes no time, so that time would stand still. Give it at least a millisecond.
    #[error("the machine \"{0}\" has a cycle below one millisecond")]
    NoCycle(String),
    /// Nothing comes in. Declare a boundary of kind source at a machine with a product.
    #[error(
        "no part ever comes in: there is no boundary of kind source at a machine with a product"
    )]
    NoSource,
    /// A machine is a source without a product. Name products at its boundary, or declare one.
    #[error("parts come in at \"{0}\", but no product is declared that they could be")]
    NoProduct(String),
    /// Parts reach a machine and can never leave. Declare a flow from it, or a boundary of kind sink.
    #[error("parts cannot leave \"{0}\": it has no flow that leads on and is no sink")]
    DeadEnd(String),
}

impl Layout {
    /// Makes a layout of a description. Calendars are laid out from `start` on, with the plant's
    /// clocks so many seconds ahead of UTC. Errors: the first [`LayoutError`] found.
    pub fn of(
        description: &Description,
        start: Timestamp,
        utc_offset_s: i32,
    ) -> Result<Self, LayoutError> {
        let mut making = Making::new(description);
        making.products();
        making.machines();
        making.buffers()?;
        making.ways();
        making.stations()?;
        making.supply();
        making.hours(start, utc_offset_s);
        making.check()?;
        Ok(making.layout)
    }
}

struct Making<'d> {
    from: &'d Description,
    layout: Layout,
    stations: BTreeMap<&'d str, usize>,
    buffers: BTreeMap<&'d str, usize>,
    variants: BTreeMap<&'d str, usize>,
    products: BTreeMap<&'d str, usize>,
}

impl<'d> Making<'d> {
    fn new(from: &'d Description) -> Self {
        Self {
            from,
            layout: Layout::default(),
            stations: BTreeMap::new(),
            buffers: BTreeMap::new(),
            variants: BTreeMap::new(),
            products: BTreeMap::new(),
        }
    }

    fn products(&mut self) {
        for product in self.from.products() {
            self.products
                .insert(product.id.as_str(), self.layout.products.len());
            self.layout.products.push(Product {
                id: product.id.to_string(),
                variants: Vec::new(),
                is_tracked: self
                    .from
                    .steps()
                    .any(|step| step.product == product.id && step.carrier.is_some()),
            });
        }
        for variant in self.from.variants() {
            let share = self.share(variant);
            let Some(product) = self.products.get(variant.product.as_str()) else {
                continue;
            };
            let at = self.layout.variants.len();
            self.variants.insert(variant.id.as_str(), at);
            if let Some(product) = self.layout.products.get_mut(*product) {
                product.variants.push(at);
            }
            let attributes = variant
                .attributes
                .iter()
                .filter_map(|text| text.split_once('='));
            self.layout.variants.push(Variant {
                id: variant.id.to_string(),
                product: *product,
                share,
                attributes: attributes
                    .map(|(key, value)| (key.to_owned(), value.to_owned()))
                    .collect(),
            });
        }
        // A product without variants is its own only one.
        for (at, product) in self.layout.products.iter_mut().enumerate() {
            if product.variants.is_empty() {
                product.variants.push(self.layout.variants.len());
                self.layout.variants.push(Variant {
                    id: product.id.clone(),
                    product: at,
                    share: 1.0,
                    attributes: Vec::new(),
                });
            }
        }
    }

    /// A variant's share of its product; those that name none share the rest evenly.
    fn share(&self, variant: &plant::Variant) -> f64 {
        let family = self
            .from
            .variants()
            .filter(|one| one.product == variant.product);
        let (mut named, mut others) = (0.0, 0.0);
        for one in family {
            match one.share {
                Some(share) => named += share.as_f64(),
                None => others += 1.0,
            }
        }
        variant
            .share
            .map_or((1.0_f64 - named).max(0.0) / others, plant::Decimal::as_f64)
    }

    fn machines(&mut self) {
        let from = self.from;
        let touched = |id: &ElementId| {
            from.flows_from(id).next().is_some() || from.flows_to(id).next().is_some()
        };
        let crews: Vec<&plant::Crew> = from.crews().collect();
        self.layout.crews = crews.iter().map(|crew| crew_of(crew)).collect();
        for group in from.stop_groups() {
            self.layout.zones.push(Zone {
                id: group.id.to_string(),
                kind: group.stop_kind,
                machines: Vec::new(),
            });
        }
        for (at, machine) in from.machines().enumerate() {
            let units = units_of(from, machine.parent.as_ref());
            let is_node = match machine.role {
                FlowRole::Node => true,
                FlowRole::Unspecified => touched(&machine.id),
                FlowRole::Resource | FlowRole::None => false,
            };
            if is_node {
                self.stations
                    .insert(machine.id.as_str(), self.stations.len());
            }
            let serves = |crew: &&plant::Crew| {
                crew.crew_kind == CrewKind::Repair
                    && crew.serves.iter().any(|class| {
                        is_of_class(class, machine.id.as_str())
                            || units.iter().any(|unit| is_of_class(class, unit))
                    })
            };
            let zones = self.layout.zones.iter_mut().enumerate();
            let its = zones
                .filter(|(_, zone)| machine.stop_groups.iter().any(|id| id.as_str() == zone.id));
            let zones = its.map(|(number, zone)| {
                zone.machines.push(at);
                number
            });
            let zones = zones.collect();
            self.layout.machines.push(Machine {
                id: machine.id.to_string(),
                number: machine.number,
                crew: crews.iter().position(serves),
                units,
                sort: machine.machine_type.clone(),
                vocabulary: machine.vocabulary,
                station: self.stations.get(machine.id.as_str()).copied(),
                stops_station: matches!(
                    machine.stop_effect,
                    StopEffect::Unspecified | StopEffect::Stops
                ),
                zones,
            });
        }
    }

    fn buffers(&mut self) -> Result<(), LayoutError> {
        for buffer in self.from.buffers() {
            let carrier_home = self
                .from
                .carriers()
                .any(|one| one.home.as_ref() == Some(&buffer.id));
            let touched = self
                .from
                .flows_from(&buffer.id)
                .any(|flow| flow.flow_kind != FlowKind::Empties);
            if buffer.buffer_kind == BufferKind::Pool && carrier_home && !touched {
                // Where empties wait is part of the carriers, no place for parts.
                continue;
            }
            if buffer.capacity == 0 {
                return Err(LayoutError::NoCapacity(buffer.id.to_string()));
            }
            self.buffers
                .insert(buffer.id.as_str(), self.layout.buffers.len());
            let back = self.from.reworks().any(|loop_| loop_.back_to == buffer.id);
            let reserve = if back {
                (buffer.capacity / 5).max(1)
            } else {
                0
            };
            self.layout.buffers.push(Buffer {
                id: buffer.id.to_string(),
                units: units_of(self.from, buffer.parent.as_ref()),
                capacity: buffer.capacity,
                kind: buffer.buffer_kind,
                lanes: buffer.lanes.max(1),
                transit_ns: buffer.transit_ms.unwrap_or(0).saturating_mul(MS_NS),
                reserve: reserve.min(buffer.capacity - 1),
            });
        }
        Ok(())
    }

    fn place(&self, id: &ElementId) -> Option<Place> {
        let station = self.stations.get(id.as_str()).map(|at| Place::Station(*at));
        station.or_else(|| self.buffers.get(id.as_str()).map(|at| Place::Buffer(*at)))
    }

    fn ways(&mut self) {
        // What a feed takes from a buffer is joined to the part, it is no way of the part itself.
        let is_joined = |flow: &plant::Flow| {
            let mut feeds = self.from.feeds();
            feeds.any(|feed| feed.at == flow.to && feed.from.as_ref() == Some(&flow.from))
        };
        let mut ways = Vec::new();
        for flow in self
            .from
            .flows()
            .filter(|flow| flow.flow_kind != FlowKind::Empties)
        {
            let (Some(from), Some(to)) = (self.place(&flow.from), self.place(&flow.to)) else {
                continue;
            };
            if is_joined(flow) || matches!((from, to), (Place::Buffer(_), Place::Buffer(_))) {
                continue;
            }
            let variants = flow
                .variants
                .iter()
                .filter_map(|id| self.variants.get(id.as_str()));
            let kind = match flow.flow_kind {
                FlowKind::Unspecified => FlowKind::Main,
                kind => kind,
            };
            ways.push(Way {
                from,
                to,
                kind,
                transit_ns: flow.transit_ms.unwrap_or(0).saturating_mul(MS_NS),
                variants: variants.copied().collect(),
                priority: flow.priority.unwrap_or(u32::from(kind == FlowKind::Main)),
            });
        }
        self.layout.ways = ways;
    }

    fn stations(&mut self) -> Result<(), LayoutError> {
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
            let made = Station {
                machine: at,
                resources: self.resources(&machine.id),
                slots: machine.slots.max(1),
                cycle_ns,
                ins,
                outs,
                joins: self.joins(&machine.id),
                setups: self.setups(machine.id.as_str()),
                operators: machine.operators,
                source: self.source(&machine.id)?,
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
        let own = steps().filter_map(|step| {
            let variant = self.variants.get(step.variant.as_ref()?.as_str())?;
            let times = step
                .work_ms
                .checked_div(u64::from(step.units_per_cycle.max(1)))?;
            Some((*variant, times.saturating_mul(MS_NS)))
        });
        let carrier = steps().find_map(|step| step.carrier.as_ref());
        let carriers: Vec<_> = self.from.carriers().map(|carrier| &carrier.id).collect();
        let rework = self.from.reworks().find(|one| one.from == *machine);
        Station {
            machine: 0,
            resources: Vec::new(),
            slots: 1,
            cycle_ns: 0,
            work_ns: own.collect(),
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
            source: None,
            is_sink: false,
            rework_limit: rework.map_or(0, |one| one.limit.unwrap_or(u32::MAX)),
            rework_share: rework
                .and_then(|one| one.share)
                .map_or(0.0, plant::Decimal::as_f64),
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

    fn boundary(&self, machine: &ElementId, kind: BoundaryKind) -> Option<&'d plant::Boundary> {
        self.from
            .boundaries()
            .find(|one| one.at == *machine && one.boundary_kind == kind)
    }

    fn source(&self, machine: &ElementId) -> Result<Option<Source>, LayoutError> {
        let Some(boundary) = self.boundary(machine, BoundaryKind::Source) else {
            return Ok(None);
        };
        let named = boundary
            .products
            .iter()
            .filter_map(|id| self.products.get(id.as_str()));
        let mut products: Vec<usize> = named.copied().collect();
        if products.is_empty() && self.layout.products.len() == 1 {
            products.push(0);
        }
        if products.is_empty() {
            return Err(LayoutError::NoProduct(machine.to_string()));
        }
        let rate = boundary.rate_per_hour.map_or(0.0, plant::Decimal::as_f64);
        let every_ns = if rate > 0.0 {
            crate::kernel::to_ns(3_600.0 / rate)
        } else {
            0
        };
        Ok(Some(Source { products, every_ns }))
    }

    fn supply(&mut self) {
        for feed in self.from.feeds().filter(|feed| feed.from.is_none()) {
            let Some(station) = self.stations.get(feed.at.as_str()) else {
                continue;
            };
            if let Some(station) = self.layout.stations.get_mut(*station) {
                station.feeds.push(self.layout.feeds.len());
            }
            self.layout.feeds.push(Feed {
                part_number: feed.part_number.clone(),
                station: *station,
                quantity: pieces(feed.quantity),
                variant: feed
                    .variant
                    .as_ref()
                    .and_then(|id| self.variants.get(id.as_str()))
                    .copied(),
                site: feed.site.clone(),
                kind: feed.feed_kind,
            });
        }
        for carrier in self.from.carriers() {
            self.layout.carriers.push(Carrier {
                id: carrier.id.to_string(),
                kind: carrier.carrier_kind,
                count: carrier.count,
                return_ns: carrier.return_ms.unwrap_or(0).saturating_mul(MS_NS),
                home: carrier
                    .home
                    .as_ref()
                    .map(ToString::to_string)
                    .unwrap_or_default(),
            });
        }
    }

    fn hours(&mut self, start: Timestamp, utc_offset_s: i32) {
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

    fn check(&self) -> Result<(), LayoutError> {
        if self.layout.ways.is_empty() {
            return Err(LayoutError::NoFlow);
        }
        if self
            .layout
            .stations
            .iter()
            .all(|station| station.source.is_none())
        {
            return Err(LayoutError::NoSource);
        }
        let stuck = self.layout.stations.iter().find(|station| {
            let reached = station.source.is_some() || !station.ins.is_empty();
            let leads_on = |way: &usize| {
                self.layout
                    .ways
                    .get(*way)
                    .is_some_and(|way| way.kind == FlowKind::Main)
            };
            reached && !station.is_sink && !station.outs.iter().any(leads_on)
        });
        match stuck.and_then(|station| self.layout.machines.get(station.machine)) {
            Some(machine) => Err(LayoutError::DeadEnd(machine.id.clone())),
            None => Ok(()),
        }
    }
}

/// The names of the units around a thing, from the innermost outward.
fn units_of(from: &Description, parent: Option<&ElementId>) -> Vec<String> {
    let place = from.place(parent);
    place.iter().rev().map(|unit| unit.id.to_string()).collect()
}

fn crew_of(crew: &plant::Crew) -> Crew {
    Crew {
        id: crew.id.to_string(),
        kind: crew.crew_kind,
        size: crew.size,
        skill: crew.skills.first().cloned().unwrap_or_default(),
    }
}

/// Whole pieces: what is less than one counts as one.
fn pieces(quantity: plant::Decimal) -> u32 {
    let whole = quantity.millionths().div_ceil(1_000_000).max(1);
    u32::try_from(whole).unwrap_or(u32::MAX)
}
