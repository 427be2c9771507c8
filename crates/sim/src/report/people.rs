//! Shifts as they come and go, who is there, what is planned for them, and calls for help.

use super::{Reporter, names, person, text};
use crate::layout::{Layout, Turn};
use werkbuch_model::event::{
    AndonCleared, AndonKind, AndonRaised, Body, PlanEntry, PlanKind, PlanPublished, StaffingChanged,
};
use werkbuch_model::plant::CrewKind;

/// How many vehicles of a product a shift is to build.
const SHIFT_TARGET: f64 = 420.0;
const SHIFT_NS: u64 = 8 * 3_600 * 1_000_000_000;

impl Reporter {
    pub(super) fn hours(&mut self, layout: &Layout, hours: usize, toggle: usize) {
        let Some(of) = layout.hours.get(hours) else {
            return;
        };
        let Some(now) = of.toggles.get(toggle) else {
            return;
        };
        // Crews, plan and figures are the whole plant's: they follow its first hours.
        if hours == 0 {
            self.close_shift(layout, of, toggle);
        }
        let before = toggle.checked_sub(1).and_then(|at| of.toggles.get(at));
        let begins = now.turn == Turn::Open
            && before.is_none_or(|before| before.shift != now.shift || before.turn == Turn::Closed);
        if !begins {
            return;
        }
        for (station, _) in layout
            .stations
            .iter()
            .enumerate()
            .filter(|(_, one)| one.hours == Some(hours))
        {
            self.reset_counters(layout, station);
        }
        if hours > 0 {
            return;
        }
        if toggle > 0 {
            self.programme(layout);
        }
        for crew in layout.crews.iter().filter(|crew| crew.size > 0) {
            let most_away = if crew.kind == CrewKind::Operation {
                3
            } else {
                2
            };
            let away = u32::try_from(self.people.below(most_away)).unwrap_or(0);
            let unit = crew.id.split_once('-').map_or("", |(_, unit)| unit);
            let body = StaffingChanged {
                unit: text(unit),
                crew: text(crew.id.as_str()),
                shift: text(now.shift.as_str()),
                skill: text(crew.skill.as_str()),
                present: Some(u64::from(crew.size.saturating_sub(away))),
                required: Some(u64::from(crew.size)),
                who: person(""),
            };
            self.books(Body::StaffingChanged(body));
        }
    }

    /// What a shift is to build, by variant.
    pub(super) fn programme(&mut self, layout: &Layout) {
        self.plan_version += 1;
        let (from, to) = (
            self.present(),
            self.time(self.now_ns.saturating_add(SHIFT_NS)),
        );
        let vehicles = layout
            .variants
            .iter()
            .filter(|one| names::is_vehicle(layout, one.product));
        let whole: f64 = vehicles.clone().map(|one| one.share).sum();
        let entries: Vec<_> = vehicles
            .map(|one| PlanEntry {
                at: from,
                until: Some(to),
                product: text(
                    layout
                        .products
                        .get(one.product)
                        .map_or("", |one| one.id.as_str()),
                ),
                variant: text(one.id.as_str()),
                quantity: Some((SHIFT_TARGET * one.share / whole).round()),
                ..PlanEntry::default()
            })
            .collect();
        if entries.is_empty() {
            return;
        }
        let body = PlanPublished {
            plan: text("shift-programme"),
            plan_kind: PlanKind::Programme,
            version: self.plan_version,
            chunk: 1,
            chunks: 1,
            from: Some(from),
            to: Some(to),
            entries,
        };
        self.books(Body::PlanPublished(body));
    }

    pub(super) fn andon(
        &mut self,
        layout: &Layout,
        station: usize,
        number: u32,
        about_quality: bool,
    ) {
        let Some(machine) = layout.stations.get(station).map(|one| one.machine) else {
            return;
        };
        let who = names::somebody(self.people.bits());
        let body = AndonRaised {
            key: text(format!("call-{number}")),
            andon: if about_quality {
                AndonKind::Quality
            } else {
                AndonKind::Help
            },
            location: text(""),
            text: text(if about_quality {
                "part does not fit"
            } else {
                "help needed"
            }),
            who: person(who),
        };
        self.says(machine, Body::AndonRaised(body));
    }

    pub(super) fn andon_ended(&mut self, layout: &Layout, station: usize, number: u32) {
        let Some(machine) = layout.stations.get(station).map(|one| one.machine) else {
            return;
        };
        let who = names::somebody(self.people.bits());
        let body = AndonCleared {
            key: text(format!("call-{number}")),
            who: person(who),
            comment: person(""),
        };
        self.says(machine, Body::AndonCleared(body));
    }
}
