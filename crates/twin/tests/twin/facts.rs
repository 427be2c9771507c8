//! Bodies of the kinds that are kept as packed fields, out of few aspects and few values.

use werkbuch_model::event::*;
use werkbuch_model::id::Position;
use werkbuch_model::time::Timestamp;

pub(crate) const KINDS: usize = 31;

/// A person as the log has one: encrypted.
fn person(number: u64) -> Protected<'static> {
    Protected {
        key: number + 1,
        ciphertext: vec![1, 2].into(),
        ..Protected::default()
    }
}

fn part(value: usize) -> Text<'static> {
    ["P1", "P2", "P3"][value % 3].into()
}

fn order(value: usize) -> Text<'static> {
    ["O1", "O2"][value % 2].into()
}

fn figure(value: usize) -> Figure<'static> {
    Figure {
        name: "current".into(),
        value: value as f64,
        unit: "A".into(),
        lower: Some(-1.0),
        upper: None,
    }
}

/// A body of a kind. `value` decides the rest.
pub(crate) fn body(kind: usize, value: usize) -> Body<'static> {
    let number = value as u64;
    match kind {
        0 => Body::CycleStarted(CycleStarted {
            cycle: format!("c{value}").into(),
            part: part(value),
            ..Default::default()
        }),
        1 => Body::CycleCompleted(CycleCompleted {
            duration_ms: Some(number),
            outcome: WorkOutcome::ALL[1 + value % 3],
            ..Default::default()
        }),
        2 => Body::MaintenanceStarted(MaintenanceStarted {
            work_order: "w".into(),
            maintenance: MaintenanceKind::ALL[value % 6],
            planned: Planned::Unplanned,
            ..Default::default()
        }),
        3 => Body::MaintenanceEnded(MaintenanceEnded {
            work_order: "w".into(),
            who: person(number),
            ..Default::default()
        }),
        4..=9 => of_material(kind, value),
        10..=13 => of_order(kind, value),
        14 => Body::ProcessResult(ProcessResult {
            operation: "weld".into(),
            verdict: ResultVerdict::ALL[1 + value % 3],
            figures: vec![figure(value)],
            ..Default::default()
        }),
        15 => Body::QualityResult(QualityResult {
            characteristic: "gap".into(),
            measured: Some(value as f64),
            verdict: ResultVerdict::Ok,
            ..Default::default()
        }),
        16 => Body::EnergyCounter(EnergyCounter {
            meter: "main".into(),
            medium: Medium::Electricity,
            value: Some(value as f64),
            ..Default::default()
        }),
        17 => Body::DowntimeReasonAssigned(DowntimeReasonAssigned {
            key: ["d1", "d2"][value % 2].into(),
            from: Timestamp(1),
            to: Some(Timestamp(2 + value as i64)),
            code: "jam".into(),
            ..Default::default()
        }),
        18..=22 => of_part(kind, value),
        _ => of_plant(kind, value),
    }
}

fn of_material(kind: usize, value: usize) -> Body<'static> {
    let number = value as u64;
    match kind {
        4 => Body::BufferLevelChanged(BufferLevelChanged {
            buffer: "b".into(),
            lane: ["", "1"][value % 2].into(),
            level: Some(number),
            capacity: None,
        }),
        5 => Body::MaterialArrived(MaterialArrived {
            part_number: "n".into(),
            quantity: 1.0 + value as f64,
            to: ["", "dock"][value % 2].into(),
            ..Default::default()
        }),
        6 => Body::MaterialMoved(MaterialMoved {
            part_number: "n".into(),
            quantity: 1.0 + value as f64,
            to: "line".into(),
            ..Default::default()
        }),
        7 => Body::MaterialConsumed(MaterialConsumed {
            part_number: "n".into(),
            quantity: 1.0 + value as f64,
            ..Default::default()
        }),
        8 => Body::InventoryCounted(InventoryCounted {
            location: "b".into(),
            part_number: "n".into(),
            quantity: value as f64,
            who: person(1),
            ..Default::default()
        }),
        _ => Body::SupplyStatusReported(SupplyStatusReported {
            part_number: "n".into(),
            stock: Some(value as f64),
            ..Default::default()
        }),
    }
}

fn of_order(kind: usize, value: usize) -> Body<'static> {
    let (order, done) = (order(value), Some(value as u64));
    match kind {
        10 => Body::OrderReleased(OrderReleased {
            order,
            planned: done,
            ..Default::default()
        }),
        11 => Body::OrderStarted(OrderStarted {
            order,
            ..Default::default()
        }),
        12 => Body::OrderCompleted(OrderCompleted {
            order,
            done,
            scrap: None,
        }),
        _ => Body::OrderAborted(OrderAborted {
            order,
            done,
            ..Default::default()
        }),
    }
}

fn of_part(kind: usize, value: usize) -> Body<'static> {
    let (one, other) = (part(value), part(value + 1));
    match kind {
        18 => Body::PartEntered(PartEntered {
            part: one,
            location: ["", "b"][value / 3 % 2].into(),
            place: ["", "2"][value % 2].into(),
            ..Default::default()
        }),
        19 => Body::PartLeft(PartLeft {
            part: one,
            location: ["", "b"][value / 3 % 2].into(),
            ..Default::default()
        }),
        20 => Body::PartsJoined(PartsJoined {
            part: one,
            parts: vec![other],
            ..Default::default()
        }),
        21 => Body::PartSplit(PartSplit {
            part: one,
            into: vec![other, part(value + 2)],
            ..Default::default()
        }),
        _ => Body::PartDispositioned(PartDispositioned {
            part: one,
            disposition: Disposition::ALL[1 + value % 6],
            ..Default::default()
        }),
    }
}

fn of_plant(kind: usize, value: usize) -> Body<'static> {
    let key: Text<'static> = ["k1", "k2"][value % 2].into();
    let (from, to) = (Timestamp(1), Timestamp(9));
    match kind {
        23 => Body::CalendarChanged(CalendarChanged {
            key,
            from,
            to,
            intervals: vec![PlannedInterval {
                from,
                to: Timestamp(2 + value as i64 % 7),
                kind: IntervalKind::Shift,
                ..Default::default()
            }],
            ..Default::default()
        }),
        24 => Body::TransportStarted(TransportStarted {
            transport: "t".into(),
            to: "dock".into(),
            parts: vec![part(value)],
            ..Default::default()
        }),
        25 => Body::TransportEnded(TransportEnded {
            transport: "t".into(),
            outcome: WorkOutcome::ALL[value % 4],
            ..Default::default()
        }),
        26 => Body::PlanPublished(PlanPublished {
            plan: "week".into(),
            plan_kind: PlanKind::Sequence,
            version: 1 + value as u32 % 3,
            chunk: 1 + value as u32 / 3 % 2,
            chunks: 2,
            entries: vec![PlanEntry {
                at: Timestamp(value as i64),
                part: part(value),
                ..Default::default()
            }],
            ..Default::default()
        }),
        27 => Body::AndonRaised(AndonRaised {
            key,
            andon: AndonKind::ALL[1 + value % 6],
            ..Default::default()
        }),
        28 => Body::AndonCleared(AndonCleared {
            key,
            who: person(value as u64),
            ..Default::default()
        }),
        29 => Body::StaffingChanged(StaffingChanged {
            crew: "early".into(),
            present: Some(value as u64),
            ..Default::default()
        }),
        _ => Body::PeriodClosed(PeriodClosed {
            key,
            from,
            to,
            at_position: Position(value as u64),
            figures: vec![figure(value)],
            ..Default::default()
        }),
    }
}
