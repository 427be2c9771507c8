//! Streams of timelines: broken off and resumed, given up, and more of them than there is room for.

use crate::harness::{PLANT, Served, append, apply, reason, serve_in, short, state};
use crate::watch_many::many;
use std::time::Duration;
use tonic::Streaming;
use werkbuch_model::event::State;
use werkbuch_server::Limits;
use werkbuch_wire::pb::timeline_service_client::TimelineServiceClient;
use werkbuch_wire::pb::{self, StreamTimelinesResponse};
use werkbuch_wire::reason::{Reason, retry_delay_of};

/// Enough that the answer is more than a connection and the queues of the server hold.
const MACHINES: u32 = 400;
const BUCKETS: u32 = 2_000;

type Timelines = Streaming<StreamTimelinesResponse>;

async fn serve_many(limits: Limits) -> Served {
    let served = serve_in(tempfile::tempdir().unwrap(), limits).await;
    let mut model = served.model().await;
    model
        .apply_plant(apply(&many("north", MACHINES)))
        .await
        .unwrap();
    let opened = pb::OpenSourceRequest {
        parent: PLANT.into(),
        source: "gateway-1".into(),
        source_kind: pb::SourceKind::Live.into(),
        ..Default::default()
    };
    let opened = served.ingest().await.open_source(opened).await.unwrap();
    report(&served, opened.into_inner().session, 1).await;
    served
}

async fn report(served: &Served, session: u64, first: u64) {
    let events = (0..u64::from(MACHINES) * 2).map(|at| {
        let to = [State::Executing, State::Held, State::Faulted][at as usize % 3];
        state(first + at, 1 + at as u32 % MACHINES, to)
    });
    let batch = append(session, events.collect());
    served.ingest().await.append(batch).await.unwrap();
}

fn request() -> pb::StreamTimelinesRequest {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now = i64::try_from(now.unwrap().as_nanos()).unwrap();
    pb::StreamTimelinesRequest {
        parent: PLANT.into(),
        from_time: Some(now - 600_000_000_000),
        buckets: BUCKETS,
        ..Default::default()
    }
}

async fn begin(
    served: &Served,
    request: &pb::StreamTimelinesRequest,
) -> Result<Timelines, tonic::Status> {
    let mut client = TimelineServiceClient::new(served.channel().await);
    let begun = client.stream_timelines(request.clone()).await?;
    Ok(begun.into_inner())
}

/// Timelines with their parts put together, from messages.
fn joined(messages: &[StreamTimelinesResponse]) -> Vec<pb::Timeline> {
    let mut joined: Vec<pb::Timeline> = Vec::new();
    for part in messages
        .iter()
        .flat_map(|message| message.timelines.clone())
    {
        match joined.last_mut().filter(|one| !one.complete) {
            Some(open) => {
                let mut intervals = std::mem::take(&mut open.intervals);
                intervals.extend(part.intervals);
                *open = pb::Timeline { intervals, ..part };
            }
            None => joined.push(part),
        }
    }
    joined
}

#[tokio::test]
async fn broken_off_after_any_message_the_rest_is_of_the_same_instant() {
    let served = serve_many(short()).await;
    let asked = request();
    let mut stream = begin(&served, &asked).await.unwrap();
    let mut whole = Vec::new();
    while let Some(message) = stream.message().await.unwrap() {
        whole.push(message);
    }
    let end = whole[0].head.clone().unwrap();
    assert!(whole.len() > 6, "{} messages", whole.len());
    assert_eq!(end.total_size, MACHINES);
    // The same once more, in pieces, while more is reported: the token carries the instant.
    let known = end.reflected.clone().unwrap().position;
    let mut pieces = Vec::new();
    let mut again = pb::StreamTimelinesRequest {
        to_time: Some(end.to_time),
        instant: Some(pb::Instant {
            known: Some(pb::instant::Known::KnownPosition(known)),
            as_of: Some(end.reflected.clone().unwrap().as_of),
            ..Default::default()
        }),
        ..asked
    };
    let mut first = begin(&served, &again).await.unwrap();
    let head = first.message().await.unwrap().unwrap();
    assert_eq!(head.head.unwrap().reflected.unwrap().position, known);
    let opened = pb::OpenSourceRequest {
        parent: PLANT.into(),
        source: "gateway-2".into(),
        source_kind: pb::SourceKind::Live.into(),
        ..Default::default()
    };
    let opened = served.ingest().await.open_source(opened).await.unwrap();
    report(&served, opened.into_inner().session, 1).await;
    loop {
        let mut stream = begin(&served, &again).await.unwrap();
        let head = stream.message().await.unwrap().unwrap();
        assert_eq!(head.head.unwrap().reflected.unwrap().position, known);
        let Some(message) = stream.message().await.unwrap() else {
            break;
        };
        // What stands incomplete at the end of a message comes whole in the next stream.
        again.resume_token.clone_from(&message.resume_token);
        let complete = message.timelines.into_iter().filter(|one| one.complete);
        pieces.extend(complete);
    }
    let names = |all: &[pb::Timeline]| -> Vec<u32> { all.iter().map(|one| one.number).collect() };
    let expected = joined(&whole);
    assert_eq!(names(&pieces), names(&expected));
    assert_eq!(pieces, expected);
    for (change, what) in [
        (
            pb::StreamTimelinesRequest {
                buckets: 7,
                ..again.clone()
            },
            "another question",
        ),
        (
            pb::StreamTimelinesRequest {
                resume_token: "77".into(),
                ..again.clone()
            },
            "no token",
        ),
    ] {
        let status = begin(&served, &change).await.err().unwrap();
        assert_eq!(
            reason(&status),
            Reason::InvalidPageToken,
            "{what}: {status}"
        );
    }
    served.end().await;
}

#[tokio::test]
async fn streams_are_bounded_and_one_that_is_given_up_leaves_its_place() {
    let limits = Limits {
        streams: 1,
        slow_reader: Duration::from_secs(60),
        ..short()
    };
    let served = serve_many(limits).await;
    let asked = request();
    // It reads no further than the head, so the rest waits, and with it the one place.
    let mut first = begin(&served, &asked).await.unwrap();
    first.message().await.unwrap();
    let status = begin(&served, &asked).await.err().unwrap();
    assert_eq!(reason(&status), Reason::Overloaded, "{status}");
    assert!(retry_delay_of(&status).is_some());
    drop(first);
    let mut next = loop {
        match begin(&served, &asked).await {
            Ok(begun) => break begun,
            Err(status) => assert_eq!(reason(&status), Reason::Overloaded),
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    let mut machines = 0;
    while let Some(message) = next.message().await.unwrap() {
        machines += message.timelines.iter().filter(|one| one.complete).count();
    }
    assert_eq!(machines, MACHINES as usize);
    served.end().await;
}

#[tokio::test]
async fn who_does_not_read_is_let_go_with_the_reason() {
    let served = serve_many(short()).await;
    let mut stalled = begin(&served, &request()).await.unwrap();
    stalled.message().await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let status = loop {
        match stalled.message().await {
            Ok(message) => assert!(message.is_some(), "it ends with a reason"),
            Err(status) => break status,
        }
    };
    assert_eq!(reason(&status), Reason::SlowReader, "{status}");
    served.end().await;
}
