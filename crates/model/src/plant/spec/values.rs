//! The small values of a description: decimal numbers, weekdays, times of day and dates.

use jiff::civil;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A decimal number from 0 up with at most six digits after the point, kept exactly in millionths.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Decimal(pub u64);

impl Decimal {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// One, or all of a share.
    pub const ONE: Self = Self(1_000_000);

    /// The number in millionths.
    #[must_use]
    pub const fn millionths(self) -> u64 {
        self.0
    }

    /// The number as a float, for calculations that are not kept.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "beyond 2^53 millionths nobody asks for millionths"
    )]
    pub fn as_f64(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// Reads digits with or without a point: `0.35`, `12`. `None` for anything else: signs,
    /// exponents, more than six digits after the point, and numbers that do not fit.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || fraction.len() > 6 || !digits(whole) || !digits(fraction) {
            return None;
        }
        if text.contains('.') && fraction.is_empty() {
            return None;
        }
        let whole: u64 = whole.parse().ok()?;
        let fraction: u64 = format!("{fraction:0<6}").parse().ok()?;
        whole
            .checked_mul(1_000_000)?
            .checked_add(fraction)
            .map(Self)
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.0 / 1_000_000, self.0 % 1_000_000);
        let fraction = format!("{rest:06}");
        match fraction.trim_end_matches('0') {
            "" => write!(f, "{whole}"),
            fraction => write!(f, "{whole}.{fraction}"),
        }
    }
}

/// Days of the week as bits: 1 Monday, 2 Tuesday, up to 64 Sunday.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Days(pub u32);

/// The names of the days as files write them, from Monday.
pub const DAY_NAMES: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

impl Days {
    /// Every day.
    pub const ALL: Self = Self(0x7f);

    /// The days with these names.
    #[must_use]
    pub fn of(names: &[&str]) -> Self {
        let bits = names.iter().filter_map(|name| Self::named(name));
        Self(bits.fold(0, |all, day| all | day.0))
    }

    /// One day by its name, short or in full, in any case of letters.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        const FULL: [&str; 7] = [
            "monday",
            "tuesday",
            "wednesday",
            "thursday",
            "friday",
            "saturday",
            "sunday",
        ];
        let name = name.trim().to_ascii_lowercase();
        let mut all = DAY_NAMES.iter().zip(FULL);
        let at = all.position(|(short, full)| *short == name || full == name)?;
        Some(Self(1 << at))
    }

    /// Whether the day is among them; 0 is Monday.
    #[must_use]
    pub const fn has(self, day: u32) -> bool {
        day < 7 && self.0 & (1 << day) != 0
    }

    /// The names of the days, from Monday.
    #[must_use]
    pub fn names(self) -> Vec<&'static str> {
        let all = DAY_NAMES.iter().zip(0..);
        all.filter(|(_, day)| self.has(*day))
            .map(|(name, _)| *name)
            .collect()
    }
}

impl fmt::Display for Days {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.names().join(" "))
    }
}

/// A time of day in minutes after midnight, by the plant's clocks.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct TimeOfDay(pub u32);

impl TimeOfDay {
    /// This hour and minute. `None` beyond 23:59.
    #[must_use]
    pub const fn new(hour: u32, minute: u32) -> Option<Self> {
        if hour < 24 && minute < 60 {
            Some(Self(hour * 60 + minute))
        } else {
            None
        }
    }

    /// Reads `06:00`; `24:00` is midnight. `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text == "24:00" {
            return Some(Self(0));
        }
        let (hour, minute) = text.split_once(':')?;
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(hour) || !digits(minute) || hour.len() > 2 || minute.len() != 2 {
            return None;
        }
        Self::new(hour.parse().ok()?, minute.parse().ok()?)
    }

    /// Minutes after midnight.
    #[must_use]
    pub const fn minutes(self) -> u32 {
        self.0
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

/// A day, counted from 1970-01-01.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Date(pub u32);

const FIRST: civil::Date = civil::date(1970, 1, 1);

impl Date {
    /// Reads `2026-12-24`. `None` for what is no day, or one before 1970.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        // The parser would also take a time of day and a zone.
        if text.len() != 10 {
            return None;
        }
        Self::of(text.parse().ok()?)
    }

    /// The day of a calendar day. `None` before 1970.
    #[must_use]
    pub fn of(day: civil::Date) -> Option<Self> {
        let days = FIRST.until(day).ok()?.get_days();
        u32::try_from(days).ok().map(Self)
    }

    /// The calendar day; the last one there is for a number beyond all days.
    #[must_use]
    pub fn day(self) -> civil::Date {
        let span = jiff::Span::new().try_days(i64::from(self.0));
        let day = span.and_then(|span| FIRST.checked_add(span));
        day.unwrap_or(civil::Date::MAX)
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.day())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn decimals_are_read_exactly_or_not_at_all() {
        for (text, millionths) in [
            ("0", Some(0)),
            ("1", Some(1_000_000)),
            ("0.35", Some(350_000)),
            ("12.000001", Some(12_000_001)),
            ("18446744073709.551615", Some(u64::MAX)),
            ("18446744073709.551616", None),
            ("0.0000001", None),
            ("1.", None),
            (".5", None),
            ("-1", None),
            ("+1", None),
            ("1e3", None),
            ("", None),
            ("NaN", None),
        ] {
            assert_eq!(
                Decimal::parse(text).map(Decimal::millionths),
                millionths,
                "{text}"
            );
        }
    }

    #[test]
    fn days_times_and_dates_are_read() {
        assert_eq!(Days::named("Mon"), Some(Days(1)));
        assert_eq!(Days::named("SUNDAY"), Some(Days(64)));
        assert_eq!(Days::named("son"), None);
        assert_eq!(Days::of(&["sun", "tue"]).to_string(), "tue sun");
        assert!(Days::ALL.has(6) && !Days::ALL.has(7) && !Days::ALL.has(40));
        for (text, minutes) in [
            ("06:00", Some(360)),
            ("6:00", Some(360)),
            ("23:59", Some(1439)),
            ("24:00", Some(0)),
            ("24:01", None),
            ("12:60", None),
            ("12", None),
            ("1:2", None),
            ("+1:20", None),
        ] {
            assert_eq!(
                TimeOfDay::parse(text).map(TimeOfDay::minutes),
                minutes,
                "{text}"
            );
        }
        assert_eq!(TimeOfDay(1439).to_string(), "23:59");
        assert_eq!(Date::parse("1970-01-02"), Some(Date(1)));
        assert_eq!(Date::parse("2026-11-22").unwrap().to_string(), "2026-11-22");
        for text in [
            "1969-12-31",
            "2026-02-30",
            "2026-11-22T00:00",
            "22.11.2026",
            "",
        ] {
            assert_eq!(Date::parse(text), None, "{text}");
        }
        assert_eq!(Date(u32::MAX).day(), civil::Date::MAX);
    }

    proptest! {
        #[test]
        fn decimals_read_back(millionths in any::<u64>()) {
            let decimal = Decimal(millionths);
            prop_assert_eq!(Decimal::parse(&decimal.to_string()), Some(decimal));
        }

        #[test]
        fn dates_read_back(days in 0..2_900_000_u32) {
            let date = Date(days);
            prop_assert_eq!(Date::parse(&date.to_string()), Some(date));
        }
    }
}
