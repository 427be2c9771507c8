//! Holds the simulator against exact results of queues, lines and machines that fail.
//!
//! A reference file has cases of families; a family says what a case's parameters mean, so that any case of it can
//! be run. What is simulated is given with an interval that holds the true value with 99 %, all parts of a list
//! together; what follows without chance must be met to six digits.

mod allocation;
mod chains;
mod closed;
mod lines;
mod moves;
mod params;
mod plans;
mod queues;
mod slots;
mod study;
mod supply;
#[cfg(test)]
mod tests;
mod traces;

use crate::statistics::Interval;
use params::Params;
use serde_json::Value;
use std::cmp::Ordering;

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
    /// The models of the family before it in the file.
    earlier: Vec<String>,
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
    /// Lists that were looked for, in ascending order, which is of no meaning.
    Lists(Vec<Vec<u32>>),
}

/// A number as a reference file tells it.
#[derive(Clone, Copy)]
enum Told {
    Number(f64),
    /// It lies between the two.
    Between(f64, f64),
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
        let mut params = case.get("params").cloned().unwrap_or(Value::Null);
        let mut earlier = Vec::new();
        if let Some(before) = found.iter().rfind(|before| before.family == family) {
            earlier.clone_from(&before.earlier);
            if model == "same" {
                model.clone_from(&before.model);
                // The same model without parameters has the same ones.
                if params.as_object().is_none_or(serde_json::Map::is_empty) {
                    params.clone_from(&before.params);
                }
            } else {
                earlier.push(before.model.clone());
            }
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
            earlier,
            params,
        });
    }
    Ok(found)
}

/// Runs a case. Each has chance of its own, so that what is bad luck for one is none for the next.
#[must_use]
pub fn check(case: &Case, effort: &Effort) -> Finding {
    let effort = Effort {
        seed: seed_of(&case.id, effort.seed),
        ..*effort
    };
    let found = answer(case, &effort).and_then(|answer| case.judge(answer));
    found.unwrap_or_else(|why| Finding {
        value: Value::Null,
        half_width: Value::Null,
        verdict: Verdict::Unsupported,
        why,
    })
}

/// A seed for a name, other than that for any other (FNV-1a of 64 bits, begun at the seed).
fn seed_of(name: &str, seed: u64) -> u64 {
    let begin = seed ^ 0xCBF2_9CE4_8422_2325;
    name.bytes().fold(begin, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3)
    })
}

impl Case {
    fn judge(&self, answer: Answer) -> Result<Finding, String> {
        let fits = |found: usize, told: Vec<Told>| match found == told.len() {
            true => Ok(told),
            false => Err(format!("its value has {} numbers, not {found}", told.len())),
        };
        let told = || {
            told(&self.exact)
                .ok_or_else(|| "its value is no number and no list of numbers".to_owned())
        };
        match answer {
            Answer::Exact(values) => {
                let told = fits(values.len(), told()?)?;
                Ok(self.exactly(values, &told))
            }
            Answer::Estimates(intervals) => {
                let told = fits(intervals.len(), told()?)?;
                Ok(self.nearly(&intervals, &told))
            }
            Answer::Lists(lists) => self.among(lists),
        }
    }

    fn exactly(&self, values: Vec<f64>, told: &[Told]) -> Finding {
        let near = |(value, told): (&f64, &Told)| match *told {
            Told::Number(exact) => (value - exact).abs() <= 1e-6 * exact.abs().max(1e-3),
            Told::Between(least, most) => (least..=most).contains(value),
        };
        let is_exact = values.iter().zip(told).all(near);
        self.finding(values, None, (Verdict::Exact, is_exact))
    }

    fn nearly(&self, intervals: &[Interval], told: &[Told]) -> Finding {
        // The exact values of lists are given to eight digits.
        let holds = |(interval, told): (&Interval, &Told)| {
            let (least, most) = match *told {
                Told::Number(exact) => (exact, exact),
                Told::Between(least, most) => (least, most),
            };
            let width = interval.half_width + 1e-8;
            (least - width..=most + width).contains(&interval.mean)
        };
        let agrees = intervals.iter().zip(told).all(holds);
        let means = intervals.iter().map(|interval| interval.mean).collect();
        let widths = intervals.iter().map(|interval| interval.half_width);
        self.finding(means, Some(widths.collect()), (Verdict::Agrees, agrees))
    }

    fn among(&self, lists: Vec<Vec<u32>>) -> Result<Finding, String> {
        let no_lists = || "its value is no list of lists of numbers".to_owned();
        let exact = self.exact.as_array().ok_or_else(no_lists)?;
        // One alone may be told as itself.
        let exact: Option<Vec<_>> = match numbers(&self.exact) {
            Some(one) => Some(vec![one]),
            None => exact.iter().map(numbers).collect(),
        };
        let mut exact = exact.ok_or_else(no_lists)?;
        exact.sort_by(|a, b| a.iter().partial_cmp(b).unwrap_or(Ordering::Equal));
        let same = |(list, exact): (&Vec<u32>, &Vec<f64>)| {
            list.len() == exact.len()
                && list
                    .iter()
                    .zip(exact)
                    .all(|(one, exact)| f64::from(*one) == *exact)
        };
        let is_exact = lists.len() == exact.len() && lists.iter().zip(&exact).all(same);
        let found = self.finding(Vec::new(), None, (Verdict::Exact, is_exact));
        Ok(Finding {
            value: Value::from(lists.into_iter().map(Value::from).collect::<Vec<_>>()),
            ..found
        })
    }

    fn finding(
        &self,
        values: Vec<f64>,
        half_widths: Option<Vec<f64>>,
        (verdict, holds): (Verdict, bool),
    ) -> Finding {
        Finding {
            value: self.shape(values),
            half_width: half_widths.map_or(Value::Null, |widths| self.shape(widths)),
            verdict: match holds {
                true => verdict,
                false => Verdict::Differs,
            },
            why: String::new(),
        }
    }

    /// A number or a list, as the exact value is.
    fn shape(&self, values: Vec<f64>) -> Value {
        match (&self.exact, values.as_slice()) {
            (Value::Array(_), _) => Value::from(values),
            (_, [one]) => Value::from(*one),
            _ => Value::from(values),
        }
    }
}

fn answer(case: &Case, effort: &Effort) -> Result<Answer, String> {
    let params = Params(&case.params);
    let quantity = case.quantity.as_str();
    let exact = |values: Result<Vec<f64>, String>| values.map(Answer::Exact);
    let estimates = |found: Result<Vec<Interval>, String>| found.map(Answer::Estimates);
    match case.family.as_str() {
        "statistics" => return exact(closed::statistics(&params, &case.model)),
        "fitting" => return exact(closed::fitting(&params, &case.model, quantity)),
        "supply-ttr-tts" => return exact(supply::outage(&params, quantity)),
        "flow-shop" => return exact(traces::shop(&params, quantity)),
        "manpy-published" => {
            let models = (case.model.as_str(), case.earlier.as_slice());
            return exact(chains::chain(&params, models, quantity));
        }
        "gershwin-det" => return estimates(slots::transfer(&params, quantity, effort)),
        "bernoulli" => return estimates(slots::bernoulli(&params, quantity, effort)),
        "continuous-2m" => return estimates(slots::flow(&params, quantity, effort)),
        "output-variance" => return estimates(moves::variance(&params, quantity, effort)),
        "inventory" => return estimates(supply::stock(&params, quantity, effort)),
        "bottleneck" => return moves::bottleneck(&params, quantity, effort),
        "buffer-allocation" => return allocation::best(&params, quantity, effort),
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

/// The numbers of a value: one, a list, or a text of ranges such as "49.99 < x < 50.01 ; 26.9 < x < 26.91".
fn told(value: &Value) -> Option<Vec<Told>> {
    let Value::String(text) = value else {
        return Some(numbers(value)?.into_iter().map(Told::Number).collect());
    };
    let one = |range: &str| {
        let ends: Vec<&str> = range.split('<').map(str::trim).collect();
        match *ends {
            [least, _, most] => Some(Told::Between(least.parse().ok()?, most.parse().ok()?)),
            [number] => number.parse().ok().map(Told::Number),
            _ => None,
        }
    };
    text.split([';', ',']).map(one).collect()
}
