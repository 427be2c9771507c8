//! Timelines: rules in tables, and every instant of them against a twin of that instant.

use crate::bodies::*;
use crate::join::{arrive, histories};
use crate::writer::*;
use proptest::prelude::*;
use werkbuch_model::event::*;
use werkbuch_model::id::*;
use werkbuch_model::time::Timestamp;
use werkbuch_twin::Twin;
use werkbuch_twin::quality::Window;
use werkbuch_twin::timeline::*;

const DAY_NS: i64 = 86_400_000_000_000;
const STEP: i64 = 5 * DAY_NS;

fn window(from: i64, to: i64) -> Window {
    Window {
        from: Timestamp(from),
        to: Timestamp(to),
    }
}

/// The intervals of a machine, of what a writer has recorded.
fn timeline(writer: &Writer, machine: u32, window: Window) -> Vec<Interval> {
    let machine = MachineNumber(machine);
    let mut walk = Walk::new(writer.twin(Some(window.from.nanos() - 1)), window);
    let mut history = History::new(machine);
    let mut unseen = Unseen::new(window);
    for source in walk.sources_before(machine).collect::<Vec<_>>() {
        unseen.speaks(machine, source);
    }
    for event in &writer.events {
        unseen.take(event);
        history.take(event.clone());
    }
    walk.timeline(history, &unseen.of(machine)).unwrap()
}

/// What a twin says of a machine, in the fields of an interval.
fn seen(twin: &Twin, machine: u32) -> (State, State, String, String, Option<Mode>, Option<String>) {
    let Some(machine) = twin.machine(MachineNumber(machine)) else {
        let none = State::Unavailable;
        return (none, none, String::new(), String::new(), None, None);
    };
    let state = machine.state();
    let programs = machine.programs();
    let program = programs.iter().find(|one| one.slot.is_empty());
    (
        state.shown,
        state.signal,
        state.native.to_owned(),
        state.reason.to_owned(),
        machine.mode().map(|mode| mode.mode),
        program.and_then(|one| one.program).map(str::to_owned),
    )
}

fn said(one: &Interval) -> (State, State, String, String, Option<Mode>, Option<String>) {
    (
        one.shown,
        one.signal,
        one.native.to_string(),
        one.reason.to_string(),
        one.mode,
        one.program.as_deref().map(str::to_owned),
    )
}

/// A timeline is whole, each of its intervals differs from the next, and each instant is the twin's.
fn check(writer: &Writer, machine: u32, window: Window, step: i64) {
    let line = timeline(writer, machine, window);
    assert_eq!(line.first().map(|one| one.begin), Some(window.from));
    assert_eq!(
        line.last().map(|one| (one.end, one.open)),
        Some((window.to, true))
    );
    for pair in line.windows(2) {
        assert!(pair[0].end == pair[1].begin && !pair[0].open);
        let order = |one: &Interval| (one.order.clone(), one.shown_by, one.covered);
        assert!(
            said(&pair[0]) != said(&pair[1]) || order(&pair[0]) != order(&pair[1]),
            "{line:#?}"
        );
    }
    let mut at = window.from.nanos();
    while at < window.to.nanos() {
        let twin = writer.twin(Some(at));
        let mut fitting = line
            .iter()
            .filter(|one| one.begin.nanos() <= at && at < one.end.nanos());
        let one = fitting.next().unwrap();
        assert!(fitting.next().is_none());
        assert_eq!(said(one), seen(&twin, machine), "at {at}");
        let state = twin.machine(MachineNumber(machine)).map(|one| one.state());
        if one.begin.nanos() == at {
            assert_eq!(one.since, state.as_ref().and_then(|state| state.since));
            assert_eq!(one.position, state.and_then(|state| state.position));
        }
        let active = twin.machine(MachineNumber(machine)).map(|one| one.alarms());
        for alarm in active.unwrap_or_default().iter().filter(|one| one.active) {
            assert!(one.alarms.iter().any(|key| &**key == alarm.key), "{one:?}");
        }
        at += step;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Late events, corrections, several sources with ranks, whatever the order of arrival.
    #[test]
    fn every_instant_of_a_timeline_is_what_the_twin_says(
        steps in histories(),
        keys in prop::collection::vec(any::<u32>(), 40),
        from in 0..4_i64,
        length in 1..7_i64,
    ) {
        let writer = arrive(&steps, &keys, |_| {});
        for machine in 1..3 {
            check(&writer, machine, window(from * STEP, (from + length) * STEP), STEP / 2);
            check(&writer, machine, window(from * STEP - 1, (from + length) * STEP + 1), STEP / 2);
        }
    }

    /// A window cut anywhere shows the same as the whole one.
    #[test]
    fn two_windows_add_up_to_one(
        steps in histories(),
        keys in prop::collection::vec(any::<u32>(), 40),
        cut in 1..6_i64,
    ) {
        let writer = arrive(&steps, &keys, |_| {});
        let whole = Sums::of(&timeline(&writer, 1, window(0, 6 * STEP)));
        let parts = [(0, cut * STEP), (cut * STEP, 6 * STEP)];
        let parts = parts.map(|(from, to)| timeline(&writer, 1, window(from, to)));
        let time = |state: State| -> u64 {
            let all = parts.iter().flatten().filter(|one| one.shown == state && one.covered);
            all.map(Interval::length_ns).sum()
        };
        for sum in &whole.states {
            prop_assert_eq!(sum.duration_ns, time(sum.state));
        }
        prop_assert_eq!(
            whole.states.iter().map(|sum| sum.duration_ns).sum::<u64>() + whole.uncovered_ns,
            6 * STEP as u64
        );
    }
}

/// Reports by `gw#1` of machine 1, in the order of their arrival.
fn told(says: Vec<(u64, i64, Body<'static>)>) -> Writer {
    let mut writer = Writer::default();
    for (sequence, at, body) in says {
        writer.report(Said {
            machine: 1,
            source: ("gw", 1),
            sequence,
            at,
            authority: 0,
            body,
        });
    }
    writer
}

fn cycle() -> Body<'static> {
    Body::CycleCompleted(CycleCompleted::default())
}

fn started(order: &'static str) -> Body<'static> {
    Body::OrderStarted(OrderStarted {
        order: order.into(),
        ..OrderStarted::default()
    })
}

#[test]
fn counts_belong_to_what_led_to_them() {
    let writer = told(vec![
        (1, 5, counter("good", 3)),
        (2, 10, state(State::Executing)),
        (3, 20, counter("good", 5)),
        (4, 30, cycle()),
        (5, 30, counter("good", 6)),
        (6, 30, state(State::Idle)),
        (7, 30, raised("a", 500)),
        (8, 40, cleared("a")),
        (9, 50, cycle()),
    ]);
    let line = timeline(&writer, 1, window(10, 60));
    let shown: Vec<_> = line
        .iter()
        .map(|one| {
            let (begin, end) = (one.begin.nanos(), one.end.nanos());
            (
                begin,
                end,
                one.shown,
                one.cycles,
                one.parts.good,
                one.alarms_total,
            )
        })
        .collect();
    let expected = [
        (10, 30, State::Executing, 1, 3, 0),
        (30, 60, State::Idle, 1, 0, 1),
    ];
    assert_eq!(shown, expected);
    // What happens at the very begin of a window belongs to its first interval, what happens at its end
    // to the next window.
    let cycles = |from, to| {
        let line = timeline(&writer, 1, window(from, to));
        line.iter().map(|one| one.cycles).sum::<u64>()
    };
    assert_eq!((cycles(30, 50), cycles(50, 60), cycles(0, 30)), (1, 1, 0));
}

#[test]
fn intervals_end_with_program_mode_and_order_and_late_events_restate_them() {
    let mut writer = told(vec![
        (1, 10, state(State::Executing)),
        (2, 20, program("", Some("p1"))),
        (3, 30, started("O1")),
        (4, 40, started("O2")),
        (5, 60, state(State::Idle)),
        (6, 70, state(State::Idle)),
        // Late.
        (7, 50, state(State::Held)),
    ]);
    let shown = |writer: &Writer| -> Vec<_> {
        let line = timeline(writer, 1, window(0, 80));
        let brief = |one: &Interval| {
            let program = one.program.as_deref().unwrap_or("").to_owned();
            (one.begin.nanos(), one.shown, program, one.order.to_string())
        };
        line.iter().map(brief).collect()
    };
    let row = |at: i64, state: State, program: &str, order: &str| {
        (at, state, program.to_owned(), order.to_owned())
    };
    let expected = vec![
        row(0, State::Unavailable, "", ""),
        row(10, State::Executing, "", ""),
        row(20, State::Executing, "p1", ""),
        row(30, State::Executing, "p1", "O1"),
        row(40, State::Executing, "p1", "O2"),
        row(50, State::Held, "p1", "O2"),
        row(60, State::Idle, "p1", "O2"),
    ];
    assert_eq!(shown(&writer), expected);
    // The late one never happened, and the other took place earlier than it was said to.
    let position = |at: i64| {
        let mut all = writer.originals.iter();
        all.find(|one| one.said.at == at).unwrap().position
    };
    let (held, idle) = (position(50), position(60));
    for (action, target, new_time) in [
        (CorrectionAction::Retract, held, None),
        (CorrectionAction::Retime, idle, Some(55)),
    ] {
        writer.correct(Fix {
            action,
            targets: vec![target],
            replacement: None,
            new_time,
        });
    }
    let mut restated = expected;
    restated.truncate(5);
    restated.push(row(55, State::Idle, "p1", "O2"));
    assert_eq!(shown(&writer), restated);
}

fn lost(cause: GapCause, source: u32, first: u64, last: u64) -> Body<'static> {
    Body::GapDetected(GapDetected {
        cause,
        source: SourceNumber(source),
        first,
        last,
        lost: Some(last - first + 1),
        ..GapDetected::default()
    })
}

/// Begin, end, and whether it is covered, of each interval.
fn covered(writer: &Writer, machine: u32) -> Vec<(i64, i64, bool)> {
    let line = timeline(writer, machine, window(0, 100));
    let brief = |one: &Interval| (one.begin.nanos(), one.end.nanos(), one.covered);
    line.iter().map(brief).collect()
}

#[test]
fn what_is_lost_is_not_covered_from_the_last_event_before_to_the_first_after() {
    let mut writer = told(vec![(1, 10, state(State::Idle))]);
    writer.own(lost(GapCause::Sequence, 1, 2, 3));
    writer.report(Said {
        machine: 1,
        source: ("gw", 1),
        sequence: 4,
        at: 40,
        authority: 0,
        body: state(State::Idle),
    });
    let expected = vec![(0, 10, true), (10, 40, false), (40, 100, true)];
    assert_eq!(covered(&writer, 1), expected);
    // Another machine, of which another source speaks, was watched.
    writer.report(Said {
        machine: 2,
        source: ("other", 1),
        sequence: 1,
        at: 0,
        authority: 0,
        body: state(State::Idle),
    });
    assert_eq!(covered(&writer, 2), vec![(0, 100, true)]);
    // Half of it comes late: something is missing still. Then all of it has come.
    for (sequence, at) in [(2, 20), (3, 30)] {
        let before = covered(&writer, 1);
        assert!(
            before.contains(&(10, 40, false)) || before.len() > 3,
            "{before:?}"
        );
        writer.report(Said {
            machine: 1,
            source: ("gw", 1),
            sequence,
            at,
            authority: 0,
            body: state(State::Executing),
        });
        writer.events.last_mut().unwrap().flags = Flags::LATE_FILLER;
    }
    let expected = vec![
        (0, 10, true),
        (10, 20, true),
        (20, 40, true),
        (40, 100, true),
    ];
    assert_eq!(covered(&writer, 1), expected);
}

#[test]
fn a_gap_that_nothing_followed_lasts_to_the_end_and_a_told_loss_to_when_it_was_told() {
    let mut writer = told(vec![(1, 10, state(State::Idle))]);
    writer.own(lost(GapCause::Sequence, 1, 2, 3));
    assert_eq!(covered(&writer, 1), vec![(0, 10, true), (10, 100, false)]);
    let writer = told(vec![
        (1, 10, state(State::Idle)),
        (2, 30, lost(GapCause::RingBuffer, 0, 0, 7)),
        (3, 60, state(State::Idle)),
    ]);
    let expected = vec![(0, 10, true), (10, 30, false), (30, 100, true)];
    assert_eq!(covered(&writer, 1), expected);
}

#[test]
fn nothing_is_known_of_what_never_reported_and_an_empty_window_is_empty() {
    let writer = told(vec![(1, 10, state(State::Idle))]);
    let line = timeline(&writer, 7, window(0, 50));
    assert_eq!(line.len(), 1);
    assert_eq!((line[0].shown, line[0].since), (State::Unavailable, None));
    assert_eq!(timeline(&writer, 1, window(50, 50)), vec![]);
}

/// Parts of a window with a state or none, as (gap to the one before, length, state or uncovered).
fn parts() -> impl Strategy<Value = Vec<(Timestamp, Timestamp, Option<State>)>> {
    let one = (0..30_000_000_i64, 1..200_000_000_i64, 0..15_u32);
    prop::collection::vec(one, 0..60).prop_map(|parts| {
        let mut at = -50_000_000;
        let place = |(gap, length, state): (i64, i64, u32)| {
            let begin = at + gap;
            at = begin + length;
            let state = State::from_code(state).filter(|one| *one != State::Unspecified);
            (Timestamp(begin), Timestamp(at), state)
        };
        parts.into_iter().map(place).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// However coarse, nothing vanishes and nothing is counted twice.
    #[test]
    fn no_interval_is_ever_invisible(
        parts in parts(),
        length in 1..5_000_000_000_i64,
        count in 1..80_usize,
        factor in 1..6_usize,
    ) {
        let window = window(0, length);
        let (coarse, fine) = (Levels::new(window, count), Levels::new(window, count * factor));
        let (mut wide, mut narrow) = (Vec::new(), Vec::new());
        coarse.fill_with(parts.iter().copied(), &mut wide);
        fine.fill_with(parts.iter().copied(), &mut narrow);
        prop_assert_eq!((wide.len(), narrow.len()), (count, count * factor));
        let within = |begin: Timestamp, end: Timestamp, from: Timestamp, to: Timestamp| {
            end.min(to).since(begin.max(from)).max(0) as u64
        };
        for (at, bucket) in wide.iter().enumerate() {
            let (from, to) = (coarse.border(at), coarse.border(at + 1));
            let sum = |state: Option<State>| -> u64 {
                let of_state = parts.iter().filter(|(_, _, of)| *of == state);
                of_state.map(|(begin, end, _)| within(*begin, *end, from, to)).sum()
            };
            prop_assert_eq!(bucket.uncovered_ns(), sum(None));
            let mut covered = 0;
            for state in State::ALL.iter().copied().skip(1) {
                let share = bucket.shares().find(|(of, _)| *of == state);
                let share = share.map_or(0, |(_, nanos)| nanos);
                prop_assert_eq!(share, sum(Some(state)));
                covered += share;
                // Whatever is in a bucket at all is in its worst state, or a worse one is.
                let worst = bucket.worst().map_or(0, severity);
                prop_assert!(share == 0 || worst >= severity(state));
                let most = bucket.dominant().map(|state| sum(Some(state)));
                prop_assert!(share <= most.unwrap_or(0));
            }
            prop_assert_eq!(bucket.covered_ns(), covered);
            let finer = narrow.iter().skip(at * factor).take(factor);
            let mut added = std::collections::BTreeMap::new();
            for (state, nanos) in finer.clone().flat_map(Bucket::shares) {
                *added.entry(state).or_insert(0) += nanos;
            }
            prop_assert_eq!(added, bucket.shares().collect());
            prop_assert_eq!(finer.map(Bucket::uncovered_ns).sum::<u64>(), bucket.uncovered_ns());
        }
        // Every interval that lies in the window at all is in some bucket.
        for (begin, end, state) in &parts {
            if within(*begin, *end, window.from, window.to) == 0 {
                continue;
            }
            let shows = |bucket: &Bucket| match state {
                Some(state) => bucket.shares().any(|(of, _)| of == *state),
                None => bucket.uncovered_ns() > 0,
            };
            let overlaps = |at: usize| {
                within(*begin, *end, coarse.border(at), coarse.border(at + 1)) > 0
            };
            prop_assert!((0..count).filter(|at| overlaps(*at)).all(|at| shows(&wide[at])));
            prop_assert!((0..count).any(overlaps));
        }
    }
}

#[test]
fn a_millisecond_of_fault_is_seen_in_a_year() {
    let year = 365 * DAY_NS;
    let at = 200 * DAY_NS + 12_345;
    let levels = Levels::new(window(0, year), 80);
    let mut buckets = Vec::new();
    let parts = [
        (0, at, Some(State::Executing)),
        (at, at + 1_000_000, Some(State::Faulted)),
        (at + 1_000_000, year, Some(State::Executing)),
    ];
    let parts = parts.map(|(begin, end, state)| (Timestamp(begin), Timestamp(end), state));
    levels.fill_with(parts, &mut buckets);
    let faulted: Vec<usize> = (0..80)
        .filter(|at| buckets[*at].worst() == Some(State::Faulted))
        .collect();
    assert_eq!(faulted, [43]);
    assert_eq!(buckets[43].dominant(), Some(State::Executing));
    let shares: Vec<_> = buckets[43].shares().collect();
    assert_eq!(shares[1], (State::Faulted, 1_000_000));
}

#[test]
fn states_have_their_own_rank_each() {
    let mut ranks: Vec<u8> = State::ALL.iter().map(|state| severity(*state)).collect();
    ranks.sort_unstable();
    ranks.dedup();
    assert_eq!(ranks.len(), State::ALL.len());
}
