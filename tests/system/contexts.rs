//! What holds for a command: flags, then the environment, then the context, then the defaults.

use crate::support::{PLANT, Ran, Server, finish, werkbuch};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::Stdio;

/// A user with a file of contexts of their own.
struct User {
    _folder: tempfile::TempDir,
    file: PathBuf,
}

impl User {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("deep/config.toml");
        Self {
            _folder: folder,
            file,
        }
    }

    fn run(&self, line: &str, environment: &[(&str, &str)]) -> Ran {
        let arguments: Vec<&str> = line.split(' ').collect();
        let mut command = werkbuch(&arguments);
        command.env("WERKBUCH_CONFIG", &self.file);
        command.envs(environment.iter().copied());
        finish(command)
    }

    fn json(&self, line: &str) -> serde_json::Value {
        self.run(&format!("{line} -o json"), &[]).json()
    }
}

#[test]
fn a_context_is_set_used_and_removed() {
    let user = User::new();
    assert_eq!(user.json("context ls")["total"], 0);
    let first = user.json("context set line --server http://h:1 --plant body --default-output csv");
    assert_eq!(
        first["current"], true,
        "the first one holds at once: {first}"
    );
    user.json("context set office --server http://o:2");
    let ls = user.json("context ls");
    assert_eq!((&ls["total"], &ls["current"]), (&2.into(), &"line".into()));
    assert_eq!(user.json("context get line")["plant"], "body");
    assert_eq!(user.json("context use office")["server"], "http://o:2");
    // A part is changed, another is unset, the rest stays.
    let changed = user.json("context set line --plant paint --unset output");
    assert_eq!(
        (&changed["plant"], &changed["server"]),
        (&"paint".into(), &"http://h:1".into())
    );
    assert!(
        changed["output"].is_null() && changed["current"] == false,
        "{changed}"
    );
    assert_eq!(user.json("context rm office")["context"], "office");
    assert!(user.json("context ls")["current"].is_null());
    assert_eq!(user.run("context use --none", &[]).code, 0);
}

#[test]
fn flags_go_before_the_environment_and_that_before_the_context() {
    let user = User::new();
    user.json("context set a --server http://context:1 --plant p1 --default-output jsonl");
    let get = |line: &str, environment: &[(&str, &str)]| user.run(line, environment).json();
    let seen = get("context get", &[]);
    assert_eq!(
        (&seen["server"], &seen["server_from"]),
        (&"http://context:1".into(), &"context".into())
    );
    assert_eq!(
        (&seen["plant"], &seen["output"]),
        (&"p1".into(), &"jsonl".into())
    );
    let environment = [
        ("WERKBUCH_SERVER", "http://environment:2"),
        ("WERKBUCH_PLANT", "p2"),
    ];
    let seen = get("context get", &environment);
    assert_eq!(seen["server_from"], "environment", "{seen}");
    assert_eq!(
        (&seen["plant"], &seen["plant_from"]),
        (&"p2".into(), &"environment".into())
    );
    let seen = get("context get -o json --server http://flag:3", &environment);
    assert_eq!(
        (&seen["server"], &seen["output_from"]),
        (&"http://flag:3".into(), &"flag".into())
    );
    // A server of the environment is not kept by `set`.
    user.run("context set b --plant p3", &environment);
    assert!(user.json("context get b")["server"].is_null());
    let seen = get("context get -o json --context b", &[]);
    assert_eq!(
        (&seen["server_from"], &seen["plant"]),
        (&"default".into(), &"p3".into())
    );
    let seen = get("context get -o json", &[("WERKBUCH_CONTEXT", "b")]);
    assert_eq!(seen["plant"], "p3");
    // A script must not change its form by what a context prefers.
    let script = user.run("completion bash", &[]);
    assert!(script.stdout.contains("_werkbuch()"), "{script:#?}");
}

#[test]
fn a_plant_that_is_not_named_is_the_contexts_or_the_only_one() {
    let server = Server::with_plant();
    let user = User::new();
    user.json(&format!("context set here --server {}", server.url));
    let ran = user.run("machine ls", &[]);
    assert_eq!(ran.code, 0, "{ran:#?}");
    assert!(
        ran.stderr.contains("plant \"T1\", the only one at"),
        "{ran:#?}"
    );
    assert_eq!(user.json("plant get")["plant"], "T1");
    server.apply(&PLANT.replace("\"T1\"", "\"T2\""));
    let ran = user.run("machine ls", &[]);
    assert_eq!(ran.code, 2, "{ran:#?}");
    assert!(
        ran.stderr.contains("T1, T2") && ran.stderr.contains("--plant"),
        "{ran:#?}"
    );
    assert_eq!(
        user.run("machine ls -o json", &[]).error()["reason"],
        "PLANT_MISSING"
    );
    user.json("context set here --plant T2");
    assert_eq!(user.json("machine ls")["total"], 2);
    assert_eq!(user.json("plant get")["plant"], "T2");
    assert_eq!(user.json("machine get m1 --plant T1")["machine"], "m1");
    assert_eq!(user.run("machine ls", &[("WERKBUCH_PLANT", "T3")]).code, 3);
}

#[test]
fn what_could_be_about_all_plants_is_about_the_contexts() {
    let server = Server::with_plant();
    server.apply(&PLANT.replace("\"T1\"", "\"T2\""));
    let user = User::new();
    user.json(&format!(
        "context set here --server {} --plant T2",
        server.url
    ));
    for (more, environment, plants) in [
        ("", None, &["T2"][..]),
        (" --all-plants", None, &["T1", "T2"]),
        (" --plant T1", None, &["T1"]),
        ("", Some("T1"), &["T1"]),
        (" --all-plants", Some("T1"), &["T1", "T2"]),
    ] {
        let environment: Vec<_> = environment
            .map(|plant| ("WERKBUCH_PLANT", plant))
            .into_iter()
            .collect();
        let quality = user
            .run(&format!("quality -o json{more}"), &environment)
            .json();
        let seen = quality["plants"].as_array().unwrap().iter();
        let seen: Vec<_> = seen.map(|one| one["plant"].as_str().unwrap()).collect();
        assert_eq!(seen, plants, "quality{more} {environment:?}");

        let line = format!("machine watch -o jsonl --heartbeat 100ms{more}");
        let arguments: Vec<&str> = line.split(' ').collect();
        let mut command = werkbuch(&arguments);
        command
            .env("WERKBUCH_CONFIG", &user.file)
            .envs(environment.iter().copied());
        let mut watching = command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut first = String::new();
        let mut out = BufReader::new(watching.stdout.take().unwrap());
        out.read_line(&mut first).unwrap();
        let _ = watching.kill();
        let _ = watching.wait();
        let heartbeat: serde_json::Value = serde_json::from_str(&first).unwrap();
        let seen: Vec<_> = heartbeat["plants"].as_object().unwrap().keys().collect();
        assert_eq!(seen, plants, "watch{more} {environment:?}");
    }
    for line in [
        "machine watch --plant T1 --all-plants",
        "quality --all-plants --findings",
    ] {
        assert_eq!(user.run(line, &[]).code, 2, "{line}");
    }
    user.json("context set here --unset plant");
    assert_eq!(user.json("quality")["total"], 2);
    let ran = user.run("quality --findings", &[]);
    assert_eq!(ran.code, 2, "{ran:#?}");
    assert!(ran.stderr.contains("--plant NAME"), "{ran:#?}");
}

#[test]
fn mistakes_about_contexts_say_the_next_step() {
    let user = User::new();
    user.json("context set press --plant body");
    for (line, code, reason, says) in [
        (
            "context use pres",
            3,
            "UNKNOWN_CONTEXT",
            "did you mean \"press\"?",
        ),
        ("--context pres machine ls", 3, "UNKNOWN_CONTEXT", "press"),
        ("context rm x", 3, "UNKNOWN_CONTEXT", "press"),
        ("context set a/b", 2, "INVALID_ARGUMENT", "a/b"),
        ("context set a --plant b/c", 2, "INVALID_ARGUMENT", "b/c"),
        (
            "context set a --server ::",
            2,
            "INVALID_ARGUMENT",
            "http://127.0.0.1:7420",
        ),
        ("machine lss", 2, "INVALID_ARGUMENT", "ls"),
    ] {
        let ran = user.run(&format!("{line} -o json"), &[]);
        let error = ran.error();
        assert_eq!(
            (ran.code, &error["reason"]),
            (code, &reason.into()),
            "{line}: {error:#}"
        );
        assert!(
            error.to_string().replace('\\', "").contains(says),
            "{line}: {error:#}"
        );
    }
    std::fs::write(&user.file, "[context.a]\nsever = \"x\"\n").unwrap();
    let ran = user.run("plant ls", &[]);
    assert_eq!(ran.code, 2, "{ran:#?}");
    assert!(
        ran.stderr.contains("config.toml:2") && ran.stderr.contains("`server`"),
        "{ran:#?}"
    );
    let ran = user.run("completion fish", &[]);
    assert_eq!(
        ran.code, 0,
        "what asks no server works all the same: {ran:#?}"
    );
}
