//! Says a change in one line: `~ buffer b1 capacity 4 -> 6`.

use super::description::Description;
use super::object::{Field, Value};
use super::spec::{Change, ChangeAction, Decimal, Spec, SpecRef};
use super::write::seconds;
use crate::id::ElementId;

/// The change in one line, with old and new of what differs from `before`, the description that
/// the change is about to be applied to.
#[must_use]
pub fn describe(change: &Change, before: &Description) -> String {
    let sign = sign(change.action);
    let spec = &change.spec;
    let mut line = format!("{sign} {}", head(spec));
    let old = before.same(spec);
    let details = match (change.action, old) {
        (ChangeAction::Change, Some(old)) => differences(old, spec),
        (ChangeAction::Change, None) => vec!["unchanged".to_owned()],
        _ => particulars(spec.as_ref()),
    };
    if !details.is_empty() {
        line.push(' ');
        line.push_str(&details.join(", "));
    }
    line
}

/// The sign of an action: `+`, `~` or `-`.
#[must_use]
pub const fn sign(action: ChangeAction) -> char {
    match action {
        ChangeAction::Add => '+',
        ChangeAction::Change => '~',
        ChangeAction::Remove => '-',
        ChangeAction::Unspecified => '?',
    }
}

/// The kind and the name of an object.
fn head(spec: &Spec) -> String {
    let kind = spec.kind().name().to_ascii_lowercase().replace('_', " ");
    match spec {
        Spec::Plant(_) => kind,
        Spec::Machine(machine) => format!("machine {} (number {})", machine.id, machine.number),
        other => format!("{kind} {}", other.as_ref().label()),
    }
}

/// Fields that the head has said already.
fn is_said(spec: SpecRef<'_>, key: &str) -> bool {
    match spec {
        SpecRef::Machine(_) => matches!(key, "id" | "number"),
        SpecRef::Plant(_) => false,
        SpecRef::Authority(_) => matches!(key, "machines" | "aspect"),
        SpecRef::Flow(_) => matches!(key, "from" | "to"),
        SpecRef::Step(_) => matches!(key, "product" | "variant" | "number"),
        SpecRef::Setup(_) => matches!(key, "machines" | "attribute" | "from" | "to"),
        SpecRef::Feed(_) => matches!(key, "part_number" | "at" | "product" | "variant"),
        SpecRef::Boundary(_) => matches!(key, "at" | "kind"),
        SpecRef::CountPoint(_) => matches!(key, "unit" | "at" | "meaning"),
        _ => key == "id",
    }
}

/// What an object is, as far as it says so.
fn particulars(spec: SpecRef<'_>) -> Vec<String> {
    let mut said = Vec::new();
    spec.visit(&mut |field| {
        if !is_said(spec, field.key) && field.value != field.otherwise {
            said.push(format!("{} {}", word(field.key), field_of(&field)));
        }
    });
    said
}

/// What differs, old and new; a change without a difference must not look as if it had been cut
/// off.
fn differences(old: SpecRef<'_>, new: &Spec) -> Vec<String> {
    let mut before = Vec::new();
    old.visit(&mut |field| before.push((field.key, field_of(&field))));
    let mut said = Vec::new();
    let mut fields = before.into_iter();
    new.as_ref().visit(&mut |field| {
        let Some((key, was)) = fields.next() else {
            return;
        };
        let is = field_of(&field);
        match key {
            _ if was == is => {}
            "id" => said.push(format!("renamed from {was}")),
            // A renaming leaves the old name as an alias; that it does so need not be said.
            "formerly" if aliases_of_renaming(old, new) => {}
            key => said.push(format!("{} {was} -> {is}", word(key))),
        }
    });
    if said.is_empty() {
        said.push("unchanged".to_owned());
    }
    said
}

fn aliases_of_renaming(old: SpecRef<'_>, new: &Spec) -> bool {
    let (SpecRef::Machine(old), Spec::Machine(new)) = (old, new) else {
        return false;
    };
    let expected = |alias: &ElementId| *alias == old.id || old.aliases.contains(alias);
    old.id != new.id && new.aliases.iter().all(expected)
}

fn field_of(field: &Field<'_>) -> String {
    match (field.key, &field.value) {
        ("in" | "parent", Value::Absent) => "the plant".to_owned(),
        ("name", Value::Text(text)) => format!("{text:?}"),
        ("name", Value::Absent) => "\"\"".to_owned(),
        ("sample_days", Value::Number(0)) => "for ever".to_owned(),
        (_, value) => shown(value),
    }
}

/// A key as people read it: durations are shown with their unit.
fn word(key: &str) -> String {
    let bare = match key {
        "ms" => "time",
        key => key.strip_suffix("_ms").unwrap_or(key),
    };
    bare.replace('_', " ")
}

fn shown(value: &Value<'_>) -> String {
    match value {
        Value::Absent => "none".to_owned(),
        Value::Text(text) if text.contains(|c: char| c.is_whitespace() || c.is_control()) => {
            format!("{text:?}")
        }
        Value::Text(text) => text.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Millis(millis) => format!("{} s", seconds(*millis)),
        Value::Decimal(decimal) => Decimal::to_string(decimal),
        Value::Texts(texts) => format!("[{}]", texts.join(", ")),
        Value::Tables(tables) => {
            let tables: Vec<String> = tables.iter().map(|fields| table(fields)).collect();
            format!("[{}]", tables.join("; "))
        }
    }
}

fn table(fields: &[Field<'_>]) -> String {
    let there = fields.iter().filter(|field| field.value != Value::Absent);
    let shown: Vec<String> = there.map(|field| shown(&field.value)).collect();
    shown.join(" ")
}
