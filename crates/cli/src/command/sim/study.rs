//! `sim run` and `sim rerun`: a model and its scenarios side by side, here or on a server.

mod chart;
mod drawn;
mod fan;
pub(crate) mod inputs;
mod kept;
mod paper;
mod remote;
pub(super) mod runs;
mod screen;
pub(super) mod sheet;
mod show;
mod states;
mod tried;

use crate::Context;
use crate::command::{Instant, with};
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::output::Format;
use drawn::Drawn;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tried::{Tried, percent};
use werkbuch_model::instant::duration_ns;
use werkbuch_model::time::Timestamp;
use werkbuch_sim::whatif::{
    Asked, Gantt, HORIZON_NS_MAX, Inputs, Outcome as Found, Progress, REPLICATIONS_MAX,
};

const MODEL_HELP: &str = "\
MODEL is a plant's description (TOML, as `werkbuch plant check` reads it): then cycles take as long as planned and
nothing fails. Or it is a file of behaviour that names one:

  plant = \"engine-line.toml\"               # beside this file
  start = \"2026-03-02T06:00:00+01:00\"

  [[cycle]]
  machines = \"op-*\"                        # a * stands for any text
  time = \"lognormal(mean=62s, cv=0.05)\"    # or factor = 1.05 of what is planned

  [[failure]]                               # at most three of a machine
  machines = \"op-*\"
  up = \"exponential(mean=8h)\"              # of work
  repair = \"lognormal(mean=10m, cv=0.8)\"
  crew = true                               # waits for its crew

  [[quality]]                               # scrap, rework: shares of the parts
  [[arrival]]                               # machines, and between; or per_hour = {0h = 40, 6h = 60}, every = \"1d\";
                                            # or at = [\"10m\", ...]
  [[order]]                                 # machines, variants in their order, repeat
  [[dispatch]]                              # machines, rule: which part is taken first; blocking = \"before\"
  [[supply]]                                # parts, full, call_at, delivery, late
  [[zone]]                                  # zones, up, stop

Each scenario is a file; `werkbuch scenario new` writes one with all operations. The baseline and every scenario are
run from the same state with the same chance, so that what differs is the scenario. The same inputs and seed give
the same result on every machine and for any number of threads: --save keeps all of them, and `werkbuch sim rerun`
makes the result again.";

/// Simulate a model with and without scenarios, and compare.
#[derive(Debug, clap::Args)]
#[command(after_help = MODEL_HELP)]
pub(crate) struct Args {
    /// The model: a plant's description, or a file of behaviour that names one.
    #[arg(
        long,
        value_name = "FILE",
        required_unless_present = "plant",
        conflicts_with = "plant"
    )]
    model: Option<PathBuf>,
    #[command(flatten)]
    of: OfPlant,
    /// A file of changes; may be repeated.
    #[arg(long, short, value_name = "FILE")]
    scenario: Vec<PathBuf>,
    /// When it begins [default: what the model says, else since when the description holds].
    #[arg(long, value_name = "TIME", conflicts_with = "plant")]
    start: Option<String>,
    /// How long each run is.
    #[arg(long, default_value = "8h", value_name = "DURATION", value_parser = horizon,
          allow_hyphen_values = true)]
    horizon: u64,
    /// How many times the baseline and each scenario are run.
    #[arg(long, default_value_t = 20, value_name = "N", conflicts_with = "precision",
          value_parser = clap::value_parser!(u32).range(2..=i64::from(REPLICATIONS_MAX)))]
    replications: u32,
    /// Run until every mean output is known to this share, such as 1%.
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    precision: Option<f64>,
    /// The seed of all chance.
    #[arg(long, default_value_t = 1, value_name = "N")]
    seed: u64,
    /// How often intervals hold the true value.
    #[arg(long, default_value = "95%", value_name = "PERCENT", value_parser = confidence)]
    confidence: f64,
    /// Tell the probability that at least so many parts are finished.
    #[arg(long, value_name = "PARTS")]
    target: Option<u64>,
    /// Begin it on the server and do not wait: `werkbuch sim get` tells the result.
    #[arg(long, requires = "plant")]
    detach: bool,
    #[command(flatten)]
    tried: Tried,
    #[command(flatten)]
    out: Out,
}

/// A plant whose log is forked.
#[derive(Debug, clap::Args)]
pub(super) struct OfPlant {
    /// Fork the log of this plant in place of a described model: times are fitted to what was recorded, and
    /// it begins as the plant stood at the instant.
    #[arg(long, value_name = "PLANT")]
    plant: Option<String>,
    #[command(flatten)]
    instant: Instant,
    /// How far back of the instant the record goes that times are fitted to.
    #[arg(long, default_value = "7d", value_name = "DURATION", value_parser = horizon,
          allow_hyphen_values = true)]
    window: u64,
    /// A file of behaviour that an engineer lays over what was fitted.
    #[arg(long = "override", value_name = "FILE")]
    overrides: Option<PathBuf>,
}

/// Make a result again from what is kept in it, and compare.
///
/// FILE is what `sim run --save` has written. Exit code 5 when the result is another.
#[derive(Debug, clap::Args)]
pub(crate) struct Again {
    /// The kept result.
    file: PathBuf,
    #[command(flatten)]
    out: Out,
}

/// Where it goes and what works on it.
#[derive(Debug, clap::Args)]
struct Out {
    /// How many threads [default: one for each core]. The result does not depend on it.
    #[arg(long, value_name = "N")]
    threads: Option<NonZero<usize>>,
    /// Keep the result with all that it is made of.
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
    /// Draw how the output grows, as SVG.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Show the stations as well: shares of their states, and who holds up the others.
    #[arg(long)]
    stations: bool,
    #[command(flatten)]
    drawn: Drawn,
}

fn horizon(text: &str) -> Result<u64, String> {
    let found = duration_ns(text.trim_start_matches('-'));
    let found = found.and_then(|ns| u64::try_from(ns).ok());
    match found {
        None => Err("it is no duration: write for example 8h or 3d".to_owned()),
        Some(_) if text.starts_with('-') => Err("it is below 0: give for example 8h".to_owned()),
        Some(0) => Err("it is no time: give for example 8h".to_owned()),
        Some(ns) if ns > HORIZON_NS_MAX => Err("it is longer than a year".to_owned()),
        Some(ns) => Ok(ns),
    }
}

fn confidence(text: &str) -> Result<f64, String> {
    let share = percent(text)?;
    match share > 0.5 {
        true => Ok(share),
        false => Err("it lies between 50% and 100%".to_owned()),
    }
}

pub(super) async fn run(args: Args, context: &Context) -> Outcome<()> {
    let start = args.start.as_deref().map(Timestamp::parse).transpose();
    let start = start.map_err(|_| {
        Failure::usage("--start is no time").hint("write for example 2026-03-02T06:00:00+01:00")
    })?;
    let asked = Asked {
        horizon_ns: args.horizon,
        replications: args.replications,
        precision: args.precision,
        seed: args.seed,
        confidence: args.confidence,
        target: args.target,
        tried: args.tried.asked(),
    };
    match (&args.model, &args.of.plant) {
        (Some(model), _) if !args.of.instant.is_given() => {
            let inputs = inputs::read(model, &args.scenario, (start, asked))?;
            let told = here(&inputs, &args.out, context).await?;
            finish(kept::Of::Model(inputs), told, &args.out, context)
        }
        (None, Some(plant)) => {
            let behaviour = args.of.overrides.as_deref().map(inputs::text).transpose()?;
            let scenarios = inputs::texts(&args.scenario)?;
            let instant = args.of.instant.message(context)?;
            let files = (behaviour.as_ref(), scenarios.as_slice());
            let study = remote::study(instant, args.of.window, files, &asked);
            on_server(plant, study, args.detach, &args.out, context).await
        }
        _ => {
            let what = "--at and --known are about a plant's log, not about a described model";
            Err(Failure::usage(what).hint("name the plant: --plant NAME; or --start TIME"))
        }
    }
}

/// Runs on the server. Errors: its own; the run failed or was cancelled.
async fn on_server(
    plant: &str,
    study: werkbuch_wire::pb::Study,
    is_detached: bool,
    out: &Out,
    context: &Context,
) -> Outcome<()> {
    let client = context.client().await?;
    let threads = out.threads.map_or(0, NonZero::get);
    let run = remote::begin(&client, plant, study, threads).await?;
    if is_detached {
        return runs::one(
            &run,
            "it goes on without you; `werkbuch sim get RUN` waits for it",
            context,
        );
    }
    let (run, told) = remote::finish(&client, run, (out, context)).await?;
    let inputs = kept::Of::Fork(remote::fork_of(&run));
    finish(inputs, told, out, context)
}

pub(super) async fn again(args: Again, context: &Context) -> Outcome<()> {
    let kept = kept::load(&args.file)?;
    let told = match &kept.inputs {
        kept::Of::Model(inputs) => here(inputs, &args.out, context).await?,
        kept::Of::Fork(of) => {
            let client = context.client().await?;
            let threads = args.out.threads.map_or(0, NonZero::get);
            let run = remote::begin(&client, &of.plant, remote::again(of), threads).await?;
            let (run, told) = remote::finish(&client, run, (&args.out, context)).await?;
            of.is_again(&run.fork_digest)?;
            told
        }
    };
    kept.is_again(&told.digest)?;
    context
        .output
        .note(&format!("the same result: {}", told.digest));
    finish(kept.inputs, told, &args.out, context)
}

/// Runs on this machine. Errors: those of the model and the scenarios; it was cancelled.
async fn here(inputs: &Inputs, out: &Out, context: &Context) -> Outcome<Told> {
    let found = simulate(inputs, out, context).await?;
    let gantts = inputs.gantts(None, &out.drawn.wanted(&found));
    let json = found.to_json();
    let hash = werkbuch_proof::sha256(json.to_string().as_bytes());
    Ok(Told {
        found,
        json,
        digest: format!("sha256:{hash}"),
        gantts: gantts.map_err(inputs::refused)?,
    })
}

/// Runs with progress on standard error; ctrl-c cancels at the next replication.
async fn simulate(inputs: &Inputs, out: &Out, context: &Context) -> Outcome<Found> {
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    let threads = out.threads.map_or(cores, NonZero::get);
    let bar = bar(context);
    let cancelled = Arc::new(AtomicBool::new(false));
    let (shown, ended, inputs) = (bar.clone(), Arc::clone(&cancelled), inputs.clone());
    let mut run = tokio::task::spawn_blocking(move || {
        inputs.run(None, threads, &move |progress: Progress| {
            shown.set_length(u64::from(progress.of));
            shown.set_position(u64::from(progress.done));
            if let Some(width) = progress.half_width {
                shown.set_message(show::known_to(width));
            }
            !ended.load(Ordering::Relaxed)
        })
    });
    let found = loop {
        tokio::select! {
            found = &mut run => break found,
            _ = tokio::signal::ctrl_c() => cancelled.store(true, Ordering::Relaxed),
        }
    };
    bar.finish_and_clear();
    let found = found.map_err(|error| {
        let what = format!("the simulation broke: {error}");
        Failure::new(Exit::Failed, "INTERNAL", what)
    })?;
    found.map_err(inputs::refused)
}

fn bar(context: &Context) -> ProgressBar {
    let bar = ProgressBar::new(0);
    if context.output.quiet {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    if let Ok(style) =
        ProgressStyle::with_template("{bar:40} {pos} of {len} replications, {msg}{eta} left")
    {
        bar.set_style(style);
    }
    bar
}

fn finish(inputs: kept::Of, told: Told, out: &Out, context: &Context) -> Outcome<()> {
    let begins = inputs.begins();
    if let Some(path) = &out.save {
        kept::save(path, inputs, &told)?;
    }
    if let Some(path) = &out.svg {
        kept::write(path, &fan::draw(&told.found))?;
    }
    out.drawn.write(&told, begins)?;
    if context.output.format == Format::Table {
        let shown = out.drawn.shown(&told, begins, context.output.color());
        context.output.text(&shown)?;
    }
    let mut more = vec![("digest", json!(told.digest))];
    if out.drawn.gantt {
        more.push(("gantt", states::json(&told.found, &told.gantts)));
    }
    let whole = with(told.json, more);
    show::answer(&told.found, whole, &told.digest, out.stations, context)
}

/// What a study says, as programs are told.
struct Told {
    found: Found,
    json: Value,
    /// SHA-256 of the JSON without white space.
    digest: String,
    /// The replications that are shown: of each case the median and a bad one.
    gantts: Vec<Gantt>,
}
