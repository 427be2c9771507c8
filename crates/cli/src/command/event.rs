//! `werkbuch event`: the recorded events of a plant.

mod append;
mod body;
mod export;

use super::{Instant, NoInstant, reflected, with};
use crate::Context;
use crate::client::Client;
use crate::command::choice::{self, Reveal};
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::interrupt::End;
use crate::output::{Answer, Format};
use crate::view::event::{self, COLUMNS, Names};
use crate::when::{self, Bound};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use werkbuch_model::event::Recorded;
use werkbuch_wire::reason::Reason;
use werkbuch_wire::{name, pb};

/// The most events of a page.
const PAGE_MAX: i32 = 10_000;
/// How many machines' names are asked for at once.
const NAMES_PAGE: i32 = 10_000;

/// Why a log that is followed has no instant, and what to do.
const NO_TAIL: (&str, &str) = (
    "a log that is followed goes on with what is recorded, so it has no instant",
    "begin in the past with --from POSITION or --from TIME, or list events at an instant with event ls",
);

const TAIL_HELP: &str = "\
There is no --at and no --known: a log that is followed goes on with what is recorded. It begins in the past
with --from; `event ls` lists the events of an instant.

  werkbuch event tail --plant demo --from -10min --kind ALARM_RAISED";

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Args {
    /// Recorded events in the order of their positions.
    Ls(Box<List>),
    /// One recorded event.
    Get {
        /// Its position.
        position: u64,
        /// The plant.
        #[arg(long)]
        plant: String,
        #[command(flatten)]
        instant: Instant,
    },
    /// The single values of a batch of samples, or why they are not there.
    Body {
        /// The position of the batch.
        position: u64,
        /// The plant.
        #[arg(long)]
        plant: String,
        #[command(flatten)]
        instant: Instant,
    },
    /// Events as they are recorded, without loss or repeat, from now on or from the past.
    #[command(after_help = TAIL_HELP)]
    Tail(Tail),
    /// Write recorded events as lines of JSON that another book can take in.
    Export(Box<export::Export>),
    /// Report one event.
    Append(Box<append::Append>),
}

#[derive(Debug, clap::Args)]
pub(crate) struct List {
    /// The plant.
    #[arg(long)]
    plant: String,
    #[command(flatten)]
    events: choice::Events,
    /// The most events of a page (the server's default is 100, the most is 10,000).
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(i32).range(0..))]
    limit: i32,
    /// Where to go on, from the page before.
    #[arg(
        long,
        value_name = "TOKEN",
        default_value = "",
        hide_default_value = true
    )]
    page_token: String,
    /// From the newest to the oldest.
    #[arg(long)]
    newest_first: bool,
    #[command(flatten)]
    reveal: Reveal,
    #[command(flatten)]
    instant: Instant,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Tail {
    /// The plant.
    #[arg(long)]
    plant: String,
    /// The first position wanted, or the time of recording from which on; left out: what comes from now
    /// on.
    #[arg(long, value_name = "POSITION|TIME", allow_hyphen_values = true)]
    from: Option<String>,
    #[command(flatten)]
    no_instant: NoInstant,
    /// Only of this machine (name or number).
    #[arg(long, default_value = "", hide_default_value = true)]
    machine: String,
    /// Only of this kind; can be given several times.
    #[arg(long)]
    kind: Vec<String>,
    /// Stop after this long, such as 90s or 5m.
    #[arg(long = "for", value_name = "DURATION")]
    duration: Option<String>,
}

pub(crate) async fn run(args: Args, context: &Context) -> Outcome<()> {
    match args {
        Args::Ls(list) => self::list(context, *list).await,
        Args::Get {
            position,
            plant,
            instant,
        } => get(context, &plant, position, &instant).await,
        Args::Body {
            position,
            plant,
            instant,
        } => body::run(context, &plant, position, &instant).await,
        Args::Tail(tail) => self::tail(context, tail).await,
        Args::Export(export) => Box::pin(export::run(context, *export)).await,
        Args::Append(append) => Box::pin(append::run(context, *append)).await,
    }
}

async fn list(context: &Context, list: List) -> Outcome<()> {
    if list.limit > PAGE_MAX {
        let what = format!(
            "--limit {}: a page has at most {PAGE_MAX} events",
            list.limit
        );
        let hint =
            "go on with --page-token, or write all of them to a file: werkbuch export events";
        return Err(Failure::usage(what).hint(hint));
    }
    let clocks = context.clocks(Some(&list.plant)).known(&list.instant);
    let range = list.events.range(&clocks).await?;
    let request = pb::ListEventsRequest {
        parent: name::of_plant(&list.plant),
        machine: list.events.machine,
        kinds: list.events.kind,
        from_position: range.from_position,
        to_position: range.to_position,
        from_time: range.from_time,
        to_time: range.to_time,
        page_size: list.limit,
        page_token: list.page_token,
        newest_first: list.newest_first,
        instant: list.instant.message(context)?,
        reveal: list.reveal.reveal,
        reader: list.reveal.reader,
        purpose: list.reveal.purpose,
    };
    let client = context.client().await?;
    let page = client.history().list_events(request).await?.into_inner();
    let mut names = names(context, &client, &list.plant).await?;
    name_gone(context, &client, &list.plant, &page.events, &mut names).await?;
    let rows = page
        .events
        .iter()
        .map(|bytes| shown(bytes, &names))
        .collect::<Outcome<Vec<_>>>()?;
    let whole = json!({
        "events": rows.iter().map(|(_, item)| item).collect::<Vec<_>>(),
        "shown": rows.len(),
        "log_size": page.log_size,
    });
    let whole = with(whole, reflected(page.reflected.as_ref()));
    let whole = with(whole, [("next_page_token", json!(page.next_page_token))]);
    let mut note = format!("{} of {} events of the log", rows.len(), page.log_size);
    let bounded = page
        .reflected
        .as_ref()
        .filter(|of| of.at.is_some() || of.known_recorded_at.is_some());
    note.push_str(&super::at_position(bounded));
    if !page.next_page_token.is_empty() {
        note.push_str(&format!(
            "; more with --page-token {}",
            page.next_page_token
        ));
    }
    let answer = Answer::list(&COLUMNS.map(|(name, _)| name), rows)
        .whole(whole)
        .note(note);
    context.output.answer(&answer)
}

fn shown(bytes: &[u8], names: &Names) -> Outcome<(Vec<String>, Value)> {
    let event = event::decode(bytes)?;
    Ok((event::row(&event, names), event::json(&event)?))
}

async fn get(context: &Context, plant: &str, position: u64, instant: &Instant) -> Outcome<()> {
    let request = pb::ListEventsRequest {
        parent: name::of_plant(plant),
        from_position: position,
        to_position: position,
        page_size: 1,
        instant: instant.message(context)?,
        ..pb::ListEventsRequest::default()
    };
    let client = context.client().await?;
    let page = client.history().list_events(request).await?.into_inner();
    let found = page.events.first().filter(|_| position > 0);
    let Some(bytes) = found else {
        let what = format!(
            "plant \"{plant}\" has no event at position {position}; its log ends at {}",
            page.log_size
        );
        return Err(Failure::new(Exit::NotFound, "UNKNOWN_POSITION", what)
            .hint(format!("werkbuch event ls --plant {plant} lists events")));
    };
    let mut names = names(context, &client, plant).await?;
    name_gone(context, &client, plant, &page.events, &mut names).await?;
    let event = event::decode(bytes)?;
    let row = event::row(&event, &names);
    let mut parts: Vec<_> = COLUMNS.iter().map(|(name, _)| *name).zip(row).collect();
    parts.push(("recorded_at", event.recorded_at.to_string()));
    parts.push(("occurred_at", event.reported.occurred_at.to_string()));
    parts.push(("sequence", event.reported.sequence.to_string()));
    parts.push(("authority", event.authority.to_string()));
    parts.push(("previous", event.previous.to_string()));
    parts.extend(event::parts(&event.reported.body)?);
    context
        .output
        .answer(&Answer::single(parts, event::json(&event)?))
}

async fn tail(context: &Context, tail: Tail) -> Outcome<()> {
    tail.no_instant.refuse(NO_TAIL.0, NO_TAIL.1)?;
    let duration = tail.duration.as_deref().map(when::duration).transpose()?;
    let clocks = context.clocks(Some(&tail.plant));
    let from = clocks.bound_if_any(tail.from.as_deref()).await?;
    let client = context.client().await?;
    let names = names(context, &client, &tail.plant).await?;
    let end = End::after(duration);
    let mut next = 0;
    let follow = follow(context, &client, (tail, from), names, (&end, &mut next));
    let outcome = tokio::select! {
        outcome = follow => outcome,
        () = end.clone().come() => Ok(()),
    };
    if next > 0 && outcome.is_ok() {
        context.output.note(&format!("go on with --from {next}"));
    }
    outcome
}

/// Follows the log through lost connections and a reader's own slowness, from where it stands, and notes
/// which position comes next.
async fn follow(
    context: &Context,
    client: &Client,
    (tail, from): (Tail, Option<Bound>),
    mut names: Names,
    (end, next): (&End, &mut u64),
) -> Outcome<()> {
    let (from_position, from_recorded_at) = match from {
        None => (0, None),
        Some(Bound::Position(position)) => (position, None),
        Some(Bound::Time(time)) => (0, Some(time.nanos())),
    };
    let mut request = pb::TailEventsRequest {
        parent: name::of_plant(&tail.plant),
        from_position,
        from_recorded_at,
        machine: tail.machine.clone(),
        kinds: tail.kind.clone(),
    };
    if matches!(context.output.format, Format::Table | Format::Csv) {
        head(context)?;
    }
    loop {
        let mut stream = client
            .history()
            .tail_events(request.clone())
            .await?
            .into_inner();
        loop {
            match stream.message().await {
                Ok(Some(more)) => {
                    name_gone(context, client, &tail.plant, &more.events, &mut names).await?;
                    for bytes in &more.events {
                        print(context, bytes, &names)?;
                    }
                    request.from_position = more.position.saturating_add(1);
                    request.from_recorded_at = None;
                    *next = request.from_position;
                    // While the past is told there is always more, so nothing else would be looked at.
                    if end.is_there() {
                        return Ok(());
                    }
                }
                Ok(None) => return Ok(()),
                Err(status) if Reason::of(&status) == Some(Reason::SlowReader) => break,
                Err(status) => {
                    let next = request.from_position;
                    let failure = Failure::from(status);
                    return Err(match next {
                        0 => failure,
                        next => failure.hint(format!("go on with --from {next}")),
                    });
                }
            }
        }
    }
}

/// The names of the columns, before a stream of rows.
fn head(context: &Context) -> Outcome<()> {
    let head = COLUMNS.map(|(name, width)| (name.to_ascii_uppercase(), width));
    let head = head.iter().map(|(name, width)| (name.as_str(), *width));
    let head: Vec<_> = head.collect();
    context.output.streamed(&head, &Value::Null)
}

fn print(context: &Context, bytes: &[u8], names: &Names) -> Outcome<()> {
    print_row(context, &event::decode(bytes)?, names)
}

fn print_row(context: &Context, event: &Recorded<'_>, names: &Names) -> Outcome<()> {
    let row = event::row(event, names);
    let widths = COLUMNS.iter().map(|(_, width)| *width);
    let cells: Vec<_> = row.iter().map(String::as_str).zip(widths).collect();
    context.output.streamed(&cells, &event::json(event)?)
}

/// The names of the plant's machines and sources, where people read; programs get the numbers as
/// stored.
async fn names(context: &Context, client: &Client, plant: &str) -> Outcome<Names> {
    match context.output.format {
        Format::Table | Format::Csv => Ok(Names {
            machines: machine_names(client, plant).await?,
            sources: source_names(client, plant).await?,
        }),
        Format::Json | Format::Jsonl => Ok(Names::default()),
    }
}

/// Adds the names of the machines that events are about and that no list has any more: the last ones
/// that they had. One that came since the list was read is found so too.
async fn name_gone(
    context: &Context,
    client: &Client,
    plant: &str,
    events: &[bytes::Bytes],
    names: &mut Names,
) -> Outcome<()> {
    if matches!(context.output.format, Format::Json | Format::Jsonl) {
        return Ok(());
    }
    for bytes in events {
        let number = event::decode(bytes)?.reported.machine.get();
        if number == 0 || names.machines.contains_key(&number) {
            continue;
        }
        let request = pb::GetMachineRequest {
            name: name::of_machine(plant, &number.to_string()),
            instant: None,
        };
        let found = match client.twin().get_machine(request).await {
            Ok(found) => found.into_inner().machine.unwrap_or_default(),
            Err(status) if status.code() == tonic::Code::NotFound => pb::Machine::default(),
            Err(status) => return Err(status.into()),
        };
        let name = super::last(&found.name);
        let is_name = !name.is_empty() && name != number.to_string();
        let shown = if is_name {
            name.to_owned()
        } else {
            format!("#{number}")
        };
        names.machines.insert(number, shown);
    }
    Ok(())
}

/// The names of the plant's sources with their epochs, by their numbers.
pub(crate) async fn source_names(client: &Client, plant: &str) -> Outcome<BTreeMap<u32, String>> {
    let request = pb::GetTwinRequest {
        name: name::of_plant(plant),
        instant: None,
    };
    let twin = client.twin().get_twin(request).await?.into_inner();
    let named = |one: &pb::SourceStatus| (one.number, format!("{}#{}", one.source, one.epoch));
    Ok(twin.sources.iter().map(named).collect())
}

/// The names of the plant's machines, by their numbers.
pub(crate) async fn machine_names(client: &Client, plant: &str) -> Outcome<BTreeMap<u32, String>> {
    machine_names_at(client, plant, None).await
}

/// The names that the plant's machines had at an instant, by their numbers.
pub(crate) async fn machine_names_at(
    client: &Client,
    plant: &str,
    instant: Option<pb::Instant>,
) -> Outcome<BTreeMap<u32, String>> {
    let mut names = BTreeMap::new();
    let mut request = pb::ListMachinesRequest {
        parent: name::of_plant(plant),
        page_size: NAMES_PAGE,
        instant,
        ..pb::ListMachinesRequest::default()
    };
    loop {
        let page = client
            .twin()
            .list_machines(request.clone())
            .await?
            .into_inner();
        let found = page.machines.into_iter();
        names.extend(found.map(|one| (one.number, super::last(&one.name).to_owned())));
        if page.next_page_token.is_empty() {
            return Ok(names);
        }
        request.page_token = page.next_page_token;
    }
}
