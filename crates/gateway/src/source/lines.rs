//! Cuts a stream of bytes into lines of bounded length.

use sha2::{Digest, Sha256};
use std::io::{self, BufRead};

/// The greatest length of a line in bytes, its terminator included; a longer one is unreadable.
pub const LINE_BYTES_MAX: usize = 1024 * 1024;

/// The bytes of one line, or of what is left of one.
pub(crate) struct Raw {
    pub(crate) bytes: Vec<u8>,
    /// The hash of all of a line that is too long to be kept.
    pub(crate) too_long: Option<Sha256>,
    /// What the decoder said when the compressed data are damaged or end early.
    pub(crate) damage: Option<String>,
}

/// Reads lines.
pub(crate) struct Lines<R> {
    reader: R,
    /// How many bytes have been read.
    pub(crate) bytes: u64,
}

/// Whether a reading error says that the content is damaged, and not that reading failed.
pub(crate) fn is_damage(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
    matches!(error.kind(), InvalidData | InvalidInput | UnexpectedEof)
}

impl<R: BufRead> Lines<R> {
    pub(crate) fn new(reader: R) -> Self {
        Self { reader, bytes: 0 }
    }

    /// The next line with its terminator, none at the end. Errors: reading failed.
    pub(crate) fn next(&mut self) -> io::Result<Option<Raw>> {
        let mut raw = Raw {
            bytes: Vec::new(),
            too_long: None,
            damage: None,
        };
        loop {
            let chunk = match self.reader.fill_buf() {
                Ok(chunk) => chunk,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) if is_damage(&error) => {
                    raw.damage = Some(error.to_string());
                    return Ok(Some(raw));
                }
                Err(error) => return Err(error),
            };
            let newline = chunk.iter().position(|byte| *byte == b'\n');
            let part = chunk
                .get(..newline.map_or(chunk.len(), |at| at + 1))
                .unwrap_or_default();
            let taken = part.len();
            match &mut raw.too_long {
                Some(hash) => hash.update(part),
                None if raw.bytes.len() + taken > LINE_BYTES_MAX => {
                    let hash = Sha256::new_with_prefix(std::mem::take(&mut raw.bytes));
                    raw.too_long = Some(hash.chain_update(part));
                }
                None => raw.bytes.extend_from_slice(part),
            }
            self.reader.consume(taken);
            self.bytes += taken as u64;
            if newline.is_some() {
                return Ok(Some(raw));
            }
            if taken == 0 {
                let something = !raw.bytes.is_empty() || raw.too_long.is_some();
                return Ok(something.then_some(raw));
            }
        }
    }
}
