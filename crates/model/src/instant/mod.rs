//! The point a question is asked about, on both clocks.

mod error;
mod shift;
mod spoken;
#[cfg(test)]
mod tests;

pub use error::InstantError;
pub use shift::ShiftName;
pub use spoken::{Day, FORMS, Spoken, duration_ns, known_zone};

use crate::id::Position;
use crate::time::Timestamp;
use serde::Serialize;

/// How much of the log a question may know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Known {
    /// Everything recorded so far.
    #[default]
    Now,
    /// Everything up to and with this position.
    Position(Position),
    /// Everything recorded at or before this time of the plant writer's clock.
    Recorded(Timestamp),
}

/// An instant: what had been recorded by `known` of what had happened by `at`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Instant {
    /// How much of the log the question may know.
    pub known: Known,
    /// Plant time; events that took effect after it are left out. Absent: no bound.
    pub at: Option<Timestamp>,
}

impl Instant {
    /// The present: all that is recorded, without a bound in plant time.
    pub const NOW: Instant = Instant {
        known: Known::Now,
        at: None,
    };

    /// Whether the live twin answers it without looking back.
    #[must_use]
    pub fn is_now(&self) -> bool {
        *self == Self::NOW
    }
}
