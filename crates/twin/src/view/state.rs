//! The state of a machine as its signal says it and as it is shown, and its modes.

use super::MachineTwin;
use super::pick::Pick;
use crate::value::SlotValue;
use serde::Serialize;
use werkbuch_model::event::{AspectKind, ConditionLevel, Mode, State, Vocabulary};
use werkbuch_model::id::Position;
use werkbuch_model::time::Timestamp;

/// What makes the shown state differ from the signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ShownBy {
    /// Nothing: it is what the signal says.
    Signal,
    /// A fault that is active while the machine does not execute.
    Condition,
    /// The mode: the machine is being set up or maintained and does not execute.
    Mode,
    /// The machine never reported a state.
    Nothing,
}

/// What a machine does.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StateView<'t> {
    /// The state as shown: the signal combined with active faults and the mode.
    pub shown: State,
    /// Where the shown state comes from.
    pub shown_by: ShownBy,
    /// The state as the machine's own signal says; unavailable when it never said one.
    pub signal: State,
    /// The state it left, only as reported.
    pub from: State,
    /// The source's own word.
    pub native: &'t str,
    /// The vocabulary of the word.
    pub vocabulary: Vocabulary,
    /// The source's reason code, empty when it gave none.
    pub reason: &'t str,
    /// When the event that says so took effect. A source that affirms its state after a gap renews
    /// it, because nobody watched in between. Absent when the machine never reported a state.
    pub since: Option<Timestamp>,
    /// The name of the source that says so.
    pub source: Option<&'t str>,
    /// The position of the event that says so.
    pub position: Option<Position>,
}

/// How a machine is being used, as one vocabulary says it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ModeView<'t> {
    /// The vocabulary; each is a signal of its own.
    pub vocabulary: Vocabulary,
    /// The canonical mode.
    pub mode: Mode,
    /// The source's own word.
    pub native: &'t str,
    /// When the event that says so took effect.
    pub since: Timestamp,
}

impl<'t> MachineTwin<'t> {
    /// What the machine does. A machine that never reported is unavailable.
    #[must_use]
    pub fn state(&self) -> StateView<'t> {
        let picked = self.single(AspectKind::State);
        let mut view = picked
            .and_then(|pick| self.signal(&pick))
            .unwrap_or(StateView {
                shown: State::Unavailable,
                shown_by: ShownBy::Nothing,
                signal: State::Unavailable,
                from: State::Unspecified,
                native: "",
                vocabulary: Vocabulary::Unspecified,
                reason: "",
                since: None,
                source: None,
                position: None,
            });
        if let Some((shown, shown_by)) = self.shown_instead(view.signal) {
            view.shown = shown;
            view.shown_by = shown_by;
        }
        view
    }

    /// The modes of the machine, one for each vocabulary that said one.
    #[must_use]
    pub fn modes(&self) -> Vec<ModeView<'t>> {
        let picks = self.picks(AspectKind::Mode).into_iter();
        let mut modes: Vec<ModeView<'t>> = picks
            .filter_map(|pick| match pick.value()? {
                SlotValue::Mode {
                    to,
                    vocabulary,
                    native,
                } => Some(ModeView {
                    vocabulary,
                    mode: to,
                    native: self.twin.symbols.text(native),
                    since: pick.at(),
                }),
                _ => None,
            })
            .collect();
        modes.sort_by_key(|mode| precedence(mode.vocabulary));
        modes
    }

    /// The one mode: the functional mode goes before the modes of `PackML` and Machinery, these
    /// before others and the controller's mode; one that cannot say yields to the next.
    #[must_use]
    pub fn mode(&self) -> Option<ModeView<'t>> {
        let mut modes = self.modes();
        let says = modes.iter().position(|mode| mode.mode != Mode::Unavailable);
        if modes.is_empty() {
            return None;
        }
        Some(modes.swap_remove(says.unwrap_or(0)))
    }

    fn signal(&self, pick: &Pick<'t>) -> Option<StateView<'t>> {
        let SlotValue::State {
            to,
            from,
            vocabulary,
            native,
            reason,
        } = pick.value()?
        else {
            return None;
        };
        Some(StateView {
            shown: to,
            shown_by: ShownBy::Signal,
            signal: to,
            from,
            native: self.twin.symbols.text(native),
            vocabulary,
            reason: self.twin.symbols.text(reason),
            since: Some(pick.at()),
            source: self
                .twin
                .source(pick.slot.source)
                .map(|source| source.name.as_ref()),
            position: Some(pick.slot.position),
        })
    }

    /// The state shown in place of the signal's. A machine that executes is shown so, whatever
    /// warns; a fault goes before the mode, since it is what must be mended first.
    fn shown_instead(&self, signal: State) -> Option<(State, ShownBy)> {
        if signal == State::Executing {
            return None;
        }
        let is_fault = |level| level == ConditionLevel::Fault;
        if self
            .conditions()
            .iter()
            .any(|condition| is_fault(condition.level))
        {
            return Some((State::Faulted, ShownBy::Condition));
        }
        match self.mode()?.mode {
            Mode::Maintenance => Some((State::Maintenance, ShownBy::Mode)),
            Mode::Setup => Some((State::Setup, ShownBy::Mode)),
            _ => None,
        }
    }
}

const fn precedence(vocabulary: Vocabulary) -> u8 {
    match vocabulary {
        Vocabulary::MtconnectFunctionalMode => 0,
        Vocabulary::PackmlMode => 1,
        Vocabulary::MachineryOperationMode => 2,
        Vocabulary::Canonical => 3,
        Vocabulary::Native => 4,
        Vocabulary::MtconnectControllerMode => 6,
        _ => 5,
    }
}
