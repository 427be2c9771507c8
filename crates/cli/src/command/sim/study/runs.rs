//! `sim ls`, `sim get`, `sim cancel` and `sim rm`: the runs that a server keeps.

use super::{Out, kept, remote};
use crate::Context;
use crate::command::counted;
use crate::failure::{Failure, Outcome};
use crate::output::Answer;
use serde_json::{Value, json};
use werkbuch_model::time::Timestamp;
use werkbuch_wire::name::{self, of_plant};
use werkbuch_wire::pb;

/// The most runs of a page.
const PAGE: i32 = 1_000;

/// List the runs that the server keeps, the newest first.
#[derive(Debug, clap::Args)]
pub(crate) struct List {
    /// Of one plant alone.
    #[arg(long, value_name = "PLANT")]
    plant: Option<String>,
    /// No more than so many.
    #[arg(long, default_value_t = 100, value_name = "N",
          value_parser = clap::value_parser!(u32).range(1..=1_000))]
    limit: u32,
}

/// A run that the server keeps.
#[derive(Debug, clap::Args)]
pub(crate) struct Named {
    /// Its number, as `werkbuch sim ls` says it.
    run: u64,
}

/// Show a run's result, or wait for it with its progress.
#[derive(Debug, clap::Args)]
pub(crate) struct Get {
    #[command(flatten)]
    of: Named,
    #[command(flatten)]
    out: Out,
}

impl Named {
    fn name(&self) -> String {
        format!("{}/runs/{}", of_plant("-"), self.run)
    }
}

pub(crate) async fn list(args: List, context: &Context) -> Outcome<()> {
    let client = context.client().await?;
    let mut request = pb::ListRunsRequest {
        parent: of_plant(args.plant.as_deref().unwrap_or("-")),
        page_size: PAGE.min(i32::try_from(args.limit).unwrap_or(PAGE)),
        page_token: String::new(),
    };
    let mut runs = Vec::new();
    let total = loop {
        let page = client
            .simulation()
            .list_runs(request.clone())
            .await?
            .into_inner();
        runs.extend(page.runs);
        if page.next_page_token.is_empty() || runs.len() >= args.limit as usize {
            break page.total_size;
        }
        request.page_token = page.next_page_token;
    };
    let columns = [
        "run",
        "plant",
        "state",
        "asked for",
        "scenarios",
        "done",
        "left",
        "error",
    ];
    let rows: Vec<(Vec<String>, Value)> = runs.iter().map(row).collect();
    let note = format!(
        "{} of {}",
        rows.len(),
        counted(u64::try_from(total).unwrap_or(0), "run")
    );
    context
        .output
        .answer(&Answer::list(&columns, rows).note(note))
}

fn state(run: &pb::Run) -> &'static str {
    let name = run.state().as_str_name();
    name.strip_prefix("RUN_STATE_").unwrap_or(name)
}

fn row(run: &pb::Run) -> (Vec<String>, Value) {
    let (plant, number) = name::run(&run.name).unwrap_or_default();
    let plant = plant.map_or_else(String::new, |plant| plant.to_string());
    let created = Timestamp(run.create_time).to_string();
    let scenarios = run.study.as_ref().map_or(0, |one| one.scenarios.len());
    let left = remote::left(run).map(|left| left.as_secs_f64());
    let cells = vec![
        number.to_string(),
        plant.clone(),
        state(run).to_owned(),
        created.clone(),
        scenarios.to_string(),
        format!("{} of {}", run.done, run.of),
        left.map_or_else(|| "-".to_owned(), |left| format!("{left:.0} s")),
        run.error.clone(),
    ];
    let item = json!({
        "run": number,
        "name": run.name,
        "plant": plant,
        "state": state(run),
        "created_at": created,
        "ended_at": run.end_time.map(|at| Timestamp(at).to_string()),
        "scenario_files": scenarios,
        "done": run.done,
        "of": run.of,
        "half_width": run.half_width,
        "left_s": left,
        "digest": run.digest,
        "fork": run.fork_digest,
        "reason": run.reason,
        "error": run.error,
    });
    (cells, item)
}

pub(crate) async fn get(args: Get, context: &Context) -> Outcome<()> {
    let client = context.client().await?;
    let name = args.of.name();
    let mut service = client.simulation();
    let run = service.get_run(pb::GetRunRequest { name }).await?;
    let (run, told) = remote::finish(&client, run.into_inner(), (&args.out, context)).await?;
    let inputs = kept::Of::Fork(remote::fork_of(&run));
    super::finish(inputs, told, &args.out, context)
}

pub(crate) async fn cancel(args: Named, context: &Context) -> Outcome<()> {
    let client = context.client().await?;
    let name = args.name();
    let mut service = client.simulation();
    let run = service.cancel_run(pb::CancelRunRequest { name });
    let run = run.await?.into_inner();
    let said = match run.end_time {
        Some(at) => format!("run {} had ended at {}", args.run, Timestamp(at)),
        None => format!("run {} is told to end", args.run),
    };
    one(&run, &said, context)
}

pub(crate) async fn remove(args: Named, context: &Context) -> Outcome<()> {
    let client = context.client().await?;
    let name = args.name();
    let request = pb::DeleteRunRequest { name };
    client.simulation().delete_run(request).await?;
    let parts = vec![("removed", args.run.to_string())];
    context
        .output
        .answer(&Answer::single(parts, json!({ "removed": args.run })))
}

/// Tells one run.
pub(super) fn one(run: &pb::Run, said: &str, context: &Context) -> Outcome<()> {
    let (_, item) = row(run);
    let number = name::run(&run.name).map_err(Failure::from)?.1;
    let parts = vec![
        ("run", number.to_string()),
        ("state", state(run).to_owned()),
        ("done", format!("{} of {}", run.done, run.of)),
    ];
    let answer = Answer::single(parts, item).note(said.to_owned());
    context.output.answer(&answer)
}
