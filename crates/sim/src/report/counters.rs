//! Counters of parts: absolute, some with a modulus, some set back to zero at each shift.

use super::Reporter;
use crate::factory::Verdict;
use crate::layout::Layout;
use std::borrow::Cow;
use werkbuch_model::event::{Body, PartMeaning, PartProduced, Vocabulary};

/// How a counter of a station stands, and what it has truly counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CounterTruth {
    /// Its name.
    pub counter: &'static str,
    /// Where it stands.
    pub value: u64,
    /// The value at which it begins again at zero; 0: never.
    pub modulus: u64,
    /// How often it was set back.
    pub reset_epoch: u32,
    /// How many parts it has counted since the start of the run.
    pub counted: u64,
    said: bool,
}

/// The counters of a station: good, rework, scrap.
#[derive(Clone, Debug)]
pub(super) struct Counters {
    all: [CounterTruth; 3],
    resets: bool,
}

const MEANINGS: [(&str, PartMeaning); 3] = [
    ("good", PartMeaning::Good),
    ("rework", PartMeaning::Rework),
    ("scrap", PartMeaning::Scrap),
];

pub(super) fn all(layout: &Layout) -> Vec<Counters> {
    let of = |station: &crate::layout::Station| {
        let machine = layout.machines.get(station.machine);
        let by_plc = machine.is_some_and(|one| one.vocabulary == Vocabulary::PackmlState);
        Counters {
            all: MEANINGS.map(|(counter, _)| CounterTruth {
                counter,
                modulus: if by_plc { 1_000 } else { 0 },
                ..CounterTruth::default()
            }),
            // Hand-worked stations show the people what they made in their shift.
            resets: machine.is_some_and(|one| one.sort == "manual"),
        }
    };
    layout.stations.iter().map(of).collect()
}

impl Counters {
    pub(super) fn said(&self) -> impl Iterator<Item = &CounterTruth> {
        self.all.iter().filter(|counter| counter.said)
    }
}

impl Reporter {
    /// A counter stands at zero when the machine is switched on.
    pub(super) fn zero(&mut self, layout: &Layout, station: usize) {
        self.say_counter(layout, station, 0, "", "");
    }

    pub(super) fn count(
        &mut self,
        layout: &Layout,
        station: usize,
        verdict: Verdict,
        variant: &str,
        part: &str,
    ) {
        let which = match verdict {
            Verdict::Good => 0,
            Verdict::Rework => 1,
            Verdict::Scrap => 2,
        };
        let counter = self
            .counters
            .get_mut(station)
            .and_then(|one| one.all.get_mut(which));
        if let Some(counter) = counter {
            counter.counted += 1;
            counter.value += 1;
            if counter.modulus > 0 {
                counter.value %= counter.modulus;
            }
        }
        self.say_counter(layout, station, which, variant, part);
    }

    /// A shift begins: what counts for the shift begins again.
    pub(super) fn reset_counters(&mut self, layout: &Layout, station: usize) {
        let Some(counters) = self.counters.get_mut(station).filter(|one| one.resets) else {
            return;
        };
        let mut reset = Vec::new();
        for (which, counter) in counters
            .all
            .iter_mut()
            .enumerate()
            .filter(|(_, one)| one.said)
        {
            counter.value = 0;
            counter.reset_epoch += 1;
            reset.push(which);
        }
        for which in reset {
            self.say_counter(layout, station, which, "", "");
        }
    }

    fn say_counter(
        &mut self,
        layout: &Layout,
        station: usize,
        which: usize,
        variant: &str,
        part: &str,
    ) {
        let Some(machine) = layout.stations.get(station).map(|one| one.machine) else {
            return;
        };
        let meaning = MEANINGS
            .get(which)
            .map_or(PartMeaning::All, |(_, meaning)| *meaning);
        let counter = self
            .counters
            .get_mut(station)
            .and_then(|one| one.all.get_mut(which));
        let Some(counter) = counter else { return };
        counter.said = true;
        let body = PartProduced {
            counter: Cow::Borrowed(counter.counter),
            meaning,
            value: Some(counter.value),
            modulus: counter.modulus,
            reset_epoch: counter.reset_epoch,
            part_type: Cow::Owned(variant.to_owned()),
            part: Cow::Owned(part.to_owned()),
        };
        self.says(machine, Body::PartProduced(body));
    }
}
