//! The table and mapping files by cases.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use sha2::{Digest, Sha256};

#[test]
fn keys_have_their_categories() {
    let table = Mapping::builtin();
    for (key, category) in [
        ("execution", Category::State),
        ("Program_Status", Category::State),
        ("fmode", Category::Mode),
        ("subprogram", Category::Program),
        ("ppartcount", Category::Counter),
        ("Frapidovr", Category::Override),
        ("Tool_number", Category::Tool),
        ("avail", Category::Availability),
        ("comms", Category::Condition),
        ("total_time", Category::Sample),
        ("path_pos", Category::Text),
        ("CuttingTool", Category::Ignore),
        ("dev7:execution", Category::State),
    ] {
        match table.lookup(key) {
            Found::Entry(_, entry) => assert_eq!(entry.rule.category(), category, "{key}"),
            other => panic!("{key} is {other:?}"),
        }
    }
    for key in [
        "@ASSET@",
        "@REMOVE_ASSET@",
        "X9_asset_chg",
        "X9_asset_rem",
        "d:@ASSET@",
    ] {
        assert_eq!(table.lookup(key), Found::Asset, "{key}");
    }
    for key in [
        "Execution",
        "EXECUTION",
        "",
        ":",
        "execution:",
        ":execution",
        "@@",
        "asset_chg",
    ] {
        assert_eq!(table.lookup(key), Found::Unmapped, "{key}");
    }
}

#[test]
fn each_mode_and_slot_is_its_own_aspect() {
    let table = Mapping::builtin();
    let rule = |key: &str| match table.lookup(key) {
        Found::Entry(_, entry) => entry.rule.clone(),
        other => panic!("{key} is {other:?}"),
    };
    assert_eq!(
        rule("mode"),
        Rule::Mode(Vocabulary::MtconnectControllerMode)
    );
    assert_eq!(
        rule("fmode"),
        Rule::Mode(Vocabulary::MtconnectFunctionalMode)
    );
    assert_eq!(rule("program"), Rule::Program("".into()));
    assert_eq!(rule("subprogram"), Rule::Program("sub".into()));
    assert_eq!(rule("pFovr"), Rule::Override(OverrideKind::Feed));
    assert_eq!(rule("S6ovr"), Rule::Override(OverrideKind::Spindle));
}

/// Fails when the table changes: raise [`BUILTIN_VERSION`] with it, then renew the digits.
#[test]
fn the_built_in_table_changes_with_its_version() {
    let table = Mapping::builtin();
    let text: String = table
        .keys()
        .map(|(key, entry)| format!("{key} {entry:?}\n"))
        .collect();
    let hash = Sha256::digest(text.as_bytes());
    let digits: String = hash.iter().take(8).map(|b| format!("{b:02x}")).collect();
    assert_eq!(
        (BUILTIN_VERSION, digits.as_str()),
        ("builtin-1", "e2925dbfb045640b")
    );
}

const GOOD: &str = r#"
[keys]
exec2 = { category = "state", vocabulary = "PACKML_STATE" }
good = { category = "counter", meaning = "good", modulus = 100 }
spare = { category = "tool", slot = "B" }
s9 = { category = "sample", item = "speed", unit = "1/min" }
"d7:fovr" = { category = "override", what = "feed" }
line = { category = "ignore" }
"#;

#[test]
fn a_file_extends_and_overrides() {
    let table = Mapping::with_file(GOOD).unwrap();
    let rule = |key: &str| match table.lookup(key) {
        Found::Entry(_, entry) => (entry.item.to_string(), entry.rule.clone()),
        other => panic!("{key} is {other:?}"),
    };
    let item = |text: &str| text.to_owned();
    assert_eq!(
        rule("exec2"),
        (item("exec2"), Rule::State(Vocabulary::PackmlState))
    );
    let good = Rule::Counter {
        meaning: PartMeaning::Good,
        modulus: 100,
    };
    assert_eq!(rule("good"), (item("good"), good));
    assert_eq!(rule("spare"), (item("spare"), Rule::Tool("B".into())));
    assert_eq!(rule("s9"), (item("speed"), Rule::Sample("1/min".into())));
    assert_eq!(rule("d7:fovr").1, Rule::Override(OverrideKind::Feed));
    assert_eq!(rule("line").1, Rule::Ignore);
    assert_eq!(
        rule("execution").1,
        Rule::State(Vocabulary::MtconnectExecution)
    );
    assert_eq!(Mapping::builtin().len() + 5, table.len());
}

#[test]
fn the_version_follows_the_content() {
    let first = Mapping::with_file(GOOD).unwrap();
    let second = Mapping::with_file(&GOOD.replace("100", "101")).unwrap();
    assert!(first.version().starts_with(BUILTIN_VERSION));
    assert_ne!(first.version(), second.version());
    assert_ne!(first.version(), Mapping::builtin().version());
}

#[test]
fn all_mistakes_come_at_once_with_their_lines() {
    let text = r#"extra = 1
[keys]
a = { category = "stat" }
b = { vocabulary = "PACKML_STATE" }
c = { category = "override" }
d = { category = "tool", what = "feed" }
e = { category = "text", colour = "red" }
f = 7
g = { category = "counter", modulus = -1 }
h = { category = "text", item = "" }
"#;
    let error = Mapping::with_file(text).unwrap_err();
    let lines: Vec<usize> = error.mistakes.iter().map(|m| m.line).collect();
    assert_eq!(lines, [1, 3, 4, 5, 6, 7, 8, 9, 10], "{error}");
    assert!(
        error.to_string().contains("line 4: \"b\" has no category"),
        "{error}"
    );
    let broken = Mapping::with_file("[keys]\na = {\nb = = 2\n").unwrap_err();
    assert!(!broken.mistakes.is_empty());
}

#[test]
fn an_empty_file_is_a_table_of_its_own_version() {
    assert!(Mapping::with_file("").is_ok());
    assert!(Mapping::with_file("keys = 1").is_err());
}
