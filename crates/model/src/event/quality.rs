//! Measurements of quality.

use super::facts::fields;
use super::{Aspect, AspectKind, Refusal, ResultVerdict, Text, check};
use serde::{Deserialize, Serialize};

/// One characteristic of a part was measured or judged.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct QualityResult<'a> {
    /// The characteristic, by its name or number in the inspection plan.
    pub characteristic: Text<'a>,
    /// The value aimed at, in `unit`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nominal: Option<f64>,
    /// The value found, in `unit`; absent for a mere verdict.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured: Option<f64>,
    /// The lower limit, in `unit`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lower: Option<f64>,
    /// The upper limit, in `unit`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upper: Option<f64>,
    /// The unit of the values.
    #[serde(default)]
    pub unit: Text<'a>,
    /// Whether it is good, as the source says.
    pub verdict: ResultVerdict,
    /// The id of the cycle.
    #[serde(default)]
    pub cycle: Text<'a>,
    /// The serial or vehicle number of the part.
    #[serde(default)]
    pub part: Text<'a>,
    /// The operation.
    #[serde(default)]
    pub operation: Text<'a>,
    /// The subgroup for statistics.
    #[serde(default)]
    pub subgroup: Text<'a>,
}

impl QualityResult<'_> {
    pub(super) fn validate(&self) -> Result<(), Refusal> {
        check::required("characteristic", &self.characteristic)?;
        check::finite("nominal", self.nominal)?;
        check::finite("measured", self.measured)?;
        check::finite("lower", self.lower)?;
        check::finite("upper", self.upper)?;
        check::name("unit", &self.unit)?;
        check::specified("verdict", &self.verdict)?;
        check::name("cycle", &self.cycle)?;
        check::name("part", &self.part)?;
        check::name("operation", &self.operation)?;
        check::name("subgroup", &self.subgroup)?;
        check::limits("lower", self.lower, self.upper)
    }

    pub(super) fn for_each_aspect<'s>(&'s self, f: &mut dyn FnMut(Aspect<'s>)) {
        f(Aspect::keyed(
            AspectKind::QualityResult,
            &self.characteristic,
        ));
    }
}

fields! {
    QualityResult<'a> { characteristic nominal measured lower upper unit verdict cycle part operation subgroup }
}
