//! What the log of each plant must hold, event by event, as the simulation has seen it acknowledged.

use std::collections::BTreeMap;

use werkbuch_model::event::{Body, Flags, ItemChanged, Recorded, Reported, SampleReported};
use werkbuch_model::id::MachineNumber;
use werkbuch_record::encode_recorded;

use super::super::*;
use crate::disk::Chance;

/// The sources and machines of a plant.
pub(super) const SOURCES: u32 = 3;
pub(super) const MACHINES: u32 = 5;

/// An event that was recorded, or was to be.
#[derive(Clone, Debug)]
pub(super) struct Event {
    pub(super) bytes: Bytes,
    pub(super) recorded_at: Timestamp,
    pub(super) source: SourceNumber,
    pub(super) sequence: Sequence,
    pub(super) machine: MachineNumber,
    pub(super) body: Option<(Hash, Bytes)>,
}

/// One plant: what is there for ever, and what may be there.
#[derive(Clone, Debug)]
pub(super) struct PlantModel {
    pub(super) id: PlantId,
    pub(super) log_id: LogId,
    /// The epoch of the writer, and the latest in the log.
    pub(super) epoch: WriterEpoch,
    pub(super) log_epoch: WriterEpoch,
    /// What was acknowledged, or found after a start.
    pub(super) events: Vec<Event>,
    pub(super) tree: CompactRange,
    /// Blocks of which the store did not know whether they are there.
    pub(super) doubt: Vec<Vec<Event>>,
    /// How many events there are before the last group.
    pub(super) floor: usize,
    pub(super) sources: Vec<Source>,
    /// Where each number of a source was recorded.
    pub(super) positions: BTreeMap<(u32, u64), Position>,
}

/// A source as it counts: the number that comes next, and those that come late.
#[derive(Clone, Debug, Default)]
pub(super) struct Source {
    next: u64,
    late: Vec<u64>,
}

impl Source {
    /// A number is to be sent again.
    pub(super) fn resend(&mut self, sequence: u64) {
        self.late.push(sequence);
    }

    /// The numbers of the next report; some are kept for later, some come late.
    pub(super) fn report(&mut self, chance: &mut Chance, count: u64) -> Vec<u64> {
        let mut numbers = Vec::new();
        for _ in 0..count {
            if !self.late.is_empty() && chance.below(6) == 0 {
                let at = chance.below(self.late.len() as u64) as usize;
                numbers.push(self.late.swap_remove(at));
                continue;
            }
            self.next += 1;
            if chance.below(9) == 0 {
                self.late.push(self.next);
                self.next += 1;
            }
            numbers.push(self.next);
        }
        numbers
    }
}

impl PlantModel {
    pub(super) fn new(name: &str) -> Self {
        Self {
            id: PlantId::new(name).unwrap(),
            log_id: LogId([name.len() as u8; 16]),
            epoch: WriterEpoch(1),
            log_epoch: WriterEpoch(0),
            events: Vec::new(),
            tree: CompactRange::new(),
            doubt: Vec::new(),
            floor: 0,
            sources: vec![Source::default(); SOURCES as usize],
            positions: BTreeMap::new(),
        }
    }

    pub(super) fn last(&self) -> u64 {
        self.events.len() as u64
    }

    pub(super) fn recorded_at(&self) -> Timestamp {
        let last = self.events.last();
        last.map_or(Timestamp::MIN, |event| event.recorded_at)
    }

    /// Blocks are there for ever.
    pub(super) fn keep(&mut self, blocks: Vec<Vec<Event>>) {
        for event in blocks.into_iter().flatten() {
            self.tree.append(leaf_hash(&event.bytes));
            let position = Position(self.last() + 1);
            let number = (event.source.get(), event.sequence.get());
            let before = self.positions.insert(number, position);
            assert_eq!(before, None, "the simulation sent {number:?} twice");
            self.events.push(event);
        }
    }

    /// The positions of the events of a machine, from one on.
    pub(super) fn of_machine(&self, machine: MachineNumber, from: u64) -> Vec<Position> {
        let events = (1..).zip(&self.events);
        events
            .filter(|(at, event)| *at >= from && event.machine == machine)
            .map(|(at, _)| Position(at))
            .collect()
    }

    /// The tree over the first events.
    pub(super) fn tree_at(&self, size: u64) -> CompactRange {
        let mut tree = CompactRange::new();
        for event in self.events.iter().take(size as usize) {
            tree.append(leaf_hash(&event.bytes));
        }
        tree
    }
}

/// The content of an event, as the engine would write it.
pub(super) struct Draft {
    pub(super) position: u64,
    pub(super) recorded_at: Timestamp,
    pub(super) effective_at: Timestamp,
    pub(super) source: u32,
    pub(super) sequence: u64,
}

impl Draft {
    /// The event; each number of a source says the same whenever it is sent.
    pub(super) fn event(&self, plant: &PlantId) -> Event {
        let name = format!("{plant} {} {}", self.source, self.sequence);
        let hash = sha256(name.as_bytes());
        let luck = u64::from(hash.as_bytes()[0]);
        let machine = MachineNumber(u32::from(hash.as_bytes()[1]) % (MACHINES + 1));
        let text = format!("{hash}").repeat(1 + (luck % 4) as usize);
        let body = luck.is_multiple_of(7).then(|| {
            let body = Bytes::from(name.repeat(1 + (luck % 29) as usize));
            (sha256(&body), body)
        });
        let content = match &body {
            Some((hash, body)) => Body::SampleReported(SampleReported {
                period_start: self.effective_at,
                period_ms: 1_000,
                items: Vec::new(),
                body_hash: hash.as_bytes().to_vec().into(),
                body_bytes: body.len() as u64,
            }),
            None => Body::ItemChanged(ItemChanged {
                item: "note".into(),
                text: Some(text.into()),
            }),
        };
        let bytes = encode_recorded(&Recorded {
            position: Position(self.position),
            recorded_at: self.recorded_at,
            effective_at: self.effective_at,
            source: SourceNumber(self.source),
            previous: Position(0),
            flags: Flags::default(),
            authority: 0,
            reported: Reported {
                sequence: Sequence(self.sequence),
                machine,
                occurred_at: self.effective_at,
                observed_at: None,
                historical: false,
                body: content,
            },
            corrected: Vec::new(),
        });
        Event {
            bytes: bytes.into(),
            recorded_at: self.recorded_at,
            source: SourceNumber(self.source),
            sequence: Sequence(self.sequence),
            machine,
            body,
        }
    }
}
