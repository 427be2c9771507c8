//! The one binary of Werkbuch: serve, describe plants, ask, import, replay, demonstrate.

mod bench;
mod client;
mod command;
mod contexts;
mod demo;
mod exit;
mod failure;
mod interrupt;
mod line;
mod logging;
mod output;
mod plain;
mod settings;
mod view;
mod when;

use clap::{FromArgMatches, Parser, Subcommand};
use exit::Exit;
use failure::{Failure, Outcome};
use line::Manner;
use output::{Color, Format, Output};
use settings::{Origin, Settings};
use std::ffi::OsString;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use werkbuch_model::instant::known_zone;

const AFTER_HELP: &str = "\
Data go to standard output; progress, notes and errors go to standard error.

Times: RFC 3339 (2026-11-22T06:00:00Z), `now`, or before now: -90s, -2h, -1d. By the clocks of the plant
(or of --tz): \"2026-11-22 06:00\", \"yesterday 06:00\", \"monday 06:00\", 06:00. By its calendar:
shift:night@2026-11-21 (its begin), shift:night@yesterday..end, shift:day/LINE@today, shift (the one now).
A question takes --at (what had happened by then) and --known (what had been recorded by then).
Positions: the plain numbers of events in a plant's log.

A command that needs a plant takes it from --plant, from WERKBUCH_PLANT, from the context, or it is
the only one of the server. Flags go before the environment, that before the context.

Exit codes:
  0  done
  1  failed, or done in part (import jsonl: bad or refused lines; all others are recorded)
  2  not well formed: options, files, filters, names
  3  not found
  4  in conflict with what is there: taken over, held, not confirmed
  5  a verification failed
  6  the server cannot be reached, or has no room now
  7  not allowed

An error says what happened, its stable reason and the next step. With -o json or jsonl it is one
JSON object on standard error: {\"error\": {message, reason, violations, hint, exit}}.";

/// The digital twin of a plant, from a log that is never changed.
#[derive(Debug, Parser)]
#[command(name = "werkbuch", version, about, after_long_help = AFTER_HELP, propagate_version = true)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// What every command takes.
#[derive(Debug, clap::Args)]
struct Global {
    /// The server to ask [default: http://127.0.0.1:7420].
    #[arg(long, global = true, value_name = "URL", env = "WERKBUCH_SERVER")]
    server: Option<String>,
    /// The context that holds for this command (see `werkbuch context`).
    #[arg(long, global = true, value_name = "NAME", env = "WERKBUCH_CONTEXT")]
    context: Option<String>,
    /// How data are written [default: table].
    #[arg(short, long, global = true, value_enum, env = "WERKBUCH_OUTPUT")]
    output: Option<Format>,
    /// The time zone of local times [default: that of the plant].
    #[arg(long, global = true, value_name = "ZONE", env = "WERKBUCH_TZ")]
    tz: Option<String>,
    /// When to use colours (NO_COLOR is honoured).
    #[arg(long, global = true, value_enum, default_value = "auto")]
    color: Color,
    /// No notes and no progress on standard error.
    #[arg(short, long, global = true)]
    quiet: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(command::serve::Args),
    /// Describe plants.
    #[command(subcommand)]
    Plant(command::plant::Args),
    /// Ask what machines do, or did.
    #[command(subcommand)]
    Machine(command::machine::Args),
    #[command(flatten)]
    Aspect(command::aspect::Nouns),
    /// Read the events of a plant.
    #[command(subcommand)]
    Event(command::event::Args),
    /// Write machines, events, timelines and figures to files for analysis elsewhere.
    #[command(subcommand)]
    Export(command::export::Args),
    /// Ask which sources have reported.
    #[command(subcommand)]
    Source(command::twin::SourceArgs),
    Quality(Box<command::quality::Args>),
    Diff(Box<command::diff::Args>),
    /// Find when a condition held of machines.
    #[command(subcommand)]
    Find(Box<command::find::Args>),
    /// Apply rules, ask what they raise, and try them over the past.
    #[command(subcommand)]
    Rule(command::rule::Args),
    /// Ask where a plant's twin stands.
    #[command(subcommand)]
    Twin(command::twin::TwinArgs),
    /// Record what machines have said before.
    #[command(subcommand)]
    Import(command::import::Args),
    /// Fold a plant's log from its first event, and compare.
    Replay(command::replay::Args),
    /// Look into the files of a data folder, without a server.
    #[command(subcommand)]
    Log(command::log::Args),
    /// Ask how the server does.
    #[command(subcommand)]
    Server(command::server::Args),
    /// Simulate what would happen, and see how far that can be trusted.
    #[command(subcommand)]
    Sim(command::sim::Args),
    /// Write, check, list and compare files of changes for `sim run`.
    #[command(subcommand)]
    Scenario(command::scenario::Args),
    /// Measure how fast and how small it is on this machine.
    #[command(subcommand)]
    Bench(bench::Args),
    Demo(demo::Args),
    /// Keep which server, plant and output are meant, under a name.
    #[command(subcommand)]
    Context(command::context::Args),
    Completion(command::completion::Args),
    Man(command::man::Args),
}

/// What a command works with.
#[derive(Clone, Debug)]
pub(crate) struct Context {
    pub(crate) server: String,
    pub(crate) output: Output,
    pub(crate) settings: Settings,
    /// The time zone of local times; absent for that of the plant.
    pub(crate) tz: Option<String>,
}

impl Context {
    fn new(global: &Global, settings: Settings) -> Self {
        Self {
            server: settings.server.0.clone(),
            output: Output::new(settings.output.0, global.color, global.quiet),
            settings,
            tz: global.tz.clone().filter(|zone| !zone.is_empty()),
        }
    }

    /// Errors: there is no such time zone, whether times are read by it or not.
    fn check_zone(&self) -> Outcome<()> {
        let zone = self.tz.as_deref().unwrap_or_default();
        known_zone(zone).map_err(|error| {
            Failure::usage(format!("--tz: {error}")).hint("write it like Europe/Berlin or UTC")
        })
    }

    /// By whose clocks times are read: of the plant, unless a time zone was named.
    pub(crate) fn clocks<'c>(&'c self, plant: Option<&'c str>) -> when::Clocks<'c> {
        when::Clocks {
            context: self,
            plant,
            instant: None,
        }
    }

    async fn client(&self) -> Outcome<client::Client> {
        client::Client::connect(&self.server).await
    }

    /// The form of output that was asked for with this very command, by flag or environment. What a
    /// context prefers does not change what is a text of its own kind, such as a completion script.
    pub(crate) fn asked_format(&self) -> Option<Format> {
        match self.settings.output {
            (format, Origin::Flag | Origin::Environment) => Some(format),
            _ => None,
        }
    }
}

fn main() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().collect();
    let manner = Manner::of(&args);
    let matches = match line::read(&args, manner) {
        Ok(matches) => matches,
        Err(exit) => return exit.into(),
    };
    let global = match Global::from_arg_matches(&matches) {
        Ok(global) => global,
        Err(error) => error.exit(),
    };
    let settings = match Settings::resolve(&global, &matches) {
        Ok(settings) => settings,
        Err(failure) => return tell(&failure, manner.format, global.color),
    };
    let context = Context::new(&global, settings);
    if let Err(failure) = context.check_zone() {
        return tell(&failure, context.output.format, global.color);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let outcome = match runtime {
        Ok(runtime) => {
            let outcome = runtime.block_on(async {
                let cli = line::complete(&args, &matches, &context).await?;
                run(cli.command, &context).await
            });
            // A blocking read that still runs must not hold up the end.
            runtime.shutdown_background();
            outcome
        }
        Err(error) => {
            let what = format!("the system gives no threads: {error}");
            Err(Failure::new(Exit::Failed, "NO_THREADS", what))
        }
    };
    match outcome {
        Ok(()) => Exit::Ok.into(),
        Err(failure) => tell(&failure, context.output.format, global.color),
    }
}

async fn run(command: Command, context: &Context) -> Outcome<()> {
    match command {
        Command::Serve(args) => Box::pin(command::serve::run(args, context)).await,
        Command::Plant(args) => command::plant::run(args, context).await,
        Command::Machine(args) => command::machine::run(args, context).await,
        Command::Aspect(nouns) => command::aspect::run(nouns, context).await,
        Command::Event(args) => command::event::run(args, context).await,
        Command::Export(args) => Box::pin(command::export::run(args, context)).await,
        Command::Source(args) => command::twin::run_source(args, context).await,
        Command::Quality(args) => command::quality::run(*args, context).await,
        Command::Diff(args) => command::diff::run(*args, context).await,
        Command::Find(args) => command::find::run(*args, context).await,
        Command::Rule(args) => command::rule::run(args, context).await,
        Command::Twin(args) => command::twin::run(args, context).await,
        Command::Import(args) => Box::pin(command::import::run(args, context)).await,
        Command::Replay(args) => command::replay::run(args, context).await,
        Command::Log(args) => command::log::run(args, context).await,
        Command::Server(args) => command::server::run(args, context).await,
        Command::Sim(args) => command::sim::run(args, context).await,
        Command::Scenario(args) => command::scenario::run(args, context).await,
        Command::Bench(args) => Box::pin(bench::run(args, context)).await,
        Command::Demo(args) => Box::pin(demo::run(args, context)).await,
        Command::Context(args) => command::context::run(args, context),
        Command::Completion(args) => command::completion::run(&args, context),
        Command::Man(args) => command::man::run(&args, context),
    }
}

/// Says what failed, in the form that the data would have had.
fn tell(failure: &Failure, format: Format, color: Color) -> ExitCode {
    if !failure.is_silent() {
        let text = match format {
            Format::Json | Format::Jsonl => format!("{}\n", failure.json()),
            Format::Table | Format::Csv => failure.lines(color.on(std::io::stderr().is_terminal())),
        };
        // Nobody can be told that standard error is gone.
        let _ = std::io::stderr().write_all(text.as_bytes());
    }
    failure.exit().into()
}
