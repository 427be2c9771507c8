//! Events as lines of JSON: what one book writes out and another takes in, and what people write.
//!
//! # Lines
//!
//! A line is one event:
//!
//! ```json
//! {"source":"gateway-7","epoch":1,"sequence":42,"machine":"press-1",
//!  "occurred_at":"2026-11-22T06:00:00Z","observed_at":"2026-11-22T06:00:01Z",
//!  "kind":"STATE_CHANGED","fields":{"to":"HELD","reason":"E7"},
//!  "recorded":{"position":99,"recorded_at":"2026-11-22T06:00:02Z", ...}}
//! ```
//!
//! (here on several lines to be read; in a file on one). `source`, `epoch` and `sequence` are the
//! event's identity, `recorded` is what the book that wrote the line had noted about it. A line
//! without a source, written by hand or by a script, needs `kind`, a time (`occurred_at`, `time` or
//! `at`) and mostly a machine; its fields may stand beside them instead of within `fields`:
//!
//! ```json
//! {"machine":"press-1","time":"2026-11-22T06:00:00Z","kind":"STATE_CHANGED","to":"HELD"}
//! ```
//!
//! In fields bytes are hexadecimal digits, and what is said about a person is its plain text.
//!
//! # What becomes of a line
//!
//! - A line with an identity keeps it: the same source, life and number, so that the other book holds
//!   what the first one holds, and taking it in again records nothing.
//! - Where no gateway had seen the event, the first book's clock stood in for the gateway's when
//!   it decided by which time the event is ordered. So does `observed_at` now: it becomes the time
//!   at which the first book recorded the event, and the second book decides as the first one did.
//! - A line without an identity is numbered by a source that is named after the file's content, as
//!   recordings are; it was "observed" when it occurred.
//! - The own records of the first book's writer (openings, descriptions, digests) are counted and not
//!   taken in: the other book writes its own.
//! - A line in which something is said twice cannot be read: nobody knows which of the two is meant.
//! - A line that cannot be read is a gap, numbered by the source of the content, with the hash of the
//!   whole line; consecutive ones are one gap.

mod fields;
mod line;
mod loose;
mod reader;
mod survey;
mod unique;

pub use fields::{body, kind, reportable};
pub use line::{Entry, Identity, Line, Recording, parse};
pub use reader::{Read, Reader};
pub use survey::{SourceSeen, Survey};
pub use unique::value;

/// The version of the reading of lines; it enters the name of the source of a content.
pub const VERSION: &str = "jsonl-1";
