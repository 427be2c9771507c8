//! Lives of sources, and sessions that fence each other.

use super::*;
use crate::EngineError;

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_session_fences_the_older() {
    let bench = Bench::new().await;
    let first = bench.open("s", None).await;
    let second = bench.open("s", Some(1)).await;
    assert_eq!(
        (first.epoch, second.epoch, second.number),
        (Epoch(1), Epoch(1), first.number)
    );
    let batch = || Batch {
        events: vec![Bytes::from(encode_reported(&event(1, 0, item("x"))))],
        bodies: Vec::new(),
    };
    let loser = bench.engine.append(first.session, batch()).await;
    assert!(
        matches!(loser, Err(EngineError::SessionFenced { .. })),
        "{loser:?}"
    );
    assert_eq!(
        bench.send(second.session, batch()).await,
        ["1 from 1 recorded at 5"]
    );
    assert_eq!(bench.open("s", Some(1)).await.next_sequence, Sequence(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_counter_is_a_new_life() {
    let bench = Bench::new().await;
    let first = bench.open("s", None).await;
    bench
        .report(first.session, &[event(1, 0, item("old"))])
        .await;
    let second = bench.open("s", None).await;
    assert_eq!(
        (second.epoch, second.next_sequence),
        (Epoch(2), Sequence(1))
    );
    assert_ne!(second.number, first.number);
    // The same number in a new life is another event.
    assert_eq!(
        bench
            .report(second.session, &[event(1, 0, item("new"))])
            .await,
        ["1 from 1 recorded at 7"]
    );
    let old = bench.try_open("s", Some(1), SourceKind::Live).await;
    assert!(
        matches!(
            old,
            Err(EngineError::EpochFenced {
                latest: Epoch(2),
                ..
            })
        ),
        "{old:?}"
    );
    let unknown = bench.try_open("s", Some(3), SourceKind::Live).await;
    assert!(
        matches!(unknown, Err(EngineError::UnknownEpoch { .. })),
        "{unknown:?}"
    );
    let zero = bench.try_open("s", Some(0), SourceKind::Live).await;
    assert!(
        matches!(zero, Err(EngineError::UnknownEpoch { .. })),
        "{zero:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_has_one_life_and_is_opened_once_in_the_log() {
    let bench = Bench::new().await;
    for _ in 0..3 {
        let opened = bench
            .try_open("import:a", None, SourceKind::Import)
            .await
            .unwrap();
        assert_eq!(opened.epoch, Epoch(1));
        assert_eq!(opened.tolerance_ns, 86_400_000_000_000);
        assert_eq!(opened.machine_numbers, [MachineNumber(1)]);
    }
    let opened = bench.each(|e| e.reported.body.kind().name() == "SOURCE_OPENED");
    assert_eq!(opened.into_iter().filter(|is| *is).count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_plants_and_machines_are_named() {
    let bench = Bench::new().await;
    let mut request = OpenSource {
        source: SourceName::new("s").unwrap(),
        kind: SourceKind::Live,
        epoch: None,
        tolerance_ns: None,
        machines: vec!["m1".into(), "nowhere".into()],
    };
    let error = bench
        .engine
        .open_source(bench.plant().id(), request.clone())
        .await
        .unwrap_err();
    assert!(
        matches!(error, EngineError::UnknownMachine { ref machine, .. } if machine == "nowhere")
    );
    request.machines.clear();
    let other = PlantId::new("Q").unwrap();
    let error = bench.engine.open_source(&other, request).await.unwrap_err();
    assert!(matches!(error, EngineError::UnknownPlant { .. }));
}

#[tokio::test(flavor = "multi_thread")]
async fn other_sources_than_the_declared_one_are_recorded_and_do_not_move_the_state() {
    let bench = Bench::new().await;
    let text = "[plant]\nid = \"P\"\n[[machine]]\nid = \"m1\"\n[[machine]]\nid = \"m2\"\n\
                [[authority]]\nmachines = \"m*\"\naspect = \"state\"\nsources = [\"gateway-7\"]\n";
    bench.apply(text).await;
    let chief = bench.open("gateway-7", None).await.session;
    let other = bench.open("tablet", None).await.session;
    bench
        .report(chief, &[event(1, 0, state(State::Executing))])
        .await;
    bench
        .report(other, &[event(1, 5, state(State::Stopped))])
        .await;
    let plant = bench.plant();
    let ask = plant.ask(werkbuch_model::instant::Instant::NOW, |twin| {
        twin.machine(MachineNumber(1))
            .map(|machine| machine.state().signal)
    });
    assert_eq!(ask.await.unwrap().0, Some(State::Executing));
    let flags = bench.each(|e| e.flags.names());
    assert_eq!(flags.last().unwrap(), &["NOT_AUTHORITATIVE"]);
}

/// An authority counts from its time on, and what is declared meanwhile counts at once.
#[tokio::test(flavor = "multi_thread")]
async fn who_is_declared_from_tomorrow_on_counts_tomorrow() {
    let bench = Bench::new().await;
    let tomorrow = MORNING.plus(86_400 * SECOND_NS);
    let authority = |aspect: &str| {
        format!(
            "[[authority]]\nmachines = \"m*\"\naspect = \"{aspect}\"\nsources = [\"gateway-7\"]\n"
        )
    };
    let ahead = format!("valid_from = {tomorrow}\n{PLANT}\n{}", authority("state"));
    bench.apply(&ahead).await;
    let mut session = bench.open("tablet", None).await.session;
    let mut number = 0;
    let mut flags = async |bench: &Bench, session: u64, body: Body<'static>| {
        number += 1;
        bench.report(session, &[event(number, 5, body)]).await;
        let flags = bench.each(|e| e.flags.names());
        flags.last().unwrap().contains(&"NOT_AUTHORITATIVE")
    };
    assert!(
        !flags(&bench, session, state(State::Stopped)).await,
        "today"
    );
    let bench = bench.reopen().await;
    session = bench.open("tablet", Some(1)).await.session;
    assert!(
        !flags(&bench, session, state(State::Held)).await,
        "restarted"
    );
    let both = format!("{PLANT}\n{}{}", authority("state"), authority("item"));
    let item_only = format!("{PLANT}\n{}", authority("item"));
    // What holds at once is laid over what holds today, beside what lies ahead.
    bench.apply(&both).await;
    assert!(flags(&bench, session, item("x")).await, "at once");
    assert!(!flags(&bench, session, state(State::Idle)).await, "not yet");
    bench.clock.pass(86_400 * SECOND_NS);
    assert!(flags(&bench, session, state(State::Held)).await, "tomorrow");
    bench.apply(&item_only).await;
    assert!(
        !flags(&bench, session, state(State::Stopped)).await,
        "no more"
    );
}
