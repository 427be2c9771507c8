//! Corrections: earlier events were wrong; they stay, and something else holds in their place.

use super::{Aspect, Body, Kind, Protected, Refusal, Text, check};
use crate::codes::codes;
use crate::id::Position;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// How many events one correction may retract.
pub const CORRECTION_TARGETS_MAX: usize = 64;

codes! {
    /// What a correction does to its targets.
    pub enum CorrectionAction {
        /// Not said.
        Unspecified = 0 "UNSPECIFIED",
        /// Another content holds in the target's place.
        Replace = 1 "REPLACE",
        /// The targets never happened.
        Retract = 2 "RETRACT",
        /// The target happened at another time.
        Retime = 3 "RETIME",
    }
}

/// A correction of earlier events of one machine. The one with the highest position wins.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Correction<'a> {
    /// What it does.
    pub action: CorrectionAction,
    /// The positions of the corrected events; exactly one unless the action is a retraction.
    pub targets: Vec<Position>,
    /// What holds instead, for a replacement; of the same machine and aspect as the target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replacement: Option<Box<Body<'a>>>,
    /// When it happened, for a re-timing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_time: Option<Timestamp>,
    /// Who corrected.
    #[serde(default)]
    pub who: Protected<'a>,
    /// Why.
    #[serde(default)]
    pub why: Text<'a>,
}

impl Correction<'_> {
    pub(super) fn validate(&self) -> Result<(), Refusal> {
        check::specified("action", &self.action)?;
        self.who.validate("who")?;
        check::text("why", &self.why)?;
        let most = if self.action == CorrectionAction::Retract {
            CORRECTION_TARGETS_MAX
        } else {
            1
        };
        if self.targets.is_empty() || self.targets.len() > most {
            return Err(check::out_of_range(
                "targets",
                format!(
                    "{} targets, {} takes 1 to {most}",
                    self.targets.len(),
                    self.action
                ),
            ));
        }
        let wants = (
            self.action == CorrectionAction::Replace,
            self.action == CorrectionAction::Retime,
        );
        if self.replacement.is_some() != wants.0 {
            return Err(check::missing("replacement (for a replacement alone)"));
        }
        if self.new_time.is_some() != wants.1 {
            return Err(check::missing("new_time (for a re-timing alone)"));
        }
        self.replacement
            .as_deref()
            .map_or(Ok(()), Self::validate_replacement)
    }

    fn validate_replacement(body: &Body<'_>) -> Result<(), Refusal> {
        let kind = body.kind();
        if !kind.reportable() || matches!(kind, Kind::CorrectionRecorded | Kind::GapDetected) {
            return Err(check::out_of_range(
                "replacement",
                format!("{kind} cannot replace anything"),
            ));
        }
        body.validate()
    }

    #[allow(clippy::unused_self)]
    pub(super) fn for_each_aspect<'s>(&'s self, _: &mut dyn FnMut(Aspect<'s>)) {}
}
