//! The server is killed at random moments while several sources report: every acknowledged event is
//! there once, at its acknowledged position, and the digests equal a clean replay.

use crate::support::{Server, replay_offline};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use werkbuch_model::event::{Body, ItemChanged, PartMeaning, PartProduced, State, StateChanged};
use werkbuch_model::event::{Reported, SourceKind};
use werkbuch_model::id::{MachineNumber, Sequence};
use werkbuch_model::time::{SECOND_NS, Timestamp};
use werkbuch_record::{decode_recorded, encode_reported};
use werkbuch_wire::{name, pb};

pub(crate) const SOURCES: usize = 4;
const BATCH: u64 = 7;

/// What one source was told: the position of each acknowledged sequence.
pub(crate) type Acknowledged = Arc<Mutex<BTreeMap<u64, u64>>>;

#[test]
fn acknowledged_events_survive_kills() {
    let rounds = if std::env::var("WERKBUCH_LONG").is_ok() {
        200
    } else {
        25
    };
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    // Files of 1 MiB, so that the server is also killed while it seals.
    let options = ["--snapshot-every", "400", "--write-ahead-mib", "1"];
    let mut server = Server::on(&data, &options);
    server.apply(crate::support::PLANT);
    let told: Vec<Acknowledged> = (0..SOURCES).map(|_| Acknowledged::default()).collect();
    let mut dice = Dice(20_261_122);
    for round in 0..rounds {
        let stop = Arc::new(AtomicBool::new(false));
        let reporters: Vec<_> = (0..SOURCES)
            .map(|source| {
                let (url, told, stop) = (server.url.clone(), told[source].clone(), stop.clone());
                std::thread::spawn(move || report(&url, source, &told, &stop))
            })
            .collect();
        std::thread::sleep(Duration::from_millis(15 + dice.below(120)));
        let _ = server.kill();
        stop.store(true, Ordering::SeqCst);
        for reporter in reporters {
            reporter.join().unwrap();
        }
        harm_snapshots(&data.join("snapshots/T1"), &mut dice);
        server = Server::on(&data, &options);
        if round % 8 == 7 {
            check_events(&server, &told);
        }
    }
    check_events(&server, &told);
    let events: usize = told.iter().map(|told| told.lock().unwrap().len()).sum();
    assert!(
        events > rounds * 20,
        "{events} events in {rounds} rounds are too few to mean anything"
    );
    let live = server.json(&["twin", "get", "T1"]);
    let replayed = server.json(&["replay", "--plant", "T1", "--check"]);
    assert_eq!(live["digest"], replayed["digest"], "{live} {replayed}");
    assert!(server.stop().success());
    let offline = replay_offline(&data);
    assert_eq!(offline["digest"], live["digest"]);
    eprintln!("{rounds} kills, {events} acknowledged events, all there once");
}

/// Reports batch after batch, beginning with the first that was not acknowledged, until the server dies.
pub(crate) fn report(url: &str, source: usize, told: &Acknowledged, stop: &AtomicBool) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let Ok(mut client) =
            pb::ingest_service_client::IngestServiceClient::connect(url.to_owned()).await
        else {
            return;
        };
        let request = pb::OpenSourceRequest {
            parent: name::of_plant("T1"),
            source: format!("gateway-{source}"),
            source_kind: SourceKind::Live.code() as i32,
            epoch: Some(1),
            ..Default::default()
        };
        let Ok(opened) = client.open_source(request).await else {
            return;
        };
        let session = opened.into_inner().session;
        // A counter that the source kept: what was not acknowledged goes out again, and one old batch.
        let mut next = told
            .lock()
            .unwrap()
            .keys()
            .last()
            .map_or(1, |last| last + 1);
        next = next.saturating_sub(BATCH).max(1);
        while !stop.load(Ordering::SeqCst) {
            let events = (next..next + BATCH)
                .map(|sequence| encode_reported(&event(source, sequence)).into())
                .collect();
            let batch = pb::AppendRequest {
                session,
                events,
                ..Default::default()
            };
            let Ok(answer) = client.append(batch).await else {
                return;
            };
            note(&answer.into_inner(), &mut told.lock().unwrap());
            next += BATCH;
        }
    });
}

fn note(answer: &pb::AppendResponse, told: &mut BTreeMap<u64, u64>) {
    for outcome in &answer.outcomes {
        use pb::outcome::Result::{Recorded, Refused, RepeatedAt};
        let first = match outcome.result.as_ref().unwrap() {
            Recorded(first) | RepeatedAt(first) => *first,
            Refused(refused) => panic!("{refused:?}"),
        };
        for k in 0..u64::from(outcome.count) {
            let before = told.insert(outcome.first_sequence + k, first + k);
            assert!(
                before.is_none_or(|before| before == first + k),
                "another position than before"
            );
        }
    }
}

/// The event that a source reports under a number, always the same.
fn event(source: usize, sequence: u64) -> Reported<'static> {
    let body = match sequence % 3 {
        0 => Body::StateChanged(StateChanged {
            to: State::ALL[1 + (sequence as usize / 3 + source) % 13],
            ..StateChanged::default()
        }),
        1 => Body::PartProduced(PartProduced {
            counter: "parts".into(),
            meaning: PartMeaning::Good,
            value: Some(sequence),
            ..PartProduced::default()
        }),
        _ => Body::ItemChanged(ItemChanged {
            item: "note".into(),
            text: Some(format!("source {source} says {sequence}").into()),
        }),
    };
    let at = Timestamp((1_790_000_000 + sequence as i64) * SECOND_NS);
    Reported {
        sequence: Sequence(sequence),
        machine: MachineNumber(1 + (sequence + source as u64) as u32 % 2),
        occurred_at: at,
        observed_at: Some(at),
        historical: false,
        body,
    }
}

/// Every acknowledged event stands once, at its position, with its content; nothing stands twice.
pub(crate) fn check_events(server: &Server, told: &[Acknowledged]) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut found: BTreeMap<(usize, u64), u64> = BTreeMap::new();
    let mut numbers: BTreeMap<u32, usize> = BTreeMap::new();
    runtime.block_on(async {
        let connect = pb::history_service_client::HistoryServiceClient::connect(server.url.clone());
        let mut client = connect.await.unwrap().max_decoding_message_size(16 << 20);
        let mut request = pb::ListEventsRequest {
            parent: name::of_plant("T1"),
            page_size: 5_000,
            ..Default::default()
        };
        let mut position = 0;
        loop {
            let page = client
                .list_events(request.clone())
                .await
                .unwrap()
                .into_inner();
            for bytes in &page.events {
                let recorded = decode_recorded(bytes).unwrap();
                position += 1;
                assert_eq!(recorded.position.get(), position, "positions have no gap");
                if let Body::SourceOpened(opened) = &recorded.reported.body {
                    let source = opened.name.rsplit('-').next().unwrap().parse().unwrap();
                    numbers.insert(opened.number.get(), source);
                }
                let Some(source) = numbers.get(&recorded.source.get()) else {
                    continue;
                };
                let sequence = recorded.reported.sequence.get();
                assert_eq!(recorded.reported, event(*source, sequence));
                let before = found.insert((*source, sequence), position);
                assert_eq!(
                    before, None,
                    "source {source} sequence {sequence} stands twice"
                );
            }
            if page.next_page_token.is_empty() {
                break;
            }
            request.page_token = page.next_page_token;
        }
    });
    for (source, told) in told.iter().enumerate() {
        for (sequence, position) in told.lock().unwrap().iter() {
            assert_eq!(
                found.get(&(source, *sequence)),
                Some(position),
                "source {source} sequence {sequence} was acknowledged at {position}"
            );
        }
    }
}

/// Deletes, cuts or flips a snapshot now and then: a start must not mind.
fn harm_snapshots(folder: &Path, dice: &mut Dice) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        let Ok(mut bytes) = std::fs::read(&path) else {
            continue;
        };
        match dice.below(6) {
            0 => drop(std::fs::remove_file(&path)),
            1 => {
                bytes.truncate(dice.below(bytes.len() as u64 + 1) as usize);
                std::fs::write(&path, bytes).unwrap();
            }
            2 if !bytes.is_empty() => {
                let at = dice.below(bytes.len() as u64) as usize;
                bytes[at] ^= 1 << dice.below(8);
                std::fs::write(&path, bytes).unwrap();
            }
            _ => {}
        }
    }
}

/// A small generator (SplitMix64), so that the moments follow a seed.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }
}
