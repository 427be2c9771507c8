//! Machines by their numbers, found in one step.

use super::spec::Machine;
use crate::id::MachineNumber;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;

/// Machines in the order of their numbers. Every event asks for its machine here, and numbers are
/// given without gaps from 1, so the place is nearly always known at once.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Numbered(Vec<Machine>);

impl Numbered {
    pub(super) fn get(&self, number: MachineNumber) -> Option<&Machine> {
        self.0.get(self.place(number).ok()?)
    }

    pub(super) fn get_mut(&mut self, number: MachineNumber) -> Option<&mut Machine> {
        let place = self.place(number).ok()?;
        self.0.get_mut(place)
    }

    /// Puts a machine under its number, in the place of the one that had it.
    pub(super) fn insert(&mut self, machine: Machine) {
        match self.place(machine.number) {
            Ok(place) => {
                if let Some(held) = self.0.get_mut(place) {
                    *held = machine;
                }
            }
            Err(place) => {
                // A machine takes hundreds of bytes, so doubling would waste much.
                if self.0.len() == self.0.capacity() {
                    self.0.reserve_exact(1 + self.0.len() / 8);
                }
                self.0.insert(place, machine);
            }
        }
    }

    pub(super) fn remove(&mut self, number: MachineNumber) -> Option<Machine> {
        let place = self.place(number).ok()?;
        Some(self.0.remove(place))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Machine> {
        self.0.iter()
    }

    fn place(&self, number: MachineNumber) -> Result<usize, usize> {
        let guess = (number.get() as usize).wrapping_sub(1);
        match self.0.get(guess) {
            Some(machine) if machine.number == number => Ok(guess),
            _ => self
                .0
                .binary_search_by_key(&number, |machine| machine.number),
        }
    }
}

impl Serialize for Numbered {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(self.0.iter().map(|machine| (machine.number, machine)))
    }
}

impl<'de> Deserialize<'de> for Numbered {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let machines = BTreeMap::<MachineNumber, Machine>::deserialize(from)?;
        if machines
            .iter()
            .any(|(number, machine)| *number != machine.number)
        {
            let what = "a machine stands under another number than its own";
            return Err(serde::de::Error::custom(what));
        }
        Ok(Self(machines.into_values().collect()))
    }
}
