//! The disk fails: nothing unsynced is acknowledged, reads go on, and service resumes if it can.

use super::*;
use crate::EngineError;
use crate::clock::Clock;
use werkbuch_journal::StoreError;
use werkbuch_journal::disk::{FaultKind, SimulatedDisk};
use werkbuch_model::instant::{Instant, Known};

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
    let ended = Position(14);
    assert_eq!(bench.plant().position(), ended);
    assert!(bench.plant().event(ended).unwrap().is_some());
    // Nor is it told what number comes next: what was not acknowledged may not be there.
    let again = bench
        .try_open("s", None, SourceKind::Live)
        .await
        .unwrap_err();
    assert!(
        matches!(again, EngineError::Store(StoreError::Stopped { .. })),
        "{again}"
    );
    // The past is that of the log, also up to a time that lies behind its end.
    bench.clock.pass(SECOND_NS);
    let instant = Instant {
        known: Known::Recorded(bench.clock.wall()),
        at: None,
    };
    let asked = bench.plant().ask(instant, |twin| twin.position()).await;
    assert_eq!(asked.unwrap().0, ended);
    assert_eq!(bench.plant().position(), ended);
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

fn correction(target: u64) -> Body<'static> {
    Body::CorrectionRecorded(werkbuch_model::event::Correction {
        action: werkbuch_model::event::CorrectionAction::Retract,
        targets: vec![Position(target)],
        ..werkbuch_model::event::Correction::default()
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_whose_first_part_failed_is_not_answered_by_its_second() {
    let disk = SimulatedDisk::new();
    let bench = Bench::on(Some(disk.clone())).await;
    let session = bench.open("s", None).await.session;
    bench.report(session, &[event(1, 0, item("a"))]).await;
    // The first write after this fails; the correction would fit again.
    disk.fail(FaultKind::NoSpace, 1);
    let events = [
        event(2, 0, item("b")),
        event(3, 0, item("c")),
        event(4, 0, correction(5)),
    ]
    .iter()
    .map(|event| Bytes::from(encode_reported(event)))
    .collect();
    let batch = Batch {
        events,
        bodies: Vec::new(),
    };
    let failed = bench.engine.append(session, batch.clone()).await;
    assert!(failed.is_err(), "{failed:?}");
    assert_eq!(bench.plant().position(), Position(5));
    let outcomes = bench.send(session, batch).await;
    assert_eq!(outcomes, ["3 from 2 recorded at 6"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_staging_that_is_given_up_harms_nothing_that_is_in_flight() {
    use werkbuch_model::event::{AlarmAcknowledged, Protected};
    let bench = Bench::new().await;
    let session = bench.open("s", None).await.session;
    // The key ring cannot be written: a folder stands where its file would.
    std::fs::create_dir_all(bench.folder.path().join("keys/ring.new/x")).unwrap();
    std::fs::remove_file(bench.folder.path().join("keys/ring.json")).ok();
    let who = Protected {
        plain: "newcomer".into(),
        ..Protected::default()
    };
    let acknowledged = Body::AlarmAcknowledged(AlarmAcknowledged {
        key: "door".into(),
        who,
        comment: Protected::default(),
    });
    let mut calls = Vec::new();
    for n in 0..20_u64 {
        let engine = bench.engine.clone();
        let mut events: Vec<_> = (1..=50)
            .map(|k| Bytes::from(encode_reported(&event(n * 50 + k, 0, item("x")))))
            .collect();
        if n % 5 == 4 {
            events.push(Bytes::from(encode_reported(&event(
                100_000 + n,
                0,
                acknowledged.clone(),
            ))));
        }
        let batch = Batch {
            events,
            bodies: Vec::new(),
        };
        calls.push(tokio::spawn(
            async move { engine.append(session, batch).await },
        ));
    }
    let mut failed = 0;
    for call in calls {
        failed += usize::from(call.await.unwrap().is_err());
    }
    assert_eq!(failed, 4, "the batches with a newcomer, and no others");
    std::fs::remove_dir_all(bench.folder.path().join("keys/ring.new")).unwrap();
    let next = event(200_000, 0, acknowledged.clone());
    assert!(bench.report(session, &[next]).await[0].contains("recorded"));
    let replay = bench
        .plant()
        .replay(crate::ReplayTo::End, true, &mut |_, _| {})
        .unwrap();
    assert_eq!(replay.position, bench.plant().position());
    assert_eq!(replay.digest, bench.digest().await);
    let bench = bench.reopen().await;
    let replay = bench
        .plant()
        .replay(crate::ReplayTo::End, true, &mut |_, _| {})
        .unwrap();
    for comparison in replay.comparisons {
        assert_eq!(comparison.verdict, crate::Verdict::Equal, "{comparison:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_gives_up_leaves_no_plant_behind() {
    let bench = Bench::new().await;
    for n in 0..20 {
        let text = format!("[plant]\nid = \"Q{n}\"\n[[machine]]\nid = \"m\"\n");
        let engine = bench.engine.clone();
        let request = apply(&text, false);
        let wait = std::time::Duration::from_micros(n * 30);
        let _ = tokio::time::timeout(wait, engine.apply(request)).await;
    }
    for n in 0..20 {
        let text = format!("[plant]\nid = \"Q{n}\"\n[[machine]]\nid = \"m\"\n");
        bench.apply(&text).await;
    }
    assert_eq!(bench.engine.plants().len(), 21);
    let closing = tokio::time::timeout(std::time::Duration::from_secs(20), bench.engine.close());
    closing.await.expect("it ends").unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_waits_for_a_plant_that_is_being_created() {
    for n in 0..12 {
        let bench = Bench::new().await;
        let engine = bench.engine.clone();
        let request = apply("[plant]\nid = \"Q\"\n[[machine]]\nid = \"m\"\n", false);
        let creating = tokio::spawn(async move { engine.apply(request).await });
        tokio::time::sleep(std::time::Duration::from_micros(n * 40)).await;
        let closing =
            tokio::time::timeout(std::time::Duration::from_secs(20), bench.engine.close());
        closing.await.expect("it ends").unwrap();
        let _ = creating.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_description_that_fails_stops_nobody() {
    let disk = SimulatedDisk::new();
    let bench = Bench::on(Some(disk.clone())).await;
    let text = "[plant]\nid = \"Q\"\n[[machine]]\nid = \"m\"\n";
    disk.set_capacity(Some(0));
    assert!(bench.engine.apply(apply(text, false)).await.is_err());
    disk.set_capacity(None);
    assert_eq!(bench.engine.stopped(), None);
    bench.apply(text).await;
    let session = bench.open("s", None).await.session;
    assert_eq!(
        bench.send(session, batch(1, 1)).await,
        ["1 from 1 recorded at 5"]
    );
    assert_eq!(
        (bench.engine.stopped(), bench.engine.trouble()),
        (None, None)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_opening_that_fails_fences_nobody() {
    let disk = SimulatedDisk::new();
    let bench = Bench::on(Some(disk.clone())).await;
    let session = bench.open("s", None).await.session;
    bench.send(session, batch(1, 1)).await;
    disk.set_capacity(Some(0));
    assert!(bench.try_open("s", None, SourceKind::Live).await.is_err());
    disk.set_capacity(None);
    assert_eq!(
        bench.send(session, batch(2, 1)).await,
        ["1 from 2 recorded at 6"]
    );
    let newer = bench.open("s", None).await;
    assert_eq!(newer.epoch, Epoch(2));
    assert!(bench.engine.append(session, batch(3, 1)).await.is_err());
}
