//! Draws events about what moves: parts, material, buffers, transports.

use super::Dice;
use werkbuch_model::event::*;

impl Dice {
    pub(super) fn draw_flow_kind(&mut self, kind: Kind) -> Option<Body<'static>> {
        self.draw_buffer(kind)
            .or_else(|| self.draw_material(kind))
            .or_else(|| self.draw_supply(kind))
            .or_else(|| self.draw_tracking(kind))
            .or_else(|| self.draw_transport(kind))
    }

    fn draw_buffer(&mut self, kind: Kind) -> Option<Body<'static>> {
        Some(match kind {
            Kind::BufferLevelChanged => Body::BufferLevelChanged(BufferLevelChanged {
                buffer: self.text(),
                lane: self.text(),
                level: self.maybe(Self::number),
                capacity: self.maybe(Self::number),
            }),
            _ => return None,
        })
    }

    fn draw_material(&mut self, kind: Kind) -> Option<Body<'static>> {
        Some(match kind {
            Kind::MaterialArrived => Body::MaterialArrived(MaterialArrived {
                part_number: self.text(),
                batch: self.text(),
                quantity: self.float().unwrap_or_default(),
                unit: self.text(),
                from: self.text(),
                to: self.text(),
                delivery: self.text(),
            }),
            Kind::MaterialMoved => Body::MaterialMoved(MaterialMoved {
                part_number: self.text(),
                batch: self.text(),
                quantity: self.float().unwrap_or_default(),
                unit: self.text(),
                from: self.text(),
                to: self.text(),
            }),
            Kind::MaterialConsumed => Body::MaterialConsumed(MaterialConsumed {
                part_number: self.text(),
                batch: self.text(),
                quantity: self.float().unwrap_or_default(),
                unit: self.text(),
                at: self.text(),
                order: self.text(),
                part: self.text(),
            }),
            Kind::InventoryCounted => Body::InventoryCounted(InventoryCounted {
                location: self.text(),
                part_number: self.text(),
                quantity: self.float().unwrap_or_default(),
                unit: self.text(),
                who: self.protected(),
            }),
            _ => return None,
        })
    }

    fn draw_supply(&mut self, kind: Kind) -> Option<Body<'static>> {
        Some(match kind {
            Kind::SupplyStatusReported => Body::SupplyStatusReported(SupplyStatusReported {
                part_number: self.text(),
                site: self.text(),
                stock: self.float(),
                unit: self.text(),
                days_of_supply: self.float(),
                demand_per_day: self.float(),
                capacity_per_week: self.float(),
            }),
            _ => return None,
        })
    }

    fn draw_tracking(&mut self, kind: Kind) -> Option<Body<'static>> {
        Some(match kind {
            Kind::PartEntered => Body::PartEntered(PartEntered {
                part: self.text(),
                location: self.text(),
                place: self.text(),
                part_type: self.text(),
                variant: self.text(),
                carrier: self.text(),
                operation: self.text(),
                order: self.text(),
            }),
            Kind::PartLeft => Body::PartLeft(PartLeft {
                part: self.text(),
                location: self.text(),
                place: self.text(),
                to: self.text(),
                part_type: self.text(),
                variant: self.text(),
                carrier: self.text(),
                operation: self.text(),
                outcome: self.one_of(WorkOutcome::ALL),
            }),
            Kind::PartsJoined => Body::PartsJoined(PartsJoined {
                part: self.text(),
                parts: self.list(Self::text),
                location: self.text(),
                operation: self.text(),
            }),
            Kind::PartSplit => Body::PartSplit(PartSplit {
                part: self.text(),
                into: self.list(Self::text),
                location: self.text(),
                operation: self.text(),
            }),
            Kind::PartDispositioned => Body::PartDispositioned(PartDispositioned {
                part: self.text(),
                disposition: self.one_of(Disposition::ALL),
                code: self.text(),
                location: self.text(),
                produced_at: self.maybe(Self::time),
                who: self.protected(),
                comment: self.protected(),
            }),
            _ => return None,
        })
    }

    fn draw_transport(&mut self, kind: Kind) -> Option<Body<'static>> {
        Some(match kind {
            Kind::TransportStarted => Body::TransportStarted(TransportStarted {
                transport: self.text(),
                vehicle: self.text(),
                carrier: self.text(),
                from: self.text(),
                to: self.text(),
                parts: self.list(Self::text),
                part_number: self.text(),
                quantity: self.float(),
            }),
            Kind::TransportEnded => Body::TransportEnded(TransportEnded {
                transport: self.text(),
                at: self.text(),
                outcome: self.one_of(WorkOutcome::ALL),
            }),
            _ => return None,
        })
    }
}
