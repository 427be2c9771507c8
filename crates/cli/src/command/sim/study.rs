//! `sim run` and `sim rerun`: a model and its scenarios side by side.

mod fan;
mod fork;
mod inputs;
pub(super) mod sheet;
mod show;

use crate::Context;
use crate::command::Instant;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use fork::ForkAt;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
pub(crate) use inputs::{Asked, Inputs};
use serde_json::{Value, json};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use werkbuch_model::instant::duration_ns;
use werkbuch_model::time::Timestamp;
use werkbuch_sim::whatif::{Outcome as Found, Progress, REPLICATIONS_MAX};

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
  [[arrival]]                               # between: time between parts at a source
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
    #[arg(long, default_value = "8h", value_name = "DURATION", value_parser = horizon)]
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
    #[arg(long, default_value = "7d", value_name = "DURATION", value_parser = horizon)]
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
}

fn horizon(text: &str) -> Result<u64, String> {
    let found = duration_ns(text).and_then(|ns| u64::try_from(ns).ok());
    let found = found.filter(|ns| *ns > 0);
    found.ok_or_else(|| "it is no duration: write for example 8h or 3d".to_owned())
}

fn percent(text: &str) -> Result<f64, String> {
    let number = text.trim_end_matches('%').parse::<f64>();
    let share = number.map_err(|_| "it is no percentage: write for example 1%".to_owned())? / 100.0;
    match share > 0.0 && share < 1.0 {
        true => Ok(share),
        false => Err("it lies between 0% and 100%".to_owned()),
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
    };
    let inputs = match (&args.model, &args.of.plant) {
        (Some(model), _) if !args.of.instant.is_given() => {
            Inputs::read(model, &args.scenario, (start, asked))?
        }
        (None, Some(_)) => args.of.inputs(&args.scenario, &asked, context).await?,
        _ => {
            let what = "--at and --known are about a plant's log, not about a described model";
            return Err(Failure::usage(what).hint("name the plant: --plant NAME; or --start TIME"));
        }
    };
    let found = simulate(&inputs, &args.out, context).await?;
    finish(&inputs, &found, &args.out, context)
}

impl OfPlant {
    /// What is asked of the server. Errors: its own; the plant has no log to fork.
    async fn inputs(
        &self,
        scenarios: &[PathBuf],
        asked: &Asked,
        context: &Context,
    ) -> Outcome<Inputs> {
        let plant = self.plant.as_deref().unwrap_or_default();
        let at = ForkAt::find(context, plant, &self.instant, self.window).await?;
        let forked = at.read(context).await?;
        Inputs::forked(forked, self.overrides.as_deref(), scenarios, asked)
    }
}

pub(super) async fn again(args: Again, context: &Context) -> Outcome<()> {
    let text =
        std::fs::read_to_string(&args.file).map_err(|error| Failure::file(&args.file, &error))?;
    let broken = |what: String| {
        let what = format!("{} is no kept result: {what}", args.file.display());
        Failure::usage(what).hint("`werkbuch sim run --save FILE` writes one")
    };
    let kept: Value = serde_json::from_str(&text).map_err(|error| broken(error.to_string()))?;
    let inputs = kept.get("inputs").cloned().unwrap_or(Value::Null);
    let inputs: Inputs =
        serde_json::from_value(inputs).map_err(|error| broken(error.to_string()))?;
    let told = |key: &str| {
        kept.get(key)
            .and_then(Value::as_str)
            .unwrap_or("")
            .to_owned()
    };
    let inputs = match inputs.fork.clone() {
        Some(at) => {
            let kept = inputs.fork_digest().to_owned();
            let inputs = inputs.with(at.read(context).await?);
            if inputs.fork_digest() != kept {
                let what = format!("the log says {}, and {kept} was kept", inputs.fork_digest());
                return Err(Failure::new(Exit::Verification, "FORK_DIFFERS", what)
                    .hint("is it the same server? `werkbuch replay` checks its log"));
            }
            inputs
        }
        None => inputs,
    };
    let found = simulate(&inputs, &args.out, context).await?;
    let digest = digest(&found.to_json());
    if digest == told("digest") {
        context.output.note(&format!("the same result: {digest}"));
        return finish(&inputs, &found, &args.out, context);
    }
    let what = format!("the result is {digest}, and {} was kept", told("digest"));
    let hint = match told("version") {
        version if version == env!("CARGO_PKG_VERSION") => {
            "the file was changed, or this build simulates differently".to_owned()
        }
        version => format!(
            "it was made by version {version}, this is {}",
            env!("CARGO_PKG_VERSION")
        ),
    };
    Err(Failure::new(Exit::Verification, "RESULT_DIFFERS", what).hint(hint))
}

/// Runs with progress on standard error; ctrl-c cancels at the next replication.
async fn simulate(inputs: &Inputs, out: &Out, context: &Context) -> Outcome<Found> {
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    let threads = out.threads.map_or(cores, NonZero::get);
    let bar = bar(context);
    let cancelled = Arc::new(AtomicBool::new(false));
    let (shown, ended, inputs) = (bar.clone(), Arc::clone(&cancelled), inputs.clone());
    let mut run = tokio::task::spawn_blocking(move || {
        inputs.run(threads, &move |progress: Progress| {
            shown.set_length(u64::from(progress.of));
            shown.set_position(u64::from(progress.done));
            if let Some(width) = progress.half_width {
                shown.set_message(format!("output known to {:.2} %, ", width * 100.0));
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
    found.map_err(|error| {
        Failure::new(
            Exit::Failed,
            "INTERNAL",
            format!("the simulation broke: {error}"),
        )
    })?
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

fn finish(inputs: &Inputs, found: &Found, out: &Out, context: &Context) -> Outcome<()> {
    let result = found.to_json();
    let digest = digest(&result);
    if let Some(path) = &out.save {
        let kept = json!({
            "version": env!("CARGO_PKG_VERSION"),
            "digest": digest,
            "inputs": inputs,
            "result": result,
        });
        write(path, &format!("{kept:#}\n"))?;
    }
    if let Some(path) = &out.svg {
        write(path, &fan::draw(found))?;
    }
    show::answer(found, result, &digest, out.stations, context)
}

/// Writes a file that takes its name when it is whole.
fn write(path: &Path, text: &str) -> Outcome<()> {
    let beside = path.with_extension("part");
    let written = std::fs::write(&beside, text).and_then(|()| std::fs::rename(&beside, path));
    written.map_err(|error| Failure::file(path, &error))
}

/// SHA-256 of a result's JSON without white space.
fn digest(result: &Value) -> String {
    let hash = werkbuch_proof::sha256(result.to_string().as_bytes());
    format!("sha256:{hash}")
}
