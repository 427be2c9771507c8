//! How each type of field is written and read.

use super::input::{DecodeError, Input, Place, Wire, put_bytes, put_message, put_tag, put_varint};
use std::borrow::Cow;
use werkbuch_model::event::{
    AndonKind, AspectKind, Blob, Body, ConditionLevel, Connection, CorrectionAction, Disposition,
    Flags, GapCause, IntervalKind, ItemCategory, MaintenanceKind, Medium, Mode, OverrideKind,
    PartMeaning, PlanKind, Planned, Qualifier, RefusalReason, ResultVerdict, SourceKind, State,
    Text, ToolLifeUnit, Vocabulary, WorkOutcome,
};
use werkbuch_model::id::{
    ElementId, Epoch, MachineNumber, Position, Sequence, SourceNumber, WriterEpoch,
};
use werkbuch_model::plant::{
    BoundaryKind, BufferKind, CarrierKind, ChangeAction, CrewKind, Date, Days, Decimal,
    ExceptionKind, FeedKind, FlowKind, FlowRole, Level, Release, StopEffect, StopKind, TimeOfDay,
    Transfer,
};
use werkbuch_model::time::Timestamp;

/// A value that can stand in a field.
pub(super) trait Field<'a>: Sized {
    /// Writes the field unless its value is the default, which proto3 leaves out.
    fn put(&self, tag: u32, out: &mut Vec<u8>);

    /// Reads a value.
    fn read(place: Place, wire: Wire, input: &mut Input<'a>) -> Result<Self, DecodeError>;

    /// Reads a value into this one: a list grows, anything else is replaced.
    #[inline]
    fn absorb(
        &mut self,
        place: Place,
        wire: Wire,
        input: &mut Input<'a>,
    ) -> Result<(), DecodeError> {
        *self = Self::read(place, wire, input)?;
        Ok(())
    }
}

/// A message with fields of its own.
pub(super) trait Message<'a>: Sized {
    /// Writes the fields in the order of their numbers.
    fn put_fields(&self, out: &mut Vec<u8>);

    /// Reads all fields of `input`.
    fn read_fields(input: Input<'a>) -> Result<Self, DecodeError>;
}

#[inline]
fn expect(place: Place, found: Wire, wanted: Wire) -> Result<(), DecodeError> {
    if found == wanted {
        Ok(())
    } else {
        Err(place.malformed())
    }
}

impl<'a> Field<'a> for u64 {
    fn put(&self, tag: u32, out: &mut Vec<u8>) {
        if *self != 0 {
            put_tag(tag, Wire::Varint, out);
            put_varint(*self, out);
        }
    }

    #[inline]
    fn read(place: Place, wire: Wire, input: &mut Input<'a>) -> Result<Self, DecodeError> {
        expect(place, wire, Wire::Varint)?;
        input.varint()
    }
}

impl<'a> Field<'a> for u32 {
    fn put(&self, tag: u32, out: &mut Vec<u8>) {
        u64::from(*self).put(tag, out);
    }

    #[inline]
    fn read(place: Place, wire: Wire, input: &mut Input<'a>) -> Result<Self, DecodeError> {
        u32::try_from(u64::read(place, wire, input)?).map_err(|_| place.malformed())
    }
}

impl<'a> Field<'a> for bool {
    fn put(&self, tag: u32, out: &mut Vec<u8>) {
        u64::from(*self).put(tag, out);
    }

    #[inline]
    fn read(place: Place, wire: Wire, input: &mut Input<'a>) -> Result<Self, DecodeError> {
        Ok(u64::read(place, wire, input)? != 0)
    }
}

impl<'a> Field<'a> for Timestamp {
    fn put(&self, tag: u32, out: &mut Vec<u8>) {
        if self.0 != 0 {
            put_tag(tag, Wire::Fixed64, out);
            out.extend_from_slice(&self.0.to_le_bytes());
        }
    }

    #[inline]
    fn read(place: Place, wire: Wire, input: &mut Input<'a>) -> Result<Self, DecodeError> {
        expect(place, wire, Wire::Fixed64)?;
        Ok(Timestamp(i64::from_le_bytes(input.fixed64()?)))
    }
}

impl<'a> Field<'a> for Option<Timestamp> {
    fn put(&self, tag: u32, out: &mut Vec<u8>) {
        if let Some(time) = self {
            put_tag(tag, Wire::Fixed64, out);
            out.extend_from_slice(&time.0.to_le_bytes());
        }
    }

    #[inline]
    fn read(place: Place, wire: Wire, input: &mut Input<'a>) -> Result<Self, DecodeError> {
        Timestamp::read(place, wire, input).map(Some)
    }
}

impl<'a> Field<'a> for Option<f64> {
    fn put(&self, tag: u32, out: &mut Vec<u8>) {
        if let Some(value) = self {
            put_tag(tag, Wire::Fixed64, out);
            out.extend_from_slice(&value.to_le_bytes());
        }
    }

    fn read(place: Place, wire: Wire, input: &mut Input<'a>) -> Result<Self, DecodeError> {
        expect(place, wire, Wire::Fixed64)?;
        Ok(Some(f64::from_le_bytes(input.fixed64()?)))
    }
}

impl<'a> Field<'a> for f64 {
    fn put(&self, tag: u32, out: &mut Vec<u8>) {
        if *self != 0.0 {
            Some(*self).put(tag, out);
        }
    }

    #[inline]
    fn read(place: Place, wire: Wire, input: &mut Input<'a>) -> Result<Self, DecodeError> {
        expect(place, wire, Wire::Fixed64)?;
        Ok(f64::from_le_bytes(input.fixed64()?))
    }
}

macro_rules! optional_numbers {
    ($($number:ty),+) => {$(
        impl<'a> Field<'a> for Option<$number> {
            fn put(&self, tag: u32, out: &mut Vec<u8>) {
                if let Some(value) = self {
                    put_tag(tag, Wire::Varint, out);
                    put_varint(u64::from(*value), out);
                }
            }

            fn read(place: Place, wire: Wire, input: &mut Input<'a>) -> Result<Self, DecodeError> {
                <$number>::read(place, wire, input).map(Some)
            }
        }
    )+};
}

optional_numbers!(u64, u32);

macro_rules! optional_wrapped {
    ($($name:ident),+) => {$(
        impl<'a> Field<'a> for Option<$name> {
            fn put(&self, tag: u32, out: &mut Vec<u8>) { self.map(|value| value.0).put(tag, out); }

            fn read(place: Place, wire: Wire, input: &mut Input<'a>) -> Result<Self, DecodeError> {
                $name::read(place, wire, input).map(Some)
            }
        }
    )+};
}

optional_wrapped!(Decimal, TimeOfDay);

#[inline]
fn read_str<'a>(place: Place, wire: Wire, input: &mut Input<'a>) -> Result<&'a str, DecodeError> {
    expect(place, wire, Wire::Bytes)?;
    std::str::from_utf8(input.bytes()?).map_err(|_| DecodeError::NotText {
        message: place.message,
        tag: place.tag,
    })
}

impl<'a> Field<'a> for Text<'a> {
    fn put(&self, tag: u32, out: &mut Vec<u8>) {
        if !self.is_empty() {
            put_bytes(tag, self.as_bytes(), out);
        }
    }

    #[inline]
    fn read(place: Place, wire: Wire, input: &mut Input<'a>) -> Result<Self, DecodeError> {
        read_str(place, wire, input).map(Cow::Borrowed)
    }
}

impl<'a> Field<'a> for Option<Text<'a>> {
    fn put(&self, tag: u32, out: &mut Vec<u8>) {
        if let Some(text) = self {
            put_bytes(tag, text.as_bytes(), out);
        }
    }

    fn read(place: Place, wire: Wire, input: &mut Input<'a>) -> Result<Self, DecodeError> {
        Text::read(place, wire, input).map(Some)
    }
}

impl<'a> Field<'a> for Blob<'a> {
    fn put(&self, tag: u32, out: &mut Vec<u8>) {
        if !self.is_empty() {
            put_bytes(tag, self, out);
        }
    }

    fn read(place: Place, wire: Wire, input: &mut Input<'a>) -> Result<Self, DecodeError> {
        expect(place, wire, Wire::Bytes)?;
        input.bytes().map(Cow::Borrowed)
    }
}

impl<'a> Field<'a> for String {
    fn put(&self, tag: u32, out: &mut Vec<u8>) {
        if !self.is_empty() {
            put_bytes(tag, self.as_bytes(), out);
        }
    }

    fn read(place: Place, wire: Wire, input: &mut Input<'a>) -> Result<Self, DecodeError> {
        read_str(place, wire, input).map(str::to_owned)
    }
}

impl<'a> Field<'a> for ElementId {
    fn put(&self, tag: u32, out: &mut Vec<u8>) {
        put_bytes(tag, self.as_str().as_bytes(), out);
    }

    fn read(place: Place, wire: Wire, input: &mut Input<'a>) -> Result<Self, DecodeError> {
        ElementId::new(read_str(place, wire, input)?).map_err(|_| place.malformed())
    }
}

impl<'a> Field<'a> for Option<ElementId> {
    fn put(&self, tag: u32, out: &mut Vec<u8>) {
        if let Some(id) = self {
            id.put(tag, out);
        }
    }

    fn read(place: Place, wire: Wire, input: &mut Input<'a>) -> Result<Self, DecodeError> {
        ElementId::read(place, wire, input).map(Some)
    }
}

macro_rules! lists_of_texts {
    ($($item:ty),+) => {$(
        impl<'a> Field<'a> for Vec<$item> {
            fn put(&self, tag: u32, out: &mut Vec<u8>) {
                for item in self {
                    let text: &str = item.as_str();
                    put_bytes(tag, text.as_bytes(), out);
                }
            }

            fn read(place: Place, wire: Wire, input: &mut Input<'a>) -> Result<Self, DecodeError> {
                Ok(vec![<$item>::read(place, wire, input)?])
            }

            fn absorb(&mut self, place: Place, wire: Wire, input: &mut Input<'a>) -> Result<(), DecodeError> {
                self.push(<$item>::read(place, wire, input)?);
                Ok(())
            }
        }
    )+};
}

lists_of_texts!(String, ElementId);

impl<'a> Field<'a> for Vec<Text<'a>> {
    fn put(&self, tag: u32, out: &mut Vec<u8>) {
        for text in self {
            put_bytes(tag, text.as_bytes(), out);
        }
    }

    fn read(place: Place, wire: Wire, input: &mut Input<'a>) -> Result<Self, DecodeError> {
        Ok(vec![Text::read(place, wire, input)?])
    }

    fn absorb(
        &mut self,
        place: Place,
        wire: Wire,
        input: &mut Input<'a>,
    ) -> Result<(), DecodeError> {
        self.push(Text::read(place, wire, input)?);
        Ok(())
    }
}

impl<'a> Field<'a> for Vec<Position> {
    fn put(&self, tag: u32, out: &mut Vec<u8>) {
        if !self.is_empty() {
            put_message(tag, out, |out| {
                self.iter().for_each(|p| put_varint(p.get(), out))
            });
        }
    }

    fn read(place: Place, wire: Wire, input: &mut Input<'a>) -> Result<Self, DecodeError> {
        let mut list = Vec::new();
        list.absorb(place, wire, input)?;
        Ok(list)
    }

    fn absorb(
        &mut self,
        place: Place,
        wire: Wire,
        input: &mut Input<'a>,
    ) -> Result<(), DecodeError> {
        if wire == Wire::Varint {
            self.push(Position(input.varint()?));
            return Ok(());
        }
        expect(place, wire, Wire::Bytes)?;
        let mut packed = input.message()?;
        while !packed.is_empty() {
            self.push(Position(packed.varint()?));
        }
        Ok(())
    }
}

impl<'a> Field<'a> for Option<Box<Body<'a>>> {
    fn put(&self, tag: u32, out: &mut Vec<u8>) {
        if let Some(body) = self {
            put_message(tag, out, |out| body.put_fields(out));
        }
    }

    fn read(place: Place, wire: Wire, input: &mut Input<'a>) -> Result<Self, DecodeError> {
        expect(place, wire, Wire::Bytes)?;
        Ok(Some(Box::new(Body::read_fields(input.message()?)?)))
    }
}

/// A message field. Left out when all its fields are; `read` merges nothing, the last one holds.
pub(super) fn put_nested<'a>(message: &impl Message<'a>, tag: u32, out: &mut Vec<u8>) {
    put_message(tag, out, |out| message.put_fields(out));
}

#[inline]
pub(super) fn read_nested<'a, M: Message<'a>>(
    place: Place,
    wire: Wire,
    input: &mut Input<'a>,
) -> Result<M, DecodeError> {
    M::read_fields(nested(place, wire, input)?)
}

/// The bytes of a message field, still unread.
#[inline]
pub(super) fn nested<'a>(
    place: Place,
    wire: Wire,
    input: &mut Input<'a>,
) -> Result<Input<'a>, DecodeError> {
    expect(place, wire, Wire::Bytes)?;
    input.message()
}

macro_rules! lists_of_messages {
    ($($item:ty),+ $(,)?) => {$(
        impl<'a> Field<'a> for Vec<$item> {
            fn put(&self, tag: u32, out: &mut Vec<u8>) {
                self.iter().for_each(|item| put_nested(item, tag, out));
            }

            fn read(place: Place, wire: Wire, input: &mut Input<'a>) -> Result<Self, DecodeError> {
                Ok(vec![read_nested(place, wire, input)?])
            }

            fn absorb(&mut self, place: Place, wire: Wire, input: &mut Input<'a>) -> Result<(), DecodeError> {
                self.push(read_nested(place, wire, input)?);
                Ok(())
            }
        }
    )+};
}

lists_of_messages!(
    werkbuch_model::event::DeclaredItem<'a>,
    werkbuch_model::event::SampleItem<'a>,
    werkbuch_model::event::Corrected<'a>,
    werkbuch_model::event::Restored<'a>,
    werkbuch_model::event::Figure<'a>,
    werkbuch_model::event::PlannedInterval<'a>,
    werkbuch_model::event::PlanEntry<'a>,
    werkbuch_model::event::DeclaredRule<'a>,
    werkbuch_model::plant::Change,
    werkbuch_model::plant::Shift,
    werkbuch_model::plant::Break,
    werkbuch_model::plant::CalendarException,
);

macro_rules! numbers {
    ($($name:ident: $int:ty),+) => {$(
        impl<'a> Field<'a> for $name {
            fn put(&self, tag: u32, out: &mut Vec<u8>) { self.0.put(tag, out); }

            #[inline]
            fn read(place: Place, wire: Wire, input: &mut Input<'a>) -> Result<Self, DecodeError> {
                <$int>::read(place, wire, input).map($name)
            }
        }
    )+};
}

numbers!(
    Date: u32,
    Days: u32,
    Decimal: u64,
    Epoch: u32,
    Flags: u32,
    MachineNumber: u32,
    Position: u64,
    Sequence: u64,
    SourceNumber: u32,
    TimeOfDay: u32,
    WriterEpoch: u64
);

macro_rules! enums {
    ($($name:ident),+) => {$(
        impl<'a> Field<'a> for $name {
            fn put(&self, tag: u32, out: &mut Vec<u8>) { self.code().put(tag, out); }

            fn read(place: Place, wire: Wire, input: &mut Input<'a>) -> Result<Self, DecodeError> {
                let value = u64::read(place, wire, input)?;
                u32::try_from(value).ok().and_then($name::from_code).ok_or(
                    DecodeError::UnknownValue { message: place.message, tag: place.tag, value },
                )
            }
        }
    )+};
}

enums!(
    AndonKind,
    AspectKind,
    BoundaryKind,
    BufferKind,
    CarrierKind,
    ChangeAction,
    ConditionLevel,
    Connection,
    CorrectionAction,
    Disposition,
    CrewKind,
    ExceptionKind,
    FeedKind,
    FlowKind,
    FlowRole,
    GapCause,
    IntervalKind,
    ItemCategory,
    Level,
    MaintenanceKind,
    Medium,
    Mode,
    WorkOutcome,
    OverrideKind,
    PartMeaning,
    PlanKind,
    Planned,
    Qualifier,
    RefusalReason,
    Release,
    SourceKind,
    State,
    StopEffect,
    StopKind,
    ToolLifeUnit,
    ResultVerdict,
    Transfer,
    Vocabulary
);
