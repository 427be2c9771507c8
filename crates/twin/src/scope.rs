//! Which part of what is recorded a twin takes into its state.

use crate::coded;
use serde::{Deserialize, Serialize};
use werkbuch_model::plant::ChangeAction;
use werkbuch_model::time::Timestamp;

/// The bound of a twin in plant time. What was known is bounded by the caller: it stops applying.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    /// Plant time; what took effect after it is left out. Absent in the live twin: no bound, so that
    /// also a change of the description with a validity that lies ahead is staged (see
    /// [`Twin::as_of`](crate::Twin::as_of)).
    #[serde(with = "coded::nanos_option")]
    pub at: Option<Timestamp>,
}

impl Scope {
    /// Whether what took effect then is part of the state.
    #[must_use]
    pub fn holds(&self, effective_at: Timestamp) -> bool {
        self.at.is_none_or(|at| effective_at <= at)
    }

    /// Whether a change of the description is part of the state: by its validity when it has one;
    /// else additions have held since ever, and changes and removals from their recording on.
    #[must_use]
    pub fn holds_change(
        &self,
        action: ChangeAction,
        valid_from: Option<Timestamp>,
        recorded_at: Timestamp,
    ) -> bool {
        match valid_from {
            Some(from) => self.holds(from),
            None => action == ChangeAction::Add || self.holds(recorded_at),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_hold_by_validity_or_recording() {
        let (early, late) = (Timestamp(1), Timestamp(9));
        let scope = Scope {
            at: Some(Timestamp(5)),
        };
        for (action, valid_from, recorded_at, holds) in [
            (ChangeAction::Add, None, late, true),
            (ChangeAction::Change, None, late, false),
            (ChangeAction::Change, None, Timestamp(5), true),
            (ChangeAction::Remove, None, late, false),
            (ChangeAction::Remove, None, early, true),
            (ChangeAction::Add, Some(late), early, false),
            (ChangeAction::Remove, Some(early), late, true),
            (ChangeAction::Change, Some(Timestamp(5)), late, true),
        ] {
            assert_eq!(scope.holds_change(action, valid_from, recorded_at), holds);
            assert!(Scope::default().holds_change(action, valid_from, recorded_at));
        }
    }
}
