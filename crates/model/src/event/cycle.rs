//! The cycles of a machine.

use super::facts::fields;
use super::{Aspect, AspectKind, Refusal, Text, check};
use crate::codes::codes;
use serde::{Deserialize, Serialize};

codes! {
    /// How a cycle, a job or a trip ended.
    pub enum WorkOutcome {
        /// Not said.
        Unspecified = 0 "UNSPECIFIED",
        /// It did what it was to do.
        Ok = 1 "OK",
        /// It ended, and its result is not good.
        Nok = 2 "NOK",
        /// It was broken off.
        Aborted = 3 "ABORTED",
    }
}

/// A machine began a cycle.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CycleStarted<'a> {
    /// The id of the cycle, which its results and its end carry too; empty when it is not
    /// said.
    #[serde(default)]
    pub cycle: Text<'a>,
    /// The program that runs.
    #[serde(default)]
    pub program: Text<'a>,
    /// The part's type.
    #[serde(default)]
    pub part_type: Text<'a>,
    /// The serial or vehicle number of the part.
    #[serde(default)]
    pub part: Text<'a>,
    /// The operation, such as `op-20`.
    #[serde(default)]
    pub operation: Text<'a>,
    /// The carrier that holds the part.
    #[serde(default)]
    pub carrier: Text<'a>,
    /// The variant of the product.
    #[serde(default)]
    pub variant: Text<'a>,
}

impl CycleStarted<'_> {
    pub(super) fn validate(&self) -> Result<(), Refusal> {
        check::name("cycle", &self.cycle)?;
        check::name("program", &self.program)?;
        check::name("part_type", &self.part_type)?;
        check::name("part", &self.part)?;
        check::name("operation", &self.operation)?;
        check::name("carrier", &self.carrier)?;
        check::name("variant", &self.variant)
    }

    pub(super) fn for_each_aspect<'s>(&'s self, f: &mut dyn FnMut(Aspect<'s>)) {
        f(Aspect::single(AspectKind::CycleStart));
    }
}

/// A machine ended a cycle.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CycleCompleted<'a> {
    /// The id of the cycle; empty when it is not said.
    #[serde(default)]
    pub cycle: Text<'a>,
    /// How long it took, in milliseconds, as the source says; absent when it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u64>,
    /// How long it should take, in milliseconds; absent when the source does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ideal_ms: Option<u64>,
    /// How it ended.
    pub outcome: WorkOutcome,
    /// The serial or vehicle number of the part.
    #[serde(default)]
    pub part: Text<'a>,
    /// The part's type.
    #[serde(default)]
    pub part_type: Text<'a>,
    /// The variant of the product.
    #[serde(default)]
    pub variant: Text<'a>,
    /// The operation.
    #[serde(default)]
    pub operation: Text<'a>,
    /// The subgroup for statistics, such as a tool, a cavity or a nest.
    #[serde(default)]
    pub subgroup: Text<'a>,
    /// How many parts were made in the cycle; 0 when it is not said, which counts as one.
    #[serde(default)]
    pub parts: u32,
}

impl CycleCompleted<'_> {
    pub(super) fn validate(&self) -> Result<(), Refusal> {
        check::name("cycle", &self.cycle)?;
        check::specified("outcome", &self.outcome)?;
        check::name("part", &self.part)?;
        check::name("part_type", &self.part_type)?;
        check::name("variant", &self.variant)?;
        check::name("operation", &self.operation)?;
        check::name("subgroup", &self.subgroup)
    }

    pub(super) fn for_each_aspect<'s>(&'s self, f: &mut dyn FnMut(Aspect<'s>)) {
        f(Aspect::single(AspectKind::CycleEnd));
    }
}

fields! {
    CycleStarted<'a> { cycle program part_type part operation carrier variant }
    CycleCompleted<'a> { cycle duration_ms ideal_ms outcome part part_type variant operation subgroup parts }
}
