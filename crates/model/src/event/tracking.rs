//! Single parts: where they are, what became of them, what was decided about them.

use super::facts::fields;
use super::{Aspect, AspectKind, Protected, Refusal, Text, WorkOutcome, check};
use crate::codes::codes;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

codes! {
    /// What is decided about a part.
    pub enum Disposition {
        /// Not said.
        Unspecified = 0 "UNSPECIFIED",
        /// It is good.
        Ok = 1 "OK",
        /// It is to be reworked.
        Rework = 2 "REWORK",
        /// It is lost.
        Scrap = 3 "SCRAP",
        /// Nobody may use it for now.
        Hold = 4 "HOLD",
        /// It is no longer held.
        Released = 5 "RELEASED",
        /// It has left the plant.
        Shipped = 6 "SHIPPED",
    }
}

/// A part came to a place.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PartEntered<'a> {
    /// The serial or vehicle number of the part.
    pub part: Text<'a>,
    /// Where: a machine or a buffer of the description; empty for the event's machine.
    #[serde(default)]
    pub location: Text<'a>,
    /// The place there: a slot, a lane, a nest; empty where there is one.
    #[serde(default)]
    pub place: Text<'a>,
    /// The part's type.
    #[serde(default)]
    pub part_type: Text<'a>,
    /// The variant of the product.
    #[serde(default)]
    pub variant: Text<'a>,
    /// The carrier that holds the part.
    #[serde(default)]
    pub carrier: Text<'a>,
    /// The operation that it comes for.
    #[serde(default)]
    pub operation: Text<'a>,
    /// The order that it belongs to.
    #[serde(default)]
    pub order: Text<'a>,
}

impl PartEntered<'_> {
    pub(super) fn validate(&self) -> Result<(), Refusal> {
        check::required("part", &self.part)?;
        check::name("location", &self.location)?;
        check::name("place", &self.place)?;
        check::name("part_type", &self.part_type)?;
        check::name("variant", &self.variant)?;
        check::name("carrier", &self.carrier)?;
        check::name("operation", &self.operation)?;
        check::name("order", &self.order)
    }

    pub(super) fn for_each_aspect<'s>(&'s self, f: &mut dyn FnMut(Aspect<'s>)) {
        f(Aspect::keyed(AspectKind::PartPlace, &self.part));
        if self.location.is_empty() {
            f(Aspect::keyed(AspectKind::PartEntry, &self.place));
        }
    }
}

/// A part left a place.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PartLeft<'a> {
    /// The serial or vehicle number of the part.
    pub part: Text<'a>,
    /// Where it was: a machine or a buffer of the description; empty for the event's machine.
    #[serde(default)]
    pub location: Text<'a>,
    /// The place there.
    #[serde(default)]
    pub place: Text<'a>,
    /// Where it goes: a machine or a buffer; empty when it is not said.
    #[serde(default)]
    pub to: Text<'a>,
    /// The part's type.
    #[serde(default)]
    pub part_type: Text<'a>,
    /// The variant of the product.
    #[serde(default)]
    pub variant: Text<'a>,
    /// The carrier that holds the part.
    #[serde(default)]
    pub carrier: Text<'a>,
    /// The operation that was done.
    #[serde(default)]
    pub operation: Text<'a>,
    /// How the operation ended.
    #[serde(default)]
    pub outcome: WorkOutcome,
}

impl PartLeft<'_> {
    pub(super) fn validate(&self) -> Result<(), Refusal> {
        check::required("part", &self.part)?;
        check::name("location", &self.location)?;
        check::name("place", &self.place)?;
        check::name("to", &self.to)?;
        check::name("part_type", &self.part_type)?;
        check::name("variant", &self.variant)?;
        check::name("carrier", &self.carrier)?;
        check::name("operation", &self.operation)
    }

    pub(super) fn for_each_aspect<'s>(&'s self, f: &mut dyn FnMut(Aspect<'s>)) {
        f(Aspect::keyed(AspectKind::PartPlace, &self.part));
        if self.location.is_empty() {
            f(Aspect::keyed(AspectKind::PartExit, &self.place));
        }
    }
}

/// Parts went into an assembly; they are no longer parts of their own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PartsJoined<'a> {
    /// The assembly, by its serial or vehicle number.
    pub part: Text<'a>,
    /// The parts that went into it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Text<'a>>,
    /// Where: a machine or a buffer; empty for the event's machine.
    #[serde(default)]
    pub location: Text<'a>,
    /// The operation.
    #[serde(default)]
    pub operation: Text<'a>,
}

impl PartsJoined<'_> {
    pub(super) fn validate(&self) -> Result<(), Refusal> {
        check::required("part", &self.part)?;
        check::some("parts", &self.parts)?;
        check::names("parts", &self.parts)?;
        check::name("location", &self.location)?;
        check::name("operation", &self.operation)?;
        check::distinct("parts", &self.part, &self.parts)
    }

    pub(super) fn for_each_aspect<'s>(&'s self, f: &mut dyn FnMut(Aspect<'s>)) {
        for part in std::iter::once(&self.part).chain(&self.parts) {
            f(Aspect::keyed(AspectKind::PartPlace, part));
        }
    }
}

/// A part was taken apart or cut; it is no longer a part of its own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PartSplit<'a> {
    /// The part that was split.
    pub part: Text<'a>,
    /// The parts that it became.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub into: Vec<Text<'a>>,
    /// Where: a machine or a buffer; empty for the event's machine.
    #[serde(default)]
    pub location: Text<'a>,
    /// The operation.
    #[serde(default)]
    pub operation: Text<'a>,
}

impl PartSplit<'_> {
    pub(super) fn validate(&self) -> Result<(), Refusal> {
        check::required("part", &self.part)?;
        check::some("into", &self.into)?;
        check::names("into", &self.into)?;
        check::name("location", &self.location)?;
        check::name("operation", &self.operation)?;
        check::distinct("into", &self.part, &self.into)
    }

    pub(super) fn for_each_aspect<'s>(&'s self, f: &mut dyn FnMut(Aspect<'s>)) {
        for part in std::iter::once(&self.part).chain(&self.into) {
            f(Aspect::keyed(AspectKind::PartPlace, part));
        }
    }
}

/// What was decided about a part.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PartDispositioned<'a> {
    /// The serial or vehicle number of the part.
    pub part: Text<'a>,
    /// What was decided.
    pub disposition: Disposition,
    /// The reason or defect code.
    #[serde(default)]
    pub code: Text<'a>,
    /// Where it was found: a machine or a buffer; empty for the event's machine or when it is
    /// not said.
    #[serde(default)]
    pub location: Text<'a>,
    /// When the part was made, so that late scrap counts in its own period; absent when it is
    /// not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub produced_at: Option<Timestamp>,
    /// Who decided.
    #[serde(default)]
    pub who: Protected<'a>,
    /// What the person wrote.
    #[serde(default)]
    pub comment: Protected<'a>,
}

impl PartDispositioned<'_> {
    pub(super) fn validate(&self) -> Result<(), Refusal> {
        check::required("part", &self.part)?;
        check::specified("disposition", &self.disposition)?;
        check::name("code", &self.code)?;
        check::name("location", &self.location)?;
        self.who.validate("who")?;
        self.comment.validate("comment")
    }

    pub(super) fn for_each_aspect<'s>(&'s self, f: &mut dyn FnMut(Aspect<'s>)) {
        f(Aspect::keyed(AspectKind::PartDisposition, &self.part));
    }
}

fields! {
    PartEntered<'a> { part location place part_type variant carrier operation order }
    PartLeft<'a> { part location place to part_type variant carrier operation outcome }
    PartsJoined<'a> { part parts location operation }
    PartSplit<'a> { part into location operation }
    PartDispositioned<'a> { part disposition code location produced_at who comment }
}
