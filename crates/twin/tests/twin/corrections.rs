//! Corrections, rule by rule: what holds afterwards, live and in the past.

use crate::bodies::*;
use crate::writer::*;
use werkbuch_model::event::*;
use werkbuch_model::id::*;

/// A machine that idled at 10, executed at 20 and stopped at 30.
fn history() -> (Writer, [Position; 3]) {
    let mut writer = Writer::default();
    let said = [
        (10, State::Idle),
        (20, State::Executing),
        (30, State::Stopped),
    ];
    let mut sequence = 0;
    let positions = said.map(|(at, to)| {
        sequence += 1;
        writer.report(Said {
            machine: 1,
            source: ("gw", 1),
            sequence,
            at,
            authority: 0,
            body: state(to),
        })
    });
    (writer, positions)
}

fn fix(action: CorrectionAction, targets: &[Position]) -> Fix {
    Fix {
        action,
        targets: targets.to_vec(),
        replacement: None,
        new_time: None,
    }
}

fn replace(target: Position, to: State) -> Fix {
    let replacement = Some(state(to));
    Fix {
        replacement,
        ..fix(CorrectionAction::Replace, &[target])
    }
}

fn retract(targets: &[Position]) -> Fix {
    fix(CorrectionAction::Retract, targets)
}

fn retime(target: Position, at: i64) -> Fix {
    Fix {
        new_time: Some(at),
        ..fix(CorrectionAction::Retime, &[target])
    }
}

/// The state and its time: at 15, at 25, at 35 and live.
fn states(writer: &Writer) -> Vec<Seen> {
    let instants = [Some(15), Some(25), Some(35), None].into_iter();
    let states = instants.map(|at| {
        let twin = writer.twin(at);
        let state = twin.machine(MachineNumber(1)).unwrap().state();
        (state.signal, state.since.map(|since| since.nanos()))
    });
    states.collect()
}

type Seen = (State, Option<i64>);
type Case = (&'static str, fn([Position; 3]) -> Vec<Fix>, [Seen; 4]);

const IDLE: Seen = (State::Idle, Some(10));
const EXECUTING: Seen = (State::Executing, Some(20));
const STOPPED: Seen = (State::Stopped, Some(30));
const NOTHING: Seen = (State::Unavailable, None);

fn check(cases: &[Case]) {
    for (name, fixes, expected) in cases {
        let (mut writer, positions) = history();
        for fix in fixes(positions) {
            writer.correct(fix);
        }
        assert_eq!(states(&writer), expected, "{name}");
    }
}

#[test]
fn a_retraction_lets_the_event_before_hold_again() {
    check(&[
        ("none", |_| vec![], [IDLE, EXECUTING, STOPPED, STOPPED]),
        (
            "the last",
            |p| vec![retract(&[p[2]])],
            [IDLE, EXECUTING, EXECUTING, EXECUTING],
        ),
        (
            "one beneath",
            |p| vec![retract(&[p[1]])],
            [IDLE, IDLE, STOPPED, STOPPED],
        ),
        ("two", |p| vec![retract(&[p[2], p[1]])], [IDLE; 4]),
        (
            "two, the other way",
            |p| vec![retract(&[p[1], p[2]])],
            [IDLE; 4],
        ),
        ("all", |p| vec![retract(&p)], [NOTHING; 4]),
    ]);
}

#[test]
fn a_replacement_holds_in_the_place_of_its_target() {
    let held = |at| (State::Held, Some(at));
    let setup = (State::Setup, Some(30));
    check(&[
        (
            "the last",
            |p| vec![replace(p[2], State::Held)],
            [IDLE, EXECUTING, held(30), held(30)],
        ),
        (
            "one beneath",
            |p| vec![replace(p[1], State::Held)],
            [IDLE, held(20), STOPPED, STOPPED],
        ),
        (
            "the later one wins",
            |p| vec![replace(p[2], State::Held), replace(p[2], State::Setup)],
            [IDLE, EXECUTING, setup, setup],
        ),
        (
            "of what is retracted",
            |p| vec![retract(&[p[2]]), replace(p[2], State::Held)],
            [IDLE, EXECUTING, held(30), held(30)],
        ),
        (
            "of what is re-timed goes to the first place",
            |p| vec![retime(p[0], 33), replace(p[0], State::Held)],
            [held(10), EXECUTING, STOPPED, STOPPED],
        ),
    ]);
}

#[test]
fn a_re_timing_moves_its_target() {
    let moved = (State::Idle, Some(33));
    check(&[
        (
            "beneath another",
            |p| vec![retime(p[2], 12)],
            [(State::Stopped, Some(12)), EXECUTING, EXECUTING, EXECUTING],
        ),
        (
            "above all",
            |p| vec![retime(p[0], 33)],
            [NOTHING, EXECUTING, moved, moved],
        ),
        (
            "and then retracted",
            |p| vec![retime(p[0], 33), retract(&[p[0]])],
            [NOTHING, EXECUTING, STOPPED, STOPPED],
        ),
    ]);
}

#[test]
fn a_late_event_finds_its_place_beside_a_correction() {
    let (mut writer, positions) = history();
    writer.correct(replace(positions[2], State::Held));
    let late = |sequence, at, to| Said {
        machine: 1,
        source: ("other", 1),
        sequence,
        at,
        authority: 0,
        body: state(to),
    };
    writer.report(late(1, 29, State::Setup));
    assert_eq!(states(&writer)[3], (State::Held, Some(30)));
    writer.correct(retract(&[positions[2]]));
    assert_eq!(states(&writer)[3], (State::Setup, Some(29)));
    writer.report(late(2, 30, State::Blocked));
    assert_eq!(states(&writer)[3], (State::Blocked, Some(30)));
}

#[test]
fn a_slot_says_whose_place_it_holds_and_who_gave_the_value() {
    let (mut writer, positions) = history();
    let correction = writer.correct(replace(positions[2], State::Held));
    let twin = writer.twin(None);
    let machine = twin.machine(MachineNumber(1)).unwrap();
    let held = machine.held();
    assert_eq!(
        (held[0].place, held[0].position),
        (positions[2], correction)
    );
    assert_eq!(machine.state().position, Some(correction));
    assert_eq!(machine.last_position(), correction);
    assert_eq!(machine.last_event_at().map(|at| at.nanos()), Some(30));
}

#[test]
fn what_is_restored_does_not_undo_a_correction_beside_it() {
    let mut writer = Writer::default();
    let said = |sequence, at, body| Said {
        machine: 1,
        source: ("gw", 1),
        sequence,
        at,
        authority: 0,
        body,
    };
    let both = writer.report(said(1, 10, samples(&["x", "y"], 1.0)));
    let one = writer.report(said(2, 20, samples(&["x"], 2.0)));
    let replacement = Some(samples(&["x", "y"], 9.0));
    let correction = writer.correct(Fix {
        replacement,
        ..fix(CorrectionAction::Replace, &[both])
    });
    // It restores both items of the first batch, and the second item holds by the correction.
    writer.correct(retract(&[one]));
    let twin = writer.twin(None);
    let machine = twin.machine(MachineNumber(1)).unwrap();
    let lasts: Vec<_> = machine.samples().iter().map(|one| one.last).collect();
    assert_eq!(lasts, [Some(9.0), Some(9.0)]);
    let held = machine.held();
    assert_eq!(
        (held[1].item, held[1].place, held[1].position),
        ("y", both, correction)
    );
}
