//! Gaps: what is known to be lost, so that nothing is lost silently.

use super::{Aspect, Blob, Refusal, Text, check};
use crate::codes::codes;
use crate::id::SourceNumber;
use serde::{Deserialize, Serialize};

codes! {
    /// Why something is missing.
    pub enum GapCause {
        /// Not said.
        Unspecified = 0 "UNSPECIFIED",
        /// A source skipped numbers; found by the plant's writer.
        Sequence = 1 "SEQUENCE",
        /// A ring buffer at the machine ran over.
        RingBuffer = 2 "RING_BUFFER",
        /// A queue on the way ran over.
        Queue = 3 "QUEUE",
        /// A recording holds something that is no observation.
        Unreadable = 4 "UNREADABLE",
        /// The machine or the line to it was away.
        Offline = 5 "OFFLINE",
        /// The machine's agent was started anew.
        Restart = 6 "RESTART",
    }
}

/// Something was lost. Late arrivals are recorded normally; the gap event stays.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GapDetected<'a> {
    /// Why.
    pub cause: GapCause,
    /// The source whose numbers are missing; 0 when the gap is not in numbers.
    #[serde(default)]
    pub source: SourceNumber,
    /// The first missing number.
    #[serde(default)]
    pub first: u64,
    /// The last missing number.
    #[serde(default)]
    pub last: u64,
    /// How many observations are lost; absent when that is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost: Option<u64>,
    /// The file in which something could not be read.
    #[serde(default)]
    pub file: Text<'a>,
    /// The first line that could not be read, from 1.
    #[serde(default)]
    pub first_line: u64,
    /// The last line that could not be read.
    #[serde(default)]
    pub last_line: u64,
    /// SHA-256 of the bytes that could not be read.
    #[serde(default, skip_serializing_if = "<[u8]>::is_empty")]
    pub content_hash: Blob<'a>,
    /// More, for a person.
    #[serde(default)]
    pub detail: Text<'a>,
}

impl GapDetected<'_> {
    pub(super) fn validate(&self) -> Result<(), Refusal> {
        check::specified("cause", &self.cause)?;
        check::text("file", &self.file)?;
        check::text("detail", &self.detail)?;
        if self.last < self.first || self.last_line < self.first_line {
            return Err(check::out_of_range(
                "last",
                "the range ends before it begins",
            ));
        }
        Ok(())
    }

    #[allow(clippy::unused_self)]
    pub(super) fn for_each_aspect<'s>(&'s self, _: &mut dyn FnMut(Aspect<'s>)) {}
}
