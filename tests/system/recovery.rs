//! After a crash without snapshots, plants that are back answer while another is still being folded.

use crate::support::{PLANT, Server, replay_offline, werkbuch};
use serde_json::Value;
use std::fmt::Write as _;
use std::process::Stdio;

/// With this many events a second, T1 takes some seconds to come back.
const RATE: &str = "2000";
const EVENTS: u64 = 15_000;

fn lines(machine: &str, from: u64, count: u64) -> String {
    let mut lines = String::new();
    for number in from..from + count {
        let (second, minute, hour) = (number % 60, number / 60 % 60, number / 3_600 % 24);
        let time = format!("2026-01-01T{hour:02}:{minute:02}:{second:02}Z");
        writeln!(
            lines,
            r#"{{"machine":"{machine}","time":"{time}","kind":"ITEM_CHANGED","item":"serial","text":"{number}"}}"#
        )
        .unwrap();
    }
    lines
}

fn row(metrics: &Value, name: &str) -> f64 {
    let rows = metrics.as_array().unwrap().iter();
    let mut found = rows.filter(|row| row["metric"] == name);
    found.next().unwrap()["value"].as_f64().unwrap()
}

fn only_t2_answers(server: &Server) {
    let answered = server.run(&["machine", "get", "m1", "--plant", "T2"]);
    assert_eq!(answered.code, 0, "{answered:#?}");
    let refused = server.run(&["machine", "get", "m1", "--plant", "T1", "-o", "json"]);
    let error = refused.error();
    assert_eq!(
        (refused.code, &error["reason"]),
        (6, &"PLANT_RECOVERING".into())
    );
    let message = error["message"].as_str().unwrap();
    assert!(
        message.contains("% are done") && message.contains("T1"),
        "{message}"
    );
    let listed = server.run(&["plant", "ls"]);
    assert!(
        listed.stdout.contains("T2") && !listed.stdout.contains("T1"),
        "{listed:#?}"
    );
    assert!(
        listed.stderr.contains("1 of 2 plants") && listed.stderr.contains("T1"),
        "{listed:#?}"
    );
    let status = server.json(&["server", "status"]);
    assert_eq!(
        (&status["plants"], &status["recovering"][0]["plant"]),
        (&1.into(), &"T1".into())
    );
    assert!(
        status["recovering"][0]["percent"].as_u64().unwrap() < 100,
        "{status}"
    );
    let shown = server.run(&["server", "status"]);
    assert!(shown.stdout.contains("T1 ("), "{shown:#?}");
    let metrics = server.json(&["server", "metrics"]);
    assert_eq!(row(&metrics, "werkbuch_plants_recovering"), 1.0);
    let [free, total] =
        ["free", "total"].map(|what| row(&metrics, &format!("werkbuch_disk_{what}_bytes")));
    assert!(0.0 < free && free <= total);
}

#[test]
fn a_plant_that_is_back_answers_while_another_is_folded() {
    let place = tempfile::tempdir().unwrap();
    let data = place.path().join("data");
    let [first, second] = ["first.jsonl", "second.jsonl"].map(|name| place.path().join(name));
    std::fs::write(&first, lines("m1", 0, EVENTS)).unwrap();
    std::fs::write(&second, lines("m2", EVENTS, 100)).unwrap();
    let server = Server::on(&data, &["--write-ahead-mib", "1"]);
    server.apply(PLANT);
    server.apply(&PLANT.replace("\"T1\"", "\"T2\""));
    let import = |file: &std::path::Path| {
        let file = file.to_str().unwrap().to_owned();
        ["import", "jsonl", "--plant", "T1", "-q", &file].map(str::to_owned)
    };
    let arguments = import(&first);
    let ran = server.run(&arguments.each_ref().map(String::as_str));
    assert_eq!(ran.code, 0, "{ran:#?}");
    let (data, _) = server.kill();
    let _ = std::fs::remove_dir_all(data.join("snapshots"));

    let server = Server::on(&data, &["--recovery-rate", RATE]);
    // An importer waits by itself.
    let arguments = import(&second);
    let mut command = werkbuch(&arguments.each_ref().map(String::as_str));
    command.env("WERKBUCH_SERVER", &server.url);
    let mut importer = command.stdout(Stdio::null()).spawn().unwrap();

    only_t2_answers(&server);
    // None of this waited for it.
    assert!(
        importer.try_wait().unwrap().is_none(),
        "T1 was back too soon to tell"
    );

    assert!(importer.wait().unwrap().success());
    let status = server.json(&["server", "status"]);
    assert_eq!(
        (&status["plants"], &status["recovering"]),
        (&2.into(), &serde_json::json!([]))
    );
    let answered = server.run(&["machine", "get", "m2", "--plant", "T1"]);
    assert_eq!(answered.code, 0, "{answered:#?}");
    assert!(server.stop().success());
    let replayed = replay_offline(&data);
    assert!(replayed["events"].as_u64().unwrap() > EVENTS + 100);

    // From snapshots nobody need wait, killed or not.
    let server = Server::on(&data, &["--recovery-rate", RATE]);
    assert_eq!(
        server.json(&["server", "status"])["recovering"],
        serde_json::json!([])
    );
    let (data, _) = server.kill();
    let server = Server::on(&data, &["--recovery-rate", RATE]);
    assert_eq!(server.json(&["server", "status"])["plants"], 2);
    assert!(server.stop().success());
}
