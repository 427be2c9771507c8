//! One file of sample bodies: how it is laid out, how it is scanned, how a body is read from it.
//!
//! ```text
//! offset width  file header (little-endian)
//!      0     4  magic, "WBBF"
//!      4     4  version, 1
//!      8     8  generation, as in the file's name
//!     16     8  start: what is recorded from here on (in ns) has its body in this file or a later one
//!     24     4  CRC-32C of the header before this field
//!     28     4  zeros
//!
//! offset width  each body, at a multiple of 8
//!      0     4  magic, "WBBD"
//!      4     4  length of the body
//!      8    32  SHA-256 of the body
//!     40     4  CRC-32C of the body
//!     44     4  CRC-32C of the header before this field
//!     48     n  the body, then zeros up to a multiple of 8
//! ```

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use werkbuch_model::time::Timestamp;
use werkbuch_proof::Hash;

use super::SAMPLE_BODY_BYTES_MAX;
use crate::StoreError;
use crate::disk::{Disk, DiskFile, OpenMode};
use crate::window::Window;

pub(super) const FILE_HEADER_BYTES: usize = 32;
/// The bytes before each body.
pub(super) const HEADER_BYTES: usize = 48;
/// The one file of the first layout: it has no header and stands before all others.
pub(super) const FIRST_LAYOUT: &str = "bodies.log";

const FILE_MAGIC: [u8; 4] = *b"WBBF";
const MAGIC: [u8; 4] = *b"WBBD";
const VERSION: u32 = 1;
const ALIGNMENT: usize = 8;

/// The path of a file by its generation.
pub(super) fn path(folder: &Path, generation: u64) -> PathBuf {
    match generation {
        0 => folder.join(FIRST_LAYOUT),
        _ => folder.join(format!("bodies-{generation:010}.log")),
    }
}

/// The generation of a file by its name; `None` for a file that is none of ours.
pub(super) fn generation_of(name: &str) -> Option<u64> {
    if name == FIRST_LAYOUT {
        return Some(0);
    }
    let digits = name.strip_prefix("bodies-")?.strip_suffix(".log")?;
    let generation = digits.parse().ok().filter(|generation| *generation > 0)?;
    path(Path::new(""), generation)
        .to_str()
        .is_some_and(|canonical| canonical == name)
        .then_some(generation)
}

/// What the beginning of a file says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// From when on what is recorded has its body here or later.
    At(Timestamp),
    /// The file ends before its header does: it was being created when the power went.
    Unfinished,
    /// The header is damaged: the file holds bodies of nobody knows when.
    Unknown,
}

/// Reads the beginning of a file. A file of a later layout is refused, because its bodies would be
/// said to be lost.
pub(super) fn read_start(
    file: &dyn DiskFile,
    path: &Path,
    generation: u64,
) -> Result<Start, StoreError> {
    if generation == 0 {
        return Ok(Start::At(Timestamp::MIN));
    }
    let mut header = [0; FILE_HEADER_BYTES];
    let read = match file.read_at(&mut header, 0) {
        Err(error) if is_media(&error) => return Ok(Start::Unknown),
        read => read.map_err(|e| StoreError::io("read", path, e))?,
    };
    if read < FILE_HEADER_BYTES {
        return Ok(Start::Unfinished);
    }
    let number = |at: usize| -> Option<u32> {
        let bytes = header.get(at..at + 4)?;
        Some(u32::from_le_bytes(bytes.try_into().ok()?))
    };
    let long = |at: usize| -> Option<[u8; 8]> { header.get(at..at + 8)?.try_into().ok() };
    let crc = header.get(..24).map(crc32c::crc32c);
    let whole = header.starts_with(&FILE_MAGIC) && number(24) == crc;
    let said = long(8).map(u64::from_le_bytes);
    match (number(4), long(16)) {
        (Some(version), _) if whole && version != VERSION => Err(StoreError::BodyFile {
            path: path.to_owned(),
            what: format!(
                "has version {version}, and this build reads version {VERSION}: use the build that \
                 wrote it"
            ),
        }),
        (_, Some(start)) if whole && said == Some(generation) => {
            Ok(Start::At(Timestamp(i64::from_le_bytes(start))))
        }
        _ => Ok(Start::Unknown),
    }
}

/// Creates a file with its header, lasting when this returns.
pub(super) fn create(
    disk: &dyn Disk,
    folder: &Path,
    generation: u64,
    start: Timestamp,
) -> io::Result<std::sync::Arc<dyn DiskFile>> {
    disk.create_dir_all(folder)?;
    let file = disk.open(&path(folder, generation), OpenMode::Create)?;
    let mut header = Vec::with_capacity(FILE_HEADER_BYTES);
    header.extend_from_slice(&FILE_MAGIC);
    header.extend_from_slice(&VERSION.to_le_bytes());
    header.extend_from_slice(&generation.to_le_bytes());
    header.extend_from_slice(&start.0.to_le_bytes());
    header.extend_from_slice(&crc32c::crc32c(&header).to_le_bytes());
    header.resize(FILE_HEADER_BYTES, 0);
    file.write_at(&header, 0)?;
    file.sync_data()?;
    for named in [Some(folder), folder.parent()].into_iter().flatten() {
        disk.sync_dir(named)?;
    }
    Ok(file)
}

/// The bytes of a body as they stand in a file.
pub(super) fn encode(hash: Hash, body: &[u8]) -> Vec<u8> {
    let mut record = Vec::with_capacity(HEADER_BYTES + body.len() + ALIGNMENT);
    let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
    record.extend_from_slice(&MAGIC);
    record.extend_from_slice(&length.to_le_bytes());
    record.extend_from_slice(hash.as_bytes());
    record.extend_from_slice(&crc32c::crc32c(body).to_le_bytes());
    record.extend_from_slice(&crc32c::crc32c(&record).to_le_bytes());
    record.extend_from_slice(body);
    record.resize(record.len().next_multiple_of(ALIGNMENT), 0);
    record
}

/// Where a body lies in its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) offset: u64,
    pub(super) length: usize,
}

/// What lies in a file.
#[derive(Debug, Default)]
pub(super) struct FileIndex {
    pub(super) places: BTreeMap<Hash, Place>,
    /// Whether there are bytes that are no bodies: of whose body they are cannot be told.
    pub(super) damaged: bool,
}

/// Finds the bodies of a file by their headers. Whoever reads a body holds it against its hash.
pub(super) fn scan(file: &dyn DiskFile, generation: u64) -> io::Result<FileIndex> {
    let mut window = Window::new(file)?;
    let mut index = FileIndex::default();
    let mut at = match generation {
        0 => 0,
        _ => FILE_HEADER_BYTES as u64,
    };
    while at < window.len() {
        // A header says where the next one is; without one, it is searched for.
        let Some((hash, length)) = read_header(window.get(at, HEADER_BYTES)?) else {
            index.damaged = true;
            at = at.saturating_add(ALIGNMENT as u64);
            continue;
        };
        let next = at.saturating_add((HEADER_BYTES + length).next_multiple_of(ALIGNMENT) as u64);
        if next > window.len() {
            // The body was cut off: it is not there.
            break;
        }
        index.places.insert(hash, Place { offset: at, length });
        at = next;
    }
    Ok(index)
}

fn read_header(header: &[u8]) -> Option<(Hash, usize)> {
    let (fields, crc) = header.split_at_checked(HEADER_BYTES - 4)?;
    if !fields.starts_with(&MAGIC) || crc != crc32c::crc32c(fields).to_le_bytes() {
        return None;
    }
    let length = u32::from_le_bytes(fields.get(4..8)?.try_into().ok()?) as usize;
    let hash = Hash::from_bytes(fields.get(8..40)?.try_into().ok()?);
    (length <= SAMPLE_BODY_BYTES_MAX).then_some((hash, length))
}

/// Whether an error says that the disk cannot read what it holds; other errors pass, such as too many
/// open files.
pub(super) fn is_media(error: &io::Error) -> bool {
    const EIO: i32 = 5;
    error.raw_os_error() == Some(EIO)
}
