//! Holds the simulator against exact results of queues, lines and machines that fail.
//!
//! A reference file has cases of families; a family says what a case's parameters mean, so that any case of it can
//! be run. What is simulated is given with an interval that holds the true value with 99 %, all parts of a list
//! together; what follows without chance must be met to six digits.

mod closed;
mod lines;
mod moves;
mod params;
mod plans;
mod queues;
mod slots;
mod study;

use crate::statistics::Interval;
use params::Params;
use serde_json::Value;

/// A case of a reference file.
#[derive(Clone, Debug)]
pub struct Case {
    /// Its id in the file.
    pub id: String,
    /// The family that it is of.
    pub family: String,
    /// What is asked for.
    pub quantity: String,
    /// The exact value: a number or a list.
    pub exact: Value,
    model: String,
    params: Value,
}

/// What became of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// What follows without chance is the exact value to six digits.
    Exact,
    /// The interval holds the exact value.
    Agrees,
    /// It does not.
    Differs,
    /// The family or the quantity is none that can be simulated.
    Unsupported,
}

/// A case as it was found.
#[derive(Clone, Debug)]
pub struct Finding {
    /// What was found: a number or a list as the exact value is; null where nothing was.
    pub value: Value,
    /// Half the width of the interval of each number; null where there is no chance in it.
    pub half_width: Value,
    /// What became of it.
    pub verdict: Verdict,
    /// Why it is not supported; else empty.
    pub why: String,
}

/// How much work is put into a case.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// How wide half an interval may be, beside its value.
    pub relative: f64,
    /// After so many events no more are run, though the interval is wider.
    pub events_max: u64,
    /// How many threads work on it; results do not depend on them.
    pub threads: usize,
    /// What makes chance.
    pub seed: u64,
}

/// The confidence of all intervals.
pub const CONFIDENCE: f64 = 0.99;

/// An answer to a case.
enum Answer {
    Exact(Vec<f64>),
    Estimates(Vec<Interval>),
}

impl Verdict {
    /// Its name in a report.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Agrees => "agrees",
            Self::Differs => "differs",
            Self::Unsupported => "unsupported",
        }
    }
}

/// The cases of a reference file.
///
/// # Errors
///
/// A sentence that says which case lacks what.
pub fn cases(file: &Value) -> Result<Vec<Case>, String> {
    let cases = file.get("cases").and_then(Value::as_array);
    let cases = cases.ok_or("there is no list \"cases\" in it")?;
    let mut found: Vec<Case> = Vec::new();
    for (number, case) in (1..).zip(cases) {
        let text = |field: &str| {
            let text = case.get(field).and_then(Value::as_str);
            text.map(str::to_owned)
                .ok_or_else(|| format!("case {number} has no text \"{field}\""))
        };
        let mut model = text("model")?;
        let family = text("family")?;
        let same = found.iter().rfind(|earlier| earlier.family == family);
        if let Some(earlier) = same.filter(|_| model == "same") {
            model.clone_from(&earlier.model);
        }
        found.push(Case {
            id: text("id")?,
            family,
            quantity: text("quantity")?,
            exact: case
                .get("value")
                .cloned()
                .ok_or_else(|| format!("case {number} has no \"value\""))?,
            model,
            params: case.get("params").cloned().unwrap_or(Value::Null),
        });
    }
    Ok(found)
}

/// Runs a case.
#[must_use]
pub fn check(case: &Case, effort: &Effort) -> Finding {
    let found = answer(case, effort).and_then(|answer| {
        let exact = numbers(&case.exact).ok_or("its value is no number and no list of numbers")?;
        let found = match &answer {
            Answer::Exact(values) => values.len(),
            Answer::Estimates(intervals) => intervals.len(),
        };
        match found == exact.len() {
            true => Ok((answer, exact)),
            false => Err(format!(
                "its value has {} numbers, not {found}",
                exact.len()
            )),
        }
    });
    match found {
        Ok((Answer::Exact(values), exact)) => case.exactly(values, &exact),
        Ok((Answer::Estimates(intervals), exact)) => case.nearly(&intervals, &exact),
        Err(why) => Finding {
            value: Value::Null,
            half_width: Value::Null,
            verdict: Verdict::Unsupported,
            why,
        },
    }
}

impl Case {
    fn exactly(&self, values: Vec<f64>, exact: &[f64]) -> Finding {
        let near =
            |(value, exact): (&f64, &f64)| (value - exact).abs() <= 1e-6 * exact.abs().max(1e-3);
        let is_exact = values.iter().zip(exact).all(near);
        Finding {
            value: self.shape(values),
            half_width: Value::Null,
            verdict: if is_exact {
                Verdict::Exact
            } else {
                Verdict::Differs
            },
            why: String::new(),
        }
    }

    fn nearly(&self, intervals: &[Interval], exact: &[f64]) -> Finding {
        // The exact values of lists are given to eight digits.
        let holds = |(interval, exact): (&Interval, &f64)| {
            (interval.mean - exact).abs() <= interval.half_width + 1e-8
        };
        let agrees = intervals.iter().zip(exact).all(holds);
        Finding {
            value: self.shape(intervals.iter().map(|interval| interval.mean).collect()),
            half_width: self.shape(
                intervals
                    .iter()
                    .map(|interval| interval.half_width)
                    .collect(),
            ),
            verdict: if agrees {
                Verdict::Agrees
            } else {
                Verdict::Differs
            },
            why: String::new(),
        }
    }

    /// A number or a list, as the exact value is.
    fn shape(&self, values: Vec<f64>) -> Value {
        match &self.exact {
            Value::Array(_) => Value::from(values),
            _ => values.first().copied().map_or(Value::Null, Value::from),
        }
    }
}

fn answer(case: &Case, effort: &Effort) -> Result<Answer, String> {
    let params = Params(&case.params);
    let quantity = case.quantity.as_str();
    if case.family == "statistics" {
        return closed::statistics(&params, &case.model).map(Answer::Exact);
    }
    match case.family.as_str() {
        "gershwin-det" => return slots::transfer(&params, quantity, effort).map(Answer::Estimates),
        "bernoulli" => return slots::bernoulli(&params, quantity, effort).map(Answer::Estimates),
        "continuous-2m" => return slots::flow(&params, quantity, effort).map(Answer::Estimates),
        "output-variance" => {
            return moves::variance(&params, quantity, effort).map(Answer::Estimates);
        }
        "bottleneck" => return moves::bottleneck(&params, quantity, effort),
        _ => {}
    }
    let study = match case.family.as_str() {
        "mm1" | "mmc" | "mm1k" => queues::markov(&params, &case.model, quantity),
        "mg1" => queues::general(&params, quantity),
        "mg1-fail" => queues::failing(&params, quantity),
        "dm1" => queues::regular(&params, quantity),
        "priority" => queues::priority(&params, quantity),
        "batch" => queues::batch(&params, quantity),
        "rework" => queues::rework(&params, quantity),
        "jackson" => queues::tandem(&params, quantity),
        "repairmen" => queues::repairmen(&params, quantity),
        "conwip" => queues::cards(&params, quantity),
        "mm1-transient" => queues::transient(&params, quantity),
        "availability" => queues::availability(&params, quantity),
        "hb-balanced" | "exp-unbalanced" | "exp-parallel" | "exp-unreliable" | "erlang-lines"
        | "arrivals-lines" => lines::line(&params, quantity),
        "assembly" => lines::assembly(&params, quantity),
        "what-if" => plans::finished(&params, quantity),
        "time-to-starve" => queues::starving(&params, quantity),
        other => Err(format!("the family \"{other}\" is not known")),
    }?;
    study.run(effort).map(Answer::Estimates)
}

/// A number, or a list of them.
fn numbers(value: &Value) -> Option<Vec<f64>> {
    match value {
        Value::Array(values) => values.iter().map(Value::as_f64).collect(),
        value => value.as_f64().map(|value| vec![value]),
    }
}
