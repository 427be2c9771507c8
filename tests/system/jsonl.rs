//! Events as lines of JSON: written out, taken in, written by hand, and reported one by one.

use crate::support::{Ran, Server, finish, werkbuch};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;

/// Lines by hand: two lives of a gateway, one of its clocks wrong, and something about a person.
const GATEWAY: &str = r#"
{"source":"g-1","epoch":1,"sequence":1,"machine":"m2","time":"2026-01-05T06:00:00Z","observed_at":"2026-01-05T06:00:01Z","kind":"STATE_CHANGED","fields":{"to":"EXECUTING"}}
{"source":"g-1","epoch":1,"sequence":2,"machine":"m2","time":"2002-01-01T00:00:00Z","observed_at":"2026-01-05T06:10:00Z","kind":"STATE_CHANGED","fields":{"to":"HELD","reason":"E7"}}
{"source":"g-1","epoch":1,"sequence":4,"machine":"m2","time":"2026-01-05T06:20:00Z","observed_at":"2026-01-05T06:20:01Z","kind":"ALARM_ACKNOWLEDGED","fields":{"key":"k","who":"Jo Berg","comment":"seen"}}
{"source":"g-1","epoch":2,"sequence":1,"machine":"m2","time":"2026-01-05T07:00:00Z","observed_at":"2026-01-05T07:00:01Z","kind":"SAMPLE_REPORTED","fields":{"period_start":"2026-01-05T06:59:00Z","period_ms":60000,"items":[{"item":"load","n":3,"min":0.1,"max":0.3000000000000004,"mean":0.2,"last":1e-7}]}}
{"source":"g-1","epoch":2,"sequence":2,"machine":"m2","time":"2026-01-05T07:01:00Z","observed_at":"2026-01-05T07:01:01Z","kind":"CONDITION_CHANGED","fields":{"item":"spindle","level":"FAULT","code":"17"}}
"#;

struct Files(tempfile::TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> String {
        std::fs::write(self.path(name), text).unwrap();
        self.path(name).to_str().unwrap().to_owned()
    }
}

fn import(server: &Server, file: &str, more: &[&str]) -> Value {
    let mut arguments = vec!["import", "jsonl", "--plant", "T1", file, "-q"];
    arguments.extend(more);
    arguments.extend(["-o", "json"]);
    let ran = server.run(&arguments);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{ran:#?}"));
    assert_eq!(report["reconciles"], true, "{report:#}");
    // Whatever is not recorded is told by the exit code, too.
    let whole = report["bad_lines"] == 0 && report["refused"] == 0;
    assert_eq!(ran.code, i32::from(!whole), "{ran:#?}");
    report
}

fn append(server: &Server, arguments: &[&str]) -> Ran {
    let mut all = vec!["event", "append", "--plant", "T1", "-o", "json"];
    all.extend(arguments);
    server.run(&all)
}

fn export(server: &Server, more: &[&str]) -> Vec<Value> {
    let mut arguments = vec!["event", "export", "--plant", "T1"];
    arguments.extend(more);
    let ran = server.run(&arguments);
    assert_eq!(ran.code, 0, "{ran:#?}");
    let lines = ran.stdout.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// What sources have reported, by what it is for ever, with what the book decided about it.
fn reported(server: &Server) -> BTreeMap<String, Value> {
    let lines = export(
        server,
        &["--reveal", "--reader", "a test", "--purpose", "to compare"],
    );
    let mut all = BTreeMap::new();
    for mut line in lines {
        if line.get("source").is_none() {
            continue;
        }
        let key = format!("{}#{}/{}", line["source"], line["epoch"], line["sequence"]);
        // A book without a gateway says by its own clock when the event was observed.
        line.as_object_mut().unwrap().remove("observed_at");
        let recorded = line.as_object_mut().unwrap().remove("recorded").unwrap();
        line["effective_at"] = recorded["effective_at"].clone();
        line["flags"] = recorded["flags"].clone();
        // A correction names positions, which are each book's own; `corrects` names the events.
        if line["kind"] == "CORRECTION_RECORDED" {
            line["fields"].as_object_mut().unwrap().remove("targets");
        }
        // The single values of samples lie beside the log.
        for beside in ["body_hash", "body_bytes"] {
            line["fields"].as_object_mut().unwrap().remove(beside);
        }
        for person in ["who", "comment"] {
            if let Some(said) = line["fields"].get_mut(person) {
                *said = said["plain"].clone();
            }
        }
        assert!(
            all.insert(key.clone(), line).is_none(),
            "{key} stands twice"
        );
    }
    all
}

/// A book with everything that sources do: a recording, a gateway in two lives, a person, corrections.
fn book(files: &Files) -> Server {
    let server = Server::with_plant();
    let mill = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/scenarios/mill.shdr");
    let mill = mill.to_str().unwrap();
    server.json(&[
        "import",
        "shdr",
        "--plant",
        "T1",
        "--machine",
        "m1",
        mill,
        "-q",
    ]);
    let report = import(&server, &files.write("gateway.jsonl", GATEWAY), &[]);
    assert_eq!(report["recorded"], 5, "{report:#}");
    let held = append(
        &server,
        &[
            "--machine",
            "m1",
            "--kind",
            "STATE_CHANGED",
            "--set",
            "to=HELD",
        ],
    );
    let position = held.json()["position"].to_string();
    let targets = format!("targets=[{position}]");
    let retract = [
        "--machine",
        "m1",
        "--kind",
        "CORRECTION_RECORDED",
        "--set",
        "action=RETRACT",
    ];
    let corrected = append(
        &server,
        &[&retract[..], &["--set", &targets, "--set", "who=Jo Berg"]].concat(),
    );
    assert_eq!(corrected.code, 0, "{corrected:#?}");
    server
}

#[test]
fn what_one_book_writes_another_holds() {
    let files = Files::new();
    let (first, second) = (book(&files), Server::with_plant());
    let out = files.path("book.jsonl.gz");
    let out = out.to_str().unwrap();
    let reveal = ["--reveal", "--reader", "a test", "--purpose", "to move"];
    let to_file = [
        &["event", "export", "--plant", "T1", "--out", out],
        &reveal[..],
    ]
    .concat();
    let exported = first.json(&to_file);
    assert_eq!(exported["events"], exported["log_size"], "{exported:#}");
    let report = import(&second, out, &[]);
    assert_eq!(report["lines"], exported["events"], "{report:#}");
    assert_eq!(
        (&report["refused"], &report["bad_lines"]),
        (&0.into(), &0.into()),
        "{report:#}"
    );
    let (expected, seen) = (reported(&first), reported(&second));
    assert!(expected.len() > 10, "{}", expected.len());
    assert_eq!(seen, expected);
    let digest = |server: &Server| server.json(&["twin", "get", "T1"])["digest"].clone();
    assert_eq!(digest(&second), digest(&first));
    // Once more: nothing new, and the life that is over is not opened again.
    let size = second.json(&["twin", "get", "T1"])["position"].clone();
    let again = import(&second, out, &[]);
    assert_eq!(
        (&again["recorded"], &again["refused"]),
        (&0.into(), &0.into()),
        "{again:#}"
    );
    assert_eq!(again["files"][0]["over"], 3, "{again:#}");
    assert_eq!(second.json(&["twin", "get", "T1"])["position"], size);
    // And from the second book to a third, where each event was observed already.
    let third = Server::with_plant();
    let next = files.path("next.jsonl");
    let next = next.to_str().unwrap();
    second.json(
        &[
            &["event", "export", "--plant", "T1", "--out", next],
            &reveal[..],
        ]
        .concat(),
    );
    import(&third, next, &[]);
    assert_eq!(reported(&third), expected);
    assert!(third.stop().success());
}

#[test]
fn a_book_is_not_taken_into_itself_nor_over_a_live_source() {
    let files = Files::new();
    let (first, second) = (book(&files), Server::with_plant());
    let out = files.path("book.jsonl");
    let out = out.to_str().unwrap();
    first.json(&["event", "export", "--plant", "T1", "--out", out]);
    let arguments = ["import", "jsonl", "--plant", "T1", out, "-o", "json"];
    assert_eq!(first.run(&arguments).error()["reason"], "SAME_BOOK");
    assert_eq!(
        append(
            &second,
            &[
                "--machine",
                "m1",
                "--kind",
                "STATE_CHANGED",
                "--set",
                "to=IDLE"
            ]
        )
        .code,
        0
    );
    let ran = second.run(&arguments);
    assert_eq!(
        (ran.code, &ran.error()["reason"]),
        (4, &"SOURCE_IN_USE".into()),
        "{ran:#?}"
    );
    let report = import(&second, out, &["--source-prefix", "old:"]);
    // What is said about people came encrypted, and no other book can read it.
    assert_eq!(
        report["files"][0]["refused"]["PROTECTED_FIELD"], 2,
        "{report:#}"
    );
    let sources = second.json(&["source", "ls", "--plant", "T1"]).to_string();
    assert!(
        sources.contains("old:g-1") && sources.contains("old:cli"),
        "{sources}"
    );
    // Numbered anew it is one source.
    let report = import(&second, out, &["--renumber"]);
    assert_eq!(report["files"][0]["events"], 0, "{report:#}");
    assert!(
        report["files"][0]["numbered"].as_u64().unwrap() > 10,
        "{report:#}"
    );
    assert_eq!(import(&second, out, &["--renumber"])["recorded"], 0);
}

#[test]
fn lines_by_hand_are_numbered_and_every_line_is_accounted_for() {
    let files = Files::new();
    let server = Server::with_plant();
    let text = "{\"machine\":\"m1\",\"time\":\"2026-01-05T06:00:00Z\",\"kind\":\"STATE_CHANGED\",\"to\":\"HELD\"}\n\
        no json\n{\"machine\":\"m1\",\"kind\":\"STATE_CHANGD\"}\n\n\
        {\"machine\":\"m11\",\"time\":\"2026-01-05T06:00:00Z\",\"kind\":\"STATE_CHANGED\",\"to\":\"HELD\"}\n\
        {\"machine\":\"m1\",\"time\":\"2026-01-05T07:00:00Z\",\"kind\":\"STATE_CHANGED\",\"to\":\"IDLE\"}";
    let file = files.write("hand.jsonl", text);
    let ran = server.run(&["import", "jsonl", "--plant", "T1", &file]);
    assert_eq!(ran.code, 1, "{ran:#?}");
    for says in [
        "3 lines could not be read; all others are recorded",
        "IMPORT_INCOMPLETE",
        "mend those lines in a file of their own",
        "hand.jsonl:2: it is not JSON",
        "m11",
        "did you mean",
        "2 of 6 lines recorded",
    ] {
        assert!(ran.stderr.contains(says), "{says}: {ran:#?}");
    }
    let again = import(&server, &file, &[]);
    assert_eq!(
        (&again["recorded"], &again["repeats"]),
        (&0.into(), &4.into()),
        "{again:#}"
    );
    assert_eq!(again["files"][0]["gaps"], 2, "{again:#}");
    let events = export(
        &server,
        &[
            "--where",
            "source LIKE 'import:%' AND kind <> 'GAP_DETECTED'",
        ],
    );
    let times: Vec<_> = events
        .iter()
        .map(|one| &one["recorded"]["effective_at"])
        .collect();
    assert_eq!(times, ["2026-01-05T06:00:00Z", "2026-01-05T07:00:00Z"]);
    let gaps = export(&server, &["--kind", "GAP_DETECTED"]);
    let ranges: Vec<_> = gaps
        .iter()
        .map(|gap| (&gap["fields"]["first_line"], &gap["fields"]["last_line"]))
        .collect();
    assert_eq!(ranges, [(&json!(2), &json!(3)), (&json!(5), &json!(5))]);
    // The same through a pipe is the same content.
    let mut command = werkbuch(&["import", "jsonl", "--plant", "T1", "-", "-o", "json"]);
    command
        .env("WERKBUCH_SERVER", &server.url)
        .stdin(Stdio::piped());
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    let piped: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&piped["recorded"], &piped["repeats"]),
        (&0.into(), &4.into()),
        "{piped:#}"
    );
}

#[test]
fn one_event_is_reported_and_its_mistakes_are_named() {
    let server = Server::with_plant();
    let faulted = [
        "--machine",
        "m1",
        "--kind",
        "state_changed",
        "--set",
        "to=faulted",
        "--set",
        "reason=12",
    ];
    let first = append(&server, &faulted).json();
    assert_eq!(
        (&first["source"], &first["epoch"], &first["sequence"]),
        (&"cli".into(), &1.into(), &1.into())
    );
    let past = append(
        &server,
        &[&faulted[..], &["--at", "2026-01-05T06:00:00Z"]].concat(),
    )
    .json();
    assert_eq!(
        (&past["sequence"], &past["effective_at"]),
        (&2.into(), &"2026-01-05T06:00:00Z".into())
    );
    assert_eq!(
        past["flags"],
        json!([]),
        "what is entered by hand is believed: {past}"
    );
    let machine = server.json(&["machine", "get", "m1", "--plant", "T1"]);
    assert_eq!(
        (&machine["state"], &machine["reason"]),
        (&"FAULTED".into(), &"12".into())
    );
    let whole = r#"{"machine":"m2","kind":"ALARM_RAISED","key":"E1","severity":700}"#;
    let alarm = append(
        &server,
        &["--json", whole, "--set", "text=hot", "--source", "hand"],
    )
    .json();
    assert_eq!(
        (&alarm["source"], &alarm["kind"]),
        (&"hand".into(), &"ALARM_RAISED".into())
    );
    let cases: &[(&[&str], &str)] = &[
        (
            &["--machine", "m1", "--kind", "STATE_CHANGD"],
            "did you mean \\\"STATE_CHANGED\\\"?",
        ),
        (
            &[
                "--machine",
                "m1",
                "--kind",
                "STATE_CHANGED",
                "--set",
                "too=HELD",
            ],
            "did you mean \\\"to\\\"?",
        ),
        (
            &[
                "--machine",
                "m1",
                "--kind",
                "STATE_CHANGED",
                "--set",
                "to=FAULTD",
            ],
            "did you mean \\\"FAULTED\\\"?",
        ),
        (
            &["--machine", "m1", "--kind", "STATE_CHANGED"],
            "missing field `to`",
        ),
        (
            &["--machine", "m1", "--kind", "STATE_CHANGED", "--set", "to"],
            "FIELD=VALUE",
        ),
        (
            &["--machine", "m1", "--kind", "WRITER_OPENED"],
            "STATE_CHANGED",
        ),
        (
            &[
                "--machine",
                "m1",
                "--kind",
                "ALARM_RAISED",
                "--set",
                "key=k",
                "--set",
                "severity=0",
            ],
            "severity is 0",
        ),
        (
            &["--kind", "STATE_CHANGED", "--set", "to=HELD"],
            "machine is 0",
        ),
        (&["--json", "{"], "not JSON"),
        (
            &["--json", "{\"kind\":\"ITEM_CHANGED\",\"kind\":\"X\"}"],
            "\\\"kind\\\" is said twice at line 1",
        ),
        (
            &[
                "--machine",
                "m1",
                "--kind",
                "STATE_CHANGED",
                "--set",
                "to=HELD",
                "--set",
                "to=IDLE",
            ],
            "--set gives \\\"to\\\" twice",
        ),
        (
            &["--json", "{\"source\":\"g\",\"kind\":\"STATE_CHANGED\"}"],
            "import jsonl",
        ),
        (&["--machine", "m1"], "--kind"),
    ];
    for (arguments, says) in cases {
        let ran = append(&server, arguments);
        assert_eq!(ran.code, 2, "{arguments:?}: {ran:#?}");
        assert!(
            ran.error().to_string().contains(says),
            "{arguments:?} does not say {says}: {ran:#?}"
        );
    }
    // A refusal stands at its field, once.
    let zero = [
        "event",
        "append",
        "--plant",
        "T1",
        "--machine",
        "m1",
        "--kind",
        "ALARM_RAISED",
        "--set",
        "key=k",
        "--set",
        "severity=0",
    ];
    let said = server.run(&zero).stderr;
    assert_eq!(said.matches("severity is 0").count(), 1, "{said}");
    assert!(
        said.starts_with("error: the event is refused\n  severity: "),
        "{said}"
    );
    let ran = append(
        &server,
        &[
            "--machine",
            "m3",
            "--kind",
            "STATE_CHANGED",
            "--set",
            "to=HELD",
        ],
    );
    assert_eq!(
        (ran.code, &ran.error()["reason"]),
        (3, &"UNKNOWN_MACHINE".into()),
        "{ran:#?}"
    );
}

/// Several people report as the same source at once: each event is recorded once.
#[test]
fn reports_at_the_same_moment_are_all_recorded() {
    let server = Server::with_plant();
    let run = |n: usize| {
        let reason = format!("reason=r{n}");
        let mut command = werkbuch(&[
            "event",
            "append",
            "--plant",
            "T1",
            "--machine",
            "m1",
            "--kind",
            "STATE_CHANGED",
            "--set",
            "to=HELD",
            "--set",
            &reason,
            "-o",
            "json",
        ]);
        command.env("WERKBUCH_SERVER", &server.url);
        finish(command).json()["sequence"].as_u64().unwrap()
    };
    let mut numbers: Vec<u64> = std::thread::scope(|scope| {
        let runs: Vec<_> = (0..4).map(|n| scope.spawn(move || run(n))).collect();
        runs.into_iter().map(|one| one.join().unwrap()).collect()
    });
    numbers.sort_unstable();
    assert_eq!(numbers, [1, 2, 3, 4]);
}
