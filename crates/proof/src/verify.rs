//! Checking the proofs of somebody else, by the loops of RFC 9162.

use crate::hash::{Hash, node_hash};

/// Why a proof was refused. Whatever the variant, the claim it came with is not proved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The claimed leaf lies outside the claimed tree. Check whether a log position (from 1) was
    /// taken for an index (from 0), else ask for a checkpoint of a larger tree.
    #[error("leaf {index} does not exist in a tree of {size} leaves")]
    IndexBeyondSize {
        /// The claimed index, counted from 0.
        index: u64,
        /// The claimed tree size.
        size: u64,
    },
    /// The new tree is smaller than the old one. Check the order of the two; if it is right, the
    /// log was cut.
    #[error("a tree of {new_size} leaves cannot extend one of {old_size} leaves")]
    SizesReversed {
        /// The size called old.
        old_size: u64,
        /// The size called new.
        new_size: u64,
    },
    /// The old size is 0. Every tree extends the empty one, so there is nothing to prove: take the
    /// new root as the first one seen, without calling the verifier.
    #[error("nothing can be proved from a tree without leaves")]
    EmptyOldTree,
    /// The path has fewer hashes than the tree needs. Ask for the whole proof again.
    #[error("the proof has too few hashes")]
    PathTooShort,
    /// The path has more hashes than the tree needs. Ask for the proof again, for these sizes.
    #[error("the proof has too many hashes")]
    PathTooLong,
    /// Leaf and path lead to another root: the leaf, its index, the path or the root is not the
    /// log's. If leaf and root are beyond doubt, the log does not hold this leaf there.
    #[error("the proof leads to root {computed}, not to {claimed}")]
    RootMismatch {
        /// The root that leaf and path lead to.
        computed: Hash,
        /// The root handed in.
        claimed: Hash,
    },
    /// Two different roots are claimed for one size. Both cannot be of one log: if both are signed,
    /// keep them, they prove that the log shows different histories.
    #[error("two different roots are claimed for one tree size")]
    RootsDiffer,
    /// The path does not lead to the old root: the new tree does not begin with the leaves of the
    /// old one, or path or sizes are wrong. Ask again; if it stays, keep both roots as evidence.
    #[error("the proof leads to old root {computed}, not to {claimed}")]
    OldRootMismatch {
        /// The old root that the path leads to.
        computed: Hash,
        /// The old root handed in.
        claimed: Hash,
    },
    /// The path leads to the old root but not to the new one, with the same meaning and the same
    /// next step as [`VerifyError::OldRootMismatch`].
    #[error("the proof leads to new root {computed}, not to {claimed}")]
    NewRootMismatch {
        /// The new root that the path leads to.
        computed: Hash,
        /// The new root handed in.
        claimed: Hash,
    },
}

/// Checks that the leaf with this hash is number `index` (from 0) in the tree of `size` leaves with
/// this root.
///
/// `size` and `root` must come from one trusted checkpoint: a root does not say its tree's size.
///
/// # Errors
///
/// [`VerifyError::IndexBeyondSize`], [`VerifyError::PathTooShort`], [`VerifyError::PathTooLong`] or
/// [`VerifyError::RootMismatch`]; then nothing is proved.
pub fn verify_inclusion(
    index: u64,
    size: u64,
    leaf: &Hash,
    path: &[Hash],
    root: &Hash,
) -> Result<(), VerifyError> {
    if index >= size {
        return Err(VerifyError::IndexBeyondSize { index, size });
    }
    let mut climb = Climb {
        node: index,
        last: size - 1,
    };
    let mut computed = *leaf;
    for sibling in path {
        computed = match climb.step()? {
            Side::Left => node_hash(sibling, &computed),
            Side::Right => node_hash(&computed, sibling),
        };
    }
    climb.finish()?;
    if computed != *root {
        return Err(VerifyError::RootMismatch {
            computed,
            claimed: *root,
        });
    }
    Ok(())
}

/// Checks that the tree of `new_size` leaves with `new_root` begins with the very leaves of the
/// tree of `old_size` with `old_root`: that the log only grew in between.
///
/// Each size and its root must come from one trusted checkpoint: a root does not say its tree's
/// size. An old size of 0 is refused, see [`VerifyError::EmptyOldTree`].
///
/// # Errors
///
/// Any variant but [`VerifyError::IndexBeyondSize`] and [`VerifyError::RootMismatch`]; then nothing
/// is proved.
pub fn verify_consistency(
    old_size: u64,
    new_size: u64,
    old_root: &Hash,
    new_root: &Hash,
    path: &[Hash],
) -> Result<(), VerifyError> {
    if old_size > new_size {
        return Err(VerifyError::SizesReversed { old_size, new_size });
    }
    if old_size == 0 {
        return Err(VerifyError::EmptyOldTree);
    }
    if old_size == new_size {
        return verify_same_size(old_root, new_root, path);
    }
    let (first, rest) = path.split_first().ok_or(VerifyError::PathTooShort)?;
    // The path starts at the largest complete subtree that ends the old tree. When the old tree is
    // complete itself, that is its root, which the path leaves out.
    let (seed, rest) = if old_size.is_power_of_two() {
        (old_root, path)
    } else {
        (first, rest)
    };
    let mut climb = Climb {
        node: old_size - 1,
        last: new_size - 1,
    };
    climb.rise(climb.node.trailing_ones());
    let (mut computed_old, mut computed_new) = (*seed, *seed);
    for sibling in rest {
        match climb.step()? {
            Side::Left => {
                computed_old = node_hash(sibling, &computed_old);
                computed_new = node_hash(sibling, &computed_new);
            }
            Side::Right => computed_new = node_hash(&computed_new, sibling),
        }
    }
    climb.finish()?;
    if computed_old != *old_root {
        return Err(VerifyError::OldRootMismatch {
            computed: computed_old,
            claimed: *old_root,
        });
    }
    if computed_new != *new_root {
        return Err(VerifyError::NewRootMismatch {
            computed: computed_new,
            claimed: *new_root,
        });
    }
    Ok(())
}

fn verify_same_size(old_root: &Hash, new_root: &Hash, path: &[Hash]) -> Result<(), VerifyError> {
    if !path.is_empty() {
        return Err(VerifyError::PathTooLong);
    }
    if old_root != new_root {
        return Err(VerifyError::RootsDiffer);
    }
    Ok(())
}

/// The way from a node up to the root: the numbers, within one level, of the node (`fn` in
/// RFC 9162) and of the last node (`sn`).
struct Climb {
    node: u64,
    last: u64,
}

/// On which side of the node its sibling stands.
enum Side {
    Left,
    Right,
}

impl Climb {
    /// Takes the next sibling on the way; fails at the root, which has none.
    fn step(&mut self) -> Result<Side, VerifyError> {
        if self.last == 0 {
            return Err(VerifyError::PathTooLong);
        }
        let side = if self.node % 2 == 1 || self.node == self.last {
            // A last node without a right neighbour has no sibling on this level: it is its own
            // parent up to the level where it is a right child.
            self.rise(self.node.trailing_zeros());
            Side::Left
        } else {
            Side::Right
        };
        self.rise(1);
        Ok(side)
    }

    /// Ends the way; fails below the root.
    fn finish(&self) -> Result<(), VerifyError> {
        if self.last == 0 {
            Ok(())
        } else {
            Err(VerifyError::PathTooShort)
        }
    }

    fn rise(&mut self, levels: u32) {
        self.node = self.node.checked_shr(levels).unwrap_or(0);
        self.last = self.last.checked_shr(levels).unwrap_or(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::leaf_hash;

    #[test]
    fn each_refusal_has_its_reason() {
        let [a, b, c] = [b"a", b"b", b"c"].map(|leaf| leaf_hash(leaf));
        let ab = node_hash(&a, &b);
        let abc = node_hash(&ab, &c);
        let reversed = VerifyError::SizesReversed {
            old_size: 3,
            new_size: 2,
        };
        let old = VerifyError::OldRootMismatch {
            computed: abc,
            claimed: ab,
        };
        let new = VerifyError::NewRootMismatch {
            computed: abc,
            claimed: ab,
        };
        let cases = [
            (verify_inclusion(2, 3, &c, &[ab], &abc), None),
            (verify_inclusion(3, 3, &c, &[ab], &abc), Some(beyond(3, 3))),
            (verify_inclusion(0, 0, &c, &[], &c), Some(beyond(0, 0))),
            (
                verify_inclusion(2, 3, &c, &[], &abc),
                Some(VerifyError::PathTooShort),
            ),
            (
                verify_inclusion(2, 3, &c, &[ab, ab], &abc),
                Some(VerifyError::PathTooLong),
            ),
            (
                verify_inclusion(2, 3, &c, &[ab], &ab),
                Some(mismatch(abc, ab)),
            ),
            (verify_consistency(2, 3, &ab, &abc, &[c]), None),
            (verify_consistency(3, 3, &abc, &abc, &[]), None),
            (verify_consistency(3, 2, &abc, &ab, &[c]), Some(reversed)),
            (
                verify_consistency(0, 3, &ab, &abc, &[]),
                Some(VerifyError::EmptyOldTree),
            ),
            (
                verify_consistency(0, 0, &ab, &ab, &[]),
                Some(VerifyError::EmptyOldTree),
            ),
            (
                verify_consistency(3, 3, &abc, &abc, &[c]),
                Some(VerifyError::PathTooLong),
            ),
            (
                verify_consistency(3, 3, &abc, &ab, &[]),
                Some(VerifyError::RootsDiffer),
            ),
            (
                verify_consistency(2, 3, &ab, &abc, &[]),
                Some(VerifyError::PathTooShort),
            ),
            (
                verify_consistency(2, 4, &ab, &abc, &[c, c]),
                Some(VerifyError::PathTooLong),
            ),
            (
                verify_consistency(2, 5, &ab, &abc, &[c]),
                Some(VerifyError::PathTooShort),
            ),
            (verify_consistency(3, 4, &ab, &abc, &[c, a, ab]), Some(old)),
            (verify_consistency(2, 3, &ab, &ab, &[c]), Some(new)),
        ];
        for (case, (found, expected)) in cases.into_iter().enumerate() {
            assert_eq!(found.err(), expected, "case {case}");
        }
    }

    #[test]
    fn the_largest_sizes_neither_overflow_nor_hang() {
        let hash = leaf_hash(b"");
        let long = [hash; 65];
        let most = u64::MAX;
        for path in [&long[..], &long[..64], &long[..63], &[]] {
            assert!(verify_inclusion(most - 1, most, &hash, path, &hash).is_err());
            assert!(verify_inclusion(0, most, &hash, path, &hash).is_err());
            assert!(verify_consistency(most - 1, most, &hash, &hash, path).is_err());
            assert!(verify_consistency(1, most, &hash, &hash, path).is_err());
            assert!(verify_consistency(1 << 63, most, &hash, &hash, path).is_err());
        }
    }

    fn beyond(index: u64, size: u64) -> VerifyError {
        VerifyError::IndexBeyondSize { index, size }
    }

    fn mismatch(computed: Hash, claimed: Hash) -> VerifyError {
        VerifyError::RootMismatch { computed, claimed }
    }
}
