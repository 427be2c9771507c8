//! A book in either store, and moved from one into the other.

use crate::support::{PLANT, Server, replay_offline, run};
use serde_json::Value;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

const STORES: [(&str, &str); 2] = [("segments", "sled"), ("sled", "segments")];

fn text(path: &Path) -> &str {
    path.to_str().expect("a plain path")
}

fn copy(from: &Path, to: &Path, more: &[&str]) -> crate::support::Ran {
    let mut arguments = vec![
        "log",
        "copy",
        "--from",
        text(from),
        "--to",
        text(to),
        "-o",
        "json",
    ];
    arguments.extend(more);
    run(&arguments)
}

/// Records a few hundred events, one of them about a person.
fn fill(server: &Server, place: &Path) {
    server.apply(PLANT);
    let lines: String = (0..400)
        .map(|n| {
            let state = if n % 2 == 0 { "ACTIVE" } else { "READY" };
            format!(
                "2026-11-20T10:{:02}:{:02}Z|execution|{state}\n",
                n / 60,
                n % 60
            )
        })
        .collect();
    let shdr = place.join("m1.shdr");
    std::fs::write(&shdr, lines).unwrap();
    let shdr = text(&shdr);
    let imported = server.run(&["import", "shdr", "--plant", "T1", "--machine", "m1", shdr]);
    assert_eq!(imported.code, 0, "{imported:?}");
    server.json(&[
        "event",
        "append",
        "--kind",
        "DOWNTIME_REASON_ASSIGNED",
        "--machine",
        "m1",
        "--set",
        "key=d1",
        "--set",
        "code=jam",
        "--set",
        "who=anna",
        "--set",
        "from=2026-11-20T10:00:00Z",
    ]);
}

fn events(server: &Server) -> String {
    let ran = server.run(&["event", "export", "--plant", "T1"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    ran.stdout
}

fn same(one: &Value, other: &Value) {
    for member in ["events", "root", "digest"] {
        assert_eq!(one[member], other[member], "{member}");
    }
}

#[test]
fn a_book_moves_to_the_other_store_and_back() {
    for (own, other) in STORES {
        let place = tempfile::tempdir().unwrap();
        let old = place.path().join("old");
        let server = Server::on(&old, &["--store", own, "--snapshot-every", "150"]);
        fill(&server, place.path());
        assert_eq!(server.json(&["server", "status"])["store"], own);
        let metrics = server.run(&["server", "metrics"]).stdout;
        assert!(metrics.contains(own), "{metrics}");
        let recorded = events(&server);
        // A server holds the folder, so it is not copied.
        let held = copy(&old, &place.path().join("new"), &["--store", other]);
        assert_eq!(held.error()["reason"], "FOLDER_HELD");
        assert!(server.stop().success());

        let before = replay_offline(&old);
        let new = place.path().join("new");
        let copied = copy(&old, &new, &["--store", other]).json();
        assert_eq!(
            (&copied["from_store"], &copied["to_store"]),
            (&own.into(), &other.into())
        );
        let plant = &copied["plants"][0];
        assert_eq!(
            (&plant["plant"], &plant["equal"]),
            (&"T1".into(), &true.into())
        );
        same(&before, plant);
        same(&before, &replay_offline(&new));
        let ring = std::fs::metadata(new.join("keys/ring.json")).unwrap();
        assert_eq!(ring.permissions().mode() & 0o777, 0o600);
        assert!(!place.path().join("new.unfinished").exists());

        // The copy goes on as the old book would have, with its own store where none is named.
        let wrong = run(&[
            "serve",
            "--data",
            text(&new),
            "--store",
            own,
            "--listen",
            "127.0.0.1:0",
        ]);
        assert_ne!(wrong.code, 0);
        assert!(
            wrong.stderr.contains(&format!("--store {other}")),
            "{wrong:?}"
        );
        let server = Server::on(&new, &[]);
        assert_eq!(server.json(&["server", "status"])["store"], other);
        let served = events(&server);
        assert!(
            served.starts_with(&recorded),
            "the copy tells something else"
        );
        let shdr = place.path().join("m1.shdr");
        let again = [
            "import",
            "shdr",
            "--plant",
            "T1",
            "--machine",
            "m1",
            text(&shdr),
        ];
        assert_eq!(server.run(&again).code, 0);
        assert!(server.stop().success());
        let after = replay_offline(&new);
        assert_eq!(after["comparisons"][0]["verdict"], "EQUAL");

        // And back, killed in between.
        let server = Server::on(&new, &[]);
        drop(server.kill());
        let back = place.path().join("back");
        std::fs::create_dir(&back).unwrap();
        let copied = copy(&new, &back, &["--store", own]).json();
        same(&replay_offline(&new), &copied["plants"][0]);
        same(&replay_offline(&back), &copied["plants"][0]);
    }
}

#[test]
fn a_copy_that_cannot_be_made_says_why() {
    let place = tempfile::tempdir().unwrap();
    let old = place.path().join("old");
    let server = Server::on(&old, &["--store", "sled"]);
    server.apply(PLANT);
    assert!(server.stop().success());
    let full = place.path().join("full");
    std::fs::create_dir(&full).unwrap();
    std::fs::write(full.join("note"), b"mine").unwrap();
    let refused = copy(&old, &full, &[]).error();
    assert_eq!(refused["reason"], "FOLDER_NOT_EMPTY");
    assert_eq!(refused["exit"], 4);
    assert_eq!(std::fs::read_dir(&full).unwrap().count(), 1);
    let new = place.path().join("new");
    let unknown = copy(&old, &new, &["--store", "redb"]);
    assert!(unknown.stderr.contains("segments and sled"), "{unknown:?}");
    let missing = copy(&place.path().join("none"), &new, &[]).error();
    assert_eq!(missing["reason"], "FILE_NOT_FOUND");
    let empty = place.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    let nothing = copy(&empty, &new, &[]);
    assert_ne!(nothing.code, 0);
    assert!(nothing.stderr.contains("holds no log"), "{nothing:?}");
    // What a copy that was cut short has left is not written over.
    std::fs::create_dir(place.path().join("new.unfinished")).unwrap();
    let left = copy(&old, &new, &[]).error();
    assert_eq!(left["reason"], "FOLDER_NOT_EMPTY");
    assert!(!new.exists());
}
