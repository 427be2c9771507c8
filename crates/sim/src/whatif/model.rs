//! The model of a plant: what it is made of, how it behaves, and what it begins with.

use super::fork::Uncertain;
use super::inflow;
use super::material::LateShare;
use super::reader::{Reader, Table, document};
use crate::factory::Start;
use crate::kernel::Distribution;
use crate::layout::{Layout, LayoutError, is_of_class};
use crate::truth::{
    Dispatch, FailureTruth, FeedTruth, First, LATE_FACTOR, MachineTruth, Truth, ZoneTruth,
};
use std::sync::Arc;
use werkbuch_model::nearest::did_you_mean;
use werkbuch_model::plant::{Description, Mistake};
use werkbuch_model::time::Timestamp;

/// The model of a plant.
#[derive(Clone, Debug)]
pub struct Model {
    /// The plant's name.
    pub plant: String,
    /// What it is made of.
    pub layout: Arc<Layout>,
    /// How it behaves.
    pub truth: Arc<Truth>,
    /// What it begins with.
    pub start: Start,
    /// When it begins, in the plant's time.
    pub begins: Timestamp,
    /// How far the plant's clocks are ahead of UTC, in seconds.
    pub utc_offset_s: i32,
    /// What was taken for granted, one sentence each.
    pub assumptions: Vec<String>,
    /// What is drawn anew in every replication.
    pub(super) uncertain: Vec<Uncertain>,
    /// Shares of late deliveries, which are drawn anew as well.
    pub(super) late: Vec<LateShare>,
}

/// What never happens within any run.
const NEVER_S: f64 = 1e12;
const NEVER: FailureTruth = FailureTruth {
    up: Distribution::Constant(NEVER_S),
    repair: Distribution::Constant(1.0),
    needs_crew: false,
};

impl Model {
    /// The plant as it is planned: cycles take what the description says, nothing fails, no part is scrap, as
    /// many are reworked as planned, and material is there.
    ///
    /// # Errors
    ///
    /// [`LayoutError`]: the description cannot be simulated.
    pub fn planned(
        plant: &str,
        description: &Description,
        begins: Timestamp,
        utc_offset_s: i32,
    ) -> Result<Self, LayoutError> {
        let layout = Layout::of(description, begins, utc_offset_s)?;
        let truth = Truth {
            machines: layout.machines.iter().map(|_| planned()).collect(),
            zones: layout.zones.iter().map(|_| quiet()).collect(),
            feeds: layout.feeds.iter().map(|_| plenty()).collect(),
        };
        let mut model = Self {
            plant: plant.to_owned(),
            truth: Arc::new(truth),
            start: Start {
                buffers: Some(vec![Vec::new(); layout.buffers.len()]),
                ..Start::default()
            },
            layout: Arc::new(layout),
            begins,
            utc_offset_s,
            assumptions: Vec::new(),
            uncertain: Vec::new(),
            late: Vec::new(),
        };
        let layout = Arc::clone(&model.layout);
        let truth = Arc::make_mut(&mut model.truth);
        for station in &layout.stations {
            if let Some(machine) = truth.machines.get_mut(station.machine) {
                machine.rework = station.rework_share;
            }
        }
        Ok(model)
    }

    /// Lays what a file says about a plant's behaviour over this model. `file` names it in mistakes.
    ///
    /// ```toml
    /// plant = "body-shop.toml"        # the description, read by the caller
    /// start = "2026-03-02T06:00:00Z"  # read by the caller
    ///
    /// [[cycle]]
    /// machines = "weld-*"
    /// time = "lognormal(mean=62s, cv=0.05)"   # or factor = 1.05
    ///
    /// [[failure]]                             # at most three of a machine
    /// machines = "*"
    /// up = "exponential(mean=8h)"             # on the clock of work
    /// repair = "lognormal(mean=10min, cv=0.8)"
    /// crew = true                             # waits for its crew
    ///
    /// [[arrival]]                             # one of between, per_hour and at
    /// machines = "unload"
    /// per_hour = { 0h = 12, 6h = 40 }         # by chance, at these rates from the start on
    /// every = "24h"                           # they begin anew; left out: the last one holds
    ///
    /// [[order]]
    /// machines = "unload"
    /// variants = ["white", "white", "black"]  # come in this order
    /// repeat = true                           # begin anew; left out: nothing comes after the last one
    ///
    /// [[dispatch]]
    /// machines = "paint-*"
    /// rule = "fewest_setups"                  # shortest_time, earliest_due, priority
    /// blocking = "before"                     # begins work only where there is room; else "after"
    /// ```
    ///
    /// # Errors
    ///
    /// Every mistake, by line.
    pub fn behave(&mut self, text: &str, file: &str) -> Result<(), Vec<Mistake>> {
        let mut reader = Reader::new(text, file);
        let Some(document) = document(&mut reader, text) else {
            return reader.finish(());
        };
        let whole = Table::whole(&document);
        reader.only(whole, TABLES);
        let layout = Arc::clone(&self.layout);
        let truth = Arc::make_mut(&mut self.truth);
        let mut ways = vec![0_usize; layout.machines.len()];
        for table in reader.tables(whole, "cycle") {
            cycle(&mut reader, table, &layout, truth);
        }
        for table in reader.tables(whole, "failure") {
            failure(&mut reader, table, &layout, truth, &mut ways);
        }
        for table in reader.tables(whole, "quality") {
            quality(&mut reader, table, &layout, truth);
        }
        for table in reader.tables(whole, "arrival") {
            arrival(&mut reader, table, &layout, truth);
        }
        for table in reader.tables(whole, "order") {
            inflow::order(&mut reader, table, &layout, &mut truth.machines);
        }
        for table in reader.tables(whole, "dispatch") {
            reader.only(table, inflow::RULE_KEYS);
            inflow::dispatch(&mut reader, table, &layout).apply(&mut truth.machines);
        }
        for table in reader.tables(whole, "supply") {
            supply(&mut reader, table, &layout, truth);
        }
        for table in reader.tables(whole, "zone") {
            zone(&mut reader, table, &layout, truth);
        }
        if let Some(share) = reader.within(whole, "fill", (0.0, 1.0)) {
            if share > 0.0 {
                self.start.buffers = None;
            }
            self.start.fill = share;
        }
        reader.finish(())
    }
}

/// What a file of behaviour holds.
const TABLES: &[&str] = &[
    "plant", "start", "fill", "cycle", "failure", "quality", "arrival", "order", "dispatch",
    "supply", "zone",
];

/// A way in which nothing fails.
pub(super) const fn never() -> FailureTruth {
    NEVER
}

const fn planned() -> MachineTruth {
    MachineTruth {
        cycle: None,
        cycle_of: Vec::new(),
        arrivals: None,
        programme: None,
        dispatch: Dispatch {
            first: First::AsTheyLie,
            blocks_before: false,
        },
        hold: None,
        cycle_factor: 1.0,
        setup_factor: 1.0,
        setups: Vec::new(),
        drift_per_hour: 0.0,
        variation: 0.0,
        failures: [NEVER, NEVER, NEVER],
        scrap: 0.0,
        rework: 0.0,
        andon: 0.0,
    }
}

const fn quiet() -> ZoneTruth {
    ZoneTruth {
        up: Distribution::Constant(NEVER_S),
        stop: Distribution::Constant(1.0),
    }
}

/// More than is ever used up.
const fn plenty() -> FeedTruth {
    FeedTruth {
        full: u32::MAX / 2,
        call_at: 0,
        delivery: Distribution::Constant(0.0),
        late: 0.0,
        late_factor: LATE_FACTOR,
    }
}

fn cycle(reader: &mut Reader<'_>, table: Table<'_>, layout: &Layout, truth: &mut Truth) {
    reader.only(table, &["machines", "time", "factor", "variation"]);
    let time = reader.cycle_times(table, "time");
    let factor = reader.within(table, "factor", (1e-6, 1e6));
    let variation = reader.within(table, "variation", (0.0, 10.0));
    for machine in machines(reader, table, "machines", layout) {
        let Some(truth) = truth.machines.get_mut(machine) else {
            continue;
        };
        if time.is_some() {
            truth.cycle.clone_from(&time);
            truth.cycle_of.clear();
        }
        truth.cycle_factor = factor.unwrap_or(truth.cycle_factor);
        truth.variation = variation.unwrap_or(truth.variation);
    }
}

fn failure(
    reader: &mut Reader<'_>,
    table: Table<'_>,
    layout: &Layout,
    truth: &mut Truth,
    ways: &mut [usize],
) {
    reader.only(table, &["machines", "up", "repair", "crew"]);
    for key in ["up", "repair"] {
        reader.needs_text(table, key);
    }
    let (up, repair) = (reader.times(table, "up"), reader.times(table, "repair"));
    let needs_crew = reader.flag(table, "crew").unwrap_or(false);
    let (Some(up), Some(repair)) = (up, repair) else {
        return;
    };
    for machine in machines(reader, table, "machines", layout) {
        let (Some(truth), Some(way)) = (truth.machines.get_mut(machine), ways.get_mut(machine))
        else {
            continue;
        };
        let Some(room) = truth.failures.get_mut(*way) else {
            let name = layout
                .machines
                .get(machine)
                .map_or("", |one| one.id.as_str());
            let what = format!("{name} fails in more than three ways");
            reader.mistake(
                table.at,
                what,
                "put some of them together as a mixture(...)",
            );
            return;
        };
        *way += 1;
        *room = FailureTruth {
            up: up.clone(),
            repair: repair.clone(),
            needs_crew,
        };
    }
}

fn quality(reader: &mut Reader<'_>, table: Table<'_>, layout: &Layout, truth: &mut Truth) {
    reader.only(table, &["machines", "scrap", "rework"]);
    let (scrap, rework) = reader.verdicts(table);
    for machine in machines(reader, table, "machines", layout) {
        if let Some(truth) = truth.machines.get_mut(machine) {
            truth.scrap = scrap.unwrap_or(truth.scrap);
            truth.rework = rework.unwrap_or(truth.rework);
        }
    }
}

fn arrival(reader: &mut Reader<'_>, table: Table<'_>, layout: &Layout, truth: &mut Truth) {
    reader.only(table, &["machines", "between", "per_hour", "every", "at"]);
    if inflow::comes(reader, table, layout, &mut truth.machines) {
        return;
    }
    reader.needs_text(table, "between");
    let between = reader.times(table, "between");
    for machine in inflow::sources(reader, table, layout) {
        if let Some(truth) = truth.machines.get_mut(machine) {
            truth.arrivals.clone_from(&between);
            inflow::come_between(truth);
        }
    }
}

fn supply(reader: &mut Reader<'_>, table: Table<'_>, layout: &Layout, truth: &mut Truth) {
    reader.only(table, &["parts", "full", "call_at", "delivery", "late"]);
    let full = reader.count(table, "full", (1, 1_000_000_000));
    let call_at = reader.count(table, "call_at", (0, 1_000_000_000));
    let delivery = reader.times(table, "delivery");
    let late = reader.within(table, "late", (0.0, 1.0));
    for feed in feeds(reader, table, "parts", layout) {
        let Some(truth) = truth.feeds.get_mut(feed) else {
            continue;
        };
        truth.full = full.unwrap_or(truth.full);
        truth.call_at = call_at.unwrap_or(truth.full / 3);
        truth.late = late.unwrap_or(truth.late);
        if let Some(delivery) = &delivery {
            truth.delivery.clone_from(delivery);
        }
    }
}

fn zone(reader: &mut Reader<'_>, table: Table<'_>, layout: &Layout, truth: &mut Truth) {
    reader.only(table, &["zones", "up", "stop"]);
    let (up, stop) = (reader.times(table, "up"), reader.times(table, "stop"));
    let names = layout.zones.iter().map(|zone| zone.id.as_str());
    for zone in named(reader, table, "zones", &names.collect::<Vec<_>>()) {
        if let (Some(truth), Some(up), Some(stop)) = (truth.zones.get_mut(zone), &up, &stop) {
            truth.up.clone_from(up);
            truth.stop.clone_from(stop);
        }
    }
}

/// The machines that a key names.
pub(super) fn machines(
    reader: &mut Reader<'_>,
    table: Table<'_>,
    key: &str,
    layout: &Layout,
) -> Vec<usize> {
    let names: Vec<&str> = layout.machines.iter().map(|one| one.id.as_str()).collect();
    named(reader, table, key, &names)
}

/// The line-side stocks that a key names, by their part numbers.
pub(super) fn feeds(
    reader: &mut Reader<'_>,
    table: Table<'_>,
    key: &str,
    layout: &Layout,
) -> Vec<usize> {
    let names = layout.feeds.iter().map(|feed| feed.part_number.as_str());
    named(reader, table, key, &names.collect::<Vec<_>>())
}

/// All of these names that a key names, by themselves or with a `*` for any text; at least one.
pub(super) fn named(
    reader: &mut Reader<'_>,
    table: Table<'_>,
    key: &str,
    names: &[&str],
) -> Vec<usize> {
    if !table.has(key) {
        let what = format!("{} does not say which {key}", table.kind);
        reader.mistake(table.at, what, format!("add {key} = \"name\" or \"na*\""));
        return Vec::new();
    }
    let mut found: Vec<usize> = Vec::new();
    for class in reader.texts(table, key) {
        let all = names.iter().enumerate();
        let before = found.len();
        found.extend(
            all.filter(|(_, name)| is_of_class(class, name))
                .map(|(at, _)| at),
        );
        if found.len() == before {
            let what = format!("{key}: there is no \"{class}\"");
            let hint = did_you_mean(class, names.iter().copied());
            let hint = hint.unwrap_or_else(|| match names {
                [] => format!("the plant has no {key}"),
                [first, ..] => format!("the plant has {} {key}, such as {first}", names.len()),
            });
            reader.mistake(table.spot(key), what, hint);
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}
