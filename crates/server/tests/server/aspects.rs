//! What holds of the plant itself and of machines' newer aspects, in pages; bodies of samples.

use crate::harness::{PLANT, append, event, reason, serve_plant};
use bytes::Bytes;
use werkbuch_model::event::*;
use werkbuch_model::time::Timestamp;
use werkbuch_wire::pb;
use werkbuch_wire::reason::Reason;

fn order(order: &'static str) -> Body<'static> {
    Body::OrderReleased(OrderReleased {
        order: order.into(),
        planned: Some(5),
        ..OrderReleased::default()
    })
}

fn entered(part: &'static str) -> Body<'static> {
    Body::PartEntered(PartEntered {
        part: part.into(),
        ..PartEntered::default()
    })
}

fn plan(version: u32, chunk: u32) -> Body<'static> {
    Body::PlanPublished(PlanPublished {
        plan: "week".into(),
        plan_kind: PlanKind::Sequence,
        version,
        chunk,
        chunks: 2,
        ..PlanPublished::default()
    })
}

fn list(kinds: &[AspectKind]) -> pb::ListAspectsRequest {
    let codes = kinds.iter().map(|kind| kind.code().cast_signed());
    pb::ListAspectsRequest {
        parent: PLANT.into(),
        aspects: codes.collect(),
        ..Default::default()
    }
}

#[tokio::test]
async fn what_holds_is_listed_in_pages() {
    let served = serve_plant().await;
    let session = served.session("gateway-1").await;
    let process = Body::ProcessResult(ProcessResult {
        operation: "weld".into(),
        verdict: ResultVerdict::Nok,
        ..ProcessResult::default()
    });
    let events = vec![
        event(1, 0, order("O-1")),
        event(2, 0, order("O-2")),
        event(3, 0, order("X-3")),
        event(4, 1, entered("V1")),
        event(5, 2, entered("V2")),
        event(6, 0, plan(1, 1)),
        event(7, 0, plan(1, 2)),
        event(8, 0, plan(2, 1)),
        event(9, 2, process),
    ];
    let mut ingest = served.ingest().await;
    ingest.append(append(session, events)).await.unwrap();
    let mut client = served.twin().await;

    let mut request = list(&[AspectKind::OrderRelease]);
    request.item = "O-*".into();
    request.page_size = 1;
    let first = client.list_aspects(request.clone()).await.unwrap();
    let first = first.into_inner();
    assert_eq!((first.total_size, first.kinds_size), (2, 3));
    assert_eq!(first.values[0].item, "O-1");
    let Some(pb::body::Kind::OrderReleased(said)) =
        first.values[0].body.clone().and_then(|body| body.kind)
    else {
        panic!("another kind: {first:?}");
    };
    assert_eq!(said.planned, Some(5));
    assert_eq!(first.values[0].source, "gateway-1#1");
    request.page_token = first.next_page_token;
    let second = client.list_aspects(request).await.unwrap().into_inner();
    assert_eq!(second.values[0].item, "O-2");
    assert_eq!(second.next_page_token, "");

    let mut request = list(&[AspectKind::PartPlace]);
    request.machine = "press-2".into();
    let found = client.list_aspects(request).await.unwrap().into_inner();
    assert_eq!(found.values.len(), 1);
    assert_eq!(found.values[0].item, "V2");
    assert_eq!(found.values[0].machine_name, "press-2");

    let found = client.list_aspects(list(&[AspectKind::Plan])).await;
    let versions: Vec<u32> = found
        .unwrap()
        .into_inner()
        .values
        .into_iter()
        .filter_map(|value| match value.body.and_then(|body| body.kind) {
            Some(pb::body::Kind::PlanPublished(said)) => Some(said.version),
            _ => None,
        })
        .collect();
    assert_eq!(versions, [1, 1], "the second version is not complete");

    let name = format!("{PLANT}/machines/press-2");
    let machine = client
        .get_machine(pb::GetMachineRequest {
            name,
            instant: None,
        })
        .await;
    let aspects = machine.unwrap().into_inner().machine.unwrap().aspects;
    let kinds: Vec<i32> = aspects.iter().map(|value| value.aspect).collect();
    let expected = [AspectKind::ProcessResult, AspectKind::PartEntry];
    assert_eq!(kinds, expected.map(|kind| kind.code().cast_signed()));
}

#[tokio::test]
async fn wrong_questions_are_answered_with_what_is_wrong() {
    let served = serve_plant().await;
    let mut client = served.twin().await;
    let mut stranger = list(&[AspectKind::PartPlace]);
    stranger.machine = "pres-2".into();
    for (request, expected) in [
        (list(&[]), Reason::InvalidRequest),
        (list(&[AspectKind::Unspecified]), Reason::InvalidRequest),
        (
            pb::ListAspectsRequest {
                aspects: vec![-1],
                ..list(&[])
            },
            Reason::InvalidRequest,
        ),
        (stranger, Reason::UnknownMachine),
    ] {
        let status = client.list_aspects(request).await.unwrap_err();
        assert_eq!(reason(&status), expected, "{status:?}");
    }
}

#[tokio::test]
async fn the_single_values_of_samples_are_there_or_it_is_said_why_not() {
    let served = serve_plant().await;
    let session = served.session("gateway-1").await;
    let body = Bytes::from_static(b"values");
    let hash = werkbuch_proof::sha256(&body);
    let batch = |hash: &[u8], bytes: u64| {
        let item = SampleItem {
            item: "current".into(),
            ..SampleItem::default()
        };
        Body::SampleReported(SampleReported {
            period_start: Timestamp(1),
            period_ms: 60_000,
            items: vec![item],
            body_hash: hash.to_vec().into(),
            body_bytes: bytes,
        })
    };
    let events = vec![
        event(1, 1, batch(hash.as_bytes(), body.len() as u64)),
        event(2, 1, batch(&[], 0)),
    ];
    let mut request = append(session, events);
    request.bodies = vec![body.clone()];
    let mut ingest = served.ingest().await;
    ingest.append(request).await.unwrap();
    let mut client = served.history().await;
    let last = client
        .list_events(pb::ListEventsRequest {
            parent: PLANT.into(),
            newest_first: true,
            page_size: 1,
            ..Default::default()
        })
        .await;
    let last = last.unwrap().into_inner().log_size;
    for (position, presence, bytes) in [
        (last - 1, pb::BodyPresence::Present, body.as_ref()),
        (last, pb::BodyPresence::NeverUploaded, &[]),
    ] {
        let found = client
            .get_sample_body(pb::GetSampleBodyRequest {
                parent: PLANT.into(),
                position,
                ..Default::default()
            })
            .await;
        let found = found.unwrap().into_inner();
        assert_eq!(found.presence(), presence);
        assert_eq!(found.body, bytes);
    }
    for position in [0, 1, last + 1] {
        let found = client
            .get_sample_body(pb::GetSampleBodyRequest {
                parent: PLANT.into(),
                position,
                ..Default::default()
            })
            .await;
        assert_eq!(reason(&found.unwrap_err()), Reason::InvalidRequest);
    }
}
