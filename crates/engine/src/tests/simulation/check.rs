//! The laws of the engine, held against what the simulation has seen acknowledged.

use super::super::*;
use crate::{ReplayTo, Verdict};
use std::collections::BTreeMap;
use werkbuch_model::id::SourceNumber;

/// What a plant's log must hold, as far as its sources have been answered.
#[derive(Debug)]
pub(super) struct PlantModel {
    pub(super) id: PlantId,
    /// Each number that a source was told to be recorded: with which text, and where.
    pub(super) known: BTreeMap<(SourceNumber, u64), (String, Position)>,
    /// What was handed in and may be there.
    pub(super) doubt: BTreeMap<(SourceNumber, u64), String>,
    /// How far the wall clock has jumped without a record of it.
    pub(super) pending_ns: i64,
    /// How much of the log has been looked at.
    pub(super) seen: Position,
    /// The last recorded_at.
    pub(super) recorded_at: Timestamp,
}

impl PlantModel {
    pub(super) fn new(name: &str) -> Self {
        Self {
            id: PlantId::new(name).unwrap(),
            known: BTreeMap::new(),
            doubt: BTreeMap::new(),
            pending_ns: 0,
            seen: Position(0),
            recorded_at: Timestamp::MIN,
        }
    }

    /// Looks at what was recorded since the last time: the stamps, and the jumps of the clock.
    pub(super) fn look(&mut self, plant: &Plant) -> u64 {
        let (mut jumps, mut recorded) = (0, 0);
        for event in plant.events(self.seen.next()).unwrap() {
            let event = event.unwrap();
            let event = decode_recorded(&event.bytes).unwrap();
            assert_eq!(event.position, self.seen.next(), "{}", self.id);
            assert!(
                event.recorded_at > self.recorded_at,
                "{} {}",
                self.id,
                event.position
            );
            (self.seen, self.recorded_at) = (event.position, event.recorded_at);
            recorded += 1;
            if let Body::ItemChanged(item) = &event.reported.body {
                let number = (event.source, event.reported.sequence.get());
                let text = item.text.as_deref().unwrap_or_default();
                self.found(number, text, event.position);
            }
            if let Body::ClockJumped(jump) = &event.reported.body {
                assert_eq!(
                    jump.found.since(jump.expected),
                    self.pending_ns,
                    "{}",
                    self.id
                );
                assert_eq!(
                    jump.confirmed,
                    must_be_confirmed(self.pending_ns),
                    "{}",
                    self.id
                );
                self.pending_ns = 0;
                jumps += 1;
            }
        }
        assert_eq!(self.seen, plant.position(), "{}", self.id);
        let told = recorded == 0 || self.pending_ns.saturating_abs() < SECOND_NS;
        assert!(
            told,
            "{}: a jump of {} ns is not recorded",
            self.id, self.pending_ns
        );
        jumps
    }

    /// An event is in the log: it was acknowledged there, or handed in without an answer.
    fn found(&mut self, number: (SourceNumber, u64), text: &str, position: Position) {
        if let Some(known) = self.known.get(&number) {
            assert_eq!(
                *known,
                (text.to_owned(), position),
                "{} {number:?}",
                self.id
            );
            return;
        }
        let said = self.doubt.remove(&number);
        assert_eq!(
            said.as_deref(),
            Some(text),
            "{} {number:?} was never said",
            self.id
        );
        self.known.insert(number, (text.to_owned(), position));
    }

    /// After a start: all that was acknowledged is there, once; what was in doubt is there or not; and
    /// the twin is that of a fresh fold.
    pub(super) fn everything(&mut self, plant: &Plant) {
        let mut found = BTreeMap::new();
        let (mut last, mut next) = (Timestamp::MIN, Position(1));
        for event in plant.events(Position(1)).unwrap() {
            let event = event.unwrap();
            let event = decode_recorded(&event.bytes).unwrap();
            assert_eq!(event.position, next, "{}", self.id);
            assert!(event.recorded_at > last, "{} {next}", self.id);
            (last, next) = (event.recorded_at, next.next());
            let Body::ItemChanged(item) = &event.reported.body else {
                continue;
            };
            let number = (event.source, event.reported.sequence.get());
            let text = item.text.as_deref().unwrap_or_default().to_owned();
            let before = found.insert(number, (text, event.position));
            assert!(
                before.is_none(),
                "{}: {number:?} is recorded twice",
                self.id
            );
        }
        for (number, known) in &self.known {
            assert_eq!(
                found.get(number),
                Some(known),
                "{} {number:?} is not there",
                self.id
            );
        }
        for (number, (text, position)) in found {
            self.found(number, &text, position);
        }
        self.doubt.clear();
        let replay = plant.replay(ReplayTo::End, true, &mut |_, _| {}).unwrap();
        assert_eq!(replay.position, plant.position());
        for comparison in &replay.comparisons {
            assert_eq!(
                comparison.verdict,
                Verdict::Equal,
                "{}: {comparison:?}",
                self.id
            );
        }
        let live = replay.comparisons.iter().any(|one| one.with == "live twin");
        assert!(live, "{:?}", replay.comparisons);
        (self.seen, self.recorded_at) = (Position(next.get() - 1), last);
    }
}

/// Whether a jump stops the writer until somebody confirms it.
pub(super) fn must_be_confirmed(jump_ns: i64) -> bool {
    jump_ns > crate::limits::CLOCK_JUMP_STOP_NS
}

/// One text for each outcome of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Due {
    Recorded,
    Repeated(Position),
    /// A repeat of an event of the same batch.
    RepeatedWithin,
    Refused(RefusalReason),
}

/// Each event of a batch with its outcome.
pub(super) fn each(outcomes: &[crate::Outcome]) -> Vec<(u64, OutcomeResult)> {
    let mut all = Vec::new();
    for outcome in outcomes {
        for k in 0..u64::from(outcome.count) {
            let result = match &outcome.result {
                OutcomeResult::Recorded(at) => OutcomeResult::Recorded(Position(at.get() + k)),
                OutcomeResult::Repeated(at) => OutcomeResult::Repeated(Position(at.get() + k)),
                refused @ OutcomeResult::Refused(_) => refused.clone(),
            };
            all.push((outcome.first_sequence.get() + k, result));
        }
    }
    all
}
