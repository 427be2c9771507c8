//! A change of a machine as a row and as JSON.

use crate::command::{last, time};
use crate::view::machine;
use crate::when;
use serde_json::{Value, json};
use werkbuch_wire::pb::{MachineChange, MachineChangeKind};

/// The columns, with the widths that they have in a stream.
pub(crate) const COLUMNS: [(&str, usize); 9] = [
    ("time", 30),
    ("plant", 10),
    ("machine", 16),
    ("change", 7),
    ("from", 12),
    ("to", 26),
    ("event", 22),
    ("reason", 10),
    ("position", 0),
];

/// The most that a column is widened to for the names in it.
const NAME_WIDTH_MAX: usize = 40;

/// How wide a column of names is: as wide as they need, within bounds.
pub(crate) fn name_width<'n>(least: usize, names: impl Iterator<Item = &'n str>) -> usize {
    let longest = names.map(|name| name.chars().count()).max();
    longest.unwrap_or(0).clamp(least, NAME_WIDTH_MAX.max(least))
}

/// A change as a row. The time is when the event took effect. An event that is of another machine or
/// of a buffer, so that it only tells why this machine waits, stands in parentheses.
pub(crate) fn row(change: &MachineChange) -> Vec<String> {
    let machine = change.machine.as_ref();
    let state = |code| match machine::state(code) {
        "UNSPECIFIED" => String::new(),
        name => name.to_owned(),
    };
    vec![
        when::shown(change.effective_at),
        last(&change.plant).to_owned(),
        machine
            .map(|machine| last(&machine.name).to_owned())
            .unwrap_or_default(),
        kind(change).to_owned(),
        state(change.previous_state),
        machine.map(machine::shown_state).unwrap_or_default(),
        if change.inferred {
            format!("({})", change.event_kind)
        } else {
            change.event_kind.clone()
        },
        machine
            .map(|machine| machine.reason.clone())
            .unwrap_or_default(),
        change.position.to_string(),
    ]
}

/// A change as JSON.
pub(crate) fn json(change: &MachineChange, full: bool) -> Value {
    json!({
        "type": "change",
        "plant": last(&change.plant),
        "position": change.position,
        "change": kind(change),
        "machine": change.machine.as_ref().map(|machine| machine::json(machine, full)),
        "previous_state": machine::state(change.previous_state),
        "event": change.event_kind,
        "effective_at": time(change.effective_at),
        "recorded_at": time(change.recorded_at),
        "events": change.events,
        "inferred": change.inferred,
    })
}

/// What a change means for who watches, as a word.
pub(crate) fn kind(change: &MachineChange) -> &'static str {
    match change.change_kind() {
        MachineChangeKind::Unspecified => "",
        MachineChangeKind::Present => "PRESENT",
        MachineChangeKind::Changed => "CHANGED",
        MachineChangeKind::Entered => "ENTERED",
        MachineChangeKind::Left => "LEFT",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_as_wide_as_its_names_within_bounds() {
        let long = "x".repeat(99);
        for (names, width) in [
            (vec![], 16),
            (vec!["press-1"], 16),
            (vec!["press-1", "paint-shop-oven-0017"], 20),
            (vec!["füllstation-strasse-2"], 21),
            (vec![long.as_str()], 40),
        ] {
            assert_eq!(name_width(16, names.into_iter()), width);
        }
    }
}
