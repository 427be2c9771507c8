//! What if: the model of a plant, scenarios that change it, and studies that run both side by side.
//!
//! A [`Model`] is a plant's description with how it behaves; a [`Scenario`] is a named list of changes to it, read
//! from a file and checked against it. [`run`] simulates the model as it is and with each scenario, with the same
//! chance for all, and says how far they are apart and how sure that is.

mod change;
mod collect;
mod course;
mod cycles;
mod document;
mod evidence;
mod fork;
mod gantt;
mod groups;
mod inflow;
mod inputs;
mod machines;
mod material;
mod model;
mod outcome;
mod reader;
mod recorded;
mod recovery;
mod scenario;
mod sensitivity;
mod setups;
mod study;
#[cfg(test)]
mod tests;
mod told;
mod tornado;
mod tried;
mod uncertainty;
mod zones;

pub use crate::factory::{AtStation, Failed, Level, Start};
pub use change::{Change, OPERATIONS};
pub use collect::WINDOWS;
pub use course::STAGES_MAX;
pub use fork::Fitted;
pub use gantt::{Gantt, StationRow, gantt};
pub use inputs::{Asked, InputError, Inputs, Table, Text};
pub use model::Model;
pub use outcome::{CaseOutcome, Difference, First, Measured, Outcome, StationOutcome};
pub use recorded::{
    Attended, CallRecord, CycleRecord, MachineRecord, OtherRecord, PlaceRecord, PlantRecord, Spent,
    StockMove, StockRecord,
};
pub use recovery::Loss;
pub use scenario::{CHANGES_MAX, SCENARIOS_MAX, Scenario};
pub use sensitivity::{Sensitivity, StationSensitivity, sensitivity};
pub use study::{Effort, HORIZON_NS_MAX, Progress, REPLICATIONS_MAX, StudyError, run};
pub use tornado::{Bar, Tornado, tornado};
pub use tried::Tried;
