//! What rules found and what was done in Werkbuch: written by the writer alone.

use super::{Protected, Text};
use crate::id::Position;
use serde::{Deserialize, Serialize};

/// A rule found something.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RuleRaised<'a> {
    /// The rule.
    #[serde(default)]
    pub rule: Text<'a>,
    /// What tells its findings apart.
    #[serde(default)]
    pub key: Text<'a>,
    /// How severe it is, 1 (least) to 1000.
    #[serde(default)]
    pub severity: u32,
    /// What it found, in words.
    #[serde(default)]
    pub text: Text<'a>,
}

/// What a rule found is over.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RuleCleared<'a> {
    /// The rule.
    #[serde(default)]
    pub rule: Text<'a>,
    /// The key of the finding.
    #[serde(default)]
    pub key: Text<'a>,
}

/// A person or a program did something in Werkbuch.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ActionRecorded<'a> {
    /// What was done.
    #[serde(default)]
    pub action: Text<'a>,
    /// To what.
    #[serde(default)]
    pub target: Text<'a>,
    /// Who did it.
    #[serde(default)]
    pub who: Protected<'a>,
    /// Why.
    #[serde(default)]
    pub why: Text<'a>,
    /// The position of what it replaces; 0 when it replaces nothing.
    #[serde(default)]
    pub old_position: Position,
    /// More, for a person.
    #[serde(default)]
    pub detail: Text<'a>,
}
