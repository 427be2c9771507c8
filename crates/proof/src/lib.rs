//! Merkle tree maths for auditors: RFC 6962 hashing, growing a tree, making and checking proofs.
//!
//! A plant's log is a Merkle tree whose leaves are the stored bytes of its events, in log order.
//! Whoever holds one root of that tree can have it proved, without trusting the log, that an event
//! is in it ([`verify_inclusion`]) and that a later tree only added to an earlier one
//! ([`verify_consistency`]). This crate needs no other crate of Werkbuch, so a stranger can audit
//! with it alone.
//!
//! Positions in a log count from 1, indexes in a tree from 0: the event at position `p` is leaf
//! `p - 1`, and a log of `n` events is a tree of size `n`.
//!
//! ```
//! use werkbuch_proof::{
//!     CompactRange, consistency_proof, inclusion_proof, leaf_hash, verify_consistency,
//!     verify_inclusion,
//! };
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // The log hashes each event and keeps a compact range, from which it knows its root.
//! let events = ["press 7 runs", "press 7 stops", "press 7 is set up"];
//! let leaves: Vec<_> = events.iter().map(|event| leaf_hash(event.as_bytes())).collect();
//! let mut log = CompactRange::new();
//! log.append(leaves[0]);
//! log.append(leaves[1]);
//! let old_root = log.root();
//! log.append(leaves[2]);
//!
//! // The auditor holds both roots and one event, and asks for two short paths.
//! let path = inclusion_proof(&leaves, 1, 3)?;
//! verify_inclusion(1, 3, &leaf_hash(b"press 7 stops"), &path, &log.root())?;
//! assert!(verify_inclusion(1, 3, &leaf_hash(b"press 7 ran on"), &path, &log.root()).is_err());
//!
//! let path = consistency_proof(&leaves, 2, 3)?;
//! verify_consistency(2, 3, &old_root, &log.root(), &path)?;
//! # Ok(())
//! # }
//! ```
//!
//! # Why
//!
//! - 2026-11-22: **RFC 6962 hashing with SHA-256, nothing of our own.** Witnesses, monitors and
//!   auditors of the certificate transparency world can check a plant's log with what they have.
//! - 2026-11-22: **The verifiers are the loops of RFC 9162, the generators the recursion of
//!   RFC 6962.** Two ways that share no code but the hash functions check each other in the tests.
//! - 2026-11-22: **A consistency proof from size 0 is refused.** Every tree extends the empty one,
//!   so such a proof proves nothing, and the public test cases refuse it. A witness that starts at
//!   "old 0" accepts the first root as it is, without calling the verifier.
//! - 2026-11-22: **A proof is checked against a size and a root that belong together.** A root does
//!   not say the size of its tree: leaf 0 has the same path shape in trees of 5 and of 7 leaves, so
//!   the same path verifies under both sizes. Take both from one signed checkpoint.
//! - 2026-11-22: **Proofs are made from a [`NodeSource`], not from leaves only.** A slice of leaf
//!   hashes is one, good for tests and audits; a log of 50 million events keeps its inner nodes,
//!   which [`CompactRange::append_with`] reports as they are completed, and then needs a few dozen
//!   look-ups for a proof.
//! - 2026-11-22: **No standard library, only `core` and `alloc`.** This crate knows no clock, no
//!   file, no thread and no unordered map, and without `std` the compiler checks that.

#![no_std]
#![warn(missing_docs)]

extern crate alloc;

mod error;
mod hash;
mod range;
mod tree;
mod verify;

pub use error::ProofError;
pub use hash::{EMPTY_ROOT, Hash, leaf_hash, node_hash, sha256};
pub use range::{CompactRange, MAX_SIZE};
pub use tree::{NodeSource, consistency_proof, inclusion_proof, root_at, root_of};
pub use verify::{VerifyError, verify_consistency, verify_inclusion};
