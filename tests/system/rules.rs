//! The server is killed while rules are on their way to be raised: what they find is in the log once each,
//! as if it had never been away.

use crate::support::Server;
use serde_json::Value;
use std::path::Path;
use std::time::{Duration, Instant};

const RULES: &str = r#"
[[rule]]
id = "at-once"
raise = "state = 'FAULTED'"
[[rule]]
id = "held"
raise = "state = 'FAULTED'"
hold = "1s"
clear_hold = "500ms"
severity = 800
message = "it stands"
"#;

#[test]
fn findings_survive_kills_and_come_once() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let options = ["--snapshot-every", "20"];
    let mut server = Server::on(&data, &options);
    server.apply(crate::support::PLANT);
    let file = folder.path().join("rules.toml");
    std::fs::write(&file, RULES).unwrap();
    let file = file.to_str().unwrap();
    let applied = server.json(&["rule", "apply", file, "--plant", "T1", "--why", "a test"]);
    assert_eq!(applied["plants"][0]["rules"], 2, "{applied}");
    let mut turns_of_states = 0;
    // How long the machine stands, and whether the server is killed meanwhile.
    for (stands_ms, killed) in [
        (0, true),
        (1_500, true),
        (200, false),
        (1_400, false),
        (900, true),
    ] {
        server.append("T1 m1 STATE_CHANGED --set to=FAULTED");
        let begin = Instant::now();
        std::thread::sleep(Duration::from_millis(stands_ms));
        if killed {
            let _ = server.kill();
            server = Server::on(&data, &options);
        }
        // Whether it stood for a second must not hang by a hair.
        let stood = begin.elapsed().as_millis();
        if (700..1_300).contains(&stood) {
            std::thread::sleep(Duration::from_millis(700));
        }
        turns_of_states += 1;
        server.append("T1 m1 STATE_CHANGED --set to=EXECUTING");
        std::thread::sleep(Duration::from_millis(700));
    }
    let _ = server.kill();
    server = Server::on(&data, &options);
    let expected = tried(&server, file);
    let at_once = expected.iter().filter(|one| one.1 == "at-once").count();
    assert_eq!(at_once, 2 * turns_of_states, "{expected:?}");
    let held = expected.iter().filter(|one| one.1 == "held").count();
    assert!((4..=2 * turns_of_states).contains(&held), "{expected:?}");
    let patience = Instant::now();
    while recorded(&server).len() < expected.len() && patience.elapsed() < Duration::from_secs(20) {
        std::thread::sleep(Duration::from_millis(100));
    }
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(recorded(&server), expected);
    let raised = server.json(&["rule", "ls", "--raised", "--plant", "T1"]);
    assert_eq!(raised["total"], 0, "{raised}");
    assert!(server.stop().success());
}

type Turn = (String, String, bool, String);

/// What the rules would have found since they apply: time, rule, whether it is raised, since when.
fn tried(server: &Server, file: &str) -> Vec<Turn> {
    let asked = [
        "rule", "test", file, "--plant", "T1", "--from", "-10m", "--lead", "0s",
    ];
    let text = |one: &Value, key: &str| one[key].as_str().unwrap().to_owned();
    let answer = server.json(&asked);
    let turns = answer["turns"].as_array().unwrap().iter();
    let turn = |one: &Value| {
        let raised = one["raised"].as_bool().unwrap();
        (
            text(one, "at"),
            text(one, "rule"),
            raised,
            text(one, "since"),
        )
    };
    let mut turns: Vec<Turn> = turns.map(turn).collect();
    turns.sort();
    turns
}

/// What the log says that they found.
fn recorded(server: &Server) -> Vec<Turn> {
    let kinds = ["--kind", "RULE_RAISED", "--kind", "RULE_CLEARED"];
    let mut asked = vec!["event", "ls", "--plant", "T1", "--limit", "1000"];
    asked.extend(kinds);
    let answer = server.json(&asked);
    let events = answer["events"].as_array().unwrap().iter();
    let turn = |event: &Value| {
        let body = &event["reported"];
        let raised = body["kind"] == "RULE_RAISED";
        let text = |of: &Value| of.as_str().unwrap_or_else(|| panic!("{event}")).to_owned();
        (
            text(&event["effective_at"]),
            text(&body["rule"]),
            raised,
            text(&body["since"]),
        )
    };
    let mut turns: Vec<Turn> = events.map(turn).collect();
    turns.sort();
    turns
}

#[test]
fn the_examples_apply_to_the_example_plants() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let server = Server::start();
    let mut applied = 0;
    for entry in std::fs::read_dir(examples.join("rules")).unwrap() {
        let rules = entry.unwrap().path();
        let plant = examples.join("plants").join(rules.file_name().unwrap());
        let said = server.run(&["plant", "apply", plant.to_str().unwrap(), "-o", "json"]);
        let plant = said.json()["plant"].as_str().unwrap().to_owned();
        let rules = rules.to_str().unwrap();
        assert_eq!(crate::support::run(&["rule", "check", rules]).code, 0);
        let answer = server.json(&["rule", "apply", rules, "--plant", &plant, "--why", "a test"]);
        assert_eq!(
            answer["warnings"],
            serde_json::json!([]),
            "{rules}: {answer}"
        );
        assert_eq!(answer["plants"][0]["recorded"], true, "{answer}");
        applied += 1;
    }
    assert_eq!(applied, 2);
}
