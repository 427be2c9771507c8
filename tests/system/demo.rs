//! The demo shows whole plants, loses nothing of what its gateways say, and says the same each time.

use crate::support::{Server, run, werkbuch};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// A small demo that covers half an hour of plant time.
fn demo<'a>(data: &'a str, more: &[&'a str]) -> Value {
    let mut arguments = vec![
        "demo",
        "--plants",
        "2",
        "--machines",
        "130",
        "--speed",
        "max",
        "--for",
        "30m",
        "-o",
        "json",
        "-q",
        "--data",
        data,
    ];
    arguments.extend(more);
    run(&arguments).json()
}

fn count(report: &Value, name: &str) -> u64 {
    report[name]
        .as_u64()
        .unwrap_or_else(|| panic!("{name}: {report:#}"))
}

/// Holds the twins to the truth: every state, counter and part.
fn agrees(report: &Value, round: u64) {
    for (what, least) in [("states", 130), ("counters", 60), ("parts", 80)] {
        let agreement = &report["agreement"][what];
        let differ = count(agreement, "differ");
        assert_eq!(differ, 0, "round {round}, {what}: {report:#}");
        let compared = count(agreement, "compared");
        assert!(compared >= least, "round {round}, {what}: {report:#}");
    }
}

#[test]
fn what_the_demo_sends_is_recorded_and_agrees_with_the_truth() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let data = data.to_str().unwrap();
    let mut first = None;
    // Twice on the same folder: the second gateways have lost their counters and go on all the same.
    for round in 1..=2_u64 {
        let report = demo(data, &[]);
        assert_eq!(
            (count(&report, "plants"), count(&report, "machines")),
            (2, 130)
        );
        assert!(count(&report, "events") > 10_000, "{report:#}");
        assert_eq!(
            count(&report, "acked"),
            count(&report, "events"),
            "{report:#}"
        );
        assert_eq!(
            count(&report, "recorded"),
            count(&report, "events"),
            "{report:#}"
        );
        assert!(
            count(&report, "parts_good") > 5 && count(&report, "log_bytes") > 0,
            "{report:#}"
        );
        let by_state = report["by_state"].as_object().unwrap().values();
        assert_eq!(
            by_state.map(|count| count.as_u64().unwrap()).sum::<u64>(),
            130,
            "{report:#}"
        );
        agrees(&report, round);
        let truth = std::fs::read_to_string(report["truth"].as_str().unwrap()).unwrap();
        let truth: Value = serde_json::from_str(&truth).unwrap();
        let plants = truth["plants"].as_array().unwrap();
        let finished = |plant: &Value| {
            let products = plant["products"].as_object().unwrap();
            products
                .values()
                .map(|one| count(one, "finished"))
                .sum::<u64>()
        };
        assert_eq!(
            plants.iter().map(finished).sum::<u64>(),
            count(&report, "parts_good")
        );
        // The same seed is the same truth, whatever else is in the folder.
        let truth = (
            truth["plants"][0]["machines"].clone(),
            truth["plants"][1]["stops"].clone(),
        );
        assert_eq!(*first.get_or_insert(truth.clone()), truth);
        let replay = [
            "replay", "--data", data, "--plant", "puente", "--check", "-o", "json",
        ];
        let replay = run(&replay).json();
        let comparisons = replay["comparisons"].as_array().unwrap();
        assert!(
            !comparisons.is_empty() && comparisons.iter().all(|one| one["verdict"] == "EQUAL"),
            "{replay:#}"
        );
    }
}

/// Takes away which key a field about a person is under, and what the key has made of it.
fn bare(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            if fields.contains_key("plain") {
                fields.retain(|name, _| name == "plain");
            }
            fields.values_mut().for_each(bare);
        }
        Value::Array(values) => values.iter_mut().for_each(bare),
        _ => {}
    }
}

/// All that the sources of a plant said, by source, epoch and sequence: machine, times and content,
/// fields about people in plain.
fn said(data: &str, plant: &str) -> BTreeMap<String, String> {
    let server = Server::on(Path::new(data), &[]);
    let arguments = [
        "event",
        "export",
        "--plant",
        plant,
        "--reveal",
        "--reader",
        "a test",
        "--purpose",
        "to compare",
    ];
    let ran = server.run(&arguments);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let lines = ran.stdout.lines();
    let lines = lines.map(|line| serde_json::from_str::<Value>(line).unwrap());
    let reported: Vec<Value> = lines.filter(|line| line.get("source").is_some()).collect();
    let known = |mut line: Value| {
        let name = format!("{}#{} {}", line["source"], line["epoch"], line["sequence"]);
        let effective = line["recorded"]["effective_at"].clone();
        // A correction names its targets a second time, by their sources' numbers.
        let corrects = line["corrects"].is_array();
        assert_eq!(corrects, line["kind"] == "CORRECTION_RECORDED", "{line:#}");
        line["fields"].as_object_mut().unwrap().remove("targets");
        line.as_object_mut().unwrap().remove("recorded");
        bare(&mut line);
        (name, format!("{line} {effective}"))
    };
    reported.into_iter().map(known).collect()
}

#[test]
fn the_same_seed_says_the_same() {
    for (degrade, seeds) in [("none", ["7", "7", "8"]), ("harsh", ["9", "9", "7"])] {
        let folders: Vec<_> = seeds.map(|_| tempfile::tempdir().unwrap()).into();
        let all: Vec<_> = folders
            .iter()
            .zip(seeds)
            .map(|(folder, seed)| {
                let data = folder.path().join("data");
                let data = data.to_str().unwrap();
                demo(data, &["--seed", seed, "--degrade", degrade]);
                ["nordfeld", "puente"].map(|plant| said(data, plant))
            })
            .collect();
        assert!(all[0][0].len() > 5_000, "{degrade}");
        for (first, second) in all[0].iter().zip(&all[1]) {
            let differ = first
                .iter()
                .find(|(name, line)| second.get(*name) != Some(line));
            assert_eq!(differ, None, "{degrade}");
            assert_eq!(first.len(), second.len(), "{degrade}");
        }
        assert_ne!(all[0], all[2], "{degrade}");
    }
}

#[test]
fn curves_have_bodies_and_corrections_name_what_they_correct() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let report = run(&[
        "demo",
        "--plants",
        "1",
        "--machines",
        "60",
        "--speed",
        "max",
        "--for",
        "8h",
        "-o",
        "json",
        "-q",
        "--data",
        data.to_str().unwrap(),
    ])
    .json();
    assert_eq!(count(&report, "refused"), 0, "{report:#}");
    for what in ["states", "counters", "parts"] {
        let differ = count(&report["agreement"][what], "differ");
        assert_eq!(differ, 0, "{what}: {report:#}");
    }
    let server = Server::on(&data, &[]);
    let lines = |kind: &str| -> Vec<Value> {
        let ran = server.run(&["event", "export", "--plant", "nordfeld", "--kind", kind]);
        let lines = ran.stdout.lines();
        lines
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    };
    let samples = lines("SAMPLE_REPORTED");
    let curve = samples
        .iter()
        .find(|line| line["fields"]["items"][0]["item"] == "stroke_force")
        .unwrap();
    let position = curve["recorded"]["position"].to_string();
    let body = server.json(&["event", "body", &position, "--plant", "nordfeld"]);
    assert_eq!(body["values"].as_array().unwrap().len(), 48, "{body:#}");
    let corrections = lines("CORRECTION_RECORDED");
    assert!(!corrections.is_empty());
    for correction in corrections {
        let target = correction["fields"]["targets"][0].to_string();
        let span = ["--from", &target, "--to", &target];
        let ran = server.run(&[&["event", "export", "--plant", "nordfeld"], &span[..]].concat());
        let line = ran.stdout.lines().next().unwrap_or_default();
        let target: Value = serde_json::from_str(line).unwrap();
        assert_eq!(target["machine"], correction["machine"], "{correction:#}");
        assert!(target["occurred_at"].as_str() < correction["occurred_at"].as_str());
        let kinds = [
            "DOWNTIME_REASON_ASSIGNED",
            "MAINTENANCE_STARTED",
            "INVENTORY_COUNTED",
        ];
        assert!(
            kinds.contains(&target["kind"].as_str().unwrap()),
            "{target:#}"
        );
    }
}

#[test]
fn what_is_degraded_differs_from_the_truth() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let truth = folder.path().join("truth.json");
    let report = demo(
        data.to_str().unwrap(),
        &[
            "--degrade",
            "miscounts,no-starved-blocked",
            "--truth",
            truth.to_str().unwrap(),
        ],
    );
    let differ = |what: &str| count(&report["agreement"][what], "differ");
    assert!(differ("states") > 0 && differ("counters") > 3, "{report:#}");
    assert_eq!(differ("parts"), 0, "{report:#}");
    let truth: Value = serde_json::from_str(&std::fs::read_to_string(truth).unwrap()).unwrap();
    assert_eq!(truth["degraded"], true);
    assert!(count(&truth["plants"][0]["reporting"], "miscounted") > 0);
}

#[test]
fn a_demo_that_cannot_start_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "not a folder").unwrap();
    let ran = run(&["demo", "--for", "1s", "--data", file.to_str().unwrap()]);
    assert_eq!(ran.code, 1, "{ran:#?}");
    assert!(ran.stderr.contains("reason: FOLDER_FAILED"), "{ran:#?}");
    let ran = run(&[
        "demo",
        "--for",
        "1s",
        "--data",
        folder.path().to_str().unwrap(),
    ]);
    assert_eq!(ran.code, 2, "{ran:#?}");
    assert!(ran.stderr.contains("holds other things"), "{ran:#?}");
    let ran = run(&["demo", "--for", "1s", "--plants", "3", "--machines", "100"]);
    assert_eq!(ran.code, 2, "{ran:#?}");
    assert!(
        ran.stderr.contains("they need 144") && ran.stderr.contains("--plants"),
        "{ran:#?}"
    );
    for wrong in [
        ["--speed", "0"],
        ["--speed", "quick"],
        ["--degrade", "badly"],
        ["--plants", "0"],
        ["--start", "2999-01-01T00:00:00Z"],
        ["--truth", "no-such-folder/truth.json"],
        ["--for", "0s"],
    ] {
        let mut command = werkbuch(&["demo"]);
        if wrong[0] != "--for" {
            command.args(["--for", "1s"]);
        }
        assert_eq!(
            command.args(wrong).output().unwrap().status.code(),
            Some(2),
            "{wrong:?}"
        );
    }
}
