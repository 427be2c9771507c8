//! The rules of the house, as tests: each says what to do, and each is shown to be able to fail.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod map;
mod source;
mod tree;

mod layers;
mod names;
mod purity;
mod tidy;
mod workspace;

/// Fails with all that a rule found, one line each.
fn hold(rule: &str, found: &[String]) {
    assert!(
        found.is_empty(),
        "{rule}: {} found\n  {}\n",
        found.len(),
        found.join("\n  ")
    );
}

/// Shows that a rule can fail: the bad sample must be found exactly once, the good one never.
fn can_fail(rule: impl Fn(&str) -> Vec<String>, bad: &[&str], good: &[&str]) {
    for sample in bad {
        assert_eq!(
            rule(sample).len(),
            1,
            "not found once in the sample:\n{sample}"
        );
    }
    for sample in good {
        assert_eq!(
            rule(sample),
            Vec::<String>::new(),
            "found in the sample:\n{sample}"
        );
    }
}
