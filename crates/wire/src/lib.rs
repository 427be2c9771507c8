//! The gRPC services' types, the stable reasons of their errors, and conversions to `model`.
//!
//! # What it is
//!
//! The package `werkbuch.v1` as Rust types: clients and servers of each service, the messages, and
//! the descriptor set for reflection. Events cross as the bytes that `record` encodes and decodes.
//!
//! # Example
//!
//! ```
//! use werkbuch_wire::{name, reason::Reason};
//!
//! let plant = name::plant("tenants/default/plants/PLT-07")?;
//! assert_eq!(plant.as_str(), "PLT-07");
//! let status = name::plant("plants/PLT-07").unwrap_err();
//! assert_eq!(Reason::of(&status), Some(Reason::InvalidName));
//! # Ok::<(), tonic::Status>(())
//! ```
//!
//! # Why
//!
//! - 2026-11-22: messages that carry events are read and written with the events as bytes
//!   (`raw`), which is the same on the wire. The server thereby refuses fields it does not know, which
//!   generated types would drop in silence, and answers with the very bytes of the log.
//! - 2026-11-22: every error carries a `google.rpc.ErrorInfo` with a reason from one closed list, so
//!   that programs need not read sentences.

pub mod convert;
pub mod name;
pub mod raw;
pub mod reason;

/// The generated messages, clients and servers.
#[allow(
    missing_docs,
    clippy::all,
    clippy::pedantic,
    unused_qualifications,
    unreachable_pub
)]
#[allow(missing_debug_implementations)]
pub mod pb {
    tonic::include_proto!("werkbuch.v1");
    pub use crate::raw::{AppendRequest, ListEventsResponse, TailEventsResponse};
    pub use werkbuch_record::pb::*;
}

/// The descriptor set of all messages and services, as `protoc` would write it.
pub const DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptor.bin"));
