//! `werkbuch import`: records what machines have said before.

mod file;
mod jsonl;
mod report;

use crate::Context;
use crate::client::Client;
use crate::command::last;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::when;
use file::Importing;
use indicatif::{MultiProgress, ProgressDrawTarget};
use report::Report;
use std::path::PathBuf;
use std::sync::Arc;
use werkbuch_gateway::source::mapping::Mapping;
use werkbuch_gateway::upload::Pace;
use werkbuch_model::id::{MachineNumber, PlantId};
use werkbuch_wire::{name, pb};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Args {
    /// Recordings of MTConnect adapters (SHDR), plain or gzip.
    ///
    /// Each file is a source of its own, named after its content, the machine and the mapping:
    /// importing it again, under whatever name, records nothing. What cannot be read is recorded as
    /// gaps. At the end every observation is accounted for, or the exit code is 1.
    Shdr(Shdr),
    /// Events as lines of JSON: what another book wrote out, or what people wrote.
    Jsonl(jsonl::Jsonl),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Shdr {
    /// The plant.
    #[arg(long)]
    plant: String,
    /// The machine that the recordings are about: its name, a former name, or its number.
    #[arg(long)]
    machine: String,
    /// What keys mean, beyond the built-in table; a changed mapping makes other sources.
    #[arg(long, value_name = "FILE")]
    mapping: Option<PathBuf>,
    /// Import also what was imported before with another mapping: it then stands twice in the log.
    #[arg(long)]
    new_mapping: bool,
    /// Show progress even where standard error is no terminal.
    #[arg(long)]
    progress: bool,
    /// How long to try again without any progress while the server is away or has no room.
    #[arg(long, value_name = "DURATION", default_value = "60s")]
    patience: String,
    /// The recordings.
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

pub(crate) async fn run(args: Args, context: &Context) -> Outcome<()> {
    match args {
        Args::Shdr(args) => shdr(args, context).await,
        Args::Jsonl(args) => Box::pin(jsonl::run(args, context)).await,
    }
}

async fn shdr(args: Shdr, context: &Context) -> Outcome<()> {
    let pace = Pace {
        patience: when::duration(&args.patience)?,
        ..Pace::default()
    };
    let mapping = Arc::new(mapping(args.mapping.as_deref())?);
    let plant = PlantId::new(&args.plant).map_err(|error| Failure::usage(error.to_string()))?;
    let client = context.client().await?;
    let (machine, number) = machine(&client, &args.plant, &args.machine).await?;
    let known = if args.new_mapping {
        None
    } else {
        Some(Arc::new(sources(&client, &args.plant).await?))
    };
    let bars = MultiProgress::with_draw_target(target(context, args.progress));
    let mut report = Report::new(&args.plant, &machine);
    for path in &args.files {
        let importing = Importing {
            channel: client.channel(),
            plant: plant.clone(),
            machine: machine.clone(),
            number,
            known: known.clone(),
            mapping: Arc::clone(&mapping),
            bars: bars.clone(),
            pace,
        };
        report.add(importing.run(path).await?);
    }
    let _ = bars.clear();
    context.output.answer(&report.answer())?;
    match report.mistakes().first() {
        None => Ok(()),
        Some(first) => Err(
            Failure::new(Exit::Failed, "IMPORT_DOES_NOT_RECONCILE", first.clone())
                .hint("this is an error of the program; report it with the recording"),
        ),
    }
}

fn target(context: &Context, forced: bool) -> ProgressDrawTarget {
    use std::io::IsTerminal;
    if context.output.quiet {
        ProgressDrawTarget::hidden()
    } else if forced && !std::io::stderr().is_terminal() {
        ProgressDrawTarget::term_like_with_hz(Box::new(report::Plain), 1)
    } else {
        // Hidden by itself where standard error is no terminal.
        ProgressDrawTarget::stderr()
    }
}

fn mapping(path: Option<&std::path::Path>) -> Outcome<Mapping> {
    let Some(path) = path else {
        return Ok(Mapping::builtin());
    };
    let text = std::fs::read_to_string(path).map_err(|error| Failure::file(path, &error))?;
    Mapping::with_file(&text).map_err(|error| {
        let shown = path.display();
        let lines = error.mistakes.iter();
        let lines = lines
            .map(|one| (format!("{shown}:{}", one.line), one.what.clone()))
            .collect();
        let what = format!("the mapping file has {} mistakes", error.mistakes.len());
        Failure::new(Exit::Usage, "INVALID_MAPPING", what)
            .violations(lines)
            .hint("mend the lines named and import again")
    })
}

/// The machine's name as it is today, and its permanent number, after which the source is named.
async fn machine(client: &Client, plant: &str, machine: &str) -> Outcome<(String, MachineNumber)> {
    let request = pb::GetMachineRequest {
        name: name::of_machine(plant, machine),
        instant: None,
    };
    let found = client.twin().get_machine(request).await?.into_inner();
    let found = found.machine.unwrap_or_default();
    Ok((last(&found.name).to_owned(), MachineNumber(found.number)))
}

/// The names of the sources that the plant has.
async fn sources(client: &Client, plant: &str) -> Outcome<Vec<String>> {
    let request = pb::GetTwinRequest {
        name: name::of_plant(plant),
        instant: None,
    };
    let twin = client.twin().get_twin(request).await?.into_inner();
    Ok(twin
        .sources
        .into_iter()
        .map(|source| source.source)
        .collect())
}
