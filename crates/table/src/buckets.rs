//! The table of buckets: one row for each equal part of a window, by plant, machine number and part.

use crate::column::{Cell, columns};
use crate::machines::state;
use werkbuch_wire::pb;

/// What the table is called.
pub const NAME: &str = "buckets";

/// A bucket of a machine.
#[derive(Clone, Copy, Debug)]
pub struct BucketLine<'b> {
    /// The plant.
    pub plant: &'b str,
    /// The machine's name.
    pub machine: &'b str,
    /// The machine's permanent number.
    pub number: u32,
    /// The first time in it, in nanoseconds.
    pub begin: i64,
    /// The first time behind it, in nanoseconds.
    pub end: i64,
    /// The bucket.
    pub bucket: &'b pb::TimelineBucket,
    /// Whether it was asked why machines wait.
    pub waits: bool,
}

columns! { BucketLine;
    "plant" Word "the plant that the machine is in" |row| Cell::text(row.plant);
    "machine" Word "the machine's name" |row| Cell::text(row.machine);
    "number" Small "the machine's permanent number in the plant" |row| Cell::Count(row.number.into());
    "bucket" Small "which of the equal parts of the window it is, from 0" |row| Cell::Count(row.bucket.bucket.into());
    "begin" Time "the first time in it" |row| Cell::time(Some(row.begin));
    "end" Time "the first time behind it" |row| Cell::time(Some(row.end));
    "duration_ns" Whole "how long it is, in nanoseconds" |row| Cell::Whole(row.end.saturating_sub(row.begin));
    "dominant" Code "the state that was shown the longest; of equals the worst" |row| Cell::name(state(row.bucket.dominant));
    "worst" Code "the worst state that was shown at all" |row| Cell::name(state(row.bucket.worst));
    "uncovered_ns" Count "how long nobody watched, in nanoseconds" |row| Cell::Count(row.bucket.uncovered_ns);
    "executing_ns" Count "how long it was shown executing, in nanoseconds" |row| row.share(pb::State::Executing);
    "starting_ns" Count "how long it was shown starting, in nanoseconds" |row| row.share(pb::State::Starting);
    "finishing_ns" Count "how long it was shown finishing, in nanoseconds" |row| row.share(pb::State::Finishing);
    "idle_ns" Count "how long it was shown idle, in nanoseconds" |row| row.share(pb::State::Idle);
    "starved_ns" Count "how long it was shown starved, in nanoseconds" |row| row.share(pb::State::Starved);
    "blocked_ns" Count "how long it was shown blocked, in nanoseconds" |row| row.share(pb::State::Blocked);
    "waiting_ns" Count "how long it was shown waiting, in nanoseconds" |row| row.share(pb::State::Waiting);
    "held_ns" Count "how long it was shown held, in nanoseconds" |row| row.share(pb::State::Held);
    "stopped_ns" Count "how long it was shown stopped, in nanoseconds" |row| row.share(pb::State::Stopped);
    "faulted_ns" Count "how long it was shown faulted, in nanoseconds" |row| row.share(pb::State::Faulted);
    "setup_ns" Count "how long it was shown in set-up, in nanoseconds" |row| row.share(pb::State::Setup);
    "maintenance_ns" Count "how long it was shown in maintenance, in nanoseconds" |row| row.share(pb::State::Maintenance);
    "unavailable_ns" Count "how long it was shown unavailable, in nanoseconds" |row| row.share(pb::State::Unavailable);
    "unknown_ns" Count "how long its state had a word that nobody knows, in nanoseconds" |row| row.share(pb::State::Unknown);
    "inferred_starved_ns" Count "how long of waiting and idle, in nanoseconds, is inferred to be a wait for parts; null when that was not asked" |row| row.inferred(pb::State::Starved);
    "inferred_blocked_ns" Count "how long of waiting and idle is inferred to be a blocked outlet; null when that was not asked" |row| row.inferred(pb::State::Blocked);
    "inferred_because" Text "the cause of these that held the longest" |row| row.because();
}

impl BucketLine<'_> {
    /// How long a state was shown; that it was not is known, and a zero.
    fn share(&self, state: pb::State) -> Cell<'_> {
        let mut shares = self.bucket.shares.iter();
        let share = shares.find(|share| share.state == i32::from(state));
        Cell::Count(share.map_or(0, |share| share.duration_ns))
    }

    /// How long it was inferred to be in a state; that it was not is known when it was asked, and a zero.
    fn inferred(&self, state: pb::State) -> Cell<'_> {
        let inferred = self.bucket.inferred.iter();
        let of_state = inferred.filter(|one| one.state() == state);
        let sum = of_state.fold(0_u64, |sum, one| sum.saturating_add(one.duration_ns));
        Cell::count(self.waits.then_some(sum))
    }

    fn because(&self) -> Cell<'_> {
        let inferred = self.bucket.inferred.iter();
        let longest = inferred.max_by_key(|one| one.duration_ns);
        longest.map_or(Cell::Null, |one| Cell::text(&one.because))
    }
}
