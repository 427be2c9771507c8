//! The disk fails: nothing unsynced is acknowledged, reads go on, and service resumes if it can.

use super::*;
use crate::EngineError;
use werkbuch_journal::StoreError;
use werkbuch_journal::disk::{FaultKind, SimulatedDisk};

fn batch(first: u64, count: u64) -> Batch {
    let event = |n| {
        Bytes::from(encode_reported(&event(
            n,
            0,
            item("some text that takes room"),
        )))
    };
    Batch {
        events: (first..first + count).map(event).collect(),
        bodies: Vec::new(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_answers_clearly_and_service_resumes_without_a_restart() {
    let disk = SimulatedDisk::new();
    let bench = Bench::on(Some(disk.clone())).await;
    let session = bench.open("s", None).await.session;
    bench.send(session, batch(1, 100)).await;
    let (position, digest) = (bench.plant().position(), bench.digest().await);
    disk.set_capacity(Some(0));
    for _ in 0..3 {
        let error = bench
            .engine
            .append(session, batch(101, 100))
            .await
            .unwrap_err();
        assert!(
            matches!(error, EngineError::Store(StoreError::DiskFull { .. })),
            "{error}"
        );
    }
    assert_eq!(
        (bench.plant().position(), bench.digest().await),
        (position, digest),
        "reads go on"
    );
    disk.set_capacity(None);
    let next = position.get() + 1;
    assert_eq!(
        bench.send(session, batch(101, 100)).await,
        [format!("100 from 101 recorded at {next}")]
    );
    assert_eq!(
        bench.send(session, batch(1, 100)).await,
        ["100 from 1 repeated at 5"]
    );
    let bench = bench.reopen().await;
    assert_eq!(
        bench.each(|e| e.position.get()).len() as u64,
        bench.plant().position().get()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_failed_sync_nothing_is_acknowledged_any_more() {
    let disk = SimulatedDisk::new();
    let bench = Bench::on(Some(disk.clone())).await;
    let session = bench.open("s", None).await.session;
    bench.send(session, batch(1, 10)).await;
    disk.fail(FaultKind::Sync, 1);
    let first = bench
        .engine
        .append(session, batch(11, 10))
        .await
        .unwrap_err();
    assert!(
        matches!(first, EngineError::Store(StoreError::Stopped { .. })),
        "{first}"
    );
    let second = bench
        .engine
        .append(session, batch(11, 10))
        .await
        .unwrap_err();
    assert!(
        matches!(second, EngineError::Store(StoreError::Stopped { .. })),
        "{second}"
    );
    assert_eq!(bench.plant().position(), Position(14));
    assert!(bench.plant().event(Position(14)).unwrap().is_some());
    assert!(bench.engine.close().await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_fails_once_what_was_acknowledged_is_there_after_the_power_is_back() {
    for kind in [
        FaultKind::Write,
        FaultKind::ShortWrite,
        FaultKind::NoSpace,
        FaultKind::Sync,
    ] {
        for nth in 1..12 {
            let disk = SimulatedDisk::new();
            let bench = Bench::on(Some(disk.clone())).await;
            let session = bench.open("s", None).await.session;
            disk.fail(kind, nth);
            let mut acknowledged = Vec::new();
            for n in 0..8 {
                if let Ok(appended) = bench.engine.append(session, batch(n * 5 + 1, 5)).await {
                    for outcome in &appended.outcomes {
                        if let OutcomeResult::Recorded(at) = outcome.result {
                            acknowledged.push((outcome.first_sequence, at, outcome.count));
                        }
                    }
                }
            }
            let after = disk.crash(nth);
            std::fs::remove_dir_all(bench.folder.path().join("snapshots")).ok();
            let engine = Engine::open(options(&bench.folder, &bench.clock, Some(&after)))
                .await
                .unwrap();
            let plant = engine.plant(&PlantId::new("P").unwrap()).unwrap();
            for (sequence, at, count) in acknowledged {
                for k in 0..u64::from(count) {
                    let stored = plant.event(Position(at.get() + k)).unwrap().unwrap();
                    let event = decode_recorded(&stored.bytes).unwrap();
                    assert_eq!(
                        event.reported.sequence.get(),
                        sequence.get() + k,
                        "{kind:?} {nth}"
                    );
                }
            }
            engine.close().await.unwrap();
        }
    }
}
