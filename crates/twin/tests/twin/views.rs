//! The projections, rule by rule.

use crate::bodies::*;
use crate::writer::*;
use std::collections::BTreeMap;
use werkbuch_model::event::*;
use werkbuch_model::id::*;
use werkbuch_twin::view::*;

/// A machine about which bodies were said one after the other, a second apart, by one source.
fn machine(bodies: Vec<Body<'static>>) -> Writer {
    by_ranks(bodies.into_iter().map(|body| (0, "gw", body)).collect())
}

/// The same with the rank and the name of the source of each.
fn by_ranks(said: Vec<(u32, &'static str, Body<'static>)>) -> Writer {
    let mut writer = Writer::default();
    for (index, (authority, name, body)) in said.into_iter().enumerate() {
        let sequence = index as u64 + 1;
        let at = index as i64;
        writer.report(Said {
            machine: 1,
            source: (name, 1),
            sequence,
            at,
            authority,
            body,
        });
    }
    writer
}

fn with<T>(writer: &Writer, ask: impl FnOnce(&MachineTwin<'_>) -> T) -> T {
    ask(&writer.twin(None).machine(MachineNumber(1)).unwrap())
}

#[test]
fn the_shown_state_follows_signal_fault_and_mode() {
    use ConditionLevel::{Fault, Normal, Warning};
    let fault = |level| condition("temp", "42", level);
    let functional = |to| mode(Vocabulary::MtconnectFunctionalMode, to);
    let table = [
        (vec![state(State::Idle)], State::Idle, ShownBy::Signal),
        (
            vec![state(State::Idle), fault(Warning)],
            State::Idle,
            ShownBy::Signal,
        ),
        (
            vec![state(State::Idle), fault(Fault)],
            State::Faulted,
            ShownBy::Condition,
        ),
        (
            vec![state(State::Idle), fault(Fault), fault(Normal)],
            State::Idle,
            ShownBy::Signal,
        ),
        (
            vec![state(State::Executing), fault(Fault)],
            State::Executing,
            ShownBy::Signal,
        ),
        (
            vec![state(State::Idle), functional(Mode::Setup)],
            State::Setup,
            ShownBy::Mode,
        ),
        (
            vec![state(State::Idle), functional(Mode::Manual)],
            State::Idle,
            ShownBy::Signal,
        ),
        (
            vec![state(State::Held), functional(Mode::Maintenance)],
            State::Maintenance,
            ShownBy::Mode,
        ),
        (
            vec![state(State::Executing), functional(Mode::Setup)],
            State::Executing,
            ShownBy::Signal,
        ),
        (
            vec![state(State::Idle), functional(Mode::Setup), fault(Fault)],
            State::Faulted,
            ShownBy::Condition,
        ),
        (
            vec![item("note", None)],
            State::Unavailable,
            ShownBy::Nothing,
        ),
    ];
    for (bodies, shown, shown_by) in table {
        let writer = machine(bodies.clone());
        let found = with(&writer, |machine| {
            (machine.state().shown, machine.state().shown_by)
        });
        assert_eq!(found, (shown, shown_by), "{bodies:?}");
    }
}

#[test]
fn an_affirmed_state_is_since_its_affirmation() {
    let writer = machine(vec![state(State::Idle), state(State::Idle)]);
    let since = with(&writer, |machine| {
        machine.state().since.map(|since| since.nanos())
    });
    assert_eq!(since, Some(1));
}

#[test]
fn the_first_by_authority_that_is_there_moves_the_state() {
    use Connection::{Offline, Online};
    let (idle, held) = (State::Idle, State::Held);
    let table: [(Vec<(u32, &'static str, Body<'static>)>, State); 10] = [
        (vec![(0, "a", state(idle)), (1, "b", state(held))], idle),
        (vec![(1, "b", state(held)), (0, "a", state(idle))], idle),
        (vec![(1, "b", state(held)), (255, "x", state(idle))], held),
        (vec![(255, "x", state(idle))], State::Unavailable),
        (
            vec![
                (0, "a", state(idle)),
                (1, "b", state(held)),
                (0, "a", connection(Offline)),
            ],
            held,
        ),
        (
            vec![(0, "a", state(idle)), (0, "a", connection(Offline))],
            idle,
        ),
        (
            vec![
                (0, "a", state(idle)),
                (1, "b", state(held)),
                (0, "a", connection(Offline)),
                (0, "a", connection(Online)),
            ],
            idle,
        ),
        (
            vec![
                (0, "a", state(idle)),
                (1, "b", state(held)),
                (0, "a", connection(Offline)),
                (1, "b", connection(Offline)),
            ],
            idle,
        ),
        // Another source's connection says nothing about this one.
        (
            vec![
                (0, "a", state(idle)),
                (1, "b", state(held)),
                (0, "c", connection(Offline)),
            ],
            idle,
        ),
        // A connection known at another rank still is the source's own.
        (
            vec![
                (0, "a", state(idle)),
                (1, "b", state(held)),
                (2, "a", connection(Offline)),
            ],
            held,
        ),
    ];
    for (said, expected) in table {
        let writer = by_ranks(said.clone());
        assert_eq!(
            with(&writer, |machine| machine.state().signal),
            expected,
            "{said:?}"
        );
    }
}

#[test]
fn a_machine_that_a_fallback_reaches_is_online() {
    use Connection::{Offline, Online};
    let writer = by_ranks(vec![
        (0, "a", connection(Offline)),
        (1, "b", connection(Online)),
    ]);
    assert_eq!(
        with(&writer, |machine| machine.connection().unwrap().to),
        Online
    );
}

#[test]
fn the_one_mode_is_the_functional_one_if_it_says_anything() {
    use Vocabulary::{MtconnectControllerMode, MtconnectFunctionalMode, PackmlMode};
    let controller = mode(MtconnectControllerMode, Mode::Manual);
    let table = [
        (vec![controller.clone()], Some(Mode::Manual)),
        (
            vec![controller.clone(), mode(PackmlMode, Mode::Setup)],
            Some(Mode::Setup),
        ),
        (
            vec![
                mode(PackmlMode, Mode::Setup),
                mode(MtconnectFunctionalMode, Mode::Production),
            ],
            Some(Mode::Production),
        ),
        (
            vec![controller, mode(MtconnectFunctionalMode, Mode::Unavailable)],
            Some(Mode::Manual),
        ),
        (
            vec![mode(PackmlMode, Mode::Unavailable)],
            Some(Mode::Unavailable),
        ),
        (vec![state(State::Idle)], None),
    ];
    for (bodies, expected) in table {
        let writer = machine(bodies.clone());
        let found = with(&writer, |machine| machine.mode().map(|mode| mode.mode));
        assert_eq!(found, expected, "{bodies:?}");
    }
}

#[test]
fn a_condition_without_a_code_ends_what_came_before_it() {
    use ConditionLevel::{Fault, Normal, Unavailable, Warning};
    let said = |code, level| condition("temp", code, level);
    let table: [(Vec<Body<'static>>, ConditionLevel, &[&str]); 12] = [
        (vec![said("", Normal)], Normal, &[]),
        (vec![said("", Unavailable)], Unavailable, &[]),
        (vec![said("1", Warning)], Warning, &["1"]),
        (
            vec![said("1", Warning), said("2", Fault)],
            Fault,
            &["1", "2"],
        ),
        (
            vec![said("2", Fault), said("1", Warning)],
            Fault,
            &["1", "2"],
        ),
        (
            vec![said("1", Fault), said("2", Warning), said("1", Normal)],
            Warning,
            &["2"],
        ),
        (vec![said("1", Fault), said("1", Normal)], Normal, &[]),
        (
            vec![said("1", Fault), said("2", Fault), said("", Normal)],
            Normal,
            &[],
        ),
        (
            vec![said("1", Fault), said("", Unavailable)],
            Unavailable,
            &[],
        ),
        (
            vec![said("", Unavailable), said("1", Warning)],
            Warning,
            &["1"],
        ),
        (
            vec![said("1", Fault), said("", Warning), said("2", Warning)],
            Warning,
            &["", "2"],
        ),
        (
            vec![said("", Unavailable), said("1", Warning), said("1", Normal)],
            Normal,
            &[],
        ),
    ];
    for (bodies, level, codes) in table {
        let writer = machine(bodies.clone());
        with(&writer, |machine| {
            let conditions = machine.conditions();
            let active: Vec<&str> = conditions[0]
                .active
                .iter()
                .map(|active| active.code)
                .collect();
            assert_eq!(
                (conditions.len(), conditions[0].level),
                (1, level),
                "{bodies:?}"
            );
            assert_eq!(active, codes, "{bodies:?}");
        });
    }
}

#[test]
fn conditions_are_told_apart_by_item() {
    use ConditionLevel::{Fault, Normal};
    let two = machine(vec![condition("b", "1", Fault), condition("a", "", Normal)]);
    with(&two, |machine| {
        let items: Vec<_> = machine
            .conditions()
            .iter()
            .map(|one| (one.item, one.level))
            .collect();
        assert_eq!(items, [("a", Normal), ("b", Fault)]);
    });
}

#[test]
fn an_alarm_is_what_came_since_its_last_raise() {
    let (raise, clear) = (|| raised("a", 700), || cleared("a"));
    let acknowledge = || acknowledged("a", 3);
    // Active, acknowledged, and when it was raised, acknowledged and cleared.
    let table: [(Vec<Body<'static>>, bool, bool, [Option<i64>; 3]); 8] = [
        (vec![raise()], true, false, [Some(0), None, None]),
        (
            vec![raise(), clear()],
            false,
            false,
            [Some(0), None, Some(1)],
        ),
        (vec![clear(), raise()], true, false, [Some(1), None, None]),
        (
            vec![raise(), acknowledge()],
            true,
            true,
            [Some(0), Some(1), None],
        ),
        (
            vec![raise(), acknowledge(), clear()],
            false,
            true,
            [Some(0), Some(1), Some(2)],
        ),
        (
            vec![raise(), acknowledge(), clear(), raise()],
            true,
            false,
            [Some(3), None, None],
        ),
        (vec![acknowledge()], false, true, [None, Some(0), None]),
        (vec![clear()], false, false, [None, None, Some(0)]),
    ];
    for (bodies, active, acknowledged, times) in table {
        let writer = machine(bodies.clone());
        with(&writer, |machine| {
            let alarms = machine.alarms();
            let alarm = &alarms[0];
            let found = [alarm.raised_at, alarm.acknowledged_at, alarm.cleared_at];
            assert_eq!(
                (alarm.active, alarm.acknowledged),
                (active, acknowledged),
                "{bodies:?}"
            );
            assert_eq!(machine.active_alarms(), usize::from(active), "{bodies:?}");
            assert_eq!(found.map(|at| at.map(|at| at.nanos())), times, "{bodies:?}");
            assert_eq!(
                alarm.who.map(|who| who.key),
                acknowledged.then_some(3),
                "{bodies:?}"
            );
            assert_eq!(alarm.severity, times[0].map(|_| 700), "{bodies:?}");
        });
    }
}

#[test]
fn a_machine_as_json_has_stable_names() {
    let mut bodies: Vec<_> = (0..SLOTTED).map(|kind| body(kind, 2)).collect();
    bodies.push(samples(&["x"], 4.0));
    let writer = machine(bodies);
    let json = with(&writer, |machine| {
        serde_json::to_value(machine.view()).unwrap()
    });
    let expected: serde_json::Value = serde_json::from_str(include_str!("machine.json")).unwrap();
    assert_eq!(json, expected, "{json:#}");
}

#[test]
fn machines_are_counted_by_what_they_are_shown_as() {
    let mut writer = machine(vec![state(State::Idle)]);
    let machines = [(1, "m1"), (2, "m2")].map(|(number, id)| werkbuch_model::plant::Change {
        action: werkbuch_model::plant::ChangeAction::Add,
        spec: werkbuch_model::plant::Spec::Machine(werkbuch_model::plant::Machine::new(
            ElementId::new(id).unwrap(),
            MachineNumber(number),
        )),
    });
    writer.own(Body::DescriptionChanged(DescriptionChanged {
        revision: 1,
        part: 1,
        commit: true,
        changes: machines.to_vec(),
        ..DescriptionChanged::default()
    }));
    let counts = writer.twin(None).count_by_state();
    assert_eq!(
        counts,
        BTreeMap::from([(State::Idle, 1), (State::Unavailable, 1)])
    );
}

#[test]
fn a_fallback_neither_clears_the_alarms_nor_mends_the_faults_of_who_has_the_say() {
    use Connection::Offline;
    let mut said = vec![
        (0, "gw", raised("door", 700)),
        (0, "gw", condition("temp", "42", ConditionLevel::Fault)),
        (1, "second", cleared("door")),
        (1, "second", condition("temp", "", ConditionLevel::Normal)),
    ];
    let told = |said: &[(u32, &'static str, Body<'static>)]| {
        with(&by_ranks(said.to_vec()), |machine| {
            let active = machine.alarms()[0].active;
            assert_eq!(machine.active_alarms(), usize::from(active));
            (
                active,
                machine.conditions()[0].level,
                machine.alarms().len(),
            )
        })
    };
    assert_eq!(told(&said), (true, ConditionLevel::Fault, 1));
    // Once the first is away the second tells the whole of it.
    said.push((0, "gw", connection(Offline)));
    assert_eq!(told(&said), (false, ConditionLevel::Normal, 1));
}
