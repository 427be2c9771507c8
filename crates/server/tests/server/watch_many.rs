//! Watching where one event moves many machines, and where only samples are told.

use crate::harness::{PLANT, PLANT_FILE, Served, append, apply, serve, serve_plant, state};
use crate::watch::{begin, from, next, request, told, until};
use crate::watch_waits::watched;
use std::collections::BTreeMap;
use werkbuch_model::event::State;
use werkbuch_wire::pb::{self, MachineChange, MachineChangeKind as Kind};

/// More machines than a message or a part of one takes.
const MACHINES: u32 = 3_000;

/// A plant of many machines that stand in a hall.
pub(crate) fn many(hall: &str, machines: u32) -> String {
    let mut text = "[plant]\nid = \"PLT-07\"\n".to_owned();
    for hall in ["north", "south"] {
        text += &format!("[[unit]]\nid = \"{hall}\"\nlevel = \"area\"\n");
    }
    for number in 1..=machines {
        text += &format!("[[machine]]\nid = \"m{number}\"\nin = \"{hall}\"\n");
    }
    text
}

async fn position(served: &Served) -> u64 {
    let twin = pb::GetTwinRequest {
        name: PLANT.into(),
        ..Default::default()
    };
    let twin = served.twin().await.get_twin(twin).await.unwrap();
    twin.into_inner().reflected.unwrap().position
}

/// What a stream tells when it is broken off after every message, and resumed by its token, until it
/// has told so many changes and nothing more comes. Answers with how often it was broken off in the
/// midst of an event.
async fn in_pieces(
    served: &Served,
    asked: &pb::WatchMachinesRequest,
    count: usize,
) -> (Vec<MachineChange>, usize) {
    let (mut asked, mut seen, mut within) = (asked.clone(), Vec::<MachineChange>::new(), 0);
    loop {
        let mut watching = begin(served, asked.clone()).await;
        // A stream begins with a heartbeat, also one that has more to tell; two more are its end.
        let (mut message, mut heartbeats) = (next(&mut watching).await, 0);
        let quiet = |message: &pb::WatchMachinesResponse| message.changes.is_empty();
        while quiet(&message) && (seen.len() < count || heartbeats < 2) {
            heartbeats += usize::from(message.heartbeat);
            message = next(&mut watching).await;
        }
        if quiet(&message) {
            return (seen, within);
        }
        let at = message.plants[0].position;
        let last = message.changes.last().map(|change| change.position);
        within += usize::from(last.is_some_and(|last| last > at));
        seen.extend(message.changes);
        asked.starts.clear();
        asked.resume_token = message.resume_token;
    }
}

#[tokio::test]
async fn a_token_from_the_midst_of_an_event_goes_on_with_its_next_machine() {
    let served = serve().await;
    let mut model = served.model().await;
    let mut descriptions = vec![
        many("north", MACHINES),
        many("south", MACHINES),
        many("south", 10),
    ];
    for text in &descriptions {
        model.apply_plant(apply(text)).await.unwrap();
    }
    let end = position(&served).await;
    for (filter, rows) in [
        // All come, all move, all but ten go.
        ("", MACHINES + MACHINES + (MACHINES - 10)),
        ("area = 'south'", MACHINES + (MACHINES - 10)),
        ("area = 'north'", MACHINES + MACHINES),
    ] {
        for view in [pb::WatchView::Brief, pb::WatchView::Full] {
            let asked = pb::WatchMachinesRequest {
                filter: filter.into(),
                starts: vec![from(PLANT, 1)],
                view: view.into(),
                ..request(&[PLANT])
            };
            let mut watching = begin(&served, asked.clone()).await;
            let (whole, _) = until(&mut watching, &[(PLANT, end)]).await;
            assert_eq!(whole.len(), rows as usize, "{filter}");
            let (seen, within) = in_pieces(&served, &asked, whole.len()).await;
            assert!(within >= 2, "{filter}: {within}");
            assert_eq!(seen.len(), whole.len(), "{filter}");
            let differs = seen.iter().zip(&whole).find(|(a, b)| a != b);
            assert_eq!(differs, None, "{filter}");
        }
    }
    // Where a stream begins with the machines that are there, these are broken off as well.
    let north = descriptions.remove(0);
    model.apply_plant(apply(&north)).await.unwrap();
    let end = position(&served).await;
    let asked = pb::WatchMachinesRequest {
        present: true,
        starts: vec![from(PLANT, end + 1)],
        ..request(&[PLANT])
    };
    let (seen, _) = in_pieces(&served, &asked, MACHINES as usize).await;
    let numbers: Vec<_> = seen.iter().map(|change| told(change).1).collect();
    assert!(numbers.is_sorted_by(|a, b| a < b), "none twice");
    assert_eq!(numbers.len(), MACHINES as usize);
    assert!(
        seen.iter()
            .all(|change| change.change_kind() == Kind::Present)
    );
    served.end().await;
}

fn sampled(filter: &str, start: u64) -> pb::WatchMachinesRequest {
    pb::WatchMachinesRequest {
        filter: filter.into(),
        starts: vec![from(PLANT, start)],
        sample_ms: 20,
        ..request(&[PLANT])
    }
}

#[tokio::test]
async fn a_sample_tells_what_all_came_to_and_not_what_came_and_went() {
    let served = serve_plant().await;
    let session = served.session("gateway-1").await;
    let start = served.report(session, 1, &[State::Held]).await;
    // One batch is one look at the most.
    let events = vec![
        state(2, 2, State::Held),
        state(3, 2, State::Idle),
        state(4, 3, State::Idle),
        state(5, 3, State::Held),
        state(6, 1, State::Idle),
        state(7, 1, State::Held),
        state(8, 4, State::Held),
        state(9, 4, State::Held),
        state(10, 4, State::Held),
    ];
    let request = append(session, events);
    let end = served.ingest().await.append(request).await.unwrap();
    let end = end.into_inner().position;
    let mut watching = begin(&served, sampled("state = 'HELD'", start + 1)).await;
    let (changes, _) = until(&mut watching, &[(PLANT, end)]).await;
    let (held, off) = (pb::State::Held, pb::State::Unavailable);
    let rows: Vec<_> = changes
        .iter()
        .map(|change| (told(change), change.events, change.position))
        .collect();
    assert_eq!(
        rows,
        [
            ((Kind::Changed, 1, held, held), 2, end - 3),
            ((Kind::Entered, 3, pb::State::Idle, held), 1, end - 5),
            ((Kind::Entered, 4, off, held), 3, end),
        ],
        "machine 2 came and went"
    );
    served.end().await;
}

#[tokio::test]
async fn samples_that_are_broken_off_come_to_the_present_all_the_same() {
    let served = serve_plant().await;
    let session = served.session("gateway-1").await;
    let begun = position(&served).await;
    let (mut asked, mut picture) = (sampled("state <> 'IDLE'", 1), BTreeMap::new());
    let mut looks = 0;
    for round in 0..30_u64 {
        let states = [State::Executing, State::Idle, State::Held];
        let events = (0..5).map(|at| {
            let number = round * 5 + at;
            let machine = 1 + (number * 7 % 5) as u32;
            state(number + 1, machine, states[(number * number % 3) as usize])
        });
        let batch = append(session, events.collect());
        served.ingest().await.append(batch).await.unwrap();
        if round == 15 {
            let moved = PLANT_FILE.replace("in = \"paint\"", "in = \"body\"");
            let mut model = served.model().await;
            model.apply_plant(apply(&moved)).await.unwrap();
        }
        let mut watching = begin(&served, asked.clone()).await;
        let messages = if round == 29 {
            usize::MAX
        } else {
            1 + round as usize % 3
        };
        let end = position(&served).await;
        for _ in 0..messages {
            let message = next(&mut watching).await;
            looks += usize::from(!message.changes.is_empty());
            for change in &message.changes {
                let machine = change.machine.clone().unwrap();
                match change.change_kind() {
                    Kind::Left => picture.remove(&machine.number),
                    _ => picture.insert(machine.number, machine),
                };
            }
            asked.starts.clear();
            asked.resume_token = message.resume_token;
            if message.plants.iter().any(|at| at.position >= end) {
                break;
            }
        }
    }
    assert!(
        position(&served).await > begun + 150 && looks > 5,
        "{looks}"
    );
    let request = pb::ListMachinesRequest {
        parent: PLANT.into(),
        filter: "state <> 'IDLE'".into(),
        ..Default::default()
    };
    let listed = served.twin().await.list_machines(request).await.unwrap();
    let seen: Vec<_> = picture.into_values().collect();
    let listed = listed.into_inner().machines.into_iter().map(watched);
    assert_eq!(seen, listed.collect::<Vec<_>>());
    served.end().await;
}
