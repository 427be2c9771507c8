//! Families of lines: stations one after the other with little room between, blocking after service.

use super::params::Params;
use super::queues::{mean_parts, rate, share, stay, steady, unknown};
use super::study::{Measure, Study};
use crate::kernel::Distribution;
use crate::network::{Clock, Exit, Failure, Network, Phase, Place, Source, Station, Target};

/// The line that a case tells of.
pub(super) fn network_of(params: &Params<'_>) -> Result<Network, String> {
    let told = stations(params)?;
    let rooms = rooms(params, told.len())?;
    network(told, &rooms)
}

/// A line, and what is asked of it.
pub(super) fn line(params: &Params<'_>, quantity: &str) -> Result<Study, String> {
    let mut network = network_of(params)?;
    let count = network.stations.len();
    if params.has("lam") {
        // A place before the first station, which is fed by chance.
        let first = network.places.len();
        network.places.push(Place {
            capacity: Some(params.count("b0")?),
        });
        network.stations[0].inputs = vec![(first, 1)];
        network.sources = vec![Source {
            between: Distribution::Exponential(params.mean_of_rate("lam")?),
            batch: 1,
            class: 0,
            to: first,
        }];
    }
    let rooms = network.places.len() - usize::from(params.has("lam"));
    Ok(steady(network, measure(quantity, count, rooms)?))
}

fn measure(quantity: &str, stations: usize, rooms: usize) -> Result<Measure, String> {
    let shares = |station: usize, phases: &'static [Phase]| -> Measure {
        Box::new(move |_, counts| {
            let of = |phase: &Phase| share(counts, station, *phase);
            phases.iter().map(of).collect()
        })
    };
    let of_each = |phase: Phase| -> Measure {
        Box::new(move |_, counts| {
            let of = |station: usize| share(counts, station, phase);
            (0..stations).map(of).collect()
        })
    };
    if let Some(rest) = quantity.strip_prefix("state split machine ") {
        let (number, what) = rest.split_once(' ').ok_or_else(|| unknown(quantity))?;
        let number = number
            .parse::<usize>()
            .ok()
            .and_then(|number| number.checked_sub(1));
        let number = number
            .filter(|number| *number < stations)
            .ok_or_else(|| unknown(quantity))?;
        return match what {
            "[working,starved,blocked,down]" => Ok(shares(
                number,
                &[Phase::Working, Phase::Starved, Phase::Blocked, Phase::Down],
            )),
            _ => Err(unknown(quantity)),
        };
    }
    Ok(match quantity {
        "throughput" => Box::new(|_, counts| vec![rate(counts, 0)]),
        "mean lead time" => Box::new(|_, counts| vec![stay(counts)]),
        "mean WIP (all parts in machines and buffers)" => {
            Box::new(|_, counts| vec![mean_parts(counts)])
        }
        "state split of the middle station [working, starved, blocked]" => shares(
            stations / 2,
            &[Phase::Working, Phase::Starved, Phase::Blocked],
        ),
        "blocked fraction per station" => of_each(Phase::Blocked),
        "starved fraction per station" => of_each(Phase::Starved),
        "mean parts in buffers" => Box::new(move |_, counts| {
            let held = counts.held.iter().take(rooms);
            held.map(|held| *held as f64 / counts.time_ns as f64)
                .collect()
        }),
        _ => return Err(unknown(quantity)),
    })
}

/// The stations: a list of groups, a list of rates, or so many alike.
fn stations(params: &Params<'_>) -> Result<Vec<Station>, String> {
    let exponential = |mean: f64| Station::new(Distribution::Exponential(mean));
    if params.has("phases") {
        let (count, phases) = (params.count("stations")?, params.count("phases")?);
        let mean = params.number("mean")?;
        let one = || Station::new(Distribution::Erlang(phases, mean));
        return Ok((0..count).map(|_| one()).collect());
    }
    if params.has("stations") {
        let groups = params.groups("stations")?;
        let one = |group: &Params<'_>| -> Result<Station, String> {
            let mut told = exponential(group.mean_of_rate("mu")?);
            if group.has("p") && group.number("p")? > 0.0 {
                told.failures.push(failure(group)?);
            }
            Ok(told)
        };
        return groups.iter().map(one).collect();
    }
    if params.has("servers") {
        let (servers, means) = (params.counts("servers")?, params.means_of_rates("mu_each")?);
        if servers.len() != means.len() {
            return Err("there are not as many servers as rates".to_owned());
        }
        let told = servers
            .into_iter()
            .zip(means)
            .map(|(servers, mean)| Station {
                servers,
                ..exponential(mean)
            });
        return Ok(told.collect());
    }
    Ok(params
        .means_of_rates("mu")?
        .into_iter()
        .map(exponential)
        .collect())
}

/// A failure while the machine works, or on the calendar where the group says so.
fn failure(group: &Params<'_>) -> Result<Failure, String> {
    let clock = match group.text("failures") {
        Ok("TDF") => Clock::Calendar,
        Ok("ODF") | Err(_) => Clock::Work,
        Ok(other) => return Err(format!("failures of the sort \"{other}\" are not known")),
    };
    Ok(Failure {
        clock,
        up: Distribution::Exponential(group.mean_of_rate("p")?),
        repair: Distribution::Exponential(group.mean_of_rate("r")?),
        crew: None,
    })
}

/// The room between stations: a list, or the same everywhere.
pub(super) fn rooms(params: &Params<'_>, stations: usize) -> Result<Vec<u32>, String> {
    match params.has("buffers") {
        true => params.counts("buffers"),
        false => Ok(vec![params.count("b")?; stations.saturating_sub(1)]),
    }
}

/// The line, if there are as many rooms as gaps.
pub(super) fn network(stations: Vec<Station>, rooms: &[u32]) -> Result<Network, String> {
    let count = stations.len();
    match count > 0 && rooms.len() + 1 == count {
        true => Ok(Network::line(stations, rooms)),
        false => Err(format!(
            "{count} stations do not fit {} rooms between",
            rooms.len()
        )),
    }
}

/// Feeders that are never starved, and a station that takes one part of each.
pub(super) fn assembly(params: &Params<'_>, quantity: &str) -> Result<Study, String> {
    let means = params.means_of_rates("feed")?;
    let rooms = params.counts("buffers")?;
    if rooms.len() != means.len() {
        return Err(format!(
            "{} feeders do not fit {} rooms",
            means.len(),
            rooms.len()
        ));
    }
    let feeder = |(at, mean): (usize, &f64)| Station {
        route: vec![(1.0, Target::Place(at))],
        ..Station::new(Distribution::Exponential(*mean))
    };
    let mut stations: Vec<Station> = means.iter().enumerate().map(feeder).collect();
    stations.push(Station {
        inputs: (0..means.len()).map(|place| (place, 1)).collect(),
        route: vec![(1.0, Target::Exit(0))],
        ..Station::new(Distribution::Exponential(params.mean_of_rate("mu")?))
    });
    let network = Network {
        stations,
        places: rooms
            .iter()
            .map(|room| Place {
                capacity: Some(*room),
            })
            .collect(),
        exits: vec![Exit::default()],
        classes: 1,
        ..Network::default()
    };
    match quantity {
        "throughput" => Ok(steady(network, Box::new(|_, counts| vec![rate(counts, 0)]))),
        _ => Err(unknown(quantity)),
    }
}
