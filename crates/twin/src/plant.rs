//! The plant's description in the twin: parts of a revision are staged and take effect together.

use crate::FoldError;
use crate::coded;
use crate::scope::Scope;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use werkbuch_model::event::DescriptionChanged;
use werkbuch_model::id::Position;
use werkbuch_model::plant::{Change, Description};
use werkbuch_model::time::Timestamp;

/// The description that holds, and the parts of a revision that is on its way.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct PlantState {
    pub(crate) description: Arc<Description>,
    /// The revision that holds.
    pub(crate) revision: u32,
    /// The revision that is being staged.
    staging: u32,
    /// The last staged part of that one; 0 when nothing is staged.
    part: u32,
    staged: Vec<Change>,
    /// What held before the first revision of `ahead`.
    before: Arc<Description>,
    /// The revisions since the first one that lay ahead of its recording, as long as one of them still
    /// does. A twin of the past has none: it leaves out what does not hold.
    ahead: Vec<Ahead>,
    /// What holds at the time that is asked about, where that is not all.
    #[serde(skip)]
    pub(crate) shown: Option<Arc<Description>>,
}

/// A revision of which some part may lie ahead.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Ahead {
    #[serde(with = "coded::nanos_option")]
    valid_from: Option<Timestamp>,
    #[serde(with = "coded::nanos")]
    recorded_at: Timestamp,
    changes: Vec<Change>,
}

impl Ahead {
    fn is_due(&self, now: Timestamp) -> bool {
        self.valid_from.is_none_or(|from| from <= now)
    }
}

impl PlantState {
    /// Takes a part. A first part drops what was staged before it, because a revision that was cut
    /// off by a crash is begun anew.
    pub(crate) fn apply(
        &mut self,
        said: &DescriptionChanged<'_>,
        position: Position,
        recorded_at: Timestamp,
        scope: Scope,
    ) -> Result<(), FoldError> {
        let follows = said.revision == self.staging && self.part.checked_add(1) == Some(said.part);
        if said.part != 1 && (self.part == 0 || !follows) {
            return Err(FoldError::DescriptionPart {
                position,
                revision: said.revision,
                part: said.part,
            });
        }
        if said.part == 1 {
            self.staged.clear();
        }
        if !said.commit {
            self.staged.extend_from_slice(&said.changes);
            self.staging = said.revision;
            self.part = said.part;
            return Ok(());
        }
        let mut description = Description::clone(&self.description);
        for change in self.staged.iter().chain(&said.changes) {
            if !scope.holds_change(change.action, said.valid_from, recorded_at) {
                continue;
            }
            match description.apply(change) {
                // In the past a change may stand on one that is left out: then it is left out too.
                Err(cause) if scope.at.is_none() => {
                    return Err(FoldError::Description { position, cause });
                }
                Err(_) | Ok(()) => {}
            }
        }
        let staged = std::mem::take(&mut self.staged);
        let before = std::mem::replace(&mut self.description, Arc::new(description));
        self.revision = said.revision;
        self.part = 0;
        if scope.at.is_none() {
            let revision = Ahead {
                valid_from: said.valid_from,
                recorded_at,
                changes: staged.into_iter().chain(said.changes.clone()).collect(),
            };
            self.look_ahead(revision, before);
        }
        Ok(())
    }

    /// What of the description holds at a time; absent when that is all of it.
    pub(crate) fn held_at(&self, now: Timestamp) -> Option<Arc<Description>> {
        if self.ahead.iter().all(|revision| revision.is_due(now)) {
            return None;
        }
        let scope = Scope { at: Some(now) };
        let mut held = Description::clone(&self.before);
        for Ahead {
            valid_from,
            recorded_at,
            changes,
        } in &self.ahead
        {
            let holds =
                |change: &&Change| scope.holds_change(change.action, *valid_from, *recorded_at);
            for change in changes.iter().filter(holds) {
                // A change may stand on one that lies ahead: then it does not hold yet either.
                let _ = held.apply(change);
            }
        }
        Some(Arc::new(held))
    }

    /// The next time at which something of the description begins to hold.
    pub(crate) fn next_after(&self, now: Timestamp) -> Option<Timestamp> {
        let times = self.ahead.iter().filter_map(|revision| revision.valid_from);
        times.filter(|from| *from > now).min()
    }

    fn look_ahead(&mut self, revision: Ahead, before: Arc<Description>) {
        let now = revision.recorded_at;
        if self.ahead.is_empty() {
            self.before = before;
        }
        self.ahead.push(revision);
        if self.ahead.iter().all(|revision| revision.is_due(now)) {
            self.ahead = Vec::new();
            self.before = Arc::default();
        }
        if self.shown.is_some() {
            self.shown = self.held_at(now);
        }
    }
}
