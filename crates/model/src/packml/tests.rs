//! Holds the table to the counts that are published, and judges pairs of states.
#![allow(clippy::unwrap_used)]

use super::PackmlState::{
    Aborted, Aborting, Clearing, Completed, Completing, Execute, Held, Holding, Idle, Resetting,
    Starting, Stopped, Stopping, Suspended, Suspending, Undefined, Unholding,
};
use super::*;
use crate::event::{State, Vocabulary};

fn states() -> impl Iterator<Item = PackmlState> {
    let all = PackmlState::ALL.iter().copied();
    all.filter(|state| *state != Undefined)
}

#[test]
fn there_are_seventeen_states_of_which_ten_act() {
    let sorts = |sort| states().filter(|state| state.sort() == Some(sort)).count();
    assert_eq!(states().count(), 17);
    assert_eq!(
        [
            sorts(StateSort::Acting),
            sorts(StateSort::Waiting),
            sorts(StateSort::Dual)
        ],
        [10, 6, 1]
    );
    assert_eq!(Undefined.sort(), None);
}

#[test]
fn each_trigger_has_its_number_of_transitions() {
    let count = |trigger, optional| {
        let of = |one: &&Transition| one.trigger == trigger && one.optional == optional;
        TRANSITIONS.iter().filter(of).count()
    };
    for (trigger, default, optional) in [
        (Trigger::StateComplete, 10, 0),
        (Trigger::Reset, 2, 0),
        (Trigger::Start, 1, 0),
        (Trigger::Hold, 2, 7),
        (Trigger::Unhold, 1, 0),
        (Trigger::Suspend, 1, 0),
        (Trigger::Unsuspend, 1, 0),
        (Trigger::Complete, 3, 0),
        (Trigger::Clear, 1, 0),
        (Trigger::Stop, 12, 0),
        (Trigger::Abort, 15, 0),
    ] {
        assert_eq!(
            [count(trigger, false), count(trigger, true)],
            [default, optional],
            "{trigger}"
        );
    }
    let default = TRANSITIONS.iter().filter(|one| !one.optional).count();
    assert_eq!((default, TRANSITIONS.len()), (49, 56));
}

#[test]
fn the_table_is_deterministic_and_leaves_acting_states_by_themselves() {
    for (at, one) in TRANSITIONS.iter().enumerate() {
        let same = |other: &Transition| other.from == one.from && other.trigger == one.trigger;
        assert!(
            !TRANSITIONS[at + 1..].iter().any(same),
            "{one:?} has a twin"
        );
        assert_ne!(one.from, one.to);
        let acts = one.from.sort() == Some(StateSort::Acting);
        assert!(acts || one.trigger != Trigger::StateComplete, "{one:?}");
    }
    for acting in states().filter(|state| state.sort() == Some(StateSort::Acting)) {
        assert!(done(acting).is_some(), "{acting} never ends");
    }
}

#[test]
fn from_any_state_all_seventeen_can_be_reached() {
    for from in states() {
        let reached = states().filter(|to| {
            let way: Vec<_> = [from]
                .into_iter()
                .chain(between(from, *to))
                .chain([*to])
                .collect();
            from == *to || way.windows(2).all(|pair| leads(pair[0], pair[1]))
        });
        assert_eq!(reached.count(), 17, "from {from}");
    }
}

fn leads(from: PackmlState, to: PackmlState) -> bool {
    TRANSITIONS
        .iter()
        .any(|one| one.from == from && one.to == to)
}

#[test]
fn pairs_of_reported_states_are_judged() {
    for (from, to, jump) in [
        (Idle, Starting, Jump::Legal),
        (Idle, Execute, Jump::SkippedActing { skipped: Starting }),
        (Execute, Held, Jump::SkippedActing { skipped: Holding }),
        (Execute, Stopped, Jump::SkippedActing { skipped: Stopping }),
        (Stopped, Idle, Jump::SkippedActing { skipped: Resetting }),
        (Aborted, Stopped, Jump::SkippedActing { skipped: Clearing }),
        (Held, Execute, Jump::SkippedActing { skipped: Unholding }),
        (Held, Completing, Jump::Legal),
        (Completed, Holding, Jump::Legal),
        (Execute, Execute, Jump::Legal),
        (Stopped, Execute, Jump::Illegal),
        (Idle, Completed, Jump::Illegal),
        (Aborted, Idle, Jump::Illegal),
        (Aborted, Stopping, Jump::Illegal),
        (Held, Suspended, Jump::Illegal),
        (
            Resetting,
            Stopped,
            Jump::SkippedActing { skipped: Stopping },
        ),
        (Resetting, Starting, Jump::Illegal),
        (Suspending, Execute, Jump::Illegal),
        (Undefined, Execute, Jump::Illegal),
        (Clearing, Stopped, Jump::Legal),
        (Aborting, Clearing, Jump::Illegal),
        (Unholding, Suspending, Jump::Illegal),
    ] {
        assert_eq!(legal(from, to), jump, "{from} to {to}");
    }
}

#[test]
fn as_many_pairs_are_legal_as_the_table_says() {
    let pairs = || states().flat_map(|from| states().map(move |to| (from, to)));
    let count = |wanted: fn(Jump) -> bool| {
        let apart = pairs().filter(|(from, to)| from != to);
        apart.filter(|(from, to)| wanted(legal(*from, *to))).count()
    };
    // Each transition is a pair of its own; each command into an acting state adds the pair behind it,
    // unless that is a state the machine is in already or a transition of its own.
    assert_eq!(count(|jump| jump == Jump::Legal), 56);
    let skipped = count(|jump| matches!(jump, Jump::SkippedActing { .. }));
    let mut expected: Vec<_> = TRANSITIONS
        .iter()
        .filter(|one| one.trigger != Trigger::StateComplete)
        .filter_map(|one| Some((one.from, done(one.to)?)))
        .filter(|(from, to)| from != to && !leads(*from, *to))
        .collect();
    expected.sort_unstable();
    expected.dedup();
    assert_eq!(skipped, expected.len());
    assert_eq!(count(|jump| jump == Jump::Illegal), 17 * 16 - 56 - skipped);
}

#[test]
fn what_was_missed_lies_on_a_shortest_way() {
    for (from, to, missed) in [
        (Stopped, Execute, vec![Resetting, Idle, Starting]),
        (Execute, Completing, vec![]),
        (Suspended, Held, vec![Holding]),
        (Completing, Idle, vec![Completed, Resetting]),
        (Undefined, Execute, vec![]),
    ] {
        assert_eq!(between(from, to), missed, "{from} to {to}");
    }
}

#[test]
fn words_and_numbers_are_read() {
    for (word, state) in [
        ("Execute", Some(Execute)),
        (" EXECUTE ", Some(Execute)),
        ("6", Some(Execute)),
        ("Complete", Some(Completed)),
        ("Completed", Some(Completed)),
        ("17", Some(Completed)),
        ("0", None),
        ("Undefined", None),
        ("18", None),
        ("-1", None),
        ("Dancing", None),
        ("", None),
    ] {
        assert_eq!(PackmlState::of_native(word), state, "{word:?}");
    }
}

#[test]
fn every_state_has_a_canonical_one() {
    for state in states() {
        for word in [state.name().to_owned(), state.code().to_string()] {
            let canonical = State::of_native(Vocabulary::PackmlState, &word);
            assert_ne!(canonical, State::Unknown, "{word}");
        }
    }
}
