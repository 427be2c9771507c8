//! What is counted while a network runs, by changes alone.

use super::Network;

/// What a server does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// It works.
    Working,
    /// It has no part to work on.
    Starved,
    /// Its part is done and there is no room for it.
    Blocked,
    /// It is being repaired.
    Down,
    /// It has failed and nobody has come yet.
    WaitingForCrew,
    /// It stands as planned.
    Held,
}

/// How many phases there are.
pub const PHASES: usize = 6;

/// Counts since a time. Times are nanoseconds, sums of them over parts are so as well.
#[derive(Clone, Debug, PartialEq)]
pub struct Counts {
    /// Since when is counted.
    pub since_ns: u64,
    /// For how long was counted; set when the counts are taken.
    pub time_ns: u64,
    /// How many timers were due.
    pub events: u64,
    /// Of each server: the time in each [`Phase`].
    pub servers: Vec<[u64; PHASES]>,
    /// Of each server: when it was first starved, in nanoseconds from the start; the end of time if never.
    pub first_starved_ns: Vec<u64>,
    /// Of each station: how many parts it finished.
    pub finished: Vec<u64>,
    /// Of each place: parts times the time that they waited there.
    pub held: Vec<u128>,
    /// Of each place and class: how many parts were taken, how many of them had waited, and for how long.
    pub taken: Vec<Waits>,
    /// Of each exit.
    pub exits: Vec<Left>,
    /// Of each source: how many parts came, and how many of them were lost.
    pub arrived: Vec<[u64; 2]>,
    /// Of each crew: the time times how many were at work, and the time when all were.
    pub crews: Vec<[u128; 2]>,
    /// Parts times the time that they were in the network.
    pub parts_held: u128,
    pub(super) parts: u64,
    parts_since_ns: u64,
    held_since_ns: Vec<u64>,
    crews_since_ns: Vec<u64>,
}

/// How long parts waited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waits {
    /// How many parts.
    pub parts: u64,
    /// How many of them waited at all.
    pub waited: u64,
    /// For how long together.
    pub ns: u128,
}

/// What left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Left {
    /// How many parts.
    pub parts: u64,
    /// How long they were in the network together.
    pub ns: u128,
    /// How many of them longer than the exit's limit.
    pub late: u64,
}

impl Counts {
    pub(super) fn new(network: &Network, servers: usize) -> Self {
        let places = network.places.len();
        Self {
            since_ns: 0,
            time_ns: 0,
            events: 0,
            servers: vec![[0; PHASES]; servers],
            first_starved_ns: vec![u64::MAX; servers],
            finished: vec![0; network.stations.len()],
            held: vec![0; places],
            taken: vec![Waits::default(); places * usize::from(network.classes)],
            exits: vec![Left::default(); network.exits.len()],
            arrived: vec![[0; 2]; network.sources.len()],
            crews: vec![[0; 2]; network.crews.len()],
            parts_held: 0,
            parts: 0,
            parts_since_ns: 0,
            held_since_ns: vec![0; places],
            crews_since_ns: vec![0; network.crews.len()],
        }
    }

    /// Counts anew.
    pub(super) fn clear(&mut self, now_ns: u64) {
        self.since_ns = now_ns;
        self.events = 0;
        self.servers.fill([0; PHASES]);
        self.finished.fill(0);
        self.held.fill(0);
        self.taken.fill(Waits::default());
        self.exits.fill(Left::default());
        self.arrived.fill([0; 2]);
        self.crews.fill([0; 2]);
        self.parts_held = 0;
        self.parts_since_ns = now_ns;
        self.held_since_ns.fill(now_ns);
        self.crews_since_ns.fill(now_ns);
    }

    /// A server spent the time from one to the other in a phase.
    #[inline]
    pub(super) fn spend(&mut self, server: usize, phase: Phase, (from_ns, to_ns): (u64, u64)) {
        self.servers[server][phase as usize] += to_ns - from_ns;
        // What lasts no time at all is on the way to something else.
        if phase == Phase::Starved && from_ns < to_ns {
            let first = &mut self.first_starved_ns[server];
            *first = from_ns.min(*first);
        }
    }

    /// Up to now a place held so many parts.
    #[inline]
    pub(super) fn hold(&mut self, place: usize, parts: u32, now_ns: u64) {
        let since_ns = std::mem::replace(&mut self.held_since_ns[place], now_ns);
        self.held[place] += u128::from(parts) * u128::from(now_ns - since_ns);
    }

    /// The number of parts in the network changes by so many.
    #[inline]
    pub(super) fn hold_parts(&mut self, more: i64, now_ns: u64) {
        let since_ns = std::mem::replace(&mut self.parts_since_ns, now_ns);
        self.parts_held += u128::from(self.parts) * u128::from(now_ns - since_ns);
        self.parts = self.parts.saturating_add_signed(more);
    }

    /// Up to now so many of a crew of so many were at work.
    pub(super) fn engage(&mut self, crew: usize, (busy, size): (u32, u32), now_ns: u64) {
        let since_ns = std::mem::replace(&mut self.crews_since_ns[crew], now_ns);
        let ns = u128::from(now_ns - since_ns);
        let [sum, all] = &mut self.crews[crew];
        *sum += u128::from(busy) * ns;
        *all += if busy == size { ns } else { 0 };
    }
}
