//! Answers as tables: their columns as Arrow, the bytes of their streams, and files of them.
//!
//! # What it is
//!
//! Five tables: machines at an instant, events, the intervals of timelines or their buckets, and figures over
//! machines.
//! [`Encoder`] makes the bytes of an Arrow IPC stream from rows, as the server sends them; [`Decoder`]
//! reads them into batches, and [`Sink`] writes batches as Parquet, Arrow, CSV or lines of JSON.
//!
//! # Example
//!
//! ```
//! use werkbuch_table::{About, Decoder, Encoder, Form, Sink, machines};
//! use werkbuch_wire::pb;
//!
//! let about = About::new(machines::NAME, pb::Cut::default());
//! let mut encoder = Encoder::new(machines::COLUMNS, &about)?;
//! let machine = pb::Machine { name: "tenants/default/plants/P/machines/m1".into(), ..Default::default() };
//! encoder.push(&machines::MachineLine { plant: "P", machine: &machine, order: "", as_of: 0 })?;
//! encoder.finish()?;
//!
//! let mut decoder = Decoder::default();
//! let batches = decoder.decode(encoder.take())?;
//! let schema = decoder.schema().ok_or("no schema")?;
//! let mut sink = Sink::new(Form::Csv, schema, Vec::new())?;
//! for batch in &batches {
//!     sink.write(batch)?;
//! }
//! let text = String::from_utf8(sink.close()?)?;
//! assert!(text.starts_with("plant,machine,number,"));
//! assert!(text.contains("\nP,m1,0,"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Why
//!
//! - 2026-11-23: a crate of its own, so that columns are declared once for the server, which makes them,
//!   and for clients, which write them; and so that one crate alone knows Arrow and Parquet, which are
//!   large.
//! - 2026-11-23: what crosses the network is an Arrow IPC stream as bytes. A client in another language
//!   needs nothing of ours but the call; files are made by the client from the same bytes.
//! - 2026-11-23: times are nanoseconds, because the writer's clock advances by one at the least, and
//!   sources report a hundred of them.
//! - 2026-11-23: columns may all be null, and null is always "unknown": no zero stands for it, and no
//!   empty text.
//! - 2026-11-23: CSV and JSON are written here and not by Arrow's own crates: times as everywhere else in
//!   Werkbuch, and two large crates less.

pub mod about;
pub mod aggregates;
pub mod buckets;
mod column;
mod error;
pub mod events;
mod file;
pub mod machines;
mod rows;
pub mod said;
mod stream;
#[cfg(test)]
mod tests;
pub mod timelines;

pub use about::About;
pub use arrow_array::RecordBatch;
pub use arrow_schema::SchemaRef;
pub use column::{Cell, Column, Kind, Line};
pub use error::TableError;
pub use file::{Form, Sink};
pub use stream::{Decoder, Encoder};
