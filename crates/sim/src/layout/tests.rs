//! What cannot be simulated is refused with its name, and calendars turn when they should.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use werkbuch_model::plant::{Description, diff, parse};
use werkbuch_model::time::Timestamp;

const LINE: &str = r#"
[plant]
id = "P"
time_zone = "Europe/Berlin"
calendar = "week"
[[product]]
id = "part"
[[machine]]
id = "m1"
cycle_ms = 60000
[[machine]]
id = "m2"
cycle_ms = 50000
[[machine]]
id = "r1"
role = "resource"
node = "m2"
[[buffer]]
id = "b"
capacity = 3
[[flow]]
from = "m1"
to = "b"
[[flow]]
from = "b"
to = "m2"
[[boundary]]
at = "m1"
kind = "source"
products = ["part"]
[[boundary]]
at = "m2"
kind = "sink"
[[calendar]]
id = "week"
shifts = [
  { name = "early", days = ["mon", "tue"], from = "06:00", to = "14:00", team = "A" },
  { name = "night", days = ["mon"], from = "22:00", to = "06:00", team = "C" },
]
breaks = [{ shift = "early", at = "09:00", minutes = 15, machines = "m1" }]
"#;

/// Monday 2025-01-13, 05:00 in Berlin.
const START: Timestamp = Timestamp(1_736_740_800_000_000_000);

fn layout(text: &str) -> Result<Layout, LayoutError> {
    let file = parse(text, "p").unwrap_or_else(|mistakes| panic!("{mistakes:?}"));
    let mut description = Description::default();
    for change in diff(&description, &file).unwrap() {
        description.apply(&change).unwrap();
    }
    Layout::of(&description, START, 3_600)
}

#[test]
fn a_line_becomes_stations_and_buffers() {
    let layout = layout(LINE).unwrap();
    assert_eq!(
        (
            layout.machines.len(),
            layout.stations.len(),
            layout.buffers.len()
        ),
        (3, 2, 1)
    );
    let resource = layout.machine("r1").unwrap();
    assert_eq!(layout.stations[1].resources, [resource]);
    assert_eq!(layout.machines[resource].station, Some(1));
    assert!(layout.stations[0].source.is_some() && layout.stations[1].is_sink);
    assert_eq!(layout.stations[1].cycle_ns, 50_000_000_000);
}

#[test]
fn shifts_and_breaks_turn_by_the_plants_clocks() {
    let layout = layout(LINE).unwrap();
    let turns = |station: usize| {
        let hours = &layout.hours[layout.stations[station].hours.unwrap()];
        let hour = 3_600_000_000_000_u64;
        hours
            .toggles
            .iter()
            .take(7)
            .map(|one| (one.at_ns as f64 / hour as f64, one.turn, one.shift.clone()))
            .collect::<Vec<_>>()
    };
    let row = |hour: f64, turn: Turn, shift: &str| (hour, turn, shift.to_owned());
    assert_eq!(
        turns(0),
        [
            row(0.0, Turn::Closed, ""),
            row(1.0, Turn::Open, "early"),
            row(4.0, Turn::Break, "early"),
            row(4.25, Turn::Open, "early"),
            row(9.0, Turn::Closed, "early"),
            row(17.0, Turn::Open, "night"),
            row(25.0, Turn::Open, "early"),
        ]
    );
    assert_eq!(
        turns(1)[2],
        row(9.0, Turn::Closed, "early"),
        "the break is the first machine's alone"
    );
}

#[test]
fn what_cannot_run_is_refused_by_name() {
    let without = |part: &str| {
        assert!(LINE.contains(part), "{part}");
        layout(&LINE.replace(part, "")).unwrap_err()
    };
    let source = "[[boundary]]\nat = \"m1\"\nkind = \"source\"\nproducts = [\"part\"]\n";
    assert_eq!(without(source), LayoutError::NoSource);
    let sink = "[[boundary]]\nat = \"m2\"\nkind = \"sink\"\n";
    assert_eq!(without(sink), LayoutError::DeadEnd("m2".to_owned()));
}

#[test]
fn stations_that_hand_over_directly_and_move_alike_are_one_section() {
    let machine = |(id, transfer): (&str, &str)| {
        format!("[[machine]]\nid = \"{id}\"\ncycle_ms = 60000\ntransfer = \"{transfer}\"\n")
    };
    let machines = [
        ("a", "indexed"),
        ("b", "indexed"),
        ("c", "moving"),
        ("d", "moving"),
        ("e", "moving"),
        ("f", "moving"),
        ("g", "asynchronous"),
    ];
    // After d the line forks, so each branch is a belt of its own.
    let flows = [
        ("a", "b"),
        ("b", "c"),
        ("c", "d"),
        ("d", "e"),
        ("d", "f"),
        ("e", "g"),
        ("f", "g"),
    ];
    let flow = |(from, to)| format!("[[flow]]\nfrom = \"{from}\"\nto = \"{to}\"\n");
    let text = format!(
        "[plant]\nid = \"P\"\n[[product]]\nid = \"part\"\n{}{}[[boundary]]\nat = \"a\"\nkind = \"source\"\n[[boundary]]\nat = \"g\"\nkind = \"sink\"\n",
        machines.map(machine).concat(),
        flows.map(flow).concat(),
    );
    let layout = layout(&text).unwrap();
    let sections: Vec<_> = layout
        .sections
        .iter()
        .map(|one| {
            (
                one.transfer,
                one.stations.clone(),
                one.pace_ns / 1_000_000_000,
            )
        })
        .collect();
    assert_eq!(
        sections,
        [
            (Transfer::Indexed, vec![0, 1], 0),
            (Transfer::Moving, vec![2, 3], 60),
            (Transfer::Moving, vec![4], 60),
            (Transfer::Moving, vec![5], 60),
        ]
    );
    assert_eq!(layout.stations[2].stops_with, [3]);
    assert_eq!(layout.stations[6].section, None);
}

#[test]
fn classes_of_names() {
    for (class, name, fits) in [
        ("press-*", "press-1", true),
        ("press-*", "xpress-1", false),
        ("*", "anything", true),
        ("m1", "m1", true),
        ("m1", "m11", false),
        ("a*c", "abc", true),
        ("a*c", "ac", true),
        ("a*c", "acb", false),
        ("*-r*", "geo-r1", true),
    ] {
        assert_eq!(is_of_class(class, name), fits, "{class} {name}");
    }
}

#[test]
fn all_loops_that_begin_at_a_station_take_their_shares() {
    let loops = "[[flow]]\nfrom = \"m2\"\nto = \"b\"\nkind = \"rework\"\n\
                 [[rework]]\nid = \"a\"\nfrom = \"m2\"\nback_to = \"b\"\nlimit = 2\nshare = 0.13\n\
                 [[rework]]\nid = \"c\"\nfrom = \"m2\"\nback_to = \"b\"\nlimit = 1\nshare = 0.04\n";
    let layout = layout(&format!("{LINE}{loops}")).unwrap();
    let station = &layout.stations[1];
    assert_eq!(station.rework_limit, 2);
    assert!((station.rework_share - 0.17).abs() < 1e-12);
    assert_eq!(layout.stations[0].rework_share, 0.0);
}
