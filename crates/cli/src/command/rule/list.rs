//! `werkbuch rule ls` and `rule get`: which rules apply, and what is raised, at any instant.

use super::super::{Instant, Scope, counted, with};
use crate::Context;
use crate::failure::Outcome;
use crate::output::Answer;
use crate::view::{cut, rule};
use serde_json::{Value, json};
use werkbuch_wire::pb;

#[derive(Debug, clap::Args)]
pub(crate) struct List {
    #[command(flatten)]
    scope: Scope,
    /// What is raised now, or was then: of which machines, since when.
    #[arg(long)]
    raised: bool,
    /// Only rules of this name, again for more.
    #[arg(long = "rule", value_name = "NAME")]
    rules: Vec<String>,
    /// With --raised: only of this machine (name or number).
    #[arg(
        long,
        requires = "raised",
        default_value = "",
        hide_default_value = true
    )]
    machine: String,
    /// With --raised: only what is at least so severe.
    #[arg(
        long,
        requires = "raised",
        value_name = "N",
        default_value_t = 0,
        hide_default_value = true
    )]
    severity: u32,
    /// With --raised: the most that is shown; all is counted.
    #[arg(long, requires = "raised", value_name = "N", default_value_t = 1_000,
        value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: u32,
    #[command(flatten)]
    instant: Instant,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Get {
    /// The rule.
    rule: String,
    #[command(flatten)]
    scope: Scope,
    #[command(flatten)]
    instant: Instant,
}

pub(super) async fn list(context: &Context, list: List) -> Outcome<()> {
    if list.raised {
        return raised(context, list).await;
    }
    let request = pb::ListRulesRequest {
        parent: list.scope.parent(),
        rules: list.rules,
        instant: list.instant.message(context)?,
    };
    let client = context.client().await?;
    let answer = client.rule().list_rules(request).await?.into_inner();
    let with_plant = list.scope.all_plants;
    let rows: Vec<(Vec<String>, Value)> = answer
        .rules
        .iter()
        .map(|one| rule::applied(one, with_plant))
        .collect();
    let columns = rule::applied_columns(with_plant);
    let note = rule_note(rows.len(), rows.len(), "rule");
    context.output.answer(&listed(
        &columns,
        rows,
        ("rules", note),
        answer.cut,
        with_plant,
        None,
    ))
}

async fn raised(context: &Context, list: List) -> Outcome<()> {
    let request = pb::ListRaisedRulesRequest {
        parent: list.scope.parent(),
        rules: list.rules,
        machine: list.machine,
        severity: list.severity,
        instant: list.instant.message(context)?,
        limit: i32::try_from(list.limit).unwrap_or(i32::MAX),
    };
    let client = context.client().await?;
    let answer = client.rule().list_raised_rules(request).await?.into_inner();
    let with_plant = list.scope.all_plants;
    let rows: Vec<(Vec<String>, Value)> = answer
        .raised
        .iter()
        .map(|one| rule::raised(one, with_plant))
        .collect();
    let columns = rule::raised_columns(with_plant);
    let total = answer.total_size as usize;
    let note = rule_note(rows.len(), total, "finding");
    let note = format!("{note} raised");
    context.output.answer(&listed(
        &columns,
        rows,
        ("raised", note),
        answer.cut,
        with_plant,
        Some(total),
    ))
}

pub(super) async fn get(context: &Context, get: Get) -> Outcome<()> {
    let request = pb::ListRulesRequest {
        parent: get.scope.parent(),
        rules: vec![get.rule],
        instant: get.instant.message(context)?,
    };
    let client = context.client().await?;
    let answer = client.rule().list_rules(request).await?.into_inner();
    let stood = answer.cut.unwrap_or_default();
    if let ([one], false) = (answer.rules.as_slice(), get.scope.all_plants) {
        let (parts, item) = rule::whole(one);
        let whole = with(item, [("cut", cut::json(&stood))]);
        return context.output.answer(&Answer::single(parts, whole));
    }
    let rows: Vec<(Vec<String>, Value)> = answer
        .rules
        .iter()
        .map(|one| rule::applied(one, true))
        .collect();
    let columns = rule::applied_columns(true);
    let note = rule_note(rows.len(), rows.len(), "rule");
    context.output.answer(&listed(
        &columns,
        rows,
        ("rules", note),
        Some(stood),
        true,
        None,
    ))
}

fn rule_note(shown: usize, total: usize, what: &str) -> String {
    format!("{shown} of {}", counted(total as u64, what))
}

fn listed(
    columns: &[&'static str],
    rows: Vec<(Vec<String>, Value)>,
    (of, mut note): (&'static str, String),
    stood: Option<pb::Cut>,
    with_plant: bool,
    total: Option<usize>,
) -> Answer {
    let stood = stood.unwrap_or_default();
    let items: Vec<Value> = rows.iter().map(|(_, item)| item.clone()).collect();
    let whole = json!({ "shown": rows.len(), "total": total.unwrap_or(rows.len()) });
    let whole = with(whole, [(of, json!(items)), ("cut", cut::json(&stood))]);
    match stood.plants.as_slice() {
        [one] if !with_plant => {
            note.push_str(&super::super::at_position(one.reflected.as_ref()));
        }
        _ => note.push_str(&cut::note(&stood)),
    }
    Answer::list(columns, rows).whole(whole).note(note)
}
