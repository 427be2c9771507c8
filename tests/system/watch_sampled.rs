//! Watching by samples and on a screen, through the binary.

use crate::support::Server;
use crate::watch::{Watcher, end, report};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(60);
/// The pieces of what a terminal shows that wait to be looked at.
const PIECES_WAITING: usize = 1_024;

/// The changes that a watcher tells up to a position.
fn changes(watcher: &mut Watcher, end: u64) -> Vec<Value> {
    let mut changes = Vec::new();
    loop {
        let item = watcher.next();
        if item["type"] == "change" {
            changes.push(item);
        } else if item["plants"]["T1"]["position"] == end {
            return changes;
        }
    }
}

/// How many events the changes stand for, by their machines.
fn events(changes: &[Value]) -> BTreeMap<String, u64> {
    let mut events = BTreeMap::new();
    for change in changes {
        let machine = change["machine"]["machine"].as_str().unwrap().to_owned();
        *events.entry(machine).or_default() += change["events"].as_u64().unwrap();
    }
    events
}

#[test]
fn samples_stand_for_every_event_and_go_on_by_their_token() {
    let server = Server::with_plant();
    let from = (end(&server, "T1") + 1).to_string();
    let sampled = ["--plant", "T1", "--every", "250ms"];
    let mut watcher = Watcher::start(&server.url, &[&sampled[..], &["--from", &from]].concat());
    let last = report(&server.url, 8, 500);
    let seen = changes(&mut watcher, last);
    let of_each = |count: u64| BTreeMap::from(["m1", "m2"].map(|name| (name.to_owned(), count)));
    assert_eq!(events(&seen), of_each(2_000));
    assert!(seen.len() < 400, "{} rows of 4000 events", seen.len());
    let said = watcher.interrupt();
    let (_, token) = said.trim().rsplit_once("--resume ").expect("the token");

    let machine = |state: &str| {
        let to = format!("to={state}");
        let ran = server.run(&[
            "event",
            "append",
            "--plant",
            "T1",
            "--machine",
            "m1",
            "--kind",
            "STATE_CHANGED",
            "--set",
            &to,
            "-o",
            "json",
        ]);
        ran.json()["position"].as_u64().unwrap()
    };
    let held = [machine("HELD"), machine("STOPPED"), machine("FAULTED")];
    let mut again = Watcher::start(&server.url, &[&sampled[..], &["--resume", token]].concat());
    let seen = changes(&mut again, held[2]);
    assert_eq!(events(&seen), BTreeMap::from([("m1".to_owned(), 3)]));
    let last = seen.last().unwrap();
    assert_eq!(
        (&last["machine"]["state"], &last["position"]),
        (&"FAULTED".into(), &held[2].into())
    );
    again.interrupt();
    let long = [
        "machine", "watch", "--plant", "T1", "--every", "2h", "-o", "json",
    ];
    let refused = server.run(&long);
    assert_eq!(refused.error()["reason"], "INVALID_REQUEST", "{refused:#?}");
}

/// A command on a terminal of its own. `script` of util-linux makes one.
struct Terminal {
    child: Child,
    shown: Receiver<Vec<u8>>,
    text: String,
}

impl Terminal {
    /// None where there is no such `script`.
    fn start(url: &str, command: &str) -> Option<Self> {
        let version = Command::new("script").arg("--version").output().ok()?;
        if !String::from_utf8_lossy(&version.stdout).contains("util-linux") {
            return None;
        }
        // A shell in between would get the Ctrl-C too, and some shells then answer with a code of their own.
        let line = format!("exec {} {command}", env!("CARGO_BIN_EXE_werkbuch"));
        let mut child = Command::new("script")
            .args(["-qefc", &line, "/dev/null"])
            .env("WERKBUCH_SERVER", url)
            .env("WERKBUCH_CONFIG", "")
            .env_remove("WERKBUCH_PLANT")
            .env_remove("NO_COLOR")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = child.stdout.take().unwrap();
        let (sender, shown) = sync_channel(PIECES_WAITING);
        std::thread::spawn(move || {
            let mut bytes = [0; 4_096];
            while let Ok(count @ 1..) = stdout.read(&mut bytes) {
                if sender.send(bytes[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        Some(Self {
            child,
            shown,
            text: String::new(),
        })
    }

    /// Waits until the last drawing holds all these texts.
    fn until(&mut self, texts: &[&str]) -> String {
        let begin = Instant::now();
        loop {
            // A drawing goes up to where the one before began, and clears from there.
            let drawing = self.text.rsplit("\x1b[J").next().unwrap_or_default();
            if texts.iter().all(|text| drawing.contains(text)) {
                return drawing.to_owned();
            }
            assert!(begin.elapsed() < PATIENCE, "no {texts:?}: {:?}", self.text);
            if let Ok(more) = self.shown.recv_timeout(Duration::from_millis(100)) {
                self.text.push_str(&String::from_utf8_lossy(&more));
            }
        }
    }

    /// Presses Ctrl-C and waits for the end. Answers everything that was shown.
    fn interrupt(mut self) -> String {
        self.child.stdin.take().unwrap().write_all(b"\x03").unwrap();
        while let Ok(more) = self.shown.recv_timeout(PATIENCE) {
            self.text.push_str(&String::from_utf8_lossy(&more));
        }
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{status} {:?}", self.text);
        std::mem::take(&mut self.text)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_screen_is_drawn_again_when_machines_change() {
    let server = Server::with_plant();
    let watch = "machine watch --plant T1 --screen --every 50ms --heartbeat 200ms";
    let Some(mut terminal) = Terminal::start(&server.url, watch) else {
        eprintln!("SKIPPED: no `script` of util-linux, which makes a terminal");
        return;
    };
    let drawn = terminal.until(&["2 machines of 1 plants", "2 of 2 machines shown"]);
    assert!(drawn.contains("2 UNAVAILABLE"), "{drawn:?}");
    let append = |arguments: &[&str]| {
        let mut all = vec!["event", "append", "--plant", "T1"];
        all.extend(arguments);
        let ran = server.run(&all);
        assert_eq!(ran.code, 0, "{ran:#?}");
    };
    let state = ["--kind", "STATE_CHANGED", "--set"];
    append(&[&["--machine", "m1"], &state[..], &["to=FAULTED"]].concat());
    terminal.until(&[
        "UNAVAILABLE -> FAULTED",
        "1 FAULTED, 1 UNAVAILABLE",
        " 0 to go",
    ]);
    // What follows for a neighbour is drawn too: the buffer before it is empty.
    append(&[&["--machine", "m2"], &state[..], &["to=IDLE"]].concat());
    terminal.until(&["1 FAULTED, 1 IDLE"]);
    append(&[
        "--kind",
        "BUFFER_LEVEL_CHANGED",
        "--set",
        "buffer=b",
        "--set",
        "level=0",
    ]);
    let drawn = terminal.until(&["IDLE (STARVED inferred)"]);
    assert_eq!(
        drawn.matches("m2").count(),
        1,
        "one line for each machine: {drawn:?}"
    );
    let all = terminal.interrupt();
    assert!(all.contains("go on with --resume "), "{all:?}");
}
