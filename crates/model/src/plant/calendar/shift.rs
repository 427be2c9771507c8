//! The shifts, breaks and closed hours of one production day.

use super::{Planned, Timetable};
use crate::event::IntervalKind;
use crate::plant::spec::*;
use crate::time::Timestamp;
use jiff::civil;

/// Minutes in a day of 24 hours.
const DAY: u32 = 24 * 60;

/// Minutes after midnight.
pub(super) fn minutes_of(time: civil::Time) -> u32 {
    let part = |value: i8| u32::try_from(value).unwrap_or(0);
    part(time.hour()) * 60 + part(time.minute())
}

impl Timetable {
    /// All of a production day, in no order.
    pub(super) fn day(&self, date: Date) -> Vec<Planned> {
        let worked = self.worked(date);
        let mut closed = self.closed(date);
        for shift in &worked {
            let cut = |one: Planned| without(one, shift.from, shift.to);
            closed = closed.into_iter().flat_map(cut).collect();
        }
        let breaks = worked.into_iter().flat_map(|shift| self.with_breaks(shift));
        closed.extend(breaks);
        closed
    }

    /// The shifts and overtime that begin on a production day, without breaks, cut where it is
    /// closed. A shift belongs to the day before when it begins before `day_start`.
    pub(super) fn worked(&self, date: Date) -> Vec<Planned> {
        let mut all = Vec::new();
        for shift in &self.shifts {
            let begins = self.begin_of(date, shift.from);
            if shift.days.has(weekday(begins)) {
                let (kind, span) = (IntervalKind::Shift, (shift.from, shift.to));
                all.extend(self.stretch(date, kind, span, &shift.name, &shift.team));
            }
        }
        for one in self.exceptions_of(date) {
            let kind = match one.exception_kind {
                ExceptionKind::Shift => IntervalKind::Shift,
                ExceptionKind::Overtime => IntervalKind::Overtime,
                ExceptionKind::Unspecified | ExceptionKind::Closed => continue,
            };
            let (Some(from), Some(to)) = (one.from, one.to) else {
                continue;
            };
            let name = match one.name.as_str() {
                "" => kind.name().to_ascii_lowercase(),
                name => name.to_owned(),
            };
            // What is said for one day beats what the week says.
            let added = self.stretch(date, kind, (from, to), &name, "");
            if let Some(new) = &added {
                let cut = |old: Planned| without(old, new.from, new.to);
                all = all.into_iter().flat_map(cut).collect();
            }
            all.extend(added);
        }
        for closed in self.closed(date) {
            let is_extra = |one: &Planned| self.is_exception(date, one);
            let cut = |old: Planned| match is_extra(&old) {
                true => vec![old],
                false => without(old, closed.from, closed.to),
            };
            all = all.into_iter().flat_map(cut).collect();
        }
        all
    }

    /// Whether a stretch was added for this day, so that a closed day does not close it.
    fn is_exception(&self, date: Date, one: &Planned) -> bool {
        let adds = |exception: &&CalendarException| {
            !matches!(
                exception.exception_kind,
                ExceptionKind::Closed | ExceptionKind::Unspecified
            )
        };
        self.exceptions_of(date).filter(adds).any(|exception| {
            let (from, to) = (exception.from, exception.to);
            let span = from
                .zip(to)
                .and_then(|(from, to)| self.span(date, from, to));
            span.is_some_and(|(from, to)| from <= one.from && one.to <= to)
        })
    }

    /// The hours of a production day that are closed: all of it, or from one time to another.
    fn closed(&self, date: Date) -> Vec<Planned> {
        let mut all = Vec::new();
        for one in self.exceptions_of(date) {
            if one.exception_kind == ExceptionKind::Closed {
                let start = self.day_start;
                let span = one.from.zip(one.to).unwrap_or((start, start));
                let name = match one.name.as_str() {
                    "" => "closed",
                    name => name,
                };
                // A closed day lasts as long as its shifts do, also beyond the next day's start.
                let stretch = self.stretch(date, IntervalKind::Closed, span, name, "");
                all.extend(stretch.map(|closed| self.with_last_shift(date, one, closed)));
            }
        }
        all
    }

    fn with_last_shift(
        &self,
        date: Date,
        exception: &CalendarException,
        mut closed: Planned,
    ) -> Planned {
        if exception.from.is_none() {
            for shift in &self.shifts {
                let begins = self.begin_of(date, shift.from);
                let span = self.span(date, shift.from, shift.to);
                if let Some((_, to)) = span.filter(|_| shift.days.has(weekday(begins))) {
                    closed.to = closed.to.max(to);
                }
            }
        }
        closed
    }

    fn with_breaks(&self, shift: Planned) -> Vec<Planned> {
        let mut parts = vec![shift.clone()];
        let mut pauses: Vec<Planned> = Vec::new();
        for one in &self.breaks {
            if !one.shift.is_empty() && one.shift != shift.name {
                continue;
            }
            let end = TimeOfDay(one.at.minutes().saturating_add(one.minutes) % DAY);
            // The break is on the day of the shift's begin, or on the one after.
            let next = shift.day.0.saturating_add(1);
            let days = [
                shift.day.0.saturating_sub(1),
                shift.day.0,
                next,
                next.saturating_add(1),
            ];
            for day in days {
                let Some((from, to)) = self.clock_span(Date(day), one.at, end) else {
                    continue;
                };
                let (from, to) = (from.max(shift.from), to.min(shift.to));
                let met = |pause: &Planned| pause.from < to && from < pause.to;
                if from < to && !pauses.iter().any(met) {
                    parts = parts
                        .into_iter()
                        .flat_map(|part| without(part, from, to))
                        .collect();
                    pauses.push(Planned {
                        from,
                        to,
                        kind: IntervalKind::Break,
                        ..shift.clone()
                    });
                }
            }
        }
        parts.extend(pauses);
        parts
    }

    fn stretch(
        &self,
        date: Date,
        kind: IntervalKind,
        (from, to): (TimeOfDay, TimeOfDay),
        name: &str,
        team: &str,
    ) -> Option<Planned> {
        let (from, to) = self.span(date, from, to)?;
        Some(Planned {
            from,
            to,
            kind,
            name: name.to_owned(),
            team: team.to_owned(),
            day: date,
        })
    }

    /// The calendar day on which a time of a production day lies: what is before the day's start
    /// comes after midnight.
    fn begin_of(&self, date: Date, from: TimeOfDay) -> civil::Date {
        let day = date.day();
        match from < self.day_start {
            true => day.tomorrow().unwrap_or(day),
            false => day,
        }
    }

    /// From one time of a production day to another, which lies on the next day when it is not
    /// later.
    fn span(&self, date: Date, from: TimeOfDay, to: TimeOfDay) -> Option<(Timestamp, Timestamp)> {
        let begin = Date::of(self.begin_of(date, from))?;
        self.clock_span(begin, from, to)
    }

    /// The same, for a calendar day.
    fn clock_span(
        &self,
        date: Date,
        from: TimeOfDay,
        to: TimeOfDay,
    ) -> Option<(Timestamp, Timestamp)> {
        let day = date.day();
        let end_day = match to > from {
            true => day,
            false => day.tomorrow().ok()?,
        };
        Some((self.instant(day, from)?, self.instant(end_day, to)?))
    }

    /// The instant at which the plant's clocks show a time. One that the change to summer time
    /// skips is when they jump; of two that the change back gives, the first.
    fn instant(&self, day: civil::Date, time: TimeOfDay) -> Option<Timestamp> {
        let minutes = time.minutes() % DAY;
        let hour = i8::try_from(minutes / 60).ok()?;
        let minute = i8::try_from(minutes % 60).ok()?;
        let shown = day.at(hour, minute, 0, 0);
        let zoned = self.zone.to_ambiguous_zoned(shown);
        let zoned = zoned.compatible().ok()?;
        i64::try_from(zoned.timestamp().as_nanosecond())
            .ok()
            .map(Timestamp)
    }
}

/// 0 is Monday.
fn weekday(day: civil::Date) -> u32 {
    u32::try_from(day.weekday().to_monday_zero_offset()).unwrap_or(0)
}

/// What is left of a stretch when a hole is cut into it.
pub(super) fn without(one: Planned, from: Timestamp, to: Timestamp) -> Vec<Planned> {
    if to <= one.from || one.to <= from {
        return vec![one];
    }
    let before = Planned {
        to: from.min(one.to),
        ..one.clone()
    };
    let after = Planned {
        from: to.max(one.from),
        ..one
    };
    [before, after]
        .into_iter()
        .filter(|part| part.from < part.to)
        .collect()
}
