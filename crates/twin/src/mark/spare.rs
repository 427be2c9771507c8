//! Machines that nobody needs any more: the next twin of the past is read into their memory.

use super::PAGE_MACHINES;
use crate::Twin;
use crate::machine::MachineState;
use std::sync::Arc;
use werkbuch_model::id::MachineNumber;

/// Room for the machines of a page; without any it is had from the system, machine by machine.
#[derive(Debug, Default)]
pub struct Spare(Vec<Arc<MachineState>>);

impl Twin {
    /// Gives the twin up for the room that its machines had, a page at a time. What others still hold of
    /// it stays theirs.
    #[must_use]
    pub fn into_spare(self) -> Vec<Spare> {
        let mut spare = Vec::new();
        let mut page = Vec::new();
        for mut machine in self.machines {
            if Arc::get_mut(&mut machine).is_some() {
                page.push(machine);
            }
            if page.len() >= PAGE_MACHINES as usize {
                spare.push(Spare(std::mem::take(&mut page)));
            }
        }
        if !page.is_empty() {
            spare.push(Spare(page));
        }
        spare
    }
}

impl Spare {
    /// A machine of which nothing is known yet.
    pub(super) fn machine(&mut self, number: MachineNumber) -> Arc<MachineState> {
        let spare = self.0.pop().and_then(|mut machine| {
            Arc::get_mut(&mut machine)?.renew(number);
            Some(machine)
        });
        spare.unwrap_or_else(|| Arc::new(MachineState::new(number)))
    }
}
