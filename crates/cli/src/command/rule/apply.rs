//! `werkbuch rule apply` and `rule rm`: which rules apply from now on.

use super::super::{Scope, counted, last};
use super::read;
use crate::Context;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::output::Answer;
use serde_json::{Value, json};
use std::path::PathBuf;
use werkbuch_wire::pb;

#[derive(Debug, clap::Args)]
pub(crate) struct Apply {
    /// The file, TOML.
    file: PathBuf,
    #[command(flatten)]
    scope: Scope,
    /// Only show what it would change.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    said: Said,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Remove {
    /// The rules.
    #[arg(required = true, value_name = "NAME")]
    rules: Vec<String>,
    #[command(flatten)]
    scope: Scope,
    /// Only show what it would change.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    said: Said,
}

/// Who changes rules, and why.
#[derive(Debug, clap::Args)]
struct Said {
    /// Why; it is recorded.
    #[arg(
        long,
        visible_alias = "reason",
        value_name = "TEXT",
        required_unless_present = "dry_run",
        default_value = "",
        hide_default_value = true
    )]
    why: String,
    /// Who; it is recorded, and protected as a field about a person.
    #[arg(
        long,
        visible_alias = "by",
        value_name = "PERSON",
        default_value = "",
        hide_default_value = true
    )]
    who: String,
}

pub(super) async fn apply(context: &Context, apply: Apply) -> Outcome<()> {
    let (content, _) = read(&apply.file)?;
    let request = pb::ApplyRulesRequest {
        parent: apply.scope.parent(),
        file_name: apply.file.display().to_string(),
        content,
        remove: Vec::new(),
        validate_only: apply.dry_run,
        who: apply.said.who,
        why: apply.said.why,
    };
    send(context, request, apply.scope.all_plants).await
}

pub(super) async fn remove(context: &Context, remove: Remove) -> Outcome<()> {
    let request = pb::ApplyRulesRequest {
        parent: remove.scope.parent(),
        remove: remove.rules,
        validate_only: remove.dry_run,
        who: remove.said.who,
        why: remove.said.why,
        ..pb::ApplyRulesRequest::default()
    };
    send(context, request, remove.scope.all_plants).await
}

async fn send(context: &Context, request: pb::ApplyRulesRequest, with_plant: bool) -> Outcome<()> {
    let dry_run = request.validate_only;
    let client = context.client().await?;
    let answer = client.rule().apply_rules(request).await?.into_inner();
    for warning in &answer.warnings {
        context.output.note(&format!("warning: {warning}"));
    }
    context
        .output
        .answer(&answered(&answer, dry_run, with_plant))?;
    let failed: Vec<(String, String)> = answer
        .plants
        .iter()
        .filter(|plant| !plant.error.is_empty())
        .map(|plant| (last(&plant.plant).to_owned(), plant.error.clone()))
        .collect();
    if failed.is_empty() {
        return Ok(());
    }
    let what = format!(
        "the rules were not applied to {} of {}; to the others they were",
        failed.len(),
        counted(answer.plants.len() as u64, "plant")
    );
    Err(Failure::new(Exit::Failed, "PLANTS_FAILED", what)
        .violations(failed)
        .hint("do it again: what is applied already changes nothing"))
}

fn answered(answer: &pb::ApplyRulesResponse, dry_run: bool, with_plant: bool) -> Answer {
    let mut rows: Vec<(Vec<String>, Value)> = Vec::new();
    let mut notes = Vec::new();
    for plant in answer.plants.iter().filter(|plant| plant.error.is_empty()) {
        let name = last(&plant.plant);
        for change in &plant.changes {
            let mut cells = vec![name.to_owned(), change.clone()];
            if !with_plant {
                cells.remove(0);
            }
            rows.push((cells, json!({ "plant": name, "change": change })));
        }
        let done = match (plant.changes.is_empty(), dry_run) {
            (true, _) => "nothing changes".to_owned(),
            (false, true) => "not recorded, as --dry-run says".to_owned(),
            (false, false) => format!(
                "revision {}, recorded at position {}",
                plant.revision, plant.position
            ),
        };
        let mut note = format!("{name}: {}, {done}", counted(plant.rules.into(), "rule"));
        if plant.withdrawn > 0 {
            let findings = counted(plant.withdrawn.into(), "finding");
            note.push_str(&format!("; {findings} withdrawn"));
        }
        notes.push(note);
    }
    let note = notes.join("; ");
    let plants = answer.plants.iter().map(|plant| {
        json!({
            "plant": last(&plant.plant),
            "recorded": plant.recorded,
            "revision": plant.revision,
            "changes": plant.changes,
            "rules": plant.rules,
            "withdrawn": plant.withdrawn,
            "position": plant.position,
            "error": plant.error,
        })
    });
    let whole = json!({
        "plants": plants.collect::<Vec<_>>(),
        "warnings": answer.warnings,
    });
    let columns: &[&'static str] = match with_plant {
        true => &["plant", "change"],
        false => &["change"],
    };
    Answer::list(columns, rows).whole(whole).note(note)
}
