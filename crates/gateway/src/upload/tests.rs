//! Tests against a server that fails on purpose.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use futures::StreamExt;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use tokio_stream::Stream;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::{Endpoint, Server};
use tonic::{Request, Response};
use werkbuch_model::event::{Body, ItemChanged};
use werkbuch_model::id::Position;
use werkbuch_model::time::Timestamp;
use werkbuch_wire::pb::ingest_service_server::{IngestService, IngestServiceServer};
use werkbuch_wire::pb::outcome::Result as Said;
use werkbuch_wire::reason::Reason;

/// What goes wrong at a batch, counted over all streams.
#[derive(Clone, Copy, Debug)]
enum Trouble {
    /// The batch is recorded, its answer is lost.
    LoseAnswer,
    /// The server has no room.
    Overload,
    /// A newer session took over.
    Fence,
    /// Events with this sequence are refused.
    Refuse(u64),
    /// The answer says nothing about the batch.
    SayNothing,
}

#[derive(Default)]
struct Book {
    log: BTreeMap<u64, u64>,
    opened: u64,
    batches: usize,
    largest: usize,
}

#[derive(Clone, Default)]
struct Fake {
    book: Arc<Mutex<Book>>,
    troubles: Arc<Vec<(usize, Trouble)>>,
}

impl Fake {
    fn take(&self, request: &pb::AppendRequest) -> Result<pb::AppendResponse, Status> {
        let mut book = self.book.lock().unwrap();
        if request.session != book.opened {
            return Err(Reason::UnknownSession.status("another session"));
        }
        let number = book.batches;
        book.batches += 1;
        book.largest = book.largest.max(request.events.len());
        let trouble = self.troubles.iter().find(|(at, _)| *at == number);
        let trouble = trouble.map(|(_, trouble)| *trouble);
        match trouble {
            Some(Trouble::Overload) => {
                return Err(Reason::Overloaded.retry("no room", Duration::from_millis(20)));
            }
            Some(Trouble::Fence) => return Err(Reason::SessionFenced.status("taken over")),
            Some(Trouble::SayNothing) => return Ok(pb::AppendResponse::default()),
            _ => {}
        }
        let events = request.events.iter();
        let outcomes = events
            .map(|event| outcome(&mut book, event, trouble))
            .collect();
        let position = book.log.len() as u64;
        if matches!(trouble, Some(Trouble::LoseAnswer)) {
            return Err(Status::unavailable("the line broke"));
        }
        Ok(pb::AppendResponse { outcomes, position })
    }
}

fn outcome(book: &mut Book, event: &Bytes, trouble: Option<Trouble>) -> pb::Outcome {
    let event = werkbuch_record::decode_reported(event).unwrap();
    let first_sequence = event.sequence.get();
    let next = book.log.len() as u64 + 1;
    let result = match (trouble, book.log.get(&first_sequence)) {
        (Some(Trouble::Refuse(bad)), _) if bad == first_sequence => {
            Said::Refused(pb::RefusedEvent {
                reason: pb::RefusalReason::TextTooLong.into(),
                field: "text".into(),
                message: "too long".into(),
            })
        }
        (_, Some(position)) => Said::RepeatedAt(*position),
        (_, None) => {
            book.log.insert(first_sequence, next);
            Said::Recorded(next)
        }
    };
    let result = Some(result);
    pb::Outcome {
        first_sequence,
        count: 1,
        result,
    }
}

type Answers = Pin<Box<dyn Stream<Item = Result<pb::AppendResponse, Status>> + Send>>;

#[tonic::async_trait]
impl IngestService for Fake {
    async fn open_source(
        &self,
        request: Request<pb::OpenSourceRequest>,
    ) -> Result<Response<pb::OpenSourceResponse>, Status> {
        let mut book = self.book.lock().unwrap();
        book.opened += 1;
        let machines = request.into_inner().machines.len();
        Ok(Response::new(pb::OpenSourceResponse {
            session: book.opened,
            epoch: 1,
            next_sequence: 1,
            machine_numbers: vec![7; machines],
            ..pb::OpenSourceResponse::default()
        }))
    }

    async fn append(
        &self,
        request: Request<pb::AppendRequest>,
    ) -> Result<Response<pb::AppendResponse>, Status> {
        self.take(&request.into_inner()).map(Response::new)
    }

    type AppendStreamStream = Answers;

    async fn append_stream(
        &self,
        request: Request<Streaming<pb::AppendRequest>>,
    ) -> Result<Response<Answers>, Status> {
        let fake = self.clone();
        let answers = request
            .into_inner()
            .map(move |request| fake.take(&request?));
        // As the real server does, a stream ends at its first error.
        let answers = answers.scan(false, |over, answer| {
            let last = std::mem::replace(over, answer.is_err());
            std::future::ready((!last).then_some(answer))
        });
        Ok(Response::new(Box::pin(answers)))
    }
}

async fn start(troubles: &[(usize, Trouble)]) -> (Fake, Channel) {
    let fake = Fake {
        troubles: Arc::new(troubles.to_vec()),
        ..Fake::default()
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = IngestServiceServer::new(fake.clone());
    let incoming = TcpListenerStream::new(listener);
    tokio::spawn(
        Server::builder()
            .add_service(service)
            .serve_with_incoming(incoming),
    );
    let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
    (fake, endpoint.connect_lazy())
}

fn source() -> Source {
    Source {
        plant: PlantId::new("P").unwrap(),
        name: SourceName::new("gateway-1").unwrap(),
        kind: SourceKind::Live,
        epoch: None,
        tolerance_ns: None,
        machines: vec!["m".into()],
    }
}

fn event(sequence: u64) -> Reported<'static> {
    Reported {
        sequence: Sequence(sequence),
        machine: MachineNumber(7),
        occurred_at: Timestamp(1),
        observed_at: None,
        historical: false,
        body: Body::ItemChanged(ItemChanged {
            item: Cow::Borrowed("x"),
            text: None,
        }),
    }
}

async fn upload(channel: Channel, events: u64) -> Result<Outcomes, UploadError> {
    let pace = Pace {
        batch_events: 10,
        patience: Duration::from_secs(5),
        ..Pace::default()
    };
    let mut uploader = Uploader::open(channel, source(), pace).await?;
    assert_eq!(uploader.opened().machine_numbers, [MachineNumber(7)]);
    for sequence in 1..=events {
        uploader.send(&event(sequence), None).await?;
    }
    uploader.settle().await?;
    Ok(uploader.outcomes().clone())
}

#[tokio::test]
async fn everything_is_acknowledged_in_batches() {
    let (fake, channel) = start(&[]).await;
    let outcomes = upload(channel, 1_005).await.unwrap();
    assert_eq!(
        (outcomes.sent, outcomes.recorded, outcomes.acknowledged()),
        (1_005, 1_005, 1_005)
    );
    assert_eq!(outcomes.position, Position(1_005));
    let book = fake.book.lock().unwrap();
    assert_eq!((book.batches, book.largest, book.opened), (101, 10, 1));
}

#[tokio::test]
async fn failures_that_pass_lose_nothing_and_repeat_nothing() {
    for troubles in [
        vec![(0, Trouble::LoseAnswer)],
        vec![(0, Trouble::Overload), (1, Trouble::Overload)],
        vec![
            (5, Trouble::LoseAnswer),
            (40, Trouble::Overload),
            (60, Trouble::LoseAnswer),
        ],
    ] {
        let (fake, channel) = start(&troubles).await;
        let outcomes = upload(channel, 500).await.unwrap();
        let lost = troubles
            .iter()
            .any(|(_, one)| matches!(one, Trouble::LoseAnswer));
        assert_eq!(outcomes.acknowledged(), 500, "{troubles:?}");
        assert_eq!(outcomes.repeated > 0, lost, "{troubles:?}");
        let book = fake.book.lock().unwrap();
        assert_eq!(book.log.len(), 500);
        let in_order = book
            .log
            .iter()
            .all(|(sequence, position)| sequence == position);
        assert!(in_order, "events came out of order: {troubles:?}");
    }
}

#[tokio::test]
async fn a_fence_is_final() {
    let (fake, channel) = start(&[(3, Trouble::Fence)]).await;
    let error = upload(channel, 500).await.unwrap_err();
    let reason = error.status().and_then(Reason::of);
    assert_eq!(reason, Some(Reason::SessionFenced), "{error}");
    assert_eq!(
        fake.book.lock().unwrap().opened,
        1,
        "it must not take the say back"
    );
}

#[tokio::test]
async fn refusals_are_counted_with_their_first_example() {
    let (_, channel) = start(&[(1, Trouble::Refuse(13))]).await;
    let outcomes = upload(channel, 30).await.unwrap();
    assert_eq!((outcomes.recorded, outcomes.refused_total()), (29, 1));
    let refused = outcomes.refused.get("TEXT_TOO_LONG").unwrap();
    assert_eq!(
        (refused.first_sequence, refused.message.as_str()),
        (13, "too long")
    );
}

#[tokio::test]
async fn an_answer_that_covers_nothing_is_an_error() {
    let (_, channel) = start(&[(0, Trouble::SayNothing)]).await;
    let error = upload(channel, 5).await.unwrap_err();
    assert!(
        matches!(
            error,
            UploadError::Uncovered {
                sent: 5,
                covered: 0
            }
        ),
        "{error}"
    );
}

#[tokio::test]
async fn patience_ends() {
    let channel = Endpoint::from_static("http://127.0.0.1:1").connect_lazy();
    let pace = Pace {
        patience: Duration::from_millis(250),
        ..Pace::default()
    };
    let error = Uploader::open(channel, source(), pace).await.unwrap_err();
    assert!(matches!(error, UploadError::GaveUp { .. }), "{error}");
}
