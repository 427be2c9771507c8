//! The laws: what a store serves is what was acknowledged, whole, once, in order, and nothing else.

use werkbuch_model::id::MachineNumber;

use super::super::*;
use super::model::{Event, MACHINES, PlantModel, SOURCES};
use crate::disk::Chance;
use crate::{BlockBounds, PlantEnd, StoredBlock};

/// One law after the other over everything of a plant.
pub(super) const LAWS: [Law; 4] = [served, numbers_lead_to_events, machines, times];

/// An error is the store's own; what is wrong and served panics.
pub(super) type Law = fn(&dyn Store, &PlantModel) -> Result<(), StoreError>;

/// All laws.
pub(super) fn everything(store: &dyn Store, plant: &PlantModel) -> Result<(), StoreError> {
    LAWS.iter().try_for_each(|law| law(store, plant))
}

/// The log is read from its first event to its last, and the tree computed again.
fn served(store: &dyn Store, plant: &PlantModel) -> Result<(), StoreError> {
    let Some(end) = end_of(store, plant) else {
        assert!(plant.events.is_empty(), "{} is gone", plant.id);
        return Ok(());
    };
    end_fits(plant, &end);
    assert_eq!(end.last.get(), plant.last(), "{} ends elsewhere", plant.id);
    assert_eq!(end.tree, plant.tree, "{}: the tree differs", plant.id);
    let mut tree = CompactRange::new();
    let mut recorded_at = Timestamp::MIN;
    for block in store.read(&plant.id, Position(1))? {
        let block = block?;
        if block.from == block.header.first {
            let root = tree.root();
            assert_eq!(block.header.root_before, *root.as_bytes(), "{}", plant.id);
        }
        for (position, bytes) in block.events() {
            let event = due(plant, position, tree.size() + 1);
            assert_eq!(event.bytes, bytes, "{} {position}", plant.id);
            assert!(event.recorded_at > recorded_at, "{} {position}", plant.id);
            recorded_at = event.recorded_at;
            tree.append(leaf_hash(bytes));
        }
    }
    assert_eq!(tree, plant.tree, "{}: events are missing", plant.id);
    Ok(())
}

/// A repeat is told the position of the first, and what was never recorded is not found.
fn numbers_lead_to_events(store: &dyn Store, plant: &PlantModel) -> Result<(), StoreError> {
    for ((source, sequence), position) in &plant.positions {
        found(store, plant, (*source, *sequence), Some(*position))?;
    }
    for source in 1..=SOURCES + 1 {
        found(store, plant, (source, 1 << 40), None)?;
    }
    Ok(())
}

fn machines(store: &dyn Store, plant: &PlantModel) -> Result<(), StoreError> {
    if plant.events.is_empty() {
        return Ok(());
    }
    (0..=MACHINES).try_for_each(|machine| machine_read(store, plant, MachineNumber(machine), 1))
}

fn times(store: &dyn Store, plant: &PlantModel) -> Result<(), StoreError> {
    let mut events = plant.events.iter().step_by(3);
    events.try_for_each(|event| time_leads_to_block(store, plant, event.recorded_at))
}

/// Looks here and there: one place to read on from, one machine, one number, one time.
pub(super) fn something(
    store: &dyn Store,
    plant: &PlantModel,
    chance: &mut Chance,
) -> Result<(), StoreError> {
    let Some(end) = end_of(store, plant) else {
        assert!(plant.events.is_empty(), "{} is gone", plant.id);
        return Ok(());
    };
    end_fits(plant, &end);
    assert_eq!(end.last.get(), plant.last(), "{} ends elsewhere", plant.id);
    let from = 1 + chance.below(plant.last() + 1);
    let mut next = from;
    for block in store.read(&plant.id, Position(from))?.take(4) {
        let block = block?;
        block_fits(plant, &block, &mut next);
    }
    assert!(next > from || from > plant.last(), "{} {from}", plant.id);
    let machine = MachineNumber(chance.below(u64::from(MACHINES) + 1) as u32);
    machine_read(store, plant, machine, 1 + chance.below(plant.last() + 1))?;
    for _ in 0..3 {
        let at = chance.below(plant.last()) as usize;
        if let Some(event) = plant.events.get(at) {
            let number = (event.source.get(), event.sequence.get());
            found(store, plant, number, Some(Position(at as u64 + 1)))?;
            time_leads_to_block(store, plant, event.recorded_at.plus(-1))?;
        }
    }
    Ok(())
}

/// A block of the plant, the next one to be read.
pub(super) fn block_fits(plant: &PlantModel, block: &StoredBlock, next: &mut u64) {
    for (position, bytes) in block.events() {
        let event = due(plant, position, *next);
        assert_eq!(event.bytes, bytes, "{} {position}", plant.id);
        *next += 1;
    }
}

fn due(plant: &PlantModel, position: Position, due: u64) -> &Event {
    assert_eq!(position, Position(due), "{}: a gap or a repeat", plant.id);
    let event = plant.events.get(position.get() as usize - 1);
    event.unwrap_or_else(|| panic!("{} {position} was never recorded", plant.id))
}

pub(super) fn end_of(store: &dyn Store, plant: &PlantModel) -> Option<PlantEnd> {
    store.ends().into_iter().find(|end| end.plant == plant.id)
}

/// What a store says of the end of a plant's log, wherever it ends.
fn end_fits(plant: &PlantModel, end: &PlantEnd) {
    assert_eq!(end.log_id, plant.log_id);
    assert_eq!(end.tree.size(), end.last.get());
    let last = plant.events.get((end.last.get() as usize).wrapping_sub(1));
    let recorded_at = last.map_or(Timestamp::MIN, |event| event.recorded_at);
    assert_eq!(end.last_recorded_at, recorded_at, "{}", plant.id);
    assert!(end.epoch <= plant.log_epoch.max(plant.epoch));
}

fn found(
    store: &dyn Store,
    plant: &PlantModel,
    (source, sequence): (u32, u64),
    expected: Option<Position>,
) -> Result<(), StoreError> {
    let found = store.find(&plant.id, SourceNumber(source), Sequence(sequence))?;
    assert_eq!(found, expected, "{} {source} {sequence}", plant.id);
    Ok(())
}

/// All events of a machine come, whatever else comes with them.
pub(super) fn machine_read(
    store: &dyn Store,
    plant: &PlantModel,
    machine: MachineNumber,
    from: u64,
) -> Result<(), StoreError> {
    let mut expected = plant.of_machine(machine, from).into_iter();
    for block in store.read_machine(&plant.id, Position(from), machine)? {
        for (position, bytes) in block?.events() {
            let event = &plant.events[position.get() as usize - 1];
            assert_eq!(event.bytes, bytes, "{} {position}", plant.id);
            if event.machine == machine {
                assert_eq!(Some(position), expected.next(), "{} {machine}", plant.id);
            }
        }
    }
    assert_eq!(expected.next(), None, "{} {machine}", plant.id);
    Ok(())
}

/// The block of a time begins at or before it, and the next one later.
fn time_leads_to_block(
    store: &dyn Store,
    plant: &PlantModel,
    at: Timestamp,
) -> Result<(), StoreError> {
    let recorded = |position: u64| plant.events[position as usize - 1].recorded_at;
    let Some(BlockBounds {
        first,
        last,
        recorded_min,
        recorded_max,
        ..
    }) = store.block_at(&plant.id, at)?
    else {
        assert!(plant.events.is_empty() || recorded(1) > at, "{}", plant.id);
        return Ok(());
    };
    assert_eq!(recorded(first.get()), recorded_min, "{}", plant.id);
    assert_eq!(recorded(last.get()), recorded_max, "{}", plant.id);
    assert!(recorded_min <= at, "{} {at:?}", plant.id);
    assert!(
        last.get() == plant.last() || recorded(last.get() + 1) > at,
        "{} {at:?}",
        plant.id
    );
    Ok(())
}
