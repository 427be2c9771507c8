//! What-ifs: a line from a given start up to a horizon, with what is planned on the way told in words.

use super::lines;
use super::params::{Params, mean_of};
use super::queues::unknown;
use super::study::Study;
use crate::kernel::Distribution;
use crate::network::{Change, Clock, Failure, Network, ServerStart, Start, Station};

/// How long is looked ahead where nothing says so, in seconds.
const HORIZON_S: f64 = 100.0;

/// A line, what is planned for it, and how it stands at the start.
struct Plan {
    rates: Vec<f64>,
    /// Of each station how often it fails and is repaired in a second; zero where it never fails.
    fails: Vec<[f64; 2]>,
    rooms: Vec<u32>,
    /// From when to when a station works at a rate of its own, in seconds. Where it is down by plan it is 0: it
    /// takes what comes and works on nothing.
    paces: Vec<(usize, [f64; 2], f64)>,
    horizon_s: f64,
    start: Stand,
}

/// How a line stands.
struct Stand {
    /// How many parts lie before each station but the first.
    levels: Vec<u32>,
    machines: Vec<Machine>,
}

/// What a machine does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Machine {
    Idle,
    Working,
    /// Its part is done.
    Blocked,
    /// It holds a part if it has one to fail on.
    Down {
        holds: bool,
    },
}

/// How many parts a line is expected to finish.
pub(super) fn finished(params: &Params<'_>, quantity: &str) -> Result<Study, String> {
    let is_known = ["E[finished parts]", "finished parts", "E[parts finished]"];
    if !is_known.contains(&quantity) {
        return Err(unknown(quantity));
    }
    let plan = Plan::of(params)?;
    Ok(Study {
        start: plan.start.start(),
        until_s: Some(plan.horizon_s),
        network: plan.network()?,
        measure: Box::new(|run, _| vec![run.exit_parts(0) as f64]),
    })
}

impl Plan {
    fn of(params: &Params<'_>) -> Result<Self, String> {
        let rates = params.numbers("mu")?;
        let count = rates.len();
        let mut fails = vec![[0.0; 2]; count];
        if params.has("fail") {
            for (at, pair) in params.lists("fail")?.into_iter().enumerate() {
                let of = fails
                    .get_mut(at)
                    .ok_or("more stations fail than there are")?;
                *of = pair
                    .try_into()
                    .map_err(|_| "a failure is no pair of rates")?;
            }
        }
        let rooms = lines::rooms(params, count)?;
        let mut plan = Self {
            start: Stand::of(params, count)?,
            rates,
            fails,
            rooms,
            paces: Vec::new(),
            horizon_s: HORIZON_S,
        };
        let mut horizon_s = 0.0_f64;
        if params.has("timeline") {
            for clause in params.text("timeline")?.split([',', ';', '\n']) {
                let wrong = |why| format!("the timeline's \"{}\": {why}", clause.trim());
                plan.tell(clause, &mut horizon_s).map_err(wrong)?;
            }
        }
        if params.has("horizon") {
            horizon_s = params.number("horizon")?;
        }
        if horizon_s > 0.0 {
            plan.horizon_s = horizon_s;
        }
        Ok(plan)
    }

    /// Adds what a clause says; the horizon is the end of the last stretch, unless it is told.
    fn tell(&mut self, clause: &str, horizon_s: &mut f64) -> Result<(), String> {
        let clause = clause.trim().to_lowercase();
        let clause = clause.strip_prefix("state:").unwrap_or(&clause);
        let spaced = clause.replace('=', " = ").replace(':', " ");
        let words: Vec<&str> = spaced
            .split_whitespace()
            .filter(|word| !["=", "of", "at", "in", "is", "the", "service"].contains(word))
            .collect();
        let (stretch, words) = stretch(&words);
        if let Some([_, to_s]) = stretch.filter(|[_, to_s]| to_s.is_finite()) {
            *horizon_s = horizon_s.max(to_s);
        }
        let at = |word: &str| -> Result<usize, String> {
            let number = word.parse::<usize>().ok();
            let at = number.and_then(|number| number.checked_sub(1));
            at.filter(|at| *at < self.rates.len())
                .ok_or_else(|| format!("there is no station {word}"))
        };
        let always = [0.0, f64::INFINITY];
        match *words.as_slice() {
            [] | ["normal" | "baseline"] => {}
            ["horizon", value] => *horizon_s = number(value)?,
            ["buffers" | "rooms", value] => self.rooms.fill(whole(value)?),
            ["buffer", place, value] | ["buffer", "level", place, value] => {
                // A buffer has the number of the station before it.
                let level = at(place).ok().and_then(|at| self.start.levels.get_mut(at));
                *level.ok_or_else(|| format!("there is no buffer {place}"))? = whole(value)?;
            }
            ["failure", "rate", "station" | "machine", station, value]
            | ["station" | "machine", station, "failure", "rate", value] => {
                self.fails[at(station)?][0] = number(value)?;
            }
            ["repair", "rate", "station" | "machine", station, value]
            | ["station" | "machine", station, "repair", "rate", value] => {
                self.fails[at(station)?][1] = number(value)?;
            }
            ["mtbf", "station" | "machine", station, value] => {
                self.fails[at(station)?][0] = 1.0 / number(value)?;
            }
            ["mttr", "station" | "machine", station, value] => {
                self.fails[at(station)?][1] = 1.0 / number(value)?;
            }
            ["rate" | "speed", "station" | "machine", station, value]
            | ["station" | "machine", station, "rate" | "speed", value] => {
                let pace = (at(station)?, stretch.unwrap_or(always), number(value)?);
                self.paces.push(pace);
            }
            [
                "station" | "machine",
                station,
                "down" | "stopped" | "stops" | "stands",
            ] if stretch.is_some() => {
                let pace = (at(station)?, stretch.unwrap_or(always), 0.0);
                self.paces.push(pace);
            }
            ["station" | "machine", station, does] => {
                let machine = Machine::of(does).ok_or("it says nothing that is known")?;
                let at = at(station)?;
                self.start.machines[at] = machine;
            }
            _ => return Err("it says nothing that is known".to_owned()),
        }
        Ok(())
    }

    /// The rate of a station from a time on: it stands if anything says so, else what was said last counts.
    fn pace(&self, station: usize, at_s: f64) -> f64 {
        let holds = |(of, [from_s, to_s], _): &&(usize, [f64; 2], f64)| {
            *of == station && (*from_s..*to_s).contains(&at_s)
        };
        let paces = || self.paces.iter().filter(holds).map(|(_, _, rate)| *rate);
        let stands = paces().any(|rate| rate == 0.0);
        let last = paces().next_back().filter(|_| !stands);
        last.unwrap_or(if stands { 0.0 } else { self.rates[station] })
    }

    fn network(&self) -> Result<Network, String> {
        let one = |(rate, fails): (&f64, &[f64; 2])| -> Result<Station, String> {
            let mut station = Station::new(Distribution::Exponential(mean_of("mu", *rate)?));
            if fails[0] > 0.0 {
                station.failures.push(Failure {
                    clock: Clock::Work,
                    up: Distribution::Exponential(mean_of("fail", fails[0])?),
                    repair: Distribution::Exponential(mean_of("fail", fails[1])?),
                    crew: None,
                });
            }
            Ok(station)
        };
        let stations: Result<Vec<_>, _> = self.rates.iter().zip(&self.fails).map(one).collect();
        let mut network = lines::network(stations?, &self.rooms)?;
        for (station, [from_s, to_s], _) in &self.paces {
            for at_s in [*from_s, *to_s].into_iter().filter(|at_s| at_s.is_finite()) {
                network.changes.push(Change {
                    station: *station,
                    from_ns: (at_s * 1e9).round() as u64,
                    speed: self.pace(*station, at_s) / self.rates[*station],
                });
            }
        }
        Ok(network)
    }
}

impl Stand {
    /// The levels before all machines, and four figures of each machine: parts at work, parts done, one that
    /// is not known, servers down. An empty line's first station has a part by itself.
    fn of(params: &Params<'_>, stations: usize) -> Result<Self, String> {
        let mut stand = Self {
            levels: vec![0; stations.saturating_sub(1)],
            machines: vec![Machine::Idle; stations],
        };
        let text = match params.has("start") {
            true => params.text("start")?.trim().to_lowercase(),
            false => String::new(),
        };
        if text.is_empty() || text.starts_with("empty") {
            return Ok(stand);
        }
        let figures = text.split(|letter: char| !letter.is_ascii_digit());
        let figures: Vec<u32> = figures.filter_map(|figure| figure.parse().ok()).collect();
        if figures.len() != 5 * stations {
            return Err(format!("the start \"{text}\" is no state of the line"));
        }
        let (levels, machines) = figures.split_at(stations);
        for (level, told) in stand.levels.iter_mut().zip(levels.iter().skip(1)) {
            *level = *told;
        }
        for (machine, told) in stand.machines.iter_mut().zip(machines.chunks_exact(4)) {
            *machine = match told {
                [0, 0, 0, 0] => Machine::Idle,
                [1, 0, 0, 0] => Machine::Working,
                [0, 1, 0, 0] | [0, 0, 1, 0] => Machine::Blocked,
                [holds @ (0 | 1), 0, 0, 1] => Machine::Down { holds: *holds == 1 },
                _ => {
                    return Err(format!(
                        "the start \"{text}\" is no state of single servers"
                    ));
                }
            };
        }
        Ok(stand)
    }

    fn start(&self) -> Start {
        let one = |machine: &Machine| match machine {
            Machine::Idle => ServerStart::default(),
            Machine::Working => ServerStart {
                part: Some(None),
                down: None,
            },
            // What has no work left is done at once, and waits.
            Machine::Blocked => ServerStart {
                part: Some(Some(0)),
                down: None,
            },
            Machine::Down { holds } => ServerStart {
                part: holds.then_some(None),
                down: Some(None),
            },
        };
        Start {
            places: self.levels.clone(),
            servers: self.machines.iter().map(one).collect(),
        }
    }
}

impl Machine {
    fn of(word: &str) -> Option<Self> {
        Some(match word {
            "working" | "busy" | "loaded" => Self::Working,
            "idle" | "starved" | "empty" => Self::Idle,
            "blocked" => Self::Blocked,
            "down" | "failed" => Self::Down { holds: true },
            _ => return None,
        })
    }
}

/// From when to when a clause holds, in seconds, where it says so, and its other words.
fn stretch<'w>(words: &[&'w str]) -> (Option<[f64; 2]>, Vec<&'w str>) {
    let span = |word: &str| {
        let (from, to) = word.split_once('-')?;
        Some([number(from).ok()?, number(to).ok()?])
    };
    for (at, word) in words.iter().enumerate() {
        let next = words.get(at + 1).and_then(|word| number(word).ok());
        let found = match (*word, next) {
            ("from" | "after", Some(from)) => Some(([from, f64::INFINITY], 2)),
            ("until" | "till", Some(to)) => Some(([0.0, to], 2)),
            _ => span(word).map(|span| (span, 1)),
        };
        if let Some((span, used)) = found {
            let others = [&words[..at], &words[at + used..]].concat();
            return (Some(span), others);
        }
    }
    (None, words.to_vec())
}

fn number(word: &str) -> Result<f64, String> {
    let number = word.parse::<f64>().ok().filter(|number| *number >= 0.0);
    number.ok_or_else(|| format!("\"{word}\" is no number"))
}

fn whole(word: &str) -> Result<u32, String> {
    word.parse()
        .map_err(|_| format!("\"{word}\" is no whole number"))
}
