//! Machines by their numbers, found in one step, and by their names.

use super::spec::Machine;
use crate::id::{ElementId, MachineNumber};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;

/// Machines in the order of their numbers. Every event asks for its machine here, and numbers are
/// given without gaps from 1, so the place is nearly always known at once.
///
/// Names stand once, with the machines: a map of them would hold each a second time.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Numbered {
    machines: Vec<Machine>,
    /// The numbers in the order of the machines' names.
    by_name: Vec<MachineNumber>,
}

impl Numbered {
    pub(super) fn get(&self, number: MachineNumber) -> Option<&Machine> {
        self.machines.get(self.place(number).ok()?)
    }

    /// For changes to all but its name and number.
    pub(super) fn get_mut(&mut self, number: MachineNumber) -> Option<&mut Machine> {
        let place = self.place(number).ok()?;
        self.machines.get_mut(place)
    }

    /// The machine with this name now.
    pub(super) fn named(&self, name: &str) -> Option<&Machine> {
        let at = self.name_place(name).ok()?;
        self.get(*self.by_name.get(at)?)
    }

    /// Puts a machine under its number, in the place of the one that had it. Its name is free.
    pub(super) fn insert(&mut self, machine: Machine) {
        self.remove_name(machine.number);
        if let Err(at) = self.name_place(machine.id.as_str()) {
            self.by_name.insert(at, machine.number);
        }
        match self.place(machine.number) {
            Ok(place) => {
                if let Some(held) = self.machines.get_mut(place) {
                    *held = machine;
                }
            }
            Err(place) => {
                // A machine takes hundreds of bytes, so doubling would waste much.
                if self.machines.len() == self.machines.capacity() {
                    self.machines.reserve_exact(1 + self.machines.len() / 8);
                }
                self.machines.insert(place, machine);
            }
        }
    }

    pub(super) fn remove(&mut self, number: MachineNumber) -> Option<Machine> {
        self.remove_name(number);
        let place = self.place(number).ok()?;
        Some(self.machines.remove(place))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Machine> {
        self.machines.iter()
    }

    fn remove_name(&mut self, number: MachineNumber) {
        let held = self.get(number).map(|machine| machine.id.as_str());
        if let Some(Ok(at)) = held.map(|name| self.name_place(name)) {
            self.by_name.remove(at);
        }
    }

    /// Where a name is or would be among those in order.
    fn name_place(&self, name: &str) -> Result<usize, usize> {
        let name_of = |number: &MachineNumber| self.get(*number).map(|machine| &machine.id);
        self.by_name
            .binary_search_by(|number| name_of(number).map(ElementId::as_str).cmp(&Some(name)))
    }

    fn place(&self, number: MachineNumber) -> Result<usize, usize> {
        let guess = (number.get() as usize).wrapping_sub(1);
        if self.has_no_gaps() && guess < self.machines.len() {
            return Ok(guess);
        }
        match self.machines.get(guess) {
            Some(machine) if machine.number == number => Ok(guess),
            _ => self
                .machines
                .binary_search_by_key(&number, |machine| machine.number),
        }
    }
}

impl Numbered {
    /// Whether the numbers are those from 1 on. Then nobody has to look at a machine to know that it is
    /// there: every event asks, and the machine itself is memory that the processor has to wait for.
    fn has_no_gaps(&self) -> bool {
        let number = |machine: &Machine| machine.number.get() as usize;
        let ends = (self.machines.first(), self.machines.last());
        ends.0.map(number) == Some(1) && ends.1.map(number) == Some(self.machines.len())
    }
}

impl Serialize for Numbered {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(
            self.machines
                .iter()
                .map(|machine| (machine.number, machine)),
        )
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
        let machines: Vec<Machine> = machines.into_values().collect();
        let mut by_name: Vec<&Machine> = machines.iter().collect();
        by_name.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        if by_name.windows(2).any(|pair| pair[0].id == pair[1].id) {
            let what = "two machines have one name";
            return Err(serde::de::Error::custom(what));
        }
        let by_name = by_name.iter().map(|machine| machine.number).collect();
        Ok(Self { machines, by_name })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_machine_is_found_whatever_numbers_miss() {
        for numbers in [
            &[1, 2, 3][..],
            &[1, 3],
            &[2, 3],
            &[0, 2],
            &[0, 1, 3],
            &[5],
            &[],
        ] {
            let mut numbered = Numbered::default();
            for number in numbers {
                let id = ElementId::new(format!("m{number}")).unwrap();
                numbered.insert(Machine::new(id, MachineNumber(*number)));
            }
            for number in 0..7 {
                let found = numbered.get(MachineNumber(number));
                let found = found.map(|machine| machine.number.get());
                assert_eq!(
                    found,
                    numbers.contains(&number).then_some(number),
                    "{numbers:?}"
                );
            }
        }
    }
}
