//! `werkbuch export`: machines, events, timelines and figures as files for analysis elsewhere.

mod ask;
mod columns;
mod out;
mod receive;

use crate::Context;
use crate::command::choice::{self, Reveal, Window};
use crate::command::{Instant, Scope};
use crate::failure::Outcome;

const AFTER_HELP: &str = "\
A file's form is told by --format, else by how its name ends: .parquet, .arrow (or .feather, .ipc), .arrows
(the stream form of Arrow), .csv, .jsonl (or .ndjson); the text forms also packed, as .csv.gz. It is written
under another name in the same folder and takes its own when it is whole, so a broken-off export leaves none.

All rows are of one cut, whatever is recorded meanwhile. The file's metadata say which (werkbuch.cut,
werkbuch.positions), and --known with that cut gives the same bytes again. `werkbuch export columns TABLE`
tells what the columns mean.

To move events into another book, see `werkbuch event export`: its lines can be imported again.";

const MACHINES_HELP: &str = "\
  werkbuch export machines --all-plants --at \"today 06:00\" --tz Europe/Berlin --out group.parquet
  werkbuch export machines --plant T1 --where \"state = 'FAULTED'\" --format csv";

const EVENTS_HELP: &str = "\
A condition may ask for any column of the table (see `werkbuch export columns events`):
  werkbuch export events --plant T1 --from yesterday --out events.parquet
  werkbuch export events --plant T1 --where \"kind = 'STATE_CHANGED' AND state = 'FAULTED'\" --format jsonl

This is for analysis. To move events into another book, see `werkbuch event export`.";

const TIMELINES_HELP: &str = "\
  werkbuch export timelines --plant T1 --from \"yesterday 06:00\" --to \"today 06:00\" --out day.parquet
  werkbuch export timelines press-3 --plant T1 --from -2h --format csv
With --buckets there is a row for each equal part of the window instead of each interval: the state that held
the longest, the worst one, and how long each was shown, and how much of waiting and idle is inferred to be a
wait for parts or a blocked outlet, with the cause (see `werkbuch export columns buckets`):
  werkbuch export timelines --plant T1 --from shift:night@yesterday --buckets 480 --out night.parquet";

const AGGREGATES_HELP: &str = "\
A measure is FUNCTION or FUNCTION:FIELD; functions and fields are those of `werkbuch machine count`, `sum`,
`avg`, `min` and `max`. With --every there is a row for each instant and group, from --from to --to:
  werkbuch export aggregates --all-plants --measure count --by plant,state --out states.parquet
  werkbuch export aggregates --plant T1 --measure count,sum:parts,max:since --by area --format csv
  werkbuch export aggregates --plant T1 --by state --from -24h --every 15m --out day.parquet";

#[derive(Debug, clap::Subcommand)]
#[command(after_help = AFTER_HELP)]
pub(crate) enum Args {
    /// Machines at an instant: one row each, of one plant or of all.
    #[command(after_help = MACHINES_HELP)]
    Machines(Box<Machines>),
    /// Recorded events: one row each.
    #[command(after_help = EVENTS_HELP)]
    Events(Box<Events>),
    /// What machines did over a window: one row for each interval, or for each equal part of it.
    #[command(after_help = TIMELINES_HELP)]
    Timelines(Box<Timelines>),
    /// Figures over machines: one row for each group, at one instant or at several.
    #[command(after_help = AGGREGATES_HELP)]
    Aggregates(Box<Aggregates>),
    /// The columns of a table, their types and what they mean.
    Columns {
        /// The table.
        #[arg(value_parser = ["machines", "events", "timelines", "buckets", "aggregates"])]
        table: String,
    },
}

/// Where the file goes, and its form.
#[derive(Debug, clap::Args)]
pub(crate) struct To {
    /// Write to this file; `-` is standard output.
    #[arg(long, value_name = "FILE", default_value = "-")]
    out: std::path::PathBuf,
    /// The form: parquet, arrow, arrows, csv or jsonl [default: by how the name ends].
    #[arg(long, value_name = "FORM")]
    format: Option<String>,
    /// Overwrite a file that is there.
    #[arg(long)]
    force: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Machines {
    #[command(flatten)]
    scope: Scope,
    #[command(flatten)]
    chosen: choice::Machines,
    #[command(flatten)]
    instant: Instant,
    #[command(flatten)]
    to: To,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Events {
    #[command(flatten)]
    scope: Scope,
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
    #[command(flatten)]
    reveal: Reveal,
    #[command(flatten)]
    instant: Instant,
    #[command(flatten)]
    file: To,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Timelines {
    /// The machines: names, former names or numbers. Left out: all.
    machines: Vec<String>,
    #[command(flatten)]
    scope: Scope,
    #[command(flatten)]
    chosen: choice::Machines,
    #[command(flatten)]
    window: Window,
    /// Divide the window into this many equal parts, as `werkbuch machine timeline` does.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    buckets: Option<u32>,
    /// Leave out why machines wait that do not say so themselves: the columns that begin with `inferred_`
    /// stay empty. To find it out takes the events of all machines of the plant.
    #[arg(long)]
    no_causes: bool,
    #[command(flatten)]
    instant: Instant,
    #[command(flatten)]
    file: To,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Aggregates {
    /// What is wanted of each group; several separated by commas.
    #[arg(
        long,
        value_name = "FUNCTION[:FIELD]",
        value_delimiter = ',',
        default_value = "count"
    )]
    measure: Vec<String>,
    /// What the machines of a group have in common: plant, area, line, cell, type, state, mode or another
    /// field of text; several separated by commas.
    #[arg(long, value_name = "FIELDS", value_delimiter = ',')]
    by: Vec<String>,
    #[command(flatten)]
    chosen: choice::Machines,
    /// The first instant of several.
    #[arg(
        long,
        value_name = "TIME",
        allow_hyphen_values = true,
        requires = "every"
    )]
    from: Option<String>,
    /// No instant lies behind this one [default: the time asked about].
    #[arg(
        long,
        value_name = "TIME",
        allow_hyphen_values = true,
        requires = "every"
    )]
    to: Option<String>,
    /// How far several instants lie apart, such as 15m.
    #[arg(long, value_name = "DURATION", requires = "from")]
    every: Option<String>,
    #[command(flatten)]
    scope: Scope,
    #[command(flatten)]
    instant: Instant,
    #[command(flatten)]
    file: To,
}

pub(crate) async fn run(args: Args, context: &Context) -> Outcome<()> {
    match args {
        Args::Machines(asked) => {
            let target = out::Target::of(&asked.to, context)?;
            receive::run(context, "machines", ask::machines(context, *asked)?, target).await
        }
        Args::Events(asked) => {
            let target = out::Target::of(&asked.file, context)?;
            let request = ask::events(context, *asked).await?;
            receive::run(context, "events", request, target).await
        }
        Args::Timelines(asked) => {
            let target = out::Target::of(&asked.file, context)?;
            let request = ask::timelines(context, *asked).await?;
            receive::run(context, "timelines", request, target).await
        }
        Args::Aggregates(asked) => {
            let target = out::Target::of(&asked.file, context)?;
            let request = ask::aggregates(context, *asked).await?;
            receive::run(context, "aggregates", request, target).await
        }
        Args::Columns { table } => columns::run(context, &table),
    }
}
