//! `werkbuch plant`: the descriptions of plants.

use super::{Instant, last, reflected, with};
use crate::Context;
use crate::exit::{Exit, hint};
use crate::failure::{Failure, Outcome};
use crate::output::Answer;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use werkbuch_model::plant::{Mistake, PlantFile};
use werkbuch_wire::reason::Reason;
use werkbuch_wire::{name, pb};

/// How many plants are asked for at once.
const PAGE: i32 = 1_000;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Args {
    /// Apply a plant's description: show the difference and record it.
    ///
    /// The first application creates the plant. All mistakes of the file are shown at once, as
    /// file:line:column.
    Apply {
        /// The description, TOML.
        file: PathBuf,
        /// Only show the difference.
        #[arg(long)]
        dry_run: bool,
        /// Who applies it (stored protected).
        #[arg(long, default_value = "")]
        who: String,
        /// Why.
        #[arg(long, default_value = "")]
        why: String,
    },
    /// Check a plant's description without a server.
    ///
    /// All mistakes of the file are shown at once, as file:line:column.
    Check {
        /// The description, TOML.
        file: PathBuf,
    },
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
    /// The plants of the server.
    Ls,
    /// Confirm the clock of a plant after it jumped forward by more than an hour.
    ConfirmClock {
        /// The plant.
        plant: String,
    },
}

pub(crate) async fn run(args: Args, context: &Context) -> Outcome<()> {
    match args {
        Args::Apply {
            file,
            dry_run,
            who,
            why,
        } => {
            let request = pb::ApplyPlantRequest {
                parent: format!("tenants/{}", name::DEFAULT_TENANT),
                file_name: file.display().to_string(),
                content: read(&file)?.0,
                validate_only: dry_run,
                who,
                why,
            };
            apply(context, request).await
        }
        Args::Check { file } => check(context, &file),
        Args::Get {
            plant,
            file,
            instant,
        } => get(context, &plant, file, &instant).await,
        Args::Ls => list(context).await,
        Args::ConfirmClock { plant } => confirm_clock(context, &plant).await,
    }
}

/// Reads a description and finds its mistakes, all of them: a server's answer has room for some.
fn read(path: &Path) -> Outcome<(String, PlantFile)> {
    let bytes = std::fs::read(path).map_err(|error| Failure::file(path, &error))?;
    let shown = path.display().to_string();
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Failure::usage(format!(
            "\"{shown}\" is not UTF-8: byte {at} is none of a text"
        ))
    })?;
    match werkbuch_model::plant::parse(&text, &shown) {
        Ok(file) => Ok((text, file)),
        Err(mistakes) => Err(mistaken(&mistakes)),
    }
}

fn check(context: &Context, path: &Path) -> Outcome<()> {
    let (_, file) = read(path)?;
    let counts = [
        ("units", file.units.len()),
        ("machines", file.machines.len()),
        ("buffers", file.buffers.len()),
        ("flows", file.flows.len()),
        ("authorities", file.authorities.len()),
    ];
    let whole = with(
        json!({ "plant": file.plant_id }),
        counts.map(|(name, count)| (name, json!(count))),
    );
    let mut parts = vec![("plant", file.plant_id.to_string())];
    parts.extend(counts.map(|(name, count)| (name, count.to_string())));
    let answer = Answer::single(parts, whole).note("the file has no mistakes");
    context.output.answer(&answer)
}

fn mistaken(mistakes: &[Mistake]) -> Failure {
    let what = match mistakes.len() {
        1 => "the plant file has a mistake".to_owned(),
        many => format!("the plant file has {many} mistakes"),
    };
    let lines = mistakes.iter().map(|mistake| {
        let place = format!("{}:{}:{}", mistake.file, mistake.line, mistake.column);
        let what = match mistake.hint.as_str() {
            "" => mistake.what.clone(),
            hint => format!("{} ({hint})", mistake.what),
        };
        (place, what)
    });
    let reason = Reason::InvalidPlantFile;
    Failure::new(Exit::of_reason(reason), reason.name(), what)
        .violations(lines.collect())
        .hint(hint(reason))
}

async fn apply(context: &Context, request: pb::ApplyPlantRequest) -> Outcome<()> {
    let client = context.client().await?;
    let applied = client.model().apply_plant(request).await?.into_inner();
    let plant = last(&applied.name).to_owned();
    let whole = json!({
        "plant": plant,
        "created": applied.created,
        "recorded": applied.recorded,
        "revision": applied.revision,
        "changes": applied.changes,
        "position": applied.position,
    });
    let rows = applied
        .changes
        .iter()
        .map(|change| (vec![change.clone()], json!(change)));
    let note = match (applied.changes.is_empty(), applied.recorded) {
        (true, _) => format!("plant \"{plant}\" is as the file describes it; nothing was recorded"),
        (false, true) => format!(
            "plant \"{plant}\": {} changes recorded as revision {} at position {}",
            applied.changes.len(),
            applied.revision,
            applied.position
        ),
        (false, false) => {
            format!(
                "plant \"{plant}\": {} changes, nothing was recorded",
                applied.changes.len()
            )
        }
    };
    let answer = Answer::list(&["change"], rows.collect())
        .whole(whole)
        .note(note);
    context.output.answer(&answer)
}

async fn get(context: &Context, plant: &str, file: bool, instant: &Instant) -> Outcome<()> {
    let request = pb::GetPlantRequest {
        name: name::of_plant(plant),
        instant: instant.message()?,
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

async fn list(context: &Context) -> Outcome<()> {
    let client = context.client().await?;
    let mut rows = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = pb::ListPlantsRequest {
            parent: format!("tenants/{}", name::DEFAULT_TENANT),
            page_size: PAGE,
            page_token,
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
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    let columns = ["plant", "name", "revision", "machines", "position"];
    let note = format!("{} of {} plants", rows.len(), rows.len());
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
