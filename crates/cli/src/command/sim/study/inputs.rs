//! All that a study is made of: enough to run it again, to the bit.

use super::fork::{ForkAt, Forked};
use crate::command::plant::source::{Source, mistaken};
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::sync::Arc;
use werkbuch_model::plant::{Mistake, TableText, parse_with};
use werkbuch_model::time::{Timestamp, utc_offset_s};
use werkbuch_sim::whatif::{
    Effort, Fitted, Model, Outcome as Found, PlantRecord, Progress, SCENARIOS_MAX, Scenario,
    StudyError, run,
};
use werkbuch_wire::reason::Reason;

/// Where a run begins whose description does not say since when it holds: a Monday.
const MONDAY: &str = "2026-01-05T00:00:00Z";

/// A text with the name that it has in mistakes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Text {
    pub(crate) file: String,
    pub(crate) content: String,
}

/// A table in CSV that a description names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct TableOf {
    name: String,
    file: String,
    content: String,
}

/// What a study is made of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Inputs {
    /// The plant whose log was forked; absent for a described one.
    pub(crate) fork: Option<ForkAt>,
    /// SHA-256 of all that the log said.
    #[serde(default)]
    fork_digest: String,
    #[serde(skip)]
    record: Option<Arc<PlantRecord>>,
    plant: Text,
    tables: Vec<TableOf>,
    /// How the plant behaves; absent where it does as planned.
    behaviour: Option<Text>,
    pub(crate) scenarios: Vec<Text>,
    /// When it begins, in nanoseconds since 1970.
    start_ns: i64,
    asked: Asked,
}

/// What is asked of a study beside its model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Asked {
    pub(crate) horizon_ns: u64,
    pub(crate) replications: u32,
    pub(crate) precision: Option<f64>,
    pub(crate) seed: u64,
    pub(crate) confidence: f64,
    pub(crate) target: Option<u64>,
}

impl Asked {
    /// As little as there can be, where a model is looked at and not run.
    pub(crate) const LEAST: Self = Self {
        horizon_ns: 1,
        replications: 2,
        precision: None,
        seed: 1,
        confidence: 0.95,
        target: None,
    };
}

impl Inputs {
    /// Reads a model: a description, or a file of behaviour that names one. Errors: files that cannot be read,
    /// a description with mistakes.
    pub(crate) fn read(
        model: &Path,
        scenarios: &[std::path::PathBuf],
        (start, asked): (Option<Timestamp>, Asked),
    ) -> Outcome<Self> {
        let content = read(model)?;
        let (source, behaviour) = match plant_of(&content) {
            Some((plant, _)) => {
                let beside = model.parent().unwrap_or(Path::new("")).join(plant);
                let named =
                    |failure: Failure| failure.hint(format!("{} names it", model.display()));
                let text = Text {
                    file: model.display().to_string(),
                    content: content.clone(),
                };
                (Source::read(&beside).map_err(named)?, Some(text))
            }
            None => (Source::read(model)?, None),
        };
        let file = source.parse()?;
        let told = plant_of(&content).and_then(|(_, start)| start);
        let told = told.map(|text| Timestamp::parse(&text).map_err(|_| text));
        let told = told.transpose().map_err(|text| {
            Failure::usage(format!(
                "{}: start = \"{text}\" is no time",
                model.display()
            ))
            .hint("write for example 2026-03-02T06:00:00+01:00")
        });
        let start = start.or(told?).or(file.valid_from);
        let start = start.or_else(|| Timestamp::parse(MONDAY).ok());
        Ok(Self {
            fork: None,
            fork_digest: String::new(),
            record: None,
            plant: Text {
                file: source.file_name,
                content: source.content,
            },
            tables: source
                .tables
                .into_iter()
                .map(|table| TableOf {
                    name: table.name,
                    file: table.file_name,
                    content: table.content,
                })
                .collect(),
            behaviour,
            scenarios: texts(scenarios)?,
            start_ns: start.map_or(0, Timestamp::nanos),
            asked,
        })
    }

    /// The same of a plant's log, with a file of behaviour laid over what was fitted.
    pub(crate) fn forked(
        forked: Forked,
        overrides: Option<&Path>,
        scenarios: &[std::path::PathBuf],
        asked: &Asked,
    ) -> Outcome<Self> {
        let behaviour = overrides.map(|path| -> Outcome<Text> {
            Ok(Text {
                file: path.display().to_string(),
                content: read(path)?,
            })
        });
        let inputs = Self {
            fork: None,
            fork_digest: String::new(),
            record: None,
            plant: Text {
                file: forked.at.plant.clone(),
                content: String::new(),
            },
            tables: Vec::new(),
            behaviour: behaviour.transpose()?,
            scenarios: texts(scenarios)?,
            start_ns: forked.at.at_ns,
            asked: asked.clone(),
        };
        Ok(inputs.with(forked))
    }

    /// With what the log says, as it was read.
    pub(crate) fn with(mut self, forked: Forked) -> Self {
        let said = format!("{:?}{}", forked.record, forked.content);
        self.fork_digest = format!("sha256:{}", werkbuch_proof::sha256(said.as_bytes()));
        self.fork = Some(forked.at);
        self.record = Some(Arc::new(forked.record));
        self.plant.content = forked.content;
        self
    }

    /// SHA-256 of all that the log said; empty for a described model.
    pub(crate) fn fork_digest(&self) -> &str {
        &self.fork_digest
    }

    /// The model. Errors: mistakes in its files, and a plant that cannot be simulated.
    pub(crate) fn model(&self) -> Outcome<Model> {
        self.reviewed().map(|(model, _)| model)
    }

    /// The model with its review sheet, which is empty for a described one. Errors: as of [`Inputs::model`].
    pub(crate) fn reviewed(&self) -> Outcome<(Model, Vec<Fitted>)> {
        let tables = self.tables.iter().map(|table| TableText {
            name: table.name.clone(),
            file_name: table.file.clone(),
            content: table.content.clone(),
        });
        let tables: Vec<TableText> = tables.collect();
        let file = parse_with(&self.plant.content, &self.plant.file, &tables);
        let file = file.map_err(|found| mistaken(&found))?;
        let description = file.to_description().map_err(|found| mistaken(&found))?;
        let begins = Timestamp(self.start_ns);
        let zone = file.plant.time_zone.as_str();
        let offset_s = utc_offset_s(zone, begins).unwrap_or(0);
        let model = Model::planned(file.plant_id.as_str(), &description, begins, offset_s);
        let mut model = model.map_err(|error| {
            let what = format!("{} cannot be simulated: {error}", self.plant.file);
            Failure::usage(what).hint(format!(
                "`werkbuch plant check {}` says what a description lacks",
                self.plant.file
            ))
        })?;
        model
            .assumptions
            .push(format!("the run begins at {begins}"));
        let sheet = match &self.record {
            Some(record) => model.fork(record),
            None => Vec::new(),
        };
        match &self.behaviour {
            Some(text) => model
                .behave(&text.content, &text.file)
                .map_err(|found| wrong("the model", &found))?,
            None if self.record.is_some() => {}
            None => model.assumptions.push(
                "no behaviour is given: cycles take as long as planned, nothing fails, material is there"
                    .to_owned(),
            ),
        }
        Ok((model, sheet))
    }

    /// The scenarios. Errors: their mistakes.
    pub(crate) fn scenarios(&self, model: &Model) -> Outcome<Vec<Scenario>> {
        let mut all: Vec<Scenario> = Vec::new();
        let mut mistakes = Vec::new();
        for text in &self.scenarios {
            match Scenario::parse(&text.content, &text.file, model) {
                Ok(found) => all.extend(found),
                Err(found) => mistakes.extend(found),
            }
        }
        if !mistakes.is_empty() {
            return Err(wrong("the scenario", &mistakes));
        }
        if all.len() > SCENARIOS_MAX {
            let what = format!("the files make {} scenarios", all.len());
            return Err(Failure::usage(what)
                .hint(format!("the limit is {SCENARIOS_MAX}: run some of them")));
        }
        for at in 1..all.len() {
            let (before, rest) = all.split_at(at);
            let name = rest.first().map_or("", |one| one.name.as_str());
            if before.iter().any(|one| one.name == name) || name == "baseline" {
                let what = format!("two scenarios are called \"{name}\"");
                return Err(
                    Failure::usage(what).hint("give each file a name of its own: name = \"...\"")
                );
            }
        }
        Ok(all)
    }

    /// Runs it. Errors: those of the model and the scenarios, what cannot be asked, and that it was cancelled.
    pub(crate) fn run(
        &self,
        threads: usize,
        on: &(dyn Fn(Progress) -> bool + Sync),
    ) -> Outcome<Found> {
        let model = self.model()?;
        let scenarios = self.scenarios(&model)?;
        let effort = Effort {
            horizon_ns: self.asked.horizon_ns,
            replications: self.asked.replications,
            precision: self.asked.precision,
            seed: self.asked.seed,
            threads,
            confidence: self.asked.confidence,
            target: self.asked.target,
        };
        run(&model, &scenarios, &effort, on).map_err(|error| match error {
            StudyError::Asked(what) => Failure::usage(what),
            StudyError::Deadlock(_) => Failure::new(Exit::Failed, "DEADLOCK", error.to_string()),
            StudyError::Cancelled { .. } => {
                Failure::new(Exit::Failed, "CANCELLED", error.to_string())
            }
        })
    }
}

fn texts(paths: &[std::path::PathBuf]) -> Outcome<Vec<Text>> {
    let text = |path: &std::path::PathBuf| {
        Ok(Text {
            file: path.display().to_string(),
            content: read(path)?,
        })
    };
    paths.iter().map(text).collect()
}

fn read(path: &Path) -> Outcome<String> {
    std::fs::read_to_string(path).map_err(|error| Failure::file(path, &error))
}

/// The description that a file of behaviour names, and when it begins; nothing for a description itself, in
/// which `plant` is a table.
fn plant_of(content: &str) -> Option<(String, Option<String>)> {
    let table: toml::Table = toml::from_str(content).ok()?;
    let text = |value: &toml::Value| match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Datetime(time) => Some(time.to_string()),
        _ => None,
    };
    let plant = table.get("plant")?.as_str()?.to_owned();
    Some((plant, table.get("start").and_then(text)))
}

/// All mistakes of a file.
fn wrong(what: &str, mistakes: &[Mistake]) -> Failure {
    Failure::mistakes(what, Reason::InvalidRequest, mistakes)
}
