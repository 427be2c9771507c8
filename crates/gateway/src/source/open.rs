//! Opens a file of lines, compressed or not, and hashes its content.

use super::lines::is_damage;
use super::{ContentHash, ReadError};
use flate2::bufread::MultiGzDecoder;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

const BUFFER_BYTES: usize = 64 * 1024;

/// Opens a recording for reading from its start, after one pass for the SHA-256 of its content.
///
/// A file is taken as gzip (of one or several members) by its first two bytes. The hash is of the
/// decompressed content; where the compressed data are damaged or end early, of what comes before
/// that, which is also what the reader delivers before it tells the gap.
///
/// # Errors
///
/// [`ReadError::Open`] when the file cannot be opened or read. Damaged content is no error.
pub fn open(path: &Path) -> Result<(Box<dyn BufRead + Send>, ContentHash), ReadError> {
    let failed = |source| ReadError::Open {
        path: path.to_owned(),
        source,
    };
    let hash = stream(path).and_then(hash_of).map_err(failed)?;
    Ok((stream(path).map_err(failed)?, hash))
}

fn stream(path: &Path) -> io::Result<Box<dyn BufRead + Send>> {
    let mut plain = BufReader::with_capacity(BUFFER_BYTES, File::open(path)?);
    if plain.fill_buf()?.starts_with(&[0x1f, 0x8b]) {
        let decoder = MultiGzDecoder::new(plain);
        return Ok(Box::new(BufReader::with_capacity(BUFFER_BYTES, decoder)));
    }
    Ok(Box::new(plain))
}

fn hash_of(mut reader: Box<dyn BufRead + Send>) -> io::Result<ContentHash> {
    let mut hash = Sha256::new();
    loop {
        let taken = match reader.fill_buf() {
            Ok([]) => break,
            Ok(chunk) => {
                hash.update(chunk);
                chunk.len()
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => 0,
            Err(error) if is_damage(&error) => break,
            Err(error) => return Err(error),
        };
        reader.consume(taken);
    }
    Ok(ContentHash(hash.finalize().into()))
}
