//! Studies between messages and the simulator's own types: defaults, checks, and what is wrong with them.

use super::evidence::Fork;
use crate::error::of_file;
use tonic::Status;
use werkbuch_sim::whatif::{
    Asked, Fitted, HORIZON_NS_MAX, InputError, Inputs, Outcome, REPLICATIONS_MAX, StudyError, Text,
    Tried,
};
use werkbuch_wire::pb;
use werkbuch_wire::reason::Reason;

/// A week, in nanoseconds.
const WINDOW_NS: u64 = 7 * 86_400 * 1_000_000_000;
/// Eight hours, in nanoseconds.
const HORIZON_NS: u64 = 8 * 3_600 * 1_000_000_000;
/// How often each case is run unless asked otherwise.
const REPLICATIONS: u32 = 20;
/// How many stations and parameters are tried unless asked otherwise.
const TRIED: u32 = 20;
/// The longest name of a request, in bytes.
const REQUEST_ID_BYTES_MAX: usize = 128;

/// A window as asked for, or a week.
pub(super) const fn window(ns: u64) -> u64 {
    match ns {
        0 => WINDOW_NS,
        ns => ns,
    }
}

/// Puts in what is left out.
pub(super) fn complete(study: &mut pb::Study) {
    study.window_ns = window(study.window_ns);
    if study.horizon_ns == 0 {
        study.horizon_ns = HORIZON_NS;
    }
    if study.replications == 0 {
        study.replications = REPLICATIONS;
    }
    if study.seed == 0 {
        study.seed = 1;
    }
    if study.most == 0 {
        study.most = TRIED;
    }
    if study.confidence == 0.0 {
        study.confidence = 0.95;
    }
}

/// Errors: `INVALID_REQUEST` with every field that is out of range.
pub(super) fn check(study: &pb::Study, request_id: &str) -> Result<(), Status> {
    let rules = [
        (
            study.horizon_ns > HORIZON_NS_MAX,
            "study.horizon_ns",
            "is longer than a year",
        ),
        (
            study.window_ns > HORIZON_NS_MAX,
            "study.window_ns",
            "is longer than a year",
        ),
        (
            !(2..=REPLICATIONS_MAX).contains(&study.replications),
            "study.replications",
            "lies outside of 2 to 100,000: of one alone no interval is known",
        ),
        (
            study
                .precision
                .is_some_and(|one| !(1e-5..1.0).contains(&one)),
            "study.precision",
            "is no share between 0.00001 and 1",
        ),
        (
            !(study.confidence > 0.5 && study.confidence < 1.0),
            "study.confidence",
            "does not lie between 0.5 and 1",
        ),
        (
            !is_share(study.sensitivity),
            "study.sensitivity",
            "is no share between 0 and 1",
        ),
        (
            !is_share(study.tornado),
            "study.tornado",
            "is no share between 0 and 1",
        ),
        (
            request_id.len() > REQUEST_ID_BYTES_MAX,
            "request_id",
            "has more than 128 bytes",
        ),
    ];
    let broken = rules.iter().filter(|(is_broken, ..)| *is_broken);
    let fields: Vec<(String, String)> = broken
        .map(|(_, field, what)| ((*field).to_owned(), (*what).to_owned()))
        .collect();
    match fields.first() {
        None => Ok(()),
        Some((field, what)) => {
            let text = format!("{field} {what}");
            Err(Reason::InvalidRequest.violations(text, fields))
        }
    }
}

fn is_share(share: Option<f64>) -> bool {
    share.is_none_or(|share| share > 0.0 && share < 1.0)
}

pub(super) fn text(file: &pb::StudyFile) -> Text {
    Text {
        file: file.file_name.clone(),
        content: file.content.clone(),
    }
}

/// The description that a fork begins with.
pub(super) fn described(fork: &Fork) -> Text {
    Text {
        file: fork.plant.id().to_string(),
        content: fork.content.clone(),
    }
}

/// What a study of a fork is made of.
pub(super) fn inputs(study: &pb::Study, fork: &Fork) -> Inputs {
    Inputs {
        plant: described(fork),
        tables: Vec::new(),
        behaviour: study.behaviour.as_ref().map(text),
        scenarios: study.scenarios.iter().map(text).collect(),
        start_ns: fork.at().nanos(),
        asked: Asked {
            horizon_ns: study.horizon_ns,
            replications: study.replications,
            precision: study.precision,
            seed: study.seed,
            confidence: study.confidence,
            target: study.target,
            tried: Tried {
                sensitivity: study.sensitivity,
                tornado: study.tornado,
                most: study.most,
            },
        },
    }
}

/// Errors: mistakes of the files, a plant that cannot be simulated.
pub(super) fn fits(inputs: &Inputs) -> Result<(), Status> {
    let (model, _) = inputs.model(None).map_err(|error| refused(&error))?;
    let scenarios = inputs.scenarios(&model);
    scenarios.map(|_| ()).map_err(|error| refused(&error))
}

/// What a caller is told.
pub(super) fn refused(error: &InputError) -> Status {
    match error {
        InputError::Description(mistakes) => {
            of_file(Reason::InvalidPlantFile, "plant's description", mistakes)
        }
        InputError::Behaviour(mistakes) => of_file(Reason::InvalidRequest, "model", mistakes),
        InputError::Scenarios(mistakes) => of_file(Reason::InvalidRequest, "scenario", mistakes),
        other => Reason::InvalidRequest.status(other.to_string()),
    }
}

/// Why a run came to nothing, in a word that does not change.
pub(super) const fn reason(error: &InputError) -> &'static str {
    match error {
        InputError::Study(StudyError::Deadlock(_)) => "DEADLOCK",
        InputError::Study(StudyError::Cancelled { .. }) => "CANCELLED",
        _ => "INVALID_REQUEST",
    }
}

/// A row of the review sheet.
pub(super) fn fitted(fit: &Fitted) -> pb::FittedTime {
    pb::FittedTime {
        machine: fit.machine.clone(),
        what: fit.what.to_owned(),
        distribution: fit.distribution.to_string(),
        mean_s: fit.distribution.mean_s(),
        values: fit.values as u64,
        censored: fit.censored as u64,
        ks_distance: fit.ks_distance,
        basis: fit.basis.clone(),
    }
}

/// A run for a list: without the contents of its files, and without what was measured.
pub(super) fn short(mut run: pb::Run) -> pb::Run {
    if let Some(study) = &mut run.study {
        let files = study.scenarios.iter_mut().chain(&mut study.behaviour);
        files.for_each(|file| file.content.clear());
    }
    run.measures.clear();
    run.differences.clear();
    run
}

/// Puts what came out into a run, in short.
pub(super) fn sum_up(run: &mut pb::Run, found: &Outcome) {
    for case in &found.cases {
        run.measures
            .extend(case.measures.iter().map(|one| pb::RunMeasure {
                case: case.name.clone(),
                measure: one.name.clone(),
                unit: one.unit.to_owned(),
                mean: one.interval.mean,
                half_width: one.interval.half_width,
                p10: one.quantiles[0],
                p50: one.quantiles[1],
                p90: one.quantiles[2],
            }));
    }
    run.differences
        .extend(found.differences.iter().map(|one| pb::RunDifference {
            scenario: one.scenario.clone(),
            measure: one.measure.clone(),
            unit: one.unit.to_owned(),
            mean: one.interval.mean,
            half_width: one.interval.half_width,
            p: one.p,
            distinguishable: one.is_distinguishable,
        }));
}
