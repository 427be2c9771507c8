//! What truly was: times in states, parts made, stops with their causes.

use super::fact::{Cause, Gone, Verdict};
use werkbuch_model::event::State;

/// How many states there are, with the unspecified one.
const STATES: usize = 15;

/// What truly was in a factory, up to a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    /// By machine and state's code: nanoseconds.
    pub times_ns: Vec<[u64; STATES]>,
    /// By station: good parts, parts sent to rework, scrap.
    pub parts: Vec<[u64; 3]>,
    /// By product: parts that came into being, that were finished, scrapped, joined to others.
    pub products: Vec<[u64; 4]>,
    /// Stops by failure or zone, in the order in which they began.
    pub stops: Vec<Stop>,
}

/// A stop of a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stop {
    /// The machine.
    pub machine: usize,
    /// Why.
    pub cause: Cause,
    /// When it began, in nanoseconds from the start.
    pub from_ns: u64,
    /// When a crew came; absent when none did (yet).
    pub crew_ns: Option<u64>,
    /// When it ended; absent while it lasts.
    pub to_ns: Option<u64>,
}

impl Tally {
    pub(super) fn new(machines: usize, stations: usize, products: usize) -> Self {
        Self {
            times_ns: vec![[0; STATES]; machines],
            parts: vec![[0; 3]; stations],
            products: vec![[0; 4]; products],
            stops: Vec::new(),
        }
    }

    pub(super) fn spend(&mut self, machine: usize, state: State, since_ns: u64, until_ns: u64) {
        let code = usize::try_from(state.code()).unwrap_or(0);
        let times = self.times_ns.get_mut(machine);
        if let Some(time) = times.and_then(|times| times.get_mut(code)) {
            *time += until_ns.saturating_sub(since_ns);
        }
    }

    pub(super) fn count(&mut self, station: usize, verdict: Verdict) {
        let counts = self.parts.get_mut(station);
        if let Some([good, rework, scrap]) = counts {
            *match verdict {
                Verdict::Good => good,
                Verdict::Rework => rework,
                Verdict::Scrap => scrap,
            } += 1;
        }
    }

    pub(super) fn made(&mut self, product: usize) {
        if let Some([made, ..]) = self.products.get_mut(product) {
            *made += 1;
        }
    }

    pub(super) fn gone(&mut self, product: usize, how: Gone) {
        if let Some([_, finished, scrapped, joined]) = self.products.get_mut(product) {
            *match how {
                Gone::Finished => finished,
                Gone::Scrapped => scrapped,
                Gone::Joined => joined,
            } += 1;
        }
    }

    pub(super) fn stopped(&mut self, machine: usize, cause: Cause, from_ns: u64) {
        self.stops.push(Stop {
            machine,
            cause,
            from_ns,
            crew_ns: None,
            to_ns: None,
        });
    }

    pub(super) fn crew_came(&mut self, machine: usize, at_ns: u64) {
        let own = |stop: &&mut Stop| stop.machine == machine && matches!(stop.cause, Cause::Own(_));
        if let Some(stop) = self.stops.iter_mut().rev().find(own) {
            stop.crew_ns = Some(at_ns);
        }
    }

    pub(super) fn went_on(&mut self, machine: usize, cause: Cause, at_ns: u64) {
        let same = |stop: &&mut Stop| {
            stop.machine == machine && stop.cause == cause && stop.to_ns.is_none()
        };
        if let Some(stop) = self.stops.iter_mut().rev().find(same) {
            stop.to_ns = Some(at_ns);
        }
    }
}
