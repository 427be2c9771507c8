//! All of the real recordings, imported through the binary: counts, repeats, digests, past instants.

use crate::support::Server;
use serde_json::Value;
use std::path::PathBuf;

/// The machines of the recordings.
const TEST_BED: &str = include_str!("../../examples/plants/test-bed.toml");

/// A recording's path; nothing, said loudly, where the recordings are not there.
pub(crate) fn recording(file: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("WERKBUCH_DATA").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    let path = folder.join(file);
    if path.exists() {
        return Some(path);
    }
    assert!(
        std::env::var_os("WERKBUCH_REQUIRE_DATA").is_none(),
        "the recording {} is not there",
        path.display()
    );
    eprintln!(
        "SKIPPED: the recording {} is not there; set WERKBUCH_DATA",
        path.display()
    );
    None
}

/// The files of a folder of recordings, with their machines.
pub(crate) fn recordings(folder: &str) -> Vec<(PathBuf, String)> {
    let Some(folder) = recording(folder) else {
        return Vec::new();
    };
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_str().is_some_and(|path| path.ends_with(".shdr.gz")))
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap();
            let machine = name.strip_suffix(".shdr.gz").unwrap().to_owned();
            (path, machine)
        })
        .collect();
    files.sort();
    files
}

fn import(server: &Server, file: &std::path::Path, machine: &str) -> Value {
    let file = file.to_str().unwrap();
    server.json(&[
        "import",
        "shdr",
        "--plant",
        "test-bed",
        "--machine",
        machine,
        file,
        "-q",
    ])
}

fn number(report: &Value, key: &str) -> u64 {
    report[key]
        .as_u64()
        .unwrap_or_else(|| panic!("{key} in {report}"))
}

#[test]
fn all_recordings_import_without_loss_and_only_once() {
    let state = recordings("nist-sms-state");
    if state.is_empty() {
        return;
    }
    let server = Server::start();
    server.apply(TEST_BED);
    let mut raw = recordings("nist-sms-raw/20161101-week");
    raw.extend(recordings("nist-sms-raw/20170607-week"));
    let okuma = recording("cppagent-okuma/okuma.shdr.gz").map(|file| (file, "Okuma01".to_owned()));
    let mut totals = [0_u64; 2];
    for (which, files) in [&state, &raw].into_iter().enumerate() {
        for (file, machine) in files {
            let report = import(&server, file, machine);
            check(&report);
            assert_eq!(report["repeats"], 0, "{report}");
            totals[which] += number(&report, ["observations", "lines"][which]);
        }
    }
    assert_eq!(
        totals,
        [324_062, 928_398],
        "changes of nist-sms-state, lines of nist-sms-raw"
    );
    if let Some((file, machine)) = &okuma {
        check(&import(&server, file, machine));
    }
    let before = server.json(&["twin", "get", "test-bed"]);
    for (file, machine) in state.iter().chain(&raw).chain(&okuma) {
        let report = import(&server, file, machine);
        assert_eq!(report["recorded"], 0, "{report}");
        check(&report);
    }
    let after = server.json(&["twin", "get", "test-bed"]);
    assert_eq!(
        (&before["digest"], &before["position"]),
        (&after["digest"], &after["position"])
    );
    past(&server);
    let replayed = server.json(&["replay", "--plant", "test-bed", "--check"]);
    assert_eq!(replayed["digest"], after["digest"]);
}

/// The sums of a report: each observation under exactly one heading, each event acknowledged.
fn check(report: &Value) {
    let refused: u64 = report["refused"]
        .as_object()
        .unwrap()
        .values()
        .map(|count| count.as_u64().unwrap())
        .sum();
    let counted: u64 = ["events", "unchanged", "sampled", "ignored"]
        .map(|key| number(report, key))
        .iter()
        .sum();
    assert_eq!(
        counted + refused,
        number(report, "observations"),
        "{report}"
    );
    let emitted: u64 = ["events", "batches", "gaps"]
        .map(|key| number(report, key))
        .iter()
        .sum();
    assert_eq!(
        number(report, "recorded") + number(report, "repeats"),
        emitted,
        "{report}"
    );
    assert_eq!(
        (
            refused,
            number(report, "suspect_clock"),
            number(report, "gaps")
        ),
        (0, 0, 0)
    );
}

/// What a machine did at a past instant, as the lines of its recording around that time say:
/// `2016-11-03T15:46:43.403Z|execution|STOPPED` is the last before four o'clock.
fn past(server: &Server) {
    let then = server.json(&[
        "machine",
        "get",
        "Mazak01",
        "--plant",
        "test-bed",
        "--at",
        "2016-11-03T16:00:00Z",
    ]);
    let expected = [
        ("state", "STOPPED"),
        ("since", "2016-11-03T15:46:43.403Z"),
        ("mode", "MANUAL"),
        ("program", "222"),
    ];
    for (key, value) in expected {
        assert_eq!(then[key], value, "{then}");
    }
    let now = server.json(&["machine", "get", "Mazak01", "--plant", "test-bed"]);
    assert_eq!(now["state"], "UNAVAILABLE", "{now}");
}
