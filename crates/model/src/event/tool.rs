//! Tools in their slots and what is left of their lives.

use super::{Aspect, AspectKind, Refusal, Text, check};
use crate::codes::codes;
use serde::{Deserialize, Serialize};

codes! {
    /// What a tool's life is counted in.
    pub enum ToolLifeUnit {
        /// Not said.
        Unspecified = 0 "UNSPECIFIED",
        /// Uses.
        Count = 1 "COUNT",
        /// Seconds of cutting.
        Seconds = 2 "SECONDS",
        /// Millimetres of wear.
        Millimetres = 3 "MILLIMETRES",
    }
}

/// A tool was put in a slot, or its life moved on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ToolChanged<'a> {
    /// The slot: spindle, turret place; empty for the machine's one tool.
    #[serde(default)]
    pub slot: Text<'a>,
    /// The tool's id; absent when the source cannot say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<Text<'a>>,
    /// How much of its life is used, in `life_unit`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub life_used: Option<f64>,
    /// Its whole life, in `life_unit`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub life_limit: Option<f64>,
    /// What its life is counted in.
    #[serde(default)]
    pub life_unit: ToolLifeUnit,
}

impl ToolChanged<'_> {
    pub(super) fn validate(&self) -> Result<(), Refusal> {
        check::name("slot", &self.slot)?;
        check::name("tool", self.tool.as_deref().unwrap_or_default())?;
        check::finite("life_used", self.life_used)?;
        check::finite("life_limit", self.life_limit)?;
        if (self.life_used.is_some() || self.life_limit.is_some())
            && self.life_unit == ToolLifeUnit::Unspecified
        {
            return Err(check::missing("life_unit"));
        }
        Ok(())
    }

    pub(super) fn for_each_aspect<'s>(&'s self, f: &mut dyn FnMut(Aspect<'s>)) {
        f(Aspect::keyed(AspectKind::Tool, &self.slot));
    }
}
