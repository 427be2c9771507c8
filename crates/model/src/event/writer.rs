//! The plant writer's own records: sources, openings, refusals, its clock, format and digests.

use super::{Aspect, Blob, Refusal, RefusalReason, Text};
use crate::codes::codes;
use crate::id::{Epoch, Position, SourceNumber, WriterEpoch};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

codes! {
    /// What a source is.
    pub enum SourceKind {
        /// Not said.
        Unspecified = 0 "UNSPECIFIED",
        /// A gateway or client that reports as things happen.
        Live = 1 "LIVE",
        /// An importer of a recording.
        Import = 2 "IMPORT",
    }
}

/// A source was opened in a new life.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SourceOpened<'a> {
    /// Its number in this log.
    pub number: SourceNumber,
    /// Its name.
    pub name: Text<'a>,
    /// Its life.
    pub epoch: Epoch,
    /// What it is.
    pub source_kind: SourceKind,
    /// How far its clock may lie from its gateway's, in nanoseconds.
    pub tolerance_ns: u64,
}

/// The log was opened for writing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WriterOpened<'a> {
    /// The count of openings.
    pub epoch: WriterEpoch,
    /// The build that opened it.
    pub build: Text<'a>,
    /// The version of the fold that the build's digests are of.
    pub fold_version: u32,
    /// Whether the log had been closed in good order before.
    #[serde(default)]
    pub after_clean_close: bool,
    /// When the last event before was recorded; absent for a new log. The time between is no jump.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_recorded_at: Option<Timestamp>,
}

/// Events were refused and used up their numbers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EventRefused<'a> {
    /// The source.
    pub source: SourceNumber,
    /// The first refused number.
    pub first: u64,
    /// The last refused number.
    pub last: u64,
    /// Why.
    pub reason: RefusalReason,
    /// SHA-256 over the SHA-256 of each refused content, in order.
    pub hash: Blob<'a>,
}

/// The writer's wall clock moved against the monotonic clock of the running process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockJumped {
    /// What the wall clock should have said.
    pub expected: Timestamp,
    /// What it said.
    pub found: Timestamp,
    /// Whether a person confirmed the new time (asked for beyond an hour forward).
    #[serde(default)]
    pub confirmed: bool,
}

/// Readers of at least this format version are needed from here on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormatRaised {
    /// The least format version that can fold what follows.
    pub minimum_reader: u32,
}

/// The digest of the plant's state after a position.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DigestRecorded<'a> {
    /// The last position that the state reflects.
    pub at_position: Position,
    /// The version of the fold; digests of different versions are not comparable.
    pub fold_version: u32,
    /// SHA-256 over the canonical encoding of the state.
    pub digest: Blob<'a>,
}

/// The log goes on from a backup of another one that lay behind it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LineageStarted<'a> {
    /// The id of the other log, 16 bytes.
    #[serde(default, skip_serializing_if = "<[u8]>::is_empty")]
    pub parent: Blob<'a>,
    /// How many events of it this log begins with.
    #[serde(default)]
    pub size: u64,
    /// The Merkle root over these events, 32 bytes.
    #[serde(default, skip_serializing_if = "<[u8]>::is_empty")]
    pub root: Blob<'a>,
    /// The first position of the other log that is lost; 0 when nothing is known to be.
    #[serde(default)]
    pub lost_first: Position,
    /// The last position of the other log that is lost.
    #[serde(default)]
    pub lost_last: Position,
}

macro_rules! writers_own {
    ($($ty:ty),+) => {$(
        impl $ty {
            /// The writer makes these itself; the kind as a whole is refused to sources.
            #[allow(clippy::unused_self, clippy::unnecessary_wraps, clippy::trivially_copy_pass_by_ref)]
            pub(super) fn validate(&self) -> Result<(), Refusal> { Ok(()) }

            #[allow(clippy::unused_self, clippy::trivially_copy_pass_by_ref)]
            pub(super) fn for_each_aspect<'s>(&'s self, _: &mut dyn FnMut(Aspect<'s>)) {}
        }
    )+};
}

writers_own!(
    SourceOpened<'_>,
    WriterOpened<'_>,
    EventRefused<'_>,
    ClockJumped,
    FormatRaised,
    DigestRecorded<'_>,
    LineageStarted<'_>,
    super::ActionRecorded<'_>,
    super::RuleCleared<'_>,
    super::RuleRaised<'_>,
    super::RulesChanged<'_>,
    super::DescriptionChanged<'_>
);
