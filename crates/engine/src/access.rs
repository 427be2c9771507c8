//! The tenant's access log: who read what is protected, written before it is shown.

use crate::error::EngineError;
use serde::Serialize;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use werkbuch_model::time::Timestamp;

/// One reading of a protected field.
#[derive(Debug, Serialize)]
pub(crate) struct Access<'a> {
    /// When, by the server's clock.
    pub(crate) at: Timestamp,
    /// Who read, as asserted by the caller.
    pub(crate) reader: &'a str,
    /// Why.
    pub(crate) purpose: &'a str,
    /// The plant.
    pub(crate) plant: &'a str,
    /// The position of the event.
    pub(crate) position: u64,
}

/// A file of one JSON object a line, only ever appended to.
#[derive(Debug)]
pub(crate) struct AccessLog {
    path: PathBuf,
    lock: Mutex<()>,
}

impl AccessLog {
    /// The access log of a data folder.
    pub(crate) fn new(data: &Path) -> Self {
        Self {
            path: data.join("access.jsonl"),
            lock: Mutex::new(()),
        }
    }

    /// Notes a reading and syncs it. Errors: it could not be written; then nothing may be shown.
    pub(crate) fn note(&self, access: &Access<'_>) -> Result<(), EngineError> {
        let fail = |cause: String| EngineError::AccessLog {
            path: self.path.clone(),
            cause,
        };
        let mut line = serde_json::to_vec(access).map_err(|error| fail(error.to_string()))?;
        line.push(b'\n');
        let _guard = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        let mut file = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.path)
            .map_err(|error| fail(error.to_string()))?;
        file.write_all(&line)
            .map_err(|error| fail(error.to_string()))?;
        file.sync_data().map_err(|error| fail(error.to_string()))
    }
}
