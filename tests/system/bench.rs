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
fn sizes_that_mean_nothing_are_refused() {
    for arguments in [
        ["bench", "replay", "--events", "0"],
        ["bench", "fleet", "--plants", "0"],
        ["bench", "query", "--page", "0"],
    ] {
        assert_eq!(run(&arguments).code, 2, "{arguments:?}");
    }
}
