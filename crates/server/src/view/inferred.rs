//! Inferred waits of a timeline as messages: what they add up to, and their parts of buckets.

use super::code;
use super::timeline::within;
use crate::rpc::timeline_waits::Wait;
use std::collections::BTreeMap;
use werkbuch_model::event::State;
use werkbuch_model::time::Timestamp;
use werkbuch_twin::line::Provenance;
use werkbuch_twin::timeline::{Interval, Levels};
use werkbuch_wire::pb;

/// The most causes that a sum names; all are counted.
const CAUSES_SHOWN: usize = 4;

/// A time for which a machine that was watched waited for one inferred cause.
#[derive(Clone, Copy, Debug)]
struct Piece<'w> {
    begin: Timestamp,
    end: Timestamp,
    shown: State,
    state: State,
    because: &'w str,
}

/// The inferred waits of a machine. They never change what it is shown as: each is a part of an interval
/// in which it is shown waiting or idle.
#[derive(Clone, Debug, Default)]
pub(super) struct Inferred<'w>(Vec<Piece<'w>>);

/// How long and how many times.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    duration_ns: u64,
    stays: u64,
}

impl Tally {
    fn add(&mut self, duration_ns: u64, anew: bool) {
        self.duration_ns = self.duration_ns.saturating_add(duration_ns);
        self.stays = self.stays.saturating_add(u64::from(anew));
    }
}

impl<'w> Inferred<'w> {
    /// What of the waits is inferred, and falls into intervals that were watched.
    pub(super) fn of(waits: &'w [Wait], intervals: &[Interval]) -> Self {
        let mut pieces = Vec::new();
        if waits.is_empty() {
            return Self(pieces);
        }
        for one in intervals.iter().filter(|one| one.covered) {
            let inferred =
                within(waits, one).filter(|wait| wait.cause.provenance == Provenance::Inferred);
            pieces.extend(inferred.map(|wait| Piece {
                begin: wait.begin.max(one.begin),
                end: wait.end.min(one.end),
                shown: one.shown,
                state: wait.cause.state,
                because: &wait.cause.because,
            }));
        }
        Self(pieces)
    }

    /// Starved and blocked: how long, how many times, and for what.
    pub(super) fn sums(&self) -> Vec<pb::TimelineInferredSum> {
        let mut sums: BTreeMap<u32, (Tally, BTreeMap<&str, Tally>)> = BTreeMap::new();
        let mut before: Option<&Piece<'_>> = None;
        for piece in &self.0 {
            let joined = before.filter(|last| last.end == piece.begin && last.state == piece.state);
            let same = joined.filter(|last| last.because == piece.because);
            let (sum, causes) = sums.entry(piece.state.code()).or_default();
            sum.add(piece.length_ns(), joined.is_none());
            let cause = causes.entry(piece.because).or_default();
            cause.add(piece.length_ns(), same.is_none());
            before = Some(piece);
        }
        let sums = sums.into_iter().map(|(state, (sum, causes))| {
            let mut causes: Vec<_> = causes.into_iter().collect();
            causes.sort_by_key(|(because, of)| (u64::MAX - of.duration_ns, *because));
            let causes_size = u32::try_from(causes.len()).unwrap_or(u32::MAX);
            let shown = causes.into_iter().take(CAUSES_SHOWN);
            pb::TimelineInferredSum {
                state: code(state),
                duration_ns: sum.duration_ns,
                stays: sum.stays,
                causes: shown
                    .map(|(because, of)| pb::TimelineCause {
                        because: because.to_owned(),
                        duration_ns: of.duration_ns,
                        stays: of.stays,
                    })
                    .collect(),
                causes_size,
            }
        });
        sums.collect()
    }

    /// Adds to each bucket its part, so that of each none is too short to be seen. The buckets are those of
    /// the level that are not empty, in order.
    pub(super) fn fill(&self, levels: &Levels, buckets: &mut [pb::TimelineBucket]) {
        let mut first = 0_usize;
        for bucket in buckets {
            let at = bucket.bucket as usize;
            let (from, to) = (levels.border(at), levels.border(at + 1));
            let left = self.0.get(first..).unwrap_or_default();
            first += left.partition_point(|piece| piece.end <= from);
            let left = self.0.get(first..).unwrap_or_default();
            let mut found: BTreeMap<(u32, u32), BTreeMap<&str, u64>> = BTreeMap::new();
            for piece in left.iter().take_while(|piece| piece.begin < to) {
                let key = (piece.shown.code(), piece.state.code());
                let causes = found.entry(key).or_default();
                let duration = causes.entry(piece.because).or_default();
                *duration = duration.saturating_add(piece.within_ns(from, to));
            }
            bucket.inferred = found
                .into_iter()
                .map(|((shown, state), causes)| share((shown, state), &causes))
                .collect();
        }
    }
}

impl Piece<'_> {
    fn length_ns(&self) -> u64 {
        self.within_ns(self.begin, self.end)
    }

    fn within_ns(&self, from: Timestamp, to: Timestamp) -> u64 {
        let (begin, end) = (self.begin.max(from), self.end.min(to));
        u64::try_from(end.since(begin)).unwrap_or(0)
    }
}

/// What these causes add up to, with the one that held the longest; of equals the first by its words.
fn share((shown, state): (u32, u32), causes: &BTreeMap<&str, u64>) -> pb::TimelineInferred {
    let longest = causes
        .iter()
        .rev()
        .max_by_key(|(_, duration_ns)| **duration_ns);
    pb::TimelineInferred {
        shown: code(shown),
        state: code(state),
        duration_ns: causes.values().fold(0, |sum, one| sum.saturating_add(*one)),
        because: longest.map_or(String::new(), |(because, _)| (*because).to_owned()),
    }
}
