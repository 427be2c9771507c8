//! One machine asked alone, why machines wait, and the same answer after a restart.

use crate::find::{BEGIN, STEP, STEPS, serve_story};
use crate::harness::{PLANT, Served, append, serve_in, short, state};
use std::collections::BTreeMap;
use werkbuch_model::event::State;
use werkbuch_wire::pb;
use werkbuch_wire::pb::timeline_service_client::TimelineServiceClient;

fn request(machines: &[u32]) -> pb::StreamTimelinesRequest {
    pb::StreamTimelinesRequest {
        parent: PLANT.into(),
        machines: machines.iter().map(u32::to_string).collect(),
        from_time: Some(BEGIN),
        to_time: Some(BEGIN + STEPS * STEP),
        buckets: 7,
        with_waits: true,
        ..pb::StreamTimelinesRequest::default()
    }
}

/// The head, and the parts of the timelines of each machine.
async fn ask(
    served: &Served,
    request: pb::StreamTimelinesRequest,
) -> (pb::TimelineHead, BTreeMap<u32, Vec<pb::Timeline>>) {
    let mut client = TimelineServiceClient::new(served.channel().await);
    let mut stream = client.stream_timelines(request).await.unwrap().into_inner();
    let (mut head, mut found) = (None, BTreeMap::new());
    while let Some(message) = stream.message().await.unwrap() {
        head = head.or(message.head);
        for one in message.timelines {
            let parts: &mut Vec<pb::Timeline> = found.entry(one.number).or_default();
            parts.push(one);
        }
    }
    (head.unwrap(), found)
}

/// Each machine alone shows what it shows among all. Answers with how many intervals there are.
async fn alone_as_among_all(served: &Served) -> usize {
    let (of_all, all) = ask(served, request(&[])).await;
    assert_eq!(all.len(), 5);
    for (number, expected) in &all {
        let (head, found) = ask(served, request(&[*number])).await;
        assert_eq!(found.get(number), Some(expected), "machine {number}");
        assert_eq!(found.len(), 1);
        assert_eq!(
            (
                head.complete,
                head.last_position,
                head.from_time,
                head.to_time
            ),
            (true, of_all.last_position, of_all.from_time, of_all.to_time)
        );
    }
    let (_, some) = ask(served, request(&[4, 2])).await;
    assert_eq!(some, [2, 4].map(|one| (one, all[&one].clone())).into());
    let parts = all.values().flatten();
    parts.map(|part| part.intervals.len()).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_alone_shows_what_it_shows_among_all_also_where_something_is_lost() {
    let served = serve_story(1).await;
    assert!(alone_as_among_all(&served).await > 30);
    // Two events of a source that speaks of two machines are lost between the minutes.
    let session = served.session("gateway-9").await;
    let mut ingest = served.ingest().await;
    for events in [
        vec![late(1, 1, 3), late(2, 2, 4)],
        vec![late(5, 2, 9), late(6, 1, 12)],
    ] {
        ingest.append(append(session, events)).await.unwrap();
    }
    let (_, all) = ask(&served, request(&[])).await;
    let uncovered = |number: u32| all[&number].iter().map(|one| one.uncovered_ns).sum::<u64>();
    assert_eq!(uncovered(1), 5 * STEP.unsigned_abs());
    assert_eq!((uncovered(2), uncovered(3)), (uncovered(1), 0));
    alone_as_among_all(&served).await;
    served.end().await;
}

/// A state of a machine so many steps after the begin.
fn late(sequence: u64, machine: u32, step: i64) -> bytes::Bytes {
    let event = state(sequence, machine, State::Executing);
    let mut reported = werkbuch_record::decode_reported(&event).unwrap();
    let time = werkbuch_model::time::Timestamp(BEGIN + step * STEP);
    reported.occurred_at = time;
    reported.observed_at = Some(time);
    reported.historical = true;
    werkbuch_record::encode_reported(&reported).into()
}

#[tokio::test(flavor = "multi_thread")]
async fn why_a_machine_waits_is_what_lists_say_at_every_instant() {
    let (mut inferred, mut waited) = (0, 0);
    for seed in 0..3 {
        let served = serve_story(seed).await;
        let (_, all) = ask(&served, request(&[])).await;
        let mut twin = served.twin().await;
        for half in 0..2 * STEPS {
            let at = BEGIN + half * STEP / 2;
            let list = pb::ListMachinesRequest {
                parent: PLANT.into(),
                instant: Some(pb::Instant {
                    at: Some(at),
                    ..pb::Instant::default()
                }),
                ..pb::ListMachinesRequest::default()
            };
            let list = twin.list_machines(list).await.unwrap().into_inner();
            for machine in list.machines {
                let parts = all[&machine.number].iter();
                let mut intervals = parts.flat_map(|part| &part.intervals);
                let one = intervals.find(|one| one.begin <= at && at < one.end);
                let one = one.unwrap();
                assert_eq!(one.state, machine.state);
                let mut fitting = one.waits.iter().filter(|wait| {
                    assert!(one.begin <= wait.begin && wait.end <= one.end);
                    wait.begin <= at && at < wait.end
                });
                let cause = fitting.next().and_then(|wait| wait.cause.clone());
                assert!(fitting.next().is_none());
                let asks = ["WAITING", "IDLE"].map(|name| format!("STATE_{name}"));
                let expected = machine.wait_cause.filter(|_| {
                    let state = pb::State::try_from(machine.state).unwrap();
                    asks.contains(&state.as_str_name().to_owned())
                });
                assert_eq!(
                    cause, expected,
                    "seed {seed}, {} at step {half}/2",
                    machine.name
                );
                waited += usize::from(cause.is_some());
                let provenance = cause.map(|cause| cause.provenance());
                inferred += usize::from(provenance == Some(pb::Provenance::Inferred));
            }
        }
        served.end().await;
    }
    assert!(inferred > 40 && waited > inferred, "{inferred} of {waited}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_is_answered_the_same_after_a_restart() {
    let served = serve_story(2).await;
    let (head, before) = ask(&served, request(&[])).await;
    let reflected = head.reflected.clone().unwrap();
    let same = |machines: &[u32]| pb::StreamTimelinesRequest {
        instant: Some(pb::Instant {
            known: Some(pb::instant::Known::KnownPosition(reflected.position)),
            as_of: Some(reflected.as_of),
            ..pb::Instant::default()
        }),
        ..request(machines)
    };
    let first = ask(&served, same(&[])).await;
    let one = ask(&served, same(&[3])).await;
    let folder = served.end().await;
    let served = serve_in(folder, short()).await;
    assert_eq!(ask(&served, same(&[])).await, first);
    assert_eq!(ask(&served, same(&[3])).await, one);
    assert_eq!(ask(&served, request(&[])).await.1, before);
    // Also when what is derived is gone, and made anew from the log.
    let folder = served.end().await;
    let derived = folder.path().join("data").join("snapshots");
    assert!(derived.is_dir(), "{}", derived.display());
    std::fs::remove_dir_all(&derived).unwrap();
    let served = serve_in(folder, short()).await;
    assert_eq!(ask(&served, same(&[])).await, first);
    served.end().await;
}

/// What is inferred of a part of the window, by the state that is shown and the inferred one.
fn inferred_in(parts: &[pb::Timeline], from: i64, to: i64) -> BTreeMap<(i32, i32), u64> {
    let mut sums = BTreeMap::new();
    let intervals = parts.iter().flat_map(|part| &part.intervals);
    for one in intervals.filter(|one| !one.uncovered) {
        for wait in &one.waits {
            let cause = wait.cause.as_ref().unwrap();
            let length = wait.end.min(to) - wait.begin.max(from);
            if cause.provenance() == pb::Provenance::Inferred && length > 0 {
                *sums.entry((one.state, cause.state)).or_default() += length.unsigned_abs();
            }
        }
    }
    sums
}

#[tokio::test(flavor = "multi_thread")]
async fn inferred_waits_are_parts_of_buckets_and_sums_and_never_shares() {
    let (mut seen, mut causes) = (0, 0);
    for seed in 0..3 {
        let served = serve_story(seed).await;
        for buckets in [1, 7, 301] {
            let request = pb::StreamTimelinesRequest {
                buckets,
                ..request(&[])
            };
            let drawn = pb::StreamTimelinesRequest {
                without_intervals: true,
                ..request.clone()
            };
            let plain = pb::StreamTimelinesRequest {
                with_waits: false,
                ..request.clone()
            };
            let (_, all) = ask(&served, request).await;
            let (_, drawn) = ask(&served, drawn).await;
            let (_, plain) = ask(&served, plain).await;
            for (number, parts) in &all {
                let last = parts.last().unwrap();
                let length = i128::from(STEPS * STEP);
                let border = |at: u32| {
                    let at = length * i128::from(at) / i128::from(buckets);
                    BEGIN + i64::try_from(at).unwrap()
                };
                for bucket in &last.buckets {
                    let (from, to) = (border(bucket.bucket), border(bucket.bucket + 1));
                    let found = bucket.inferred.iter();
                    let found = found.map(|one| ((one.shown, one.state), one.duration_ns));
                    let found: BTreeMap<_, _> = found.collect();
                    assert_eq!(found, inferred_in(parts, from, to), "machine {number}");
                    seen += found.len();
                }
                let mut whole: BTreeMap<i32, u64> = BTreeMap::new();
                for ((_, state), length) in inferred_in(parts, i64::MIN, i64::MAX) {
                    *whole.entry(state).or_default() += length;
                }
                let sums = last.inferred.iter().map(|one| (one.state, one.duration_ns));
                assert_eq!(sums.collect::<BTreeMap<_, _>>(), whole, "machine {number}");
                for sum in &last.inferred {
                    assert!(sum.stays > 0 && sum.causes.len() <= sum.causes_size as usize);
                    let named: u64 = sum.causes.iter().map(|one| one.duration_ns).sum();
                    let all = sum.causes.len() == sum.causes_size as usize;
                    assert!(named == sum.duration_ns || (named < sum.duration_ns && !all));
                    causes += sum.causes.len();
                }
                // Without intervals it is the same; without being asked for nothing of it is there, and all
                // that machines say themselves stays as it was.
                let drawn = drawn[number].last().unwrap();
                assert_eq!(
                    (&drawn.buckets, &drawn.inferred),
                    (&last.buckets, &last.inferred)
                );
                let plain = plain[number].last().unwrap();
                assert_eq!((&plain.sums, plain.inferred.len()), (&last.sums, 0));
                let bare = last.buckets.iter().map(|one| pb::TimelineBucket {
                    inferred: Vec::new(),
                    ..one.clone()
                });
                assert_eq!(plain.buckets, bare.collect::<Vec<_>>());
            }
        }
        served.end().await;
    }
    assert!(seen > 100 && causes > 20, "{seen} parts, {causes} causes");
}
