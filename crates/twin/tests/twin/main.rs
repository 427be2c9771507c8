//! The twin as its users see it: rules in tables, and the join against a naive model.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::type_complexity
)]

mod bodies;
mod corrections;
mod course;
mod description;
mod digest;
mod facts;
mod fold;
mod join;
mod line;
mod memory;
mod quality;
mod snapshot;
mod timeline;
mod views;
mod waits;
mod writer;
