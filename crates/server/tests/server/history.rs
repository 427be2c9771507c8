//! The log: pages in both directions, following, replaying, revealing.

use crate::harness::{PLANT, append, event, reason, serve_plant, state};
use werkbuch_model::event::{AlarmAcknowledged, Body, Kind, Protected, State};
use werkbuch_record::decode_recorded;
use werkbuch_wire::pb;
use werkbuch_wire::reason::{Reason, violations_of};

fn list() -> pb::ListEventsRequest {
    pb::ListEventsRequest {
        parent: PLANT.into(),
        ..Default::default()
    }
}

fn positions(page: &pb::ListEventsResponse) -> Vec<u64> {
    page.events
        .iter()
        .map(|bytes| decode_recorded(bytes).unwrap().position.get())
        .collect()
}

#[tokio::test]
async fn pages_hold_what_was_there_when_the_first_was_asked_for() {
    let served = serve_plant().await;
    let session = served.session("gateway-1").await;
    let last = served
        .report(session, 1, &[State::Idle, State::Executing].repeat(20))
        .await;
    let mut client = served.history().await;
    let mut request = pb::ListEventsRequest {
        page_size: 7,
        ..list()
    };
    let (mut found, mut number) = (Vec::new(), 41);
    loop {
        let page = client
            .list_events(request.clone())
            .await
            .unwrap()
            .into_inner();
        assert_eq!(
            (page.log_size, page.reflected.as_ref().unwrap().position),
            (last, last)
        );
        found.extend(positions(&page));
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            break;
        }
        // What comes meanwhile is no part of these pages.
        served.report(session, number, &[State::Held]).await;
        number += 1;
    }
    assert_eq!(found, (1..=last).collect::<Vec<_>>());
    served.end().await;
}

#[tokio::test]
async fn newest_first_goes_from_the_end_to_the_start() {
    let served = serve_plant().await;
    let session = served.session("gateway-1").await;
    let last = served
        .report(session, 1, &[State::Idle, State::Executing].repeat(8))
        .await;
    let mut client = served.history().await;
    let mut request = pb::ListEventsRequest {
        page_size: 5,
        newest_first: true,
        ..list()
    };
    let mut found = Vec::new();
    loop {
        let page = client
            .list_events(request.clone())
            .await
            .unwrap()
            .into_inner();
        found.extend(positions(&page));
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            break;
        }
    }
    assert_eq!(found, (1..=last).rev().collect::<Vec<_>>());
    let other = pb::ListEventsRequest {
        newest_first: false,
        ..request
    };
    let page = client
        .list_events(pb::ListEventsRequest {
            page_size: 3,
            ..other.clone()
        })
        .await;
    let token = page.unwrap().into_inner().next_page_token;
    let wrong = pb::ListEventsRequest {
        newest_first: true,
        page_token: token,
        ..list()
    };
    let status = client.list_events(wrong).await.unwrap_err();
    assert_eq!(reason(&status), Reason::InvalidPageToken);
    served.end().await;
}

#[tokio::test]
async fn events_are_found_by_machine_kind_and_bounds() {
    let served = serve_plant().await;
    let session = served.session("gateway-1").await;
    let events = (1..=6).map(|number| state(number, 1 + (number % 2) as u32, State::Idle));
    served
        .ingest()
        .await
        .append(append(session, events.collect()))
        .await
        .unwrap();
    let mut client = served.history().await;
    let mut count = async |request| {
        client
            .list_events(request)
            .await
            .map(|page| page.into_inner().events.len())
    };
    let states = vec!["state_changed".to_owned()];
    let all = pb::ListEventsRequest {
        kinds: states.clone(),
        ..list()
    };
    assert_eq!(count(all.clone()).await.unwrap(), 6);
    let one = pb::ListEventsRequest {
        machine: "press-1".into(),
        ..all.clone()
    };
    assert_eq!(count(one).await.unwrap(), 3);
    let none = pb::ListEventsRequest {
        to_time: Some(1),
        ..all.clone()
    };
    assert_eq!(count(none).await.unwrap(), 0);
    let two = pb::ListEventsRequest {
        from_position: 2,
        to_position: 3,
        ..list()
    };
    assert_eq!(count(two).await.unwrap(), 2);
    let wrong = pb::ListEventsRequest {
        machine: "press-9".into(),
        ..list()
    };
    assert_eq!(
        reason(&count(wrong).await.unwrap_err()),
        Reason::UnknownMachine
    );
    let wrong = pb::ListEventsRequest {
        kinds: vec!["NOTHING".into()],
        ..list()
    };
    assert_eq!(
        reason(&count(wrong).await.unwrap_err()),
        Reason::UnknownKind
    );
    served.end().await;
}

#[tokio::test]
async fn people_are_revealed_only_with_reader_and_purpose() {
    let served = serve_plant().await;
    let session = served.session("gateway-1").await;
    let protected = |text: &'static str| Protected {
        plain: text.into(),
        ..Protected::default()
    };
    let acknowledged = AlarmAcknowledged {
        key: "k".into(),
        who: protected("Erika Muster"),
        comment: protected("looked at it"),
    };
    let events = vec![event(1, 1, Body::AlarmAcknowledged(acknowledged))];
    served
        .ingest()
        .await
        .append(append(session, events))
        .await
        .unwrap();
    let mut client = served.history().await;
    let kinds = vec![Kind::AlarmAcknowledged.name().to_owned()];
    let mut request = pb::ListEventsRequest { kinds, ..list() };
    let named = |page: &pb::ListEventsResponse| {
        page.events[0]
            .windows(12)
            .any(|window| window == b"Erika Muster")
    };
    let stored = client
        .list_events(request.clone())
        .await
        .unwrap()
        .into_inner();
    assert!(!named(&stored), "nothing about people is stored in plain");
    request.reveal = true;
    let status = client.list_events(request.clone()).await.unwrap_err();
    assert_eq!(
        (reason(&status), violations_of(&status).len()),
        (Reason::InvalidRequest, 2)
    );
    request.reader = "auditor".into();
    request.purpose = "a test".into();
    let revealed = client.list_events(request).await.unwrap().into_inner();
    assert!(named(&revealed));
    served.end().await;
}

#[tokio::test]
async fn following_catches_up_goes_on_and_shows_signs_of_life() {
    let served = serve_plant().await;
    let session = served.session("gateway-1").await;
    let last = served
        .report(session, 1, &[State::Idle, State::Executing].repeat(10))
        .await;
    let mut client = served.history().await;
    let tail = |from_position| pb::TailEventsRequest {
        parent: PLANT.into(),
        from_position,
        ..Default::default()
    };
    let mut all = client.tail_events(tail(1)).await.unwrap().into_inner();
    let mut new = client.tail_events(tail(0)).await.unwrap().into_inner();
    let sign = new.message().await.unwrap().unwrap();
    assert_eq!((sign.events.len(), sign.position), (0, last));
    let end = served.report(session, 21, &[State::Held]).await;
    let mut seen = Vec::new();
    while seen.last() != Some(&end) {
        let answer = all.message().await.unwrap().unwrap();
        seen.extend(
            answer
                .events
                .iter()
                .map(|bytes| decode_recorded(bytes).unwrap().position.get()),
        );
        assert!(seen.last().is_none_or(|last| answer.position >= *last));
    }
    assert_eq!(
        seen,
        (1..=end).collect::<Vec<_>>(),
        "without loss or repeat"
    );
    let answer = loop {
        let answer = new.message().await.unwrap().unwrap();
        if !answer.events.is_empty() {
            break answer;
        }
    };
    assert_eq!(
        decode_recorded(&answer.events[0]).unwrap().position.get(),
        last + 1
    );
    let mut other = pb::TailEventsRequest {
        machine: "press-2".into(),
        ..tail(1)
    };
    let mut quiet = client
        .tail_events(other.clone())
        .await
        .unwrap()
        .into_inner();
    let sign = quiet.message().await.unwrap().unwrap();
    assert_eq!(
        (sign.events.len(), sign.position),
        (0, end),
        "looked at, and nothing wanted"
    );
    other.parent = "tenants/default/plants/PLT-99".into();
    assert_eq!(
        reason(&client.tail_events(other).await.unwrap_err()),
        Reason::UnknownPlant
    );
    drop((all, new, quiet));
    served.end().await;
}

#[tokio::test]
async fn a_replay_compares_and_ends_with_its_result() {
    let served = serve_plant().await;
    let session = served.session("gateway-1").await;
    let last = served
        .report(session, 1, &[State::Idle, State::Executing].repeat(10))
        .await;
    let twin = pb::GetTwinRequest {
        name: PLANT.into(),
        ..Default::default()
    };
    let twin = served
        .twin()
        .await
        .get_twin(twin)
        .await
        .unwrap()
        .into_inner();
    let mut client = served.history().await;
    let request = pb::ReplayPlantRequest {
        name: PLANT.into(),
        check: true,
        ..Default::default()
    };
    let mut answers = client
        .replay_plant(request.clone())
        .await
        .unwrap()
        .into_inner();
    let mut result = None;
    while let Some(answer) = answers.message().await.unwrap() {
        assert!(result.is_none(), "the result is the last");
        result = answer.done.then_some(answer);
    }
    let result = result.unwrap();
    assert_eq!((result.events, result.total), (last, last));
    assert_eq!((&result.digest, &result.root), (&twin.digest, &twin.root));
    let live = result
        .comparisons
        .iter()
        .find(|one| one.with == "live twin")
        .unwrap();
    assert_eq!(live.verdict(), pb::Verdict::Equal);
    let to = Some(pb::replay_plant_request::To::ToPosition(99_999));
    let beyond = pb::ReplayPlantRequest { to, ..request };
    let mut answers = client.replay_plant(beyond).await.unwrap().into_inner();
    let status = loop {
        match answers.message().await {
            Ok(Some(answer)) => assert!(!answer.done),
            Ok(None) => panic!("no reason"),
            Err(status) => break status,
        }
    };
    assert_eq!(reason(&status), Reason::InvalidInstant);
    served.end().await;
}
