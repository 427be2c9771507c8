//! `werkbuch server`: how the server does.

mod metrics;

use super::{NoInstant, last, time};
use crate::Context;
use crate::failure::Outcome;
use crate::output::Answer;
use crate::when;
use serde_json::json;
use werkbuch_wire::pb;

/// Why the server has no instant, and what to do.
const NO_PAST: (&str, &str) = (
    "it is about the process that runs, of which no past is kept",
    "a monitor that reads /metrics keeps its past; of plants and machines any instant can be asked",
);

const NO_PAST_HELP: &str = "\
There is no --at and no --known: it is about the process that runs, of which no past is kept. A monitor that
reads /metrics keeps it.";

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Args {
    /// What the server is and how it does.
    #[command(after_help = NO_PAST_HELP)]
    Status(NoInstant),
    /// What the server counts and measures, as monitors read it from /metrics.
    Metrics(metrics::Args),
}

pub(crate) async fn run(args: Args, context: &Context) -> Outcome<()> {
    match args {
        Args::Status(instant) => {
            instant.refuse(NO_PAST.0, NO_PAST.1)?;
            status(context).await
        }
        Args::Metrics(args) => metrics::run(args, context).await,
    }
}

async fn status(context: &Context) -> Outcome<()> {
    let client = context.client().await?;
    let server = client
        .admin()
        .get_server(pb::GetServerRequest {})
        .await?
        .into_inner();
    let writing = if server.stopped.is_empty() {
        "yes".to_owned()
    } else {
        format!("stopped: {}", server.stopped)
    };
    let whole = json!({
        "version": server.version,
        "store": server.store,
        "started_at": time(Some(server.started_at)),
        "plants": server.plants,
        "stopped": server.stopped,
        "recovering": server.recovering.iter().map(|plant| json!({
            "plant": last(&plant.name),
            "position": plant.position,
            "last_position": plant.last_position,
            "percent": plant.percent,
        })).collect::<Vec<_>>(),
    });
    let not_yet = server.recovering.iter();
    let not_yet = not_yet.map(|plant| format!("{} ({} %)", last(&plant.name), plant.percent));
    let not_yet: Vec<_> = not_yet.collect();
    let mut parts = vec![
        ("version", server.version),
        ("store", server.store),
        ("started", when::shown(Some(server.started_at))),
        ("plants", server.plants.to_string()),
        ("writing", writing),
    ];
    if !not_yet.is_empty() {
        parts.push(("not yet", not_yet.join(", ")));
    }
    context.output.answer(&Answer::single(parts, whole))
}
