//! The demo shows whole plants, loses nothing of what its gateways say, and says the same each time.

use crate::support::{Server, run, werkbuch};
use serde_json::Value;
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

/// What the sources of a plant said: source, epoch, sequence, machine, times and content.
fn said(data: &str, plant: &str) -> Vec<String> {
    let server = Server::on(Path::new(data), &[]);
    let mut all = Vec::new();
    for machine in ["press-1-draw", "under-geo", "basecoat", "final-check"] {
        let events = server.json(&[
            "event",
            "ls",
            "--plant",
            plant,
            "--machine",
            machine,
            "--limit",
            "2000",
        ]);
        for event in events["events"].as_array().unwrap() {
            all.push(format!("{} {}", event["source"], event["reported"]));
        }
    }
    all
}

#[test]
fn the_same_seed_says_the_same() {
    let folders: Vec<_> = (0..3).map(|_| tempfile::tempdir().unwrap()).collect();
    let said: Vec<Vec<String>> = folders
        .iter()
        .zip(["7", "7", "8"])
        .map(|(folder, seed)| {
            let data = folder.path().join("data");
            let data = data.to_str().unwrap();
            demo(data, &["--seed", seed, "--degrade", "real"]);
            said(data, "nordfeld")
        })
        .collect();
    assert!(said[0].len() > 500);
    assert_eq!(said[0], said[1]);
    assert_ne!(said[0], said[2]);
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
    ] {
        let mut command = werkbuch(&["demo", "--for", "1s"]);
        assert_eq!(
            command.args(wrong).output().unwrap().status.code(),
            Some(2),
            "{wrong:?}"
        );
    }
}
