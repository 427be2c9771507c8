//! `werkbuch machine count|sum|avg|min|max`: figures over machines, by what they have in common.

use crate::Context;
use crate::command::{Instant, Scope, choice, time, with};
use crate::failure::Outcome;
use crate::output::Answer;
use crate::view::cut;
use crate::when;
use serde_json::{Map, Value, json};
use werkbuch_wire::pb;
use werkbuch_wire::pb::AggregateFunction as Function;
use werkbuch_wire::pb::aggregate_value::Value as Found;

pub(crate) const AFTER_HELP: &str = "\
Fields are those of `machine ls --where` that are numbers (parts, active_alarms), for min and max also times
(since, last_event_at), and what machines report under names of their own: counter:NAME, sample:ITEM,
override:ITEM. Ratios are neither summed nor averaged, and values of different units are not mixed.
  werkbuch machine sum parts --all-plants --by plant,line --at \"today 06:00\"
  werkbuch machine max active_alarms --by area --where \"state = 'FAULTED'\"
Sums of decimal numbers are taken in the order of plants and machine numbers, so they come out the same.";

/// A field and the machines that it is of.
#[derive(Debug, clap::Args)]
pub(crate) struct Figure {
    /// The field.
    pub(super) field: String,
    #[command(flatten)]
    pub(super) of: Of,
}

/// Which machines, and in which groups.
#[derive(Debug, clap::Args)]
pub(crate) struct Of {
    /// What the machines of a group have in common: plant, area, line, cell, type, state, mode or another
    /// field of text; several separated by commas.
    #[arg(long, value_name = "FIELDS", value_delimiter = ',')]
    pub(super) by: Vec<String>,
    #[command(flatten)]
    pub(super) chosen: choice::Machines,
    #[command(flatten)]
    pub(super) scope: Scope,
    #[command(flatten)]
    pub(super) instant: Instant,
}

pub(super) async fn run(context: &Context, function: Function, figure: Figure) -> Outcome<()> {
    let Figure { field, of } = figure;
    let measure = pb::Measure {
        function: function.into(),
        field: field.clone(),
    };
    let by: Vec<String> = of.by.iter().map(|key| key.trim().to_owned()).collect();
    let request = pb::AggregateMachinesRequest {
        parent: of.scope.parent(),
        measures: vec![measure],
        group_by: by.clone(),
        filter: of.chosen.filter,
        instant: of.instant.message(context)?,
    };
    let client = context.client().await?;
    let answer = client
        .twin()
        .aggregate_machines(request)
        .await?
        .into_inner();
    let name = word(function);
    let mut columns = by.clone();
    columns.extend([name, "unit", "with_value", "machines", "because"].map(str::to_owned));
    let rows: Vec<(Vec<String>, Value)> = answer
        .groups
        .iter()
        .map(|group| row(&by, name, group))
        .collect();
    let had: u32 = answer
        .groups
        .iter()
        .flat_map(|group| &group.values)
        .map(|value| value.machines)
        .sum();
    let whole = json!({
        "function": name,
        "field": field,
        "by": by,
        "groups": rows.iter().map(|(_, item)| item).collect::<Vec<_>>(),
        "shown": rows.len(),
        "with_value": had,
        "matched": answer.machines_matched,
        "machines": answer.machines,
    });
    let cut = answer.cut.unwrap_or_default();
    let whole = with(whole, [("cut", cut::json(&cut))]);
    let mut note = match field.as_str() {
        "" => format!(
            "{} of {} machines match",
            answer.machines_matched, answer.machines
        ),
        _ => format!(
            "{had} of {} machines had a value of {field}",
            answer.machines_matched
        ),
    };
    if !field.is_empty() && answer.machines_matched != answer.machines {
        note.push_str(&format!(", of {} in all", answer.machines));
    }
    note.push_str(&cut::note(&cut));
    context
        .output
        .answer(&Answer::table(columns, rows).whole(whole).note(note))
}

fn row(by: &[String], name: &'static str, group: &pb::AggregateGroup) -> (Vec<String>, Value) {
    let value = group.values.first().cloned().unwrap_or_default();
    let mut cells = group.keys.clone();
    cells.extend([
        cell(value.value),
        value.unit.clone(),
        value.machines.to_string(),
        group.machines.to_string(),
        value.not_computable.clone(),
    ]);
    let keys = by.iter().zip(&group.keys);
    let keys: Map<String, Value> = keys.map(|(by, key)| (by.clone(), json!(key))).collect();
    let item = json!({
        "by": keys,
        name: found(value.value),
        "unit": value.unit,
        "with_value": value.machines,
        "machines": group.machines,
        "not_computable": value.not_computable,
    });
    (cells, item)
}

fn cell(value: Option<Found>) -> String {
    match value {
        None => String::new(),
        Some(Found::Whole(value)) => value.to_string(),
        Some(Found::Number(value)) => value.to_string(),
        Some(Found::Time(nanos)) => when::shown(Some(nanos)),
    }
}

fn found(value: Option<Found>) -> Value {
    match value {
        None => Value::Null,
        Some(Found::Whole(value)) => json!(value),
        Some(Found::Number(value)) => json!(value),
        Some(Found::Time(nanos)) => time(Some(nanos)),
    }
}

const fn word(function: Function) -> &'static str {
    match function {
        Function::Sum => "sum",
        Function::Avg => "avg",
        Function::Min => "min",
        Function::Max => "max",
        Function::Count | Function::Unspecified => "count",
    }
}
