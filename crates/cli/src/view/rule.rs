//! Rules, and what they raise and clear, as rows and as JSON.

use super::machine::state;
use super::timeline::spelt;
use crate::command::find::parts_of;
use crate::command::{counted, last, time};
use crate::when;
use serde_json::{Value, json};
use werkbuch_model::rule::Rule;
use werkbuch_wire::pb;

/// The columns of rules.
pub(crate) const COLUMNS: [&str; 7] = [
    "rule",
    "raise",
    "hold",
    "clear",
    "clear_hold",
    "severity",
    "message",
];

/// The columns of what is raised and cleared.
const TURN_COLUMNS: [&str; 10] = [
    "time", "plant", "rule", "change", "machine", "since", "state", "position", "severity",
    "message",
];

/// A rule as a row and as JSON.
pub(crate) fn row(rule: &Rule) -> (Vec<String>, Value) {
    let cells = vec![
        rule.id.as_str().to_owned(),
        rule.raise_text.clone(),
        held(rule.hold_ns),
        clears(&rule.clear_text),
        held(rule.clear_hold_ns),
        rule.severity.to_string(),
        rule.message.clone(),
    ];
    let item = json!({
        "rule": rule.id.as_str(),
        "raise": rule.raise_text,
        "hold_ns": rule.hold_ns,
        "clear": rule.clear.as_ref().map(|_| rule.clear_text.as_str()),
        "clear_hold_ns": rule.clear_hold_ns,
        "severity": rule.severity,
        "message": rule.message,
    });
    (cells, item)
}

/// The columns of what is raised and cleared, of one plant or of several.
pub(crate) fn turn_columns(with_plant: bool) -> Vec<&'static str> {
    let columns = TURN_COLUMNS.iter().copied();
    columns
        .filter(|name| with_plant || *name != "plant")
        .collect()
}

/// Something that is raised or cleared, as a row and as JSON.
pub(crate) fn turn(one: &pb::RuleTurn, with_plant: bool) -> (Vec<String>, Value) {
    let (plant, machine) = parts_of(&one.machine);
    let change = match (one.raised, one.before) {
        (true, false) => "RAISED",
        (true, true) => "RAISED (before)",
        (false, _) => "CLEARED",
    };
    let state = match state(one.state) {
        "UNSPECIFIED" => "",
        state => state,
    };
    let mut cells = vec![
        when::shown(Some(one.at)),
        plant.to_owned(),
        one.rule.clone(),
        change.to_owned(),
        machine.to_owned(),
        when::shown(Some(one.since)),
        state.to_owned(),
        match one.position {
            0 => String::new(),
            position => position.to_string(),
        },
        one.severity.to_string(),
        one.message.clone(),
    ];
    if !with_plant {
        cells.remove(1);
    }
    let item = json!({
        "at": time(Some(one.at)),
        "plant": plant,
        "rule": one.rule,
        "raised": one.raised,
        "before": one.before,
        "machine": machine,
        "number": one.number,
        "since": time(Some(one.since)),
        "state": state,
        "reason": one.reason,
        "position": one.position,
        "severity": one.severity,
        "message": one.message,
    });
    (cells, item)
}

/// What a rule came to, as JSON.
pub(crate) fn sum(sum: &pb::RuleSum) -> Value {
    json!({
        "rule": sum.rule,
        "raised": sum.raised,
        "cleared": sum.cleared,
        "machines": sum.machines,
        "standing": sum.standing,
    })
}

/// The columns of rules that apply.
const APPLIED_COLUMNS: [&str; 10] = [
    "plant",
    "rule",
    "raise",
    "hold",
    "clear",
    "clear_hold",
    "severity",
    "raised",
    "since",
    "message",
];

/// The columns of what is raised.
const RAISED_COLUMNS: [&str; 8] = [
    "plant", "rule", "machine", "severity", "since", "raised", "position", "message",
];

/// The columns of rules that apply, of one plant or of several.
pub(crate) fn applied_columns(with_plant: bool) -> Vec<&'static str> {
    APPLIED_COLUMNS[usize::from(!with_plant)..].to_vec()
}

/// The columns of what is raised, of one plant or of several.
pub(crate) fn raised_columns(with_plant: bool) -> Vec<&'static str> {
    RAISED_COLUMNS[usize::from(!with_plant)..].to_vec()
}

fn held(nanos: u64) -> String {
    match nanos {
        0 => "at once".to_owned(),
        nanos => spelt(nanos),
    }
}

fn clears(text: &str) -> String {
    match text {
        "" => "when that no longer holds".to_owned(),
        text => text.to_owned(),
    }
}

/// A rule that applies, as a row and as JSON.
pub(crate) fn applied(one: &pb::AppliedRule, with_plant: bool) -> (Vec<String>, Value) {
    let plant = last(&one.plant);
    let mut cells = vec![
        plant.to_owned(),
        one.rule.clone(),
        one.raise.clone(),
        held(one.hold_ns),
        clears(&one.clear),
        held(one.clear_hold_ns),
        one.severity.to_string(),
        one.raised.to_string(),
        when::shown(Some(one.applied_at)),
        one.message.clone(),
    ];
    if !with_plant {
        cells.remove(0);
    }
    (cells, applied_item(one))
}

fn applied_item(one: &pb::AppliedRule) -> Value {
    json!({
        "plant": last(&one.plant),
        "rule": one.rule,
        "raise": one.raise,
        "hold_ns": one.hold_ns,
        "clear": (!one.clear.is_empty()).then_some(one.clear.as_str()),
        "clear_hold_ns": one.clear_hold_ns,
        "severity": one.severity,
        "message": one.message,
        "raised": one.raised,
        "applied_at": time(Some(one.applied_at)),
        "position": one.position,
        "revision": one.revision,
        "why": one.why,
    })
}

/// A rule that applies, as a line for each part and as JSON.
pub(crate) fn whole(one: &pb::AppliedRule) -> (Vec<(&'static str, String)>, Value) {
    let parts = vec![
        ("rule", one.rule.clone()),
        ("message", one.message.clone()),
        ("severity", one.severity.to_string()),
        ("raise", one.raise.clone()),
        ("hold", held(one.hold_ns)),
        ("clear", clears(&one.clear)),
        ("clear_hold", held(one.clear_hold_ns)),
        (
            "raised",
            format!("of {}", counted(one.raised.into(), "machine")),
        ),
        ("applied", when::shown(Some(one.applied_at))),
        ("position", one.position.to_string()),
        ("revision", one.revision.to_string()),
        ("why", one.why.clone()),
    ];
    (parts, applied_item(one))
}

/// Something that is raised, as a row and as JSON.
pub(crate) fn raised(one: &pb::RaisedRule, with_plant: bool) -> (Vec<String>, Value) {
    let (plant, machine) = parts_of(&one.machine);
    let mut cells = vec![
        plant.to_owned(),
        one.rule.clone(),
        machine.to_owned(),
        one.severity.to_string(),
        when::shown(Some(one.since)),
        when::shown(Some(one.at)),
        one.position.to_string(),
        one.message.clone(),
    ];
    if !with_plant {
        cells.remove(0);
    }
    let item = json!({
        "plant": plant,
        "rule": one.rule,
        "machine": machine,
        "number": one.number,
        "severity": one.severity,
        "since": time(Some(one.since)),
        "at": time(Some(one.at)),
        "position": one.position,
        "message": one.message,
    });
    (cells, item)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_have_a_cell_for_each_column() {
        let found = pb::RuleTurn::default();
        for with_plant in [false, true] {
            let (cells, _) = turn(&found, with_plant);
            assert_eq!(cells.len(), turn_columns(with_plant).len());
        }
        assert_eq!(turn(&found, false).0[2], "CLEARED");
        for with_plant in [false, true] {
            let (cells, _) = applied(&pb::AppliedRule::default(), with_plant);
            assert_eq!(cells.len(), applied_columns(with_plant).len());
            let (cells, _) = raised(&pb::RaisedRule::default(), with_plant);
            assert_eq!(cells.len(), raised_columns(with_plant).len());
        }
    }
}
