//! The places of a plant: units, machines, buffers, and the flows between them.

use super::*;

/// A node of the hierarchy between plant and machine: area, line, cell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unit {
    /// Its name, unique among units, machines and buffers of the plant.
    pub id: ElementId,
    /// Its full name.
    pub name: String,
    /// Its level.
    pub level: Level,
    /// The unit it lies in; absent directly below the plant.
    pub parent: Option<ElementId>,
    /// Its calendar; absent when it has that of the unit above it.
    pub calendar: Option<ElementId>,
    /// The machine that limits its output; absent when none is declared.
    pub constraint: Option<ElementId>,
    /// The time in which one part is to leave it, in milliseconds.
    pub takt_ms: Option<u64>,
}

/// A machine: anything that has a state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// Its name, unique among units, machines and buffers of the plant.
    pub id: ElementId,
    /// Its permanent number in the plant.
    pub number: MachineNumber,
    /// Its full name.
    pub name: String,
    /// The unit it stands in; absent directly below the plant.
    pub parent: Option<ElementId>,
    /// What sort of machine it is, in the plant's own words: `press`, `robot`, `agv`.
    pub machine_type: String,
    /// The vocabulary that its state signal speaks.
    pub vocabulary: Vocabulary,
    /// Names it had before; they still find it.
    pub aliases: Vec<ElementId>,
    /// Whether parts pass it. Unspecified: they do when flows touch it.
    pub role: FlowRole,
    /// The machine it works in, for a resource.
    pub node: Option<ElementId>,
    /// What its stop does to that machine, for a resource.
    pub stop_effect: StopEffect,
    /// How many parts it holds at once.
    pub slots: u32,
    /// How many parts one cycle works on.
    pub parts_per_cycle: u32,
    /// How parts move through it.
    pub transfer: Transfer,
    /// The planned cycle in milliseconds.
    pub cycle_ms: Option<u64>,
    /// The least cycle that was measured to be feasible, in milliseconds.
    pub cycle_min_ms: Option<u64>,
    /// The stop groups that it belongs to.
    pub stop_groups: Vec<ElementId>,
    /// How many people it needs to run.
    pub operators: u32,
    /// The skill that they need; empty for none.
    pub skill: String,
    /// Its calendar; absent when it has that of the unit above it.
    pub calendar: Option<ElementId>,
    /// A stop shorter than this is a micro-stop, in milliseconds.
    pub micro_stop_ms: Option<u64>,
    /// A change of state that is undone within this time counts as none, in milliseconds.
    pub flicker_ms: Option<u64>,
}

/// A buffer: a place between machines that holds parts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Buffer {
    /// Its name, unique among units, machines and buffers of the plant.
    pub id: ElementId,
    /// Its full name.
    pub name: String,
    /// The unit it lies in; absent directly below the plant.
    pub parent: Option<ElementId>,
    /// How many parts it holds at most.
    pub capacity: u32,
    /// In which order parts leave it.
    pub buffer_kind: BufferKind,
    /// How many lanes it has.
    pub lanes: u32,
    /// The least time a part needs to pass it, in milliseconds.
    pub transit_ms: Option<u64>,
}

/// An arrow along which parts go, between machines and buffers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flow {
    /// Where parts come from.
    pub from: ElementId,
    /// Where they go.
    pub to: ElementId,
    /// What goes this way.
    pub flow_kind: FlowKind,
    /// How long a part is on its way, in milliseconds.
    pub transit_ms: Option<u64>,
    /// The share of the parts leaving `from` that goes this way.
    pub share: Option<Decimal>,
    /// Which way is tried first: the least number.
    pub priority: Option<u32>,
    /// Only these variants go this way; empty for all.
    pub variants: Vec<ElementId>,
}

/// Who has the say about an aspect of machines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authority {
    /// The machines: a name, or a class such as `press-*`.
    pub machines: String,
    /// The aspect; unspecified stands for every aspect.
    pub aspect: AspectKind,
    /// Sources by name or class (`import:*`): the first has the say, the others are fallbacks.
    pub sources: Vec<String>,
}

/// Machines that stop together when one thing fails.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StopGroup {
    /// Its name, unique among stop groups.
    pub id: ElementId,
    /// Its full name.
    pub name: String,
    /// What they share.
    pub stop_kind: StopKind,
}

impl Unit {
    /// A unit of this level directly below the plant.
    #[must_use]
    pub const fn new(id: ElementId, level: Level) -> Self {
        Self {
            id,
            name: String::new(),
            level,
            parent: None,
            calendar: None,
            constraint: None,
            takt_ms: None,
        }
    }
}

impl Machine {
    /// A machine of which nothing more is known: one slot, one part in a cycle.
    #[must_use]
    pub const fn new(id: ElementId, number: MachineNumber) -> Self {
        Self {
            id,
            number,
            name: String::new(),
            parent: None,
            machine_type: String::new(),
            vocabulary: Vocabulary::Unspecified,
            aliases: Vec::new(),
            role: FlowRole::Unspecified,
            node: None,
            stop_effect: StopEffect::Unspecified,
            slots: 1,
            parts_per_cycle: 1,
            transfer: Transfer::Unspecified,
            cycle_ms: None,
            cycle_min_ms: None,
            stop_groups: Vec::new(),
            operators: 0,
            skill: String::new(),
            calendar: None,
            micro_stop_ms: None,
            flicker_ms: None,
        }
    }
}

impl Buffer {
    /// A buffer of this capacity, with one lane, directly below the plant.
    #[must_use]
    pub const fn new(id: ElementId, capacity: u32) -> Self {
        Self {
            id,
            name: String::new(),
            parent: None,
            capacity,
            buffer_kind: BufferKind::Unspecified,
            lanes: 1,
            transit_ms: None,
        }
    }
}

impl Flow {
    /// A flow of which nothing more is known than its ends.
    #[must_use]
    pub const fn new(from: ElementId, to: ElementId) -> Self {
        Self {
            from,
            to,
            flow_kind: FlowKind::Unspecified,
            transit_ms: None,
            share: None,
            priority: None,
            variants: Vec::new(),
        }
    }
}
