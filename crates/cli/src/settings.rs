//! What holds for a command: flags before the environment, that before the context, that before defaults.

use crate::Global;
use crate::contexts::{Contexts, Named};
use crate::failure::Outcome;
use crate::output::Format;
use clap::ArgMatches;
use clap::parser::ValueSource;

/// The server that is asked where nobody names one.
pub(crate) const DEFAULT_SERVER: &str = "http://127.0.0.1:7420";

/// Who said something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    Flag,
    Environment,
    Context,
    Default,
}

impl Origin {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Flag => "flag",
            Self::Environment => "environment",
            Self::Context => "context",
            Self::Default => "default",
        }
    }
}

/// What holds for a command.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// The context that holds, if one does.
    pub(crate) context: Option<String>,
    pub(crate) server: (String, Origin),
    pub(crate) output: (Format, Origin),
    /// The context's plant.
    pub(crate) plant: Option<String>,
}

/// The words of a command, such as `machine ls`, and what was said to it.
pub(crate) fn leaf(matches: &ArgMatches) -> (Vec<&str>, &ArgMatches) {
    let (mut words, mut matches) = (Vec::new(), matches);
    while let Some((word, inner)) = matches.subcommand() {
        words.push(word);
        matches = inner;
    }
    (words, matches)
}

impl Settings {
    /// Errors: the file of contexts is not well-formed, or has none of the name.
    pub(crate) fn resolve(global: &Global, matches: &ArgMatches) -> Outcome<Self> {
        let (words, leaf) = leaf(matches);
        // These ask no server; they are to work whatever the file says.
        let alone = matches!(words.first(), Some(&("serve" | "completion" | "man")));
        let contexts = match Contexts::read() {
            Err(_) if alone => Contexts::default(),
            read => read?,
        };
        let context = global.context.clone().or_else(|| contexts.current.clone());
        let named = match &context {
            // They mend what is missing.
            Some(name) if alone || words.first() == Some(&"context") => {
                contexts.named.get(name).cloned().unwrap_or_default()
            }
            Some(name) => contexts.get(name)?.clone(),
            None => Named::default(),
        };
        let said = |id: &str| match leaf.value_source(id) {
            Some(ValueSource::EnvVariable) => Origin::Environment,
            _ => Origin::Flag,
        };
        let server = match (&global.server, named.server) {
            (Some(server), _) => (server.clone(), said("server")),
            (None, Some(server)) => (server, Origin::Context),
            (None, None) => (DEFAULT_SERVER.to_owned(), Origin::Default),
        };
        let output = match (global.output, named.output) {
            (Some(output), _) => (output, said("output")),
            (None, Some(output)) => (output, Origin::Context),
            (None, None) => (Format::Table, Origin::Default),
        };
        Ok(Self {
            context,
            server,
            output,
            plant: named.plant,
        })
    }
}
