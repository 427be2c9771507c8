//! What a request says besides a page token, a window or a cut is taken or refused, never passed over.

use crate::harness::{PLANT, Served, append, apply, reason, serve};
use bytes::Bytes;
use werkbuch_model::event::{Body, PartMeaning, PartProduced, Reported, State, StateChanged};
use werkbuch_model::id::{MachineNumber, Sequence};
use werkbuch_model::time::Timestamp;
use werkbuch_record::encode_reported;
use werkbuch_wire::pb::timeline_service_client::TimelineServiceClient;
use werkbuch_wire::pb::{self, instant::Known};
use werkbuch_wire::reason::Reason;

const PLANT_FILE: &str = "[plant]\nid = \"PLT-07\"\n[[machine]]\nid = \"press-1\"\n[[machine]]\nid = \"press-2\"\n\
    [[machine]]\nid = \"press-3\"\n";
const ALL: &str = "tenants/default/plants/-";
const FIRST: &str = "2025-10-24T06:00:00Z";

fn time(text: &str) -> i64 {
    Timestamp::parse(text).unwrap().nanos()
}

fn event(sequence: u64, machine: u32, at: &str, body: Body<'_>) -> Bytes {
    let at = Timestamp(time(at));
    encode_reported(&Reported {
        sequence: Sequence(sequence),
        machine: MachineNumber(machine),
        occurred_at: at,
        observed_at: Some(at),
        historical: true,
        body,
    })
    .into()
}

fn good(sequence: u64, at: &str, value: u64) -> Bytes {
    let body = Body::PartProduced(PartProduced {
        counter: "good".into(),
        meaning: PartMeaning::Good,
        value: Some(value),
        ..PartProduced::default()
    });
    event(sequence, 1, at, body)
}

/// All three execute from 06:00 on, and press-1 counts five good parts. Gives the last position too.
async fn served() -> (Served, u64) {
    let served = serve().await;
    let applied = served.model().await.apply_plant(apply(PLANT_FILE)).await;
    assert!(applied.unwrap().into_inner().recorded);
    let session = served.session("gateway-1").await;
    let executes = |machine: u32| {
        let body = Body::StateChanged(StateChanged {
            to: State::Executing,
            ..StateChanged::default()
        });
        event(u64::from(machine), machine, FIRST, body)
    };
    let events = vec![
        executes(1),
        executes(2),
        executes(3),
        good(4, "2025-10-24T06:10:00Z", 10),
        good(5, "2025-10-24T06:20:00Z", 15),
    ];
    let done = served.ingest().await.append(append(session, events)).await;
    (served, done.unwrap().into_inner().position)
}

fn at(text: &str) -> Option<pb::Instant> {
    Some(pb::Instant {
        at_text: text.into(),
        ..Default::default()
    })
}

fn known(text: &str) -> Option<pb::Instant> {
    Some(pb::Instant {
        known: Some(Known::KnownText(text.into())),
        ..Default::default()
    })
}

#[tokio::test]
async fn a_page_token_of_another_instant_is_refused() {
    let (served, last) = served().await;
    let mut client = served.twin().await;
    for parent in [PLANT, ALL] {
        let first = pb::ListMachinesRequest {
            parent: parent.into(),
            page_size: 1,
            instant: at("2025-10-24T06:15:00Z"),
            ..Default::default()
        };
        let page = client.list_machines(first.clone()).await.unwrap();
        let next = pb::ListMachinesRequest {
            page_token: page.into_inner().next_page_token,
            ..first
        };
        for (instant, fits) in [
            (None, true),
            (at("2025-10-24T06:15:00Z"), true),
            (at("2025-10-24T06:16:00Z"), false),
            (known("2"), false),
        ] {
            let request = pb::ListMachinesRequest {
                instant: instant.clone(),
                ..next.clone()
            };
            match client.list_machines(request).await {
                Ok(page) => {
                    let page = page.into_inner();
                    assert!(fits, "{parent} {instant:?}");
                    let own = page.reflected.map(|of| of.at);
                    let at = own.unwrap_or_else(|| page.cut.unwrap().at);
                    assert_eq!(at, Some(time("2025-10-24T06:15:00Z")));
                }
                Err(status) => {
                    assert!(!fits, "{parent} {instant:?}: {status}");
                    assert_eq!(reason(&status), Reason::InvalidPageToken);
                }
            }
        }
    }
    // Written in another way it is the same instant all the same, and time that counts from now is itself.
    for (before, after) in [
        (at("2025-10-24T06:15:00Z"), at("2025-10-24T08:15:00+02:00")),
        (known(&last.to_string()), known(&last.to_string())),
        (None, known(&last.to_string())),
        (at("-2min"), at("-2min")),
    ] {
        let mut request = pb::ListMachinesRequest {
            parent: PLANT.into(),
            page_size: 1,
            instant: before,
            ..Default::default()
        };
        let page = client.list_machines(request.clone()).await.unwrap();
        request.page_token = page.into_inner().next_page_token;
        request.instant = after;
        client.list_machines(request).await.unwrap();
    }
    served.end().await;
}

#[tokio::test]
async fn events_and_comparisons_are_paged_at_their_own_instants() {
    let (served, _) = served().await;
    let mut request = pb::ListEventsRequest {
        parent: PLANT.into(),
        page_size: 1,
        ..Default::default()
    };
    let mut history = served.history().await;
    let page = history.list_events(request.clone()).await.unwrap();
    request.page_token = page.into_inner().next_page_token;
    request.instant = known("2");
    let status = history.list_events(request).await.unwrap_err();
    assert_eq!(reason(&status), Reason::InvalidPageToken);
    let mut request = pb::DiffMachinesRequest {
        parent: PLANT.into(),
        from: at("2025-10-24T06:05:00Z"),
        filter: "number > 0".into(),
        page_size: 1,
        ..Default::default()
    };
    request.from = known("2");
    let mut client = served.twin().await;
    let page = client.diff_machines(request.clone()).await.unwrap();
    request.page_token = page.into_inner().next_page_token;
    assert!(!request.page_token.is_empty());
    client.diff_machines(request.clone()).await.unwrap();
    request.to = at("2025-10-24T06:05:00Z");
    let status = client.diff_machines(request).await.unwrap_err();
    assert_eq!(reason(&status), Reason::InvalidPageToken);
    served.end().await;
}

#[tokio::test]
async fn parts_of_a_timeline_are_good_ones_where_no_others_are_counted() {
    let (served, _) = served().await;
    let request = pb::StreamTimelinesRequest {
        parent: PLANT.into(),
        machines: vec!["press-1".into()],
        from_time: Some(time(FIRST)),
        to_time: Some(time("2025-10-24T07:00:00Z")),
        ..Default::default()
    };
    let mut client = TimelineServiceClient::new(served.channel().await);
    let mut stream = client.stream_timelines(request).await.unwrap().into_inner();
    let mut parts = Vec::new();
    while let Some(message) = stream.message().await.unwrap() {
        let lines = message.timelines.into_iter();
        parts.extend(
            lines
                .flat_map(|line| line.intervals)
                .map(|one| (one.parts, one.good)),
        );
    }
    assert_eq!(parts, [(5, 5)]);
    served.end().await;
}

#[tokio::test]
async fn a_window_that_holds_nothing_by_mistake_is_refused() {
    let (served, last) = served().await;
    let mut history = served.history().await;
    for (positions, times) in [
        ((3, 2), (None, None)),
        ((0, 0), (Some(time(FIRST)), Some(time(FIRST)))),
    ] {
        let request = pb::ListEventsRequest {
            parent: PLANT.into(),
            from_position: positions.0,
            to_position: positions.1,
            from_time: times.0,
            to_time: times.1,
            ..Default::default()
        };
        let status = history.list_events(request).await.unwrap_err();
        assert_eq!(reason(&status), Reason::InvalidRequest);
    }
    let tail = |from_position: u64| pb::TailEventsRequest {
        parent: PLANT.into(),
        from_position,
        ..Default::default()
    };
    history.tail_events(tail(last + 1)).await.unwrap();
    let status = history.tail_events(tail(last + 2)).await.unwrap_err();
    assert_eq!(reason(&status), Reason::InvalidInstant);
    assert!(status.message().contains("ends at"), "{status}");
    let mut client = TimelineServiceClient::new(served.channel().await);
    for (to, fits) in [(FIRST, false), ("2025-10-24T06:00:01Z", true)] {
        let request = pb::StreamTimelinesRequest {
            parent: PLANT.into(),
            from_time: Some(time("2025-10-23T06:00:00Z")),
            to_time: Some(time(to)),
            ..Default::default()
        };
        let find = pb::FindIntervalsRequest {
            parent: PLANT.into(),
            filter: "state = 'EXECUTING'".into(),
            from_time: request.from_time,
            to_time: request.to_time,
            ..Default::default()
        };
        let (drawn, found) = (
            client.stream_timelines(request).await.err(),
            client.find_intervals(find).await.err(),
        );
        for status in [drawn, found] {
            let said = status.map(|status| reason(&status));
            assert_eq!(said, (!fits).then_some(Reason::InvalidInstant), "{to}");
        }
    }
    served.end().await;
}

#[tokio::test]
async fn a_cut_of_the_present_can_be_asked_about_a_time_in_the_plants() {
    let (served, last) = served().await;
    let mut client = served.twin().await;
    let list = |parent: &str, instant| pb::ListMachinesRequest {
        parent: parent.into(),
        instant,
        ..Default::default()
    };
    let answer = client.list_machines(list(ALL, None)).await.unwrap();
    let cut = answer.into_inner().cut.unwrap().token;
    let session = served.session("gateway-2").await;
    let late = event(
        1,
        2,
        "2025-10-24T06:05:00Z",
        Body::StateChanged(StateChanged {
            to: State::Held,
            ..StateChanged::default()
        }),
    );
    let done = served
        .ingest()
        .await
        .append(append(session, vec![late]))
        .await;
    done.unwrap();
    let then = pb::Instant {
        at_text: "2025-10-24T06:15:00Z".into(),
        ..known(&cut).unwrap()
    };
    let one = client.list_machines(list(PLANT, Some(then.clone()))).await;
    let one = one.unwrap().into_inner();
    let reflected = one.reflected.unwrap();
    assert_eq!(reflected.position, last);
    assert_eq!(reflected.at, Some(time("2025-10-24T06:15:00Z")));
    let executing = i32::try_from(State::Executing.code()).unwrap();
    assert!(one.machines.iter().all(|one| one.state == executing));
    let all = client.list_machines(list(ALL, Some(then))).await.unwrap();
    let all = all.into_inner();
    assert_eq!(all.machines, one.machines);
    let own = all.cut.unwrap();
    assert_eq!(own.at, Some(time("2025-10-24T06:15:00Z")));
    // What that gives is a cut with its own time, which stands.
    for parent in [PLANT, ALL] {
        let other = pb::Instant {
            at_text: "2025-10-24T06:16:00Z".into(),
            ..known(&own.token).unwrap()
        };
        let status = client.list_machines(list(parent, Some(other))).await;
        let status = status.unwrap_err();
        assert_eq!(reason(&status), Reason::InvalidInstant);
        let said = status.message();
        assert!(
            said.contains("its own time in the plants, 2025-10-24T06:15:00Z"),
            "{said}"
        );
    }
    served.end().await;
}
