//! Corrections: what holds in place of their targets, now and at past instants.

use super::*;
use werkbuch_model::event::{Correction, CorrectionAction};
use werkbuch_model::instant::{Instant, Known};

fn correct(action: CorrectionAction, target: u64) -> Correction<'static> {
    Correction {
        action,
        targets: vec![Position(target)],
        ..Correction::default()
    }
}

async fn shown(bench: &Bench, instant: Instant) -> Option<State> {
    let plant = bench.plant();
    let asked = plant.ask(instant, |twin| {
        twin.machine(MachineNumber(1))
            .map(|machine| machine.state().signal)
    });
    asked.await.unwrap().0
}

fn at(seconds: i64) -> Instant {
    Instant {
        known: Known::Now,
        at: Some(MORNING.plus(seconds * SECOND_NS)),
    }
}

/// Executing at 0 (position 5), stopped at 60 (6), held at 120 (7).
async fn three() -> (Bench, u64) {
    let bench = Bench::new().await;
    let session = bench.open("s", None).await.session;
    let events = [
        event(1, 0, state(State::Executing)),
        event(2, 60, state(State::Stopped)),
        event(3, 120, state(State::Held)),
    ];
    bench.report(session, &events).await;
    (bench, session)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retraction_restores_what_was_before() {
    let (bench, session) = three().await;
    let retract = Body::CorrectionRecorded(correct(CorrectionAction::Retract, 7));
    assert_eq!(
        bench.report(session, &[event(4, 200, retract)]).await,
        ["1 from 4 recorded at 8"]
    );
    assert_eq!(shown(&bench, Instant::NOW).await, Some(State::Stopped));
    assert_eq!(shown(&bench, at(130)).await, Some(State::Stopped));
    let before = Instant {
        known: Known::Position(Position(7)),
        at: None,
    };
    assert_eq!(
        shown(&bench, before).await,
        Some(State::Held),
        "what was known then stays"
    );
    // A second one takes the next, in one batch with a third that brings the first target back.
    let next = Body::CorrectionRecorded(correct(CorrectionAction::Retract, 6));
    let back = Body::CorrectionRecorded(Correction {
        replacement: Some(Box::new(state(State::Setup))),
        ..correct(CorrectionAction::Replace, 7)
    });
    let events = [
        event(5, 201, next),
        event(6, 202, item("between")),
        event(7, 203, back),
    ];
    assert_eq!(
        bench.report(session, &events).await,
        ["3 from 5 recorded at 9"]
    );
    assert_eq!(shown(&bench, Instant::NOW).await, Some(State::Setup));
    assert_eq!(shown(&bench, at(119)).await, Some(State::Executing));
    let digest = bench.digest().await;
    let bench = bench.reopen().await;
    assert_eq!(bench.digest().await, digest);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retiming_moves_an_event_and_leaves_what_was_before() {
    let (bench, session) = three().await;
    let retime = Body::CorrectionRecorded(Correction {
        new_time: Some(MORNING.plus(30 * SECOND_NS)),
        ..correct(CorrectionAction::Retime, 7)
    });
    bench.report(session, &[event(4, 200, retime)]).await;
    assert_eq!(shown(&bench, Instant::NOW).await, Some(State::Stopped));
    assert_eq!(shown(&bench, at(59)).await, Some(State::Held));
    assert_eq!(shown(&bench, at(29)).await, Some(State::Executing));
}

/// Else the machine would be held until then, and the window of what is tracked would leap for ever.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_moved_into_the_future() {
    let (bench, session) = three().await;
    let [within, beyond] = [600, 601].map(|seconds| MORNING.plus(seconds * SECOND_NS));
    for (n, to, taken) in [
        (4, Timestamp::MAX, false),
        (5, beyond, false),
        (6, within, true),
    ] {
        let retime = Body::CorrectionRecorded(Correction {
            new_time: Some(to),
            ..correct(CorrectionAction::Retime, 6)
        });
        let outcome = bench.report(session, &[event(n, 200, retime)]).await;
        let refused = [reason(RefusalReason::OutOfRange, n)];
        assert_eq!(outcome != refused, taken, "{outcome:?}");
    }
    assert_eq!(shown(&bench, Instant::NOW).await, Some(State::Stopped));
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_targets_are_refused() {
    let (bench, session) = three().await;
    let cases = [
        (
            correct(CorrectionAction::Retract, 2),
            RefusalReason::CorrectionTarget,
        ),
        (
            correct(CorrectionAction::Retract, 99),
            RefusalReason::CorrectionTarget,
        ),
        (
            correct(CorrectionAction::Replace, 7),
            RefusalReason::MissingField,
        ),
        (
            Correction {
                replacement: Some(Box::new(item("another aspect"))),
                ..correct(CorrectionAction::Replace, 7)
            },
            RefusalReason::CorrectionMismatch,
        ),
        (
            Correction {
                targets: vec![Position(6), Position(6)],
                ..correct(CorrectionAction::Retract, 6)
            },
            RefusalReason::CorrectionTarget,
        ),
    ];
    for (n, (correction, refusal)) in (4..).zip(cases) {
        let body = Body::CorrectionRecorded(correction);
        assert_eq!(
            bench.report(session, &[event(n, 200, body)]).await,
            [reason(refusal, n)]
        );
    }
    let other_machine = Reported {
        machine: MachineNumber(2),
        ..event(
            20,
            200,
            Body::CorrectionRecorded(correct(CorrectionAction::Retract, 7)),
        )
    };
    let outcome = bench.report(session, &[other_machine]).await;
    assert_eq!(outcome, [reason(RefusalReason::CorrectionTarget, 20)]);
    assert_eq!(shown(&bench, Instant::NOW).await, Some(State::Held));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_takes_so_many_corrections_and_the_rest_comes_in_the_next() {
    let (bench, session) = three().await;
    let body = || Body::CorrectionRecorded(correct(CorrectionAction::Retract, 7));
    let mut events: Vec<_> = (4..73).map(|n| event(n, 200, body())).collect();
    events.push(event(73, 201, item("behind them")));
    let outcomes = bench.report(session, &events).await;
    assert_eq!(outcomes.len(), 2);
    assert_eq!(outcomes[0], "64 from 4 recorded at 8");
    assert_eq!(outcomes[1], "6 from 68 refused TOO_MANY_CORRECTIONS");
    assert_eq!(
        bench.report(session, &events[64..]).await,
        ["6 from 68 recorded at 72"]
    );
}
