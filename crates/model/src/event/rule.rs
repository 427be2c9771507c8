//! Which rules apply, what they found, and what was done in Werkbuch: written by the writer alone.

use super::{Blob, Protected, Text};
use crate::id::Position;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// A part of the rules that apply from now on, which are all that do. The parts of one revision are staged
/// and take effect together at the part that is the last. A rule that is the same as before goes on; one
/// that raises or clears otherwise begins anew.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RulesChanged<'a> {
    /// The count of these changes, from 1.
    pub revision: u32,
    /// The number of this part, from 1.
    pub part: u32,
    /// Whether this part is the last, at which all take effect.
    pub commit: bool,
    /// SHA-256 of the file that was applied; empty where rules were only removed.
    #[serde(default, skip_serializing_if = "<[u8]>::is_empty")]
    pub file_hash: Blob<'a>,
    /// Who did it, as asserted by the caller.
    #[serde(default)]
    pub who: Protected<'a>,
    /// Why.
    #[serde(default)]
    pub why: Text<'a>,
    /// The rules, in the order of the file.
    #[serde(default)]
    pub rules: Vec<DeclaredRule<'a>>,
}

/// A rule that applies.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DeclaredRule<'a> {
    /// Its name.
    pub rule: Text<'a>,
    /// What raises it, as a filter of machines.
    pub raise: Text<'a>,
    /// How long that must hold, in nanoseconds; 0 for at once.
    #[serde(default)]
    pub hold_ns: u64,
    /// What clears it; empty where it is that what raises no longer holds.
    #[serde(default)]
    pub clear: Text<'a>,
    /// How long that must hold, in nanoseconds; 0 for at once.
    #[serde(default)]
    pub clear_hold_ns: u64,
    /// How severe it is, 1 (least) to 1000.
    #[serde(default)]
    pub severity: u32,
    /// What it means, for a person.
    #[serde(default)]
    pub text: Text<'a>,
    /// The revision since which it raises and clears as it does.
    #[serde(default)]
    pub since_revision: u32,
}

/// A rule found something of the machine that the event is about. It takes effect when the condition had
/// held for its time, also where it is recorded later.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RuleRaised<'a> {
    /// The rule.
    #[serde(default)]
    pub rule: Text<'a>,
    /// What tells its findings apart: the name of the machine, as it was then.
    #[serde(default)]
    pub key: Text<'a>,
    /// How severe it is, 1 (least) to 1000.
    #[serde(default)]
    pub severity: u32,
    /// What it found, in words.
    #[serde(default)]
    pub text: Text<'a>,
    /// Since when the condition held.
    #[serde(default)]
    pub since: Timestamp,
    /// The position of the finding before it, of any rule, raised or cleared; 0 for none.
    #[serde(default)]
    pub before: Position,
}

/// What a rule found of the machine that the event is about is over.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RuleCleared<'a> {
    /// The rule.
    #[serde(default)]
    pub rule: Text<'a>,
    /// The key of the finding.
    #[serde(default)]
    pub key: Text<'a>,
    /// Since when what clears held; when it is withdrawn, when that was recorded.
    #[serde(default)]
    pub since: Timestamp,
    /// The position of the finding before it, of any rule, raised or cleared; 0 for none.
    #[serde(default)]
    pub before: Position,
    /// The position of the record that it was raised.
    #[serde(default)]
    pub raised: Position,
    /// Whether it is over because the rule no longer applies, or applies otherwise.
    #[serde(default)]
    pub withdrawn: bool,
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
