//! Timelines of the real recordings: their sums against a fold in Python that shares nothing with ours.

use crate::recordings::recordings;
use crate::support::Server;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

const TEST_BED: &str = include_str!("../../examples/plants/test-bed.toml");
const BEGIN: &str = "2016-10-10T03:00:00Z";
const END: &str = "2016-11-20T17:30:00Z";
const BEGIN_NS: u64 = 1_476_068_400_000_000_000;
const END_NS: u64 = 1_479_663_000_000_000_000;

type Sums = BTreeMap<String, u64>;

/// The sums by file; nothing, said loudly, where there is no Python.
fn folded(files: &[(PathBuf, String)]) -> Option<BTreeMap<String, Sums>> {
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/python/fold_shdr.py");
    let output = Command::new("python3")
        .arg(script)
        .args([BEGIN_NS.to_string(), END_NS.to_string()])
        .args(files.iter().map(|(path, _)| path))
        .output();
    let output = match output {
        Ok(output) => output,
        Err(error) => {
            let required = std::env::var_os("WERKBUCH_REQUIRE_DATA").is_some();
            assert!(!required, "python3 is absent: {error}");
            eprintln!("SKIPPED: python3 is absent, the sums are not compared");
            return None;
        }
    };
    assert!(output.status.success(), "{output:?}");
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

/// The sums of intervals, by state.
fn summed(server: &Server, machine: &str) -> Sums {
    let line = server.json(&[
        "machine", "timeline", machine, "--plant", "test-bed", "--from", BEGIN, "--to", END,
    ]);
    let intervals = line["machines"][0]["intervals"].as_array().unwrap();
    let mut sums = Sums::new();
    let mut end = line["from"].clone();
    for one in intervals {
        assert_eq!((&one["begin"], &one["covered"]), (&end, &Value::Bool(true)));
        end = one["end"].clone();
        let state = one["state"].as_str().unwrap().to_owned();
        *sums.entry(state).or_default() += one["duration_ns"].as_u64().unwrap();
    }
    assert_eq!(end, line["to"]);
    let told = line["machines"][0]["sums"].as_array().unwrap().iter();
    let told: Sums = told
        .map(|sum| {
            (
                sum["state"].as_str().unwrap().to_owned(),
                sum["duration_ns"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(told, sums, "the sums that are told");
    sums
}

/// The same, of the shares of buckets.
fn shared(server: &Server, machine: &str, buckets: &str) -> Sums {
    let line = server.json(&[
        "machine",
        "timeline",
        machine,
        "--plant",
        "test-bed",
        "--from",
        BEGIN,
        "--to",
        END,
        "--buckets",
        buckets,
    ]);
    let mut sums = Sums::new();
    for bucket in line["machines"][0]["buckets"].as_array().unwrap() {
        for (state, share) in bucket["shares_ns"].as_object().unwrap() {
            *sums.entry(state.clone()).or_default() += share.as_u64().unwrap();
        }
    }
    sums
}

#[test]
fn sums_of_the_recordings_are_those_of_a_fold_in_python() {
    let files = recordings("nist-sms-state");
    if files.is_empty() {
        return;
    }
    let Some(folded) = folded(&files) else {
        return;
    };
    let server = Server::start();
    server.apply(TEST_BED);
    let mut states = 0;
    for (file, machine) in &files {
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
        ]);
        let ours = summed(&server, machine);
        assert_eq!(ours, folded[file], "{machine}");
        assert_eq!(ours.values().sum::<u64>(), END_NS - BEGIN_NS);
        for buckets in ["1", "97", "1600"] {
            assert_eq!(
                shared(&server, machine, buckets),
                ours,
                "{machine}, {buckets} buckets"
            );
        }
        states += ours.len();
    }
    // The window is one in which something happens.
    assert!(states > 12, "{states} sums");
}
