//! How a machine is being used.

use super::{Aspect, AspectKind, Refusal, Text, check, state::Vocabulary};
use crate::codes::codes;
use serde::{Deserialize, Serialize};

codes! {
    /// The canonical modes.
    pub enum Mode {
        /// Not said.
        Unspecified = 0 "UNSPECIFIED",
        /// Making parts, by program.
        Production = 1 "PRODUCTION",
        /// Being set up.
        Setup = 2 "SETUP",
        /// Being torn down after a job.
        Teardown = 3 "TEARDOWN",
        /// Being maintained.
        Maintenance = 4 "MAINTENANCE",
        /// Run by hand.
        Manual = 5 "MANUAL",
        /// A process is being developed on it.
        ProcessDevelopment = 6 "PROCESS_DEVELOPMENT",
        /// No mode is chosen.
        None = 7 "NONE",
        /// The source cannot say.
        Unavailable = 8 "UNAVAILABLE",
        /// The source said a word that its vocabulary does not know; see the native value.
        Unknown = 9 "UNKNOWN",
    }
}

/// A machine's mode changed. Each vocabulary is a signal of its own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ModeChanged<'a> {
    /// The mode it is in now.
    pub to: Mode,
    /// The source's own word.
    #[serde(default)]
    pub native: Text<'a>,
    /// The vocabulary of `native`.
    #[serde(default)]
    pub vocabulary: Vocabulary,
}

impl ModeChanged<'_> {
    pub(super) fn validate(&self) -> Result<(), Refusal> {
        check::specified("to", &self.to)?;
        check::name("native", &self.native)
    }

    pub(super) fn for_each_aspect<'s>(&'s self, f: &mut dyn FnMut(Aspect<'s>)) {
        f(Aspect::keyed(AspectKind::Mode, self.vocabulary.name()));
    }
}

impl Mode {
    /// The canonical mode of a word of a vocabulary; [`Mode::Unknown`] for a word it does not hold.
    /// Sources: MTConnect 2.7 `ControllerMode` and `FunctionalMode`; `PackML` unit modes.
    #[must_use]
    pub fn of_native(vocabulary: Vocabulary, word: &str) -> Mode {
        let upper = word.trim().to_ascii_uppercase();
        match (vocabulary, upper.as_str()) {
            (_, "UNAVAILABLE") => Mode::Unavailable,
            (Vocabulary::MtconnectControllerMode, "AUTOMATIC" | "SEMI_AUTOMATIC")
            | (Vocabulary::MachineryOperationMode, "PROCESSING") => Mode::Production,
            (Vocabulary::MtconnectControllerMode, "MANUAL" | "MANUAL_DATA_INPUT" | "FEED_HOLD") => {
                Mode::Manual
            }
            (Vocabulary::MtconnectControllerMode, "EDIT") => Mode::ProcessDevelopment,
            (Vocabulary::MtconnectControllerMode, _) => Mode::Unknown,
            _ => match Mode::from_name(&upper) {
                Some(Mode::Unspecified) | None => Mode::Unknown,
                Some(mode) => mode,
            },
        }
    }
}
