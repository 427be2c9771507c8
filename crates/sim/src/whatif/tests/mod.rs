//! Models, scenarios and studies held against what can be worked out by hand.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod attended;
mod backtest;
mod document;
mod examples;
mod fork;
mod inflow;
mod material;
mod results;
mod shares;
mod variants;

use super::*;
use std::path::Path;
use werkbuch_model::plant::{Description, Mistake, TableText, parse_with, tables_of};
use werkbuch_model::time::Timestamp;

const HOUR_NS: u64 = 3_600_000_000_000;

/// The plant of a file beside those of the examples.
fn example(name: &str) -> Description {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/plants");
    let text = std::fs::read_to_string(folder.join(name)).unwrap();
    let tables = tables_of(&text, name)
        .unwrap()
        .into_iter()
        .map(|table| TableText {
            content: std::fs::read_to_string(folder.join(&table.file_name)).unwrap(),
            name: table.name,
            file_name: table.file_name,
        });
    let tables: Vec<TableText> = tables.collect();
    parse_with(&text, name, &tables)
        .unwrap()
        .to_description()
        .unwrap()
}

fn model(description: &Description) -> Model {
    let begins = Timestamp::parse("2026-03-02T05:00:00Z").unwrap();
    Model::planned("p", description, begins, 3_600).unwrap()
}

fn described(text: &str) -> Model {
    model(
        &parse_with(text, "p.toml", &[])
            .unwrap()
            .to_description()
            .unwrap(),
    )
}

fn effort(hours: u64, replications: u32) -> Effort {
    Effort {
        horizon_ns: hours * HOUR_NS,
        replications,
        precision: None,
        seed: 1,
        threads: 1,
        confidence: 0.95,
        target: None,
    }
}

fn studied(model: &Model, scenarios: &[Scenario], effort: &Effort) -> Outcome {
    run(model, scenarios, effort, &|_| true).unwrap()
}

/// A line of stations with a buffer of so many places between each two.
fn line(cycles_s: &[u64], room: u32) -> Model {
    let mut text = "[plant]\nid = \"P\"\n[[product]]\nid = \"part\"\n".to_owned();
    for (at, cycle_s) in cycles_s.iter().enumerate() {
        text += &format!("[[machine]]\nid = \"m{at}\"\nrole = \"node\"\ncycle_s = {cycle_s}\n");
        if at > 0 {
            let before = at - 1;
            text += &format!(
                "[[buffer]]\nid = \"b{at}\"\ncapacity = {room}\n[[flow]]\nfrom = \"m{before}\"\nto = \"b{at}\"\n\
                 [[flow]]\nfrom = \"b{at}\"\nto = \"m{at}\"\n"
            );
        }
    }
    let last = cycles_s.len() - 1;
    text += "[[boundary]]\nat = \"m0\"\nkind = \"source\"\n";
    text += &format!("[[boundary]]\nat = \"m{last}\"\nkind = \"sink\"\n");
    described(&text)
}

fn scenarios(model: &Model, changes: &str) -> Vec<Scenario> {
    match Scenario::parse(changes, "s.toml", model) {
        Ok(found) => found,
        Err(mistakes) => panic!("{mistakes:?}"),
    }
}

fn output(found: &Outcome, case: usize) -> f64 {
    found.cases[case].measures[0].interval.mean
}

#[test]
fn changes_do_what_can_be_worked_out_by_hand() {
    // 60 s, then 90 s: the first part leaves after 150 s, then one every 90 s, and the end is exclusive.
    let model = line(&[60, 90], 3);
    for (change, wanted) in [
        ("do = \"cycle\"\nmachines = \"m9*\"\nfactor = 1", None),
        (
            "do = \"cycle\"\nmachines = \"m1\"\nfactor = 0.5",
            Some(479.0),
        ),
        (
            "do = \"cycle\"\nmachines = \"m1\"\ntime = \"45s\"",
            Some(479.0),
        ),
        ("do = \"slots\"\nmachines = \"m1\"\nadd = 1", Some(478.0)),
        // Eighty parts fewer: the part at hand rests, and goes on.
        (
            "do = \"down\"\nmachines = \"m1\"\nfrom = \"2h\"\nfor = \"2h\"",
            Some(239.0),
        ),
        // It stands at 7,200 s; the part at hand, begun at 7,170 s, is done at 7,260 s.
        (
            "do = \"down\"\nmachines = \"m1\"\nfrom = \"2h\"\nfor = \"2h\"\nat_hand = \"finish\"",
            Some(239.0),
        ),
        (
            "do = \"down\"\nmachines = \"m1\"\nfrom = \"2h\"\nfor = \"2h\"\nat_hand = \"scrap\"",
            Some(238.0),
        ),
        // Ten minutes of every hour. The 266th part would be done when the last stop begins, which goes first.
        (
            "do = \"maintenance\"\nmachines = \"m1\"\nevery = \"1h\"\ntakes = \"10m\"",
            Some(265.0),
        ),
        (
            "do = \"demand\"\nmachines = \"m0\"\nbetween = \"100s\"",
            Some(287.0),
        ),
        ("do = \"limit\"\nmachines = \"m0\"\ncount = 1", Some(191.0)),
        ("do = \"close\"\nfrom = \"4h\"", Some(160.0)),
        ("do = \"quality\"\nmachines = \"m1\"\nscrap = 1", Some(0.0)),
        (
            "do = \"buffer\"\nbuffers = \"b1\"\ncapacity = 1",
            Some(319.0),
        ),
        (
            "do = \"failures\"\nmachines = \"m1\"\nway = 1\nup = \"90s\"\nrepair = \"90s\"",
            Some(160.0),
        ),
    ] {
        let text = format!("[[change]]\n{change}\n");
        let found = Scenario::parse(&text, "s.toml", &model);
        let Some(wanted) = wanted else {
            assert!(found.is_err(), "{change}");
            continue;
        };
        let found = studied(&model, &found.unwrap(), &effort(8, 2));
        assert_eq!(output(&found, 0), 319.0);
        assert_eq!(output(&found, 1), wanted, "{change}");
        for station in found.cases.iter().flat_map(|case| &case.stations) {
            let sum: f64 = station.shares.iter().map(|(_, share)| share).sum();
            assert!((sum - 1.0).abs() < 1e-12, "{station:?}");
        }
    }
}

#[test]
fn a_plant_makes_what_the_proven_network_makes() {
    use crate::kernel::{Distribution, Streams};
    use crate::network::{Clock, Failure, Network, Run, Start as Empty, Station};
    use std::sync::Arc;
    let mut model = line(&[60, 60, 60, 60], 2);
    let up = Distribution::Exponential(3_000.0);
    let repair = Distribution::Exponential(300.0);
    let mut truth = (*model.truth).clone();
    for machine in &mut truth.machines {
        machine.cycle = Some(Distribution::Exponential(60.0));
        machine.failures[0].up = up.clone();
        machine.failures[0].repair = repair.clone();
    }
    model.truth = Arc::new(truth);
    let found = studied(&model, &[], &effort(1_000, 20));
    let station = Station {
        failures: vec![Failure {
            clock: Clock::Work,
            up,
            repair,
            crew: None,
        }],
        ..Station::new(Distribution::Exponential(60.0))
    };
    let network = Arc::new(Network::line(vec![station; 4], &[2; 3]));
    let made = (0..20).map(|number| {
        let mut run = Run::new(&network, &Streams::new(9, number), &Empty::default()).unwrap();
        run.run_until(1_000 * HOUR_NS);
        run.exit_parts(0) as f64
    });
    let made: Vec<f64> = made.collect();
    let exact = crate::statistics::mean_interval(&made, 0.999);
    let plant = crate::statistics::mean_interval(&found.cases[0].measures[0].values, 0.999);
    let apart = (plant.mean - exact.mean).abs();
    assert!(
        apart < plant.half_width + exact.half_width,
        "{plant:?} {exact:?}"
    );
    assert!(plant.half_width < 0.01 * plant.mean, "{plant:?}");
}

#[test]
fn an_outcome_does_not_depend_on_threads_and_pairs_share_their_chance() {
    let mut model = line(&[60, 60, 60], 2);
    let behaviour = "[[cycle]]\nmachines = \"*\"\ntime = \"gamma(shape=2, scale=30s)\"\n[[failure]]\n\
                     machines = \"*\"\nup = \"exponential(mean=1h)\"\nrepair = \"lognormal(mean=10m, cv=1)\"\n";
    model.behave(behaviour, "m.toml").unwrap();
    let all = scenarios(
        &model,
        "[[change]]\ndo = \"failures\"\nmachines = \"m1\"\nrepair_factor = [0.5, 1.0]\n",
    );
    assert_eq!(all.len(), 2);
    assert_eq!(all[0].name, "s repair_factor=0.5");
    let of = |threads: usize| {
        studied(
            &model,
            &all,
            &Effort {
                threads,
                ..effort(8, 30)
            },
        )
    };
    let found = of(1);
    for threads in [2, 16] {
        assert_eq!(found.to_json(), of(threads).to_json());
    }
    let outputs: Vec<&Difference> = found
        .differences
        .iter()
        .filter(|one| one.measure == "output")
        .collect();
    // Half the repair time is more output, and pairs tell it from chance; once is the same to the bit.
    assert!(
        outputs[0].interval.mean > 0.0 && outputs[0].is_distinguishable,
        "{outputs:?}"
    );
    assert_eq!(outputs[1].interval.mean, 0.0);
    assert!(!outputs[1].is_distinguishable);
    let other = studied(
        &model,
        &all,
        &Effort {
            seed: 2,
            ..effort(8, 30)
        },
    );
    assert_ne!(found.to_json(), other.to_json());
}

#[test]
fn a_precision_is_reached_and_a_study_can_be_cancelled() {
    let mut model = line(&[60, 60], 2);
    model
        .behave(
            "[[cycle]]\nmachines = \"*\"\ntime = \"exponential(mean=60s)\"\n",
            "m",
        )
        .unwrap();
    let precise = Effort {
        precision: Some(0.01),
        ..effort(8, 2)
    };
    let found = studied(&model, &[], &precise);
    let output = found.cases[0].measures[0].interval;
    assert!(output.half_width <= 0.01 * output.mean, "{output:?}");
    let cancelled = run(&model, &[], &effort(8, 50), &|progress| progress.done < 3);
    assert_eq!(cancelled, Err(StudyError::Cancelled { done: 3 }));
}

#[test]
fn a_loop_without_room_is_named_as_a_deadlock() {
    // Whatever m1 makes goes back to m0, which has its own part done and no room before it.
    let text = "[plant]\nid = \"P\"\n[[product]]\nid = \"part\"\n\
        [[machine]]\nid = \"m0\"\nrole = \"node\"\ncycle_s = 60\n\
        [[machine]]\nid = \"m1\"\nrole = \"node\"\ncycle_s = 60\n\
        [[machine]]\nid = \"m2\"\nrole = \"node\"\ncycle_s = 60\n\
        [[flow]]\nfrom = \"m0\"\nto = \"m1\"\n[[flow]]\nfrom = \"m1\"\nto = \"m0\"\n\
        [[flow]]\nfrom = \"m2\"\nto = \"m0\"\n\
        [[boundary]]\nat = \"m0\"\nkind = \"source\"\n[[boundary]]\nat = \"m2\"\nkind = \"sink\"\n";
    let stopped = run(&described(text), &[], &effort(8, 2), &|_| true);
    match stopped {
        Err(StudyError::Deadlock(what)) => assert!(what.contains("m0, m1"), "{what}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn mistakes_name_the_line_and_what_was_meant() {
    let model = line(&[60, 90], 3);
    let of = |text: &str| -> Vec<String> {
        let found = Scenario::parse(text, "s.toml", &model).unwrap_err();
        found.iter().map(Mistake::to_string).collect()
    };
    for (change, wanted) in [
        (
            "do = \"donw\"",
            "s.toml:2:6: there is no operation \"donw\" (did you mean \"down\"?)",
        ),
        (
            "do = \"down\"\nmachines = \"m7\"",
            "s.toml:3:12: machines: there is no \"m7\" (did you mean \"m0\"?)",
        ),
        (
            "do = \"down\"\nmashines = \"m1\"",
            "s.toml:3:1: change has no key \"mashines\" (did you mean \"machines\"?)",
        ),
        (
            "do = \"cycle\"\nmachines = \"m1\"\nfactor = 0",
            "s.toml:4:10: factor is 0 (it lies from 0.000001 to 1000000)",
        ),
        (
            "do = \"cycle\"\nmachines = \"m1\"\nfactor = -1.5",
            "s.toml:4:10: factor is -1.5 (it lies from 0.000001 to 1000000)",
        ),
        (
            "do = \"down\"\nmachines = \"m1\"\nfrom = \"2h\"\nto = \"1h\"",
            "s.toml:5:6: the change ends before it begins (to is after from)",
        ),
        (
            "do = \"buffer\"\nbuffers = \"b1\"\ncapacity = 0",
            "s.toml:4:12: capacity is 0 (it lies from 1 to 1000000)",
        ),
        (
            "do = \"route\"\nstart = \"m0\"\nend = \"b1\"",
            "s.toml:4:7: the only way on from m0 would be closed (leave another one, or use down)",
        ),
        (
            "do = \"energy\"",
            "s.toml:2:6: what energy costs and allows cannot be simulated (one of ",
        ),
        (
            "do = \"down\"\nmachines = \"m1\"\nfor = \"soon\"",
            "s.toml:4:7: for = \"soon\" is no duration (write for example 90s, 5m, 1h30m or 2d)",
        ),
    ] {
        let found = of(&format!("[[change]]\n{change}\n"));
        assert!(
            found.iter().any(|one| one.starts_with(wanted)),
            "{change}: {found:?}"
        );
    }
    assert_eq!(
        of(""),
        ["s.toml:1:1: the file has no change (add a [[change]] with do = \"...\")"]
    );
    let many = (0..600).map(|at| format!("{at}, ")).collect::<String>();
    let found = of(&format!(
        "[[change]]\ndo = \"cycle\"\nmachines = \"m1\"\nfactor = [{many}]\n"
    ));
    assert!(found[0].contains("600 scenarios"), "{found:?}");
    assert!(of("[[change]\n")[0].starts_with("s.toml:1:"), "no TOML");
    for (change, wanted) in [
        (
            "do = \"cycle\"\nmachines = \"m1\"\ntime = \"0s\"",
            "s.toml:4:8: time: a cycle takes 0 s on average (give it at least a millisecond)",
        ),
        (
            "do = \"failures\"\nmachines = \"m1\"\nrepair = \"log-logistic(shape=0.9, scale=60s)\"",
            "s.toml:4:10: repair = ",
        ),
        (
            "do = \"failures\"\nmachines = \"m1\"\nrepair = \"exponential(mean=inf)\"",
            "s.toml:4:10: repair: inf is no time: times are finite",
        ),
        (
            "do = \"failures\"\nmachines = \"m1\"\nrepair = \"lognormal(mean=1e300s, cv=1)\"",
            "s.toml:4:10: repair = ",
        ),
        (
            "do = \"cycle\"\nmachines = \"m1\"\ntime = \"normal(mean=5s, sd=500s)\"",
            "s.toml:4:8: time = ",
        ),
        (
            "do = \"quality\"\nmachines = \"m1\"\nscrap = 0.5\nrework = 0.75",
            "s.toml:5:10: scrap and rework are 1.25 of the parts",
        ),
        (
            "do = \"buffer\"\nbuffers = \"b1\"\nadd = -9",
            "s.toml:4:7: add is -9, and b1 has",
        ),
        (
            "do = \"slots\"\nmachines = \"m1\"\nadd = -1",
            "s.toml:4:7: add is -1, and m1 has 1",
        ),
        (
            "do = \"down\"\nmachines = \"m1\"\nfrom = \"2020-01-01T00:00:00Z\"\nfor = \"8h\"",
            "s.toml:4:8: the change is over before the run begins",
        ),
    ] {
        let found = of(&format!("[[change]]\n{change}\n"));
        assert!(
            found.iter().any(|one| one.starts_with(wanted)),
            "{change}: {found:?}"
        );
    }
    // One hour of the two lies in the run.
    let begun = "[[change]]\ndo = \"down\"\nmachines = \"m1\"\nfrom = \"2026-03-02T04:00:00Z\"\nfor = \"2h\"\n";
    let begun = scenarios(&model, begun);
    let window = (begun[0].changes[0].from_ns, begun[0].changes[0].to_ns);
    assert_eq!(window, (0, HOUR_NS));
    let mut late = begun;
    (late[0].changes[0].from_ns, late[0].changes[0].to_ns) = (9 * HOUR_NS, 10 * HOUR_NS);
    let found = studied(&model, &late, &effort(8, 2));
    let said = found
        .assumptions
        .iter()
        .any(|one| one.contains("begins when the run has ended"));
    assert!(said, "{:?}", found.assumptions);
    let mut model = line(&[60, 60], 1);
    let mistakes = model
        .behave(
            "[[failure]]\nmachines = \"*\"\nup = \"0s\"\nrepair = \"1x\"\n",
            "b",
        )
        .unwrap_err();
    assert!(!mistakes.is_empty(), "{mistakes:?}");
}

#[test]
fn the_plants_of_the_examples_can_be_simulated() {
    for name in ["engine-line.toml", "car-plant.toml"] {
        let mut model = model(&example(name));
        (model.start.fill, model.start.buffers) = (0.4, None);
        let found = studied(&model, &[], &effort(16, 2));
        assert!(
            output(&found, 0) > 300.0,
            "{name}: {:?}",
            found.cases[0].measures[0]
        );
    }
    let begins = Timestamp(0);
    let lacks = Model::planned("p", &example("machine-shop.toml"), begins, 0);
    assert!(lacks.is_err(), "a plant without flow cannot be simulated");
}

#[test]
fn what_wears_goes_on_wearing() {
    let wearing = |up: &str| {
        let mut model = line(&[60, 90], 3);
        let text = format!("[[failure]]\nmachines = \"m1\"\nup = \"{up}\"\nrepair = \"1h\"\n");
        model.behave(&text, "m.toml").unwrap();
        model
    };
    // It has worked for 7 of 8 hours: after one more of work, from 60 s on, it stands for an hour.
    let mut model = wearing("8h");
    assert_eq!(output(&studied(&model, &[], &effort(8, 2)), 0), 319.0);
    model.start.ages_ns = vec![[0; 3], [7 * HOUR_NS; 3]];
    assert_eq!(output(&studied(&model, &[], &effort(8, 2)), 0), 279.0);
    // After an hour ten times as often: of 32,460 s of work that are left 3,246 s are, then it is 3,600 s each.
    let model = wearing("10h");
    let often =
        "[[change]]\ndo = \"failures\"\nmachines = \"m1\"\nmtbf_factor = 0.1\nfrom = \"1h\"\n";
    let found = studied(&model, &scenarios(&model, often), &effort(8, 2));
    assert_eq!((output(&found, 0), output(&found, 1)), (319.0, 195.0));
}

#[test]
fn it_is_told_when_a_station_first_starves_and_is_blocked() {
    // Three places before m1 are full, and m0 blocked, once it has made 90 s / 30 s = three parts for each one that
    // m1 takes more: m0 is done at 60 k, m1 takes at 60 + 90 k. The fifth part of m0 beyond what m1 has taken waits.
    let model = line(&[60, 90], 3);
    let down = "[[change]]\ndo = \"down\"\nmachines = \"m0\"\nfrom = \"2h\"\nfor = \"1h\"\n";
    let found = studied(&model, &scenarios(&model, down), &effort(8, 2));
    let [base, down] = [0, 1].map(|case| found.cases[case].stations.clone());
    // m1 takes the first part after 60 s and never waits again, until m0 stands for an hour.
    assert_eq!(base[1].starves.share, 1.0);
    assert_eq!(base[1].blocks.share, 0.0);
    assert!(base[1].blocks.after_s.is_nan());
    assert_eq!(base[0].blocks.after_s, down[0].blocks.after_s);
    // Parts made by 60 k seconds are k; taken by then are (60 k - 60) / 90 rounded down, and one.
    let full = (1..)
        .find(|k: &u64| k - ((60 * k - 60) / 90 + 1) > 3)
        .unwrap();
    assert_eq!(base[0].blocks.after_s, (60 * full) as f64);
}
