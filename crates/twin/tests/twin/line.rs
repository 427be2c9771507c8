//! The flow of parts: small lines in tables, and a line of which reports are lost.

use crate::writer::{Name, Said, Writer};
use proptest::prelude::*;
use std::collections::BTreeMap;
use werkbuch_model::event::*;
use werkbuch_model::id::*;
use werkbuch_model::plant::{Description, diff, parse};
use werkbuch_model::time::Timestamp;
use werkbuch_twin::line::{Method, Moves, Stocks, WaitCauses, WipKind, WipRow, wip};

const SECOND: i64 = 1_000_000_000;
const GATEWAY: Name = ("gateway-1", 1);

/// A line of machines `m1`, `m2` ... and buffers `b1`, `b2` ... of three places, as its flows name
/// them: `m1>b1 b1>m2`.
pub(crate) struct Line {
    pub(crate) writer: Writer,
    sequence: u64,
}

impl Line {
    fn new(flows: &str) -> Self {
        Self::with(flows, "", "")
    }

    /// With more about the plant itself, and more objects.
    pub(crate) fn with(flows: &str, plant: &str, more: &str) -> Self {
        let mut text = format!("[plant]\nid = \"PLT-07\"\n{plant}{more}");
        text += "[[unit]]\nid = \"line\"\nlevel = \"production-line\"\n";
        let flows: Vec<(&str, &str)> = flows
            .split_whitespace()
            .filter_map(|flow| flow.split_once('>'))
            .collect();
        let mut names: Vec<&str> = flows.iter().flat_map(|(from, to)| [*from, *to]).collect();
        names.sort_unstable();
        names.dedup();
        for name in names {
            let number = &name[1..];
            text += &match name.starts_with('m') {
                true => format!("[[machine]]\nid = \"{name}\"\nnumber = {number}\nin = \"line\"\n"),
                false => format!("[[buffer]]\nid = \"{name}\"\ncapacity = 3\nin = \"line\"\n"),
            };
        }
        for (from, to) in flows {
            text += &format!("[[flow]]\nfrom = \"{from}\"\nto = \"{to}\"\n");
        }
        let file = parse(&text, "plant.toml").unwrap();
        let mut writer = Writer::default();
        writer.own(Body::DescriptionChanged(DescriptionChanged {
            revision: 1,
            part: 1,
            commit: true,
            changes: diff(&Description::default(), &file).unwrap(),
            ..DescriptionChanged::default()
        }));
        Self {
            writer,
            sequence: 0,
        }
    }

    pub(crate) fn say(&mut self, machine: u32, at_s: i64, body: Body<'static>) {
        self.sequence += 1;
        self.writer.report(Said {
            machine,
            source: GATEWAY,
            sequence: self.sequence,
            at: at_s * SECOND,
            authority: 0,
            body,
        });
    }

    pub(crate) fn state(&mut self, machine: u32, at_s: i64, to: State) {
        let body = Body::StateChanged(StateChanged {
            to,
            vocabulary: Vocabulary::Canonical,
            ..StateChanged::default()
        });
        self.say(machine, at_s, body);
    }

    fn level(&mut self, buffer: &'static str, at_s: i64, level: u64) {
        let body = Body::BufferLevelChanged(BufferLevelChanged {
            buffer: buffer.into(),
            level: Some(level),
            ..BufferLevelChanged::default()
        });
        self.say(0, at_s, body);
    }

    pub(crate) fn enter(&mut self, part: &str, location: &str, at_s: i64) {
        let body = Body::PartEntered(PartEntered {
            part: part.to_owned().into(),
            location: location.to_owned().into(),
            variant: "red".into(),
            ..PartEntered::default()
        });
        self.say(0, at_s, body);
    }

    pub(crate) fn leave(&mut self, part: &str, location: &str, at_s: i64) {
        let body = Body::PartLeft(PartLeft {
            part: part.to_owned().into(),
            location: location.to_owned().into(),
            ..PartLeft::default()
        });
        self.say(0, at_s, body);
    }

    fn good(&mut self, machine: u32, at_s: i64, value: u64) {
        self.say(machine, at_s, good(value, 0));
    }

    fn counted(&mut self, location: &'static str, at_s: i64, parts: u64) {
        let body = Body::InventoryCounted(InventoryCounted {
            location: location.into(),
            part_number: "body".into(),
            quantity: parts as f64,
            ..InventoryCounted::default()
        });
        self.say(0, at_s, body);
    }

    /// Each machine that waits: `m2 STARVED Inferred: why`.
    fn causes(&self) -> Vec<String> {
        let twin = self.writer.twin(None);
        let causes = WaitCauses::of(&twin);
        let line = |(number, cause): (MachineNumber, &werkbuch_twin::line::WaitCause)| {
            format!(
                "m{number} {} {:?}: {}",
                cause.state, cause.provenance, cause.because
            )
        };
        causes.all().map(line).collect()
    }

    fn wip(&self) -> BTreeMap<(WipKind, String), WipRow> {
        let twin = self.writer.twin(None);
        let stocks = Stocks::of_twin(&twin);
        let mut moves = Moves::new(&twin);
        self.writer
            .events
            .iter()
            .for_each(|event| moves.take(event));
        let rows = wip(&twin, &stocks, &moves, Timestamp(10_000 * SECOND));
        rows.into_iter()
            .map(|row| ((row.kind, row.location.clone()), row))
            .collect()
    }

    fn buffer(&self, name: &str) -> WipRow {
        self.wip()[&(WipKind::Buffer, name.to_owned())].clone()
    }
}

fn good(value: u64, reset_epoch: u32) -> Body<'static> {
    Body::PartProduced(PartProduced {
        counter: "good".into(),
        meaning: PartMeaning::Good,
        value: Some(value),
        reset_epoch,
        ..PartProduced::default()
    })
}

/// `m1 IDLE 10` and `b1 3`, one after the other, into a line.
fn line(flows: &str, facts: &[(&'static str, &str)]) -> Line {
    let mut line = Line::new(flows);
    for (at, (name, fact)) in facts.iter().enumerate() {
        let at = (at as i64 + 1) * 10;
        match name.strip_prefix('m') {
            Some(number) => {
                let state = State::from_name(fact).unwrap();
                line.state(number.parse().unwrap(), at, state);
            }
            None => line.level(name, at, fact.parse().unwrap()),
        }
    }
    line
}

#[test]
fn the_cause_of_a_wait_is_reported_or_inferred_with_its_reason() {
    let serial = "m1>b1 b1>m2";
    for (flows, facts, expected) in [
        (
            serial,
            vec![("m1", "FAULTED"), ("b1", "0"), ("m2", "WAITING")],
            vec![
                "m2 STARVED Inferred: buffer b1 is empty and m1 has been faulted since \
                 1970-01-01T00:00:10Z",
            ],
        ),
        (
            serial,
            vec![("m1", "IDLE"), ("b1", "3"), ("m2", "HELD")],
            vec![
                "m1 BLOCKED Inferred: buffer b1 is full, 3 of 3 and m2 has been held since \
                 1970-01-01T00:00:30Z",
            ],
        ),
        // What the machine says goes before everything.
        (
            serial,
            vec![("b1", "3"), ("m2", "STARVED"), ("m1", "BLOCKED")],
            vec![
                "m1 BLOCKED Reported: the machine says so",
                "m2 STARVED Reported: the machine says so",
            ],
        ),
        (
            serial,
            vec![("m2", "IDLE")],
            vec!["m2 WAITING Unknown: nobody says how full b1 is"],
        ),
        (
            serial,
            vec![("b1", "2"), ("m2", "WAITING")],
            vec!["m2 WAITING Unknown: the description has no flow from it"],
        ),
        (
            serial,
            vec![("b1", "0"), ("m2", "EXECUTING"), ("m1", "STOPPED")],
            vec![],
        ),
        // A merge is starved when every way in is closed.
        (
            "m1>m3 m2>m3",
            vec![("m1", "FAULTED"), ("m2", "STOPPED"), ("m3", "IDLE")],
            vec![
                "m3 STARVED Inferred: m1 has been faulted since 1970-01-01T00:00:10Z; m2 has been \
                 stopped since 1970-01-01T00:00:20Z",
            ],
        ),
        (
            "m1>m3 m2>m3",
            vec![("m1", "FAULTED"), ("m2", "BLOCKED"), ("m3", "IDLE")],
            vec![
                "m2 BLOCKED Reported: the machine says so",
                "m3 WAITING Unknown: the description has no flow from it",
            ],
        ),
        // A split is blocked when every way out is.
        (
            "m1>b1 m1>b2",
            vec![("b1", "3"), ("b2", "2"), ("m1", "WAITING")],
            vec!["m1 WAITING Unknown: the description has no flow to it"],
        ),
        (
            "m1>b1 m1>b2",
            vec![("b1", "3"), ("b2", "3"), ("m1", "WAITING")],
            vec!["m1 BLOCKED Inferred: buffer b1 is full, 3 of 3; buffer b2 is full, 3 of 3"],
        ),
        // What is inferred of one tells of the next.
        (
            "m1>m2 m2>m3",
            vec![("m1", "MAINTENANCE"), ("m2", "IDLE"), ("m3", "WAITING")],
            vec![
                "m2 STARVED Inferred: m1 has been under maintenance since 1970-01-01T00:00:10Z",
                "m3 STARVED Inferred: m2 is starved itself",
            ],
        ),
        (
            "m1>m2 m2>m3",
            vec![("m3", "SETUP"), ("m2", "IDLE"), ("m1", "WAITING")],
            vec![
                "m1 BLOCKED Inferred: m2 is blocked itself",
                "m2 BLOCKED Inferred: m3 has been in set-up since 1970-01-01T00:00:10Z",
            ],
        ),
        // In a circle nothing follows from nothing.
        (
            "m1>m2 m2>m1",
            vec![("m1", "IDLE"), ("m2", "IDLE")],
            vec![
                "m1 WAITING Unknown: what m2 waits for is not known",
                "m2 WAITING Unknown: what m1 waits for is not known",
            ],
        ),
    ] {
        assert_eq!(line(flows, &facts).causes(), expected, "{facts:?}");
    }
}

#[test]
fn off_shift_nobody_waits_for_parts() {
    // 1970-01-01 was a Thursday; the records of these tests are of its first second.
    for (shift, expected) in [
        (
            "00:00\"\nto = \"06:00",
            "m2 STARVED Inferred: buffer b1 is empty",
        ),
        (
            "06:00\"\nto = \"14:00",
            "m2 WAITING Unknown: it is not planned to work: no shift",
        ),
    ] {
        let calendar = format!(
            "[[calendar]]\nid = \"week\"\n[[calendar.shifts]]\nname = \"early\"\n\
             days = [\"thu\"]\nfrom = \"{shift}\"\n"
        );
        let mut line = Line::with(
            "m1>b1 b1>m2",
            "calendar = \"week\"\nday_start = \"00:00\"\n",
            &calendar,
        );
        line.level("b1", 10, 0);
        line.state(2, 20, State::Idle);
        assert_eq!(line.causes(), [expected]);
    }
}

#[test]
fn the_part_in_a_machine_tells_starved_from_blocked() {
    let facts = [("m1", "EXECUTING"), ("m3", "EXECUTING"), ("m2", "IDLE")];
    let mut line = line("m1>m2 m2>m3", &facts);
    assert!(line.causes()[0].starts_with("m2 WAITING Unknown: neither can parts come"));
    line.enter("p1", "m2", 40);
    assert_eq!(
        line.causes(),
        ["m2 BLOCKED Inferred: m3 still works on a part"]
    );
    line.leave("p1", "m2", 50);
    assert_eq!(
        line.causes(),
        ["m2 STARVED Inferred: m1 still works on the next part"]
    );
}

#[test]
fn parts_that_are_tracked_are_where_they_entered_last() {
    let mut line = Line::new("m1>b1 b1>m2");
    for (part, at) in [("p1", 10), ("p2", 20), ("p3", 30)] {
        line.enter(part, "b1", at);
    }
    line.leave("p1", "b1", 40);
    line.enter("p1", "m2", 41);
    let row = line.buffer("b1");
    assert_eq!(
        (row.parts, row.method, row.oldest_since, row.capacity),
        (
            Some(2),
            Method::Tracked,
            Some(Timestamp(20 * SECOND)),
            Some(3)
        )
    );
    line.say(
        0,
        50,
        Body::PartDispositioned(PartDispositioned {
            part: "p2".into(),
            disposition: Disposition::Scrap,
            ..PartDispositioned::default()
        }),
    );
    assert_eq!(line.buffer("b1").parts, Some(1));
    let wip = line.wip();
    assert_eq!(wip[&(WipKind::Machine, "m2".to_owned())].parts, Some(1));
    let red = &wip[&(WipKind::Variant, "red".to_owned())];
    assert_eq!((red.parts, red.method), (Some(2), Method::Tracked));
    line.leave("p3", "b1", 60);
    let empty = line.buffer("b1");
    assert_eq!(
        (empty.parts, empty.method),
        (Some(0), Method::Tracked),
        "it is known to be empty"
    );
}

#[test]
fn parts_that_are_joined_are_one_part_from_then_on() {
    let mut line = Line::new("m1>b1 b1>m2");
    for part in ["a", "b"] {
        line.enter(part, "m1", 10);
    }
    line.say(
        1,
        20,
        Body::PartsJoined(PartsJoined {
            part: "c".into(),
            parts: vec!["a".into(), "b".into()],
            ..PartsJoined::default()
        }),
    );
    assert_eq!(
        line.wip()[&(WipKind::Machine, "m1".to_owned())].parts,
        Some(1)
    );
}

#[test]
fn buffers_are_estimated_from_the_last_count_and_what_counters_say_since() {
    let mut line = Line::new("m1>b1 b1>m2");
    let nothing = line.buffer("b1");
    assert_eq!(
        (nothing.parts, nothing.lower, nothing.upper, nothing.method),
        (None, 0, Some(3), Method::Unknown)
    );
    line.good(1, 5, 100);
    line.good(2, 5, 50);
    line.counted("b1", 10, 1);
    let at_rest = line.buffer("b1");
    assert_eq!(
        (at_rest.parts, at_rest.since),
        (Some(1), Some(Timestamp(10 * SECOND)))
    );
    for (machine, at, value) in [(1, 20, 101), (1, 30, 102), (2, 35, 51)] {
        line.good(machine, at, value);
    }
    let row = line.buffer("b1");
    // A machine may hold one part that it had not counted, or hold one more than then.
    assert_eq!(
        (row.parts, row.lower, row.upper, row.method),
        (Some(2), 1, Some(3), Method::Estimated)
    );
    assert_eq!(
        row.because,
        "1 counted at 1970-01-01T00:00:10Z, 2 came and 1 left since"
    );
    line.level("b1", 40, 1);
    let reported = line.buffer("b1");
    assert_eq!(
        (reported.parts, reported.method, reported.drift),
        (Some(1), Method::Reported, Some(1)),
        "the counters say one part more"
    );
}

/// From 1 counted, what m1 counts on from 7 is added; what nobody told of is bounded by the place.
#[test]
fn a_count_that_jumps_bounds_nothing_above() {
    let cases = [
        // Value and reset epoch; then the estimate and what bounds it.
        (&[(8, 0)][..], 2, 2),
        (&[(1, 1)][..], 2, 2),
        (&[(1, 2)][..], 2, 3),
        (&[(6, 0)][..], 1, 3),
        (&[(1, 1), (8, 0)][..], 2, 3),
        (&[(u64::MAX, 0), (0, 1), (u64::MAX, 1)][..], 3, 3),
    ];
    for (counts, parts, upper) in cases {
        let mut line = Line::new("m1>b1 b1>m2");
        line.good(1, 5, 7);
        line.good(2, 5, 50);
        line.counted("b1", 10, 1);
        for (at, (value, epoch)) in (20..).zip(counts) {
            line.say(1, at, good(*value, *epoch));
        }
        let row = line.buffer("b1");
        let found = (row.parts, row.upper);
        assert_eq!(found, (Some(parts), Some(upper)), "{counts:?}: {row:?}");
        assert!(row.lower <= parts, "{counts:?}: {row:?}");
    }
}

#[test]
fn a_unit_is_the_sum_of_its_places() {
    let mut line = line(
        "m1>b1 b1>m2",
        &[("m1", "EXECUTING"), ("m2", "STARVED"), ("b1", "2")],
    );
    let unit = |line: &Line| line.wip()[&(WipKind::Unit, "line".to_owned())].clone();
    let row = unit(&line);
    assert_eq!((row.parts, row.lower, row.upper), (Some(3), 3, Some(3)));
    assert_eq!((row.method, row.capacity), (Method::Estimated, Some(5)));
    line.state(2, 100, State::Held);
    let row = unit(&line);
    assert_eq!((row.parts, row.lower, row.upper), (None, 3, Some(4)));
    assert_eq!(row.method, Method::Unknown);
}

#[test]
fn a_unit_is_estimated_from_its_own_count() {
    let mut line = Line::new("m1>b1 b1>m2 m2>b2 b2>m3");
    for machine in [1, 2, 3] {
        line.good(machine, 5, 10);
    }
    line.counted("line", 10, 4);
    line.good(1, 20, 13);
    line.good(3, 30, 11);
    let row = line.wip()[&(WipKind::Unit, "line".to_owned())].clone();
    // Three came through the first machine at least, one left by the last.
    assert_eq!((row.parts, row.method), (Some(6), Method::Estimated));
    assert!(
        row.lower <= 6 && row.upper.is_some_and(|upper| upper >= 6),
        "{row:?}"
    );
}

/// What is counted of one part number at noon cannot be told from what came of it in the morning.
#[test]
fn part_numbers_that_are_counted_at_different_times_widen_the_bounds() {
    let mut line = Line::with("m1>b1 b1>m2", "", "");
    line.good(1, 5, 0);
    line.good(2, 5, 0);
    let count = |line: &mut Line, part: &'static str, at: i64, parts: u32| {
        let body = Body::InventoryCounted(InventoryCounted {
            location: "b1".into(),
            part_number: part.into(),
            quantity: f64::from(parts),
            ..InventoryCounted::default()
        });
        line.say(0, at, body);
    };
    count(&mut line, "left", 10, 0);
    line.good(1, 20, 2);
    count(&mut line, "right", 30, 2);
    let row = line.buffer("b1");
    assert_eq!(row.parts, Some(2), "{row:?}");
    assert!(row.lower <= 2, "{row:?}");
    assert_eq!(row.upper, Some(3), "the place takes three: {row:?}");
    line.good(2, 40, 1);
    let row = line.buffer("b1");
    assert_eq!(row.parts, Some(1), "{row:?}");
    assert!(row.lower <= 1, "{row:?}");
}

/// What a count point has counted may still lie in the line: only its border tells how many do.
#[test]
fn a_count_point_within_a_line_says_nothing_of_what_left_it() {
    let point = "[[count_point]]\nunit = \"line\"\nat = \"m2\"\nmeaning = \"good\"\n";
    let rows = ["", point].map(|point| {
        let mut line = Line::with("m1>b1 b1>m2 m2>b2 b2>m3", "", point);
        for machine in [1, 2, 3] {
            line.good(machine, 5, 10);
        }
        line.counted("line", 10, 4);
        line.good(2, 20, 14);
        line.good(3, 30, 11);
        line.wip()[&(WipKind::Unit, "line".to_owned())].clone()
    });
    assert_eq!(rows[0].parts, Some(3));
    assert_eq!(rows[0], rows[1]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 80, ..ProptestConfig::default() })]
    #[test]
    fn tracked_parts_are_those_that_entered_and_did_not_leave(
        steps in prop::collection::vec((0..5_u32, 0..3_usize, any::<bool>()), 0..40),
    ) {
        let mut line = Line::new("m1>b1 b1>m2");
        let places = ["m1", "b1", "m2"];
        let mut model: BTreeMap<u32, usize> = BTreeMap::new();
        for (at, (part, place, enters)) in steps.iter().enumerate() {
            let (name, at) = (format!("p{part}"), at as i64 + 1);
            if *enters {
                line.enter(&name, places[*place], at);
                model.insert(*part, *place);
            } else if let Some(place) = model.remove(part) {
                line.leave(&name, places[place], at);
            }
        }
        let wip = line.wip();
        for (index, place) in places.iter().enumerate() {
            let kind = if *place == "b1" { WipKind::Buffer } else { WipKind::Machine };
            let row = &wip[&(kind, (*place).to_owned())];
            let expected = model.values().filter(|at| **at == index).count() as u64;
            let seen = row.method == Method::Tracked;
            prop_assert_eq!(if seen { row.parts } else { Some(0) }, Some(expected), "{}", place);
        }
    }

    /// One source reports a line of two machines with a buffer; some of its reports never come.
    #[test]
    fn bounds_hold_the_truth_whatever_reports_are_lost(
        steps in prop::collection::vec((0..3_u8, prop::bool::weighted(0.25), prop::bool::weighted(0.08)), 1..60),
        count_at in 0..60_usize,
    ) {
        let mut line = Line::new("m1>b1 b1>m2");
        let (mut lying, mut held) = (0_u64, 0_u64);
        let mut counters = [(7_u64, 0_u32), (3, 0)];
        let mut lost = None;
        for (machine, (value, _)) in (1..).zip(counters) {
            line.good(machine, 1, value);
        }
        for (at, (step, drop, reset)) in steps.iter().enumerate() {
            let time = at as i64 * 10 + 10;
            if at == count_at.min(steps.len() - 1) {
                let sequence = std::mem::take(&mut line.sequence);
                line.writer.report(Said {
                    machine: 0,
                    source: ("office", 1),
                    sequence: 1,
                    at: (time - 5) * SECOND,
                    authority: 0,
                    body: Body::InventoryCounted(InventoryCounted {
                        location: "b1".into(),
                        part_number: "body".into(),
                        quantity: lying as f64,
                        ..InventoryCounted::default()
                    }),
                });
                line.sequence = sequence;
            }
            let counts = match step {
                0 if lying < 3 => { lying += 1; Some(1) }
                1 if lying > 0 && held == 0 => { lying -= 1; held = 1; None }
                2 if held == 1 => { held = 0; Some(2) }
                _ => None,
            };
            let Some(machine) = counts else { continue };
            let counter = &mut counters[machine as usize - 1];
            *counter = if *reset { (1, counter.1 + 1) } else { (counter.0 + 1, counter.1) };
            if *drop {
                line.sequence += 1;
                lost.get_or_insert(line.sequence);
                continue;
            }
            if let Some(first) = lost.take() {
                gap(&mut line, first);
            }
            line.say(machine, time, good(counter.0, counter.1));
        }
        if let Some(first) = lost.take() {
            gap(&mut line, first);
        }
        line.state(1, 9_000, State::Idle);
        let row = line.buffer("b1");
        prop_assert!(row.lower <= lying, "{} is no fewer than {}", lying, row.lower);
        prop_assert!(row.upper.is_none_or(|upper| upper >= lying), "{} is no more than {:?}", lying, row.upper);
    }
}

/// The writer sees that numbers are missing, up to the last one that was used.
fn gap(line: &mut Line, first: u64) {
    let last = line.sequence;
    let source = line.writer.open(GATEWAY);
    line.writer.own(Body::GapDetected(GapDetected {
        cause: GapCause::Sequence,
        source,
        first,
        last,
        lost: Some(last - first + 1),
        ..GapDetected::default()
    }));
}
