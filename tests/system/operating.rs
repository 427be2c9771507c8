//! What an operator sees: metrics at the command line, log lines that keep their promises.

use crate::support::{Server, werkbuch};
use serde_json::Value;
use std::fs::File;
use std::path::Path;
use std::process::Stdio;

/// A server whose log lines go to a file, through a life: plant, events, questions, errors, stop.
fn life(folder: &Path, options: &[&str]) -> String {
    let path = folder.join("log");
    let log = File::create(&path).unwrap();
    let mut server = Server::logging(&folder.join("data"), options, Stdio::from(log));
    server.apply(crate::support::PLANT);
    let shdr = folder.join("m1.shdr");
    std::fs::write(
        &shdr,
        "2026-11-20T10:00:00Z|execution|ACTIVE\n2026-11-20T10:01:00Z|execution|READY\n",
    )
    .unwrap();
    let imported = server.run(&[
        "import",
        "shdr",
        "--plant",
        "T1",
        "--machine",
        "m1",
        shdr.to_str().unwrap(),
    ]);
    assert_eq!(imported.code, 0, "{imported:?}");
    // A mistake of a client is no trouble of the server.
    assert_ne!(
        server
            .run(&["machine", "get", "none", "--plant", "T1"])
            .code,
        0
    );
    server.terminate();
    assert!(server.wait().success());
    std::fs::read_to_string(path).unwrap()
}

/// The lines as JSON, each with what every line has.
fn objects(log: &str) -> Vec<Value> {
    let read = |line: &str| -> Value {
        let value: Value = serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
        for key in ["timestamp", "level", "target", "message"] {
            assert!(value[key].is_string(), "no {key} in {line}");
        }
        value
    };
    log.lines().map(read).collect()
}

#[test]
fn a_good_life_is_told_in_json_without_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let options = ["--log-level", "info", "--log-format", "json"];
    let first = objects(&life(folder.path(), &options));
    let again = objects(&life(folder.path(), &options));
    let said = |lines: &[Value]| -> Vec<String> {
        let messages = lines
            .iter()
            .map(|line| line["message"].as_str().unwrap().to_owned());
        messages.collect()
    };
    for line in first.iter().chain(&again) {
        assert_eq!(line["level"], "INFO", "{line}");
        assert!(
            line["target"].as_str().unwrap().starts_with("werkbuch"),
            "{line}"
        );
    }
    assert_eq!(
        said(&first),
        [
            "the server starts",
            "the data folder is open",
            "the server takes calls",
            "a plant is new",
            "stopping: calls in flight may end",
            "a snapshot is written",
            "closed in good order",
        ]
    );
    assert_eq!(
        said(&again),
        [
            "the server starts",
            "a plant is open",
            "the data folder is open",
            "the server takes calls",
            "stopping: calls in flight may end",
            "a snapshot is written",
            "closed in good order",
        ]
    );
    assert_eq!(again[1]["plant"], "T1");
    assert_eq!(again[1]["snapshot"], again[1]["position"]);
}

#[test]
fn each_level_says_what_it_promises() {
    let folder = tempfile::tempdir().unwrap();
    let levels = ["error", "warn", "info", "debug", "trace"];
    let mut lines = Vec::new();
    for level in levels {
        let folder = folder.path().join(level);
        std::fs::create_dir(&folder).unwrap();
        lines.push(life(&folder, &["--log-level", level]));
    }
    let [error, warn, info, debug, trace] = <[String; 5]>::try_from(lines).unwrap();
    assert_eq!((error.as_str(), warn.as_str()), ("", ""));
    let batch = "a batch is acknowledged";
    assert!(!info.contains(batch) && debug.contains(batch), "{debug}");
    assert!(debug.contains("reason=\"UNKNOWN_MACHINE\""), "{debug}");
    let event = "an event is applied";
    assert!(!debug.contains(event) && trace.contains(event), "{trace}");
    for line in debug.lines().chain(trace.lines()) {
        assert!(line.contains(" werkbuch"), "a library speaks: {line}");
    }
}

#[test]
fn a_filter_speaks_for_single_parts() {
    let folder = tempfile::tempdir().unwrap();
    let options = [
        "--log-level",
        "error",
        "--log-filter",
        "werkbuch_engine=debug",
    ];
    let log = life(folder.path(), &options);
    assert!(log.contains("a batch is acknowledged"), "{log}");
    assert!(!log.contains("the server starts"), "{log}");
    let bad = werkbuch(&["serve", "--log-filter", "loud", "-o", "json"])
        .output()
        .unwrap();
    assert_eq!(bad.status.code(), Some(2));
}

#[test]
fn metrics_are_shown_as_a_list_and_as_they_are() {
    let server = Server::with_plant();
    let rows = server.json(&["server", "metrics"]);
    let machines = rows
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["metric"] == "werkbuch_machines");
    let machines = machines.unwrap();
    assert_eq!(machines["labels"]["plant"], "T1");
    assert_eq!(machines["value"], 2.0);
    let table = server.run(&["server", "metrics", "werkbuch_ack"]);
    assert_eq!(table.code, 0, "{table:?}");
    assert!(
        table
            .stdout
            .lines()
            .skip(1)
            .all(|line| line.starts_with("werkbuch_ack_seconds"))
    );
    assert!(table.stderr.contains(" rows"), "{table:?}");
    let raw = server.run(&["server", "metrics", "--raw"]);
    assert!(
        raw.stdout.starts_with("# HELP ") && raw.stdout.ends_with("# EOF\n"),
        "{raw:?}"
    );
}
