//! What a study of a described model is made of, read from files, and what is wrong with it.

use crate::command::plant::source::{Source, mistaken};
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use std::path::{Path, PathBuf};
use werkbuch_model::plant::Mistake;
use werkbuch_model::time::Timestamp;
use werkbuch_sim::whatif::{Asked, InputError, Inputs, Model, StudyError, Table, Text};
use werkbuch_wire::reason::Reason;

/// Where a run begins whose description does not say since when it holds: a Monday.
const MONDAY: &str = "2026-01-05T00:00:00Z";

/// Reads a model: a description, or a file of behaviour that names one. Errors: files that cannot be read,
/// a description with mistakes.
pub(crate) fn read(
    model: &Path,
    scenarios: &[PathBuf],
    (start, asked): (Option<Timestamp>, Asked),
) -> Outcome<Inputs> {
    let behaviour = text(model)?;
    let named = plant_of(&behaviour.content);
    let source = match &named {
        Some((plant, _)) => {
            let beside = model.parent().unwrap_or(Path::new("")).join(plant);
            let named = |failure: Failure| failure.hint(format!("{} names it", model.display()));
            Source::read(&beside).map_err(named)?
        }
        None => Source::read(model)?,
    };
    let file = source.parse()?;
    let told = named.as_ref().and_then(|(_, start)| start.as_ref());
    let told = told.map(|text| Timestamp::parse(text).map_err(|_| text));
    let told = told.transpose().map_err(|text| {
        let what = format!("{}: start = \"{text}\" is no time", model.display());
        Failure::usage(what).hint("write for example 2026-03-02T06:00:00+01:00")
    });
    let start = start.or(told?).or(file.valid_from);
    let start = start.or_else(|| Timestamp::parse(MONDAY).ok());
    let table = |table: werkbuch_model::plant::TableText| Table {
        name: table.name,
        file: table.file_name,
        content: table.content,
    };
    Ok(Inputs {
        plant: Text {
            file: source.file_name,
            content: source.content,
        },
        tables: source.tables.into_iter().map(table).collect(),
        behaviour: named.map(|_| behaviour),
        scenarios: texts(scenarios)?,
        start_ns: start.map_or(0, Timestamp::nanos),
        asked,
    })
}

/// The model of inputs. Errors: mistakes in its files, and a plant that cannot be simulated.
pub(crate) fn model(inputs: &Inputs) -> Outcome<Model> {
    let modelled = inputs.model(None);
    modelled.map(|(model, _)| model).map_err(refused)
}

/// What a person is told of inputs that make no study.
pub(crate) fn refused(error: InputError) -> Failure {
    let said = error.to_string();
    match error {
        InputError::Description(mistakes) => mistaken(&mistakes),
        InputError::Plant { file, .. } => Failure::usage(said).hint(format!(
            "`werkbuch plant check {file}` says what a description lacks"
        )),
        InputError::Behaviour(mistakes) => wrong("the model", &mistakes),
        InputError::Scenarios(mistakes) => wrong("the scenario", &mistakes),
        InputError::Study(StudyError::Deadlock(_)) => Failure::new(Exit::Failed, "DEADLOCK", said),
        InputError::Study(StudyError::Cancelled { .. }) => {
            Failure::new(Exit::Failed, "CANCELLED", said)
        }
        InputError::TooMany(_) | InputError::Twice(_) | InputError::Study(StudyError::Asked(_)) => {
            Failure::usage(said)
        }
    }
}

/// A file with its name. Errors: it cannot be read.
pub(super) fn text(path: &Path) -> Outcome<Text> {
    let content = std::fs::read_to_string(path).map_err(|error| Failure::file(path, &error))?;
    Ok(Text {
        file: path.display().to_string(),
        content,
    })
}

/// Files with their names.
pub(super) fn texts(paths: &[PathBuf]) -> Outcome<Vec<Text>> {
    paths.iter().map(|path| text(path)).collect()
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
