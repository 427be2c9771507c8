//! The body of a block: decompressed, split into events and checked against its header.

use super::{BlockError, BlockHeader, Codec, RAW_BODY_BYTES_MAX, dense};

/// The events of one block as stored bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockBody {
    raw: Vec<u8>,
    /// Where each event begins and ends in `raw`.
    spans: Vec<(u32, u32)>,
}

/// Reads the body that belongs to `header` from the beginning of `stored`, which may go on behind
/// it.
///
/// # Errors
///
/// [`BlockError::Short`] when the bytes end inside the body; [`BlockError::BodyChecksum`],
/// [`BlockError::Compression`], [`BlockError::Events`] and [`BlockError::Field`] when they are not
/// the body that the header describes. No bytes make it panic, and none make it take more memory
/// than [`RAW_BODY_BYTES_MAX`](super::RAW_BODY_BYTES_MAX) for the events.
pub fn decode_body(header: &BlockHeader, stored: &[u8]) -> Result<BlockBody, BlockError> {
    let needed = usize::try_from(header.stored_body_bytes).unwrap_or(usize::MAX);
    let stored = stored.get(..needed).ok_or(BlockError::Short {
        needed,
        found: stored.len(),
    })?;
    if crc32c::crc32c(stored) != header.body_crc {
        return Err(BlockError::BodyChecksum);
    }
    let raw_bytes = usize::try_from(header.raw_body_bytes).unwrap_or(usize::MAX);
    if raw_bytes > RAW_BODY_BYTES_MAX {
        return Err(BlockError::Field {
            field: "raw body length",
        });
    }
    let raw = match header.codec {
        Codec::Raw => stored.to_vec(),
        Codec::Lz4 => decompress(stored, raw_bytes)?,
        Codec::Dense => {
            dense::unpack(stored, header.count, raw_bytes).ok_or(BlockError::Compression)?
        }
    };
    let spans = split(&raw, header.count).ok_or(BlockError::Events {
        count: header.count,
    })?;
    Ok(BlockBody { raw, spans })
}

impl BlockBody {
    /// How many events there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// Whether there are no events.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// The stored bytes of the event with this index from 0, if there is one.
    #[must_use]
    pub fn event(&self, index: usize) -> Option<&[u8]> {
        self.spans.get(index).map(|span| self.slice(*span))
    }

    /// The stored bytes of all events in the order of their positions.
    pub fn events(&self) -> impl ExactSizeIterator<Item = &[u8]> + DoubleEndedIterator + Clone {
        self.spans.iter().map(|span| self.slice(*span))
    }

    /// The events as they lie in the body before compression: each behind its length.
    pub(super) fn raw(&self) -> &[u8] {
        &self.raw
    }

    fn slice(&self, (start, end): (u32, u32)) -> &[u8] {
        // The spans were cut out of `raw` when the body was read, so the default is never used.
        self.raw
            .get(start as usize..end as usize)
            .unwrap_or_default()
    }
}

fn decompress(stored: &[u8], raw_bytes: usize) -> Result<Vec<u8>, BlockError> {
    let mut raw = vec![0; raw_bytes];
    match lz4_flex::block::decompress_into(stored, &mut raw) {
        Ok(written) if written == raw_bytes => Ok(raw),
        _ => Err(BlockError::Compression),
    }
}

/// Finds `count` events that fill `raw` to the last byte.
fn split(raw: &[u8], count: u32) -> Option<Vec<(u32, u32)>> {
    let mut spans = Vec::with_capacity((count as usize).min(raw.len()));
    let mut at = 0_usize;
    for _ in 0..count {
        let (length, width) = varint(raw.get(at..)?)?;
        let start = at.checked_add(width)?;
        let end = start.checked_add(length as usize)?;
        raw.get(start..end)?;
        spans.push((u32::try_from(start).ok()?, u32::try_from(end).ok()?));
        at = end;
    }
    (at == raw.len()).then_some(spans)
}

/// Reads a LEB128 number and says how many bytes it took; the shortest form only, so that the same
/// events have one body.
fn varint(bytes: &[u8]) -> Option<(u32, usize)> {
    let mut value = 0_u64;
    for (at, byte) in bytes.iter().take(5).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            let shortest = at == 0 || *byte != 0;
            return u32::try_from(value)
                .ok()
                .filter(|_| shortest)
                .map(|value| (value, at + 1));
        }
    }
    None
}
