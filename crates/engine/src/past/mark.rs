//! The file of a mark: what the interval before it holds, what came late in it, and the state.
//!
//! A file holds: magic (8 bytes), version, length of the head and its checksum (u32 each, big-endian),
//! the head (bincode), the late events (bincode), the state. Each part has a CRC-32C of its own, so
//! that a question reads only what it needs.

use super::interval::{Described, Interval, Late};
use crate::error::EngineError;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use werkbuch_model::id::{LogId, Position};
use werkbuch_model::time::Timestamp;
use werkbuch_twin::FOLD_VERSION;

const MAGIC: &[u8; 8] = b"WBMARK\r\n";
const VERSION: u32 = 1;
const FIXED: usize = 8 + 4 + 4 + 4;
/// No part may ask for more memory than this when it is read.
const PART_BYTES_MAX: u64 = 512 * 1024 * 1024;

/// What a mark says of the interval that it ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Head {
    log_id: [u8; 16],
    /// The version of the fold that made the state.
    fold: u32,
    after: u64,
    position: u64,
    front: i64,
    top: i64,
    reach: i64,
    /// Whether what came late is in the file; else the interval is read from the log.
    pub(super) has_late: bool,
    pub(super) described: Vec<Described>,
    /// Positions and numbers of the sources that were opened.
    pub(super) opened: Vec<(u64, u32)>,
    late: Part,
    state: Part,
}

/// Where a part ends and what guards it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Part {
    bytes: u64,
    crc: u32,
}

impl Part {
    fn of(bytes: &[u8]) -> Self {
        Self {
            bytes: bytes.len() as u64,
            crc: crc32c::crc32c(bytes),
        }
    }
}

impl Head {
    /// The head of an interval that ends here; its file is not written yet.
    pub(super) fn of(interval: &Interval, log_id: LogId) -> Self {
        Self {
            log_id: log_id.0,
            fold: FOLD_VERSION,
            after: interval.after.get(),
            position: interval.last.get(),
            front: interval.front.nanos(),
            top: interval.top.nanos(),
            reach: interval.reach.nanos(),
            has_late: interval.late.is_some(),
            described: interval.described.clone(),
            opened: interval
                .opened
                .iter()
                .map(|(position, number)| (position.get(), number.get()))
                .collect(),
            late: Part::default(),
            state: Part::default(),
        }
    }

    /// Whether it belongs to the log and to this build's fold.
    pub(super) fn is_of(&self, log_id: LogId) -> bool {
        self.log_id == log_id.0 && self.fold == FOLD_VERSION
    }

    pub(super) fn after(&self) -> Position {
        Position(self.after)
    }

    pub(super) fn position(&self) -> Position {
        Position(self.position)
    }

    pub(super) fn top(&self) -> Timestamp {
        Timestamp(self.top)
    }

    pub(super) fn reach(&self) -> Timestamp {
        Timestamp(self.reach)
    }

    /// The length of its file, but for the head.
    pub(super) fn bytes(&self) -> u64 {
        self.late.bytes.saturating_add(self.state.bytes)
    }

    /// Whether it can be: whatever wrote it.
    fn is_sound(&self) -> bool {
        self.after < self.position
            && self.front <= self.top
            && self.late.bytes <= PART_BYTES_MAX
            && self.state.bytes <= PART_BYTES_MAX
    }
}

/// The file of the mark at a position.
pub(super) fn path(folder: &Path, position: Position) -> PathBuf {
    folder.join(format!("{:020}.mark", position.get()))
}

/// Writes a mark whole or not at all. Nothing waits for it to be synced: it is folded anew if it is
/// lost. Answers the head as it stands in the file.
pub(super) fn write(
    folder: &Path,
    mut head: Head,
    late: &[Late],
    state: &[u8],
) -> Result<Head, EngineError> {
    let path = path(folder, head.position());
    let fail = |error| EngineError::io("write the mark", &path, error);
    let coding =
        |error: bincode::error::EncodeError| EngineError::internal(format!("a mark: {error}"));
    let config = bincode::config::standard();
    let late = bincode::serde::encode_to_vec(late, config).map_err(coding)?;
    head.late = Part::of(&late);
    head.state = Part::of(state);
    let encoded = bincode::serde::encode_to_vec(&head, config).map_err(coding)?;
    let length = u32::try_from(encoded.len())
        .map_err(|_| EngineError::internal("the head of a mark is too long"))?;
    std::fs::create_dir_all(folder).map_err(fail)?;
    let temporary = path.with_extension("new");
    let mut file = File::create(&temporary).map_err(fail)?;
    let mut begin = Vec::with_capacity(FIXED + encoded.len());
    begin.extend_from_slice(MAGIC);
    begin.extend_from_slice(&VERSION.to_be_bytes());
    begin.extend_from_slice(&length.to_be_bytes());
    begin.extend_from_slice(&crc32c::crc32c(&encoded).to_be_bytes());
    begin.extend_from_slice(&encoded);
    for part in [&begin[..], &late, state] {
        file.write_all(part).map_err(fail)?;
    }
    drop(file);
    std::fs::rename(&temporary, &path).map_err(fail)?;
    Ok(head)
}

/// The head of a file. Errors: a sentence that says why it is none.
pub(super) fn head(path: &Path) -> Result<Head, String> {
    open(path).map(|(head, _, _)| head)
}

/// The late events of a file.
pub(super) fn late(path: &Path) -> Result<Vec<Late>, String> {
    let (head, mut file, at) = open(path)?;
    let bytes = part(&mut file, at, head.late)?;
    let config = bincode::config::standard().with_limit::<{ PART_BYTES_MAX as usize }>();
    let (late, _) =
        bincode::serde::decode_from_slice(&bytes, config).map_err(|error| error.to_string())?;
    Ok(late)
}

/// The state of a file.
pub(super) fn state(path: &Path) -> Result<Vec<u8>, String> {
    let (head, mut file, at) = open(path)?;
    part(&mut file, at.saturating_add(head.late.bytes), head.state)
}

/// The head, the file, and where in it the next part begins.
fn open(path: &Path) -> Result<(Head, File, u64), String> {
    let io = |error: std::io::Error| error.to_string();
    let mut file = File::open(path).map_err(io)?;
    let mut fixed = [0; FIXED];
    file.read_exact(&mut fixed).map_err(io)?;
    let number = |at: usize| {
        let digits = fixed.iter().skip(at).take(4);
        digits.fold(0_u32, |number, digit| number << 8 | u32::from(*digit))
    };
    if !fixed.starts_with(MAGIC) {
        return Err("it is no mark".to_owned());
    }
    if number(8) != VERSION {
        return Err("it is of another version".to_owned());
    }
    let bytes = u64::from(number(12));
    let length = file.metadata().map_err(io)?.len();
    let encoded = part(
        &mut file,
        FIXED as u64,
        Part {
            bytes,
            crc: number(16),
        },
    )?;
    let config = bincode::config::standard().with_limit::<{ 64 * 1024 * 1024 }>();
    let (head, _): (Head, usize) =
        bincode::serde::decode_from_slice(&encoded, config).map_err(|error| error.to_string())?;
    let at = bytes.saturating_add(FIXED as u64);
    if !head.is_sound() || at.checked_add(head.bytes()) != Some(length) {
        return Err("it contradicts itself".to_owned());
    }
    Ok((head, file, at))
}

fn part(file: &mut File, at: u64, part: Part) -> Result<Vec<u8>, String> {
    let io = |error: std::io::Error| error.to_string();
    file.seek(SeekFrom::Start(at)).map_err(io)?;
    let mut bytes = Vec::new();
    file.take(part.bytes).read_to_end(&mut bytes).map_err(io)?;
    if Part::of(&bytes) != part {
        return Err("its checksum does not fit".to_owned());
    }
    Ok(bytes)
}
