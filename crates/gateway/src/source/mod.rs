//! Sources: what reads a machine or a recording and numbers what it reports.

pub mod mapping;
pub mod shdr;

mod name;

pub use name::{ContentHash, other_mapping, source_name};
