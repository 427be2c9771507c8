//! Times, positions and durations as people write them.

use crate::Context;
use crate::command::Instant;
use crate::failure::{Failure, Outcome};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use werkbuch_model::instant::{FORMS, InstantError, Spoken, duration_ns};
use werkbuch_model::time::Timestamp;
use werkbuch_wire::{name, pb};

/// A bound in a log: a position, or a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bound {
    Position(u64),
    Time(Timestamp),
}

/// The time of this machine's clock.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}

/// Where times are asked about: by whose clocks and shifts they are read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clocks<'c> {
    pub(crate) context: &'c Context,
    /// The plant; absent when there is none, or more than one.
    pub(crate) plant: Option<&'c str>,
    /// What the question may know: then shifts are those of the calendar as it was known.
    pub(crate) instant: Option<&'c Instant>,
}

impl<'c> Clocks<'c> {
    /// For a question that may know no more than this.
    pub(crate) fn known(self, instant: &'c Instant) -> Self {
        Self {
            instant: Some(instant),
            ..self
        }
    }

    /// A position (a plain number) or a time. Errors: the text is neither.
    pub(crate) async fn bound(self, text: &str) -> Outcome<Bound> {
        if let Ok(position) = text.trim().parse() {
            return Ok(Bound::Position(position));
        }
        match self.time(text).await {
            Ok(time) => Ok(Bound::Time(time)),
            Err(_) if Spoken::read(text).is_err() => {
                let what = format!("\"{}\" is neither a position nor a time", clipped(text));
                let hint = format!("positions are plain numbers, such as 17; {FORMS}");
                Err(Failure::usage(what).hint(hint))
            }
            Err(failure) => Err(failure),
        }
    }

    /// A time in one of the forms. What the clocks or shifts of a plant say is asked of the server.
    /// Errors: the text is none; it is by the clocks of a plant, and there is not one.
    pub(crate) async fn time(self, text: &str) -> Outcome<Timestamp> {
        let spoken = Spoken::read(text).map_err(unreadable)?;
        let zone = self.context.tz.as_deref();
        match (&spoken, zone, self.plant) {
            (Spoken::Shift(_), _, Some(plant)) => self.asked(plant, text).await,
            (spoken, None, Some(plant)) if spoken.is_local() => self.asked(plant, text).await,
            (spoken, None, None) if spoken.is_local() => {
                let what = format!("\"{}\" is by the clocks of a plant", clipped(text));
                let hint = "name the plant, or a time zone (--tz Europe/Berlin), or write the time with \
                            its offset";
                Err(Failure::usage(what).hint(hint))
            }
            (spoken, zone, _) => spoken
                .time(now(), zone.unwrap_or_default())
                .map_err(unreadable),
        }
    }

    /// The same, where there may be none.
    pub(crate) async fn bound_if_any(self, text: Option<&str>) -> Outcome<Option<Bound>> {
        match text {
            Some(text) => self.bound(text).await.map(Some),
            None => Ok(None),
        }
    }

    /// A time, where there may be none.
    pub(crate) async fn time_if_any(self, text: Option<&str>) -> Outcome<Option<Timestamp>> {
        match text {
            Some(text) => self.time(text).await.map(Some),
            None => Ok(None),
        }
    }

    async fn asked(self, plant: &str, text: &str) -> Outcome<Timestamp> {
        let request = pb::ResolveTimesRequest {
            parent: name::of_plant(plant),
            texts: vec![text.to_owned()],
            time_zone: self.context.tz.clone().unwrap_or_default(),
            known_text: match self.instant {
                Some(instant) => instant.known_text()?.unwrap_or_default(),
                None => String::new(),
            },
        };
        let client = self.context.client().await?;
        let answer = client.twin().resolve_times(request).await?.into_inner();
        Ok(Timestamp(answer.times.first().copied().unwrap_or_default()))
    }
}

fn unreadable(error: InstantError) -> Failure {
    match error {
        InstantError::Syntax(text) => {
            Failure::usage(format!("\"{}\" is no time", clipped(&text))).hint(FORMS)
        }
        error => Failure::usage(error.to_string()),
    }
}

/// A duration such as `90s`, `5m`, `1h30m`, `250ms`, `2d`. Errors: the text is none.
pub(crate) fn duration(text: &str) -> Outcome<Duration> {
    let nanos = duration_ns(text).and_then(|nanos| u64::try_from(nanos).ok());
    nanos.map(Duration::from_nanos).ok_or_else(|| {
        Failure::usage(format!("\"{}\" is not a duration", clipped(text)))
            .hint("write it like 90s, 5m, 1h30m, 250ms or 2d")
    })
}

/// As much of a text as fits into a message.
fn clipped(text: &str) -> String {
    text.chars().take(40).collect()
}

/// The instant of a question from `--at` and `--known`; absent for the present. The server reads the
/// texts, because it knows the clocks and the calendar of the plant.
pub(crate) fn instant(
    at: Option<&str>,
    known: Option<&str>,
    zone: Option<&str>,
) -> Option<pb::Instant> {
    if at.is_none() && known.is_none() {
        return None;
    }
    let known = known.map(|text| match text.trim().parse() {
        Ok(position) => pb::instant::Known::KnownPosition(position),
        Err(_) => pb::instant::Known::KnownText(text.to_owned()),
    });
    Some(pb::Instant {
        known,
        at_text: at.unwrap_or_default().to_owned(),
        time_zone: zone.unwrap_or_default().to_owned(),
        ..pb::Instant::default()
    })
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
    fn no_bound_is_the_present() {
        assert_eq!(instant(None, None, Some("UTC")), None);
        let asked = instant(Some("yesterday"), Some("9"), Some("UTC")).unwrap();
        assert_eq!(asked.at_text, "yesterday");
        assert_eq!(asked.time_zone, "UTC");
        assert_eq!(asked.known, Some(pb::instant::Known::KnownPosition(9)));
        let asked = instant(None, Some("-2h"), None).unwrap();
        let text = pb::instant::Known::KnownText("-2h".to_owned());
        assert_eq!((asked.at, asked.known), (None, Some(text)));
    }
}
