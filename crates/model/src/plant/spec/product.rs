//! What a plant makes and how: products, variants, routings, set-ups, rework.

use super::*;

/// What the plant makes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Product {
    /// Its name, unique among products; part types of events are compared with it.
    pub id: ElementId,
    /// Its full name.
    pub name: String,
}

/// A variant of a product.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variant {
    /// Its name, unique among variants of the plant.
    pub id: ElementId,
    /// Its product.
    pub product: ElementId,
    /// Its full name.
    pub name: String,
    /// Its share of the product's parts.
    pub share: Option<Decimal>,
    /// What tells it apart, such as `colour=red`.
    pub attributes: Vec<String>,
}

/// A step of the routing of a product.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The product.
    pub product: ElementId,
    /// The variant; absent when the step is that of all variants without one of their own.
    pub variant: Option<ElementId>,
    /// Its place in the routing: steps are gone through by rising number.
    pub number: u32,
    /// What is done.
    pub operation: String,
    /// The machines that can do it, any one of them.
    pub at: Vec<ElementId>,
    /// The work content of one part, in milliseconds.
    pub work_ms: u64,
    /// The least time that was measured to be feasible, in milliseconds.
    pub min_ms: Option<u64>,
    /// How many parts are made in one cycle.
    pub units_per_cycle: u32,
    /// The carrier that the part rides on; absent for none.
    pub carrier: Option<ElementId>,
    /// The skill it needs; empty for none.
    pub skill: String,
}

/// An entry of the set-up matrix: what a change of an attribute costs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setup {
    /// The machines: a name, or a class such as `press-*`.
    pub machines: String,
    /// What changes: an attribute of variants such as `colour`, else `variant`, `product` or `tool`.
    pub attribute: String,
    /// The value before; `*` for any.
    pub from: String,
    /// The value afterwards; `*` for any.
    pub to: String,
    /// How long the change takes, in milliseconds.
    pub ms: u64,
}

/// A loop that parts go round once more when something has to be put right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rework {
    /// Its name, unique among rework loops.
    pub id: ElementId,
    /// The machine at which parts leave.
    pub from: ElementId,
    /// What they pass, in order.
    pub through: Vec<ElementId>,
    /// Where they come back.
    pub back_to: ElementId,
    /// How often a part may go round; absent when there is no limit.
    pub limit: Option<u32>,
    /// The share of the parts at `from` that goes round.
    pub share: Option<Decimal>,
}
