//! Joins blocks of the hot log into the denser blocks of a sealed one.

use super::{
    BLOCK_BYTES_MAX, BlockBody, BlockHeader, Codec, RAW_BODY_BYTES_MAX, SealedBlock, dense,
};

/// One block with the events of all `blocks`, byte for byte, in the dense form; where events do not
/// allow that, compressed as a hot block is. Its runs are not in it.
///
/// Nothing where they make no block: there are none, they do not follow each other in one log and
/// writer epoch, they are a clean-close mark, or together too long. Fewer blocks may do then; one
/// block of the hot log alone always does.
#[must_use]
pub fn join(blocks: &[(BlockHeader, BlockBody)]) -> Option<SealedBlock> {
    let (first, _) = blocks.first()?;
    let mut header = BlockHeader {
        count: 0,
        runs: Vec::new(),
        group_index: 0,
        group_blocks: 1,
        ..first.clone()
    };
    let mut raw = Vec::new();
    for (next, body) in blocks {
        let follows = next.log_id == header.log_id
            && next.plant == header.plant
            && next.epoch == header.epoch
            && next.first == header.last().next()
            && !next.clean_close;
        if !follows {
            return None;
        }
        raw.extend_from_slice(body.raw());
        header.count = header.count.checked_add(next.count)?;
        header.generation = next.generation;
        header.group = next.group;
        header.recorded_max = header.recorded_max.max(next.recorded_max);
        header.recorded_min = header.recorded_min.min(next.recorded_min);
        header.effective_max = header.effective_max.max(next.effective_max);
        header.effective_min = header.effective_min.min(next.effective_min);
    }
    if raw.len() > RAW_BODY_BYTES_MAX {
        return None;
    }
    header.raw_body_bytes = u32::try_from(raw.len()).ok()?;
    let (codec, body) = match dense::pack(&raw, header.count) {
        Some(body) => (Codec::Dense, body),
        None => (Codec::Lz4, lz4_flex::block::compress(&raw)),
    };
    let (codec, body) = if body.len() < raw.len() {
        (codec, body)
    } else {
        (Codec::Raw, raw)
    };
    header.codec = codec;
    header.stored_body_bytes = u32::try_from(body.len()).ok()?;
    header.body_crc = crc32c::crc32c(&body);
    let sealed = SealedBlock { header, body };
    (sealed.encoded_bytes() <= BLOCK_BYTES_MAX).then_some(sealed)
}
