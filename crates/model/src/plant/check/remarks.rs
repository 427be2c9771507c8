//! What is no mistake and still worth knowing: loops that can lock up, cycles that cannot be.

use super::Remark;
use crate::id::ElementId;
use crate::plant::description::Description;
use crate::plant::spec::*;
use std::collections::BTreeMap;

/// How many members of a loop are named.
const SHOWN: usize = 8;

pub(super) fn all(description: &Description) -> Vec<Remark> {
    let mut remarks = deadlocks(description);
    remarks.extend(cycles(description));
    remarks.extend(steps(description));
    remarks
}

fn remark(kind: &'static str, text: String) -> Remark {
    Remark { kind, text }
}

/// Loops of the flow in which every place is a machine: once all hold a part, none can move.
fn deadlocks(description: &Description) -> Vec<Remark> {
    let is_parts = |flow: &&Flow| flow.flow_kind != FlowKind::Empties;
    let mut next: BTreeMap<&ElementId, Vec<&ElementId>> = BTreeMap::new();
    for flow in description.flows().filter(is_parts) {
        let (from, to) = (flow.from.as_str(), flow.to.as_str());
        if description.buffer(from).is_none() && description.buffer(to).is_none() {
            next.entry(&flow.from).or_default().push(&flow.to);
        }
    }
    let loops = components(&next)
        .into_iter()
        .filter(|members| members.len() > 1);
    loops
        .map(|mut members| {
            members.sort_unstable();
            let total = members.len();
            let mut names: Vec<&str> = members.iter().take(SHOWN).map(|id| id.as_str()).collect();
            if total > SHOWN {
                names.push("...");
            }
            let names = names.join(", ");
            remark(
                "deadlock",
                format!(
                    "{total} machines flow in a circle without a buffer and can lock up: {names}"
                ),
            )
        })
        .collect()
}

/// The strongly connected components (Tarjan 1972), without recursion.
fn components<'a>(next: &BTreeMap<&'a ElementId, Vec<&'a ElementId>>) -> Vec<Vec<&'a ElementId>> {
    let mut search = Search::default();
    for start in next.keys() {
        if !search.index.contains_key(start) {
            search.from(start, next);
        }
    }
    search.found
}

#[derive(Default)]
struct Search<'a> {
    index: BTreeMap<&'a ElementId, usize>,
    low: BTreeMap<&'a ElementId, usize>,
    stack: Vec<&'a ElementId>,
    on_stack: std::collections::BTreeSet<&'a ElementId>,
    found: Vec<Vec<&'a ElementId>>,
}

impl<'a> Search<'a> {
    fn enter(&mut self, id: &'a ElementId) {
        let number = self.index.len();
        self.index.insert(id, number);
        self.low.insert(id, number);
        self.stack.push(id);
        self.on_stack.insert(id);
    }

    fn lower(&mut self, id: &'a ElementId, to: usize) {
        if let Some(low) = self.low.get_mut(id) {
            *low = (*low).min(to);
        }
    }

    fn from(&mut self, start: &'a ElementId, next: &BTreeMap<&'a ElementId, Vec<&'a ElementId>>) {
        let mut path = vec![(start, 0_usize)];
        self.enter(start);
        while let Some((id, at)) = path.last_mut() {
            let id = *id;
            let child = next.get(id).and_then(|children| children.get(*at)).copied();
            *at += 1;
            match child {
                Some(child) if !self.index.contains_key(child) => {
                    self.enter(child);
                    path.push((child, 0));
                }
                Some(child) if self.on_stack.contains(child) => {
                    let index = self.index.get(child).copied().unwrap_or(0);
                    self.lower(id, index);
                }
                Some(_) => {}
                None => {
                    path.pop();
                    let low = self.low.get(id).copied().unwrap_or(0);
                    if let Some((above, _)) = path.last() {
                        self.lower(above, low);
                    }
                    if self.index.get(id) == Some(&low) {
                        self.take(id);
                    }
                }
            }
        }
    }

    fn take(&mut self, root: &'a ElementId) {
        let mut members = Vec::new();
        while let Some(member) = self.stack.pop() {
            self.on_stack.remove(member);
            members.push(member);
            if member == root {
                break;
            }
        }
        self.found.push(members);
    }
}

fn cycles(description: &Description) -> Vec<Remark> {
    let faster = |machine: &Machine| {
        let planned = machine.cycle_ms?;
        let least = machine.cycle_min_ms.filter(|least| *least > planned)?;
        let (id, planned, least) = (&machine.id, seconds(planned), seconds(least));
        let text = format!("{id} is planned at {planned} s and was never faster than {least} s");
        Some(remark("cycle", text))
    };
    let mut all: Vec<Remark> = description.machines().filter_map(faster).collect();
    for unit in description.units() {
        let constraint = unit.constraint.as_ref();
        let machine = constraint.and_then(|id| description.machine_named(id.as_str()));
        let cycle = machine.and_then(|machine| per_part(description, machine));
        let slower = unit.takt_ms.zip(cycle).filter(|(takt, cycle)| cycle > takt);
        if let (Some((takt, cycle)), Some(machine)) = (slower, machine) {
            let text = format!(
                "{} is to take {} s for a part, and its constraint {} takes {} s",
                unit.id,
                seconds(takt),
                machine.id,
                seconds(cycle)
            );
            all.push(remark("takt", text));
        }
    }
    all
}

/// The planned cycle for one part, where slots and others that can do the same step share the work:
/// an oven that bakes twenty bodies for twenty minutes gives one a minute.
fn per_part(description: &Description, machine: &Machine) -> Option<u64> {
    let steps = description
        .steps()
        .filter(|step| step.at.contains(&machine.id));
    let sharing = steps.map(|step| step.at.len()).max().unwrap_or(1).max(1);
    let parts = u64::from(machine.parts_per_cycle.max(1));
    let sharing = u64::try_from(sharing).unwrap_or(u64::MAX);
    let slots = u64::from(machine.slots.max(1));
    let at_once = parts.saturating_mul(sharing).saturating_mul(slots);
    Some(machine.cycle_ms? / at_once)
}

fn steps(description: &Description) -> Vec<Remark> {
    let faster = |step: &Step| {
        let least = step.min_ms.filter(|least| *least > step.work_ms)?;
        let text = format!(
            "step {} of {} is planned at {} s and was never faster than {} s",
            step.number,
            step.product,
            seconds(step.work_ms),
            seconds(least)
        );
        Some(remark("cycle", text))
    };
    description.steps().filter_map(faster).collect()
}

fn seconds(millis: u64) -> String {
    crate::plant::write::seconds(millis)
}
