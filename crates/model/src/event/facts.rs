//! Takes the fields of an event's content apart and puts them together, for whoever keeps contents.

use super::{Blob, Body, Kind, Protected, Text};
use crate::id::Position;
use crate::time::Timestamp;

/// Takes up the fields of a content, in the order in which they are declared.
pub trait FieldSink {
    /// A whole number, an enum's number, a length, or 0 and 1 for what is absent and there.
    fn number(&mut self, number: u64);

    /// Eight bytes: a time in nanoseconds or the bits of a float.
    fn fixed(&mut self, bits: u64);

    /// A text or bytes.
    fn bytes(&mut self, bytes: &[u8]);

    /// A field about a person.
    fn person(&mut self, person: &Protected<'_>);
}

/// Gives back what a [`FieldSink`] took up, in the same order; nothing when it does not fit.
pub trait FieldSource<'a> {
    /// What [`FieldSink::number`] took.
    fn number(&mut self) -> Option<u64>;

    /// What [`FieldSink::fixed`] took.
    fn fixed(&mut self) -> Option<u64>;

    /// What [`FieldSink::bytes`] took.
    fn bytes(&mut self) -> Option<&'a [u8]>;

    /// What [`FieldSink::person`] took.
    fn person(&mut self) -> Option<Protected<'a>>;
}

/// A value that is made of fields.
pub trait Fields<'a>: Sized {
    /// Gives every field to the sink.
    fn give(&self, to: &mut dyn FieldSink);

    /// Takes every field from the source; nothing when they do not fit.
    fn take(from: &mut dyn FieldSource<'a>) -> Option<Self>;
}

/// Makes structs of their fields, all of them: the compiler names one that is left out.
macro_rules! fields {
    ($($name:ident $(<$life:lifetime>)? { $($field:ident)+ })+) => {$(
        impl<'a> crate::event::Fields<'a> for $name $(<$life>)? {
            fn give(&self, to: &mut dyn crate::event::FieldSink) {
                let Self { $($field,)+ } = self;
                $(crate::event::Fields::give($field, to);)+
            }

            fn take(from: &mut dyn crate::event::FieldSource<'a>) -> Option<Self> {
                Some(Self { $($field: crate::event::Fields::take(from)?,)+ })
            }
        }
    )+};
}

pub(super) use fields;

/// The kinds whose contents are made of fields; the older ones have their own forms in the twin.
macro_rules! facts {
    ($($kind:ident)+) => {
        impl<'a> Body<'a> {
            /// Gives every field of the content to the sink. False for a kind that is not made of
            /// fields; then nothing is given.
            pub fn give_fields(&self, to: &mut dyn FieldSink) -> bool {
                match self {
                    $(Self::$kind(body) => body.give(to),)+
                    _ => return false,
                }
                true
            }

            /// Takes the content of a kind from the source; nothing when its fields do not fit, or
            /// when the kind is not made of fields.
            pub fn take_fields(kind: Kind, from: &mut dyn FieldSource<'a>) -> Option<Self> {
                Some(match kind {
                    $(Kind::$kind => Self::$kind(Fields::take(from)?),)+
                    _ => return None,
                })
            }
        }
    };
}

facts! {
    CycleStarted CycleCompleted MaintenanceStarted MaintenanceEnded BufferLevelChanged
    MaterialArrived MaterialMoved MaterialConsumed InventoryCounted SupplyStatusReported
    OrderReleased OrderStarted OrderCompleted OrderAborted ProcessResult QualityResult EnergyCounter
    DowntimeReasonAssigned CalendarChanged PartEntered PartLeft PartsJoined PartSplit
    PartDispositioned TransportStarted TransportEnded PlanPublished AndonRaised AndonCleared
    StaffingChanged PeriodClosed
}

impl<'a> Fields<'a> for u64 {
    fn give(&self, to: &mut dyn FieldSink) {
        to.number(*self);
    }

    fn take(from: &mut dyn FieldSource<'a>) -> Option<Self> {
        from.number()
    }
}

impl<'a> Fields<'a> for u32 {
    fn give(&self, to: &mut dyn FieldSink) {
        to.number(u64::from(*self));
    }

    fn take(from: &mut dyn FieldSource<'a>) -> Option<Self> {
        u32::try_from(from.number()?).ok()
    }
}

impl<'a> Fields<'a> for f64 {
    fn give(&self, to: &mut dyn FieldSink) {
        // The stored form knows only one zero, so the sum makes one of both.
        to.fixed((*self + 0.0).to_bits());
    }

    fn take(from: &mut dyn FieldSource<'a>) -> Option<Self> {
        from.fixed().map(f64::from_bits)
    }
}

impl<'a> Fields<'a> for Timestamp {
    fn give(&self, to: &mut dyn FieldSink) {
        to.fixed(self.0.cast_unsigned());
    }

    fn take(from: &mut dyn FieldSource<'a>) -> Option<Self> {
        Some(Timestamp(from.fixed()?.cast_signed()))
    }
}

impl<'a> Fields<'a> for Position {
    fn give(&self, to: &mut dyn FieldSink) {
        to.number(self.0);
    }

    fn take(from: &mut dyn FieldSource<'a>) -> Option<Self> {
        from.number().map(Position)
    }
}

impl<'a> Fields<'a> for Text<'a> {
    fn give(&self, to: &mut dyn FieldSink) {
        to.bytes(self.as_bytes());
    }

    fn take(from: &mut dyn FieldSource<'a>) -> Option<Self> {
        std::str::from_utf8(from.bytes()?).ok().map(Into::into)
    }
}

impl<'a> Fields<'a> for Blob<'a> {
    fn give(&self, to: &mut dyn FieldSink) {
        to.bytes(self);
    }

    fn take(from: &mut dyn FieldSource<'a>) -> Option<Self> {
        from.bytes().map(Into::into)
    }
}

impl<'a> Fields<'a> for Protected<'a> {
    fn give(&self, to: &mut dyn FieldSink) {
        to.person(self);
    }

    fn take(from: &mut dyn FieldSource<'a>) -> Option<Self> {
        from.person()
    }
}

impl<'a, T: Fields<'a>> Fields<'a> for Option<T> {
    fn give(&self, to: &mut dyn FieldSink) {
        to.number(u64::from(self.is_some()));
        if let Some(value) = self {
            value.give(to);
        }
    }

    fn take(from: &mut dyn FieldSource<'a>) -> Option<Self> {
        match from.number()? {
            0 => Some(None),
            1 => T::take(from).map(Some),
            _ => None,
        }
    }
}

impl<'a, T: Fields<'a>> Fields<'a> for Vec<T> {
    fn give(&self, to: &mut dyn FieldSink) {
        to.number(self.len() as u64);
        self.iter().for_each(|item| item.give(to));
    }

    fn take(from: &mut dyn FieldSource<'a>) -> Option<Self> {
        // The list grows as its items are found: a false length takes no memory.
        let mut list = Vec::new();
        for _ in 0..from.number()? {
            list.push(T::take(from)?);
        }
        Some(list)
    }
}
