//! The demo shows a whole plant, and loses nothing of what its gateways say.

use crate::support::{run, werkbuch};

#[test]
fn what_the_demo_sends_is_recorded_and_can_be_replayed() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let data = data.to_str().unwrap();
    // Twice on the same folder: the second gateways have lost their counters and go on all the same.
    for round in 1..=2_u64 {
        let demo = [
            "demo", "--for", "2s", "--speed", "2000", "-o", "json", "--data", data,
        ];
        let report = run(&demo).json();
        let count = |name: &str| {
            report[name]
                .as_u64()
                .unwrap_or_else(|| panic!("{report:#}"))
        };
        assert_eq!((count("plants"), count("machines")), (1, 24));
        assert!(count("events") > 100, "{report:#}");
        assert_eq!(count("acked"), count("events"), "{report:#}");
        assert_eq!(count("recorded"), count("events"), "{report:#}");
        assert!(
            count("position") > count("recorded"),
            "round {round}: {report:#}"
        );
        assert!(
            count("parts_good") > 0 && count("log_bytes") > 0,
            "{report:#}"
        );
        let by_state = report["by_state"].as_object().unwrap().values();
        assert_eq!(
            by_state.map(|count| count.as_u64().unwrap()).sum::<u64>(),
            24,
            "{report:#}"
        );

        let replay = [
            "replay", "--data", data, "--plant", "demo", "--check", "-o", "json",
        ];
        let replay = run(&replay).json();
        assert!(
            replay["position"].as_u64() >= report["position"].as_u64(),
            "{replay:#}"
        );
        let comparisons = replay["comparisons"].as_array().unwrap();
        assert!(
            comparisons.iter().all(|one| one["verdict"] == "EQUAL"),
            "{replay:#}"
        );
        assert!(!comparisons.is_empty());
    }
}

#[test]
fn the_same_seed_says_the_same() {
    // In plant time: how far a run gets depends on the machine, what it says does not.
    let said = |seed: &str| {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let data = data.to_str().unwrap();
        let demo = [
            "demo", "--for", "1s", "--speed", "2000", "--seed", seed, "-q", "--data", data,
        ];
        assert_eq!(run(&demo).code, 0);
        let server = crate::support::Server::on(std::path::Path::new(data), &[]);
        let list = [
            "event",
            "ls",
            "--plant",
            "demo",
            "--machine",
            "press-a1",
            "--limit",
            "12",
        ];
        let events = server.json(&list);
        let kept = |event: &serde_json::Value| {
            let mut said = event["reported"].clone();
            for time in ["occurred_at", "observed_at", "sequence"] {
                said.as_object_mut().unwrap().remove(time);
            }
            said
        };
        events["events"]
            .as_array()
            .unwrap()
            .iter()
            .map(kept)
            .collect::<Vec<_>>()
    };
    let first = said("7");
    assert_eq!(first.len(), 12);
    assert_eq!(first, said("7"));
}

#[test]
fn a_demo_that_cannot_start_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "not a folder").unwrap();
    let ran = run(&["demo", "--for", "1s", "--data", file.to_str().unwrap()]);
    assert_eq!(ran.code, 1, "{ran:#?}");
    assert!(ran.stderr.contains("reason: FOLDER_FAILED"), "{ran:#?}");
    let mut slow = werkbuch(&["demo", "--speed", "0"]);
    assert_eq!(slow.output().unwrap().status.code(), Some(2));
}
