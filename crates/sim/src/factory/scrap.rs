//! What is spoilt: where it is found, and how it is taken out of the plant.

use super::fact::{Fact, Gone, PartIndex, Verdict};
use super::{Due, FREES, Factory};
use crate::layout::{Layout, Place};
use werkbuch_model::plant::FlowKind;

/// For how long scrap lies at its exit before it is fetched, unless there is much of it.
const FETCH_NS: u64 = 20 * 60 * 1_000_000_000;

/// Who takes out a part that is spoilt at a station.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Finder {
    /// The station itself: it has an exit for scrap.
    Itself,
    /// A later station that has one; until then nobody knows.
    Later,
    /// Nobody has one: the part is taken out of the station.
    Nobody,
}

/// By station, who takes out what is spoilt there.
pub(super) fn finders(layout: &Layout) -> Vec<Finder> {
    let has_exit = |at: usize| {
        let ways = layout.ways.iter();
        let mut out = ways.filter(|way| way.from == Place::Station(at));
        out.any(|way| way.kind == FlowKind::Scrap)
    };
    let exits: Vec<Place> = (0..layout.stations.len())
        .filter(|at| has_exit(*at))
        .map(Place::Station)
        .collect();
    // From the exits against the flow: whatever leads to one.
    let mut leads = exits.clone();
    let mut at = 0;
    while let Some(place) = leads.get(at).copied() {
        at += 1;
        let into = layout.ways.iter().filter(|way| way.to == place);
        for way in into.filter(|way| way.kind == FlowKind::Main) {
            if !leads.contains(&way.from) {
                leads.push(way.from);
            }
        }
    }
    let finder = |at: usize| {
        let here = Place::Station(at);
        if exits.contains(&here) {
            Finder::Itself
        } else if leads.contains(&here) {
            Finder::Later
        } else {
            Finder::Nobody
        }
    };
    (0..layout.stations.len()).map(finder).collect()
}

impl Factory {
    /// What a cycle has made of its part, as far as it is seen here.
    pub(super) fn judge(&mut self, station: usize, part: PartIndex) -> Verdict {
        let (Some(spec), Some(running), Some(about)) = (
            self.layout.stations.get(station),
            self.stations.get_mut(station),
            usize::try_from(part)
                .ok()
                .and_then(|at| self.parts.get_mut(at))
                .and_then(Option::as_mut),
        ) else {
            return Verdict::Good;
        };
        let Some(truth) = self.truth.machines.get(spec.machine) else {
            return Verdict::Good;
        };
        // Both are drawn in every case, so that one probability does not move the draws of the other.
        let (spoils, rework) = (
            running.quality.chance(truth.scrap),
            running.quality.chance(truth.rework),
        );
        about.is_spoilt |= spoils;
        let finder = self.links.finders.get(station);
        if about.is_spoilt && finder != Some(&Finder::Later) {
            about.is_scrap = true;
            Verdict::Scrap
        } else if rework && about.reworks < spec.rework_limit {
            Verdict::Rework
        } else {
            Verdict::Good
        }
    }

    /// A part has come to a buffer where parts are taken out: it is planned when.
    pub(super) fn call_out(
        &mut self,
        buffer: usize,
        part: PartIndex,
        level: usize,
        transit_ns: u64,
    ) {
        let capacity = self
            .layout
            .buffers
            .get(buffer)
            .map_or(0, |one| one.capacity);
        let is_much = level * 2 >= usize::try_from(capacity).unwrap_or(0);
        let is_scrap = self.part(part).is_some_and(|about| about.is_scrap);
        let after_ns = if is_scrap && !is_much {
            transit_ns.max(FETCH_NS)
        } else {
            transit_ns
        };
        self.calendar.plan(after_ns, FREES, Due::Fetch { buffer });
    }

    /// Takes everything that has arrived out of a buffer where parts leave the plant.
    pub(super) fn fetch(&mut self, buffer: usize) {
        let now_ns = self.now_ns();
        while let Some(state) = self.buffers.get(buffer)
            && let Some(at) = state.held.iter().position(|held| held.ready_ns <= now_ns)
            && let Some(part) = self.take_at(buffer, at)
        {
            let how = match self.part(part) {
                Some(about) if about.is_scrap => Gone::Scrapped,
                _ => Gone::Finished,
            };
            if let Some(about) = self.part(part) {
                self.say(Fact::TakenOut { about, buffer });
            }
            self.end(part, how);
        }
    }
}
