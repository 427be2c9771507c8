//! `bench fleet`: many plants in one server, their memory for each machine, and their coming back.

use super::Figures;
use super::fill::{self, Reporter};
use super::folder::Folder;
use super::measure::rounded;
use super::mix::{self, Numbers};
use super::served::Served;
use crate::Context;
use crate::failure::{Failure, Outcome};
use futures::stream::{self, StreamExt, TryStreamExt};
use std::path::PathBuf;
use std::time::{Duration, Instant};
use werkbuch_model::id::PlantId;
use werkbuch_wire::{name, pb};

/// The plants that are filled side by side.
const AT_ONCE: usize = 4;

#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub(crate) struct Args {
    /// How many plants.
    #[arg(long, default_value_t = 122, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub(super) plants: u64,
    /// How many machines in each plant.
    #[arg(long, default_value_t = 5_000, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=100_000))]
    pub(super) machines: u64,
    /// Which of the possible fleets: the same seed makes the same events.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Keep the fleet in this folder; one that is there is used as it is, if it is of this size.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

/// A fleet on disk.
pub(super) struct Fleet {
    pub(super) folder: Folder,
    /// Events reported and seconds taken, when it has just been made.
    filled: Option<(u64, f64)>,
}

pub(crate) async fn run(args: Args, context: &Context) -> Outcome<Figures> {
    let fleet = Fleet::make(&args, context).await?;
    let empty = resident_of_empty().await?;
    context.output.note("starting the server anew");
    let served = fleet.serve(&args).await?;
    let restart = served.begun.elapsed().as_secs_f64();
    let restart_cpu = served.cpu_seconds();
    let machines = args.plants * args.machines;
    let resident = served.resident_bytes();
    let fleet_bytes = resident
        .zip(empty)
        .map(|(full, empty)| full.saturating_sub(empty));
    let mut figures = Figures::default();
    figures.add("plants", args.plants);
    figures.add("machines", machines);
    let per_machine = fleet_bytes.map(|bytes| bytes / machines.max(1));
    figures.add("bytes_per_machine", per_machine);
    figures.add("restart_seconds", rounded(restart));
    figures.add("restart_cpu_seconds", restart_cpu.map(rounded));
    figures.add("resident_bytes", resident);
    figures.add("resident_bytes_empty", empty);
    let (events, seconds) = fleet.filled.unzip();
    figures.add("events", events);
    figures.add("fill_seconds", seconds.map(rounded));
    figures.add("log_bytes", fleet.folder.bytes_below("log"));
    figures.add("snapshot_bytes", fleet.folder.bytes_below("snapshots"));
    Ok(figures)
}

/// The resident memory of a server without plants.
async fn resident_of_empty() -> Outcome<Option<u64>> {
    let folder = Folder::new(None)?;
    let served = Served::start(folder.path()).await?;
    served
        .client
        .admin()
        .get_server(pb::GetServerRequest {})
        .await?;
    Ok(served.resident_bytes())
}

impl Fleet {
    /// Makes the fleet, unless it is there. Errors: another log is there.
    pub(super) async fn make(args: &Args, context: &Context) -> Outcome<Self> {
        let folder = Folder::new(args.data.as_deref())?;
        if folder.has_log() {
            return Ok(Self {
                folder,
                filled: None,
            });
        }
        let begin = Instant::now();
        let engine = fill::open(folder.path()).await?;
        let bar = fill::bar(&context.output, args.plants, "filling plants");
        let file = fill::plant_file("bench", args.machines)?;
        let plants = stream::iter((1..=args.plants).map(|number| {
            let (engine, mut file, bar) = (engine.clone(), file.clone(), bar.clone());
            async move {
                file.plant_id = plant(number)?;
                let id = file.plant_id.clone();
                fill::describe(&engine, file).await?;
                let events = args.machines.saturating_mul(7);
                let mut reporter = Reporter::open(&engine, &id, "gateway", events).await?;
                let mut numbers = Numbers::new(args.seed.wrapping_mul(1_000_003) + number);
                for machine in 1..=args.machines {
                    for body in mix::introduction(machine, &mut numbers) {
                        reporter.say(machine, body).await?;
                    }
                }
                reporter.flush().await?;
                bar.inc(1);
                Ok::<u64, Failure>(reporter.sent())
            }
        }));
        let counts: Vec<u64> = plants.buffer_unordered(AT_ONCE).try_collect().await?;
        bar.finish_and_clear();
        let seconds = begin.elapsed().as_secs_f64();
        context
            .output
            .note("closing the fleet, with a snapshot of each plant");
        fill::close(engine).await?;
        Ok(Self {
            folder,
            filled: Some((counts.iter().sum(), seconds)),
        })
    }

    /// Starts a server on the fleet; it returns when every plant has answered.
    pub(super) async fn serve(&self, args: &Args) -> Outcome<Served> {
        let served = Served::start(self.folder.path()).await?;
        for number in 1..=args.plants {
            while !served.answers(machine(number, args.machines)).await? {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
        Ok(served)
    }
}

/// The id of a plant of the fleet.
pub(super) fn plant(number: u64) -> Outcome<PlantId> {
    let id = PlantId::new(format!("plant-{number:03}"));
    id.map_err(|error| Failure::usage(error.to_string()))
}

/// The name of a plant in the API.
pub(super) fn plant_name(number: u64) -> String {
    format!("tenants/{}/plants/plant-{number:03}", name::DEFAULT_TENANT)
}

/// The name of a machine in the API.
pub(super) fn machine(plant: u64, machine: u64) -> String {
    format!("{}/machines/m-{machine:05}", plant_name(plant))
}
