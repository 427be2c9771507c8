//! The changes that turn the present description into what a plant file declares.

use super::description::Description;
use super::file::PlantFile;
use super::mistake::Mistake;
use super::numbering::Numbering;
use super::object::Keyed;
use super::spec::{Authority, Change, ChangeAction, Machine, Spec, Unit, keyed_objects};
use crate::id::{ElementId, MachineNumber};
use std::collections::{BTreeMap, BTreeSet};

/// The changes that turn `current` into what the file declares, in an order in which each can be
/// applied: the plant, units before what lies in them, machines in the order of the file, buffers,
/// what they refer to, flows, authorities, and removals last with children first. (What must make room for a new
/// bearer of its name goes first. Authorities that come before a new one in the file but after it
/// in `current` are removed and added again, because their order counts.)
///
/// The file is authoritative: what it does not name is removed. A machine is known by its name,
/// else by an old name (`formerly`), else by its number, and keeps its number; a new one takes the
/// number that the file declares, or the lowest that no machine has or had, in the order of the
/// file. Nothing to change gives no changes.
///
/// Errors: a [`Mistake`] for each number that is retired or another machine's, and for each old
/// name that does not fit the present machines.
pub fn diff(current: &Description, file: &PlantFile) -> Result<Vec<Change>, Vec<Mistake>> {
    let machines = Numbering::new(current, file).machines()?;
    let wanted = Wanted::new(file, machines);
    let mut changes = Changes::default();
    changes.plant(current, file);
    changes.units(current, file, &wanted);
    changes.machines(current, &wanted);
    changes.buffers(current, file, &wanted);
    changes.keyed(current, file);
    changes.authorities(current, file);
    Ok(changes.in_order())
}

impl PlantFile {
    /// The description that this file makes of a plant that is not there yet.
    ///
    /// Errors: as [`diff`], for numbers that cannot be given.
    pub fn to_description(&self) -> Result<Description, Vec<Mistake>> {
        let mut description = Description::default();
        for change in diff(&description, self)? {
            description.apply(&change).map_err(|error| {
                vec![Mistake {
                    file: self.file_name.clone(),
                    line: 1,
                    column: 1,
                    what: error.to_string(),
                    hint: String::new(),
                }]
            })?;
        }
        Ok(description)
    }
}

/// What a name stands for after the changes.
#[derive(Clone, Copy, PartialEq)]
enum Bearer {
    Unit,
    Buffer,
    Machine(MachineNumber),
    Alias(MachineNumber),
}

/// The machines and all names after the changes.
struct Wanted<'a> {
    machines: Vec<Machine>,
    names: BTreeMap<ElementId, Bearer>,
    order: BTreeMap<&'a ElementId, usize>,
}

impl<'a> Wanted<'a> {
    fn new(file: &'a PlantFile, mut machines: Vec<Machine>) -> Self {
        let mut names = BTreeMap::new();
        for unit in &file.units {
            names.insert(unit.id.clone(), Bearer::Unit);
        }
        for buffer in &file.buffers {
            names.insert(buffer.id.clone(), Bearer::Buffer);
        }
        for machine in &machines {
            names.insert(machine.id.clone(), Bearer::Machine(machine.number));
        }
        // What the file says was a name before it beats what is remembered of another machine.
        for (declared, machine) in file.machines.iter().zip(&machines) {
            for old in &declared.formerly {
                let alias = Bearer::Alias(machine.number);
                names.entry(old.clone()).or_insert(alias);
            }
        }
        for machine in &mut machines {
            let alias = Bearer::Alias(machine.number);
            machine.aliases.sort_unstable();
            machine.aliases.dedup();
            machine
                .aliases
                .retain(|old| *names.entry(old.clone()).or_insert(alias) == alias);
        }
        Self {
            machines,
            names,
            order: downwards(&file.units),
        }
    }

    /// Whether the name goes to something else than its present bearer.
    fn passes_on(&self, name: &ElementId, bearer: Bearer) -> bool {
        self.names.get(name).is_some_and(|next| *next != bearer)
    }
}

/// The changes by when they come.
#[derive(Default)]
struct Changes {
    /// Removals that make room for a new bearer of the name.
    early: Vec<Change>,
    /// Renamings that do the same; they may need the room that the removals make.
    renamings: Vec<Change>,
    additions: Vec<Change>,
    removals: Vec<Change>,
}

impl Changes {
    fn in_order(mut self) -> Vec<Change> {
        // Removals were collected parents first.
        self.removals.reverse();
        let mut all = self.early;
        all.append(&mut self.renamings);
        all.append(&mut self.additions);
        all.append(&mut self.removals);
        all
    }

    fn plant(&mut self, current: &Description, file: &PlantFile) {
        let spec = Spec::Plant(file.plant.clone());
        if !current.is_declared() {
            self.additions.push(change(ChangeAction::Add, spec));
        } else if *current.plant() != file.plant {
            self.additions.push(change(ChangeAction::Change, spec));
        }
    }

    fn units(&mut self, current: &Description, file: &PlantFile, wanted: &Wanted<'_>) {
        let mut units: Vec<&Unit> = file.units.iter().collect();
        units.sort_by_key(|unit| wanted.order.get(&unit.id).copied());
        for unit in units {
            match current.unit(unit.id.as_str()) {
                None => self.add(Spec::Unit(unit.clone())),
                Some(old) if old != unit => self.alter(Spec::Unit(unit.clone())),
                Some(_) => {}
            }
        }
        let present: Vec<Unit> = current.units().cloned().collect();
        let order = downwards(&present);
        let mut present: Vec<&Unit> = present.iter().collect();
        present.sort_by_key(|unit| order.get(&unit.id).copied());
        for unit in present {
            if wanted.names.get(&unit.id) != Some(&Bearer::Unit) {
                let early = wanted.passes_on(&unit.id, Bearer::Unit);
                self.remove(Spec::Unit(unit.clone()), early);
            }
        }
    }

    fn machines(&mut self, current: &Description, wanted: &Wanted<'_>) {
        for machine in &wanted.machines {
            let spec = Spec::Machine(machine.clone());
            match current.machine(machine.number) {
                None => self.add(spec),
                Some(old) if old.id == machine.id => {
                    // An alias that merely passes on to something else needs no change of its own.
                    let mut expected = old.clone();
                    let alias = Bearer::Alias(old.number);
                    expected
                        .aliases
                        .retain(|name| wanted.names.get(name) == Some(&alias));
                    if expected != *machine {
                        self.alter(spec);
                    }
                }
                Some(old) => {
                    let passed_on = |name: &Bearer| *name != Bearer::Alias(old.number);
                    if wanted.names.get(&old.id).is_some_and(passed_on) {
                        self.renamings.push(change(ChangeAction::Change, spec));
                    } else {
                        self.alter(spec);
                    }
                }
            }
        }
        let numbers: BTreeSet<_> = wanted.machines.iter().map(|m| m.number).collect();
        for machine in current.machines() {
            if !numbers.contains(&machine.number) {
                let early = wanted.passes_on(&machine.id, Bearer::Machine(machine.number));
                self.remove(Spec::Machine(machine.clone()), early);
            }
        }
    }

    fn buffers(&mut self, current: &Description, file: &PlantFile, wanted: &Wanted<'_>) {
        for buffer in &file.buffers {
            match current.buffer(buffer.id.as_str()) {
                None => self.add(Spec::Buffer(buffer.clone())),
                Some(old) if old != buffer => self.alter(Spec::Buffer(buffer.clone())),
                Some(_) => {}
            }
        }
        for buffer in current.buffers() {
            if wanted.names.get(&buffer.id) != Some(&Bearer::Buffer) {
                let early = wanted.passes_on(&buffer.id, Bearer::Buffer);
                self.remove(Spec::Buffer(buffer.clone()), early);
            }
        }
    }

    /// The changes of one kind that is known by its key.
    fn table<'a, T: Keyed + Into<Spec> + 'a>(
        &mut self,
        current: &BTreeMap<T::Key, T>,
        wanted: &[T],
    ) {
        let keys: BTreeSet<T::Key> = wanted.iter().map(T::key).collect();
        for new in wanted {
            match current.get(&new.key()) {
                None => self.add(new.clone().into()),
                Some(old) if old != new => self.alter(new.clone().into()),
                Some(_) => {}
            }
        }
        for (key, old) in current {
            if !keys.contains(key) {
                self.remove(old.clone().into(), false);
            }
        }
    }

    /// Keeps the longest beginning of the file's list that stands in this order already, because
    /// an addition goes to the end.
    fn authorities(&mut self, current: &Description, file: &PlantFile) {
        let mut wanted = file.authorities.iter().peekable();
        let mut kept: Vec<(&Authority, &Authority)> = Vec::new();
        for old in current.authorities() {
            match wanted.peek() {
                Some(new) if new.key() == old.key() => kept.extend(wanted.next().map(|n| (old, n))),
                _ => self
                    .additions
                    .push(change(ChangeAction::Remove, Spec::Authority(old.clone()))),
            }
        }
        for (old, new) in kept {
            if old != new {
                self.alter(Spec::Authority(new.clone()));
            }
        }
        for new in wanted {
            self.add(Spec::Authority(new.clone()));
        }
    }

    fn add(&mut self, spec: Spec) {
        self.additions.push(change(ChangeAction::Add, spec));
    }

    fn alter(&mut self, spec: Spec) {
        self.additions.push(change(ChangeAction::Change, spec));
    }

    fn remove(&mut self, spec: Spec, early: bool) {
        let list = if early {
            &mut self.early
        } else {
            &mut self.removals
        };
        list.push(change(ChangeAction::Remove, spec));
    }
}

macro_rules! keyed_changes {
    ($($kind:ident $list:ident $table:literal,)+) => {
        impl Changes {
            fn keyed(&mut self, current: &Description, file: &PlantFile) {
                $(self.table(&current.tables.$list, &file.$list);)+
            }
        }
    };
}

keyed_objects!(keyed_changes);

fn change(action: ChangeAction, spec: Spec) -> Change {
    Change { action, spec }
}

/// The place of each unit in an order with parents before children, otherwise as given. Units in
/// a circle, which no checked file has, come last.
fn downwards(units: &[Unit]) -> BTreeMap<&ElementId, usize> {
    let ids: BTreeSet<&ElementId> = units.iter().map(|unit| &unit.id).collect();
    let mut children: BTreeMap<&ElementId, Vec<&ElementId>> = BTreeMap::new();
    let mut ready: Vec<&ElementId> = Vec::new();
    for unit in units.iter().rev() {
        match unit.parent.as_ref().filter(|parent| ids.contains(parent)) {
            Some(parent) => children.entry(parent).or_default().push(&unit.id),
            None => ready.push(&unit.id),
        }
    }
    let mut order = BTreeMap::new();
    while let Some(id) = ready.pop() {
        let next = order.len();
        order.insert(id, next);
        ready.extend(children.remove(id).unwrap_or_default());
    }
    for unit in units {
        let next = order.len();
        order.entry(&unit.id).or_insert(next);
    }
    order
}
