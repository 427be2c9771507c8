//! Values that fit no other kind, such as a program's comment or the place on a path.

use super::{Aspect, AspectKind, Refusal, Text, check};
use serde::{Deserialize, Serialize};

/// An item has a new text.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ItemChanged<'a> {
    /// The item's name at the source.
    pub item: Text<'a>,
    /// Its text, which may be empty; absent when the source cannot say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<Text<'a>>,
}

impl ItemChanged<'_> {
    pub(super) fn validate(&self) -> Result<(), Refusal> {
        check::required("item", &self.item)?;
        check::text("text", self.text.as_deref().unwrap_or_default())
    }

    pub(super) fn for_each_aspect<'s>(&'s self, f: &mut dyn FnMut(Aspect<'s>)) {
        f(Aspect::keyed(AspectKind::Item, &self.item));
    }
}
