//! `bench rules`: what rules that apply to a plant cost those who report to it.

use super::Figures;
use super::measure::{percentile, rounded};
use super::served::Served;
use super::source::{Source, Stage};
use crate::Context;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use serde_json::Value;
use std::time::{Duration, Instant};
use werkbuch_wire::{name, pb};

/// The plant that is reported to.
const PLANT: &str = "plant-001";
/// How often ingest is measured without rules and with them, in turn.
const TURNS: usize = 7;
/// How often it is looked how far the rules are.
const LOOK: Duration = Duration::from_millis(2);

/// What ordinary rules ask for. Five of six have to hold for minutes, as those of a shift do; the sixth is
/// about one machine and raised at once, so that something is found in a run too.
const ORDINARY: [&str; 5] = [
    "state = 'FAULTED'",
    "active_alarms >= 2",
    "condition = 'FAULT' AND active_alarms > 0",
    "state IN ('BLOCKED', 'STARVED')",
    "program LIKE 'O1%' AND state = 'IDLE'",
];

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How many rules apply.
    #[arg(long, default_value_t = 20, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000))]
    rules: u64,
    /// The events of each turn; there are seven without rules and seven with them.
    #[arg(long, default_value_t = 200_000, value_name = "N", value_parser = clap::value_parser!(u64).range(1_000..=10_000_000))]
    events: u64,
    #[command(flatten)]
    stage: Stage,
}

/// What the turns of one kind took.
#[derive(Debug, Default)]
struct Turns {
    nanos: Vec<u64>,
    /// Core time of the server for all turns, in seconds, where the system tells.
    core: Option<f64>,
}

/// What the metrics say of rules.
#[derive(Clone, Copy, Debug)]
struct Marks {
    behind: f64,
    looks: f64,
    raised: f64,
}

pub(crate) async fn run(args: Args, context: &Context) -> Outcome<Figures> {
    let (_folder, served, mut source) = args.stage.begin(PLANT).await?;
    context
        .output
        .note("reporting without rules and with them, in turn");
    // What only the first report of all costs is no matter of either.
    let first = source.requests(args.events.min(20_000));
    source.report(first).await?;
    let (mut without, mut with) = (Turns::default(), Turns::default());
    let (mut behind, mut looks, mut found) = (Vec::new(), 0.0, 0.0);
    for _ in 0..TURNS {
        without.add(&served, &mut source, args.events).await?;
        change(&served, rules(args.rules, args.stage.machines), Vec::new()).await?;
        let before = caught_up(&served).await?;
        let core = served.cpu_seconds();
        let requests = source.requests(args.events);
        with.nanos.push(source.report(requests).await?.0);
        let begin = Instant::now();
        let after = caught_up(&served).await?;
        behind.push(u64::try_from(begin.elapsed().as_nanos()).unwrap_or(u64::MAX));
        with.spend(core, served.cpu_seconds());
        looks += after.looks - before.looks;
        found += after.raised;
        let names = (1..=args.rules).map(|number| format!("rule-{number}"));
        change(&served, String::new(), names.collect()).await?;
    }
    let all = (args.events * TURNS as u64) as f64;
    let (plain, ruled) = (without.rate(args.events)?, with.rate(args.events)?);
    let mut figures = Figures::default();
    figures.add("events", source.recorded());
    figures.add("machines", args.stage.machines);
    figures.add("rules", args.rules);
    figures.add("ingest_per_second", plain.round());
    figures.add("ingest_per_second_ruled", ruled.round());
    figures.add("ingest_slowdown", rounded(plain / ruled));
    figures.add("server_ns_per_event", without.core_ns(all));
    figures.add("server_ns_per_event_ruled", with.core_ns(all));
    figures.add("rule_looks_per_event", rounded(looks / all));
    figures.add("raised_at_the_end", rounded(found / TURNS as f64));
    let behind = percentile(&mut behind, 50).map(|nanos| rounded(nanos as f64 / 1e6));
    figures.add("rules_behind_ms", behind.unwrap_or(Value::Null));
    Ok(figures)
}

impl Turns {
    async fn add(&mut self, served: &Served, source: &mut Source, events: u64) -> Outcome<()> {
        let requests = source.requests(events);
        let core = served.cpu_seconds();
        self.nanos.push(source.report(requests).await?.0);
        self.spend(core, served.cpu_seconds());
        Ok(())
    }

    fn spend(&mut self, before: Option<f64>, after: Option<f64>) {
        if let (Some(before), Some(after)) = (before, after) {
            self.core = Some(self.core.unwrap_or(0.0) + after - before);
        }
    }

    /// Events a second: of the turn in the middle. Errors: there was none.
    fn rate(&mut self, events: u64) -> Outcome<f64> {
        match percentile(&mut self.nanos, 50) {
            Some(nanos) => Ok(events as f64 * 1e9 / nanos as f64),
            None => Err(internal("nothing was measured")),
        }
    }

    fn core_ns(&self, events: f64) -> Value {
        self.core
            .map_or(Value::Null, |seconds| rounded(seconds * 1e9 / events))
    }
}

/// A file of so many rules.
fn rules(count: u64, machines: u64) -> String {
    let rule = |number: u64| {
        let kinds = ORDINARY.len() as u64 + 1;
        let ordinary = usize::try_from(number % kinds).ok();
        let ordinary = ordinary.and_then(|kind| ORDINARY.get(kind));
        let condition = match ordinary {
            Some(raise) => format!(
                "raise = \"{raise}\"\nhold = \"{}m\"\nclear_hold = \"30s\"",
                2 + number % 7
            ),
            None => {
                let machine = 1 + number % machines.max(1);
                format!("raise = \"number = {machine} AND state = 'FAULTED'\"")
            }
        };
        format!("[[rule]]\nid = \"rule-{number}\"\n{condition}\nmessage = \"look at it\"\n")
    };
    (1..=count).map(rule).collect()
}

/// Lets the rules of a file apply, or removes some. Errors: those of the server; nothing changes.
async fn change(served: &Served, content: String, remove: Vec<String>) -> Outcome<()> {
    let request = pb::ApplyRulesRequest {
        parent: name::of_plant(PLANT),
        file_name: "bench.toml".to_owned(),
        content,
        remove,
        why: "bench".to_owned(),
        ..pb::ApplyRulesRequest::default()
    };
    let answer = served
        .client
        .rule()
        .apply_rules(request)
        .await?
        .into_inner();
    match answer.plants.first() {
        Some(plant) if plant.recorded => Ok(()),
        _ => Err(internal("the rules of the benchmark did not change")),
    }
}

/// Waits until rules have been looked at for all that is in the log. Errors: those of the server.
async fn caught_up(served: &Served) -> Outcome<Marks> {
    loop {
        let marks = marks(served).await?;
        if marks.behind < 1.0 {
            return Ok(marks);
        }
        tokio::time::sleep(LOOK).await;
    }
}

async fn marks(served: &Served) -> Outcome<Marks> {
    let page = served.client.page("/metrics").await?;
    let value = |name: &str| {
        let name = format!("{name}{{plant=\"{PLANT}\"}} ");
        let line = page.lines().find_map(|line| line.strip_prefix(&name));
        line.and_then(|rest| rest.trim().parse::<f64>().ok())
    };
    let lack = || internal("the metrics say nothing of rules");
    // Rules that nobody follows yet have not been looked at for anything.
    let looks = value("werkbuch_rule_looks_total");
    Ok(Marks {
        behind: match looks {
            Some(_) => value("werkbuch_rules_behind_events").ok_or_else(lack)?,
            None => f64::INFINITY,
        },
        looks: looks.unwrap_or(0.0),
        raised: value("werkbuch_rules_raised").ok_or_else(lack)?,
    })
}

fn internal(what: &str) -> Failure {
    Failure::new(Exit::Failed, "INTERNAL", what.to_owned())
}
