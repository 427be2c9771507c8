//! A plant's description as folded from its changes.

use super::numbered::Numbered;
use super::spec::{
    Authority, Buffer, Change, ChangeAction, Level, Machine, ObjectKind, Plant, Spec, SpecRef, Unit,
};
use super::tables::Tables;
use crate::id::{ElementId, MachineNumber};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

/// The greatest machine number: numbers are indexes of arrays, a mistyped one must not fill memory.
pub const MACHINE_NUMBER_MAX: u32 = 1_000_000;

/// What a plant is made of, after the changes applied so far.
///
/// Names of units, machines and buffers are unique. An old name of a machine finds it until
/// something else is given that name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Description {
    plant: Option<Plant>,
    #[serde(deserialize_with = "full_nodes")]
    units: BTreeMap<ElementId, Unit>,
    machines: Numbered,
    removed: BTreeMap<MachineNumber, Machine>,
    buffers: BTreeMap<ElementId, Buffer>,
    pub(super) tables: Tables,
    /// In the order of declaration, which decides between equally specific ones.
    authorities: Vec<Authority>,
    /// The names of all that is no machine, and those that machines had before.
    #[serde(deserialize_with = "full_nodes")]
    names: BTreeMap<ElementId, Bearer>,
}

/// Reads a map whose keys come in order, as they are written. Put in one by one, they would leave
/// nearly half of each node empty.
fn full_nodes<'de, D, K, V>(from: D) -> Result<BTreeMap<K, V>, D::Error>
where
    D: serde::Deserializer<'de>,
    K: Deserialize<'de> + Ord,
    V: Deserialize<'de>,
{
    let map = BTreeMap::<K, V>::deserialize(from)?;
    Ok(map.into_iter().collect())
}

/// What a name stands for that is not the name of a machine now.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
enum Bearer {
    Unit,
    Buffer,
    Alias(MachineNumber),
}

/// Why a change does not fit the description.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DescriptionError {
    /// The change does not say what it does. Say add, change or remove.
    #[error("the change of the {0} does not say whether it adds, changes or removes")]
    Action(ObjectKind),
    /// The object to be added is there. Change it instead.
    #[error("the {kind} \"{name}\" is there already")]
    Exists {
        /// The kind of object.
        kind: ObjectKind,
        /// Its name.
        name: String,
    },
    /// The object to be changed or removed is not there. Compare with the present description.
    #[error("there is no {kind} \"{name}\"")]
    Absent {
        /// The kind of object.
        kind: ObjectKind,
        /// Its name.
        name: String,
    },
    /// The name belongs to something else. Choose another name.
    #[error("the name \"{0}\" belongs to something else in the plant")]
    NameTaken(ElementId),
    /// The number belongs to another machine. Choose another number.
    #[error("the machine number {number} belongs to \"{owner}\"")]
    NumberTaken {
        /// The number.
        number: MachineNumber,
        /// Whose it is.
        owner: ElementId,
    },
    /// The number belonged to a machine that is gone. Choose another: numbers are never given again.
    #[error("the machine number {number} belonged to \"{owner}\" and is never given again")]
    NumberRetired {
        /// The number.
        number: MachineNumber,
        /// Whose it was.
        owner: ElementId,
    },
    /// The number is 0 or too great. Choose one from 1 to [`MACHINE_NUMBER_MAX`].
    #[error("the machine number {0} is outside 1 to {MACHINE_NUMBER_MAX}")]
    NumberOutOfRange(MachineNumber),
}

static UNDECLARED: Plant = Plant::undeclared();

impl Description {
    /// Applies one change. On an error nothing has changed.
    ///
    /// A machine is known by its number: a change under another name is a renaming, and the old
    /// name stays as an alias; aliases only ever grow. A name that is an alias may be given anew,
    /// and is then no alias any more. A removed machine's number is never taken again. Parents and
    /// ends of flows are not checked: the parts of a revision may come in any order.
    ///
    /// Errors: [`DescriptionError`] for an addition of what is there, a change or removal of what
    /// is not, a name or number that belongs to something else.
    pub fn apply(&mut self, change: &Change) -> Result<(), DescriptionError> {
        match (change.action, &change.spec) {
            (ChangeAction::Unspecified, spec) => Err(DescriptionError::Action(spec.kind())),
            (action, Spec::Plant(plant)) => self.apply_plant(action, plant),
            (action, Spec::Unit(unit)) => self.apply_unit(action, unit),
            (action, Spec::Buffer(buffer)) => self.apply_buffer(action, buffer),
            (action, Spec::Authority(authority)) => self.apply_authority(action, authority),
            (ChangeAction::Add, Spec::Machine(machine)) => self.add_machine(machine),
            (ChangeAction::Change, Spec::Machine(machine)) => self.change_machine(machine),
            (ChangeAction::Remove, Spec::Machine(machine)) => self.remove_machine(machine),
            (action, spec) => self.tables.apply(action, spec),
        }
    }

    /// The plant itself; without name and time zone (which means UTC) until it is declared.
    #[must_use]
    pub fn plant(&self) -> &Plant {
        self.plant.as_ref().unwrap_or(&UNDECLARED)
    }

    /// Whether the plant itself has been declared.
    #[must_use]
    pub fn is_declared(&self) -> bool {
        self.plant.is_some()
    }

    /// All units by name.
    pub fn units(&self) -> impl Iterator<Item = &Unit> {
        self.units.values()
    }

    /// All machines that are there, by number.
    pub fn machines(&self) -> impl Iterator<Item = &Machine> {
        self.machines.iter()
    }

    /// All buffers by name.
    pub fn buffers(&self) -> impl Iterator<Item = &Buffer> {
        self.buffers.values()
    }

    /// All authorities in the order of their declaration.
    pub fn authorities(&self) -> impl Iterator<Item = &Authority> {
        self.authorities.iter()
    }

    /// The machines that are gone, as they were last, by number.
    pub fn removed(&self) -> impl Iterator<Item = &Machine> {
        self.removed.values()
    }

    /// Every object that is there: the plant, units, machines, buffers, then the others in the order
    /// in which files declare them.
    pub fn objects(&self) -> impl Iterator<Item = SpecRef<'_>> {
        let plant = self.plant.iter().map(SpecRef::Plant);
        plant
            .chain(self.units().map(SpecRef::Unit))
            .chain(self.machines().map(SpecRef::Machine))
            .chain(self.buffers().map(SpecRef::Buffer))
            .chain(self.tables.all())
            .chain(self.authorities().map(SpecRef::Authority))
    }

    /// The object of the same kind and key as this one, which for a machine is its number.
    #[must_use]
    pub fn same(&self, spec: &Spec) -> Option<SpecRef<'_>> {
        match spec {
            Spec::Plant(_) => self.plant.as_ref().map(SpecRef::Plant),
            Spec::Unit(unit) => self.units.get(&unit.id).map(SpecRef::Unit),
            Spec::Machine(machine) => self.machines.get(machine.number).map(SpecRef::Machine),
            Spec::Buffer(buffer) => self.buffers.get(&buffer.id).map(SpecRef::Buffer),
            Spec::Authority(authority) => {
                let mut all = self.authorities.iter();
                all.find(|other| other.key() == authority.key())
                    .map(SpecRef::Authority)
            }
            other => self.tables.same(other),
        }
    }

    /// The machine with this number, unless it is gone.
    #[must_use]
    pub fn machine(&self, number: MachineNumber) -> Option<&Machine> {
        self.machines.get(number)
    }

    /// The machine that had this number, if it is gone.
    #[must_use]
    pub fn removed_machine(&self, number: MachineNumber) -> Option<&Machine> {
        self.removed.get(&number)
    }

    /// The name that the machine with this number has, or had last if it is gone; none where that name
    /// finds something else today.
    #[must_use]
    pub fn name_of(&self, number: MachineNumber) -> Option<&ElementId> {
        if let Some(machine) = self.machines.get(number) {
            return Some(&machine.id);
        }
        let gone = &self.removed.get(&number)?.id;
        let mut later = self
            .removed
            .range((Bound::Excluded(number), Bound::Unbounded));
        let borne = self.machines.named(gone.as_str()).is_some() || self.names.contains_key(gone);
        let taken = borne || later.any(|(_, other)| other.id == *gone);
        (!taken).then_some(gone)
    }

    /// Whether this number belonged to a machine that is gone.
    #[must_use]
    pub fn is_removed(&self, number: MachineNumber) -> bool {
        self.removed.contains_key(&number)
    }

    /// The machine with this name, or that had it before.
    #[must_use]
    pub fn machine_named(&self, name: &str) -> Option<&Machine> {
        if let Some(machine) = self.machines.named(name) {
            return Some(machine);
        }
        match self.names.get(name)? {
            Bearer::Alias(number) => self.machines.get(*number),
            Bearer::Unit | Bearer::Buffer => None,
        }
    }

    /// The unit with this name.
    #[must_use]
    pub fn unit(&self, name: &str) -> Option<&Unit> {
        self.units.get(name)
    }

    /// The buffer with this name.
    #[must_use]
    pub fn buffer(&self, name: &str) -> Option<&Buffer> {
        self.buffers.get(name)
    }

    /// The lowest number that no machine has or had.
    #[must_use]
    pub fn next_machine_number(&self) -> MachineNumber {
        let used = |number: u32| {
            let number = MachineNumber(number);
            self.machines.get(number).is_some() || self.removed.contains_key(&number)
        };
        let free = (1..=MACHINE_NUMBER_MAX).find(|number| !used(*number));
        MachineNumber(free.unwrap_or(MACHINE_NUMBER_MAX.saturating_add(1)))
    }

    /// The units from the top of the hierarchy down to `parent`. Ends at a unit that is not there
    /// and at one that was met before, so that a circle does no harm.
    #[must_use]
    pub fn place(&self, parent: Option<&ElementId>) -> Vec<&Unit> {
        let mut met = BTreeSet::new();
        let mut place = Vec::new();
        let mut above = parent;
        while let Some(unit) = above.and_then(|id| self.units.get(id)) {
            if !met.insert(&unit.id) {
                break;
            }
            place.push(unit);
            above = unit.parent.as_ref();
        }
        place.reverse();
        place
    }

    /// The nearest unit of this level in which the machine stands.
    #[must_use]
    pub fn place_at(&self, machine: &Machine, level: Level) -> Option<&Unit> {
        let place = self.place(machine.parent.as_ref());
        place.into_iter().rev().find(|unit| unit.level == level)
    }

    fn apply_plant(&mut self, action: ChangeAction, plant: &Plant) -> Result<(), DescriptionError> {
        check_presence(action, self.plant.is_some(), ObjectKind::Plant, &plant.name)?;
        self.plant = (action != ChangeAction::Remove).then(|| plant.clone());
        Ok(())
    }

    fn apply_unit(&mut self, action: ChangeAction, unit: &Unit) -> Result<(), DescriptionError> {
        let there = self.units.contains_key(&unit.id);
        check_presence(action, there, ObjectKind::Unit, unit.id.as_str())?;
        if action == ChangeAction::Remove {
            self.units.remove(&unit.id);
            self.names.remove(&unit.id);
            return Ok(());
        }
        if action == ChangeAction::Add {
            self.check_free(&unit.id)?;
            self.name(&unit.id, Bearer::Unit);
        }
        self.units.insert(unit.id.clone(), unit.clone());
        Ok(())
    }

    fn apply_buffer(
        &mut self,
        action: ChangeAction,
        buffer: &Buffer,
    ) -> Result<(), DescriptionError> {
        let there = self.buffers.contains_key(&buffer.id);
        check_presence(action, there, ObjectKind::Buffer, buffer.id.as_str())?;
        if action == ChangeAction::Remove {
            self.buffers.remove(&buffer.id);
            self.names.remove(&buffer.id);
            return Ok(());
        }
        if action == ChangeAction::Add {
            self.check_free(&buffer.id)?;
            self.name(&buffer.id, Bearer::Buffer);
        }
        self.buffers.insert(buffer.id.clone(), buffer.clone());
        Ok(())
    }

    fn apply_authority(
        &mut self,
        action: ChangeAction,
        authority: &Authority,
    ) -> Result<(), DescriptionError> {
        let same = |other: &Authority| other.key() == authority.key();
        let at = self.authorities.iter().position(same);
        let name = format!("{} {}", authority.machines, authority.aspect);
        check_presence(action, at.is_some(), ObjectKind::Authority, &name)?;
        match at {
            Some(at) if action == ChangeAction::Remove => drop(self.authorities.remove(at)),
            Some(at) => {
                if let Some(place) = self.authorities.get_mut(at) {
                    *place = authority.clone();
                }
            }
            None => self.authorities.push(authority.clone()),
        }
        Ok(())
    }

    fn add_machine(&mut self, machine: &Machine) -> Result<(), DescriptionError> {
        let number = machine.number;
        if number.get() == 0 || number.get() > MACHINE_NUMBER_MAX {
            return Err(DescriptionError::NumberOutOfRange(number));
        }
        if let Some(owner) = self.machines.get(number) {
            let (owner, kind) = (owner.id.clone(), ObjectKind::Machine);
            if owner == machine.id {
                let name = owner.to_string();
                return Err(DescriptionError::Exists { kind, name });
            }
            return Err(DescriptionError::NumberTaken { number, owner });
        }
        if let Some(owner) = self.removed.get(&number) {
            let owner = owner.id.clone();
            return Err(DescriptionError::NumberRetired { number, owner });
        }
        self.put_machine(machine.clone())
    }

    fn change_machine(&mut self, machine: &Machine) -> Result<(), DescriptionError> {
        let Some(old) = self.machines.get(machine.number) else {
            return Err(self.absent_machine(machine));
        };
        let mut new = machine.clone();
        new.aliases.extend(old.aliases.iter().cloned());
        new.aliases.push(old.id.clone());
        self.put_machine(new)
    }

    fn remove_machine(&mut self, machine: &Machine) -> Result<(), DescriptionError> {
        let there = self.machines.get(machine.number);
        if there.is_none_or(|old| old.id != machine.id) {
            return Err(self.absent_machine(machine));
        }
        if let Some(old) = self.machines.remove(machine.number) {
            for name in &old.aliases {
                self.names.remove(name);
            }
            self.removed.insert(machine.number, old);
        }
        Ok(())
    }

    fn absent_machine(&self, machine: &Machine) -> DescriptionError {
        let number = machine.number;
        match self.removed.get(&number) {
            Some(owner) => DescriptionError::NumberRetired {
                number,
                owner: owner.id.clone(),
            },
            None => DescriptionError::Absent {
                kind: ObjectKind::Machine,
                name: format!("{} (number {number})", machine.id),
            },
        }
    }

    /// Puts a machine under its number, with aliases in alphabetical order and without its name.
    fn put_machine(&mut self, mut machine: Machine) -> Result<(), DescriptionError> {
        let number = machine.number;
        machine.aliases.sort_unstable();
        machine.aliases.dedup();
        machine.aliases.retain(|alias| *alias != machine.id);
        for name in machine.aliases.iter().chain([&machine.id]) {
            let bearer = self.machines.named(name.as_str());
            if bearer.is_none_or(|bearer| bearer.number != number) {
                self.check_free(name)?;
            }
        }
        let given_up = self.names.remove(&machine.id);
        self.give_up(&machine.id, given_up);
        for alias in &machine.aliases {
            self.name(alias, Bearer::Alias(number));
        }
        self.machines.insert(machine);
        Ok(())
    }

    /// A name is free when nothing has it now; what only had it before gives it up.
    fn check_free(&self, name: &ElementId) -> Result<(), DescriptionError> {
        match (self.machines.named(name.as_str()), self.names.get(name)) {
            (None, None | Some(Bearer::Alias(_))) => Ok(()),
            _ => Err(DescriptionError::NameTaken(name.clone())),
        }
    }

    fn name(&mut self, name: &ElementId, bearer: Bearer) {
        let before = self.names.insert(name.clone(), bearer);
        self.give_up(name, before);
    }

    /// Takes a name from the machine that had it before.
    fn give_up(&mut self, name: &ElementId, before: Option<Bearer>) {
        if let Some(Bearer::Alias(number)) = before
            && let Some(machine) = self.machines.get_mut(number)
        {
            machine.aliases.retain(|alias| alias != name);
        }
    }
}

impl Authority {
    /// What tells authorities apart.
    pub(super) fn key(&self) -> (&str, crate::event::AspectKind) {
        (&self.machines, super::words::family(self.aspect))
    }
}

pub(super) fn check_presence(
    action: ChangeAction,
    there: bool,
    kind: ObjectKind,
    name: &str,
) -> Result<(), DescriptionError> {
    let name = name.to_owned();
    match (action, there) {
        (ChangeAction::Add, true) => Err(DescriptionError::Exists { kind, name }),
        (ChangeAction::Change | ChangeAction::Remove, false) => {
            Err(DescriptionError::Absent { kind, name })
        }
        _ => Ok(()),
    }
}
