//! What a twin answers, as messages: machines by name, pages, counts, where it stands.

use super::found::Standing;
use super::row::{MachineRow, SharedCauses};
use super::{code, count, machine};
use crate::limits::PAGE_BYTES_MAX;
use prost::Message;
use std::collections::BTreeMap;
use werkbuch_engine::SourceStatus;
use werkbuch_model::event::State;
use werkbuch_model::filter::{Filter, OrderBy};
use werkbuch_model::id::MachineNumber;
use werkbuch_model::time::Timestamp;
use werkbuch_proof::Hash;
use werkbuch_twin::{FOLD_VERSION, Source, Twin};
use werkbuch_wire::{name, pb};

/// The machine of this name, former name or number, also one that is gone.
pub(crate) fn find(twin: &Twin, text: &str) -> Option<MachineNumber> {
    let description = twin.description();
    if let Some(machine) = description.machine_named(text) {
        return Some(machine.number);
    }
    let gone = description
        .removed()
        .filter(|machine| machine.id.as_str() == text)
        .last();
    let number = gone.map(|machine| machine.number);
    number.or_else(|| {
        let number = MachineNumber(text.parse().ok()?);
        twin.machine(number).map(|machine| machine.number())
    })
}

/// A machine in full; in brief and empty when the twin has nothing of it.
pub(crate) fn in_full(twin: &Twin, number: MachineNumber) -> pb::Machine {
    match twin.machine(number) {
        Some(found) => {
            let row = MachineRow::new(twin, found).sharing(&SharedCauses::default());
            machine::in_full(twin.plant().as_str(), &row)
        }
        None => pb::Machine {
            name: name::of_machine(twin.plant().as_str(), &number.to_string()),
            number: number.get(),
            ..pb::Machine::default()
        },
    }
}

/// Whether what is shown of a machine may follow from other machines too: it waits without saying why,
/// and parts may pass it.
pub(crate) fn asks_around(twin: &Twin, number: MachineNumber) -> bool {
    let Some(machine) = twin.machine(number) else {
        return false;
    };
    let waits = matches!(machine.state().shown, State::Waiting | State::Idle);
    let Some(described) = machine.described().filter(|_| waits) else {
        return false;
    };
    let (description, id) = (twin.description(), &described.id);
    description.flows_from(id).next().is_some()
        || description.flows_to(id).next().is_some()
        || description.boundaries().any(|one| one.at == *id)
}

/// A page of machines.
pub(crate) struct Page {
    pub(crate) machines: Vec<pb::Machine>,
    /// Where to go on; absent on the last page.
    pub(crate) next: Option<usize>,
    /// How many machines match in all.
    pub(crate) total: usize,
    pub(crate) plant_size: usize,
}

impl Page {
    /// The machines from the offset on that match, in the order given and then by plant and number. A page
    /// ends early when its message would become too large.
    pub(crate) fn of<'t>(
        plants: impl Iterator<Item = Standing<'t>> + Clone,
        filter: &Filter,
        order: &OrderBy,
        from: usize,
        size: usize,
    ) -> Self {
        let all = plants.clone().flat_map(Standing::rows);
        let mut rows: Vec<MachineRow<'_>> = all.filter(|row| filter.matches(row)).collect();
        // The sort is stable, and the rows come by number, and the twins by name.
        rows.sort_by(|a, b| order.compare(a, b));
        let mut machines = Vec::new();
        let mut bytes = 0_usize;
        for row in rows.iter().skip(from).take(size) {
            let machine = machine::in_brief(row.plant(), row);
            bytes = bytes.saturating_add(machine.encoded_len());
            if bytes > PAGE_BYTES_MAX && !machines.is_empty() {
                break;
            }
            machines.push(machine);
        }
        let next = from.saturating_add(machines.len());
        Self {
            next: (next < rows.len()).then_some(next),
            machines,
            total: rows.len(),
            plant_size: plants
                .map(|plant| plant.twin.description().machines().count())
                .sum(),
        }
    }
}

/// How many of the machines that match are in which state.
pub(crate) fn counts<'t>(
    plants: impl Iterator<Item = Standing<'t>>,
    filter: &Filter,
) -> Vec<pb::StateCount> {
    let mut counts: BTreeMap<State, usize> = BTreeMap::new();
    let rows = plants.flat_map(Standing::rows);
    for row in rows.filter(|row| filter.matches(row)) {
        *counts.entry(row.state().shown).or_default() += 1;
    }
    let message = |(state, machines): (State, usize)| pb::StateCount {
        state: code(state.code()),
        machines: count(machines),
    };
    counts.into_iter().map(message).collect()
}

/// Where a twin stands, without what only the engine knows.
pub(crate) fn summary(twin: &Twin) -> pb::Twin {
    pb::Twin {
        name: name::of_plant(twin.plant().as_str()),
        digest: twin.digest().to_vec(),
        fold_version: FOLD_VERSION,
        machines: u32::try_from(twin.description().machines().count()).unwrap_or(u32::MAX),
        sources: twin.sources().iter().map(source).collect(),
        ..pb::Twin::default()
    }
}

/// A source as the twin has it.
fn source(source: &Source) -> pb::SourceStatus {
    pb::SourceStatus {
        number: source.number.get(),
        source: source.name.to_string(),
        epoch: source.epoch.get(),
        source_kind: code(source.kind.code()),
        last_effective_at: source.last_effective_at.map(Timestamp::nanos),
        last_position: source.last_position.get(),
        ..pb::SourceStatus::default()
    }
}

/// Adds where the numbering of sources stands. One that was opened since they were asked is left out.
pub(crate) fn number(sources: &mut [pb::SourceStatus], stands: Vec<SourceStatus>) {
    let mut stands: BTreeMap<u32, SourceStatus> = stands
        .into_iter()
        .map(|one| (one.number.get(), one))
        .collect();
    for source in sources {
        if let Some(stands) = stands.remove(&source.number) {
            source.high_sequence = stands.high.get();
            source.missing = stands.missing;
            source.gaps = stands.gaps;
        }
    }
}

/// The bytes of a hash.
pub(crate) fn hash(hash: &Hash) -> Vec<u8> {
    hash.as_bytes().to_vec()
}

/// A machine of the description as a row; none when the description does not have it.
pub(crate) fn row(twin: &Twin, number: MachineNumber) -> Option<MachineRow<'_>> {
    let row = MachineRow::new(twin, twin.machine(number)?);
    row.described.is_some().then_some(row)
}

/// The machines of the description, by number.
pub(crate) fn rows(twin: &Twin) -> impl Iterator<Item = MachineRow<'_>> {
    let causes = SharedCauses::default();
    let numbers = twin.description().machines().map(|machine| machine.number);
    numbers.filter_map(move |number| {
        let row = MachineRow::new(twin, twin.machine(number)?);
        Some(row.sharing(&causes))
    })
}

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::view::fields::MACHINE_FIELDS;
    use werkbuch_model::event::{Body, DescriptionChanged, Flags, Recorded, Reported};
    use werkbuch_model::id::{PlantId, Position, Sequence, SourceNumber};
    use werkbuch_model::plant::{Description, diff, parse};

    const PLANT: &str = r#"
        [plant]
        id = "PLT-07"
        [[unit]]
        id = "body"
        level = "area"
        [[unit]]
        id = "l1"
        level = "production-line"
        parent = "body"
        [[unit]]
        id = "c1"
        level = "work-cell"
        parent = "l1"
        [[machine]]
        id = "press-1"
        number = 7
        name = "Press 1"
        type = "press"
        in = "c1"
        [[machine]]
        id = "robot-1"
        number = 3
        name = "Robot 1"
        type = "robot"
        formerly = ["arm-1"]
    "#;

    /// A twin that knows its machines and has heard nothing of them.
    pub(crate) fn twin_with_press() -> Twin {
        let file = parse(PLANT, "plant.toml").unwrap();
        let changed = DescriptionChanged {
            revision: 1,
            part: 1,
            commit: true,
            changes: diff(&Description::default(), &file).unwrap(),
            ..DescriptionChanged::default()
        };
        let mut twin = Twin::new(PlantId::new("PLT-07").unwrap());
        let event = Recorded {
            position: Position(1),
            recorded_at: Timestamp(1),
            effective_at: Timestamp(1),
            source: SourceNumber(0),
            previous: Position(0),
            flags: Flags::default(),
            authority: 0,
            reported: Reported {
                sequence: Sequence(0),
                machine: MachineNumber(0),
                occurred_at: Timestamp(1),
                observed_at: None,
                historical: false,
                body: Body::DescriptionChanged(changed),
            },
            corrected: Vec::new(),
        };
        twin.apply(&event).unwrap();
        twin
    }

    fn silent(twin: &Twin) -> impl Iterator<Item = Standing<'_>> + Clone {
        let raised = None;
        std::iter::once(Standing { twin, raised })
    }

    fn names(page: &Page) -> Vec<&str> {
        page.machines
            .iter()
            .filter_map(|machine| machine.name.rsplit('/').next())
            .collect()
    }

    #[test]
    fn machines_are_found_by_name_old_name_and_number() {
        let twin = twin_with_press();
        for (text, number) in [
            ("press-1", Some(7)),
            ("7", Some(7)),
            ("arm-1", Some(3)),
            ("press", None),
            ("8", None),
            ("-1", None),
            ("", None),
        ] {
            assert_eq!(find(&twin, text), number.map(MachineNumber), "{text}");
        }
    }

    #[test]
    fn pages_go_on_where_the_last_one_ended() {
        let twin = twin_with_press();
        let page = |filter: &str, order: &str, from, size| {
            let filter = Filter::parse(filter, &MACHINE_FIELDS).unwrap();
            let order = OrderBy::parse(order, &MACHINE_FIELDS).unwrap();
            Page::of(silent(&twin), &filter, &order, from, size)
        };
        let all = page("", "", 0, 10);
        assert_eq!(
            (names(&all), all.next, all.total),
            (vec!["robot-1", "press-1"], None, 2)
        );
        let first = page("", "name", 0, 1);
        assert_eq!((names(&first), first.next), (vec!["press-1"], Some(1)));
        let second = page("", "name", 1, 1);
        assert_eq!((names(&second), second.next), (vec!["robot-1"], None));
        let press = page("area = 'body' AND state = 'unavailable'", "", 0, 10);
        assert_eq!(
            (names(&press), press.total, press.plant_size),
            (vec!["press-1"], 1, 2)
        );
        assert_eq!(page("", "", usize::MAX, 10).next, None);
        assert_eq!(counts(silent(&twin), &Filter::default()).len(), 1);
    }
}
