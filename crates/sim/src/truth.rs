//! The hidden truth of a simulated plant: what no description names, drawn from the seed.

mod programme;

pub use programme::{Comes, Dispatch, First, Programme};

use crate::kernel::{Distribution, Purpose, Stream, Streams};
use crate::layout::Layout;
use std::sync::Arc;

/// What is true of a plant and stands in no description.
#[derive(Clone, Debug, PartialEq)]
pub struct Truth {
    /// By machine.
    pub machines: Vec<MachineTruth>,
    /// By zone.
    pub zones: Vec<ZoneTruth>,
    /// By feed.
    pub feeds: Vec<FeedTruth>,
}

/// What is true of a machine.
#[derive(Clone, Debug, PartialEq)]
pub struct MachineTruth {
    /// How long a cycle takes whatever is planned; absent where it follows from the plan.
    pub cycle: Option<Distribution>,
    /// How long a cycle takes of these variants, where they differ from the others.
    pub cycle_of: Vec<(usize, Distribution)>,
    /// The mean cycle as a multiple of the planned one, or of that.
    pub cycle_factor: f64,
    /// By how much this multiple grows in an hour of the run; 0 for a machine that does not drift.
    pub drift_per_hour: f64,
    /// The deviation of a cycle, as a share of its mean.
    pub variation: f64,
    /// How it fails: short stops, breakdowns, rare long ones.
    pub failures: [FailureTruth; 3],
    /// The probability that a part is scrap.
    pub scrap: f64,
    /// The probability that a part must be reworked.
    pub rework: f64,
    /// The time between two parts that come in at it; absent where it is as planned.
    pub arrivals: Option<Distribution>,
    /// When parts come in at it and in which order; absent where plan and shares say it.
    pub programme: Option<Arc<Programme>>,
    /// Which part it takes first.
    pub dispatch: Dispatch,
    /// What becomes of the part at hand while it stands as planned; absent while it may work.
    pub hold: Option<AtHand>,
    /// By how much a change of variant takes longer than planned.
    pub setup_factor: f64,
    /// How long changes of variant take whatever is planned.
    pub setups: Vec<SetupTruth>,
    /// The probability that the people at it call for help in a cycle.
    pub andon: f64,
}

/// How long changes of variant take at a machine.
#[derive(Clone, Debug, PartialEq)]
pub struct SetupTruth {
    /// From this variant to that; absent for all that the description knows and no other entry is for.
    pub pair: Option<(usize, usize)>,
    /// How long.
    pub times: Distribution,
}

/// What becomes of the part at hand when a machine stands as planned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtHand {
    /// Its work rests, and goes on afterwards.
    Pause,
    /// It is finished first.
    Finish,
    /// It is thrown away.
    Scrap,
}

impl MachineTruth {
    /// How long a change of variant takes where it is not by the plan; `is_planned` says whether this knows one.
    pub(crate) fn setup(&self, from: usize, to: usize, is_planned: bool) -> Option<&Distribution> {
        let of = |pair| self.setups.iter().find(|one| one.pair == pair);
        let own = of(Some((from, to))).or_else(|| of(None).filter(|_| is_planned));
        own.map(|one| &one.times)
    }
}

/// One way in which a machine fails.
#[derive(Clone, Debug, PartialEq)]
pub struct FailureTruth {
    /// Working time until it happens.
    pub up: Distribution,
    /// How long the repair takes, once somebody is there.
    pub repair: Distribution,
    /// Whether a crew is needed; else the machine or who stands beside it puts it right.
    pub needs_crew: bool,
}

/// What is true of a zone.
#[derive(Clone, Debug, PartialEq)]
pub struct ZoneTruth {
    /// The time between two stops.
    pub up: Distribution,
    /// How long a stop is.
    pub stop: Distribution,
}

/// What is true of a line-side stock.
#[derive(Clone, Debug, PartialEq)]
pub struct FeedTruth {
    /// How many pieces lie there at most.
    pub full: u32,
    /// At how many pieces a delivery is called.
    pub call_at: u32,
    /// How long a delivery takes.
    pub delivery: Distribution,
    /// The probability that it takes many times as long.
    pub late: f64,
    /// How many times as long it takes then.
    pub late_factor: f64,
}

/// How many times as long a late delivery takes where nothing else is known.
pub const LATE_FACTOR: f64 = 6.0;

impl FeedTruth {
    /// How long a delivery takes by chance, in nanoseconds.
    pub(crate) fn draw_ns(&self, stream: &mut Stream) -> u64 {
        let is_late = stream.chance(self.late);
        let time_ns = self.delivery.draw_ns(stream);
        match is_late {
            true => (time_ns as f64 * self.late_factor) as u64,
            false => time_ns,
        }
    }
}

/// The three ways in which machines fail, in the order of [`MachineTruth::failures`].
pub const FAILURE_NAMES: [&str; 3] = ["short_stop", "breakdown", "long_failure"];

/// How a sort of machine fails: hours of work between short stops and between breakdowns, minutes
/// of a repair; deviation of its cycle.
const SORTS: &[(&str, f64, f64, f64, f64)] = &[
    ("press", 0.8, 9.0, 14.0, 0.01),
    ("robot", 9.0, 120.0, 9.0, 0.01),
    ("geo-station", 3.0, 40.0, 8.0, 0.02),
    ("respot-station", 4.0, 50.0, 8.0, 0.02),
    ("measuring", 8.0, 90.0, 7.0, 0.01),
    ("dip-tank", 24.0, 160.0, 25.0, 0.005),
    ("oven", 40.0, 200.0, 35.0, 0.005),
    ("paint-booth", 2.5, 30.0, 12.0, 0.01),
    ("inspection", 30.0, 300.0, 5.0, 0.12),
    ("manual", 12.0, 250.0, 4.0, 0.09),
    ("marriage", 4.0, 35.0, 10.0, 0.02),
    ("filling", 6.0, 60.0, 8.0, 0.02),
    ("test-bench", 7.0, 70.0, 10.0, 0.06),
    ("rework", 40.0, 400.0, 6.0, 0.25),
];

impl Truth {
    /// Draws what is true of a layout from the seed.
    #[must_use]
    pub fn of(layout: &Layout, streams: &Streams) -> Self {
        let machines = (0_u32..).zip(&layout.machines).map(|(number, machine)| {
            let mut stream = streams.stream(number, Purpose::Parameters);
            let station = machine.station.and_then(|at| layout.stations.get(at));
            let is_station =
                station.is_some_and(|one| layout.machines.get(one.machine) == Some(machine));
            machine_truth(&machine.sort, station.filter(|_| is_station), &mut stream)
        });
        let machines = machines.collect();
        let zones = (0_u32..).zip(&layout.zones).map(|(number, _)| {
            let mut stream = streams.stream(number + (1 << 20), Purpose::Parameters);
            ZoneTruth {
                up: Distribution::Exponential(stream.between(1.5, 5.0) * 3_600.0),
                stop: Distribution::Lognormal(stream.between(45.0, 150.0), 0.8),
            }
        });
        let zones = zones.collect();
        let feeds = (0_u32..).zip(&layout.feeds).map(|(number, feed)| {
            let mut stream = streams.stream(number + (2 << 20), Purpose::Parameters);
            let full = u32::try_from(40 + stream.below(80))
                .unwrap_or(40)
                .saturating_mul(feed.quantity);
            FeedTruth {
                full,
                call_at: full / 3,
                delivery: Distribution::Lognormal(stream.between(240.0, 600.0), 0.3),
                late: stream.between(0.002, 0.03),
                late_factor: LATE_FACTOR,
            }
        });
        Self {
            machines,
            zones,
            feeds: feeds.collect(),
        }
    }

    /// How fast a team works at a station: a multiple of the mean cycle. It follows from seed, team
    /// and station alone, so that the same team does the same on another day.
    #[must_use]
    pub fn team_factor(streams: &Streams, station: usize, team: &str) -> f64 {
        let letters = team.bytes().fold(7_u32, |sum, byte| {
            sum.wrapping_mul(31).wrapping_add(u32::from(byte))
        });
        let place = u32::try_from(station).unwrap_or(0);
        let mut of_team = streams.stream(letters, Purpose::People);
        let mut of_both =
            streams.stream(letters.wrapping_add(place << 8) | 1 << 31, Purpose::People);
        of_team.between(0.95, 1.05) * of_both.between(0.97, 1.04)
    }
}

fn machine_truth(
    sort: &str,
    station: Option<&crate::layout::Station>,
    stream: &mut Stream,
) -> MachineTruth {
    let known = SORTS.iter().find(|(name, ..)| *name == sort);
    let (_, short_h, down_h, repair_min, variation) =
        known.copied().unwrap_or(("", 8.0, 80.0, 10.0, 0.03));
    // One machine is better than another of its sort.
    let luck = stream.between(0.6, 1.6);
    let drifts = stream.chance(0.08);
    let is_paced_by_hand = station.is_some_and(|station| station.operators > 0);
    let sorts_out = station.is_some_and(|station| station.rework_limit > 0);
    let scraps = matches!(sort, "press" | "measuring");
    MachineTruth {
        cycle: None,
        cycle_of: Vec::new(),
        arrivals: None,
        programme: None,
        dispatch: Dispatch::default(),
        hold: None,
        setup_factor: 1.0,
        setups: Vec::new(),
        cycle_factor: if is_paced_by_hand {
            stream.between(0.93, 1.03)
        } else {
            stream.between(0.97, 1.01)
        },
        drift_per_hour: if drifts {
            stream.between(0.002, 0.012)
        } else {
            0.0
        },
        variation: variation * stream.between(0.8, 1.3),
        failures: [
            FailureTruth {
                up: Distribution::Exponential(short_h * luck * 3_600.0),
                repair: Distribution::Lognormal(stream.between(12.0, 40.0), 0.7),
                needs_crew: false,
            },
            FailureTruth {
                up: Distribution::Weibull(stream.between(0.9, 1.4), down_h * luck * 3_600.0),
                repair: Distribution::Lognormal(repair_min * 60.0 * stream.between(0.7, 1.4), 0.9),
                needs_crew: true,
            },
            FailureTruth {
                up: Distribution::Exponential(
                    down_h * luck * 3_600.0 * stream.between(80.0, 200.0),
                ),
                repair: Distribution::Lognormal(stream.between(1.5, 5.0) * 3_600.0, 0.5),
                needs_crew: true,
            },
        ],
        scrap: if scraps {
            stream.between(0.001, 0.008)
        } else {
            0.0
        },
        rework: match station {
            // The plan is what the description says; the truth lies beside it.
            Some(station) if sorts_out => station.rework_share * stream.between(0.6, 1.6),
            _ => 0.0,
        },
        andon: if is_paced_by_hand {
            stream.between(0.002, 0.02)
        } else {
            0.0
        },
    }
}
