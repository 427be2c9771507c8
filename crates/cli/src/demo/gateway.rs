//! A gateway of the demo: numbers what its machines say and sends it until it is acknowledged.

use super::feed::Counts;
use crate::failure::Outcome;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::mpsc;
use werkbuch_gateway::source::shdr::{SampleValue, seal_body};
use werkbuch_gateway::upload::Uploader;
use werkbuch_model::event::{Body, Reported};
use werkbuch_model::id::{MachineNumber, Position, Sequence};
use werkbuch_sim::Delivered;

/// How long events wait for others to share their batch.
const GATHER: Duration = Duration::from_millis(50);

/// A gateway with its connection.
pub(super) struct Gateway {
    uploader: Uploader,
    said: mpsc::Receiver<Delivered>,
    numbers: Arc<[MachineNumber]>,
    counts: Arc<Counts>,
    /// The number of the next event.
    next: Sequence,
    /// The numbers of events that may be corrected, by their marks.
    marked: BTreeMap<u64, Sequence>,
}

impl Gateway {
    pub(super) fn new(
        uploader: Uploader,
        said: mpsc::Receiver<Delivered>,
        numbers: Arc<[MachineNumber]>,
        counts: Arc<Counts>,
    ) -> Self {
        let next = uploader.opened().next_sequence;
        Self {
            uploader,
            said,
            numbers,
            counts,
            next,
            marked: BTreeMap::new(),
        }
    }

    /// Sends what is said until nothing more is, and until all of it is acknowledged.
    /// Errors: those of sending.
    pub(super) async fn run(mut self) -> Outcome<()> {
        let mut tick = tokio::time::interval(GATHER);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                event = self.said.recv() => {
                    let Some(event) = event else { break };
                    self.send(event).await?;
                }
                _ = tick.tick() => {
                    self.uploader.flush().await?;
                    self.count();
                }
            }
        }
        self.uploader.settle().await?;
        self.count();
        Ok(())
    }

    async fn send(&mut self, mut event: Delivered) -> Outcome<()> {
        if let Some(mark) = event.beside.corrects {
            let place = self.place(mark).await?;
            if let (Body::CorrectionRecorded(correction), Some(place)) = (&mut event.body, place) {
                correction.targets = vec![place];
            }
        }
        if let Some(mark) = event.beside.mark {
            self.uploader.watch(self.next);
            self.marked.insert(mark, self.next);
        }
        let body = match &mut event.body {
            Body::SampleReported(batch) if !event.beside.values.is_empty() => {
                let values = event
                    .beside
                    .values
                    .iter()
                    .map(|(time_ns, value)| SampleValue {
                        time_ns: *time_ns,
                        item: 0,
                        value: Some(*value),
                    });
                Some(seal_body(batch, &values.collect::<Vec<_>>()))
            }
            _ => None,
        };
        let number = event.machine.and_then(|at| self.numbers.get(at)).copied();
        let reported = Reported {
            sequence: self.next,
            machine: number.unwrap_or_default(),
            occurred_at: event.occurred_at,
            observed_at: Some(event.observed_at),
            historical: false,
            body: event.body,
        };
        self.uploader.send(&reported, body).await?;
        self.next = Sequence(self.next.get().saturating_add(1));
        Ok(())
    }

    /// Where the event with a mark was recorded: known once it is acknowledged.
    async fn place(&mut self, mark: u64) -> Outcome<Option<Position>> {
        let Some(sequence) = self.marked.remove(&mark) else {
            return Ok(None);
        };
        self.uploader.settle().await?;
        let place = self.uploader.outcomes().watched.get(&sequence.get());
        Ok(place.copied())
    }

    fn count(&self) {
        let outcomes = self.uploader.outcomes();
        self.counts.events.store(outcomes.sent, Ordering::Relaxed);
        self.counts
            .acknowledged
            .store(outcomes.acknowledged(), Ordering::Relaxed);
        self.counts
            .recorded
            .store(outcomes.recorded, Ordering::Relaxed);
        self.counts
            .refused
            .store(outcomes.refused_total(), Ordering::Relaxed);
    }
}
