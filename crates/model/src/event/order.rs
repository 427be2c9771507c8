//! Orders, from release to end.

use super::facts::fields;
use super::{Aspect, AspectKind, Refusal, Text, check};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// An order may be worked on from now on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OrderReleased<'a> {
    /// The order.
    pub order: Text<'a>,
    /// The product.
    #[serde(default)]
    pub product: Text<'a>,
    /// The variant of the product.
    #[serde(default)]
    pub variant: Text<'a>,
    /// How many pieces are to be made; absent when it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub planned: Option<u64>,
    /// When they are due; absent when it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
    /// How urgent it is, 1 first; absent when it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<u64>,
}

impl OrderReleased<'_> {
    pub(super) fn validate(&self) -> Result<(), Refusal> {
        check::required("order", &self.order)?;
        check::name("product", &self.product)?;
        check::name("variant", &self.variant)
    }

    pub(super) fn for_each_aspect<'s>(&'s self, f: &mut dyn FnMut(Aspect<'s>)) {
        f(Aspect::keyed(AspectKind::OrderRelease, &self.order));
    }
}

/// Work on an order began; with a machine: there.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OrderStarted<'a> {
    /// The order.
    pub order: Text<'a>,
    /// The product.
    #[serde(default)]
    pub product: Text<'a>,
    /// The variant of the product.
    #[serde(default)]
    pub variant: Text<'a>,
}

impl OrderStarted<'_> {
    pub(super) fn validate(&self) -> Result<(), Refusal> {
        check::required("order", &self.order)?;
        check::name("product", &self.product)?;
        check::name("variant", &self.variant)
    }

    pub(super) fn for_each_aspect<'s>(&'s self, f: &mut dyn FnMut(Aspect<'s>)) {
        f(Aspect::keyed(AspectKind::OrderProgress, &self.order));
        f(Aspect::single(AspectKind::Order));
    }
}

/// An order is done; with a machine: there.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OrderCompleted<'a> {
    /// The order.
    pub order: Text<'a>,
    /// How many good pieces were made; absent when it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done: Option<u64>,
    /// How many pieces were scrapped; absent when it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scrap: Option<u64>,
}

impl OrderCompleted<'_> {
    pub(super) fn validate(&self) -> Result<(), Refusal> {
        check::required("order", &self.order)
    }

    pub(super) fn for_each_aspect<'s>(&'s self, f: &mut dyn FnMut(Aspect<'s>)) {
        f(Aspect::keyed(AspectKind::OrderProgress, &self.order));
        f(Aspect::single(AspectKind::Order));
    }
}

/// An order was broken off; with a machine: there.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OrderAborted<'a> {
    /// The order.
    pub order: Text<'a>,
    /// How many good pieces were made; absent when it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done: Option<u64>,
    /// How many pieces were scrapped; absent when it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scrap: Option<u64>,
    /// Why.
    #[serde(default)]
    pub reason: Text<'a>,
}

impl OrderAborted<'_> {
    pub(super) fn validate(&self) -> Result<(), Refusal> {
        check::required("order", &self.order)?;
        check::text("reason", &self.reason)
    }

    pub(super) fn for_each_aspect<'s>(&'s self, f: &mut dyn FnMut(Aspect<'s>)) {
        f(Aspect::keyed(AspectKind::OrderProgress, &self.order));
        f(Aspect::single(AspectKind::Order));
    }
}

fields! {
    OrderReleased<'a> { order product variant planned due priority }
    OrderStarted<'a> { order product variant }
    OrderCompleted<'a> { order done scrap }
    OrderAborted<'a> { order done scrap reason }
}
