//! Sections: stations whose parts advance together, step by step or on a belt.

use super::Factory;
use super::flow::Exit;
use super::work::{Phase, Slot};
use super::{Due, WORK};
use crate::layout::Place;

/// A section as it runs.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SectionState {
    /// When it made its last step; absent before the first.
    stepped_ns: Option<u64>,
}

impl Factory {
    pub(super) fn section_of(&self, station: usize) -> Option<usize> {
        self.layout.stations.get(station)?.section
    }

    /// The stations of a section, in the order of the flow.
    fn members(&self, section: usize) -> Vec<usize> {
        let of = self.layout.sections.get(section);
        of.map(|one| one.stations.clone()).unwrap_or_default()
    }

    /// The places of a station, the first one first.
    fn places(&self, station: usize) -> std::ops::Range<usize> {
        let of = self.stations.get(station);
        of.map_or(0..0, |one| one.first_slot..one.end_slot)
    }

    /// Whether the part in a slot has places of its station still before it.
    pub(super) fn is_on_the_way(&self, slot: usize) -> bool {
        let station = self.slots.get(slot).map_or(usize::MAX, |one| one.station);
        self.section_of(station).is_some() && slot + 1 < self.places(station).end
    }

    /// How long the work of a cycle takes in all, and how long the part stays at each place for it.
    pub(super) fn stay(&self, station: usize, work_ns: u64) -> (u64, u64) {
        let Some(section) = self
            .section_of(station)
            .and_then(|at| self.layout.sections.get(at))
        else {
            return (work_ns, work_ns);
        };
        let places = self.places(station).len().max(1) as u64;
        // On a belt a part that is done early is there until the belt has brought it on.
        let stay_ns = (work_ns / places).max(section.pace_ns).max(1);
        (stay_ns.saturating_mul(places), stay_ns)
    }

    /// Whether a part gets in now: with a step, or when there is none inside.
    pub(super) fn lets_in(&self, section: usize) -> bool {
        let stepped = self.sections.get(section).and_then(|one| one.stepped_ns);
        stepped == Some(self.now_ns()) || self.is_clear(section)
    }

    fn is_clear(&self, section: usize) -> bool {
        let of = self.layout.sections.get(section);
        let mut stations = of.into_iter().flat_map(|one| &one.stations);
        stations.all(|at| {
            self.places(*at)
                .all(|slot| self.phase(slot) == Phase::Empty)
        })
    }

    /// A section looks around: begin what can begin, make the step when all is ready.
    pub(super) fn attend_section(&mut self, section: usize) {
        let members = self.members(section);
        self.begin_all(&members);
        if self.may_step(&members) {
            self.step(section, &members);
            self.begin_all(&members);
        }
        // Who ends in this very moment is no reason to tell that the others wait for it.
        if self.awaits_another(&members) {
            return;
        }
        for station in members {
            self.update_states(station);
        }
    }

    fn begin_all(&mut self, members: &[usize]) {
        for station in members {
            for slot in self.places(*station) {
                if self.phase(slot) == Phase::Loaded {
                    self.begin(slot);
                }
            }
        }
    }

    fn awaits_another(&self, members: &[usize]) -> bool {
        let now_ns = self.now_ns();
        let ends_now = |slot: &Slot| slot.phase == Phase::Working && slot.ends_ns == now_ns;
        let mut slots = members.iter().flat_map(|at| self.places(*at));
        slots.any(|slot| self.slots.get(slot).is_some_and(ends_now))
    }

    /// Whether every station runs and every part has had its time and can go on.
    fn may_step(&self, members: &[usize]) -> bool {
        let ready = |slot: usize| match self.phase(slot) {
            Phase::Empty | Phase::Ready => true,
            Phase::Done => self.leads_on_inside(slot, members) || self.exit(slot) != Exit::Stuck,
            Phase::Loaded | Phase::Working | Phase::Paused => false,
        };
        let mut all = members.iter();
        all.all(|at| self.is_running(*at) && self.places(*at).all(ready))
    }

    /// Whether the finished part in a slot goes on to the next station of its section, which has room
    /// for it as soon as that one's parts have gone on.
    fn leads_on_inside(&self, slot: usize, members: &[usize]) -> bool {
        let station = self.slots.get(slot).map_or(usize::MAX, |one| one.station);
        let at = members.iter().position(|one| *one == station);
        let next = at.and_then(|at| members.get(at + 1)).copied();
        next.is_some_and(|next| self.ends_of(slot).contains(&Place::Station(next)))
    }

    /// Makes a step: the last part goes first, then each takes the place of the one before it.
    fn step(&mut self, section: usize, members: &[usize]) {
        let now_ns = self.now_ns();
        if let Some(state) = self.sections.get_mut(section) {
            state.stepped_ns = Some(now_ns);
        }
        for station in members.iter().rev() {
            let places = self.places(*station);
            for slot in places.clone().rev() {
                match self.phase(slot) {
                    Phase::Done => self.unload(slot),
                    Phase::Ready => self.shift(slot),
                    _ => {}
                }
            }
        }
        let first = members.first().map(|head| self.places(*head).start);
        if let Some(first) = first.filter(|slot| self.phase(*slot) == Phase::Empty) {
            self.load(first);
        }
        // Who hands over to the first station may do so now.
        let hands = members.first().and_then(|head| self.links.hands.get(*head));
        for giver in hands.cloned().unwrap_or_default() {
            self.touch(giver);
        }
    }

    /// A part goes on to the next place of its station, where its work goes on at once.
    fn shift(&mut self, slot: usize) {
        let next = slot + 1;
        if self.phase(next) != Phase::Empty {
            return;
        }
        let (now_ns, Some(from)) = (self.now_ns(), self.slots.get(slot).copied()) else {
            return;
        };
        if let Some(place) = self.slots.get_mut(next) {
            let generation = place.generation.wrapping_add(1);
            *place = Slot {
                phase: Phase::Working,
                generation,
                ends_ns: now_ns.saturating_add(from.stay_ns),
                ..from
            };
            self.calendar.plan(
                from.stay_ns,
                WORK,
                Due::Finish {
                    slot: next,
                    generation,
                },
            );
        }
        if let Some(place) = self.slots.get_mut(slot) {
            (place.part, place.phase) = (None, Phase::Empty);
        }
        self.set_busy(from.station, true);
        self.arm(from.station, now_ns.saturating_add(from.stay_ns));
    }
}
