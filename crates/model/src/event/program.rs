//! The program a machine runs.

use super::{Aspect, AspectKind, Refusal, Text, check};
use serde::{Deserialize, Serialize};

/// A machine's program changed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ProgramChanged<'a> {
    /// Which of the machine's programs: empty for the main one, else a path or `sub`.
    #[serde(default)]
    pub slot: Text<'a>,
    /// The program's name; absent when the source cannot say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<Text<'a>>,
    /// The program's revision, empty when it is not said.
    #[serde(default)]
    pub revision: Text<'a>,
    /// The block or line that runs, empty when it is not said.
    #[serde(default)]
    pub block: Text<'a>,
}

impl ProgramChanged<'_> {
    pub(super) fn validate(&self) -> Result<(), Refusal> {
        check::name("slot", &self.slot)?;
        check::text("program", self.program.as_deref().unwrap_or_default())?;
        check::name("revision", &self.revision)?;
        check::text("block", &self.block)
    }

    pub(super) fn for_each_aspect<'s>(&'s self, f: &mut dyn FnMut(Aspect<'s>)) {
        f(Aspect::keyed(AspectKind::Program, &self.slot));
    }
}
