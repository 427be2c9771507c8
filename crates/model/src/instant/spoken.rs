//! Times as people write them: absolute, before now, by the clocks of a plant, by its shifts.

use super::error::{InstantError, cut};
use super::shift::ShiftName;
use crate::plant::{Date, Days};
use crate::time::{SECOND_NS, TimeError, Timestamp};
use jiff::civil;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone, TimeZoneDatabase};

/// What times look like, for a person.
pub const FORMS: &str = "times are 2026-11-22T06:00:00Z or with an offset, now, -90s, -2h, -1h30m, -2d; \
    by the plant's clocks: 2026-11-22 06:00, 06:00, yesterday 06:00, monday 06:00; its shifts: \
    shift:night@2026-11-21, shift:night@yesterday..end, shift";

/// A day as people name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Day {
    /// A day of the calendar.
    Date(civil::Date),
    /// So many days before the present one.
    Ago(u32),
    /// The last such day of the week, today's included; 0 is Monday.
    Weekday(u32),
}

/// A time as it was written, before it is known when and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Spoken {
    /// A time that is the same everywhere.
    Absolute(Timestamp),
    /// So many nanoseconds before now.
    Ago(i64),
    /// What clocks show on a day.
    Clock {
        /// The day.
        day: Day,
        /// The time of day.
        time: civil::Time,
        /// The time zone, where the text names one.
        zone: Option<String>,
        /// The text itself, for messages.
        text: String,
    },
    /// The begin or end of a shift.
    Shift(ShiftName),
}

impl Spoken {
    /// Reads one of the [`FORMS`]. Letters may be of either case.
    ///
    /// # Errors
    ///
    /// [`InstantError::Syntax`], [`InstantError::Range`]; [`InstantError::Zone`] where a zone is named.
    pub fn read(text: &str) -> Result<Self, InstantError> {
        let wrong = || InstantError::Syntax(cut(text));
        let said = text.trim();
        if said.is_empty() || said.len() > 200 {
            return Err(wrong());
        }
        let lower = said.to_ascii_lowercase();
        if lower == "now" {
            return Ok(Self::Ago(0));
        }
        if let Some(ago) = lower.strip_prefix('-') {
            return duration_ns(ago).map(Self::Ago).ok_or_else(wrong);
        }
        let shift = ["shift:", "shift.."]
            .iter()
            .any(|begin| lower.starts_with(begin));
        if shift || lower == "shift" {
            // Names of shifts have letters of both cases.
            let rest = said.get(5..).unwrap_or_default();
            return ShiftName::read(said, rest)
                .map(Self::Shift)
                .ok_or_else(wrong);
        }
        match Timestamp::parse(said) {
            Ok(time) => return Ok(Self::Absolute(time)),
            Err(TimeError::Range(_)) => return Err(InstantError::Range(cut(said))),
            Err(TimeError::Syntax(_)) => {}
        }
        clock(said).unwrap_or_else(|| Err(wrong()))
    }

    /// The instant that is meant, by the clocks of `zone` (an IANA name; empty is UTC) where the text
    /// names none.
    ///
    /// # Errors
    ///
    /// [`InstantError::Twice`] and [`InstantError::Skipped`] around the changes of the clocks,
    /// [`InstantError::Zone`], [`InstantError::Range`]; [`InstantError::ShiftOfMany`] for a shift,
    /// which [`ShiftName::find`] knows how to find.
    pub fn time(&self, now: Timestamp, zone: &str) -> Result<Timestamp, InstantError> {
        match self {
            Self::Absolute(time) => Ok(*time),
            Self::Ago(nanos) => Ok(now.plus(nanos.saturating_neg())),
            Self::Shift(shift) => Err(InstantError::ShiftOfMany(cut(&shift.text))),
            Self::Clock {
                day,
                time,
                zone: own,
                text,
            } => {
                let name = own.as_deref().unwrap_or(zone);
                let clocks = zone_of(name)?;
                let date = day.date(now, &clocks);
                let shown = shown(date.to_datetime(*time), &clocks, name, text);
                match (day, shown) {
                    // Today at a time still to come is that of a week ago.
                    (Day::Weekday(_), Ok(found)) if found > now => {
                        let before = date.saturating_sub(jiff::Span::new().days(7));
                        self::shown(before.to_datetime(*time), &clocks, name, text)
                    }
                    (_, shown) => shown,
                }
            }
        }
    }

    /// Whether it takes the clocks of a place to know when it is.
    #[must_use]
    pub fn is_local(&self) -> bool {
        matches!(self, Self::Clock { zone: None, .. } | Self::Shift(_))
    }
}

impl Day {
    /// The day of the calendar, by these clocks.
    fn date(self, now: Timestamp, zone: &TimeZone) -> civil::Date {
        let today = jiff::Timestamp::from_nanosecond(i128::from(now.nanos()))
            .unwrap_or_default()
            .to_zoned(zone.clone())
            .date();
        self.seen_from(today)
    }

    /// The day of the calendar, seen from today.
    #[must_use]
    pub fn seen_from(self, today: civil::Date) -> civil::Date {
        let back = |days: u32| today.saturating_sub(jiff::Span::new().days(days));
        match self {
            Self::Date(date) => date,
            Self::Ago(days) => back(days),
            Self::Weekday(day) => {
                let now = today.weekday().to_monday_zero_offset();
                back((u32::try_from(now).unwrap_or(0) + 7 - day % 7) % 7)
            }
        }
    }

    /// Reads `2026-11-21`, `today`, `yesterday`, `monday` or `mon`. `None` for anything else.
    pub(super) fn read(text: &str) -> Option<Self> {
        match text.to_ascii_lowercase().as_str() {
            "today" => Some(Self::Ago(0)),
            "yesterday" => Some(Self::Ago(1)),
            // The parser of dates would also take a time of day.
            date if date.len() == 10 && date.starts_with(|one: char| one.is_ascii_digit()) => {
                date.parse().ok().map(Self::Date)
            }
            day => {
                let named = Days::named(day)?;
                (0..7).find(|day| named.has(*day)).map(Self::Weekday)
            }
        }
    }
}

/// A day, a time of day, or both, with a zone or without; none when it is nothing of that.
fn clock(text: &str) -> Option<Result<Spoken, InstantError>> {
    let (said, zone) = match text.strip_suffix(']').and_then(|text| text.split_once('[')) {
        Some((said, zone)) => (said.trim_end(), Some(zone)),
        None => match text.rsplit_once(' ') {
            Some((said, zone)) if zone.contains('/') || zone.eq_ignore_ascii_case("utc") => {
                (said.trim_end(), Some(zone))
            }
            _ => (text, None),
        },
    };
    let dated = said.starts_with(|one: char| one.is_ascii_digit());
    let parts = match dated {
        true => said.split_once([' ', 'T', 't']),
        false => said.split_once(' '),
    };
    let (day, time) = match parts {
        Some((day, time)) => (day, time.trim_start()),
        None if Day::read(said).is_some() => (said, ""),
        None => ("today", said),
    };
    if parts.is_some() && time.is_empty() {
        return None;
    }
    let (day, time) = (Day::read(day)?, time_of_day(time)?);
    if let Some(zone) = zone
        && let Err(error) = zone_of(zone)
    {
        return Some(Err(error));
    }
    Some(Ok(Spoken::Clock {
        day,
        time,
        zone: zone.map(str::to_owned),
        text: cut(text),
    }))
}

/// `06:00`, `06:00:30` or with a fraction; nothing is the begin of the day.
fn time_of_day(text: &str) -> Option<civil::Time> {
    if text.is_empty() {
        return Some(civil::Time::MIN);
    }
    let (hour, rest) = text.split_once(':')?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (minute, second) = rest.split_once(':').unwrap_or((rest, "0"));
    let whole = second
        .split_once('.')
        .map_or(Some(second), |(whole, part)| {
            (digits(part) && part.len() <= 9).then_some(whole)
        })?;
    if !(digits(hour) && digits(minute) && digits(whole)) || hour.len() > 2 || minute.len() != 2 {
        return None;
    }
    let fraction = second.split_once('.').map_or("", |(_, part)| part);
    let nanos: i32 = format!("{fraction:0<9}").parse().ok()?;
    let part = |text: &str| text.parse::<i8>().ok();
    // A second that is there has two digits; 60 is none, as clocks do not show leap seconds here.
    if rest.contains(':') && whole.len() != 2 {
        return None;
    }
    civil::Time::new(part(hour)?, part(minute)?, part(whole)?, nanos).ok()
}

/// The instant at which clocks show a time.
fn shown(
    at: civil::DateTime,
    zone: &TimeZone,
    name: &str,
    text: &str,
) -> Result<Timestamp, InstantError> {
    let name = || if name.is_empty() { "UTC" } else { name }.to_owned();
    let instant = |offset: Offset| {
        let time = offset.to_timestamp(at).ok();
        let nanos = time.and_then(|time| i64::try_from(time.as_nanosecond()).ok());
        nanos
            .map(Timestamp)
            .ok_or_else(|| InstantError::Range(cut(text)))
    };
    let written = |offset: Offset| {
        let time = offset
            .to_timestamp(at)
            .map(|time| time.to_zoned(zone.clone()));
        time.map(|time| time.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string())
            .map_err(|_| InstantError::Range(cut(text)))
    };
    match zone.to_ambiguous_timestamp(at).offset() {
        AmbiguousOffset::Unambiguous { offset } => instant(offset),
        AmbiguousOffset::Fold { before, after } => Err(InstantError::Twice {
            text: text.to_owned(),
            zone: name(),
            first: written(before)?,
            second: written(after)?,
        }),
        AmbiguousOffset::Gap { before, after } => Err(InstantError::Skipped {
            text: text.to_owned(),
            zone: name(),
            before: written(after)?,
            after: written(before)?,
        }),
    }
}

fn zone_of(name: &str) -> Result<TimeZone, InstantError> {
    if name.is_empty() {
        return Ok(TimeZone::UTC);
    }
    let zone = TimeZoneDatabase::bundled().get(name);
    zone.map_err(|_| InstantError::Zone(cut(name)))
}

/// Checks that a time zone of this name (an IANA name; empty is UTC) is known.
///
/// # Errors
///
/// [`InstantError::Zone`].
pub fn known_zone(name: &str) -> Result<(), InstantError> {
    zone_of(name).map(drop)
}

/// The nanoseconds of a duration such as `90s`, `5m`, `90min`, `1h30m`, `250ms`, `2d` or `1w`; a day is
/// 24 hours. `None` for anything else, and for more than 292 years.
#[must_use]
pub fn duration_ns(text: &str) -> Option<i64> {
    let mut rest = text;
    let mut total = 0_i64;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, after) = rest.split_at(digits);
        let letters = after.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (unit, after) = after.split_at(letters);
        let nanos = match unit {
            "ms" => SECOND_NS / 1_000,
            "s" | "sec" => SECOND_NS,
            "m" | "min" => 60 * SECOND_NS,
            "h" => 3_600 * SECOND_NS,
            "d" => 86_400 * SECOND_NS,
            "w" => 7 * 86_400 * SECOND_NS,
            _ => return None,
        };
        let number: i64 = number.parse().ok()?;
        total = total.checked_add(number.checked_mul(nanos)?)?;
        rest = after;
    }
    Some(total)
}

/// The production day of a day of the calendar. `None` before 1970.
pub(super) fn production(day: civil::Date) -> Option<Date> {
    Date::of(day)
}
