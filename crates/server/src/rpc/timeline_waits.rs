//! Follows why machines wait over a window: what is inferred from their neighbours and buffers.

use crate::sweep::{Gauge, Moved, Needs, Sweep};
use std::collections::{BTreeMap, BTreeSet};
use werkbuch_engine::{EngineError, Plant};
use werkbuch_model::event::State;
use werkbuch_model::id::{MachineNumber, Position};
use werkbuch_model::time::Timestamp;
use werkbuch_twin::line::WaitCause;
use werkbuch_twin::quality::Window;
use werkbuch_twin::{MachineTwin, Twin};

/// A time for which one cause held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wait {
    pub(crate) begin: Timestamp,
    pub(crate) end: Timestamp,
    pub(crate) cause: WaitCause,
}

/// Whether a machine may wait without saying why, as its state signal says or as it is shown.
pub(super) fn may_wait(machine: &MachineTwin<'_>) -> bool {
    let state = machine.state();
    [state.shown, state.signal].into_iter().any(waits)
}

/// Whether a state asks why.
pub(super) fn waits(state: State) -> bool {
    matches!(state, State::Waiting | State::Idle)
}

/// Whether parts pass one of these machines, so that its neighbours tell something about it.
pub(super) fn in_flow(twin: &Twin, machines: &BTreeSet<MachineNumber>) -> bool {
    let description = twin.description();
    machines.iter().any(|number| {
        description.machine(*number).is_some_and(|machine| {
            description.flows_from(&machine.id).next().is_some()
                || description.flows_to(&machine.id).next().is_some()
        })
    })
}

/// The causes of machines' waits over a window, as known up to a position, in the order of time. Every event
/// of the plant is read for it: why a machine waits can follow from any that parts come from or go to.
/// Blocking. Errors: those of the log and the fold.
pub(super) fn causes(
    plant: &Plant,
    known: Position,
    window: Window,
    machines: &BTreeSet<MachineNumber>,
) -> Result<BTreeMap<MachineNumber, Vec<Wait>>, EngineError> {
    let gauge = Gauge::default();
    let mut found: BTreeMap<MachineNumber, Vec<Wait>> = BTreeMap::new();
    let Some(mut sweep) = Sweep::begin(plant.clone(), known, window, Needs::waits(), &gauge)?
    else {
        return Ok(found);
    };
    let mut open: BTreeMap<MachineNumber, (Timestamp, WaitCause)> = BTreeMap::new();
    let mut moved: BTreeSet<MachineNumber> = machines.clone();
    let mut at = window.from;
    loop {
        for machine in std::mem::take(&mut moved) {
            let waits = sweep.course().waits();
            let cause = waits.and_then(|waits| waits.machine(machine));
            if open.get(&machine).map(|(_, cause)| cause) == cause {
                continue;
            }
            if let Some((begin, cause)) = open.remove(&machine) {
                close(&mut found, machine, (begin, at), cause);
            }
            if let Some(cause) = cause {
                open.insert(machine, (at, cause.clone()));
            }
        }
        let mut note = |_: &_, these: Moved<'_>, _: Position| match these {
            Moved::All => moved.extend(machines),
            Moved::These(these) => moved.extend(these.intersection(machines)),
        };
        match sweep.moment(&gauge, &mut note)? {
            Some(moment) => at = moment,
            None => break,
        }
    }
    for (machine, (begin, cause)) in open {
        close(&mut found, machine, (begin, window.to), cause);
    }
    Ok(found)
}

fn close(
    found: &mut BTreeMap<MachineNumber, Vec<Wait>>,
    machine: MachineNumber,
    (begin, end): (Timestamp, Timestamp),
    cause: WaitCause,
) {
    // What begins and ends at one time never was.
    if begin < end {
        let waits = found.entry(machine).or_default();
        waits.push(Wait { begin, end, cause });
    }
}
