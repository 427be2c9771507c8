//! Rules, and what they raise and clear, as rows and as JSON.

use super::machine::state;
use super::timeline::spelt;
use crate::command::find::parts_of;
use crate::command::time;
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
    let hold = |nanos: u64| match nanos {
        0 => "at once".to_owned(),
        nanos => spelt(nanos),
    };
    let clear = match rule.clear_text.as_str() {
        "" => "when that no longer holds".to_owned(),
        text => text.to_owned(),
    };
    let cells = vec![
        rule.id.as_str().to_owned(),
        rule.raise_text.clone(),
        hold(rule.hold_ns),
        clear,
        hold(rule.clear_hold_ns),
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
    }
}
