//! Each mistake of a user ends with its exit code and its reason, and says the next step.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use crate::support::{Ran, Server, finish, run, werkbuch};

/// Runs a command that must fail, in both forms.
fn fails(server: &Server, arguments: &[&str], code: i32, reason: &str) -> Ran {
    let mut json = arguments.to_vec();
    json.extend(["-o", "json"]);
    let ran = server.run(&json);
    assert_eq!(ran.code, code, "{arguments:?}: {ran:#?}");
    let error = ran.error();
    assert_eq!(error["reason"], reason, "{arguments:?}: {error:#}");
    assert_eq!(error["exit"], code, "{arguments:?}: {error:#}");
    assert!(ran.stdout.is_empty(), "data of a failure: {ran:#?}");
    let plain = server.run(arguments);
    assert_eq!(plain.code, code, "{plain:#?}");
    assert!(plain.stderr.starts_with("error: "), "{plain:#?}");
    assert!(
        plain.stderr.contains(&format!("\n  reason: {reason}\n")),
        "{plain:#?}"
    );
    plain
}

#[test]
fn what_is_not_there_and_what_is_not_well_formed() {
    let server = Server::with_plant();
    let cases: &[(&[&str], i32, &str, &str)] = &[
        (&["plant", "get", "T2"], 3, "UNKNOWN_PLANT", "T2"),
        (&["plant", "get", "a b"], 2, "INVALID_NAME", "a b"),
        (
            &["machine", "ls", "--plant", "T2"],
            3,
            "UNKNOWN_PLANT",
            "plant apply",
        ),
        (
            &["machine", "get", "m9", "--plant", "T1"],
            3,
            "UNKNOWN_MACHINE",
            "m9",
        ),
        (
            &[
                "machine",
                "ls",
                "--plant",
                "T1",
                "--where",
                "colour = 'red'",
            ],
            2,
            "INVALID_FILTER",
            "colour",
        ),
        (
            &["machine", "ls", "--plant", "T1", "--where", "state ="],
            2,
            "INVALID_FILTER",
            "hint",
        ),
        (
            &["machine", "ls", "--plant", "T1", "--order-by", "colour"],
            2,
            "INVALID_FILTER",
            "colour",
        ),
        (
            &["machine", "ls", "--plant", "T1", "--page-token", "xyz"],
            2,
            "INVALID_PAGE_TOKEN",
            "hint",
        ),
        (
            &["machine", "watch", "--plant", "T2"],
            3,
            "UNKNOWN_PLANT",
            "T2",
        ),
        (
            &["machine", "watch", "--resume", "xyz"],
            2,
            "INVALID_RESUME_TOKEN",
            "--resume",
        ),
        (
            &["machine", "watch", "--from", "7"],
            2,
            "INVALID_ARGUMENT",
            "PLANT=7",
        ),
        (
            &[
                "machine",
                "watch",
                "--plant",
                "T1",
                "--at",
                "2199-01-01T00:00:00Z",
            ],
            2,
            "INVALID_INSTANT",
            "lies ahead of now",
        ),
        (
            &["event", "tail", "--plant", "T1", "--at", "-2h"],
            2,
            "INVALID_ARGUMENT",
            "goes on with what is recorded",
        ),
        (
            &["server", "status", "--known", "7"],
            2,
            "INVALID_ARGUMENT",
            "of which no past is kept",
        ),
        (
            &["server", "metrics", "--at", "yesterday"],
            2,
            "INVALID_ARGUMENT",
            "of which no past is kept",
        ),
        (
            &["machine", "watch", "--plant", "T1", "--known", "9"],
            2,
            "INVALID_ARGUMENT",
            "--from POSITION",
        ),
        (
            &["replay", "--plant", "T1", "--at", "-1h"],
            2,
            "INVALID_ARGUMENT",
            "folds the log in its order",
        ),
        (
            &["machine", "timeline", "m1", "--all-plants"],
            2,
            "INVALID_ARGUMENT",
            "named by their plant",
        ),
        (
            &["machine", "watch", "--plant", "T1", "--from", "cut-77"],
            2,
            "INVALID_INSTANT",
            "not one of this server's",
        ),
        (
            &[
                "machine", "watch", "--plant", "T1", "--from", "1", "--at", "-2h",
            ],
            2,
            "INVALID_ARGUMENT",
            "said twice",
        ),
        (
            &["machine", "watch", "--plant", "T1", "--from", "999999"],
            2,
            "INVALID_INSTANT",
            "999999",
        ),
        (
            &["machine", "ls", "--plant", "T1", "--known", "999999"],
            2,
            "INVALID_INSTANT",
            "999999",
        ),
        (
            &["event", "ls", "--plant", "T1", "--kind", "DANCED"],
            2,
            "UNKNOWN_KIND",
            "STATE_CHANGED",
        ),
        (
            &["event", "ls", "--plant", "T1", "--machine", "m9"],
            3,
            "UNKNOWN_MACHINE",
            "m9",
        ),
        (
            &["event", "ls", "--plant", "T1", "--from", "yesteday"],
            2,
            "INVALID_ARGUMENT",
            "-2h",
        ),
        (
            &["machine", "ls", "--plant", "T1", "--at", "yesteday"],
            2,
            "INVALID_INSTANT",
            "yesterday 06:00",
        ),
        (
            &["machine", "ls", "--plant", "T1", "--known", "yesteday"],
            2,
            "INVALID_INSTANT",
            "neither a position nor a time",
        ),
        (
            &["machine", "get", "m1", "--plant", "T1", "--known", "0"],
            2,
            "INVALID_INSTANT",
            "count from 1",
        ),
        (
            &["twin", "get", "T1", "--at", "2261-01-01T00:00:00Z"],
            2,
            "INVALID_INSTANT",
            "lies ahead of now",
        ),
        (
            &[
                "plant",
                "wip",
                "--plant",
                "T1",
                "--at",
                "1999-01-01 06:00",
                "--tz",
                "Mars/Base",
            ],
            2,
            "INVALID_ARGUMENT",
            "Europe/Berlin",
        ),
        (
            &["machine", "watch", "--all-plants", "--from", "06:00"],
            2,
            "INVALID_ARGUMENT",
            "by the clocks of a plant",
        ),
        (
            &["event", "get", "99999", "--plant", "T1"],
            3,
            "UNKNOWN_POSITION",
            "99999",
        ),
        (
            &["event", "tail", "--plant", "T1", "--for", "soon"],
            2,
            "INVALID_ARGUMENT",
            "90s",
        ),
        (&["replay", "--plant", "T2"], 3, "UNKNOWN_PLANT", "T2"),
        (&["twin", "get", "T2"], 3, "UNKNOWN_PLANT", "T2"),
        (&["source", "ls", "--plant", "T2"], 3, "UNKNOWN_PLANT", "T2"),
        (
            &["plant", "apply", "no-such-file.toml"],
            3,
            "FILE_NOT_FOUND",
            "no-such-file",
        ),
    ];
    for (arguments, code, reason, says) in cases {
        let plain = fails(&server, arguments, *code, reason);
        assert!(
            plain.stderr.contains(says),
            "{arguments:?} does not say {says}: {plain:#?}"
        );
    }
}

#[test]
fn all_mistakes_of_a_plant_file_are_told_with_their_places() {
    let server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("p.toml");
    // Line 8: a circle of containment; line 14: a unit that is not there; line 18: no number.
    let text = "[plant]\nid = \"P\"\n\n[[unit]]\nid = \"a\"\nlevel = \"line\"\nparent = \"b\"\n\n\
                [[unit]]\nid = \"b\"\nlevel = \"line\"\nparent = \"a\"\n\n\
                [[machine]]\nid = \"m\"\nin = \"nowhere\"\n\n\
                [[buffer]]\nid = \"q\"\ncapacity = \"much\"\n";
    std::fs::write(&file, text).unwrap();
    let path = file.to_str().unwrap();
    let plain = fails(&server, &["plant", "apply", path], 2, "INVALID_PLANT_FILE");
    assert!(plain.stderr.contains("circle"), "{plain:#?}");
    for line in [16, 20] {
        assert!(
            plain.stderr.contains(&format!("{path}:{line}:")),
            "line {line}: {plain:#?}"
        );
    }
    let told = server.run(&["plant", "apply", path, "-o", "json"]).error();
    assert!(
        told["violations"].as_array().unwrap().len() >= 3,
        "{told:#}"
    );
    // The circle alone is an error too.
    let circle = text.split("[[machine]]").next().unwrap();
    std::fs::write(&file, circle).unwrap();
    let plain = fails(&server, &["plant", "apply", path], 2, "INVALID_PLANT_FILE");
    assert!(plain.stderr.contains("circle"), "{plain:#?}");
    // Nothing of it has been recorded.
    assert_eq!(server.json(&["plant", "ls"]).as_array().unwrap().len(), 0);
}

#[test]
fn a_server_that_cannot_start_says_why() {
    let server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (new, file) = (path("new"), path("file"));
    std::fs::write(&file, "not a folder").unwrap();
    std::fs::write(path("w.toml"), "lisen = \"127.0.0.1:0\"").unwrap();
    let address = server.url.strip_prefix("http://").unwrap();
    let held = server.data.to_str().unwrap();
    let cases: &[(&[&str], i32, &str, &str)] = &[
        (
            &["--data", &new, "--listen", address],
            4,
            "PORT_IN_USE",
            "--listen",
        ),
        (
            &["--data", held, "--listen", "127.0.0.1:0"],
            4,
            "FOLDER_HELD",
            "another process",
        ),
        (
            &["--data", &file, "--listen", "127.0.0.1:0"],
            1,
            "FOLDER_FAILED",
            "file",
        ),
        (
            &["--data", &new, "--listen", "0.0.0.0:0"],
            7,
            "REMOTE_LISTEN_NOT_ALLOWED",
            "--allow-remote",
        ),
        (
            &["--data", &new, "--listen", "nowhere"],
            2,
            "INVALID_CONFIGURATION",
            "nowhere",
        ),
        (
            &["--data", &new, "--config", &path("none.toml")],
            3,
            "FILE_NOT_FOUND",
            "none.toml",
        ),
        (
            &["--data", &new, "--config", &path("w.toml")],
            2,
            "INVALID_CONFIGURATION",
            "did you mean",
        ),
        (
            &["--data", &new, "--log-level", "loud"],
            2,
            "INVALID_CONFIGURATION",
            "loud",
        ),
    ];
    for (arguments, code, reason, says) in cases {
        let mut all = vec!["serve"];
        all.extend(*arguments);
        if !arguments.contains(&"--log-level") {
            // The first log line comes before what fails later.
            all.extend(["--log-level", "warn"]);
        }
        let plain = fails(&server, &all, *code, reason);
        assert!(
            plain.stderr.contains(says),
            "{arguments:?} does not say {says}: {plain:#?}"
        );
    }
    // The server that was there before has taken no harm.
    assert_eq!(server.json(&["server", "status"])["stopped"], "");
    assert!(server.stop().success());
}

/// A folder without rights. Whoever may write everywhere asks as a user who may not.
#[cfg(unix)]
#[test]
fn a_folder_without_rights_is_not_allowed() {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::CommandExt;
    let folder = tempfile::tempdir().unwrap();
    let closed = folder.path().join("closed");
    std::fs::create_dir(&closed).unwrap();
    let rights = |mode| std::fs::Permissions::from_mode(mode);
    std::fs::set_permissions(folder.path(), rights(0o755)).unwrap();
    std::fs::set_permissions(&closed, rights(0o555)).unwrap();
    let data = closed.join("data");
    let data = data.to_str().unwrap();
    let mut command = werkbuch(&[
        "serve",
        "--data",
        data,
        "--listen",
        "127.0.0.1:0",
        "-o",
        "json",
    ]);
    if std::fs::write(closed.join("probe"), "").is_ok() {
        const NOBODY: u32 = 65_534;
        command.uid(NOBODY).gid(NOBODY).current_dir(folder.path());
        let mut probe = werkbuch(&["--version"]);
        if probe.uid(NOBODY).gid(NOBODY).output().is_err() {
            eprintln!(
                "SKIPPED: this user may write everywhere, and \"nobody\" may not run the binary"
            );
            return;
        }
    }
    let ran = finish(command);
    assert_eq!(ran.code, 7, "{ran:#?}");
    assert_eq!(ran.error()["reason"], "FOLDER_NOT_ALLOWED", "{ran:#?}");
}

#[test]
fn usage_and_unreachable_servers_have_their_codes() {
    for (arguments, code) in [
        (&["dance"][..], 2),
        (&["machine", "ls"], 6),
        (&["machine", "ls", "--plant", "P", "--limit", "-1"], 2),
        (&["event", "ls", "--plant", "P", "--reveal"], 2),
        (&["--help"], 0),
        (&["--version"], 0),
        (&["--server", "http://127.0.0.1:1", "plant", "ls"], 6),
        (&["--server", "::", "plant", "ls"], 2),
    ] {
        let ran = run(arguments);
        assert_eq!(ran.code, code, "{arguments:?}: {ran:#?}");
    }
    let ran = run(&["--server", "http://127.0.0.1:1", "plant", "ls"]);
    assert!(
        ran.stderr.contains("werkbuch serve"),
        "no next step: {ran:#?}"
    );
}

#[test]
fn a_closed_pipe_ends_quietly() {
    let server = Server::with_plant();
    let mut child = werkbuch(&[
        "event", "tail", "--plant", "T1", "--from", "1", "-o", "jsonl",
    ])
    .env("WERKBUCH_SERVER", &server.url)
    .stdout(std::process::Stdio::piped())
    .stderr(std::process::Stdio::piped())
    .spawn()
    .unwrap();
    drop(child.stdout.take());
    // Something to write, should the first events have gone out before the pipe was closed.
    server.apply(&crate::support::PLANT.replace("mill", "lathe"));
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}
