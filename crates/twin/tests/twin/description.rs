//! The plant's description in the twin: staged parts, and what of it holds in the past.

use crate::writer::*;
use std::collections::BTreeMap;
use werkbuch_model::event::*;
use werkbuch_model::id::*;
use werkbuch_model::plant::*;
use werkbuch_model::time::Timestamp;
use werkbuch_twin::{FoldError, Twin};

fn machine(number: u32, name: &str) -> Machine {
    Machine {
        name: name.to_owned(),
        machine_type: "press".to_owned(),
        vocabulary: Vocabulary::PackmlState,
        ..Machine::new(
            ElementId::new(format!("m{number}")).unwrap(),
            MachineNumber(number),
        )
    }
}

fn change(action: ChangeAction, machine: Machine) -> Change {
    Change {
        action,
        spec: Spec::Machine(machine),
    }
}

fn add(number: u32) -> Change {
    change(ChangeAction::Add, machine(number, ""))
}

fn part(
    revision: u32,
    part: u32,
    commit: bool,
    changes: Vec<Change>,
) -> DescriptionChanged<'static> {
    DescriptionChanged {
        revision,
        part,
        commit,
        changes,
        ..Default::default()
    }
}

fn numbers(twin: &Twin) -> Vec<u32> {
    twin.description()
        .machines()
        .map(|machine| machine.number.get())
        .collect()
}

#[test]
fn the_parts_of_a_revision_take_effect_together() {
    let mut writer = Writer::default();
    writer.own(Body::DescriptionChanged(part(1, 1, false, vec![add(1)])));
    assert!(numbers(&writer.twin(None)).is_empty());
    writer.own(Body::DescriptionChanged(part(1, 2, false, vec![add(2)])));
    writer.own(Body::DescriptionChanged(part(1, 3, true, vec![add(3)])));
    let twin = writer.twin(None);
    assert_eq!(numbers(&twin), [1, 2, 3]);
    assert_eq!(twin.machines().count(), 3);
    assert_eq!(
        twin.count_by_state(),
        BTreeMap::from([(State::Unavailable, 3)])
    );
    let view = twin.machine(MachineNumber(2)).unwrap().view();
    assert_eq!(
        (view.id, view.state.since, view.last_event_at),
        (Some("m2"), None, None)
    );
    assert!(twin.machine(MachineNumber(4)).is_none());
    assert!(
        Twin::from_bytes(&twin.to_bytes().unwrap())
            .unwrap()
            .description()
            == twin.description()
    );
}

#[test]
fn a_revision_cut_off_is_begun_anew() {
    let mut writer = Writer::default();
    writer.own(Body::DescriptionChanged(part(1, 1, false, vec![add(1)])));
    writer.own(Body::DescriptionChanged(part(1, 1, true, vec![add(2)])));
    assert_eq!(numbers(&writer.twin(None)), [2]);
}

#[test]
fn parts_and_changes_that_do_not_fit_are_refused() {
    let refused = [
        vec![part(1, 2, true, vec![add(1)])],
        vec![part(1, 1, false, vec![add(1)]), part(1, 3, true, vec![])],
        vec![part(1, 1, false, vec![add(1)]), part(2, 2, true, vec![])],
        vec![part(1, 1, true, vec![add(1)]), part(1, 2, true, vec![])],
        vec![part(
            1,
            1,
            true,
            vec![add(1), change(ChangeAction::Remove, machine(2, ""))],
        )],
    ];
    for (index, mut parts) in refused.into_iter().enumerate() {
        let mut writer = Writer::default();
        let last = parts.pop().unwrap();
        for part in parts {
            writer.own(Body::DescriptionChanged(part));
        }
        let mut twin = writer.twin(None);
        let before = twin.to_bytes().unwrap();
        writer.own(Body::DescriptionChanged(last));
        let error = twin.apply(writer.events.last().unwrap()).unwrap_err();
        let expected = match index {
            4 => matches!(error, FoldError::Description { .. }),
            _ => matches!(error, FoldError::DescriptionPart { .. }),
        };
        assert!(expected, "{index}: {error}");
        assert_eq!(twin.to_bytes().unwrap(), before, "{index}");
    }
}

/// Now is asked like any other time: what lies ahead is staged, and shown when its time has come.
#[test]
fn what_lies_ahead_is_shown_from_its_time_on() {
    let mut writer = Writer::default();
    // Recorded at 1,000,001 and so on.
    writer.own(Body::DescriptionChanged(part(1, 1, true, vec![add(1)])));
    assert!(writer.twin(None).as_of(Timestamp(0)).is_none());
    let renamed = change(ChangeAction::Change, machine(1, "ahead"));
    let mut ahead = part(2, 1, true, vec![add(2), renamed]);
    ahead.valid_from = Some(Timestamp(2_000_000));
    writer.own(Body::DescriptionChanged(ahead));
    writer.own(Body::DescriptionChanged(part(3, 1, true, vec![add(3)])));
    let named = change(ChangeAction::Change, machine(2, "named"));
    writer.own(Body::DescriptionChanged(part(4, 1, true, vec![named])));
    let twin = writer.twin(None);
    let twin = Twin::from_bytes(&twin.to_bytes().unwrap()).unwrap();
    assert_eq!(numbers(&twin), [1, 2, 3], "all is staged");
    for now in [0, 1_000_004, 1_999_999] {
        let held = twin.as_of(Timestamp(now)).unwrap();
        assert_eq!(numbers(&held), [1, 3], "{now}");
        let then = writer.twin(Some(now.max(1_000_004)));
        assert_eq!(held.description(), then.description());
        assert_eq!(held.digest(), twin.digest());
        let first = held.machine(MachineNumber(1)).unwrap();
        assert_eq!(first.described().unwrap().name, "");
    }
    assert!(twin.as_of(Timestamp(2_000_000)).is_none());
    // A reader who follows on takes what comes on what is staged, and sees what holds.
    let mut held = twin.as_of(Timestamp(0)).unwrap();
    writer.own(Body::DescriptionChanged(part(5, 1, true, vec![add(4)])));
    held.apply(writer.events.last().unwrap()).unwrap();
    assert_eq!(numbers(&held), [1, 3, 4]);
    let all = writer.twin(None);
    assert_eq!(held.staged_description(), all.staged_description());
}

#[test]
fn in_the_past_a_description_holds_by_validity_or_recording() {
    let mut writer = Writer::default();
    // Recorded at 1,000,001 and so on.
    writer.own(Body::DescriptionChanged(part(
        1,
        1,
        true,
        vec![add(1), add(2)],
    )));
    let renamed = change(ChangeAction::Change, machine(1, "new"));
    writer.own(Body::DescriptionChanged(part(2, 1, true, vec![renamed])));
    let removed = change(ChangeAction::Remove, machine(2, ""));
    writer.own(Body::DescriptionChanged(part(3, 1, true, vec![removed])));
    let mut ahead = part(4, 1, true, vec![add(3)]);
    ahead.valid_from = Some(Timestamp(2_000_000));
    writer.own(Body::DescriptionChanged(ahead));
    let named = change(ChangeAction::Change, machine(3, "named"));
    writer.own(Body::DescriptionChanged(part(5, 1, true, vec![named])));
    for (at, name, present) in [
        (Some(5), "", vec![1, 2]),
        (Some(1_000_001), "", vec![1, 2]),
        (Some(1_000_002), "new", vec![1, 2]),
        (Some(1_000_003), "new", vec![1]),
        (Some(1_999_999), "new", vec![1]),
        (Some(2_000_000), "new", vec![1, 3]),
        (None, "new", vec![1, 3]),
    ] {
        let twin = writer.twin(at);
        assert_eq!(numbers(&twin), present, "{at:?}");
        let first = twin.machine(MachineNumber(1)).unwrap();
        assert_eq!(first.described().unwrap().name, name, "{at:?}");
    }
}
