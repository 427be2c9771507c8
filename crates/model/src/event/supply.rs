//! What suppliers and other sites say about supply.

use super::facts::fields;
use super::{Aspect, AspectKind, Refusal, Text, check};
use serde::{Deserialize, Serialize};

/// What a supplier or another site says about the supply of a part.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SupplyStatusReported<'a> {
    /// The part number.
    pub part_number: Text<'a>,
    /// Who says so: a supplier or a site.
    #[serde(default)]
    pub site: Text<'a>,
    /// The stock there, in `unit`; absent when it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stock: Option<f64>,
    /// The unit of stock, demand and capacity; empty for pieces.
    #[serde(default)]
    pub unit: Text<'a>,
    /// How long the stock lasts, in days; absent when it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days_of_supply: Option<f64>,
    /// The demand, in `unit` a day; absent when it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub demand_per_day: Option<f64>,
    /// The capacity, in `unit` a week; absent when it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity_per_week: Option<f64>,
}

impl SupplyStatusReported<'_> {
    pub(super) fn validate(&self) -> Result<(), Refusal> {
        check::required("part_number", &self.part_number)?;
        check::name("site", &self.site)?;
        check::finite("stock", self.stock)?;
        check::name("unit", &self.unit)?;
        check::finite("days_of_supply", self.days_of_supply)?;
        check::finite("demand_per_day", self.demand_per_day)?;
        check::finite("capacity_per_week", self.capacity_per_week)?;
        check::not_negative("days_of_supply", self.days_of_supply)?;
        check::not_negative("demand_per_day", self.demand_per_day)?;
        check::not_negative("capacity_per_week", self.capacity_per_week)
    }

    pub(super) fn for_each_aspect<'s>(&'s self, f: &mut dyn FnMut(Aspect<'s>)) {
        f(Aspect::pair(
            AspectKind::Supply,
            &self.part_number,
            &self.site,
        ));
    }
}

fields! {
    SupplyStatusReported<'a> { part_number site stock unit days_of_supply demand_per_day capacity_per_week }
}
