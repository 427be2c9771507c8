//! How parts move: out of a station when there is room, into one when there is a part for it.

use super::fact::{Fact, Gone, PartIndex, Verdict};
use super::scrap::Finder;
use super::work::Phase;
use super::{Due, FREES, Factory};
use crate::layout::{Layout, Place, Way};
use werkbuch_model::plant::FlowKind;

/// What a buffer holds, the part that came first in front.
#[derive(Clone, Debug, Default)]
pub(super) struct BufferState {
    pub(super) held: Vec<Held>,
    /// Whether what comes in from outside waits for room.
    pub(super) is_waited_for: bool,
}

/// A part in a buffer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    pub(super) part: PartIndex,
    /// When it has passed the buffer and can be taken.
    pub(super) ready_ns: u64,
}

/// The way that a draw from 0 to 1 falls on; ways without a share have the rest of it. Of ways that are closed the
/// others take the share.
fn split_of<'w>(ways: impl Iterator<Item = (usize, &'w Way)> + Clone, draw: f64) -> Option<usize> {
    let given: f64 = ways.clone().filter_map(|(_, way)| way.share).sum();
    let open = ways.clone().filter(|(_, way)| way.share.is_none()).count();
    let rest = (1.0 - given).max(0.0) / open.max(1) as f64;
    let share = |way: &Way| way.share.unwrap_or(rest);
    let whole: f64 = ways.clone().map(|(_, way)| share(way)).sum();
    let mut left = draw * whole;
    let mut last = None;
    for (at, way) in ways {
        if share(way) <= 0.0 {
            continue;
        }
        last = Some(at);
        left -= share(way);
        if left < 0.0 {
            break;
        }
    }
    last
}

/// Where a finished part can go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exit {
    /// Along this way, at whose end there is room.
    Way(usize),
    /// Out of the plant.
    Out,
    /// Nowhere now.
    Stuck,
}

/// Who must look around when something moves.
#[derive(Clone, Debug, Default)]
pub(super) struct Links {
    /// By buffer: the stations that take from it.
    pub(super) takers: Vec<Vec<usize>>,
    /// By buffer: the stations that put into it.
    pub(super) givers: Vec<Vec<usize>>,
    /// By station: the stations that hand parts over to it directly.
    pub(super) hands: Vec<Vec<usize>>,
    /// By station: whether it only gets parts to be reworked, so that reserved places are for it.
    pub(super) reworks: Vec<bool>,
    /// By carrier: the stations whose parts ride on it.
    pub(super) riders: Vec<Vec<usize>>,
    /// The stations at which parts come in.
    pub(super) sources: Vec<usize>,
    /// By station: who takes out what is spoilt there.
    pub(super) finders: Vec<Finder>,
}

impl Links {
    pub(super) fn of(layout: &Layout) -> Self {
        let mut links = Self {
            takers: vec![Vec::new(); layout.buffers.len()],
            givers: vec![Vec::new(); layout.buffers.len()],
            hands: vec![Vec::new(); layout.stations.len()],
            reworks: vec![false; layout.stations.len()],
            riders: vec![Vec::new(); layout.carriers.len()],
            sources: (0..layout.stations.len())
                .filter(|at| {
                    layout
                        .stations
                        .get(*at)
                        .is_some_and(|one| one.source.is_some())
                })
                .collect(),
            finders: super::scrap::finders(layout),
        };
        let note = |lists: &mut Vec<Vec<usize>>, at: usize, station: usize| {
            if let Some(list) = lists.get_mut(at) {
                list.push(station);
            }
        };
        for way in &layout.ways {
            match (way.from, way.to) {
                (Place::Buffer(buffer), Place::Station(station)) => {
                    note(&mut links.takers, buffer, station)
                }
                (Place::Station(station), Place::Buffer(buffer)) => {
                    note(&mut links.givers, buffer, station)
                }
                (Place::Station(from), Place::Station(to)) => note(&mut links.hands, to, from),
                (Place::Buffer(_), Place::Buffer(_)) => {}
            }
        }
        for (at, station) in layout.stations.iter().enumerate() {
            for (buffer, _) in &station.joins {
                note(&mut links.takers, *buffer, at);
            }
            if let Some(carrier) = station.carrier {
                note(&mut links.riders, carrier, at);
            }
        }
        let by_rework = |place: Place| {
            let mut into = layout.ways.iter().filter(|way| way.to == place).peekable();
            into.peek().is_some() && into.all(|way| way.kind == FlowKind::Rework)
        };
        for (at, flag) in links.reworks.iter_mut().enumerate() {
            let mut froms = layout
                .ways
                .iter()
                .filter(|way| way.to == Place::Station(at))
                .peekable();
            *flag = froms.peek().is_some()
                && froms.all(|way| way.kind == FlowKind::Rework || by_rework(way.from));
        }
        links
    }
}

impl Factory {
    /// A station looks around: rid of what is done, take what is there, begin what can begin.
    pub(super) fn attend(&mut self, station: usize) {
        if let Some(section) = self.section_of(station) {
            self.attend_section(section);
            return;
        }
        let Some((from, to)) = self
            .stations
            .get(station)
            .map(|one| (one.first_slot, one.end_slot))
        else {
            return;
        };
        let open_end = self.stations.get(station).map_or(0, |one| one.open_end);
        for slot in from..to {
            if self.phase(slot) == Phase::Done {
                self.unload(slot);
            }
            if self.phase(slot) == Phase::Empty && slot < open_end {
                self.load(slot);
            }
            if self.phase(slot) == Phase::Loaded {
                self.begin(slot);
            }
        }
        self.update_states(station);
    }

    pub(super) fn phase(&self, slot: usize) -> Phase {
        self.slots.get(slot).map_or(Phase::Empty, |slot| slot.phase)
    }

    /// Where the finished part in a slot can go.
    pub(super) fn exit(&self, slot: usize) -> Exit {
        let Some(this) = self.slots.get(slot) else {
            return Exit::Stuck;
        };
        let (station, verdict) = (this.station, this.verdict);
        let is_sink = self
            .layout
            .stations
            .get(station)
            .is_some_and(|one| one.is_sink);
        let chosen = self.chosen(slot);
        let mut best = None;
        let mut any = false;
        for (at, way) in self.ways_on(slot) {
            any = true;
            let room = self.room(way, station);
            // Where a loop is full a part to be reworked goes round another one: else two of them lock each other.
            let is_other = chosen.is_some_and(|chosen| chosen != at);
            let rank = (is_other, way.priority, std::cmp::Reverse(room));
            if room > 0 && best.is_none_or(|(least, _)| rank < least) {
                best = Some((rank, at));
            }
        }
        match best {
            Some((_, way)) => Exit::Way(way),
            None if !any && (is_sink || verdict == Verdict::Scrap) => Exit::Out,
            None => Exit::Stuck,
        }
    }

    /// The ways that the finished part in a slot may go, whether there is room or not.
    fn ways_on(&self, slot: usize) -> impl Iterator<Item = (usize, &Way)> {
        let chosen = self.chosen(slot);
        let is_it = move |at: usize, way: &Way| {
            way.kind != FlowKind::Main || chosen.is_none_or(|chosen| chosen == at)
        };
        self.ways_open(slot)
            .filter(move |(at, way)| is_it(*at, way))
    }

    /// The way that was drawn for the part in a slot, where its ways have shares.
    fn chosen(&self, slot: usize) -> Option<usize> {
        let split = self.slots.get(slot)?.split?;
        split_of(self.ways_open(slot), split)
    }

    /// Draws which way a finished part goes, where the ways that it can go have shares.
    pub(super) fn split(&mut self, slot: usize) {
        let has_shares = self.ways_open(slot).any(|(_, way)| way.share.is_some());
        let Some(this) = self.slots.get_mut(slot).filter(|_| has_shares) else {
            return;
        };
        let routes = self.stations.get_mut(this.station);
        this.split = routes.map(|one| one.routes.unit());
    }

    /// The ways that the part in a slot can go, whatever their shares.
    fn ways_open(&self, slot: usize) -> impl Iterator<Item = (usize, &Way)> + Clone {
        let this = self.slots.get(slot);
        let about = this.and_then(|one| self.part(one.part?));
        let wanted = match this.map(|one| one.verdict) {
            Some(Verdict::Rework) => FlowKind::Rework,
            Some(Verdict::Scrap) => FlowKind::Scrap,
            _ => FlowKind::Main,
        };
        let station = this.and_then(|one| self.layout.stations.get(one.station));
        let outs = station.into_iter().flat_map(|one| &one.outs);
        outs.filter_map(move |at| {
            let way = self.layout.ways.get(*at)?;
            let fits = about.is_some_and(|about| takes(way, about.variant));
            (way.kind == wanted && fits).then_some((*at, way))
        })
    }

    /// Where these ways end.
    pub(super) fn ends_of(&self, slot: usize) -> Vec<Place> {
        self.ways_on(slot).map(|(_, way)| way.to).collect()
    }

    /// Puts a finished part where it goes, if there is room.
    pub(super) fn unload(&mut self, slot: usize) {
        let exit = self.exit(slot);
        let Some((station, part)) = self
            .slots
            .get(slot)
            .and_then(|this| Some((this.station, this.part?)))
        else {
            return;
        };
        let Some(about) = self.part(part) else { return };
        let way = match exit {
            Exit::Stuck => return,
            Exit::Out => None,
            Exit::Way(way) => self.layout.ways.get(way).cloned(),
        };
        self.clear_slot(slot);
        self.say(Fact::Left {
            part,
            about,
            station,
            to: way.as_ref().map(|way| way.to),
        });
        match way.map(|way| (way.to, way)) {
            None if about.is_scrap => {
                self.end(part, Gone::Scrapped);
            }
            None => {
                self.end(part, Gone::Finished);
            }
            Some((Place::Buffer(buffer), way)) => {
                self.put(buffer, part, way.transit_ns, Some(way.from));
            }
            Some((Place::Station(next), way)) => self.hand_over(next, part, way.from),
        }
    }

    /// Throws away what a station has begun.
    pub(super) fn throw_away(&mut self, station: usize) {
        let Some(of) = self.stations.get(station) else {
            return;
        };
        for slot in of.first_slot..of.end_slot {
            let part = self.slots.get(slot).and_then(|one| one.part);
            let begun = matches!(self.phase(slot), Phase::Working | Phase::Paused);
            if let Some(part) = part.filter(|_| begun) {
                self.clear_slot(slot);
                self.tally.count(station, Verdict::Scrap);
                self.end(part, Gone::Scrapped);
            }
        }
        self.update_states(station);
    }

    /// How many parts the end of a way takes now.
    fn room(&self, way: &Way, from: usize) -> usize {
        match way.to {
            Place::Buffer(buffer) => {
                let Some(spec) = self.layout.buffers.get(buffer) else {
                    return 0;
                };
                let may_use_all = self.links.reworks.get(from).copied().unwrap_or(false);
                let kept = if may_use_all { 0 } else { spec.reserve };
                let held = self.buffers.get(buffer).map_or(0, |one| one.held.len());
                usize::try_from(spec.capacity - kept)
                    .unwrap_or(0)
                    .saturating_sub(held)
            }
            Place::Station(next) => {
                usize::from(self.free_slot(next).is_some() && self.is_running(next))
            }
        }
    }

    fn free_slot(&self, station: usize) -> Option<usize> {
        let of = self.stations.get(station)?;
        if let Some(section) = self.section_of(station) {
            // A part gets in at the first place, and with a step.
            let is_free = self.phase(of.first_slot) == Phase::Empty && self.lets_in(section);
            return is_free.then_some(of.first_slot);
        }
        (of.first_slot..of.open_end).find(|slot| self.phase(*slot) == Phase::Empty)
    }

    fn hand_over(&mut self, station: usize, part: PartIndex, from: Place) {
        if let Some(slot) = self.free_slot(station) {
            self.place_in(slot, part, Some(from));
            self.touch(station);
        }
    }

    /// Puts a part into a buffer, where it can be taken after its transit.
    pub(super) fn put(
        &mut self,
        buffer: usize,
        part: PartIndex,
        transit_ns: u64,
        from: Option<Place>,
    ) {
        let Some(spec) = self.layout.buffers.get(buffer) else {
            return;
        };
        let (transit_ns, is_sink) = (transit_ns.saturating_add(spec.transit_ns), spec.is_sink);
        let ready_ns = self.now_ns().saturating_add(transit_ns);
        let level = self.buffers.get_mut(buffer).map_or(0, |state| {
            state.held.push(Held { part, ready_ns });
            state.held.len()
        });
        if let Some(about) = self.part_mut(part) {
            about.place = Place::Buffer(buffer);
            let about = *about;
            self.say(Fact::Entered { part, about, from });
        }
        self.say_level(buffer, level);
        if is_sink {
            self.call_out(buffer, part, level, transit_ns);
            return;
        }
        if transit_ns > 0 {
            self.calendar
                .plan(transit_ns, FREES, Due::Passed { buffer });
        } else {
            self.touch_takers(buffer);
        }
    }

    /// Takes a part out of a buffer by its place in it.
    pub(super) fn take_at(&mut self, buffer: usize, at: usize) -> Option<PartIndex> {
        let state = self.buffers.get_mut(buffer)?;
        let held = (at < state.held.len()).then(|| state.held.remove(at))?;
        let level = state.held.len();
        self.say_level(buffer, level);
        let givers = self.links.givers.get(buffer).cloned().unwrap_or_default();
        for giver in givers {
            self.touch(giver);
        }
        let state = self.buffers.get_mut(buffer)?;
        if std::mem::take(&mut state.is_waited_for) {
            self.calendar.plan(0, FREES, Due::Arrive { buffer });
        }
        Some(held.part)
    }

    fn say_level(&mut self, buffer: usize, level: usize) {
        let level = u32::try_from(level).unwrap_or(u32::MAX);
        self.say(Fact::Level { buffer, level });
    }

    pub(super) fn touch_takers(&mut self, buffer: usize) {
        let takers = self.links.takers.get(buffer).cloned().unwrap_or_default();
        for taker in takers {
            self.touch(taker);
        }
    }

    /// A part is in a slot now, and waits there for its work to begin.
    pub(super) fn place_in(&mut self, slot: usize, part: PartIndex, from: Option<Place>) {
        let Some(this) = self.slots.get_mut(slot) else {
            return;
        };
        (this.part, this.phase) = (Some(part), Phase::Loaded);
        let place = Place::Station(this.station);
        if let Some(about) = self.part_mut(part) {
            about.place = place;
            let about = *about;
            self.say(Fact::Entered { part, about, from });
        }
    }

    pub(super) fn clear_slot(&mut self, slot: usize) {
        let Some(this) = self.slots.get_mut(slot) else {
            return;
        };
        (this.part, this.phase, this.split) = (None, Phase::Empty, None);
        let station = this.station;
        let hands = self.links.hands.get(station).cloned().unwrap_or_default();
        for hand in hands {
            self.touch(hand);
        }
    }
}

/// Whether a variant goes this way.
pub(super) fn takes(way: &Way, variant: usize) -> bool {
    !way.is_closed && (way.variants.is_empty() || way.variants.contains(&variant))
}
