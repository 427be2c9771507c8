//! The simulator beside exact results, and what is said of a file that holds none.

use crate::recordings::recording;
use crate::support::run;
use serde_json::Value;

/// The short form: intervals are wider than they are to be, and hold the exact values all the same.
#[test]
fn exact_results_are_met_whatever_the_threads() {
    let Some(file) = recording("sim-reference-public.json") else {
        return;
    };
    let file = file.to_str().unwrap();
    let found = |more: &[&str]| -> Value {
        let mut arguments = vec!["sim", "conformance", file, "-o", "json", "--quiet"];
        arguments.extend(more);
        let ran = run(&arguments);
        assert_eq!(ran.code, 0, "{ran:#?}");
        serde_json::from_str(&ran.stdout).unwrap()
    };
    let all = found(&["--relative", "0.02", "--events", "1000000"]);
    let count = |verdict: &str| all[verdict].as_u64().unwrap();
    assert!(count("agrees") >= 155, "{all:#}");
    assert_eq!(count("exact"), 21, "{all:#}");
    assert_eq!(count("unsupported"), 12, "{all:#}");
    let cases = all["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 193);
    for case in cases {
        let is_unsupported = case["verdict"] == "unsupported";
        assert_eq!(case["why"] != "", is_unsupported, "{case:#}");
        assert_eq!(case["value"].is_null(), is_unsupported, "{case:#}");
    }
    let few = [
        "--family",
        "exp-unreliable",
        "--relative",
        "0.05",
        "--events",
        "300000",
        "--threads",
    ];
    let by = |threads| found(&[few.as_slice(), &[threads]].concat());
    assert_eq!(by("1"), by("3"));
    // Another seed is other chance.
    let other = found(&[few.as_slice(), &["1", "--seed", "2"]].concat());
    assert_ne!(other["cases"][0]["value"], by("1")["cases"][0]["value"]);
}

#[test]
fn a_simulator_that_is_wrong_is_told_and_a_file_without_cases_too() {
    let folder = tempfile::tempdir().unwrap();
    let file = |text: &str| {
        let path = folder.path().join("cases.json");
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let of = |value: &str, params: &str| {
        format!(
            r#"{{"id": "a", "family": "mm1", "model": "M/M/1", "quantity": "Wq", "params": {params}, "value": {value}}}"#
        )
    };
    let good = r#"{"lam": 0.5, "mu": 1.0}"#;
    let list = |cases: &[String]| file(&format!("{{\"cases\": [{}]}}", cases.join(",")));
    let few = ["--relative", "0.1", "--events", "200000", "-o", "json"];
    let check = |path: &str, code: i32, reason: &str, words: &str| {
        let ran = run(&[["sim", "conformance", path].as_slice(), &few].concat());
        assert_eq!(ran.code, code, "{ran:#?}");
        assert_eq!(ran.error()["reason"], reason, "{ran:#?}");
        assert!(ran.stderr.contains(words), "{words}: {ran:#?}");
        ran
    };
    let wrong = list(&[of("2.0", good), of("3.0", good)]);
    let ran = check(&wrong, 5, "SIMULATION_DIFFERS", "2 of 2 simulated cases");
    let found: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(found["cases"][0]["verdict"], "differs");
    // What cannot be run is no mistake of the simulator, and says what it lacks.
    let odd = list(&[
        of("1.0", r#"{"lam": 0, "mu": 1}"#),
        of("[1, 2]", good),
        of("1.0", "{}"),
    ]);
    let ran = run(&[["sim", "conformance", &odd].as_slice(), &few].concat());
    assert_eq!(ran.code, 0, "{ran:#?}");
    let found: Value = serde_json::from_str(&ran.stdout).unwrap();
    let why: Vec<&str> = (0..3)
        .map(|at| found["cases"][at]["why"].as_str().unwrap())
        .collect();
    assert_eq!(
        why,
        [
            "the rate \"lam\" is not greater than zero",
            "its value has 2 numbers, not 1",
            "the parameter \"lam\" is missing or no number",
        ]
    );
    check(&file("[1"), 2, "INVALID_ARGUMENT", "cases.json");
    check(&file("{}"), 2, "INVALID_ARGUMENT", "there is no list");
    check(
        &file(r#"{"cases": [{"id": 1}]}"#),
        2,
        "INVALID_ARGUMENT",
        "case 1 has no text",
    );
    check("/nowhere.json", 3, "FILE_NOT_FOUND", "/nowhere.json");
    let path = list(&[of("1.0", good)]);
    let none = run(&["sim", "conformance", &path, "--case", "b"]);
    assert_eq!(none.code, 3, "{none:#?}");
    let none = run(&["sim", "conformance", &path, "--relative", "2"]);
    assert_eq!(none.code, 2, "{none:#?}");
}
