//! The kinds that objects of a description come in, with their stable numbers and names.

use crate::codes::codes;

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
        /// What stops together.
        StopGroup = 7 "STOP_GROUP",
        /// What is made.
        Product = 8 "PRODUCT",
        /// A variant of a product.
        Variant = 9 "VARIANT",
        /// A step of a routing.
        Step = 10 "STEP",
        /// An entry of the set-up matrix.
        Setup = 11 "SETUP",
        /// What parts ride on.
        Carrier = 12 "CARRIER",
        /// People who work together.
        Crew = 13 "CREW",
        /// A loop that parts go round once more.
        Rework = 14 "REWORK",
        /// A place where material is used up.
        Feed = 15 "FEED",
        /// Where the described flow begins or ends.
        Boundary = 16 "BOUNDARY",
        /// What counts the output of a unit.
        CountPoint = 17 "COUNT_POINT",
        /// When is worked.
        Calendar = 18 "CALENDAR",
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
