//! Watching through the binary: beside an importer, through a kill, at two plants, and without reading.

use crate::support::{PLANT, Server, werkbuch};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;
use werkbuch_model::event::{Body, Reported, SourceKind, State, StateChanged};
use werkbuch_model::id::{MachineNumber, Sequence};
use werkbuch_model::time::{SECOND_NS, Timestamp};
use werkbuch_record::encode_reported;
use werkbuch_wire::{name, pb};

const PATIENCE: Duration = Duration::from_secs(60);
/// The lines of a watcher that wait to be looked at.
const LINES_WAITING: usize = 1_024;

/// A `machine watch` that runs.
pub(crate) struct Watcher {
    child: Child,
    stdout: Option<ChildStdout>,
    lines: Option<Receiver<String>>,
}

impl Watcher {
    pub(crate) fn start(url: &str, arguments: &[&str]) -> Self {
        let mut all = vec!["machine", "watch", "-o", "jsonl", "--heartbeat", "100ms"];
        all.extend(arguments);
        let mut command = werkbuch(&all);
        command.env("WERKBUCH_SERVER", url);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary starts");
        Self {
            stdout: child.stdout.take(),
            child,
            lines: None,
        }
    }

    /// The next thing it says. From the first time on its output is read as it comes.
    pub(crate) fn next(&mut self) -> Value {
        let stdout = self.stdout.take();
        let lines = self.lines.get_or_insert_with(|| {
            let (sender, lines) = sync_channel(LINES_WAITING);
            let reader = BufReader::new(stdout.expect("its output"));
            std::thread::spawn(move || {
                for line in reader.lines().map_while(Result::ok) {
                    if sender.send(line).is_err() {
                        return;
                    }
                }
            });
            lines
        });
        let line = lines.recv_timeout(PATIENCE).expect("a heartbeat at least");
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }

    /// The changes as (plant, position), up to these ends.
    pub(crate) fn until(&mut self, ends: &[(&str, u64)]) -> Vec<(String, u64)> {
        let mut changes = Vec::new();
        loop {
            let item = self.next();
            if item["type"] == "change" {
                let plant = item["plant"].as_str().unwrap().to_owned();
                changes.push((plant, item["position"].as_u64().unwrap()));
            } else {
                let there = |(plant, end): &(&str, u64)| item["plants"][plant]["position"] == *end;
                if ends.iter().all(there) {
                    return changes;
                }
            }
        }
    }

    /// Ends it, as a person does with Ctrl-C; answers what it said on standard error.
    pub(crate) fn interrupt(mut self) -> String {
        let sent = Command::new("kill")
            .args(["-INT", &self.child.id().to_string()])
            .status();
        assert!(sent.expect("kill is there").success());
        let mut said = String::new();
        let stderr = self.child.stderr.take();
        stderr.unwrap().read_to_string(&mut said).unwrap();
        assert!(self.child.wait().unwrap().success(), "{said}");
        said
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn end(server: &Server, plant: &str) -> u64 {
    let twin = server.json(&["twin", "get", plant]);
    twin["position"].as_u64().unwrap()
}

/// The positions of a plant's events that are about a machine, beyond `after`.
fn about_machines(server: &Server, plant: &str, after: u64) -> Vec<(String, u64)> {
    let from = (after + 1).to_string();
    let listed = server.json(&[
        "event", "ls", "--plant", plant, "--from", &from, "--limit", "10000",
    ]);
    let events = listed["events"].as_array().unwrap().iter();
    events
        .filter(|event| event["reported"]["machine"].as_u64().unwrap_or(0) > 0)
        .map(|event| (plant.to_owned(), event["position"].as_u64().unwrap()))
        .collect()
}

fn of(plant: &str, changes: &[(String, u64)]) -> Vec<(String, u64)> {
    let of = changes.iter().filter(|(of, _)| of == plant);
    of.cloned().collect()
}

/// A recording of a mill whose state changes `count` times, in the hour given.
fn recording(folder: &Path, hour: usize, count: usize) -> String {
    let line = |at: usize| {
        let word = ["ACTIVE", "READY", "INTERRUPTED"][at % 3];
        format!(
            "2026-11-20T{hour:02}:{:02}:{:02}Z|execution|{word}\n",
            at / 60 % 60,
            at % 60
        )
    };
    let path = folder.join(format!("mill-{hour}.shdr"));
    std::fs::write(&path, (0..count).map(line).collect::<String>()).unwrap();
    path.to_str().unwrap().to_owned()
}

fn import(server: &Server, plant: &str, machine: &str, file: &str) {
    let told = server.json(&[
        "import",
        "shdr",
        "--plant",
        plant,
        "--machine",
        machine,
        file,
        "-q",
    ]);
    assert!(told["recorded"].as_u64().unwrap() > 100, "{told}");
}

#[test]
fn a_watcher_of_two_plants_misses_nothing_through_a_kill_and_goes_on_by_its_token() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = port.local_addr().unwrap().to_string();
    drop(port);
    let server = Server::at(&listen, &data, &[]);
    server.apply(PLANT);
    server.apply(&PLANT.replace("T1", "T2"));
    let url = server.url.clone();
    let mut watcher = Watcher::start(&url, &[]);
    let first = watcher.next();
    assert_eq!(first["type"], "heartbeat", "{first}");
    let begun = |plant: &str| first["plants"][plant]["position"].as_u64().unwrap();

    import(&server, "T1", "m1", &recording(folder.path(), 6, 900));
    import(&server, "T2", "m2", &recording(folder.path(), 7, 700));
    let _ = server.kill();
    let server = Server::at(&listen, &data, &[]);
    import(&server, "T1", "m2", &recording(folder.path(), 8, 800));
    let ends = [("T1", end(&server, "T1")), ("T2", end(&server, "T2"))];
    let seen = watcher.until(&ends);
    for (plant, _) in ends {
        let expected = about_machines(&server, plant, begun(plant));
        assert!(expected.len() > 500, "{}", expected.len());
        assert_eq!(of(plant, &seen), expected, "plant {plant}");
    }
    let said = watcher.interrupt();
    assert!(said.contains("the stream broke off"), "{said}");
    let (_, token) = said
        .trim()
        .rsplit_once("go on with --resume ")
        .expect("the token");

    import(&server, "T2", "m1", &recording(folder.path(), 9, 300));
    let ends = [ends[0], ("T2", end(&server, "T2"))];
    let mut again = Watcher::start(&url, &["--resume", token]);
    let seen = again.until(&ends);
    let last = about_machines(&server, "T2", 0).len() - seen.len();
    assert!(seen.len() >= 200, "{}", seen.len());
    assert_eq!(seen, about_machines(&server, "T2", 0)[last..]);
    again.interrupt();
    assert!(server.stop().success());
}

/// What a watch says that ends by itself.
fn told(server: &Server, arguments: &[&str]) -> Vec<Value> {
    let all = ["machine", "watch", "-o", "jsonl", "--until-live"];
    let ran = server.run(&[&all[..], arguments].concat());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let lines = ran.stdout.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn positions(items: &[Value], kind: &str) -> Vec<u64> {
    let changes = items.iter().filter(|item| item["type"] == "change");
    let of = changes.filter(|item| (item["change"] == "PRESENT") == (kind == "PRESENT"));
    of.map(|item| item["position"].as_u64().unwrap()).collect()
}

#[test]
fn history_flows_into_the_present_from_any_instant_also_after_a_kill_and_in_another_process() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let server = Server::on(&data, &["--past-every", "64"]);
    server.apply(PLANT);
    import(&server, "T1", "m1", &recording(folder.path(), 6, 900));
    let half = end(&server, "T1");
    let cut = server.json(&["machine", "count", "--all-plants"]);
    let cut = cut["cut"]["token"].as_str().unwrap().to_owned();
    import(&server, "T1", "m2", &recording(folder.path(), 8, 700));
    let _ = server.kill();
    let server = Server::on(&data, &["--past-every", "64"]);
    let last = end(&server, "T1");

    // At the position, behind the cut, and at the time of the plant there is the same seam.
    let from = (half + 1).to_string();
    let seen = told(&server, &["--plant", "T1", "--from", &from, "--present"]);
    let live = seen.last().unwrap();
    assert_eq!(
        (&live["type"], &live["plant"]),
        (&"caught_up".into(), &"T1".into())
    );
    assert_eq!(live["position"].as_u64().unwrap(), last);
    assert_eq!(
        positions(&seen, "PRESENT"),
        [half, half],
        "both machines as they were"
    );
    let all: Vec<u64> = about_machines(&server, "T1", half)
        .iter()
        .map(|one| one.1)
        .collect();
    assert!(all.len() > 400, "{}", all.len());
    assert_eq!(positions(&seen, "CHANGED"), all);
    let again = told(&server, &["--all-plants", "--from", &cut]);
    assert_eq!(positions(&again, "CHANGED"), all);
    let by_time = told(&server, &["--plant", "T1", "--at", "2026-11-20T08:00:00Z"]);
    assert_eq!(positions(&by_time, "CHANGED"), all);
    let by_clock = [
        "--plant",
        "T1",
        "--at",
        "2026-11-20 09:00",
        "--tz",
        "Europe/Berlin",
    ];
    assert_eq!(positions(&told(&server, &by_clock), "CHANGED"), all);

    // The token goes on where the log has grown, in a server that was killed once more.
    let token = live["resume_token"].as_str().unwrap().to_owned();
    import(&server, "T1", "m1", &recording(folder.path(), 10, 400));
    let _ = server.kill();
    let server = Server::on(&data, &[]);
    let more: Vec<u64> = about_machines(&server, "T1", last)
        .iter()
        .map(|one| one.1)
        .collect();
    assert!(more.len() > 200, "{}", more.len());
    let resumed = told(&server, &["--plant", "T1", "--resume", &token]);
    assert_eq!(positions(&resumed, "CHANGED"), more);

    // Another book, another filter, a slip of the pen: each says what it is and what to do.
    let another = Server::with_plant();
    let slip = token.replace('a', "b");
    for (server, arguments, what) in [
        (
            &another,
            vec!["--plant", "T1", "--resume", &token],
            "another log now",
        ),
        (
            &server,
            vec!["--plant", "T1", "--where", "number = 1", "--resume", &token],
            "another filter",
        ),
        (
            &server,
            vec!["--plant", "T1", "--resume", &slip],
            "not whole",
        ),
    ] {
        let all = [&["machine", "watch"][..], &arguments].concat();
        let ran = server.run(&all);
        assert_eq!(ran.code, 2, "{}", ran.stderr);
        for part in [what, "begin anew"] {
            assert!(ran.stderr.contains(part), "{}", ran.stderr);
        }
    }
}

#[test]
fn a_watcher_that_does_not_read_is_told_and_gets_everything_once_all_the_same() {
    let server = Server::with_plant();
    let begun = end(&server, "T1");
    let from = (begun + 1).to_string();
    let mut watcher = Watcher::start(&server.url, &["--plant", "T1", "--from", &from]);
    let last = report(&server.url, 120, 500);
    let seen: Vec<_> = watcher
        .until(&[("T1", last)])
        .into_iter()
        .map(|(_, at)| at)
        .collect();
    let opened = begun + 2;
    assert_eq!(seen, (opened..=last).collect::<Vec<_>>());
    let said = watcher.interrupt();
    assert!(
        said.contains("come from the log, this reader is slow"),
        "{said}"
    );
}

/// Reports batches of a live source, as fast as they are acknowledged. Answers the last position.
pub(crate) fn report(url: &str, batches: u64, events: u64) -> u64 {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let connect = pb::ingest_service_client::IngestServiceClient::connect(url.to_owned());
        let mut client = connect.await.unwrap();
        let request = pb::OpenSourceRequest {
            parent: name::of_plant("T1"),
            source: "gateway-1".into(),
            source_kind: SourceKind::Live.code() as i32,
            ..Default::default()
        };
        let opened = client.open_source(request).await.unwrap().into_inner();
        let mut position = 0;
        for batch in 0..batches {
            let first = batch * events + 1;
            let events = (first..first + events).map(|sequence| event(sequence).into());
            let batch = pb::AppendRequest {
                session: opened.session,
                events: events.collect(),
                ..Default::default()
            };
            position = client.append(batch).await.unwrap().into_inner().position;
        }
        position
    })
}

fn event(sequence: u64) -> Vec<u8> {
    let at = Timestamp(1_763_000_000 * SECOND_NS + sequence as i64 * 1_000_000);
    encode_reported(&Reported {
        sequence: Sequence(sequence),
        machine: MachineNumber(1 + sequence as u32 % 2),
        occurred_at: at,
        observed_at: Some(at),
        historical: false,
        body: Body::StateChanged(StateChanged {
            to: [State::Executing, State::Idle][sequence as usize % 2],
            native: "a word that takes up some room in every row that is sent".into(),
            ..StateChanged::default()
        }),
    })
}
