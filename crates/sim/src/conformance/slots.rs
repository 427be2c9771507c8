//! Lines whose convention is none of single parts in continuous time: slotted ones, and a flow.

use super::Effort;
use super::params::Params;
use super::queues::unknown;
use super::study::{PILOT_EVENTS, long_runs};
use crate::kernel::{Purpose, Stream, Streams};
use crate::statistics::Interval;

/// A line in slots, with its levels as they are at the beginning of a slot.
struct Line {
    levels: Vec<u32>,
    rooms: Vec<u32>,
    up: Vec<bool>,
    works: Vec<bool>,
    stream: Stream,
}

impl Line {
    fn new(machines: usize, rooms: &[u32], streams: &Streams) -> Self {
        Self {
            levels: vec![0; rooms.len()],
            rooms: rooms.to_vec(),
            up: vec![true; machines],
            works: vec![false; machines],
            stream: streams.stream(0, Purpose::Failure),
        }
    }

    fn is_starved(&self, machine: usize) -> bool {
        machine > 0 && self.levels[machine - 1] == 0
    }

    /// Whether the room behind a machine is full.
    fn is_full(&self, machine: usize) -> bool {
        self.levels
            .get(machine)
            .is_some_and(|level| *level >= self.rooms[machine])
    }

    /// Parts move at the end of a slot. Answers whether the last machine made one.
    fn step(&mut self) -> bool {
        for machine in 0..self.works.len() {
            if !self.works[machine] {
                continue;
            }
            if machine > 0 {
                self.levels[machine - 1] -= 1;
            }
            if let Some(level) = self.levels.get_mut(machine) {
                *level += 1;
            }
        }
        self.works.last().copied().unwrap_or(false)
    }
}

/// Machines of one cycle that fail while they work and are repaired, each with a probability in a slot
/// (Buzacott; Gershwin 1994, Manufacturing Systems Engineering): whether one is starved or blocked is as at the
/// beginning of the slot.
pub(super) fn transfer(
    params: &Params<'_>,
    quantity: &str,
    effort: &Effort,
) -> Result<Vec<Interval>, String> {
    let (fails, repairs) = (params.numbers("p")?, params.numbers("r")?);
    if fails.len() != repairs.len() {
        return Err("there are not as many p as r".to_owned());
    }
    run(params, (fails.len(), quantity), effort, &|line| {
        for machine in 0..fails.len() {
            let idle = line.is_starved(machine) || line.is_full(machine);
            if line.up[machine] {
                line.up[machine] = idle || !line.stream.chance(fails[machine]);
            } else {
                line.up[machine] = line.stream.chance(repairs[machine]);
            }
            line.works[machine] = line.up[machine] && !idle;
        }
    })
}

/// Machines that are up in each slot with a probability (Li and Meerkov 2009, Production Systems Engineering):
/// one whose room behind it is full works if the next one takes a part in the slot.
pub(super) fn bernoulli(
    params: &Params<'_>,
    quantity: &str,
    effort: &Effort,
) -> Result<Vec<Interval>, String> {
    let up = params.numbers("p")?;
    run(params, (up.len(), quantity), effort, &|line| {
        let mut next_takes = true;
        for machine in (0..up.len()).rev() {
            let is_up = line.stream.chance(up[machine]);
            let has_room = !line.is_full(machine) || next_takes;
            next_takes = is_up && !line.is_starved(machine) && has_room;
            line.works[machine] = next_takes;
        }
    })
}

/// Runs a line; `decide` says who works in a slot.
fn run(
    params: &Params<'_>,
    (machines, quantity): (usize, &str),
    effort: &Effort,
    decide: &(dyn Fn(&mut Line) + Sync),
) -> Result<Vec<Interval>, String> {
    let rooms = params.counts("N")?;
    if machines == 0 || rooms.len() + 1 != machines || rooms.contains(&0) {
        return Err("the rooms N do not fit the machines, or one is 0".to_owned());
    }
    let tells_levels = match quantity {
        "efficiency (parts per slot)" | "production rate" => false,
        "mean buffer levels" => true,
        _ => return Err(unknown(quantity)),
    };
    let one = |number: u32, (from, to): (u64, u64)| {
        let mut line = Line::new(machines, &rooms, &Streams::new(effort.seed, number));
        let (mut made, mut sums) = (0_u64, vec![0_u64; rooms.len()]);
        for slot in 0..to {
            decide(&mut line);
            let is_made = line.step();
            if slot >= from {
                made += u64::from(is_made);
                for (sum, level) in sums.iter_mut().zip(&line.levels) {
                    *sum += u64::from(*level);
                }
            }
        }
        let slots = (to - from) as f64;
        let values = match tells_levels {
            true => sums.iter().map(|sum| *sum as f64 / slots).collect(),
            false => vec![made as f64 / slots],
        };
        (values, to * machines as u64)
    };
    Ok(long_runs(effort, PILOT_EVENTS / machines as u64 + 1, one))
}

/// Two machines of speed 1 between which a fluid is held, each up and down for exponential times whatever the
/// other does (Li and Meerkov 2009).
pub(super) fn flow(
    params: &Params<'_>,
    quantity: &str,
    effort: &Effort,
) -> Result<Vec<Interval>, String> {
    if quantity != "production rate" {
        return Err(unknown(quantity));
    }
    let mean = |name| params.mean_of_rate(name);
    let means = [
        [mean("fail1")?, mean("rep1")?],
        [mean("fail2")?, mean("rep2")?],
    ];
    let room = params.number("N")?;
    if !(room >= 0.0 && room.is_finite()) {
        return Err("the room N is negative or no number".to_owned());
    }
    let one = |number: u32, (from, to): (u64, u64)| {
        let streams = Streams::new(effort.seed, number);
        let mut streams = [0, 1].map(|machine| streams.stream(machine, Purpose::Failure));
        let mut draw = |machine: usize, is_up: bool| {
            let mean = means[machine][usize::from(!is_up)];
            -mean * libm::log(streams[machine].unit())
        };
        let mut up = [true, true];
        let mut left = [draw(0, true), draw(1, true)];
        let (mut level, mut begun, mut time, mut made) = (0.0_f64, 0.0, 0.0, 0.0);
        for change in 0..to {
            if change == from {
                (begun, made) = (time, 0.0);
            }
            let next = usize::from(left[1] < left[0]);
            let step = left[next];
            time += step;
            made += match up {
                [true, true] => step,
                // What is there flows on, and then nothing.
                [false, true] => level.min(step),
                _ => 0.0,
            };
            level = match up {
                [true, false] => (level + step).min(room),
                [false, true] => (level - step).max(0.0),
                _ => level,
            };
            left[1 - next] -= step;
            up[next] = !up[next];
            left[next] = draw(next, up[next]);
        }
        (vec![made / (time - begun)], to)
    };
    Ok(long_runs(effort, PILOT_EVENTS, one))
}
