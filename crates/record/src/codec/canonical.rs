//! Reads the fields around a body in the order in which they are written: most of a log is so.

use super::input::Input;
use super::recorded::{EventHead, RecordedHead};
use werkbuch_model::event::Flags;
use werkbuch_model::id::{MachineNumber, Position, Sequence, SourceNumber};
use werkbuch_model::time::Timestamp;

/// The fields of a recorded event that is nobody's correction, its body still unread. Nothing for
/// bytes in any other form, right or wrong: those are for the reader of fields in any order.
#[inline]
pub(super) fn recorded<'a>(mut input: Input<'a>) -> Option<RecordedHead<'a>> {
    let head = RecordedHead {
        position: Position(number(&mut input, 0x08)?),
        recorded_at: time(&mut input, 0x11)?.unwrap_or_default(),
        effective_at: time(&mut input, 0x19)?.unwrap_or_default(),
        source: SourceNumber(short(&mut input, 0x20)?),
        previous: Position(number(&mut input, 0x28)?),
        flags: Flags(short(&mut input, 0x30)?),
        authority: short(&mut input, 0x38)?,
        event: event(message(&mut input, 0x42)?)?,
    };
    input.is_empty().then_some(head)
}

/// The fields of an event as reported, likewise.
#[inline]
pub(super) fn event<'a>(mut input: Input<'a>) -> Option<EventHead<'a>> {
    let head = EventHead {
        sequence: Sequence(number(&mut input, 0x08)?),
        machine: MachineNumber(short(&mut input, 0x10)?),
        occurred_at: time(&mut input, 0x19)?.unwrap_or_default(),
        observed_at: time(&mut input, 0x21)?,
        historical: number(&mut input, 0x28)? != 0,
        body: Some(message(&mut input, 0x32)?),
    };
    input.is_empty().then_some(head)
}

/// The number under a key, that is a field's number and wire type; 0 when another field comes next.
#[inline]
fn number(input: &mut Input<'_>, key: u8) -> Option<u64> {
    if input.passes(key) {
        input.varint().ok()
    } else {
        Some(0)
    }
}

#[inline]
fn short(input: &mut Input<'_>, key: u8) -> Option<u32> {
    u32::try_from(number(input, key)?).ok()
}

/// The time under a key; it may be absent.
#[inline]
fn time(input: &mut Input<'_>, key: u8) -> Option<Option<Timestamp>> {
    if input.passes(key) {
        let nanos = input.fixed64().ok()?;
        Some(Some(Timestamp(i64::from_le_bytes(nanos))))
    } else {
        Some(None)
    }
}

/// The message under a key, which must be there.
#[inline]
fn message<'a>(input: &mut Input<'a>, key: u8) -> Option<Input<'a>> {
    if input.passes(key) {
        input.message().ok()
    } else {
        None
    }
}
