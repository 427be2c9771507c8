//! All that a study is made of, as texts and numbers: enough to run it again, to the bit.

use super::fork::Fitted;
use super::gantt::{Gantt, gantt};
use super::model::Model;
use super::outcome::Outcome;
use super::recorded::PlantRecord;
use super::scenario::{SCENARIOS_MAX, Scenario};
use super::study::{Effort, Progress, StudyError, run};
use super::tried::Tried;
use serde::{Deserialize, Serialize};
use werkbuch_model::plant::{Mistake, TableText, parse_with};
use werkbuch_model::time::{Timestamp, utc_offset_s};

/// A text with the name that it has in mistakes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Text {
    /// The name.
    pub file: String,
    /// The text.
    pub content: String,
}

/// A table in CSV that a description names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// The name by which the description knows it.
    pub name: String,
    /// The file's name, for mistakes.
    pub file: String,
    /// The table.
    pub content: String,
}

/// What a study is made of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Inputs {
    /// The plant's description.
    pub plant: Text,
    /// The tables that it names.
    pub tables: Vec<Table>,
    /// How the plant behaves, laid over what was fitted; absent where nothing is.
    pub behaviour: Option<Text>,
    /// Files of scenarios.
    pub scenarios: Vec<Text>,
    /// When it begins, in nanoseconds since 1970.
    pub start_ns: i64,
    /// What is asked for.
    pub asked: Asked,
}

/// What is asked of a study beside its model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Asked {
    /// As of [`Effort`], as are all others.
    pub horizon_ns: u64,
    /// How many times each case is run.
    pub replications: u32,
    /// How well outputs are to be known.
    pub precision: Option<f64>,
    /// The seed.
    pub seed: u64,
    /// How often intervals hold.
    pub confidence: f64,
    /// An output whose probability is asked for.
    pub target: Option<u64>,
    /// What is tried beside the scenarios.
    #[serde(default)]
    pub tried: Tried,
}

/// Why inputs make no study.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InputError {
    /// The description has mistakes.
    #[error("the plant's description has mistakes")]
    Description(Vec<Mistake>),
    /// The plant cannot be simulated; the sentence says why.
    #[error("{file} cannot be simulated: {why}")]
    Plant {
        /// The description's name.
        file: String,
        /// Why.
        why: String,
    },
    /// The file of behaviour has mistakes.
    #[error("the model has mistakes")]
    Behaviour(Vec<Mistake>),
    /// The scenarios have mistakes.
    #[error("the scenario has mistakes")]
    Scenarios(Vec<Mistake>),
    /// The files make more scenarios than are run side by side.
    #[error("the files make {0} scenarios, the limit is {SCENARIOS_MAX}: run some of them")]
    TooMany(usize),
    /// Two scenarios have the same name.
    #[error("two scenarios are called \"{0}\": give each file a name of its own: name = \"...\"")]
    Twice(String),
    /// The study could not be made.
    #[error(transparent)]
    Study(#[from] StudyError),
}

impl Asked {
    /// As little as there can be, where a model is looked at and not run.
    pub const LEAST: Self = Self {
        horizon_ns: 1,
        replications: 2,
        precision: None,
        seed: 1,
        confidence: 0.95,
        target: None,
        tried: Tried::NOTHING,
    };
}

impl Inputs {
    /// The model, forked from a record if there is one, with its review sheet, which is empty without a record.
    ///
    /// # Errors
    ///
    /// Mistakes of the description and the file of behaviour; a plant that cannot be simulated.
    pub fn model(&self, record: Option<&PlantRecord>) -> Result<(Model, Vec<Fitted>), InputError> {
        let tables = self.tables.iter().map(|table| TableText {
            name: table.name.clone(),
            file_name: table.file.clone(),
            content: table.content.clone(),
        });
        let tables: Vec<TableText> = tables.collect();
        let file = parse_with(&self.plant.content, &self.plant.file, &tables);
        let file = file.map_err(InputError::Description)?;
        let description = file.to_description().map_err(InputError::Description)?;
        let begins = Timestamp(self.start_ns);
        let offset_s = utc_offset_s(file.plant.time_zone.as_str(), begins).unwrap_or(0);
        let model = Model::planned(file.plant_id.as_str(), &description, begins, offset_s);
        let mut model = model.map_err(|why| InputError::Plant {
            file: self.plant.file.clone(),
            why: why.to_string(),
        })?;
        model
            .assumptions
            .push(format!("the run begins at {begins}"));
        let sheet = record.map_or_else(Vec::new, |record| model.fork(record));
        match &self.behaviour {
            Some(text) => model
                .behave(&text.content, &text.file)
                .map_err(InputError::Behaviour)?,
            None if record.is_some() => {}
            None => model.assumptions.push(
                "no behaviour is given: cycles take as long as planned, nothing fails, material is there"
                    .to_owned(),
            ),
        }
        Ok((model, sheet))
    }

    /// The scenarios of all files.
    ///
    /// # Errors
    ///
    /// Their mistakes, too many of them, two of one name.
    pub fn scenarios(&self, model: &Model) -> Result<Vec<Scenario>, InputError> {
        let mut all: Vec<Scenario> = Vec::new();
        let mut mistakes = Vec::new();
        for text in &self.scenarios {
            match Scenario::parse(&text.content, &text.file, model) {
                Ok(found) => all.extend(found),
                Err(found) => mistakes.extend(found),
            }
        }
        if !mistakes.is_empty() {
            return Err(InputError::Scenarios(mistakes));
        }
        if all.len() > SCENARIOS_MAX {
            return Err(InputError::TooMany(all.len()));
        }
        for at in 1..=all.len() {
            let (before, rest) = all.split_at(at - 1);
            let name = rest.first().map_or("", |one| one.name.as_str());
            if before.iter().any(|one| one.name == name) || name == "baseline" {
                return Err(InputError::Twice(name.to_owned()));
            }
        }
        Ok(all)
    }

    /// Runs it on so many threads; the outcome does not depend on how many. `on` is told how far it is, and ends
    /// it by saying false.
    ///
    /// # Errors
    ///
    /// As of [`Self::model`] and [`Self::scenarios`]; what cannot be asked; that it was cancelled.
    pub fn run(
        &self,
        record: Option<&PlantRecord>,
        threads: usize,
        on: &(dyn Fn(Progress) -> bool + Sync),
    ) -> Result<Outcome, InputError> {
        let (model, _) = self.model(record)?;
        let scenarios = self.scenarios(&model)?;
        let effort = self.asked.effort(threads);
        let mut found = run(&model, &scenarios, &effort, on)?;
        let of = (&model, scenarios.as_slice());
        self.asked.tried.run(of, (&mut found, &effort), on)?;
        Ok(found)
    }

    /// What the stations did in replications of cases, run again: (case, replication) each, the baseline's case is 0.
    ///
    /// # Errors
    ///
    /// As of [`Self::run`]; a case or a replication that the study has not.
    pub fn gantts(
        &self,
        record: Option<&PlantRecord>,
        wanted: &[(usize, u32)],
    ) -> Result<Vec<Gantt>, InputError> {
        let (model, _) = self.model(record)?;
        let scenarios = self.scenarios(&model)?;
        let effort = self.asked.effort(1);
        let of = |one: &(usize, u32)| Ok(gantt(&model, &scenarios, *one, &effort)?);
        wanted.iter().map(of).collect()
    }
}

impl Asked {
    /// The same with a number of threads.
    #[must_use]
    pub const fn effort(&self, threads: usize) -> Effort {
        Effort {
            horizon_ns: self.horizon_ns,
            replications: self.replications,
            precision: self.precision,
            seed: self.seed,
            threads,
            confidence: self.confidence,
            target: self.target,
        }
    }
}
