//! The named contexts of a user: which server, which plant, which form of output, kept in one file.

use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::output::Format;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use werkbuch_model::nearest::did_you_mean;

/// The variable that names the file of contexts; empty for "there are none".
const FILE_VARIABLE: &str = "WERKBUCH_CONFIG";

/// What a context says; what it leaves out is said by nobody or by the defaults.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Named {
    /// The server to ask.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) server: Option<String>,
    /// The plant that is meant where a command names none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) plant: Option<String>,
    /// How data are written where a command does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) output: Option<Format>,
}

/// All contexts of a user.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Contexts {
    /// The one that holds where none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) current: Option<String>,
    /// The contexts by their names.
    #[serde(default, rename = "context")]
    pub(crate) named: BTreeMap<String, Named>,
}

/// Where the file is; nothing where the user has no folder for such files.
pub(crate) fn path() -> Option<PathBuf> {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    if std::env::var_os(FILE_VARIABLE).is_some() {
        return variable(FILE_VARIABLE).map(PathBuf::from);
    }
    let folder = variable("XDG_CONFIG_HOME").map(PathBuf::from);
    let folder = folder.filter(|folder| folder.is_absolute());
    let folder = folder.or_else(|| variable("APPDATA").map(PathBuf::from));
    let folder = folder.or_else(|| Some(PathBuf::from(variable("HOME")?).join(".config")));
    Some(folder?.join("werkbuch").join("config.toml"))
}

impl Contexts {
    /// Reads the file; one that is not there holds no contexts.
    /// Errors: it cannot be read, or is not well-formed.
    pub(crate) fn read() -> Outcome<Self> {
        match path() {
            Some(path) => Self::read_from(&path),
            None => Ok(Self::default()),
        }
    }

    fn read_from(path: &Path) -> Outcome<Self> {
        match std::fs::read_to_string(path) {
            Ok(text) => Self::parse(&text, path),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(Failure::file(path, &error)),
        }
    }

    fn parse(text: &str, path: &Path) -> Outcome<Self> {
        toml::from_str(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            let before = text.as_bytes().get(..at).unwrap_or_default();
            let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
            let shown = path.display();
            let what = format!("the file of contexts \"{shown}\" cannot be read");
            let place = format!("{shown}:{line}");
            Failure::new(Exit::Usage, "INVALID_CONFIGURATION", what)
                .violations(vec![(place, error.message().replace('\n', " "))])
                .hint("mend the line, or put the file aside and set the contexts again")
        })
    }

    /// Writes the file as a whole: who reads it meanwhile sees the old one or the new one.
    /// Errors: there is no place for it, or it cannot be written.
    pub(crate) fn write(&self) -> Outcome<PathBuf> {
        let Some(path) = path() else {
            let what = "there is no folder for the file of contexts";
            return Err(Failure::new(Exit::Usage, "NO_CONFIGURATION_FOLDER", what)
                .hint(format!("name the file with {FILE_VARIABLE}, or set HOME")));
        };
        let text = toml::to_string(self).map_err(|error| {
            let what = format!("the contexts cannot be written: {error}");
            Failure::new(Exit::Failed, "FILE_FAILED", what)
        })?;
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        let written = || {
            std::fs::create_dir_all(folder)?;
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            file.write_all(text.as_bytes())?;
            file.persist(&path).map(drop).map_err(|error| error.error)
        };
        written().map_err(|error| Failure::file(&path, &error))?;
        Ok(path)
    }

    /// A context by its name. Errors: there is none of it.
    pub(crate) fn get(&self, name: &str) -> Outcome<&Named> {
        self.named.get(name).ok_or_else(|| {
            let names = || self.named.keys().map(String::as_str);
            let hint = match (did_you_mean(name, names()), self.named.is_empty()) {
                (Some(near), _) => near,
                (None, true) => format!("there are none yet: werkbuch context set {name}"),
                (None, false) => format!("there are {}", names().collect::<Vec<_>>().join(", ")),
            };
            let what = format!("there is no context \"{name}\"");
            Failure::new(Exit::NotFound, "UNKNOWN_CONTEXT", what).hint(hint)
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn parse(text: &str) -> Outcome<Contexts> {
        Contexts::parse(text, Path::new("c.toml"))
    }

    #[test]
    fn what_is_written_is_read() {
        let text =
            "current = \"line\"\n\n[context.line]\nserver = \"http://h:1\"\noutput = \"json\"\n";
        let read = parse(text).unwrap();
        assert_eq!(read.current.as_deref(), Some("line"));
        assert_eq!(read.get("line").unwrap().output, Some(Format::Json));
        assert_eq!(parse(&toml::to_string(&read).unwrap()).unwrap(), read);
        assert_eq!(parse("").unwrap(), Contexts::default());
    }

    #[test]
    fn mistakes_name_the_line() {
        for (text, line, says) in [
            ("[context.a]\nsever = \"x\"", 2, "sever"),
            ("[context.a]\n\noutput = \"loud\"", 3, "loud"),
            ("current = ", 1, ""),
        ] {
            let failure = parse(text).unwrap_err();
            let lines = failure.lines(false);
            assert!(lines.contains(&format!("c.toml:{line}: ")), "{lines}");
            assert!(lines.contains(says), "{lines}");
            assert_eq!(failure.exit(), Exit::Usage);
        }
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_nearest() {
        let read = parse("[context.press]\n[context.paint]").unwrap();
        let lines = |name| read.get(name).unwrap_err().lines(false);
        assert!(lines("pres").contains("did you mean \"press\"?"));
        assert!(lines("x-ray").contains("paint, press"));
        let none = Contexts::default().get("a").unwrap_err().lines(false);
        assert!(none.contains("werkbuch context set a"), "{none}");
    }
}
