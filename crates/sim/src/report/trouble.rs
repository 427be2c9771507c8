//! Alarms, their acknowledgement, repairs and the reasons that people give for stops.

use super::{Reporter, names, person, text};
use crate::layout::Layout;
use werkbuch_model::event::{
    AlarmAcknowledged, AlarmCleared, AlarmRaised, Body, ConditionLevel, DowntimeReasonAssigned,
    MaintenanceEnded, MaintenanceKind, MaintenanceStarted, Planned, Vocabulary, WorkOutcome,
};

/// What can go wrong, by way of failing: code, severity of 1 to 1000, text.
const FAULTS: [&[(&str, u32, &str)]; 3] = [
    &[
        ("E101", 300, "part not clamped"),
        ("E114", 280, "sensor did not answer in time"),
        ("E127", 320, "gripper lost its part"),
        ("E139", 260, "position not reached"),
    ],
    &[
        ("E207", 700, "drive overload"),
        ("E230", 650, "lubrication pressure low"),
        ("E244", 720, "cable harness worn"),
        ("E261", 680, "cooling water too warm"),
        ("E275", 660, "valve does not switch"),
    ],
    &[
        ("E402", 900, "gearbox broken"),
        ("E417", 880, "control cabinet without power"),
        ("E433", 920, "main bearing seized"),
    ],
];
/// From which length on a person says why a machine stood.
const REASON_FROM_NS: u64 = 180 * 1_000_000_000;

impl Reporter {
    pub(super) fn failed(&mut self, layout: &Layout, machine: usize, way: usize) {
        let (code, severity, what) = self.fault(machine, way);
        if speaks_conditions(layout, machine) {
            self.condition(machine, ConditionLevel::Fault, code, what);
            return;
        }
        let body = AlarmRaised {
            key: text(code),
            code: text(code),
            severity,
            text: text(what),
            native: text(""),
        };
        self.says(machine, Body::AlarmRaised(body));
    }

    pub(super) fn crew_came(&mut self, layout: &Layout, machine: usize, crew: usize, number: u32) {
        let Some(crew) = layout.crews.get(crew) else {
            return;
        };
        if let Some(count) = self.work_orders.get_mut(machine) {
            *count += 1;
        }
        let Some(way) = self
            .broken
            .iter()
            .find(|(at, _)| *at == machine)
            .map(|(_, way)| *way)
        else {
            return;
        };
        let (code, ..) = self.fault(machine, way);
        let who = names::somebody(u64::from(number) + crew.id.len() as u64);
        if !speaks_conditions(layout, machine) {
            let body = AlarmAcknowledged {
                key: text(code),
                who: person(who),
                comment: person(""),
            };
            self.says(machine, Body::AlarmAcknowledged(body));
        }
        let body = MaintenanceStarted {
            work_order: text(self.work_order(layout, machine)),
            maintenance: MaintenanceKind::Corrective,
            planned: Planned::Unplanned,
            crew: text(crew.id.as_str()),
            native: text(code),
        };
        self.says(machine, Body::MaintenanceStarted(body));
    }

    pub(super) fn repaired(
        &mut self,
        layout: &Layout,
        machine: usize,
        way: usize,
        stood_ns: u64,
        crew: Option<(usize, u32)>,
    ) {
        let (code, _, what) = self.fault(machine, way);
        self.broken.retain(|(at, _)| *at != machine);
        let who = crew.and_then(|(at, number)| Some((layout.crews.get(at)?, number)));
        let who =
            who.map(|(crew, number)| names::somebody(u64::from(number) + crew.id.len() as u64));
        if let Some(who) = who {
            let body = MaintenanceEnded {
                work_order: text(self.work_order(layout, machine)),
                outcome: WorkOutcome::Ok,
                who: person(who),
                comment: person(""),
            };
            self.says(machine, Body::MaintenanceEnded(body));
        }
        if !speaks_conditions(layout, machine) {
            let duration_ms = Some(stood_ns / 1_000_000);
            self.says(
                machine,
                Body::AlarmCleared(AlarmCleared {
                    key: text(code),
                    duration_ms,
                }),
            );
        }
        if stood_ns >= REASON_FROM_NS {
            let from = self.time(self.now_ns.saturating_sub(stood_ns));
            let body = DowntimeReasonAssigned {
                key: text(format!("{}-{}", code, self.now_ns / 1_000_000_000)),
                from,
                to: Some(self.present()),
                code: text(if way == 2 {
                    "BREAKDOWN_LONG"
                } else {
                    "BREAKDOWN"
                }),
                text: text(what),
                who: person(who.unwrap_or("")),
                comment: person(""),
            };
            self.says(machine, Body::DowntimeReasonAssigned(body));
        }
    }

    pub(super) fn zone_stopped(&mut self, layout: &Layout, zone: usize) {
        let Some(spec) = layout.zones.get(zone) else {
            return;
        };
        let Some(machine) = spec.machines.first().copied() else {
            return;
        };
        let body = AlarmRaised {
            key: text(spec.id.as_str()),
            code: text("Z100"),
            severity: 800,
            text: text(format!("{} stopped its machines", spec.id)),
            native: text(spec.kind.name()),
        };
        self.says(machine, Body::AlarmRaised(body));
    }

    pub(super) fn zone_freed(&mut self, layout: &Layout, zone: usize, stood_ns: u64) {
        let Some(spec) = layout.zones.get(zone) else {
            return;
        };
        let Some(machine) = spec.machines.first().copied() else {
            return;
        };
        let duration_ms = Some(stood_ns / 1_000_000);
        self.says(
            machine,
            Body::AlarmCleared(AlarmCleared {
                key: text(spec.id.as_str()),
                duration_ms,
            }),
        );
    }

    /// The fault of a machine in a way: the same until it is repaired.
    fn fault(&mut self, machine: usize, way: usize) -> (&'static str, u32, &'static str) {
        if !self.broken.iter().any(|(at, _)| *at == machine) {
            self.broken.push((machine, way));
            let drawn = self.figures.bits();
            if let Some(fault) = self.faults.get_mut(machine) {
                *fault = drawn;
            }
        }
        let table = FAULTS.get(way).copied().unwrap_or_default();
        let drawn = self.faults.get(machine).copied().unwrap_or(0);
        let at = usize::try_from(drawn % (table.len().max(1) as u64)).unwrap_or(0);
        table.get(at).copied().unwrap_or(("E000", 1, "unknown"))
    }

    fn work_order(&self, layout: &Layout, machine: usize) -> String {
        let number = self.work_orders.get(machine).copied().unwrap_or(0);
        let id = layout
            .machines
            .get(machine)
            .map_or("", |one| one.id.as_str());
        format!("WO-{id}-{number}")
    }
}

/// Whether a machine says its faults as conditions, not as alarms.
fn speaks_conditions(layout: &Layout, machine: usize) -> bool {
    layout
        .machines
        .get(machine)
        .is_some_and(|one| one.vocabulary == Vocabulary::MtconnectExecution)
}
