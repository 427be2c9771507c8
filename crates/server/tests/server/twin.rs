//! Questions about machines, now and then, in pages.

use crate::harness::{PLANT, Served, append, event, reason, serve_plant, state};
use werkbuch_model::event::{AlarmRaised, Body, State};
use werkbuch_wire::pb::{self, instant::Known};
use werkbuch_wire::reason::Reason;

fn list(filter: &str, order: &str) -> pb::ListMachinesRequest {
    pb::ListMachinesRequest {
        parent: PLANT.into(),
        filter: filter.into(),
        order_by: order.into(),
        ..Default::default()
    }
}

fn names(machines: &[pb::Machine]) -> Vec<&str> {
    machines
        .iter()
        .filter_map(|machine| machine.name.rsplit('/').next())
        .collect()
}

/// A server whose machines 1 and 4 execute; 2 is held, with an alarm.
async fn serve_busy() -> Served {
    let served = serve_plant().await;
    let session = served.session("gateway-1").await;
    let alarm = AlarmRaised {
        key: "k".into(),
        code: "E1".into(),
        severity: 700,
        text: "hot".into(),
        ..AlarmRaised::default()
    };
    let events = vec![
        state(1, 1, State::Executing),
        state(2, 2, State::Held),
        state(3, 4, State::Executing),
        event(4, 2, Body::AlarmRaised(alarm)),
    ];
    served
        .ingest()
        .await
        .append(append(session, events))
        .await
        .unwrap();
    served
}

#[tokio::test]
async fn machines_are_filtered_and_ordered() {
    let served = serve_busy().await;
    let mut client = served.twin().await;
    for (filter, order, expected) in [
        (
            "",
            "",
            vec!["press-1", "press-2", "press-3", "press-4", "press-5"],
        ),
        (
            "",
            "name desc",
            vec!["press-5", "press-4", "press-3", "press-2", "press-1"],
        ),
        ("state = 'executing'", "", vec!["press-1", "press-4"]),
        ("state = 'executing' AND area = 'body'", "", vec!["press-1"]),
        ("active_alarms > 0", "", vec!["press-2"]),
        ("since IS NULL", "number desc", vec!["press-5", "press-3"]),
        ("type = 'press'", "", vec!["press-1"]),
    ] {
        let answer = client
            .list_machines(list(filter, order))
            .await
            .unwrap()
            .into_inner();
        assert_eq!(names(&answer.machines), expected, "{filter} {order}");
        assert_eq!(
            (answer.total_size as usize, answer.plant_size),
            (expected.len(), 5)
        );
    }
    served.end().await;
}

#[tokio::test]
async fn machines_are_counted_by_state() {
    let served = serve_busy().await;
    let mut client = served.twin().await;
    let request = pb::CountMachinesRequest {
        parent: PLANT.into(),
        ..Default::default()
    };
    let answer = client.count_machines(request).await.unwrap().into_inner();
    let counts: Vec<_> = answer
        .counts
        .iter()
        .map(|one| (one.state(), one.machines))
        .collect();
    let expected = [
        (pb::State::Executing, 2),
        (pb::State::Held, 1),
        (pb::State::Unavailable, 2),
    ];
    assert_eq!((counts.as_slice(), answer.total_size), (&expected[..], 5));
    for (filter, order) in [("stat = 'x'", ""), ("state >", ""), ("", "nothing")] {
        let status = client.list_machines(list(filter, order)).await.unwrap_err();
        assert_eq!(reason(&status), Reason::InvalidFilter, "{filter} {order}");
    }
    served.end().await;
}

#[tokio::test]
async fn a_machine_is_shown_in_full_by_name_and_number() {
    let served = serve_plant().await;
    let session = served.session("gateway-1").await;
    served
        .report(session, 1, &[State::Idle, State::Executing])
        .await;
    let mut client = served.twin().await;
    let get = |machine: &str, instant| pb::GetMachineRequest {
        name: format!("{PLANT}/machines/{machine}"),
        instant,
    };
    for name in ["press-1", "1"] {
        let answer = client
            .get_machine(get(name, None))
            .await
            .unwrap()
            .into_inner();
        let machine = answer.machine.unwrap();
        assert_eq!(machine.name, format!("{PLANT}/machines/press-1"));
        assert_eq!(
            (machine.state(), machine.native_state.as_str()),
            (pb::State::Executing, "X")
        );
        assert_eq!(
            (machine.area.as_str(), machine.machine_type.as_str()),
            ("body", "press")
        );
    }
    let status = client.get_machine(get("press-9", None)).await.unwrap_err();
    assert_eq!(reason(&status), Reason::UnknownMachine);
    let status = client.get_machine(get("", None)).await.unwrap_err();
    assert_eq!(reason(&status), Reason::InvalidName);
    let beyond = pb::Instant {
        known: Some(Known::KnownPosition(9_999)),
        ..Default::default()
    };
    let status = client
        .get_machine(get("press-1", Some(beyond)))
        .await
        .unwrap_err();
    assert_eq!(reason(&status), Reason::InvalidInstant);
    served.end().await;
}

#[tokio::test]
async fn pages_keep_the_instant_of_the_first_and_their_question() {
    let served = serve_plant().await;
    let session = served.session("gateway-1").await;
    let then = served.report(session, 1, &[State::Idle]).await;
    let mut client = served.twin().await;
    let mut request = list("", "state");
    request.page_size = 2;
    let first = client
        .list_machines(request.clone())
        .await
        .unwrap()
        .into_inner();
    assert_eq!(first.reflected.unwrap().position, then);
    served.report(session, 2, &[State::Executing]).await;
    let mut pages = names(&first.machines)
        .into_iter()
        .map(str::to_owned)
        .collect::<Vec<_>>();
    let mut token = first.next_page_token.clone();
    while !token.is_empty() {
        request.page_token = token;
        let page = client
            .list_machines(request.clone())
            .await
            .unwrap()
            .into_inner();
        assert_eq!(
            page.reflected.unwrap().position,
            then,
            "the page is of the first one's instant"
        );
        pages.extend(names(&page.machines).into_iter().map(str::to_owned));
        token = page.next_page_token;
    }
    pages.sort();
    assert_eq!(
        pages,
        ["press-1", "press-2", "press-3", "press-4", "press-5"]
    );
    for change in ["filter", "order", "plant"] {
        let mut other = list("", "state");
        other.page_token.clone_from(&first.next_page_token);
        match change {
            "filter" => other.filter = "number > 0".into(),
            "order" => other.order_by = "name".into(),
            _ => other.page_token.push('0'),
        }
        let status = client.list_machines(other).await.unwrap_err();
        assert_eq!(reason(&status), Reason::InvalidPageToken, "{change}");
    }
    served.end().await;
}

#[tokio::test]
async fn the_past_is_asked_with_the_same_calls() {
    let served = serve_plant().await;
    let session = served.session("gateway-1").await;
    let then = served.report(session, 1, &[State::Idle]).await;
    let later = served.report(session, 2, &[State::Executing]).await;
    let mut client = served.twin().await;
    let mut past = list("state = 'idle'", "");
    past.instant = Some(pb::Instant {
        known: Some(Known::KnownPosition(then)),
        ..Default::default()
    });
    let answer = client
        .list_machines(past.clone())
        .await
        .unwrap()
        .into_inner();
    assert_eq!(names(&answer.machines), ["press-1"]);
    past.instant = Some(pb::Instant {
        known: Some(Known::KnownPosition(later)),
        ..Default::default()
    });
    assert_eq!(
        client
            .list_machines(past)
            .await
            .unwrap()
            .into_inner()
            .total_size,
        0
    );
    served.end().await;
}

#[tokio::test]
async fn a_twin_says_where_it_stands() {
    let served = serve_plant().await;
    let session = served.session("gateway-1").await;
    let last = served.report(session, 1, &[State::Idle]).await;
    let mut client = served.twin().await;
    let mut request = pb::GetTwinRequest {
        name: PLANT.into(),
        ..Default::default()
    };
    let twin = client.get_twin(request.clone()).await.unwrap().into_inner();
    assert_eq!((twin.reflected.unwrap().position, twin.machines), (last, 5));
    assert_eq!((twin.digest.len(), twin.root.len()), (32, 32));
    let source = twin
        .sources
        .iter()
        .find(|source| source.source == "gateway-1")
        .unwrap();
    assert_eq!(
        (source.epoch, source.high_sequence, source.missing),
        (1, 1, 0)
    );
    request.instant = Some(pb::Instant {
        known: Some(Known::KnownPosition(last)),
        ..Default::default()
    });
    let past = client.get_twin(request).await.unwrap().into_inner();
    assert_eq!(
        past.digest, twin.digest,
        "the past at the end is the present"
    );
    assert!(past.root.is_empty());
    let (then, now) = (&past.sources[0], &twin.sources[0]);
    assert_eq!(then.last_effective_at, now.last_effective_at);
    assert_eq!((then.last_position, then.high_sequence), (last, 0));
    served.end().await;
}
