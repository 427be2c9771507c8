//! The stored encoding of events: canonical encoder, borrowing decoder, block format.
//!
//! # What it is
//!
//! An event is stored, hashed and served as the canonical bytes of the protobuf message
//! `werkbuch.v1.RecordedEvent` (proto/werkbuch/v1/event.proto). This crate turns `model` events into
//! those bytes and back without a copy of their texts, and packs them into the blocks of a log.
//!
//! # Example
//!
//! ```
//! use werkbuch_model::event::{Body, ItemChanged, Reported};
//! use werkbuch_model::id::{MachineNumber, Sequence};
//! use werkbuch_model::time::Timestamp;
//!
//! let event = Reported {
//!     sequence: Sequence(1),
//!     machine: MachineNumber(7),
//!     occurred_at: Timestamp(1_000_000_000),
//!     observed_at: None,
//!     historical: false,
//!     body: Body::ItemChanged(ItemChanged { item: "comment".into(), text: Some("op 10".into()) }),
//! };
//! let bytes = werkbuch_record::encode_reported(&event);
//! assert_eq!(werkbuch_record::decode_reported(&bytes)?, event);
//! # Ok::<(), werkbuch_record::DecodeError>(())
//! ```
//!
//! # Why
//!
//! - 2026-11-22: each message's layout stands once, in a table (`codec/layout.rs`), from which encoder
//!   and decoder both follow. The types generated from the proto files hold the table to the
//!   published messages in tests; they are not on the way of an event.
//! - 2026-11-22: the decoder refuses unknown fields and values. A server that skipped them would
//!   record less than its source said; sources are upgraded after servers.
//! - 2026-11-22: the body is a message of its own inside the event (two bytes more), so that events,
//!   corrections and what they restore share one table of kinds.
//! - 2026-11-22: sealed blocks hold events as columns (`block/dense.rs`), because a codec of bytes cannot
//!   see that a number is one more than the last. DEFLATE behind it, since it needs nothing but Rust.
//! - 2026-11-22: a body is read last and in the place where it stays (it is hundreds of bytes to move),
//!   and the fields around it in the order in which they are written (`codec/canonical.rs`); any other
//!   order is for the general reader. A log is read more often than anything else here.
//! - 2026-11-22: CRC-32C guards blocks against accident; against intent there is the Merkle tree.

#![warn(missing_docs)]

mod codec;

pub mod block;

pub use codec::{
    DecodeError, body_bytes, body_message, decode_body, decode_recorded, decode_reported,
    encode_recorded, encode_recorded_into, encode_reported, encode_reported_into, outline,
    peek_machine, peek_sequence, reported_part,
};

/// The messages as generated from the proto files: for readers of single messages and for tests.
#[allow(
    missing_docs,
    clippy::all,
    clippy::pedantic,
    unused_qualifications,
    unreachable_pub
)]
pub mod pb {
    include!(concat!(env!("OUT_DIR"), "/werkbuch.v1.rs"));
}

/// The descriptor set of the event messages, as `protoc` would write it.
pub const EVENT_DESCRIPTOR_SET: &[u8] =
    include_bytes!(concat!(env!("OUT_DIR"), "/event_descriptor.bin"));
