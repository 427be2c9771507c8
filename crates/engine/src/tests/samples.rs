//! The lifetime of the single values of samples, by clocks that the test moves.

use super::*;
use crate::SampleBody;
use std::path::PathBuf;
use werkbuch_model::event::{SampleItem, SampleReported};
use werkbuch_proof::sha256;

const HOUR_NS: i64 = 3_600 * SECOND_NS;
const DAY_NS: i64 = 24 * HOUR_NS;

/// The plant of the tests with more under `[plant]`.
fn described(more: &str) -> String {
    PLANT.replacen("id = \"P\"", &format!("id = \"P\"\n{more}"), 1)
}

fn values(n: u64) -> Bytes {
    Bytes::from(format!("single values {n}"))
}

/// Reports batch `n` with its body and answers its position.
async fn report(bench: &Bench, session: u64, n: u64) -> Position {
    let body = values(n);
    let said = Body::SampleReported(SampleReported {
        period_ms: 60_000,
        items: vec![SampleItem {
            item: "load".into(),
            unavailable: 1,
            ..SampleItem::default()
        }],
        body_hash: sha256(&body).as_bytes().to_vec().into(),
        body_bytes: body.len() as u64,
        ..SampleReported::default()
    });
    let batch = Batch {
        events: vec![Bytes::from(encode_reported(&event(n, 0, said)))],
        bodies: vec![body],
    };
    let appended = bench.engine.append(session, batch).await.unwrap();
    match appended.outcomes[0].result {
        OutcomeResult::Recorded(position) => position,
        ref other => panic!("{other:?}"),
    }
}

async fn found(bench: &Bench, at: Position) -> SampleBody {
    let found = bench.plant().sample_body(at).await.unwrap();
    found.expect("a batch of samples")
}

fn recorded_at(bench: &Bench, at: Position) -> Timestamp {
    bench.each(|event| event.recorded_at)[at.get() as usize - 1]
}

fn present(n: u64) -> SampleBody {
    SampleBody::Present(values(n).to_vec())
}

#[tokio::test(flavor = "multi_thread")]
async fn values_live_as_long_as_declared_and_stay_gone() {
    let bench = Bench::new().await;
    bench.apply(&described("sample_days = 3")).await;
    let session = bench.open("s", None).await.session;
    let mut at = Vec::new();
    for n in 1..=3 {
        at.push(report(&bench, session, n).await);
        bench.clock.pass(DAY_NS + SECOND_NS);
    }
    // A moment before the first three days are over.
    bench.clock.pass(-10 * SECOND_NS);
    bench.engine.expire_bodies();
    assert_eq!(found(&bench, at[0]).await, present(1));
    bench.clock.pass(HOUR_NS);
    bench.engine.expire_bodies();
    let expired = |n: usize| SampleBody::Expired {
        at: recorded_at(&bench, at[n]).plus(3 * DAY_NS),
        days: 3,
    };
    assert_eq!(found(&bench, at[0]).await, expired(0));
    assert_eq!(found(&bench, at[1]).await, present(2));
    let figures = bench.engine.figures();
    assert_eq!((figures.expired_files, figures.expire_failures), (1, 0));
    assert!(figures.expired_bytes > 0);
    // A longer lifetime keeps what is there and brings nothing back; without one nothing goes.
    bench.apply(&described("sample_days = 60")).await;
    bench.clock.pass(50 * DAY_NS);
    bench.engine.expire_bodies();
    assert_eq!(found(&bench, at[0]).await, expired(0));
    assert_eq!(found(&bench, at[1]).await, present(2));
    bench.apply(PLANT).await;
    bench.clock.pass(5_000 * DAY_NS);
    bench.engine.expire_bodies();
    assert_eq!(found(&bench, at[2]).await, present(3));
    // A shorter one deletes; the log is as it was.
    bench.apply(&described("sample_days = 4000")).await;
    let events = bench.each(|event| event.reported.body.kind()).len();
    bench.engine.expire_bodies();
    let bench = bench.reopen().await;
    let gone = found(&bench, at[2]).await;
    assert!(
        matches!(gone, SampleBody::Expired { days: 4000, .. }),
        "{gone:?}"
    );
    let first = found(&bench, at[0]).await;
    assert!(
        matches!(first, SampleBody::Expired { days: 3, .. }),
        "{first:?}"
    );
    assert!(bench.each(|event| event.reported.body.kind()).len() >= events);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_deletes_what_expired_meanwhile() {
    let bench = Bench::new().await;
    bench.apply(&described("sample_days = 3")).await;
    let session = bench.open("s", None).await.session;
    let at = report(&bench, session, 1).await;
    bench.engine.close().await.unwrap();
    bench.clock.pass(10 * DAY_NS);
    let bench = bench.reopen().await;
    let file = bench.folder.path().join("bodies/P/bodies-0000000001.log");
    // The start does not wait for it.
    for _ in 0..2_000 {
        if !file.exists() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let gone = found(&bench, at).await;
    assert!(
        matches!(gone, SampleBody::Expired { days: 3, .. }),
        "{gone:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wall_clock_that_jumps_deletes_nothing_until_it_is_confirmed() {
    let bench = Bench::new().await;
    bench.apply(&described("sample_days = 3")).await;
    let session = bench.open("s", None).await.session;
    let at = report(&bench, session, 1).await;
    bench.clock.pass(DAY_NS);
    bench.engine.expire_bodies();
    bench.clock.jump(100 * DAY_NS);
    bench.engine.expire_bodies();
    assert_eq!(found(&bench, at).await, present(1));
    bench
        .engine
        .confirm_clock(bench.plant().id())
        .await
        .unwrap();
    bench.engine.expire_bodies();
    let gone = found(&bench, at).await;
    assert!(
        matches!(gone, SampleBody::Expired { days: 3, .. }),
        "{gone:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shorter_lifetime_deletes_once_it_holds() {
    let bench = Bench::new().await;
    bench.apply(&described("sample_days = 60")).await;
    let session = bench.open("s", None).await.session;
    let at = report(&bench, session, 1).await;
    let mut ahead = apply(&described("sample_days = 1"), false);
    ahead.file.valid_from = Some(MORNING.plus(20 * DAY_NS));
    bench.engine.apply(ahead).await.unwrap();
    for (days, kept) in [(10, true), (9, true), (2, false)] {
        bench.clock.pass(days * DAY_NS);
        bench.engine.expire_bodies();
        let is_kept = found(&bench, at).await == present(1);
        assert_eq!(is_kept, kept, "after {days} more days");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_damaged_and_expired_are_told_apart() {
    let bench = Bench::new().await;
    bench.apply(&described("sample_days = 3")).await;
    let session = bench.open("s", None).await.session;
    let mut at = Vec::new();
    for n in 1..=2 {
        at.push(report(&bench, session, n).await);
        bench.clock.pass(DAY_NS + HOUR_NS);
    }
    let file = |n| PathBuf::from(format!("bodies/P/bodies-000000000{n}.log"));
    let path = |n| bench.folder.path().join(file(n));
    std::fs::remove_file(path(1)).unwrap();
    let mut bytes = std::fs::read(path(2)).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    let n = bytes.len() - 8;
    bytes[n] ^= 1;
    std::fs::write(path(2), bytes).unwrap();
    let SampleBody::Lost(place) = found(&bench, at[0]).await else {
        panic!("{:?}", found(&bench, at[0]).await);
    };
    assert_eq!(place.file, file(1));
    let SampleBody::Damaged(place) = found(&bench, at[1]).await else {
        panic!("{:?}", found(&bench, at[1]).await);
    };
    assert_eq!((place.file, place.offset), (file(2), Some(32)));
    // What would have been deleted by now is not missed.
    bench.clock.pass(DAY_NS);
    let over = found(&bench, at[0]).await;
    assert!(
        matches!(over, SampleBody::Expired { days: 3, .. }),
        "{over:?}"
    );
    assert!(matches!(found(&bench, at[1]).await, SampleBody::Damaged(_)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_that_fails_is_counted_and_tried_again() {
    let disk = werkbuch_journal::disk::SimulatedDisk::new();
    let bench = Bench::on(Some(disk.clone())).await;
    bench.apply(&described("sample_days = 3")).await;
    let session = bench.open("s", None).await.session;
    let at = report(&bench, session, 1).await;
    bench.clock.pass(9 * DAY_NS);
    disk.fail(werkbuch_journal::disk::FaultKind::SyncFolder, 1);
    bench.engine.expire_bodies();
    assert_eq!(found(&bench, at).await, present(1));
    let figures = bench.engine.figures();
    assert_eq!((figures.expired_files, figures.expire_failures), (0, 1));
    bench.engine.expire_bodies();
    assert_eq!(bench.engine.figures().expired_files, 1);
}
