//! A fork finds again what is true of a plant, out of what the plant recorded.

use super::{material, *};
use crate::factory::{Course, Fact, Factory, Start as Begin};
use crate::kernel::Streams;
use crate::layout::{Layout, Place};
use std::sync::Arc;
use werkbuch_model::event::State;

/// A line whose machines fail, with its truth.
pub(super) fn failing() -> Model {
    let mut model = line(&[60, 60, 60], 4);
    let behaviour = "[[cycle]]\nmachines = \"*\"\ntime = \"gamma(shape=9, scale=6s)\"\n\
         [[cycle]]\nmachines = \"m1\"\ntime = \"gamma(shape=9, scale=7s)\"\n\
         [[failure]]\nmachines = \"*\"\nup = \"exponential(mean=1h)\"\nrepair = \"lognormal(mean=6m, cv=0.8)\"\n\
         [[quality]]\nmachines = \"m2\"\nscrap = 0.03\n";
    model.behave(behaviour, "m.toml").unwrap();
    model
}

/// What the machines of a model record in so many hours, and the state of the plant at the end.
pub(super) fn recorded(model: &Model, hours: u64) -> PlantRecord {
    let course = Course {
        layout: Arc::clone(&model.layout),
        truth: Arc::clone(&model.truth),
        later: Arc::new([]),
    };
    let mut factory = Factory::at(&course, &Begin::default(), Streams::new(77, 0));
    watched(&mut factory, &model.layout, hours)
}

/// What the machines of a factory record from its start up to so many hours.
pub(super) fn watched(factory: &mut Factory, layout: &Layout, hours: u64) -> PlantRecord {
    let end_ns = hours * HOUR_NS;
    let name = |machine: usize| layout.machines[machine].id.clone();
    let mut machines: Vec<MachineRecord> = (0..layout.machines.len())
        .map(|at| MachineRecord {
            machine: name(at),
            ..MachineRecord::default()
        })
        .collect();
    let mut since = vec![(State::Starved, 0_i64); machines.len()];
    let mut stocks = material::stocks(layout);
    let mut levels = vec![0; layout.buffers.len()];
    while let Some(happening) = factory.next_before(end_ns) {
        let at_ns = i64::try_from(happening.at_ns).unwrap();
        match happening.fact {
            Fact::State { machine, to, .. } => {
                let (state, from_ns) = std::mem::replace(&mut since[machine], (to, at_ns));
                machines[machine]
                    .intervals
                    .push(spent(state, from_ns, at_ns));
            }
            Fact::Ended {
                station,
                took_ns,
                verdict,
                about,
                ..
            } => {
                let machine = &mut machines[layout.stations[station].machine];
                machine.parts[verdict as usize] += 1;
                machine.cycles.push(CycleRecord {
                    at_ns,
                    took_ns: Some(took_ns),
                    variant: layout.variants[about.variant].id.clone(),
                });
            }
            Fact::CrewCame { machine, .. } => machines[machine].attended.push(Attended {
                from_ns: at_ns,
                to_ns: None,
            }),
            fact @ (Fact::Called { .. }
            | Fact::Delivered { .. }
            | Fact::Used { .. }
            | Fact::Short { .. }) => material::note(&mut stocks, at_ns, &fact),
            Fact::Level { buffer, level } => levels[buffer] = u64::from(level),
            _ => {}
        }
    }
    let at_ns = i64::try_from(end_ns).unwrap();
    for (machine, (state, from_ns)) in machines.iter_mut().zip(since) {
        machine.intervals.push(spent(state, from_ns, at_ns));
    }
    let places = places(factory, layout, &levels);
    PlantRecord {
        from_ns: 0,
        at_ns,
        position: 1,
        machines,
        places,
        stocks,
        others: Vec::new(),
    }
}

/// What lies in the buffers and stands at the stations.
fn places(factory: &Factory, layout: &Layout, levels: &[u64]) -> Vec<PlaceRecord> {
    let place = |(at, level): (usize, &u64)| PlaceRecord {
        place: layout.buffers[at].id.clone(),
        lower: *level,
        upper: Some(*level),
        method: "REPORTED".to_owned(),
    };
    let mut at_stations = vec![0; layout.stations.len()];
    for (_, part) in factory.parts() {
        if let Place::Station(station) = part.place {
            at_stations[station] += 1;
        }
    }
    let mut places: Vec<PlaceRecord> = levels.iter().enumerate().map(place).collect();
    places.extend(
        at_stations
            .iter()
            .enumerate()
            .map(|(at, count)| PlaceRecord {
                place: layout.machines[layout.stations[at].machine].id.clone(),
                lower: *count,
                upper: Some(*count),
                method: "TRACKED".to_owned(),
            }),
    );
    places
}

pub(super) fn spent(state: State, from_ns: i64, to_ns: i64) -> Spent {
    Spent {
        state,
        from_ns,
        to_ns,
        is_covered: true,
    }
}

pub(super) fn row<'s>(sheet: &'s [Fitted], machine: &str, what: &str) -> &'s Fitted {
    let found = sheet
        .iter()
        .find(|one| one.machine == machine && one.what == what);
    found.unwrap_or_else(|| panic!("no {what} of {machine}: {sheet:?}"))
}

#[test]
fn what_is_true_is_found_again_and_forecast() {
    let truly = failing();
    let recorded = recorded(&truly, 400);
    let mut model = line(&[60, 60, 60], 4);
    let sheet = model.fork(&recorded);
    // Four standard errors: of gamma times a third of the mean each, of exponential ones all of it.
    for (machine, mean_s) in [("m0", 54.0), ("m1", 63.0), ("m2", 54.0)] {
        let cycle = row(&sheet, machine, "cycle");
        let error = mean_s / 3.0 / (cycle.values.min(2_000) as f64).sqrt();
        let apart = (cycle.distribution.mean_s() - mean_s).abs();
        assert!(apart < 4.0 * error, "{cycle:?}");
        let up = row(&sheet, machine, "up");
        let apart = (up.distribution.mean_s() - 3_600.0).abs();
        assert!(apart < 4.0 * 3_600.0 / (up.values as f64).sqrt(), "{up:?}");
        let repair = row(&sheet, machine, "repair");
        let apart = (repair.distribution.mean_s() - 360.0).abs();
        assert!(
            apart < 5.0 * 288.0 / (repair.values as f64).sqrt(),
            "{repair:?}"
        );
    }
    assert!((model.truth.machines[2].scrap - 0.03).abs() < 0.01);
    let forecast = studied(&model, &[], &effort(24, 40)).cases[0].measures[0].clone();
    let truth = studied(&truly, &[], &effort(24, 40)).cases[0].measures[0].clone();
    let apart = (forecast.interval.mean - truth.interval.mean).abs();
    assert!(
        apart < 0.03 * truth.interval.mean,
        "{:?} {:?}",
        forecast.interval,
        truth.interval
    );
    // What the data leave open makes the forecast wider than chance alone does.
    let width = |of: &Measured| of.quantiles[2] - of.quantiles[0];
    assert!(width(&forecast) > 0.8 * width(&truth));
}

#[test]
fn the_plant_goes_on_as_it_stood() {
    let truly = failing();
    let mut recorded = recorded(&truly, 40);
    let at_ns = recorded.at_ns;
    let minute = 60_000_000_000;
    // The last machine stands since a minute ago, the buffer before it is full.
    recorded.machines[2]
        .intervals
        .retain(|one| one.from_ns < at_ns - minute);
    recorded.machines[2].intervals.last_mut().unwrap().to_ns = at_ns - minute;
    recorded.machines[2]
        .intervals
        .push(spent(State::Faulted, at_ns - minute, at_ns));
    recorded.places[1].lower = 4;
    recorded.places[1].upper = Some(4);
    let mut model = line(&[60, 60, 60], 4);
    assert!(!model.fork(&recorded).is_empty());
    assert_eq!(model.start.failed.len(), 1);
    assert_eq!(model.start.failed[0].spent_ns, 60_000_000_000);
    assert_eq!(
        model.start.levels.as_ref().unwrap()[1],
        Level { lower: 4, upper: 4 }
    );
    let found = studied(&model, &[], &effort(1, 20));
    let stood = found.cases[0].stations[2]
        .shares
        .iter()
        .find(|(state, _)| *state == State::Faulted);
    assert!(stood.is_some_and(|(_, share)| *share > 0.02), "{stood:?}");
    assert!(
        found
            .assumptions
            .iter()
            .any(|one| one.contains("includes the time until"))
    );
}

#[test]
fn what_is_not_known_is_said() {
    let truly = failing();
    let mut recorded = recorded(&truly, 40);
    recorded.places.remove(0);
    recorded.machines[0]
        .cycles
        .iter_mut()
        .for_each(|cycle| cycle.took_ns = None);
    let silent = recorded.machines.remove(1);
    let mut model = line(&[60, 60, 60], 4);
    let sheet = model.fork(&recorded);
    assert!(
        row(&sheet, "m0", "cycle")
            .basis
            .starts_with("upper bound, may contain waiting")
    );
    let said = |what: &str| model.assumptions.iter().any(|one| one.contains(what));
    assert!(
        said("start state unknown") && said("b1"),
        "{:?}",
        model.assumptions
    );
    assert!(said(&silent.machine), "{:?}", model.assumptions);
    assert!(
        studied(&model, &[], &effort(8, 2)).cases[0].measures[0]
            .interval
            .mean
            > 100.0
    );
    // Nothing at all was recorded: the plan, and all of it is said.
    let mut model = line(&[60, 60, 60], 4);
    assert!(model.fork(&PlantRecord::default()).is_empty());
    assert!(
        model
            .assumptions
            .iter()
            .any(|one| one.contains("3 of 3 machines said nothing"))
    );
}

#[test]
fn what_the_data_leave_open_is_drawn_anew_in_every_replication() {
    let recorded = recorded(&failing(), 12);
    let mut model = line(&[60, 60, 60], 4);
    let sheet = model.fork(&recorded);
    assert!(sheet.len() > 6 && model.start.ages_ns.iter().any(|ages_ns| ages_ns[0] > 0));
    let of = |replication: u32| model.truth_of(&Streams::new(1, replication));
    assert_eq!(of(3), of(3));
    assert_ne!(of(3), of(4));
    let mut sure = model.clone();
    sure.uncertain.clear();
    let spread = |model: &Model| {
        let found = studied(model, &[], &effort(24, 60));
        let values = &found.cases[0].measures[0].values;
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        values
            .iter()
            .map(|value| (value - mean).powi(2))
            .sum::<f64>()
    };
    assert!(spread(&model) > 1.3 * spread(&sure));
}

#[test]
fn machines_that_stand_together_count_as_one_stop() {
    let text = "[plant]\nid = \"P\"\n[[product]]\nid = \"part\"\n\
        [[stop_group]]\nid = \"fence\"\nkind = \"safety_zone\"\n\
        [[machine]]\nid = \"m0\"\nrole = \"node\"\ncycle_s = 60\nstop_groups = [\"fence\"]\n\
        [[machine]]\nid = \"m1\"\nrole = \"node\"\ncycle_s = 60\nstop_groups = [\"fence\"]\n\
        [[flow]]\nfrom = \"m0\"\nto = \"m1\"\n[[boundary]]\nat = \"m0\"\nkind = \"source\"\n\
        [[boundary]]\nat = \"m1\"\nkind = \"sink\"\n";
    let mut model = described(text);
    let hour = i64::try_from(HOUR_NS).unwrap();
    // Every hour both stand for six minutes, the second one a second later; m1 once stands by itself.
    let machine = |name: &str, late_ns: i64, alone: bool| {
        let mut intervals = Vec::new();
        let mut since = 0;
        let mut stops: Vec<(i64, i64)> = (1..=40)
            .map(|at| (at * hour + late_ns, at * hour + hour / 10))
            .collect();
        if alone {
            stops.push((hour / 2, hour / 2 + hour / 20));
            stops.sort_unstable();
        }
        for (from_ns, to_ns) in stops {
            intervals.push(spent(State::Executing, since, from_ns));
            intervals.push(spent(State::Held, from_ns, to_ns));
            since = to_ns;
        }
        intervals.push(spent(State::Executing, since, 41 * hour));
        MachineRecord {
            machine: name.to_owned(),
            intervals,
            ..MachineRecord::default()
        }
    };
    let recorded = PlantRecord {
        from_ns: 0,
        at_ns: 41 * hour,
        position: 1,
        machines: vec![machine("m0", 0, false), machine("m1", 1_000_000_000, true)],
        ..PlantRecord::default()
    };
    let sheet = model.fork(&recorded);
    let stop = row(&sheet, "fence", "stop together");
    assert_eq!(stop.values, 40);
    assert!((stop.distribution.mean_s() - 360.0).abs() < 1.0, "{stop:?}");
    let up = row(&sheet, "fence", "up together");
    assert_eq!((up.values, up.censored), (41, 1));
    assert!((up.distribution.mean_s() - 3_240.0).abs() < 200.0, "{up:?}");
    // Both stand for a tenth of the time.
    let found = studied(&model, &[], &effort(24, 10));
    for station in &found.cases[0].stations {
        let held = station
            .shares
            .iter()
            .find(|(state, _)| *state == State::Held);
        let share = held.map_or(0.0, |(_, share)| *share);
        assert!((share - 0.1).abs() < 0.02, "{station:?}");
    }
}
