//! Puts the places of a plant into rows along the flow, unit by unit.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use werkbuch_model::id::ElementId;
use werkbuch_model::plant::{Description, Flow, FlowKind, FlowRole, Machine, Unit};

/// A plant, or a unit of it, as it is drawn.
pub(super) struct Drawing<'d> {
    pub(super) blocks: Vec<Block<'d>>,
    places: BTreeSet<&'d ElementId>,
    /// How many resources work in each node.
    resources: BTreeMap<&'d ElementId, usize>,
    constraints: BTreeSet<&'d ElementId>,
}

/// A unit with its own rows, and what lies in it. Without a unit: what lies directly in the plant.
pub(super) struct Block<'d> {
    pub(super) unit: Option<&'d Unit>,
    pub(super) rows: Vec<Vec<&'d ElementId>>,
    /// Arrows that leave a place of this block and are not between two neighbours of a row.
    pub(super) others: Vec<&'d Flow>,
    pub(super) inner: Vec<Block<'d>>,
}

/// The word for what goes along a flow.
pub(super) const fn kind_of(flow: &Flow) -> &'static str {
    match flow.flow_kind {
        FlowKind::Unspecified | FlowKind::Main => "main",
        FlowKind::Rework => "rework",
        FlowKind::Scrap => "scrap",
        FlowKind::Empties => "empties",
    }
}

fn is_main(flow: &Flow) -> bool {
    matches!(flow.flow_kind, FlowKind::Unspecified | FlowKind::Main)
}

impl<'d> Drawing<'d> {
    pub(super) fn new(description: &'d Description, unit: Option<&str>) -> Self {
        let order = order(description);
        let mut of_unit: BTreeMap<Option<&ElementId>, Vec<&ElementId>> = BTreeMap::new();
        let mut resources: BTreeMap<&ElementId, usize> = BTreeMap::new();
        for machine in description.machines() {
            match (&machine.node, is_drawn(machine)) {
                (Some(node), false) => *resources.entry(node).or_default() += 1,
                _ => of_unit
                    .entry(machine.parent.as_ref())
                    .or_default()
                    .push(&machine.id),
            }
        }
        for buffer in description.buffers() {
            of_unit
                .entry(buffer.parent.as_ref())
                .or_default()
                .push(&buffer.id);
        }
        for places in of_unit.values_mut() {
            places.sort_by_key(|id| order.get(*id).copied().unwrap_or(usize::MAX));
        }
        let mut units: BTreeMap<Option<&ElementId>, Vec<&Unit>> = BTreeMap::new();
        for unit in description.units() {
            units.entry(unit.parent.as_ref()).or_default().push(unit);
        }
        let mut builder = Builder {
            description,
            order,
            of_unit,
            units,
            places: BTreeSet::new(),
        };
        let blocks = match unit.and_then(|unit| description.unit(unit)) {
            Some(unit) => vec![builder.block(Some(unit))],
            None => {
                let mut plant = builder.block(None);
                let mut blocks = std::mem::take(&mut plant.inner);
                if !plant.rows.is_empty() {
                    blocks.insert(0, plant);
                }
                blocks
            }
        };
        let constraints = description
            .units()
            .filter_map(|unit| unit.constraint.as_ref());
        Self {
            blocks,
            places: builder.places,
            resources,
            constraints: constraints.collect(),
        }
    }

    pub(super) fn places(&self) -> usize {
        self.places.len()
    }

    pub(super) fn holds(&self, id: &ElementId) -> bool {
        self.places.contains(id)
    }

    pub(super) fn resources(&self, id: &ElementId) -> usize {
        self.resources.get(id).copied().unwrap_or(0)
    }

    pub(super) fn is_constraint(&self, id: &ElementId) -> bool {
        self.constraints.contains(id)
    }
}

/// Resources are drawn with their node.
fn is_drawn(machine: &Machine) -> bool {
    machine.role != FlowRole::Resource
}

struct Builder<'d> {
    description: &'d Description,
    order: BTreeMap<&'d ElementId, usize>,
    of_unit: BTreeMap<Option<&'d ElementId>, Vec<&'d ElementId>>,
    units: BTreeMap<Option<&'d ElementId>, Vec<&'d Unit>>,
    places: BTreeSet<&'d ElementId>,
}

impl<'d> Builder<'d> {
    fn block(&mut self, unit: Option<&'d Unit>) -> Block<'d> {
        let key = unit.map(|unit| &unit.id);
        let own = self.of_unit.remove(&key).unwrap_or_default();
        let rows = self.rows(&own);
        let mut drawn = BTreeSet::new();
        for row in &rows {
            drawn.extend(row.windows(2).filter_map(|pair| match pair {
                [from, to] => Some((*from, *to)),
                _ => None,
            }));
        }
        let leaving = own.iter().flat_map(|id| self.description.flows_from(id));
        let others = leaving.filter(|flow| !drawn.contains(&(&flow.from, &flow.to)));
        let others = others.collect();
        self.places.extend(own.iter().copied());
        // Units along the flow: by the first place in them.
        let mut inner = self.units.remove(&key).unwrap_or_default();
        inner.sort_by_cached_key(|unit| (self.first(&unit.id, 0), &unit.id));
        let inner = inner
            .into_iter()
            .map(|unit| self.block(Some(unit)))
            .collect();
        Block {
            unit,
            rows,
            others,
            inner,
        }
    }

    /// The place in the flow at which a unit begins. Units do not nest deeper than a circle would.
    fn first(&self, unit: &'d ElementId, depth: usize) -> usize {
        let own = self.of_unit.get(&Some(unit)).into_iter().flatten();
        let own = own.filter_map(|id| self.order.get(id).copied()).min();
        let inner = self.units.get(&Some(unit)).into_iter().flatten();
        let inner = match depth > 32 {
            true => None,
            false => inner.map(|unit| self.first(&unit.id, depth + 1)).min(),
        };
        own.into_iter().chain(inner).min().unwrap_or(usize::MAX)
    }

    /// Chains along the main flow; each begins at the first place that no chain has yet.
    fn rows(&self, own: &[&'d ElementId]) -> Vec<Vec<&'d ElementId>> {
        let mut left: BTreeSet<&ElementId> = own.iter().copied().collect();
        let mut rows = Vec::new();
        for start in own {
            if !left.remove(*start) {
                continue;
            }
            let mut row = vec![*start];
            let mut at = *start;
            while let Some(next) = self.next(at, &left) {
                left.remove(next);
                row.push(next);
                at = next;
            }
            rows.push(row);
        }
        rows
    }

    /// Where most parts go on to, of the places that are left.
    fn next(&self, at: &'d ElementId, left: &BTreeSet<&'d ElementId>) -> Option<&'d ElementId> {
        let flows = self.description.flows_from(at);
        let mut flows: Vec<&Flow> = flows
            .filter(|flow| is_main(flow) && left.contains(&flow.to))
            .collect();
        flows.sort_by_key(|flow| {
            let share = std::cmp::Reverse(flow.share);
            (flow.priority, share, self.order.get(&flow.to).copied())
        });
        flows.first().map(|flow| &flow.to)
    }
}

/// The places along the main flow: each after those before it, as far as there is no circle.
fn order(description: &Description) -> BTreeMap<&ElementId, usize> {
    let machines = description.machines().map(|machine| &machine.id);
    let all: Vec<&ElementId> = machines
        .chain(description.buffers().map(|buffer| &buffer.id))
        .collect();
    let mut waiting: BTreeMap<&ElementId, usize> = all.iter().map(|id| (*id, 0)).collect();
    for flow in description.flows().filter(|flow| is_main(flow)) {
        if let Some(count) = waiting.get_mut(&flow.to) {
            *count += 1;
        }
    }
    // What the main flow does not pass, such as a repair shop, comes last.
    let leads = |id: &ElementId| description.flows_from(id).any(is_main);
    let ready = all
        .iter()
        .copied()
        .filter(|id| waiting.get(id) == Some(&0) && leads(id));
    let mut ready: VecDeque<&ElementId> = ready.collect();
    let mut rest = all.iter().copied();
    let mut order = BTreeMap::new();
    loop {
        // In a circle nothing is ready: the first that is left goes first.
        let next = ready
            .pop_front()
            .or_else(|| rest.find(|id| !order.contains_key(id)));
        let Some(id) = next else { return order };
        if order.contains_key(id) {
            continue;
        }
        order.insert(id, order.len());
        for flow in description.flows_from(id).filter(|flow| is_main(flow)) {
            if let Some(count) = waiting.get_mut(&flow.to) {
                *count = count.saturating_sub(1);
                if *count == 0 {
                    ready.push_back(&flow.to);
                }
            }
        }
    }
}
