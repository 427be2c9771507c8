//! What rules have found of the machines of a plant, beside its twin at the same instant.

use super::row::{MachineRow, Raised};
use super::twin::rows;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use werkbuch_engine::{EngineError, KeptRule, Plant, RaisedRules};
use werkbuch_model::id::MachineNumber;
use werkbuch_twin::Twin;
use werkbuch_wire::{name, pb};

/// What rules have found of each machine; none of a machine of which nothing is raised.
#[derive(Clone, Debug, Default)]
pub(crate) struct Found(BTreeMap<MachineNumber, Raised>);

impl Found {
    /// What is raised of a plant at the instant of this twin of it. Blocking. Errors: those of the log.
    pub(crate) fn of(plant: &Plant, twin: &Twin) -> Result<Self, EngineError> {
        let mut found = Self::default();
        for ((_, machine), one) in raised(plant, twin)? {
            found.0.entry(machine).or_default().add(one.severity);
        }
        Ok(found)
    }
}

/// A plant at an instant: its twin, and what is raised there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Standing<'t> {
    pub(crate) twin: &'t Twin,
    /// Absent where it is not asked.
    pub(crate) raised: Option<&'t Found>,
}

impl<'t> Standing<'t> {
    /// The machines of the description, by number.
    pub(crate) fn rows(self) -> impl Iterator<Item = MachineRow<'t>> {
        rows(self.twin).map(move |row| match self.raised {
            Some(Found(of)) => {
                let raised = of.get(&row.machine.number()).copied();
                row.raising(raised.unwrap_or_default())
            }
            None => row,
        })
    }
}

/// What is raised of a plant at the instant of this twin of it. Blocking. Errors: those of the log.
pub(crate) fn raised(plant: &Plant, twin: &Twin) -> Result<RaisedRules, EngineError> {
    plant.raised_at(twin.position(), twin.scope().at)
}

/// Shows of a machine what is raised of it, the most severe first, then the oldest. A rule that no longer
/// applies says nothing more.
pub(crate) fn show(machine: &mut pb::Machine, plant: &Plant, raised: &RaisedRules) {
    let (book, number) = (plant.rules(), MachineNumber(machine.number));
    let of = raised.iter().filter(|((_, one), _)| *one == number);
    let mut found: Vec<pb::RaisedRule> = of
        .map(|((rule, _), one)| {
            let text = said(book.rules(), rule);
            message(machine.name.clone(), number, text, (rule, one))
        })
        .collect();
    found.sort_by(|a, b| {
        let of = |one: &pb::RaisedRule| (Reverse(one.severity), one.at);
        of(a).cmp(&of(b)).then_with(|| a.rule.cmp(&b.rule))
    });
    machine.raised_rules = Some(super::unsigned(found.len()));
    machine.raised_severity = found.first().map(|worst| worst.severity);
    machine.raised = found;
}

/// What a rule says; nothing when it is not among these.
pub(crate) fn said<'r>(rules: impl IntoIterator<Item = &'r KeptRule>, rule: &str) -> &'r str {
    let of = rules.into_iter().find(|one| &*one.rule == rule);
    of.map_or("", |rule| &rule.text)
}

/// A rule that is raised of a machine, as a message.
pub(crate) fn message(
    machine: String,
    number: MachineNumber,
    text: &str,
    (rule, raised): (&str, &werkbuch_engine::Raised),
) -> pb::RaisedRule {
    pb::RaisedRule {
        rule: rule.to_owned(),
        machine,
        number: number.get(),
        at: raised.at.nanos(),
        since: raised.since.nanos(),
        severity: raised.severity,
        message: text.to_owned(),
        position: raised.position.get(),
    }
}

/// The name of a machine of a twin; its number where it has none.
pub(crate) fn name_of(twin: &Twin, machine: MachineNumber) -> String {
    let name_of = twin.description().name_of(machine);
    let id = name_of.map_or_else(|| machine.to_string(), |name| name.as_str().to_owned());
    name::of_machine(twin.plant().as_str(), &id)
}
