//! Sources: what reads a machine or a recording and numbers what it reports.

pub mod jsonl;
pub mod mapping;
pub mod shdr;

mod gap;
mod lines;
mod name;
mod open;

pub use name::{ContentHash, content_source_name, other_mapping, source_name};
pub use open::open;

use std::path::PathBuf;

/// Why a recording cannot be read on. What a recording *says* is never a reason: that becomes a gap.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file cannot be opened or read for the first time. Check its path and your rights.
    #[error("the recording \"{}\" cannot be opened: {source}", .path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Reading failed part way. Nothing after this line was delivered: mend the cause and read the
    /// file again from its start; what was delivered before comes again with the same numbers.
    #[error("reading \"{file}\" failed after line {line}: {source}")]
    Read {
        /// The file.
        file: String,
        /// The last line that was read.
        line: u64,
        /// What the system said.
        source: std::io::Error,
    },
}
