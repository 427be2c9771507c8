//! One line: read, with what is wrong with it, and told in the same form.

use super::fields::{body, kind};
use serde::Serialize;
use serde_json::error::Category;
use serde_json::{Map, Value, json};
use werkbuch_model::event::Body;
use werkbuch_model::id::{Epoch, Sequence, SourceName};
use werkbuch_model::nearest::did_you_mean;
use werkbuch_model::time::Timestamp;

/// Who an event is, for ever.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Identity {
    /// The source's name.
    pub source: SourceName,
    /// The source's life.
    pub epoch: Epoch,
    /// The source's number for the event.
    pub sequence: Sequence,
}

/// What the book that wrote a line had noted about the event, as far as it is of use to another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recording {
    /// The log of that book.
    pub log: String,
    /// When it recorded the event.
    pub recorded_at: Option<Timestamp>,
    /// How far the source's clock may lie from its gateway's, in nanoseconds.
    pub tolerance_ns: Option<u64>,
    /// Whether the source reports live; otherwise it is an import.
    pub is_live: bool,
}

/// An event of a line.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Who it is; absent for a line written by hand.
    pub identity: Option<Identity>,
    /// The machine's name or number; absent when it is about none.
    pub machine: Option<String>,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// When a gateway saw it.
    pub observed_at: Option<Timestamp>,
    /// Whether it lies in the past on purpose.
    pub historical: bool,
    /// What it says.
    pub body: Body<'static>,
    /// For a correction of a book: the events that it corrects, in the order of its targets.
    pub corrects: Vec<Identity>,
    /// What the book had noted.
    pub recording: Option<Recording>,
}

/// What a line holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Line {
    /// An event to take in.
    Event(Box<Entry>),
    /// A record of a writer, by the name of its kind.
    WritersOwn(String),
}

const KEYS: [&str; 12] = [
    "source",
    "epoch",
    "sequence",
    "machine",
    "occurred_at",
    "time",
    "at",
    "observed_at",
    "historical",
    "kind",
    "corrects",
    "recorded",
];

/// Reads a line. Errors: a sentence that says what is wrong.
pub fn parse(text: &str) -> Result<Line, String> {
    let value = super::value(text).map_err(|error| {
        let told = error.to_string();
        // A line of the file is the line of its own.
        let told = told.replace(" at line 1 column ", " at column ");
        match error.classify() {
            Category::Data => told,
            _ => format!("it is not JSON: {told}"),
        }
    })?;
    match value {
        Value::Object(members) => of_members(members),
        _ => Err("it is not a JSON object".to_owned()),
    }
}

/// An event from the members of an object. Errors: a sentence that says what is wrong.
fn of_members(mut members: Map<String, Value>) -> Result<Line, String> {
    let Some(Value::String(name)) = members.remove("kind") else {
        return Err("\"kind\" is missing, such as STATE_CHANGED".to_owned());
    };
    let recording = members.remove("recorded").filter(|value| !value.is_null());
    let recording = recording.map(recording_of).transpose()?;
    let has_source = members.get("source").is_some_and(|value| !value.is_null());
    let kind = kind(&name)?;
    if !kind.reportable() || (recording.is_some() && !has_source) {
        return Ok(Line::WritersOwn(kind.name().to_owned()));
    }
    let identity = identity(&mut members)?;
    let machine = match members.remove("machine") {
        None | Some(Value::Null) => None,
        Some(Value::String(name)) => Some(name).filter(|name| !name.is_empty()),
        Some(Value::Number(number)) => Some(number.to_string()),
        Some(_) => return Err("\"machine\" is not a name".to_owned()),
    };
    let names = ["occurred_at", "time", "at"];
    let mut times = Vec::new();
    for name in names {
        times.extend(time(&mut members, name)?);
    }
    let [occurred_at] = times[..] else {
        let said = if times.is_empty() {
            "is missing"
        } else {
            "is said twice"
        };
        return Err(format!(
            "the time {said}: give \"time\", such as 2026-11-22T06:00:00Z"
        ));
    };
    let observed_at = time(&mut members, "observed_at")?;
    let historical = match members.remove("historical") {
        None | Some(Value::Null) => false,
        Some(Value::Bool(historical)) => historical,
        Some(_) => return Err("\"historical\" is neither true nor false".to_owned()),
    };
    let corrects = match members.remove("corrects") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(items)) => items.into_iter().map(target).collect::<Result<_, _>>()?,
        Some(_) => return Err("\"corrects\" is not a list".to_owned()),
    };
    let body = body(kind, revealed(fields_of(members)?))?;
    Ok(Line::Event(Box::new(Entry {
        identity,
        machine,
        occurred_at,
        observed_at,
        historical,
        body,
        corrects,
        recording,
    })))
}

/// The fields of the kind: in their place, or what is left beside the rest.
fn fields_of(mut members: Map<String, Value>) -> Result<Map<String, Value>, String> {
    match members.remove("fields") {
        None | Some(Value::Null) => Ok(members),
        Some(Value::Object(fields)) => {
            if let Some(unknown) = members.keys().next() {
                let known = KEYS.into_iter().chain(["fields"]);
                let hint = did_you_mean(unknown, known.clone());
                let hint = hint.unwrap_or_else(|| format!("there are {}", KEYS.join(", ")));
                return Err(format!(
                    "there is no \"{unknown}\" beside \"fields\"; {hint}"
                ));
            }
            Ok(fields)
        }
        Some(_) => Err("\"fields\" is not an object".to_owned()),
    }
}

/// What was said about a person in plain goes without the encrypted form, which another book cannot
/// read: it makes its own.
fn revealed(fields: Map<String, Value>) -> Map<String, Value> {
    let clear = |value: Value| match value {
        Value::Object(mut members) => {
            if members
                .get("plain")
                .is_some_and(|plain| *plain != json!(""))
            {
                members.retain(|name, _| name != "key" && name != "ciphertext");
            }
            Value::Object(revealed(members))
        }
        value => value,
    };
    let fields = fields.into_iter();
    fields.map(|(name, value)| (name, clear(value))).collect()
}

fn identity(members: &mut Map<String, Value>) -> Result<Option<Identity>, String> {
    let said = |value: Option<Value>| value.filter(|value| !value.is_null());
    let source = said(members.remove("source"));
    let (epoch, sequence) = (
        said(members.remove("epoch")),
        said(members.remove("sequence")),
    );
    let Some(source) = source else {
        let named = [("epoch", epoch), ("sequence", sequence)];
        return match named.iter().find(|(_, value)| value.is_some()) {
            Some((name, _)) => Err(format!(
                "\"{name}\" is given without \"source\"; leave both out, or give both"
            )),
            None => Ok(None),
        };
    };
    let Value::String(source) = source else {
        return Err("\"source\" is not a name".to_owned());
    };
    let source = SourceName::new(source).map_err(|error| error.to_string())?;
    let number = |name: &str, value: Option<Value>| {
        let number = value.as_ref().and_then(Value::as_u64);
        number.filter(|number| *number > 0).ok_or_else(|| {
            format!("\"{name}\" is no number from 1; a line with \"source\" needs it")
        })
    };
    let epoch = u32::try_from(number("epoch", epoch)?)
        .map_err(|_| "\"epoch\" is beyond 4294967295".to_owned())?;
    Ok(Some(Identity {
        source,
        epoch: Epoch(epoch),
        sequence: Sequence(number("sequence", sequence)?),
    }))
}

fn target(value: Value) -> Result<Identity, String> {
    let wrong = || "\"corrects\" holds something without source, epoch and sequence".to_owned();
    match value {
        Value::Object(mut members) => identity(&mut members)?.ok_or_else(wrong),
        _ => Err(wrong()),
    }
}

fn time(members: &mut Map<String, Value>, name: &str) -> Result<Option<Timestamp>, String> {
    match members.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => {
            let time = Timestamp::parse(&text);
            time.map(Some)
                .map_err(|error| format!("\"{name}\": {error}"))
        }
        Some(_) => Err(format!("\"{name}\" is not a time; write it in quotes")),
    }
}

fn recording_of(value: Value) -> Result<Recording, String> {
    let Value::Object(mut members) = value else {
        return Err("\"recorded\" is not an object".to_owned());
    };
    let recorded_at = time(&mut members, "recorded_at")?;
    let text = |name: &str| {
        members
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    Ok(Recording {
        log: text("log").to_owned(),
        recorded_at,
        tolerance_ns: members.get("tolerance_ns").and_then(Value::as_u64),
        is_live: text("source_kind") != "IMPORT",
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use werkbuch_model::event::{State, StateChanged};

    fn entry(text: &str) -> Entry {
        match parse(text).unwrap() {
            Line::Event(entry) => *entry,
            own => unreachable!("{own:?}"),
        }
    }

    #[test]
    fn lines_of_a_book_and_lines_by_hand_are_read() {
        let body = Body::StateChanged(StateChanged {
            to: State::Held,
            ..StateChanged::default()
        });
        let book = entry(
            r#"{"source":"g-7","epoch":2,"sequence":42,"machine":"p","occurred_at":"1970-01-01T00:00:01Z",
                "kind":"STATE_CHANGED","fields":{"to":"HELD"},
                "recorded":{"position":9,"log":"ab","recorded_at":"1970-01-01T00:00:02Z","tolerance_ns":5,
                "source_kind":"IMPORT","flags":[]}}"#,
        );
        let identity = book.identity.clone().unwrap();
        assert_eq!((identity.source.as_str(), identity.epoch.get()), ("g-7", 2));
        assert_eq!(identity.sequence.get(), 42);
        let recording = book.recording.clone().unwrap();
        assert_eq!(recording.recorded_at, Some(Timestamp(2_000_000_000)));
        assert_eq!(
            (recording.tolerance_ns, recording.is_live),
            (Some(5), false)
        );
        assert_eq!(book.body, body);
        for text in [
            r#"{"machine":"p","time":"1970-01-01T00:00:01Z","kind":"STATE_CHANGED","to":"HELD"}"#,
            r#"{"machine":"p","at":"1970-01-01T00:00:01Z","kind":"state_changed","fields":{"to":"held"}}"#,
        ] {
            let by_hand = entry(text);
            assert_eq!((&by_hand.identity, &by_hand.body), (&None, &body), "{text}");
            assert_eq!(by_hand.occurred_at, book.occurred_at, "{text}");
            assert_eq!(by_hand.machine.as_deref(), Some("p"), "{text}");
        }
    }

    #[test]
    fn the_records_of_a_writer_are_told_apart() {
        for text in [
            r#"{"kind":"WRITER_OPENED","occurred_at":"x","fields":{}}"#,
            r#"{"kind":"GAP_DETECTED","source":null,"recorded":{"position":3},"fields":{"cause":"SEQUENCE"}}"#,
        ] {
            assert!(matches!(parse(text), Ok(Line::WritersOwn(_))), "{text}");
        }
        let by_hand = r#"{"kind":"GAP_DETECTED","time":"1970-01-01T00:00:01Z","cause":"OFFLINE"}"#;
        assert!(matches!(parse(by_hand), Ok(Line::Event(_))));
    }

    #[test]
    fn what_was_said_in_plain_goes_without_its_encrypted_form() {
        let text = r#"{"kind":"ALARM_ACKNOWLEDGED","time":"1970-01-01T00:00:01Z","fields":
            {"key":"k","who":{"plain":"Jo","key":3,"ciphertext":"00"},"comment":{"key":3,"ciphertext":"01"}}}"#;
        let Body::AlarmAcknowledged(said) = entry(text).body else {
            unreachable!();
        };
        assert_eq!((said.who.plain.as_ref(), said.who.key), ("Jo", 0));
        assert_eq!(
            (said.comment.key, said.comment.ciphertext.as_ref()),
            (3, &[1_u8][..])
        );
    }

    #[test]
    fn what_is_wrong_is_said() {
        const TIME: &str = "\"time\":\"1970-01-01T00:00:01Z\"";
        for (text, says) in [
            ("", "not JSON"),
            ("[1]", "not a JSON object"),
            ("{}", "\"kind\" is missing"),
            (r#"{"kind":"STATE_CHANGD"}"#, "did you mean"),
            (
                r#"{"kind":"STATE_CHANGED","to":"HELD"}"#,
                "the time is missing",
            ),
            (
                &format!("{{\"kind\":\"STATE_CHANGED\",{TIME},\"tо\":1}}"),
                "no field",
            ),
            (
                &format!("{{\"kind\":\"STATE_CHANGED\",{TIME},\"at\":\"1970-01-01T00:00:01Z\"}}"),
                "twice",
            ),
            (
                r#"{"kind":"STATE_CHANGED","time":"noon","to":"HELD"}"#,
                "noon",
            ),
            (
                &format!("{{\"kind\":\"STATE_CHANGED\",{TIME},\"sequence\":1,\"to\":\"HELD\"}}"),
                "without \"source\"",
            ),
            (
                &format!(
                    "{{\"kind\":\"STATE_CHANGED\",{TIME},\"source\":\"g\",\"epoch\":1,\"to\":\"HELD\"}}"
                ),
                "\"sequence\"",
            ),
            (
                &format!("{{\"kind\":\"STATE_CHANGED\",{TIME},\"machin\":\"m\",\"fields\":{{}}}}"),
                "\"machine\"",
            ),
            (
                &format!(
                    "{{\"kind\":\"STATE_CHANGED\",{TIME},\"source\":\"g\",\"epoch\":5000000000,\"sequence\":1}}"
                ),
                "epoch",
            ),
        ] {
            let told = parse(text).unwrap_err();
            assert!(told.contains(says), "{text}: {told}");
        }
    }
}
