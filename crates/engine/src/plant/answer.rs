//! Answers a batch once it is safe: outcomes in its order, repeats compared with their originals.

use super::handle::Shared;
use super::input::Reply;
use crate::api::{Appended, OutcomeResult};
use crate::batch::{Draft, runs};
use crate::error::EngineError;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::OwnedSemaphorePermit;
use werkbuch_journal::StoredBlock;
use werkbuch_model::event::{Refusal, RefusalReason};
use werkbuch_model::id::{Position, Sequence, SourceNumber};
use werkbuch_record::reported_part;

/// A batch that is synced and waits for its answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) shared: Arc<Shared>,
    pub(super) source: SourceNumber,
    pub(super) drafts: Vec<(Sequence, Draft)>,
    pub(super) position: Position,
    pub(super) received: Instant,
    pub(super) reply: Reply<Appended>,
    pub(super) permit: OwnedSemaphorePermit,
}

impl Answer {
    /// Gives the answer: at once, or from a thread that may read the log when there are repeats.
    pub(super) fn give(self, runtime: &tokio::runtime::Handle) {
        let mut drafts = self.drafts.iter();
        if drafts.any(|(_, draft)| matches!(draft, Draft::Known(_))) {
            // Reading the log is not for the writer's loop.
            runtime.spawn_blocking(move || self.settle());
        } else {
            self.settle();
        }
    }

    fn settle(self) {
        let mut originals = Originals {
            shared: &self.shared,
            source: self.source,
            block: None,
        };
        let results: Result<Vec<_>, EngineError> = self
            .drafts
            .into_iter()
            .map(|(sequence, draft)| Ok((sequence, originals.settle(sequence, draft)?)))
            .collect();
        let appended = results.map(|results| Appended {
            outcomes: runs(results),
            position: self.position,
        });
        if let Ok(appended) = &appended {
            let tally = self.shared.meter.answered(appended);
            self.shared.repeats.note(self.source, &appended.outcomes);
            let took = self.received.elapsed();
            self.shared.totals.ack.observe(took);
            tracing::debug!(
                plant = self.shared.id.as_str(),
                source = self.source.get(),
                recorded = tally.recorded,
                repeated = tally.repeated,
                refused = tally.refused,
                position = self.position.get(),
                took_us = took.as_micros(),
                "a batch is acknowledged"
            );
        }
        // Whoever is answered finds his place in the queue free.
        drop(self.permit);
        let _ = self.reply.send(appended);
    }
}

/// Looks up what is recorded under known numbers.
struct Originals<'s> {
    shared: &'s Shared,
    source: SourceNumber,
    block: Option<StoredBlock>,
}

impl Originals<'_> {
    fn settle(&mut self, sequence: Sequence, draft: Draft) -> Result<OutcomeResult, EngineError> {
        match draft {
            Draft::Recorded(position) => Ok(OutcomeResult::Recorded(position)),
            Draft::Refused(refusal) => Ok(OutcomeResult::Refused(refusal)),
            Draft::Known(bytes) => self.compare(sequence, &bytes),
        }
    }

    fn compare(&mut self, sequence: Sequence, bytes: &[u8]) -> Result<OutcomeResult, EngineError> {
        let Shared { store, id, .. } = self.shared;
        let lost = || EngineError::internal(format!("sequence {sequence} is known but not found"));
        let position = store.find(id, self.source, sequence)?.ok_or_else(lost)?;
        let held = self
            .block
            .as_ref()
            .is_some_and(|block| block.header.first <= position && position <= block.header.last());
        if !held {
            self.block = Some(store.read(id, position)?.next().ok_or_else(lost)??);
        }
        let original = self.block.as_ref().and_then(|block| {
            let index = position.get().checked_sub(block.header.first.get())?;
            block.body.event(usize::try_from(index).ok()?)
        });
        let original = original.ok_or_else(lost)?;
        if reported_part(original).is_ok_and(|original| original == bytes) {
            return Ok(OutcomeResult::Repeated(position));
        }
        Ok(OutcomeResult::Refused(Refusal::new(
            RefusalReason::ContentChanged,
            "sequence",
            format!(
                "sequence {sequence} is recorded at position {position} with another content; number new events onward"
            ),
        )))
    }
}
