//! `werkbuch plant`: the descriptions of plants.

mod apply;
mod calendar;
mod check;
mod graph;
pub(crate) mod source;

use super::{Instant, last, reflected, with};
use crate::Context;
use crate::failure::Outcome;
use crate::output::Answer;
use crate::view::cut;
use serde_json::{Value, json};
use std::path::PathBuf;
use werkbuch_wire::{name, pb};

/// How many plants are asked for at once.
const PAGE: i32 = 1_000;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Args {
    /// Apply a plant's description: show the difference and record it.
    ///
    /// The first application creates the plant. All mistakes of the file are shown at once, as
    /// file:line:column.
    ///
    /// Changes hold from the time of recording on, additions have held since ever; with a
    /// `valid_from` all hold from that time on, and `plant get --at` shows each time its own.
    Apply {
        #[command(flatten)]
        apply: Application,
        /// Only show the difference.
        #[arg(long)]
        dry_run: bool,
    },
    /// Show what applying a description would change.
    Diff {
        #[command(flatten)]
        apply: Application,
    },
    Check(check::Args),
    Graph(graph::Args),
    Calendar(calendar::Args),
    /// A plant's description.
    Get {
        /// The plant.
        plant: String,
        /// Print the description as a file that can be applied again.
        #[arg(long)]
        file: bool,
        #[command(flatten)]
        instant: Instant,
    },
    /// Where the parts of a plant are: tracked, counted or estimated, with bounds.
    #[command(after_help = super::wip::AFTER_HELP)]
    Wip(Box<super::wip::Args>),
    /// The plants of the server, as they are, or as they were described.
    Ls {
        #[command(flatten)]
        instant: Instant,
    },
    /// Confirm the clock of a plant after it jumped forward by more than an hour.
    ConfirmClock {
        /// The plant.
        plant: String,
    },
}

/// What an application takes.
#[derive(Debug, clap::Args)]
pub(crate) struct Application {
    /// The description, TOML. Tables in CSV that it names under `tables` are read beside it.
    file: PathBuf,
    /// From when on the changes hold in plant time, in place of the file's own valid_from.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    valid_from: Option<String>,
    /// Who applies it (stored protected).
    #[arg(long, default_value = "", hide_default_value = true)]
    who: String,
    /// Why.
    #[arg(long, default_value = "", hide_default_value = true)]
    why: String,
}

pub(crate) async fn run(args: Args, context: &Context) -> Outcome<()> {
    match args {
        Args::Apply { apply, dry_run } => apply::run(context, apply, dry_run).await,
        Args::Diff { apply } => apply::run(context, apply, true).await,
        Args::Check(args) => check::run(context, args).await,
        Args::Graph(args) => graph::run(context, args).await,
        Args::Calendar(args) => calendar::run(context, args).await,
        Args::Get {
            plant,
            file,
            instant,
        } => get(context, &plant, file, &instant).await,
        Args::Wip(args) => super::wip::run(*args, context).await,
        Args::Ls { instant } => list(context, &instant).await,
        Args::ConfirmClock { plant } => confirm_clock(context, &plant).await,
    }
}

async fn get(context: &Context, plant: &str, file: bool, instant: &Instant) -> Outcome<()> {
    let request = pb::GetPlantRequest {
        name: name::of_plant(plant),
        instant: instant.message(context)?,
    };
    let client = context.client().await?;
    let plant = client.model().get_plant(request).await?.into_inner();
    if file {
        return context.output.text(&plant.content);
    }
    let whole = with(
        with(json(&plant), [("content", json!(plant.content))]),
        reflected(plant.reflected.as_ref()),
    );
    let parts = vec![
        ("plant", last(&plant.name).to_owned()),
        ("name", plant.display_name.clone()),
        ("time zone", plant.time_zone.clone()),
        ("revision", plant.revision.to_string()),
        ("units", plant.units.to_string()),
        ("machines", plant.machines.to_string()),
        ("buffers", plant.buffers.to_string()),
        ("log", plant.log_id.clone()),
    ];
    context.output.answer(&Answer::single(parts, whole))
}

fn json(plant: &pb::Plant) -> Value {
    json!({
        "plant": last(&plant.name),
        "display_name": plant.display_name,
        "time_zone": plant.time_zone,
        "revision": plant.revision,
        "units": plant.units,
        "machines": plant.machines,
        "buffers": plant.buffers,
        "log_id": plant.log_id,
    })
}

async fn list(context: &Context, instant: &Instant) -> Outcome<()> {
    let client = context.client().await?;
    let mut rows = Vec::new();
    let mut page_token = String::new();
    let mut not_yet = Vec::new();
    let (total, cut) = loop {
        let request = pb::ListPlantsRequest {
            parent: format!("tenants/{}", name::DEFAULT_TENANT),
            page_size: PAGE,
            page_token,
            instant: instant.message(context)?,
        };
        let page = client.model().list_plants(request).await?.into_inner();
        rows.extend(page.plants.iter().map(|plant| {
            let cells = vec![
                last(&plant.name).to_owned(),
                plant.display_name.clone(),
                plant.revision.to_string(),
                plant.machines.to_string(),
                plant
                    .reflected
                    .as_ref()
                    .map_or(0, |of| of.position)
                    .to_string(),
            ];
            let [position, ..] = reflected(plant.reflected.as_ref());
            (cells, with(json(plant), [position]))
        }));
        // Each page names those of its own part of the list.
        not_yet.extend(page.unreachable);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break (page.total_size, page.cut);
        }
    };
    let columns = ["plant", "name", "revision", "machines", "position"];
    let mut note = format!("{} of {total} plants", rows.len());
    if let Some(cut) = &cut {
        note.push_str(&cut::note(cut));
    } else if !not_yet.is_empty() {
        let names: Vec<_> = not_yet.iter().map(|name| last(name)).collect();
        let names = names.join(", ");
        note = format!("{note}; being folded from their logs, see werkbuch server status: {names}");
    }
    context
        .output
        .answer(&Answer::list(&columns, rows).note(note))
}

async fn confirm_clock(context: &Context, plant: &str) -> Outcome<()> {
    let request = pb::ConfirmClockRequest {
        name: name::of_plant(plant),
    };
    let client = context.client().await?;
    let position = client
        .admin()
        .confirm_clock(request)
        .await?
        .into_inner()
        .position;
    let note = match position {
        0 => "nothing had to be confirmed",
        _ => "the clock is confirmed; writing goes on",
    };
    let whole = json!({ "plant": plant, "position": position });
    let parts = vec![
        ("plant", plant.to_owned()),
        ("position", position.to_string()),
    ];
    context
        .output
        .answer(&Answer::single(parts, whole).note(note))
}
