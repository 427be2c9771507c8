//! When is worked: shifts, breaks, and the days on which it is otherwise.

use super::*;

/// When is worked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calendar {
    /// Its name, unique among calendars.
    pub id: ElementId,
    /// The calendar whose shifts, breaks and exceptions hold where this one says nothing; empty for
    /// none.
    pub parent: Option<ElementId>,
    /// The shifts of a week.
    pub shifts: Vec<Shift>,
    /// The breaks in them.
    pub breaks: Vec<Break>,
    /// The days on which it is otherwise.
    pub exceptions: Vec<CalendarException>,
}

/// A shift of some days of the week.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shift {
    /// Its name, such as `night`.
    pub name: String,
    /// The days on which it begins.
    pub days: Days,
    /// When it begins.
    pub from: TimeOfDay,
    /// When it ends; on the next day when that is not after `from`.
    pub to: TimeOfDay,
    /// The team that works; empty when it is not said.
    pub team: String,
}

/// A break in a shift.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Break {
    /// The shift; empty for every shift in which the time lies.
    pub shift: String,
    /// When it begins.
    pub at: TimeOfDay,
    /// How long it is.
    pub minutes: u32,
    /// The machines that pause, by name or class; empty for all.
    pub machines: String,
}

/// A day on which it is otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CalendarException {
    /// The day, by the production day.
    pub date: Date,
    /// What is otherwise.
    pub exception_kind: ExceptionKind,
    /// From when; absent for the whole day.
    pub from: Option<TimeOfDay>,
    /// Until when; on the next day when that is not after `from`.
    pub to: Option<TimeOfDay>,
    /// The shift's name, or why.
    pub name: String,
}
