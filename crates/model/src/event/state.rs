//! What a machine does, as its state signal says.

use super::{Aspect, AspectKind, Refusal, Text, check};
use crate::codes::codes;
use crate::packml::PackmlState;
use serde::{Deserialize, Serialize};

codes! {
    /// The canonical states. Faulted, set-up and maintenance that follow from mode and conditions
    /// are a projection of the twin; here they are stored only when the signal itself says so.
    pub enum State {
        /// Not said.
        Unspecified = 0 "UNSPECIFIED",
        /// Working on a part.
        Executing = 1 "EXECUTING",
        /// On the way to executing.
        Starting = 2 "STARTING",
        /// On the way from executing.
        Finishing = 3 "FINISHING",
        /// Ready, with nothing to do.
        Idle = 4 "IDLE",
        /// Waiting for parts.
        Starved = 5 "STARVED",
        /// Waiting to be rid of parts.
        Blocked = 6 "BLOCKED",
        /// Waiting, the cause is unknown.
        Waiting = 7 "WAITING",
        /// Interrupted from inside, by the machine or its operator.
        Held = 8 "HELD",
        /// Stopped.
        Stopped = 9 "STOPPED",
        /// Down with a fault.
        Faulted = 10 "FAULTED",
        /// Being set up.
        Setup = 11 "SETUP",
        /// Being maintained.
        Maintenance = 12 "MAINTENANCE",
        /// The source cannot say.
        Unavailable = 13 "UNAVAILABLE",
        /// The source said a word that its vocabulary does not know; see the native value.
        Unknown = 14 "UNKNOWN",
    }
}

codes! {
    /// The vocabulary of a native value.
    pub enum Vocabulary {
        /// Not said.
        Unspecified = 0 "UNSPECIFIED",
        /// The canonical states themselves.
        Canonical = 1 "CANONICAL",
        /// MTConnect Execution.
        MtconnectExecution = 2 "MTCONNECT_EXECUTION",
        /// MTConnect `ControllerMode`.
        MtconnectControllerMode = 3 "MTCONNECT_CONTROLLER_MODE",
        /// MTConnect `FunctionalMode`.
        MtconnectFunctionalMode = 4 "MTCONNECT_FUNCTIONAL_MODE",
        /// `PackML` states.
        PackmlState = 5 "PACKML_STATE",
        /// `PackML` modes.
        PackmlMode = 6 "PACKML_MODE",
        /// OPC UA Machinery item states.
        MachineryItemState = 7 "MACHINERY_ITEM_STATE",
        /// OPC UA Machinery operation modes.
        MachineryOperationMode = 8 "MACHINERY_OPERATION_MODE",
        /// The plant's own words.
        Native = 9 "NATIVE",
    }
}

/// A machine's state changed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StateChanged<'a> {
    /// The state it is in now.
    pub to: State,
    /// The state it left, only as reported.
    #[serde(default)]
    pub from: State,
    /// The source's own word for `to`.
    #[serde(default)]
    pub native: Text<'a>,
    /// The vocabulary of `native`.
    #[serde(default)]
    pub vocabulary: Vocabulary,
    /// The source's reason code, empty when it gives none.
    #[serde(default)]
    pub reason: Text<'a>,
}

impl StateChanged<'_> {
    pub(super) fn validate(&self) -> Result<(), Refusal> {
        check::specified("to", &self.to)?;
        check::name("native", &self.native)?;
        check::name("reason", &self.reason)
    }

    pub(super) fn for_each_aspect<'s>(&'s self, f: &mut dyn FnMut(Aspect<'s>)) {
        f(Aspect::single(AspectKind::State));
    }
}

impl State {
    /// The canonical state of a word of a vocabulary; [`State::Unknown`] for a word it does not hold.
    ///
    /// Sources: MTConnect 2.7 Execution; the state table of ISA-TR88.00.02-2022 (`PackML`); OPC 40001-1
    /// item states. Starved and blocked follow `PackML`'s split of outside and inside causes, so a
    /// bare Suspended, whose cause is not known without its bits, is waiting.
    #[must_use]
    pub fn of_native(vocabulary: Vocabulary, word: &str) -> State {
        let upper = word.trim().to_ascii_uppercase();
        if upper == "UNAVAILABLE" {
            return State::Unavailable;
        }
        match vocabulary {
            Vocabulary::MtconnectExecution => of_execution(&upper),
            Vocabulary::PackmlState => {
                PackmlState::of_native(&upper).map_or(State::Unknown, of_packml)
            }
            Vocabulary::MachineryItemState => match upper.as_str() {
                "EXECUTING" => State::Executing,
                "NOTEXECUTING" => State::Idle,
                "OUTOFSERVICE" => State::Faulted,
                "NOTAVAILABLE" => State::Unavailable,
                _ => State::Unknown,
            },
            _ => match State::from_name(&upper) {
                Some(State::Unspecified) | None => State::Unknown,
                Some(state) => state,
            },
        }
    }
}

fn of_execution(word: &str) -> State {
    match word {
        "ACTIVE" => State::Executing,
        "READY" | "PROGRAM_COMPLETED" => State::Idle,
        "WAIT" => State::Waiting,
        "FEED_HOLD"
        | "INTERRUPTED"
        | "OPTIONAL_STOP"
        | "PROGRAM_STOPPED"
        | "PROGRAM_OPTIONAL_STOP" => State::Held,
        "STOPPED" => State::Stopped,
        _ => State::Unknown,
    }
}

fn of_packml(state: PackmlState) -> State {
    match state {
        PackmlState::Undefined => State::Unknown,
        PackmlState::Execute => State::Executing,
        PackmlState::Starting
        | PackmlState::Resetting
        | PackmlState::Unholding
        | PackmlState::Unsuspending => State::Starting,
        PackmlState::Completing => State::Finishing,
        PackmlState::Idle | PackmlState::Completed => State::Idle,
        PackmlState::Suspended | PackmlState::Suspending => State::Waiting,
        PackmlState::Held | PackmlState::Holding => State::Held,
        PackmlState::Stopped | PackmlState::Stopping => State::Stopped,
        PackmlState::Aborted | PackmlState::Aborting | PackmlState::Clearing => State::Faulted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn native_words_have_their_canonical_state() {
        for (vocabulary, word, state) in [
            (Vocabulary::MtconnectExecution, "ACTIVE", State::Executing),
            (
                Vocabulary::MtconnectExecution,
                "PROGRAM_COMPLETED",
                State::Idle,
            ),
            (Vocabulary::MtconnectExecution, "feed_hold", State::Held),
            (
                Vocabulary::MtconnectExecution,
                "UNAVAILABLE",
                State::Unavailable,
            ),
            (Vocabulary::MtconnectExecution, "DANCING", State::Unknown),
            (Vocabulary::PackmlState, "Suspended", State::Waiting),
            (Vocabulary::PackmlState, "Clearing", State::Faulted),
            (Vocabulary::Canonical, "STARVED", State::Starved),
            (Vocabulary::Canonical, "UNSPECIFIED", State::Unknown),
        ] {
            assert_eq!(State::of_native(vocabulary, word), state, "{word}");
        }
    }
}
