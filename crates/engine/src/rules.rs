//! The rules of a plant as its log says: which apply, and of which machines they are raised.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use werkbuch_model::event::{Body, DeclaredRule, Recorded, RuleRaised, RulesChanged};
use werkbuch_model::id::{MachineNumber, Position};
use werkbuch_model::time::Timestamp;

/// A rule that applies, as it was declared.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptRule {
    /// Its name.
    pub rule: Box<str>,
    /// What raises it, as a filter of machines.
    pub raise: Box<str>,
    /// How long that must hold, in nanoseconds.
    pub hold_ns: u64,
    /// What clears it; empty where it is that what raises no longer holds.
    pub clear: Box<str>,
    /// How long that must hold, in nanoseconds.
    pub clear_hold_ns: u64,
    /// How severe it is.
    pub severity: u32,
    /// What it means, for a person.
    pub text: Box<str>,
    /// The revision since which it raises and clears as it does.
    pub since_revision: u32,
}

impl KeptRule {
    pub(crate) fn of(declared: &DeclaredRule<'_>) -> Self {
        Self {
            rule: declared.rule.as_ref().into(),
            raise: declared.raise.as_ref().into(),
            hold_ns: declared.hold_ns,
            clear: declared.clear.as_ref().into(),
            clear_hold_ns: declared.clear_hold_ns,
            severity: declared.severity,
            text: declared.text.as_ref().into(),
            since_revision: declared.since_revision,
        }
    }

    pub(crate) fn declared(&self) -> DeclaredRule<'static> {
        DeclaredRule {
            rule: self.rule.to_string().into(),
            raise: self.raise.to_string().into(),
            hold_ns: self.hold_ns,
            clear: self.clear.to_string().into(),
            clear_hold_ns: self.clear_hold_ns,
            severity: self.severity,
            text: self.text.to_string().into(),
            since_revision: self.since_revision,
        }
    }

    /// Whether another one raises and clears as this one does.
    pub(crate) fn turns_as(&self, other: &Self) -> bool {
        let of = |rule: &Self| (rule.hold_ns, rule.clear_hold_ns);
        self.rule == other.rule
            && self.raise == other.raise
            && self.clear == other.clear
            && of(self) == of(other)
    }
}

/// A change of the rules that apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleRevision {
    /// The count of these changes, from 1.
    pub revision: u32,
    /// The position of its first part.
    pub first: Position,
    /// The position at which it took effect.
    pub position: Position,
    /// When that was recorded.
    pub recorded_at: Timestamp,
}

/// A rule that is raised of a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Raised {
    /// The position of the record that says so.
    pub position: Position,
    /// When it was raised, in plant time.
    pub at: Timestamp,
    /// Since when the condition held.
    pub since: Timestamp,
    /// How severe it was then.
    pub severity: u32,
}

impl Raised {
    /// What the record says that tells of it.
    pub(crate) fn of(event: &Recorded<'_>, said: &RuleRaised<'_>) -> Self {
        Self {
            position: event.position,
            at: event.effective_at,
            since: said.since,
            severity: said.severity,
        }
    }
}

/// What is raised: by rule and machine.
pub type RaisedRules = BTreeMap<(Arc<str>, MachineNumber), Raised>;

/// The rules of a plant after a position.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RuleBook {
    revisions: Vec<RuleRevision>,
    rules: Arc<Vec<KeptRule>>,
    raised: RaisedRules,
    /// The last record that a rule was raised or cleared; 0 for none.
    last: Position,
    /// A revision on its way: its first part, and its rules so far.
    staged: (Position, Vec<KeptRule>),
}

impl RuleBook {
    /// The count of changes so far; 0 before the first.
    #[must_use]
    pub fn revision(&self) -> u32 {
        self.revisions.last().map_or(0, |last| last.revision)
    }

    /// The changes, in order.
    #[must_use]
    pub fn revisions(&self) -> &[RuleRevision] {
        &self.revisions
    }

    /// The rules that apply, in the order of their file.
    #[must_use]
    pub fn rules(&self) -> &[KeptRule] {
        &self.rules
    }

    /// What is raised.
    #[must_use]
    pub fn raised(&self) -> &RaisedRules {
        &self.raised
    }

    /// The last record that a rule was raised or cleared; 0 for none.
    #[must_use]
    pub fn last(&self) -> Position {
        self.last
    }

    /// Takes in the next event of the log. Answers whether it says anything about rules.
    pub(crate) fn says(body: &Body<'_>) -> bool {
        matches!(
            body,
            Body::RulesChanged(_) | Body::RuleRaised(_) | Body::RuleCleared(_)
        )
    }

    /// Takes in the next event of the log that says something about rules.
    pub(crate) fn absorb(&mut self, event: &Recorded<'_>) {
        let machine = event.reported.machine;
        match &event.reported.body {
            Body::RulesChanged(changed) => self.change(event, changed),
            Body::RuleRaised(said) => {
                let raised = Raised::of(event, said);
                self.raised
                    .insert((said.rule.as_ref().into(), machine), raised);
                self.last = event.position;
            }
            Body::RuleCleared(said) => {
                self.raised.remove(&(said.rule.as_ref().into(), machine));
                self.last = event.position;
            }
            _ => {}
        }
    }

    fn change(&mut self, event: &Recorded<'_>, changed: &RulesChanged<'_>) {
        if changed.part == 1 {
            self.staged = (event.position, Vec::new());
        }
        self.staged.1.extend(changed.rules.iter().map(KeptRule::of));
        if !changed.commit {
            return;
        }
        let (first, rules) = std::mem::take(&mut self.staged);
        let since: BTreeMap<&str, u32> = rules
            .iter()
            .map(|rule| (&*rule.rule, rule.since_revision))
            .collect();
        // What is withdrawn was recorded before; this holds though a crash came between the two.
        self.raised.retain(|(rule, _), _| {
            since
                .get(&**rule)
                .is_some_and(|since| *since < changed.revision)
        });
        self.revisions.push(RuleRevision {
            revision: changed.revision,
            first,
            position: event.position,
            recorded_at: event.recorded_at,
        });
        self.rules = Arc::new(rules);
    }
}
