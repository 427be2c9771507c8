//! `werkbuch machine`: what machines do, or did.

mod figure;
mod screen;
pub(crate) mod timeline;
mod watch;

use super::paging::Paging;
use super::{Instant, Scope, at_position, last, more, reflected, with};
use crate::Context;
use crate::command::choice;
use crate::failure::Outcome;
use crate::output::Answer;
use crate::view::{aspect, cut, machine};
use serde_json::{Value, json};
use werkbuch_wire::pb::AggregateFunction as Function;
use werkbuch_wire::{name, pb};

const FILTER_HELP: &str = "\
A filter is a condition in the syntax of SQL's WHERE, for example:
  --where \"state = 'EXECUTING' AND area = 'body'\"
  --where \"active_alarms > 0 OR condition = 'FAULT'\"
  --where \"name LIKE 'press-%' AND since < '2026-11-22T06:00:00Z'\"
  --where \"raised_rules > 0\" (of lists, counts and figures: machines of which a rule is raised)
An unknown field is answered with the fields that there are.";

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Args {
    /// The machines of a plant, filtered and ordered.
    ///
    /// The column `rules` tells how many rules are raised of a machine at the instant that is asked about;
    /// `--where "raised_rules > 0"` lists those of which any is, `machine get` tells which.
    #[command(after_help = FILTER_HELP)]
    Ls(List),
    /// One machine in full.
    Get {
        /// The machine: its name, a former name, or its number.
        machine: String,
        /// The plant.
        #[arg(long)]
        plant: String,
        #[command(flatten)]
        instant: Instant,
    },
    /// How many machines are in which state.
    #[command(after_help = FILTER_HELP)]
    ///
    /// With a field: how many have a value of it. With --by, how many there are of each.
    Count {
        /// The field; without one, machines are counted.
        #[arg(default_value = "", hide_default_value = true)]
        field: String,
        #[command(flatten)]
        of: figure::Of,
    },
    /// The sum of a field over machines, by what they have in common.
    #[command(after_help = figure::AFTER_HELP)]
    Sum(figure::Figure),
    /// The average of a field over machines. Ratios are not averaged.
    #[command(after_help = figure::AFTER_HELP)]
    Avg(figure::Figure),
    /// The least value of a field over machines.
    #[command(after_help = figure::AFTER_HELP)]
    Min(figure::Figure),
    /// The greatest value of a field over machines.
    #[command(after_help = figure::AFTER_HELP)]
    Max(figure::Figure),
    /// What machines did over a window of plant time, drawn or as intervals.
    Timeline(Box<timeline::Args>),
    /// Changes as they are recorded, without loss or repeat, also through restarts of the server.
    ///
    /// Each recorded event of a machine that matches is one change: ENTERED when the machine begins to
    /// match, LEFT when it no longer does, CHANGED between. Where an event tells why a neighbour waits
    /// that does not say so itself, that is a change of the neighbour as well, marked as inferred. At
    /// the end the token to go on with is told on standard error.
    #[command(after_help = format!("{FILTER_HELP}\n\n{}", watch::AFTER_HELP))]
    Watch(Box<watch::Args>),
}

#[derive(Debug, clap::Args)]
pub(crate) struct List {
    #[command(flatten)]
    scope: Scope,
    #[command(flatten)]
    chosen: choice::Machines,
    /// Fields to order by, such as `state, since desc`.
    #[arg(
        long,
        value_name = "FIELDS",
        default_value = "",
        hide_default_value = true
    )]
    order_by: String,
    #[command(flatten)]
    paging: Paging,
    #[command(flatten)]
    instant: Instant,
}

pub(crate) async fn run(args: Args, context: &Context) -> Outcome<()> {
    match args {
        Args::Ls(list) => self::list(context, list).await,
        Args::Get {
            machine,
            plant,
            instant,
        } => get(context, &plant, &machine, &instant).await,
        Args::Count { field, of } if field.is_empty() && of.by.is_empty() => {
            count(context, of).await
        }
        Args::Count { field, of } => {
            let figure = figure::Figure { field, of };
            figure::run(context, Function::Count, figure).await
        }
        Args::Sum(figure) => figure::run(context, Function::Sum, figure).await,
        Args::Avg(figure) => figure::run(context, Function::Avg, figure).await,
        Args::Min(figure) => figure::run(context, Function::Min, figure).await,
        Args::Max(figure) => figure::run(context, Function::Max, figure).await,
        Args::Timeline(args) => timeline::run(*args, context).await,
        Args::Watch(args) => watch::run(*args, context).await,
    }
}

async fn list(context: &Context, list: List) -> Outcome<()> {
    let client = context.client().await?;
    let mut request = pb::ListMachinesRequest {
        parent: list.scope.parent(),
        filter: list.chosen.filter,
        order_by: list.order_by,
        page_size: list.paging.size(),
        page_token: list.paging.page_token,
        instant: list.instant.message(context)?,
    };
    let mut rows: Vec<(Vec<String>, Value)> = Vec::new();
    let page = loop {
        let page = client
            .twin()
            .list_machines(request.clone())
            .await?
            .into_inner();
        let is_group = page.cut.is_some();
        let shown = page.machines.iter().map(|one| shown(one, is_group));
        rows.extend(shown);
        if !list.paging.all || page.next_page_token.is_empty() {
            break page;
        }
        request.page_token = page.next_page_token;
    };
    let shown = rows.len();
    let whole = json!({
        "machines": rows.iter().map(|(_, item)| item).collect::<Vec<_>>(),
        "shown": shown,
        "total": page.total_size,
        "plant_total": page.plant_size,
    });
    let whole = with(whole, stood(page.reflected.as_ref(), page.cut.as_ref()));
    let whole = with(whole, [("next_page_token", json!(page.next_page_token))]);
    let mut note = format!("{shown} of {} machines", page.total_size);
    if page.total_size != page.plant_size {
        note.push_str(&format!(" that match, of {} in the plant", page.plant_size));
        if page.cut.is_some() {
            note.push('s');
        }
    }
    note.push_str(&at_position(page.reflected.as_ref()));
    note.push_str(&page.cut.as_ref().map(cut::note).unwrap_or_default());
    note.push_str(&more(&page.next_page_token));
    let columns: Vec<&'static str> = match page.cut {
        Some(_) => std::iter::once("plant").chain(machine::COLUMNS).collect(),
        None => machine::COLUMNS.to_vec(),
    };
    let answer = Answer::list(&columns, rows).whole(whole).note(note);
    context.output.answer(&answer)
}

/// A machine of a list; of a list over plants with its plant.
fn shown(one: &pb::Machine, is_group: bool) -> (Vec<String>, Value) {
    let (mut row, mut item) = (machine::row(one), machine::json(one, false));
    if is_group {
        let plant = one.name.split('/').nth(3).unwrap_or_default();
        row.insert(0, plant.to_owned());
        item = with(item, [("plant", json!(plant))]);
    }
    (row, item)
}

/// What an answer reflects, of one plant or of all, as JSON members.
fn stood(of: Option<&pb::Reflected>, cut: Option<&pb::Cut>) -> Vec<(&'static str, Value)> {
    match cut {
        Some(cut) => vec![("cut", cut::json(cut))],
        None => reflected(of).to_vec(),
    }
}

async fn get(context: &Context, plant: &str, machine: &str, instant: &Instant) -> Outcome<()> {
    let request = pb::GetMachineRequest {
        name: name::of_machine(plant, machine),
        instant: instant.message(context)?,
    };
    let client = context.client().await?;
    let answer = client.twin().get_machine(request).await?.into_inner();
    let found = answer.machine.unwrap_or_default();
    let aspects: Vec<_> = found
        .aspects
        .iter()
        .map(aspect::json)
        .collect::<Outcome<_>>()?;
    let mut parts = machine::parts_of(&found);
    for value in &found.aspects {
        parts.push(("aspect", aspect::line(value)?));
    }
    let whole = with(machine::json(&found, true), [("aspects", json!(aspects))]);
    let whole = with(whole, reflected(answer.reflected.as_ref()));
    let at = at_position(answer.reflected.as_ref());
    let note = format!("{}{at}", last(&found.name));
    let answer = Answer::single(parts, whole).note(note);
    context.output.answer(&answer)
}

async fn count(context: &Context, of: figure::Of) -> Outcome<()> {
    let request = pb::CountMachinesRequest {
        parent: of.scope.parent(),
        filter: of.chosen.filter,
        instant: of.instant.message(context)?,
    };
    let client = context.client().await?;
    let answer = client.twin().count_machines(request).await?.into_inner();
    let rows: Vec<_> = answer
        .counts
        .iter()
        .map(|count| {
            let state = machine::state(count.state);
            let cells = vec![state.to_owned(), count.machines.to_string()];
            (cells, json!({ "state": state, "machines": count.machines }))
        })
        .collect();
    let counts: Vec<_> = rows.iter().map(|(_, item)| item).collect();
    let whole = json!({ "counts": counts, "total": answer.total_size });
    let stood = stood(answer.reflected.as_ref(), answer.cut.as_ref());
    let whole = with(whole, stood);
    let at = at_position(answer.reflected.as_ref());
    let cut = answer.cut.as_ref().map(cut::note).unwrap_or_default();
    let note = format!("{} machines{at}{cut}", answer.total_size);
    let answer = Answer::list(&["state", "machines"], rows)
        .whole(whole)
        .note(note);
    context.output.answer(&answer)
}
