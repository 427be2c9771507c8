//! Alarms, their acknowledgement, repairs and the reasons that people give for stops.

use super::second::Remedy;
use super::{Reporter, names, person, text};
use crate::layout::Layout;
use werkbuch_model::event::{
    AlarmAcknowledged, AlarmCleared, AlarmRaised, Body, ConditionLevel, DowntimeReasonAssigned,
    MaintenanceEnded, MaintenanceKind, MaintenanceStarted, OverrideChanged, OverrideKind, Planned,
    Vocabulary, WorkOutcome,
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
/// How often a wrong reason is chosen, a reason is booked twice, a crew logs in late, and how late.
const WRONG_REASON: f64 = 0.12;
const BOOKED_TWICE: f64 = 0.06;
const LATE_LOGIN: f64 = 0.08;
const LOGIN_NS: u64 = 60 * 1_000_000_000;
/// How fast machines go while a crew is at them, and otherwise, in percent of what is programmed.
const SLOW_PERCENT: f64 = 30.0;
pub(super) const FULL_PERCENT: f64 = 100.0;

impl Reporter {
    pub(super) fn failed(&mut self, layout: &Layout, machine: usize, way: usize) {
        self.shift_figures(machine, |done| done.failures += 1);
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
        let broken = self.broken.iter().find(|(at, ..)| *at == machine);
        let Some((_, way, since_ns)) = broken.copied() else {
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
        let body = Body::MaintenanceStarted(body);
        let earlier_ns = self.now_ns.saturating_sub(LOGIN_NS).max(since_ns);
        if earlier_ns < self.now_ns && self.errs(LATE_LOGIN) {
            let remedy = Remedy::Retime(self.time(earlier_ns));
            self.books_wrongly(Some(machine), body, remedy, "logged in late");
        } else {
            self.says(machine, body);
        }
        self.overrides(layout, machine, SLOW_PERCENT);
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
        self.broken.retain(|(at, ..)| *at != machine);
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
            self.overrides(layout, machine, FULL_PERCENT);
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
            self.reason(machine, body);
        }
    }

    /// Somebody says why a machine stood; now and then it is the wrong reason, or said twice.
    fn reason(&mut self, machine: usize, right: DowntimeReasonAssigned<'static>) {
        if self.errs(WRONG_REASON) {
            let wrong = DowntimeReasonAssigned {
                code: text("NO_MATERIAL"),
                text: text("material missing"),
                ..right.clone()
            };
            let remedy = Remedy::Replace(Box::new(Body::DowntimeReasonAssigned(right)));
            let (body, why) = (Body::DowntimeReasonAssigned(wrong), "wrong reason chosen");
            self.books_wrongly(Some(machine), body, remedy, why);
            return;
        }
        if self.errs(BOOKED_TWICE) {
            let again = DowntimeReasonAssigned {
                key: text(format!("{}-again", right.key)),
                ..right.clone()
            };
            let body = Body::DowntimeReasonAssigned(again);
            self.books_wrongly(Some(machine), body, Remedy::Retract, "booked twice");
        }
        self.says(machine, Body::DowntimeReasonAssigned(right));
    }

    /// The speed of a machine that has a knob for it is turned.
    pub(super) fn overrides(&mut self, layout: &Layout, machine: usize, percent: f64) {
        let sort = layout.machines.get(machine).map_or("", |one| &one.sort);
        if matches!(sort, "press" | "robot") {
            let body = OverrideChanged {
                item: text("speed"),
                what: OverrideKind::Feed,
                percent: Some(percent),
            };
            self.says(machine, Body::OverrideChanged(body));
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
        if !self.broken.iter().any(|(at, ..)| *at == machine) {
            self.broken.push((machine, way, self.now_ns));
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
