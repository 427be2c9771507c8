//! `sim model`: the review sheet of a fork, before anybody believes what it says.

use super::{Asked, OfPlant};
use crate::Context;
use crate::command::counted;
use crate::failure::{Failure, Outcome};
use crate::output::Answer;
use serde_json::json;
use std::fmt::Write;
use werkbuch_sim::kernel::Distribution;

/// Show what a fork of a plant's log is made of: each fitted time, with its evidence.
///
/// A time comes with how many values it was fitted to, how many of them had not ended, how far the fit is from
/// the values (Kolmogorov-Smirnov), and whose values they are. What is not listed is as planned; the notes
/// say what was taken for granted. `sim run --override FILE` lays other times over these.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    of: OfPlant,
}

pub(crate) async fn run(args: Args, context: &Context) -> Outcome<()> {
    if args.of.plant.is_none() {
        let what = "no plant is named";
        return Err(Failure::usage(what).hint("werkbuch sim model --plant NAME"));
    }
    let inputs = args.of.inputs(&[], &Asked::LEAST, context).await?;
    let (model, sheet) = inputs.reviewed()?;
    let columns = [
        "machine", "what", "times", "mean", "values", "censored", "ks", "basis",
    ];
    let rows = sheet.iter().map(|one| {
        let mean_s = one.distribution.mean_s();
        let cells = vec![
            one.machine.clone(),
            one.what.to_owned(),
            short(&one.distribution),
            format!("{mean_s:.1} s"),
            one.values.to_string(),
            one.censored.to_string(),
            one.ks_distance
                .map_or("-".to_owned(), |ks| format!("{ks:.3}")),
            one.basis.clone(),
        ];
        let item = json!({
            "machine": one.machine,
            "what": one.what,
            "distribution": one.distribution.to_string(),
            "mean_s": mean_s,
            "values": one.values,
            "censored": one.censored,
            "ks_distance": one.ks_distance,
            "basis": one.basis,
        });
        (cells, item)
    });
    let rows: Vec<_> = rows.collect();
    let at = inputs.fork.as_ref();
    let items: Vec<_> = rows.iter().map(|(_, item)| item.clone()).collect();
    let whole = json!({
        "plant": model.plant,
        "position": at.map(|at| at.position),
        "at": model.begins.to_string(),
        "fork": inputs.fork_digest(),
        "fits": items,
        "assumptions": model.assumptions,
    });
    let mut note = format!(
        "{} of {} of {} at {}, position {}",
        rows.len(),
        counted(rows.len() as u64, "time"),
        model.plant,
        model.begins,
        at.map_or(0, |at| at.position)
    );
    for assumption in &model.assumptions {
        let _ = write!(note, "\ntaken for granted: {assumption}");
    }
    context
        .output
        .answer(&Answer::list(&columns, rows).whole(whole).note(note))
}

/// A distribution for a table: numbers of four digits, and of a list how long it is.
fn short(of: &Distribution) -> String {
    if let Distribution::Empirical(sample) | Distribution::ContinuousEmpirical(sample) = of {
        let values = sample.values();
        let (Some(least), Some(most)) = (values.first(), values.last()) else {
            return of.family().to_owned();
        };
        return format!(
            "{} of {} values, {least:.1} s to {most:.1} s",
            of.family(),
            values.len()
        );
    }
    let text = of.to_string();
    let (mut shown, mut number) = (String::new(), String::new());
    for letter in text.chars().chain(['\n']) {
        if letter.is_ascii_digit() || letter == '.' {
            number.push(letter);
            continue;
        }
        match number.parse::<f64>() {
            Ok(value) if number.contains('.') => shown.push_str(&digits(value)),
            _ => shown.push_str(&number),
        }
        number.clear();
        if letter != '\n' {
            shown.push(letter);
        }
    }
    shown
}

/// Four significant digits.
fn digits(value: f64) -> String {
    let places = match value.abs() {
        size if size >= 1_000.0 => 0,
        size if size >= 100.0 => 1,
        size if size >= 10.0 => 2,
        size if size >= 1.0 => 3,
        _ => 4,
    };
    format!("{value:.places$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_shown_with_four_digits() {
        for (text, wanted) in [
            (
                "lognormal(mean=62.123456s, cv=0.0512345)",
                "lognormal(mean 62.12 s, cv 0.0512)",
            ),
            ("60s", "constant(60 s)"),
        ] {
            let of: Distribution = text.parse().unwrap();
            assert_eq!(short(&of), wanted);
        }
    }
}
