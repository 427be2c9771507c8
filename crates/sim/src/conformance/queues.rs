//! Families of queues, and of machines without flow.

use super::params::Params;
use super::study::{Measure, Study};
use crate::kernel::Distribution;
use crate::network::{
    Clock, Counts, Crew, Exit, Failure, Network, PHASES, Phase, Place, Run, ServerStart, Source,
    Start, Station, Target,
};

/// Work that goes on for as long as anybody looks: the machine itself is what is studied.
const ENDLESS: Distribution = Distribution::Constant(1e9);

/// A study of the long run.
pub(super) fn steady(network: Network, measure: Measure) -> Study {
    Study {
        network,
        start: Start::default(),
        until_s: None,
        measure,
    }
}

pub(super) fn unknown(quantity: &str) -> String {
    format!("the quantity \"{quantity}\" is not known")
}

fn one(measure: impl Fn(&Counts) -> f64 + Sync + 'static) -> Measure {
    Box::new(move |_, counts| vec![measure(counts)])
}

/// What is asked for is how the network stands at the end.
fn last(measure: impl Fn(&Run) -> f64 + Sync + 'static) -> Measure {
    Box::new(move |run, _| vec![measure(run)])
}

fn seconds(ns: u128) -> f64 {
    ns as f64 / 1e9
}

/// The share of time that a server was in a phase.
pub(super) fn share(counts: &Counts, server: usize, phase: Phase) -> f64 {
    let of = counts.servers.get(server).copied().unwrap_or([0; PHASES]);
    of[phase as usize] as f64 / counts.time_ns as f64
}

/// How many parts there were on average.
pub(super) fn mean_parts(counts: &Counts) -> f64 {
    counts.parts_held as f64 / counts.time_ns as f64
}

/// Parts a second through an exit.
pub(super) fn rate(counts: &Counts, exit: usize) -> f64 {
    counts.exits[exit].parts as f64 / (counts.time_ns as f64 / 1e9)
}

/// How long parts were in the network, in seconds.
pub(super) fn stay(counts: &Counts) -> f64 {
    let left = counts.exits[0];
    seconds(left.ns) / left.parts as f64
}

/// How long parts of a class waited in the first place, in seconds.
fn wait(counts: &Counts, class: usize) -> f64 {
    let taken = counts.taken[class];
    seconds(taken.ns) / taken.parts as f64
}

/// What is usually asked about one queue.
fn of_queue(quantity: &str) -> Result<Measure, String> {
    Ok(match quantity {
        "L" => one(mean_parts),
        "Lq" => one(|counts| counts.held[0] as f64 / counts.time_ns as f64),
        "W" | "W (accepted)" => one(stay),
        "Wq" => one(|counts| wait(counts, 0)),
        "throughput" => one(|counts| rate(counts, 0)),
        "P(wait)" => one(|counts| {
            let taken = counts.taken[0];
            taken.waited as f64 / taken.parts as f64
        }),
        "P(lost)" => one(|counts| {
            let [came, lost] = counts.arrived[0];
            lost as f64 / came as f64
        }),
        "P(server busy or down)" => one(|counts| 1.0 - share(counts, 0, Phase::Starved)),
        _ if limit(quantity).is_some() => one(|counts| {
            let left = counts.exits[0];
            left.late as f64 / left.parts as f64
        }),
        _ => return Err(unknown(quantity)),
    })
}

/// The limit in "P(W>5)".
fn limit(quantity: &str) -> Option<f64> {
    let limit = quantity.strip_prefix("P(W>")?.strip_suffix(')')?;
    limit.parse().ok().filter(|limit| *limit >= 0.0)
}

/// M/M/c, with room for K parts in all where there is a K.
pub(super) fn markov(params: &Params<'_>, model: &str, quantity: &str) -> Result<Study, String> {
    let servers = match params.has("c") {
        true => params.count("c")?,
        false => 1,
    };
    // Kendall's fourth letter is the room, servers included: M/M/2/2.
    let fourth = model
        .split_whitespace()
        .next()
        .and_then(|name| name.split('/').nth(3));
    let fourth = fourth.and_then(|room| room.parse().ok());
    let all = match params.has("K") {
        true => Some(params.count("K")?),
        false => fourth,
    };
    let room = all.map(|all| {
        all.checked_sub(servers)
            .ok_or("there is less room than servers")
    });
    let mut network = Network::queue(
        Distribution::Exponential(params.mean_of_rate("lam")?),
        Distribution::Exponential(params.mean_of_rate("mu")?),
        servers,
        room.transpose()?,
    );
    network.exits[0].late_ns = limit(quantity).map(|limit| (limit * 1e9) as u64);
    Ok(steady(network, of_queue(quantity)?))
}

/// M/G/1 with work of a mean and a squared coefficient of variation; waits ask for no more of it.
pub(super) fn general(params: &Params<'_>, quantity: &str) -> Result<Study, String> {
    let (mean, scv) = (params.number("mean")?, params.number("scv")?);
    let between = Distribution::Exponential(params.mean_of_rate("lam")?);
    let network = Network::queue(between, varied(mean, scv)?, 1, None);
    Ok(steady(network, of_queue(quantity)?))
}

/// The same with a machine that fails while it works.
pub(super) fn failing(params: &Params<'_>, quantity: &str) -> Result<Study, String> {
    let work = varied(
        params.number("service_mean")?,
        params.number("service_scv")?,
    )?;
    let between = Distribution::Exponential(params.mean_of_rate("lam")?);
    let mut network = Network::queue(between, work, 1, None);
    network.stations[0].failures = vec![Failure {
        clock: Clock::Work,
        up: Distribution::Exponential(params.mean_of_rate("fail_rate")?),
        repair: Distribution::Exponential(params.mean_of_rate("repair_rate")?),
        crew: None,
    }];
    Ok(steady(network, of_queue(quantity)?))
}

/// Times of a mean and a squared coefficient of variation.
fn varied(mean: f64, scv: f64) -> Result<Distribution, String> {
    let stages = 1.0 / scv;
    Ok(match scv {
        0.0 => Distribution::Constant(mean),
        1.0 => Distribution::Exponential(mean),
        _ if scv < 1.0 && (stages - stages.round()).abs() < 1e-9 => {
            Distribution::Erlang(stages.round() as u32, mean)
        }
        _ if scv > 0.0 => Distribution::Lognormal(mean, scv.sqrt()),
        _ => return Err("a squared coefficient of variation is negative".to_owned()),
    })
}

/// D/M/1.
pub(super) fn regular(params: &Params<'_>, quantity: &str) -> Result<Study, String> {
    let between = Distribution::Constant(params.number("interarrival")?);
    let work = Distribution::Exponential(params.mean_of_rate("mu")?);
    Ok(steady(
        Network::queue(between, work, 1, None),
        of_queue(quantity)?,
    ))
}

/// Classes of parts, of which the lower one goes first when a server is free.
pub(super) fn priority(params: &Params<'_>, quantity: &str) -> Result<Study, String> {
    let means = params.means_of_rates("lam")?;
    let work = Distribution::Exponential(params.mean_of_rate("mu")?);
    let mut network = Network::queue(ENDLESS, work, 1, None);
    network.classes = u8::try_from(means.len()).map_err(|_| "there are too many classes")?;
    network.sources = means
        .iter()
        .zip(0..)
        .map(|(mean, class)| Source {
            between: Distribution::Exponential(*mean),
            batch: 1,
            class,
            to: 0,
        })
        .collect();
    let class = quantity
        .strip_prefix("Wq class ")
        .and_then(|class| class.parse::<usize>().ok());
    let class = class
        .and_then(|class| class.checked_sub(1))
        .filter(|class| *class < means.len());
    let class = class.ok_or_else(|| unknown(quantity))?;
    Ok(steady(network, one(move |counts| wait(counts, class))))
}

/// Parts that come in batches.
pub(super) fn batch(params: &Params<'_>, quantity: &str) -> Result<Study, String> {
    let between = Distribution::Exponential(params.mean_of_rate("lam_batches")?);
    let work = Distribution::Exponential(params.mean_of_rate("mu")?);
    let mut network = Network::queue(between, work, 1, None);
    network.sources[0].batch = params.count("batch")?;
    Ok(steady(network, of_queue(quantity)?))
}

/// Parts that come back with one probability and are scrapped with another.
pub(super) fn rework(params: &Params<'_>, quantity: &str) -> Result<Study, String> {
    let between = Distribution::Exponential(params.mean_of_rate("lam")?);
    let work = Distribution::Exponential(params.mean_of_rate("mu")?);
    let (again, scrap) = (params.number("q")?, params.number("s")?);
    let mut network = Network::queue(between, work, 1, None);
    network.exits.push(Exit::default());
    network.stations[0].route = vec![
        (1.0 - again - scrap, Target::Exit(0)),
        (again, Target::Place(0)),
        (scrap, Target::Exit(1)),
    ];
    let measure = match quantity {
        "good parts per time" => one(|counts| rate(counts, 0)),
        "mean passes per part" => one(|counts| {
            let left: u64 = counts.exits.iter().map(|exit| exit.parts).sum();
            counts.finished[0] as f64 / left as f64
        }),
        _ => of_queue(quantity)?,
    };
    Ok(steady(network, measure))
}

/// Stations one after the other, with room for any number of parts between.
pub(super) fn tandem(params: &Params<'_>, quantity: &str) -> Result<Study, String> {
    let means = params.means_of_rates("mu")?;
    let between = Distribution::Exponential(params.mean_of_rate("lam")?);
    let mut network = Network::queue(between, ENDLESS, 1, None);
    network.places = vec![Place::default(); means.len()];
    network.stations = in_a_row(&means, Target::Exit(0));
    let measure = match quantity {
        "mean lead time" => one(stay),
        "mean WIP" => one(mean_parts),
        _ => return Err(unknown(quantity)),
    };
    Ok(steady(network, measure))
}

/// Exponential stations, each with a place before it.
fn in_a_row(means: &[f64], end: Target) -> Vec<Station> {
    let stations = means.iter().enumerate().map(|(at, mean)| Station {
        inputs: vec![(at, 1)],
        route: vec![(
            1.0,
            if at + 1 < means.len() {
                Target::Place(at + 1)
            } else {
                end
            },
        )],
        ..Station::new(Distribution::Exponential(*mean))
    });
    stations.collect()
}

/// A closed loop of so many cards.
pub(super) fn cards(params: &Params<'_>, quantity: &str) -> Result<Study, String> {
    let means = params.means_of_rates("mu")?;
    let network = Network {
        places: vec![Place::default(); means.len()],
        stations: in_a_row(&means, Target::Replaced { exit: 0, place: 0 }),
        exits: vec![Exit::default()],
        classes: 1,
        ..Network::default()
    };
    let measure = match quantity {
        "throughput" => one(|counts| rate(counts, 0)),
        "mean lead time" => one(stay),
        _ => return Err(unknown(quantity)),
    };
    let start = Start {
        places: vec![params.count("W")?],
        ..Start::default()
    };
    Ok(Study {
        start,
        ..steady(network, measure)
    })
}

/// Machines that always work, unless they wait for one of a few repairmen or are repaired by him.
pub(super) fn repairmen(params: &Params<'_>, quantity: &str) -> Result<Study, String> {
    let mut network = machine(
        Distribution::Exponential(params.mean_of_rate("fail_rate")?),
        Distribution::Exponential(params.mean_of_rate("repair_rate")?),
    );
    network.stations[0].servers = params.count("machines")?;
    network.stations[0].failures[0].crew = Some(0);
    network.crews = vec![Crew {
        size: params.count("repairmen")?,
    }];
    let measure = match quantity {
        "mean machines up" => one(|counts| {
            let machines = 0..counts.servers.len();
            machines
                .map(|machine| share(counts, machine, Phase::Working))
                .sum()
        }),
        "P(all repairmen busy)" => one(|counts| counts.crews[0][1] as f64 / counts.time_ns as f64),
        _ => return Err(unknown(quantity)),
    };
    Ok(steady(network, measure))
}

/// A machine that always works unless it is down.
fn machine(up: Distribution, repair: Distribution) -> Network {
    Network {
        stations: vec![Station {
            failures: vec![Failure {
                clock: Clock::Calendar,
                up,
                repair,
                crew: None,
            }],
            route: vec![(1.0, Target::Exit(0))],
            ..Station::new(ENDLESS)
        }],
        exits: vec![Exit::default()],
        classes: 1,
        ..Network::default()
    }
}

/// M/M/1 that begins with so many parts.
pub(super) fn transient(params: &Params<'_>, quantity: &str) -> Result<Study, String> {
    let network = Network::queue(
        Distribution::Exponential(params.mean_of_rate("lam")?),
        Distribution::Exponential(params.mean_of_rate("mu")?),
        1,
        None,
    );
    let at_s = params.number("t")?;
    let asked = quantity
        .strip_prefix("P(N(")
        .and_then(|rest| rest.strip_suffix(')'));
    let asked = asked.and_then(|rest| rest.split_once(")="));
    let measure = match asked {
        None if quantity == "E[N(t)]" => last(|run| run.parts() as f64),
        Some((time, count)) if time.parse() == Ok(at_s) => {
            let count: u64 = count.parse().map_err(|_| unknown(quantity))?;
            last(move |run| f64::from(u8::from(run.parts() == count)))
        }
        _ => return Err(unknown(quantity)),
    };
    let begins = params.count("N0")?;
    let part = (begins > 0).then_some(None);
    let start = Start {
        places: vec![begins.saturating_sub(1)],
        servers: vec![ServerStart { part, down: None }],
    };
    Ok(Study {
        start,
        until_s: Some(at_s),
        ..steady(network, measure)
    })
}

/// A machine by itself.
pub(super) fn availability(params: &Params<'_>, quantity: &str) -> Result<Study, String> {
    if quantity == "throughput" {
        let up = Distribution::Exponential(params.mean_of_rate("p")?);
        let repair = Distribution::Exponential(params.mean_of_rate("r")?);
        let mut network = machine(up, repair);
        network.stations[0].work = Distribution::Constant(params.number("cycle")?);
        network.stations[0].failures[0].clock = Clock::Work;
        return Ok(steady(network, one(|counts| rate(counts, 0))));
    }
    let up = Distribution::Exponential(params.number("MTBF")?);
    let repair = Distribution::Exponential(params.number("MTTR")?);
    let network = machine(up, repair);
    let works = one(|counts| share(counts, 0, Phase::Working));
    let until_s = params.number("t");
    Ok(match quantity {
        "A" => steady(network, works),
        "mean up fraction" => Study {
            until_s: Some(until_s?),
            ..steady(network, works)
        },
        "A(t)" => {
            let is_up = |run: &Run| f64::from(u8::from(run.phase(0) == Some(Phase::Working)));
            Study {
                until_s: Some(until_s?),
                ..steady(network, last(is_up))
            }
        }
        _ => return Err(unknown(quantity)),
    })
}

/// A machine that works off what lies before it while the one before it stands.
pub(super) fn starving(params: &Params<'_>, quantity: &str) -> Result<Study, String> {
    let (parts, mean) = (params.count("n")?, params.mean_of_rate("mu")?);
    let parts = parts
        .checked_sub(1)
        .ok_or("there is no part to begin with")?;
    let (repair, down, until_s) = match params.has("D") {
        true => {
            let stop = params.number("D")?;
            (
                Distribution::Constant(stop),
                Some((stop * 1e9) as u64),
                stop,
            )
        }
        // So long a repair comes once in many thousand million.
        false => {
            let mean = params.mean_of_rate("r")?;
            (Distribution::Exponential(mean), None, mean * 25.0)
        }
    };
    let mut network = machine(ENDLESS, repair);
    network.stations[0].route = vec![(1.0, Target::Place(0))];
    network.places = vec![Place::default()];
    network.stations.push(Station {
        inputs: vec![(0, 1)],
        route: vec![(1.0, Target::Exit(0))],
        ..Station::new(Distribution::Exponential(mean))
    });
    // What starves is looked at while the other one stands; after that it delivers nothing either.
    let starved_s = |counts: &Counts| {
        let down_ns = counts.servers[0][Phase::Down as usize];
        down_ns.saturating_sub(counts.first_starved_ns[1]) as f64 / 1e9
    };
    let measure = match quantity {
        "P(starves before repair)" | "P(starves)" => {
            one(move |counts| f64::from(u8::from(starved_s(counts) > 0.0)))
        }
        "E[starved time]" => one(starved_s),
        _ => return Err(unknown(quantity)),
    };
    let start = Start {
        places: vec![parts],
        servers: vec![
            ServerStart {
                part: None,
                down: Some(down),
            },
            ServerStart {
                part: Some(None),
                down: None,
            },
        ],
    };
    Ok(Study {
        start,
        until_s: Some(until_s),
        ..steady(network, measure)
    })
}
