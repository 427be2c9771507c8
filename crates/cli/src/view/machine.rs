//! A machine as JSON, as a row, and in full.

use crate::command::{last, time};
use crate::when;
use serde_json::{Value, json};
use werkbuch_model::event::{AspectKind, ConditionLevel, Connection, Mode, PartMeaning, State};
use werkbuch_wire::pb;

/// The columns of a list.
pub(crate) const COLUMNS: [&str; 10] = [
    "machine",
    "state",
    "since",
    "mode",
    "program",
    "place",
    "parts",
    "alarms",
    "condition",
    "rules",
];

macro_rules! named {
    ($($name:ident $enum:ident;)+) => {$(
        /// The name of a code, as the model has it.
        pub(crate) fn $name(code: i32) -> &'static str {
            u32::try_from(code).ok().and_then($enum::from_code).unwrap_or_default().name()
        }
    )+};
}

named! {
    state State;
    mode Mode;
    connection Connection;
    condition ConditionLevel;
    meaning PartMeaning;
    aspect AspectKind;
}

/// A name that stands for nothing is left out.
fn said(name: &'static str) -> &'static str {
    if name == "UNSPECIFIED" { "" } else { name }
}

/// A row of a list.
pub(crate) fn row(machine: &pb::Machine) -> Vec<String> {
    let some = |count: u32| match count {
        0 => String::new(),
        count => count.to_string(),
    };
    vec![
        last(&machine.name).to_owned(),
        shown_state(machine),
        when::shown(machine.since),
        said(mode(machine.mode)).to_owned(),
        machine.program.clone().unwrap_or_default(),
        place(machine),
        parts(machine),
        some(machine.active_alarms),
        said(condition(machine.condition)).to_owned(),
        some(machine.raised_rules()),
    ]
}

/// The state, and why a machine waits where that does not say it: `IDLE (STARVED inferred)`.
pub(crate) fn shown_state(machine: &pb::Machine) -> String {
    let shown = said(state(machine.state));
    match &machine.wait_cause {
        Some(cause) if cause.provenance() == pb::Provenance::Inferred => {
            format!("{shown} ({} inferred)", state(cause.state))
        }
        _ => shown.to_owned(),
    }
}

/// Why a machine waits, in words.
fn wait(cause: &pb::WaitCause) -> String {
    let (state, provenance) = (state(cause.state), provenance(cause));
    format!(
        "{state}, {}: {}",
        provenance.to_ascii_lowercase(),
        cause.because
    )
}

pub(crate) fn provenance(cause: &pb::WaitCause) -> &'static str {
    let name = cause.provenance().as_str_name();
    name.strip_prefix("PROVENANCE_").unwrap_or(name)
}

/// Where a machine stands: area/line/cell, as far as they are there.
fn place(machine: &pb::Machine) -> String {
    let units = [machine.area.as_str(), &machine.line, &machine.cell];
    let units: Vec<_> = units.into_iter().filter(|unit| !unit.is_empty()).collect();
    units.join("/")
}

/// The counters: `good 12, scrap 1`.
fn parts(machine: &pb::Machine) -> String {
    let counters = machine.counters.iter().map(|counter| match counter.value {
        Some(value) => format!("{} {value}", counter.counter),
        None => format!("{} ?", counter.counter),
    });
    counters.collect::<Vec<_>>().join(", ")
}

/// A machine as JSON; a list has no alarms, conditions and values.
pub(crate) fn json(machine: &pb::Machine, full: bool) -> Value {
    let mut value = json!({
        "machine": last(&machine.name),
        "number": machine.number,
        "display_name": machine.display_name,
        "type": machine.machine_type,
        "area": machine.area,
        "line": machine.line,
        "cell": machine.cell,
        "state": state(machine.state),
        "reported_state": state(machine.reported_state),
        "native_state": machine.native_state,
        "reason": machine.reason,
        "since": time(machine.since),
        "mode": mode(machine.mode),
        "native_mode": machine.native_mode,
        "program": machine.program,
        "connection": connection(machine.connection),
        "active_alarms": machine.active_alarms,
        "condition": condition(machine.condition),
        "wait_cause": machine.wait_cause.as_ref().map(|cause| json!({
            "state": state(cause.state),
            "provenance": provenance(cause),
            "because": cause.because,
        })),
        "raised_rules": machine.raised_rules,
        "raised_severity": machine.raised_severity,
        "last_event_at": time(machine.last_event_at),
        "counters": machine.counters.iter().map(counter).collect::<Vec<_>>(),
    });
    if full && let Value::Object(map) = &mut value {
        let alarms = machine.alarms.iter().map(alarm).collect();
        let conditions = machine.conditions.iter().map(conditions).collect();
        let values = machine.values.iter().map(other).collect();
        map.insert("alarms".to_owned(), Value::Array(alarms));
        map.insert("conditions".to_owned(), Value::Array(conditions));
        map.insert("values".to_owned(), Value::Array(values));
        let raised = machine.raised.iter().map(raised).collect();
        map.insert("raised".to_owned(), Value::Array(raised));
    }
    value
}

fn raised(one: &pb::RaisedRule) -> Value {
    json!({
        "rule": one.rule,
        "severity": one.severity,
        "since": time(Some(one.since)),
        "raised_at": time(Some(one.at)),
        "position": one.position,
        "message": one.message,
    })
}

fn counter(counter: &pb::Counter) -> Value {
    json!({
        "counter": counter.counter,
        "meaning": meaning(counter.meaning),
        "value": counter.value,
        "reset_epoch": counter.reset_epoch,
        "at": time(Some(counter.at)),
    })
}

fn alarm(alarm: &pb::Alarm) -> Value {
    json!({
        "key": alarm.key,
        "code": alarm.code,
        "severity": alarm.severity,
        "text": alarm.text,
        "active": alarm.active,
        "raised_at": time(alarm.raised_at),
        "acknowledged_at": time(alarm.acknowledged_at),
        "cleared_at": time(alarm.cleared_at),
    })
}

fn conditions(one: &pb::Condition) -> Value {
    let active = one.active.iter().map(|active| {
        json!({
            "code": active.code,
            "level": condition(active.level),
            "text": active.text,
            "since": time(Some(active.since)),
        })
    });
    json!({
        "item": one.item,
        "level": condition(one.level),
        "since": time(Some(one.since)),
        "active": active.collect::<Vec<_>>(),
    })
}

fn other(value: &pb::Value) -> Value {
    json!({
        "aspect": aspect(value.aspect),
        "item": value.item,
        "text": value.text,
        "number": value.number,
        "at": time(Some(value.at)),
    })
}

/// A rule that is raised of a machine, as a part of it.
fn rule(one: &pb::RaisedRule) -> (&'static str, String) {
    let (since, raised) = (when::shown(Some(one.since)), when::shown(Some(one.at)));
    let text = match one.message.as_str() {
        "" => String::new(),
        text => format!(" {text}"),
    };
    let (rule, severity) = (&one.rule, one.severity);
    let line = format!("{rule}{text} (severity {severity}) since {since}, raised {raised}");
    ("rule", line)
}

/// A machine in full, part by part.
pub(crate) fn parts_of(machine: &pb::Machine) -> Vec<(&'static str, String)> {
    let mut shown = vec![
        ("machine", last(&machine.name).to_owned()),
        ("number", machine.number.to_string()),
        ("name", machine.display_name.clone()),
        ("type", machine.machine_type.clone()),
        ("place", place(machine)),
        ("state", said(state(machine.state)).to_owned()),
        ("reported", said(state(machine.reported_state)).to_owned()),
        ("native", machine.native_state.clone()),
        ("since", when::shown(machine.since)),
        ("reason", machine.reason.clone()),
        ("mode", said(mode(machine.mode)).to_owned()),
        ("program", machine.program.clone().unwrap_or_default()),
        (
            "connection",
            said(connection(machine.connection)).to_owned(),
        ),
        ("counters", parts(machine)),
        ("condition", said(condition(machine.condition)).to_owned()),
        ("last event", when::shown(machine.last_event_at)),
    ];
    if let Some(cause) = &machine.wait_cause {
        shown.push(("waits", wait(cause)));
    }
    shown.extend(machine.raised.iter().map(rule));
    let active = machine.alarms.iter().filter(|alarm| alarm.active);
    shown.extend(active.map(|alarm| {
        let since = when::shown(alarm.raised_at);
        (
            "alarm",
            format!(
                "{} {} (severity {}) since {since}",
                alarm.code, alarm.text, alarm.severity
            ),
        )
    }));
    for one in &machine.conditions {
        shown.extend(one.active.iter().map(|active| {
            let level = condition(active.level);
            let since = when::shown(Some(active.since));
            let text = format!(
                "{} {level} {} {} since {since}",
                one.item, active.code, active.text
            );
            ("condition of", text)
        }));
    }
    shown.extend(machine.values.iter().map(|value| {
        let text = match (&value.text, value.number) {
            (Some(text), _) => text.clone(),
            (None, Some(number)) => number.to_string(),
            (None, None) => "unavailable".to_owned(),
        };
        (
            "value",
            format!("{} {}: {text}", aspect(value.aspect), value.item),
        )
    }));
    shown
}
