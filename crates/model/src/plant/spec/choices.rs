//! What the fields of a description choose from, with stable numbers and names.

use crate::codes::codes;

codes! {
    /// Whether parts pass a machine.
    pub enum FlowRole {
        /// Not said: they do when flows touch it.
        Unspecified = 0 "UNSPECIFIED",
        /// Parts pass it.
        Node = 1 "NODE",
        /// It works inside a node, such as one of six robots of a station.
        Resource = 2 "RESOURCE",
        /// Parts do not pass it: a pump, an oven's burner.
        None = 3 "NONE",
    }
}

codes! {
    /// What the stop of a resource does to its node.
    pub enum StopEffect {
        /// Not said: it stops it.
        Unspecified = 0 "UNSPECIFIED",
        /// The node stops.
        Stops = 1 "STOPS",
        /// The node goes on, slower.
        Slows = 2 "SLOWS",
        /// The node goes on.
        None = 3 "NONE",
    }
}

codes! {
    /// How parts move through a machine.
    pub enum Transfer {
        /// Not said.
        Unspecified = 0 "UNSPECIFIED",
        /// Each by itself.
        Asynchronous = 1 "ASYNCHRONOUS",
        /// All of a line at once, step by step.
        Indexed = 2 "INDEXED",
        /// On a belt that moves all the time.
        Moving = 3 "MOVING",
    }
}

codes! {
    /// In which order parts leave a buffer.
    pub enum BufferKind {
        /// Not said: first in, first out.
        Unspecified = 0 "UNSPECIFIED",
        /// First in, first out.
        Fifo = 1 "FIFO",
        /// Last in, first out.
        Lifo = 2 "LIFO",
        /// Several lanes, first in, first out in each.
        Lanes = 3 "LANES",
        /// Any part can be taken, to put them into another sequence.
        Resequencing = 4 "RESEQUENCING",
        /// A conveyor: parts are on their way.
        Conveyor = 5 "CONVEYOR",
        /// Equal things, such as empty carriers.
        Pool = 6 "POOL",
        /// A store of material.
        Store = 7 "STORE",
    }
}

codes! {
    /// What goes along a flow.
    pub enum FlowKind {
        /// Not said: the main flow.
        Unspecified = 0 "UNSPECIFIED",
        /// Parts that are all right.
        Main = 1 "MAIN",
        /// Parts to be put right, and back.
        Rework = 2 "REWORK",
        /// Parts that are thrown away.
        Scrap = 3 "SCRAP",
        /// Empty carriers.
        Empties = 4 "EMPTIES",
    }
}

codes! {
    /// What the machines of a stop group share.
    pub enum StopKind {
        /// Not said.
        Unspecified = 0 "UNSPECIFIED",
        /// A safety zone: one opened door stops all.
        SafetyZone = 1 "SAFETY_ZONE",
        /// A controller.
        Plc = 2 "PLC",
        /// Air, water, power.
        Utility = 3 "UTILITY",
        /// Anything else.
        Other = 4 "OTHER",
    }
}

codes! {
    /// What a carrier is.
    pub enum CarrierKind {
        /// Not said.
        Unspecified = 0 "UNSPECIFIED",
        /// A skid that a body stands on.
        Skid = 1 "SKID",
        /// A rack of several parts.
        Rack = 2 "RACK",
        /// A vehicle that drives by itself.
        Agv = 3 "AGV",
        /// A cart with the parts of one car.
        KitCart = 4 "KIT_CART",
        /// A pallet.
        Pallet = 5 "PALLET",
        /// Anything else.
        Other = 6 "OTHER",
    }
}

codes! {
    /// What a crew does.
    pub enum CrewKind {
        /// Not said.
        Unspecified = 0 "UNSPECIFIED",
        /// Runs machines.
        Operation = 1 "OPERATION",
        /// Repairs them.
        Repair = 2 "REPAIR",
        /// Brings and fetches.
        Logistics = 3 "LOGISTICS",
    }
}

codes! {
    /// How material is brought.
    pub enum FeedKind {
        /// Not said: in bulk.
        Unspecified = 0 "UNSPECIFIED",
        /// Many alike, used one after the other.
        Bulk = 1 "BULK",
        /// Picked for one part.
        Kit = 2 "KIT",
        /// One by one in the sequence of the line.
        Sequence = 3 "SEQUENCE",
    }
}

codes! {
    /// Whether parts come or go at a boundary.
    pub enum BoundaryKind {
        /// Not said.
        Unspecified = 0 "UNSPECIFIED",
        /// Parts come from outside.
        Source = 1 "SOURCE",
        /// Parts leave.
        Sink = 2 "SINK",
    }
}

codes! {
    /// What sets the pace at a boundary.
    pub enum Release {
        /// Not said: saturated.
        Unspecified = 0 "UNSPECIFIED",
        /// There is always a part, or always room.
        Saturated = 1 "SATURATED",
        /// So many an hour.
        Rate = 2 "RATE",
        /// As the plan says.
        Scheduled = 3 "SCHEDULED",
    }
}

codes! {
    /// What is otherwise on a day.
    pub enum ExceptionKind {
        /// Not said.
        Unspecified = 0 "UNSPECIFIED",
        /// Nothing is worked.
        Closed = 1 "CLOSED",
        /// A shift that the week does not have.
        Shift = 2 "SHIFT",
        /// Work beyond the shifts.
        Overtime = 3 "OVERTIME",
    }
}
