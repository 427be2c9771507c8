//! Reads protobuf's wire format from borrowed bytes, with every bound checked.

/// Why bytes are not an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The bytes end in the middle of a value. Send the whole message.
    #[error("the message ends in the middle of a value")]
    Truncated,
    /// A number is longer than ten bytes, or a field's wire type is not that of its type.
    #[error("field {tag} of {message} is not encoded as its type asks")]
    Malformed {
        /// The message's name.
        message: &'static str,
        /// The field's number.
        tag: u32,
    },
    /// The message holds a field that this build does not know. Upgrade the reader.
    #[error("{message} has no field {tag} in this version")]
    UnknownField {
        /// The message's name.
        message: &'static str,
        /// The field's number.
        tag: u32,
    },
    /// An enum's number has no meaning in this build.
    #[error("field {tag} of {message} holds {value}, which has no meaning in this version")]
    UnknownValue {
        /// The message's name.
        message: &'static str,
        /// The field's number.
        tag: u32,
        /// The number found.
        value: u64,
    },
    /// A text is not UTF-8.
    #[error("field {tag} of {message} is not valid text (UTF-8)")]
    NotText {
        /// The message's name.
        message: &'static str,
        /// The field's number.
        tag: u32,
    },
    /// A field that must be there is not there.
    #[error("{message} lacks its {field}")]
    Missing {
        /// The message's name.
        message: &'static str,
        /// The field's name.
        field: &'static str,
    },
    /// No body of a known kind is set.
    #[error("the event has no body of a known kind")]
    NoBody,
    /// Messages lie in messages deeper than any event does.
    #[error("messages are nested too deeply")]
    TooDeep,
}

/// The way a value is laid out on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wire {
    Varint,
    Fixed64,
    Bytes,
    Fixed32,
}

/// How deeply messages may be nested; a correction's replacement is the deepest at six.
const DEPTH_MAX: u8 = 12;

/// Where the decoder stands, for the sake of its errors.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) message: &'static str,
    pub(super) tag: u32,
}

impl Place {
    pub(super) fn malformed(self) -> DecodeError {
        DecodeError::Malformed {
            message: self.message,
            tag: self.tag,
        }
    }

    pub(super) fn unknown_field(self) -> DecodeError {
        DecodeError::UnknownField {
            message: self.message,
            tag: self.tag,
        }
    }
}

/// The unread rest of a message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Input<'a> {
    rest: &'a [u8],
    depth: u8,
}

impl<'a> Input<'a> {
    #[inline]
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self {
            rest: bytes,
            depth: 0,
        }
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next field's number and wire type.
    #[inline]
    pub(super) fn tag(&mut self, message: &'static str) -> Result<(Place, Wire), DecodeError> {
        let key = self.varint()?;
        let tag = u32::try_from(key >> 3).unwrap_or(0);
        let place = Place { message, tag };
        let wire = match key & 7 {
            0 => Wire::Varint,
            1 => Wire::Fixed64,
            2 => Wire::Bytes,
            5 => Wire::Fixed32,
            _ => return Err(place.malformed()),
        };
        if tag == 0 {
            Err(place.malformed())
        } else {
            Ok((place, wire))
        }
    }

    #[inline]
    pub(super) fn varint(&mut self) -> Result<u64, DecodeError> {
        if let [byte @ 0..=0x7f, rest @ ..] = self.rest {
            self.rest = rest;
            return Ok(u64::from(*byte));
        }
        self.long_varint()
    }

    fn long_varint(&mut self) -> Result<u64, DecodeError> {
        let mut value = 0_u64;
        for (at, byte) in self.rest.iter().enumerate().take(10) {
            value |= u64::from(byte & 0x7f) << (7 * at);
            if *byte < 0x80 {
                self.rest = self.rest.get(at + 1..).unwrap_or_default();
                return Ok(value);
            }
        }
        Err(DecodeError::Truncated)
    }

    #[inline]
    pub(super) fn fixed64(&mut self) -> Result<[u8; 8], DecodeError> {
        let (value, rest) = self
            .rest
            .split_first_chunk::<8>()
            .ok_or(DecodeError::Truncated)?;
        self.rest = rest;
        Ok(*value)
    }

    #[inline]
    pub(super) fn bytes(&mut self) -> Result<&'a [u8], DecodeError> {
        let len = usize::try_from(self.varint()?).map_err(|_| DecodeError::Truncated)?;
        let (value, rest) = self
            .rest
            .split_at_checked(len)
            .ok_or(DecodeError::Truncated)?;
        self.rest = rest;
        Ok(value)
    }

    /// Passes over a key of one byte, if it comes next.
    #[inline]
    pub(super) fn passes(&mut self, key: u8) -> bool {
        match self.rest {
            [first, rest @ ..] if *first == key => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    /// The next value as a message inside this one.
    #[inline]
    pub(super) fn message(&mut self) -> Result<Input<'a>, DecodeError> {
        if self.depth >= DEPTH_MAX {
            return Err(DecodeError::TooDeep);
        }
        Ok(Input {
            rest: self.bytes()?,
            depth: self.depth + 1,
        })
    }

    /// Passes over a value of any type.
    pub(super) fn skip(&mut self, wire: Wire) -> Result<(), DecodeError> {
        match wire {
            Wire::Varint => self.varint().map(drop),
            Wire::Fixed64 => self.fixed64().map(drop),
            Wire::Bytes => self.bytes().map(drop),
            Wire::Fixed32 => {
                let (_, rest) = self
                    .rest
                    .split_at_checked(4)
                    .ok_or(DecodeError::Truncated)?;
                self.rest = rest;
                Ok(())
            }
        }
    }
}

pub(super) fn put_varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        #[allow(clippy::cast_possible_truncation)]
        out.push((value as u8) | 0x80);
        value >>= 7;
    }
    #[allow(clippy::cast_possible_truncation)]
    out.push(value as u8);
}

pub(super) fn put_tag(tag: u32, wire: Wire, out: &mut Vec<u8>) {
    let code = match wire {
        Wire::Varint => 0,
        Wire::Fixed64 => 1,
        Wire::Bytes => 2,
        Wire::Fixed32 => 5,
    };
    put_varint(u64::from(tag) << 3 | code, out);
}

pub(super) fn put_bytes(tag: u32, bytes: &[u8], out: &mut Vec<u8>) {
    put_tag(tag, Wire::Bytes, out);
    put_varint(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

/// Writes a message inside a message: most are short, so one byte is kept for the length and the
/// rest is moved in the rare case that it needs more.
pub(super) fn put_message(tag: u32, out: &mut Vec<u8>, fill: impl FnOnce(&mut Vec<u8>)) {
    put_tag(tag, Wire::Bytes, out);
    let at = out.len();
    out.push(0);
    fill(out);
    let len = out.len() - at - 1;
    if let (Ok(short @ 0..=0x7f), Some(byte)) = (u8::try_from(len), out.get_mut(at)) {
        *byte = short;
        return;
    }
    let mut prefix = Vec::with_capacity(10);
    put_varint(len as u64, &mut prefix);
    out.splice(at..=at, prefix);
}
