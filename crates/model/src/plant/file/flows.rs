//! Checks of shares that must sum to all, and of steps that must follow the flow.

use super::objects::{Found, Raw};
use super::reader::{Reader, Spot};
use crate::id::ElementId;
use crate::plant::spec::*;
use std::collections::{BTreeMap, BTreeSet};

/// How many arrows are followed in all, so that a file made to be slow is not.
const STEPS_OF_SEARCH_MAX: usize = 20_000_000;

pub(super) fn check(reader: &mut Reader<'_>, raw: &Raw<'_>) {
    check_branches(reader, raw);
    check_variants(reader, raw);
    let mut graph = Graph::new(raw);
    check_routings(reader, raw, &mut graph);
    check_reworks(reader, raw, &mut graph);
}

/// Whether shares sum to one. Each may be off by half of the last digit that was written.
fn sums_to_one(shares: &[Decimal]) -> bool {
    let sum = sum(shares);
    let off = sum.abs_diff(Decimal::ONE.millionths());
    off <= u64::try_from(shares.len()).unwrap_or(u64::MAX)
}

fn sum(shares: &[Decimal]) -> u64 {
    let shares = shares.iter().map(|share| share.millionths());
    shares.fold(0, u64::saturating_add)
}

fn check_sum(reader: &mut Reader<'_>, shares: &[Option<Decimal>], at: Spot, of: &str) {
    let given: Vec<Decimal> = shares.iter().copied().flatten().collect();
    let all = given.len() == shares.len();
    let total = Decimal(sum(&given));
    // A share of more than all is a mistake already.
    let is_told = given.iter().any(|share| *share > Decimal::ONE);
    if given.is_empty() || is_told || (all && sums_to_one(&given)) {
        return;
    }
    if all {
        let what = format!("the shares of {of} sum to {total}, not to 1");
        reader.mistake(
            at,
            what,
            "correct them, or leave one out, which takes the rest",
        );
    } else if total > Decimal::ONE {
        let what = format!("the shares of {of} sum to {total}, which is more than all");
        reader.mistake(at, what, "what has no share takes the rest");
    } else if shares.len() - given.len() > 1 {
        let what = format!("several of {of} have no share");
        reader.mistake(at, what, "at most one may have none: it takes the rest");
    }
}

/// Of each element, the arrows along which a part of each variant may go.
fn check_branches(reader: &mut Reader<'_>, raw: &Raw<'_>) {
    let mut branches: BTreeMap<&ElementId, Vec<&Found<'_, Flow>>> = BTreeMap::new();
    let parts = raw.flows.iter();
    for found in parts.filter(|found| found.value.flow_kind != FlowKind::Empties) {
        branches.entry(&found.value.from).or_default().push(found);
    }
    for (from, flows) in branches {
        let Some(first) = flows.iter().find(|found| found.value.share.is_some()) else {
            continue;
        };
        let at = first.spot("share");
        let named: BTreeSet<&ElementId> = flows
            .iter()
            .flat_map(|found| &found.value.variants)
            .collect();
        let shares = |variant: Option<&ElementId>| -> Vec<Option<Decimal>> {
            let goes = |flow: &Flow| {
                flow.variants.is_empty() || variant.is_some_and(|v| flow.variants.contains(v))
            };
            let flows = flows.iter().map(|found| &found.value);
            flows
                .filter(|flow| goes(flow))
                .map(|flow| flow.share)
                .collect()
        };
        check_sum(
            reader,
            &shares(None),
            at,
            &format!("the flows from \"{from}\""),
        );
        for variant in named {
            let of = format!("the flows from \"{from}\" for \"{variant}\"");
            check_sum(reader, &shares(Some(variant)), at, &of);
        }
    }
}

fn check_variants(reader: &mut Reader<'_>, raw: &Raw<'_>) {
    let mut products: BTreeMap<&ElementId, Vec<&Found<'_, Variant>>> = BTreeMap::new();
    for found in &raw.variants {
        products
            .entry(&found.value.product)
            .or_default()
            .push(found);
    }
    for (product, variants) in products {
        let shares: Vec<Option<Decimal>> = variants.iter().map(|found| found.value.share).collect();
        let mut some = variants.iter().filter(|found| found.value.share.is_some());
        if let Some(first) = some.next() {
            let of = format!("the variants of \"{product}\"");
            check_sum(reader, &shares, first.spot("share"), &of);
        }
    }
}

/// Where parts can go.
struct Graph<'a> {
    next: BTreeMap<&'a str, Vec<&'a str>>,
    touched: BTreeSet<&'a str>,
    nodes: BTreeMap<&'a str, &'a str>,
    budget: usize,
}

impl<'a> Graph<'a> {
    fn new(raw: &'a Raw<'a>) -> Self {
        let mut next: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        let mut touched = BTreeSet::new();
        for found in &raw.flows {
            let (from, to) = (found.value.from.as_str(), found.value.to.as_str());
            next.entry(from).or_default().push(to);
            touched.extend([from, to]);
        }
        let machines = raw.machines.iter().map(|found| &found.value.spec);
        let node =
            |machine: &'a Machine| Some((machine.id.as_str(), machine.node.as_ref()?.as_str()));
        Self {
            next,
            touched,
            nodes: machines.filter_map(node).collect(),
            budget: STEPS_OF_SEARCH_MAX,
        }
    }

    /// The place that parts pass for a machine: for a resource its node.
    fn place(&self, machine: &'a str) -> &'a str {
        self.nodes.get(machine).copied().unwrap_or(machine)
    }

    /// Whether parts can get from one of these places to one of those, at once or by way of others.
    /// Where the flow is not described, they can.
    fn leads(&mut self, from: &[&'a str], to: &[&'a str]) -> bool {
        let from: Vec<&str> = from.iter().map(|name| self.place(name)).collect();
        let to: BTreeSet<&str> = to.iter().map(|name| self.place(name)).collect();
        let is_described = |name: &&str| self.touched.contains(*name);
        if !from.iter().any(is_described) || !to.iter().any(is_described) {
            return true;
        }
        if from.iter().any(|name| to.contains(name)) {
            return true;
        }
        let mut seen: BTreeSet<&str> = from.iter().copied().collect();
        let mut waiting: std::collections::VecDeque<&str> = from.into();
        while let Some(name) = waiting.pop_front() {
            for next in self.next.get(name).into_iter().flatten() {
                if to.contains(next) || self.budget == 0 {
                    return true;
                }
                self.budget -= 1;
                if seen.insert(next) {
                    waiting.push_back(next);
                }
            }
        }
        false
    }
}

fn names(ids: &[ElementId]) -> Vec<&str> {
    ids.iter().map(ElementId::as_str).collect()
}

fn check_routings<'a>(reader: &mut Reader<'_>, raw: &'a Raw<'a>, graph: &mut Graph<'a>) {
    let mut routings: BTreeMap<_, Vec<&Found<'_, Step>>> = BTreeMap::new();
    for found in &raw.steps {
        let key = (&found.value.product, &found.value.variant);
        routings.entry(key).or_default().push(found);
    }
    for ((product, _), mut steps) in routings {
        steps.sort_by_key(|found| found.value.number);
        for pair in steps.windows(2) {
            let [before, after] = pair else { continue };
            if !graph.leads(&names(&before.value.at), &names(&after.value.at)) {
                let what = format!(
                    "no flow leads from step {} of \"{product}\" at {} to its step {} at {}",
                    before.value.number,
                    names(&before.value.at).join(", "),
                    after.value.number,
                    names(&after.value.at).join(", "),
                );
                reader.mistake(
                    after.spot("at"),
                    what,
                    "add the [[flow]], or correct the step",
                );
            }
        }
    }
}

fn check_reworks<'a>(reader: &mut Reader<'_>, raw: &'a Raw<'a>, graph: &mut Graph<'a>) {
    for found in &raw.reworks {
        let rework = &found.value;
        let mut way = vec![rework.from.as_str()];
        way.extend(names(&rework.through));
        way.push(rework.back_to.as_str());
        for pair in way.windows(2) {
            let [from, to] = pair else { continue };
            if !graph.leads(&[from], &[to]) {
                let what = format!("no flow leads from \"{from}\" to \"{to}\" in this loop");
                let hint = "add the [[flow]] with kind = \"rework\"";
                reader.mistake(found.spot("through"), what, hint);
            }
        }
    }
}
