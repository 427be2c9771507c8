//! The marker of a data folder, `book.toml`, which says what the folder holds and for whom.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use werkbuch_model::id::LogId;
use werkbuch_model::time::{SECOND_NS, Timestamp};

use crate::disk::{Disk, OpenMode};
use crate::window::Window;
use crate::{StoreError, StoreKind, text};

/// The name of the marker.
pub(crate) const MARKER: &str = "book.toml";
/// The version of the folder's layout that this code writes, and the only one that it reads.
const FORMAT: u32 = 1;
/// No marker is longer.
const MARKER_BYTES_MAX: usize = 64 * 1024;

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Marker {
    /// The version of the folder's layout.
    format: u32,
    /// Which store wrote it.
    store: String,
    /// The folder's id, 32 hex digits; every file of the log carries it.
    folder: String,
    /// When the folder was created.
    created: Timestamp,
}

/// The folder's id, for a store that opens its own folders only; `None` if there is no marker.
pub(crate) fn id(
    disk: &dyn Disk,
    folder: &Path,
    own: StoreKind,
) -> Result<Option<LogId>, StoreError> {
    match read(disk, folder)? {
        Some((_, store)) if store != own => Err(other_store(folder, store, own)),
        found => Ok(found.map(|(id, _)| id)),
    }
}

/// The error for a folder that is to be opened with another store than its own.
pub(crate) fn other_store(folder: &Path, found: StoreKind, wanted: StoreKind) -> StoreError {
    StoreError::Marker {
        path: folder.join(MARKER),
        what: format!(
            "names the store \"{found}\", not \"{wanted}\": start with --store {found} or without \
             --store; `werkbuch log copy` moves a log to another store"
        ),
    }
}

/// Reads the folder's id and its store from its marker; `None` if there is no marker.
pub(crate) fn read(
    disk: &dyn Disk,
    folder: &Path,
) -> Result<Option<(LogId, StoreKind)>, StoreError> {
    let path = folder.join(MARKER);
    let wrong = |what: String| StoreError::Marker {
        path: path.clone(),
        what,
    };
    let failed = |error| StoreError::io("read", &path, error);
    if !disk.exists(&path).map_err(failed)? {
        return Ok(None);
    }
    let file = disk.open(&path, OpenMode::Read).map_err(failed)?;
    let mut window = Window::new(&*file).map_err(failed)?;
    let bytes = window.get(0, MARKER_BYTES_MAX).map_err(failed)?;
    let text = std::str::from_utf8(bytes)
        .map_err(|_| wrong("is not text: restore it from a backup".into()))?;
    let (text, whole) = text::without_sum(text);
    let table: toml::Table = text
        .parse()
        .map_err(|e| wrong(format!("cannot be read ({e}): restore it from a backup")))?;
    // Version and store come first: of another version the rest need not be as it is today.
    let format = table.get("format").and_then(toml::Value::as_integer);
    if format != Some(i64::from(FORMAT)) {
        let found = format.map_or("no version".into(), |f| format!("version {f}"));
        return Err(wrong(format!(
            "has {found}, and this build reads version {FORMAT}: use the build that wrote it"
        )));
    }
    let store = table.get("store").and_then(toml::Value::as_str);
    let Some(store) = store.and_then(StoreKind::named) else {
        return Err(wrong(format!(
            "names the store \"{}\", which this build does not have: use the build that wrote it",
            store.unwrap_or("")
        )));
    };
    let marker: Marker = table
        .try_into()
        .map_err(|e| wrong(format!("cannot be read ({e}): restore it from a backup")))?;
    let id = parse_id(&marker.folder).ok_or_else(|| {
        wrong("holds no folder id of 32 hex digits: restore it from a backup".into())
    })?;
    if !whole {
        let what = "is damaged: its text has another checksum than its last line names; restore it from \
                    a backup";
        return Err(wrong(what.into()));
    }
    Ok(Some((id, store)))
}

/// Writes the marker of a new folder, whole or not at all, and answers the folder's id.
pub(crate) fn create(
    disk: &dyn Disk,
    folder: &Path,
    store: StoreKind,
) -> Result<LogId, StoreError> {
    let path = folder.join(MARKER);
    let draft = folder.join("book.toml.new");
    let failed = |error| StoreError::io("write", &path, error);
    let mut id = [0; 16];
    getrandom::fill(&mut id).map_err(|e| failed(std::io::Error::other(e.to_string())))?;
    let marker = Marker {
        format: FORMAT,
        store: store.name().into(),
        folder: LogId(id).to_string(),
        created: now(),
    };
    let text = toml::to_string(&marker).map_err(|e| failed(std::io::Error::other(e)))?;
    let text = format!("# This folder is a log of Werkbuch. Keep this file with it.\n{text}");
    let text = text::with_sum(&text);
    let file = disk.open(&draft, OpenMode::Create).map_err(failed)?;
    file.write_at(text.as_bytes(), 0).map_err(failed)?;
    file.sync_data().map_err(failed)?;
    disk.rename(&draft, &path).map_err(failed)?;
    disk.sync_dir(folder).map_err(failed)?;
    Ok(LogId(id))
}

/// Now, in whole seconds: nobody needs more, and the marker is then of the same length at all times.
fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).ok();
    let seconds = since.and_then(|since| i64::try_from(since.as_secs()).ok());
    Timestamp(seconds.unwrap_or(0).saturating_mul(SECOND_NS))
}

fn parse_id(text: &str) -> Option<LogId> {
    if text.len() != 32 || !text.bytes().all(|c| c.is_ascii_hexdigit()) {
        return None;
    }
    let number = u128::from_str_radix(text, 16).ok()?;
    Some(LogId(number.to_be_bytes()))
}
