//! `werkbuch bench`: measures the parts that have a goal, one object of figures each.

mod fill;
mod fleet;
mod folder;
mod ingest;
mod instant;
mod measure;
mod mix;
mod query;
mod replay;
mod restart;
mod rules;
mod served;
mod sim;
mod source;
mod timeline;
mod watch;

use crate::Context;
use crate::command::serve::asked_to_stop;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::output::Answer;
use serde_json::{Map, Value};

const ABOUT: &str = "\
Each figure is measured on this machine, with what else it does at that time; BENCHMARKS.md says
what is included, and what came out elsewhere. Data lie in a folder that vanishes, or with --data in
one that stays: then a fleet that is there is not made again.";

#[derive(Debug, clap::Subcommand)]
#[command(after_help = ABOUT)]
pub(crate) enum Args {
    /// How fast a log folds from disk into a twin, on one core.
    Replay(replay::Args),
    /// How much memory a fleet of plants takes, and how long it takes to come back.
    Fleet(fleet::Args),
    /// How soon the plants of a killed server answer again, with snapshots and without.
    Restart(restart::Args),
    /// How fast a fleet answers: one machine, and a page of a list.
    Query(query::Args),
    /// How fast a plant stands as it was at any instant, and what keeping that costs.
    Instant(instant::Args),
    /// How fast the intervals of many machines are brought into the buckets of a drawing.
    Timeline(timeline::Args),
    /// How fast the simulator is: a line that peers are measured on, forks of it, and a plant of the demo.
    Sim(sim::Args),
    /// How fast changes come to those who watch, and what one that stalls costs.
    Watch(watch::Args),
    /// What rules that apply cost those who report.
    Rules(rules::Args),
    /// How fast events become safe, how small, and how long a source waits for that.
    Ingest(ingest::Args),
}

pub(crate) async fn run(args: Args, context: &Context) -> Outcome<()> {
    if cfg!(debug_assertions) {
        context.output.note(
            "this is a build for development: figures count only from `cargo build --release`",
        );
    }
    let work = async {
        match args {
            Args::Replay(args) => replay::run(args, context).await,
            Args::Fleet(args) => fleet::run(args, context).await,
            Args::Restart(args) => restart::run(args, context).await,
            Args::Query(args) => query::run(args, context).await,
            Args::Instant(args) => instant::run(args, context).await,
            Args::Timeline(args) => timeline::run(args, context).await,
            Args::Sim(args) => sim::run(args, context).await,
            Args::Watch(args) => watch::run(args, context).await,
            Args::Rules(args) => rules::run(args, context).await,
            Args::Ingest(args) => ingest::run(args, context).await,
        }
    };
    let figures = tokio::select! {
        figures = work => figures?,
        () = asked_to_stop() => {
            let what = "the benchmark was stopped before its end";
            return Err(Failure::new(Exit::Failed, "STOPPED", what));
        }
    };
    context.output.answer(&figures.answer())
}

/// Figures with their names, in order.
#[derive(Debug, Default)]
pub(crate) struct Figures(Vec<(&'static str, Value)>);

impl Figures {
    /// Adds a figure; one that this system does not tell is null.
    pub(crate) fn add(&mut self, name: &'static str, value: impl Into<Value>) {
        self.0.push((name, value.into()));
    }

    fn answer(self) -> Answer {
        let shown = |value: &Value| match value {
            Value::Null => "n/a".to_owned(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let parts = self.0.iter();
        let parts = parts.map(|(name, value)| (*name, shown(value))).collect();
        let whole: Map<String, Value> = self
            .0
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        Answer::single(parts, Value::Object(whole))
    }
}
