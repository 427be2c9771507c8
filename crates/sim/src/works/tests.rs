//! The invented plants are as large as asked for, and can be described and simulated.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::layout::Layout;
use werkbuch_model::plant::{Answerable, Description, diff, parse};
use werkbuch_model::time::Timestamp;

pub(crate) fn described(plant: &CarPlant) -> Description {
    let file = parse(&plant.file(), "demo.toml").unwrap_or_else(|mistakes| {
        let all: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
        panic!("{}", all.join("\n"))
    });
    let mut description = Description::default();
    for change in diff(&description, &file).unwrap() {
        description.apply(&change).unwrap();
    }
    description
}

#[test]
fn a_plant_has_as_many_machines_as_asked_for() {
    for machines in [MACHINES_MIN, 60, 111, 200, 601, 2_500] {
        for number in [0, 1, 9] {
            let plant = CarPlant {
                number,
                machines,
                seed: 5,
            };
            let description = described(&plant);
            assert_eq!(description.machines().count(), machines, "{plant:?}");
            Layout::of(&description, Timestamp(0), 3_600).unwrap();
        }
    }
}

#[test]
fn the_same_numbers_give_the_same_plant() {
    let plant = CarPlant {
        number: 0,
        machines: 200,
        seed: 1,
    };
    assert_eq!(plant.file(), plant.file());
    assert_ne!(plant.file(), CarPlant { seed: 2, ..plant }.file());
    let ids: std::collections::BTreeSet<String> = (0..40)
        .map(|number| CarPlant { number, ..plant }.id())
        .collect();
    assert_eq!(ids.len(), 40);
}

#[test]
fn the_plants_say_enough_for_every_question() {
    for (number, machines) in [(0, MACHINES_MIN), (1, 200), (2, 601)] {
        let plant = CarPlant {
            number,
            machines,
            seed: 5,
        };
        let description = described(&plant);
        let unanswered: Vec<_> = description
            .questions()
            .into_iter()
            .filter(|question| question.answer == Answerable::No)
            .collect();
        assert!(unanswered.is_empty(), "{plant:?}: {unanswered:#?}");
        assert_eq!(description.remarks(), [], "{plant:?}");
    }
}
