//! Results held against what can be worked out by hand: parts lost, recovery, sensitivity, tornado, charts of states.

use super::*;

#[test]
fn a_line_that_stands_for_an_hour_loses_what_it_makes_in_an_hour() {
    let loss = |cycles: [u64; 2], machine: &str| -> Loss {
        let model = line(&cycles, 3);
        let down = format!(
            "[[change]]\ndo = \"down\"\nmachines = \"{machine}\"\nfrom = \"2h\"\nfor = \"1h\"\n"
        );
        let found = studied(&model, &scenarios(&model, &down), &effort(8, 2));
        assert_eq!(found.losses.len(), 1);
        let difference = found.differences.first().unwrap();
        assert_eq!(
            found.losses[0].at_end.interval.mean,
            -difference.interval.mean
        );
        found.losses[0].clone()
    };
    // An hour of 90 s a part is 40 parts, wherever the line stands: windows are 100 s long, and nothing is caught up.
    let slow = loss([60, 90], "m1");
    assert_eq!(
        (slow.at_worst.interval.mean, slow.at_end.interval.mean),
        (40.0, 40.0)
    );
    assert_eq!((slow.from_ns, slow.not_recovered), (2 * HOUR_NS, 0));
    let back_s = slow.recovery.interval.mean;
    assert!((3_600.0..=3_700.0).contains(&back_s), "{back_s}");
    // Before the slow one three parts lie in the buffer and one is blocked: so many more are made of it.
    let before = loss([60, 90], "m0");
    assert!(
        (35.0..=37.0).contains(&before.at_end.interval.mean),
        "{before:?}"
    );
    // Behind the slow one the buffer fills while it stands, and the fast one works that off.
    let behind = loss([90, 60], "m1");
    let (worst, end) = (behind.at_worst.interval.mean, behind.at_end.interval.mean);
    assert!(
        (40.0..=41.0).contains(&worst) && (35.0..=37.0).contains(&end),
        "{behind:?}"
    );
}

#[test]
fn the_station_that_sets_the_pace_brings_all_and_the_others_nothing() {
    let model = line(&[60, 90, 50], 3);
    let faster = scenarios(
        &model,
        "[[change]]\ndo = \"cycle\"\nmachines = \"m1\"\ntime = \"40s\"\n",
    );
    let effort = effort(100, 2);
    let found = studied(&model, &faster, &effort);
    let all = sensitivity(&model, &faster, (&found, &effort), (0.01, 9), &|_| true).unwrap();
    // Before it is m1, and with m1 at 40 s it is m0. A part more or less is a fortieth of a per cent.
    for (of, wanted) in all.iter().zip(["m1", "m0"]) {
        assert_eq!((of.of, of.stations.len()), (3, 3));
        let best = &of.stations[0];
        assert_eq!(best.machine, wanted);
        assert!((best.elasticity.mean - 1.0).abs() < 0.03, "{best:?}");
        assert!(best.is_distinguishable);
        for other in &of.stations[1..] {
            assert_eq!(other.elasticity.mean, 0.0, "{other:?}");
            assert!(!other.is_distinguishable);
        }
    }
    // Of the busiest alone: m1 always works.
    let one = sensitivity(&model, &[], (&found, &effort), (0.01, 1), &|_| true).unwrap();
    assert_eq!((one[0].of, one[0].stations.len()), (3, 1));
    assert_eq!(one[0].stations[0].machine, "m1");
    assert!(sensitivity(&model, &[], (&found, &effort), (0.0, 1), &|_| true).is_err());
    let bottleneck = |case: usize| found.cases[case].bottleneck().unwrap().machine.clone();
    assert_eq!([bottleneck(0), bottleneck(1)], ["m1", "m0"]);
}

#[test]
fn a_tornado_has_the_greatest_swing_first() {
    let mut model = line(&[60, 90], 3);
    let text = "[[quality]]\nmachines = \"m1\"\nscrap = 0.02\n[[failure]]\nmachines = \"m0\"\nup = \"8h\"\n\
                repair = \"5m\"\n";
    model.behave(text, "m.toml").unwrap();
    let found = studied(&model, &[], &effort(8, 4));
    let of = |most| tornado(&model, (&found, &effort(8, 4)), (0.1, most), &|_| true).unwrap();
    let all = of(99);
    let names: Vec<&str> = all.bars.iter().map(|bar| bar.name.as_str()).collect();
    assert_eq!(names[0], "cycle of m1", "{names:?}");
    for name in [
        "cycle of m0",
        "up of m0",
        "repair of m0",
        "scrap of m1",
        "capacity of b1",
    ] {
        assert!(names.contains(&name), "{names:?}");
    }
    assert_eq!((all.of, names.len()), (6, 6), "{names:?}");
    let cycle = &all.bars[0];
    assert_eq!((cycle.low, cycle.high, cycle.is_fitted), (0.9, 1.1, false));
    // 81 s in place of 90 s are 35 parts more of 319, 99 s are 29 fewer; two of a hundred are scrap.
    assert!((33.0..=36.0).contains(&cycle.at_low.mean), "{cycle:?}");
    assert!((-30.0..=-27.0).contains(&cycle.at_high.mean), "{cycle:?}");
    let scrap = all.bars.iter().find(|bar| bar.what == "scrap").unwrap();
    assert!(
        scrap.at_low.mean >= 0.0 && scrap.at_high.mean <= 0.0,
        "{scrap:?}"
    );
    let buffer = all.bars.iter().find(|bar| bar.what == "capacity").unwrap();
    assert_eq!((buffer.low, buffer.high), (2.0 / 3.0, 4.0 / 3.0));
    let few = of(2);
    assert_eq!((few.of, few.bars.len()), (6, 2));
    assert_eq!(few.bars[0], all.bars[0]);
}

#[test]
fn a_replication_run_again_has_the_shares_that_were_collected() {
    let mut model = line(&[60, 60, 60], 2);
    let behaviour = "[[cycle]]\nmachines = \"*\"\ntime = \"gamma(shape=2, scale=30s)\"\n[[failure]]\n\
                     machines = \"*\"\nup = \"exponential(mean=1h)\"\nrepair = \"lognormal(mean=10m, cv=1)\"\n";
    model.behave(behaviour, "m.toml").unwrap();
    let down = "[[change]]\ndo = \"down\"\nmachines = \"m1\"\nfrom = \"2h\"\nfor = \"1h\"\n";
    let all = scenarios(&model, down);
    let effort = effort(8, 2);
    let found = studied(&model, &all, &effort);
    let end_ns = i64::try_from(effort.horizon_ns).unwrap();
    for case in 0..2 {
        let outcome = &found.cases[case];
        assert_ne!(outcome.median_run, 9);
        let runs = [0, 1].map(|number| gantt(&model, &all, (case, number), &effort).unwrap());
        assert_ne!(runs[0].stations, runs[1].stations);
        for (at, station) in outcome.stations.iter().enumerate() {
            let rows = runs.each_ref().map(|run| &run.stations[at]);
            for row in rows {
                assert_eq!(row.machine, station.machine);
                assert_eq!(row.intervals[0].from_ns, 0);
                assert_eq!(row.intervals.last().unwrap().to_ns, end_ns);
                let joins = |two: &[Spent]| two[0].to_ns == two[1].from_ns;
                assert!(row.intervals.windows(2).all(joins));
            }
            for (state, share) in &station.shares {
                let spent = rows.iter().flat_map(|row| &row.intervals);
                let spent = spent.filter(|one| one.state == *state);
                let spent: i64 = spent.map(|one| one.to_ns - one.from_ns).sum();
                let again = spent as f64 / (2 * end_ns) as f64;
                assert!(
                    (again - share).abs() < 1e-12,
                    "{state:?} of {}",
                    station.machine
                );
            }
        }
    }
    assert!(gantt(&model, &all, (2, 0), &effort).is_err());
    // Of many runs: so many make fewer than the bad one, and than the median one.
    let many = Effort {
        replications: 21,
        ..effort
    };
    let baseline = &studied(&model, &[], &many).cases[0];
    let outputs = &baseline.measures[0].values;
    let below = |run: u32| {
        outputs
            .iter()
            .filter(|one| **one < outputs[run as usize])
            .count()
    };
    assert!((1..=2).contains(&below(baseline.bad_run)), "{outputs:?}");
    assert!(
        (8..=10).contains(&below(baseline.median_run)),
        "{outputs:?}"
    );
}

#[test]
fn what_more_runs_narrow_is_told_apart_from_what_they_do_not() {
    let model = line(&[60, 90], 3);
    let found = studied(&model, &[], &effort(8, 2));
    let told = found.uncertainty(&found.cases[0]);
    assert!(told.contains("\u{b1} 0.0 parts (95 %)"), "{told}");
    assert!(
        told.contains("from 319.0 to 319.0") && told.contains("chance alone"),
        "{told}"
    );
    let json = found.to_json();
    assert_eq!(json["cases"][0]["uncertainty"], told.as_str());
    assert_eq!(json["cases"][0]["bottleneck"]["machine"], "m1");
}

#[test]
fn what_was_fitted_is_tried_as_far_as_the_data_leave_it_open() {
    let recorded = fork::recorded(&fork::failing(), 40);
    let mut model = line(&[60, 60, 60], 4);
    assert!(!model.fork(&recorded).is_empty());
    let effort = effort(8, 2);
    let found = studied(&model, &[], &effort);
    assert!(found.is_uncertain && found.uncertainty(&found.cases[0]).contains("fitted times"));
    let found = tornado(&model, (&found, &effort), (0.1, 99), &|_| true).unwrap();
    let bar = |name: &str| found.bars.iter().find(|bar| bar.name == name).unwrap();
    // Of some 1,800 cycles with a deviation of a third: 1.28 standard errors of 0.8 % each side, more or less.
    let cycle = bar("cycle of m1");
    assert!(
        cycle.is_fitted && cycle.low < 1.0 && cycle.high > 1.0,
        "{cycle:?}"
    );
    assert!(
        (0.006..0.05).contains(&(cycle.high - cycle.low)),
        "{cycle:?}"
    );
    // Of some twenty failures: the exponential's mean is known to a fifth or so, and less to the other side.
    let up = bar("up of m1");
    assert!(
        up.is_fitted && (0.3..1.2).contains(&(up.high - up.low)),
        "{up:?}"
    );
    // Nobody fitted how many places there are.
    let buffer = bar("capacity of b1");
    assert!(
        !buffer.is_fitted && buffer.low == 0.75 && buffer.high == 1.25,
        "{buffer:?}"
    );
}
