//! What a plant's log says of a window, as plain values: the evidence that a fork is made of.

use werkbuch_model::event::State;
use werkbuch_model::time::Timestamp;

/// What was recorded of a plant up to an instant.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PlantRecord {
    /// The first time of the window, in nanoseconds since 1970.
    pub from_ns: i64,
    /// The instant, which is the end of the window.
    pub at_ns: i64,
    /// The position of the log that is reflected.
    pub position: u64,
    /// The machines of which anything was recorded.
    pub machines: Vec<MachineRecord>,
    /// What lay where at the instant.
    pub places: Vec<PlaceRecord>,
}

/// What was recorded of a machine.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MachineRecord {
    /// Its name.
    pub machine: String,
    /// What it did, in order, without gaps.
    pub intervals: Vec<Spent>,
    /// The cycles that it completed, in order.
    pub cycles: Vec<CycleRecord>,
    /// Good parts, parts to be reworked, scrap, by its counters.
    pub parts: [u64; 3],
}

/// A time in a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spent {
    /// The state.
    pub state: State,
    /// Its begin, in nanoseconds since 1970.
    pub from_ns: i64,
    /// Its end.
    pub to_ns: i64,
    /// Whether anybody watched.
    pub is_covered: bool,
}

/// A cycle that was completed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CycleRecord {
    /// When it ended, in nanoseconds since 1970.
    pub at_ns: i64,
    /// How long it took, as the source says; absent where it does not.
    pub took_ns: Option<u64>,
    /// The variant; empty where it is not said.
    pub variant: String,
}

/// How many parts lay at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlaceRecord {
    /// The buffer or machine.
    pub place: String,
    /// No fewer.
    pub lower: u64,
    /// No more; absent where nothing bounds it.
    pub upper: Option<u64>,
    /// How it is known: TRACKED, REPORTED, COUNTED, ESTIMATED or UNKNOWN.
    pub method: String,
}

impl PlantRecord {
    /// When the window ends.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        Timestamp(self.at_ns)
    }

    pub(super) fn machine(&self, name: &str) -> Option<&MachineRecord> {
        self.machines.iter().find(|one| one.machine == name)
    }
}
