//! A fork of the demo's plant forecasts what its factory then does.

use super::fork::watched;
use super::*;
use crate::factory::{Fact, Factory, Gone};
use crate::kernel::Streams;
use crate::layout::Layout;
use crate::truth::Truth;
use crate::works::CarPlant;
use werkbuch_model::plant::{Description, diff, parse};

/// How long is watched, and how far is forecast, in hours.
const WATCHED: u64 = 30;
const AHEAD: u64 = 5;

/// What a plant of the demo makes after an instant, and what forks with and without its deliveries forecast.
fn forecast(seed: u64) -> (f64, f64, f64) {
    let plant = CarPlant {
        number: 0,
        machines: 60,
        seed,
    };
    let file = parse(&plant.file(), "plant.toml").unwrap();
    let mut description = Description::default();
    for change in diff(&description, &file).unwrap() {
        description.apply(&change).unwrap();
    }
    let start = Timestamp::parse("2025-01-13T05:00:00Z").unwrap();
    let layout = Layout::of(&description, start, 3_600).unwrap();
    let streams = Streams::new(seed, 0);
    let truth = Truth::of(&layout, &streams);
    let mut factory = Factory::new(layout.clone(), truth, streams);
    let record = watched(&mut factory, &layout, WATCHED);
    let mut made = 0;
    while let Some(happening) = factory.next_before((WATCHED + AHEAD) * HOUR_NS) {
        made += u32::from(matches!(
            happening.fact,
            Fact::Gone {
                how: Gone::Finished,
                ..
            }
        ));
    }
    let begins = Timestamp(start.nanos() + i64::try_from(WATCHED * HOUR_NS).unwrap());
    let of = |record: &PlantRecord| {
        let mut model = Model::planned("p", &description, begins, 3_600).unwrap();
        let sheet = model.fork(record);
        assert_eq!(
            sheet.iter().any(|row| row.what == "delivery"),
            !record.stocks.is_empty()
        );
        let found = studied(&model, &[], &effort(AHEAD, 8));
        let measures = found.cases[0].measures.iter();
        let outputs = measures.filter(|one| one.name.starts_with("output"));
        outputs.map(|one| one.interval.mean).next().unwrap()
    };
    let mut blind = record.clone();
    blind.stocks.clear();
    (f64::from(made), of(&record), of(&blind))
}

#[test]
fn the_demo_is_forecast() {
    let all: Vec<(f64, f64, f64)> = (1..=4).map(forecast).collect();
    let sum = |of: &dyn Fn(&(f64, f64, f64)) -> f64| all.iter().map(of).sum::<f64>();
    let (made, found, blind) = (sum(&|one| one.0), sum(&|one| one.1), sum(&|one| one.2));
    assert!((found - made).abs() < 0.06 * made, "{found} {made}");
    assert!(found < blind, "{found} {blind}");
}
