//! The bodies of the fuzz targets: what must hold whatever the bytes are.
//!
//! Each body takes any bytes and answers whether they were taken for what they pretend to be. It
//! panics where a law is broken. `cargo fuzz` runs them, and `fuzz/plain` runs the same functions on
//! stable over seeded mutations of valid examples.
//!
//! Where checksums guard the bytes, the first byte of an input says whether they are mended before the
//! bytes are read: a fuzzer finds no CRC by chance, and what lies behind one must be safe as well.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
// One source is a library for `cargo fuzz` and a module of the plain tests.
#![allow(unreachable_pub)]

pub mod block;
pub mod book;
pub mod event;
pub mod filter;
pub mod mend;
pub mod plant_file;
pub mod recovery;
pub mod shdr;
pub mod snapshot;

/// The body of a target.
pub type Target = fn(&[u8]) -> bool;

/// All targets by their names.
pub const TARGETS: [(&str, Target); 7] = [
    ("block", block::body),
    ("event", event::body),
    ("filter", filter::body),
    ("plant_file", plant_file::body),
    ("recovery", recovery::body),
    ("shdr", shdr::body),
    ("snapshot", snapshot::body),
];
