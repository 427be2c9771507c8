//! What is said by the clock: energy, samples of long processes, stocks and supply.

use super::figures::rounded;
use super::second::Remedy;
use super::{Reporter, text};
use crate::factory::Factory;
use crate::kernel::normal;
use crate::layout::Layout;
use std::borrow::Cow;
use werkbuch_model::event::{
    Body, EnergyCounter, InventoryCounted, Medium, SampleItem, SampleReported, State,
    SupplyStatusReported,
};
use werkbuch_model::plant::BufferKind;

/// How often something is said by the clock, in nanoseconds: each minute.
pub(crate) const TICK_NS: u64 = 60 * 1_000_000_000;
const ENERGY_TICKS: u64 = 5;
const STOCK_TICKS: u64 = 60;
/// How often a store is counted wrongly.
const MISCOUNT: f64 = 0.06;
/// How many values a sample batch of a minute is made of.
const VALUES: u32 = 6;

/// What machines of a sort draw: kilowatts at work and otherwise.
const DRAWS: &[(&str, f64, f64)] = &[
    ("press", 210.0, 35.0),
    ("oven", 480.0, 240.0),
    ("dip-tank", 160.0, 120.0),
    ("paint-booth", 240.0, 90.0),
    ("geo-station", 28.0, 6.0),
    ("test-bench", 45.0, 8.0),
];

/// What is sampled of machines of a sort: item, unit, mean, deviation.
const SAMPLES: &[(&str, &str, &str, f64, f64)] = &[
    ("oven", "zone_temperature", "CELSIUS", 178.0, 1.1),
    ("dip-tank", "bath_temperature", "CELSIUS", 32.5, 0.3),
    ("paint-booth", "air_humidity", "PERCENT", 64.0, 1.6),
    ("press", "ram_force", "KILONEWTON", 18_200.0, 160.0),
];

/// The machines with a meter, which stands at zero.
pub(super) fn meters(layout: &Layout) -> Vec<(usize, f64)> {
    let machines = layout.machines.iter().enumerate();
    let metered = machines.filter(|(_, one)| DRAWS.iter().any(|(sort, ..)| *sort == one.sort));
    metered.map(|(at, _)| (at, 0.0)).collect()
}

impl Reporter {
    /// A minute is over.
    pub(crate) fn tick(&mut self, factory: &Factory, number: u64) {
        self.now_ns = number.saturating_mul(TICK_NS);
        self.put_right();
        self.samples(factory);
        if number.is_multiple_of(ENERGY_TICKS) {
            self.energy(factory);
        }
        if number % STOCK_TICKS == STOCK_TICKS / 2 {
            self.stocks(factory.layout());
        }
    }

    fn energy(&mut self, factory: &Factory) {
        let layout = factory.layout();
        let tally = factory.tally();
        let hours = |machine: usize, at_work: bool| {
            let times = tally
                .times_ns
                .get(machine)
                .into_iter()
                .flatten()
                .zip(0_u32..);
            let wanted = times.filter(|(_, code)| (*code == State::Executing.code()) == at_work);
            wanted.map(|(ns, _)| *ns).sum::<u64>() as f64 / 3.6e12
        };
        let mut said = Vec::new();
        for (machine, last) in &mut self.energy {
            let sort = layout
                .machines
                .get(*machine)
                .map_or("", |one| one.sort.as_str());
            let Some((_, busy_kw, idle_kw)) = DRAWS.iter().find(|(known, ..)| *known == sort)
            else {
                continue;
            };
            let spent = busy_kw * hours(*machine, true) + idle_kw * hours(*machine, false);
            let watt_hours = (spent * 1_000.0).floor();
            if watt_hours > *last {
                *last = watt_hours;
                said.push((*machine, watt_hours));
            }
        }
        for (machine, watt_hours) in said {
            let body = EnergyCounter {
                meter: text("main"),
                medium: Medium::Electricity,
                value: Some(watt_hours),
                ..EnergyCounter::default()
            };
            self.says(machine, Body::EnergyCounter(body));
        }
    }

    fn samples(&mut self, factory: &Factory) {
        let layout = factory.layout();
        for (machine, about) in layout.machines.iter().enumerate() {
            let Some((_, item, unit, mean, deviation)) =
                SAMPLES.iter().find(|(sort, ..)| *sort == about.sort)
            else {
                continue;
            };
            let values = (0..VALUES).map(|_| rounded(mean + deviation * normal(&mut self.figures)));
            let values: Vec<f64> = values.collect();
            let sum: f64 = values.iter().sum();
            let item = SampleItem {
                item: Cow::Borrowed(*item),
                unit: Cow::Borrowed(*unit),
                n: u64::from(VALUES),
                unavailable: 0,
                min: values.iter().copied().reduce(f64::min),
                max: values.iter().copied().reduce(f64::max),
                mean: Some(sum / f64::from(VALUES)),
                last: values.last().copied(),
            };
            let body = SampleReported {
                period_start: self.time(self.now_ns.saturating_sub(TICK_NS)),
                period_ms: TICK_NS / 1_000_000,
                items: vec![item],
                ..SampleReported::default()
            };
            self.says(machine, Body::SampleReported(body));
        }
    }

    /// Once an hour stores are counted and suppliers say how they stand.
    fn stocks(&mut self, layout: &Layout) {
        for (buffer, spec) in layout
            .buffers
            .iter()
            .enumerate()
            .filter(|(_, one)| one.kind == BufferKind::Store)
        {
            let level = self.levels.get(buffer).copied().unwrap_or(0);
            let part_number = spec.id.strip_suffix("-store").unwrap_or(&spec.id);
            let body = InventoryCounted {
                location: text(spec.id.as_str()),
                part_number: text(part_number),
                quantity: f64::from(level),
                unit: text("C62"),
                ..InventoryCounted::default()
            };
            if self.errs(MISCOUNT) {
                let wrong = InventoryCounted {
                    quantity: body.quantity + 10.0,
                    ..body.clone()
                };
                let right = Remedy::Replace(Box::new(Body::InventoryCounted(body)));
                let why = "a rack was counted twice";
                self.books_wrongly(None, Body::InventoryCounted(wrong), right, why);
            } else {
                self.books(Body::InventoryCounted(body));
            }
        }
        let mut known: Vec<&str> = Vec::new();
        for feed in layout.feeds.iter().filter(|feed| !feed.site.is_empty()) {
            if known.contains(&feed.part_number.as_str()) {
                continue;
            }
            known.push(&feed.part_number);
            let days = rounded(self.people.between(0.4, 6.0));
            let demand = f64::from(feed.quantity) * 900.0;
            let body = SupplyStatusReported {
                part_number: text(feed.part_number.as_str()),
                site: text(feed.site.as_str()),
                stock: Some((days * demand).round()),
                unit: text("C62"),
                days_of_supply: Some(days),
                demand_per_day: Some(demand),
                capacity_per_week: Some(demand * 7.0),
            };
            self.books(Body::SupplyStatusReported(body));
        }
    }
}
