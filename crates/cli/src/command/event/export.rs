//! `werkbuch event export`: recorded events as lines of JSON that another book can take in.

use super::{machine_names_at, print_row, source_names};
use crate::Context;
use crate::client::Client;
use crate::command::Instant;
use crate::command::choice::{self, Reveal};
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::output::{Answer, Format};
use crate::view::event::{self, Names};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;
use werkbuch_model::event::{Body, Recorded, SourceOpened};
use werkbuch_model::filter::Filter;
use werkbuch_wire::reason::Reason;
use werkbuch_wire::{name, pb};

mod row;

/// How many events are asked for at once.
const PAGE: i32 = 10_000;

const HELP: &str = "\
Each line is one event with all that another book needs to take it in (werkbuch import jsonl): its
source, life and number, its machine by name, its times, its kind and fields, and beside them what
this book has recorded about it. The records of the writer itself are written too; an import counts
and passes over them. The single values of samples lie beside the log and are not written.

Fields about people come encrypted, and no other book can read them so; with --reveal in plain.

A condition is in the syntax of SQL's WHERE, over: position, kind, machine, source, epoch, sequence,
occurred_at, observed_at, recorded_at, effective_at, suspect, what (as `event ls` shows it):
  --where \"kind = 'ALARM_RAISED' AND what LIKE '%hot%'\"

With --known only what had been recorded by then is written, with --at only what took effect by then, both
as in `event ls`. Machines are named as they were at that instant.";

#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Export {
    /// The plant.
    #[arg(long)]
    plant: String,
    #[command(flatten)]
    events: choice::Events,
    /// Only events for which this holds.
    #[arg(
        long = "where",
        value_name = "SQL",
        default_value = "",
        hide_default_value = true
    )]
    filter: String,
    /// Write to this file (compressed when its name ends in .gz) instead of standard output.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    reveal: Reveal,
    #[command(flatten)]
    instant: Instant,
}

/// What the lines of a book have in common.
struct Book {
    log: String,
    names: Names,
    sources: BTreeMap<u32, SourceOpened<'static>>,
}

/// What has been written.
#[derive(Default)]
struct Written {
    events: u64,
    own: u64,
    encrypted: u64,
    log_size: u64,
}

pub(crate) async fn run(context: &Context, export: Export) -> Outcome<()> {
    let filter = Filter::parse(&export.filter, &row::FIELDS).map_err(|error| {
        let reason = Reason::InvalidFilter;
        Failure::new(Exit::of_reason(reason), reason.name(), error.to_string())
            .hint("see `werkbuch event export --help` for fields and syntax")
    })?;
    let request = request(context, &export).await?;
    let client = context.client().await?;
    let book = Book::read(&client, &export.plant, request.instant.clone()).await?;
    let mut out = Out::open(context, export.out.as_deref())?;
    let written = write(&client, request, &book, &filter, &mut out).await?;
    let bytes = out.close()?;
    let mut note = format!(
        "{} of {} events; {} are the writer's own",
        written.events, written.log_size, written.own
    );
    if written.encrypted > 0 {
        note.push_str(&format!(
            "; {} hold encrypted fields about people, which another book refuses (see --reveal)",
            written.encrypted
        ));
    }
    let Some(path) = export.out else {
        context.output.note(&note);
        return Ok(());
    };
    let file = path.display().to_string();
    let whole = json!({
        "plant": export.plant,
        "file": file,
        "events": written.events,
        "writers_own": written.own,
        "encrypted": written.encrypted,
        "log_size": written.log_size,
        "bytes": bytes,
    });
    let parts = vec![
        ("plant", export.plant),
        ("file", file),
        ("events", written.events.to_string()),
        ("writer's own", written.own.to_string()),
        ("encrypted", written.encrypted.to_string()),
        ("log", written.log_size.to_string()),
        ("bytes", bytes.to_string()),
    ];
    context
        .output
        .answer(&Answer::single(parts, whole).note(note))
}

async fn request(context: &Context, export: &Export) -> Outcome<pb::ListEventsRequest> {
    let clocks = context.clocks(Some(&export.plant)).known(&export.instant);
    let range = export.events.range(&clocks).await?;
    Ok(pb::ListEventsRequest {
        parent: name::of_plant(&export.plant),
        machine: export.events.machine.clone(),
        kinds: export.events.kind.clone(),
        from_position: range.from_position,
        to_position: range.to_position,
        from_time: range.from_time,
        to_time: range.to_time,
        page_size: PAGE,
        reveal: export.reveal.reveal,
        reader: export.reveal.reader.clone(),
        purpose: export.reveal.purpose.clone(),
        instant: export.instant.message(context)?,
        ..pb::ListEventsRequest::default()
    })
}

async fn write(
    client: &Client,
    mut request: pb::ListEventsRequest,
    book: &Book,
    filter: &Filter,
    out: &mut Out<'_>,
) -> Outcome<Written> {
    let mut written = Written::default();
    loop {
        let page = client.history().list_events(request.clone()).await?;
        let page = page.into_inner();
        written.log_size = page.log_size;
        for bytes in &page.events {
            let event = event::decode(bytes)?;
            if !filter.matches(&row::EventRow::new(&event, book)) {
                continue;
            }
            let line = book.line(&event)?;
            written.events += 1;
            written.own += u64::from(!event.is_reported());
            written.encrypted += u64::from(is_encrypted(&line));
            out.put(&event, &line, &book.names)?;
        }
        if page.next_page_token.is_empty() {
            return Ok(written);
        }
        request.page_token = page.next_page_token;
    }
}

/// Whether a field about a person is there in its encrypted form alone.
fn is_encrypted(value: &Value) -> bool {
    match value {
        Value::Object(members) => {
            let bare = members.contains_key("ciphertext") && !members.contains_key("plain");
            bare || members.values().any(is_encrypted)
        }
        _ => false,
    }
}

impl Book {
    async fn read(client: &Client, plant: &str, instant: Option<pb::Instant>) -> Outcome<Self> {
        let request = pb::GetPlantRequest {
            name: name::of_plant(plant),
            instant: None,
        };
        let log = client.model().get_plant(request).await?.into_inner().log_id;
        Ok(Self {
            log,
            names: Names {
                machines: machine_names_at(client, plant, instant).await?,
                sources: source_names(client, plant).await?,
            },
            sources: sources(client, plant).await?,
        })
    }

    /// An event as a line: the form that `werkbuch_gateway::source::jsonl` reads.
    fn line(&self, event: &Recorded<'_>) -> Outcome<Value> {
        let reported = &event.reported;
        let mut line = Map::new();
        let mut put = |name: &str, value: Value| line.insert(name.to_owned(), value);
        let opened = self.sources.get(&event.source.get());
        if let Some(opened) = opened {
            put("source", json!(opened.name));
            put("epoch", json!(opened.epoch));
            put("sequence", json!(reported.sequence));
        }
        if let Some(machine) = self.machine(event) {
            put("machine", machine);
        }
        put("occurred_at", json!(reported.occurred_at));
        if let Some(observed_at) = reported.observed_at {
            put("observed_at", json!(observed_at));
        }
        if reported.historical {
            put("historical", json!(true));
        }
        put("kind", json!(reported.body.kind()));
        put("fields", event::fields(&reported.body)?);
        if let Some(corrects) = self.corrects(event) {
            put("corrects", corrects);
        }
        put("recorded", self.recorded(event, opened));
        Ok(Value::Object(line))
    }

    /// By name; one that is gone by its number.
    fn machine(&self, event: &Recorded<'_>) -> Option<Value> {
        let number = event.reported.machine.get();
        let name = self.names.machines.get(&number).map(|name| json!(name));
        (number != 0).then(|| name.unwrap_or_else(|| json!(number)))
    }

    /// The events that a correction corrects, by what they are in every book.
    fn corrects(&self, event: &Recorded<'_>) -> Option<Value> {
        let targets = event.corrected.iter().map(|target| {
            let opened = self.sources.get(&target.source.get());
            json!({
                "source": opened.map(|opened| &opened.name),
                "epoch": opened.map(|opened| opened.epoch),
                "sequence": target.sequence,
            })
        });
        let targets: Vec<_> = targets.collect();
        (!targets.is_empty()).then_some(Value::Array(targets))
    }

    fn recorded(&self, event: &Recorded<'_>, opened: Option<&SourceOpened<'_>>) -> Value {
        let mut recorded = json!({
            "log": self.log,
            "position": event.position,
            "recorded_at": event.recorded_at,
            "effective_at": event.effective_at,
            "previous": event.previous,
            "flags": event.flags.names(),
            "authority": event.authority,
        });
        if let (Value::Object(members), Some(opened)) = (&mut recorded, opened) {
            members.insert("source_kind".to_owned(), json!(opened.source_kind));
            members.insert("tolerance_ns".to_owned(), json!(opened.tolerance_ns));
        }
        recorded
    }
}

/// How each source was opened, by its number.
async fn sources(client: &Client, plant: &str) -> Outcome<BTreeMap<u32, SourceOpened<'static>>> {
    let mut request = pb::ListEventsRequest {
        parent: name::of_plant(plant),
        kinds: vec!["SOURCE_OPENED".to_owned()],
        page_size: PAGE,
        ..pb::ListEventsRequest::default()
    };
    let mut sources = BTreeMap::new();
    loop {
        let page = client.history().list_events(request.clone()).await?;
        let page = page.into_inner();
        for bytes in &page.events {
            if let Body::SourceOpened(opened) = event::decode(bytes)?.reported.body {
                let name = opened.name.into_owned().into();
                sources.insert(opened.number.get(), SourceOpened { name, ..opened });
            }
        }
        if page.next_page_token.is_empty() {
            return Ok(sources);
        }
        request.page_token = page.next_page_token;
    }
}

/// Where the lines go.
enum Out<'c> {
    Stdout { context: &'c Context, rows: bool },
    File { path: PathBuf, out: Box<Compressed> },
}

enum Compressed {
    Not(BufWriter<NamedTempFile>),
    Gzip(GzEncoder<BufWriter<NamedTempFile>>),
}

impl<'c> Out<'c> {
    fn open(context: &'c Context, path: Option<&Path>) -> Outcome<Self> {
        let Some(path) = path else {
            let rows = matches!(context.asked_format(), Some(Format::Table | Format::Csv));
            if rows {
                super::head(context)?;
            }
            return Ok(Self::Stdout { context, rows });
        };
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        let file = NamedTempFile::new_in(folder).map_err(|error| Failure::file(path, &error))?;
        let file = BufWriter::new(file);
        let gzip = path.extension().is_some_and(|extension| extension == "gz");
        Ok(Self::File {
            path: path.to_owned(),
            out: Box::new(if gzip {
                Compressed::Gzip(GzEncoder::new(file, Compression::default()))
            } else {
                Compressed::Not(file)
            }),
        })
    }

    fn put(&mut self, event: &Recorded<'_>, line: &Value, names: &Names) -> Outcome<()> {
        match self {
            Self::Stdout {
                context,
                rows: true,
            } => print_row(context, event, names),
            Self::Stdout { context, .. } => context.output.text(&format!("{line}\n")),
            Self::File { path, out } => match &mut **out {
                Compressed::Not(file) => writeln!(file, "{line}"),
                Compressed::Gzip(file) => writeln!(file, "{line}"),
            }
            .map_err(|error| Failure::file(path, &error)),
        }
    }

    /// Puts the file in its place, whole; answers with its length.
    fn close(self) -> Outcome<u64> {
        let Self::File { path, out } = self else {
            return Ok(0);
        };
        let close = || {
            let file = match *out {
                Compressed::Not(file) => file,
                Compressed::Gzip(file) => file.finish()?,
            };
            let file = file.into_inner().map_err(|error| error.into_error())?;
            let kept = file.persist(&path).map_err(|error| error.error)?;
            Ok(kept.metadata()?.len())
        };
        close().map_err(|error| Failure::file(&path, &error))
    }
}
