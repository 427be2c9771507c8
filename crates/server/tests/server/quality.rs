//! How good the data are: figures for sources and plants, and what was found.

use crate::harness::{PLANT, Served, append, event, reason, serve_plant, state};
use tonic::transport::Channel;
use werkbuch_model::event::{Body, State, StateChanged, Vocabulary};
use werkbuch_wire::pb::quality_service_client::QualityServiceClient;
use werkbuch_wire::pb::{self, FindingKind};
use werkbuch_wire::reason::Reason;

fn packml(sequence: u64, word: &'static str) -> bytes::Bytes {
    let body = Body::StateChanged(StateChanged {
        to: State::of_native(Vocabulary::PackmlState, word),
        native: word.into(),
        vocabulary: Vocabulary::PackmlState,
        ..StateChanged::default()
    });
    event(sequence, 1, body)
}

/// A server to which one source reported: an illegal jump, a gap of two, a refusal, a repeat.
async fn serve_dirty() -> (Served, u64) {
    let served = serve_plant().await;
    let session = served.session("gateway-1").await;
    let mut ingest = served.ingest().await;
    let first = packml(1, "Stopped");
    for batch in [
        vec![first.clone(), packml(2, "Execute"), packml(3, "Execute")],
        vec![packml(6, "Stopping"), state(7, 99, State::Idle)],
        vec![first],
    ] {
        ingest.append(append(session, batch)).await.unwrap();
    }
    (served, session)
}

async fn client(served: &Served) -> QualityServiceClient<Channel> {
    QualityServiceClient::new(served.channel().await)
}

fn ask() -> pb::GetQualityRequest {
    pb::GetQualityRequest {
        name: PLANT.into(),
        ..Default::default()
    }
}

fn list() -> pb::ListFindingsRequest {
    pb::ListFindingsRequest {
        parent: PLANT.into(),
        ..Default::default()
    }
}

#[tokio::test]
async fn a_plant_and_its_sources_have_figures() {
    let (served, _) = serve_dirty().await;
    let answer = client(&served)
        .await
        .get_quality(ask())
        .await
        .unwrap()
        .into_inner();
    let figures = answer.figures.clone().unwrap();
    assert_eq!((figures.events, figures.gaps, figures.gaps_open), (4, 1, 1));
    assert_eq!((figures.lost, figures.missing), (2, 2));
    assert_eq!((figures.jumps_judged, figures.illegal_jumps), (1, 1));
    assert_eq!((figures.states, figures.repeated_states), (4, 1));
    let refused = figures.refused[0].clone();
    assert_eq!(
        (refused.reason.as_str(), refused.count),
        ("UNKNOWN_MACHINE", 1)
    );
    let [source] = &answer.sources[..] else {
        panic!("{:?}", answer.sources)
    };
    assert_eq!(
        (source.source.as_str(), source.repeats_since_start),
        ("gateway-1", Some(1))
    );
    assert!(!source.silent && source.heard_at.is_some());
    let (survey, reflected) = (answer.survey.unwrap(), answer.reflected.unwrap());
    assert!(survey.complete);
    assert_eq!(survey.last_position, reflected.position);
    served.end().await;
}

#[tokio::test]
async fn findings_come_in_pages_that_keep_their_instant() {
    let (served, session) = serve_dirty().await;
    let mut client = client(&served).await;
    let mut request = list();
    request.page_size = 1;
    let mut kinds = Vec::new();
    loop {
        let page = client
            .list_findings(request.clone())
            .await
            .unwrap()
            .into_inner();
        assert_eq!((page.findings.len(), page.total_size), (1, 4));
        kinds.push(page.findings[0].kind());
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
        // What comes meanwhile is not of these pages.
        let next = 7 + kinds.len() as u64;
        let more = append(
            session,
            vec![packml(next, ["Idle", "Held"][kinds.len() % 2])],
        );
        served.ingest().await.append(more).await.unwrap();
    }
    kinds.sort();
    assert_eq!(
        kinds,
        [
            FindingKind::IllegalJump,
            FindingKind::Gap,
            FindingKind::RepeatedState,
            FindingKind::Refused
        ]
    );
    let mut jumps = list();
    jumps.kinds = vec!["illegal_jump".into()];
    jumps.instant = Some(pb::Instant {
        known: Some(pb::instant::Known::KnownPosition(7)),
        ..Default::default()
    });
    let page = client.list_findings(jumps).await.unwrap().into_inner();
    let [jump] = &page.findings[..] else {
        panic!("{:?}", page.findings)
    };
    assert_eq!(
        (
            jump.machine.as_str(),
            jump.source.as_str(),
            jump.from.as_str(),
            jump.to.as_str()
        ),
        ("press-1", "gateway-1#1", "STOPPED", "EXECUTE")
    );
    assert!(jump.position > 0 && jump.detail.contains("RESETTING, IDLE, STARTING"));
    served.end().await;
}

#[tokio::test]
async fn windows_and_limits_are_the_askers() {
    let (served, _) = serve_dirty().await;
    let mut client = client(&served).await;
    let mut early = ask();
    (early.from_time, early.to_time) = (Some(0), Some(1_000));
    let answer = client.get_quality(early).await.unwrap().into_inner();
    let figures = answer.figures.unwrap();
    assert_eq!((figures.events, figures.gaps, answer.findings), (0, 0, 0));
    let mut strict = ask();
    strict.silent_after_ms = Some(0);
    let answer = client.get_quality(strict).await.unwrap().into_inner();
    assert!(answer.sources[0].silent);
    assert_eq!(answer.figures.unwrap().silent, 1);
    served.end().await;
}

#[tokio::test]
async fn questions_that_make_no_sense_are_refused() {
    let (served, _) = serve_dirty().await;
    let mut client = client(&served).await;
    let mut backwards = ask();
    (backwards.from_time, backwards.to_time) = (Some(9), Some(9));
    let mut stranger = ask();
    stranger.source = "gateway-9".into();
    for (request, expected) in [
        (backwards, Reason::InvalidRequest),
        (stranger, Reason::UnknownSource),
    ] {
        let status = client.get_quality(request).await.unwrap_err();
        assert_eq!(reason(&status), expected);
    }
    let mut nonsense = list();
    nonsense.kinds = vec!["NONSENSE".into()];
    let status = client.list_findings(nonsense).await.unwrap_err();
    assert_eq!(reason(&status), Reason::InvalidRequest);
    served.end().await;
}
