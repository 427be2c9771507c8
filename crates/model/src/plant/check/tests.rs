//! What plants can answer, by what is left out of them.
#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;
use crate::plant::{parse, tests::described};

const WHOLE: &str = r#"
[plant]
id = "P"
calendar = "day"
[[calendar]]
id = "day"
shifts = [{ name = "early", days = ["mon"], from = "06:00", to = "14:00" }]
[[unit]]
id = "line"
level = "line"
constraint = "m2"
[[stop_group]]
id = "zone"
[[machine]]
id = "m1"
in = "line"
vocabulary = "packml"
cycle_s = 50
cycle_min_s = 48
micro_stop_s = 120
stop_groups = ["zone"]
operators = 1
skill = "weld"
[[machine]]
id = "m2"
in = "line"
vocabulary = "packml"
cycle_s = 55
cycle_min_s = 52
micro_stop_s = 120
stop_groups = ["zone"]
[[buffer]]
id = "b"
capacity = 4
[[buffer]]
id = "skids"
capacity = 40
kind = "pool"
[[buffer]]
id = "rack"
capacity = 40
kind = "store"
[[flow]]
from = "m1"
to = "b"
[[flow]]
from = "b"
to = "m2"
[[product]]
id = "p"
[[variant]]
id = "red"
product = "p"
attributes = ["colour=red"]
[[step]]
product = "p"
number = 10
at = "m1"
work_s = 50
carrier = "skid"
[[setup]]
machines = "m1"
attribute = "colour"
from = "*"
to = "*"
s = 5
[[carrier]]
id = "skid"
count = 40
home = "skids"
return_s = 60
[[crew]]
id = "weld"
kind = "operation"
size = 2
skills = ["weld"]
serves = ["line"]
[[crew]]
id = "repair"
kind = "repair"
size = 2
[[crew]]
id = "bring"
kind = "logistics"
size = 2
[[rework]]
id = "again"
from = "m1"
back_to = "m2"
[[feed]]
part_number = "bolt"
at = "m1"
site = "works-2"
from = "rack"
[[boundary]]
at = "m1"
kind = "source"
[[boundary]]
at = "m2"
kind = "sink"
[[count_point]]
unit = "line"
at = "m2"
meaning = "all"
[[count_point]]
unit = "line"
at = "m2"
meaning = "good"
"#;

fn questions(text: &str) -> Vec<Question> {
    described(&parse(text, "p").unwrap_or_else(|mistakes| panic!("{mistakes:#?}"))).questions()
}

fn question<'a>(all: &'a [Question], name: &str) -> &'a Question {
    all.iter().find(|one| one.name == name).unwrap()
}

#[test]
fn a_plant_that_says_all_answers_all() {
    for one in questions(WHOLE) {
        assert_eq!(one.answer, Answerable::Yes, "{one:#?}");
    }
}

#[test]
fn a_plant_that_says_nothing_answers_nothing() {
    for one in questions("plant.id = \"P\"") {
        assert_eq!(one.answer, Answerable::No, "{one:#?}");
    }
}

/// What is taken out of the whole plant, and what that does to a question.
const GAPS: &[(&str, &str, Answerable, &str, &[&str])] = &[
    (
        "vocabulary = \"packml\"\ncycle_s = 50",
        "state",
        Answerable::Partly,
        "vocabulary",
        &["m1"],
    ),
    (
        "cycle_s = 55\ncycle_min_s = 52",
        "oee-of-machines",
        Answerable::Partly,
        "planned cycle",
        &["m2"],
    ),
    (
        "cycle_s = 55\ncycle_min_s = 52",
        "oee-of-lines",
        Answerable::No,
        "planned cycle of its",
        &["line"],
    ),
    (
        "constraint = \"m2\"",
        "oee-of-lines",
        Answerable::No,
        "its constraint",
        &["line"],
    ),
    (
        "calendar = \"day\"",
        "shift-figures",
        Answerable::No,
        "calendar",
        &["line"],
    ),
    (
        "[[flow]]\nfrom = \"b\"\nto = \"m2\"",
        "starved-blocked",
        Answerable::Partly,
        "come from",
        &["m2"],
    ),
    (
        "[[boundary]]\nat = \"m1\"\nkind = \"source\"",
        "parts-located",
        Answerable::No,
        "begins",
        &[],
    ),
    (
        "stop_groups = [\"zone\"]\noperators = 1",
        "stops-together",
        Answerable::Partly,
        "stop group",
        &["m1"],
    ),
    (
        "[[rework]]\nid = \"again\"\nfrom = \"m1\"\nback_to = \"m2\"",
        "first-pass-yield",
        Answerable::Partly,
        "rework",
        &[],
    ),
    (
        "skills = [\"weld\"]",
        "what-if-crews",
        Answerable::No,
        "crew with its skill",
        &["m1"],
    ),
    (
        "home = \"skids\"",
        "what-if-carriers",
        Answerable::No,
        "empties",
        &["skid"],
    ),
    (
        "return_s = 60",
        "what-if-carriers",
        Answerable::Partly,
        "way back",
        &["skid"],
    ),
    (
        "site = \"works-2\"",
        "shortages",
        Answerable::Partly,
        "site",
        &["bolt"],
    ),
    (
        "micro_stop_s = 120\nstop_groups = [\"zone\"]\noperators = 1",
        "micro-stops",
        Answerable::Partly,
        "short one",
        &["m1"],
    ),
];

#[test]
fn each_gap_is_named_with_those_that_have_it() {
    for (without, name, answer, what, names) in GAPS {
        let text = WHOLE.replacen(without, "", 1);
        assert_ne!(text, WHOLE, "{without}");
        let all = questions(&text);
        let one = question(&all, name);
        assert_eq!(one.answer, *answer, "{without}: {one:#?}");
        let told = one
            .missing
            .iter()
            .find(|missing| missing.what.contains(what));
        let told = told.unwrap_or_else(|| panic!("{without}: {one:#?}"));
        assert_eq!(told.names, *names, "{without}");
    }
}

#[test]
fn loops_without_a_buffer_are_remarked() {
    let remarks = |flows: &[(&str, &str)]| {
        let mut text = "plant.id = \"P\"\n".to_owned();
        for machine in ["a", "b", "c", "d"] {
            text += &format!("[[machine]]\nid = \"{machine}\"\n");
        }
        text += "[[buffer]]\nid = \"x\"\ncapacity = 1\n";
        for (from, to) in flows {
            text += &format!("[[flow]]\nfrom = \"{from}\"\nto = \"{to}\"\n");
        }
        let found = described(&parse(&text, "p").unwrap()).remarks();
        found
            .into_iter()
            .map(|remark| remark.text)
            .collect::<Vec<_>>()
    };
    let told = remarks(&[("a", "b"), ("b", "c"), ("c", "a"), ("c", "d")]);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].contains("3 machines") && told[0].ends_with("a, b, c"),
        "{told:?}"
    );
    assert!(remarks(&[("a", "b"), ("b", "x"), ("x", "a"), ("b", "d")]).is_empty());
    assert!(remarks(&[("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")]).is_empty());
    assert_eq!(
        remarks(&[("a", "b"), ("b", "a"), ("c", "d"), ("d", "c")]).len(),
        2
    );
}

#[test]
fn cycles_that_cannot_be_are_remarked() {
    let text = WHOLE
        .replace("cycle_min_s = 48", "cycle_min_s = 51.5")
        .replace("constraint = \"m2\"", "constraint = \"m2\"\ntakt_s = 54");
    let found = described(&parse(&text, "p").unwrap()).remarks();
    let texts: Vec<&str> = found.iter().map(|remark| remark.text.as_str()).collect();
    assert_eq!(
        texts,
        [
            "m1 is planned at 50 s and was never faster than 51.5 s",
            "line is to take 54 s for a part, and its constraint m2 takes 55 s",
        ]
    );
    // Two slots halve what a part takes.
    let wide = text.replace("id = \"m2\"", "id = \"m2\"\nslots = 2");
    assert_ne!(wide, text);
    let found = described(&parse(&wide, "p").unwrap()).remarks();
    assert!(found.iter().all(|remark| !remark.text.contains("m2 takes")));
}
