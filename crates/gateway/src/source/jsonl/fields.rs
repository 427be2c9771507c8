//! What an event says, from its kind and its fields as JSON, with every slip of the hand named.

use super::loose::Loose;
use serde_json::{Map, Value};
use werkbuch_model::event::{Body, Kind};
use werkbuch_model::nearest::did_you_mean;

/// The kind of this name, in any case of letters. Errors: a sentence with the nearest name, or all.
pub fn kind(name: &str) -> Result<Kind, String> {
    let known = Kind::from_name(name).filter(|kind| *kind != Kind::Unspecified);
    known.ok_or_else(|| {
        let names: Vec<_> = reportable().map(Kind::name).collect();
        let shown: String = name.chars().take(48).collect();
        let hint = did_you_mean(name, names.iter().copied());
        let hint = hint.unwrap_or_else(|| format!("there are {}", names.join(", ")));
        format!("there is no event kind \"{shown}\"; {hint}")
    })
}

/// The kinds that a source may report.
pub fn reportable() -> impl Iterator<Item = Kind> {
    Kind::ALL.iter().copied().filter(|kind| kind.reportable())
}

/// What an event of this kind says. A text may stand for a number, bytes, a list or an object.
/// Errors: a sentence that names the field.
pub fn body(kind: Kind, fields: Map<String, Value>) -> Result<Body<'static>, String> {
    let known = Body::fields(kind);
    if let Some(unknown) = fields.keys().find(|name| !known.contains(&name.as_str())) {
        let shown: String = unknown.chars().take(48).collect();
        let hint = did_you_mean(unknown, known.iter().copied());
        let hint = hint.unwrap_or_else(|| format!("its fields are {}", known.join(", ")));
        return Err(format!("{kind} has no field \"{shown}\"; {hint}"));
    }
    Body::read(kind, Loose(Value::Object(fields))).map_err(|error| {
        let told = error.to_string();
        // The place that serde names is that in a value, and not in a line.
        let told = told.split(" at line ").next().unwrap_or(&told);
        nearer(&format!("{kind}: {told}"))
    })
}

/// A sentence about an unknown word with the nearest of the words that it lists.
fn nearer(told: &str) -> String {
    let near = || {
        let (before, list) = told.split_once("\", expected one of ")?;
        let (_, word) = before.rsplit_once('"')?;
        did_you_mean(word, list.split(", "))
    };
    match near() {
        Some(near) => format!("{told}; {near}"),
        None => told.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;
    use werkbuch_model::event::{AlarmAcknowledged, GapDetected, State};

    fn read(name: &str, fields: Value) -> Result<Body<'static>, String> {
        let Value::Object(fields) = fields else {
            unreachable!();
        };
        body(kind(name).unwrap(), fields)
    }

    #[test]
    fn fields_are_read_as_people_write_them() {
        let body = read("state_changed", json!({"to": "held", "reason": "12"})).unwrap();
        let Body::StateChanged(state) = body else {
            unreachable!();
        };
        assert_eq!((state.to, state.reason.as_ref()), (State::Held, "12"));
        let alarm = json!({"key": "k", "severity": "500", "code": "7"});
        let Body::AlarmRaised(alarm) = read("ALARM_RAISED", alarm).unwrap() else {
            unreachable!();
        };
        assert_eq!((alarm.severity, alarm.code.as_ref()), (500, "7"));
        let gap = json!({"cause": "QUEUE", "content_hash": "00ff", "lost": null});
        let Body::GapDetected(GapDetected {
            content_hash, lost, ..
        }) = read("GAP_DETECTED", gap).unwrap()
        else {
            unreachable!();
        };
        assert_eq!((content_hash.as_ref(), lost), (&[0_u8, 255][..], None));
        let who = json!({"key": "k", "who": "Jo", "comment": {"plain": "ok"}});
        let Body::AlarmAcknowledged(AlarmAcknowledged { who, comment, .. }) =
            read("ALARM_ACKNOWLEDGED", who).unwrap()
        else {
            unreachable!();
        };
        assert_eq!((who.plain.as_ref(), comment.plain.as_ref()), ("Jo", "ok"));
        let targets = json!({"action": "RETRACT", "targets": "[3, 4]"});
        assert!(read("CORRECTION_RECORDED", targets).is_ok());
        let replaced = json!({
            "action": "REPLACE",
            "targets": "[3]",
            "replacement": r#"{"kind":"STATE_CHANGED","to":"HELD","reason":"{7}"}"#,
        });
        let Body::CorrectionRecorded(correction) = read("CORRECTION_RECORDED", replaced).unwrap()
        else {
            unreachable!();
        };
        let replacement = correction.replacement.map(|body| *body);
        assert!(
            matches!(&replacement, Some(Body::StateChanged(said)) if said.reason == "{7}"),
            "{replacement:?}"
        );
    }

    #[test]
    fn slips_are_named() {
        assert!(
            kind("STATE_CHANGD")
                .unwrap_err()
                .contains("did you mean \"STATE_CHANGED\"?")
        );
        assert!(kind("x").unwrap_err().contains("ALARM_RAISED"));
        for (kind, fields, says) in [
            (
                "STATE_CHANGED",
                json!({"too": "HELD"}),
                "did you mean \"to\"?",
            ),
            (
                "STATE_CHANGED",
                json!({"colour": 1}),
                "its fields are to, from",
            ),
            (
                "STATE_CHANGED",
                json!({"to": "FAULTD"}),
                "did you mean \"FAULTED\"?",
            ),
            ("STATE_CHANGED", json!({}), "missing field `to`"),
            ("STATE_CHANGED", json!({"to": 7}), "in \"to\""),
            (
                "ALARM_RAISED",
                json!({"key": "k", "severity": "high"}),
                "in \"severity\"",
            ),
            (
                "ALARM_RAISED",
                json!({"key": "k", "severity": -1}),
                "in \"severity\"",
            ),
            (
                "GAP_DETECTED",
                json!({"cause": "QUEUE", "content_hash": "0g"}),
                "in \"content_hash\"",
            ),
        ] {
            let told = read(kind, fields.clone()).unwrap_err();
            assert!(
                told.contains(says) && told.contains(kind),
                "{fields}: {told}"
            );
        }
    }

    /// Whatever a kind holds comes back from its own JSON, however new the kind is.
    #[test]
    fn every_kind_is_told_by_its_fields() {
        for kind in reportable() {
            let told = body(
                kind,
                Map::from_iter([("no such field".to_owned(), json!(1))]),
            );
            let told = told.unwrap_err();
            let all = Body::fields(kind).iter().all(|field| told.contains(field));
            assert!(all, "{told}");
        }
    }
}
