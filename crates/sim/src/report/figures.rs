//! Figures of processes and measurements, drawn around their nominal values.

use super::text;
use crate::factory::Verdict;
use crate::kernel::{Stream, normal};
use werkbuch_model::event::{Body, Figure, ProcessResult, QualityResult, ResultVerdict};

/// A figure: name, unit, nominal value, deviation, reach of its limits.
type Row = (&'static str, &'static str, f64, f64, f64);

const WELD: &[Row] = &[
    ("current", "kA", 9.2, 0.12, 0.6),
    ("force", "kN", 3.4, 0.05, 0.3),
    ("time", "ms", 320.0, 4.0, 25.0),
];
const SPRAY: &[Row] = &[
    ("volume", "ml", 410.0, 5.0, 30.0),
    ("bell_speed", "1/min", 42_000.0, 250.0, 1_500.0),
];
const BEAD: &[Row] = &[
    ("bead_width", "mm", 4.5, 0.12, 0.7),
    ("volume", "ml", 62.0, 0.9, 5.0),
];
const BOLT: &[Row] = &[
    ("torque", "Nm", 110.0, 1.4, 8.0),
    ("angle", "deg", 92.0, 2.5, 15.0),
];
const FILL: &[Row] = &[
    ("volume", "l", 7.8, 0.03, 0.2),
    ("pressure", "bar", 3.1, 0.05, 0.4),
];
const ROLLER: &[Row] = &[
    ("brake_force", "kN", 3.9, 0.12, 0.7),
    ("toe", "deg", 0.12, 0.015, 0.1),
];

/// Characteristics that inline measuring looks at: name, nominal value, deviation, reach.
const BODY: &[(&str, f64, f64, f64)] = &[
    ("gap-door-front-left", 3.5, 0.14, 0.7),
    ("flush-door-front-left", 0.0, 0.16, 0.8),
    ("roof-height", 1_452.0, 0.25, 1.2),
];

/// What a station says about a part beside its cycle.
pub(super) fn of_station(
    sort: &str,
    chance: &mut Stream,
    cycle: u64,
    part: &str,
    verdict: Verdict,
) -> Vec<Body<'static>> {
    match sort {
        "marriage" => (1..=4)
            .map(|bolt| {
                process(
                    "tighten",
                    &format!("subframe-{bolt}"),
                    BOLT,
                    chance,
                    cycle,
                    part,
                )
            })
            .collect(),
        "filling" => vec![process("fill", "circuit-1", FILL, chance, cycle, part)],
        "test-bench" => vec![process(
            "roller-test",
            "axle-1",
            ROLLER,
            chance,
            cycle,
            part,
        )],
        "measuring" => BODY
            .iter()
            .map(|row| measured(row, chance, cycle, part))
            .collect(),
        "inspection" => vec![judged(verdict, cycle, part)],
        _ => Vec::new(),
    }
}

/// Whether the robots of a station of a sort weld.
pub(super) fn welds(sort: &str) -> bool {
    !matches!(sort, "paint-booth" | "sealing")
}

/// What a robot of a station says about a part: the worst of its spots.
pub(super) fn of_robot(
    sort: &str,
    chance: &mut Stream,
    cycle: u64,
    part: &str,
) -> Vec<Body<'static>> {
    let (operation, rows) = match sort {
        "paint-booth" => ("spray", SPRAY),
        "sealing" => ("dispense", BEAD),
        _ => ("spot-weld", WELD),
    };
    let spot = format!("{}", 1 + chance.below(40));
    vec![process(operation, &spot, rows, chance, cycle, part)]
}

fn process(
    operation: &str,
    spot: &str,
    rows: &[Row],
    chance: &mut Stream,
    cycle: u64,
    part: &str,
) -> Body<'static> {
    let mut verdict = ResultVerdict::Ok;
    let mut figure = |row: &Row| {
        let (name, unit, nominal, deviation, reach) = *row;
        let value = rounded(nominal + deviation * normal(chance));
        let (lower, upper) = (rounded(nominal - reach), rounded(nominal + reach));
        if value < lower || value > upper {
            verdict = ResultVerdict::Nok;
        }
        Figure {
            name: text(name),
            value,
            unit: text(unit),
            lower: Some(lower),
            upper: Some(upper),
        }
    };
    let figures = rows.iter().map(&mut figure).collect();
    Body::ProcessResult(ProcessResult {
        operation: text(operation),
        spot: text(spot),
        verdict,
        cycle: text(cycle.to_string()),
        part: text(part),
        subgroup: text(""),
        figures,
    })
}

fn measured(
    row: &(&str, f64, f64, f64),
    chance: &mut Stream,
    cycle: u64,
    part: &str,
) -> Body<'static> {
    let (characteristic, nominal, deviation, reach) = *row;
    let measured = rounded(nominal + deviation * normal(chance));
    let (lower, upper) = (rounded(nominal - reach), rounded(nominal + reach));
    let fits = measured >= lower && measured <= upper;
    Body::QualityResult(QualityResult {
        characteristic: text(characteristic),
        nominal: Some(nominal),
        measured: Some(measured),
        lower: Some(lower),
        upper: Some(upper),
        unit: text("mm"),
        verdict: if fits {
            ResultVerdict::Ok
        } else {
            ResultVerdict::Nok
        },
        cycle: text(cycle.to_string()),
        part: text(part),
        operation: text("measuring"),
        subgroup: text(""),
    })
}

fn judged(verdict: Verdict, cycle: u64, part: &str) -> Body<'static> {
    Body::QualityResult(QualityResult {
        characteristic: text("inspection"),
        verdict: if verdict == Verdict::Good {
            ResultVerdict::Ok
        } else {
            ResultVerdict::Nok
        },
        cycle: text(cycle.to_string()),
        part: text(part),
        ..QualityResult::default()
    })
}

/// To a thousandth, as an instrument shows it.
pub(super) fn rounded(value: f64) -> f64 {
    (value * 1_000.0).round() / 1_000.0
}
