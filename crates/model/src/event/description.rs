//! Changes of a plant's description, as events of its own log.

use super::{Blob, Protected, Text};
use crate::plant::Change;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// A part of a change of the plant's description. The parts of one revision are staged and take
/// effect together at the part that is the last.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DescriptionChanged<'a> {
    /// The count of applied descriptions, from 1.
    pub revision: u32,
    /// The number of this part, from 1.
    pub part: u32,
    /// Whether this part is the last, at which all take effect.
    pub commit: bool,
    /// From when on the changes hold in plant time. Absent: additions have held since ever, changes
    /// and removals hold from the time of recording on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<Timestamp>,
    /// SHA-256 of the file that was applied.
    #[serde(default, skip_serializing_if = "<[u8]>::is_empty")]
    pub file_hash: Blob<'a>,
    /// Who applied it, as asserted by the caller.
    #[serde(default)]
    pub who: Protected<'a>,
    /// Why.
    #[serde(default)]
    pub why: Text<'a>,
    /// The changes, in order.
    pub changes: Vec<Change>,
}
