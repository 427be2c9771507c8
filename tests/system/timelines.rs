//! The real recordings against a fold in Python that shares nothing with ours: sums, and states at random instants.

use crate::recordings::{recording, recordings};
use crate::support::Server;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use werkbuch_model::time::Timestamp;

const TEST_BED: &str = include_str!("../../examples/plants/test-bed.toml");
/// How many instants each machine is asked at.
const INSTANTS: usize = 24;

type Sums = BTreeMap<String, u64>;

/// A window of plant time.
type Window = (&'static str, &'static str);

/// What the fold in Python says of a machine.
#[derive(serde::Deserialize)]
struct Folded {
    sums: Sums,
    /// A time, the state that is shown then, and the one that the signal says.
    at: Vec<(i64, String, String)>,
}

/// A machine with its recordings.
struct Told {
    machine: String,
    files: Vec<PathBuf>,
}

impl Told {
    /// As the script names them.
    fn name(&self) -> String {
        let files = self.files.iter().map(|file| file.to_str().unwrap());
        files.collect::<Vec<_>>().join(",")
    }
}

fn nanos(time: &str) -> i64 {
    Timestamp::parse(time).unwrap().nanos()
}

/// The fold of each machine; nothing, said loudly, where there is no Python.
fn folded(machines: &[Told], (from, to): Window) -> Option<BTreeMap<String, Folded>> {
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/python/fold_shdr.py");
    let output = Command::new("python3")
        .arg(script)
        .args([nanos(from), nanos(to)].map(|time| time.to_string()))
        .arg(INSTANTS.to_string())
        .args(machines.iter().map(Told::name))
        .output();
    let output = match output {
        Ok(output) => output,
        Err(error) => {
            let required = std::env::var_os("WERKBUCH_REQUIRE_DATA").is_some();
            assert!(!required, "python3 is absent: {error}");
            eprintln!("SKIPPED: python3 is absent, the recordings are not compared");
            return None;
        }
    };
    assert!(output.status.success(), "{output:?}");
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

fn timeline(server: &Server, machine: &str, (from, to): Window, more: &[&str]) -> Value {
    let asked = [
        "machine", "timeline", machine, "--plant", "test-bed", "--from", from, "--to", to,
    ];
    server.json(&[&asked[..], more].concat())
}

/// The sums of intervals, by state.
fn summed(server: &Server, machine: &str, window: Window) -> Sums {
    let line = timeline(server, machine, window, &[]);
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
fn shared(server: &Server, machine: &str, window: Window, buckets: &str) -> Sums {
    let line = timeline(server, machine, window, &["--buckets", buckets]);
    let mut sums = Sums::new();
    for bucket in line["machines"][0]["buckets"].as_array().unwrap() {
        for (state, share) in bucket["shares_ns"].as_object().unwrap() {
            *sums.entry(state.clone()).or_default() += share.as_u64().unwrap();
        }
    }
    sums
}

/// Imports the recordings of machines into one plant, and compares all of them with the fold in Python.
/// Answers with how many different sums and states there were.
fn compare(machines: &[Told], window: Window) -> Option<(usize, usize)> {
    let folded = folded(machines, window)?;
    let server = Server::start();
    server.apply(TEST_BED);
    for told in machines {
        for file in &told.files {
            let file = file.to_str().unwrap();
            let asked = ["import", "shdr", "--plant", "test-bed", "--machine"];
            server.json(&[&asked[..], &[&told.machine, file, "-q"]].concat());
        }
    }
    let (mut states, mut seen) = (0, std::collections::BTreeSet::new());
    for told in machines {
        let (machine, expected) = (&told.machine, &folded[&told.name()]);
        let ours = summed(&server, machine, window);
        assert_eq!(ours, expected.sums, "{machine}");
        let whole = nanos(window.1) - nanos(window.0);
        assert_eq!(ours.values().sum::<u64>(), whole.unsigned_abs());
        for buckets in ["1", "97", "1600"] {
            let shared = shared(&server, machine, window, buckets);
            assert_eq!(shared, ours, "{machine}, {buckets} buckets");
        }
        states += ours.len();
        assert!(expected.at.len() >= INSTANTS / 2, "{machine}");
        for (at, shown, signal) in &expected.at {
            let at = Timestamp(*at).to_string();
            let asked = [
                "machine", "get", machine, "--plant", "test-bed", "--at", &at,
            ];
            let found = server.json(&asked);
            assert_eq!(
                (&found["state"], &found["reported_state"]),
                (&Value::from(shown.as_str()), &signal.as_str().into()),
                "{machine} at {at}: {found}"
            );
            seen.insert((machine, shown, signal));
        }
    }
    Some((states, seen.len()))
}

#[test]
fn the_recordings_of_states_are_those_of_a_fold_in_python() {
    let files = recordings("nist-sms-state").into_iter();
    let machines: Vec<Told> = files
        .map(|(file, machine)| Told {
            machine,
            files: vec![file],
        })
        .collect();
    let window = ("2016-10-10T03:00:00Z", "2016-11-20T17:30:00Z");
    if machines.is_empty() {
        return;
    }
    // The window is one in which something happens.
    if let Some((sums, seen)) = compare(&machines, window) {
        assert!(sums > 12 && seen > 12, "{sums} sums, {seen} states");
    }
}

#[test]
fn the_raw_recordings_are_those_of_a_fold_in_python() {
    let weeks = ["20161101-week", "20170607-week"];
    let mut machines: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for week in weeks {
        for (file, machine) in recordings(&format!("nist-sms-raw/{week}")) {
            machines.entry(machine).or_default().push(file);
        }
    }
    let machines: Vec<Told> = machines
        .into_iter()
        .map(|(machine, files)| Told { machine, files })
        .collect();
    if machines.is_empty() {
        return;
    }
    assert_eq!(machines.len(), 8);
    let window = ("2016-10-31T00:00:00Z", "2017-06-20T00:00:00Z");
    if let Some((sums, seen)) = compare(&machines, window) {
        assert!(sums > 16 && seen > 14, "{sums} sums, {seen} states");
    }
}

#[test]
fn the_recording_of_the_lathe_is_that_of_a_fold_in_python() {
    let Some(file) = recording("cppagent-okuma/okuma.shdr.gz") else {
        return;
    };
    let machines = [Told {
        machine: "Okuma01".to_owned(),
        files: vec![file],
    }];
    let window = ("2022-08-08T13:00:00Z", "2022-08-08T15:00:00Z");
    if let Some((sums, seen)) = compare(&machines, window) {
        assert!(sums >= 3 && seen >= 2, "{sums} sums, {seen} states");
    }
}
