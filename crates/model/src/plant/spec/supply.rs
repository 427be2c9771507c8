//! What keeps a plant going: carriers, crews, material, boundaries and count points.

use super::*;

/// What parts ride on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Carrier {
    /// Its name, unique among carriers.
    pub id: ElementId,
    /// Its full name.
    pub name: String,
    /// What it is.
    pub carrier_kind: CarrierKind,
    /// How many there are.
    pub count: u32,
    /// How many parts one takes.
    pub capacity: u32,
    /// The buffer in which empties wait; absent when it is not described.
    pub home: Option<ElementId>,
    /// How long an empty one is on its way back, in milliseconds.
    pub return_ms: Option<u64>,
}

/// People who work together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Crew {
    /// Its name, unique among crews.
    pub id: ElementId,
    /// Its full name.
    pub name: String,
    /// What it does.
    pub crew_kind: CrewKind,
    /// How many people it has in one shift.
    pub size: u32,
    /// What they can do.
    pub skills: Vec<String>,
    /// What they look after: names of units and machines, or classes such as `press-*`.
    pub serves: Vec<String>,
    /// Its calendar; absent when it has the plant's.
    pub calendar: Option<ElementId>,
}

/// A place where the bill of materials uses something up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Feed {
    /// The part number.
    pub part_number: String,
    /// The machine.
    pub at: ElementId,
    /// How much one part takes, in the part number's unit.
    pub quantity: Decimal,
    /// Only for this product; absent for all.
    pub product: Option<ElementId>,
    /// Only for this variant; absent for all.
    pub variant: Option<ElementId>,
    /// The buffer that it is taken from; absent when it is not described.
    pub from: Option<ElementId>,
    /// The supplier's site that it comes from; empty when it is not described.
    pub site: String,
    /// How it is brought.
    pub feed_kind: FeedKind,
}

/// Where the described flow begins or ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Boundary {
    /// The machine or buffer.
    pub at: ElementId,
    /// Whether parts come or go.
    pub boundary_kind: BoundaryKind,
    /// What sets the pace.
    pub release: Release,
    /// Parts per hour.
    pub rate_per_hour: Option<Decimal>,
    /// Only these products; empty for all.
    pub products: Vec<ElementId>,
}

/// What counts the output of a unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountPoint {
    /// The unit.
    pub unit: ElementId,
    /// The machine that counts.
    pub at: ElementId,
    /// What is counted.
    pub meaning: PartMeaning,
    /// The counter's name at the source; empty for the machine's only one of this meaning.
    pub counter: String,
}
