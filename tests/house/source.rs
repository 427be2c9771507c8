//! Reads Rust source roughly: without its comments, its texts and its tests.

use std::collections::BTreeSet;

use crate::tree::TextFile;

/// The code with comments, string and character literals replaced by spaces; lines stay in place.
pub(crate) fn code_only(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let end = end_of_comment(&chars, at)
            .or_else(|| end_of_text(&chars, at))
            .or_else(|| end_of_char(&chars, at));
        if let Some(end) = end {
            out.extend(
                chars[at..end]
                    .iter()
                    .map(|c| if *c == '\n' { '\n' } else { ' ' }),
            );
            at = end;
        } else {
            out.push(chars[at]);
            at += 1;
        }
    }
    out
}

/// The code of [`code_only`] without the items under `#[cfg(test)]`; lines stay in place.
pub(crate) fn without_tests(code: &str) -> String {
    let mut out = code.to_owned();
    while let Some(start) = out.find("#[cfg(test)]") {
        let rest = &out[start..];
        let length = rest.find(['{', ';']).map_or(rest.len(), |open| {
            if rest[open..].starts_with('{') {
                open + block_length(&rest[open..])
            } else {
                open + 1
            }
        });
        let blank: String = rest[..length]
            .chars()
            .map(|c| if c == '\n' { '\n' } else { ' ' })
            .collect();
        out.replace_range(start..start + length, &blank);
    }
    out
}

/// The length in bytes of the block that `code` begins with, braces included.
pub(crate) fn block_length(code: &str) -> usize {
    let mut depth = 0_usize;
    for (at, c) in code.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at + c.len_utf8();
        }
    }
    code.len()
}

/// The paths of files that hold tests only: below a `tests` folder, named so, or declared by a
/// module under `#[cfg(test)]`.
pub(crate) fn test_paths(files: &[TextFile]) -> BTreeSet<String> {
    let mut prefixes = Vec::new();
    for file in files {
        let code = code_only(&file.text);
        for (at, mark) in code.match_indices("#[cfg(test)]") {
            let rest = code[at + mark.len()..].trim_start();
            if let Some((name, _)) = rest
                .strip_prefix("mod ")
                .and_then(|rest| rest.split_once(';'))
            {
                prefixes.push(format!("{}{}", module_folder(&file.path), name.trim()));
            }
        }
    }
    let is_test = |path: &str| {
        path.starts_with("tests/")
            || path.contains("/tests/")
            || path.contains("/benches/")
            || path.starts_with("fuzz/")
            || path.ends_with("/tests.rs")
            || prefixes.iter().any(|prefix| {
                let rest = path.strip_prefix(prefix.as_str());
                rest.is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
            })
    };
    let paths = files.iter().map(|file| file.path.clone());
    paths.filter(|path| is_test(path)).collect()
}

/// The number of the line that holds the byte `at`, from 1.
pub(crate) fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

/// Whether the byte is part of a word.
pub(crate) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The folder in which a file's modules lie, with a slash at its end.
fn module_folder(path: &str) -> String {
    let stem = path.trim_end_matches(".rs");
    let root = ["lib", "main", "mod"]
        .iter()
        .find_map(|name| stem.strip_suffix(name).filter(|rest| rest.ends_with('/')));
    root.map_or_else(|| format!("{stem}/"), str::to_owned)
}

fn end_of_comment(chars: &[char], at: usize) -> Option<usize> {
    if chars[at] != '/' {
        return None;
    }
    match chars.get(at + 1)? {
        '/' => Some(
            chars[at..]
                .iter()
                .position(|c| *c == '\n')
                .map_or(chars.len(), |n| at + n),
        ),
        '*' => {
            let mut depth = 0;
            let mut end = at;
            while end < chars.len() {
                match (chars[end], chars.get(end + 1)) {
                    ('/', Some('*')) => depth += 1,
                    ('*', Some('/')) => depth -= 1,
                    _ => {
                        end += 1;
                        continue;
                    }
                }
                end += 2;
                if depth == 0 {
                    break;
                }
            }
            Some(end)
        }
        _ => None,
    }
}

/// The end of a string literal that begins here, with its prefix (`r#`, `b`, `br`, `c`).
fn end_of_text(chars: &[char], at: usize) -> Option<usize> {
    if at > 0 && is_word(chars[at - 1]) {
        return None;
    }
    let prefix = chars[at..]
        .iter()
        .take_while(|c| matches!(c, 'r' | 'b' | 'c'))
        .count();
    let hashes = chars[at + prefix..]
        .iter()
        .take_while(|c| **c == '#')
        .count();
    let raw = chars[at..at + prefix].contains(&'r');
    let open = at + prefix + hashes;
    if chars.get(open) != Some(&'"') || (hashes > 0 && !raw) {
        return None;
    }
    let mut end = open + 1;
    while end < chars.len() {
        if chars[end] == '\\' && !raw {
            end += 2;
            continue;
        }
        let closing = chars[end + 1..]
            .iter()
            .take(hashes)
            .filter(|c| **c == '#')
            .count();
        end += 1;
        if chars[end - 1] == '"' && closing == hashes {
            return Some((end + hashes).min(chars.len()));
        }
    }
    Some(chars.len())
}

/// The end of a character literal that begins here; a lifetime is none.
fn end_of_char(chars: &[char], at: usize) -> Option<usize> {
    if chars[at] != '\'' {
        return None;
    }
    if chars.get(at + 1) == Some(&'\\') {
        let close = chars.iter().skip(at + 3).position(|c| *c == '\'')?;
        return Some(at + 3 + close + 1);
    }
    (chars.get(at + 2) == Some(&'\'')).then_some(at + 3)
}

#[test]
fn comments_texts_and_tests_are_left_out() {
    let text = "a /* b { /* c */ */ \"d \\\" {\" r#\"e \" {\"# '{' '\\'' 'x: &'y f // {\ng b\"h\"";
    let code = code_only(text);
    for gone in ["b {", "c", "d", "e", "{", "h"] {
        assert!(!code.contains(gone), "{gone} is left in: {code}");
    }
    for kept in ["a ", "'x: &'y f", "\ng "] {
        assert!(code.contains(kept), "{kept} is lost from: {code}");
    }
    let code =
        without_tests("a\n#[cfg(test)]\n#[x]\nmod t { b { c } }\nd\n#[cfg(test)]\nmod e;\nf");
    assert_eq!(code.split_whitespace().collect::<Vec<_>>(), ["a", "d", "f"]);
    assert_eq!(code.lines().count(), 8);
}

#[test]
fn files_of_tests_are_known() {
    let file = |path: &str, text: &str| TextFile {
        path: path.into(),
        text: text.into(),
    };
    let files = [
        file("crates/a/src/lib.rs", "#[cfg(test)]\nmod cases;"),
        file("crates/a/src/cases.rs", ""),
        file("crates/a/src/b.rs", "#[cfg(test)]\nmod cases;"),
        file("crates/a/src/b/cases/mod.rs", ""),
        file("crates/a/src/casesx.rs", ""),
        file("crates/a/tests/c.rs", ""),
    ];
    let tests = test_paths(&files);
    let expected = [
        "crates/a/src/b/cases/mod.rs",
        "crates/a/src/cases.rs",
        "crates/a/tests/c.rs",
    ];
    assert_eq!(
        tests.iter().collect::<Vec<_>>(),
        expected.iter().collect::<Vec<_>>()
    );
}
