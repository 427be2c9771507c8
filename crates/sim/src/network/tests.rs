//! Networks held against times that were worked out by hand, closed forms and themselves.

use super::*;
use crate::kernel::Distribution::{self, Constant, Exponential};
use proptest::prelude::*;

const SECOND_NS: u64 = 1_000_000_000;

fn line(work: &[Distribution], rooms: &[u32], failures: &[Vec<Failure>]) -> Network {
    let stations = work.iter().enumerate().map(|(at, work)| Station {
        failures: failures.get(at).cloned().unwrap_or_default(),
        ..Station::new(work.clone())
    });
    Network::line(stations.collect(), rooms)
}

fn run(network: Network, seed: u64, seconds: u64) -> Run {
    let streams = Streams::new(seed, 0);
    let mut run = Run::new(&Arc::new(network), &streams, &Start::default()).unwrap();
    run.run_until(seconds * SECOND_NS);
    run
}

/// The seconds of a server in each phase.
fn seconds(counts: &Counts, server: usize) -> Vec<u64> {
    counts.servers[server]
        .iter()
        .map(|ns| ns / SECOND_NS)
        .collect()
}

#[test]
fn a_line_with_room_for_one_moves_as_by_hand() {
    // The recursion of a flow shop: the second station is the slowest, the first is blocked by it.
    let counts = run(
        line(&[Constant(2.0), Constant(5.0), Constant(3.0)], &[1, 0], &[]),
        1,
        100,
    )
    .counts();
    // Parts leave at 10, 15, 20 and so on; the one at 100 does not any more.
    assert_eq!(counts.exits[0].parts, 18);
    // It begins at 0, 2 and 4 and is done at 6; then there is room at 7, 12, 17 and so on.
    assert_eq!(seconds(&counts, 0), [44, 0, 56, 0, 0, 0]);
    assert_eq!(seconds(&counts, 1), [98, 2, 0, 0, 0, 0]);
    assert_eq!(seconds(&counts, 2), [57, 43, 0, 0, 0, 0]);
}

#[test]
fn without_room_between_a_part_goes_from_hand_to_hand() {
    let counts = run(line(&[Constant(2.0), Constant(3.0)], &[0], &[]), 1, 20).counts();
    // The second begins at 2, 5, 8 and so on, which is when the first is free of its part: that is done at 2,
    // 4, 7, 10 and so on.
    assert_eq!(counts.finished, [7, 5]);
    assert_eq!(seconds(&counts, 0), [14, 0, 6, 0, 0, 0]);
}

#[test]
fn a_machine_that_fails_by_its_work_keeps_its_part() {
    let fails = |clock| Failure {
        clock,
        up: Constant(5.0),
        repair: Constant(4.0),
        crew: None,
    };
    let of = |clock| run(line(&[Constant(2.0)], &[], &[vec![fails(clock)]]), 1, 91).counts();
    // Five seconds of work, four of repair.
    let counts = of(Clock::Work);
    assert_eq!(seconds(&counts, 0), [51, 0, 0, 40, 0, 0]);
    assert_eq!(counts.exits[0].parts, 25);
    assert_eq!(
        of(Clock::Calendar).servers,
        counts.servers,
        "it always works"
    );
}

#[test]
fn a_clock_of_the_calendar_runs_while_a_machine_waits() {
    let mut network = Network::queue(Constant(10.0), Constant(1.0), 1, None);
    network.stations[0].failures = vec![Failure {
        clock: Clock::Calendar,
        up: Constant(15.5),
        repair: Constant(8.0),
        crew: None,
    }];
    let counts = run(network.clone(), 1, 48).counts();
    // Down from 15.5 to 23.5 and from 39 to 47: the parts of 20 and of 40 wait.
    assert_eq!(counts.servers[0][Phase::Down as usize], 16 * SECOND_NS);
    assert_eq!(
        counts.taken[0],
        Waits {
            parts: 4,
            waited: 2,
            ns: 10_500_000_000
        }
    );
    network.stations[0].failures[0].clock = Clock::Work;
    let counts = run(network, 1, 48).counts();
    assert_eq!(
        counts.servers[0][Phase::Down as usize],
        0,
        "it worked for four seconds"
    );
}

#[test]
fn a_crew_comes_to_one_after_the_other() {
    let failure = Failure {
        clock: Clock::Calendar,
        up: Constant(10.0),
        repair: Constant(5.0),
        crew: Some(0),
    };
    let mut network = line(&[Constant(1.0)], &[], &[vec![failure]]);
    network.stations[0].servers = 3;
    network.crews = vec![Crew { size: 1 }];
    let counts = run(network, 1, 25).counts();
    // All fail at 10; they are repaired at 15, 20 and 25, and the first fails again then.
    let down = |server: usize, phase: Phase| counts.servers[server][phase as usize] / SECOND_NS;
    let repaired: Vec<_> = (0..3).map(|server| down(server, Phase::Down)).collect();
    let waited: Vec<_> = (0..3)
        .map(|server| down(server, Phase::WaitingForCrew))
        .collect();
    assert_eq!((repaired, waited), (vec![5, 5, 5], vec![0, 5, 10]));
    assert_eq!(counts.crews[0], [15 * u128::from(SECOND_NS); 2]);
}

#[test]
fn an_assembly_takes_all_that_it_needs_and_what_is_planned_stands() {
    let mut network = line(&[Constant(1.0), Constant(1.0)], &[5], &[]);
    network.places.push(Place { capacity: Some(8) });
    network.stations[1].inputs = vec![(0, 1), (1, 4)];
    network.sources = vec![Source {
        between: Constant(6.0),
        batch: 4,
        class: 0,
        to: 1,
    }];
    network.windows = vec![Window {
        station: 1,
        from_ns: 12 * SECOND_NS + SECOND_NS / 2,
        to_ns: 20 * SECOND_NS,
    }];
    let counts = run(network, 1, 31).counts();
    // Screws come at 6, 12, 18, 24 and 30: frames are done at 7, 20.5, 21.5 and 25, and one is at work.
    assert_eq!(counts.exits[0].parts, 4);
    assert_eq!(seconds(&counts, 1), [5, 18, 0, 0, 0, 7]);
    assert_eq!(counts.servers[1][Phase::Held as usize], 7_500_000_000);
    assert_eq!(counts.arrived[0], [20, 0]);
}

#[test]
fn cards_come_back_and_the_start_is_as_it_is_said() {
    let mut network = line(&[Constant(2.0), Constant(3.0)], &[9], &[]);
    network.places.push(Place::default());
    network.stations[0].inputs = vec![(1, 1)];
    network.stations[1].route = vec![(1.0, Target::Replaced { exit: 0, place: 1 })];
    let start = Start {
        places: vec![0, 2],
        servers: vec![
            ServerStart::default(),
            ServerStart {
                part: Some(Some(SECOND_NS)),
                down: None,
            },
        ],
    };
    let streams = Streams::new(1, 0);
    let mut run = Run::new(&Arc::new(network), &streams, &start).unwrap();
    run.run_until(10 * SECOND_NS + 1);
    let counts = run.counts();
    // The one at hand leaves at 1, the others at 5, 8 and so on: three cards are always there.
    assert_eq!((counts.exits[0].parts, run.parts()), (3, 3));
    assert_eq!(counts.parts_held, 3 * u128::from(10 * SECOND_NS + 1));
}

#[test]
fn a_station_works_as_fast_as_it_is_planned_and_takes_the_times_that_are_known() {
    let fails = Failure {
        clock: Clock::Work,
        up: Constant(13.0),
        repair: Constant(4.0),
        crew: None,
    };
    let mut network = line(&[Constant(4.0)], &[], &[vec![fails]]);
    let change = |from_s: u64, speed| Change {
        station: 0,
        from_ns: from_s * SECOND_NS,
        speed,
    };
    network.changes = vec![
        change(6, 0.5),
        change(19, 2.0),
        change(30, 1.0),
        change(35, 0.0),
        change(38, 1.0),
    ];
    network.stations[0].trace = vec![3 * SECOND_NS];
    let mut run = run(network, 1, 0);
    let mut left = Vec::new();
    while let Some(at_ns) = run.next_ns().filter(|at_ns| *at_ns < 40 * SECOND_NS) {
        let before = run.exit_parts(0);
        run.run_until(at_ns + 1);
        if run.exit_parts(0) > before {
            left.push(at_ns as f64 / 1e9);
        }
    }
    // The first by its trace. The second has a second of work left at 6, which takes two. The third would take
    // eight, stands from 13 to 17 with three of them left, and has one left at 19, which takes a quarter. Then
    // each takes two; at 30 the machine has worked for 13 seconds again and fails with 1.25 left, which are
    // 2.5 from 34 on, but that it stands from 35 to 38.
    let expected = [3.0, 8.0, 19.25, 21.25, 23.25, 25.25, 27.25, 29.25, 39.5];
    assert_eq!(left, expected);
}

#[test]
fn closed_forms_are_met() {
    // M/M/1 at a load of a half: one part on average, half of them wait, for a second on average.
    let counts = run(
        Network::queue(Exponential(2.0), Exponential(1.0), 1, None),
        5,
        400_000,
    )
    .counts();
    let time = counts.time_ns as f64;
    let (parts, waits) = (counts.parts_held as f64 / time, counts.taken[0]);
    assert!((parts - 1.0).abs() < 0.04, "{parts}");
    let wait = waits.ns as f64 / 1e9 / waits.parts as f64;
    assert!((wait - 1.0).abs() < 0.05, "{wait}");
    let waited = waits.waited as f64 / waits.parts as f64;
    assert!((waited - 0.5).abs() < 0.01, "{waited}");
    // Erlang's loss formula for two servers at a load of 1: a fifth.
    let counts = run(
        Network::queue(Exponential(1.0), Exponential(1.0), 2, Some(0)),
        5,
        200_000,
    )
    .counts();
    let [came, lost] = counts.arrived[0];
    assert!(
        (lost as f64 / came as f64 - 0.2).abs() < 0.01,
        "{lost} of {came}"
    );
    // Two exponential machines with two places between: 0.8 (Hillier and Boling 1967).
    let counts = run(
        line(&[Exponential(1.0), Exponential(1.0)], &[2], &[]),
        5,
        200_000,
    )
    .counts();
    let rate = counts.exits[0].parts as f64 / 200_000.0;
    assert!((rate - 0.8).abs() < 0.01, "{rate}");
}

#[test]
fn what_cannot_run_is_named() {
    let good = Network::queue(Constant(1.0), Constant(1.0), 1, None);
    type Spoil = fn(&mut Network);
    let spoilt: [(&str, Spoil); 8] = [
        ("station 0: it has no server", |n| n.stations[0].servers = 0),
        ("station 0 names place 7, and there are 1", |n| {
            n.stations[0].inputs[0].0 = 7
        }),
        ("station 0 names exit 2, and there are 1", |n| {
            n.stations[0].route[0].1 = Target::Exit(2)
        }),
        ("station 0: its parts go nowhere", |n| {
            n.stations[0].route.clear()
        }),
        (
            "the work of station 0: constant: its value is inf and has to be at least 0 and finite",
            |n| {
                n.stations[0].work = Constant(f64::INFINITY);
            },
        ),
        (
            "source 0: its parts come all at once: give a time between them",
            |n| {
                n.sources[0].between = Constant(0.0);
            },
        ),
        ("source 0: it has a class that there is not", |n| {
            n.sources[0].class = 1
        }),
        (
            "station 0: a place has no room for all that it takes at once",
            |n| {
                n.places[0].capacity = Some(1);
                n.stations[0].inputs[0].1 = 2;
            },
        ),
    ];
    for (expected, spoil) in spoilt {
        let mut network = good.clone();
        spoil(&mut network);
        let error = network.check().unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
    let start = Start {
        places: vec![0, 1],
        ..Start::default()
    };
    let streams = Streams::new(1, 0);
    assert!(Run::new(&Arc::new(good), &streams, &start).is_err());
}

/// A network by chance: a line with parallel servers, failures, a crew, rework, and a source.
fn network() -> impl Strategy<Value = Network> {
    let station = (1_u32..4, 1_u32..30, 0_u32..3, any::<bool>(), any::<bool>());
    let stations = prop::collection::vec((station, 0_u32..4), 1..6);
    (stations, 1_u32..30, 1_u32..3, any::<bool>()).prop_map(|(stations, between, batch, makes)| {
        let last = stations.len() - 1;
        let mut network = Network {
            places: stations
                .iter()
                .map(|(_, room)| Place {
                    capacity: Some(*room),
                })
                .collect(),
            exits: vec![
                Exit {
                    late_ns: Some(20 * SECOND_NS),
                },
                Exit::default(),
            ],
            crews: vec![Crew { size: 1 }],
            sources: vec![Source {
                between: Exponential(f64::from(between)),
                batch,
                class: 1,
                to: 0,
            }],
            changes: [(500, 0.5), (2_000, 3.0)]
                .map(|(from_s, speed)| Change {
                    station: 0,
                    from_ns: from_s * SECOND_NS,
                    speed,
                })
                .to_vec(),
            classes: 2,
            ..Network::default()
        };
        for (at, ((servers, work, ways, by_work, is_shared), _)) in stations.into_iter().enumerate()
        {
            let failure = Failure {
                clock: if by_work {
                    Clock::Work
                } else {
                    Clock::Calendar
                },
                up: Exponential(40.0),
                repair: Exponential(6.0),
                crew: is_shared.then_some(0),
            };
            let onward = if at == last {
                Target::Exit(0)
            } else {
                Target::Place(at + 1)
            };
            network.stations.push(Station {
                servers,
                inputs: if makes && at == 0 {
                    Vec::new()
                } else {
                    vec![(at, 1)]
                },
                failures: vec![failure; ways as usize],
                route: vec![(0.9, onward), (0.1, Target::Exit(1))],
                ..Station::new(Exponential(f64::from(work)))
            });
        }
        network
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// No part is lost or made of nothing, times add up, and a fork goes on as its origin does.
    #[test]
    fn everything_adds_up(network in network(), seed in any::<u64>(), cut in 1_u64..3_000) {
        let streams = Streams::new(seed, 3);
        let network = Arc::new(network);
        let mut run = Run::new(&network, &streams, &Start::default()).unwrap();
        run.run_until(cut * SECOND_NS);
        let mut fork = run.clone();
        for end in [3_000, 4_000] {
            run.run_until(end * SECOND_NS);
        }
        fork.run_until(4_000 * SECOND_NS);
        let counts = run.counts();
        prop_assert_eq!(&fork.counts(), &counts);
        for server in &counts.servers {
            prop_assert_eq!(server.iter().sum::<u64>(), 4_000 * SECOND_NS);
        }
        let [came, lost] = counts.arrived[0];
        let left: u64 = counts.exits.iter().map(|exit| exit.parts).sum();
        let made = match network.stations[0].inputs.is_empty() {
            true => counts.finished[0] + u64::from(network.stations[0].servers),
            false => 0,
        };
        let there = run.parts();
        let before = came - lost + made;
        // A machine that makes parts may hold a finished one, and have begun no other.
        let begun = u64::from(network.stations[0].servers) * u64::from(made > 0);
        prop_assert!(before >= left + there && before <= left + there + begun, "{before} {left} {there}");
        let mut places = 0;
        for (at, place) in run.places.iter().enumerate() {
            prop_assert!(place.length <= place.capacity);
            let mut length = 0;
            for queue in &run.queues[at * 2..at * 2 + 2] {
                let mut part = queue.head;
                while part != NONE {
                    (length, part) = (length + 1, run.parts[part as usize].next);
                }
            }
            prop_assert_eq!(length, place.length);
            places += u64::from(length);
        }
        let held = run.servers.iter().filter(|server| server.part != NONE).count() as u64;
        prop_assert_eq!(places + held, there);
        // Who waits for room waits where there is none; who is without a part has nothing to take.
        for server in &run.servers {
            let station = &run.stations[server.station as usize];
            if server.phase == Phase::Starved {
                prop_assert_eq!(station.input.map_or(0, |place| run.places[place as usize].length), 0);
                prop_assert!(!station.makes);
            }
        }
        for place in &run.places {
            prop_assert!(place.waiting.head == NONE || place.length == place.capacity);
        }
    }
}
