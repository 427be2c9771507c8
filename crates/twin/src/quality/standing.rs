//! Where sources of different rank disagree at this moment about what a twin holds.

use super::finding::{Finding, FindingKind};
use crate::Twin;
use crate::machine::MachineState;
use crate::slot::Slot;
use crate::value::SlotValue;
use werkbuch_model::event::AspectKind;
use werkbuch_model::time::Timestamp;

/// Sources that differ for less than this are not called in conflict: no two report at once.
pub const CONFLICT_MIN_NS: i64 = 10_000_000_000;

/// The disagreements that stand: aspects about which two sources of different rank last said
/// different things, both some time ago. States are left out, which are compared over the whole
/// window; so are counters, alarms and samples, which two sources may rightly count apart.
#[must_use]
pub fn standing_conflicts(twin: &Twin, at: Timestamp) -> Vec<Finding> {
    let mut found = Vec::new();
    for machine in &twin.machines {
        let aspects = machine.slots.chunk_by(|a, b| {
            (a.key.kind, a.key.item, a.key.sub) == (b.key.kind, b.key.item, b.key.sub)
        });
        for ranks in aspects.filter(|ranks| ranks.len() > 1) {
            let Some((first, others)) = ranks.split_first() else {
                continue;
            };
            if !is_compared(first.key.kind) {
                continue;
            }
            for other in others {
                let latest = first.effective_at.max(other.effective_at);
                if !same(machine, first, other) && at.since(latest) >= CONFLICT_MIN_NS {
                    found.push(finding(twin, machine, first, other, latest));
                }
            }
        }
    }
    found
}

fn finding(
    twin: &Twin,
    machine: &MachineState,
    first: &Slot,
    other: &Slot,
    since: Timestamp,
) -> Finding {
    let item = twin.symbols.text(first.key.item);
    let name = first.key.kind.name();
    Finding {
        position: first.position.max(other.position),
        machine: Some(machine.number),
        other: Some(first.source),
        what: match item {
            "" => name.to_owned(),
            item => format!("{name} {item}"),
        },
        from: shown(twin, machine.value(first)),
        to: shown(twin, machine.value(other)),
        detail: "stands".to_owned(),
        ..Finding::new(FindingKind::Conflict, other.source, since)
    }
}

fn is_compared(kind: AspectKind) -> bool {
    matches!(
        kind,
        AspectKind::Mode
            | AspectKind::Program
            | AspectKind::Condition
            | AspectKind::Override
            | AspectKind::Tool
            | AspectKind::Item
    )
}

fn same(machine: &MachineState, a: &Slot, b: &Slot) -> bool {
    let (Some(a), Some(b)) = (machine.value(a), machine.value(b)) else {
        return false;
    };
    match (&a, &b) {
        (SlotValue::Mode { to: a, .. }, SlotValue::Mode { to: b, .. }) => a == b,
        (SlotValue::Condition { level: a, .. }, SlotValue::Condition { level: b, .. }) => a == b,
        (SlotValue::Program(a), SlotValue::Program(b)) => a.program == b.program,
        (SlotValue::Tool(a), SlotValue::Tool(b)) => a.tool == b.tool,
        (a, b) => a == b,
    }
}

fn shown(twin: &Twin, value: Option<SlotValue<'_>>) -> String {
    let text = |text: Option<&str>| text.unwrap_or("UNAVAILABLE").to_owned();
    match value {
        Some(SlotValue::Mode { to, native, .. }) => match twin.symbols.text(native) {
            "" => to.name().to_owned(),
            native => format!("{to} ({native})"),
        },
        Some(SlotValue::Condition { level, .. }) => level.name().to_owned(),
        Some(SlotValue::Program(said)) => text(said.program),
        Some(SlotValue::Tool(said)) => text(said.tool),
        Some(SlotValue::Item { text: said }) => text(said),
        Some(SlotValue::Override { percent, .. }) => percent.map_or_else(
            || "UNAVAILABLE".to_owned(),
            |percent| format!("{percent} %"),
        ),
        _ => String::new(),
    }
}
