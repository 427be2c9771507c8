//! What the sources of an ingest benchmark report: requests, encoded as they cross the network.

use super::Args;
use crate::bench::mix::{Numbers, Talker};
use crate::failure::{Failure, Outcome};
use crate::when;
use bytes::Bytes;
use prost::Message;
use werkbuch_model::event::Reported;
use werkbuch_model::id::{MachineNumber, PlantId, Sequence};
use werkbuch_model::time::Timestamp;
use werkbuch_record::encode_reported;
use werkbuch_wire::pb::AppendRequest;

/// How far apart the events of one source are in the plant's time, in nanoseconds.
const STEP_NS: i64 = 1_000_000;

/// An open source: its session, and the number of its next event.
#[derive(Clone, Copy, Debug)]
pub(super) struct Session {
    pub(super) session: u64,
    pub(super) next_sequence: u64,
}

/// All sources.
#[derive(Debug)]
pub(super) struct Load {
    voices: Vec<Voice>,
    batch: u64,
    turn: usize,
}

#[derive(Debug)]
struct Voice {
    source: Session,
    numbers: Numbers,
    talkers: Vec<Talker>,
    at: Timestamp,
    /// What it has said so far, in bytes, without the frame of a request.
    bytes: u64,
}

impl Load {
    /// The sources, each of which speaks for every machine of its plant.
    pub(super) fn new(args: &Args, sources: Vec<Session>) -> Self {
        let share = i64::try_from(args.events() / args.plants.max(1)).unwrap_or(i64::MAX);
        let begin = when::now().plus(share.saturating_mul(STEP_NS).saturating_neg());
        let machines = usize::try_from(args.machines).unwrap_or(usize::MAX);
        let voice = |(number, source): (u64, Session)| Voice {
            source,
            numbers: Numbers::new(args.seed.wrapping_mul(1_000_003).wrapping_add(number)),
            talkers: vec![Talker::default(); machines],
            at: begin,
            bytes: 0,
        };
        Self {
            voices: (1..).zip(sources).map(voice).collect(),
            batch: args.batch,
            turn: 0,
        }
    }

    /// The next so many events as encoded requests, those of each source by themselves.
    pub(super) fn requests(&mut self, events: u64) -> Vec<Vec<Bytes>> {
        let (count, batch) = (self.voices.len().max(1) as u64, self.batch);
        let shares = (0..count).map(|voice| events / count + u64::from(voice < events % count));
        let voices = self.voices.iter_mut().zip(shares);
        voices
            .map(|(voice, share)| voice.batches(share, batch))
            .collect()
    }

    /// The bytes of all events so far as they are reported.
    pub(super) fn bytes(&self) -> u64 {
        self.voices.iter().map(|voice| voice.bytes).sum()
    }

    /// One event by itself, of the source whose turn it is.
    pub(super) fn single(&mut self) -> Bytes {
        self.turn = (self.turn + 1).checked_rem(self.voices.len()).unwrap_or(0);
        let voice = self.voices.get_mut(self.turn);
        voice.map(|voice| voice.request(1)).unwrap_or_default()
    }
}

impl Voice {
    fn batches(&mut self, mut events: u64, batch: u64) -> Vec<Bytes> {
        let mut batches = Vec::new();
        while events > 0 {
            let now = events.min(batch.max(1));
            batches.push(self.request(now));
            events -= now;
        }
        batches
    }

    fn request(&mut self, events: u64) -> Bytes {
        let request = AppendRequest {
            session: self.source.session,
            events: (0..events).map(|_| self.event()).collect(),
            ..AppendRequest::default()
        };
        request.encode_to_vec().into()
    }

    fn event(&mut self) -> Bytes {
        let machine = self.numbers.below(self.talkers.len() as u64);
        let talker = usize::try_from(machine).ok();
        let talker = talker.and_then(|at| self.talkers.get_mut(at));
        let Some(talker) = talker else {
            return Bytes::new();
        };
        let event = Reported {
            sequence: Sequence(self.source.next_sequence),
            machine: MachineNumber(u32::try_from(machine + 1).unwrap_or(u32::MAX)),
            occurred_at: self.at,
            observed_at: Some(self.at),
            historical: false,
            body: talker.next(&mut self.numbers),
        };
        self.source.next_sequence += 1;
        self.at = self.at.plus(STEP_NS);
        let event = encode_reported(&event);
        self.bytes += event.len() as u64;
        event.into()
    }
}

/// The id of a plant of the benchmark.
pub(super) fn plant(number: u64) -> Outcome<PlantId> {
    let id = PlantId::new(format!("plant-{number:03}"));
    id.map_err(|error| Failure::usage(error.to_string()))
}
