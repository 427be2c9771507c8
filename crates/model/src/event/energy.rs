//! Meters of energy and other media, as absolute counters.

use super::facts::fields;
use super::{Aspect, AspectKind, Refusal, Text, check};
use crate::codes::codes;
use serde::{Deserialize, Serialize};

codes! {
    /// What a meter counts, with the unit of its values.
    pub enum Medium {
        /// Not said.
        Unspecified = 0 "UNSPECIFIED",
        /// Electric energy, in Wh.
        Electricity = 1 "ELECTRICITY",
        /// Compressed air, in m3 at the reference conditions of the meter.
        CompressedAir = 2 "COMPRESSED_AIR",
        /// Water, in m3.
        Water = 3 "WATER",
        /// Gas, in m3 at the reference conditions of the meter.
        Gas = 4 "GAS",
        /// Heat, in Wh.
        Heat = 5 "HEAT",
    }
}

/// A meter stands at a value. The use of a window is, over the reset epochs in it, the sum of
/// greatest minus least value.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EnergyCounter<'a> {
    /// The meter's name at the source.
    pub meter: Text<'a>,
    /// What it counts, which tells the unit: Wh or m3.
    pub medium: Medium,
    /// Where it stands, in the unit of the medium; absent when the source cannot say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// The value at which it begins again at zero; 0 when it never does.
    pub modulus: f64,
    /// Counts the resets of the meter, stamped by the gateway.
    #[serde(default)]
    pub reset_epoch: u32,
}

impl EnergyCounter<'_> {
    pub(super) fn validate(&self) -> Result<(), Refusal> {
        check::required("meter", &self.meter)?;
        check::specified("medium", &self.medium)?;
        check::finite("value", self.value)?;
        check::finite("modulus", Some(self.modulus))?;
        check::not_negative("modulus", Some(self.modulus))?;
        match self.value {
            Some(value) if self.modulus > 0.0 && value >= self.modulus => Err(check::out_of_range(
                "value",
                format!("value {value} is not below the modulus {}", self.modulus),
            )),
            _ => Ok(()),
        }
    }

    pub(super) fn for_each_aspect<'s>(&'s self, f: &mut dyn FnMut(Aspect<'s>)) {
        f(Aspect::keyed(AspectKind::Energy, &self.meter));
    }
}

fields! {
    EnergyCounter<'a> { meter medium value modulus reset_epoch }
}
