//! The plants' clock: how far plant time has come after so much of ours.

use crate::failure::{Failure, Outcome};
use std::time::Duration;
use werkbuch_model::time::Timestamp;

/// Where bounded runs begin, so that they say the same each time: a Monday, shortly before a shift
/// changes in Europe, with people at work in America and Asia.
const BOUNDED_START: Timestamp = Timestamp(1_736_772_300_000_000_000);
/// For how long an unbounded run goes at its speed before it has caught up with our time.
const CATCH_UP: Duration = Duration::from_secs(600);
/// How far before now an unbounded run at full speed begins.
const FULL_SPEED_LEAD: Duration = Duration::from_secs(8 * 3_600);

/// How fast plant time goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Speed {
    /// So many times as fast as ours.
    Times(u32),
    /// As fast as events can be recorded.
    Max,
}

/// When plant time begins, how fast it goes and when it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Clock {
    /// The plant time at the beginning.
    pub(crate) start: Timestamp,
    speed: Speed,
    /// How far plant time goes in all, in nanoseconds; absent when only a person ends it.
    pub(crate) end_ns: Option<u64>,
    /// How far our time is ahead at the beginning: plant time never runs ahead of it.
    lead_ns: u64,
}

impl Speed {
    /// Reads `60` or `max`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if text == "max" {
            return Ok(Self::Max);
        }
        match text.parse() {
            Ok(times @ 1..=100_000) => Ok(Self::Times(times)),
            _ => Err("a speed is a number from 1 to 100000, or max".to_owned()),
        }
    }
}

impl std::fmt::Display for Speed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Times(times) => write!(f, "{times} times real speed"),
            Self::Max => f.write_str("full speed"),
        }
    }
}

impl Clock {
    /// The clock of a run. Errors: a start that lies ahead of now.
    pub(crate) fn new(
        speed: Speed,
        duration: Option<Duration>,
        start: Option<Timestamp>,
        now: Timestamp,
    ) -> Outcome<Self> {
        let times = match speed {
            Speed::Times(times) => u64::from(times),
            Speed::Max => 1,
        };
        let start = start.unwrap_or_else(|| match (duration, speed) {
            (Some(_), _) => BOUNDED_START,
            (None, Speed::Max) => now.plus(-signed(nanos(FULL_SPEED_LEAD))),
            (None, Speed::Times(_)) => now.plus(-signed(nanos(CATCH_UP).saturating_mul(times - 1))),
        });
        if start > now {
            let what = format!("the plants cannot begin at {start}: that lies ahead of now");
            return Err(Failure::usage(what).hint("name a time in the past, or leave --start out"));
        }
        Ok(Self {
            start,
            speed,
            end_ns: duration.map(|duration| nanos(duration).saturating_mul(times)),
            lead_ns: u64::try_from(now.since(start)).unwrap_or(0),
        })
    }

    /// How far plant time has come after so much of ours, in nanoseconds.
    pub(crate) fn plant_ns(&self, elapsed: Duration) -> u64 {
        let elapsed_ns = nanos(elapsed);
        let ours = self.lead_ns.saturating_add(elapsed_ns);
        let reached = match self.speed {
            Speed::Times(times) => elapsed_ns.saturating_mul(u64::from(times)).min(ours),
            Speed::Max => ours,
        };
        self.end_ns.map_or(reached, |end_ns| reached.min(end_ns))
    }

    /// The plant time after so many nanoseconds of it.
    pub(crate) fn at(&self, plant_ns: u64) -> Timestamp {
        self.start.plus(signed(plant_ns))
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

fn signed(nanos: u64) -> i64 {
    i64::try_from(nanos).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const NOW: Timestamp = Timestamp(1_800_000_000_000_000_000);
    const SECOND: u64 = 1_000_000_000;

    #[test]
    fn a_bounded_run_covers_what_it_says_from_a_fixed_time() {
        let minute = Some(Duration::from_secs(60));
        let clock = Clock::new(Speed::Times(60), minute, None, NOW).unwrap();
        assert_eq!(
            (clock.start, clock.end_ns),
            (BOUNDED_START, Some(3_600 * SECOND))
        );
        assert_eq!(clock.plant_ns(Duration::from_secs(10)), 600 * SECOND);
        assert_eq!(clock.plant_ns(Duration::from_secs(90)), 3_600 * SECOND);
        let clock = Clock::new(Speed::Max, minute, None, NOW).unwrap();
        assert_eq!(
            clock.end_ns,
            Some(60 * SECOND),
            "at full speed it is plant time"
        );
        assert_eq!(clock.plant_ns(Duration::ZERO), 60 * SECOND);
    }

    #[test]
    fn an_unbounded_run_catches_up_with_now_and_stays_there() {
        let clock = Clock::new(Speed::Times(10), None, None, NOW).unwrap();
        assert_eq!(clock.start, NOW.plus(-signed(5_400 * SECOND)));
        assert_eq!(clock.plant_ns(Duration::from_secs(100)), 1_000 * SECOND);
        assert_eq!(clock.plant_ns(Duration::from_secs(600)), 6_000 * SECOND);
        assert_eq!(clock.plant_ns(Duration::from_secs(700)), 6_100 * SECOND);
        let clock = Clock::new(Speed::Times(10), None, Some(NOW), NOW).unwrap();
        assert_eq!(clock.plant_ns(Duration::from_secs(7)), 7 * SECOND);
        assert!(Clock::new(Speed::Max, None, Some(NOW.plus(1)), NOW).is_err());
    }

    #[test]
    fn speeds_are_read() {
        assert_eq!(Speed::parse("60"), Ok(Speed::Times(60)));
        assert_eq!(Speed::parse("max"), Ok(Speed::Max));
        for text in ["0", "-1", "1.5", "fast", "100001", ""] {
            assert!(Speed::parse(text).is_err(), "{text}");
        }
    }
}
