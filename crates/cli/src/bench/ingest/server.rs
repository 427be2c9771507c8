//! The server's path without the network: requests are decoded and go through the engine.

use super::load::{self, Session};
use super::path::{Core, IngestPath, Marks, Round, nanos, not_recorded, written};
use super::{Args, internal};
use crate::bench::fill;
use crate::bench::measure::threads_cpu_ns;
use crate::command::serve::engine_failure;
use crate::failure::{Failure, Outcome};
use bytes::Bytes;
use futures::future::{BoxFuture, FutureExt, ready};
use futures::stream::{FuturesOrdered, StreamExt};
use prost::Message;
use std::time::Instant;
use werkbuch_engine::{Appended, Batch, Engine, EngineError, OpenSource, OutcomeResult};
use werkbuch_journal::StoreKind;
use werkbuch_model::event::SourceKind;
use werkbuch_model::id::SourceName;
use werkbuch_wire::pb::AppendRequest;

/// An engine in this process.
#[derive(Debug)]
pub(super) struct InProcess {
    engine: Engine,
    store: StoreKind,
    sources: Vec<Session>,
}

impl InProcess {
    /// Opens a source of each plant. Errors: those of the engine.
    pub(super) async fn open(engine: Engine, args: &Args) -> Outcome<Self> {
        let mut sources = Vec::new();
        for plant in 1..=args.plants {
            let source = OpenSource {
                source: SourceName::new("gateway")
                    .map_err(|error| Failure::usage(error.to_string()))?,
                kind: SourceKind::Live,
                epoch: None,
                tolerance_ns: None,
                machines: Vec::new(),
            };
            let opened = engine.open_source(&load::plant(plant)?, source).await;
            let opened = opened.map_err(|error| engine_failure(&error))?;
            sources.push(Session {
                session: opened.session,
                next_sequence: opened.next_sequence.get(),
            });
        }
        Ok(Self {
            engine,
            store: args.store,
            sources,
        })
    }

    fn marks(&self) -> Marks {
        let figures = self.engine.figures();
        Marks {
            bytes: written(self.store, figures.written_bytes, None),
            syncs: figures.sync.count(),
        }
    }

    /// Ends the engine in good order.
    pub(super) async fn close(self) -> Outcome<()> {
        fill::close(self.engine).await
    }
}

impl IngestPath for InProcess {
    fn sources(&self) -> Vec<Session> {
        self.sources.clone()
    }

    fn core(&self) -> Core {
        Core {
            all: threads_cpu_ns(None, |_| true),
            plants: threads_cpu_ns(None, |name| name.starts_with("plant ")),
            committer: threads_cpu_ns(None, |name| name == "committer"),
            client: None,
        }
    }

    async fn report(&mut self, requests: Vec<Vec<Bytes>>, window: u64) -> Outcome<Round> {
        let before = self.marks();
        let begin = Instant::now();
        let window = usize::try_from(window).unwrap_or(1);
        let streams: Vec<_> = requests
            .into_iter()
            .map(|requests| tokio::spawn(stream(self.engine.clone(), requests, window)))
            .collect();
        let mut round = Round::default();
        for stream in streams {
            let (events, acks) = stream.await.map_err(|error| internal(&error))??;
            round.events += events;
            round.acks.extend(acks);
        }
        round.seconds = begin.elapsed().as_secs_f64();
        let marks = self.marks().since(before);
        (round.bytes, round.syncs) = (marks.bytes, marks.syncs);
        Ok(round)
    }

    async fn single(&mut self, request: Bytes) -> Outcome<()> {
        let done = stream(self.engine.clone(), vec![request], 1).await;
        done.map(drop)
    }
}

/// Sends the requests of one source as a stream of the server does: each is decoded and handed in
/// when there is room, and several are under way in their order.
async fn stream(engine: Engine, requests: Vec<Bytes>, window: usize) -> Outcome<(u64, Vec<u64>)> {
    let (mut events, mut acks) = (0, Vec::with_capacity(requests.len()));
    let mut requests = requests.into_iter();
    let mut under_way: FuturesOrdered<UnderWay> = FuturesOrdered::new();
    loop {
        while under_way.len() < window
            && let Some(request) = requests.next()
        {
            let begin = Instant::now();
            let request = AppendRequest::decode(request).map_err(|error| internal(&error))?;
            under_way.push_back(hand_in(&engine, request, begin).await);
        }
        let Some((done, begin)) = under_way.next().await else {
            return Ok((events, acks));
        };
        events += recorded(done)?;
        acks.push(nanos(begin));
    }
}

type UnderWay = BoxFuture<'static, (Result<Appended, EngineError>, Instant)>;

/// Hands a batch to the engine, which takes it when it is first asked; a full queue is waited for.
async fn hand_in(engine: &Engine, request: AppendRequest, begin: Instant) -> UnderWay {
    let AppendRequest {
        session, events, ..
    } = request;
    let batch = Batch {
        events,
        bodies: Vec::new(),
    };
    loop {
        let (engine, batch) = (engine.clone(), batch.clone());
        let mut appending = async move { (engine.append(session, batch).await, begin) }.boxed();
        match (&mut appending).now_or_never() {
            Some((Err(EngineError::Overloaded { retry, .. }), _)) => {
                tokio::time::sleep(retry).await;
            }
            Some(done) => return ready(done).boxed(),
            None => return appending,
        }
    }
}

/// How many events a batch recorded. Errors: one was not.
fn recorded(done: Result<Appended, EngineError>) -> Outcome<u64> {
    let mut events = 0;
    for outcome in done.map_err(|error| engine_failure(&error))?.outcomes {
        if !matches!(outcome.result, OutcomeResult::Recorded(_)) {
            return Err(not_recorded(&outcome));
        }
        events += u64::from(outcome.count);
    }
    Ok(events)
}
