//! Changes of the calendar: what is planned to be worked.

use super::facts::fields;
use super::{Aspect, AspectKind, Refusal, Text, check};
use crate::codes::codes;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

codes! {
    /// What an interval of a calendar is.
    pub enum IntervalKind {
        /// Not said.
        Unspecified = 0 "UNSPECIFIED",
        /// Planned to be worked.
        Shift = 1 "SHIFT",
        /// A pause in a shift.
        Break = 2 "BREAK",
        /// Worked beyond the regular shifts.
        Overtime = 3 "OVERTIME",
        /// Not worked: a holiday, a plant shut-down.
        Closed = 4 "CLOSED",
        /// Kept free for maintenance.
        Maintenance = 5 "MAINTENANCE",
    }
}

/// One interval of a calendar.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PlannedInterval<'a> {
    /// When it begins.
    pub from: Timestamp,
    /// When it ends.
    pub to: Timestamp,
    /// What it is.
    pub kind: IntervalKind,
    /// Its name, such as `early`.
    #[serde(default)]
    pub name: Text<'a>,
    /// The team that works.
    #[serde(default)]
    pub team: Text<'a>,
}

impl PlannedInterval<'_> {
    pub(super) fn validate(&self) -> Result<(), Refusal> {
        check::specified("intervals.kind", &self.kind)?;
        check::name("intervals.name", &self.name)?;
        check::name("intervals.team", &self.team)?;
        check::ordered("intervals.to", self.from, self.to)
    }
}

/// What is planned to be worked in a range of time. It replaces what the calendar of the
/// description says there.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CalendarChanged<'a> {
    /// The unit or machine it is about; empty for the plant.
    #[serde(default)]
    pub unit: Text<'a>,
    /// What tells it from other changes of the same unit; the same key replaces it.
    pub key: Text<'a>,
    /// When the range begins.
    pub from: Timestamp,
    /// When the range ends.
    pub to: Timestamp,
    /// The intervals of the range, in any order; what none covers is not planned to be worked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub intervals: Vec<PlannedInterval<'a>>,
}

impl CalendarChanged<'_> {
    pub(super) fn validate(&self) -> Result<(), Refusal> {
        check::name("unit", &self.unit)?;
        check::required("key", &self.key)?;
        self.intervals
            .iter()
            .try_for_each(PlannedInterval::validate)?;
        check::ordered("to", self.from, self.to)?;
        let outside =
            |interval: &&PlannedInterval<'_>| interval.from < self.from || interval.to > self.to;
        match self.intervals.iter().find(outside) {
            Some(interval) => Err(check::out_of_range(
                "intervals",
                format!(
                    "the interval from {} to {} lies outside of the range from {} to {}",
                    interval.from, interval.to, self.from, self.to
                ),
            )),
            None => Ok(()),
        }
    }

    pub(super) fn for_each_aspect<'s>(&'s self, f: &mut dyn FnMut(Aspect<'s>)) {
        f(Aspect::pair(AspectKind::Calendar, &self.unit, &self.key));
    }
}

fields! {
    PlannedInterval<'a> { from to kind name team }
    CalendarChanged<'a> { unit key from to intervals }
}
