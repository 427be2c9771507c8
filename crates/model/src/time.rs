//! Instants of time in nanoseconds, read from and written as RFC 3339.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Nanoseconds in one second.
pub const SECOND_NS: i64 = 1_000_000_000;

/// Nanoseconds since 1970-01-01T00:00:00Z, without leap seconds: years 1677 to 2262.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

/// Why a text is not a time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    /// The text does not follow RFC 3339. Write it like `2026-11-22T06:00:00Z`.
    #[error("\"{0}\" is not a time; write it like 2026-11-22T06:00:00Z or with an offset, +01:00")]
    Syntax(String),
    /// The time is outside the years 1677 to 2262.
    #[error("the time \"{0}\" is outside the years 1677 to 2262")]
    Range(String),
}

impl Timestamp {
    /// The earliest time there is; stands for "since ever".
    pub const MIN: Timestamp = Timestamp(i64::MIN);
    /// The latest time there is.
    pub const MAX: Timestamp = Timestamp(i64::MAX);

    /// Reads RFC 3339 with an offset or `Z` and up to nine digits of a second (further digits, as
    /// some adapters write them, are cut off). Errors: [`TimeError`].
    pub fn parse(text: &str) -> Result<Self, TimeError> {
        let shown = || text.chars().take(48).collect::<String>();
        if !text.is_ascii() || text.len() > 48 {
            return Err(TimeError::Syntax(shown()));
        }
        let parsed: jiff::Timestamp = match text.parse() {
            Ok(parsed) => parsed,
            Err(_) => cut_fraction(text)
                .and_then(|cut| cut.parse().ok())
                .ok_or_else(|| TimeError::Syntax(shown()))?,
        };
        let nanos = parsed.as_nanosecond();
        i64::try_from(nanos)
            .map(Timestamp)
            .map_err(|_| TimeError::Range(shown()))
    }

    /// Nanoseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// This time later by `nanos` nanoseconds, held at the ends of the range.
    #[must_use]
    pub const fn plus(self, nanos: i64) -> Self {
        Self(self.0.saturating_add(nanos))
    }

    /// Nanoseconds from `earlier` to this time, held at the ends of the range.
    #[must_use]
    pub const fn since(self, earlier: Timestamp) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// How many seconds the clocks of a time zone (an IANA name; empty is UTC) are ahead of UTC at a
/// time. `None` when no zone has this name.
#[must_use]
pub fn utc_offset_s(zone: &str, at: Timestamp) -> Option<i32> {
    if zone.is_empty() {
        return Some(0);
    }
    let zone = jiff::tz::TimeZoneDatabase::bundled().get(zone).ok()?;
    let at = jiff::Timestamp::from_nanosecond(i128::from(at.0)).ok()?;
    Some(zone.to_offset(at).seconds())
}

/// Cuts the fraction of a second to nine digits.
fn cut_fraction(text: &str) -> Option<String> {
    let dot = text.find('.')?;
    let digits = text
        .get(dot + 1..)?
        .bytes()
        .take_while(u8::is_ascii_digit)
        .count();
    if digits <= 9 {
        return None;
    }
    Some(format!(
        "{}{}",
        text.get(..dot + 10)?,
        text.get(dot + 1 + digits..)?
    ))
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_nanosecond(i128::from(self.0)) {
            Ok(time) => f.pad(&time.to_string()),
            Err(_) => write!(f, "{} ns", self.0),
        }
    }
}

impl std::str::FromStr for Timestamp {
    type Err = TimeError;
    fn from_str(text: &str) -> Result<Self, TimeError> {
        Self::parse(text)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(d)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn reads_what_adapters_write() {
        for (text, nanos) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2016-10-31T19:11:52.390Z", 1_477_941_112_390_000_000),
            ("2022-08-08T13:51:34.7167146Z", 1_659_966_694_716_714_600),
            ("2022-08-08T13:51:34.7167146123Z", 1_659_966_694_716_714_612),
            ("2016-11-01T01:00:00+01:00", 1_477_958_400_000_000_000),
        ] {
            assert_eq!(Timestamp::parse(text).unwrap().nanos(), nanos, "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_time() {
        for text in [
            "",
            "yesterday",
            "2016-10-31",
            "2016-13-01T00:00:00Z",
            "é016-01-01T00:00:00Z",
        ] {
            assert!(
                matches!(Timestamp::parse(text), Err(TimeError::Syntax(_))),
                "{text}"
            );
        }
        assert!(matches!(
            Timestamp::parse("2500-01-01T00:00:00Z"),
            Err(TimeError::Range(_))
        ));
    }

    #[test]
    fn zones_are_ahead_of_utc_by_the_season() {
        let (winter, summer) = ("2025-01-13T12:00:00Z", "2025-07-13T12:00:00Z");
        for (zone, at, offset_s) in [
            ("Europe/Berlin", winter, Some(3_600)),
            ("Europe/Berlin", summer, Some(7_200)),
            ("America/Mexico_City", summer, Some(-21_600)),
            ("", winter, Some(0)),
            ("Europe/Atlantis", winter, None),
        ] {
            assert_eq!(
                utc_offset_s(zone, Timestamp::parse(at).unwrap()),
                offset_s,
                "{zone} {at}"
            );
        }
    }

    #[test]
    fn text_and_value_round_trip() {
        for nanos in [0, 1, -1, 1_477_941_112_390_000_000, i64::MAX, i64::MIN] {
            let shown = Timestamp(nanos).to_string();
            assert_eq!(
                Timestamp::parse(&shown).unwrap(),
                Timestamp(nanos),
                "{shown}"
            );
        }
    }
}
