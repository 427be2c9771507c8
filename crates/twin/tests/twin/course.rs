//! A plant on its way through plant time is at every instant the twin of that instant.

use crate::join::{arrive, histories};
use crate::writer::*;
use proptest::prelude::*;
use std::collections::BTreeMap;
use werkbuch_model::id::*;
use werkbuch_model::time::Timestamp;
use werkbuch_twin::course::*;
use werkbuch_twin::quality::Window;
use werkbuch_twin::{MachineTwin, Twin};

const STEP: i64 = 5 * 86_400_000_000_000;

fn window(from: i64, to: i64) -> Window {
    Window {
        from: Timestamp(from),
        to: Timestamp(to),
    }
}

/// What a question about machines can tell.
fn shown(twin: &Twin) -> BTreeMap<MachineNumber, String> {
    // One that a correction alone has touched has said nothing.
    let says = |machine: &MachineTwin<'_>| machine.last_event_at().is_some();
    let machines = twin.machines().filter(says).map(|machine| {
        let mut view = machine.view();
        // Which position is the last of a machine by then is told by the log alone.
        view.last_position = Position(0);
        (machine.number(), serde_json::to_string(&view).unwrap())
    });
    machines.collect()
}

/// Goes through a window in pieces of at most so many bytes, and calls `look` at each moment with the time
/// of the next one and the machines that were touched.
pub(crate) fn go(
    writer: &Writer,
    window: Window,
    bytes_max: usize,
    look: &mut dyn FnMut(&Course, Timestamp, Timestamp, &[MachineNumber]),
) -> usize {
    let mut course = Course::new(writer.twin(Some(window.from.nanos() - 1)), true);
    let (mut from, mut pieces) = (window.from, 0);
    let mut at = window.from;
    while from < window.to {
        let rest = Window { from, ..window };
        let mut happened = Happened::new(rest, bytes_max);
        for event in &writer.events {
            happened.take(event, 60, &|_| true, || event.clone());
        }
        pieces += 1;
        loop {
            let mut touched: Vec<_> = course.pass(at).into_iter().collect();
            if happened.next_at() == Some(at) {
                let moment = happened.next_moment();
                let mut all: Vec<_> = moment
                    .iter()
                    .filter_map(|entry| entry.happening(entry.event.clone()))
                    .collect();
                assert_eq!(all.len(), moment.len());
                course.sort(&mut all);
                for one in all {
                    touched.extend(course.take(one).unwrap());
                }
            }
            let due = course.due().filter(|due| *due < happened.end());
            let next = [happened.next_at(), due].into_iter().flatten().min();
            let until = next.unwrap_or(happened.end());
            assert!(until > at, "{until:?} {at:?}");
            look(&course, at, until, &touched);
            at = until;
            if next.is_none() {
                break;
            }
        }
        from = happened.end();
    }
    assert_eq!(at, window.to);
    pieces
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    /// Late events, corrections, ranks, machines and things of the plant, in any order of arrival; in one
    /// piece or in many.
    #[test]
    fn every_instant_is_that_of_the_twin(
        steps in histories(),
        keys in prop::collection::vec(any::<u32>(), 40),
        from in 0..4_i64,
        length in 1..7_i64,
        bytes_max in prop_oneof![Just(1), 100..3_000_usize, Just(usize::MAX)],
    ) {
        let writer = arrive(&steps, &keys, |_| {});
        let window = window(from * STEP - 1, (from + length) * STEP);
        let mut before = shown(&writer.twin(Some(window.from.nanos() - 1)));
        let mut moments = Vec::new();
        go(&writer, window, bytes_max, &mut |course, at, until, touched| {
            moments.push(at);
            for time in [at.nanos(), until.nanos() - 1, at.nanos() + until.since(at) / 2] {
                let twin = writer.twin(Some(time));
                assert_eq!(course.twin().digest(), twin.digest(), "at {time}");
                let now = shown(&twin);
                assert_eq!(&shown(course.twin()), &now, "at {time}");
                // Whoever was not touched is as before.
                for (machine, view) in &now {
                    let other = before.get(machine) != Some(view);
                    assert!(!other || touched.contains(machine) || at == window.from, "{machine}");
                }
                before = now;
            }
        });
        prop_assert!(moments.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
