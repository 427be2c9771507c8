//! The block: consecutive stored events of one plant, as they lie in a log file.
//!
//! A block is a header and, right behind it, a body. All numbers are little-endian.
//!
//! ```text
//! header
//!   offset width  field
//!        0     4  magic, "WBLK"
//!        4     2  version, 1
//!        6     1  codec of the body: 0 raw, 1 LZ4 block format, 2 dense
//!        7     1  flags: bit 0 clean-close mark, the others 0
//!        8     4  header length, up to and with the header's checksum
//!       12     4  stored body length
//!       16     4  raw body length (after decompression)
//!       20     4  count of events
//!       24     8  generation: the number of the write-ahead file the block was written to
//!       32     8  group number
//!       40     4  index of the block in its group, from 0
//!       44     4  number of blocks in the group
//!       48     8  writer epoch
//!       56     8  first position (of an empty block: the position that comes next)
//!       64    16  log id
//!       80    32  Merkle root over all events before this block
//!      112     8  earliest recorded_at, ns since 1970 (signed, as the next three)
//!      120     8  latest recorded_at
//!      128     8  earliest effective_at
//!      136     8  latest effective_at
//!      144     4  CRC-32C of the stored body
//!      148     4  number of runs
//!      152     1  length of the plant's name
//!      153     n  the plant's name
//!        .  20*r  the runs: source number (4), first sequence (8), count (4),
//!                 index in the block of the run's first event (4)
//!        .     4  CRC-32C of the header before this field
//! body, before compression (the dense form is drawn in `dense.rs`)
//!   per event: its length as a varint (LEB128, at most 5 bytes), then its stored bytes
//! ```
//!
//! A run is a maximal stretch of events of one source with consecutive sequences at consecutive
//! positions. The writer's own events (source number 0) are in no run. The runs are what a repeat
//! is looked up by, without opening a body.
//!
//! A sealed block joins the events of several blocks. Its runs stand elsewhere, so its table is empty.
//!
//! An empty block with the clean-close mark says that the log was closed in good order after its
//! last event; its root is the root of the whole log.

mod body;
mod builder;
mod dense;
mod error;
mod header;
mod sealed;

pub use body::{BlockBody, decode_body};
pub use builder::{BlockBuilder, SealedBlock};
pub use error::BlockError;
pub use header::{BlockHeader, Codec, Run};
pub use sealed::join;

/// The first bytes of every block.
pub const BLOCK_MAGIC: [u8; 4] = *b"WBLK";
/// The version of the format that this code writes, and the only one that it reads.
pub const BLOCK_VERSION: u16 = 1;
/// The greatest length of a stored block, header and body, in bytes; it holds in every store.
pub const BLOCK_BYTES_MAX: usize = 120 * 1024;
/// The greatest length of a body after decompression in bytes, so that a small hostile block cannot
/// claim much memory.
pub const RAW_BODY_BYTES_MAX: usize = 1024 * 1024;

/// Length of the fields before the plant's name, in bytes.
const FIXED_BYTES: usize = 153;
/// Length of one run in bytes.
const RUN_BYTES: usize = 20;
/// Length of the header's checksum in bytes.
const CRC_BYTES: usize = 4;
/// The flag of the clean-close mark.
const FLAG_CLEAN_CLOSE: u8 = 1;

#[cfg(test)]
mod tests;
