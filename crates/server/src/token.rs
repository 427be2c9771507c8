//! The letters of tokens: bytes in hexadecimal digits, with a check that tells one that was cut or mistyped.

use sha2::{Digest, Sha256};
use werkbuch_model::id::{LogId, PlantId};

/// The length of the check at the end.
const CHECK_BYTES: usize = 4;

/// The bytes of a token that are still to be read.
pub(crate) struct Rest<'b>(pub(crate) &'b [u8]);

/// The token of these bytes.
pub(crate) fn seal(mut bytes: Vec<u8>) -> String {
    bytes.extend(check(&bytes));
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes of a token; none when it is not whole.
pub(crate) fn open(token: &str) -> Option<Vec<u8>> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    let bytes: Option<Vec<u8>> = token
        .as_bytes()
        .chunks(2)
        .map(|pair| match pair {
            [high, low] => u8::try_from(digit(high)? << 4 | digit(low)?).ok(),
            _ => None,
        })
        .collect();
    let mut bytes = bytes?;
    let (content, end) = bytes.split_at_checked(bytes.len().checked_sub(CHECK_BYTES)?)?;
    if !check(content).eq(end.iter().copied()) {
        return None;
    }
    let length = content.len();
    bytes.truncate(length);
    Some(bytes)
}

/// The beginning of a log's number: enough to tell it from another.
pub(crate) fn short(log: LogId) -> [u8; 8] {
    let mut short = [0; 8];
    short
        .iter_mut()
        .zip(log.0)
        .for_each(|(to, from)| *to = from);
    short
}

/// Writes a number in as few bytes as it needs.
pub(crate) fn varint(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(u8::try_from(number & 0x7f).unwrap_or_default() | 0x80);
        number >>= 7;
    }
    bytes.push(u8::try_from(number).unwrap_or_default());
}

/// Writes a text behind its length.
pub(crate) fn text(bytes: &mut Vec<u8>, text: &str) {
    varint(bytes, text.len() as u64);
    bytes.extend(text.as_bytes());
}

fn check(bytes: &[u8]) -> impl Iterator<Item = u8> + use<> {
    Sha256::digest(bytes).into_iter().take(CHECK_BYTES)
}

impl<'b> Rest<'b> {
    pub(crate) fn take(&mut self, count: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    pub(crate) fn eight(&mut self) -> Option<[u8; 8]> {
        self.take(8)?.try_into().ok()
    }

    pub(crate) fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    pub(crate) fn varint(&mut self) -> Option<u64> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f).checked_shl(shift)?;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    pub(crate) fn text(&mut self) -> Option<&'b str> {
        let length = usize::try_from(self.varint()?).ok()?;
        std::str::from_utf8(self.take(length)?).ok()
    }

    pub(crate) fn plant(&mut self) -> Option<PlantId> {
        PlantId::new(self.text()?).ok()
    }
}
