//! The example models make about what their takt implies, and their scenarios do what their texts say.

use super::*;
use werkbuch_model::event::State;

/// Each model with its scenarios.
const MODELS: [(&str, &[&str]); 4] = [
    ("engine-line", &["faster-repair", "hot-test-down"]),
    ("body-line", &["framing-robot-down", "side-buffers-doubled"]),
    (
        "paint-shop",
        &["one-more-polisher", "bigger-colour-batches"],
    ),
    (
        "assembly",
        &[
            "two-vehicles-fewer",
            "seats-two-hours-late",
            "saturday-shift",
        ],
    ),
];

fn text_of(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/models");
    std::fs::read_to_string(folder.join(format!("{name}.toml"))).unwrap()
}

fn loaded(name: &str) -> Model {
    let text = text_of(name);
    let value = |key: &str| {
        let mut lines = text.lines();
        let line = lines.find_map(|line| line.strip_prefix(key)).unwrap();
        line.trim_matches('"').to_owned()
    };
    let plant = value("plant = ");
    let begins = Timestamp::parse(&value("start = ")).unwrap();
    let plant = example(plant.trim_start_matches("../plants/"));
    assert_eq!(plant.remarks(), [], "{name}");
    // All of them begin in Berlin, in winter.
    let mut model = Model::planned(name, &plant, begins, 3_600).unwrap();
    model
        .behave(&text, name)
        .unwrap_or_else(|mistakes| panic!("{mistakes:?}"));
    model
}

fn scenario(model: &Model, name: &str) -> Vec<Scenario> {
    let found = scenarios(model, &text_of(name));
    assert_eq!(found.len(), 1, "{name}");
    assert_eq!(found[0].name, name);
    found
}

#[test]
fn models_and_scenarios_of_the_examples_are_read() {
    for (name, names) in MODELS {
        let model = loaded(name);
        for name in names {
            scenario(&model, name);
        }
    }
}

/// Holds the outputs of all replications against a range, and no station may be held up for most of the time.
fn assert_makes(name: &str, found: &Outcome, (least, most): (f64, f64)) {
    let case = &found.cases[0];
    let outputs = &case.measures[0].values;
    let fits = |output: &f64| (least..=most).contains(output);
    assert!(outputs.iter().all(fits), "{name}: {outputs:?}");
    for station in &case.stations {
        let blocked = station
            .shares
            .iter()
            .find(|(state, _)| *state == State::Blocked);
        assert!(
            blocked.is_none_or(|(_, share)| *share < 0.5),
            "{name}: {station:?}"
        );
    }
}

#[test]
fn a_shift_makes_about_what_the_takt_implies() {
    // Eight hours less breaks are worked, and a part is to come every so many seconds; short stops, breakdowns
    // and waiting take some of that. In the paint shop the booths have no break, but what there is before them
    // lasts a quarter of an hour of the half hour that the empty tanks and ovens take.
    for (name, worked_s, takt_s) in [
        ("body-line", 27_000.0, 60.0),
        ("paint-shop", 28_800.0 - 900.0, 72.0),
        ("assembly", 27_000.0, 60.0),
    ] {
        let found = studied(&loaded(name), &[], &effort(8, 2));
        let planned = worked_s / takt_s;
        assert_makes(name, &found, (0.8 * planned, 1.05 * planned));
    }
}

#[test]
fn no_line_of_the_examples_comes_to_a_stand() {
    // Parts that block each other in one replication would leave it far behind the others.
    for (name, planned) in [
        ("body-line", 900.0),
        ("paint-shop", 787.0),
        ("assembly", 900.0),
    ] {
        let found = studied(&loaded(name), &[], &effort(16, 40));
        assert_makes(name, &found, (0.7 * planned, 1.05 * planned));
    }
}

#[test]
fn only_cars_leave_the_car_plant() {
    let plant = example("car-plant.toml");
    assert_eq!(plant.remarks(), []);
    let mut model = model(&plant);
    (model.start.fill, model.start.buffers) = (0.4, None);
    let found = studied(&model, &[], &effort(16, 6));
    // 27,000 s are worked in a shift, and every 58 s there is to be a car.
    let planned = 2.0 * 27_000.0 / 58.0;
    assert_makes("car-plant", &found, (0.85 * planned, 1.05 * planned));
    let names = found.cases[0].measures.iter();
    let of_products = names.filter(|one| one.name.starts_with("output of "));
    let of_products: Vec<&str> = of_products.map(|one| one.name.as_str()).collect();
    assert_eq!(of_products, ["output of compact", "output of estate"]);
}

#[test]
fn scenarios_of_the_examples_do_what_their_texts_say() {
    for (model, name, hours, replications, measure, range) in [
        (
            "engine-line",
            "faster-repair",
            24,
            10,
            "output",
            (0.0, 60.0),
        ),
        (
            "engine-line",
            "hot-test-down",
            24,
            10,
            "output",
            (-210.0, 0.0),
        ),
        (
            "body-line",
            "framing-robot-down",
            8,
            10,
            "output",
            (-120.0, -80.0),
        ),
        (
            "body-line",
            "side-buffers-doubled",
            8,
            10,
            "output",
            (2.0, 30.0),
        ),
        (
            "paint-shop",
            "one-more-polisher",
            16,
            20,
            "lead time P95",
            (-1_500.0, -50.0),
        ),
        (
            "paint-shop",
            "bigger-colour-batches",
            16,
            10,
            "output",
            (5.0, 60.0),
        ),
        (
            "assembly",
            "two-vehicles-fewer",
            8,
            10,
            "output",
            (-60.0, -5.0),
        ),
        (
            "assembly",
            "seats-two-hours-late",
            8,
            10,
            "output",
            (-100.0, -40.0),
        ),
        // Of a week of ten shifts one more is a tenth.
        (
            "assembly",
            "saturday-shift",
            144,
            3,
            "output",
            (350.0, 500.0),
        ),
    ] {
        let model = loaded(model);
        let found = studied(
            &model,
            &scenario(&model, name),
            &effort(hours, replications),
        );
        let difference = found.differences.iter().find(|one| one.measure == measure);
        let mean = difference.unwrap().interval.mean;
        assert!(range.0 < mean && mean < range.1, "{name}: {mean}");
    }
}
