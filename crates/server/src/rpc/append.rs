//! A stream of batches: a bounded number under way, answers in the order of the requests.

use crate::context::{Context, shutting_down};
use crate::limits::STREAM_BATCHES_MAX;
use crate::outbound::Outbound;
use crate::plain::explained;
use crate::{error, view};
use futures::future::{BoxFuture, FutureExt, ready};
use futures::stream::{FuturesOrdered, StreamExt};
use std::sync::Arc;
use std::time::Duration;
use tonic::{Status, Streaming};
use werkbuch_engine::{Appended, Batch, Engine, EngineError};
use werkbuch_wire::pb::{AppendRequest, AppendResponse};
use werkbuch_wire::reason::Reason;

/// A batch with the session it belongs to.
type Request = (u64, Batch);
/// A batch on its way.
type UnderWay = BoxFuture<'static, Result<Appended, EngineError>>;

/// The session and the batch of a request. Errors: `UNKNOWN_FIELD`.
pub(super) fn batch(request: AppendRequest) -> Result<Request, Status> {
    if let Some(field) = request.unknown_field {
        return Err(Reason::UnknownField.status(format!(
            "the request holds field {field}, which this server does not know; upgrade the server \
             before its sources"
        )));
    }
    let AppendRequest {
        session,
        events,
        bodies,
        ..
    } = request;
    Ok((session, Batch { events, bodies }))
}

/// Reads batches while there is room, and answers each. After an error nothing more is read, and the
/// batches under way are answered before it is told.
pub(super) async fn relay(
    context: Arc<Context>,
    mut requests: Streaming<AppendRequest>,
    out: Outbound<AppendResponse>,
) {
    let mut under_way: FuturesOrdered<UnderWay> = FuturesOrdered::new();
    // A batch that found the queue of its plant full: the stream stands still until it is taken, so
    // that the sender is held back and the order of the batches kept.
    let mut held: Option<(Request, Duration)> = None;
    // What the stream ends with, once nothing more is read.
    let mut end: Option<Result<(), Status>> = None;
    loop {
        if under_way.is_empty() && held.is_none() && end.is_some() {
            break;
        }
        let is_reading = end.is_none() && held.is_none() && under_way.len() < STREAM_BATCHES_MAX;
        let delay = held.as_ref().map_or(Duration::ZERO, |(_, delay)| *delay);
        tokio::select! {
            biased;
            Some(done) = under_way.next() => match done {
                Ok(done) => if let Err(ended) = out.send(view::ingest::appended(done)).await {
                    return out.give_up(&ended);
                },
                Err(failed) => return out.end(error::status(failed)),
            },
            () = out.gone() => return,
            () = context.stopping(), if end.is_none() => end = Some(Err(shutting_down())),
            () = tokio::time::sleep(delay), if held.is_some() => {
                if let Some((request, _)) = held.take() {
                    held = hand_in(&context.engine, request, &mut under_way);
                }
            }
            request = requests.message(), if is_reading => match read(request) {
                Ok(Some(request)) => held = hand_in(&context.engine, request, &mut under_way),
                Ok(None) => end = Some(Ok(())),
                Err(status) => end = Some(Err(status)),
            },
        }
    }
    if let Some(Err(status)) = end {
        out.end(status);
    }
}

fn read(request: Result<Option<AppendRequest>, Status>) -> Result<Option<Request>, Status> {
    match request {
        Ok(request) => request.map(batch).transpose(),
        Err(status) => Err(explained(&status).unwrap_or(status)),
    }
}

/// Hands a batch to the engine, which takes or refuses it when it is first asked. Answers with the
/// batch when it found the queue full, and with the time after which to try again.
fn hand_in(
    engine: &Engine,
    (session, batch): Request,
    under_way: &mut FuturesOrdered<UnderWay>,
) -> Option<(Request, Duration)> {
    let (asked, kept) = (engine.clone(), batch.clone());
    let mut appending = async move { asked.append(session, batch).await }.boxed();
    match (&mut appending).now_or_never() {
        Some(Err(EngineError::Overloaded { retry, .. })) => return Some(((session, kept), retry)),
        Some(done) => under_way.push_back(ready(done).boxed()),
        None => under_way.push_back(appending),
    }
    None
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use werkbuch_engine::{Apply, OpenSource, Options, OutcomeResult};
    use werkbuch_model::event::{Body, ItemChanged, Reported, SourceKind};
    use werkbuch_model::id::{MachineNumber, PlantId, Sequence, SourceName};
    use werkbuch_model::plant::parse;
    use werkbuch_model::time::Timestamp;
    use werkbuch_record::encode_reported;

    const BATCHES: u64 = 400;
    const EVENTS: u64 = 50;

    async fn session(engine: &Engine) -> u64 {
        let text = "[plant]\nid = \"PLT-07\"\n[[machine]]\nid = \"press-1\"\n";
        let apply = Apply {
            file: parse(text, "plant.toml").unwrap(),
            file_name: "plant.toml".into(),
            file_hash: [0; 32],
            dry_run: false,
            who: "anna".into(),
            why: "a test".into(),
        };
        engine.apply(apply).await.unwrap();
        let source = OpenSource {
            source: SourceName::new("gateway-1").unwrap(),
            kind: SourceKind::Import,
            epoch: None,
            tolerance_ns: None,
            machines: Vec::new(),
        };
        let plant = PlantId::new("PLT-07").unwrap();
        engine.open_source(&plant, source).await.unwrap().session
    }

    fn events(batch: u64) -> Batch {
        let event = |sequence| Reported {
            sequence: Sequence(sequence),
            machine: MachineNumber(1),
            occurred_at: Timestamp(1_000_000_000),
            observed_at: None,
            historical: false,
            body: Body::ItemChanged(ItemChanged {
                item: "x".into(),
                text: None,
            }),
        };
        let events = (batch * EVENTS + 1..=(batch + 1) * EVENTS)
            .map(|sequence| encode_reported(&event(sequence)).into());
        Batch {
            events: events.collect(),
            bodies: Vec::new(),
        }
    }

    #[tokio::test]
    async fn a_batch_that_finds_the_queue_full_is_held_and_goes_first() {
        let folder = tempfile::tempdir().unwrap();
        let engine = Engine::open(Options::new(folder.path())).await.unwrap();
        let session = session(&engine).await;
        let mut under_way = FuturesOrdered::new();
        let mut times_held = 0;
        for batch in 0..BATCHES {
            let mut held = hand_in(&engine, (session, events(batch)), &mut under_way);
            while let Some((request, delay)) = held {
                times_held += 1;
                assert!(delay > Duration::ZERO);
                tokio::time::sleep(Duration::from_millis(1)).await;
                held = hand_in(&engine, request, &mut under_way);
            }
        }
        let (mut sequence, mut position) = (1, 0);
        while let Some(done) = under_way.next().await {
            for outcome in done.unwrap().outcomes {
                assert_eq!(outcome.first_sequence, Sequence(sequence));
                let OutcomeResult::Recorded(first) = outcome.result else {
                    unreachable!()
                };
                assert!(
                    first.get() > position,
                    "recorded in the order of the stream"
                );
                sequence += u64::from(outcome.count);
                position = first.get();
            }
        }
        assert_eq!(sequence, BATCHES * EVENTS + 1);
        assert!(
            times_held > 0,
            "the queue never filled, so this test says nothing"
        );
        engine.close().await.unwrap();
    }
}
