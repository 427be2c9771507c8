//! Recordings are imported once, whatever they are called, and everything is accounted for.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use crate::support::Server;
use serde_json::Value;
use std::io::Write;
use std::path::Path;

/// A small recording: states, an override twice the same, a sample, a condition, noise, an unknown key.
const RECORDING: &str = "\
2017-06-07T08:00:00Z|avail|AVAILABLE|execution|READY|mode|AUTOMATIC
2017-06-07T08:00:05Z|execution|ACTIVE|Fovr|90|Xabs|1.5
2017-06-07T08:00:06Z|Xabs|2.5
2017-06-07T08:00:07Z|Fovr|90|nobody_knows|1
this is no line
2017-06-07T08:00:08Z|Xload|12|PartCountAct|4
2017-06-07T08:02:00Z|servo|FAULT|S1|2|HIGH|too hot
2017-06-07T08:02:01Z|execution|FEED_HOLD
";

fn import(server: &Server, files: &[&Path]) -> Value {
    let mut arguments = vec!["import", "shdr", "--plant", "T1", "--machine", "m1"];
    arguments.extend(files.iter().map(|file| file.to_str().unwrap()));
    server.json(&arguments)
}

fn count(report: &Value, name: &str) -> u64 {
    report[name]
        .as_u64()
        .unwrap_or_else(|| panic!("no {name}: {report:#}"))
}

fn sum(table: &Value) -> u64 {
    table
        .as_object()
        .unwrap()
        .values()
        .map(|count| count.as_u64().unwrap())
        .sum()
}

fn check_sums(report: &Value) {
    let accounted = ["events", "unchanged", "sampled", "ignored"].map(|name| count(report, name));
    let accounted = accounted.iter().sum::<u64>() + sum(&report["refused"]);
    assert_eq!(count(report, "observations"), accounted, "{report:#}");
    let acknowledged =
        count(report, "recorded") + count(report, "repeats") + sum(&report["refused_by_server"]);
    let emitted = count(report, "events") + count(report, "batches") + count(report, "gaps");
    assert_eq!(acknowledged, emitted, "{report:#}");
    assert_eq!(report["reconciles"], true);
}

#[test]
fn a_recording_is_recorded_once() {
    let server = Server::with_plant();
    let folder = tempfile::tempdir().unwrap();
    let (plain, renamed, packed) = (
        folder.path().join("a.shdr"),
        folder.path().join("b.txt"),
        folder.path().join("a.shdr.gz"),
    );
    std::fs::write(&plain, RECORDING).unwrap();
    std::fs::copy(&plain, &renamed).unwrap();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(RECORDING.as_bytes()).unwrap();
    std::fs::write(&packed, gzip.finish().unwrap()).unwrap();

    let first = import(&server, &[&plain]);
    check_sums(&first);
    assert_eq!(
        (count(&first, "lines"), count(&first, "gaps")),
        (8, 1),
        "{first:#}"
    );
    assert_eq!(count(&first, "unchanged"), 1, "{first:#}");
    assert_eq!(count(&first, "repeats"), 0);
    assert_eq!(first["unmapped"]["nobody_knows"], 1, "{first:#}");
    let machine = server.json(&["machine", "get", "m1", "--plant", "T1"]);
    assert_eq!(machine["reported_state"], "HELD", "{machine:#}");

    let state = || {
        let mut twin = server.json(&["twin", "get", "T1"]);
        // How old the present is differs from call to call.
        for member in ["as_of", "sources_heard"] {
            twin.as_object_mut().unwrap().remove(member).unwrap();
        }
        twin
    };
    let before = state();
    for again in [&plain, &renamed, &packed] {
        let report = import(&server, &[again]);
        check_sums(&report);
        assert_eq!(count(&report, "recorded"), 0, "{report:#}");
        assert_eq!(count(&report, "repeats"), count(&first, "recorded"));
        assert_eq!(report["source"], first["source"]);
    }
    assert_eq!(state(), before, "a repeat has changed something");
    let sources = server.json(&["source", "ls", "--plant", "T1"]);
    assert_eq!(sources["total"], 1, "{sources:#}");
    assert_eq!(sources["position"], before["position"], "{sources:#}");
}

#[test]
fn the_events_of_an_import_can_be_read_and_replayed() {
    let server = Server::with_plant();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.shdr");
    std::fs::write(&file, RECORDING).unwrap();
    let report = import(&server, &[&file]);
    let states = server.json(&["event", "ls", "--plant", "T1", "--kind", "state_changed"]);
    let states: Vec<_> = states["events"].as_array().unwrap().iter().collect();
    let words: Vec<_> = states
        .iter()
        .map(|one| one["reported"]["to"].as_str().unwrap())
        .collect();
    assert_eq!(words, ["IDLE", "EXECUTING", "HELD"]);
    // The past is asked with the same words as the present.
    let at = ["--at", "2017-06-07T08:00:06Z"];
    let then = server.json(&["machine", "get", "m1", "--plant", "T1", at[0], at[1]]);
    assert_eq!(then["reported_state"], "EXECUTING", "{then:#}");

    let live = server.json(&["twin", "get", "T1"]);
    assert_eq!(live["position"], report["position"]);
    let replay = server.json(&["replay", "--plant", "T1", "--check"]);
    assert_eq!(
        (&replay["digest"], &replay["root"]),
        (&live["digest"], &live["root"])
    );
    // The same folder, without a server.
    let data = server.data.clone();
    let (_, _keep) = server.kill();
    let offline = [
        "replay",
        "--plant",
        "T1",
        "--check",
        "-o",
        "json",
        "--data",
        data.to_str().unwrap(),
    ];
    let offline = crate::support::run(&offline).json();
    assert_eq!(
        (&offline["digest"], &offline["root"]),
        (&live["digest"], &live["root"])
    );
}

#[test]
fn several_files_are_several_sources_and_one_account() {
    let server = Server::with_plant();
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (folder.path().join("1.shdr"), folder.path().join("2.shdr"));
    std::fs::write(&one, RECORDING).unwrap();
    std::fs::write(&two, RECORDING.replace("2017-06-07", "2017-06-08")).unwrap();
    let report = import(&server, &[&one, &two]);
    check_sums(&report);
    assert_eq!(report["files"].as_array().unwrap().len(), 2);
    assert_eq!(count(&report, "lines"), 16);
    assert_eq!(report["source"].as_array().unwrap().len(), 2);
}

#[test]
fn what_cannot_be_imported_says_why() {
    let server = Server::with_plant();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.shdr");
    std::fs::write(&file, RECORDING).unwrap();
    let mapping = folder.path().join("m.toml");
    std::fs::write(&mapping, "[keys]\na = { category = \"stat\" }\nb = 7\n").unwrap();
    let (path, mapping) = (file.to_str().unwrap(), mapping.to_str().unwrap());
    let cases: &[(&[&str], i32, &str)] = &[
        (
            &["--plant", "T1", "--machine", "m9", path],
            3,
            "UNKNOWN_MACHINE",
        ),
        (
            &["--plant", "T9", "--machine", "m1", path],
            3,
            "UNKNOWN_PLANT",
        ),
        (
            &["--plant", "T1", "--machine", "m1", "none.shdr"],
            3,
            "FILE_NOT_FOUND",
        ),
        (
            &[
                "--plant",
                "T1",
                "--machine",
                "m1",
                "--mapping",
                mapping,
                path,
            ],
            2,
            "INVALID_MAPPING",
        ),
    ];
    for (arguments, code, reason) in cases {
        let mut all = vec!["import", "shdr", "-o", "json"];
        all.extend(*arguments);
        let ran = server.run(&all);
        assert_eq!(ran.code, *code, "{ran:#?}");
        assert_eq!(ran.error()["reason"], *reason, "{ran:#?}");
    }
}

#[test]
fn another_mapping_of_the_same_recording_asks_first() {
    let server = Server::with_plant();
    let folder = tempfile::tempdir().unwrap();
    let recording = folder.path().join("a.shdr");
    std::fs::write(&recording, RECORDING).unwrap();
    let mapping = folder.path().join("mapping.toml");
    std::fs::write(&mapping, "[keys]\nnobody_knows = { category = \"text\" }\n").unwrap();
    let first = import(&server, &[&recording]);
    let (recording, mapping) = (recording.to_str().unwrap(), mapping.to_str().unwrap());
    let mut arguments = vec![
        "import",
        "shdr",
        "--plant",
        "T1",
        "--machine",
        "m1",
        recording,
    ];
    arguments.extend(["--mapping", mapping, "-o", "json"]);
    let refused = server.run(&arguments);
    assert_eq!(refused.code, 4, "{refused:?}");
    assert_eq!(refused.error()["reason"], "OTHER_MAPPING");
    arguments.push("--new-mapping");
    let again = server.run(&arguments).json();
    assert_eq!(count(&again, "events"), count(&first, "events") + 1);
    assert_eq!(count(&again, "repeats"), 0);
    // The machine's number is in the source's name: its former name and its number are the same.
    let by_number = server.json(&[
        "import",
        "shdr",
        "--plant",
        "T1",
        "--machine",
        "1",
        recording,
    ]);
    assert_eq!(count(&by_number, "recorded"), 0, "{by_number:#}");
}
