//! Material: it arrives, is moved, is used up and is counted.

use super::facts::fields;
use super::{Aspect, AspectKind, Protected, Refusal, Text, check};
use serde::{Deserialize, Serialize};

/// Material came into the plant.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MaterialArrived<'a> {
    /// The part number.
    pub part_number: Text<'a>,
    /// The batch or serial number.
    #[serde(default)]
    pub batch: Text<'a>,
    /// How much, in `unit`; more than 0.
    pub quantity: f64,
    /// The unit of the quantity: `pcs`, `kg`, `m`, `l`; empty for pieces.
    #[serde(default)]
    pub unit: Text<'a>,
    /// Where it came from: a supplier, a site.
    #[serde(default)]
    pub from: Text<'a>,
    /// Where it is now: a buffer, a machine, or a place by its own name.
    #[serde(default)]
    pub to: Text<'a>,
    /// The delivery note.
    #[serde(default)]
    pub delivery: Text<'a>,
}

impl MaterialArrived<'_> {
    pub(super) fn validate(&self) -> Result<(), Refusal> {
        check::required("part_number", &self.part_number)?;
        check::name("batch", &self.batch)?;
        check::finite("quantity", Some(self.quantity))?;
        check::name("unit", &self.unit)?;
        check::name("from", &self.from)?;
        check::name("to", &self.to)?;
        check::name("delivery", &self.delivery)?;
        check::positive("quantity", self.quantity)
    }

    pub(super) fn for_each_aspect<'s>(&'s self, f: &mut dyn FnMut(Aspect<'s>)) {
        f(Aspect::pair(
            AspectKind::MaterialArrival,
            &self.part_number,
            &self.to,
        ));
    }
}

/// Material was moved within the plant.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MaterialMoved<'a> {
    /// The part number.
    pub part_number: Text<'a>,
    /// The batch or serial number.
    #[serde(default)]
    pub batch: Text<'a>,
    /// How much, in `unit`; more than 0.
    pub quantity: f64,
    /// The unit of the quantity; empty for pieces.
    #[serde(default)]
    pub unit: Text<'a>,
    /// Where it was.
    #[serde(default)]
    pub from: Text<'a>,
    /// Where it is now.
    pub to: Text<'a>,
}

impl MaterialMoved<'_> {
    pub(super) fn validate(&self) -> Result<(), Refusal> {
        check::required("part_number", &self.part_number)?;
        check::name("batch", &self.batch)?;
        check::finite("quantity", Some(self.quantity))?;
        check::name("unit", &self.unit)?;
        check::name("from", &self.from)?;
        check::required("to", &self.to)?;
        check::positive("quantity", self.quantity)
    }

    pub(super) fn for_each_aspect<'s>(&'s self, f: &mut dyn FnMut(Aspect<'s>)) {
        f(Aspect::pair(
            AspectKind::MaterialMove,
            &self.part_number,
            &self.to,
        ));
    }
}

/// Material was used up.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MaterialConsumed<'a> {
    /// The part number.
    pub part_number: Text<'a>,
    /// The batch or serial number.
    #[serde(default)]
    pub batch: Text<'a>,
    /// How much, in `unit`; more than 0.
    pub quantity: f64,
    /// The unit of the quantity; empty for pieces.
    #[serde(default)]
    pub unit: Text<'a>,
    /// Where; empty for the event's machine.
    #[serde(default)]
    pub at: Text<'a>,
    /// The order it was used for.
    #[serde(default)]
    pub order: Text<'a>,
    /// The part it went into.
    #[serde(default)]
    pub part: Text<'a>,
}

impl MaterialConsumed<'_> {
    pub(super) fn validate(&self) -> Result<(), Refusal> {
        check::required("part_number", &self.part_number)?;
        check::name("batch", &self.batch)?;
        check::finite("quantity", Some(self.quantity))?;
        check::name("unit", &self.unit)?;
        check::name("at", &self.at)?;
        check::name("order", &self.order)?;
        check::name("part", &self.part)?;
        check::positive("quantity", self.quantity)
    }

    pub(super) fn for_each_aspect<'s>(&'s self, f: &mut dyn FnMut(Aspect<'s>)) {
        f(Aspect::pair(
            AspectKind::MaterialUse,
            &self.part_number,
            &self.at,
        ));
    }
}

/// Stock was counted at a place.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct InventoryCounted<'a> {
    /// Where: a buffer, a machine, or a place by its own name.
    pub location: Text<'a>,
    /// The part number.
    pub part_number: Text<'a>,
    /// How much was found, in `unit`.
    pub quantity: f64,
    /// The unit of the quantity; empty for pieces.
    #[serde(default)]
    pub unit: Text<'a>,
    /// Who counted.
    #[serde(default)]
    pub who: Protected<'a>,
}

impl InventoryCounted<'_> {
    pub(super) fn validate(&self) -> Result<(), Refusal> {
        check::required("location", &self.location)?;
        check::required("part_number", &self.part_number)?;
        check::finite("quantity", Some(self.quantity))?;
        check::name("unit", &self.unit)?;
        self.who.validate("who")?;
        check::not_negative("quantity", Some(self.quantity))
    }

    pub(super) fn for_each_aspect<'s>(&'s self, f: &mut dyn FnMut(Aspect<'s>)) {
        f(Aspect::pair(
            AspectKind::Inventory,
            &self.location,
            &self.part_number,
        ));
    }
}

fields! {
    MaterialArrived<'a> { part_number batch quantity unit from to delivery }
    MaterialMoved<'a> { part_number batch quantity unit from to }
    MaterialConsumed<'a> { part_number batch quantity unit at order part }
    InventoryCounted<'a> { location part_number quantity unit who }
}
