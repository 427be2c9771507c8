//! `werkbuch context`: which server, plant and output are meant, kept under names.

use crate::Context;
use crate::client::endpoint;
use crate::contexts::{Contexts, Named};
use crate::failure::{Failure, Outcome};
use crate::output::{Answer, Format};
use crate::settings::Origin;
use clap::ValueEnum;
use serde_json::{Value, json};
use werkbuch_model::id::{ElementId, PlantId};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Args {
    /// The contexts that there are.
    Ls,
    /// From now on this context holds.
    Use {
        /// The context.
        #[arg(required_unless_present = "none")]
        name: Option<String>,
        /// None holds any more.
        #[arg(long, conflicts_with = "name")]
        none: bool,
    },
    /// Set what a context says; it is made when it is not there, and the first one holds at once.
    ///
    /// What is not named stays as it is. The file is written anew: comments in it are not kept. The
    /// server is the one of --server.
    Set(Set),
    /// What a context says; without a name, what holds now and who says so.
    Get {
        /// The context.
        name: Option<String>,
    },
    /// Remove a context.
    Rm {
        /// The context.
        name: String,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct Set {
    /// The context.
    name: String,
    /// The plant that is meant where a command names none.
    #[arg(long)]
    plant: Option<String>,
    /// How data are written where a command does not say.
    #[arg(long, value_enum, value_name = "FORMAT")]
    default_output: Option<Format>,
    /// Say nothing about this any more; can be given several times.
    #[arg(long, value_enum, value_name = "WHAT")]
    unset: Vec<Part>,
    /// It holds from now on.
    #[arg(long = "use")]
    use_it: bool,
}

/// What a context can say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// The server.
    Server,
    /// The plant.
    Plant,
    /// The form of output.
    Output,
}

pub(crate) fn run(args: Args, context: &Context) -> Outcome<()> {
    let contexts = Contexts::read()?;
    match args {
        Args::Ls => list(context, &contexts),
        Args::Use { name, .. } => use_it(context, contexts, name),
        Args::Set(set) => self::set(context, contexts, set),
        Args::Get { name: Some(name) } => {
            let named = contexts.get(&name)?;
            one(context, &contexts, &name, named, None)
        }
        Args::Get { name: None } => effective(context, &contexts),
        Args::Rm { name } => remove(context, contexts, &name),
    }
}

fn list(context: &Context, contexts: &Contexts) -> Outcome<()> {
    let rows = contexts.named.iter().map(|(name, named)| {
        let mark = if is_current(contexts, name) { "*" } else { "" };
        let mut cells = vec![mark.to_owned(), name.clone()];
        cells.extend(said(named).map(|(_, value)| value));
        (cells, item(contexts, name, named))
    });
    let rows: Vec<_> = rows.collect();
    let (count, place) = (rows.len(), place());
    let whole = json!({
        "contexts": rows.iter().map(|(_, item)| item).collect::<Vec<_>>(),
        "total": count,
        "current": contexts.current,
        "file": place,
    });
    let note = format!("{count} of {count} contexts, in {place}; * marks the one that holds");
    let columns = ["current", "context", "server", "plant", "output"];
    let answer = Answer::list(&columns, rows).whole(whole).note(note);
    context.output.answer(&answer)
}

fn use_it(context: &Context, mut contexts: Contexts, name: Option<String>) -> Outcome<()> {
    if let Some(name) = &name {
        contexts.get(name)?;
    }
    contexts.current = name;
    contexts.write()?;
    match contexts.current.clone() {
        Some(name) => {
            let named = contexts.get(&name)?.clone();
            one(
                context,
                &contexts,
                &name,
                &named,
                Some("it holds from now on"),
            )
        }
        None => {
            let parts = vec![("context", String::new())];
            let answer = Answer::single(parts, json!({ "context": null }));
            context
                .output
                .answer(&answer.note("no context holds any more"))
        }
    }
}

fn set(context: &Context, mut contexts: Contexts, set: Set) -> Outcome<()> {
    let wrong = |error: &dyn std::fmt::Display| Failure::usage(error.to_string());
    ElementId::new(&set.name).map_err(|error| wrong(&error))?;
    if let Some(plant) = &set.plant {
        PlantId::new(plant).map_err(|error| wrong(&error))?;
    }
    let first = contexts.named.is_empty();
    let named = contexts.named.entry(set.name.clone()).or_default();
    for part in &set.unset {
        match part {
            Part::Server => named.server = None,
            Part::Plant => named.plant = None,
            Part::Output => named.output = None,
        }
    }
    // A server of the environment holds for what is asked now, and is not meant to be kept.
    if let (server, Origin::Flag) = &context.settings.server {
        endpoint(server)?;
        named.server = Some(server.clone());
    }
    named.plant = set.plant.or(named.plant.take());
    named.output = set.default_output.or(named.output);
    let named = named.clone();
    let note = if first || set.use_it {
        contexts.current = Some(set.name.clone());
        "it holds from now on"
    } else {
        "it is kept"
    };
    contexts.write()?;
    one(context, &contexts, &set.name, &named, Some(note))
}

fn remove(context: &Context, mut contexts: Contexts, name: &str) -> Outcome<()> {
    let named = contexts.get(name)?.clone();
    contexts.named.remove(name);
    let mut note = "it is no more";
    if is_current(&contexts, name) {
        contexts.current = None;
        note = "it is no more, and no context holds";
    }
    contexts.write()?;
    one(context, &contexts, name, &named, Some(note))
}

/// One context, and what has been done with it.
fn one(
    context: &Context,
    contexts: &Contexts,
    name: &str,
    named: &Named,
    note: Option<&str>,
) -> Outcome<()> {
    let mut parts = vec![("context", name.to_owned())];
    parts.extend(said(named));
    let answer = Answer::single(parts, item(contexts, name, named));
    let note = note.map(|note| format!("context \"{name}\": {note}"));
    context
        .output
        .answer(&answer.note(note.unwrap_or_default()))
}

/// What holds now, and who says so.
fn effective(context: &Context, contexts: &Contexts) -> Outcome<()> {
    let settings = &context.settings;
    if let Some(name) = &settings.context {
        contexts.get(name)?;
    }
    let environment = std::env::var("WERKBUCH_PLANT").ok();
    let plant = match (
        environment.filter(|plant| !plant.is_empty()),
        &settings.plant,
    ) {
        (Some(plant), _) => Some((plant, Origin::Environment)),
        (None, Some(plant)) => Some((plant.clone(), Origin::Context)),
        (None, None) => None,
    };
    let (server, output) = (&settings.server, &settings.output);
    let whole = json!({
        "context": settings.context,
        "server": server.0,
        "server_from": server.1.name(),
        "plant": plant.as_ref().map(|(plant, _)| plant),
        "plant_from": plant.as_ref().map(|(_, origin)| origin.name()),
        "output": output.0.name(),
        "output_from": output.1.name(),
        "file": place(),
    });
    let shown = |value: &str, origin: Origin| format!("{value} ({})", origin.name());
    let parts = vec![
        ("context", settings.context.clone().unwrap_or_default()),
        ("server", shown(&server.0, server.1)),
        (
            "plant",
            plant.map_or_else(String::new, |(plant, origin)| shown(&plant, origin)),
        ),
        ("output", shown(output.0.name(), output.1)),
        ("file", place()),
    ];
    context.output.answer(&Answer::single(parts, whole))
}

fn is_current(contexts: &Contexts, name: &str) -> bool {
    contexts.current.as_deref() == Some(name)
}

fn said(named: &Named) -> [(&'static str, String); 3] {
    let output = named.output.map(Format::name).unwrap_or_default();
    [
        ("server", named.server.clone().unwrap_or_default()),
        ("plant", named.plant.clone().unwrap_or_default()),
        ("output", output.to_owned()),
    ]
}

fn item(contexts: &Contexts, name: &str, named: &Named) -> Value {
    json!({
        "context": name,
        "current": is_current(contexts, name),
        "server": named.server,
        "plant": named.plant,
        "output": named.output.map(Format::name),
    })
}

fn place() -> String {
    let path = crate::contexts::path();
    path.map_or_else(|| "no file".to_owned(), |path| path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_can_be_unset() {
        let shown = said(&Named::default()).map(|(name, _)| name.to_owned());
        let parts = Part::value_variants()
            .iter()
            .filter_map(Part::to_possible_value);
        let parts: Vec<_> = parts.map(|part| part.get_name().to_owned()).collect();
        assert_eq!(shown.to_vec(), parts);
    }
}
