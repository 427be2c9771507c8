//! The digest: moved by all that is state, and by nothing else.

use crate::bodies::*;
use crate::writer::*;
use std::collections::BTreeSet;
use werkbuch_model::event::*;
use werkbuch_model::id::*;
use werkbuch_model::plant::*;

fn said(at: i64, body: Body<'static>) -> Said {
    Said {
        machine: 1,
        source: ("gw", 1),
        sequence: 1,
        at,
        authority: 0,
        body,
    }
}

fn digest_of(said: Said) -> [u8; 32] {
    let mut writer = Writer::default();
    writer.report(said);
    writer.twin(None).digest()
}

#[test]
fn every_part_of_the_state_moves_it() {
    let base = || said(10, state(State::Idle));
    let all = [
        base(),
        Said {
            machine: 2,
            ..base()
        },
        Said {
            source: ("gw", 2),
            ..base()
        },
        Said {
            source: ("hw", 1),
            ..base()
        },
        Said {
            sequence: 2,
            ..base()
        },
        Said { at: 11, ..base() },
        Said {
            authority: 1,
            ..base()
        },
        said(10, state(State::Held)),
    ];
    let digests: BTreeSet<_> = all.iter().map(|said| digest_of(said.clone())).collect();
    assert_eq!(digests.len(), all.len());
}

#[test]
fn every_field_of_every_kind_moves_it() {
    // Each leaf of each body is changed by itself, in its JSON form.
    let mut changed = 0;
    for kind in 0..KINDS {
        let body = body(kind, 2);
        let json = serde_json::to_value(&body).unwrap();
        for other in changes(&json) {
            let Ok(other) = serde_json::from_value::<Body<'static>>(other) else {
                continue;
            };
            if other == body {
                continue;
            }
            changed += 1;
            assert_ne!(
                digest_of(said(10, body.clone())),
                digest_of(said(10, other.clone())),
                "{other:?}"
            );
        }
    }
    assert!(changed > 80, "{changed}");
}

/// Fields that are not state: a protected text's key and bytes, and where a batch's values lie.
const NOT_STATE: [&str; 4] = ["kind", "who", "comment", "body_bytes"];

fn changes(json: &serde_json::Value) -> Vec<serde_json::Value> {
    use serde_json::{Value, json};
    match json {
        Value::Object(fields) => {
            let mut all = Vec::new();
            for (name, value) in fields
                .iter()
                .filter(|(name, _)| !NOT_STATE.contains(&name.as_str()))
            {
                for other in changes(value) {
                    let mut fields = fields.clone();
                    fields.insert(name.clone(), other);
                    all.push(Value::Object(fields));
                }
            }
            all
        }
        Value::Array(items) => {
            let mut all = vec![Value::Array(items.iter().skip(1).cloned().collect())];
            for (index, item) in items.iter().enumerate() {
                for other in changes(item) {
                    let mut items = items.clone();
                    items[index] = other;
                    all.push(Value::Array(items));
                }
            }
            all
        }
        Value::Number(number) if number.is_f64() => vec![json!(123.5), Value::Null],
        Value::Number(_) => vec![json!(123), Value::Null],
        Value::String(_) => {
            let words = [
                "changed",
                "",
                "CANONICAL",
                "NATIVE",
                "HELD",
                "MANUAL",
                "FAULT",
                "STALE",
            ];
            let others = [
                "LOW",
                "SCRAP",
                "RAPID",
                "SECONDS",
                "EVENT",
                "1970-01-01T00:00:09Z",
            ];
            words
                .into_iter()
                .chain(others)
                .map(|word| json!(word))
                .collect()
        }
        _ => Vec::new(),
    }
}

#[test]
fn what_is_not_state_does_not_move_it() {
    let mut plain = Writer::default();
    plain.report(said(10, acknowledged("a", 1)));
    let expected = plain.twin(None).digest();

    let mut other = Writer::default();
    other.own(Body::WriterOpened(WriterOpened::default()));
    other.open(("zz", 1));
    let gap = Body::GapDetected(GapDetected {
        cause: GapCause::Queue,
        ..Default::default()
    });
    other.report(Said {
        source: ("zz", 1),
        ..said(99, gap)
    });
    // Another key and other bytes for the same person.
    other.report(said(10, acknowledged("a", 2)));
    other.own(Body::ClockJumped(ClockJumped::default()));
    assert_eq!(other.twin(None).digest(), expected);

    let nobody = AlarmAcknowledged {
        key: "a".into(),
        ..Default::default()
    };
    assert_ne!(
        digest_of(said(10, Body::AlarmAcknowledged(nobody))),
        expected
    );
}

#[test]
fn the_description_moves_it() {
    let name = |text: &str| ElementId::new(text).unwrap();
    let objects = [
        Spec::Plant(Plant {
            name: "Works".into(),
            time_zone: "Europe/Berlin".into(),
            ..Plant::default()
        }),
        Spec::Unit(Unit::new(name("u"), Level::Area)),
        Spec::Machine(Machine {
            parent: Some(name("u")),
            ..Machine::new(name("m"), MachineNumber(1))
        }),
        Spec::Buffer(Buffer::new(name("b"), 3)),
        Spec::Flow(Flow::new(name("m"), name("b"))),
        Spec::Calendar(Calendar {
            id: name("c"),
            parent: None,
            shifts: vec![Shift {
                name: "early".into(),
                days: Days::ALL,
                from: TimeOfDay(360),
                to: TimeOfDay(840),
                team: String::new(),
            }],
            breaks: Vec::new(),
            exceptions: Vec::new(),
        }),
        Spec::Step(Step {
            product: name("p"),
            variant: None,
            number: 10,
            operation: "weld".into(),
            at: vec![name("m")],
            work_ms: 58_500,
            min_ms: None,
            units_per_cycle: 1,
            carrier: None,
            skill: String::new(),
        }),
        Spec::Authority(Authority {
            machines: "*".into(),
            aspect: AspectKind::State,
            sources: vec!["gw".into()],
        }),
    ];
    let mut writer = Writer::default();
    let mut digests = BTreeSet::from([writer.twin(None).digest()]);
    for (revision, spec) in (1..).zip(objects) {
        writer.own(Body::DescriptionChanged(DescriptionChanged {
            revision,
            part: 1,
            commit: true,
            changes: vec![Change {
                action: ChangeAction::Add,
                spec,
            }],
            ..DescriptionChanged::default()
        }));
        assert!(digests.insert(writer.twin(None).digest()), "{revision}");
    }
}

#[test]
fn it_stays_what_it_is() {
    // Another value here means another fold: raise FOLD_VERSION.
    let mut writer = Writer::default();
    for kind in 0..SLOTTED {
        let sequence = kind as u64 + 1;
        writer.report(Said {
            sequence,
            ..said(kind as i64, body(kind, 2))
        });
    }
    let digest = writer.twin(None).digest();
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(
        hex,
        "0c2391f852f96490bfc9054a30aa400ceb20fd680837cce23b33e1c811ad5dd2"
    );
}
