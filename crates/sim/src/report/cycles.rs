//! Cycles of stations and of the machines inside them, programs, tools and change-overs.

use super::parts::{carrier, product, variant};
use super::{Reporter, curves, figures, text};
use crate::factory::{Part, Verdict};
use crate::layout::{Layout, Place};
use werkbuch_model::event::{
    Body, CycleCompleted, CycleStarted, Disposition, ItemChanged, OrderCompleted, OrderStarted,
    ProgramChanged, ToolChanged, ToolLifeUnit, WorkOutcome,
};

/// After how many cycles a robot says how worn its tool is, and after how many it gets a new one.
const TOOL_EVERY: u32 = 10;
const TOOL_LIFE: u32 = 400;
/// After how many cycles a press says the curve of its stroke, and a robot that of a weld.
const STROKE_EVERY: u64 = 20;
const WELD_EVERY: u32 = 60;
const MS_NS: u64 = 1_000_000;

impl Reporter {
    pub(super) fn started(&mut self, layout: &Layout, station: usize, about: Part, cycle: u64) {
        let Some(spec) = layout.stations.get(station) else {
            return;
        };
        self.program(layout, spec.machine, about.variant);
        for resource in &spec.resources {
            self.program(layout, *resource, about.variant);
        }
        let body = CycleStarted {
            cycle: text(cycle.to_string()),
            program: text(variant(layout, &about)),
            part_type: text(product(layout, &about)),
            part: text(self.name(layout, &about)),
            operation: text(spec.operation.as_str()),
            carrier: text(carrier(layout, &about)),
            variant: text(variant(layout, &about)),
        };
        self.says(spec.machine, Body::CycleStarted(body));
    }

    pub(super) fn ended(
        &mut self,
        layout: &Layout,
        station: usize,
        about: Part,
        cycle: u64,
        took_ns: u64,
        verdict: Verdict,
    ) {
        let Some(spec) = layout.stations.get(station) else {
            return;
        };
        let part = self.name(layout, &about);
        let body = CycleCompleted {
            cycle: text(cycle.to_string()),
            duration_ms: Some(took_ns / MS_NS),
            ideal_ms: Some(spec.cycle_ns / MS_NS),
            outcome: if verdict == Verdict::Good {
                WorkOutcome::Ok
            } else {
                WorkOutcome::Nok
            },
            part: text(part.as_str()),
            part_type: text(product(layout, &about)),
            variant: text(variant(layout, &about)),
            operation: text(spec.operation.as_str()),
            subgroup: text(""),
            parts: 1,
        };
        self.says(spec.machine, Body::CycleCompleted(body.clone()));
        let sort = layout
            .machines
            .get(spec.machine)
            .map_or("", |one| one.sort.as_str());
        for body in figures::of_station(sort, &mut self.figures, cycle, &part, verdict) {
            self.says(spec.machine, body);
        }
        for (at, resource) in spec.resources.iter().enumerate() {
            let share = took_ns / MS_NS * (60 + 5 * (at as u64 % 6)) / 100;
            let own = CycleCompleted {
                duration_ms: Some(share),
                ideal_ms: None,
                parts: 0,
                ..body.clone()
            };
            self.says(*resource, Body::CycleCompleted(own));
            for body in figures::of_robot(sort, &mut self.figures, cycle, &part) {
                self.says(*resource, body);
            }
            self.tool(*resource, at);
            let used = self.tools.get(*resource).copied().unwrap_or(0);
            if figures::welds(sort) && used % WELD_EVERY == 1 {
                self.curve(*resource, &curves::WELD);
            }
        }
        if sort == "press" && cycle % STROKE_EVERY == 1 {
            self.curve(spec.machine, &curves::STROKE);
        }
        self.count(layout, station, verdict, variant(layout, &about), &part);
        self.judged(layout, station, about, verdict);
    }

    /// What a cycle has made of its part, and what is decided about it.
    fn judged(&mut self, layout: &Layout, station: usize, about: Part, verdict: Verdict) {
        let Some(machine) = layout.stations.get(station).map(|one| one.machine) else {
            return;
        };
        let here = Place::Station(station);
        match verdict {
            Verdict::Good => {}
            Verdict::Rework => {
                self.shift_figures(machine, |done| done.rework += 1);
                self.dispose(layout, about, here, Disposition::Rework);
            }
            Verdict::Scrap => {
                self.shift_figures(machine, |done| done.scrap += 1);
                self.condemned(layout, about, here);
            }
        }
    }

    /// The program follows the variant.
    fn program(&mut self, layout: &Layout, machine: usize, variant: usize) {
        let Some(running) = self.programs.get_mut(machine) else {
            return;
        };
        if running.replace(variant) == Some(variant) {
            return;
        }
        let name = layout.variants.get(variant).map_or("", |one| &one.id);
        let body = ProgramChanged {
            slot: text(""),
            program: Some(text(name)),
            revision: text("7"),
            block: text(""),
        };
        self.says(machine, Body::ProgramChanged(body));
        let sort = layout.machines.get(machine).map_or("", |one| &one.sort);
        let what = match sort {
            "press" => "dies for",
            "paint-booth" => "colour and bells for",
            _ => return,
        };
        let body = ItemChanged {
            item: text("program_comment"),
            text: Some(text(format!("{what} {name}"))),
        };
        self.says(machine, Body::ItemChanged(body));
    }

    fn tool(&mut self, machine: usize, robot: usize) {
        let Some(used) = self.tools.get_mut(machine) else {
            return;
        };
        *used += 1;
        if *used % TOOL_EVERY != 0 {
            return;
        }
        let used = *used;
        let body = ToolChanged {
            slot: text("1"),
            tool: Some(text(format!("tip-{}-{}", robot + 1, used / TOOL_LIFE + 1))),
            life_used: Some(f64::from(used % TOOL_LIFE)),
            life_limit: Some(f64::from(TOOL_LIFE)),
            life_unit: ToolLifeUnit::Count,
        };
        self.says(machine, Body::ToolChanged(body));
    }

    pub(super) fn setup_began(&mut self, layout: &Layout, station: usize, from: usize, _to: usize) {
        // Where parts come in by lots, a lot ends with its change-over.
        let Some(spec) = layout
            .stations
            .get(station)
            .filter(|one| one.source.is_some())
        else {
            return;
        };
        if let (Some(order), Some(_)) = (self.lot(layout, station), layout.variants.get(from)) {
            let body = OrderCompleted {
                order: text(order),
                done: None,
                scrap: None,
            };
            self.says(spec.machine, Body::OrderCompleted(body));
        }
    }

    pub(super) fn setup_ended(&mut self, layout: &Layout, station: usize, to: usize) {
        let Some(spec) = layout
            .stations
            .get(station)
            .filter(|one| one.source.is_some())
        else {
            return;
        };
        if let Some(number) = self.lots.get_mut(station) {
            *number += 1;
        }
        if let (Some(order), Some(variant)) = (self.lot(layout, station), layout.variants.get(to)) {
            let body = OrderStarted {
                order: text(order),
                product: text(
                    layout
                        .products
                        .get(variant.product)
                        .map_or("", |one| one.id.as_str()),
                ),
                variant: text(variant.id.as_str()),
            };
            self.says(spec.machine, Body::OrderStarted(body));
        }
    }

    /// The name of the lot that a source works on; absent before its first change-over.
    fn lot(&self, layout: &Layout, station: usize) -> Option<String> {
        let number = self
            .lots
            .get(station)
            .copied()
            .filter(|number| *number > 0)?;
        let machine = layout.machines.get(layout.stations.get(station)?.machine)?;
        Some(format!("L-{}-{number}", machine.id))
    }
}
