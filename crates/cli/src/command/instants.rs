//! Every command that reads takes an instant, or says in its help and its error why it has none.

#![allow(clippy::unwrap_used, clippy::panic)]

use crate::line::command;
use std::collections::BTreeSet;

/// Commands that read without an instant: what their help says about it.
const OTHERS: [(&str, &str); 4] = [
    ("event tail", "There is no --at and no --known"),
    ("server status", "There is no --at and no --known"),
    ("server metrics", "There is no --at and no --known"),
    ("machine watch", "There is no --known"),
];

/// Commands that read a range, or two instants, or fold up to one.
const RANGES: [(&str, [&str; 2]); 2] = [
    ("diff", ["known-from", "known-to"]),
    ("replay", ["to", "to"]),
];

/// Commands that write, that are about this machine alone, or that read files without a server.
const APART: [&str; 10] = [
    "serve",
    "import",
    "log",
    "bench",
    "demo",
    "context",
    "completion",
    "scenario",
    "man",
    "plant apply",
];
/// Single ones of nouns that read as well.
const APART_TOO: [&str; 14] = [
    "plant diff",
    "plant confirm-clock",
    "event append",
    "export columns",
    "rule check",
    "rule apply",
    "rule rm",
    "sim conformance",
    "sim run",
    "sim rerun",
    "sim ls",
    "sim get",
    "sim cancel",
    "sim rm",
];

/// All commands that do something, by their full names.
fn leaves(command: &clap::Command, name: &str, found: &mut Vec<(String, clap::Command)>) {
    let mut subcommands = command.get_subcommands().peekable();
    if subcommands.peek().is_none() {
        found.push((name.trim().to_owned(), command.clone()));
    }
    for subcommand in subcommands {
        leaves(
            subcommand,
            &format!("{name} {}", subcommand.get_name()),
            found,
        );
    }
}

fn has(command: &clap::Command, flag: &str) -> bool {
    command
        .get_arguments()
        .any(|argument| argument.get_long() == Some(flag) && !argument.is_hide_set())
}

#[test]
fn every_command_that_reads_takes_an_instant_or_says_why_not() {
    let mut found = Vec::new();
    leaves(&command(), "", &mut found);
    let mut apart = BTreeSet::new();
    let mut reads = 0;
    for (name, command) in &mut found {
        let outside = |of: &&&str| *name == ***of || name.starts_with(&format!("{of} "));
        if let Some(of) = APART.iter().chain(&APART_TOO).find(outside) {
            apart.insert(*of);
            continue;
        }
        if let Some((_, why)) = OTHERS.iter().find(|(of, _)| of == name) {
            let help = command.render_long_help().to_string();
            let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(
                help.contains(why),
                "{name}: its help does not say \"{why}\""
            );
            continue;
        }
        if let Some((_, flags)) = RANGES.iter().find(|(of, _)| of == name) {
            assert!(flags.iter().all(|flag| has(command, flag)), "{name}");
            continue;
        }
        assert!(
            has(command, "at") && has(command, "known"),
            "{name} takes no --at and --known: flatten `Instant` into its arguments, or say in its help why \
             it has none, refuse them with `NoInstant`, and add it to OTHERS"
        );
        reads += 1;
    }
    assert_eq!(apart.len(), APART.len() + APART_TOO.len(), "{apart:?}");
    assert!(reads > 40, "{reads}");
}
