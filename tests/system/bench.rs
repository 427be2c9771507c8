//! The benches run at tiny sizes, answer with their keys, and leave nothing behind.

use crate::support::{Ran, finish, run, werkbuch};
use serde_json::Value;
use std::path::Path;

/// A bench with a folder of its own for what vanishes.
fn bench(temporary: &Path, arguments: &[&str]) -> Ran {
    let mut all = vec!["bench"];
    all.extend(arguments);
    all.extend(["-o", "json"]);
    let mut command = werkbuch(&all);
    command.env("TMPDIR", temporary);
    finish(command)
}

fn number(figures: &Value, key: &str) -> f64 {
    let value = figures[key].as_f64();
    value.unwrap_or_else(|| panic!("no number {key} in {figures:#}"))
}

fn is_empty(folder: &Path) -> bool {
    std::fs::read_dir(folder).unwrap().next().is_none()
}

#[test]
fn a_replay_tells_its_rate() {
    let temporary = tempfile::tempdir().unwrap();
    let arguments = [
        "replay",
        "--events",
        "5000",
        "--machines",
        "40",
        "--repeats",
        "2",
    ];
    let figures = bench(temporary.path(), &arguments).json();
    // The writer's own records are in the log as well: its opening, the description, the sources.
    let events = number(&figures, "events");
    assert!((5_005.0..5_100.0).contains(&events), "{figures:#}");
    for key in [
        "events_per_second_per_core",
        "median_events_per_second_per_core",
        "read_ns_per_event",
        "decode_ns_per_event",
        "fold_ns_per_event",
        "log_bytes",
        "bytes_per_event",
    ] {
        assert!(number(&figures, key) >= 0.0, "{key}: {figures:#}");
    }
    assert!(number(&figures, "events_per_second_per_core") > 100.0);
    if cfg!(target_os = "linux") {
        // Core time is counted in ticks, of which so short a run may take none.
        assert!(number(&figures, "cpu_ns_per_event") >= 0.0, "{figures:#}");
    }
    assert!(is_empty(temporary.path()), "the folder did not vanish");
}

#[test]
fn a_fleet_is_made_measured_kept_and_asked() {
    let temporary = tempfile::tempdir().unwrap();
    let kept = tempfile::tempdir().unwrap();
    let data = kept.path().join("fleet");
    let data = data.to_str().unwrap();
    let sizes = ["--plants", "3", "--machines", "50", "--data", data];
    let figures = bench(temporary.path(), &[&["fleet"], &sizes[..]].concat()).json();
    assert_eq!(figures["plants"], 3);
    assert_eq!(figures["machines"], 150);
    // Six aspects of each machine, and an alarm of every tenth.
    assert_eq!(figures["events"], 3 * (50 * 6 + 5));
    assert!(number(&figures, "restart_seconds") > 0.0);
    if cfg!(target_os = "linux") {
        assert!(number(&figures, "bytes_per_machine") >= 0.0, "{figures:#}");
    }
    // The same fleet is not made again, and answers.
    let asked = ["--gets", "20", "--lists", "5"];
    let figures = bench(
        temporary.path(),
        &[&["query"], &sizes[..], &asked[..]].concat(),
    )
    .json();
    for key in ["get_p50_us", "get_p99_us", "list_p50_ms", "list_p99_ms"] {
        assert!(number(&figures, key) > 0.0, "{key}: {figures:#}");
    }
    assert!(number(&figures, "machines_listed") >= 5.0, "{figures:#}");
    assert!(is_empty(temporary.path()), "a folder did not vanish");
    // A fleet of another size is not taken for this one.
    let other = ["query", "--plants", "4", "--machines", "50", "--data", data];
    let error = bench(temporary.path(), &other).error();
    assert_eq!(error["reason"], "UNKNOWN_PLANT", "{error:#}");
    assert!(
        error["hint"].as_str().unwrap().contains("--plants"),
        "{error:#}"
    );
}

#[test]
fn a_killed_server_tells_how_soon_it_is_back() {
    let temporary = tempfile::tempdir().unwrap();
    let kept = tempfile::tempdir().unwrap();
    let data = kept.path().join("data");
    let sizes = ["--events", "5000", "--plants", "3", "--machines", "20"];
    let arguments = [
        &["restart"],
        &sizes[..],
        &["--data", data.to_str().unwrap()],
    ]
    .concat();
    // The second time on the same data, with the snapshots back in their place.
    for _ in 0..2 {
        let figures = bench(temporary.path(), &arguments).json();
        for key in ["restart", "replay"] {
            let all = if key == "restart" {
                "restart_ms"
            } else {
                "replay_all_ms"
            };
            let first = number(&figures, &format!("{key}_first_plant_ms"));
            assert!(0.0 < first && first <= number(&figures, all), "{figures:#}");
        }
        let first = number(&figures, "killed_under_load_first_plant_ms");
        assert!(0.0 < first && first <= number(&figures, "killed_under_load_ms"));
        assert!(
            number(&figures, "killed_under_load_events") >= 10_000.0,
            "{figures:#}"
        );
        assert_eq!(figures["machines"], 60);
        assert!(data.join("snapshots/plant-001").is_dir());
    }
    assert!(is_empty(temporary.path()), "a folder did not vanish");
}

/// The figures of a small ingest, which left nothing behind.
fn ingest(path: &str, store: &str) -> Value {
    let temporary = tempfile::tempdir().unwrap();
    let sizes = "--events 6001 --plants 2 --machines 40 --batch 100 --rounds 2 --singles 5";
    let way = ["ingest", "--path", path, "--store", store];
    let arguments: Vec<_> = way.into_iter().chain(sizes.split(' ')).collect();
    let figures = bench(temporary.path(), &arguments).json();
    assert!(is_empty(temporary.path()), "the folder did not vanish");
    assert_eq!(
        (&figures["path"], &figures["store"]),
        (&path.into(), &store.into())
    );
    figures
}

#[test]
fn both_ways_of_ingest_tell_their_figures_with_either_store() {
    for (path, store) in [
        ("server", "segments"),
        ("grpc", "segments"),
        ("server", "sled"),
        ("grpc", "sled"),
    ] {
        let figures = ingest(path, store);
        assert_eq!(figures["events"], 6001, "{figures:#}");
        let mut keys = vec![
            "events_per_second",
            "syncs",
            "merkle_ns_per_event",
            "hot_bytes_per_event",
            "ack_p50_us",
            "ack_p99_us",
            "single_ack_p50_us",
            "single_ack_p99_us",
        ];
        // What a database writes by itself is known where the system counts it.
        if store == "segments" || cfg!(target_os = "linux") {
            keys.extend(["raw_disk_ratio", "raw_events_per_second"]);
            keys.push("written_bytes_per_event");
        }
        for key in keys {
            assert!(
                number(&figures, key) > 0.0,
                "{path}, {store}, {key}: {figures:#}"
            );
        }
        if cfg!(target_os = "linux") {
            assert!(number(&figures, "cpu_ns_per_event") > 0.0, "{figures:#}");
            assert_eq!(figures["cpu_ns_client"].is_null(), path == "server");
        }
    }
}

#[test]
fn an_ingest_says_of_each_store_what_it_takes_on_the_disk() {
    let segments = ingest("server", "segments");
    assert_eq!(segments["written_bytes_counted"], "by the log");
    // What is sealed is denser, and both are of the size of an event, not of a thousand.
    let (hot, sealed) = (
        number(&segments, "hot_bytes_per_event"),
        number(&segments, "sealed_bytes_per_event"),
    );
    assert!(sealed < hot && hot < 200.0, "{segments:#}");
    // Packed, the events take less than as they were reported.
    assert!(
        number(&segments, "reported_bytes_per_event") > hot,
        "{segments:#}"
    );
    // The count of the log is of the blocks that then lie in its files.
    let written = number(&segments, "written_bytes_per_event");
    assert!(hot / 2.0 < written && written < hot * 2.0, "{segments:#}");
    let sled = ingest("server", "sled");
    // A database seals nothing: that is no zero.
    assert!(sled["sealed_bytes_per_event"].is_null(), "{sled:#}");
    assert_eq!(
        sled["written_bytes_counted"],
        "by the system, in whole pages"
    );
    // It holds the same blocks, and cannot hold them in less.
    assert!(number(&sled, "hot_bytes_per_event") > written, "{sled:#}");
}

#[test]
fn an_ingest_is_not_measured_on_a_log_that_is_there() {
    let (temporary, kept) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let data = kept.path().join("data");
    let data = data.to_str().unwrap();
    let arguments = [
        "ingest",
        "--events",
        "100",
        "--plants",
        "1",
        "--machines",
        "5",
        "--singles",
        "1",
        "--data",
        data,
    ];
    assert_eq!(bench(temporary.path(), &arguments).json()["events"], 100);
    let error = bench(temporary.path(), &arguments).error();
    assert_eq!(error["reason"], "ALREADY_EXISTS", "{error:#}");
    // The plain writer leaves nothing in a folder that stays.
    assert!(!kept.path().join("data/raw.bin").exists());
}

#[test]
fn sizes_that_mean_nothing_are_refused() {
    for arguments in [
        ["bench", "replay", "--events", "0"],
        ["bench", "fleet", "--plants", "0"],
        ["bench", "query", "--page", "0"],
        ["bench", "ingest", "--window", "17"],
        ["bench", "ingest", "--store", "redb"],
    ] {
        assert_eq!(run(&arguments).code, 2, "{arguments:?}");
    }
}

#[test]
fn rules_are_measured_beside_none() {
    let temporary = tempfile::tempdir().unwrap();
    let arguments = [
        "rules",
        "--events",
        "2000",
        "--machines",
        "20",
        "--rules",
        "12",
        "--batch",
        "200",
    ];
    let figures = bench(temporary.path(), &arguments).json();
    for key in [
        "ingest_per_second",
        "ingest_per_second_ruled",
        "ingest_slowdown",
        "rules_behind_ms",
    ] {
        assert!(number(&figures, key) > 0.0, "{key}: {figures:#}");
    }
    // Of each event at least the rules of its machine are looked at, of most events all of them.
    let looks = number(&figures, "rule_looks_per_event");
    assert!((4.0..=12.5).contains(&looks), "{figures:#}");
    assert_eq!(number(&figures, "rules"), 12.0);
    assert!(is_empty(temporary.path()), "the folder did not vanish");
}
