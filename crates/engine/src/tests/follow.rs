//! Following: every event once and in order, from memory or from the log, and a writer that never waits.

use super::{Bench, event, item, state};
use crate::limits::FEED_BATCHES;
use crate::{Follow, Step};
use werkbuch_model::event::State;
use werkbuch_model::id::Position;

/// Takes one step and notes the positions handed over.
fn step(follow: &mut Follow, most: usize, seen: &mut Vec<u64>) -> Step {
    let step = follow.step(most, |event| {
        seen.push(event.position.get());
        Ok(())
    });
    step.unwrap()
}

fn all(follow: &mut Follow, seen: &mut Vec<u64>) {
    while step(follow, 7, seen).last < follow.end() {}
}

#[tokio::test]
async fn events_come_once_and_in_order_from_the_log_and_then_from_memory() {
    let bench = Bench::new().await;
    let session = bench.open("gateway-1", None).await.session;
    for sequence in 1..=20 {
        bench
            .report(session, &[event(sequence, 1, item("a"))])
            .await;
    }
    let end = bench.plant().position();
    for from in [0, 1, 2, 13, end.get(), end.get() + 1] {
        let mut seen = Vec::new();
        let mut follow = bench.plant().follow(Position(from));
        all(&mut follow, &mut seen);
        assert_eq!(seen, (from.max(1)..=end.get()).collect::<Vec<_>>());
        assert_eq!(follow.next(), end.next());
    }
    let mut seen = Vec::new();
    let mut follow = bench.plant().follow(end.next());
    let batch: Vec<_> = (21..=40)
        .map(|sequence| event(sequence, 2, item("b")))
        .collect();
    bench.report(session, &batch).await;
    follow.ready().await.unwrap();
    while follow.next() <= follow.end() {
        let step = step(&mut follow, 3, &mut seen);
        assert!(!step.from_log && !step.missed, "who keeps up reads memory");
    }
    assert_eq!(seen, (end.get() + 1..=end.get() + 20).collect::<Vec<_>>());
    let nothing = step(&mut follow, 3, &mut seen);
    assert_eq!((nothing.last, nothing.from_log), (follow.end(), false));
}

#[tokio::test]
async fn who_stalls_is_told_and_loses_nothing() {
    let bench = Bench::new().await;
    let session = bench.open("gateway-1", None).await.session;
    let (mut seen, first) = (Vec::new(), bench.plant().position().next());
    let mut follow = bench.plant().follow(first);
    let (mut sequence, mut missed) = (0, 0);
    // Each round leaves more unread than memory holds, and reads a part of it before the next.
    for round in 0..4 {
        for _ in 0..FEED_BATCHES + 5 {
            sequence += 1;
            bench
                .report(session, &[event(sequence, 1, item("a"))])
                .await;
        }
        for _ in 0..round * 3 {
            missed += usize::from(step(&mut follow, 4, &mut seen).missed);
        }
    }
    while follow.next() <= follow.end() {
        missed += usize::from(step(&mut follow, 4, &mut seen).missed);
    }
    assert!(missed >= 1, "who missed batches in memory is told");
    let end = bench.plant().position().get();
    assert_eq!(seen, (first.get()..=end).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_twin_of_a_position_is_the_one_that_stood_there() {
    let bench = Bench::new().await;
    let session = bench.open("gateway-1", None).await.session;
    let mut stood = Vec::new();
    for sequence in 1..=30 {
        let to = State::ALL[1 + sequence as usize % 13];
        bench
            .report(session, &[event(sequence, sequence as i64, state(to))])
            .await;
        stood.push((bench.plant().position(), bench.digest().await));
    }
    let beyond = bench.plant().position().next();
    let bench = bench.reopen().await;
    let plant = bench.plant();
    tokio::task::spawn_blocking(move || {
        for (position, digest) in stood {
            let twin = plant.twin_at(position).unwrap();
            assert_eq!((twin.position(), twin.digest()), (position, digest));
        }
        // Closing recorded more of the writer's own; that is the end now.
        let end = plant.position();
        assert!(end >= beyond);
        let error = plant.twin_at(end.next()).unwrap_err();
        assert!(
            matches!(error, crate::EngineError::InvalidInstant { .. }),
            "{error}"
        );
    })
    .await
    .unwrap();
}
