//! Why a command failed: what happened, the reason, and the next step.

use crate::exit::{Exit, hint};
use crate::plain;
use serde_json::{Value, json};
use std::error::Error;
use std::io;
use tonic::Status;
use werkbuch_gateway::upload::UploadError;
use werkbuch_model::plant::Mistake;
use werkbuch_wire::reason::{Reason, violations_of};

/// The flags that fields of instants are given by.
const FLAGS: [(&str, &str); 5] = [
    ("instant.at", "--at"),
    ("instant.known", "--known"),
    ("instant.at_text", "--at"),
    ("instant.known_text", "--known"),
    ("instant.time_zone", "--tz"),
];

/// A command that failed.
#[derive(Debug)]
pub(crate) struct Failure(Box<Parts>);

#[derive(Debug)]
struct Parts {
    exit: Exit,
    what: String,
    reason: String,
    violations: Vec<(String, String)>,
    hint: String,
    silent: bool,
}

/// What most functions of this program give back.
pub(crate) type Outcome<T> = Result<T, Failure>;

impl Failure {
    /// A failure with its exit code, a stable reason and what happened.
    pub(crate) fn new(exit: Exit, reason: &str, what: impl Into<String>) -> Self {
        Self(Box::new(Parts {
            exit,
            what: what.into(),
            reason: reason.to_owned(),
            violations: Vec::new(),
            hint: String::new(),
            silent: false,
        }))
    }

    /// Something that the user wrote cannot be understood.
    pub(crate) fn usage(what: impl Into<String>) -> Self {
        Self::new(Exit::Usage, "INVALID_ARGUMENT", what)
    }

    /// All mistakes of a file, which `file` names: "the plant file".
    pub(crate) fn mistakes(file: &str, reason: Reason, mistakes: &[Mistake]) -> Self {
        let what = match mistakes.len() {
            1 => format!("{file} has a mistake"),
            many => format!("{file} has {many} mistakes"),
        };
        let lines = mistakes.iter().map(|mistake| {
            let place = format!("{}:{}:{}", mistake.file, mistake.line, mistake.column);
            let what = match mistake.hint.as_str() {
                "" => mistake.what.clone(),
                hint => format!("{} ({hint})", mistake.what),
            };
            (place, what)
        });
        Self::new(Exit::of_reason(reason), reason.name(), what).violations(lines.collect())
    }

    /// The same, with the next step for a person.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = hint.into();
        self
    }

    /// The same, with another sentence about what happened.
    pub(crate) fn said(mut self, what: impl Into<String>) -> Self {
        self.0.what = what.into();
        self
    }

    /// The same, with mistakes that stand on lines of their own: (place, what is wrong).
    pub(crate) fn violations(mut self, violations: Vec<(String, String)>) -> Self {
        self.0.violations = violations;
        self
    }

    /// A file could not be read or written.
    pub(crate) fn file(path: &std::path::Path, error: &io::Error) -> Self {
        let (exit, reason) = match error.kind() {
            io::ErrorKind::NotFound => (Exit::NotFound, "FILE_NOT_FOUND"),
            io::ErrorKind::PermissionDenied => (Exit::NotAllowed, "FILE_NOT_ALLOWED"),
            _ => (Exit::Failed, "FILE_FAILED"),
        };
        Self::new(exit, reason, format!("\"{}\": {error}", path.display()))
    }

    /// What happened, without reason and next step.
    pub(crate) fn what(&self) -> &str {
        &self.0.what
    }

    pub(crate) fn exit(&self) -> Exit {
        self.0.exit
    }

    /// Whether there is nobody to tell: standard output was closed by its reader.
    pub(crate) fn is_silent(&self) -> bool {
        self.0.silent
    }

    /// The failure as lines for a person.
    pub(crate) fn lines(&self, color: bool) -> String {
        let parts = &self.0;
        let error = if color {
            "\x1b[1;31merror\x1b[0m"
        } else {
            "error"
        };
        let mut text = format!("{error}: {}\n", plain::lines(&parts.what));
        // What the message says already is not said twice to a person.
        let violations = parts.violations.iter();
        for (field, what) in violations.filter(|(_, what)| *what != parts.what) {
            let field = if field.is_empty() {
                String::new()
            } else {
                format!("{field}: ")
            };
            let line = format!("{field}{what}");
            text.push_str(&format!("  {}\n", plain::lines(&line)));
        }
        for (name, value) in [("reason", &parts.reason), ("hint", &parts.hint)] {
            if !value.is_empty() {
                text.push_str(&format!("  {name}: {value}\n"));
            }
        }
        text
    }

    /// The failure as one JSON object.
    pub(crate) fn json(&self) -> Value {
        let parts = &self.0;
        let violations = parts.violations.iter();
        let violations: Vec<Value> = violations
            .map(|(field, what)| json!({ "field": field, "description": what }))
            .collect();
        json!({ "error": {
            "message": parts.what,
            "reason": parts.reason,
            "violations": violations,
            "hint": parts.hint,
            "exit": parts.exit as u8,
        }})
    }
}

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        let reason = Reason::of(&status);
        let name = match reason {
            Some(reason) => reason.name().to_owned(),
            None => format!("{:?}", status.code()).to_ascii_uppercase(),
        };
        let mut what = status.message().to_owned();
        let cause = status.source().map(ToString::to_string);
        match cause {
            Some(cause) if what.is_empty() => what = cause,
            Some(cause) if !what.contains(&cause) => what = format!("{what}: {cause}"),
            _ => {}
        }
        let mut violations = violations_of(&status);
        for (field, _) in &mut violations {
            if let Some((_, flag)) = FLAGS.iter().find(|(of, _)| of == field) {
                (*flag).clone_into(field);
            }
        }
        Self::new(Exit::of_status(&status), &name, what)
            .violations(violations)
            .hint(reason.map_or("", hint))
    }
}

impl From<UploadError> for Failure {
    fn from(error: UploadError) -> Self {
        match error.status() {
            Some(status) => {
                let mut failure = Self::from(status.clone());
                failure.0.what = error.to_string();
                failure
            }
            None => Self::new(Exit::Failed, "INCOMPLETE_ANSWER", error.to_string()),
        }
    }
}

/// Writing to standard output failed. A closed pipe is no failure: nobody reads any more.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        let closed = error.kind() == io::ErrorKind::BrokenPipe;
        let exit = if closed { Exit::Ok } else { Exit::Failed };
        let mut failure = Self::new(exit, "OUTPUT_FAILED", format!("could not write: {error}"));
        failure.0.silent = closed;
        failure
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_has_three_parts() {
        let status = Reason::InvalidPlantFile.violations(
            "the file has 1 mistake",
            vec![("p.toml:3:1".to_owned(), "unknown key".to_owned())],
        );
        let failure = Failure::from(status);
        let expected = "error: the file has 1 mistake\n  p.toml:3:1: unknown key\n  \
                        reason: INVALID_PLANT_FILE\n  hint: mend the lines named and apply the file again\n";
        assert_eq!(failure.lines(false), expected);
        assert_eq!(failure.exit(), Exit::Usage);
        let json = failure.json();
        assert_eq!(json["error"]["reason"], "INVALID_PLANT_FILE");
        assert_eq!(json["error"]["violations"][0]["field"], "p.toml:3:1");
        assert_eq!(json["error"]["exit"], 2);
    }

    #[test]
    fn a_closed_pipe_is_silent_and_well() {
        let failure = Failure::from(io::Error::from(io::ErrorKind::BrokenPipe));
        assert!(failure.is_silent());
        assert_eq!(failure.exit(), Exit::Ok);
        let failure = Failure::from(io::Error::from(io::ErrorKind::StorageFull));
        assert!(!failure.is_silent());
        assert_eq!(failure.exit(), Exit::Failed);
    }
}
