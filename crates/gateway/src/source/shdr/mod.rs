//! Reads recordings of MTConnect adapters (SHDR) into numbered events, as a stream.
//!
//! # Lines
//!
//! `time|key|value|key|value...`; the time may carry a duration (`...Z@1.5`, ignored), a key a
//! device's prefix (`device:key`, stripped: one file is one machine, see [`Counts::devices`]).
//! A key mapped to a condition takes five fields (level, native code, native severity, qualifier,
//! text): as first key of its line it takes all that are there, up to five; behind other pairs it
//! takes five when five are left, and only its level otherwise. The number of fields decides nothing
//! else: seven fields may be three pairs. A line whose first key is an asset command (`@ASSET@`) is
//! two observations, the command and the asset, both ignored; when its last field is
//! `--multiline--TAG`, the lines up to the one that is exactly that field are the asset's body. A body
//! that does not end before the file does, or before a line that begins with a time and a
//! separator (an asset's XML has no such line, a recording cut inside a body has), is a gap. Blank
//! lines, and adapter commands such as `* PONG` or `*adapterVersion:2`, are lines without an observation.
//!
//! What cannot be read becomes a [`GapDetected`](werkbuch_model::event::GapDetected) with the
//! SHA-256 of whole lines, terminators included, so that `sed -n 'FIRST,LASTp' | sha256sum` shows the
//! same. Consecutive unreadable lines are one gap, consecutive lines with refused values are one
//! gap, of at most 10,000 lines each. After a gap the table of previous values is empty, so that every
//! key is affirmed anew.
//!
//! # Sessions
//!
//! A recorder that starts anew writes a snapshot of old values again, as NIST's day files do; an old
//! time there is no clock fault. So the opening of a session is kept: its lines from the first one to
//! where a key comes for the second time (or a line lies more than the tolerance behind the
//! opening's highest time). A line that repeats a line of the opening exactly, time included, and
//! is earlier than the line before it, begins a new session. A new session forgets the highest accepted
//! time, not the previous values: what the snapshot repeats is unchanged.
//!
//! # Time
//!
//! `observed_at` is `occurred_at`, unless the line lies more than 24 hours behind the highest accepted
//! time of its session, or that far ahead of all of the next 64 lines with a time of its session: then
//! it is that highest accepted time (at a session's start, where there is none, the least time of those
//! 64 lines), and what the line says is suspect. A line that nothing follows is not ahead, but a time
//! before 1980 or from 2100 on is that of a clock that was never set, wherever it stands.

mod batch;
mod body;
mod clock;
mod counts;
mod intake;
mod parse;
mod reader;
mod session;
mod translate;
mod values;

pub use super::gap::GAP_LINES_MAX;
pub use super::lines::LINE_BYTES_MAX;
pub use super::{ReadError, open};
pub use body::{BodyError, SampleBody, SampleValue, decode_body, seal_body};
pub use counts::Counts;
pub use reader::{Emit, ShdrReader, What};

/// How far a time may lie from its neighbours: 24 hours, the tolerance of imports.
pub const TOLERANCE_NS: i64 = 24 * 3600 * werkbuch_model::time::SECOND_NS;
/// The times that a recording's clock may say: from 1980-01-01 on, before 2100-01-01. Outside of them
/// it was never set, or is broken.
pub const PLAUSIBLE: std::ops::Range<werkbuch_model::time::Timestamp> =
    werkbuch_model::time::Timestamp(315_532_800 * werkbuch_model::time::SECOND_NS)
        ..werkbuch_model::time::Timestamp(4_102_444_800 * werkbuch_model::time::SECOND_NS);
/// How many of the lines that follow are asked whether a line lies ahead of them all.
pub const LOOK_AHEAD_LINES: usize = 64;
