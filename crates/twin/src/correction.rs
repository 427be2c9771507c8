//! Corrections: what they take from the slots, what holds again, and what holds instead.
//!
//! A slot that the target holds was held by the greatest event of its aspect, so once it is taken
//! the entry restored by the writer is the greatest of all others; a slot held by another event is
//! already right, and joining an event that holds anyway changes nothing. So every correction is:
//! take the target from its slots, join what holds again, join what holds instead at its place.

use crate::FoldError;
use crate::fold::Fold;
use crate::machine::Claim;
use werkbuch_model::event::{Corrected, Correction, CorrectionAction, OrderKey, Restored};
use werkbuch_model::id::{MachineNumber, Position};
use werkbuch_model::time::Timestamp;

/// What is to be done about one target.
struct Target<'e> {
    corrected: &'e Corrected<'e>,
    /// When the target happened from now on; absent when it never happened.
    holds_at: Option<Timestamp>,
}

impl Fold<'_> {
    /// Applies a correction, target by target.
    pub(crate) fn correct(
        &mut self,
        machine: MachineNumber,
        position: Position,
        said: &Correction<'_>,
        corrected: &[Corrected<'_>],
    ) {
        for corrected in corrected {
            let holds_at = match said.action {
                CorrectionAction::Replace => Some(corrected.effective_at),
                CorrectionAction::Retime => said.new_time,
                CorrectionAction::Retract => None,
                CorrectionAction::Unspecified => continue,
            };
            self.correct_target(
                machine,
                position,
                &Target {
                    corrected,
                    holds_at,
                },
            );
        }
    }

    fn correct_target(&mut self, machine: MachineNumber, position: Position, target: &Target<'_>) {
        let Target {
            corrected,
            holds_at,
        } = target;
        self.vacate(machine, corrected.target, &corrected.body);
        for restored in &corrected.restored {
            self.join(
                restored.machine,
                &restored_claim(restored),
                restored.authority,
                &restored.body,
            );
        }
        if let Some(effective_at) = *holds_at {
            let claim = Claim {
                order: OrderKey {
                    effective_at,
                    source: corrected.source,
                    sequence: corrected.sequence,
                },
                place: corrected.target,
                position,
            };
            if self.join(machine, &claim, corrected.authority, &corrected.body) {
                self.heard_of(effective_at);
            }
        }
    }
}

fn restored_claim(restored: &Restored<'_>) -> Claim {
    Claim {
        order: OrderKey {
            effective_at: restored.effective_at,
            source: restored.source,
            sequence: restored.sequence,
        },
        place: restored.position,
        position: restored.position,
    }
}

/// Checks that all sources that the correction's entries name are known.
pub(crate) fn check_sources(
    corrected: &[Corrected<'_>],
    known: impl Fn(werkbuch_model::id::SourceNumber) -> Result<(), FoldError>,
) -> Result<(), FoldError> {
    for corrected in corrected {
        known(corrected.source)?;
        corrected
            .restored
            .iter()
            .try_for_each(|restored| known(restored.source))?;
    }
    Ok(())
}
