//! Keeps the decisions where they are looked for, and every ban with its reason.

use crate::tree::{crate_folders, read, read_toml, root, text_files};
use crate::{can_fail, hold};

#[test]
fn libraries_say_what_they_are_and_why() {
    let mut found = Vec::new();
    for name in crate_folders() {
        let path = format!("crates/{name}/src/lib.rs");
        if root().join(&path).is_file() {
            found.extend(
                library_doc(&read(&path))
                    .into_iter()
                    .map(|what| format!("{path}: {what}")),
            );
        }
    }
    hold("docs of libraries", &found);
}

#[test]
fn every_ban_has_its_reason() {
    let mut found = Vec::new();
    for file in text_files() {
        if file.path.ends_with("clippy.toml") || file.path == "deny.toml" {
            let bans = without_reason(&file.text);
            found.extend(
                bans.into_iter()
                    .map(|what| format!("{}: {what}", file.path)),
            );
        }
    }
    hold("bans without a reason", &found);
}

#[test]
fn the_changelog_speaks_to_who_upgrades() {
    hold("CHANGELOG.md", &changelog(&read("CHANGELOG.md")));
}

#[test]
fn the_readme_shows_what_is_checked() {
    let (readme, checked) = (read("README.md"), read(".ci/run"));
    for command in ["cargo test --workspace", "demo"] {
        assert!(
            readme.contains(command),
            "README.md does not show `{command}`"
        );
        assert!(
            checked.contains(command),
            ".ci/run does not run `{command}`"
        );
    }
}

#[test]
fn versions_stand_once() {
    let mut found = Vec::new();
    for name in crate_folders() {
        let path = format!("crates/{name}/Cargo.toml");
        let own = own_versions(&read_toml(&path).to_string());
        found.extend(own.into_iter().map(|what| format!("{path}: {what}")));
    }
    hold("versions", &found);
}

#[test]
fn these_rules_can_fail() {
    let good = "//! A.\n//!\n//! # Example\n//!\n//! ```\n//! a();\n//! ```\n//!\n//! # Why\n//!\n//! - 2026-11-22: b.\n";
    can_fail(
        library_doc,
        &[
            &good.replace("2026-11-22", "some day"),
            &good.replace("# Why", "# Reasons"),
            &good.replace("```", "~"),
            &good.replace("```\n//! a", "```ignore\n//! a"),
        ],
        &[good],
    );
    can_fail(
        without_reason,
        &[
            "disallowed-types = [{ path = \"a\" }]",
            "disallowed-methods = [\"a\"]",
            "[bans]\ndeny = [{ crate = \"a\", reason = \"\" }]",
            "[advisories]\nignore = [\"RUSTSEC-2025-0141\"]",
        ],
        &["disallowed-types = [{ path = \"a\", reason = \"b\" }]\n[bans]\ndeny = []"],
    );
    let log = "# C\n\n## 1\n\n### Safety and performance\n\n### Features\n\n### Internals\n";
    can_fail(changelog, &[&log.replace("### Features\n", "")], &[log]);
    can_fail(
        own_versions,
        &[
            "[dependencies]\na = \"1\"",
            "[target.x.dev-dependencies]\na = { path = \"../a\" }",
        ],
        &["[dependencies]\na = { workspace = true, features = [\"b\"] }\n[package]\nname = \"a\""],
    );
}

/// What the doc of a library lacks: an example that runs, and decisions with their dates.
fn library_doc(text: &str) -> Vec<String> {
    let lines = text.lines().map_while(|line| line.strip_prefix("//!"));
    let doc = lines.map(str::trim).collect::<Vec<_>>().join("\n");
    let why = doc.split_once("# Why\n").map_or("", |(_, why)| why);
    let dated = why
        .lines()
        .filter_map(|line| line.strip_prefix("- "))
        .any(|line| {
            let date = line.split(':').next().unwrap_or_default();
            date.len() == 10 && date.split('-').all(|part| part.parse::<u16>().is_ok())
        });
    let runs = doc.lines().any(|line| line == "```");
    let ignored = ["```ignore", "```no_run", "```text"];
    let runs = runs && !doc.lines().any(|line| ignored[..2].contains(&line));
    let mut found = Vec::new();
    if !runs {
        found.push("its doc is to hold an example that runs".to_owned());
    }
    if !dated {
        found.push("its doc is to end in `# Why` with `- 2026-11-22: ...`".to_owned());
    }
    found
}

/// The bans and exceptions of a list that give no reason.
fn without_reason(text: &str) -> Vec<String> {
    let Ok(list) = text.parse::<toml::Table>() else {
        return vec!["cannot be read as TOML".to_owned()];
    };
    let tables = list
        .values()
        .filter_map(toml::Value::as_table)
        .chain([&list]);
    let mut found = Vec::new();
    for (key, value) in tables.flatten() {
        let reasoned =
            key.starts_with("disallowed-") || ["deny", "skip", "ignore"].contains(&key.as_str());
        for entry in value.as_array().filter(|_| reasoned).into_iter().flatten() {
            let reason = entry.get("reason").and_then(toml::Value::as_str);
            if reason.is_none_or(str::is_empty) {
                found.push(format!("{key}: {entry} has no reason"));
            }
        }
    }
    found
}

fn changelog(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for release in text.split("\n## ").skip(1) {
        let name = release.lines().next().unwrap_or_default();
        for heading in ["Safety and performance", "Features", "Internals"] {
            if !release.contains(&format!("\n### {heading}\n")) {
                found.push(format!("{name}: lacks \"### {heading}\""));
            }
        }
    }
    found
}

/// The dependencies of a crate that do not take their version from the workspace.
fn own_versions(text: &str) -> Vec<String> {
    let Ok(package) = text.parse::<toml::Table>() else {
        return vec!["cannot be read as TOML".to_owned()];
    };
    let targets = package
        .get("target")
        .and_then(toml::Value::as_table)
        .into_iter()
        .flatten();
    let mut found = Vec::new();
    for table in targets
        .filter_map(|(_, table)| table.as_table())
        .chain([&package])
    {
        for key in ["dependencies", "build-dependencies", "dev-dependencies"] {
            let all = table
                .get(key)
                .and_then(toml::Value::as_table)
                .into_iter()
                .flatten();
            for (name, value) in all {
                if value.get("workspace").and_then(toml::Value::as_bool) != Some(true) {
                    found.push(format!("{name}: take it with `{name}.workspace = true`"));
                }
            }
        }
    }
    found
}
