//! `PackML`: its states and transitions as a table, and which jumps between reported states it allows.
//!
//! After ISA-TR88.00.02-2022 as open implementations have it; no conformance to the text itself is
//! claimed. Sources report states and not triggers, so what can be judged is a pair of states that
//! were reported one after the other.

mod table;

pub use table::{TRANSITIONS, Transition};

use crate::codes::codes;
use std::collections::BTreeMap;

codes! {
    /// The states, with the numbers of the state tag.
    pub enum PackmlState {
        /// Not said.
        Undefined = 0 "UNDEFINED",
        /// Acting: faults are being cleared.
        Clearing = 1 "CLEARING",
        /// Stopped.
        Stopped = 2 "STOPPED",
        /// Acting: on the way to Execute.
        Starting = 3 "STARTING",
        /// Ready to start.
        Idle = 4 "IDLE",
        /// Waiting for something outside the machine.
        Suspended = 5 "SUSPENDED",
        /// Producing: the machine stays here until it is told otherwise.
        Execute = 6 "EXECUTE",
        /// Acting: on the way to Stopped.
        Stopping = 7 "STOPPING",
        /// Acting: on the way to Aborted.
        Aborting = 8 "ABORTING",
        /// Down after an abort.
        Aborted = 9 "ABORTED",
        /// Acting: on the way to Held.
        Holding = 10 "HOLDING",
        /// Waiting for something inside the machine.
        Held = 11 "HELD",
        /// Acting: on the way from Held to Execute.
        Unholding = 12 "UNHOLDING",
        /// Acting: on the way to Suspended.
        Suspending = 13 "SUSPENDING",
        /// Acting: on the way from Suspended to Execute.
        Unsuspending = 14 "UNSUSPENDING",
        /// Acting: on the way to Idle.
        Resetting = 15 "RESETTING",
        /// Acting: on the way to Completed.
        Completing = 16 "COMPLETING",
        /// The run is over. Named "Complete" in 2015.
        Completed = 17 "COMPLETED",
    }
}

codes! {
    /// What moves a machine from state to state. Commands have the numbers of the control command;
    /// state complete, which no one commands, has the number behind them.
    pub enum Trigger {
        /// Not said.
        Undefined = 0 "UNDEFINED",
        /// Back to Idle.
        Reset = 1 "RESET",
        /// Begin to produce.
        Start = 2 "START",
        /// Stop in order.
        Stop = 3 "STOP",
        /// Wait, for a reason inside the machine.
        Hold = 4 "HOLD",
        /// Go on after a hold.
        Unhold = 5 "UNHOLD",
        /// Wait, for a reason outside the machine.
        Suspend = 6 "SUSPEND",
        /// Go on after a suspension.
        Unsuspend = 7 "UNSUSPEND",
        /// Stop at once.
        Abort = 8 "ABORT",
        /// Clear the faults after an abort.
        Clear = 9 "CLEAR",
        /// End the run.
        Complete = 10 "COMPLETE",
        /// The acting state has done its work.
        StateComplete = 11 "STATE_COMPLETE",
    }
}

/// What sort of state it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateSort {
    /// It does something and ends by itself.
    Acting,
    /// It lasts until a command comes.
    Waiting,
    /// Execute: it acts, and lasts until a command comes.
    Dual,
}

/// What the table says of two states reported one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Jump {
    /// One transition leads from the one to the other.
    Legal,
    /// A command leads there when the acting state between is disabled in the machine's mode.
    SkippedActing {
        /// The acting state that was passed over.
        skipped: PackmlState,
    },
    /// No transition leads there: states were missed, or the source is wrong.
    Illegal,
}

impl PackmlState {
    /// The state of a word or number as sources write it; absent when it is none.
    #[must_use]
    pub fn of_native(word: &str) -> Option<Self> {
        let word = word.trim();
        if word.eq_ignore_ascii_case("COMPLETE") {
            return Some(Self::Completed);
        }
        let state = match word.parse() {
            Ok(number) => Self::from_code(number),
            Err(_) => Self::from_name(word),
        };
        state.filter(|state| *state != Self::Undefined)
    }

    /// What sort of state it is; absent for the undefined one.
    #[must_use]
    pub const fn sort(self) -> Option<StateSort> {
        match self {
            Self::Undefined => None,
            Self::Execute => Some(StateSort::Dual),
            Self::Stopped
            | Self::Idle
            | Self::Suspended
            | Self::Aborted
            | Self::Held
            | Self::Completed => Some(StateSort::Waiting),
            _ => Some(StateSort::Acting),
        }
    }
}

/// Judges two states that a source reported one after the other. The optional holds count as legal:
/// whether a machine has them is its configuration. The same state twice is no jump and is legal.
#[must_use]
pub fn legal(from: PackmlState, to: PackmlState) -> Jump {
    let mut leading = TRANSITIONS.iter().filter(|one| one.from == from);
    if from == to || leading.clone().any(|one| one.to == to) {
        return Jump::Legal;
    }
    let behind = |one: &Transition| {
        let is_command = one.trigger != Trigger::StateComplete;
        is_command && done(one.to) == Some(to)
    };
    match leading.find(|one| behind(one)) {
        Some(one) => Jump::SkippedActing { skipped: one.to },
        None => Jump::Illegal,
    }
}

/// The states that lie on a shortest way from one to the other, both left out; nothing when they are
/// neighbours or either is undefined. It tells what a source that reads too slowly must have missed.
#[must_use]
pub fn between(from: PackmlState, to: PackmlState) -> Vec<PackmlState> {
    let mut reached_from: BTreeMap<PackmlState, PackmlState> = BTreeMap::new();
    let mut front = vec![from];
    while !front.is_empty() && !reached_from.contains_key(&to) {
        let mut next = Vec::new();
        for state in front {
            for one in TRANSITIONS.iter().filter(|one| one.from == state) {
                if one.to != from && !reached_from.contains_key(&one.to) {
                    reached_from.insert(one.to, state);
                    next.push(one.to);
                }
            }
        }
        front = next;
    }
    let mut way = Vec::new();
    let mut at = to;
    while let Some(before) = reached_from.get(&at) {
        if *before == from {
            break;
        }
        way.push(*before);
        at = *before;
    }
    way.reverse();
    way
}

/// The state that an acting state leads to when it is done.
fn done(acting: PackmlState) -> Option<PackmlState> {
    let mut ends = TRANSITIONS
        .iter()
        .filter(|one| one.from == acting && one.trigger == Trigger::StateComplete);
    ends.next().map(|one| one.to)
}

#[cfg(test)]
mod tests;
