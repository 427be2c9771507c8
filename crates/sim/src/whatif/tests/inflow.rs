//! When parts come in and in which order, which one goes first, and blocking before work.

use super::*;

/// A machine that makes three variants of 10, 20 and 30 minutes out of a buffer, and those after one that takes none.
fn varied() -> Model {
    let mut text = "[plant]\nid = \"P\"\n[[product]]\nid = \"part\"\n".to_owned();
    for (name, share) in [("a", 0.4), ("b", 0.4), ("c", 0.2)] {
        text += &format!("[[variant]]\nid = \"{name}\"\nproduct = \"part\"\nshare = {share}\n");
    }
    text += "[[machine]]\nid = \"m0\"\nrole = \"node\"\ncycle_s = 1\n\
        [[machine]]\nid = \"m1\"\nrole = \"node\"\ncycle_s = 600\n\
        [[buffer]]\nid = \"b1\"\ncapacity = 100\n[[flow]]\nfrom = \"m0\"\nto = \"b1\"\n\
        [[flow]]\nfrom = \"b1\"\nto = \"m1\"\n[[boundary]]\nat = \"m0\"\nkind = \"source\"\n\
        [[boundary]]\nat = \"m1\"\nkind = \"sink\"\n\
        [[setup]]\nmachines = \"m1\"\nattribute = \"variant\"\nfrom = \"*\"\nto = \"*\"\ns = 300\n";
    described(&text)
}

fn behaving(text: &str) -> Model {
    let mut model = varied();
    if let Err(mistakes) = model.behave(text, "m.toml") {
        panic!("{mistakes:?}");
    }
    model
}

fn outputs(model: &Model, hours: u64, replications: u32) -> Vec<f64> {
    let found = studied(model, &[], &effort(hours, replications));
    found.cases[0].measures[0].values.clone()
}

/// The order in which variants are done.
fn done(model: &Model, hours: u64) -> String {
    use crate::factory::{Course, Fact, Factory};
    let course = Course {
        layout: model.layout.clone(),
        truth: model.truth.clone(),
        later: std::sync::Arc::new([]),
    };
    let mut factory = Factory::at(&course, &model.start, crate::kernel::Streams::new(5, 0));
    let mut found = String::new();
    while let Some(happening) = factory.next_before(hours * HOUR_NS) {
        if let Fact::Ended {
            station: 1, about, ..
        } = happening.fact
        {
            found += &model.layout.variants[about.variant].id;
        }
    }
    found
}

const ALL_AT_ONCE: &str = "[[arrival]]\nmachines = \"m0\"\n\
    at = [\"0s\", \"0s\", \"0s\", \"0s\", \"0s\", \"0s\", \"0s\"]\n\
    [[order]]\nmachines = \"m0\"\nvariants = [\"b\", \"c\", \"a\", \"b\", \"a\", \"c\", \"a\"]\n";

#[test]
fn parts_come_when_and_as_the_programme_says() {
    // Three a day at given times, and what comes first is done first.
    let model = behaving(
        "[[arrival]]\nmachines = \"m0\"\nat = [\"1h\", \"2h\", \"2h\", \"7h\"]\n\
         [[order]]\nmachines = \"m0\"\nvariants = [\"c\", \"a\"]\nrepeat = true\n",
    );
    assert_eq!(done(&model, 24), "caca");
    assert_eq!(outputs(&model, 1, 2), [0.0, 0.0]);
    // 3,601 s and ten minutes of work.
    assert_eq!(outputs(&model, 2, 2), [1.0, 1.0]);
    assert_eq!(outputs(&model, 7, 2), [3.0, 3.0]);
    // Nothing comes after an order that does not begin anew.
    let once = behaving("[[order]]\nmachines = \"m0\"\nvariants = [\"c\", \"a\", \"b\"]\n");
    assert_eq!(done(&once, 24), "cab");
    // Twelve an hour in every second hour: 144 a day, and twice as many with twice the demand.
    let model = behaving(
        "[[arrival]]\nmachines = \"m0\"\nper_hour = { 0h = 0, 1h = 12 }\nevery = \"2h\"\n\
         [[setup]]\n"
            .trim_end_matches("[[setup]]\n"),
    );
    let more = "[[change]]\ndo = \"demand\"\nmachines = \"m0\"\nfactor = 2\n\
        [[change]]\ndo = \"cycle\"\nmachines = \"m1\"\ntime = \"1s\"\n\
        [[change]]\ndo = \"setup\"\nmachines = \"m1\"\nfactor = 0\n";
    let found = studied(&model, &scenarios(&model, more), &effort(24, 60));
    let twice = found.cases[1].measures[0].interval.mean;
    assert!(
        (twice - 288.0).abs() < 4.0 * libm::sqrt(288.0 / 60.0),
        "{twice}"
    );
    let before = studied(&model, &[], &effort(1, 20));
    assert_eq!(output(&before, 0), 0.0);
}

#[test]
fn a_machine_takes_first_what_its_rule_says() {
    let rule = |text: &str| {
        behaving(&format!(
            "{ALL_AT_ONCE}[[dispatch]]\nmachines = \"m1\"\n{text}\n"
        ))
    };
    // The first one is begun before the others are there.
    assert_eq!(done(&behaving(ALL_AT_ONCE), 24), "bcabaca");
    assert_eq!(done(&rule("rule = \"as_they_lie\""), 24), "bcabaca");
    assert_eq!(done(&rule("rule = \"fewest_setups\""), 24), "bbccaaa");
    let priority = rule("rule = \"priority\"\nvariants = [\"a\", \"c\"]");
    assert_eq!(done(&priority, 24), "baaaccb");
    let due = rule("rule = \"earliest_due\"\nwithin = { a = \"2h\", b = \"1h\", c = \"30m\" }");
    assert_eq!(done(&due, 24), "bccbaaa");
    let mut shortest = rule("rule = \"shortest_time\"");
    let times = |s: f64| crate::kernel::Distribution::Constant(s);
    std::sync::Arc::make_mut(&mut shortest.truth).machines[1].cycle_of =
        vec![(0, times(1_200.0)), (1, times(600.0)), (2, times(1_800.0))];
    assert_eq!(done(&shortest, 24), "bbaaacc");
}

#[test]
fn a_scenario_changes_the_rule() {
    let model = behaving(
        "[[arrival]]\nmachines = \"m0\"\nbetween = \"exponential(mean=14m)\"\n\
         [[order]]\nmachines = \"m0\"\nvariants = [\"a\", \"b\", \"c\"]\nrepeat = true\n",
    );
    let text = "[[change]]\ndo = \"dispatch\"\nmachines = \"m1\"\n\
        rule = [\"fewest_setups\", \"as_they_lie\"]\n";
    let changes = scenarios(&model, text);
    assert_eq!(
        changes[0].changes[0].told(&model),
        "dispatch of m1: fewest set-ups"
    );
    let found = studied(&model, &changes, &effort(48, 10));
    assert!(output(&found, 1) > 1.05 * output(&found, 0));
    assert_eq!(output(&found, 2), output(&found, 0));
}

#[test]
fn blocking_before_work_is_one_place_less_than_after_it() {
    // A machine that needs room before it begins does with a place more what one does that is blocked afterwards.
    let behaviour = "[[cycle]]\nmachines = \"*\"\ntime = \"exponential(mean=60s)\"\n";
    let made = |room: u32, more: &str| {
        let mut model = line(&[60, 60], room);
        model
            .behave(&format!("{behaviour}{more}"), "m.toml")
            .unwrap();
        outputs(&model, 48, 10)
    };
    let before = "[[dispatch]]\nmachines = \"m0\"\nblocking = \"before\"\n";
    assert_eq!(made(3, before), made(2, ""));
    assert_ne!(made(2, before), made(2, ""));
    let mut model = line(&[30, 90], 2);
    model.behave(before, "m.toml").unwrap();
    let found = studied(&model, &[], &effort(8, 2));
    let shares = &found.cases[0].stations[0].shares;
    let blocked = shares
        .iter()
        .find(|(state, _)| *state == werkbuch_model::event::State::Blocked);
    assert!(blocked.is_some_and(|(_, share)| *share > 0.6), "{shares:?}");
}

#[test]
fn what_is_wrong_with_a_programme_is_said_with_its_line() {
    for (text, line, what) in [
        (
            "[[arrival]]\nmachines = \"m1\"\nat = [\"1h\"]\n",
            2,
            "no parts come in at m1",
        ),
        (
            "[[arrival]]\nmachines = \"m0\"\nat = [\"2h\", \"1h\"]\n",
            3,
            "at: 1h comes before",
        ),
        (
            "[[arrival]]\nmachines = \"m0\"\nat = [\"soon\"]\n",
            3,
            "at: \"soon\" is no time",
        ),
        (
            "[[arrival]]\nmachines = \"m0\"\nat = [\"1h\"]\nbetween = \"1h\"\n",
            3,
            "the arrival says in two ways",
        ),
        (
            "[[arrival]]\nmachines = \"m0\"\nper_hour = { 1h = 3 }\n",
            3,
            "per_hour: the first rate",
        ),
        (
            "[[arrival]]\nmachines = \"m0\"\nper_hour = { now = 3 }\n",
            3,
            "\"now\" is no time",
        ),
        (
            "[[arrival]]\nmachines = \"m0\"\nper_hour = { 0h = \"x\" }\n",
            3,
            "the rate from 0h on",
        ),
        (
            "[[arrival]]\nmachines = \"m0\"\nbetween = \"1h\"\nevery = \"2h\"\n",
            4,
            "every is for rates",
        ),
        (
            "[[order]]\nmachines = \"m0\"\nvariants = [\"a\", \"d\"]\n",
            3,
            "there is no variant \"d\"",
        ),
        ("[[order]]\nmachines = \"m0\"\n", 1, "order has no variants"),
        (
            "[[dispatch]]\nmachines = \"m1\"\nrule = \"shortest\"\n",
            3,
            "there is no rule \"shortest\"",
        ),
        (
            "[[dispatch]]\nmachines = \"m1\"\nrule = \"priority\"\n",
            1,
            "variants belongs to the rule",
        ),
        (
            "[[dispatch]]\nmachines = \"m1\"\n",
            1,
            "the dispatch has neither",
        ),
        (
            "[[dispatch]]\nmachines = \"m1\"\nblocking = \"never\"\n",
            3,
            "a machine cannot block \"never\"",
        ),
        (
            "[[dispatch]]\nmachines = \"m1\"\nrule = \"earliest_due\"\nwithin = { d = \"2h\" }\n",
            4,
            "there is no variant \"d\"",
        ),
    ] {
        let mistakes: Vec<Mistake> = varied().behave(text, "m.toml").unwrap_err();
        let mut found = mistakes.iter();
        let told = found.any(|one| one.line == line && one.what.starts_with(what));
        assert!(told, "{text}: {mistakes:?}");
    }
}
