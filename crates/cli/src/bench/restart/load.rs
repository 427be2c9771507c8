//! Reports to every plant of a server until it is killed in the middle of it.

use super::super::mix::{Numbers, Talker, said_now};
use super::super::served::Served;
use super::Args;
use crate::bench::fleet::plant_name;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use werkbuch_wire::pb::ingest_service_client::IngestServiceClient;
use werkbuch_wire::pb::{self, AppendRequest};

/// How many events are in a request.
const BATCH: u64 = 500;
/// Each plant has got so many answers when the server is killed.
const ANSWERS: u64 = 20;
/// How often it is looked whether they have come.
const LOOK: Duration = Duration::from_millis(2);

type Client = IngestServiceClient<tonic::transport::Channel>;

/// Starts a server, reports to all of its plants at once, and kills it while they go on. Answers how
/// many events were acknowledged. Errors: the server does not start, or answers anything but that they
/// are recorded.
pub(super) async fn killed(data: &Path, args: &Args) -> Outcome<u64> {
    let served = Served::start(data).await?;
    let mut sources = Vec::new();
    for plant in 1..=args.plants {
        let client = IngestServiceClient::new(served.connect().await?.channel());
        let answers = Arc::new(AtomicU64::new(0));
        let source = Source::open(client, plant, args, Arc::clone(&answers)).await?;
        sources.push((tokio::spawn(source.report()), answers));
    }
    while sources
        .iter()
        .any(|(task, answers)| !task.is_finished() && answers.load(Ordering::Relaxed) < ANSWERS)
    {
        tokio::time::sleep(LOOK).await;
    }
    drop(served);
    let mut events = 0;
    for (task, answers) in sources {
        let ended = task.await;
        let ended =
            ended.map_err(|error| Failure::new(Exit::Failed, "INTERNAL", error.to_string()))?;
        let answers = answers.load(Ordering::Relaxed);
        // Before the server was killed nothing may have failed.
        if answers < ANSWERS {
            return Err(ended);
        }
        events += answers * BATCH;
    }
    Ok(events)
}

/// A source that reports one request after the other.
struct Source {
    client: Client,
    session: u64,
    next: u64,
    numbers: Numbers,
    talkers: Vec<Talker>,
    answers: Arc<AtomicU64>,
}

impl Source {
    async fn open(
        mut client: Client,
        plant: u64,
        args: &Args,
        answers: Arc<AtomicU64>,
    ) -> Outcome<Self> {
        let request = pb::OpenSourceRequest {
            parent: plant_name(plant),
            source: "load".to_owned(),
            source_kind: pb::SourceKind::Live.into(),
            ..pb::OpenSourceRequest::default()
        };
        let opened = client.open_source(request).await?.into_inner();
        Ok(Self {
            client,
            session: opened.session,
            next: opened.next_sequence,
            numbers: Numbers::new(args.seed.wrapping_mul(1_000_003).wrapping_add(plant)),
            talkers: (0..args.machines).map(|_| Talker::default()).collect(),
            answers,
        })
    }

    /// Reports until the server is gone; answers with what it said then.
    async fn report(mut self) -> Failure {
        loop {
            let request = self.request();
            match self.client.append(request).await {
                Ok(_) => self.answers.fetch_add(1, Ordering::Relaxed),
                Err(status) => return Failure::from(status),
            };
        }
    }

    fn request(&mut self) -> AppendRequest {
        let mut request = AppendRequest {
            session: self.session,
            ..AppendRequest::default()
        };
        for _ in 0..BATCH {
            let said = said_now(&mut self.talkers, &mut self.numbers, self.next);
            self.next += 1;
            request.events.extend(said);
        }
        request
    }
}
