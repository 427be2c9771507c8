//! The plant's description in the twin: parts of a revision are staged and take effect together.

use crate::FoldError;
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
        self.description = Arc::new(description);
        self.staged = Vec::new();
        self.revision = said.revision;
        self.part = 0;
        Ok(())
    }
}
