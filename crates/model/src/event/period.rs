//! The official figures of closed periods.

use super::facts::fields;
use super::{Aspect, AspectKind, Figure, Refusal, Text, check};
use crate::id::Position;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// The official figures of a period, such as a shift. What comes later restates them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PeriodClosed<'a> {
    /// The unit or machine they are about; empty for the plant.
    #[serde(default)]
    pub unit: Text<'a>,
    /// The period, such as `2026-11-21/night`.
    pub key: Text<'a>,
    /// When it begins.
    pub from: Timestamp,
    /// When it ends.
    pub to: Timestamp,
    /// The position of the log that the figures reflect; 0 when it is not said.
    #[serde(default)]
    pub at_position: Position,
    /// The figures.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub figures: Vec<Figure<'a>>,
}

impl PeriodClosed<'_> {
    pub(super) fn validate(&self) -> Result<(), Refusal> {
        check::name("unit", &self.unit)?;
        check::required("key", &self.key)?;
        self.figures.iter().try_for_each(Figure::validate)?;
        check::ordered("to", self.from, self.to)
    }

    pub(super) fn for_each_aspect<'s>(&'s self, f: &mut dyn FnMut(Aspect<'s>)) {
        f(Aspect::pair(AspectKind::Period, &self.unit, &self.key));
    }
}

fields! {
    PeriodClosed<'a> { unit key from to at_position figures }
}
