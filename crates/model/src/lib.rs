//! The words of Werkbuch: ids, time, events, plant description, filters, and what makes an event valid.
//!
//! # What it is
//!
//! Plain values without a clock, a file or a thread. Every other crate speaks in these types; the
//! stored and the wire encodings live elsewhere (`record`, `wire`) and convert to and from them.
//!
//! # Example
//!
//! ```
//! use werkbuch_model::event::{Body, State, StateChanged, Vocabulary};
//!
//! let body = Body::StateChanged(StateChanged {
//!     to: State::Executing,
//!     native: "ACTIVE".into(),
//!     vocabulary: Vocabulary::MtconnectExecution,
//!     ..StateChanged::default()
//! });
//! assert!(body.validate().is_ok());
//! assert_eq!(body.kind().name(), "STATE_CHANGED");
//! ```
//!
//! # Why
//!
//! - 2026-11-22: texts in events are `Cow<str>`, so that one type serves the importer that owns its
//!   text and the replay that borrows it from the log without a copy.
//! - 2026-11-22: a value that a source reports as unavailable is an absent optional field, never a
//!   magic text, so that no reader can mistake it for a value.
//! - 2026-11-22: two `PackML` states reported one after the other are judged by what may lie between
//!   them: sources report states and not commands, and may have acting states disabled.
//! - 2026-11-22: times are nanoseconds in an `i64` (years 1677 to 2262): exact, ordered, eight bytes.
//! - 2026-11-22: the fields of a description's objects stand once, in `plant/object.rs`; writing,
//!   comparing and the digest go by that list, so that a field cannot be forgotten in one of them.
//! - 2026-11-22: shares, rates and quantities are decimal numbers in millionths, never floats: what
//!   was written is what is compared and hashed, and shares can be summed exactly.
//! - 2026-11-22: maps of a description are made in one go when they are read, so that their nodes are
//!   full: put in one by one, keys in order leave nearly half of each node empty.
//! - 2026-11-22: a calendar keeps times of day by the plant's clocks and is evaluated to instants
//!   when asked, because the length of a shift depends on the day.
//! - 2026-11-23: a time is read in two steps, first what was written and then what it means, so that the
//!   reading is the same for everyone and only who knows a plant's clocks and shifts resolves them. A time
//!   that clocks show twice or never is an error with both readings, never the likelier one.

#![warn(missing_docs)]

mod codes;

pub mod nearest;

pub mod id;
pub mod time;

pub mod instant;

pub mod event;

pub mod packml;

pub mod plant;

pub mod filter;

pub mod rule;
