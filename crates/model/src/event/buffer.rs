//! The levels of buffers.

use super::facts::fields;
use super::{Aspect, AspectKind, Refusal, Text, check};
use serde::{Deserialize, Serialize};

/// A buffer holds another number of pieces.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BufferLevelChanged<'a> {
    /// The buffer, by its name in the description.
    pub buffer: Text<'a>,
    /// The lane; empty for the buffer as a whole.
    #[serde(default)]
    pub lane: Text<'a>,
    /// How many pieces it holds; absent when the source cannot say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<u64>,
    /// How many pieces it can hold, as the source says; absent when it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<u64>,
}

impl BufferLevelChanged<'_> {
    pub(super) fn validate(&self) -> Result<(), Refusal> {
        check::required("buffer", &self.buffer)?;
        check::name("lane", &self.lane)
    }

    pub(super) fn for_each_aspect<'s>(&'s self, f: &mut dyn FnMut(Aspect<'s>)) {
        f(Aspect::pair(AspectKind::Buffer, &self.buffer, &self.lane));
    }
}

fields! {
    BufferLevelChanged<'a> { buffer lane level capacity }
}
