//! Shifts as instants: `shift:night@2026-11-21`, found in the calendar that holds.

use super::error::{InstantError, cut};
use super::spoken::{Day, production};
use crate::event::{CalendarChanged, IntervalKind};
use crate::nearest::did_you_mean;
use crate::plant::{Date, Planned, Timetable};
use crate::time::{SECOND_NS, Timestamp};
use std::collections::BTreeSet;

const DAY_NS: i64 = 86_400 * SECOND_NS;
/// How many days around the one asked for are looked at, for the names of shifts and the nearest day.
const AROUND_DAYS: i64 = 8;

/// The begin or end of a shift, as it was written: `shift:NAME[/UNIT][@DAY][..end]`, or `shift` for the
/// one that is worked now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShiftName {
    /// The shift's name; absent for the one that is worked now.
    pub name: Option<String>,
    /// The unit or machine whose calendar it is of; absent for the plant's.
    pub unit: Option<String>,
    /// The production day; absent for the last one on which the shift has begun.
    pub day: Option<Day>,
    /// Whether its end is meant.
    pub end: bool,
    /// The text itself, for messages.
    pub text: String,
}

impl ShiftName {
    /// Reads what comes after the word `shift`. `None` when it is no name of a shift.
    pub(super) fn read(text: &str, rest: &str) -> Option<Self> {
        let (rest, end) = match rest.strip_suffix("..end") {
            Some(rest) => (rest, true),
            None => (rest.strip_suffix("..begin").unwrap_or(rest), false),
        };
        let mut shift = Self {
            name: None,
            unit: None,
            day: None,
            end,
            text: cut(text),
        };
        if rest.is_empty() {
            return Some(shift);
        }
        let rest = rest.strip_prefix(':')?;
        let (rest, day) = match rest.rsplit_once('@') {
            Some((rest, day)) => (rest, Some(Day::read(day)?)),
            None => (rest, None),
        };
        let (name, unit) = match rest.split_once('/') {
            Some((name, unit)) if !unit.is_empty() => (name, Some(unit.to_owned())),
            Some(_) => return None,
            None => (rest, None),
        };
        if name.is_empty() {
            return None;
        }
        shift.name = Some(name.to_owned());
        (shift.unit, shift.day) = (unit, day);
        Some(shift)
    }

    /// The instant that is meant, in the calendar of its unit with the changes laid over it that
    /// sources reported, in their order in plant time.
    ///
    /// # Errors
    ///
    /// [`InstantError::UnknownShift`], [`InstantError::NotOnDay`] and [`InstantError::NoShiftNow`], each
    /// with the nearest that there is; [`InstantError::Calendar`].
    pub fn find(
        &self,
        now: Timestamp,
        table: &Timetable,
        changes: &[CalendarChanged<'_>],
    ) -> Result<Timestamp, InstantError> {
        let today = table.production_day(now);
        let day = self.day.map(|day| day.seen_from(today.day()));
        let day = match day {
            Some(day) => {
                Some(production(day).ok_or_else(|| InstantError::Range(self.text.clone()))?)
            }
            None => None,
        };
        let middle = Timestamp(i64::from(day.unwrap_or(today).0).saturating_mul(DAY_NS));
        let (from, to) = (
            middle.plus(-AROUND_DAYS * DAY_NS),
            middle.plus((AROUND_DAYS + 1) * DAY_NS),
        );
        let mut planned = table.planned(from, to)?;
        for change in changes.iter().filter(|one| one.from < to && from < one.to) {
            planned = table.changed(planned, change);
        }
        let shifts = whole(&planned);
        let found = match (&self.name, day) {
            (None, _) => shifts
                .iter()
                .find(|one| one.from <= now && now < one.to)
                .ok_or_else(|| InstantError::NoShiftNow(table.shown(now)))?,
            (Some(name), day) => {
                self.check_name(name, &shifts)?;
                let of_name = |one: &&Worked| one.name == *name;
                let fits = |one: &&Worked| match day {
                    Some(day) => one.day == day,
                    None => one.from <= now,
                };
                let mut all = shifts.iter().filter(of_name).filter(fits);
                match day {
                    Some(_) => all.next(),
                    None => all.max_by_key(|one| one.from),
                }
                .ok_or_else(|| not_on(name, day.unwrap_or(today), &shifts))?
            }
        };
        Ok(if self.end { found.to } else { found.from })
    }

    /// Noon in UTC of the production day that is named, seen from the day that the table has now; absent
    /// where none is named, or none that can be.
    #[must_use]
    pub fn noon(&self, now: Timestamp, table: &Timetable) -> Option<Timestamp> {
        let day = self.day?.seen_from(table.production_day(now).day());
        let begin = i64::from(production(day)?.0).checked_mul(DAY_NS)?;
        Some(Timestamp(begin).plus(DAY_NS / 2))
    }

    fn check_name(&self, name: &str, shifts: &[Worked]) -> Result<(), InstantError> {
        let names: BTreeSet<&str> = shifts.iter().map(|one| one.name.as_str()).collect();
        if names.contains(name) {
            return Ok(());
        }
        let near =
            did_you_mean(name, names.iter().copied()).unwrap_or_else(|| match names.is_empty() {
                true => "it plans none around that day".to_owned(),
                false => {
                    let names: Vec<&str> = names.into_iter().collect();
                    format!("there are {}", names.join(", "))
                }
            });
        let of = match &self.unit {
            Some(unit) => format!("the calendar of \"{}\"", cut(unit)),
            None => "the calendar of the plant".to_owned(),
        };
        Err(InstantError::UnknownShift {
            of,
            name: cut(name),
            near,
        })
    }
}

/// A shift from its begin to its end, breaks included.
struct Worked {
    name: String,
    day: Date,
    from: Timestamp,
    to: Timestamp,
}

/// The shifts of a plan, which breaks have cut.
fn whole(planned: &[Planned]) -> Vec<Worked> {
    let mut all: Vec<Worked> = Vec::new();
    let is_shift = |one: &&Planned| one.is_worked() || one.kind == IntervalKind::Break;
    for one in planned.iter().filter(is_shift) {
        match all
            .iter_mut()
            .find(|met| met.day == one.day && met.name == one.name)
        {
            Some(met) => {
                met.from = met.from.min(one.from);
                met.to = met.to.max(one.to);
            }
            None => all.push(Worked {
                name: one.name.clone(),
                day: one.day,
                from: one.from,
                to: one.to,
            }),
        }
    }
    all.sort_by_key(|one| one.from);
    all
}

fn not_on(name: &str, day: Date, shifts: &[Worked]) -> InstantError {
    let days = shifts.iter().filter(|one| one.name == name);
    let nearest = days.min_by_key(|one| (one.day.0.abs_diff(day.0), one.day));
    InstantError::NotOnDay {
        name: cut(name),
        day: day.to_string(),
        near: match nearest {
            Some(one) => format!("the nearest is shift:{name}@{}", one.day),
            None => "none is planned around that day".to_owned(),
        },
    }
}
