//! Snapshots of a plant on disk: disposable, checked before they are believed.
//!
//! A file holds: magic (8 bytes), version (u32), SHA-256 of the rest (32 bytes), length of the writer
//! image (u64), writer image (bincode), twin bytes. All numbers are big-endian.

use crate::error::EngineError;
use crate::limits::SNAPSHOTS_KEPT;
use crate::writer::{Writer, WriterImage};
use sha2::{Digest, Sha256};
use std::io::Write;
use std::path::{Path, PathBuf};
use werkbuch_model::id::{PlantId, Position};
use werkbuch_twin::Twin;

const MAGIC: &[u8; 8] = b"WBSNAP\r\n";
const VERSION: u32 = 4;
const HEADER: usize = 8 + 4 + 32 + 8;
/// No image may ask for more memory than this when it is decoded.
const IMAGE_BYTES_MAX: usize = 512 * 1024 * 1024;

/// A plant as it stood after a position.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub(crate) writer: Writer,
    pub(crate) twin: Twin,
}

/// The bytes of a snapshot. Errors: the state cannot be encoded.
pub(crate) fn encode(writer: &Writer, twin: &Twin) -> Result<Vec<u8>, EngineError> {
    let fail =
        |error: String| EngineError::internal(format!("a snapshot cannot be encoded: {error}"));
    let image = bincode::serde::encode_to_vec(writer.image(), bincode::config::standard())
        .map_err(|error| fail(error.to_string()))?;
    let twin = twin.to_bytes().map_err(|error| fail(error.to_string()))?;
    let mut rest = Vec::with_capacity(8 + image.len() + twin.len());
    rest.extend_from_slice(&(image.len() as u64).to_be_bytes());
    rest.extend_from_slice(&image);
    rest.extend_from_slice(&twin);
    let mut bytes = Vec::with_capacity(HEADER + rest.len());
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&VERSION.to_be_bytes());
    bytes.extend_from_slice(&Sha256::digest(&rest));
    bytes.extend_from_slice(&rest);
    Ok(bytes)
}

/// The snapshot in `bytes`. Errors: a sentence that says why they are none.
pub(crate) fn decode(plant: &PlantId, bytes: &[u8]) -> Result<Snapshot, String> {
    let cut = || "it is cut short".to_owned();
    let (magic, rest) = bytes.split_at_checked(8).ok_or_else(cut)?;
    if magic != MAGIC {
        return Err("it is no snapshot".to_owned());
    }
    let (version, rest) = rest.split_first_chunk::<4>().ok_or_else(cut)?;
    if u32::from_be_bytes(*version) != VERSION {
        return Err("it is of another version".to_owned());
    }
    let (hash, rest) = rest.split_at_checked(32).ok_or_else(cut)?;
    let found: [u8; 32] = Sha256::digest(rest).into();
    if hash != found {
        return Err("its checksum does not fit".to_owned());
    }
    let (length, rest) = rest.split_first_chunk::<8>().ok_or_else(cut)?;
    let length = usize::try_from(u64::from_be_bytes(*length)).map_err(|_| cut())?;
    let (image, twin) = rest.split_at_checked(length).ok_or_else(cut)?;
    let config = bincode::config::standard().with_limit::<IMAGE_BYTES_MAX>();
    let (image, _): (WriterImage, usize) =
        bincode::serde::decode_from_slice(image, config).map_err(|error| error.to_string())?;
    let twin = Twin::from_bytes(twin).map_err(|error| error.to_string())?;
    let description = twin.staged_description();
    let writer =
        Writer::of_image(plant.clone(), image, description).ok_or("it contradicts itself")?;
    if twin.position() != writer.position || twin.plant() != plant {
        return Err("its parts are of different positions or plants".to_owned());
    }
    Ok(Snapshot { writer, twin })
}

/// The twin of the snapshot in `bytes`, for the fuzz target that gives it any.
/// Errors: a sentence that says why they are none.
#[cfg(feature = "fuzz")]
pub fn decode_snapshot(plant: &PlantId, bytes: &[u8]) -> Result<Twin, String> {
    decode(plant, bytes).map(|snapshot| snapshot.twin)
}

/// The folder of a plant's snapshots.
pub(crate) fn folder(data: &Path, plant: &PlantId) -> PathBuf {
    data.join("snapshots").join(plant.as_str())
}

/// Writes a snapshot whole or not at all, and removes the oldest beyond those that are kept.
pub(crate) fn write(folder: &Path, position: Position, bytes: &[u8]) -> Result<(), EngineError> {
    let path = folder.join(format!("{:020}.snapshot", position.get()));
    let fail = |error| EngineError::io("write the snapshot", &path, error);
    std::fs::create_dir_all(folder).map_err(fail)?;
    let temporary = path.with_extension("new");
    let mut file = std::fs::File::create(&temporary).map_err(fail)?;
    file.write_all(bytes).map_err(fail)?;
    file.sync_all().map_err(fail)?;
    std::fs::rename(&temporary, &path).map_err(fail)?;
    std::fs::File::open(folder)
        .and_then(|dir| dir.sync_all())
        .map_err(fail)?;
    for (_, old) in list(folder).into_iter().skip(SNAPSHOTS_KEPT) {
        let _ = std::fs::remove_file(old);
    }
    Ok(())
}

/// The snapshots of a folder, newest first, by their names.
pub(crate) fn list(folder: &Path) -> Vec<(Position, PathBuf)> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<_> = entries
        .filter_map(|entry| {
            let path = entry.path();
            let number = path.file_stem()?.to_str()?.parse().ok()?;
            (path.extension()? == "snapshot").then_some((Position(number), path))
        })
        .collect();
    found.sort_by(|a, b| b.cmp(a));
    found
}

/// The newest snapshot that can be believed. One that cannot is said in the log file and removed.
pub(crate) fn newest(data: &Path, plant: &PlantId, keep: bool) -> Option<Snapshot> {
    for (position, path) in list(&folder(data, plant)) {
        let read = std::fs::read(&path).map_err(|error| error.to_string());
        match read.and_then(|bytes| decode(plant, &bytes)) {
            Ok(snapshot) if snapshot.writer.position == position => return Some(snapshot),
            Ok(_) => drop_file(&path, plant, "its name and its content differ", keep),
            Err(what) => drop_file(&path, plant, &what, keep),
        }
    }
    None
}

/// Drops a snapshot that cannot be believed; the log is folded instead.
pub(crate) fn drop_file(path: &Path, plant: &PlantId, what: &str, keep: bool) {
    tracing::warn!(
        plant = plant.as_str(),
        snapshot = %path.display(),
        what,
        "a snapshot is dropped and rebuilt from the log"
    );
    if !keep {
        let _ = std::fs::remove_file(path);
    }
}

/// Up to where the snapshots of a data folder reach that can be believed: a log that ends before has
/// lost something. Nothing is changed.
#[must_use]
pub fn vouched(data: &Path) -> Vec<(PlantId, Position)> {
    let plants = plants(data).into_iter();
    let reach = plants.filter_map(|plant| {
        let snapshot = newest(data, &plant, true)?;
        Some((plant, snapshot.writer.position))
    });
    reach.collect()
}

/// The names of the plants that have snapshots.
pub(crate) fn plants(data: &Path) -> Vec<PlantId> {
    let entries = std::fs::read_dir(data.join("snapshots"))
        .into_iter()
        .flatten()
        .flatten();
    entries
        .filter_map(|entry| PlantId::new(entry.file_name().to_str()?).ok())
        .collect()
}
