//! When parts come in and in which order, and which part a machine takes first.

use crate::kernel::{ArrivalRates, Stream};
use std::sync::Arc;

/// When parts come in at a source, and what they are.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Programme {
    /// When they come.
    pub comes: Comes,
    /// Of which variants they are, one after the other; empty where their shares say it.
    pub variants: Arc<[usize]>,
    /// Whether the variants begin anew when they are through; else nothing comes after the last one.
    pub repeats: bool,
}

/// When parts come in. Who finds no room waits outside.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Comes {
    /// With the times between two that are planned, or drawn.
    #[default]
    Between,
    /// By chance at rates that change with the time.
    Rates(ArrivalRates),
    /// At these times, in nanoseconds from the start, in order; then no more.
    Times(Arc<[u64]>),
}

impl Comes {
    /// When the next part comes after the one that came at a time as the last of so many; absent where the plan or a
    /// draw says it, the end of time where none does.
    pub(crate) fn next_ns(&self, last_ns: u64, count: usize, stream: &mut Stream) -> Option<u64> {
        match self {
            Self::Between => None,
            Self::Rates(rates) => Some(rates.next_ns(last_ns, stream).unwrap_or(u64::MAX)),
            Self::Times(times) => Some(times.get(count).copied().unwrap_or(u64::MAX)),
        }
    }

    /// So many times as many parts.
    pub(crate) fn scale(&mut self, factor: f64) {
        match self {
            Self::Between => {}
            Self::Rates(rates) => *rates = rates.scaled(factor),
            Self::Times(times) => {
                let sooner = times.iter().map(|at_ns| (*at_ns as f64 / factor) as u64);
                *times = sooner.collect();
            }
        }
    }
}

/// How a machine takes parts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dispatch {
    /// Which one out of a buffer goes first.
    pub first: First,
    /// Whether it begins work only where there is room for the part afterwards.
    pub blocks_before: bool,
}

/// Which part a machine takes first out of a buffer; of equal ones that which came first.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum First {
    /// As the buffer gives them.
    #[default]
    AsTheyLie,
    /// The one whose work is the shortest by the plan, or on average.
    ShortestTime,
    /// The one that is due first: so long after it came in, in nanoseconds by variant.
    EarliestDue(Arc<[u64]>),
    /// The one whose set-up is the shortest; none is shorter than any.
    FewestSetups,
    /// By variant: these, one after the other, then all others.
    Priority(Arc<[usize]>),
}
