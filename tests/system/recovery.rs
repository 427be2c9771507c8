//! After a crash without snapshots, plants that are back answer while another is still being folded.

use crate::support::{PLANT, Server, replay_offline, werkbuch};
use crate::watch::Watcher;
use serde_json::Value;
use std::fmt::Write as _;
use std::process::Stdio;
use werkbuch_wire::pb;

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

/// A page of one plant: the names of the plants, and of those that do not answer; with the token for the
/// next one.
fn page(server: &Server, token: &str) -> (Vec<String>, Vec<String>, String) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let page = runtime.block_on(async {
        let connect = pb::model_service_client::ModelServiceClient::connect(server.url.clone());
        let request = pb::ListPlantsRequest {
            parent: "tenants/default".into(),
            page_size: 1,
            page_token: token.into(),
            ..pb::ListPlantsRequest::default()
        };
        let answer = connect.await.unwrap().list_plants(request).await;
        answer.unwrap().into_inner()
    });
    assert_eq!(page.total_size, 3);
    let names = page.plants.into_iter().map(|plant| plant.name).collect();
    (names, page.unreachable, page.next_page_token)
}

#[test]
fn lists_and_watches_of_all_plants_go_on_while_one_comes_back() {
    let place = tempfile::tempdir().unwrap();
    let data = place.path().join("data");
    let [first, second] = ["first.jsonl", "second.jsonl"].map(|name| place.path().join(name));
    std::fs::write(&first, lines("m1", 0, EVENTS)).unwrap();
    std::fs::write(&second, lines("m2", EVENTS, 100)).unwrap();
    let server = Server::on(&data, &["--write-ahead-mib", "1"]);
    for plant in ["\"T1\"", "\"T2\"", "\"T3\""] {
        server.apply(&PLANT.replace("\"T1\"", plant));
    }
    let import = |server: &Server, file: &std::path::Path| {
        let file = file.to_str().unwrap();
        let ran = server.run(&["import", "jsonl", "--plant", "T1", "-q", file]);
        assert_eq!(ran.code, 0, "{ran:#?}");
    };
    import(&server, &first);
    let (data, _) = server.kill();
    let _ = std::fs::remove_dir_all(data.join("snapshots"));

    let server = Server::on(&data, &["--recovery-rate", RATE]);
    // A watch of all plants begins at once, with those that are back.
    let mut watcher = Watcher::start(&server.url, &[]);
    let heartbeat = watcher.next();
    assert!(heartbeat["plants"]["T2"].is_object(), "{heartbeat}");
    assert_eq!(
        heartbeat["plants"]["T1"]["recovering"], true,
        "T1 was back too soon: {heartbeat}"
    );
    assert!(heartbeat["plants"]["T2"]["recovering"].is_null());
    // Another one ends before T1 is back, and goes on by its token later.
    let mut short = Watcher::start(&server.url, &[]);
    short.next();
    let said = short.interrupt();
    let (_, token) = said
        .trim()
        .rsplit_once("go on with --resume ")
        .expect("the token");
    let name = |plant: &str| vec![format!("tenants/default/plants/{plant}")];
    let (plants, unreachable, next) = page(&server, "");
    assert_eq!((plants, unreachable), (name("T2"), name("T1")));

    while server.json(&["server", "status"])["recovering"] != serde_json::json!([]) {
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    // T1 stands before T2 by now, which moves neither.
    let (plants, unreachable, last) = page(&server, &next);
    assert_eq!((plants, unreachable), (name("T3"), vec![]));
    assert_eq!(last, "");
    let begun = crate::watch::end(&server, "T1");
    assert!(begun > EVENTS, "{begun}");
    import(&server, &second);
    // What was recorded before the watch began is not told as if it were new.
    let end = crate::watch::end(&server, "T1");
    let mut resumed = Watcher::start(&server.url, &["--resume", token]);
    for watcher in [&mut watcher, &mut resumed] {
        let seen = watcher.until(&[("T1", end)]);
        assert_eq!(seen.len(), 100, "{:?}", &seen[..seen.len().min(3)]);
        assert!(seen.iter().all(|(plant, at)| plant == "T1" && *at > begun));
    }
    drop((watcher, resumed));
    assert!(server.stop().success());
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
