//! Roots and proofs of any size of a tree, by the recursive definitions of RFC 6962.

use alloc::vec::Vec;

use crate::error::ProofError;
use crate::hash::{EMPTY_ROOT, Hash, node_hash};

/// What holds the nodes of a tree: a slice of leaf hashes, stored nodes, or a function.
pub trait NodeSource {
    /// The root of the complete subtree over the `2^level` leaves from `index * 2^level` on, or
    /// `None` if the source does not hold all of them. Level 0 gives the hash of leaf `index`.
    fn node(&self, level: u32, index: u64) -> Option<Hash>;
}

/// The root of the tree over these leaf hashes; [`EMPTY_ROOT`] without any.
///
/// It hashes every node anew. A log that grows uses [`CompactRange`](crate::CompactRange).
#[must_use]
pub fn root_of(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => EMPTY_ROOT,
        [leaf] => *leaf,
        _ => {
            let split = 1 << (leaves.len() - 1).ilog2();
            let (left, right) = leaves.split_at(split);
            node_hash(&root_of(left), &root_of(right))
        }
    }
}

/// The root that the tree had when it had `size` leaves; [`EMPTY_ROOT`] at size 0.
///
/// # Errors
///
/// [`ProofError::MissingNode`] when the source holds a smaller tree than that.
pub fn root_at<S: NodeSource + ?Sized>(source: &S, size: u64) -> Result<Hash, ProofError> {
    if size == 0 {
        Ok(EMPTY_ROOT)
    } else {
        subtree_root(source, 0, size)
    }
}

/// The path that proves that leaf `index` (from 0) is in the tree of `size` leaves, the sibling of
/// the leaf first. [`verify_inclusion`](crate::verify_inclusion) checks it.
///
/// # Errors
///
/// [`ProofError::IndexBeyondSize`] when `index` is not below `size`; [`ProofError::MissingNode`]
/// when the source holds a smaller tree than `size`.
pub fn inclusion_proof<S: NodeSource + ?Sized>(
    source: &S,
    index: u64,
    size: u64,
) -> Result<Vec<Hash>, ProofError> {
    if index >= size {
        return Err(ProofError::IndexBeyondSize { index, size });
    }
    let mut path = Vec::new();
    let mut subtree = Subtree {
        start: 0,
        width: size,
    };
    while subtree.width > 1 {
        let (left, right) = subtree.children();
        let (inside, sibling) = if index < right.start {
            (left, right)
        } else {
            (right, left)
        };
        path.push(subtree_root(source, sibling.start, sibling.width)?);
        subtree = inside;
    }
    path.reverse();
    Ok(path)
}

/// The path that proves that the tree of `new_size` leaves begins with the very leaves of the tree
/// of `old_size`. [`verify_consistency`](crate::verify_consistency) checks it.
///
/// The path is empty for equal sizes, and for an old size of 0, as witnesses expect it.
///
/// # Errors
///
/// [`ProofError::SizesReversed`] when `old_size` is above `new_size`; [`ProofError::MissingNode`]
/// when the source holds a smaller tree than `new_size`.
pub fn consistency_proof<S: NodeSource + ?Sized>(
    source: &S,
    old_size: u64,
    new_size: u64,
) -> Result<Vec<Hash>, ProofError> {
    if old_size > new_size {
        return Err(ProofError::SizesReversed { old_size, new_size });
    }
    let mut path = Vec::new();
    if old_size == 0 {
        return Ok(path);
    }
    let mut subtree = Subtree {
        start: 0,
        width: new_size,
    };
    while subtree.start + subtree.width != old_size {
        let (left, right) = subtree.children();
        let (inside, sibling) = if old_size <= right.start {
            (left, right)
        } else {
            (right, left)
        };
        path.push(subtree_root(source, sibling.start, sibling.width)?);
        subtree = inside;
    }
    // A subtree that starts at leaf 0 is the whole old tree, whose root the verifier has.
    if subtree.start != 0 {
        path.push(subtree_root(source, subtree.start, subtree.width)?);
    }
    path.reverse();
    Ok(path)
}

impl NodeSource for [Hash] {
    fn node(&self, level: u32, index: u64) -> Option<Hash> {
        let width = 1usize.checked_shl(level)?;
        let start = usize::try_from(index).ok()?.checked_mul(width)?;
        let leaves = self.get(start..start.checked_add(width)?)?;
        Some(root_of(leaves))
    }
}

impl NodeSource for Vec<Hash> {
    fn node(&self, level: u32, index: u64) -> Option<Hash> {
        self.as_slice().node(level, index)
    }
}

impl<F: Fn(u32, u64) -> Option<Hash>> NodeSource for F {
    fn node(&self, level: u32, index: u64) -> Option<Hash> {
        self(level, index)
    }
}

/// A subtree that the recursion of RFC 6962 meets: `width` leaves, at least one, from `start` on.
#[derive(Clone, Copy)]
struct Subtree {
    start: u64,
    width: u64,
}

impl Subtree {
    /// Splits at the largest power of two below the width, which must be above 1.
    fn children(self) -> (Self, Self) {
        let left = 1 << (self.width - 1).ilog2();
        (
            Self {
                start: self.start,
                width: left,
            },
            Self {
                start: self.start + left,
                width: self.width - left,
            },
        )
    }
}

/// The root over `width` leaves (at least one) from `start` on. It goes at most 64 calls deep,
/// since each call halves what is not a complete subtree.
fn subtree_root<S: NodeSource + ?Sized>(
    source: &S,
    start: u64,
    width: u64,
) -> Result<Hash, ProofError> {
    if width.is_power_of_two() {
        // The recursion only splits at powers of two, so a complete subtree starts at a multiple
        // of its width and is a node of its level.
        let level = width.trailing_zeros();
        let index = start >> level;
        return source
            .node(level, index)
            .ok_or(ProofError::MissingNode { level, index });
    }
    let (left, right) = Subtree { start, width }.children();
    let left = subtree_root(source, left.start, left.width)?;
    let right = subtree_root(source, right.start, right.width)?;
    Ok(node_hash(&left, &right))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use alloc::collections::BTreeMap;

    use super::*;
    use crate::hash::leaf_hash;
    use crate::range::CompactRange;

    fn leaves(count: u64) -> Vec<Hash> {
        (0..count)
            .map(|leaf| leaf_hash(&leaf.to_be_bytes()))
            .collect()
    }

    #[test]
    fn stored_nodes_give_the_same_roots_and_proofs_as_leaves() {
        let leaves = leaves(40);
        let mut stored = BTreeMap::new();
        let mut range = CompactRange::new();
        for leaf in &leaves {
            range.append_with(*leaf, |level, index, hash| {
                assert_eq!(stored.insert((level, index), hash), None, "reported once");
            });
        }
        let stored = |level, index| stored.get(&(level, index)).copied();
        for size in 0..=40 {
            assert_eq!(root_at(&stored, size), root_at(&leaves, size));
            for index in 0..size {
                let path = inclusion_proof(&stored, index, size).unwrap();
                assert_eq!(path, inclusion_proof(&leaves, index, size).unwrap());
                let path = consistency_proof(&stored, index, size).unwrap();
                assert_eq!(path, consistency_proof(&leaves, index, size).unwrap());
            }
        }
    }

    #[test]
    fn what_cannot_be_proved_is_refused() {
        let leaves = leaves(7);
        let missing = |level, index| Err(ProofError::MissingNode { level, index });
        let cases = [
            (
                inclusion_proof(&leaves, 0, 0),
                Err(ProofError::IndexBeyondSize { index: 0, size: 0 }),
            ),
            (
                inclusion_proof(&leaves, 7, 7),
                Err(ProofError::IndexBeyondSize { index: 7, size: 7 }),
            ),
            (inclusion_proof(&leaves, 0, 8), missing(2, 1)),
            (inclusion_proof(&leaves, 0, u64::MAX), missing(62, 2)),
            (
                inclusion_proof(&leaves, u64::MAX - 1, u64::MAX),
                missing(63, 0),
            ),
            (
                consistency_proof(&leaves, 4, 3),
                Err(ProofError::SizesReversed {
                    old_size: 4,
                    new_size: 3,
                }),
            ),
            (consistency_proof(&leaves, 4, 8), missing(2, 1)),
            (consistency_proof(&leaves, 3, u64::MAX), missing(62, 2)),
            (consistency_proof(&leaves, 0, 7), Ok(Vec::new())),
            (consistency_proof(&leaves, 7, 7), Ok(Vec::new())),
        ];
        for (case, (found, expected)) in cases.into_iter().enumerate() {
            assert_eq!(found, expected, "case {case}");
        }
        assert_eq!(
            root_at(&leaves, 8),
            Err(ProofError::MissingNode { level: 3, index: 0 })
        );
        assert_eq!(leaves.node(64, 0), None);
        assert_eq!(leaves.node(1, u64::MAX), None);
    }
}
