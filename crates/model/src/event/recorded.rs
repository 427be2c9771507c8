//! An event as a source reports it, and as the log keeps it.

use super::{Body, Kind, Refusal, RefusalReason};
use crate::id::{MachineNumber, Position, Sequence, SourceNumber};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// The greatest size of a recorded event as stored, in bytes.
pub const EVENT_BYTES_MAX: usize = 32 * 1024;

/// The authority rank of a source that the description does not list for an aspect which lists others.
pub const UNLISTED_AUTHORITY: u32 = 255;

/// The greatest sequence a source may use.
pub const SEQUENCE_MAX: u64 = i64::MAX as u64;

/// An event as reported: identity is (source, epoch, `sequence`), the content is all of this.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reported<'a> {
    /// The source's number for it, from 1; 0 for the writer's own records.
    #[serde(default)]
    pub sequence: Sequence,
    /// The machine it is about; 0 when it is about no machine.
    #[serde(default)]
    pub machine: MachineNumber,
    /// When it happened, by the source's clock.
    pub occurred_at: Timestamp,
    /// When a gateway saw it, by the gateway's clock; absent when there is no gateway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_at: Option<Timestamp>,
    /// Declared to lie in the past on purpose (entered by hand, caught up): its time is believed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub historical: bool,
    /// What it says.
    #[serde(flatten)]
    pub body: Body<'a>,
}

impl Reported<'_> {
    /// Checks what can be checked without the plant: sequence, kind, body.
    /// Errors: a [`Refusal`] with the reason and the field.
    pub fn validate(&self) -> Result<(), Refusal> {
        if self.sequence.get() == 0 {
            return Err(Refusal::new(
                RefusalReason::SequenceZero,
                "sequence",
                "sequence is 0; a source numbers what it reports 1, 2, 3 and so on",
            ));
        }
        if self.sequence.get() > SEQUENCE_MAX {
            return Err(Refusal::new(
                RefusalReason::SequenceOutOfRange,
                "sequence",
                format!("sequence {} is beyond {SEQUENCE_MAX}", self.sequence),
            ));
        }
        let kind = self.body.kind();
        if !kind.reportable() {
            return Err(Refusal::new(
                RefusalReason::KindNotReportable,
                "body",
                format!("{kind} is written by the plant's writer alone"),
            ));
        }
        self.body.validate()
    }
}

/// What the writer noted about an event when it recorded it; never evaluated again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Flags(pub u32);

impl Flags {
    /// The source's clock disagreed with the gateway's, or the gateway's with the writer's.
    pub const SUSPECT_CLOCK: Flags = Flags(1);
    /// The event filled a gap that had been seen before.
    pub const LATE_FILLER: Flags = Flags(2);
    /// Another source has the say about this aspect; the event does not move the state.
    pub const NOT_AUTHORITATIVE: Flags = Flags(4);

    /// Whether all bits of `other` are set.
    #[must_use]
    pub const fn has(self, other: Flags) -> bool {
        self.0 & other.0 == other.0
    }

    /// These flags and those of `other`.
    #[must_use]
    pub const fn with(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }

    /// The names of the set bits.
    #[must_use]
    pub fn names(self) -> Vec<&'static str> {
        [
            (Self::SUSPECT_CLOCK, "SUSPECT_CLOCK"),
            (Self::LATE_FILLER, "LATE_FILLER"),
            (Self::NOT_AUTHORITATIVE, "NOT_AUTHORITATIVE"),
        ]
        .into_iter()
        .filter(|(flag, _)| self.has(*flag))
        .map(|(_, name)| name)
        .collect()
    }
}

/// What holds again for an aspect once a correction has taken an event from its place: the event
/// next before it in plant order, among those that still held when the correction was recorded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Restored<'a> {
    /// The position of that event (its place, when it has itself been corrected).
    pub position: Position,
    /// Its effective time.
    pub effective_at: Timestamp,
    /// Its source.
    pub source: SourceNumber,
    /// Its sequence.
    pub sequence: Sequence,
    /// The rank of its source for its aspect.
    pub authority: u32,
    /// What it says.
    pub body: Body<'a>,
    /// The machine that it is about, which for an aspect of the plant may be another one.
    #[serde(default)]
    pub machine: MachineNumber,
}

/// One target of a correction, as the writer found it, so that a fold needs nothing but the event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Corrected<'a> {
    /// The position of the corrected event.
    pub target: Position,
    /// The effective time it had until now: its own, or that of an earlier re-timing.
    pub effective_at: Timestamp,
    /// Its source.
    pub source: SourceNumber,
    /// Its sequence.
    pub sequence: Sequence,
    /// The rank of its source for its aspect.
    pub authority: u32,
    /// What holds in its place from now on: the replacement, or the re-timed content. For a
    /// retraction the content that is retracted, so that its aspects are known.
    pub body: Body<'a>,
    /// What holds again, one entry for each aspect that had an event before the target.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub restored: Vec<Restored<'a>>,
}

/// An event as the log keeps it: exactly this is encoded, hashed and stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recorded<'a> {
    /// Its gapless number in the plant's log, from 1.
    pub position: Position,
    /// When it was recorded, by the plant writer's clock; strictly increasing in a log.
    pub recorded_at: Timestamp,
    /// The time in the plant that it is ordered by, decided once.
    pub effective_at: Timestamp,
    /// Who reported it; 0 is the plant's writer.
    pub source: SourceNumber,
    /// The position of the event before it of the same machine; 0 when it is the machine's first.
    /// What sources report about no machine is a chain of its own.
    pub previous: Position,
    /// What the writer noted.
    pub flags: Flags,
    /// The rank of its source for its aspect: 0 has the say, n is the n-th fallback,
    /// [`UNLISTED_AUTHORITY`] is not listed.
    pub authority: u32,
    /// What was reported.
    pub reported: Reported<'a>,
    /// For a correction: its targets as the writer found them, in the order of the correction.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub corrected: Vec<Corrected<'a>>,
}

/// What is said of a recorded event without its body: enough to know whether it matters to somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outline {
    /// Its number in the plant's log.
    pub position: Position,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// The time in the plant that it is ordered by.
    pub effective_at: Timestamp,
    /// Who reported it; 0 is the plant's writer.
    pub source: SourceNumber,
    /// The machine it is about; 0 when it is about none.
    pub machine: MachineNumber,
    /// What kind of thing it says.
    pub kind: Kind,
}

/// The order of events in plant time, without the name of the source: see `twin` for the whole of it.
///
/// Equal times are told apart by the source's name and epoch and then the sequence, never by the
/// order of arrival; `source` here is a number that follows arrival, so compare through its name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OrderKey {
    /// The effective time.
    pub effective_at: Timestamp,
    /// The source's number.
    pub source: SourceNumber,
    /// The source's sequence.
    pub sequence: Sequence,
}

impl Recorded<'_> {
    /// The event's place in plant time.
    #[must_use]
    pub fn order_key(&self) -> OrderKey {
        OrderKey {
            effective_at: self.effective_at,
            source: self.source,
            sequence: self.reported.sequence,
        }
    }

    /// Whether a source reported it, so that it is part of the state.
    #[must_use]
    pub fn is_reported(&self) -> bool {
        self.source.get() != 0
    }
}
