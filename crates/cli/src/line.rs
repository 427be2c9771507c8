//! Reads the command line, and finds the plant that a command means but does not name.

use crate::client::Client;
use crate::command::last;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::output::{Color, Format};
use crate::settings::leaf;
use crate::{Cli, Context};
use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{ArgMatches, ColorChoice, CommandFactory, FromArgMatches, ValueEnum};
use std::ffi::OsString;
use std::io::Write;
use werkbuch_wire::{name, pb};

/// Stands for a plant until it is known which; no plant can be called that.
const UNNAMED: &str = "<plant>";
/// The variable that names the plant that is meant.
const PLANT_VARIABLE: &str = "WERKBUCH_PLANT";
/// How many plants a person is told to choose from.
const PLANTS_SHOWN: i32 = 8;

/// All commands. Where one needs a plant, the environment, the context or a server with a single
/// plant may name it, so that nothing has to be done for that in the commands themselves.
pub(crate) fn command() -> clap::Command {
    with_plant(Cli::command(), UNNAMED)
}

fn with_plant(command: clap::Command, plant: &str) -> clap::Command {
    let command = command.mut_args(|arg| {
        if arg.get_id() == "plant" && arg.is_required_set() {
            arg.required(false)
                .env(PLANT_VARIABLE)
                .default_value(plant.to_owned())
                .hide_default_value(true)
        } else {
            arg
        }
    });
    command.mut_subcommands(|inner| with_plant(inner, plant))
}

/// What can be told of a command line that may not be well-formed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Manner {
    pub(crate) color: Color,
    pub(crate) format: Format,
}

impl Manner {
    pub(crate) fn of(args: &[OsString]) -> Self {
        let value = |short: Option<&str>, long: &str| {
            let words: Vec<&str> = args.iter().filter_map(|word| word.to_str()).collect();
            let at = words.iter().rposition(|word| {
                word.starts_with(long) || short.is_some_and(|short| word.starts_with(short))
            })?;
            let word = words.get(at)?;
            let rest = word
                .strip_prefix(long)
                .or_else(|| word.strip_prefix(short?))?;
            match rest.trim_start_matches('=') {
                "" => words.get(at + 1).map(|next| (*next).to_owned()),
                rest => Some(rest.to_owned()),
            }
        };
        let color = value(None, "--color").and_then(|text| Color::from_str(&text, true).ok());
        let format = value(Some("-o"), "--output");
        let format = format.and_then(|text| Format::from_str(&text, true).ok());
        Self {
            color: color.unwrap_or(Color::Auto),
            format: format.unwrap_or(Format::Table),
        }
    }

    fn clap(self) -> ColorChoice {
        match self.color {
            Color::Auto => ColorChoice::Auto,
            Color::Always => ColorChoice::Always,
            Color::Never => ColorChoice::Never,
        }
    }
}

/// What the words of the command line say, as far as it is known before anybody is asked.
/// Errors: help was asked for, or they are not well-formed; both have been told.
pub(crate) fn read(args: &[OsString], manner: Manner) -> Result<ArgMatches, Exit> {
    let command = command().color(manner.clap());
    command.try_get_matches_from(args).map_err(|error| {
        let told = error.use_stderr() && matches!(manner.format, Format::Json | Format::Jsonl);
        if told && error.kind() != ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
            // Nobody can be told that standard error is gone.
            let _ = writeln!(std::io::stderr(), "{}", usage(&error).json());
        } else {
            let _ = error.print();
        }
        if error.use_stderr() {
            Exit::Usage
        } else {
            Exit::Ok
        }
    })
}

/// A line that is not well-formed: what is wrong, and what clap would say next.
fn usage(error: &clap::Error) -> Failure {
    let text = error.render().to_string();
    let mut paragraphs = text.split("\n\n").map(|part| {
        let words: Vec<&str> = part.split_whitespace().collect();
        words.join(" ")
    });
    let what = paragraphs.next().unwrap_or_default();
    let what = what.strip_prefix("error: ").unwrap_or(&what).to_owned();
    let next: Vec<String> = paragraphs.filter(|part| !part.is_empty()).collect();
    Failure::usage(what).hint(next.join("; "))
}

/// The command with its plant: as named, of the context, or the only one that the server has.
pub(crate) async fn complete(
    args: &[OsString],
    matches: &ArgMatches,
    context: &Context,
) -> Outcome<Cli> {
    let (_, said) = leaf(matches);
    let id = "plant";
    let unnamed = said.try_contains_id(id).is_ok_and(|there| there)
        && said.value_source(id) == Some(ValueSource::DefaultValue)
        && said
            .get_raw(id)
            .is_some_and(|mut raw| raw.any(|value| value == UNNAMED));
    let of = |matches: &ArgMatches| Cli::from_arg_matches(matches);
    // Whoever asks about all plants means none of them.
    let all = said.try_get_one::<bool>("all_plants").ok().flatten() == Some(&true);
    if all && said.try_contains_id(id).is_ok_and(|there| there) {
        if said.value_source(id) == Some(ValueSource::CommandLine) {
            let what = "--plant names one plant, and --all-plants means all";
            return Err(Failure::usage(what).hint("leave out the one that is not meant"));
        }
        return of(matches).map_err(|error| usage(&error));
    }
    if !unnamed {
        return of(matches).map_err(|error| usage(&error));
    }
    let from_folder = said.try_contains_id("data").is_ok_and(|there| there);
    let plant = match &context.settings.plant {
        Some(plant) => plant.clone(),
        None if from_folder => return Err(no_plant("no plant was named".to_owned())),
        None => only_plant(context).await?,
    };
    let command = with_plant(Cli::command(), &plant);
    let matches = command.try_get_matches_from(args);
    matches
        .and_then(|matches| of(&matches))
        .map_err(|error| usage(&error))
}

/// The plant that is meant by a command which could be about all as well, and names none: that of the
/// environment, or of the context. Absent when it is about all.
pub(crate) fn preferred_plant(context: &Context) -> Option<String> {
    let environment = std::env::var(PLANT_VARIABLE).ok();
    let environment = environment.filter(|plant| !plant.is_empty());
    let from = match &environment {
        Some(_) => PLANT_VARIABLE,
        None => "the context",
    };
    let plant = environment.or_else(|| context.settings.plant.clone())?;
    let note = format!("plant \"{plant}\", from {from}; --all-plants is for all");
    context.output.note(&note);
    Some(plant)
}

async fn only_plant(context: &Context) -> Outcome<String> {
    let server = &context.server;
    // A plant that is named would not be answered about either: it is the server that is missing.
    let client = Client::connect(server).await.map_err(|failure| {
        let what = format!(
            "no plant was named, and the server cannot be asked which it has: {}",
            failure.what()
        );
        failure.said(what)
    })?;
    let request = pb::ListPlantsRequest {
        parent: format!("tenants/{}", name::DEFAULT_TENANT),
        page_size: PLANTS_SHOWN,
        page_token: String::new(),
        ..pb::ListPlantsRequest::default()
    };
    let page = client.model().list_plants(request).await?.into_inner();
    let names: Vec<&str> = page.plants.iter().map(|plant| last(&plant.name)).collect();
    match names.as_slice() {
        [] => Err(no_plant(format!(
            "no plant was named, and the server at {server} has none"
        ))
        .hint("describe one: werkbuch plant apply FILE")),
        [only] => {
            let note = format!("plant \"{only}\", the only one at {server}");
            context.output.note(&note);
            Ok((*only).to_owned())
        }
        many => {
            let more = if page.next_page_token.is_empty() {
                ""
            } else {
                " and more"
            };
            let many = many.join(", ");
            let what = format!("no plant was named, and the server has {many}{more}");
            Err(no_plant(what))
        }
    }
}

fn no_plant(what: String) -> Failure {
    Failure::new(Exit::Usage, "PLANT_MISSING", what).hint(
        "name it with --plant NAME or WERKBUCH_PLANT, or keep it: werkbuch context set CONTEXT --plant NAME",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        command().debug_assert();
        with_plant(Cli::command(), "body").debug_assert();
    }

    #[test]
    fn the_manner_is_known_before_anything_else() {
        for (line, format, color) in [
            ("w machine", Format::Table, Color::Auto),
            ("w -o json machine", Format::Json, Color::Auto),
            ("w machine -ocsv --color=never", Format::Csv, Color::Never),
            (
                "w --output=jsonl --color always",
                Format::Jsonl,
                Color::Always,
            ),
            ("w -o", Format::Table, Color::Auto),
            ("w -o loud", Format::Table, Color::Auto),
        ] {
            let args: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            let manner = Manner::of(&args);
            assert_eq!((manner.format, manner.color), (format, color), "{line}");
        }
    }
}
