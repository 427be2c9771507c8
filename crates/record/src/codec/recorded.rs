//! The outer messages: an event as reported, and as recorded.

use super::canonical;
use super::field::{Field, Message, nested, put_nested, read_nested};
use super::input::{DecodeError, Input, Place, Wire, put_message};
use werkbuch_model::event::{Body, Corrected, Flags, Kind, Outline, Recorded, Reported, Restored};
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

/// Appends the canonical bytes of a recorded event.
pub fn encode_recorded_into(event: &Recorded<'_>, out: &mut Vec<u8>) {
    event.put_fields(out);
}

/// A recorded event, borrowing its texts from the bytes.
/// Errors: [`DecodeError`]; unknown fields and values are errors.
pub fn decode_recorded(bytes: &[u8]) -> Result<Recorded<'_>, DecodeError> {
    Recorded::read_fields(Input::new(bytes))
}

/// What is said of a recorded event without its body, which is passed over as it is. Nothing where the
/// whole event has to be read: bytes in another form than the canonical one, an event that corrects others.
#[must_use]
pub fn outline(bytes: &[u8]) -> Option<Outline> {
    let head = canonical::recorded(Input::new(bytes))?;
    let mut body = head.event.body?;
    let (place, wire) = body.tag("Body").ok()?;
    body.skip(wire).ok()?;
    body.is_empty().then_some(Outline {
        position: head.position,
        recorded_at: head.recorded_at,
        effective_at: head.effective_at,
        source: head.source,
        machine: head.event.machine,
        kind: Kind::from_code(place.tag)?,
    })
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

    fn read_fields(input: Input<'a>) -> Result<Self, DecodeError> {
        let head = match canonical::event(input) {
            Some(head) => head,
            None => EventHead::read(input)?,
        };
        Ok(head.with(head.body()?))
    }
}

/// An event as reported, its body still unread: a body is large to move, so it is read last and
/// where it stays.
#[derive(Clone, Copy)]
pub(super) struct EventHead<'a> {
    pub(super) sequence: Sequence,
    pub(super) machine: MachineNumber,
    pub(super) occurred_at: Timestamp,
    pub(super) observed_at: Option<Timestamp>,
    pub(super) historical: bool,
    pub(super) body: Option<Input<'a>>,
}

impl<'a> EventHead<'a> {
    #[inline]
    fn read(mut input: Input<'a>) -> Result<Self, DecodeError> {
        let mut head = Self {
            sequence: Sequence::default(),
            machine: MachineNumber::default(),
            occurred_at: Timestamp::default(),
            observed_at: None,
            historical: false,
            body: None,
        };
        while !input.is_empty() {
            let (place, wire) = input.tag("Event")?;
            match place.tag {
                1 => head.sequence.absorb(place, wire, &mut input)?,
                2 => head.machine.absorb(place, wire, &mut input)?,
                3 => head.occurred_at.absorb(place, wire, &mut input)?,
                4 => head.observed_at.absorb(place, wire, &mut input)?,
                5 => head.historical.absorb(place, wire, &mut input)?,
                6 => {
                    // Of several the last one holds; the others must be right all the same.
                    if head.body.is_some() {
                        head.body()?;
                    }
                    head.body = Some(nested(place, wire, &mut input)?);
                }
                _ => return Err(place.unknown_field()),
            }
        }
        Ok(head)
    }

    fn body(&self) -> Result<Body<'a>, DecodeError> {
        Body::read_fields(self.body.ok_or(DecodeError::NoBody)?)
    }

    #[inline]
    fn with(&self, body: Body<'a>) -> Reported<'a> {
        Reported {
            sequence: self.sequence,
            machine: self.machine,
            occurred_at: self.occurred_at,
            observed_at: self.observed_at,
            historical: self.historical,
            body,
        }
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

    fn read_fields(input: Input<'a>) -> Result<Self, DecodeError> {
        if let Some(head) = canonical::recorded(input) {
            return Ok(head.with(head.event.body()?, Vec::new()));
        }
        let (head, corrected) = RecordedHead::read(input)?;
        Ok(head.with(head.event.body()?, corrected))
    }
}

/// A recorded event, its body still unread.
#[derive(Clone, Copy)]
pub(super) struct RecordedHead<'a> {
    pub(super) position: Position,
    pub(super) recorded_at: Timestamp,
    pub(super) effective_at: Timestamp,
    pub(super) source: SourceNumber,
    pub(super) previous: Position,
    pub(super) flags: Flags,
    pub(super) authority: u32,
    pub(super) event: EventHead<'a>,
}

impl<'a> RecordedHead<'a> {
    /// Reads fields in any order, and what a correction corrects.
    fn read(mut input: Input<'a>) -> Result<(Self, Vec<Corrected<'a>>), DecodeError> {
        let mut position = Position::default();
        let mut recorded_at = Timestamp::default();
        let mut effective_at = Timestamp::default();
        let mut source = SourceNumber::default();
        let mut previous = Position::default();
        let mut flags = Flags::default();
        let mut authority = 0_u32;
        let mut event: Option<EventHead<'a>> = None;
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
                EVENT_FIELD => {
                    if let Some(earlier) = event {
                        earlier.body()?;
                    }
                    event = Some(EventHead::read(nested(place, wire, &mut input)?)?);
                }
                9 => Field::absorb(&mut corrected, place, wire, &mut input)?,
                _ => return Err(place.unknown_field()),
            }
        }
        let missing = DecodeError::Missing {
            message: "RecordedEvent",
            field: "event",
        };
        let head = Self {
            position,
            recorded_at,
            effective_at,
            source,
            previous,
            flags,
            authority,
            event: event.ok_or(missing)?,
        };
        Ok((head, corrected))
    }

    #[inline]
    fn with(&self, body: Body<'a>, corrected: Vec<Corrected<'a>>) -> Recorded<'a> {
        Recorded {
            position: self.position,
            recorded_at: self.recorded_at,
            effective_at: self.effective_at,
            source: self.source,
            previous: self.previous,
            flags: self.flags,
            authority: self.authority,
            reported: self.event.with(body),
            corrected,
        }
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
