//! `werkbuch event append`: reports one event, for what no gateway says.

use super::machine_names;
use crate::Context;
use crate::client::Client;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::output::Answer;
use crate::view::event::{self, Names};
use crate::when;
use clap::ArgGroup;
use serde_json::{Map, Value, json};
use std::io::Read;
use std::time::Duration;
use werkbuch_gateway::source::jsonl::{self, Entry, Line};
use werkbuch_model::event::{Kind, Reported, SourceKind};
use werkbuch_model::id::{MachineNumber, Sequence};
use werkbuch_model::time::Timestamp;
use werkbuch_wire::pb::ingest_service_client::IngestServiceClient;
use werkbuch_wire::pb::outcome::Result as Said;
use werkbuch_wire::reason::{Reason, retry_delay_of};
use werkbuch_wire::{name, pb};

/// How often it is tried again when somebody else reports as the same source at the same moment.
const TRIES: u32 = 8;

const HELP: &str = "\
A field is given as NAME=VALUE; lists and objects as JSON. An unknown kind or field is answered with
the nearest, or with those that there are.

  werkbuch event append --machine press-3 --kind STATE_CHANGED --set to=FAULTED --set reason=E12
  werkbuch event append --machine press-3 --kind ALARM_RAISED --set key=E12 --set severity=700 \\
    --at 2026-11-22T06:00:00Z
  echo '{\"machine\":\"press-3\",\"kind\":\"STATE_CHANGED\",\"to\":\"HELD\"}' | werkbuch event append --json -";

/// Report one event.
///
/// The source goes on with its numbers where it stands in the plant's log. A time that is given is
/// believed: the event is declared to be entered by hand.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP, group = ArgGroup::new("what").required(true).multiple(true).args(["kind", "json"]))]
pub(crate) struct Append {
    /// The plant.
    #[arg(long)]
    plant: String,
    /// The machine that it is about (name or number).
    #[arg(long, default_value = "", hide_default_value = true)]
    machine: String,
    /// Its kind, such as STATE_CHANGED.
    #[arg(long)]
    kind: Option<String>,
    /// A field of the kind; can be given several times.
    #[arg(long = "set", value_name = "FIELD=VALUE")]
    fields: Vec<String>,
    /// When it happened; left out: now.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    at: Option<String>,
    /// The source that reports it.
    #[arg(long, default_value = "cli")]
    source: String,
    /// The event as a JSON object, or `-` to read it; what is given beside it goes before.
    #[arg(long, value_name = "JSON|-")]
    json: Option<String>,
}

/// Where the event came to stand.
struct Placed {
    position: u64,
    epoch: u32,
    sequence: u64,
}

pub(crate) async fn run(context: &Context, append: Append) -> Outcome<()> {
    let now = when::now();
    let clocks = context.clocks(Some(&append.plant));
    let at = clocks.time_if_any(append.at.as_deref()).await?;
    let (entry, timed) = entry(&append, at, now.to_string())?;
    let client = context.client().await?;
    let mut reported = Reported {
        sequence: Sequence(0),
        machine: MachineNumber(0),
        occurred_at: entry.occurred_at,
        observed_at: entry.observed_at,
        historical: timed || entry.historical,
        body: entry.body,
    };
    let machine = entry.machine.unwrap_or_default();
    let placed = place(&client, &append, &machine, &mut reported).await?;
    let request = pb::ListEventsRequest {
        parent: name::of_plant(&append.plant),
        from_position: placed.position,
        to_position: placed.position,
        page_size: 1,
        ..pb::ListEventsRequest::default()
    };
    let page = client.history().list_events(request).await?.into_inner();
    let bytes = page.events.first().map(AsRef::as_ref).unwrap_or_default();
    let recorded = event::decode(bytes)?;
    let names = Names {
        machines: machine_names(&client, &append.plant).await?,
        ..Names::default()
    };
    let mut row = event::row(&recorded, &names);
    let source = format!("{}#{}", append.source, placed.epoch);
    let machine = row.get(2).cloned().unwrap_or_default();
    let whole = json!({
        "plant": append.plant,
        "position": placed.position,
        "source": append.source,
        "epoch": placed.epoch,
        "sequence": placed.sequence,
        "machine": machine,
        "kind": recorded.reported.body.kind(),
        "effective_at": recorded.effective_at,
        "flags": recorded.flags.names(),
    });
    let what = row.pop().unwrap_or_default();
    let flags = row.pop().unwrap_or_default();
    let parts = vec![
        ("position", placed.position.to_string()),
        ("effective_at", recorded.effective_at.to_string()),
        ("machine", machine),
        ("kind", recorded.reported.body.kind().to_string()),
        ("source", source),
        ("sequence", placed.sequence.to_string()),
        ("flags", flags),
        ("what", what),
    ];
    let note = format!(
        "recorded at position {} of plant \"{}\"",
        placed.position, append.plant
    );
    context
        .output
        .answer(&Answer::single(parts, whole).note(note))
}

/// The event that is meant, and whether a time was given for it.
fn entry(append: &Append, at: Option<Timestamp>, now: String) -> Outcome<(Entry, bool)> {
    let wrong = |what: String| Failure::new(Exit::Usage, "INVALID_EVENT", what);
    let mut members = match &append.json {
        None => Map::new(),
        Some(text) => object(text)?,
    };
    let identity = ["source", "epoch", "sequence", "recorded"];
    if let Some(name) = identity.iter().find(|name| members.contains_key(**name)) {
        return Err(
            wrong(format!("the event has \"{name}\": it was recorded already"))
                .hint("werkbuch import jsonl takes in what another book has recorded"),
        );
    }
    if let Some(kind) = &append.kind {
        members.insert("kind".to_owned(), json!(kind));
    }
    if !append.machine.is_empty() {
        members.insert("machine".to_owned(), json!(append.machine));
    }
    let times = ["occurred_at", "time", "at"];
    if let Some(at) = at {
        members.retain(|name, _| !times.contains(&name.as_str()));
        members.insert("at".to_owned(), json!(at));
    }
    let timed = times.iter().any(|name| members.contains_key(*name));
    if !timed {
        members.insert("at".to_owned(), json!(now));
    }
    set(&mut members, &append.fields)?;
    let text = Value::Object(members).to_string();
    match jsonl::parse(&text).map_err(wrong)? {
        Line::Event(entry) => {
            let fields = |error: werkbuch_model::event::Refusal| {
                let name = error.reason.name();
                refused(name, error.field.to_string(), error.detail)
            };
            entry.body.validate().map_err(fields)?;
            Ok((*entry, timed))
        }
        Line::WritersOwn(kind) => {
            let kinds: Vec<_> = jsonl::reportable().map(Kind::name).collect();
            let what = format!("{kind} is written by the plant's writer alone");
            Err(wrong(what).hint(format!("to be reported: {}", kinds.join(", "))))
        }
    }
}

/// The object of `--json`.
fn object(text: &str) -> Outcome<Map<String, Value>> {
    let text = if text == "-" {
        let mut text = String::new();
        let read = std::io::stdin().read_to_string(&mut text);
        read.map_err(|error| Failure::usage(format!("standard input: {error}")))?;
        text
    } else {
        text.to_owned()
    };
    match jsonl::value(&text) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) => Err(Failure::usage("--json is not an object").hint("{\"kind\": ...}")),
        Err(error) if error.is_data() => {
            Err(Failure::usage(format!("--json: {error}"))
                .hint("leave out the one that is not meant"))
        }
        Err(error) => Err(Failure::usage(format!("--json is not JSON: {error}"))
            .hint("one event at a time; werkbuch import jsonl takes many")),
    }
}

/// Puts the fields where the event's fields are.
fn set(members: &mut Map<String, Value>, fields: &[String]) -> Outcome<()> {
    // Without a place of their own fields could be taken for what stands beside them.
    let mut given = Map::new();
    for field in fields {
        let (name, value) = field.split_once('=').ok_or_else(|| {
            Failure::usage(format!("\"{field}\" is not of the form FIELD=VALUE"))
                .hint("such as --set to=FAULTED")
        })?;
        let name = name.trim();
        if given.insert(name.to_owned(), json!(value)).is_some() {
            return Err(Failure::usage(format!("--set gives \"{name}\" twice"))
                .hint("leave out the one that is not meant; a list is given as JSON"));
        }
    }
    let apart = members.keys().all(|name| BESIDE.contains(&name.as_str()));
    match members.get_mut("fields") {
        Some(Value::Object(known)) => known.extend(given),
        _ if apart => {
            members.insert("fields".to_owned(), Value::Object(given));
        }
        _ => members.extend(given),
    }
    Ok(())
}

/// What stands beside the fields of an event.
const BESIDE: [&str; 7] = [
    "kind",
    "machine",
    "at",
    "time",
    "occurred_at",
    "observed_at",
    "historical",
];

/// Reports the event as the next one of its source.
async fn place(
    client: &Client,
    append: &Append,
    machine: &str,
    reported: &mut Reported<'_>,
) -> Outcome<Placed> {
    let ingest = IngestServiceClient::new(client.channel());
    let machines = Some(machine.to_owned()).filter(|machine| !machine.is_empty());
    let machines = match machines {
        // A number stands for itself; whether it is one of the plant is for the writer to say.
        Some(number) if number.parse::<u32>().is_ok() => {
            reported.machine = MachineNumber(number.parse().unwrap_or_default());
            Vec::new()
        }
        other => other.into_iter().collect(),
    };
    let mut tries = 0;
    loop {
        let open = pb::OpenSourceRequest {
            parent: name::of_plant(&append.plant),
            source: append.source.clone(),
            source_kind: i32::try_from(SourceKind::Live.code()).unwrap_or_default(),
            epoch: life(client, append).await?,
            tolerance_ns: None,
            machines: machines.clone(),
        };
        let (way, open) = (&ingest, &open);
        let opening = || async move { way.clone().open_source(open.clone()).await };
        let opened = match patiently(opening).await {
            Ok(opened) => opened,
            Err(status) if is_taken(&status) && tries < TRIES => {
                tries += 1;
                wait(tries).await;
                continue;
            }
            Err(status) => return Err(status.into()),
        };
        if let Some(number) = opened.machine_numbers.first() {
            reported.machine = MachineNumber(*number);
        }
        reported.sequence = Sequence(opened.next_sequence);
        let request = &pb::AppendRequest {
            session: opened.session,
            events: vec![werkbuch_record::encode_reported(reported).into()],
            ..pb::AppendRequest::default()
        };
        match patiently(|| async move { way.clone().append(request.clone()).await }).await {
            Ok(answer) => {
                let (epoch, sequence) = (opened.epoch, opened.next_sequence);
                let position = position(&answer)?;
                return Ok(Placed {
                    position,
                    epoch,
                    sequence,
                });
            }
            // It was not taken: somebody else has opened the source in between.
            Err(status) if is_taken(&status) && tries < TRIES => {
                tries += 1;
                wait(tries).await;
            }
            Err(status) => return Err(status.into()),
        }
    }
}

/// Asks, and again after the pause that a server asks for whose queue is full: under the same number
/// nothing is recorded twice. Errors: those of the server, also that it still has no room after some
/// tries.
async fn patiently<T, F>(ask: impl Fn() -> F) -> Result<T, tonic::Status>
where
    F: Future<Output = Result<tonic::Response<T>, tonic::Status>>,
{
    let mut tries = 0;
    loop {
        let refused = match ask().await {
            Ok(answer) => return Ok(answer.into_inner()),
            Err(status) => status,
        };
        let full = Reason::of(&refused) == Some(Reason::Overloaded);
        match retry_delay_of(&refused).filter(|_| full && tries < TRIES) {
            Some(pause) => tokio::time::sleep(pause).await,
            None => return Err(refused),
        }
        tries += 1;
    }
}

/// Whether somebody else has opened the source in between, in this life or in a newer one.
fn is_taken(status: &tonic::Status) -> bool {
    let reason = Reason::of(status);
    matches!(reason, Some(Reason::SessionFenced | Reason::EpochFenced))
}

async fn wait(tries: u32) {
    let pause = u64::from(std::process::id() % 50 + 20 * tries);
    tokio::time::sleep(Duration::from_millis(pause)).await;
}

/// The life in which the source stands; the first when it is new.
async fn life(client: &Client, append: &Append) -> Outcome<Option<u32>> {
    let request = pb::GetTwinRequest {
        name: name::of_plant(&append.plant),
        instant: None,
    };
    let twin = client.twin().get_twin(request).await?.into_inner();
    let lives = twin
        .sources
        .iter()
        .filter(|one| one.source == append.source);
    // A new source begins with its first life by name: two that report at the same moment then
    // contend for one life instead of opening two.
    Ok(Some(lives.map(|one| one.epoch).max().unwrap_or(1)))
}

fn position(answer: &pb::AppendResponse) -> Outcome<u64> {
    let said = answer
        .outcomes
        .first()
        .and_then(|outcome| outcome.result.as_ref());
    match said {
        Some(Said::Recorded(position) | Said::RepeatedAt(position)) => Ok(*position),
        Some(Said::Refused(why)) => {
            let reason = u32::try_from(why.reason).ok();
            let reason = reason.and_then(werkbuch_model::event::RefusalReason::from_code);
            let reason = reason.unwrap_or_default().name();
            Err(refused(reason, why.field.clone(), why.message.clone()))
        }
        None => Err(Failure::new(
            Exit::Failed,
            "INCOMPLETE_ANSWER",
            "the server did not say what became of the event",
        )),
    }
}

/// What an event was refused for stands at its field.
fn refused(reason: &str, field: String, why: String) -> Failure {
    Failure::new(Exit::Usage, reason, "the event is refused").violations(vec![(field, why)])
}
