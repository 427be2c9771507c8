//! What people are shown of what is gone, of days that only sources plan, of empty windows and of long names.

use crate::support::{PLANT, Server, werkbuch};
use std::io::{BufRead, BufReader};
use std::process::Stdio;

fn append(server: &Server, event: &str) {
    let arguments = ["event", "append", "--plant", "T1", "--json", event];
    let ran = server.run(&arguments);
    assert_eq!(ran.code, 0, "{ran:#?}");
}

#[test]
fn what_is_gone_keeps_its_name_and_holds_nothing() {
    let server = Server::with_plant();
    let held = r#"{"machine":"m2","kind":"STATE_CHANGED","to":"HELD"}"#;
    append(&server, held);
    append(
        &server,
        r#"{"kind":"BUFFER_LEVEL_CHANGED","buffer":"b","level":3}"#,
    );
    let levels = || {
        let listed = server.json(&["buffer", "ls", "--plant", "T1"]);
        listed.to_string().matches("BUFFER_LEVEL_CHANGED").count()
            + listed["total"].as_u64().unwrap_or_default() as usize
    };
    assert!(levels() > 0);
    let (kept, _) = PLANT.split_once("[[machine]]\nid = \"m2\"").unwrap();
    server.apply(kept);
    assert_eq!(levels(), 0);
    let machine = server.json(&["machine", "get", "2", "--plant", "T1"]);
    assert_eq!(machine["machine"], "m2", "{machine:#}");
    let listed = server.run(&["event", "ls", "--plant", "T1", "--kind", "STATE_CHANGED"]);
    let row = listed.stdout.lines().find(|line| line.contains("HELD"));
    assert!(row.unwrap().split_whitespace().any(|cell| cell == "m2"));
    let position = row.unwrap().split_whitespace().next().unwrap();
    let one = server.run(&["event", "get", position, "--plant", "T1", "-o", "table"]);
    assert!(one.stdout.contains("m2"), "{one:#?}");
    // Under its name there is another one now.
    server.apply(&format!("{kept}[[machine]]\nid = \"m2\"\n"));
    let listed = server.run(&["event", "ls", "--plant", "T1", "--kind", "STATE_CHANGED"]);
    assert!(listed.stdout.contains("#2"), "{listed:#?}");
}

#[test]
fn days_that_only_sources_plan_are_shown() {
    let server = Server::with_plant();
    let range = [
        "--from",
        "2026-12-05T00:00:00Z",
        "--to",
        "2026-12-06T00:00:00Z",
    ];
    let mut asked = vec!["plant", "calendar", "--plant", "T1"];
    asked.extend(range);
    assert_eq!(server.run(&asked).code, 3, "nobody has said anything");
    append(
        &server,
        r#"{"at":"2026-06-01T00:00:00Z","kind":"CALENDAR_CHANGED","unit":"body","key":"rush",
            "from":"2026-12-05T05:00:00Z","to":"2026-12-05T11:00:00Z","intervals":
            [{"from":"2026-12-05T05:00:00Z","to":"2026-12-05T09:00:00Z","kind":"OVERTIME","name":"rush"}]}"#,
    );
    asked.extend(["--unit", "m1"]);
    let ran = server.run(&asked);
    assert_eq!(ran.code, 0, "{ran:#?}");
    // By the plant's clocks, an hour ahead of UTC.
    assert!(ran.stdout.contains("2026-12-05T06:00:00+01:00"), "{ran:#?}");
    let note = "1 of 1 stretches are worked, 4.00 h in all; no calendar is declared, with 1 reported change laid over it";
    assert!(ran.stderr.contains(note), "{ran:#?}");
}

#[test]
fn an_empty_window_says_where_the_last_events_are() {
    let server = Server::with_plant();
    let quality = || server.run(&["quality", "--plant", "T1"]).stderr;
    assert!(!quality().contains("nothing took effect"), "{}", quality());
    append(
        &server,
        r#"{"machine":"m1","at":"2026-01-05T06:00:00.5Z","kind":"STATE_CHANGED","to":"HELD"}"#,
    );
    let said = quality();
    assert!(
        said.contains("did at 2026-01-05T06:00:00.5Z: try --to 2026-01-05T06:00:01Z"),
        "{said}"
    );
    let then = ["quality", "--plant", "T1", "--to", "2026-01-05T06:00:01Z"];
    let said = server.run(&then).stderr;
    assert!(!said.contains("nothing took effect"), "{said}");
    assert!(said.contains(", 1 source, "), "{said}");
}

#[test]
fn a_long_name_does_not_shift_its_row() {
    let name = "paint-shop-oven-0017-north";
    let server = Server::start();
    server.apply(&PLANT.replace("m2", name));
    let mut command = werkbuch(&["machine", "watch", "--plant", "T1", "--present"]);
    command
        .env("WERKBUCH_SERVER", &server.url)
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let lines: Vec<String> = lines.map_while(Result::ok).take(3).collect();
    child.kill().unwrap();
    child.wait().unwrap();
    let [head, rows @ ..] = &lines[..] else {
        panic!("{lines:#?}");
    };
    let at = head.find("CHANGE").unwrap();
    assert!(rows.iter().any(|row| row.contains(name)), "{lines:#?}");
    for row in rows {
        assert_eq!(row.find("PRESENT"), Some(at), "{lines:#?}");
    }
}
