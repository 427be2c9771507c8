//! How much more comes out when one station works a little faster: the bottleneck by its definition.
//!
//! Every station in turn works by a share faster, with the same chance as the case itself, and the outputs are held
//! against each other pair by pair. The elasticity is per cent of output for each per cent of speed: 1 where one
//! station alone sets the pace, 0 where a faster station brings nothing (Kuo, Lim and Meerkov 1996, Mathematical
//! Problems in Engineering 2: the machine with the greatest is the bottleneck).

use super::change::{Change, Times, What};
use super::model::Model;
use super::outcome::Outcome;
use super::scenario::Scenario;
use super::study::{Effort, Progress, StudyError, outputs};
use crate::statistics::{Interval, holm, mean_interval, p_value};
use serde_json::{Value, json};

/// The stations of a case, the one that brings most first.
#[derive(Clone, Debug, PartialEq)]
pub struct Sensitivity {
    /// The case.
    pub case: String,
    /// By which share each station worked faster.
    pub faster: f64,
    /// How many stations there are; those that were busiest were tried.
    pub of: usize,
    /// Those that were tried.
    pub stations: Vec<StationSensitivity>,
}

/// What a station brings.
#[derive(Clone, Debug, PartialEq)]
pub struct StationSensitivity {
    /// The machine that it is.
    pub machine: String,
    /// Per cent of output for each per cent of speed; not a number where nothing comes out.
    pub elasticity: Interval,
    /// How likely so great a difference is where there is none, held against all stations that were tried (Holm).
    pub p: f64,
    /// Whether it can be told from none.
    pub is_distinguishable: bool,
}

/// Tries the busiest stations of every case of a study: `faster` is the share by which each works faster, `most` how
/// many are tried. What is simulated is as much as `found` is made of.
///
/// # Errors
///
/// [`StudyError`].
pub fn sensitivity(
    model: &Model,
    scenarios: &[Scenario],
    (found, effort): (&Outcome, &Effort),
    (faster, most): (f64, usize),
    on: &(dyn Fn(Progress) -> bool + Sync),
) -> Result<Vec<Sensitivity>, StudyError> {
    if !(1e-4..=1.0).contains(&faster) {
        let what = "a station works faster by a share between 0.01% and 100%";
        return Err(StudyError::Asked(what.to_owned()));
    }
    let baseline = Scenario::baseline();
    let cases = std::iter::once(&baseline).chain(scenarios);
    let mut all = Vec::new();
    for (scenario, outcome) in cases.zip(&found.cases) {
        let mut tried: Vec<usize> = (0..model.layout.stations.len()).collect();
        let busy = |at: usize| outcome.stations.get(at).map_or(0.0, |one| one.busy());
        tried.sort_by(|a, b| busy(*b).total_cmp(&busy(*a)));
        tried.truncate(most);
        let mut made = vec![scenario.clone()];
        made.extend(
            tried
                .iter()
                .map(|at| hastened(model, scenario, *at, faster)),
        );
        let made: Vec<&Scenario> = made.iter().collect();
        let as_much = Effort {
            replications: u32::try_from(found.replications).unwrap_or(u32::MAX),
            ..effort.clone()
        };
        let outputs = outputs(model, &made, &as_much, on)?;
        let names = tried.iter().map(|at| {
            let station = outcome.stations.get(*at);
            station.map(|one| one.machine.clone()).unwrap_or_default()
        });
        all.push(Sensitivity {
            case: scenario.name.clone(),
            faster,
            of: model.layout.stations.len(),
            stations: ranked(names.collect(), &outputs, (faster, effort.confidence)),
        });
    }
    Ok(all)
}

/// A scenario in which a station works faster all the time.
fn hastened(model: &Model, scenario: &Scenario, station: usize, faster: f64) -> Scenario {
    let machine = model.layout.stations.get(station).map(|one| one.machine);
    let what = What::Cycle {
        machines: machine.into_iter().collect(),
        times: Times::Factor(1.0 / (1.0 + faster)),
    };
    let mut made = scenario.clone();
    made.changes.push(Change::made("cycle", what));
    made
}

/// The first of the outputs are those of the case itself.
fn ranked(
    names: Vec<String>,
    outputs: &[Vec<f64>],
    (faster, confidence): (f64, f64),
) -> Vec<StationSensitivity> {
    let Some((base, others)) = outputs.split_first() else {
        return Vec::new();
    };
    let mean = base.iter().sum::<f64>() / base.len().max(1) as f64;
    let ps: Vec<f64> = others.iter().map(|one| p_value(one, base)).collect();
    let all = names.into_iter().zip(others).zip(holm(&ps));
    let all = all.map(|((machine, one), p)| {
        let shares = one
            .iter()
            .zip(base)
            .map(|(one, base)| (one - base) / mean / faster);
        StationSensitivity {
            machine,
            elasticity: mean_interval(&shares.collect::<Vec<_>>(), confidence),
            p,
            is_distinguishable: p < 1.0 - confidence,
        }
    });
    let mut all: Vec<StationSensitivity> = all.collect();
    all.sort_by(|a, b| b.elasticity.mean.total_cmp(&a.elasticity.mean));
    all
}

impl Sensitivity {
    /// For programs.
    pub(super) fn to_json(&self) -> Value {
        let stations = self.stations.iter().map(|one| {
            json!({
                "machine": one.machine,
                "elasticity": one.elasticity.mean,
                "half_width": one.elasticity.half_width,
                "p": one.p,
                "distinguishable": one.is_distinguishable,
            })
        });
        json!({
            "case": self.case,
            "faster": self.faster,
            "shown": self.stations.len(),
            "total": self.of,
            "stations": stations.collect::<Vec<_>>(),
        })
    }
}
