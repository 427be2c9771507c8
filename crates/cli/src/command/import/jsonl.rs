//! `werkbuch import jsonl`: takes in what another book wrote out, or what people wrote.

mod account;
mod send;
mod sources;

use super::target;
use crate::Context;
use crate::client::Client;
use crate::command::event::machine_names;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::when;
use account::{Account, Report};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use send::Sender;
use sources::Lives;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;
use tokio::sync::mpsc;
use tonic::Code;
use werkbuch_gateway::source::jsonl::{Entry, Read, Reader, Survey, VERSION};
use werkbuch_gateway::source::{ContentHash, ReadError, content_source_name, open};
use werkbuch_gateway::upload::Pace;
use werkbuch_model::id::{MachineNumber, PlantId, SourceName};
use werkbuch_model::nearest::did_you_mean;
use werkbuch_wire::{name, pb};

/// How many lines go from the reader to the sender at once, and how many such loads may wait.
const LOAD: usize = 512;
const LOADS: usize = 8;

const HELP: &str = "\
A line that another book wrote (werkbuch event export) keeps its source, life and number, so that this
book holds what that one holds, and importing it again records nothing. The sources are opened as
their own: a gateway that reports under such a name to this very plant would lose its say, so a name
that reports live here is refused (see --source-prefix).

A line written by hand needs a kind, a time and mostly a machine; such lines are numbered by a source
that is named after the content:
  {\"machine\":\"press-3\",\"time\":\"2026-11-22T06:00:00Z\",\"kind\":\"STATE_CHANGED\",\"to\":\"HELD\"}

Every line is accounted for. One that cannot be read is recorded as a gap and told with its number, and
one that is refused with the reason; all others are recorded, and the exit code is then 1. The
records of the other book's writer are counted, and this book writes its own. The single values of
samples lie beside a log and are in no line; their figures are taken in.";

#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Jsonl {
    /// The plant.
    #[arg(long)]
    plant: String,
    /// Put this before the names of the sources, such as `old:`.
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true
    )]
    source_prefix: String,
    /// Number all events anew, by a source that is named after the content, as for a part of a book
    /// that leaves holes in the numbers of its sources.
    #[arg(long, conflicts_with = "source_prefix")]
    renumber: bool,
    /// How long to try again without any progress while the server is away or has no room.
    #[arg(long, value_name = "DURATION", default_value = "60s")]
    patience: String,
    /// The files, plain or gzip; `-` reads standard input.
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

/// From the reader to the sender.
enum Load {
    Lines { reads: Vec<Read>, bytes: u64 },
    End { lines: u64, blank: u64 },
    Failed(ReadError),
}

type Machines = BTreeMap<String, Option<MachineNumber>>;

pub(crate) async fn run(args: Jsonl, context: &Context) -> Outcome<()> {
    let pace = Pace {
        patience: when::duration(&args.patience)?,
        ..Pace::default()
    };
    let plant = PlantId::new(&args.plant).map_err(|error| Failure::usage(error.to_string()))?;
    let client = context.client().await?;
    client.until_back(&plant, pace.patience).await?;
    let bars = MultiProgress::with_draw_target(target(context, false));
    let mut report = Report::new(&args.plant);
    for path in &args.files {
        let importing = Importing {
            client: &client,
            plant: plant.clone(),
            args: &args,
            pace,
            bars: &bars,
        };
        report.add(importing.run(path).await?);
    }
    let _ = bars.clear();
    context.output.answer(&report.answer())?;
    if let Some(mistake) = report.mistake() {
        return Err(
            Failure::new(Exit::Failed, "IMPORT_DOES_NOT_RECONCILE", mistake)
                .hint("this is an error of the program; report it with the file"),
        );
    }
    match report.incomplete() {
        None => Ok(()),
        Some(what) => Err(Failure::new(Exit::Failed, "IMPORT_INCOMPLETE", what)
            .hint("mend those lines in a file of their own and import that")),
    }
}

struct Importing<'a> {
    client: &'a Client,
    plant: PlantId,
    args: &'a Jsonl,
    pace: Pace,
    bars: &'a MultiProgress,
}

impl Importing<'_> {
    async fn run(&self, path: &Path) -> Outcome<Account> {
        // What came through a pipe is read twice as well.
        let spooled = match path.to_str() {
            Some("-") => Some(in_thread(spool).await??),
            _ => None,
        };
        let file = spooled.as_ref().map_or(path, |file| file.path()).to_owned();
        let (survey, content) = in_thread(move || survey(&file))
            .await?
            .map_err(unreadable)?;
        let machines = self.machines(&survey).await?;
        let lives = self.lives(path, &survey).await?;
        let own = content_source_name(content, VERSION)
            .map_err(|error| Failure::new(Exit::Failed, "INTERNAL", error.to_string()))?;
        let bar = self.bar(path);
        let mut sender = Sender {
            channel: self.client.channel(),
            plant: self.plant.clone(),
            pace: self.pace,
            lives,
            own_name: own.clone(),
            own: None,
            renumber: self.args.renumber,
            open: BTreeMap::new(),
            places: BTreeMap::new(),
            machines: machines.clone(),
            tolerance_ns: survey
                .sources
                .values()
                .filter_map(|seen| seen.tolerance_ns)
                .min(),
            numbers: BTreeMap::new(),
            last_time: survey.first_time.unwrap_or_default(),
            corrected: survey.corrected,
            account: Account::new(path, &own, content),
        };
        let (loads, mut from_reader) = mpsc::channel(LOADS);
        let file = spooled.as_ref().map_or(path, |file| file.path()).to_owned();
        let plant = self.args.plant.clone();
        tokio::task::spawn_blocking(move || read(&file, content, machines, &plant, &loads));
        let (lines, blank) = loop {
            match from_reader.recv().await {
                Some(Load::Lines { reads, bytes }) => {
                    bar.set_position(bytes);
                    for read in reads {
                        sender.take(read).await?;
                    }
                }
                Some(Load::End { lines, blank }) => break (lines, blank),
                Some(Load::Failed(error)) => return Err(unreadable(error)),
                None => return Err(broken(&"the reader ended early")),
            }
        };
        bar.finish_and_clear();
        let mut account = sender.finish().await?;
        (account.lines, account.blank) = (lines, blank);
        Ok(account)
    }

    /// The sources of the plant, once it is clear that those of the file may be opened.
    async fn lives(&self, path: &Path, survey: &Survey) -> Outcome<Lives> {
        let request = pb::GetPlantRequest {
            name: name::of_plant(&self.args.plant),
            instant: None,
        };
        let about = self.client.model().get_plant(request).await?.into_inner();
        let shown = path.display();
        if survey.logs.contains(&about.log_id) && !self.args.renumber {
            let plant = &self.args.plant;
            let what =
                format!("\"{shown}\" was written out by this very book of plant \"{plant}\"");
            return Err(Failure::new(Exit::Conflict, "SAME_BOOK", what)
                .hint("all that it holds is here; an import is for the book of another plant"));
        }
        let lives = Lives::read(self.client, &self.args.plant, &self.args.source_prefix).await?;
        if self.args.renumber {
            Ok(lives)
        } else {
            lives.check(survey)
        }
    }

    /// The numbers of the machines that the file names: by their names, former names and numbers.
    async fn machines(&self, survey: &Survey) -> Outcome<Machines> {
        let plant = &self.args.plant;
        let names = machine_names(self.client, plant).await?;
        let by_name: BTreeMap<_, _> = names.iter().map(|(number, name)| (name, *number)).collect();
        let mut machines = Machines::new();
        for asked in &survey.machines {
            let mut number = by_name.get(asked).map(|number| MachineNumber(*number));
            if number.is_none() {
                let request = pb::GetMachineRequest {
                    name: name::of_machine(plant, asked),
                    instant: None,
                };
                number = match self.client.twin().get_machine(request).await {
                    Ok(found) => found
                        .into_inner()
                        .machine
                        .map(|one| MachineNumber(one.number)),
                    Err(status)
                        if matches!(status.code(), Code::NotFound | Code::InvalidArgument) =>
                    {
                        None
                    }
                    Err(status) => return Err(status.into()),
                };
            }
            machines.insert(asked.clone(), number);
        }
        Ok(machines)
    }

    fn bar(&self, path: &Path) -> ProgressBar {
        let bar = ProgressBar::no_length();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {bytes} {bytes_per_sec}") {
            bar.set_style(style);
        }
        let name = path.file_name().unwrap_or(path.as_os_str());
        bar.set_message(name.to_string_lossy().into_owned());
        self.bars.add(bar)
    }
}

async fn in_thread<R: Send + 'static>(work: impl FnOnce() -> R + Send + 'static) -> Outcome<R> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| broken(&error))
}

/// Standard input as a file, which can be read twice.
fn spool() -> Outcome<NamedTempFile> {
    let copied = || {
        let mut file = NamedTempFile::new()?;
        std::io::copy(&mut std::io::stdin().lock(), &mut file)?;
        file.flush()?;
        Ok(file)
    };
    copied().map_err(|error| Failure::file(Path::new("-"), &error))
}

fn survey(path: &Path) -> Result<(Survey, ContentHash), ReadError> {
    let (reader, content) = open(path)?;
    let mut survey = Survey::default();
    for read in Reader::new(reader, "") {
        if let Read::Event(_, entry) = read? {
            survey.note(&entry);
        }
    }
    Ok((survey, content))
}

/// Reads to the end, or until nobody listens any more.
fn read(
    path: &Path,
    content: ContentHash,
    machines: Machines,
    plant: &str,
    loads: &mpsc::Sender<Load>,
) {
    let reader = match open(path) {
        // Another content than the one that was looked through would be another import.
        Ok((reader, again)) if again == content => reader,
        Ok(_) => {
            let source = std::io::Error::other("it has changed while it was read");
            let path = path.to_owned();
            let _ = loads.blocking_send(Load::Failed(ReadError::Open { path, source }));
            return;
        }
        Err(error) => return drop(loads.blocking_send(Load::Failed(error))),
    };
    // A file's name would make the same content another one.
    let called: String = content.to_string().chars().take(16).collect();
    let plant = plant.to_owned();
    let check = move |entry: &Entry| known(entry, &machines, &plant);
    let mut reader = Reader::new(reader, &format!("sha256:{called}")).checked(check);
    loop {
        let mut reads = Vec::with_capacity(LOAD);
        let mut failed = None;
        for read in reader.by_ref().take(LOAD) {
            match read {
                Ok(read) => reads.push(read),
                Err(error) => failed = Some(error),
            }
        }
        let is_last = reads.len() < LOAD;
        let bytes = reader.bytes();
        if loads.blocking_send(Load::Lines { reads, bytes }).is_err() {
            return;
        }
        if is_last {
            let (lines, blank) = reader.lines();
            let end = Load::End { lines, blank };
            let _ = loads.blocking_send(failed.map_or(end, Load::Failed));
            return;
        }
    }
}

/// Whether the plant has the machine that an event is about. Errors: a sentence with the nearest.
fn known(entry: &Entry, machines: &Machines, plant: &str) -> Result<(), String> {
    let Some(asked) = &entry.machine else {
        return Ok(());
    };
    if machines.get(asked).copied().flatten().is_some() {
        return Ok(());
    }
    let names = machines.iter().filter(|(_, number)| number.is_some());
    let hint = did_you_mean(asked, names.map(|(name, _)| name.as_str()));
    let hint = hint.map_or_else(String::new, |hint| format!("; {hint}"));
    Err(format!(
        "plant \"{plant}\" has no machine \"{asked}\"{hint}"
    ))
}

fn unreadable(error: ReadError) -> Failure {
    match &error {
        ReadError::Open { path, source } => Failure::file(path, source),
        ReadError::Read { .. } => Failure::new(Exit::Failed, "FILE_FAILED", error.to_string())
            .hint("mend the cause and import the file again; nothing is recorded twice"),
    }
}

fn broken(error: &dyn std::fmt::Display) -> Failure {
    Failure::new(Exit::Failed, "INTERNAL", format!("reading broke: {error}"))
}

/// The name that a source of a file has in this plant.
fn prefixed(prefix: &str, name: &SourceName) -> Outcome<SourceName> {
    SourceName::new(format!("{prefix}{name}")).map_err(|error| Failure::usage(error.to_string()))
}
