//! The transitions of `PackML`, one row each.

use super::PackmlState::{self, *};
use super::Trigger::{self, *};

/// One transition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transition {
    /// The state it leads from.
    pub from: PackmlState,
    /// What moves it.
    pub trigger: Trigger,
    /// The state it leads to.
    pub to: PackmlState,
    /// Whether a machine has it only when it is configured so (the seven further holds of 2022).
    pub optional: bool,
}

macro_rules! transitions {
    ($($trigger:ident $sort:ident: $($from:ident => $to:ident),+;)+) => {
        /// All transitions: 49 that every machine has, and 7 optional holds.
        pub const TRANSITIONS: &[Transition] = &[$($(Transition {
            from: $from,
            trigger: $trigger,
            to: $to,
            optional: transitions!(@ $sort),
        },)+)+];
    };
    (@ default) => { false };
    (@ optional) => { true };
}

transitions! {
    StateComplete default:
        Resetting => Idle, Starting => Execute, Suspending => Suspended, Unsuspending => Execute,
        Holding => Held, Unholding => Execute, Completing => Completed, Stopping => Stopped,
        Clearing => Stopped, Aborting => Aborted;
    Reset default: Stopped => Resetting, Completed => Resetting;
    Start default: Idle => Starting;
    Hold default: Execute => Holding, Suspended => Holding;
    Hold optional:
        Idle => Holding, Starting => Holding, Completing => Holding, Completed => Holding,
        Suspending => Holding, Unsuspending => Holding, Unholding => Holding;
    Unhold default: Held => Unholding;
    Suspend default: Execute => Suspending;
    Unsuspend default: Suspended => Unsuspending;
    Complete default: Execute => Completing, Suspended => Completing, Held => Completing;
    Clear default: Aborted => Clearing;
    Stop default:
        Starting => Stopping, Idle => Stopping, Suspended => Stopping, Execute => Stopping,
        Holding => Stopping, Held => Stopping, Unholding => Stopping, Suspending => Stopping,
        Unsuspending => Stopping, Resetting => Stopping, Completing => Stopping,
        Completed => Stopping;
    Abort default:
        Clearing => Aborting, Stopped => Aborting, Starting => Aborting, Idle => Aborting,
        Suspended => Aborting, Execute => Aborting, Stopping => Aborting, Holding => Aborting,
        Held => Aborting, Unholding => Aborting, Suspending => Aborting, Unsuspending => Aborting,
        Resetting => Aborting, Completing => Aborting, Completed => Aborting;
}
