//! Maintenance of a machine, from its start to its end.

use super::facts::fields;
use super::{Aspect, AspectKind, Protected, Refusal, Text, WorkOutcome, check};
use crate::codes::codes;
use serde::{Deserialize, Serialize};

codes! {
    /// What sort of maintenance it is.
    pub enum MaintenanceKind {
        /// Not said.
        Unspecified = 0 "UNSPECIFIED",
        /// By plan, before anything fails.
        Preventive = 1 "PREVENTIVE",
        /// To mend what has failed.
        Corrective = 2 "CORRECTIVE",
        /// Because measurements ask for it.
        Predictive = 3 "PREDICTIVE",
        /// To look, not to mend.
        Inspection = 4 "INSPECTION",
        /// By the operators themselves.
        Autonomous = 5 "AUTONOMOUS",
    }
}

codes! {
    /// Whether something was planned.
    pub enum Planned {
        /// Not said.
        Unspecified = 0 "UNSPECIFIED",
        /// It was planned.
        Planned = 1 "PLANNED",
        /// It was not planned.
        Unplanned = 2 "UNPLANNED",
    }
}

/// Maintenance of a machine began.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MaintenanceStarted<'a> {
    /// What tells this maintenance from others of its machine; start and end share it. Empty
    /// for the one of a machine without work orders.
    #[serde(default)]
    pub work_order: Text<'a>,
    /// What sort of maintenance it is.
    #[serde(default)]
    pub maintenance: MaintenanceKind,
    /// Whether it was planned.
    #[serde(default)]
    pub planned: Planned,
    /// The crew that does it.
    #[serde(default)]
    pub crew: Text<'a>,
    /// The source's own word for it.
    #[serde(default)]
    pub native: Text<'a>,
}

impl MaintenanceStarted<'_> {
    pub(super) fn validate(&self) -> Result<(), Refusal> {
        check::name("work_order", &self.work_order)?;
        check::name("crew", &self.crew)?;
        check::name("native", &self.native)
    }

    pub(super) fn for_each_aspect<'s>(&'s self, f: &mut dyn FnMut(Aspect<'s>)) {
        f(Aspect::keyed(AspectKind::Maintenance, &self.work_order));
    }
}

/// Maintenance of a machine ended.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MaintenanceEnded<'a> {
    /// The work order of its start.
    #[serde(default)]
    pub work_order: Text<'a>,
    /// How it ended.
    #[serde(default)]
    pub outcome: WorkOutcome,
    /// Who reported it done.
    #[serde(default)]
    pub who: Protected<'a>,
    /// What the person wrote.
    #[serde(default)]
    pub comment: Protected<'a>,
}

impl MaintenanceEnded<'_> {
    pub(super) fn validate(&self) -> Result<(), Refusal> {
        check::name("work_order", &self.work_order)?;
        self.who.validate("who")?;
        self.comment.validate("comment")
    }

    pub(super) fn for_each_aspect<'s>(&'s self, f: &mut dyn FnMut(Aspect<'s>)) {
        f(Aspect::keyed(AspectKind::Maintenance, &self.work_order));
    }
}

fields! {
    MaintenanceStarted<'a> { work_order maintenance planned crew native }
    MaintenanceEnded<'a> { work_order outcome who comment }
}
