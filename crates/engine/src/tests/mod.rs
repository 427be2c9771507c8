//! Given these events, when this report arrives, then these are recorded or this refusal is given.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod corrections;
mod facts;
mod faults;
mod follow;
mod ingest;
mod overload;
mod past;
mod people;
mod restart;
mod revive;
mod rules;
mod samples;
mod simulation;
mod sources;
mod times;

use crate::{
    Apply, Batch, Engine, ManualClock, OpenSource, OpenedSource, Options, OutcomeResult, Plant,
};
use bytes::Bytes;
use std::sync::Arc;
use werkbuch_model::event::{
    Body, ItemChanged, Recorded, RefusalReason, Reported, SourceKind, State, StateChanged,
};
use werkbuch_model::id::{Epoch, MachineNumber, PlantId, Position, Sequence, SourceName};
use werkbuch_model::time::{SECOND_NS, Timestamp};
use werkbuch_record::{decode_recorded, encode_reported};

/// 2026-11-22T06:00:00Z.
pub(crate) const MORNING: Timestamp = Timestamp(1_795_327_200 * SECOND_NS);

/// An engine over a folder of its own, with clocks that the test moves.
pub(crate) struct Bench {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) engine: Engine,
    disk: Option<werkbuch_journal::disk::SimulatedDisk>,
}

impl Bench {
    pub(crate) async fn new() -> Self {
        Self::on(None).await
    }

    pub(crate) async fn on(disk: Option<werkbuch_journal::disk::SimulatedDisk>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::default());
        clock.pass(MORNING.nanos());
        let engine = Engine::open(options(&folder, &clock, disk.as_ref()))
            .await
            .unwrap();
        let bench = Self {
            folder,
            clock,
            engine,
            disk,
        };
        bench.apply(PLANT).await;
        bench
    }

    pub(crate) async fn apply(&self, text: &str) -> crate::Applied {
        self.engine.apply(apply(text, false)).await.unwrap()
    }

    /// Closes in good order and opens again.
    pub(crate) async fn reopen(mut self) -> Self {
        self.engine.close().await.unwrap();
        self.engine = Engine::open(options(&self.folder, &self.clock, self.disk.as_ref()))
            .await
            .unwrap();
        self
    }

    pub(crate) fn plant(&self) -> Plant {
        self.engine.plant(&PlantId::new("P").unwrap()).unwrap()
    }

    pub(crate) async fn open(&self, name: &str, epoch: Option<u32>) -> OpenedSource {
        self.try_open(name, epoch, SourceKind::Live).await.unwrap()
    }

    pub(crate) async fn try_open(
        &self,
        name: &str,
        epoch: Option<u32>,
        kind: SourceKind,
    ) -> Result<OpenedSource, crate::EngineError> {
        let request = OpenSource {
            source: SourceName::new(name).unwrap(),
            kind,
            epoch: epoch.map(Epoch),
            tolerance_ns: None,
            machines: vec!["m1".into()],
        };
        self.engine.open_source(self.plant().id(), request).await
    }

    /// Reports a batch and gives a short text for each run of outcomes.
    pub(crate) async fn report(&self, session: u64, events: &[Reported<'_>]) -> Vec<String> {
        let events = events
            .iter()
            .map(|event| Bytes::from(encode_reported(event)))
            .collect();
        self.send(
            session,
            Batch {
                events,
                bodies: Vec::new(),
            },
        )
        .await
    }

    pub(crate) async fn send(&self, session: u64, batch: Batch) -> Vec<String> {
        let appended = self.engine.append(session, batch).await.unwrap();
        appended.outcomes.iter().map(short).collect()
    }

    /// All recorded events, each handed to `f`.
    pub(crate) fn each<T>(&self, mut f: impl FnMut(&Recorded<'_>) -> T) -> Vec<T> {
        let events = self.plant().events(Position(1)).unwrap();
        events
            .map(|event| f(&decode_recorded(&event.unwrap().bytes).unwrap()))
            .collect()
    }

    /// The kinds of the last `n` recorded events.
    pub(crate) fn last_kinds(&self, n: usize) -> Vec<&'static str> {
        let kinds = self.each(|event| event.reported.body.kind().name());
        kinds[kinds.len() - n..].to_vec()
    }

    pub(crate) async fn digest(&self) -> [u8; 32] {
        let plant = self.plant();
        let now = werkbuch_model::instant::Instant::NOW;
        plant.ask(now, werkbuch_twin::Twin::digest).await.unwrap().0
    }
}

const PLANT: &str = "[plant]\nid = \"P\"\n[[machine]]\nid = \"m1\"\n[[machine]]\nid = \"m2\"\n";

fn options(
    folder: &tempfile::TempDir,
    clock: &Arc<ManualClock>,
    disk: Option<&werkbuch_journal::disk::SimulatedDisk>,
) -> Options {
    let mut options = Options::new(folder.path());
    options.clock = clock.clone();
    if let Some(disk) = disk {
        options.disk = Arc::new(disk.clone());
    }
    options
}

pub(crate) fn apply(text: &str, dry_run: bool) -> Apply {
    let file = werkbuch_model::plant::parse(text, "plant.toml").unwrap();
    Apply {
        file,
        file_name: "plant.toml".into(),
        file_hash: [7; 32],
        dry_run,
        who: "anna".into(),
        why: "test".into(),
    }
}

pub(crate) fn short(outcome: &crate::Outcome) -> String {
    let count = outcome.count;
    let first = outcome.first_sequence;
    match &outcome.result {
        OutcomeResult::Recorded(at) => format!("{count} from {first} recorded at {at}"),
        OutcomeResult::Repeated(at) => format!("{count} from {first} repeated at {at}"),
        OutcomeResult::Refused(refusal) => {
            format!("{count} from {first} refused {}", refusal.reason)
        }
    }
}

/// An event of machine 1, `seconds` after the morning.
pub(crate) fn event(sequence: u64, seconds: i64, body: Body<'_>) -> Reported<'_> {
    let at = MORNING.plus(seconds * SECOND_NS);
    Reported {
        sequence: Sequence(sequence),
        machine: MachineNumber(1),
        occurred_at: at,
        observed_at: Some(at),
        historical: false,
        body,
    }
}

pub(crate) fn item(text: &str) -> Body<'_> {
    Body::ItemChanged(ItemChanged {
        item: "note".into(),
        text: Some(text.into()),
    })
}

pub(crate) fn state(to: State) -> Body<'static> {
    Body::StateChanged(StateChanged {
        to,
        ..StateChanged::default()
    })
}

pub(crate) fn reason(refusal: RefusalReason, sequence: u64) -> String {
    format!("1 from {sequence} refused {refusal}")
}
