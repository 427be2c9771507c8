//! Plans, in versions and chunks.

use super::facts::fields;
use super::{Aspect, AspectKind, Refusal, Text, check};
use crate::codes::codes;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

codes! {
    /// What a plan is about.
    pub enum PlanKind {
        /// Not said.
        Unspecified = 0 "UNSPECIFIED",
        /// How much of what is to be made, by order or product.
        Programme = 1 "PROGRAMME",
        /// The order in which single parts enter the line.
        Sequence = 2 "SEQUENCE",
        /// What suppliers are to deliver, and when.
        Deliveries = 3 "DELIVERIES",
        /// Maintenance that is planned.
        Maintenance = 4 "MAINTENANCE",
    }
}

/// One entry of a plan.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PlanEntry<'a> {
    /// When it is to begin or to be there.
    pub at: Timestamp,
    /// When it is to end; absent when it is a moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// The order.
    #[serde(default)]
    pub order: Text<'a>,
    /// The product.
    #[serde(default)]
    pub product: Text<'a>,
    /// The variant of the product.
    #[serde(default)]
    pub variant: Text<'a>,
    /// The serial or vehicle number of the part, in a sequence.
    #[serde(default)]
    pub part: Text<'a>,
    /// How much, in pieces; absent when it is one part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantity: Option<f64>,
    /// The part number, in deliveries.
    #[serde(default)]
    pub part_number: Text<'a>,
    /// The supplier or site that delivers.
    #[serde(default)]
    pub site: Text<'a>,
    /// Where: a machine, buffer or unit.
    #[serde(default)]
    pub location: Text<'a>,
    /// More, for a person.
    #[serde(default)]
    pub text: Text<'a>,
}

impl PlanEntry<'_> {
    pub(super) fn validate(&self) -> Result<(), Refusal> {
        check::name("entries.order", &self.order)?;
        check::name("entries.product", &self.product)?;
        check::name("entries.variant", &self.variant)?;
        check::name("entries.part", &self.part)?;
        check::finite("entries.quantity", self.quantity)?;
        check::name("entries.part_number", &self.part_number)?;
        check::name("entries.site", &self.site)?;
        check::name("entries.location", &self.location)?;
        check::text("entries.text", &self.text)?;
        check::not_negative("entries.quantity", self.quantity)?;
        match self.until {
            Some(until) => check::ordered("entries.until", self.at, until),
            None => Ok(()),
        }
    }
}

/// A version of a plan. A long one comes in several chunks; a version counts once all its chunks
/// are there, and the greatest such version holds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PlanPublished<'a> {
    /// The plan.
    pub plan: Text<'a>,
    /// What it is about.
    pub plan_kind: PlanKind,
    /// Its version, from 1.
    #[serde(default)]
    pub version: u32,
    /// The number of this chunk, from 1.
    #[serde(default)]
    pub chunk: u32,
    /// How many chunks the version has.
    #[serde(default)]
    pub chunks: u32,
    /// When the time that it is about begins; absent when it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// When the time that it is about ends; absent when it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Timestamp>,
    /// What is planned, in the order of the plan.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub entries: Vec<PlanEntry<'a>>,
}

impl PlanPublished<'_> {
    pub(super) fn validate(&self) -> Result<(), Refusal> {
        check::required("plan", &self.plan)?;
        check::specified("plan_kind", &self.plan_kind)?;
        self.entries.iter().try_for_each(PlanEntry::validate)?;
        check::counted("version", self.version)?;
        check::counted("chunk", self.chunk)?;
        if self.chunk > self.chunks {
            return Err(check::out_of_range(
                "chunk",
                format!("chunk {} of {}", self.chunk, self.chunks),
            ));
        }
        match (self.from, self.to) {
            (Some(from), Some(to)) => check::ordered("to", from, to),
            _ => Ok(()),
        }
    }

    pub(super) fn for_each_aspect<'s>(&'s self, f: &mut dyn FnMut(Aspect<'s>)) {
        f(Aspect {
            number: u64::from(self.version) << 32 | u64::from(self.chunk),
            ..Aspect::keyed(AspectKind::Plan, &self.plan)
        });
    }
}

fields! {
    PlanEntry<'a> { at until order product variant part quantity part_number site location text }
    PlanPublished<'a> { plan plan_kind version chunk chunks from to entries }
}
