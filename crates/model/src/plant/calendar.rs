//! Calendars evaluated: what is planned to be worked when, in shifts and production days.
//!
//! A calendar speaks in times of day by the plant's clocks; what comes out are instants, so that a
//! shift over the change to summer time lasts an hour less, and one over the change back an hour
//! more.

mod shift;
#[cfg(test)]
mod tests;

use super::authority::in_class;
use super::description::Description;
use super::spec::*;
use crate::event::{CalendarChanged, IntervalKind};
use crate::id::ElementId;
use crate::time::Timestamp;
use jiff::civil;
use jiff::tz::TimeZone;
use std::collections::BTreeSet;

/// The most days that one question may be about.
pub const CALENDAR_DAYS_MAX: i64 = 3_700;

/// A stretch of time with one meaning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// When it begins.
    pub from: Timestamp,
    /// When it ends.
    pub to: Timestamp,
    /// What it is.
    pub kind: IntervalKind,
    /// The shift's name, or why it is closed.
    pub name: String,
    /// The team that works, or empty.
    pub team: String,
    /// The production day that it belongs to.
    pub day: Date,
}

impl Planned {
    /// How long it is, in nanoseconds of elapsed time.
    #[must_use]
    pub const fn nanos(&self) -> i64 {
        self.to.since(self.from)
    }

    /// The key of its shift, such as `2026-11-21/night`.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{}/{}", self.day, self.name)
    }

    /// Whether it is planned to be worked.
    #[must_use]
    pub const fn is_worked(&self) -> bool {
        matches!(self.kind, IntervalKind::Shift | IntervalKind::Overtime)
    }
}

/// Why a calendar cannot be evaluated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CalendarError {
    /// Nothing of this name is there. Ask for a unit, a machine, or the plant.
    #[error("there is no unit or machine \"{0}\"")]
    Unknown(String),
    /// Neither it nor anything above it names a calendar. Declare one.
    #[error("no calendar is declared for {0}")]
    None(String),
    /// The plant's time zone is not known to this build. Correct the description.
    #[error("the time zone \"{0}\" is not known")]
    Zone(String),
    /// The range ends before it begins, or is longer than [`CALENDAR_DAYS_MAX`] days. Ask for less.
    #[error("from {from} to {to} is no range of at most {CALENDAR_DAYS_MAX} days")]
    Range {
        /// The first instant.
        from: Timestamp,
        /// The instant behind the last one.
        to: Timestamp,
    },
}

/// The calendar of a unit or machine, ready to be asked.
#[derive(Clone, Debug)]
pub struct Timetable {
    /// The calendar that was found; absent where none is declared.
    pub calendar: Option<ElementId>,
    zone: TimeZone,
    day_start: TimeOfDay,
    shifts: Vec<Shift>,
    breaks: Vec<Break>,
    /// Those of the calendar itself, then those of its parents.
    exceptions: Vec<Vec<CalendarException>>,
}

impl Description {
    /// The calendar that holds for a unit or machine, or with no name for the plant: its own, else
    /// that of the nearest unit above it, else the plant's. Of a calendar with a parent, its own
    /// shifts replace the parent's where it has some, and so do its breaks; exceptions add up, and
    /// on a day that both speak of its own count.
    ///
    /// Errors: [`CalendarError`] for a name that is not there, and where no calendar is declared.
    pub fn timetable(&self, name: Option<&str>) -> Result<Timetable, CalendarError> {
        let machine = name.and_then(|name| self.machine_named(name));
        let (own, parent) = match name {
            None => (None, None),
            Some(name) => match (machine, self.unit(name)) {
                (Some(machine), _) => (machine.calendar.as_ref(), machine.parent.as_ref()),
                (None, Some(unit)) => (unit.calendar.as_ref(), unit.parent.as_ref()),
                (None, None) => return Err(CalendarError::Unknown(name.to_owned())),
            },
        };
        let above = self.place(parent).into_iter().rev();
        let inherited = above.filter_map(|unit| unit.calendar.as_ref());
        let mut found = own
            .into_iter()
            .chain(inherited)
            .chain(&self.plant().calendar);
        let of = || name.map_or_else(|| "the plant".to_owned(), |name| format!("\"{name}\""));
        let id = found.next().ok_or_else(|| CalendarError::None(of()))?;
        // Breaks name a machine by any of its names.
        let names = machine.map(|machine| {
            let names = machine.aliases.iter().chain([&machine.id]);
            names.map(ElementId::to_string).collect::<Vec<_>>()
        });
        self.timetable_of(id, names.as_deref())
    }

    /// The table of a plant that declares no calendar: nothing is planned but what changes of the
    /// calendar say, by the plant's clocks.
    ///
    /// Errors: [`CalendarError::Zone`].
    pub fn timetable_without(&self) -> Result<Timetable, CalendarError> {
        Ok(Timetable {
            calendar: None,
            zone: self.zone()?,
            day_start: self.plant().day_start,
            shifts: Vec::new(),
            breaks: Vec::new(),
            exceptions: Vec::new(),
        })
    }

    fn zone(&self) -> Result<TimeZone, CalendarError> {
        let name = match self.plant().time_zone.as_str() {
            "" => "UTC",
            name => name,
        };
        let zone = jiff::tz::TimeZoneDatabase::bundled().get(name);
        zone.map_err(|_| CalendarError::Zone(name.to_owned()))
    }

    /// Whether a change of the calendar is about a unit or machine, or with no name about the plant:
    /// about itself under any of its names, a unit above it, or the whole plant.
    #[must_use]
    pub fn is_changed(&self, name: Option<&str>, change: &CalendarChanged<'_>) -> bool {
        let of = change.unit.as_ref();
        if of.is_empty() || name == Some(of) {
            return true;
        }
        let Some(name) = name else {
            return false;
        };
        let machine = self.machine_named(name);
        let parent = match machine {
            Some(machine) => machine.parent.as_ref(),
            None => self.unit(name).and_then(|unit| unit.parent.as_ref()),
        };
        let same = machine.is_some_and(|machine| {
            let meant = self.machine_named(of);
            meant.is_some_and(|meant| meant.number == machine.number)
        });
        same || self.place(parent).iter().any(|unit| unit.id.as_str() == of)
    }

    /// The calendar of this name with what its parents say, and of the breaks those that the
    /// machine of these names makes; without names those that all machines make.
    fn timetable_of(
        &self,
        id: &ElementId,
        machine: Option<&[String]>,
    ) -> Result<Timetable, CalendarError> {
        let mut met = BTreeSet::new();
        let mut chain: Vec<&Calendar> = Vec::new();
        let mut above = Some(id);
        while let Some(calendar) = above.and_then(|id| self.calendar(id.as_str())) {
            if !met.insert(&calendar.id) {
                break;
            }
            chain.push(calendar);
            above = calendar.parent.as_ref();
        }
        if chain.is_empty() {
            return Err(CalendarError::None(format!("\"{id}\"")));
        }
        let zone = self.zone()?;
        let shifts = chain.iter().find(|calendar| !calendar.shifts.is_empty());
        let breaks = chain.iter().find(|calendar| !calendar.breaks.is_empty());
        let pauses = |one: &&Break| match (one.machines.as_str(), machine) {
            ("", _) => true,
            (_, None) => false,
            (class, Some(names)) => names.iter().any(|name| in_class(class, name)),
        };
        Ok(Timetable {
            calendar: Some(id.clone()),
            zone,
            day_start: self.plant().day_start,
            shifts: shifts
                .map(|calendar| calendar.shifts.clone())
                .unwrap_or_default(),
            breaks: breaks
                .map(|calendar| calendar.breaks.iter().filter(pauses).cloned().collect())
                .unwrap_or_default(),
            exceptions: chain.iter().map(|one| one.exceptions.clone()).collect(),
        })
    }
}

impl Timetable {
    /// An instant by the plant's clocks, with their offset: `2026-11-24T06:00:00+01:00`.
    #[must_use]
    pub fn shown(&self, at: Timestamp) -> String {
        self.zoned(at).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
    }

    /// What is planned once a change of the calendar is laid over it: in the range of the change
    /// nothing holds but its intervals. Lay changes in their order in plant time, so that it does not
    /// matter in which they arrived.
    #[must_use]
    pub fn changed(&self, planned: Vec<Planned>, change: &CalendarChanged<'_>) -> Vec<Planned> {
        let cut = |one: Planned| shift::without(one, change.from, change.to);
        let mut all: Vec<Planned> = planned.into_iter().flat_map(cut).collect();
        for interval in &change.intervals {
            all.push(Planned {
                from: interval.from,
                to: interval.to,
                kind: interval.kind,
                name: interval.name.to_string(),
                team: interval.team.to_string(),
                day: self.production_day(interval.from),
            });
        }
        all.sort_by_key(|one| (one.from, one.to));
        all
    }

    /// Whether it says when is worked.
    #[must_use]
    pub fn has_shifts(&self) -> bool {
        !self.shifts.is_empty()
    }

    /// What is planned between two instants, by time: shifts and overtime cut where breaks lie in
    /// them, breaks, and closed days. What nothing covers is not planned to be worked. Stretches
    /// are cut at the ends of the range.
    ///
    /// Errors: [`CalendarError::Range`].
    pub fn planned(&self, from: Timestamp, to: Timestamp) -> Result<Vec<Planned>, CalendarError> {
        const DAY_NS: i64 = 86_400 * crate::time::SECOND_NS;
        let days = to.since(from) / DAY_NS;
        if to < from || days > CALENDAR_DAYS_MAX {
            return Err(CalendarError::Range { from, to });
        }
        // A shift of the day before may reach into the range, and so may one of the day after
        // when the production day begins late.
        let first = self.civil(from).yesterday().unwrap_or(civil::Date::MIN);
        let last = self.civil(to).tomorrow().unwrap_or(civil::Date::MAX);
        let mut all = Vec::new();
        for day in first
            .series(jiff::ToSpan::days(1))
            .take_while(|day| *day <= last)
        {
            if let Some(date) = Date::of(day) {
                all.extend(self.day(date));
            }
        }
        all.retain_mut(|one| {
            one.from = one.from.max(from);
            one.to = one.to.min(to);
            one.from < one.to
        });
        all.sort_by_key(|one| (one.from, one.to));
        Ok(all)
    }

    /// The stretch at an instant that is worked, or the break in it; nothing when none is.
    #[must_use]
    pub fn at(&self, at: Timestamp) -> Option<Planned> {
        let day = self.civil(at);
        let around = [day.yesterday().ok(), Some(day), day.tomorrow().ok()];
        let days = around.into_iter().flatten().filter_map(Date::of);
        let mut all = days.flat_map(|date| self.day(date));
        all.find(|one| one.from <= at && at < one.to && one.kind != IntervalKind::Closed)
    }

    /// The shift at an instant as it runs from begin to end, breaks included.
    #[must_use]
    pub fn shift_at(&self, at: Timestamp) -> Option<Planned> {
        let day = self.civil(at);
        let around = [day.yesterday().ok(), Some(day), day.tomorrow().ok()];
        let days = around.into_iter().flatten().filter_map(Date::of);
        let mut all = days.flat_map(|date| self.worked(date));
        all.find(|one| one.from <= at && at < one.to)
    }

    /// The production day of an instant, which begins at the plant's `day_start`. What a shift
    /// makes belongs to the day on which the shift began.
    #[must_use]
    pub fn production_day(&self, at: Timestamp) -> Date {
        if let Some(shift) = self.shift_at(at) {
            return shift.day;
        }
        let zoned = self.zoned(at);
        let begun = shift::minutes_of(zoned.time()) >= self.day_start.minutes();
        let day = match begun {
            true => zoned.date(),
            false => zoned.date().yesterday().unwrap_or(civil::Date::MIN),
        };
        Date::of(day).unwrap_or_default()
    }

    fn zoned(&self, at: Timestamp) -> jiff::Zoned {
        let instant = jiff::Timestamp::from_nanosecond(i128::from(at.nanos()));
        instant.unwrap_or_default().to_zoned(self.zone.clone())
    }

    fn civil(&self, at: Timestamp) -> civil::Date {
        self.zoned(at).date()
    }

    /// The exceptions of a day: those of the nearest calendar that has some.
    fn exceptions_of(&self, date: Date) -> impl Iterator<Item = &CalendarException> {
        let own = |list: &&Vec<CalendarException>| list.iter().any(|one| one.date == date);
        let nearest = self.exceptions.iter().find(own);
        nearest
            .into_iter()
            .flatten()
            .filter(move |one| one.date == date)
    }
}
