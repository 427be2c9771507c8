//! The kernel of discrete-event simulation: what is due next, and chance that can be repeated.

mod calendar;
mod distribution;
mod stream;

pub use calendar::Calendar;
pub use distribution::Distribution;
pub(crate) use distribution::{normal, to_ns};
pub use stream::{Purpose, Stream, Streams};
