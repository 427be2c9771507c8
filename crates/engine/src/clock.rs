//! The plant writer's clock: strictly increasing, with jumps of the wall clock found.

use crate::limits::{CLOCK_JUMP_MIN_NS, CLOCK_JUMP_STOP_NS};
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use werkbuch_model::event::ClockJumped;
use werkbuch_model::time::{SECOND_NS, Timestamp};

/// Where the time comes from; the system's in production, a script in tests.
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// The wall clock.
    fn wall(&self) -> Timestamp;

    /// Nanoseconds of a clock that only moves forward, from any origin.
    fn monotonic_ns(&self) -> i64;
}

/// The system's clocks.
#[derive(Debug)]
pub struct SystemClock {
    origin: Instant,
}

impl Default for SystemClock {
    fn default() -> Self {
        Self {
            origin: Instant::now(),
        }
    }
}

impl Clock for SystemClock {
    fn wall(&self) -> Timestamp {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Timestamp(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
    }

    fn monotonic_ns(&self) -> i64 {
        i64::try_from(self.origin.elapsed().as_nanos()).unwrap_or(i64::MAX)
    }
}

/// What the wall clock did since it was last looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tick {
    /// It went on.
    Steady,
    /// It jumped by an amount that is recorded and then lived with.
    Jumped(ClockJumped),
    /// It jumped forward so far that a person must confirm it first.
    Stopped(ClockJumped),
}

/// Stamps events: `max(wall, last + 1 ns)`.
#[derive(Debug)]
pub(crate) struct WriterClock {
    clock: Arc<dyn Clock>,
    /// The wall and the monotonic clock when they were last believed.
    believed: (Timestamp, i64),
    /// What was believed before a jump whose record is not synced yet.
    before: Option<(Timestamp, i64)>,
    last: Timestamp,
    now: Timestamp,
}

impl WriterClock {
    /// A clock that goes on after `last`. Time between runs is no jump.
    pub(crate) fn new(clock: Arc<dyn Clock>, last: Timestamp) -> Self {
        let believed = (clock.wall(), clock.monotonic_ns());
        Self {
            clock,
            believed,
            before: None,
            last,
            now: believed.0,
        }
    }

    /// Looks at the wall clock, for the stamps that follow.
    pub(crate) fn tick(&mut self) -> Tick {
        let (wall, monotonic) = (self.clock.wall(), self.clock.monotonic_ns());
        let expected = self
            .believed
            .0
            .plus(monotonic.saturating_sub(self.believed.1));
        let jump = wall.since(expected);
        let jumped = ClockJumped {
            expected,
            found: wall,
            confirmed: false,
        };
        if jump > CLOCK_JUMP_STOP_NS {
            return Tick::Stopped(jumped);
        }
        self.now = wall;
        if jump.saturating_abs() < CLOCK_JUMP_MIN_NS {
            // The pair of clocks is kept: slow drift adds up to a jump in the end and is then said.
            return Tick::Steady;
        }
        self.before.get_or_insert(self.believed);
        self.believed = (wall, monotonic);
        Tick::Jumped(jumped)
    }

    /// Believes the wall clock as it is, after a person confirmed it.
    pub(crate) fn confirm(&mut self) {
        self.before.get_or_insert(self.believed);
        self.believed = (self.clock.wall(), self.clock.monotonic_ns());
        self.now = self.believed.0;
    }

    /// Whether the record of a jump is not known to be synced.
    pub(crate) fn has_jumped(&self) -> bool {
        self.before.is_some()
    }

    /// Stamps what comes from now on later than `time`.
    pub(crate) fn pass(&mut self, time: Timestamp) {
        self.last = self.last.max(time);
    }

    /// The record of a jump is synced: what is believed stays.
    pub(crate) fn keep(&mut self) {
        self.before = None;
    }

    /// The record of a jump was not synced: the jump is to be found again.
    pub(crate) fn undo(&mut self) {
        if let Some(before) = self.before.take() {
            self.believed = before;
        }
    }

    /// The last stamp, or the wall clock where that is ahead of it.
    pub(crate) fn reached(&self) -> Timestamp {
        self.now.max(self.last)
    }

    /// The next stamp.
    pub(crate) fn stamp(&mut self) -> Timestamp {
        self.last = self.now.max(self.last.plus(1));
        self.last
    }
}

/// By how many seconds the clock is behind what the log has recorded, where a person should know: by
/// more than what is recorded as a jump while a server runs.
pub(crate) fn behind(wall: Timestamp, recorded_at: Timestamp) -> Option<i64> {
    let behind = recorded_at.since(wall);
    (behind >= CLOCK_JUMP_MIN_NS).then_some(behind / SECOND_NS)
}

/// Clocks that a test moves by hand.
#[cfg(any(test, feature = "test-clock"))]
#[derive(Debug, Default)]
pub struct ManualClock {
    /// The wall clock in nanoseconds.
    pub wall_ns: std::sync::atomic::AtomicI64,
    /// The monotonic clock in nanoseconds.
    pub monotonic_ns: std::sync::atomic::AtomicI64,
}

#[cfg(any(test, feature = "test-clock"))]
impl ManualClock {
    /// Moves both clocks on.
    pub fn pass(&self, nanos: i64) {
        self.wall_ns
            .fetch_add(nanos, std::sync::atomic::Ordering::SeqCst);
        self.monotonic_ns
            .fetch_add(nanos, std::sync::atomic::Ordering::SeqCst);
    }

    /// Moves the wall clock alone.
    pub fn jump(&self, nanos: i64) {
        self.wall_ns
            .fetch_add(nanos, std::sync::atomic::Ordering::SeqCst);
    }
}

#[cfg(any(test, feature = "test-clock"))]
impl Clock for ManualClock {
    fn wall(&self) -> Timestamp {
        Timestamp(self.wall_ns.load(std::sync::atomic::Ordering::SeqCst))
    }

    fn monotonic_ns(&self) -> i64 {
        self.monotonic_ns.load(std::sync::atomic::Ordering::SeqCst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clocks() -> (Arc<ManualClock>, WriterClock) {
        let manual = Arc::new(ManualClock::default());
        manual.pass(1_000 * SECOND_NS);
        let writer = WriterClock::new(manual.clone(), Timestamp(0));
        (manual, writer)
    }

    #[test]
    fn stamps_strictly_increase_also_while_the_wall_clock_lags() {
        let (manual, mut writer) = clocks();
        let first = writer.stamp();
        assert_eq!(first, Timestamp(1_000 * SECOND_NS));
        assert_eq!(writer.stamp(), first.plus(1));
        manual.jump(-500 * SECOND_NS);
        assert!(
            matches!(writer.tick(), Tick::Jumped(j) if j.found.since(j.expected) == -500 * SECOND_NS)
        );
        assert_eq!(writer.stamp(), first.plus(2));
        assert_eq!(writer.tick(), Tick::Steady);
    }

    #[test]
    fn a_jump_beyond_an_hour_forward_stops_until_confirmed() {
        let (manual, mut writer) = clocks();
        manual.pass(10 * SECOND_NS);
        assert_eq!(writer.tick(), Tick::Steady);
        manual.jump(3_601 * SECOND_NS);
        assert!(matches!(writer.tick(), Tick::Stopped(_)));
        manual.pass(SECOND_NS);
        assert!(matches!(writer.tick(), Tick::Stopped(_)));
        writer.confirm();
        assert_eq!(writer.tick(), Tick::Steady);
        assert_eq!(writer.stamp(), Timestamp(4_612 * SECOND_NS));
    }

    #[test]
    fn a_jump_whose_record_was_lost_is_found_again() {
        let (manual, mut writer) = clocks();
        manual.jump(90 * SECOND_NS);
        assert!(matches!(writer.tick(), Tick::Jumped(_)));
        writer.undo();
        assert!(matches!(writer.tick(), Tick::Jumped(_)));
        writer.keep();
        writer.undo();
        assert_eq!(writer.tick(), Tick::Steady);
        manual.jump(7_200 * SECOND_NS);
        writer.confirm();
        writer.undo();
        assert!(matches!(writer.tick(), Tick::Stopped(_)));
    }

    #[test]
    fn a_short_jump_is_recorded_and_lived_with() {
        let (manual, mut writer) = clocks();
        manual.jump(90 * SECOND_NS);
        assert!(matches!(writer.tick(), Tick::Jumped(_)));
        assert_eq!(writer.tick(), Tick::Steady);
    }
}
