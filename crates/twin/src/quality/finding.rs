//! One thing found in the data, in a form that all kinds of findings share.

use serde::Serialize;
use std::cmp::Ordering;
use werkbuch_model::event::{ClockJumped, EventRefused, Recorded};
use werkbuch_model::id::{MachineNumber, Position, SourceNumber};
use werkbuch_model::time::Timestamp;

/// What sort of finding it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum FindingKind {
    /// Two `PackML` states in a row between which no transition leads.
    IllegalJump,
    /// Something is missing.
    Gap,
    /// A clock was doubted.
    SuspectClock,
    /// A source has not been heard for longer than it should.
    Silent,
    /// Two sources say different things of one aspect.
    Conflict,
    /// A counter went back without a new reset epoch.
    CounterBackwards,
    /// A word that the vocabulary does not hold.
    UnknownWord,
    /// A state equal to the one before, which the source should have dropped.
    RepeatedState,
    /// Events were refused.
    Refused,
    /// The clock of the plant's writer jumped.
    ClockJump,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// What sort it is.
    pub kind: FindingKind,
    /// When, in plant time: the time of the event that shows it, or of the first of them.
    pub at: Timestamp,
    /// Until when, for what lasts; absent when it stands, and for what is of a moment.
    pub until: Option<Timestamp>,
    /// The position of the event that shows it, or of the first of them; 0 when it is none.
    pub position: Position,
    /// The machine; absent when it is about none.
    pub machine: Option<MachineNumber>,
    /// The source; 0 for the plant's writer.
    pub source: SourceNumber,
    /// The other source, for a conflict.
    pub other: Option<SourceNumber>,
    /// What it is about: an aspect with its item, a counter, a reason.
    pub what: String,
    /// The value before, or what the other source says.
    pub from: String,
    /// The value now, or what this source says.
    pub to: String,
    /// How many events it is about.
    pub count: u64,
    /// More, for a person.
    pub detail: String,
}

impl Finding {
    /// A finding about an event of a source, with the rest empty.
    pub(super) fn new(kind: FindingKind, source: SourceNumber, at: Timestamp) -> Self {
        Self {
            kind,
            at,
            until: None,
            position: Position(0),
            machine: None,
            source,
            other: None,
            what: String::new(),
            from: String::new(),
            to: String::new(),
            count: 1,
            detail: String::new(),
        }
    }

    pub(super) fn refused(event: &Recorded<'_>, refused: &EventRefused<'_>) -> Self {
        Self {
            position: event.position,
            what: refused.reason.name().to_owned(),
            count: refused.last.saturating_sub(refused.first).saturating_add(1),
            detail: format!("sequences {} to {}", refused.first, refused.last),
            ..Self::new(FindingKind::Refused, refused.source, event.effective_at)
        }
    }

    pub(super) fn clock_jump(event: &Recorded<'_>, jump: &ClockJumped) -> Self {
        Self {
            position: event.position,
            what: "WRITER_CLOCK".to_owned(),
            from: jump.expected.to_string(),
            to: jump.found.to_string(),
            detail: if jump.confirmed {
                "a person confirmed it".to_owned()
            } else {
                String::new()
            },
            ..Self::new(FindingKind::ClockJump, SourceNumber(0), event.effective_at)
        }
    }

    /// By time; then by what cannot be the same twice, so that the order is one.
    pub(super) fn by_time(a: &Self, b: &Self) -> Ordering {
        let key = |one: &Self| (one.at, one.position, one.kind, one.machine, one.source);
        key(a)
            .cmp(&key(b))
            .then_with(|| (&a.what, &a.to).cmp(&(&b.what, &b.to)))
    }
}
