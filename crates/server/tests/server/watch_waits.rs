//! What a watcher sees of machines that wait: at every position what a list of that position shows.

use crate::harness::{Served, append, apply, event, open, serve, state};
use crate::watch::{begin, from, request, said, until};
use std::collections::BTreeMap;
use werkbuch_model::event::{Body, BufferLevelChanged, PartEntered, PartLeft, State};
use werkbuch_wire::pb::{self, MachineChange, MachineChangeKind as Kind};

pub(crate) const PLANT: &str = "tenants/default/plants/L1";
/// Six machines in a row, some of them with a buffer between.
pub(crate) const LINE: &str = r#"
machine = [
    { id = "m1" }, { id = "m2" }, { id = "m3" }, { id = "m4" }, { id = "m5" }, { id = "m6" },
]
buffer = [{ id = "b1", capacity = 3 }, { id = "b2", capacity = 3 }]
flow = [
    { from = "m1", to = "m2" }, { from = "m2", to = "b1" }, { from = "b1", to = "m3" },
    { from = "m3", to = "m4" }, { from = "m4", to = "m5" }, { from = "m5", to = "b2" },
    { from = "b2", to = "m6" },
]
[plant]
id = "L1"
"#;

/// What happens on the line, by a dice that always falls the same.
fn happenings(count: u64) -> Vec<bytes::Bytes> {
    let mut dice = 11_u64;
    let mut roll = move |n: u64| {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (dice >> 33) % n
    };
    let states = [
        State::Executing,
        State::Idle,
        State::Waiting,
        State::Faulted,
        State::Starved,
    ];
    let buffers = ["b1", "b2"];
    let places = ["m2", "m4", "m5"];
    let happening = |sequence| match roll(10) {
        0..6 => state(sequence, 1 + roll(6) as u32, states[roll(5) as usize]),
        6..8 => {
            let body = BufferLevelChanged {
                buffer: buffers[roll(2) as usize].into(),
                level: Some(roll(4)),
                ..BufferLevelChanged::default()
            };
            event(sequence, 0, Body::BufferLevelChanged(body))
        }
        8 => {
            let body = PartEntered {
                part: ["p1", "p2"][roll(2) as usize].into(),
                location: places[roll(3) as usize].into(),
                ..PartEntered::default()
            };
            event(sequence, 0, Body::PartEntered(body))
        }
        _ => {
            let body = PartLeft {
                part: ["p1", "p2"][roll(2) as usize].into(),
                location: places[roll(3) as usize].into(),
                ..PartLeft::default()
            };
            event(sequence, 0, Body::PartLeft(body))
        }
    };
    (1..=count).map(happening).collect()
}

/// A server with the line. Answers the session of a source as well.
async fn serve_line() -> (Served, u64) {
    let served = serve().await;
    served.model().await.apply_plant(apply(LINE)).await.unwrap();
    let opened = pb::OpenSourceRequest {
        parent: PLANT.into(),
        machines: Vec::new(),
        ..open("gateway-1")
    };
    let opened = served.ingest().await.open_source(opened).await.unwrap();
    let session = opened.into_inner().session;
    (served, session)
}

async fn report(served: &Served, session: u64, events: Vec<bytes::Bytes>) -> u64 {
    let request = append(session, events);
    let done = served.ingest().await.append(request).await.unwrap();
    done.into_inner().position
}

/// The machines that match at a position, by their numbers.
pub(crate) async fn listed(
    served: &Served,
    filter: &str,
    position: u64,
) -> BTreeMap<u32, pb::Machine> {
    let request = pb::ListMachinesRequest {
        parent: PLANT.into(),
        filter: filter.into(),
        instant: Some(pb::Instant {
            known: Some(pb::instant::Known::KnownPosition(position)),
            ..Default::default()
        }),
        ..Default::default()
    };
    let listed = served.twin().await.list_machines(request).await.unwrap();
    let machines = listed.into_inner().machines.into_iter();
    let machines = machines.map(watched);
    machines.map(|machine| (machine.number, machine)).collect()
}

/// What a watch tells of a machine that a list shows: all but its rules, whose changes are events.
pub(crate) fn watched(machine: pb::Machine) -> pb::Machine {
    pb::Machine {
        raised_rules: None,
        raised_severity: None,
        ..machine
    }
}

/// Takes a change into the picture that a watcher has of the machines that match.
pub(crate) fn take(picture: &mut BTreeMap<u32, pb::Machine>, change: &MachineChange) {
    let machine = change.machine.clone().unwrap();
    let was = picture.contains_key(&machine.number);
    match change.change_kind() {
        Kind::Entered | Kind::Present => assert!(!was, "{change:?}"),
        Kind::Changed | Kind::Left => assert!(was, "{change:?}"),
        Kind::Unspecified => panic!("{change:?}"),
    }
    if change.change_kind() == Kind::Left {
        picture.remove(&machine.number);
    } else {
        picture.insert(machine.number, machine);
    }
}

#[tokio::test]
async fn the_picture_of_a_watcher_is_the_list_at_every_position() {
    let (served, session) = serve_line().await;
    let end = report(&served, session, happenings(150)).await;
    let mut inferred = 0;
    for filter in [
        "",
        "wait_state = 'STARVED'",
        "wait_state = 'BLOCKED' OR wait_provenance = 'UNKNOWN'",
        "wait_provenance = 'INFERRED' AND name <> 'm4'",
    ] {
        let asked = pb::WatchMachinesRequest {
            filter: filter.into(),
            starts: vec![from(PLANT, 1)],
            ..request(&[PLANT])
        };
        let (changes, _) = until(&mut begin(&served, asked).await, &[(PLANT, end)]).await;
        let mut picture = BTreeMap::new();
        let mut left = changes.iter().peekable();
        for position in 1..=end {
            while let Some(change) = left.next_if(|change| change.position == position) {
                take(&mut picture, change);
                inferred += usize::from(change.inferred);
            }
            let expected = listed(&served, filter, position).await;
            assert_eq!(picture, expected, "{filter} at {position}");
        }
        assert_eq!(left.next(), None);
        assert!(changes.len() > 20, "{filter}: {}", changes.len());
    }
    assert!(inferred > 60, "{inferred}");
    served.end().await;
}

#[tokio::test]
async fn a_watcher_begins_with_who_waits_and_is_told_when_a_neighbour_ends_it() {
    let (served, session) = serve_line().await;
    let level = |sequence, level| {
        let body = BufferLevelChanged {
            buffer: "b2".into(),
            level: Some(level),
            ..BufferLevelChanged::default()
        };
        event(sequence, 0, Body::BufferLevelChanged(body))
    };
    let begun = report(
        &served,
        session,
        vec![level(1, 0), state(2, 6, State::Idle)],
    )
    .await;
    let asked = pb::WatchMachinesRequest {
        filter: "wait_state = 'STARVED'".into(),
        present: true,
        ..request(&[PLANT])
    };
    let mut watching = begin(&served, asked).await;
    let present = said(&mut watching).await.changes;
    assert_eq!(present[0].position, begun);
    let cause = present[0].machine.clone().unwrap().wait_cause.unwrap();
    assert_eq!(cause.because, "buffer b2 is empty");
    assert_eq!((present.len(), present[0].inferred), (1, false));

    let end = report(&served, session, vec![level(3, 1)]).await;
    let (changes, _) = until(&mut watching, &[(PLANT, end)]).await;
    let left = &changes[0];
    assert_eq!(
        (left.change_kind(), left.inferred, left.position),
        (Kind::Left, true, end)
    );
    assert_eq!(left.event_kind, "BUFFER_LEVEL_CHANGED");
    let machine = left.machine.clone().unwrap();
    assert_eq!(
        (machine.number, machine.state(), left.previous_state),
        (6, pb::State::Idle, pb::State::Idle.into()),
        "the machine itself said nothing"
    );
    served.end().await;
}
