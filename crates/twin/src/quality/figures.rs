//! What is counted of a source, and of a plant.

use super::finding::{Finding, FindingKind};
use super::silence::Rhythm;
use super::spread::Spread;
use serde::Serialize;
use std::collections::BTreeMap;
use werkbuch_model::event::{EventRefused, Flags, Recorded, RefusalReason};
use werkbuch_model::id::{MachineNumber, Position, SourceNumber};
use werkbuch_model::time::Timestamp;

/// What was counted in a window.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Figures {
    /// Events reported.
    pub events: u64,
    /// Gaps recorded.
    pub gaps: u64,
    /// Gaps of which something is still missing.
    pub gaps_open: u64,
    /// Observations that were missing when the gaps were recorded, where that is known.
    pub lost: u64,
    /// Of them those that are missing still.
    pub missing: u64,
    /// Events whose clock was doubted.
    pub suspect: u64,
    /// Of them the greatest difference between the source's clock and the gateway's, in nanoseconds;
    /// negative when the source's was behind. Absent when there are none.
    pub worst_offset_ns: Option<i64>,
    /// From the gateway's clock (else the source's) to the record, in nanoseconds.
    pub lag: Spread,
    /// Events observed later than they were recorded: the gateway's clock is ahead.
    pub ahead: u64,
    /// Events that came after a later one of the same machine and source: they restated the past.
    pub late: u64,
    /// How far the worst of them lay back, in nanoseconds.
    pub worst_late_ns: Option<i64>,
    /// Events that filled a gap.
    pub fillers: u64,
    /// Events that another source has the say about.
    pub not_authoritative: u64,
    /// Events refused that used up their numbers, by reason.
    pub refused: BTreeMap<RefusalReason, u64>,
    /// Times that this source and one with more say said different things for long enough.
    pub conflicts: u64,
    /// Pairs of `PackML` states in a row that could be judged.
    pub jumps_judged: u64,
    /// Of them those that no transition leads along.
    pub illegal_jumps: u64,
    /// Of them those that passed over an acting state, which a mode may have disabled.
    pub skipped_acting: u64,
    /// State events.
    pub states: u64,
    /// Of them those equal to the one before.
    pub repeated_states: u64,
    /// Of them those whose word the vocabulary does not hold.
    pub unknown_words: u64,
    /// Steps of counters that went back without a new reset epoch.
    pub counters_backwards: u64,
    /// Sources that are silent; only of a plant.
    pub silent: u64,
    /// Jumps of the writer's clock; only of a plant.
    pub clock_jumps: u64,
}

impl Figures {
    /// Adds those of another source.
    pub fn add(&mut self, other: &Self) {
        macro_rules! sums {
            ($($field:ident)+) => {$(
                self.$field = self.$field.saturating_add(other.$field);
            )+};
        }
        sums!(
            events gaps gaps_open lost missing suspect ahead late fillers not_authoritative conflicts
            jumps_judged illegal_jumps skipped_acting states repeated_states unknown_words
            counters_backwards silent clock_jumps
        );
        self.worst_offset_ns = worse(self.worst_offset_ns, other.worst_offset_ns);
        self.worst_late_ns = self.worst_late_ns.max(other.worst_late_ns);
        self.lag.add(&other.lag);
        for (reason, more) in &other.refused {
            let count = self.refused.entry(*reason).or_default();
            *count = count.saturating_add(*more);
        }
    }

    /// How many events were refused, whatever the reason.
    #[must_use]
    pub fn refused_total(&self) -> u64 {
        self.refused
            .values()
            .fold(0, |sum, more| sum.saturating_add(*more))
    }
}

/// What is kept of a source while events are taken.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    pub(super) figures: Figures,
    /// When it was last heard.
    pub(super) heard_at: Option<Timestamp>,
    /// How often it speaks.
    pub(super) rhythm: Rhythm,
    suspects: BTreeMap<MachineNumber, Suspects>,
}

/// The doubted events of one machine.
#[derive(Clone, Copy, Debug)]
struct Suspects {
    count: u64,
    worst_ns: i64,
    first: Position,
    at: Timestamp,
}

impl Tally {
    pub(super) fn is_empty(&self) -> bool {
        self.heard_at.is_none() && self.figures == Figures::default()
    }

    /// It said something, whatever it was about.
    pub(super) fn heard(&mut self, recorded_at: Timestamp) {
        if let Some(before) = self.heard_at {
            self.rhythm.pause(recorded_at.since(before));
        }
        self.heard_at = Some(recorded_at);
    }

    /// An event of the window, which lies `behind_ns` before the latest of its machine so far.
    pub(super) fn count(&mut self, event: &Recorded<'_>, behind_ns: i64) {
        let figures = &mut self.figures;
        bump(&mut figures.events);
        let seen = event
            .reported
            .observed_at
            .unwrap_or(event.reported.occurred_at);
        let lag = event.recorded_at.since(seen);
        figures.lag.take(lag);
        if lag < 0 {
            bump(&mut figures.ahead);
        }
        if behind_ns > 0 {
            bump(&mut figures.late);
            figures.worst_late_ns = figures.worst_late_ns.max(Some(behind_ns));
        }
        if event.flags.has(Flags::LATE_FILLER) {
            bump(&mut figures.fillers);
        }
        if event.flags.has(Flags::NOT_AUTHORITATIVE) {
            bump(&mut figures.not_authoritative);
        }
        if event.flags.has(Flags::SUSPECT_CLOCK) {
            bump(&mut figures.suspect);
            self.suspect(event);
        }
    }

    pub(super) fn refused(&mut self, refused: &EventRefused<'_>) {
        let more = refused.last.saturating_sub(refused.first).saturating_add(1);
        let count = self.figures.refused.entry(refused.reason).or_default();
        *count = count.saturating_add(more);
    }

    /// A finding for each machine whose clock was doubted.
    pub(super) fn suspects(&self, source: SourceNumber) -> impl Iterator<Item = Finding> + '_ {
        self.suspects.iter().map(move |(machine, one)| Finding {
            position: one.first,
            machine: (machine.get() != 0).then_some(*machine),
            what: "OFFSET".to_owned(),
            to: seconds(one.worst_ns),
            count: one.count,
            detail: "the worst difference from the gateway's clock".to_owned(),
            ..Finding::new(FindingKind::SuspectClock, source, one.at)
        })
    }

    fn suspect(&mut self, event: &Recorded<'_>) {
        let reference = event.reported.observed_at.unwrap_or(event.recorded_at);
        let offset = event.reported.occurred_at.since(reference);
        // A gateway that is ahead itself shows against the writer's clock alone.
        let against_writer = event.reported.occurred_at.since(event.recorded_at);
        let offset = if offset == 0 { against_writer } else { offset };
        self.figures.worst_offset_ns = worse(self.figures.worst_offset_ns, Some(offset));
        let suspects = self
            .suspects
            .entry(event.reported.machine)
            .or_insert(Suspects {
                count: 0,
                worst_ns: offset,
                first: event.position,
                at: event.effective_at,
            });
        bump(&mut suspects.count);
        suspects.worst_ns = worse(Some(suspects.worst_ns), Some(offset)).unwrap_or(offset);
    }
}

/// A duration as shown: seconds with three digits.
pub(super) fn seconds(nanos: i64) -> String {
    let millis = nanos / 1_000_000;
    let sign = if millis < 0 { "-" } else { "" };
    let millis = millis.unsigned_abs();
    format!("{sign}{}.{:03} s", millis / 1_000, millis % 1_000)
}

pub(super) fn bump(count: &mut u64) {
    *count = count.saturating_add(1);
}

/// The one that lies farther from none.
fn worse(a: Option<i64>, b: Option<i64>) -> Option<i64> {
    match (a, b) {
        (Some(a), Some(b)) if b.unsigned_abs() > a.unsigned_abs() => Some(b),
        (Some(a), _) => Some(a),
        (None, b) => b,
    }
}
