//! The changes that a scenario can make, and what each does to a model.

use super::inflow::{self, Rule};
use super::model::{Model, feeds, machines, named};
use super::reader::{Reader, Table};
use crate::factory::Start;
use crate::kernel::Distribution;
use crate::layout::{Layout, Place};
use crate::truth::{AtHand, Truth};
use toml::de::DeValue;
use werkbuch_model::nearest::did_you_mean;
use werkbuch_model::plant::{BufferKind, FlowKind};

/// A change of a scenario.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The line of the file.
    pub line: usize,
    /// The operation's name.
    pub operation: &'static str,
    /// From when on, in nanoseconds from the start.
    pub from_ns: u64,
    /// Until when; the end of time where it does not end.
    pub to_ns: u64,
    pub(super) what: What,
}

/// The operations, with the keys of each beside `do`, `from`, `to` and `for`.
pub const OPERATIONS: &[(&str, &[&str])] = &[
    ("down", &["machines", "at_hand"]),
    ("maintenance", &["machines", "every", "takes", "at_hand"]),
    (
        "failures",
        &[
            "machines",
            "mtbf_factor",
            "repair_factor",
            "up",
            "repair",
            "way",
        ],
    ),
    ("cycle", &["machines", "factor", "time"]),
    ("setup", &["machines", "factor"]),
    ("quality", &["machines", "scrap", "rework"]),
    ("slots", &["machines", "count", "add"]),
    ("buffer", &["buffers", "capacity", "add", "factor"]),
    ("order", &["buffers", "kind"]),
    ("crew", &["crews", "size", "add"]),
    ("carriers", &["carriers", "count", "add"]),
    ("demand", &["machines", "between", "factor"]),
    ("limit", &["machines", "count"]),
    ("mix", &["shares"]),
    ("supply", &["parts", "delay", "factor", "time"]),
    ("stock", &["parts", "pieces"]),
    ("route", &["start", "end"]),
    ("dispatch", inflow::RULE_KEYS),
    ("open", &["machines"]),
    ("close", &["machines"]),
];

/// What changes, with the indexes of what is named.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum What {
    Down {
        machines: Vec<usize>,
        at_hand: AtHand,
    },
    Maintenance {
        machines: Vec<usize>,
        every_ns: u64,
        takes_ns: u64,
        at_hand: AtHand,
    },
    Failures {
        machines: Vec<usize>,
        ways: std::ops::Range<usize>,
        up: Times,
        repair: Times,
    },
    Cycle {
        machines: Vec<usize>,
        times: Times,
    },
    Setup {
        machines: Vec<usize>,
        factor: f64,
    },
    Quality {
        machines: Vec<usize>,
        scrap: Option<f64>,
        rework: Option<f64>,
    },
    Slots {
        machines: Vec<usize>,
        size: Size,
    },
    Buffer {
        buffers: Vec<usize>,
        size: Size,
    },
    Order {
        buffers: Vec<usize>,
        kind: BufferKind,
    },
    Crew {
        crews: Vec<usize>,
        size: Size,
    },
    Carriers {
        carriers: Vec<usize>,
        size: Size,
    },
    Demand {
        machines: Vec<usize>,
        times: Times,
    },
    Limit {
        machines: Vec<usize>,
        count: u32,
    },
    Mix {
        shares: Vec<(usize, f64)>,
    },
    Supply {
        feeds: Vec<usize>,
        delay_s: f64,
        times: Times,
    },
    Stock {
        feeds: Vec<usize>,
        pieces: u32,
    },
    Route {
        ways: Vec<usize>,
    },
    Dispatch(Rule),
    Hours {
        machines: Vec<usize>,
        opens: bool,
    },
}

/// How times change.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Times {
    Same,
    Factor(f64),
    Are(Distribution),
}

/// How a count changes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Size {
    Is(u32),
    Add(i64),
    Factor(f64),
}

/// The most of anything.
const COUNT_MAX: u32 = 1_000_000;
const FACTORS: (f64, f64) = (1e-6, 1e6);

/// Reads what a change of this name changes.
pub(super) fn read_what(
    reader: &mut Reader<'_>,
    table: Table<'_>,
    name: &str,
    model: &Model,
) -> Option<What> {
    let layout = &*model.layout;
    let before = reader.mistakes.len();
    let what = match name {
        "buffer" | "order" | "crew" | "carriers" => of_rooms(reader, table, name, layout),
        "supply" | "stock" => of_material(reader, table, name, layout),
        "mix" => mix(reader, table, layout),
        "route" => route(reader, table, layout),
        "dispatch" => Some(What::Dispatch(inflow::dispatch(reader, table, layout))),
        "demand" | "limit" => of_sources(reader, table, name, layout),
        _ => of_machines(reader, table, name, layout),
    };
    what.filter(|_| reader.mistakes.len() == before)
}

fn maintenance(reader: &mut Reader<'_>, table: Table<'_>, machines: Vec<usize>) -> Option<What> {
    reader.needs_text(table, "every");
    reader.needs_text(table, "takes");
    let (every_ns, takes_ns) = (
        reader.duration(table, "every")?,
        reader.duration(table, "takes")?,
    );
    if takes_ns == 0 || takes_ns >= every_ns {
        let what = "maintenance takes no time, or longer than there is between";
        reader.mistake(table.spot("takes"), what, "takes is shorter than every");
    }
    Some(What::Maintenance {
        machines,
        every_ns,
        takes_ns,
        at_hand: at_hand(reader, table),
    })
}

fn of_machines(
    reader: &mut Reader<'_>,
    table: Table<'_>,
    name: &str,
    layout: &Layout,
) -> Option<What> {
    // What opens and closes does so for the whole plant where no machine is named.
    let machines = match (name, table.has("machines")) {
        ("open" | "close", false) => (0..layout.machines.len()).collect(),
        _ => machines(reader, table, "machines", layout),
    };
    Some(match name {
        "open" | "close" => What::Hours {
            machines,
            opens: name == "open",
        },
        "down" => What::Down {
            machines,
            at_hand: at_hand(reader, table),
        },
        "maintenance" => maintenance(reader, table, machines)?,
        "failures" => {
            let way = reader.count(table, "way", (1, 3)).map(|way| way as usize);
            What::Failures {
                machines,
                ways: way.map_or(0..3, |way| way - 1..way),
                up: times(reader, table, ("mtbf_factor", "up"), false)?,
                repair: times(reader, table, ("repair_factor", "repair"), false)?,
            }
        }
        "cycle" => What::Cycle {
            machines,
            times: times(reader, table, ("factor", "time"), true)?,
        },
        "setup" => What::Setup {
            machines,
            factor: needs(reader, table, "factor", (0.0, FACTORS.1))?,
        },
        "quality" => {
            let (scrap, rework) = reader.verdicts(table);
            What::Quality {
                machines,
                scrap,
                rework,
            }
        }
        _ => {
            let machines = stations_of(reader, table, machines, layout);
            let named = |at: &usize| {
                let station = layout.stations.get(*at)?;
                let machine = layout.machines.get(station.machine)?;
                Some((machine.id.as_str(), station.slots))
            };
            let counts: Vec<(&str, u32)> = machines.iter().filter_map(named).collect();
            enough(reader, table, &counts)?;
            What::Slots {
                machines,
                size: size(reader, table, "count", 1)?,
            }
        }
    })
}

/// Whether at least one is left where some are taken away.
fn enough(reader: &mut Reader<'_>, table: Table<'_>, counts: &[(&str, u32)]) -> Option<()> {
    if !table.has("add") {
        return Some(());
    }
    let add = reader.number(table, "add")?;
    let few = counts.iter().find(|(_, now)| f64::from(*now) + add < 1.0);
    let Some((name, now)) = few else {
        return Some(());
    };
    let what = format!("add is {add}, and {name} has {now}");
    reader.mistake(table.spot("add"), what, "at least one must be left");
    None
}

fn of_sources(
    reader: &mut Reader<'_>,
    table: Table<'_>,
    name: &str,
    layout: &Layout,
) -> Option<What> {
    let machines = machines(reader, table, "machines", layout);
    let sources: Vec<usize> = (0..layout.stations.len())
        .filter(|at| {
            let station = &layout.stations[*at];
            station.source.is_some() && machines.contains(&station.machine)
        })
        .collect();
    if sources.is_empty() && !machines.is_empty() {
        reader.mistake(
            table.spot("machines"),
            "no parts come in there",
            "name a source",
        );
    }
    Some(match name {
        "demand" => What::Demand {
            machines: sources,
            times: times(reader, table, ("factor", "between"), true)?,
        },
        _ => What::Limit {
            machines: sources,
            count: needs(reader, table, "count", (1.0, f64::from(COUNT_MAX)))? as u32,
        },
    })
}

/// The stations that machines are; a machine that is none is refused.
fn stations_of(
    reader: &mut Reader<'_>,
    table: Table<'_>,
    machines: Vec<usize>,
    layout: &Layout,
) -> Vec<usize> {
    let station = |machine: &usize| {
        layout
            .stations
            .iter()
            .position(|one| one.machine == *machine)
    };
    let stations: Vec<usize> = machines.iter().filter_map(station).collect();
    if stations.len() < machines.len() {
        let what = "one of the machines is no station that parts pass";
        reader.mistake(table.spot("machines"), what, "name stations");
    }
    let moves = |station: &usize| {
        layout
            .stations
            .get(*station)
            .is_some_and(|one| one.section.is_some())
    };
    if stations.iter().any(moves) {
        let what = "one of the stations advances together with others";
        reader.mistake(
            table.spot("machines"),
            what,
            "slots of a section cannot be added",
        );
    }
    stations
}

fn of_rooms(
    reader: &mut Reader<'_>,
    table: Table<'_>,
    name: &str,
    layout: &Layout,
) -> Option<What> {
    let names: (&str, Vec<&str>) = match name {
        "crew" => (
            "crews",
            layout.crews.iter().map(|one| one.id.as_str()).collect(),
        ),
        "carriers" => (
            "carriers",
            layout.carriers.iter().map(|one| one.id.as_str()).collect(),
        ),
        _ => (
            "buffers",
            layout.buffers.iter().map(|one| one.id.as_str()).collect(),
        ),
    };
    let found = named(reader, table, names.0, &names.1);
    let present = |at: usize| match name {
        "crew" => layout.crews.get(at).map(|one| one.size),
        "carriers" => layout.carriers.get(at).map(|one| one.count),
        _ => layout.buffers.get(at).map(|one| one.capacity),
    };
    let left = |at: &usize| Some((names.1.get(*at).copied()?, present(*at)?));
    let counts: Vec<(&str, u32)> = found.iter().filter_map(left).collect();
    enough(reader, table, &counts)?;
    Some(match name {
        "buffer" => What::Buffer {
            buffers: found,
            size: size(reader, table, "capacity", 1)?,
        },
        "crew" => What::Crew {
            crews: found,
            size: size(reader, table, "size", 1)?,
        },
        "carriers" => What::Carriers {
            carriers: found,
            size: size(reader, table, "count", 1)?,
        },
        _ => {
            let kind = match reader.needs_text(table, "kind")? {
                "fifo" => BufferKind::Fifo,
                "lifo" => BufferKind::Lifo,
                "resequencing" => BufferKind::Resequencing,
                other => {
                    let what = format!("there is no order \"{other}\"");
                    reader.mistake(table.spot("kind"), what, "fifo, lifo or resequencing");
                    return None;
                }
            };
            What::Order {
                buffers: found,
                kind,
            }
        }
    })
}

fn of_material(
    reader: &mut Reader<'_>,
    table: Table<'_>,
    name: &str,
    layout: &Layout,
) -> Option<What> {
    let feeds = feeds(reader, table, "parts", layout);
    if name == "stock" {
        return Some(What::Stock {
            feeds,
            pieces: needs(reader, table, "pieces", (0.0, f64::from(COUNT_MAX)))? as u32,
        });
    }
    let delay = reader.duration(table, "delay");
    Some(What::Supply {
        feeds,
        delay_s: delay.unwrap_or(0) as f64 / 1e9,
        times: times(reader, table, ("factor", "time"), delay.is_none())?,
    })
}

fn mix(reader: &mut Reader<'_>, table: Table<'_>, layout: &Layout) -> Option<What> {
    let Some(shares) = table.inner("shares") else {
        reader.mistake(
            table.at,
            "the mix has no shares",
            "add shares = { variant = 0.5 }",
        );
        return None;
    };
    let names: Vec<&str> = layout.variants.iter().map(|one| one.id.as_str()).collect();
    let mut found = Vec::new();
    for (name, at, value) in shares.entries() {
        let Some(variant) = names.iter().position(|known| *known == name) else {
            let hint = did_you_mean(name, names.iter().copied()).unwrap_or_default();
            reader.mistake(at, format!("there is no variant \"{name}\""), hint);
            continue;
        };
        let number = match value {
            DeValue::Integer(number) => number.as_str().parse().ok(),
            DeValue::Float(number) => number.as_str().parse().ok(),
            _ => None,
        };
        match number.filter(|share: &f64| (0.0..=1e6).contains(share)) {
            Some(share) => found.push((variant, share)),
            None => reader.mistake(
                at,
                format!("the share of {name} is no number from 0 on"),
                "",
            ),
        }
    }
    Some(What::Mix { shares: found })
}

fn route(reader: &mut Reader<'_>, table: Table<'_>, layout: &Layout) -> Option<What> {
    let (from, to) = (
        reader.needs_text(table, "start")?,
        reader.needs_text(table, "end")?,
    );
    let name = |place: Place| match place {
        Place::Station(at) => {
            let machine = layout
                .stations
                .get(at)
                .map_or(usize::MAX, |one| one.machine);
            layout
                .machines
                .get(machine)
                .map_or("", |one| one.id.as_str())
        }
        Place::Buffer(at) => layout.buffers.get(at).map_or("", |one| one.id.as_str()),
    };
    let all = layout.ways.iter().enumerate();
    let ways: Vec<usize> = all
        .filter(|(_, way)| name(way.from) == from && name(way.to) == to)
        .map(|(at, _)| at)
        .collect();
    if ways.is_empty() {
        let from_there = layout.ways.iter().filter(|way| name(way.from) == from);
        let ends: Vec<&str> = from_there.map(|way| name(way.to)).collect();
        let hint = match ends.as_slice() {
            [] => format!("nothing goes on from {from}"),
            ends => format!("from {from} parts go to {}", ends.join(", ")),
        };
        reader.mistake(
            table.spot("end"),
            format!("no way leads from {from} to {to}"),
            hint,
        );
        return None;
    }
    let is_only = |way: &usize| {
        let of = &layout.ways[*way];
        let mut others = layout.ways.iter().enumerate();
        of.kind == FlowKind::Main
            && !others.any(|(at, one)| {
                !ways.contains(&at) && one.from == of.from && one.kind == FlowKind::Main
            })
    };
    if ways.iter().any(is_only) {
        let what = format!("the only way on from {from} would be closed");
        reader.mistake(table.spot("end"), what, "leave another one, or use down");
    }
    Some(What::Route { ways })
}

fn at_hand(reader: &mut Reader<'_>, table: Table<'_>) -> AtHand {
    match reader.text(table, "at_hand") {
        None | Some("pause") => AtHand::Pause,
        Some("finish") => AtHand::Finish,
        Some("scrap") => AtHand::Scrap,
        Some(other) => {
            let what = format!("at_hand = \"{other}\" is no rule for the part at hand");
            reader.mistake(table.spot("at_hand"), what, "pause, finish or scrap");
            AtHand::Pause
        }
    }
}

/// A factor or a new distribution.
fn times(
    reader: &mut Reader<'_>,
    table: Table<'_>,
    (factor, are): (&str, &str),
    needed: bool,
) -> Option<Times> {
    if table.has(factor) && table.has(are) {
        let what = format!("the change has both {factor} and {are}");
        reader.mistake(table.spot(are), what, "leave one out");
    }
    if table.has(are) {
        let new = match are {
            "time" if needed && table.has("machines") => reader.cycle_times(table, are),
            _ => reader.times(table, are),
        };
        return new.map(Times::Are);
    }
    if table.has(factor) {
        return reader.within(table, factor, FACTORS).map(Times::Factor);
    }
    if needed {
        let what = format!("{} has neither {factor} nor {are}", table.kind);
        reader.mistake(
            table.at,
            what,
            format!("add {factor} = 1.2, or {are} = \"60s\""),
        );
    }
    Some(Times::Same)
}

fn size(reader: &mut Reader<'_>, table: Table<'_>, key: &str, least: u32) -> Option<Size> {
    if let Some(count) = reader.count(table, key, (least, COUNT_MAX)) {
        return Some(Size::Is(count));
    }
    let most = f64::from(COUNT_MAX);
    if let Some(more) = reader.within(table, "add", (-most, most)) {
        return Some(Size::Add(more as i64));
    }
    if let Some(factor) = reader.within(table, "factor", FACTORS) {
        return Some(Size::Factor(factor));
    }
    if !table.has(key) && !table.has("add") && !table.has("factor") {
        let what = "the change does not say how many";
        reader.mistake(table.at, what, format!("add {key} = 4, or add = 1"));
    }
    None
}

fn needs(reader: &mut Reader<'_>, table: Table<'_>, key: &str, range: (f64, f64)) -> Option<f64> {
    if !table.has(key) {
        reader.mistake(table.at, format!("{} has no {key}", table.kind), "");
    }
    reader.within(table, key, range)
}

impl Change {
    /// A change that no file tells: it holds from the start to the end.
    pub(super) fn made(operation: &'static str, what: What) -> Self {
        Self {
            line: 0,
            operation,
            from_ns: 0,
            to_ns: u64::MAX,
            what,
        }
    }
}

impl Times {
    fn on(&self, times: &mut Distribution) {
        match self {
            Self::Same => {}
            Self::Factor(factor) => *times = times.clone().scaled(*factor),
            Self::Are(new) => times.clone_from(new),
        }
    }
}

impl Size {
    fn on(self, count: &mut u32) {
        *count = match self {
            Self::Is(new) => new,
            Self::Add(more) => count
                .saturating_add_signed(more.try_into().unwrap_or(0))
                .max(1),
            Self::Factor(factor) => ((f64::from(*count) * factor).round() as u32).max(1),
        };
    }
}

/// The entries of a list with these indexes.
fn each<'a, T>(list: &'a mut [T], at: &'a [usize]) -> impl Iterator<Item = &'a mut T> {
    let all = list.iter_mut().enumerate();
    all.filter(|(index, _)| at.binary_search(index).is_ok())
        .map(|(_, one)| one)
}

impl What {
    /// Makes the change, while it holds.
    pub(super) fn apply(&self, layout: &mut Layout, truth: &mut Truth) {
        match self {
            Self::Down { machines, at_hand } => {
                each(&mut truth.machines, machines).for_each(|one| one.hold = Some(*at_hand));
            }
            Self::Failures {
                machines,
                ways,
                up,
                repair,
            } => {
                for machine in each(&mut truth.machines, machines) {
                    for way in &mut machine.failures[ways.clone()] {
                        up.on(&mut way.up);
                        repair.on(&mut way.repair);
                    }
                }
            }
            Self::Cycle { machines, times } => {
                each(&mut truth.machines, machines).for_each(|one| match times {
                    Times::Factor(factor) => one.cycle_factor *= factor,
                    Times::Are(new) => {
                        (one.cycle, one.cycle_factor) = (Some(new.clone()), 1.0);
                        one.cycle_of.clear();
                    }
                    Times::Same => {}
                });
            }
            Self::Setup { machines, factor } => {
                each(&mut truth.machines, machines).for_each(|one| one.setup_factor *= factor);
            }
            Self::Quality {
                machines,
                scrap,
                rework,
            } => each(&mut truth.machines, machines).for_each(|one| {
                one.scrap = scrap.unwrap_or(one.scrap);
                one.rework = rework.unwrap_or(one.rework);
            }),
            Self::Supply {
                feeds,
                delay_s,
                times,
            } => each(&mut truth.feeds, feeds).for_each(|one| {
                times.on(&mut one.delivery);
                if *delay_s > 0.0 {
                    one.delivery = one.delivery.clone().shifted(*delay_s);
                }
            }),
            Self::Dispatch(rule) => rule.apply(&mut truth.machines),
            Self::Maintenance { .. } | Self::Stock { .. } | Self::Hours { .. } => {}
            _ => self.apply_to_layout(layout, truth),
        }
    }

    fn apply_to_layout(&self, layout: &mut Layout, truth: &mut Truth) {
        match self {
            Self::Slots { machines, size } => {
                each(&mut layout.stations, machines).for_each(|one| size.on(&mut one.slots));
            }
            Self::Buffer { buffers, size } => {
                each(&mut layout.buffers, buffers).for_each(|one| {
                    size.on(&mut one.capacity);
                    one.capacity = one.capacity.max(one.reserve);
                });
            }
            Self::Order { buffers, kind } => {
                each(&mut layout.buffers, buffers).for_each(|one| one.kind = *kind);
            }
            Self::Crew { crews, size } => {
                each(&mut layout.crews, crews).for_each(|one| size.on(&mut one.size));
            }
            Self::Carriers { carriers, size } => {
                each(&mut layout.carriers, carriers).for_each(|one| size.on(&mut one.count));
            }
            Self::Demand { machines, times } => {
                for station in each(&mut layout.stations, machines) {
                    let planned_s =
                        station.source.as_ref().map_or(0, |one| one.every_ns) as f64 / 1e9;
                    if let Some(machine) = truth.machines.get_mut(station.machine) {
                        match times {
                            Times::Factor(factor) if inflow::scale(machine, *factor) => continue,
                            Times::Are(_) => inflow::come_between(machine),
                            _ => {}
                        }
                        let between = machine.arrivals.take();
                        let between = between.unwrap_or(Distribution::Constant(planned_s));
                        // Twice the demand halves the time between.
                        machine.arrivals = Some(match times {
                            Times::Factor(factor) => between.scaled(1.0 / factor),
                            Times::Are(new) => new.clone(),
                            Times::Same => between,
                        });
                    }
                }
            }
            Self::Limit { machines, count } => {
                let stations = each(&mut layout.stations, machines);
                let sources = stations.filter_map(|one| one.source.as_mut());
                sources.for_each(|source| source.limit = Some(*count));
            }
            Self::Mix { shares } => {
                for (variant, share) in shares {
                    if let Some(of) = layout.variants.get_mut(*variant) {
                        of.share = *share;
                    }
                }
            }
            Self::Route { ways } => {
                each(&mut layout.ways, ways).for_each(|one| one.is_closed = true);
            }
            _ => {}
        }
    }

    /// What it says of the start alone.
    pub(super) fn begin(&self, start: &mut Start) {
        if let Self::Stock { feeds, pieces } = self {
            for feed in feeds {
                if start.stocks.len() <= *feed {
                    start.stocks.resize(*feed + 1, None);
                }
                start.stocks[*feed] = Some(*pieces);
            }
        }
    }
}
