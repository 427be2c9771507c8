//! Why machines wait: as they say themselves, else inferred from their neighbours and buffers.

use super::scene::Scene;
use crate::Twin;
use serde::Serialize;
use std::collections::BTreeMap;
use werkbuch_model::event::State;
use werkbuch_model::id::MachineNumber;

const SAYS_SO: &str = "the machine says so";

/// Where the cause of a wait comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Provenance {
    /// The machine says so itself.
    Reported,
    /// It follows from its neighbours and buffers.
    Inferred,
    /// It does not follow from what is known.
    Unknown,
}

/// Why a machine waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WaitCause {
    /// Starved or blocked; waiting when that is not known.
    pub state: State,
    /// Where that comes from.
    pub provenance: Provenance,
    /// Why, in words.
    pub because: String,
}

/// Why each machine waits that does, and that parts pass.
#[derive(Clone, Debug, Default)]
pub struct WaitCauses(BTreeMap<MachineNumber, WaitCause>);

impl WaitCause {
    /// The cause that the state itself tells; absent when it has to be inferred, or when the machine
    /// does not wait.
    #[must_use]
    pub fn reported(state: State) -> Option<Self> {
        matches!(state, State::Starved | State::Blocked).then(|| Self {
            state,
            provenance: Provenance::Reported,
            because: SAYS_SO.to_owned(),
        })
    }
}

impl WaitCauses {
    /// The causes in a twin.
    #[must_use]
    pub fn of(twin: &Twin) -> Self {
        let scene = Scene::of(twin);
        let mut causes = BTreeMap::new();
        scene.settle(scene.machines(), &mut causes);
        Self(causes)
    }

    /// Why this machine waits; absent when it does not, or when no parts pass it.
    #[must_use]
    pub fn machine(&self, number: MachineNumber) -> Option<&WaitCause> {
        self.0.get(&number)
    }

    /// All machines that wait.
    pub fn all(&self) -> impl Iterator<Item = (MachineNumber, &WaitCause)> {
        self.0.iter().map(|(number, cause)| (*number, cause))
    }
}
