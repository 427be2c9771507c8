//! Levels of detail: a window in equal parts, and for each part how long each state held.
//!
//! Shares are whole nanoseconds, and a border of a coarser level is one of every level that is finer by
//! a whole factor. So shares add up exactly, and what lasts a nanosecond is in a bucket's shares and in
//! its worst state, however coarse the level is.

use super::interval::Interval;
use crate::quality::Window;
use werkbuch_model::event::State;
use werkbuch_model::time::Timestamp;

/// The most buckets of a level.
pub const BUCKETS_MAX: usize = 10_000;

/// How many states there are, with that which is not said.
const STATES: usize = State::ALL.len();

/// A window in equal parts, as far as whole nanoseconds allow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Levels {
    /// Where the buckets begin, and where the last one ends.
    borders: Vec<Timestamp>,
}

/// One part: how long each state was shown, and how long nobody watched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bucket {
    shares: [u64; STATES],
    uncovered_ns: u64,
}

impl Levels {
    /// The level of so many buckets, at least 1 and at most [`BUCKETS_MAX`].
    #[must_use]
    pub fn new(window: Window, buckets: usize) -> Self {
        let buckets = buckets.clamp(1, BUCKETS_MAX);
        let from = i128::from(window.from.nanos());
        let length = (i128::from(window.to.nanos()) - from).max(0);
        let border = |at: usize| {
            let nanos = from + length * at as i128 / buckets as i128;
            Timestamp(i64::try_from(nanos).unwrap_or(i64::MAX))
        };
        Self {
            borders: (0..=buckets).map(border).collect(),
        }
    }

    /// How many buckets there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.borders.len().saturating_sub(1)
    }

    /// Never: there is one bucket at least.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        false
    }

    /// When a bucket begins; of the number behind the last one, when that ends.
    #[must_use]
    pub fn border(&self, bucket: usize) -> Timestamp {
        self.borders.get(bucket).copied().unwrap_or_default()
    }

    /// The buckets of a machine's intervals, which are in order and do not overlap, into room that is
    /// kept from machine to machine.
    pub fn fill<'i>(
        &self,
        intervals: impl IntoIterator<Item = &'i Interval>,
        buckets: &mut Vec<Bucket>,
    ) {
        let parts = intervals
            .into_iter()
            .map(|one| (one.begin, one.end, one.covered.then_some(one.shown)));
        self.fill_with(parts, buckets);
    }

    /// The same of begin, end and state of each interval; the state is absent where nobody watched.
    pub fn fill_with(
        &self,
        intervals: impl IntoIterator<Item = (Timestamp, Timestamp, Option<State>)>,
        buckets: &mut Vec<Bucket>,
    ) {
        buckets.clear();
        buckets.resize(self.len(), Bucket::default());
        let mut at = 0_usize;
        for (begin, end, state) in intervals {
            let mut begin = begin.max(self.border(0));
            while begin < end
                && let Some(bucket) = buckets.get_mut(at)
            {
                let border = self.border(at + 1);
                let until = end.min(border);
                if begin < until {
                    bucket.add(state, u64::try_from(until.since(begin)).unwrap_or(0));
                    begin = until;
                }
                if end < border {
                    break;
                }
                at += 1;
            }
        }
    }
}

impl Bucket {
    fn add(&mut self, state: Option<State>, nanos: u64) {
        let place = match state {
            Some(state) => self.shares.get_mut(state.code() as usize),
            None => Some(&mut self.uncovered_ns),
        };
        if let Some(place) = place {
            *place = place.saturating_add(nanos);
        }
    }

    /// How long nobody watched, in nanoseconds.
    #[must_use]
    pub fn uncovered_ns(&self) -> u64 {
        self.uncovered_ns
    }

    /// How long somebody watched, in nanoseconds: the sum of the shares.
    #[must_use]
    pub fn covered_ns(&self) -> u64 {
        self.shares
            .iter()
            .fold(0, |sum, one| sum.saturating_add(*one))
    }

    /// The states that were shown, by their numbers, and how long each was, in nanoseconds.
    pub fn shares(&self) -> impl Iterator<Item = (State, u64)> + '_ {
        let all = State::ALL.iter().copied().zip(self.shares.iter().copied());
        all.filter(|(_, nanos)| *nanos > 0)
    }

    /// The state that was shown the longest, of equals the worst; absent when nobody watched.
    #[must_use]
    pub fn dominant(&self) -> Option<State> {
        let key = |(state, nanos): &(State, u64)| (*nanos, severity(*state));
        self.shares().max_by_key(key).map(|(state, _)| state)
    }

    /// The worst state that was shown at all; absent when nobody watched.
    #[must_use]
    pub fn worst(&self) -> Option<State> {
        let states = self.shares().map(|(state, _)| state);
        states.max_by_key(|state| severity(*state))
    }
}

/// How bad a state is for production: a fault is the worst, then what stops, then what waits, then what
/// is planned, then what is not known. No two states are equal.
#[must_use]
pub fn severity(state: State) -> u8 {
    match state {
        State::Unspecified => 0,
        State::Executing => 1,
        State::Starting => 2,
        State::Finishing => 3,
        State::Idle => 4,
        State::Unknown => 5,
        State::Unavailable => 6,
        State::Setup => 7,
        State::Maintenance => 8,
        State::Waiting => 9,
        State::Starved => 10,
        State::Blocked => 11,
        State::Held => 12,
        State::Stopped => 13,
        State::Faulted => 14,
    }
}
