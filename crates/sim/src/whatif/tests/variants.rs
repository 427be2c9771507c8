//! Cycle times per variant, and set-ups from one to another, are found again by a fork.

use super::fork::{recorded, row};
use super::*;
use crate::kernel::{Distribution, Streams};
use crate::truth::{SetupTruth, Truth};
use std::sync::Arc;
use werkbuch_model::event::State;

/// A machine that makes three variants; a change from a to b or back takes five minutes by the description.
fn varied() -> Model {
    described(
        "[plant]\nid = \"P\"\n[[product]]\nid = \"part\"\n\
         [[variant]]\nid = \"a\"\nproduct = \"part\"\nshare = 0.5\n\
         [[variant]]\nid = \"b\"\nproduct = \"part\"\nshare = 0.48\n\
         [[variant]]\nid = \"c\"\nproduct = \"part\"\nshare = 0.02\n\
         [[machine]]\nid = \"m0\"\nrole = \"node\"\ncycle_s = 60\n\
         [[machine]]\nid = \"m1\"\nrole = \"node\"\ncycle_s = 60\n\
         [[flow]]\nfrom = \"m0\"\nto = \"m1\"\n\
         [[setup]]\nmachines = \"m1\"\nattribute = \"variant\"\nfrom = \"*\"\nto = \"*\"\ns = 300\n\
         [[boundary]]\nat = \"m0\"\nkind = \"source\"\n[[boundary]]\nat = \"m1\"\nkind = \"sink\"\n",
    )
}

fn with(change: impl Fn(&mut Truth)) -> Model {
    let mut model = varied();
    change(Arc::make_mut(&mut model.truth));
    model
}

#[test]
fn variants_that_differ_have_their_own_cycles() {
    let gamma = |mean_s: f64| Distribution::Gamma(25.0, mean_s / 25.0);
    let truly = with(|truth| {
        truth.machines[0].cycle = Some(gamma(60.0));
        truth.machines[1].cycle = Some(gamma(60.0));
        truth.machines[0].cycle_of = vec![(0, gamma(50.0)), (1, gamma(65.0))];
    });
    let mut model = varied();
    let sheet = model.fork(&recorded(&truly, 60));
    let of: Vec<usize> = model.truth.machines[0]
        .cycle_of
        .iter()
        .map(|(variant, _)| *variant)
        .collect();
    assert_eq!(of, [0, 1]);
    for (at, mean_s) in [(0, 50.0), (1, 65.0)] {
        let own = &model.truth.machines[0].cycle_of[at].1;
        assert!((own.mean_s() - mean_s).abs() < 1.5, "{own}");
    }
    let rows = sheet
        .iter()
        .filter(|one| one.machine == "m0" && one.what == "cycle");
    let bases: Vec<&str> = rows.map(|row| row.basis.as_str()).collect();
    assert_eq!(bases.len(), 3);
    assert!(bases[0].ends_with("of variants that have too few cycles of their own"));
    assert!(bases[1].starts_with("variant a: its own values") && bases[2].starts_with("variant b"));
    // The other machine makes all of them alike.
    assert!(model.truth.machines[1].cycle_of.is_empty());
    let again = model.truth_of(&Streams::new(3, 1));
    assert_ne!(again.machines[0].cycle_of, model.truth.machines[0].cycle_of);
    let (is, forecast) = (
        output(&studied(&truly, &[], &effort(24, 20)), 0),
        output(&studied(&model, &[], &effort(24, 20)), 0),
    );
    assert!((forecast - is).abs() < 0.03 * is, "{forecast} {is}");
    // A scenario that gives the machine one time gives it to all variants; two parts are begun at the start.
    let text = "[[change]]\ndo = \"cycle\"\nmachines = \"m0\"\ntime = \"10m\"\n";
    let found = studied(&model, &scenarios(&model, text), &effort(24, 2));
    assert!(found.cases[1].measures[0].interval.mean <= 146.0);
}

#[test]
fn set_ups_have_the_times_that_were_recorded() {
    let times = |mean_s: f64| Distribution::Gamma(16.0, mean_s / 16.0);
    let setup = |pair, mean_s: f64| SetupTruth {
        pair,
        times: times(mean_s),
    };
    let truly = with(|truth| {
        truth.machines[1].setups = vec![
            setup(None, 200.0),
            setup(Some((0, 1)), 100.0),
            setup(Some((1, 0)), 400.0),
        ];
    });
    let record = recorded(&truly, 300);
    let mut model = varied();
    let sheet = model.fork(&record);
    let setups = &model.truth.machines[1].setups;
    for (pair, mean_s) in [(Some((0, 1)), 100.0), (Some((1, 0)), 400.0)] {
        let own = setups.iter().find(|one| one.pair == pair).unwrap();
        assert!(
            (own.times.mean_s() - mean_s).abs() < 0.1 * mean_s,
            "{own:?}"
        );
    }
    let rows = sheet.iter().filter(|one| one.what == "set-up");
    let rows: Vec<&Fitted> = rows.collect();
    assert!(
        rows[0].values > 200
            && rows
                .iter()
                .any(|row| row.basis.starts_with("from a to b: "))
    );
    let said = |model: &Model| {
        let mut all = model.assumptions.iter();
        all.any(|one| one == "m1 was not set up in the window: set-ups take what is planned")
    };
    assert!(!said(&model));
    // Three minutes less of every set-up from b to a are what the plan does not know.
    let (is, forecast) = (
        output(&studied(&truly, &[], &effort(24, 20)), 0),
        output(&studied(&model, &[], &effort(24, 20)), 0),
    );
    assert!((forecast - is).abs() < 0.03 * is, "{forecast} {is}");
    let text = "[[change]]\ndo = \"setup\"\nmachines = \"m1\"\nfactor = 0\n";
    let none = studied(&model, &scenarios(&model, text), &effort(24, 4));
    assert!(none.cases[1].measures[0].interval.mean > forecast + 50.0);
    // Without any on record it takes what is planned, which is said.
    let mut silent = record.clone();
    for machine in &mut silent.machines {
        machine.intervals.retain(|one| one.state != State::Setup);
    }
    let mut model = varied();
    let _ = model.fork(&silent);
    assert!(model.truth.machines[1].setups.is_empty() && said(&model));
    let before = row(&sheet, "m1", "set-up").values;
    assert_eq!(before, rows[0].values);
}
