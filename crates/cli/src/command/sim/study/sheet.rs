//! `sim model`: the review sheet of a fork, before anybody believes what it says.

use super::{OfPlant, inputs, remote};
use crate::Context;
use crate::command::counted;
use crate::failure::{Failure, Outcome};
use crate::output::Answer;
use serde_json::{Value, json};
use std::fmt::Write;
use werkbuch_model::time::Timestamp;
use werkbuch_sim::kernel::Distribution;
use werkbuch_wire::{name, pb};

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
    let Some(plant) = args.of.plant.as_deref() else {
        let what = "no plant is named";
        return Err(Failure::usage(what).hint("werkbuch sim model --plant NAME"));
    };
    let behaviour = args.of.overrides.as_deref().map(inputs::text).transpose()?;
    let request = pb::ReviewModelRequest {
        parent: name::of_plant(plant),
        instant: args.of.instant.message(context)?,
        window_ns: args.of.window,
        behaviour: behaviour.as_ref().map(remote::file),
    };
    let client = context.client().await?;
    let sheet = client
        .simulation()
        .review_model(request)
        .await?
        .into_inner();
    let reflected = sheet.reflected.unwrap_or_default();
    let at = Timestamp(reflected.at.unwrap_or(reflected.as_of));
    let columns = [
        "machine", "what", "times", "mean", "values", "censored", "ks", "basis",
    ];
    let rows = sheet.fits.iter().map(row);
    let rows: Vec<_> = rows.collect();
    let items: Vec<_> = rows.iter().map(|(_, item)| item.clone()).collect();
    let whole = json!({
        "plant": plant,
        "position": reflected.position,
        "at": at.to_string(),
        "fork": sheet.fork_digest,
        "fits": items,
        "assumptions": sheet.assumptions,
    });
    let mut note = format!(
        "{} of {} of {} at {}, position {}",
        rows.len(),
        counted(rows.len() as u64, "time"),
        plant,
        at,
        reflected.position
    );
    for assumption in &sheet.assumptions {
        let _ = write!(note, "\ntaken for granted: {assumption}");
    }
    context
        .output
        .answer(&Answer::list(&columns, rows).whole(whole).note(note))
}

fn row(one: &pb::FittedTime) -> (Vec<String>, Value) {
    let mean_s = one.mean_s;
    let cells = vec![
        one.machine.clone(),
        one.what.clone(),
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
        "distribution": one.distribution,
        "mean_s": mean_s,
        "values": one.values,
        "censored": one.censored,
        "ks_distance": one.ks_distance,
        "basis": one.basis,
    });
    (cells, item)
}

/// A distribution for a table: numbers of four digits, and of a list how long it is.
fn short(text: &str) -> String {
    let Ok(of) = text.parse::<Distribution>() else {
        return text.to_owned();
    };
    if let Distribution::Empirical(sample) | Distribution::ContinuousEmpirical(sample) = &of {
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
            let told = text.parse::<Distribution>().unwrap().to_string();
            assert_eq!(short(&told), wanted);
        }
    }
}
