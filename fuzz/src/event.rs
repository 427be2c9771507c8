//! Any bytes are an event or an error; what is taken has one canonical form, which the generated
//! messages read alike.

use werkbuch_record::{
    DecodeError, decode_recorded, decode_reported, encode_recorded, encode_reported, peek_machine,
    peek_sequence, reported_part,
};

/// The first byte says whether the rest is an event as recorded or as reported.
pub fn body(data: &[u8]) -> bool {
    let Some((mode, bytes)) = data.split_first() else {
        return false;
    };
    let _ = peek_sequence(bytes);
    let machine = peek_machine(bytes);
    if mode & 1 == 0 {
        let Ok(event) = decode_reported(bytes) else {
            return false;
        };
        let _ = event.validate();
        return canonical(&event, encode_reported, decode_reported, bytes);
    }
    let Ok(event) = decode_recorded(bytes) else {
        return false;
    };
    assert!(
        reported_part(bytes).is_ok(),
        "a recorded event without the reported one"
    );
    let canonical_bytes = encode_recorded(&event);
    assert_eq!(peek_machine(&canonical_bytes), event.reported.machine);
    if canonical_bytes == bytes {
        assert_eq!(machine, event.reported.machine);
    }
    canonical(&event, encode_recorded, decode_recorded, bytes)
}

/// Encodes what was decoded: the bytes lead to the same event and from there to themselves.
fn canonical<'a, E>(
    event: &E,
    encode: impl Fn(&E) -> Vec<u8>,
    decode: impl Fn(&'a [u8]) -> Result<E, DecodeError>,
    given: &'a [u8],
) -> bool
where
    E: PartialEq + std::fmt::Debug,
{
    let once = encode(event);
    // Floats may be NaN, which equals nothing; bytes tell.
    let again = decode(given).map(|event| encode(&event));
    assert_eq!(again.as_ref(), Ok(&once), "decoding twice differs");
    check_canonical(&once);
    true
}

/// What is canonical is its own encoding, as the kind of event that it is.
fn check_canonical(once: &[u8]) {
    let recorded = decode_recorded(once).map(|event| encode_recorded(&event));
    let reported = decode_reported(once).map(|event| encode_reported(&event));
    let same = |bytes: Result<Vec<u8>, _>| bytes.is_ok_and(|bytes| bytes == once);
    assert!(
        same(recorded) || same(reported),
        "canonical bytes are not their own encoding"
    );
}
