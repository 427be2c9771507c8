//! Keeps rooms small, words plain and panics out.

use crate::source::{block_length, code_only, is_word, line_of, test_paths, without_tests};
use crate::tree::{rust_files, text_files};
use crate::{can_fail, hold};

const FILE_LINES_MAX: usize = 800;
const FUNCTION_LINES_MAX: usize = 70;
/// The aim is 150; the rule holds a wide margin to it.
const MEDIAN_LINES_MAX: usize = 250;

/// Files that are not written by hand, and the text of the licence.
const NOT_OURS: [&str; 2] = ["Cargo.lock", "LICENSE"];

/// Words that do not stay in the repository, and what to do instead. They are cut in two here, so
/// that this file does not hold them.
const BANNED_WORDS: [(&str, &str); 12] = [
    (
        concat!("TO", "DO"),
        "do it, or say in the docs what is not there yet",
    ),
    (
        concat!("FIX", "ME"),
        "fix it, or write a test that shows it",
    ),
    (concat!("XX", "X"), "say what is the matter, in a sentence"),
    (concat!("HA", "CK:"), "say why it must be so, in a sentence"),
    (
        concat!("crates", ".io-index"),
        "dependencies come by name and version",
    ),
    (
        concat!("/ro", "ot/"),
        "write paths relative to the repository",
    ),
    (
        concat!("/ho", "me/"),
        "write paths relative to the repository",
    ),
    (
        concat!("/wo", "rk/"),
        "write paths relative to the repository",
    ),
    (concat!("white", "list"), "say allowed"),
    (concat!("black", "list"), "say banned"),
    (concat!("blazing", "ly"), "give the figure"),
    (concat!("<<<<", "<<<"), "resolve the conflict"),
];

/// Calls that end the process on what may come from outside, and what to do instead.
const BANNED_CALLS: [(&str, &str); 7] = [
    ("unwrap(", "return an error"),
    ("unwrap_err(", "return an error"),
    ("expect(", "return an error"),
    ("panic!", "return an error"),
    ("todo!", "write it"),
    ("unimplemented!", "write it, or leave the variant out"),
    ("dbg!", "use tracing"),
];

#[test]
fn files_are_short() {
    let mut found = Vec::new();
    for file in text_files().iter().filter(|file| is_source(&file.path)) {
        found.extend(
            too_long(&file.text)
                .into_iter()
                .map(|what| format!("{}: {what}", file.path)),
        );
    }
    hold("long files", &found);
}

#[test]
fn most_files_are_small() {
    let mut lines: Vec<usize> = rust_files()
        .iter()
        .map(|file| file.text.lines().count())
        .collect();
    let (median, small) = (
        median(&mut lines),
        lines.iter().filter(|n| **n < 150).count(),
    );
    println!(
        "{small} of {} source files are under 150 lines, median {median}",
        lines.len()
    );
    assert!(
        median <= MEDIAN_LINES_MAX,
        "the median source file has {median} lines"
    );
}

#[test]
fn functions_are_short() {
    let mut found = Vec::new();
    let files = rust_files();
    let tests = test_paths(&files);
    for file in &files {
        let code = code_only(&file.text);
        let product = if tests.contains(&file.path) {
            String::new()
        } else {
            without_tests(&code)
        };
        let long = long_functions(&code, &product).into_iter();
        found.extend(long.map(|what| format!("{}:{what}", file.path)));
    }
    hold("long functions", &found);
}

#[test]
fn files_open_with_what_they_are_for() {
    in_rust_files("openings", |_| true, opening);
}

#[test]
fn nothing_panics_outside_tests() {
    let tests = test_paths(&rust_files());
    let ours = |path: &str| !tests.contains(path) && !path.ends_with("build.rs");
    in_rust_files("panics", ours, |text| {
        panics(&without_tests(&code_only(text)))
    });
}

#[test]
fn banned_words_stay_out() {
    let mut found = Vec::new();
    for file in text_files()
        .iter()
        .filter(|file| !NOT_OURS.contains(&file.path.as_str()))
    {
        let words = banned_words(&file.text);
        found.extend(
            words
                .into_iter()
                .map(|word| format!("{}:{word}", file.path)),
        );
    }
    hold("banned words", &found);
}

#[test]
fn these_rules_can_fail() {
    let long = "x\n".repeat(FILE_LINES_MAX + 1);
    can_fail(too_long, &[&long], &[&long[2..]]);
    assert_eq!(median(&mut [900, 1, 2]), 2);

    let body = "    x;\n".repeat(FUNCTION_LINES_MAX - 2);
    let good = format!("fn a(b: [u8; 2]) {{\n{body}}}\nfn c();\n");
    let bad =
        format!("trait T {{\n fn c();\n async fn a<'a>() -> X where Y: Z {{\n{body}\n}}\n}}\n");
    can_fail(
        |text| long_functions(text, text),
        &[&bad],
        &[&good, &format!("fn b() {{}}\n{body}{body}")],
    );
    let list = format!("fn a() {{\n [\n{body}{body}\n];\n}}\n");
    can_fail(|text| long_functions(text, text), &[&list], &[]);
    can_fail(|text| long_functions(text, ""), &[&bad], &[&list]);

    can_fail(
        opening,
        &[
            "use x;\n",
            "//! Does a thing\n\nuse x;",
            "//! does a thing.\n",
            "//! Does a thing. And another.\n\nuse x;",
            "// Copyright.\n//! Does a thing.\n",
        ],
        &[
            "//! Does a thing of\n//! version 2.7.\n//!\n//! More. And more\n",
            "//! Does \"A\".\n",
        ],
    );

    can_fail(
        |text| panics(&without_tests(&code_only(text))),
        &[
            "fn a() { b.unwrap(); }",
            "x\n  .expect(\"y\")",
            "panic!(\"a\")",
            "std::panic!()",
            "#[allow(clippy::unwrap_used)]\nfn a() {}",
            "#[cfg(test)]\nmod t {}\nfn a() { todo!() }",
        ],
        &[
            "a.unwrap_or(1); a.unwrap_or_default(); place.expect(wire)?; \"b.unwrap()\"; // panic!",
            "#[cfg(test)]\nmod t { fn a() { b.unwrap(); } }",
        ],
    );

    for (word, _) in BANNED_WORDS {
        can_fail(banned_words, &[&format!("a\n{word} b")], &["a b"]);
    }
}

/// Runs a rule over the source files that `which` picks.
fn in_rust_files(name: &str, which: impl Fn(&str) -> bool, rule: impl Fn(&str) -> Vec<String>) {
    let mut found = Vec::new();
    for file in rust_files().iter().filter(|file| which(&file.path)) {
        found.extend(
            rule(&file.text)
                .into_iter()
                .map(|what| format!("{}:{what}", file.path)),
        );
    }
    hold(name, &found);
}

/// Whether it is written by hand and read by people; goldens and their like may be long.
fn is_source(path: &str) -> bool {
    !NOT_OURS.contains(&path) && !path.starts_with("snapshots/")
}

fn too_long(text: &str) -> Vec<String> {
    let lines = text.lines().count();
    let long = lines > FILE_LINES_MAX;
    long.then(|| format!("{lines} lines, at most {FILE_LINES_MAX}: make it two rooms"))
        .into_iter()
        .collect()
}

fn median(lines: &mut [usize]) -> usize {
    lines.sort_unstable();
    lines.get(lines.len() / 2).copied().unwrap_or_default()
}

/// The functions of `code` that are too long, signature included. In tests, which `product` lacks,
/// a list of cases over several lines is data and not counted.
fn long_functions(code: &str, product: &str) -> Vec<String> {
    let product: Vec<&str> = product.lines().collect();
    let mut found = Vec::new();
    for (at, _) in code.match_indices("fn ") {
        if code[..at].ends_with(is_word) {
            continue;
        }
        let Some(open) = body_of(&code[at..]) else {
            continue;
        };
        let whole = &code[at..at + open + block_length(&code[at + open..])];
        let line = line_of(code, at);
        let is_test = product
            .get(line - 1)
            .is_none_or(|line| line.trim().is_empty());
        let cases = if is_test { lines_in_lists(whole) } else { 0 };
        let lines = whole.lines().count() - cases;
        if lines > FUNCTION_LINES_MAX {
            let name: String = code[at + 3..].chars().take_while(|c| is_word(*c)).collect();
            found.push(format!(
                "{line}: {name} has {lines} lines, at most {FUNCTION_LINES_MAX}"
            ));
        }
    }
    found
}

/// How many lines end within square brackets.
fn lines_in_lists(code: &str) -> usize {
    let (mut depth, mut lines) = (0_i32, 0);
    for c in code.chars() {
        match c {
            '[' => depth += 1,
            ']' => depth -= 1,
            '\n' if depth > 0 => lines += 1,
            _ => {}
        }
    }
    lines
}

/// Where the body of the function begins; a mere signature has none.
fn body_of(code: &str) -> Option<usize> {
    let mut depth = 0_i32;
    for (at, c) in code.char_indices() {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            '{' if depth == 0 => return Some(at),
            ';' if depth == 0 => return None,
            _ => {}
        }
    }
    None
}

/// What is wrong with the first paragraph of a file.
fn opening(text: &str) -> Vec<String> {
    let lines = text.lines().map_while(|line| line.strip_prefix("//!"));
    let paragraph: Vec<&str> = lines
        .map(str::trim)
        .take_while(|line| !line.is_empty())
        .collect();
    let sentence = paragraph.join(" ");
    let mut ends = sentence.match_indices(". ");
    let fault = if sentence.is_empty() {
        "is to open with `//!` and what the file is for"
    } else if !sentence.starts_with(|c: char| c.is_uppercase() || !c.is_alphabetic()) {
        "its first sentence is to begin with a capital"
    } else if !sentence.ends_with('.') {
        "its first sentence is to end with a full stop"
    } else if ends.any(|(at, _)| sentence[at + 2..].starts_with(char::is_uppercase)) {
        "is to open with one sentence; more goes below an empty line"
    } else {
        return Vec::new();
    };
    vec![format!("1: {fault}")]
}

/// The calls that may panic, and the lints switched off that would have told.
fn panics(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (call, instead) in BANNED_CALLS {
        let calls = code.match_indices(call);
        for (at, _) in calls.filter(|(at, _)| !code[..*at].ends_with(is_word)) {
            // A method of our own with the name `expect` takes more than a text.
            let own = call == "expect(" && !code[at + call.len()..].trim_start().starts_with(')');
            if !own {
                found.push(format!("{}: {call}: {instead}", line_of(code, at)));
            }
        }
    }
    for lint in [
        "clippy::unwrap_used",
        "clippy::expect_used",
        "clippy::panic,",
        "clippy::panic)",
    ] {
        for (at, _) in code.match_indices(lint) {
            found.push(format!(
                "{}: {lint} is for tests to allow",
                line_of(code, at)
            ));
        }
    }
    found
}

fn banned_words(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (word, instead) in BANNED_WORDS {
        for (at, _) in text.match_indices(word) {
            found.push(format!("{}: {word}: {instead}", line_of(text, at)));
        }
    }
    found
}
