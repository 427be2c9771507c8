//! The objects of a plant description, and a change of one of them.
//!
//! They are written to snapshots by a format that is not self-describing, so no field may be left
//! out when it is written and no enum may be tagged from inside.

mod calendar;
mod choices;
mod element;
mod kinds;
mod product;
mod supply;
mod values;

pub use calendar::{Break, Calendar, CalendarException, Shift};
pub use choices::{
    BoundaryKind, BufferKind, CarrierKind, CrewKind, ExceptionKind, FeedKind, FlowKind, FlowRole,
    Release, StopEffect, StopKind, Transfer,
};
pub use element::{Authority, Buffer, Flow, Machine, StopGroup, Unit};
pub use kinds::{ChangeAction, Level, ObjectKind};
pub use product::{Product, Rework, Setup, Step, Variant};
pub use supply::{Boundary, Carrier, CountPoint, Crew, Feed};
pub use values::{DAY_NAMES, Date, Days, Decimal, TimeOfDay};

use crate::event::{AspectKind, PartMeaning, Vocabulary};
use crate::id::{ElementId, MachineNumber};
use serde::{Deserialize, Serialize};

/// For how many days the single values of sample batches are kept unless the plant says otherwise: it
/// has declared no lifetime then, and they are kept for ever.
pub const SAMPLE_DAYS_DEFAULT: u32 = 0;
/// When the production day begins unless the plant says otherwise.
pub const DAY_START_DEFAULT: TimeOfDay = TimeOfDay(6 * 60);

/// The plant itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plant {
    /// Its full name.
    pub name: String,
    /// Its time zone by IANA name, such as `Europe/Berlin`.
    pub time_zone: String,
    /// The calendar of all that names none of its own; absent when there is none.
    pub calendar: Option<ElementId>,
    /// For how many days the single values of sample batches are kept, counted from the recording of
    /// the batch; 0 when no lifetime is declared: then for ever.
    pub sample_days: u32,
    /// When the production day begins.
    pub day_start: TimeOfDay,
}

impl Plant {
    /// A plant without name, time zone (which means UTC) and calendar.
    #[must_use]
    pub const fn undeclared() -> Self {
        Self {
            name: String::new(),
            time_zone: String::new(),
            calendar: None,
            sample_days: SAMPLE_DAYS_DEFAULT,
            day_start: DAY_START_DEFAULT,
        }
    }
}

impl Default for Plant {
    fn default() -> Self {
        Self::undeclared()
    }
}

/// Calls a macro with every kind of object that is known by its key alone: units, machines and
/// buffers share their names, authorities have an order, the others need nothing but a table each.
/// `Kind list_field table_name`, in the order in which they are declared and written.
macro_rules! keyed_objects {
    ($then:ident) => {
        $then! {
            Flow flows "flow",
            StopGroup stop_groups "stop_group",
            Product products "product",
            Variant variants "variant",
            Step steps "step",
            Setup setups "setup",
            Carrier carriers "carrier",
            Crew crews "crew",
            Rework reworks "rework",
            Feed feeds "feed",
            Boundary boundaries "boundary",
            CountPoint count_points "count_point",
            Calendar calendars "calendar",
        }
    };
}

pub(super) use keyed_objects;

macro_rules! specs {
    ($($(#[$meta:meta])* $kind:ident,)+) => {
        /// One object of a description.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[allow(clippy::large_enum_variant, reason = "machines are the largest and the most frequent")]
        pub enum Spec { $($(#[$meta])* $kind($kind),)+ }

        /// One object of a description, borrowed.
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub enum SpecRef<'a> { $($(#[$meta])* $kind(&'a $kind),)+ }

        impl Spec {
            /// The kind of object.
            #[must_use]
            pub const fn kind(&self) -> ObjectKind {
                match self { $(Self::$kind(_) => ObjectKind::$kind,)+ }
            }

            /// The object, borrowed.
            #[must_use]
            pub const fn as_ref(&self) -> SpecRef<'_> {
                match self { $(Self::$kind(spec) => SpecRef::$kind(spec),)+ }
            }
        }

        impl SpecRef<'_> {
            /// The kind of object.
            #[must_use]
            pub const fn kind(self) -> ObjectKind {
                match self { $(Self::$kind(_) => ObjectKind::$kind,)+ }
            }

            /// The object, cloned.
            #[must_use]
            pub fn to_spec(self) -> Spec {
                match self { $(Self::$kind(spec) => Spec::$kind(spec.clone()),)+ }
            }

            /// What tells the object from others of its kind, as people read it.
            pub(in crate::plant) fn label(self) -> String {
                match self { $(Self::$kind(spec) => super::object::Labelled::label(spec),)+ }
            }

            /// Shows every field of the object with its key.
            pub fn visit(self, see: &mut dyn FnMut(super::object::Field<'_>)) {
                match self { $(Self::$kind(spec) => super::object::Fields::visit(spec, see),)+ }
            }
        }

        $(impl From<$kind> for Spec {
            fn from(spec: $kind) -> Self { Self::$kind(spec) }
        })+
    };
}

specs! {
    /// The plant itself.
    Plant,
    /// A node of the hierarchy.
    Unit,
    /// A machine.
    Machine,
    /// A buffer.
    Buffer,
    /// An arrow of the flow.
    Flow,
    /// Who has the say.
    Authority,
    /// What stops together.
    StopGroup,
    /// What is made.
    Product,
    /// A variant of a product.
    Variant,
    /// A step of a routing.
    Step,
    /// An entry of the set-up matrix.
    Setup,
    /// What parts ride on.
    Carrier,
    /// People who work together.
    Crew,
    /// A loop that parts go round once more.
    Rework,
    /// A place where material is used up.
    Feed,
    /// Where the described flow begins or ends.
    Boundary,
    /// What counts the output of a unit.
    CountPoint,
    /// When is worked.
    Calendar,
}

/// A change of one object of a description.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// What is done.
    pub action: ChangeAction,
    /// The object as it is afterwards, or as it was when it is removed.
    pub spec: Spec,
}
