//! Watching machines: each change once, across breaks, plants and stalls; sampled; and what is refused.

use crate::harness::{
    PLANT, PLANT_FILE, Served, TENANT, append, apply, open, reason, serve, serve_in, serve_plant,
    short, state,
};
use std::time::Duration;
use tonic::Streaming;
use werkbuch_model::event::State;
use werkbuch_server::Limits;
use werkbuch_wire::pb::{self, MachineChange, MachineChangeKind as Kind, WatchMachinesResponse};
use werkbuch_wire::reason::{Reason, retry_delay_of};

pub(crate) type Watching = Streaming<WatchMachinesResponse>;

const ALL: &str = "tenants/default/plants/-";

pub(crate) fn request(parents: &[&str]) -> pb::WatchMachinesRequest {
    pb::WatchMachinesRequest {
        parents: parents.iter().map(|&parent| parent.into()).collect(),
        ..Default::default()
    }
}

pub(crate) fn from(plant: &str, position: u64) -> pb::WatchStart {
    pb::WatchStart {
        plant: plant.into(),
        from: Some(pb::watch_start::From::Position(position)),
    }
}

pub(crate) async fn begin(served: &Served, request: pb::WatchMachinesRequest) -> Watching {
    let begun = served.twin().await.watch_machines(request).await;
    begun.unwrap().into_inner()
}

async fn refused(served: &Served, request: pb::WatchMachinesRequest) -> tonic::Status {
    let begun = served.twin().await.watch_machines(request).await;
    let Err(status) = begun else {
        panic!("it is not refused");
    };
    status
}

pub(crate) async fn next(watching: &mut Watching) -> WatchMachinesResponse {
    let waited = tokio::time::timeout(Duration::from_secs(20), watching.message());
    let message = waited.await.expect("a heartbeat at least").unwrap();
    message.expect("the stream goes on")
}

/// The next message that tells more than where plants stand.
pub(crate) async fn said(watching: &mut Watching) -> WatchMachinesResponse {
    loop {
        let message = next(watching).await;
        if !message.changes.is_empty() || !message.lags.is_empty() {
            return message;
        }
    }
}

/// The changes up to a position of each plant, and the last token.
pub(crate) async fn until(
    watching: &mut Watching,
    ends: &[(&str, u64)],
) -> (Vec<MachineChange>, String) {
    let mut changes = Vec::new();
    let mut left: Vec<_> = ends.to_vec();
    loop {
        let message = next(watching).await;
        changes.extend(message.changes);
        left.retain(|(plant, end)| {
            let there = |at: &pb::WatchedPlant| at.plant == *plant && at.position >= *end;
            !message.plants.iter().any(there)
        });
        if left.is_empty() {
            return (changes, message.resume_token);
        }
    }
}

/// A change in short: kind, machine, state before and after.
pub(crate) fn told(change: &MachineChange) -> (Kind, u32, pb::State, pb::State) {
    let machine = change.machine.as_ref().unwrap();
    let previous = pb::State::try_from(change.previous_state).unwrap();
    (
        change.change_kind(),
        machine.number,
        previous,
        machine.state(),
    )
}

#[tokio::test]
async fn machines_are_present_enter_change_and_leave() {
    let served = serve_plant().await;
    let session = served.session("gateway-1").await;
    served.report(session, 1, &[State::Executing]).await;
    let mut watching = begin(
        &served,
        pb::WatchMachinesRequest {
            filter: "state = 'EXECUTING' AND area = 'body'".into(),
            present: true,
            ..request(&[PLANT])
        },
    )
    .await;
    // The stream stands: what follows is not there already.
    let present = said(&mut watching).await.changes;
    let executing = pb::State::Executing;
    assert_eq!(
        present.iter().map(told).collect::<Vec<_>>(),
        [(Kind::Present, 1, executing, executing)]
    );
    assert_eq!((present[0].events, present[0].effective_at), (0, None));
    let events = vec![
        state(2, 2, State::Executing),
        state(3, 4, State::Executing),
        state(4, 1, State::Executing),
        state(5, 1, State::Held),
        state(6, 1, State::Idle),
    ];
    let request = append(session, events);
    let end = served.ingest().await.append(request).await.unwrap();
    let end = end.into_inner().position;
    let (changes, _) = until(&mut watching, &[(PLANT, end)]).await;
    let unavailable = pb::State::Unavailable;
    assert_eq!(
        changes.iter().map(told).collect::<Vec<_>>(),
        [
            (Kind::Entered, 2, unavailable, executing),
            (Kind::Changed, 1, executing, executing),
            (Kind::Left, 1, executing, pb::State::Held),
        ],
        "machine 4 stands elsewhere, and what machine 1 does after it left is not told"
    );
    let positions: Vec<_> = changes.iter().map(|change| change.position).collect();
    assert_eq!(positions, [end - 4, end - 2, end - 1]);
    assert!(
        changes
            .iter()
            .all(|change| change.event_kind == "STATE_CHANGED" && change.events == 1)
    );

    // Another description moves one machine away and removes another.
    let moved = PLANT_FILE.replacen("in = \"body\"", "in = \"paint\"", 3);
    let moved = moved.replace("[[machine]]\nid = \"press-3\"\nin = \"paint\"\n", "");
    served
        .model()
        .await
        .apply_plant(apply(&moved))
        .await
        .unwrap();
    let left = said(&mut watching).await.changes;
    assert_eq!(
        left.iter().map(told).collect::<Vec<_>>(),
        [(Kind::Left, 2, executing, executing)]
    );
    assert_eq!(left[0].event_kind, "DESCRIPTION_CHANGED");
    served.end().await;
}

/// Two plants report in small batches while a stream is broken off and resumed, again and again.
/// Answers the changes seen, the last token, and how often the stream was resumed.
async fn break_off(
    served: &Served,
    sessions: [u64; 2],
    asked: &pb::WatchMachinesRequest,
) -> (Vec<MachineChange>, String, usize) {
    let mut dice = 7_u64;
    let mut roll = move |n: u64| {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (dice >> 33) % n
    };
    let (mut seen, mut token, mut resumed) = (Vec::new(), String::new(), 0);
    let mut sequences = [0_u64; 2];
    for round in 0..40 {
        let plant = (round % 2) as usize;
        let count = 1 + roll(700 * u64::from(round % 5 == 0) + 5);
        let first = sequences[plant] + 1;
        let events = (first..first + count).map(|sequence| {
            let to = [State::Executing, State::Held, State::Idle][roll(3) as usize];
            state(sequence, 1 + roll(5) as u32, to)
        });
        let batch = append(sessions[plant], events.collect());
        sequences[plant] += count;
        served.ingest().await.append(batch).await.unwrap();
        let mut asked = asked.clone();
        if !token.is_empty() {
            asked.starts.clear();
            asked.resume_token.clone_from(&token);
            resumed += 1;
        }
        let mut watching = begin(served, asked).await;
        for _ in 0..roll(4) {
            let message = next(&mut watching).await;
            seen.extend(message.changes);
            token = message.resume_token;
        }
    }
    (seen, token, resumed)
}

#[tokio::test]
async fn broken_off_anywhere_and_resumed_nothing_is_lost_or_repeated() {
    let served = serve_plant().await;
    let second = PLANT_FILE.replace("PLT-07", "PLT-08");
    served
        .model()
        .await
        .apply_plant(apply(&second))
        .await
        .unwrap();
    let other = format!("{TENANT}/plants/PLT-08");
    let session = served.session("gateway-1").await;
    let opened = pb::OpenSourceRequest {
        parent: other.clone(),
        ..open("gateway-2")
    };
    let opened = served.ingest().await.open_source(opened).await.unwrap();
    let elsewhere = opened.into_inner().session;
    let asked = pb::WatchMachinesRequest {
        filter: "state <> 'HELD'".into(),
        starts: vec![from(PLANT, 1), from(&other, 1)],
        ..request(&[ALL])
    };
    let (mut seen, token, resumed) = break_off(&served, [session, elsewhere], &asked).await;
    let get = async |plant: &str| {
        let twin = pb::GetTwinRequest {
            name: plant.into(),
            ..Default::default()
        };
        let twin = served.twin().await.get_twin(twin).await.unwrap();
        twin.into_inner().reflected.unwrap().position
    };
    let ends = [
        (PLANT, get(PLANT).await),
        (other.as_str(), get(&other).await),
    ];
    let rest = pb::WatchMachinesRequest {
        starts: Vec::new(),
        resume_token: token,
        ..asked.clone()
    };
    seen.extend(until(&mut begin(&served, rest).await, &ends).await.0);
    let (whole, _) = until(&mut begin(&served, asked).await, &ends).await;
    assert!(
        resumed > 20 && whole.len() > 1_000,
        "{resumed} {}",
        whole.len()
    );
    for (plant, _) in ends {
        let of = |changes: &[MachineChange]| -> Vec<MachineChange> {
            let of = changes.iter().filter(|change| change.plant == plant);
            of.cloned().collect()
        };
        let (seen, whole) = (of(&seen), of(&whole));
        assert_eq!(seen.len(), whole.len());
        let differs = seen.iter().zip(&whole).find(|(a, b)| a != b);
        assert_eq!(differs, None);
        assert!(whole.is_sorted_by_key(|change| change.position));
    }
    served.end().await;
}

#[tokio::test]
async fn who_stalls_is_told_and_still_gets_everything_once() {
    let folder = tempfile::tempdir().unwrap();
    let limits = Limits {
        slow_reader: Duration::from_secs(60),
        ..short()
    };
    let served = serve_in(folder, limits).await;
    served
        .model()
        .await
        .apply_plant(apply(PLANT_FILE))
        .await
        .unwrap();
    let session = served.session("gateway-1").await;
    let mut watching = begin(&served, request(&[PLANT])).await;
    let begun = next(&mut watching).await.plants[0].position;
    // More than the connection, the queue and memory hold, and nobody reads: the writer does not mind.
    let (mut sequence, mut end) = (0, 0);
    for _ in 0..100 {
        let events = (sequence + 1..=sequence + 500).map(|sequence| {
            let to = [State::Executing, State::Idle][sequence as usize % 2];
            state(sequence, 1 + sequence as u32 % 5, to)
        });
        let batch = append(session, events.collect());
        sequence += 500;
        end = served
            .ingest()
            .await
            .append(batch)
            .await
            .unwrap()
            .into_inner()
            .position;
    }
    let (mut positions, mut lags) = (Vec::new(), Vec::new());
    while positions.last() != Some(&end) {
        let message = next(&mut watching).await;
        lags.extend(message.lags);
        positions.extend(message.changes.iter().map(|change| change.position));
    }
    assert_eq!(positions, (begun + 1..=end).collect::<Vec<_>>());
    let lag = lags.first().expect("who stalls is told");
    assert!(
        lag.slow_reader && lag.from_position > begun && lag.to_position <= end,
        "{lag:?}"
    );
    served.end().await;
}

#[tokio::test]
async fn a_sampled_stream_tells_what_the_events_came_to() {
    let served = serve_plant().await;
    let session = served.session("gateway-1").await;
    let start = served.report(session, 1, &[State::Idle]).await;
    let sampled = |sample_ms| pb::WatchMachinesRequest {
        starts: vec![from(PLANT, start + 1)],
        sample_ms,
        ..request(&[PLANT])
    };
    let mut watching = begin(&served, sampled(50)).await;
    let mut rarely = begin(&served, sampled(3_600_000)).await;
    let states = [State::Executing, State::Held, State::Idle].repeat(100);
    let mut end = 0;
    for (at, states) in states.chunks(10).enumerate() {
        end = served.report(session, 2 + at as u64 * 10, states).await;
    }
    let (mut events, mut last, mut rows) = (0, None, 0);
    loop {
        let message = next(&mut watching).await;
        assert!(
            message.changes.len() <= 1,
            "one machine, one row: {message:?}"
        );
        rows += message.changes.len();
        events += message
            .changes
            .iter()
            .map(|change| change.events)
            .sum::<u32>();
        last = message.changes.last().map(told).or(last);
        if message.plants.iter().any(|at| at.position == end) {
            break;
        }
    }
    assert_eq!(events, 300, "each event is counted in one row");
    assert!(rows < 300, "{rows}");
    assert_eq!(
        last.map(|told| told.3),
        Some(pb::State::Idle),
        "it ends at the last state"
    );
    let mut heartbeats = 0;
    while heartbeats < 3 {
        let message = next(&mut rarely).await;
        // On a machine that is busy the stream may fall behind, which it says at once.
        assert!(
            message.heartbeat || !message.lags.is_empty() || !message.caught_up.is_empty(),
            "not before its time: {message:?}"
        );
        heartbeats += u32::from(message.heartbeat);
        assert!(message.changes.is_empty(), "{message:?}");
        assert_eq!(
            message.plants[0].position, start,
            "what is not told yet is not behind the reader"
        );
    }
    served.end().await;
}

#[tokio::test]
async fn heartbeats_say_where_every_plant_stands_also_one_that_is_created_later() {
    let served = serve().await;
    let mut watching = begin(&served, request(&[ALL])).await;
    let nothing = next(&mut watching).await;
    assert!(nothing.heartbeat && nothing.plants.is_empty());
    served
        .model()
        .await
        .apply_plant(apply(PLANT_FILE))
        .await
        .unwrap();
    let (mut changes, mut message) = (Vec::new(), next(&mut watching).await);
    while message.plants.is_empty() || !message.heartbeat {
        changes.extend(message.changes.iter().map(told));
        message = next(&mut watching).await;
    }
    let (new, off) = (pb::State::Unspecified, pb::State::Unavailable);
    let expected: Vec<_> = (1..=5)
        .map(|number| (Kind::Entered, number, new, off))
        .collect();
    assert_eq!(changes, expected, "a new plant begins with its first event");
    // The token of before the plant was there knows nothing of it: it comes whole.
    let asked = pb::WatchMachinesRequest {
        resume_token: nothing.resume_token,
        ..request(&[ALL])
    };
    let end = message.plants[0].position;
    let (changes, _) = until(&mut begin(&served, asked).await, &[(PLANT, end)]).await;
    assert_eq!(changes.iter().map(told).collect::<Vec<_>>(), expected);
    served.end().await;
}

#[tokio::test]
async fn a_stream_begins_at_a_position_or_a_time_of_the_past() {
    let served = serve_plant().await;
    let session = served.session("gateway-1").await;
    let end = served
        .report(session, 1, &[State::Idle, State::Executing, State::Held])
        .await;
    let asked = |start| pb::WatchMachinesRequest {
        starts: vec![start],
        present: true,
        ..request(&[PLANT])
    };
    let (changes, _) = until(
        &mut begin(&served, asked(from(PLANT, end))).await,
        &[(PLANT, end)],
    )
    .await;
    let present = changes
        .iter()
        .filter(|change| change.change_kind() == Kind::Present);
    assert!(present.clone().all(|change| change.position == end - 1));
    assert_eq!(present.count(), 5);
    assert_eq!(
        told(&changes[0]).3,
        pb::State::Executing,
        "as it was before {end}"
    );
    assert_eq!(
        told(&changes[5]),
        (Kind::Changed, 1, pb::State::Executing, pb::State::Held)
    );
    let recorded_at = changes[5].recorded_at.unwrap();
    let at = pb::WatchStart {
        plant: ALL.into(),
        from: Some(pb::watch_start::From::RecordedAt(recorded_at)),
    };
    let (again, _) = until(&mut begin(&served, asked(at)).await, &[(PLANT, end)]).await;
    assert_eq!(
        again, changes,
        "the time it was recorded at is the position"
    );
    let mut lagging = begin(&served, asked(from(PLANT, 1))).await;
    let lag = said(&mut lagging).await.lags;
    assert_eq!(
        (lag[0].from_position, lag[0].to_position, lag[0].slow_reader),
        (1, end, false)
    );
    let mut next_one = begin(&served, asked(from(PLANT, end + 1))).await;
    assert_eq!(said(&mut next_one).await.changes.len(), 5);
    let status = refused(&served, asked(from(PLANT, end + 2))).await;
    assert_eq!(reason(&status), Reason::InvalidInstant);
    assert!(status.message().contains(&end.to_string()), "{status}");
    served.end().await;
}

#[tokio::test]
async fn what_cannot_be_watched_is_refused_with_its_reason() {
    let served = serve_plant().await;
    let plain = request(&[PLANT]);
    let token = next(&mut begin(&served, plain.clone()).await)
        .await
        .resume_token;
    let with = |change: &dyn Fn(&mut pb::WatchMachinesRequest)| {
        let mut asked = plain.clone();
        change(&mut asked);
        asked
    };
    let missing = format!("{TENANT}/plants/PLT-99");
    let no_place = pb::WatchStart {
        plant: PLANT.into(),
        from: None,
    };
    let tomorrow = pb::WatchStart {
        from: Some(pb::watch_start::From::RecordedAt(i64::MAX)),
        ..no_place.clone()
    };
    let cases: Vec<(pb::WatchMachinesRequest, Reason)> = vec![
        (request(&[]), Reason::InvalidRequest),
        (request(&["plants/PLT-07"]), Reason::InvalidName),
        (request(&[&missing]), Reason::UnknownPlant),
        (
            with(&|asked| asked.filter = "colour = 'red'".into()),
            Reason::InvalidFilter,
        ),
        (with(&|asked| asked.view = 9), Reason::InvalidRequest),
        (
            with(&|asked| asked.heartbeat_ms = 99),
            Reason::InvalidRequest,
        ),
        (
            with(&|asked| asked.sample_ms = 3_600_001),
            Reason::InvalidRequest,
        ),
        (
            with(&|asked| asked.starts = vec![from(PLANT, 0)]),
            Reason::InvalidRequest,
        ),
        (
            with(&|asked| asked.starts = vec![from(PLANT, 1), from(PLANT, 1)]),
            Reason::InvalidRequest,
        ),
        (
            with(&|asked| asked.starts = vec![from(&missing, 1)]),
            Reason::UnknownPlant,
        ),
        (
            with(&|asked| asked.starts = vec![no_place.clone()]),
            Reason::InvalidRequest,
        ),
        (
            with(&|asked| asked.starts = vec![tomorrow.clone()]),
            Reason::InvalidInstant,
        ),
        (
            with(&|asked| asked.resume_token = "77".into()),
            Reason::InvalidResumeToken,
        ),
        (
            with(&|asked| {
                asked.resume_token.clone_from(&token);
                asked.starts = vec![from(PLANT, 1)];
            }),
            Reason::InvalidRequest,
        ),
        (
            with(&|asked| {
                asked.resume_token.clone_from(&token);
                asked.filter = "number > 0".into();
            }),
            Reason::InvalidResumeToken,
        ),
    ];
    for (asked, expected) in cases {
        let status = refused(&served, asked.clone()).await;
        assert_eq!(reason(&status), expected, "{asked:?}: {status}");
    }
    // The same name, but another log: the token must not pass for one of it.
    served.end().await;
    let served = serve_plant().await;
    let status = refused(
        &served,
        with(&|asked| asked.resume_token.clone_from(&token)),
    )
    .await;
    assert_eq!(reason(&status), Reason::InvalidResumeToken, "{status}");
    served.end().await;
}

#[tokio::test]
async fn streams_that_watch_are_bounded_in_number_and_in_machines() {
    for (watches, watched_machines) in [(1, 100), (100, 9)] {
        let limits = Limits {
            watches,
            watched_machines,
            ..short()
        };
        let served = serve_in(tempfile::tempdir().unwrap(), limits).await;
        served
            .model()
            .await
            .apply_plant(apply(PLANT_FILE))
            .await
            .unwrap();
        let mut first = begin(&served, request(&[PLANT])).await;
        next(&mut first).await;
        let status = refused(&served, request(&[PLANT])).await;
        assert_eq!(reason(&status), Reason::Overloaded, "{status}");
        assert!(retry_delay_of(&status).is_some());
        drop(first);
        // The place is free when the server has noticed.
        let mut client = served.twin().await;
        while client.watch_machines(request(&[PLANT])).await.is_err() {
            tokio::task::yield_now().await;
        }
        served.end().await;
    }
}

#[tokio::test]
async fn a_server_that_ends_says_so_and_the_stream_goes_on_after_it_is_back() {
    let served = serve_plant().await;
    let session = served.session("gateway-1").await;
    let mut watching = begin(&served, request(&[PLANT])).await;
    next(&mut watching).await;
    let end = served
        .report(session, 1, &[State::Idle, State::Executing])
        .await;
    let (before, token) = until(&mut watching, &[(PLANT, end)]).await;
    assert_eq!(before.len(), 2);
    let folder = served.end().await;
    let status = loop {
        match watching.message().await {
            Ok(message) => assert!(message.is_some(), "it ends with a reason"),
            Err(status) => break status,
        }
    };
    assert_eq!(reason(&status), Reason::ShuttingDown);
    let served = serve_in(folder, short()).await;
    let session = served.session("gateway-1").await;
    let asked = pb::WatchMachinesRequest {
        resume_token: token,
        ..request(&[PLANT])
    };
    let mut watching = begin(&served, asked).await;
    let end = served.report(session, 3, &[State::Held]).await;
    let (after, _) = until(&mut watching, &[(PLANT, end)]).await;
    let states: Vec<_> = after.iter().map(|change| told(change).3).collect();
    assert_eq!(states, [pb::State::Held], "only what is new");
    served.end().await;
}
