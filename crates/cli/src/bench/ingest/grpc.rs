//! Over the network: this process is the client of a server in another, on loopback.

use super::load::{self, Session};
use super::path::{Core, IngestPath, Marks, Round, nanos, not_recorded, written};
use super::{Args, internal};
use crate::bench::fill;
use crate::bench::measure::threads_cpu_ns;
use crate::bench::served::Served;
use crate::failure::Outcome;
use bytes::Bytes;
use futures::stream::{self, StreamExt};
use prost::Message;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use tokio::sync::Semaphore;
use werkbuch_journal::StoreKind;
use werkbuch_wire::pb::ingest_service_client::IngestServiceClient;
use werkbuch_wire::pb::{self, AppendRequest, AppendResponse, outcome};

/// A server and the ways to it: a connection for each source.
#[derive(Debug)]
pub(super) struct OverNetwork {
    data: PathBuf,
    store: StoreKind,
    served: Served,
    clients: Vec<Client>,
    sources: Vec<Session>,
}

type Client = IngestServiceClient<tonic::transport::Channel>;

impl OverNetwork {
    /// Starts a server on the folder and opens a source of each plant. Errors: it does not start.
    pub(super) async fn open(data: &Path, args: &Args) -> Outcome<Self> {
        let served = Served::start(data).await?;
        let (mut sources, mut clients) = (Vec::new(), Vec::new());
        for plant in 1..=args.plants {
            let mut client = IngestServiceClient::new(served.connect().await?.channel());
            let request = pb::OpenSourceRequest {
                parent: format!("tenants/default/plants/{}", load::plant(plant)?),
                source: "gateway".to_owned(),
                source_kind: pb::SourceKind::Live.into(),
                ..pb::OpenSourceRequest::default()
            };
            let opened = client.open_source(request).await?.into_inner();
            sources.push(Session {
                session: opened.session,
                next_sequence: opened.next_sequence,
            });
            clients.push(client);
        }
        Ok(Self {
            data: data.to_owned(),
            store: args.store,
            served,
            clients,
            sources,
        })
    }

    /// Ends the server, and closes its log in good order.
    pub(super) async fn close(self) -> Outcome<()> {
        drop(self.served);
        fill::close(fill::open_unsealed(&self.data, self.store).await?).await
    }

    /// Bytes written to the log and syncs so far, as the server's metrics say.
    async fn marks(&self) -> Outcome<Marks> {
        let page = self.served.client.page("/metrics").await?;
        let value = |name: &str| {
            let line = page.lines().find_map(|line| line.strip_prefix(name));
            let value = line.and_then(|rest| rest.trim().parse::<f64>().ok());
            value.ok_or_else(|| internal(&format!("the metrics lack {name}")))
        };
        let bytes = value("werkbuch_written_bytes_total ")?;
        let syncs = value("werkbuch_commit_sync_seconds_count ")?;
        Ok(Marks {
            bytes: written(self.store, bytes as u64, Some(self.served.process())),
            syncs: syncs as u64,
        })
    }
}

impl IngestPath for OverNetwork {
    fn sources(&self) -> Vec<Session> {
        self.sources.clone()
    }

    fn core(&self) -> Core {
        let server = Some(self.served.process());
        Core {
            all: threads_cpu_ns(server, |_| true),
            plants: threads_cpu_ns(server, |name| name.starts_with("plant ")),
            committer: threads_cpu_ns(server, |name| name == "committer"),
            client: threads_cpu_ns(None, |_| true),
        }
    }

    async fn report(&mut self, requests: Vec<Vec<Bytes>>, window: u64) -> Outcome<Round> {
        let before = self.marks().await?;
        let window = usize::try_from(window).unwrap_or(1);
        let begin = Instant::now();
        let streams: Vec<_> = self
            .clients
            .iter()
            .zip(requests)
            .map(|(client, requests)| tokio::spawn(send(client.clone(), requests, window)))
            .collect();
        let mut round = Round::default();
        for stream in streams {
            let (events, acks) = stream.await.map_err(|error| internal(&error))??;
            round.events += events;
            round.acks.extend(acks);
        }
        round.seconds = begin.elapsed().as_secs_f64();
        let marks = self.marks().await?.since(before);
        (round.bytes, round.syncs) = (marks.bytes, marks.syncs);
        Ok(round)
    }

    async fn single(&mut self, request: Bytes) -> Outcome<()> {
        let request = AppendRequest::decode(request).map_err(|error| internal(&error))?;
        let mut sources = self.sources.iter();
        let at = sources.position(|source| source.session == request.session);
        let client = at.and_then(|at| self.clients.get_mut(at));
        let client = client.ok_or_else(|| internal(&"a source without a connection"))?;
        let answer = client.append(request).await?.into_inner();
        recorded(&answer).map(drop)
    }
}

/// Sends the requests of one source over one stream, with at most `window` unanswered.
pub(in crate::bench) async fn send(
    mut client: Client,
    requests: Vec<Bytes>,
    window: usize,
) -> Outcome<(u64, Vec<u64>)> {
    let places = Arc::new(Semaphore::new(window));
    let begun = Arc::new(Mutex::new(VecDeque::new()));
    let (mut events, mut acks) = (0, Vec::with_capacity(requests.len()));
    let (free, started) = (Arc::clone(&places), Arc::clone(&begun));
    let outgoing = stream::iter(requests).then(move |request| {
        let (free, started) = (Arc::clone(&free), Arc::clone(&started));
        async move {
            // The place is given back with the answer.
            if let Ok(place) = free.acquire().await {
                place.forget();
            }
            let mut started = started.lock().unwrap_or_else(PoisonError::into_inner);
            started.push_back(Instant::now());
            // It was encoded by this program.
            AppendRequest::decode(request).unwrap_or_default()
        }
    });
    let mut answers = client.append_stream(outgoing).await?.into_inner();
    while let Some(answer) = answers.message().await? {
        events += recorded(&answer)?;
        let begin = begun
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop_front();
        acks.extend(begin.map(nanos));
        places.add_permits(1);
    }
    Ok((events, acks))
}

/// How many events an answer says are recorded. Errors: one is not.
fn recorded(answer: &AppendResponse) -> Outcome<u64> {
    let mut events = 0;
    for outcome in &answer.outcomes {
        if !matches!(outcome.result, Some(outcome::Result::Recorded(_))) {
            return Err(not_recorded(outcome));
        }
        events += u64::from(outcome.count);
    }
    Ok(events)
}
