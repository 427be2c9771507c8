//! Compares the map in `crates/README.md` with what the crates are built on.

use crate::map::{Row, quoted, section, table};
use crate::tree::{crate_folders, read, read_toml, root};
use crate::{can_fail, hold};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;

const MAP: &str = "crates/README.md";
const PREFIX: &str = "werkbuch-";

type Names = BTreeSet<String>;

/// What one crate is built on, by the three kinds of dependencies.
#[derive(Debug, Default, Clone, PartialEq)]
struct Needs {
    run: Names,
    build: Names,
    tests: Names,
}

/// One row of the table of layers.
#[derive(Debug)]
struct Layer {
    number: u32,
    uses: Names,
    may_use: Names,
}

#[test]
fn the_arrows_are_those_of_the_map() {
    hold(
        "arrows between crates",
        &arrows(&layers(&read(MAP)), &all_needs()),
    );
}

#[test]
fn outside_crates_are_those_of_the_map() {
    let rows = table(&read(MAP), "## Outside crates");
    hold("outside crates", &outside(&rows, &all_needs()));
    let root = read_toml("Cargo.toml");
    let shared = root["workspace"]["dependencies"].as_table().unwrap().keys();
    let listed: Names = rows.iter().flat_map(|row| quoted(&row[0])).collect();
    let idle: Vec<_> = shared
        .filter(|name| !name.starts_with(PREFIX) && !listed.contains(*name))
        .map(|name| format!("{name}: stands in [workspace.dependencies], and nothing uses it"))
        .collect();
    hold("shared versions", &idle);
}

#[test]
fn every_crate_is_on_the_map_and_says_what_it_does_not_know() {
    let text = read(MAP);
    let mut found = Vec::new();
    for name in crate_folders() {
        let paragraph = section(&text, &format!("### `{name}`"));
        if !paragraph.contains("nows nothing of") {
            found.push(format!(
                "{name}: {MAP} has no `### \\`{name}\\`` with \"knows nothing of\""
            ));
        }
        let package = read_toml(&format!("crates/{name}/Cargo.toml"));
        if package["package"]["name"].as_str() != Some(&format!("{PREFIX}{name}")) {
            found.push(format!("{name}: its package is to be named {PREFIX}{name}"));
        }
        if package
            .get("lints")
            .and_then(|lints| lints.get("workspace"))
            .is_none()
        {
            found.push(format!(
                "{name}: its Cargo.toml is to have [lints] workspace = true"
            ));
        }
    }
    hold("crates on the map", &found);
}

#[test]
fn where_to_add_things_is_true_and_within_budget() {
    let rows = table(&read(MAP), "## Where do I add ...?");
    assert!(rows.len() >= 6, "{MAP} lost its table of touch budgets");
    let mut found = Vec::new();
    for row in &rows {
        let budget: usize = row[1].parse().expect("the second column is the budget");
        let files = quoted(&row[2]);
        if files.len() > budget {
            found.push(format!(
                "{}: {} files, budget {budget}",
                row[0],
                files.len()
            ));
        }
        let gone = files.iter().filter(|path| !exists(path));
        found.extend(gone.map(|path| format!("{}: there is no {path}", row[0])));
    }
    hold("touch budgets", &found);
}

#[test]
fn these_rules_can_fail() {
    let head = "\n## Layers\n\n| layer | crate | uses | may also use |\n|---|---|---|---|\n| 0 | `a` | | |\n";
    let needs = |run: &[&str], tests: &[&str]| {
        let names = |list: &[&str]| list.iter().map(|name| (*name).to_owned()).collect();
        let b = Needs {
            run: names(run),
            tests: names(tests),
            build: Names::new(),
        };
        BTreeMap::from([("a".to_owned(), Needs::default()), ("b".to_owned(), b)])
    };
    let with = |b: &str| layers(&format!("{head}{b}\n"));
    let uses_a = needs(&["werkbuch-a"], &[]);
    let uses_none = needs(&["serde"], &[]);
    for (bad, needs) in [
        ("| 1 | `b` | | |", &uses_a),
        ("| 1 | `b` | | `a` |", &uses_a),
        ("| 1 | `b` | `a` | |", &uses_none),
        ("| 0 | `b` | `a` | |", &uses_a),
        ("| 1 | `b` | | `a` `c` |", &uses_none),
        ("| 1 | `b` | | |", &needs(&[], &["werkbuch-a"])),
        ("", &uses_none),
    ] {
        assert_eq!(arrows(&with(bad), needs).len(), 1, "{bad}");
    }
    assert!(arrows(&with("| 1 | `b` | `a` | |"), &uses_a).is_empty());
    assert!(arrows(&with("| 1 | `b` | | `a` |"), &needs(&[], &["werkbuch-a"])).is_empty());

    let outside_of = |text: &str| {
        let rows = table(
            &format!("\n## T\n\n| c | w | u | b | t |\n|-|-|-|-|-|\n{text}"),
            "## T",
        );
        outside(&rows, &needs(&["serde", "werkbuch-a"], &["proptest"]))
    };
    let serde = "| `serde` | a reason of some length | `b` | | |\n";
    let proptest = "| `proptest` | a reason of some length | | | `b` |\n";
    can_fail(
        outside_of,
        &[
            serde,
            &format!("{serde}{proptest}| `tokio` | a reason of some length | | | |\n"),
            &format!("{proptest}| `serde` | | `b` | | |\n"),
            &format!("{proptest}{serde}{serde}"),
        ],
        &[&format!("{serde}{proptest}")],
    );
    assert!(exists("crates/<any>/Cargo.toml") && !exists("crates/<any>/nothing.rs"));
}

/// The table of layers, by crate.
fn layers(text: &str) -> BTreeMap<String, Layer> {
    let rows = table(text, "## Layers").into_iter().map(|row| {
        let layer = Layer {
            number: row[0].parse().expect("the first column is the layer"),
            uses: quoted(&row[2]),
            may_use: quoted(&row[3]),
        };
        (row[1].trim_matches('`').to_owned(), layer)
    });
    rows.collect()
}

/// What differs between the table of layers and the crates.
fn arrows(layers: &BTreeMap<String, Layer>, needs: &BTreeMap<String, Needs>) -> Vec<String> {
    let mut found = Vec::new();
    for name in layers.keys().filter(|name| !needs.contains_key(*name)) {
        found.push(format!(
            "{name}: stands on the map, but there is no such crate"
        ));
    }
    for (name, needs) in needs {
        let Some(layer) = layers.get(name) else {
            found.push(format!("{name}: stands in no layer of {MAP}"));
            continue;
        };
        let uses = internal(&needs.run.union(&needs.build).cloned().collect());
        for new in uses.difference(&layer.uses) {
            found.push(format!("{name} -> {new}: the arrow is not on the map"));
        }
        for old in layer.uses.difference(&uses) {
            found.push(format!("{name} -> {old}: is on the map, but is not used"));
        }
        let all: Names = layer.uses.union(&layer.may_use).cloned().collect();
        for test in internal(&needs.tests)
            .difference(&all)
            .filter(|test| *test != name)
        {
            found.push(format!(
                "{name} -> {test}: tests may use no more than the crate may"
            ));
        }
        let high = |to: &&String| layers.get(*to).is_none_or(|to| to.number >= layer.number);
        for to in all.iter().filter(high) {
            found.push(format!(
                "{name} -> {to}: arrows lead to a crate in a lower layer"
            ));
        }
    }
    found
}

/// What differs between the table of outside crates and the crates.
fn outside(rows: &[Row], needs: &BTreeMap<String, Needs>) -> Vec<String> {
    let mut actual: BTreeMap<String, Needs> = BTreeMap::new();
    for (user, needs) in needs {
        for (names, pick) in [(&needs.run, 0), (&needs.build, 1), (&needs.tests, 2)] {
            for name in names.iter().filter(|name| !name.starts_with(PREFIX)) {
                let users = actual.entry(name.clone()).or_default();
                let users = [&mut users.run, &mut users.build, &mut users.tests];
                users.into_iter().nth(pick).unwrap().insert(user.clone());
            }
        }
    }
    let mut found = Vec::new();
    for row in rows {
        let name = row[0].trim_matches('`');
        if row[1].len() < 10 {
            found.push(format!("{name}: the map gives no reason for it"));
        }
        let listed = Needs {
            run: quoted(&row[2]),
            build: quoted(&row[3]),
            tests: quoted(&row[4]),
        };
        match actual.remove(name) {
            None => found.push(format!("{name}: is on the map (twice?), but is not used")),
            Some(actual) if actual != listed => {
                found.push(format!(
                    "{name}: is used by {actual:?}, the map says {listed:?}"
                ));
            }
            Some(_) => {}
        }
    }
    let left = actual.into_iter();
    found.extend(left.map(|(name, users)| format!("{name}: is not on the map, used by {users:?}")));
    found
}

fn internal(names: &Names) -> Names {
    let ours = names.iter().filter_map(|name| name.strip_prefix(PREFIX));
    ours.map(str::to_owned).collect()
}

fn all_needs() -> BTreeMap<String, Needs> {
    let needs = crate_folders().into_iter().map(|folder| {
        let package = read_toml(&format!("crates/{folder}/Cargo.toml"));
        (folder, needs_of(&package))
    });
    needs.collect()
}

fn needs_of(package: &toml::Table) -> Needs {
    let mut needs = Needs::default();
    let targets = package
        .get("target")
        .and_then(toml::Value::as_table)
        .into_iter()
        .flatten();
    let tables = targets
        .filter_map(|(_, table)| table.as_table())
        .chain([package]);
    for table in tables {
        let names = |key: &str| {
            let names = table
                .get(key)
                .and_then(toml::Value::as_table)
                .into_iter()
                .flatten();
            names.map(|(name, _)| name.clone()).collect::<Names>()
        };
        needs.run.extend(names("dependencies"));
        needs.build.extend(names("build-dependencies"));
        needs.tests.extend(names("dev-dependencies"));
    }
    needs
}

/// Whether there is such a file; a part in angle brackets stands for any name.
fn exists(path: &str) -> bool {
    let mut folders = vec![root()];
    for part in path.split('/') {
        folders = if let Some((before, rest)) = part.split_once('<') {
            let after = rest.split_once('>').map_or("", |(_, after)| after);
            let entries = folders
                .iter()
                .filter_map(|folder| fs::read_dir(folder).ok());
            let paths = entries.flatten().flatten().filter(|entry| {
                let name = entry.file_name();
                let name = name.to_string_lossy();
                name.starts_with(before) && name.ends_with(after)
            });
            paths.map(|entry| entry.path()).collect()
        } else {
            let paths = folders.iter().map(|folder| folder.join(part));
            paths.filter(|path| path.exists()).collect()
        };
    }
    !folders.is_empty()
}
