//! What a search rests on: lost events, silent sources, machines that nobody could reach.

use crate::harness::{PLANT, Served, append, open, serve_plant};
use bytes::Bytes;
use werkbuch_model::event::{Body, Reported, State, StateChanged, Vocabulary};
use werkbuch_model::id::{MachineNumber, Sequence};
use werkbuch_model::time::Timestamp;
use werkbuch_record::encode_reported;
use werkbuch_wire::pb::timeline_service_client::TimelineServiceClient;
use werkbuch_wire::pb::{self, BlindKind, FindWhich};

/// Minute 0: Friday, 2025-10-24, 06:00 in Berlin.
const BEGIN: i64 = 1_761_278_400_000_000_000;
const MINUTE: i64 = 60_000_000_000;

fn at(minute: i64) -> i64 {
    BEGIN + minute * MINUTE
}

fn event(sequence: u64, machine: u32, minute: i64, to: State) -> Bytes {
    event_at(sequence, machine, at(minute), to)
}

fn event_at(sequence: u64, machine: u32, time: i64, to: State) -> Bytes {
    let time = Timestamp(time);
    let body = Body::StateChanged(StateChanged {
        to,
        native: "X".into(),
        vocabulary: Vocabulary::Canonical,
        ..StateChanged::default()
    });
    encode_reported(&Reported {
        sequence: Sequence(sequence),
        machine: MachineNumber(machine),
        occurred_at: time,
        observed_at: Some(time),
        historical: true,
        body,
    })
    .into()
}

async fn record(served: &Served, session: u64, events: Vec<Bytes>) -> u64 {
    let done = served.ingest().await.append(append(session, events)).await;
    let done = done.unwrap().into_inner();
    for outcome in &done.outcomes {
        let result = outcome.result.as_ref().unwrap();
        assert!(
            matches!(result, pb::outcome::Result::Recorded(_)),
            "{outcome:?}"
        );
    }
    done.position
}

/// One gateway speaks of press-1 and press-2 every two minutes; it lost two events between the minutes 1
/// and 26 and says nothing between 60 and 90, when press-1 faults. Another speaks of press-3. Of press-4 and
/// press-5, in the paint shop, nobody speaks.
async fn serve_story() -> (Served, u64, u64) {
    let served = serve_plant().await;
    let one = served.session("gateway-1").await;
    let other = open("gateway-2");
    let other = served.ingest().await.open_source(other).await.unwrap();
    let other = other.into_inner().session;
    let mut events = vec![
        event(1, 1, 0, State::Executing),
        event(2, 2, 1, State::Executing),
    ];
    for number in 0..18_i64 {
        let time = at(26 + number * 2);
        let sequence = 5 + 2 * number.unsigned_abs();
        events.push(event_at(sequence, 1, time, State::Idle));
        events.push(event_at(
            sequence + 1,
            1,
            time + 1_000_000_000,
            State::Executing,
        ));
    }
    events.push(event(41, 1, 90, State::Faulted));
    events.push(event(42, 1, 91, State::Executing));
    record(&served, one, events).await;
    let events = vec![
        event(1, 3, 0, State::Executing),
        event(2, 3, 95, State::Idle),
    ];
    let position = record(&served, other, events).await;
    (served, one, position)
}

fn request(filter: &str, (from, to): (i64, i64)) -> pb::FindIntervalsRequest {
    pb::FindIntervalsRequest {
        parent: PLANT.into(),
        filter: filter.into(),
        from_time: Some(at(from)),
        to_time: Some(at(to)),
        ..pb::FindIntervalsRequest::default()
    }
}

/// How many were found, and what that rests on.
async fn find(served: &Served, request: pb::FindIntervalsRequest) -> (u64, pb::FindBasis) {
    let mut client = TimelineServiceClient::new(served.channel().await);
    let mut stream = client.find_intervals(request).await.unwrap().into_inner();
    while let Some(message) = stream.message().await.unwrap() {
        if let Some(end) = message.end {
            return (end.found, end.basis.unwrap());
        }
    }
    panic!("no end");
}

type Blind = (BlindKind, String, String, i64, i64, u32, Option<u64>);

fn blind(basis: &pb::FindBasis) -> Vec<Blind> {
    let minute = |time: i64| (time - BEGIN) / MINUTE;
    let blind = basis.blind.iter().map(|one| {
        assert_eq!(one.plant, PLANT);
        assert!(!one.because.is_empty(), "{one:?}");
        assert_eq!(one.position > 0, one.kind() == BlindKind::Lost);
        (
            one.kind(),
            one.machine.clone(),
            one.source.clone(),
            minute(one.begin),
            minute(one.end),
            one.machines,
            one.missing,
        )
    });
    let blind: Vec<Blind> = blind.collect();
    assert_eq!(basis.blind_size as usize, blind.len());
    assert!(basis.complete);
    blind
}

fn lost(from: i64, to: i64) -> Blind {
    let source = "gateway-1#1".to_owned();
    (BlindKind::Lost, String::new(), source, from, to, 2, Some(2))
}

fn silent(from: i64, to: i64) -> Blind {
    let source = "gateway-1".to_owned();
    (BlindKind::Silent, String::new(), source, from, to, 2, None)
}

fn away(machine: &str, from: i64, to: i64) -> Blind {
    let source = String::new();
    (
        BlindKind::Unavailable,
        machine.to_owned(),
        source,
        from,
        to,
        1,
        None,
    )
}

#[tokio::test]
async fn an_answer_says_what_it_rests_on() {
    let (served, ..) = serve_story().await;
    let (found, basis) = find(&served, request("state = 'HELD'", (0, 100))).await;
    let expected = vec![
        lost(1, 26),
        silent(1, 26),
        silent(60, 90),
        away("press-2", 0, 1),
        away("press-4", 0, 100),
        away("press-5", 0, 100),
    ];
    assert_eq!((found, blind(&basis)), (0, expected));
    assert_eq!((basis.machines, basis.machines_known), (5, 1));
    // Times that lie in each other count once.
    let minutes = |millis: u64| millis / 60_000;
    assert_eq!(minutes(basis.time_ms), 500);
    assert_eq!(minutes(basis.known_ms), 500 - 55 - 56 - 200);
    // Only machines count of which it can hold.
    let (_, basis) = find(
        &served,
        request("state = 'HELD' AND name = 'press-3'", (0, 100)),
    )
    .await;
    assert_eq!(blind(&basis), []);
    assert_eq!((basis.machines, basis.machines_known), (1, 1));
    assert_eq!(basis.known_ms, basis.time_ms);
    let (_, basis) = find(
        &served,
        request("state = 'HELD' AND area = 'paint'", (2, 100)),
    )
    .await;
    assert_eq!(
        blind(&basis),
        [away("press-4", 2, 100), away("press-5", 2, 100)]
    );
    // A window in which nothing at all was heard of a source, and one behind all that is missing.
    let body = "state = 'HELD' AND area = 'body'";
    let (_, basis) = find(&served, request(body, (65, 85))).await;
    let quiet = (
        BlindKind::Silent,
        String::new(),
        "gateway-2".to_owned(),
        65,
        85,
        1,
        None,
    );
    assert_eq!(blind(&basis), [silent(65, 85), quiet]);
    let (_, basis) = find(&served, request(body, (90, 100))).await;
    assert_eq!(blind(&basis), []);
    // A limit of one's own.
    let patient = pb::FindIntervalsRequest {
        silent_after_ms: Some(30 * 60_000),
        ..request(body, (0, 94))
    };
    let (_, basis) = find(&served, patient).await;
    let quiet = (
        BlindKind::Silent,
        String::new(),
        "gateway-2".to_owned(),
        0,
        94,
        1,
        None,
    );
    assert_eq!(blind(&basis), [lost(1, 26), quiet, away("press-2", 0, 1)]);
    served.end().await;
}

#[tokio::test]
async fn what_cannot_change_the_first_or_the_last_does_not_count() {
    let (served, ..) = serve_story().await;
    let body = "state = 'FAULTED' AND area = 'body'";
    for (which, per_machine, expected) in [
        (
            FindWhich::First,
            false,
            vec![
                lost(1, 26),
                silent(1, 26),
                silent(60, 90),
                away("press-2", 0, 1),
            ],
        ),
        (FindWhich::Last, false, vec![]),
        (
            FindWhich::Last,
            true,
            vec![
                lost(1, 26),
                silent(1, 26),
                silent(60, 90),
                away("press-2", 0, 1),
            ],
        ),
    ] {
        let asked = pb::FindIntervalsRequest {
            which: which.into(),
            per_machine,
            ..request(body, (0, 100))
        };
        let (found, basis) = find(&served, asked).await;
        assert_eq!(
            (found, blind(&basis)),
            (1, expected),
            "{which:?} {per_machine}"
        );
    }
    // The first IDLE is at minute 26: what comes behind does not count, what lies before does.
    let asked = pb::FindIntervalsRequest {
        which: FindWhich::First.into(),
        ..request("state = 'IDLE' AND area = 'body'", (0, 100))
    };
    let (found, basis) = find(&served, asked).await;
    assert_eq!(found, 1);
    assert_eq!(basis.to_time, at(26));
    let kinds: Vec<BlindKind> = blind(&basis).iter().map(|one| one.0).collect();
    assert_eq!(
        kinds,
        [BlindKind::Lost, BlindKind::Silent, BlindKind::Unavailable]
    );
    served.end().await;
}

#[tokio::test]
async fn what_came_late_is_missing_no_more_and_was_at_the_time() {
    let (served, session, position) = serve_story().await;
    let body = "state = 'HELD' AND area = 'body'";
    let late = [
        event(3, 1, 9, State::Executing),
        event(4, 2, 17, State::Executing),
    ];
    let before = request(body, (0, 100));
    let then = pb::FindIntervalsRequest {
        instant: Some(pb::Instant {
            known: Some(pb::instant::Known::KnownPosition(position)),
            ..pb::Instant::default()
        }),
        ..before.clone()
    };
    let (_, expected) = find(&served, before.clone()).await;
    assert!(blind(&expected).contains(&lost(1, 26)));
    record(&served, session, vec![late[0].clone()]).await;
    let (_, one_left) = find(&served, before.clone()).await;
    let (kind, machine, source, from, to, machines, _) = lost(1, 26);
    let expected_left = (kind, machine, source, from, to, machines, Some(1));
    assert!(blind(&one_left).contains(&expected_left), "{one_left:?}");
    record(&served, session, vec![late[1].clone()]).await;
    let (_, filled) = find(&served, before).await;
    assert_eq!(blind(&filled), [silent(60, 90), away("press-2", 0, 1)]);
    let (_, known) = find(&served, then).await;
    assert_eq!(known, expected);
    served.end().await;
}
