//! What cannot be read or taken, gathered until it is told as a gap.

use sha2::{Digest, Sha256};
use std::borrow::Cow;
use werkbuch_model::event::{GapCause, GapDetected};

/// How many lines one gap tells of at most.
pub const GAP_LINES_MAX: u64 = 10_000;

/// Consecutive lines of which something is lost.
#[derive(Clone, Debug)]
pub(crate) struct Lost {
    pub(crate) first_line: u64,
    pub(crate) last_line: u64,
    hash: Sha256,
    /// How many observations were refused; absent when lines, or parts of them, cannot be read.
    refused: Option<u64>,
    reason: String,
}

impl Lost {
    /// Begins with one line: its number, its bytes (with terminator) and why it is lost.
    pub(crate) fn new(line: u64, bytes: &[u8], refused: Option<u64>, reason: String) -> Self {
        Self::hashed(line, Sha256::new_with_prefix(bytes), refused, reason)
    }

    /// Begins with one line whose bytes have been hashed.
    pub(crate) fn hashed(line: u64, hash: Sha256, refused: Option<u64>, reason: String) -> Self {
        Self {
            first_line: line,
            last_line: line,
            hash,
            refused,
            reason,
        }
    }

    /// Whether the next lost line may join: it follows directly and there is room.
    pub(crate) fn joins(&self, line: u64) -> bool {
        line == self.last_line + 1 && self.lines() < GAP_LINES_MAX
    }

    /// Adds the line that follows directly.
    pub(crate) fn add(&mut self, line: u64, bytes: &[u8], refused: Option<u64>) {
        self.last_line = line;
        self.hash.update(bytes);
        self.refused = self.refused.zip(refused).map(|(held, more)| held + more);
    }

    fn lines(&self) -> u64 {
        self.last_line - self.first_line + 1
    }

    /// The event that tells of it.
    pub(crate) fn event(self, file: &str) -> GapDetected<'static> {
        let what = match self.refused {
            Some(1) => "1 value refused".to_owned(),
            Some(n) => format!("{n} values refused"),
            None => format!("{} line(s) not or not wholly readable", self.lines()),
        };
        GapDetected {
            cause: GapCause::Unreadable,
            lost: self.refused,
            file: Cow::Owned(file.to_owned()),
            first_line: self.first_line,
            last_line: self.last_line,
            content_hash: Cow::Owned(self.hash.finalize().to_vec()),
            detail: Cow::Owned(format!("{what}; line {}: {}", self.first_line, self.reason)),
            ..GapDetected::default()
        }
    }
}
