//! What a study says, read back from what programs are told.

use super::outcome::{CaseOutcome, Difference, First, Measured, Outcome, StationOutcome};
use crate::statistics::Interval;
use serde_json::Value;
use werkbuch_model::event::State;

/// The units that are told.
const UNITS: [&str; 3] = ["parts", "parts/h", "s"];

impl Outcome {
    /// Reads what [`Outcome::to_json`] tells; nothing where it is told otherwise. A number that there is not is
    /// null there and no number here; an interval without bound comes back as one that is not known.
    #[must_use]
    pub fn from_json(told: &Value) -> Option<Self> {
        Some(Self {
            plant: text(told, "plant")?,
            horizon_ns: (number(told, "horizon_s") * 1e9).round() as u64,
            seed: told.get("seed")?.as_u64()?,
            replications: usize::try_from(told.get("replications")?.as_u64()?).ok()?,
            confidence: number(told, "confidence"),
            cases: list(told, "cases", case)?,
            differences: list(told, "differences", difference)?,
            assumptions: list(told, "assumptions", |one| Some(one.as_str()?.to_owned()))?,
            events: told.get("events")?.as_u64()?,
        })
    }
}

fn list<T>(of: &Value, key: &str, one: impl Fn(&Value) -> Option<T>) -> Option<Vec<T>> {
    of.get(key)?.as_array()?.iter().map(one).collect()
}

fn text(of: &Value, key: &str) -> Option<String> {
    Some(of.get(key)?.as_str()?.to_owned())
}

fn unit(of: &Value) -> Option<&'static str> {
    let told = of.get("unit")?.as_str()?;
    UNITS.iter().copied().find(|unit| *unit == told)
}

fn number(of: &Value, key: &str) -> f64 {
    of.get(key).and_then(Value::as_f64).unwrap_or(f64::NAN)
}

fn interval(of: &Value) -> Interval {
    Interval {
        mean: number(of, "mean"),
        half_width: number(of, "half_width"),
    }
}

fn case(of: &Value) -> Option<CaseOutcome> {
    let point = |one: &Value| Some(["mean", "p10", "p50", "p90"].map(|key| number(one, key)));
    let target = of.get("target").filter(|one| !one.is_null());
    let bounds = |one: &Value| {
        let [share, from, to] = ["probability", "from", "to"].map(|key| number(one, key));
        (share, from, to)
    };
    Some(CaseOutcome {
        name: text(of, "name")?,
        measures: list(of, "measures", measured)?,
        curve: list(of, "output_curve", point)?,
        stations: list(of, "stations", station)?,
        target: target.map(bounds),
    })
}

fn measured(of: &Value) -> Option<Measured> {
    Some(Measured {
        name: text(of, "name")?,
        unit: unit(of)?,
        interval: interval(of),
        quantiles: ["p10", "p50", "p90"].map(|key| number(of, key)),
        values: list(of, "values", |one| Some(one.as_f64().unwrap_or(f64::NAN)))?,
    })
}

fn station(of: &Value) -> Option<StationOutcome> {
    let shares = of.get("shares")?.as_object()?.iter();
    let share = |(name, share): (&String, &Value)| Some((State::from_name(name)?, share.as_f64()?));
    let mut shares: Vec<(State, f64)> = shares.map(share).collect::<Option<_>>()?;
    shares.sort_by_key(|(state, _)| state.code());
    let first = |key: &str| {
        let one = of.get(key)?;
        Some(First {
            share: number(one, "share"),
            after_s: number(one, "after_s"),
        })
    };
    Some(StationOutcome {
        machine: text(of, "machine")?,
        shares,
        bottleneck: number(of, "bottleneck"),
        starves: first("starves")?,
        blocks: first("blocks")?,
    })
}

fn difference(of: &Value) -> Option<Difference> {
    Some(Difference {
        scenario: text(of, "scenario")?,
        measure: text(of, "measure")?,
        unit: unit(of)?,
        interval: interval(of.get("difference")?),
        p: number(of, "p"),
        is_distinguishable: of.get("distinguishable")?.as_bool()?,
    })
}
