//! Results of operations on parts, with their figures.

use super::facts::fields;
use super::{Aspect, AspectKind, Refusal, Text, check};
use crate::codes::codes;
use serde::{Deserialize, Serialize};

codes! {
    /// Whether a result is good.
    pub enum ResultVerdict {
        /// Not said.
        Unspecified = 0 "UNSPECIFIED",
        /// It is good.
        Ok = 1 "OK",
        /// It is not good.
        Nok = 2 "NOK",
        /// It could not be judged.
        Unknown = 3 "UNKNOWN",
    }
}

/// One named figure with its limits.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Figure<'a> {
    /// Its name, such as `current`, `torque`, `angle`.
    pub name: Text<'a>,
    /// Its value, in `unit`.
    pub value: f64,
    /// The unit: `A`, `V`, `N m`, `deg`, `ms`; empty when it has none.
    #[serde(default)]
    pub unit: Text<'a>,
    /// The lower limit, in `unit`; absent when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lower: Option<f64>,
    /// The upper limit, in `unit`; absent when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upper: Option<f64>,
}

impl Figure<'_> {
    pub(super) fn validate(&self) -> Result<(), Refusal> {
        check::required("figures.name", &self.name)?;
        check::finite("figures.value", Some(self.value))?;
        check::name("figures.unit", &self.unit)?;
        check::finite("figures.lower", self.lower)?;
        check::finite("figures.upper", self.upper)?;
        check::limits("figures.lower", self.lower, self.upper)
    }
}

/// The result of an operation on a part: a weld, a screw, a bead of glue.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ProcessResult<'a> {
    /// The operation: `weld`, `torque`, `dispense`.
    pub operation: Text<'a>,
    /// Where on the part, such as a spot or a screw.
    #[serde(default)]
    pub spot: Text<'a>,
    /// Whether it is good.
    pub verdict: ResultVerdict,
    /// The id of the cycle.
    #[serde(default)]
    pub cycle: Text<'a>,
    /// The serial or vehicle number of the part.
    #[serde(default)]
    pub part: Text<'a>,
    /// The subgroup for statistics, such as a gun, a tip or a nest.
    #[serde(default)]
    pub subgroup: Text<'a>,
    /// The key figures: current, voltage, torque, angle, time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub figures: Vec<Figure<'a>>,
}

impl ProcessResult<'_> {
    pub(super) fn validate(&self) -> Result<(), Refusal> {
        check::required("operation", &self.operation)?;
        check::name("spot", &self.spot)?;
        check::specified("verdict", &self.verdict)?;
        check::name("cycle", &self.cycle)?;
        check::name("part", &self.part)?;
        check::name("subgroup", &self.subgroup)?;
        self.figures.iter().try_for_each(Figure::validate)
    }

    pub(super) fn for_each_aspect<'s>(&'s self, f: &mut dyn FnMut(Aspect<'s>)) {
        f(Aspect::keyed(AspectKind::ProcessResult, &self.operation));
    }
}

fields! {
    Figure<'a> { name value unit lower upper }
    ProcessResult<'a> { operation spot verdict cycle part subgroup figures }
}
