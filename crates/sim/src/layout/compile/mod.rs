//! Makes a layout of a plant's description.

mod goods;
mod places;
mod sections;
mod stations;

use super::Layout;
use std::collections::BTreeMap;
use werkbuch_model::plant::{self, Description, FlowKind};
use werkbuch_model::time::Timestamp;

const MS_NS: u64 = 1_000_000;

/// Why a description cannot be simulated. Mend the object named in the plant file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LayoutError {
    /// No parts move. Declare flows between machines and buffers.
    #[error("the plant has no flow: no parts would move")]
    NoFlow,
    /// A buffer holds nothing. Give it a capacity of at least 1.
    #[error("the buffer \"{0}\" has no capacity")]
    NoCapacity(String),
    /// A cycle takes no time, so that time would stand still. Give it at least a millisecond.
    #[error("the machine \"{0}\" has a cycle below one millisecond")]
    NoCycle(String),
    /// Nothing comes in. Declare a boundary of kind source at a machine or a buffer.
    #[error("no part ever comes in: there is no boundary of kind source at a machine or a buffer")]
    NoSource,
    /// Parts reach a machine and can never leave. Declare a flow from it, or a boundary of kind sink.
    #[error("parts cannot leave \"{0}\": it has no flow that leads on and is no sink")]
    DeadEnd(String),
}

impl Layout {
    /// Makes a layout of a description. Calendars are laid out from `start` on, with the plant's
    /// clocks so many seconds ahead of UTC. Errors: the first [`LayoutError`] found.
    pub fn of(
        description: &Description,
        start: Timestamp,
        utc_offset_s: i32,
    ) -> Result<Self, LayoutError> {
        let mut making = Making::new(description);
        making.products();
        making.machines();
        making.buffers()?;
        making.ways();
        making.stations()?;
        making.gates();
        making.sections();
        making.supply();
        making.hours(start, utc_offset_s);
        making.check()?;
        Ok(making.layout)
    }
}

struct Making<'d> {
    from: &'d Description,
    layout: Layout,
    stations: BTreeMap<&'d str, usize>,
    buffers: BTreeMap<&'d str, usize>,
    variants: BTreeMap<&'d str, usize>,
    products: BTreeMap<&'d str, usize>,
}

impl<'d> Making<'d> {
    fn new(from: &'d Description) -> Self {
        Self {
            from,
            layout: Layout::default(),
            stations: BTreeMap::new(),
            buffers: BTreeMap::new(),
            variants: BTreeMap::new(),
            products: BTreeMap::new(),
        }
    }

    fn check(&self) -> Result<(), LayoutError> {
        if self.layout.ways.is_empty() {
            return Err(LayoutError::NoFlow);
        }
        let at_station = self.layout.stations.iter().any(|one| one.source.is_some());
        if !at_station && self.layout.buffers.iter().all(|one| one.source.is_none()) {
            return Err(LayoutError::NoSource);
        }
        let stuck = self.layout.stations.iter().find(|station| {
            let reached = station.source.is_some() || !station.ins.is_empty();
            let leads_on = |way: &usize| {
                self.layout
                    .ways
                    .get(*way)
                    .is_some_and(|way| way.kind == FlowKind::Main)
            };
            reached && !station.is_sink && !station.outs.iter().any(leads_on)
        });
        match stuck.and_then(|station| self.layout.machines.get(station.machine)) {
            Some(machine) => Err(LayoutError::DeadEnd(machine.id.clone())),
            None => Ok(()),
        }
    }
}

/// Whole pieces: what is less than one counts as one.
fn pieces(quantity: plant::Decimal) -> u32 {
    let whole = quantity.millionths().div_ceil(1_000_000).max(1);
    u32::try_from(whole).unwrap_or(u32::MAX)
}
