//! The public trees of 0 to 8 leaves: every way to a root and every proof must agree on them.
#![allow(clippy::unwrap_used)]

use werkbuch_proof::{
    CompactRange, Hash, consistency_proof, inclusion_proof, leaf_hash, root_at, root_of,
    verify_consistency, verify_inclusion,
};

const LEAVES: [&[u8]; 8] = [
    b"",
    b"\x00",
    b"\x10",
    b"\x20\x21",
    b"\x30\x31",
    b"\x40\x41\x42\x43",
    b"\x50\x51\x52\x53\x54\x55\x56\x57",
    b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
];

const ROOTS: [&str; 9] = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

fn roots() -> Vec<Hash> {
    ROOTS.iter().map(|root| root.parse().unwrap()).collect()
}

fn leaves() -> Vec<Hash> {
    LEAVES.iter().map(|data| leaf_hash(data)).collect()
}

#[test]
fn every_way_to_a_root_gives_the_known_one() {
    let leaves = leaves();
    let mut range = CompactRange::new();
    for (size, root) in roots().into_iter().enumerate() {
        assert_eq!(root_of(&leaves[..size]), root, "root_of, size {size}");
        assert_eq!(
            root_at(&leaves, size as u64),
            Ok(root),
            "root_at, size {size}"
        );
        assert_eq!(range.root(), root, "compact range, size {size}");
        assert_eq!(range.size(), size as u64);
        if let Some(leaf) = leaves.get(size) {
            range.append(*leaf);
        }
    }
}

#[test]
fn every_proof_of_the_known_trees_verifies_against_the_known_roots() {
    let (leaves, roots) = (leaves(), roots());
    for (size, root) in roots.iter().enumerate() {
        for old in 0..size {
            let (index, new) = (old as u64, size as u64);
            let path = inclusion_proof(&leaves, index, new).unwrap();
            assert_eq!(
                verify_inclusion(index, new, &leaves[old], &path, root),
                Ok(())
            );
            if old > 0 {
                let path = consistency_proof(&leaves, index, new).unwrap();
                assert_eq!(
                    verify_consistency(index, new, &roots[old], root, &path),
                    Ok(())
                );
            }
        }
    }
}
