//! `sim conformance`: the simulator beside exact results.

use crate::Context;
use crate::command::counted;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::output::Answer;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};
use std::num::NonZero;
use std::path::PathBuf;
use werkbuch_sim::conformance::{CONFIDENCE, Case, Effort, Finding, Verdict, cases, check};

const AFTER_HELP: &str = "\
FILE is one JSON object with a list `cases`; each has id, family, model, params, quantity and value. What is
simulated is given with half the width of the interval that holds the true value with 99 %; the numbers of a list
together. `agrees`: the exact value lies in it. `exact`: there is no chance in it, and it is the value to six digits.
`unsupported`: the family or what is asked of it is not known; `why` says what.

One of a hundred intervals does not hold its value, and of many cases some differ. The exit code is 5 when more
differ than that explains: when so many or more would differ less than once in a thousand files.

The same seed gives the same numbers on every machine and for any number of threads.";

/// Run every case of a reference file and compare with its exact value.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// The reference file.
    file: PathBuf,
    /// Only cases of this family; may be repeated.
    #[arg(long, value_name = "FAMILY")]
    family: Vec<String>,
    /// Only the case with this id; may be repeated.
    #[arg(long, value_name = "ID")]
    case: Vec<String>,
    /// Half the width of an interval beside its value that is narrow enough.
    #[arg(long, default_value_t = 0.005, value_name = "SHARE", value_parser = share)]
    relative: f64,
    /// The most simulated events of a case, though its interval is wider: some ten seconds on a core.
    #[arg(long, default_value_t = 100_000_000, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    events: u64,
    /// What makes chance.
    #[arg(long, default_value_t = 1, value_name = "N")]
    seed: u64,
    /// How many threads [default: one for each core].
    #[arg(long, value_name = "N")]
    threads: Option<NonZero<usize>>,
}

fn share(text: &str) -> Result<f64, String> {
    let share: f64 = text.parse().map_err(|_| "it is no number".to_owned())?;
    match share > 0.0 && share < 1.0 {
        true => Ok(share),
        false => Err("it lies between 0 and 1".to_owned()),
    }
}

pub(crate) async fn run(args: Args, context: &Context) -> Outcome<()> {
    let text = std::fs::read_to_string(&args.file);
    let text = text.map_err(|error| Failure::file(&args.file, &error))?;
    let malformed = |what: String| {
        let what = format!("{}: {what}", args.file.display());
        Failure::usage(what)
            .hint("`werkbuch sim conformance --help` says what a reference file holds")
    };
    let file: Value = serde_json::from_str(&text).map_err(|error| malformed(error.to_string()))?;
    let mut all = cases(&file).map_err(malformed)?;
    let wanted =
        |list: &[String], name: &str| list.is_empty() || list.iter().any(|one| one == name);
    all.retain(|case| wanted(&args.family, &case.family) && wanted(&args.case, &case.id));
    if all.is_empty() {
        let what = format!("{} has no such case", args.file.display());
        return Err(Failure::new(Exit::NotFound, "NO_CASE", what));
    }
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    let effort = Effort {
        relative: args.relative,
        events_max: args.events,
        threads: args.threads.map_or(cores, NonZero::get),
        seed: args.seed,
    };
    let bar = bar(context, all.len() as u64);
    let mut found = Vec::new();
    for case in all {
        bar.set_message(case.id.clone());
        let run = tokio::task::spawn_blocking(move || {
            let finding = check(&case, &effort);
            (case, finding)
        });
        let run = run.await.map_err(|error| {
            let what = format!("a case broke: {error}");
            Failure::new(Exit::Failed, "INTERNAL", what)
        });
        found.push(run?);
        bar.inc(1);
    }
    bar.finish_and_clear();
    show(context, &found)
}

fn bar(context: &Context, cases: u64) -> ProgressBar {
    let bar = ProgressBar::new(cases);
    if context.output.quiet {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    if let Ok(style) =
        ProgressStyle::with_template("{bar:40} {pos} of {len} cases, {msg}, {eta} left")
    {
        bar.set_style(style);
    }
    bar
}

fn show(context: &Context, found: &[(Case, Finding)]) -> Outcome<()> {
    let rows = found.iter().map(|(case, finding)| {
        let cells = vec![
            case.id.clone(),
            case.family.clone(),
            case.quantity.clone(),
            short(&finding.value),
            short(&finding.half_width),
            short(&case.exact),
            finding.verdict.name().to_owned(),
            finding.why.clone(),
        ];
        let whole = json!({
            "id": case.id,
            "family": case.family,
            "quantity": case.quantity,
            "value": finding.value,
            "half_width": finding.half_width,
            "exact": case.exact,
            "verdict": finding.verdict.name(),
            "why": finding.why,
        });
        (cells, whole)
    });
    let rows: Vec<(Vec<String>, Value)> = rows.collect();
    let count = |verdict: Verdict| {
        found
            .iter()
            .filter(|(_, one)| one.verdict == verdict)
            .count() as u64
    };
    let (exact, agrees) = (count(Verdict::Exact), count(Verdict::Agrees));
    let (differs, unsupported) = (count(Verdict::Differs), count(Verdict::Unsupported));
    let all: Vec<&Value> = rows.iter().map(|(_, whole)| whole).collect();
    let whole = json!({
        "cases": all,
        "exact": exact,
        "agrees": agrees,
        "differs": differs,
        "unsupported": unsupported,
        "confidence": CONFIDENCE,
    });
    let note = format!(
        "{} of {}: {exact} exact, {agrees} agree, {differs} differ, {unsupported} unsupported",
        found.len(),
        counted(found.len() as u64, "case")
    );
    let columns = [
        "id",
        "family",
        "quantity",
        "value",
        "half_width",
        "exact",
        "verdict",
        "why",
    ];
    context
        .output
        .answer(&Answer::list(&columns, rows).whole(whole).note(note))?;
    if is_chance(differs, agrees + differs) {
        return Ok(());
    }
    let what = format!(
        "{differs} of {} simulated cases differ, more than one in a hundred",
        agrees + differs
    );
    Err(Failure::new(Exit::Verification, "SIMULATION_DIFFERS", what)
        .hint("look at the cases with the verdict differs; another --seed tells chance from a mistake"))
}

/// Whether so many or more of all intervals miss their value at least once in a thousand files.
fn is_chance(differs: u64, all: u64) -> bool {
    let miss: f64 = 1.0 - CONFIDENCE;
    let (mut term, mut fewer) = (CONFIDENCE.powf(all as f64), 0.0);
    for misses in 0..differs {
        fewer += term;
        term *= miss / CONFIDENCE * (all - misses) as f64 / (misses + 1) as f64;
    }
    1.0 - fewer >= 0.001
}

/// A value for a cell: numbers to six digits.
fn short(value: &Value) -> String {
    match value {
        Value::Array(values) => {
            let values: Vec<String> = values.iter().map(short).collect();
            format!("[{}]", values.join(", "))
        }
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        value => value.as_f64().map_or(value.to_string(), |number| {
            let digits = 5 - number.abs().max(1e-5).log10().floor() as i32;
            format!("{number:.*}", usize::try_from(digits).unwrap_or(0).min(9))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_in_a_hundred_is_chance_and_many_are_not() {
        for (differs, all, expected) in [
            (0, 0, true),
            (1, 1, true),
            (2, 2, false),
            (1, 170, true),
            (7, 170, true),
            (8, 170, false),
            (170, 170, false),
        ] {
            assert_eq!(is_chance(differs, all), expected, "{differs} of {all}");
        }
    }

    #[test]
    fn numbers_are_told_to_six_digits() {
        for (value, expected) in [
            (json!(0.833_333_333_3), "0.833333"),
            (json!(12.0), "12.0000"),
            (json!(1_234_567.8), "1234568"),
            (json!([0.0, 1.5]), "[0.000000000, 1.50000]"),
            (Value::Null, ""),
            (json!("49.99 < x"), "49.99 < x"),
        ] {
            assert_eq!(short(&value), expected);
        }
    }
}
