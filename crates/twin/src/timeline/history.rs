//! The events of one machine as they hold by now: each at its place, with what corrections made of it.

use crate::course::{Happening, places};
use std::collections::BTreeMap;
use werkbuch_model::event::{Body, Recorded};
use werkbuch_model::id::{MachineNumber, Position};

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

/// Takes the recorded events of one machine in the order of their positions.
#[derive(Clone, Debug)]
pub struct History<'e> {
    pub(super) machine: MachineNumber,
    /// By the place that each holds: of a corrected event its own, not the correction's.
    facts: BTreeMap<Position, Happening<'e>>,
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
        if !matches!(event.reported.body, Body::CorrectionRecorded(_)) {
            let place = event.position;
            let fact = Happening::of(event, 0);
            self.facts.extend(fact.map(|fact| (place, fact)));
            return;
        }
        // The last correction of a target decides, so that each simply takes its place.
        for place in places(&event) {
            match Happening::of(event.clone(), place.part) {
                Some(fact) => {
                    self.facts.insert(place.place, fact);
                }
                None => {
                    self.facts.remove(&place.place);
                }
            }
        }
    }

    pub(super) fn into_facts(self) -> impl Iterator<Item = Happening<'e>> {
        self.facts.into_values()
    }
}
