//! Lines without chance that are told in a sentence: a source, queues, machines that fail, what lies there at
//! the start.

use super::params::Params;
use super::queues::{share, unknown};
use crate::kernel::{Distribution, Streams};
use crate::network::{
    Clock, Failure, Network, Phase, Place, Run, ServerStart, Source, Start, Station,
};
use std::sync::Arc;

/// What a sentence says.
#[derive(Default)]
struct Chain {
    /// Seconds between parts.
    every: Option<f64>,
    /// Whether the first machine makes its parts.
    makes: bool,
    machines: Vec<Machine>,
    /// The room of the queue behind so many machines, the first one before all of them; absent is any.
    queues: Vec<(usize, Option<u32>)>,
    /// Parts that lie before the first machine.
    waiting: u32,
    /// The part in the first machine at the start, and how much of its time is left where that is not all.
    loaded: Option<Option<f64>>,
    horizon: Option<f64>,
}

/// A machine of a sentence: its name, how long it takes, how long it runs and is repaired.
struct Machine {
    name: String,
    time: f64,
    fails: Option<(f64, f64)>,
}

/// What comes of a line; what a sentence does not say is as in the last one before it that says so.
pub(super) fn chain(
    params: &Params<'_>,
    (model, earlier): (&str, &[String]),
    quantity: &str,
) -> Result<Vec<f64>, String> {
    let mut chain = Chain::of(model)?;
    if params.has("T") {
        chain.horizon = Some(params.number("T")?);
    }
    if chain.machines.is_empty() {
        let before = |model: &String| Chain::of(model).ok()?.machines.into_iter().next();
        let machine = earlier.iter().rev().find_map(before);
        chain
            .machines
            .push(machine.ok_or("nothing says how long the machine takes")?);
    }
    let asked: Vec<&str> = quantity
        .trim_matches(['[', ']'])
        .split(',')
        .map(str::trim)
        .collect();
    let (network, start) = (Arc::new(chain.network()?), chain.start());
    let run = Run::new(&network, &Streams::new(0, 0), &start);
    let mut run = run.map_err(|error| error.to_string())?;
    let end_ns = chain.horizon.map(to_ns);
    if end_ns.is_none() && (chain.makes || chain.every.is_some()) {
        return Err("nothing says when it ends".to_owned());
    }
    // What happens at the very end does not happen any more.
    let mut last_ns = 0;
    while let Some(at_ns) = run
        .next_ns()
        .filter(|at_ns| end_ns.is_none_or(|end_ns| *at_ns < end_ns))
    {
        let before = run.exit_parts(0);
        run.run_until(at_ns + 1);
        if run.exit_parts(0) > before {
            last_ns = at_ns;
        }
        // Failures by the calendar come for ever.
        if end_ns.is_none() && run.parts() == 0 {
            break;
        }
    }
    run.run_until(end_ns.unwrap_or(last_ns));
    let counts = run.counts();
    let of = |asked: &&str| match *asked {
        "parts" | "parts out" => Ok(run.exit_parts(0) as f64),
        "end time" | "end" => Ok(last_ns as f64 / 1e9),
        _ => {
            let (server, phase) = chain.phase(asked).ok_or_else(|| unknown(quantity))?;
            Ok(100.0 * share(&counts, server, phase))
        }
    };
    asked.iter().map(of).collect()
}

impl Chain {
    fn of(model: &str) -> Result<Self, String> {
        let mut chain = Self::default();
        let lower = model.to_lowercase();
        for part in lower.split("->").flat_map(clauses) {
            let told = chain.tell(part);
            told.ok_or_else(|| format!("the model's \"{}\" is not known", part.trim()))?;
        }
        Ok(chain)
    }

    fn tell(&mut self, clause: &str) -> Option<()> {
        let words: Vec<&str> = clause
            .split(|letter: char| letter.is_whitespace() || "(),:".contains(letter))
            .filter(|word| !word.is_empty())
            .collect();
        let numbers = || words.iter().filter_map(|word| word.parse::<f64>().ok());
        let after = |name: &str| -> Option<f64> {
            let at = words.iter().position(|word| *word == name)?;
            words.get(at + 1)?.parse().ok()
        };
        let has = |word: &str| words.contains(&word);
        match words.first().copied()? {
            "source" => {
                self.every = Some(after("every")?);
                self.waiting += u32::from(clause.contains("first at 0"));
            }
            "exit" => {}
            "horizon" => self.horizon = Some(numbers().next()?),
            "queue" | "buffer" => {
                let room = ["cap", "capacity"].into_iter().find_map(after);
                let room = room.map(|room| room as u32);
                self.queues.push((self.machines.len(), room));
            }
            _ if has("in") && has("queue") => self.waiting += numbers().next()? as u32,
            _ if has("in") && has("machine") => {
                self.loaded = Some(match has("with") {
                    true => Some(after("with")?),
                    false => None,
                });
            }
            first => {
                self.makes |= first == "never-starved";
                let is_known = ["never-starved", "machine", "server"].contains(&first)
                    || first.starts_with('m') && first.len() < 4;
                let fails = after("ttf").zip(after("ttr"));
                let is_plain = words.len() <= 3 || fails.is_some() && words.len() <= 7;
                self.machines.push(Machine {
                    name: first.to_owned(),
                    time: numbers().next().filter(|_| is_known && is_plain)?,
                    fails,
                });
            }
        }
        Some(())
    }

    fn network(&self) -> Result<Network, String> {
        let station = |machine: &Machine| Station {
            failures: machine
                .fails
                .map(|(up, repair)| Failure {
                    clock: Clock::Calendar,
                    up: Distribution::Constant(up),
                    repair: Distribution::Constant(repair),
                    crew: None,
                })
                .into_iter()
                .collect(),
            ..Station::new(Distribution::Constant(machine.time))
        };
        let gaps = self.machines.len() - 1;
        let mut network =
            Network::line(self.machines.iter().map(station).collect(), &vec![0; gaps]);
        for (behind, room) in self.queues.iter().filter(|(behind, _)| *behind > 0) {
            let place = network.places.get_mut(behind - 1);
            place.ok_or("a queue has no machine behind it")?.capacity = *room;
        }
        if self.makes {
            return Ok(network);
        }
        // What finds no room in the first queue waits in the source.
        network.places.push(Place::default());
        network.stations[0].inputs = vec![(gaps, 1)];
        let source = |every: f64| Source {
            between: Distribution::Constant(every),
            batch: 1,
            class: 0,
            to: gaps,
        };
        network.sources = self.every.map(source).into_iter().collect();
        Ok(network)
    }

    fn start(&self) -> Start {
        let mut places = vec![0; self.machines.len() - 1];
        if !self.makes {
            places.push(self.waiting);
        }
        let part = self.loaded.map(|left| left.map(to_ns));
        Start {
            places,
            servers: vec![ServerStart { part, down: None }],
        }
    }

    /// The machine and what it does in "M2 working %".
    fn phase(&self, asked: &str) -> Option<(usize, Phase)> {
        let asked = asked.to_lowercase();
        let words: Vec<&str> = asked.strip_suffix('%')?.split_whitespace().collect();
        let (name, does) = match *words.as_slice() {
            [does] => (None, does),
            [name, does] => (Some(name), does),
            _ => return None,
        };
        let phase = match does {
            "working" | "busy" => Phase::Working,
            "waiting" | "starved" | "idle" => Phase::Starved,
            "blocked" | "blockage" => Phase::Blocked,
            "failed" | "failure" | "down" => Phase::Down,
            _ => return None,
        };
        let server = match name {
            None => 0,
            Some(name) => self.machines.iter().position(|one| one.name == name)?,
        };
        Some((server, phase))
    }
}

/// The parts of a sentence between commas that are in no brackets.
fn clauses(sentence: &str) -> Vec<&str> {
    let mut depth = 0_i32;
    let apart = |letter: char| {
        depth += i32::from(letter == '(') - i32::from(letter == ')');
        depth == 0 && (letter == ',' || letter == ';')
    };
    sentence.split(apart).collect()
}

fn to_ns(seconds: f64) -> u64 {
    (seconds * 1e9).round() as u64
}
