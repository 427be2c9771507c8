//! Intervals held to what they say, and what a file may say in more than one way.

use super::*;
use serde_json::json;

fn case(family: &str, params: Value, quantity: &str, value: Value) -> Case {
    let case = json!({
        "id": "a", "family": family, "model": family, "params": params, "quantity": quantity, "value": value,
    });
    cases(&json!({ "cases": [case] })).unwrap().remove(0)
}

/// How many of so many seeds give an interval that holds the exact value.
fn holds(case: &Case, seeds: u64, relative: f64, events_max: u64) -> u64 {
    let agrees = |seed: u64| {
        let effort = Effort {
            relative,
            events_max,
            threads: 1,
            seed,
        };
        check(case, &effort).verdict == Verdict::Agrees
    };
    (1..=seeds).filter(|seed| agrees(*seed)).count() as u64
}

#[test]
#[ignore = "it makes more than a thousand studies"]
fn intervals_hold_their_values_as_often_as_they_say() {
    let seeds = 200;
    let queue = |lam: f64| json!({ "lam": lam, "mu": 1.0 });
    let line = json!({ "mu": [1.0, 0.8, 1.1], "buffers": [1, 3] });
    let all = [
        case("mm1", queue(0.5), "Wq", json!(1.0)),
        case("mm1", queue(0.9), "L", json!(9.0)),
        case("mm1", queue(0.95), "Wq", json!(19.0)),
        case("exp-unbalanced", line, "throughput", json!(0.650_690_852_9)),
    ];
    let mut worst = seeds;
    for (relative, events_max) in [(0.02, 300_000), (0.03, 4_000_000)] {
        for case in &all {
            let held = holds(case, seeds, relative, events_max);
            println!(
                "{} {} {relative} {events_max}: {held} of {seeds}",
                case.family, case.params
            );
            worst = worst.min(held);
        }
    }
    assert!(worst * 100 >= seeds * 97, "{worst} of {seeds}");
}
