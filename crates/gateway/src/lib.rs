//! At the plant: reads machines and recordings, and makes events of what they say.
//!
//! # What it is
//!
//! A source reads what a machine or a recording says and reports it as numbered events. Here are
//! the recordings of MTConnect adapters (SHDR): [`source::shdr::ShdrReader`] reads one file as a
//! stream with bounded memory, and [`source::mapping::Mapping`] says what each key means; and events
//! as lines of JSON, from another book or by hand ([`source::jsonl::Reader`]).
//! [`upload::Uploader`] sends numbered events to a server and keeps them until they are acknowledged.
//!
//! # Example
//!
//! ```
//! use std::sync::Arc;
//! use werkbuch_gateway::source::{mapping::Mapping, shdr::ShdrReader};
//! use werkbuch_model::id::MachineNumber;
//!
//! let text = "2017-06-07T08:00:00Z|execution|ACTIVE|Fovr|90\n2017-06-07T08:00:09Z|Fovr|90\n";
//! let mapping = Arc::new(Mapping::builtin());
//! let mut reader = ShdrReader::new(text.as_bytes(), "m1.shdr", mapping, MachineNumber(1));
//! let events: Vec<_> = reader.by_ref().collect::<Result<_, _>>()?;
//! assert_eq!(events.len(), 2);
//! assert_eq!(reader.counts().unchanged, 1);
//! # Ok::<(), werkbuch_gateway::source::shdr::ReadError>(())
//! ```
//!
//! # Why
//!
//! - 2026-11-22: the reader of a recording is a plain iterator without a thread or a clock, so that
//!   the same bytes give the same numbered events on every machine: importing again is all repeats.
//! - 2026-11-22: the table of keys has a version that enters the source's name, so that a changed
//!   meaning is another source and never another content under a known number.
//! - 2026-11-22: the uploader keeps what is not acknowledged and sends it again after any failure that
//!   passes; that nothing is recorded twice is the server's doing, by the numbers. A lost fence is final:
//!   a source that opened itself again would take the say back from whoever took over.
//! - 2026-11-22: a line of another book keeps its source, life and number instead of becoming an
//!   importer's own, because order, authority and repeats all go by them: only so do both books come to
//!   the same state. The time at which the first book recorded an event that no gateway had observed
//!   becomes its `observed_at`, so that the second book decides about its time as the first one did.
//! - 2026-11-22: fields are read through the types of `model` themselves, and no list of kinds or fields
//!   is kept: a kind that is added there can be imported and written by hand at once.

pub mod source;
pub mod upload;
