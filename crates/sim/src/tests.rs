//! A whole run: what is said holds together, agrees with the truth, and follows from the seed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::report::packml::way;
use crate::works::{CarPlant, tests::described};
use std::collections::{BTreeMap, BTreeSet};
use werkbuch_model::event::{Body, Kind, Reported, State, Vocabulary};
use werkbuch_model::id::{MachineNumber, Position, Sequence};
use werkbuch_model::packml::{Jump, PackmlState, legal};
use werkbuch_model::time::Timestamp;

pub(crate) const START: Timestamp = Timestamp(1_736_772_300_000_000_000);
pub(crate) const HOUR_NS: u64 = 3_600 * SECOND_NS;

pub(crate) fn started(number: usize, machines: usize, seed: u64, degrade: &str) -> PlantRun {
    started_at(START, number, machines, seed, degrade)
}

fn started_at(
    start: Timestamp,
    number: usize,
    machines: usize,
    seed: u64,
    degrade: &str,
) -> PlantRun {
    let plant = CarPlant {
        number,
        machines,
        seed,
    };
    let setting = Setting {
        plant: plant.id(),
        start,
        utc_offset_s: 3_600,
        seed,
        replication: u32::try_from(number).unwrap(),
        degrade: Degrade::parse(degrade).unwrap(),
    };
    PlantRun::new(&described(&plant), &setting).unwrap()
}

/// Everything that is handed on in so long, to the last.
fn all(run: &mut PlantRun, end_ns: u64) -> Vec<Delivered> {
    let mut events: Vec<_> = std::iter::from_fn(|| run.next_before(end_ns)).collect();
    events.extend(std::iter::from_fn(|| run.next_held()));
    events
}

#[test]
fn a_seed_says_the_same_and_another_something_else() {
    for degrade in ["none", "harsh"] {
        let said = |seed| all(&mut started(0, 80, seed, degrade), HOUR_NS / 2);
        let first = said(7);
        assert!(first.len() > 3_000);
        assert_eq!(first, said(7), "{degrade}");
        assert_ne!(first, said(8), "{degrade}");
    }
}

#[test]
fn how_far_a_step_goes_does_not_matter() {
    let whole = all(&mut started(0, 60, 3, "real"), HOUR_NS / 4);
    let mut run = started(0, 60, 3, "real");
    let mut steps = Vec::new();
    for step in 1..=90 {
        steps.extend(std::iter::from_fn(|| {
            run.next_before(HOUR_NS / 4 * step / 90)
        }));
    }
    steps.extend(std::iter::from_fn(|| run.next_held()));
    assert_eq!(whole, steps);
}

#[test]
fn every_event_is_valid_and_every_kind_comes_but_losses() {
    let mut run = started(0, 120, 5, "none");
    let (mut kinds, mut bodies) = (BTreeSet::new(), 0);
    for event in all(&mut run, 9 * HOUR_NS) {
        kinds.insert(event.body.kind());
        let machine = event.machine.map_or(MachineNumber(0), |_| MachineNumber(1));
        let mut body = event.body;
        if let Body::CorrectionRecorded(correction) = &mut body {
            assert!(event.beside.corrects.is_some() && correction.targets.is_empty());
            correction.targets.push(Position(1));
        }
        bodies += usize::from(!event.beside.values.is_empty());
        let reported = Reported {
            sequence: Sequence(1),
            machine,
            occurred_at: event.occurred_at,
            observed_at: Some(event.observed_at),
            historical: false,
            body,
        };
        reported
            .validate()
            .unwrap_or_else(|error| panic!("{error}: {reported:?}"));
    }
    assert!(bodies > 100, "{bodies} curves");
    // What a plant without losses has no reason to say.
    let silent = [Kind::GapDetected];
    let missing: Vec<Kind> = Kind::ALL
        .iter()
        .copied()
        .filter(|kind| kind.reportable() && !kinds.contains(kind) && !silent.contains(kind))
        .collect();
    assert_eq!(missing, [], "of {} kinds", Kind::ALL.len());
}

#[test]
fn what_is_said_agrees_with_what_is_true() {
    // The last one begins at night, when its plant is closed.
    for (hours, number, machines, seed) in
        [(0, 0, 100, 1), (0, 1, 70, 2), (0, 2, 140, 3), (9, 1, 60, 4)]
    {
        let start = START.plus(hours * 3_600_000_000_000);
        let mut run = started_at(start, number, machines, seed, "none");
        let (mut shown, mut counters) = (BTreeMap::new(), BTreeMap::new());
        let mut places: BTreeMap<String, String> = BTreeMap::new();
        let mut seen = Seen::default();
        for event in all(&mut run, 3 * HOUR_NS) {
            let id = event.machine.map(|at| run.layout().machines[at].id.clone());
            seen.note(event.machine, &event.body, &mut shown);
            match event.body {
                Body::PartProduced(body) => {
                    let key = (event.machine.unwrap(), body.counter.to_string());
                    counters.insert(key, (body.value.unwrap(), body.reset_epoch));
                }
                Body::PartEntered(body) => {
                    let at = if body.location.is_empty() {
                        id.unwrap()
                    } else {
                        body.location.to_string()
                    };
                    places.insert(body.part.to_string(), at);
                }
                Body::PartLeft(body) => {
                    places.insert(body.part.to_string(), body.to.to_string());
                }
                Body::PartSplit(body) => {
                    places.insert(body.part.to_string(), String::new());
                    for half in &body.into {
                        places.insert(half.to_string(), id.clone().unwrap());
                    }
                }
                Body::PartsJoined(body) => {
                    for part in &body.parts {
                        places.insert(part.to_string(), String::new());
                    }
                }
                _ => {}
            }
        }
        for at in 0..run.layout().machines.len() {
            assert_eq!(
                shown.get(&at),
                Some(&run.shown(at)),
                "{}",
                run.layout().machines[at].id
            );
        }
        for (machine, truth) in run.counters() {
            let said = counters.remove(&(machine, truth.counter.to_owned()));
            assert_eq!(said, Some((truth.value, truth.reset_epoch)), "{truth:?}");
        }
        assert!(counters.is_empty(), "{counters:?}");
        places.retain(|_, place| !place.is_empty());
        let named = run.parts().into_iter().filter(|part| !part.part.is_empty());
        let truly: BTreeMap<_, _> = named.map(|part| (part.part, part.place)).collect();
        assert!(truly.len() > 40);
        assert_eq!(places, truly);
    }
}

/// What a twin would show, as far as these machines need it: signal, faults and mode.
#[derive(Default)]
struct Seen {
    signal: BTreeMap<usize, State>,
    fault: BTreeMap<usize, bool>,
    setup: BTreeMap<usize, bool>,
}

impl Seen {
    fn note(
        &mut self,
        machine: Option<usize>,
        body: &Body<'_>,
        shown: &mut BTreeMap<usize, State>,
    ) {
        use werkbuch_model::event::{ConditionLevel, Mode};
        let Some(machine) = machine else { return };
        match body {
            Body::StateChanged(body) => {
                let native = State::of_native(body.vocabulary, &body.native);
                let finer = matches!(body.to, State::Starved | State::Blocked);
                assert!(
                    native == body.to || finer && native == State::Waiting,
                    "{body:?}"
                );
                self.signal.insert(machine, body.to);
            }
            Body::ConditionChanged(body) => {
                self.fault
                    .insert(machine, body.level == ConditionLevel::Fault);
            }
            Body::ModeChanged(body) => {
                self.setup.insert(machine, body.to == Mode::Setup);
            }
            _ => return,
        }
        let signal = self.signal.get(&machine).copied().unwrap_or_default();
        let is = |of: &BTreeMap<usize, bool>| of.get(&machine) == Some(&true);
        let state = match signal {
            State::Executing => State::Executing,
            _ if is(&self.fault) => State::Faulted,
            _ if is(&self.setup) => State::Setup,
            other => other,
        };
        shown.insert(machine, state);
    }
}

#[test]
fn packml_machines_make_legal_transitions_only() {
    let mut run = started(0, 120, 9, "none");
    let mut last: BTreeMap<usize, PackmlState> = BTreeMap::new();
    let mut made = BTreeSet::new();
    for event in all(&mut run, 9 * HOUR_NS) {
        let (Some(machine), Body::StateChanged(body)) = (event.machine, &event.body) else {
            continue;
        };
        if body.vocabulary != Vocabulary::PackmlState {
            continue;
        }
        let state = PackmlState::of_native(&body.native).unwrap();
        if let Some(before) = last.insert(machine, state) {
            assert_eq!(legal(before, state), Jump::Legal, "{before} to {state}");
            made.insert((before, state));
        }
    }
    assert!(made.len() >= 20, "{made:?}");
}

#[test]
fn every_packml_state_is_reached_legally_from_every_other() {
    use PackmlState::{Aborted, Execute, Held, Idle, Stopped, Suspended};
    for from in [Stopped, Idle, Suspended, Execute, Aborted, Held] {
        for to in [Stopped, Idle, Suspended, Execute, Aborted, Held] {
            let mut at = from;
            for next in way(from, to) {
                assert_eq!(
                    legal(at, next),
                    Jump::Legal,
                    "{from} to {to}: {at} to {next}"
                );
                let stops = next == PackmlState::Stopping || next == PackmlState::Aborting;
                assert!(!stops || to == Stopped || to == Aborted, "{from} to {to}");
                at = next;
            }
            assert_eq!(at, to, "from {from}");
        }
    }
}

#[test]
fn each_degradation_does_what_it_says_and_nothing_else_is_lost() {
    let clean = all(&mut started(0, 80, 4, "none"), 2 * HOUR_NS);
    let kinds = |events: &[Delivered]| {
        let mut kinds: BTreeMap<Kind, usize> = BTreeMap::new();
        for event in events {
            *kinds.entry(event.body.kind()).or_default() += 1;
        }
        kinds
    };
    let whole = kinds(&clean);
    for (name, _) in DEGRADATIONS {
        let mut run = started(0, 80, 4, name);
        let events = all(&mut run, 2 * HOUR_NS);
        assert_ne!(events, clean, "{name}");
        let (faults, left) = (run.faults(), kinds(&events));
        let lost: Vec<Kind> = whole
            .keys()
            .copied()
            .filter(|kind| left.get(kind) != whole.get(kind))
            .collect();
        match name {
            "no-part-identity" => {
                assert!(lost.contains(&Kind::PartEntered) && !left.contains_key(&Kind::PartLeft));
                assert!(
                    !format!("{events:?}").contains("WNXZZZ")
                        && !format!("{events:?}").contains("WN0ZZZ")
                );
            }
            "no-starved-blocked" => {
                assert_eq!(lost, [Kind::StateChanged]);
                assert!(!format!("{events:?}").contains("to: Starved"));
            }
            "miscounts" => {
                assert!(
                    faults.miscounted > 5 && lost.iter().all(|kind| *kind == Kind::PartProduced)
                );
            }
            "late" => {
                assert!(faults.late > 100 && lost.is_empty());
                assert!(!events.iter().map(|event| event.occurred_at).is_sorted());
            }
            "clock-offset" => assert!(faults.clocks.len() > 3 && lost.is_empty()),
            _ => {
                assert!(!faults.outages.is_empty() && lost.is_empty());
                let outage = faults.outages[0];
                let held = |event: &&Delivered| {
                    event.source == outage.source && event.due_ns == outage.to_ns
                };
                assert!(events.iter().filter(held).count() > 10, "{outage:?}");
            }
        }
    }
    assert!(Degrade::parse("late, offline").unwrap().no_starved_blocked == 0.0);
    assert!(Degrade::parse("").is_err() && Degrade::parse("late,slow").is_err());
    assert!(Degrade::parse("none").unwrap().is_none());
}
