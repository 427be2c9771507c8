//! What a study says, for people: what changes, how sure that is, and why.

use crate::Context;
use crate::command::counted;
use crate::failure::Outcome;
use crate::output::Answer;
use serde_json::{Value, json};
use std::fmt::Write;
use werkbuch_model::event::State;
use werkbuch_sim::statistics::Interval;
use werkbuch_sim::whatif::{CaseOutcome, Difference, First, Loss, Measured, Outcome as Found};

/// How many stations of a case are named as those that hold up the others.
const NAMED: usize = 3;

pub(super) fn answer(
    found: &Found,
    whole: Value,
    digest: &str,
    stations: bool,
    context: &Context,
) -> Outcome<()> {
    let answer = match stations {
        true => of_stations(found),
        false => of_measures(found),
    };
    context
        .output
        .answer(&answer.whole(whole).note(note(found, digest)))
}

/// How well the output is known, for a progress bar.
pub(super) fn known_to(half_width: f64) -> String {
    format!("output known to {:.2} %, ", half_width * 100.0)
}

fn of_measures(found: &Found) -> Answer {
    let columns = [
        "case",
        "measure",
        "mean",
        "10%",
        "90%",
        "difference",
        "verdict",
        "unit",
    ];
    let mut rows = Vec::new();
    for case in &found.cases {
        for one in &case.measures {
            let of = |item: &&Difference| item.scenario == case.name && item.measure == one.name;
            let beside = found.differences.iter().find(of);
            let [low, _, high] = one.quantiles;
            let cells = vec![
                case.name.clone(),
                one.name.clone(),
                interval(&one.interval, false),
                number(low),
                number(high),
                beside.map_or(String::new(), |one| interval(&one.interval, true)),
                beside.map_or(String::new(), verdict),
                one.unit.to_owned(),
            ];
            let item = json!({
                "case": case.name,
                "measure": one.name,
                "unit": one.unit,
                "mean": one.interval.mean,
                "half_width": one.interval.half_width,
                "p10": low,
                "p90": high,
                "difference": beside.map(|one| one.interval.mean),
                "difference_half_width": beside.map(|one| one.interval.half_width),
                "distinguishable": beside.map(|one| one.is_distinguishable),
            });
            rows.push((cells, item));
        }
        let losses = found.losses.iter().filter(|one| one.scenario == case.name);
        rows.extend(losses.flat_map(|one| lost(one, found.replications)));
    }
    Answer::list(&columns, rows)
}

/// What a scenario costs against the baseline, pair by pair.
fn lost(loss: &Loss, runs: usize) -> Vec<(Vec<String>, Value)> {
    let late = match loss.not_recovered {
        0 => String::new(),
        late => format!("not within the horizon in {late} of {runs} runs"),
    };
    let all = [&loss.at_worst, &loss.at_end, &loss.recovery];
    let row = |one: &&Measured| {
        let [low, _, high] = one.quantiles;
        let is_time = one.name == loss.recovery.name;
        let cells = vec![
            loss.scenario.clone(),
            one.name.clone(),
            interval(&one.interval, false),
            number(low),
            number(high),
            String::new(),
            if is_time { late.clone() } else { String::new() },
            one.unit.to_owned(),
        ];
        let item = json!({
            "case": loss.scenario,
            "measure": one.name,
            "unit": one.unit,
            "mean": one.interval.mean,
            "half_width": one.interval.half_width,
            "p10": low,
            "p90": high,
            "not_recovered": is_time.then_some(loss.not_recovered),
        });
        (cells, item)
    };
    all.iter().map(row).collect()
}

fn verdict(one: &Difference) -> String {
    match (one.is_distinguishable, one.interval.mean > 0.0) {
        (false, _) => "not distinguishable".to_owned(),
        (true, true) => "more".to_owned(),
        (true, false) => "less".to_owned(),
    }
}

fn of_stations(found: &Found) -> Answer {
    let mut states: Vec<State> = Vec::new();
    for station in found.cases.iter().flat_map(|case| &case.stations) {
        states.extend(station.shares.iter().map(|(state, _)| *state));
    }
    states.sort_unstable_by_key(|state| state.code());
    states.dedup();
    let mut columns = vec![
        "case".to_owned(),
        "machine".to_owned(),
        "bottleneck".to_owned(),
        "starves after".to_owned(),
        "blocks after".to_owned(),
    ];
    columns.extend(states.iter().map(|state| state.name().to_lowercase()));
    let mut rows = Vec::new();
    for case in &found.cases {
        for station in &case.stations {
            let share = |state: &State| {
                let of = station.shares.iter().find(|(one, _)| one == state);
                of.map_or(0.0, |(_, share)| *share)
            };
            let mut cells = vec![
                case.name.clone(),
                station.machine.clone(),
                percent(station.bottleneck),
                first(&station.starves),
                first(&station.blocks),
            ];
            cells.extend(states.iter().map(|state| percent(share(state))));
            let shares = states
                .iter()
                .map(|state| (state.name().to_owned(), json!(share(state))));
            let item = json!({
                "case": case.name,
                "machine": station.machine,
                "bottleneck": station.bottleneck,
                "starves_after_s": station.starves.after_s,
                "blocks_after_s": station.blocks.after_s,
                "shares": Value::Object(shares.collect()),
            });
            rows.push((cells, item));
        }
    }
    Answer::table(columns, rows)
}

/// When something first comes about, and in how many of the runs.
fn first(of: &First) -> String {
    match of.share > 0.0 {
        true => format!("{:.2} h ({:.0}%)", of.after_s / 3_600.0, of.share * 100.0),
        false => "-".to_owned(),
    }
}

pub(super) fn percent(share: f64) -> String {
    format!("{:.1}%", share * 100.0)
}

pub(super) fn number(value: f64) -> String {
    match value.abs() {
        _ if value.is_nan() => "-".to_owned(),
        size if size >= 1_000.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

pub(super) fn interval(of: &Interval, signed: bool) -> String {
    if of.mean.is_nan() {
        return "-".to_owned();
    }
    let sign = if signed && of.mean > 0.0 { "+" } else { "" };
    match of.half_width.is_finite() {
        true => format!("{sign}{} \u{b1} {}", number(of.mean), number(of.half_width)),
        false => format!("{sign}{}", number(of.mean)),
    }
}

/// What a person should know beside the numbers.
fn note(found: &Found, digest: &str) -> String {
    let mut note = String::new();
    for case in &found.cases {
        let _ = writeln!(note, "{}", said(found, case));
    }
    if let Some(base) = found.cases.first() {
        let _ = writeln!(note, "of the baseline {}", found.uncertainty(base));
    }
    let hours = found.horizon_ns as f64 / 3.6e12;
    let _ = writeln!(
        note,
        "{0} of {1}, {2} of {hours:.4} h of {3}, seed {4}, intervals of {5}: {6} in all",
        found.cases.len(),
        counted(found.cases.len() as u64, "case"),
        counted(found.replications as u64, "replication"),
        found.plant,
        found.seed,
        percent(found.confidence),
        counted(found.events, "event"),
    );
    for assumption in &found.assumptions {
        let _ = writeln!(note, "taken for granted: {assumption}");
    }
    let _ = write!(note, "result {digest}");
    note
}

/// A case in a sentence.
fn said(found: &Found, case: &CaseOutcome) -> String {
    let mut text = format!("{}: ", case.name);
    if let Some(output) = case.measures.first() {
        let _ = write!(
            text,
            "output {} {}",
            number(output.interval.mean),
            output.unit
        );
    }
    let of = |one: &&Difference| one.scenario == case.name && one.measure == "output";
    match found.differences.iter().find(of) {
        Some(one) if one.is_distinguishable => {
            let word = if one.interval.mean < 0.0 {
                "fewer"
            } else {
                "more"
            };
            let size = number(one.interval.mean.abs());
            let _ = write!(
                text,
                ", {size} {word} than the baseline (\u{b1} {})",
                number(one.interval.half_width)
            );
        }
        Some(_) => text.push_str(", not distinguishable from the baseline"),
        None => {}
    }
    text.push_str(&held_up(found, case));
    if let Some((share, low, high)) = case.target {
        let _ = write!(
            text,
            "; the target is met with {} ({} to {})",
            percent(share),
            percent(low),
            percent(high)
        );
    }
    text
}

/// Who holds up the others, before a scenario and with it; with the station that brings most, where that was tried.
fn held_up(found: &Found, case: &CaseOutcome) -> String {
    let mut stations: Vec<_> = case.stations.iter().collect();
    stations.sort_by(|a, b| b.bottleneck.total_cmp(&a.bottleneck));
    let named = stations
        .iter()
        .filter(|one| one.bottleneck >= 0.05)
        .take(NAMED);
    let named: Vec<String> = named
        .map(|one| format!("{} {}", one.machine, percent(one.bottleneck)))
        .collect();
    let mut text = String::new();
    if !named.is_empty() {
        let _ = write!(text, "; held up by {}", named.join(", "));
    }
    let before = found.cases.first().filter(|one| one.name != case.name);
    if let Some(before) = before.and_then(CaseOutcome::bottleneck) {
        let share = percent(before.bottleneck);
        let _ = write!(text, " (before: {} {share})", before.machine);
    }
    let tried = found.sensitivity.iter().find(|one| one.case == case.name);
    if let Some(best) = tried.and_then(|one| one.stations.first()) {
        let _ = match best.is_distinguishable {
            true => write!(
                text,
                "; 1 % faster brings most at {}: {} % of output",
                best.machine,
                interval(&best.elasticity, true)
            ),
            false => write!(text, "; no station that is faster brings more than chance"),
        };
    }
    text
}
