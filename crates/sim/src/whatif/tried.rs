//! What a study tries beside its scenarios: stations that work faster, and parameters at a low and a high value.

use super::model::Model;
use super::outcome::Outcome;
use super::scenario::Scenario;
use super::sensitivity::sensitivity;
use super::study::{Effort, Progress, StudyError};
use super::tornado::tornado;
use serde::{Deserialize, Serialize};

/// What is tried.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tried {
    /// By which share each station of every case works faster, above 0 and below 1; absent for not at all.
    pub sensitivity: Option<f64>,
    /// How far below and above what is given each parameter of the baseline is tried, as a share above 0 and below
    /// 1; absent for not at all.
    pub tornado: Option<f64>,
    /// How many stations, and how many parameters, are tried: those of the busiest stations.
    pub most: u32,
}

impl Tried {
    /// Nothing is tried.
    pub const NOTHING: Self = Self {
        sensitivity: None,
        tornado: None,
        most: 0,
    };

    /// Tries what was asked for and adds it to what was found.
    ///
    /// # Errors
    ///
    /// As of [`super::run`]; a share that is none.
    pub(super) fn run(
        &self,
        (model, scenarios): (&Model, &[Scenario]),
        (found, effort): (&mut Outcome, &Effort),
        on: &(dyn Fn(Progress) -> bool + Sync),
    ) -> Result<(), StudyError> {
        let shares = [self.sensitivity, self.tornado];
        if shares
            .into_iter()
            .flatten()
            .any(|one| !(one > 0.0 && one < 1.0))
        {
            let what = "what is tried is a share above 0 and below 1, such as 0.01";
            return Err(StudyError::Asked(what.to_owned()));
        }
        let most = self.most as usize;
        if let Some(faster) = self.sensitivity {
            let of = (&*found, effort);
            found.sensitivity = sensitivity(model, scenarios, of, (faster, most), on)?;
        }
        if let Some(swing) = self.tornado {
            found.tornado = Some(tornado(model, (&*found, effort), (swing, most), on)?);
        }
        Ok(())
    }
}
