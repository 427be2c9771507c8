//! What each kind refuses, with the field that is to blame.
#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;
use crate::time::Timestamp;

const LONG: &str = concat!(
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123",
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123",
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123",
);

/// A body of a kind out of its fields as JSON, as a client would write them.
fn body(kind: Kind, fields: &serde_json::Value) -> Body<'static> {
    Body::read(kind, fields).unwrap_or_else(|error| panic!("{kind} {fields}: {error}"))
}

/// For each kind with needs: the least that it takes, then what spoils it, the reason and the field.
#[allow(clippy::too_many_lines, reason = "one table of all kinds")]
fn table() -> Vec<(Kind, serde_json::Value, Vec<Spoilt>)> {
    use RefusalReason::{MissingField as Missing, OutOfRange as Range, TextTooLong as Long};
    let t = |ns: i64| serde_json::to_value(Timestamp(ns)).unwrap();
    let j = |text: &str| -> serde_json::Value { serde_json::from_str(text).unwrap() };
    let mut range = j(r#"{"key": "k"}"#);
    range["from"] = t(5);
    range["to"] = t(9);
    let mut figures = range.clone();
    figures["at_position"] = j("0");
    let mut calendar = range.clone();
    calendar["intervals"] = serde_json::json!([{"from": t(5), "to": t(9), "kind": "SHIFT"}]);
    let interval =
        |from, to, kind| serde_json::json!([{"from": t(from), "to": t(to), "kind": kind}]);
    let mut downtime = range.clone();
    downtime["code"] = j("\"jam\"");
    let parts = || j(r#"{"part": "V1", "parts": ["A", "B"]}"#);
    let material = || j(r#"{"part_number": "n", "quantity": 1.0, "to": "dock"}"#);
    let plan =
        j(r#"{"plan": "w", "plan_kind": "SEQUENCE", "version": 1, "chunk": 1, "chunks": 1}"#);
    vec![
        (
            Kind::CycleStarted,
            j("{}"),
            vec![("cycle", j(&quoted()), Long)],
        ),
        (
            Kind::CycleCompleted,
            j(r#"{"outcome": "OK"}"#),
            vec![
                ("outcome", j("\"UNSPECIFIED\""), Missing),
                ("subgroup", j(&quoted()), Long),
            ],
        ),
        (
            Kind::MaintenanceStarted,
            j("{}"),
            vec![("crew", j(&quoted()), Long)],
        ),
        (
            Kind::MaintenanceEnded,
            j("{}"),
            vec![("work_order", j(&quoted()), Long)],
        ),
        (
            Kind::BufferLevelChanged,
            j(r#"{"buffer": "b"}"#),
            vec![("buffer", j("\"\""), Missing)],
        ),
        (
            Kind::MaterialArrived,
            material(),
            vec![
                ("part_number", j("\"\""), Missing),
                ("quantity", j("0.0"), Range),
                ("quantity", j("-1.0"), Range),
            ],
        ),
        (
            Kind::MaterialMoved,
            material(),
            vec![("to", j("\"\""), Missing), ("quantity", j("0.0"), Range)],
        ),
        (
            Kind::MaterialConsumed,
            j(r#"{"part_number": "n", "quantity": 1.0}"#),
            vec![("quantity", j("0.0"), Range)],
        ),
        (
            Kind::InventoryCounted,
            j(r#"{"part_number": "n", "location": "b", "quantity": 0.0}"#),
            vec![
                ("location", j("\"\""), Missing),
                ("quantity", j("-1.0"), Range),
            ],
        ),
        (
            Kind::SupplyStatusReported,
            j(r#"{"part_number": "n", "stock": -3.0}"#),
            vec![
                ("days_of_supply", j("-1.0"), Range),
                ("demand_per_day", j("-1.0"), Range),
                ("capacity_per_week", j("-1.0"), Range),
            ],
        ),
        (
            Kind::OrderReleased,
            j(r#"{"order": "o"}"#),
            vec![("order", j("\"\""), Missing)],
        ),
        (
            Kind::OrderStarted,
            j(r#"{"order": "o"}"#),
            vec![("order", j("\"\""), Missing)],
        ),
        (
            Kind::OrderCompleted,
            j(r#"{"order": "o"}"#),
            vec![("order", j("\"\""), Missing)],
        ),
        (
            Kind::OrderAborted,
            j(r#"{"order": "o"}"#),
            vec![("order", j("\"\""), Missing)],
        ),
        (
            Kind::ProcessResult,
            j(r#"{"operation": "weld", "verdict": "OK"}"#),
            vec![
                ("operation", j("\"\""), Missing),
                ("verdict", j("\"UNSPECIFIED\""), Missing),
                ("figures", j(r#"[{"name": "", "value": 1.0}]"#), Missing),
                (
                    "figures",
                    j(r#"[{"name": "a", "value": 1.0, "lower": 2.0, "upper": 1.0}]"#),
                    Range,
                ),
            ],
        ),
        (
            Kind::QualityResult,
            j(r#"{"characteristic": "gap", "verdict": "NOK"}"#),
            vec![
                ("characteristic", j("\"\""), Missing),
                ("verdict", j("\"UNSPECIFIED\""), Missing),
            ],
        ),
        (
            Kind::EnergyCounter,
            j(r#"{"meter": "m", "medium": "GAS", "value": 1.0, "modulus": 2.0}"#),
            vec![
                ("medium", j("\"UNSPECIFIED\""), Missing),
                ("value", j("2.0"), Range),
                ("modulus", j("-1.0"), Range),
            ],
        ),
        (
            Kind::DowntimeReasonAssigned,
            downtime,
            vec![("code", j("\"\""), Missing), ("to", t(5), Range)],
        ),
        (
            Kind::CalendarChanged,
            calendar,
            vec![
                ("to", t(5), Range),
                ("intervals", interval(5, 10, "SHIFT"), Range),
                ("intervals", interval(7, 7, "SHIFT"), Range),
                ("intervals", interval(5, 9, "UNSPECIFIED"), Missing),
            ],
        ),
        (
            Kind::PartEntered,
            j(r#"{"part": "V1"}"#),
            vec![("part", j("\"\""), Missing)],
        ),
        (
            Kind::PartLeft,
            j(r#"{"part": "V1"}"#),
            vec![("to", j(&quoted()), Long)],
        ),
        (
            Kind::PartsJoined,
            parts(),
            vec![
                ("parts", j("[]"), Missing),
                ("parts", j(r#"["A", "A"]"#), Range),
                ("parts", j(r#"["V1"]"#), Range),
                ("parts", j(r#"[""]"#), Missing),
            ],
        ),
        (
            Kind::PartSplit,
            j(r#"{"part": "V1", "into": ["A", "B"]}"#),
            vec![("into", j("[]"), Missing), ("into", j(r#"["V1"]"#), Range)],
        ),
        (
            Kind::PartDispositioned,
            j(r#"{"part": "V1", "disposition": "SCRAP"}"#),
            vec![("disposition", j("\"UNSPECIFIED\""), Missing)],
        ),
        (
            Kind::TransportStarted,
            j(r#"{"transport": "t"}"#),
            vec![
                ("transport", j("\"\""), Missing),
                ("parts", j(r#"["A", "A"]"#), Range),
                ("quantity", j("-1.0"), Range),
            ],
        ),
        (
            Kind::TransportEnded,
            j(r#"{"transport": "t"}"#),
            vec![("transport", j("\"\""), Missing)],
        ),
        (
            Kind::PlanPublished,
            plan,
            vec![
                ("plan_kind", j("\"UNSPECIFIED\""), Missing),
                ("version", j("0"), Missing),
                ("chunk", j("0"), Missing),
                ("chunk", j("2"), Range),
                (
                    "entries",
                    serde_json::json!([{"at": t(5), "until": t(4)}]),
                    Range,
                ),
                (
                    "entries",
                    serde_json::json!([{"at": t(5), "quantity": -1.0}]),
                    Range,
                ),
            ],
        ),
        (
            Kind::AndonRaised,
            j(r#"{"key": "k", "andon": "HELP"}"#),
            vec![
                ("key", j("\"\""), Missing),
                ("andon", j("\"UNSPECIFIED\""), Missing),
            ],
        ),
        (
            Kind::AndonCleared,
            j(r#"{"key": "k"}"#),
            vec![("key", j("\"\""), Missing)],
        ),
        (
            Kind::StaffingChanged,
            j(r#"{"crew": "c"}"#),
            vec![("crew", j("\"\""), Missing)],
        ),
        (
            Kind::PeriodClosed,
            figures,
            vec![("key", j("\"\""), Missing), ("to", t(5), Range)],
        ),
    ]
}

type Spoilt = (&'static str, serde_json::Value, RefusalReason);

fn quoted() -> String {
    format!("\"{LONG}\"")
}

#[test]
fn each_kind_refuses_what_it_cannot_mean() {
    for (kind, good, spoilt) in table() {
        assert_eq!(body(kind, &good).validate(), Ok(()), "{kind}");
        for (field, value, reason) in spoilt {
            let mut bad = good.clone();
            bad[field] = value.clone();
            let Err(refusal) = body(kind, &bad).validate() else {
                panic!("{kind} takes {field} = {value}");
            };
            assert_eq!(
                refusal.reason, reason,
                "{kind} {field} = {value}: {refusal}"
            );
            assert!(
                refusal.field.starts_with(field),
                "{kind} {field}: {}",
                refusal.field
            );
        }
    }
}

#[test]
fn the_table_has_every_kind_that_is_made_of_fields() {
    let tested: Vec<Kind> = table().into_iter().map(|(kind, ..)| kind).collect();
    for kind in Kind::ALL.iter().filter(|kind| kind.reportable()) {
        // The older kinds have no fields to be packed of, and tests of their own.
        let older = kind.code() < Kind::CycleStarted.code()
            || (Kind::PartProduced.code()..=Kind::OverrideChanged.code()).contains(&kind.code())
            || [22, 26, 27, 48].contains(&kind.code());
        assert!(older || tested.contains(kind), "{kind}");
    }
}

#[test]
fn numbers_must_be_finite_and_people_must_come_in_plain() {
    let nan = Body::MaterialConsumed(MaterialConsumed {
        part_number: "n".into(),
        quantity: f64::NAN,
        ..MaterialConsumed::default()
    });
    assert_eq!(nan.validate().unwrap_err().reason, RefusalReason::NotFinite);
    let infinite = Body::QualityResult(QualityResult {
        characteristic: "gap".into(),
        verdict: ResultVerdict::Ok,
        measured: Some(f64::INFINITY),
        ..QualityResult::default()
    });
    assert_eq!(
        infinite.validate().unwrap_err().reason,
        RefusalReason::NotFinite
    );
    let encrypted = Protected {
        key: 1,
        ..Protected::default()
    };
    let counted = Body::InventoryCounted(InventoryCounted {
        location: "b".into(),
        part_number: "n".into(),
        who: encrypted,
        ..InventoryCounted::default()
    });
    let refusal = counted.validate().unwrap_err();
    assert_eq!(refusal.reason, RefusalReason::ProtectedField);
    assert_eq!(refusal.field, "who");
}

#[test]
fn the_plants_aspects_come_after_those_of_machines() {
    for (kind, of_plant) in [
        (AspectKind::State, false),
        (AspectKind::Andon, false),
        (AspectKind::PartExit, false),
        (AspectKind::Buffer, true),
        (AspectKind::Period, true),
    ] {
        assert_eq!(kind.of_plant(), of_plant, "{kind}");
    }
}
