//! Gives every machine of a plant file the number it has, declares, or gets.

use super::description::{Description, MACHINE_NUMBER_MAX};
use super::file::{DeclaredMachine, PlantFile};
use super::mistake::Mistake;
use super::spec::Machine;
use crate::id::{ElementId, MachineNumber};
use std::collections::{BTreeMap, BTreeSet};

/// Finds the number of every machine of the file.
pub(super) struct Numbering<'a> {
    current: &'a Description,
    file: &'a PlantFile,
    /// The names of the file's machines.
    ids: BTreeSet<&'a ElementId>,
    /// The file's machine that has each number.
    owners: BTreeMap<MachineNumber, &'a ElementId>,
    mistakes: Vec<Mistake>,
}

impl<'a> Numbering<'a> {
    pub(super) fn new(current: &'a Description, file: &'a PlantFile) -> Self {
        Self {
            current,
            file,
            ids: file
                .machines
                .iter()
                .map(|machine| &machine.spec.id)
                .collect(),
            owners: BTreeMap::new(),
            mistakes: Vec::new(),
        }
    }

    /// The machines as the file declares them, each with its number and all its old names.
    pub(super) fn machines(mut self) -> Result<Vec<Machine>, Vec<Mistake>> {
        let file = self.file;
        let known: Vec<Option<MachineNumber>> = file
            .machines
            .iter()
            .map(|machine| {
                let number = self.known(machine);
                self.own(machine, number)
            })
            .collect();
        let used: BTreeSet<MachineNumber> = self
            .current
            .machines()
            .chain(self.current.removed())
            .map(|machine| machine.number)
            .chain(self.owners.keys().copied())
            .collect();
        let mut free = (1..=MACHINE_NUMBER_MAX)
            .map(MachineNumber)
            .filter(|number| !used.contains(number));
        let mut machines = Vec::with_capacity(file.machines.len());
        for (machine, number) in file.machines.iter().zip(known) {
            match number.or_else(|| free.next()) {
                Some(number) => machines.push(self.machine(machine, number)),
                None => self.mistake(machine, "no machine number is free".into(), String::new()),
            }
        }
        if self.mistakes.is_empty() {
            Ok(machines)
        } else {
            Err(self.mistakes)
        }
    }

    /// The number that the machine has already, or that the file declares for it.
    fn known(&mut self, machine: &DeclaredMachine) -> Option<MachineNumber> {
        let current = self.current;
        let present = current.machine_named(machine.spec.id.as_str());
        let present = present.filter(|found| found.id == machine.spec.id);
        let mut before: Vec<&Machine> = machine
            .formerly
            .iter()
            .filter_map(|old| current.machine_named(old.as_str()))
            .filter(|found| !self.ids.contains(&found.id))
            .collect();
        before.sort_by_key(|found| found.number);
        before.dedup_by_key(|found| found.number);
        let known = match (present, before.as_slice()) {
            (present, []) => present,
            (None, [one]) => Some(*one),
            (present, several) => {
                let names: Vec<String> = several
                    .iter()
                    .copied()
                    .chain(present)
                    .map(|found| format!("\"{}\"", found.id))
                    .collect();
                let what = format!(
                    "\"{}\" cannot be what {} were: they are several machines",
                    machine.spec.id,
                    names.join(" and ")
                );
                self.mistake(machine, what, "leave formerly out".into());
                return present.map(|found| found.number);
            }
        };
        let known = known.map(|found| found.number);
        match machine.fixed {
            Some(number) => self.declared(machine, number, known),
            None => known,
        }
    }

    fn declared(
        &mut self,
        machine: &DeclaredMachine,
        number: MachineNumber,
        known: Option<MachineNumber>,
    ) -> Option<MachineNumber> {
        let id = &machine.spec.id;
        let hint = || "leave number out and the plant gives one".to_owned();
        if let Some(known) = known {
            if known != number {
                let what = format!("\"{id}\" has the number {known} for ever, not {number}");
                let hint = format!("write number = {known}, or leave it out");
                self.mistake(machine, what, hint);
            }
            return Some(known);
        }
        if let Some(gone) = self.current.removed_machine(number) {
            let what = format!(
                "the number {number} belonged to \"{}\", which was removed; it is never given again",
                gone.id
            );
            self.mistake(machine, what, hint());
            return None;
        }
        if let Some(owner) = self.current.machine(number)
            && self.ids.contains(&owner.id)
        {
            let what = format!("the number {number} belongs to \"{}\"", owner.id);
            self.mistake(machine, what, hint());
            return None;
        }
        if number.get() == 0 || number.get() > MACHINE_NUMBER_MAX {
            let what = format!("the number {number} is outside 1 to {MACHINE_NUMBER_MAX}");
            self.mistake(machine, what, hint());
            return None;
        }
        Some(number)
    }

    /// Two machines of the file must not come from one of the plant.
    fn own(
        &mut self,
        machine: &'a DeclaredMachine,
        number: Option<MachineNumber>,
    ) -> Option<MachineNumber> {
        let number = number?;
        if let Some(other) = self.owners.insert(number, &machine.spec.id) {
            let what = format!(
                "\"{}\" and \"{other}\" would both be machine {number}",
                machine.spec.id
            );
            let hint = "each machine goes on under one name; correct number or formerly".into();
            self.mistake(machine, what, hint);
        }
        Some(number)
    }

    fn machine(&self, declared: &DeclaredMachine, number: MachineNumber) -> Machine {
        let mut aliases = declared.formerly.clone();
        if let Some(old) = self.current.machine(number) {
            aliases.extend(old.aliases.iter().cloned());
            aliases.push(old.id.clone());
        }
        Machine {
            number,
            aliases,
            ..declared.spec.clone()
        }
    }

    fn mistake(&mut self, machine: &DeclaredMachine, what: String, hint: String) {
        self.mistakes.push(Mistake {
            file: self.file.file_name.clone(),
            line: machine.place.line,
            column: machine.place.column,
            what,
            hint,
        });
    }
}
