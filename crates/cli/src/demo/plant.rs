//! The plant of the demo: its description, and how its machines work.

use crate::client::Client;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use std::collections::BTreeMap;
use werkbuch_model::id::MachineNumber;
use werkbuch_model::plant::PlantFile;
use werkbuch_sim::{Buffer, Layout, SECOND_NS, Station};
use werkbuch_wire::{name, pb};

const DESCRIPTION: &str = include_str!("plant.toml");

/// How a sort of machine works: cycle, working time between failures, repair, in seconds; parts
/// between two change-overs (0: none).
const SORTS: &[(&str, u64, u64, u64, u32)] = &[
    ("press", 95, 3_600, 420, 120),
    ("framing", 105, 5_400, 300, 0),
    ("weld-cell", 215, 4_500, 360, 0),
    ("gauge", 48, 14_400, 240, 0),
    ("dip-tank", 52, 28_800, 900, 0),
    ("oven", 50, 28_800, 600, 0),
    ("paint-booth", 102, 5_400, 480, 40),
    ("trim", 104, 7_200, 180, 0),
    ("marriage", 54, 7_200, 420, 0),
    ("wheels", 98, 9_000, 150, 0),
    ("filling", 53, 9_000, 200, 0),
    ("test-bench", 100, 7_200, 240, 0),
];

/// The three gateways: name, and the areas whose machines it reads.
pub(crate) const GATEWAYS: [(&str, &[&str]); 3] = [
    ("gateway-press", &["press"]),
    ("gateway-body", &["body"]),
    ("gateway-final", &["paint", "assembly"]),
];

/// The plant of the demo.
#[derive(Debug)]
pub(crate) struct DemoPlant {
    file: PlantFile,
    /// The area that each unit lies in.
    areas: BTreeMap<String, String>,
}

impl DemoPlant {
    /// Reads the description that is built in.
    pub(crate) fn read() -> Outcome<Self> {
        let file = werkbuch_model::plant::parse(DESCRIPTION, "demo.toml").map_err(|mistakes| {
            let first = mistakes
                .first()
                .map(ToString::to_string)
                .unwrap_or_default();
            Failure::new(
                Exit::Failed,
                "INTERNAL",
                format!("the plant of the demo: {first}"),
            )
        })?;
        let mut areas = BTreeMap::new();
        for unit in &file.units {
            let area = unit.parent.as_ref().unwrap_or(&unit.id);
            areas.insert(unit.id.to_string(), area.to_string());
        }
        Ok(Self { file, areas })
    }

    pub(crate) fn id(&self) -> &werkbuch_model::id::PlantId {
        &self.file.plant_id
    }

    /// The names of the machines, in the order of the description.
    pub(crate) fn machines(&self) -> impl Iterator<Item = &str> {
        self.file
            .machines
            .iter()
            .map(|machine| machine.spec.id.as_str())
    }

    /// The machines whose good parts are done.
    pub(crate) fn last_machines(&self) -> Vec<&str> {
        let goes_on = |id: &str| self.file.flows.iter().any(|flow| flow.from.as_str() == id);
        self.machines().filter(|id| !goes_on(id)).collect()
    }

    /// Which gateway reads a machine: an index of [`GATEWAYS`].
    pub(crate) fn gateway_of(&self, machine: &str) -> usize {
        let found = self
            .file
            .machines
            .iter()
            .find(|one| one.spec.id.as_str() == machine);
        let unit = found.and_then(|machine| machine.spec.parent.as_ref());
        let area = unit.and_then(|unit| self.areas.get(unit.as_str()));
        let reads = |areas: &[&str]| area.is_some_and(|area| areas.contains(&area.as_str()));
        GATEWAYS
            .iter()
            .position(|(_, areas)| reads(areas))
            .unwrap_or(0)
    }

    /// Applies the description to a server.
    pub(crate) async fn apply(&self, client: &Client) -> Outcome<()> {
        let request = pb::ApplyPlantRequest {
            parent: format!("tenants/{}", name::DEFAULT_TENANT),
            file_name: "demo.toml".to_owned(),
            content: DESCRIPTION.to_owned(),
            validate_only: false,
            who: String::new(),
            why: "demonstration".to_owned(),
        };
        client.model().apply_plant(request).await?;
        Ok(())
    }

    /// The plant as stations and buffers; machines have the numbers 1, 2, 3 in their order here.
    pub(crate) fn layout(&self) -> Layout {
        let buffers = &self.file.buffers;
        let buffer = |id: &str| buffers.iter().position(|buffer| buffer.id.as_str() == id);
        let flows = &self.file.flows;
        let stations = self.file.machines.iter().zip(1..).map(|(machine, number)| {
            let id = machine.spec.id.as_str();
            let into = flows.iter().filter(|flow| flow.to.as_str() == id);
            let out = flows.iter().find(|flow| flow.from.as_str() == id);
            let sort = SORTS
                .iter()
                .find(|(sort, ..)| *sort == machine.spec.machine_type);
            let (_, cycle, mtbf, mttr, lot) = sort.copied().unwrap_or(("", 60, 0, 0, 0));
            Station {
                machine: MachineNumber(number),
                inputs: into.filter_map(|flow| buffer(flow.from.as_str())).collect(),
                output: out.and_then(|flow| buffer(flow.to.as_str())),
                cycle_ns: cycle * SECOND_NS,
                mtbf_ns: mtbf * SECOND_NS,
                mttr_ns: mttr * SECOND_NS,
                lot,
                ..Station::default()
            }
        });
        Layout {
            stations: stations.collect(),
            buffers: buffers.iter().map(half_full).collect(),
        }
    }
}

/// A plant that has been at work: every buffer is half full.
fn half_full(buffer: &werkbuch_model::plant::Buffer) -> Buffer {
    Buffer {
        capacity: buffer.capacity,
        initial: buffer.capacity / 2,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use werkbuch_sim::Factory;

    #[test]
    fn the_plant_is_whole_and_parts_come_out_of_it() {
        let plant = DemoPlant::read().unwrap();
        assert_eq!(plant.machines().count(), 24);
        assert_eq!(plant.last_machines(), ["test-1", "test-2"]);
        for machine in &plant.file.machines {
            let known = SORTS
                .iter()
                .any(|(sort, ..)| *sort == machine.spec.machine_type);
            assert!(known, "{} has no sort", machine.spec.id);
        }
        let per_gateway = |index| {
            plant
                .machines()
                .filter(|id| plant.gateway_of(id) == index)
                .count()
        };
        assert_eq!([per_gateway(0), per_gateway(1), per_gateway(2)], [4, 7, 13]);
        let layout = plant.layout();
        let supplied = layout
            .stations
            .iter()
            .filter(|station| station.inputs.is_empty())
            .count();
        assert_eq!(supplied, 4);
        let mut factory = Factory::new(layout, 1).unwrap();
        let shift = 8 * 3_600 * SECOND_NS;
        let events = factory
            .by_ref()
            .take_while(|event| event.at_ns < shift)
            .count();
        let cars = factory.flow().left;
        assert!((150..480).contains(&cars), "{cars} cars in a shift");
        assert!(events > 5_000, "{events} events in a shift");
    }
}
