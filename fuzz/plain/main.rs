//! The fuzz targets on stable: the same bodies over mutations of valid examples that follow a seed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../../crates/record/tests/arbitrary/mod.rs"]
mod arbitrary;
#[path = "../src/lib.rs"]
mod bodies;
mod examples;
mod mutate;

use bodies::{TARGETS, Target};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;

/// How many inputs each target gets. A case is its number: the same one is the same input for ever.
fn cases() -> u64 {
    match std::env::var_os("WERKBUCH_LONG") {
        Some(_) => 1_000_000,
        None => 20_000,
    }
}

/// Runs a target over its examples and over what is made of them.
fn run(name: &str) {
    let (_, body) = TARGETS.iter().find(|(target, _)| *target == name).unwrap();
    let examples = examples::of(name);
    assert!(!examples.is_empty());
    write_corpus(name, &examples);
    let taken = examples.iter().filter(|example| body(example)).count();
    assert!(
        taken * 2 >= examples.len(),
        "{name}: {taken} of {} examples are taken",
        examples.len()
    );
    // One case alone, as a failure names it.
    let only = std::env::var("WERKBUCH_FUZZ_CASE").ok();
    let cases = match only.and_then(|number| number.parse().ok()) {
        Some(number) => number..number + 1,
        None => 0..cases(),
    };
    let (count, mut taken) = (cases.end - cases.start, 0);
    for case in cases {
        let mut chance = mutate::Chance::new(case);
        let input = mutate::input(&examples, &mut chance);
        taken += u64::from(tried(name, *body, case, &input));
    }
    if count > 1 {
        println!("{name}: {taken} of {count} inputs were taken");
        assert!(
            taken > 0 && taken < count,
            "{name}: {taken} of {count} say little"
        );
    }
}

/// Runs one case, and says its number when it fails.
fn tried(name: &str, body: Target, case: u64, input: &[u8]) -> bool {
    catch_unwind(AssertUnwindSafe(|| body(input))).unwrap_or_else(|panic| {
        eprintln!("target {name} failed at case {case}; again with WERKBUCH_FUZZ_CASE={case}");
        eprintln!(
            "{} bytes: {}",
            input.len(),
            String::from_utf8_lossy(&input[..input.len().min(400)])
        );
        resume_unwind(panic)
    })
}

/// Writes the examples where `cargo fuzz` begins with them, if it is asked for.
fn write_corpus(name: &str, examples: &[Vec<u8>]) {
    let Some(folder) = std::env::var_os("WERKBUCH_FUZZ_CORPUS") else {
        return;
    };
    let folder = Path::new(&folder).join(name);
    std::fs::create_dir_all(&folder).unwrap();
    for (at, example) in examples.iter().enumerate() {
        std::fs::write(folder.join(format!("example-{at}")), example).unwrap();
    }
}

#[test]
fn any_bytes_are_a_block_or_an_error() {
    run("block");
}

#[test]
fn any_bytes_are_an_event_or_an_error() {
    run("event");
}

#[test]
fn any_text_is_a_filter_or_an_error() {
    run("filter");
}

#[test]
fn any_text_is_a_plant_file_or_a_list_of_mistakes() {
    run("plant_file");
}

#[test]
fn a_log_with_any_bytes_in_a_file_is_served_rightly_or_refused() {
    run("recovery");
}

#[test]
fn any_bytes_are_a_recording_that_is_accounted_for() {
    run("shdr");
}

#[test]
fn any_bytes_are_a_snapshot_or_an_error() {
    run("snapshot");
}

/// The folder of `cargo fuzz` has a target for each body, and each hands on to it and no more.
#[test]
fn every_body_is_a_target_of_cargo_fuzz() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz");
    let manifest: toml::Table = std::fs::read_to_string(root.join("Cargo.toml"))
        .unwrap()
        .parse()
        .unwrap();
    let named = manifest["bin"].as_array().unwrap().iter();
    let mut named: Vec<_> = named
        .map(|bin| bin["name"].as_str().unwrap().to_owned())
        .collect();
    named.sort();
    let names = TARGETS.map(|(name, _)| name);
    assert_eq!(named, names);
    let files = std::fs::read_dir(root.join("fuzz_targets")).unwrap();
    assert_eq!(files.count(), names.len());
    for name in names {
        let text = std::fs::read_to_string(root.join(format!("fuzz_targets/{name}.rs"))).unwrap();
        assert!(
            text.contains(&format!("werkbuch_fuzz::{name}::body(data);")),
            "{name}: {text}"
        );
    }
}
