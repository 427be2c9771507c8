//! Stops that somebody came to, and machines of other plants.

use super::fork::{recorded, row, spent};
use super::*;
use werkbuch_model::event::State;

/// Two machines side by side that one crew of one mends.
fn mended() -> Model {
    let mut text = "[plant]\nid = \"P\"\n[[product]]\nid = \"part\"\n\
        [[crew]]\nid = \"menders\"\nkind = \"repair\"\nsize = 1\nserves = [\"m0\", \"m1\", \"m2\", \"m3\"]\n"
        .to_owned();
    for at in 0..4 {
        text += &format!(
            "[[machine]]\nid = \"m{at}\"\ntype = \"press\"\nrole = \"node\"\ncycle_s = 60\n"
        );
    }
    for at in 0..4 {
        text += &format!(
            "[[machine]]\nid = \"in{at}\"\ntype = \"feeder\"\nrole = \"node\"\ncycle_s = 1\n\
             [[flow]]\nfrom = \"in{at}\"\nto = \"m{at}\"\n\
             [[boundary]]\nat = \"in{at}\"\nkind = \"source\"\n\
             [[boundary]]\nat = \"m{at}\"\nkind = \"sink\"\n"
        );
    }
    described(&text)
}

fn truly() -> Model {
    let mut model = mended();
    let behaviour = "[[failure]]\nmachines = \"m*\"\nup = \"exponential(mean=2h)\"\n\
        repair = \"lognormal(mean=30s, cv=0.5)\"\n\
        [[failure]]\nmachines = \"m*\"\nup = \"exponential(mean=3h)\"\n\
        repair = \"lognormal(mean=40m, cv=0.5)\"\ncrew = true\n";
    model.behave(behaviour, "m.toml").unwrap();
    model
}

#[test]
fn waiting_for_a_crew_is_told_from_its_repair() {
    let truly = truly();
    let record = recorded(&truly, 400);
    let mut model = mended();
    let sheet = model.fork(&record);
    for machine in ["m0", "m1", "m2", "m3"] {
        let short = row(&sheet, machine, "repair");
        assert!(
            (short.distribution.mean_s() - 30.0).abs() < 6.0,
            "{short:?}"
        );
        let long = row(&sheet, machine, "repair attended");
        let error = 1_200.0 / (long.values as f64).sqrt();
        let apart = (long.distribution.mean_s() - 2_400.0).abs();
        assert!(apart < 4.0 * error + 30.0, "{long:?}");
        let up = row(&sheet, machine, "up attended");
        let apart = (up.distribution.mean_s() - 10_800.0).abs();
        assert!(apart < 4.0 * 10_800.0 / (up.values as f64).sqrt(), "{up:?}");
    }
    let mut said = model.assumptions.iter();
    assert!(said.any(|one| one.starts_with("a repair is counted from when somebody came")));
    let more = "[[change]]\ndo = \"crew\"\ncrews = \"menders\"\nsize = 4\n";
    let both = |model: &Model| {
        let found = studied(model, &scenarios(model, more), &effort(48, 30));
        (output(&found, 0), found.cases[1].measures[0].interval.mean)
    };
    let ((is, better), (forecast, forecast_better)) = (both(&truly), both(&model));
    assert!((forecast - is).abs() < 0.04 * is, "{forecast} {is}");
    // More people help as much as they truly would.
    let gain = better - is;
    assert!(gain > 0.02 * is, "{gain}");
    assert!((forecast_better - forecast - gain).abs() < 0.5 * gain);
    // Where the log does not say who came, the two are one, which is said.
    let mut silent = record.clone();
    silent
        .machines
        .iter_mut()
        .for_each(|one| one.attended.clear());
    let mut model = mended();
    let sheet = model.fork(&silent);
    assert!(!sheet.iter().any(|row| row.what.ends_with("attended")));
    let mut said = model.assumptions.iter();
    assert!(said.any(|one| one.contains("includes the time until somebody came")));
    assert_eq!(both(&model).0, both(&model).1);
}

#[test]
fn who_waits_at_the_instant_waits_for_who_is_at_another_machine() {
    let mut record = recorded(&truly(), 100);
    let at_ns = record.at_ns;
    let minute = 60_000_000_000;
    for (machine, since, came) in [(0, 50, None), (1, 60, Some(20))] {
        let one = &mut record.machines[machine];
        one.intervals
            .retain(|one| one.from_ns < at_ns - since * minute);
        one.attended
            .retain(|one| one.from_ns < at_ns - since * minute);
        one.intervals.last_mut().unwrap().to_ns = at_ns - since * minute;
        one.intervals
            .push(spent(State::Faulted, at_ns - since * minute, at_ns));
        one.attended.extend(came.map(|came| Attended {
            from_ns: at_ns - came * minute,
            to_ns: None,
        }));
    }
    let mut model = mended();
    let _ = model.fork(&record);
    let failed = model.start.failed.iter().filter(|one| one.machine < 2);
    let failed: Vec<_> = failed.collect();
    let of = |at: usize| (failed[at].machine, failed[at].way, failed[at].spent_ns);
    assert_eq!(of(0), (1, 1, 20 * minute as u64));
    assert_eq!(of(1), (0, 1, 0));
}

#[test]
fn machines_of_other_plants_speak_where_there_are_few_values() {
    let record = recorded(&truly(), 400);
    let mut young = PlantRecord {
        machines: record.machines.clone(),
        ..PlantRecord::default()
    };
    let cut_ns = 10 * i64::try_from(HOUR_NS).unwrap();
    for machine in &mut young.machines {
        machine.intervals.retain(|one| one.to_ns <= cut_ns);
        machine.attended.retain(|one| one.from_ns <= cut_ns);
        machine.cycles.retain(|one| one.at_ns <= cut_ns);
    }
    young.at_ns = cut_ns;
    young.machines.truncate(1);
    let other = |sort: &str| OtherRecord {
        plant: "Q".to_owned(),
        sort: sort.to_owned(),
        record: record.machines[2].clone(),
    };
    let mut model = mended();
    let alone = model.fork(&young);
    young.others = vec![other("robot"), other("press")];
    let mut model = mended();
    let sheet = model.fork(&young);
    let up = row(&sheet, "m0", "up");
    let before = row(&alone, "m0", "up");
    assert!(before.values < 10 && !before.basis.contains("other plants"));
    assert!(
        up.basis
            .starts_with("pooled with machines of its type, those of other plants among them: "),
        "{up:?}"
    );
    assert!(
        (up.distribution.mean_s() - 7_200.0).abs() < 2_500.0,
        "{up:?}"
    );
    // What they make is another thing: their cycles do not count, nor do machines of another type.
    let basis = &row(&sheet, "m0", "cycle").basis;
    assert!(!basis.contains("other plants"), "{basis}");
    young.others = vec![other("robot")];
    let mut model = mended();
    assert_eq!(row(&model.fork(&young), "m0", "up"), before);
}
