//! `bench restart`: how soon the plants of a killed server answer again, with snapshots and without.

mod load;

use super::Figures;
use super::fill::{self, Reporter};
use super::fleet::{machine, plant};
use super::folder::Folder;
use super::mix::{self, Numbers, Talker};
use super::served::Served;
use crate::Context;
use crate::failure::{Failure, Outcome};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

#[derive(Debug, clap::Args)]
#[group(skip)]
pub(crate) struct Args {
    /// How many events the plants have together.
    #[arg(long, default_value_t = 2_000_000, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    events: u64,
    /// How many plants.
    #[arg(long, default_value_t = 10, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000))]
    plants: u64,
    /// How many machines in each plant.
    #[arg(long, default_value_t = 1_000, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=100_000))]
    machines: u64,
    /// Which of the possible logs: the same seed makes the same events.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Keep the data in this folder; a log that is there is used as it is, if it is of this size.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

/// How long it took from the start of the process, in milliseconds.
struct Back {
    /// Until the first plant answered.
    first_ms: u64,
    /// Until the last one did.
    all_ms: u64,
}

pub(crate) async fn run(args: Args, context: &Context) -> Outcome<Figures> {
    let folder = Folder::new(args.data.as_deref())?;
    if !folder.has_log() {
        make(&args, folder.path(), context).await?;
    }
    let reported = load::killed(folder.path(), &args).await?;
    let note = format!("a server was killed with {reported} events reported and more on their way");
    context.output.note(&note);
    let under_load = back(&args, folder.path()).await?;
    // A server is killed when it goes out of scope: so what is measured starts after a crash.
    context.output.note("starting the killed server anew");
    let with = back(&args, folder.path()).await?;
    let (kept, aside) = (
        folder.path().join("snapshots"),
        folder.path().join("snapshots.aside"),
    );
    fs::rename(&kept, &aside).map_err(|error| Failure::file(&kept, &error))?;
    context.output.note("and once more without snapshots");
    let without = back(&args, folder.path()).await;
    let restored = match fs::remove_dir_all(&kept) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => fs::rename(&aside, &kept),
    };
    restored.map_err(|error| Failure::file(&aside, &error))?;
    let without = without?;
    let mut figures = Figures::default();
    figures.add("events", args.events);
    figures.add("plants", args.plants);
    figures.add("machines", args.plants.saturating_mul(args.machines));
    figures.add("restart_first_plant_ms", with.first_ms);
    figures.add("restart_ms", with.all_ms);
    figures.add("killed_under_load_first_plant_ms", under_load.first_ms);
    figures.add("killed_under_load_ms", under_load.all_ms);
    figures.add("killed_under_load_events", reported);
    figures.add("replay_first_plant_ms", without.first_ms);
    figures.add("replay_all_ms", without.all_ms);
    figures.add("log_bytes", folder.bytes_below("log"));
    figures.add("mix", mix::SAID);
    Ok(figures)
}

async fn make(args: &Args, data: &Path, context: &Context) -> Outcome<()> {
    let engine = fill::open(data).await?;
    let bar = fill::bar(&context.output, args.plants, "filling plants");
    for number in 1..=args.plants {
        let id = plant(number)?;
        fill::describe(&engine, fill::plant_file(id.as_str(), args.machines)?).await?;
        let events = args.events / args.plants + u64::from(number <= args.events % args.plants);
        let mut reporter = Reporter::open(&engine, &id, "gateway", events).await?;
        let mut numbers = Numbers::new(args.seed.wrapping_mul(1_000_003).wrapping_add(number));
        let mut talkers: Vec<Talker> = (0..args.machines).map(|_| Talker::default()).collect();
        for _ in 0..events {
            let at = numbers.below(args.machines);
            let talker = usize::try_from(at).ok().and_then(|at| talkers.get_mut(at));
            if let Some(talker) = talker {
                let body = talker.next(&mut numbers);
                reporter.say(at + 1, body).await?;
            }
        }
        reporter.flush().await?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    fill::close(engine).await
}

/// Starts a server and asks each plant until it answers; the server is killed at the end.
async fn back(args: &Args, data: &Path) -> Outcome<Back> {
    let served = Served::start(data).await?;
    let mut left: Vec<u64> = (1..=args.plants).collect();
    let mut first = None;
    while !left.is_empty() {
        let mut not_yet = Vec::new();
        for number in left {
            if served.answers(machine(number, args.machines)).await? {
                first.get_or_insert_with(|| served.begun.elapsed());
            } else {
                not_yet.push(number);
            }
        }
        left = not_yet;
        if !left.is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    let all = served.begun.elapsed();
    let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    Ok(Back {
        first_ms: millis(first.unwrap_or(all)),
        all_ms: millis(all),
    })
}
