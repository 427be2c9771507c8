//! What is said when the machines come on: who they are, that they can be reached, how they are used.

use super::trouble::FULL_PERCENT;
use super::{Reporter, text};
use crate::factory::Factory;
use crate::layout::{Layout, Turn};
use werkbuch_model::event::{
    AssetDeclared, Body, CalendarChanged, Connection, ConnectionChanged, DeclaredItem,
    IntervalKind, ItemCategory, Mode, PlannedInterval, Vocabulary,
};

/// For how long ahead the calendar is told, in nanoseconds: a week.
const AHEAD_NS: u64 = 7 * 86_400 * 1_000_000_000;

/// Who makes machines of a sort: maker and model.
const MAKERS: &[(&str, &str, &str)] = &[
    ("press", "Umform AG", "ServoLine 2500"),
    ("robot", "Gelenk & Arm", "GA-210"),
    ("paint-booth", "Lacktechnik Ost", "EcoBooth 4"),
    ("oven", "Thermobau", "TB-20"),
    ("dip-tank", "Thermobau", "DT-4"),
    ("test-bench", "Rolltest", "RT-9"),
];

impl Reporter {
    pub(crate) fn births(&mut self, factory: &Factory) {
        let layout = factory.layout();
        for (machine, about) in layout.machines.iter().enumerate() {
            let maker = MAKERS.iter().find(|(sort, ..)| *sort == about.sort);
            let (_, manufacturer, model) = maker.copied().unwrap_or(("", "Eigenbau", "standard"));
            let items = vec![DeclaredItem {
                id: text("state"),
                item_type: text("EXECUTION"),
                unit: text(""),
                category: ItemCategory::Event,
                deadband: None,
            }];
            let declared = AssetDeclared {
                manufacturer: text(manufacturer),
                model: text(model),
                serial: text(format!("{}-{:05}", self.plant, about.number.get())),
                items,
            };
            self.says(machine, Body::AssetDeclared(declared));
            let online = ConnectionChanged {
                to: Connection::Online,
                cause: text("switched on"),
            };
            self.says(machine, Body::ConnectionChanged(online));
            let modes = match about.vocabulary {
                Vocabulary::PackmlState => Vocabulary::PackmlMode,
                Vocabulary::MtconnectExecution => Vocabulary::MtconnectFunctionalMode,
                _ => Vocabulary::Canonical,
            };
            self.mode(machine, Mode::Production, modes);
            self.overrides(layout, machine, FULL_PERCENT);
            if self.vehicle(machine).is_some() {
                self.drive(machine, false);
            }
        }
        for station in 0..layout.stations.len() {
            self.zero(layout, station);
        }
        self.calendar(layout);
        self.programme(layout);
    }

    /// The calendar of the first hours that stations follow, as the plant's.
    fn calendar(&mut self, layout: &Layout) {
        let Some(hours) = layout.hours.first() else {
            return;
        };
        let spans = hours.toggles.iter().zip(hours.toggles.iter().skip(1));
        let spans = spans.take_while(|(begin, _)| begin.at_ns < AHEAD_NS);
        let intervals: Vec<_> = spans
            .map(|(begin, end)| PlannedInterval {
                from: self.time(begin.at_ns),
                to: self.time(end.at_ns),
                kind: match begin.turn {
                    Turn::Open => IntervalKind::Shift,
                    Turn::Break => IntervalKind::Break,
                    Turn::Closed => IntervalKind::Closed,
                },
                name: text(begin.shift.as_str()),
                team: text(begin.team.as_str()),
            })
            .collect();
        let (Some(from), Some(to)) = (
            intervals.first().map(|one| one.from),
            intervals.last().map(|one| one.to),
        ) else {
            return;
        };
        let body = CalendarChanged {
            unit: text(""),
            key: text("week"),
            from,
            to,
            intervals,
        };
        self.books(Body::CalendarChanged(body));
    }
}
