//! Plants and their descriptions as messages.

use werkbuch_engine::{Applied, Plant, Reflected};
use werkbuch_model::plant::to_toml;
use werkbuch_twin::Twin;
use werkbuch_wire::{name, pb};

/// What an application changed.
pub(crate) fn applied(applied: Applied) -> pb::ApplyPlantResponse {
    pb::ApplyPlantResponse {
        name: name::of_plant(applied.plant.as_str()),
        created: applied.created,
        recorded: applied.recorded,
        revision: applied.revision,
        changes: applied.changes,
        position: applied.position.get(),
    }
}

/// A plant without its file.
pub(crate) fn plant(twin: &Twin) -> pb::Plant {
    let description = twin.description();
    let plant = description.plant();
    pb::Plant {
        name: name::of_plant(twin.plant().as_str()),
        display_name: plant.name.clone(),
        time_zone: plant.time_zone.clone(),
        machines: count(description.machines()),
        buffers: count(description.buffers()),
        units: count(description.units()),
        ..pb::Plant::default()
    }
}

/// A plant with its file.
pub(crate) fn plant_in_full(twin: &Twin) -> pb::Plant {
    pb::Plant {
        content: to_toml(twin.description(), twin.plant()),
        ..plant(twin)
    }
}

/// Adds what the twin does not know.
pub(crate) fn complete(plant: &mut pb::Plant, of: &Plant, reflected: &Reflected) {
    plant.log_id = of.log_id().to_string();
    plant.revision = of.revision();
    plant.reflected = Some(super::reflected(reflected));
}

fn count<T>(things: impl Iterator<Item = T>) -> u32 {
    u32::try_from(things.count()).unwrap_or(u32::MAX)
}
