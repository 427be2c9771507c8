//! What a study says: each case by itself, and how far it is from the baseline.

use super::collect::{Collected, FINE, STATES, WINDOWS};
use super::model::Model;
use super::recovery::{Loss, losses};
use super::scenario::Scenario;
use super::sensitivity::Sensitivity;
use super::study::Effort;
use super::tornado::Tornado;
use crate::statistics::{Interval, holm, mean_interval, p_value, paired_interval, wilson};
use serde_json::{Value, json};
use werkbuch_model::event::State;

/// What a study says.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The plant.
    pub plant: String,
    /// How long each run was, in nanoseconds.
    pub horizon_ns: u64,
    /// The seed.
    pub seed: u64,
    /// How many times each case was run.
    pub replications: usize,
    /// How often intervals hold the true value.
    pub confidence: f64,
    /// The baseline first, then the scenarios.
    pub cases: Vec<CaseOutcome>,
    /// Scenarios beside the baseline, for every measure.
    pub differences: Vec<Difference>,
    /// What each scenario costs against the baseline in parts and in time.
    pub losses: Vec<Loss>,
    /// Of each case what a station that works faster brings; empty where it was not asked for.
    pub sensitivity: Vec<Sensitivity>,
    /// What output depends on; absent where it was not asked for.
    pub tornado: Option<Tornado>,
    /// Whether parameters were drawn anew in each replication, since the data leave them open.
    pub is_uncertain: bool,
    /// What was taken for granted.
    pub assumptions: Vec<String>,
    /// How much happened in all runs together.
    pub events: u64,
}

/// One case.
#[derive(Clone, Debug, PartialEq)]
pub struct CaseOutcome {
    /// Its name.
    pub name: String,
    /// What was measured.
    pub measures: Vec<Measured>,
    /// Parts finished by the end of each window of the horizon: mean, 10 %, 50 % and 90 % of the runs.
    pub curve: Vec<[f64; 4]>,
    /// The stations.
    pub stations: Vec<StationOutcome>,
    /// The number of the replication in the middle of all by output.
    pub median_run: u32,
    /// The number of a bad replication: a tenth of them finish fewer parts.
    pub bad_run: u32,
    /// The probability that the target is met, with its interval; absent without a target.
    pub target: Option<(f64, f64, f64)>,
}

/// A measure over all replications.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// What: `output`, `output of P`, `parts per hour`, `scrap`, `wip`, `lead time P50`, ...
    pub name: String,
    /// Its unit: `parts`, `parts/h`, `s`.
    pub unit: &'static str,
    /// The mean with the interval in which simulating more would leave it.
    pub interval: Interval,
    /// 10 %, 50 % and 90 % of the runs lie below.
    pub quantiles: [f64; 3],
    /// The value of each replication; not a number where a run has none.
    pub values: Vec<f64>,
}

/// A station over all replications.
#[derive(Clone, Debug, PartialEq)]
pub struct StationOutcome {
    /// The machine that it is.
    pub machine: String,
    /// The share of time in each state that occurs; they sum to 1.
    pub shares: Vec<(State, f64)>,
    /// The share of time in which it held up the others: the longest active period (Roser).
    pub bottleneck: f64,
    /// When it first waits for a part.
    pub starves: First,
    /// When it first has no room for its part.
    pub blocks: First,
}

/// When something comes about for the first time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct First {
    /// The share of the runs in which it does.
    pub share: f64,
    /// The middle of the times of these runs, in seconds from the start; not a number where there is none.
    pub after_s: f64,
}

/// A scenario beside the baseline: scenario less baseline, pair by pair.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// The scenario.
    pub scenario: String,
    /// What was measured.
    pub measure: String,
    /// Its unit.
    pub unit: &'static str,
    /// The mean difference with its interval.
    pub interval: Interval,
    /// How likely so great a difference is where there is none, held against all scenarios (Holm).
    pub p: f64,
    /// Whether it can be told from none.
    pub is_distinguishable: bool,
}

/// Sums up the runs; each run has the cases in their order.
pub(super) fn summarize(
    model: &Model,
    scenarios: &[&Scenario],
    runs: &[Vec<Collected>],
    effort: &Effort,
) -> Outcome {
    let of_case =
        |at: usize| -> Vec<&Collected> { runs.iter().filter_map(|run| run.get(at)).collect() };
    let outcomes = scenarios.iter().enumerate().map(|(at, scenario)| {
        let runs = of_case(at);
        CaseOutcome {
            name: scenario.name.clone(),
            measures: measures(model, &runs, effort),
            curve: curve(&runs),
            stations: stations(model, &runs),
            median_run: of_rank(&runs, 0.5),
            bad_run: of_rank(&runs, 0.1),
            target: effort.target.map(|target| {
                let met = runs.iter().filter(|run| run.finished() >= target).count();
                wilson(met as u64, runs.len() as u64, effort.confidence)
            }),
        }
    });
    let outcomes: Vec<CaseOutcome> = outcomes.collect();
    Outcome {
        plant: model.plant.clone(),
        horizon_ns: effort.horizon_ns,
        seed: effort.seed,
        replications: runs.len(),
        confidence: effort.confidence,
        differences: differences(&outcomes, effort.confidence),
        cases: outcomes,
        losses: losses(scenarios, runs, effort),
        sensitivity: Vec::new(),
        tornado: None,
        is_uncertain: !model.uncertain.is_empty(),
        assumptions: model.assumptions.clone(),
        events: runs.iter().flatten().map(|run| run.events).sum(),
    }
}

/// The number of the run below whose output such a share of the runs lies.
fn of_rank(runs: &[&Collected], share: f64) -> u32 {
    let outputs = runs.iter().map(|run| run.finished());
    let mut order: Vec<(u64, u32)> = outputs.zip(0..).collect();
    order.sort_unstable();
    let rank = (order.len().saturating_sub(1) as f64 * share).floor() as usize;
    order.get(rank).map_or(0, |(_, number)| *number)
}

fn measures(model: &Model, runs: &[&Collected], effort: &Effort) -> Vec<Measured> {
    let hours = effort.horizon_ns as f64 / 3.6e12;
    let mut all = Vec::new();
    let mut add = |name: String, unit: &'static str, of: &dyn Fn(&Collected) -> f64| {
        let values: Vec<f64> = runs.iter().map(|run| of(run)).collect();
        all.push(measured(name, unit, values, effort.confidence));
    };
    add("output".to_owned(), "parts", &|run| run.finished() as f64);
    let products = model.layout.products.iter().enumerate();
    let finish: Vec<(usize, &String)> = products
        .filter(|(at, _)| {
            runs.iter()
                .any(|run| run.products.get(*at).is_some_and(|one| one[0] > 0))
        })
        .map(|(at, one)| (at, &one.id))
        .collect();
    for (at, id) in finish.iter().filter(|_| finish.len() > 1) {
        add(format!("output of {id}"), "parts", &|run| {
            run.products.get(*at).map_or(0.0, |one| one[0] as f64)
        });
    }
    add("parts per hour".to_owned(), "parts/h", &|run| {
        run.finished() as f64 / hours
    });
    add("scrap".to_owned(), "parts", &|run| {
        run.products.iter().map(|one| one[1] as f64).sum()
    });
    add("wip".to_owned(), "parts", &|run| {
        run.wip_ns as f64 / effort.horizon_ns as f64
    });
    for (name, share) in [("P50", 0.5), ("P90", 0.9), ("P95", 0.95)] {
        add(format!("lead time {name}"), "s", &|run| {
            let at = (run.lead_ns.len() as f64 * share).ceil() as usize;
            let found = run.lead_ns.get(at.saturating_sub(1));
            found.map_or(f64::NAN, |ns| *ns as f64 / 1e9)
        });
    }
    all
}

pub(super) fn measured(
    name: String,
    unit: &'static str,
    values: Vec<f64>,
    confidence: f64,
) -> Measured {
    let mut known: Vec<f64> = values
        .iter()
        .copied()
        .filter(|value| !value.is_nan())
        .collect();
    let interval = mean_interval(&known, confidence);
    known.sort_by(f64::total_cmp);
    Measured {
        name,
        unit,
        interval,
        quantiles: [0.1, 0.5, 0.9].map(|share| quantile(&known, share)),
        values,
    }
}

/// Of sorted values, between the two that lie around it (Hyndman and Fan 1996, The American Statistician 50:
/// definition 7).
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * sorted.len().saturating_sub(1) as f64;
    let (below, part) = (place.floor() as usize, place.fract());
    let Some(low) = sorted.get(below) else {
        return f64::NAN;
    };
    let high = sorted.get(below + 1).unwrap_or(low);
    low + (high - low) * part
}

fn curve(runs: &[&Collected]) -> Vec<[f64; 4]> {
    let at = |window: usize| {
        let end = (window + 1) * (FINE / WINDOWS) - 1;
        let counts = runs.iter().filter_map(|run| run.curve.get(end));
        let mut counts: Vec<f64> = counts.map(|count| *count as f64).collect();
        counts.sort_by(f64::total_cmp);
        let mean = counts.iter().sum::<f64>() / counts.len().max(1) as f64;
        let [low, middle, high] = [0.1, 0.5, 0.9].map(|share| quantile(&counts, share));
        [mean, low, middle, high]
    };
    (0..WINDOWS).map(at).collect()
}

fn stations(model: &Model, runs: &[&Collected]) -> Vec<StationOutcome> {
    let all = model.layout.stations.iter().enumerate();
    let one = |(at, station): (usize, &crate::layout::Station)| {
        let mut sums = [0_u128; STATES];
        let mut momentary = 0_u128;
        for run in runs {
            let times = run.states.get(at).copied().unwrap_or_default();
            for (sum, ns) in sums.iter_mut().zip(times) {
                *sum += u128::from(ns);
            }
            momentary += u128::from(run.momentary_ns.get(at).copied().unwrap_or(0));
        }
        let whole = sums.iter().sum::<u128>().max(1) as f64;
        let shares = sums.iter().zip(0_u32..).filter(|(ns, _)| **ns > 0);
        let shares = shares.map(|(ns, code)| {
            (
                State::from_code(code).unwrap_or_default(),
                *ns as f64 / whole,
            )
        });
        let machine = model.layout.machines.get(station.machine);
        StationOutcome {
            machine: machine.map(|one| one.id.clone()).unwrap_or_default(),
            shares: shares.collect(),
            bottleneck: momentary as f64 / whole,
            starves: first(runs, at, 0),
            blocks: first(runs, at, 1),
        }
    };
    all.map(one).collect()
}

/// When a station first starves (0) or is first blocked (1).
fn first(runs: &[&Collected], station: usize, which: usize) -> First {
    let times = runs
        .iter()
        .filter_map(|run| run.first_ns.get(station)?[which]);
    let mut times: Vec<f64> = times.map(|ns| ns as f64 / 1e9).collect();
    times.sort_by(f64::total_cmp);
    First {
        share: times.len() as f64 / runs.len().max(1) as f64,
        after_s: quantile(&times, 0.5),
    }
}

fn differences(cases: &[CaseOutcome], confidence: f64) -> Vec<Difference> {
    let Some((baseline, scenarios)) = cases.split_first() else {
        return Vec::new();
    };
    let mut all = Vec::new();
    for (at, base) in baseline.measures.iter().enumerate() {
        let of = |case: &CaseOutcome| -> Option<(Interval, f64)> {
            let other = case.measures.iter().find(|one| one.name == base.name)?;
            let pairs = other.values.iter().zip(&base.values);
            let pairs = pairs.filter(|(a, b)| !a.is_nan() && !b.is_nan());
            let (a, b): (Vec<f64>, Vec<f64>) = pairs.unzip();
            Some((paired_interval(&a, &b, confidence), p_value(&a, &b)))
        };
        let found: Vec<_> = scenarios.iter().map(of).collect();
        let ps: Vec<f64> = found
            .iter()
            .map(|one| one.map_or(1.0, |(_, p)| p))
            .collect();
        for ((case, one), p) in scenarios.iter().zip(found).zip(holm(&ps)) {
            let Some((interval, _)) = one else { continue };
            all.push((
                at,
                Difference {
                    scenario: case.name.clone(),
                    measure: base.name.clone(),
                    unit: base.unit,
                    interval,
                    p,
                    is_distinguishable: p < 1.0 - confidence,
                },
            ));
        }
    }
    // Scenario by scenario, each with its measures in their order.
    let place = |one: &Difference| scenarios.iter().position(|case| case.name == one.scenario);
    all.sort_by_key(|(at, one)| (place(one), *at));
    all.into_iter().map(|(_, one)| one).collect()
}

impl Outcome {
    /// All of it, for programs. Numbers that there are not are null.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let interval = |one: &Interval| json!({ "mean": one.mean, "half_width": one.half_width });
        let cases = self.cases.iter().map(|case| {
            let measures = case.measures.iter().map(|one| {
                json!({
                    "name": one.name,
                    "unit": one.unit,
                    "mean": one.interval.mean,
                    "half_width": one.interval.half_width,
                    "p10": one.quantiles[0],
                    "p50": one.quantiles[1],
                    "p90": one.quantiles[2],
                    "values": one.values,
                })
            });
            let stations = case.stations.iter().map(StationOutcome::to_json);
            let curve = case.curve.iter().map(|[mean, low, middle, high]| {
                json!({ "mean": mean, "p10": low, "p50": middle, "p90": high })
            });
            let target = case
                .target
                .map(|(share, low, high)| json!({ "probability": share, "from": low, "to": high }));
            json!({
                "name": case.name,
                "measures": measures.collect::<Vec<_>>(),
                "output_curve": curve.collect::<Vec<_>>(),
                "stations": stations.collect::<Vec<_>>(),
                "bottleneck": case.bottleneck().map(|one| {
                    json!({ "machine": one.machine, "share": one.bottleneck })
                }),
                "uncertainty": self.uncertainty(case),
                "median_run": case.median_run,
                "bad_run": case.bad_run,
                "target": target,
            })
        });
        let differences = self.differences.iter().map(|one| {
            json!({
                "scenario": one.scenario,
                "measure": one.measure,
                "unit": one.unit,
                "difference": interval(&one.interval),
                "p": one.p,
                "distinguishable": one.is_distinguishable,
            })
        });
        json!({
            "plant": self.plant,
            "horizon_s": self.horizon_ns as f64 / 1e9,
            "seed": self.seed,
            "replications": self.replications,
            "confidence": self.confidence,
            "cases": cases.collect::<Vec<_>>(),
            "differences": differences.collect::<Vec<_>>(),
            "losses": self.losses.iter().map(Loss::to_json).collect::<Vec<_>>(),
            "sensitivity": self.sensitivity.iter().map(Sensitivity::to_json).collect::<Vec<_>>(),
            "tornado": self.tornado.as_ref().map(Tornado::to_json),
            "is_uncertain": self.is_uncertain,
            "assumptions": self.assumptions,
            "events": self.events,
        })
    }
}

impl StationOutcome {
    /// For programs.
    fn to_json(&self) -> Value {
        let shares = self
            .shares
            .iter()
            .map(|(state, share)| (state.name().to_owned(), json!(share)));
        let first = |one: &First| json!({ "share": one.share, "after_s": one.after_s });
        json!({
            "machine": self.machine,
            "shares": Value::Object(shares.collect()),
            "bottleneck": self.bottleneck,
            "starves": first(&self.starves),
            "blocks": first(&self.blocks),
        })
    }
}
