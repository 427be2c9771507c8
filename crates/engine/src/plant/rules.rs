//! Changes the rules of a plant, and records what they raise and clear.

use super::flight::Landing;
use super::handle::Plant;
use super::input::{Input, Reply};
use super::open::WRITER;
use super::state::Loop;
use crate::error::EngineError;
use crate::keyring::{KeyRing, Keys};
use crate::limits::DESCRIPTION_PART_BYTES;
use crate::protect::{Owner, protect};
use crate::recorder::{Recorder, Staged};
use crate::rules::{KeptRule, RuleBook};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;
use werkbuch_model::event::{Body, Protected, RuleCleared, RuleRaised, RulesChanged};
use werkbuch_model::id::{MachineNumber, PlantId, Position};
use werkbuch_model::nearest::did_you_mean;
use werkbuch_model::time::Timestamp;

/// Which rules are to apply.
#[derive(Clone, Debug)]
pub enum RuleSet {
    /// These and no others.
    These(Vec<KeptRule>),
    /// Those that do, without these.
    Without(Vec<String>),
}

/// Changes which rules apply.
#[derive(Clone, Debug)]
pub struct ChangeRules {
    /// The rules.
    pub set: RuleSet,
    /// SHA-256 of the file; empty for none.
    pub file_hash: Vec<u8>,
    /// Only show the difference.
    pub dry_run: bool,
    /// Who does it, as asserted by the caller; stored protected.
    pub who: String,
    /// Why.
    pub why: String,
}

/// What a change of rules came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangedRules {
    /// The plant.
    pub plant: PlantId,
    /// Whether it has been recorded.
    pub recorded: bool,
    /// The count of changes.
    pub revision: u32,
    /// The changes, one line each.
    pub changes: Vec<String>,
    /// How many rules apply now.
    pub rules: u32,
    /// How many findings it withdrew.
    pub withdrawn: u32,
    /// The position at which it took effect; 0 when nothing was recorded.
    pub position: Position,
}

/// A rule is raised or cleared of a machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleTurn {
    /// The rule.
    pub rule: Arc<str>,
    /// The machine.
    pub machine: MachineNumber,
    /// Its name now.
    pub name: String,
    /// Whether it is raised; else it is cleared.
    pub raised: bool,
    /// Since when the condition held.
    pub since: Timestamp,
    /// When it had held for its time.
    pub due: Timestamp,
}

impl Plant {
    /// The rules that apply, and what is raised, as of the last applied position.
    #[must_use]
    pub fn rules(&self) -> Arc<RuleBook> {
        self.shared.rules.borrow().clone()
    }

    /// Follows the rules that apply and what is raised.
    #[must_use]
    pub fn watch_rules(&self) -> tokio::sync::watch::Receiver<Arc<RuleBook>> {
        self.shared.rules.subscribe()
    }

    /// Changes which rules apply.
    /// Errors: `UnknownRule` for one that is to be removed and does not apply, those of writing.
    pub async fn change_rules(&self, request: ChangeRules) -> Result<ChangedRules, EngineError> {
        let request = Box::new(request);
        self.call(|reply, permit| Input::Rules {
            request,
            reply,
            permit,
        })
        .await
    }

    /// Records what rules raise and clear, as far as it is news: a rule that is raised of a machine is not
    /// raised of it again, and what is found under another revision than the present one is left out.
    /// Answers for each whether it was recorded. Errors: those of writing.
    pub async fn record_turns(
        &self,
        revision: u32,
        turns: Vec<RuleTurn>,
    ) -> Result<Vec<bool>, EngineError> {
        self.call(|reply, permit| Input::Turns {
            revision,
            turns,
            reply,
            permit,
        })
        .await
    }
}

impl Loop {
    /// Changes which rules apply, all in one commit; what they found before is withdrawn where they no longer
    /// do.
    pub(super) fn change_rules(
        &mut self,
        request: ChangeRules,
        reply: Reply<ChangedRules>,
        permit: OwnedSemaphorePermit,
    ) {
        let book = Arc::clone(&self.writer.rules);
        let revision = book.revision().saturating_add(1);
        let rules = match wanted(&self.shared.id, &book, &request.set, revision) {
            Ok(rules) => rules,
            Err(error) => return drop(reply.send(Err(error))),
        };
        let changes = changes(book.rules(), &rules);
        let recorded = !request.dry_run && !changes.is_empty();
        let gone = withdrawn(&book, &rules, revision);
        let changed = ChangedRules {
            plant: self.shared.id.clone(),
            recorded,
            revision: if recorded { revision } else { book.revision() },
            changes,
            rules: u32::try_from(rules.len()).unwrap_or(u32::MAX),
            withdrawn: u32::try_from(gone.len()).unwrap_or(u32::MAX),
            position: Position(0),
        };
        let landing = Landing::Rules {
            changed,
            reply,
            permit,
        };
        if !recorded {
            return self.launch(Staged::default(), landing);
        }
        let ring = Arc::clone(&self.shared.ring);
        self.record_own(
            |recorder| {
                for turn in &gone {
                    withdraw(recorder, turn)?;
                }
                record_rules(recorder, &request, (revision, rules), &ring)
            },
            landing,
        );
    }

    /// Records what rules raise and clear, as far as it is news.
    pub(super) fn turns(
        &mut self,
        (revision, turns): (u32, Vec<RuleTurn>),
        reply: Reply<Vec<bool>>,
        permit: OwnedSemaphorePermit,
    ) {
        let book = Arc::clone(&self.writer.rules);
        let mut now: BTreeMap<(Arc<str>, MachineNumber), bool> = BTreeMap::new();
        let news: Vec<bool> = turns
            .iter()
            .map(|turn| {
                let key = (Arc::clone(&turn.rule), turn.machine);
                let was = now.get(&key).copied();
                let was = was.unwrap_or_else(|| book.raised().contains_key(&key));
                now.insert(key, turn.raised);
                book.revision() == revision && was != turn.raised
            })
            .collect();
        let any = news.contains(&true);
        let recorded = news.clone();
        let landing = Landing::Turns {
            recorded,
            reply,
            permit,
        };
        if !any {
            return self.launch(Staged::default(), landing);
        }
        self.record_own(
            |recorder| {
                let turns = turns.iter().zip(&news).filter(|(_, is_news)| **is_news);
                turns
                    .map(|(turn, _)| turn)
                    .try_for_each(|turn| record_turn(recorder, turn))
            },
            landing,
        );
    }
}

/// The rules that are wanted, with the revision since which each raises and clears as it does.
fn wanted(
    plant: &PlantId,
    book: &RuleBook,
    set: &RuleSet,
    revision: u32,
) -> Result<Vec<KeptRule>, EngineError> {
    let mut rules = match set {
        RuleSet::These(rules) => rules.clone(),
        RuleSet::Without(names) => {
            let all = || book.rules().iter().map(|rule| &*rule.rule);
            if let Some(other) = names.iter().find(|name| !all().any(|one| one == *name)) {
                return Err(EngineError::UnknownRule {
                    plant: plant.clone(),
                    rule: other.chars().take(80).collect(),
                    near: did_you_mean(other, all())
                        .map_or_else(String::new, |near| format!("; {near}")),
                });
            }
            let mut rules = book.rules().to_vec();
            rules.retain(|rule| names.iter().all(|name| **name != *rule.rule));
            rules
        }
    };
    for rule in &mut rules {
        let same = book.rules().iter().find(|old| old.turns_as(rule));
        rule.since_revision = same.map_or(revision, |old| old.since_revision);
    }
    Ok(rules)
}

/// What differs, one line each.
fn changes(old: &[KeptRule], new: &[KeptRule]) -> Vec<String> {
    let mut lines = Vec::new();
    for rule in new {
        let name = &rule.rule;
        match old.iter().find(|old| old.rule == *name) {
            None => lines.push(format!("add rule \"{name}\"")),
            Some(old) if old == rule => {}
            Some(old) => {
                let mut what = Vec::new();
                let mut note =
                    |is_other: bool, of: &'static str| what.extend(is_other.then_some(of));
                note(old.raise != rule.raise, "raise");
                note(old.hold_ns != rule.hold_ns, "hold");
                note(old.clear != rule.clear, "clear");
                note(old.clear_hold_ns != rule.clear_hold_ns, "clear_hold");
                note(old.severity != rule.severity, "severity");
                note(old.text != rule.text, "message");
                lines.push(format!("change rule \"{name}\": {}", what.join(", ")));
            }
        }
    }
    for rule in old
        .iter()
        .filter(|old| new.iter().all(|rule| rule.rule != old.rule))
    {
        lines.push(format!("remove rule \"{}\"", rule.rule));
    }
    lines
}

/// What is raised by rules that no longer apply, or apply otherwise.
fn withdrawn(
    book: &RuleBook,
    rules: &[KeptRule],
    revision: u32,
) -> Vec<((Arc<str>, MachineNumber), Position)> {
    let go_on: BTreeSet<&str> = rules
        .iter()
        .filter(|rule| rule.since_revision < revision)
        .map(|rule| &*rule.rule)
        .collect();
    let raised = book.raised().iter();
    raised
        .filter(|((rule, _), _)| !go_on.contains(&**rule))
        .map(|(key, raised)| (key.clone(), raised.position))
        .collect()
}

fn withdraw(
    recorder: &mut Recorder<'_>,
    ((rule, machine), raised): &((Arc<str>, MachineNumber), Position),
) -> Result<(), EngineError> {
    let since = recorder.stamp();
    let body = Body::RuleCleared(RuleCleared {
        rule: rule.to_string().into(),
        key: key_of(recorder, *machine).into(),
        since,
        before: recorder.writer.rules.last(),
        raised: *raised,
        withdrawn: true,
    });
    recorder.record_found(body, *machine, since).map(drop)
}

fn record_turn(recorder: &mut Recorder<'_>, turn: &RuleTurn) -> Result<(), EngineError> {
    let book = Arc::clone(&recorder.writer.rules);
    let rule = book.rules().iter().find(|rule| *rule.rule == *turn.rule);
    let key = (Arc::clone(&turn.rule), turn.machine);
    let body = match turn.raised {
        true => Body::RuleRaised(RuleRaised {
            rule: turn.rule.to_string().into(),
            key: turn.name.clone().into(),
            severity: rule.map_or(0, |rule| rule.severity),
            text: rule
                .map_or_else(String::new, |rule| rule.text.to_string())
                .into(),
            since: turn.since,
            before: book.last(),
        }),
        false => Body::RuleCleared(RuleCleared {
            rule: turn.rule.to_string().into(),
            key: turn.name.clone().into(),
            since: turn.since,
            before: book.last(),
            raised: book
                .raised()
                .get(&key)
                .map_or(Position(0), |raised| raised.position),
            withdrawn: false,
        }),
    };
    recorder
        .record_found(body, turn.machine, turn.due)
        .map(drop)
}

/// The name of a machine as the writer knows it.
fn key_of(recorder: &Recorder<'_>, machine: MachineNumber) -> String {
    let name = recorder.writer.description.name_of(machine);
    name.map_or_else(|| machine.to_string(), |name| name.as_str().to_owned())
}

/// Records the rules that apply, in parts that fit an event each.
fn record_rules(
    recorder: &mut Recorder<'_>,
    request: &ChangeRules,
    (revision, rules): (u32, Vec<KeptRule>),
    ring: &KeyRing,
) -> Result<(), EngineError> {
    let parts = parts(rules);
    let count = parts.len();
    for (index, rules) in parts.into_iter().enumerate() {
        let mut body = Body::RulesChanged(RulesChanged {
            revision,
            part: u32::try_from(index + 1).unwrap_or(u32::MAX),
            commit: index + 1 == count,
            file_hash: request.file_hash.clone().into(),
            who: Protected {
                plain: request.who.clone().into(),
                ..Protected::default()
            },
            why: request.why.clone().into(),
            rules: rules.iter().map(KeptRule::declared).collect(),
        });
        let plant = recorder.writer.plant.to_string();
        let number = recorder.writer.position.next().get();
        let owner = Owner {
            plant: &plant,
            source: WRITER,
            number,
        };
        protect(&mut body, owner, ring, Keys::Make)?;
        recorder.record_own(body)?;
    }
    Ok(())
}

/// Cuts rules into parts that fit an event each; there is at least one part.
fn parts(rules: Vec<KeptRule>) -> Vec<Vec<KeptRule>> {
    let mut parts = vec![Vec::new()];
    let mut bytes = 0;
    for rule in rules {
        // Its texts, and more than enough for the rest.
        let size = rule.rule.len() + rule.raise.len() + rule.clear.len() + rule.text.len() + 64;
        if bytes + size > DESCRIPTION_PART_BYTES && bytes > 0 {
            parts.push(Vec::new());
            bytes = 0;
        }
        bytes += size;
        if let Some(part) = parts.last_mut() {
            part.push(rule);
        }
    }
    parts
}
