//! The events of one machine as they hold by now: each at its place, with what corrections made of it.

use std::collections::BTreeMap;
use werkbuch_model::event::{Body, CorrectionAction, OrderKey, Recorded};
use werkbuch_model::id::{MachineNumber, Position};
use werkbuch_model::time::Timestamp;

/// Whether a timeline depends on an event of a machine. Samples, items, tools and the like do not.
#[must_use]
pub fn matters(body: &Body<'_>) -> bool {
    matches!(
        body,
        Body::ConnectionChanged(_)
            | Body::StateChanged(_)
            | Body::ModeChanged(_)
            | Body::ConditionChanged(_)
            | Body::ProgramChanged(_)
            | Body::OrderStarted(_)
            | Body::OrderCompleted(_)
            | Body::OrderAborted(_)
            | Body::AlarmRaised(_)
            | Body::AlarmAcknowledged(_)
            | Body::AlarmCleared(_)
            | Body::CycleCompleted(_)
            | Body::PartProduced(_)
            | Body::CorrectionRecorded(_)
    )
}

/// An event with its place in plant time.
#[derive(Clone, Debug)]
pub(super) struct Fact<'e> {
    pub(super) order: OrderKey,
    /// The event that gave the content: the event itself, or the correction.
    pub(super) position: Position,
    pub(super) authority: u32,
    pub(super) body: Body<'e>,
}

/// Takes the recorded events of one machine in the order of their positions.
#[derive(Clone, Debug)]
pub struct History<'e> {
    pub(super) machine: MachineNumber,
    /// By the place that each holds: of a corrected event its own, not the correction's.
    facts: BTreeMap<Position, Fact<'e>>,
}

impl<'e> History<'e> {
    /// The history of a machine of which nothing is known yet.
    #[must_use]
    pub fn new(machine: MachineNumber) -> Self {
        Self {
            machine,
            facts: BTreeMap::new(),
        }
    }

    /// Takes the next event; those of other machines and those that do not matter are passed over.
    pub fn take(&mut self, event: Recorded<'e>) {
        let fits = event.reported.machine == self.machine && event.is_reported();
        if !fits || !matters(&event.reported.body) {
            return;
        }
        if let Body::CorrectionRecorded(said) = &event.reported.body {
            let (action, new_time) = (said.action, said.new_time);
            self.correct(action, new_time, event);
            return;
        }
        let fact = Fact {
            order: event.order_key(),
            position: event.position,
            authority: event.authority,
            body: event.reported.body,
        };
        self.facts.insert(event.position, fact);
    }

    /// The last correction of a target decides, so that each simply takes its place.
    fn correct(
        &mut self,
        action: CorrectionAction,
        new_time: Option<Timestamp>,
        event: Recorded<'e>,
    ) {
        for corrected in event.corrected {
            let effective_at = match action {
                CorrectionAction::Replace => Some(corrected.effective_at),
                CorrectionAction::Retime => new_time,
                CorrectionAction::Retract => None,
                CorrectionAction::Unspecified => continue,
            };
            let Some(effective_at) = effective_at else {
                self.facts.remove(&corrected.target);
                continue;
            };
            let fact = Fact {
                order: OrderKey {
                    effective_at,
                    source: corrected.source,
                    sequence: corrected.sequence,
                },
                position: event.position,
                authority: corrected.authority,
                body: corrected.body,
            };
            self.facts.insert(corrected.target, fact);
        }
    }

    pub(super) fn into_facts(self) -> impl Iterator<Item = Fact<'e>> {
        self.facts.into_values()
    }
}
