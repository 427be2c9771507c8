//! Contents that are kept as packed fields: one form for all kinds, in the least space.

use crate::digest::Canon;
use crate::packed::{Packer, Unpacker};
use werkbuch_model::event::{Aspect, AspectKind, Body, FieldSink, FieldSource, Kind, Protected};

/// Packs what a body says about one of its aspects. False for a kind that is not made of fields; what
/// is behind the bytes that were there before means nothing then.
pub(crate) fn pack_to(body: &Body<'_>, aspect: &Aspect<'_>, out: &mut Vec<u8>) -> bool {
    let mut out = Packer(out);
    out.number(u64::from(body.kind().code()));
    match without_list(body, aspect) {
        Some(short) => short.give_fields(&mut out),
        None => body.give_fields(&mut out),
    }
}

/// The same in bytes of its own.
pub(crate) fn pack(body: &Body<'_>, aspect: &Aspect<'_>) -> Option<Box<[u8]>> {
    let mut out = Vec::with_capacity(64);
    pack_to(body, aspect, &mut out).then(|| out.into_boxed_slice())
}

/// The content that was packed; bytes that come after it are not looked at. Absent for bytes that
/// [`pack`] did not write.
pub(crate) fn unpack(bytes: &[u8]) -> Option<Body<'_>> {
    let mut from = Unpacker(bytes);
    let kind = Kind::from_code(from.small()?)?;
    Body::take_fields(kind, &mut from)
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

impl FieldSink for Packer<'_> {
    fn number(&mut self, number: u64) {
        Packer::number(self, number);
    }

    fn fixed(&mut self, bits: u64) {
        Packer::fixed(self, bits);
    }

    fn bytes(&mut self, bytes: &[u8]) {
        Packer::bytes(self, bytes);
    }

    /// A text in plain is not kept: the writer protects it before. That there is one is.
    fn person(&mut self, person: &Protected<'_>) {
        self.byte(u8::from(!person.is_empty()));
        if !person.is_empty() {
            Packer::number(self, person.key);
            Packer::bytes(self, &person.ciphertext);
        }
    }
}

impl<'a> FieldSource<'a> for Unpacker<'a> {
    fn number(&mut self) -> Option<u64> {
        Unpacker::number(self)
    }

    fn fixed(&mut self) -> Option<u64> {
        Unpacker::fixed(self)
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        Unpacker::bytes(self)
    }

    fn person(&mut self) -> Option<Protected<'a>> {
        if self.byte()? == 0 {
            return Some(Protected::default());
        }
        Some(Protected {
            plain: "".into(),
            key: Unpacker::number(self)?,
            ciphertext: Unpacker::bytes(self)?.into(),
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
