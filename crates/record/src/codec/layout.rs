//! The layout of each message: its fields' numbers, once, for encoder and decoder.

use super::field::{Field, Message, put_nested, read_nested};
use super::input::{DecodeError, Input, Place, Wire};
use werkbuch_model::event::*;

/// Gives a message its layout: `number => field`, in the order of the numbers.
macro_rules! layout {
    ($($name:ident $(<$life:lifetime>)? { $($tag:literal => $field:ident,)+ })+) => {$(
        impl<'a> Message<'a> for $name $(<$life>)? {
            fn put_fields(&self, out: &mut Vec<u8>) {
                $(self.$field.put($tag, out);)+
            }

            fn read_fields(mut input: Input<'a>) -> Result<Self, DecodeError> {
                let mut message = Self::default();
                while !input.is_empty() {
                    let (place, wire) = input.tag(stringify!($name))?;
                    match place.tag {
                        $($tag => message.$field.absorb(place, wire, &mut input)?,)+
                        _ => return Err(place.unknown_field()),
                    }
                }
                Ok(message)
            }
        }
    )+};
}

layout! {
    AssetDeclared<'a> { 1 => manufacturer, 2 => model, 3 => serial, 4 => items, }
    DeclaredItem<'a> { 1 => id, 2 => item_type, 3 => unit, 4 => category, 5 => deadband, }
    ConnectionChanged<'a> { 1 => to, 2 => cause, }
    StateChanged<'a> { 1 => to, 2 => from, 3 => native, 4 => vocabulary, 5 => reason, }
    ModeChanged<'a> { 1 => to, 2 => native, 3 => vocabulary, }
    PartProduced<'a> {
        1 => counter, 2 => meaning, 3 => value, 4 => modulus, 5 => reset_epoch, 6 => part_type,
        7 => part,
    }
    AlarmRaised<'a> { 1 => key, 2 => code, 3 => severity, 4 => text, 5 => native, }
    AlarmAcknowledged<'a> { 1 => key, 2 => who, 3 => comment, }
    AlarmCleared<'a> { 1 => key, 2 => duration_ms, }
    Protected<'a> { 1 => plain, 2 => key, 3 => ciphertext, }
    ConditionChanged<'a> {
        1 => item, 2 => level, 3 => code, 4 => native_severity, 5 => qualifier, 6 => text,
    }
    ToolChanged<'a> { 1 => slot, 2 => tool, 3 => life_used, 4 => life_limit, 5 => life_unit, }
    ProgramChanged<'a> { 1 => slot, 2 => program, 3 => revision, 4 => block, }
    OverrideChanged<'a> { 1 => item, 2 => what, 3 => percent, }
    SampleReported<'a> {
        1 => period_start, 2 => period_ms, 3 => items, 4 => body_hash, 5 => body_bytes,
    }
    SampleItem<'a> {
        1 => item, 2 => unit, 3 => n, 4 => unavailable, 5 => min, 6 => max, 7 => mean, 8 => last,
    }
    GapDetected<'a> {
        1 => cause, 2 => source, 3 => first, 4 => last, 5 => lost, 6 => file, 7 => first_line,
        8 => last_line, 9 => content_hash, 10 => detail,
    }
    Correction<'a> {
        1 => action, 2 => targets, 3 => replacement, 4 => new_time, 5 => who, 6 => why,
    }
    SourceOpened<'a> { 1 => number, 2 => name, 3 => epoch, 4 => source_kind, 5 => tolerance_ns, }
    WriterOpened<'a> {
        1 => epoch, 2 => build, 3 => fold_version, 4 => after_clean_close, 5 => last_recorded_at,
    }
    EventRefused<'a> { 1 => source, 2 => first, 3 => last, 4 => reason, 5 => hash, }
    ClockJumped { 1 => expected, 2 => found, 3 => confirmed, }
    FormatRaised { 1 => minimum_reader, }
    DescriptionChanged<'a> {
        1 => revision, 2 => part, 3 => commit, 4 => valid_from, 5 => file_hash, 6 => who, 7 => why,
        8 => changes,
    }
    DigestRecorded<'a> { 1 => at_position, 2 => fold_version, 3 => digest, }
    ItemChanged<'a> { 1 => item, 2 => text, }
}

impl<'a> Field<'a> for Protected<'a> {
    fn put(&self, tag: u32, out: &mut Vec<u8>) {
        if !self.is_empty() {
            put_nested(self, tag, out);
        }
    }

    fn read(place: Place, wire: Wire, input: &mut Input<'a>) -> Result<Self, DecodeError> {
        read_nested(place, wire, input)
    }
}

/// The body's kinds: a kind's number is its field's number in the message `Body`.
macro_rules! kinds {
    ($($kind:ident)+) => {
        impl<'a> Message<'a> for Body<'a> {
            fn put_fields(&self, out: &mut Vec<u8>) {
                match self { $(Self::$kind(body) => put_nested(body, Kind::$kind.code(), out),)+ }
            }

            fn read_fields(mut input: Input<'a>) -> Result<Self, DecodeError> {
                let mut body = None;
                while !input.is_empty() {
                    let (place, wire) = input.tag("Body")?;
                    body = Some(match Kind::from_code(place.tag) {
                        $(Some(Kind::$kind) => Self::$kind(read_nested(place, wire, &mut input)?),)+
                        Some(Kind::Unspecified) | None => return Err(DecodeError::NoBody),
                    });
                }
                body.ok_or(DecodeError::NoBody)
            }
        }
    };
}

kinds! {
    AssetDeclared ConnectionChanged StateChanged ModeChanged PartProduced AlarmRaised
    AlarmAcknowledged AlarmCleared ConditionChanged ToolChanged ProgramChanged OverrideChanged
    SampleReported GapDetected CorrectionRecorded SourceOpened WriterOpened EventRefused ClockJumped
    FormatRaised DescriptionChanged DigestRecorded ItemChanged
}
