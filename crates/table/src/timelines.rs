//! The table of timelines: one row for each interval, by plant, machine number and begin.

use crate::column::{Cell, columns};
use crate::machines::{mode, state};
use std::collections::BTreeMap;
use werkbuch_wire::pb;

/// What the table is called.
pub const NAME: &str = "timelines";

/// An interval of a machine.
#[derive(Clone, Copy, Debug)]
pub struct IntervalLine<'i> {
    /// The plant.
    pub plant: &'i str,
    /// The machine's name.
    pub machine: &'i str,
    /// The machine's permanent number.
    pub number: u32,
    /// The interval.
    pub interval: &'i pb::TimelineInterval,
    /// Whether it was asked why machines wait.
    pub waits: bool,
}

columns! { IntervalLine;
    "plant" Word "the plant that the machine is in" |row| Cell::text(row.plant);
    "machine" Word "the machine's name" |row| Cell::text(row.machine);
    "number" Small "the machine's permanent number in the plant" |row| Cell::Count(row.number.into());
    "begin" Time "the first time in it" |row| Cell::time(Some(row.interval.begin));
    "end" Time "the first time behind it" |row| Cell::time(Some(row.interval.end));
    "duration_ns" Whole "how long it is, in nanoseconds" |row| Cell::Whole(row.interval.end.saturating_sub(row.interval.begin));
    "open" Flag "whether nothing had ended it by the end of the window" |row| Cell::Flag(row.interval.open);
    "covered" Flag "whether it was watched; if not, the state may have been another" |row| Cell::Flag(!row.interval.uncovered);
    "state" Code "the state as shown: the signal's, or faulted, set-up, maintenance as mode and conditions say" |row| Cell::name(state(row.interval.state));
    "reported_state" Code "the state as its signal says" |row| Cell::name(state(row.interval.reported_state));
    "native_state" Text "the source's own word for the state" |row| Cell::text(&row.interval.native_state);
    "reason" Text "the source's reason code" |row| Cell::text(&row.interval.reason);
    "since" Time "since when the state signal says so, which may lie before the window" |row| Cell::time(row.interval.since);
    "position" Count "the position of the event that says so" |row| Cell::count(Some(row.interval.position).filter(|at| *at != 0));
    "mode" Code "how the machine was being used" |row| Cell::name(mode(row.interval.mode));
    "program" Text "the main program" |row| row.interval.program.as_deref().map_or(Cell::Null, Cell::text);
    "order" Text "the order that was worked on" |row| Cell::text(&row.interval.order);
    "alarms" Texts "the keys of alarms that stood at any time of it, at most 16" |row| Cell::Texts(&row.interval.alarms);
    "alarms_total" Small "how many alarms stood at any time of it" |row| Cell::Count(row.interval.alarms_size.into());
    "cycles" Count "how many cycles ended in it" |row| Cell::Count(row.interval.cycles);
    "parts" Count "by how much counters of all parts moved on in it; of a machine that has none, those of good parts" |row| Cell::Count(row.interval.parts);
    "good" Count "by how much counters of good parts did" |row| Cell::Count(row.interval.good);
    "scrap" Count "by how much counters of scrap did" |row| Cell::Count(row.interval.scrap);
    "rework" Count "by how much counters of parts to be reworked did" |row| Cell::Count(row.interval.rework);
    "inferred_starved_ns" Count "how long of it, in nanoseconds, is inferred to be a wait for parts; null when that was not asked" |row| row.inferred(pb::State::Starved);
    "inferred_blocked_ns" Count "how long of it is inferred to be a blocked outlet; null when that was not asked" |row| row.inferred(pb::State::Blocked);
    "inferred_because" Text "the cause of these that held the longest; of equals the first by its words" |row| Cell::text(row.because());
}

impl<'i> IntervalLine<'i> {
    fn causes(&self) -> impl Iterator<Item = (&'i pb::WaitCause, u64)> {
        let waits: &'i [pb::TimelineWait] = &self.interval.waits;
        waits.iter().filter_map(|wait| {
            let cause = wait.cause.as_ref()?;
            let length = wait.end.saturating_sub(wait.begin);
            let inferred = cause.provenance() == pb::Provenance::Inferred;
            inferred.then_some((cause, u64::try_from(length).unwrap_or(0)))
        })
    }

    /// How long it was inferred to be in a state; that it was not is known when it was asked, and a zero.
    fn inferred(&self, state: pb::State) -> Cell<'i> {
        let of_state = self.causes().filter(|(cause, _)| cause.state() == state);
        let sum = of_state.fold(0_u64, |sum, (_, length)| sum.saturating_add(length));
        Cell::count(self.waits.then_some(sum))
    }

    fn because(&self) -> &'i str {
        let mut causes: BTreeMap<&'i str, u64> = BTreeMap::new();
        for (cause, length) in self.causes() {
            let sum = causes.entry(&cause.because).or_default();
            *sum = sum.saturating_add(length);
        }
        let longest = causes.iter().rev().max_by_key(|(_, length)| **length);
        longest.map_or("", |(because, _)| because)
    }
}
