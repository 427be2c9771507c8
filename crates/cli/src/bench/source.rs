//! The source of a plant that is watched or has rules: its requests are made beforehand, so that only reporting is measured.

use super::fill;
use super::folder::Folder;
use super::ingest::grpc::send;
use super::mix::{Numbers, Talker, said_now};
use super::served::Served;
use crate::failure::{Failure, Outcome};
use bytes::Bytes;
use prost::Message;
use std::path::PathBuf;
use std::time::Instant;
use werkbuch_wire::name;
use werkbuch_wire::pb::ingest_service_client::IngestServiceClient;
use werkbuch_wire::pb::{self, AppendRequest};

/// The requests that may be under way unanswered.
const WINDOW: usize = 4;

/// A plant that one source reports to.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Stage {
    /// The machines of the plant.
    #[arg(long, default_value_t = 1_000, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=20_000))]
    pub(super) machines: u64,
    /// The events of one request.
    #[arg(long, default_value_t = 1_024, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=4_096))]
    pub(super) batch: u64,
    /// What makes the events look like chance.
    #[arg(long, default_value_t = 1, value_name = "N")]
    seed: u64,
    /// A folder to work in, which must be empty, instead of one that vanishes.
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
}

impl Stage {
    /// Describes the plant in a new log, starts a server on it and opens the source.
    /// Errors: the folder holds a log, those of the server.
    pub(super) async fn begin(&self, plant: &str) -> Outcome<(Folder, Served, Source)> {
        let folder = Folder::new(self.data.as_deref())?;
        if folder.has_log() {
            let what = format!("{} holds a log already", folder.path().display());
            return Err(Failure::usage(what).hint("give another --data, or none"));
        }
        let engine = fill::open(folder.path()).await?;
        fill::describe(&engine, fill::plant_file(plant, self.machines)?).await?;
        fill::close(engine).await?;
        let served = Served::start(folder.path()).await?;
        let source = Source::open(&served, plant, self).await?;
        Ok((folder, served, source))
    }
}

/// A source that has a connection of its own.
pub(super) struct Source {
    client: IngestServiceClient<tonic::transport::Channel>,
    session: u64,
    next: u64,
    numbers: Numbers,
    talkers: Vec<Talker>,
    batch: u64,
    /// The last position before its first event.
    before: u64,
    recorded: u64,
}

impl Source {
    /// Opens the source. Errors: those of the server.
    async fn open(served: &Served, plant: &str, stage: &Stage) -> Outcome<Self> {
        let mut client = IngestServiceClient::new(served.connect().await?.channel());
        let request = pb::OpenSourceRequest {
            parent: name::of_plant(plant),
            source: "gateway".to_owned(),
            source_kind: pb::SourceKind::Live.into(),
            ..pb::OpenSourceRequest::default()
        };
        let opened = client.open_source(request).await?.into_inner();
        let twin = pb::GetTwinRequest {
            name: name::of_plant(plant),
            ..pb::GetTwinRequest::default()
        };
        let twin = served.client.twin().get_twin(twin).await?.into_inner();
        let machines = usize::try_from(stage.machines).unwrap_or(usize::MAX);
        Ok(Self {
            client,
            session: opened.session,
            next: opened.next_sequence,
            numbers: Numbers::new(stage.seed),
            talkers: vec![Talker::default(); machines],
            batch: stage.batch.max(1),
            before: twin.reflected.map_or(0, |reflected| reflected.position),
            recorded: 0,
        })
    }

    /// The last position before its first event: only it reports, so that its events follow.
    pub(super) fn before(&self) -> u64 {
        self.before
    }

    /// How many events it has reported.
    pub(super) fn recorded(&self) -> u64 {
        self.recorded
    }

    /// The position of its last event.
    pub(super) fn end(&self) -> u64 {
        self.before + self.recorded
    }

    /// The next so many events as encoded requests.
    pub(super) fn requests(&mut self, mut events: u64) -> Vec<Bytes> {
        let mut requests = Vec::new();
        while events > 0 {
            let now = events.min(self.batch);
            let request = AppendRequest {
                session: self.session,
                events: (0..now).map(|_| self.event()).collect(),
                ..AppendRequest::default()
            };
            requests.push(request.encode_to_vec().into());
            events -= now;
        }
        requests
    }

    /// Reports; answers how long it took in nanoseconds, and the last position.
    /// Errors: those of the server; an event is not recorded.
    pub(super) async fn report(&mut self, requests: Vec<Bytes>) -> Outcome<(u64, u64)> {
        let begin = Instant::now();
        let (events, _) = send(self.client.clone(), requests, WINDOW).await?;
        let nanos = u64::try_from(begin.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.recorded += events;
        Ok((nanos, self.end()))
    }

    fn event(&mut self) -> Bytes {
        let said = said_now(&mut self.talkers, &mut self.numbers, self.next);
        self.next += 1;
        said.unwrap_or_default()
    }
}
