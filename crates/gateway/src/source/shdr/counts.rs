//! What became of the lines and observations of one recording.

use serde::Serialize;
use std::collections::BTreeMap;

/// How many unmapped keys and devices are listed by name; the others share the name `(more)`.
const NAMES_MAX: usize = 1_000;
const NAME_BYTES_SHOWN: usize = 256;

/// The counts of one recording. Always, between two calls of the reader:
/// `observations = events + unchanged + sampled + ignored + refused`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Lines read, whatever they say; it runs ahead of the events by the look-ahead.
    pub lines: u64,
    /// Values of keys.
    pub observations: u64,
    /// Observations that became an event each.
    pub events: u64,
    /// Observations equal to the previous one of their key.
    pub unchanged: u64,
    /// Observations gathered into batches.
    pub sampled: u64,
    /// Observations of keys that are mapped to `ignore`, speak of assets, or are not mapped.
    pub ignored: u64,
    /// Observations that cannot become events, by reason; each is told by a gap.
    pub refused: BTreeMap<String, u64>,
    /// Batch events.
    pub batches: u64,
    /// Gap events.
    pub gaps: u64,
    /// Those of `events` whose time is not believed.
    pub suspect_clock: u64,
    /// Those of `sampled` whose time is not believed.
    pub suspect_samples: u64,
    /// Recording sessions.
    pub sessions: u64,
    /// Lines that are adapter commands (`* PING`).
    pub commands: u64,
    /// Whether the compressed file ends early or is damaged; a gap tells where.
    pub truncated: bool,
    /// Those of `ignored` whose keys are not mapped, by key: extend the mapping to keep them.
    pub unmapped: BTreeMap<String, u64>,
    /// Observations by the device's prefix of their key; more than one name here means that the
    /// recording mixes machines.
    pub devices: BTreeMap<String, u64>,
}

impl Counts {
    /// The sum of all refused observations.
    #[must_use]
    pub fn refused_total(&self) -> u64 {
        self.refused.values().sum()
    }

    /// Whether every observation is counted under exactly one heading.
    #[must_use]
    pub fn reconcile(&self) -> bool {
        let parts = [self.events, self.unchanged, self.sampled, self.ignored];
        self.observations == parts.iter().sum::<u64>() + self.refused_total()
    }

    /// All events that were emitted: observations, batches and gaps.
    #[must_use]
    pub fn emitted(&self) -> u64 {
        self.events + self.batches + self.gaps
    }

    pub(super) fn refuse(&mut self, reason: &str) {
        *self.refused.entry(reason.to_owned()).or_default() += 1;
    }

    pub(super) fn unmapped(&mut self, key: &str) {
        bump(&mut self.unmapped, key);
    }

    pub(super) fn device(&mut self, device: &str) {
        bump(&mut self.devices, device);
    }
}

/// Counts a name from outside, with a bound on how many names are kept.
fn bump(table: &mut BTreeMap<String, u64>, name: &str) {
    let name = cut(name, NAME_BYTES_SHOWN);
    if let Some(count) = table.get_mut(name) {
        *count += 1;
    } else if table.len() < NAMES_MAX {
        table.insert(name.to_owned(), 1);
    } else {
        *table.entry("(more)".to_owned()).or_default() += 1;
    }
}

/// The start of a text, at most so many bytes, whole characters.
pub(super) fn cut(text: &str, bytes: usize) -> &str {
    let mut end = bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}
