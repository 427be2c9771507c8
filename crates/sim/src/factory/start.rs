//! What a factory begins with, where it is known: what lies where, what is at work, what stands.

use super::fact::Verdict;
use super::work::Phase;
use super::{Due, Factory, PartIndex, WORK};
use crate::kernel::{Distribution, Stream};
use crate::layout::Place;

/// What a plant begins with. Without it buffers are partly filled, stations are empty and all machines are up.
#[derive(Clone, Debug, PartialEq)]
pub struct Start {
    /// Of each buffer the variants of the parts in it, those that came first in front.
    pub buffers: Option<Vec<Vec<usize>>>,
    /// Of each buffer the bounds of how many parts lie in it, where their kinds are not known: any number between
    /// is as likely, and each run has its own.
    pub levels: Option<Vec<Level>>,
    /// How full buffers are otherwise, as a share of their capacity.
    pub fill: f64,
    /// What is at stations.
    pub at_stations: Vec<AtStation>,
    /// What has failed and is not repaired yet.
    pub failed: Vec<Failed>,
    /// Of each machine and each way to fail how long it has worked since it last did, in nanoseconds; 0 where nobody
    /// knows.
    pub ages_ns: Vec<[u64; 3]>,
    /// Of each line-side stock how many pieces there are; absent where nobody knows.
    pub stocks: Vec<Option<u32>>,
    /// Of each line-side stock since when a delivery is under way, in nanoseconds; absent where none is.
    pub coming_ns: Vec<Option<u64>>,
}

impl Default for Start {
    fn default() -> Self {
        Self {
            buffers: None,
            levels: None,
            fill: 0.4,
            at_stations: Vec::new(),
            failed: Vec::new(),
            ages_ns: Vec::new(),
            stocks: Vec::new(),
            coming_ns: Vec::new(),
        }
    }
}

/// How many parts lie in a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level {
    /// No fewer.
    pub lower: u32,
    /// No more.
    pub upper: u32,
}

/// A part at a station.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AtStation {
    /// The station.
    pub station: usize,
    /// What the part is; where it is not known, what comes there by the flow, by shares.
    pub variant: Option<usize>,
    /// How long it has been worked on, in nanoseconds; absent where nobody knows: then it may be anywhere in its
    /// work.
    pub spent_ns: Option<u64>,
    /// Whether it is done and waits for room.
    pub is_done: bool,
}

/// A machine that has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failed {
    /// The machine.
    pub machine: usize,
    /// The way in which it has failed.
    pub way: usize,
    /// For how long it has stood, in nanoseconds.
    pub spent_ns: u64,
}

/// So often a time is drawn again that would have been over by now.
const TRIES: usize = 1_000;

/// What is left of a time of which so much is over: by chance, given that it lasts longer than that.
pub(super) fn left_ns(times: &Distribution, spent_ns: u64, stream: &mut Stream) -> u64 {
    beyond(spent_ns, times.mean_s(), || times.draw_ns(stream))
}

/// A draw that is greater than what is over, less that. What has lasted longer than any draw is as far from
/// its end as it was likely to be at its beginning.
pub(super) fn beyond(spent_ns: u64, mean_s: f64, mut draw: impl FnMut() -> u64) -> u64 {
    for _ in 0..TRIES {
        let drawn = draw();
        if drawn > spent_ns {
            return drawn - spent_ns;
        }
    }
    (mean_s * 1e9) as u64
}

impl Factory {
    /// Puts the parts where they lie.
    pub(super) fn fill_as(&mut self, buffers: &[Vec<usize>]) {
        for (buffer, variants) in buffers.iter().enumerate() {
            for variant in variants {
                let place = Place::Buffer(buffer);
                if let Some(part) = self.part_before(*variant, place) {
                    self.put(buffer, part, 0, None);
                }
            }
        }
    }

    /// A part that was there before the start; on a carrier where its first station needs one.
    fn part_before(&mut self, variant: usize, place: Place) -> Option<PartIndex> {
        let product = self.layout.variants.get(variant)?.product;
        let part = self.make(product, variant, place);
        let about = self.part_mut(part)?;
        about.born_ns = None;
        Some(part)
    }

    /// Machines stand, stations work, stocks are as they were found.
    pub(super) fn stand(&mut self, start: &Start) {
        for (machine, age_ns) in start.ages_ns.iter().enumerate() {
            self.age(machine, age_ns);
        }
        for (feed, stock) in start.stocks.iter().enumerate() {
            if let (Some(state), Some(stock)) = (self.feeds.get_mut(feed), stock) {
                state.stock = *stock;
            }
        }
        for (feed, spent_ns) in start.coming_ns.iter().enumerate() {
            if let Some(spent_ns) = spent_ns {
                self.comes(feed, *spent_ns);
            }
        }
        // What is low at the start was not seen to become so.
        for (feed, stock) in start.stocks.iter().enumerate() {
            if stock.is_some() {
                self.call_for(feed);
            }
        }
        for failed in &start.failed {
            self.fail_now(failed.machine, failed.way, failed.spent_ns);
        }
        for at in &start.at_stations {
            self.stand_at(*at);
        }
        for machine in 0..self.machines.len() {
            let hold = self.truth.machines.get(machine).and_then(|one| one.hold);
            self.hold(machine, hold, true);
        }
    }

    /// Time until a machine's next failures, given that it has worked for so long since the last one.
    fn age(&mut self, machine: usize, ages_ns: &[u64; 3]) {
        let (Some(state), Some(truth)) = (
            self.machines.get_mut(machine),
            self.truth.machines.get(machine),
        ) else {
            return;
        };
        let ways = state.lives_ns.iter_mut().zip(&truth.failures).zip(ages_ns);
        for ((life, way), age_ns) in ways.filter(|(_, age_ns)| **age_ns > 0) {
            *life = left_ns(&way.up, *age_ns, &mut state.failures);
        }
    }

    /// What comes to a station by the flow, one of its variants by their shares.
    fn variant_at(&mut self, station: usize) -> Option<usize> {
        let (_, stations) = self.what_is_where();
        let (product, _) = stations.get(station).copied().flatten()?;
        let variants = self.layout.products.get(product)?.variants.clone();
        self.by_shares(&variants)
    }

    /// The last empty slot of a station: in a section those behind are nearer to the end.
    fn slot_for(&self, station: usize) -> Option<usize> {
        let running = self.stations.get(station)?;
        let mut slots = (running.first_slot..running.open_end).rev();
        slots.find(|slot| self.phase(*slot) == Phase::Empty)
    }

    fn stand_at(&mut self, at: AtStation) {
        let Some(slot) = self.slot_for(at.station) else {
            return;
        };
        let variant = at.variant.or_else(|| self.variant_at(at.station));
        let part = variant.and_then(|of| self.part_before(of, Place::Station(at.station)));
        let (Some(part), Some(variant)) = (part, variant) else {
            return;
        };
        let carrier = self
            .layout
            .stations
            .get(at.station)
            .and_then(|one| one.carrier);
        self.board(part, carrier);
        self.place_in(slot, part, None);
        if let Some(running) = self.stations.get_mut(at.station) {
            running.variant = Some(variant);
        }
        if at.is_done {
            if let Some(this) = self.slots.get_mut(slot) {
                (this.phase, this.verdict) = (Phase::Done, Verdict::Good);
            }
            self.split(slot);
            return self.touch(at.station);
        }
        self.go_on_with((slot, variant), at);
    }

    /// Work that was begun before the start goes on, or rests while the station stands.
    fn go_on_with(&mut self, (slot, variant): (usize, usize), at: AtStation) {
        let cycle_ns = self.layout.stations.get(at.station).map(|one| one.cycle_ns);
        let half_s = cycle_ns.unwrap_or(0) as f64 / 2e9;
        let spent_ns = at.spent_ns.unwrap_or(0);
        let whole_ns = beyond(spent_ns, half_s, || self.cycle_ns(at.station, variant))
            .saturating_add(spent_ns);
        let (work_ns, stay_ns) = self.stay(at.station, whole_ns);
        let left_ns = match (at.spent_ns, self.stations.get_mut(at.station)) {
            (None, Some(running)) => (stay_ns as f64 * running.times.unit()) as u64,
            _ => stay_ns.saturating_sub(spent_ns).max(1),
        };
        let ends_ns = self.now_ns().saturating_add(left_ns);
        let is_halted = self.is_halted(at.station);
        if let Some(running) = self.stations.get_mut(at.station) {
            running.cycles += 1;
        }
        let Some(this) = self.slots.get_mut(slot) else {
            return;
        };
        (this.ends_ns, this.left_ns, this.cycle) = (ends_ns, left_ns, 1);
        (this.work_ns, this.stay_ns) = (work_ns, stay_ns);
        this.generation = this.generation.wrapping_add(1);
        let generation = this.generation;
        if is_halted {
            this.phase = Phase::Paused;
            return self.update_states(at.station);
        }
        this.phase = Phase::Working;
        self.calendar
            .plan(left_ns, WORK, Due::Finish { slot, generation });
        self.update_states(at.station);
        self.arm(at.station, ends_ns);
    }
}
