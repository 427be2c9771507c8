//! The clock is a year off when a server starts: nothing is recorded before what is there, and the
//! operator is told.

use crate::support::{PLANT, Server};
use std::path::Path;
use std::sync::Arc;
use werkbuch_engine::{Apply, Clock, Engine, ManualClock, Options, SystemClock};
use werkbuch_model::time::{SECOND_NS, Timestamp};

const YEAR_NS: i64 = 365 * 86_400 * SECOND_NS;

/// A folder whose plant was described by a clock that was this far off.
fn written(data: &Path, off_ns: i64) {
    let clock = Arc::new(ManualClock::default());
    clock.pass(SystemClock::default().wall().nanos() + off_ns);
    let mut options = Options::new(data);
    options.clock = clock;
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let engine = Engine::open(options).await.unwrap();
        let file = werkbuch_model::plant::parse(PLANT, "plant.toml").unwrap();
        let apply = Apply {
            file,
            file_name: "plant.toml".into(),
            file_hash: [7; 32],
            dry_run: false,
            who: "anna".into(),
            why: "first".into(),
        };
        engine.apply(apply).await.unwrap();
        engine.close().await.unwrap();
    });
}

/// Starts the server on the folder by today's clock and reports something. Answers when everything was
/// recorded, in the order of the log, and what the server said.
fn served(place: &Path) -> (Vec<Timestamp>, String) {
    let (data, said) = (place.join("data"), place.join("said"));
    let log = std::fs::File::create(&said).unwrap();
    let server = Server::logging(&data, &[], log.into());
    let recording = place.join("m1.shdr");
    std::fs::write(&recording, "2026-11-20T10:00:00Z|execution|ACTIVE\n").unwrap();
    let path = recording.to_str().unwrap();
    let import = ["import", "shdr", "--plant", "T1", "--machine", "m1", path];
    let imported = server.run(&import);
    assert_eq!(imported.code, 0, "{imported:?}");
    let events = server.json(&["event", "ls", "--plant", "T1", "--limit", "0"]);
    let events = events["events"].as_array().unwrap();
    let times = events.iter().map(|event| {
        let text = event["recorded_at"].as_str().unwrap();
        Timestamp::parse(text).unwrap()
    });
    let times = times.collect();
    assert!(server.stop().success());
    (times, std::fs::read_to_string(said).unwrap())
}

#[test]
fn a_clock_set_back_a_year_never_sets_the_log_back() {
    let place = tempfile::tempdir().unwrap();
    written(&place.path().join("data"), YEAR_NS);
    let (times, said) = served(place.path());
    assert!(
        times.len() > 5 && times.windows(2).all(|pair| pair[0] < pair[1]),
        "{times:?}"
    );
    let now = SystemClock::default().wall();
    assert!(times.last().unwrap().since(now) > YEAR_NS / 2, "{times:?}");
    // The operator learns it, and what it means.
    let line = said
        .lines()
        .find(|line| line.contains("WARN"))
        .unwrap_or_default();
    for text in ["the clock is behind the log", "T1", "set the clock right"] {
        assert!(line.contains(text), "no {text} in {said}");
    }
}

#[test]
fn a_clock_set_forward_a_year_is_believed_at_a_start() {
    let place = tempfile::tempdir().unwrap();
    written(&place.path().join("data"), -YEAR_NS);
    let (times, said) = served(place.path());
    assert!(times.windows(2).all(|pair| pair[0] < pair[1]), "{times:?}");
    let longest = times
        .windows(2)
        .map(|pair| pair[1].since(pair[0]))
        .max()
        .unwrap();
    assert!(longest > YEAR_NS / 2, "{times:?}");
    assert_eq!(
        said, "",
        "a server that was off for a year is nothing to warn of"
    );
}
