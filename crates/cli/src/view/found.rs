//! A time at which a condition held, as a row and as JSON.

use super::machine::state;
use super::timeline::spelt;
use crate::command::find::parts_of;
use crate::command::time;
use crate::when;
use serde_json::{Value, json};
use werkbuch_wire::pb::FoundInterval;

/// The columns, with the widths that they have in a stream.
pub(crate) const COLUMNS: [(&str, usize); 9] = [
    ("plant", 10),
    ("machine", 16),
    ("begin", 24),
    ("end", 24),
    ("duration", 9),
    ("state", 11),
    ("reason", 10),
    ("position", 8),
    ("note", 0),
];

/// A row of all columns, and the JSON.
pub(crate) fn row(one: &FoundInterval) -> (Vec<String>, Value) {
    let (plant, machine) = parts_of(&one.machine);
    let notes = [("or earlier", one.begin_open), ("holds", one.end.is_none())];
    let notes = notes.iter().filter(|(_, says)| *says);
    let notes: Vec<&str> = notes.map(|(note, _)| *note).collect();
    let position = match one.position {
        0 => String::new(),
        position => position.to_string(),
    };
    let state = match state(one.state) {
        "UNSPECIFIED" => "",
        state => state,
    };
    let cells = vec![
        plant.to_owned(),
        machine.to_owned(),
        when::shown(Some(one.begin)),
        when::shown(one.end),
        spelt(one.duration_ns),
        state.to_owned(),
        one.reason.clone(),
        position,
        notes.join(", "),
    ];
    let item = json!({
        "plant": plant,
        "machine": machine,
        "number": one.number,
        "begin": time(Some(one.begin)),
        "or_earlier": one.begin_open,
        "end": time(one.end),
        "holds": one.end.is_none(),
        "duration_ns": one.duration_ns,
        "state": state,
        "reason": one.reason,
        "position": one.position,
    });
    (cells, item)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_a_cell_for_each_column_and_says_what_is_open() {
        let name = "tenants/default/plants/P/machines/m-1".to_owned();
        let open = FoundInterval {
            machine: name,
            begin_open: true,
            ..FoundInterval::default()
        };
        let (cells, item) = row(&open);
        assert_eq!(cells.len(), COLUMNS.len());
        assert_eq!(
            (&*cells[0], &*cells[1], &*cells[8]),
            ("P", "m-1", "or earlier, holds")
        );
        assert_eq!((&item["end"], &item["holds"]), (&Value::Null, &json!(true)));
        let (cells, _) = row(&FoundInterval {
            end: Some(2),
            ..open
        });
        assert_eq!(cells[8], "or earlier");
    }
}
