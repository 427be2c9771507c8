//! The seeded factory that drives the demo: stations, buffers and what machines would say.
//!
//! # What it is
//!
//! A [`Factory`] is an endless sequence of events in simulated time. Stations work in cycles, fail
//! and are repaired, wait for parts and for room by what the buffers really hold, change over, and
//! count good parts and scrap. The same layout and seed give the same events on every machine.
//!
//! # Example
//!
//! ```
//! use werkbuch_model::id::MachineNumber;
//! use werkbuch_sim::{Buffer, Factory, Layout, SECOND_NS, Station};
//!
//! let station = |number, inputs: &[usize], output| Station {
//!     machine: MachineNumber(number),
//!     inputs: inputs.to_vec(),
//!     output,
//!     cycle_ns: 60 * SECOND_NS,
//!     ..Station::default()
//! };
//! let layout = Layout {
//!     stations: vec![station(1, &[], Some(0)), station(2, &[0], None)],
//!     buffers: vec![Buffer { capacity: 4, initial: 2 }],
//! };
//! let mut factory = Factory::new(layout, 7)?;
//! let hour = factory.by_ref().take_while(|event| event.at_ns < 3_600 * SECOND_NS).count();
//! assert!(hour > 100);
//! assert!(factory.flow().left > 50 && factory.flow().left <= factory.flow().entered);
//! # Ok::<(), werkbuch_sim::LayoutError>(())
//! ```
//!
//! # Why
//!
//! - 2026-11-22: whole numbers only. A failure is drawn for each cycle with the chance that cycle and
//!   mean time between failures give, so that no logarithm, whose last bit differs between
//!   platforms, decides what happens.
//! - 2026-11-22: each station draws from its own stream of the generator, so that what one station
//!   does by chance is not changed by another's being added.

#![warn(missing_docs)]

mod draw;
mod factory;
mod layout;
mod station;

pub use factory::{Event, Factory, Flow};
pub use layout::{Buffer, Layout, LayoutError, Station};

/// Nanoseconds in one second.
pub const SECOND_NS: u64 = 1_000_000_000;
