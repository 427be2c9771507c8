//! Parts that a machine made, as an absolute counter or one by one.

use super::{Aspect, AspectKind, Refusal, Text, check};
use crate::codes::codes;
use serde::{Deserialize, Serialize};

codes! {
    /// What a counter counts.
    pub enum PartMeaning {
        /// Not said.
        Unspecified = 0 "UNSPECIFIED",
        /// All parts.
        All = 1 "ALL",
        /// Good parts.
        Good = 2 "GOOD",
        /// Scrap.
        Scrap = 3 "SCRAP",
        /// Parts to be reworked.
        Rework = 4 "REWORK",
    }
}

/// A counter of parts stands at a value. The count of a window is, over the reset epochs in it,
/// the sum of greatest minus least value.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PartProduced<'a> {
    /// The counter's name at the source.
    pub counter: Text<'a>,
    /// What it counts.
    pub meaning: PartMeaning,
    /// Where it stands, in parts; absent when the source cannot say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<u64>,
    /// The value at which it begins again at zero; 0 when it never does.
    #[serde(default)]
    pub modulus: u64,
    /// Counts the resets of the counter, stamped by the gateway.
    #[serde(default)]
    pub reset_epoch: u32,
    /// The part's type, empty when it is not said.
    #[serde(default)]
    pub part_type: Text<'a>,
    /// The serial or vehicle number of the single part reported, empty for a mere count.
    #[serde(default)]
    pub part: Text<'a>,
}

impl PartProduced<'_> {
    pub(super) fn validate(&self) -> Result<(), Refusal> {
        check::required("counter", &self.counter)?;
        check::specified("meaning", &self.meaning)?;
        check::name("part_type", &self.part_type)?;
        check::name("part", &self.part)?;
        match self.value {
            Some(value) if self.modulus > 0 && value >= self.modulus => Err(check::out_of_range(
                "value",
                format!("value {value} is not below the modulus {}", self.modulus),
            )),
            _ => Ok(()),
        }
    }

    pub(super) fn for_each_aspect<'s>(&'s self, f: &mut dyn FnMut(Aspect<'s>)) {
        f(Aspect::keyed(AspectKind::Part, &self.counter));
    }
}
