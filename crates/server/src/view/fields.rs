//! The one table of the fields by which machines are filtered and ordered.

use super::row::{MachineRow, Raised};
use std::borrow::Cow;
use werkbuch_model::event::{ConditionLevel, Connection, Mode, State};
use werkbuch_model::filter::{Field, FieldKind, FieldList, Row, Value};
use werkbuch_model::time::Timestamp;
use werkbuch_twin::line::Provenance;

/// The value of a field in a row.
type Read = for<'r> fn(&'r MachineRow<'_>) -> Value<'r>;

macro_rules! fields {
    ($($name:literal $kind:ident $meaning:literal $read:expr;)+) => {
        const FIELDS: &[Field] =
            &[$(Field { name: $name, kind: FieldKind::$kind, meaning: $meaning },)+];
        const READ: &[Read] = &[$($read,)+];
    };
}

fields! {
    "name" Text "the machine's name" |row| text(row.id());
    "plant" Text "the plant it is in" |row| text(row.plant());
    "number" Number "its permanent number in the plant" |row| Value::Int(row.machine.number().get().into());
    "display_name" Text "its full name" |row| text(row.described.map_or("", |machine| &machine.name));
    "type" Text "what sort of machine it is" |row| text(row.described.map_or("", |machine| &machine.machine_type));
    "area" Text "the area it stands in" |row| text(row.place().area);
    "line" Text "the line it stands in" |row| text(row.place().line);
    "cell" Text "the cell it stands in" |row| text(row.place().cell);
    "state" Word "the state as shown" |row| word(row.state().shown.name());
    "reported_state" Word "the state as its signal says" |row| word(row.state().signal.name());
    "native_state" Text "the source's own word for the state" |row| text(row.state().native);
    "reason" Text "the source's reason code" |row| text(row.state().reason);
    "since" Time "since when the state signal says so" |row| time(row.state().since);
    "mode" Word "how it is being used" |row| row.mode().map_or(Value::Null, |mode| word(mode.mode.name()));
    "native_mode" Text "the source's own word for the mode" |row| row.mode().map_or(Value::Null, |mode| text(mode.native));
    "program" Text "its main program" |row| row.program().map_or(Value::Null, text);
    "connection" Word "whether it can be reached" |row| row.connection().map_or(Value::Null, |connection| word(connection.to.name()));
    "active_alarms" Number "how many alarms are active" |row| Value::Int(row.active_alarms().into());
    "condition" Word "the worst level of its conditions" |row| condition(row.condition());
    "wait_state" Word "starved or blocked, as reported or inferred; waiting when that is not known" |row| row.wait_cause().map_or(Value::Null, |cause| word(cause.state.name()));
    "wait_provenance" Word "whether the cause of its wait is REPORTED, INFERRED or UNKNOWN" |row| row.wait_cause().map_or(Value::Null, |cause| word(provenance(cause.provenance)));
    "last_event_at" Time "the latest plant time it reported for" |row| time(row.last_event_at());
    "parts" Number "where its first counter of all (else of good) parts stands" |row| row.parts().map_or(Value::Null, parts);
    "raised_rules" Number "how many rules are raised of it" |row| row.raised.map_or(Value::Null, |raised| Value::Int(raised.rules.into()));
    "raised_severity" Number "how severe the worst rule is that is raised of it" |row| row.raised.and_then(Raised::severity).map_or(Value::Null, |severity| Value::Int(severity.into()));
}

/// How many of the fields, the last ones, say what rules have found: they follow from the log beside the twin.
const FOUND: usize = 2;

/// The words that fields can have.
const WORDS: &[(&str, &[&str])] = &[
    ("state", State::NAMES),
    ("reported_state", State::NAMES),
    ("mode", Mode::NAMES),
    ("connection", Connection::NAMES),
    ("condition", ConditionLevel::NAMES),
];

/// The fields by which machines are filtered wherever that is: also over time, and by rules themselves.
pub const MACHINE_FIELDS: FieldList =
    FieldList::new(FIELDS.split_at(FIELDS.len() - FOUND).0).with_words(WORDS);

/// The fields by which machines are listed, counted and put together at an instant: also what rules have
/// found of them by then.
pub(crate) const LISTED_FIELDS: FieldList = FieldList::new(FIELDS).with_words(WORDS);

/// The fields that tell why a machine waits.
pub(crate) const NEEDS_WAITS: [usize; 2] = [place("wait_state"), place("wait_provenance")];

/// The fields that events move from which no state follows.
pub(crate) const NEEDS_EVERY_EVENT: [usize; 1] = [place("last_event_at")];

/// The fields that say how a machine is described; nothing that happens moves them.
const DESCRIBED: [&str; 8] = [
    "name",
    "plant",
    "number",
    "display_name",
    "type",
    "area",
    "line",
    "cell",
];

/// Whether a field says how a machine is described.
pub(crate) fn is_described(field: usize) -> bool {
    let field = FIELDS.get(field);
    field.is_some_and(|field| DESCRIBED.contains(&field.name))
}

/// The place of a field in the table.
const fn place(name: &str) -> usize {
    let mut at = 0;
    while at < FIELDS.len() {
        if same(FIELDS[at].name.as_bytes(), name.as_bytes()) {
            return at;
        }
        at += 1;
    }
    // Behind all fields: a test finds it.
    FIELDS.len()
}

const fn same(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let mut at = 0;
    while at < a.len() {
        if a[at] != b[at] {
            return false;
        }
        at += 1;
    }
    true
}

impl Row for MachineRow<'_> {
    fn value(&self, field: usize) -> Value<'_> {
        READ.get(field).map_or(Value::Null, |read| read(self))
    }
}

/// An empty text is no value.
fn text(text: &str) -> Value<'_> {
    if text.is_empty() {
        return Value::Null;
    }
    Value::Text(Cow::Borrowed(text))
}

fn word(name: &'static str) -> Value<'static> {
    Value::Text(Cow::Borrowed(name))
}

const fn provenance(provenance: Provenance) -> &'static str {
    match provenance {
        Provenance::Reported => "REPORTED",
        Provenance::Inferred => "INFERRED",
        Provenance::Unknown => "UNKNOWN",
    }
}

fn time(time: Option<Timestamp>) -> Value<'static> {
    time.map_or(Value::Null, Value::Time)
}

fn condition(level: ConditionLevel) -> Value<'static> {
    match level {
        ConditionLevel::Unspecified => Value::Null,
        level => word(level.name()),
    }
}

fn parts(parts: u64) -> Value<'static> {
    Value::Int(i64::try_from(parts).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::view::twin::tests::twin_with_press;
    use werkbuch_model::id::MachineNumber;

    /// The fields that have no value before anything is reported.
    const SILENT: [&str; 14] = [
        "native_state",
        "reason",
        "since",
        "mode",
        "native_mode",
        "program",
        "connection",
        "condition",
        "wait_state",
        "wait_provenance",
        "last_event_at",
        "parts",
        "raised_rules",
        "raised_severity",
    ];

    #[test]
    fn fields_with_needs_of_their_own_are_there() {
        let places = NEEDS_WAITS.iter().chain(&NEEDS_EVERY_EVENT);
        let names: Vec<&str> = places.map(|at| MACHINE_FIELDS.fields()[*at].name).collect();
        assert_eq!(names, ["wait_state", "wait_provenance", "last_event_at"]);
    }

    #[test]
    fn what_rules_have_found_is_asked_of_lists_alone() {
        let beyond = LISTED_FIELDS.fields().strip_prefix(MACHINE_FIELDS.fields());
        let names: Vec<&str> = beyond.unwrap().iter().map(|field| field.name).collect();
        assert_eq!(names, ["raised_rules", "raised_severity"]);
        let twin = twin_with_press();
        let row = |severities: &[u32]| {
            let machine = twin.machine(MachineNumber(7)).unwrap();
            let mut raised = Raised::default();
            severities.iter().for_each(|severity| raised.add(*severity));
            MachineRow::new(&twin, machine).raising(raised)
        };
        let count = MACHINE_FIELDS.fields().len();
        let values = |row: MachineRow<'_>| {
            let value = |field| match row.value(field) {
                Value::Int(value) => Some(value),
                _ => None,
            };
            (value(count), value(count + 1))
        };
        assert_eq!(values(row(&[])), (Some(0), None));
        assert_eq!(values(row(&[300, 900, 500])), (Some(3), Some(900)));
        assert_eq!(values(row(&[0])), (Some(1), Some(0)));
    }

    #[test]
    fn every_field_has_a_value_of_its_kind() {
        let twin = twin_with_press();
        let row = MachineRow::new(&twin, twin.machine(MachineNumber(7)).unwrap());
        for (index, field) in LISTED_FIELDS.fields().iter().enumerate() {
            let value = row.value(index);
            let is_of_kind = match field.kind {
                FieldKind::Text | FieldKind::Word => matches!(value, Value::Text(_)),
                FieldKind::Number => matches!(value, Value::Int(_)),
                FieldKind::Bool => matches!(value, Value::Bool(_)),
                FieldKind::Time => matches!(value, Value::Time(_)),
            };
            let is_null = value == Value::Null;
            assert_eq!(
                is_null,
                SILENT.contains(&field.name),
                "{}: {value:?}",
                field.name
            );
            assert!(is_null || is_of_kind, "{}: {value:?}", field.name);
        }
        assert_eq!(row.value(LISTED_FIELDS.fields().len()), Value::Null);
        assert_eq!(
            (row.place().area, row.place().line, row.place().cell),
            ("body", "l1", "c1")
        );
    }
}
