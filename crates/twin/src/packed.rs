//! Contents as bytes: numbers as varints, texts with their length before them.

use crate::coded::Coded;
use crate::symbol::Symbol;

/// Writes fields one after the other.
#[derive(Debug)]
pub(crate) struct Packer<'v>(pub(crate) &'v mut Vec<u8>);

impl Packer<'_> {
    pub(crate) fn byte(&mut self, byte: u8) {
        self.0.push(byte);
    }

    pub(crate) fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push(number.to_le_bytes()[0] | 0x80);
            number >>= 7;
        }
        self.0.push(number.to_le_bytes()[0]);
    }

    pub(crate) fn fixed(&mut self, bits: u64) {
        self.0.extend_from_slice(&bits.to_le_bytes());
    }

    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.raw(bytes);
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    /// The length is one more than it is, so that 0 says that there is none.
    pub(crate) fn text_or_none(&mut self, text: Option<&str>) {
        let Some(text) = text else {
            return self.byte(0);
        };
        self.number(text.len() as u64 + 1);
        self.raw(text.as_bytes());
    }

    pub(crate) fn number_or_none(&mut self, number: Option<u64>) {
        self.byte(u8::from(number.is_some()));
        if let Some(number) = number {
            self.number(number);
        }
    }

    pub(crate) fn float_or_none(&mut self, float: Option<f64>) {
        self.byte(u8::from(float.is_some()));
        if let Some(float) = float {
            self.fixed(float.to_bits());
        }
    }

    pub(crate) fn symbol(&mut self, symbol: Symbol) {
        self.number(u64::from(symbol.number()));
    }

    pub(crate) fn code(&mut self, value: impl Coded) {
        self.number(u64::from(value.number()));
    }
}

/// What is left to be read; each reader is absent where the bytes are not what was written.
#[derive(Debug)]
pub(crate) struct Unpacker<'a>(pub(crate) &'a [u8]);

impl<'a> Unpacker<'a> {
    pub(crate) fn byte(&mut self) -> Option<u8> {
        let (byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*byte)
    }

    #[inline]
    pub(crate) fn number(&mut self) -> Option<u64> {
        if let [byte @ 0..=0x7f, rest @ ..] = self.0 {
            self.0 = rest;
            return Some(u64::from(*byte));
        }
        match self.0.first_chunk::<8>() {
            Some(bytes) => self.number_of(u64::from_le_bytes(*bytes)),
            None => self.long_number(),
        }
    }

    /// A number that begins with these eight bytes. Where it ends among them, what is before its end is
    /// moved together at once: pairs of seven bits, then pairs of fourteen, then of twenty-eight.
    #[inline]
    fn number_of(&mut self, bytes: u64) -> Option<u64> {
        let ends = !bytes & 0x8080_8080_8080_8080;
        if ends == 0 {
            return self.long_number();
        }
        let own = bytes & (ends ^ (ends - 1));
        let sevens = own & 0x7f7f_7f7f_7f7f_7f7f;
        let pairs = sevens & 0x007f_007f_007f_007f | (sevens & 0x7f00_7f00_7f00_7f00) >> 1;
        let fours = pairs & 0x0000_3fff_0000_3fff | (pairs & 0x3fff_0000_3fff_0000) >> 2;
        let number = fours & 0x0fff_ffff | (fours & 0x0fff_ffff_0000_0000) >> 4;
        self.0 = self.0.get(ends.trailing_zeros() as usize / 8 + 1..)?;
        Some(number)
    }

    #[cold]
    fn long_number(&mut self) -> Option<u64> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    /// A number of 32 bits.
    pub(crate) fn small(&mut self) -> Option<u32> {
        u32::try_from(self.number()?).ok()
    }

    pub(crate) fn fixed(&mut self) -> Option<u64> {
        let (bits, rest) = self.0.split_first_chunk::<8>()?;
        self.0 = rest;
        Some(u64::from_le_bytes(*bits))
    }

    pub(crate) fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = self.number()?;
        self.raw(length)
    }

    pub(crate) fn text(&mut self) -> Option<&'a str> {
        str::from_utf8(self.bytes()?).ok()
    }

    pub(crate) fn text_or_none(&mut self) -> Option<Option<&'a str>> {
        let Some(length) = self.number()?.checked_sub(1) else {
            return Some(None);
        };
        str::from_utf8(self.raw(length)?).ok().map(Some)
    }

    pub(crate) fn number_or_none(&mut self) -> Option<Option<u64>> {
        match self.byte()? {
            0 => Some(None),
            _ => self.number().map(Some),
        }
    }

    pub(crate) fn float_or_none(&mut self) -> Option<Option<f64>> {
        match self.byte()? {
            0 => Some(None),
            _ => self.fixed().map(|bits| Some(f64::from_bits(bits))),
        }
    }

    pub(crate) fn symbol(&mut self) -> Option<Symbol> {
        self.small().map(Symbol::numbered)
    }

    pub(crate) fn code<T: Coded>(&mut self) -> Option<T> {
        T::of_number(self.small()?)
    }

    pub(crate) fn raw(&mut self, length: u64) -> Option<&'a [u8]> {
        let length = usize::try_from(length).ok()?;
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Whatever lies behind a number, it is read as one byte after the other says.
        #[test]
        fn numbers_are_read_back(bits in any::<u64>(), shift in 0_u32..64, behind in prop::collection::vec(any::<u8>(), 0..12)) {
            let number = bits >> shift;
            let mut bytes = Vec::new();
            Packer(&mut bytes).number(number);
            let length = bytes.len();
            bytes.extend_from_slice(&behind);
            let mut from = Unpacker(&bytes);
            prop_assert_eq!(from.number(), Some(number));
            prop_assert_eq!(from.0, behind.as_slice());
            for cut in 0..length {
                prop_assert_eq!(Unpacker(&bytes[..cut]).number(), None);
            }
        }

        #[test]
        fn any_bytes_are_the_same_number_in_both_ways(bytes in prop::collection::vec(any::<u8>(), 0..24)) {
            let (mut one, mut other) = (Unpacker(&bytes), Unpacker(&bytes));
            prop_assert_eq!(one.number(), other.long_number());
            prop_assert!(one.0 == other.0 || other.long_number().is_none());
        }
    }
}
