//! The flows of a plant as a graph of machines and buffers.

use std::collections::BTreeMap;
use werkbuch_model::id::{ElementId, MachineNumber};
use werkbuch_model::plant::{BoundaryKind, Description, FlowKind, FlowRole, Release};

/// The machines and buffers of a plant with the flows between them.
#[derive(Debug)]
pub struct Graph<'d> {
    description: &'d Description,
    elements: BTreeMap<&'d str, Element<'d>>,
}

/// A machine or buffer that parts pass.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Element<'d> {
    /// Its name.
    pub id: &'d str,
    /// Its number when it is a machine; absent for a buffer.
    pub machine: Option<MachineNumber>,
    /// How many parts it holds at most; absent when that is not known.
    pub capacity: Option<u64>,
    /// The unit it lies in.
    pub parent: Option<&'d ElementId>,
    /// Where its parts come from.
    pub inlets: Vec<&'d str>,
    /// Where its good parts go.
    pub outlets: Vec<&'d str>,
    /// Whether parts also leave it by another way: for rework, as scrap.
    pub side_ways: bool,
    /// How many parts one cycle works on; 0 for a buffer.
    pub parts_per_cycle: u64,
    /// The buffers that material is taken from which it needs, each with its part number.
    pub feeds: Vec<(&'d str, &'d str)>,
    /// Whether parts come to it from outside: always when the boundary is saturated, else perhaps.
    pub source: Option<Release>,
    /// Whether parts leave the described flow from it, likewise.
    pub sink: Option<Release>,
}

impl<'d> Graph<'d> {
    /// The graph of a description. Flows to what the description does not have are left out.
    #[must_use]
    pub fn of(description: &'d Description) -> Self {
        let mut elements: BTreeMap<&'d str, Element<'d>> = BTreeMap::new();
        for machine in description.machines() {
            // A resource works inside a node; parts pass the node.
            if matches!(machine.role, FlowRole::Resource | FlowRole::None) {
                continue;
            }
            let element = Element {
                id: machine.id.as_str(),
                machine: Some(machine.number),
                capacity: Some(u64::from(machine.slots.max(1))),
                parts_per_cycle: u64::from(machine.parts_per_cycle.max(1)),
                parent: machine.parent.as_ref(),
                ..Element::default()
            };
            elements.insert(machine.id.as_str(), element);
        }
        for buffer in description.buffers() {
            let element = Element {
                id: buffer.id.as_str(),
                capacity: (buffer.capacity > 0).then_some(u64::from(buffer.capacity)),
                parent: buffer.parent.as_ref(),
                ..Element::default()
            };
            elements.insert(buffer.id.as_str(), element);
        }
        flows(description, &mut elements);
        ends(description, &mut elements);
        Self {
            description,
            elements,
        }
    }

    /// The description that it is of.
    #[must_use]
    pub fn description(&self) -> &'d Description {
        self.description
    }

    /// The element with this name.
    #[must_use]
    pub fn element(&self, id: &str) -> Option<&Element<'d>> {
        self.elements.get(id)
    }

    /// The element of a machine.
    #[must_use]
    pub fn machine(&self, number: MachineNumber) -> Option<&Element<'d>> {
        self.element(self.description.machine(number)?.id.as_str())
    }

    /// All elements by name.
    pub fn elements(&self) -> impl Iterator<Item = &Element<'d>> {
        self.elements.values()
    }

    /// Whether an element lies in a unit, at any depth.
    #[must_use]
    pub fn lies_in(&self, element: &Element<'_>, unit: &str) -> bool {
        let place = self.description.place(element.parent);
        place.iter().any(|above| above.id.as_str() == unit)
    }
}

impl Element<'_> {
    /// Whether flows touch it.
    #[must_use]
    pub fn is_passed(&self) -> bool {
        let ends = self.source.is_some() || self.sink.is_some();
        ends || self.side_ways || !self.inlets.is_empty() || !self.outlets.is_empty()
    }
}

/// The elements of a description by their names.
type Elements<'d> = BTreeMap<&'d str, Element<'d>>;

/// Joins the elements by the flows between them.
fn flows<'d>(description: &'d Description, elements: &mut Elements<'d>) {
    for flow in description.flows() {
        let (from, to) = (flow.from.as_str(), flow.to.as_str());
        let (Some(from), Some(to)) = (
            elements.get(from).map(|one| one.id),
            elements.get(to).map(|one| one.id),
        ) else {
            continue;
        };
        // Empties are no parts; scrap leaves and comes to nobody as a part to work on.
        let (leaves, comes) = match flow.flow_kind {
            FlowKind::Unspecified | FlowKind::Main => (true, true),
            FlowKind::Rework => (false, true),
            FlowKind::Scrap => (false, false),
            FlowKind::Empties => continue,
        };
        if let Some(element) = elements.get_mut(from) {
            if leaves {
                element.outlets.push(to);
            } else {
                element.side_ways = true;
            }
        }
        if comes && let Some(element) = elements.get_mut(to) {
            element.inlets.push(from);
        }
    }
}

/// Notes where material is taken from, and where the described flow begins and ends.
fn ends<'d>(description: &'d Description, elements: &mut Elements<'d>) {
    for feed in description.feeds() {
        let from = feed
            .from
            .as_ref()
            .and_then(|from| elements.get(from.as_str()));
        let from = from.map(|buffer| buffer.id);
        if let (Some(from), Some(element)) = (from, elements.get_mut(feed.at.as_str())) {
            element.feeds.push((from, &feed.part_number));
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
