//! Draws events about work: cycles, orders, results, maintenance, energy.

use super::Dice;
use werkbuch_model::event::*;

impl Dice {
    pub(super) fn draw_work_kind(&mut self, kind: Kind) -> Option<Body<'static>> {
        self.draw_cycle(kind)
            .or_else(|| self.draw_maintenance(kind))
            .or_else(|| self.draw_order(kind))
            .or_else(|| self.draw_process(kind))
            .or_else(|| self.draw_quality(kind))
            .or_else(|| self.draw_energy(kind))
            .or_else(|| self.draw_downtime(kind))
    }

    fn draw_cycle(&mut self, kind: Kind) -> Option<Body<'static>> {
        Some(match kind {
            Kind::CycleStarted => Body::CycleStarted(CycleStarted {
                cycle: self.text(),
                program: self.text(),
                part_type: self.text(),
                part: self.text(),
                operation: self.text(),
                carrier: self.text(),
                variant: self.text(),
            }),
            Kind::CycleCompleted => Body::CycleCompleted(CycleCompleted {
                cycle: self.text(),
                duration_ms: self.maybe(Self::number),
                ideal_ms: self.maybe(Self::number),
                outcome: self.one_of(WorkOutcome::ALL),
                part: self.text(),
                part_type: self.text(),
                variant: self.text(),
                operation: self.text(),
                subgroup: self.text(),
                parts: self.small(),
            }),
            _ => return None,
        })
    }

    fn draw_maintenance(&mut self, kind: Kind) -> Option<Body<'static>> {
        Some(match kind {
            Kind::MaintenanceStarted => Body::MaintenanceStarted(MaintenanceStarted {
                work_order: self.text(),
                maintenance: self.one_of(MaintenanceKind::ALL),
                planned: self.one_of(Planned::ALL),
                crew: self.text(),
                native: self.text(),
            }),
            Kind::MaintenanceEnded => Body::MaintenanceEnded(MaintenanceEnded {
                work_order: self.text(),
                outcome: self.one_of(WorkOutcome::ALL),
                who: self.protected(),
                comment: self.protected(),
            }),
            _ => return None,
        })
    }

    fn draw_order(&mut self, kind: Kind) -> Option<Body<'static>> {
        Some(match kind {
            Kind::OrderReleased => Body::OrderReleased(OrderReleased {
                order: self.text(),
                product: self.text(),
                variant: self.text(),
                planned: self.maybe(Self::number),
                due: self.maybe(Self::time),
                priority: self.maybe(Self::number),
            }),
            Kind::OrderStarted => Body::OrderStarted(OrderStarted {
                order: self.text(),
                product: self.text(),
                variant: self.text(),
            }),
            Kind::OrderCompleted => Body::OrderCompleted(OrderCompleted {
                order: self.text(),
                done: self.maybe(Self::number),
                scrap: self.maybe(Self::number),
            }),
            Kind::OrderAborted => Body::OrderAborted(OrderAborted {
                order: self.text(),
                done: self.maybe(Self::number),
                scrap: self.maybe(Self::number),
                reason: self.text(),
            }),
            _ => return None,
        })
    }

    fn draw_process(&mut self, kind: Kind) -> Option<Body<'static>> {
        Some(match kind {
            Kind::ProcessResult => Body::ProcessResult(ProcessResult {
                operation: self.text(),
                spot: self.text(),
                verdict: self.one_of(ResultVerdict::ALL),
                cycle: self.text(),
                part: self.text(),
                subgroup: self.text(),
                figures: self.list(Self::figure),
            }),
            _ => return None,
        })
    }

    fn draw_quality(&mut self, kind: Kind) -> Option<Body<'static>> {
        Some(match kind {
            Kind::QualityResult => Body::QualityResult(QualityResult {
                characteristic: self.text(),
                nominal: self.float(),
                measured: self.float(),
                lower: self.float(),
                upper: self.float(),
                unit: self.text(),
                verdict: self.one_of(ResultVerdict::ALL),
                cycle: self.text(),
                part: self.text(),
                operation: self.text(),
                subgroup: self.text(),
            }),
            _ => return None,
        })
    }

    fn draw_energy(&mut self, kind: Kind) -> Option<Body<'static>> {
        Some(match kind {
            Kind::EnergyCounter => Body::EnergyCounter(EnergyCounter {
                meter: self.text(),
                medium: self.one_of(Medium::ALL),
                value: self.float(),
                modulus: self.float().unwrap_or_default(),
                reset_epoch: self.small(),
            }),
            _ => return None,
        })
    }

    fn draw_downtime(&mut self, kind: Kind) -> Option<Body<'static>> {
        Some(match kind {
            Kind::DowntimeReasonAssigned => Body::DowntimeReasonAssigned(DowntimeReasonAssigned {
                key: self.text(),
                from: self.time(),
                to: self.maybe(Self::time),
                code: self.text(),
                text: self.text(),
                who: self.protected(),
                comment: self.protected(),
            }),
            _ => return None,
        })
    }

    pub(super) fn figure(&mut self) -> Figure<'static> {
        Figure {
            name: self.text(),
            value: self.float().unwrap_or_default(),
            unit: self.text(),
            lower: self.float(),
            upper: self.float(),
        }
    }
}
