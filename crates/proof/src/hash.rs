//! The hash value and the three ways RFC 6962 makes one.

use core::fmt;
use core::str::FromStr;

use sha2::block_api::compress256;
use sha2::{Digest, Sha256};

use crate::error::ProofError;

/// A SHA-256 hash, 32 bytes. Its text form is 64 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash([u8; Hash::LEN]);

/// The root of the tree without leaves: SHA-256 of nothing.
pub const EMPTY_ROOT: Hash = Hash([
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24,
    0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
]);

/// Hashes a leaf: SHA-256 of the byte 0x00 and then the data.
#[must_use]
pub fn leaf_hash(data: &[u8]) -> Hash {
    if data.len() < SHORT_BYTES_MAX {
        let mut message = [0; ROOM_BYTES];
        message[1..=data.len()].copy_from_slice(data);
        return hash_in_place(message, 1 + data.len());
    }
    let hasher = Sha256::new().chain_update([LEAF_PREFIX]);
    Hash(hasher.chain_update(data).finalize().into())
}

/// Hashes an inner node: SHA-256 of the byte 0x01 and then the hashes of both children.
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut message = [0; ROOM_BYTES];
    message[0] = NODE_PREFIX;
    message[1..=Hash::LEN].copy_from_slice(&left.0);
    message[1 + Hash::LEN..=2 * Hash::LEN].copy_from_slice(&right.0);
    hash_in_place(message, 1 + 2 * Hash::LEN)
}

/// Hashes bytes as they are, without a prefix: for content hashes, never for nodes of a tree.
#[must_use]
pub fn sha256(data: &[u8]) -> Hash {
    Hash(Sha256::digest(data).into())
}

impl Hash {
    /// How many bytes a hash has.
    pub const LEN: usize = 32;

    /// Takes 32 bytes that are a hash already.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; Self::LEN]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes of the hash.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }
}

impl TryFrom<&[u8]> for Hash {
    type Error = ProofError;

    /// Takes bytes from outside; fails with [`ProofError::HashLength`] unless they are 32.
    fn try_from(bytes: &[u8]) -> Result<Self, ProofError> {
        let length = ProofError::HashLength { bytes: bytes.len() };
        bytes.try_into().map(Self).map_err(|_| length)
    }
}

impl FromStr for Hash {
    type Err = ProofError;

    /// Reads 64 hex digits of either case, since other tools print upper case too; fails with
    /// [`ProofError::HexLength`] or [`ProofError::HexDigit`].
    fn from_str(text: &str) -> Result<Self, ProofError> {
        if text.len() != 2 * Self::LEN {
            return Err(ProofError::HexLength { digits: text.len() });
        }
        let mut bytes = [0; Self::LEN];
        for (at, digit) in text.bytes().enumerate() {
            let value = hex_value(digit).ok_or(ProofError::HexDigit { at })?;
            if let Some(byte) = bytes.get_mut(at / 2) {
                *byte = *byte << 4 | value;
            }
        }
        Ok(Self(bytes))
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Room for a short message with its padding: four blocks.
const ROOM_BYTES: usize = 4 * BLOCK_BYTES;
/// How long a short message is at most: a byte and eight more are needed behind it.
const SHORT_BYTES_MAX: usize = ROOM_BYTES - 9;
const BLOCK_BYTES: usize = 64;

/// SHA-256 of the first `bytes` (at most [`SHORT_BYTES_MAX`]) of `message`, the rest of which is zero,
/// padded where it lies (FIPS 180-4, 5.1.1). Most events are short, and then going through a hasher's
/// own buffer takes a fifth of the time of hashing.
fn hash_in_place(mut message: [u8; ROOM_BYTES], bytes: usize) -> Hash {
    let blocks = (bytes + 9).div_ceil(BLOCK_BYTES);
    let end = blocks * BLOCK_BYTES;
    message[bytes] = 0x80;
    message[end - 8..end].copy_from_slice(&(8 * bytes as u64).to_be_bytes());
    let mut state = INITIAL_STATE;
    let (all, _) = message.as_chunks::<BLOCK_BYTES>();
    compress256(&mut state, &all[..blocks]);
    let mut hash = [0; Hash::LEN];
    for (bytes, word) in hash.as_chunks_mut::<4>().0.iter_mut().zip(state) {
        *bytes = word.to_be_bytes();
    }
    Hash(hash)
}

/// The initial hash value of SHA-256 (FIPS 180-4, 5.3.3).
const INITIAL_STATE: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

/// Keeps leaves apart from inner nodes, so that nobody can pass one off as the other.
const LEAF_PREFIX: u8 = 0x00;
const NODE_PREFIX: u8 = 0x01;

fn hex_value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use alloc::format;
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn hashes_are_those_of_the_public_vectors() {
        let cases = [
            (
                sha256(b""),
                "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            ),
            (
                EMPTY_ROOT,
                "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            ),
            (
                leaf_hash(b""),
                "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            ),
            (
                leaf_hash(b"L123456"),
                "395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56",
            ),
            (
                sha256(b"abc"),
                "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            ),
        ];
        for (hash, expected) in cases {
            assert_eq!(hash.to_string(), expected);
        }
    }

    #[test]
    fn leaves_of_every_length_hash_as_the_hasher_does() {
        let data: [u8; 600] = core::array::from_fn(|at| (at * 7) as u8);
        for end in 0..data.len() {
            let leaf = data.get(..end).unwrap();
            let message = [&[LEAF_PREFIX], leaf].concat();
            assert_eq!(leaf_hash(leaf), sha256(&message), "{end}");
        }
    }

    #[test]
    fn a_node_is_prefix_left_right() {
        // The public node vector hashes children that are not 32 bytes long, which `node_hash`
        // cannot be given, so it pins the prefix and the test ties `node_hash` to the same bytes.
        assert_eq!(
            sha256(b"\x01N123N456").to_string(),
            "aa217fe888e47007fa15edab33c2b492a722cb106c64667fc2b044444de66bbb"
        );
        let (left, right) = (leaf_hash(b"N123"), leaf_hash(b"N456"));
        let message = [&[0x01], left.as_bytes().as_slice(), right.as_bytes()].concat();
        assert_eq!(node_hash(&left, &right), sha256(&message));
        assert_ne!(node_hash(&left, &right), node_hash(&right, &left));
    }

    #[test]
    fn text_is_read_back_in_either_case_and_printed_in_lower_case() {
        let hash = leaf_hash(b"L123456");
        let text = hash.to_string();
        assert_eq!(text.parse::<Hash>().unwrap(), hash);
        assert_eq!(text.to_uppercase().parse::<Hash>().unwrap(), hash);
        assert_eq!(format!("{hash:?}"), text);
    }

    #[test]
    fn text_that_is_no_hash_is_refused() {
        let good = EMPTY_ROOT.to_string();
        let cases = [
            (good[1..].to_string(), ProofError::HexLength { digits: 63 }),
            (format!("{good}0"), ProofError::HexLength { digits: 65 }),
            ("".to_string(), ProofError::HexLength { digits: 0 }),
            (format!("{}g", &good[..63]), ProofError::HexDigit { at: 63 }),
            (format!("+{}", &good[1..]), ProofError::HexDigit { at: 0 }),
            (format!("0é{}", &good[3..]), ProofError::HexDigit { at: 1 }),
        ];
        for (text, expected) in cases {
            assert_eq!(text.parse::<Hash>(), Err(expected), "{text}");
        }
    }

    #[test]
    fn only_32_bytes_are_a_hash() {
        assert_eq!(
            Hash::try_from(EMPTY_ROOT.as_bytes().as_slice()),
            Ok(EMPTY_ROOT)
        );
        for bytes in [0, 31, 33] {
            let found = Hash::try_from([0u8; 40].get(..bytes).unwrap());
            assert_eq!(found, Err(ProofError::HashLength { bytes }));
        }
    }
}
