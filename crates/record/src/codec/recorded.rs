//! The outer messages: an event as reported, and as recorded.

use super::field::{Field, Message, put_nested, read_nested};
use super::input::{DecodeError, Input, Place, Wire, put_message};
use werkbuch_model::event::{Body, Corrected, Flags, Recorded, Reported, Restored};
use werkbuch_model::id::{MachineNumber, Position, Sequence, SourceNumber};
use werkbuch_model::time::Timestamp;

/// The field of `RecordedEvent` that holds the event as reported.
const EVENT_FIELD: u32 = 8;

/// The canonical bytes of an event as reported: the message `Event`.
#[must_use]
pub fn encode_reported(event: &Reported<'_>) -> Vec<u8> {
    let mut out = Vec::with_capacity(64);
    event.put_fields(&mut out);
    out
}

/// Appends the canonical bytes of an event as reported.
pub fn encode_reported_into(event: &Reported<'_>, out: &mut Vec<u8>) {
    event.put_fields(out);
}

/// An event as reported, borrowing its texts from the bytes, which need not be canonical.
/// Errors: [`DecodeError`]; unknown fields and values are errors.
pub fn decode_reported(bytes: &[u8]) -> Result<Reported<'_>, DecodeError> {
    Reported::read_fields(Input::new(bytes))
}

/// The canonical bytes of a recorded event: the message `RecordedEvent`.
#[must_use]
pub fn encode_recorded(event: &Recorded<'_>) -> Vec<u8> {
    let mut out = Vec::with_capacity(96);
    event.put_fields(&mut out);
    out
}

/// A recorded event, borrowing its texts from the bytes.
/// Errors: [`DecodeError`]; unknown fields and values are errors.
pub fn decode_recorded(bytes: &[u8]) -> Result<Recorded<'_>, DecodeError> {
    Recorded::read_fields(Input::new(bytes))
}

/// The part of a recorded event's bytes that its source reported, as it was encoded.
/// Errors: [`DecodeError`] when the bytes are no recorded event.
pub fn reported_part(bytes: &[u8]) -> Result<&[u8], DecodeError> {
    let mut input = Input::new(bytes);
    while !input.is_empty() {
        let (place, wire) = input.tag("RecordedEvent")?;
        if place.tag == EVENT_FIELD && wire == Wire::Bytes {
            return input.bytes();
        }
        input.skip(wire)?;
    }
    Err(DecodeError::Missing {
        message: "RecordedEvent",
        field: "event",
    })
}

/// The sequence of an event whose bytes may otherwise be unreadable, if it can be found.
#[must_use]
pub fn peek_sequence(bytes: &[u8]) -> Option<Sequence> {
    let mut input = Input::new(bytes);
    while !input.is_empty() {
        let (place, wire) = input.tag("Event").ok()?;
        if place.tag == 1 && wire == Wire::Varint {
            return input.varint().ok().map(Sequence);
        }
        input.skip(wire).ok()?;
    }
    None
}

/// The machine that a recorded event is about, without reading the rest of it; number 0 where it is
/// about none or cannot be read.
#[must_use]
pub fn peek_machine(bytes: &[u8]) -> MachineNumber {
    let number = || {
        let mut input = Input::new(reported_part(bytes).ok()?);
        while !input.is_empty() {
            let (place, wire) = input.tag("Event").ok()?;
            if place.tag == 2 && wire == Wire::Varint {
                return u32::try_from(input.varint().ok()?).ok();
            }
            input.skip(wire).ok()?;
        }
        None
    };
    MachineNumber(number().unwrap_or(0))
}

impl<'a> Message<'a> for Reported<'a> {
    fn put_fields(&self, out: &mut Vec<u8>) {
        self.sequence.put(1, out);
        self.machine.put(2, out);
        self.occurred_at.put(3, out);
        self.observed_at.put(4, out);
        self.historical.put(5, out);
        put_nested(&self.body, 6, out);
    }

    fn read_fields(mut input: Input<'a>) -> Result<Self, DecodeError> {
        let mut sequence = Sequence::default();
        let mut machine = MachineNumber::default();
        let mut occurred_at = Timestamp::default();
        let mut observed_at = None;
        let mut historical = false;
        let mut body = None;
        while !input.is_empty() {
            let (place, wire) = input.tag("Event")?;
            match place.tag {
                1 => sequence.absorb(place, wire, &mut input)?,
                2 => machine.absorb(place, wire, &mut input)?,
                3 => occurred_at.absorb(place, wire, &mut input)?,
                4 => observed_at.absorb(place, wire, &mut input)?,
                5 => historical.absorb(place, wire, &mut input)?,
                6 => body = Some(read_nested::<Body<'a>>(place, wire, &mut input)?),
                _ => return Err(place.unknown_field()),
            }
        }
        let body = body.ok_or(DecodeError::NoBody)?;
        Ok(Self {
            sequence,
            machine,
            occurred_at,
            observed_at,
            historical,
            body,
        })
    }
}

impl<'a> Message<'a> for Recorded<'a> {
    fn put_fields(&self, out: &mut Vec<u8>) {
        self.position.put(1, out);
        self.recorded_at.put(2, out);
        self.effective_at.put(3, out);
        self.source.put(4, out);
        self.previous.put(5, out);
        self.flags.put(6, out);
        self.authority.put(7, out);
        put_message(EVENT_FIELD, out, |out| self.reported.put_fields(out));
        self.corrected.put(9, out);
    }

    fn read_fields(mut input: Input<'a>) -> Result<Self, DecodeError> {
        let mut position = Position::default();
        let mut recorded_at = Timestamp::default();
        let mut effective_at = Timestamp::default();
        let mut source = SourceNumber::default();
        let mut previous = Position::default();
        let mut flags = Flags::default();
        let mut authority = 0_u32;
        let mut reported = None;
        let mut corrected = Vec::new();
        while !input.is_empty() {
            let (place, wire) = input.tag("RecordedEvent")?;
            match place.tag {
                1 => position.absorb(place, wire, &mut input)?,
                2 => recorded_at.absorb(place, wire, &mut input)?,
                3 => effective_at.absorb(place, wire, &mut input)?,
                4 => source.absorb(place, wire, &mut input)?,
                5 => previous.absorb(place, wire, &mut input)?,
                6 => flags.absorb(place, wire, &mut input)?,
                7 => authority.absorb(place, wire, &mut input)?,
                EVENT_FIELD => reported = Some(read_nested(place, wire, &mut input)?),
                9 => Field::absorb(&mut corrected, place, wire, &mut input)?,
                _ => return Err(place.unknown_field()),
            }
        }
        let missing = DecodeError::Missing {
            message: "RecordedEvent",
            field: "event",
        };
        let reported = reported.ok_or(missing)?;
        Ok(Self {
            position,
            recorded_at,
            effective_at,
            source,
            previous,
            flags,
            authority,
            reported,
            corrected,
        })
    }
}

/// The fields that say which event is meant and what it says: shared by what is corrected (first
/// field `target`) and what is restored (first field `position`).
#[derive(Default)]
struct Meant<'a> {
    position: Position,
    effective_at: Timestamp,
    source: SourceNumber,
    sequence: Sequence,
    authority: u32,
    body: Option<Body<'a>>,
}

impl<'a> Meant<'a> {
    fn absorb(
        &mut self,
        place: Place,
        wire: Wire,
        input: &mut Input<'a>,
    ) -> Result<(), DecodeError> {
        match place.tag {
            1 => self.position.absorb(place, wire, input),
            2 => self.effective_at.absorb(place, wire, input),
            3 => self.source.absorb(place, wire, input),
            4 => self.sequence.absorb(place, wire, input),
            5 => self.authority.absorb(place, wire, input),
            6 => {
                self.body = Some(read_nested(place, wire, input)?);
                Ok(())
            }
            _ => Err(place.unknown_field()),
        }
    }
}

impl<'a> Message<'a> for Restored<'a> {
    fn put_fields(&self, out: &mut Vec<u8>) {
        self.position.put(1, out);
        self.effective_at.put(2, out);
        self.source.put(3, out);
        self.sequence.put(4, out);
        self.authority.put(5, out);
        put_nested(&self.body, 6, out);
        self.machine.put(7, out);
    }

    fn read_fields(mut input: Input<'a>) -> Result<Self, DecodeError> {
        let mut meant = Meant::default();
        let mut machine = MachineNumber::default();
        while !input.is_empty() {
            let (place, wire) = input.tag("Restored")?;
            match place.tag {
                7 => machine.absorb(place, wire, &mut input)?,
                _ => meant.absorb(place, wire, &mut input)?,
            }
        }
        let Meant {
            position,
            effective_at,
            source,
            sequence,
            authority,
            body,
        } = meant;
        let body = body.ok_or(DecodeError::NoBody)?;
        Ok(Self {
            position,
            effective_at,
            source,
            sequence,
            authority,
            body,
            machine,
        })
    }
}

impl<'a> Message<'a> for Corrected<'a> {
    fn put_fields(&self, out: &mut Vec<u8>) {
        self.target.put(1, out);
        self.effective_at.put(2, out);
        self.source.put(3, out);
        self.sequence.put(4, out);
        self.authority.put(5, out);
        put_nested(&self.body, 6, out);
        self.restored.put(7, out);
    }

    fn read_fields(mut input: Input<'a>) -> Result<Self, DecodeError> {
        let mut meant = Meant::default();
        let mut restored = Vec::new();
        while !input.is_empty() {
            let (place, wire) = input.tag("Corrected")?;
            match place.tag {
                7 => Field::absorb(&mut restored, place, wire, &mut input)?,
                _ => meant.absorb(place, wire, &mut input)?,
            }
        }
        let Meant {
            position: target,
            effective_at,
            source,
            sequence,
            authority,
            body,
        } = meant;
        let body = body.ok_or(DecodeError::NoBody)?;
        Ok(Self {
            target,
            effective_at,
            source,
            sequence,
            authority,
            body,
            restored,
        })
    }
}
