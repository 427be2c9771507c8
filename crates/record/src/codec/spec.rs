//! The layout of a plant description's objects, which have fields that must be there.

use super::field::{Field, Message, put_nested, read_nested};
use super::input::{DecodeError, Input, Place, Wire};
use werkbuch_model::event::{AspectKind, Vocabulary};
use werkbuch_model::id::{ElementId, MachineNumber};
use werkbuch_model::plant::{
    Authority, Buffer, Change, ChangeAction, Flow, Level, Machine, Plant, Spec, Unit,
};

/// What a field holds when it is left out; nothing when it must be there.
trait Absent: Sized {
    fn absent() -> Option<Self>;
}

impl Absent for ElementId {
    fn absent() -> Option<Self> {
        None
    }
}

macro_rules! default_when_absent {
    ($($ty:ty),+) => {$(
        impl Absent for $ty { fn absent() -> Option<Self> { Some(Self::default()) } }
    )+};
}

default_when_absent!(
    String,
    u32,
    Vec<String>,
    Vec<ElementId>,
    Option<ElementId>,
    MachineNumber,
    Level,
    Vocabulary,
    AspectKind,
    ChangeAction
);

/// As `layout!`, for messages with fields that must be there.
macro_rules! spec_layout {
    ($($name:ident { $($tag:literal => $field:ident: $ty:ty,)+ })+) => {$(
        impl<'a> Message<'a> for $name {
            fn put_fields(&self, out: &mut Vec<u8>) {
                $(self.$field.put($tag, out);)+
            }

            fn read_fields(mut input: Input<'a>) -> Result<Self, DecodeError> {
                $(let mut $field: Option<$ty> = None;)+
                while !input.is_empty() {
                    let (place, wire) = input.tag(stringify!($name))?;
                    match place.tag {
                        $($tag => match &mut $field {
                            Some(value) => value.absorb(place, wire, &mut input)?,
                            empty => *empty = Some(<$ty>::read(place, wire, &mut input)?),
                        },)+
                        _ => return Err(place.unknown_field()),
                    }
                }
                Ok(Self {
                    $($field: $field.or_else(Absent::absent).ok_or(DecodeError::Missing {
                        message: stringify!($name),
                        field: stringify!($field),
                    })?,)+
                })
            }
        }
    )+};
}

spec_layout! {
    Plant { 1 => name: String, 2 => time_zone: String, }
    Unit { 1 => id: ElementId, 2 => name: String, 3 => level: Level, 4 => parent: Option<ElementId>, }
    Machine {
        1 => id: ElementId, 2 => number: MachineNumber, 3 => name: String,
        4 => parent: Option<ElementId>, 5 => machine_type: String, 6 => vocabulary: Vocabulary,
        7 => aliases: Vec<ElementId>,
    }
    Buffer {
        1 => id: ElementId, 2 => name: String, 3 => parent: Option<ElementId>, 4 => capacity: u32,
    }
    Flow { 1 => from: ElementId, 2 => to: ElementId, }
    Authority { 1 => machines: String, 2 => aspect: AspectKind, 3 => sources: Vec<String>, }
}

macro_rules! objects {
    ($($tag:literal => $kind:ident,)+) => {
        impl<'a> Message<'a> for Change {
            fn put_fields(&self, out: &mut Vec<u8>) {
                self.action.put(1, out);
                match &self.spec { $(Spec::$kind(spec) => put_nested(spec, $tag, out),)+ }
            }

            fn read_fields(mut input: Input<'a>) -> Result<Self, DecodeError> {
                let mut action = ChangeAction::default();
                let mut spec = None;
                while !input.is_empty() {
                    let (place, wire): (Place, Wire) = input.tag("Change")?;
                    match place.tag {
                        1 => action.absorb(place, wire, &mut input)?,
                        $($tag => spec = Some(Spec::$kind(read_nested(place, wire, &mut input)?)),)+
                        _ => return Err(place.unknown_field()),
                    }
                }
                let missing = DecodeError::Missing { message: "Change", field: "object" };
                Ok(Self { action, spec: spec.ok_or(missing)? })
            }
        }
    };
}

objects! {
    2 => Plant,
    3 => Unit,
    4 => Machine,
    5 => Buffer,
    6 => Flow,
    7 => Authority,
}
