//! What can be wrong with parts handed in to build hashes, ranges and proofs.

/// Why a hash, a compact range or a proof could not be built.
///
/// The verdicts on a proof of somebody else are [`crate::VerifyError`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProofError {
    /// A hash in binary form has another length than 32 bytes. Refuse the message it came in.
    #[error("a hash has 32 bytes, not {bytes}")]
    HashLength {
        /// How many bytes there were.
        bytes: usize,
    },
    /// A hash in text form has another length than 64 characters. Ask for the whole hash again.
    #[error("a hash in hex has 64 digits, not {digits}")]
    HexLength {
        /// How many bytes of UTF-8 there were.
        digits: usize,
    },
    /// A hash in text form has something other than a hex digit. Correct the text.
    #[error("a hash in hex has only the digits 0-9 and a-f, which byte {at} is not")]
    HexDigit {
        /// Where the first wrong byte is, counted from 0.
        at: usize,
    },
    /// The number of peaks does not fit the size of a compact range. Whatever stored the range is
    /// damaged: drop it and rebuild the range from the leaves.
    #[error("a tree of {size} leaves has {expected} peaks, not {found}")]
    PeakCount {
        /// The size handed in.
        size: u64,
        /// How many bits are set in the size, which is the number of peaks it needs.
        expected: u32,
        /// How many peaks were handed in.
        found: usize,
    },
    /// A size is larger than [`crate::MAX_SIZE`]. No log gets there: treat it as damage.
    #[error("a tree of {size} leaves is larger than any log can be")]
    SizeTooLarge {
        /// The size handed in.
        size: u64,
    },
    /// The leaf asked for does not exist at this tree size. Ask with a larger size, once the log
    /// has one.
    #[error("leaf {index} does not exist in a tree of {size} leaves")]
    IndexBeyondSize {
        /// The leaf asked for, counted from 0.
        index: u64,
        /// The tree size asked for.
        size: u64,
    },
    /// The old size is larger than the new one. Ask with the two swapped.
    #[error("a tree of {new_size} leaves cannot extend one of {old_size} leaves")]
    SizesReversed {
        /// The size called old.
        old_size: u64,
        /// The size called new.
        new_size: u64,
    },
    /// The source does not hold a node that the proof needs: the size asked for is larger than the
    /// tree it holds, or its stored nodes are incomplete. Ask with a size it holds, or rebuild it.
    #[error("the source does not hold node {index} of level {level}")]
    MissingNode {
        /// The level of the node; leaves are level 0.
        level: u32,
        /// The number of the node within its level, counted from 0.
        index: u64,
    },
}
