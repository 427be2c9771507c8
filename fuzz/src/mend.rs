//! Makes the checksums of mutated bytes right again, so that what lies behind them is reached.

use sha2::{Digest, Sha256};

/// Length of the fields of a block's header before the plant's name, with the header's checksum.
const BLOCK_HEADER_LEAST: usize = 157;

/// Mends a block that begins at the first byte.
pub fn block(bytes: &mut [u8]) {
    if !bytes.starts_with(b"WBLK") {
        return;
    }
    let (Some(header), Some(stored)) = (number(bytes, 8), number(bytes, 12)) else {
        return;
    };
    if let Some(body) = bytes.get(header..header.saturating_add(stored)) {
        let crc = crc32c::crc32c(body);
        put(bytes, 144, &crc.to_le_bytes());
    }
    if header >= BLOCK_HEADER_LEAST {
        crc(bytes, 0, header - 4);
    }
}

/// Mends a write-ahead file: its header, its blocks and its voids.
pub fn write_ahead(bytes: &mut [u8]) {
    crc(bytes, 0, 60);
    for at in (64..bytes.len()).step_by(8) {
        let piece = bytes.get_mut(at..).unwrap_or_default();
        if piece.starts_with(b"WVOI") {
            crc(piece, 0, 36);
        }
        block(piece);
    }
}

/// Mends a segment: its header, its blocks, its tables, its summary and its footer.
pub fn segment(bytes: &mut [u8]) {
    crc(bytes, 0, 60);
    for at in 64..bytes.len() {
        block(bytes.get_mut(at..).unwrap_or_default());
    }
    let Some(footer) = bytes.len().checked_sub(24) else {
        return;
    };
    let (Some(offset), Some(length)) = (number(bytes, footer), number(bytes, footer + 8)) else {
        return;
    };
    tables(bytes, offset);
    if let Some(summary) = bytes.get(offset..offset.saturating_add(length)) {
        let crc = crc32c::crc32c(summary);
        put(bytes, footer + 12, &crc.to_le_bytes());
    }
    crc(bytes, footer, 20);
}

/// Mends a catalogue.
pub fn catalogue(bytes: &mut [u8]) {
    let end = bytes.len().saturating_sub(4);
    crc(bytes, 0, end);
}

/// Mends a snapshot of a plant, and that of its twin within.
pub fn snapshot(bytes: &mut [u8]) {
    const REST: usize = 44;
    const IMAGE: usize = 52;
    // The length of the image is big-endian; its upper half is 0.
    let length = bytes.get(48..52).and_then(|four| four.try_into().ok());
    let length = length.map(u32::from_be_bytes).unwrap_or_default() as usize;
    if let Some(twin) = bytes.get_mut(IMAGE.saturating_add(length)..) {
        self::twin(twin);
    }
    let Some(rest) = bytes.get(REST..) else {
        return;
    };
    let hash = Sha256::digest(rest);
    put(bytes, 12, &hash);
}

/// Mends the snapshot of a twin: the length of its content and its hash.
fn twin(bytes: &mut [u8]) {
    let Some(content) = bytes.get(56..) else {
        return;
    };
    let length = (content.len() as u64).to_be_bytes();
    put(bytes, 16, &length);
    let (header, content) = bytes.split_at(56);
    let hash = Sha256::new()
        .chain_update(&header[..24])
        .chain_update(content)
        .finalize();
    put(bytes, 24, &hash);
}

/// Mends the checksums of the tables that a segment's summary names.
fn tables(bytes: &mut [u8], summary: usize) {
    let Some(name) = bytes.get(summary) else {
        return;
    };
    // Name, log id, five numbers and a time, then the peaks.
    let peaks = summary.saturating_add(1 + usize::from(*name) + 16 + 48);
    let Some(count) = number(bytes, peaks) else {
        return;
    };
    let machines = peaks
        .saturating_add(4)
        .saturating_add(count.saturating_mul(32));
    table(bytes, machines);
    let blocks = machines.saturating_add(16);
    let Some(count) = number(bytes, blocks) else {
        return;
    };
    let pages = blocks
        .saturating_add(4)
        .saturating_add(count.saturating_mul(60));
    let count = number(bytes, pages).unwrap_or_default().min(bytes.len());
    for page in 0..count {
        table(bytes, pages.saturating_add(4 + page * 40 + 20));
    }
}

/// Mends the checksum of a table whose offset, length and checksum stand at `at`.
fn table(bytes: &mut [u8], at: usize) {
    let (Some(offset), Some(length)) = (number(bytes, at), number(bytes, at.saturating_add(8)))
    else {
        return;
    };
    if let Some(content) = bytes.get(offset..offset.saturating_add(length)) {
        let crc = crc32c::crc32c(content);
        put(bytes, at + 12, &crc.to_le_bytes());
    }
}

/// Writes the CRC-32C of `length` bytes from `start` behind them.
fn crc(bytes: &mut [u8], start: usize, length: usize) {
    if let Some(content) = bytes.get(start..start.saturating_add(length)) {
        let crc = crc32c::crc32c(content);
        put(bytes, start + length, &crc.to_le_bytes());
    }
}

fn put(bytes: &mut [u8], at: usize, what: &[u8]) {
    if let Some(place) = bytes.get_mut(at..at.saturating_add(what.len())) {
        place.copy_from_slice(what);
    }
}

/// The little-endian number of four bytes at a place.
fn number(bytes: &[u8], at: usize) -> Option<usize> {
    let four = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes(four.try_into().ok()?) as usize)
}
