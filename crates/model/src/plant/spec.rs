//! The objects of a plant description, and a change of one of them.
//!
//! They are written to snapshots by a format that is not self-describing, so no field may be left
//! out when it is written and no enum may be tagged from inside.

use crate::codes::codes;
use crate::event::{AspectKind, Vocabulary};
use crate::id::{ElementId, MachineNumber};
use serde::{Deserialize, Serialize};

codes! {
    /// The levels of ISA-95's equipment hierarchy, with the numbers of the standard's enumeration
    /// plus one (0 is "not said").
    pub enum Level {
        /// Not said.
        Unspecified = 0 "UNSPECIFIED",
        /// A company.
        Enterprise = 1 "ENTERPRISE",
        /// A production site: the plant.
        Site = 2 "SITE",
        /// A part of the site, such as the body shop.
        Area = 3 "AREA",
        /// A cell of process industry.
        ProcessCell = 4 "PROCESS_CELL",
        /// A unit of process industry.
        Unit = 5 "UNIT",
        /// A line.
        ProductionLine = 6 "PRODUCTION_LINE",
        /// A cell of a line.
        WorkCell = 7 "WORK_CELL",
        /// A unit of continuous production.
        ProductionUnit = 8 "PRODUCTION_UNIT",
        /// A store.
        StorageZone = 9 "STORAGE_ZONE",
        /// A place in a store.
        StorageUnit = 10 "STORAGE_UNIT",
        /// A centre of any kind.
        WorkCenter = 11 "WORK_CENTER",
        /// A unit of a centre.
        WorkUnit = 12 "WORK_UNIT",
        /// A module of a unit.
        EquipmentModule = 13 "EQUIPMENT_MODULE",
        /// A control module.
        ControlModule = 14 "CONTROL_MODULE",
        /// Anything else.
        Other = 15 "OTHER",
    }
}

codes! {
    /// The kinds of objects of a description.
    pub enum ObjectKind {
        /// Not said.
        Unspecified = 0 "UNSPECIFIED",
        /// The plant itself.
        Plant = 1 "PLANT",
        /// A node of the hierarchy between plant and machine.
        Unit = 2 "UNIT",
        /// A machine.
        Machine = 3 "MACHINE",
        /// A buffer.
        Buffer = 4 "BUFFER",
        /// An arrow along which parts go.
        Flow = 5 "FLOW",
        /// Who has the say about an aspect.
        Authority = 6 "AUTHORITY",
    }
}

codes! {
    /// What a change does.
    pub enum ChangeAction {
        /// Not said.
        Unspecified = 0 "UNSPECIFIED",
        /// The object is new.
        Add = 1 "ADD",
        /// The object is there and other.
        Change = 2 "CHANGE",
        /// The object is gone. A machine leaves a tombstone: its number is never given again.
        Remove = 3 "REMOVE",
    }
}

/// The plant itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Plant {
    /// Its full name.
    #[serde(default)]
    pub name: String,
    /// Its time zone by IANA name, such as `Europe/Berlin`.
    #[serde(default)]
    pub time_zone: String,
}

/// A node of the hierarchy between plant and machine: area, line, cell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Unit {
    /// Its name, unique among units, machines and buffers of the plant.
    pub id: ElementId,
    /// Its full name.
    #[serde(default)]
    pub name: String,
    /// Its level.
    pub level: Level,
    /// The unit it lies in; absent directly below the plant.
    #[serde(default)]
    pub parent: Option<ElementId>,
}

/// A machine: anything that has a state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// Its name, unique among units, machines and buffers of the plant.
    pub id: ElementId,
    /// Its permanent number in the plant.
    pub number: MachineNumber,
    /// Its full name.
    #[serde(default)]
    pub name: String,
    /// The unit it stands in; absent directly below the plant.
    #[serde(default)]
    pub parent: Option<ElementId>,
    /// What sort of machine it is, in the plant's own words: `press`, `robot`, `agv`.
    #[serde(default)]
    pub machine_type: String,
    /// The vocabulary that its state signal speaks.
    #[serde(default)]
    pub vocabulary: Vocabulary,
    /// Names it had before; they still find it.
    #[serde(default)]
    pub aliases: Vec<ElementId>,
}

/// A buffer: a place between machines that holds parts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Buffer {
    /// Its name, unique among units, machines and buffers of the plant.
    pub id: ElementId,
    /// Its full name.
    #[serde(default)]
    pub name: String,
    /// The unit it lies in; absent directly below the plant.
    #[serde(default)]
    pub parent: Option<ElementId>,
    /// How many parts it holds at most.
    pub capacity: u32,
}

/// An arrow along which parts go, between machines and buffers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Flow {
    /// Where parts come from.
    pub from: ElementId,
    /// Where they go.
    pub to: ElementId,
}

/// Who has the say about an aspect of machines.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Authority {
    /// The machines: a name, or a class such as `press-*` (`*` stands for any text).
    pub machines: String,
    /// The aspect; [`AspectKind::Unspecified`] stands for every aspect.
    pub aspect: AspectKind,
    /// Sources by name or class (`import:*`): the first has the say, the others are fallbacks.
    pub sources: Vec<String>,
}

/// One object of a description.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Spec {
    /// The plant itself.
    Plant(Plant),
    /// A node of the hierarchy.
    Unit(Unit),
    /// A machine.
    Machine(Machine),
    /// A buffer.
    Buffer(Buffer),
    /// An arrow of the flow.
    Flow(Flow),
    /// Who has the say.
    Authority(Authority),
}

impl Spec {
    /// The kind of object.
    #[must_use]
    pub const fn kind(&self) -> ObjectKind {
        match self {
            Self::Plant(_) => ObjectKind::Plant,
            Self::Unit(_) => ObjectKind::Unit,
            Self::Machine(_) => ObjectKind::Machine,
            Self::Buffer(_) => ObjectKind::Buffer,
            Self::Flow(_) => ObjectKind::Flow,
            Self::Authority(_) => ObjectKind::Authority,
        }
    }
}

/// A change of one object of a description.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// What is done.
    pub action: ChangeAction,
    /// The object as it is afterwards, or as it was when it is removed.
    pub spec: Spec,
}
