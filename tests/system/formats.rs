//! Data folders of every released format are opened by every later build.
//!
//! Each folder of `snapshots/format` was written by the build that had that format first: log, sample
//! bodies, snapshot, key ring. It is never written again; a new format gets a folder of its own beside
//! it (`UPDATE_SNAPSHOTS=1` writes the newest when it is missing).

use crate::support::{PLANT, Server, replay_offline, run};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// The formats, the newest last: 2 has a description only once in a snapshot, 3 keeps apart what of it
/// lies ahead, 4 has what a machine says in one piece and for when sources were heard,
/// 5 has the rules that apply and what is raised.
const FORMATS: [&str; 5] = ["v1", "v2", "v3", "v4", "v5"];

fn golden(format: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../snapshots/format")
        .join(format)
}

#[test]
fn folders_of_released_formats_are_opened() {
    let (newest, older) = FORMATS.split_last().unwrap();
    if !golden(newest).exists() && std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        write(&golden(newest));
    }
    for format in older {
        // Its snapshots may be dropped and built anew; log and root hold for ever.
        opens(&golden(format), &["root", "recorded digest"]);
    }
    opens(&golden(newest), &["root", "recorded digest", "snapshot"]);
}

fn opens(golden: &Path, equal: &[&str]) {
    let expected: Value =
        serde_json::from_str(&std::fs::read_to_string(golden.join("expected.json")).unwrap())
            .unwrap();
    let place = tempfile::tempdir().unwrap();
    let data = place.path().join("data");
    copy(&golden.join("data"), &data);

    let offline = replay_offline(&data);
    assert_eq!(offline["digest"], expected["digest"], "{offline}");
    assert_eq!(offline["root"], expected["root"], "{offline}");
    for with in equal {
        let comparisons = offline["comparisons"].as_array().unwrap().iter();
        let mut with = comparisons.filter(|one| one["with"] == *with);
        let comparison = with.next().unwrap();
        assert_eq!(comparison["verdict"], "EQUAL", "{offline}");
    }
    let server = Server::on(&data, &[]);
    assert_eq!(
        server.json(&["twin", "get", "T1"])["digest"],
        expected["digest"]
    );
    let machine = server.json(&["machine", "get", "m1", "--plant", "T1"]);
    assert_eq!(machine["state"], "EXECUTING", "{machine}");
    assert_eq!(
        import(&server)["recorded"],
        0,
        "what was recorded then is a repeat now"
    );
    assert!(server.stop().success());
}

fn import(server: &Server) -> Value {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/scenarios/mill.shdr");
    let file = file.to_str().unwrap();
    server.json(&[
        "import",
        "shdr",
        "--plant",
        "T1",
        "--machine",
        "m1",
        file,
        "-q",
    ])
}

fn write(golden: &Path) {
    let data = golden.join("data");
    std::fs::create_dir_all(golden).unwrap();
    let server = Server::on(&data, &[]);
    server.apply(PLANT);
    import(&server);
    assert!(server.stop().success());
    let replay = run(&[
        "replay",
        "--plant",
        "T1",
        "--data",
        data.to_str().unwrap(),
        "-o",
        "json",
    ])
    .json();
    let expected = serde_json::json!({"digest": replay["digest"], "root": replay["root"]});
    let text = serde_json::to_string_pretty(&expected).unwrap() + "\n";
    std::fs::write(golden.join("expected.json"), text).unwrap();
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            std::fs::copy(&path, &target).unwrap();
        }
    }
}
