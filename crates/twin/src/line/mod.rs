//! How parts go through the plant: why machines wait, and where the parts are.
//!
//! Projections over a twin and its description, made when asked for and never stored. What a source
//! reports goes before what is inferred, and each answer says which of the two it is and why.

mod graph;
mod moves;
mod placed;
mod scene;
mod section;
mod shift;
mod stock;
mod wait;
mod waits;
mod wip;

pub use graph::{Element, Graph};
pub use moves::{Moves, Range};
pub use stock::{Counted, Level, Stocks, TrackedPart};
pub use wait::{Provenance, WaitCause, WaitCauses};
pub use waits::Waits;
pub use wip::{Method, WipKind, WipRow, wip};
