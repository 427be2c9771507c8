//! The layout of a plant description's objects, which have fields that must be there.

use super::field::{Field, Message, put_nested, read_nested};
use super::input::{DecodeError, Input, Place, Wire};
use werkbuch_model::event::{AspectKind, PartMeaning, Vocabulary};
use werkbuch_model::id::{ElementId, MachineNumber};
use werkbuch_model::plant::*;

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
    u64,
    Decimal,
    Days,
    Date,
    TimeOfDay,
    Vec<String>,
    Vec<ElementId>,
    Vec<Shift>,
    Vec<Break>,
    Vec<CalendarException>,
    Option<ElementId>,
    Option<u32>,
    Option<u64>,
    Option<Decimal>,
    Option<TimeOfDay>,
    MachineNumber,
    Level,
    Vocabulary,
    AspectKind,
    PartMeaning,
    ChangeAction,
    BoundaryKind,
    BufferKind,
    CarrierKind,
    CrewKind,
    ExceptionKind,
    FeedKind,
    FlowKind,
    FlowRole,
    Release,
    StopEffect,
    StopKind,
    Transfer
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
    Plant {
        1 => name: String, 2 => time_zone: String, 3 => calendar: Option<ElementId>,
        4 => sample_days: u32, 5 => day_start: TimeOfDay,
    }
    Unit {
        1 => id: ElementId, 2 => name: String, 3 => level: Level, 4 => parent:
        Option<ElementId>, 5 => calendar: Option<ElementId>, 6 => constraint:
        Option<ElementId>, 7 => takt_ms: Option<u64>,
    }
    Machine {
        1 => id: ElementId, 2 => number: MachineNumber, 3 => name: String, 4 => parent:
        Option<ElementId>, 5 => machine_type: String, 6 => vocabulary: Vocabulary, 7 =>
        aliases: Vec<ElementId>, 8 => role: FlowRole, 9 => node: Option<ElementId>, 10 =>
        stop_effect: StopEffect, 11 => slots: u32, 12 => parts_per_cycle: u32, 13 =>
        transfer: Transfer, 14 => cycle_ms: Option<u64>, 15 => cycle_min_ms: Option<u64>, 16
        => stop_groups: Vec<ElementId>, 17 => operators: u32, 18 => skill: String, 19 =>
        calendar: Option<ElementId>, 20 => micro_stop_ms: Option<u64>, 21 => flicker_ms:
        Option<u64>,
    }
    Buffer {
        1 => id: ElementId, 2 => name: String, 3 => parent: Option<ElementId>, 4 =>
        capacity: u32, 5 => buffer_kind: BufferKind, 6 => lanes: u32, 7 => transit_ms:
        Option<u64>,
    }
    Flow {
        1 => from: ElementId, 2 => to: ElementId, 3 => flow_kind: FlowKind, 4 => transit_ms:
        Option<u64>, 5 => share: Option<Decimal>, 6 => priority: Option<u32>, 7 => variants:
        Vec<ElementId>,
    }
    Authority {
        1 => machines: String, 2 => aspect: AspectKind, 3 => sources: Vec<String>,
    }
    StopGroup {
        1 => id: ElementId, 2 => name: String, 3 => stop_kind: StopKind,
    }
    Product {
        1 => id: ElementId, 2 => name: String,
    }
    Variant {
        1 => id: ElementId, 2 => product: ElementId, 3 => name: String, 4 => share:
        Option<Decimal>, 5 => attributes: Vec<String>,
    }
    Step {
        1 => product: ElementId, 2 => variant: Option<ElementId>, 3 => number: u32, 4 =>
        operation: String, 5 => at: Vec<ElementId>, 6 => work_ms: u64, 7 => min_ms:
        Option<u64>, 8 => units_per_cycle: u32, 9 => carrier: Option<ElementId>, 10 =>
        skill: String,
    }
    Setup {
        1 => machines: String, 2 => attribute: String, 3 => from: String, 4 => to: String, 5
        => ms: u64,
    }
    Rework {
        1 => id: ElementId, 2 => from: ElementId, 3 => through: Vec<ElementId>, 4 =>
        back_to: ElementId, 5 => limit: Option<u32>, 6 => share: Option<Decimal>,
    }
    Carrier {
        1 => id: ElementId, 2 => name: String, 3 => carrier_kind: CarrierKind, 4 => count:
        u32, 5 => capacity: u32, 6 => home: Option<ElementId>, 7 => return_ms: Option<u64>,
    }
    Crew {
        1 => id: ElementId, 2 => name: String, 3 => crew_kind: CrewKind, 4 => size: u32, 5
        => skills: Vec<String>, 6 => serves: Vec<String>, 7 => calendar: Option<ElementId>,
    }
    Feed {
        1 => part_number: String, 2 => at: ElementId, 3 => quantity: Decimal, 4 => product:
        Option<ElementId>, 5 => variant: Option<ElementId>, 6 => from: Option<ElementId>, 7
        => site: String, 8 => feed_kind: FeedKind,
    }
    Boundary {
        1 => at: ElementId, 2 => boundary_kind: BoundaryKind, 3 => release: Release, 4 =>
        rate_per_hour: Option<Decimal>, 5 => products: Vec<ElementId>,
    }
    CountPoint {
        1 => unit: ElementId, 2 => at: ElementId, 3 => meaning: PartMeaning, 4 => counter:
        String,
    }
    Calendar {
        1 => id: ElementId, 2 => parent: Option<ElementId>, 3 => shifts: Vec<Shift>, 4 =>
        breaks: Vec<Break>, 5 => exceptions: Vec<CalendarException>,
    }
    Shift {
        1 => name: String, 2 => days: Days, 3 => from: TimeOfDay, 4 => to: TimeOfDay, 5 =>
        team: String,
    }
    Break {
        1 => shift: String, 2 => at: TimeOfDay, 3 => minutes: u32, 4 => machines: String,
    }
    CalendarException {
        1 => date: Date, 2 => exception_kind: ExceptionKind, 3 => from: Option<TimeOfDay>, 4
        => to: Option<TimeOfDay>, 5 => name: String,
    }
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
    8 => StopGroup,
    9 => Product,
    10 => Variant,
    11 => Step,
    12 => Setup,
    13 => Carrier,
    14 => Crew,
    15 => Rework,
    16 => Feed,
    17 => Boundary,
    18 => CountPoint,
    19 => Calendar,
}
