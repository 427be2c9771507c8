//! What one run of a plant comes to: parts, times of passage, states, who holds up the others.

use crate::factory::{Fact, Factory, Gone};
use crate::layout::Layout;
use std::sync::atomic::{AtomicBool, Ordering};
use werkbuch_model::event::State;

/// Into how many equal windows output is counted.
pub const WINDOWS: usize = 48;

/// Into how many it is counted while it runs: some for each of them.
pub(super) const FINE: usize = WINDOWS * 6;

/// How many states there are, with the unspecified one.
pub(super) const STATES: usize = 15;

/// What one run came to.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Collected {
    /// Of each product: finished, thrown away, come in.
    pub(super) products: Vec<[u64; 3]>,
    /// Parts finished up to the end of each of the [`FINE`] windows.
    pub(super) curve: Vec<u64>,
    /// How long finished parts were in the plant that came in during the run, in nanoseconds, sorted.
    pub(super) lead_ns: Vec<u64>,
    /// Parts times the time that they were in the plant.
    pub(super) wip_ns: u128,
    /// Of each station the time in each state.
    pub(super) states: Vec<[u64; STATES]>,
    /// Of each station for how long it was the one that had been active for longest.
    pub(super) momentary_ns: Vec<u64>,
    /// Of each station when it was first starved and first blocked, in nanoseconds from the start.
    pub(super) first_ns: Vec<[Option<u64>; 2]>,
    /// The stations that are blocked at the end, if no station works, fails or is repaired then.
    pub(super) stuck: Vec<usize>,
    /// What happened.
    pub(super) events: u64,
}

/// Collects while a factory runs.
struct Collector {
    found: Collected,
    horizon_ns: u64,
    wip: u64,
    wip_since_ns: u64,
    /// The station that a machine is.
    station_of: Vec<Option<usize>>,
    /// Since when each station is active without interruption.
    active_ns: Vec<Option<u64>>,
    /// The one that has been active for longest, and up to when this was counted.
    longest: Option<usize>,
    counted_ns: u64,
}

/// After so many events it is looked whether the study was cancelled.
const LOOK: u64 = 1 << 16;

/// Runs a factory up to a time; what was collected of a study that is cancelled is of no use.
pub(super) fn run(factory: &mut Factory, horizon_ns: u64, ended: &AtomicBool) -> Collected {
    let mut collector = Collector::new(factory, horizon_ns);
    let mut events = 0;
    while let Some(happening) = factory.next_before(horizon_ns) {
        events += 1;
        if events % LOOK == 0 && ended.load(Ordering::Relaxed) {
            break;
        }
        collector.take(happening.at_ns, &happening.fact);
    }
    let ends = factory
        .layout()
        .stations
        .iter()
        .map(|one| factory.state(one.machine));
    let ends: Vec<State> = ends.map(Option::unwrap_or_default).collect();
    if !ends.iter().copied().any(is_active) {
        let blocked = ends
            .iter()
            .enumerate()
            .filter(|(_, state)| **state == State::Blocked);
        collector.found.stuck = blocked.map(|(at, _)| at).collect();
    }
    let tally = factory.tally();
    let stations = factory.layout().stations.iter();
    let times = stations.map(|one| tally.times_ns.get(one.machine).copied().unwrap_or_default());
    let states = times.collect();
    collector.finish(states, events)
}

/// Whether a station in a state is at work by itself: it does not wait for a part, nor for room (Roser,
/// Nakano and Tanaka 2001, Winter Simulation Conference: active periods).
pub(super) fn is_active(state: State) -> bool {
    matches!(
        state,
        State::Executing | State::Faulted | State::Setup | State::Held
    )
}

impl Collector {
    fn new(factory: &Factory, horizon_ns: u64) -> Self {
        let layout: &Layout = factory.layout();
        let stations = layout.stations.len();
        let station_of = (0..layout.machines.len()).map(|machine| {
            layout
                .stations
                .iter()
                .position(|one| one.machine == machine)
        });
        let states = layout.stations.iter().map(|one| factory.state(one.machine));
        let active = states.map(|state| is_active(state.unwrap_or_default()).then_some(0));
        let mut collector = Self {
            found: Collected {
                products: vec![[0; 3]; layout.products.len()],
                curve: vec![0; FINE],
                lead_ns: Vec::new(),
                wip_ns: 0,
                states: Vec::new(),
                momentary_ns: vec![0; stations],
                first_ns: vec![[None; 2]; stations],
                stuck: Vec::new(),
                events: 0,
            },
            horizon_ns,
            wip: 0,
            wip_since_ns: 0,
            station_of: station_of.collect(),
            active_ns: active.collect(),
            longest: None,
            counted_ns: 0,
        };
        collector.find_longest();
        collector
    }

    fn take(&mut self, at_ns: u64, fact: &Fact) {
        match fact {
            // What was there before the start comes in at its very beginning.
            Fact::Entered {
                about, from: None, ..
            } => {
                self.hold(1, at_ns);
                if about.born_ns.is_some() {
                    self.count(about.product, 2);
                }
            }
            Fact::Gone { about, how, .. } => {
                self.hold(-1, at_ns);
                match how {
                    Gone::Finished => {
                        self.count(about.product, 0);
                        self.finished(at_ns, about.born_ns);
                    }
                    Gone::Scrapped => self.count(about.product, 1),
                    Gone::Joined => {}
                }
            }
            Fact::State { machine, from, to } => {
                let station = self.station_of.get(*machine).copied().flatten();
                self.note_first(station, *to, at_ns);
                if let Some(station) = station.filter(|_| is_active(*from) != is_active(*to)) {
                    self.turn(station, is_active(*to), at_ns);
                }
            }
            _ => {}
        }
    }

    /// A station waits for a part, or for room, for the first time.
    fn note_first(&mut self, station: Option<usize>, state: State, at_ns: u64) {
        let which = match state {
            State::Starved => 0,
            State::Blocked => 1,
            _ => return,
        };
        if let Some(first) = station.and_then(|at| self.found.first_ns.get_mut(at)) {
            first[which].get_or_insert(at_ns);
        }
    }

    fn count(&mut self, product: usize, what: usize) {
        if let Some(counts) = self.found.products.get_mut(product) {
            counts[what] += 1;
        }
    }

    fn hold(&mut self, more: i64, at_ns: u64) {
        self.found.wip_ns += u128::from(self.wip) * u128::from(at_ns - self.wip_since_ns);
        self.wip = self.wip.saturating_add_signed(more);
        self.wip_since_ns = at_ns;
    }

    fn finished(&mut self, at_ns: u64, born_ns: Option<u64>) {
        let window = u128::from(at_ns) * FINE as u128 / u128::from(self.horizon_ns.max(1));
        let window = usize::try_from(window).unwrap_or(FINE - 1);
        if let Some(count) = self.found.curve.get_mut(window.min(FINE - 1)) {
            *count += 1;
        }
        if let Some(born_ns) = born_ns {
            self.found.lead_ns.push(at_ns - born_ns);
        }
    }

    /// A station becomes active, or does so no more.
    fn turn(&mut self, station: usize, is_active: bool, at_ns: u64) {
        let Some(active) = self.active_ns.get_mut(station) else {
            return;
        };
        *active = is_active.then_some(at_ns);
        if is_active && self.longest.is_some() {
            return;
        }
        if is_active || self.longest == Some(station) {
            self.count_longest(at_ns);
            self.find_longest();
        }
    }

    fn count_longest(&mut self, at_ns: u64) {
        let longest = self
            .longest
            .and_then(|at| self.found.momentary_ns.get_mut(at));
        if let Some(sum) = longest {
            *sum += at_ns - self.counted_ns;
        }
        self.counted_ns = at_ns;
    }

    fn find_longest(&mut self) {
        let active = self.active_ns.iter().enumerate();
        let active = active.filter_map(|(at, since)| Some((since.as_ref()?, at)));
        self.longest = active.min().map(|(_, at)| at);
    }

    fn finish(mut self, states: Vec<[u64; STATES]>, events: u64) -> Collected {
        let end_ns = self.horizon_ns;
        self.hold(0, end_ns);
        self.count_longest(end_ns);
        let mut sum = 0;
        for count in &mut self.found.curve {
            sum += *count;
            *count = sum;
        }
        self.found.lead_ns.sort_unstable();
        self.found.states = states;
        self.found.events = events;
        self.found
    }
}
