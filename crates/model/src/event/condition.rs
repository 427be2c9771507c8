//! Conditions: normal, warning, fault of an item of a machine, several at once told apart by code.

use super::{Aspect, AspectKind, Refusal, Text, check};
use crate::codes::codes;
use serde::{Deserialize, Serialize};

codes! {
    /// The level of a condition.
    pub enum ConditionLevel {
        /// Not said.
        Unspecified = 0 "UNSPECIFIED",
        /// All is well.
        Normal = 1 "NORMAL",
        /// Something is out of the ordinary.
        Warning = 2 "WARNING",
        /// Something must be mended.
        Fault = 3 "FAULT",
        /// The source cannot say.
        Unavailable = 4 "UNAVAILABLE",
    }
}

codes! {
    /// On which side of the ordinary a condition lies.
    pub enum Qualifier {
        /// Not said.
        Unspecified = 0 "UNSPECIFIED",
        /// Above it.
        High = 1 "HIGH",
        /// Below it.
        Low = 2 "LOW",
    }
}

/// A condition of an item changed. A level without a native code is about all codes of the item:
/// it ends every warning and fault that came before it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ConditionChanged<'a> {
    /// The item, such as `spindle_temp`.
    pub item: Text<'a>,
    /// The level.
    pub level: ConditionLevel,
    /// The source's code, empty when the level is about the item as a whole.
    #[serde(default)]
    pub code: Text<'a>,
    /// The source's severity.
    #[serde(default)]
    pub native_severity: Text<'a>,
    /// The side it lies on.
    #[serde(default)]
    pub qualifier: Qualifier,
    /// The condition's text.
    #[serde(default)]
    pub text: Text<'a>,
}

impl ConditionChanged<'_> {
    pub(super) fn validate(&self) -> Result<(), Refusal> {
        check::required("item", &self.item)?;
        check::specified("level", &self.level)?;
        check::name("code", &self.code)?;
        check::name("native_severity", &self.native_severity)?;
        check::text("text", &self.text)
    }

    pub(super) fn for_each_aspect<'s>(&'s self, f: &mut dyn FnMut(Aspect<'s>)) {
        f(Aspect::pair(AspectKind::Condition, &self.item, &self.code));
    }
}
