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
    /// What was brought to the line and used up there: one entry for each part number and place.
    pub stocks: Vec<StockRecord>,
    /// Machines of other plants, of types of which this plant's have recorded little: they count where a type has
    /// fewer than ten values in this plant, for failures, repairs and set-ups alone. Their cycles do not: those are
    /// a matter of what is made.
    pub others: Vec<OtherRecord>,
}

/// What was recorded of a machine of another plant.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OtherRecord {
    /// The plant.
    pub plant: String,
    /// What sort of machine it is, as its plant's description says: its class.
    pub sort: String,
    /// Its record, over a window of the same length; `cycles` and `parts` may be empty.
    pub record: MachineRecord,
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
    /// When somebody was at it to mend it, in order.
    pub attended: Vec<Attended>,
    /// Good parts, parts to be reworked, scrap, by its counters.
    pub parts: [u64; 3],
}

/// A time at which somebody was at a machine to mend it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attended {
    /// When they came, in nanoseconds since 1970: `MaintenanceStarted` of the machine, CORRECTIVE and not planned,
    /// with corrections. Of a machine without any in the window: `AlarmAcknowledged` while it is faulted.
    pub from_ns: i64,
    /// When they were done: `MaintenanceEnded` of the same work order; absent where it had not ended at the instant,
    /// and of an acknowledgement.
    pub to_ns: Option<i64>,
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

/// What was recorded of the pieces of a part number at a place by the line, within the window.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StockRecord {
    /// The part number.
    pub part_number: String,
    /// The machine or buffer by its name: the `to` of what is brought, the `at` of what is used (where that is
    /// empty, the event's machine).
    pub place: String,
    /// Deliveries to it, by the time of their call.
    pub calls: Vec<CallRecord>,
    /// What came and what was used, in the order of the events.
    pub moves: Vec<StockMove>,
    /// What was counted there, in order: `InventoryCounted` with this part number and location. Its pieces are
    /// those that lay there, not a difference.
    pub counts: Vec<StockMove>,
    /// When it was called out as missing, in nanoseconds since 1970: `AndonRaised` about MATERIAL whose machine (or
    /// location) is the place and whose key or text contains the part number.
    pub missing_ns: Vec<i64>,
}

/// A delivery that was called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallRecord {
    /// When it was called, in nanoseconds since 1970: `TransportStarted` with the part number, to the place.
    pub called_ns: i64,
    /// When it was there: `TransportEnded` of the same transport; absent where it had not ended at the instant.
    pub came_ns: Option<i64>,
}

/// Pieces at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StockMove {
    /// When, in nanoseconds since 1970.
    pub at_ns: i64,
    /// How many came (`MaterialMoved` or `MaterialArrived` to the place), or with a minus how many were used
    /// (`MaterialConsumed`) or went away (`MaterialMoved` from the place). Part pieces are rounded.
    pub pieces: i64,
}

impl MachineRecord {
    /// When somebody first came within a time.
    pub(super) fn came_within(&self, spent: &Spent) -> Option<i64> {
        let mut came = self.attended.iter().map(|one| one.from_ns);
        came.find(|at_ns| (spent.from_ns..spent.to_ns).contains(at_ns))
    }
}

impl PlantRecord {
    pub(super) fn stock(&self, part_number: &str, place: &str) -> Option<&StockRecord> {
        let mut stocks = self.stocks.iter();
        stocks.find(|one| one.part_number == part_number && one.place == place)
    }

    /// When the window ends.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        Timestamp(self.at_ns)
    }

    pub(super) fn machine(&self, name: &str) -> Option<&MachineRecord> {
        self.machines.iter().find(|one| one.machine == name)
    }
}
