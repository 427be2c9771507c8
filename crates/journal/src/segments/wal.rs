//! The write-ahead file: its header, the blocks in it, and the records that recovery leaves.
//!
//! A file `wal-0000000001.log` begins with a header of 64 bytes and goes on with pieces, each at a
//! multiple of 8 bytes: blocks (drawn in `werkbuch_record::block`, then zeros up to the next
//! multiple of 8) and voids. All numbers are little-endian.
//!
//! ```text
//! file header                                void
//!   offset width  field                        offset width  field
//!        0     4  magic, "WBWA"                     0     4  magic, "WVOI"
//!        4     2  version, 1                        4     2  version, 1
//!        6     2  0                                 6     2  0
//!        8     8  generation, as in the name        8     8  generation
//!       16    16  id of the data folder            16     8  group number
//!       32     8  number of the first group        24     8  length of the void with its header
//!       40    20  0                                32     4  0
//!       60     4  CRC-32C of all before            36     4  CRC-32C of all before
//! ```
//!
//! A void stands where a power cut tore blocks of the named group and recovery cut them; what lies
//! in it behind its header is of no account. A void without content is a mark: it stands behind a
//! group whose end was cut. So a group that is not whole is either the last one or has a void, and
//! everything else is damage.

use std::path::{Path, PathBuf};

use werkbuch_model::id::LogId;
use werkbuch_record::block::{
    BLOCK_BYTES_MAX, BLOCK_MAGIC, BlockBody, BlockError, BlockHeader, decode_body,
};

use crate::window::Window;

/// Every piece begins at a multiple of this many bytes.
pub(super) const ALIGNMENT: u64 = 8;
/// Length of the file header in bytes.
pub(super) const FILE_HEADER_BYTES: usize = 64;
/// Length of a void without content in bytes; less than any block has.
pub(super) const VOID_BYTES: usize = 40;

const FILE_MAGIC: [u8; 4] = *b"WBWA";
const VOID_MAGIC: [u8; 4] = *b"WVOI";
const VERSION: u16 = 1;

/// The header of a write-ahead file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FileHeader {
    pub(super) generation: u64,
    pub(super) folder: LogId,
    pub(super) first_group: u64,
}

/// What stands at a place in a write-ahead file.
#[derive(Debug)]
pub(super) enum Piece {
    /// The file ends here.
    End,
    Block(Box<BlockPiece>),
    Void {
        group: u64,
        length: u64,
    },
    /// No whole piece.
    Bad(Bad),
}

#[derive(Debug)]
pub(super) struct BlockPiece {
    pub(super) header: BlockHeader,
    pub(super) body: BlockBody,
    /// Length with the zeros behind it.
    pub(super) length: u64,
}

/// Why there is no whole piece, with the header if at least that is whole.
#[derive(Debug)]
pub(super) struct Bad {
    pub(super) what: String,
    pub(super) header: Option<Box<BlockHeader>>,
    /// Whether its checksum is right, so that it is no tear: another version wrote it.
    pub(super) newer: bool,
}

/// The path of a write-ahead file.
pub(super) fn path(log: &Path, generation: u64) -> PathBuf {
    log.join(format!("wal-{generation:010}.log"))
}

/// The generation in the name of a write-ahead file.
pub(super) fn generation_of(name: &str) -> Option<u64> {
    let digits = name.strip_prefix("wal-")?.strip_suffix(".log")?;
    let number = digits.parse().ok()?;
    (format!("{number:010}") == digits).then_some(number)
}

impl FileHeader {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = start(FILE_MAGIC);
        bytes.extend_from_slice(&self.generation.to_le_bytes());
        bytes.extend_from_slice(&self.folder.0);
        bytes.extend_from_slice(&self.first_group.to_le_bytes());
        seal(bytes, FILE_HEADER_BYTES)
    }

    /// Whether this is a header of another version than this build reads.
    pub(super) fn is_of_another_version(bytes: &[u8]) -> bool {
        let header = bytes.get(..FILE_HEADER_BYTES);
        let split = header.and_then(|header| header.split_last_chunk::<4>());
        let whole = split.is_some_and(|(fields, crc)| *crc == crc32c::crc32c(fields).to_le_bytes());
        let version = bytes.get(4..6) == Some(VERSION.to_le_bytes().as_slice());
        whole && bytes.starts_with(&FILE_MAGIC) && !version
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let bytes = opened(bytes, FILE_MAGIC, FILE_HEADER_BYTES)?;
        Some(Self {
            generation: number(bytes, 8)?,
            folder: LogId(bytes.get(16..32)?.try_into().ok()?),
            first_group: number(bytes, 32)?,
        })
    }
}

/// A void of `length` bytes in all, of which only the first are returned.
pub(super) fn encode_void(generation: u64, group: u64, length: u64) -> Vec<u8> {
    let mut bytes = start(VOID_MAGIC);
    bytes.extend_from_slice(&generation.to_le_bytes());
    bytes.extend_from_slice(&group.to_le_bytes());
    bytes.extend_from_slice(&length.to_le_bytes());
    seal(bytes, VOID_BYTES)
}

/// Reads the piece at `offset` of a file of this generation.
pub(super) fn piece_at(
    window: &mut Window<'_>,
    generation: u64,
    offset: u64,
) -> std::io::Result<Piece> {
    let left = window.len().saturating_sub(offset);
    if left == 0 {
        return Ok(Piece::End);
    }
    let bytes = window.get(offset, BLOCK_BYTES_MAX + ALIGNMENT as usize)?;
    let piece = if bytes.starts_with(&VOID_MAGIC) {
        void_in(bytes, generation, left)
    } else {
        block_in(bytes, generation)
    };
    Ok(piece.unwrap_or_else(Piece::Bad))
}

/// Whether a piece can begin with these bytes; saves reading more where it cannot.
pub(super) fn may_begin(bytes: &[u8]) -> bool {
    bytes.starts_with(&BLOCK_MAGIC) || bytes.starts_with(&VOID_MAGIC)
}

fn void_in(bytes: &[u8], generation: u64, left: u64) -> Result<Piece, Bad> {
    let bad = || Bad {
        what: "a record of an earlier recovery is damaged".into(),
        header: None,
        newer: false,
    };
    let fields = opened(bytes, VOID_MAGIC, VOID_BYTES).ok_or_else(bad)?;
    let group = number(fields, 16).ok_or_else(bad)?;
    let length = number(fields, 24).ok_or_else(bad)?;
    let whole = length >= VOID_BYTES as u64 && length <= left && length % ALIGNMENT == 0;
    if number(fields, 8) != Some(generation) || !whole {
        return Err(bad());
    }
    Ok(Piece::Void { group, length })
}

fn block_in(bytes: &[u8], generation: u64) -> Result<Piece, Bad> {
    let bad = |what: String, header| Bad {
        what,
        header,
        newer: false,
    };
    let (header, body_at) = BlockHeader::decode(bytes).map_err(|error| Bad {
        newer: matches!(error, BlockError::Version { .. }) && has_checksum(bytes),
        ..bad(error.to_string(), None)
    })?;
    if header.generation != generation {
        let what = format!("the block belongs to file number {}", header.generation);
        return Err(bad(what, None));
    }
    let stored = bytes.get(body_at..).unwrap_or_default();
    let body = match decode_body(&header, stored) {
        Ok(body) => body,
        Err(error) => return Err(bad(error.to_string(), Some(Box::new(header)))),
    };
    let length = body_at + header.stored_body_bytes as usize;
    let padded = length.next_multiple_of(ALIGNMENT as usize);
    match bytes.get(length..padded) {
        Some(zeros) if zeros.iter().all(|byte| *byte == 0) => {}
        _ => {
            let what = "the zeros behind the block are missing".into();
            return Err(bad(what, Some(Box::new(header))));
        }
    }
    Ok(Piece::Block(Box::new(BlockPiece {
        header,
        body,
        length: padded as u64,
    })))
}

/// Whether the header of a block has a right checksum where it says that it ends. Every version has
/// its length and its checksum there.
fn has_checksum(bytes: &[u8]) -> bool {
    let length = bytes.get(8..12).and_then(|four| four.try_into().ok());
    let length = length.map(u32::from_le_bytes).unwrap_or_default();
    let header = usize::try_from(length)
        .ok()
        .and_then(|all| bytes.get(..all));
    let split = header.and_then(|header| header.split_last_chunk::<4>());
    split.is_some_and(|(fields, crc)| *crc == crc32c::crc32c(fields).to_le_bytes())
}

fn start(magic: [u8; 4]) -> Vec<u8> {
    let mut bytes = magic.to_vec();
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    bytes.extend_from_slice(&[0; 2]);
    bytes
}

fn seal(mut bytes: Vec<u8>, length: usize) -> Vec<u8> {
    bytes.resize(length - 4, 0);
    bytes.extend_from_slice(&crc32c::crc32c(&bytes).to_le_bytes());
    bytes
}

fn opened(bytes: &[u8], magic: [u8; 4], length: usize) -> Option<&[u8]> {
    let (fields, crc) = bytes.get(..length)?.split_at_checked(length - 4)?;
    let right = crc == crc32c::crc32c(fields).to_le_bytes();
    let version = fields.get(4..6) == Some(VERSION.to_le_bytes().as_slice());
    (right && version && fields.starts_with(&magic)).then_some(fields)
}

fn number(bytes: &[u8], at: usize) -> Option<u64> {
    let field = bytes.get(at..at.checked_add(8)?)?;
    Some(u64::from_le_bytes(field.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_are_each_others_inverse() {
        for generation in [1, 42, 9_999_999_999, 10_000_000_000, u64::MAX] {
            let path = path(Path::new("log"), generation);
            let name = path.file_name().and_then(|name| name.to_str());
            assert_eq!(name.and_then(generation_of), Some(generation));
        }
        for name in [
            "wal-1.log",
            "wal-0000000001.log.new",
            "wal-00000000+1.log",
            "x",
        ] {
            assert_eq!(generation_of(name), None, "{name}");
        }
    }

    #[test]
    fn every_flipped_bit_of_a_file_header_is_seen() {
        let header = FileHeader {
            generation: 3,
            folder: LogId([5; 16]),
            first_group: 9,
        };
        let bytes = header.encode();
        assert_eq!(bytes.len(), FILE_HEADER_BYTES);
        assert_eq!(FileHeader::decode(&bytes), Some(header));
        for bit in 0..bytes.len() * 8 {
            let mut bad = bytes.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(FileHeader::decode(&bad), None, "bit {bit}");
        }
    }
}
