//! Events about the plant and what moves through it: their names, their chain, their corrections.

use super::*;
use werkbuch_model::event::*;
use werkbuch_model::instant::Instant;

const FLOW: &str = "[plant]\nid = \"P\"\n[[machine]]\nid = \"m1\"\n[[machine]]\nid = \"m2\"\n\
    [[buffer]]\nid = \"rack\"\ncapacity = 9\n[[unit]]\nid = \"hall\"\nlevel = \"area\"\n";

async fn flow() -> (Bench, u64) {
    let bench = Bench::new().await;
    bench.apply(FLOW).await;
    let session = bench.open("s", None).await.session;
    (bench, session)
}

fn of_plant(event: Reported<'_>) -> Reported<'_> {
    Reported {
        machine: MachineNumber(0),
        ..event
    }
}

fn entered(part: &'static str, location: &'static str) -> Body<'static> {
    Body::PartEntered(PartEntered {
        part: part.into(),
        location: location.into(),
        ..PartEntered::default()
    })
}

fn level(buffer: &'static str, level: u64) -> Body<'static> {
    Body::BufferLevelChanged(BufferLevelChanged {
        buffer: buffer.into(),
        level: Some(level),
        ..BufferLevelChanged::default()
    })
}

/// The machine that the last word about a part came from, and the place it names.
async fn place(bench: &Bench, part: &'static str) -> Option<(u32, String)> {
    let plant = bench.plant();
    let asked = plant.ask(Instant::NOW, move |twin| {
        let found = twin.plant_value(AspectKind::PartPlace, part, "")?;
        let location = match &found.body {
            Body::PartEntered(said) => said.location.to_string(),
            other => other.kind().to_string(),
        };
        Some((found.machine.get(), location))
    });
    asked.await.unwrap().0
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_are_keys_of_the_state_must_be_described() {
    let (bench, session) = flow().await;
    let unit = || "hal".into();
    let bodies = [
        (level("rak", 1), "did you mean \"rack\"?"),
        (level("m1", 1), "has no buffer \"m1\""),
        (entered("V1", "m7"), "did you mean"),
        (entered("V1", "hall"), "no machine or buffer \"hall\""),
        (
            Body::PartLeft(PartLeft {
                part: "V1".into(),
                to: "nowhere".into(),
                ..Default::default()
            }),
            "no machine or buffer \"nowhere\"",
        ),
        (
            Body::PartsJoined(PartsJoined {
                part: "V1".into(),
                parts: vec!["A".into()],
                location: "x1".into(),
                ..Default::default()
            }),
            "\"x1\"",
        ),
        (
            Body::PartSplit(PartSplit {
                part: "V1".into(),
                into: vec!["A".into()],
                location: "x2".into(),
                ..Default::default()
            }),
            "\"x2\"",
        ),
        (
            Body::PartDispositioned(PartDispositioned {
                part: "V1".into(),
                disposition: Disposition::Scrap,
                location: "x3".into(),
                ..Default::default()
            }),
            "\"x3\"",
        ),
        (
            Body::CalendarChanged(CalendarChanged {
                unit: unit(),
                key: "k".into(),
                to: Timestamp(1),
                ..Default::default()
            }),
            "did you mean \"hall\"?",
        ),
        (
            Body::StaffingChanged(StaffingChanged {
                unit: unit(),
                crew: "c".into(),
                ..Default::default()
            }),
            "did you mean \"hall\"?",
        ),
        (
            Body::PeriodClosed(PeriodClosed {
                unit: unit(),
                key: "k".into(),
                to: Timestamp(1),
                ..Default::default()
            }),
            "did you mean \"hall\"?",
        ),
        (
            Body::AndonRaised(AndonRaised {
                key: "k".into(),
                andon: AndonKind::Help,
                location: unit(),
                ..Default::default()
            }),
            "did you mean \"hall\"?",
        ),
    ];
    for (n, (body, detail)) in (1..).zip(bodies) {
        let kind = body.kind();
        let batch = Batch {
            events: vec![Bytes::from(encode_reported(&event(n, 0, body)))],
            bodies: Vec::new(),
        };
        let appended = bench.engine.append(session, batch).await.unwrap();
        let OutcomeResult::Refused(refusal) = &appended.outcomes[0].result else {
            panic!("{kind} is recorded");
        };
        assert_eq!(refusal.reason, RefusalReason::UnknownName, "{kind}");
        assert!(refusal.detail.contains(detail), "{kind}: {refusal}");
    }
    let good = [
        event(20, 0, level("rack", 3)),
        of_plant(event(21, 0, entered("V1", "rack"))),
        event(22, 0, entered("V1", "")),
        event(23, 0, entered("V1", "m2")),
    ];
    let outcomes = bench.report(session, &good).await;
    assert!(
        outcomes.iter().all(|one| one.contains("recorded")),
        "{outcomes:?}"
    );
    let nowhere = [of_plant(event(24, 0, entered("V1", "")))];
    assert_eq!(
        bench.report(session, &nowhere).await,
        [reason(RefusalReason::MissingField, 24)]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_reported_about_no_machine_is_a_chain() {
    let (bench, session) = flow().await;
    let events = [
        of_plant(event(1, 0, level("rack", 1))),
        event(2, 1, item("between")),
        of_plant(event(3, 2, level("rack", 2))),
        of_plant(event(4, 3, level("rack", 3))),
    ];
    bench.report(session, &events).await;
    let bench = bench.reopen().await;
    let session = bench.open("s", Some(1)).await.session;
    bench
        .report(session, &[of_plant(event(5, 4, level("rack", 4)))])
        .await;
    let chain: Vec<(u64, u64)> = bench
        .each(|event| {
            let is_level = event.reported.body.kind() == Kind::BufferLevelChanged;
            is_level.then(|| (event.position.get(), event.previous.get()))
        })
        .into_iter()
        .flatten()
        .collect();
    let links: Vec<u64> = chain.iter().map(|(_, previous)| *previous).collect();
    let places: Vec<u64> = chain.iter().map(|(position, _)| *position).collect();
    assert_eq!(links[0], 0);
    assert_eq!(links[1..], places[..3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_is_again_where_another_machine_saw_it() {
    let (bench, session) = flow().await;
    let second = Reported {
        machine: MachineNumber(2),
        ..event(2, 60, entered("V1", ""))
    };
    bench
        .report(session, &[event(1, 0, entered("V1", "")), second])
        .await;
    let last = bench.each(|event| event.position).pop().unwrap();
    assert_eq!(place(&bench, "V1").await, Some((2, String::new())));
    let digest_before = bench.digest().await;
    let retract = |n: u64, action, target, replacement: Option<Body<'static>>| Reported {
        machine: MachineNumber(2),
        ..event(
            n,
            100,
            Body::CorrectionRecorded(Correction {
                action,
                targets: vec![target],
                replacement: replacement.map(Box::new),
                ..Correction::default()
            }),
        )
    };
    let events = [retract(3, CorrectionAction::Retract, last, None)];
    bench.report(session, &events).await;
    assert_eq!(place(&bench, "V1").await, Some((1, String::new())));
    assert_ne!(bench.digest().await, digest_before);
    // Brought back, and put right: it stood in the rack.
    let back = entered("V1", "");
    let events = [retract(4, CorrectionAction::Replace, last, Some(back))];
    bench.report(session, &events).await;
    assert_eq!(place(&bench, "V1").await, Some((2, String::new())));
    assert_eq!(bench.digest().await, digest_before);
    let elsewhere = entered("V1", "rack");
    let events = [retract(5, CorrectionAction::Replace, last, Some(elsewhere))];
    assert_eq!(
        bench.report(session, &events).await,
        [reason(RefusalReason::CorrectionMismatch, 5)],
        "an entry elsewhere is another aspect than one at the machine"
    );
    let unknown = entered("V1", "rakc");
    let events = [retract(6, CorrectionAction::Replace, last, Some(unknown))];
    assert_eq!(
        bench.report(session, &events).await,
        [reason(RefusalReason::UnknownName, 6)]
    );
    let digest = bench.digest().await;
    let bench = bench.reopen().await;
    assert_eq!(bench.digest().await, digest);
}

#[tokio::test(flavor = "multi_thread")]
async fn corrections_of_the_plants_own_events_restore_what_was_before() {
    let (bench, session) = flow().await;
    let events = [
        of_plant(event(1, 0, level("rack", 1))),
        of_plant(event(2, 60, level("rack", 7))),
    ];
    bench.report(session, &events).await;
    let last = bench.each(|event| event.position).pop().unwrap();
    let correct = |n: u64, correction: Correction<'static>| {
        let targets = vec![last];
        let body = Body::CorrectionRecorded(Correction {
            targets,
            ..correction
        });
        of_plant(event(n, 100, body))
    };
    let shown = async || {
        let plant = bench.plant();
        let asked = plant.ask(Instant::NOW, |twin| {
            match twin.plant_value(AspectKind::Buffer, "rack", "")?.body {
                Body::BufferLevelChanged(said) => said.level,
                _ => None,
            }
        });
        asked.await.unwrap().0
    };
    let steps = [
        (
            Correction {
                action: CorrectionAction::Replace,
                replacement: Some(Box::new(level("rack", 5))),
                ..Correction::default()
            },
            5,
        ),
        (
            Correction {
                action: CorrectionAction::Retime,
                new_time: Some(MORNING.plus(-SECOND_NS)),
                ..Correction::default()
            },
            1,
        ),
        (
            Correction {
                action: CorrectionAction::Retract,
                ..Correction::default()
            },
            1,
        ),
    ];
    for (n, (correction, expected)) in (3..).zip(steps) {
        let action = correction.action;
        let outcome = bench.report(session, &[correct(n, correction)]).await;
        assert!(outcome[0].contains("recorded"), "{action}: {outcome:?}");
        assert_eq!(shown().await, Some(expected), "{action}");
    }
    let of_machine = Reported {
        machine: MachineNumber(1),
        ..correct(
            6,
            Correction {
                action: CorrectionAction::Retract,
                ..Correction::default()
            },
        )
    };
    assert_eq!(
        bench.report(session, &[of_machine]).await,
        [reason(RefusalReason::CorrectionTarget, 6)]
    );
}
