//! Stations that advance together: transfer lines that index, and belts that move.

use super::Making;
use crate::layout::{Place, Section, Station};
use werkbuch_model::plant::{FlowKind, Transfer};

impl Making<'_> {
    /// Puts stations of one kind of transfer that hand their parts over directly into sections, and
    /// ties moving ones that share a stop group.
    pub(super) fn sections(&mut self) {
        for head in 0..self.layout.stations.len() {
            let transfer = self.transfer(head);
            let follows = self
                .before(head)
                .is_some_and(|before| self.after(before) == Some(head));
            if !advances(transfer) || follows {
                continue;
            }
            let mut stations = vec![head];
            while let Some(next) = stations.last().and_then(|last| self.after(*last)) {
                stations.push(next);
            }
            self.section(transfer, stations);
        }
        self.tie();
    }

    fn section(&mut self, transfer: Transfer, stations: Vec<usize>) {
        let number = self.layout.sections.len();
        let mut pace_ns = 0;
        for at in &stations {
            if let Some(station) = self.layout.stations.get_mut(*at) {
                station.section = Some(number);
                if transfer == Transfer::Moving {
                    pace_ns = pace_ns.max(station.cycle_ns / u64::from(station.slots.max(1)));
                }
            }
        }
        self.layout.sections.push(Section {
            transfer,
            stations,
            pace_ns,
        });
    }

    /// A belt stands when one of its stations does, and with it those that share a stop group.
    fn tie(&mut self) {
        let moving: Vec<usize> = (0..self.layout.stations.len())
            .filter(|at| self.transfer(*at) == Transfer::Moving && self.is_placed(*at))
            .collect();
        for at in &moving {
            let fellows = moving.iter().copied();
            let fellows = fellows.filter(|other| other != at && self.are_tied(*at, *other));
            let fellows: Vec<usize> = fellows.collect();
            if let Some(station) = self.layout.stations.get_mut(*at) {
                station.stops_with = fellows;
            }
        }
    }

    fn is_placed(&self, station: usize) -> bool {
        let station = self.layout.stations.get(station);
        station.is_some_and(|one| one.section.is_some())
    }

    fn are_tied(&self, one: usize, other: usize) -> bool {
        let (Some(one), Some(other)) = (
            self.layout.stations.get(one),
            self.layout.stations.get(other),
        ) else {
            return false;
        };
        let zones = |station: &Station| self.layout.machines.get(station.machine);
        let shares = zones(one).zip(zones(other)).is_some_and(|(one, other)| {
            let mut its = one.zones.iter();
            its.any(|zone| other.zones.contains(zone))
        });
        one.section == other.section || shares
    }

    fn transfer(&self, station: usize) -> Transfer {
        let station = self.layout.stations.get(station);
        station.map_or(Transfer::Unspecified, |one| one.transfer)
    }

    /// The station of the same kind that hands its parts over to this one, when nothing else leads in.
    fn before(&self, station: usize) -> Option<usize> {
        let of = self.layout.stations.get(station)?;
        let [way] = of.ins.as_slice() else {
            return None;
        };
        let way = self.layout.ways.get(*way)?;
        let Place::Station(before) = way.from else {
            return None;
        };
        let same = self.transfer(before) == of.transfer && way.kind == FlowKind::Main;
        (same && before != station && of.source.is_none()).then_some(before)
    }

    /// The station of the same kind that this one hands its parts over to.
    fn after(&self, station: usize) -> Option<usize> {
        let outs = self.layout.stations.get(station)?.outs.iter();
        let ways = outs.filter_map(|way| self.layout.ways.get(*way));
        let mut nexts = ways.filter_map(|way| match way.to {
            Place::Station(next) if self.before(next) == Some(station) => Some(next),
            _ => None,
        });
        let next = nexts.next()?;
        // Where the line forks, each branch begins a section of its own.
        nexts.next().is_none().then_some(next)
    }
}

const fn advances(transfer: Transfer) -> bool {
    matches!(transfer, Transfer::Indexed | Transfer::Moving)
}
