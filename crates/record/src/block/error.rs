//! What can be wrong with a block or with what is put into one.

use super::BLOCK_VERSION;

/// Why bytes are no block, or an event does not go into one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BlockError {
    /// The bytes end before the block does. Read on, or take the block as torn.
    #[error("the block needs {needed} bytes and there are {found}")]
    Short {
        /// How many bytes the part being read has at least.
        needed: usize,
        /// How many bytes there are.
        found: usize,
    },
    /// The bytes do not begin with the magic of a block. They are something else, or damaged.
    #[error("the bytes do not begin like a block")]
    Magic,
    /// The block has a version that this build does not know. Read it with a newer build.
    #[error("the block has version {found}, and this build reads version {BLOCK_VERSION}")]
    Version {
        /// The version in the block.
        found: u16,
    },
    /// The header's checksum is wrong. The header is damaged; trust none of its fields.
    #[error("the checksum of the block's header is wrong")]
    HeaderChecksum,
    /// The body's checksum is wrong. The body is damaged; serve none of its events.
    #[error("the checksum of the block's body is wrong")]
    BodyChecksum,
    /// A field has a value that no writer gives it. Treat the block as damaged.
    #[error("the block's {field} is out of range")]
    Field {
        /// The name of the field.
        field: &'static str,
    },
    /// The body cannot be decompressed to the length that the header states. Treat it as damaged.
    #[error("the block's body does not decompress to the length its header states")]
    Compression,
    /// The body does not split into as many events as the header states. Treat it as damaged.
    #[error("the block's body does not hold the {count} events its header states")]
    Events {
        /// The count in the header.
        count: u32,
    },
    /// The event does not fit into the block. Finish the block and put the event into the next.
    #[error("an event of {bytes} bytes does not fit into the block any more")]
    Full {
        /// The length of the event.
        bytes: usize,
    },
}
