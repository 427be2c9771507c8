//! The real recordings: known sums, no unmapped key, and the counts of an independent reader.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use werkbuch_gateway::source::mapping::Mapping;
use werkbuch_gateway::source::shdr::{Counts, ShdrReader, open};
use werkbuch_model::id::MachineNumber;

/// Whether what is absent fails the test instead of skipping it.
fn required() -> bool {
    std::env::var("WERKBUCH_REQUIRE_DATA").is_ok_and(|value| value == "1")
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The recordings of a folder of the data, or none (loudly) when the data are absent.
fn recordings(folder: &str) -> Vec<PathBuf> {
    let data = std::env::var_os("WERKBUCH_DATA")
        .map_or_else(|| root().join("../shared/data"), PathBuf::from);
    let Ok(entries) = std::fs::read_dir(data.join(folder)) else {
        assert!(!required(), "the data of {folder} are absent");
        eprintln!("SKIPPED: the data of {folder} are absent; set WERKBUCH_DATA");
        return Vec::new();
    };
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_string_lossy().ends_with(".shdr.gz"))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{folder} holds no recording");
    files
}

fn all() -> Vec<PathBuf> {
    [
        "nist-sms-state",
        "nist-sms-raw/20161101-week",
        "nist-sms-raw/20170607-week",
        "cppagent-okuma",
    ]
    .into_iter()
    .flat_map(recordings)
    .collect()
}

fn read(path: &Path) -> Counts {
    let (reader, _) = open(path).unwrap();
    let mapping = Arc::new(Mapping::builtin());
    let name = path.file_name().unwrap().to_string_lossy();
    let mut reader = ShdrReader::new(reader, &name, mapping, MachineNumber(1));
    let mut emitted = 0;
    for emit in reader.by_ref() {
        let emit = emit.unwrap();
        emitted += 1;
        assert_eq!(emit.event.sequence.get(), emitted, "{name}");
        emit.event.validate().unwrap();
        assert!(
            emit.body
                .as_ref()
                .is_none_or(|body| body.len() <= 1024 * 1024)
        );
    }
    let counts = reader.counts().clone();
    assert!(counts.reconcile(), "{name}: {counts:?}");
    assert_eq!(counts.emitted(), emitted, "{name}");
    counts
}

fn sum(folders: &[&str], of: impl Fn(&Counts) -> u64) -> Option<u64> {
    let files: Vec<PathBuf> = folders.iter().flat_map(|f| recordings(f)).collect();
    (!files.is_empty()).then(|| files.iter().map(|file| of(&read(file))).sum())
}

#[test]
fn the_state_recordings_hold_what_their_source_says() {
    if let Some(observations) = sum(&["nist-sms-state"], |counts| counts.observations) {
        assert_eq!(observations, 324_062);
    }
}

#[test]
fn the_raw_recordings_hold_what_their_source_says() {
    let weeks = ["nist-sms-raw/20161101-week", "nist-sms-raw/20170607-week"];
    if let Some(lines) = sum(&weeks, |counts| counts.lines) {
        assert_eq!(lines, 928_398);
    }
}

#[test]
fn no_key_of_a_recording_is_unmapped_and_no_time_is_suspect() {
    for file in all() {
        let counts = read(&file);
        let clean = counts.unmapped.is_empty()
            && counts.refused.is_empty()
            && counts.gaps == 0
            && counts.suspect_clock + counts.suspect_samples == 0
            && !counts.truncated;
        assert!(clean, "{}: {counts:?}", file.display());
    }
}

/// A day file's snapshot begins with the same line each day, so it is known when time steps back.
#[test]
fn each_day_of_a_raw_recording_is_a_session() {
    for (folder, machine, sessions) in [
        ("20161101-week", "GFAgie01", 7),
        ("20161101-week", "Mazak01", 7),
        ("20161101-week", "Mazak03", 7),
        // All lines of these have one time, so that no snapshot steps back.
        ("20161101-week", "Hurco01", 1),
        ("20170607-week", "Hurco03", 1),
        ("20170607-week", "GFAgie01", 7),
        ("20170607-week", "Hurco01", 7),
        ("20170607-week", "Hurco02", 7),
        ("20170607-week", "Hurco04", 7),
        ("20170607-week", "Mazak01", 7),
        ("20170607-week", "Mazak03", 7),
    ] {
        for file in recordings(&format!("nist-sms-raw/{folder}")) {
            if file.ends_with(format!("{machine}.shdr.gz")) {
                assert_eq!(read(&file).sessions, sessions, "{folder} {machine}");
            }
        }
    }
}

#[test]
fn an_independent_reader_counts_the_same() {
    let mut files = all();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    files.extend(
        std::fs::read_dir(fixtures)
            .unwrap()
            .map(|entry| entry.unwrap().path()),
    );
    let Some(python) = counted_by_python(&files) else {
        return;
    };
    for file in files {
        let counts = read(&file);
        let ours = serde_json::to_value(&counts).unwrap();
        let theirs = python.get(file.to_str().unwrap()).unwrap();
        for (name, value) in theirs.as_object().unwrap() {
            assert_eq!(ours.get(name), Some(value), "{}: {name}", file.display());
        }
        println!(
            "{} {}",
            file.display(),
            serde_json::to_string(&counts).unwrap()
        );
    }
}

fn counted_by_python(files: &[PathBuf]) -> Option<serde_json::Value> {
    let folder = tempfile::tempdir().unwrap();
    let table = folder.path().join("table.json");
    let mapping = Mapping::builtin();
    let categories: BTreeMap<&str, &str> = mapping
        .keys()
        .map(|(key, entry)| (key, entry.rule.category().name()))
        .collect();
    std::fs::write(&table, serde_json::to_vec(&categories).unwrap()).unwrap();
    let script = root().join("tests/python/count_shdr.py");
    let output = match Command::new("python3")
        .arg(script)
        .arg(&table)
        .args(files)
        .output()
    {
        Ok(output) => output,
        Err(error) => {
            assert!(!required(), "python3 is absent: {error}");
            eprintln!("SKIPPED: python3 is absent, the counts are not compared");
            return None;
        }
    };
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Some(serde_json::from_slice(&output.stdout).unwrap())
}
