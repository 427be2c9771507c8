//! Stories as command scripts: what an operator would see, held against what was seen before.
//!
//! A script of `tests/scenarios` is run line by line against a fresh server; its transcript stands in
//! `snapshots/scenarios`. What differs from run to run (the wall clock, the root over it, ports) is
//! replaced by its name. `UPDATE_SNAPSHOTS=1` writes the transcripts anew.

use crate::support::{Server, finish, werkbuch};
use std::fmt::Write;
use std::path::{Path, PathBuf};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(name)
}

#[test]
fn stories_go_as_they_went() {
    let mut scripts: Vec<_> = std::fs::read_dir(folder("tests/scenarios"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .collect();
    scripts.sort();
    assert!(scripts.len() >= 2);
    let mut differing = Vec::new();
    for script in scripts {
        let seen = transcript(&std::fs::read_to_string(&script).unwrap());
        let golden = folder("snapshots/scenarios").join(script.file_name().unwrap());
        if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
            std::fs::write(&golden, &seen).unwrap();
        }
        let expected = std::fs::read_to_string(&golden).unwrap_or_default();
        if seen != expected {
            differing.push(format!(
                "{}\n{}",
                golden.display(),
                first_difference(&expected, &seen)
            ));
        }
    }
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}

/// Runs each line of a script in a folder with the examples and the story's own files.
fn transcript(script: &str) -> String {
    let server = Server::start();
    let place = tempfile::tempdir().unwrap();
    for source in ["examples/plants", "tests/scenarios"] {
        for entry in std::fs::read_dir(folder(source)).unwrap() {
            let path = entry.unwrap().path();
            std::fs::copy(&path, place.path().join(path.file_name().unwrap())).unwrap();
        }
    }
    let mut seen = String::new();
    for line in script.lines() {
        let Some(arguments) = line.strip_prefix("werkbuch ") else {
            writeln!(seen, "{line}").unwrap();
            continue;
        };
        let arguments = words(arguments);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let mut command = werkbuch(&arguments);
        command
            .current_dir(place.path())
            .env("WERKBUCH_SERVER", &server.url);
        command.env("COLUMNS", "160");
        let ran = finish(command);
        writeln!(seen, "\n$ {line}").unwrap();
        seen.push_str(&plain(&ran.stdout));
        for line in plain(&ran.stderr).lines() {
            writeln!(seen, "! {line}").unwrap();
        }
        if ran.code != 0 {
            writeln!(seen, "exit code {}", ran.code).unwrap();
        }
    }
    seen
}

/// The words of a line; double quotes keep spaces together.
fn words(line: &str) -> Vec<String> {
    let parts = line.split('"').enumerate();
    parts.fold(Vec::new(), |mut words, (at, part)| {
        if at % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
        words
    })
}

/// A text without what differs from run to run.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    for line in text.lines() {
        let line = line.trim_end();
        let label = line.split_whitespace().next().unwrap_or_default();
        let shown = match label {
            "root" => "root <root>".to_owned(),
            "log" => "log <id>".to_owned(),
            "applied" => "applied <time>".to_owned(),
            "events" if line.contains("a second") => {
                line.split(" (").next().unwrap_or_default().to_owned() + " (<rate>)"
            }
            _ => line.to_owned(),
        };
        writeln!(plain, "{shown}").unwrap();
    }
    plain
}

fn first_difference(expected: &str, seen: &str) -> String {
    let lines = expected.lines().map(Some).chain(std::iter::repeat(None));
    let differing = seen
        .lines()
        .zip(lines)
        .find(|(seen, expected)| Some(*seen) != *expected);
    match differing {
        Some((seen, expected)) => {
            format!(
                "  expected: {}\n  seen:     {seen}",
                expected.unwrap_or("nothing more")
            )
        }
        None => "  less was seen than expected".to_owned(),
    }
}
