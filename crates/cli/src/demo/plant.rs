//! The plants of the demo: their descriptions, and runs of them.

use super::clock::Clock;
use crate::client::Client;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use werkbuch_model::id::PlantId;
use werkbuch_model::plant::{Description, diff, parse};
use werkbuch_model::time::utc_offset_s;
use werkbuch_sim::works::{CarPlant, MACHINES_MIN};
use werkbuch_sim::{Degrade, PlantRun, Setting};
use werkbuch_wire::{name, pb};

/// A plant of the demo.
#[derive(Clone, Debug)]
pub(super) struct DemoPlant {
    pub(super) id: PlantId,
    pub(super) time_zone: &'static str,
    file: String,
    number: u32,
}

/// So many plants with so many machines in all. Errors: too few machines for so many plants.
pub(super) fn plants(plants: u32, machines: u32, seed: u64) -> Outcome<Vec<DemoPlant>> {
    let least = plants.saturating_mul(u32::try_from(MACHINES_MIN).unwrap_or(u32::MAX));
    if machines < least {
        let what =
            format!("{machines} machines are too few for {plants} car plants: they need {least}");
        return Err(Failure::usage(what).hint("name more with --machines, or fewer --plants"));
    }
    let share = |number: u32| machines / plants + u32::from(number < machines % plants);
    let plant = |number: u32| {
        let plant = CarPlant {
            number: usize::try_from(number).unwrap_or(0),
            machines: usize::try_from(share(number)).unwrap_or(0),
            seed,
        };
        let id = PlantId::new(plant.id()).map_err(|error| internal(&error.to_string()))?;
        Ok(DemoPlant {
            id,
            time_zone: plant.time_zone(),
            file: plant.file(),
            number,
        })
    };
    (0..plants).map(plant).collect()
}

impl DemoPlant {
    /// Applies the description to a server.
    pub(super) async fn apply(&self, client: &Client) -> Outcome<()> {
        let request = pb::ApplyPlantRequest {
            parent: format!("tenants/{}", name::DEFAULT_TENANT),
            file_name: self.file_name(),
            content: self.file.clone(),
            why: "demonstration".to_owned(),
            ..pb::ApplyPlantRequest::default()
        };
        client.model().apply_plant(request).await?;
        Ok(())
    }

    /// A run of it from the start of the clock.
    pub(super) fn run(&self, clock: &Clock, seed: u64, degrade: Degrade) -> Outcome<PlantRun> {
        let setting = Setting {
            plant: self.id.to_string(),
            start: clock.start,
            utc_offset_s: utc_offset_s(self.time_zone, clock.start).unwrap_or(0),
            seed,
            replication: self.number,
            degrade,
        };
        PlantRun::new(&self.description()?, &setting).map_err(|error| internal(&error.to_string()))
    }

    fn description(&self) -> Outcome<Description> {
        let file = parse(&self.file, &self.file_name()).map_err(|mistakes| {
            let first = mistakes.first().map(ToString::to_string);
            internal(&first.unwrap_or_default())
        })?;
        let mut description = Description::default();
        let changes = diff(&description, &file).map_err(|mistakes| {
            let first = mistakes.first().map(ToString::to_string);
            internal(&first.unwrap_or_default())
        })?;
        for change in &changes {
            description
                .apply(change)
                .map_err(|error| internal(&error.to_string()))?;
        }
        Ok(description)
    }

    fn file_name(&self) -> String {
        format!("{}.toml", self.id)
    }
}

fn internal(what: &str) -> Failure {
    Failure::new(
        Exit::Failed,
        "INTERNAL",
        format!("the demo's plants are broken: {what}"),
    )
}
