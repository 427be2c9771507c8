//! What is asked for by mistake is said to be one: instants, windows, zones, limits and tokens.

use crate::support::{Server, werkbuch};
use std::fmt::Write as _;
use std::io::Read;
use std::process::{Command, Stdio};

/// More than fits into a pipe many times over.
const EVENTS: usize = 60_000;

#[test]
fn an_instant_or_a_window_that_is_none_is_refused() {
    let server = Server::with_plant();
    let cases: &[(&[&str], &str)] = &[
        (&["machine", "ls", "--plant", "T1", "--at", ""], "empty"),
        (&["diff", "--plant", "T1", "--from", " "], "empty"),
        (&["plant", "ls", "--tz", "Mars/Phobos"], "--tz"),
        (
            &["event", "ls", "--plant", "T1", "--from", "3", "--to", "2"],
            "before it begins",
        ),
        (
            &[
                "export", "events", "--format", "csv", "--plant", "T1", "--from", "3", "--to", "2",
            ],
            "before it begins",
        ),
        (
            &["event", "ls", "--plant", "T1", "--limit", "1000000"],
            "10000 events",
        ),
        (
            &["event", "tail", "--plant", "T1", "--from", "999"],
            "ends at",
        ),
        (
            &["machine", "watch", "--plant", "T1", "--from", "0"],
            "--from 0",
        ),
        (
            &[
                "machine", "watch", "--plant", "T1", "--from", "1", "--at", "-1h",
            ],
            "said twice, by --from or --at",
        ),
        (
            &[
                "machine",
                "watch",
                "--plant",
                "T1",
                "--from",
                "2099-01-01T00:00:00Z",
            ],
            "2099-01-01T00:00:00Z lies ahead",
        ),
        (
            &["machine", "ls", "--plant", "T1", "--at", "soon"],
            "\n  --at: is no instant",
        ),
        (
            &["find", "all", "raised_rules > 0", "--plant", "T1"],
            "known to lists, counts and figures",
        ),
    ];
    for (arguments, says) in cases {
        let ran = server.run(arguments);
        assert_eq!(ran.code, 2, "{arguments:?}: {ran:#?}");
        assert!(ran.stderr.contains(says), "{arguments:?}: {ran:#?}");
    }
    // What is wrong is said once, and what cannot help is not advised.
    let ran = server.run(&["machine", "ls", "--plant", "T1", "--where", "colour = 1"]);
    assert_eq!(
        ran.stderr.matches("no field \"colour\"").count(),
        1,
        "{ran:#?}"
    );
    let ran = server.run(&["machine", "watch", "--plant", "T1", "--resume", "zz"]);
    assert_eq!(ran.code, 2, "{ran:#?}");
    assert!(!ran.stderr.contains("go on with"), "{ran:#?}");
}

#[test]
fn a_kept_answer_is_a_cut_and_figures_have_columns() {
    let server = Server::with_plant();
    let answer = server.run(&["machine", "ls", "--all-plants", "-o", "json"]);
    let kept = server.data.join("kept.json");
    std::fs::write(&kept, &answer.stdout).unwrap();
    let known = format!("@{}", kept.display());
    let again = server.json(&["machine", "ls", "--all-plants", "--known", &known]);
    assert_eq!(again["machines"], answer.json()["machines"]);
    std::fs::write(&kept, "{}").unwrap();
    let ran = server.run(&["machine", "ls", "--all-plants", "--known", &known]);
    assert_eq!(ran.code, 2, "{ran:#?}");
    assert!(ran.stderr.contains("holds a cut"), "{ran:#?}");
    let ran = server.run(&["export", "columns", "aggregates"]);
    assert_eq!(ran.code, 0, "{ran:#?}");
    assert!(ran.stdout.contains("sum_parts"), "{ran:#?}");
}

#[test]
fn who_follows_the_past_is_stopped_at_once() {
    let server = Server::with_plant();
    let mut lines = String::new();
    for number in 0..EVENTS {
        let (minute, second, to) = (number / 60 % 60, number % 60, ["HELD", "IDLE"][number % 2]);
        let hour = number / 3_600;
        writeln!(
            lines,
            "{{\"machine\":\"m1\",\"time\":\"2025-11-22T{hour:02}:{minute:02}:{second:02}Z\",\
             \"kind\":\"STATE_CHANGED\",\"to\":\"{to}\"}}"
        )
        .unwrap();
    }
    let file = server.data.join("past.jsonl");
    std::fs::write(&file, lines).unwrap();
    let ran = server.run(&["import", "jsonl", "--plant", "T1", file.to_str().unwrap()]);
    assert_eq!(ran.code, 0, "{ran:#?}");
    for (noun, verb) in [("event", "tail"), ("machine", "watch")] {
        let mut command = werkbuch(&[noun, verb, "--plant", "T1", "--from", "1", "-o", "jsonl"]);
        command.env("WERKBUCH_SERVER", &server.url);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdout = child.stdout.take().unwrap();
        // It has begun, and stands before a pipe that is full.
        let mut text = vec![0; 1];
        stdout.read_exact(&mut text).unwrap();
        let sent = Command::new("kill")
            .args(["-INT", &child.id().to_string()])
            .status();
        assert!(sent.unwrap().success());
        std::thread::sleep(std::time::Duration::from_millis(200));
        stdout.read_to_end(&mut text).unwrap();
        let ended = child.wait_with_output().unwrap();
        assert!(ended.status.success(), "{noun}: {ended:?}");
        let told = String::from_utf8(text).unwrap().lines().count();
        assert!(told < EVENTS / 2, "{noun}: {told} lines");
        let note = String::from_utf8(ended.stderr).unwrap();
        assert!(note.contains("go on with --"), "{noun}: {note}");
    }
}
