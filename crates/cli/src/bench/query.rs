//! `bench query`: a client asks a fleet over gRPC, for one machine, for pages of lists and for all plants at once.

use super::Figures;
use super::fleet::{self, Fleet, machine, plant_name};
use super::measure::{percentile, rounded};
use super::mix::Numbers;
use super::served::Served;
use crate::Context;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use serde_json::Value;
use std::time::Instant;
use werkbuch_wire::{name, pb};

/// What the lists ask for: true of about half of the machines.
const FILTER: &str = "state = 'EXECUTING'";
/// How long before the last report of the fleet the past lies that is asked for: its plants have told of
/// half a minute, one after the other within some seconds.
const BEFORE_NS: i64 = 20_000_000_000;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    fleet: fleet::Args,
    /// How many single machines are asked for.
    #[arg(long, default_value_t = 20_000, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    gets: u64,
    /// How many pages of lists are asked for.
    #[arg(long, default_value_t = 1_000, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    lists: u64,
    /// How often the machines of all plants are counted, as they are and as they were.
    #[arg(long, default_value_t = 9, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    counts: u64,
    /// The machines of one page.
    #[arg(long, default_value_t = 100, value_name = "N", value_parser = clap::value_parser!(i32).range(1..=10_000))]
    page: i32,
}

pub(crate) async fn run(args: Args, context: &Context) -> Outcome<Figures> {
    let fleet = Fleet::make(&args.fleet, context).await?;
    context.output.note("starting the server");
    let served = fleet.serve(&args.fleet).await?;
    context.output.note("asking");
    let mut gets = gets(&args, &served).await?;
    let (mut lists, listed) = lists(&args, &served).await?;
    let (mut now, mut past) = counts(&args, &served).await?;
    let micros = |sample: &mut [u64], percent| match percentile(sample, percent) {
        Some(nanos) => rounded(nanos as f64 / 1e3),
        None => Value::Null,
    };
    let millis = |sample: &mut [u64], percent| match percentile(sample, percent) {
        Some(nanos) => rounded(nanos as f64 / 1e6),
        None => Value::Null,
    };
    let mut figures = Figures::default();
    figures.add("plants", args.fleet.plants);
    figures.add("machines", args.fleet.plants * args.fleet.machines);
    figures.add("gets", args.gets);
    figures.add("get_p50_us", micros(&mut gets, 50));
    figures.add("get_p99_us", micros(&mut gets, 99));
    figures.add("lists", args.lists);
    figures.add("machines_listed", listed);
    figures.add("list_p50_ms", millis(&mut lists, 50));
    figures.add("list_p99_ms", millis(&mut lists, 99));
    figures.add("counts", args.counts);
    figures.add("group_p50_ms", millis(&mut now, 50));
    figures.add("group_past_p50_ms", millis(&mut past, 50));
    figures.add("filter", FILTER);
    figures.add("page", args.page);
    Ok(figures)
}

/// Asks for machines by chance, one after another; answers with the time of each.
async fn gets(args: &Args, served: &Served) -> Outcome<Vec<u64>> {
    let mut numbers = Numbers::new(11);
    let mut twin = served.client.twin();
    let mut times = Vec::new();
    for _ in 0..args.gets {
        let plant = numbers.below(args.fleet.plants) + 1;
        let number = numbers.below(args.fleet.machines) + 1;
        let name = machine(plant, number);
        let request = pb::GetMachineRequest {
            name,
            ..Default::default()
        };
        let begin = Instant::now();
        let answer = twin.get_machine(request).await?.into_inner();
        times.push(nanos(begin));
        let found = answer.machine.map(|machine| machine.number);
        if found.map(u64::from) != Some(number) {
            let what = format!("machine {number} was asked for, {found:?} came");
            return Err(Failure::new(Exit::Verification, "WRONG_ANSWER", what));
        }
    }
    Ok(times)
}

/// Asks for the first page of plants by chance; answers with the times and how many machines came.
async fn lists(args: &Args, served: &Served) -> Outcome<(Vec<u64>, u64)> {
    let mut numbers = Numbers::new(12);
    let mut twin = served.client.twin();
    let (mut times, mut listed) = (Vec::new(), 0);
    for _ in 0..args.lists {
        let request = pb::ListMachinesRequest {
            parent: plant_name(numbers.below(args.fleet.plants) + 1),
            filter: FILTER.to_owned(),
            page_size: args.page,
            ..Default::default()
        };
        let begin = Instant::now();
        let answer = twin.list_machines(request).await?.into_inner();
        times.push(nanos(begin));
        listed += answer.machines.len() as u64;
    }
    if listed == 0 {
        let what = "no list held any machine".to_owned();
        return Err(Failure::new(Exit::Verification, "WRONG_ANSWER", what));
    }
    Ok((times, listed))
}

/// Counts the machines of all plants by their state: now, and as it was at another time for each question.
/// Answers with the times of both.
async fn counts(args: &Args, served: &Served) -> Outcome<(Vec<u64>, Vec<u64>)> {
    let mut twin = served.client.twin();
    let (mut now, mut past) = (Vec::new(), Vec::new());
    for question in 0..args.counts {
        let mut at = None;
        for times in [&mut now, &mut past] {
            let request = pb::AggregateMachinesRequest {
                parent: format!("tenants/{}/plants/-", name::DEFAULT_TENANT),
                measures: vec![pb::Measure {
                    function: pb::AggregateFunction::Count.into(),
                    field: String::new(),
                }],
                group_by: vec!["state".to_owned()],
                filter: String::new(),
                instant: at.map(|at| pb::Instant {
                    at: Some(at),
                    ..Default::default()
                }),
            };
            let begin = Instant::now();
            let answer = twin.aggregate_machines(request).await?.into_inner();
            times.push(nanos(begin));
            let cut = answer.cut.unwrap_or_default();
            let all = args.fleet.plants * args.fleet.machines;
            if (u64::from(answer.machines), cut.absent.len()) != (all, 0) {
                let what = format!("{} of {all} machines were counted", answer.machines);
                return Err(Failure::new(Exit::Verification, "WRONG_ANSWER", what));
            }
            let reflected = cut
                .plants
                .iter()
                .filter_map(|plant| plant.reflected.as_ref());
            let last = reflected.map(|reflected| reflected.recorded_at).max();
            let back = BEFORE_NS.saturating_add(question.cast_signed());
            at = last.map(|last| last.saturating_sub(back));
        }
    }
    Ok((now, past))
}

fn nanos(begin: Instant) -> u64 {
    u64::try_from(begin.elapsed().as_nanos()).unwrap_or(u64::MAX)
}
