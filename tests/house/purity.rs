//! Keeps clocks, files, threads, chance and unordered maps out of the pure crates.

use crate::map::{quoted, table};
use crate::source::{code_only, is_word, line_of, test_paths, without_tests};
use crate::tree::{read, read_toml, rust_files};
use crate::{can_fail, hold};

/// The one file of the pure crates that may know threads: the fan-out over replications.
const FAN_OUT: &str = "crates/sim/src/fan_out.rs";

/// What a pure crate does not know, and what it uses instead.
const BANNED: [(&str, &str); 20] = [
    ("std::fs", "take bytes, return bytes"),
    ("std::net", "take bytes, return bytes"),
    ("std::env", "take the value as an argument"),
    ("std::process", "return a value"),
    (
        "std::thread",
        "return a value; who calls decides on threads",
    ),
    ("rayon", "return a value; who calls decides on threads"),
    ("std::time::Instant", "take a model::time::Timestamp"),
    ("std::time::SystemTime", "take a model::time::Timestamp"),
    ("now(", "take a model::time::Timestamp"),
    ("HashMap", "BTreeMap, or a sorted Vec"),
    ("HashSet", "BTreeSet, or a sorted Vec"),
    ("RandomState", "BTreeMap, or a sorted Vec"),
    ("rand::rng", "take a seed"),
    ("thread_rng", "take a seed"),
    ("OsRng", "take a seed"),
    ("getrandom", "take a seed"),
    ("tokio", "return a value; who calls waits"),
    ("println!", "return a value"),
    ("eprintln!", "return a value"),
    ("tracing", "return a value"),
];

/// What the clippy list of a pure crate bans at least, so that an editor tells at once.
const LISTED_TYPES: [&str; 4] = [
    "std::collections::HashMap",
    "std::collections::HashSet",
    "std::time::Instant",
    "std::time::SystemTime",
];
const LISTED_METHODS: [&str; 3] = [
    "std::time::Instant::now",
    "std::time::SystemTime::now",
    "std::thread::spawn",
];

#[test]
fn pure_crates_know_no_surroundings() {
    let files = rust_files();
    let tests = test_paths(&files);
    let pure = pure_crates();
    let mut found = Vec::new();
    for file in files.iter().filter(|file| !tests.contains(&file.path)) {
        if pure
            .iter()
            .any(|name| file.path.starts_with(&format!("crates/{name}/src/")))
        {
            let threads = file.path == FAN_OUT;
            let impure = surroundings(&file.text, threads).into_iter();
            found.extend(impure.map(|what| format!("{}:{what}", file.path)));
        }
    }
    hold("surroundings in pure crates", &found);
}

#[test]
fn pure_crates_have_a_list_for_clippy() {
    let mut found = Vec::new();
    for name in pure_crates() {
        let path = format!("crates/{name}/.clippy.toml");
        let list = read_toml(&path);
        for (key, wanted) in [
            ("disallowed-types", &LISTED_TYPES[..]),
            ("disallowed-methods", &LISTED_METHODS),
        ] {
            let missing = wanted.iter().filter(|wanted| !lists(&list, key, wanted));
            found.extend(missing.map(|wanted| format!("{path}: {key} lacks {wanted}")));
        }
        let lib = read(&format!("crates/{name}/src/lib.rs"));
        if !lib.contains("(missing_docs)]") {
            found.push(format!(
                "crates/{name}/src/lib.rs: lacks #![warn(missing_docs)]"
            ));
        }
    }
    hold("lists for clippy", &found);
}

#[test]
fn these_rules_can_fail() {
    can_fail(
        |text| surroundings(text, false),
        &[
            "use std::fs;",
            "use std::{collections::BTreeMap, fs};",
            "use std::collections::{BTreeMap,\n    HashMap};",
            "use std::time::{Duration, Instant};",
            "let x = jiff::Timestamp::now();",
            "fn a() { core::hint::black_box(std::thread::sleep(x)); }",
            "use rayon::prelude::*;",
            "eprintln!();",
        ],
        &[
            "use std::collections::BTreeMap; // not a HashMap",
            "use crate::instant::Instant; let known(a) = b; x.is_now();",
            "#[cfg(test)]\nmod tests { use std::fs; }",
            "use model::{std_fs, time::Instant};",
        ],
    );
    assert!(surroundings("use rayon::prelude::*; std::thread::scope(f)", true).is_empty());
    assert_eq!(
        surroundings("use rayon::prelude::*; std::fs::read(f)", true).len(),
        1
    );
    let list = "disallowed-types = [{ path = \"a\", reason = \"b\" }, { path = \"c\" }]";
    let list = list.parse().unwrap();
    assert!(lists(&list, "disallowed-types", "a"));
    assert!(
        !lists(&list, "disallowed-types", "c"),
        "an entry without a reason does not count"
    );
}

/// The crates that the map calls pure.
fn pure_crates() -> Vec<String> {
    let rows = table(&read("crates/README.md"), "## Layers");
    let pure = rows.iter().filter(|row| row[4].starts_with("yes"));
    let names: Vec<String> = pure.flat_map(|row| quoted(&row[1])).collect();
    for name in ["model", "proof", "record", "twin", "sim"] {
        assert!(
            names.iter().any(|pure| pure == name),
            "{name} is to be pure"
        );
    }
    names
}

/// What a file knows of its surroundings.
fn surroundings(text: &str, may_know_threads: bool) -> Vec<String> {
    let code = spell_out(&without_tests(&code_only(text)));
    let mut found = Vec::new();
    for (banned, instead) in BANNED {
        if may_know_threads && (banned == "rayon" || banned == "std::thread") {
            continue;
        }
        let whole = |at: &usize| {
            let end = at + banned.len();
            !code[..*at].ends_with(is_word)
                && (!banned.ends_with(is_word) || !code[end..].starts_with(is_word))
        };
        if let Some(at) = code.match_indices(banned).map(|(at, _)| at).find(whole) {
            found.push(format!("{}: {banned}: {instead}", line_of(&code, at)));
        }
    }
    found
}

/// Appends to the code each path of its `use std::{...}` groups in full, as deep as they go.
fn spell_out(code: &str) -> String {
    let mut out = code.to_owned();
    for (at, _) in code.match_indices("use std::") {
        let Some(end) = code[at..].find(';') else {
            continue;
        };
        let tree: String = code[at + 4..at + end].split_whitespace().collect();
        for path in leaves(&tree) {
            out.push_str(&format!(" {path} "));
        }
    }
    out
}

/// The paths of a use tree: `a::{b, c::{d}}` has `a::b` and `a::c::d`.
fn leaves(tree: &str) -> Vec<String> {
    let Some((prefix, group)) = tree.split_once('{') else {
        return vec![tree.to_owned()];
    };
    let group = group.strip_suffix('}').unwrap_or(group);
    let mut parts = vec![String::new()];
    let mut depth = 0_u32;
    for c in group.chars() {
        depth = match c {
            '{' => depth + 1,
            '}' => depth.saturating_sub(1),
            _ => depth,
        };
        match parts.last_mut() {
            Some(last) if c != ',' || depth > 0 => last.push(c),
            _ => parts.push(String::new()),
        }
    }
    parts
        .iter()
        .flat_map(|part| leaves(part))
        .map(|leaf| format!("{prefix}{leaf}"))
        .collect()
}

/// Whether a list for clippy has the path, with a reason.
fn lists(list: &toml::Table, key: &str, path: &str) -> bool {
    let entries = list
        .get(key)
        .and_then(toml::Value::as_array)
        .into_iter()
        .flatten();
    let text = |entry: &toml::Value, key: &str| {
        entry
            .get(key)
            .and_then(toml::Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    entries
        .into_iter()
        .any(|entry| text(entry, "path") == path && !text(entry, "reason").is_empty())
}
