//! The body of a batch of samples: its single values in one canonical encoding.
//!
//! ```text
//! body   = version item-count item* value-count value*
//! version = 01
//! item   = length name               in the order of the names, each once
//! value  = time index [number]       in the order of the recording
//! time   = nanoseconds since the start of the batch's period
//! index  = 2 * place of the item, plus 1 when the value is unavailable (then no number follows)
//! number = 8 bytes, IEEE 754 binary64, least significant byte first
//! ```
//!
//! Counts, lengths, times and indices are unsigned LEB128 in as few bytes as they need.

use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::collections::BTreeMap;
use werkbuch_model::event::SampleReported;

const VERSION: u8 = 1;

/// One value of a batch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SampleValue {
    /// Nanoseconds since the start of the batch's period.
    pub time_ns: u64,
    /// The place of its item in [`SampleBody::items`].
    pub item: usize,
    /// The value; absent when it was unavailable.
    pub value: Option<f64>,
}

/// The single values of a batch.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SampleBody {
    /// The items' names in order.
    pub items: Vec<String>,
    /// The values in the order of the recording.
    pub values: Vec<SampleValue>,
}

/// Why bytes are not the body of a batch. Compare their SHA-256 with the event's `body_hash`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// The bytes are of another version. Read them with the release that wrote them, or a later one.
    #[error("the body is of version {0}, this release reads version 1")]
    Version(u8),
    /// The bytes do not follow the encoding: they are damaged.
    #[error("the body is damaged at byte {0}")]
    Damaged(usize),
}

/// Encodes the single values of a batch, and notes the hash and the length of this body in its event.
/// The places that values name are those of the batch's items.
pub fn seal_body(batch: &mut SampleReported<'_>, values: &[SampleValue]) -> Vec<u8> {
    let names: Vec<&str> = batch.items.iter().map(|item| &*item.item).collect();
    let body = encode(&names, values);
    batch.body_hash = Cow::Owned(Sha256::digest(&body).to_vec());
    batch.body_bytes = body.len() as u64;
    body
}

/// Encodes values whose items are places in `names`, which need not be in order.
pub(super) fn encode(names: &[&str], values: &[SampleValue]) -> Vec<u8> {
    let sorted: BTreeMap<&str, usize> = names.iter().enumerate().map(|(at, n)| (*n, at)).collect();
    let mut place = vec![0; names.len()];
    let mut bytes = vec![VERSION];
    varint(&mut bytes, sorted.len() as u64);
    for (new, (name, old)) in sorted.into_iter().enumerate() {
        varint(&mut bytes, name.len() as u64);
        bytes.extend_from_slice(name.as_bytes());
        if let Some(slot) = place.get_mut(old) {
            *slot = new as u64;
        }
    }
    varint(&mut bytes, values.len() as u64);
    for value in values {
        varint(&mut bytes, value.time_ns);
        let place = place.get(value.item).copied().unwrap_or_default();
        varint(&mut bytes, 2 * place + u64::from(value.value.is_none()));
        if let Some(number) = value.value {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
    }
    bytes
}

/// Reads the body of a batch.
///
/// # Errors
///
/// [`BodyError`] when the bytes are of another version or damaged; any bytes may be given.
pub fn decode_body(bytes: &[u8]) -> Result<SampleBody, BodyError> {
    let (version, mut rest) = match bytes.split_first() {
        Some((version, rest)) => (*version, rest),
        None => return Err(BodyError::Damaged(0)),
    };
    if version != VERSION {
        return Err(BodyError::Version(version));
    }
    let body = read(&mut rest).filter(|_| rest.is_empty());
    body.ok_or(BodyError::Damaged(bytes.len() - rest.len()))
}

fn read(rest: &mut &[u8]) -> Option<SampleBody> {
    let mut body = SampleBody::default();
    for _ in 0..read_varint(rest)? {
        let length = usize::try_from(read_varint(rest)?).ok()?;
        let name = std::str::from_utf8(take(rest, length)?).ok()?.to_owned();
        if body.items.last().is_some_and(|last| *last >= name) {
            return None;
        }
        body.items.push(name);
    }
    for _ in 0..read_varint(rest)? {
        let time_ns = read_varint(rest)?;
        let index = read_varint(rest)?;
        let item = usize::try_from(index / 2)
            .ok()
            .filter(|item| *item < body.items.len())?;
        let value = match index % 2 {
            0 => Some(f64::from_le_bytes(take(rest, 8)?.try_into().ok()?)),
            _ => None,
        };
        body.values.push(SampleValue {
            time_ns,
            item,
            value,
        });
    }
    Some(body)
}

fn take<'b>(rest: &mut &'b [u8], length: usize) -> Option<&'b [u8]> {
    let (taken, left) = rest.split_at_checked(length)?;
    *rest = left;
    Some(taken)
}

fn varint(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn read_varint(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0u64;
    for shift in (0..64).step_by(7) {
        let byte = *take(rest, 1)?.first()?;
        let bits = u64::from(byte & 0x7f);
        let fits = shift < 63 || bits <= 1;
        // A last byte of zero could have been left out: not canonical.
        if !fits || (byte == 0 && shift > 0) {
            return None;
        }
        number |= bits << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use proptest::prelude::*;
    use werkbuch_model::event::SampleItem;

    #[test]
    fn the_bytes_are_fixed() {
        let values = [(0, 0, Some(1.0)), (300, 1, None)];
        let values = values.map(|(time_ns, item, value)| SampleValue {
            time_ns,
            item,
            value,
        });
        let bytes = encode(&["b", "a"], &values);
        assert_eq!(
            bytes,
            [
                1, 2, 1, b'a', 1, b'b', 2, 0, 2, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0xac, 0x02, 1
            ]
        );
        assert_eq!(decode_body(&[]), Err(BodyError::Damaged(0)));
        assert_eq!(decode_body(&[9]), Err(BodyError::Version(9)));
        assert!(decode_body(bytes.get(..bytes.len() - 1).unwrap()).is_err());
    }

    #[test]
    fn a_sealed_batch_names_its_body() {
        let item = |name: &'static str| SampleItem {
            item: Cow::Borrowed(name),
            ..SampleItem::default()
        };
        let mut batch = SampleReported {
            items: vec![item("force"), item("current")],
            ..SampleReported::default()
        };
        let value = SampleValue {
            time_ns: 7,
            item: 0,
            value: Some(2.5),
        };
        let body = seal_body(&mut batch, &[value]);
        assert_eq!(batch.body_bytes, body.len() as u64);
        assert_eq!(*batch.body_hash, *Sha256::digest(&body));
        let read = decode_body(&body).unwrap();
        assert_eq!(read.items, ["current", "force"]);
        assert_eq!(read.values, [SampleValue { item: 1, ..value }]);
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_read_back(
            items in proptest::collection::btree_set("[a-z]{1,9}", 1..9),
            raw in proptest::collection::vec((any::<u64>(), any::<usize>(), proptest::option::of(-1e9..1e9f64)), 0..50),
        ) {
            let items: Vec<String> = items.into_iter().collect();
            let values: Vec<SampleValue> = raw
                .into_iter()
                .map(|(time_ns, at, value)| SampleValue { time_ns, item: at % items.len(), value })
                .collect();
            let names: Vec<&str> = items.iter().map(String::as_str).collect();
            let bytes = encode(&names, &values);
            prop_assert_eq!(decode_body(&bytes), Ok(SampleBody { items, values }));
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            if let Ok(body) = decode_body(&bytes) {
                let names: Vec<&str> = body.items.iter().map(String::as_str).collect();
                prop_assert_eq!(encode(&names, &body.values), bytes);
            }
        }
    }
}
