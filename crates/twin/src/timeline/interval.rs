//! An interval of a timeline, and what the intervals of a timeline add up to.

use super::count::Parts;
use crate::view::ShownBy;
use werkbuch_model::event::{Mode, State};
use werkbuch_model::id::Position;
use werkbuch_model::time::Timestamp;

/// The most alarms that an interval names; all are counted.
pub const ALARMS_SHOWN: usize = 16;

/// A time during which a machine was shown in one state, for one reason, in one mode, with one program
/// and one order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interval {
    /// The first time in it.
    pub begin: Timestamp,
    /// The first time behind it.
    pub end: Timestamp,
    /// Whether nothing had ended it by the end of the window.
    pub open: bool,
    /// Whether it was watched: false where something that was said is lost.
    pub covered: bool,
    /// The state as shown.
    pub shown: State,
    /// Where the shown state comes from.
    pub shown_by: ShownBy,
    /// The state as the machine's own signal says.
    pub signal: State,
    /// The source's own word for it.
    pub native: Box<str>,
    /// The source's reason code, empty when it gave none.
    pub reason: Box<str>,
    /// When the event took effect that says so, which may lie before the window; absent when the machine
    /// never reported a state.
    pub since: Option<Timestamp>,
    /// The position of the event that says so.
    pub position: Option<Position>,
    /// How the machine is used.
    pub mode: Option<Mode>,
    /// The main program; absent when it is unknown.
    pub program: Option<Box<str>>,
    /// The order that is worked on, empty when there is none.
    pub order: Box<str>,
    /// The keys of alarms that stood at any time of it, at most [`ALARMS_SHOWN`], in order.
    pub alarms: Vec<Box<str>>,
    /// How many alarms stood at any time of it.
    pub alarms_total: u32,
    /// How many cycles ended in it. What ends at the very time at which an interval begins belongs to the
    /// one before: it is what that led to.
    pub cycles: u64,
    /// The parts counted in it, in the same way.
    pub parts: Parts,
}

impl Interval {
    /// How long it is, in nanoseconds.
    #[must_use]
    pub fn length_ns(&self) -> u64 {
        u64::try_from(self.end.since(self.begin)).unwrap_or(0)
    }
}

/// What the intervals of one state add up to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateSum {
    /// The state as shown.
    pub state: State,
    /// How long it was shown while it was watched, in nanoseconds.
    pub duration_ns: u64,
    /// How many times the machine came into it, or was in it when the window began.
    pub stays: u64,
}

/// What the intervals of a timeline add up to: for each state, and what was not watched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// The states that occur while they were watched, by their numbers.
    pub states: Vec<StateSum>,
    /// How long nobody watched, in nanoseconds.
    pub uncovered_ns: u64,
    last: Option<(State, bool)>,
}

impl Sums {
    /// The sums of intervals, those of one machine in their order.
    #[must_use]
    pub fn of<'i>(intervals: impl IntoIterator<Item = &'i Interval>) -> Self {
        let mut sums = Self::default();
        intervals.into_iter().for_each(|one| sums.take(one));
        sums
    }

    fn take(&mut self, one: &Interval) {
        let now = (one.shown, one.covered);
        let stays = self.last.replace(now) != Some(now);
        if !one.covered {
            self.uncovered_ns = self.uncovered_ns.saturating_add(one.length_ns());
            return;
        }
        let at = match self
            .states
            .binary_search_by_key(&one.shown, |sum| sum.state)
        {
            Ok(at) => at,
            Err(at) => {
                let sum = StateSum {
                    state: one.shown,
                    duration_ns: 0,
                    stays: 0,
                };
                self.states.insert(at, sum);
                at
            }
        };
        if let Some(sum) = self.states.get_mut(at) {
            sum.duration_ns = sum.duration_ns.saturating_add(one.length_ns());
            sum.stays = sum.stays.saturating_add(u64::from(stays));
        }
    }
}
