//! When nothing was heard of a source for longer than its rhythm lets expect.
//!
//! What counts is the time that a source speaks for, not when it was recorded: what a gateway kept and
//! sent late is no silence. Sources of one name are one voice, and only those that report as things
//! happen are judged.

use crate::order::Source;
use crate::quality::{Rhythm, Window};
use std::collections::BTreeMap;
use werkbuch_model::event::{Recorded, SourceKind};
use werkbuch_model::id::SourceNumber;
use werkbuch_model::time::Timestamp;

/// Times that lie no farther apart than this are one: no pause is judged that is shorter.
const NEAR_NS: i64 = Rhythm::LIMIT_MIN_NS;
/// The most times that are kept apart, of all sources together.
const SPANS_MAX: usize = 200_000;

/// Takes the recorded events of a plant in the order of their positions.
#[derive(Clone, Debug)]
pub struct Hearing {
    window: Window,
    /// Whose voice each source is: the first of its name.
    voice_of: BTreeMap<SourceNumber, SourceNumber>,
    voices: BTreeMap<SourceNumber, Voice>,
    spans: usize,
}

#[derive(Clone, Debug, Default)]
struct Voice {
    /// The times for which it spoke, begin by begin with their ends.
    heard: BTreeMap<Timestamp, Timestamp>,
    latest: Option<Timestamp>,
    rhythm: Rhythm,
}

/// A time for which a source should have spoken and did not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Silent {
    /// The source: the first life of its name.
    pub source: SourceNumber,
    /// The time, within the window.
    pub time: Window,
    /// How long it may pause, in nanoseconds; absent when it has no rhythm and nothing at all was heard
    /// of it in the window.
    pub limit_ns: Option<i64>,
}

impl Hearing {
    /// Of a plant with these sources.
    #[must_use]
    pub fn new(window: Window, sources: &[Source]) -> Self {
        let mut first: BTreeMap<&str, SourceNumber> = BTreeMap::new();
        let mut hearing = Self {
            window,
            voice_of: BTreeMap::new(),
            voices: BTreeMap::new(),
            spans: 0,
        };
        for source in sources.iter().filter(|one| one.kind == SourceKind::Live) {
            let voice = *first.entry(&source.name).or_insert(source.number);
            hearing.voice_of.insert(source.number, voice);
            hearing.voices.entry(voice).or_default();
        }
        hearing
    }

    /// Notes the latest time that a source had spoken for before the window.
    pub fn heard_before(&mut self, source: SourceNumber, at: Timestamp) {
        if let Some(voice) = self.voice_of(source) {
            self.hear(voice, at);
        }
    }

    /// Takes the next event.
    pub fn take(&mut self, event: &Recorded<'_>) {
        if let Some(voice) = self.voice_of.get(&event.source).copied()
            && event.is_reported()
        {
            self.hear(voice, event.effective_at);
        }
    }

    /// Whose voice a source is; absent for one that is not judged.
    #[must_use]
    pub fn voice_of(&self, source: SourceNumber) -> Option<SourceNumber> {
        self.voice_of.get(&source).copied()
    }

    /// Whether too much was heard to be kept; then nobody is called silent.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.spans > SPANS_MAX
    }

    /// The times in the window for which sources were silent, by source and time. The limit is that of
    /// the question, in nanoseconds, or what each one's own rhythm says.
    #[must_use]
    pub fn silences(&self, limit_ns: Option<i64>) -> Vec<Silent> {
        let mut silences = Vec::new();
        if self.is_full() {
            return silences;
        }
        for (source, voice) in &self.voices {
            let limit_ns = limit_ns.or_else(|| voice.rhythm.limit_ns());
            for time in voice.pauses(self.window, limit_ns) {
                silences.push(Silent {
                    source: *source,
                    time,
                    limit_ns,
                });
            }
        }
        silences
    }

    fn hear(&mut self, voice: SourceNumber, at: Timestamp) {
        if self.is_full() {
            return;
        }
        let voice = self.voices.entry(voice).or_default();
        if let Some(latest) = voice.latest {
            voice.rhythm.pause(at.since(latest));
        }
        voice.latest = voice.latest.max(Some(at));
        let before = voice.heard.len();
        voice.hear(at);
        self.spans = (self.spans + voice.heard.len()).saturating_sub(before);
    }
}

impl Voice {
    /// Grows over everything that is near.
    fn hear(&mut self, at: Timestamp) {
        let (mut begin, mut end) = (at, at);
        while let Some((from, to)) = self
            .heard
            .range(..=end.plus(NEAR_NS))
            .next_back()
            .map(|(from, to)| (*from, *to))
            .filter(|(_, to)| to.plus(NEAR_NS) >= begin)
        {
            self.heard.remove(&from);
            (begin, end) = (begin.min(from), end.max(to));
        }
        self.heard.insert(begin, end);
    }

    fn pauses(&self, window: Window, limit_ns: Option<i64>) -> Vec<Window> {
        let ends = self.heard.values().copied();
        let begins = self.heard.keys().skip(1).copied().map(Some);
        let within = |pause: &Window| pause.from < pause.to;
        let mut pauses: Vec<Window> = Vec::new();
        for (from, next) in ends.zip(begins.chain([None])) {
            // Behind the last word it is silent at least to the end of the window.
            let to = next.unwrap_or(window.to);
            let long = limit_ns.map(|limit| to.since(from) > limit);
            let whole = from < window.from && to >= window.to;
            if long.unwrap_or(whole) {
                pauses.push(Window {
                    from: from.max(window.from),
                    to: to.min(window.to),
                });
            }
        }
        pauses.retain(within);
        pauses
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use werkbuch_model::id::{Epoch, Position};

    const MINUTE: i64 = 60_000_000_000;

    fn source(number: u32, name: &str, kind: SourceKind) -> Source {
        Source {
            number: SourceNumber(number),
            name: name.into(),
            epoch: Epoch(number),
            kind,
            tolerance_ns: 0,
            last_position: Position(0),
            first_effective_at: None,
            last_effective_at: None,
        }
    }

    /// The silences of a window of an hour, of a source that spoke in these minutes, in that order.
    fn silences(minutes: &[i64], limit: Option<i64>) -> Vec<(i64, i64)> {
        let window = Window {
            from: Timestamp(0),
            to: Timestamp(60 * MINUTE),
        };
        let sources = [
            source(1, "g", SourceKind::Live),
            source(2, "g", SourceKind::Live),
            source(3, "import:x", SourceKind::Import),
        ];
        let mut hearing = Hearing::new(window, &sources);
        hearing.heard_before(SourceNumber(1), Timestamp(-40 * MINUTE));
        for (at, minute) in minutes.iter().enumerate() {
            // Two lives of one name are one voice.
            let life = SourceNumber(if at % 2 == 0 { 1 } else { 2 });
            let voice = hearing.voice_of(life);
            assert_eq!(voice, Some(SourceNumber(1)));
            hearing.hear(SourceNumber(1), Timestamp(minute * MINUTE));
        }
        assert_eq!(hearing.voice_of(SourceNumber(3)), None);
        let found = hearing.silences(limit.map(|limit| limit * MINUTE));
        let minutes = |one: &Silent| (one.time.from.nanos() / MINUTE, one.time.to.nanos() / MINUTE);
        found.iter().map(minutes).collect()
    }

    #[test]
    fn a_pause_is_a_silence_when_it_is_longer_than_the_limit() {
        let every_two: Vec<i64> = (0..30).map(|at| at * 2).collect();
        type Case<'c> = (&'c [i64], Option<i64>, &'c [(i64, i64)]);
        let cases: [Case<'_>; 9] = [
            // It was heard forty minutes before the window, and nothing since: nothing at all in it.
            (&[], None, &[(0, 60)]),
            (&[], Some(200), &[]),
            (&[70], None, &[(0, 60)]),
            // Something was heard: without a rhythm nobody says how long is too long.
            (&[30], None, &[]),
            (&[30], Some(29), &[(0, 30), (30, 60)]),
            (&[30], Some(31), &[(0, 30)]),
            // What comes late counts where it belongs.
            (&[50, 20, 35], Some(16), &[(0, 20)]),
            (&every_two, None, &[]),
            (&every_two[..20], None, &[(38, 60)]),
        ];
        for (minutes, limit, expected) in cases {
            assert_eq!(silences(minutes, limit), expected, "{minutes:?} {limit:?}");
        }
    }
}
