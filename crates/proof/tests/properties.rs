//! Properties of random trees: all ways agree, and no bit of a proof can be changed unnoticed.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use werkbuch_proof::{
    CompactRange, Hash, consistency_proof, inclusion_proof, leaf_hash, root_at, root_of,
    verify_consistency, verify_inclusion,
};

proptest! {
    #[test]
    fn compact_range_and_stored_trees_have_the_root_of_the_definition(
        leaves in prop::collection::vec(any::<[u8; 32]>().prop_map(Hash::from_bytes), 0..200),
        cut in any::<prop::sample::Index>(),
    ) {
        let cut = cut.index(leaves.len() + 1);
        let mut range = CompactRange::new();
        leaves[..cut].iter().for_each(|leaf| range.append(*leaf));
        prop_assert_eq!(range.root(), root_of(&leaves[..cut]));
        prop_assert_eq!(root_at(&leaves, cut as u64), Ok(range.root()));
        prop_assert_eq!(range.peaks().len(), cut.count_ones() as usize);
        leaves[cut..].iter().for_each(|leaf| range.append(*leaf));
        prop_assert_eq!(range.root(), root_of(&leaves));
    }

    #[test]
    fn an_inclusion_proof_verifies_and_no_bit_of_it_can_change((size, index, salt) in tree()) {
        let leaves = leaves(size, salt);
        let (leaf, root) = (leaves[index as usize], root_of(&leaves));
        let path = inclusion_proof(&leaves, index, size).unwrap();
        let accepts = |index, size, leaf: &Hash, path: &[Hash], root: &Hash| {
            verify_inclusion(index, size, leaf, path, root).is_ok()
        };
        prop_assert!(accepts(index, size, &leaf, &path, &root));
        for bit in 0..256 {
            prop_assert!(!accepts(index, size, &flip(leaf, bit), &path, &root), "leaf {bit}");
            prop_assert!(!accepts(index, size, &leaf, &path, &flip(root, bit)), "root {bit}");
        }
        for changed in changed_paths(&path) {
            prop_assert!(!accepts(index, size, &leaf, &changed, &root), "{path:?} to {changed:?}");
        }
        let shape = inclusion_shape(index, size);
        for bit in 0..64 {
            let other = index ^ 1 << bit;
            prop_assert!(!accepts(other, size, &leaf, &path, &root), "index {other}");
            // A root does not bind its size: exactly the sizes in which the path takes the very
            // same turns are accepted.
            let other = size ^ 1 << bit;
            let same_shape = index < other && inclusion_shape(index, other) == shape;
            prop_assert_eq!(accepts(index, other, &leaf, &path, &root), same_shape, "size {}", other);
        }
    }

    #[test]
    fn a_consistency_proof_verifies_and_no_bit_of_it_can_change((new, old, salt) in tree()) {
        let old = old + 1;
        let leaves = leaves(new, salt);
        let (old_root, new_root) = (root_of(&leaves[..old as usize]), root_of(&leaves));
        let path = consistency_proof(&leaves, old, new).unwrap();
        let accepts = |old, new, old_root: &Hash, new_root: &Hash, path: &[Hash]| {
            verify_consistency(old, new, old_root, new_root, path).is_ok()
        };
        prop_assert!(accepts(old, new, &old_root, &new_root, &path));
        for bit in 0..256 {
            let (other_old, other_new) = (flip(old_root, bit), flip(new_root, bit));
            prop_assert!(!accepts(old, new, &other_old, &new_root, &path), "old root {bit}");
            prop_assert!(!accepts(old, new, &old_root, &other_new, &path), "new root {bit}");
        }
        if old < new {
            prop_assert!(!accepts(old, new, &new_root, &old_root, &path), "swapped roots");
        }
        for changed in changed_paths(&path) {
            prop_assert!(!accepts(old, new, &old_root, &new_root, &changed), "to {changed:?}");
        }
        let shape = consistency_shape(old, new);
        for bit in 0..64 {
            let other = old ^ 1 << bit;
            prop_assert!(!accepts(other, new, &old_root, &new_root, &path), "old size {other}");
            let other = new ^ 1 << bit;
            let same_shape = old <= other && consistency_shape(old, other) == shape;
            let found = accepts(old, other, &old_root, &new_root, &path);
            prop_assert_eq!(found, same_shape, "new size {}", other);
        }
    }

    #[test]
    fn garbage_is_refused_without_panic(
        (first, second) in any::<(u64, u64)>(),
        shift in 0u32..64,
        path in prop::collection::vec(any::<[u8; 32]>().prop_map(Hash::from_bytes), 0..70),
    ) {
        let (first, second) = (first >> shift, second >> shift);
        let (one, two) = (leaf_hash(b"one"), leaf_hash(b"two"));
        prop_assert!(verify_inclusion(first, second, &one, &path, &two).is_err());
        prop_assert!(verify_consistency(first, second, &one, &two, &path).is_err());
    }
}

/// A tree size, an index in it and a salt for its leaves.
fn tree() -> impl Strategy<Value = (u64, u64, u64)> {
    (1u64..140).prop_flat_map(|size| (Just(size), 0..size, any::<u64>()))
}

/// Leaves that differ from each other: in a tree of equal leaves indexes can be swapped.
fn leaves(count: u64, salt: u64) -> Vec<Hash> {
    (0..count)
        .map(|leaf| leaf_hash(format!("{salt} {leaf}").as_bytes()))
        .collect()
}

fn flip(hash: Hash, bit: usize) -> Hash {
    let mut bytes = *hash.as_bytes();
    bytes[bit / 8] ^= 1 << (bit % 8);
    Hash::from_bytes(bytes)
}

/// The path with each bit flipped, each hash left out, each hash doubled, neighbours swapped.
fn changed_paths(path: &[Hash]) -> Vec<Vec<Hash>> {
    let mut changed = vec![[path, &[leaf_hash(b"more")]].concat()];
    for at in 0..path.len() {
        changed.push([&path[..at], &path[at + 1..]].concat());
        changed.push([&path[..=at], &path[at..]].concat());
        if at > 0 {
            let mut swapped = path.to_vec();
            swapped.swap(at - 1, at);
            changed.push(swapped);
        }
        for bit in 0..256 {
            let mut flipped = path.to_vec();
            flipped[at] = flip(path[at], bit);
            changed.push(flipped);
        }
    }
    changed
}

/// The turns from the root down to a leaf, by the definition of PATH in RFC 6962.
fn inclusion_shape(index: u64, size: u64) -> String {
    if size == 1 {
        return String::new();
    }
    let split = 1 << (size - 1).ilog2();
    if index < split {
        "<".to_owned() + &inclusion_shape(index, split)
    } else {
        ">".to_owned() + &inclusion_shape(index - split, size - split)
    }
}

/// The turns from the root down to the end of the old tree, by the definition of SUBPROOF there.
fn consistency_shape(old: u64, new: u64) -> String {
    if old == new {
        return String::new();
    }
    let split = 1 << (new - 1).ilog2();
    if old <= split {
        "<".to_owned() + &consistency_shape(old, split)
    } else {
        ">".to_owned() + &consistency_shape(old - split, new - split)
    }
}
