//! Options from a TOML file and from the environment.

use super::parse::{refused, truth};
use super::{ConfigError, KEYS, PartialConfig};
use std::path::{Path, PathBuf};
use std::sync::Arc;

impl PartialConfig {
    /// The options of a file. Errors: [`ConfigError::Unreadable`] and those of
    /// [`PartialConfig::from_toml`].
    pub fn from_file(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|cause| ConfigError::Unreadable {
            path: path.to_owned(),
            cause: Arc::new(cause),
        })?;
        Self::from_toml(&text, &path.display().to_string())
    }

    /// The options of a file's text; `file` is its name in errors.
    /// Errors: [`ConfigError::UnknownKey`] for a key that is no option, [`ConfigError::File`] for
    /// anything else that is wrong, each with the line.
    pub fn from_toml(text: &str, file: &str) -> Result<Self, ConfigError> {
        if let Some(error) = unknown_key(text, file) {
            return Err(error);
        }
        toml::from_str(text).map_err(|error| ConfigError::File {
            file: file.to_owned(),
            line: line_at(text, error.span().map_or(0, |span| span.start)),
            what: error.message().replace('\n', ", "),
        })
    }

    /// The options of the environment, asked variable by variable.
    /// Errors: [`ConfigError::Value`] for a number or a truth value that is none.
    pub fn from_env(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let get = |key: &str| {
            let (_, variable, _) = KEYS.iter().find(|(name, ..)| *name == key)?;
            lookup(variable)
        };
        let number = |key: &'static str, expected| {
            let parse = |text: String| text.parse().map_err(|_| refused(key, &text, expected));
            get(key).map(parse).transpose()
        };
        Ok(Self {
            data: get("data").map(PathBuf::from),
            store: get("store"),
            listen: get("listen"),
            allow_remote: get("allow_remote")
                .map(|text| truth("allow_remote", &text))
                .transpose()?,
            log_level: get("log_level"),
            log_filter: get("log_filter"),
            log_format: get("log_format"),
            snapshot_every: number("snapshot_every", "it takes a number of events")?,
            past_every: number("past_every", "it takes a number of events")?,
            write_ahead_mib: number("write_ahead_mib", "it takes a number of MiB")?,
            recovery_rate: number("recovery_rate", "it takes a number of events a second")?,
            shutdown_grace: get("shutdown_grace"),
        })
    }
}

/// The first key of a well-formed file that is no option. What is not well-formed is told elsewhere.
fn unknown_key(text: &str, file: &str) -> Option<ConfigError> {
    let table = toml::de::DeTable::parse(text).ok()?;
    let known = |key: &str| KEYS.iter().any(|(name, ..)| *name == key);
    let keys = table.get_ref().keys();
    let key = keys
        .filter(|key| !known(key.get_ref()))
        .min_by_key(|key| key.span().start)?;
    let name = key.get_ref().to_string();
    Some(ConfigError::UnknownKey {
        file: file.to_owned(),
        line: line_at(text, key.span().start),
        hint: nearest(&name)
            .map(|near| format!(", did you mean \"{near}\"?"))
            .unwrap_or_default(),
        known: KEYS.map(|(name, ..)| name).join(", "),
        key: name,
    })
}

fn line_at(text: &str, offset: usize) -> usize {
    let before = text.as_bytes().iter().take(offset);
    before.filter(|byte| **byte == b'\n').count() + 1
}

/// The option whose name is nearest, when it is near: at most a third of its letters differ.
fn nearest(word: &str) -> Option<&'static str> {
    let word = word.to_ascii_lowercase().replace('-', "_");
    if word.len() > 64 {
        return None;
    }
    KEYS.iter()
        .map(|(name, ..)| (distance(&word, name), *name))
        .filter(|(far, name)| far * 3 <= name.len())
        .min()
        .map(|(_, name)| name)
}

/// How many letters must be put in, taken out or replaced.
fn distance(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.bytes().enumerate() {
        let mut left = i + 1;
        let mut diagonal = i;
        for (cell, b) in row.iter_mut().skip(1).zip(to.bytes()) {
            let best = (diagonal + usize::from(a != b))
                .min(left + 1)
                .min(*cell + 1);
            diagonal = std::mem::replace(cell, best);
            left = best;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}
