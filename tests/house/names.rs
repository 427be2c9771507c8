//! Keeps the API readable: each message, field, value and call has its sentence.

use crate::tree::{TextFile, text_files};
use crate::{can_fail, hold};

#[test]
fn everything_in_the_api_has_its_comment() {
    in_protos("API without comments", uncommented);
}

#[test]
fn enums_begin_with_what_is_not_said() {
    in_protos("enums", enums);
}

#[test]
fn these_rules_can_fail() {
    can_fail(
        uncommented,
        &[
            "message A {\n  // B.\n  string b = 1;\n}",
            "// A.\nmessage A {\n  // B.\n  string b = 1;\n  map<string, int32> c = 2;\n}",
            "// A.\nenum A {\n  A_UNSPECIFIED = 0;\n}",
            "// A.\nservice A {\n  // B.\n  rpc B(C) returns (D);\n  rpc E(F)\n      returns (G);\n}",
            "// A.\nmessage A {\n  // B.\n\n  string b = 1;\n}",
        ],
        &[
            "syntax = \"proto3\";\n\n// A.\nmessage A {\n  reserved 3;\n  // B.\n  // C.\n  B b = 1;\n}",
        ],
    );
    can_fail(
        enums,
        &[
            "enum OneThing {\n  // A.\n  ONE_THING_UNKNOWN = 0;\n}",
            "enum OneThing {\n  THING_UNSPECIFIED = 0;\n}",
            "enum OneThing {\n  ONE_THING_UNSPECIFIED = 0;\n  OTHER = 1;\n}",
            "enum OneThing {\n  ONE_THING_A = 1;\n}",
        ],
        &["enum OneThing {\n  ONE_THING_UNSPECIFIED = 0;\n  ONE_THING_A = 1;\n}\nmessage B {\n}"],
    );
}

fn in_protos(name: &str, rule: impl Fn(&str) -> Vec<String>) {
    let files: Vec<TextFile> = text_files();
    let protos = files.iter().filter(|file| file.path.ends_with(".proto"));
    let mut found = Vec::new();
    let mut read = 0;
    for file in protos {
        read += 1;
        found.extend(
            rule(&file.text)
                .into_iter()
                .map(|what| format!("{}:{what}", file.path)),
        );
    }
    assert!(read > 0, "no proto files were found");
    hold(name, &found);
}

/// The declarations that have no comment in the line above them.
fn uncommented(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut above = "";
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        if declares(line) && !above.starts_with("//") {
            found.push(format!(
                "{}: say what it is, in a comment above: {line}",
                at + 1
            ));
        }
        above = line;
    }
    found
}

/// Whether a line declares something that a reader of the API asks about.
fn declares(line: &str) -> bool {
    let first = line.split_whitespace().next().unwrap_or_default();
    match first {
        "message" | "enum" | "service" | "rpc" | "oneof" => true,
        "option" | "reserved" | "syntax" | "package" | "import" | "returns" | "//" | "" => false,
        _ => line.rsplit_once(" = ").is_some_and(|(_, number)| {
            number.starts_with(|c: char| c.is_ascii_digit()) && number.contains([';', '['])
        }),
    }
}

/// What is wrong with the enums: the first value is NAME_UNSPECIFIED = 0, all begin with NAME_.
fn enums(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut prefix = None;
    let mut first = false;
    for (at, line) in text.lines().enumerate() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match (words.as_slice(), &prefix) {
            (["enum", name, ..], _) => (prefix, first) = (Some(upper(name)), true),
            (["}"], _) => prefix = None,
            ([value, "=", number, ..], Some(name)) => {
                let unspecified = format!("{name}_UNSPECIFIED");
                if first && (*value != unspecified || !number.starts_with("0;")) {
                    found.push(format!(
                        "{}: its first value is to be {unspecified} = 0",
                        at + 1
                    ));
                } else if !value.starts_with(&format!("{name}_")) {
                    found.push(format!("{}: {value} is to begin with {name}_", at + 1));
                }
                first = false;
            }
            _ => {}
        }
    }
    found
}

/// `OneThing` as `ONE_THING`.
fn upper(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if c.is_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.extend(c.to_uppercase());
    }
    out
}
