//! The kernel of discrete-event simulation: what is due next, and chance that can be repeated.

mod arrivals;
mod calendar;
mod distribution;
pub(crate) mod special;
mod stream;

pub use arrivals::{ArrivalRates, ArrivalRatesError};
pub use calendar::Calendar;
pub use distribution::{Distribution, DistributionError, ParseDistributionError, Sample, Weighted};
pub(crate) use distribution::{normal, to_ns};
pub use stream::{Purpose, Stream, Streams};
