//! `werkbuch twin` and `werkbuch source`: where a plant's twin and its sources stand.

use super::{Instant, at_position, last, reflected, time, with};
use crate::Context;
use crate::failure::Outcome;
use crate::output::Answer;
use crate::view::hex;
use crate::when;
use serde_json::{Value, json};
use werkbuch_model::event::SourceKind;
use werkbuch_wire::{name, pb};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum TwinArgs {
    /// Position, digest and root of a plant's twin.
    Get {
        /// The plant.
        plant: String,
        #[command(flatten)]
        instant: Instant,
    },
}

#[derive(Debug, clap::Subcommand)]
pub(crate) enum SourceArgs {
    /// The sources that have reported to a plant, and where their numbering stands.
    Ls {
        /// The plant.
        #[arg(long)]
        plant: String,
        #[command(flatten)]
        instant: Instant,
    },
}

pub(crate) async fn run(args: TwinArgs, context: &Context) -> Outcome<()> {
    let TwinArgs::Get { plant, instant } = args;
    let twin = twin(context, &plant, instant.message(context)?).await?;
    let of = twin.reflected.as_ref();
    let whole = with(json!({ "plant": last(&twin.name) }), reflected(of));
    let whole = with(
        whole,
        [
            ("digest", json!(hex(&twin.digest))),
            ("fold_version", json!(twin.fold_version)),
            ("root", root(&twin.root)),
            ("machines", json!(twin.machines)),
        ],
    );
    let recorded = of.map(|of| of.recorded_at).filter(|time| *time != 0);
    let parts = vec![
        ("plant", last(&twin.name).to_owned()),
        ("position", of.map_or(0, |of| of.position).to_string()),
        ("recorded", when::shown(recorded)),
        ("digest", hex(&twin.digest)),
        ("fold version", twin.fold_version.to_string()),
        ("root", hex(&twin.root)),
        ("machines", twin.machines.to_string()),
    ];
    context.output.answer(&Answer::single(parts, whole))
}

/// The root is known at the present alone.
fn root(bytes: &[u8]) -> Value {
    if bytes.is_empty() {
        Value::Null
    } else {
        json!(hex(bytes))
    }
}

async fn twin(context: &Context, plant: &str, instant: Option<pb::Instant>) -> Outcome<pb::Twin> {
    let request = pb::GetTwinRequest {
        name: name::of_plant(plant),
        instant,
    };
    let client = context.client().await?;
    Ok(client.twin().get_twin(request).await?.into_inner())
}

pub(crate) async fn run_source(args: SourceArgs, context: &Context) -> Outcome<()> {
    let SourceArgs::Ls { plant, instant } = args;
    let instant = instant.message(context)?;
    // Where the numbering stands is known at the present alone.
    let is_now = instant.is_none();
    let twin = twin(context, &plant, instant).await?;
    let now = |number: u64| match is_now {
        true => json!(number),
        false => Value::Null,
    };
    let cell = |number: u64| match is_now {
        true => number.to_string(),
        false => String::new(),
    };
    let rows = twin.sources.iter().map(|source| {
        let kind = u32::try_from(source.source_kind).ok();
        let kind = kind
            .and_then(SourceKind::from_code)
            .unwrap_or_default()
            .name();
        let cells = vec![
            source.number.to_string(),
            source.source.clone(),
            source.epoch.to_string(),
            kind.to_owned(),
            cell(source.high_sequence),
            cell(source.missing),
            cell(source.gaps.into()),
            when::shown(source.last_effective_at),
        ];
        let item = json!({
            "number": source.number,
            "source": source.source,
            "epoch": source.epoch,
            "kind": kind,
            "high_sequence": now(source.high_sequence),
            "missing": now(source.missing),
            "gaps": now(source.gaps.into()),
            "last": time(source.last_effective_at),
            "last_position": source.last_position,
        });
        (cells, item)
    });
    let columns = [
        "number", "source", "epoch", "kind", "high", "missing", "gaps", "last",
    ];
    let rows: Vec<_> = rows.collect();
    let sources: Vec<_> = rows.iter().map(|(_, item)| item).collect();
    let whole = json!({ "sources": sources, "total": sources.len() });
    let whole = with(whole, reflected(twin.reflected.as_ref()));
    let at = at_position(twin.reflected.as_ref());
    let note = format!("{} of {} sources{at}", rows.len(), rows.len());
    context
        .output
        .answer(&Answer::list(&columns, rows).whole(whole).note(note))
}
