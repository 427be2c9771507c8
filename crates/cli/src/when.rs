//! Times, positions and durations as people write them.

use crate::failure::{Failure, Outcome};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use werkbuch_model::time::Timestamp;
use werkbuch_wire::pb;

/// A bound in a log: a position, or a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bound {
    Position(u64),
    Time(Timestamp),
}

/// What times look like, for a person.
const TIMES: &str = "times are 2026-11-22T06:00:00Z, now, or before now: -90s, -2h, -1d";

/// The time of this machine's clock.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}

/// A position (a plain number) or a time. Errors: the text is neither.
pub(crate) fn bound(text: &str, now: Timestamp) -> Outcome<Bound> {
    if let Ok(position) = text.parse() {
        return Ok(Bound::Position(position));
    }
    time(text, now).map(Bound::Time).map_err(|_| {
        let what = format!("\"{}\" is neither a position nor a time", clipped(text));
        Failure::usage(what).hint(format!("positions are plain numbers, such as 17; {TIMES}"))
    })
}

/// A time: RFC 3339, `now`, or before now (`-2h`). Errors: the text is none of these.
pub(crate) fn time(text: &str, now: Timestamp) -> Outcome<Timestamp> {
    if text == "now" {
        return Ok(now);
    }
    if let Some(ago) = text.strip_prefix('-') {
        let ago = duration(ago)
            .map_err(|_| Failure::usage(format!("\"{}\" is no time", clipped(text))).hint(TIMES))?;
        let ago = i64::try_from(ago.as_nanos()).unwrap_or(i64::MAX);
        return Ok(Timestamp(now.nanos().saturating_sub(ago)));
    }
    Timestamp::parse(text).map_err(|error| {
        Failure::usage(error.to_string()).hint("or relative to now: now, -90s, -2h, -1d")
    })
}

/// A duration such as `90s`, `5m`, `1h30m`, `250ms`, `2d`. Errors: the text is none.
pub(crate) fn duration(text: &str) -> Outcome<Duration> {
    let wrong = || {
        Failure::usage(format!("\"{}\" is not a duration", clipped(text)))
            .hint("write it like 90s, 5m, 1h30m, 250ms or 2d")
    };
    let mut rest = text;
    let mut total: u64 = 0;
    if rest.is_empty() {
        return Err(wrong());
    }
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, after) = rest.split_at(digits);
        let letters = after.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (unit, after) = after.split_at(letters);
        let millis = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" | "min" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return Err(wrong()),
        };
        let number: u64 = number.parse().map_err(|_| wrong())?;
        let part = number.checked_mul(millis).ok_or_else(wrong)?;
        total = total.checked_add(part).ok_or_else(wrong)?;
        rest = after;
    }
    Ok(Duration::from_millis(total))
}

/// As much of a text as fits into a message.
fn clipped(text: &str) -> String {
    text.chars().take(40).collect()
}

/// The instant of a question from `--at` and `--known`; absent for the present.
pub(crate) fn instant(at: Option<&str>, known: Option<&str>) -> Outcome<Option<pb::Instant>> {
    if at.is_none() && known.is_none() {
        return Ok(None);
    }
    let now = now();
    let known = known
        .map(|text| bound(text, now))
        .transpose()?
        .map(|bound| match bound {
            Bound::Position(position) => pb::instant::Known::KnownPosition(position),
            Bound::Time(time) => pb::instant::Known::KnownRecordedAt(time.nanos()),
        });
    let at = at
        .map(|text| time(text, now))
        .transpose()?
        .map(Timestamp::nanos);
    Ok(Some(pb::Instant { known, at }))
}

/// Nanoseconds since 1970 as shown: RFC 3339, or empty for none.
pub(crate) fn shown(nanos: Option<i64>) -> String {
    nanos
        .map(|nanos| Timestamp(nanos).to_string())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn durations_are_read() {
        for (text, millis) in [
            ("90s", 90_000),
            ("5m", 300_000),
            ("1h30m", 5_400_000),
            ("250ms", 250),
            ("2d", 172_800_000),
            ("0s", 0),
        ] {
            assert_eq!(
                duration(text).unwrap(),
                Duration::from_millis(millis),
                "{text}"
            );
        }
        for bad in [
            "",
            "5",
            "s",
            "-5s",
            "5 s",
            "5x",
            "1.5h",
            "99999999999999999999s",
            "é",
            "5sé",
        ] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn bounds_are_positions_or_times() {
        let now = Timestamp(10_000_000_000_000);
        let bound = |text| bound(text, now).unwrap();
        assert_eq!(bound("17"), Bound::Position(17));
        assert_eq!(bound("now"), Bound::Time(now));
        assert_eq!(bound("-2h"), Bound::Time(Timestamp(2_800_000_000_000)));
        assert_eq!(
            bound("1970-01-01T00:00:01Z"),
            Bound::Time(Timestamp(1_000_000_000))
        );
        for bad in ["yesterday", "-", "-2", "+2h", "1.5", ""] {
            let failure = super::bound(bad, now).unwrap_err();
            assert_eq!(
                failure.what(),
                format!("\"{bad}\" is neither a position nor a time")
            );
            let lines = failure.lines(false);
            assert!(lines.contains("such as 17; times are 2026-"), "{lines}");
        }
        let failure = time("-1", now).unwrap_err();
        assert_eq!(failure.what(), "\"-1\" is no time");
    }

    #[test]
    fn no_bound_is_the_present() {
        assert_eq!(instant(None, None).unwrap(), None);
        let instant = instant(Some("1970-01-01T00:00:01Z"), Some("9"))
            .unwrap()
            .unwrap();
        assert_eq!(instant.at, Some(1_000_000_000));
        assert_eq!(instant.known, Some(pb::instant::Known::KnownPosition(9)));
    }
}
