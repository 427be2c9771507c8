//! Clocks of sources, gateways and the writer.

use super::*;
use crate::EngineError;
use werkbuch_model::instant::{Instant, Known};

/// Seconds from the morning to an instant.
fn seconds(text: &str) -> i64 {
    Timestamp::parse(text).unwrap().since(MORNING) / SECOND_NS
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_takes_effect_by_the_clock_that_can_be_believed() {
    let bench = Bench::new().await;
    let session = bench.open("s", None).await.session;
    let far = seconds("2200-01-01T00:00:00Z");
    let old = seconds("1970-01-01T00:00:00Z");
    // Seconds of occurred and observed (none: no gateway), declared historical; then the seconds
    // that it takes effect at (none: when it is recorded) and whether it is suspect.
    let cases = [
        (0, Some(0), false, Some(0), false),
        (-599, Some(0), false, Some(-599), false),
        (-601, Some(0), false, Some(0), true),
        (601, Some(0), false, Some(0), true),
        (-601, Some(0), true, Some(-601), false),
        (601, Some(0), true, Some(0), true),
        (-86_400, Some(-86_400), false, Some(-86_400), false),
        (-300, None, false, Some(-300), false),
        (-7_200, None, false, None, true),
        (old, Some(0), false, Some(0), true),
        (far, Some(0), false, Some(0), true),
        (old, Some(old), false, Some(old), true),
        (far, Some(far), false, None, true),
    ];
    for (n, (occurred, observed, historical, effective, suspect)) in (1..).zip(cases) {
        let at = |seconds: i64| MORNING.plus(seconds.saturating_mul(SECOND_NS));
        let event = Reported {
            occurred_at: at(occurred),
            observed_at: observed.map(at),
            historical,
            ..event(n, 0, item("x"))
        };
        assert!(bench.report(session, &[event]).await[0].contains("recorded"));
        let last = bench.each(|e| (e.effective_at, e.recorded_at, e.flags.names()));
        let (found, recorded_at, flags) = last.last().unwrap().clone();
        assert_eq!(found, effective.map_or(recorded_at, at), "case {n}");
        assert_eq!(flags == ["SUSPECT_CLOCK"], suspect, "case {n}: {flags:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn recorded_at_strictly_increases_and_jumps_are_recorded() {
    let bench = Bench::new().await;
    let session = bench.open("s", None).await.session;
    bench
        .report(session, &[event(1, 0, item("a")), event(2, 0, item("b"))])
        .await;
    bench.clock.jump(-3_600 * SECOND_NS);
    bench.report(session, &[event(3, 0, item("c"))]).await;
    bench.clock.jump(1_800 * SECOND_NS);
    bench.report(session, &[event(4, 0, item("d"))]).await;
    let stamps = bench.each(|e| e.recorded_at);
    assert!(stamps.windows(2).all(|pair| pair[0] < pair[1]));
    let jumps = bench.each(|e| match &e.reported.body {
        Body::ClockJumped(jump) => Some(jump.found.since(jump.expected) / SECOND_NS),
        _ => None,
    });
    assert_eq!(
        jumps.into_iter().flatten().collect::<Vec<_>>(),
        [-3_600, 1_800]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_jump_of_more_than_an_hour_forward_waits_for_a_person() {
    let bench = Bench::new().await;
    let session = bench.open("s", None).await.session;
    bench.clock.jump(2 * 3_600 * SECOND_NS);
    let events = vec![Bytes::from(encode_reported(&event(1, 0, item("a"))))];
    let batch = Batch {
        events,
        bodies: Vec::new(),
    };
    let stopped = bench.engine.append(session, batch.clone()).await;
    assert!(
        matches!(stopped, Err(EngineError::ClockUnconfirmed { .. })),
        "{stopped:?}"
    );
    let position = bench
        .engine
        .confirm_clock(bench.plant().id())
        .await
        .unwrap();
    assert_eq!(position, Position(5));
    assert_eq!(bench.send(session, batch).await, ["1 from 1 recorded at 6"]);
    assert_eq!(
        bench
            .engine
            .confirm_clock(bench.plant().id())
            .await
            .unwrap(),
        Position(0)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn time_between_runs_is_no_jump() {
    let bench = Bench::new().await;
    bench.clock.jump(-365 * 86_400 * SECOND_NS);
    let bench = bench.reopen().await;
    let session = bench.open("s", None).await.session;
    bench.report(session, &[event(1, 0, item("a"))]).await;
    let kinds = bench.each(|e| e.reported.body.kind().name());
    assert!(!kinds.contains(&"CLOCK_JUMPED"), "{kinds:?}");
    let stamps = bench.each(|e| e.recorded_at);
    assert!(stamps.windows(2).all(|pair| pair[0] < pair[1]));
}

/// Now is a time like any other: what holds from tomorrow on is shown tomorrow, also after a restart.
/// Applying the same again finds nothing to do meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn a_description_from_tomorrow_on_is_shown_tomorrow() {
    let names = async |bench: &Bench, known: Known, at: Option<Timestamp>| {
        let names = |twin: &werkbuch_twin::Twin| twin.description().machines().count();
        bench
            .plant()
            .ask(Instant { known, at }, names)
            .await
            .unwrap()
            .0
    };
    let mut bench = Bench::new().await;
    let today = names(&bench, Known::Now, None).await;
    let tomorrow = MORNING.plus(86_400 * SECOND_NS);
    let text = format!("valid_from = {tomorrow}\n{PLANT}\n[[machine]]\nid = \"coming\"\n");
    assert_eq!(bench.apply(&text).await.changes.len(), 1);
    for _ in 0..2 {
        assert_eq!(names(&bench, Known::Now, None).await, today);
        assert_eq!(names(&bench, Known::Now, Some(MORNING)).await, today);
        assert_eq!(names(&bench, Known::Now, Some(tomorrow)).await, today + 1);
        assert!(bench.apply(&text).await.changes.is_empty());
        bench = bench.reopen().await;
    }
    let before = Known::Position(bench.plant().position());
    bench.clock.pass(86_400 * SECOND_NS);
    assert_eq!(names(&bench, Known::Now, None).await, today + 1);
    assert_eq!(names(&bench, before, None).await, today, "as it was known");
}

/// Who asks while something lies ahead shares what was found out, until more of it holds.
#[tokio::test(flavor = "multi_thread")]
async fn what_holds_is_found_out_once() {
    let bench = Bench::new().await;
    let [tomorrow, later] = [86_400, 2 * 86_400].map(|at| MORNING.plus(at * SECOND_NS));
    let coming = |n: u32| format!("[[machine]]\nid = \"coming-{n}\"\n");
    let text = format!("valid_from = {tomorrow}\n{PLANT}\n{}", coming(1));
    bench.apply(&text).await;
    // A twin that is kept keeps its description, so that no other can stand at the same place.
    let twin = async || {
        let plant = bench.plant();
        let asked = plant.ask(Instant::NOW, werkbuch_twin::Twin::clone);
        asked.await.unwrap().0
    };
    let same = |a: &werkbuch_twin::Twin, b: &werkbuch_twin::Twin| {
        std::ptr::eq(a.description(), b.description())
    };
    let (first, second) = (twin().await, twin().await);
    assert!(same(&first, &second));
    let text = format!("valid_from = {later}\n{PLANT}\n{}{}", coming(1), coming(2));
    bench.apply(&text).await;
    let third = twin().await;
    assert!(!same(&second, &third), "another revision");
    assert_eq!(third.description(), second.description());
    bench.clock.pass(86_400 * SECOND_NS);
    let fourth = twin().await;
    assert!(fourth.description().machine_named("coming-1").is_some());
    assert!(same(&fourth, &twin().await));
    assert!(fourth.description().machine_named("coming-2").is_none());
}

/// Else nothing could be reported of a machine from the day on which its removal is planned.
#[tokio::test(flavor = "multi_thread")]
async fn a_machine_that_goes_tomorrow_reports_until_then() {
    let bench = Bench::new().await;
    let tomorrow = MORNING.plus(86_400 * SECOND_NS);
    let text = format!("valid_from = {tomorrow}\n{}", PLANT.replace("m2", "m3"));
    let text = text.replace("m1", "m2");
    assert_eq!(
        bench.apply(&text).await.changes.len(),
        2,
        "m1 goes, m3 comes"
    );
    let bench = bench.reopen().await;
    let session = bench.open("s", None).await.session;
    let of = |number, machine| Reported {
        machine: MachineNumber(machine),
        ..event(number, 0, item("x"))
    };
    let sent = [of(1, 1), of(2, 2), of(3, 3)];
    let outcome = bench.report(session, &sent).await;
    assert!(outcome[0].starts_with("3 from 1 recorded"), "{outcome:?}");
    bench.clock.pass(86_400 * SECOND_NS);
    let outcome = bench.report(session, &[of(4, 1)]).await;
    assert_eq!(outcome, [reason(RefusalReason::RemovedMachine, 4)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_past_is_right_on_both_clocks() {
    let bench = Bench::new().await;
    let session = bench.open("s", None).await.session;
    bench
        .report(session, &[event(1, 0, state(State::Executing))])
        .await;
    bench.clock.pass(60 * SECOND_NS);
    bench
        .report(session, &[event(2, 60, state(State::Stopped))])
        .await;
    bench.clock.pass(60 * SECOND_NS);
    // Late: what was at 30 seconds is known only from position 7 on.
    bench
        .report(session, &[event(3, 30, state(State::Held))])
        .await;
    let at = |seconds| Some(MORNING.plus(seconds * SECOND_NS));
    let recorded = |n: usize| Known::Recorded(bench.each(|e| e.recorded_at)[n]);
    for (known, at, expected) in [
        (Known::Now, None, Some(State::Stopped)),
        (Known::Now, at(59), Some(State::Held)),
        (Known::Now, at(29), Some(State::Executing)),
        (Known::Position(Position(6)), at(59), Some(State::Executing)),
        (Known::Position(Position(5)), None, Some(State::Executing)),
        (recorded(5), None, Some(State::Stopped)),
        (recorded(4), None, Some(State::Executing)),
        (Known::Position(Position(4)), None, Some(State::Unavailable)),
        (Known::Position(Position(0)), None, None),
    ] {
        let plant = bench.plant();
        let asked = plant.ask(Instant { known, at }, |twin| {
            twin.machine(MachineNumber(1))
                .map(|machine| machine.state().signal)
        });
        assert_eq!(asked.await.unwrap().0, expected, "{known:?} {at:?}");
    }
    let beyond = Instant {
        known: Known::Position(Position(99)),
        at: None,
    };
    let error = bench.plant().ask(beyond, |_| ()).await.unwrap_err();
    assert!(error.to_string().contains("ends at 7"), "{error}");
    let future = Instant {
        known: Known::Recorded(MORNING.plus(i64::MAX / 4)),
        at: None,
    };
    assert!(bench.plant().ask(future, |_| ()).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instant_that_is_asked_for_again_is_not_folded_again() {
    let bench = Bench::new().await;
    let session = bench.open("s", None).await.session;
    for second in 0..5 {
        let said = event(second + 1, second.cast_signed(), state(State::Executing));
        bench.report(session, &[said]).await;
    }
    let plant = bench.plant();
    let folded = || bench.engine.figures().past.count();
    let begin = folded();
    let known = |position| Instant {
        known: Known::Position(Position(position)),
        at: None,
    };
    // Questions that stand in line; what the first one folded is kept behind its answer.
    for (instant, expected) in [(known(4), 1), (known(5), 2)] {
        for _ in 0..3 {
            let asked = plant.ask(instant, |twin| twin.position()).await.unwrap();
            assert_eq!(Known::Position(asked.0), instant.known);
            assert_eq!(asked.1.position, asked.0);
            let of = (asked.0, None);
            while plant.shared.recent.find(plant.id(), of).is_none() {
                tokio::task::yield_now().await;
            }
        }
        assert_eq!(folded() - begin, expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recording_from_the_future_comes_out_the_same_whenever_it_is_imported() {
    let bench = Bench::new().await;
    let opened = bench
        .try_open("import:a", None, SourceKind::Import)
        .await
        .unwrap();
    let far = seconds("2200-01-01T00:00:00Z");
    let events = [
        event(1, -500, item("a")),
        event(2, far, item("b")),
        event(3, -400, item("c")),
    ];
    bench.report(opened.session, &events).await;
    let last = bench.each(|e| (e.effective_at.since(MORNING) / SECOND_NS, e.flags.names()));
    assert_eq!(
        last[4..],
        [
            (-500, vec![]),
            (-500, vec!["SUSPECT_CLOCK"]),
            (-400, vec![]),
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_known_at_a_time_stays_the_same() {
    let bench = Bench::new().await;
    let session = bench.open("s", None).await.session;
    let engine = bench.engine.clone();
    let reporter = tokio::spawn(async move {
        for n in 1..=300_u64 {
            let events = vec![Bytes::from(encode_reported(&event(n, 0, item("x"))))];
            engine
                .append(
                    session,
                    Batch {
                        events,
                        bodies: Vec::new(),
                    },
                )
                .await
                .unwrap();
        }
    });
    let plant = bench.plant();
    let mut answers = Vec::new();
    while !reporter.is_finished() {
        bench.clock.pass(1_000);
        let now = crate::clock::Clock::wall(&*bench.clock);
        let instant = Instant {
            known: Known::Recorded(now),
            at: None,
        };
        let (_, reflected) = plant.ask(instant, |_| ()).await.unwrap();
        answers.push((instant, reflected.position));
    }
    reporter.await.unwrap();
    assert!(answers.len() > 10);
    for (instant, position) in answers {
        let (_, again) = plant.ask(instant, |_| ()).await.unwrap();
        assert_eq!(again.position, position, "{instant:?}");
    }
    // A recorded time can be asked for also when the wall clock has been set back behind it.
    bench.clock.jump(-3_600 * SECOND_NS);
    let last = *bench.each(|e| e.recorded_at).last().unwrap();
    let instant = Instant {
        known: Known::Recorded(last),
        at: None,
    };
    assert_eq!(
        plant.ask(instant, |_| ()).await.unwrap().1.position,
        plant.position()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_confirmed_clock_is_not_asked_for_again() {
    use werkbuch_model::event::{AlarmAcknowledged, Protected};
    let bench = Bench::new().await;
    let session = bench.open("s", None).await.session;
    bench.clock.jump(2 * 3_600 * SECOND_NS);
    bench
        .engine
        .confirm_clock(bench.plant().id())
        .await
        .unwrap();
    // A staging that is given up comes behind it: the key ring cannot be written.
    std::fs::create_dir_all(bench.folder.path().join("keys/ring.new/x")).unwrap();
    let body = Body::AlarmAcknowledged(AlarmAcknowledged {
        key: "door".into(),
        who: Protected {
            plain: "newcomer".into(),
            ..Protected::default()
        },
        comment: Protected::default(),
    });
    let events = vec![
        Bytes::from(encode_reported(&event(1, 0, item("x")))),
        Bytes::from(encode_reported(&event(2, 0, body))),
    ];
    assert!(
        bench
            .engine
            .append(
                session,
                Batch {
                    events,
                    bodies: Vec::new()
                }
            )
            .await
            .is_err()
    );
    assert!(bench.report(session, &[event(1, 0, item("x"))]).await[0].contains("recorded"));
}
