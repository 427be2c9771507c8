//! Which rules applied at an instant of the past, and what was raised then.

use super::findings::{Finding, What};
use super::handle::Plant;
use crate::error::EngineError;
use crate::rules::{KeptRule, Raised, RaisedRules, RuleBook, RuleRevision};
use std::collections::BTreeMap;
use std::sync::Arc;
use werkbuch_journal::StoredBlock;
use werkbuch_model::event::{Body, Recorded};
use werkbuch_model::id::{MachineNumber, Position};
use werkbuch_model::time::Timestamp;
use werkbuch_record::decode_recorded;

/// The rules of a plant at an instant.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ruled {
    /// The change since which they apply; absent when there were none yet.
    pub since: Option<RuleRevision>,
    /// Why that change was made.
    pub why: String,
    /// The changes up to it.
    pub revisions: Vec<RuleRevision>,
    /// The rules, in the order of their file.
    pub rules: Vec<KeptRule>,
    /// What was raised.
    pub raised: RaisedRules,
}

impl Plant {
    /// The rules as they were known at a position and applied at a time, and what was raised. Blocking: what
    /// was raised is found from what is, by going back over what was raised and cleared since.
    /// Errors: those of the log.
    pub fn rules_at(&self, known: Position, at: Option<Timestamp>) -> Result<Ruled, EngineError> {
        let book = self.rules();
        let was = |position: Position, time: Timestamp| {
            position <= known && at.is_none_or(|at| time <= at)
        };
        let revisions: Vec<RuleRevision> = book.revisions().to_vec();
        let count = revisions.partition_point(|one| was(one.position, one.recorded_at));
        let mut reader = Reader::of(self);
        let mut ruled = Ruled {
            since: count
                .checked_sub(1)
                .and_then(|last| revisions.get(last).copied()),
            revisions: revisions.into_iter().take(count).collect(),
            ..Ruled::default()
        };
        if let Some(since) = ruled.since {
            let mut next = since.first;
            while next <= since.position {
                reader.read(next, |event| {
                    if let Body::RulesChanged(said) = &event.reported.body {
                        ruled.why = said.why.to_string();
                        ruled.rules.extend(said.rules.iter().map(KeptRule::of));
                    }
                })?;
                next = next.next();
            }
        }
        ruled.raised = raised_at(&mut reader, &book, known, at)?;
        Ok(ruled)
    }

    /// What was raised, as it was known at a position and stood at a time. Blocking, as [`Plant::rules_at`]
    /// is; at once when nothing was raised or cleared since. Errors: those of the log.
    pub fn raised_at(
        &self,
        known: Position,
        at: Option<Timestamp>,
    ) -> Result<RaisedRules, EngineError> {
        let book = self.rules();
        if at.is_none() && book.last() <= known {
            return Ok(book.raised().clone());
        }
        raised_at(&mut Reader::of(self), &book, known, at)
    }
}

/// What was raised: what was said at or before the instant is kept, what was said since is undone.
fn raised_at(
    reader: &mut Reader<'_>,
    book: &RuleBook,
    known: Position,
    at: Option<Timestamp>,
) -> Result<RaisedRules, EngineError> {
    type Key = (Arc<str>, MachineNumber);
    let findings = &reader.plant.shared.findings;
    // Absent where the record that says so has yet to be found.
    let mut raised: BTreeMap<Key, Option<Raised>> = book
        .raised()
        .iter()
        .map(|(key, raised)| (key.clone(), Some(*raised)))
        .collect();
    let mut again: BTreeMap<Key, Position> = BTreeMap::new();
    let take = |found: &Finding| {
        let is_known = found.position <= known;
        if !is_known || at.is_some_and(|at| found.effective_at > at) {
            let key = (Arc::clone(&found.rule), found.machine);
            match found.what {
                What::Raised(_) => {
                    raised.remove(&key);
                    again.remove(&key);
                }
                What::Cleared(position) => {
                    raised.insert(key.clone(), None);
                    again.insert(key, position);
                }
            }
        }
        // Nothing takes effect after it was recorded.
        !(is_known && at.is_none_or(|at| found.recorded_at <= at))
    };
    findings.back_from(book.last(), |position| reader.finding(position), take)?;
    for (key, position) in again {
        if position.get() == 0 {
            continue;
        }
        let found = match findings.at(position) {
            Some(found) => Some(found),
            None => reader.finding(position)?,
        };
        if let Some(What::Raised(found)) = found.map(|found| found.what) {
            raised.insert(key, Some(found));
        }
    }
    let known = raised.into_iter();
    Ok(known
        .filter_map(|(key, found)| Some((key, found?)))
        .collect())
}

/// Reads single events, most of which lie near each other.
struct Reader<'p> {
    plant: &'p Plant,
    block: Option<StoredBlock>,
}

impl<'p> Reader<'p> {
    fn of(plant: &'p Plant) -> Self {
        Self { plant, block: None }
    }

    /// What a rule found at a position; nothing where the event there tells of no rule.
    fn finding(&mut self, at: Position) -> Result<Option<Finding>, EngineError> {
        let mut found = None;
        self.read(at, |event| found = Finding::of(event))?;
        Ok(found)
    }

    /// Calls `take` with the event at a position.
    fn read(&mut self, at: Position, take: impl FnOnce(&Recorded<'_>)) -> Result<(), EngineError> {
        let shared = &*self.plant.shared;
        let is_in = |block: &StoredBlock| block.header.first <= at && at <= block.header.last();
        if !self.block.as_ref().is_some_and(is_in) {
            self.block = shared.store.read(&shared.id, at)?.next().transpose()?;
        }
        let Some(block) = &self.block else {
            return Ok(());
        };
        let behind = at.get().saturating_sub(block.header.first.get());
        let behind = usize::try_from(behind).unwrap_or(usize::MAX);
        if let Some(bytes) = block.body.events().nth(behind) {
            let event = decode_recorded(bytes).map_err(|error| EngineError::FormatNewer {
                plant: shared.id.clone(),
                cause: error.to_string(),
            })?;
            take(&event);
        }
        Ok(())
    }
}
