//! The way in: what is recorded, repeated and refused, one by one and as a stream.

use crate::harness::{PLANT, append, open, reason, serve_plant, state};
use bytes::Bytes;
use prost::Message;
use std::time::Duration;
use tonic::Code;
use werkbuch_model::event::State;
use werkbuch_wire::pb::{self, outcome::Result as Became};
use werkbuch_wire::reason::Reason;

#[tokio::test]
async fn a_batch_is_recorded_repeated_and_refused_event_by_event() {
    let served = serve_plant().await;
    let mut client = served.ingest().await;
    let opened = client
        .open_source(open("gateway-1"))
        .await
        .unwrap()
        .into_inner();
    assert_eq!((opened.epoch, opened.next_sequence), (1, 1));
    assert_eq!(opened.machine_numbers, [1]);
    assert_eq!(opened.message_bytes_max, 4 * 1024 * 1024);
    let events = vec![
        state(1, 1, State::Executing),
        state(2, 1, State::Held),
        state(3, 99, State::Held),
        Bytes::from_static(b"\xff\xff"),
    ];
    let request = append(opened.session, events);
    let done = client.append(request.clone()).await.unwrap().into_inner();
    let results: Vec<_> = done
        .outcomes
        .iter()
        .map(|one| one.result.clone().unwrap())
        .collect();
    let Became::Recorded(first) = results[0] else {
        panic!("{results:?}")
    };
    assert_eq!(done.outcomes[0].count, 2);
    let Became::Refused(unknown) = &results[1] else {
        panic!("{results:?}")
    };
    assert_eq!(unknown.reason(), pb::RefusalReason::UnknownMachine);
    assert!(!unknown.message.is_empty());
    let Became::Refused(malformed) = &results[2] else {
        panic!("{results:?}")
    };
    assert_eq!(malformed.reason(), pb::RefusalReason::MalformedEvent);
    let again = client.append(request).await.unwrap().into_inner();
    assert_eq!(again.outcomes[0].result, Some(Became::RepeatedAt(first)));
    served.end().await;
}

#[tokio::test]
async fn requests_that_are_wrong_as_a_whole_have_reasons() {
    let served = serve_plant().await;
    let mut client = served.ingest().await;
    let opening = |change: fn(&mut pb::OpenSourceRequest)| {
        let mut request = open("gateway-1");
        change(&mut request);
        request
    };
    let cases: [(pb::OpenSourceRequest, Reason); 7] = [
        (
            opening(|one| one.parent = "tenants/default/plants/PLT-99".into()),
            Reason::UnknownPlant,
        ),
        (
            opening(|one| one.parent = "plants/PLT-07".into()),
            Reason::InvalidName,
        ),
        (
            opening(|one| one.parent = "tenants/other/plants/PLT-07".into()),
            Reason::UnknownTenant,
        ),
        (
            opening(|one| one.source = "a b".into()),
            Reason::InvalidName,
        ),
        (opening(|one| one.source_kind = 0), Reason::InvalidRequest),
        (opening(|one| one.epoch = Some(7)), Reason::UnknownEpoch),
        (
            opening(|one| one.machines = vec!["press-9".into()]),
            Reason::UnknownMachine,
        ),
    ];
    for (request, expected) in cases {
        let status = client.open_source(request.clone()).await.unwrap_err();
        assert_eq!(reason(&status), expected, "{request:?}");
        assert_eq!(status.code(), expected.code());
    }
    let session = served.session("gateway-1").await;
    let status = client
        .append(append(session, Vec::new()))
        .await
        .unwrap_err();
    assert_eq!(reason(&status), Reason::EmptyBatch);
    let one = vec![state(1, 1, State::Idle)];
    let status = client
        .append(append(session + 77, one.clone()))
        .await
        .unwrap_err();
    assert_eq!(
        (reason(&status), status.code()),
        (Reason::UnknownSession, Code::FailedPrecondition)
    );
    served.session("gateway-1").await;
    let status = client.append(append(session, one)).await.unwrap_err();
    assert_eq!(reason(&status), Reason::SessionFenced);
    served.end().await;
}

#[tokio::test]
async fn unknown_fields_are_refused() {
    /// An append request of a later version.
    #[derive(Clone, PartialEq, Message)]
    struct Later {
        #[prost(uint64, tag = "1")]
        session: u64,
        #[prost(uint64, tag = "9")]
        novelty: u64,
    }
    let served = serve_plant().await;
    let session = served.session("gateway-1").await;
    let mut client = tonic::client::Grpc::new(served.channel().await);
    client.ready().await.unwrap();
    let codec = tonic_prost::ProstCodec::<Later, pb::AppendResponse>::default();
    let path = http::uri::PathAndQuery::from_static("/werkbuch.v1.IngestService/Append");
    let request = tonic::Request::new(Later {
        session,
        novelty: 1,
    });
    let status = client.unary(request, path, codec).await.unwrap_err();
    assert_eq!(reason(&status), Reason::UnknownField);
    assert!(status.message().contains("field 9"), "{status}");
    served.end().await;
}

#[tokio::test]
async fn a_stream_answers_each_request_in_order() {
    let served = serve_plant().await;
    let session = served.session("gateway-1").await;
    let total = 200_u64;
    let requests = (1..=total).map(move |sequence| {
        let to = if sequence % 2 == 0 {
            State::Idle
        } else {
            State::Executing
        };
        append(session, vec![state(sequence, 1, to)])
    });
    let requests = tokio_stream::iter(requests);
    let mut answers = served
        .ingest()
        .await
        .append_stream(requests)
        .await
        .unwrap()
        .into_inner();
    let (mut expected, mut last) = (1, 0);
    while let Some(answer) = answers.message().await.unwrap() {
        let outcome = &answer.outcomes[0];
        assert_eq!((outcome.first_sequence, outcome.count), (expected, 1));
        let Some(Became::Recorded(position)) = outcome.result else {
            panic!("{outcome:?}")
        };
        assert!(position > last && answer.position >= position);
        (expected, last) = (expected + 1, position);
    }
    assert_eq!(expected, total + 1);
    served.end().await;
}

#[tokio::test]
async fn an_error_ends_a_stream_after_the_answers_before_it() {
    let served = serve_plant().await;
    let session = served.session("gateway-1").await;
    let requests = vec![
        append(session, vec![state(1, 1, State::Idle)]),
        append(session + 5, vec![state(2, 1, State::Idle)]),
        append(session, vec![state(3, 1, State::Idle)]),
    ];
    let requests = tokio_stream::iter(requests);
    let mut answers = served
        .ingest()
        .await
        .append_stream(requests)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        answers.message().await.unwrap().unwrap().outcomes[0].first_sequence,
        1
    );
    assert_eq!(
        reason(&answers.message().await.unwrap_err()),
        Reason::UnknownSession
    );
    served.end().await;
}

#[tokio::test]
async fn many_streams_of_one_plant_are_held_back_and_not_refused() {
    let served = serve_plant().await;
    let mut streams = Vec::new();
    for number in 0..8 {
        let session = served.session(&format!("gateway-{number}")).await;
        let requests = (1..=60).map(move |sequence| {
            append(session, vec![state(sequence, 1 + number % 5, State::Idle)])
        });
        let mut client = served.ingest().await;
        streams.push(tokio::spawn(async move {
            let answers = client.append_stream(tokio_stream::iter(requests)).await;
            let mut answers = answers.unwrap().into_inner();
            let mut count = 0;
            while let Some(answer) = answers.message().await.unwrap() {
                assert!(matches!(
                    answer.outcomes[0].result,
                    Some(Became::Recorded(_))
                ));
                count += 1;
            }
            count
        }));
    }
    for stream in streams {
        assert_eq!(stream.await.unwrap(), 60);
    }
    served.end().await;
}

#[tokio::test]
async fn who_reads_no_answers_is_told_and_ends() {
    let served = serve_plant().await;
    let session = served.session("gateway-1").await;
    let channel = served
        .endpoint()
        .initial_stream_window_size(65_535)
        .connect()
        .await
        .unwrap();
    let mut client = pb::ingest_service_client::IngestServiceClient::new(channel);
    let garbage = move |_| append(session, vec![Bytes::from_static(b"\xff\xff"); 500]);
    // Without an end: only the server can end it.
    let requests = tokio_stream::iter((0..u64::MAX).map(garbage));
    let mut answers = client.append_stream(requests).await.unwrap().into_inner();
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let (mut read, end) = (0, std::time::Instant::now() + Duration::from_secs(20));
    let status = loop {
        assert!(
            std::time::Instant::now() < end,
            "the stream goes on after {read} answers"
        );
        match answers.message().await {
            Ok(Some(_)) => read += 1,
            Ok(None) => panic!("the stream ended without a reason"),
            Err(status) => break status,
        }
    };
    assert_eq!(reason(&status), Reason::SlowReader);
    assert!(
        (1..500).contains(&read),
        "a bounded number of answers waited: {read}"
    );
    let request = pb::GetTwinRequest {
        name: PLANT.into(),
        ..Default::default()
    };
    served
        .twin()
        .await
        .get_twin(request)
        .await
        .expect("others are served");
    served.end().await;
}
