//! The single values of samples, through the binary: there, expired, damaged, lost.

use crate::support::{PLANT, Ran, Server, replay_offline};
use bytes::Bytes;
use serde_json::Value;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};
use werkbuch_engine::{
    Apply, Batch, Clock, Engine, OpenSource, Options, OutcomeResult, SystemClock,
};
use werkbuch_model::event::{Body, Reported, SampleItem, SampleReported, SourceKind};
use werkbuch_model::id::{MachineNumber, PlantId, Position, Sequence, SourceName};
use werkbuch_model::time::Timestamp;
use werkbuch_record::encode_reported;

const DAY_NS: i64 = 86_400_000_000_000;
const VALUES: &[u8] = b"single values";
/// SHA-256 of these values.
const HASH: &str = "7104ed3f0fc08bac21555190d21d1142213e9cf6ac24be8fe143c44d45c03b1f";

/// The system's clock as it was forty days ago.
#[derive(Debug, Default)]
struct FortyDaysAgo(SystemClock);

impl Clock for FortyDaysAgo {
    fn wall(&self) -> Timestamp {
        self.0.wall().plus(-40 * DAY_NS)
    }

    fn monotonic_ns(&self) -> i64 {
        self.0.monotonic_ns()
    }
}

fn described(days: u32) -> String {
    let lifetime = format!("id = \"T1\"\nsample_days = {days}");
    PLANT.replacen("id = \"T1\"", &lifetime, 1)
}

/// Writes a folder in which a batch with single values was recorded forty days ago.
async fn long_ago(data: &Path) -> Position {
    let clock = Arc::new(FortyDaysAgo::default());
    let at = clock.wall();
    let mut options = Options::new(data);
    options.clock = clock;
    let engine = Engine::open(options).await.unwrap();
    let file = werkbuch_model::plant::parse(&described(30), "plant.toml").unwrap();
    let apply = Apply {
        file,
        file_name: "plant.toml".into(),
        file_hash: [0; 32],
        dry_run: false,
        who: "anna".into(),
        why: "first".into(),
    };
    engine.apply(apply).await.unwrap();
    let request = OpenSource {
        source: SourceName::new("gateway").unwrap(),
        kind: SourceKind::Live,
        epoch: None,
        tolerance_ns: None,
        machines: vec!["m1".into()],
    };
    let plant = PlantId::new("T1").unwrap();
    let opened = engine.open_source(&plant, request).await.unwrap();
    let hash: Vec<u8> = (0..32)
        .map(|n| u8::from_str_radix(&HASH[2 * n..2 * n + 2], 16).unwrap())
        .collect();
    let batch = SampleReported {
        period_start: at,
        period_ms: 60_000,
        items: vec![SampleItem {
            item: "load".into(),
            unavailable: 1,
            ..SampleItem::default()
        }],
        body_hash: hash.into(),
        body_bytes: VALUES.len() as u64,
    };
    let event = Reported {
        sequence: Sequence(1),
        machine: MachineNumber(1),
        occurred_at: at,
        observed_at: Some(at),
        historical: false,
        body: Body::SampleReported(batch),
    };
    let batch = Batch {
        events: vec![Bytes::from(encode_reported(&event))],
        bodies: vec![Bytes::from_static(VALUES)],
    };
    let appended = engine.append(opened.session, batch).await.unwrap();
    let OutcomeResult::Recorded(position) = appended.outcomes[0].result else {
        panic!("{appended:?}");
    };
    engine.close().await.unwrap();
    position
}

fn body_of(server: &Server, position: &str) -> Ran {
    server.run(&["event", "body", position, "--plant", "T1", "-o", "json"])
}

/// The exit code, the reason and all that was said of values that are not there.
fn absent(server: &Server, position: &str) -> (i32, String, String) {
    let ran = body_of(server, position);
    let error = ran.error();
    let reason = error["reason"].as_str().unwrap_or_default().to_owned();
    (ran.code, reason, error.to_string())
}

/// Waits until a file is gone.
fn wait_for_deletion(file: &Path) {
    let begin = Instant::now();
    while file.exists() {
        assert!(begin.elapsed() < Duration::from_secs(30), "{file:?} stays");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Imports a recording and answers the position of its first batch with its values.
fn import(server: &Server) -> (String, Value) {
    let shdr = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/scenarios/mill.shdr");
    let shdr = shdr.to_str().unwrap();
    server.json(&[
        "import",
        "shdr",
        "--plant",
        "T1",
        "--machine",
        "m1",
        shdr,
        "-q",
    ]);
    let batches = server.json(&[
        "event",
        "ls",
        "--plant",
        "T1",
        "--kind",
        "SAMPLE_REPORTED",
        "--limit",
        "10",
    ]);
    let position = batches["events"].as_array().unwrap().last().unwrap()["position"].to_string();
    let values = body_of(server, &position).json();
    assert!(values.to_string().contains("Xabs"), "{values}");
    (position, values)
}

#[test]
fn single_values_are_there_or_it_is_said_why_not() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let file = |n: u32| -> PathBuf { data.join(format!("bodies/T1/bodies-{n:010}.log")) };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let old = runtime.block_on(long_ago(&data)).to_string();
    assert!(file(1).exists());

    // The start deletes what has expired, and says so in the log and in the metrics.
    let log = folder.path().join("log");
    let options = ["--log-level", "info"];
    let server = Server::logging(&data, &options, Stdio::from(File::create(&log).unwrap()));
    wait_for_deletion(&file(1));
    let (code, reason, said) = absent(&server, &old);
    assert_eq!(
        (code, reason.as_str()),
        (3, "SAMPLE_BODY_EXPIRED"),
        "{said}"
    );
    assert!(
        said.contains("30 days") && said.contains("sample_days"),
        "{said}"
    );
    let rows = server.json(&["server", "metrics", "werkbuch_expired_files"]);
    assert_eq!(rows[0]["value"], 1.0, "{rows}");
    // Values of today, of a recording of 2017: they live from now on.
    let (new, values) = import(&server);
    // A longer lifetime brings nothing back.
    server.apply(&described(3650));
    let (_, reason, said) = absent(&server, &old);
    assert_eq!(reason, "SAMPLE_BODY_EXPIRED", "{said}");
    assert!(said.contains("30 days"), "{said}");
    assert!(server.stop().success());
    let log = std::fs::read_to_string(log).unwrap();
    assert!(log.contains("expired sample bodies are deleted"), "{log}");

    let whole = std::fs::read(file(2)).unwrap();
    let mut bad = whole.clone();
    for byte in &mut bad[80..] {
        *byte ^= 0x55;
    }
    let states: [(Option<&[u8]>, i32, &str); 4] = [
        (Some(&bad), 5, "SAMPLE_BODY_DAMAGED"),
        (Some(&whole[..80]), 3, "SAMPLE_BODY_LOST"),
        (None, 3, "SAMPLE_BODY_LOST"),
        (Some(&whole), 0, ""),
    ];
    for (bytes, code, reason) in states {
        match bytes {
            Some(bytes) => std::fs::write(file(2), bytes).unwrap(),
            None => std::fs::remove_file(file(2)).unwrap(),
        }
        let server = Server::on(&data, &["--log-level", "error"]);
        if code == 0 {
            assert_eq!(body_of(&server, &new).json()["values"], values["values"]);
        } else {
            let (was, because, said) = absent(&server, &new);
            assert_eq!((was, because.as_str()), (code, reason), "{said}");
            assert!(
                said.contains("bodies/T1") && said.contains("backup"),
                "{said}"
            );
        }
        let (_, reason, said) = absent(&server, &old);
        assert_eq!(reason, "SAMPLE_BODY_EXPIRED", "{said}");
        assert!(server.stop().success());
    }
    // Whatever became of the values, the log is as it was.
    for comparison in replay_offline(&data)["comparisons"].as_array().unwrap() {
        assert_eq!(comparison["verdict"], "EQUAL", "{comparison}");
    }
}
