//! Any bytes are a block or an error; what is taken is written again as it stood.

use super::mend;
use werkbuch_record::block::{BlockHeader, RAW_BODY_BYTES_MAX, decode_body};
use werkbuch_record::{decode_recorded, peek_machine, peek_sequence, reported_part};

/// The first byte says whether the checksums are mended; the rest is the block.
pub fn body(data: &[u8]) -> bool {
    let Some((mode, bytes)) = data.split_first() else {
        return false;
    };
    let mut bytes = bytes.to_vec();
    if mode & 1 == 1 {
        mend::block(&mut bytes);
    }
    let Ok((header, length)) = BlockHeader::decode(&bytes) else {
        return false;
    };
    let mut again = Vec::new();
    header.encode(&mut again);
    assert_eq!(
        again,
        bytes[..length],
        "a header is not written as it was read"
    );
    assert_eq!(header.encoded_bytes(), length);
    assert!(header.last().get() >= header.first.get() - 1);
    let Ok(body) = decode_body(&header, &bytes[length..]) else {
        return false;
    };
    assert_eq!(body.len(), header.count as usize);
    let events: usize = body.events().map(<[u8]>::len).sum();
    assert!(events <= RAW_BODY_BYTES_MAX);
    for event in body.events() {
        let _ = decode_recorded(event);
        let _ = reported_part(event);
        let _ = peek_machine(event);
        let _ = peek_sequence(event);
    }
    true
}
