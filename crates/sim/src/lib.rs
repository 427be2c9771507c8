//! Simulated plants: a kernel of discrete events, a factory made of a description, and what its
//! machines say.
//!
//! # What it is
//!
//! A [`PlantRun`] is an endless sequence of events in simulated time, as gateways would hand them on.
//! It is made of a plant's description and of a [`Truth`](truth::Truth) that no description names:
//! parts move through the declared graph, stations work, fail, wait for repair, starve and block,
//! shifts and breaks come and go. What goes wrong on the way to the log is a choice ([`Degrade`]).
//! The same description and seed give the same events on every machine.
//!
//! Beside it stand networks of queues and machines ([`network`]), how they are held against exact results
//! ([`conformance`]), and what many replications say ([`statistics`]). The planner's what-if ([`whatif`]) runs
//! the factory of a model with and without changes. Times come from what was recorded ([`fit`]) or from what planners write
//! ([`kernel::Distribution`]).
//!
//! The kernel ([`kernel`]) knows nothing of factories, the factory nothing of events, and what turns
//! what happens into events knows nothing of what spoils them.
//!
//! # Example
//!
//! ```
//! use werkbuch_model::plant::{Description, diff, parse};
//! use werkbuch_model::time::Timestamp;
//! use werkbuch_sim::works::CarPlant;
//! use werkbuch_sim::{Degrade, PlantRun, Setting};
//!
//! let plant = CarPlant { number: 0, machines: 60, seed: 7 };
//! let file = parse(&plant.file(), "plant.toml").map_err(|mistakes| format!("{mistakes:?}"))?;
//! let mut description = Description::default();
//! for change in diff(&description, &file).map_err(|mistakes| format!("{mistakes:?}"))? {
//!     description.apply(&change)?;
//! }
//! let setting = Setting {
//!     plant: plant.id(),
//!     start: Timestamp::parse("2025-01-13T13:00:00Z")?,
//!     utc_offset_s: 3_600,
//!     seed: 7,
//!     replication: 0,
//!     degrade: Degrade::default(),
//! };
//! let mut run = PlantRun::new(&description, &setting)?;
//! let hour = 3_600_000_000_000;
//! let events = std::iter::from_fn(|| run.next_before(hour)).count();
//! assert!(events > 10_000);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Why
//!
//! - 2026-11-22: chance comes from a counter (Philox 4x32-10) keyed by seed, replication, station and
//!   purpose, so that what one station does by chance is not changed by another's being added, and a
//!   copy of a factory goes on as the factory would have.
//! - 2026-11-22: times are whole nanoseconds; where a distribution needs a logarithm it comes from
//!   `libm`, whose last bit is the same on every platform.
//! - 2026-11-22: state is flat arrays indexed by station, slot, machine and buffer, so that a fork is
//!   a copy. What is planned is never taken out of the calendar: a generation makes it void.
//! - 2026-11-22: machines fail on the clock of their work, which stands while they starve or are
//!   blocked; zones stop on the clock on the wall. Both wait for the same crews.
//! - 2026-11-22: stations that index or stand on a belt are one section, which makes its steps as a
//!   whole; a part gets in with a step. So who waits is blocked or starved as anywhere else, and a belt
//!   that stands holds its stations.
//! - 2026-11-22: a spoilt part goes on unknown until a station that has an exit for scrap: only there
//!   is a line able to take it out, and its counters can know of it.
//! - 2026-11-22: invented plants are written as plant files and read like any other, so that nothing
//!   is simulated that could not have been described.
//! - 2026-11-23: in a network everything that may happen is one timer of a fixed set, in a tree of winners:
//!   nothing is ever void, nothing is allocated on the way, and a fork is a copy of arrays. The factory's
//!   calendar is a heap of what was planned, with generations that make it void.
//! - 2026-11-23: how long a study of the long run is to be is guessed from a pilot whose chance is another: an
//!   interval that is looked at until it is narrow holds its value less often than it says.
//! - 2026-11-23: a distribution is an enum whose lists are shared: a clone is cheap, a draw allocates nothing,
//!   and a fork of a network copies none of them. A trace has no position of its own: its stream has one.
//! - 2026-11-23: fits use `libm` alone, as draws do: what is fitted is what is simulated, and the same data are
//!   to give the same study on every machine.
//! - 2026-11-23: what a scenario changes on the way are whole layouts and truths, one for each time at which
//!   anything changes, that the running factory swaps: no change needs a place of its own in the engine, and
//!   a replication copies nothing but its state.
//! - 2026-11-23: a what-if runs the factory, since it knows shifts, variants, carriers and material; a line that
//!   both can be is run by both in a test, so that the factory is held by what the network is held by.
//! - 2026-11-24: a family is fitted only where the values support its mean, and parameters drawn anew are held by
//!   the same rule: a tail that no value speaks for makes a study say anything.
//! - 2026-11-24: a stock's pieces are told from what came and was used by the difference of two levels; where it lay
//!   in all is told by a count or a shortage alone, else by stocks of its kind, and it is said which.
//! - 2026-11-24: machines of other plants speak for failures, repairs and set-ups, not for cycles: those are a
//!   matter of what is made.
//! - 2026-11-22: a plant's clocks keep the offset from UTC that they have at the start of a run.

#![warn(missing_docs)]

pub mod conformance;
mod degrade;
mod factory;
mod fan_out;
pub mod fit;
pub mod kernel;
pub mod layout;
pub mod network;
mod report;
mod run;
pub mod statistics;
#[cfg(test)]
mod tests;
pub mod truth;
pub mod whatif;
pub mod works;

pub use degrade::{DEGRADATIONS, Degrade, Delivered, Faults, LEVELS, Outage, UnknownDegradation};
pub use factory::{Cause, Stop, Tally};
pub use fan_out::replicate;
pub use report::{Beside, CounterTruth};
pub use run::{PartTruth, PlantRun, Setting};

/// Nanoseconds in one second.
pub const SECOND_NS: u64 = 1_000_000_000;
