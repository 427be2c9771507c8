//! What stands in the plant and how parts move between: machines, zones, crews, buffers, ways.

use super::{LayoutError, MS_NS, Making};
use crate::layout::{Buffer, Crew, Machine, Place, Way, Zone, is_of_class};
use werkbuch_model::id::ElementId;
use werkbuch_model::plant::{
    self, BoundaryKind, BufferKind, CrewKind, Description, FlowKind, FlowRole, StopEffect,
};

impl<'d> Making<'d> {
    pub(super) fn machines(&mut self) {
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

    pub(super) fn buffers(&mut self) -> Result<(), LayoutError> {
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
                is_sink: self.boundary(&buffer.id, BoundaryKind::Sink).is_some(),
                source: None,
            });
        }
        Ok(())
    }

    /// Buffers at which parts come in.
    pub(super) fn gates(&mut self) {
        let from = self.from;
        for buffer in from.buffers() {
            let source = match self.buffers.contains_key(buffer.id.as_str()) {
                true => self.source(&buffer.id),
                false => None,
            };
            let at = self.buffers.get(buffer.id.as_str()).copied();
            if let Some(of) = at.and_then(|at| self.layout.buffers.get_mut(at)) {
                of.source = source;
            }
        }
    }

    fn place(&self, id: &ElementId) -> Option<Place> {
        let station = self.stations.get(id.as_str()).map(|at| Place::Station(*at));
        station.or_else(|| self.buffers.get(id.as_str()).map(|at| Place::Buffer(*at)))
    }

    pub(super) fn ways(&mut self) {
        // What a feed takes from a buffer is joined to the part, it is no way of the part itself.
        let is_joined = |flow: &plant::Flow| {
            let mut feeds = self.from.feeds();
            feeds.any(|feed| {
                feed.at == flow.to && feed.from.as_ref() == Some(&flow.from) && self.is_joined(feed)
            })
        };
        let from_reworks: Vec<&ElementId> =
            self.from.reworks().flat_map(|one| &one.through).collect();
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
            // From where it is reworked a part goes back as any finished one goes on.
            let is_back = from_reworks.contains(&&flow.from);
            let kind = match flow.flow_kind {
                FlowKind::Rework if is_back => FlowKind::Main,
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
                share: flow.share.map(plant::Decimal::as_f64),
                is_closed: false,
            });
        }
        self.layout.ways = ways;
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
