//! `werkbuch quality`: how good the data are that sources report.

use super::{Instant, counted, last, more, reflected, with};
use crate::Context;
use crate::client::Client;
use crate::failure::{Failure, Outcome};
use crate::line::preferred_plant;
use crate::output::Answer;
use crate::view::quality;
use crate::when;
use serde_json::{Value, json};
use werkbuch_model::time::{SECOND_NS, Timestamp};
use werkbuch_wire::{name, pb};

const AFTER_HELP: &str = "\
Everything is derived from the recorded events of a window of plant time; by default that is the last
24 hours. A row with a source of its own is about that source; the row of a plant adds them up.

Lag is the time from the observation to the record. Jumps are PackML states in a row between which no
transition leads, of all that could be judged: nobody judges across a gap. Repeated are states equal to
the one before, which a source should drop. Resent are events that came again since the server's start.";

/// How many findings are asked for at once with `--all`.
const PAGE: i32 = 10_000;

/// Ask how good the data are that sources report.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// Only this plant. Left out: that of WERKBUCH_PLANT or of the context, and where neither names one
    /// all plants.
    #[arg(long)]
    plant: Option<String>,
    /// All plants, whatever the context says.
    #[arg(long, conflicts_with_all = ["plant", "source", "findings"])]
    all_plants: bool,
    /// Only this source of one plant, by its name without the epoch.
    #[arg(long, default_value = "", hide_default_value = true)]
    source: String,
    /// The first plant time of the window [default: 24 hours before its end].
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    from: Option<String>,
    /// The first plant time behind the window [default: the time asked about].
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    to: Option<String>,
    /// How long a source may be silent, such as 15m [default: what its own rhythm says].
    #[arg(long, value_name = "DURATION")]
    silent_after: Option<String>,
    /// Show what was found in one plant, one by one, instead of the figures.
    #[arg(long)]
    findings: bool,
    /// Only findings of this kind, such as ILLEGAL_JUMP; can be given several times.
    #[arg(long, requires = "findings")]
    kind: Vec<String>,
    /// The most findings of a page (the server's default is 100).
    #[arg(long, value_name = "N", default_value_t = 0, requires = "findings", value_parser = clap::value_parser!(i32).range(0..))]
    limit: i32,
    /// Where to go on, from the page before.
    #[arg(
        long,
        value_name = "TOKEN",
        default_value = "",
        hide_default_value = true,
        requires = "findings",
        conflicts_with = "all"
    )]
    page_token: String,
    /// All pages of findings, one after the other.
    #[arg(long, requires = "findings")]
    all: bool,
    #[command(flatten)]
    instant: Instant,
}

/// The window and the limit, as numbers.
struct Window {
    from: Option<i64>,
    to: Option<i64>,
    silent_after_ms: Option<u64>,
}

pub(crate) async fn run(args: Args, context: &Context) -> Outcome<()> {
    let limit = args
        .silent_after
        .as_deref()
        .map(when::duration)
        .transpose()?;
    let plant = match (&args.plant, args.all_plants) {
        (Some(plant), _) => Some(plant.clone()),
        (None, true) => None,
        (None, false) => preferred_plant(context),
    };
    let clocks = context.clocks(plant.as_deref()).known(&args.instant);
    let from = clocks.time_if_any(args.from.as_deref()).await?;
    let to = clocks.time_if_any(args.to.as_deref()).await?;
    let window = Window {
        from: from.map(Timestamp::nanos),
        to: to.map(Timestamp::nanos),
        silent_after_ms: limit.map(|limit| u64::try_from(limit.as_millis()).unwrap_or(u64::MAX)),
    };
    if plant.is_none() && (args.findings || !args.source.is_empty()) {
        let what = "sources and findings are shown of one plant at a time";
        return Err(Failure::usage(what).hint("name it with --plant NAME"));
    }
    let client = context.client().await?;
    match &plant {
        Some(plant) if args.findings => findings(context, &client, plant, &args, window).await,
        Some(plant) => figures(context, &client, vec![plant.clone()], &args, &window).await,
        None => {
            let plants = plants(&client).await?;
            figures(context, &client, plants, &args, &window).await
        }
    }
}

async fn figures(
    context: &Context,
    client: &Client,
    plants: Vec<String>,
    args: &Args,
    window: &Window,
) -> Outcome<()> {
    let mut rows: Vec<(Vec<String>, Value)> = Vec::new();
    let mut wholes = Vec::new();
    let mut notes = Vec::new();
    for plant in &plants {
        let request = pb::GetQualityRequest {
            name: name::of_plant(plant),
            from_time: window.from,
            to_time: window.to,
            source: args.source.clone(),
            silent_after_ms: window.silent_after_ms,
            instant: args.instant.message(context)?,
        };
        let answer = client.quality().get_quality(request).await?.into_inner();
        let of = answer.reflected.as_ref();
        rows.push((quality::plant_row(&answer), quality::plant_json(&answer)));
        for source in &answer.sources {
            rows.push((
                quality::source_row(plant, source),
                quality::source_json(plant, source),
            ));
        }
        let sources = answer
            .sources
            .iter()
            .map(|one| quality::source_json(plant, one));
        let whole = with(
            quality::plant_json(&answer),
            [("sources", json!(sources.collect::<Vec<_>>()))],
        );
        wholes.push(with(whole, reflected(of)));
        notes.push(format!(
            "{plant}: {} to {}, {}, {}{}",
            Timestamp(answer.from_time),
            Timestamp(answer.to_time),
            counted(answer.sources.len() as u64, "source"),
            counted(u64::from(answer.findings), "finding"),
            unread(answer.survey.as_ref(), of)
        ));
        notes.extend(before(context, client, plant, &answer, args).await?);
    }
    if plants.len() != 1 {
        notes.push(counted(plants.len() as u64, "plant"));
    }
    let whole = json!({ "plants": wholes, "shown": plants.len(), "total": plants.len() });
    let answer = Answer::list(&quality::COLUMNS, rows)
        .whole(whole)
        .note(notes.join("\n"));
    context.output.answer(&answer)
}

async fn findings(
    context: &Context,
    client: &Client,
    plant: &str,
    args: &Args,
    window: Window,
) -> Outcome<()> {
    let mut request = pb::ListFindingsRequest {
        parent: name::of_plant(plant),
        from_time: window.from,
        to_time: window.to,
        source: args.source.clone(),
        silent_after_ms: window.silent_after_ms,
        kinds: args.kind.clone(),
        page_size: if args.all && args.limit == 0 {
            PAGE
        } else {
            args.limit
        },
        page_token: args.page_token.clone(),
        instant: args.instant.message(context)?,
    };
    let mut rows = Vec::new();
    let page = loop {
        let page = client
            .quality()
            .list_findings(request.clone())
            .await?
            .into_inner();
        let shown = page.findings.iter();
        rows.extend(shown.map(|one| (quality::finding_row(one), quality::finding_json(one))));
        if !args.all || page.next_page_token.is_empty() {
            break page;
        }
        request.page_token = page.next_page_token;
    };
    let whole = json!({
        "findings": rows.iter().map(|(_, item)| item).collect::<Vec<_>>(),
        "shown": rows.len(),
        "total": page.total_size,
        "complete": page.survey.as_ref().is_some_and(|survey| survey.complete),
    });
    let whole = with(whole, reflected(page.reflected.as_ref()));
    let whole = with(whole, [("next_page_token", json!(page.next_page_token))]);
    let mut note = format!(
        "{} of {}{}",
        rows.len(),
        counted(u64::from(page.total_size), "finding"),
        unread(page.survey.as_ref(), page.reflected.as_ref())
    );
    note.push_str(&more(&page.next_page_token));
    let answer = Answer::list(&quality::FINDING_COLUMNS, rows)
        .whole(whole)
        .note(note);
    context.output.answer(&answer)
}

/// Where to look, when a window has nothing of a plant of which there is something before it.
async fn before(
    context: &Context,
    client: &Client,
    plant: &str,
    answer: &pb::Quality,
    args: &Args,
) -> Outcome<Option<String>> {
    let events = answer.figures.as_ref().map_or(0, |figures| figures.events);
    if events > 0 || !args.source.is_empty() {
        return Ok(None);
    }
    let request = pb::ListMachinesRequest {
        parent: name::of_plant(plant),
        order_by: "last_event_at DESC".to_owned(),
        filter: "last_event_at IS NOT NULL".to_owned(),
        page_size: 1,
        instant: args.instant.message(context)?,
        ..pb::ListMachinesRequest::default()
    };
    let page = client.twin().list_machines(request).await?.into_inner();
    let newest = page.machines.first().and_then(|one| one.last_event_at);
    Ok(newest
        .filter(|newest| *newest < answer.from_time)
        .map(|newest| earlier(plant, newest)))
}

/// Where the newest event of a plant lies, and the end of a window that has it.
fn earlier(plant: &str, newest: i64) -> String {
    let end = newest
        .div_euclid(SECOND_NS)
        .saturating_add(1)
        .saturating_mul(SECOND_NS);
    format!(
        "{plant}: nothing took effect in this window; the last event of a machine did at {}: try --to {}",
        Timestamp(newest),
        Timestamp(end)
    )
}

/// What was not read of the log, when the window was too large.
fn unread(survey: Option<&pb::Survey>, of: Option<&pb::Reflected>) -> String {
    match (survey, of) {
        (Some(survey), Some(of)) if !survey.complete => format!(
            "; read only to position {} of {}: ask for a shorter window",
            survey.last_position, of.position
        ),
        _ => String::new(),
    }
}

async fn plants(client: &Client) -> Outcome<Vec<String>> {
    let mut names = Vec::new();
    let mut request = pb::ListPlantsRequest {
        parent: format!("tenants/{}", name::DEFAULT_TENANT),
        page_size: 1_000,
        page_token: String::new(),
        ..pb::ListPlantsRequest::default()
    };
    loop {
        let page = client
            .model()
            .list_plants(request.clone())
            .await?
            .into_inner();
        names.extend(page.plants.iter().map(|plant| last(&plant.name).to_owned()));
        if page.next_page_token.is_empty() {
            return Ok(names);
        }
        request.page_token = page.next_page_token;
    }
}
