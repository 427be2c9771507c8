//! A change in words.

use super::change::{Change, Size, Times, What};
use super::model::Model;

/// How many names of what changes are shown.
const NAMES: usize = 4;

impl Change {
    /// What changes, in words: `cycle of m1, m2: times 0.5`.
    #[must_use]
    pub fn told(&self, model: &Model) -> String {
        let (targets, value) = self.what.told(model);
        let shown = targets.iter().take(NAMES).map(String::as_str);
        let mut names = shown.collect::<Vec<_>>().join(", ");
        if targets.len() > NAMES {
            names = format!("{names} and {} more", targets.len() - NAMES);
        }
        match value.as_str() {
            "" => format!("{} of {names}", self.operation),
            value => format!("{} of {names}: {value}", self.operation),
        }
    }
}

impl What {
    /// The names of what changes, and how.
    fn told(&self, model: &Model) -> (Vec<String>, String) {
        let layout = &model.layout;
        let names = |at: &[usize], name: &dyn Fn(usize) -> Option<String>| -> Vec<String> {
            at.iter().filter_map(|at| name(*at)).collect()
        };
        let machine = |at: usize| Some(layout.machines.get(at)?.id.clone());
        let station = |at: usize| machine(layout.stations.get(at)?.machine);
        let buffer = |at: usize| Some(layout.buffers.get(at)?.id.clone());
        let part = |at: usize| Some(layout.feeds.get(at)?.part_number.clone());
        match self {
            Self::Down { machines, at_hand } => (
                names(machines, &machine),
                format!("{at_hand:?}").to_lowercase(),
            ),
            Self::Maintenance {
                machines,
                every_ns,
                takes_ns,
                ..
            } => (
                names(machines, &machine),
                format!("{} of every {}", hours(*takes_ns), hours(*every_ns)),
            ),
            Self::Failures {
                machines,
                up,
                repair,
                ..
            } => (
                names(machines, &machine),
                format!("up {}, repair {}", up.told(), repair.told()),
            ),
            Self::Cycle { machines, times } => (names(machines, &machine), times.told()),
            Self::Setup { machines, factor } => {
                (names(machines, &machine), format!("times {factor}"))
            }
            Self::Quality {
                machines,
                scrap,
                rework,
            } => (
                names(machines, &machine),
                format!("scrap {}, rework {}", share(*scrap), share(*rework)),
            ),
            Self::Slots { machines, size } => (names(machines, &station), size.told()),
            Self::Buffer { buffers, size } => (names(buffers, &buffer), size.told()),
            Self::Order { buffers, kind } => (names(buffers, &buffer), kind.name().to_lowercase()),
            Self::Crew { crews, size } => (
                names(crews, &|at| Some(layout.crews.get(at)?.id.clone())),
                size.told(),
            ),
            Self::Carriers { carriers, size } => (
                names(carriers, &|at| Some(layout.carriers.get(at)?.id.clone())),
                size.told(),
            ),
            Self::Demand { machines, times } => (names(machines, &station), times.told()),
            Self::Limit { machines, count } => {
                (names(machines, &station), format!("at most {count} parts"))
            }
            Self::Mix { shares } => {
                let variant = |at: usize| layout.variants.get(at).map_or("", |one| one.id.as_str());
                let all = shares
                    .iter()
                    .map(|(at, share)| format!("{} {share}", variant(*at)));
                (all.collect(), String::new())
            }
            Self::Supply {
                feeds,
                delay_s,
                times,
            } => (
                names(feeds, &part),
                format!("{}, {} later", times.told(), hours((delay_s * 1e9) as u64)),
            ),
            Self::Stock { feeds, pieces } => (names(feeds, &part), format!("{pieces} pieces")),
            Self::Route { ways } => {
                let ends = format!("{} closed", ways.len());
                (vec!["ways".to_owned()], ends)
            }
            Self::Hours { machines, .. } => (names(machines, &machine), String::new()),
        }
    }
}

impl Times {
    fn told(&self) -> String {
        match self {
            Self::Same => "as it is".to_owned(),
            Self::Factor(factor) => format!("times {factor}"),
            Self::Are(new) => new.to_string(),
        }
    }
}

impl Size {
    fn told(self) -> String {
        match self {
            Self::Is(count) => count.to_string(),
            Self::Add(more) => format!("{more:+}"),
            Self::Factor(factor) => format!("times {factor}"),
        }
    }
}

fn share(of: Option<f64>) -> String {
    of.map_or_else(|| "as it is".to_owned(), |share| share.to_string())
}

fn hours(ns: u64) -> String {
    format!("{:.4} h", ns as f64 / 3.6e12)
}
