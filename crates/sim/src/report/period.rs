//! The official figures of a shift, when it is over.

use super::{Reporter, text};
use crate::layout::{Hours, Layout};
use werkbuch_model::event::{Body, Figure, PeriodClosed};

/// What was done since the shift began.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Done {
    pub(super) begun: u64,
    pub(super) finished: u64,
    pub(super) rework: u64,
    pub(super) scrap: u64,
    pub(super) failures: u64,
}

impl Reporter {
    /// What is counted for the area of a machine, and for the plant.
    pub(super) fn shift_figures(&mut self, machine: usize, add: fn(&mut Done)) {
        add(&mut self.shift);
        let source = self.sources.machines.get(machine).copied();
        if let Some(area) = source.and_then(|at| self.areas.get_mut(at)) {
            add(area);
        }
    }

    /// The plant's hours have turned: if a shift is over, its figures are closed.
    pub(super) fn close_shift(&mut self, layout: &Layout, of: &Hours, toggle: usize) {
        let before = of.toggles.get(..toggle).unwrap_or_default();
        let (Some(now), Some(last)) = (of.toggles.get(toggle), before.last()) else {
            return;
        };
        if last.shift.is_empty() || last.shift == now.shift {
            return;
        }
        let its = before
            .iter()
            .rev()
            .take_while(|one| one.shift == last.shift);
        let from_ns = its.last().map_or(0, |one| one.at_ns);
        let (from, to) = (self.time(from_ns), self.present());
        let local = from.plus(i64::from(self.utc_offset_s).saturating_mul(1_000_000_000));
        let day: String = local.to_string().chars().take(10).collect();
        let key = format!("{day}/{}", last.shift);
        let whole = std::mem::take(&mut self.shift);
        let mut rows = vec![(
            String::new(),
            vec![
                ("orders_begun", whole.begun),
                ("good_vehicles", whole.finished),
                ("reworked", whole.rework),
                ("scrap", whole.scrap),
                ("failures", whole.failures),
            ],
        )];
        let names = self.sources.names.iter().zip(&mut self.areas);
        for (name, area) in names {
            let done = std::mem::take(area);
            let unit = name.strip_prefix("gw-").unwrap_or_default();
            let is_known =
                |machine: &crate::layout::Machine| machine.units.iter().any(|one| one == unit);
            if layout.machines.iter().any(is_known) {
                let figures = vec![
                    ("reworked", done.rework),
                    ("scrap", done.scrap),
                    ("failures", done.failures),
                ];
                rows.push((unit.to_owned(), figures));
            }
        }
        for (unit, figures) in rows {
            let figure = |(name, count): (&'static str, u64)| Figure {
                name: text(name),
                value: count as f64,
                unit: text("C62"),
                ..Figure::default()
            };
            let body = PeriodClosed {
                unit: text(unit),
                key: text(key.as_str()),
                from,
                to,
                figures: figures.into_iter().map(figure).collect(),
                ..PeriodClosed::default()
            };
            self.books(Body::PeriodClosed(body));
        }
    }
}
