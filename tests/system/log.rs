//! What the files of a log are told to be, and that damage to them is found with its place.

use crate::support::{PLANT, Server, replay_offline, run, werkbuch};
use serde_json::{Value, json};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;

/// Enough for a few write-ahead files of 1 MiB.
const LINES: u64 = 90_000;

/// A data folder of which most is sealed, left by a server that was closed in good order.
pub(crate) fn sealed_folder(place: &Path) -> PathBuf {
    filled_folder(place, "segments", LINES)
}

fn filled_folder(place: &Path, store: &str, lines: u64) -> PathBuf {
    let data = place.join("data");
    let server = Server::on(&data, &["--write-ahead-mib", "1", "--store", store]);
    server.apply(PLANT);
    let import = [
        "import",
        "jsonl",
        "--plant",
        "T1",
        "-",
        "-q",
        "--server",
        &server.url,
    ];
    let mut child = werkbuch(&import)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = std::io::BufWriter::new(child.stdin.take().unwrap());
    for number in 0..lines {
        // Texts that do not repeat, so that the log grows.
        let chance = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let second = number % 60;
        let (minute, hour) = (number / 60 % 60, number / 3_600 % 24);
        let day = number / 86_400 + 1;
        let line = json!({
            "machine": if number < 2_000 { "m2" } else { "m1" },
            "time": format!("2026-01-{day:02}T{hour:02}:{minute:02}:{second:02}Z"),
            "kind": "ITEM_CHANGED",
            "item": "serial",
            "text": format!("{chance:016x}"),
        });
        writeln!(stdin, "{line}").unwrap();
    }
    stdin.flush().unwrap();
    drop(stdin);
    assert!(child.wait().unwrap().success());
    if store == "segments" {
        until_sealed(&data);
    }
    // What is sealed is served like the rest.
    let first = server.json(&[
        "event",
        "ls",
        "--plant",
        "T1",
        "--machine",
        "m2",
        "--limit",
        "3",
    ]);
    assert_eq!(first["shown"], 3, "{first}");
    assert!(server.stop().success());
    data
}

/// Waits until the write-ahead files that are full are sealed.
fn until_sealed(data: &Path) {
    let begin = std::time::Instant::now();
    loop {
        let names = std::fs::read_dir(data.join("log")).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name());
        let files = names.filter(|name| name.to_string_lossy().starts_with("wal-"));
        if files.count() <= 2 {
            return;
        }
        assert!(begin.elapsed().as_secs() < 60, "nothing is sealed");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

fn log(verb: &str, data: &Path) -> Value {
    run(&["log", verb, "--data", data.to_str().unwrap(), "-o", "json"]).json()
}

#[test]
fn the_files_of_a_log_are_listed_summed_up_and_verified() {
    let place = tempfile::tempdir().unwrap();
    let data = sealed_folder(place.path());
    let listed = log("ls", &data);
    let files = listed["files"].as_array().unwrap();
    let of = |kind: &str| files.iter().filter(|file| file["kind"] == kind).count();
    assert!(of("segment") > 0, "{listed}");
    assert_eq!(listed["shown"], files.len());
    let events = |files: &[Value]| -> u64 {
        files
            .iter()
            .map(|file| file["events"].as_u64().unwrap())
            .sum()
    };
    let replayed = replay_offline(&data);
    assert_eq!(events(files), replayed["events"].as_u64().unwrap());

    let stat = log("stat", &data);
    let plant = &stat["plants"][0];
    assert_eq!(plant["root"], replayed["root"]);
    assert_eq!(plant["events"], replayed["events"]);
    assert!(
        plant["sealed_events"].as_u64().unwrap() > LINES / 4,
        "{stat}"
    );
    assert_eq!(stat["closed"], true);

    let verified = log("verify", &data);
    assert_eq!(verified["events"], replayed["events"]);
    assert_eq!(verified["files"], files.len());
    assert_eq!(verified["bytes"], listed["bytes"]);
    assert_eq!(verified["sample_bodies_missing"], 0);
}

#[test]
fn damage_is_found_with_its_file_and_never_served() {
    let place = tempfile::tempdir().unwrap();
    let data = sealed_folder(place.path());
    let listed = log("ls", &data);
    let file = listed["files"].as_array().unwrap().iter();
    let mut segments = file.filter(|file| file["kind"] == "segment");
    let segment = data.join(segments.next().unwrap()["file"].as_str().unwrap());
    let whole = std::fs::read(&segment).unwrap();
    let mut bad = whole.clone();
    // In the first block with what m2 said.
    bad[2_000] ^= 1;
    std::fs::write(&segment, &bad).unwrap();
    let name = segment.file_name().unwrap().to_str().unwrap();
    let folder = data.to_str().unwrap();
    let verify = ["log", "verify", "--data", folder, "-o", "json"];

    let ran = run(&verify);
    assert_eq!(ran.code, 5, "{ran:#?}");
    let error = ran.error();
    assert_eq!(error["reason"], "LOG_DAMAGED");
    assert!(error["message"].as_str().unwrap().contains(name), "{error}");
    // A start does not read what is sealed; a question that needs it is refused.
    let server = Server::on(&data, &[]);
    let asked = server.run(&["event", "ls", "--plant", "T1", "--machine", "m2"]);
    assert_eq!(asked.code, 5, "{asked:#?}");
    assert!(asked.stderr.contains("LOG_DAMAGED"), "{asked:#?}");
    // While a server holds the folder, nobody else reads it.
    assert_eq!(run(&verify).code, 4);
    assert!(server.stop().success());

    std::fs::write(&segment, &whole).unwrap();
    assert_eq!(log("verify", &data)["torn_bytes"], 0);
    std::fs::remove_file(&segment).unwrap();
    let ran = run(&verify);
    assert_eq!(ran.code, 5, "{ran:#?}");
    assert!(
        ran.stderr.contains("missing") && ran.stderr.contains(name),
        "{ran:#?}"
    );
    let nowhere = run(&["log", "ls", "--data", "/nonexistent/folder"]);
    assert_eq!(nowhere.code, 3, "{nowhere:#?}");
}

#[test]
fn a_log_in_sled_is_listed_summed_up_and_verified() {
    let place = tempfile::tempdir().unwrap();
    let data = filled_folder(place.path(), "sled", 3_000);
    let replayed = replay_offline(&data);
    let listed = log("ls", &data);
    let file = &listed["files"][0];
    assert_eq!(
        (&listed["shown"], &listed["store"]),
        (&1.into(), &"sled".into())
    );
    assert_eq!(
        (&file["kind"], &file["file"]),
        (&"database".into(), &"sled/db".into())
    );
    assert_eq!(file["events"], replayed["events"]);
    assert_eq!(file["plants"][0]["last"], replayed["events"]);
    let length = std::fs::metadata(data.join("sled/db")).unwrap().len();
    assert_eq!(file["bytes"], length);

    let stat = log("stat", &data);
    let plant = &stat["plants"][0];
    assert_eq!(plant["root"], replayed["root"]);
    assert_eq!(plant["events"], replayed["events"]);
    // Nothing is sealed there, which is not the same as that nothing is sealed yet.
    assert_eq!(plant.get("sealed_events"), None);
    let folder = data.to_str().unwrap();
    let table = run(&["log", "stat", "--data", folder]);
    assert!(!table.stdout.contains("sealed"), "{table:#?}");

    let verified = log("verify", &data);
    assert_eq!(verified["events"], replayed["events"]);
    assert_eq!(verified["blocks"], file["blocks"]);
    assert_eq!(
        (&verified["files"], &verified["bytes"]),
        (&1.into(), &file["bytes"])
    );
    let told = run(&["log", "verify", "--data", folder]);
    assert!(told.stderr.contains("index in the database"), "{told:#?}");

    // A bit in the middle of what events say.
    let path = data.join("sled/db");
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.iter().rposition(|byte| *byte != 0).unwrap() / 2;
    bytes[middle] ^= 4;
    std::fs::write(&path, bytes).unwrap();
    let ran = run(&["log", "verify", "--data", folder, "-o", "json"]);
    assert_eq!(ran.code, 5, "{ran:#?}");
    // The database may take it for the end of an interrupted write; then a snapshot knows of more.
    let told = ran.error();
    let reasons = ["LOG_DAMAGED", "LOG_TOO_SHORT"];
    assert!(
        reasons.contains(&told["reason"].as_str().unwrap()),
        "{told}"
    );
}
