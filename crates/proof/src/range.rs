//! The compact range: all that a log must remember of its tree to grow it and to know its root.

use alloc::vec::Vec;

use crate::error::ProofError;
use crate::hash::{EMPTY_ROOT, Hash, node_hash};

/// The largest tree a [`CompactRange`] can be restored to, 2^63 leaves: proofs then have at most
/// the 63 hashes that witnesses accept.
pub const MAX_SIZE: u64 = 1 << 63;

/// A tree that only grows: its size and one hash for each bit that is set in the size.
///
/// The hashes are the peaks, the roots of the complete subtrees that the leaves split into, the
/// largest and oldest first. Appending costs one node hash on average, the root at most 63.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CompactRange {
    size: u64,
    peaks: Vec<Hash>,
}

impl CompactRange {
    /// The tree without leaves.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            size: 0,
            peaks: Vec::new(),
        }
    }

    /// Restores a range from what [`size`](Self::size) and [`peaks`](Self::peaks) once gave.
    ///
    /// Only the number of peaks can be checked here. Whoever kept a root should compare it with
    /// [`root`](Self::root) afterwards.
    ///
    /// # Errors
    ///
    /// [`ProofError::SizeTooLarge`] above [`MAX_SIZE`]; [`ProofError::PeakCount`] unless there are
    /// as many peaks as bits set in the size.
    pub fn from_parts(size: u64, peaks: Vec<Hash>) -> Result<Self, ProofError> {
        let (expected, found) = (size.count_ones(), peaks.len());
        if size > MAX_SIZE {
            return Err(ProofError::SizeTooLarge { size });
        }
        if usize::try_from(expected) != Ok(found) {
            return Err(ProofError::PeakCount {
                size,
                expected,
                found,
            });
        }
        Ok(Self { size, peaks })
    }

    /// Appends the hash of the next leaf.
    pub fn append(&mut self, leaf: Hash) {
        self.append_with(leaf, |_, _, _| {});
    }

    /// Appends the hash of the next leaf and reports each node that is complete with it, as level,
    /// number within the level from 0, and hash: first the leaf itself (level 0), then upward.
    ///
    /// Who stores them has a [`NodeSource`](crate::NodeSource) for every size up to this one.
    pub fn append_with(&mut self, leaf: Hash, mut completed: impl FnMut(u32, u64, Hash)) {
        let index = self.size;
        let mut node = leaf;
        completed(0, index, node);
        // Each trailing one bit of the index is a complete subtree that waits for a right sibling
        // of its own size, so the new leaf merges with exactly those.
        for level in 1..=index.trailing_ones() {
            let Some(left) = self.peaks.pop() else { break };
            node = node_hash(&left, &node);
            completed(level, index.checked_shr(level).unwrap_or(0), node);
        }
        self.peaks.push(node);
        // A restored size is at most 2^63, so a sum that saturates is 2^63 appends away.
        self.size = index.saturating_add(1);
    }

    /// How many leaves the tree has.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The root of the tree as it is now; [`EMPTY_ROOT`] without leaves.
    #[must_use]
    pub fn root(&self) -> Hash {
        let mut smallest_first = self.peaks.iter().rev();
        let Some(smallest) = smallest_first.next() else {
            return EMPTY_ROOT;
        };
        smallest_first.fold(*smallest, |right, left| node_hash(left, &right))
    }

    /// The roots of the complete subtrees, the largest and oldest first.
    #[must_use]
    pub fn peaks(&self) -> &[Hash] {
        &self.peaks
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use alloc::vec;

    use super::*;
    use crate::hash::leaf_hash;

    #[test]
    fn a_restored_range_goes_on_like_the_original() {
        let mut range = CompactRange::new();
        for leaf in 0..100u64 {
            let mut restored =
                CompactRange::from_parts(range.size(), range.peaks().to_vec()).unwrap();
            assert_eq!(restored, range);
            let leaf = leaf_hash(&leaf.to_be_bytes());
            restored.append(leaf);
            range.append(leaf);
            assert_eq!(restored, range);
        }
        assert_eq!(range.size(), 100);
        assert_eq!(range.peaks().len(), 3);
    }

    #[test]
    fn parts_that_do_not_fit_are_refused() {
        let cases = [
            (
                0,
                1,
                ProofError::PeakCount {
                    size: 0,
                    expected: 0,
                    found: 1,
                },
            ),
            (
                7,
                2,
                ProofError::PeakCount {
                    size: 7,
                    expected: 3,
                    found: 2,
                },
            ),
            (
                8,
                3,
                ProofError::PeakCount {
                    size: 8,
                    expected: 1,
                    found: 3,
                },
            ),
            (
                MAX_SIZE + 1,
                2,
                ProofError::SizeTooLarge { size: MAX_SIZE + 1 },
            ),
            (u64::MAX, 64, ProofError::SizeTooLarge { size: u64::MAX }),
        ];
        for (size, peaks, expected) in cases {
            assert_eq!(
                CompactRange::from_parts(size, vec![EMPTY_ROOT; peaks]),
                Err(expected),
                "{size} with {peaks}"
            );
        }
    }

    #[test]
    fn the_largest_sizes_grow_without_overflow() {
        let mut range = CompactRange::from_parts(MAX_SIZE - 1, vec![EMPTY_ROOT; 63]).unwrap();
        range.append(EMPTY_ROOT);
        assert_eq!((range.size(), range.peaks().len()), (MAX_SIZE, 1));
        assert_eq!(
            CompactRange::from_parts(MAX_SIZE, range.peaks().to_vec()).unwrap(),
            range
        );
        range.append(EMPTY_ROOT);
        assert_eq!((range.size(), range.peaks().len()), (MAX_SIZE + 1, 2));
    }
}
