//! The flows of a plant as a graph of machines and buffers.

use std::collections::BTreeMap;
use std::sync::Arc;
use werkbuch_model::id::{ElementId, MachineNumber};
use werkbuch_model::plant::{BoundaryKind, Description, FlowKind, FlowRole, Release};

/// The machines and buffers of a plant with the flows between them.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    elements: Elements,
    numbers: BTreeMap<MachineNumber, Arc<str>>,
}

/// A machine or buffer that parts pass.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Element {
    /// Its name.
    pub id: Arc<str>,
    /// Its number when it is a machine; absent for a buffer.
    pub machine: Option<MachineNumber>,
    /// How many parts it holds at most; absent when that is not known.
    pub capacity: Option<u64>,
    /// The unit it lies in.
    pub parent: Option<ElementId>,
    /// Where its parts come from.
    pub inlets: Vec<Arc<str>>,
    /// Where its good parts go.
    pub outlets: Vec<Arc<str>>,
    /// Whether parts also leave it by another way: for rework, as scrap.
    pub side_ways: bool,
    /// How many parts one cycle works on; 0 for a buffer.
    pub parts_per_cycle: u64,
    /// The buffers that material is taken from which it needs, each with its part number.
    pub feeds: Vec<(Arc<str>, String)>,
    /// All elements that a flow or a feed joins it with, whatever the direction.
    pub near: Vec<Arc<str>>,
    /// Whether parts come to it from outside: always when the boundary is saturated, else perhaps.
    pub source: Option<Release>,
    /// Whether parts leave the described flow from it, likewise.
    pub sink: Option<Release>,
}

impl Graph {
    /// The graph of a description. Flows to what the description does not have are left out.
    #[must_use]
    pub fn of(description: &Description) -> Self {
        let mut elements = Elements::new();
        let mut numbers = BTreeMap::new();
        for machine in description.machines() {
            // A resource works inside a node; parts pass the node.
            if matches!(machine.role, FlowRole::Resource | FlowRole::None) {
                continue;
            }
            let id: Arc<str> = machine.id.as_str().into();
            let element = Element {
                id: Arc::clone(&id),
                machine: Some(machine.number),
                capacity: Some(u64::from(machine.slots.max(1))),
                parts_per_cycle: u64::from(machine.parts_per_cycle.max(1)),
                parent: machine.parent.clone(),
                ..Element::default()
            };
            numbers.insert(machine.number, Arc::clone(&id));
            elements.insert(id, element);
        }
        for buffer in description.buffers() {
            let id: Arc<str> = buffer.id.as_str().into();
            let element = Element {
                id: Arc::clone(&id),
                capacity: (buffer.capacity > 0).then_some(u64::from(buffer.capacity)),
                parent: buffer.parent.clone(),
                ..Element::default()
            };
            elements.insert(id, element);
        }
        flows(description, &mut elements);
        ends(description, &mut elements);
        Self { elements, numbers }
    }

    /// The element with this name.
    #[must_use]
    pub fn element(&self, id: &str) -> Option<&Element> {
        self.elements.get(id)
    }

    /// The element of a machine.
    #[must_use]
    pub fn machine(&self, number: MachineNumber) -> Option<&Element> {
        self.element(self.numbers.get(&number)?)
    }

    /// All elements by name.
    pub fn elements(&self) -> impl Iterator<Item = &Element> {
        self.elements.values()
    }
}

impl Element {
    /// Whether flows touch it.
    #[must_use]
    pub fn is_passed(&self) -> bool {
        let ends = self.source.is_some() || self.sink.is_some();
        ends || self.side_ways || !self.inlets.is_empty() || !self.outlets.is_empty()
    }

    /// Whether it lies in a unit of the description, at any depth.
    #[must_use]
    pub fn lies_in(&self, description: &Description, unit: &str) -> bool {
        let place = description.place(self.parent.as_ref());
        place.iter().any(|above| above.id.as_str() == unit)
    }
}

/// The elements of a description by their names.
type Elements = BTreeMap<Arc<str>, Element>;

/// Joins the elements by the flows between them.
fn flows(description: &Description, elements: &mut Elements) {
    for flow in description.flows() {
        let id = |name: &str| elements.get(name).map(|one| Arc::clone(&one.id));
        let (Some(from), Some(to)) = (id(flow.from.as_str()), id(flow.to.as_str())) else {
            continue;
        };
        // Empties are no parts; scrap leaves and comes to nobody as a part to work on.
        let (leaves, comes) = match flow.flow_kind {
            FlowKind::Unspecified | FlowKind::Main => (true, true),
            FlowKind::Rework => (false, true),
            FlowKind::Scrap => (false, false),
            FlowKind::Empties => continue,
        };
        if let Some(element) = elements.get_mut(&from) {
            if leaves {
                element.outlets.push(Arc::clone(&to));
            } else {
                element.side_ways = true;
            }
            if comes {
                element.near.push(Arc::clone(&to));
            }
        }
        if comes && let Some(element) = elements.get_mut(&to) {
            element.inlets.push(Arc::clone(&from));
            element.near.push(from);
        }
    }
}

/// Notes where material is taken from, and where the described flow begins and ends.
fn ends(description: &Description, elements: &mut Elements) {
    for feed in description.feeds() {
        let from = feed
            .from
            .as_ref()
            .and_then(|from| elements.get_mut(from.as_str()));
        let Some(from) = from else { continue };
        let buffer = Arc::clone(&from.id);
        from.near.push(feed.at.as_str().into());
        if let Some(element) = elements.get_mut(feed.at.as_str()) {
            element.near.push(Arc::clone(&buffer));
            element.feeds.push((buffer, feed.part_number.clone()));
        }
    }
    for boundary in description.boundaries() {
        let Some(element) = elements.get_mut(boundary.at.as_str()) else {
            continue;
        };
        match boundary.boundary_kind {
            BoundaryKind::Source => element.source = Some(boundary.release),
            BoundaryKind::Sink => element.sink = Some(boundary.release),
            BoundaryKind::Unspecified => {}
        }
    }
}
