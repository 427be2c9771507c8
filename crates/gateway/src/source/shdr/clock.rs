//! Decides which times of a recording are believed.

use super::intake::Item;
use super::{LOOK_AHEAD_LINES, PLAUSIBLE, TOLERANCE_NS};
use std::collections::VecDeque;
use werkbuch_model::time::Timestamp;

/// When a line was observed, and whether its own time is disbelieved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Timing {
    pub(super) occurred_at: Timestamp,
    pub(super) observed_at: Timestamp,
    pub(super) suspect: bool,
}

impl Timing {
    /// A time that is believed.
    pub(super) fn believed(time: Timestamp) -> Self {
        Self {
            occurred_at: time,
            observed_at: time,
            suspect: false,
        }
    }
}

/// The highest accepted time of the present session.
#[derive(Debug, Default)]
pub(super) struct Clock {
    highest: Option<Timestamp>,
}

impl Clock {
    /// Decides about the line at the head of the queue and accepts its time if it is believed.
    pub(super) fn take(
        &mut self,
        time: Timestamp,
        begins: bool,
        behind: &VecDeque<Item>,
    ) -> Timing {
        if begins {
            self.highest = None;
        }
        let timing = judge(time, self.highest, neighbours(behind.iter()));
        if !timing.suspect {
            self.highest = Some(self.highest.map_or(time, |highest| highest.max(time)));
        }
        timing
    }

    /// The time of a gap before the lines of the queue: the highest accepted one, else what the first
    /// line that follows will be given, else 1970.
    pub(super) fn of_gap(&self, behind: &VecDeque<Item>) -> Timestamp {
        let mut items = behind.iter();
        self.highest
            .or_else(|| {
                let next = items.by_ref().find_map(Item::line)?;
                Some(judge(next.time, None, neighbours(items)).observed_at)
            })
            .unwrap_or_default()
    }
}

/// The least and the greatest time of the next lines of the same session.
fn neighbours<'i>(items: impl Iterator<Item = &'i Item>) -> Option<(Timestamp, Timestamp)> {
    items
        .filter_map(Item::line)
        .take(LOOK_AHEAD_LINES)
        .take_while(|line| !line.begins_session)
        .map(|line| line.time)
        .fold(None, |range, time| match range {
            None => Some((time, time)),
            Some((least, most)) => Some((time.min(least), time.max(most))),
        })
}

fn judge(
    time: Timestamp,
    highest: Option<Timestamp>,
    next: Option<(Timestamp, Timestamp)>,
) -> Timing {
    let behind = highest.is_some_and(|highest| highest.since(time) > TOLERANCE_NS);
    let ahead = next.is_some_and(|(_, most)| time.since(most) > TOLERANCE_NS);
    let suspect = behind || ahead || !PLAUSIBLE.contains(&time);
    let instead = highest.or(next.map(|(least, _)| least)).unwrap_or(time);
    Timing {
        occurred_at: time,
        observed_at: if suspect { instead } else { time },
        suspect,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = TOLERANCE_NS;
    /// 2017-03-08.
    const BASE: i64 = 17_233;

    #[test]
    fn times_are_judged_by_what_was_accepted_and_what_follows() {
        let at = |days: i64| Timestamp((BASE + days) * DAY);
        let (never_set, far) = (Timestamp(9 * DAY), Timestamp(47_482 * DAY));
        for (time, highest, next, observed, suspect) in [
            (at(10), None, None, at(10), false),
            (at(10), None, Some((at(9), at(9))), at(10), false),
            (at(10), None, Some((at(3), at(4))), at(3), true),
            (at(10), Some(at(5)), Some((at(3), at(4))), at(5), true),
            (at(10), Some(at(5)), Some((at(3), at(10))), at(10), false),
            (at(10), Some(at(11)), None, at(10), false),
            (at(10), Some(at(12)), None, at(12), true),
            (at(10), Some(at(11).plus(1)), None, at(11).plus(1), true),
            // 1970 and 2100, alone and among others.
            (never_set, None, None, never_set, true),
            (never_set, None, Some((at(3), at(4))), at(3), true),
            (far, None, None, far, true),
            (far, Some(at(5)), None, at(5), true),
            (
                Timestamp::MIN,
                Some(Timestamp::MAX),
                None,
                Timestamp::MAX,
                true,
            ),
        ] {
            let timing = judge(time, highest, next);
            assert_eq!(
                (timing.observed_at, timing.suspect),
                (observed, suspect),
                "{time:?} {highest:?}"
            );
        }
    }
}
