//! Every kind of event goes through lines of JSON into another book and comes out the same.

use crate::support::{Ran, Server};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use werkbuch_model::event::Kind;

/// One event or more of each kind that sources report, but for corrections: kind, machine, fields.
#[rustfmt::skip]
const EVENTS: &[(&str, &str, &str)] = &[
    ("ASSET_DECLARED", "m1", r#"{"manufacturer":"Acme","model":"M 5","serial":"7","items":[{"id":"x","category":"SAMPLE","unit":"mm","deadband":0.5}]}"#),
    ("CONNECTION_CHANGED", "m1", r#"{"to":"OFFLINE","cause":"cable"}"#),
    ("STATE_CHANGED", "m1", r#"{"to":"HELD","from":"EXECUTING","native":"FEED \"HOLD\"","vocabulary":"MTCONNECT_EXECUTION","reason":"E7"}"#),
    ("STATE_CHANGED", "m2", r#"{"to":"EXECUTING"}"#),
    ("MODE_CHANGED", "m1", r#"{"to":"PRODUCTION","native":"AUTOMATIC","vocabulary":"MTCONNECT_CONTROLLER_MODE"}"#),
    ("CYCLE_STARTED", "m1", r#"{"cycle":"c1","part":"V1","operation":"weld"}"#),
    ("CYCLE_COMPLETED", "m1", r#"{"cycle":"c1","duration_ms":61000,"ideal_ms":60000,"outcome":"OK","parts":1}"#),
    ("PART_PRODUCED", "m1", r#"{"counter":"good","meaning":"GOOD","value":18446744073709551615,"reset_epoch":2}"#),
    ("PART_PRODUCED", "m2", r#"{"counter":"one","meaning":"ALL","part":"V1","part_type":"body"}"#),
    ("ALARM_RAISED", "m1", r#"{"key":"k1","code":"E7","severity":700,"text":"Türe offen ≥ 3 s","native":"HIGH"}"#),
    ("ALARM_ACKNOWLEDGED", "m1", r#"{"key":"k1","who":"Jo Berg","comment":"seen"}"#),
    ("ALARM_CLEARED", "m1", r#"{"key":"k1","duration_ms":5000}"#),
    ("CONDITION_CHANGED", "m1", r#"{"item":"spindle","level":"FAULT","code":"17","qualifier":"HIGH","text":"hot"}"#),
    ("PROGRAM_CHANGED", "m1", r#"{"program":"O1000","revision":"b","block":"N10"}"#),
    ("TOOL_CHANGED", "m1", r#"{"slot":"3","tool":"drill 5","life_used":0.1,"life_limit":100.0,"life_unit":"COUNT"}"#),
    ("OVERRIDE_CHANGED", "m1", r#"{"item":"feed","what":"FEED","percent":80.5}"#),
    ("SAMPLE_REPORTED", "m2", r#"{"period_start":"2026-01-05T06:00:00Z","period_ms":60000,"items":[{"item":"load","unit":"%","n":3,"unavailable":1,"min":0.1,"max":0.30000000000000004,"mean":0.2,"last":1e-7}]}"#),
    ("MAINTENANCE_STARTED", "m1", r#"{"work_order":"w1","crew":"early"}"#),
    ("MAINTENANCE_ENDED", "m1", r#"{"work_order":"w1","outcome":"OK","who":"Al Ott","comment":"greased"}"#),
    ("BUFFER_LEVEL_CHANGED", "", r#"{"buffer":"b","level":3,"capacity":4}"#),
    ("MATERIAL_ARRIVED", "", r#"{"part_number":"n1","quantity":3.5,"to":"b"}"#),
    ("MATERIAL_MOVED", "", r#"{"part_number":"n1","quantity":1.0,"to":"m1"}"#),
    ("MATERIAL_CONSUMED", "m1", r#"{"part_number":"n1","quantity":0.1}"#),
    ("INVENTORY_COUNTED", "", r#"{"part_number":"n1","location":"b","quantity":2.0,"who":"Jo Berg"}"#),
    ("SUPPLY_STATUS_REPORTED", "", r#"{"part_number":"n1","stock":-3.0,"days_of_supply":1.5}"#),
    ("ORDER_RELEASED", "", r#"{"order":"o1","planned":5,"due":"2026-01-06T06:00:00.000000001Z","priority":1}"#),
    ("ORDER_STARTED", "m1", r#"{"order":"o1","product":"body"}"#),
    ("ORDER_COMPLETED", "m1", r#"{"order":"o1","done":4,"scrap":1}"#),
    ("ORDER_ABORTED", "", r#"{"order":"o2","done":0,"reason":"no steel"}"#),
    ("PROCESS_RESULT", "m1", r#"{"operation":"weld","spot":"s1","verdict":"OK","figures":[{"name":"current","value":9.1,"unit":"kA","lower":8.0,"upper":10.0}]}"#),
    ("QUALITY_RESULT", "m1", r#"{"characteristic":"gap","nominal":1.0,"measured":1.25,"verdict":"NOK","subgroup":"g"}"#),
    ("ENERGY_COUNTER", "m1", r#"{"meter":"main","medium":"GAS","value":1.5,"modulus":100.0}"#),
    ("DOWNTIME_REASON_ASSIGNED", "m1", r#"{"key":"d1","code":"jam","from":"2026-01-05T06:00:00Z","to":"2026-01-05T06:05:00Z"}"#),
    ("CALENDAR_CHANGED", "", r#"{"key":"k1","from":"2026-01-05T06:00:00Z","to":"2026-01-05T14:00:00Z","intervals":[{"from":"2026-01-05T06:00:00Z","to":"2026-01-05T13:00:00Z","kind":"SHIFT","name":"early"}]}"#),
    ("PART_ENTERED", "m1", r#"{"part":"V1","variant":"red","carrier":"c7"}"#),
    ("PART_LEFT", "m1", r#"{"part":"V1","to":"b","outcome":"OK"}"#),
    ("PARTS_JOINED", "m2", r#"{"part":"V9","parts":["V1","V2"]}"#),
    ("PART_SPLIT", "m2", r#"{"part":"coil","into":["s1","s2"]}"#),
    ("PART_DISPOSITIONED", "", r#"{"part":"V9","disposition":"SCRAP","code":"dent","who":"Jo Berg","comment":"deep"}"#),
    ("TRANSPORT_STARTED", "", r#"{"transport":"t1","vehicle":"agv-1","to":"m1","parts":["s1"]}"#),
    ("TRANSPORT_ENDED", "", r#"{"transport":"t1","at":"m1","outcome":"OK"}"#),
    ("PLAN_PUBLISHED", "", r#"{"plan":"week","plan_kind":"SEQUENCE","version":1,"chunk":1,"chunks":1,"entries":[{"at":"2026-01-05T06:00:00Z","part":"V1"}]}"#),
    ("ANDON_RAISED", "m1", r#"{"key":"a1","andon":"HELP","who":"Jo Berg"}"#),
    ("ANDON_CLEARED", "m1", r#"{"key":"a1"}"#),
    ("STAFFING_CHANGED", "", r#"{"crew":"early","present":4}"#),
    ("PERIOD_CLOSED", "", r#"{"key":"p1","from":"2026-01-05T06:00:00Z","to":"2026-01-05T14:00:00Z","at_position":1}"#),
    ("ITEM_CHANGED", "m1", r#"{"item":"comment","text":"nächste Charge"}"#),
    ("GAP_DETECTED", "", r#"{"cause":"QUEUE","lost":7,"detail":"the queue was full"}"#),
];

const REVEAL: [&str; 5] = ["--reveal", "--reader", "a test", "--purpose", "to compare"];

/// The lines by hand: all from one gateway, a second apart.
fn by_hand() -> String {
    let line = |(at, (kind, machine, fields)): (usize, &(&str, &str, &str))| {
        let fields: Value = serde_json::from_str(fields).unwrap();
        let time = format!("2026-01-05T06:{:02}:{:02}Z", at / 60, at % 60);
        let mut line = json!({
            "source": "g-1", "epoch": 1, "sequence": at + 1, "time": time, "observed_at": time,
            "kind": kind, "fields": fields,
        });
        if !machine.is_empty() {
            line["machine"] = json!(machine);
        }
        format!("{line}\n")
    };
    EVENTS.iter().enumerate().map(line).collect()
}

fn import(server: &Server, file: &Path) -> Value {
    let file = file.to_str().unwrap();
    let report = server.json(&["import", "jsonl", "--plant", "T1", file, "-q"]);
    assert_eq!(report["refused"], 0, "{report:#}");
    assert_eq!(report["bad_lines"], 0, "{report:#}");
    report
}

/// The lines that a book writes out, of what sources reported, source by source.
fn export(server: &Server, file: &Path) -> Vec<Value> {
    let out = ["event", "export", "--plant", "T1", "--out"];
    let file_name = file.to_str().unwrap();
    server.json(&[&out[..], &[file_name], &REVEAL[..]].concat());
    let text = std::fs::read_to_string(file).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
    let mut lines: Vec<Value> = lines
        .filter(|line: &Value| line.get("source").is_some())
        .collect();
    // The sources of a file report side by side, so only the order within each is the same.
    lines.sort_by_key(|line| {
        let number = |name: &str| line[name].as_u64().unwrap();
        (
            line["source"].to_string(),
            number("epoch"),
            number("sequence"),
        )
    });
    lines
}

/// A line without what is each book's own: its log and places in it, and the key that it encrypts
/// fields about people with.
fn content(line: &Value) -> Value {
    let mut line = line.clone();
    for own in ["log", "position", "recorded_at", "previous"] {
        line["recorded"].as_object_mut().unwrap().remove(own);
    }
    let fields = line["fields"].as_object_mut().unwrap();
    // Which events a correction is about stands in `corrects` in the words of every book.
    fields.remove("targets");
    for person in ["who", "comment"] {
        if let Some(said) = fields.get_mut(person) {
            let is = |name: &str| said[name].as_str().is_some_and(|said| !said.is_empty());
            assert!(
                is("plain") || !is("ciphertext"),
                "it is not revealed: {said}"
            );
            *said = said["plain"].clone();
        }
    }
    line
}

/// The same, as far as a first and a second book agree: the first had no gateway for recordings and
/// corrections, a source that was live is imported in the second, and the bodies of samples stay
/// behind.
fn plain(lines: &[Value]) -> Vec<Value> {
    let plain = lines.iter().map(|line| {
        let mut line = content(line);
        line.as_object_mut().unwrap().remove("observed_at");
        let recorded = line["recorded"].as_object_mut().unwrap();
        recorded.remove("source_kind");
        for beside in ["body_hash", "body_bytes"] {
            line["fields"].as_object_mut().unwrap().remove(beside);
        }
        line
    });
    plain.collect()
}

/// How many batches of samples have a body.
fn bodies(lines: &[Value]) -> usize {
    let hashes = lines
        .iter()
        .map(|line| line["fields"]["body_hash"].as_str());
    hashes.flatten().filter(|hash| !hash.is_empty()).count()
}

fn append(server: &Server, arguments: &[&str]) -> Value {
    let mut all = vec!["event", "append", "--plant", "T1", "-o", "json"];
    all.extend(arguments);
    let ran: Ran = server.run(&all);
    assert_eq!(ran.code, 0, "{ran:#?}");
    ran.json()
}

/// Replaces, retracts and re-times what the gateway said, each once.
fn correct(server: &Server) {
    let held = append(
        server,
        &[
            "--machine",
            "m1",
            "--kind",
            "STATE_CHANGED",
            "--set",
            "to=IDLE",
        ],
    );
    let retract = format!("targets=[{}]", held["position"]);
    let states = server.json(&[
        "event",
        "ls",
        "--plant",
        "T1",
        "--machine",
        "m2",
        "--kind",
        "STATE_CHANGED",
    ]);
    let replace = format!("targets=[{}]", states["events"][0]["position"]);
    let alarms = server.json(&["event", "ls", "--plant", "T1", "--kind", "ALARM_RAISED"]);
    let retime = format!("targets=[{}]", alarms["events"][0]["position"]);
    let replacement = r#"replacement={"kind":"STATE_CHANGED","to":"FAULTED","reason":"9"}"#;
    let correction = "--kind=CORRECTION_RECORDED";
    for fields in [
        ["--machine=m1", "action=RETRACT", &retract, "who=Jo Berg"],
        ["--machine=m2", "action=REPLACE", &replace, replacement],
        [
            "--machine=m1",
            "action=RETIME",
            &retime,
            "new_time=2026-01-05T05:59:00Z",
        ],
    ] {
        let [machine, sets @ ..] = fields;
        let mut arguments = vec![machine, correction];
        for set in sets {
            arguments.extend(["--set", set]);
        }
        append(server, &arguments);
    }
}

fn digest(server: &Server) -> Value {
    server.json(&["twin", "get", "T1"])["digest"].clone()
}

#[test]
fn what_is_written_out_and_taken_in_is_written_out_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| -> PathBuf { folder.path().join(name) };
    let first = Server::with_plant();
    let mill = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/scenarios/mill.shdr");
    let shdr = ["import", "shdr", "--plant", "T1", "--machine", "m1", "-q"];
    first.json(&[&shdr[..], &[mill.to_str().unwrap()]].concat());
    std::fs::write(path("hand.jsonl"), by_hand()).unwrap();
    let report = import(&first, &path("hand.jsonl"));
    assert_eq!(report["recorded"], EVENTS.len(), "{report:#}");
    correct(&first);

    let one = export(&first, &path("one.jsonl"));
    let kinds: BTreeSet<&str> = one
        .iter()
        .map(|line| line["kind"].as_str().unwrap())
        .collect();
    let all = Kind::ALL.iter().filter(|kind| kind.reportable());
    let missing: Vec<_> = all.filter(|kind| !kinds.contains(kind.name())).collect();
    assert!(missing.is_empty(), "the test has none of {missing:?}");
    assert!(bodies(&one) > 0, "no sample has a body");
    let said = one
        .iter()
        .filter(|line| content(line)["fields"]["who"].is_string());
    let said = said
        .filter(|line| content(line)["fields"]["who"] != "")
        .count();
    assert_eq!(said, 6, "people of five events and a correction");

    let second = Server::with_plant();
    let report = import(&second, &path("one.jsonl"));
    assert_eq!(report["recorded"], one.len(), "{report:#}");
    let two = export(&second, &path("two.jsonl"));
    assert_eq!(
        bodies(&two),
        0,
        "single values lie beside the log and are in no line"
    );
    for (a, b) in plain(&one).iter().zip(&plain(&two)) {
        assert_eq!(a, b);
    }
    assert_eq!(one.len(), two.len());

    // From then on nothing at all is lost.
    let third = Server::with_plant();
    import(&third, &path("two.jsonl"));
    let three = export(&third, &path("three.jsonl"));
    for (a, b) in two.iter().zip(&three) {
        assert_eq!(content(a), content(b));
    }
    assert_eq!(two.len(), three.len());
    assert_eq!(digest(&second), digest(&first));
    assert_eq!(digest(&third), digest(&first));
}
