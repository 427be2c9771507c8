//! What a factory does holds together, whatever the seed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod exact;

use super::*;
use crate::works::{CarPlant, tests::described};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use werkbuch_model::event::State;
use werkbuch_model::time::Timestamp;

const HOUR_NS: u64 = 3_600_000_000_000;

fn factory(machines: usize, seed: u64) -> Factory {
    let plant = CarPlant {
        number: usize::try_from(seed % 3).unwrap(),
        machines,
        seed,
    };
    let start = Timestamp(1_736_772_300_000_000_000);
    let layout = Layout::of(&described(&plant), start, 3_600).unwrap();
    let streams = Streams::new(seed, 0);
    Factory::new(layout.clone(), Truth::of(&layout, &streams), streams)
}

/// Runs a factory and holds each thing that happens to what happened before.
fn held(factory: &mut Factory, end_ns: u64) {
    let mut inside: BTreeMap<PartIndex, Place> = BTreeMap::new();
    let mut working: BTreeSet<(usize, u64)> = BTreeSet::new();
    let mut changed: BTreeMap<usize, u64> = BTreeMap::new();
    let mut last_ns = 0;
    while let Some(Happening { at_ns, fact }) = factory.next_before(end_ns) {
        assert!(at_ns >= last_ns && at_ns < end_ns);
        last_ns = at_ns;
        match fact {
            Fact::Entered { part, about, from } => {
                let before = inside.insert(part, about.place);
                assert_eq!(before.is_some(), from.is_some(), "{about:?}");
            }
            Fact::Left { part, station, .. } => {
                assert_eq!(inside.get(&part), Some(&Place::Station(station)));
            }
            Fact::Gone { part, .. } => assert!(inside.remove(&part).is_some()),
            Fact::Started {
                station,
                about,
                cycle,
            } => {
                assert!(
                    inside
                        .values()
                        .any(|place| *place == Place::Station(station)),
                    "{about:?}"
                );
                assert!(working.insert((station, cycle)));
                let machine = factory.layout().stations[station].machine;
                // Unless it fails in the very moment in which it begins.
                let state = factory.state(machine).unwrap();
                let fails = matches!(state, State::Faulted | State::Held);
                assert!(state == State::Executing || fails, "{state} at {at_ns}");
            }
            Fact::Ended {
                station,
                cycle,
                took_ns,
                ..
            } => {
                assert!(
                    working.remove(&(station, cycle)),
                    "nothing ends that did not begin"
                );
                assert!(took_ns > 0);
            }
            Fact::State { machine, from, .. } => {
                let before = changed.insert(machine, at_ns);
                assert!(before != Some(at_ns), "{from} lasts no time at all");
            }
            Fact::Level { buffer, level } => {
                assert!(level <= factory.layout().buffers[buffer].capacity);
            }
            _ => {}
        }
    }
    let truly: BTreeMap<PartIndex, Place> =
        factory.parts().map(|(at, part)| (at, part.place)).collect();
    assert_eq!(inside, truly);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn parts_are_conserved_and_states_partition_time(seed in 0_u64..1_000_000, machines in 48_usize..140) {
        let mut factory = factory(machines, seed);
        let end_ns = 6 * HOUR_NS;
        held(&mut factory, end_ns);
        let tally = factory.tally();
        let mut inside = vec![0; tally.products.len()];
        for (_, part) in factory.parts() {
            inside[part.product] += 1;
        }
        for ([made, finished, scrapped, joined], inside) in tally.products.iter().zip(inside) {
            prop_assert_eq!(*made, finished + scrapped + joined + inside);
        }
        for (at, times) in tally.times_ns.iter().enumerate() {
            let machine = &factory.layout().machines[at].id;
            prop_assert_eq!(times.iter().sum::<u64>(), end_ns, "{}", machine);
        }
        // The repairs that a crew is at never outnumber its people.
        for (at, crew) in factory.layout().crews.iter().enumerate() {
            let served = |machine: usize| factory.layout().machines[machine].crew == Some(at);
            let at_work = tally.stops.iter().filter(|stop| stop.crew_ns.is_some() && stop.to_ns.is_none() && served(stop.machine));
            prop_assert!(at_work.count() <= usize::try_from(crew.size).unwrap());
        }
    }
}

#[test]
fn a_day_has_everything_that_a_day_has() {
    let mut factory = factory(200, 1);
    let mut kinds = BTreeSet::new();
    while let Some(happening) = factory.next_before(24 * HOUR_NS) {
        let name = format!("{:?}", happening.fact);
        kinds.insert(name.split([' ', '{']).next().unwrap_or_default().to_owned());
    }
    for kind in [
        "State",
        "Made",
        "Joined",
        "SetupBegan",
        "SetupEnded",
        "Failed",
        "CrewCame",
        "Repaired",
        "ZoneStopped",
        "ZoneFreed",
        "Hours",
        "Used",
        "Called",
        "Delivered",
        "Short",
        "Andon",
        "AndonEnded",
        "Gone",
    ] {
        assert!(kinds.contains(kind), "no {kind} in a day");
    }
    let tally = factory.tally();
    let cars = tally.products[factory
        .layout()
        .products
        .iter()
        .position(|one| one.variants.len() == 10)
        .unwrap()];
    assert!(
        (500..1_300).contains(&cars[1]),
        "{cars:?} cars made, finished, scrapped"
    );
    let rework: u64 = tally.parts.iter().map(|[_, rework, _]| rework).sum();
    assert!(rework > 20, "{rework} parts sent to rework");
    let seconds = |state: State| {
        let code = usize::try_from(state.code()).unwrap();
        tally.times_ns.iter().map(|times| times[code]).sum::<u64>() / 1_000_000_000
    };
    for state in [
        State::Executing,
        State::Starved,
        State::Blocked,
        State::Faulted,
        State::Setup,
        State::Held,
        State::Stopped,
    ] {
        assert!(seconds(state) > 600, "{} s of {state}", seconds(state));
    }
}

#[test]
fn a_copy_goes_on_as_the_factory_does() {
    let mut first = factory(60, 11);
    while first.next_before(HOUR_NS).is_some() {}
    let mut copy = first.clone();
    let on = |factory: &mut Factory| -> Vec<Happening> {
        std::iter::from_fn(|| factory.next_before(2 * HOUR_NS)).collect()
    };
    let went = on(&mut first);
    assert!(went.len() > 5_000);
    assert_eq!(went, on(&mut copy));
}
