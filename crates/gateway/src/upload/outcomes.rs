//! What became of the events that were sent.

use std::collections::BTreeMap;
use werkbuch_model::event::RefusalReason;
use werkbuch_model::id::Position;
use werkbuch_wire::pb;
use werkbuch_wire::pb::outcome::Result as Said;

/// What became of the events that were handed in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcomes {
    /// Events handed in.
    pub sent: u64,
    /// Events recorded now.
    pub recorded: u64,
    /// Events that had been recorded before, with the same content.
    pub repeated: u64,
    /// Events refused, by the name of the reason.
    pub refused: BTreeMap<&'static str, RefusedEvents>,
    /// The last position of the plant's log known to be synced.
    pub position: Position,
    /// Where events stand whose place is of interest, by their numbers; 0 until that is known.
    pub watched: BTreeMap<u64, Position>,
}

/// Events that were refused for one reason.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RefusedEvents {
    /// How many.
    pub events: u64,
    /// The first one's number.
    pub first_sequence: u64,
    /// The field to blame in the first one, empty when it is the event as a whole.
    pub field: String,
    /// What the server said about the first one.
    pub message: String,
    /// Their numbers, as ranges (first, last) in the order of the answers.
    pub sequences: Vec<(u64, u64)>,
}

impl Outcomes {
    /// How many events were refused.
    #[must_use]
    pub fn refused_total(&self) -> u64 {
        self.refused.values().map(|one| one.events).sum()
    }

    /// How many events have an answer.
    #[must_use]
    pub fn acknowledged(&self) -> u64 {
        self.recorded + self.repeated + self.refused_total()
    }

    /// Adds the answer to a batch; returns how many events it is about.
    pub(super) fn note(&mut self, answer: &pb::AppendResponse) -> u64 {
        self.position = self.position.max(Position(answer.position));
        let mut covered = 0;
        for outcome in &answer.outcomes {
            let count = u64::from(outcome.count);
            match &outcome.result {
                Some(Said::Recorded(position)) => {
                    self.recorded += count;
                    self.place(outcome.first_sequence, count, *position);
                }
                Some(Said::RepeatedAt(position)) => {
                    self.repeated += count;
                    self.place(outcome.first_sequence, count, *position);
                }
                Some(Said::Refused(why)) => self.refuse(outcome.first_sequence, count, why),
                // Nothing was said about these, so they are not covered.
                None => continue,
            }
            covered += count;
        }
        covered
    }

    fn place(&mut self, first_sequence: u64, count: u64, position: u64) {
        let numbers = first_sequence..first_sequence.saturating_add(count);
        for (sequence, place) in self.watched.range_mut(numbers) {
            *place = Position(position.saturating_add(sequence - first_sequence));
        }
    }

    fn refuse(&mut self, first_sequence: u64, count: u64, why: &pb::RefusedEvent) {
        let reason = u32::try_from(why.reason).ok();
        let reason = reason
            .and_then(RefusalReason::from_code)
            .unwrap_or_default();
        let entry = self.refused.entry(reason.name());
        let known = entry.or_insert_with(|| RefusedEvents {
            events: 0,
            first_sequence,
            field: why.field.clone(),
            message: why.message.clone(),
            sequences: Vec::new(),
        });
        known.events += count;
        let last_sequence = first_sequence.saturating_add(count.saturating_sub(1));
        match known.sequences.last_mut() {
            Some((_, last)) if *last + 1 == first_sequence => *last = last_sequence,
            _ => known.sequences.push((first_sequence, last_sequence)),
        }
    }
}
