//! Stocks that are filled up, and suppliers that fail.

use super::Effort;
use super::params::Params;
use super::queues::unknown;
use super::study::{PILOT_EVENTS, long_runs};
use crate::kernel::{Distribution, Streams};
use crate::network::{Network, Run, Start};
use crate::statistics::Interval;
use std::sync::Arc;

/// The most orders on their way at once that can be run.
const PIPELINE_MAX: f64 = 100_000.0;

/// A base stock: each demand is an order at once, which comes after a time whatever the others do. So what is
/// on its way are the parts in a queue with a server for everyone; what is on hand, and what is owed, follows.
pub(super) fn stock(
    params: &Params<'_>,
    quantity: &str,
    effort: &Effort,
) -> Result<Vec<Interval>, String> {
    let between = params.mean_of_rate("demand_rate")?;
    let lead = params.number("leadtime_mean")?;
    let stock = u64::from(params.count("base_stock")?);
    let figure: fn(&Levels) -> f64 = match quantity {
        "fill rate" => |levels| levels.filled / levels.demands,
        "ready rate" => |levels| levels.ready_ns / levels.time_ns,
        "expected backorders" | "mean backorders" => |levels| levels.owed_ns / levels.time_ns,
        "expected on hand"
        | "expected inventory"
        | "mean on hand"
        | "expected on-hand inventory" => |levels| levels.on_hand_ns / levels.time_ns,
        "expected on order" | "mean pipeline" => |levels| levels.on_order_ns / levels.time_ns,
        "mean wait" | "mean backorder wait" => |levels| levels.owed_ns / levels.demands / 1e9,
        _ => return Err(unknown(quantity)),
    };
    // A Poisson number of this mean is never beyond eight deviations more.
    let mean = lead / between;
    let most = mean + 8.0 * mean.sqrt() + 20.0;
    if !(lead > 0.0 && most < PIPELINE_MAX) {
        return Err("the lead time is not greater than zero, or too long".to_owned());
    }
    let network = Arc::new(Network::queue(
        Distribution::Exponential(between),
        Distribution::Exponential(lead),
        most as u32,
        None,
    ));
    let begin = |number| {
        Run::new(
            &network,
            &Streams::new(effort.seed, number),
            &Start::default(),
        )
    };
    begin(0).map_err(|error| error.to_string())?;
    let one = |number: u32, (from, to): (u64, u64)| {
        let Ok(mut run) = begin(number) else {
            return (Vec::new(), 0);
        };
        run.run_until(from);
        let mut levels = Levels::default();
        while run.now_ns() < to {
            levels.step(&mut run, stock, to);
        }
        (vec![figure(&levels)], run.events())
    };
    // A demand is an event, and so is what comes for it.
    let pilot_s = (PILOT_EVENTS / 2) as f64 * between;
    Ok(long_runs(effort, (pilot_s * 1e9) as u64, one))
}

/// What was seen of a stock; parts times nanoseconds where it is about time.
#[derive(Default)]
struct Levels {
    demands: f64,
    /// Demands that found something on hand.
    filled: f64,
    time_ns: f64,
    ready_ns: f64,
    on_hand_ns: f64,
    owed_ns: f64,
    on_order_ns: f64,
}

impl Levels {
    /// Runs on to the next change, but not beyond the end.
    fn step(&mut self, run: &mut Run, stock: u64, end_ns: u64) {
        let (before, since_ns) = (run.parts(), run.now_ns());
        let next_ns = run.next_ns().map_or(end_ns, |next_ns| next_ns.min(end_ns));
        let ns = (next_ns - since_ns) as f64;
        let on_hand = stock.saturating_sub(before);
        self.time_ns += ns;
        self.ready_ns += if on_hand > 0 { ns } else { 0.0 };
        self.on_hand_ns += ns * on_hand as f64;
        self.owed_ns += ns * before.saturating_sub(stock) as f64;
        self.on_order_ns += ns * before as f64;
        // What is due at exactly a time happens when it is over.
        run.run_until(next_ns + 1);
        if run.parts() > before {
            self.demands += 1.0;
            self.filled += f64::from(u8::from(on_hand > 0));
        }
    }
}

/// What an outage of suppliers costs, and how long one may last that costs nothing. Every supplier may make
/// every product, so that only the sum of what they make is scarce: the cheapest losses are borne, and stocks
/// last until what is made does not suffice for those products that have run out.
pub(super) fn outage(params: &Params<'_>, quantity: &str) -> Result<Vec<f64>, String> {
    let (demand, stock) = (params.numbers("demand")?, params.numbers("inventory")?);
    let (loss, repair) = (params.numbers("loss")?, params.number("TTR")?);
    if demand.len() != stock.len() || demand.len() != loss.len() {
        return Err("there are not as many demands, stocks and losses".to_owned());
    }
    let down = params.counts("down")?;
    let capacity = params.numbers("capacity")?;
    let up = (1..)
        .zip(&capacity)
        .filter(|(number, _)| !down.contains(number));
    let capacity: f64 = up.map(|(_, capacity)| capacity).sum();
    let mut lacks: Vec<(f64, f64)> = (demand.iter().zip(&stock))
        .map(|(demand, stock)| (demand * repair - stock).max(0.0))
        .zip(loss)
        .map(|(lack, loss)| (loss, lack))
        .collect();
    lacks.sort_by(|a, b| a.0.total_cmp(&b.0));
    let all: f64 = lacks.iter().map(|(_, lack)| lack).sum();
    let mut short = (all - capacity * repair).max(0.0);
    let mut cost = 0.0;
    for (loss, lack) in lacks {
        let lost = short.min(lack);
        short -= lost;
        cost += loss * lost;
    }
    let survives = survival(&demand, &stock, capacity);
    Ok(match quantity {
        "[disruption cost, TTS]" => vec![cost, survives],
        "disruption cost" => vec![cost],
        "TTS" => vec![survives],
        _ => return Err(unknown(quantity)),
    })
}

/// For how long stocks and what is made meet all demands: what is lacking is the greater of what is made and a
/// convex function of time, whose pieces begin where a stock ends. Infinite where it is never.
fn survival(demand: &[f64], stock: &[f64], capacity: f64) -> f64 {
    let mut ends: Vec<(f64, f64, f64)> = (demand.iter().zip(stock))
        .filter(|(demand, _)| **demand > 0.0)
        .map(|(demand, stock)| (stock / demand, *demand, *stock))
        .collect();
    ends.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut needed, mut had) = (0.0, 0.0);
    for (at, (_, demand, stock)) in ends.iter().enumerate() {
        needed += demand;
        had += stock;
        let until = ends.get(at + 1).map_or(f64::INFINITY, |(end, ..)| *end);
        // Of those whose stocks are gone so much is needed each time unit, less what was had.
        if needed > capacity && had / (needed - capacity) <= until {
            return had / (needed - capacity);
        }
    }
    f64::INFINITY
}
