//! Whether a source has been silent for longer than it should: a function of what was heard and of
//! the time that is asked at.

use super::figures::{Tally, seconds};
use super::finding::{Finding, FindingKind};
use super::spread::Spread;
use super::{Judging, Voice};
use serde::Serialize;
use werkbuch_model::time::Timestamp;

/// So many pauses are needed before a source has a rhythm.
const PAUSES_MIN: u64 = 10;
/// A source is silent when it pauses so many times as long as nine of ten of its pauses.
const PAUSE_FACTOR: i64 = 5;
/// Pauses shorter than this lie within one utterance, a batch or a burst: one second.
const PAUSE_MIN_NS: i64 = 1_000_000_000;
/// Nobody is called silent before this, whatever the rhythm: one minute.
const LIMIT_MIN_NS: i64 = 60_000_000_000;

/// How often a source speaks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rhythm(Spread);

impl Rhythm {
    /// Nobody is called silent before this, whatever the rhythm, in nanoseconds.
    pub const LIMIT_MIN_NS: i64 = LIMIT_MIN_NS;

    /// Takes a pause, in nanoseconds. What is shorter than a second is none.
    pub fn pause(&mut self, nanos: i64) {
        if nanos >= PAUSE_MIN_NS {
            self.0.take(nanos);
        }
    }

    /// How long it may be silent, in nanoseconds; absent when it spoke too seldom to have a rhythm.
    #[must_use]
    pub fn limit_ns(&self) -> Option<i64> {
        let pause = self
            .0
            .per_mille(900)
            .filter(|_| self.0.count() >= PAUSES_MIN)?;
        let pause = i64::try_from(pause).unwrap_or(i64::MAX);
        Some(pause.saturating_mul(PAUSE_FACTOR).max(LIMIT_MIN_NS))
    }
}

/// Whether a source is silent, and by what it was judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Silence {
    /// When it was last heard, by the writer's clock; absent when it never was, as far as is known.
    pub heard_at: Option<Timestamp>,
    /// How long it may be silent, in nanoseconds; absent when it is not judged.
    pub limit_ns: Option<i64>,
    /// How long it had been silent, in nanoseconds; absent when it was never heard.
    pub since_ns: Option<i64>,
    /// Why it is judged so, or not at all.
    pub because: &'static str,
}

impl Silence {
    /// Whether it is silent.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        matches!((self.since_ns, self.limit_ns), (Some(since), Some(limit)) if since > limit)
    }
}

pub(super) fn judge(voice: &Voice, tally: &Tally, judging: &Judging) -> Silence {
    let before = judging.heard_before.get(&voice.number).copied();
    let heard_at = tally.heard_at.max(before);
    let rhythm = tally.rhythm.limit_ns();
    let (limit_ns, because) = if !voice.expected {
        (
            None,
            "it is not expected to report: a recording, or an earlier life",
        )
    } else if let Some(limit) = judging.silent_after_ns {
        (Some(limit), "the limit was given")
    } else if let Some(limit) = rhythm {
        (
            Some(limit),
            "five times as long as nine of ten of its pauses",
        )
    } else {
        (None, "it reported too seldom to have a rhythm")
    };
    Silence {
        heard_at,
        limit_ns,
        since_ns: heard_at.map(|heard| judging.at.since(heard).max(0)),
        because,
    }
}

pub(super) fn finding(voice: &Voice, silence: &Silence, judging: &Judging) -> Option<Finding> {
    let (since, limit) = (silence.since_ns?, silence.limit_ns?);
    silence.is_silent().then(|| Finding {
        what: "SILENT".to_owned(),
        to: seconds(since),
        detail: format!("may be silent for {}: {}", seconds(limit), silence.because),
        ..Finding::new(
            FindingKind::Silent,
            voice.number,
            silence.heard_at.unwrap_or(judging.at),
        )
    })
}
