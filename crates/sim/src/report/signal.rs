//! The state signal of a machine in its vocabulary: what a true state looks like from outside.

use super::{Reporter, packml::way, text};
use crate::layout::Layout;
use std::borrow::Cow;
use werkbuch_model::event::{
    Body, ConditionChanged, ConditionLevel, Mode, ModeChanged, State, StateChanged, Vocabulary,
};
use werkbuch_model::packml::PackmlState;

/// What a machine has said of its state.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Signal {
    said: State,
    pub(super) packml: Option<PackmlState>,
    mode: Mode,
}

/// The state that is shown of a machine that truly is in `state`, when its signal speaks the
/// vocabulary: some words are coarser than the truth.
pub(crate) const fn shown(vocabulary: Vocabulary, state: State) -> State {
    match (vocabulary, state) {
        (Vocabulary::MtconnectExecution, State::Starved | State::Blocked) => State::Waiting,
        (
            Vocabulary::MachineryItemState,
            State::Starved | State::Blocked | State::Held | State::Stopped,
        ) => State::Idle,
        (_, state) => state,
    }
}

impl Reporter {
    /// A machine's true state changed: its signal says so, as far as it can.
    pub(super) fn state(&mut self, layout: &Layout, machine: usize, from: State, to: State) {
        let Some(about) = layout.machines.get(machine) else {
            return;
        };
        match about.vocabulary {
            Vocabulary::PackmlState => self.packml(machine, to),
            Vocabulary::MtconnectExecution => self.execution(machine, from, to),
            Vocabulary::MachineryItemState => {
                let word = match to {
                    State::Executing => "Executing",
                    State::Faulted => "OutOfService",
                    _ => "NotExecuting",
                };
                let to = State::of_native(Vocabulary::MachineryItemState, word);
                self.say_state(machine, to, word, Vocabulary::MachineryItemState);
            }
            _ => self.say_state(machine, to, to.name(), Vocabulary::Canonical),
        }
    }

    /// Says a mode, unless the machine said the same last.
    pub(super) fn mode(&mut self, machine: usize, to: Mode, vocabulary: Vocabulary) {
        let Some(signal) = self.signals.get_mut(machine) else {
            return;
        };
        if std::mem::replace(&mut signal.mode, to) == to {
            return;
        }
        let native = Cow::Borrowed(to.name());
        self.says(
            machine,
            Body::ModeChanged(ModeChanged {
                to,
                native,
                vocabulary,
            }),
        );
    }

    fn packml(&mut self, machine: usize, to: State) {
        let wanted = match to {
            State::Executing => PackmlState::Execute,
            State::Starved | State::Blocked => PackmlState::Suspended,
            State::Held => PackmlState::Held,
            State::Faulted => PackmlState::Aborted,
            State::Setup | State::Idle => PackmlState::Idle,
            _ => PackmlState::Stopped,
        };
        let known = self.signals.get(machine).and_then(|one| one.packml);
        let before = known.unwrap_or(PackmlState::Stopped);
        if known.is_none() {
            // A machine that is switched on is stopped, and says so.
            if let Some(signal) = self.signals.get_mut(machine) {
                signal.packml = Some(before);
            }
            self.say_state(
                machine,
                State::Stopped,
                before.name(),
                Vocabulary::PackmlState,
            );
        }
        let way = way(before, wanted);
        if way.is_empty() && wanted == PackmlState::Suspended {
            // Starved and blocked are bits of the same state.
            self.say_state(machine, to, wanted.name(), Vocabulary::PackmlState);
        }
        for state in way {
            if state == PackmlState::Starting {
                self.mode(machine, Mode::Production, Vocabulary::PackmlMode);
            }
            let canonical = match state {
                PackmlState::Suspended | PackmlState::Suspending if state == wanted => to,
                other => State::of_native(Vocabulary::PackmlState, other.name()),
            };
            if let Some(signal) = self.signals.get_mut(machine) {
                signal.packml = Some(state);
                // Each state of the way is a change, though two of them may be one for us.
                signal.said = State::Unspecified;
            }
            self.say_state(machine, canonical, state.name(), Vocabulary::PackmlState);
        }
        if to == State::Setup {
            self.mode(machine, Mode::Setup, Vocabulary::PackmlMode);
        }
    }

    fn execution(&mut self, machine: usize, from: State, to: State) {
        let word = match to {
            State::Executing => "ACTIVE",
            State::Starved | State::Blocked => "WAIT",
            State::Held => "FEED_HOLD",
            State::Faulted => "INTERRUPTED",
            State::Stopped => "STOPPED",
            _ => "READY",
        };
        let functional = if to == State::Setup {
            Mode::Setup
        } else {
            Mode::Production
        };
        self.mode(machine, functional, Vocabulary::MtconnectFunctionalMode);
        if from == State::Faulted {
            self.condition(machine, ConditionLevel::Normal, "", "");
        }
        let to = State::of_native(Vocabulary::MtconnectExecution, word);
        self.say_state(machine, to, word, Vocabulary::MtconnectExecution);
    }

    /// A condition of the machine as a whole.
    pub(super) fn condition(
        &mut self,
        machine: usize,
        level: ConditionLevel,
        code: &str,
        what: &str,
    ) {
        let condition = ConditionChanged {
            item: Cow::Borrowed("system"),
            level,
            code: text(code),
            text: text(what),
            ..ConditionChanged::default()
        };
        self.says(machine, Body::ConditionChanged(condition));
    }

    /// Says a state, unless the machine said the same last.
    pub(super) fn say_state(
        &mut self,
        machine: usize,
        to: State,
        word: &'static str,
        vocabulary: Vocabulary,
    ) {
        let Some(signal) = self.signals.get_mut(machine) else {
            return;
        };
        let from = std::mem::replace(&mut signal.said, to);
        if from == to {
            return;
        }
        // Only the canonical machines say where they come from.
        let from = if vocabulary == Vocabulary::Canonical {
            from
        } else {
            State::Unspecified
        };
        let native = Cow::Borrowed(word);
        let reason = Cow::Borrowed("");
        self.says(
            machine,
            Body::StateChanged(StateChanged {
                to,
                from,
                native,
                vocabulary,
                reason,
            }),
        );
    }
}
