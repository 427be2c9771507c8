//! Small plants without chance, held against times that were worked out by hand.

use super::*;
use crate::kernel::Distribution::Constant;
use crate::truth::{FailureTruth, MachineTruth};
use werkbuch_model::plant::{Description, diff, parse};

const SECOND_NS: u64 = 1_000_000_000;
const NEVER: FailureTruth = FailureTruth {
    up: Constant(1e9),
    repair: Constant(1.0),
    needs_crew: false,
};
const EXACT: MachineTruth = MachineTruth {
    cycle: None,
    cycle_of: Vec::new(),
    arrivals: None,
    programme: None,
    dispatch: crate::truth::Dispatch {
        first: crate::truth::First::AsTheyLie,
        blocks_before: false,
    },
    hold: None,
    setup_factor: 1.0,
    setups: Vec::new(),
    cycle_factor: 1.0,
    drift_per_hour: 0.0,
    variation: 0.0,
    failures: [NEVER; 3],
    scrap: 0.0,
    rework: 0.0,
    andon: 0.0,
};
const HEAD: &str = "[plant]\nid = \"P\"\n[[product]]\nid = \"part\"\n";

fn machine(id: &str, transfer: &str, cycle_s: u64, more: &str) -> String {
    format!(
        "[[machine]]\nid = \"{id}\"\nrole = \"node\"\ncycle_s = {cycle_s}\ntransfer = \"{transfer}\"\n{more}\n"
    )
}

fn chain(places: &[&str]) -> String {
    let flow = |pair: &[&str]| format!("[[flow]]\nfrom = \"{}\"\nto = \"{}\"\n", pair[0], pair[1]);
    places.windows(2).map(flow).collect()
}

fn ends(source: &str, sink: &str) -> String {
    format!(
        "[[boundary]]\nat = \"{source}\"\nkind = \"source\"\n[[boundary]]\nat = \"{sink}\"\nkind = \"sink\"\n"
    )
}

/// A factory of a plant file in which nothing happens by chance but what `spoil` says.
fn exact(text: &str, spoil: impl Fn(&Layout, &mut Truth)) -> Factory {
    let file = parse(text, "p").unwrap_or_else(|mistakes| panic!("{mistakes:?}"));
    let mut description = Description::default();
    for change in diff(&description, &file).unwrap() {
        description.apply(&change).unwrap();
    }
    let layout = Layout::of(&description, Timestamp(0), 0).unwrap();
    let streams = Streams::new(1, 0);
    let mut truth = Truth::of(&layout, &streams);
    for machine in &mut truth.machines {
        *machine = EXACT;
    }
    spoil(&layout, &mut truth);
    let mut factory = Factory::new(layout, truth, streams);
    // What lay in buffers at the start would be in the way of counting by hand.
    assert_eq!(factory.parts().count(), factory.in_stations());
    factory.out.clear();
    factory
}

impl Factory {
    fn in_stations(&self) -> usize {
        let parts = self.parts();
        parts
            .filter(|(_, part)| matches!(part.place, Place::Station(_)))
            .count()
    }

    /// Runs on, and says how long a machine was in which state, in seconds.
    fn spent(&mut self, until_s: u64, id: &str) -> Vec<(State, u64)> {
        while self.next_before(until_s * SECOND_NS).is_some() {}
        let at = self.layout().machine(id).unwrap();
        let times = self.tally().times_ns[at];
        let named = times.iter().zip(0_u32..).filter(|(ns, _)| **ns > 0);
        let mut named: Vec<_> = named
            .map(|(ns, code)| (State::from_code(code).unwrap(), ns / SECOND_NS))
            .collect();
        named.sort_by_key(|(_, seconds)| std::cmp::Reverse(*seconds));
        named
    }

    fn finished(&self) -> u64 {
        self.tally().products[0][1]
    }
}

/// The machine fails after so many seconds of work, and stands for so many.
fn fails(layout: &Layout, truth: &mut Truth, id: &str, up_s: f64, down_s: f64) {
    let at = layout.machine(id).unwrap();
    truth.machines[at].failures[0] = FailureTruth {
        up: Constant(up_s),
        repair: Constant(down_s),
        needs_crew: false,
    };
}

use State::{Blocked, Executing, Faulted, Held, Starved};

fn transfer_line() -> String {
    let stations = [("a", 60), ("b", 50), ("c", 40)];
    let stations = stations.map(|(id, cycle_s)| machine(id, "indexed", cycle_s, ""));
    [
        HEAD,
        &stations.concat(),
        &chain(&["a", "b", "c"]),
        &ends("a", "c"),
    ]
    .concat()
}

#[test]
fn an_indexed_line_steps_when_the_slowest_is_ready() {
    let mut line = exact(&transfer_line(), |_, _| {});
    assert_eq!(line.layout().sections.len(), 1);
    // Steps at 60, 120, 180 ... s; the one at the end is not made any more.
    assert_eq!(line.spent(600, "a"), [(Executing, 600)]);
    assert_eq!(
        line.spent(600, "b"),
        [(Executing, 450), (Blocked, 90), (Starved, 60)]
    );
    assert_eq!(
        line.spent(600, "c"),
        [(Executing, 320), (Blocked, 160), (Starved, 120)]
    );
    // At 180, 240 ... 540 s.
    assert_eq!(line.finished(), 7);
}

#[test]
fn one_that_fails_in_an_indexed_line_stops_all() {
    // b works from 60 to 110 and from 120 s on: it fails at 140, is repaired at 240 and ends at 270 s.
    let mut line = exact(&transfer_line(), |layout, truth| {
        fails(layout, truth, "b", 70.0, 100.0);
    });
    assert_eq!(
        line.spent(300, "b"),
        [
            (Executing, 130),
            (Faulted, 100),
            (Starved, 60),
            (Blocked, 10)
        ]
    );
    assert_eq!(line.spent(300, "a"), [(Executing, 210), (Blocked, 90)]);
    assert_eq!(
        line.spent(300, "c"),
        [(Starved, 120), (Blocked, 110), (Executing, 70)]
    );
    assert_eq!(line.finished(), 1);
}

/// Two stations of a belt, a place, and another belt of one station, which is in the stop group or not.
fn belts(group_of_the_last: &str) -> String {
    let group = "stop_groups = [\"g\"]";
    [
        HEAD,
        "[[stop_group]]\nid = \"g\"\nkind = \"plc\"\n",
        &machine("m1", "moving", 60, group),
        &machine("m2", "moving", 50, group),
        "[[buffer]]\nid = \"gap\"\ncapacity = 1\n",
        &machine("m3", "moving", 60, group_of_the_last),
        &chain(&["m1", "m2", "gap", "m3"]),
        &ends("m1", "m3"),
    ]
    .concat()
}

/// Of the belts with one part in the gap at the start: when it has gone through the last station the
/// rest is as if there had been none.
fn stopped_belts(group_of_the_last: &str) -> Factory {
    let text = belts(group_of_the_last).replace("capacity = 1", "capacity = 1\ntransit_ms = 0");
    exact(&text, |layout, truth| {
        fails(layout, truth, "m2", 70.0, 100.0);
        for zone in &mut truth.zones {
            zone.up = Constant(1e9);
        }
    })
}

#[test]
fn a_belt_brings_parts_on_with_its_pace_and_stops_with_its_group() {
    let mut belts = stopped_belts("stop_groups = [\"g\"]");
    let sections = belts.layout().sections.clone();
    assert_eq!(sections.len(), 2);
    assert_eq!(sections[0].pace_ns, 60 * SECOND_NS, "the slower one's");
    // m2 has a part from 60 s on and works with the pace. It fails at 130 s and everything stands
    // until 230 s: 50 s of the pitch are left, so the belts make their step at 280 s.
    assert_eq!(belts.spent(299, "m1"), [(Executing, 199), (Held, 100)]);
    assert_eq!(
        belts.spent(299, "m2"),
        [(Executing, 139), (Faulted, 100), (Starved, 60)]
    );
    // The part that lay in the gap is done at 60 s; the next one comes at 120 s.
    assert_eq!(
        belts.spent(299, "m3"),
        [(Executing, 139), (Held, 100), (Starved, 60)]
    );
    assert_eq!(belts.finished(), 2);
}

#[test]
fn a_belt_outside_the_group_goes_on() {
    let mut belts = stopped_belts("");
    // At 120 s the next part comes and is done at 180 s, the one after that comes at 280 s.
    assert_eq!(belts.spent(299, "m3"), [(Starved, 160), (Executing, 139)]);
    assert_eq!(belts.spent(299, "m1"), [(Executing, 199), (Held, 100)]);
}

#[test]
fn who_is_not_ready_in_time_holds_up_the_belt() {
    let mut belts = exact(&belts(""), |layout, truth| {
        truth.machines[layout.machine("m2").unwrap()].cycle_factor = 1.5;
        truth.zones[0].up = Constant(1e9);
    });
    // Steps at 60 s, and then every 75 s instead of every 60 s.
    assert_eq!(belts.spent(360, "m1"), [(Executing, 300), (Blocked, 60)]);
    assert_eq!(belts.spent(360, "m2"), [(Executing, 300), (Starved, 60)]);
}

#[test]
fn a_tunnel_takes_a_part_each_pitch_and_stands_when_its_end_is_full() {
    let text = |last_s: u64| {
        [
            HEAD,
            &machine("s", "asynchronous", 10, ""),
            &machine("oven", "moving", 200, "slots = 4"),
            &machine("k", "asynchronous", last_s, ""),
            &chain(&["s", "oven", "k"]),
            &ends("s", "k"),
        ]
        .concat()
    };
    // In at 10 s, then with each step: 60, 110 ...; out at 210, 260 ... s, and 10 s later done.
    let mut line = exact(&text(10), |_, _| {});
    assert_eq!(line.spent(600, "oven"), [(Executing, 590), (Starved, 10)]);
    assert_eq!(line.finished(), 8);
    // Each part keeps the last one for 80 s, so from 210 s on the tunnel steps every 80 s.
    let mut line = exact(&text(80), |_, _| {});
    assert_eq!(
        line.spent(610, "oven"),
        [(Executing, 450), (Blocked, 150), (Starved, 10)]
    );
    assert_eq!(line.finished(), 4, "at 290, 370, 450 and 530 s");
}

#[test]
fn what_is_spoilt_is_found_where_there_is_an_exit_and_fetched_from_there() {
    let text = [
        HEAD,
        &machine("a", "asynchronous", 600, ""),
        &machine("check", "asynchronous", 60, ""),
        "[[buffer]]\nid = \"bin\"\ncapacity = 10\n[[buffer]]\nid = \"good\"\ncapacity = 10\n",
        &chain(&["a", "check", "good"]),
        "[[flow]]\nfrom = \"check\"\nto = \"bin\"\nkind = \"scrap\"\n",
        &ends("a", "good"),
        "[[boundary]]\nat = \"bin\"\nkind = \"sink\"\n",
    ]
    .concat();
    let mut line = exact(&text, |layout, truth| {
        truth.machines[layout.machine("a").unwrap()].scrap = 1.0;
    });
    let mut seen = Vec::new();
    while let Some(Happening { at_ns, fact }) = line.next_before(2_000 * SECOND_NS) {
        let what = match fact {
            Fact::Ended {
                station, verdict, ..
            } => format!("{verdict:?} at {station}"),
            Fact::Entered { about, .. } if matches!(about.place, Place::Buffer(_)) => {
                format!("in {:?}", about.place)
            }
            Fact::TakenOut { buffer, .. } => format!("out of {buffer}"),
            Fact::Gone { how, .. } => format!("{how:?}"),
            _ => continue,
        };
        seen.push((at_ns / SECOND_NS, what));
    }
    let bin = line.layout().buffers.iter().position(|one| one.id == "bin");
    let bin = bin.unwrap();
    let row = |at_s: u64, what: &str| (at_s, what.to_owned());
    assert_eq!(
        seen,
        [
            row(600, "Good at 0"),
            row(660, "Scrap at 1"),
            row(660, &format!("in Buffer({bin})")),
            row(1_200, "Good at 0"),
            row(1_260, "Scrap at 1"),
            row(1_260, &format!("in Buffer({bin})")),
            row(1_800, "Good at 0"),
            // Fetched 20 minutes after the first came, and with it what has come since.
            row(1_860, &format!("out of {bin}")),
            row(1_860, "Scrapped"),
            row(1_860, &format!("out of {bin}")),
            row(1_860, "Scrapped"),
            row(1_860, "Scrap at 1"),
            row(1_860, &format!("in Buffer({bin})")),
        ]
    );
    assert_eq!(line.tally().parts, [[3, 0, 0], [0, 0, 3]]);
}
