//! Makes the body of an event of what an observation says.

use super::counts::cut;
use super::parse::Value;
use crate::source::mapping::{Entry, Rule};
use std::borrow::Cow;
use werkbuch_model::event::{
    Body, ConditionChanged, ConditionLevel, Connection, ConnectionChanged, ItemChanged, Mode,
    ModeChanged, OverrideChanged, PartProduced, ProgramChanged, Qualifier, RefusalReason, State,
    StateChanged, ToolChanged,
};

/// What an observation is.
#[derive(Debug, PartialEq)]
pub(super) enum Made {
    /// An event of its own.
    Event(Body<'static>),
    /// A sample: a number, or unavailable.
    Sample(Option<f64>),
}

/// Why an observation cannot become an event.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) reason: &'static str,
    pub(super) detail: String,
}

/// The text is not a number. Not among the reasons of the server: such a text never leaves the source.
const NOT_A_NUMBER: &str = "NOT_A_NUMBER";
/// Whole numbers up to here are exact as floating-point numbers.
const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;

/// Makes the body and checks it. `resets` counts how often the counter has begun anew.
pub(super) fn make(entry: &Entry, value: Value<'_>, resets: u32) -> Result<Made, Refused> {
    let body = match (value, &entry.rule) {
        (Value::Condition(fields), _) => condition(entry, fields)?,
        (Value::One(text), Rule::Sample(_)) => return number(text).map(Made::Sample),
        (Value::One(text), rule) => single(entry, rule, text, resets)?,
    };
    match body.validate() {
        Ok(()) => Ok(Made::Event(body)),
        Err(refusal) => Err(Refused {
            reason: refusal.reason.name(),
            detail: refusal.detail,
        }),
    }
}

fn single(entry: &Entry, rule: &Rule, text: &str, resets: u32) -> Result<Body<'static>, Refused> {
    let item = || Cow::Owned(entry.item.to_string());
    let owned = || Cow::Owned(text.to_owned());
    let said = || (!is_unavailable(text)).then(owned);
    Ok(match rule {
        Rule::State(vocabulary) => Body::StateChanged(StateChanged {
            to: State::of_native(*vocabulary, text),
            native: owned(),
            vocabulary: *vocabulary,
            ..StateChanged::default()
        }),
        Rule::Mode(vocabulary) => Body::ModeChanged(ModeChanged {
            to: Mode::of_native(*vocabulary, text),
            native: owned(),
            vocabulary: *vocabulary,
        }),
        Rule::Program(slot) => Body::ProgramChanged(ProgramChanged {
            slot: Cow::Owned(slot.to_string()),
            program: said(),
            ..ProgramChanged::default()
        }),
        Rule::Counter { meaning, modulus } => Body::PartProduced(PartProduced {
            counter: item(),
            meaning: *meaning,
            value: count(text)?,
            modulus: *modulus,
            reset_epoch: resets,
            ..PartProduced::default()
        }),
        Rule::Override(what) => Body::OverrideChanged(OverrideChanged {
            item: item(),
            what: *what,
            percent: number(text)?,
        }),
        Rule::Tool(slot) => Body::ToolChanged(ToolChanged {
            slot: Cow::Owned(slot.to_string()),
            tool: said(),
            ..ToolChanged::default()
        }),
        Rule::Availability => Body::ConnectionChanged(ConnectionChanged {
            to: connection(text)?,
            cause: Cow::Borrowed(""),
        }),
        Rule::Condition | Rule::Sample(_) | Rule::Text | Rule::Ignore => {
            Body::ItemChanged(ItemChanged {
                item: item(),
                text: said(),
            })
        }
    })
}

fn condition(entry: &Entry, fields: [&str; 5]) -> Result<Body<'static>, Refused> {
    let [level, code, severity, side, text] = fields;
    let level = match ConditionLevel::from_name(level.trim()) {
        Some(ConditionLevel::Unspecified) | None => {
            return Err(unknown_value("a condition's level", level));
        }
        Some(level) => level,
    };
    let side = side.trim();
    let qualifier = match Qualifier::from_name(side) {
        Some(qualifier) => qualifier,
        None if side.is_empty() => Qualifier::Unspecified,
        // A fault is worth more than a well-formed qualifier.
        None => return Ok(odd_qualifier(entry, level, fields)),
    };
    Ok(Body::ConditionChanged(ConditionChanged {
        item: Cow::Owned(entry.item.to_string()),
        level,
        code: Cow::Owned(code.to_owned()),
        native_severity: Cow::Owned(severity.to_owned()),
        qualifier,
        text: Cow::Owned(text.to_owned()),
    }))
}

/// Keeps a qualifier that is no known word in front of the text, so that it is not lost.
fn odd_qualifier(entry: &Entry, level: ConditionLevel, fields: [&str; 5]) -> Body<'static> {
    let [_, code, severity, side, text] = fields;
    Body::ConditionChanged(ConditionChanged {
        item: Cow::Owned(entry.item.to_string()),
        level,
        code: Cow::Owned(code.to_owned()),
        native_severity: Cow::Owned(severity.to_owned()),
        qualifier: Qualifier::Unspecified,
        text: Cow::Owned(format!("[{side}] {text}")),
    })
}

fn connection(text: &str) -> Result<Connection, Refused> {
    match text.trim().to_ascii_uppercase().as_str() {
        "AVAILABLE" => Ok(Connection::Online),
        "UNAVAILABLE" => Ok(Connection::Offline),
        _ => Err(unknown_value("availability", text)),
    }
}

pub(super) fn is_unavailable(text: &str) -> bool {
    text.trim().eq_ignore_ascii_case("UNAVAILABLE")
}

/// A number; absent when it is unavailable or empty.
fn number(text: &str) -> Result<Option<f64>, Refused> {
    let text = text.trim();
    if text.is_empty() || is_unavailable(text) {
        return Ok(None);
    }
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(Some(number)),
        Ok(_) => Err(Refused {
            reason: RefusalReason::NotFinite.name(),
            detail: format!("\"{}\" is not finite", cut(text, 48)),
        }),
        Err(_) => Err(Refused {
            reason: NOT_A_NUMBER,
            detail: format!("\"{}\" is not a number", cut(text, 48)),
        }),
    }
}

/// A whole number of parts, which some controllers write as `3.000000`.
pub(super) fn count(text: &str) -> Result<Option<u64>, Refused> {
    if let Ok(whole) = text.trim().parse::<u64>() {
        return Ok(Some(whole));
    }
    let Some(number) = number(text)? else {
        return Ok(None);
    };
    if !(0.0..=WHOLE_MAX).contains(&number) || number.fract() != 0.0 {
        return Err(Refused {
            reason: RefusalReason::OutOfRange.name(),
            detail: format!("\"{}\" is no count of parts", cut(text.trim(), 48)),
        });
    }
    // In range and whole, so the conversion is exact.
    Ok(Some(number as u64))
}

fn unknown_value(what: &str, text: &str) -> Refused {
    Refused {
        reason: RefusalReason::UnknownValue.name(),
        detail: format!("\"{}\" is no word of {what}", cut(text, 48)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::super::super::mapping::{Found, Mapping};
    use super::*;

    fn made(key: &str, text: &str) -> Result<Made, &'static str> {
        let mapping = Mapping::builtin();
        let Found::Entry(_, entry) = mapping.lookup(key) else {
            panic!("{key}")
        };
        let value = if entry.rule == Rule::Condition {
            let mut fields = [""; 5];
            for (slot, field) in fields.iter_mut().zip(text.split('|')) {
                *slot = field;
            }
            Value::Condition(fields)
        } else {
            Value::One(text)
        };
        make(entry, value, 0).map_err(|refused| refused.reason)
    }

    fn json(key: &str, text: &str) -> String {
        match made(key, text) {
            Ok(Made::Event(body)) => serde_json::to_string(&body).unwrap(),
            Ok(Made::Sample(value)) => format!("{value:?}"),
            Err(reason) => reason.to_owned(),
        }
    }

    #[test]
    fn observations_become_bodies() {
        for (key, text, part) in [
            ("execution", "ACTIVE", r#""to":"EXECUTING""#),
            ("execution", "UNAVAILABLE", r#""to":"UNAVAILABLE""#),
            (
                "execution",
                "DANCING",
                r#""to":"UNKNOWN","from":"UNSPECIFIED","native":"DANCING""#,
            ),
            ("mode", "MANUAL_DATA_INPUT", r#""to":"MANUAL""#),
            (
                "fmode",
                "PROCESS_DEVELOPMENT",
                r#""to":"PROCESS_DEVELOPMENT""#,
            ),
            ("program", "798", r#""slot":"","program":"798""#),
            ("subprogram", "", r#""slot":"sub","program":"""#),
            ("program", "UNAVAILABLE", r#""slot":"","revision""#),
            ("part_count", "3.000000", r#""meaning":"ALL","value":3"#),
            (
                "part_count",
                "18446744073709551615",
                r#""value":18446744073709551615"#,
            ),
            ("part_count", "-1", "OUT_OF_RANGE"),
            ("part_count", "1.5", "OUT_OF_RANGE"),
            ("part_count", "three", "NOT_A_NUMBER"),
            ("Fovr", "102.25", r#""what":"FEED","percent":102.25"#),
            ("Fovr", "UNAVAILABLE", r#""what":"FEED"}"#),
            ("Fovr", "fast", "NOT_A_NUMBER"),
            ("Fovr", "inf", "NOT_FINITE"),
            ("Tool_number", "7", r#""tool":"7""#),
            ("Tool_number", "UNAVAILABLE", r#""slot":"","life_unit""#),
            ("avail", "AVAILABLE", r#""to":"ONLINE""#),
            ("avail", "UNAVAILABLE", r#""to":"OFFLINE""#),
            ("avail", "", "UNKNOWN_VALUE"),
            ("system", "Normal||||", r#""level":"NORMAL","code":"""#),
            (
                "system",
                "Fault|3AA|2|HIGH|hot",
                r#""level":"FAULT","code":"3AA","native_severity":"2","qualifier":"HIGH","text":"hot""#,
            ),
            ("system", "Fault|3AA|2|ODD|hot", r#""text":"[ODD] hot""#),
            ("system", "Bad||||", "UNKNOWN_VALUE"),
            ("system", "Unspecified||||", "UNKNOWN_VALUE"),
            ("Xload", " 1e3 ", "Some(1000.0)"),
            ("Xload", "", "None"),
            ("Xload", "Unavailable", "None"),
            ("Xload", "1_0", "NOT_A_NUMBER"),
            ("Xload", "1e999", "NOT_FINITE"),
            ("Xload", "NaN", "NOT_FINITE"),
            ("path_pos", "1 2 3", r#""item":"path_pos","text":"1 2 3""#),
            ("path_pos", "UNAVAILABLE", r#""item":"path_pos"}"#),
        ] {
            assert!(
                json(key, text).contains(part),
                "{key} {text}: {}",
                json(key, text)
            );
        }
        assert_eq!(
            made("program_cmt", &"x".repeat(16 * 1024 + 1)),
            Err("TEXT_TOO_LONG")
        );
        assert_eq!(made("execution", &"x".repeat(257)), Err("TEXT_TOO_LONG"));
    }
}
