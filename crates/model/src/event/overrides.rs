//! Overrides of feed, rapid and spindle.

use super::{Aspect, AspectKind, Refusal, Text, check};
use crate::codes::codes;
use serde::{Deserialize, Serialize};

codes! {
    /// What is overridden.
    pub enum OverrideKind {
        /// Not said.
        Unspecified = 0 "UNSPECIFIED",
        /// The feed while cutting.
        Feed = 1 "FEED",
        /// The rapid feed.
        Rapid = 2 "RAPID",
        /// The speed of a spindle.
        Spindle = 3 "SPINDLE",
    }
}

/// An override was turned.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OverrideChanged<'a> {
    /// The source's name of the override; several spindles have one each.
    pub item: Text<'a>,
    /// What it overrides.
    pub what: OverrideKind,
    /// Percent of the programmed value; absent when the source cannot say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<f64>,
}

impl OverrideChanged<'_> {
    pub(super) fn validate(&self) -> Result<(), Refusal> {
        check::required("item", &self.item)?;
        check::specified("what", &self.what)?;
        check::finite("percent", self.percent)
    }

    pub(super) fn for_each_aspect<'s>(&'s self, f: &mut dyn FnMut(Aspect<'s>)) {
        f(Aspect::keyed(AspectKind::Override, &self.item));
    }
}
