//! The plant description: what a plant is made of, declared in a file, recorded as events.

mod authority;
mod describe;
mod description;
mod diff;
mod file;
mod mistake;
mod numbering;
mod spec;
#[cfg(test)]
mod tests;
mod words;
mod write;

pub use describe::describe;
pub use description::{Description, DescriptionError, MACHINE_NUMBER_MAX};
pub use diff::diff;
pub use file::{
    AUTHORITIES_MAX, BUFFERS_MAX, DeclaredMachine, FILE_BYTES_MAX, FLOWS_MAX, MACHINES_MAX,
    PlantFile, UNITS_MAX, parse,
};
pub use mistake::{Mistake, Place};
pub use spec::{
    Authority, Buffer, Change, ChangeAction, Flow, Level, Machine, ObjectKind, Plant, Spec, Unit,
};
pub use write::to_toml;
