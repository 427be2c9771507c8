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

    pub(crate) fn number(&mut self) -> Option<u64> {
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
