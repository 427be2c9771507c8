//! The folder of a benchmark: one that vanishes, or one that stays.

use crate::failure::{Failure, Outcome};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A data folder.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    _vanishes: Option<TempDir>,
}

impl Folder {
    /// The folder that was named, or one that vanishes. Errors: no temporary folder can be made.
    pub(super) fn new(named: Option<&Path>) -> Outcome<Self> {
        if let Some(path) = named {
            return Ok(Self {
                path: path.to_owned(),
                _vanishes: None,
            });
        }
        let made = tempfile::Builder::new().prefix("werkbuch-bench-").tempdir();
        let made = made.map_err(|error| Failure::file(&std::env::temp_dir(), &error))?;
        Ok(Self {
            path: made.path().join("data"),
            _vanishes: Some(made),
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether a log is there already.
    pub(super) fn has_log(&self) -> bool {
        self.path.join("book.toml").exists()
    }

    /// How many bytes the files below one of its folders take.
    pub(super) fn bytes_below(&self, name: &str) -> u64 {
        bytes(&self.path.join(name))
    }
}

fn bytes(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let sizes = entries.filter_map(|entry| {
        let metadata = entry.metadata().ok()?;
        Some(if metadata.is_dir() {
            bytes(&entry.path())
        } else {
            metadata.len()
        })
    });
    sizes.sum()
}
