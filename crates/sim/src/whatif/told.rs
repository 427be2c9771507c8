//! A change in words.

use super::change::{Change, Size, Times, What};
use super::inflow::Rule;
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
        (self.names(model), self.value())
    }

    fn names(&self, model: &Model) -> Vec<String> {
        let layout = &model.layout;
        let names = |at: &[usize], name: &dyn Fn(usize) -> Option<String>| -> Vec<String> {
            at.iter().filter_map(|at| name(*at)).collect()
        };
        let machine = |at: usize| Some(layout.machines.get(at)?.id.clone());
        let station = |at: usize| machine(layout.stations.get(at)?.machine);
        match self {
            Self::Down { machines, .. }
            | Self::Maintenance { machines, .. }
            | Self::Failures { machines, .. }
            | Self::Cycle { machines, .. }
            | Self::Setup { machines, .. }
            | Self::Quality { machines, .. }
            | Self::Hours { machines, .. }
            | Self::Dispatch(Rule { machines, .. }) => names(machines, &machine),
            Self::Slots { machines, .. }
            | Self::Demand { machines, .. }
            | Self::Limit { machines, .. } => names(machines, &station),
            Self::Buffer { buffers, .. } | Self::Order { buffers, .. } => {
                names(buffers, &|at| Some(layout.buffers.get(at)?.id.clone()))
            }
            Self::Crew { crews, .. } => names(crews, &|at| Some(layout.crews.get(at)?.id.clone())),
            Self::Carriers { carriers, .. } => {
                names(carriers, &|at| Some(layout.carriers.get(at)?.id.clone()))
            }
            Self::Supply { feeds, .. } | Self::Stock { feeds, .. } => {
                names(feeds, &|at| Some(layout.feeds.get(at)?.part_number.clone()))
            }
            Self::Mix { shares } => {
                let variant = |at: usize| layout.variants.get(at).map_or("", |one| one.id.as_str());
                let all = shares.iter();
                all.map(|(at, share)| format!("{} {share}", variant(*at)))
                    .collect()
            }
            Self::Route { ways } => vec![format!("{} ways", ways.len())],
        }
    }

    fn value(&self) -> String {
        match self {
            Self::Down { at_hand, .. } => format!("{at_hand:?}").to_lowercase(),
            Self::Maintenance {
                every_ns, takes_ns, ..
            } => format!("{} of every {}", hours(*takes_ns), hours(*every_ns)),
            Self::Failures { up, repair, .. } => {
                format!("up {}, repair {}", up.told(), repair.told())
            }
            Self::Cycle { times, .. } | Self::Demand { times, .. } => times.told(),
            Self::Setup { factor, .. } => format!("times {factor}"),
            Self::Quality { scrap, rework, .. } => {
                format!("scrap {}, rework {}", share(*scrap), share(*rework))
            }
            Self::Slots { size, .. }
            | Self::Buffer { size, .. }
            | Self::Crew { size, .. }
            | Self::Carriers { size, .. } => size.told(),
            Self::Order { kind, .. } => kind.name().to_lowercase(),
            Self::Limit { count, .. } => format!("at most {count} parts"),
            Self::Supply { delay_s, times, .. } => {
                format!("{}, {} later", times.told(), hours((delay_s * 1e9) as u64))
            }
            Self::Stock { pieces, .. } => format!("{pieces} pieces"),
            Self::Route { .. } => "closed".to_owned(),
            Self::Dispatch(rule) => rule.told(),
            Self::Mix { .. } | Self::Hours { .. } => String::new(),
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
