//! Transports between places.

use super::facts::fields;
use super::{Aspect, AspectKind, Refusal, Text, WorkOutcome, check};
use serde::{Deserialize, Serialize};

/// A transport began.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TransportStarted<'a> {
    /// What tells it from other transports; start and end share it.
    pub transport: Text<'a>,
    /// The vehicle.
    #[serde(default)]
    pub vehicle: Text<'a>,
    /// The carrier: rack, skid, pallet.
    #[serde(default)]
    pub carrier: Text<'a>,
    /// Where it begins.
    #[serde(default)]
    pub from: Text<'a>,
    /// Where it goes.
    #[serde(default)]
    pub to: Text<'a>,
    /// The parts that it carries, by serial or vehicle number.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Text<'a>>,
    /// The part number of what it carries, when the single parts are not known.
    #[serde(default)]
    pub part_number: Text<'a>,
    /// How much of the part number, in pieces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantity: Option<f64>,
}

impl TransportStarted<'_> {
    pub(super) fn validate(&self) -> Result<(), Refusal> {
        check::required("transport", &self.transport)?;
        check::name("vehicle", &self.vehicle)?;
        check::name("carrier", &self.carrier)?;
        check::name("from", &self.from)?;
        check::name("to", &self.to)?;
        check::names("parts", &self.parts)?;
        check::name("part_number", &self.part_number)?;
        check::finite("quantity", self.quantity)?;
        check::not_negative("quantity", self.quantity)?;
        check::distinct("parts", "", &self.parts)
    }

    pub(super) fn for_each_aspect<'s>(&'s self, f: &mut dyn FnMut(Aspect<'s>)) {
        f(Aspect::keyed(AspectKind::Transport, &self.transport));
        for part in &self.parts {
            f(Aspect::keyed(AspectKind::PartPlace, part));
        }
    }
}

/// A transport ended.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TransportEnded<'a> {
    /// The transport.
    pub transport: Text<'a>,
    /// Where it ended; empty for where it was to go.
    #[serde(default)]
    pub at: Text<'a>,
    /// How it ended.
    #[serde(default)]
    pub outcome: WorkOutcome,
}

impl TransportEnded<'_> {
    pub(super) fn validate(&self) -> Result<(), Refusal> {
        check::required("transport", &self.transport)?;
        check::name("at", &self.at)
    }

    pub(super) fn for_each_aspect<'s>(&'s self, f: &mut dyn FnMut(Aspect<'s>)) {
        f(Aspect::keyed(AspectKind::Transport, &self.transport));
    }
}

fields! {
    TransportStarted<'a> { transport vehicle carrier from to parts part_number quantity }
    TransportEnded<'a> { transport at outcome }
}
