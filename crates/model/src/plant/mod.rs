//! The plant description: what a plant is made of, declared in a file, recorded as events.

mod authority;
mod calendar;
mod check;
mod describe;
mod description;
mod diff;
mod file;
mod mistake;
mod numbered;
mod numbering;
mod object;
mod spec;
mod tables;
#[cfg(test)]
mod tests;
mod words;
mod write;

pub use authority::in_class;
pub use calendar::{CALENDAR_DAYS_MAX, CalendarError, Planned, Timetable};
pub use check::{Answerable, Missing, Question, Remark};
pub use describe::{describe, sign};
pub use description::{Description, DescriptionError, MACHINE_NUMBER_MAX};
pub use diff::diff;
pub use file::{
    AUTHORITIES_MAX, BUFFERS_MAX, DeclaredMachine, FILE_BYTES_MAX, FLOWS_MAX, MACHINES_MAX,
    OBJECTS_MAX, PlantFile, STEPS_MAX, TableRef, TableText, UNITS_MAX, parse, parse_with,
    tables_of,
};
pub use mistake::{Lines, Mistake, Place};
pub use object::{Field, Value};
pub use spec::{
    Authority, Boundary, BoundaryKind, Break, Buffer, BufferKind, Calendar, CalendarException,
    Carrier, CarrierKind, Change, ChangeAction, CountPoint, Crew, CrewKind, DAY_NAMES,
    DAY_START_DEFAULT, Date, Days, Decimal, ExceptionKind, Feed, FeedKind, Flow, FlowKind,
    FlowRole, Level, Machine, ObjectKind, Plant, Product, Release, Rework, SAMPLE_DAYS_DEFAULT,
    Setup, Shift, Spec, SpecRef, Step, StopEffect, StopGroup, StopKind, TimeOfDay, Transfer, Unit,
    Variant,
};
pub use write::to_toml;
