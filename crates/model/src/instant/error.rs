//! Why a text is no instant, with the nearest one that is.

use super::FORMS;
use crate::plant::CalendarError;

/// Why a text is no instant. What is said of a text from outside is cut to 60 characters.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InstantError {
    /// The text follows none of the forms. Write it in one of them.
    #[error("\"{0}\" is no time; {FORMS}")]
    Syntax(String),
    /// The time is outside the years 1677 to 2262. Ask for another.
    #[error("the time \"{0}\" is outside the years 1677 to 2262")]
    Range(String),
    /// No time zone has this name. Use an IANA name.
    #[error("there is no time zone \"{0}\"; name one like Europe/Berlin, or UTC")]
    Zone(String),
    /// The clocks were put back, and showed this time twice. Say which is meant, by its offset.
    #[error(
        "the clocks of {zone} showed \"{text}\" twice, because they were put back; say which: \
         {first} or {second}"
    )]
    Twice {
        /// What was asked for.
        text: String,
        /// The time zone.
        zone: String,
        /// The first time, with its offset.
        first: String,
        /// The second time, with its offset.
        second: String,
    },
    /// The clocks were put forward, and never showed this time. Ask for one that they did show.
    #[error(
        "the clocks of {zone} never showed \"{text}\", because they were put forward; the nearest are \
         {before} and {after}"
    )]
    Skipped {
        /// What was asked for.
        text: String,
        /// The time zone.
        zone: String,
        /// The nearest time before, with its offset.
        before: String,
        /// The nearest time after, with its offset.
        after: String,
    },
    /// A shift is only known where the calendar of one plant is. Name a plant, or write a time.
    #[error(
        "\"{0}\" is of the calendar of one plant, and more are asked; write a time with its offset"
    )]
    ShiftOfMany(String),
    /// The calendar has no shift of this name. Name one that it has.
    #[error("{of} has no shift \"{name}\"; {near}")]
    UnknownShift {
        /// Whose calendar it is.
        of: String,
        /// What was asked for.
        name: String,
        /// The nearest name, or those that there are.
        near: String,
    },
    /// The shift is not worked on that production day. Name a day on which it is.
    #[error("no shift \"{name}\" begins on the production day {day}; {near}")]
    NotOnDay {
        /// The shift.
        name: String,
        /// The production day.
        day: String,
        /// The nearest day on which it is worked.
        near: String,
    },
    /// No shift is worked at the present. Name one with its day.
    #[error("no shift is worked at {0}; name one with its day, such as shift:early@yesterday")]
    NoShiftNow(String),
    /// The calendar cannot be asked: the unit is unknown, or no calendar is declared.
    #[error(transparent)]
    Calendar(#[from] CalendarError),
}

/// A text from outside as it stands in a message.
pub(super) fn cut(text: &str) -> String {
    text.chars().take(60).collect()
}
