//! Who is there to work.

use super::facts::fields;
use super::{Aspect, AspectKind, Protected, Refusal, Text, check};
use serde::{Deserialize, Serialize};

/// How many people of a crew are there.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StaffingChanged<'a> {
    /// The unit or machine they work at; empty for the plant.
    #[serde(default)]
    pub unit: Text<'a>,
    /// The crew.
    pub crew: Text<'a>,
    /// The shift.
    #[serde(default)]
    pub shift: Text<'a>,
    /// The skill that is meant; empty for all.
    #[serde(default)]
    pub skill: Text<'a>,
    /// How many are there; absent when it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub present: Option<u64>,
    /// How many are needed; absent when it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub required: Option<u64>,
    /// Who is meant, when it is one person.
    #[serde(default)]
    pub who: Protected<'a>,
}

impl StaffingChanged<'_> {
    pub(super) fn validate(&self) -> Result<(), Refusal> {
        check::name("unit", &self.unit)?;
        check::required("crew", &self.crew)?;
        check::name("shift", &self.shift)?;
        check::name("skill", &self.skill)?;
        self.who.validate("who")
    }

    pub(super) fn for_each_aspect<'s>(&'s self, f: &mut dyn FnMut(Aspect<'s>)) {
        f(Aspect::pair(AspectKind::Staffing, &self.unit, &self.crew));
    }
}

fields! {
    StaffingChanged<'a> { unit crew shift skill present required who }
}
