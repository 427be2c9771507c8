//! Repeats, changed contents, gaps, late fillers and refusals.

use super::*;
use crate::EngineError;
use werkbuch_model::event::{EVENT_BYTES_MAX, OverrideChanged, OverrideKind, WriterOpened};

/// The position of the first reported event: FormatRaised, WriterOpened, DescriptionChanged and
/// SourceOpened come before it.
const FIRST: u64 = 5;

#[tokio::test(flavor = "multi_thread")]
async fn a_repeat_is_answered_with_its_original_position() {
    let bench = Bench::new().await;
    let session = bench.open("s", None).await.session;
    let events = [
        event(1, 0, item("a")),
        event(2, 1, item("b")),
        event(3, 2, item("c")),
    ];
    assert_eq!(
        bench.report(session, &events).await,
        ["3 from 1 recorded at 5"]
    );
    assert_eq!(
        bench.report(session, &events[1..]).await,
        ["2 from 2 repeated at 6"]
    );
    let changed = [event(2, 1, item("other")), event(4, 3, item("d"))];
    assert_eq!(
        bench.report(session, &changed).await,
        [
            reason(RefusalReason::ContentChanged, 2),
            "1 from 4 recorded at 8".into()
        ]
    );
    // A change of the time alone is a change of the content as well.
    assert_eq!(
        bench.report(session, &[event(3, 9, item("c"))]).await,
        [reason(RefusalReason::ContentChanged, 3)]
    );
    assert_eq!(bench.plant().position(), Position(FIRST + 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeat_in_the_same_batch_and_in_flight_waits_for_its_original() {
    let bench = Bench::new().await;
    let session = bench.open("s", None).await.session;
    let twice = [
        event(1, 0, item("a")),
        event(1, 0, item("a")),
        event(1, 0, item("b")),
    ];
    assert_eq!(
        bench.report(session, &twice).await,
        [
            "1 from 1 recorded at 5".to_owned(),
            "1 from 1 repeated at 5".into(),
            reason(RefusalReason::ContentChanged, 1)
        ]
    );
    let calls = (0..16).map(|_| {
        let engine = bench.engine.clone();
        tokio::spawn(async move {
            let events = vec![Bytes::from(encode_reported(&event(2, 1, item("x"))))];
            engine
                .append(
                    session,
                    Batch {
                        events,
                        bodies: Vec::new(),
                    },
                )
                .await
        })
    });
    let mut recorded = 0;
    for call in calls.collect::<Vec<_>>() {
        let appended = call.await.unwrap().unwrap();
        match appended.outcomes[0].result {
            OutcomeResult::Recorded(at) => {
                recorded += 1;
                assert_eq!(at, Position(6));
            }
            OutcomeResult::Repeated(at) => assert_eq!(at, Position(6)),
            OutcomeResult::Refused(ref refusal) => panic!("{refusal}"),
        }
    }
    assert_eq!(recorded, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gap_is_recorded_when_seen_and_filled_by_late_arrivals() {
    let bench = Bench::new().await;
    let session = bench.open("s", None).await.session;
    let events = [
        event(1, 0, item("a")),
        event(5, 4, item("e")),
        event(3, 2, item("c")),
    ];
    assert_eq!(
        bench.report(session, &events).await,
        [
            "1 from 1 recorded at 5",
            "1 from 5 recorded at 7",
            "1 from 3 recorded at 8"
        ]
    );
    assert_eq!(
        bench.last_kinds(3),
        ["GAP_DETECTED", "ITEM_CHANGED", "ITEM_CHANGED"]
    );
    let status = &bench.plant().sources()[0];
    assert_eq!(
        (status.high, status.missing, status.gaps),
        (Sequence(5), 2, 2)
    );
    let fillers = bench.each(|e| e.flags.names());
    assert_eq!(fillers[7], ["LATE_FILLER"]);
    // The gap's numbers are the source's for ever: repeats are found, the rest still fits.
    assert_eq!(
        bench
            .report(session, &[event(3, 2, item("c")), event(4, 3, item("d"))])
            .await,
        ["1 from 3 repeated at 8", "1 from 4 recorded at 9"]
    );
    assert_eq!(bench.plant().sources()[0].missing, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_refused_event_has_its_own_reason_and_the_others_are_recorded() {
    let bench = Bench::new().await;
    let session = bench.open("s", None).await.session;
    let nan = Body::OverrideChanged(OverrideChanged {
        item: "Fovr".into(),
        what: OverrideKind::Feed,
        percent: Some(f64::NAN),
    });
    let long = "x".repeat(1_000_000);
    let near = "x".repeat(EVENT_BYTES_MAX - 200);
    let foreign = Body::WriterOpened(WriterOpened::default());
    let mut events: Vec<Bytes> = [
        event(1, 0, item("good")),
        event(2, 0, nan),
        Reported {
            machine: MachineNumber(77),
            ..event(3, 0, item("x"))
        },
        Reported {
            machine: MachineNumber(0),
            ..event(4, 0, item("x"))
        },
        event(5, 0, item(&long)),
        event(6, 0, item(&near)),
        event(7, 0, foreign),
        event(8, 0, Body::ItemChanged(ItemChanged::default())),
    ]
    .iter()
    .map(|event| Bytes::from(encode_reported(event)))
    .collect();
    events.push(Bytes::from_static(&[0x08, 9, 0x98, 0x06, 1])); // Field 99.
    events.push(Bytes::from_static(&[0x08, 10])); // No body.
    events.push(Bytes::from_static(&[0x08, 11, 0x32])); // Cut in the middle.
    events.push(Bytes::from(encode_reported(&event(
        12,
        0,
        item("good again"),
    ))));
    let outcomes = bench
        .send(
            session,
            Batch {
                events,
                bodies: Vec::new(),
            },
        )
        .await;
    let expected = [
        (2, RefusalReason::NotFinite),
        (3, RefusalReason::UnknownMachine),
        (4, RefusalReason::MissingField),
        (5, RefusalReason::EventTooLarge),
        (6, RefusalReason::TextTooLong),
        (7, RefusalReason::KindNotReportable),
        (8, RefusalReason::MissingField),
        (9, RefusalReason::UnknownField),
        (10, RefusalReason::UnknownKind),
        (11, RefusalReason::MalformedEvent),
    ];
    assert_eq!(outcomes[0], "1 from 1 recorded at 5");
    for (outcome, (sequence, refusal)) in outcomes[1..11].iter().zip(expected) {
        assert_eq!(*outcome, reason(refusal, sequence));
    }
    assert_eq!(outcomes[11], "1 from 12 recorded at 16");
    let refused = bench.each(|e| match &e.reported.body {
        Body::EventRefused(refused) => Some((refused.first, refused.last, refused.reason)),
        _ => None,
    });
    let refused: Vec<_> = refused.into_iter().flatten().collect();
    assert_eq!(refused.len(), 10);
    assert_eq!(refused[0], (2, 2, RefusalReason::NotFinite));
    assert!(
        bench
            .each(|e| e.reported.body.kind().name())
            .iter()
            .all(|kind| *kind != "GAP_DETECTED")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_are_coalesced_used_up_once_and_filled_by_a_valid_resend() {
    let bench = Bench::new().await;
    let session = bench.open("s", None).await.session;
    let bad = |n| Reported {
        machine: MachineNumber(9),
        ..event(n, 0, item("x"))
    };
    let outcomes = bench
        .report(session, &[bad(1), bad(2), bad(3), event(4, 0, item("y"))])
        .await;
    assert_eq!(outcomes.len(), 2);
    assert_eq!(outcomes[0], "3 from 1 refused UNKNOWN_MACHINE");
    assert_eq!(bench.last_kinds(2), ["EVENT_REFUSED", "ITEM_CHANGED"]);
    let before = bench.plant().position();
    assert_eq!(
        bench.report(session, &[bad(2)]).await,
        [reason(RefusalReason::UnknownMachine, 2)]
    );
    assert_eq!(
        bench.plant().position(),
        before,
        "the same refused content records nothing"
    );
    let filled = bench
        .report(session, &[event(2, 0, item("now valid"))])
        .await;
    assert_eq!(
        filled,
        [format!("1 from 2 recorded at {}", before.get() + 1)]
    );
    let again = bench
        .report(session, &[event(2, 0, item("now valid"))])
        .await;
    assert_eq!(
        again,
        [format!("1 from 2 repeated at {}", before.get() + 1)]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_that_cannot_be_used_are_only_answered() {
    let bench = Bench::new().await;
    let session = bench.open("s", None).await.session;
    let before = bench.plant().position();
    assert_eq!(
        bench
            .report(
                session,
                &[event(0, 0, item("x")), event(u64::MAX, 0, item("x"))]
            )
            .await,
        [
            reason(RefusalReason::SequenceZero, 0),
            reason(RefusalReason::SequenceOutOfRange, u64::MAX)
        ]
    );
    assert_eq!(bench.plant().position(), before);
    // Far ahead is one gap, however wide.
    let far = 1 << 62;
    let outcome = bench.report(session, &[event(far, 0, item("x"))]).await;
    assert_eq!(
        outcome,
        [format!("1 from {far} recorded at {}", before.get() + 2)]
    );
    assert_eq!(bench.plant().sources()[0].missing, far - 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_open_gaps_are_kept_and_one_more_is_refused() {
    let bench = Bench::new().await;
    let session = bench.open("s", None).await.session;
    let events: Vec<_> = (1..1_500).map(|n| event(n * 2, 0, item("x"))).collect();
    let outcomes = bench.report(session, &events).await;
    let recorded = outcomes.iter().filter(|o| o.contains("recorded")).count();
    let refused = outcomes
        .iter()
        .filter(|o| o.contains("TOO_MANY_GAPS"))
        .count();
    assert!((1_022..=1_024).contains(&recorded), "{recorded}");
    assert_eq!(recorded + refused, outcomes.len());
    let fill = bench.report(session, &[event(1, 0, item("y"))]).await;
    assert!(fill[0].contains("recorded"), "{fill:?}");
    assert!(bench.report(session, &events[1_400..1_401]).await[0].contains("recorded"));
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_have_their_limits() {
    let bench = Bench::new().await;
    let session = bench.open("s", None).await.session;
    let empty = bench.engine.append(session, Batch::default()).await;
    assert!(matches!(empty, Err(EngineError::EmptyBatch)));
    let events: Vec<_> = (1..=10_000).map(|n| event(n, 0, item("x"))).collect();
    assert_eq!(
        bench.report(session, &events).await,
        ["10000 from 1 recorded at 5"]
    );
    let too_many = Batch {
        events: vec![Bytes::new(); 16_385],
        bodies: Vec::new(),
    };
    let refused = bench.engine.append(session, too_many).await;
    assert!(matches!(
        refused,
        Err(EngineError::BatchTooLarge { events: 16_385, .. })
    ));
    let unknown = Batch {
        events: vec![Bytes::new()],
        bodies: Vec::new(),
    };
    assert!(matches!(
        bench.engine.append(1, unknown).await,
        Err(EngineError::UnknownSession)
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn sample_bodies_come_with_their_events() {
    use werkbuch_model::event::{SampleItem, SampleReported};
    let bench = Bench::new().await;
    let session = bench.open("s", None).await.session;
    let body = Bytes::from_static(b"single values");
    let hash = werkbuch_proof::sha256(&body);
    let sample = |bytes: u64| {
        Body::SampleReported(SampleReported {
            period_ms: 60_000,
            items: vec![SampleItem {
                item: "load".into(),
                unavailable: 1,
                ..SampleItem::default()
            }],
            body_hash: hash.as_bytes().to_vec().into(),
            body_bytes: bytes,
            ..SampleReported::default()
        })
    };
    let wire = |n, bytes| Bytes::from(encode_reported(&event(n, 0, sample(bytes))));
    let without = Batch {
        events: vec![wire(1, 13)],
        bodies: Vec::new(),
    };
    assert_eq!(
        bench.send(session, without).await,
        [reason(RefusalReason::BodyMismatch, 1)]
    );
    let wrong = Batch {
        events: vec![wire(2, 12)],
        bodies: vec![body.clone()],
    };
    assert_eq!(
        bench.send(session, wrong).await,
        [reason(RefusalReason::BodyMismatch, 2)]
    );
    let whole = Batch {
        events: vec![wire(3, 13)],
        bodies: vec![body.clone()],
    };
    assert_eq!(bench.send(session, whole).await, ["1 from 3 recorded at 7"]);
    let bench = bench.reopen().await;
    let found = bench.plant().sample_body(Position(7)).await.unwrap();
    assert_eq!(found, Some(crate::SampleBody::Present(body.to_vec())));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_that_is_said_twice_counts_as_it_is_recorded() {
    let bench = Bench::new().await;
    let session = bench.open("s", None).await.session;
    bench.report(session, &[event(1, 0, item("honest"))]).await;
    // Field 1 twice: the last one is the number, as protobuf has it.
    let forged = [
        &[0x08, 6][..],
        &encode_reported(&event(1, 0, item("forged"))),
    ]
    .concat();
    let batch = Batch {
        events: vec![forged.into()],
        bodies: Vec::new(),
    };
    assert_eq!(
        bench.send(session, batch).await,
        [reason(RefusalReason::ContentChanged, 1)]
    );
    let far = [
        &[0x08, 2][..],
        &encode_reported(&event(5_000, 0, item("far"))),
    ]
    .concat();
    let batch = Batch {
        events: vec![far.into()],
        bodies: Vec::new(),
    };
    assert_eq!(
        bench.send(session, batch).await,
        ["1 from 5000 recorded at 7"]
    );
    assert_eq!(bench.last_kinds(2), ["GAP_DETECTED", "ITEM_CHANGED"]);
    assert_eq!(
        bench.report(session, &[event(1, 0, item("honest"))]).await,
        ["1 from 1 repeated at 5"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gap_is_noted_once_also_when_what_came_after_it_is_too_large() {
    use werkbuch_model::event::{Correction, CorrectionAction};
    let bench = Bench::new().await;
    let session = bench.open("s", None).await.session;
    let long = "x".repeat(15_000);
    let events: Vec<_> = (1..=3).map(|n| event(n, n as i64, item(&long))).collect();
    bench.report(session, &events).await;
    let retract = Body::CorrectionRecorded(Correction {
        action: CorrectionAction::Retract,
        targets: vec![Position(5), Position(6), Position(7)],
        ..Correction::default()
    });
    let refused = bench.report(session, &[event(10, 9, retract)]).await;
    assert_eq!(refused, [reason(RefusalReason::EventTooLarge, 10)]);
    assert_eq!(
        bench.last_kinds(3),
        ["ITEM_CHANGED", "GAP_DETECTED", "EVENT_REFUSED"]
    );
    // Just under and just over the limit, with a gap before each.
    for (n, length) in [(20, 16_384), (30, 16_385)] {
        let text = "y".repeat(length);
        let outcome = bench.report(session, &[event(n, 0, item(&text))]).await;
        assert_eq!(
            outcome[0].contains("recorded"),
            length <= 16_384,
            "{outcome:?}"
        );
    }
    let gaps = bench.each(|e| match &e.reported.body {
        Body::GapDetected(gap) => Some((gap.first, gap.last)),
        _ => None,
    });
    assert_eq!(
        gaps.into_iter().flatten().collect::<Vec<_>>(),
        [(4, 9), (11, 19), (21, 29)]
    );
}
