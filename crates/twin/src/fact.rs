//! Contents that are kept as packed fields: one form for all kinds, in the least space.

use crate::digest::Canon;
use werkbuch_model::event::{Aspect, AspectKind, Body, FieldSink, FieldSource, Kind, Protected};

/// Packs what a body says about one of its aspects; nothing for a kind that is not made of fields.
pub(crate) fn pack(body: &Body<'_>, aspect: &Aspect<'_>) -> Option<Box<[u8]>> {
    let mut out = Packed(Vec::with_capacity(64));
    out.number(u64::from(body.kind().code()));
    let packed = match without_list(body, aspect) {
        Some(short) => short.give_fields(&mut out),
        None => body.give_fields(&mut out),
    };
    packed.then(|| out.0.into_boxed_slice())
}

/// The content that was packed. Absent for bytes that [`pack`] did not write.
pub(crate) fn unpack(bytes: &[u8]) -> Option<Body<'_>> {
    let mut from = Unpacked(bytes);
    let kind = Kind::from_code(u32::try_from(from.number()?).ok()?)?;
    let body = Body::take_fields(kind, &mut from)?;
    from.0.is_empty().then_some(body)
}

/// Writes a packed content for the digest.
pub(crate) fn encode(bytes: &[u8], out: &mut Canon) {
    if let Some(body) = unpack(bytes) {
        out.u32(body.kind().code());
        body.give_fields(&mut Digested(out));
    }
}

/// A content that names many parts sets the place of each: the others' names are of no use there.
fn without_list<'b>(body: &Body<'b>, aspect: &Aspect<'_>) -> Option<Body<'b>> {
    if aspect.kind != AspectKind::PartPlace {
        return None;
    }
    let mut short = body.clone();
    match &mut short {
        Body::PartsJoined(said) if said.part != aspect.item => said.parts = Vec::new(),
        Body::PartSplit(said) if said.part != aspect.item => said.into = Vec::new(),
        Body::TransportStarted(said) => said.parts = Vec::new(),
        _ => return None,
    }
    Some(short)
}

/// Fields one after the other: numbers as varints, texts with their length before them.
struct Packed(Vec<u8>);

impl FieldSink for Packed {
    fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push(number.to_le_bytes()[0] | 0x80);
            number >>= 7;
        }
        self.0.push(number.to_le_bytes()[0]);
    }

    fn fixed(&mut self, bits: u64) {
        self.0.extend_from_slice(&bits.to_le_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    /// A text in plain is not kept: the writer protects it before. That there is one is.
    fn person(&mut self, person: &Protected<'_>) {
        self.number(u64::from(!person.is_empty()));
        if !person.is_empty() {
            self.number(person.key);
            self.bytes(&person.ciphertext);
        }
    }
}

/// What is left to be taken of packed fields.
struct Unpacked<'a>(&'a [u8]);

impl<'a> FieldSource<'a> for Unpacked<'a> {
    fn number(&mut self) -> Option<u64> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            number |= u64::from(byte & 0x7f) << shift;
            if *byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    fn fixed(&mut self) -> Option<u64> {
        let (bits, rest) = self.0.split_first_chunk::<8>()?;
        self.0 = rest;
        Some(u64::from_le_bytes(*bits))
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }

    fn person(&mut self) -> Option<Protected<'a>> {
        if self.number()? == 0 {
            return Some(Protected::default());
        }
        Some(Protected {
            plain: "".into(),
            key: self.number()?,
            ciphertext: self.bytes()?.into(),
        })
    }
}

/// Fields as the digest takes them: of what is about people only that there is something.
struct Digested<'c>(&'c mut Canon);

impl FieldSink for Digested<'_> {
    fn number(&mut self, number: u64) {
        self.0.u64(number);
    }

    fn fixed(&mut self, bits: u64) {
        self.0.u64(bits);
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.0.bytes(bytes);
    }

    fn person(&mut self, person: &Protected<'_>) {
        self.0.flag(!person.is_empty());
    }
}
