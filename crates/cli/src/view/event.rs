//! A recorded event as JSON, as a row, and in one line.

use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use werkbuch_model::event::{Body, Flags, Recorded};
use werkbuch_table::said::{self, hex_bytes};

/// The members of which a zero is a figure and not a silence: an empty buffer is not an unknown one.
const FIGURES: [&str; 26] = [
    "capacity",
    "capacity_per_week",
    "days_of_supply",
    "demand_per_day",
    "done",
    "duration_ms",
    "ideal_ms",
    "level",
    "life_limit",
    "life_used",
    "lost",
    "lower",
    "measured",
    "nominal",
    "percent",
    "planned",
    "present",
    "priority",
    "quantity",
    "required",
    "scrap",
    "stock",
    "target",
    "unavailable",
    "upper",
    "value",
];

/// The columns of a list, with the widths that they have in a stream.
pub(crate) const COLUMNS: [(&str, usize); 7] = [
    ("position", 8),
    ("effective_at", 30),
    ("machine", 14),
    ("kind", 19),
    ("source", 14),
    ("flags", 8),
    ("what", 0),
];

/// The most that a row tells of what an event says; JSON tells all.
const WHAT_CHARACTERS_MAX: usize = 120;

/// The most that a row tells of a name.
const NAME_CHARACTERS_MAX: usize = 20;

/// The names of machines and sources (`name#epoch`) by their numbers, for people.
#[derive(Debug, Default)]
pub(crate) struct Names {
    pub(crate) machines: BTreeMap<u32, String>,
    pub(crate) sources: BTreeMap<u32, String>,
}

impl Names {
    /// The name that a number stands for; the number where nobody knows, nothing for 0.
    fn of(names: &BTreeMap<u32, String>, number: u32) -> String {
        match (number, names.get(&number)) {
            (0, _) => String::new(),
            (_, Some(name)) => short(name),
            (number, None) => format!("#{number}"),
        }
    }
}

/// A name that a row has room for: that of an import holds a digest.
fn short(name: &str) -> String {
    let cut = name.char_indices().nth(NAME_CHARACTERS_MAX);
    let Some((cut, _)) = cut.filter(|_| name.chars().count() > NAME_CHARACTERS_MAX + 3) else {
        return name.to_owned();
    };
    let end = name.rfind('#').map_or("", |at| &name[at..]);
    format!("{}...{end}", &name[..cut])
}

/// An event as stored. Errors: the bytes are none that this build can read.
pub(crate) fn decode(bytes: &[u8]) -> Outcome<Recorded<'_>> {
    werkbuch_record::decode_recorded(bytes).map_err(|error| {
        let what = format!("an event of the server cannot be read: {error}");
        Failure::new(Exit::Failed, "EVENT_UNREADABLE", what)
            .hint("use a build at least as new as the server's")
    })
}

/// An event as JSON: flags by their names, bytes as hexadecimal digits.
pub(crate) fn json(event: &Recorded<'_>) -> Outcome<Value> {
    let mut value = serde_json::to_value(event).map_err(|error| unreadable(&error))?;
    if let Some(flags) = value.get_mut("flags") {
        *flags = json!(event.flags.names());
    }
    hex_bytes(&mut value);
    Ok(value)
}

/// The fields of a body as JSON, bytes as hexadecimal digits.
pub(crate) fn fields(body: &Body<'_>) -> Outcome<Value> {
    said::fields(body).map_err(|error| unreadable(&error))
}

fn unreadable(error: &serde_json::Error) -> Failure {
    let what = format!("an event is no JSON: {error}");
    Failure::new(Exit::Failed, "EVENT_UNREADABLE", what)
}

/// An event as a row.
pub(crate) fn row(event: &Recorded<'_>, names: &Names) -> Vec<String> {
    let mut what = what(&event.reported.body);
    if let Some((cut, _)) = what.char_indices().nth(WHAT_CHARACTERS_MAX) {
        what.truncate(cut);
        what.push_str("...");
    }
    vec![
        event.position.to_string(),
        event.effective_at.to_string(),
        Names::of(&names.machines, event.reported.machine.get()),
        event.reported.body.kind().name().to_owned(),
        Names::of(&names.sources, event.source.get()),
        flags(event.flags),
        what,
    ]
}

/// Flags in short: a letter each would say nothing.
fn flags(flags: Flags) -> String {
    let short = [
        (Flags::SUSPECT_CLOCK, "suspect"),
        (Flags::LATE_FILLER, "late"),
        (Flags::NOT_AUTHORITATIVE, "other"),
    ];
    let set = short.into_iter().filter(|(flag, _)| flags.has(*flag));
    set.map(|(_, name)| name).collect::<Vec<_>>().join(",")
}

/// What the writer says about rules, in one line.
fn of_rules(body: &Body<'_>) -> String {
    match body {
        Body::RuleRaised(found) => format!("{} ({}) {}", found.rule, found.severity, found.text)
            .trim_end()
            .to_owned(),
        Body::RuleCleared(found) if found.withdrawn => format!("{}, withdrawn", found.rule),
        Body::RuleCleared(found) => found.rule.to_string(),
        Body::RulesChanged(change) => {
            let count = change.rules.len();
            format!(
                "revision {} part {}, {count} rules: {}",
                change.revision, change.part, change.why
            )
        }
        _ => String::new(),
    }
}

/// What an event says, in one line.
pub(crate) fn what(body: &Body<'_>) -> String {
    match body {
        Body::StateChanged(state) => {
            let reason = if state.reason.is_empty() {
                String::new()
            } else {
                format!(" ({})", state.reason)
            };
            format!("{}{reason}", state.to)
        }
        Body::ModeChanged(mode) => mode.to.to_string(),
        Body::ConnectionChanged(connection) => connection.to.to_string(),
        Body::PartProduced(part) => match part.value {
            Some(value) => format!("{} {value} {}", part.counter, part.part_type),
            None => format!("{} unavailable", part.counter),
        }
        .trim_end()
        .to_owned(),
        Body::AlarmRaised(alarm) => format!("{} {} ({})", alarm.code, alarm.text, alarm.severity),
        Body::AlarmCleared(alarm) => alarm.key.to_string(),
        Body::ProgramChanged(program) => program
            .program
            .as_deref()
            .unwrap_or("unavailable")
            .to_owned(),
        Body::ConditionChanged(condition) => format!(
            "{} {} {} {}",
            condition.item, condition.level, condition.code, condition.text
        )
        .trim_end()
        .to_owned(),
        Body::ItemChanged(item) => {
            format!(
                "{} {}",
                item.item,
                item.text.as_deref().unwrap_or("unavailable")
            )
        }
        Body::SampleReported(samples) => {
            let values: u64 = samples.items.iter().map(|item| item.n).sum();
            let seconds = samples.period_ms / 1_000;
            format!(
                "{values} values of {} items in {seconds} s",
                samples.items.len()
            )
        }
        Body::SourceOpened(source) => format!("{}#{}", source.name, source.epoch),
        Body::DescriptionChanged(change) => {
            format!(
                "revision {} part {}, {} changes",
                change.revision,
                change.part,
                change.changes.len()
            )
        }
        Body::RuleRaised(_) | Body::RuleCleared(_) | Body::RulesChanged(_) => of_rules(body),
        other => members(other),
    }
}

/// Every field that the body's kind has, by its name; what is not said is empty.
pub(crate) fn parts(body: &Body<'_>) -> Outcome<Vec<(&'static str, String)>> {
    let said = fields(body)?;
    let text = |name: &str| match said.get(name) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(value) if is_nobody(value) => String::new(),
        Some(value) => value.to_string(),
    };
    let names = Body::fields(body.kind()).iter();
    Ok(names.map(|name| (*name, text(name))).collect())
}

/// The members of a body that say something, as they are.
fn members(body: &Body<'_>) -> String {
    let Ok(mut value) = serde_json::to_value(body) else {
        return String::new();
    };
    hex_bytes(&mut value);
    let Value::Object(members) = value else {
        return String::new();
    };
    let said = members.into_iter().filter(|(name, value)| {
        let zero = value.as_f64() == Some(0.0) && !FIGURES.contains(&name.as_str());
        let empty = value.is_null() || *value == json!("") || *value == json!([]) || zero;
        let empty = empty || *value == json!("UNSPECIFIED") || is_nobody(value);
        name != "kind" && !empty
    });
    let said = said.map(|(name, value)| match value {
        Value::String(text) => format!("{name}={text}"),
        value => format!("{name}={value}"),
    });
    said.collect::<Vec<_>>().join(" ")
}

/// Whether a field about a person says nothing.
fn is_nobody(value: &Value) -> bool {
    value.get("key").is_some_and(|key| *key == json!(0)) && value.get("plain").is_none()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use werkbuch_model::event::{AlarmRaised, DigestRecorded, Reported};
    use werkbuch_model::id::{MachineNumber, Position, Sequence, SourceNumber};
    use werkbuch_model::time::Timestamp;

    fn recorded(body: Body<'static>) -> Recorded<'static> {
        Recorded {
            position: Position(7),
            recorded_at: Timestamp(2),
            effective_at: Timestamp(1),
            source: SourceNumber(3),
            previous: Position(0),
            flags: Flags::SUSPECT_CLOCK,
            authority: 0,
            reported: Reported {
                sequence: Sequence(9),
                machine: MachineNumber(4),
                occurred_at: Timestamp(1),
                observed_at: None,
                historical: false,
                body,
            },
            corrected: Vec::new(),
        }
    }

    #[test]
    fn flags_are_named_and_bytes_are_hexadecimal() {
        let event = recorded(Body::DigestRecorded(DigestRecorded {
            at_position: Position(6),
            fold_version: 1,
            digest: vec![0xab, 0x01].into(),
        }));
        let value = json(&event).unwrap();
        assert_eq!(value["flags"], json!(["SUSPECT_CLOCK"]));
        assert_eq!(value["reported"]["digest"], "ab01");
        assert_eq!(value["reported"]["kind"], "DIGEST_RECORDED");
        assert_eq!(value["position"], 7);
        assert_eq!(
            what(&event.reported.body),
            "at_position=6 fold_version=1 digest=ab01"
        );
    }

    #[test]
    fn rows_name_machines_and_sources() {
        let event = recorded(Body::AlarmRaised(AlarmRaised {
            key: "k".into(),
            code: "E1".into(),
            severity: 500,
            text: "hot".into(),
            ..AlarmRaised::default()
        }));
        let digest = "import:0123456789abcdef0123456789abcdef:1:4#1".to_owned();
        let names = Names {
            machines: BTreeMap::from([(4, "press-4".to_owned())]),
            sources: BTreeMap::from([(3, digest)]),
        };
        let row = row(&event, &names);
        assert_eq!(
            row[2..],
            [
                "press-4",
                "ALARM_RAISED",
                "import:0123456789abc...#1",
                "suspect",
                "E1 hot (500)"
            ]
        );
        assert_eq!(super::row(&event, &Names::default())[2], "#4");
        assert_eq!(row.len(), COLUMNS.len());
    }
}
