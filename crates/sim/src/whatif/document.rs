//! What a study says, read back from what programs are told.

use super::outcome::{CaseOutcome, Difference, First, Measured, Outcome, StationOutcome};
use super::recovery::Loss;
use super::sensitivity::{Sensitivity, StationSensitivity};
use super::tornado::{Bar, Tornado};
use crate::statistics::Interval;
use serde_json::Value;
use werkbuch_model::event::State;

/// The parameters that a tornado tries.
const PARAMETERS: [&str; 9] = [
    "cycle", "up", "repair", "scrap", "rework", "set-up", "demand", "delivery", "capacity",
];
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
            losses: list(told, "losses", loss)?,
            sensitivity: list(told, "sensitivity", sensitivity)?,
            tornado: match told.get("tornado") {
                None | Some(Value::Null) => None,
                Some(of) => Some(tornado(of)?),
            },
            is_uncertain: told.get("is_uncertain")?.as_bool()?,
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
        median_run: index(of, "median_run")?,
        bad_run: index(of, "bad_run")?,
        target: target.map(bounds),
    })
}

fn index(of: &Value, key: &str) -> Option<u32> {
    u32::try_from(of.get(key)?.as_u64()?).ok()
}

fn count(of: &Value, key: &str) -> Option<usize> {
    usize::try_from(of.get(key)?.as_u64()?).ok()
}

fn loss(of: &Value) -> Option<Loss> {
    // Replication by replication is told of measures alone.
    let measured = |key: &str| -> Option<Measured> {
        let one = of.get(key)?;
        Some(Measured {
            name: key.replace('_', " "),
            unit: unit(one)?,
            interval: interval(one),
            quantiles: ["p10", "p50", "p90"].map(|key| number(one, key)),
            values: Vec::new(),
        })
    };
    let missed = of.get("not_recovered")?;
    let [share, from, to] = ["probability", "from", "to"].map(|key| number(missed, key));
    Some(Loss {
        scenario: text(of, "scenario")?,
        from_ns: (number(of, "from_s") * 1e9).round() as u64,
        at_worst: measured("behind_at_worst")?,
        at_end: measured("behind_at_the_end")?,
        recovery: measured("recovery_time")?,
        not_recovered: count(missed, "runs")?,
        not_recovered_share: (share, from, to),
    })
}

fn sensitivity(of: &Value) -> Option<Sensitivity> {
    let station = |one: &Value| {
        Some(StationSensitivity {
            machine: text(one, "machine")?,
            elasticity: Interval {
                mean: number(one, "elasticity"),
                half_width: number(one, "half_width"),
            },
            p: number(one, "p"),
            is_distinguishable: one.get("distinguishable")?.as_bool()?,
        })
    };
    Some(Sensitivity {
        case: text(of, "case")?,
        faster: number(of, "faster"),
        of: count(of, "total")?,
        stations: list(of, "stations", station)?,
    })
}

fn tornado(of: &Value) -> Option<Tornado> {
    let bar = |one: &Value| {
        let what = one.get("what")?.as_str()?;
        Some(Bar {
            name: text(one, "name")?,
            what: PARAMETERS.iter().copied().find(|name| *name == what)?,
            of: list(one, "of", |name| Some(name.as_str()?.to_owned()))?,
            low: number(one, "low"),
            high: number(one, "high"),
            is_fitted: one.get("basis")?.as_str()? == "fit",
            at_low: interval(one.get("at_low")?),
            at_high: interval(one.get("at_high")?),
        })
    };
    Some(Tornado {
        swing: number(of, "swing"),
        of: count(of, "total")?,
        bars: list(of, "bars", bar)?,
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
