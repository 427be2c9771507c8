//! What a machine says it is made of: its birth certificate or probe.

use super::{Aspect, AspectKind, Refusal, Text, check};
use crate::codes::codes;
use serde::{Deserialize, Serialize};

codes! {
    /// What sort of values an item has.
    pub enum ItemCategory {
        /// Not said.
        Unspecified = 0 "UNSPECIFIED",
        /// Discrete values and words.
        Event = 1 "EVENT",
        /// Measured values.
        Sample = 2 "SAMPLE",
        /// Normal, warning, fault.
        Condition = 3 "CONDITION",
    }
}

/// One item that a machine declares.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DeclaredItem<'a> {
    /// The item's name at the source.
    pub id: Text<'a>,
    /// The item's type in the source's vocabulary.
    #[serde(default)]
    pub item_type: Text<'a>,
    /// The unit's code, empty when it has none.
    #[serde(default)]
    pub unit: Text<'a>,
    /// The sort of its values.
    #[serde(default)]
    pub category: ItemCategory,
    /// The absolute deadband within which the source stays silent, in `unit`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadband: Option<f64>,
}

/// A machine declares itself. An observation, to compare with the plant's description.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AssetDeclared<'a> {
    /// Who made it.
    #[serde(default)]
    pub manufacturer: Text<'a>,
    /// The maker's model.
    #[serde(default)]
    pub model: Text<'a>,
    /// The serial number.
    #[serde(default)]
    pub serial: Text<'a>,
    /// What it can report.
    #[serde(default)]
    pub items: Vec<DeclaredItem<'a>>,
}

impl AssetDeclared<'_> {
    pub(super) fn validate(&self) -> Result<(), Refusal> {
        check::name("manufacturer", &self.manufacturer)?;
        check::name("model", &self.model)?;
        check::name("serial", &self.serial)?;
        self.items.iter().try_for_each(|item| {
            check::required("items.id", &item.id)?;
            check::name("items.item_type", &item.item_type)?;
            check::name("items.unit", &item.unit)?;
            check::finite("items.deadband", item.deadband)
        })
    }

    pub(super) fn for_each_aspect<'s>(&'s self, f: &mut dyn FnMut(Aspect<'s>)) {
        f(Aspect::single(AspectKind::Declaration));
    }
}
