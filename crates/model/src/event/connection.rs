//! Whether a machine can be reached.

use super::{Aspect, AspectKind, Refusal, Text, check};
use crate::codes::codes;
use serde::{Deserialize, Serialize};

codes! {
    /// Whether a machine can be reached by its source.
    pub enum Connection {
        /// Not said.
        Unspecified = 0 "UNSPECIFIED",
        /// It answers.
        Online = 1 "ONLINE",
        /// It does not answer.
        Offline = 2 "OFFLINE",
        /// It answers, but its values no longer move.
        Stale = 3 "STALE",
    }
}

/// A machine came within reach or went out of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ConnectionChanged<'a> {
    /// Whether it can be reached now.
    pub to: Connection,
    /// Why, in the source's words.
    #[serde(default)]
    pub cause: Text<'a>,
}

impl ConnectionChanged<'_> {
    pub(super) fn validate(&self) -> Result<(), Refusal> {
        check::specified("to", &self.to)?;
        check::text("cause", &self.cause)
    }

    pub(super) fn for_each_aspect<'s>(&'s self, f: &mut dyn FnMut(Aspect<'s>)) {
        f(Aspect::single(AspectKind::Connection));
    }
}
