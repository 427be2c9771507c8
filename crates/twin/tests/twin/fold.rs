//! The fold itself: what it refuses, what it notes, and that a refusal changes nothing.

use crate::bodies::*;
use crate::writer::*;
use werkbuch_model::event::*;
use werkbuch_model::id::*;
use werkbuch_model::time::Timestamp;
use werkbuch_twin::{DIGESTS_KEPT, FORMAT_VERSION, FoldError, Twin};

fn said(sequence: u64, at: i64, body: Body<'static>) -> Said {
    Said {
        machine: 1,
        source: ("gw", 1),
        sequence,
        at,
        authority: 0,
        body,
    }
}

fn two_events() -> Writer {
    let mut writer = Writer::default();
    writer.report(said(1, 10, state(State::Idle)));
    writer
}

#[test]
fn positions_follow_each_other() {
    let writer = two_events();
    let mut twin = writer.twin(None);
    for wrong in [0, 1, 2, 4, u64::MAX] {
        let event = Recorded {
            position: Position(wrong),
            ..writer.events[1].clone()
        };
        assert!(
            matches!(twin.apply(&event), Err(FoldError::OutOfTurn { .. })),
            "{wrong}"
        );
    }
    assert_eq!(twin.position(), Position(2));
    assert_eq!(twin.last_recorded_at(), Some(Timestamp(1_000_002)));

    let mut past = writer.twin(Some(100));
    let leap = Recorded {
        position: Position(9),
        ..writer.events[1].clone()
    };
    past.apply(&leap).unwrap();
    assert_eq!(past.position(), Position(9));
    assert!(past.apply(&leap).is_err());
}

#[test]
fn a_refusal_changes_nothing() {
    let mut writer = two_events();
    let format = FormatRaised {
        minimum_reader: FORMAT_VERSION + 1,
    };
    writer.own(Body::FormatRaised(format));
    let mut stranger = writer.events[1].clone();
    stranger.position = Position(3);
    stranger.source = SourceNumber(7);
    let taken = SourceOpened {
        number: SourceNumber(1),
        name: "x".into(),
        ..Default::default()
    };
    let mut again = writer.events[0].clone();
    again.position = Position(3);
    again.reported.body = Body::SourceOpened(taken);

    let mut twin = Twin::new(plant());
    twin.apply(&writer.events[0]).unwrap();
    twin.apply(&writer.events[1]).unwrap();
    let before = twin.to_bytes().unwrap();
    let refusals = [&writer.events[2], &stranger, &again].map(|event| twin.apply(event));
    assert!(matches!(
        refusals[0],
        Err(FoldError::FormatTooNew { minimum: 2, .. })
    ));
    assert!(matches!(refusals[1], Err(FoldError::UnknownSource { .. })));
    assert!(matches!(refusals[2], Err(FoldError::SourceTaken { .. })));
    assert_eq!(twin.to_bytes().unwrap(), before);
}

#[test]
fn a_correction_that_names_a_stranger_is_refused() {
    let mut writer = two_events();
    let target = writer.originals[0].position;
    writer.correct(Fix {
        action: CorrectionAction::Retract,
        targets: vec![target],
        replacement: None,
        new_time: None,
    });
    let mut twin = Twin::new(plant());
    let (last, others) = writer.events.split_last().unwrap();
    others.iter().for_each(|event| twin.apply(event).unwrap());
    let mut last = last.clone();
    last.corrected[0].source = SourceNumber(99);
    assert!(matches!(
        twin.apply(&last),
        Err(FoldError::UnknownSource { .. })
    ));
}

#[test]
fn notes_count_what_is_no_state() {
    let mut writer = two_events();
    writer.report(said(
        2,
        11,
        Body::GapDetected(GapDetected {
            cause: GapCause::Queue,
            lost: Some(7),
            ..GapDetected::default()
        }),
    ));
    writer.own(Body::WriterOpened(WriterOpened {
        epoch: WriterEpoch(4),
        ..Default::default()
    }));
    writer.own(Body::EventRefused(EventRefused::default()));
    writer.own(Body::ClockJumped(ClockJumped::default()));
    for at in 0..10_u64 {
        writer.own(Body::DigestRecorded(DigestRecorded {
            at_position: Position(at),
            fold_version: 1,
            digest: vec![at as u8; 32].into(),
        }));
    }
    writer.events[1].flags = Flags::SUSPECT_CLOCK.with(Flags::NOT_AUTHORITATIVE);
    let twin = writer.twin(None);
    let notes = twin.notes();
    assert_eq!(
        (notes.gaps, notes.lost, notes.refusals, notes.clock_jumps),
        (1, 7, 1, 1)
    );
    assert_eq!((notes.suspect, notes.not_authoritative), (1, 1));
    assert_eq!(notes.writer_epoch, WriterEpoch(4));
    assert_eq!(notes.digests.len(), DIGESTS_KEPT);
    assert_eq!(
        notes.digests.last().map(|digest| digest.digest),
        Some([9; 32])
    );
    assert_eq!(
        twin.source(SourceNumber(1)).unwrap().last_position,
        Position(3)
    );
    let machine = twin.machine(MachineNumber(1)).unwrap();
    assert_eq!(machine.last_event_at(), Some(Timestamp(10)));
    assert_eq!(
        (machine.first_position(), machine.last_position()),
        (Position(2), Position(3))
    );
}

#[test]
fn an_event_about_no_machine_moves_no_machine() {
    let mut writer = Writer::default();
    writer.report(Said {
        machine: 0,
        ..said(1, 10, state(State::Idle))
    });
    assert_eq!(writer.twin(None).machines().count(), 0);
}

#[test]
fn a_clone_goes_its_own_way() {
    let mut writer = two_events();
    let original = writer.twin(None);
    let mut fork = original.clone();
    let digest = original.digest();
    writer.report(said(2, 20, state(State::Executing)));
    fork.apply(&writer.events[2]).unwrap();
    assert_eq!(original.digest(), digest);
    assert_ne!(fork.digest(), digest);
}
