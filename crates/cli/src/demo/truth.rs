//! What truly was: the truth file, and how the twin compares with it.

use super::clock::Clock;
use super::feed::Sent;
use super::reading::Reading;
use crate::failure::{Failure, Outcome};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use werkbuch_model::event::State;
use werkbuch_sim::truth::{FAILURE_NAMES, MachineTruth};
use werkbuch_sim::{Cause, PlantRun};

const SECOND_NS: f64 = 1e9;

/// How many of something were compared, and how many of them differ.
#[derive(Clone, Debug, Default)]
pub(super) struct Compared {
    pub(super) compared: u64,
    pub(super) differ: u64,
    examples: Vec<String>,
}

/// How a plant's twin compares with the truth.
#[derive(Clone, Debug, Default)]
pub(super) struct Agreement {
    pub(super) states: Compared,
    pub(super) counters: Compared,
    pub(super) parts: Compared,
}

impl Compared {
    fn one(&mut self, equal: bool, example: impl FnOnce() -> String) {
        self.compared += 1;
        if !equal {
            self.differ += 1;
            if self.examples.len() < 10 {
                self.examples.push(example());
            }
        }
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.compared += other.compared;
        self.differ += other.differ;
    }

    pub(super) fn json(&self) -> Value {
        json!({ "compared": self.compared, "differ": self.differ })
    }

    fn with_examples(&self) -> Value {
        json!({ "compared": self.compared, "differ": self.differ, "examples": self.examples })
    }
}

impl Agreement {
    /// Compares what the twin shows with what is true.
    pub(super) fn of(run: &PlantRun, reading: &Reading) -> Self {
        let mut agreement = Self::default();
        for (at, machine) in run.layout().machines.iter().enumerate() {
            let (is, wanted) = (reading.states.get(&machine.id).copied(), run.shown(at));
            agreement.states.one(is == Some(wanted.name()), || {
                format!(
                    "{}: {} is shown, it is {wanted}",
                    machine.id,
                    is.unwrap_or("nothing")
                )
            });
        }
        for (at, counter) in run.counters() {
            let id = run
                .layout()
                .machines
                .get(at)
                .map_or("", |one| one.id.as_str());
            let is = reading
                .counters
                .get(&(id.to_owned(), counter.counter.to_owned()))
                .copied();
            let wanted = (Some(counter.value), counter.reset_epoch);
            agreement.counters.one(is == Some(wanted), || {
                format!(
                    "{id} {}: {is:?} is shown, it is {wanted:?}",
                    counter.counter
                )
            });
        }
        let truly: BTreeMap<String, String> = run
            .parts()
            .into_iter()
            .map(|part| (part.part, part.place))
            .collect();
        let named = truly.iter().filter(|(part, _)| !part.is_empty());
        for (part, place) in named {
            let is = reading.parts.get(part);
            agreement.parts.one(is == Some(place), || {
                format!(
                    "{part}: {} is shown, it is at {place}",
                    is.map_or("nothing", String::as_str)
                )
            });
        }
        for (part, place) in reading
            .parts
            .iter()
            .filter(|(part, _)| !truly.contains_key(*part))
        {
            agreement
                .parts
                .one(false, || format!("{part}: {place} is shown, it is gone"));
        }
        agreement
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.states.add(&other.states);
        self.counters.add(&other.counters);
        self.parts.add(&other.parts);
    }

    /// In one line.
    pub(super) fn text(&self) -> String {
        let differ = |one: &Compared| format!("{} of {} differ", one.differ, one.compared);
        format!(
            "states {}, counters {}, parts {}",
            differ(&self.states),
            differ(&self.counters),
            differ(&self.parts)
        )
    }

    pub(super) fn json(&self) -> Value {
        json!({ "states": self.states.json(), "counters": self.counters.json(), "parts": self.parts.json() })
    }

    fn with_examples(&self) -> Value {
        json!({
            "states": self.states.with_examples(),
            "counters": self.counters.with_examples(),
            "parts": self.parts.with_examples(),
        })
    }
}

/// Errors: the file cannot be written later, because the folder that it is to lie in is not there.
pub(super) fn has_place(path: &Path) -> Outcome<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    match folder.filter(|folder| !folder.is_dir()) {
        None if path.is_dir() => {
            let what = format!("the truth file \"{}\" is a folder", path.display());
            Err(Failure::usage(what).hint("name a file in it"))
        }
        None => Ok(()),
        Some(folder) => {
            let what = format!(
                "the truth file cannot lie in \"{}\": there is no such folder",
                folder.display()
            );
            Err(Failure::usage(what).hint("make the folder, or name another with --truth"))
        }
    }
}

/// Writes the truth file. Errors: the file cannot be written.
pub(super) fn write(path: &Path, truth: &Value) -> Outcome<()> {
    std::fs::write(path, format!("{truth:#}\n")).map_err(|error| Failure::file(path, &error))
}

/// What is true of a plant, as JSON.
pub(super) fn of_plant(
    id: &str,
    run: &PlantRun,
    clock: &Clock,
    sent: Sent,
    agreement: &Agreement,
) -> Value {
    let tally = run.tally();
    let (layout, truth) = (run.layout(), run.truth());
    let names = |at: usize| layout.machines.get(at).map_or("", |one| one.id.as_str());
    let machines = layout.machines.iter().enumerate().map(|(at, machine)| {
        let counts = machine.station.filter(|station| layout.stations.get(*station).is_some_and(|one| one.machine == at));
        let counts = counts.and_then(|station| tally.parts.get(station));
        let mut object = json!({
            "machine": machine.id,
            "state": run.state(at).name(),
            "shown": run.shown(at).name(),
            "seconds_by_state": by_state(tally.times_ns.get(at).map_or(&[][..], |times| &times[..])),
            "truth": truth.machines.get(at).map(of_machine),
        });
        if let (Some([good, rework, scrap]), Some(object)) = (counts, object.as_object_mut()) {
            object.insert("parts".to_owned(), json!({ "good": good, "rework": rework, "scrap": scrap }));
        }
        object
    });
    let machines: Vec<Value> = machines.collect();
    let stops = tally.stops.iter().map(|stop| {
        let at = |ns: u64| clock.at(ns).to_string();
        let (cause, zone) = match stop.cause {
            Cause::Own(way) => (FAILURE_NAMES.get(way).copied().unwrap_or("failure"), None),
            Cause::Zone(zone) => (
                "zone_stop",
                layout.zones.get(zone).map(|one| one.id.as_str()),
            ),
        };
        json!({
            "machine": names(stop.machine), "cause": cause, "zone": zone, "from": at(stop.from_ns),
            "crew_came": stop.crew_ns.map(at), "to": stop.to_ns.map(at),
        })
    });
    let stops: Vec<Value> = stops.collect();
    let products = layout.products.iter().zip(&tally.products).map(|(product, [made, finished, scrapped, joined])| {
        let inside = made - finished - scrapped - joined;
        (product.id.clone(), json!({ "made": made, "finished": finished, "scrapped": scrapped, "joined": joined, "inside": inside }))
    });
    let counters = run.counters().map(|(at, one)| {
        json!({
            "machine": names(at), "counter": one.counter, "value": one.value, "modulus": one.modulus,
            "reset_epoch": one.reset_epoch, "counted": one.counted,
        })
    });
    let parts = run.parts().into_iter().filter(|one| !one.part.is_empty());
    json!({
        "plant": id,
        "from": clock.at(0).to_string(),
        "to": clock.at(run.now_ns()).to_string(),
        "events": sent.events,
        "products": products.collect::<Map<_, _>>(),
        "machines": machines,
        "counters": counters.collect::<Vec<_>>(),
        "stops": stops,
        "zones": truth.zones.iter().zip(&layout.zones).map(|(truth, zone)| json!({
            "zone": zone.id, "mean_seconds_between_stops": truth.up.mean_s(), "mean_seconds_of_a_stop": truth.stop.mean_s(),
        })).collect::<Vec<_>>(),
        "parts": parts.map(|one| json!({ "part": one.part, "place": one.place, "product": one.product })).collect::<Vec<_>>(),
        "reporting": faults(run, clock),
        "agreement": agreement.with_examples(),
    })
}

fn of_machine(truth: &MachineTruth) -> Value {
    let ways = FAILURE_NAMES
        .iter()
        .zip(&truth.failures)
        .map(|(name, way)| {
            let means = json!({
                "mean_working_seconds": way.up.mean_s(),
                "mean_repair_seconds": way.repair.mean_s(),
                "needs_crew": way.needs_crew,
            });
            ((*name).to_owned(), means)
        });
    json!({
        "cycle_factor": truth.cycle_factor,
        "drift_per_hour": truth.drift_per_hour,
        "variation": truth.variation,
        "scrap": truth.scrap,
        "rework": truth.rework,
        "andon": truth.andon,
        "failures": ways.collect::<Map<_, _>>(),
    })
}

fn by_state(times_ns: &[u64]) -> Map<String, Value> {
    let spent = times_ns.iter().zip(0_u32..).filter(|(ns, _)| **ns > 0);
    let named = spent.map(|(ns, code)| {
        let state = State::from_code(code).unwrap_or_default();
        (state.name().to_owned(), json!(*ns as f64 / SECOND_NS))
    });
    named.collect()
}

fn faults(run: &PlantRun, clock: &Clock) -> Value {
    let faults = run.faults();
    let outages = faults.outages.iter().map(|outage| {
        json!({
            "source": run.sources().get(outage.source),
            "from": clock.at(outage.from_ns).to_string(),
            "to": clock.at(outage.to_ns).to_string(),
        })
    });
    let clocks = faults.clocks.iter().map(|(machine, ahead_ns)| {
        json!({
            "machine": run.layout().machines.get(*machine).map(|one| one.id.as_str()),
            "seconds_ahead": *ahead_ns as f64 / SECOND_NS,
        })
    });
    json!({
        "late": faults.late,
        "miscounted": faults.miscounted,
        "outages": outages.collect::<Vec<_>>(),
        "clocks": clocks.collect::<Vec<_>>(),
    })
}
