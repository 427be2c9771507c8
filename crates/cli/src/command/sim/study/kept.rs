//! Files of results: what `sim run --save` writes and `sim rerun` makes again.

use super::Told;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::path::Path;
use werkbuch_model::time::Timestamp;
use werkbuch_sim::whatif::{Asked, Inputs, Text};

/// A result with all that it is made of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Kept {
    /// The version that made it.
    version: String,
    /// SHA-256 of the result.
    pub(super) digest: String,
    pub(super) inputs: Of,
    result: Value,
}

/// What a result is made of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Of {
    /// The log of a plant, as it stands with a server.
    Fork(ForkOf),
    /// Files.
    Model(Inputs),
}

/// What of a plant's log was forked, and what was asked of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct ForkOf {
    pub(super) plant: String,
    /// The position of the log that was known.
    pub(super) position: u64,
    /// The plant time of the fork, in nanoseconds since 1970.
    pub(super) at_ns: i64,
    /// How far back the evidence goes, in nanoseconds.
    pub(super) window_ns: u64,
    /// SHA-256 of all that the log said.
    pub(super) fork_digest: String,
    pub(super) behaviour: Option<Text>,
    pub(super) scenarios: Vec<Text>,
    pub(super) asked: Asked,
}

/// Keeps a result. Errors: the file cannot be written.
pub(super) fn save(path: &Path, inputs: Of, told: &Told) -> Outcome<()> {
    let kept = Kept {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        digest: told.digest.clone(),
        inputs,
        result: told.json.clone(),
    };
    let text = serde_json::to_string_pretty(&kept).map_err(|error| {
        let what = format!("the result cannot be written as JSON: {error}");
        Failure::new(Exit::Failed, "INTERNAL", what)
    })?;
    write(path, &format!("{text}\n"))
}

/// Reads a kept result. Errors: it cannot be read, or is none.
pub(super) fn load(path: &Path) -> Outcome<Kept> {
    let text = std::fs::read_to_string(path).map_err(|error| Failure::file(path, &error))?;
    serde_json::from_str(&text).map_err(|error| {
        let what = format!("{} is no kept result: {error}", path.display());
        Failure::usage(what).hint("`werkbuch sim run --save FILE` writes one")
    })
}

impl Of {
    /// When it begins, in the plant's time.
    pub(super) const fn begins(&self) -> Timestamp {
        match self {
            Self::Fork(of) => Timestamp(of.at_ns),
            Self::Model(of) => Timestamp(of.start_ns),
        }
    }
}

impl Kept {
    /// Errors: the digest is another than the kept one.
    pub(super) fn is_again(&self, digest: &str) -> Outcome<()> {
        if digest == self.digest {
            return Ok(());
        }
        let what = format!("the result is {digest}, and {} was kept", self.digest);
        let own = env!("CARGO_PKG_VERSION");
        let hint = match self.version == own {
            true => "the file was changed, or this build simulates differently".to_owned(),
            false => format!("it was made by version {}, this is {own}", self.version),
        };
        Err(Failure::new(Exit::Verification, "RESULT_DIFFERS", what).hint(hint))
    }
}

impl ForkOf {
    /// Errors: the log says something else than when the result was made.
    pub(super) fn is_again(&self, digest: &str) -> Outcome<()> {
        if digest == self.fork_digest {
            return Ok(());
        }
        let what = format!("the log says {digest}, and {} was kept", self.fork_digest);
        Err(Failure::new(Exit::Verification, "FORK_DIFFERS", what)
            .hint("is it the same server? `werkbuch replay` checks its log"))
    }
}

/// Writes a file that takes its name when it is whole.
pub(super) fn write(path: &Path, text: &str) -> Outcome<()> {
    let beside = path.with_extension("part");
    let written = std::fs::write(&beside, text).and_then(|()| std::fs::rename(&beside, path));
    written.map_err(|error| Failure::file(path, &error))
}
