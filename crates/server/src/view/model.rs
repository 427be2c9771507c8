//! Plants and their descriptions as messages.

use crate::asked::Answered;
use crate::limits::PAGE_BYTES_MAX;
use werkbuch_engine::{Applied, Plant};
use werkbuch_model::plant::to_toml;
use werkbuch_twin::Twin;
use werkbuch_wire::{name, pb};

/// What an application changed. It is recorded by now, so an answer too long is cut, not refused.
pub(crate) fn applied(applied: Applied) -> pb::ApplyPlantResponse {
    pb::ApplyPlantResponse {
        name: name::of_plant(applied.plant.as_str()),
        created: applied.created,
        recorded: applied.recorded,
        revision: applied.revision,
        changes: fitting(applied.changes),
        position: applied.position.get(),
    }
}

fn fitting(mut changes: Vec<String>) -> Vec<String> {
    let mut bytes = 0_usize;
    let is_too_much = |line: &String| {
        bytes = bytes.saturating_add(line.len() + 4);
        bytes > PAGE_BYTES_MAX
    };
    let told = changes
        .iter()
        .position(is_too_much)
        .unwrap_or(changes.len());
    let left = changes.len() - told;
    if left > 0 {
        changes.truncate(told);
        changes.push(format!("... and {left} more"));
    }
    changes
}

/// A plant without its file.
pub(crate) fn plant(twin: &Twin) -> pb::Plant {
    let description = twin.description();
    let plant = description.plant();
    pb::Plant {
        revision: twin.revision(),
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
pub(crate) fn complete(plant: &mut pb::Plant, of: &Plant, answered: &Answered) {
    plant.log_id = of.log_id().to_string();
    plant.reflected = Some(super::reflected(answered));
}

fn count<T>(things: impl Iterator<Item = T>) -> u32 {
    u32::try_from(things.count()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_of_changes_are_cut_and_say_so() {
        let line = |number: usize| format!("+ machine {number:01000}");
        let few: Vec<String> = (0..3).map(line).collect();
        assert_eq!(fitting(few.clone()), few);
        let many = fitting((0..10_000).map(line).collect());
        let last = many.last().map(String::as_str);
        assert_eq!(
            last,
            Some(format!("... and {} more", 10_001 - many.len()).as_str())
        );
        assert!(many.iter().map(String::len).sum::<usize>() < PAGE_BYTES_MAX);
    }
}
